"""Admitting rows: each becomes a fact of a world, or a finding names it.

A row that does not fit its schema, repeats an id or refers to what does not exist is left out, never guessed. In memory
or on disk, the same rows give the same facts and the same findings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from remit.facts import FACT_ID_LIMIT, Row, SourceReport
from remit.findings import Finding, did_you_mean, finding, in_order
from remit.records import Snapshot
from remit.references import DATED, Entity, World, check_references, uses
from remit.remembering import Memory
from remit.schemas import KindSchema, Schemas
from remit.sources import TYPED_BY_SHAPE, Reading, SourceContext, read_each, read_items, source_for
from remit.sources.coercion import coerce
from remit.sources.parquet import Parquet
from remit.sources.scan import Scan, scanned
from remit.sources.spool import Spool, SpooledWorld
from remit.sources.standing import standing

MOST_PASSES = 10
"""A row that refers to a left-out row is left out too; chains of such rows are at most this long in practice."""


class Admitted(NamedTuple):
    """The world with its facts, what became of the rows of each feed, and what was wrong with those left out."""

    world: World
    reports: tuple[SourceReport, ...]
    findings: tuple[Finding, ...]


def admitted(readings: Sequence[Reading], records: list[Entity], schemas: Schemas, snapshot: Snapshot) -> Admitted:
    """The world of ``records`` and of the rows that fit it."""
    known = {entity.ref for entity in records}
    findings: list[Finding] = []
    entities: list[tuple[int, Entity]] = []
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
                entities.append((number, entity))
    for _ in range(MOST_PASSES):
        world = World(schemas, [*records, *(entity for _, entity in entities)], snapshot.config)
        broken = {f.record: f for f in check_references(world, (e for _, e in entities), "row-reference")}
        if not broken:
            break
        findings += broken.values()
        for number, entity in entities:
            refused[number] += entity.ref in broken
        entities = [(n, e) for n, e in entities if e.ref not in broken]
    reports = tuple(r.report(also_rejected=refused[n]) for n, r in enumerate(readings))
    return Admitted(world, reports, in_order(findings))


def spooled(
    feeds: Sequence[SourceContext],
    records: list[Entity],
    schemas: Schemas,
    snapshot: Snapshot,
    master: str = "",
    memory: Memory | None = None,
) -> Admitted:
    """The same with facts on disk: rows are read one by one, and of those that fit only the names stay in memory."""
    alone = World(schemas, records, snapshot.config)
    known = {entity.ref for entity in records}
    spool = Spool()
    scans = _scans(feeds, alone, memory)
    findings: list[Finding] = []
    waiting: list[tuple[int, str, str]] = []
    accepted, rejected, readings = [0] * len(feeds), [0] * len(feeds), []
    for number, feed in enumerate(feeds):
        problems: list[Finding] = []
        typed = source_for(feed.path).format in TYPED_BY_SHAPE

        def take(row: Row, number: int = number, problems: list[Finding] = problems, typed: bool = typed) -> None:
            entity, found = _as_entity(row, schemas, known, typed=typed)
            problems += found
            if entity is None:
                rejected[number] += 1
                return
            known.add(entity.ref)
            spool.add(entity)
            accepted[number] += 1
            if not _settled(entity, alone):
                waiting.append((number, entity.kind, entity.name))

        if (scan := scans.get(number)) is not None:
            accepted[number] += scan.plain
            reading = read_items(feed.path, Parquet.format, scan.odd_items() if scan.odd else (), take)
        else:
            reading = read_each(feed, take)
        readings.append(reading)
        rejected[number] += reading.rejected
        findings += (*reading.findings, *problems)
    world = SpooledWorld(schemas, records, snapshot.config, spool, scans.values(), master)
    for _ in range(MOST_PASSES):
        facts = (fact for _, kind, name in waiting if (fact := spool.get(kind, name)) is not None)
        broken = {f.record: f for f in check_references(world, facts, "row-reference")}
        if not broken:
            break
        findings += broken.values()
        for number, kind, name in waiting:
            if f"{kind}/{name}" in broken:
                spool.drop(kind, name)
                accepted[number] -= 1
                rejected[number] += 1
        waiting = [one for one in waiting if f"{one[1]}/{one[2]}" not in broken]
    reports = tuple(
        SourceReport(reading.path, reading.format, accepted[n], rejected[n], reading.extra)
        for n, reading in enumerate(readings)
    )
    return Admitted(world, reports, in_order(findings))


def _scans(feeds: Sequence[SourceContext], records: World, memory: Memory | None) -> dict[int, Scan]:
    """The feeds that are facts where they stand, by number: all that can have rows of a kind, or none of them."""
    found: dict[int, Scan] = {}
    for kind in dict.fromkeys(feed.kind for feed in feeds):
        schema = records.schemas.kinds.get(kind or "")
        own = [number for number, feed in enumerate(feeds) if feed.row_kind in (None, kind)]
        if schema is None or any(feeds[number].kind != kind for number in own):
            continue
        scans = standing([partial(_scan, feeds[number], schema, records, memory) for number in own], memory)
        found |= dict(zip(own, scans, strict=True)) if scans else {}
    return dict(sorted(found.items()))


def _scan(feed: SourceContext, schema: KindSchema, records: World, memory: Memory | None) -> Scan | None:
    def found(kinds: Sequence[str], name: str) -> bool:
        return records.find(kinds, name) is not None

    return scanned(feed, schema, found, records.names_of(schema.kind), memory)


def _settled(entity: Entity, records: World) -> bool:
    """True when every reference of a fact leads to a record, so that no other fact can change what is said of it."""
    shape = records.schemas.kinds[entity.kind].shape
    return entity.kind not in DATED and all(records.find(use.kinds, use.name) for use in uses(entity, shape))


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
