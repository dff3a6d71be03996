"""Candidates: the few facts that policies can say anything about; durable-rules then decides on these alone.

Facts in memory pass a generated function, one after the other; of those on disk, DuckDB selects in one scan of columns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from remit.conditions.condition import Compiler
from remit.conditions.pushing import Pushing
from remit.conditions.selection import SUBJECT, Not, Otherwise, Selection, Test, all_of, any_of
from remit.conditions.sieve import reader, sieve
from remit.conditions.tree import Path
from remit.errors import UserError
from remit.policies.narrowing import TERM_KEYS, Asked, Narrowed, boundaries, governed, narrowed, sound_calendars
from remit.policies.watch import Watch
from remit.references import Entity, World
from remit.sources.duck import EXTRA
from remit.sources.fact_table import Table, opened_table
from remit.sources.spool import SpooledWorld

if TYPE_CHECKING:
    from sqlglot import exp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Passing:
    """Answers which things in memory to ask a group of watches about."""

    def __init__(self, world: World, compiler: Compiler) -> None:
        self._world = world
        self._selection = Selection(compiler.types, world.parameter_values)
        self._sound = sound_calendars(world)
        self._boundaries = boundaries(world)

    def of(self, watches: Sequence[Watch], asked: Asked) -> Iterator[Entity]:
        """What one of ``watches``, all of one kind, can say anything about, by name."""
        kind = watches[0].subject
        each = [narrowed(watch, self._selection, asked, sound=self._sound) for watch in watches]
        passes = sieve(any_of(*map(_wanted, each)), self._world)
        ungoverned = [self._ungoverned(kind, one) for one in each if one.starts is not None]
        for entity in self._world.all(kind):
            if passes(entity) or any(check(entity) for check in ungoverned):
                yield entity

    def _ungoverned(self, kind: str, one: Narrowed) -> Callable[[Entity], bool]:
        """Tells of which things a watch would be over, were it not that no term may govern them: that is a finding."""
        assert one.over is not None and one.starts is not None
        over, start_of = sieve(all_of(one.possible, one.over), self._world), reader(one.starts, self._world)
        fields = self._world.schemas.kinds[kind].shape.fields
        keys = [name for name in TERM_KEYS if name in fields]
        known: dict[Any, bool] = {}

        def ungoverned(entity: Entity) -> bool:
            if not over(entity):
                return False
            start = start_of(entity)
            if start is None:
                return True
            begin = _moment(start)
            key = (bisect_right(self._boundaries, begin), *(str(entity.spec.get(name)) for name in keys))
            if key not in known:
                # What governs changes at boundaries only.
                known[key] = governed(self._world, entity, begin, None if one.restarts else begin)
            return not known[key]

        return ungoverned


def _wanted(one: Narrowed) -> Test:
    """What can be said anything about where a term governs it."""
    return one.possible if one.over is None else all_of(one.possible, Not(Otherwise(one.over, False)))


class Candidates:
    """Answers which facts of a spool to ask a group of watches about.

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
        self._parameters = world.parameter_values
        self._sound = sound_calendars(world)

    def of(self, watches: Sequence[Watch], asked: Asked) -> Iterator[Entity]:
        """What one of ``watches``, all of one kind, can say anything about, by name; records of the kind always."""
        kind = watches[0].subject
        if kind not in self._world.fact_kinds:
            yield from self._world.all(kind)
            return
        pushing = Pushing(self._compiler.types, self._parameters, apart=self._world.fact_kinds)
        each = [_Written.of(pushing, narrowed(watch, pushing.selection, asked, sound=self._sound)) for watch in watches]
        keys = _term_keys(pushing, watches[0]) if any(one.starts is not None for one in each) else []
        table = opened_table(self._world, kind, pushing.columns, keys)
        names = {name for one in each for name in self._selected(table, kind, one)}
        table.close()
        yield from self._world.named(kind, names)

    def _selected(self, table: Table, kind: str, one: _Written) -> list[str]:
        from sqlglot import exp

        wanted = one.possible
        if one.over is not None:
            done = exp.and_(one.over, *self._governed(table, kind, one))
            wanted = exp.and_(wanted, exp.Not(this=exp.Coalesce(this=done, expressions=[exp.false()])))
        return [name for (name,) in table.rows(exp.select("i").from_("facts").where(wanted))]

    def _governed(self, table: Table, kind: str, one: _Written) -> Iterator[exp.Expr]:
        """Conditions under which a term governs a fact whenever its clock asks for one; none where none is needed."""
        from sqlglot import exp

        if one.starts is None:
            return
        start = one.starts
        groups = table.rows(
            exp.select("g", exp.Min(this=start), exp.Max(this=start), exp.AnyValue(this=exp.column("i")))
            .from_("facts")
            .where(exp.and_(one.possible, one.over, exp.Not(this=exp.Is(this=start, expression=exp.null()))))
            .group_by("g")
        )
        examples = {fact.name: fact for fact in self._world.named(kind, {name for *_, name in groups})}
        held = [group for group, first, last, name in groups if self._always(examples.get(name), first, last, one)]
        yield exp.Not(this=exp.Is(this=start, expression=exp.null()))
        yield exp.In(this=exp.column("g"), expressions=[exp.Literal.number(group) for group in held or (0,)])

    def _always(self, fact: Entity | None, first: int, last: int, one: _Written) -> bool:
        return fact is not None and governed(self._world, fact, _moment(first), None if one.restarts else _moment(last))


class _Written(NamedTuple):
    """What ``Narrowed`` says, as SQL."""

    possible: exp.Expr
    over: exp.Expr | None
    starts: exp.Expr | None
    restarts: bool

    @staticmethod
    def of(pushing: Pushing, one: Narrowed) -> _Written:
        """What is narrowed, written."""
        over = None if one.over is None else pushing.sql(one.over)
        starts = None if one.starts is None else pushing.value(one.starts)
        return _Written(pushing.sql(one.possible), over, starts, one.restarts)


def _term_keys(pushing: Pushing, watch: Watch) -> list[exp.Expr]:
    fields = pushing.selection.types.schemas.kinds[watch.subject].shape.fields
    paths = [Path(0, 0, (SUBJECT, name)) for name in TERM_KEYS if name in fields]
    return [column for path in paths if (column := pushing.column(path, watch.scope, "text")) is not None]


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
