"""What is wrong with a repository, in words and as JSON, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from remit.reporters.terminal import safe
from remit.sentences import say, spoken

if TYPE_CHECKING:
    from remit.mending import Mended


def doctor_lines(found: Sequence[Mended], folder: str, language: str) -> Iterator[str]:
    """One line for each trouble, below it what was done or is to be done, and a count."""
    for trouble, done in found:
        yield f"{safe(trouble.place)}  {trouble.what}: {_flat(spoken(trouble.message, language))}"
        if done or trouble.hint:
            yield f"    {_flat(spoken(done or trouble.hint, language))}"
    mended = sum(bool(one.done) for one in found)
    left = len(found) - mended
    said = [say("repository.mended", count=mended)] if mended else []
    said += [say("repository.wrong", count=left)] if left else []
    about = {"folder": folder, "counts": said or say("repository.nothing-wrong")}
    yield safe(spoken(say("repository.summary", **about), language))


def doctor_json(found: Sequence[Mended], folder: str) -> dict[str, Any]:
    """The same as JSON."""
    return {"repository": folder, "troubles": [{**one.trouble._asdict(), "done": one.done} for one in found]}


def _flat(text: str) -> str:
    return safe(" ".join(text.split()))
