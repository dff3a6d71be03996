"""A plan for people, as text or as Markdown for a pull request: the same parts and lines, what hurts most first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from remit.assignments import value_text
from remit.reporters.terminal import safe, table
from remit.scorecards import RESULTS, SubjectScore
from remit.sentences import spoken
from remit.times import format_instant, in_zone

if TYPE_CHECKING:
    from remit.decisions import Decision
    from remit.effects import Effect
    from remit.planning import Foresight, Plan

MOST = 10
"""Lines of a part, unless all are asked for."""

LONGEST = 80
"""Characters of a cell, unless everything is asked for."""

_WORDS: Mapping[str, tuple[str, str]] = {
    "plan": ("Plan", "变更预演"),
    "working-tree": ("working tree", "工作区"),
    "same": ("Nothing differs.", "没有差异。"),
    "no-effect": (
        "Nobody is told anything else, and no due time, score or rank moves.",
        "通知、时限、得分和排名均无变化。",
    ),
    "more": ("… {} more: --all", "… 另有 {} 项：--all"),
    "records": ("Records", "记录"),
    "records-head": ("what|record|field|before|after", "变动|记录|字段|变更前|变更后"),
    "people": ("People told", "受影响人员"),
    "people-head": ("who|before|after|more|less|differently", "人员|变更前|变更后|增加|减少|内容变化"),
    "due": ("Due times of running clocks", "未结事项的时限"),
    "due-head": ("severity|subject|policy|before|after", "级别|对象|策略|变更前|变更后"),
    "decisions": ("Decisions", "预警与上报"),
    "decisions-head": ("what|severity|at|message|told|id", "变动|级别|时间|内容|通知|编号"),
    "scorecards": ("Scores and ranks", "得分与排名"),
    "scorecards-head": ("policy|period|subject|figure|before|after", "策略|周期|考核对象|项目|变更前|变更后"),
    "approvals": ("Who must approve", "须由谁审批"),
    "approvals-head": ("rule|need|may", "规则|要求|可审批"),
    "findings": ("Findings that it adds", "新增问题"),
    "findings-head": ("severity|place|finding", "级别|位置|问题"),
    "added": ("added", "新增"),
    "removed": ("removed", "删除"),
    "changed": ("changed", "修改"),
    "renamed": ("renamed", "改名"),
    "info": ("info", "提示"),
    "caution": ("caution", "预警"),
    "breach": ("BREACH", "超限"),
    "critical": ("CRITICAL", "严重"),
    "error": ("error", "错误"),
    "warning": ("warning", "警告"),
    "score": ("score", "得分"),
    "rank": ("rank", "排名"),
    "band": ("band", "等级"),
    "share": ("share", "份额"),
    "amount": ("amount", "金额"),
    "stale": (
        "The protected branch has moved, and this change does something else there by now: it will not be applied.",
        "保护分支已变动，此变更的影响已不同：不能生效，须撤回后重新提出。",
    ),
    "colon": (": ", "："),
    "comma": (", ", "，"),
    "nobody": ("nobody", "无人"),
}


class Part(NamedTuple):
    """One part of a plan: a title with its count, a head and its lines."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class _Voice(NamedTuple):
    """How a plan is told: its language, the zone of its instants, and whether anything is shortened."""

    language: str
    zone: tzinfo
    everything: bool

    def word(self, key: str) -> str:
        return _WORDS[key][self.language == "zh"]

    def instant(self, moment: datetime | None) -> str:
        return in_zone(moment, self.zone).strftime("%Y-%m-%d %H:%M") if moment else "–"

    def short(self, value: Any) -> str:
        text = "–" if value is None else value if isinstance(value, str) else value_text(value)
        text = " ".join(text.split())
        return text if self.everything or len(text) <= LONGEST else text[: LONGEST - 1] + "…"

    def named(self, titles: Mapping[str, Mapping[str, str]], ref: str, shown: str) -> str:
        title = titles.get(ref, {}).get(self.language, "")
        return shown if title in ("", ref.partition("/")[2]) else f"{title} ({shown})"

    def part(self, key: str, rows: Iterable[Sequence[str]], said: object = None) -> Part:
        lines = tuple(tuple(row) for row in rows)
        count = len(lines) if said is None else said
        return Part(f"{self.word(key)} ({count})", tuple(self.word(f"{key}-head").split("|")), lines)


def plan_text(plan: Plan, language: str, zone: tzinfo, *, everything: bool = False) -> str:
    """The plan for a terminal: a table for each part that has anything to say."""
    voice = _Voice(language, zone, everything)
    lines = [_heading(plan, voice), *_remark(plan, voice)]
    for part in _parts(plan, voice):
        lines += ["", part.title, *_indented(part, voice)]
    return "\n".join(lines) + "\n"


def foresight_text(seen: Foresight, language: str, zone: tzinfo, *, everything: bool = False) -> list[str]:
    """What a reviewer sees of a plan; nothing when there is nothing to see."""
    voice = _Voice(language, zone, everything)
    lines = [voice.word("stale")] if seen.is_stale else []
    if seen.why_not:
        lines.append(f"{voice.word('plan')}{voice.word('colon')}{seen.why_not}")
    if seen.effect is not None:
        parts = list(_effect_parts(seen.effect, voice))
        lines += [] if parts else [f"{voice.word('plan')}{voice.word('colon')}{voice.word('no-effect')}"]
        for part in parts:
            lines += [f"{voice.word('plan')}{voice.word('colon')}{part.title}", *_indented(part, voice)]
    return lines


def plan_markdown(plan: Plan, language: str, zone: tzinfo, *, everything: bool = False) -> str:
    """The plan for a pull request."""
    voice = _Voice(language, zone, everything)
    blocks = [f"## {_marked(_heading(plan, voice))}", *(_marked(line) for line in _remark(plan, voice))]
    for part in _parts(plan, voice):
        rows = [part.head, ["---"] * len(part.head), *_shown(part, voice)]
        lines = [
            "| " + " | ".join(cells if n == 1 else [_marked(c) for c in cells]) + " |" for n, cells in enumerate(rows)
        ]
        blocks += [f"### {_marked(part.title)}", "\n".join(lines), *_left_out(part, voice)]
    return "\n\n".join(blocks) + "\n"


def _indented(part: Part, voice: _Voice) -> list[str]:
    rows = [*table(_shown(part, voice), part.head).split("\n"), *_left_out(part, voice)]
    return [f"  {row}" for row in rows]


def _shown(part: Part, voice: _Voice) -> Sequence[Sequence[str]]:
    return part.rows if voice.everything else part.rows[:MOST]


def _left_out(part: Part, voice: _Voice) -> list[str]:
    left = len(part.rows) - len(_shown(part, voice))
    return [voice.word("more").format(left)] if left else []


_MARKS = re.compile(r"([\\`*_{}\[\]<>|#~])")


def _marked(text: str) -> str:
    """``text`` so that Markdown shows it as it is."""
    return _MARKS.sub(r"\\\1", safe(" ".join(text.split())))


# --- parts


def _heading(plan: Plan, voice: _Voice) -> str:
    sides = [commit[:12] if commit else voice.word("working-tree") for commit in (plan.base, plan.head)]
    start, end = (format_instant(in_zone(moment, voice.zone)) for moment in (plan.span.start, plan.span.end))
    return f"{voice.word('plan')}{voice.word('colon')}{sides[0]} → {sides[1]}{voice.word('comma')}{start} → {end}"


def _remark(plan: Plan, voice: _Voice) -> list[str]:
    if plan.is_empty:
        return [voice.word("same")]
    return [] if any(_effect_parts(plan.effect, voice)) else [voice.word("no-effect")]


def _parts(plan: Plan, voice: _Voice) -> Iterator[Part]:
    effect = _effect_parts(plan.effect, voice)
    yield from effect
    if plan.records:
        yield voice.part("records", _record_rows(plan, voice), len(plan.records))
    if plan.findings:
        yield voice.part(
            "findings",
            ([voice.word(f.severity), str(f.place), voice.short(f"{f.code}: {f.message}")] for f in plan.findings),
        )
    if plan.approvals:
        yield voice.part("approvals", _approval_rows(plan, voice))


def _effect_parts(effect: Effect, voice: _Voice) -> Iterator[Part]:
    kinds = {"added": effect.added, "removed": effect.removed, "changed": effect.changed}
    counts = [f"{voice.word(what)} {len(found)}" for what, found in kinds.items() if found]
    tellers: tuple[tuple[str, Callable[[Effect, _Voice], list[Sequence[str]]], str], ...] = (
        ("people", _people_rows, str(len(effect.people))),
        ("due", _due_rows, str(len(effect.due))),
        ("decisions", _decision_rows, voice.word("comma").join(counts)),
        ("scorecards", _score_rows, str(len(effect.scorecards))),
    )
    for key, tell, said in tellers:
        if rows := tell(effect, voice):
            yield voice.part(key, rows, said)


def _record_rows(plan: Plan, voice: _Voice) -> Iterator[Sequence[str]]:
    for one in plan.records:
        name = one.record or one.path
        shown = name if one.title in ("", one.record.partition("/")[2]) else f"{one.title} ({name})"
        if not one.fields:
            yield voice.word(one.change), shown, "–", "–", "–"
        for field in one.fields:
            yield voice.word(one.change), shown, field.title, voice.short(field.before), voice.short(field.after)


def _people_rows(effect: Effect, voice: _Voice) -> list[Sequence[str]]:
    return [
        [
            voice.named(effect.titles, f"Person/{one.person}", one.person),
            *(str(count) for count in (one.before, one.after, len(one.more), len(one.less), len(one.differently))),
        ]
        for one in effect.people
    ]


def _due_rows(effect: Effect, voice: _Voice) -> list[Sequence[str]]:
    return [
        [
            voice.word(one.severity),
            voice.named(effect.titles, one.subject, one.subject),
            f"{one.policy}/{', '.join(one.levels)}",
            voice.instant(one.before),
            voice.instant(one.after),
        ]
        for one in effect.due
    ]


def _decision_rows(effect: Effect, voice: _Voice) -> list[Sequence[str]]:
    return [_decision_row(what, sides, voice) for what, sides in effect.decisions()]


def _decision_row(what: str, sides: Sequence[Decision], voice: _Voice) -> Sequence[str]:
    def both(tell: Callable[[Decision], str]) -> str:
        return " → ".join(dict.fromkeys(tell(side) for side in sides))

    def told(side: Decision) -> str:
        return voice.short(", ".join(f"{t.person} ({t.role})" for t in side.notify) or voice.word("nobody"))

    return [
        voice.word(what),
        both(lambda side: voice.word(side.severity)),
        both(lambda side: voice.instant(side.at)),
        voice.short(sides[-1].message.get(voice.language, "")),
        both(told),
        sides[-1].id,
    ]


def _score_rows(effect: Effect, voice: _Voice) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for one in effect.scorecards:
        before, after = _figures(one.before, voice), _figures(one.after, voice)
        name = voice.named(effect.titles, one.subject, one.subject)
        for key in dict.fromkeys([*after, *before]):
            if before.get(key) != after.get(key):
                rows.append([one.policy, one.period, name, key, before.get(key, "–"), after.get(key, "–")])
    return rows


def _figures(line: SubjectScore | None, voice: _Voice) -> dict[str, str]:
    if line is None:
        return {}
    told = line.to_json()
    own = {voice.word(key): voice.short(told[key]) for key in RESULTS}
    measures = {
        name: "–" if one["value"] is None else f"{one['value']:g} ({one['n']}/{one['of']})"
        for name, one in told["measures"].items()
    }
    return {**own, **measures}


def _approval_rows(plan: Plan, voice: _Voice) -> Iterator[Sequence[str]]:
    for one in plan.approvals:
        people = [candidate.person for candidate in one.candidates]
        shown = people if voice.everything else people[:5]
        more = f", … {len(people) - len(shown)}" if len(people) > len(shown) else ""
        yield one.rule, spoken(one.need, voice.language), (", ".join(shown) or voice.word("nobody")) + more
