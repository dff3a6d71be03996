"""What durable-rules does wrongly, and that Remit does not get there: one function a hazard.

Run as `python hazards.py NAME`, because each of these hazards could hang or kill the process that meets it. A function
that returns has shown that the hazard is out of reach, or refused before the engine sees it.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agreement import COMPILER, bindings_of, compiled

from remit.conditions import session as box
from remit.conditions.deciding import Decider
from remit.conditions.lowering import Lowering
from remit.conditions.session import OutsideEnvelope, RuleSession, lint

TICKET = {"customer": "bank", "openedAt": "2026-10-15T09:00:00+08:00"}


def held(texts: list[str], **fields: Any) -> list[bool]:
    """Which conditions hold for a ticket, decided by durable-rules alone."""
    conditions = {}
    for number, text in enumerate(texts):
        condition, findings = compiled(text)
        assert condition is not None, (text, findings)
        conditions[f"c{number}"] = condition
    with Decider(conditions, COMPILER, witness=False) as decider:
        found = decider.holding(bindings_of({**TICKET, **fields}))
    return [name in found for name in conditions]


def lowered(text: str) -> str:
    """The tests that the engine is given for a condition, as text."""
    condition, findings = compiled(text)
    assert condition is not None, findings
    return str(Lowering(COMPILER).tests(condition))


def decided(tests: dict[str, Any], *cases: dict[str, Any]) -> list[frozenset[str]]:
    """What fires for each case, in one session."""
    session = RuleSession(tests)
    try:
        return [session.decide(case) for case in cases]
    finally:
        session.close()


def refused(tests: dict[str, Any]) -> bool:
    """True when the lint keeps a definition from the engine."""
    try:
        lint(tests)
    except OutsideEnvelope:
        return True
    return False


def refused_value(value: Any, name: str = "p") -> bool:
    """True when a fact with this value never reaches the engine."""
    try:
        decided({"r": {"$ex": {"p": 1}}}, {name: value})
    except OutsideEnvelope:
        return True
    return False


def megabytes() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def findings_of(text: str) -> set[str]:
    """The codes that a condition is refused with."""
    return {finding.code for finding in compiled(text)[1]}


# --- what hangs, crashes or leaks ------------------------------------------------------------------------------------


def a_rule_that_the_engines_own_state_meets() -> None:
    assert decided({"r": {"$nex": {"p": 1}}}, {}, {"p": 1}) == [frozenset("r"), frozenset()]
    assert all(refused({"r": test}) for test in ({"$ex": {"id": 1}}, {"$neq": {"sid": "1"}}, {"sid": "0"}))


def a_rule_that_writes_what_it_tests() -> None:
    session = RuleSession({"r": {"p": 1}})
    try:
        assert session.decide({"p": 1}) == {"r"}
        assert set(json.loads(session._native.get_state(session._ruleset, "0"))) <= {"sid", "id", "$s"}
    finally:
        session.close()


def an_action_that_asserts_for_ever() -> None:
    assert refused({"r": {"$and": []}}) and refused({"r": {"$or": []}})
    assert decided({"r": None}, {}, {}) == [frozenset("r")] * 2


def a_division_by_zero() -> None:
    text = "has(subject.count) && 10 / subject.count > 1"
    assert "$div" not in lowered(text)
    assert held([text, f"!({text})"], count=0) == [False, False]
    assert refused({"r": {"$gt": {"p": {"$div": {"$l": 1, "$r": 0}}}}}) or "$div" not in lowered(text)


def a_pattern_with_a_wide_class() -> None:
    text = "has(subject.text) && subject.text.matches('^[一-龥]+$')"
    assert "$mt" not in lowered(text) and refused({"r": {"$mt": {"p": "a"}}})
    assert held([text], text="中国") == [True] and held([text], text="x") == [False]


def hundreds_of_rules_with_one_test() -> None:
    assert refused({f"r{n}": {"p": 1} for n in range(256)})
    assert held(["has(subject.count) && subject.count == 1"] * 300, count=1) == [True] * 300


def hundreds_of_tests_under_one_node() -> None:
    assert refused({"r": {"$or": [{"p": n} for n in range(512)]}})
    assert sum(held([f"has(subject.count) && subject.count == {n}" for n in range(520)], count=7)) == 1


def more_true_siblings_than_the_engine_counts() -> None:
    assert all(held([f"has(subject.count) && subject.count > {n}" for n in range(100)], count=1000))


def many_absences() -> None:
    tests = {f"r{n}": {"$and": [{"$nex": {f"{x}{n}": 1}} for x in "abc"]} for n in range(50)}
    assert decided(tests, {}, {"a3": 1}) == [frozenset(tests), frozenset(tests) - {"r3"}]
    assert refused({f"r{n}": {"$and": [{"$nex": {f"p{n}{x}": 1}} for x in range(7)]} for n in range(50)})


def many_facts_in_one_rule() -> None:
    source = Path(box.__file__).read_text(encoding="utf-8")
    assert source.count('"all": [{"m": pattern}]') == 1  # one pattern a rule, one fact at a time


def a_state_deleted_under_a_join() -> None:
    package = Path(box.__file__).parents[1]
    users = [p for p in package.rglob("*.py") if "durable" in "".join(_imports(p))]
    assert [p.name for p in users] == ["session.py"]
    # A state goes only with its ruleset and right before it, and no rule has a second pattern that could join.
    text = users[0].read_text(encoding="utf-8")
    assert text.count("delete_state(") == text.count("delete_ruleset(") == text.count('"all": [{"m": pattern}]') == 1
    assert text.index("delete_state(") < text.index("delete_ruleset(")


def _imports(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip().startswith(("import ", "from "))]


def a_thousand_session_keys() -> None:
    assert len(decided({"r": {"p": 1}}, *({"p": 1} for _ in range(1_100)))) == 1_100


def engines_that_are_dropped() -> None:
    tests = {f"r{n}": {f"p{n}": n} for n in range(20)}
    RuleSession(tests).close()
    before = megabytes()
    for _ in range(300):
        RuleSession(tests).close()
    assert megabytes() - before < 10  # 54 MB where rulesets are not given back
    for _ in range(300):
        decided(tests, {"p1": 1}, {"p2": 2}, {"p3": 4})
    assert megabytes() - before < 10  # 100 MB where their states are not


def facts_that_are_kept() -> None:
    session = RuleSession({"r": {"p": "x" * 1_000}})
    session.decide({"p": "x" * 1_000})
    before = megabytes()
    for _ in range(8_000):
        assert session.decide({"p": "x" * 1_000}) == {"r"}
    session.close()
    assert megabytes() - before < 25  # 70 MB where facts are kept


# --- what answers wrongly in silence ---------------------------------------------------------------------------------


def a_missing_field_on_the_right() -> None:
    text = "has(subject.weight) && has(subject.hours) && subject.weight > subject.hours"
    assert held([text], weight=5.0) == [False] and held([text], hours=1.0) == [False]
    open_path = "subject.notes.exists(n, has(n.by) && has(subject.text) && n.by == subject.text)"
    assert held([open_path], notes=[{"at": TICKET["openedAt"], "by": "a"}]) == [False]


def a_session_key_in_a_fact() -> None:
    assert refused_value("x", "sid") and refused_value("x", "id") and refused_value("x", "kind")


def two_ids_of_one_hash() -> None:
    assert _hash("T00267786") == _hash("T01126240")
    assert decided({"r": {"p": "T00267786"}}, {"p": "T00267786"}, {"p": "T01126240"}) == [frozenset("r"), frozenset()]


def two_property_names_of_one_hash() -> None:
    names = ["id", "sid", "kind", "$s", *(f"p{n}" for n in range(box.MAX_PROPERTIES + 1))]
    assert len({_hash(name) for name in names}) == len(names)


def _hash(text: str) -> int:
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return value


def texts_longer_than_the_engine_counts() -> None:
    text = "has(subject.text) && has(subject.other) && subject.text == subject.other"
    assert held([text], text="x" * 65_536, other="y" * 65_536) == [False]
    assert held([text], text="x" * 70_000, other="x" * 70_000) == [True]
    assert refused_value("x" * 65_536)


def order_of_texts_where_one_begins_the_other() -> None:
    text = "has(subject.text) && subject.text < 'abc!'"
    assert "$lt" not in lowered(text) and held([text], text="abc") == [True]


def values_of_unlike_types() -> None:
    for text in ("subject.text == 0", "subject.text > 9", "subject.flag == 1", "subject.count == 1.0"):
        name = text.split()[0]
        assert "condition-type" in findings_of(f"has({name}) && {text}"), text


def whole_numbers_beyond_64_bits() -> None:
    assert refused_value(2**63) and refused_value(-(2**63)) and not refused_value(2**53 + 1)
    assert decided({"r": {"p": 2**53}}, {"p": 2**53 + 1}) == [frozenset()]
    text = "has(subject.count) && subject.count * 4096 * 4096 > 0"
    assert held([text, f"!({text})"], count=2**53) == [False, False]


def joins_across_types() -> None:
    assert "condition-type" in findings_of(
        "has(subject.count) && has(subject.weight) && subject.count == subject.weight"
    )


def a_key_with_a_dot() -> None:
    assert refused({"r": {"a.b": 1}}) and refused_value(1, "a.b")


def all_of_nothing() -> None:
    assert held(["subject.notes.all(n, n.at > subject.openedAt)"], notes=[]) == [True]


def fields_of_items() -> None:
    notes = [{"at": TICKET["openedAt"], "by": "a"}]
    assert held(["subject.notes.exists(n, has(n.by) && n.by == 'a')"], notes=notes) == [True]


def two_true_branches() -> None:
    text = "has(subject.count) && (subject.count > 1 || subject.count > 2)"
    assert held([text], count=5) == [True]
    assert decided({"r": {"$or": [{"p": 1}, {"q": 1}]}}, {"p": 1, "q": 1}) == [frozenset("r")]


def an_absent_fact_as_first_pattern() -> None:
    assert refused({"r": {"$not": {"p": 1}}})


def priorities() -> None:
    source = Path(box.__file__).read_text(encoding="utf-8")
    assert '"pri"' not in source and "priority" not in source


def keys_of_the_engines_state() -> None:
    assert refused_value(1, "$s") and refused({"r": {"$s": 1}}) and refused({"my$state": {"p": 1}})


def two_keys_in_one_test() -> None:
    assert refused({"r": {"p": 1, "q": 2}})


def a_rule_without_a_pattern() -> None:
    assert refused({"r": {}}) and refused({})


def unequal_to_what_is_missing() -> None:
    assert held(["!has(subject.text) || subject.text != 'a'"]) == [True]
    assert held(["has(subject.text) && subject.text != 'a'"]) == [False]


def retracting_what_is_not_there() -> None:
    answers = decided({"r": {"p": 1}}, {}, {"q": 1}, {"p": 1}, {}, {"p": 1})
    assert answers == [frozenset(), frozenset(), frozenset("r"), frozenset(), frozenset("r")]


def what_was_derived_from_a_retracted_fact() -> None:
    assert decided({"r": {"p": 1}, "s": {"$nex": {"p": 1}}}, {"p": 1}, {}) == [frozenset("r"), frozenset("s")]


# --- what a fact may hold --------------------------------------------------------------------------------------------


def ids_that_are_numbers() -> None:
    assert refused_value(1, "id")


def the_same_content_twice() -> None:
    assert decided({"r": {"p": 1}}, {"p": 1}, {"p": 1}) == [frozenset("r")] * 2


def numbers_with_an_exponent() -> None:
    assert refused_value(1e-07) and refused_value(float("inf")) and refused_value(float("nan"))
    for number in (1e-07, 1e16, -1e22, 1e300, 5e-324):
        assert held([f"has(subject.weight) && subject.weight == {number!r}"], weight=number) == [True], number


def a_null() -> None:
    assert decided({"r": {"$ex": {"p": 1}}}, {"p": None}) == [frozenset()]


def too_many_properties() -> None:
    try:
        decided({"r": None}, {f"p{n}": 1 for n in range(box.MAX_PROPERTIES + 1)})
    except OutsideEnvelope:
        return
    raise AssertionError("they reached the engine")


def a_huge_value() -> None:
    assert refused_value("x" * (16 * 1024 * 1024))
    assert held(["has(subject.text) && subject.text == 'x'"], text="x" * (16 * 1024 * 1024)) == [False]


def half_a_character() -> None:
    assert refused_value("a\ud800")


def texts_that_need_escapes() -> None:
    for text in ('a"b', "a\\b", "a\nb", "故障", "😀", "\u0001"):
        assert decided({"r": {"p": text}}, {"p": text}, {"p": text + "x"}) == [frozenset("r"), frozenset()], text


def lists_and_mappings() -> None:
    assert refused_value([1]) and refused_value({"a": 1})


HAZARDS: dict[str, Callable[[], None]] = {
    name: one
    for name, one in list(globals().items())
    if callable(one) and getattr(one, "__module__", "") == __name__ and one.__code__.co_argcount == 0
    and not name.startswith("_") and name != "megabytes"
}  # fmt: skip

if __name__ == "__main__":
    HAZARDS[sys.argv[1]]()
