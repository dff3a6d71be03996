"""Working calendars and clocks: when time counts, how much of it has passed, and when a limit is reached.

All of it is arithmetic on instants that are given; nothing looks at the present time. Counted time is measured in one
of three ways: real time (a calendar that is always open), the windows of working days (``by="time"`` on a working
calendar, ``wh``), and whole working days of 24 hours on the wall clock (``by="days"``, ``wd``). The last two are sorted
spans per year with running totals, so that a question costs two searches and never a walk over minutes.

A limit is reached at the first instant at which the counted time equals it: eight hours of a day from 09:00 to 17:00
end at 17:00, not at 09:00 on the next day. Instants given out carry the fixed offset of the calendar's zone.

Source: design, section 5; domain, section 5.1 (CLK-24, CLK-24S, CLK-WD, CLK-CM).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from remit.times import Duration, at_wall, in_zone, parse_clock_time, shifted, wall_time

By = Literal["time", "days"]
Windows = tuple[tuple[int, int], ...]
"""Minutes from midnight, sorted and apart; a window past midnight ends after 1440."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COUNTED = "counted"

_ZERO = timedelta(0)
_DAY = timedelta(days=1)
_NEVER_AFTER = 9990
"""No clock is followed into the last years that Python knows: zone arithmetic would leave them."""


# ---- calendars


@dataclass(frozen=True)
class WorkCalendar:
    """Which days are working days of ``zone``, and which minutes of them are working time.

    ``week`` maps a weekday (0 is Monday) to its windows; a weekday that is not a key is not a working day. A make-up
    day works even if it is also a holiday. ``always_open`` says that clocks count around the clock (service window
    24x7); working days and hours are then still those of ``week``. ``years`` are those whose holidays are known.
    """

    name: str
    zone: ZoneInfo
    week: Mapping[int, Windows] = field(hash=False)
    holidays: frozenset[date] = frozenset()
    makeup: frozenset[date] = frozenset()
    makeup_windows: Windows = ()
    years: frozenset[int] = frozenset()
    always_open: bool = False

    def covers(self, instant: datetime) -> bool:
        """Whether the holidays of that year (in the calendar's zone) are known; always, if no years are stated."""
        return not self.years or instant.astimezone(self.zone).year in self.years

    def is_working_day(self, day: date) -> bool:
        """Whether ``day`` counts as a working day; holidays do not, make-up days do."""
        return day in self.makeup or (day.weekday() in self.week and day not in self.holidays)

    def windows(self, day: date) -> Windows:
        """The working windows that begin on ``day``; empty unless it is a working day."""
        if day in self.makeup:
            return self.makeup_windows
        return self.week[day.weekday()] if self.is_working_day(day) else ()

    def is_working(self, instant: datetime) -> bool:
        """Whether time counts at ``instant``; a window includes its first instant and not its last."""
        if self.always_open:
            return True
        local = instant.astimezone(self.zone)
        return any(
            start <= local.hour * 60 + local.minute + extra < end
            for day, extra in ((local.date(), 0), (local.date() - _DAY, 1440))
            for start, end in self.windows(day)
        )

    @cached_property
    def _working_time(self) -> _Spans:
        return _Spans(self._time_of)

    @cached_property
    def _working_days(self) -> _Spans:
        return _Spans(self._days_of)

    def _time_of(self, year: int) -> Iterator[tuple[datetime, datetime]]:
        """The windows that begin in ``year``, in UTC."""
        reached = datetime.min.replace(tzinfo=UTC)
        for day in _days(date(year - 1, 12, 31), date(year + 1, 1, 1)):
            midnight = datetime(day.year, day.month, day.day)
            for start, end in self.windows(day):
                opens = at_wall(midnight + timedelta(minutes=start), self.zone).astimezone(UTC)
                closes = at_wall(midnight + timedelta(minutes=end), self.zone).astimezone(UTC)
                # A window past midnight may reach into the next day's; no minute counts twice.
                if day.year == year and max(opens, reached) < closes:
                    yield max(opens, reached), closes
                reached = max(reached, closes)

    def _days_of(self, year: int) -> Iterator[tuple[datetime, datetime]]:
        """The working days of ``year``, on the wall clock."""
        for day in _days(date(year, 1, 1), date(year + 1, 1, 1)):
            if self.is_working_day(day):
                midnight = datetime(day.year, day.month, day.day)
                yield midnight, midnight + _DAY


def always(zone: ZoneInfo | None = None) -> WorkCalendar:
    """The calendar on which every instant counts; it knows no working days. UTC unless ``zone`` is given."""
    return WorkCalendar("always", zone or ZoneInfo("UTC"), {}, always_open=True)


ALWAYS = always()


def calendar_of(name: str, spec: Mapping[str, Any]) -> WorkCalendar:
    """The calendar that the ``spec`` of a Calendar record describes.

    ``workingHours`` hold on every working day and make-up day; a window whose end is not after its start ends on the
    next day. Without ``serviceWindow`` a clock counts working hours only.

    Raises:
        ValueError: a zone, day, date or time that does not exist, or working hours that are nowhere said.

    Source: domain, K-08; D3i-14 for the service window.
    """
    open_all_day = spec.get("serviceWindow", "working_hours") == "24x7"
    hours = _windows_of(spec.get("workingHours", ()))
    days = [_weekday(str(day)) for day in spec.get("workingDays", ())]
    if not open_all_day and not (hours and days):
        raise ValueError(f'calendar "{name}" counts working hours; expected workingDays and workingHours')
    hours = hours or ((0, 1440),)
    return WorkCalendar(
        name=name,
        zone=_zone(str(spec["timezone"])) if "timezone" in spec else ZoneInfo("UTC"),
        week=dict.fromkeys(sorted(days), hours),
        holidays=frozenset(date.fromisoformat(row["date"]) for row in spec.get("holidays", ())),
        makeup=frozenset(date.fromisoformat(row["date"]) for row in spec.get("makeUpWorkdays", ())),
        makeup_windows=hours,
        years=frozenset(int(year) for year in spec.get("years", ())),
        always_open=open_all_day,
    )


def _windows_of(rows: Iterable[Mapping[str, str]]) -> Windows:
    """The windows of ``rows``, sorted, with those that touch or overlap made one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((parse_clock_time(row["from"]), parse_clock_time(row["to"])) for row in rows):
        closes = end if end > start else end + 1440
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((start, closes))
    return tuple(merged)


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise ValueError(f'"{text}" is not a weekday; expected one of {", ".join(WEEKDAYS)}')
    return WEEKDAYS.index(text)


def _zone(key: str) -> ZoneInfo:
    try:
        return ZoneInfo(key)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f'"{key}" is not a time zone; expected an IANA name such as Asia/Shanghai') from error


def _days(first: date, stop: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((stop - first).days))


# ---- measures: how much of a stretch of time counts


class _Year(NamedTuple):
    """The counted spans of one year; ``before[i]`` is what counts before span i, the last entry the whole year."""

    starts: Sequence[datetime]
    ends: Sequence[datetime]
    before: Sequence[timedelta]

    def done(self, at: datetime) -> timedelta:
        """What of this year counts before ``at``."""
        index = bisect_right(self.starts, at) - 1
        return self.before[index] + min(at, self.ends[index]) - self.starts[index] if index >= 0 else _ZERO

    def find(self, total: timedelta) -> datetime:
        """The first moment at which ``total`` (more than nothing) of this year has counted."""
        index = bisect_left(self.before, total) - 1
        return self.starts[index] + (total - self.before[index])


class _Spans:
    """Counted spans, built year by year when first asked for. Moments are UTC or wall times, as ``spans_of`` gives."""

    def __init__(self, spans_of: Callable[[int], Iterable[tuple[datetime, datetime]]]) -> None:
        self._spans_of = spans_of
        self._years: dict[int, _Year] = {}

    def year(self, number: int) -> _Year:
        if number not in self._years:
            spans = list(self._spans_of(number))
            before = [_ZERO]
            for start, end in spans:
                before.append(before[-1] + (end - start))
            self._years[number] = _Year([start for start, _ in spans], [end for _, end in spans], before)
        return self._years[number]

    def between(self, start: datetime, end: datetime) -> timedelta:
        # A zone's year may begin a day before or after that of UTC, and a night shift ends in the next year.
        years = [self.year(number) for number in range(start.year - 1, end.year + 2)]
        return sum((year.done(end) - year.done(start) for year in years), _ZERO)

    def after(self, start: datetime, amount: timedelta) -> datetime | None:
        """The first moment at which ``amount`` (more than nothing) has counted since ``start``; None for never."""
        idle = 0
        for number in range(start.year - 1, _NEVER_AFTER):
            year = self.year(number)
            done = year.done(start)
            left = year.before[-1] - done
            if amount <= left:
                return year.find(done + amount)
            amount -= left
            idle = 0 if year.before[-1] else idle + 1
            if idle > 100:
                return None
        return None

    def ahead_of(self, end: datetime, amount: timedelta) -> datetime | None:
        """The first moment from which no more than ``amount`` counts until ``end``; None if there is none."""
        for number in range(end.year + 1, max(end.year - 200, 1), -1):
            year = self.year(number)
            done = year.done(end)
            if amount < done:
                return year.find(done - amount)
            amount -= done
        return None

    def inside(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The spans within [start, end), cut to it, in order."""
        for number in range(start.year - 1, end.year + 2):
            year = self.year(number)
            for index in range(max(bisect_right(year.starts, start) - 1, 0), bisect_left(year.starts, end)):
                if max(year.starts[index], start) < min(year.ends[index], end):
                    yield max(year.starts[index], start), min(year.ends[index], end)


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
        return reached if reached.year < _NEVER_AFTER else None

    def ahead_of(self, end: datetime, amount: timedelta) -> datetime | None:
        return _utc(end) - amount

    def parts(self, start: datetime, end: datetime) -> Iterator[Segment]:
        yield Segment(start, end, True, COUNTED)


class _WorkingTime:
    """The windows of working days count."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self._calendar = calendar
        self._spans = calendar._working_time

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
        self._spans = calendar._working_days

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


# ---- clocks


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
