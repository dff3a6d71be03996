"""Suggested cases: boundaries that the engine works out, which hold as they are and which their author confirms."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from worlds import record_text, small_world, world_files

from remit.evaluating import Loaded, load
from remit.main import main
from remit.reporters.case_text import cases_text, new_file
from remit.store import Files, Store
from remit.suggesting import suggest
from remit.testing import run_all

AT = datetime(2026, 10, 15, tzinfo=UTC)
CLOCK = {"start": "subject.openedAt", "stop": "subject.closedAt"}
HOUR = {"name": "hour", "after": "1h", "notify": [{"role": "ceA", "of": "subject.customer"}]}


def policy(**spec: Any) -> dict[str, bytes]:
    body = {"subject": "Ticket", "clock": CLOCK, "levels": [HOUR], **spec}
    return {"rules/warning/p.yaml": record_text("WarningPolicy", "p", body)}


def suggested(loaded: Loaded) -> list[dict[str, Any]]:
    (watch,) = loaded.policies.watches
    return suggest(loaded, watch, AT)


def names(loaded: Loaded) -> list[str]:
    return [case["name"] for case in suggested(loaded)]


def test_a_level_gets_its_boundary_and_the_policy_its_days_and_its_stop() -> None:
    assert names(small_world(policy())) == [
        "hour is exactly due",
        "one second before hour is due",
        "hour across midnight",
        "hour is not reached by a clock that stops at that instant",
    ]


def test_a_boundary_expects_what_is_decided_there() -> None:
    due, before, *_ = suggested(small_world(policy()))

    at = due["at"]
    assert due["expect"] == [{"level": "hour", "at": at, "severity": "caution", "told": ["ann"]}]
    assert before["expect"] == []
    assert at[-14:-6] == "11:00:00" and before["at"][-14:-6] == "10:59:59"


@pytest.mark.parametrize(
    ("when", "fields"),
    [
        ("has(subject.flag) && subject.flag", {"flag": True}),
        ("has(subject.count) && subject.count > 3", {"count": 4}),
        ("has(subject.count) && subject.count <= 3", {"count": 3}),
        ("has(subject.text) && subject.text == '合同'", {"text": "合同"}),
        ("!(has(subject.flag) && subject.flag)", {}),
        ("subject.notes.exists(n, has(n.by) && n.by == '李')", {"notes": [{"at": "", "by": "李"}]}),
        ("has(subject.closedAt) || (has(subject.count) && subject.count == 7)", {"count": 7}),
    ],
)
def test_facts_are_made_up_so_that_the_condition_holds(when: str, fields: dict[str, Any]) -> None:
    case = suggested(small_world(policy(when=when)))[0]

    (row,) = case["facts"]
    made = {key: value for key, value in row.items() if key not in ("kind", "id", "customer", "openedAt")}
    for note in made.get("notes", ()):
        note["at"] = ""
    assert made == fields
    assert case["expect"]


def test_a_condition_on_a_record_brings_that_record_along() -> None:
    case = suggested(small_world(policy(when="subject.customer.grade == 'province'")))[0]

    assert case["records"][0]["grade"] == "province"
    assert case["facts"][0]["customer"] == case["records"][0]["name"]


def test_where_nothing_is_found_nothing_is_suggested() -> None:
    assert suggested(small_world(policy(when="subject.customer.id == 'nobody at all'"))) == []


def test_suggested_cases_hold_as_they_are_written() -> None:
    files = world_files(policy(when="has(subject.count) && subject.count > 3"))
    text = new_file("p") + cases_text(suggested(load(Files(None, None, files))))

    run = run_all(load(Files(None, None, files | {"rules/warning/p.cases.yaml": text.encode()})))

    assert not run.findings, run.findings
    assert len(run.results) == 4
    assert text.count("# suggested: confirm") == 4
    assert [gap.sight for one in run.coverage for gap in one.gaps if gap.sight.part == "level hour"] == []


def test_write_adds_them_to_the_case_file_and_keeps_what_is_there(tmp_path: Path) -> None:
    mine = b"apiVersion: remit/v1\nkind: PolicyCases\nmetadata: {name: p}\nspec:\n  cases:  # mine\n    - name: one\n"
    mine += b"      at: 2026-10-15T10:00:00+08:00\n      expect: []\n"
    for path, data in world_files(policy() | {"rules/warning/p.cases.yaml": mine}).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)

    code = main(["--store", str(tmp_path), "test", "--suggest", "p", "--write", "--at", "2026-10-15T00:00:00Z"])

    assert code == 0
    assert (tmp_path / "rules/warning/p.cases.yaml").read_bytes().startswith(mine)
    run = run_all(load(Store(tmp_path).files()))
    assert (len(run.results), run.findings) == (5, ())


@pytest.mark.slow
def test_most_policies_of_the_example_get_cases_and_all_of_them_hold() -> None:
    files = Store(Path(__file__).parents[1]).files()
    loaded = load(files)
    cases = [(watch, suggest(loaded, watch, AT)) for watch in loaded.policies.watches]
    texts = {
        watch.record.path.removesuffix(".yaml") + ".cases.yaml": (new_file(watch.name) + cases_text(one)).encode()
        for watch, one in cases
        if one
    }

    run = run_all(load(Files(None, None, {**files.blobs, **texts})), only=texts.__contains__)

    assert not run.findings, run.findings
    assert len(texts) > 0.8 * len(cases)
    assert {case["name"].partition(" ")[2] for _, one in cases for case in one} >= {
        "is exactly due",
        "across a pause",
        "across midnight",
        "from the eve of a holiday on",
        "across a make-up working day",
        "after the work was taken up again",
        "is not reached by a clock that stops at that instant",
    }
