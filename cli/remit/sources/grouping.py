"""The SQL of a measure over a table ``facts``: groups of facts of which the measure makes the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from remit.conditions.pushing import Pushing
from remit.conditions.selection import Column
from remit.policies.counting import NAMED
from remit.policies.daily import Stretch
from remit.policies.pushed_measures import Outcome, Pushed

if TYPE_CHECKING:
    from sqlglot import exp

Rows = Callable[["exp.Select"], list[Any]]
"""What a table answers to a query."""

COUNTED = (Outcome.GOOD, Outcome.BAD, Outcome.LEFT_OUT)
Keys = tuple[str | None, ...]
"""What the ways of some facts to a subject begin with."""


class Group(NamedTuple):
    """So many facts of one outcome that bring the same and begin the same ways to a subject."""

    outcome: Outcome
    brought: Any
    keys: Keys
    facts: int


class Query:
    """The SQL of one measure over a table ``facts``; ``columns`` are what it reads of each."""

    def __init__(self, one: Pushed, pushing: Pushing, days: Sequence[Stretch] = ()) -> None:
        from sqlglot import exp

        self._at = pushing.value(one.at)
        self._days = days
        self._outcome = pushing.value(one.outcome)
        self._brought = exp.null() if one.brought is None else pushing.value(one.brought)
        self._keys = [pushing.value(key) for key in one.keys]
        self._within = self._dated(one, pushing)
        self.columns: Mapping[str, Column] = pushing.columns

    def groups(self, rows: Rows) -> Iterator[Group]:
        """Every group of facts but those that the measure does not mean."""
        for outcome, brought, *keys, number in rows(self._grouped({})):
            yield Group(Outcome(outcome), brought, tuple(keys), number)

    def daily(self, rows: Rows, most: int) -> list[tuple[int | None, Group]]:
        """The same by the day, of those given, into which the facts come, None where they come into none.

        At most one more than ``most``.
        """
        found = rows(self._grouped({"d": self._day()}).limit(most + 1))
        return [(day, Group(Outcome(outcome), brought, tuple(keys), n)) for day, outcome, brought, *keys, n in found]

    def _grouped(self, first: Mapping[str, exp.Expr]) -> exp.Select:
        from sqlglot import exp

        by = {**first, **{f"k{number}": key for number, key in enumerate(self._keys)}}
        ahead, names = [*first], [name for name in by if name not in first]
        judged = self._judged(*(exp.alias_(one, name) for name, one in by.items()))
        counts = exp.case().when(exp.column("o").isin(*map(int, COUNTED[:2])), exp.column("b")).else_(exp.null())
        kept = exp.select(*ahead, "o", exp.alias_(counts, "b"), *names).from_(judged.subquery("j"))
        kept = kept.where(exp.column("o").neq(int(Outcome.NONE)))
        query = exp.select(*ahead, "o", "b", *names, exp.alias_(exp.Count(this=exp.Star()), "n"))
        return query.from_(kept.subquery("k")).group_by(*ahead, "o", "b", *names)

    def _day(self) -> exp.Expr:
        from sqlglot import exp

        branches = []
        for days in self._days:
            start, end, day, length = map(exp.Literal.number, (days.start, days.end, days.day, days.length))
            passed = exp.IntDiv(this=exp.paren(exp.Sub(this=self._at.copy(), expression=start)), expression=length)
            since = exp.GTE(this=self._at.copy(), expression=start.copy())
            inside = exp.And(this=since, expression=exp.LT(this=self._at.copy(), expression=end))
            branches.append(exp.If(this=inside, true=exp.Add(this=exp.paren(passed), expression=day)))
        return exp.Case(ifs=branches)

    def asked(self, rows: Rows) -> list[str]:
        """The names of the facts to ask."""
        from sqlglot import exp

        judged = self._judged(exp.column("i"))
        query = exp.select("i").from_(judged.subquery("j")).where(exp.column("o").eq(int(Outcome.ASKED)))
        return [name for (name,) in rows(query)]

    def first(self, rows: Rows, outcomes: Sequence[Outcome], keys: Sequence[Keys]) -> Sequence[str]:
        """The first names of the facts that have one of these outcomes and some of these keys."""
        from sqlglot import exp

        judged = self._judged(exp.column("i"), where=exp.or_(*(self._same(one) for one in keys)))
        meant = exp.column("o").isin(*map(int, outcomes))
        query = exp.select("i").from_(judged.subquery("j")).where(meant).order_by("i").limit(NAMED + 1)
        return [name for (name,) in rows(query)]

    def _same(self, keys: Keys) -> exp.Expr:
        from sqlglot import exp

        each = (
            exp.Is(this=column, expression=exp.null()) if key is None else column.eq(exp.Literal.string(key))
            for column, key in zip(self._keys, keys, strict=True)
        )
        return exp.and_(exp.true(), *each)

    def _judged(self, *more: exp.Expr, where: exp.Expr | None = None) -> exp.Select:
        from sqlglot import exp

        chosen = exp.select(exp.alias_(self._outcome, "o"), exp.alias_(self._brought, "b"), *more).from_("facts")
        for one in (self._within, where):
            chosen = chosen if one is None else chosen.where(one)
        return chosen

    def _dated(self, one: Pushed, pushing: Pushing) -> exp.Expr | None:
        """True of every fact that may count in the period, so that a scan may leave out what lies elsewhere."""
        from sqlglot import exp

        if one.dated is None:
            return None
        column = pushing.value(one.dated)
        inside = exp.and_(column >= one.first, column < one.end)
        return exp.or_(exp.Is(this=column, expression=exp.null()), inside)
