"""What still stands of a verdict when a few records were edited, added or removed.

Source: design section 11, point 8.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from remit.findings import has_errors
from remit.nearby import DECIDING, ground_folders
from remit.records import CONFIG_PATH, Record, build_snapshot
from remit.references import ENDED, Entity, World, check_references, uses, world_of_records
from remit.schemas import KindSchema, Schemas, load_schemas
from remit.validity import check_periods
from remit.verdicts import Known

A_FEW = 50
"""So many touched records are judged by themselves; more are a reason to check everything."""

PEOPLED = ("Person", "RoleAssignment", "OrganizationUnit", "Team")
"""Kinds that decide who is reached and who may approve, for any record."""

Find = Callable[[str], bytes | None]
"""Bytes by path or by id; None when there are none."""


@dataclass(frozen=True)
class Touch:
    """What was done to a store since a verdict.

    Attributes:
        files: The files that are not what they were; None for those that are gone.
        now: Gives any file as it is, by its path.
        whole: Gives all the files of the store as they are.
        held: Gives what git holds, by its id.
    """

    files: Mapping[str, bytes | None]
    now: Find
    whole: Callable[[], Iterable[tuple[str, bytes]]]
    held: Find


def still(known: Known, touch: Touch, at: datetime) -> Known | None:
    """The verdict on the files as they are, with the footing of before; None when everything must be checked."""
    told = {one.place.path for one in known.verdict.findings}
    if len(touch.files) > A_FEW or has_errors(known.verdict.findings) or told & touch.files.keys():
        return None
    if not all(_is_plain_record(path) for path in touch.files):
        return None
    schemas, _ = load_schemas({path: touch.now(path) or b"" for path in known.footing.below("schemas")})
    there = {path: data for path, data in touch.files.items() if data is not None}
    snapshot = build_snapshot({CONFIG_PATH: touch.now(CONFIG_PATH) or b"", **there})
    if snapshot.findings or len(snapshot.records) != len(there):
        return None
    records = {record.path: record for record in snapshot.records}
    before = {path: _record_before(known, touch, path) for path in touch.files}
    customers: list[Record] = []
    for path, old in before.items():
        new = records.get(path)
        if new is None:
            if old is None or not _may_go(old, known, touch, schemas):
                return None
        elif not _is_right(new, known, schemas):
            return None
        elif known.footing.oid(path) is None:
            if _has_rivals(schemas.kinds[new.kind]):
                return None
            customers.append(new)
        else:
            said = known.notes.get(path) or (note_of(old, schemas) if old else "")
            relied, _, reach = note_of(new, schemas).partition(" ")
            if said.partition(" ")[0] != relied:
                return None
            if said.partition(" ")[2] != reach:
                customers.append(new)
    own = world_of_records(schemas, snapshot.records)
    near = _records(touch, _referred(own, schemas, known, there))
    world = World(schemas, world_of_records(schemas, [*near, *snapshot.records]), snapshot.config)
    if any(check_references(world, own)) or any(check_periods(world, own)):
        return None
    if _lost([one for one in customers if one.kind == "Customer"], known, touch, schemas, at):
        return None
    came = sum(1 for path in there if known.footing.oid(path) is None) - (len(touch.files) - len(there))
    kept = {path: note for path, note in known.notes.items() if path not in touch.files}
    notes = kept | {path: note_of(record, schemas) for path, record in records.items()}
    return replace(known, verdict=replace(known.verdict, records=known.verdict.records + came), notes=notes)


def note_of(record: Record, schemas: Schemas) -> str:
    """What others rely on in a record, and what decides whom it reaches, as two digests."""
    schema = schemas.kinds.get(record.kind)
    if schema is None:
        return ""
    spec, rule = record.spec, schema.schema.get("x-remit-no-overlap")
    fields = [name for name, part in schema.shape.fields.items() if part.schema.get("x-remit-unique")]
    fields += [*rule["of"], *rule.get("if", ())] if isinstance(rule, Mapping) else []
    ended = spec.get("status") if spec.get("status") in ENDED else None
    roles = spec.get("roles")
    said = [record.id, ended, {name: spec[name] for name in ("validFrom", "validTo", *fields) if name in spec}]
    relied = json.dumps([*said, sorted(roles) if isinstance(roles, dict) else None], sort_keys=True)
    # Roles are named by texts, at the top or below "roles"; a status says whether anybody is served at all.
    reach = {name: value for name, value in spec.items() if name == "roles" or isinstance(value, str)}
    return f"{_digest(relied)} {_digest(json.dumps(reach, sort_keys=True))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _is_plain_record(path: str) -> bool:
    return path.startswith("records/") and path.endswith(".yaml") and not path.startswith(DECIDING)


def _record_before(known: Known, touch: Touch, path: str) -> Record | None:
    """The record as it was; None when there was none, or nobody knows any more what it said."""
    oid = known.footing.oid(path)
    data = touch.held(oid) if oid else None
    found = build_snapshot({path: data}).records if data is not None else ()
    return found[0] if found else None


def _is_right(record: Record, known: Known, schemas: Schemas) -> bool:
    """Whether the record is right by itself, where it belongs, and no rule sees that it changed."""
    schema = schemas.kinds.get(record.kind)
    if schema is None or not _is_unruled(record, known):
        return False
    return record.path == f"records/{schema.folder}/{record.name}.yaml" and not any(schemas.check_record(record))


def _is_unruled(record: Record, known: Known) -> bool:
    return record.kind not in PEOPLED and record.kind not in known.kinds and record.id not in known.names


def _may_go(record: Record, known: Known, touch: Touch, schemas: Schemas) -> bool:
    """Whether nobody misses the record: no rule read it and no other record names it."""
    if not _is_unruled(record, known):
        return False
    word = record.name.encode()
    # What is written with escapes may hold any word.
    naming = {path: data for path, data in touch.whole() if path.startswith("records/") and _may_hold(data, word)}
    entities = world_of_records(schemas, build_snapshot(naming).records)
    shapes = {kind: schema.shape for kind, schema in schemas.kinds.items()}
    return not any(
        record.kind in use.kinds and use.name.rpartition("/")[2] == record.name
        for entity in entities
        for use in uses(entity, shapes[entity.kind])
    )


def _may_hold(data: bytes, word: bytes) -> bool:
    return word in data or b"\\" in data


def _has_rivals(schema: KindSchema) -> bool:
    own = any(part.schema.get("x-remit-unique") for part in schema.shape.fields.values())
    return own or "x-remit-no-overlap" in schema.schema


def _referred(entities: Iterable[Entity], schemas: Schemas, known: Known, own: Iterable[str]) -> set[str]:
    """The files of what the entities refer to; in a store without errors each record stands where its name says."""
    named = {
        f"records/{schemas.kinds[kind].folder}/{use.name.rpartition('/')[2]}.yaml"
        for entity in entities
        for use in uses(entity, schemas.kinds[entity.kind].shape)
        for kind in use.kinds
        if kind in schemas.kinds
    }
    return {path for path in named - set(own) if known.footing.oid(path) is not None}


def _records(touch: Touch, paths: Iterable[str]) -> tuple[Record, ...]:
    there = {path: data for path in sorted(paths) if (data := touch.now(path)) is not None}
    return build_snapshot(there).records


def _lost(customers: list[Record], known: Known, touch: Touch, schemas: Schemas, at: datetime) -> bool:
    """Whether some level would reach nobody for one of the customers."""
    if not customers or not known.ways:
        return False
    from remit.reaching import Reach

    ground = [path for folder in ground_folders(schemas) for path in known.footing.below(folder.rstrip("/"))]
    config = build_snapshot({CONFIG_PATH: touch.now(CONFIG_PATH) or b""}).config
    people = world_of_records(schemas, [*_records(touch, ground), *customers])
    reach = Reach(World(schemas, people, config), at)
    return any(reach.lost(ways) for ways in known.ways)
