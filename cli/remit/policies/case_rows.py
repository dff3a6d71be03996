"""Rows of case files as records: what a case of an approval or lifecycle policy brings along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from remit.places import Place, pointer_text
from remit.records import Record
from remit.references import Entity, World
from remit.schemas import Schemas
from remit.yamltext import Document


class Book(Protocol):
    """A case file beside its policy."""

    @property
    def record(self) -> Record:
        """The case file itself."""

    @property
    def cases(self) -> Sequence[Mapping[str, Any]]:
        """Its cases, in the order written."""

    def place(self, index: int) -> Place:
        """Where a case was written."""


def world_with(world: World, rows: Iterable[Mapping[str, Any]], place: Place) -> World:
    """The store's own records of fixed home with ``rows``, each ``{kind, name, …fields of spec}``, in their stead."""
    own = [record_of(row["kind"], _name(row), _fields(row), place) for row in rows]
    entities = [Entity(r.kind, r.name, r.spec, place, r) for r in own]
    kept = [e for kind, schema in world.schemas.kinds.items() if schema.home == "record" for e in world.all(kind)]
    return World(world.schemas, [*entities, *kept], world.config)


def record_of(kind: str, name: str, spec: Mapping[str, Any], place: Place, path: str = "") -> Record:
    """A record that stands in a case file; every value of it is placed where the case is."""
    body = {"apiVersion": "remit/v1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}
    where = path or place.path
    return Record(kind, name, where, body, Document(where, body, {(): (place.line, place.column)}, {}))


def misfits(kind: str, spec: Mapping[str, Any], schemas: Schemas) -> list[str]:
    """Why the fields do not fit the schema of ``kind``; a policy kind is taken as it is."""
    if kind in schemas.policies:
        return []
    if kind not in schemas.kinds:
        return [f"There is no kind {kind}."]
    return [f"{kind}{pointer_text(p.pointer)}: {p.message}" for p in schemas.kinds[kind].problems(spec, of="spec")]


def row_misfits(rows: Iterable[Mapping[str, Any]], schemas: Schemas) -> list[str]:
    """Why rows do not fit their schemas."""
    return [text for row in rows for text in misfits(row["kind"], _fields(row), schemas)]


def _name(row: Mapping[str, Any]) -> str:
    return str(row.get("name") or row.get("id") or row["kind"].lower())


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in ("kind", "name", "id")}
