from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from workdays import CHINA, CHINA_SPEC, ROME, SHANGHAI, at

from remit.calendars import ALWAYS, WorkCalendar, always, calendar_of
from remit.clocks import By, Clock, Pause
from remit.times import Duration, Unit, format_instant, parse_duration, parse_instant, wall_time


def shown(instant: datetime | None) -> str | None:
    return instant and format_instant(instant)


def clock(start: str, *pauses: Pause, stop: str | None = None, calendar: WorkCalendar = CHINA) -> Clock:
    return Clock(at(start), at(stop) if stop else None, calendar, pauses)


def pause(start: str, end: str | None, name: str = "s-1") -> Pause:
    return Pause(at(start), at(end) if end else None, "user away", f"Suspension/{name}")


# ---- crossings, by hand


def test_a_24x7_service_window_always_counts_and_still_knows_working_days() -> None:
    calendar = calendar_of("desk", {**CHINA_SPEC, "serviceWindow": "24x7"})
    running = clock("09-18T16:00", calendar=calendar)

    assert calendar.is_working(at("10-01T03:00"))
    assert shown(running.crossing(parse_duration("4h"))) == "2026-09-18T20:00:00+08:00"
    assert shown(running.crossing(parse_duration("4wh"))) == "2026-09-20T11:00:00+08:00"
    assert shown(running.crossing(parse_duration("1wd"))) == "2026-09-20T16:00:00+08:00"


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        # working days
        ("03-06T16:00", "1wd", "03-09T16:00"),  # Friday to Monday
        ("03-07T11:00", "1wd", "03-10T00:00"),  # Saturday to the end of Monday
        ("09-18T16:00", "1wd", "09-20T16:00"),  # Friday to the make-up Sunday
        ("09-19T16:00", "1wd", "09-21T00:00"),  # Saturday to the end of the make-up Sunday
        ("09-18T16:00", "6wd", "09-28T16:00"),  # over Mid-Autumn
        ("09-30T16:00", "1wd", "10-08T16:00"),  # over National Day
        ("10-09T16:00", "1wd", "10-10T16:00"),  # Friday to the make-up Saturday
        ("10-09T16:00", "2wd", "10-12T16:00"),
        ("02-14T10:00", "1wd", "02-24T10:00"),  # make-up Saturday, then Spring Festival
        ("02-27T10:00", "2wd", "03-02T10:00"),  # over a make-up Saturday
        ("01-02T09:00", "1wd", "01-05T00:00"),  # holiday to the end of the make-up Sunday
        ("09-30T16:00", "0wd", "09-30T16:00"),
        # working hours, seven a day
        ("09-18T11:00", "7wh", "09-20T11:00"),
        ("09-20T08:30", "210m", "09-20T12:00"),  # reached at the end of a window, not after the break
        ("09-20T08:30", "211m", "09-20T14:01"),
        ("09-30T17:00", "1h", "10-08T09:00"),
        ("09-30T17:00", "30m", "09-30T17:30"),
        ("10-03T12:00", "1s", "10-08T08:30:01"),
        ("10-09T08:30", "14wh", "10-10T17:30"),
        ("10-09T08:30", "15wh", "10-12T09:30"),
        # the calendar, whatever works
        ("09-30T17:00", "3d", "10-03T17:00"),
        ("09-30T17:00", "2w", "10-14T17:00"),
        ("01-31T10:00", "1mo", "02-28T10:00"),
    ],
)
def test_limits_on_the_chinese_calendar_of_2026(start: str, limit: str, due: str) -> None:
    assert clock(start).crossing(parse_duration(limit)) == at(due)


@pytest.mark.parametrize(
    ("start", "limit", "pauses", "due"),
    [
        ("09-18T10:00", "4h", [("09-18T11:00", "09-18T12:00")], "09-18T15:00"),
        ("09-18T10:00", "4h", [("09-18T14:00", "09-18T15:00")], "09-18T14:00"),  # reached as the pause begins
        ("09-18T10:00", "4h", [("09-18T13:59", "09-18T15:00")], "09-18T15:01"),
        ("09-18T10:00", "4h", [("09-18T09:00", "09-18T11:00")], "09-18T15:00"),  # began before the clock
        ("09-18T10:00", "4h", [("09-18T11:00", "09-18T13:00"), ("09-18T12:00", "09-18T12:30")], "09-18T16:00"),
        ("09-18T10:00", "4h", [("09-18T11:00", "09-18T12:00"), ("09-18T12:00", "09-18T13:00")], "09-18T16:00"),
        ("09-18T10:00", "4h", [("09-18T12:00", "09-18T11:00")], "09-18T14:00"),  # ends before it begins
        ("09-18T10:00", "4h", [("09-18T11:00", None)], None),
        ("09-18T10:00", "1h", [("09-18T11:00", None)], "09-18T11:00"),
        ("09-18T10:00", "2d", [("09-19T00:00", "09-19T06:00")], "09-20T16:00"),
        ("09-18T10:00", "1d", [("09-19T08:00", "09-19T12:00"), ("09-19T13:00", "09-19T14:00")], "09-19T15:00"),
    ],
)
def test_pauses_move_a_limit_later(
    start: str, limit: str, pauses: list[tuple[str, str | None]], due: str | None
) -> None:
    paused = clock(start, *(pause(*span) for span in pauses), calendar=always(SHANGHAI))

    assert paused.crossing(parse_duration(limit)) == (at(due) if due else None)


def test_a_pause_on_the_working_calendar_costs_only_working_time() -> None:
    weekend = clock("09-30T17:00", pause("10-01T00:00", "10-08T08:45"))

    assert weekend.crossing(parse_duration("1h")) == at("10-08T09:15")
    assert weekend.crossing(parse_duration("1wd")) == at("10-09T01:45")  # 7 h on the 30th, 15 h 15 on the 8th


def test_a_clock_that_stops_at_the_limit_does_not_cross_it() -> None:
    assert clock("09-18T10:00", stop="09-18T14:00", calendar=always(SHANGHAI)).crossing(parse_duration("4h")) is None
    late = clock("09-18T10:00", stop="09-18T14:00:01", calendar=always(SHANGHAI))
    assert late.crossing(parse_duration("4h")) == at("09-18T14:00")


def test_a_due_time_stands_after_the_clock_has_stopped() -> None:
    repaired = clock("09-18T10:00", stop="09-18T11:00", calendar=always(SHANGHAI))

    assert repaired.crossing(parse_duration("4h")) is None
    assert repaired.due(parse_duration("4h")) == at("09-18T14:00")


def test_an_open_pause_does_not_outlive_its_clock() -> None:
    running = clock("09-18T10:00", pause("09-18T10:30", None), calendar=always(SHANGHAI))
    repaired = clock("09-18T10:00", pause("09-18T10:30", None), stop="09-18T11:00", calendar=always(SHANGHAI))

    assert running.due(parse_duration("4h")) is None
    assert repaired.due(parse_duration("4h")) == at("09-18T14:30")


def test_a_clock_runs_from_its_start_to_before_its_stop() -> None:
    running = clock("09-18T10:00", stop="09-18T11:00")

    assert [running.is_running(at(f"09-18T{when}")) for when in ("09:59", "10:00", "10:59", "11:00")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert clock("09-18T10:00").is_running(at("12-31T10:00"))


def test_a_clock_that_stops_before_it_starts_counts_nothing() -> None:
    turned = clock("09-18T10:00", stop="09-18T09:00")

    assert turned.segments(at("09-20T10:00")) == ()
    assert turned.elapsed(at("09-20T10:00")) == timedelta(0)
    assert turned.crossing(parse_duration("0m")) is None


@pytest.mark.parametrize("limit", ["1wd", "1wh"])
def test_working_units_need_a_calendar_with_working_days(limit: str) -> None:
    running = clock("09-18T16:00", calendar=ALWAYS)

    with pytest.raises(ValueError, match="knows no working days"):
        running.crossing(parse_duration(limit))
    with pytest.raises(ValueError, match="knows no working days"):
        running.elapsed(at("09-20T10:00"), by="days")
    assert running.crossing(parse_duration("1wd"), working=CHINA) == at("09-20T16:00")
    assert running.crossing(parse_duration("2wh"), working=CHINA) == at("09-20T09:00")


def test_answers_carry_the_offset_of_the_calendar() -> None:
    running = Clock(parse_instant("2026-09-18T02:00Z"), None, CHINA)

    assert shown(running.crossing(parse_duration("1h"))) == "2026-09-18T11:00:00+08:00"
    assert shown(Clock(running.start, None, ALWAYS).crossing(parse_duration("1h"))) == "2026-09-18T03:00:00+00:00"


def test_instants_without_an_offset_are_refused() -> None:
    with pytest.raises(ValueError, match="expected an aware instant"):
        Clock(datetime(2026, 9, 18), None, CHINA)


def test_a_pause_until_the_end_of_time_holds_for_ever() -> None:
    for_ever = Pause(at("09-18T11:00"), parse_instant("9999-12-31T23:59:59+08:00"), "no end", "Suspension/x")

    for calendar in (always(SHANGHAI), CHINA):
        held = Clock(at("09-18T10:00"), None, calendar, (for_ever,))
        assert held.elapsed(at("10-18T10:00")) == timedelta(hours=1)
        assert [held.crossing(parse_duration(limit), working=CHINA) for limit in ("4h", "3wd", "1mo")] == [None] * 3


def test_work_that_no_calendar_offers_is_never_reached() -> None:
    once = WorkCalendar("once", SHANGHAI, {}, makeup=frozenset({date(2026, 10, 10)}), makeup_windows=((540, 600),))
    running = Clock(at("09-18T10:00"), None, once)

    assert running.crossing(parse_duration("60m")) == at("10-10T10:00")
    assert running.crossing(parse_duration("61m")) is None


# ---- the night on which the clocks change


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-03-28T10:00:00+01:00", "1wd", "2026-03-29T10:00:00+02:00"),  # a make-up day, then 23 hours
        ("2026-03-29T00:00:00+01:00", "1wd", "2026-03-30T00:00:00+02:00"),
        ("2026-10-25T00:00:00+02:00", "1wd", "2026-10-26T00:00:00+01:00"),  # 25 hours
        ("2026-10-25T22:00:00+01:00", "1wd", "2026-10-28T22:00:00+01:00"),  # Monday a holiday, Tuesday free
        ("2026-03-28T22:00:00+01:00", "7wh", "2026-03-29T06:00:00+02:00"),  # a night of seven hours
        ("2026-03-28T10:00:00+01:00", "1d", "2026-03-29T10:00:00+02:00"),
        ("2026-03-28T10:00:00+01:00", "24wh", "2026-04-01T11:00:00+02:00"),  # 3 + 7, 4 + 8, 2
    ],
)
def test_limits_across_a_change_of_the_clocks(start: str, limit: str, due: str) -> None:
    assert shown(Clock(parse_instant(start), None, ROME).crossing(parse_duration(limit))) == due


def test_real_time_is_real_when_the_clocks_change() -> None:
    zone = ZoneInfo("Europe/Rome")
    night = Clock(datetime(2026, 10, 25, 1, tzinfo=zone), datetime(2026, 10, 25, 4, tzinfo=zone), always(zone))

    assert night.elapsed(datetime(2026, 10, 26, tzinfo=zone)) == timedelta(hours=4)
    assert shown(night.crossing(parse_duration("2h"))) == "2026-10-25T02:00:00+01:00"


# ---- segments


def lines(running: Clock, until: str, by: By = "time") -> list[str]:
    return [f"{s.start:%m-%d %H:%M} {s.end:%m-%d %H:%M} {s.reason}" for s in running.segments(at(until), by=by)]


def test_segments_say_what_counts_and_why_the_rest_does_not() -> None:
    running = clock("09-30T11:00", pause("09-30T14:30", "10-08T09:00"))

    assert lines(running, "10-08T13:00") == [
        "09-30 11:00 09-30 12:00 counted",
        "09-30 12:00 09-30 14:00 outside working hours (china-2026)",
        "09-30 14:00 09-30 14:30 counted",
        "09-30 14:30 09-30 17:30 suspended: user away (Suspension/s-1)",
        "09-30 17:30 10-01 00:00 outside working hours (china-2026)",
        "10-01 00:00 10-08 00:00 holiday",
        "10-08 00:00 10-08 08:30 outside working hours (china-2026)",
        "10-08 08:30 10-08 09:00 suspended: user away (Suspension/s-1)",
        "10-08 09:00 10-08 12:00 counted",
        "10-08 12:00 10-08 13:00 outside working hours (china-2026)",
    ]


def test_segments_by_days_take_working_days_whole() -> None:
    assert lines(clock("09-18T16:00"), "09-26T10:00", by="days") == [
        "09-18 16:00 09-19 00:00 counted",
        "09-19 00:00 09-20 00:00 non-working day",
        "09-20 00:00 09-25 00:00 counted",
        "09-25 00:00 09-26 10:00 holiday",
    ]


def test_overlapping_suspensions_are_all_named_in_any_order() -> None:
    one, two = pause("09-18T11:00", "09-18T13:00", "a"), pause("09-18T12:00", "09-18T14:00", "b")

    first, second = (clock("09-18T10:00", *both, calendar=always(SHANGHAI)) for both in ((one, two), (two, one)))

    assert lines(first, "09-18T15:00") == lines(second, "09-18T15:00") == [
        "09-18 10:00 09-18 11:00 counted",
        "09-18 11:00 09-18 12:00 suspended: user away (Suspension/a)",
        "09-18 12:00 09-18 13:00 suspended: user away (Suspension/a), user away (Suspension/b)",
        "09-18 13:00 09-18 14:00 suspended: user away (Suspension/b)",
        "09-18 14:00 09-18 15:00 counted",
    ]  # fmt: skip


# ---- the time before a due time


@pytest.mark.parametrize(
    ("due", "lead", "before"),
    [
        ("03-09T16:00", "1wd", "03-06T16:00"),
        ("03-10T00:00", "1wd", "03-07T00:00"),  # Monday is the one day left from the end of Friday on
        ("10-08T16:00", "2wd", "09-29T16:00"),
        ("10-12T09:00", "1wd", "10-10T09:00"),
        ("09-20T11:00", "7wh", "09-18T11:00"),
        ("09-20T11:00", "30m", "09-20T10:30"),
        ("03-31T10:00", "1mo", "02-28T10:00"),
        ("09-20T11:00", "3d", "09-17T11:00"),
        ("09-20T11:00", "0wd", "09-20T11:00"),
    ],
)
def test_the_time_before_a_due_time(due: str, lead: str, before: str) -> None:
    assert clock("01-05T09:00").before(at(due), parse_duration(lead)) == at(before)
    assert clock("12-01T09:00").before(at(due), parse_duration(lead)) == at(before)


def test_a_lead_passes_over_suspensions() -> None:
    paused = clock("09-18T10:00", pause("09-18T12:00", "09-18T20:00"), calendar=always(SHANGHAI))

    assert paused.before(at("09-18T21:00"), parse_duration("2h")) == at("09-18T11:00")
    assert paused.before(at("09-18T21:00"), parse_duration("4h")) == at("09-18T09:00")


# ---- always true

STARTS = st.integers(0, 500 * 24 * 60).map(lambda m: datetime(2025, 12, 1, tzinfo=UTC) + timedelta(minutes=m))
GAPS = st.integers(0, 20 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
CALENDARS = st.sampled_from([CHINA, ROME, always(SHANGHAI), always(ZoneInfo("Europe/Rome"))])
AMOUNTS: dict[Unit, int] = {"s": 500_000, "m": 10_000, "h": 200, "wh": 200, "wd": 30, "d": 60, "w": 8, "mo": 3, "y": 1}
COUNTED_UNITS: tuple[Unit, ...] = ("s", "m", "h", "wh", "wd")


@st.composite
def pauses(draw: st.DrawFn, start: datetime) -> Pause:
    begins = start + draw(GAPS) - timedelta(days=2)
    ends = None if draw(st.integers(0, 9)) == 9 else begins + draw(GAPS) / draw(st.sampled_from([1, 4, 100]))
    return Pause(begins, ends, "why", f"Suspension/{draw(st.sampled_from('abc'))}")


@st.composite
def clocks(draw: st.DrawFn, calendars: st.SearchStrategy[WorkCalendar] = CALENDARS) -> Clock:
    start = draw(STARTS)
    stop = draw(st.one_of(st.none(), GAPS.map(lambda gap: start + gap * 2)))
    return Clock(start, stop, draw(calendars), tuple(draw(st.lists(pauses(start), max_size=4))))


def durations(*units: Unit) -> st.SearchStrategy[Duration]:
    return st.sampled_from(units or tuple(AMOUNTS)).flatmap(
        lambda unit: st.integers(0, AMOUNTS[unit]).map(lambda amount: Duration(amount, unit))
    )


def working_of(running: Clock) -> WorkCalendar:
    return CHINA if not running.calendar.week else running.calendar


def counted(running: Clock, until: datetime, unit: Unit) -> timedelta:
    """What the clock counts in the measure of ``unit``."""
    if unit == "wd":
        return running.elapsed(until, by="days", working=working_of(running))
    if unit == "wh":
        return Clock(running.start, running.stop, working_of(running), running.pauses).elapsed(until)
    return running.elapsed(until)


def _in_changing_hour(instant: datetime, zone: ZoneInfo) -> bool:
    hour = timedelta(hours=1)
    return instant.astimezone(zone).utcoffset() != (instant + hour).astimezone(zone).utcoffset() or (
        instant.astimezone(zone).utcoffset() != (instant - hour).astimezone(zone).utcoffset()
    )


@given(clocks(), durations(*COUNTED_UNITS))
def test_at_a_crossing_exactly_the_limit_has_counted_and_not_before(running: Clock, limit: Duration) -> None:
    crossed = running.crossing(limit, working=working_of(running))
    assume(crossed is not None and limit.amount and not _in_changing_hour(crossed, working_of(running).zone))
    assert crossed is not None and limit.counted is not None

    assert counted(running, crossed, limit.unit) == limit.counted
    assert counted(running, crossed - timedelta(microseconds=1), limit.unit) < limit.counted


@given(clocks(), GAPS, durations(*COUNTED_UNITS))
def test_a_limit_is_crossed_where_enough_has_counted_before_the_stop(
    running: Clock, gap: timedelta, limit: Duration
) -> None:
    stopped = replace(running, stop=running.start + gap * 2 + timedelta(minutes=1))
    assert stopped.stop is not None and limit.counted is not None
    just_before = counted(stopped, stopped.stop - timedelta(microseconds=1), limit.unit)

    crossed = stopped.crossing(limit, working=working_of(stopped))

    assert crossed is None or crossed < stopped.stop
    assert (crossed is not None) == (just_before >= limit.counted)


@given(clocks(), st.sampled_from(tuple(AMOUNTS)), st.integers(0, 60), st.integers(0, 60))
def test_a_longer_limit_is_never_reached_earlier(running: Clock, unit: Unit, first: int, second: int) -> None:
    short, long = (running.due(Duration(n, unit), working=working_of(running)) for n in sorted((first, second)))

    assert long is None or (short is not None and short <= long)


@given(clocks(), GAPS, st.sampled_from(["time", "days"]))
def test_segments_tile_the_clock_and_sum_to_what_has_elapsed(running: Clock, gap: timedelta, by: By) -> None:
    until = running.start + gap
    working = working_of(running) if by == "days" else running.calendar
    end = min(until, running.stop) if running.stop else until

    segments = running.segments(until, by=by, working=working)

    assert bool(segments) == (end > running.start)
    if segments:
        assert (segments[0].start, segments[-1].end) == (running.start, end)
    assert all(one.end == two.start and one[2:] != two[2:] for one, two in pairwise(segments))
    assert all(segment.start < segment.end for segment in segments)

    def length(start: datetime, end: datetime) -> timedelta:
        return wall_time(end, working.zone) - wall_time(start, working.zone) if by == "days" else end - start

    total = sum((length(s.start, s.end) for s in segments if s.counted), timedelta(0))
    assert total == running.elapsed(until, by, working=working)


@given(clocks(), st.data(), durations())
def test_another_pause_never_makes_a_limit_due_earlier(running: Clock, data: st.DataObject, limit: Duration) -> None:
    more = Clock(running.start, running.stop, running.calendar, (*running.pauses, data.draw(pauses(running.start))))

    due, later = (one.due(limit, working=working_of(running)) for one in (running, more))

    assert later is None or (due is not None and due <= later)


@given(clocks(), st.randoms(use_true_random=False), durations(), GAPS)
def test_the_order_of_pauses_does_not_matter(running: Clock, random: Any, limit: Duration, gap: timedelta) -> None:
    order = list(running.pauses)
    random.shuffle(order)
    other = Clock(running.start, running.stop, running.calendar, tuple(order))

    assert other.due(limit, working=working_of(running)) == running.due(limit, working=working_of(running))
    assert other.segments(running.start + gap) == running.segments(running.start + gap)


@given(clocks(), st.sampled_from(COUNTED_UNITS), st.integers(0, 40), st.integers(0, 40))
def test_a_lead_before_the_due_time_is_where_the_rest_is_due(running: Clock, unit: Unit, lead: int, rest: int) -> None:
    working = working_of(running)
    due = running.due(Duration(lead + rest, unit), working=working)
    early = running.due(Duration(rest, unit), working=working)
    assume(due is not None and early is not None and lead)
    assert due is not None and early is not None
    assume(not _in_changing_hour(due, working.zone) and not _in_changing_hour(early, working.zone))

    assert running.before(due, Duration(lead, unit), working=working) == early


@given(st.sampled_from([CHINA, ROME]), STARTS, durations(*COUNTED_UNITS))
def test_a_clock_started_a_lead_before_is_due_again(calendar: WorkCalendar, due: datetime, lead: Duration) -> None:
    later = Clock(due + timedelta(days=1), None, calendar)
    assume(lead.amount and not _in_changing_hour(due, calendar.zone))

    start = later.before(due, lead)
    assume(not _in_changing_hour(start, calendar.zone))

    again = Clock(start, None, calendar).due(lead)
    assert again is not None and again <= due
    assert counted(Clock(again, None, calendar), due, lead.unit) == timedelta(0)


@given(st.sampled_from([CHINA, ROME]), STARTS, st.integers(1, 40))
def test_working_days_agree_with_counting_day_by_day(calendar: WorkCalendar, start: datetime, amount: int) -> None:
    assume(not _in_changing_hour(start, calendar.zone))
    wall = start.astimezone(calendar.zone).replace(tzinfo=None)
    day, left = wall.date(), amount
    inside = calendar.is_working_day(day) and wall.time() != datetime.min.time()
    while left:
        day += timedelta(days=1)
        left -= calendar.is_working_day(day) if inside else calendar.is_working_day(day - timedelta(days=1))
    expected = datetime.combine(day, wall.time() if inside else datetime.min.time())

    due = Clock(start, None, calendar).due(Duration(amount, "wd"))

    assert due is not None
    assume(not _in_changing_hour(due, calendar.zone))
    assert due.replace(tzinfo=None) == expected


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([CHINA, ROME]), STARTS, st.integers(0, 4 * 24 * 60))
def test_working_time_agrees_with_counting_minutes(calendar: WorkCalendar, start: datetime, minutes: int) -> None:
    naive = sum(calendar.is_working(start + timedelta(minutes=number)) for number in range(minutes))

    assert Clock(start, None, calendar).elapsed(start + timedelta(minutes=minutes)) == timedelta(minutes=naive)


def test_a_year_of_working_time_is_counted_quickly() -> None:
    running = clock("01-05T08:30")
    running.elapsed(at("12-31T08:30"))

    began = time.perf_counter()
    for _ in range(500):
        assert running.crossing(parse_duration("1500wh")) is not None
        assert running.elapsed(at("12-31T08:30"), by="days") > timedelta(days=200)
    spent = time.perf_counter() - began

    assert spent < 1  # A minute loop takes minutes.
