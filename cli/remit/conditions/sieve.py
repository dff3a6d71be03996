"""The tests of ``selection`` as one generated Python function over things in memory.

The function is built as a syntax tree out of our own tests: what a policy says gets into it as constants only, never as
text that Python would read, and it sees no name but those given here (security rule R27).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, assert_never

from remit.conditions.condition import Bindings
from remit.conditions.lowering import follow
from remit.conditions.selection import (
    SUBJECT,
    All,
    Among,
    Column,
    Compared,
    FirstOf,
    Form,
    Held,
    Least,
    Literally,
    Moved,
    Not,
    Otherwise,
    Some,
    Test,
    There,
    Truth,
    Value,
    Wording,
)
from remit.conditions.tree import item_number
from remit.references import Entity, World, instant

_SIGNS: Mapping[str, type[ast.cmpop]] = {
    "==": ast.Eq, "$neq": ast.NotEq, "$lt": ast.Lt, "$lte": ast.LtE, "$gt": ast.Gt, "$gte": ast.GtE,
}  # fmt: skip
_WORDINGS = {"startsWith": "startswith", "endsWith": "endswith", "contains": "__contains__"}
_TYPES = {"text": "str", "int": "int", "bool": "bool"}
"""The forms that a value has as it is written, when it has this type."""
_MANY = 4
"""What so many tests read is read once, whether they all come to it or not."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sieve(test: Test, world: World) -> Callable[[Entity], bool]:
    """A function that is false only for things of which the test is false."""
    writer = _Writer(world)
    writer.hoist([test])
    function: Callable[[Entity], bool] = writer.function(writer.test(test, unknown=True))
    return function


def chooser(tests: Mapping[str, Test], world: World) -> Callable[[Entity], list[str]]:
    """A function that gives the names of the tests that are not false of a thing, in their order."""
    writer = _Writer(world)
    writer.hoist(list(tests.values()))
    function: Callable[[Entity], list[str]] = writer.choosing(tests)
    return function


def reader(value: Value, world: World) -> Callable[[Entity], Any]:
    """A function that gives the value of a thing, None where it is not there."""
    writer = _Writer(world)
    function: Callable[[Entity], Any] = writer.function(writer.value(value))
    return function


class _Writer:
    """Writes one function of the entity ``e`` with the fields ``s``; ``hoist`` says what it reads first, and once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._names: dict[str, Any] = {
            "str": str, "int": int, "bool": bool, "type": type, "dict": dict, "least": _least, "at": _at,
            "number": _number, "instant": _instant, "size": _size,
        }  # fmt: skip
        self._raw: dict[tuple[str, ...], str] = {}
        self._formed: dict[Column, str] = {}
        self._loads: list[ast.stmt] = []
        self._count = 0

    def hoist(self, tests: Sequence[Test]) -> None:
        """Read what nearly every answer needs, or many may need, into variables before anything is asked."""
        met = Counter(column for test in tests for column in _first(test))
        read = Counter(column for test in tests for column in _read_by(test))
        wanted = {column for column, often in met.items() if often > 1}
        wanted |= {
            column for column, often in read.items() if often >= _MANY and not column.kind and column.form in _TYPES
        }
        inside = [column.inside for column in wanted if all(item_number(step) is None for step in column.inside)]
        for path in sorted({one[:length] for one in inside if one != ("id",) for length in range(1, len(one) + 1)}):
            self._raw[path] = self._assigned(self._read(path))
        for column in sorted(wanted):
            self._formed[column] = self._assigned(self.value(column))

    def function(self, answer: ast.expr) -> Any:
        """The function that answers so, compiled."""
        return self._compiled([ast.Return(answer)])

    def choosing(self, tests: Mapping[str, Test]) -> Any:
        """The function that names the tests that are not false, compiled."""
        body: list[ast.stmt] = [ast.Assign([ast.Name("found", ast.Store())], ast.List([], ast.Load()))]
        for name, test in tests.items():
            found = ast.Call(ast.Attribute(_name("found"), "append", ast.Load()), [ast.Constant(name)], [])
            body.append(ast.If(self.test(test, unknown=True), [ast.Expr(found)], []))
        return self._compiled([*body, ast.Return(_name("found"))])

    def _compiled(self, answer: list[ast.stmt]) -> Any:
        fields = ast.Assign([ast.Name("s", ast.Store())], ast.Attribute(_name("e"), "spec", ast.Load()))
        arguments = ast.arguments([], [ast.arg("e")], None, [], [], None, [])
        body: list[ast.stmt] = [fields, *self._loads, *answer]
        module = ast.Module([ast.FunctionDef("answer", arguments, body, [], None)], [])
        names = {**self._names, "__builtins__": {}}
        exec(compile(ast.fix_missing_locations(module), "<sieve>", "exec"), names)
        return names["answer"]

    # --- tests

    def test(self, test: Test, *, unknown: bool) -> ast.expr:
        """Python that is true where the test is; ``unknown`` is for where it is neither true nor false."""
        match test:
            case Truth(value=truth):
                return ast.Constant(truth)
            case All(parts=parts):
                return _all([self.test(part, unknown=unknown) for part in parts])
            case Some(parts=parts):
                return _any([self.test(part, unknown=unknown) for part in parts])
            case Not(part=part):
                return ast.UnaryOp(ast.Not(), self.test(part, unknown=not unknown))
            case Otherwise(part=part, value=truth):
                return self.test(part, unknown=truth)
            case There(value=value):
                return _is_none(self.value(value), negated=True)
        missing: list[ast.expr] = []
        said = self._said(test, missing)
        return _any([*missing, said]) if unknown else _all([*(ast.UnaryOp(ast.Not(), one) for one in missing), said])

    def _said(self, test: Held | Compared | Among | Wording, missing: list[ast.expr]) -> ast.expr:
        """What the test says where nothing is ``missing``; each of these is asked first, in order."""
        match test:
            case Held(column=column):
                return self._operand(column, missing)
            case Compared(sign=sign, left=left, right=right):
                first, second = self._operand(left, missing), self._operand(right, missing)
                return ast.Compare(first, [_SIGNS[sign]()], [second])
            case Among(value=value, items=items):
                held = self._operand(value, missing)
                if len(items) == 1:
                    return ast.Compare(held, [ast.Eq()], [ast.Constant(items[0].value)])
                return ast.Compare(held, [ast.In()], [self._constant(frozenset(one.value for one in items))])
            case Wording(test=name, value=value, text=text):
                asked = ast.Attribute(self._operand(value, missing), _WORDINGS[name], ast.Load())
                return ast.Call(asked, [ast.Constant(text)], [])
        assert_never(test)

    def _operand(self, value: Value, missing: list[ast.expr]) -> ast.expr:
        """Python that gives a value when none of ``missing`` is true."""
        match value:
            case Literally(value=written):
                return ast.Constant(written)
            case Moved(value=moved, by=by, other=other):
                sign = ast.Add() if by > 0 else ast.Sub()
                return ast.BinOp(self._operand(moved, missing), sign, self._operand(other, missing))
            case Column(form="present"):
                return self.value(value)
            case Column(form=form, kind="") if form in _TYPES and value not in self._formed and value.inside != ("id",):
                code, name = self._kept(self._raw.get(value.inside), lambda: self._read(value.inside))
                missing.append(ast.Compare(_call("type", code), [ast.IsNot()], [_name(_TYPES[form])]))
                return _name(name)
        known = self._formed.get(value) if isinstance(value, Column) else None
        code, name = self._kept(known, lambda: self.value(value))
        missing.append(_is_none(code))
        return _name(name)

    # --- values

    def value(self, value: Value) -> ast.expr:
        """Python that gives the value, None where it is not there."""
        match value:
            case Column():
                return _name(self._formed[value]) if value in self._formed else self._column(value)
            case Least(values=values):
                return _call("least", *map(self.value, values))
            case FirstOf(choices=choices):
                chosen: ast.expr = ast.Constant(None)
                for test, one in reversed(choices):
                    chosen = ast.IfExp(self.test(test, unknown=False), self.value(one), chosen)
                return chosen
            case Literally() | Moved():
                missing: list[ast.expr] = []
                code = self._operand(value, missing)
                return ast.IfExp(_any(missing), ast.Constant(None), code) if missing else code
        assert_never(value)

    def _column(self, column: Column) -> ast.expr:
        if column.inside == ("id",):
            return ast.Constant(True) if column.form == "present" else ast.Attribute(_name("e"), "name", ast.Load())
        raw = self._raw.get(column.inside)
        if column.kind:
            known, none = self._constant(_Known(self._world, column)), _formed(column.form, None)
            code, name = self._kept(raw, lambda: self._read(column.inside))
            text = ast.Compare(_call("type", code), [ast.Is()], [_name("str")])
            return ast.IfExp(text, ast.Subscript(known, _name(name), ast.Load()), ast.Constant(none))
        if column.form in _TYPES:
            code, name = self._kept(raw, lambda: self._read(column.inside))
            fits = ast.Compare(_call("type", code), [ast.Is()], [_name(_TYPES[column.form])])
            return ast.IfExp(fits, _name(name), ast.Constant(None))
        written = _name(raw) if raw else self._read(column.inside)
        return _is_none(written, negated=True) if column.form == "present" else _call(column.form, written)

    def _read(self, inside: tuple[str, ...]) -> ast.expr:
        if len(inside) == 1:
            return _got("s", inside[0])
        above = self._raw.get(inside[:-1])
        if above is not None:
            there = ast.Compare(_call("type", _name(above)), [ast.Is()], [_name("dict")])
            return ast.IfExp(there, _got(above, inside[-1]), self._walked(inside))
        return self._walked(inside)

    def _walked(self, inside: tuple[str, ...]) -> ast.expr:
        steps = tuple(step if (number := item_number(step)) is None else number for step in inside)
        return _call("at", _name("s"), self._constant(steps))

    # --- names

    def _kept(self, known: str | None, code: Callable[[], ast.expr]) -> tuple[ast.expr, str]:
        """Python that gives a value, and the variable in which it is from then on."""
        if known is not None:
            return _name(known), known
        name = self._new()
        return ast.NamedExpr(ast.Name(name, ast.Store()), code()), name

    def _assigned(self, code: ast.expr) -> str:
        name = self._new()
        self._loads.append(ast.Assign([ast.Name(name, ast.Store())], code))
        return name

    def _constant(self, value: Any) -> ast.expr:
        name = self._new()
        self._names[name] = value
        return _name(name)

    def _new(self) -> str:
        self._count += 1
        return f"v{self._count}"


def _first(test: Test) -> Iterator[Column]:
    """The columns that nearly every answer reads, as often as it does."""
    match test:
        case All(parts=parts):
            yield from _first(parts[0]) if parts else ()
        case Some(parts=parts):
            for part in parts:
                yield from _first(part)
        case Not(part=part) | Otherwise(part=part):
            yield from _first(part)
        case Held(column=column):
            yield column
        case There(value=value) | Compared(left=value) | Among(value=value) | Wording(value=value):
            yield from _columns(value)


def _read_by(test: Test) -> Iterator[Column]:
    """Every column that a test may read, as often as it does."""
    match test:
        case All(parts=parts) | Some(parts=parts):
            for part in parts:
                yield from _read_by(part)
        case Not(part=part) | Otherwise(part=part):
            yield from _read_by(part)
        case Compared(left=left, right=right):
            yield from (*_columns(left), *_columns(right))
        case _:
            yield from _first(test)


def _columns(value: Value) -> Iterator[Column]:
    match value:
        case Column():
            yield value
        case Moved(value=moved):
            yield from _columns(moved)
        case FirstOf(choices=choices):
            yield from _first(choices[0][0])
        case Least(values=values):
            for one in values:
                yield from _columns(one)


# --- what the function calls -----------------------------------------------------------------------------------------


class _Known(dict[str, Any]):
    """What the record of each name says at a column, looked up when it is first asked for."""

    def __init__(self, world: World, column: Column) -> None:
        super().__init__()
        self._world = world
        self._column = column

    def __missing__(self, name: str) -> Any:
        column, value = self._column, None
        record = self._world.find((column.kind,), name)
        if record is not None:
            value = follow((SUBJECT, *column.beyond), Bindings(self._world, {SUBJECT: record}))
        self[name] = formed = _formed(column.form, value)
        return formed


def _formed(form: Form, value: Any) -> Any:
    match form:
        case "present":
            return value is not None
        case "size":
            return _size(value)
        case "number":
            return _number(value)
        case "instant":
            return _instant(value)
        case "text":
            return value if type(value) is str else None
        case "int":
            return value if type(value) is int else None
        case "bool":
            return value if type(value) is bool else None


def _at(value: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _number(value: Any) -> float | None:
    if type(value) is float:
        return value
    try:
        return float(value) if type(value) is int else None
    except OverflowError:
        return None


def _size(value: Any) -> int | None:
    return 0 if value is None else len(value) if isinstance(value, list) else None


def _instant(value: Any) -> int | None:
    return _microseconds(value) if type(value) is str else None


# The same instants are asked about by policy after policy.
@lru_cache(maxsize=1 << 16)
def _microseconds(text: str) -> int | None:
    moment = instant(text)
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def _least(*values: int | None) -> int | None:
    return min((value for value in values if value is not None), default=None)


# --- syntax ----------------------------------------------------------------------------------------------------------


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _got(mapping: str, key: str) -> ast.expr:
    return ast.Call(ast.Attribute(_name(mapping), "get", ast.Load()), [ast.Constant(key)], [])


def _call(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_name(function), list(arguments), [])


def _is_none(code: ast.expr, *, negated: bool = False) -> ast.expr:
    return ast.Compare(code, [ast.IsNot() if negated else ast.Is()], [ast.Constant(None)])


def _all(parts: list[ast.expr]) -> ast.expr:
    return ast.BoolOp(ast.And(), parts) if len(parts) > 1 else parts[0] if parts else ast.Constant(True)


def _any(parts: list[ast.expr]) -> ast.expr:
    return ast.BoolOp(ast.Or(), parts) if len(parts) > 1 else parts[0] if parts else ast.Constant(False)
