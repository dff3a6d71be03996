"""What selects the few facts that a condition can hold of, before anybody looks at them: a small tree of tests.

The tests are true of never fewer facts than those of which CEL says true: what they cannot say exactly (a macro, a
function, a value that is missing or in another form) counts as possible. So they narrow a question and decide nothing.
``pushing`` writes them as SQL over the columns of a feed, ``sieve`` as a function over facts in memory. Both know three
outcomes: a test of a value that is not there is neither true nor false.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from remit.conditions.checks import Scope, shape_at
from remit.conditions.lowering import FLIPPED, SIGNS, encode
from remit.conditions.messages import MessageTypes, exact_seconds, plain
from remit.conditions.money import is_money, literal
from remit.conditions.tree import Call, Const, Has, ListOf, Node, Path, item_number
from remit.schemas import Shape
from remit.times import parse_instant

Form = Literal["text", "int", "number", "bool", "instant", "present", "size"]
"""How a column holds the value at its path: an instant in microseconds since 1970, a size or presence instead of it."""

SUBJECT = "subject"
_PLAIN_NAME = re.compile(r'[^"\\$*?\[\]\x00-\x1f]+')
_SPAN = re.compile(r"(\d{1,9})(h|m|s)")
_SPAN_SECONDS = {"h": 3600, "m": 60, "s": 1}
_FORMS: Mapping[str, Form] = {"text": "text", "int": "int", "number": "number", "bool": "bool", "instant": "instant"}


# --- values ----------------------------------------------------------------------------------------------------------


class Column(NamedTuple):
    """One column: the value of the subject at ``inside``, or of the record of ``kind`` that it names, at ``beyond``.

    Forms ``present`` and ``size`` always have a value.
    """

    inside: tuple[str, ...]
    form: Form
    kind: str = ""
    beyond: tuple[str, ...] = ()


@dataclass(frozen=True)
class Literally:
    """A value as it is written."""

    value: str | int | float | bool


@dataclass(frozen=True)
class Moved:
    """A value plus (``by`` 1) or less (-1) another."""

    value: Value
    by: Literal[1, -1]
    other: Value


@dataclass(frozen=True)
class Least:
    """The least of those values that are there."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class FirstOf:
    """The value beside the first test that holds; none where no test does."""

    choices: tuple[tuple[Test, Value], ...]


Value = Column | Literally | Moved | Least | FirstOf


# --- tests -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """Always this."""

    value: bool


@dataclass(frozen=True)
class All:
    """True when every part is."""

    parts: tuple[Test, ...]


@dataclass(frozen=True)
class Some:
    """True when one part is."""

    parts: tuple[Test, ...]


@dataclass(frozen=True)
class Not:
    """True when the part is false."""

    part: Test


@dataclass(frozen=True)
class Held:
    """A column that is itself true or false."""

    column: Column


@dataclass(frozen=True)
class There:
    """True when the value is there."""

    value: Value


@dataclass(frozen=True)
class Compared:
    """Two values in order, by a sign of ``lowering.SIGNS``."""

    sign: str
    left: Value
    right: Value


@dataclass(frozen=True)
class Among:
    """A value that is one of some."""

    value: Value
    items: tuple[Literally, ...]


@dataclass(frozen=True)
class Wording:
    """A text that starts with, ends with or contains another: CEL's name of the test."""

    test: str
    value: Value
    text: str


@dataclass(frozen=True)
class Otherwise:
    """The part, and ``value`` where it is neither true nor false."""

    part: Test
    value: bool


Test = Truth | All | Some | Not | Held | There | Compared | Among | Wording | Otherwise

WORDINGS = ("startsWith", "endsWith", "contains")


def all_of(*parts: Test) -> Test:
    """True when every part is; true for none."""
    return parts[0] if len(parts) == 1 else All(parts)


def any_of(*parts: Test) -> Test:
    """True when one part is; false for none."""
    return parts[0] if len(parts) == 1 else Some(parts)


# --- conditions ------------------------------------------------------------------------------------------------------


class Selection:
    """Turns conditions about one kind of subject into tests.

    ``apart`` are the kinds whose things are too many to be looked up when a condition follows a reference to one.
    """

    def __init__(self, types: MessageTypes, parameters: Mapping[str, Any], apart: frozenset[str] = frozenset()) -> None:
        self.types = types
        self._apart = apart
        self._parameters = parameters

    def test(self, node: Node, scope: Scope, *, wanted: bool = True) -> Test:
        """A test that is true for every subject of which CEL says ``wanted``; it is never neither true nor false."""
        match node:
            case Const(value=bool() as value):
                return Truth(value is wanted)
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
                return Truth(True) if there is None else there if wanted else Not(there)
        return self._leaf(node, scope, wanted)

    def parameter(self, path: Path) -> Any:
        """What a path such as ``param.name`` stands for; None for any other."""
        return self._parameters.get(path.names[1]) if path.names[0] == "param" and len(path.names) == 2 else None

    def presence(self, path: Path, scope: Scope) -> Test | None:
        """A test that is true where a path leads to a value, and false elsewhere; a list without items is none."""
        shape = self._shape(path, scope)
        if shape.type == "list":
            size = self.column(path, scope, "size")
            return None if size is None else Compared("$gt", size, Literally(0))
        there = None if shape.type == "any" else self.column(path, scope, "present")
        return None if there is None else Held(there)

    def column(self, path: Path, scope: Scope, form: Form) -> Column | None:
        """The column that holds a path in this form; None where none can."""
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

    def _leaf(self, node: Node, scope: Scope, wanted: bool) -> Test:
        said: Test | None = None
        match node:
            case Path() if self._form(node, scope) == "bool":
                column = self.column(node, scope, "bool")
                said = None if column is None else Held(column)
            case Call(function="@in", args=(Path() as path, ListOf(items=items))) if items:
                shape = self._shape(path, scope)
                values = [one for item in items if (one := self._constant(item, shape)) is not None]
                held = self._value(path, scope)
                if held is not None and len(values) == len(items):
                    said = Among(held, tuple(values))
            case Call(function=function, args=(Path() as path, Const(value=str() as text))) if function in WORDINGS:
                held = self.column(path, scope, "text") if self._form(path, scope) == "text" else None
                if held is not None:
                    said = Wording(function, held, text)
            case Call(function=function, args=(left, right)) if function in SIGNS:
                said = self._comparison(SIGNS[function], left, right, scope)
        if said is None:
            return Truth(True)
        return Otherwise(said if wanted else Not(said), True)

    def _comparison(self, sign: str, left: Node, right: Node, scope: Scope) -> Test | None:
        for first, second, turned in ((left, right, sign), (right, left, FLIPPED[sign])):
            pair = self._sides(first, second, turned, scope)
            if pair is not None:
                return Compared(turned, *pair)
        return None

    def _sides(self, left: Node, right: Node, sign: str, scope: Scope) -> tuple[Value, Value] | None:
        """Both sides of a comparison, where the left one is in a column."""
        if isinstance(left, Call):
            return self._sizes(left, right, scope) or self._spans(left, right, scope)
        if not isinstance(left, Path):
            return None
        shape = self._shape(left, scope)
        written = literal(right) if is_money(shape) else None
        if written is not None:
            amount = self.column(Path(0, 0, (*left.names, "amount")), scope, "number")
            return None if amount is None else (amount, Literally(float(written.amount)))
        if shape.type == "text" and sign not in ("==", "$neq"):
            return None
        held = self._value(left, scope)
        other: Value | None = self._constant(right, shape)
        if other is None and isinstance(right, Path) and self._shape(right, scope).type == shape.type:
            other = self._value(right, scope)
        return None if held is None or other is None else (held, other)

    def _sizes(self, call: Call, right: Node, scope: Scope) -> tuple[Value, Value] | None:
        match call, right:
            case Call(function="size", args=(Path() as path,)), Const(value=int() as number):
                held = self.column(path, scope, "size") if self._shape(path, scope).type == "list" else None
                return None if held is None else (held, Literally(number))
        return None

    def _spans(self, left: Node, right: Node, scope: Scope) -> tuple[Value, Value] | None:
        """``a - b`` against a span of time, or an instant moved by a span against an instant; in microseconds."""
        match left:
            case Call(function="_-_" | "_+_" as function, args=(first, second)):
                begin, end = self._instant(second, scope), self._instant(first, scope)
                span = self._span(right)
                if function == "_-_" and begin is not None and end is not None and span is not None:
                    return Moved(end, -1, begin), Literally(span)
                moved, other = self._span(second), self._instant(right, scope)
                if end is not None and moved is not None and other is not None:
                    return Moved(end, 1 if function == "_+_" else -1, Literally(moved)), other
        return None

    def _instant(self, node: Node, scope: Scope) -> Value | None:
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

    def _value(self, path: Path, scope: Scope) -> Column | None:
        form = self._form(path, scope)
        return None if form is None else self.column(path, scope, form)

    def _constant(self, node: Node, shape: Shape) -> Literally | None:
        """A literal or a parameter in the form in which a column holds values of ``shape``."""
        match node:
            case Const(value=value) if shape.type in ("text", "int", "number", "bool"):
                return _literal(shape, value)
            case Call(function="timestamp", args=(Const(value=str() as text),)) if shape.type == "instant":
                try:
                    return Literally(encode(shape, parse_instant(text)))
                except ValueError:
                    return None
            case Path(names=("param", name)) if shape.type in ("text", "int", "number", "bool"):
                value = self._parameters.get(name)
                return None if value is None else _literal(shape, value)
        return None


def _literal(shape: Shape, value: Any) -> Literally:
    match shape.type:
        case "int":
            return Literally(int(value))
        case "number":
            return Literally(float(plain(shape, value)))
        case "bool":
            return Literally(bool(value))
    return Literally(str(value))
