"""Who may approve: the people behind a role, a team or a path, looked up where a change cannot reach.

A change never names its own approvers. Who holds a role, who is in a team and who answers for a unit is read from the
base alone; what a change adds only says where in the organisation to look. Whoever wrote the change is passed over, and
where too few people are left the level above is asked too, so that a sole holder's own change can still be approved.
For those on leave the other half of their role stands in, then the deputy whom their leave names, then the level above.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from remit.changes import Candidate
from remit.references import Entity, World, instant, last_instant
from remit.roles import BACKUPS, RESPONSIBLE, deputy_of, unavailable

UNIT = "OrganizationUnit"
_SCOPES = {"Customer": "customer", "Project": "project", "Team": "team", UNIT: "domain"}

_Holder = tuple[str, tuple[str, ...]]
"""A person's name and the steps that led there."""


@dataclass(frozen=True)
class Ground:
    """Where approvers are looked up.

    Attributes:
        base: The records of the base: the only place that confers a role.
        whole: The base with what the change adds, for finding the way; what both have is the base's.
        at: The instant at which a person must not have left.
        author: The Person who wrote the change; empty when it is none.
        others: Further persons who had a part in it; neither they nor the author may approve.
    """

    base: World
    whole: World
    at: datetime
    author: str = ""
    others: tuple[str, ...] = ()


def holders(ground: Ground, roles: Sequence[str], of: Entity | None, count: int) -> tuple[Candidate, ...]:
    """Everybody who may stand for one of ``roles`` of ``of``, by name, each with the way there.

    Nearest first: the record itself (A roles with their B roles), then the units above it with everything below each,
    then whoever is responsible there. The search ends at the first level that brings ``count`` people who are there.
    """
    return _first_enough(ground, _levels(ground, roles, of), count)


def members(ground: Ground, team: str, count: int) -> tuple[Candidate, ...]:
    """The lead and the present members of a team of the base, by name; then those responsible above it."""
    return _first_enough(ground, _team_levels(ground, ground.base.get("Team", team)), count)


def person(ground: Ground, name: str) -> tuple[Candidate, ...]:
    """That person, unless gone or involved in the change."""
    return _first_enough(ground, iter([[(name, (f"Person/{name}",))]]), 1)


def _first_enough(ground: Ground, levels: Iterator[list[_Holder]], count: int) -> tuple[Candidate, ...]:
    found: dict[str, Candidate] = {}
    there = 0
    for level in levels:
        for stage in (level, _deputies(ground, level)):
            for name, path in stage if there < count else ():
                someone = ground.base.get("Person", name)
                involved = name == ground.author or name in ground.others
                if someone is None or involved or name in found or _is_gone(ground, someone):
                    continue
                away = unavailable(ground.base, someone, ground.at)
                there += not away
                found[name] = Candidate(name, (*path, f"{name} ({away})" if away else name))
        if there >= count:
            break
    return tuple(found[name] for name in sorted(found))


def _deputies(ground: Ground, level: Sequence[_Holder]) -> Iterator[_Holder]:
    """Who stands for those of a level who are on leave, as the base names them."""
    for name, path in level:
        someone = ground.base.get("Person", name)
        if someone is not None and (deputy := deputy_of(ground.base, someone, ground.at)):
            away = unavailable(ground.base, someone, ground.at)
            yield deputy, (*path, f"{name} ({away})", "deputy")


def _is_gone(ground: Ground, someone: Entity) -> bool:
    starts = instant(someone.spec.get("validFrom"), ground.base.zone)
    ends = last_instant(someone.spec.get("validTo"), ground.base.zone)
    if ends is None and someone.spec.get("status") == "left":
        return True
    return (starts is not None and ground.at < starts) or (ends is not None and ground.at >= ends)


# --- levels ----------------------------------------------------------------------------------------------------------


def _levels(ground: Ground, roles: Sequence[str], of: Entity | None) -> Iterator[list[_Holder]]:
    if of is None:
        yield [holder for role in roles for holder in _assigned(ground.base, role, None, ())]
        yield [holder for unit in _tops(ground.base) for holder in _responsible(unit, ())]
        return
    if of.kind == "Person":
        yield [(of.name, (of.ref,))]
    if (known := ground.base.get(of.kind, of.name)) is not None:
        of = known  # as the base has it, not as the change would
        yield [holder for role in roles for holder in _held(ground.base, role, of)]
    above = list(_units_above(ground, of))
    for depth, unit in enumerate(above):
        way = (of.ref, *(one.ref for one in above[: depth + 1] if one.ref != of.ref))
        yield [holder for role in roles if role != RESPONSIBLE for holder in _within(ground.base, role, unit, way)]
    if not above:
        yield [holder for role in roles for holder in _assigned(ground.base, role, None, (of.ref,))]
    for unit in above or _tops(ground.base):
        yield _responsible(unit, (of.ref,))


def _team_levels(ground: Ground, team: Entity | None) -> Iterator[list[_Holder]]:
    if team is None:
        return
    rows = [m for m in team.spec.get("members", ()) if _is_present(ground, m)]
    names = [team.spec.get("lead"), *(row.get("person") for row in rows)]
    yield [(name, (team.ref,)) for name in names if isinstance(name, str)]
    for unit in _units_above(ground, team):
        yield _responsible(unit, (team.ref,))


def _is_present(ground: Ground, member: Mapping[str, Any]) -> bool:
    starts = instant(member.get("from"), ground.base.zone)
    ends = last_instant(member.get("to"), ground.base.zone)
    return (starts is None or starts <= ground.at) and (ends is None or ground.at < ends)


def _held(base: World, role: str, of: Entity) -> list[_Holder]:
    """Those whom the record names for the role or its other half, and those appointed to it for the record."""
    if role == RESPONSIBLE:
        return [*_responsible(of, ()), *_named(of, of.spec.get("lead"), "lead")]
    found: list[_Holder] = []
    for name in (role, BACKUPS.get(role)):
        if name:
            own = of.spec.get("roles")
            found += _named(of, own.get(name), f"roles.{name}") if isinstance(own, dict) else []
            found += _named(of, of.spec.get(name), name)
            found += _assigned(base, name, of, (of.ref,))
    return found


def _named(of: Entity, value: Any, field: str) -> list[_Holder]:
    return [(one, (f"{of.ref} {field}",)) for one in (value if isinstance(value, list) else [value]) if _is_text(one)]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _responsible(unit: Entity, way: tuple[str, ...]) -> list[_Holder]:
    name = unit.spec.get("responsiblePerson")
    return [(name, (*way, f"{unit.ref} responsiblePerson"))] if isinstance(name, str) else []


def _within(base: World, role: str, unit: Entity, way: tuple[str, ...]) -> list[_Holder]:
    """Those appointed to the role for a unit of the base or for any unit below it."""
    return [holder for one in _subtree(base, unit) for holder in _held_by_unit(base, role, one, way)]


def _held_by_unit(base: World, role: str, unit: Entity, way: tuple[str, ...]) -> list[_Holder]:
    return _assigned(base, role, unit, way if unit.ref in way else (*way, unit.ref))


def _subtree(base: World, unit: Entity) -> list[Entity]:
    found = [unit]
    for one in found:
        found += [below for below in base.joined(UNIT, "parent", one.name) if below not in found]
    return found


def _assigned(base: World, role: str, of: Entity | None, way: tuple[str, ...]) -> list[_Holder]:
    if of is None:
        appointed = base.joined("RoleAssignment", "role", role)
    elif of.kind in _SCOPES:
        scoped = base.joined("RoleAssignment", f"scope.{_SCOPES[of.kind]}", of.name)
        appointed = [one for one in scoped if one.spec.get("role") == role]
    else:
        return []
    held = [one for one in appointed if one.spec.get("status", "active") == "active"]
    return [(one.spec["person"], (*way, f"{one.ref} ({role})")) for one in held if _is_text(one.spec.get("person"))]


def _units_above(ground: Ground, of: Entity) -> Iterator[Entity]:
    """The units that a record belongs to, nearest first, as the base has them; those that a change adds are passed."""
    unit = of if of.kind == UNIT else _unit_of(ground.whole, of)
    seen: set[str] = set()
    while unit is not None and unit.name not in seen:
        seen.add(unit.name)
        known = ground.base.get(UNIT, unit.name)
        if known is not None:
            yield known
        unit = ground.whole.get(UNIT, (known or unit).spec.get("parent"))


def _unit_of(world: World, of: Entity) -> Entity | None:
    for field in ("unit", "department"):
        if (unit := world.get(UNIT, of.spec.get(field))) is not None:
            return unit
    customer = world.get("Customer", of.spec.get("customer"))
    return world.get(UNIT, customer.spec.get("unit")) if customer else None


def _tops(base: World) -> list[Entity]:
    return [unit for unit in base.all(UNIT) if not unit.spec.get("parent")]
