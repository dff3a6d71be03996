"""Everything that can be wrong with a store, found at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from remit.cases import policies_without_cases
from remit.conditions.checks import shape_at
from remit.evaluating import Loaded
from remit.findings import Finding, did_you_mean, finding, in_order
from remit.fixtures import check_fixtures
from remit.places import Place, pointer_text
from remit.policies.approval import check_roles
from remit.policies.reading import Target
from remit.policies.soundness import unread_parameters, unsound, without_clauses
from remit.policies.watch import Level, Watch
from remit.records import Record, Snapshot
from remit.references import Entity, World, check_references
from remit.registry import check_keys
from remit.roles import RESPONSIBLE, held_anywhere, resolve
from remit.schemas import KindSchema, Schemas
from remit.terms import ungoverned
from remit.testing import run_all, uncovered
from remit.validity import check_overlaps, check_periods
from remit.wording import LANGUAGES, TEMPLATE, template_problems


def check(loaded: Loaded, *, at: datetime, cases: bool = True) -> tuple[Finding, ...]:
    """The findings of a store: files, records, references, policies, who is reached as of ``at``, and cases."""
    snapshot, schemas, world = loaded.snapshot, loaded.schemas, loaded.world
    findings: list[Finding] = [*loaded.trouble, *loaded.policies.findings, *loaded.tables[1]]
    everything = (*snapshot.records, *snapshot.policies)
    findings += _misplaced(everything, schemas)
    findings += _duplicates(everything)
    findings += _not_unique(world, schemas)
    findings += check_keys(snapshot.records)
    standing = [entity for kind in schemas.kinds for entity in loaded.standing.all(kind)]
    findings += check_references(loaded.standing, standing)
    own = [entity for kind in schemas.kinds for entity in world.all(kind) if entity.record]
    findings += check_periods(world, own)
    findings += check_overlaps(world, schemas)
    for watch in loaded.policies.watches:
        findings += _unreached(watch, world, loaded, at)
        findings += _messages(watch)
    findings += _templates(snapshot)
    for approvals in loaded.policies.approvals:
        findings += check_roles(approvals, world)
    for lifecycle in loaded.policies.lifecycles:
        findings += lifecycle.check_world(world)
    findings += ungoverned(world, at)
    findings += unsound(loaded.policies, world, at)
    findings += unread_parameters(snapshot.policies, [one.schema for one in schemas.kinds.values()], world)
    findings += without_clauses(snapshot.policies)
    findings += policies_without_cases(snapshot)
    findings += check_fixtures(snapshot, world)
    if cases:
        findings += run_all(loaded, covering=False).findings
    return in_order(findings)


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


def _not_unique(world: World, schemas: Schemas) -> Iterator[Finding]:
    for kind, schema in sorted(schemas.kinds.items()):
        for name, part in schema.shape.fields.items():
            if not part.schema.get("x-remit-unique"):
                continue
            seen: dict[Any, Entity] = {}
            for entity in world.all(kind):
                value = entity.spec.get(name)
                other = seen.setdefault(str(value), entity) if value is not None else entity
                if other is not entity:
                    message = f"{name} is {value!r}, as in {other.ref}; it must be unique."
                    yield finding(
                        "not-unique", message, entity.place_of((name,)), pointer=f"/spec/{name}", record=entity.ref
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


# --- reach -----------------------------------------------------------------------------------------------------------


def _unreached(watch: Watch, world: World, loaded: Loaded, at: datetime) -> Iterator[Finding]:
    """Levels that tell nobody: nobody holds the role, or for some customer no target leads to a reachable person."""
    for level in watch.levels:
        problems = [problem for target in level.notify for problem in _unknown_role(watch, target, world, loaded)]
        yield from problems
        if level.notify and not problems:
            yield from _empty_level(watch, level, world, loaded, at)


def _unknown_role(watch: Watch, target: Target, world: World, loaded: Loaded) -> Iterator[Finding]:
    if target.role in ("person", RESPONSIBLE) or held_anywhere(world, target.role):
        return
    if any(target.role in _role_fields(kind, loaded) for kind in _kinds_of(watch, target, loaded)):
        return
    roles = {a.spec.get("role", "") for a in world.all("RoleAssignment")} | {
        RESPONSIBLE,
        *_role_fields("Customer", loaded),
    }
    yield finding(
        "level-reaches-nobody",
        f'Nobody holds the role "{target.role}".',
        watch.record.place(target.pointer),
        hint=did_you_mean(target.role, roles)
        or f"Appoint somebody: remit new RoleAssignment … --set role={target.role}",
        pointer=pointer_text(target.pointer),
        record=watch.record.id,
    )


def _role_fields(kind: str, loaded: Loaded) -> set[str]:
    schema = loaded.schemas.kinds.get(kind)
    if schema is None:
        return set()
    roles = schema.shape.fields.get("roles")
    people = {name for name, part in schema.shape.fields.items() if "Person" in part.shape.kinds}
    return people | (set(roles.shape.fields) if roles else set())


def _kinds_of(watch: Watch, target: Target, loaded: Loaded) -> set[str]:
    kinds: set[str] = set()
    for path in target.of:
        shape = shape_at(path, watch.scope, loaded.compiler.types)
        kinds |= set(shape.kinds) if shape and shape.type == "reference" else {watch.subject}
    return kinds


def _empty_level(watch: Watch, level: Level, world: World, loaded: Loaded, at: datetime) -> Iterator[Finding]:
    """Whom the level would reach for each customer there is; a level that reaches somebody some other way is fine."""
    if any(not target.of for target in level.notify):
        return
    for customer in world.all("Customer"):
        if customer.spec.get("status", "active") in ("closed", "prospect"):
            continue
        tried: list[str] = []
        for target in level.notify:
            resolution = None
            for of in _stand_ins(watch, target, customer, world, loaded):
                resolution = resolve(world, target.role, of, at)
                if resolution.told:
                    break
                tried += resolution.tried
            if resolution is None or resolution.told:
                break
        else:
            yield finding(
                "level-reaches-nobody",
                f"Level {level.name} reaches nobody for {customer.ref}: {'; '.join(dict.fromkeys(tried))}.",
                watch.record.place(level.pointer),
                hint="Appoint somebody, end a leave, or add another role to the level.",
                pointer=pointer_text(level.pointer),
                record=watch.record.id,
            )


def _stand_ins(watch: Watch, target: Target, customer: Entity, world: World, loaded: Loaded) -> Iterator[Entity]:
    """What a target's paths would lead to for a subject of ``customer``: the customer itself, or its unit."""
    for kind in sorted(_kinds_of(watch, target, loaded)):
        if kind == "Customer":
            yield customer
        elif kind == "OrganizationUnit":
            unit = world.get("OrganizationUnit", customer.spec.get("unit"))
            if unit is not None:
                yield unit


def since(loaded: Loaded, base: Loaded) -> tuple[Finding, ...]:
    """What is wrong with the way from ``base`` to ``loaded``: transitions that a lifecycle forbids, and changed
    policies with a level that no case sees fire or stay silent."""
    findings: list[Finding] = list(uncovered(loaded, lambda policy: _changed(policy, loaded.snapshot, base.snapshot)))
    before = {entity.ref: entity for kind in base.schemas.kinds for entity in base.world.all(kind)}
    for lifecycle in base.policies.lifecycles:
        for entity in loaded.world.all(lifecycle.subject):
            findings += lifecycle.check_transition(before.get(entity.ref), entity, loaded.world)
    return in_order(findings)


def _changed(policy: str, head: Snapshot, base: Snapshot) -> bool:
    before = base.by_id.get(policy)
    return before is None or before.body != head.by_id[policy].body
