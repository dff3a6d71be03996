"""Counting: which facts a measure counts in a period, for whom, and what it makes of each.

Whatever is left out is left out for a reason that is told. ``assessment`` makes scores and places of it.

Source: domain 5.6 and 5.11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from remit.conditions.condition import Bindings, Condition, EvaluationError
from remit.conditions.deciding import Decider
from remit.conditions.lowering import entity_at, follow
from remit.conditions.tree import Path
from remit.findings import Finding, did_you_mean, finding
from remit.places import Pointer, pointer_text
from remit.policies.clocking import Calendars, Lane, Window, amount_of, lanes_of, moment
from remit.policies.figures import Terms, plain
from remit.policies.measures import Assessment, Measure, Quantity, Span, Timely, Unit, Weight
from remit.policies.pushed_measures import FACT, Scoring
from remit.policies.tallies import Tally, together
from remit.references import Entity, World, instant, last_instant
from remit.scorecards import Counted, CountedFact
from remit.terms import GoverningTerm, governing_term
from remit.times import Period, in_zone, parse_period, parse_share

EXCLUSION = "AssessmentExclusion"
"""The kind of record that takes a fact out of an assessment."""

NAMED = 3
"""How many facts a finding names; it counts all."""

SPANS: Mapping[Unit, timedelta] = {
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
}


@dataclass(frozen=True)
class _Judged:
    """What a measure makes of a fact before anyone knows for whom it counts; ``at`` None: in no period."""

    counted: Counted
    why: str
    at: datetime | None
    due: datetime | None = None
    stopped: datetime | None = None
    value: float | None = None
    exclusion: str | None = None


class Uncounted(NamedTuple):
    """Facts that columns found to count for nobody: how many, and the first of them by name."""

    facts: int
    first: tuple[str, ...]


class InColumns(NamedTuple):
    """What columns made of a measure: the tallies by subject, facts that count for nobody by why, and who is left.

    ``asked`` are the facts, by name, of which columns could not say what the measure makes of them.
    """

    tallies: dict[str, Tally]
    uncounted: Mapping[str, Uncounted]
    asked: Iterable[Entity]


ToSubject = Callable[[Entity], tuple[str | None, str]]
"""The subject for whom a fact counts, which may be empty; or None, and why there is none."""
Columns = Callable[[Measure, Scoring, ToSubject], InColumns | None]
"""Counts a measure in columns; None where it cannot."""


class Run:
    """One scoring: what counts for whom, judged as of ``at``; what could not be judged is in ``findings``.

    ``columns`` may count for it; without them every fact is judged by itself.
    """

    def __init__(
        self, policy: Assessment, world: World, period: Period, at: datetime, columns: Columns | None = None
    ) -> None:
        self._columns = columns
        self.policy = policy
        self.world = world
        self.period = period
        self.at = at
        self.findings: list[Finding] = []
        self._calendars = Calendars(world)
        self._parameters = {name: p.get("value") for name, p in world.parameters.items()}
        self._troubles: dict[str, list[str]] = {}
        self._uncounted: Mapping[str, Uncounted] = {}
        self._exclusions = self._excluded()
        self.subjects = self._subjects()

    def _subjects(self) -> frozenset[str] | None:
        """Those whom ``when`` selects; None when the policy selects nobody beforehand."""
        if self.policy.when is None:
            return None
        with Decider({"when": self.policy.when}, self.policy.compiler) as decider:
            chosen = []
            for entity in self.world.all(self.policy.subject):
                if decider.holding(self.bindings_of(entity)):
                    chosen.append(entity.ref)
        return frozenset(chosen)

    def bindings_of(self, entity: Entity) -> Bindings:
        """What the policy's own condition reads of a subject."""
        return Bindings(self.world, {"subject": entity, "param": self._parameters}, self.policy.scope)

    @property
    def bare(self) -> Bindings:
        """What weights and sizes read: the parameters."""
        return Bindings(self.world, {"param": self._parameters}, self.policy.scope)

    def asked(self, measure: Measure) -> Iterator[tuple[str, Condition, Bindings]]:
        """Every condition that is asked of a fact of the period: what is good, and limits, where the fact is meant."""
        for entity in self.world.all(measure.over):
            for _, bindings in self._items(measure, entity):
                if not self._dated(measure, bindings)[1]:
                    continue
                if measure.where is not None:
                    yield f"{measure.name} where", measure.where, bindings
                    if not measure.where.holds(bindings):
                        continue
                others = ((name, one) for name, one in measure.conditions.items() if name != "where")
                yield from ((f"{measure.name} {name}", condition, bindings) for name, condition in others)

    def _excluded(self) -> dict[str, list[Entity]]:
        """The approved exclusions for this policy, by what they leave out."""
        found: dict[str, list[Entity]] = {}
        names = [measure.name for measure in self.policy.measures]
        for entity in self.world.all(EXCLUSION):
            if entity.spec.get("policy") != self.policy.name or entity.spec.get("status") != "approved":
                continue
            for index, name in enumerate(entity.spec.get("measures", ())):
                if name not in names:
                    pointer: Pointer = ("measures", index)
                    message = f"{self.policy.name} has no measure {name!r}."
                    place, hint = entity.place_of(pointer), did_you_mean(name, names)
                    where = "/spec" + pointer_text(pointer)
                    code = "unknown-reference"
                    self.findings.append(finding(code, message, place, hint=hint, pointer=where, record=entity.ref))
            for ref in entity.spec.get("facts", ()):
                found.setdefault(ref, []).append(entity)
        return found

    def counted(self) -> dict[str, dict[str, Tally]]:
        """By measure, what the facts of the period come to by the subject for whom they count."""
        own = {measure.name: self.count(measure) for measure in self.policy.measures if not measure.of}
        return {
            measure.name: _together([own[name] for name in measure.of]) if measure.of else own[measure.name]
            for measure in self.policy.measures
        }

    def count(self, measure: Measure) -> dict[str, Tally]:
        """What the facts of the period come to by the subject for whom they count."""
        self._troubles = {}
        made = self._columns(measure, self._scoring(measure), self._leads(measure)) if self._columns else None
        found: dict[str, Tally] = made.tallies if made else {}
        self._uncounted = made.uncounted if made else {}
        with Decider(measure.conditions, self.policy.compiler) as decider:
            for entity in made.asked if made else self.world.all(measure.over):
                for part, bindings in self._items(measure, entity):
                    self._count(measure, entity, f"{entity.ref}{part}", bindings, decider, found)
        self._tell(measure)
        return found

    def _scoring(self, measure: Measure) -> Scoring:
        refs = [ref.removeprefix(f"{measure.over}/") for ref in self._exclusions if ref.startswith(f"{measure.over}/")]
        return Scoring(self.world, self.period, self.at, frozenset(refs))

    def _leads(self, measure: Measure) -> ToSubject:
        return lambda entity: self._led(measure, Bindings(self.world, {FACT: entity}, measure.scope))

    def _count(
        self,
        measure: Measure,
        entity: Entity,
        ref: str,
        bindings: Bindings,
        decider: Decider,
        found: dict[str, Tally],
    ) -> None:
        try:
            judged = self._judge(measure, entity, bindings, decider)
        except ValueError as error:  # The policy names a calendar that is not there, or one that cannot count this.
            self._note(str(error), ref)
            return
        if judged is None:
            return
        if judged.at is None:
            self._note("no-instant", ref)
            return
        judged = self._with_exclusion(measure, (ref, entity.ref), judged)
        subject, trouble = self._led(measure, bindings)
        if subject is None:
            self._note(trouble, ref)
            return
        if judged.why == "no-limit":
            self._note("no-limit", ref)
        found.setdefault(subject, Tally()).take(self._shown(ref, judged))

    def _items(self, measure: Measure, entity: Entity) -> Iterator[tuple[str, Bindings]]:
        values: dict[str, Any] = {FACT: entity, "param": self._parameters}
        for name, related in measure.related.items():
            key = follow(related.on.names, Bindings(self.world, values, measure.scope)) if related.on else entity.name
            values[name] = self.world.joined(related.kind, related.field, key) if isinstance(key, str) else []
        bindings = Bindings(self.world, values, measure.limit_scope)
        if measure.each is None:
            yield "", bindings
            return
        for index, item in enumerate(follow(measure.each.path.names, bindings) or ()):
            part = f"#{'/'.join(measure.each.path.names[1:])}/{index}"
            yield part, Bindings(self.world, {**values, measure.each.variable: item}, measure.limit_scope)

    def _shown(self, ref: str, judged: _Judged) -> CountedFact:
        def local(instant: datetime | None) -> datetime | None:
            return None if instant is None else in_zone(instant, self.world.zone)

        moments = (local(judged.at), local(judged.due), local(judged.stopped))
        return CountedFact(ref, judged.counted, judged.why, *moments, judged.value, judged.exclusion)

    def _with_exclusion(self, measure: Measure, refs: Sequence[str], judged: _Judged) -> _Judged:
        """What is judged, left out where an exclusion of the fact or of its item holds at its instant."""
        assert judged.at is not None
        for one in (one for ref in refs for one in self._exclusions.get(ref, ())):
            spec = one.spec
            starts, ends = (
                instant(spec.get("validFrom"), self.world.zone),
                last_instant(spec["validTo"], self.world.zone),
            )
            named = "measures" not in spec or self.policy.measures_with(measure.name) & set(spec["measures"])
            if named and (starts is None or starts <= judged.at) and (ends is None or judged.at < ends):
                return replace(judged, counted="left out", why="excluded", value=None, exclusion=one.ref)
        return judged

    # --- judging

    def _judge(self, measure: Measure, entity: Entity, bindings: Bindings, decider: Decider) -> _Judged | None:
        """What the measure makes of a fact; None when it is not of this period or not meant."""
        at, is_meant = self._dated(measure, bindings)
        if not is_meant:
            return None
        lanes = self._lanes(measure.timely, entity, bindings) if measure.timely else []
        if measure.timely and not measure.is_dated and lanes and lanes[0].clock.start >= self.period.end:
            return None  # Nothing is due before its clock starts.
        holding = decider.holding(bindings) if measure.conditions else frozenset[str]()
        if measure.where is not None and "where" not in holding:
            return None
        if measure.is_dated:
            if at is None:
                return _Judged("left out", "no-instant", None)
            if at > self.at:
                return _Judged("left out", "not-yet", at)
        if measure.timely:
            return self._judge_time(measure, measure.timely, lanes, at, entity, bindings, holding)
        if measure.good is not None:
            return _Judged("good", "good", at) if "good" in holding else _Judged("bad", "not-good", at)
        if measure.value is None:
            return _Judged("good", "counted", at)
        value = _number(measure.value, bindings, SPANS[measure.unit])
        return _Judged("left out", "no-value", at) if value is None else _Judged("good", "counted", at, value=value)

    def _dated(self, measure: Measure, bindings: Bindings) -> tuple[datetime | None, bool]:
        """The instant that puts a fact into a period, where the measure says it, and whether that is this period."""
        if measure.during is None:
            at = _first(measure.at, bindings)
            return at, at is None or self._within(at)
        text = follow(measure.during.names, bindings)
        try:
            about = parse_period(str(text), self.world.zone)
        except ValueError:
            return None, True
        return about.start, self.period.start <= about.start and about.end <= self.period.end

    def _lanes(self, timely: Timely, entity: Entity, bindings: Bindings) -> list[Lane]:
        return lanes_of(timely.clock, entity, bindings, self._calendars, Window(None, self.at))

    def _judge_time(
        self,
        measure: Measure,
        timely: Timely,
        lanes: list[Lane],
        at: datetime | None,
        entity: Entity,
        bindings: Bindings,
        holding: frozenset[str],
    ) -> _Judged | None:
        if not lanes:
            return _Judged("left out", "no-instant", at)
        lane = lanes[0]
        due, why = self._due(timely, lane, entity, bindings, holding)
        if not measure.is_dated:
            at = due or lane.clock.start
            if not self._within(at):
                return None
        stopped = lane.clock.stop
        if stopped is not None and stopped > self.at:
            stopped = None
        if due is None:
            return _Judged("left out", why, at, None, stopped)
        late = _days_late(due, stopped or self.at) if measure.type == "days_late" else None
        if stopped is not None:
            return _Judged(*(("good", "in-time") if stopped <= due else ("bad", "late")), at, due, stopped, late)
        if due <= self.at:
            return _Judged("bad", "overdue", at, due, value=late)
        return _Judged("left out", "not-yet-due", at, due)

    def _due(
        self, timely: Timely, lane: Lane, entity: Entity, bindings: Bindings, holding: frozenset[str]
    ) -> tuple[datetime | None, str]:
        """The due time, or None and why there is none."""
        if not timely.limits:
            return lane.due, "no-limit"
        for number, rule in enumerate(timely.limits):
            if rule.when is not None and f"limit-{number}" not in holding:
                continue
            term: GoverningTerm = {}
            if rule.amount.path is not None and rule.amount.path.names[0] == "term":
                term = governing_term(self.world, entity, lane.clock.start)
            limit = amount_of(rule.amount, bindings, term)
            return (None, "no-limit") if limit is None else (lane.clock.due(limit, working=lane.working), "suspended")
        return None, "no-limit"

    def _within(self, at: datetime) -> bool:
        return self.period.start <= at < self.period.end

    # --- for whom

    def _led(self, measure: Measure, bindings: Bindings) -> tuple[str | None, str]:
        """The subject for whom a fact counts; or None, and why: it leads to none, or to one who is not scored.

        Places are counted for nobody in particular: an empty name.
        """
        if not measure.by:
            return "", ""
        subject = next((e for path in measure.by if (e := entity_at(path.names, bindings)) is not None), None)
        if subject is None or subject.kind != self.policy.subject:
            return None, "no-subject"
        if self.subjects is not None and subject.ref not in self.subjects:
            return None, "not-scored"
        return subject.ref, ""

    def group_of(self, ref: str) -> str | None:
        """What says with whom a subject is ranked; one for whom it says nothing is told, and is not ranked."""
        within = self.policy.within
        if within is None:
            return ""
        entity = self.world.get(*ref.partition("/")[::2])
        group = follow(within.names, Bindings(self.world, {"subject": entity} if entity else {}, self.policy.scope))
        if group is None:
            self.tell("subject-without-group", f"{ref} is not ranked: it has no {within}.", ("spec", "rank", "within"))
            return None
        return str(group)

    # --- numbers

    def terms(self, measure: Measure) -> Terms:
        """The numbers of a measure; one that is no number is a finding, and leaves the measure without it."""
        aim = self.number(measure.aim) if measure.aim else None
        if aim == 0:
            self._not_above(measure)
            aim = None
        deduct = self.number(measure.deduct) if measure.deduct else None
        rows = measure.scoring.table if measure.scoring else ()
        table = tuple((self.number(row.start) if row.start else None, row.score) for row in rows)
        return Terms(aim, self.weight(measure.weight), deduct, table)

    def _not_above(self, measure: Measure) -> None:
        text = measure.aim.text if measure.aim else ""
        self._find("policy-invalid", f"{text} is no number above 0, so {measure.name} has no target.", measure)

    def weight(self, stages: Weight) -> Fraction:
        """The weight of the first stage that holds; 0 where none does."""
        conditions = {str(number): stage.when for number, stage in enumerate(stages) if stage.when is not None}
        with Decider(conditions, self.policy.compiler) as decider:
            holding = decider.holding(self.bare) if conditions else frozenset[str]()
        chosen = next((one for n, one in enumerate(stages) if one.when is None or str(n) in holding), None)
        return (self.number(chosen.weight) or Fraction(0)) if chosen else Fraction(0)

    def number(self, quantity: Quantity) -> Fraction | None:
        """A number of 0 or more as written or as the parameter says; a parameter that is none is a finding."""
        if quantity.path is None:
            return quantity.number
        raw = follow(quantity.path.names, self.bare)
        number = _read(raw, percent=quantity.percent)
        if number is None:
            self.tell("policy-invalid", f"{quantity.text} is no number of 0 or more.", quantity.pointer)
        return number

    # --- findings

    def _note(self, trouble: str, ref: str) -> None:
        self._troubles.setdefault(trouble, []).append(ref)

    def _tell(self, measure: Measure) -> None:
        subject = self.policy.subject
        ways = " or ".join(str(path) for path in measure.by)
        reasons = {
            "no-subject": ("fact-without-subject", "by", f"lead to no {subject} by {ways}"),
            "not-scored": ("fact-without-subject", "by", f"lead by {ways} to a {subject} that is not scored"),
            "no-instant": ("fact-without-instant", "at", "have no instant that puts them into a period"),
            "no-limit": ("no-governing-term", "timely", f"have no limit ({_limits_of(measure)})"),
        }
        for trouble in dict.fromkeys((*self._troubles, *self._uncounted)):
            refs, more = self._troubles.get(trouble, []), self._uncounted.get(trouble)
            number = len(refs) + (more.facts if more else 0)
            first = sorted((*refs, *more.first)) if more else refs
            named = ", ".join(first[:NAMED]) + (" …" if number > NAMED else "")
            code, key, text = reasons.get(trouble, ("policy-invalid", "timely", f"cannot be judged ({trouble})"))
            message = f"{measure.name} leaves out {number} of {measure.over} that {text}: {named}."
            self._find(code, message, measure, key)

    def _find(self, code: str, message: str, measure: Measure, key: str = "") -> None:
        self.tell(code, message, (*measure.pointer, key) if key else measure.pointer)

    def tell(self, code: str, message: str, pointer: Pointer) -> None:
        """Note a finding at ``pointer`` in the policy's file."""
        record = self.policy.record
        place = record.place(pointer)
        self.findings.append(finding(code, message, place, pointer=pointer_text(pointer), record=record.id))


def _together(parts: Sequence[Mapping[str, Tally]]) -> dict[str, Tally]:
    """The tallies of several measures by subject, as one."""
    refs = {ref for part in parts for ref in part}
    return {ref: together(part[ref] for part in parts if ref in part) for ref in refs}


def _limits_of(measure: Measure) -> str:
    return ", ".join(rule.amount.text for rule in measure.timely.limits) if measure.timely else ""


def _number(value: Condition | Span, bindings: Bindings, unit: timedelta) -> float | None:
    """The number that a fact brings: as written, a share as a fraction of 1, a span of time in units."""
    if isinstance(value, Span):
        start, end = (_first(instants, bindings) for instants in (value.start, value.end))
        return None if start is None or end is None else units(end - start, unit)
    if isinstance(value.root, Path) and value.kind != "duration":
        raw = follow(value.root.names, bindings)
        return float(parse_share(raw)) if isinstance(raw, str) else raw
    try:
        number = value.value(bindings)
    except EvaluationError:
        return None
    if isinstance(number, timedelta):
        return units(number, unit)
    return number if isinstance(number, int | float) else None


_TICK = timedelta(microseconds=1)


def units(span: timedelta, unit: timedelta) -> float | None:
    """A span in units, to four places; whole microseconds count, so that it is the same number everywhere."""
    return plain(round(Fraction(span // _TICK, unit // _TICK), 4))


def _first(instants: Sequence[Condition], bindings: Bindings) -> datetime | None:
    return next((found for one in instants if (found := moment(one, bindings)) is not None), None)


def _days_late(due: datetime, done: datetime) -> float | None:
    return units(max(done - due, timedelta(0)), SPANS["days"])


def _read(raw: Any, *, percent: bool) -> Fraction | None:
    if isinstance(raw, str) and raw.endswith("%"):
        number = parse_share(raw)
    elif isinstance(raw, int | float) and not isinstance(raw, bool):
        number = Fraction(str(raw)) / (100 if percent else 1)
    else:
        return None
    return number if number >= 0 else None
