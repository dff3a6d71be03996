"""Who refers to a record: every written reference in records, policies, case files and remit.yaml.

Renaming and removing need the same answer as "used by", so it is given once, here. A reference counts as one to a
record when following it today ends there; a bare name that another kind would catch first does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from remit.assignments import field_text
from remit.places import Place, Pointer
from remit.records import CONFIG_PATH, Asked, Record, Snapshot
from remit.references import Entity, Use, World, uses, world_of_records
from remit.schemas import KindSchema, Schemas
from remit.yamltext import Document


@dataclass(frozen=True)
class Link:
    """One written reference to a record: in which file and where in it, by whom, as which text."""

    path: str
    place: Place
    user: str
    pointer: Pointer
    old: str
    new: str = ""


def links_to(snapshot: Snapshot, schemas: Schemas, record: Record) -> list[Link]:
    """Every place in records, policies, case files and remit.yaml that refers to ``record``, by place."""
    found = [one.link for one in _leading_to(snapshot, schemas, record)]
    return sorted([*found, *_config_links(snapshot, record)], key=lambda link: (link.place, link.pointer))


def users_of(snapshot: Snapshot, schemas: Schemas, record: Record) -> set[str]:
    """Whoever refers to ``record``: ids of records and policies, and the paths of case files and of remit.yaml."""
    links = _config_links(snapshot, record)
    return {*(one.user for one in _leading_to(snapshot, schemas, record)), *(link.user for link in links)}


def _leading_to(snapshot: Snapshot, schemas: Schemas, record: Record) -> Iterator[Written]:
    snapshot = snapshot.knowing(Asked(names=[record.name], users=[record.name]))
    world = world_of(snapshot, schemas)
    for one in references(snapshot, schemas):
        target = world.find(one.use.kinds, one.use.name)
        if target is not None and target.record is record:
            yield one


def moved_links(snapshot: Snapshot, schemas: Schemas, record: Record, new_name: str) -> list[Link]:
    """Every reference that must be written anew once ``record`` is called ``new_name``, with its new text."""
    both = (record.name, new_name)
    snapshot = snapshot.knowing(Asked(names=both, users=both))
    before = world_of(snapshot, schemas)
    renamed = [replace(r, name=new_name) if r is record else r for r in snapshot.records]
    after = World(schemas, world_of_records(schemas, renamed), snapshot.config)
    moved = [replace(link, new=new_name) for link in _config_links(snapshot, record)]
    for one in references(snapshot, schemas):
        use = one.use
        target = before.find(use.kinds, use.name)
        if target is None:
            continue
        is_moved = target.record is record
        wanted = f"{record.kind}/{new_name}" if is_moved else target.ref
        text = use.name if not is_moved else wanted if "/" in use.name else new_name
        reached = after.find(use.kinds, text)
        if reached is None or reached.ref != wanted:
            text = wanted
        if text != use.name:
            moved.append(replace(one.link, new=text))
    return moved


class Written(NamedTuple):
    """A reference as it is written; where it stands in its file is looked up for those few that somebody wants."""

    document: Document
    user: str
    pointer: Pointer
    use: Use

    @property
    def link(self) -> Link:
        """The reference with its place."""
        document = self.document
        return Link(document.path, document.place(self.pointer), self.user, self.pointer, self.use.name)


def references(snapshot: Snapshot, schemas: Schemas) -> Iterator[Written]:
    """Every reference in records, policies and case files, by file; each file's are told by the file alone."""
    for record in (*snapshot.records, *snapshot.policies):
        for use in uses_of(schemas, record):
            yield Written(record.document, record.id, ("spec", *use.pointer), use)
    for path, document in sorted(snapshot.cases.items()):
        rows = list(_rows(document.value, (), schemas))
        # What a case file brings along itself is not the store's, even where it has the same name.
        own = {(row.kind, row.name) for row in rows}
        for row in rows:
            entity = Entity(row.kind, row.name, row.fields, Place(path))
            for use in uses(entity, schemas.kinds[row.kind].shape):
                if not any((kind, use.name) in own for kind in use.kinds):
                    yield Written(document, path, (*row.pointer, *use.pointer), use)


def uses_of(schemas: Schemas, record: Record) -> list[Use]:
    """Every reference that a record or policy makes, in the order of its schema; none where there is no schema."""
    schema = table_of(schemas, record.path).get(record.kind)
    entity = Entity(record.kind, record.name, record.spec, Place(record.path), record)
    return uses(entity, schema.shape) if schema is not None else []


def names_used(schemas: Schemas, records: Iterable[Record]) -> set[str]:
    """What records and policies refer to: each name as it is written, and without a kind."""
    written = {use.name for record in records for use in uses_of(schemas, record)}
    return written | {bare(name) for name in written}


def bare(name: str) -> str:
    """The name in a reference, which may say the kind before it."""
    return name.partition("/")[2] if "/" in name else name


class _Row(NamedTuple):
    """A fact or record inside a case file: where its fields stand, of which kind, its name, the fields themselves."""

    pointer: Pointer
    kind: str
    name: str
    fields: Mapping[str, Any]


def _rows(value: Any, pointer: Pointer, schemas: Schemas) -> Iterator[_Row]:
    """Every row of a case file. A row says its kind itself, or stands in a mapping or list under the kind's name."""
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _rows(one, (*pointer, index), schemas)
    elif isinstance(value, dict) and _kind_of(value) in schemas.kinds:
        yield _row(value, pointer, value["kind"])
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in schemas.kinds:
                yield from _rows(one, (*pointer, key), schemas)
            elif isinstance(one, dict):
                yield _row(one, (*pointer, key), key)
            elif isinstance(one, list):
                places = ((*pointer, key, index) for index in range(len(one)))
                yield from (_row(r, p, key) for r, p in zip(one, places, strict=True) if isinstance(r, dict))


def _kind_of(value: Mapping[str, Any]) -> str:
    kind = value.get("kind")
    return kind if isinstance(kind, str) else ""


def _row(value: Mapping[str, Any], pointer: Pointer, kind: str) -> _Row:
    spec, metadata = value.get("spec"), value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else value.get("id")
    if isinstance(spec, dict):
        return _Row((*pointer, "spec"), kind, str(name), spec)
    return _Row(pointer, kind, str(name), value)


def _config_links(snapshot: Snapshot, record: Record) -> list[Link]:
    """remit.yaml names the parameter set that holds."""
    if record.kind != "ParameterSet" or snapshot.config.parameters != record.name:
        return []
    return [Link(CONFIG_PATH, Place(CONFIG_PATH), CONFIG_PATH, ("parameters",), record.name)]


def mentions(snapshot: Snapshot, record: Record, handled: Collection[tuple[str, Pointer]]) -> Iterator[str]:
    """Texts in policies and cases that hold the name in quotes or alone, but for those ``handled`` (path, pointer)."""
    exact = {record.name, record.id}
    snapshot = snapshot.knowing(Asked(quoting=[record.name]))
    quoted = tuple(f"{mark}{name}{mark}" for name in exact for mark in "\"'")
    documents = [*(p.document for p in snapshot.policies), *snapshot.cases.values()]
    for document in sorted(documents, key=lambda d: d.path):
        for pointer, text in texts(document.value, ()):
            named = text in exact or any(mark in text for mark in quoted)
            if named and (document.path, pointer) not in handled and document.path != record.path:
                yield f"{document.place(pointer)}: {field_text(pointer)} holds {record.name!r} and was left as it is"


def texts(value: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, str]]:
    """Every text in a value, keys aside, with where it stands."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from texts(one, (*pointer, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from texts(one, (*pointer, index))


def world_of(snapshot: Snapshot, schemas: Schemas) -> World:
    """The records of a snapshot, without any feed."""
    return World(schemas, world_of_records(schemas, snapshot.records), snapshot.config)


def table_of(schemas: Schemas, path: str) -> Mapping[str, KindSchema]:
    """The kinds that a file at ``path`` may be of: those of policies under ``rules/``, those of records elsewhere."""
    return schemas.policies if path.startswith("rules/") else schemas.kinds
