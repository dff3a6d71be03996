"""Conditions in plain words, Chinese and English: titles of fields and values instead of CEL.

Words come from the schemas (``title``, ``x-remit-zh``, ``x-remit-values``) and from the parameters' own titles. What
has no words of its own stays as it was written, so that nothing is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from remit import tables
from remit.conditions.checks import Scope, fields_along, item_shape
from remit.conditions.extensions import table_function
from remit.conditions.functions import TABLE
from remit.conditions.messages import MessageTypes
from remit.conditions.money import currency_of, is_money
from remit.conditions.text import text_of
from remit.conditions.tracing import Change, Wish
from remit.conditions.tree import Call, Const, Has, ListOf, Macro, Node, Path, item_number, walk
from remit.records import title_in
from remit.references import World, instant
from remit.schemas import Field
from remit.times import Duration, in_zone, parse_duration

TERMS: Mapping[str, Mapping[str, str]] = {
    "id": {"en": "service term", "zh": "适用条款"},
    "repairLimit": {"en": "repair limit", "zh": "修复时限"},
    "responseWindow": {"en": "response window", "zh": "响应时限"},
    "feedbackLimit": {"en": "feedback limit", "zh": "反馈时限"},
    "completionLimit": {"en": "completion limit", "zh": "完成时限"},
    "provisioningLimit": {"en": "provisioning limit", "zh": "开通时限"},
    "availability": {"en": "availability", "zh": "可用率"},
}
"""The limits of ``term``."""

UNITS: Mapping[str, tuple[str, str, str]] = {
    "s": ("second", "seconds", "秒"),
    "m": ("minute", "minutes", "分钟"),
    "h": ("hour", "hours", "小时"),
    "d": ("day", "days", "天"),
    "w": ("week", "weeks", "周"),
    "mo": ("month", "months", "个月"),
    "y": ("year", "years", "年"),
    "wh": ("working hour", "working hours", "个工作小时"),
    "wd": ("working day", "working days", "个工作日"),
}

_COMPARED = {
    "_<_": ("is less than {0}", "is before {0}", "小于{0}", "早于{0}"),
    "_<=_": ("is at most {0}", "is not after {0}", "不大于{0}", "不晚于{0}"),
    "_>_": ("is more than {0}", "is after {0}", "大于{0}", "晚于{0}"),
    "_>=_": ("is at least {0}", "is not before {0}", "不小于{0}", "不早于{0}"),
    "_==_": ("is {0}", "is {0}", "为{0}", "为{0}"),
    "_!=_": ("is not {0}", "is not {0}", "不是{0}", "不是{0}"),
}
_NEGATED = {"_<_": "_>=_", "_<=_": "_>_", "_>_": "_<=_", "_>=_": "_<_", "_==_": "_!=_", "_!=_": "_==_"}
_ARITHMETIC = {"_+_": ("plus", "加"), "_-_": ("minus", "减"), "_*_": ("times", "乘"), "_/_": ("divided by", "除以")}
_PICKED = {
    "latest": ("latest", "最晚"),
    "earliest": ("earliest", "最早"),
    "largest": ("largest", "最大"),
    "smallest": ("smallest", "最小"),
}
_DECISION = {
    "at": ("time", "时间"),
    "due": ("due time", "时限"),
    "level": ("level", "级别"),
    "policy": ("policy", "策略"),
    "severity": ("severity", "严重程度"),
    "subject": ("subject", "对象"),
}
_TEXTUAL = {
    "startsWith": ("begins with {0}", "does not begin with {0}", "以{0}开头", "不以{0}开头"),
    "endsWith": ("ends with {0}", "does not end with {0}", "以{0}结尾", "不以{0}结尾"),
    "contains": ("contains {0}", "does not contain {0}", "包含{0}", "不包含{0}"),
}
_EACH = {
    ("exists", True): ("at least one of the {0} is such that {1}", "{0}里至少有一项满足：{1}"),
    ("exists", False): ("none of the {0} is such that {1}", "{0}里没有一项满足：{1}"),
    ("all", True): ("every one of the {0} is such that {1}", "{0}里每一项都满足：{1}"),
    ("all", False): ("at least one of the {0} is not such that {1}", "{0}里至少有一项不满足：{1}"),
    ("exists_one", True): ("exactly one of the {0} is such that {1}", "{0}里恰有一项满足：{1}"),
    ("exists_one", False): ("not exactly one of the {0} is such that {1}", "{0}里满足以下条件的不是恰好一项：{1}"),
}
_SHORT_SPAN = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")


class Words:
    """Words in one language. ``nouns`` says what the variables of a policy are called; what it judges needs no name."""

    def __init__(
        self, types: MessageTypes, world: World, language: str, nouns: Mapping[str, str] | None = None
    ) -> None:
        self.nouns = nouns or {}
        self.types = types
        self.world = world
        self.language = language
        self.is_zh = language == "zh"

    def pick(self, en: str, zh: str) -> str:
        """The text in this language."""
        return zh if self.is_zh else en

    # --- names

    def kind(self, kind: str) -> str:
        """The title of a kind."""
        schema = self.types.schemas.kinds.get(kind) or self.types.schemas.policies.get(kind)
        title = schema.title(self.language) if schema else kind
        return title if self.is_zh else _lowered(title)

    def kinds(self, kind: str) -> str:
        """Several of a kind."""
        schema = self.types.schemas.kinds.get(kind)
        return self.kind(kind) if self.is_zh or schema is None else schema.folder.replace("-", " ")

    def field(self, field: Field, name: str) -> str:
        """The title of a field."""
        if name in _DECISION and not field.schema:
            return self.pick(*_DECISION[name])
        title = str(field.schema.get("x-remit-zh" if self.is_zh else "title") or name)
        if self.is_zh:
            return title
        lowered = _lowered(title)
        if field.shape.type == "instant" and lowered.lower().endswith(("at", " at")):
            return "due time" if name == "dueAt" else f"time {lowered[:-2].strip().lower()}".strip()
        return lowered

    def path(self, path: Path, scope: Scope) -> str:
        """A field as people call it: ``the customer's customer grade``, ``客户的客户等级``."""
        variable, *names = path.names
        if variable == "term":
            return self.pick(
                f"the {TERMS.get(names[-1], {}).get('en', names[-1])} in force" if names else "the term in force",
                f"适用的{TERMS.get(names[-1], {}).get('zh', names[-1])}" if names else "适用条款",
            )
        if variable == "param" and names:
            return self.parameter(names[0])
        fields = fields_along(path, scope, self.types) or []
        titles: list[str] = []
        for field, name in zip(fields, names, strict=False):
            item = item_number(name)
            if item is None:
                titles.append(self.field(field, name))
            else:
                listed = titles.pop() if titles else self._bare(self.variable(variable, scope))
                titles.append(self.pick(f"{listed} item {item + 1}", f"{listed}第{item + 1}项"))
        titles = titles[:-1] if names[-1:] == ["id"] else titles
        if not titles:
            return self.variable(variable, scope)
        owner = self._owner(variable)
        if self.is_zh:
            return owner + "的".join(titles)
        *holders, last = titles
        return f"the {owner}" + "".join(f"{h}' " if h.endswith("s") else f"{h}'s " for h in holders) + last

    def _owner(self, variable: str) -> str:
        if variable in self.nouns:
            return self.pick(f"{self.nouns[variable]}'s ", f"{self.nouns[variable]}的")
        owners = {"before": ("former ", "变更前的"), "after": ("new ", "变更后的")}
        return self.pick(*owners[variable]) if variable in owners else ""

    def variable(self, name: str, scope: Scope) -> str:
        """What a variable stands for."""
        if name in self.nouns:
            return self.nouns[name]
        shape = scope.get(name)
        if shape is not None and shape.type == "list" and shape.item is not None:
            if shape.item.kinds:
                return self.kinds(shape.item.kinds[0])
            return name
        if shape is not None and shape.name in self.types.schemas.kinds:
            return self.pick(f"the {self.kind(shape.name)}", f"该{self.kind(shape.name)}")
        return self.pick("it", "该项")

    def parameter(self, name: str) -> str:
        """A parameter by its title and its present value; one that is yes or no by its title."""
        parameter = self.world.parameters.get(name, {})
        text = title_in(parameter.get("title"), self.language) or name
        raw = parameter.get("value")
        if isinstance(raw, bool):
            return self.pick(f"the parameter “{text}”", f"参数“{text}”")
        value = self.joined([self.value(one) for one in raw]) if isinstance(raw, list) else self.span(raw)
        return self.pick(f"the parameter “{text}” ({value})", f"参数“{text}”（{value}）")

    def set_by(self, path: Path, scope: Scope) -> str:
        """A span or share with the parameter that sets it behind it: ``3 working days (parameter “…”)``."""
        if path.names[0] != "param":
            return self.path(path, scope)
        parameter = self.world.parameters.get(path.names[1], {})
        title = title_in(parameter.get("title"), self.language) or path.names[1]
        value = self.span(parameter.get("value"))
        return self.pick(f"{value} (parameter “{title}”)", f"{value}（参数“{title}”）")

    def role(self, role: str) -> str:
        """A role by its title."""
        if role == "responsible":
            return self.pick("person responsible", "责任人")
        field = self._role_field("RoleAssignment", "role")
        said = field.schema.get("x-remit-values", {}).get(role) if field else None
        if said:
            return str(said[self.language])
        for schema in self.types.schemas.kinds.values():
            roles = schema.shape.fields.get("roles")
            own = roles.shape.fields.get(role) if roles else schema.shape.fields.get(role)
            if own is not None:
                return self.field(own, role)
        return role.replace("_", " ")

    def _role_field(self, kind: str, name: str) -> Field | None:
        schema = self.types.schemas.kinds.get(kind)
        return schema.shape.fields.get(name) if schema else None

    # --- values

    def value(self, value: Any, field: Field | None = None) -> str:
        """A value as people write it, with the words of its field where it has them."""
        if isinstance(value, bool):
            return self.pick("yes" if value else "no", "是" if value else "否")
        if field and isinstance(value, Mapping) and is_money(field.shape):
            return " ".join(str(part) for part in (value.get("amount"), currency_of(field.shape, value)) if part)
        if field and isinstance(value, str) and field.shape.type in ("instant", "reference"):
            return self._named(value, field)
        said = field.schema.get("x-remit-values", {}).get(value) if field and isinstance(value, str) else None
        if said:
            return self.quoted(str(said[self.language]))
        if isinstance(value, str):
            return self.quoted(value.replace("_", " ") if field and field.shape.enum else value)
        return self.span(value)

    def _named(self, value: str, field: Field) -> str:
        """An instant by the wall clock of the store, a reference by the title of what it names."""
        if field.shape.type == "instant":
            at = instant(value)
            return in_zone(at, self.world.zone).strftime("%Y-%m-%d %H:%M") if at else self.quoted(value)
        target = self.world.find(field.shape.kinds, value)
        return self.quoted(target.title(self.language) if target else value)

    def quoted(self, text: str) -> str:
        """A value set off from the sentence around it."""
        return f"“{text}”"

    def span(self, value: Any) -> str:
        """A length of time in words; any other value as it is."""
        if isinstance(value, Duration):
            return self._duration(value)
        if isinstance(value, bool):
            return self.value(value)
        try:
            return self._duration(parse_duration(value)) if isinstance(value, str) else str(value)
        except ValueError:
            return str(value)

    def _duration(self, span: Duration) -> str:
        one, many, zh = UNITS[span.unit]
        amount = str(span)[: -len(span.unit)]
        return f"{amount}{zh}" if self.is_zh else f"{amount} {one if amount == '1' else many}"

    def joined(self, parts: Sequence[str], word: str = "or") -> str:
        """``a, b or c``; ``a、b或c``."""
        last = {"or": ("or", "或"), "and": ("and", "和"), "nor": ("or", "或")}[word][self.is_zh]
        if len(parts) < 2:
            return "".join(parts)
        if self.is_zh:
            return "、".join(parts[:-1]) + last + parts[-1]
        return f"{', '.join(parts[:-1])} {last} {parts[-1]}"

    # --- conditions

    def condition(self, node: Node, scope: Scope, wanted: bool = True) -> str:
        """A condition as one clause; ``wanted`` False says its opposite."""
        return self._clause(node, scope, wanted, inside=False)

    def conjuncts(self, node: Node, scope: Scope) -> list[str]:
        """The parts that must all hold, each a clause."""
        return self._parts([node], scope, True, all_of=True, inside=False)

    def _clause(self, node: Node, scope: Scope, wanted: bool, *, inside: bool) -> str:
        match node:
            case Call(function="!_", args=(inner,)):
                return self._clause(inner, scope, not wanted, inside=inside)
            case Call(function="_&&_" | "_||_" as function):
                all_of = (function == "_&&_") == wanted
                clauses = self._parts([node], scope, wanted, all_of=all_of)
                text = self.pick(" and " if all_of else ", or ", "，且" if all_of else "，或").join(clauses)
                return self.pick(f"({text})", f"（{text}）") if inside and len(clauses) > 1 else text
            case Call(function="_?_:_", args=(test, then, otherwise)):
                if_, then_, else_ = (
                    self._clause(part, scope, said, inside=True)
                    for part, said in ((test, True), (then, wanted), (otherwise, wanted))
                )
                return self.pick(f"if {if_}, then {then_}, else {else_}", f"如果{if_}，则{then_}，否则{else_}")
            case Macro(name=name, over=over, variable=variable, bodies=bodies) if (name, wanted) in _EACH:
                inner_scope = {**scope, variable: item_shape(over, scope, self.types)}
                body = self._clause(bodies[0], inner_scope, True, inside=False)
                return self.pick(*_EACH[name, wanted]).format(self._bare(self.operand(over, scope)), body)
        path, predicate = self._leaf(node, scope, wanted)
        return f"{path}{predicate}" if self.is_zh else f"{path} {predicate}".strip()

    def _parts(
        self, nodes: Iterable[Node], scope: Scope, wanted: bool, *, all_of: bool, inside: bool = True
    ) -> list[str]:
        """Clauses of one chain, neighbours that speak of the same field put together."""
        links = [link for node in nodes for link in _chain(node, wanted, all_of)]
        leaves = [link for index, link in enumerate(links) if not _is_said_later(*link, links[index + 1 :], all_of)]
        said: list[tuple[str, list[str]]] = []
        for node, outcome in leaves:
            if _is_leaf(node):
                path, predicate = self._leaf(node, scope, outcome)
            else:
                path, predicate = "", self._clause(node, scope, outcome, inside=inside and len(leaves) > 1)
            if said and path and said[-1][0] == path:
                said[-1][1].append(predicate)
            else:
                said.append((path, [predicate]))
        word = self.pick(" and " if all_of else " or ", "且" if all_of else "或")
        space = "" if self.is_zh else " "
        return [f"{path}{space if path else ''}{word.join(predicates)}".strip() for path, predicates in said]

    def _leaf(self, node: Node, scope: Scope, wanted: bool) -> tuple[str, str]:
        """What a leaf speaks of, and what it says of it."""
        match node:
            case Has(path=path):
                return self.path(path, scope), self.pick(
                    "is recorded" if wanted else "is not recorded", "已记录" if wanted else "未记录"
                )
            case Path():
                return self.path(node, scope), self.pick(
                    "is yes" if wanted else "is no", f"为“{'是' if wanted else '否'}”"
                )
            case Call(function="@in", args=(left, ListOf(items=items))):
                values = self.joined([self._constant(one, left, scope) for one in items])
                return self.operand(left, scope), self.pick(
                    f"is {values}" if wanted else f"is not {values}", f"为{values}" if wanted else f"不是{values}"
                )
            case Call(function="@in", args=(left, right)):
                return self.operand(left, scope), self.pick(
                    f"is {'' if wanted else 'not '}among {self.operand(right, scope)}",
                    f"{'' if wanted else '不'}在{self.operand(right, scope)}之中",
                )
            case Call(function=sign, args=(left, right)) if sign in _COMPARED:
                return self._comparison(sign if wanted else _NEGATED[sign], left, right, scope)
            case Call(function=name, args=(left, right)) if name in _TEXTUAL:
                en, not_en, zh, not_zh = _TEXTUAL[name]
                said = self.pick(en if wanted else not_en, zh if wanted else not_zh)
                return self.operand(left, scope), said.format(self.operand(right, scope))
        text = f"`{text_of(node)}`"
        return text, self.pick("holds" if wanted else "does not hold", "成立" if wanted else "不成立")

    def _comparison(self, sign: str, left: Node, right: Node, scope: Scope) -> tuple[str, str]:
        if isinstance(left, Call) and left.function == "size" and right == Const(right.id, right.offset, 0):
            some = sign in ("_>_", "_!=_")
            if some or sign in ("_==_", "_<=_"):
                return self.operand(left.args[0], scope), self.pick(
                    "is not empty" if some else "is empty", "不为空" if some else "为空"
                )
        other = self._constant(right, left, scope)
        if sign in ("_==_", "_!=_") and isinstance(right, Path):
            same = self.pick(
                "is the same as {0}" if sign == "_==_" else "differs from {0}",
                "与{0}相同" if sign == "_==_" else "与{0}不同",
            )
            return self.operand(left, scope), same.format(other)
        return self.operand(left, scope), self.compared(sign, other, self._is_time(left, scope))

    def compared(self, sign: str, other: str, is_time: bool) -> str:
        """``is at least 3``, ``不早于…``."""
        en, en_time, zh, zh_time = _COMPARED[sign]
        return (self.pick(en_time, zh_time) if is_time else self.pick(en, zh)).format(other)

    def _is_time(self, node: Node, scope: Scope) -> bool:
        match node:
            case Path():
                fields = fields_along(node, scope, self.types)
                return bool(fields) and fields[-1].shape.type == "instant"  # type: ignore[index]
            case Call(function="timestamp" | "latest" | "earliest" | "add"):
                return True
            case Call(function="_+_" | "_-_", args=(left, right)):
                return self._is_time(left, scope) != self._is_time(right, scope)
        return False

    def _constant(self, node: Node, beside: Node, scope: Scope) -> str:
        """A value in the words of the field that it is compared with."""
        if isinstance(node, Const):
            fields = fields_along(beside, scope, self.types) if isinstance(beside, Path) else None
            return self.value(node.value, fields[-1] if fields else None)
        return self.operand(node, scope)

    def operand(self, node: Node, scope: Scope) -> str:
        """A part that gives a value, as people call it; what has no words stays as written."""
        match node:
            case Path():
                return self.path(node, scope)
            case Const(value=value):
                return self.value(value)
            case ListOf(items=items):
                return self.joined([self.operand(item, scope) for item in items], "and")
            case Call(function="size", args=(inner,)):
                return self.pick(
                    f"the number of {self._bare(self.operand(inner, scope))}", f"{self.operand(inner, scope)}的数量"
                )
            case Call(function="double" | "int" | "string", args=(inner,)):
                return self.operand(inner, scope)
            case Call(function="duration", args=(Const(value=str() as text),)):
                return self._span_of(text)
            case Call(function="timestamp" | "money", args=(Const(value=str() as text),)):
                return text
            case Call(function=name, args=(inner,)) if name in _PICKED:
                return self._picked(name, inner, scope)
            case Call(function=name, args=args) if name.startswith(TABLE):
                return self._looked_up(name, args, scope)
            case Call(function=sign, args=(left, right)) if sign in _ARITHMETIC:
                word = self.pick(*_ARITHMETIC[sign])
                space = "" if self.is_zh else " "
                return f"{self.operand(left, scope)}{space}{word}{space}{self.operand(right, scope)}"
            case Call(function="_?_:_", args=(test, then, otherwise)):
                if_ = self._clause(test, scope, True, inside=False)
                a, b = self.operand(then, scope), self.operand(otherwise, scope)
                return self.pick(f"{a} if {if_}, else {b}", f"{a}（如果{if_}），否则{b}")
            case Macro(name="map", over=over, variable=variable, bodies=bodies):
                inner_scope = {**scope, variable: item_shape(over, scope, self.types)}
                what = self._bare(self.operand(bodies[-1], inner_scope))
                return self.pick(
                    f"each {what} of {self.operand(over, scope)}", f"{self.operand(over, scope)}的各个{what}"
                )
            case Macro(name="filter", over=over, variable=variable, bodies=bodies):
                inner_scope = {**scope, variable: item_shape(over, scope, self.types)}
                which = self._clause(bodies[0], inner_scope, True, inside=False)
                listed = self._bare(self.operand(over, scope))
                return self.pick(f"those {listed} for which {which}", f"符合条件（{which}）的{listed}")
        return f"`{text_of(node)}`"

    def _looked_up(self, name: str, asked: Sequence[Node], scope: Scope) -> str:
        """What a look-up table has, under the title of its record."""
        record = next((one for one in self.world.all(tables.KIND) if table_function(one.name) == name), None)
        title = (record and record.title(self.language)) or name
        by = self.joined([self.operand(one, scope) for one in asked], "and")
        return self.pick(f"what “{title}” has for {by}", f"“{title}”中{by}对应的值")

    def _picked(self, name: str, inner: Node, scope: Scope) -> str:
        """The latest or earliest of several instants."""
        which = self.pick(*_PICKED[name])
        if not isinstance(inner, Macro) or inner.name != "map":
            return self.pick(f"the {which} of {self.operand(inner, scope)}", f"{self.operand(inner, scope)}中{which}的")
        inner_scope = {**scope, inner.variable: item_shape(inner.over, scope, self.types)}
        what, over = self._bare(self.operand(inner.bodies[-1], inner_scope)), self.operand(inner.over, scope)
        return self.pick(f"the {which} {what} of {over}", f"{over}中{which}的{what}")

    def _span_of(self, text: str) -> str:
        """CEL's ``2160h`` in words, whole days where it is."""
        match = _SHORT_SPAN.fullmatch(text)
        if not match or not any(match.groups()):
            return text
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        if hours and hours % 24 == 0 and not minutes and not seconds:
            return self.span(f"{hours // 24}d")
        parts = [self.span(f"{n}{u}") for n, u in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n]
        return ("" if self.is_zh else " ").join(parts)

    @staticmethod
    def _bare(text: str) -> str:
        return text.removeprefix("the ")

    # --- what would flip it

    def change(self, change: Change, scope: Scope) -> str:
        """``the customer grade would have to be “group level” or “province”``."""
        if change.ways[0][0].kind in ("holds", "fails"):
            clause = self.condition(change.node, scope, change.ways[0][0].kind == "holds")
            return self.pick(f"it would have to be so that {clause}", f"须满足：{clause}")
        ways = [self._way(way, change.node, scope) for way in change.ways]
        what = self.operand(change.node, scope)
        return self.pick(f"{what} would have to be {self.joined(ways)}", f"{what}须{self.joined(ways)}")

    def _way(self, way: tuple[Wish, ...], node: Node, scope: Scope) -> str:
        return self.pick(" and ", "且").join(self._wish(wish, node, scope) for wish in way)

    def _wish(self, wish: Wish, node: Node, scope: Scope) -> str:
        fields = fields_along(node, scope, self.types) if isinstance(node, Path) else None
        values = self.joined([self.value(value, fields[-1] if fields else None) for value in wish.values])
        said: dict[str, Callable[[], str]] = {
            "missing": lambda: self.pick("missing", "为空"),
            "present": lambda: self.pick("there", "有记录"),
            "is": lambda: self.pick(values, f"为{values}"),
            "is_not": lambda: self.pick(f"other than {values}", f"不是{values}"),
            "compare": lambda: self._compared_wish(wish, node, scope),
        }
        return said[wish.kind]()

    def _compared_wish(self, wish: Wish, node: Node, scope: Scope) -> str:
        assert wish.other is not None
        other = self._constant(wish.other, node, scope)
        if wish.sign in ("_==_", "_!=_"):
            return self.pick(
                f"{'the same as' if wish.sign == '_==_' else 'other than'} {other}",
                f"与{other}{'相同' if wish.sign == '_==_' else '不同'}",
            )
        return self.compared(wish.sign, other, self._is_time(node, scope)).removeprefix("is ")


def _lowered(title: str) -> str:
    """A title inside a sentence: its first letter small, unless it begins an abbreviation or stands for itself."""
    return title[:1].lower() + title[1:] if len(title) > 1 and title[1].islower() else title


def _is_leaf(node: Node) -> bool:
    if isinstance(node, Macro):
        return False
    return not (isinstance(node, Call) and node.function in ("_&&_", "_||_", "!_", "_?_:_"))


def _chain(node: Node, wanted: bool, all_of: bool) -> list[tuple[Node, bool]]:
    """The links of a chain with ``!`` pushed down, as far as it stays one chain."""
    if isinstance(node, Call) and node.function == "!_":
        return _chain(node.args[0], not wanted, all_of)
    if isinstance(node, Call) and node.function in ("_&&_", "_||_") and ((node.function == "_&&_") == wanted) == all_of:
        return [link for arg in node.args for link in _chain(arg, wanted, all_of)]
    return [(node, wanted)]


def _is_said_later(node: Node, outcome: bool, later: Sequence[tuple[Node, bool]], all_of: bool) -> bool:
    """True for ``has(x)`` before what reads ``x`` anyway, and for ``!has(x)`` beside ``!has(x.y)``: both say it too."""
    if not isinstance(node, Has) or outcome != all_of:
        return False
    names = node.path.names
    for link, wanted in later:
        if all_of and (_is_leaf(link) or wanted):
            if any(isinstance(one, Path) and one.names[: len(names)] == names for one in walk(link)):
                return True
        elif not all_of and isinstance(link, Has) and not wanted and link.path.names[: len(names)] == names:
            return True
    return False
