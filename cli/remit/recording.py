"""Edits of records: planned on a snapshot, checked as they would be, and only then written.

Planning reads and decides; it returns a ``Draft`` and touches nothing. A draft that would make a record worse than it
was is refused with everything that is wrong with it, so that what is written is always at least as right as before;
what was wrong already, here or elsewhere, does not stand in the way. References in feeds are not seen here: only
``check`` with its facts can tell of those.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol

from remit.assignments import field_text, locate, parse_value, split_assignment, value_at, value_text
from remit.comparing import compare
from remit.errors import NotFound, Refused, UserError
from remit.findings import Finding, did_you_mean, finding
from remit.links import links_to, mentions, moved_links, names_used, table_of, uses_of, world_of
from remit.lookup import find_kind, find_record
from remit.places import Pointer, parse_pointer, pointer_text
from remit.records import CASES_SUFFIX, CONFIG_PATH, Asked, Record, Snapshot, build_snapshot
from remit.references import Entity, World, check_references
from remit.schemas import KindSchema, Schemas
from remit.sentences import Text, say
from remit.yamltext import DELETE, Edit, dump, edit

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
MOST_USERS = 10
"""So many users of a record that stays are named."""


class Writer(Protocol):
    """What a draft is written through."""

    def write(self, path: str, data: bytes) -> None:
        """Put ``data`` at ``path``, whole or not at all."""

    def remove(self, path: str) -> None:
        """Take the file away."""


@dataclass(frozen=True)
class FieldChange:
    """One value that a draft changes; ``old`` or ``new`` is None where there is no value. ``field`` empty: the file."""

    path: str
    field: str
    old: Any = None
    new: Any = None

    def __str__(self) -> str:
        if not self.field:
            what = "removed" if self.new is None else "new file" if self.old is None else f"was {self.old}"
            return f"{self.path}: {what}"
        old = "(none)" if self.old is None else value_text(self.old)
        new = "(none)" if self.new is None else value_text(self.new)
        return f"{self.path}: {self.field}: {old} -> {new}"

    def to_json(self) -> dict[str, Any]:
        """Path, field, old and new; null where there is no value."""
        return {"path": self.path, "field": self.field, "old": self.old, "new": self.new}


@dataclass(frozen=True)
class Draft:
    """What an edit would write. ``files`` by path, None for a file that goes; ``record`` is the id afterwards.

    Empty ``files`` mean that nothing would be different. ``notes`` tell of places that a person should look at.
    """

    record: str
    files: Mapping[str, bytes | None]
    changes: tuple[FieldChange, ...]
    notes: tuple[str, ...] = ()


def write_draft(draft: Draft, store: Writer) -> None:
    """Write every file of the draft, new and changed ones before any goes, so that a kill between two loses nothing."""
    for path, data in sorted(draft.files.items()):
        if data is not None:
            store.write(path, data)
    for path, data in sorted(draft.files.items()):
        if data is None:
            store.remove(path)


def set_fields(snapshot: Snapshot, schemas: Schemas, record_id: str, assignments: Sequence[str]) -> Draft:
    """Set fields of one record; ``assignments`` are ``path=value`` and take effect one after the other.

    Raises:
        NotFound: no such record.
        UserError: an assignment names no field of the kind, or a value of the wrong type.
        Refused: the record would be invalid, or refer to something that does not exist.
    """
    record = find_record(snapshot, schemas, record_id)
    snapshot = snapshot.knowing(Asked(paths=[record.path]))
    body = copy.deepcopy(dict(record.body))
    edits, changes = _assign(body, assignments, _schema_of(schemas, record), record.path)
    return _edited(snapshot, schemas, record, edits, changes)


def unset_fields(snapshot: Snapshot, schemas: Schemas, record_id: str, paths: Sequence[str]) -> Draft:
    """Take fields or list items out of one record. All ``paths`` count in the record as it is now.

    A mapping that would be left empty goes too: absent means missing. Raises as ``set_fields`` does, and ``NotFound``
    for a field that the record does not have.
    """
    record = find_record(snapshot, schemas, record_id)
    snapshot = snapshot.knowing(Asked(paths=[record.path]))
    schema = _schema_of(schemas, record)
    pointers = {_present(path, schema, record) for path in paths}
    body = copy.deepcopy(dict(record.body))
    edits, changes = [], []
    # From the back, so that the position of one item does not move when another goes.
    for pointer in sorted(pointers, reverse=True):
        changes.append(FieldChange(record.path, field_text(pointer), value_at(body, pointer), None))
        gone = _remove(body, pointer)
        edits.append(Edit(gone, DELETE))
    return _edited(snapshot, schemas, record, edits, list(reversed(changes)))


def text_of(snapshot: Snapshot, schemas: Schemas, record_id: str) -> tuple[Record, bytes]:
    """A record and its file; raises ``NotFound`` when there is no such record."""
    record = find_record(snapshot, schemas, record_id)
    return record, snapshot.knowing(Asked(paths=[record.path])).files[record.path]


def rewrite_record(snapshot: Snapshot, schemas: Schemas, record_id: str, data: bytes) -> Draft:
    """One record as somebody has written its file anew; kind and name have to stay.

    Raises:
        NotFound: no such record.
        Refused: it does not read, is another record, or has an error that it did not have.
    """
    record = find_record(snapshot, schemas, record_id)
    snapshot = snapshot.knowing(Asked(paths=[record.path]))
    if data == snapshot.files[record.path]:
        return Draft(record.id, {}, ())
    draft = Draft(record.id, {record.path: data}, ())
    _refuse_worse(snapshot, schemas, draft)
    after = _after(snapshot, draft.files)
    if record.id not in after.by_id:
        raise Refused(say("record.no-other", path=record.path, record=record.id), f"remit rename {record.id} NEW")
    fields = [field for one in compare(snapshot, after, schemas) for field in one.fields]
    changes = (FieldChange(record.path, field_text(parse_pointer(f.pointer)), f.before, f.after) for f in fields)
    return replace(draft, changes=tuple(changes))


def new_record(
    snapshot: Snapshot,
    schemas: Schemas,
    kind: str,
    name: str,
    *,
    assignments: Sequence[str] = (),
    title: str | Mapping[str, str] = "",
) -> Draft:
    """A new record or policy of ``kind``, with its fields in the order of the schema.

    A required field that is not given takes its default where the schema has one. Raises as ``set_fields`` does, and
    ``Refused`` when the name is taken or cannot be the name of a file.
    """
    schema = find_kind(schemas, kind)
    path = _path_for(schemas, schema, name)
    snapshot = snapshot.knowing(Asked(names=[name], paths=[path]))
    _refuse_taken(snapshot, schema.kind, name, path)
    if schema.home == "feed":
        raise Refused(say("record.feeds-only", kind=schema.kind), say("record.give-facts"))
    metadata: dict[str, Any] = {"name": name}
    if title:
        metadata["title"] = title if isinstance(title, str) else dict(title)
    body: dict[str, Any] = {"apiVersion": "remit/v1", "kind": schema.kind, "metadata": metadata, "spec": {}}
    _assign(body, assignments, schema, path)
    body["spec"] = _in_schema_order(body["spec"], schema)
    data = dump(body)
    fields = [FieldChange(path, field_text(("spec", key)), None, value) for key, value in body["spec"].items()]
    draft = Draft(f"{schema.kind}/{name}", {path: data}, (FieldChange(path, "", None, path), *fields))
    _refuse_worse(snapshot, schemas, draft)
    return draft


def add_records(snapshot: Snapshot, schemas: Schemas, bodies: Sequence[Mapping[str, Any]]) -> Draft:
    """Several new records at once, each a whole body with kind and metadata; the draft is named after the first.

    Raises as ``new_record`` does.
    """
    files: dict[str, bytes | None] = {}
    for body in bodies:
        name = body["metadata"]["name"]
        schema = find_kind(schemas, body["kind"])
        path = _path_for(schemas, schema, name)
        snapshot = snapshot.knowing(Asked(names=[name], paths=[path]))
        _refuse_taken(snapshot, schema.kind, name, path)
        files[path] = dump(body)
    first = f"{bodies[0]['kind']}/{bodies[0]['metadata']['name']}" if bodies else ""
    draft = Draft(first, files, tuple(FieldChange(path, "", None, path) for path in files))
    _refuse_worse(snapshot, schemas, draft)
    return draft


def rename_record(snapshot: Snapshot, schemas: Schemas, record_id: str, new_name: str) -> Draft:
    """Give a record another name, and rewrite every reference to it in records, policies, cases and remit.yaml.

    A reference that the new name would make mean something else is written out as ``Kind/name``. Places that only look
    like the name, such as a text inside a condition, are left alone and told in ``notes``. A rename of which only some
    files were written goes on: what stands under the new name already is what would be written there.

    Raises:
        NotFound: no such record.
        Refused: the name is taken, reserved or cannot be the name of a file.
    """
    record = find_record(snapshot, schemas, record_id)
    snapshot = snapshot.knowing(Asked(paths=[record.path]))
    schema = _schema_of(schemas, record)
    path = _path_for(schemas, schema, new_name)
    if new_name == record.name and path == record.path:
        return Draft(record.id, {}, ())
    names = (record.name, new_name)
    snapshot = snapshot.knowing(Asked(names=names, users=names, paths=[path, _cases_of(record.path)]))
    own = [Edit(("metadata", "name"), new_name)]
    edits: dict[str, list[Edit]] = {record.path: own}
    changes = [FieldChange(path, "", record.path, path), FieldChange(path, "metadata.name", record.name, new_name)]
    moves = {record.path: path, **_cases_move(snapshot, record, path)}
    for link in moved_links(snapshot, schemas, record, new_name):
        edits.setdefault(link.path, []).append(Edit(link.pointer, link.new))
        at = moves.get(link.path, link.path)
        changes.append(FieldChange(at, field_text(link.pointer), link.old, link.new))
    files: dict[str, bytes | None] = {old: None for old, new in moves.items() if old != new}
    for old in sorted({*edits, *moves}):
        data = snapshot.files[old]
        files[moves.get(old, old)] = edit(data, edits[old]) if old in edits else data
    if new_name != record.name and snapshot.files.get(path) != files[path]:
        _refuse_taken(snapshot, record.kind, new_name, path)
    handled = {(old, one.pointer) for old, some in edits.items() for one in some}
    draft = Draft(f"{record.kind}/{new_name}", files, tuple(changes), tuple(mentions(snapshot, record, handled)))
    _refuse_worse(snapshot, schemas, draft)
    return draft


def remove_record(snapshot: Snapshot, schemas: Schemas, record_id: str) -> Draft:
    """Take a record away, a policy with its case file; refused with the list of users while any refers to it."""
    record = find_record(snapshot, schemas, record_id)
    snapshot = snapshot.knowing(Asked(paths=[record.path]))
    links = [link for link in links_to(snapshot, schemas, record) if link.user != record.id]
    if links:
        lines = [f"  {link.place}  {link.user}  {field_text(link.pointer)}" for link in links[:MOST_USERS]]
        if more := links[MOST_USERS:]:
            lines.append(say("record.more-users", count=len(more), record=record.id))
        message = say("record.in-use", record=record.id, count=len({link.path for link in links}), lines=lines)
        raise Refused(message, say("record.let-go-first", record=record.id))
    snapshot = snapshot.knowing(Asked(paths=[_cases_of(record.path)]))
    gone = [record.path, *_cases_move(snapshot, record, "rules/-.yaml")]
    files: dict[str, bytes | None] = dict.fromkeys(gone)
    changes = tuple(FieldChange(path, "", path, None) for path in gone)
    return Draft(record.id, files, changes, tuple(mentions(snapshot, record, ())))


# --- names and schemas -----------------------------------------------------------------------------------------------


def _schema_of(schemas: Schemas, record: Record) -> KindSchema:
    schema = table_of(schemas, record.path).get(record.kind)
    if schema is None:
        message = say("record.no-schema", kind=repr(record.kind), path=record.path)
        raise NotFound(message, did_you_mean(record.kind, table_of(schemas, record.path)))
    return schema


def _path_for(schemas: Schemas, schema: KindSchema, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Refused(say("record.no-name", name=repr(name)), say("record.what-names-are"))
    if name in _DEVICES:
        raise Refused(say("record.reserved-name", name=repr(name)), say("record.longer-name"))
    top = "rules" if schemas.policies.get(schema.kind) is schema else "records"
    return f"{top}/{schema.folder}/{name}.yaml"


def _refuse_taken(snapshot: Snapshot, kind: str, name: str, path: str) -> None:
    taken = snapshot.by_id.get(f"{kind}/{name}")
    if taken is not None:
        message = say("record.exists", record=taken.id, path=taken.path)
        raise Refused(message, say("record.set-instead", record=taken.id))
    if path in snapshot.files:
        raise Refused(say("record.file-there", path=path), say("record.run-check"))


def _in_schema_order(spec: Mapping[str, Any], schema: KindSchema) -> dict[str, Any]:
    ordered: dict[str, Any] = {}
    for name, field in schema.shape.fields.items():
        if name in spec:
            ordered[name] = spec[name]
        elif field.required and "default" in field.schema:
            ordered[name] = copy.deepcopy(field.schema["default"])
    return {**ordered, **{name: value for name, value in spec.items() if name not in ordered}}


def _cases_move(snapshot: Snapshot, record: Record, path: str) -> dict[str, str]:
    """A policy's case file goes where the policy goes."""
    old = _cases_of(record.path)
    if not record.path.startswith("rules/") or old not in snapshot.files:
        return {}
    return {old: _cases_of(path)}


def _cases_of(path: str) -> str:
    return path.removesuffix(".yaml") + CASES_SUFFIX


# --- bodies ----------------------------------------------------------------------------------------------------------


def _assign(
    body: dict[str, Any], assignments: Sequence[str], schema: KindSchema, path: str
) -> tuple[list[Edit], list[FieldChange]]:
    """Carry out assignments on ``body``; what to edit in its text, and what that changes."""
    edits: list[Edit] = []
    changes: list[FieldChange] = []
    for assignment in assignments:
        field, typed = split_assignment(assignment)
        target = locate(field, schema, body)
        if target.pointer == ("metadata", "name"):
            raise Refused(say("record.rename-it"), f"remit rename {schema.kind}/OLD NEW")
        value = parse_value(typed, target.shape, field)
        old = value_at(body, target.pointer)
        if old == value and type(old) is type(value):
            continue
        _put(body, target.pointer, value)
        edits.append(Edit(target.pointer, value))
        changes.append(FieldChange(path, field_text(target.pointer), old, value))
    return edits, changes


def _put(body: Any, pointer: Pointer, value: Any) -> None:
    """Set one value, making the mappings and lists that lead to it."""
    for index, part in enumerate(pointer):
        last = index == len(pointer) - 1
        empty: Any = value if last else [] if isinstance(pointer[index + 1], int) else {}
        here = field_text(pointer[: index + 1])
        if isinstance(body, dict) and isinstance(part, str):
            if last or part not in body:
                body[part] = empty
        elif isinstance(body, list) and isinstance(part, int):
            if part > len(body):
                size = len(body)
                raise UserError(say("record.behind-the-end", place=here, count=size), say("record.add-one"))
            if part == len(body):
                body.append(empty)
            elif last:
                body[part] = empty
        else:
            raise UserError(say("record.nothing-inside", place=field_text(pointer[:index]), value=value_text(body)))
        body = body[part]


def _present(path: str, schema: KindSchema, record: Record) -> Pointer:
    pointer = locate(path, schema, record.body).pointer
    if pointer == ("metadata", "name"):
        raise Refused(say("record.needs-name"), f"remit rename {record.id} NEW")
    if value_at(record.body, pointer) is None:
        holder = value_at(record.body, pointer[:-1])
        known = holder if isinstance(holder, dict) else ()
        message = say("record.has-no", record=record.id, field=field_text(pointer))
        raise NotFound(message, did_you_mean(str(pointer[-1]), known))
    return pointer


def _remove(body: Any, pointer: Pointer) -> Pointer:
    """Take one value out, and the mappings that this leaves empty; the pointer of the outermost thing that went."""
    holder = value_at(body, pointer[:-1])
    del holder[pointer[-1]]
    if not holder and isinstance(holder, dict) and len(pointer) > 2:
        return _remove(body, pointer[:-1])
    return pointer


# --- checking --------------------------------------------------------------------------------------------------------


def _edited(
    snapshot: Snapshot, schemas: Schemas, record: Record, edits: list[Edit], changes: list[FieldChange]
) -> Draft:
    if not edits:
        return Draft(record.id, {}, ())
    draft = Draft(record.id, {record.path: edit(snapshot.files[record.path], edits)}, tuple(changes))
    _refuse_worse(snapshot, schemas, draft)
    return draft


def _refuse_worse(snapshot: Snapshot, schemas: Schemas, draft: Draft) -> None:
    """Raise when a changed file has an error that none of the changed files had before."""
    old_paths = set(draft.files)
    snapshot = snapshot.knowing(Asked(paths=old_paths))
    sides = [_at(snapshot, old_paths), _at(_after(snapshot, draft.files), old_paths)]
    snapshot = snapshot.knowing(Asked(names=names_used(schemas, chain(*sides))))
    if _worse(snapshot, schemas, draft):
        # The nearest of all names is what a hint is to say.
        worse = _worse(snapshot.knowing(Asked(everything=True)), schemas, draft)
        raise Refused(say("record.not-right", record=draft.record, lines=[_told(one) for one in worse]))


def _worse(snapshot: Snapshot, schemas: Schemas, draft: Draft) -> list[Finding]:
    before = Counter(map(_sameness, _errors(snapshot, schemas, set(draft.files))))
    present = {path for path, data in draft.files.items() if data is not None}
    worse = []
    for one in _errors(_after(snapshot, draft.files), schemas, present):
        if before[_sameness(one)]:
            before[_sameness(one)] -= 1
        else:
            worse.append(one)
    return worse


def _told(one: Finding) -> Text:
    about = {"place": str(one.place), "severity": say(f"common.severity-{one.severity}"), "code": one.code}
    if one.hint:
        return say("record.finding-and-hint", **about, message=one.message, hint=one.hint)
    return say("record.finding", **about, message=one.message)


def _sameness(one: Finding) -> tuple[str, str, str]:
    return one.code, one.pointer, one.message


def _after(snapshot: Snapshot, files: Mapping[str, bytes | None]) -> Snapshot:
    """The snapshot as it would be; only the files that changed are read again."""
    present = {path: data for path, data in files.items() if data is not None}
    part = build_snapshot(present)
    config = part.config if CONFIG_PATH in present else snapshot.config

    def merged(old: Iterable[Record], new: Iterable[Record]) -> tuple[Record, ...]:
        return tuple(sorted([*(r for r in old if r.path not in files), *new], key=lambda r: r.path))

    return replace(
        snapshot,
        files={**{p: d for p, d in snapshot.files.items() if p not in files}, **present},
        config=config,
        records=merged(snapshot.records, part.records),
        policies=merged(snapshot.policies, part.policies),
        cases={**{p: d for p, d in snapshot.cases.items() if p not in files}, **part.cases},
        findings=(*(f for f in snapshot.findings if f.place.path not in files), *part.findings),
    )


def _at(snapshot: Snapshot, paths: Collection[str]) -> list[Record]:
    return [record for record in (*snapshot.records, *snapshot.policies) if record.path in paths]


def _errors(snapshot: Snapshot, schemas: Schemas, paths: set[str]) -> list[Finding]:
    """Errors of the files at ``paths``: unreadable, against their schemas, references that lead nowhere."""
    world = world_of(snapshot, schemas)
    found = [f for f in snapshot.findings if f.place.path in paths]
    for record in _at(snapshot, paths):
        found += schemas.check_record(record)
        found += _broken_references(world, schemas, record)
    return [f for f in found if f.severity == "error"]


def _broken_references(world: World, schemas: Schemas, record: Record) -> Iterator[Finding]:
    if record.kind not in table_of(schemas, record.path):
        return
    entity = Entity(record.kind, record.name, record.spec, record.place(), record)
    used = uses_of(schemas, record)
    if record.path.startswith("records/"):
        from_feeds = {
            "/spec" + pointer_text(use.pointer)
            for use in used
            if any(kind in schemas.kinds and schemas.kinds[kind].home != "record" for kind in use.kinds)
        }
        # What a feed may hold cannot be missed here: no feed has been read.
        yield from (f for f in check_references(world, [entity]) if f.pointer not in from_feeds)
        return
    for use in used:
        if world.find(use.kinds, use.name) is None:
            yield finding(
                "unknown-reference",
                f'{field_text(use.pointer)} is "{use.name}", but there is no such {" or ".join(use.kinds)}.',
                entity.place_of(use.pointer),
                hint=did_you_mean(use.name, [e.name for kind in use.kinds for e in world.all(kind)]),
                pointer="/spec" + pointer_text(use.pointer),
                record=record.id,
            )
