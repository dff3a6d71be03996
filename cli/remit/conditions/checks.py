"""What CEL's checker cannot see, checked on its tree: enums, optional fields without ``has()``, parts not supported.

A misspelt value or a forgotten ``has()`` would make a rule silently false; each is a finding instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from remit.calendars import WorkCalendar
from remit.conditions.functions import FUNCTIONS, MACROS, REFUSED, TABLE
from remit.conditions.messages import CALENDAR, MessageTypes, Needs
from remit.conditions.money import CEL_NAME, currencies, fixed_currency, is_money
from remit.conditions.text import GETTERS, TURNED, text_of
from remit.conditions.tree import (
    FIELD_OF_COMPUTED,
    LAST_ITEM,
    Call,
    Const,
    Has,
    ListOf,
    Macro,
    MapOf,
    Node,
    Path,
    Unsupported,
    children,
    item_number,
    path_text,
    walk,
)
from remit.findings import did_you_mean
from remit.schemas import Field, Shape
from remit.times import parse_duration

COMPARISONS = ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_")
ALIKE = (*COMPARISONS, "_+_", "_-_", "math.@max", "math.@min", "largest", "smallest", "@in")
"""What is done with values of one unit only."""

UNITS = ("share", "percent", "hours", "minutes", "score", "money")
"""Units of plain numbers, which CEL cannot tell apart."""

LONGEST_PATTERN = 200
COMPUTED_HINT = f"Write the number of the item in place, 0 to {LAST_ITEM}, or use exists(), filter() or map()."
_VARIABLE = re.compile(r"[.\[]")
CALENDAR_FUNCTIONS = ("elapsed", "workdays", "add", "isWorking")

Complaint = tuple[str, int, str, str]
"""Finding code, offset in the text, message, hint."""

Scope = Mapping[str, Shape]


def complaints(
    root: Node,
    scope: Scope,
    types: MessageTypes,
    kinds: Mapping[int, str],
    calendars: Mapping[str, WorkCalendar],
) -> Iterator[Complaint]:
    """Everything wrong with a typed tree, outermost first. ``kinds`` says of which kind the value of a node is."""
    yield from _Checker(types, kinds, calendars).check(root, scope, frozenset())


def probes(root: Node, kinds: Mapping[int, str]) -> Iterator[tuple[Node, str]]:
    """Parts whose literals alone may be impossible (a span, a pattern, a zone), each as a text to try without facts."""
    for node in walk(root):
        match node:
            case Call(function="matches", args=(_, Const(value=str()) as pattern)):
                yield pattern, f'"".matches({text_of(pattern)})'
            case Call(function=function, args=(target, Const(value=str()) as zone)) if function in GETTERS:
                if kinds.get(target.id) == "timestamp":
                    yield zone, f'timestamp("2026-01-01T00:00:00Z").{function}({text_of(zone)})'
            case Call(function=function, args=args) if args and all(isinstance(arg, Const) for arg in args):
                if function in FUNCTIONS and function not in CALENDAR_FUNCTIONS:
                    yield node, text_of(node)


def unit_of(node: Node, scope: Scope, types: MessageTypes) -> str:
    """The unit of a number, as far as schemas say it; empty for one without."""
    match node:
        case Path():
            fields = fields_along(node, scope, types) or []
            units = [field.shape.unit for field in fields[-2:]]
            if node.names[-1] == "amount" and units[:-1] == ["money"]:
                return "money"
            return units[-1] if units and units[-1] in UNITS else ""
        case Call(function="-_" | "_+_" | "_-_" | "math.@max" | "math.@min", args=args):
            parts = args[0].items if isinstance(args[0], ListOf) else args
            return next((unit for part in parts if (unit := unit_of(part, scope, types))), "")
        case Call(function="_?_:_", args=(_, then, otherwise)):
            return unit_of(then, scope, types) or unit_of(otherwise, scope, types)
    return ""


def shape_at(path: Path, scope: Scope, types: MessageTypes) -> Shape | None:
    """The shape that a path leads to; None when a name in it does not exist."""
    fields = fields_along(path, scope, types)
    if fields is None:
        return None
    return fields[-1].shape if fields else scope[path.names[0]]


def fields_along(path: Path, scope: Scope, types: MessageTypes) -> list[Field] | None:
    """The fields that a path passes through, without its variable; None when a name in it does not exist."""
    shape = scope.get(path.names[0])
    found: list[Field] = []
    for name in path.names[1:]:
        field = _step(shape, name, types) if shape else None
        if field is None:
            return None
        found.append(field)
        shape = field.shape
    return found if shape else None


def _step(shape: Shape, name: str, types: MessageTypes) -> Field | None:
    """What follows a value of that shape by a name; an item of a list may be missing, whatever it is."""
    if item_number(name) is None:
        return types.fields_of(shape).get(name)
    return Field(shape.item, False) if shape.item else None


def item_shape(over: Node, scope: Scope, types: MessageTypes) -> Shape:
    """The shape of the items of a list that a macro ranges over; ``any`` when it is computed."""
    match over:
        case Path():
            shape = shape_at(over, scope, types)
            if shape and shape.type == "list" and shape.item:
                return shape.item
        case Macro(name="filter", over=inner):
            return item_shape(inner, scope, types)
        case Macro(name="map", over=inner, variable=variable, bodies=bodies):
            body = bodies[-1]
            if isinstance(body, Path):
                return shape_at(body, {**scope, variable: item_shape(inner, scope, types)}, types) or Shape("any")
    return Shape("any")


def present_if(node: Node, outcome: bool) -> frozenset[str]:
    """The paths that are known to be present when ``node`` came out as ``outcome``."""
    match node:
        case Has(path=path) if outcome:
            return _reached(path, 1)
        case Call(function=sign, args=(Call(function="size", args=(Path() as path,)), Const(value=int() as number))):
            return _reached(path, _least(sign, number, outcome))
        case Call(function=sign, args=(Const() as left, Call(function="size") as right)) if sign in TURNED:
            return present_if(Call(node.id, node.offset, TURNED[sign], (right, left)), outcome)
        case Call(function="!_", args=(inner,)):
            return present_if(inner, not outcome)
        case Call(function="_&&_" | "_||_" as function, args=(left, right)):
            first, second = present_if(left, outcome), present_if(right, outcome)
            return first | second if (function == "_&&_") == outcome else first & second
    return frozenset()


def _reached(path: Path, items: int) -> frozenset[str]:
    """A path and all on the way to it, with its first so many items; nothing where there need not be any."""
    if not items:
        return frozenset()
    ways = (path_text(path.names[:end]) for end in range(2, len(path.names) + 1))
    return frozenset((*ways, *(f"{path}[{number}]" for number in range(min(items, LAST_ITEM + 1)))))


def _least(sign: str, number: int, outcome: bool) -> int:
    """How many items a list has at least, where comparing its size with ``number`` came out so."""
    more, same = (("_>_", "_>=_"), ("_==_",)) if outcome else (("_<=_", "_<_"), ("_!=_",))
    if sign == more[0]:
        return number + 1
    if sign == more[1] or sign in same:
        return number
    return int(number == 0 and sign == ("_!=_" if outcome else "_==_"))


class _Checker:
    def __init__(self, types: MessageTypes, kinds: Mapping[int, str], calendars: Mapping[str, WorkCalendar]) -> None:
        self._types = types
        self._kinds = kinds
        self._calendars = calendars

    def check(self, node: Node, scope: Scope, present: frozenset[str]) -> Iterator[Complaint]:
        match node:
            case Unsupported(what=what):
                hint = COMPUTED_HINT if what == FIELD_OF_COMPUTED else ""
                yield "condition-unsupported", node.offset, f"Conditions do not support {what}.", hint
            case Path():
                yield from self._path(node, node, scope, present)
            case Has(path=path):
                yield from self._path(node, Path(path.id, path.offset, path.names[:-1]), scope, present, in_has=True)
            case Call(function="_&&_" | "_||_" as function, args=(left, right)):
                outcome = function == "_&&_"
                yield from self.check(left, scope, present | present_if(right, outcome))
                yield from self.check(right, scope, present | present_if(left, outcome))
            case Call(function="_?_:_", args=(test, then, otherwise)):
                yield from self.check(test, scope, present)
                yield from self.check(then, scope, present | present_if(test, True))
                yield from self.check(otherwise, scope, present | present_if(test, False))
            case Call():
                yield from self._call(node, scope, present)
            case Macro():
                yield from self._macro(node, scope, present)
            case ListOf(items=items):
                yield from self._mixed(node, items, "items of a list")
                for child in items:
                    yield from self.check(child, scope, present)
            case MapOf(entries=entries):
                yield from self._map(node, entries)
                for child in children(node):
                    yield from self.check(child, scope, present)
            case _:
                for child in children(node):
                    yield from self.check(child, scope, present)

    def _call(self, node: Call, scope: Scope, present: frozenset[str]) -> Iterator[Complaint]:
        if node.function not in FUNCTIONS and not node.function.startswith(TABLE):
            name = node.function.strip("_@")
            hint = REFUSED.get(name) or did_you_mean(name, [f for f in FUNCTIONS if f.isidentifier()])
            yield "condition-unsupported", node.offset, f"Conditions do not support the function {name!r}.", hint
        if node.function in CALENDAR_FUNCTIONS:
            yield from self._calendar(node)
        if node.function == "matches":
            yield from self._pattern(node)
        if node.function in GETTERS and self._kinds.get(node.args[0].id) == "timestamp":
            yield from self._zone(node)
        if node.function in ALIKE:
            yield from self._units(node, scope)
        if node.function in ("math.@max", "math.@min"):
            yield from self._mixed(node, node.args, "numbers")
        if node.function in ("_==_", "_!=_", "@in") and len(node.args) == 2:
            yield from self._enums(node.args[0], node.args[1], scope)
            yield from self._enums(node.args[1], node.args[0], scope)
        for arg in node.args:
            shape = shape_at(arg, scope, self._types) if isinstance(arg, Path) else None
            if shape is not None and shape.unit == CALENDAR:
                message = f"{arg} is counted on a calendar, so it has no exact length to calculate with."
                yield "condition-type", arg.offset, message, "Use it as a level's after, before or past."
            yield from self.check(arg, scope, present)

    def _calendar(self, node: Call) -> Iterator[Complaint]:
        """The calendar and the span of a working-time function are written in place, so that they are known now."""
        name = node.args[-1]
        if not isinstance(name, Const):
            yield "condition-unsupported", name.offset, "A calendar is written in place, as a text.", ""
            return
        calendar = self._calendars.get(str(name.value))
        if calendar is None:
            message = f"There is no Calendar/{name.value}."
            yield "condition-unknown-name", name.offset, message, did_you_mean(str(name.value), self._calendars)
            return
        working_days = node.function == "workdays"
        if node.function == "add":
            span = node.args[1]
            if not isinstance(span, Const):
                yield "condition-unsupported", span.offset, "A span is written in place, as a text.", ""
                return
            try:
                working_days = parse_duration(str(span.value)).is_working
            except ValueError as error:
                yield "condition-type", span.offset, f"{error}.", "A span is written 120m, 4h, 2wd …"
        if working_days and not calendar.week and not calendar.makeup:
            yield "condition-type", name.offset, f"Calendar {name.value} has no working days.", ""

    def _pattern(self, node: Call) -> Iterator[Complaint]:
        pattern = node.args[-1]
        if not isinstance(pattern, Const):
            yield "condition-unsupported", pattern.offset, "A pattern is written in place, as a text.", ""
        elif len(str(pattern.value)) > LONGEST_PATTERN:
            message = f"A pattern has at most {LONGEST_PATTERN} characters; this has {len(str(pattern.value))}."
            yield "condition-unsupported", pattern.offset, message, ""

    def _zone(self, node: Call) -> Iterator[Complaint]:
        if len(node.args) < 2 or not isinstance(node.args[1], Const):
            message = f"{node.function} of an instant needs a time zone, written in place."
            yield "condition-unsupported", node.offset, message, f'Write: {node.function}("Asia/Shanghai")'

    def _units(self, node: Call, scope: Scope) -> Iterator[Complaint]:
        parts = tuple(one for arg in node.args for one in (arg.items if isinstance(arg, ListOf) else (arg,)))
        units = list(dict.fromkeys(unit for part in parts if (unit := unit_of(part, scope, self._types))))
        if len(units) > 1:
            message = f"{' and '.join(units)} are unlike units."
            yield "condition-type", node.offset, message, "Convert one of them, or compare fields of one unit."
        known = {one for part in parts for one in currencies(part, lambda at: self._currency(at, scope))}
        if len(known) > 1:
            message = f"{' and '.join(sorted(known))} are unlike currencies."
            yield "condition-type", node.offset, message, "Compare and add money of one currency."
        if node.function in ("_==_", "_!=_", "@in") and self._kinds.get(node.args[0].id) == f"list<{CEL_NAME}>":
            yield "condition-unsupported", node.offset, "Lists of money are not compared.", "Use exists() or all()."

    def _currency(self, node: Node, scope: Scope) -> str:
        """The currency that the schema of a field fixes; empty for anything else."""
        shape = shape_at(node, scope, self._types) if isinstance(node, Path) else None
        return fixed_currency(shape) if shape is not None and is_money(shape) else ""

    def _mixed(self, node: Node, parts: tuple[Node, ...], what: str) -> Iterator[Complaint]:
        kinds = dict.fromkeys(self._kinds.get(part.id, "dyn") for part in parts)
        if len(kinds) > 1:
            message = f"The {what} are of unlike types: {', '.join(kinds)}."
            hint = "Write 1.0 for a number with fractions." if "double" in kinds else ""
            yield "condition-type", node.offset, message, hint

    def _map(self, node: MapOf, entries: tuple[tuple[Node, Node], ...]) -> Iterator[Complaint]:
        for key, _ in entries:
            if self._kinds.get(key.id) != "string":
                yield "condition-unsupported", key.offset, "The keys of a map are texts.", ""
        yield from self._mixed(node, tuple(value for _, value in entries), "values of a map")

    def _enums(self, side: Node, other: Node, scope: Scope) -> Iterator[Complaint]:
        shape = shape_at(side, scope, self._types) if isinstance(side, Path) else None
        if shape is not None and shape.type == "list":
            shape = shape.item
        if shape is None or not shape.enum:
            return
        literals = other.items if isinstance(other, ListOf) else (other,)
        for literal in literals:
            if isinstance(literal, Const) and isinstance(literal.value, str) and literal.value not in shape.enum:
                hint = did_you_mean(literal.value, shape.enum)
                yield "condition-not-in-enum", literal.offset, f'{side} is never "{literal.value}".', hint

    def _macro(self, node: Macro, scope: Scope, present: frozenset[str]) -> Iterator[Complaint]:
        if node.name not in MACROS:
            yield "condition-unsupported", node.offset, f"Conditions do not support the macro {node.name!r}.", ""
        yield from self.check(node.over, scope, present)
        inner = {**scope, node.variable: item_shape(node.over, scope, self._types)}
        shadowed = frozenset(p for p in present if _VARIABLE.split(p, maxsplit=1)[0] != node.variable)
        known = shadowed | _filtered(node.over, node.variable)
        if len(node.bodies) == 2:
            yield from self.check(node.bodies[0], inner, known)
            known |= present_if(node.bodies[0], True)
        yield from self.check(node.bodies[-1], inner, known)

    def _path(
        self, at: Node, path: Path, scope: Scope, present: frozenset[str], *, in_has: bool = False
    ) -> Iterator[Complaint]:
        """A path whose every optional field and item is known to be present; has() itself asks for fields."""
        for length, field in enumerate(fields_along(path, scope, self._types) or (), start=2):
            so_far, item = path_text(path.names[:length]), item_number(path.names[length - 1])
            may_miss = item is not None or not (field.required or field.shape.type == "list" or in_has)
            if may_miss and so_far not in present:
                message = f"{so_far} is optional: where it is missing, the condition would be silently false."
                guard = f"has({so_far})" if item is None else f"size({path_text(path.names[: length - 1])}) > {item}"
                yield "condition-unguarded", at.offset, message, f"Write: {guard} && …"
                return


def _filtered(over: Node, variable: str) -> frozenset[str]:
    """What a ``filter`` below a macro has already made sure of, in the name of the macro's variable."""
    if isinstance(over, Macro) and over.name == "filter":
        held = present_if(over.bodies[0], True) | _filtered(over.over, over.variable)
        mine = over.variable + "."
        return frozenset(f"{variable}.{p.removeprefix(mine)}" for p in held if p.startswith(mine))
    return frozenset()


def needs_of(root: Node) -> dict[str, Needs]:
    """For each variable of a condition, the fields that it reads, as nested names."""
    roots: dict[str, Needs] = {}
    _collect(root, roots, {})
    return roots


def _collect(node: Node, roots: dict[str, Needs], bound: Mapping[str, Needs]) -> Needs:
    """Note what ``node`` reads; gives the place in the tree that a list-valued node's items stand for."""
    match node:
        case Path(names=names):
            here = bound[names[0]] if names[0] in bound else roots.setdefault(names[0], {})
            for name in names[1:]:
                here = here.setdefault(name, {}) if item_number(name) is None else here
            return here
        case Has(path=path):
            return _collect(path, roots, bound)
        case Macro(over=over, variable=variable, bodies=bodies, name=name):
            items = _collect(over, roots, bound)
            inner = {**bound, variable: items}
            results = [_collect(body, roots, inner) for body in bodies]
            return results[-1] if name == "map" else items
    for child in children(node):
        _collect(child, roots, bound)
    return {}
