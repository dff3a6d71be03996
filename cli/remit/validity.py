"""When records hold: periods that end before they begin, and records that must not hold at the same time.

A kind says in ``x-remit-no-overlap`` which fields make two of its records rivals: ``{"of": [...], "if": [...]}`` means
that records with equal ``of`` fields must not hold at once, among those that have every ``if`` field.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from remit.findings import Finding, finding
from remit.places import Pointer, pointer_text
from remit.references import ENDED, Entity, World, instant, last_instant
from remit.schemas import Schemas
from remit.sentences import say
from remit.times import format_instant

PAIRS = (("validFrom", "validTo"), ("from", "to"), ("startedAt", "resumedAt"))
"""Fields that are the beginning and the end of one period, wherever they stand together."""

_ENDS = frozenset(end for _, end in PAIRS)
_ENDS_WRITTEN = (*(end.encode() for end in sorted(_ENDS)), b"\\")
"""What is written with escapes may hold any word."""


def check_periods(world: World, entities: Iterable[Entity]) -> Iterator[Finding]:
    """A finding for every period that ends before it begins."""
    for entity in entities:
        gist = entity.record.gist if entity.record else None
        if not (has_periods(entity.spec) if gist is None else gist.has_periods):
            continue
        for pointer, begin, end in _periods(entity.spec, ()):
            starts, ends = instant(begin, world.zone), last_instant(end, world.zone)
            if starts is not None and ends is not None and ends <= starts:
                yield finding(
                    "invalid-period",
                    say("finding.ends-first", end=end, begin=begin),
                    entity.place_of(pointer),
                    hint=say("finding.swap"),
                    pointer="/spec" + pointer_text(pointer),
                    record=entity.ref,
                )


def has_periods(value: Any) -> bool:
    """Whether anything in a value could be the end of a period; asked of every record there is."""
    if type(value) is dict:
        if not _ENDS.isdisjoint(value):
            return True
        value = value.values()
    for one in value:  # noqa: SIM110 - a generator for each value costs more than all the rest
        if (type(one) is dict or type(one) is list) and has_periods(one):
            return True
    return False


def may_have_periods(data: bytes) -> bool:
    """False when nothing in a YAML file could be the end of a period, told without reading it."""
    return any(word in data for word in _ENDS_WRITTEN)


def _periods(value: Mapping[str, Any] | list[Any], pointer: Pointer) -> Iterator[tuple[Pointer, str, str]]:
    if isinstance(value, Mapping):
        for begin, end in PAIRS:
            if end in value and isinstance(value.get(begin), str) and isinstance(value[end], str):
                yield (*pointer, end), value[begin], value[end]
    for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
        if isinstance(inner, Mapping | list):
            yield from _periods(inner, (*pointer, key))


def check_unique(world: World, schemas: Schemas) -> Iterator[Finding]:
    """A finding for every record that has a value of another one which must be one record's own."""
    for kind, schema in sorted(schemas.kinds.items()):
        for name, part in schema.shape.fields.items():
            if not part.schema.get("x-remit-unique"):
                continue
            seen: dict[Any, Entity] = {}
            for entity in world.all(kind):
                value = entity.spec.get(name)
                other = seen.setdefault(str(value), entity) if value is not None else entity
                if other is not entity:
                    message = f"{name} is {value!r}, as in {other.ref}; it must be unique."
                    yield finding(
                        "not-unique", message, entity.place_of((name,)), pointer=f"/spec/{name}", record=entity.ref
                    )


def check_overlaps(world: World, schemas: Schemas) -> Iterator[Finding]:
    """A finding for every record that holds while a rival of it does, at the later of the two."""
    for kind, schema in sorted(schemas.kinds.items()):
        rule = schema.schema.get("x-remit-no-overlap")
        if not isinstance(rule, Mapping):
            continue
        rivals: dict[str, list[Entity]] = {}
        for entity in world.all(kind):
            spec = entity.spec
            if spec.get("status") not in ENDED and all(field in spec for field in rule.get("if", ())):
                key = json.dumps([spec.get(field) for field in rule["of"]], sort_keys=True, ensure_ascii=False)
                rivals.setdefault(key, []).append(entity)
        for group in rivals.values():
            yield from _overlapping(world, group, list(rule["of"]))


def _overlapping(world: World, group: list[Entity], fields: list[str]) -> Iterator[Finding]:
    ordered = sorted(group, key=lambda entity: (_start(entity, world), entity.name))
    for first, second in pairwise(ordered):
        end = last_instant(first.spec.get("validTo"), world.zone)
        if end is None or end > _start(second, world):
            until = say("finding.until", at=format_instant(end)) if end else say("finding.without-end")
            same = [field for field in fields if field in second.spec]
            yield finding(
                "validity-overlap",
                say("finding.overlaps", record=first.ref, fields=same, until=until),
                second.place_of(("validFrom",)),
                hint=say("finding.end-older"),
                pointer="/spec",
                record=second.ref,
            )


def _start(entity: Entity, world: World) -> datetime:
    return instant(entity.spec.get("validFrom"), world.zone) or datetime.min.replace(tzinfo=world.zone)
