"""Whom the levels of watching policies reach: a level that tells nobody is found before it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from remit.conditions.checks import shape_at
from remit.evaluating import Loaded
from remit.findings import Finding, did_you_mean, finding
from remit.places import pointer_text
from remit.policies.reading import Target
from remit.policies.watch import Level, Watch
from remit.references import World
from remit.roles import RESPONSIBLE, held_anywhere
from remit.ways import Kinds, Reach, Ways


def unreached(loaded: Loaded, at: datetime, alike: Mapping[str, Sequence[str]] | None = None) -> Iterator[Finding]:
    """Levels that tell nobody: nobody holds the role, or for some customer no target leads to a reachable person.

    ``alike`` has the names of the customers by their likeness, should they be known.
    """
    reach = Reach(loaded.world, at, alike)
    for watch in loaded.policies.watches:
        for level in watch.levels:
            ways = _ways(watch, level, loaded)
            problems = [
                problem
                for target, (_, kinds) in zip(level.notify, ways, strict=True)
                for problem in _unknown_role(watch, target, kinds, loaded)
            ]
            yield from problems
            if not problems and _needs_customers(level):
                yield from _empty_level(watch, level, ways, reach, loaded.world)


def ways_of(loaded: Loaded) -> frozenset[Ways]:
    """What must lead to somebody for every customer."""
    levels = ((watch, level) for watch in loaded.policies.watches for level in watch.levels)
    return frozenset(_ways(watch, level, loaded) for watch, level in levels if _needs_customers(level))


def roles_of(loaded: Loaded) -> frozenset[str]:
    """The roles that somebody must hold, wherever: no record that a level leads to has them as a field."""
    levels = ((watch, level) for watch in loaded.policies.watches for level in watch.levels)
    pairs = (pair for watch, level in levels for pair in _ways(watch, level, loaded))
    return frozenset(role for role, kinds in pairs if _must_be_held(role, kinds, loaded))


def _must_be_held(role: str, kinds: Kinds, loaded: Loaded) -> bool:
    return role not in ("person", RESPONSIBLE) and not any(role in _role_fields(kind, loaded) for kind in kinds)


def _needs_customers(level: Level) -> bool:
    """Whether everybody whom a level tells is found through the subject; one who is named some other way is enough."""
    return bool(level.notify) and all(target.of for target in level.notify)


def _ways(watch: Watch, level: Level, loaded: Loaded) -> Ways:
    return tuple((target.role, _kinds_of(watch, target, loaded)) for target in level.notify)


def _unknown_role(watch: Watch, target: Target, kinds: Kinds, loaded: Loaded) -> Iterator[Finding]:
    world = loaded.world
    if not _must_be_held(target.role, kinds, loaded) or held_anywhere(world, target.role):
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


def _kinds_of(watch: Watch, target: Target, loaded: Loaded) -> Kinds:
    kinds: set[str] = set()
    for path in target.of:
        shape = shape_at(path, watch.scope, loaded.compiler.types)
        kinds |= set(shape.kinds) if shape and shape.type == "reference" else {watch.subject}
    return frozenset(kinds)


def _empty_level(watch: Watch, level: Level, ways: Ways, reach: Reach, world: World) -> Iterator[Finding]:
    """Whom the level would reach for each customer there is."""
    lost = reach.lost(ways)
    for customer in (one for one in world.all("Customer") if one.name in lost):
        tried = (step for role, kinds in ways for step in reach.tried(role, kinds, customer))
        yield finding(
            "level-reaches-nobody",
            f"Level {level.name} reaches nobody for {customer.ref}: {'; '.join(dict.fromkeys(tried))}.",
            watch.record.place(level.pointer),
            hint="Appoint somebody, end a leave, or add another role to the level.",
            pointer=pointer_text(level.pointer),
            record=watch.record.id,
        )
