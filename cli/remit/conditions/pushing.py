"""Conditions as SQL over the columns of a feed, to select the few facts that can match before anybody looks at them.

The SQL selects never fewer facts than those of which CEL says true: what it cannot say exactly (a macro, a function, a
value that is missing or in another form) counts as possible. So it narrows a question and decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from remit.conditions.checks import Scope, shape_at
from remit.conditions.lowering import FLIPPED, SIGNS, encode
from remit.conditions.messages import MessageTypes, exact_seconds, plain
from remit.conditions.money import is_money, literal
from remit.conditions.tree import Call, Const, Has, ListOf, Node, Path, item_number
from remit.schemas import Shape
from remit.times import parse_instant

if TYPE_CHECKING:
    from sqlglot import exp

Form = Literal["text", "int", "number", "bool", "instant", "present", "size"]
"""How a column holds the value at its path: an instant in microseconds since 1970, a size or presence instead of it."""

SUBJECT = "subject"
_TEXT_TESTS = {"startsWith": "STARTS_WITH", "endsWith": "ENDS_WITH", "contains": "CONTAINS"}
_PLAIN_NAME = re.compile(r'[^"\\$*?\[\]\x00-\x1f]+')
_SPAN = re.compile(r"(\d{1,9})(h|m|s)")
_SPAN_SECONDS = {"h": 3600, "m": 60, "s": 1}
_OPERATORS = {"==": "EQ", "$neq": "NEQ", "$lt": "LT", "$lte": "LTE", "$gt": "GT", "$gte": "GTE"}
_FORMS: Mapping[str, Form] = {"text": "text", "int": "int", "number": "number", "bool": "bool", "instant": "instant"}


class Column(NamedTuple):
    """One column: the value of the subject at ``inside``, or of the record of ``kind`` that it names, at ``beyond``."""

    inside: tuple[str, ...]
    form: Form
    kind: str = ""
    beyond: tuple[str, ...] = ()


class Pushing:
    """Turns conditions about one kind of subject into SQL; ``columns`` gathers, by name, what that SQL reads.

    ``apart`` are the kinds whose things are too many to be looked up when a condition follows a reference to one.
    """

    def __init__(self, types: MessageTypes, parameters: Mapping[str, Any], apart: frozenset[str] = frozenset()) -> None:
        self.types = types
        self._apart = apart
        self._parameters = parameters
        self.columns: dict[str, Column] = {}

    def test(self, node: Node, scope: Scope, *, wanted: bool = True) -> exp.Expr:
        """SQL that is true for every subject of which CEL says ``wanted``; never null."""
        match node:
            case Const(value=bool() as value):
                return _truth(value is wanted)
            case Call(function="!_", args=(inner,)):
                return self.test(inner, scope, wanted=not wanted)
            case Call(function="_&&_" | "_||_" as function, args=(left, right)):
                parts = (self.test(left, scope, wanted=wanted), self.test(right, scope, wanted=wanted))
                return all_of(*parts) if (function == "_&&_") == wanted else any_of(*parts)
            case Call(function="_?_:_", args=(test, then, otherwise)):
                yes = all_of(self.test(test, scope), self.test(then, scope, wanted=wanted))
                no = all_of(self.test(test, scope, wanted=False), self.test(otherwise, scope, wanted=wanted))
                return any_of(yes, no)
            case Has(path=path):
                there = self.presence(path, scope)
                return _truth(True) if there is None else there if wanted else negated(there)
        return self._leaf(node, scope, wanted)

    def parameter(self, path: Path) -> Any:
        """What a path such as ``param.name`` stands for; None for any other."""
        return self._parameters.get(path.names[1]) if path.names[0] == "param" and len(path.names) == 2 else None

    def presence(self, path: Path, scope: Scope) -> exp.Expr | None:
        """SQL that is true where a path leads to a value, and false elsewhere; a list without items is none."""
        shape = self._shape(path, scope)
        if shape.type == "list":
            size = self.column(path, scope, "size")
            return None if size is None else _compared("$gt", size, _whole(0))
        return None if shape.type == "any" else self.column(path, scope, "present")

    def column(self, path: Path, scope: Scope, form: Form) -> exp.Expr | None:
        """The column that holds a path in this form; None where none can. ``present`` and ``size`` are never null."""
        from sqlglot import exp

        found = self._column(path, scope, form)
        if found is None:
            return None
        names = {column: name for name, column in self.columns.items()}
        name = names.get(found, f"c{len(self.columns)}")
        self.columns[name] = found
        return exp.column(name)

    def _column(self, path: Path, scope: Scope, form: Form) -> Column | None:
        if path.names[0] != SUBJECT or len(path.names) < 2 or SUBJECT not in scope:
            return None
        steps = path.names[1:]
        if not all(item_number(step) is not None or _PLAIN_NAME.fullmatch(step) for step in steps):
            return None
        if steps[0] == "id":
            return Column(("id",), form) if len(steps) == 1 else None
        for length in range(1, len(steps)):
            shape = shape_at(Path(0, 0, (SUBJECT, *steps[:length])), scope, self.types)
            if shape is not None and shape.type == "reference":
                return self._beyond(steps[:length], shape, steps[length:], form)
        return Column(steps, form)

    def _beyond(self, inside: tuple[str, ...], shape: Shape, beyond: tuple[str, ...], form: Form) -> Column | None:
        if len(shape.kinds) != 1 or shape.kinds[0] not in self.types.schemas.kinds:
            return None
        if beyond == ("id",):
            return Column(inside, form)
        kind = shape.kinds[0]
        return None if kind in self._apart else Column(inside, form, kind, beyond)

    # --- leaves

    def _leaf(self, node: Node, scope: Scope, wanted: bool) -> exp.Expr:
        from sqlglot import exp

        said: exp.Expr | None = None
        match node:
            case Path() if self._form(node, scope) == "bool":
                said = self.column(node, scope, "bool")
            case Call(function="@in", args=(Path() as path, ListOf(items=items))) if items:
                shape = self._shape(path, scope)
                values = [self._constant(item, shape) for item in items]
                held = self._value(path, scope)
                if held is not None and all(value is not None for value in values):
                    said = exp.In(this=held, expressions=values)
            case Call(function=function, args=(Path() as path, Const(value=str() as text))) if function in _TEXT_TESTS:
                held = self.column(path, scope, "text") if self._form(path, scope) == "text" else None
                if held is not None:
                    said = exp.Anonymous(this=_TEXT_TESTS[function], expressions=[held, exp.Literal.string(text)])
            case Call(function=function, args=(left, right)) if function in SIGNS:
                said = self._comparison(SIGNS[function], left, right, scope)
        if said is None:
            return _truth(True)
        return exp.Coalesce(this=said if wanted else negated(said), expressions=[_truth(True)])

    def _comparison(self, sign: str, left: Node, right: Node, scope: Scope) -> exp.Expr | None:
        for first, second, turned in ((left, right, sign), (right, left, FLIPPED[sign])):
            pair = self._sides(first, second, turned, scope)
            if pair is not None:
                return _compared(turned, *pair)
        return None

    def _sides(self, left: Node, right: Node, sign: str, scope: Scope) -> tuple[exp.Expr, exp.Expr] | None:
        """Both sides of a comparison as SQL, where the left one is in a column."""
        if isinstance(left, Call):
            return self._sizes(left, right, scope) or self._spans(left, right, scope)
        if not isinstance(left, Path):
            return None
        shape = self._shape(left, scope)
        written = literal(right) if is_money(shape) else None
        if written is not None:
            amount = self.column(Path(0, 0, (*left.names, "amount")), scope, "number")
            return None if amount is None else (amount, _number(float(written.amount)))
        if shape.type == "text" and sign not in ("==", "$neq"):
            return None
        held = self._value(left, scope)
        other = self._constant(right, shape)
        if other is None and isinstance(right, Path) and self._shape(right, scope).type == shape.type:
            other = self._value(right, scope)
        return None if held is None or other is None else (held, other)

    def _sizes(self, call: Call, right: Node, scope: Scope) -> tuple[exp.Expr, exp.Expr] | None:
        match call, right:
            case Call(function="size", args=(Path() as path,)), Const(value=int() as number):
                held = self.column(path, scope, "size") if self._shape(path, scope).type == "list" else None
                return None if held is None else (held, _whole(number))
        return None

    def _spans(self, left: Node, right: Node, scope: Scope) -> tuple[exp.Expr, exp.Expr] | None:
        """``a - b`` against a span of time, or an instant moved by a span against an instant; in microseconds."""
        from sqlglot import exp

        match left:
            case Call(function="_-_" | "_+_" as function, args=(first, second)):
                begin, end = self._instant(second, scope), self._instant(first, scope)
                span = self._span(right)
                if function == "_-_" and begin is not None and end is not None and span is not None:
                    return exp.Sub(this=end, expression=begin), _whole(span)
                moved, other = self._span(second), self._instant(right, scope)
                if end is not None and moved is not None and other is not None:
                    by = exp.Add if function == "_+_" else exp.Sub
                    return by(this=end, expression=_whole(moved)), other
        return None

    def _instant(self, node: Node, scope: Scope) -> exp.Expr | None:
        if isinstance(node, Path):
            return self.column(node, scope, "instant") if self._form(node, scope) == "instant" else None
        return self._constant(node, Shape("instant"))

    def _span(self, node: Node) -> int | None:
        """The microseconds of a span that is written or is a parameter."""
        seconds: int | None = None
        match node:
            case Path(names=("param", name)):
                seconds = exact_seconds(self._parameters.get(name))
            case Call(function="duration", args=(Const(value=str() as text),)):
                match = _SPAN.fullmatch(text)
                seconds = int(match[1]) * _SPAN_SECONDS[match[2]] if match else None
        return None if seconds is None else timedelta(seconds=seconds) // timedelta(microseconds=1)

    # --- values

    def _shape(self, path: Path, scope: Scope) -> Shape:
        shape = shape_at(path, scope, self.types) or Shape("any")
        return Shape("text") if shape.type == "reference" and len(shape.kinds) != 1 else shape

    def _form(self, path: Path, scope: Scope) -> Form | None:
        return _FORMS.get(self._shape(path, scope).type)

    def _value(self, path: Path, scope: Scope) -> exp.Expr | None:
        form = self._form(path, scope)
        return None if form is None else self.column(path, scope, form)

    def _constant(self, node: Node, shape: Shape) -> exp.Expr | None:
        """A literal or a parameter as SQL of the form in which a column holds values of ``shape``."""
        match node:
            case Const(value=value) if shape.type in ("text", "int", "number", "bool"):
                return _literal(shape, value)
            case Call(function="timestamp", args=(Const(value=str() as text),)) if shape.type == "instant":
                try:
                    return _whole(encode(shape, parse_instant(text)))
                except ValueError:
                    return None
            case Path(names=("param", name)) if shape.type in ("text", "int", "number", "bool"):
                value = self._parameters.get(name)
                return None if value is None else _literal(shape, value)
        return None


# --- SQL -------------------------------------------------------------------------------------------------------------


def all_of(*parts: exp.Expr) -> exp.Expr:
    """SQL that is true when every part is."""
    from sqlglot import exp

    return exp.and_(_truth(True), *parts)


def any_of(*parts: exp.Expr) -> exp.Expr:
    """SQL that is true when one part is."""
    from sqlglot import exp

    return exp.or_(_truth(False), *parts)


def negated(part: exp.Expr) -> exp.Expr:
    """SQL that is true when ``part`` is false."""
    from sqlglot import exp

    return exp.Not(this=exp.paren(part, copy=False))


def _truth(value: bool) -> exp.Expr:
    from sqlglot import exp

    return exp.Boolean(this=value)


def _compared(sign: str, left: exp.Expr, right: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    operator: type[exp.Binary] = getattr(exp, _OPERATORS[sign])
    return operator(this=left, expression=right)


def _literal(shape: Shape, value: Any) -> exp.Expr:
    from sqlglot import exp

    match shape.type:
        case "int":
            return _whole(int(value))
        case "number":
            return _number(plain(shape, value))
        case "bool":
            return _truth(bool(value))
    return exp.Literal.string(str(value))


def _whole(value: int) -> exp.Expr:
    from sqlglot import exp

    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def _number(value: float) -> exp.Expr:
    """A double by its shortest text: a bare literal would be a decimal."""
    from sqlglot import exp

    return exp.cast(exp.Literal.string(repr(value)), "DOUBLE")
