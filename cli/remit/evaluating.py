"""Reading a store and its feeds into one world, and asking the engine about it.

Every row of a feed is either in the world or named in a finding: rows that do not fit their schema, repeat an id or
refer to what does not exist are left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from remit.conditions.condition import Compiler
from remit.conditions.messages import MessageTypes
from remit.engine import Rulebook, Timeline, timeline
from remit.errors import InvalidStore, UserError
from remit.facts import FACT_ID_LIMIT, Row, SourceReport
from remit.findings import Finding, did_you_mean, finding, has_errors, in_order
from remit.fixtures import case_world, fixture_records
from remit.policies import Policies, compile_policies
from remit.policies.clocking import Calendars, Window
from remit.records import CONFIG_PATH, Snapshot, build_snapshot
from remit.references import Entity, World, check_references, world_of_records
from remit.schemas import Schemas, load_schemas
from remit.sources import TYPED_BY_SHAPE, Reading, SourceContext, read_mapping, read_source
from remit.sources.coercion import coerce
from remit.store import Files
from remit.tables import Table, read_tables
from remit.wording import Wording

MOST_PASSES = 10
"""A row that refers to a left-out row is left out too; chains of such rows are at most this long in practice."""


@dataclass(frozen=True)
class Loaded:
    """A store as of one moment with the facts that go with it; ``findings`` are about the feeds only."""

    snapshot: Snapshot
    schemas: Schemas
    world: World
    reports: tuple[SourceReport, ...]
    findings: tuple[Finding, ...]
    trouble: tuple[Finding, ...] = field(default=())

    @cached_property
    def compiler(self) -> Compiler:
        """Compiles conditions over this store's kinds and parameters."""
        return Compiler(
            MessageTypes(self.schemas, self.world.parameters), Calendars(self.world).usable(), self.tables[0]
        )

    @cached_property
    def tables(self) -> tuple[Mapping[str, Table], Sequence[Finding]]:
        """The look-up tables that conditions may call, and what is wrong with them."""
        return read_tables(self.world, self.snapshot.files)

    @cached_property
    def policies(self) -> Policies:
        """The policies, compiled; those that do not compile are named in its findings."""
        return compile_policies(self.snapshot, self.schemas, self.compiler)

    def judged_as(self, other: Loaded) -> Loaded:
        """The same with the policies that ``other`` has compiled; rules, schemas and parameters must be the same."""
        mine = replace(self)
        mine.__dict__["policies"] = other.policies
        return mine

    @cached_property
    def standing(self) -> World:
        """Every record there is, also those that do not fit their schema: for asking what exists, not what holds."""
        return World(self.schemas, world_of_records(self.schemas, self.snapshot.records), self.snapshot.config)

    @cached_property
    def case_world(self) -> World:
        """The world that cases run on."""
        fixtures, _ = fixture_records(self.snapshot, self.schemas)
        return case_world(self.snapshot, self.world, fixtures)

    @cached_property
    def wording(self) -> Wording:
        """The store's words."""
        return Wording(self.snapshot.files)


def load(files: Files, feeds: Sequence[SourceContext] = ()) -> Loaded:
    """Read a store and the feeds given."""
    return load_readings(files, [read_source(feed) for feed in feeds])


def load_readings(files: Files, readings: Sequence[Reading]) -> Loaded:
    """Read a store with feeds that are read already, so that two stores may be asked about the very same rows."""
    snapshot = build_snapshot(files.blobs, files.commit or "", files.date)
    schemas, schema_findings = load_schemas(files.blobs)
    trouble = [*files.findings, *snapshot.findings, *schema_findings]
    valid = []
    for record in snapshot.records:
        problems = list(schemas.check_record(record))
        trouble += problems
        if not has_errors(problems):
            valid.append(record)
    records = world_of_records(schemas, valid)
    world, reports, findings = _admit(readings, records, schemas, snapshot)
    return Loaded(snapshot, schemas, world, reports, findings, in_order(trouble))


def feeds_of(
    files: Files, root: Path, arguments: Iterable[tuple[str | None, str]], mapping: Path | None
) -> list[SourceContext]:
    """The feeds that the command line names, or else those of ``remit.yaml``, as contexts to read.

    Raises:
        UserError: a mapping file cannot be used, or a source of ``remit.yaml`` is not written rightly.
    """
    config = build_snapshot({p: d for p, d in files.blobs.items() if p == CONFIG_PATH}).config
    given = list(arguments)
    if given:
        shared = _mapping(mapping.read_bytes(), str(mapping)) if mapping else None
        return [SourceContext(path, kind, shared, config.zone) for kind, path in given]
    contexts = []
    for source in config.sources:
        if not isinstance(source, dict) or not isinstance(source.get("path"), str):
            hint = "Write: sources: [{kind: TroubleTicket, path: feeds/tickets.jsonl}]"
            raise UserError("A source in remit.yaml has a path.", hint)
        own = source.get("map")
        shared = _mapping((root / own).read_bytes(), own) if isinstance(own, str) else None
        contexts.append(SourceContext(source["path"], source.get("kind"), shared, config.zone, root))
    return contexts


def _mapping(data: bytes, path: str) -> Any:
    mapping, findings = read_mapping(data, path)
    if mapping is None:
        first = findings[0]
        raise UserError(f"{first.place}: the mapping cannot be used: {first.message}", first.hint)
    return mapping


# --- admission -------------------------------------------------------------------------------------------------------


def _admit(
    readings: Sequence[Reading], records: list[Entity], schemas: Schemas, snapshot: Snapshot
) -> tuple[World, tuple[SourceReport, ...], tuple[Finding, ...]]:
    known = {entity.ref for entity in records}
    findings: list[Finding] = []
    admitted: list[tuple[int, Entity]] = []
    refused = [0] * len(readings)
    for number, reading in enumerate(readings):
        findings += reading.findings
        for row in reading.rows:
            entity, problems = _as_entity(row, schemas, known, typed=reading.format in TYPED_BY_SHAPE)
            findings += problems
            if entity is None:
                refused[number] += 1
            else:
                known.add(entity.ref)
                admitted.append((number, entity))
    for _ in range(MOST_PASSES):
        world = World(schemas, [*records, *(entity for _, entity in admitted)], snapshot.config)
        broken = {f.record: f for f in check_references(world, (e for _, e in admitted), "row-reference")}
        if not broken:
            break
        findings += broken.values()
        for number, entity in admitted:
            refused[number] += entity.ref in broken
        admitted = [(n, e) for n, e in admitted if e.ref not in broken]
    reports = tuple(r.report(also_rejected=refused[n]) for n, r in enumerate(readings))
    return world, reports, in_order(findings)


def _as_entity(row: Row, schemas: Schemas, known: set[str], *, typed: bool) -> tuple[Entity | None, Sequence[Finding]]:
    problem = _row_problem(row, schemas, known)
    if problem is not None:
        return None, [problem]
    kind = str(row.kind)
    body: Mapping[str, Any] = coerce(row.body, schemas.kinds[kind].shape) if typed else row.body
    problems = list(schemas.check_fact(kind, body, row.place, row.id))
    if problems:
        return None, problems
    return Entity(kind, row.id, body, row.place), ()


def _row_problem(row: Row, schemas: Schemas, known: set[str]) -> Finding | None:
    if row.kind is None:
        hint = "Name it in the row as kind, or on the command line: --facts TroubleTicket=PATH"
        return finding("bad-row", "The row does not say its kind.", row.place, hint=hint)
    if row.kind not in schemas.kinds:
        hint = did_you_mean(row.kind, schemas.kinds)
        return finding("row-schema", f"There is no kind {row.kind!r}.", row.place, hint=hint)
    if schemas.kinds[row.kind].home == "record":
        hint = f"Keep it as a file: remit new {row.kind} NAME"
        return finding("row-schema", f"{row.kind} comes from the store's records only.", row.place, hint=hint)
    if not row.id or len(row.id) > FACT_ID_LIMIT or not row.id.isprintable():
        return finding("bad-row", f"An id is 1 to {FACT_ID_LIMIT} printable characters.", row.place)
    ref = f"{row.kind}/{row.id}"
    if ref in known:
        return finding("row-duplicate", f"{ref} is there already.", row.place, record=ref)
    return None


# --- asking ----------------------------------------------------------------------------------------------------------


def decide(loaded: Loaded, start: datetime | None, end: datetime, *, read_at: datetime | None = None) -> Timeline:
    """The timeline of all watching policies over (start, end], with what stood in the way.

    Raises:
        InvalidStore: a policy does not compile, so that an answer would lack its decisions in silence.
    """
    refuse_broken(loaded)
    rulebook = Rulebook(loaded.policies.watches, loaded.compiler)
    try:
        return timeline(rulebook, loaded.world, Window(start, end), loaded.wording, read_at=read_at)
    finally:
        rulebook.close()


def refuse_broken(loaded: Loaded) -> None:
    """Stop where records or policies have errors: an answer that leaves them out would be wrong without saying so.

    Raises:
        InvalidStore: naming the first error and how many there are.
    """
    errors = [f for f in (*loaded.trouble, *loaded.policies.findings) if f.severity == "error"]
    if errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InvalidStore(f"{first.place}: {first.message}{more}", "The answer would be incomplete. See: remit check")


def in_force(found: Timeline, at: datetime) -> Iterator[Any]:
    """The decisions of a timeline that are in force at ``at``."""
    return (decision for decision in found.decisions if decision.in_force(at))
