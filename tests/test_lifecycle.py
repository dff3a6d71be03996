"""Lifecycle policies: which states follow one another, what each requires, and where a finding stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from approval_store import ROOT, Base, path_of, text_of, texts

from remit.cases import case_books
from remit.evaluating import load
from remit.findings import Finding
from remit.policies.lifecycle import Lifecycle, check_lifecycle, compile_lifecycle, ways
from remit.policies.lifecycle_cases import run_cases
from remit.references import Entity, World
from remit.store import Files, is_store_path

POLICY = """\
apiVersion: remit/v1
kind: LifecyclePolicy
metadata: {name: cutover, clauses: [D4-70]}
spec:
  subject: Cutover
  initial: [applied]
  others: forbidden
  with:
    later: {kind: Cutover, by: previousRequest}
  states:
    approved:
      title: {en: an approval, zh: 批复}
      requires: has(subject.approvalIssuedAt) && subject.approvalIssuedAt <= timestamp("2026-10-15T00:00:00Z")
      clauses: [D4-73]
  transitions:
    - {from: applied, to: [screening, normal_process]}
    - from: [screening, normal_process]
      to: approved
      by: the province
      requires: has(after.approvalIssuedAt) && !has(before.approvalIssuedAt)
    - from: screening
      to: approved
      requires: size(later) > 0
  changes:
    - {field: international, requires: 'has(before.status) && before.status == "applied"', clauses: [D4-72]}
"""
EARLY = "2026-10-14T09:00:00+08:00"


@pytest.fixture(scope="module")
def base() -> Base:
    return Base()


def compiled(base: Base, text: str = POLICY) -> tuple[Lifecycle | None, list[Finding]]:
    record = base.record("rules/lifecycle/cutover.yaml", text)
    assert [f.message for f in base.schemas.check_record(record)] == []
    return compile_lifecycle(record, base.compiler, tuple(text.split("\n")))


def entity(base: Base, spec: Mapping[str, Any], name: str = "c1") -> Entity:
    path = path_of("Cutover", name)
    record = base.record(path, text_of("Cutover", name, spec)[path])
    return Entity("Cutover", name, record.spec, record.place(), record)


def judged(base: Base, before: Mapping[str, Any] | None, after: Mapping[str, Any], text: str = POLICY) -> list[Finding]:
    policy, findings = compiled(base, text)
    assert policy is not None and findings == []
    old = entity(base, before) if before is not None else None
    return check_lifecycle(policy, old, entity(base, after), base.world)


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def test_a_listed_transition_is_allowed_and_another_is_not(base: Base) -> None:
    assert judged(base, {"status": "applied"}, {"status": "screening"}) == []

    (found,) = judged(base, {"status": "applied"}, {"status": "executing"})

    assert found.code == "forbidden-transition"
    message = 'Cutover/c1 moved from "applied" to "executing", which LifecyclePolicy/cutover does not allow (D4-70).'
    assert found.message == message
    assert found.hint == 'From "applied" it may go to "normal_process" or "screening".'
    assert (found.pointer, found.record, found.place.path) == ("/spec/status", "Cutover/c1", "records/cutovers/c1.yaml")
    assert found.place.line > 1 and found.place.column > 1


def test_a_state_without_a_way_out_says_so(base: Base) -> None:
    approved = {"status": "approved", "approvalIssuedAt": EARLY}

    (found,) = judged(base, approved, {**approved, "status": "applied"})

    assert found.hint == '"approved" is its last state.'


def test_where_others_are_free_what_is_not_listed_is_allowed(base: Base) -> None:
    free = POLICY.replace("others: forbidden", "others: free")

    assert judged(base, {"status": "applied"}, {"status": "executing"}, free) == []


def test_a_new_record_begins_in_an_initial_state(base: Base) -> None:
    assert judged(base, None, {"status": "applied"}) == []
    assert codes(judged(base, None, {"status": "executing"})) == ["forbidden-transition"]


def test_a_record_that_says_no_state_has_the_default_of_its_schema(base: Base) -> None:
    assert judged(base, None, {}) == []
    assert judged(base, {}, {"status": "screening"}) == []


def test_an_unmet_requirement_names_what_is_missing_and_the_clause(base: Base) -> None:
    found = judged(base, {"status": "normal_process"}, {"status": "approved"})

    assert codes(found) == ["state-requirement", "state-requirement"]
    moved, state = found
    assert moved.hint == "Not so: has(after.approvalIssuedAt)"
    assert state.message == 'Cutover/c1 is "approved" without what that requires: an approval (D4-73).'


def test_one_of_several_ways_is_enough(base: Base) -> None:
    before, after = (
        {"status": "screening", "approvalIssuedAt": EARLY},
        {"status": "approved", "approvalIssuedAt": EARLY},
    )

    assert codes(judged(base, before, after)) == ["state-requirement", "state-requirement"]

    policy, _ = compiled(base)
    assert policy is not None
    follower = entity(base, {"previousRequest": "c1"}, "c2")
    world = World(base.schemas, [follower], base.snapshot.config)
    assert check_lifecycle(policy, entity(base, before), entity(base, after), world) == []


def test_a_guarded_field_has_its_own_requirement_and_place(base: Base) -> None:
    assert judged(base, {"status": "applied"}, {"status": "applied", "international": True}) == []

    (found,) = judged(base, {"status": "screening"}, {"status": "screening", "international": True})

    assert (found.code, found.pointer) == ("state-requirement", "/spec/international")
    assert "D4-72" in found.message


def test_a_snapshot_alone_shows_states_that_lack_what_they_require(base: Base) -> None:
    policy, _ = compiled(base)
    assert policy is not None
    good = entity(base, {"status": "approved", "approvalIssuedAt": EARLY}, "good")
    late = entity(base, {"status": "approved", "approvalIssuedAt": "2026-10-16T09:00:00+08:00"}, "late")

    found = policy.check_world(World(base.schemas, [good, late], base.snapshot.config))

    assert [(f.code, f.record) for f in found] == [("state-requirement", "Cutover/late")]
    assert found[0].hint.startswith("Not so: subject.approvalIssuedAt <= ")


def test_every_way_is_told_with_who_goes_it(base: Base) -> None:
    policy, _ = compiled(base)
    assert policy is not None

    assert list(ways(policy))[:3] == [
        ("applied", "screening", ""),
        ("applied", "normal_process", ""),
        ("screening", "approved", "the province"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("subject: Cutover", "subject: Cut", "unknown-kind", 5),
        ("initial: [applied]", "initial: [aplied]", "condition-not-in-enum", 6),
        ("others: forbidden", "field: state", "condition-unknown-field", 7),
        ("others: forbidden", "field: international", "policy-invalid", 7),
        ("{kind: Cutover, by: previousRequest}", "{kind: Cutover, by: previous}", "condition-unknown-field", 9),
        ("    approved:\n", "    aproved:\n", "condition-not-in-enum", 12),
        ("has(subject.approvalIssuedAt) && ", "", "condition-unguarded", 13),
        ("to: [screening, normal_process]", "to: [screening, normal]", "condition-not-in-enum", 16),
        ("size(later) > 0", "size(earlier) > 0", "condition-unknown-name", 23),
        ("field: international", "field: nation", "condition-unknown-field", 25),
    ],
)
def test_a_wrong_policy_is_a_finding_at_its_place(base: Base, old: str, new: str, code: str, line: int) -> None:
    policy, findings = compiled(base, POLICY.replace(old, new, 1))

    assert policy is None
    assert (findings[0].code, findings[0].place.line) == (code, line)


# --- the lifecycles of this store ------------------------------------------------------------------------------------

NAMES = ("extension-request", "service-order", "suspension", "trouble-ticket")


@pytest.fixture(scope="module")
def store() -> Any:
    wanted = ("remit.yaml", "records/", "schemas/", "rules/lifecycle/")
    files = {p.relative_to(ROOT).as_posix(): p for p in ROOT.rglob("*") if p.is_file()}
    blobs = {path: p.read_bytes() for path, p in files.items() if path.startswith(wanted) and is_store_path(path)}
    return load(Files(None, None, blobs))


@pytest.mark.parametrize("name", NAMES)
def test_every_case_of_the_stores_lifecycles_holds(store: Any, name: str) -> None:
    books, findings = case_books(store.snapshot, store.schemas)
    (book,) = [one for one in books if one.policy.name == name]

    results = list(run_cases(store.policies.by_id[f"LifecyclePolicy/{name}"], book, store.world))

    assert findings == []
    assert {case["name"]: failures for case, failures in zip(book.cases, results, strict=True) if failures} == {}


@pytest.mark.parametrize("name", NAMES)
def test_the_records_of_the_store_are_as_their_states_require(store: Any, name: str) -> None:
    policy = store.policies.by_id[f"LifecyclePolicy/{name}"]

    assert policy.check_world(store.world) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_requirement_has_a_case_in_which_it_is_missing(store: Any, name: str) -> None:
    """A requirement replaced by ``true`` lets a case fail."""
    books, _ = case_books(store.snapshot, store.schemas)
    (book,) = [one for one in books if one.policy.name == name]
    text = store.snapshot.files[book.policy.path].decode()
    policy = store.policies.by_id[f"LifecyclePolicy/{name}"]
    unguarded = []
    for number, written in enumerate(conditions_of(policy)):
        weaker = weakened(policy, number)
        if not any(run_cases(weaker, book, store.world)):
            unguarded.append(written)
    assert text and unguarded == []


def conditions_of(policy: Lifecycle) -> list[str]:
    requirements = [
        *policy.states.values(),
        *(t.requirement for t in policy.transitions),
        *(r for _, r in policy.changes),
    ]
    return [one.condition.text for one in requirements if one.condition]


def weakened(policy: Lifecycle, number: int) -> Lifecycle:
    from dataclasses import replace

    left = iter(range(1_000))

    def keep(one: Any) -> Any:
        return replace(one, condition=None) if one.condition is not None and next(left) == number else one

    states = {state: keep(one) for state, one in policy.states.items()}
    moves = tuple(replace(t, requirement=keep(t.requirement)) for t in policy.transitions)
    return replace(policy, states=states, transitions=moves, changes=tuple((f, keep(r)) for f, r in policy.changes))


def test_texts_of_the_small_store_are_clean() -> None:
    assert Base(texts()).snapshot.findings == ()
