"""What there is to see of an assessment policy, and what its cases see of it.

Each measure is to be seen with a fact and without one, each part of a condition both ways, what is timely exactly at
its due time and one second later, each row of a table, each band, each length of period, and a target met and missed:
met exactly, unless the figure is a rate, which moves in steps of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from remit.conditions.checks import present_if
from remit.places import Place
from remit.policies.assessment import asked
from remit.policies.assessment_cases import Trial, scored
from remit.policies.measures import Assessment, Measure, Row, Weight
from remit.policies.sights import FALSE, Goal, Sight, branch_goals, looked
from remit.scorecards import MeasureScore, Scorecard
from remit.times import Cycle, Period, period_of

COUNTED, NOTHING = "with a fact", "without a fact"
DUE, LATE = "exactly due", "one second late"
MET, EXACTLY, MISSED = "met", "exactly met", "missed"
SEEN = "seen"
_SECOND = timedelta(seconds=1)


def goals(policy: Assessment) -> list[Goal]:
    """Everything that the cases of an assessment policy have to see, in the order written; each once."""
    record = policy.record
    found: list[Goal] = []
    if policy.when is not None:
        found += branch_goals("", policy.when, record.place(("spec", "when")))
    found += [Goal(_length(cycle), record.place(("spec", "period"))) for cycle in policy.cycles]
    for index, part in enumerate(policy.parts):
        found += _of_weight(part.name, part.weight, record.place(("spec", "parts", index, "weight")))
    for index, band in enumerate(policy.bands):
        found.append(Goal(Sight(f"band {band.name}", SEEN), record.place(("spec", "bands", index))))
    for measure in (*policy.places.values(), *policy.measures):
        found += _of_measure(measure, record.place(measure.pointer))
    return list(dict.fromkeys(found))


def _length(cycle: Cycle) -> Sight:
    return Sight(f"period {cycle}", SEEN)


def _of_measure(measure: Measure, place: Place) -> Iterator[Goal]:
    meant = present_if(measure.where.root, True) if measure.where is not None else frozenset[str]()
    for name, condition in measure.conditions.items():
        for goal in branch_goals(f"{measure.name} {name}", condition, place):
            if name == "where" or not _is_given(goal, meant):
                yield goal
    yield from (Goal(_sight(measure, how), place) for how in _ways(measure))
    if measure.scoring is not None:
        yield from (Goal(_row(measure, row), place) for row in measure.scoring.table)
    yield from _of_weight(measure.name, measure.weight, place)


def _of_weight(name: str, weight: Weight, place: Place) -> Iterator[Goal]:
    for stage in weight:
        yield from branch_goals(name, stage.when, place) if stage.when is not None else ()


def _is_given(goal: Goal, present: frozenset[str]) -> bool:
    """True where a presence is to be missed that ``where`` has already demanded."""
    return goal.sight.how == FALSE and any(goal.sight.part.endswith(f" when has({path})") for path in present)


def _ways(measure: Measure) -> Iterator[str]:
    yield from (COUNTED, NOTHING)
    if measure.timely is not None:
        yield from (DUE, LATE)
    if measure.aim is not None:
        yield from (MET, MISSED) if measure.type == "ratio" else (EXACTLY, MISSED)


def _sight(measure: Measure, how: str) -> Sight:
    return Sight(f"measure {measure.name}", how)


def _row(measure: Measure, row: Row) -> Sight:
    return Sight(f"measure {measure.name} row", "from " + row.start.text if row.start else "of the rest")


# --- what the cases see ----------------------------------------------------------------------------------------------


def sights(policy: Assessment, asked_of: Iterable[Trial]) -> Iterator[Sight]:
    """What the cases see of the policy."""
    for trial in asked_of:
        if trial.period is not None and not trial.failures:
            yield from _seen(policy, trial, trial.period)


def _seen(policy: Assessment, trial: Trial, period: Period) -> Iterator[Sight]:
    zone = trial.world.zone
    yield from (_length(cycle) for cycle in policy.cycles if period_of(period.start, cycle, zone) == period)
    for owner, condition, bindings in asked(policy, trial.world, period, at=trial.at or period.end):
        yield from looked(condition, owner, bindings)
    scorecard = scored(policy, trial, period)
    for measure, figure in _figures(policy, scorecard):
        yield from _of_figure(measure, figure)
    yield from (Sight(f"band {line.band}", SEEN) for line in scorecard.subjects if line.band)


def _figures(policy: Assessment, scorecard: Scorecard) -> Iterator[tuple[Measure, MeasureScore]]:
    for line in scorecard.subjects:
        yield from ((one, line.measures[one.name]) for one in policy.measures)
    yield from ((one, scorecard.places[name]) for name, one in policy.places.items())


def _of_figure(measure: Measure, figure: MeasureScore) -> Iterator[Sight]:
    yield _sight(measure, COUNTED if figure.of else NOTHING)
    for fact in figure.facts:
        if fact.due is not None and fact.stopped == fact.due:
            yield _sight(measure, DUE)
        if fact.due is not None and fact.stopped == fact.due + _SECOND:
            yield _sight(measure, LATE)
    if figure.target is not None and figure.value is not None:
        yield _sight(measure, MET if figure.value >= figure.target else MISSED)
        if figure.value == figure.target:
            yield _sight(measure, EXACTLY)
    if measure.scoring is not None and figure.score is not None:
        yield from (_row(measure, row) for row in measure.scoring.table if float(row.score) == figure.score)
