"""What an origin says to whoever pushes, and what is said about an origin: never more than a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from remit.reporters.terminal import safe
from remit.sentences import say, spoken

if TYPE_CHECKING:
    from remit.guarding import Verdict
    from remit.origins import Drift

_SHOWN = 6
_LONGEST = 240


def refusal_lines(verdicts: Sequence[Verdict], language: str) -> Iterator[str]:
    """Which refs were refused, by which rule, why, and what to do; every string from outside is escaped."""
    rows = [(verdict.move.ref, refusal) for verdict in verdicts for refusal in verdict.refusals]
    yield spoken(say("proof.push-refused"), language)
    for ref, refusal in rows[:_SHOWN]:
        why = _short(spoken(refusal.message, language))
        yield f"  {spoken(say('proof.ref-refused', ref=_short(ref), rule=refusal.rule, why=why), language)}"
        if refusal.hint:
            yield f"      {_short(spoken(refusal.hint, language))}"
    if len(rows) > _SHOWN:
        yield f"  {spoken(say('proof.and-more', count=len(rows) - _SHOWN), language)}"


def drift_lines(found: Sequence[Drift], folder: str, language: str) -> Iterator[str]:
    """One line for each thing that is not as it should be, its remedy below it, and a count."""
    for one in found:
        yield f"{safe(one.place)}: {_short(spoken(one.message, language))}"
        if one.hint:
            yield f"    {_short(spoken(one.hint, language))}"
    said = say("repository.drifted", count=len(found)) if found else say("repository.not-drifted")
    yield f"{safe(folder)}: {spoken(said, language)}"


def drift_json(found: Sequence[Drift], folder: str) -> dict[str, Any]:
    """The same as JSON."""
    return {"origin": folder, "drift": [one._asdict() for one in found]}


def _short(text: str) -> str:
    flat = safe(" ".join(text.split()))
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"
