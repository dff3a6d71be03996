"""Sums of days: a scorecard that adds them up is byte for byte that of facts asked one by one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_candidates import written
from test_tables_engine import demo, ticket_rows, varied
from test_tallying import DUE, MEASURES, MONTH, answer, files, parquet, tickets
from worlds import record_text

from remit.assessing import score
from remit.demo_feed import NOW
from remit.evaluating import Loaded, load
from remit.pack import pack_files
from remit.policies.daily import KEPT, day_of, day_start, days_of, instant_of, month_of, stretches
from remit.remembering import Memory
from remit.sources import SourceContext, rollups, tallying
from remit.sources import scan as scan_module
from remit.store import Files, Store
from remit.times import parse_period

__all__ = ["demo"]
ZONES = ["Asia/Shanghai", "Europe/Rome", "America/St_Johns", "Africa/Casablanca"]
LATER = MONTH + timedelta(days=200)
SUMMED = {name: one for name, one in MEASURES.items() if name not in ("rates", "noted")}
SUMMED["due"] = {"type": "ratio", "timely": {"clock": {**DUE, "due": "fact.closedAt"}}}


class Counter:
    """How often sums were made, and facts were counted in a scan."""

    def __init__(self) -> None:
        self.made = self.scanned = 0


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter:
    seen = Counter()
    made, scanned = rollups._made, tallying.Tallying._counted

    def noted_made(*given: Any) -> Any:
        seen.made += 1
        return made(*given)

    def noted_scanned(*given: Any) -> Any:
        seen.scanned += 1
        return scanned(*given)

    monkeypatch.setattr(rollups, "_made", noted_made)
    monkeypatch.setattr(tallying.Tallying, "_counted", noted_scanned)
    return seen


def old(context: SourceContext, second: int = 1_000_000_000) -> SourceContext:
    """The feed, as if it had stood there for long."""
    os.utime(context.file, (second, second))
    return context


def plainly(store: Files, context: SourceContext, period: str, at: datetime) -> str:
    return answer(score(load(store, [context]), "p", period, at=at, facts=False))


def summed(store: Files, context: SourceContext, period: str, at: datetime, memory: Memory | None) -> str:
    return answer(score(load(store, [context], "tables", memory=memory), "p", period, at=at, facts=False))


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(ZONES), st.integers(-5 * 1440, 40 * 1440))
@example(1, "Europe/Rome", 25 * 1440 + 61)
def test_any_period_at_any_moment_is_scored_alike(seed: int, zone: str, minutes: int) -> None:
    chosen = {name: SUMMED[name] for name in ("first", "flagged", "two-days", "cycle", "due", "days-late")}
    store = files({"period": ["month", "quarter", "year"]}, chosen, zone, {})
    with TemporaryDirectory() as folder:
        context = old(parquet(Path(folder), tickets(Random(seed), 60)))
        memory = Memory(Path(folder) / "cache", b"secret")
        asked, summed = load(store, [context]), load(store, [context], "tables", memory=memory)
        now = MONTH + timedelta(minutes=minutes)
        for period, at in (("2026-10", now), ("2026-Q4", now), ("2026-11", LATER), ("2026", LATER)):
            python, tables = (answer(score(one, "p", period, at=at, facts=False)) for one in (asked, summed))
            assert tables == python


def test_days_that_are_over_are_never_looked_through_again(tmp_path: Path, work: Counter) -> None:
    additive = {name: SUMMED[name] for name in ("closed", "four-hours", "due")}
    store = files({"period": ["month", "quarter"]}, additive, "Asia/Shanghai", {})
    context, memory = old(parquet(tmp_path, tickets(Random(5), 120, odd=0))), Memory(tmp_path / "cache", b"secret")

    for period in ("2026-10", "2026-09", "2026-Q4", "2026-10"):
        assert summed(store, context, period, LATER, memory) == plainly(store, context, period, LATER)

    assert (work.made, work.scanned) == (len(additive), 0)
    now = MONTH + timedelta(days=10, hours=3)
    assert summed(store, context, "2026-10", now, memory) == plainly(store, context, "2026-10", now)
    assert (work.made, work.scanned) == (len(additive), len(additive))


class TestAreMadeAnew:
    """Whenever that on which sums rest is not what it was, or the memory is not what was put there."""

    @pytest.fixture
    def known(self, tmp_path: Path, work: Counter) -> Iterator[Any]:
        rows = tickets(Random(6), 80, odd=0)
        memory = Memory(tmp_path / "cache", b"secret")
        context = old(parquet(tmp_path, rows))
        measures = {"closed": {**MEASURES["closed"], "where": 'fact.customer.grade == "local"'}}

        def asked(more: dict[str, bytes], zone: str = "Asia/Shanghai") -> tuple[str, int]:
            before = work.made
            store = files({}, measures, zone, more)
            told = summed(store, context, "2026-10", LATER, memory)
            assert told == plainly(store, context, "2026-10", LATER)
            return told, work.made - before

        self.rows, self.folder = rows, tmp_path
        first, made = asked({})
        again, remembered = asked({})
        assert (made, remembered) == (1, 0)
        assert again == first
        yield asked

    def test_when_the_file_is_written_again(self, known: Any) -> None:
        first, _ = known({})
        late = [{**one, "closedAt": "2026-10-09T08:00:00+08:00"} for one in self.rows]
        old(parquet(self.folder, late), 1_000_000_005)

        told, made = known({})

        assert made == 1
        assert told != first

    def test_when_a_record_that_a_condition_reads_is_changed(self, known: Any) -> None:
        other = record_text("Customer", "inn", {"grade": "group", "unit": "other"})
        first, _ = known({})

        told, made = known({"records/customers/inn.yaml": other})

        assert made == 1
        assert told != first

    def test_but_not_when_a_fact_leads_to_somebody_else(self, known: Any) -> None:
        other = record_text("Customer", "inn", {"grade": "local", "unit": "desk"})
        first, _ = known({})

        told, made = known({"records/customers/inn.yaml": other})

        assert made == 0
        assert told != first

    def test_when_the_calendar_has_other_days(self, known: Any) -> None:
        assert known({}, "Europe/Rome")[1] == 1

    def test_when_another_year_than_before_has_other_days(self, known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        first, _ = known({})
        moved = rollups._days
        monkeypatch.setattr(rollups, "_days", lambda month, world: [one + 3600 for one in moved(month, world)])

        assert known({}) == (first, 1)

    @pytest.mark.parametrize("kept", [b"", b"\0" * 40, None])
    def test_when_one_entry_is_cut_short_altered_or_gone(self, known: Any, kept: bytes | None) -> None:
        first, _ = known({})
        made = []
        for entry in sorted((self.folder / "cache").iterdir()):
            if kept is None:
                entry.unlink()
            else:
                entry.write_bytes(kept)
            told, again = known({})
            assert told == first
            made.append(again)

        assert sum(made) >= 2
        assert known({}) == (first, 0)

    def test_when_a_fact_is_excluded(self, known: Any) -> None:
        name = next(one["id"] for one in self.rows if "2026-10" in one.get("closedAt", "") and one["customer"] == "inn")
        schema = "schemas/kinds/AssessmentExclusion.schema.json"
        spec = {
            "policy": "p",
            "facts": [f"Ticket/{name}"],
            "status": "approved",
            "reason": "Force majeure.",
            "approvedBy": "ann",
            "evidence": ["file 1"],
            "approvedAt": "2026-10-15T08:00:00+08:00",
            "validTo": "2030-01-01",
        }
        more = {schema: pack_files()[schema]}
        first, _ = known(more)
        more["records/assessmentexclusions/x.yaml"] = record_text("AssessmentExclusion", "x", spec)

        told, made = known(more)

        assert made == 1
        assert told != first


def test_a_file_that_is_too_young_is_not_summed(tmp_path: Path, work: Counter) -> None:
    store = files({}, {"opened": MEASURES["opened"]}, "Asia/Shanghai", {})
    context, memory = parquet(tmp_path, tickets(Random(7), 60)), Memory(tmp_path / "cache", b"secret")

    assert summed(store, context, "2026-10", LATER, memory) == plainly(store, context, "2026-10", LATER)
    assert (work.made, work.scanned) == (0, 1)


@pytest.mark.parametrize("most", ["MOST_SUMS", "MOST_ASKED"])
def test_what_comes_to_too_much_is_counted_every_time_and_tried_once(
    tmp_path: Path, work: Counter, monkeypatch: pytest.MonkeyPatch, most: str
) -> None:
    monkeypatch.setattr(rollups, most, 1)
    store = files({}, {"noted": MEASURES["noted"]}, "Asia/Shanghai", {})
    context, memory = old(parquet(tmp_path, tickets(Random(8), 60, odd=0))), Memory(tmp_path / "cache", b"secret")

    for _ in range(2):
        assert summed(store, context, "2026-10", LATER, memory) == plainly(store, context, "2026-10", LATER)

    assert work.scanned == 2
    assert work.made == 1


@pytest.mark.parametrize("zone", ZONES)
def test_every_moment_lies_in_the_day_in_whose_month_it_counts(zone: str) -> None:
    where, dice = ZoneInfo(zone), Random(zone)
    days = stretches(where)

    assert days[0].start == day_start(0, where)
    assert [one.end for one in days[:-1]] == [one.start for one in days[1:]]
    for _ in range(300):
        at = KEPT.start + timedelta(days=3, seconds=dice.randrange(49 * 365 * 86_400))
        ticks = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        (own,) = (one for one in days if one.start <= ticks < one.end)
        number = own.day + (ticks - own.start) // own.length
        month = parse_period(month_of(number), where)
        assert number == day_of(at, where)
        assert number in days_of(month_of(number))
        assert month.start <= at < month.end
        assert instant_of(day_start(number, where)) <= at < instant_of(day_start(number + 1, where))


def test_sums_are_no_more_than_days_outcomes_and_keys(tmp_path: Path) -> None:
    store = files({}, {"flagged": MEASURES["flagged"]}, "Asia/Shanghai", {})
    context, memory = old(parquet(tmp_path, tickets(Random(9), 400, odd=0))), Memory(tmp_path / "cache", b"secret")
    kept: dict[str, bytes] = {}
    memory.keep = lambda name, content: kept.update({name: content})  # type: ignore[method-assign]

    summed(store, context, "2026-10", LATER, memory)

    months = [json.loads(one)["sums"] for name, one in kept.items() if name.startswith("sums") and " 2026-" in name]
    assert sum(facts for month in months for *_, facts in month) == 400
    assert all(len(month) <= 31 * 2 * 3 for month in months)
    assert scan_module.MOST_ODD > rollups.MOST_ASKED


def test_every_scorecard_of_the_example_is_the_same(demo: Path, tmp_path: Path, work: Counter) -> None:
    rows = [row for row in varied(ticket_rows(demo), Random(4), 200) if row.get("acceptedAt") != "yesterday"]
    context, memory = old(written(tmp_path, rows)), Memory(tmp_path / "cache", b"secret")
    by = {"over": "TroubleTicket", "by": ["fact.unit", "fact.customer.unit"]}
    due = {"clock": {"start": "fact.acceptedAt", "stop": "fact.repairedAt"}, "limit": "8h"}
    measures = [
        {"name": "accepted", "type": "count", "at": "fact.acceptedAt", **by},
        {"name": "quick", "type": "ratio", "timely": due, "where": 'fact.ticketType == "interruption"', **by},
    ]
    own = record_text(
        "AssessmentPolicy", "own", {"subject": "OrganizationUnit", "period": "month", "measures": measures}
    )
    files_there = Store.open(demo).files()
    store = replace(files_there, blobs={**files_there.blobs, "rules/assessment/own.yaml": own})
    python, first, again = load(store, [context]), *(load(store, [context], "tables", memory=memory) for _ in "ab")
    forms = {"month": "2026-09", "quarter": "2026-Q3", "half_year": "2026-H2", "year": "2026"}
    asked = [(policy.name, forms[cycle]) for policy in python.policies.assessments for cycle in policy.cycles]

    def cards(loaded: Loaded, at: datetime) -> list[str]:
        return [answer(score(loaded, policy, period, at=at, facts=False)) for policy, period in asked]

    for at in (NOW, LATER):
        assert cards(first, at) == cards(python, at)
    made = work.made
    assert cards(again, LATER) == cards(python, LATER)
    assert work.made == made == len(measures)
