from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from workdays import CHINA, CHINA_SPEC, ROME, at

from remit.calendars import ALWAYS, calendar_of
from remit.times import parse_instant


@pytest.mark.parametrize(
    ("instant", "working"),
    [
        ("09-18T08:29", False),
        ("09-18T08:30", True),
        ("09-18T11:59", True),
        ("09-18T12:00", False),
        ("09-18T14:00", True),
        ("09-18T17:30", False),
        ("09-19T10:00", False),  # Saturday
        ("09-20T10:00", True),  # make-up Sunday
        ("09-25T10:00", False),  # Mid-Autumn Friday
        ("10-05T10:00", False),  # National Day Monday
        ("10-10T10:00", True),  # make-up Saturday
    ],
)
def test_china_works_in_its_windows_on_working_and_make_up_days(instant: str, working: bool) -> None:
    assert CHINA.is_working(at(instant)) is working


def test_china_2026_has_248_working_days() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]

    # 261 weekdays, 19 of them holidays, and six make-up days at weekends.
    assert sum(map(CHINA.is_working_day, days)) == 261 - 19 + 6


def test_a_calendar_covers_the_years_it_states_in_its_own_zone() -> None:
    assert CHINA.covers(parse_instant("2025-12-31T16:00Z"))
    assert not CHINA.covers(parse_instant("2026-12-31T16:00Z"))
    assert ALWAYS.covers(parse_instant("2190-01-01T00:00Z"))


def test_windows_that_touch_or_overlap_are_one() -> None:
    hours = [{"from": "13:00", "to": "18:00"}, {"from": "08:00", "to": "12:00"}, {"from": "12:00", "to": "14:00"}]

    calendar = calendar_of("c", {**CHINA_SPEC, "workingHours": hours})

    assert calendar.windows(date(2026, 9, 18)) == ((480, 1080),)
    assert calendar.windows(date(2026, 9, 19)) == ()


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    # Friday night works until Saturday 06:00; Saturday itself does not work.
    assert ROME.is_working(parse_instant("2026-09-19T05:59+02:00"))
    assert not ROME.is_working(parse_instant("2026-09-19T06:00+02:00"))
    assert not ROME.is_working(parse_instant("2026-09-19T23:00+02:00"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"timezone": "Asia/Nowhere"}, "expected an IANA name"),
        ({"timezone": "../etc"}, "expected an IANA name"),
        ({"workingDays": ["monday"]}, "expected one of mon"),
        ({"workingHours": [{"from": "8", "to": "12:00"}]}, "expected hours and minutes"),
        ({"workingHours": []}, "expected workingDays and workingHours"),
        ({"workingDays": []}, "expected workingDays and workingHours"),
        ({"holidays": [{"date": "2026-02-30", "name": "x"}]}, "day is out of range"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(change: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        calendar_of("c", {**CHINA_SPEC, **change})


def test_equal_calendars_are_equal_and_hashable() -> None:
    again = calendar_of("china-2026", CHINA_SPEC)

    assert again == CHINA
    assert len({again, CHINA}) == 1
