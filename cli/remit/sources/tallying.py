"""Tallying: measures counted by DuckDB over the columns of a spool; the rest of the facts is left to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from functools import partial
from heapq import merge
from typing import TYPE_CHECKING, Any, NamedTuple

from remit.conditions.condition import Compiler
from remit.conditions.pushing import Pushing
from remit.conditions.selection import Column
from remit.errors import UserError
from remit.places import Place
from remit.policies.counting import NAMED, SPANS, InColumns, ToSubject, Uncounted, units
from remit.policies.measures import Measure, Span
from remit.policies.pushed_measures import Certain, Outcome, Pushed, Scoring, nested, pushed
from remit.policies.tallies import Tally
from remit.references import Entity
from remit.sources.duck import EXTRA
from remit.sources.fact_table import opened_table
from remit.sources.scan import Scan
from remit.sources.spool import SpooledWorld

if TYPE_CHECKING:
    from sqlglot import exp

COUNTED = (Outcome.GOOD, Outcome.BAD, Outcome.LEFT_OUT)
Keys = tuple[str | None, ...]
"""What the ways of some facts to a subject begin with."""


class Group(NamedTuple):
    """So many facts of one outcome that bring the same and begin the same ways to a subject."""

    outcome: Outcome
    brought: Any
    keys: Keys
    facts: int


class Tallying:
    """Counts measures in columns, for ``counting.Columns``.

    Raises:
        UserError: DuckDB or sqlglot is not installed.
    """

    def __init__(self, world: SpooledWorld, compiler: Compiler) -> None:
        try:
            import sqlglot  # noqa: F401
        except ImportError as error:
            raise UserError("This needs sqlglot, which is not installed.", EXTRA) from error
        self._world = world
        self._compiler = compiler
        self._parameters = {name: one.get("value") for name, one in world.parameters.items()}

    def __call__(self, measure: Measure, scoring: Scoring, subject_of: ToSubject) -> InColumns | None:
        """What columns make of a measure; None where they cannot say anything."""
        if measure.over not in self._world.fact_kinds:
            return None
        certain = Certain(self._compiler.types, self._parameters, self._world.fact_kinds)
        one = pushed(measure, certain, scoring)
        if one is None:
            return None
        query = Query(one, Pushing(self._compiler.types, self._parameters))
        scan = self._world.scan(measure.over)
        table = opened_table(self._world, measure.over, query.columns)
        groups = list(query.groups(table.rows))
        tallies, uncounted = counted(measure, one, groups, subject_of, partial(query.first, table.rows))
        names = query.asked(table.rows) if any(group.outcome == Outcome.ASKED for group in groups) else []
        table.close()
        return InColumns(tallies, uncounted, self._entities(measure.over, names, scan))

    def _entities(self, kind: str, names: Sequence[str], scan: Scan | None) -> Iterator[Entity]:
        """Facts of these names, all that a scan does not hold, and all records of the kind, by name."""
        if scan is not None:
            apart = sorted((*self._world.records(kind), *self._world.odd(kind)), key=_name)
            yield from merge(scan.facts(names) if names else (), apart, key=_name)
            return
        records = {record.name for record in self._world.records(kind)}
        there = self._world.spool.names(kind).keys()
        for name in sorted(records.union(one for one in names if one in there)):
            entity = self._world.get(kind, name)
            assert entity is not None
            yield entity


def _name(entity: Entity) -> str:
    return entity.name


def counted(
    measure: Measure,
    one: Pushed,
    groups: Sequence[Group],
    subject_of: ToSubject,
    first: Callable[[Sequence[Outcome], Sequence[Keys]], Sequence[str]],
) -> tuple[dict[str, Tally], Mapping[str, Uncounted]]:
    """The tallies of groups by subject, and what counts for nobody; ``first`` names facts of some outcomes and keys."""
    tallies: dict[str, Tally] = {}
    nobody: dict[tuple[str, Sequence[Outcome]], dict[Keys, int]] = {}
    for group in groups:
        if group.outcome == Outcome.NO_INSTANT:
            by_keys = nobody.setdefault(("no-instant", (Outcome.NO_INSTANT,)), {})
            by_keys[group.keys] = by_keys.get(group.keys, 0) + group.facts
        if group.outcome not in COUNTED:
            continue
        values = {column.inside: key for column, key in zip(one.keys, group.keys, strict=True) if key is not None}
        subject, why = subject_of(Entity(measure.over, "", nested(values), Place("")))
        if subject is None:
            by_keys = nobody.setdefault((why, COUNTED), {})
            by_keys[group.keys] = by_keys.get(group.keys, 0) + group.facts
            continue
        good, bad = (group.facts if group.outcome == one else 0 for one in (Outcome.GOOD, Outcome.BAD))
        tallies.setdefault(subject, Tally()).add(_value(measure, group.brought), good, bad)
    uncounted = {
        why: Uncounted(sum(keys.values()), tuple(f"{measure.over}/{name}" for name in first(outcomes, list(keys))))
        for (why, outcomes), keys in nobody.items()
    }
    return tallies, uncounted


def _value(measure: Measure, brought: Any) -> Fraction | None:
    """The exact number that a fact brings, as its own judgement rounds it."""
    if brought is None:
        return None
    if isinstance(measure.value, Span):
        value = units(timedelta(microseconds=brought), SPANS[measure.unit])
    elif measure.type == "days_late":
        value = units(timedelta(microseconds=max(brought, 0)), SPANS["days"])
    else:
        value = brought
    return Fraction(str(value))


class Query:
    """The SQL of one measure over a table ``facts``; ``columns`` are what it reads of each."""

    def __init__(self, one: Pushed, pushing: Pushing) -> None:
        from sqlglot import exp

        self._outcome = pushing.value(one.outcome)
        self._brought = exp.null() if one.brought is None else pushing.value(one.brought)
        self._keys = [pushing.value(key) for key in one.keys]
        self._within = self._dated(one, pushing)
        self.columns: Mapping[str, Column] = pushing.columns

    def groups(self, rows: Callable[[exp.Select], list[Any]]) -> Iterator[Group]:
        """Every group of facts but those that the measure does not mean."""
        from sqlglot import exp

        names = [f"k{number}" for number in range(len(self._keys))]
        judged = self._judged(*(exp.alias_(key, name) for key, name in zip(self._keys, names, strict=True)))
        counts = exp.case().when(exp.column("o").isin(*map(int, COUNTED[:2])), exp.column("b")).else_(exp.null())
        kept = (
            exp.select("o", exp.alias_(counts, "b"), *names).from_(judged.subquery("j")).where(exp.column("o").neq(0))
        )
        query = exp.select("o", "b", *names, exp.alias_(exp.Count(this=exp.Star()), "n")).from_(kept.subquery("k"))
        for outcome, brought, *keys, number in rows(query.group_by("o", "b", *names)):
            yield Group(Outcome(outcome), brought, tuple(keys), number)

    def asked(self, rows: Callable[[exp.Select], list[Any]]) -> list[str]:
        """The names of the facts to ask."""
        from sqlglot import exp

        judged = self._judged(exp.column("i"))
        query = exp.select("i").from_(judged.subquery("j")).where(exp.column("o").eq(int(Outcome.ASKED)))
        return [name for (name,) in rows(query)]

    def first(
        self, rows: Callable[[exp.Select], list[Any]], outcomes: Sequence[Outcome], keys: Sequence[Keys]
    ) -> Sequence[str]:
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
