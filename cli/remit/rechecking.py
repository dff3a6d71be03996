"""Checking a store that was checked before: what cannot have changed is not asked again.

A verdict is remembered with the id of every file, with what the rules read to come to it, and with the time for which
it holds. The same files have the same verdict. So have files of which a few records were edited or added, when the
store had no error, what others rely on in these records is as it was, no rule read them, and they are right by
themselves. In every other case the whole store is checked: the findings are those of ``checking.check``, always.

Source: design section 11, point 8.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from remit import checking
from remit.evaluating import Loaded, feeds_of, load
from remit.findings import Finding, finding, has_errors, in_order
from remit.nearby import DECIDING, ground_folders
from remit.places import Place
from remit.reaching import Reach, Ways, unreached, ways_of
from remit.records import CONFIG_PATH, Record, build_snapshot
from remit.references import ENDED, Entity, World, check_references, instant, last_instant, uses, world_of_records
from remit.remembering import Memory, program
from remit.schemas import KindSchema, Schemas, load_schemas
from remit.store import Files, TreeBlobs
from remit.times import format_instant, parse_instant
from remit.validity import check_periods

A_FEW = 50
"""So many touched records are judged by themselves; more are a reason to check everything."""

PEOPLED = ("Person", "RoleAssignment", "OrganizationUnit", "Team")
"""Kinds that decide who is reached and who may approve, for any record."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a store, and how many records and policies it has."""

    findings: tuple[Finding, ...]
    records: int
    policies: int


def recheck(files: Files, root: Path, memory: Memory | None, *, at: datetime) -> Verdict:
    """The findings of ``checking.check``, from what is remembered where that is enough.

    Where ``remit.yaml`` names feeds, which may say something else each time, nothing is remembered.
    """
    feeds = feeds_of(files, root, (), None)
    if memory is None or feeds or files.findings:
        return _verdict(load(files, feeds), at)
    name = "verdict on a tree" if isinstance(files.blobs, TreeBlobs) else "verdict on the working tree"
    ids = ids_of(files.blobs)
    known = _Known.of_bytes(memory.recall(name))
    if known is not None and known.since <= at < known.until:
        if known.ids == ids:
            return known.verdict
        still = _still(known, files, ids, at)
        if still is not None:
            memory.keep(name, still.to_bytes())
            return still.verdict
    known = _known(load(files), ids, at)
    if known.since <= at < known.until:
        memory.keep(name, known.to_bytes())
    return known.verdict


def ids_of(blobs: Mapping[str, bytes]) -> Mapping[str, str]:
    """What stands for the content of each file: the ids that git has, or digests."""
    if isinstance(blobs, TreeBlobs):
        return blobs.oids
    return {path: hashlib.sha256(data).hexdigest() for path, data in blobs.items()}


def _verdict(loaded: Loaded, at: datetime) -> Verdict:
    findings = checking.check(loaded, at=at)
    return Verdict(findings, len(loaded.snapshot.records), len(loaded.snapshot.policies))


# --- what is remembered ----------------------------------------------------------------------------------------------


class Noting(World):
    """A world that notes what it is asked for: single names, also where nothing has them, and otherwise whole kinds."""

    def __init__(self, world: World) -> None:
        super().__init__(world.schemas, (), world.config)
        self._single = world._kinds
        self.names: set[str] = set()
        self.kinds: set[str] = set()
        self._kinds = _Noted(world._kinds, self.kinds)

    def get(self, kind: str, name: Any) -> Entity | None:
        """As of any world."""
        self.names.add(f"{kind}/{name}")
        return self._single.get(kind, {}).get(name) if isinstance(name, str) else None


class _Noted(dict[str, dict[str, Entity]]):
    """The records by kind and name; the kinds that are asked for are noted."""

    def __init__(self, kinds: Mapping[str, dict[str, Entity]], noted: set[str]) -> None:
        super().__init__(kinds)
        self._noted = noted

    def get(self, kind: str, default: Any = None) -> Any:
        self._noted.add(kind)
        return super().get(kind, default)

    def __getitem__(self, kind: str) -> dict[str, Entity]:
        self._noted.add(kind)
        return super().__getitem__(kind)


@dataclass(frozen=True)
class _Known:
    """A verdict and what it rests on.

    Attributes:
        ids: The id of every file.
        relied: What others rely on in each record, as a digest, by path.
        kinds: Kinds of which the rules read every record.
        names: Single records that the rules read or looked for, as ``Kind/name``.
        ways: What must lead to somebody for every customer.
        since: The verdict holds from here on, and before ``until``.
    """

    verdict: Verdict
    ids: Mapping[str, str]
    relied: Mapping[str, str]
    kinds: frozenset[str]
    names: frozenset[str]
    ways: frozenset[Ways]
    since: datetime
    until: datetime

    def to_bytes(self) -> bytes:
        """The whole, under the name of the program that says so."""
        findings = [
            [*one.place, one.code, one.message, one.hint, one.pointer, one.record] for one in self.verdict.findings
        ]
        whole = {
            "findings": findings,
            "counts": [self.verdict.records, self.verdict.policies],
            "ids": dict(self.ids),
            "relied": dict(self.relied),
            "kinds": sorted(self.kinds),
            "names": sorted(self.names),
            "ways": sorted([[role, sorted(kinds)] for role, kinds in ways] for ways in self.ways),
            "time": [format_instant(self.since), format_instant(self.until)],
        }
        return program().encode() + b"\n" + json.dumps(whole).encode()

    @classmethod
    def of_bytes(cls, data: bytes | None) -> _Known | None:
        """What was kept; None when it was kept by another program."""
        said, _, rest = (data or b"").partition(b"\n")
        if said != program().encode():
            return None
        whole = json.loads(rest)
        findings = (
            finding(code, message, Place(*place), hint=hint, pointer=pointer, record=record)
            for *place, code, message, hint, pointer, record in whole["findings"]
        )
        ways = frozenset(tuple((role, frozenset(kinds)) for role, kinds in ways) for ways in whole["ways"])
        since, until = map(parse_instant, whole["time"])
        kinds, names = frozenset(whole["kinds"]), frozenset(whole["names"])
        return cls(
            Verdict(tuple(findings), *whole["counts"]), whole["ids"], whole["relied"], kinds, names, ways, since, until
        )


def _known(loaded: Loaded, ids: Mapping[str, str], at: datetime) -> _Known:
    """Everything checked, and what there is to remember of it."""
    ruled, timed = Noting(loaded.world), Noting(loaded.world)
    by_rules = replace(loaded, world=ruled)
    by_time = replace(loaded, world=timed).judged_as(by_rules)
    findings = [*checking.of_records(loaded), *checking.of_rules(by_rules), *checking.of_terms(by_time, at)]
    kinds, names = frozenset(ruled.kinds | timed.kinds), frozenset(ruled.names | timed.names)
    findings += unreached(by_time, at)
    verdict = Verdict(in_order(findings), len(loaded.snapshot.records), len(loaded.snapshot.policies))
    relied = {
        record.path: _relied(record, loaded.schemas.kinds[record.kind])
        for record in loaded.snapshot.records
        if record.kind in loaded.schemas.kinds
    }
    return _Known(verdict, ids, relied, kinds, names, ways_of(by_time), *_time(by_time, timed, at))


def _time(loaded: Loaded, noted: Noting, at: datetime) -> tuple[datetime, datetime]:
    """From when until when everything says what it says at ``at``: within its day, between the instants it read.

    Nothing (an empty span) when calendars say something else in the course of it.
    """
    zone = noted.zone
    since = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    until = since + timedelta(days=1)
    read = {*noted.kinds, *(name.partition("/")[0] for name in noted.names)}
    for text in {text for kind in read for entity in loaded.world.all(kind) for text in _dates(entity.spec)}:
        for one in (instant(text, zone), last_instant(text, zone)):
            if one is not None:
                since, until = (max(since, one), until) if one <= at else (since, min(until, one))
    said = [tuple(checking.of_terms(loaded, one)) for one in (since, at, until - timedelta.resolution)]
    return (since, until) if said[0] == said[1] == said[2] else (at, at)


def _dates(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value[:4].isdecimal():
            yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _dates(inner)


def _relied(record: Record, schema: KindSchema) -> str:
    """What others rely on in a record: that it is there, when it holds, what must be its own, which roles it fills."""
    spec, rule = record.spec, schema.schema.get("x-remit-no-overlap")
    fields = [name for name, part in schema.shape.fields.items() if part.schema.get("x-remit-unique")]
    fields += [*rule["of"], *rule.get("if", ())] if isinstance(rule, Mapping) else []
    ended = spec.get("status") if spec.get("status") in ENDED else None
    roles = spec.get("roles")
    said = [record.id, ended, {name: spec[name] for name in ("validFrom", "validTo", *fields) if name in spec}]
    text = json.dumps([*said, sorted(roles) if isinstance(roles, dict) else None], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# --- a few records ---------------------------------------------------------------------------------------------------


def _still(known: _Known, files: Files, ids: Mapping[str, str], at: datetime) -> _Known | None:
    """What is known, of these files; None when it cannot be said without checking everything."""
    touched = sorted({path for path, _ in ids.items() ^ known.ids.items()})
    told = {one.place.path for one in known.verdict.findings}
    if len(touched) > A_FEW or has_errors(known.verdict.findings) or told & {*touched}:
        return None
    if not all(path in ids and _is_plain_record(path) for path in touched):
        return None
    schemas, _ = load_schemas(files.blobs)
    snapshot = build_snapshot({path: files.blobs[path] for path in (CONFIG_PATH, *touched)})
    if snapshot.findings or len(snapshot.records) != len(touched):
        return None
    if not all(_is_of_no_matter_to_others(record, known, schemas) for record in snapshot.records):
        return None
    own = world_of_records(schemas, snapshot.records)
    there = [*_records(files, _referred(own, schemas, ids)), *snapshot.records]
    world = World(schemas, world_of_records(schemas, there), snapshot.config)
    if any(check_references(world, own)) or any(check_periods(world, own)) or _lost(own, known, files, schemas, at):
        return None
    relied = {record.path: _relied(record, schemas.kinds[record.kind]) for record in snapshot.records}
    verdict = replace(known.verdict, records=known.verdict.records + len(ids) - len(known.ids))
    return replace(known, verdict=verdict, ids=ids, relied={**known.relied, **relied})


def _is_plain_record(path: str) -> bool:
    return path.startswith("records/") and path.endswith(".yaml") and not path.startswith(DECIDING)


def _is_of_no_matter_to_others(record: Record, known: _Known, schemas: Schemas) -> bool:
    """Whether the record is right by itself, where it belongs, and neither rules nor records see that it changed."""
    schema = schemas.kinds.get(record.kind)
    if schema is None or record.kind in PEOPLED or record.kind in known.kinds or record.id in known.names:
        return False
    if record.path != f"records/{schema.folder}/{record.name}.yaml" or any(schemas.check_record(record)):
        return False
    before = known.relied.get(record.path)
    return not _has_rivals(schema) if before is None else before == _relied(record, schema)


def _has_rivals(schema: KindSchema) -> bool:
    own = any(part.schema.get("x-remit-unique") for part in schema.shape.fields.values())
    return own or "x-remit-no-overlap" in schema.schema


def _referred(entities: Iterable[Entity], schemas: Schemas, ids: Mapping[str, str]) -> set[str]:
    """The files of what the entities refer to; in a store without errors each record stands where its name says."""
    named = (
        f"records/{schemas.kinds[kind].folder}/{use.name.rpartition('/')[2]}.yaml"
        for entity in entities
        for use in uses(entity, schemas.kinds[entity.kind].shape)
        for kind in use.kinds
        if kind in schemas.kinds
    )
    return {path for path in named if path in ids}


def _records(files: Files, paths: Iterable[str]) -> tuple[Record, ...]:
    return build_snapshot({path: files.blobs[path] for path in sorted(paths)}).records


def _lost(own: Iterable[Entity], known: _Known, files: Files, schemas: Schemas, at: datetime) -> bool:
    """Whether some level would reach nobody for a customer among the entities."""
    customers = [entity for entity in own if entity.kind == "Customer"]
    if not customers:
        return False
    ground = [path for path in files.blobs if path.startswith(ground_folders(schemas))]
    people = world_of_records(schemas, _records(files, ground))
    config = build_snapshot({CONFIG_PATH: files.blobs[CONFIG_PATH]}).config
    reach = Reach(World(schemas, [*people, *customers], config), at)
    return any(reach.lost(ways) for ways in known.ways)
