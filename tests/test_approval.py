"""Approval policies: what they ask of a change, of whom, and that a change never reaches its own judges."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from approval_store import AT, ROOT, RULES, Base, asked, people_of, text_of, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.cases import case_books
from remit.changes import Candidate, Manifest, Person, Touched, manifest
from remit.errors import InvalidStore
from remit.evaluating import load
from remit.judging import PolicyJudge, added_findings
from remit.places import Place
from remit.policies.approval import Touch, check_roles, glob
from remit.policies.approval_cases import run_cases
from remit.policies.asking import Ask, needs_of
from remit.reporters.policy_words import policy_words
from remit.store import Files, is_store_path


@pytest.fixture(scope="module")
def base() -> Base:
    return Base()


BANK = {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "eve-li"}}
HIGHER = {**BANK, "customerGrade": "local_a"}
KEY = {**BANK, "keyAccount": True}


# --- which rule speaks of which change -------------------------------------------------------------------------------


def test_a_rule_speaks_of_the_fields_that_it_names(base: Base) -> None:
    assert asked(base.asks(base.touch("Customer", "harbour-bank", BANK, HIGHER))) == [("grade", "owner", ["bob-sun"])]
    assert asked(base.asks(base.touch("Customer", "harbour-bank", BANK, {**BANK, "notes": "x"}))) == [
        ("default", "responsible", ["gus-he"])
    ]


def test_every_rule_that_matches_is_asked(base: Base) -> None:
    both = base.touch("Customer", "harbour-bank", BANK, {**HIGHER, "keyAccount": True})

    assert [rule for rule, _, _ in asked(base.asks(both))] == ["grade", "key-account", "key-account"]


def test_a_field_that_comes_with_a_new_record_or_goes_with_an_old_one_has_changed(base: Base) -> None:
    added = base.asks(base.touch("Customer", "new-bank", None, BANK))
    removed = base.asks(base.touch("Customer", "harbour-bank", BANK, None))

    assert {rule for rule, _, _ in asked(added)} == {"grade", "key-account"} == {r for r, _, _ in asked(removed)}


def test_a_field_below_a_named_one_counts(base: Base) -> None:
    other = {**BANK, "roles": {"cce": "eve-li", "cm": "ann-lee"}}

    assert "key-account" in {
        rule for rule, _, _ in asked(base.asks(base.touch("Customer", "harbour-bank", BANK, other)))
    }


def test_a_file_that_becomes_another_kind_is_judged_as_both(base: Base) -> None:
    customer = base.touch("Customer", "harbour-bank", BANK, None)
    assert customer.before is not None
    person = base.record(
        "records/people/x.yaml", text_of("Person", "x", {"department": "south"})["records/people/x.yaml"]
    )
    turned = Touch(customer.path, customer.before, person)

    assert {rule for rule, _, _ in asked(base.asks(turned))} == {"grade", "key-account", "appointment"}


def test_files_that_are_no_records_are_found_by_path(base: Base) -> None:
    for path in (
        "rules/approval/control.yaml",
        "rules/warning/x.cases.yaml",
        "schemas/kinds/A.schema.json",
        "remit.yaml",
    ):
        assert {rule for rule, _, _ in asked(base.asks(Touch(path, None, None)))} == {"rules"}
    assert asked(base.asks(Touch("templates/x.j2", None, None))) == [("default", "responsible", ["hal-xu"])]
    assert asked(base.asks(Touch("/program.py", None, None))) == [("default", "responsible", ["hal-xu"])]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("rules/**", "rules/approval/x.yaml", True),
        ("rules/**", "rule/x.yaml", False),
        ("rules/*", "rules/approval/x.yaml", False),
        ("rules/**/x.yaml", "rules/x.yaml", True),
        ("rules/**/x.yaml", "rules/a/b/x.yaml", True),
        ("records/*/harbour-*.yaml", "records/customers/harbour-bank.yaml", True),
        ("remit.yaml", "remitxyaml", False),
        ("records/customers/[a].yaml", "records/customers/a.yaml", False),
    ],
)
def test_globs_mean_names_and_folders(pattern: str, path: str, fits: bool) -> None:
    assert bool(glob(pattern).fullmatch(path)) is fits


WHEN = RULES.replace("fields: [/spec/customerGrade]", 'when: after.customerGrade == "group" && has(after.unit)')


def test_a_condition_reads_both_sides_and_is_false_only_when_it_says_so(base: Base) -> None:
    group = {**BANK, "customerGrade": "group"}

    assert "grade" in {r for r, _, _ in asked(base.asks(base.touch("Customer", "b", BANK, group), rules=WHEN))}
    assert "grade" not in {r for r, _, _ in asked(base.asks(base.touch("Customer", "b", BANK, HIGHER), rules=WHEN))}
    assert "grade" not in {r for r, _, _ in asked(base.asks(base.touch("Customer", "b", group, None), rules=WHEN))}


def test_a_condition_that_gives_no_answer_asks(base: Base) -> None:
    broken = RULES.replace(
        "fields: [/spec/customerGrade]", 'when: "timestamp(after.customerGrade) > timestamp(after.customerGrade)"'
    )

    assert "grade" in {r for r, _, _ in asked(base.asks(base.touch("Customer", "b", BANK, HIGHER), rules=broken))}


# --- who may approve -------------------------------------------------------------------------------------------------


def test_a_role_is_found_at_the_nearest_unit_above_under_which_somebody_holds_it(base: Base) -> None:
    asks = base.asks(base.touch("Customer", "harbour-bank", BANK, KEY))

    assert asked(asks) == [("key-account", "cce", ["eve-li"]), ("key-account", "service", ["cai-yu"])]
    path = asks[1].candidates[0].path
    assert path[0] == "OrganizationUnit/south" and "RoleAssignment/service-south-desk (service)" in path


def test_the_author_is_passed_over_for_the_level_above(base: Base) -> None:
    touch = base.touch("Customer", "harbour-bank", BANK, HIGHER)

    assert asked(base.asks(touch, author="bob-sun")) == [("grade", "owner", ["gus-he"])]
    assert asked(base.asks(touch, author="gus-he")) == [("grade", "owner", ["bob-sun"])]


def test_a_change_does_not_appoint_its_own_approver(base: Base) -> None:
    other = {**KEY, "roles": {"cce": "ann-lee"}}

    asks = base.asks(base.touch("Customer", "harbour-bank", BANK, other), author="hal-xu")

    assert ("key-account", "cce", ["eve-li"]) in asked(asks)


def test_a_new_record_confers_no_role_on_those_whom_it_names(base: Base) -> None:
    asks = base.asks(base.touch("Customer", "new-bank", None, {**KEY, "roles": {"cce": "ann-lee"}}), author="hal-xu")

    assert ("key-account", "cce", ["gus-he"]) in asked(asks)


def test_an_appointment_in_the_same_change_counts_for_nothing(base: Base) -> None:
    appoint = base.touch(
        "RoleAssignment", "own", None, {"person": "ann-lee", "role": "owner", "scope": {"domain": "south"}}
    )
    grade = base.touch("Customer", "harbour-bank", BANK, HIGHER)

    assert asked(base.asks(appoint, grade, author="hal-xu")) == [
        ("appointment", "policy", ["dan-wu"]),
        ("grade", "owner", ["bob-sun"]),
    ]


def test_both_sides_of_a_moved_record_are_asked() -> None:
    files = texts() | text_of("OrganizationUnit", "north", {"type": "department", "level": "local", "parent": "head"})
    files |= text_of(
        "RoleAssignment", "owner-north", {"person": "hal-xu", "role": "owner", "scope": {"domain": "north"}}
    )
    base = Base(files)

    asks = base.asks(base.touch("Customer", "harbour-bank", BANK, {**HIGHER, "unit": "north"}))

    assert asked(asks) == [("grade", "owner", ["hal-xu"]), ("grade", "owner", ["bob-sun"])]
    assert [ask.of for ask in asks] == ["OrganizationUnit/north", "OrganizationUnit/south"]


@pytest.mark.parametrize(
    ("person", "people"),
    [
        ({"status": "left", "validTo": "2026-10-01"}, ["gus-he"]),
        ({"validFrom": "2027-01-01"}, ["gus-he"]),
        ({"status": "left"}, ["gus-he"]),
        ({"validTo": "2026-10-15"}, ["bob-sun"]),
        ({"leave": [{"from": "2026-10-10", "to": "2026-10-20"}]}, ["bob-sun", "gus-he"]),
    ],
)
def test_who_has_left_may_not_and_who_is_away_need_not(person: dict[str, Any], people: list[str]) -> None:
    spec = {"department": "south", "contact": {"email": "bob-sun@example.org"}, "status": "active", **person}
    base = Base(texts() | text_of("Person", "bob-sun", spec))

    assert asked(base.asks(base.touch("Customer", "harbour-bank", BANK, HIGHER))) == [("grade", "owner", people)]


def test_an_ended_appointment_is_none() -> None:
    ended = {"person": "bob-sun", "role": "owner", "scope": {"domain": "south"}, "status": "ended"}
    base = Base(texts() | text_of("RoleAssignment", "owner-south", ended))

    assert asked(base.asks(base.touch("Customer", "harbour-bank", BANK, HIGHER))) == [("grade", "owner", ["gus-he"])]


def test_teams_and_people_of_a_record_may_be_asked() -> None:
    rules = RULES.replace(
        "{role: owner, of: record.unit}",
        "{team: panel, count: 2}, {person: record.roles.cce}".replace("}, {", "}\n        - {"),
    )
    members = [{"person": "cai-yu"}, {"person": "dan-wu", "to": "2026-01-01"}, {"person": "ann-lee"}]
    base = Base(texts() | text_of("Team", "panel", {"type": "evaluation_panel", "lead": "bob-sun", "members": members}))

    asks = base.asks(base.touch("Customer", "harbour-bank", BANK, HIGHER), rules=rules)

    assert asked(asks) == [("grade", "Team/panel", ["bob-sun", "cai-yu"]), ("grade", "record.roles.cce", ["eve-li"])]
    assert asks[0].count == 2


def test_who_is_named_by_the_change_alone_does_not_stand_for_who_was_named_before() -> None:
    rules = RULES.replace("{role: owner, of: record.unit}", "{person: record.roles.cce}")
    base = Base()

    asks = base.asks(base.touch("Customer", "harbour-bank", BANK, {**HIGHER, "roles": {"cce": "gus-he"}}), rules=rules)

    assert [one for one in asked(asks) if one[0] == "grade"] == [
        ("grade", "record.roles.cce", ["eve-li"]),
        ("grade", "record.roles.cce", ["gus-he"]),
    ]


# --- different people ------------------------------------------------------------------------------------------------


def test_two_entries_of_a_rule_want_two_people() -> None:
    base = Base(
        texts() | text_of("RoleAssignment", "two", {"person": "cai-yu", "role": "owner", "scope": {"domain": "south"}})
    )
    rules = RULES.replace("{role: cce, of: record}", "{role: owner, of: record.unit}")

    needs = needs_of(base.asks(base.touch("Customer", "harbour-bank", BANK, KEY), rules=rules), "en")

    assert [(need.count, people_of(need.candidates)) for need in needs] == [
        (1, ["bob-sun", "cai-yu"]),
        (1, ["cai-yu"]),
        (2, ["bob-sun", "cai-yu"]),
    ]
    assert needs[-1].text == "2 different people for owner + service"


def test_one_person_may_stand_for_both_where_the_rule_allows_it() -> None:
    base = Base(
        texts() | text_of("RoleAssignment", "two", {"person": "cai-yu", "role": "owner", "scope": {"domain": "south"}})
    )
    rules = RULES.replace("{role: cce, of: record}", "{role: owner, of: record.unit}").replace(
        "        - {role: service, of: record.unit}\n",
        "        - {role: service, of: record.unit}\n      distinct: false\n",
    )

    assert len(needs_of(base.asks(base.touch("Customer", "harbour-bank", BANK, KEY), rules=rules), "en")) == 2


def test_a_sole_holder_of_both_roles_is_joined_by_the_level_above() -> None:
    only = {"person": "bob-sun", "role": "service", "scope": {"domain": "south-desk"}, "status": "active"}
    base = Base(texts() | text_of("RoleAssignment", "service-south-desk", only))
    rules = RULES.replace("{role: cce, of: record}", "{role: owner, of: record.unit}")

    needs = needs_of(base.asks(base.touch("Customer", "harbour-bank", BANK, KEY), rules=rules), "en")

    assert all(len(need.candidates) >= need.count for need in needs)
    assert "bob-sun" in people_of(needs[0].candidates)


PEOPLE = "abcd"


def _ask(entry: int, people: frozenset[str], count: int) -> Ask:
    candidates = tuple(Candidate(name) for name in sorted(people))
    return Ask("P/r", f"role{entry}", "", count, candidates, ("x",), {}, (), False, entry, True)


@given(
    st.lists(st.tuples(st.frozensets(st.sampled_from(PEOPLE), min_size=1), st.integers(1, 2)), min_size=1, max_size=3),
    st.frozensets(st.sampled_from(PEOPLE)),
)
@settings(max_examples=200)
def test_needs_are_met_exactly_when_different_people_can_be_found(
    wanted: list[tuple[frozenset[str], int]], approvers: frozenset[str]
) -> None:
    asks = [_ask(entry, people, count) for entry, (people, count) in enumerate(wanted)]
    seats = [people for people, count in wanted for _ in range(count)]

    counted = all(len(approvers & {c.person for c in need.candidates}) >= need.count for need in needs_of(asks, "en"))

    seated = len(seats) <= len(approvers) and any(
        all(person in seat for person, seat in zip(order, seats, strict=False))
        for order in permutations(sorted(approvers), len(seats))
    )
    assert counted == seated


# --- compiling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("kinds: [Customer], fields: [/spec/customerGrade]", "kinds: [Custumer]", "unknown-kind", 8),
        ("fields: [/spec/customerGrade]", 'when: after.grade == "x"', "condition-unknown-field", 8),
        ("fields: [/spec/customerGrade]", 'when: after.customerGrade == "x"', "condition-not-in-enum", 8),
        ("fields: [/spec/customerGrade]", "when: after.keyAccount", "condition-unguarded", 8),
        ("[RoleAssignment, Person]}", "[RoleAssignment, Person], when: has(after.name)}", "policy-invalid", 24),
        ("{role: owner, of: record.unit}", "{role: owner, of: record.unti}", "condition-unknown-field", 10),
        ("{role: owner, of: record.unit}", "{role: owner, of: record.customerGrade}", "condition-unknown-field", 10),
        ("{role: owner, of: record.unit}", "{person: record.unit}", "condition-type", 10),
        ("{role: owner, of: record.unit}", "{team: panel, of: record.unit}", "policy-invalid", 10),
        ("kinds: [Customer], fields: [/spec/customerGrade]", "kinds: [WarningPolicy]", "policy-invalid", 10),
        ("name: key-account", "name: grade", "policy-invalid", 11),
    ],
)
def test_a_wrong_policy_is_a_finding_at_its_place(base: Base, old: str, new: str, code: str, line: int) -> None:
    policy, findings = base.compile(RULES.replace(old, new, 1))

    assert policy is None
    assert [(f.code, f.place.line) for f in findings] == [(code, line)]


def test_a_role_that_nobody_holds_and_a_team_that_is_none_are_named(base: Base) -> None:
    rules = RULES.replace("{role: owner, of: record.unit}", "{role: onwer, of: record.unit}")
    rules = rules.replace("{role: cce, of: record}", "{team: panel}")

    found = list(check_roles(base.policy(rules), base.world))

    assert [(f.code, f.place.line, f.pointer) for f in found] == [
        ("nobody-may-approve", 10, "/spec/rules/0/approvers/0/role"),
        ("nobody-may-approve", 14, "/spec/rules/1/approvers/0/team"),
    ]
    assert found[0].hint == 'Did you mean "owner"?'


# --- the judge -------------------------------------------------------------------------------------------------------


def _files(found: dict[str, str]) -> Files:
    return Files(None, None, {path: found[path].encode() for path in sorted(found)})


def _manifest(before: Files, after: Files) -> Manifest:
    paths = {*before.blobs, *after.blobs}
    oid = {b: f"{n:040x}" for n, b in enumerate(sorted({*before.blobs.values(), *after.blobs.values()}))}
    return manifest(
        Touched(p, *(oid[side.blobs[p]] if p in side.blobs else None for side in (before, after))) for p in paths
    )


def _judged(before: dict[str, str], after: dict[str, str], author: str = "ann-lee") -> list[tuple[str, int, list[str]]]:
    old, new = _files(before), _files(after)
    needs = PolicyJudge(AT)(old, new, _manifest(old, new), Person(author, f"{author}@example.org", author))
    return [(need.rule.rpartition("/")[2], need.count, people_of(need.candidates)) for need in needs]


def test_the_judge_reads_rules_and_people_from_the_base_only() -> None:
    before = texts()
    weaker = RULES.replace("{role: owner, of: record.unit}", "{role: responsible, of: record.unit}")
    after = before | {"rules/approval/control.yaml": weaker} | text_of("Customer", "harbour-bank", HIGHER)

    needs = _judged(before, after)

    assert ("grade", 1, ["bob-sun"]) in needs
    assert ("rules", 1, ["dan-wu"]) in needs and ("rules", 1, ["bob-sun"]) in needs


def test_a_change_of_the_approval_rules_is_judged_by_the_new_ones_as_well() -> None:
    before = texts()
    stricter = RULES.replace("{role: policy, count: 1}", "{role: service}")

    needs = _judged(before, before | {"rules/approval/control.yaml": stricter})

    assert ("rules", 1, ["dan-wu"]) in needs and ("rules", 1, ["cai-yu"]) in needs


def test_removing_every_approval_rule_needs_them_one_last_time() -> None:
    before = texts()
    after = {path: text for path, text in before.items() if not path.startswith("rules/")}

    assert _judged(before, after) == [("rules", 1, ["dan-wu"]), ("rules", 1, ["bob-sun"])]


def test_a_policy_of_the_base_that_cannot_be_read_refuses() -> None:
    for broken in ("kind: [", RULES.replace("[Customer]", "[Custumer]", 1), RULES.replace("spec:", "spek:")):
        before = texts() | {"rules/approval/control.yaml": broken}
        with pytest.raises(InvalidStore, match=r"rules/approval/control\.yaml"):
            _judged(before, before | text_of("Customer", "harbour-bank", HIGHER))


def test_a_changed_record_that_is_no_yaml_is_still_governed() -> None:
    before = texts()
    path = "records/customers/harbour-bank.yaml"

    assert ("grade", 1, ["bob-sun"]) in _judged(before, before | {path: "kind: ["})


def test_the_judge_reads_little_and_misses_nothing() -> None:
    before = texts()
    before |= text_of("Agreement", "old", {"customer": "harbour-bank"})
    for number in range(30):
        before |= text_of("Customer", f"other-{number}", BANK)
    term = {"agreement": "old", "termType": "service", "standard": False}
    rules = RULES.replace("kinds: [Customer], fields: [/spec/customerGrade]", "kinds: [ServiceTerm]").replace(
        "{role: owner, of: record.unit}", "{role: cce, of: record.agreement.customer}"
    )
    before["rules/approval/control.yaml"] = rules

    assert _judged(before, before | text_of("ServiceTerm", "new", term)) == [("grade", 1, ["eve-li"])]


def test_findings_that_were_there_before_are_not_the_changes() -> None:
    bad = texts() | text_of("Customer", "odd", {**BANK, "unit": "nowhere"})
    worse = bad | text_of("Customer", "worse", {**BANK, "unit": "elsewhere"})

    added = added_findings(_files(bad), _files(worse), at=AT + timedelta(days=1))

    assert [(f.code, f.record) for f in added] == [("unknown-reference", "Customer/worse")]


# --- the matrix of this store ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store() -> Any:
    files = {p.relative_to(ROOT).as_posix(): p for p in ROOT.rglob("*") if p.is_file()}
    wanted = ("remit.yaml", "records/", "schemas/", "rules/approval/")
    blobs = {path: p.read_bytes() for path, p in files.items() if path.startswith(wanted) and is_store_path(path)}
    return load(Files(None, None, blobs))


def test_every_case_of_the_change_control_matrix_holds(store: Any) -> None:
    books, findings = case_books(store.snapshot, store.schemas)
    policy = store.policies.by_id["ApprovalPolicy/change-control"]

    results = list(run_cases(policy, books[0], store.world))

    assert findings == []
    assert {case["name"]: failures for case, failures in zip(books[0].cases, results, strict=True) if failures} == {}


def test_every_rule_of_the_matrix_has_a_case_in_which_it_asks(store: Any) -> None:
    books, _ = case_books(store.snapshot, store.schemas)
    policy = store.policies.by_id["ApprovalPolicy/change-control"]
    asked_in_cases = {line["rule"] for case in books[0].cases for line in case["expect"]}

    assert {rule.name for rule in policy.rules} - asked_in_cases == set()
    assert list(check_roles(policy, store.world)) == []


def test_nothing_in_the_store_can_change_without_somebody_who_may_approve_it(store: Any) -> None:
    base = Base.__new__(Base)
    base.world, base.schemas = store.world, store.schemas
    policy = store.policies.by_id["ApprovalPolicy/change-control"]
    ground = base.ground([], "chen-jing")
    from remit.policies.asking import required_approvals

    stuck = [
        (record.id, need.rule)
        for record in (*store.snapshot.records, *store.snapshot.policies)
        for touch in (Touch(record.path, None, record), Touch(record.path, record, None))
        for need in needs_of(required_approvals([policy], [touch], ground), "zh") or [None]
        if need is None or len(need.candidates) < need.count
    ]

    assert stuck == []


def test_the_words_of_an_ask_are_in_the_stores_language(base: Base) -> None:
    asks = base.asks(base.touch("Customer", "harbour-bank", BANK, HIGHER))

    assert needs_of(asks, "zh")[0].text == "owner（OrganizationUnit/south） 1 人；等级；变更 Customer/harbour-bank"
    assert needs_of(asks, "en")[0].text == "1 owner of OrganizationUnit/south; Grade; for Customer/harbour-bank"


def test_case_files_that_are_odd_say_how(store: Any) -> None:
    books, _ = case_books(store.snapshot, store.schemas)
    policy = store.policies.by_id["ApprovalPolicy/change-control"]

    class Book:
        record = books[0].record
        cases = (
            {"name": "a", "change": {"kind": "Customer", "name": "x", "after": {"grade": "x"}}, "expect": []},
            {"name": "b", "change": {"path": "remit.yaml"}, "expect": []},
            {"name": "c", "change": {"path": "remit.yaml"}, "expect": [{"rule": "templates", "role": "x"}]},
            {"name": "d", "expect": []},
        )

        def place(self, index: int) -> Place:
            return Place(self.record.path, index + 1)

    found = [" | ".join(failures) for failures in run_cases(policy, Book(), store.world)]  # type: ignore[arg-type]

    assert "no field 'grade'" in found[0] and "customerGrade" in found[0]
    assert "Not expected: governance asks 1 city_company_owner (huang-zhiqiang)." in found[1]
    assert "Expected x by rule templates; it is not asked." in found[2]
    assert found[3] == "The case has no change."


# --- thresholds ------------------------------------------------------------------------------------------------------

MANY = RULES.replace(
    "  default:",
    "    - name: many\n      change: {kinds: [Customer], atLeast: 3}\n      approvers: [{role: policy}]\n  default:",
)


@pytest.mark.parametrize(("number", "asked_too"), [(2, False), (3, True), (4, True)])
def test_a_rule_may_speak_of_changes_of_many_records_only(base: Base, number: int, asked_too: bool) -> None:
    touches = [base.touch("Customer", f"bank-{n}", BANK, {**BANK, "notes": "x"}) for n in range(number)]
    other = Touch("templates/x.j2", None, None)

    rules = {rule for rule, _, _ in asked(base.asks(*touches, other, rules=MANY))}

    assert rules == ({"many", "default"} if asked_too else {"default"})


def test_records_of_which_the_rest_of_a_rule_does_not_hold_do_not_count(base: Base) -> None:
    rules = MANY.replace("atLeast: 3", 'atLeast: 2, when: after.customerGrade == "group"')
    raised = base.touch("Customer", "a", BANK, {**BANK, "customerGrade": "group"})
    others = [base.touch("Customer", f"bank-{n}", BANK, {**BANK, "notes": "x"}) for n in range(3)]

    assert "many" not in {rule for rule, _, _ in asked(base.asks(raised, *others, rules=rules))}


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Changes: customers, 3 or more at once."), ("zh", "变更内容：政企客户，一次达3项。")],
)
def test_how_many_is_said_in_plain_words(base: Base, language: str, words: str) -> None:
    said = "\n".join(policy_words(base.policy(MANY), base.compiler.types, base.world, language))

    assert words in said


def test_a_rule_may_speak_of_how_a_value_changes(base: Base) -> None:
    doubled = RULES.replace(
        "{kinds: [Customer], fields: [/spec/customerGrade]}",
        "{kinds: [ServiceTerm], when: has(before.indicatorValue) && has(after.indicatorValue)"
        " && after.indicatorValue >= 2.0 * before.indicatorValue}",
    ).replace("{role: owner, of: record.unit}", "{role: owner}")

    def rules(before: int, after: int) -> set[str]:
        term = {"agreement": "x", "termType": "service", "standard": False}
        sides = [{**term, "indicatorValue": value} for value in (before, after)]
        return {rule for rule, _, _ in asked(base.asks(base.touch("ServiceTerm", "t", *sides), rules=doubled))}

    assert (rules(2, 3), rules(2, 4)) == ({"default"}, {"grade"})
