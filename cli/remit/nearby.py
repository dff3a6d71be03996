"""What a change can break, without reading the rest: the records that it touches and those that have to do with them.

A store that was right before is right after when nothing near the change is wrong that was right. Near are the touched
records, what they refer to step by step, whoever names one of them, whoever has a value that must be one record's own,
and the people, roles and units on whom approvals rest. A change of what decides (rules, schemas, parameters, calendars,
settings) is near to everything and is not judged here.

Source: design section 11, point 8; security rule R11.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from remit.records import CASES_SUFFIX, CONFIG_PATH, Record, build_snapshot
from remit.references import uses, world_of_records
from remit.schemas import KindSchema, Schemas, load_schemas
from remit.store import Files, changed_paths

GROUND_KINDS = ("Person", "RoleAssignment", "OrganizationUnit", "Team", "ParameterSet")
"""Kinds whose every record may matter to who approves; of other kinds only what the change refers to is read."""

DECIDING = ("rules/", "schemas/", "records/parameter-sets/", "records/calendars/", "remit.yaml")
"""What policies decide by: a change of it may change the verdict on any record."""

JUDGES = ("rules/approval/", "rules/lifecycle/", "schemas/")

FARTHEST = 6
"""References are followed so many steps from a changed record; paths to approvers are shorter."""


def decides(touched: Iterable[str]) -> bool:
    """True when a change of these paths may change the verdict on records that it does not touch."""
    return any(path.startswith(DECIDING) for path in touched)


def near(before: Files, after: Files) -> tuple[Files, Files]:
    """Both sides of a change, reduced to what it can break; findings that only one of them has are its doing."""
    touched = changed_paths(before.blobs, after.blobs)
    schemas, _ = load_schemas(after.blobs)
    always = (*JUDGES, *ground_folders(schemas), *DECIDING[2:4])
    paths = {*before.blobs, *after.blobs}
    kept = {path for path in paths if path == CONFIG_PATH or (path.startswith(always) and not is_cases(path))}
    for side in (before, after):
        mine = [path for path in touched if is_record_path(path, side.blobs)]
        kept |= {*mine, *referred([side.blobs[path] for path in mine], side.blobs, schemas)}
    kept |= set(_beside(before, after, touched, schemas))
    return _only(before, kept), _only(after, kept)


def is_record_path(path: str, blobs: Mapping[str, bytes]) -> bool:
    """True for a record or policy that is there."""
    return path in blobs and path.startswith(("records/", "rules/")) and path.endswith(".yaml") and not is_cases(path)


def is_cases(path: str) -> bool:
    """True for a file of cases."""
    return path.endswith(CASES_SUFFIX)


def ground_folders(schemas: Schemas) -> tuple[str, ...]:
    """The folders of the kinds on which approvals rest."""
    return tuple(f"records/{schemas.kinds[kind].folder}/" for kind in GROUND_KINDS if kind in schemas.kinds)


def referred(starts: Iterable[bytes], blobs: Mapping[str, bytes], schemas: Schemas) -> dict[str, bytes]:
    """The files of records that the given ones refer to, step by step."""
    found: dict[str, bytes] = {}
    step: Iterable[bytes] = starts
    for _ in range(FARTHEST):
        named = {f"records/{number}.yaml": data for number, data in enumerate(step)}
        paths = {path for path in _paths_named(named, schemas) if path in blobs and path not in found}
        if not paths:
            break
        found |= {path: blobs[path] for path in sorted(paths)}
        step = [blobs[path] for path in sorted(paths)]
    return found


def _only(files: Files, kept: set[str]) -> Files:
    return replace(files, blobs={path: files.blobs[path] for path in sorted(kept) if path in files.blobs})


def _paths_named(blobs: Mapping[str, bytes], schemas: Schemas) -> Iterator[str]:
    for entity in world_of_records(schemas, build_snapshot(blobs).records):
        for use in uses(entity, schemas.kinds[entity.kind].shape):
            name = use.name.rpartition("/")[2]
            for kind in use.kinds:
                if kind in schemas.kinds:
                    yield f"records/{schemas.kinds[kind].folder}/{name}.yaml"


def _beside(before: Files, after: Files, touched: list[str], schemas: Schemas) -> Iterator[str]:
    """Records that name a touched one, or may share with it what must be one record's own; found by their bytes."""
    sides = [build_snapshot({p: s.blobs[p] for p in touched if is_record_path(p, s.blobs)}) for s in (before, after)]
    old, new = ({record.path: record for record in side.records} for side in sides)
    words: set[bytes] = set()
    for path in {*old, *new}:
        one, other = old.get(path), new.get(path)
        record = other or one
        if record is None or record.kind not in schemas.kinds:
            continue
        kind = schemas.kinds[record.kind]
        if one is None or other is None or _standing(one) != _standing(other):
            words.add(record.name.encode())
        if other is not None:
            words |= {value.encode() for value in _own_values(other, kind)}
    if not words:
        return
    blobs = after.blobs
    for path in blobs:
        if not path.startswith("records/") or path in new:
            continue
        data = blobs[path]
        # What is written with escapes may hold any word.
        if b"\\" in data or any(word in data for word in words):
            yield path


def _standing(record: Record) -> Any:
    """What others rely on when they refer to a record: that it is there under its id, and when it holds."""
    spec = record.spec
    return record.id, spec.get("validFrom"), spec.get("validTo"), spec.get("status")


def _own_values(record: Record, kind: KindSchema) -> Iterator[str]:
    """Values that no other record of the kind may have, and those of which only one may hold at a time."""
    spec = record.spec
    for name, part in kind.shape.fields.items():
        if part.schema.get("x-remit-unique") and name in spec:
            yield _as_written(spec[name])
    rule = kind.schema.get("x-remit-no-overlap")
    if isinstance(rule, Mapping):
        values = [spec[name] for name in rule["of"] if isinstance(spec.get(name), str)]
        if values:
            yield max(values, key=len)


def _as_written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
