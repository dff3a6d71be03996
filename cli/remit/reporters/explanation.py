"""An explanation as a page of text: what is so, why, by which rule, who put the rule there, and what comes next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from remit.changes import parse_message
from remit.conditions.checks import fields_along
from remit.conditions.money import is_money
from remit.conditions.tracing import Change
from remit.conditions.tree import Has, Macro, Path
from remit.references import instant
from remit.reporters.condition_words import TERMS, Words
from remit.reporters.policy_words import nouns_of
from remit.reporters.terminal import padded, safe
from remit.times import in_zone
from remit.wording import span_text

if TYPE_CHECKING:
    from remit.conditions.condition import Condition
    from remit.decisions import ClockReading, Decision, Told
    from remit.explaining import Check, Examined, Explanation, Limit, Reason, Rung, Written
    from remit.git import Commit

MOST_ITEMS = 5
"""So many items of a list are shown; those that decide come first."""

_LABELS = {
    "policy": ("Policy", "策略"),
    "clauses": ("Clauses", "条款"),
    "written": ("Written by", "编写"),
    "approved": ("Approved by", "批准"),
    "subject": ("Subject", "对象"),
    "conditions": ("Condition", "条件"),
    "flips": ("Would hold if", "如何成立"),
    "chain": ("Reacts to", "依据结论"),
    "term": ("Term", "时限条款"),
    "decisions": ("Decided", "结论"),
    "clock": ("Clock", "计时"),
    "told": ("Told", "通知"),
    "levels": ("Levels", "级别"),
}
_MARKS = {"in_force": "✓", "over": "·", "coming": "→", "never": "✗"}
_GAP = 13


def explanation_lines(explanation: Explanation, language: str) -> Iterator[str]:
    """The page, line by line; what was decided, or why nothing was, comes first."""
    return (safe(line).rstrip() for line in _Page(explanation, language).lines())


class _Page:
    def __init__(self, explanation: Explanation, language: str) -> None:
        self.of = explanation
        self.language = language
        nouns = nouns_of(explanation.policy, explanation.types, explanation.world, language)
        self.words = Words(explanation.types, explanation.world, language, nouns)
        self.pick = self.words.pick

    def lines(self) -> Iterator[str]:
        yield from self._decided()
        yield ""
        yield from self._levels()
        yield from self._conditions()
        yield from (self._row("chain", self._heard(one)) for one in self.of.chain)
        yield from (self._row("term", one) for one in map(self._term, self.of.terms))
        yield ""
        yield from self._sources()

    def _row(self, label: str, text: str) -> str:
        return f"{padded(self.pick(*_LABELS[label]) if label else '', _GAP)}{text}"

    # --- what was decided

    def _decided(self) -> Iterator[str]:
        if not self.of.decisions:
            nothing = self.pick(
                f"nothing is in force at {_when(self.of.at)}. {self._summary()}",
                f"{_when(self.of.at)}无生效结论。{self._summary()}",
            )
            yield self._row("decisions", nothing)
            if self.of.clock is not None:
                yield from self._clock(self.of.clock)
        shown: ClockReading | None = None
        for decision in self.of.decisions:
            yield decision.message[self.language]
            yield from self._people(decision)
            if decision.clock is not None and decision.clock != shown:
                yield from self._clock(decision.clock)
            shown = decision.clock
            if decision.ends is not None:
                ended = decision.ends
                yield self._row("", self.pick(f"no longer stands from {_when(ended)}", f"自{_when(ended)}起不再有效"))

    def _summary(self) -> str:
        """In one sentence, why nothing is in force."""
        if self.of.conditions and not any(one.holds for one in self.of.conditions):
            return self.pick("The policy's condition does not hold.", "策略的适用条件不成立。")
        coming = min((r.next for r in self.of.rungs if r.next), default=None)
        if coming is not None:
            return self.pick(f"The next level comes at {_when(coming)}.", f"下一级别将于{_when(coming)}到达。")
        return self.pick("No level is reached.", "没有级别到达。")

    def _people(self, decision: Decision) -> Iterator[str]:
        if not decision.notify:
            yield self._row("told", self.pick("nobody is found", "未找到可通知的人"))
            rungs = [r for r in self.of.rungs if r.level and r.level.name == decision.level]
            yield from (self._row("", f"· {step}") for rung in rungs for step in rung.tried)
        for told in decision.notify:
            yield self._row("told", self._person(told))
            yield from (self._row("", f"· {step}") for step in told.path)

    def _person(self, told: Told) -> str:
        person = self.of.world.get("Person", told.person)
        name = person.title(self.language) if person else told.person
        role = "" if told.role == "person" else self.words.role(told.role)
        more = [one for one in (role, told.person if name != told.person else "") if one]
        return name + (self.pick(f" ({', '.join(more)})", f"（{'，'.join(more)}）") if more else "")

    def _clock(self, clock: ClockReading) -> Iterator[str]:
        counted = self._span(timedelta(seconds=clock.elapsed_seconds))
        due = self.pick(f", due {_when(clock.due)}", f"，时限 {_when(clock.due)}") if clock.due else ""
        start = _when(clock.start)
        yield self._row("clock", self.pick(f"{counted} counted since {start}{due}", f"自 {start} 起已计{counted}{due}"))
        for segment in clock.segments:
            mark = self.pick("counted", "计入") if segment.counted else self.pick("not counted", "不计入")
            reason = "" if segment.reason == "counted" else f"  {self._segment(segment.reason)}"
            yield self._row("", f"{_when(segment.start)} → {_when(segment.end)}  {mark}{reason}")

    def _segment(self, reason: str) -> str:
        """A segment's reason in words; ids stay as they are."""
        clock = self.of.policy.clock
        schema = self.of.types.schemas.kinds.get(clock.pause_kind) if clock else None
        field = schema.shape.fields.get((schema.pause or {}).get("reason", "")) if schema else None
        for value, said in (field.schema.get("x-remit-values", {}) if field else {}).items():
            reason = reason.replace(f"{value} (", f"{said[self.language]} (")
        if self.language == "zh":
            for word, zh in _SEGMENTS.items():
                reason = reason.replace(word, zh)
        return reason

    def _span(self, span: timedelta) -> str:
        return span_text(span, self.language)

    # --- levels

    def _levels(self) -> Iterator[str]:
        for number, rung in enumerate(self.of.rungs):
            title = self._level_title(rung)
            yield self._row("levels" if number == 0 else "", f"{_MARKS[rung.state]} {title}{self._rung(rung)}")
            if rung.examined is not None and not rung.examined.holds:
                yield from self._examined(rung.examined, 4, failed_only=True)
            if rung.state in ("in_force", "coming") and not rung.told and rung.tried:
                yield from (self._row("", f"    · {step}") for step in rung.tried)

    def _level_title(self, rung: Rung) -> str:
        part = self._part(rung.part)
        if rung.level is None:
            return self.pick(f"every level{part}: ", f"所有级别{part}：")
        title = rung.level.title.get(self.language) or rung.level.name
        return self.pick(f"{title} ({rung.level.name}){part}: ", f"{title}（{rung.level.name}）{part}：")

    def _part(self, part: str) -> str:
        """Which item of a list, counted from one as people count."""
        each = self.of.policy.each
        if not part or each is None:
            return ""
        noun = self.words.nouns.get(each.variable, each.variable)
        return self.pick(f", {noun} {int(part) + 1}", f"，{noun}{int(part) + 1}")

    def _rung(self, rung: Rung) -> str:
        if rung.state == "never":
            assert rung.reason is not None
            return self.pick("not reached, ", "未到达，") + reason_text(rung.reason, self.words)
        if rung.state == "coming":
            assert rung.at is not None
            left = self._span(rung.at - self.of.at)
            return self.pick(
                f"comes {_when(rung.at)}, in {left}, if nothing changes{self._tells(rung)}",
                f"若无变化，将于 {_when(rung.at)} 到达（还有{left}）{self._tells(rung)}",
            )
        if rung.state == "over":
            said = self.pick(
                f"was reached {_when(rung.at)}, over since {_when(rung.ends)}",
                f"曾于 {_when(rung.at)} 到达，{_when(rung.ends)} 结束",
            )
        elif self.of.policy.clock is None:
            return self.pick(f"so at {_when(rung.at)}{self._tells(rung)}", f"{_when(rung.at)} 成立{self._tells(rung)}")
        else:
            said = self.pick(f"in force since {_when(rung.at)}", f"{_when(rung.at)} 起生效") + self._tells(rung)
        if rung.next is not None:
            said += self.pick(f"; again {_when(rung.next)}", f"；{_when(rung.next)} 再次到达")
        return said

    def _tells(self, rung: Rung) -> str:
        people = self.words.joined([self._name(told) for told in rung.told], "and")
        if not people:
            return self.pick("; nobody is found to be told", "；未找到可通知的人")
        return self.pick(f"; tells {people}", f"；通知{people}")

    def _name(self, told: Told) -> str:
        person = self.of.world.get("Person", told.person)
        return person.title(self.language) if person else told.person

    # --- conditions

    def _conditions(self) -> Iterator[str]:
        if not self.of.conditions:
            kind = self.words.kind(self.of.subject.kind)
            yield self._row("conditions", self.pick(f"none: every {kind} is watched", f"无：对所有{kind}一律适用"))
        for number, one in enumerate(self.of.conditions):
            part = self._part(one.part)
            said = self.pick("holds", "成立") if one.holds else self.pick("does not hold", "不成立")
            yield self._row("conditions" if number == 0 else "", f"{'✓' if one.holds else '✗'} {said}{part}")
            yield from self._examined(one, 2)

    def _examined(self, one: Examined, depth: int, *, failed_only: bool = False) -> Iterator[str]:
        checks = [check for check in one.tree.conjuncts if not (failed_only and check.holds)]
        for check in self._telling(checks, True, all_of=True):
            yield from self._check(check, True, depth)
        if one.flips:
            one_of = self.pick(" (any one)", "（任选其一）") if len(one.flips) > 1 else ""
            yield self._row("", " " * depth + self.pick(f"What would make it hold{one_of}:", f"如何才会成立{one_of}："))
            for flip in one.flips:
                yield self._row("", " " * depth + f"  - {flip_text(flip, one.condition, self.words)}")

    def _check(self, check: Check, wanted: bool, depth: int) -> Iterator[str]:
        """One part and what is under it; ``!`` is said as the opposite of what follows it."""
        traced = check.traced
        if traced.sign == "not":
            yield from self._check(check.parts[0], not wanted, depth)
            return
        mark = "?" if traced.outcome is None else "✓" if traced.outcome == wanted else "✗"
        label = f"{traced.item}: " if traced.item else ""
        indent = " " * depth
        if traced.sign in ("all", "any"):
            all_of = (traced.sign == "all") == wanted
            parts = self._telling(check.parts, wanted, all_of=all_of)
            if len(parts) == 1:
                yield from self._check(parts[0], wanted, depth)
                return
            said = (
                self.pick("all of these", "以下全部满足") if all_of else self.pick("one of these", "以下至少一项满足")
            )
            yield self._row("", f"{indent}{mark} {label}{said}")
            for part in parts:
                yield from self._check(part, wanted, depth + 2)
            return
        said = self.words.condition(traced.node, traced.bindings.scope, wanted)
        missing = self.pick("  (no value: a field is missing)", "（无值：缺少字段）") if traced.outcome is None else ""
        yield self._row("", f"{indent}{mark} {label}{said}{missing}")
        yield from (self._row("", f"{indent}    {self._written(one)}") for one in check.values)
        for part in _deciding(check) if traced.sign == "each" else check.parts:
            yield from self._check(part, True, depth + 2)
        if traced.sign == "each" and len(check.parts) > MOST_ITEMS:
            rest = len(check.parts) - MOST_ITEMS
            yield self._row("", f"{indent}  " + self.pick(f"… and {rest} more", f"……另有{rest}项"))

    def _telling(self, checks: Sequence[Check], wanted: bool, *, all_of: bool) -> list[Check]:
        """Without ``has(x)`` beside what reads ``x`` anyway, and without what reads ``x`` where it is missing."""
        kept: list[Check] = []
        missing: list[str] = []
        for index, check in enumerate(checks):
            inner, sense = (check.parts[0], not wanted) if check.traced.sign == "not" else (check, wanted)
            node = inner.traced.node
            comes_out = inner.traced.outcome == sense
            paths = [str(one.path) for one in check.reads]
            if paths and all(any(path == gone or path.startswith(f"{gone}.") for gone in missing) for path in paths):
                continue
            if isinstance(node, Has) and inner.traced.outcome is False:
                missing.append(str(node.path))
            if isinstance(node, Has) and comes_out == all_of:
                later = {str(one.path) for other in checks[index + 1 :] for one in other.reads}
                if any(path == str(node.path) or path.startswith(f"{node.path}.") for path in later):
                    continue
            kept.append(check)
        return kept

    def _written(self, one: Written) -> str:
        fields = fields_along(one.path, one.scope, self.of.types)
        value = (
            self.pick("not recorded", "未记录")
            if one.value is None
            else self.words.value(one.value, fields[-1] if fields else None)
            if isinstance(one.value, str | bool) or (fields and is_money(fields[-1].shape))
            else self._several(len(one.value))
            if isinstance(one.value, list)
            else _shortened(one.value)
        )
        label = self.words.path(one.path, one.scope).removeprefix("the ")
        if one.path.names[0] == "param":
            label = str(one.path)
        coded = isinstance(one.value, str) and value != self.words.quoted(one.value) and fields
        is_code = coded and fields is not None and fields[-1].shape.type != "instant"
        raw = self.pick(f" ({one.value})", f"（{one.value}）") if is_code else ""
        place = f"  {one.place}" if one.place.path else ""
        return f"{label}{self.pick(': ', '：')}{value}{raw}{place}{self._by(one.commit)}"

    def _several(self, number: int) -> str:
        return self.pick("1 item" if number == 1 else f"{number} items", f"{number}项")

    def _by(self, commit: Commit | None) -> str:
        if commit is None:
            return ""
        approvers = approvers_of(commit)
        approved = (
            self.pick(f", approved by {', '.join(approvers)}", f"，批准：{'、'.join(approvers)}") if approvers else ""
        )
        return f"  {commit.author}, {commit.sha[:10]}{approved}"

    # --- where it comes from

    def _heard(self, one: Mapping[str, Any]) -> str:
        """A decision of another policy, with the id that explains it."""
        at = instant(one["at"])
        when = _when(in_zone(at, self.of.world.zone)) if at else ""
        return f"{one['policy']}/{one['level']}  {one['subject']}  {when}  {one['id']}"

    def _term(self, limit: Limit) -> str:
        name = TERMS.get(limit.field, {}).get(self.language, limit.field)
        value = self.words.span(limit.value)
        why = _why_term(limit.why) if self.language == "zh" else limit.why
        return f"{name} {value}{self.pick(': ', '：')}{limit.source}, {why}  {limit.place}{self._by(limit.commit)}"

    def _sources(self) -> Iterator[str]:
        subject, watch = self.of.subject, self.of.policy
        kind = self.words.kind(subject.kind)
        title = subject.title(self.language)
        named = f" “{title}”" if title != subject.name else ""
        yield self._row("subject", f"{kind}{named} {subject.ref}  {subject.place}{self._by(self.of.subject_commit)}")
        yield self._row("policy", f"{watch.record.title(self.language)}  {watch.record.place()}")
        levels = [c for d in self.of.decisions for c in d.clauses]
        yield self._row("clauses", ", ".join(dict.fromkeys((*levels, *watch.clauses))))
        commit = self.of.policy_commit
        if commit is not None:
            yield self._row("written", f"{commit.author}, {commit.when:%Y-%m-%d %H:%M}, {commit.sha[:10]}")
            nobody = self.pick("no recorded approval", "无审批记录")
            yield self._row("approved", ", ".join(approvers_of(commit)) or nobody)


def reason_text(reason: Reason, words: Words) -> str:
    """Why a level is not reached, as the end of a sentence."""
    pick = words.pick
    missing = words.joined([_missing(one, words) for one in reason.missing])
    otherwise = (
        pick(
            f", before this level would have come at {_when(reason.otherwise)}",
            f"，早于本级别应到达的 {_when(reason.otherwise)}",
        )
        if reason.otherwise
        else ""
    )
    match reason.code:
        case "no_clock":
            return pick(f"the clock has not begun: {missing} is not recorded", f"计时尚未开始：{missing}未记录")
        case "condition":
            return pick("its own condition does not hold", "该级别自身的条件不成立")
        case "stopped":
            by = pick(f" ({missing})", f"（{missing}）") if missing else ""
            return pick(
                f"the clock stopped at {_when(reason.at)}{by}{otherwise}",
                f"计时已于 {_when(reason.at)} 停止{by}{otherwise}",
            )
        case "restarted":
            return pick(
                f"the clock began anew at {_when(reason.at)}{otherwise}",
                f"计时已于 {_when(reason.at)} 重新开始{otherwise}",
            )
        case "paused":
            return pick(
                f"the clock stands still since {_when(reason.at)} ({reason.record})",
                f"计时自 {_when(reason.at)} 起暂停（{reason.record}）",
            )
        case "no_limit":
            return pick(
                f"there is no limit to measure against: {missing} has no value", f"没有可用的时限：{missing}无值"
            )
        case "no_due":
            return pick(f"there is no due time: {missing} is not recorded", f"没有时限：{missing}未记录")
    later = pick(f"it comes only at {_when(reason.otherwise)}", f"要到 {_when(reason.otherwise)} 才会到达")
    return later if reason.otherwise else pick("it does not come in the years ahead", "若干年内不会到达")


def _missing(one: Condition | Path, words: Words) -> str:
    if isinstance(one, Path):
        return words.path(one, {})
    return words.operand(one.root, one.scope)


def flip_text(flip: tuple[Change, ...], condition: Condition, words: Words) -> str:
    """One set of changes as a clause."""
    return words.pick(", and ", "，且").join(words.change(change, condition.scope) for change in flip)


_SEGMENTS = {
    "suspended: ": "挂起：",
    "outside working hours": "非工作时间",
    "non-working day": "非工作日",
    "holiday": "节假日",
}


def _deciding(check: Check) -> list[Check]:
    """The items that decide, first those that hold, up to ``MOST_ITEMS``."""
    assert isinstance(check.traced.node, Macro)
    first = check.traced.node.name != "all"
    return sorted(check.parts, key=lambda part: part.holds != first)[:MOST_ITEMS]


def _why_term(why: str) -> str:
    for start, end in (("the non-standard term of ", "的非标准条款"), ("promised by ", "承诺的条款")):
        if why.startswith(start):
            return why.removeprefix(start) + end
    return "产品类别与客户适用的标准" if "category" in why else "该产品与客户适用的标准"


def approvers_of(commit: Commit | None) -> tuple[str, ...]:
    """The people whose approvals a commit carries."""
    if commit is None:
        return ()
    return tuple(sorted({a.person for a in parse_message(commit.message).approvals if a.verdict == "approve"}))


def _when(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")


def _shortened(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:75] + " …"
