"""The engine: a snapshot's policies over a world of records and facts give dated decisions.

``timeline`` is the one function behind evaluate, replay, forecast and plan. durable-rules decides which conditions hold
for which subject; clocks say when each level was or will be crossed; CEL's own evaluator gives the trace of what it
decided, and the two must agree on every decision that is made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from remit.conditions.condition import Bindings, Compiler, Condition
from remit.conditions.deciding import Decider, EnginesDisagree
from remit.conditions.lowering import entity_at, follow
from remit.conditions.messages import MADE_DECISION
from remit.decisions import ClockReading, Decision, Reason, Stretch, Told, Wanted, decision_id
from remit.findings import Finding, finding
from remit.policies.clocking import Calendars, Crossing, Lane, Window, amount_of, crossings, lanes
from remit.policies.creating import DECISION, wanted
from remit.policies.reading import Related, Target
from remit.policies.watch import Level, Watch
from remit.references import Entity, World
from remit.roles import resolve
from remit.terms import GoverningTerm, governing_term
from remit.times import format_instant, in_zone, parse_instant
from remit.wording import LANGUAGES, Wording, span_text


@dataclass
class Timeline:
    """Decisions by instant, and what stood in the way of making others."""

    decisions: list[Decision] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


Narrow = Callable[[Sequence[Watch], bool], Iterable[Entity]]
"""The subjects, by name, that watches of one kind can say anything about; True when others hear what they decide."""


class Rulebook:
    """Watches and the watches whose decisions they read, compiled into rule sessions once. Close it when done."""

    def __init__(self, watches: Iterable[Watch], compiler: Compiler) -> None:
        wanted = {watch.name: watch for watch in watches}
        depths: dict[str, int] = {}
        heard: dict[str, Watch] = {}
        for watch in wanted.values():
            _measure(watch, depths, heard)
        by_depth: dict[int, list[Watch]] = {}
        for watch in heard.values():
            by_depth.setdefault(depths[watch.name], []).append(watch)
        self.sources = tuple(_groups(by_depth[depth], compiler) for depth in sorted(by_depth))
        """Groups of the watches that others read, in the order in which they must be decided."""
        self.groups = _groups(wanted.values(), compiler)

    def close(self) -> None:
        """Give every rule session back."""
        for group in (*self.groups, *(group for stratum in self.sources for group in stratum)):
            group.close()


def _measure(watch: Watch, depths: dict[str, int], heard: dict[str, Watch]) -> int:
    """How many decisions lie between the facts and this watch's own; notes every watch that it reads."""
    if watch.name not in depths:
        for source in watch.sources:
            heard[source.name] = source
        depths[watch.name] = max((1 + _measure(source, depths, heard) for source in watch.sources), default=0)
    return depths[watch.name]


def _groups(watches: Iterable[Watch], compiler: Compiler) -> tuple[_Group, ...]:
    groups: dict[Any, list[Watch]] = {}
    for watch in watches:
        related = tuple(sorted((name, *_signature(one)) for name, one in watch.related.items()))
        each = (watch.each.variable, str(watch.each.path)) if watch.each else ()
        groups.setdefault((watch.subject, each, related), []).append(watch)
    return tuple(_Group(tuple(sorted(group, key=lambda w: w.name)), compiler) for _, group in sorted(groups.items()))


def _signature(related: Related) -> tuple[str, ...]:
    return (related.kind, related.field, related.decisions, str(related.on or ""))


class _Group:
    """Watches whose conditions see the same variables, and the rule sessions that decide them."""

    def __init__(self, watches: tuple[Watch, ...], compiler: Compiler) -> None:
        self.watches = watches
        # CEL bears witness on every decision that is made, in its trace; asking it about every subject would double
        # the cost of the many that nothing is said about.
        self._decider = Decider(dict(self._conditions()), compiler, witness=False)

    def _conditions(self) -> Iterator[tuple[str, Condition]]:
        for number, watch in enumerate(self.watches):
            if watch.when is not None:
                yield f"w{number}", watch.when
            for rung, level in enumerate(watch.levels):
                if level.when is not None:
                    yield f"w{number}l{rung}", level.when

    def holding(self, bindings: Bindings) -> Iterator[tuple[Watch, tuple[Level, ...]]]:
        """The watches whose condition holds, each with the levels whose own condition holds."""
        fired = self._decider.holding(bindings)
        for number, watch in enumerate(self.watches):
            if watch.when is None or f"w{number}" in fired:
                rungs = tuple(
                    level
                    for rung, level in enumerate(watch.levels)
                    if level.when is None or f"w{number}l{rung}" in fired
                )
                yield watch, rungs

    def close(self) -> None:
        self._decider.close()


def timeline(
    rulebook: Rulebook,
    world: World,
    window: Window,
    wording: Wording,
    *,
    read_at: datetime | None = None,
    subjects: Collection[str] | None = None,
    narrow: Narrow | None = None,
) -> Timeline:
    """Every decision whose instant lies in ``window``, and every standing one, by instant, policy, level and subject.

    Args:
        read_at: the instant at which clocks are read; without it each decision's clock is read at its own instant.
        subjects: only these (``Kind/name``); without it every subject.
        narrow: which subjects a group of watches can say anything about; without it, or with ``subjects``, all of them
            are asked about.
    """
    made = heard(rulebook, world, window.end, wording, narrow)
    run = _Run(world, window, wording, read_at, made)
    for group in rulebook.groups:
        kind = group.watches[0].subject
        if subjects is not None:
            asked: Iterable[Entity] = _named(world, kind, subjects)
        else:
            asked = narrow(group.watches, False) if narrow else world.all(kind)
        for entity in asked:
            run.decide(group, entity)
    return Timeline(by_instant(run.result.decisions, window), run.result.findings)


def by_instant(decisions: Iterable[Decision], window: Window) -> list[Decision]:
    """The decisions of a window in the order of a timeline; those without an instant first."""
    earliest = datetime.min.replace(tzinfo=window.end.tzinfo)
    return sorted(decisions, key=lambda d: (d.at or earliest, d.policy, d.level, d.subject, d.id))


def _named(world: World, kind: str, subjects: Collection[str]) -> Iterator[Entity]:
    for ref in sorted(subjects):
        entity = world.get(kind, ref.removeprefix(f"{kind}/"))
        if entity is not None:
            yield entity


class Made:
    """Decisions that other policies have made, found by policy, level and the subject that they belong to."""

    def __init__(self, world: World, end: datetime) -> None:
        self._world = world
        self._end = end
        self._decisions: list[Decision] = []
        self._joined: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = {}

    def add(self, decisions: Iterable[Decision]) -> None:
        """More decisions; those of one stratum come before anybody reads them."""
        self._decisions += decisions
        self._joined.clear()

    def of(self, related: Related, name: str) -> list[Mapping[str, Any]]:
        """The decisions that ``related`` asks for and that belong to ``name``, by instant."""
        key = (related.decisions, related.field)
        if key not in self._joined:
            self._joined[key] = self._join(related)
        return self._joined[key].get(name, [])

    def _join(self, related: Related) -> dict[str, list[Mapping[str, Any]]]:
        policy, _, level = related.decisions.partition("/")
        index: dict[str, list[Mapping[str, Any]]] = {}
        for decision in self._decisions:
            if decision.policy == policy and level in ("", decision.level):
                for name in self._belongs_to(decision, related.field):
                    index.setdefault(name, []).append(_as_values(decision, self._end))
        return index

    def _belongs_to(self, decision: Decision, field: str) -> list[str]:
        if field == "id":
            return [decision.subject_name]
        entity = self._world.get(decision.subject_kind, decision.subject_name)
        value: Any = entity.spec if entity else None
        for part in field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _as_values(decision: Decision, end: datetime) -> Mapping[str, Any]:
    """A decision as conditions see it; one that stands is dated at the moment asked about."""
    values = {
        "id": decision.id,
        "policy": decision.policy,
        "level": decision.level,
        "severity": decision.severity,
        "subject": decision.subject,
        "at": format_instant(decision.at or end),
    }
    return values | ({"due": format_instant(decision.due)} if decision.due else {})


def heard(rulebook: Rulebook, world: World, end: datetime, wording: Wording, narrow: Narrow | None = None) -> Made:
    """What the watches that others read have decided up to ``end``: stratum by stratum, so forward and bounded."""
    made = Made(world, end)
    for stratum in rulebook.sources:
        run = _Run(world, Window(None, end), wording, None, made)
        for group in stratum:
            for entity in narrow(group.watches, True) if narrow else world.all(group.watches[0].subject):
                run.decide(group, entity)
        made.add(sorted(run.result.decisions, key=lambda d: (d.at or end, d.id)))
    return made


def bindings_of(
    world: World,
    watch: Watch,
    entity: Entity,
    at: datetime,
    made: Made | None = None,
    *,
    uses_term: bool | None = None,
) -> Iterator[tuple[str, Bindings]]:
    """What the variables of a watch stand for, once for each item that it watches, with the item's index as text.

    The term of the moment asked about serves conditions; each clock pins the one that governed when it started.
    """
    values: dict[str, Any] = {"subject": entity}
    values["param"] = world.parameter_values
    for name, related in watch.related.items():
        if related.decisions:
            values[name] = made.of(related, entity.name) if made else []
        else:
            key = follow(related.on.names, Bindings(world, values, watch.scope)) if related.on else entity.name
            values[name] = world.joined(related.kind, related.field, key) if isinstance(key, str) else []
    wanted = watch.uses_term if uses_term is None else uses_term
    values["term"] = _term_values(governing_term(world, entity, at)) if wanted else {}
    if watch.each is None:
        yield "", Bindings(world, values, watch.scope)
        return
    items = follow(watch.each.path.names, Bindings(world, values, watch.scope)) or ()
    for index, item in enumerate(items):
        yield str(index), Bindings(world, {**values, watch.each.variable: item}, watch.scope)


class _Run:
    def __init__(self, world: World, window: Window, wording: Wording, read_at: datetime | None, made: Made) -> None:
        self.made = made
        self.world = world
        self.window = window
        self.wording = wording
        self.read_at = read_at
        self.result = Timeline()
        self.calendars = Calendars(world)
        self._told_of: set[tuple[str, str]] = set()

    def decide(self, group: _Group, entity: Entity) -> None:
        uses_term = any(watch.uses_term for watch in group.watches)
        first, end = group.watches[0], self.window.end
        for part, bindings in bindings_of(self.world, first, entity, end, self.made, uses_term=uses_term):
            for one, levels in group.holding(bindings):
                try:
                    self._watch(one, levels, bindings, entity, part)
                except ValueError as error:
                    self._trouble(one, "policy-invalid", str(error))

    def _watch(self, watch: Watch, levels: tuple[Level, ...], bindings: Bindings, entity: Entity, part: str) -> None:
        if watch.clock is None:
            for level in levels:
                self._add(watch, level, bindings, entity, part, None, None, {})
            return
        for lane in lanes(watch, bindings, self.calendars, self.window):
            term: GoverningTerm = {}
            if watch.uses_term:
                term = governing_term(self.world, entity, lane.clock.start)
                if not term:
                    self._no_term(watch, entity)
            for level in levels:
                for crossing in crossings(level, lane, bindings, term, self.window.end):
                    if self.window.holds(crossing.at):
                        self._add(watch, level, bindings, entity, part + lane.holder, lane, crossing, term)

    def _add(
        self,
        watch: Watch,
        level: Level,
        bindings: Bindings,
        entity: Entity,
        part: str,
        lane: Lane | None,
        crossing: Crossing | None,
        term: GoverningTerm,
    ) -> None:
        at = crossing.at if crossing else None
        moment = at or self.window.end
        told = self._told(level, bindings, moment)
        reading = self._read(lane, crossing, level, bindings, term) if lane and crossing else None
        repeat = crossing.repeat if crossing else 0
        start = lane.clock.start if lane else None
        zone = self.world.zone
        decision = Decision(
            id=decision_id(watch.name, level.name, entity.ref, start, part, repeat),
            policy=watch.name,
            policy_kind=watch.record.kind,
            level=level.name,
            severity=level.severity,
            subject_kind=entity.kind,
            subject_name=entity.name,
            at=in_zone(at, zone) if at else None,
            ends=crossing.ends if crossing else None,
            due=in_zone(crossing.due, zone) if crossing and crossing.due else None,
            notify=told,
            message=self._message(watch, level, bindings, entity, told, crossing, reading, moment),
            clauses=tuple(dict.fromkeys((*level.clauses, *watch.clauses))),
            because=self._because(watch, level, bindings, moment),
            clock=reading,
            term=_term_source(level, term),
        )
        self.result.decisions.append(replace(decision, wants=self._wanted(level, decision, bindings)))

    def _told(self, level: Level, bindings: Bindings, at: datetime) -> tuple[Told, ...]:
        people: dict[str, Told] = {}
        for target in level.notify:
            for told in self._holders(target, bindings, at):
                people.setdefault(told.person, told)
        return tuple(sorted(people.values()))

    def _holders(self, target: Target, bindings: Bindings, at: datetime) -> tuple[Told, ...]:
        of = next((e for path in target.of if (e := entity_at(path.names, bindings))), None)
        return () if target.of and of is None else resolve(self.world, target.role, of, at).told

    def _wanted(self, level: Level, decision: Decision, bindings: Bindings) -> Wanted | None:
        """The follow-up record that a level asks for; whoever holds a role then is named in it."""
        if level.create is None:
            return None
        at = decision.at or self.window.end
        values = {**bindings.values, DECISION: _as_values(decision, self.window.end)}
        scope = {**bindings.scope, DECISION: MADE_DECISION}

        def person(target: Target) -> str | None:
            return next((told.person for told in self._holders(target, bindings, at)), None)

        return wanted(level.create, decision.id, Bindings(self.world, values, scope), person)

    def _read(
        self, lane: Lane, crossing: Crossing, level: Level, bindings: Bindings, term: GoverningTerm
    ) -> ClockReading:
        clock, until = lane.clock, self.read_at or crossing.at
        amount = amount_of(level.trigger.amount, bindings, term)
        by: Any = "days" if amount is not None and amount.unit == "wd" else "time"
        zone = self.world.zone
        segments = clock.segments(until, by=by, working=lane.working)
        elapsed = clock.elapsed(until, by, working=lane.working)
        return ClockReading(
            start=in_zone(clock.start, zone),
            due=in_zone(crossing.due, zone) if crossing.due else None,
            elapsed_seconds=int(elapsed.total_seconds()),
            segments=tuple(
                Stretch(in_zone(s.start, zone), in_zone(s.end, zone), s.counted, s.reason) for s in segments
            ),
        )

    def _because(self, watch: Watch, level: Level, bindings: Bindings, by: datetime) -> tuple[Reason, ...]:
        reasons = []
        for condition in (watch.when, level.when):
            for part in condition.parts if condition else ():
                holds = part.holds(bindings)
                if not holds:
                    raise EnginesDisagree(f"{watch.record.id}: {part.text} is decided true by one engine only")
                values = {str(path): _written(follow(path.names, bindings)) for path in part.paths()}
                reasons.append(Reason(part.text, holds, {k: v for k, v in values.items() if v is not None}))
        for name, related in sorted(watch.related.items()):
            made = bindings.values[name]
            if related.decisions and isinstance(made, list):
                chain = [d["id"] for d in made if parse_instant(d["at"]) <= by]
                reasons.append(Reason(f"decisions of {related.decisions}", True, {name: chain}))
        return tuple(reasons)

    def _message(
        self,
        watch: Watch,
        level: Level,
        bindings: Bindings,
        entity: Entity,
        told: tuple[Told, ...],
        crossing: Crossing | None,
        reading: ClockReading | None,
        moment: datetime,
    ) -> dict[str, str]:
        messages = {}
        for language in LANGUAGES:
            customer = self.world.get("Customer", entity.spec.get("customer"))
            people = [self.world.get("Person", one.person) for one in told]
            context = {
                "policy": watch.record.title(language),
                "level": level.title.get(language) or level.name,
                "subject": entity.title(language),
                "subject_kind": self.world.schemas.kinds[entity.kind].title(language),
                "customer": customer.title(language) if customer else "",
                "fields": entity.spec,
                "at": in_zone(moment, self.world.zone),
                "due": in_zone(crossing.due, self.world.zone) if crossing and crossing.due else None,
                "elapsed": span_text(timedelta(seconds=reading.elapsed_seconds), language) if reading else "",
                "people": [person.title(language) for person in people if person],
                **{name: value for name, value in bindings.values.items() if isinstance(value, dict)},
            }
            messages[language] = self.wording.message(level.message, language, context)
        return messages

    def _no_term(self, watch: Watch, entity: Entity) -> None:
        if (watch.name, entity.ref) not in self._told_of:
            self._told_of.add((watch.name, entity.ref))
            message = f"No service term governs {entity.ref}, so {watch.record.id} cannot measure it."
            hint = "Add a ServiceLevelSpecification for its product and the customer's grade, or name the service."
            self.result.findings.append(
                finding("no-governing-term", message, entity.place, hint=hint, record=entity.ref)
            )

    def _trouble(self, watch: Watch, code: str, message: str) -> None:
        if (watch.name, message) not in self._told_of:
            self._told_of.add((watch.name, message))
            self.result.findings.append(finding(code, message, watch.record.place(("spec",)), record=watch.record.id))


def _written(value: Any) -> Any:
    """A value as JSON shows it: of records and facts that are read as a list, the names."""
    return [one.name if isinstance(one, Entity) else one for one in value] if isinstance(value, list) else value


def _term_values(term: GoverningTerm) -> dict[str, Any]:
    values: dict[str, Any] = {"id": next((limit.source for limit in term.values()), "")}
    for name, limit in term.items():
        values[name] = str(limit.duration) if limit.duration else limit.number
    return values


def _term_source(level: Level, term: GoverningTerm) -> str:
    """The record that sets the limit a level is measured against, else the one that sets the first limit."""
    amount = level.trigger.amount
    if amount is not None and amount.path is not None and amount.path.names[0] == "term":
        limit = term.get(amount.path.names[1])
        return limit.source if limit else ""
    return next((limit.source for limit in term.values()), "")
