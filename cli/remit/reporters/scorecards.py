"""Scorecards as tables: one line a subject, or one line for each fact behind a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from remit.policies.assessment import Assessment, Measure
from remit.reporters.csv_text import csv_text
from remit.reporters.terminal import table
from remit.scorecards import RESULTS, CountedFact, MeasureScore, Scorecard, SubjectScore
from remit.times import format_instant

Titles = Callable[[str], str]
"""The title of a subject (``Kind/name``) in the language of the output."""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "subject": {"en": "subject", "zh": "考核对象"},
    "score": {"en": "score", "zh": "得分"},
    "rank": {"en": "rank", "zh": "排名"},
    "band": {"en": "band", "zh": "档次"},
    "share": {"en": "share of the pool", "zh": "奖金占比"},
    "amount": {"en": "amount", "zh": "金额"},
    "exclusion": {"en": "excluded by", "zh": "剔除依据"},
    "figure": {"en": "figure", "zh": "数据项"},
    "frozen": {"en": "frozen", "zh": "封存值"},
    "now": {"en": "now", "zh": "现值"},
    "facts": {"en": "facts", "zh": "事实"},
    "n": {"en": "good", "zh": "达标数"},
    "of": {"en": "counted", "zh": "计入数"},
    "target": {"en": "target", "zh": "目标值"},
    "restated": {
        "en": "Frozen figures that are otherwise now:",
        "zh": "与封存结果不一致的数据：",
    },
    "fact": {"en": "fact", "zh": "事实"},
    "counted": {"en": "counted", "zh": "计入"},
    "why": {"en": "why", "zh": "原因"},
    "at": {"en": "at", "zh": "归属时间"},
    "due": {"en": "due", "zh": "到期时间"},
    "stopped": {"en": "done", "zh": "完成时间"},
    "value": {"en": "value", "zh": "数值"},
    "good": {"en": "good", "zh": "达标"},
    "bad": {"en": "bad", "zh": "未达标"},
    "left out": {"en": "left out", "zh": "不计"},
    "so-far": {"en": "so far, as of {at}", "zh": "截至 {at}，尚未结束"},
    "nobody": {"en": "Nobody is scored in this period.", "zh": "本期没有考核对象。"},
}
_REASONS: Mapping[str, Mapping[str, str]] = {
    "counted": {"en": "", "zh": ""},
    "good": {"en": "", "zh": ""},
    "not-good": {"en": "condition does not hold", "zh": "不满足条件"},
    "in-time": {"en": "in time", "zh": "及时"},
    "late": {"en": "late", "zh": "超时"},
    "overdue": {"en": "not done, overdue", "zh": "未完成，已超时"},
    "not-yet-due": {"en": "not done, not yet due", "zh": "未完成，未到期"},
    "not-yet": {"en": "after the moment asked about", "zh": "晚于查询时刻"},
    "no-instant": {"en": "clock has no start", "zh": "没有起点"},
    "no-limit": {"en": "no limit in force", "zh": "没有适用的时限"},
    "suspended": {"en": "suspended", "zh": "挂起中"},
    "no-value": {"en": "no number", "zh": "没有数值"},
    "excluded": {"en": "excluded", "zh": "已剔除"},
}
_HIDDEN = "–"
_DIGEST = 15
"""How much of a digest a table shows."""


def scorecard_text(scorecard: Scorecard, policy: Assessment, title_of: Titles, language: str) -> Iterator[str]:
    """The heading and the table of a scorecard, for people."""
    yield _heading(scorecard, policy, language)
    if not scorecard.subjects:
        yield _WORDS["nobody"][language]
        return
    head = [
        _WORDS["subject"][language],
        *(m.title.get(language, m.name) for m in policy.measures),
        *(_result_title(key, policy, language) for key in _results(policy)),
    ]
    rows = [
        [
            title_of(line.subject),
            *(_figure(m, line.measures[m.name]) for m in policy.measures),
            *(_result(policy, line, key, language) for key in _results(policy)),
        ]
        for line in scorecard.subjects
    ]
    yield table(rows, head)
    yield from restated_text(scorecard, policy, title_of, language)


def restated_text(scorecard: Scorecard, policy: Assessment, title_of: Titles, language: str) -> Iterator[str]:
    """What the frozen sheets of the period say otherwise; nothing where they agree or there are none."""
    if not scorecard.restated:
        return
    yield ""
    yield _WORDS["restated"][language]
    rows = [
        [
            title_of(one.subject),
            figure_title(one.figure, policy, language),
            *(_HIDDEN if value is None else str(value)[:_DIGEST] for value in (one.frozen, one.now)),
            one.sheet or _HIDDEN,
        ]
        for one in scorecard.restated
    ]
    yield table(rows, [*(_WORDS[key][language] for key in ("subject", "figure", "frozen", "now")), "KpiSheet"])


def figure_title(figure: str, policy: Assessment, language: str) -> str:
    """``provisioning.value`` in words."""
    name, dot, key = figure.partition(".")
    title = next((m.title.get(language, m.name) for m in policy.measures if m.name == name), name)
    if not dot:
        return _WORDS[figure][language] if figure in _WORDS else figure
    return f"{title} {_WORDS[key][language]}"


def facts_text(lines: Sequence[SubjectScore], measure: Measure, title_of: Titles, language: str) -> Iterator[str]:
    """The facts behind one measure, a table for each subject."""
    facts = [fact for line in lines for fact in line.measures[measure.name].facts]
    moments = ("due", "stopped") if measure.timely or any(fact.due for fact in facts) else ("at",)
    excluded = any(fact.exclusion for fact in facts)
    keys = ("fact", "counted", "why", *moments, *(("exclusion",) if excluded else ()))
    for line in lines:
        figure = line.measures[measure.name]
        rows = [[fact_cell(fact, key, language) for key in keys] for fact in figure.facts]
        if rows:
            yield ""
            title = title_of(line.subject) if line.subject else measure.title.get(language, measure.name)
            yield f"{title}: {figure.n}/{figure.of}"
            yield table(rows, [_WORDS[key][language] for key in keys])


def fact_cell(fact: CountedFact, key: str, language: str) -> str:
    """One cell of a listed fact, for people."""
    match key:
        case "fact":
            return fact.ref
        case "counted":
            return _WORDS[fact.counted][language]
        case "why":
            number = "" if fact.value is None else _number(fact.value)
            return " ".join(part for part in (_REASONS[fact.why][language], number) if part)
        case "exclusion":
            return fact.exclusion or _HIDDEN
    return _moment(getattr(fact, key))


def _moment(moment: datetime | None) -> str:
    return _HIDDEN if moment is None else format_instant(moment)


def scorecard_csv(scorecard: Scorecard, policy: Assessment, title_of: Titles) -> str:
    """One line a subject, five columns a measure; nothing stands for what is not there."""
    head = ["subject", "title"]
    for measure in policy.measures:
        head += [measure.name, *(f"{measure.name}_{key}" for key in ("of", "n", "target", "score"))]
    rows = [
        [
            line.subject,
            title_of(line.subject),
            *(_cell(value) for measure in policy.measures for value in line.measures[measure.name].to_json().values()),
            *(_cell(getattr(line, key)) for key in RESULTS),
        ]
        for line in scorecard.subjects
    ]
    return csv_text([*head, *RESULTS], rows)


def lines_of(scorecard: Scorecard, measure: Measure) -> tuple[SubjectScore, ...]:
    """The lines whose facts are listed: those of the subjects, or of the places that a band has."""
    if measure.name not in scorecard.places:
        return scorecard.subjects
    return (SubjectScore("", {measure.name: scorecard.places[measure.name]}, None, None),)


def facts_csv(lines: Sequence[SubjectScore], measure: str) -> str:
    """One line for each fact behind one measure."""
    rows = [[_cell(value) for value in row.values()] for row in listed(lines, measure)]
    return csv_text(["subject", "measure", *CountedFact("", "good", "").to_json()], rows)


def listed(lines: Sequence[SubjectScore], measure: str) -> list[dict[str, Any]]:
    """The facts behind one measure as JSON values, by subject and id."""
    return [
        {"subject": line.subject, "measure": measure, **fact.to_json()}
        for line in lines
        for fact in line.measures[measure].facts
    ]


def _heading(scorecard: Scorecard, policy: Assessment, language: str) -> str:
    heading = f"{policy.record.title(language)}  {scorecard.period.name}"
    if scorecard.is_final:
        return heading
    return f"{heading}  ({_WORDS['so-far'][language].format(at=format_instant(scorecard.at))})"


def _figure(measure: Measure, figure: MeasureScore) -> str:
    if figure.value is None:
        return _HIDDEN
    return f"{figure.value:.2%} ({figure.n}/{figure.of})" if measure.type == "ratio" else _number(figure.value)


def _number(value: float) -> str:
    """All the places that a figure has, and no exponent."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _results(policy: Assessment) -> tuple[str, ...]:
    """What a line says besides its figures, as far as the policy gives it."""
    shared = any(band.multiplier for band in policy.bands)
    given = {"band": bool(policy.bands), "share": shared, "amount": policy.pool is not None}
    return tuple(key for key in RESULTS if given.get(key, True))


def _result_title(key: str, policy: Assessment, language: str) -> str:
    """The title of a result; money has the one that its policy gives it."""
    if key == "amount" and policy.pool is not None:
        return policy.pool.title.get(language, _WORDS[key][language])
    return _WORDS[key][language]


def _result(policy: Assessment, line: SubjectScore, key: str, language: str) -> str:
    value = getattr(line, key)
    if value is None:
        return _HIDDEN
    match key:
        case "score":
            return f"{value:.2f}"
        case "share":
            return f"{value:.4%}"
        case "amount":
            return f"{value:.2f}"
        case "band":
            return next((b.title.get(language, b.name) for b in policy.bands if b.name == value), str(value))
    return str(value)


def _cell(value: Any) -> Any:
    return "" if value is None else value
