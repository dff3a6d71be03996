"""Slips of approval policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remit.places import Pointer
from remit.slips.anything import (
    both,
    conditions,
    gone,
    item_gone,
    roles,
    turned,
    under,
)
from remit.slips.written import REMOVED, Slip, Table, Written, value_at


def _narrower(pointer: Pointer, value: str, of: Written) -> Iterator[Slip]:
    """A pattern over whole folders that stops at the first."""
    if "**" in value:
        yield Slip(pointer, "value", value.replace("**", "*"))


def _kinds(pointer: Pointer, value: list[str], of: Written) -> Iterator[Slip]:
    """One kind of several left out; all of them, where a record of another kind could have what else the rule names."""
    yield from item_gone("value")(pointer, value, of)
    change = value_at(of.spec, pointer[:-1])
    named = {field.split("/")[2] for field in change.get("fields", ()) if field.startswith("/spec/")}
    others = (schema.shape.fields for kind, schema in of.types.schemas.kinds.items() if kind not in value)
    if not named or any(named & set(fields) for fields in others):
        yield Slip(pointer, "value", REMOVED)


def _at_least(pointer: Pointer, value: int, of: Written) -> Iterator[Slip]:
    """A rule about changes of many files that begins one file later or earlier."""
    for other in (value + 1, value - 1):
        if other > 1:
            yield Slip(pointer, "threshold", other, f"{value} → {other}")
    yield Slip(pointer, "threshold", REMOVED)


def _approver_count(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    count = value.get("count", 1)
    yield Slip((*pointer, "count"), "threshold", count + 1, f"{count} → {count + 1}")
    if count > 1:
        yield Slip((*pointer, "count"), "threshold", count - 1, f"{count} → {count - 1}")


def _together(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    """Whether one person may stand for several entries, where there are several."""
    if len(value["approvers"]) > 1:
        yield from turned("role", "distinct", default=True)(pointer, value, of)


_ROLES: Table = (
    ("approvers/*", gone("role")),
    ("approvers/*/role", roles),
    ("approvers/*/of", both(gone("role"), item_gone("role"))),
)
_APPROVERS: Table = (
    ("", _together),
    ("approvers/*", _approver_count),
    *_ROLES,
)

APPROVAL: Table = (
    ("rules/*", both(gone("condition"), turned("value", "exactBase", default=False))),
    *((f"rules/*/change/{key}", both(gone("value"), item_gone("value"))) for key in ("fields", "paths")),
    ("rules/*/change/kinds", _kinds),
    ("rules/*/change/paths/*", _narrower),
    ("rules/*/change/atLeast", _at_least),
    ("rules/*/change/when", both(gone("condition"), conditions)),
    *under("rules/*", _APPROVERS),
    ("default", gone("condition")),
    *under("default", _APPROVERS),
    *under("emergency", _ROLES),
)
