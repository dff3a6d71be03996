"""Measures counted in columns: whatever is counted, the scorecard is byte for byte that of facts asked one by one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from worlds import record_text, world_files

from remit.assessing import score
from remit.evaluating import Loaded, load
from remit.policies.counting import InColumns
from remit.remembering import Memory
from remit.scorecards import Scorecard
from remit.sources import SourceContext
from remit.sources import scan as scan_module
from remit.sources.spool import SpooledWorld
from remit.sources.tallying import Tallying
from remit.store import Files
from remit.times import format_instant, parse_instant

NOW = parse_instant("2026-10-20T13:00:00+08:00")
MONTH = parse_instant("2026-10-01T00:00:00+08:00")
BY = {"by": ["fact.customer.unit"]}
DUE = {"start": "fact.openedAt", "stop": "fact.closedAt"}
LATE = '!has(fact.text) || fact.text != "later"'

MEASURES: dict[str, dict[str, Any]] = {
    "opened": {"type": "count", "at": "fact.openedAt"},
    "closed": {"type": "count", "at": "fact.closedAt", "where": 'fact.customer.grade == "group"'},
    "first": {"type": "count", "at": ["fact.closedAt", "fact.openedAt"], "where": LATE},
    "flagged": {"type": "ratio", "at": "fact.openedAt", "good": "has(fact.flag) && fact.flag"},
    "noted": {"type": "ratio", "at": "fact.openedAt", "good": "fact.notes.exists(n, has(n.by))"},
    "four-hours": {"type": "ratio", "timely": {"clock": DUE, "limit": "4h"}},
    "two-days": {"type": "ratio", "timely": {"clock": DUE, "limit": "2d"}, "where": "has(fact.count)"},
    "parameter": {"type": "ratio", "timely": {"clock": DUE, "limit": "param.limit"}},
    "working": {"type": "ratio", "timely": {"clock": DUE, "limit": "2wd"}},
    "days-late": {"type": "days_late", "timely": {"clock": DUE, "limit": "4h"}},
    "dated": {"type": "ratio", "at": "fact.openedAt", "timely": {"clock": DUE, "limit": "30h"}},
    "cycle": {"type": "mean", "at": "fact.closedAt", "value": {"from": "fact.openedAt", "to": "fact.closedAt"}},
    "hours": {"type": "sum", "at": "fact.openedAt", "value": "fact.hours"},
    "counts": {"type": "sum", "at": "fact.openedAt", "value": "fact.count"},
    "weights": {"type": "percentile", "percentile": 90, "at": "fact.openedAt", "value": "fact.weight"},
    "rates": {"type": "mean", "at": "fact.openedAt", "value": "fact.rate"},
}
ASKED = {"noted", "rates"}
"""Measures of which columns say no more than which facts are of the period."""
NOT_IN_COLUMNS = {"working"}


def files(head: Mapping[str, Any], measures: Mapping[str, Mapping[str, Any]], zone: str, more: Any) -> Files:
    """The small store with one assessment policy of these measures."""
    written = [{"name": name, "over": "Ticket", **BY, **measure} for name, measure in measures.items()]
    policy = {"subject": "OrganizationUnit", "period": "month", "measures": written, **head}
    return Files(
        None,
        None,
        world_files(
            {
                "remit.yaml": f"name: small\ntimezone: {zone}\nlanguage: en\n".encode(),
                "rules/assessment/p.yaml": record_text("AssessmentPolicy", "p", policy),
                "records/customers/nowhere.yaml": record_text("Customer", "nowhere", {"grade": "group"}),
                "records/organizationunits/other.yaml": record_text("OrganizationUnit", "other", {"parent": "desk"}),
                "records/customers/inn.yaml": record_text("Customer", "inn", {"grade": "local", "unit": "other"}),
                "records/parametersets/all.yaml": record_text(
                    "ParameterSet", "all", {"parameters": {"limit": {"value": "5h", "unit": "duration"}}}
                ),
                **more,
            }
        ),
    )


def tickets(dice: Random, number: int, *, odd: float = 0.05) -> list[dict[str, Any]]:
    """Tickets around October, some of them without what measures ask for, or with it in a form of its own."""
    made = []
    for serial in range(number):
        opened = MONTH + timedelta(minutes=dice.randrange(-6_000, 33 * 1440))
        row: dict[str, Any] = {
            "id": f"t{dice.randrange(10**6)}-{serial}",
            "customer": dice.choice(["bank", "shop", "inn"] if dice.random() > odd else ["nowhere"]),
            "openedAt": dice.choice([format_instant(opened), format_instant(opened).replace("T", "t")])
            if dice.random() < odd
            else format_instant(opened),
            "text": dice.choice(["now", "later", "静"]),
            "flag": dice.random() < 0.5,
            "count": dice.randrange(-3, 9) if dice.random() > odd else 2**60 + 1,
            "weight": dice.choice([1, 2.5, 0.1, 1e-7, 3.0, 12.3456]),
            "hours": dice.randrange(100) / 7,
            "rate": f"{dice.randrange(100)}%",
            "notes": [{"at": format_instant(opened), "by": "ann"}] if dice.random() < odd else [],
        }
        if dice.random() < 0.8:
            row["closedAt"] = format_instant(opened + timedelta(seconds=dice.choice([14_400, dice.randrange(300_000)])))
        for name in [name for name in ("text", "flag", "count", "weight", "hours", "rate") if dice.random() < 0.1]:
            del row[name]
        made.append(row)
    return made


def feed(folder: Path, rows: Sequence[Mapping[str, Any]]) -> SourceContext:
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return SourceContext("t.jsonl", "Ticket", root=folder)


def answer(scorecard: Scorecard) -> str:
    return json.dumps([scorecard.to_json(None), [one.to_json() for one in scorecard.findings]], ensure_ascii=False)


def both(store: Files, context: SourceContext, period: str, at: Any = NOW) -> tuple[str, str]:
    """The scorecard with facts in memory, and with facts as tables."""
    loaded: list[Loaded] = [load(store, [context], "python"), load(store, [context], "tables")]
    assert loaded[0].trouble == loaded[0].policies.findings == (), loaded[0].policies.findings
    python, tables = (answer(score(one, "p", period, at=at, facts=False)) for one in loaded)
    return python, tables


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """By measure that columns counted: how many facts they counted, and how many were left to be asked."""
    seen: dict[str, tuple[int, int]] = {}
    count = Tallying.__call__

    def noted(self: Tallying, measure: Any, *rest: Any) -> InColumns | None:
        made = count(self, measure, *rest)
        if made is None:
            return None
        asked = list(made.asked)
        seen[measure.name] = (sum(tally.of for tally in made.tallies.values()), len(asked))
        return made._replace(asked=asked)

    monkeypatch.setattr(Tallying, "__call__", noted)
    return seen


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Rome"])
def test_generated_tickets_are_scored_alike(
    tmp_path: Path, counted: dict[str, tuple[int, int]], seed: int, zone: str
) -> None:
    head = {"when": "has(subject.responsiblePerson)"} if seed == 1 else {}
    store = files(head, MEASURES, zone, {})
    context = feed(tmp_path, tickets(Random(seed), 150))

    for at in (NOW, MONTH + timedelta(days=90)):
        python, tables = both(store, context, "2026-10", at)

        assert tables == python
    assert set(counted) == set(MEASURES) - NOT_IN_COLUMNS
    assert {name for name, (facts, asked) in counted.items() if facts <= asked} == ASKED


def test_clean_tickets_are_not_asked_at_all(tmp_path: Path, counted: dict[str, tuple[int, int]]) -> None:
    store = files({}, MEASURES, "Asia/Shanghai", {})
    context = feed(tmp_path, tickets(Random(9), 200, odd=0))

    python, tables = both(store, context, "2026-10")

    assert tables == python
    assert {name for name, (_, asked) in counted.items() if asked} == ASKED


def test_facts_that_are_excluded_lead_nowhere_or_lack_an_instant_are_told_alike(tmp_path: Path) -> None:
    named = {"a": {"type": "count", "at": "fact.closedAt"}}
    rows = [
        {"id": f"t{number:02}", "customer": customer, "openedAt": "2026-10-02T08:00:00+08:00", **closed}
        for number in range(20)
        for customer in ["bank" if number % 3 else "nowhere"]
        for closed in [{"closedAt": "2026-10-03T08:00:00+08:00"} if number % 4 else {}]
    ]
    python, tables = both(files({}, named, "Asia/Shanghai", {}), feed(tmp_path, rows), "2026-10")

    assert tables == python
    assert "leaves out 5 of Ticket that lead to no OrganizationUnit" in python
    assert "Ticket/t03, Ticket/t06, Ticket/t09 …" in python
    assert "leaves out 5 of Ticket that have no instant" in python


# ---- feeds that are facts where they stand

TYPES = {
    "id": "VARCHAR",
    "customer": "VARCHAR",
    "openedAt": "TIMESTAMPTZ",
    "closedAt": "TIMESTAMPTZ",
    "text": "VARCHAR",
    "flag": "BOOLEAN",
    "count": "BIGINT",
    "weight": "DOUBLE",
    "hours": "DOUBLE",
    "notes": 'STRUCT("at" TIMESTAMPTZ, "by" VARCHAR)[]',
}


def parquet(folder: Path, rows: Sequence[Mapping[str, Any]]) -> SourceContext:
    """The rows as a Parquet feed whose columns have types."""
    feed(folder, [{**row, "openedAt": row["openedAt"].upper()} if "openedAt" in row else row for row in rows])
    columns = ", ".join(f"\"{name}\": '{kind}'" for name, kind in TYPES.items())
    with duckdb.connect() as connection:
        read = f"read_json('{folder / 't.jsonl'}', format = 'newline_delimited', columns = {{{columns}}})"
        connection.sql(f"FROM {read}").write_parquet(str(folder / "t.parquet"), row_group_size=2048)
    return SourceContext("t.parquet", "Ticket", root=folder)


def test_a_parquet_feed_is_scored_where_it_stands_and_its_bad_rows_are_named(
    tmp_path: Path, counted: dict[str, tuple[int, int]]
) -> None:
    rows = tickets(Random(3), 200)
    bad = [
        {**rows[0], "customer": "bnak", "id": "elsewhere"},
        {**rows[1], "id": rows[2]["id"]},
        {**rows[3], "id": rows[2]["id"]},
        {**rows[4], "id": ""},
        {**rows[5], "id": "t-\u202e", "text": "a"},
        {name: value for name, value in rows[6].items() if name != "openedAt"} | {"id": "never"},
        {**rows[7], "id": "far", "count": 2**54},
    ]
    context = parquet(tmp_path, [*rows[:150], *bad, *rows[150:]])
    measures = {name: one for name, one in MEASURES.items() if name != "rates"}
    store = files({}, measures, "Asia/Shanghai", {})

    python, tables = both(store, context, "2026-10")
    reports = [load(store, [context], engine).reports for engine in ("python", "tables")]

    assert tables == python
    assert reports[0] == reports[1]
    assert {"row-reference", "row-duplicate", "row-schema", "bad-row"} <= {one["code"] for one in json.loads(python)[1]}
    assert {name for name, (facts, asked) in counted.items() if facts > asked} >= set(counted) - ASKED
    loaded = load(store, [context], "tables")
    assert isinstance(loaded.world, SpooledWorld)
    (scan,) = loaded.world.scans("Ticket")
    assert 7 < len(scan.odd) < 40


def test_facts_where_they_stand_are_found_by_name_all_the_same(tmp_path: Path) -> None:
    store, context = (
        files({}, {"n": MEASURES["opened"]}, "Asia/Shanghai", {}),
        parquet(tmp_path, tickets(Random(4), 60)),
    )

    python, tables = (load(store, [context], engine).world for engine in ("python", "tables"))

    assert list(tables.all("Ticket")) == list(python.all("Ticket"))
    assert tables.get("Ticket", python.names_of("Ticket")[5]) == python.all("Ticket")[5]


def test_what_was_proved_of_a_feed_is_remembered_until_the_feed_or_a_record_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = parquet(tmp_path, tickets(Random(8), 80))
    os.utime(context.file, (1_000_000_000, 1_000_000_000))
    memory = Memory(tmp_path / "cache", b"secret")
    proofs = []
    prove = scan_module._proved
    monkeypatch.setattr(scan_module, "_proved", lambda *given: proofs.append(given) or prove(*given))

    def asked(more: dict[str, bytes]) -> tuple[str, int]:
        store = files({}, {"opened": MEASURES["opened"]}, "Asia/Shanghai", more)
        proofs.clear()
        loaded = load(store, [context], "tables", memory=memory)
        python = answer(score(load(store, [context]), "p", "2026-10", at=NOW, facts=False))
        assert answer(score(loaded, "p", "2026-10", at=NOW, facts=False)) == python
        return python, len(proofs)

    first, proved = asked({})
    again, remembered = asked({})
    renamed, anew = asked({"records/customers/nowhere.yaml": record_text("Customer", "elsewhere", {"grade": "group"})})
    for entry in (tmp_path / "cache").iterdir():
        entry.write_bytes(entry.read_bytes()[:-9] + b"000000000")
    _, mended = asked({})
    parquet(tmp_path, tickets(Random(9), 80))
    other, changed = asked({})

    assert (proved, remembered, anew, mended, changed) == (1, 0, 1, 1, 1)
    assert again == first
    assert len({first, renamed, other}) == 3


def test_a_process_that_asked_duckdb_ends_without_a_word(tmp_path: Path) -> None:
    context = parquet(tmp_path, tickets(Random(4), 60, odd=0))
    for path, data in files({}, {"n": MEASURES["opened"]}, "Asia/Shanghai", {}).blobs.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    asked = ["assess", "p", "--period", "2026-10", "--engine", "tables", "--facts", f"Ticket={context.file}"]

    code = "from remit.main import run; run()"
    done = subprocess.run([sys.executable, "-c", code, "--store", str(tmp_path), *asked], capture_output=True)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"2026-10" in done.stdout
