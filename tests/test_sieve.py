"""Conditions as a generated function: whatever is asked of whichever fact, none is left out of which CEL says true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from agreement import COMPILER, LOADED, PARAM, SCOPE, compiled, condition_text, ticket
from hypothesis import given, settings
from hypothesis import strategies as st
from test_pushing import EXACT
from worlds import small_world

from remit.conditions.condition import Bindings
from remit.conditions.deciding import Decider
from remit.conditions.selection import (
    All,
    Among,
    Column,
    Compared,
    FirstOf,
    Held,
    Least,
    Literally,
    Moved,
    Not,
    Otherwise,
    Selection,
    Some,
    Test,
    There,
    Truth,
    Wording,
)
from remit.conditions.sieve import reader, sieve
from remit.places import Place
from remit.references import Entity

Spec = dict[str, Any]


def fact(spec: Spec) -> Entity:
    return Entity("Ticket", "t", spec, Place("feed", 1))


def answers(texts: Sequence[str], facts: Sequence[Spec]) -> Iterator[tuple[str, list[bool], list[bool]]]:
    """Each condition with what CEL says of each fact, and what its function says."""
    selection = Selection(COMPILER.types, PARAM)
    for text in texts:
        condition, findings = compiled(text)
        assert condition is not None, findings
        passes = sieve(selection.test(condition.root, SCOPE), LOADED.world)
        things = [fact(spec) for spec in facts]
        held = [condition.holds(Bindings(LOADED.world, {"subject": one, "param": PARAM}, SCOPE)) for one in things]
        yield condition.text, held, [passes(one) for one in things]


def left_out(texts: Sequence[str], facts: Sequence[Spec]) -> list[tuple[str, Spec]]:
    return [
        (text, spec)
        for text, held, passed in answers(texts, facts)
        for spec, one, other in zip(facts, held, passed, strict=True)
        if one and not other
    ]


@settings(max_examples=15)
@given(dice=st.randoms(use_true_random=False), seed=st.integers(0, 2**32))
def test_every_fact_that_cel_holds_passes(dice: Random, seed: int) -> None:
    facts = Random(seed)

    assert left_out([condition_text(dice) for _ in range(6)], [ticket(facts) for _ in range(60)]) == []


@settings(max_examples=10)
@given(dice=st.randoms(use_true_random=False), seed=st.integers(0, 2**32))
def test_several_conditions_in_one_function_let_pass_what_any_of_them_does(dice: Random, seed: int) -> None:
    selection, facts = Selection(COMPILER.types, PARAM), Random(seed)
    conditions = [one for _ in range(8) if (one := compiled(condition_text(dice))[0]) is not None]
    tests = tuple(selection.test(one.root, SCOPE) for one in conditions)
    together, apart = sieve(Some(tests), LOADED.world), [sieve(test, LOADED.world) for test in tests]

    things = [fact(ticket(facts)) for _ in range(60)]

    assert [together(one) for one in things] == [any(passes(one) for passes in apart) for one in things]


@pytest.mark.parametrize("text", EXACT)
def test_what_it_can_say_lets_no_fact_too_many_pass(text: str) -> None:
    dice = Random(5)

    ((_, held, passed),) = answers([text], [ticket(dice) for _ in range(200)])

    assert passed == held
    assert 0 < sum(held) < len(held)


WRONG = [None, True, 0, 1.5, "", "2026-10-15", "no such", [], [1], {}, {"amount": "much"}, {"at": None}]


@pytest.mark.parametrize("name", ["customer", "count", "weight", "text", "flag", "openedAt", "cost", "notes"])
def test_a_value_in_another_form_never_stops_it(name: str) -> None:
    dice = Random(3)
    selection = Selection(COMPILER.types, PARAM)
    texts = [condition_text(dice) for _ in range(60)] + EXACT
    conditions = [one for text in texts if (one := compiled(text)[0]) is not None]

    for condition in conditions:
        passes = sieve(selection.test(condition.root, SCOPE), LOADED.world)
        for value in WRONG:
            assert passes(fact({**ticket(Random(4)), name: value})) in (True, False)


GRADE = ("customer",), "text", "Customer", ("grade",)
GRADED = Held(Column(("customer",), "present", "Customer", ("grade",)))
COUNT, OTHER, TEXT = Column(("count",), "int"), Column(("other",), "int"), Column(("text",), "text")
THERE = Held(Column(("count",), "present"))
EITHER = FirstOf(((THERE, COUNT), (Truth(True), OTHER)))
OVER = Compared("$gt", COUNT, Literally(2))


@pytest.mark.parametrize(
    ("test", "spec", "passes"),
    [
        (OVER, {"count": 3}, True),
        (OVER, {"count": 2}, False),
        (OVER, {}, True),
        (Not(OVER), {}, True),
        (Otherwise(OVER, False), {}, False),
        (Not(Otherwise(OVER, False)), {}, True),
        (Otherwise(Not(OVER), False), {}, False),
        (All((THERE, OVER)), {}, False),
        (Some((THERE, Otherwise(OVER, False))), {}, False),
        (All(()), {}, True),
        (Some(()), {}, False),
        (Truth(False), {}, False),
        (OVER, {"count": True}, True),
        (OVER, {"count": "3"}, True),
        (There(COUNT), {"count": 0}, True),
        (There(COUNT), {"count": "0"}, False),
        (There(Least((COUNT, OTHER))), {"other": 1}, True),
        (There(Least((COUNT, OTHER))), {}, False),
        (Compared("==", Least((COUNT, OTHER)), Literally(1)), {"count": 2, "other": 1}, True),
        (Compared("==", EITHER, Literally(7)), {"other": 7}, True),
        (Compared("==", EITHER, Literally(7)), {"count": 1, "other": 7}, False),
        (Compared("==", Moved(COUNT, -1, OTHER), Literally(2)), {"count": 5, "other": 3}, True),
        (Otherwise(Compared("==", Moved(COUNT, -1, OTHER), Literally(2)), False), {"count": 5}, False),
        (Among(TEXT, (Literally("a"), Literally("b"))), {"text": "b"}, True),
        (Among(TEXT, (Literally("a"), Literally("b"))), {"text": "c"}, False),
        (Wording("startsWith", TEXT, "故"), {"text": "故障"}, True),
        (Wording("endsWith", TEXT, "故"), {"text": "故障"}, False),
        (Compared("==", Column(("id",), "text"), Literally("t")), {}, True),
        (Compared("==", Column(("notes", "[1]", "by"), "text"), Literally("a")), {"notes": [{}, {"by": "a"}]}, True),
        (There(Column(("notes", "[1]", "by"), "text")), {"notes": [{}]}, False),
        (Compared("==", Column(*GRADE), Literally("group")), {"customer": "bank"}, True),
        (GRADED, {"customer": "nobody"}, False),
        (GRADED, {"customer": 7}, False),
    ],
)  # fmt: skip
def test_each_test_has_three_outcomes(test: Test, spec: Spec, passes: bool) -> None:
    world = small_world({}).world

    assert sieve(test, world)(fact(spec)) is passes
    assert sieve(Not(Not(test)), world)(fact(spec)) is passes


def test_a_value_is_read_in_its_form() -> None:
    at = Column(("openedAt",), "instant")

    values = [
        reader(one, LOADED.world)(fact({"openedAt": "1970-01-01T08:00:01+08:00"})) for one in (at, Moved(at, 1, at))
    ]

    assert values == [1_000_000, 2_000_000]
    assert reader(at, LOADED.world)(fact({})) is None


def test_what_a_policy_says_gets_in_as_constants_only() -> None:
    hostile = "'] or __import__('os').abort() or ['"
    test = Some((Compared("==", Column((hostile,), "text"), Literally(hostile)), Wording("contains", TEXT, hostile)))

    assert sieve(test, LOADED.world)(fact({"text": "", hostile: ""})) is False
    assert sieve(test, LOADED.world)(fact({"text": "", hostile: hostile})) is True


@settings(max_examples=8)
@given(dice=st.randoms(use_true_random=False), seed=st.integers(0, 2**32))
def test_what_the_engine_is_asked_about_fewer_conditions_it_answers_as_about_all(dice: Random, seed: int) -> None:
    facts, conditions = Random(seed), {}
    for number in range(8):
        condition, _ = compiled(condition_text(dice))
        assert condition is not None
        conditions[f"c{number}"] = condition
    things = [fact(ticket(facts)) for _ in range(40)]

    with Decider(conditions, COMPILER, witness=False) as decider:
        some = {id(one): held for one, held in decider.each(things, LOADED.world, SCOPE)}
        every = [decider.holding(Bindings(LOADED.world, {"subject": one, "param": PARAM}, SCOPE)) for one in things]

    assert [some.get(id(one), frozenset()) for one in things] == every
