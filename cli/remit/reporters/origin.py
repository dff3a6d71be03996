"""What an origin says to whoever pushes, and what is said about an origin: never more than a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from remit.reporters.terminal import plural, safe

if TYPE_CHECKING:
    from remit.guarding import Verdict
    from remit.origins import Drift

_SHOWN = 6
_LONGEST = 240


def refusal_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Which refs were refused, by which rule, why, and what to do; every string from outside is escaped."""
    rows = [(verdict.move.ref, refusal) for verdict in verdicts for refusal in verdict.refusals]
    yield "remit: this push is refused, and nothing was changed"
    for ref, refusal in rows[:_SHOWN]:
        yield f"  {_short(ref)}  rule {refusal.rule}: {_short(refusal.message)}"
        if refusal.hint:
            yield f"      {_short(refusal.hint)}"
    if len(rows) > _SHOWN:
        yield f"  and {len(rows) - _SHOWN} more"


def drift_lines(found: Sequence[Drift], folder: str) -> Iterator[str]:
    """One line for each thing that is not as it should be, its remedy below it, and a count."""
    for one in found:
        yield f"{safe(one.place)}: {_short(one.message)}"
        if one.hint:
            yield f"    {_short(one.hint)}"
    said = f"{plural(len(found), 'thing')} drifted" if found else "as remit origin init leaves it"
    yield f"{safe(folder)}: {said}"


def drift_json(found: Sequence[Drift], folder: str) -> dict[str, Any]:
    """The same as JSON."""
    return {"origin": folder, "drift": [one._asdict() for one in found]}


def _short(text: str) -> str:
    flat = safe(" ".join(text.split()))
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"
