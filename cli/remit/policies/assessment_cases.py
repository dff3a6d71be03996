"""Cases of assessment policies: a period, facts, and the lines that the scorecard must have.

A line of ``expect`` names its ``subject`` (``Kind/name``, or the name alone) and says what it should show: ``measures``
with any of ``value of n target score`` and ``left_out`` each, ``score``, ``rank``, ``band``, ``share`` and ``amount``.
A subject for whom facts count and whom the case does not name fails it; so does a finding that is an error, and where
the case lists ``findings``, any other than those codes. ``at`` is the end of the period without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from remit.places import Place
from remit.policies.assessment import assess
from remit.policies.case_rows import Book, case_world_of
from remit.policies.measures import Assessment
from remit.references import World, instant
from remit.scorecards import RESULTS, MeasureScore, Scorecard, SubjectScore
from remit.times import Period, parse_period, period_of

_OF_LINE = ("subject", "measures", *RESULTS)
_OF_MEASURE = ("value", "of", "n", "target", "score", "left_out")


@dataclass(frozen=True)
class Trial:
    """One case made ready to be asked: its world, its period, the moment asked about, and what is wrong with it."""

    name: str
    place: Place
    expect: Any
    world: World
    period: Period | None
    at: datetime | None
    findings: Sequence[str] | None
    failures: tuple[str, ...]


def trials(policy: Assessment, book: Book, world: World) -> list[Trial]:
    """The cases, each made ready once however often it is asked."""
    return [_trial(book, index, case, world) for index, case in enumerate(book.cases)]


def _trial(book: Book, index: int, case: Mapping[str, Any], world: World) -> Trial:
    case_world, _, failures = case_world_of(book, case, world)
    period = None
    try:
        period = parse_period(str(case.get("period", "")), world.zone)
    except ValueError as error:
        failures.append(f"period: {error}.")
    at, expect = instant(case.get("at")), case.get("expect", ())
    findings = case.get("findings")
    return Trial(case["name"], book.place(index), expect, case_world, period, at, findings, tuple(failures))


def judge(policy: Assessment, trial: Trial) -> list[str]:
    """What fails in a case, in words; an empty list when it holds."""
    if trial.failures or trial.period is None:
        return list(trial.failures)
    zone = trial.world.zone
    if not any(period_of(trial.period.start, cycle, zone) == trial.period for cycle in policy.cycles):
        return [f"{policy.name} scores by {', '.join(policy.cycles)}; {trial.period.name} is none."]
    scorecard = scored(policy, trial, trial.period)
    return [
        *(f.message for f in scorecard.findings if f.severity == "error"),
        *_other_findings(trial, scorecard),
        *_differences(policy, trial.expect, scorecard),
    ]


def _other_findings(trial: Trial, scorecard: Scorecard) -> Iterator[str]:
    found = sorted(f.code for f in scorecard.findings)
    if trial.findings is not None and found != sorted(trial.findings):
        yield f"The findings are {', '.join(found) or 'none'}, expected {', '.join(sorted(trial.findings)) or 'none'}."


def scored(policy: Assessment, trial: Trial, period: Period) -> Scorecard:
    """The scorecard of a case."""
    return assess(policy, trial.world, period, at=trial.at or period.end)


def run_cases(policy: Assessment, book: Book, world: World) -> Iterator[list[str]]:
    """What each case finds wrong, in the order written; an empty list for one that holds."""
    yield from (judge(policy, trial) for trial in trials(policy, book, world))


def _differences(policy: Assessment, expected: Any, scorecard: Scorecard) -> Iterator[str]:
    named = set()
    for one in expected:
        name = str(one.get("subject"))
        ref = name if name.startswith(f"{policy.subject}/") else f"{policy.subject}/{name}"
        named.add(ref)
        yield from (f"{key!r} cannot be expected of a scorecard." for key in sorted(set(one) - {*_OF_LINE}))
        line = scorecard.of(ref)
        if line is None:
            yield f"{ref} is not on the scorecard."
        else:
            yield from _line_differences(one, line)
    for line in scorecard.subjects:
        if line.subject not in named and any(measure.facts for measure in line.measures.values()):
            yield f"Not expected: facts count for {line.subject}."


def _line_differences(expected: Mapping[str, Any], line: SubjectScore) -> Iterator[str]:
    for key in RESULTS:
        if key in expected and expected[key] != getattr(line, key):
            yield f"{line.subject}: {key} is {getattr(line, key)}, expected {expected[key]}."
    for name, figures in expected.get("measures", {}).items():
        measure = line.measures.get(name)
        if measure is None:
            yield f"{line.subject}: there is no measure {name!r}."
            continue
        shown = _shown(measure)
        for key, wanted in figures.items():
            if key not in _OF_MEASURE:
                yield f"{key!r} cannot be expected of a measure."
            elif shown[key] != wanted:
                facts = ", ".join(f"{f.ref} {f.why}" for f in measure.facts)
                yield f"{line.subject}: {key} of {name} is {shown[key]}, expected {wanted} ({facts})."


def _shown(measure: MeasureScore) -> dict[str, Any]:
    return {**measure.to_json(), "left_out": sum(fact.counted == "left out" for fact in measure.facts)}
