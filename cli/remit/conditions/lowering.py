"""Conditions as durable-rules tests over flat properties.

A test is made of leaves that durable-rules is known to decide rightly: presence, equality, order of whole numbers, and
fields that are true or false. Values that it cannot hold exactly are encoded so that it can: a number with fractions
as the whole number of the same order, an instant as microseconds. What is left (macros, text tests, arithmetic)
becomes a property that CEL computes beforehand. ``!`` is pushed down to the leaves, so that a missing field never
matches, exactly as an error value of CEL is never true.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, Literal

from remit.conditions.checks import shape_at
from remit.conditions.condition import Bindings, Compiler, Condition, EvaluationError
from remit.conditions.messages import exact_seconds, plain
from remit.conditions.money import currency_of, is_money, literal
from remit.conditions.tree import Call, Const, Has, ListOf, Node, Path, item_number
from remit.references import Entity, instant
from remit.schemas import Shape
from remit.times import parse_instant

Test = dict[str, Any]
Source = Literal["value", "present", "currency", "computed"]

NEGATED = {"$lt": "$gte", "$lte": "$gt", "$gt": "$lte", "$gte": "$lt", "==": "$neq", "$neq": "=="}
FLIPPED = {"$lt": "$gt", "$lte": "$gte", "$gt": "$lt", "$gte": "$lte", "==": "==", "$neq": "$neq"}
SIGNS = {"_<_": "$lt", "_<=_": "$lte", "_>_": "$gt", "_>=_": "$gte", "_==_": "==", "_!=_": "$neq"}
_ORDERED = ("int", "number", "instant", "duration")
LONGEST_TEXT = 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Property:
    """One flat property of the fact that durable-rules sees, and where its value comes from."""

    name: str
    source: Source
    path: Path | None = None
    shape: Shape = field(default_factory=lambda: Shape("any"))
    part: Condition | None = None

    def read(self, bindings: Bindings) -> Any:
        """The encoded value; None where there is none, and the property is left out."""
        if self.part is not None:
            try:
                value = self.part.value(bindings)
            except EvaluationError:
                return None
            return value if isinstance(value, bool) else None
        raw = self._raw(bindings)
        if self.source == "present":
            return True if raw is not None and raw != [] else None
        if self.source == "currency":
            return currency_of(self.shape, raw) if isinstance(raw, Mapping) else None
        return None if raw is None else encode(self.shape, raw)

    @cached_property
    def _raw(self) -> Callable[[Bindings], Any]:
        """What ``follow`` gives; a plain field of what a variable stands for is read without looking at shapes."""
        assert self.path is not None
        names = self.path.names
        if len(names) != 2 or names[1] == "id" or item_number(names[1]) is not None:
            return partial(follow, names)
        variable, name = names

        def read(bindings: Bindings) -> Any:
            value = bindings.values.get(variable)
            return value.spec.get(name) if type(value) is Entity else follow(names, bindings)

        return read


MOST_ALTERNATIVES = 16
"""A condition becomes at most so many rules; a part with more alternatives is computed by CEL as a whole."""

Conjunction = tuple[Test, ...]


class Lowering:
    """Lowers the conditions of one session; conditions that read the same field share its property.

    A condition becomes its alternatives, each a conjunction of leaves and a rule of its own: durable-rules refuses some
    deeper nestings of ``$and`` and ``$or`` (error 113), and fires once for every branch of an ``$or``.
    """

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self.properties: dict[str, Property] = {}

    def tests(self, condition: Condition) -> list[Test]:
        """The condition as durable-rules tests, of which any one must hold."""
        return [
            leaves[0] if len(leaves) == 1 else {"$and": list(leaves)}
            for leaves in self._alternatives(condition.root, True, condition)
        ]

    def _alternatives(self, node: Node, wanted: bool, within: Condition) -> list[Conjunction]:
        match node:
            case Call(function="!_", args=(inner,)):
                return self._alternatives(inner, not wanted, within)
            case Call(function="_&&_" | "_||_" as function, args=(left, right)):
                both = (function == "_&&_") == wanted
                return (
                    self._all(within, (left, wanted), (right, wanted))
                    if both
                    else self._any(node, wanted, within, [(left, wanted)], [(right, wanted)])
                )
            case Call(function="_?_:_", args=(test, then, otherwise)):
                return self._any(
                    node, wanted, within, [(test, True), (then, wanted)], [(test, False), (otherwise, wanted)]
                )
        return [(self._leaf(node, wanted, within),)]

    def _all(self, within: Condition, *parts: tuple[Node, bool]) -> list[Conjunction]:
        """The alternatives of parts that must all come out as wanted; too many are left to CEL, largest part first."""
        options = [self._alternatives(node, wanted, within) for node, wanted in parts]
        while math.prod(map(len, options)) > MOST_ALTERNATIVES:
            largest = max(range(len(parts)), key=lambda i: len(options[i]))
            node, wanted = parts[largest]
            options[largest] = [({self._computed(node, within): wanted},)]
        return [_flat(choice) for choice in itertools.product(*options)]

    def _any(
        self, whole: Node, wanted: bool, within: Condition, *branches: list[tuple[Node, bool]]
    ) -> list[Conjunction]:
        found = [conjunction for branch in branches for conjunction in self._all(within, *branch)]
        return found if len(found) <= MOST_ALTERNATIVES else [({self._computed(whole, within): wanted},)]

    def _leaf(self, node: Node, wanted: bool, within: Condition) -> Test:
        match node:
            case Has(path=path):
                return {"$ex" if wanted else "$nex": {self._present(path, within): 1}}
            case Path():
                return {self._value(node, within): wanted}
            case Call(function="@in", args=(Path() as path, ListOf(items=items))) if items:
                constants = [self._constant(item, path, within) for item in items]
                if all(c is not None for c in constants):
                    return self._membership(path, constants, wanted, within)
            case Call(function=function, args=(left, right)) if function in SIGNS:
                lowered = self._comparison(SIGNS[function], left, right, wanted, within)
                if lowered is not None:
                    return lowered
        return {self._computed(node, within): wanted}

    def _comparison(self, sign: str, left: Node, right: Node, wanted: bool, within: Condition) -> Test | None:
        if not isinstance(left, Path):
            left, right, sign = right, left, FLIPPED[sign]
        if not isinstance(left, Path):
            return None
        if is_money(self._shape(left, within)):
            return self._money(sign if wanted else NEGATED[sign], left, right, within)
        if not self._decidable(sign, left, within):
            return None
        sign = sign if wanted else NEGATED[sign]
        if isinstance(right, Path):
            if not self._decidable(sign, right, within):
                return None
            first, second = self._value(left, within), self._value(right, within)
            return {"$and": [{"$ex": {first: 1}}, {"$ex": {second: 1}}, _compare(sign, first, {"$m": second})]}
        constant = self._constant(right, left, within)
        return None if constant is None else _compare(sign, self._value(left, within), constant)

    def _money(self, sign: str, left: Path, right: Node, within: Condition) -> Test | None:
        """Amounts compared where the currencies are one; where they are not, neither a test nor its opposite holds."""
        amount, currency = self._amount_and_currency(left, within)
        written = literal(right)
        if written is not None:
            bound = _ordered(float(written.amount))
            return {"$and": [{currency: written.currency}, _compare(sign, amount, bound)]}
        if not isinstance(right, Path) or not is_money(self._shape(right, within)):
            return None
        second, other = self._amount_and_currency(right, within)
        there = [{"$ex": {name: 1}} for name in (amount, second, currency, other)]
        return {"$and": [*there, {currency: {"$m": other}}, _compare(sign, amount, {"$m": second})]}

    def _amount_and_currency(self, path: Path, within: Condition) -> tuple[str, str]:
        shape = self._shape(path, within)
        amount = Path(path.id, path.offset, (*path.names, "amount"))
        currency = self._property(f"currency {path}", "currency", path=path, shape=shape)
        return self._value(amount, within), currency.name

    def _membership(self, path: Path, constants: list[Any], wanted: bool, within: Condition) -> Test:
        name = self._value(path, within)
        leaves = [_compare("==" if wanted else "$neq", name, constant) for constant in dict.fromkeys(constants)]
        return leaves[0] if len(leaves) == 1 else {"$or" if wanted else "$and": leaves}

    def _decidable(self, sign: str, path: Path, within: Condition) -> bool:
        shape = self._shape(path, within)
        return shape.type in _ORDERED or (sign in ("==", "$neq") and shape.type in ("text", "bool"))

    def _constant(self, node: Node, path: Path, within: Condition) -> Any:
        shape = self._shape(path, within)
        match node:
            case Const(value=value):
                # A value of the other type than the path's cannot get here: CEL's checker refuses the comparison.
                return encode(shape, value) if shape.type in ("text", "int", "number", "bool") else None
            case Call(function="timestamp", args=(Const(value=str() as text),)) if shape.type == "instant":
                try:
                    return encode(shape, parse_instant(text))
                except ValueError:
                    return None
        return None

    def _shape(self, path: Path, within: Condition) -> Shape:
        shape = shape_at(path, within.scope, self._compiler.types) or Shape("any")
        return Shape("text") if shape.type == "reference" and len(shape.kinds) != 1 else shape

    def _value(self, path: Path, within: Condition) -> str:
        return self._property(f"value {path}", "value", path=path, shape=self._shape(path, within)).name

    def _present(self, path: Path, within: Condition) -> str:
        shape = self._shape(path, within)
        scalar = shape.type in ("text", "int", "number", "bool", "instant")
        return self._value(path, within) if scalar else self._property(f"present {path}", "present", path=path).name

    def _computed(self, node: Node, within: Condition) -> str:
        part = self._compiler.part(node, within.scope)
        return self._property(f"computed {part.text}", "computed", part=part).name

    def _property(self, key: str, source: Source, **more: Any) -> Property:
        if key not in self.properties:
            self.properties[key] = Property(f"p{len(self.properties)}", source, **more)
        return self.properties[key]


def _flat(parts: Iterable[Conjunction]) -> Conjunction:
    """The leaves of several conjunctions as one, each once."""
    leaves: list[Test] = []
    for part in parts:
        leaves += [leaf for leaf in part if leaf not in leaves]
    return tuple(leaves)


def _compare(sign: str, name: str, value: Any) -> Test:
    return {name: value} if sign == "==" else {sign: {name: value}}


def encode(shape: Shape, value: Any) -> Any:
    """A schema-valid value as one that durable-rules compares exactly; None when it has no exact form."""
    match shape.type:
        case "text" if type(value) is str and len(value) * 4 <= LONGEST_TEXT:
            return value
        case "instant":
            moment = value if isinstance(value, datetime) else instant(value)
            return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
        case "duration":
            return exact_seconds(value)
        case "number":
            return _ordered(float(plain(shape, value)))
        case "int":
            return int(value)
        case "bool":
            return bool(value)
        case "text":
            text = str(value)
            # Texts of 65,536 bytes and more compare modulo their length; a digest keeps equality, and is no literal.
            return text if len(text) * 4 <= LONGEST_TEXT else "\u0001" + hashlib.sha256(text.encode()).hexdigest()
    return None


def _ordered(number: float) -> int | None:
    """The whole number that stands in the order of whole numbers where ``number`` stands among the fractions."""
    if math.isnan(number):
        return None
    bits: int = struct.unpack(">q", struct.pack(">d", number + 0.0))[0]
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def follow(names: tuple[str, ...], bindings: Bindings) -> Any:
    """The written value a path leads to, references followed; None where it ends early. A reference is its name."""
    value: Any = bindings.values.get(names[0])
    world = bindings.world
    shape = bindings.scope.get(names[0])
    for name in names[1:]:
        if not isinstance(value, Entity) and shape is not None and shape.type == "reference":
            if name == "id":
                return value
            value = world.find(shape.kinds, value)
        if isinstance(value, Entity):
            if name == "id":
                return value.name
            value, shape = value.spec, world.schemas.kinds[value.kind].shape
        number = item_number(name)
        if number is not None:
            if not isinstance(value, list) or number >= len(value):
                return None
            value, shape = value[number], shape.item if shape else None
            continue
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
        shape = shape.fields[name].shape if shape and name in shape.fields else None
    if isinstance(value, Entity):
        return value.spec if len(names) == 1 else value.name
    return value


def entity_at(names: tuple[str, ...], bindings: Bindings) -> Entity | None:
    """The record or fact that a path of references leads to; a bare variable leads to what it stands for."""
    if len(names) == 1:
        value = bindings.values.get(names[0])
        return value if isinstance(value, Entity) else None
    shape = _shape_of(names, bindings)
    return bindings.world.find(shape.kinds, follow(names, bindings)) if shape and shape.kinds else None


def _shape_of(names: tuple[str, ...], bindings: Bindings) -> Shape | None:
    kinds = bindings.world.schemas.kinds
    value = bindings.values.get(names[0])
    shape = kinds[value.kind].shape if isinstance(value, Entity) else bindings.scope.get(names[0])
    for name in names[1:]:
        if shape and shape.type == "reference":
            shape = kinds[shape.kinds[0]].shape if len(shape.kinds) == 1 and shape.kinds[0] in kinds else None
        if shape is None:
            return None
        part = shape.fields.get(name)
        shape = shape.item if item_number(name) is not None else part.shape if part else None
    return shape
