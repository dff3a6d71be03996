"""Money in conditions: an amount in a currency, compared, added and multiplied as decimals.

Moneys of unlike currencies have neither an order nor a sum; asking for one is an error, which CEL never takes for true.
CEL's own operators know no money, so its environment gets them anew (``CONFIG``), with these functions behind them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from remit.conditions.tree import Call, Const, ListOf, Node, rebuilt
from remit.schemas import Shape

NAME = "Money"
"""The message type of every money, whatever schema describes it."""

CEL_NAME = f"remit.{NAME}"
COUNTED_IN = "in"
"""The field of the message that holds the currency with the schema's default in it; CEL has no way to read it."""

_LITERAL = re.compile(r"(-?[0-9]{1,15}(?:\.[0-9]{1,6})?) ([A-Z]{3})")
_SAME, _AMONG = "sameMoney", "amongMoney"
"""Equality of money; CEL's own would compare field by field, and call unlike currencies unequal instead of an error."""


class Money(NamedTuple):
    """So much of a currency."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def parse_money(text: str) -> Money:
    """The money that ``500000 CNY`` writes.

    Raises:
        ValueError: another form.
    """
    match = _LITERAL.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is no money; expected an amount and a currency, such as 500000 CNY')
    return Money(Decimal(match[1]), match[2])


def is_money(shape: Shape | None) -> bool:
    """True for the shape of an amount with a currency (``x-remit-unit: money``)."""
    if shape is None or shape.type != "object" or shape.unit != "money" or set(shape.fields) != {"amount", "currency"}:
        return False
    return (shape.fields["amount"].shape.type, shape.fields["currency"].shape.type) == ("number", "text")


def currency_of(shape: Shape, value: Mapping[str, Any]) -> str | None:
    """The currency of a written money, its schema's default where it writes none; None where neither says one."""
    currency: str | None = value.get("currency", shape.fields["currency"].schema.get("default"))
    return currency


def fixed_currency(shape: Shape) -> str:
    """The only currency that a schema allows; empty where it allows several."""
    allowed = shape.fields["currency"].shape.enum
    return allowed[0] if len(allowed) == 1 else ""


def fill(message: Any, shape: Shape, value: Mapping[str, Any]) -> None:
    """Put a written money into its message."""
    for name in ("amount", "currency"):
        if name in value:
            setattr(message, name, value[name])
    setattr(message, COUNTED_IN, currency_of(shape, value) or "")


# --- what CEL calls --------------------------------------------------------------------------------------------------


def _read(message: Any) -> Money:
    if not message.HasField("amount"):
        raise ValueError("a money without an amount")
    return Money(_decimal(message.amount), getattr(message, COUNTED_IN))


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))


def _alike(moneys: Sequence[Any]) -> list[Money]:
    """Moneys of one currency.

    Raises:
        ValueError: there are none, they are of several currencies, or one has none.
    """
    read = [_read(one) for one in moneys]
    currencies = {one.currency for one in read}
    if len(currencies) != 1 or "" in currencies:
        named = " and ".join(sorted(currency or "no currency" for currency in currencies)) or "nothing"
        raise ValueError(f"{named} cannot be reckoned together")
    return read


def _compared(test: Callable[[Decimal, Decimal], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        first, second = _alike([left, right])
        return test(first.amount, second.amount)

    return compare


def _among(money: Any, others: Sequence[Any]) -> bool:
    first, *rest = _alike([money, *others])
    return first in rest


def implementations(make: Callable[[], Any]) -> dict[str, Callable[..., Any]]:
    """The functions behind the overloads of ``CONFIG``; ``make`` gives an empty message."""

    def written(amount: Decimal, currency: str) -> Any:
        message, number = make(), float(amount)
        if not math.isfinite(number):
            raise ValueError("an amount beyond what a number holds")
        message.amount, message.currency = number, currency
        setattr(message, COUNTED_IN, currency)
        return message

    def total(left: Any, right: Any, sign: int = 1) -> Any:
        first, second = _alike([left, right])
        return written(first.amount + sign * second.amount, first.currency)

    def times(message: Any, number: float) -> Any:
        (money,) = _alike([message])
        return written(money.amount * _decimal(number), money.currency)

    def picked(pick: Callable[[list[Decimal]], Decimal]) -> Callable[[Sequence[Any]], Any]:
        def choose(moneys: Sequence[Any]) -> Any:
            read = _alike(moneys)
            return written(pick([one.amount for one in read]), read[0].currency)

        return choose

    return {
        "money_remit": lambda text: written(*parse_money(text)),
        "largest_remit": picked(max),
        "smallest_remit": picked(min),
        "same_money": _compared(lambda a, b: a == b),
        "among_money": _among,
        "less_money": _compared(lambda a, b: a < b),
        "less_equals_money": _compared(lambda a, b: a <= b),
        "greater_money": _compared(lambda a, b: a > b),
        "greater_equals_money": _compared(lambda a, b: a >= b),
        "add_money": total,
        "subtract_money": lambda left, right: total(left, right, -1),
        "multiply_money_double": times,
        "multiply_money_int64": times,
        "multiply_double_money": lambda number, money: times(money, number),
        "multiply_int64_money": lambda number, money: times(money, number),
    }


# --- what CEL's checker knows ----------------------------------------------------------------------------------------

_Type = dict[str, Any]
_WORD = {"int64": "int", "money": CEL_NAME}
_ANY: _Type = {"type_name": "A", "is_type_param": True}
_LIST: _Type = {"type_name": "list", "params": [_ANY]}
_MONEYS: _Type = {"type_name": "list", "params": [{"type_name": CEL_NAME}]}
_ORDERED = ("bool", "int64", "double", "string", "timestamp", "duration", "money")


def _type(name: str) -> _Type:
    return {"type_name": _WORD.get(name, name)}


def _overload(name: str, takes: Sequence[str], gives: str) -> _Type:
    return {"id": name, "args": [_type(one) for one in takes], "return": _type(gives)}


def _operators() -> dict[str, list[_Type]]:
    """Every overload of CEL's operators that conditions use, and those of money."""
    found = {
        sign: [_overload(f"{word}_{kind}", (kind, kind), "bool") for kind in _ORDERED]
        for sign, word in (("_<_", "less"), ("_<=_", "less_equals"), ("_>_", "greater"), ("_>=_", "greater_equals"))
    }
    found["_+_"] = [
        *(_overload(f"add_{kind}", (kind, kind), kind) for kind in ("int64", "double", "string", "money")),
        {"id": "add_list", "args": [_LIST, _LIST], "return": _LIST},
        _overload("add_timestamp_duration", ("timestamp", "duration"), "timestamp"),
        _overload("add_duration_timestamp", ("duration", "timestamp"), "timestamp"),
        _overload("add_duration_duration", ("duration", "duration"), "duration"),
    ]
    found["_-_"] = [
        *(_overload(f"subtract_{kind}", (kind, kind), kind) for kind in ("int64", "double", "money")),
        _overload("subtract_timestamp_timestamp", ("timestamp", "timestamp"), "duration"),
        _overload("subtract_timestamp_duration", ("timestamp", "duration"), "timestamp"),
        _overload("subtract_duration_duration", ("duration", "duration"), "duration"),
    ]
    found["_*_"] = [
        *(_overload(f"multiply_{kind}", (kind, kind), kind) for kind in ("int64", "double")),
        *(_overload(f"multiply_money_{kind}", ("money", kind), "money") for kind in ("int64", "double")),
        *(_overload(f"multiply_{kind}_money", (kind, "money"), "money") for kind in ("int64", "double")),
    ]
    return found


def _functions() -> dict[str, list[_Type]]:
    return {
        "money": [_overload("money_remit", ("string",), "money")],
        _SAME: [_overload("same_money", ("money", "money"), "bool")],
        _AMONG: [{"id": "among_money", "args": [_type("money"), _MONEYS], "return": _type("bool")}],
        **{
            name: [{"id": f"{name}_remit", "args": [_MONEYS], "return": _type("money")}]
            for name in ("largest", "smallest")
        },
    }


CONFIG = json.dumps(
    {
        "name": "remit",
        "stdlib": {"exclude_functions": [{"name": name} for name in _operators()]},
        "functions": [
            {"name": name, "overloads": overloads} for name, overloads in (_operators() | _functions()).items()
        ],
    }
)
"""The environment that CEL reads as YAML: its operators with money among what they take."""


# --- equality --------------------------------------------------------------------------------------------------------


def with_equality(root: Node, kinds: Mapping[int, str]) -> Node:
    """The tree to evaluate: where money is tested for equality, the test that knows currencies."""

    def changed(node: Node) -> Node:
        match node:
            case Call(function="_==_" | "_!=_" as function, args=args) if kinds.get(args[0].id) == CEL_NAME:
                same = replace(node, function=_SAME)
                return same if function == "_==_" else Call(node.id, node.offset, "!_", (same,))
            case Call(function="@in", args=(left, _)) if kinds.get(left.id) == CEL_NAME:
                return replace(node, function=_AMONG)
        return node

    return rebuilt(root, changed)


def literal(node: Node) -> Money | None:
    """The money that ``money("500000 CNY")`` stands for; None for anything else."""
    match node:
        case Call(function="money", args=(Const(value=str() as text),)):
            try:
                return parse_money(text)
            except ValueError:
                return None
    return None


def currencies(node: Node, of_path: Callable[[Node], str]) -> set[str]:
    """The currencies that a money is known to be in before anything runs; ``of_path`` says that of a field."""
    match node:
        case Call(function="_+_" | "_-_" | "_*_", args=parts) | Call(function="_?_:_", args=(_, *parts)):
            return set().union(*(currencies(part, of_path) for part in parts))
        case Call(function="largest" | "smallest", args=(ListOf(items=items),)):
            return set().union(*(currencies(item, of_path) for item in items))
    written = literal(node)
    known = written.currency if written else of_path(node)
    return {known} if known else set()
