"""A policy in plain words, Chinese or English, made from what was compiled: good enough to send to a manager.

Nothing of a policy is left out: what has no words of its own is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from remit.conditions.checks import Scope
from remit.conditions.condition import Condition
from remit.conditions.messages import MessageTypes
from remit.conditions.tree import Path
from remit.policies.approval import Approvals, Approver, Emergency, Rule
from remit.policies.lifecycle import Lifecycle, Requirement
from remit.policies.measures import Assessment
from remit.policies.reading import Amount, ClockRule, Each, Related, Target
from remit.policies.watch import Level, Watch
from remit.records import title_in
from remit.references import World
from remit.reporters.assessment_words import assessment_words
from remit.reporters.condition_words import Words
from remit.schemas import Field, Shape

SEVERITY = {
    "info": ("for information", "提示"),
    "caution": ("caution", "预警"),
    "breach": ("breach", "超限"),
    "critical": ("critical", "严重"),
}
REOPENED = {
    "continue": (
        "goes on where it stood when the work is taken up again; the time that it was thought done does not count",
        "重新打开后接续计时，其间视为已完成的时间不计",
    ),
    "restart": ("begins anew when the work is taken up again", "重新打开后重新计时"),
}
HANDED_OVER = {
    "restart": ("begins anew at each hand-over", "每次移交后重新计时"),
    "split": ("counts for each holder apart, only while it holds the work", "按承接方分别计时，仅计其承接期间"),
}
CYCLES = {
    "month": ("every month", "每月"),
    "quarter": ("every quarter", "每季度"),
    "half_year": ("every half year", "每半年"),
    "year": ("every year", "每年"),
}
_PARAMETER = re.compile(r"\bparam\.([A-Za-z_][A-Za-z0-9_]*)")


def policy_words(policy: Any, types: MessageTypes, world: World, language: str) -> list[str]:
    """The lines of the text. ``policy`` is what a policy kind's compiler gave."""
    return list(Page(policy, types, world, language).lines())


class Page:
    """One policy's text. Its parts give lines without indent; ``_under`` sets them below a heading."""

    def __init__(self, policy: Any, types: MessageTypes, world: World, language: str) -> None:
        self.policy = policy
        self.language = language
        self.types = types
        self.world = world
        self.words = Words(types, world, language, nouns_of(policy, types, world, language))
        self.pick = self.words.pick

    def lines(self) -> Iterator[str]:
        """The whole text: title, where it stands, what its kind says, clauses and parameters."""
        record = self.policy.record
        kind = self.words.kind(record.kind)
        yield record.title(self.language)
        yield self.pick(f"{_spaced(record.kind)} {record.name}, {record.path}", f"{kind} {record.name}，{record.path}")
        if description := record.metadata.get("description"):
            yield title_in(description, self.language) if isinstance(description, dict) else str(description)
        yield ""
        body: Mapping[type, Callable[[Any], Iterator[str]]] = {
            Watch: self._watch,
            Approvals: self._approvals,
            Lifecycle: self._lifecycle,
            Assessment: lambda policy: assessment_words(policy, self),
        }
        yield from body[type(self.policy)](self.policy)
        if self.policy.clauses:
            yield self.row(("Clauses", "依据条款"), self.words.joined(self.policy.clauses, "and"))
        yield from self._parameters()

    # --- shared parts

    def row(self, label: tuple[str, str], text: str) -> str:
        """``text`` behind its label, which is given in English and Chinese."""
        return self.pick(f"{label[0]}: {text}", f"{label[1]}：{text}")

    def under(self, label: tuple[str, str], parts: Sequence[str]) -> Iterator[str]:
        """A heading with one part beside it, or several below it."""
        if len(parts) == 1:
            yield self.row(label, parts[0] + self.pick(".", "。"))
        elif parts:
            yield self.pick(f"{label[0]}:", f"{label[1]}：")
            yield from (f"  - {part}{self.pick('.', '。')}" for part in parts)

    def when(self, condition: Condition | None, always: tuple[str, str]) -> Iterator[str]:
        """What must hold, part by part; the words of ``always`` when there is no condition."""
        label = ("Where", "适用条件")
        if condition is None:
            yield self.row(label, self.pick(*always))
            return
        parts = self.words.conjuncts(condition.root, condition.scope)
        if len(parts) > 1:
            label = ("Where all of this is so", "适用条件（须同时满足）")
        yield from self.under(label, parts)

    def clause(self, condition: Condition, wanted: bool = True) -> str:
        """``condition`` as a clause; as its opposite unless ``wanted``."""
        return self.words.condition(condition.root, condition.scope, wanted)

    def value(self, condition: Condition) -> str:
        """What an expression that gives a value is called."""
        return self.words.operand(condition.root, condition.scope)

    def amount(self, amount: Amount | None, scope: Scope) -> str:
        """A span of time, or what sets it; empty when there is none."""
        if amount is None:
            return ""
        if amount.path is None:
            return self.words.span(amount.text)
        return self.words.set_by(amount.path, scope)

    def first_of(self, texts: Sequence[str]) -> str:
        """Several sources of which the first that is there counts."""
        if len(texts) < 2:
            return "".join(texts)
        if self.language == "zh":
            return f"{texts[0]}（没有时取{'；再没有时取'.join(texts[1:])}）"
        return ", or else ".join(texts)

    def cited(self, clauses: Sequence[str]) -> str:
        """The clauses in brackets behind a sentence; empty when there are none."""
        return self.pick(f" ({', '.join(clauses)})", f"（{'、'.join(clauses)}）") if clauses else ""

    def _parameters(self) -> Iterator[str]:
        names = list(dict.fromkeys(_PARAMETER.findall(" ".join(_texts(self.policy.record.spec)))))
        if not names:
            return
        yield self.pick("Parameters:", "参数：")
        for name in sorted(names):
            parameter = self.world.parameters.get(name, {})
            title = title_in(parameter.get("title"), self.language) or name
            raw = parameter.get("value")
            value = self.words.joined(list(map(str, raw)), "and") if isinstance(raw, list) else self.words.span(raw)
            state = (
                self.pick("proposed, not yet decided", "建议值，尚未确定")
                if parameter.get("proposed")
                else self.pick("decided", "已确定")
            )
            source = self.pick(", ", "，").join(one for one in (str(parameter.get("id", "")), f"param.{name}") if one)
            yield self.pick(f"  - {title}: {value} ({state}; {source})", f"  - {title}：{value}（{state}；{source}）")

    # --- escalation and warning

    def _watch(self, watch: Watch) -> Iterator[str]:
        kind = self.words.kind(watch.subject)
        if watch.each:
            items = self.words.path(watch.each.path, watch.scope)
            text = self.pick(f"every {kind}, and of it each of {items}", f"每个{kind}，对其中的{items}逐项判断")
        else:
            text = self.pick(f"every {kind}", f"每个{kind}")
        yield self.row(("Watches", "对象"), text + self.pick(".", "。"))
        if watch.related:
            yield from self.under(("Considers", "同时查看"), [self._related(one) for one in watch.related.values()])
        yield from self.when(watch.when, (f"always, for every {kind}.", f"对所有{kind}一律适用。"))
        if watch.clock is not None:
            yield from self.under(("Clock", "计时"), list(self.clock(watch.clock, watch.scope)))
        yield self.pick("Levels:", "级别：")
        for number, level in enumerate(watch.levels, 1):
            yield from self._level(number, level, watch)

    def _related(self, related: Related) -> str:
        if related.decisions:
            name = _titled(self.policy, related, self.language)
            return self.pick(f"the decisions of “{name}” about it", f"策略“{name}”就此作出的结论")
        kinds = self.words.kinds(related.kind)
        if related.on:
            on = self.words.path(related.on, self.policy.scope)
            return self.pick(f"the {kinds} that go with {on}", f"与{on}对应的{kinds}")
        return self.pick(f"the {kinds} that belong to it", f"与之关联的{kinds}")

    def clock(self, clock: ClockRule, scope: Scope) -> Iterator[str]:
        """When the clock starts, stops and rests, and on which calendar, a part each."""
        starts = [self.value(one) for one in clock.start]
        stops = [self.value(one) for one in clock.stop]
        if clock.cycle:
            cycle = self.pick(*CYCLES[clock.cycle])
            yield self.pick(f"begins anew {cycle}", f"{cycle}重新开始一个周期")
        if clock.reached:
            count = clock.reached.count
            number = self.words.set_by(count, scope) if isinstance(count, Path) else str(count)
            span, of = self.amount(clock.reached.within, scope), self.value(clock.reached.of)
            yield self.pick(
                f"begins whenever {number} of these lie within {span}: {of}",
                f"{span}内满{number}次时开始，按{of}计",
            )
        if starts:
            yield self.pick("runs from ", "从") + self.first_of(starts) + self.pick("", "开始")
        if stops:
            first = len(stops) > 1
            yield self.pick(
                f"stops at {self.words.joined(stops)}{', whichever comes first' if first else ''}",
                f"到{self.words.joined(stops)}为止{'（以先到者为准）' if first else ''}",
            )
        if clock.lasts:
            span = self.amount(clock.lasts, scope)
            yield self.pick(f"stops by itself after {span}", f"满{span}后自行结束")
        if clock.restarts:
            value = self.value(clock.restarts)
            yield self.pick(f"begins anew at {value}", f"在{value}重新开始")
        if clock.reopened and clock.reopened.then in REOPENED:
            yield self.pick(*REOPENED[clock.reopened.then])
        if clock.handed_over and clock.handed_over.then in HANDED_OVER:
            yield self.pick(*HANDED_OVER[clock.handed_over.then])
        if clock.due:
            yield self.pick("due at ", "时限为") + self.first_of([self.value(one) for one in clock.due])
        if clock.met:
            value = self.value(clock.met)
            yield self.pick(f"a period is met by {value}", f"周期内有此时间即为完成：{value}")
        if clock.pauses:
            yield self._pauses(clock, scope)
        yield self._calendar(clock)

    def _pauses(self, clock: ClockRule, scope: Scope) -> str:
        kinds = self.words.kind(clock.pause_kind)
        text = self.pick(f"does not count while there is an approved {kinds}", f"经审核通过的{kinds}期间不计时")
        if clock.pauses_when is not None:
            text += self.pick(
                f", provided that {self.clause(clock.pauses_when)}", f"（前提：{self.clause(clock.pauses_when)}）"
            )
        return text

    def _calendar(self, clock: ClockRule) -> str:
        if clock.calendar == "always":
            text = self.pick("counts around the clock", "全天候连续计时")
        else:
            name = self._calendar_name(clock.calendar)
            text = self.pick(f"counts by the calendar “{name}”", f"按日历“{name}”计时")
        if clock.working:
            name = self._calendar_name(clock.working)
            text += self.pick(f", working days by “{name}”", f"，工作日按“{name}”")
        return text

    def _calendar_name(self, name: str) -> str:
        calendar = self.world.get("Calendar", name)
        return calendar.title(self.language) if calendar else name

    def _level(self, number: int, level: Level, watch: Watch) -> Iterator[str]:
        title = level.title.get(self.language) or level.name
        parts = [self._trigger(level, watch)]
        if level.when is not None:
            clause = self.clause(level.when)
            if watch.clock is None:
                parts = [self.pick(f"as long as {clause}", f"当{clause}时")]
            else:
                parts.insert(0, self.pick(f"where {clause}", f"当{clause}时"))
        parts += list(self._told(level, watch))
        if level.create is not None:
            kind = self.words.kind(level.create.kind)
            parts.append(self.pick(f"proposes a new {kind}", f"建议新建{kind}"))
        severity = self.pick(*SEVERITY[level.severity])
        text = self.pick(", ", "，").join(parts)
        end = self.pick(".", "。") + self.cited(level.clauses)
        yield self.pick(
            f"  {number}. {title} [{severity}]: {text}{end}", f"  {number}. {title}【{severity}】：{text}{end}"
        )

    def _trigger(self, level: Level, watch: Watch) -> str:
        trigger = level.trigger
        amount = self.amount(trigger.amount, watch.scope)
        is_limit = trigger.amount is not None and trigger.amount.path is not None
        match trigger.kind:
            case "start" if watch.clock is None:
                return self.pick("as long as this is so", "符合上述条件期间")
            case "start":
                return self.pick("as soon as the clock begins", "计时一开始")
            case "after":
                return self.pick(f"after {amount}", f"达到{amount}时" if is_limit else f"满{amount}时")
            case "share":
                share = self._share(level, watch)
                return self.pick(f"at {share} of {amount}", f"达到{amount}的{share}时")
            case "before":
                return self.pick(f"{amount} before the due time", f"时限前{amount}")
        if trigger.amount is not None and trigger.amount.duration is not None and not trigger.amount.duration.amount:
            return self.pick("at the due time, when it is not done", "到达时限仍未完成时")
        return self.pick(f"{amount} after the due time", f"超过时限{amount}时")

    def _share(self, level: Level, watch: Watch) -> str:
        if level.trigger.share_path is not None:
            return self.words.set_by(level.trigger.share_path, watch.scope)
        return percent(level.trigger.share)

    def _told(self, level: Level, watch: Watch) -> Iterator[str]:
        if not level.notify:
            yield self.pick("nobody is told", "不通知任何人")
            return
        people = [self._target(target, watch.scope) for target in level.notify]
        told = self.words.joined(people, "and")
        yield self.pick(f"tells {told}", f"通知{told}")
        if level.every is not None:
            span = self.amount(level.every, watch.scope)
            yield self.pick(f"and again every {span} until it is over", f"此后每隔{span}再次通知，直至结束")

    def _target(self, target: Target, scope: Scope) -> str:
        owners = [self.words.path(path, scope) for path in target.of]
        if target.role == "person":
            return self.pick(f"whoever {self.first_of(owners)} names", f"{self.first_of(owners)}所记的人")
        return self._role((target.role,), owners)

    def _role(self, roles: Sequence[str], owners: Sequence[str]) -> str:
        role = self.words.joined(list(dict.fromkeys(self.words.role(one) for one in roles)))
        if not owners:
            return self.pick(f"the {role}", role)
        rest = "".join(f"，没有时按{owner}" for owner in owners[1:])
        return self.pick(f"the {role} of {', or else of '.join(owners)}", f"{role}（按{owners[0]}确定{rest}）")

    # --- approval

    def _approvals(self, policy: Approvals) -> Iterator[str]:
        yield self.pick(
            "Who must approve which change. Every rule that a changed file fits is asked; the author never counts.",
            "规定各类变更须由谁批准。变更的文件符合几条规则，就须满足几条；提出人本人的批准不算。",
        )
        for number, rule in enumerate(policy.rules, 1):
            written = policy.record.spec["rules"][number - 1]
            yield from self._rule(f"{number}. ", rule, written)
        if policy.default is not None:
            yield from self._rule("", policy.default, policy.record.spec["default"])
        if policy.emergency is not None:
            yield from self._emergency(policy.emergency)

    def _emergency(self, emergency: Emergency) -> Iterator[str]:
        rule = emergency.rule
        yield f"{rule.title.get(self.language) or self.pick('Emergencies', '紧急情况')}{self.cited(rule.clauses)}"
        people = self.pick(" or ", "，或").join(self._approver(one, ()) for one in rule.approvers)
        within = self.words.span(emergency.within)
        yield "   " + self.pick(
            f"A change that cannot wait is applied at once by {people}, also one of their own.",
            f"不能等待的变更可由以下任一方直接执行（包括其本人提出的变更）：{people}。",
        )
        yield "   " + self.pick(
            f"Those who must approve look at it within {within} afterwards.", f"须审批的各方在事后{within}内补审。"
        )
        yield "   " + self.pick(
            "What decides who approves never changes this way.", "决定审批人的规则、人员与设置不得以此方式变更。"
        )

    def _rule(self, number: str, rule: Rule, written: Mapping[str, Any]) -> Iterator[str]:
        title = rule.title.get(self.language) or rule.name
        yield f"{number}{title}{self.cited(rule.clauses)}"
        change = written.get("change", {})
        yield "   " + self.row(("Changes", "变更内容"), self._changed(rule, change) + self.pick(".", "。"))
        if rule.when is not None:
            clause = self.clause(rule.when)
            yield "   " + self.row(("Where", "条件"), clause + self.pick(".", "。"))
        people = [self._approver(one, rule.kinds) for one in rule.approvers]
        yield "   " + self.row(
            ("Approval by", "须由以下各方批准"), self.pick(" and ", "；").join(people) + self.pick(".", "。")
        )
        if len(people) > 1 and not rule.distinct:
            yield "   " + self.pick("One person may stand for several of these.", "同一人可同时代表其中几方。")
        if rule.exact_base:
            yield "   " + self.pick(
                "The approvals hold only for the exact state that was reviewed.", "批准仅对所审阅的确切版本有效。"
            )

    def _changed(self, rule: Rule, change: Mapping[str, Any]) -> str:
        if not change.keys() & {"kinds", "paths", "atLeast"}:
            return self.pick("whatever no other rule covers", "其他规则均不适用的变更")
        parts = []
        if rule.kinds:
            kinds = self.words.joined([self.words.kinds(kind) for kind in rule.kinds])
            fields = [self._pointer(rule.kinds[0], pointer) for pointer in rule.fields]
            parts.append(
                self.pick(
                    f"{self.words.joined(fields)} of {kinds}" if fields else kinds,
                    f"{kinds}的{self.words.joined(fields)}" if fields else kinds,
                )
            )
        if change.get("paths"):
            parts.append(self.words.joined(change["paths"]))
        many = [self.pick(f"{rule.at_least} or more at once", f"一次达{rule.at_least}项")] if rule.at_least > 1 else []
        where = self.pick(", in ", "，位于").join(parts) or self.pick("files", "文件")
        return self.pick(", ", "，").join([where, *many])

    def _pointer(self, kind: str, pointer: Sequence[str | int]) -> str:
        """A field of a kind by its title, for a pointer into the whole file."""
        schema = self.types.schemas.kinds.get(kind)
        shape = schema.shape if schema else None
        titles = []
        for name in pointer[1:]:
            field: Field | None = shape.fields.get(str(name)) if shape else None
            titles.append(self.words.field(field, str(name)) if field else str(name))
            shape = field.shape if field else None
        return self.pick(" ", "的").join(titles)

    def _approver(self, approver: Approver, kinds: Sequence[str]) -> str:
        count = approver.count
        if approver.team:
            team = self.world.get("Team", approver.team)
            name = team.title(self.language) if team else approver.team
            return self.pick(f"{count} of the team “{name}”", f"团队“{name}”中的{count}人")
        paths = approver.of or ((approver.person,) if approver.person else ())
        owners = [self._record_path(path, kinds) for path in paths]
        if approver.person:
            return self.pick(f"whoever {owners[0]} names", f"{owners[0]}所记的人")
        role = self._role(approver.roles, owners)
        return role if count == 1 else self.pick(f"{count} people who are {role}", f"{role}{count}人")

    def _record_path(self, names: Sequence[str], kinds: Sequence[str]) -> str:
        """``record.customer.unit`` in words, by the titles of the first kind that has such fields."""
        if len(names) == 1:
            return self.pick("the record", "该记录")
        for kind in kinds or sorted(self.types.schemas.kinds):
            titles = self._titles(names[1:], kind)
            if titles:
                return self.pick("the " + "'s ".join(titles), "的".join(titles))
        return f"`{'.'.join(names)}`"

    def _titles(self, names: Sequence[str], kind: str) -> list[str]:
        """The titles along a path, through lists too; empty where ``kind`` has no such path."""
        shape: Shape | None = self.types.kind_shape(kind) if kind in self.types.schemas.kinds else None
        titles = []
        for name in names:
            while shape is not None and shape.type == "list":
                shape = shape.item
            field = self.types.fields_of(shape).get(name) if shape else None
            if field is None:
                return []
            titles.append(self.words.field(field, name))
            shape = field.shape
        return titles

    # --- lifecycle

    def _lifecycle(self, policy: Lifecycle) -> Iterator[str]:
        kind = self.words.kind(policy.subject)
        field = self.types.schemas.kinds[policy.subject].shape.fields[policy.field]
        state = self.words.field(field, policy.field)
        yield self.pick(
            f"Governs the {state} of every {kind}: what each state requires and how one follows another.",
            f"规定{kind}的{state}：各状态须具备什么，状态之间如何流转。",
        )

        def named(states: Sequence[str]) -> str:
            return self.words.joined([self.words.value(one, field) for one in states])

        if policy.initial:
            yield self.row(("Begins as", "初始状态"), named(policy.initial) + self.pick(".", "。"))
        if policy.states:
            yield self.pick("In a state:", "处于某状态时：")
            for name, requirement in policy.states.items():
                yield from self._requirement(self.pick(f"while {named((name,))}", f"{named((name,))}"), requirement)
        if policy.transitions:
            yield self.pick("From one state to the next:", "状态流转：")
            for one in policy.transitions:
                by = self.pick(f", by {one.by}", f"（操作方：{one.by}）") if one.by else ""
                head = self.pick(
                    f"from {named(one.sources)} to {named(one.targets)}{by}",
                    f"由{named(one.sources)}到{named(one.targets)}{by}",
                )
                yield from self._requirement(head, one.requirement)
        if policy.changes:
            yield self.pick("When a field changes:", "修改字段时：")
            for name, requirement in policy.changes:
                changed = self.types.schemas.kinds[policy.subject].shape.fields.get(name)
                yield from self._requirement(self.words.field(changed, name) if changed else name, requirement)
        yield self.pick(
            "Any other way from state to state is forbidden."
            if policy.is_closed
            else "Other ways from state to state are free.",
            "未列出的状态流转一律禁止。" if policy.is_closed else "未列出的状态流转不受限制。",
        )

    def _requirement(self, head: str, requirement: Requirement) -> Iterator[str]:
        title = title_in(requirement.title, self.language) if requirement.title else ""
        end = self.cited(requirement.clauses)
        if requirement.condition is None:
            yield f"  - {head}{self.pick('.', '。')}{end}"
            return
        needs = self.pick(f": needs {title}", f"：要求{title}") if title else self.pick(":", "：")
        yield f"  - {head}{needs}{self.pick('.', '。') if title else ''}{end}"
        parts = self.words.conjuncts(requirement.condition.root, requirement.condition.scope)
        told = self.pick(", and ", "，且").join(parts)
        yield self.pick(f"      That is: {told}.", f"      即：{told}。")


def nouns_of(policy: Any, types: MessageTypes, world: World, language: str) -> dict[str, str]:
    """What the variables of a policy stand for, in words: an item of a list, or the decisions of another policy."""
    words = Words(types, world, language)
    nouns: dict[str, str] = {}
    for holder in (policy, *getattr(policy, "measures", ())):
        each: Each | None = getattr(holder, "each", None)
        if each is not None:
            title = words.path(each.path, holder.scope)
            nouns[each.variable] = title if language == "zh" else each.variable
        for name, related in getattr(holder, "related", {}).items():
            if related.decisions:
                title = _titled(holder, related, language)
                nouns[name] = f"策略“{title}”的结论" if language == "zh" else f"the decisions of “{title}”"
    return nouns


def _titled(watch: Watch, related: Related, language: str) -> str:
    """The title of the policy whose decisions are read."""
    policy = related.decisions.partition("/")[0]
    return next((one.record.title(language) for one in watch.sources if one.name == policy), policy)


def _spaced(kind: str) -> str:
    """``WarningPolicy`` as ``Warning policy``."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda letter: " " + letter.group().lower(), kind)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def percent(share: Fraction) -> str:
    """``share`` of one as a percentage with up to two decimals, such as ``99.95%``."""
    number = round(share * 100, 2)
    return f"{number.numerator if number.denominator == 1 else float(number)}%"
