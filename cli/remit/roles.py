"""From a role to the people who answer for it at an instant, with the way from the one to the other.

A role is held through a record's own role field (the customer's ``roles.ceA``), or through a RoleAssignment scoped to
the record. Where its holder is away, the backup acts (A role, then B role, domain 2.6 and PRM-39), then the level
above.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from remit.decisions import Told
from remit.references import Entity, World, instant, last_instant
from remit.times import format_instant

BACKUPS = {"ceA": "ceB", "ceB": "ceA"}
RESPONSIBLE = "responsible"
"""The role of whoever a unit's ``responsiblePerson`` or a team's ``lead`` names."""

_SCOPES = {"Customer": "customer", "Project": "project", "Team": "team", "OrganizationUnit": "domain"}


@dataclass(frozen=True)
class Resolution:
    """The people who are told (by name, each once) and every step that was tried to find them."""

    told: tuple[Told, ...]
    tried: tuple[str, ...]


def resolve(world: World, role: str, of: Entity | None, at: datetime) -> Resolution:
    """Who answers for ``role`` of ``of`` at ``at``; nobody when the role and every level above it is empty or away."""
    tried: list[str] = []
    for step, people in _levels(world, role, of):
        reached = []
        for person, path in people:
            away = unavailable(world, person, at)
            if away:
                tried.append(f"{path} → {person.name} ({away})")
            else:
                reached.append(Told(role, person.name, (*tried, f"{path} → {person.name}")))
        if reached:
            unique = {told.person: told for told in reversed(reached)}
            return Resolution(tuple(unique[name] for name in sorted(unique)), tuple(tried))
        if not people:
            tried.append(step)
    return Resolution((), tuple(tried))


def what_decides(world: World, role: str, of: Entity) -> Hashable:
    """What of ``of`` decides who answers for ``role``: where two have it equal, the same people answer for both."""
    named = [f"scope.{scope}" for kind, scope in _SCOPES.items() if kind == of.kind]
    if of.kind in ("OrganizationUnit", "Person") or any(world.joined("RoleAssignment", by, of.name) for by in named):
        return of.ref
    own = of.spec.get("roles")
    roles = own if isinstance(own, dict) else {}
    names = ("responsiblePerson", "lead") if role == RESPONSIBLE else (role, BACKUPS.get(role, role))
    values = (of.spec.get("unit") or of.spec.get("department"), *(x.get(n) for n in names for x in (of.spec, roles)))
    return of.kind, *(value if isinstance(value, str) else None for value in values), *(name in roles for name in names)


_Level = tuple[str, list[tuple[Entity, str]]]


def _levels(world: World, role: str, of: Entity | None) -> Iterator[_Level]:
    """What is tried, nearest first: the role itself, its backup, the units above, who is responsible there."""
    if of is None:
        yield f"nobody holds {role}", _assigned(world, role, None)
        return
    if of.kind == "Person":
        yield f"{of.ref} is not reachable", [(of, of.ref)]
        return
    for name in (role, BACKUPS.get(role)):
        if name:
            yield f"{of.ref} has no {name}", _held(world, name, of)
    unit = (
        of
        if of.kind == "OrganizationUnit"
        else world.get("OrganizationUnit", of.spec.get("unit") or of.spec.get("department"))
    )
    above: list[Entity] = []
    while unit is not None and unit not in above:
        above.append(unit)
        unit = world.get("OrganizationUnit", unit.spec.get("parent"))
    for one in above:
        if one is not of:
            yield f"{one.ref} has no {role}", _held(world, role, one)
    for one in above:
        yield f"{one.ref} names nobody responsible", _field(world, one, "responsiblePerson", "responsiblePerson")


def _held(world: World, role: str, of: Entity) -> list[tuple[Entity, str]]:
    if role == RESPONSIBLE:
        return _field(world, of, "responsiblePerson", "responsiblePerson") or _field(world, of, "lead", "lead")
    roles = of.spec.get("roles")
    if isinstance(roles, dict) and role in roles:
        return _person(world, roles[role], f"{of.ref} roles.{role}")
    return _field(world, of, role, role) or _assigned(world, role, of)


def _field(world: World, of: Entity, field: str, label: str) -> list[tuple[Entity, str]]:
    return _person(world, of.spec.get(field), f"{of.ref} {label}")


def _person(world: World, name: Any, path: str) -> list[tuple[Entity, str]]:
    person = world.get("Person", name)
    return [(person, path)] if person else []


def _assigned(world: World, role: str, of: Entity | None) -> list[tuple[Entity, str]]:
    if of is None:
        assignments = [a for a in world.all("RoleAssignment") if a.spec.get("role") == role]
    elif of.kind in _SCOPES:
        assignments = [
            a
            for a in world.joined("RoleAssignment", f"scope.{_SCOPES[of.kind]}", of.name)
            if a.spec.get("role") == role
        ]
    else:
        return []
    found = []
    for assignment in assignments:
        if assignment.spec.get("status", "active") == "active":
            found += _person(world, assignment.spec.get("person"), f"{assignment.ref} ({role})")
    return found


def unavailable(world: World, person: Entity, at: datetime) -> str:
    """Why a person cannot be told anything at ``at``; empty when they can."""
    spec = person.spec
    starts, ends = instant(spec.get("validFrom"), world.zone), last_instant(spec.get("validTo"), world.zone)
    if starts is not None and at < starts:
        return f"begins on {format_instant(starts)[:10]}"
    if ends is not None and at >= ends:
        return f"left on {format_instant(ends)[:10]}"
    if spec.get("status") == "left" and ends is None:
        return "has left"
    for leave in _leaves(world, person, at):
        last = instant(leave.get("to"), world.zone)
        return f"on leave until {format_instant(last)[:10]}" if last else "on leave"
    if not spec.get("contact"):
        return "has no contact"
    return "absent" if spec.get("status") == "absent" and not spec.get("leave") else ""


def deputy_of(world: World, person: Entity, at: datetime) -> str:
    """The name of whoever stands for a person who is on leave at ``at``; empty when nobody does."""
    return next((leave["deputy"] for leave in _leaves(world, person, at) if leave.get("deputy")), "")


def _leaves(world: World, person: Entity, at: datetime) -> Iterator[Mapping[str, Any]]:
    for leave in person.spec.get("leave", ()):
        first, last = instant(leave.get("from"), world.zone), instant(leave.get("to"), world.zone)
        if first is not None and first <= at and (last is None or at < last):
            yield leave


def held_anywhere(world: World, role: str) -> bool:
    """True when somebody holds ``role``, wherever."""
    return bool(_assigned(world, role, None)) or any(
        role in customer.spec.get("roles", {}) for customer in world.all("Customer")
    )
