"""Measures as tests over the columns of a feed: what a measure makes of a fact, where columns alone say it exactly.

What they leave open (a condition that no column decides, a clock that was paused, a fact that somebody excluded or that
lacks its instant) is to be asked of the fact itself, as ever. So nothing is decided here that could come out otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Any, NamedTuple

from remit.calendars import always
from remit.conditions.checks import Scope, shape_at
from remit.conditions.condition import Condition
from remit.conditions.money import is_money
from remit.conditions.selection import (
    SUBJECT,
    All,
    Among,
    Column,
    Compared,
    FirstOf,
    Form,
    Held,
    Literally,
    Moved,
    Not,
    Selection,
    Some,
    Test,
    There,
    Truth,
    Value,
)
from remit.conditions.tree import Node, Path
from remit.policies.clocking import Calendars
from remit.policies.measures import Measure, Span, Timely
from remit.policies.reading import Amount, ClockRule
from remit.references import World
from remit.schemas import Shape
from remit.times import Duration, Period, parse_duration

FACT = "fact"
MOST_EXCLUDED = 1_000
"""More facts than these, taken out one by one, are no matter for a list in a query."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_EXACT_UNITS = ("s", "m", "h")
_DAYS = {"d": 1, "w": 7}
_EARLIEST, _LATEST = ((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _TICK for year in (1900, 9000))


class Outcome(IntEnum):
    """What a measure makes of a fact."""

    NONE = 0
    GOOD = 1
    BAD = 2
    LEFT_OUT = 3
    ASKED = 4
    NO_INSTANT = 5


class Scoring(NamedTuple):
    """The moment of a scorecard, and what of its world is no column: microseconds since 1970 for instants."""

    world: World
    period: Period
    at: datetime
    excluded: frozenset[str]


class Pushed(NamedTuple):
    """A measure over columns: its outcome, the number or the microseconds that a fact brings, and for whom it counts.

    ``keys`` are what the ways to a subject begin with. Facts whose ``dated`` is there and lies outside [``first``,
    ``end``) count for nothing. ``at`` is the instant that puts a fact into the period.
    """

    outcome: Value
    brought: Value | None
    keys: tuple[Column, ...]
    dated: Column | None
    first: int
    end: int
    at: Value


class Certain(Selection):
    """Tests of facts that leave nothing open which they are true or false of.

    Currencies, instants that leave the calendar when they are moved, and names that may be written in two ways are no
    matter of a column.
    """

    def surely(self, condition: Condition, *, wanted: bool = True) -> Test:
        """A test that is true only of facts of which CEL says ``wanted``; it is never neither true nor false."""
        return Not(self.test(condition.root, condition.scope, wanted=not wanted))

    def column(self, path: Path, scope: Scope, form: Form) -> Column | None:
        """The column that holds a path in this form; None where none can."""
        if path.names[0] != FACT or FACT not in scope:
            return None
        return super().column(Path(0, 0, (SUBJECT, *path.names[1:])), {SUBJECT: scope[FACT]}, form)

    def instant(self, condition: Condition) -> Column | None:
        """The column of a path to an instant; None for any other expression."""
        path = condition.root
        if not isinstance(path, Path) or self._form(path, condition.scope) != "instant":
            return None
        return self.column(path, condition.scope, "instant")

    def number(self, condition: Condition) -> Column | None:
        """The column of a path to a number; None for any other expression."""
        path = condition.root
        if not isinstance(path, Path) or self._form(path, condition.scope) not in ("int", "number"):
            return None
        return self.column(path, condition.scope, "number")

    def key(self, path: Path, scope: Scope) -> Column | None:
        """The column with which a way to a subject begins: a name, behind which records lead on."""
        for length in range(2, len(path.names) + 1):
            shape = shape_at(Path(0, 0, path.names[:length]), scope, self.types)
            if shape is not None and shape.type == "reference":
                return self.column(Path(0, 0, path.names[:length]), scope, "text")
        return None

    def _sides(self, left: Node, right: Node, sign: str, scope: Scope) -> tuple[Value, Value] | None:
        paths = (one for one in (left, right) if isinstance(one, Path))
        if any(is_money(self._shape(path, scope)) for path in paths):
            return None
        return super()._sides(left, right, sign, scope)

    def _spans(self, left: Node, right: Node, scope: Scope) -> tuple[Value, Value] | None:
        return None

    def _beyond(self, inside: tuple[str, ...], shape: Shape, beyond: tuple[str, ...], form: Form) -> Column | None:
        return None if beyond == ("id",) else super()._beyond(inside, shape, beyond, form)


def pushed(measure: Measure, certain: Certain, scoring: Scoring) -> Pushed | None:
    """The measure over columns; None where no fact at all can be judged by them."""
    if measure.of or measure.each or measure.related or measure.during or len(scoring.excluded) > MOST_EXCLUDED:
        return None
    try:
        return _Pushing(measure, certain, scoring).made()
    except _Open:
        return None


class _Open(Exception):
    """Columns do not say it of any fact."""


class _Due(NamedTuple):
    """When a clock starts, stops and is due; ``asked`` are the facts of which columns do not say it."""

    start: Value
    stop: Value | None
    due: Value
    asked: tuple[Test, ...]
    dated: Column | None
    by: int


class _Pushing:
    def __init__(self, measure: Measure, certain: Certain, scoring: Scoring) -> None:
        self.measure = measure
        self.certain = certain
        self.scoring = scoring
        self.at = _ticks(scoring.at)
        self.begin, self.end = _ticks(scoring.period.start), _ticks(scoring.period.end)
        self.choices: list[tuple[Test, Value]] = []

    def made(self) -> Pushed:
        """The measure as tests and values of columns."""
        measure = self.measure
        keys = tuple(self._known(self.certain.key(path, measure.scope)) for path in measure.by)
        if self.scoring.excluded:
            names = tuple(Literally(name) for name in sorted(self.scoring.excluded))
            self._choose(Among(Column(("id",), "text"), names), Outcome.ASKED)
        timely = self._due(measure.timely) if measure.timely else None
        dated, by = (timely.dated, timely.by) if timely else (None, 0)
        at: Value | None = None
        if measure.is_dated:
            at, dated = self._first(measure.at)
            by = 0
            self._choose(Some((_less(at, self.begin), Not(_less(at, self.end)))), Outcome.NONE)
        if timely and not measure.is_dated:
            self._choose(Not(_less(timely.start, self.end)), Outcome.NONE)
        self._where()
        if at is not None:
            self._choose(Not(There(at)), Outcome.NO_INSTANT)
            self._choose(Compared("$gt", at, Literally(self.at)), Outcome.LEFT_OUT)
        brought: Value | None = None
        if timely:
            brought = self._timely(timely)
        elif measure.good is not None:
            self._choose(self.certain.surely(measure.good), Outcome.GOOD)
            self._choose(self.certain.surely(measure.good, wanted=False), Outcome.BAD)
            self._choose(Truth(True), Outcome.ASKED)
        else:
            brought = self._brought(measure.value)
            self._choose(Truth(True), Outcome.GOOD)
        into = at if at is not None else self._known(timely).due
        return Pushed(FirstOf(tuple(self.choices)), brought, keys, dated, self.begin - by, self.end - by, into)

    # --- what counts

    def _where(self) -> None:
        if self.measure.where is not None:
            self._choose(self.certain.surely(self.measure.where, wanted=False), Outcome.NONE)
            self._choose(Not(self.certain.surely(self.measure.where)), Outcome.ASKED)

    def _brought(self, value: Condition | Span | None) -> Value | None:
        if value is None:
            return None
        if isinstance(value, Span):
            start, _ = self._first(value.start)
            end, _ = self._first(value.end)
            self._choose(Not(All((There(start), There(end)))), Outcome.LEFT_OUT)
            return Moved(end, -1, start)
        number = self.certain.number(value)
        if number is None:
            raise _Open
        there = Held(number._replace(form="present"))
        self._choose(Not(there), Outcome.LEFT_OUT)
        # A share is a text, and a whole number beyond 2^53 is no double.
        large = Compared("$gt", number, Literally(2.0**53)), Compared("$lt", number, Literally(-(2.0**53)))
        self._choose(Some((Not(There(number)), *large)), Outcome.ASKED)
        return number

    def _timely(self, timely: _Due) -> Value | None:
        for test in timely.asked:
            self._choose(test, Outcome.ASKED)
        due, stop, at = timely.due, timely.stop, Literally(self.at)
        if self.measure.is_dated:
            self._choose(Not(There(due)), Outcome.ASKED)
        else:
            # A clock that starts and is not due lacks a limit; one that does not start lacks an instant.
            self._choose(All((Not(There(due)), There(timely.start))), Outcome.ASKED)
            self._choose(Not(There(due)), Outcome.NO_INSTANT)
            self._choose(Some((_less(due, self.begin), Not(_less(due, self.end)))), Outcome.NONE)
        done: Value = at
        if stop is not None:
            stopped = Not(Compared("$gt", stop, at))
            self._choose(All((stopped, Not(Compared("$gt", stop, due)))), Outcome.GOOD)
            self._choose(stopped, Outcome.BAD)
            done = FirstOf(((stopped, stop), (Truth(True), at)))
        self._choose(Not(Compared("$gt", due, at)), Outcome.BAD)
        self._choose(Truth(True), Outcome.LEFT_OUT)
        return Moved(done, -1, due) if self.measure.type == "days_late" else None

    # --- clocks

    def _due(self, timely: Timely) -> _Due:
        rule, scope = timely.clock, self.measure.scope
        strange = (rule.reached, rule.lasts, rule.restarts, rule.cycle, rule.met, rule.handed_over, rule.reopened)
        if any(one is not None for one in strange) or rule.calendar != "always":
            raise _Open
        if not calendars_are_known(self.scoring.world, rule, self.measure.over):
            raise _Open
        asked = []
        if rule.pauses is not None:
            asked.append(self._known(self.certain.presence(rule.pauses, scope)))
        if "calendar" in self.certain.types.schemas.kinds[self.measure.over].shape.fields:
            asked.append(Held(Column(("calendar",), "present")))
        stop = self._earliest(rule.stop)
        if not timely.limits:
            due, dated = self._first(rule.due)
            start = self._first(rule.start)[0] if rule.start else None
            # It counts in no period that ends before it starts, though it is due there.
            asked += [Compared("$gt", start, due)] if start is not None else []
            begin = due if start is None else FirstOf(((There(start), start), (Truth(True), due)))
            return _Due(begin, stop, due, tuple(asked), dated, 0)
        if len(timely.limits) > 1 or timely.limits[0].when is not None:
            raise _Open
        start, dated = self._first(rule.start)
        span, doubtful = self._span(timely.limits[0].amount, start)
        if rule.due:
            raise _Open
        # A pause moves the due time later, so that an early start says nothing then.
        return _Due(start, stop, Moved(start, 1, Literally(span)), (*asked, *doubtful), None if asked else dated, span)

    def _span(self, amount: Amount, start: Value) -> tuple[int, tuple[Test, ...]]:
        """The microseconds of a limit, and tests of the starts for which the clocks of the zone change on the way."""
        span = self._duration(amount)
        if span is not None and span.unit in _EXACT_UNITS and span.counted is not None:
            return span.counted // _TICK, ()
        if span is None or span.unit not in _DAYS or not isinstance(span.amount, int) or self.measure.is_dated:
            raise _Open
        length = span.amount * _DAYS[span.unit] * _DAY
        period = self.scoring.period
        changes = _changes(
            always(self.scoring.world.zone).zone, period.start - length - 2 * _DAY, period.end + 2 * _DAY
        )
        near = (
            All((_less(start, _ticks(day + 2 * _DAY)), Not(_less(start, _ticks(day - length - 2 * _DAY)))))
            for day in changes
        )
        return length // _TICK, tuple(near)

    def _duration(self, amount: Amount) -> Duration | None:
        if amount.path is None:
            return amount.duration
        raw = self.certain.parameter(amount.path)
        try:
            return parse_duration(raw) if isinstance(raw, str) else None
        except ValueError:
            return None

    # --- instants

    def _first(self, conditions: Sequence[Condition]) -> tuple[Value, Column | None]:
        """The first instant that is there, and its column where it is always the same one."""
        columns = [self._instant(one) for one in conditions]
        if len(columns) == 1:
            return columns[0], columns[0]
        return FirstOf(tuple((There(one), one) for one in columns)), None

    def _earliest(self, conditions: Sequence[Condition]) -> Value | None:
        if len(conditions) > 1:
            raise _Open
        return self._instant(conditions[0]) if conditions else None

    def _instant(self, condition: Condition) -> Column:
        """The column of an instant; a fact in which it is there and cannot be read is asked."""
        column = self.certain.instant(condition)
        if column is None:
            raise _Open
        there = Held(column._replace(form="present"))
        odd = Some((_less(column, _EARLIEST), Not(_less(column, _LATEST)), Not(There(column))))
        self._choose(All((there, odd)), Outcome.ASKED)
        return column

    def _choose(self, test: Test, outcome: Outcome) -> None:
        self.choices.append((test, Literally(int(outcome))))

    def _known(self, value: Any) -> Any:
        if value is None:
            raise _Open
        return value


def calendars_are_known(world: World, rule: ClockRule, kind: str) -> bool:
    """True when no fact can name a calendar that is not there, but by a field of its own."""
    usable = Calendars(world).usable()
    customers = (one.spec.get("calendar") for one in world.all("Customer")) if kind != "Customer" else ()
    return all(name in usable for name in {rule.working, world.config.calendar, *customers} if name)


def _changes(zone: Any, start: datetime, end: datetime) -> list[datetime]:
    """The days, in UTC, on which the clocks of a zone change between two instants."""
    first, last = start.astimezone(UTC).date(), end.astimezone(UTC).date()
    days = (_midnight(first + timedelta(days=number)) for number in range((last - first).days + 1))
    return [day for day in days if day.astimezone(zone).utcoffset() != (day + _DAY).astimezone(zone).utcoffset()]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _less(value: Value, bound: int) -> Test:
    return Compared("$lt", value, Literally(bound))


def _ticks(at: datetime) -> int:
    return (at - _EPOCH) // _TICK


def nested(values: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    """The fields of a fact that holds nothing but these values, each at its path."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        here = tree
        for name in path[:-1]:
            here = here.setdefault(name, {})
        here[path[-1]] = value
    return tree
