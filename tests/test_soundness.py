"""What is called impossible never happens, and the impossible is called so."""

from __future__ import annotations

from random import Random

import pytest
from agreement import COMPILER, SCOPE, bindings_of, compiled, condition_text, ticket

from remit.conditions.condition import EvaluationError
from remit.conditions.possible import possible

NEVER_TRUE = [
    "subject.customer.grade == 'group' && subject.customer.grade == 'local'",
    "subject.customer.grade == 'group' && subject.customer.grade in ['local', 'province']",
    "subject.customer.grade != 'group' && subject.customer.grade != 'local' && subject.customer.grade != 'province'",
    "!(subject.customer.grade in ['group', 'local', 'province'])",
    "has(subject.flag) && subject.flag && !subject.flag",
    "has(subject.flag) && subject.flag == false && subject.flag",
    "has(subject.flag) && subject.flag != (subject.flag == true)",
    "has(subject.count) && subject.count > 3 && subject.count < 3",
    "has(subject.count) && subject.count > 3 && subject.count < 4",
    "has(subject.count) && subject.count >= 3 && subject.count <= 3 && subject.count != 3",
    "has(subject.count) && 3 < subject.count && 2 > subject.count",
    "has(subject.weight) && subject.weight > 1.5 && subject.weight <= 1.5",
    "has(subject.text) && subject.text == 'a' && subject.text == 'b'",
    "has(subject.text) && !has(subject.text)",
    "has(subject.customer.roles.ceA) && !has(subject.customer.roles)",
    "!has(subject.customer.grade)",
    "size(subject.notes) == 0 && has(subject.notes)",
    "size(subject.notes) < 0",
    "subject.openedAt > timestamp('2026-01-02T00:00:00Z') && subject.openedAt < timestamp('2026-01-01T00:00:00Z')",
    "has(subject.closedAt) && subject.closedAt > subject.openedAt && subject.openedAt >= subject.closedAt",
    "has(subject.closedAt) && subject.closedAt < subject.closedAt",
    (
        "has(subject.closedAt) && subject.closedAt - subject.openedAt > duration('2h')"
        " && subject.closedAt - subject.openedAt < duration('90m')"
    ),
    "has(subject.text) && subject.text.startsWith('a') && !subject.text.startsWith('a')",
    "has(subject.count) ? !has(subject.count) : has(subject.count)",
    "false",
]
NEVER_FALSE = [
    "subject.customer.grade != 'group' || subject.customer.grade != 'local'",
    "subject.customer.grade in ['group', 'local', 'province']",
    "!has(subject.count) || subject.count > 3 || subject.count <= 3",
    "has(subject.text) || !has(subject.text)",
    "has(subject.customer.grade)",
    "size(subject.notes) >= 0",
    "!has(subject.flag) || subject.flag || subject.flag == false",
    "has(subject.count) && subject.count > 1 ? true : (!has(subject.count) || subject.count <= 1)",
]
EITHER = [
    "has(subject.count) && subject.count > 3 && subject.count < 5",
    "has(subject.weight) && subject.weight > 3.0 && subject.weight < 3.1",
    "subject.customer.grade != 'group' && subject.customer.grade != 'local'",
    "has(subject.text) && subject.text >= 'a' && subject.text <= 'a'",
    "has(subject.closedAt) && subject.closedAt >= subject.openedAt && subject.openedAt >= subject.closedAt",
    "subject.notes.exists(n, has(n.by) && n.by == 'a') && subject.notes.exists(n, has(n.by) && n.by == 'b')",
    "has(subject.flag) && subject.flag",
    "size(subject.notes) == 0 || subject.notes.all(n, n.at > subject.openedAt)",
]


def outcomes(text: str) -> tuple[bool, bool]:
    """Whether the condition can be true, and whether it can be false."""
    condition, findings = compiled(text)
    assert condition is not None, findings
    can_be_true = possible([(condition.root, True)], SCOPE, COMPILER.types)
    return can_be_true, possible([(condition.root, False)], SCOPE, COMPILER.types)


@pytest.mark.parametrize("text", NEVER_TRUE)
def test_a_contradiction_can_never_be_true(text: str) -> None:
    assert outcomes(text) == (False, True)


@pytest.mark.parametrize("text", NEVER_FALSE)
def test_a_tautology_can_never_be_false(text: str) -> None:
    assert outcomes(text) == (True, False)


@pytest.mark.parametrize("text", EITHER)
def test_what_depends_on_the_fact_can_be_both(text: str) -> None:
    assert outcomes(text) == (True, True)


def test_what_is_called_impossible_never_happens() -> None:
    dice = Random(11)
    facts = [bindings_of(ticket(dice)) for _ in range(25)]
    called = 0
    for _ in range(400):
        text = condition_text(dice, depth=4)
        condition, _ = compiled(text)
        assert condition is not None
        can_be_true, can_be_false = outcomes(text)
        called += not can_be_true or not can_be_false
        for bindings in facts if not (can_be_true and can_be_false) else ():
            try:
                value = condition.value(bindings)
            except EvaluationError:
                continue
            assert can_be_true if value else can_be_false, (text, bindings.values)
    assert called > 5
