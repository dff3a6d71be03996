"""durable-rules and CEL give one answer to every condition and fact."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from agreement import ATOMS, FIXED, ask, compiled, condition_text, mismatches, ticket
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.conditions.functions import FUNCTIONS
from remit.conditions.text import WRITTEN, text_of

FACTS = 100


def test_the_engines_agree_on_twenty_thousand_pairs() -> None:
    pairs, found = ask(20_000, seed=2)

    assert (found, pairs >= 20_000) == ([], True)


@settings(max_examples=20)
@given(dice=st.randoms(use_true_random=False), seed=st.integers(0, 2**32))
def test_the_engines_agree_wherever_hypothesis_looks(dice: Random, seed: int) -> None:
    texts = [condition_text(dice) for _ in range(8)]
    facts = Random(seed)

    assert list(mismatches(texts, [ticket(facts) for _ in range(FACTS)])) == []


@pytest.mark.parametrize("text", FIXED)
def test_the_engines_agree_on_every_form_of_condition(text: str) -> None:
    facts = Random(len(text))

    assert list(mismatches([text, f"!({text})"], [ticket(facts) for _ in range(40)])) == []


def test_the_generator_reaches_every_operator_function_and_macro() -> None:
    dice = Random(7)
    texts = [atom(dice) for atom in ATOMS for _ in range(60)] + [condition_text(dice) for _ in range(300)]
    trees = [condition for text in texts if (condition := compiled(text)[0]) is not None]
    written = " ".join(text_of(one.root) for one in trees)

    assert len(trees) == len(texts)
    for name in FUNCTIONS:
        bare = WRITTEN.get(name, name).strip("_!").partition("[")[0]
        assert bare in written or name in RARE, name


RARE = {
    "_?_:_", "-_", "@in", "lastIndexOf", "charAt", "split", "join", "replace", "upperAscii", "string", "math.@min",
    "earliest", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfYear", "getMinutes", "getSeconds",
    "getMilliseconds",
}  # fmt: skip
"""Functions whose like is in the generator; test_conditions holds their values."""


def test_facts_miss_fields_hold_boundaries_and_chinese() -> None:
    dice = Random(1)
    facts: list[dict[str, Any]] = [ticket(dice) for _ in range(500)]

    assert any("count" not in one for one in facts)
    assert any(one.get("count") == 2**53 for one in facts)
    assert any("故" in one.get("text", "") for one in facts)
    assert any(len(one.get("text", "")) > 60_000 for one in facts)
