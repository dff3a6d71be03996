"""Follow-up records that a level asks for: a second check, a support request, an intervention.

A policy never writes. It says which record is wanted; ``evaluate --propose`` puts it into a change that people review.
The record's name follows from the decision's id, so asking twice wants the same record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from remit.conditions.checks import shape_at
from remit.conditions.condition import Bindings
from remit.conditions.lowering import follow
from remit.conditions.messages import MADE_DECISION
from remit.conditions.tree import Path
from remit.decisions import Wanted
from remit.findings import did_you_mean
from remit.places import Pointer
from remit.policies.reading import PolicyReader, Target

DECISION = "decision"
"""The variable that stands for the decision itself: ``decision.at``, ``decision.id``."""


@dataclass(frozen=True)
class FieldSource:
    """Where a field of the new record comes from: a value, a path, or whoever holds a role.

    Of a list of objects at ``path``, only the fields in ``keep`` are taken, where it is not empty.
    """

    field: str
    value: Any = None
    path: Path | None = None
    target: Target | None = None
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class FollowUp:
    """The record that a level asks for."""

    kind: str
    title: Mapping[str, str]
    fields: tuple[FieldSource, ...]


def read_follow_up(
    reader: PolicyReader, written: Mapping[str, Any], base: Pointer, target: Callable[[Any, Pointer], Target]
) -> FollowUp | None:
    """The follow-up of a level as written; what cannot be is complained of."""
    kinds = reader.compiler.types.schemas.kinds
    kind = written["kind"]
    if kind not in kinds:
        reader.complain("unknown-kind", f"There is no kind {kind!r}.", (*base, "kind"), did_you_mean(kind, kinds))
        return None
    shape = kinds[kind].shape
    missing = [name for name, part in shape.fields.items() if part.required and name not in written["set"]]
    for name in missing:
        reader.complain("missing-field", f"A {kind} needs the field {name!r}.", (*base, "set"), f"Add: {name}: …")
    sources = []
    for name, source in written["set"].items():
        pointer: Pointer = (*base, "set", name)
        if name not in shape.fields:
            hint = did_you_mean(name, shape.fields)
            reader.complain("condition-unknown-field", f"{kind} has no field {name!r}.", pointer, hint)
            continue
        sources.append(_source(reader, name, source, pointer, target))
    return FollowUp(kind, written.get("title", {}), tuple(sources))


def _source(
    reader: PolicyReader,
    name: str,
    written: Mapping[str, Any],
    pointer: Pointer,
    target: Callable[[Any, Pointer], Target],
) -> FieldSource:
    if "value" in written:
        return FieldSource(name, value=written["value"])
    if "role" in written:
        return FieldSource(name, target=target(written, pointer))
    outer = reader.scope
    reader.scope = {**outer, DECISION: MADE_DECISION}
    path = reader.path(written["from"], (*pointer, "from"))
    reader.scope = outer
    if path is not None and shape_at(path, {**outer, DECISION: MADE_DECISION}, reader.compiler.types) is None:
        reader.complain("condition-unknown-field", f"There is no {path}.", (*pointer, "from"))
    return FieldSource(name, path=path, keep=tuple(written.get("keep", ())))


def wanted(follow_up: FollowUp, decision_id: str, bindings: Bindings, person: Callable[[Target], str | None]) -> Wanted:
    """The record for one decision; a field whose source is not there is left out."""
    spec: dict[str, Any] = {}
    for source in follow_up.fields:
        if source.path is not None:
            value = _kept(follow(source.path.names, bindings), source.keep)
        elif source.target is not None:
            value = person(source.target)
        else:
            value = source.value
        if value is not None:
            spec[source.field] = value
    words = re.findall("[A-Z][a-z0-9]*", follow_up.kind)
    name = "-".join([*(word.lower() for word in words), decision_id.removeprefix("d-")])
    return Wanted(follow_up.kind, name, follow_up.title, spec)


def _kept(value: Any, keep: tuple[str, ...]) -> Any:
    if not keep or not isinstance(value, list):
        return value
    return [{name: item[name] for name in keep if name in item} for item in value]
