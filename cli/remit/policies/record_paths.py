"""Paths from a record to other records, through references and lists, such as ``record.affectedServices.customer``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remit.references import Entity, World
from remit.schemas import Schemas, Shape

Names = tuple[str, ...]
"""A path in its parts; the first stands for the record itself."""


def reached_kinds(path: Names, kind: str, schemas: Schemas) -> tuple[str, ...]:
    """The kinds of record that a path from a record of ``kind`` may lead to, through lists; empty when to none."""
    if len(path) == 1:
        return (kind,)
    shapes = [schemas.kinds[kind].shape]
    for name in path[1:]:
        inner = [part for shape in shapes for part in _opened(shape, schemas)]
        shapes = [item_of(shape.fields[name].shape) for shape in inner if name in shape.fields]
    return tuple(sorted({k for shape in shapes if shape.type == "reference" for k in shape.kinds}))


def item_of(shape: Shape) -> Shape:
    """The shape of a list's items; any other shape as it is."""
    return shape.item if shape.type == "list" and shape.item else shape


def _opened(shape: Shape, schemas: Schemas) -> list[Shape]:
    if shape.type == "reference":
        return [schemas.kinds[kind].shape for kind in shape.kinds if kind in schemas.kinds]
    return [shape]


def reached(path: Names, start: Entity, world: World) -> list[Entity]:
    """The records that a path leads to, through lists; one that does not exist is left out."""
    values: list[tuple[Any, Shape]] = [(start.spec, world.schemas.kinds[start.kind].shape)]
    if len(path) == 1:
        return [start]
    for name in path[1:]:
        inner = [one for value, shape in values for one in _followed(value, shape, world)]
        steps = [
            (v[name], s.fields[name].shape)
            for v, s in inner
            if isinstance(v, Mapping) and name in v and name in s.fields
        ]
        values = [one for value, shape in steps for one in _items(value, shape)]
    found = [world.find(shape.kinds, value) for value, shape in values if shape.type == "reference"]
    return [entity for entity in found if entity is not None]


def _items(value: Any, shape: Shape) -> list[tuple[Any, Shape]]:
    if shape.type == "list" and shape.item and isinstance(value, list):
        return [(one, shape.item) for one in value]
    return [(value, shape)]


def _followed(value: Any, shape: Shape, world: World) -> list[tuple[Any, Shape]]:
    if shape.type != "reference":
        return [(value, shape)]
    target = world.find(shape.kinds, value)
    return [(target.spec, world.schemas.kinds[target.kind].shape)] if target else []


def goes_through_list(path: Names, shape: Shape | None) -> bool:
    """True when a list stands on the way or at its end."""
    for name in path[1:]:
        part = shape.fields.get(name) if shape else None
        shape = part.shape if part else None
        if shape and shape.type == "list":
            return True
    return False
