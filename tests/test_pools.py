"""Bonus pools: what the bands of a ranking bring in money, to the last hundredth."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from assessments import a_world, compiled, fact, policy_record, scored, unit
from hypothesis import example, given
from hypothesis import strategies as st
from test_scoring import COUNTS, FORCED, a_policy, counted

from remit.policies.ranking import pool_amounts
from remit.references import Entity
from remit.scorecards import Scorecard

POOL = (
    "\npool:\n"
    "  title: {en: Bonus (CNY), zh: 奖金（元）}\n"
    "  over: BonusPool\n"
    "  during: fact.period\n"
    "  value: fact.total\n"
    "  currency: CNY\n"
    "  less: {each: {as: award, in: fact.innovationAwards}, value: award.amount}"
)
GROUPS = FORCED.replace("rank: true", "rank: {within: subject.function}") + POOL + "\n  within: fact.extractedFrom"
ONE = a_policy(COUNTS, head=FORCED + POOL)
MANY = a_policy(COUNTS, head=GROUPS)


def pool(name: str, total: float, group: str = "", period: str = "2026-10", awards: tuple[float, ...] = ()) -> Entity:
    given = [{"person": "ann", "amount": {"amount": one}} for one in awards]
    source = {"extractedFrom": group} if group else {}
    return fact("BonusPool", name, period=period, total={"amount": total}, innovationAwards=given, **source)


def amounts(scorecard: Scorecard) -> dict[str, float | None]:
    return {line.subject.partition("/")[2]: line.amount for line in scorecard.subjects}


def ranked(*numbers: int, **spec: Any) -> list[Entity]:
    """Units u0, u1 … that score these numbers."""
    names = [f"{spec.get('function', 'u')[0]}{n}" for n in range(len(numbers))]
    return [unit(name, **spec) for name in names] + [
        e for name, number in zip(names, numbers, strict=True) for e in counted(number, where=name)
    ]


weights = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 30), max_size=15)


@given(st.integers(0, 10**9), weights)
@example(1, {"a": 1, "b": 1, "c": 1})
def test_amounts_make_up_the_pool_and_are_less_than_a_hundredth_from_their_part(
    cents: int, weights: dict[str, int]
) -> None:
    whole, total = Fraction(cents, 100), sum(weights.values())
    found = pool_amounts(whole, {ref: Fraction(weight, 2) for ref, weight in weights.items()})

    if not total:
        assert found == {}
        return
    assert sum(found.values()) == whole
    for ref, weight in weights.items():
        assert found[ref] * 100 == int(found[ref] * 100)
        assert abs(found[ref] - whole * Fraction(weight, total)) < Fraction(1, 100)


def test_hundredths_that_are_left_go_to_the_largest_remainders_and_of_equal_ones_to_the_better_rank() -> None:
    # 100 by 1.5, 1 and 1 are 42.8571…, 28.5714… and 28.5714…; 0.05 are 0.0214…, 0.0142… and 0.0142….
    world = a_world(*ranked(9, 8, 7), pool("p", 100))

    scorecard = scored(ONE, world)

    assert amounts(scorecard) == {"u0": 42.86, "u1": 28.57, "u2": 28.57}
    assert amounts(scored(ONE, a_world(*ranked(9, 8, 7), pool("p", 0.05)))) == {"u0": 0.02, "u1": 0.02, "u2": 0.01}


def test_what_is_awarded_out_of_a_pool_is_taken_off_first_and_pools_add_up() -> None:
    world = a_world(*ranked(9), pool("p", 100.1, awards=(20.2, 9.8)), pool("q", 5), pool("early", 7, period="2026-09"))

    assert amounts(scored(ONE, world)) == {"u0": 75.1}


def test_a_pool_is_shared_out_in_its_own_period_and_not_again_in_a_longer_one() -> None:
    made = a_policy(COUNTS, head=FORCED.replace("period: month", "period: [month, quarter]") + POOL)
    world = a_world(*ranked(9), pool("p", 100))

    assert amounts(scored(made, world)) == {"u0": 100}
    assert amounts(scored(made, world, period="2026-Q4")) == {"u0": None}


def test_money_without_a_currency_is_in_the_one_that_its_schema_assumes() -> None:
    made = a_policy(COUNTS, head=FORCED + POOL.replace("currency: CNY", "currency: USD"))

    scorecard = scored(made, a_world(*ranked(9), pool("p", 100)))

    assert amounts(scorecard) == {"u0": None}
    assert [f.message for f in scorecard.findings] == ["BonusPool/p has CNY and not USD, by fact.total."]


def test_each_group_shares_out_its_own_pool() -> None:
    world = a_world(
        *ranked(9, 8, function="monitoring"),
        *ranked(7, function="customer_response"),
        pool("p", 50, "monitoring"),
        pool("q", 30, "customer_response"),
    )

    scorecard = scored(MANY, world)

    # Of two, one is in the top band and one in the middle: 1.5 and 1 of 2.5.
    assert amounts(scorecard) == {"m0": 30, "m1": 20, "c0": 30}
    assert {line.share for line in scorecard.subjects} == {0.6, 0.4, 1}
    assert scorecard.findings == ()


@pytest.mark.parametrize("made", [MANY, ONE], ids=["groups", "one"])
def test_nobody_has_an_amount_without_a_pool(made: Any) -> None:
    scorecard = scored(made, a_world(*ranked(9, function="monitoring")))

    assert amounts(scorecard) == {"m0": None}
    assert scorecard.findings == ()


UNSHARED = {
    "of no group": (pool("p", 50), "BonusPool/p is shared by nobody: it leads to no group by fact.extractedFrom."),
    "of a group without members": (pool("p", 50, "sales"), "Nobody who is ranked shares BonusPool/p."),
    "with more awarded than there is": (
        pool("p", 50, "monitoring", awards=(30, 20.01)),
        "BonusPool/p holds less than is given out of it beforehand.",
    ),
    "in another currency": (
        fact("BonusPool", "p", period="2026-10", total={"amount": 9, "currency": "USD"}, extractedFrom="monitoring"),
        "BonusPool/p has USD and not CNY, by fact.total.",
    ),
    "without money": (
        fact("BonusPool", "p", period="2026-10", extractedFrom="monitoring"),
        "BonusPool/p has no fact.total.",
    ),
}


@pytest.mark.parametrize("case", UNSHARED)
def test_a_pool_that_nobody_shares_is_told(case: str) -> None:
    record, words = UNSHARED[case]

    scorecard = scored(MANY, a_world(*ranked(9, function="monitoring"), record))

    assert amounts(scorecard) == {"m0": None}
    assert [(f.code, f.pointer, f.message) for f in scorecard.findings] == [("pool-unshared", "/spec/pool", words)]


MISTAKES = {
    "no multipliers": (FORCED.replace(", multiplier: 1.5", "").replace(", multiplier: 1}", "}"), "/spec/bands"),
    "no bands": ("period: month\nrank: true" + POOL, "/spec/pool"),
    "groups that are not ranked": (FORCED + POOL + "\n  within: fact.extractedFrom", "/spec/pool/within"),
    "another kind": (FORCED + POOL.replace("BonusPool", "BonusPol"), "/spec/pool/over"),
    "no money": (FORCED + POOL.replace("fact.total", "fact.period"), "/spec/pool/value"),
    "no list": (FORCED + POOL.replace("fact.innovationAwards", "fact.period"), "/spec/pool/less/each/in"),
    "no money in the list": (FORCED + POOL.replace("award.amount", "award.person"), "/spec/pool/less/value"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_pool_that_makes_no_sense_is_found_where_it_was_written(mistake: str) -> None:
    head, pointer = MISTAKES[mistake]

    made, findings = compiled(policy_record(COUNTS, head=head), a_world())

    assert made is None
    assert pointer in [f.pointer for f in findings], findings
