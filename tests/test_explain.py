"""remit explain: how a condition came out, what would flip it, when levels come, and where every value was written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.conditions.condition import Bindings, Condition, Origin
from remit.conditions.tracing import Change, flips, trace
from remit.evaluating import Loaded, load
from remit.main import main
from remit.places import Place
from remit.references import Entity
from remit.reporters.condition_words import Words
from remit.store import Store

ROOT = Path(__file__).parents[1]
AT = "2026-10-15T11:00:00+08:00"
TICKET = {"kind": "TroubleTicket", "id": "T-1", "customer": "harbour-bank", "ticketType": "interruption"}


@cache
def store() -> Loaded:
    return load(Store.open(ROOT).files())


def compiled(text: str) -> Condition:
    read = store()
    types = read.compiler.types
    scope = {"subject": types.kind_shape("Customer"), "param": types.param}
    condition, findings = read.compiler.compile(text, scope, Origin(read.snapshot.policies[0], ("spec", "when")))
    assert condition is not None, findings
    return condition


def about(spec: Mapping[str, Any]) -> Bindings:
    customer = Entity("Customer", "some", spec, Place("feed.jsonl", 3))
    params = {name: one.get("value") for name, one in store().world.parameters.items()}
    return Bindings(store().world, {"subject": customer, "param": params})


def flipped(text: str, spec: Mapping[str, Any], language: str = "en") -> list[str]:
    condition = compiled(text)
    words = Words(store().compiler.types, store().world, language)
    found = flips(condition, about(spec), store().compiler)
    return [" + ".join(words.change(change, condition.scope) for change in flip) for flip in found]


# --- trees


def test_a_tree_has_the_outcome_of_every_part_and_chains_are_flat() -> None:
    text = 'has(subject.keyAccount) && subject.keyAccount && !(has(subject.status) && subject.status == "closed")'
    tree = trace(compiled(text), about({"keyAccount": True, "status": "closed"}), store().compiler)

    assert (tree.sign, tree.outcome) == ("all", False)
    assert [(part.sign, part.outcome) for part in tree.parts] == [("leaf", True), ("leaf", True), ("not", False)]
    assert [(p.sign, p.outcome) for p in tree.parts[2].parts[0].parts] == [("leaf", True), ("leaf", True)]


def test_a_test_of_a_missing_field_has_no_value_rather_than_the_default_of_its_type() -> None:
    text = 'has(subject.status) && subject.status != "closed"'
    tree = trace(compiled(text), about({}), store().compiler)

    assert [part.outcome for part in tree.parts] == [False, None]


def test_a_loop_shows_each_item_as_it_came_out() -> None:
    text = 'subject.contacts.exists(c, has(c.address) && c.address == "1")'
    spec = {"contacts": [{"contactPerson": "a", "address": "2"}, {"contactPerson": "b", "address": "1"}]}
    tree = trace(compiled(text), about(spec), store().compiler)

    assert (tree.sign, tree.outcome) == ("each", True)
    assert [(part.item, part.outcome) for part in tree.parts] == [
        ("subject.contacts[0]", False),
        ("subject.contacts[1]", True),
    ]


# --- what would flip it

GRADES = 'subject.customerGrade == "group" || subject.customerGrade == "province"'
KEY = "has(subject.keyAccount) && subject.keyAccount"
OPEN = '!(has(subject.status) && subject.status == "closed")'

SAME = (
    "has(subject.roles) && has(subject.roles.ceA) && has(subject.roles.ceB)"
    " && subject.roles.ceA.id == subject.roles.ceB.id"
)

FLIPS: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        GRADES,
        {"customerGrade": "local_a"},
        ["the customer grade would have to be “group level” or “province level”"],
    ),
    (KEY, {}, ["the key account would have to be yes"]),
    (KEY, {"keyAccount": True}, []),
    (OPEN, {"status": "closed"}, ["the status would have to be missing or other than “closed”"]),
    (
        f"({GRADES}) && {KEY}",
        {"customerGrade": "local_a", "keyAccount": True},
        ["the customer grade would have to be “group level” or “province level”"],
    ),
    (
        f"{KEY} && {OPEN}",
        {"status": "closed"},
        [
            "the key account would have to be yes + the status would have to be missing",
            "the key account would have to be yes + the status would have to be other than “closed”",
        ],
    ),
    (
        "!(has(subject.roles) && has(subject.roles.ceA))",
        {"roles": {"ceA": "chen-jing"}},
        ["the roles' customer engineer A would have to be missing"],
    ),
    (
        SAME,
        {"roles": {"ceA": "chen-jing"}},
        ["the roles' customer engineer B would have to be the same as the roles' customer engineer A"],
    ),
    ('subject.customerGrade == "group" && subject.customerGrade == "province"', {"customerGrade": "group"}, []),
]


@pytest.mark.parametrize(("text", "spec", "expected"), FLIPS, ids=[str(n) for n in range(len(FLIPS))])
def test_the_smallest_changes_that_would_make_a_condition_hold(
    text: str, spec: dict[str, Any], expected: list[str]
) -> None:
    assert flipped(text, spec) == expected


def test_a_change_of_a_parameter_comes_after_changes_of_facts() -> None:
    found = flipped("param.excludeSuspendedTime == false || has(subject.keyAccount)", {})

    assert found[0].startswith("the key account")
    assert "parameter" in found[1]


def test_flips_are_said_in_chinese_too() -> None:
    assert flipped(f"({GRADES}) && {KEY}", {"customerGrade": "local_a"}, "zh") == [
        "客户等级须为“集团级”或“省级” + 大客户须为是"
    ] or flipped(f"({GRADES}) && {KEY}", {"customerGrade": "local_a"}, "zh") == [
        "客户等级须为“集团级” + 大客户须为是",
        "客户等级须为“省级” + 大客户须为是",
    ]


FIELDS = {"status": ["prospect", "active", "closed"], "customerClass": ["brand", "industry"]}
leaves = st.one_of(
    st.sampled_from(['subject.customerGrade == "group"', 'subject.customerGrade in ["local_a", "local_b"]', KEY]),
    st.sampled_from(["has(subject.status)", "has(subject.customerClass)"]),
    st.builds(
        lambda field, index, sign: f'(has(subject.{field}) && subject.{field} {sign} "{FIELDS[field][index]}")',
        st.sampled_from(sorted(FIELDS)),
        st.integers(0, 1),
        st.sampled_from(["==", "!="]),
    ),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"({a} && {b})", inner, inner),
        st.builds(lambda a, b: f"({a} || {b})", inner, inner),
        st.builds(lambda a: f"!({a})", inner),
    ),
    max_leaves=6,
)
specs = st.fixed_dictionaries(
    {"customerGrade": st.sampled_from(["group", "province", "local_a"])},
    optional={
        "keyAccount": st.booleans(),
        "status": st.sampled_from(FIELDS["status"]),
        "customerClass": st.sampled_from(FIELDS["customerClass"]),
    },
)


@settings(max_examples=120)
@given(conditions, specs)
def test_every_flip_makes_the_condition_hold_when_it_is_made(text: str, spec: dict[str, Any]) -> None:
    condition = compiled(text)
    found = flips(condition, about(spec), store().compiler)
    if condition.holds(about(spec)):
        assert found == ()
    for flip in found:
        for changed in made(flip, spec):
            assert condition.holds(about(changed)), (flip, changed)


def made(flip: tuple[Change, ...], spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The subject with the changes of a flip made, in each of the ways that it names."""
    outcomes = [dict(spec)]
    for change in flip:
        field = change.path.removeprefix("subject.")
        outcomes = [applied(one, field, way) for one in outcomes for way in change.ways]
    yield from outcomes


def applied(spec: dict[str, Any], field: str, way: Any) -> dict[str, Any]:
    (wish,) = way
    known = {**FIELDS, "customerGrade": ["group", "province", "local_a", "local_b", "local_c"], "keyAccount": [True]}
    match wish.kind:
        case "missing":
            return {key: value for key, value in spec.items() if key != field}
        case "present":
            return {**spec, field: known[field][0]}
        case "is":
            return {**spec, field: wish.values[0]}
        case "is_not":
            return {**spec, field: next(v for v in (*known[field], "suspended") if v not in wish.values)}
    raise AssertionError(wish)


# --- the command


def explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], policy: str, rows: list[dict[str, Any]], at: str = AT
) -> dict[str, Any]:
    feed = tmp_path / "feed.jsonl"
    feed.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    subject = rows[0]["id"]
    arguments = ["explain", policy, subject, "--facts", str(feed), "--at", at, "--format", "json"]
    assert main(["--store", str(ROOT), *arguments]) == 0, capsys.readouterr().err
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


def test_levels_say_what_is_in_force_and_when_the_next_one_comes_to_whom(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{**TICKET, "acceptedAt": "2026-10-15T08:50:00+08:00"}]
    body = explained(tmp_path, capsys, "fault-handling", rows)
    director, vice = body["levels"]

    assert (director["state"], director["at"]) == ("in_force", "2026-10-15T10:50:00+08:00")
    assert (vice["state"], vice["at"], vice["next"]) == ("coming", *["2026-10-15T11:50:00+08:00"] * 2)
    assert [told["person"] for told in vice["tells"]] == ["lin-jianguo"]
    assert body["subject"]["place"].endswith("feed.jsonl:1")


def test_a_clock_that_stopped_in_time_says_what_stopped_it_and_when_the_level_would_have_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repaired = {"acceptedAt": "2026-10-15T08:00:00+08:00", "repairedAt": "2026-10-15T09:30:00+08:00"}
    body = explained(tmp_path, capsys, "fault-handling", [{**TICKET, **repaired}])

    assert body["decisions"] == []
    assert [level["reason"] for level in body["levels"]] == ["stopped", "stopped"]
    said = body["levels"][0]["words"]
    assert said["en"].endswith("(the time repaired), before this level would have come at 2026-10-15 10:00")
    assert said["zh"] == "计时已于 2026-10-15 09:30 停止（修复时间），早于本级别应到达的 2026-10-15 10:00"


def test_a_clock_that_has_not_begun_names_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{**TICKET, "acceptedAt": "2026-10-15T08:50:00+08:00"}]
    body = explained(tmp_path, capsys, "ticket-progress", rows)

    assert body["levels"][0]["level"] == "every level"
    assert body["levels"][0]["why_not"] == "the clock has not begun: the time signed is not recorded"


def test_a_level_whose_own_condition_fails_says_what_would_make_it_hold(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain", "ab-roles", "nanhai-university", "--at", AT, "--format", "json"]
    assert main(["--store", str(ROOT), *arguments]) == 0
    levels = {level["level"]: level for level in json.loads(capsys.readouterr().out)["levels"]}

    assert levels["no-b"]["state"] == "in_force"
    assert levels["no-a"]["reason"] == "condition"
    (flip,) = levels["no-a"]["when"]["flips"]
    assert flip["changes"] == [{"path": "subject.roles.ceA", "any": [[{"kind": "missing"}]]}]
    assert flip["words"]["zh"] == "服务人员的客户工程师A角须为空"


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", ["What would make it hold:", "the overtime cause would have to be", "does not hold", "not recorded"]),
        ("zh", ["如何才会成立", "超时原因须为“客户原因”", "不成立", "未记录"]),
    ],
)
def test_the_page_says_why_a_policy_is_silent(
    language: str, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["explain", "extension-missing", "so-20260910-01", "--at", AT, "--language", language]
    assert main(["--store", str(ROOT), *arguments]) == 0
    page = capsys.readouterr().out

    assert [words for words in shown if words not in page] == []


def test_a_policy_that_reacts_to_decisions_shows_them_with_their_ids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = {"subject": "harbour-bank", "customer": "harbour-bank", "respondentType": "customer"}
    survey = {"kind": "SatisfactionSurvey", **customer, "period": "2026-Q4", "score": 50}
    rows = [{**survey, "id": f"S-{day}", "at": f"2026-10-{day:02}T09:00:00+08:00"} for day in (5, 8)]
    feed = tmp_path / "feed.jsonl"
    feed.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    arguments = ["explain", "crisis-intervention", "harbour-bank", "--facts", str(feed), "--at", AT, "--format", "json"]
    assert main(["--store", str(ROOT), *arguments]) == 0, capsys.readouterr().err
    body = json.loads(capsys.readouterr().out)

    heard = {one["subject"]: one for one in body["chain"]}
    assert {"SatisfactionSurvey/S-5", "SatisfactionSurvey/S-8"} <= heard.keys()
    assert heard["SatisfactionSurvey/S-5"]["policy"] == "low-satisfaction"
    assert heard["SatisfactionSurvey/S-5"]["id"].startswith("d-")


def test_a_standing_decision_is_explained_by_its_id_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(ROOT), "evaluate", "--at", AT, "--format", "json"]) == 0
    decisions = json.loads(capsys.readouterr().out)["decisions"]
    decision = next(d for d in decisions if d["policy"] == "ab-roles")
    assert main(["--store", str(ROOT), "explain", decision["id"], "--at", AT, "--format", "json"]) == 0
    body = json.loads(capsys.readouterr().out)

    assert [one["id"] for one in body["decisions"]] == [decision["id"]]
    assert [level["level"] for level in body["levels"]] == [decision["level"]]
