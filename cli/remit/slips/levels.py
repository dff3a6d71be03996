"""Slips of policies that watch: their clocks, levels and what they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remit.decisions import SEVERITIES
from remit.places import Pointer
from remit.slips.anything import (
    CYCLES,
    amounts,
    another,
    both,
    calendars,
    conditions,
    count,
    gone,
    instants,
    item_gone,
    numbers,
    relations,
    roles,
    share,
    siblings,
    under,
)
from remit.slips.written import REMOVED, Make, Slip, Table, Written, value_at

_THEN = {"continue": "restart", "restart": "continue", "split": "continue"}


def _without_pauses(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    if "pauses" in value:
        rest = {key: one for key, one in value.items() if key not in ("pauses", "pausesWhen")}
        yield Slip(pointer, "clock", rest, "without pauses")


CLOCK: Table = (
    ("", _without_pauses),
    *((key, instants) for key in ("start", "stop", "due")),
    *((key, both(gone("clock"), conditions)) for key in ("restarts", "met", "pausesWhen")),
    *((key, gone("clock")) for key in ("reopened", "handedOver")),
    *((f"{key}/then", another("clock", _THEN)) for key in ("reopened", "handedOver")),
    ("cycle", another("clock", CYCLES)),
    ("calendar", calendars),
    ("working", calendars),
    ("lasts", amounts),
    ("reached/count", count),
    ("reached/of", conditions),
    ("reached/within", amounts),
)


def severity(default: str) -> Make:
    """Another severity of a level that has, unless it says so, ``default``."""

    def make(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
        now = value.get("severity", default)
        other = SEVERITIES[(SEVERITIES.index(now) + 1) % len(SEVERITIES)]
        yield Slip((*pointer, "severity"), "severity", other, "" if "severity" in value else f"→ {other}")

    return make


def _target(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    yield Slip(pointer, "role", REMOVED, "nobody for " + str(value.get("role") or value.get("person")))


def _made_kind(pointer: Pointer, value: str, of: Written) -> Iterator[Slip]:
    """Another kind of record that could be made of the same fields."""
    given = set(value_at(of.spec, (*pointer[:-1], "set")))
    for name, schema in of.types.schemas.kinds.items():
        fields = schema.shape.fields
        if name != value and given <= set(fields) and not {f for f, part in fields.items() if part.required} - given:
            yield Slip(pointer, "follow-up", name)


def _made_value(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """Another value that the field may have."""
    *above, _, field, _ = pointer
    shape = of.types.schemas.kinds[value_at(of.spec, (*above, "kind"))].shape.fields[str(field)].shape
    if shape.enum:
        names = [*shape.enum, *shape.enum]
        yield Slip(pointer, "value", names[names.index(value) + 1])
    elif isinstance(value, bool):
        yield Slip(pointer, "value", not value)
    else:
        yield from (Slip(pointer, "value", other) for other in numbers(value, of))


FOLLOW_UP: Table = (
    ("", gone("follow-up")),
    ("kind", _made_kind),
    ("set/*", gone("follow-up")),
    ("set/*/value", _made_value),
    ("set/*/from", siblings),
    ("set/*/keep", both(gone("follow-up"), item_gone("follow-up"))),
    ("set/*/role", roles),
    ("set/*/of", item_gone("role")),
)

WATCH: Table = (
    ("when", conditions),
    ("with/*", relations),
    *under("clock", CLOCK),
    *((f"levels/*/{key}", amounts) for key in ("after", "of", "before", "past")),
    ("levels/*/share", share),
    ("levels/*/every", both(gone("repeat"), amounts)),
    ("levels/*/when", both(gone("condition"), conditions)),
    ("levels/*/notify/*", _target),
    ("levels/*/notify/*/role", roles),
    ("levels/*/notify/*/of", item_gone("role")),
    *under("levels/*/create", FOLLOW_UP),
)
