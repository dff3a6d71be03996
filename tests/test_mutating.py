"""Mutants: small breaks of a policy that its cases must notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from worlds import record_text, small_world

from remit.evaluating import Loaded, load
from remit.mutating import Mutation, MutationRun, mutate_all
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


@pytest.fixture(scope="module")
def example() -> MutationRun:
    return mutate_all(load(Store(Path(__file__).parents[1]).files()))


@pytest.mark.slow
def test_no_mutant_of_the_examples_policies_survives(example: MutationRun) -> None:
    assert not example.findings, example.findings
    survivors = [f"{one.policy} {name}" for one in example.mutations for name in names(one)]
    assert not survivors, survivors
    assert sum(one.total for one in example.mutations) > 900


@pytest.mark.slow
def test_every_level_and_branch_of_the_examples_policies_is_covered() -> None:
    run = run_all(load(Store(Path(__file__).parents[1]).files()))

    gaps = [f"{one.policy} {goal.sight.part}: {goal.sight.how}" for one in run.coverage for goal in one.gaps]
    assert not gaps, gaps


@pytest.mark.slow
def test_few_mutants_of_the_example_are_called_equivalent(example: MutationRun) -> None:
    assert sum(len(one.equivalent) for one in example.mutations) <= 10
