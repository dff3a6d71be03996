"""Clocks: how much time has counted, and when a limit is reached.

All of it is arithmetic on instants that are given; nothing looks at the present time. Counted time is measured in one
of three ways: real time (a calendar that is always open), the windows of working days (``by="time"`` on a working
calendar, ``wh``), and whole working days of 24 hours on the wall clock (``by="days"``, ``wd``).

A limit is reached at the first instant at which the counted time equals it: eight hours of a day from 09:00 to 17:00
end at 17:00, not at 09:00 on the next day. Instants given out carry the fixed offset of the calendar's zone.

Source: design, section 5; domain, section 5.1 (CLK-24, CLK-24S, CLK-WD, CLK-CM).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from remit.calendars import NEVER_AFTER, WorkCalendar
from remit.times import Duration, at_wall, in_zone, shifted, wall_time

By = Literal["time", "days"]

COUNTED = "counted"

_ZERO = timedelta(0)
_DAY = timedelta(days=1)


class Pause(NamedTuple):
    """An approved suspension, from ``start`` up to but not including ``end``; an open one (None) lasts for ever.

    ``record`` is the id of the record that states it, such as ``Suspension/s-1``.
    """

    start: datetime
    end: datetime | None
    reason: str
    record: str


class Segment(NamedTuple):
    """A stretch of a clock, half-open, that counts or does not, and why."""

    start: datetime
    end: datetime
    counted: bool
    reason: str


@dataclass(frozen=True)
class Clock:
    """A clock that runs from ``start`` up to but not including ``stop`` (None: it still runs), on a calendar.

    Pauses may come in any order, overlap, or lie outside the clock: only what lies within it matters. ``working`` in
    the methods names the calendar of ``wh``, ``wd`` and ``by="days"``; without it, it is the clock's own, which must
    then have working days.
    """

    start: datetime
    stop: datetime | None
    calendar: WorkCalendar
    pauses: tuple[Pause, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", _fixed(self.start))
        object.__setattr__(self, "stop", self.stop and _fixed(self.stop))
        object.__setattr__(self, "pauses", tuple(
            pause._replace(start=_fixed(pause.start), end=pause.end and _fixed(pause.end)) for pause in self.pauses
        ))  # fmt: skip

    def is_running(self, at: datetime) -> bool:
        """Whether ``at`` lies in [start, stop); a paused clock runs."""
        return self.start <= at and (self.stop is None or at < self.stop)

    def segments(self, until: datetime, *, by: By = "time", working: WorkCalendar | None = None) -> tuple[Segment, ...]:
        """The stretches from ``start`` to ``until`` or ``stop``, whichever is first, without gap or overlap.

        Neighbours differ in whether they count or why. A suspension is named only where time would otherwise count, so
        that the suspended segments are exactly what the suspensions saved. ``by="days"`` on a day on which the clocks
        change, the lengths differ from ``elapsed``, which takes such a day as 24 hours too.

        Raises:
            ValueError: ``by="days"`` and no calendar has working days.
        """
        end = self._end(until)
        if end <= self.start:
            return ()
        measure = self._measure(by, working)
        zone = (working or self.calendar).zone
        cut = (piece for part in measure.parts(self.start, end) for piece in self._cut(part))
        return tuple(
            part._replace(start=in_zone(part.start, zone), end=in_zone(part.end, zone)) for part in _merged(cut)
        )

    def elapsed(self, until: datetime, by: By = "time", *, working: WorkCalendar | None = None) -> timedelta:
        """The counted time from ``start`` to ``until`` or ``stop``; 24 hours for each working day ``by="days"``.

        Raises:
            ValueError: as ``segments``.
        """
        return self._counted(self._measure(by, working), self._end(until))

    def crossing(self, after: Duration, *, working: WorkCalendar | None = None) -> datetime | None:
        """The first instant at which the counted time reaches ``after``; None if the clock stops then or before.

        ``s m h`` count the clock's own time, ``wh`` working time, ``wd`` working days; ``d w mo y`` keep the wall clock
        and move later by the time paused on the way.

        Raises:
            ValueError: ``wh`` or ``wd``, and no calendar has working days.
        """
        due = self.due(after, working=working)
        return due if due is not None and (self.stop is None or due < self.stop) else None

    def due(self, limit: Duration, *, working: WorkCalendar | None = None) -> datetime | None:
        """As ``crossing``, but also when the clock has stopped: the due time of work that is done.

        Pauses end with the clock: a stopped clock is not held by an open one. None when an open pause holds the clock
        for ever, or the calendar never works so much.
        """
        measure = self._measure_of(limit, working)
        try:
            amount = self._amount(limit)
            return self._reach(measure, amount, (working or self.calendar).zone)
        except OverflowError:
            return None  # Beyond the year 9999: not in any life.

    def before(self, due: datetime, lead: Duration, *, working: WorkCalendar | None = None) -> datetime:
        """The first instant from which no more than ``lead`` counts until ``due``.

        So ``before(due(12h), 4h)`` is ``due(8h)``: pauses and free days between are passed over. It may lie before
        ``start``. Calendar units step back on the wall clock, further by the time paused between.

        Raises:
            ValueError: as ``crossing``.
        """
        due = _fixed(due)
        zone = (working or self.calendar).zone
        measure = self._measure_of(lead, working)
        amount = lead.counted
        if amount is None:
            amount = _RealTime().between(shifted(due, lead, self.calendar.zone, back=True), due)
        if not amount:
            return in_zone(due, zone)
        total = self._counted(measure, due)
        if amount <= total:
            reached = self._reach(measure, total - amount, zone)
        else:
            reached = measure.ahead_of(min(due, self.start), amount - total)
        if reached is None:
            raise ValueError(f"no {lead} of work lie ahead of {due.isoformat()}; expected a calendar that works")
        return in_zone(reached, zone)

    # -- within

    def _end(self, until: datetime) -> datetime:
        return _fixed(until) if self.stop is None else min(_fixed(until), self.stop)

    @cached_property
    def _paused(self) -> tuple[tuple[datetime, datetime | None], ...]:
        """What is paused within the clock, in order and apart."""
        merged: list[tuple[datetime, datetime | None]] = []
        for start, end in sorted(self._clipped_pauses(), key=lambda pause: pause[0]):
            last = merged[-1][1] if merged else None
            if merged and last is None:
                break
            if merged and last is not None and start <= last:
                merged[-1] = (merged[-1][0], None if end is None else max(last, end))
            else:
                merged.append((start, end))
        return tuple(merged)

    def _clipped_pauses(self) -> Iterator[tuple[datetime, datetime | None]]:
        for pause in self.pauses:
            start = max(pause.start, self.start)
            end = pause.end if self.stop is None else min(pause.end or self.stop, self.stop)
            if end is None or start < end:
                yield start, end

    def _free(self) -> Iterator[tuple[datetime, datetime | None]]:
        """The stretches between pauses, in order; the last is open (None) unless a pause holds the clock for ever."""
        free: datetime | None = self.start
        for start, end in self._paused:
            if free is not None and free < start:
                yield free, start
            free = end
        if free is not None:
            yield free, None

    def _counted(self, measure: _Measure, end: datetime) -> timedelta:
        stretches = ((first, end if last is None else min(last, end)) for first, last in self._free())
        return sum((measure.between(first, last) for first, last in stretches if first < last), _ZERO)

    def _reach(self, measure: _Measure, amount: timedelta, zone: ZoneInfo) -> datetime | None:
        """The first instant at which ``amount`` has counted, whether the clock has stopped or not."""
        if not amount:
            return in_zone(self.start, zone)
        for first, last in self._free():
            worth = None if last is None else measure.between(first, last)
            if worth is None or amount <= worth:
                reached = measure.after(first, amount)
                return in_zone(reached, zone) if reached else None
            amount -= worth
        return None

    def _amount(self, limit: Duration) -> timedelta:
        counted = limit.counted
        if counted is not None:
            return counted
        # Moving the due time later by the paused time, again until it rests, is counting off the same real time.
        return max(_RealTime().between(self.start, shifted(self.start, limit, self.calendar.zone)), _ZERO)

    def _cut(self, part: Segment) -> Iterator[Segment]:
        """``part`` cut where pauses begin and end; where any holds, it is suspended, with every reason."""
        if not part.counted:
            yield part
            return
        marks = {mark for pause in self.pauses for mark in (pause.start, pause.end) if mark is not None}
        inside = sorted({_utc(mark) for mark in marks if part.start < mark < part.end})
        edges = [part.start, *inside, part.end]
        for start, end in pairwise(edges):
            holding = [p for p in self.pauses if p.start <= start and (p.end is None or p.end >= end)]
            names = ", ".join(sorted({f"{pause.reason} ({pause.record})" for pause in holding}))
            yield Segment(start, end, not holding, f"suspended: {names}" if holding else part.reason)

    def _measure(self, by: By, working: WorkCalendar | None) -> _Measure:
        if by == "days":
            return _WorkingDays(self._working(working))
        return _RealTime() if self.calendar.always_open else _WorkingTime(self.calendar)

    def _measure_of(self, limit: Duration, working: WorkCalendar | None) -> _Measure:
        if limit.unit == "wd":
            return _WorkingDays(self._working(working))
        if limit.unit == "wh":
            return _WorkingTime(self._working(working))
        return _RealTime() if limit.counted is None else self._measure("time", None)

    def _working(self, working: WorkCalendar | None) -> WorkCalendar:
        calendar = working or self.calendar
        if not calendar.week and not calendar.makeup:
            raise ValueError(f'calendar "{calendar.name}" knows no working days; expected one that does')
        return calendar


def _fixed(instant: datetime) -> datetime:
    """``instant`` with a fixed offset, so that comparing it never compares the wall clocks of a zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no offset; expected an aware instant")
    return instant if isinstance(instant.tzinfo, timezone) else in_zone(instant, instant.tzinfo)


def _merged(parts: Iterable[Segment]) -> Iterator[Segment]:
    """``parts`` with neighbours of the same reason made one; a summary of days, never of different reasons."""
    held: Segment | None = None
    for part in parts:
        if held is not None and (held.counted, held.reason) == (part.counted, part.reason):
            held = held._replace(end=part.end)
            continue
        if held is not None:
            yield held
        held = part
    if held is not None:
        yield held


# ---- measures: how much of a stretch of time counts


class _Measure(Protocol):
    """One way to count time. Instants in and out are aware."""

    def between(self, start: datetime, end: datetime) -> timedelta: ...

    def after(self, start: datetime, amount: timedelta) -> datetime | None: ...

    def ahead_of(self, end: datetime, amount: timedelta) -> datetime | None: ...

    def parts(self, start: datetime, end: datetime) -> Iterator[Segment]: ...


class _RealTime:
    """Every instant counts."""

    def between(self, start: datetime, end: datetime) -> timedelta:
        return _utc(end) - _utc(start)

    def after(self, start: datetime, amount: timedelta) -> datetime | None:
        reached = _utc(start) + amount
        return reached if reached.year < NEVER_AFTER else None

    def ahead_of(self, end: datetime, amount: timedelta) -> datetime | None:
        return _utc(end) - amount

    def parts(self, start: datetime, end: datetime) -> Iterator[Segment]:
        yield Segment(start, end, True, COUNTED)


class _WorkingTime:
    """The windows of working days count."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self._calendar = calendar
        self._spans = calendar.working_time

    def between(self, start: datetime, end: datetime) -> timedelta:
        return self._spans.between(_utc(start), _utc(end))

    def after(self, start: datetime, amount: timedelta) -> datetime | None:
        return self._spans.after(_utc(start), amount)

    def ahead_of(self, end: datetime, amount: timedelta) -> datetime | None:
        return self._spans.ahead_of(_utc(end), amount)

    def parts(self, start: datetime, end: datetime) -> Iterator[Segment]:
        reached = _utc(start)
        for opens, closes in self._spans.inside(_utc(start), _utc(end)):
            yield from self._closed(reached, opens)
            yield Segment(opens, closes, True, COUNTED)
            reached = closes
        yield from self._closed(reached, _utc(end))

    def _closed(self, start: datetime, end: datetime) -> Iterator[Segment]:
        return (Segment(first, last, False, _closed_because(self._calendar, day))
                for day, first, last in _by_day(start, end, self._calendar.zone))  # fmt: skip


class _WorkingDays:
    """Whole working days count, 24 hours each by the wall clock, also on the day on which the clocks change."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self._calendar = calendar
        self._spans = calendar.working_days

    def between(self, start: datetime, end: datetime) -> timedelta:
        return self._spans.between(self._wall(start), self._wall(end))

    def after(self, start: datetime, amount: timedelta) -> datetime | None:
        return self._instant(self._spans.after(self._wall(start), amount))

    def ahead_of(self, end: datetime, amount: timedelta) -> datetime | None:
        return self._instant(self._spans.ahead_of(self._wall(end), amount))

    def parts(self, start: datetime, end: datetime) -> Iterator[Segment]:
        for day, first, last in _by_day(start, end, self._calendar.zone):
            counted = self._calendar.is_working_day(day)
            yield Segment(first, last, counted, COUNTED if counted else _closed_because(self._calendar, day))

    def _wall(self, instant: datetime) -> datetime:
        return wall_time(instant, self._calendar.zone)

    def _instant(self, wall: datetime | None) -> datetime | None:
        return at_wall(wall, self._calendar.zone) if wall else None


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


def _by_day(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[date, datetime, datetime]]:
    """[start, end) cut at the midnights of ``zone``, each piece with its day; nothing for an empty stretch."""
    while start < end:
        day = start.astimezone(zone).date()
        midnight = at_wall(datetime(day.year, day.month, day.day) + _DAY, zone)
        yield day, start, min(midnight, end)
        start = midnight


def _closed_because(calendar: WorkCalendar, day: date) -> str:
    if calendar.is_working_day(day):
        return f"outside working hours ({calendar.name})"
    return "holiday" if day in calendar.holidays else "non-working day"
