"""Conditions and facts at random, and the question whether durable-rules and CEL answer alike.

`python tests/agreement.py --pairs 2000000 --write docs/agreement.md` asks it so often and writes the result down; the
tests ask it some ten thousand times. The grammar covers every operator, function and macro, with missing fields,
boundary values, Chinese text and numbers at the edge of what is exact.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from worlds import GRADES, record_text, small_world

from remit.conditions.condition import Bindings, Condition, Origin
from remit.conditions.deciding import Decider, is_decidable
from remit.places import Place
from remit.records import Record
from remit.references import Entity
from remit.yamltext import read

PARAMETERS = {"wait": {"value": "2wd", "unit": "duration"}, "hours": {"value": "2h", "unit": "duration"}}
LIMITS = {
    "inputs": [{"name": "grade", "field": "Customer.grade"}],
    "output": {"name": "hours", "unit": "integer"},
    "rows": [{"grade": "group", "hours": 2}, {"grade": ["province", "local"], "hours": 4}],
}
WEEK = {
    "timezone": "Asia/Shanghai",
    "workingDays": ["mon", "tue", "wed", "thu", "fri"],
    "workingHours": [{"from": "09:00", "to": "12:00"}, {"from": "13:30", "to": "18:00"}],
    "years": [2026],
}
LOADED = small_world(
    {
        "records/parametersets/p.yaml": record_text("ParameterSet", "p", {"parameters": PARAMETERS}),
        "records/calendars/week.yaml": record_text("Calendar", "week", WEEK),
        "records/lookup-tables/limit.yaml": record_text("LookupTable", "limit", LIMITS),
    }
)
COMPILER = LOADED.compiler
SCOPE = {"subject": COMPILER.types.kind_shape("Ticket"), "param": COMPILER.types.param}
PARAM = {name: one["value"] for name, one in PARAMETERS.items()}
POLICY = b"apiVersion: remit/v1\nkind: WarningPolicy\nmetadata: {name: p}\nspec:\n  when: CONDITION\n"

TEXTS = [
    "",
    "a",
    "b",
    "abc",
    "abc ",
    "abd",
    "ab",
    "A",
    "静",
    "静 ",
    "故障",
    "故障报告",
    "😀",
    "0",
    "true",
    "null",
    "\u0001",
]
LONG_TEXTS = ["x" * 60_001, "x" * 70_000, "故" * 30_000]
NUMBERS = [
    0.0,
    -0.0,
    1.0,
    1.5,
    -2.25,
    1e-7,
    1e16,
    -1e16,
    1e300,
    5e-324,
    0.1,
    0.30000000000000004,
    79.99999999999999,
    80.0,
]
AMOUNTS = [0, 0.1, 0.2, 0.30000000000000004, 0.3, 1, 2.5, -1, 500000, 1e300]
CURRENCIES = ["CNY", "CNY", "CNY", "USD", "EUR"]
SHARES = ["0%", "80%", "80.0%", "9%", "99.95%", "100%"]
WHOLES = [0, 1, -1, 2, 3, 4, 2**31, -(2**31), 2**53, 2**53 - 1, -(2**53), 1 - 2**53]
INSTANTS = [
    "2026-10-15T09:00:00+08:00",
    "2026-10-15T01:00:00Z",
    "2026-10-15T09:00:01+08:00",
    "2026-10-15T09:00:00.000001+08:00",
    "2026-10-16T17:59:59+08:00",
    "2026-10-18T00:00:00+08:00",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00Z",
    "2099-12-31T23:59:59.999999Z",
]
SIGNS = ["==", "!=", "<", "<=", ">", ">="]
EQUAL = ["==", "!="]


def compiled(text: str, **options: Any) -> tuple[Condition | None, list[Any]]:
    """The condition over a Ticket, or None and why not."""
    document, findings = read(POLICY, "rules/warning/p.yaml")
    assert document is not None and not findings
    record = Record("WarningPolicy", "p", "rules/warning/p.yaml", document.value, document)
    lines = tuple(POLICY.decode().replace("CONDITION", text).split("\n"))
    return COMPILER.compile(text, SCOPE, Origin(record, ("spec", "when"), lines), **options)


def bindings_of(spec: dict[str, Any]) -> Bindings:
    """A ticket of these fields, in the small world."""
    return Bindings(LOADED.world, {"subject": Entity("Ticket", "t", spec, Place("f")), "param": PARAM}, SCOPE)


# --- facts -----------------------------------------------------------------------------------------------------------


def ticket(dice: Random) -> dict[str, Any]:
    """A ticket that fits its schema; each optional field is missing about every third time."""
    fields: dict[str, Callable[[], Any]] = {
        "count": lambda: dice.choice(WHOLES),
        "weight": lambda: dice.choice(NUMBERS),
        "hours": lambda: dice.choice(NUMBERS),
        "text": lambda: dice.choice(LONG_TEXTS if dice.random() < 0.02 else TEXTS),
        "other": lambda: dice.choice(TEXTS),
        "flag": lambda: dice.random() < 0.5,
        "closedAt": lambda: dice.choice(INSTANTS),
        "cost": lambda: {"amount": dice.choice(NUMBERS), "currency": dice.choice(CURRENCIES)},
        "price": lambda: {"amount": dice.choice(AMOUNTS), **dice.choice([{}, {"currency": dice.choice(CURRENCIES)}])},
        "grant": lambda: {"amount": dice.choice(AMOUNTS), "currency": "USD"},
        "rate": lambda: dice.choice(SHARES),
        "notes": lambda: [_note(dice) for _ in range(dice.randrange(4))],
    }
    spec: dict[str, Any] = {"customer": dice.choice(["bank", "shop"]), "openedAt": dice.choice(INSTANTS)}
    return spec | {name: make() for name, make in fields.items() if dice.random() < 0.66}


def _note(dice: Random) -> dict[str, Any]:
    by = {"by": dice.choice(TEXTS)} if dice.random() < 0.5 else {}
    return {"at": dice.choice(INSTANTS), **by}


# --- conditions ------------------------------------------------------------------------------------------------------


def condition_text(dice: Random, depth: int = 3) -> str:
    """A condition that compiles, of at most so many connectives above one another."""
    if depth == 0 or dice.random() < 0.25:
        return dice.choice(ATOMS)(dice)
    parts = [condition_text(dice, depth - 1) for _ in range(3)]
    form = dice.choice(["!({0})", "({0} && {1})", "({0} || {1})", "({0} && {1})", "({0} || {1})", "({0} ? {1} : {2})"])
    return form.replace("{0}", parts[0]).replace("{1}", parts[1]).replace("{2}", parts[2])


def _with(path: str, test: str) -> str:
    return f"(has({path}) && {test})"


def _quoted(text: str) -> str:
    return "'" + text.replace("\u0001", "\\u0001") + "'"


def _whole(dice: Random) -> str:
    return _with("subject.count", f"subject.count {dice.choice(SIGNS)} {dice.choice(WHOLES) + dice.choice((-1, 0, 1))}")


def _number(dice: Random) -> str:
    field = dice.choice(["weight", "hours"])
    return _with(f"subject.{field}", f"subject.{field} {dice.choice(SIGNS)} {dice.choice(NUMBERS)!r}")


def _text(dice: Random) -> str:
    return _with("subject.text", f"subject.text {dice.choice(SIGNS)} {_quoted(dice.choice(TEXTS))}")


def _turned(dice: Random) -> str:
    return _with("subject.text", f"{_quoted(dice.choice(TEXTS))} {dice.choice(SIGNS)} subject.text")


def _both(dice: Random) -> str:
    return f"(has(subject.text) && has(subject.other) && subject.text {dice.choice(EQUAL)} subject.other)"


def _fields(dice: Random) -> str:
    return f"(has(subject.weight) && has(subject.hours) && subject.weight {dice.choice(SIGNS)} subject.hours)"


def _times(dice: Random) -> str:
    return _with("subject.closedAt", f"subject.closedAt {dice.choice(SIGNS)} subject.openedAt")


def _instant(dice: Random) -> str:
    return f"subject.openedAt {dice.choice(SIGNS)} timestamp('{dice.choice(INSTANTS)}')"


def _grade(dice: Random) -> str:
    grades = sorted(dice.sample(GRADES, dice.randint(1, len(GRADES))))
    return f"subject.customer.grade in {grades!r}"


def _one_grade(dice: Random) -> str:
    return f"subject.customer.grade {dice.choice(EQUAL)} '{dice.choice(GRADES)}'"


def _followed(dice: Random) -> str:
    return _with("subject.customer.score", f"subject.customer.score {dice.choice(SIGNS)} {dice.choice([91.5, 0.0])}")


def _text_in(dice: Random) -> str:
    some = ", ".join(_quoted(text) for text in dice.sample(TEXTS, 3))
    return _with("subject.text", f"subject.text in [{some}]")


def _span(dice: Random) -> str:
    span = dice.choice(["1s", "2h", "0s", "48h"])
    return _with("subject.closedAt", f"subject.closedAt - subject.openedAt {dice.choice(SIGNS)} duration('{span}')")


def _worked(dice: Random) -> str:
    calendar = dice.choice(["week", "always"])
    worked = f"elapsed(subject.openedAt, add(subject.openedAt, '5h', 'always'), '{calendar}')"
    return f"{worked} {dice.choice(SIGNS)} duration('3h')"


def _money(dice: Random) -> str:
    return f"money('{dice.choice(['0', '0.1', '0.3', '1', '500000', '-1'])} {dice.choice(CURRENCIES)}')"


def _paid(dice: Random) -> str:
    field = dice.choice(["cost", "price"])
    sides = [f"subject.{field}", _money(dice)]
    dice.shuffle(sides)
    return _with(f"subject.{field}", f"{sides[0]} {dice.choice(SIGNS)} {sides[1]}")


def _both_paid(dice: Random) -> str:
    first, second = dice.sample(["cost", "price", "grant"], 2)
    return f"(has(subject.{first}) && has(subject.{second}) && subject.{first} {dice.choice(SIGNS)} subject.{second})"


def _reckoned(dice: Random) -> str:
    sums = ["subject.price + subject.cost", "subject.price - subject.cost * 2", "0.5 * subject.cost + subject.price"]
    picks = ["largest([subject.price, subject.cost])", "smallest([subject.price, subject.cost])"]
    test = f"{dice.choice(sums + picks)} {dice.choice(SIGNS)} subject.{dice.choice(['cost', 'price', 'grant'])}"
    among = f"subject.price in [{_money(dice)}, subject.cost]"
    test = dice.choice([test, test, among])
    return f"(has(subject.cost) && has(subject.price) && has(subject.grant) && {test})"


def _share(dice: Random) -> str:
    return _with("subject.rate", f"subject.rate {dice.choice(SIGNS)} {dice.choice(['0.8', '0.09', '1.0', '0.9995'])}")


def _item(dice: Random) -> str:
    """An item of a list by its number, under each form of guard."""
    number = dice.randrange(3)
    some = [
        f"size(subject.notes) > {number}",
        f"size(subject.notes) >= {number + 1}",
        "size(subject.notes) == 3",
        f"{number} < size(subject.notes)",
    ]
    none = [f"size(subject.notes) <= {number}", f"!(size(subject.notes) > {number})"]
    at = f"subject.notes[{number}]"
    tests = [
        f"{at}.at {dice.choice(SIGNS)} {dice.choice(['subject.openedAt', INSTANT_TEXT])}",
        f"has({at}.by)",
        f"!has({at}.by)",
        f"(has({at}.by) && {at}.by {dice.choice(EQUAL)} {_quoted(dice.choice(TEXTS))})",
    ]
    if dice.random() < 0.5:
        return f"({dice.choice(some)} && {dice.choice(tests)})"
    return f"({dice.choice(none)} || {dice.choice(tests)})"


INSTANT_TEXT = "timestamp('2026-10-15T01:00:00Z')"


def _size(dice: Random) -> str:
    return f"size(subject.notes) {dice.choice(SIGNS)} {dice.randrange(4)}"


def _fixed(dice: Random) -> str:
    return dice.choice(FIXED)


FIXED = [
    "has(subject.count)",
    "has(subject.notes)",
    "has(subject.text)",
    "has(subject.customer.roles.ceA)",
    "true",
    "false",
    "(has(subject.flag) && subject.flag)",
    "(has(subject.flag) && subject.flag == false)",
    "(has(subject.cost) && subject.cost.amount > 1.5)",
    "(has(subject.customer.roles.ceA) && subject.customer.roles.ceA.id == 'ann')",
    "subject.notes.exists(n, has(n.by) && n.by == 'a')",
    "subject.notes.all(n, n.at > subject.openedAt)",
    "subject.notes.exists_one(n, n.at == subject.openedAt)",
    "size(subject.notes.filter(n, has(n.by)).map(n, n.by)) == 2",
    "latest([subject.openedAt, timestamp('2026-10-15T01:00:00Z')]) == subject.openedAt",
    "(has(subject.count) && subject.count % 2 == 1)",
    "(has(subject.count) && 10 / (subject.count - 3) > 1)",
    "(has(subject.count) && subject.count * 4096 > 0)",
    "(has(subject.count) && math.greatest(subject.count, 3) == 3)",
    "(has(subject.count) && [1, 2, 3][subject.count] == 2)",
    "(has(subject.count) && double(subject.count) >= 2.0)",
    "(has(subject.text) && int(subject.text) == 0)",
    "(has(subject.text) && subject.text.startsWith('a') && !subject.text.endsWith(' '))",
    "(has(subject.text) && subject.text.contains('故'))",
    "(has(subject.text) && subject.text.matches('^[a-c]+$'))",
    "(has(subject.text) && subject.text.matches('[一-龥]+'))",
    "(has(subject.text) && subject.text.substring(1, 3) == 'bc')",
    "(has(subject.text) && subject.text.trim().lowerAscii() == 'abc')",
    "(has(subject.text) && has(subject.other) && subject.text.indexOf(subject.other) > 0)",
    "(has(subject.text) && {'a': 1, '静': 2}[subject.text] == 2)",
    "(has(subject.text) && subject.text in {'a': 1, '静': 2})",
    "(has(subject.text) && size(subject.text) > 2)",
    "{'group': 2, 'province': 3, 'local': 4}[subject.customer.grade] > 2",
    "table.limit(subject.customer.grade) <= 2",
    "isWorking(subject.openedAt, 'week')",
    "subject.openedAt.getHours('Asia/Shanghai') >= 9",
    "subject.openedAt.getDayOfWeek('America/New_York') == 0",
    "subject.openedAt + param.hours > timestamp('2026-10-15T03:00:00Z')",
    "(has(subject.closedAt) && workdays(subject.closedAt, timestamp('2026-10-15T03:00:00Z'), 'week') < 0.5)",
]
ATOMS: list[Callable[[Random], str]] = [
    _whole, _whole, _number, _text, _turned, _both, _fields, _times, _instant, _grade, _one_grade, _followed, _text_in,
    _span, _worked, _paid, _paid, _both_paid, _reckoned, _share, _item, _item, _size, _fixed, _fixed, _fixed, _fixed,
]  # fmt: skip


# --- the question ----------------------------------------------------------------------------------------------------


class Mismatch(NamedTuple):
    """A condition and a fact to which the two give different answers."""

    condition: str
    fact: dict[str, Any]
    engine: bool


def mismatches(texts: Sequence[str], facts: Sequence[dict[str, Any]]) -> Iterator[Mismatch]:
    """Every pair that durable-rules and CEL judge differently; all conditions share sessions, as policies do."""
    conditions = {}
    for number, text in enumerate(dict.fromkeys(texts)):
        condition, findings = compiled(text)
        assert condition is not None and is_decidable(condition, COMPILER), (text, findings)
        conditions[f"c{number}"] = condition
    with Decider(conditions, COMPILER, witness=False) as decider:
        for spec in facts:
            bindings = bindings_of(spec)
            held = decider.holding(bindings)
            for name, condition in conditions.items():
                if condition.holds(bindings) != (name in held):
                    yield Mismatch(condition.text, spec, name in held)


def ask(pairs: int, seed: int = 1, conditions: int = 20, facts: int = 400) -> tuple[int, list[Mismatch]]:
    """How many pairs were asked (at least ``pairs``) and those that differ."""
    dice, asked, found = Random(seed), 0, []
    while asked < pairs:
        texts = list(dict.fromkeys(condition_text(dice) for _ in range(conditions)))
        found += mismatches(texts, [ticket(dice) for _ in range(facts)])
        asked += len(texts) * facts
    return asked, found


PAGE = """\
# Agreement of the two engines

durable-rules decides; CEL's own evaluator says independently what every condition means.
A decision on which they differ is a bug, so they are asked at random, with missing fields, boundary values, Chinese text and numbers at the edge of what is exact.
Every run of the tests asks some twenty thousand pairs of condition and fact; `make agreement` asks two million and writes this page.

| | |
| --- | --- |
| pairs of condition and fact | {pairs:,} |
| different answers | {different} |
| seconds of one core | {seconds:.0f} |
| seed | {seed} |
| when | {when} |
| with | {versions} |
"""


def main(arguments: list[str]) -> int:
    """Ask, say what came of it, and write it down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args(arguments)
    begin = time.process_time()
    pairs, found = ask(options.pairs, options.seed)
    seconds = time.process_time() - begin
    names = ("durable_rules", "cel-expr-python", "protobuf")
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)])
    page = PAGE.format(
        pairs=pairs,
        different=len(found),
        seconds=seconds,
        seed=options.seed,
        when=datetime.now(UTC).date().isoformat(),
        versions=versions,
    )
    print(page)
    for one in found[:10]:
        print(one, file=sys.stderr)
    if options.write:
        options.write.write_text(page, encoding="utf-8")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
