"""Mutants: small breaks of a policy that its cases must notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from worlds import record_text, small_world

from remit.evaluating import Loaded, load
from remit.mutating import Mutation, mutate_all
from remit.store import Store
from remit.testing import run_all

TICKET = {"kind": "Ticket", "id": "T1", "customer": "bank", "openedAt": "2026-10-15T09:00:00+08:00"}
TOLD = {"role": "ceA", "of": "subject.customer"}
DUE = {"name": "due", "facts": [TICKET], "at": "2026-10-15T10:00:00+08:00"}
EXPECTED = {"level": "hour", "severity": "caution", "told": ["ann"]}
EARLY = {"name": "early", "facts": [TICKET], "at": "2026-10-15T09:59:59+08:00", "expect": []}
CLOCK = {"start": "subject.openedAt"}


def store(cases: list[dict[str, Any]], equivalent: list[dict[str, str]] | None = None, **spec: Any) -> Loaded:
    levels = [{"name": "hour", "after": "1h", "notify": [TOLD]}]
    body = {"subject": "Ticket", "clock": CLOCK, "levels": levels, **spec}
    written = {"cases": cases, **({"equivalent": equivalent} if equivalent else {})}
    return small_world(
        {
            "rules/warning/p.yaml": record_text("WarningPolicy", "p", body),
            "rules/warning/p.cases.yaml": record_text("PolicyCases", "p", written),
        }
    )


def mutated(cases: list[dict[str, Any]], **spec: Any) -> Mutation:
    run = mutate_all(store(cases, **spec))
    assert not run.findings, run.findings
    (mutation,) = run.mutations
    return mutation


def names(mutation: Mutation) -> list[str]:
    return [one.mutant.name for one in mutation.survivors]


def test_cases_at_the_boundary_that_say_who_is_told_leave_nothing_alive() -> None:
    mutation = mutated([{**DUE, "expect": [EXPECTED]}, EARLY])

    assert names(mutation) == []
    assert (mutation.killed, mutation.total) == (4, 4)


def test_a_case_that_does_not_say_who_is_told_lets_the_role_live() -> None:
    mutation = mutated([{**DUE, "expect": [{"level": "hour", "severity": "caution"}]}, EARLY])

    assert names(mutation) == ["levels.hour.notify.0: nobody for ceA"]


def test_a_case_away_from_the_boundary_lets_the_threshold_live() -> None:
    mutation = mutated([{**DUE, "at": "2026-10-15T10:30:00+08:00", "expect": [EXPECTED]}, EARLY])

    assert names(mutation) == ["levels.hour.after: 1h → 3599s"] or "levels.hour.after: 1h → 3601s" in names(mutation)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (
            "subject.customer.grade in ['group', 'local']",
            'when: subject.customer.grade in ["group", "local"] → subject.customer.grade in ["group"]',
        ),
        ("has(subject.count) && subject.count >= 3", "when: subject.count >= 3 → subject.count > 3"),
        ("has(subject.count) && subject.count < 9", "when: subject.count < 9 → subject.count <= 9"),
        ("subject.notes.exists(n, has(n.by) && n.by == '李')", "when: subject.notes.exists(n, "),
    ],
)
def test_conditions_are_broken_in_operators_and_values(when: str, expected: str) -> None:
    row = {**TICKET, "count": 5, "notes": [{"at": TICKET["openedAt"], "by": "李"}]}

    found = names(mutated([{**DUE, "facts": [row], "expect": [EXPECTED]}], when=when))

    assert any(name.startswith(expected) for name in found), found


def test_a_clock_that_waits_for_a_count_is_broken_in_the_count_and_in_its_window() -> None:
    clock = {"reached": {"count": 2, "of": "subject.notes.map(n, n.at)", "within": "1h"}, "lasts": "1d"}
    notes = [{"at": "2026-10-15T09:00:00+08:00"}, {"at": "2026-10-15T09:30:00+08:00"}]
    case = {"name": "two", "facts": [{**TICKET, "notes": notes}], "at": "2026-10-15T09:30:00+08:00"}
    levels = [{"name": "hour", "notify": [TOLD]}]

    found = names(mutated([{**case, "expect": [EXPECTED]}], clock=clock, levels=levels))

    assert "clock.reached.within: 1h → 3599s" in found
    assert "clock.reached.count: 2 → 3" not in found


def test_a_guard_that_the_rest_presupposes_is_no_mutant() -> None:
    mutation = mutated([{**DUE, "expect": []}], when="has(subject.flag) && subject.flag")

    assert not [name for name in names(mutation) if "without has" in name]


def test_a_mutant_stands_where_its_part_was_written() -> None:
    mutation = mutated([{**DUE, "expect": []}], when="has(subject.flag) && subject.flag")
    lines = record_text("WarningPolicy", "p", {"when": "has(subject.flag) && subject.flag"}).decode().split("\n")
    column = next(line for line in lines if "has(" in line).index("subject.flag)") + 1

    flag = next(one.mutant for one in mutation.survivors if one.mutant.name == "when: subject.flag → !subject.flag")

    assert flag.place.path == "rules/warning/p.yaml"
    assert flag.place.column > column


def test_a_survivor_that_is_explained_is_not_counted_and_a_stale_explanation_is_a_finding() -> None:
    cases = [{**DUE, "expect": [{"level": "hour", "severity": "caution"}]}, EARLY]
    known = {"mutant": "levels.hour.notify.0: nobody for ceA", "why": "the case is not about people"}
    stale = {"mutant": "levels.hour.after: 1h → 2h", "why": "nobody knows"}

    run = mutate_all(store(cases, [known, stale]))

    assert run.mutations[0].survivors == ()
    assert [one.why for one in run.mutations[0].equivalent] == ["the case is not about people"]
    assert [f.message for f in run.findings] == ["No mutant that survives is called 'levels.hour.after: 1h → 2h'."]


def test_a_policy_whose_cases_fail_is_not_broken_further() -> None:
    run = mutate_all(store([{**DUE, "expect": []}]))

    assert run.mutations == ()
    assert [f.code for f in run.findings] == ["case-failed"]


# --- the other kinds of policy ---------------------------------------------------------------------------------------


def broken(kind: str, spec: dict[str, Any], cases: list[dict[str, Any]], **more: bytes) -> list[str]:
    """The mutants of one policy that its cases do not notice, sorted."""
    files = {
        "rules/p/p.yaml": record_text(kind, "p", spec),
        "rules/p/p.cases.yaml": record_text("PolicyCases", "p", {"cases": cases}),
        **more,
    }
    run = mutate_all(small_world(files))
    assert not run.findings, run.findings
    (mutation,) = run.mutations
    return sorted(names(mutation))


def test_an_approval_policy_is_broken_in_what_it_matches_and_whom_it_asks() -> None:
    rule = {
        "name": "grade",
        "change": {"kinds": ["Customer"], "fields": ["/spec/grade"], "when": "after.grade == 'group'"},
        "approvers": [{"role": "head", "of": "record.unit"}],
    }
    change = {"kind": "Customer", "name": "new", "after": {"grade": "group", "unit": "desk"}}

    found = broken(
        "ApprovalPolicy", {"rules": [rule]}, [{"name": "a", "change": change, "expect": [{"rule": "grade"}]}]
    )

    assert "rules.grade.change.when: after.grade == 'group' removed" in found
    assert "rules.grade.change.fields: all removed" in found
    assert "rules.grade.approvers.0.of: record.unit removed" in found
    assert "rules.grade: all removed" not in found
    assert "rules.grade.exactBase: → true" not in found
    assert "rules.grade.approvers.0.count: 1 → 2" not in found
    assert not [name for name in found if "distinct" in name], "of one approver there are no two"


def test_a_rule_about_many_files_begins_one_file_later_or_earlier() -> None:
    rule = {"name": "many", "change": {"kinds": ["Customer"], "atLeast": 3}, "approvers": [{"role": "head"}]}
    change = {"kind": "Customer", "name": "new", "after": {"grade": "group", "unit": "desk"}}

    found = broken("ApprovalPolicy", {"rules": [rule]}, [{"name": "a", "change": change, "expect": []}])

    assert [name for name in found if "atLeast" in name] == [
        "rules.many.change.atLeast: 3 → 2",
        "rules.many.change.atLeast: 3 → 4",
    ]


@pytest.mark.parametrize(("others", "added"), [("forbidden", True), ("free", False)])
def test_a_transition_too_many_is_a_mutant_only_where_others_are_forbidden(others: str, added: bool) -> None:
    spec = {
        "subject": "Customer",
        "field": "grade",
        "others": others,
        "transitions": [{"from": "local", "to": "group", "requires": "has(after.unit)"}],
    }
    case = {"name": "a", "before": {"grade": "local"}, "after": {"grade": "group"}}

    found = broken("LifecyclePolicy", spec, [{**case, "expect": [{"code": "state-requirement"}]}])

    assert ("transitions: and group → local" in found) is added
    assert "transitions.0: all removed" not in found
    assert "transitions.0.requires: has(after.unit) → !has(after.unit)" not in found


def test_an_assessment_policy_is_broken_in_what_it_counts_and_how_it_scores() -> None:
    measure = {
        "name": "notes",
        "type": "mean",
        "over": "Ticket",
        "at": "fact.openedAt",
        "by": "fact.customer",
        "where": "has(fact.flag) && fact.flag",
        "value": "fact.count",
        "target": 10,
        "score": {"kind": "table", "table": [{"score": 40}, {"from": 5, "score": 80}]},
    }
    spec = {"subject": "Customer", "period": ["month", "quarter"], "rank": True, "measures": [measure]}
    case = {"name": "a", "period": "2026-10", "facts": [{**TICKET, "flag": True, "count": 7}]}

    found = broken("AssessmentPolicy", spec, [{**case, "expect": [{"subject": "bank", "rank": 1, "score": 80}]}])

    assert set(found) >= {
        "period.1: quarter removed",
        "measures.notes.type: mean → sum",
        "measures.notes.where: without fact.flag",
        "measures.notes.target: 10 → 9",
        "measures.notes.score.table.1.from: 5 → 6",
    }
    assert "rank: → false" not in found
    assert "measures.notes.score.table.1.score: 80 → 79" not in found
    assert "period.0: month removed" not in found


def test_a_follow_up_is_broken_in_every_field() -> None:
    create = {"kind": "Ticket", "set": {"customer": {"from": "subject.customer"}, "openedAt": {"from": "decision.at"}}}
    create["set"]["count"] = {"value": 2}
    levels = [{"name": "hour", "after": "1h", "notify": [TOLD], "create": create}]
    wants = {"kind": "Ticket", "customer": "bank", "openedAt": "2026-10-15T10:00:00+08:00", "count": 2}

    vague = names(mutated([{**DUE, "expect": [EXPECTED]}, EARLY], levels=levels))
    exact = names(mutated([{**DUE, "expect": [{**EXPECTED, "wants": wants}]}, EARLY], levels=levels))

    assert set(vague) >= {"levels.hour.create: all removed", "levels.hour.create.set.count.value: 2 → 3"}
    assert exact == []


def test_a_look_up_table_that_a_policy_calls_is_broken_row_by_row() -> None:
    spec = {
        "inputs": [{"name": "grade", "values": ["group", "province", "local"]}],
        "output": {"name": "urgent", "unit": "boolean"},
        "rows": [{"grade": "group", "urgent": True}, {"grade": ["province", "local"], "urgent": False}],
    }
    watch = {"subject": "Ticket", "clock": CLOCK, "when": "table.urgency(subject.customer.grade)"}
    watch["levels"] = [{"name": "hour", "after": "1h", "notify": [TOLD]}]
    bank = {"kind": "Customer", "name": "bank", "grade": "group", "roles": {"ceA": "ann"}}

    found = broken(
        "WarningPolicy",
        watch,
        [{**DUE, "records": [bank], "expect": [EXPECTED]}, {**EARLY, "records": [bank]}],
        **{"records/lookup-tables/urgency.yaml": record_text("LookupTable", "urgency", spec)},
    )

    assert found == ["table urgency row 2: False → True", "table urgency row 2: removed"]


# --- the policies of this store --------------------------------------------------------------------------------------

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def here() -> Loaded:
    return load(Store(ROOT).files())


@pytest.mark.slow
@pytest.mark.parametrize("folder", sorted(path.name for path in (ROOT / "rules").iterdir() if path.name != "fixtures"))
def test_no_mutant_of_a_policy_of_the_store_survives(here: Loaded, folder: str) -> None:
    run = mutate_all(here, only=lambda path: path.startswith(f"rules/{folder}/"))

    assert not run.findings, run.findings
    survivors = [f"{one.policy} {name}" for one in run.mutations for name in names(one)]
    assert not survivors, survivors
    assert {one.policy for one in run.mutations} == {
        policy.id for policy in here.snapshot.policies if policy.path.startswith(f"rules/{folder}/")
    }
    assert all(one.total for one in run.mutations)
    assert not [one.policy for one in run.mutations if one.equivalent]


@pytest.mark.slow
def test_every_part_of_the_policies_of_the_store_is_covered(here: Loaded) -> None:
    run = run_all(here)

    gaps = [f"{one.policy} {goal.sight.part}: {goal.sight.how}" for one in run.coverage for goal in one.gaps]
    assert not gaps, gaps
    assert {one.policy for one in run.coverage} == {policy.id for policy in here.snapshot.policies}
