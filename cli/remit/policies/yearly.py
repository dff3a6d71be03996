"""Working time that is counted on a calendar which does not know the year, or soon will not.

What policies ask of calendars stays the same as long as they do; what there is to say of it depends on the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from remit.calendars import WorkCalendar, YearAsked
from remit.clocks import Clock
from remit.findings import Finding, finding
from remit.policies.clocking import Calendars
from remit.references import World


def unknown(years: Iterable[YearAsked], world: World, at: datetime) -> Iterator[Finding]:
    """What the calendars of a world do not know as of ``at`` of what they are asked."""
    calendars = Calendars(world)
    for year in years:
        yield from _unknown(year, calendars, at)


def _unknown(year: YearAsked, calendars: Calendars, at: datetime) -> Iterator[Finding]:
    try:
        calendar: WorkCalendar = calendars.named(year.calendar)
        reached = Clock(at, None, calendar).due(year.span) if year.span else None
    except (ValueError, KeyError):
        return
    known = f"Calendar/{year.calendar} knows {', '.join(map(str, sorted(calendar.years)))}"
    if not calendar.covers(at):
        message = f"Working time is counted in {at.astimezone(calendar.zone).year}, but {known}."
        yield _at(year, "calendar-without-year", message, "Add the year's holidays and make-up working days.")
    elif reached is not None and not calendar.covers(reached):
        message = f"{year.span} from now end in {reached.astimezone(calendar.zone).year}, but {known}."
        yield _at(year, "calendar-ends", message, "Add next year's holidays and make-up working days.")


def _at(year: YearAsked, code: str, message: str, hint: str) -> Finding:
    return finding(code, message, year.place, hint=hint, pointer=year.pointer, record=year.policy)
