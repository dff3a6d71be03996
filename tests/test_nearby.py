"""What is near a change finds what the whole store would: the hook of an origin asks no more and misses no less."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

import pytest
from conftest import GitRepo

from remit import checking
from remit.changes import Person, Touched, manifest
from remit.evaluating import load
from remit.findings import added_to
from remit.judging import PolicyJudge, check_near, with_more
from remit.nearby import decides, near
from remit.pack import pack_files
from remit.store import CONFIG, FOLDERS, Files, Store, TreeBlobs, changed_paths
from remit.yamltext import DELETE, Edit, edit

AT = datetime(2026, 10, 15, 2, 0, tzinfo=UTC)
BANK = "records/customers/harbour-bank.yaml"
WANG = "records/people/wang-lei.yaml"

Changed = Mapping[str, bytes | None]


@cache
def store() -> dict[str, bytes]:
    return {path: data for path, data in pack_files().items() if path.split("/")[0] in (CONFIG, *FOLDERS)}


def edited(path: str, *edits: Edit) -> Changed:
    return {path: edit(store()[path], list(edits))}


def copied(path: str, to: str, *edits: Edit) -> Changed:
    name = to.rpartition("/")[2].removesuffix(".yaml")
    return {to: edit(store()[path], [Edit(("metadata", "name"), name), *edits])}


def assignment() -> str:
    return next(p for p in store() if p.startswith("records/role-assignments/") and b"abRole" in store()[p])


def unique() -> str:
    return next(path for path in store() if path.startswith("records/services/"))


CHANGES: dict[str, Changed] = {
    "nothing wrong": edited(BANK, Edit(("spec", "importanceScore"), 91)),
    "a reference to nobody": edited(BANK, Edit(("spec", "roles", "ceA"), "wang-lie")),
    "a reference to another kind": edited(BANK, Edit(("spec", "unit"), "wang-lei")),
    "a value outside its schema": edited(BANK, Edit(("spec", "customerGrade"), "gold")),
    "a field that is none": edited(BANK, Edit(("spec", "grade"), "local_a")),
    "a record that others name is gone": {WANG: None},
    "a person who has left": edited(WANG, Edit(("spec", "status"), "left")),
    "two who hold one post": copied(assignment(), "records/role-assignments/second-director.yaml"),
    "a number that is another's": copied(unique(), "records/services/a-twin.yaml"),
    "a file that is no YAML": {BANK: b"spec: [\n"},
    "a record in a wrong place": {"records/people/misplaced.yaml": store()[BANK]},
    "a state that may not follow": edited(BANK, Edit(("spec", "status"), "prospective")),
    "a name that is another's": {"records/customers/again.yaml": store()[BANK]},
    "a contract whose customer goes": {BANK: None},
    "a node without its site": edited(BANK, Edit(("spec", "branchSites"), DELETE)),
}


def after(changed: Changed) -> dict[str, bytes]:
    return {path: data for path, data in {**store(), **changed}.items() if data is not None}


@cache
def before_findings() -> tuple[object, ...]:
    return checking.check(load(Files(None, None, store())), at=AT, cases=False)


@pytest.mark.parametrize("name", CHANGES)
def test_the_errors_near_a_change_are_those_of_the_whole_store(name: str) -> None:
    one, other = Files(None, None, store()), Files(None, None, after(CHANGES[name]))
    whole = [
        *checking.check(load(other), at=AT, cases=False),
        *checking.since(load(other), load(one)),
    ]
    policies = ("level-reaches-nobody", "uncovered-level")
    errors = {
        (found.code, found.place.path, found.pointer)
        for found in added_to(before_findings(), whole)  # type: ignore[arg-type]
        if found.severity == "error" and not found.place.path.startswith("rules/") and found.code not in policies
    }

    found = [one for one in check_near(one, other, at=AT) if one.severity == "error"]

    assert {(one.code, one.place.path, one.pointer) for one in found} == errors
    assert bool(errors) == (name not in ("nothing wrong", "a node without its site"))


def test_what_is_near_one_customer_is_a_small_part_of_the_store() -> None:
    one, other = near(Files(None, None, store()), Files(None, None, after(CHANGES["nothing wrong"])))

    assert BANK in one.blobs and WANG in one.blobs and one.blobs.keys() == other.blobs.keys()
    assert not any(path.startswith(("rules/escalation/", "records/nodes/")) for path in one.blobs)


@pytest.mark.parametrize(
    ("path", "far"),
    [(BANK, False), ("rules/warning/x.yaml", True), ("schemas/x.json", True), ("remit.yaml", True), (WANG, False)],
)
def test_what_policies_decide_by_is_near_to_everything(path: str, far: bool) -> None:
    assert decides([path]) is far


def test_trees_are_compared_by_their_ids_and_read_only_where_asked(git_repo: GitRepo) -> None:
    few = {f"records/customers/c-{n:03}.yaml": f"n: {n}\n" for n in range(300)}
    folder = git_repo({"remit.yaml": "name: x\n", "records/people/a.yaml": "a: 1\n", **few})
    store = Store.open(folder)
    files = store.files("HEAD")
    assert isinstance(files.blobs, TreeBlobs)

    assert changed_paths(files.blobs, files.blobs) == [] and store._known == {}
    assert files.blobs["records/people/a.yaml"] == b"a: 1\n" and len(store._known) == 1
    assert files.blobs["records/customers/c-007.yaml"] == b"n: 7\n" and len(store._known) == 2
    assert dict(files.blobs) == {
        path: text.encode()
        for path, text in sorted({"remit.yaml": "name: x\n", "records/people/a.yaml": "a: 1\n", **few}.items())
    }


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_read_in_two_parts_is_what_is_read_at_once(name: str) -> None:
    """The audit of a history reads what decides once, and beside it only what each change is about."""
    later = ("records/customers/", "records/services/", "records/contracts/")
    files = {path: data for path, data in after(CHANGES[name]).items() if not path.startswith("rules/fixtures/")}
    ground = load(Files(None, None, {path: data for path, data in files.items() if not path.startswith(later)}))

    joined = with_more(ground, {path: data for path, data in files.items() if path.startswith(later)})

    whole = load(Files(None, None, files))
    assert joined.snapshot.files == whole.snapshot.files and joined.snapshot.records == whole.snapshot.records
    assert joined.trouble == whole.trouble and joined.snapshot.config == whole.snapshot.config
    for kind in whole.schemas.kinds:
        assert [one.ref for one in joined.world.all(kind)] == [one.ref for one in whole.world.all(kind)]
    assert joined.policies is ground.policies


def test_a_commit_is_judged_as_its_files_are(git_repo: GitRepo) -> None:
    folder = git_repo({path: data.decode() for path, data in store().items()})
    commit, author = Store.open(folder).files("HEAD"), Person("Chen Jing", "chen-jing@southbay.example.invalid")
    judge = PolicyJudge(AT)
    for name, changed in CHANGES.items():
        head = Files(None, None, after(changed))
        touched = manifest(Touched(path, "1" * 40, "2" * 40 if data else None) for path, data in changed.items())

        plain = judge(Files(None, None, store()), head, touched, author)

        assert [judge(commit, head, touched, author) for _ in range(2)] == [plain, plain], name


def test_ten_records_of_a_thousand_are_read_without_the_others(git_repo: GitRepo) -> None:
    records = {f"records/customers/c-{number:03}.yaml": f"n: {number}\n" for number in range(1_000)}
    store = Store.open(git_repo({"remit.yaml": "name: x\n", **records}))
    blobs = store.files("HEAD").blobs

    assert [blobs[path] for path in list(records)[:10]] == [f"n: {number}\n".encode() for number in range(10)]
    assert len(store._known) == 10
    assert len(dict(blobs)) == len(store._known) == 1_001
