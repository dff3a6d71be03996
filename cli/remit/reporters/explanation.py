"""An explanation as a page of text: what is so, why, by which rule, and who put the rule there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from remit.reporters.terminal import padded, safe, width

if TYPE_CHECKING:
    from remit.decisions import Decision
    from remit.explaining import Explanation

_WORDS = {
    "en": {
        "policy": "Policy",
        "clauses": "Clauses",
        "written": "Written by",
        "approved": "Approved by",
        "nobody": "no recorded approval",
        "subject": "Subject",
        "conditions": "Conditions",
        "always": "none: the policy watches every such subject",
        "holds": "holds",
        "fails": "does not hold",
        "term": "Service term",
        "decisions": "Decided",
        "nothing": "nothing is in force",
        "clock": "Clock",
        "counted": "counted",
        "paused": "not counted",
        "told": "Told",
        "due": "due",
        "levels": "Levels",
    },
    "zh": {
        "policy": "策略",
        "clauses": "条款",
        "written": "编写",
        "approved": "批准",
        "nobody": "无审批记录",
        "subject": "对象",
        "conditions": "条件",
        "always": "无：对该类对象一律适用",
        "holds": "成立",
        "fails": "不成立",
        "term": "适用条款",
        "decisions": "结论",
        "nothing": "当前无生效结论",
        "clock": "计时",
        "counted": "计入",
        "paused": "不计入",
        "told": "通知",
        "due": "时限",
        "levels": "级别",
    },
}


def explanation_lines(explanation: Explanation, language: str) -> Iterator[str]:
    """The page, line by line; what was decided comes first."""
    words = _WORDS[language]
    yield from _decided(explanation, language, words)
    watch = explanation.policy
    yield ""
    yield _row(words["subject"], f"{explanation.subject.ref}  {explanation.subject.place}")
    yield _row(words["policy"], f"{watch.record.title(language)}  {watch.record.place()}")
    yield _row(words["clauses"], ", ".join(watch.clauses))
    commit = explanation.policy_commit
    if commit is not None:
        yield _row(words["written"], f"{commit.author}, {commit.when:%Y-%m-%d %H:%M}, {commit.sha[:10]}")
        yield _row(words["approved"], ", ".join(explanation.approvers) or words["nobody"])
    yield ""
    yield from _conditions(explanation, words)
    yield from _levels(explanation, words)
    yield from _terms(explanation, words)


def _row(label: str, text: str) -> str:
    return f"{padded(label, 12)} {safe(text)}"


def _decided(explanation: Explanation, language: str, words: dict[str, str]) -> Iterator[str]:
    if not explanation.decisions:
        yield _row(words["decisions"], words["nothing"])
    for decision in explanation.decisions:
        yield safe(decision.message[language])
        for told in decision.notify:
            yield _row(words["told"], f"{told.person} ({told.role})")
            for step in told.path:
                yield _row("", f"· {step}")
        yield from _clock(decision, words)


def _clock(decision: Decision, words: dict[str, str]) -> Iterator[str]:
    if decision.clock is None:
        return
    due = f", {words['due']} {_when(decision.clock.due)}" if decision.clock.due else ""
    hours, rest = divmod(decision.clock.elapsed_seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    yield _row(words["clock"], f"{hours}:{minutes:02}:{seconds:02} {words['counted']}{due}")
    for segment in decision.clock.segments:
        mark = words["counted"] if segment.counted else words["paused"]
        reason = f"  {segment.reason}" if segment.reason != "counted" else ""
        yield _row("", f"{_when(segment.start)} → {_when(segment.end)}  {mark}{reason}")


def _conditions(explanation: Explanation, words: dict[str, str]) -> Iterator[str]:
    if not explanation.checks:
        yield _row(words["conditions"], words["always"])
    for check in explanation.checks:
        yield _row(words["conditions"], f"{'✓' if check.holds else '✗'} {check.condition}")
        for one in check.values:
            by = f"  {one.commit.author}, {one.commit.sha[:10]}" if one.commit else ""
            place = f"  {one.place}" if one.place.path else ""
            yield _row("", f"  {one.path} = {_value(one.value)}{place}{by}")


def _levels(explanation: Explanation, words: dict[str, str]) -> Iterator[str]:
    columns = max((width(rung.level) for rung in explanation.rungs), default=0)
    for rung in explanation.rungs:
        outcome = _when(rung.at) if rung.at else rung.why_not
        yield _row(words["levels"], f"{padded(rung.level, columns)}  {outcome}")


def _terms(explanation: Explanation, words: dict[str, str]) -> Iterator[str]:
    for field, value, source, why, place in explanation.terms:
        yield _row(words["term"], f"{field} {value}  {source}: {why}  {place}")


def _when(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:75] + " …"
