"""Policies and conditions in plain words. People read the golden files; ``--refresh-goldens`` writes them anew."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from remit.conditions.condition import Origin
from remit.evaluating import Loaded, load
from remit.main import main
from remit.reporters.condition_words import Words
from remit.reporters.policy_words import policy_words
from remit.store import Store

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden" / "words"
POLICIES = [
    "EscalationPolicy/fault-handling",
    "EscalationPolicy/crisis-intervention",
    "WarningPolicy/ab-roles",
    "WarningPolicy/visit-cycle",
    "LifecyclePolicy/extension-request",
    "AssessmentPolicy/response-centre",
    "ApprovalPolicy/change-control",
]


@cache
def store() -> Loaded:
    return load(Store.open(ROOT).files())


def said(policy_id: str, language: str) -> str:
    read = store()
    lines = policy_words(read.policies.by_id[policy_id], read.compiler.types, read.world, language)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("policy_id", POLICIES)
def test_a_policy_reads_as_its_golden_file(policy_id: str, language: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{policy_id.rpartition('/')[2]}.{language}.txt"
    text = said(policy_id, language)
    if request.config.getoption("--refresh-goldens"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8"), "read the difference, then: pytest --refresh-goldens"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_policy_of_the_store_has_words_for_all_that_it_says(language: str) -> None:
    for policy_id in sorted(store().policies.by_id):
        text = said(policy_id, language)

        assert "`" not in text, policy_id
        assert "None" not in text, policy_id
        assert policy_id.rpartition("/")[2] in text


SUBJECT = "Customer"
CONDITIONS = [
    (
        'subject.customerGrade in ["group", "province"]',
        "客户等级为“集团级”或“省级”",
        "the customer grade is “group level” or “province level”",
    ),
    (
        'has(subject.status) && subject.status == "closed"',
        "状态为“已销户”",
        "the status is “closed”",
    ),
    (
        '!(has(subject.status) && subject.status == "closed")',
        "状态未记录或不是“已销户”",
        "the status is not recorded or is not “closed”",
    ),
    (
        "has(subject.keyAccount) && subject.keyAccount",
        "大客户为“是”",
        "the key account is yes",
    ),
    (
        "!(has(subject.roles) && has(subject.roles.ceA))",
        "服务人员的客户工程师A角未记录",
        "the roles' customer engineer A is not recorded",
    ),
    (
        'has(subject.keyAccount) && subject.keyAccount || subject.customerGrade == "group" && has(subject.unit)',
        "大客户为“是”，或（客户等级为“集团级”，且服务单位已记录）",
        "the key account is yes, or (the customer grade is “group level” and the unit is recorded)",
    ),
    (
        'has(subject.keyAccount) ? subject.keyAccount : subject.customerGrade == "group"',
        "如果大客户已记录，则大客户为“是”，否则客户等级为“集团级”",
        "if the key account is recorded, then the key account is yes, else the customer grade is “group level”",
    ),
    (
        "has(subject.unit) && has(subject.unit.parent) && subject.unit.id == subject.unit.parent.id",
        "服务单位与服务单位的上级部门相同",
        "the unit is the same as the unit's parent",
    ),
    (
        'largest([money("500 CNY"), money("1 CNY")]) * 2 >= money("700 CNY")',
        "500 CNY和1 CNY中最大的乘2不小于700 CNY",
        "the largest of 500 CNY and 1 CNY times 2 is at least 700 CNY",
    ),
    (
        'size(subject.revenue) > 1 && subject.revenue[1].amount > money("500000 CNY")',
        "收入的数量大于1，且收入第2项的金额大于500000 CNY",
        "the number of revenue is more than 1 and the revenue item 2's amount is more than 500000 CNY",
    ),
]


@pytest.mark.parametrize(("text", "zh", "en"), CONDITIONS, ids=[text for text, _, _ in CONDITIONS])
def test_a_condition_reads_as_people_say_it(text: str, zh: str, en: str) -> None:
    read = store()
    types = read.compiler.types
    scope = {"subject": types.kind_shape(SUBJECT), "param": types.param}
    origin = Origin(read.snapshot.policies[0], ("spec", "when"))
    condition, findings = read.compiler.compile(text, scope, origin)
    assert condition is not None, findings

    assert Words(types, read.world, "zh").condition(condition.root, scope) == zh
    assert Words(types, read.world, "en").condition(condition.root, scope) == en


def test_show_gives_the_words_in_the_language_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(ROOT), "show", "fault-handling", "--words", "--language", "en"]) == 0
    assert "after 120 minutes, tells the director" in capsys.readouterr().out
    assert main(["--store", str(ROOT), "show", "fault-handling", "--words"]) == 0
    assert "满120分钟时，通知客响中心主任" in capsys.readouterr().out


def test_the_words_as_json_are_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(ROOT), "show", "ab-roles", "--words", "--format", "json"]) == 0
    body = json.loads(capsys.readouterr().out)

    assert body["id"] == "WarningPolicy/ab-roles"
    assert sorted(body["words"]) == ["en", "zh"]


def test_only_a_policy_has_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(ROOT), "show", "Customer/harbour-bank", "--words"]) == 2
    assert "is no policy" in capsys.readouterr().err
