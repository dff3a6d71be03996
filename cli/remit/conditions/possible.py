"""Whether a condition can ever hold, or ever fail: what its own literals and the schemas forbid.

A condition becomes its alternatives; each is a conjunction of leaves, and is struck out where two of its leaves, or a
leaf and the schema, contradict each other: presence, values of an enum, true and false, ranges of numbers, instants and
spans, order of two expressions. What is left over may be possible: the answer never calls something impossible that is
not. Conditions over a few enums and booleans only are tried out whole.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from remit.conditions.checks import Scope, fields_along, shape_at
from remit.conditions.lowering import FLIPPED, NEGATED, SIGNS
from remit.conditions.messages import MessageTypes
from remit.conditions.money import literal
from remit.conditions.text import text_of
from remit.conditions.tree import Call, Const, Has, ListOf, Macro, Node, Path, children, item_number, path_text, walk
from remit.schemas import Shape
from remit.times import parse_instant

MOST_ALTERNATIVES = 512
MOST_TRIALS = 4096

Wanted = tuple[Node, bool]
"""A part of a condition, and how it must come out."""

_RELATIONS = {"$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">=", "==": "=", "$neq": "<>"}


def possible(wanted: Sequence[Wanted], scope: Scope, types: MessageTypes) -> bool:
    """False only if no record or fact makes every part come out as wanted."""
    trial = _Trial(scope, types)
    tried = trial.possible(wanted)
    if tried is not None:
        return tried
    alternatives = _all(wanted)
    if alternatives is None:
        return True
    return any(_Facts(scope, types).take(conjunction) for conjunction in alternatives)


# --- alternatives ----------------------------------------------------------------------------------------------------


def _alternatives(node: Node, outcome: bool) -> list[tuple[Wanted, ...]] | None:
    """The conjunctions of leaves of which any makes ``node`` come out so; None for too many."""
    match node:
        case Call(function="!_", args=(inner,)):
            return _alternatives(inner, not outcome)
        case Call(function="_&&_" | "_||_" as function, args=(left, right)):
            if (function == "_&&_") == outcome:
                return _all([(left, outcome), (right, outcome)])
            return _any([[(left, outcome)], [(right, outcome)]])
        case Call(function="_?_:_", args=(test, then, otherwise)):
            return _any([[(test, True), (then, outcome)], [(test, False), (otherwise, outcome)]])
    return [((node, outcome),)]


def _all(parts: Sequence[Wanted]) -> list[tuple[Wanted, ...]] | None:
    options = [_alternatives(node, outcome) for node, outcome in parts]
    found = [one for one in options if one is not None]
    if len(found) < len(options) or math.prod(map(len, found)) > MOST_ALTERNATIVES:
        return None
    return [tuple(itertools.chain(*choice)) for choice in itertools.product(*found)]


def _any(branches: Sequence[Sequence[Wanted]]) -> list[tuple[Wanted, ...]] | None:
    found: list[tuple[Wanted, ...]] = []
    for branch in branches:
        options = _all(branch)
        if options is None or len(found) + len(options) > MOST_ALTERNATIVES:
            return None
        found += options
    return found


# --- one conjunction -------------------------------------------------------------------------------------------------


@dataclass
class _Range:
    """What is left of the values of an ordered expression; ``None`` is no bound."""

    low: Any = None
    high: Any = None
    low_open: bool = False
    high_open: bool = False
    not_these: set[Any] = field(default_factory=set)

    def narrow(self, sign: str, value: Any) -> None:
        if sign in ("$gt", "$gte", "==") and (self.low is None or (value, sign == "$gt") > (self.low, self.low_open)):
            self.low, self.low_open = value, sign == "$gt"
        if sign in ("$lt", "$lte", "==") and (
            self.high is None or (value, sign != "$lt") < (self.high, not self.high_open)
        ):
            self.high, self.high_open = value, sign == "$lt"
        if sign == "$neq":
            self.not_these.add(value)

    def is_empty(self, *, whole: bool) -> bool:
        if self.low is None or self.high is None:
            return False
        low, high = self.low, self.high
        if whole:
            low = math.floor(low) + 1 if self.low_open else math.ceil(low)
            high = math.ceil(high) - 1 if self.high_open else math.floor(high)
            few = high - low < 1000
            return low > high or (few and set(range(low, high + 1)) <= self.not_these)
        if low == high:
            return self.low_open or self.high_open or low in self.not_these
        return bool(low > high)


class _Facts:
    """What a conjunction says about one record or fact, gathered leaf by leaf."""

    def __init__(self, scope: Scope, types: MessageTypes) -> None:
        self._scope = scope
        self._types = types
        self._present: dict[str, set[bool]] = {}
        self._texts: dict[str, set[str]] = {}
        self._not_texts: dict[str, set[str]] = {}
        self._ranges: dict[str, _Range] = {}
        self._whole: set[str] = set()
        self._order: dict[tuple[str, str], set[str]] = {}
        self._said: dict[str, bool] = {}

    def take(self, conjunction: Sequence[Wanted]) -> bool:
        """False where the leaves contradict each other or the schemas."""
        return all(self._leaf(node, outcome) for node, outcome in conjunction) and self._is_consistent()

    def _leaf(self, node: Node, outcome: bool) -> bool:
        match node:
            case Const(value=bool() as value):
                return value == outcome
            case Has(path=path):
                return self._has(path, outcome)
            case Path():
                self._read(node)
                return self._say(text_of(node), outcome)
            case Call(function="@in", args=(left, ListOf(items=items))) if all(_is_text(item) for item in items):
                self._read(left)
                return self._among(left, {item.value for item in items if isinstance(item, Const)}, outcome)
            case Call(function=function, args=(left, right)) if function in SIGNS:
                self._read(left)
                self._read(right)
                sign = SIGNS[function] if outcome else NEGATED[SIGNS[function]]
                if isinstance(left, Const) or _constant(left) is not None or literal(left) is not None:
                    left, right, sign = right, left, FLIPPED[sign]
                return self._compare(left, sign, right)
        self._read(node)
        return self._say(text_of(node), outcome)

    def _say(self, text: str, outcome: bool) -> bool:
        return self._said.setdefault(text, outcome) == outcome

    def _read(self, node: Node) -> None:
        """What is read to give a value is there; the bodies of macros may not be read at all."""
        match node:
            case Path():
                shape = shape_at(node, self._scope, self._types)
                self._note(node.names[:-1] if shape and shape.type == "list" else node.names)
            case Has() | Call(function="_&&_" | "_||_" | "_?_:_"):
                return
            case Macro(over=over):
                self._read(over)
            case _:
                for child in children(node):
                    self._read(child)

    def _note(self, names: tuple[str, ...]) -> None:
        for end in range(2, len(names) + 1):
            self._present.setdefault(path_text(names[:end]), set()).add(True)
            if (item := item_number(names[end - 1])) is not None:
                self._bound(f"size({path_text(names[: end - 1])})", "$gt", item, whole=True)

    def _has(self, path: Path, outcome: bool) -> bool:
        fields = fields_along(path, self._scope, self._types)
        if fields is None:
            return True
        if fields and fields[-1].shape.type == "list":
            if outcome:
                self._note(path.names[:-1])
            return self._bound(f"size({path})", "$gt" if outcome else "==", 0, whole=True)
        if outcome:
            self._note(path.names)
        elif all(one.required for one in fields):
            return False
        self._present.setdefault(str(path), set()).add(outcome)
        return True

    def _compare(self, left: Node, sign: str, right: Node) -> bool:
        written = literal(right)
        if written is not None:
            self._among(Path(left.id, left.offset, (text_of(left), "currency")), {written.currency}, True)
            return self._bound(text_of(left), sign, written.amount, whole=False)
        value = _constant(right)
        shape = shape_at(left, self._scope, self._types) if isinstance(left, Path) else None
        if isinstance(value, bool) and sign in ("==", "$neq"):
            return self._say(text_of(left), value == (sign == "=="))
        if isinstance(value, str) and sign in ("==", "$neq"):
            return self._among(left, {value}, sign == "==")
        if value is not None and not isinstance(value, str | bool):
            whole = (shape is not None and shape.type == "int") or _is_size(left)
            return self._bound(text_of(left), sign, value, whole=whole) and self._limits(left, shape)
        first, second = text_of(left), text_of(right)
        if first > second:
            first, second, sign = second, first, FLIPPED[sign]
        left_over = self._order.setdefault((first, second), {"<", "=", ">"})
        left_over &= set(_RELATIONS[sign])
        return bool(left_over) and (first != second or "=" in left_over)

    def _among(self, left: Node, values: set[str], outcome: bool) -> bool:
        key = text_of(left)
        shape = shape_at(left, self._scope, self._types) if isinstance(left, Path) else None
        if shape is not None and shape.enum:
            self._texts.setdefault(key, set(shape.enum))
        if outcome:
            self._texts[key] = self._texts.get(key, values) & values
        else:
            self._not_texts.setdefault(key, set()).update(values)
        return True

    def _bound(self, key: str, sign: str, value: Any, *, whole: bool) -> bool:
        if whole:
            self._whole.add(key)
        known = self._ranges.setdefault(key, _Range())
        if known.low is None and known.high is None and key.startswith("size("):
            known.narrow("$gte", 0)
        known.narrow(sign, value)
        return True

    def _limits(self, left: Node, shape: Shape | None) -> bool:
        """The bounds that the schema of a number sets."""
        fields = fields_along(left, self._scope, self._types) if isinstance(left, Path) else None
        if shape is None or shape.type not in ("int", "number") or not fields:
            return True
        for word, sign in (
            ("minimum", "$gte"),
            ("maximum", "$lte"),
            ("exclusiveMinimum", "$gt"),
            ("exclusiveMaximum", "$lt"),
        ):
            limit = fields[-1].schema.get(word)
            if isinstance(limit, int | float):
                self._bound(text_of(left), sign, limit, whole=shape.type == "int")
        return True

    def _is_consistent(self) -> bool:
        if any(len(outcomes) > 1 for outcomes in self._present.values()):
            return False
        for key, allowed in self._texts.items():
            if not allowed - self._not_texts.get(key, set()):
                return False
        return not any(one.is_empty(whole=key in self._whole) for key, one in self._ranges.items())


def _is_text(node: Node) -> bool:
    return isinstance(node, Const) and isinstance(node.value, str)


def _is_size(node: Node) -> bool:
    return isinstance(node, Call) and node.function == "size"


def _constant(node: Node) -> Any:
    """The value of a literal: text, bool, number, or the seconds of an instant or span; None for anything else."""
    match node:
        case Const(value=value):
            return value
        case Call(function="timestamp", args=(Const(value=str() as text),)):
            try:
                return parse_instant(text).timestamp()
            except ValueError:
                return None
        case Call(function="duration", args=(Const(value=str() as text),)):
            return _seconds(text)
    return None


_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "ns": 1e-9}


def _seconds(text: str) -> float | None:
    """The seconds of a span as CEL writes it: 1h30m, 1.5s."""
    total, number, rest = timedelta(0), "", text.removeprefix("-")
    position = 0
    while position < len(rest):
        end = position
        while end < len(rest) and (rest[end].isdigit() or rest[end] == "."):
            end += 1
        unit_end = end
        while unit_end < len(rest) and rest[unit_end].isalpha():
            unit_end += 1
        number, unit = rest[position:end], rest[end:unit_end]
        if unit not in _UNITS or not number or number.count(".") > 1:
            return None
        total += timedelta(seconds=float(number) * _UNITS[unit])
        position = unit_end
    return -total.total_seconds() if text.startswith("-") else total.total_seconds()


# --- trying out ------------------------------------------------------------------------------------------------------

_MISSING = object()
_ERROR = object()


class _Trial:
    """Tries every combination of a few enums and booleans, as CEL would judge it."""

    def __init__(self, scope: Scope, types: MessageTypes) -> None:
        self._scope = scope
        self._types = types

    def possible(self, wanted: Sequence[Wanted]) -> bool | None:
        """Whether some combination makes every part come out as wanted; None where there is more than enums in it."""
        domains: dict[str, list[Any]] = {}
        for node, _ in wanted:
            for part in walk(node):
                if not self._knows(part, domains):
                    return None
        if math.prod(map(len, domains.values())) > MOST_TRIALS:
            return None
        names = list(domains)
        return any(
            all(self._value(node, dict(zip(names, values, strict=True))) is outcome for node, outcome in wanted)
            for values in itertools.product(*domains.values())
        )

    def _knows(self, node: Node, domains: dict[str, list[Any]]) -> bool:
        match node:
            case Const(value=bool() | str()) | ListOf() | Has():
                return True
            case Path():
                fields = fields_along(node, self._scope, self._types)
                if not fields or (fields[-1].shape.type != "bool" and not fields[-1].shape.enum):
                    return False
                values: list[Any] = [True, False] if fields[-1].shape.type == "bool" else list(fields[-1].shape.enum)
                domains[str(node)] = values if all(one.required for one in fields) else [*values, _MISSING]
                return True
            case Call(function="!_" | "_&&_" | "_||_" | "_?_:_" | "_==_" | "_!=_"):
                return True
            case Call(function="@in", args=(_, ListOf())):
                return True
        return False

    def _value(self, node: Node, at: dict[str, Any]) -> Any:
        match node:
            case Const(value=value):
                return value
            case Path():
                return _ERROR if at[str(node)] is _MISSING else at[str(node)]
            case Has(path=path):
                return at[str(path)] is not _MISSING
            case Call(function="!_", args=(inner,)):
                value = self._value(inner, at)
                return _ERROR if value is _ERROR else not value
            case Call(function="_&&_" | "_||_" as function, args=(left, right)):
                decides = function == "_||_"
                values = (self._value(left, at), self._value(right, at))
                return decides if decides in values else _ERROR if _ERROR in values else not decides
            case Call(function="_?_:_", args=(test, then, otherwise)):
                chosen = self._value(test, at)
                return _ERROR if chosen is _ERROR else self._value(then if chosen else otherwise, at)
            case Call(function="@in", args=(left, ListOf(items=items))):
                value = self._value(left, at)
                return _ERROR if value is _ERROR else value in [self._value(item, at) for item in items]
            case Call(function=function, args=(left, right)):
                first, second = self._value(left, at), self._value(right, at)
                if _ERROR in (first, second):
                    return _ERROR
                return (first == second) == (function == "_==_")
        return _ERROR
