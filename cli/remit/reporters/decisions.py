"""Decisions as a list for duty staff: what burns most first, who is told, and how to ask why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from remit.decisions import SEVERITIES, Decision, rank
from remit.reporters.terminal import padded, safe, width

_WORDS = {
    "en": {"info": "info", "caution": "caution", "breach": "BREACH", "critical": "CRITICAL"},
    "zh": {"info": "提示", "caution": "预警", "breach": "超限", "critical": "严重"},
}
_COUNTED = {"en": "{number} {word}", "zh": "{word}{number}项"}
_NOBODY = {"en": "nobody is told", "zh": "无人可通知"}
_NOTHING = {"en": "Nothing is in force.", "zh": "当前没有生效的预警或上报。"}
_WHY = {"en": "Why: remit explain {id}", "zh": "查看原因：remit explain {id}"}


def decision_lines(
    decisions: Sequence[Decision], at: datetime, language: str, *, most: int | None, by_time: bool = False
) -> Iterator[str]:
    """One paragraph a decision: severity and instant, the message, the subject and its id.

    The gravest come first, then the latest; ``by_time`` keeps the order of instants, for what came or will come.
    """
    if not decisions:
        yield _NOTHING[language]
        return
    ordered = list(decisions) if by_time else sorted(decisions, key=lambda d: _gravest_first(d, at))
    shown = ordered if most is None else ordered[:most]
    for one in shown:
        yield from paragraph(one, at, language)
    yield ""
    yield counts_line(decisions, language)
    if len(shown) < len(ordered):
        yield f"… {len(ordered) - len(shown)} more: --all"
    yield _WHY[language].format(id=shown[0].id)


def paragraph(one: Decision, at: datetime, language: str) -> Iterator[str]:
    """Two lines: severity, instant and message; then the decision's id, its policy and subject, and who is told."""
    words = _WORDS[language]
    columns = max(width(word) for word in words.values())
    when = (one.at or at).strftime("%m-%d %H:%M")
    yield f"{padded(words[one.severity], columns)}  {when}  {safe(one.message[language])}"
    told = ", ".join(f"{t.person} ({t.role})" for t in one.notify) or _NOBODY[language]
    yield f"{' ' * columns}  {one.id}  {safe(one.policy)}/{safe(one.level)}  {safe(one.subject)} → {safe(told)}"


def counts_line(decisions: Sequence[Decision], language: str) -> str:
    """How many decisions of each severity, gravest first."""
    said = []
    for severity in reversed(SEVERITIES):
        number = sum(d.severity == severity for d in decisions)
        if number:
            word = _WORDS[language][severity].lower()
            said.append(_COUNTED[language].format(number=number, word=word))
    return (", " if language == "en" else "，").join(said)


def _gravest_first(decision: Decision, at: datetime) -> tuple[int, float, str, str]:
    return (-rank(decision.severity), -(decision.at or at).timestamp(), decision.subject, decision.id)
