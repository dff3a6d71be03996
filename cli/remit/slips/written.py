"""A policy as slips see it, what a slip is, and what a store has to confuse one thing with another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from remit.conditions.checks import Scope
from remit.conditions.condition import Condition
from remit.conditions.messages import MessageTypes
from remit.places import Pointer
from remit.references import World

REMOVED: Any = object()
"""The value of a part that is left out."""

Holders = Mapping[str, frozenset[str]]
"""The people who hold a role, by what they hold it for."""


@dataclass(frozen=True)
class Ground:
    """What a store has to confuse one thing with another: parameters, limits of terms, roles by holders, calendars."""

    parameters: Mapping[str, Any]
    roles: Mapping[str, Holders]
    fields: Mapping[str, Holders]
    calendars: tuple[str, ...]
    working: str


class Slip(NamedTuple):
    """One part of a spec with another value; ``said`` names it where old and new value would not."""

    pointer: Pointer
    family: str
    value: Any
    said: str = ""
    offset: int = 0


@dataclass(frozen=True)
class Written:
    """A policy as slips see it: its spec, what its conditions mean, and what there is to confuse.

    Attributes:
        spec: As written.
        scope: What its paths may begin with.
        conditions: The compiled conditions by their pointers inside the spec.
        levels: The names of the levels of every policy whose decisions it reads, by policy.
        types: The types of names.
        ground: What the store has.
    """

    spec: Mapping[str, Any]
    scope: Scope
    conditions: Mapping[Pointer, Condition]
    levels: Mapping[str, tuple[str, ...]]
    types: MessageTypes
    ground: Ground


Make = Callable[[Pointer, Any, Written], Iterator[Slip]]
Table = tuple[tuple[str, Make], ...]


def ground_of(world: World) -> Ground:
    """The ground of one store."""
    roles: dict[str, dict[str, frozenset[str]]] = {}
    for one in world.all("RoleAssignment"):
        _hold(roles, one.spec.get("role"), str(one.spec.get("scope", "")), one.spec.get("person"))
    of_customers: dict[str, dict[str, frozenset[str]]] = {}
    for customer in world.all("Customer"):
        for role, person in customer.spec.get("roles", {}).items():
            _hold(of_customers, role, customer.name, person)
    return Ground(
        {name: one.get("value") for name, one in world.parameters.items()},
        roles,
        of_customers,
        ("always", *(calendar.name for calendar in world.all("Calendar"))),
        world.config.calendar,
    )


def _hold(roles: dict[str, dict[str, frozenset[str]]], role: Any, scope: str, person: Any) -> None:
    held = roles.setdefault(str(role), {})
    held[scope] = held.get(scope, frozenset()) | {str(person)}


def value_at(spec: Any, pointer: Iterable[str | int]) -> Any:
    """What stands at a place of a spec."""
    for step in pointer:
        spec = spec[step]
    return spec
