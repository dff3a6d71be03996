"""Changes that cannot wait: who may apply one, what is owed afterwards, and until when everybody is reminded of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import test_change_commands as changing
from approval_store import RULES, Base, path_of, people_of, text_of, texts
from conftest import GitRepo, git

from remit.cases import case_books
from remit.changes import Candidate, Need, parse_message
from remit.policies.approval import Touch, check_roles
from remit.policies.approval_cases import run_cases
from remit.policies.emergencies import emergency_asks, emergency_needs
from remit.records import build_snapshot
from remit.reporters.policy_words import policy_words
from remit.yamltext import dump

AT, LATER = changing.AT, ("--at", "2026-10-16T17:00:00+08:00")
EMERGENCY = """\
  emergency:
    title: {en: Cannot wait, zh: 不能等待}
    approvers:
      - {role: responsible, of: [record.unit, record.customer.unit]}
      - {role: service, of: record.unit}
    reviewWithin: 24h
    clauses: [D4-61]
"""
URGENT = RULES + EMERGENCY
LAST = "- {role: service, of: record.unit}\n    reviewWithin"
OTHER = RULES.replace("name: control", "name: other").replace("title: {en: Control, zh: 审批}", "title: Other")
BANK = {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "eve-li"}}
HIGHER = {**BANK, "customerGrade": "local_a"}


@pytest.fixture(scope="module")
def base() -> Base:
    return Base()


def needs(base: Base, *touches: Touch, rules: Sequence[str] = (URGENT,), language: str = "en") -> list[Need]:
    policies = [base.policy(text) for text in rules]
    return emergency_needs(emergency_asks(policies, touches, base.ground(touches, "gus-he")), language)


# --- who may ---------------------------------------------------------------------------------------------------------


def test_any_whom_an_entry_names_may_act_the_author_too(base: Base) -> None:
    asked = needs(base, base.touch("Customer", "harbour-bank", BANK, HIGHER))

    assert [(n.rule, n.count, people_of(n.candidates)) for n in asked] == [
        ("ApprovalPolicy/control/emergency", 1, ["cai-yu", "gus-he"])
    ]
    assert asked[0].text == (
        "in an emergency one of responsible of OrganizationUnit/south or service of OrganizationUnit/south; "
        "Cannot wait [D4-61]"
    )


def test_who_acts_is_said_in_the_stores_language(base: Base) -> None:
    (asked,) = needs(base, base.touch("Customer", "harbour-bank", BANK, HIGHER), language="zh")

    assert asked.text.startswith("紧急情况下 1 人：responsible（OrganizationUnit/south） 或 service")
    assert "不能等待" in asked.text


def test_a_record_that_moves_to_another_unit_does_not_choose_who_may_act(base: Base) -> None:
    (asked,) = needs(base, base.touch("Customer", "harbour-bank", BANK, {**BANK, "unit": "head"}))

    assert people_of(asked.candidates) == ["cai-yu"]


def test_one_person_has_to_be_named_for_every_record(base: Base) -> None:
    ours = base.touch("Customer", "harbour-bank", BANK, HIGHER)
    heads = base.touch("Customer", "other-bank", {**BANK, "unit": "head"}, {**HIGHER, "unit": "head"})

    assert [people_of(n.candidates) for n in needs(base, ours, heads)] == [["cai-yu", "gus-he"], ["cai-yu", "hal-xu"]]


def test_a_policy_that_foresees_no_emergency_stops_it(base: Base) -> None:
    asked = needs(base, base.touch("Customer", "harbour-bank", BANK, HIGHER), rules=(URGENT, OTHER))

    assert [(n.rule, people_of(n.candidates), n.text) for n in asked][1:] == [
        ("ApprovalPolicy/other/emergency", [], "this policy foresees no emergency")
    ]


def test_nobody_has_to_act_where_nobody_has_to_approve(base: Base) -> None:
    silent = URGENT.replace(
        "approvers: [{role: responsible, of: [record.unit, record.customer.unit]}]", "approvers: []"
    )

    assert needs(base, Touch("templates/x.j2", None, None), rules=(silent,)) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("- name: grade", "- name: emergency", "policy-invalid"),
        (LAST, LAST.replace("unit", "unti"), "condition-unknown-field"),
        (LAST, LAST.replace("role: service, of", "person"), "condition-type"),
        (LAST, LAST.replace("of: record.unit", "of: record.unit, count: 2"), "policy-invalid"),
    ],
)  # fmt: skip
def test_a_wrong_emergency_is_a_finding(base: Base, old: str, new: str, code: str) -> None:
    assert URGENT.count(old) == 1

    assert [finding.code for finding in base.compile(URGENT.replace(old, new))[1]] == [code]


def test_a_role_that_nobody_holds_is_named_in_an_emergency_too(base: Base) -> None:
    wrong = URGENT.replace(
        "{role: service, of: record.unit}\n    review", "{role: servant, of: record.unit}\n    review"
    )

    (found,) = check_roles(base.policy(wrong), base.world)

    assert (found.code, found.pointer) == ("nobody-may-approve", "/spec/emergency/approvers/1/role")


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                "Cannot wait (D4-61)",
                "   A change that cannot wait is applied at once by ",
                "   Those who must approve look at it within 24 hours afterwards.",
                "   What decides who approves never changes this way.",
            ],
        ),
        (
            "zh",
            [
                "不能等待（D4-61）",
                "   不能等待的变更可由以下任一方直接执行（包括其本人提出的变更）：",
                "   须审批的各方在事后24小时内补审。",
                "   决定审批人的规则、人员与设置不得以此方式变更。",
            ],
        ),
    ],
)
def test_an_emergency_has_plain_words(base: Base, language: str, lines: list[str]) -> None:
    words = policy_words(base.policy(URGENT), base.compiler.types, base.world, language)

    start = words.index(lines[0])
    assert all(said.startswith(line) for said, line in zip(words[start : start + 4], lines, strict=True))


def test_a_case_asks_who_may_act(base: Base) -> None:
    case = {"change": {"kind": "Customer", "name": "b", "before": BANK, "after": HIGHER}, "emergency": True}
    right = [{"rule": "emergency", "role": role, "of": "OrganizationUnit/south"} for role in ("responsible", "service")]
    policy = base.policy(URGENT)

    def failing(expect: list[dict[str, Any]]) -> list[str]:
        spec = {"cases": [{"name": "one", **case, "expect": expect}]}
        body = {"apiVersion": "remit/v1", "kind": "PolicyCases", "metadata": {"name": "control"}, "spec": spec}
        path = "rules/approval/control.cases.yaml"
        snapshot = build_snapshot({path: dump(body), policy.record.path: URGENT.encode()})
        (book,), _ = case_books(snapshot, base.schemas)
        return next(run_cases(policy, book, base.world))

    assert failing(right) == []
    assert failing(right[:1]) == ["Not expected: emergency asks 1 service (cai-yu)."]
    assert failing([{**right[0], "candidates": ["ann-lee"]}, right[1]]) == [
        "emergency of responsible: may be gus-he, expected ann-lee."
    ]


# --- as people do it -------------------------------------------------------------------------------------------------


@pytest.fixture
def lone(git_repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> changing.User:
    return changing.User(git_repo({**texts(), "rules/approval/control.yaml": URGENT}), capsys)


def codes(ran: changing.Ran) -> list[tuple[str, str]]:
    return [(one["code"], one["severity"]) for one in ran.json["findings"] if one["code"] == "review-owed"]


def check(user: changing.User, *at: str) -> changing.Ran:
    return user.run("check", *at, "--format", "json")


def test_an_emergency_change_goes_in_at_once_and_is_owed_until_somebody_looked(lone: changing.User) -> None:
    changing.raise_grade(lone)
    id = lone.propose("评定为A级")
    before = lone.tip()

    stranger = lone.run("apply", id, "--emergency", "-m", "线路中断", *AT, as_="bob-sun")
    assert stranger.code == 2 and "ApprovalPolicy/control/emergency" in stranger.err
    assert lone.run("apply", id, "--emergency", *AT, as_="gus-he").code == 2
    assert lone.tip() == before and codes(check(lone, *AT)) == []

    done = lone.run("apply", id, "--emergency", "-m", "线路中断", *AT, as_="gus-he")
    assert done.code == 0 and f"{id} applied in an emergency as" in done.out and "its review is owed" in done.err
    assert "local_a" in git(lone.folder, "show", f"main:{changing.BANK}")
    said = parse_message(git(lone.folder, "log", "-1", "--format=%B", "main")).approvals
    assert [(one.verdict, one.person, one.reason) for one in said] == [("emergency", "gus-he", "线路中断")]

    listed = lone.run("changes", *LATER)
    assert "applied, review owed" in listed.out and id in listed.out
    assert codes(check(lone, *AT)) == [("review-owed", "warning")]
    assert codes(check(lone, *LATER)) == [("review-owed", "error")]
    review = lone.run("review", id, *AT)
    assert "applied in an emergency by gus-he at 2026-10-15T16:00:00+08:00: 线路中断" in review.out
    assert "its review is owed until 2026-10-16T16:00:00+08:00" in review.out
    assert f"Next: remit approve {id}    (bob-sun)" in review.out

    own = lone.run("approve", id, *AT, as_="gus-he")
    assert own.code == 2 and "you applied" in own.err
    early = lone.run("apply", id, *AT)
    assert "review is still owed" in early.err and codes(check(lone, *AT)) != []

    assert lone.run("approve", id, *AT, as_="bob-sun").code == 0
    told = lone.run("apply", id, *AT)
    assert told.code == 0 and "Its review after the emergency is on record as" in told.out
    assert codes(check(lone, *LATER)) == [] and id not in lone.run("changes", *LATER).out
    assert "looked at afterwards, as the rules ask" in lone.run("review", id, *LATER).out
    assert "gus-he (emergency)" in lone.run("log", "Customer/harbour-bank").out


def test_json_says_what_is_owed_and_until_when(lone: changing.User) -> None:
    changing.raise_grade(lone)
    id = lone.propose()

    applied = lone.run("apply", id, "--emergency", "-m", "cable cut", *AT, "--format", "json", as_="gus-he").json
    said = {"person": "gus-he", "at": "2026-10-15T08:00:00+00:00", "reason": "cable cut"}
    assert (applied["emergency"], applied["approvals"], applied["reviewed"]) == (said, [], None)
    (change,) = lone.run("changes", *AT, "--format", "json").json["changes"]
    assert change["emergency"] == {**said, "owed": True, "due": "2026-10-16T16:00:00+08:00"}
    lone.run("approve", id, *AT, as_="bob-sun")
    assert lone.run("apply", id, *AT, "--format", "json").json["reviewed"] == lone.tip()
    assert lone.run("review", id, *AT, "--format", "json").json["change"]["emergency"] == {
        **said,
        "owed": False,
        "due": None,
    }


def test_the_author_may_act_but_not_look_at_it_afterwards(lone: changing.User) -> None:
    changing.raise_grade(lone)
    id = lone.propose(as_="gus-he")

    assert lone.run("apply", id, "--emergency", "-m", "cable cut", *AT).code == 0
    assert lone.run("approve", id, *AT).code == 2


def test_where_who_acted_is_the_only_one_named_the_level_above_looks_at_it(lone: changing.User) -> None:
    lone.write("Customer", "harbour-bank", {**changing.SPEC, "importanceScore": 90})
    id = lone.propose()
    assert "(gus-he)" in lone.run("review", id, *AT).out
    assert lone.run("apply", id, "--emergency", "-m", "cable cut", *AT, as_="gus-he").code == 0

    assert f"Next: remit approve {id}    (hal-xu)" in lone.run("review", id, *AT).out
    assert lone.run("approve", id, *AT, as_="hal-xu").code == 0
    assert "is on record as" in lone.run("apply", id, *AT).out


def test_an_audit_knows_an_emergency_and_its_review(lone: changing.User) -> None:
    changing.raise_grade(lone)
    id = lone.propose()
    lone.run("apply", id, "--emergency", "-m", "cable cut", *AT, as_="gus-he")

    waiting = lone.run("audit", *AT, "--format", "json")
    lone.run("approve", id, *AT, as_="bob-sun")
    lone.run("apply", id, *AT)
    done = lone.run("audit", *AT, "--format", "json")

    assert (waiting.json["troubles"], [one["change"] for one in waiting.json["owed"]]) == ([], [id])
    assert (done.code, done.json["troubles"], done.json["owed"]) == (0, [], [])


def test_an_approval_that_ran_out_is_no_review_afterwards(lone: changing.User) -> None:
    changing.raise_grade(lone)
    id = lone.propose()
    lone.run("apply", id, "--emergency", "-m", "cable cut", *AT, as_="gus-he")
    lone.run("approve", id, "--not-after", "2026-10-15T17:00:00+08:00", *AT, as_="bob-sun")

    late = lone.run("apply", id, *LATER)

    assert "review is still owed" in late.err and "1 missing" in late.err
    assert "is on record as" in lone.run("apply", id, *AT).out


@pytest.mark.parametrize(
    ("kind", "name", "spec"),
    [
        ("Person", "gus-he", {"department": "south", "contact": {"email": "x@example.org"}, "status": "active"}),
        ("RoleAssignment", "policy-two", {"person": "gus-he", "role": "policy", "scope": {"domain": "head"}}),
    ],
)
def test_who_may_approve_never_changes_in_an_emergency(
    lone: changing.User, kind: str, name: str, spec: dict[str, Any]
) -> None:
    lone.write(kind, name, spec)
    id = lone.propose()

    refused = lone.run("apply", id, "--emergency", "-m", "cable cut", *AT, as_="gus-he")

    assert refused.code == 2 and "never changes in an emergency" in refused.err


def test_no_rule_for_emergencies_means_none(git_repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    user = changing.User(git_repo(texts()), capsys)
    changing.raise_grade(user)
    id = user.propose()

    refused = user.run("apply", id, "--emergency", "-m", "cable cut", *AT, as_="gus-he")

    assert refused.code == 2 and "this policy foresees no emergency" in refused.err


def test_a_reason_belongs_to_an_emergency_only(lone: changing.User) -> None:
    assert lone.run("apply", "c-1", "-m", "why", *AT).code == 2


# --- deputies --------------------------------------------------------------------------------------------------------

AWAY = {"from": "2026-10-10T00:00:00+08:00", "to": "2026-10-20T00:00:00+08:00"}


def person(name: str, **more: Any) -> dict[str, str]:
    spec = {"department": "south", "contact": {"email": f"{name}@example.org"}, "status": "active", **more}
    return text_of("Person", name, spec)


def may(files: dict[str, str], author: str = "ann-lee") -> dict[str, tuple[str, ...]]:
    base = Base({**texts(), **files})
    (ask,) = base.asks(base.touch("Customer", "harbour-bank", BANK, HIGHER), author=author)
    return {candidate.person: candidate.path for candidate in ask.candidates}


def test_a_deputy_stands_for_whoever_is_on_leave_and_the_way_is_shown() -> None:
    found = may(person("bob-sun", leave=[{**AWAY, "deputy": "cai-yu"}]))

    assert sorted(found) == ["bob-sun", "cai-yu"]
    assert found["cai-yu"][-3:] == ("bob-sun (on leave until 2026-10-20)", "deputy", "cai-yu")


def test_a_deputy_who_wrote_the_change_is_away_or_gone_gives_way_to_the_level_above() -> None:
    leave = person("bob-sun", leave=[{**AWAY, "deputy": "cai-yu"}])

    assert sorted(may(leave, author="cai-yu")) == ["bob-sun", "gus-he"]
    assert sorted(may({**leave, **person("cai-yu", leave=[AWAY])})) == ["bob-sun", "cai-yu", "gus-he"]
    assert sorted(may({**leave, **person("cai-yu", validTo="2026-10-01", status="left")})) == ["bob-sun", "gus-he"]


def test_a_deputy_is_asked_only_while_the_leave_lasts() -> None:
    over = {"from": "2026-10-01T00:00:00+08:00", "to": "2026-10-10T00:00:00+08:00", "deputy": "cai-yu"}

    assert sorted(may(person("bob-sun", leave=[over]))) == ["bob-sun"]


def test_the_other_half_of_a_role_stands_in_before_a_deputy() -> None:
    rules = RULES.replace("{role: owner, of: record.unit}", "{role: ceA, of: record}")
    files = {**texts(), **person("eve-li", leave=[{**AWAY, "deputy": "dan-wu"}])}
    both = {**BANK, "roles": {"ceA": "eve-li", "ceB": "fay-ma"}}
    base = Base({**files, **text_of("Customer", "harbour-bank", both)})

    (ask,) = base.asks(base.touch("Customer", "harbour-bank", both, {**both, "customerGrade": "local_a"}), rules=rules)

    assert people_of(ask.candidates) == ["eve-li", "fay-ma"]


def test_a_change_does_not_name_a_deputy_for_its_own_approver() -> None:
    base = Base({**texts(), **person("bob-sun", leave=[AWAY])})
    own = base.touch("Customer", "harbour-bank", BANK, HIGHER)
    leave = base.record(
        path_of("Person", "bob-sun"),
        person("bob-sun", leave=[{**AWAY, "deputy": "cai-yu"}])[path_of("Person", "bob-sun")],
    )

    asks = base.asks(own, Touch(leave.path, None, leave))

    assert Candidate("cai-yu") not in [
        Candidate(c.person) for ask in asks if ask.rule.endswith("grade") for c in ask.candidates
    ]
