"""Everything that can be wrong with a store, found at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import PurePosixPath

from remit.cases import policies_without_cases
from remit.evaluating import Loaded
from remit.findings import Finding, finding, in_order
from remit.fixtures import check_fixtures
from remit.places import Place
from remit.policies.approval import check_roles
from remit.policies.soundness import unread_parameters, unsound, without_clauses, years_asked
from remit.policies.watch import Watch
from remit.policies.yearly import unknown
from remit.reaching import unreached
from remit.records import Record, Snapshot
from remit.references import Entity, check_references
from remit.registry import check_keys
from remit.schemas import KindSchema, Schemas
from remit.terms import ungoverned
from remit.testing import run_all, uncovered
from remit.validity import check_overlaps, check_periods, check_unique
from remit.wording import LANGUAGES, TEMPLATE, template_problems


def check(loaded: Loaded, *, at: datetime, cases: bool = True) -> tuple[Finding, ...]:
    """The findings of a store: files, records, references, policies, who is reached as of ``at``, and cases."""
    return in_order(
        (*of_records(loaded), *of_rules(loaded, cases=cases), *of_terms(loaded, at), *unreached(loaded, at))
    )


def of_records(loaded: Loaded) -> Iterator[Finding]:
    """What is wrong with files and records, each by itself and among each other."""
    snapshot, schemas, world = loaded.snapshot, loaded.schemas, loaded.world
    everything = (*snapshot.records, *snapshot.policies)
    yield from loaded.trouble
    yield from _misplaced(everything, schemas)
    yield from _duplicates(everything)
    yield from check_unique(world, schemas)
    yield from check_keys(snapshot.records)
    standing = [entity for kind in schemas.kinds for entity in loaded.standing.all(kind)]
    yield from check_references(loaded.standing, standing)
    own = [entity for kind in schemas.kinds for entity in world.all(kind) if entity.record]
    yield from check_periods(world, own)
    yield from check_overlaps(world, schemas)


def of_policy_files(loaded: Loaded) -> Iterator[Finding]:
    """What is wrong with the files of policies and cases in a store of which nothing else was read."""
    snapshot = loaded.snapshot
    yield from snapshot.findings
    yield from _misplaced(snapshot.policies, loaded.schemas)
    yield from _duplicates(snapshot.policies)


def of_rules(loaded: Loaded, *, cases: bool = True) -> Iterator[Finding]:
    """What is wrong with policies, templates and tables, and what lifecycles and cases say."""
    yield from of_policies(loaded)
    yield from check_fixtures(loaded.snapshot, loaded.world)
    if cases:
        yield from run_all(loaded, covering=False).findings


def of_policies(loaded: Loaded) -> Iterator[Finding]:
    """The same without what cases say."""
    snapshot, schemas, world, policies = loaded.snapshot, loaded.schemas, loaded.world, loaded.policies
    yield from policies.findings
    yield from loaded.tables[1]
    for watch in policies.watches:
        yield from _messages(watch)
    yield from _templates(snapshot)
    for approvals in policies.approvals:
        yield from check_roles(approvals, world)
    for lifecycle in policies.lifecycles:
        yield from lifecycle.check_world(world)
    yield from unsound(policies, world)
    yield from unread_parameters(snapshot.policies, [one.schema for one in schemas.kinds.values()], world)
    yield from without_clauses(snapshot.policies)
    yield from policies_without_cases(snapshot)


def of_terms(loaded: Loaded, at: datetime) -> Iterator[Finding]:
    """What service levels and calendars do not say as of ``at``."""
    yield from ungoverned(loaded.world, at)
    yield from unknown(years_asked(loaded.policies, loaded.world), loaded.world, at)


def _misplaced(records: Iterable[Record], schemas: Schemas) -> Iterator[Finding]:
    for record in records:
        is_policy = record.path.startswith("rules/")
        schema: KindSchema | None = (schemas.policies if is_policy else schemas.kinds).get(record.kind)
        if schema is None:
            continue
        right = f"{'rules' if is_policy else 'records'}/{schema.folder}/{record.name}.yaml"
        if record.path == right:
            continue
        if PurePosixPath(record.path).stem == record.name:
            message, hint = f"A {record.kind} named {record.name} belongs in {right}.", f"git mv {record.path} {right}"
        else:
            stem = PurePosixPath(record.path).stem
            message = f"The name is {record.name!r}, but the file is called {stem!r}."
            hint = f"Make them equal: name: {stem}"
        yield finding(
            "misplaced-file",
            message,
            record.place(("metadata", "name")),
            hint=hint,
            record=record.id,
            pointer="/metadata/name",
        )


def _duplicates(records: Iterable[Record]) -> Iterator[Finding]:
    first: dict[str, Record] = {}
    for record in records:
        other = first.setdefault(record.id, record)
        if other is not record:
            message = f"{record.id} is also in {other.path}."
            yield finding(
                "duplicate-record", message, record.place(("metadata",)), hint="Rename or remove one.", record=record.id
            )


def _messages(watch: Watch) -> Iterator[Finding]:
    """Messages of levels that would fail when they are needed most."""
    for level in watch.levels:
        for language, source in sorted(level.message.items()):
            for problem in template_problems(source, watch.scope):
                place = watch.record.place((*level.pointer, "message", language))
                yield finding("template-invalid", problem, place, record=watch.record.id)


def _templates(snapshot: Snapshot) -> Iterator[Finding]:
    for language in LANGUAGES:
        path = TEMPLATE.format(language=language)
        if path in snapshot.files:
            for problem in template_problems(snapshot.files[path].decode("utf-8", "replace")):
                yield finding("template-invalid", problem, Place(path, 1))


def since(loaded: Loaded, base: Loaded) -> tuple[Finding, ...]:
    """What is wrong with the way from ``base`` to ``loaded``: transitions that a lifecycle forbids, and changed
    policies with a level that no case sees fire or stay silent."""
    before = (entity for kind in base.schemas.kinds for entity in base.world.all(kind))
    after = (entity for kind in loaded.schemas.kinds for entity in loaded.world.all(kind))
    return since_touched(loaded, base, after, before)


def since_touched(
    loaded: Loaded, base: Loaded, after: Iterable[Entity], before: Iterable[Entity]
) -> tuple[Finding, ...]:
    """The same, where only these records may differ between the two."""
    changed = {one.id for one in loaded.snapshot.policies if _changed(one.id, loaded.snapshot, base.snapshot)}
    findings = list(uncovered(loaded, changed.__contains__)) if changed else []
    was, kinds = {entity.ref: entity for entity in before}, {one.subject for one in base.policies.lifecycles}
    for entity in (one for one in after if one.kind in kinds):
        for lifecycle in (one for one in base.policies.lifecycles if one.subject == entity.kind):
            findings += lifecycle.check_transition(was.get(entity.ref), entity, loaded.world)
    return in_order(findings)


def _changed(policy: str, head: Snapshot, base: Snapshot) -> bool:
    before = base.by_id.get(policy)
    return before is None or before.body != head.by_id[policy].body
