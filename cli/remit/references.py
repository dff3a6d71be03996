"""How records and facts refer to one another: the world in which conditions follow a reference by the dot.

A world is records and facts together, looked up by kind and name. References rot in three ways, and each is a finding:
nothing of that name, a name of another kind, or a record that does not hold on the date on which it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from remit.findings import Finding, did_you_mean, finding
from remit.places import Place, Pointer, pointer_text
from remit.records import Config, Record, title_in
from remit.schemas import Schemas, Shape
from remit.sentences import say
from remit.times import format_instant, parse_instant


@dataclass(frozen=True)
class Entity:
    """A record or a fact, as rules see it: what it is, what it says, and where that was written."""

    kind: str
    name: str
    spec: Mapping[str, Any]
    place: Place
    record: Record | None = None

    @property
    def ref(self) -> str:
        """``Kind/name``."""
        return f"{self.kind}/{self.name}"

    def title(self, language: str) -> str:
        """The record's title in ``language``; the name where there is none, as for facts."""
        return (title_in(self.record.metadata.get("title"), language) if self.record else "") or self.name

    def peek(self) -> Mapping[str, Any]:
        """``spec``; what had to be unpacked for it is not kept."""
        return self.spec

    def place_of(self, pointer: Pointer) -> Place:
        """Where the value at ``pointer`` inside ``spec`` was written; the row for a fact."""
        return self.record.place(("spec", *pointer)) if self.record else self.place


class Use(NamedTuple):
    """One reference: ``user`` names ``name`` (of one of ``kinds``) at ``pointer`` inside its spec."""

    user: Entity
    pointer: Pointer
    kinds: tuple[str, ...]
    name: str


class World:
    """Every record and fact there is at one moment. Records win over facts of the same kind and name."""

    def __init__(self, schemas: Schemas, entities: Iterable[Entity], config: Config) -> None:
        self.schemas = schemas
        self.config = config
        self._kinds: dict[str, dict[str, Entity]] = {}
        for entity in entities:
            self._kinds.setdefault(entity.kind, {}).setdefault(entity.name, entity)
        self._sorted: dict[str, list[Entity]] = {}
        self._likely: dict[tuple[tuple[str, ...], str], str] = {}
        self._joined: dict[tuple[str, str], dict[str, list[Entity]]] = {}

    @property
    def zone(self) -> ZoneInfo:
        """The store's time zone."""
        return self.config.zone

    def get(self, kind: str, name: Any) -> Entity | None:
        """The record or fact of that kind and name."""
        return self._kinds.get(kind, {}).get(name) if isinstance(name, str) else None

    def find(self, kinds: Iterable[str], name: Any) -> Entity | None:
        """The first of ``kinds`` that has ``name``; of several kinds, ``Kind/name`` names one exactly.

        Where there is one kind only, a name is written in one way: conditions compare it as a text.
        """
        if isinstance(name, str) and "/" in name:
            kind, _, rest = name.partition("/")
            several = set(kinds)
            return self.get(kind, rest) if kind in several and len(several) > 1 else None
        return next((e for kind in kinds if (e := self.get(kind, name))), None)

    def all(self, kind: str) -> Sequence[Entity]:
        """Everything of one kind, by name."""
        if kind not in self._sorted:
            self._sorted[kind] = [entity for _, entity in sorted(self._kinds.get(kind, {}).items())]
        return self._sorted[kind]

    def names_of(self, kind: str) -> list[str]:
        """The names of everything of one kind, in order."""
        return sorted(self._kinds.get(kind, {}))

    def values(self, kind: str, field: str) -> set[str]:
        """The texts that records of one kind have at a field."""
        return {value for entity in self.all(kind) if isinstance(value := entity.spec.get(field), str)}

    def likely(self, kinds: tuple[str, ...], name: str) -> str:
        """What may be meant by a name that nothing of these kinds has, as a hint; often many ask for the same."""
        if (kinds, name) not in self._likely:
            self._likely[kinds, name] = did_you_mean(name, [one for kind in kinds for one in self.names_of(kind)])
        return self._likely[kinds, name]

    def joined(self, kind: str, field: str, name: str) -> list[Entity]:
        """Everything of ``kind`` whose ``field`` names ``name``, by name. A dotted field looks inside objects."""
        index = self._joined.get((kind, field))
        if index is None:
            index = {}
            for entity in self.all(kind):
                for one in named_by(entity, field):
                    index.setdefault(one, []).append(entity)
            self._joined[kind, field] = index
        return index.get(name, [])

    @cached_property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """The parameters that policies read as ``param.name``: of the set that remit.yaml names, else of all sets."""
        chosen = self.config.parameters
        sets = [s for s in self.all("ParameterSet") if not chosen or s.name == chosen]
        merged: dict[str, Mapping[str, Any]] = {}
        for parameter_set in sets:
            merged.update(parameter_set.spec.get("parameters", {}))
        return merged

    @cached_property
    def parameter_values(self) -> dict[str, Any]:
        """What each ``param.name`` stands for."""
        return {name: parameter.get("value") for name, parameter in self.parameters.items()}


def named_by(entity: Entity, field: str) -> list[str]:
    """The texts at a field of an entity, one or a list of them; a dotted field looks inside objects."""
    value: Any = entity.spec
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def world_of_records(schemas: Schemas, records: Iterable[Record]) -> list[Entity]:
    """Records as entities; those of a kind without a schema are left out (``check`` names them)."""
    return [_Recorded.of(record) for record in records if record.kind in schemas.kinds]


class _Recorded(Entity):
    """A record as an entity; nothing is looked up in the record before it is asked for."""

    @classmethod
    def of(cls, record: Record) -> Entity:
        """The record, not looked into."""
        made = object.__new__(cls)
        made.__dict__.update(kind=record.kind, name=record.name, record=record)
        return made

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """The fields of its kind."""
        return self.record.spec if self.record else {}

    @cached_property
    def place(self) -> Place:
        """Where the record begins."""
        return self.record.place() if self.record else Place("")

    def peek(self) -> Mapping[str, Any]:
        """As of every entity."""
        return self.record.peek() if self.record and "spec" not in self.__dict__ else self.spec


def names_in(spec: Mapping[str, Any], shape: Shape) -> tuple[tuple[tuple[str, ...], str], ...]:
    """What the fields of a record refer to, each once: the kinds that may be meant, and the name."""
    return tuple({found[1:]: None for found in _found(spec, shape)})


def uses(entity: Entity, shape: Shape) -> list[Use]:
    """Every reference that ``entity`` makes, in the order of its schema."""
    return [Use(entity, *found) for found in _found(entity.spec, shape)]


def _found(spec: Mapping[str, Any], shape: Shape) -> list[tuple[Pointer, tuple[str, ...], str]]:
    found: list[tuple[Pointer, tuple[str, ...], str]] = []
    if shape.refers:
        _collect(spec, shape, (), found)
    return found


def _collect(value: Any, shape: Shape, pointer: Pointer, found: list[tuple[Pointer, tuple[str, ...], str]]) -> None:
    if shape.type == "reference":
        if isinstance(value, str):
            found.append((pointer, shape.kinds, value))
    elif shape.type == "object" and isinstance(value, dict):
        for name, inner in shape.referring:
            if name in value:
                _collect(value[name], inner, (*pointer, name), found)
    elif shape.type == "list" and shape.item and shape.item.refers and isinstance(value, list):
        for index, one in enumerate(value):
            _collect(one, shape.item, (*pointer, index), found)


def check_references(world: World, entities: Iterable[Entity], code: str = "unknown-reference") -> Iterator[Finding]:
    """Findings for every reference of ``entities`` that leads nowhere, or to what does not hold when it is used."""
    there: set[tuple[tuple[str, ...], str]] = set()
    for entity in entities:
        if _leads_on(world, entity, there):
            continue
        for use in uses(entity, world.schemas.kinds[entity.kind].shape):
            target = world.find(use.kinds, use.name)
            if target is None:
                yield _broken(world, use, code)
            elif entity.kind in DATED:
                yield from _not_valid(entity, use, target)


def _leads_on(world: World, entity: Entity, there: set[tuple[tuple[str, ...], str]]) -> bool:
    """Whether it is known, without looking into the entity, that there is nothing to say of its references.

    What leads to something is noted in ``there``.
    """
    gist = entity.record.gist if entity.record else None
    if gist is None:
        return False
    if not there.issuperset(gist.names):
        there.update(one for one in gist.names if one not in there and world.find(*one) is not None)
    if entity.kind in DATED and there.issuperset(gist.names):
        spec, targets = entity.peek(), (world.find(*one) for one in gist.names)
        return not any(_why_not_valid(spec, target) for target in targets if target is not None)
    return there.issuperset(gist.names)


def _broken(world: World, use: Use, code: str) -> Finding:
    where = {"pointer": "/spec" + pointer_text(use.pointer), "record": use.user.ref}
    place = use.user.place_of(use.pointer)
    field = ".".join(str(p) for p in use.pointer if isinstance(p, str))
    of_record = code == "unknown-reference"
    elsewhere = [k for k in sorted(world.schemas.kinds) if world.get(k, use.name)] if of_record else []
    if elsewhere:
        message = say("finding.wrong-kind", field=field, name=use.name, found=elsewhere, allowed=use.kinds)
        allowed = say("finding.name-one", allowed=use.kinds)
        return finding("wrong-kind-reference", message, place, hint=allowed, **where)
    kind, _, bare = use.name.partition("/")
    if bare and use.kinds == (kind,) and world.get(kind, bare) is not None:
        message = say("finding.one-kind", field=field, name=use.name, kind=kind)
        return finding(code, message, place, hint=say("finding.bare-name", name=bare), **where)
    files = [f"records/{world.schemas.kinds[k].folder}/{use.name}.yaml" for k in use.kinds if k in world.schemas.kinds]
    hint = world.likely(use.kinds, use.name) or say("finding.make-it", kind=use.kinds[0], name=use.name)
    message = say("finding.nothing-there", field=field, name=use.name, files=files)
    return finding(code, message, place, hint=hint, **where)


ENDED = frozenset({"left", "dissolved", "ended", "retired", "superseded"})
"""States in which a record no longer holds, whatever its dates say."""


DATED = ("RoleAssignment", "Team", "Customer", "OrganizationUnit")
"""Kinds whose references must hold on the dates on which they are used."""


def _not_valid(entity: Entity, use: Use, target: Entity) -> Iterator[Finding]:
    if why := _why_not_valid(entity.spec, target):
        field = ".".join(str(p) for p in use.pointer if isinstance(p, str))
        yield finding(
            "reference-not-valid",
            say("finding.not-valid", field=field, name=use.name, why=why),
            entity.place_of(use.pointer),
            hint=say("finding.name-who-holds"),
            pointer="/spec" + pointer_text(use.pointer),
            record=entity.ref,
        )


def _why_not_valid(spec: Mapping[str, Any], target: Entity) -> str:
    """A reference must hold on the dates on which the referring record holds; without dates, it must not have ended."""
    used_from, used_to = instant(spec.get("validFrom")), instant(spec.get("validTo"))
    starts, ends = instant(target.spec.get("validFrom")), instant(target.spec.get("validTo"))
    if used_to is not None or spec.get("status") in ENDED:
        return ""
    if ends is not None and target.spec.get("status") in ENDED:
        return say("finding.ended-on", record=target.ref, at=format_instant(ends))
    if target.spec.get("status") in ENDED:
        return say("finding.is-in-state", record=target.ref, state=target.spec["status"])
    if used_from is not None and starts is not None and starts > used_from:
        return say("finding.begins-on", record=target.ref, at=format_instant(starts))
    return ""


def last_instant(value: Any, zone: ZoneInfo) -> datetime | None:
    """The first instant after what ``validTo`` says: a date is valid to the end of its day."""
    return _read_last(value, zone) if isinstance(value, str) else None


def instant(value: Any, zone: ZoneInfo | None = None) -> datetime | None:
    """The instant that a schema-valid value says; None for anything that is not one. A date is its first moment."""
    return _read(value, zone) if isinstance(value, str) else None


# The same few texts (valid from, accepted at) are asked for again and again by every policy.
@lru_cache(maxsize=1 << 16)
def _read(text: str, zone: ZoneInfo | None) -> datetime | None:
    try:
        return parse_instant(text)
    except ValueError:
        pass
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), zone) if zone else None
    except ValueError:
        return None


@lru_cache(maxsize=1 << 12)
def _read_last(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), datetime.min.time(), zone)
    except ValueError:
        return _read(text, None)
