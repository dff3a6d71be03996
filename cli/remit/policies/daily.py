"""Measures day by day: which of them come to the same whatever period is asked about, and the days of a calendar.

What such a measure makes of a fact of a past period is the same in every period that holds the fact's day, so that the
sums of days can be kept, and added up later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any, NamedTuple

from remit.conditions.selection import Column
from remit.policies.measures import Measure
from remit.policies.pushed_measures import Pushed, Scoring
from remit.times import Period, at_wall

KEPT = Period("", datetime(2000, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC))
"""The days of which sums are kept."""

_FIRST = date(2000, 1, 1)
_MANY = (date(2050, 1, 1) - _FIRST).days
_DONE = datetime(9000, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Stretch(NamedTuple):
    """Days of one length on end: the instant at which the first begins, up to when, which day it is, and the length.

    Instants are microseconds since 1970, and so is the length; days are numbered from the first of ``KEPT``.
    """

    start: int
    end: int
    day: int
    length: int


def is_additive(measure: Measure) -> bool:
    """True when what is made of a fact of a past period is the same whatever period of it is asked about.

    Days late go on until the end of the period, and a due time may lie behind the period of its fact.
    """
    return measure.type != "days_late" and not (measure.timely and measure.is_dated)


def at_last(scoring: Scoring) -> Scoring:
    """The same question about all of ``KEPT`` at once, as of a moment when everything in it has happened."""
    return scoring._replace(period=KEPT, at=_DONE)


def is_kept(period: Period) -> bool:
    """True when every day of a period is one of those of which sums are kept."""
    return period.start - KEPT.start > timedelta(days=2) and KEPT.end - period.end > timedelta(days=2)


def columns_of(part: Pushed | Any) -> Iterator[Column]:
    """Every column that a measure over columns reads, some of them again and again."""
    if isinstance(part, Column):
        yield part
    elif isinstance(part, tuple):
        for one in part:
            yield from columns_of(one)
    elif is_dataclass(part):
        for field in fields(part):
            yield from columns_of(getattr(part, field.name))


def stretches(zone: tzinfo) -> Sequence[Stretch]:
    """The days of ``KEPT`` by the calendar of ``zone``, those of one length together."""
    starts = [day_start(number, zone) for number in range(_MANY + 1)]
    found: list[Stretch] = []
    for number, (start, end) in enumerate(pairwise(starts)):
        if found and found[-1].length == end - start:
            found[-1] = found[-1]._replace(end=end)
        else:
            found.append(Stretch(start, end, number, end - start))
    return found


def day_start(number: int, zone: tzinfo) -> int:
    """The instant at which a day begins in ``zone``."""
    day = _FIRST + timedelta(days=number)
    return (at_wall(datetime(day.year, day.month, day.day), zone) - _EPOCH) // _TICK


def day_of(instant: datetime, zone: tzinfo) -> int:
    """The day in which an instant lies."""
    number = (instant.astimezone(zone).date() - _FIRST).days
    ticks = (instant - _EPOCH) // _TICK
    while ticks < day_start(number, zone):
        number -= 1
    while ticks >= day_start(number + 1, zone):
        number += 1
    return number


def month_of(number: int) -> str:
    """The month of a day, as ``2026-10``."""
    return (_FIRST + timedelta(days=number)).isoformat()[:7]


def days_of(month: str) -> range:
    """The days of a month."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return range((first - _FIRST).days, (following - _FIRST).days)


def instant_of(ticks: int) -> datetime:
    """The instant so many microseconds after 1970."""
    return _EPOCH + ticks * _TICK
