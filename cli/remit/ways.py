"""The ways that lead from a level to people, and the customers for whom none does.

Stores have many customers and few ways to differ in who answers for them: customers that are alike in what decides that
are asked about once.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from remit.references import Entity, World, named_by
from remit.roles import BACKUPS, resolve, what_decides
from remit.schemas import KindSchema

Kinds = frozenset[str]
Ways = tuple[tuple[str, Kinds], ...]
"""Whom a level tells: roles, each with the kinds of record at which it may be held. One that leads on is enough."""

DECIDING = ("status", "unit", "department", "roles", "responsiblePerson", "lead")
"""Fields that decide who answers for a record whatever the role; a role may have a field of its own name beside."""


class Reach:
    """For which customers a role leads to nobody at one instant."""

    def __init__(self, world: World, at: datetime, alike: Mapping[str, Sequence[str]] | None = None) -> None:
        """``alike`` has the names of the customers by their likeness; without it each is asked about by itself."""
        self._world, self._at, self._alike = world, at, alike
        self._missed: dict[tuple[str, Kinds], frozenset[str]] = {}
        self._told: dict[tuple[str, Hashable], bool] = {}

    @cached_property
    def _served(self) -> list[tuple[Entity, Sequence[str]]]:
        """The customers that are served: one of each sort, with the names of all who are like it."""
        everybody = {one.name: one for one in self._world.all("Customer")}
        assignments = self._world.all("RoleAssignment") if self._alike is not None else ()
        appointed = {name for one in assignments for name in named_by(one, "scope.customer")}
        sorts = (self._alike if self._alike is not None else {name: [name] for name in everybody}).values()
        found: list[tuple[Entity, Sequence[str]]] = []
        for names in sorts:
            if everybody[names[0]].peek().get("status", "active") not in ("closed", "prospect"):
                by_themselves = [name for name in names if name in appointed]
                others = [name for name in names if name not in appointed] if by_themselves else names
                found += [(everybody[name], [name]) for name in by_themselves]
                found += [(everybody[others[0]], others)] if others else []
        return found

    def lost(self, ways: Ways) -> frozenset[str]:
        """The customers for which no way leads to anybody."""
        return frozenset.intersection(*(self.missed(role, kinds) for role, kinds in ways))

    def missed(self, role: str, kinds: Kinds) -> frozenset[str]:
        """The customers for which a subject of these kinds leads to records, and none of them to a person."""
        if (role, kinds) not in self._missed:
            self._missed[role, kinds] = frozenset(
                name
                for customer, names in self._served
                if (stand_ins := self._stand_ins(kinds, customer))
                and not any(self._tells(role, of) for of in stand_ins)
                for name in names
            )
        return self._missed[role, kinds]

    def tried(self, role: str, kinds: Kinds, customer: Entity) -> Iterator[str]:
        """What was tried in vain, in order."""
        for of in self._stand_ins(kinds, customer):
            yield from resolve(self._world, role, of, self._at).tried

    def _tells(self, role: str, of: Entity) -> bool:
        key = role, what_decides(self._world, role, of)
        if key not in self._told:
            self._told[key] = bool(resolve(self._world, role, of, self._at).told)
        return self._told[key]

    def _stand_ins(self, kinds: Kinds, customer: Entity) -> list[Entity]:
        """What a target's paths would lead to for a subject of ``customer``: the customer itself, or its unit."""
        unit = self._world.get("OrganizationUnit", customer.spec.get("unit"))
        return [
            entity
            for kind, entity in (("Customer", customer), ("OrganizationUnit", unit))
            if kind in kinds and entity is not None
        ]


def deciding_fields(ways: Iterable[Ways], customer: KindSchema | None) -> tuple[str, ...]:
    """The fields that decide whom these ways, and others between people, reach for a customer."""
    named = {role for way in ways for role, _ in way}
    people = {name for name, part in customer.shape.fields.items() if "Person" in part.shape.kinds} if customer else ()
    return tuple(sorted({*DECIDING, *BACKUPS, *named, *people, *(BACKUPS.get(role, role) for role in named)}))


def alike_in(world: World, fields: Sequence[str]) -> dict[str, list[str]]:
    """The names of customers by their likeness."""
    known: dict[bytes, str] = {}
    found: dict[str, list[str]] = {}
    for one in world.all("Customer"):
        spec = one.peek()
        said = marshal.dumps([(name, spec[name]) for name in fields if name in spec], 2)
        if said not in known:
            known[said] = likeness(spec, fields)
        found.setdefault(known[said], []).append(one.name)
    return found


def likeness(spec: Mapping[str, Any], fields: Iterable[str]) -> str:
    """What of a customer decides whom its levels reach, as JSON: those with the same are alike."""
    return json.dumps({name: spec[name] for name in fields if name in spec}, sort_keys=True, separators=(",", ":"))
