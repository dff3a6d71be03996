"""What of a verdict depends on the day: service terms and calendars as of an instant, and who is there to be told.

Source: design section 11, point 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from remit.calendars import YearAsked
from remit.findings import Finding
from remit.policies.yearly import unknown
from remit.references import Entity, World, instant, last_instant
from remit.terms import ungoverned

Span = tuple[datetime, datetime]
"""From when until before when something holds; nothing when both are the same."""


def of_terms(world: World, years: Iterable[YearAsked], at: datetime) -> Iterator[Finding]:
    """What service levels and calendars do not say as of ``at``; ``years`` is what policies ask of calendars."""
    yield from ungoverned(world, at)
    yield from unknown(years, world, at)


def span(said: Callable[[datetime], Iterable[Finding]], read: Iterable[Entity], at: datetime, zone: ZoneInfo) -> Span:
    """For how long everything says what it says at ``at``: within its day, between the instants that were read.

    Nothing when calendars say something else in the course of it.
    """
    since = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    until = since + timedelta(days=1)
    for text in {text for entity in read for text in _dates(entity.spec)}:
        for one in (instant(text, zone), last_instant(text, zone)):
            if one is not None:
                since, until = (max(since, one), until) if one <= at else (since, min(until, one))
    told = [tuple(said(one)) for one in (since, at, until - timedelta.resolution)]
    return (since, until) if told[0] == told[1] == told[2] else (at, at)


def _dates(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value[:4].isdecimal():
            yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _dates(inner)
