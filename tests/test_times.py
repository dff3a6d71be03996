from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.times import (
    Cycle,
    Duration,
    Unit,
    at_wall,
    format_instant,
    in_zone,
    parse_clock_time,
    parse_duration,
    parse_instant,
    parse_period,
    parse_share,
    period_of,
    periods_between,
    shifted,
    wall_time,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROME = ZoneInfo("Europe/Rome")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # Its clocks change by half an hour.
SAO_PAULO = ZoneInfo("America/Sao_Paulo")  # Its clocks changed at midnight.
ZONES = st.sampled_from([SHANGHAI, ROME, LORD_HOWE, SAO_PAULO, ZoneInfo("UTC")])
INSTANTS = st.datetimes(datetime(2015, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))


# ---- instants


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-03-02T09:00:00+08:00", "2026-03-02T09:00:00+08:00"),
        ("2026-03-02T09:00+08:00", "2026-03-02T09:00:00+08:00"),
        ("2026-03-02T09:00Z", "2026-03-02T09:00:00+00:00"),
        ("2026-03-02t09:00:30z", "2026-03-02T09:00:30+00:00"),
        ("2026-03-02T09:00:00.5-03:30", "2026-03-02T09:00:00.5-03:30"),
        ("2026-03-02T09:00:00.000+08:00", "2026-03-02T09:00:00+08:00"),
        ("2026-03-02T09:00:00.123456789+08:00", "2026-03-02T09:00:00.123456+08:00"),
        ("9999-12-31T23:59:59+08:00", "9999-12-31T23:59:59+08:00"),
    ],
)
def test_an_instant_is_read_and_written_in_its_own_offset(text: str, written: str) -> None:
    assert format_instant(parse_instant(text)) == written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T09:00:00", "with an offset"),
        ("2026-03-02", "with an offset"),
        ("2026-03-02 09:00:00+08:00", "expected a form like"),
        ("2026-02-30T09:00:00+08:00", "expected a real date"),
        ("2026-03-02T24:00:00+08:00", "expected a real date"),
        ("2026-03-02T09:00:60+08:00", "expected a real date"),
        ("2026-03-02T09:00:00+24:00", "an offset lies between"),
        ("2026-03-02T09:00:00+0800", "expected a form like"),
        ("0000-03-02T09:00:00Z", "expected a real date"),
        ("0001-01-01T00:00:00+08:00", "expected a real date"),
        ("２０２６-03-02T09:00:00Z", "expected a form like"),
        ("2026-03-02T09:00:00Z\n", "expected a form like"),
        ("", "expected a form like"),
    ],
)
def test_what_is_no_instant_is_refused_with_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parse_instant(text)


@given(INSTANTS, st.integers(-1439, 1439))
def test_an_instant_survives_being_written_and_read(instant: datetime, minutes: int) -> None:
    local = instant.astimezone(timezone(timedelta(minutes=minutes)))

    read = parse_instant(format_instant(local))

    assert read == local
    assert read.utcoffset() == local.utcoffset()


def test_writing_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an aware instant"):
        format_instant(datetime(2026, 3, 2, 9))


@given(INSTANTS, ZONES)
def test_an_instant_in_a_zone_is_the_same_instant_with_a_fixed_offset(instant: datetime, zone: ZoneInfo) -> None:
    local = in_zone(instant, zone)

    assert local == instant
    assert isinstance(local.tzinfo, timezone)
    assert local.utcoffset() == instant.astimezone(zone).utcoffset()


def test_the_end_of_time_stays_in_its_own_offset() -> None:
    end = datetime.max.replace(tzinfo=UTC)

    assert in_zone(end, SHANGHAI) is end


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        (ROME, datetime(2026, 3, 29, 1, 59), "2026-03-29T01:59:00+01:00"),
        (ROME, datetime(2026, 3, 29, 2, 30), "2026-03-29T03:00:00+02:00"),  # skipped
        (ROME, datetime(2026, 3, 29, 3, 0), "2026-03-29T03:00:00+02:00"),
        (ROME, datetime(2026, 10, 25, 2, 30), "2026-10-25T02:30:00+02:00"),  # lived twice
        (ROME, datetime(2026, 10, 25, 3, 0), "2026-10-25T03:00:00+01:00"),
        (LORD_HOWE, datetime(2026, 10, 4, 2, 10), "2026-10-04T02:30:00+11:00"),
        (SAO_PAULO, datetime(2018, 11, 4, 0, 0), "2018-11-04T01:00:00-02:00"),
    ],
)
def test_a_wall_time_is_the_first_instant_that_shows_it_or_later(zone: ZoneInfo, wall: datetime, instant: str) -> None:
    assert format_instant(at_wall(wall, zone)) == instant


@pytest.mark.parametrize(
    ("instant", "wall"),
    [
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 2, 30)),
        ("2026-10-25T02:00:00+01:00", datetime(2026, 10, 25, 3, 0)),
        ("2026-10-25T02:59:59+01:00", datetime(2026, 10, 25, 3, 0)),
        ("2026-10-25T03:00:00+01:00", datetime(2026, 10, 25, 3, 0)),
        ("2026-03-29T03:00:00+02:00", datetime(2026, 3, 29, 3, 0)),
    ],
)
def test_the_wall_time_waits_while_an_hour_is_lived_again(instant: str, wall: datetime) -> None:
    assert wall_time(parse_instant(instant), ROME) == wall


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=2)), ZONES)
def test_the_wall_time_never_goes_back(instant: datetime, later: timedelta, zone: ZoneInfo) -> None:
    assert wall_time(instant, zone) <= wall_time(instant + later, zone)


@given(INSTANTS, ZONES)
def test_the_wall_time_leads_back_to_the_instant_unless_an_hour_is_lived_again(
    instant: datetime, zone: ZoneInfo
) -> None:
    back = at_wall(wall_time(instant, zone), zone)

    assert back == instant or (instant.astimezone(zone).fold and timedelta(0) < back - instant <= timedelta(hours=1))


# ---- durations, shares, clock times


@pytest.mark.parametrize(
    ("text", "unit", "seconds", "working"),
    [
        ("90s", "s", 90, False),
        ("120m", "m", 7200, False),
        ("4h", "h", 14_400, False),
        ("0m", "m", 0, False),
        ("2d", "d", None, False),
        ("1w", "w", None, False),
        ("1mo", "mo", None, False),
        ("1y", "y", None, False),
        ("4wh", "wh", None, True),
        ("2wd", "wd", None, True),
    ],
)
def test_a_duration_is_read(text: str, unit: str, seconds: int | None, working: bool) -> None:
    duration = parse_duration(text)

    assert (duration.unit, duration.seconds, duration.is_working) == (unit, seconds, working)
    assert str(duration) == text


@pytest.mark.parametrize(
    "text",
    ["", "4", "h", "4 h", "4H", "-4h", "+4h", "1.5h", "1h30m", "4hours", "1M", "２h", "101y", "9999999999s", "4h\n"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a whole number|longer than 100 years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "share", "scaled"),
    [
        ("4h", "80%", "192m"),
        ("4h", "50%", "2h"),
        ("120m", "75%", "90m"),
        ("1h", "33.33%", "1199.88s"),
        ("1m", "12.5%", "7.5s"),
        ("3wd", "80%", "2.4wd"),
        ("5wd", "80%", "4wd"),
        ("8wh", "80%", "6.4wh"),
        ("1mo", "80%", "0.8mo"),
        ("4h", "150%", "6h"),
        ("4h", "0%", "0h"),
    ],
)
def test_a_share_of_a_duration_is_exact(text: str, share: str, scaled: str) -> None:
    assert str(parse_duration(text).scaled(parse_share(share))) == scaled


def test_a_share_without_an_exact_decimal_is_written_as_a_quotient() -> None:
    assert str(parse_duration("1wd").scaled(Fraction(1, 3))) == "1/3wd"


@given(st.integers(0, 5000), st.sampled_from(["s", "m", "h", "wh", "wd"]), st.integers(0, 20_000))
def test_a_scaled_duration_counts_the_share_of_the_time(amount: int, unit: Unit, hundredths: int) -> None:
    duration = Duration(amount, unit)
    share = Fraction(hundredths, 10_000)

    scaled = duration.scaled(share).counted

    assert scaled is not None and duration.counted is not None
    assert Fraction(scaled // timedelta(microseconds=1)) == share * (duration.counted // timedelta(microseconds=1))


@pytest.mark.parametrize(("amount", "unit"), [(-1, "h"), (1, "fortnight")])
def test_an_impossible_duration_cannot_be_made(amount: int, unit: Unit) -> None:
    with pytest.raises(ValueError, match="expected"):
        Duration(amount, unit)


@pytest.mark.parametrize(("text", "share"), [("80%", Fraction(4, 5)), ("12.5%", Fraction(1, 8)), ("0%", Fraction(0))])
def test_a_share_is_read_exactly(text: str, share: Fraction) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["80", "0.8", "-5%", "80 %", "%", "1e2%", ".5%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a percentage"):
        parse_share(text)


@pytest.mark.parametrize(("text", "minutes"), [("00:00", 0), ("09:30", 570), ("24:00", 1440)])
def test_a_clock_time_is_read_as_minutes(text: str, minutes: int) -> None:
    assert parse_clock_time(text) == minutes


@pytest.mark.parametrize("text", ["9:00", "09:60", "24:01", "0900", "09:00:00", ""])
def test_what_is_no_clock_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected hours and minutes"):
        parse_clock_time(text)


@pytest.mark.parametrize(
    ("start", "duration", "zone", "end"),
    [
        ("2026-01-31T10:00+08:00", "1mo", SHANGHAI, "2026-02-28T10:00:00+08:00"),
        ("2024-01-31T10:00+08:00", "1mo", SHANGHAI, "2024-02-29T10:00:00+08:00"),
        ("2024-02-29T10:00+08:00", "1y", SHANGHAI, "2025-02-28T10:00:00+08:00"),
        ("2026-11-30T10:00+08:00", "3mo", SHANGHAI, "2027-02-28T10:00:00+08:00"),
        ("2026-01-31T17:00Z", "1mo", SHANGHAI, "2026-03-01T01:00:00+08:00"),  # 1 February in Shanghai
        ("2026-03-28T10:00+01:00", "1d", ROME, "2026-03-29T10:00:00+02:00"),
        ("2026-10-24T10:00+02:00", "1w", ROME, "2026-10-31T10:00:00+01:00"),
        ("2026-03-28T02:30+01:00", "1d", ROME, "2026-03-29T03:00:00+02:00"),
        ("2026-10-25T02:30+01:00", "0d", ROME, "2026-10-25T02:30:00+01:00"),
    ],
)
def test_calendar_units_keep_the_wall_clock(start: str, duration: str, zone: ZoneInfo, end: str) -> None:
    assert format_instant(shifted(parse_instant(start), parse_duration(duration), zone)) == end


def test_calendar_units_step_back_too() -> None:
    start = parse_instant("2026-03-31T10:00+08:00")

    assert format_instant(shifted(start, parse_duration("1mo"), SHANGHAI, back=True)) == "2026-02-28T10:00:00+08:00"


def test_a_part_of_a_month_is_that_part_of_this_month() -> None:
    start = parse_instant("2026-02-01T00:00+08:00")

    half = shifted(start, parse_duration("1mo").scaled(Fraction(1, 2)), SHANGHAI)

    assert format_instant(half) == "2026-02-15T00:00:00+08:00"


def test_exact_units_are_not_calendar_units() -> None:
    with pytest.raises(ValueError, match="not a unit of the calendar"):
        shifted(datetime(2026, 1, 1, tzinfo=UTC), parse_duration("4h"), SHANGHAI)


# ---- periods


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-10", "2026-10-01T00:00:00+08:00", "2026-11-01T00:00:00+08:00"),
        ("2026-12", "2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ("2026-Q3", "2026-07-01T00:00:00+08:00", "2026-10-01T00:00:00+08:00"),
        ("2026-H2", "2026-07-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ("2026", "2026-01-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
    ],
)
def test_a_period_runs_from_midnight_to_midnight(text: str, start: str, end: str) -> None:
    period = parse_period(text, SHANGHAI)

    assert (period.name, format_instant(period.start), format_instant(period.end)) == (text, start, end)


def test_a_period_knows_the_change_of_the_clocks() -> None:
    period = parse_period("2026-03", ROME)

    assert period.end - period.start == timedelta(days=31, hours=-1)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-Q5", "2026-H3", "2026-1", "26", "2026-q1", "9999"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a form like"):
        parse_period(text, SHANGHAI)


def test_an_instant_lies_in_the_period_of_its_zone() -> None:
    instant = parse_instant("2026-09-30T16:00Z")

    assert period_of(instant, "month", SHANGHAI).name == "2026-10"
    assert period_of(instant, "quarter", SHANGHAI).name == "2026-Q4"
    assert period_of(instant, "half_year", ROME).name == "2026-H2"
    assert period_of(instant, "month", ROME).name == "2026-09"


def test_periods_between_include_the_one_that_begins_at_the_end() -> None:
    names = [
        period.name
        for period in periods_between(
            parse_instant("2025-11-15T00:00+08:00"), parse_instant("2026-02-01T00:00+08:00"), "month", SHANGHAI
        )
    ]

    assert names == ["2025-11", "2025-12", "2026-01", "2026-02"]


def test_no_period_lies_between_an_end_and_an_earlier_start() -> None:
    assert periods_between(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), "month", ROME) == []


@settings(max_examples=50)
@given(INSTANTS, INSTANTS, st.sampled_from(["month", "quarter", "half_year", "year"]), ZONES)
def test_periods_tile_the_time_between(a: datetime, b: datetime, cycle: Cycle, zone: ZoneInfo) -> None:
    start, end = sorted((a, b))

    periods = periods_between(start, end, cycle, zone)

    assert periods[0].start <= start < periods[0].end
    assert periods[-1].start <= end < periods[-1].end
    assert all(one.end == after.start for one, after in pairwise(periods))
    assert all(parse_period(period.name, zone) == period for period in periods[:3])
