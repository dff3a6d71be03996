"""Working calendars: which days are working days, and which minutes of them are working time.

Working time and working days are sorted spans per year with running totals, built when first asked for, so that a
question about them costs two searches and never a walk over minutes.

Source: design, section 5; domain, K-08.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from remit.places import Place
from remit.times import Duration, at_wall, parse_clock_time

Windows = tuple[tuple[int, int], ...]
"""Minutes from midnight, sorted and apart; a window past midnight ends after 1440."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NEVER_AFTER = 9990
"""No time is followed into the last years that Python knows: zone arithmetic would leave them."""

_ZERO = timedelta(0)
_DAY = timedelta(days=1)


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
    def working_time(self) -> Spans:
        """The windows of all working days, in UTC."""
        return Spans(self._time_of)

    @cached_property
    def working_days(self) -> Spans:
        """The working days from midnight to midnight, on the wall clock of ``zone``, without an offset."""
        return Spans(self._days_of)

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


# ---- spans: what counts, year by year


class YearAsked(NamedTuple):
    """A policy counts working time, on a calendar that has to know the year.

    Attributes:
        policy: Its id.
        place: Where it says so.
        pointer: The same, as a JSON pointer.
        calendar: The name of the calendar on which it counts.
        span: How much it counts from now on; None when it only looks at the present.
    """

    policy: str
    place: Place
    pointer: str
    calendar: str
    span: Duration | None


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


class Spans:
    """Counted spans, built year by year when first asked for. Moments are UTC or wall times, as ``spans_of`` gives."""

    def __init__(self, spans_of: Callable[[int], Iterable[tuple[datetime, datetime]]]) -> None:
        self._spans_of = spans_of
        self._years: dict[int, _Year] = {}

    def _year(self, number: int) -> _Year:
        if number not in self._years:
            spans = list(self._spans_of(number))
            before = [_ZERO]
            for start, end in spans:
                before.append(before[-1] + (end - start))
            self._years[number] = _Year([start for start, _ in spans], [end for _, end in spans], before)
        return self._years[number]

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much of [start, end) counts."""
        # A zone's year may begin a day before or after that of UTC, and a night shift ends in the next year.
        years = [self._year(number) for number in range(start.year - 1, end.year + 2)]
        return sum((year.done(end) - year.done(start) for year in years), _ZERO)

    def after(self, start: datetime, amount: timedelta) -> datetime | None:
        """The first moment at which ``amount`` (more than nothing) has counted since ``start``; None for never."""
        idle = 0
        for number in range(start.year - 1, NEVER_AFTER):
            year = self._year(number)
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
            year = self._year(number)
            done = year.done(end)
            if amount < done:
                return year.find(done - amount)
            amount -= done
        return None

    def inside(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The spans within [start, end), cut to it, in order."""
        for number in range(start.year - 1, end.year + 2):
            year = self._year(number)
            for index in range(max(bisect_right(year.starts, start) - 1, 0), bisect_left(year.starts, end)):
                if max(year.starts[index], start) < min(year.ends[index], end):
                    yield max(year.starts[index], start), min(year.ends[index], end)
