"""Rows of case files as records: what a case brings along, and the world that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from remit.places import Place, pointer_text
from remit.records import Record
from remit.references import Entity, World, check_references
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
    return _in_their_stead(world, [Entity(r.kind, r.name, r.spec, place, r) for r in own])


def _in_their_stead(world: World, own: Iterable[Entity]) -> World:
    """The world's records of fixed home, where ``own`` does not stand in for them; what may come from feeds is left."""
    kept = [e for kind, schema in world.schemas.kinds.items() if schema.home == "record" for e in world.all(kind)]
    return World(world.schemas, [*own, *kept], world.config)  # of two with one name the first counts


def case_world_of(book: Book, case: Mapping[str, Any], world: World) -> tuple[World, list[str], list[str]]:
    """The world of a case, the ids of what the case itself brings, and what is wrong with its rows."""
    own: dict[str, Entity] = {}
    failures: list[str] = []
    for part in (book.record.spec, case):
        for key, name_key in (("records", "name"), ("facts", "id")):
            for number, row in enumerate(part.get(key, ())):
                entity = _entity(row, name_key, number, book.record.place())
                own[entity.ref] = entity
                failures += _row_failures(entity, world.schemas)
    if failures:
        return world, [], failures
    case_world = _in_their_stead(world, own.values())
    failures = [f"{f.record}: {f.message}" for f in check_references(case_world, own.values(), "row-reference")]
    return case_world, sorted(own), failures


def _entity(row: Mapping[str, Any], name_key: str, number: int, place: Place) -> Entity:
    name = row.get(name_key) or row.get("name") or row.get("id") or f"{row['kind'].lower()}-{number + 1}"
    spec = {key: value for key, value in row.items() if key not in ("kind", name_key)}
    if name_key == "name" or "name" not in spec:
        spec.pop("id", None)
    return Entity(row["kind"], str(name), spec, place)


def _row_failures(entity: Entity, schemas: Schemas) -> list[str]:
    if entity.kind not in schemas.kinds:
        return [f"{entity.ref}: there is no kind {entity.kind}."]
    problems = schemas.kinds[entity.kind].problems(entity.spec, of="spec")
    return [f"{entity.ref} {pointer_text(p.pointer)}: {p.message} {p.hint}".strip() for p in problems]


def record_of(kind: str, name: str, spec: Mapping[str, Any], place: Place, path: str = "") -> Record:
    """A record that stands in a case file; every value of it is placed where the case is."""
    body = {"apiVersion": "remit/v1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}
    where = path or place.path
    return Record(kind, name, where, body, Document(where, body, (place.line, place.column)))


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
