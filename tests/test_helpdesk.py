"""The help-desk example: an event log becomes tickets, and broken promises are counted twice over.

``REMIT_HELPDESK_LOG`` is the path of the real log (see docs/examples/helpdesk/README.md); a small log in its shape is
always used.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import be, commit_all, git

from remit.main import main
from remit.places import Place
from remit.schemas import load_schemas
from remit.sources import Reading, SourceContext, read_mapping, read_source
from remit.times import at_wall, format_instant, parse_duration, parse_instant, shifted

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "helpdesk"
ROME = ZoneInfo("Europe/Rome")
END = datetime(2014, 1, 4, tzinfo=ROME)
LIMITS = {"level_1": "30d", "level_2": "45d", "level_3": "15d", "level_4": "25d"}
COUNTS = {"level_1": (118, 0, 16), "level_2": (3511, 9, 15), "level_3": (925, 2, 378), "level_4": (26, 0, 3)}
"""Tickets, never resolved ones and broken promises, as the page of the example shows them."""

HEADER = (
    "Case ID,Activity,Resource,Complete Timestamp,Variant,Variant index,Variant,seriousness,customer,product,"
    "responsible_section,seriousness_2,service_level,service_type,support_section,workgroup\n"
)


def event(case: str, activity: str, at: str, *, level: str = "Value 1", customer: str = "Value 1") -> str:
    """One line of a log in the shape of the real one."""
    return f"{case},{activity},Value 1,{at}.000,V,1,V,Value 1,{customer},P,S,Value 1,{level},T,U,Value 1\n"


SAMPLE = HEADER + "".join(
    [
        # No "Insert ticket"; reopened; the level changes after the first event; one line stands twice.
        event("Case 1", "Assign seriousness", "2013/01/01 09:00:00"),
        event("Case 1", "Take in charge ticket", "2013/01/01 09:05:00", level="Value 2"),
        event("Case 1", "Resolve ticket", "2013/01/10 09:00:00", level="Value 2"),
        event("Case 1", "Resolve ticket", "2013/01/31 09:00:01", level="Value 2"),
        event("Case 1", "Resolve ticket", "2013/01/31 09:00:01", level="Value 2"),
        event("Case 1", "Closed", "2013/02/20 09:00:00", level="Value 2"),
        # Written out of order; its fifteen days hold a change to summer time.
        event("Case 2", "Resolve ticket", "2013/04/04 08:59:59", level="Value 3", customer="Value 2"),
        event("Case 2", "Insert ticket", "2013/03/20 09:00:00", level="Value 3", customer="Value 2"),
        # Never resolved.
        event("Case 3", "Assign seriousness", "2013/11/01 09:00:00", level="Value 4"),
        event("Case 4", "Assign seriousness", "2014/01/02 09:00:00", level="Value 4"),
    ]
)


def read_log(path: Path) -> Reading:
    """The reading of a log by the example's own mapping."""
    mapping, findings = read_mapping((EXAMPLE / "mapping.yaml").read_bytes(), "mapping.yaml")
    assert findings == ()
    return read_source(SourceContext(path.name, mapping=mapping, root=path.parent))


def is_broken(body: Any) -> bool:
    """Whether the limit of the ticket's level passed before it was resolved, or before the end when it never was."""
    limit = shifted(parse_instant(body["openedAt"]), parse_duration(LIMITS[body["serviceLevel"]]), ROME)
    resolved = parse_instant(body["resolvedAt"]) if "resolvedAt" in body else END
    return limit < min(resolved, END)


def counted(reading: Reading) -> dict[str, tuple[int, int, int]]:
    """Tickets, never resolved ones and broken promises by service level."""
    tickets = Counter(row.body["serviceLevel"] for row in reading.rows)
    unresolved = Counter(row.body["serviceLevel"] for row in reading.rows if "resolvedAt" not in row.body)
    broken = Counter(row.body["serviceLevel"] for row in reading.rows if is_broken(row.body))
    return {level: (tickets[level], unresolved[level], broken[level]) for level in sorted(tickets)}


def counted_by_sql(folder: Path) -> dict[str, tuple[int, int, int]]:
    """The same from the log in ``folder``, by the example's own SQL and nothing of Remit."""
    duckdb = pytest.importorskip("duckdb", reason="the independent count needs duckdb")
    sql = (EXAMPLE / "count.sql").read_text().replace("'finale.csv'", f"'{folder / 'finale.csv'}'")
    with duckdb.connect() as connection:
        rows = connection.execute(sql).fetchall()
    return {
        "level_" + level.removeprefix("Value "): (tickets, unresolved, broken)
        for level, _, tickets, unresolved, broken, _ in rows
    }


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "finale.csv"
    path.write_text(SAMPLE)
    return path


def test_many_events_become_one_ticket(log: Path) -> None:
    reading = read_log(log)

    assert reading.report().to_json()["extra"] == {"events": 10, "repeated": 1}
    assert [row.id for row in reading.rows] == ["Case 1", "Case 2", "Case 3", "Case 4"]
    assert reading.rows[0].body == {
        "openedAt": "2013-01-01T09:00:00+01:00",
        "takenInChargeAt": "2013-01-01T09:05:00+01:00",
        "resolvedAt": "2013-01-31T09:00:01+01:00",
        "closedAt": "2013-02-20T09:00:00+01:00",
        "serviceLevel": "level_1",
        "seriousness": "value_1",
        "customer": "customer-value-1",
        "product": "P",
        "serviceType": "T",
        "workgroup": "Value 1",
        "lastEvent": "Closed",
    }
    assert reading.rows[1].body["openedAt"] == "2013-03-20T09:00:00+01:00"
    assert reading.rows[1].body["resolvedAt"] == "2013-04-04T08:59:59+02:00"


def test_the_notes_say_what_was_repeated_and_what_differed(log: Path) -> None:
    assert [(finding.code, finding.message) for finding in read_log(log).findings] == [
        ("events-repeated", "1 line repeats another line exactly; such lines count once."),
        ("events-differ", "service_level differs within 1 group; serviceLevel takes the first."),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Case 2,Wait\n", "bad-row"),
        (event("Case 2", "Wait", "2013/13/01 09:00:00"), "row-unmapped"),
        (event("Case 2", "Wait", "2013/03/31 02:30:00"), "row-unmapped"),
        (event("Case 2", "Wait", "2013/03/21 09:00:00").replace("2013/03/21 09:00:00.000", ""), "bad-row"),
    ],
)
def test_a_bad_line_rejects_its_own_ticket_and_no_other(log: Path, line: str, code: str) -> None:
    log.write_text(SAMPLE + line)

    reading = read_log(log)

    assert [row.id for row in reading.rows] == ["Case 1", "Case 3", "Case 4"]
    assert [(finding.code, finding.place.line) for finding in reading.findings[:1]] == [(code, 12)]
    assert reading.report().rows == 4


def test_a_line_that_belongs_to_no_ticket_is_a_row_of_its_own(log: Path) -> None:
    log.write_text(SAMPLE + event("", "Wait", "2013/01/01 09:00:00"))

    report = read_log(log).report()

    assert (report.rows, report.accepted, report.rejected) == (5, 4, 1)


def test_the_tickets_fit_the_schema_of_the_example(log: Path) -> None:
    files = {path.relative_to(EXAMPLE).as_posix(): path.read_bytes() for path in EXAMPLE.rglob("*.schema.json")}
    schemas, findings = load_schemas(files)

    assert findings == ()
    for row in read_log(log).rows:
        assert [*schemas.check_fact("HelpTicket", row.body, Place(log.name), row.id)] == []


def test_remit_and_sql_count_the_same_broken_promises_in_the_sample(log: Path) -> None:
    expected = {"level_1": (1, 0, 1), "level_3": (1, 0, 0), "level_4": (2, 2, 1)}

    assert counted(read_log(log)) == expected
    assert counted_by_sql(log.parent) == expected


def test_the_page_shows_the_counts() -> None:
    page = (EXAMPLE / "README.md").read_text()

    for level, (tickets, unresolved, broken) in COUNTS.items():
        days = LIMITS[level].removesuffix("d")
        assert f"| Value {level[-1]} | {days} | {tickets} | {unresolved} | {broken} | 0 |" in page


COPIES = [
    "schemas/common.schema.json",
    "schemas/watch.schema.json",
    "schemas/policies/WarningPolicy.schema.json",
    "schemas/policies/PolicyCases.schema.json",
]


@pytest.mark.parametrize("path", COPIES)
def test_the_shared_schemas_of_the_example_are_those_of_the_root_store(path: str) -> None:
    assert (EXAMPLE / path).read_bytes() == (EXAMPLE.parents[2] / path).read_bytes()


def decided(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """How many decisions ``remit replay`` makes on each level over the log in ``folder``."""
    arguments = ["--facts", str(folder / "finale.csv"), "--map", str(EXAMPLE / "mapping.yaml")]
    window = ["--from", "2010-01-01T00:00:00+01:00", "--to", "2014-01-04T00:00:00+01:00"]
    assert main(["--store", str(EXAMPLE), "replay", *arguments, *window, "--format", "json"]) == 0
    made = Counter(d["level"] for d in json.loads(capsys.readouterr().out)["decisions"])
    return {level.replace("-", "_"): number for level, number in sorted(made.items())}


def test_the_policy_of_the_example_breaks_the_promises_that_sql_counts(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_sql = {level: broken for level, (_, _, broken) in counted_by_sql(log.parent).items() if broken}

    assert decided(log.parent, capsys) == by_sql != {}


Named = dict[str, set[tuple[str, str, str]]]
"""Tickets with their limit before and after, by what becomes of their decision."""


def planned(folder: Path, capsys: pytest.CaptureFixture[str]) -> Named:
    """What ``remit plan`` says of 10 instead of 15 days on level 3, over the log in ``folder``."""
    store = folder / "store"
    shutil.copytree(EXAMPLE, store)
    git(folder, "init", "--quiet", "--initial-branch=main", str(store))
    be(store, "ann-lee")
    commit_all(store)
    policy = store / "rules/warning/service-level.yaml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("level-3, after: 15d", "level-3, after: 10d"))
    arguments = ["--facts", str(folder / "finale.csv"), "--map", str(EXAMPLE / "mapping.yaml")]
    window = ["--at", "2014-01-04T00:00:00+01:00", "--over", "5y"]
    assert main(["--store", str(store), "plan", *arguments, *window, "--format", "json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert {finding["code"] for finding in said["findings"]} == {"case-failed", "uncovered-level"}
    decisions = said["decisions"]
    assert decisions["removed"] == []
    assert all(one["fields"] == ["at", "due"] for one in decisions["changed"])
    added = {(d["subject"]["name"], "", d["at"]) for d in decisions["added"]}
    changed = {(d["after"]["subject"]["name"], d["before"]["at"], d["after"]["at"]) for d in decisions["changed"]}
    return {"added": added, "changed": changed}


def planned_by_sql(folder: Path) -> Named:
    """The same by the example's own SQL and nothing of Remit."""
    duckdb = pytest.importorskip("duckdb", reason="the independent count needs duckdb")
    sql = (EXAMPLE / "plan.sql").read_text().replace("'finale.csv'", f"'{folder / 'finale.csv'}'")
    with duckdb.connect() as connection:
        rows = connection.execute(sql).fetchall()
    found: Named = {"added": set(), "changed": set()}
    for what, ticket, before, after in rows:
        sides = [format_instant(at_wall(limit, ROME)) for limit in (before, after)]
        found[what].add((ticket, sides[0] if what == "changed" else "", sides[1]))
    return found


def test_plan_names_the_tickets_that_sql_names_when_a_limit_changes(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_text(
        SAMPLE
        + event("Case 5", "Insert ticket", "2013/05/01 09:00:00", level="Value 3")
        + event("Case 5", "Resolve ticket", "2013/06/01 09:00:00", level="Value 3")
        + event("Case 6", "Insert ticket", "2013/05/01 09:00:00", level="Value 3")
        + event("Case 6", "Resolve ticket", "2013/05/11 09:00:00", level="Value 3")
        + event("Case 7", "Insert ticket", "2014/01/03 09:00:00", level="Value 3")
    )

    found = planned(log.parent, capsys)

    assert {what: sorted(name for name, _, _ in named) for what, named in found.items()} == {
        "added": ["Case 2"],
        "changed": ["Case 5", "Case 7"],
    }
    assert found == planned_by_sql(log.parent)


def test_the_example_store_checks_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(EXAMPLE), "check"]) == 0
    assert "no findings" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif("REMIT_HELPDESK_LOG" not in os.environ, reason="REMIT_HELPDESK_LOG does not name the real log")
def test_remit_and_sql_count_the_same_broken_promises_in_the_real_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(os.environ["REMIT_HELPDESK_LOG"], tmp_path / "finale.csv")

    reading = read_log(tmp_path / "finale.csv")

    assert reading.report().to_json() == {
        "path": "finale.csv", "format": "csv", "rows": 4580, "accepted": 4580, "rejected": 0,
        "extra": {"events": 21348, "repeated": 127},
    }  # fmt: skip
    assert counted(reading) == counted_by_sql(tmp_path) == COUNTS
    assert decided(tmp_path, capsys) == {level: broken for level, (_, _, broken) in COUNTS.items()}
    named = planned(tmp_path, capsys)
    assert named == planned_by_sql(tmp_path)
    assert {what: len(found) for what, found in named.items()} == {"added": 43, "changed": 378}
