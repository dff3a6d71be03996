"""Facts in memory of which nothing can be said are not asked about; what is answered is as if all were asked."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from test_tables_engine import AT, LEVELS, TICKETS, WEEK, demo, ticket_rows, varied, world
from test_tallying import parquet, tickets
from worlds import record_text, small_world, world_files

from remit.candidates import Passing
from remit.demo_feed import NOW
from remit.engine import Rulebook, Timeline, timeline
from remit.evaluating import Loaded, decide, in_force, load
from remit.policies.clocking import Window
from remit.policies.narrowing import Asked
from remit.sources import SourceContext
from remit.sources.spool import SpooledWorld
from remit.store import Files, Store

__all__ = ["demo"]

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")

WINDOWS = [(None, timedelta(0)), (timedelta(days=-9), timedelta(0)), (timedelta(0), timedelta(days=2))]


def plainly(loaded: Loaded, window: Window) -> Timeline:
    """What the policies say when every subject is asked about."""
    rulebook = Rulebook(loaded.policies.watches, loaded.compiler)
    try:
        return timeline(rulebook, loaded.world, window, loaded.wording, read_at=window.end)
    finally:
        rulebook.close()


@pytest.mark.parametrize("seed", range(2))
def test_a_generated_feed_is_answered_as_if_every_fact_were_asked_about(demo: Path, tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    at = NOW - timedelta(days=dice.randrange(60))
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in varied(ticket_rows(demo), dice, 30)))
    loaded = load(Store.open(demo).files(), [SourceContext(str(tmp_path / "t.jsonl"), "TroubleTicket")])

    for begin, end in WINDOWS:
        window = Window(None if begin is None else at + begin, at + end)
        every = plainly(loaded, window)
        found = decide(loaded, *window, read_at=window.end)
        standing = decide(loaded, None, window.end, read_at=window.end, standing=True)

        assert (found.decisions, found.findings) == (every.decisions, every.findings)
        if begin is None:
            assert list(in_force(standing, at)) == list(in_force(every, at))
            assert standing.findings == every.findings
            assert every.findings and every.decisions


@pytest.mark.parametrize(
    ("spec", "start", "standing", "names"),
    [
        ({}, None, True, ["of-shop", "open"]),
        ({}, None, False, ["closed", "long-closed", "of-shop", "open"]),
        ({}, AT - timedelta(hours=2), False, ["closed", "of-shop", "open"]),
        ({"when": "subject.customer.grade == 'local'"}, None, False, ["of-shop"]),
        ({"clock": {"start": "subject.closedAt"}}, None, False, ["closed", "long-closed"]),
    ],
)
def test_only_what_a_policy_can_speak_of_is_asked_about(
    tmp_path: Path, spec: dict[str, object], start: object, standing: bool, names: list[str]
) -> None:
    loaded = world(tmp_path, TICKETS, spec, engine="python")

    passing = Passing(loaded.world, loaded.compiler)

    assert [one.name for one in passing.of(loaded.policies.watches, Asked(Window(start, AT), standing))] == names


def test_what_no_term_governs_is_asked_about_though_its_clock_is_over() -> None:
    clock = {"start": "subject.openedAt", "stop": "subject.closedAt"}
    body = {"subject": "Ticket", "clock": clock, "levels": [{"name": "l", "after": "term.repairLimit"}]}
    closed = {"customer": "bank", "openedAt": "2026-10-15T08:00:00+08:00", "closedAt": "2026-10-15T09:00:00+08:00"}
    loaded = small_world({"rules/warning/p.yaml": record_text("WarningPolicy", "p", body)}, {"t": closed})

    found = decide(loaded, None, AT, read_at=AT, standing=True)

    assert [one.code for one in found.findings] == ["no-governing-term"]


WATCHES = {
    "late": {"clock": {"start": "subject.openedAt", "stop": "subject.closedAt"}, "levels": LEVELS},
    "of-group": {
        "when": 'subject.customer.grade == "group" && has(subject.text) && subject.text == "later"',
        "levels": [{"name": "seen", "notify": [{"role": "ceA", "of": "subject.customer"}]}],
    },
    "noted": {"when": "subject.notes.exists(n, has(n.by))", "levels": [{"name": "seen", "notify": [{"role": "boss"}]}]},
    "term": {
        "clock": {"start": "subject.openedAt", "stop": "subject.closedAt"},
        "levels": [{"name": "due", "after": "term.repairLimit", "notify": [{"role": "ceA", "of": "subject.customer"}]}],
    },
}


@pytest.mark.parametrize("names", [["late", "of-group", "noted"], ["term"]], ids=lambda names: names[0])
@pytest.mark.parametrize("standing", [True, False])
def test_a_parquet_feed_is_decided_about_where_it_stands(tmp_path: Path, names: list[str], standing: bool) -> None:
    rules = {name: {"subject": "Ticket", **WATCHES[name]} for name in names}
    store = Files(
        None,
        None,
        world_files(
            {
                "remit.yaml": b"name: small\ntimezone: Asia/Shanghai\nlanguage: en\ncalendar: week\n",
                "records/calendars/week.yaml": record_text("Calendar", "week", WEEK),
                **{f"rules/warning/{n}.yaml": record_text("WarningPolicy", n, one) for n, one in rules.items()},
            }
        ),
    )
    context = parquet(tmp_path, tickets(Random(6), 300))
    loaded = {engine: load(store, [context], engine) for engine in ("python", "tables")}
    window = Window(None if standing else AT - timedelta(days=3), AT)

    found = {name: decide(one, *window, read_at=AT, standing=standing) for name, one in loaded.items()}
    python, tables = ([[d.to_json(AT) for d in in_force(one, AT)], one.findings] for one in found.values())

    assert not loaded["python"].policies.findings
    assert tables == python
    assert any(python)
    assert standing or found["tables"].decisions == found["python"].decisions
    where = loaded["tables"].world
    assert isinstance(where, SpooledWorld)
    assert where.scans("Ticket")


def written(folder: Path, rows: list[dict[str, Any]]) -> SourceContext:
    """Tickets of the example as a Parquet feed: instants in columns of their own type, whatever is nested left out."""
    flat = [{name: one for name, one in row.items() if not isinstance(one, list | dict)} for row in rows]
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in flat))
    kinds = {bool: "BOOLEAN", int: "DOUBLE", float: "DOUBLE", str: "VARCHAR"}
    types = {
        name: "TIMESTAMPTZ" if INSTANT.match(str(one)) else kinds[type(one)]
        for row in flat
        for name, one in row.items()
    }
    columns = ", ".join(f"\"{name}\": '{kind}'" for name, kind in types.items())
    with duckdb.connect() as connection:
        read = f"read_json('{folder / 't.jsonl'}', format = 'newline_delimited', columns = {{{columns}}})"
        connection.sql(f"FROM {read}").write_parquet(str(folder / "t.parquet"))
    return SourceContext("t.parquet", "TroubleTicket", root=folder)


@pytest.mark.parametrize("standing", [True, False])
def test_a_parquet_feed_of_the_example_is_decided_about_where_it_stands(
    demo: Path, tmp_path: Path, standing: bool
) -> None:
    rows = [row for row in varied(ticket_rows(demo), Random(4), 300) if row.get("acceptedAt") != "yesterday"]
    store, context = Store.open(demo).files(), written(tmp_path, rows)
    loaded = {engine: load(store, [context], engine) for engine in ("python", "tables")}
    at = NOW - timedelta(days=20)
    window = Window(None if standing else at - timedelta(days=30), at)

    found = {name: decide(one, *window, read_at=at, standing=standing) for name, one in loaded.items()}
    python, tables = ([[d.to_json(at) for d in in_force(one, at)], one.findings] for one in found.values())

    assert tables == python
    assert all(python)
    assert standing or found["tables"].decisions == found["python"].decisions
    where = loaded["tables"].world
    assert isinstance(where, SpooledWorld)
    (scan,) = where.scans("TroubleTicket")
    assert scan.plain > 200
