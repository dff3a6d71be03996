"""Suggested cases: boundaries that the engine works out, which hold as they are and which their author confirms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
from remit.times import parse_instant

AT = datetime(2026, 10, 15, tzinfo=UTC)
CLOCK = {"start": "subject.openedAt", "stop": "subject.closedAt"}
HOUR = {"name": "hour", "after": "1h", "notify": [{"role": "ceA", "of": "subject.customer"}]}


def policy(**spec: Any) -> dict[str, bytes]:
    body = {"subject": "Ticket", "levels": [HOUR], **({} if "with" in spec else {"clock": CLOCK}), **spec}
    return {"rules/warning/p.yaml": record_text("WarningPolicy", "p", body)}


def suggested(loaded: Loaded) -> list[dict[str, Any]]:
    watch = next(one for one in loaded.policies.watches if one.name == "p")
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


LOW = {"name": "low", "notify": HOUR["notify"]}
CRISIS = {"name": "crisis", "notify": [{"role": "ceA", "of": "subject"}]}
FEW = "has(subject.count) && subject.count < 3"
TWICE = {"count": 2, "of": "lows.map(d, d.at)", "within": "2d"}


def chained(low: dict[str, Any], by: str = "customer", **spec: Any) -> dict[str, bytes]:
    """The policy p, which reacts to the decisions of the policy of few."""
    few = {"subject": "Ticket", "when": FEW, "clock": CLOCK, "levels": [low]}
    mine = {"subject": "Customer", "levels": [CRISIS], "with": {"lows": {"decisions": "few/low", "by": by}}, **spec}
    return policy(**mine) | {"rules/warning/few.yaml": record_text("WarningPolicy", "few", few)}


@pytest.mark.parametrize("low", [LOW, LOW | {"after": "1h"}], ids=["at once", "after an hour"])
def test_a_policy_that_reacts_to_others_gets_the_boundaries_of_what_it_hears(low: dict[str, Any]) -> None:
    cases = {one["name"]: one for one in suggested(small_world(chained(low, clock={"reached": TWICE})))}

    counts = {name: [row["count"] for row in one["facts"]] for name, one in cases.items()}
    expected = {name: [line["level"] for line in one["expect"]] for name, one in cases.items()}
    assert counts == {
        "crisis holds": [2, 2],
        "few/low once too few for crisis": [2],
        "few/low just not made, so no crisis": [2, 3],
        "crisis when the last few/low is just in time": [2, 2],
        "no crisis when the last few/low is one second late": [2, 2],
    }
    assert expected == {
        "crisis holds": ["crisis"],
        "few/low once too few for crisis": [],
        "few/low just not made, so no crisis": [],
        "crisis when the last few/low is just in time": ["crisis"],
        "no crisis when the last few/low is one second late": [],
    }
    first, last = (row["openedAt"] for row in cases["no crisis when the last few/low is one second late"]["facts"])
    assert parse_instant(last) - parse_instant(first) == timedelta(days=2, seconds=1)


@pytest.mark.parametrize(
    ("spec", "heard"),
    [
        ({"when": "size(lows) > 2"}, 3),
        ({"when": "size(lows) > 2", "low": LOW | {"after": "1h"}}, 3),
        ({"clock": {"start": "earliest(lows.map(d, d.at))"}, "levels": [CRISIS | {"after": "1h"}]}, 1),
        ({"subject": "Ticket", "by": "id", "when": "size(lows) > 0", "levels": [LOW]}, 1),
    ],
)
def test_as_many_decisions_are_made_up_as_a_policy_reacts_to(spec: dict[str, Any], heard: int) -> None:
    first, *more = suggested(small_world(chained(**{"low": LOW, **spec})))

    fewer = next(one for one in more if one["name"] == "few/low once too few for " + first["name"].split()[0])
    unmade = next(one for one in more if "few/low just not made" in one["name"])
    assert (len(first["facts"]), bool(first["expect"])) == (heard, True)
    assert fewer["expect"] == unmade["expect"] == []
    assert "count" not in str(fewer.get("facts", ())[heard - 1 :])
    assert unmade["facts"][-1]["count"] == 3


def test_a_policy_that_reacts_to_one_that_reacts_gets_the_facts_of_both() -> None:
    between = {"subject": "Ticket", "with": {"lows": {"decisions": "few/low", "by": "id"}}, "when": "size(lows) > 0"}
    files = chained(LOW, when="size(lows) > 1") | {
        "rules/warning/between.yaml": record_text("WarningPolicy", "between", {**between, "levels": [LOW]}),
    }
    mine = {"subject": "Customer", "levels": [CRISIS], "when": "size(lows) > 1"}
    files |= policy(**mine, **{"with": {"lows": {"decisions": "between/low", "by": "customer"}}})

    assert [len(one["facts"]) for one in suggested(small_world(files))][:1] == [2]


@pytest.mark.parametrize("by", ["customer", "id"])
def test_suggested_cases_of_a_policy_that_reacts_hold_as_they_are_written(by: str) -> None:
    subject = {"subject": "Ticket", "levels": [LOW]} if by == "id" else {}
    files = world_files(chained(LOW, by, **subject, clock={"reached": TWICE | {"count": 1 if by == "id" else 2}}))
    text = new_file("p") + cases_text(suggested(load(Files(None, None, files))))

    run = run_all(load(Files(None, None, files | {"rules/warning/p.cases.yaml": text.encode()})))

    assert not run.findings, run.findings
    assert len(run.results) >= 3


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
        "when the last low-satisfaction/low is just in time",
    }
