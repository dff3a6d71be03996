"""The ways that lead from a level to people, and the customers for whom none does.

Stores have many customers and few ways to differ in who answers for them: customers that are alike in what decides that
are asked about once.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from remit.references import Entity, World
from remit.roles import BACKUPS, resolve, what_decides
from remit.schemas import KindSchema

Kinds = frozenset[str]
Ways = tuple[tuple[str, Kinds], ...]
"""Whom a level tells: roles, each with the kinds of record at which it may be held. One that leads on is enough."""

DECIDING = ("status", "unit", "department", "roles", "responsiblePerson", "lead")
"""Fields that decide who answers for a record whatever the role; a role may have a field of its own name beside."""


class Reach:
    """For which customers a role leads to nobody at one instant."""

    def __init__(self, world: World, at: datetime) -> None:
        self._world, self._at = world, at
        self._missed: dict[tuple[str, Kinds], frozenset[str]] = {}
        self._told: dict[tuple[str, Hashable], bool] = {}

    @cached_property
    def customers(self) -> dict[str, Entity]:
        """The customers that are served, by name."""
        everybody = self._world.all("Customer")
        return {c.name: c for c in everybody if c.spec.get("status", "active") not in ("closed", "prospect")}

    def lost(self, ways: Ways) -> frozenset[str]:
        """The customers for which no way leads to anybody."""
        return frozenset.intersection(*(self.missed(role, kinds) for role, kinds in ways))

    def missed(self, role: str, kinds: Kinds) -> frozenset[str]:
        """The customers for which a subject of these kinds leads to records, and none of them to a person."""
        if (role, kinds) not in self._missed:
            self._missed[role, kinds] = frozenset(
                name
                for name, customer in self.customers.items()
                if (stand_ins := self._stand_ins(kinds, customer))
                and not any(self._tells(role, of) for of in stand_ins)
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


def likeness(spec: Mapping[str, Any], fields: Iterable[str]) -> str:
    """What of a customer decides whom its levels reach, as JSON: those with the same are alike."""
    return json.dumps({name: spec[name] for name in fields if name in spec}, sort_keys=True, separators=(",", ":"))
