"""The tests of ``selection`` as SQL over the columns of a feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from remit.conditions.checks import Scope
from remit.conditions.messages import MessageTypes
from remit.conditions.selection import (
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
    Selection,
    Some,
    Test,
    There,
    Truth,
    Value,
    Wording,
)
from remit.conditions.tree import Node, Path

if TYPE_CHECKING:
    from sqlglot import exp

_WORDINGS = {"startsWith": "STARTS_WITH", "endsWith": "ENDS_WITH", "contains": "CONTAINS"}
_OPERATORS = {"==": "EQ", "$neq": "NEQ", "$lt": "LT", "$lte": "LTE", "$gt": "GT", "$gte": "GTE"}


class Pushing:
    """Turns conditions about one kind of subject into SQL; ``columns`` gathers, by name, what that SQL reads.

    ``apart`` are the kinds whose things are too many to be looked up when a condition follows a reference to one.
    """

    def __init__(self, types: MessageTypes, parameters: Mapping[str, Any], apart: frozenset[str] = frozenset()) -> None:
        self.selection = Selection(types, parameters, apart)
        self.columns: dict[str, Column] = {}

    def test(self, node: Node, scope: Scope, *, wanted: bool = True) -> exp.Expr:
        """SQL that is true for every subject of which CEL says ``wanted``; never null."""
        return self.sql(self.selection.test(node, scope, wanted=wanted))

    def column(self, path: Path, scope: Scope, form: Form) -> exp.Expr | None:
        """The column that holds a path in this form; None where none can. ``present`` and ``size`` are never null."""
        found = self.selection.column(path, scope, form)
        return None if found is None else self.value(found)

    def sql(self, test: Test) -> exp.Expr:
        """A test as SQL, null where it is neither true nor false."""
        from sqlglot import exp

        match test:
            case Truth(value=truth):
                return exp.Boolean(this=truth)
            case All(parts=parts):
                return exp.and_(exp.true(), *map(self.sql, parts))
            case Some(parts=parts):
                return exp.or_(exp.false(), *map(self.sql, parts))
            case Not(part=part):
                return exp.Not(this=exp.paren(self.sql(part), copy=False))
            case Held(column=column):
                return self.value(column)
            case There(value=value):
                return exp.Not(this=exp.Is(this=self.value(value), expression=exp.null()))
            case Compared(sign=sign, left=left, right=right):
                operator: type[exp.Binary] = getattr(exp, _OPERATORS[sign])
                return operator(this=self.value(left), expression=self.value(right))
            case Among(value=value, items=items):
                return exp.In(this=self.value(value), expressions=[self.value(one) for one in items])
            case Wording(test=name, value=value, text=text):
                expressions = [self.value(value), exp.Literal.string(text)]
                return exp.Anonymous(this=_WORDINGS[name], expressions=expressions)
            case Otherwise(part=part, value=truth):
                return exp.Coalesce(this=self.sql(part), expressions=[exp.Boolean(this=truth)])

    def value(self, value: Value) -> exp.Expr:
        """A value as SQL, null where it is not there."""
        from sqlglot import exp

        match value:
            case Column():
                return exp.column(self._name(value))
            case Literally(value=written):
                return _literal(written)
            case Moved(value=moved, by=by, other=other):
                sign = exp.Add if by > 0 else exp.Sub
                return exp.paren(sign(this=self.value(moved), expression=self.value(other)))
            case Least(values=values):
                first, *more = map(self.value, values)
                return exp.Least(this=first, expressions=more, ignore_nulls=True) if more else first
            case FirstOf(choices=choices):
                branches = exp.Case()
                for test, one in choices:
                    branches = branches.when(self.sql(test), self.value(one))
                return exp.paren(branches)

    def _name(self, column: Column) -> str:
        name = next((name for name, one in self.columns.items() if one == column), f"c{len(self.columns)}")
        self.columns[name] = column
        return name


def _literal(value: str | int | float | bool) -> exp.Expr:
    from sqlglot import exp

    match value:
        case bool():
            return exp.Boolean(this=value)
        case int():
            return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))
        case float():
            # By its shortest text: a bare literal would be a decimal.
            return exp.cast(exp.Literal.string(repr(value)), "DOUBLE")
    return exp.Literal.string(value)
