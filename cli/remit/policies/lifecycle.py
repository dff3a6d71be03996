"""Lifecycle policies: which states follow one another, what each requires, and what a change of a field requires.

What a state requires is checked on any snapshot; transitions and changed fields on the difference of two. Findings
stand at the field that holds the state and say which part of the requirement is missing and which clause asks for it.

Source: design section 6; domain section 3.K and the States lines of the kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from remit.conditions.condition import Bindings, Compiler, Condition
from remit.findings import Finding, did_you_mean, finding, has_errors
from remit.places import Pointer
from remit.policies.reading import PolicyReader, Related
from remit.records import Record, title_in
from remit.references import Entity, World
from remit.schemas import Field


@dataclass(frozen=True)
class Requirement:
    """A condition that must hold, what it is called, and the clauses that ask for it."""

    condition: Condition | None
    title: Any
    clauses: tuple[str, ...]


@dataclass(frozen=True)
class Transition:
    """From any of some states to any of others, and what it requires; ``by`` says who does it."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    requirement: Requirement
    by: str


@dataclass(frozen=True)
class Lifecycle:
    """A compiled LifecyclePolicy. ``fallback`` is the state of a record that does not say its state."""

    record: Record
    subject: str
    field: str
    fallback: str
    initial: tuple[str, ...]
    related: Mapping[str, Related]
    states: Mapping[str, Requirement]
    transitions: tuple[Transition, ...]
    changes: tuple[tuple[str, Requirement], ...]
    is_closed: bool
    clauses: tuple[str, ...]

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.record.name

    def state_of(self, entity: Entity) -> str:
        """The state that a record is in; empty when it says none and the schema has no default."""
        return str(entity.spec.get(self.field, self.fallback))

    def check_world(self, world: World) -> list[Finding]:
        """Records that are in a state without what it requires."""
        return [found for entity in world.all(self.subject) for found in self.check_state(entity, world)]

    def check_state(self, entity: Entity, world: World) -> list[Finding]:
        """The same for one record."""
        state = self.state_of(entity)
        requirement = self.states.get(state)
        if requirement is None:
            return []
        missing = self.missing(requirement, {"subject": entity}, entity, world)
        return self._unmet(entity, self.field, f'is "{state}"', requirement, missing) if missing else []

    def check_transition(self, before: Entity | None, after: Entity, world: World) -> list[Finding]:
        """What is wrong with the way from one version of a record to the next; ``before`` is None for a new one.

        Records that are not alike in state and guarded fields are judged in ``world``, the world of ``after``.
        """
        if before is None:
            return self._check_beginning(after)
        return [*self._check_move(before, after, world), *self._check_fields(before, after, world)]

    # --- parts

    def _check_beginning(self, after: Entity) -> list[Finding]:
        state = self.state_of(after)
        if not self.initial or state in self.initial:
            return []
        message = f'A new {self.subject} begins as "{state}"; it begins as {_either(self.initial)}.'
        return [self._forbidden(after, message, f"Write: {self.field}: {self.initial[0]}", self.clauses)]

    def _check_move(self, before: Entity, after: Entity, world: World) -> list[Finding]:
        old, new = self.state_of(before), self.state_of(after)
        if old == new:
            return []
        listed = [t for t in self.transitions if old in t.sources and new in t.targets]
        if not listed:
            return self._unlisted(after, old, new) if self.is_closed else []
        said = f'moved from "{old}" to "{new}"'
        unmet: list[Finding] = []
        for transition in listed:
            requirement = transition.requirement
            missing = self.missing(requirement, {"before": before, "after": after}, after, world)
            if not missing:
                return []
            unmet += self._unmet(after, self.field, said, requirement, missing)
        return unmet

    def _unlisted(self, after: Entity, old: str, new: str) -> list[Finding]:
        ways = sorted({target for t in self.transitions if old in t.sources for target in t.targets})
        message = f'{after.ref} moved from "{old}" to "{new}", which {self.record.id} does not allow.'
        hint = f'From "{old}" it may go to {_either(ways)}.' if ways else f'"{old}" is its last state.'
        return [self._forbidden(after, message, hint, self.clauses)]

    def _check_fields(self, before: Entity, after: Entity, world: World) -> list[Finding]:
        found: list[Finding] = []
        for field, requirement in self.changes:
            if before.spec.get(field) == after.spec.get(field):
                continue
            if missing := self.missing(requirement, {"before": before, "after": after}, after, world):
                found += self._unmet(after, field, f"has another {field}", requirement, missing)
        return found

    def missing(
        self, requirement: Requirement, values: Mapping[str, Entity], entity: Entity, world: World
    ) -> list[str]:
        """The parts of a requirement that do not hold; empty when it holds."""
        condition = requirement.condition
        if condition is None:
            return []
        bindings = self.bindings(condition, values, entity, world)
        if condition.holds(bindings):
            return []
        return [part.text for part in condition.parts if not part.holds(bindings)] or [condition.text]

    def bindings(self, condition: Condition, values: Mapping[str, Entity], entity: Entity, world: World) -> Bindings:
        """What a condition of the policy reads: ``values``, parameters, and the records related to ``entity``."""
        bound: dict[str, Any] = dict(values)
        bound["param"] = {name: one.get("value") for name, one in world.parameters.items()}
        for name, one in self.related.items():
            bound[name] = world.joined(one.kind, one.field, entity.name)
        return Bindings(world, bound, condition.scope)

    def _unmet(
        self, entity: Entity, field: str, said: str, requirement: Requirement, missing: Sequence[str]
    ) -> list[Finding]:
        title = title_in(requirement.title, "en")
        needs = f": {title}" if title else ""
        message = f"{entity.ref} {said} without what that requires{needs}{_cited(requirement.clauses or self.clauses)}."
        return [
            finding(
                "state-requirement",
                message,
                entity.place_of((field,)),
                hint=f"Not so: {'; '.join(missing)}",
                pointer=f"/spec/{field}",
                record=entity.ref,
            )
        ]

    def _forbidden(self, entity: Entity, message: str, hint: str, clauses: Sequence[str]) -> Finding:
        return finding(
            "forbidden-transition",
            message.removesuffix(".") + _cited(clauses) + ".",
            entity.place_of((self.field,)),
            hint=hint,
            pointer=f"/spec/{self.field}",
            record=entity.ref,
        )


def _cited(clauses: Sequence[str]) -> str:
    return f" ({', '.join(clauses)})" if clauses else ""


def _either(states: Sequence[str]) -> str:
    return " or ".join(f'"{state}"' for state in states)


def check_lifecycle(policy: Lifecycle, before: Entity | None, after: Entity, world: World) -> list[Finding]:
    """Everything wrong with a new version of a record: the way to it, and what its state requires."""
    return [*policy.check_transition(before, after, world), *policy.check_state(after, world)]


# --- compiling -------------------------------------------------------------------------------------------------------


def compile_lifecycle(
    record: Record, compiler: Compiler, lines: tuple[str, ...]
) -> tuple[Lifecycle | None, list[Finding]]:
    """The policy, or None and everything that is wrong with it. The record has passed its schema."""
    return _Reader(record, compiler, lines).read()


class _Reader(PolicyReader):
    known: tuple[str, ...] = ()

    def read(self) -> tuple[Lifecycle | None, list[Finding]]:
        spec = self.record.spec
        field = self._state_field(spec["subject"], spec.get("field", "status"))
        if field is None:
            return None, self.findings
        self.known = field.shape.enum
        subject = self.entity_shape(spec["subject"])
        related = self.related(spec.get("with", {}), ("with",))
        lists = {name: self.scope[name] for name in related}
        param = {"param": self.compiler.types.param}
        self.scope = {"subject": subject, **param, **lists}
        states = {state: self._state(state, one) for state, one in spec.get("states", {}).items()}
        self.scope = {"before": subject, "after": subject, **param, **lists}
        moves = enumerate(spec.get("transitions", ()))
        changed = enumerate(spec.get("changes", ()))
        policy = Lifecycle(
            record=self.record,
            subject=spec["subject"],
            field=spec.get("field", "status"),
            fallback=str(field.schema.get("default", "")),
            initial=self._named(list(spec.get("initial", ())), ("initial",)),
            related=related,
            states=states,
            transitions=tuple(self._transition(one, ("transitions", index)) for index, one in moves),
            changes=tuple(self._change(one, ("changes", index)) for index, one in changed),
            is_closed=spec.get("others", "free") == "forbidden",
            clauses=tuple(self.record.metadata.get("clauses", ())),
        )
        return (None if has_errors(self.findings) else policy), self.findings

    def _state_field(self, kind: str, name: str) -> Field | None:
        kinds = self.compiler.types.schemas.kinds
        if kind not in kinds:
            self.complain("unknown-kind", f"There is no kind {kind!r}.", ("subject",), did_you_mean(kind, kinds))
            return None
        fields = kinds[kind].shape.fields
        if name not in fields:
            hint = did_you_mean(name, fields)
            self.complain("condition-unknown-field", f"{kind} has no field {name!r}.", ("field",), hint)
            return None
        if not fields[name].shape.enum:
            self.complain("policy-invalid", f"{kind}.{name} has no list of values, so it holds no state.", ("field",))
            return None
        return fields[name]

    def _named(self, states: Any, pointer: Pointer) -> tuple[str, ...]:
        """States that the schema knows, one or several as written."""
        listed = isinstance(states, list)
        names = tuple(states) if listed else (states,)
        for index, name in enumerate(names):
            self._must_know(name, (*pointer, index) if listed else pointer)
        return names

    def _must_know(self, name: str, pointer: Pointer) -> None:
        if name not in self.known:
            message = f"There is no state {name!r}."
            self.complain("condition-not-in-enum", message, pointer, did_you_mean(name, self.known))

    def _state(self, name: str, written: Mapping[str, Any]) -> Requirement:
        self._must_know(name, ("states", name))
        return self._requirement(written, ("states", name))

    def _requirement(self, written: Mapping[str, Any], pointer: Pointer) -> Requirement:
        condition = self.condition(written.get("requires"), (*pointer, "requires"))
        return Requirement(condition, written.get("title"), tuple(written.get("clauses", ())))

    def _transition(self, written: Mapping[str, Any], pointer: Pointer) -> Transition:
        return Transition(
            self._named(written["from"], (*pointer, "from")),
            self._named(written["to"], (*pointer, "to")),
            self._requirement(written, pointer),
            written.get("by", ""),
        )

    def _change(self, written: Mapping[str, Any], pointer: Pointer) -> tuple[str, Requirement]:
        fields = self.scope["after"].fields
        if written["field"] not in fields:
            message, hint = f"There is no field {written['field']!r}.", did_you_mean(written["field"], fields)
            self.complain("condition-unknown-field", message, (*pointer, "field"), hint)
        return written["field"], self._requirement(written, pointer)


def ways(policy: Lifecycle) -> Iterator[tuple[str, str, str]]:
    """Every listed way as (from, to, by), in the order written."""
    for transition in policy.transitions:
        for source in transition.sources:
            yield from ((source, target, transition.by) for target in transition.targets)
