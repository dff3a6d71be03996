"""Slips of lifecycle policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remit.places import Pointer
from remit.slips.anything import (
    another,
    both,
    conditions,
    gone,
    item_gone,
    relations,
)
from remit.slips.written import REMOVED, Slip, Table, Written


def _states(of: Written) -> tuple[str, ...]:
    field = of.types.schemas.kinds[of.spec["subject"]].shape.fields[of.spec.get("field", "status")]
    return tuple(field.shape.enum)


def _begun(pointer: Pointer, value: list[str], of: Written) -> Iterator[Slip]:
    """A beginning that is not one."""
    for state in _states(of):
        if state not in value:
            yield Slip(pointer, "value", [*value, state], f"and {state}")


def _listed(spec: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (source, target)
        for one in spec.get("transitions", ())
        for source in _several(one["from"])
        for target in _several(one["to"])
    }


def _several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _moved(pointer: Pointer, value: list[Any], of: Written) -> Iterator[Slip]:
    """A transition too many: it says something only where others are forbidden."""
    known, states = _listed(of.spec), _states(of)
    for source in states if of.spec.get("others") == "forbidden" else ():
        for target in states:
            if source != target and (source, target) not in known:
                yield Slip(pointer, "value", [*value, {"from": source, "to": target}], f"and {source} → {target}")


def _unmoved(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    """A transition left out, or one of its ends: where others are free, it says something only with a requirement."""
    if of.spec.get("others") != "forbidden" and "requires" not in value:
        return
    yield Slip(pointer, "value", REMOVED)
    for end in ("from", "to"):
        yield from item_gone("value")((*pointer, end), value[end], of)


LIFECYCLE: Table = (
    ("initial", both(gone("value"), item_gone("value"), _begun)),
    ("others", another("value", {"forbidden": "free"})),
    ("with/*", relations),
    ("states/*", gone("condition")),
    ("states/*/requires", conditions),
    ("transitions", _moved),
    ("transitions/*", _unmoved),
    ("transitions/*/requires", both(gone("condition"), conditions)),
    ("changes/*", gone("condition")),
    ("changes/*/requires", conditions),
)
