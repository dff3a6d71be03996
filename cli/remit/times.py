"""Words of time: instants, durations, shares, clock times and calendar periods, read from text and written back.

An instant is an aware ``datetime``. Instants that this module gives out carry a fixed offset, never a named zone:
Python compares and subtracts two instants of one named zone by their wall clocks, which is wrong on the night on which
the clocks change. Nothing here looks at the present time.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple, cast, get_args

Unit = Literal["s", "m", "h", "d", "w", "mo", "y", "wh", "wd"]
Cycle = Literal["month", "quarter", "half_year", "year"]

LONGEST_YEARS = 100
"""A longer duration is a slip of the pen, and would make calendars count for ever."""

_SECONDS: dict[str, int] = {"s": 1, "m": 60, "h": 3600}
_DAYS: dict[str, int] = {"d": 1, "w": 7, "wd": 1}
_MONTHS: dict[str, int] = {"mo": 1, "y": 12}
_ABOUT_DAYS: dict[str, Fraction] = {
    **{unit: Fraction(seconds, 86_400) for unit, seconds in _SECONDS.items()},
    **{unit: Fraction(days) for unit, days in _DAYS.items()},
    **{unit: Fraction(365 * months, 12) for unit, months in _MONTHS.items()},
    "wh": Fraction(1, 24),
}
_CYCLE_MONTHS: dict[Cycle, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}

_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)
_DURATION = re.compile(r"([0-9]{1,12})(s|mo|m|h|d|wd|wh|w|y)")
_SHARE = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?)%")
_CLOCK_TIME = re.compile(r"([0-9]{2}):([0-9]{2})")
_PERIOD = re.compile(r"([0-9]{4})(?:-(?:([0-9]{2})|Q([1-4])|H([12])))?")


# ---- instants


def parse_instant(text: str) -> datetime:
    """The instant that ``text`` writes in RFC 3339, with its offset; the seconds may be left out.

    Digits beyond the microsecond are dropped.

    Raises:
        ValueError: no offset, not this form, or no such date or time; the text says what was expected.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not an instant; expected a form like 2026-03-02T09:00:00+08:00, with an offset')
    year, month, day, hour, minute, second, fraction, zulu, sign, offset_hours, offset_minutes = match.groups()
    try:
        offset = timedelta(0) if zulu else _offset(sign, int(offset_hours), int(offset_minutes))
        instant = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0),
            int((fraction or "")[:6].ljust(6, "0")), tzinfo=timezone(offset) if offset else UTC,
        )  # fmt: skip
        instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f'"{text}" is no possible instant ({error}); expected a real date, time and offset') from error
    return instant


def _offset(sign: str, hours: int, minutes: int) -> timedelta:
    if hours > 23 or minutes > 59:
        raise ValueError("an offset lies between -23:59 and +23:59")
    size = timedelta(hours=hours, minutes=minutes)
    return -size if sign == "-" else size


def format_instant(instant: datetime) -> str:
    """The RFC 3339 text of ``instant`` in its own offset: seconds always, a fraction only when there is one."""
    offset = instant.utcoffset()
    if offset is None:
        raise ValueError(f"{instant.isoformat()} has no offset; expected an aware instant")
    if offset.seconds % 60:  # Local mean time before standard zones; RFC 3339 cannot write it.
        instant = instant.astimezone(UTC)
    text = instant.isoformat(timespec="seconds")
    if not instant.microsecond:
        return text
    fraction = f"{instant.microsecond:06d}".rstrip("0")
    return f"{text[:19]}.{fraction}{text[19:]}"


def in_zone(instant: datetime, zone: tzinfo) -> datetime:
    """The same instant with the offset that ``zone`` has then; unchanged where the zone's clock would leave the years
    1 to 9999."""
    try:
        local = instant.astimezone(zone)
    except OverflowError:
        return instant
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta(0)), fold=0)


def wall_time(instant: datetime, zone: tzinfo) -> datetime:
    """What the clocks of ``zone`` show, without an offset, never going back.

    While an hour is lived a second time (clocks set back), the answer stays at the end of that hour, so that a later
    instant never has an earlier wall time and every calendar day has 24 hours.
    """
    local = instant.astimezone(zone)
    wall = local.replace(tzinfo=None, fold=0)
    if not local.fold:
        return wall
    first, second = _readings(wall, zone)
    return _change_of_offset(first, second, zone).astimezone(zone).replace(tzinfo=None, fold=0) + (second - first)


def at_wall(wall: datetime, zone: tzinfo) -> datetime:
    """The first instant at which the clocks of ``zone`` show ``wall`` or later; the inverse of ``wall_time``.

    A time that clocks skip (set forward) gives the instant at which they skip; one lived twice gives the first; the end
    of an hour lived twice is after the second.
    """
    early, late = _readings(wall, zone)
    return in_zone(_change_of_offset(late, early, zone) if late < early else early, zone)


def _readings(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """``wall`` read with the offset before, and with the one after, a change of offset; mostly the same instant."""
    aware = wall.replace(tzinfo=zone)
    return aware.replace(fold=0).astimezone(UTC), aware.replace(fold=1).astimezone(UTC)


def _change_of_offset(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """The instant in (low, high] from which the offset of ``high`` holds; zones change on whole seconds."""
    base = low.replace(microsecond=0)
    after = high.astimezone(zone).utcoffset()
    before, reached = 0, int((high - base).total_seconds())
    while reached - before > 1:
        middle = (before + reached) // 2
        if (base + timedelta(seconds=middle)).astimezone(zone).utcoffset() == after:
            reached = middle
        else:
            before = middle
    return base + timedelta(seconds=reached)


# ---- durations, shares, clock times


@dataclass(frozen=True)
class Duration:
    """A length of time as people write it: ``120m``, ``1mo``, ``2wd``.

    ``s m h`` are exact; ``d w mo y`` are calendar units; ``wh wd`` count working hours and working days. ``amount`` is
    never negative, and a ``Fraction`` only where a share left no whole number (80% of 3wd).
    """

    amount: int | Fraction
    unit: Unit

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise ValueError(f'"{self.unit}" is no unit of time; expected one of {", ".join(get_args(Unit))}')
        if self.amount < 0:
            raise ValueError(f"a duration of {self.amount}{self.unit} runs backwards; expected 0 or more")
        if self.amount * _ABOUT_DAYS[self.unit] > LONGEST_YEARS * 366:
            raise ValueError(f"a duration of {self.amount}{self.unit} is longer than {LONGEST_YEARS} years")
        if isinstance(self.amount, Fraction) and self.amount.denominator == 1:
            object.__setattr__(self, "amount", int(self.amount))

    def __str__(self) -> str:
        return f"{_decimal(self.amount)}{self.unit}"

    @property
    def seconds(self) -> int | None:
        """Whole seconds of ``s m h``; None for every other unit and for a part of a second."""
        if self.unit not in _SECONDS:
            return None
        exact = Fraction(self.amount) * _SECONDS[self.unit]
        return int(exact) if exact.denominator == 1 else None

    @property
    def is_working(self) -> bool:
        """Whether it counts working time, so that a calendar must say what that is."""
        return self.unit in ("wh", "wd")

    @cached_property
    def counted(self) -> timedelta | None:
        """What must be counted off for it: real time for ``s m h wh``, 24 hours for each ``wd``; None for calendar
        units, whose length depends on where they start. To the nearest microsecond."""
        if self.unit in ("d", "w", "mo", "y"):
            return None
        hour_units = {**_SECONDS, "wh": 3600, "wd": 86_400}
        return timedelta(microseconds=round(Fraction(self.amount) * hour_units[self.unit] * 1_000_000))

    def scaled(self, share: Fraction) -> Duration:
        """``share`` of this duration, exactly: 80% of 4h is 192m; in its own unit where none finer exists."""
        amount = Fraction(self.amount) * share
        if amount.denominator == 1 or self.unit not in _SECONDS:
            return Duration(amount, self.unit)
        exact = amount * _SECONDS[self.unit]
        whole_minutes = self.unit == "h" and (exact / 60).denominator == 1
        return Duration(exact / 60, "m") if whole_minutes else Duration(exact, "s")


def _decimal(amount: int | Fraction) -> str:
    """``amount`` as a decimal where one of up to nine places is exact, else as a quotient: 2.4, 1/3."""
    exact = Fraction(amount)
    if exact.denominator == 1:
        return str(exact.numerator)
    scaled = exact * 10**9
    if scaled.denominator != 1:
        return str(exact)
    whole, rest = divmod(scaled.numerator, 10**9)
    return f"{whole}.{rest:09d}".rstrip("0")


@lru_cache(maxsize=1 << 12)
def parse_duration(text: str) -> Duration:
    """The duration that ``text`` writes: one whole number and one unit, nothing between; sums are not allowed.

    Raises:
        ValueError: any other form, or longer than ``LONGEST_YEARS``; the text says what was expected.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(
            f'"{text}" is not a duration; expected a whole number and one of {" ".join(get_args(Unit))}, like 120m'
        )
    return Duration(int(match[1]), cast(Unit, match[2]))


def parse_share(text: str) -> Fraction:
    """The share that ``text`` writes in percent, exactly: ``80%`` is 4/5; more than 100% is allowed.

    Raises:
        ValueError: any other form.
    """
    match = _SHARE.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a share; expected a percentage like 80% or 12.5%')
    return Fraction(match[1]) / 100


def parse_clock_time(text: str) -> int:
    """Minutes from midnight of ``09:00``; ``24:00``, the end of the day, is 1440.

    Raises:
        ValueError: any other form, or no such time.
    """
    match = _CLOCK_TIME.fullmatch(text)
    minutes = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else None
    if minutes is None or minutes > 1440:
        raise ValueError(f'"{text}" is not a time of day; expected hours and minutes from 00:00 to 24:00, like 09:30')
    return minutes


def shifted(instant: datetime, duration: Duration, zone: tzinfo, *, back: bool = False) -> datetime:
    """``instant`` moved by a calendar duration (``d w mo y``): the same wall clock of ``zone`` on the other day.

    A day that the month does not have becomes its last (31 January + 1mo is 28 February). A broken amount is that
    part of the last, incomplete unit. A skipped wall time becomes the instant of the skip.

    Raises:
        ValueError: ``duration`` is not of a calendar unit.
        OverflowError: the answer lies outside the years 1 to 9999.
    """
    step = _stepper(duration.unit)
    wall = instant.astimezone(zone).replace(tzinfo=None, fold=0)
    whole = int(duration.amount)
    part = Fraction(duration.amount) - whole
    sign = -1 if back else 1
    near = at_wall(step(wall, sign * whole), zone) if whole else in_zone(instant, zone)
    if not part:
        return near
    far = at_wall(step(wall, sign * (whole + 1)), zone)
    return in_zone(near + timedelta(microseconds=round(part * ((far - near) // timedelta(microseconds=1)))), zone)


def _stepper(unit: Unit) -> Callable[[datetime, int], datetime]:
    if unit in ("d", "w"):
        return lambda wall, count: wall + timedelta(days=_DAYS[unit] * count)
    if unit in _MONTHS:
        return lambda wall, count: _months_later(wall, _MONTHS[unit] * count)
    raise ValueError(f'"{unit}" is not a unit of the calendar; expected one of d, w, mo, y')


def _months_later(wall: datetime, months: int) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("date value out of range")
    return wall.replace(year=year, month=month + 1, day=min(wall.day, calendar.monthrange(year, month + 1)[1]))


# ---- periods


class Period(NamedTuple):
    """A named stretch of the calendar, from ``start`` up to but not including ``end``."""

    name: str
    start: datetime
    end: datetime


def parse_period(text: str, zone: tzinfo) -> Period:
    """The month ``2026-10``, quarter ``2026-Q3``, half-year ``2026-H1`` or year ``2026``, from midnight to midnight in
    ``zone``.

    Raises:
        ValueError: any other form, or a month beyond 12.
    """
    match = _PERIOD.fullmatch(text)
    month = int(match[2]) if match and match[2] else 1
    if match is None or not 1 <= month <= 12 or not 1 <= int(match[1]) < 9999:
        raise ValueError(f'"{text}" is not a period; expected a form like 2026-10, 2026-Q3, 2026-H1 or 2026')
    year = int(match[1])
    if match[3]:
        return _period(year, "quarter", int(match[3]) - 1, zone)
    if match[4]:
        return _period(year, "half_year", int(match[4]) - 1, zone)
    return _period(year, "month", month - 1, zone) if match[2] else _period(year, "year", 0, zone)


def period_of(instant: datetime, cycle: Cycle, zone: tzinfo) -> Period:
    """The period of ``cycle`` in which ``instant`` lies by the calendar of ``zone``."""
    day = instant.astimezone(zone).date()
    return _period(day.year, cycle, (day.month - 1) // _CYCLE_MONTHS[cycle], zone)


def periods_between(start: datetime, end: datetime, cycle: Cycle, zone: tzinfo) -> list[Period]:
    """The periods that touch [start, end], both ends included, in order; empty when ``end`` is before ``start``."""
    if end < start:
        return []
    periods = [period_of(start, cycle, zone)]
    while periods[-1].end <= end:
        periods.append(period_of(periods[-1].end, cycle, zone))
    return periods


def _period(year: int, cycle: Cycle, index: int, zone: tzinfo) -> Period:
    months = _CYCLE_MONTHS[cycle]
    first = datetime(year, index * months + 1, 1)
    name = _period_name(first.date(), cycle, index)
    return Period(name, at_wall(first, zone), at_wall(_months_later(first, months), zone))


def _period_name(first: date, cycle: Cycle, index: int) -> str:
    tail = {"month": f"-{first.month:02d}", "quarter": f"-Q{index + 1}", "half_year": f"-H{index + 1}", "year": ""}
    return f"{first.year:04d}{tail[cycle]}"
