"""Cases of assessment policies: a period, facts, and the lines that the scorecard must have.

A line of ``expect`` names its ``subject`` (``Kind/name``, or the name alone) and says what it should show: ``measures``
with any of ``value of n target score`` and ``left_out`` each, ``score``, ``rank``, ``band``, ``share`` and ``amount``.
A subject for whom facts count and whom the case does not name fails it; so does a finding that is an error. ``at`` is
the end of the period without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remit.policies.assessment import assess
from remit.policies.case_rows import Book, case_world_of
from remit.policies.measures import Assessment
from remit.references import World, instant
from remit.scorecards import RESULTS, MeasureScore, Scorecard, SubjectScore
from remit.times import parse_period

_OF_LINE = ("subject", "measures", *RESULTS)
_OF_MEASURE = ("value", "of", "n", "target", "score", "left_out")


def run_cases(policy: Assessment, book: Book, world: World) -> Iterator[list[str]]:
    """What each case finds wrong, in the order written; an empty list for one that holds."""
    for case in book.cases:
        yield _run(policy, book, case, world)


def _run(policy: Assessment, book: Book, case: Mapping[str, Any], world: World) -> list[str]:
    case_world, _, failures = case_world_of(book, case, world)
    if failures:
        return failures
    try:
        period = parse_period(str(case.get("period", "")), world.zone)
    except ValueError as error:
        return [f"period: {error}."]
    scorecard = assess(policy, case_world, period, at=instant(case.get("at")) or period.end)
    return [
        *(f.message for f in scorecard.findings if f.severity == "error"),
        *_differences(policy, case.get("expect", ()), scorecard),
    ]


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
