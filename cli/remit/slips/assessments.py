"""Slips of assessment policies: their measures, scores and bands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remit.places import Pointer
from remit.slips.anything import (
    CYCLES,
    amounts,
    another,
    backwards,
    both,
    conditions,
    gone,
    instants,
    item_gone,
    number,
    relations,
    siblings,
    under,
)
from remit.slips.levels import CLOCK
from remit.slips.written import REMOVED, Slip, Table, Written, value_at

_UNITS = {"minutes": "hours", "hours": "days", "days": "hours"}
_SCORES = {"rate_vs_target": "pass_fail", "pass_fail": "rate_vs_target"}
_TYPES = {"mean": "sum", "sum": "mean", "percentile": "mean"}


def _period(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    if isinstance(value, str):
        yield Slip(pointer, "value", CYCLES[value])
    else:
        yield from item_gone("value")(pointer, value, of)


def _ranked(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    yield Slip(pointer, "value", False, "→ false")
    if isinstance(value, Mapping):
        yield Slip(pointer, "value", True, "among all")


def _aggregated(pointer: Pointer, value: str, of: Written) -> Iterator[Slip]:
    """Another way to make one figure of several facts; a fact that is scored itself is the only one of its figure."""
    measure = value_at(of.spec, pointer[:-1])
    if measure.get("by") == "fact" and "each" not in measure:
        return
    if value == "percentile":
        rest = {**measure, "type": "mean"}
        yield Slip(pointer[:-1], "value", {k: v for k, v in rest.items() if k != "percentile"}, "percentile → mean")
    else:
        yield from another("value", _TYPES)(pointer, value, of)


def _unscored(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    yield Slip(pointer, "value", REMOVED, "no score")


MEASURE: Table = (
    ("type", _aggregated),
    ("with/*", relations),
    ("at", instants),
    ("by", both(item_gone("role"), backwards("role"))),
    ("where", both(gone("condition"), conditions)),
    ("value", siblings),
    ("value/from", instants),
    ("value/to", instants),
    ("good", conditions),
    *under("timely/clock", CLOCK),
    ("timely/limit", both(amounts, item_gone("threshold"), backwards("threshold"))),
    ("timely/limit/*/amount", amounts),
    ("timely/limit/*/when", both(gone("condition"), conditions)),
    ("percentile", number),
    ("unit", another("value", _UNITS)),
)

_STAGES: Table = (
    ("weight", both(number, item_gone("threshold"), backwards("threshold"))),
    ("weight/*/weight", number),
    ("weight/*/when", both(gone("condition"), conditions)),
)

ASSESSMENT: Table = (
    ("when", both(gone("condition"), conditions)),
    ("period", _period),
    ("rank", _ranked),
    *under("parts/*", _STAGES),
    ("bands/*/size", number),
    ("bands/*/multiplier", number),
    ("bands/*/places", number),
    *under("bands/*/places", MEASURE),
    *((f"pool/{key}", gone("value")) for key in ("within", "less")),
    ("measures/*", gone("value")),
    *under("measures/*", MEASURE),
    *under("measures/*", _STAGES),
    ("measures/*/target", number),
    ("measures/*/deduct", both(gone("threshold"), number)),
    ("measures/*/score", _unscored),
    ("measures/*/score/kind", another("value", _SCORES)),
    ("measures/*/score/table", item_gone("threshold")),
    ("measures/*/score/table/*/from", number),
    ("measures/*/score/table/*/score", number),
)
