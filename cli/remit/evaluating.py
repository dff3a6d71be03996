"""Reading a store and its feeds into one world, and asking the engine about it.

Every row of a feed is either in the world or named in a finding: rows that do not fit their schema, repeat an id or
refer to what does not exist are left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from remit.admitting import Admitted, admitted, spooled
from remit.bulk import Judged, Spread, judged
from remit.conditions.condition import Compiler
from remit.conditions.messages import MessageTypes
from remit.engine import Narrow, Rulebook, Timeline, timeline
from remit.errors import InvalidStore, UserError
from remit.facts import SourceReport
from remit.findings import Finding, has_errors, in_order
from remit.fixtures import case_world, fixture_records
from remit.policies import Policies, compile_policies
from remit.policies.clocking import Calendars, Window
from remit.policies.watch import Watch
from remit.records import Snapshot, build_snapshot, config_of
from remit.references import Entity, World, world_of_records
from remit.remembering import Memory
from remit.schemas import Schemas, load_schemas
from remit.sources import Reading, SourceContext, files_at, read_mapping, read_source
from remit.sources.spool import SpooledWorld, master_of
from remit.store import Files
from remit.tables import Table, read_tables
from remit.wording import Wording


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

    def with_feeds(self, feeds: Sequence[SourceContext]) -> Loaded:
        """The same store with these feeds, read anew into memory; nothing of the store is read or compiled again.

        Raises:
            UserError: as ``read_source``.
        """
        records = [one for kind in self.schemas.kinds for one in self.world.all(kind) if one.record is not None]
        read = admitted([read_source(feed) for feed in feeds], records, self.schemas, self.snapshot)
        made = Loaded(self.snapshot, self.schemas, *read, self.trouble)
        made.__dict__.update(policies=self.policies, compiler=self.compiler, wording=self.wording)
        return made

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


Engine = str
"""Where facts are: ``python``, in memory, every one asked about; ``tables``, on disk, of which SQL selects whom to ask
about; ``spark`` or the URL of a cluster, where Spark is asked that SQL and its executors decide."""

MANY_BYTES = 16 << 20
"""Bytes of feeds from which tables pay."""


def load(
    files: Files,
    feeds: Sequence[SourceContext] = (),
    engine: Engine = "python",
    spread: Spread | None = None,
    memory: Memory | None = None,
) -> Loaded:
    """Read a store and the feeds given. What is answered is the same with both engines, to the last byte, and also
    when ``spread`` has many records read elsewhere. ``memory`` keeps what was proved of large feeds.

    Raises:
        UserError: as ``read_source``.
    """
    if engine == "python":
        return load_readings(files, [read_source(feed) for feed in feeds], spread)
    master = master_of(engine)

    def admit(records: list[Entity], schemas: Schemas, snapshot: Snapshot) -> Admitted:
        return spooled(feeds, records, schemas, snapshot, master, memory)

    return _loaded(files, admit, spread)


def engine_for(feeds: Sequence[SourceContext]) -> Engine:
    """The engine that suits the size of the feeds: tables for many bytes, where what they need is installed."""
    size = sum(feed.file.stat().st_size for feed in feeds if feed.file.is_file())
    there = all(find_spec(name) for name in ("duckdb", "sqlglot"))
    return "tables" if size >= MANY_BYTES and there else "python"


def load_readings(files: Files, readings: Sequence[Reading], spread: Spread | None = None) -> Loaded:
    """Read a store with feeds that are read already, so that two stores may be asked about the very same rows."""
    return _loaded(files, lambda *store: admitted(readings, *store), spread)


def _loaded(
    files: Files, admit: Callable[[list[Entity], Schemas, Snapshot], Admitted], spread: Spread | None
) -> Loaded:
    schemas, schema_findings = load_schemas(files.blobs)
    before = files.judged or _judged(files, schemas, spread)
    taken = {path: (one.record, one.problems) for path, one in before.items()}
    snapshot = build_snapshot(files.blobs, files.commit or "", files.date, taken)
    trouble = [*files.findings, *snapshot.findings, *schema_findings]
    valid = []
    for record in snapshot.records:
        known = before.get(record.path)
        problems = known.findings if known is not None else tuple(schemas.check_record(record))
        if problems:
            trouble += problems
        if not problems or not has_errors(problems):
            valid.append(record)
    records = world_of_records(schemas, valid)
    return Loaded(snapshot, schemas, *admit(records, schemas, snapshot), in_order(trouble))


def _judged(files: Files, schemas: Schemas, spread: Spread | None) -> Mapping[str, Judged]:
    """The records read and judged elsewhere, where that is wanted; they are at hand before they are shared out."""
    if spread is None:
        return {}
    blobs = dict(files.blobs.items())
    return judged(blobs, lambda path: (blobs[path], ()), schemas, spread)


def feeds_of(
    files: Files, root: Path, arguments: Iterable[tuple[str | None, str]], mapping: Path | None
) -> list[SourceContext]:
    """The feeds that the command line names, or else those of ``remit.yaml``, as contexts to read, one for each file.

    Raises:
        UserError: a mapping file cannot be used, or a source of ``remit.yaml`` is not written rightly.
    """
    config = config_of(files.blobs)
    given = list(arguments)
    if given:
        shared = _mapping(mapping.read_bytes(), str(mapping)) if mapping else None
        named = ((kind, one) for kind, path in given for one in files_at(path, Path()))
        return [SourceContext(path, kind, shared, config.zone) for kind, path in named]
    contexts = []
    for source in config.sources:
        if not isinstance(source, dict) or not isinstance(source.get("path"), str):
            hint = "Write: sources: [{kind: TroubleTicket, path: feeds/tickets.jsonl}]"
            raise UserError("A source in remit.yaml has a path.", hint)
        own = source.get("map")
        shared = _mapping((root / own).read_bytes(), own) if isinstance(own, str) else None
        each = files_at(source["path"], root)
        contexts += [SourceContext(path, source.get("kind"), shared, config.zone, root) for path in each]
    return contexts


def _mapping(data: bytes, path: str) -> Any:
    mapping, findings = read_mapping(data, path)
    if mapping is None:
        first = findings[0]
        raise UserError(f"{first.place}: the mapping cannot be used: {first.message}", first.hint)
    return mapping


# --- asking ----------------------------------------------------------------------------------------------------------


def decide(
    loaded: Loaded,
    start: datetime | None,
    end: datetime,
    *,
    read_at: datetime | None = None,
    standing: bool = False,
) -> Timeline:
    """The timeline of all watching policies over (start, end], with what stood in the way.

    With ``standing``, decisions that are over by ``end`` may be missing.

    Raises:
        InvalidStore: a policy does not compile, so that an answer would lack its decisions in silence.
    """
    refuse_broken(loaded)
    rulebook = Rulebook(loaded.policies.watches, loaded.compiler)
    try:
        return ask(rulebook, loaded, Window(start, end), read_at=read_at, standing=standing)
    finally:
        rulebook.close()


def ask(
    rulebook: Rulebook,
    loaded: Loaded,
    window: Window,
    *,
    read_at: datetime | None = None,
    standing: bool = False,
    subjects: Collection[str] | None = None,
) -> Timeline:
    """The same of a rulebook that is compiled already, about ``subjects`` (``Kind/name``) only where they are given."""
    narrow = _narrow(loaded, window, standing=standing) if subjects is None else None
    if narrow is not None and isinstance(loaded.world, SpooledWorld) and loaded.world.master:
        from remit.executors import spread

        return spread(loaded, rulebook, window, read_at, narrow)
    return timeline(rulebook, loaded.world, window, loaded.wording, read_at=read_at, subjects=subjects, narrow=narrow)


def _narrow(loaded: Loaded, window: Window, *, standing: bool) -> Narrow:
    from remit.candidates import Candidates, Passing
    from remit.policies.narrowing import Asked

    world, compiler = loaded.world, loaded.compiler
    candidates = Candidates(world, compiler) if isinstance(world, SpooledWorld) else Passing(world, compiler)

    def narrow(watches: Sequence[Watch], heard: bool) -> Iterator[Entity]:
        asked = Asked(Window(None, window.end), standing=False) if heard else Asked(window, standing)
        return candidates.of(watches, asked)

    return narrow


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
