"""Scoring: an assessment policy over a world of records and facts gives a scorecard.

A fact counts in the period in which its instant lies: the measure's ``at``, or the due time of what is to be timely. It
counts for the subject to which the measure's ``by`` leads. It is judged as of the end of the period, or of the moment
asked about where that is earlier; what happened later is not seen, so that the scorecard of a past period stays as it
was. Every fact of the period is good, bad, left out for a reason that is told, or counted in a finding.

Source: domain 5.6 and 5.11: timely items of all items due in the period, in percent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from remit.conditions.condition import Bindings, Condition, EvaluationError
from remit.conditions.deciding import Decider
from remit.conditions.lowering import entity_at, follow
from remit.conditions.tree import Path
from remit.findings import Finding, finding, in_order
from remit.places import Pointer, pointer_text
from remit.policies.clocking import Calendars, Lane, Window, amount_of, lanes_of, moment
from remit.policies.measures import Aim, Assessment, Measure, Timely, compile_assessment
from remit.references import Entity, World
from remit.scorecards import Counted, CountedFact, MeasureScore, Scorecard, SubjectScore
from remit.terms import GoverningTerm, governing_term
from remit.times import Period, in_zone, parse_share

__all__ = ["Assessment", "Measure", "assess", "compile_assessment"]

_NAMED = 3
"""How many facts a finding names; it counts all."""


def assess(policy: Assessment, world: World, period: Period, *, at: datetime) -> Scorecard:
    """The scores of ``period`` as of ``at``, or of its end where that is earlier.

    Subjects by id; with ``when`` those for whom it holds, else those for whom any fact of the period counts or is left
    out. Findings tell of facts that could not be given to a subject, a period or a limit: counted, and the first named.
    """
    run = _Run(policy, world, period, in_zone(min(at, period.end), world.zone))
    counted = [run.count(measure) for measure in policy.measures]
    refs = set(run.subjects) if run.subjects is not None else {ref for by_subject in counted for ref in by_subject}
    aims = [run.aim(measure) for measure in policy.measures]
    lines = []
    for ref in sorted(refs):
        scores = {
            measure.name: _measured(measure, by_subject.get(ref, ()), aim)
            for measure, by_subject, aim in zip(policy.measures, counted, aims, strict=True)
        }
        lines.append((ref, scores, _total(policy, scores)))
    totals = [total for _, _, total in lines if total is not None]
    subjects = tuple(
        SubjectScore(ref, scores, total, _rank(total, totals) if policy.is_ranked else None)
        for ref, scores, total in lines
    )
    return Scorecard(policy.name, period, run.at, subjects, in_order(run.findings))


# --- figures


def _measured(measure: Measure, facts: Sequence[CountedFact], aim: Fraction | None) -> MeasureScore:
    counted = [fact for fact in facts if fact.counted != "left out"]
    good = sum(fact.counted == "good" for fact in counted)
    exact = _exact_value(measure, counted, good)
    value = None if exact is None else round(exact, 4)
    score = None
    if measure.is_scored and value is not None and aim is not None:
        # From the rounded value, so that anyone can work out a score from what is shown.
        score = round(min(Fraction(100), value / aim * 100), 2)
    target = None if aim is None else round(aim, 6)
    return MeasureScore(_plain(value), len(counted), good, _plain(target), _plain(score), tuple(facts))


def _exact_value(measure: Measure, counted: Sequence[CountedFact], good: int) -> Fraction | None:
    if measure.type == "count":
        return Fraction(len(counted))
    if measure.type == "ratio":
        return Fraction(good, len(counted)) if counted else None
    total = sum((Fraction(str(fact.value)) for fact in counted), Fraction(0))
    if measure.type == "sum":
        return total
    return total / len(counted) if counted else None


def _plain(number: Fraction | None) -> float | None:
    """The number as JSON shows it: whole where it is whole."""
    if number is None:
        return None
    return number.numerator if number.denominator == 1 else float(number)


def _total(policy: Assessment, scores: Mapping[str, MeasureScore]) -> float | None:
    """The weighted mean of the scores that are there."""
    parts = [(m.weight, Fraction(str(s))) for m in policy.measures if (s := scores[m.name].score) is not None]
    weights = sum(weight for weight, _ in parts)
    return _plain(round(sum(weight * score for weight, score in parts) / Fraction(weights), 2)) if weights else None


def _rank(total: float | None, totals: Iterable[float]) -> int | None:
    """Equal totals share the best place, and the places they take up stay empty: 1, 1, 3."""
    return None if total is None else 1 + sum(other > total for other in totals)


# --- counting


@dataclass(frozen=True)
class _Judged:
    """What a measure makes of a fact before anyone knows for whom it counts; ``at`` None: in no period."""

    counted: Counted
    why: str
    at: datetime | None
    due: datetime | None = None
    stopped: datetime | None = None
    value: float | None = None


class _Run:
    def __init__(self, policy: Assessment, world: World, period: Period, at: datetime) -> None:
        self.policy = policy
        self.world = world
        self.period = period
        self.at = at
        self.findings: list[Finding] = []
        self._calendars = Calendars(world)
        self._parameters = {name: p.get("value") for name, p in world.parameters.items()}
        self._troubles: dict[str, list[str]] = {}
        self.subjects = self._subjects()

    def _subjects(self) -> frozenset[str] | None:
        """Those whom ``when`` selects; None when the policy selects nobody beforehand."""
        if self.policy.when is None:
            return None
        with Decider({"when": self.policy.when}, self.policy.compiler) as decider:
            chosen = []
            for entity in self.world.all(self.policy.subject):
                values: dict[str, Any] = {"subject": entity, "param": self._parameters}
                if decider.holding(Bindings(self.world, values, self.policy.scope)):
                    chosen.append(entity.ref)
        return frozenset(chosen)

    def count(self, measure: Measure) -> dict[str, list[CountedFact]]:
        """The facts of the period by the subject for whom they count, in the order of their ids."""
        self._troubles = {}
        found: dict[str, list[CountedFact]] = {}
        with Decider(measure.conditions, self.policy.compiler) as decider:
            for entity in self.world.all(measure.over):
                for part, bindings in self._items(measure, entity):
                    self._count(measure, entity, f"{entity.ref}{part}", bindings, decider, found)
        self._tell(measure)
        return found

    def _count(
        self,
        measure: Measure,
        entity: Entity,
        ref: str,
        bindings: Bindings,
        decider: Decider,
        found: dict[str, list[CountedFact]],
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
        subject = self._subject_of(measure, bindings, ref)
        if subject is not None:
            if judged.why == "no-limit":
                self._note("no-limit", ref)
            found.setdefault(subject, []).append(self._shown(ref, judged))

    def _items(self, measure: Measure, entity: Entity) -> Iterator[tuple[str, Bindings]]:
        values: dict[str, Any] = {"fact": entity, "param": self._parameters}
        for name, related in measure.related.items():
            values[name] = self.world.joined(related.kind, related.field, entity.name)
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
        return CountedFact(ref, judged.counted, judged.why, *moments, judged.value)

    # --- judging

    def _judge(self, measure: Measure, entity: Entity, bindings: Bindings, decider: Decider) -> _Judged | None:
        """What the measure makes of a fact; None when it is not of this period or not meant."""
        at = next((m for c in measure.at if (m := moment(c, bindings)) is not None), None)
        if at is not None and not self._within(at):
            return None
        lanes = self._lanes(measure.timely, entity, bindings) if measure.timely else []
        if measure.timely and not measure.at and lanes and lanes[0].clock.start >= self.period.end:
            return None  # Nothing is due before its clock starts.
        holding = decider.holding(bindings) if measure.conditions else frozenset[str]()
        if measure.where is not None and "where" not in holding:
            return None
        if measure.at:
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
        value = _number(measure.value, bindings)
        return _Judged("left out", "no-value", at) if value is None else _Judged("good", "counted", at, value=value)

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
        if not measure.at:
            at = due or lane.clock.start
            if not self._within(at):
                return None
        stopped = lane.clock.stop
        if stopped is not None and stopped > self.at:
            stopped = None
        if due is None:
            return _Judged("left out", why, at, None, stopped)
        if stopped is not None:
            return _Judged(*(("good", "in-time") if stopped <= due else ("bad", "late")), at, due, stopped)
        return _Judged(*(("bad", "overdue") if due <= self.at else ("left out", "not-yet-due")), at, due)

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

    def _subject_of(self, measure: Measure, bindings: Bindings, ref: str) -> str | None:
        """The subject for whom a fact counts; one that leads to none, or to one who is not scored, is noted."""
        subject = next((e for path in measure.by if (e := entity_at(path.names, bindings)) is not None), None)
        if subject is None or subject.kind != self.policy.subject:
            self._note("no-subject", ref)
            return None
        if self.subjects is not None and subject.ref not in self.subjects:
            self._note("not-scored", ref)
            return None
        return subject.ref

    def aim(self, measure: Measure) -> Fraction | None:
        """The target in the unit of the measure's value; a parameter that is no number above 0 is a finding."""
        aim = measure.aim
        if aim is None or aim.path is None:
            return aim.number if aim else None
        number = _aimed(aim, follow(aim.path.names, Bindings(self.world, {"param": self._parameters}, measure.scope)))
        if number is None:
            self._find("policy-invalid", f"{aim.path} is no number above 0, so {measure.name} has no target.", measure)
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
        for trouble, refs in self._troubles.items():
            named = ", ".join(refs[:_NAMED]) + (" …" if len(refs) > _NAMED else "")
            code, key, text = reasons.get(trouble, ("policy-invalid", "timely", f"cannot be judged ({trouble})"))
            message = f"{measure.name} leaves out {len(refs)} of {measure.over} that {text}: {named}."
            self._find(code, message, measure, key)

    def _find(self, code: str, message: str, measure: Measure, key: str = "") -> None:
        pointer: Pointer = (*measure.pointer, key) if key else measure.pointer
        record = self.policy.record
        place = record.place(pointer)
        self.findings.append(finding(code, message, place, pointer=pointer_text(pointer), record=record.id))


def _limits_of(measure: Measure) -> str:
    return ", ".join(rule.amount.text for rule in measure.timely.limits) if measure.timely else ""


def _number(value: Condition, bindings: Bindings) -> float | None:
    if isinstance(value.root, Path):
        raw = follow(value.root.names, bindings)
        return float(parse_share(raw)) if isinstance(raw, str) else raw
    try:
        number = value.value(bindings)
    except EvaluationError:
        return None
    return number if isinstance(number, int | float) else None


def _aimed(aim: Aim, raw: Any) -> Fraction | None:
    if isinstance(raw, str) and raw.endswith("%"):
        number = parse_share(raw)
    elif isinstance(raw, int | float) and not isinstance(raw, bool):
        number = Fraction(str(raw)) / (100 if aim.percent else 1)
    else:
        return None
    return number if number > 0 else None
