"""Coverage names what no case of a policy has seen; matrices and timelines are cases told at length."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from worlds import record_text, small_world, world_files

from remit import checking
from remit.coverage import Coverage
from remit.evaluating import Loaded, load
from remit.store import Files, Store
from remit.stories import open_slots, spread, tell
from remit.testing import run_all
from remit.yamltext import dump, read

OPENED = "2026-10-15T09:00:00+08:00"
TICKET = {"kind": "Ticket", "id": "T1", "customer": "bank", "openedAt": OPENED}
FIRES = {"name": "due", "facts": [TICKET], "at": "2026-10-15T10:00:00+08:00", "expect": [{"level": "hour"}]}
BEFORE = {"name": "not yet", "facts": [TICKET], "at": "2026-10-15T09:59:59+08:00", "expect": []}


def store(cases: list[dict[str, Any]], **spec: Any) -> Loaded:
    clock = {"start": "subject.openedAt", "stop": "subject.closedAt"}
    body = {"subject": "Ticket", "clock": clock, "levels": [{"name": "hour", "after": "1h"}], **spec}
    return small_world(
        {
            "rules/warning/p.yaml": record_text("WarningPolicy", "p", body),
            "rules/warning/p.cases.yaml": record_text("PolicyCases", "p", {"cases": cases}),
        }
    )


def covered(cases: list[dict[str, Any]], **spec: Any) -> Coverage:
    run = run_all(store(cases, **spec))
    assert not run.findings, run.findings
    (coverage,) = run.coverage
    return coverage


def gaps(coverage: Coverage) -> list[str]:
    return [f"{goal.sight.part}: {goal.sight.how}" for goal in coverage.gaps]


def test_a_level_is_covered_when_it_fires_is_silent_is_exactly_due_and_a_second_early() -> None:
    assert gaps(covered([FIRES, BEFORE])) == []
    assert covered([FIRES, BEFORE]).percent == 100


@pytest.mark.parametrize(
    ("at", "missing"),
    [
        ("2026-10-15T10:00:00+08:00", ["stays silent", "one second before"]),
        ("2026-10-15T10:00:01+08:00", ["stays silent", "exactly due", "one second before"]),
    ],
)
def test_what_no_case_sees_of_a_level_is_named(at: str, missing: list[str]) -> None:
    case = {**FIRES, "at": at}

    assert gaps(covered([case])) == [f"level hour: {how}" for how in missing]


def test_a_case_over_a_stretch_sees_its_last_instant_too() -> None:
    stretch = {"name": "x", "facts": [TICKET], "from": OPENED, "to": "2026-10-15T10:00:00+08:00"}

    assert gaps(covered([{**stretch, "expect": [{"level": "hour"}]}])) == [
        "level hour: stays silent",
        "level hour: one second before",
    ]


def test_a_clock_that_stops_in_that_second_is_not_a_second_before() -> None:
    stopped = {**BEFORE, "facts": [{**TICKET, "closedAt": "2026-10-15T10:00:00+08:00"}]}

    assert gaps(covered([FIRES, stopped])) == ["level hour: one second before"]


def test_a_level_without_a_time_has_no_boundary() -> None:
    silent = {"name": "no", "facts": [{**TICKET, "flag": False}], "at": OPENED, "expect": []}
    fires = {"name": "yes", "facts": [{**TICKET, "flag": True}], "at": OPENED, "expect": [{"level": "now"}]}
    spec = {"levels": [{"name": "now"}], "when": "has(subject.flag) && subject.flag"}

    assert gaps(covered([silent, fires], **spec)) == ["when has(subject.flag): false"]


def test_a_guard_that_fails_hides_what_it_guards() -> None:
    missing = {"name": "no", "facts": [TICKET], "at": OPENED, "expect": []}

    assert gaps(covered([missing], when="has(subject.flag) && subject.flag"))[:3] == [
        "when has(subject.flag): true",
        "when subject.flag: true",
        "when subject.flag: false",
    ]


def test_a_gap_stands_at_the_place_of_its_part() -> None:
    coverage = covered([BEFORE], levels=[{"name": "hour", "after": "1h"}])

    assert {(goal.place.path, goal.place.line > 1) for goal in coverage.gaps} == {("rules/warning/p.yaml", True)}
    assert coverage.to_json()["gaps"][0]["how"] == "fires"


def test_check_since_demands_levels_of_a_changed_policy_and_of_no_other() -> None:
    bare = small_world()
    changed = store([BEFORE])

    found = [f for f in checking.since(changed, bare) if f.code == "uncovered-level"]

    assert [f.message for f in found] == ["No case of WarningPolicy/p sees its level hour: fires."]
    assert found[0].severity == "error"
    assert found[0].place.path == "rules/warning/p.yaml"
    assert not checking.since(changed, store([BEFORE]))
    assert not checking.since(store([BEFORE, FIRES]), bare)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("rules/lifecycle/suspension", ["transition proposed", "state active when "]),
        ("rules/lifecycle/service-order", ["state completed", "transition commissioning", "change of deadline when "]),
        ("rules/approval/change-control", ["rule local-grade", "rule local-grade when "]),
        ("rules/assessment/response-centre-work", ["when ", "measure overtime", "overtime where when ", "period "]),
        ("rules/assessment/engineer-ranking", ["measure workload row", "band top", "qualitative when "]),
    ],
)
def test_parts_of_every_kind_of_policy_are_covered_as_levels_are(path: str, parts: list[str]) -> None:
    files = Store(Path(__file__).parents[1]).files().blobs
    document, _ = read(files[f"{path}.cases.yaml"], path)
    assert document is not None
    one = {**document.value, "spec": {**document.value["spec"], "cases": document.value["spec"]["cases"][:1]}}
    fewer = {**files, f"{path}.cases.yaml": dump(one)}

    (all_cases,) = run_all(load(Files(None, None, files)), only=lambda name: name.startswith(path)).coverage
    (first_case,) = run_all(load(Files(None, None, fewer)), only=lambda name: name.startswith(path)).coverage

    seen = [goal.sight.part for goal in all_cases.goals]
    assert [part for part in parts if not any(one.startswith(part) for one in seen)] == []
    assert all_cases.percent == 100
    assert first_case.percent < 100
    assert {goal.place.path for goal in first_case.gaps} == {f"{path}.yaml"}


# --- matrices and timelines ------------------------------------------------------------------------------------------


def test_a_matrix_is_a_case_for_each_combination() -> None:
    case = {
        "name": "${customer} waits",
        "matrix": {"customer": ["bank", "shop"], "count": [1, 2]},
        "facts": [{**TICKET, "customer": "${customer}", "count": "${count}"}],
        "expect": [],
    }

    told = list(spread(case))

    assert [one["name"] for one in told] == [
        "bank waits (count 1)",
        "bank waits (count 2)",
        "shop waits (count 1)",
        "shop waits (count 2)",
    ]
    assert [(one["facts"][0]["customer"], one["facts"][0]["count"]) for one in told[1:3]] == [("bank", 2), ("shop", 1)]
    assert all("matrix" not in one for one in told)


def test_a_slot_that_the_matrix_does_not_fill_is_a_finding() -> None:
    case = {**FIRES, "matrix": {"customer": ["bank"]}, "facts": [{**TICKET, "customer": "${custmer}"}]}

    (finding,) = run_all(store([case])).findings

    assert open_slots(case) == ["custmer"]
    assert (finding.code, finding.place.path) == ("case-invalid", "rules/warning/p.cases.yaml")
    assert "customer" in finding.hint


def test_a_timeline_carries_what_happened_from_instant_to_instant() -> None:
    closed = {"kind": "Ticket", "id": "T1", "closedAt": "2026-10-15T10:30:00+08:00"}
    story = {
        "name": "a day",
        "facts": [TICKET],
        "timeline": [
            {"at": "2026-10-15T09:59:59+08:00", "expect": []},
            {"at": "2026-10-15T10:00:00+08:00", "expect": [{"level": "hour"}]},
            {"at": "2026-10-15T10:30:00+08:00", "facts": [closed], "expect": []},
        ],
    }

    run = run_all(store([story]))

    assert [r.failures for r in run.results] == [(), (), ()]
    assert run.results[2].name == "a day (2026-10-15T10:30:00+08:00)"
    assert gaps(run.coverage[0]) == []
    last = list(tell([story]))[2]
    assert last.pointer == (0, "timeline", 2)
    assert last.body["facts"] == [{**TICKET, **closed}]


def test_a_step_that_fails_is_placed_where_it_was_written() -> None:
    step = {"at": "2026-10-15T10:00:00+08:00", "expect": []}
    loaded = store([{"name": "a day", "facts": [TICKET], "timeline": [{**step, "at": OPENED}, step]}])

    (finding,) = run_all(loaded).findings

    lines = world_files()  # the place is a line of the case file, and that line holds the second step's instant
    lines["cases"] = loaded.snapshot.files["rules/warning/p.cases.yaml"]
    written = lines["cases"].decode().split("\n")[finding.place.line - 1 :]
    assert finding.code == "case-failed"
    assert "10:00:00" in "\n".join(written)
    assert json.dumps(OPENED) not in "\n".join(written)
