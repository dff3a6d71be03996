"""From facts to figures: the value of a measure, its score, and the total of a subject. Exact until rounded once.

Scores are worked out from the rounded value, so that anyone can do it from what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from remit.policies.measures import Measure, Scoring
from remit.policies.tallies import Tally
from remit.scorecards import MeasureScore

FULL = Fraction(100)


class Terms(NamedTuple):
    """The numbers on which a measure's score rests, read from the parameters of the day.

    ``table`` has the least value and the score of each row; a row without a least value holds below all others.
    """

    aim: Fraction | None
    weight: Fraction
    deduct: Fraction | None
    table: tuple[tuple[Fraction | None, Fraction], ...] = ()


def measured(measure: Measure, tally: Tally, terms: Terms) -> MeasureScore:
    """The figure of a measure over the facts of one subject."""
    exact = _exact(measure, tally)
    value = None if exact is None else round(exact, 4)
    score = None
    if measure.scoring is not None and value is not None:
        score = _score(measure.scoring, value, terms)
    target = None if terms.aim is None else round(terms.aim, 6)
    rounded = None if score is None else round(score, 2)
    return MeasureScore(plain(value), tally.of, tally.good, plain(target), plain(rounded), tuple(tally.facts))


def _exact(measure: Measure, tally: Tally) -> Fraction | None:
    if measure.type == "count":
        return Fraction(tally.of)
    if measure.type == "ratio":
        return Fraction(tally.good, tally.of) if tally.of else None
    if measure.type in ("sum", "days_late"):
        return tally.total
    if not tally.of:
        return None
    if measure.type == "percentile" and measure.percentile is not None:
        return tally.percentile(measure.percentile)
    return tally.total / tally.of


def _score(scoring: Scoring, value: Fraction, terms: Terms) -> Fraction | None:
    match scoring.kind:
        case "value":
            return max(Fraction(0), min(FULL, value))
        case "table":
            return _looked_up(terms.table, value)
    if terms.aim is None:
        return None
    if scoring.kind == "pass_fail":
        return FULL if value >= terms.aim else Fraction(0)
    return min(FULL, value / terms.aim * 100)


def _looked_up(table: Sequence[tuple[Fraction | None, Fraction]], value: Fraction) -> Fraction:
    """The score of the row with the greatest start that the value reaches; of the row without one below all."""
    reached = [(start, score) for start, score in table if start is not None and start <= value]
    if reached:
        return max(reached)[1]
    return next((score for start, score in table if start is None), Fraction(0))


def total(
    measures: Sequence[Measure],
    scores: Mapping[str, MeasureScore],
    terms: Mapping[str, Terms],
    parts: Mapping[str, Fraction],
) -> Fraction | None:
    """The weighted mean of the scores that are there, part by part where there are parts, less what is deducted.

    None where there is no score; never below 0. Rounded to two places.
    """
    by_part: dict[str, list[tuple[Fraction, Fraction]]] = {}
    for one in measures:
        score = scores[one.name].score
        if score is not None:
            by_part.setdefault(one.part, []).append((terms[one.name].weight, Fraction(str(score))))
    means = [
        (parts.get(part, Fraction(1)), mean) for part, some in by_part.items() if (mean := _mean(some)) is not None
    ]
    whole = _mean(means)
    if whole is None:
        return None
    return round(max(Fraction(0), whole - sum(_deducted(one, scores, terms) for one in measures)), 2)


def _deducted(measure: Measure, scores: Mapping[str, MeasureScore], terms: Mapping[str, Terms]) -> Fraction:
    points, value = terms[measure.name].deduct, scores[measure.name].value
    return Fraction(0) if points is None or value is None else points * Fraction(str(value))


def _mean(weighted: Sequence[tuple[Fraction, Fraction]]) -> Fraction | None:
    weights = sum((weight for weight, _ in weighted), Fraction(0))
    return sum((weight * value for weight, value in weighted), Fraction(0)) / weights if weights else None


def plain(number: Fraction | None) -> float | None:
    """The number as JSON shows it: whole where it is whole."""
    if number is None:
        return None
    return number.numerator if number.denominator == 1 else float(number)
