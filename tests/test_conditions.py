"""Conditions are typed by the schemas, have the value that CEL gives them, and stay inside the box."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from agreement import COMPILER, INSTANTS, LOADED, SCOPE, SIGNS, bindings_of, compiled, mismatches
from hypothesis import given
from hypothesis import strategies as st
from worlds import kind_schema, record_text, small_world

from remit.conditions.condition import Bindings, EvaluationError
from remit.conditions.functions import FUNCTIONS
from remit.conditions.lowering import encode, follow
from remit.conditions.possible import possible
from remit.conditions.session import OutsideEnvelope, RuleSession, lint
from remit.conditions.text import text_of
from remit.conditions.tracing import trace
from remit.conditions.tree import pointer_of, walk
from remit.findings import CODES
from remit.places import Place
from remit.references import Entity
from remit.schemas import Shape

MISTAKES = [
    ("subject.custmer.grade == 'group'", "condition-unknown-field", 17, 'Did you mean "customer"?'),
    ("subject.customer.grad == 'group'", "condition-unknown-field", 26, 'Did you mean "grade"?'),
    ("subject.customer.grade == 'gruop'", "condition-not-in-enum", 35, 'Did you mean "group"?'),
    ("subject.customer.grade in ['group', 'vip']", "condition-not-in-enum", 45, "Known: group, local, province."),
    ("subject.openedAt > 3", "condition-type", None, "Both sides must be of one type."),
    ("has(subject.count) && subject.count > 'x'", "condition-type", None, "Both sides must be of one type."),
    ("has(subject.weight) && subject.weight > 1", "condition-type", None, "compared with 1.0"),
    ("subject.count > 3", "condition-unguarded", None, "has(subject.count)"),
    ("has(subject.count) || subject.count > 3", "condition-unguarded", None, "has(subject.count)"),
    ("subject.notes.exists(n, n.by == 'x')", "condition-unguarded", None, "has(n.by)"),
    ("subject.customer.roles.ceA.id == 'ann'", "condition-unguarded", None, "has(subject.customer.roles)"),
    ("sbject.count > 3", "condition-unknown-name", 9, 'Did you mean "subject"?'),
    ("has(subject.text) && subject.text.matches(subject.other)", "condition-unsupported", None, ""),
    ("has(subject.text) && subject.text.matches('(a')", "condition-type", None, ""),
    (f"has(subject.text) && subject.text.matches('{'a' * 201}')", "condition-unsupported", None, ""),
    ("{1: 'a'}[1] == 'a'", "condition-unsupported", 10, ""),
    ("'a' in {'a': 1, 'b': 'x'}", "condition-type", None, ""),
    ("[1, 2.5].exists(x, x > 1.0)", "condition-type", None, "1.0"),
    ("math.greatest(1, 2.5) > 1.0", "condition-type", None, "1.0"),
    ("max(1, 2) > 1", "condition-unsupported", 9, "math.greatest"),
    ("subject.openedAt > now", "condition-unsupported", None, "levels"),
    ("cel.bind(x, 1, x > 0)", "condition-unsupported", None, ""),
    ("type(1) == int", "condition-unsupported", None, ""),
    ("dyn(1) == 1", "condition-unsupported", None, ""),
    ("uint(1) == uint(1)", "condition-unsupported", None, ""),
    ("null == null", "condition-unsupported", None, ""),
    ("b'a' == b'a'", "condition-unsupported", None, ""),
    ("'%s'.format(['a']) == 'a'", "condition-unsupported", None, ""),
    ("google.protobuf.Duration{seconds: 1} > duration('0s')", "condition-unsupported", None, ""),
    ("subject.openedAt.getHours() > 8", "condition-unsupported", None, "Asia/Shanghai"),
    ("subject.openedAt.getHours('Asia/Shanhai') > 8", "condition-type", None, ""),
    ("subject.openedAt > timestamp('yesterday')", "condition-type", None, ""),
    ("subject.openedAt - subject.openedAt > duration('2wd')", "condition-type", None, ""),
    ("int('x') > 1", "condition-type", None, ""),
    ("elapsed(subject.openedAt, subject.openedAt, 'wek') > duration('1h')", "condition-unknown-name", 53, '"week"'),
    ("add(subject.openedAt, '2 days', 'week') > subject.openedAt", "condition-type", None, "2wd"),
    ("add(subject.openedAt, '2wd', 'always') > subject.openedAt", "condition-type", None, ""),
    ("isWorking(subject.openedAt, subject.customer.grade)", "condition-unsupported", None, ""),
    ("table.limt(subject.customer.grade) > 1", "condition-unknown-name", 9, "table.limit"),
    ("table.limit(subject.customer.grade) > 1.5", "condition-type", None, ""),
    ("table.limit(subject.openedAt) > 1", "condition-type", None, ""),
    ("has(subject.hours) && has(subject.share) && subject.hours > subject.share", "condition-type", None, "one unit"),
    ("has(subject.hours) && subject.hours - subject.cost.amount > 1.0", "condition-type", None, "one unit"),
    ("subject.notes[0].at > subject.openedAt", "condition-unguarded", 25, "size(subject.notes) > 0"),
    ("size(subject.notes) > 0 && subject.notes[1].at > subject.openedAt", "condition-unguarded", 52, "> 1"),
    ("size(subject.notes) >= 0 && subject.notes[0].at > subject.openedAt", "condition-unguarded", None, "> 0"),
    ("size(subject.notes) != 1 && subject.notes[0].at > subject.openedAt", "condition-unguarded", None, "> 0"),
    ("size(subject.notes) > 0 || subject.notes[0].at > subject.openedAt", "condition-unguarded", None, "> 0"),
    ("has(subject.notes[0].by)", "condition-unguarded", None, "size(subject.notes) > 0"),
    ("has(subject.notes) && subject.notes[0].by == 'a'", "condition-unguarded", None, "has(subject.notes[0].by)"),
    ("has(subject.notes) && subject.notes[0].bye == 'a'", "condition-unknown-field", None, '"by"'),
    ("has(subject.notes) && subject.notes[0].at > 3", "condition-type", None, "one type"),
    ("subject.notes[size(subject.notes) - 1].at > subject.openedAt", "condition-unsupported", None, "filter()"),
    ("subject.notes[100].at > subject.openedAt", "condition-unsupported", None, "0 to 99"),
    ("has(subject.cost) && subject.cost > 5", "condition-type", 43, 'money("500 CNY")'),
    ("has(subject.cost) && subject.cost == 5", "condition-type", 43, 'money("500 CNY")'),
    ("has(subject.cost) && subject.cost > duration('5h')", "condition-type", 43, 'money("500 CNY")'),
    ("has(subject.cost) && subject.cost * subject.cost == subject.cost", "condition-type", None, "multiplied"),
    ("has(subject.cost) && math.greatest([subject.cost]) == subject.cost", "condition-type", None, "largest"),
    ("has(subject.cost) && [subject.cost] == [subject.cost]", "condition-unsupported", None, "exists()"),
    ("has(subject.cost) && subject.cost.amont > 1.0", "condition-unknown-field", None, 'Did you mean "amount"?'),
    ("money('500 CNY') > money('500 USD')", "condition-type", 26, "one currency"),
    ("has(subject.grant) && subject.grant > money('1 CNY')", "condition-type", None, "one currency"),
    ("has(subject.grant) && subject.grant in [money('1 CNY')]", "condition-type", None, "one currency"),
    ("has(subject.grant) && subject.grant * 2 > money('1 CNY')", "condition-type", None, "one currency"),
    ("has(subject.grant) && largest([subject.grant, money('1 CNY')]) > subject.grant", "condition-type", None, ""),
    ("has(subject.cost) && subject.cost > money('5 yuan')", "condition-type", None, ""),
    ("has(subject.rate) && subject.rate > '80%'", "condition-type", None, "one type"),
    ("has(subject.rate) && has(subject.hours) && subject.rate > subject.hours", "condition-type", None, "one unit"),
    ("subject.openedAt >", "condition-syntax", None, ""),
    ("subject.customer", "condition-not-bool", None, ""),
    ("size(subject.notes)", "condition-not-bool", None, ""),
    ("subject.openedAt + param.wait > subject.openedAt", "condition-type", None, "after, before or past"),
    ("", "condition-syntax", None, ""),
    ("true" + " || true" * 1000, "condition-unsupported", None, ""),
]


@pytest.mark.parametrize(("text", "code", "column", "hint"), MISTAKES, ids=[m[0][:40] for m in MISTAKES])
def test_every_mistake_in_a_condition_has_its_code_and_place(
    text: str, code: str, column: int | None, hint: str
) -> None:
    condition, findings = compiled(text)

    assert condition is None
    assert code in {f.code for f in findings}
    one = next(f for f in findings if f.code == code)
    assert one.place.line == 5
    assert column is None or one.place.column == column
    assert hint in one.hint
    assert all(f.code in CODES for f in findings)


GOOD = [
    "has(subject.text) && subject.text.matches('^[A-Z]{2}-[0-9]+$')",
    "has(subject.text) && subject.text.trim().lowerAscii().split(',').exists(t, t == '静')",
    "has(subject.text) && subject.text.replace('a', 'b').substring(1, 3).indexOf('b') == 1",
    "has(subject.text) && ['x', subject.text].join('-').upperAscii().charAt(0) == 'X'",
    "{'group': 2, 'local': 4}[subject.customer.grade] > 2",
    "subject.customer.grade in {'group': true}",
    "['a', 'b'][1] == 'b'",
    "subject.openedAt.getHours('Asia/Shanghai') >= 18 || subject.openedAt.getDayOfWeek('Asia/Shanghai') == 0",
    "has(subject.closedAt) && (subject.closedAt - subject.openedAt).getHours() > 3",
    "math.greatest([1, 2, size(subject.notes)]) > 2 && math.least(1, 2) == 1",
    "has(subject.count) && double(subject.count) > 1.5 && string(subject.count) == '2' && int('3') == 3",
    "has(subject.closedAt) && elapsed(subject.openedAt, subject.closedAt, 'week') > duration('3h')",
    "has(subject.closedAt) && workdays(subject.openedAt, subject.closedAt, 'week') > 1.5",
    "has(subject.closedAt) && subject.closedAt > add(subject.openedAt, '2wd', 'week')",
    "isWorking(subject.openedAt, 'week') && !isWorking(subject.openedAt, 'always')",
    "table.limit(subject.customer.grade) > 2",
    "has(subject.flag) ? (subject.flag ? true : false) : (has(subject.count) ? false : true)",
    "has(subject.cost) && subject.cost.amount > 100.0",
    "subject.openedAt + param.hours > subject.openedAt",
    "has(subject.cost) && has(subject.price) && subject.cost + subject.price * 2 <= money('500000.5 CNY')",
    "has(subject.cost) && smallest([subject.cost, money('1 CNY')]) != 0.5 * money('2 CNY') - subject.cost",
    "has(subject.cost) && subject.cost in [money('1 CNY'), money('2 CNY')]",
    "has(subject.grant) && subject.grant.amount > 1.0 && subject.grant == money('1 USD')",
    "has(subject.rate) && subject.rate >= 0.8",
    "size(subject.notes) > 1 && has(subject.notes[1].by) && subject.notes[1].by == 'a'",
    "subject.notes.size() >= 2 && subject.notes[1].at - subject.notes[0].at > duration('2h')",
    "size(subject.notes) == 0 || !has(subject.notes[0].by)",
    "1 < size(subject.notes) && subject.notes[1].at > subject.openedAt",
    "!(size(subject.notes) < 1) && subject.notes[0].at > subject.openedAt",
    "size(subject.notes) == 0 ? true : subject.notes[0].at > subject.openedAt",
    "subject.customer.grade in ['group', 'province']",
    "has(subject.count) && subject.count >= 3",
    "!has(subject.count) || subject.count > 3",
    "has(subject.flag) ? subject.flag : false",
    "subject.notes.filter(n, has(n.by)).exists(m, m.by == '静')",
    "size(subject.notes) > 2 && subject.notes.all(n, n.at > subject.openedAt)",
    "has(subject.closedAt) && subject.closedAt - subject.openedAt > duration('2h')",
    "has(subject.text) && (subject.text.startsWith('故障') || subject.text.contains('x'))",
    "has(subject.customer.roles.ceA) && subject.customer.roles.ceA.id == 'ann'",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_right_condition_compiles_and_its_text_parses_to_the_same_tree(text: str) -> None:
    condition, findings = compiled(text)
    assert condition is not None, findings

    again, findings = compiled(text_of(condition.root))

    assert again is not None, findings
    assert text_of(again.root) == text_of(condition.root)
    assert sum(1 for _ in walk(again.root)) == sum(1 for _ in walk(condition.root))


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_numbers_keep_their_order_as_whole_numbers(a: float, b: float) -> None:
    shape = Shape("number")

    first, second = encode(shape, a), encode(shape, b)

    assert (first < second) == (a < b)
    assert (first == second) == (a == b)


def test_an_error_value_of_cel_is_never_taken_for_true() -> None:
    condition, _ = compiled("has(subject.count) && 10 / (subject.count - 3) > 1")
    assert condition is not None
    spec = {"customer": "bank", "openedAt": INSTANTS[0], "count": 3}
    bindings = Bindings(LOADED.world, {"subject": Entity("Ticket", "t", spec, Place("f")), "param": {}}, SCOPE)

    assert condition.holds(bindings) is False


def test_instants_are_compared_as_instants_not_as_text() -> None:
    condition, _ = compiled("subject.openedAt == timestamp('2026-10-15T01:00:00Z')")
    assert condition is not None
    spec = {"customer": "bank", "openedAt": "2026-10-15T09:00:00+08:00"}
    bindings = Bindings(LOADED.world, {"subject": Entity("Ticket", "t", spec, Place("f")), "param": {}}, SCOPE)

    assert condition.holds(bindings)
    assert condition.value(bindings) is True


MIXED = [
    *(f"subject.cost {sign} subject.price" for sign in SIGNS),
    "subject.cost + subject.price > subject.cost",
    "largest([subject.cost, subject.price]) == subject.cost",
    "subject.cost in [subject.price, money('1 USD')]",
]


@pytest.mark.parametrize("test", MIXED)
def test_money_of_unlike_currencies_is_an_error_value_so_neither_a_test_nor_its_opposite_holds(test: str) -> None:
    guards = "has(subject.cost) && has(subject.price)"
    texts = [f"{guards} && {test}", f"{guards} && !({test})"]
    spec = {"customer": "bank", "openedAt": INSTANTS[0], "cost": {"amount": 1, "currency": "USD"}}
    in_default = spec | {"price": {"amount": 1}}
    in_dollars = spec | {"price": {"amount": 1, "currency": "USD"}}

    for text in texts:
        condition, findings = compiled(text)
        assert condition is not None, findings
        assert not condition.holds(bindings_of(in_default))
        with pytest.raises(EvaluationError, match="CNY and USD"):
            condition.value(bindings_of(in_default))
    assert sum(c.holds(bindings_of(in_dollars)) for text in texts if (c := compiled(text)[0])) == 1
    assert list(mismatches(texts, [in_default, in_dollars])) == []


SECOND_BY = "size(subject.notes) > 1 && has(subject.notes[1].by) && subject.notes[1].by == 'a'"


@pytest.mark.parametrize(
    ("notes", "outcomes", "read"),
    [
        ([], [False, None, None], [0, None, None]),
        ([{"at": INSTANTS[0], "by": "a"}], [False, None, None], [1, None, None]),
        ([{"at": INSTANTS[0]}] * 2, [True, False, None], [2, None, None]),
        ([{"at": INSTANTS[0]}, {"at": INSTANTS[0], "by": "a"}], [True, True, True], [2, "a", "a"]),
    ],
)
def test_the_trace_of_an_item_says_what_it_read_and_what_had_no_value(
    notes: list[Any], outcomes: list[Any], read: list[Any]
) -> None:
    condition, _ = compiled(SECOND_BY)
    assert condition is not None
    bindings = bindings_of({"customer": "bank", "openedAt": INSTANTS[0], "notes": notes})

    whole, *parts = trace(condition, bindings, COMPILER)

    values = [follow(path.names, bindings) for part in parts for path in part.paths]
    assert whole.outcome is all(outcomes)
    assert [part.outcome for part in parts] == outcomes
    assert [len(value) if isinstance(value, list) else value for value in values] == read
    assert pointer_of(parts[-1].paths[0].names) == ("subject", "notes", 1, "by")


def test_a_money_without_a_currency_is_in_the_default_of_its_schema() -> None:
    condition, _ = compiled("has(subject.price) && subject.price == money('5 CNY')")
    assert condition is not None
    spec = {"customer": "bank", "openedAt": INSTANTS[0], "price": {"amount": 5}}

    assert condition.holds(bindings_of(spec))


def test_a_share_is_compared_as_a_number_not_as_text() -> None:
    condition, _ = compiled("has(subject.rate) && subject.rate > 0.8")
    assert condition is not None
    spec = {"customer": "bank", "openedAt": INSTANTS[0]}

    assert condition.holds(bindings_of(spec | {"rate": "100%"}))
    assert not condition.holds(bindings_of(spec | {"rate": "9%"}))


NEVER_TRUE = [
    ("has(subject.price) && subject.price > money('5 CNY') && subject.price < money('3 CNY')", False),
    ("has(subject.price) && subject.price > money('5 CNY') && subject.price < money('9 USD')", False),
    ("has(subject.price) && subject.price > money('5 CNY') && subject.price < money('9 CNY')", True),
    ("has(subject.price) && money('5 CNY') < subject.price && subject.price == money('5 CNY')", False),
    ("has(subject.notes) && subject.notes[0].at > subject.openedAt && size(subject.notes) < 1", False),
    ("size(subject.notes) > 1 && subject.notes[1].at > subject.openedAt && size(subject.notes) < 3", True),
]


@pytest.mark.parametrize(("text", "may_hold"), NEVER_TRUE)
def test_what_no_money_and_no_list_can_meet_is_known_before_anything_runs(text: str, may_hold: bool) -> None:
    condition, findings = compiled(text)
    assert condition is not None, findings

    assert possible([(condition.root, True)], SCOPE, COMPILER.types) is may_hold


FRIDAY, MONDAY = "timestamp('2026-10-16T17:00:00+08:00')", "timestamp('2026-10-19T10:00:00+08:00')"
VALUES: list[tuple[str, Any]] = [
    (f"elapsed({FRIDAY}, {MONDAY}, 'week')", timedelta(hours=2)),
    (f"elapsed({MONDAY}, {FRIDAY}, 'week')", timedelta(hours=-2)),
    (f"elapsed({FRIDAY}, {MONDAY}, 'always')", timedelta(hours=65)),
    (f"workdays({FRIDAY}, {MONDAY}, 'week')", 17 / 24),
    (f"add({FRIDAY}, '2h', 'week')", datetime(2026, 10, 19, 2, tzinfo=UTC)),
    (f"add({FRIDAY}, '1wd', 'week')", datetime(2026, 10, 19, 9, tzinfo=UTC)),
    (f"isWorking({FRIDAY}, 'week')", True),
    ("isWorking(timestamp('2026-10-17T10:00:00+08:00'), 'week')", False),
    ("isWorking(timestamp('2026-10-17T10:00:00+08:00'), 'always')", True),
    ("table.limit(subject.customer.grade)", 2),
    ("{'group': 'a', 'local': 'b'}[subject.customer.grade]", "a"),
    ("math.greatest(1, 7, 3)", 7),
    ("'故障报告'.substring(2)", "报告"),
    ("'a,b'.split(',').map(t, t.upperAscii()).join('')", "AB"),
    ("subject.openedAt.getHours('Asia/Shanghai')", 9),
    ("subject.openedAt.getHours('Europe/Berlin')", 3),
    ("money('0.1 CNY') + money('0.2 CNY') == money('0.3 CNY')", True),
    ("money('0.1 CNY') * 3 == money('0.30 CNY') && 1.5 * money('2 CNY') == money('3 CNY')", True),
    ("money('1 CNY') - money('3 CNY') == money('-2 CNY')", True),
    ("largest([money('1 CNY'), money('3 CNY')]) == money('3 CNY')", True),
    ("smallest([money('1 CNY'), money('3 CNY')]) == money('1 CNY')", True),
    ("money('2 CNY') in [money('1 CNY'), money('2.0 CNY')]", True),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[v[0][:50] for v in VALUES])
def test_an_expression_has_the_value_that_its_words_say(text: str, value: Any) -> None:
    condition, findings = compiled(text, wants=())
    assert condition is not None, findings
    spec = {"customer": "bank", "openedAt": "2026-10-15T09:00:00+08:00"}
    bindings = Bindings(LOADED.world, {"subject": Entity("Ticket", "t", spec, Place("f")), "param": {}}, SCOPE)

    assert condition.value(bindings) == value


def test_a_value_without_a_row_in_a_table_is_an_error_value_and_so_never_true() -> None:
    condition, _ = compiled("has(subject.text) && table.limit(subject.text) != 2")
    assert condition is not None
    spec = {"customer": "bank", "openedAt": INSTANTS[0], "text": "nobody"}
    bindings = Bindings(LOADED.world, {"subject": Entity("Ticket", "t", spec, Place("f")), "param": {}}, SCOPE)

    assert condition.holds(bindings) is False


# --- the box ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tests",
    [
        {},
        {"r": {"$and": []}},
        {"r": {"$or": []}},
        {"r": {"$mt": {"p": "[一-龥]+"}}},
        {"r": {"$lt": {"p": 1.5}}},
        {"r": {"p": 1, "q": 2}},
        {"r": {"sid": "0"}},
        {"r": {"a.b": 1}},
        {"r": {"p": 2**63}},
        {"my$state": {"p": 1}},
        {"r": {"$or": [{"$and": [{f"p{i}": 1}, {f"q{i}": 1}]} for i in range(61)]}},
        {f"r{i}": {"p": i} for i in range(51)},
        {"r": {"$and": [{"p": i} for i in range(301)]}},
    ],
    ids=str,
)
def test_a_definition_outside_the_envelope_never_reaches_the_engine(tests: dict[str, Any]) -> None:
    with pytest.raises(OutsideEnvelope):
        lint(tests)


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**63, "x" * 60_001, "\ud800", [1], {"a": 1}], ids=str)
def test_a_value_that_the_engine_cannot_hold_never_reaches_it(value: Any) -> None:
    session = RuleSession({"r": {"p": 1}})
    try:
        with pytest.raises(OutsideEnvelope):
            session.decide({"p": value})
        assert session.decide({"p": 1}) == {"r"}
    finally:
        session.close()


def test_a_session_leaves_nothing_behind_between_cases() -> None:
    session = RuleSession({"has": {"$ex": {"p": 1}}, "lacks": {"$nex": {"p": 1}}, "always": None})
    try:
        answers = [session.decide({"p": 1}), session.decide({}), session.decide({"p": 1})]
    finally:
        session.close()

    assert answers == [{"has", "always"}, {"lacks", "always"}, {"has", "always"}]


def test_every_supported_function_has_words() -> None:
    assert all(FUNCTIONS.values())


def test_a_kind_without_fields_can_be_referred_to() -> None:
    bare = kind_schema("Person")
    bare["$defs"]["spec"] = {"type": "object"}
    person = {f"records/persons/{name}.yaml": record_text("Person", name, {}) for name in ("ann", "bob")}
    loaded = small_world({"schemas/kinds/Person.schema.json": json.dumps(bare).encode(), **person})

    types = loaded.compiler.types
    entity = loaded.world.get("Customer", "bank")
    assert entity is not None
    message = types.of_entity(entity, {"roles": {"ceA": {"id": {}}}}, loaded.world)
    assert message.roles.ceA.id == "ann"


def test_microseconds_are_kept() -> None:
    moment = datetime(2026, 10, 15, 1, tzinfo=UTC)

    assert encode(Shape("instant"), moment + timedelta(microseconds=1)) - encode(Shape("instant"), moment) == 1
