"""Two calendars at hand: offices in China in 2026, and one in Rome that works through nights."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from remit.calendars import calendar_of
from remit.times import parse_instant


def _days(*spans: str) -> list[dict[str, str]]:
    """Rows of a Calendar record for days and spans of days such as 2026-10-01..2026-10-07."""
    rows = []
    for span in spans:
        first, _, last = span.partition("..")
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last or first):
            rows.append({"date": day.isoformat(), "name": "day"})
            day += timedelta(days=1)
    return rows


# The State Council's notice for 2026, with the usual office hours of a branch.
CHINA_SPEC: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "workingDays": ["mon", "tue", "wed", "thu", "fri"],
    "workingHours": [{"from": "08:30", "to": "12:00"}, {"from": "14:00", "to": "17:30"}],
    "holidays": _days(
        "2026-01-01..2026-01-03", "2026-02-15..2026-02-23", "2026-04-04..2026-04-06", "2026-05-01..2026-05-05",
        "2026-06-19..2026-06-21", "2026-09-25..2026-09-27", "2026-10-01..2026-10-07",
    ),
    "makeUpWorkdays": _days("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
    "serviceWindow": "working_hours",
    "years": [2026],
}  # fmt: skip
CHINA = calendar_of("china-2026", CHINA_SPEC)
# Works on the Sundays on which the clocks change, also in the night on which they do.
ROME = calendar_of(
    "rome-nights",
    {
        "timezone": "Europe/Rome",
        "workingDays": ["mon", "wed", "thu", "fri", "sun"],
        "workingHours": [{"from": "09:00", "to": "13:00"}, {"from": "22:00", "to": "06:00"}],
        "holidays": _days("2026-10-26", "2026-03-30"),
        "makeUpWorkdays": _days("2026-03-28"),
    },
)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return parse_instant(f"2026-{text}+08:00")
