"""Why a decision was made, or why not: every value with the place where it was written, down to commit and approver.

Conditions are shown as trees, part by part, as CEL's own evaluator decided them. Where a policy is silent, what would
make it speak is named, and when it will speak if nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from remit.clocks import Clock
from remit.conditions.checks import Scope
from remit.conditions.condition import Bindings, Condition
from remit.conditions.lowering import entity_at, follow
from remit.conditions.messages import MessageTypes
from remit.conditions.tracing import Change, Traced, flips, trace
from remit.conditions.tree import Path, pointer_of
from remit.decisions import ClockReading, Decision, Stretch, Told
from remit.engine import Rulebook, bindings_of, heard, timeline
from remit.errors import NotFound
from remit.evaluating import Loaded, refuse_broken
from remit.findings import did_you_mean
from remit.git import Commit
from remit.places import Place
from remit.policies.clocking import Calendars, Crossing, Lane, Window, amount_of, crossings, lanes, moment
from remit.policies.watch import Level, Watch
from remit.references import Entity, World
from remit.roles import resolve
from remit.terms import GoverningTerm, governing_term
from remit.times import format_instant, in_zone

HORIZON = timedelta(days=30)
"""How far ahead a decision is looked for by its id, when it is not yet made."""

FORESIGHT = timedelta(days=366)
"""How far ahead a level is said to come, if nothing changes."""

_FAR = timedelta(days=3660)

History = Callable[[str], Commit | None]
"""The last commit that touched a path of the store; None where there is no history."""


class Written(NamedTuple):
    """A value that a condition read, and where it was written; ``commit`` is the last that touched that file."""

    path: Path
    scope: Scope
    value: Any
    place: Place
    commit: Commit | None


@dataclass(frozen=True)
class Check:
    """One part of a condition: its text, how it came out (None: it has no value), what it read, and its own parts."""

    traced: Traced
    values: tuple[Written, ...]
    parts: tuple[Check, ...]

    @property
    def condition(self) -> str:
        """The CEL text."""
        return self.traced.text

    @property
    def holds(self) -> bool:
        """True only when CEL says true."""
        return self.traced.outcome is True

    @property
    def reads(self) -> tuple[Written, ...]:
        """What it and its parts read, each path once."""
        found = {str(one.path): one for part in self.parts for one in part.reads}
        return tuple({**{str(one.path): one for one in self.values}, **found}.values())

    @property
    def conjuncts(self) -> tuple[Check, ...]:
        """The parts that must all hold; itself when it is one."""
        return self.parts if self.traced.sign == "all" else (self,)


class Examined(NamedTuple):
    """A whole condition as it came out; ``flips`` are the smallest sets of fields that would make it hold."""

    condition: Condition
    part: str
    tree: Check
    flips: tuple[tuple[Change, ...], ...]

    @property
    def holds(self) -> bool:
        """True when the condition does."""
        return self.tree.holds


class Reason(NamedTuple):
    """Why a level is not reached: ``code`` says which of the fields mean something.

    no_clock: ``missing`` are the expressions that give no instant. condition: the level's own condition fails.
    stopped: at ``at``, by ``missing``; without that the level would have come at ``otherwise``. paused: since ``at``,
    by ``record``. no_limit, no_due: nothing to measure against, ``missing``. later: beyond what is looked at.
    """

    code: Literal["no_clock", "condition", "stopped", "restarted", "paused", "no_limit", "no_due", "later"]
    at: datetime | None = None
    otherwise: datetime | None = None
    missing: tuple[Condition | Path, ...] = ()
    record: str = ""


State = Literal["in_force", "over", "coming", "never"]


@dataclass(frozen=True)
class Rung:
    """One level for one subject (or item of it): how it stands, when it was or will be reached, whom it tells.

    ``level`` is None where the reason is that of every level. ``at`` is the instant of the crossing in force, else of
    the last one, else of the next; ``next`` the next one after the moment asked about, if nothing changes.
    """

    level: Level | None
    part: str
    state: State
    at: datetime | None = None
    ends: datetime | None = None
    next: datetime | None = None
    reason: Reason | None = None
    examined: Examined | None = None
    told: tuple[Told, ...] = ()
    tried: tuple[str, ...] = ()


class Limit(NamedTuple):
    """One limit of the governing term: its field, value, the record it is from, why that governs, and its place."""

    field: str
    value: str
    source: str
    why: str
    place: Place
    commit: Commit | None


@dataclass(frozen=True)
class Explanation:
    """Everything about one policy and one subject at one instant. ``clock`` is the one that runs, or ran last."""

    at: datetime
    policy: Watch
    policy_commit: Commit | None
    subject: Entity
    subject_commit: Commit | None
    conditions: tuple[Examined, ...]
    rungs: tuple[Rung, ...]
    decisions: tuple[Decision, ...]
    clock: ClockReading | None
    terms: tuple[Limit, ...]
    chain: tuple[Mapping[str, Any], ...]
    """The decisions of other policies that this one reacts to, as conditions see them."""
    types: MessageTypes
    world: World

    @property
    def checks(self) -> tuple[Check, ...]:
        """The parts of the policy's condition that must all hold."""
        return tuple(check for one in self.conditions for check in one.tree.conjuncts)

    def of_decision(self, decision_id: str) -> Explanation:
        """The same about one decision only, and the level that made it."""
        decisions = tuple(d for d in self.decisions if d.id == decision_id)
        levels = {d.level for d in decisions}
        rungs = tuple(r for r in self.rungs if r.level is None or r.level.name in levels or not levels)
        return replace(self, decisions=decisions, rungs=rungs)


def find_decision(loaded: Loaded, decision_id: str, at: datetime) -> Decision:
    """The decision of that id, made up to ``at`` or coming within ``HORIZON``; the latter is looked for only then.

    Raises:
        NotFound: no policy makes such a decision over these facts.
    """
    refuse_broken(loaded)
    rulebook = Rulebook(loaded.policies.watches, loaded.compiler)
    try:
        for window in (Window(None, at), Window(at, at + HORIZON)):
            found = timeline(rulebook, loaded.world, window, loaded.wording)
            for decision in found.decisions:
                if decision.id == decision_id:
                    return decision
    finally:
        rulebook.close()
    raise NotFound(
        f"No decision {decision_id} was made up to {format_instant(at)} over these facts.",
        "Give the same --facts and --at as to evaluate, which lists the ids.",
    )


def find_policy(loaded: Loaded, name: str) -> Watch:
    """The watching policy of that name or id.

    Raises:
        NotFound: with the nearest name.
    """
    watches = {watch.name: watch for watch in loaded.policies.watches}
    watch = watches.get(name.rpartition("/")[2])
    if watch is None:
        raise NotFound(f"There is no escalation or warning policy {name!r}.", did_you_mean(name, watches))
    return watch


def find_subject(loaded: Loaded, watch: Watch, name: str) -> Entity:
    """The subject of that name, or ``Kind/name``.

    Raises:
        NotFound: with the nearest name.
    """
    subject = loaded.world.get(watch.subject, name.removeprefix(f"{watch.subject}/"))
    if subject is None:
        names = [entity.name for entity in loaded.world.all(watch.subject)]
        raise NotFound(f"There is no {watch.subject} {name!r}.", did_you_mean(name, names))
    return subject


def explain(loaded: Loaded, watch: Watch, subject: Entity, at: datetime, history: History) -> Explanation:
    """What ``watch`` says about ``subject`` at ``at``, and why; also when it says nothing."""
    refuse_broken(loaded)
    rulebook = Rulebook([watch], loaded.compiler)
    try:
        window = Window(None, at)
        found = timeline(rulebook, loaded.world, window, loaded.wording, read_at=at, subjects=[subject.ref])
        made = heard(rulebook, loaded.world, at, loaded.wording)
    finally:
        rulebook.close()
    run = _Run(loaded, watch, subject, at, history)
    for part, bindings in bindings_of(loaded.world, watch, subject, at, made):
        run.look(part, bindings)
    decisions = tuple(d for d in found.decisions if d.in_force(at))
    return Explanation(
        at=in_zone(at, loaded.world.zone),
        policy=watch,
        policy_commit=history(watch.record.path),
        subject=subject,
        subject_commit=history(subject.place.path),
        conditions=tuple(run.conditions),
        rungs=tuple(run.rungs),
        decisions=decisions,
        clock=next((d.clock for d in decisions if d.clock), None) or run.clock,
        terms=tuple(run.terms(run.started or at)),
        chain=tuple(run.chain.values()),
        types=loaded.compiler.types,
        world=loaded.world,
    )


class _Run:
    """Looks at one subject, item by item."""

    def __init__(self, loaded: Loaded, watch: Watch, subject: Entity, at: datetime, history: History) -> None:
        self.loaded = loaded
        self.world = loaded.world
        self.watch = watch
        self.subject = subject
        self.at = at
        self.history = history
        self.calendars = Calendars(loaded.world)
        self.conditions: list[Examined] = []
        self.rungs: list[Rung] = []
        self.chain: dict[str, Mapping[str, Any]] = {}
        self.clock: ClockReading | None = None
        self.started: datetime | None = None

    def look(self, part: str, bindings: Bindings) -> None:
        """Note how the policy stands to the subject, or to one item of it."""
        for name, related in self.watch.related.items():
            made: Any = bindings.values.get(name, ()) if related.decisions else ()
            self.chain |= {one["id"]: one for one in made}
        if self.watch.when is not None:
            examined = self._examined(self.watch.when, part, bindings)
            self.conditions.append(examined)
            if not examined.holds:
                return
        if self.watch.clock is None:
            self.rungs += [self._standing(level, part, bindings) for level in self.watch.levels]
        else:
            self.rungs += self._climbed(part, bindings)

    def terms(self, at: datetime) -> Iterator[Limit]:
        """The limits that govern the subject since ``at``."""
        if not self.watch.uses_term:
            return
        for field, limit in sorted(governing_term(self.world, self.subject, at).items()):
            kind, _, name = limit.source.partition("/")
            source = self.world.get(kind, name)
            value = str(limit.duration) if limit.duration else str(limit.number)
            place = source.place if source else Place("")
            yield Limit(field, value, limit.source, limit.why, place, self._commit(place))

    # --- conditions

    def _examined(self, condition: Condition, part: str, bindings: Bindings) -> Examined:
        compiler = self.loaded.compiler
        tree = self._check(trace(condition, bindings, compiler))
        return Examined(condition, part, tree, flips(condition, bindings, compiler))

    def _check(self, traced: Traced) -> Check:
        values = tuple(self._written(path, traced.bindings) for path in traced.paths)
        return Check(traced, values, tuple(self._check(part) for part in traced.parts))

    def _written(self, path: Path, bindings: Bindings) -> Written:
        place = self._place(path.names, bindings)
        return Written(path, bindings.scope, _plain(follow(path.names, bindings)), place, self._commit(place))

    def _commit(self, place: Place) -> Commit | None:
        return self.history(place.path) if place.path else None

    def _place(self, names: tuple[str, ...], bindings: Bindings) -> Place:
        """Where a value was written: the record at the end of its references, and the field inside it."""
        if names[0] == "param" and len(names) > 1:
            for parameters in self.world.all("ParameterSet"):
                if names[1] in parameters.spec.get("parameters", {}):
                    return parameters.place_of(("parameters", names[1], "value"))
        if names[0] == "term":
            kind, _, name = str(follow(("term", "id"), bindings) or "").partition("/")
            source = self.world.get(kind, name)
            return source.place if source else Place("")
        names = names[:-1] if names[-1] == "id" and len(names) > 2 else names  # the reference, not what it leads to
        for end in range(len(names) - 1, 0, -1):
            entity = entity_at(names[:end], bindings)
            if entity is not None:
                return entity.place_of(pointer_of(names[end:]))
        each = self.watch.each
        if each is not None and names[0] == each.variable:
            item = bindings.values.get(each.variable)
            listed = follow(each.path.names, bindings) or []
            index = next((i for i, one in enumerate(listed) if one is item), 0)
            return self.subject.place_of((*pointer_of(each.path.names[1:]), index, *pointer_of(names[1:])))
        return Place("")

    # --- levels

    def _standing(self, level: Level, part: str, bindings: Bindings) -> Rung:
        examined = self._examined(level.when, part, bindings) if level.when else None
        if examined is not None and not examined.holds:
            return Rung(level, part, "never", reason=Reason("condition"), examined=examined)
        told, tried = self._told(level, bindings, self.at)
        at = in_zone(self.at, self.world.zone)
        return Rung(level, part, "in_force", at=at, examined=examined, told=told, tried=tried)

    def _climbed(self, part: str, bindings: Bindings) -> Iterator[Rung]:
        running = lanes(self.watch, bindings, self.calendars, Window(self.at, self.at + FORESIGHT))
        if not running:
            yield Rung(None, part, "never", reason=self._not_begun())
            return
        present = [lane for lane in running if lane.clock.start <= self.at] or running[:1]
        self.started = present[-1].clock.start
        self.clock = self._reading(present[-1])
        for level in self.watch.levels:
            yield self._rung(level, part, running, present[-1], bindings)

    def _not_begun(self) -> Reason:
        assert self.watch.clock is not None
        rule = self.watch.clock
        reached = (rule.reached.of,) if rule.reached else ()
        return Reason("no_clock", missing=(*rule.start, *rule.due, *reached))

    def _rung(self, level: Level, part: str, running: list[Lane], present: Lane, bindings: Bindings) -> Rung:
        examined = self._examined(level.when, part, bindings) if level.when else None
        if examined is not None and not examined.holds:
            return Rung(level, part, "never", reason=Reason("condition"), examined=examined)
        past: list[Crossing] = []
        coming: Crossing | None = None
        for lane in running:
            for crossing in crossings(level, lane, bindings, self._term(lane), self.at + FORESIGHT):
                if crossing.at > self.at:
                    coming = min(coming or crossing, crossing, key=lambda one: one.at)
                    break
                past.append(crossing)
        past.sort(key=lambda one: one.at)
        shown = past[-1] if past else coming
        if shown is None:
            return Rung(level, part, "never", reason=self._why_not(level, present, bindings), examined=examined)
        over = shown.ends is not None and shown.ends <= self.at
        state: State = "coming" if not past else "over" if over else "in_force"
        told, tried = self._told(level, bindings, shown.at)
        return Rung(
            level,
            part,
            state,
            at=self._local(shown.at),
            ends=self._local(shown.ends),
            next=self._local(coming.at if coming else None),
            reason=self._why_not(level, present, bindings) if state == "over" and coming is None else None,
            examined=examined,
            told=told,
            tried=tried,
        )

    def _why_not(self, level: Level, lane: Lane, bindings: Bindings) -> Reason:
        """Why the level is not reached on the clock that runs, or ran last."""
        rule = self.watch.clock
        assert rule is not None
        term = self._term(lane)
        trigger = level.trigger
        if trigger.amount is not None and amount_of(trigger.amount, bindings, term) is None:
            return Reason("no_limit", missing=(trigger.amount.path,) if trigger.amount.path else ())
        if trigger.kind in ("before", "past") and lane.due is None:
            return Reason("no_due", missing=rule.due)
        clock = lane.clock
        if clock.stop is not None and clock.stop <= self.at:
            by = tuple(one for one in rule.stop if moment(one, bindings) == clock.stop)
            free = replace(lane, clock=Clock(clock.start, None, clock.calendar, clock.pauses))
            otherwise = self._first(level, free, bindings, term)
            code: Literal["stopped", "restarted"] = "stopped" if by or rule.restarts is None else "restarted"
            return Reason(code, self._local(clock.stop), self._local(otherwise), by)
        pause = next((p for p in clock.pauses if p.end is None and p.start <= self.at), None)
        if pause is not None:
            return Reason("paused", self._local(pause.start), record=pause.record)
        return Reason("later", otherwise=self._local(self._first(level, lane, bindings, term)))

    def _first(self, level: Level, lane: Lane, bindings: Bindings, term: GoverningTerm) -> datetime | None:
        found = next(iter(crossings(level, lane, bindings, term, self.at + _FAR)), None)
        return found.at if found else None

    def _term(self, lane: Lane) -> GoverningTerm:
        return governing_term(self.world, self.subject, lane.clock.start) if self.watch.uses_term else {}

    def _local(self, instant: datetime | None) -> datetime | None:
        return in_zone(instant, self.world.zone) if instant else None

    def _told(self, level: Level, bindings: Bindings, at: datetime) -> tuple[tuple[Told, ...], tuple[str, ...]]:
        """Whom the level tells at ``at``, and, where that is nobody, what was tried."""
        people: dict[str, Told] = {}
        tried: list[str] = []
        for target in level.notify:
            of = next((e for path in target.of if (e := entity_at(path.names, bindings))), None)
            if target.of and of is None:
                tried.append(f"{target.role}: {' and '.join(map(str, target.of))} lead to no record")
                continue
            resolution = resolve(self.world, target.role, of, at)
            tried += resolution.tried if not resolution.told else ()
            for told in resolution.told:
                people.setdefault(told.person, told)
        return tuple(sorted(people.values())), () if people else tuple(tried)

    def _reading(self, lane: Lane) -> ClockReading:
        units = [a.duration.unit for level in self.watch.levels if (a := level.trigger.amount) and a.duration]
        by: Literal["time", "days"] = "days" if "wd" in units and lane.working else "time"
        clock = lane.clock
        zone = self.world.zone
        elapsed = clock.elapsed(self.at, by, working=lane.working)
        return ClockReading(
            start=in_zone(clock.start, zone),
            due=self._local(lane.due),
            elapsed_seconds=int(elapsed.total_seconds()),
            segments=tuple(
                Stretch(in_zone(s.start, zone), in_zone(s.end, zone), s.counted, s.reason)
                for s in clock.segments(self.at, by=by, working=lane.working)
            ),
        )


def _plain(value: Any) -> Any:
    """A value as JSON can hold it: a record by its id, a decision by its own."""
    if isinstance(value, Entity):
        return value.ref
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value
