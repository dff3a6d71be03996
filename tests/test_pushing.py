"""Conditions as SQL: generated conditions and facts, of which the SQL in DuckDB never leaves one out that CEL holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from agreement import COMPILER, LOADED, PARAM, SCOPE, bindings_of, compiled, condition_text, ticket
from sqlglot import exp

from remit.conditions.pushing import Pushing
from remit.places import Place
from remit.records import Config
from remit.references import Entity, world_of_records
from remit.sources.fact_table import FactTable
from remit.sources.spool import Spool, SpooledWorld


def spooled(facts: Sequence[dict[str, Any]]) -> SpooledWorld:
    """The small world with these tickets on disk, called t0, t1 …"""
    spool = Spool()
    for number, spec in enumerate(facts):
        spool.add(Entity("Ticket", f"t{number}", spec, Place("feed", number + 1)))
    records = world_of_records(LOADED.schemas, LOADED.snapshot.records)
    config: Config = LOADED.snapshot.config
    return SpooledWorld(LOADED.schemas, records, config, spool)


def selections(texts: Sequence[str], facts: Sequence[dict[str, Any]]) -> Iterator[tuple[str, set[int], set[int]]]:
    """Each condition with the numbers of the facts of which CEL says true, and of those that its SQL selects."""
    pushing = Pushing(COMPILER.types, PARAM, apart=frozenset({"Ticket"}))
    conditions, tests = [], []
    for text in texts:
        condition, findings = compiled(text)
        assert condition is not None, findings
        conditions.append(condition)
        tests.append(pushing.test(condition.root, SCOPE))
    table = FactTable(spooled(facts), "Ticket", pushing.columns)
    for condition, test in zip(conditions, tests, strict=True):
        selected = {int(name[1:]) for (name,) in table.rows(exp.select("i").from_("facts").where(test))}
        held = {number for number, spec in enumerate(facts) if condition.holds(bindings_of(spec))}
        yield condition.text, held, selected
    table.close()


@pytest.mark.parametrize("seed", range(4))
def test_every_fact_that_cel_holds_is_selected(seed: int) -> None:
    dice = Random(seed)
    texts = list(dict.fromkeys(condition_text(dice) for _ in range(120)))
    facts = [ticket(dice) for _ in range(150)]

    left_out = [(text, facts[n]) for text, held, selected in selections(texts, facts) for n in held - selected]

    assert left_out == []


EXACT = [
    "subject.customer.grade in ['group', 'province']",
    "subject.customer.grade == 'local'",
    "!(subject.customer.grade == 'local')",
    "has(subject.text) && subject.text == '静'",
    "has(subject.text) && subject.text.startsWith('a') && !subject.text.endsWith(' ')",
    "has(subject.count) && subject.count >= 2",
    "has(subject.weight) && has(subject.hours) && subject.weight < subject.hours",
    "!has(subject.closedAt)",
    "has(subject.closedAt) && subject.closedAt - subject.openedAt > duration('2h')",
    "subject.openedAt + param.hours > timestamp('2026-10-15T03:00:00Z')",
    "has(subject.notes) && has(subject.notes[0].by)",
    "size(subject.notes) == 3",
    "has(subject.customer.roles.ceA)",
    "has(subject.flag) && subject.flag",
    "has(subject.flag) ? !subject.flag : has(subject.count)",
    "has(subject.customer.score) && subject.customer.score > 91.0",
]


@pytest.mark.parametrize("text", EXACT)
def test_what_sql_can_say_selects_no_fact_too_many(text: str) -> None:
    dice = Random(5)
    facts = [ticket(dice) for _ in range(200)]

    ((_, held, selected),) = selections([text], facts)

    assert selected == held
    assert 0 < len(held) < len(facts)


@pytest.mark.parametrize("text", ["subject.notes.exists(n, has(n.by))", "isWorking(subject.openedAt, 'week')"])
def test_what_sql_cannot_say_counts_as_possible(text: str) -> None:
    facts = [ticket(Random(seed)) for seed in range(20)]

    ((_, _, selected),) = selections([text], facts)

    assert len(selected) == len(facts)
