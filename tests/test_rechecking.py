"""What is remembered never changes what is found: each answer is held to a check of everything."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from conftest import GitRepo, be, commit_all
from test_nearby import AT, BANK, CHANGES, Changed, after, copied, edited, store, unique

from remit import checking, evaluating
from remit.evaluating import load
from remit.findings import finding
from remit.places import Place
from remit.rechecking import check_files, check_working
from remit.remembering import Memory, memory_of
from remit.sentences import say, spoken
from remit.store import Files, Store
from remit.verdicts import RECORDS, Known, Part, Verdict
from remit.yamltext import DELETE, Edit

HOSPITAL = "records/customers/linhai-first-hospital.yaml"
NOWHERE = Path("/nowhere")

MORE: dict[str, Changed] = {
    "nothing": {},
    "a customer is closed": edited(BANK, Edit(("spec", "status"), "closed")),
    "a customer whom nobody serves": edited(BANK, Edit(("spec", "roles"), {}), Edit(("spec", "unit"), DELETE)),
    "another engineer": edited(BANK, Edit(("spec", "roles", "ceB"), "zhu-tao")),
    "a customer loses one engineer": edited(BANK, Edit(("spec", "roles", "ceB"), DELETE)),
    "a second customer": copied(BANK, "records/customers/second-bank.yaml"),
    "a second customer with a mistake": copied(
        BANK, "records/customers/second-bank.yaml", Edit(("spec", "unit"), "no-unit")
    ),
    "two edited at once": {
        **edited(BANK, Edit(("spec", "importanceScore"), 90)),
        **edited(HOSPITAL, Edit(("spec", "importanceScore"), 40)),
    },
    "a comment": {BANK: store()[BANK] + b"# seen\n"},
    "a date that ends before it begins": edited(
        BANK, Edit(("spec", "validFrom"), "2026-01-01"), Edit(("spec", "validTo"), "2025-01-01")
    ),
    "a service of its own": edited(unique(), Edit(("metadata", "labels"), {"seen": "yes-it-is"})),
    "another limit": edited(
        next(path for path in store() if path.startswith("records/service-levels/")), Edit(("spec", "value"), 9)
    ),
    "a policy": {"rules/approval/change-control.yaml": None},
    "a setting": {"remit.yaml": store()["remit.yaml"] + b"nothing: 1\n"},
    "a file that is no record": {"records/customers/notes.txt": b"x"},
    "an odd ending": {"records/customers/extra.yml": store()[BANK]},
}
WHOLE = {
    *["a number that is another's", "two who hold one post", "a record in a wrong place", "a name that is another's"],
    *["a customer whom nobody serves", "a setting", "a file that is no record", "an odd ending"],
}
"""What needs a check of everything."""

ALL = {**CHANGES, **MORE}


class Kept(Memory):
    """A memory without a disk."""

    def __init__(self, entries: dict[str, bytes]) -> None:
        self.entries = entries

    def recall(self, name: str) -> bytes | None:
        return self.entries.get(name)

    def keep(self, name: str, content: bytes) -> None:
        self.entries[name] = content


@cache
def remembered() -> dict[str, bytes]:
    memory = Kept({})
    check_files(Files(None, None, store()), NOWHERE, memory, at=AT)
    assert memory.entries
    return memory.entries


def everything(files: Files, at: datetime = AT) -> Verdict:
    loaded = load(files)
    findings = checking.check(loaded, at=at)
    return Verdict(findings, len(loaded.snapshot.records), len(loaded.snapshot.policies))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files each check of everything had."""
    remembered()
    seen: list[int] = []

    def counted(files: Files, feeds: object = (), spread: object = None) -> object:
        seen.append(len(files.blobs))
        return load(files)

    monkeypatch.setattr(evaluating, "load", counted)
    return seen


@pytest.mark.parametrize("name", ALL)
def test_after_a_change_the_findings_are_those_of_a_check_of_everything(name: str, reads: list[int]) -> None:
    files = Files(None, None, dict(sorted(after(ALL[name]).items())))
    memory = Kept(dict(remembered()))

    said = check_files(files, NOWHERE, memory, at=AT)

    assert said == everything(files)
    assert bool(reads) == (name in WHOLE)
    assert check_files(files, NOWHERE, memory, at=AT) == said
    assert len(reads) == (name in WHOLE)


def test_a_chain_of_quick_answers_ends_where_a_check_of_everything_does(reads: list[int]) -> None:
    memory = Kept(dict(remembered()))
    blobs = store()
    for name in ("a second customer", "two edited at once", "a comment", "nothing wrong"):
        blobs = {**blobs, **{path: data for path, data in ALL[name].items() if data is not None}}
        check_files(Files(None, None, blobs), NOWHERE, memory, at=AT)
    assert not reads

    broken = {**blobs, **{p: d for p, d in ALL["a reference to nobody"].items() if d is not None}}

    assert check_files(Files(None, None, blobs), NOWHERE, memory, at=AT) == everything(Files(None, None, blobs))
    assert check_files(Files(None, None, broken), NOWHERE, memory, at=AT) == everything(Files(None, None, broken))
    assert not reads


@pytest.mark.parametrize("days", [-400, -1, 1, 30, 70, 90, 300, 500])
def test_on_another_day_only_what_depends_on_it_is_judged(days: int, reads: list[int]) -> None:
    files, memory, at = Files(None, None, store()), Kept(dict(remembered())), AT + timedelta(days=days)

    said = [check_files(files, NOWHERE, memory, at=at + timedelta(hours=hours)) for hours in (0, 1, -9)]

    assert said == [everything(files, at + timedelta(hours=hours)) for hours in (0, 1, -9)]
    assert bool(reads) == any(one.code == "level-reaches-nobody" for one in said[0].findings)


def test_somebody_who_goes_on_leave_in_the_course_of_a_day_ends_the_verdict(reads: list[int]) -> None:
    person = next(path for path in store() if path.startswith("records/people/"))
    leave = [{"from": "2026-10-15T12:00:00+08:00", "to": "2026-10-15T15:00:00+08:00", "reason": "x"}]
    del leave[0]["reason"]
    files, memory = Files(None, None, after(edited(person, Edit(("spec", "leave"), leave)))), Kept({})

    for hour in range(8, 18):
        at = AT + timedelta(hours=hour - 10)
        assert check_files(files, NOWHERE, memory, at=at) == everything(files, at)
    assert len(reads) == 1


@pytest.mark.parametrize("entry", [b"", b"{}", b"\n", b"0" * 64 + b"\n{}"], ids=["empty", "none", "unnamed", "another"])
def test_what_another_program_kept_is_not_believed(entry: bytes, reads: list[int]) -> None:
    memory = Kept(dict.fromkeys(remembered(), entry))

    check_files(Files(None, None, store()), NOWHERE, memory, at=AT)

    assert len(reads) == 1 and memory.entries == remembered()


def test_a_commit_is_remembered_beside_the_working_tree(git_repo: GitRepo, reads: list[int]) -> None:
    folder = git_repo({path: data.decode() for path, data in store().items()})
    mine = Store.open(folder)
    memory = memory_of(mine)
    assert memory is not None

    said = [check_working(mine, memory_of(mine), at=AT) for _ in range(2)]
    said += [check_files(mine.files("HEAD"), folder, memory_of(mine), at=AT, store=mine) for _ in range(2)]

    assert len(reads) == 1 and said == [said[0]] * 4
    be(folder, "ann-lee")
    (folder / BANK).write_bytes((folder / BANK).read_bytes() + b"# seen\n")
    commit_all(folder)
    assert check_files(mine.files("HEAD"), folder, memory, at=AT, store=mine) == said[0] and len(reads) == 1


@cache
def small() -> dict[str, bytes]:
    """The records of the example under few rules: all there is to go wrong with records, in a moment."""
    rules = ("rules/approval/", "rules/escalation/fault")
    return {
        path: data
        for path, data in store().items()
        if not path.startswith("rules/") or (path.startswith(rules) and not path.endswith(".cases.yaml"))
    }


def some_change(chance: random.Random, blobs: dict[str, bytes]) -> dict[str, bytes | None]:
    """One or a few records edited, added, removed or put back, rightly or wrongly."""
    records = sorted(path for path in blobs if path.startswith("records/"))
    changed: dict[str, bytes | None] = {}
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        path = chance.choice([path for path in records if path.startswith(chance.choice(FAVOURED))] or records)
        other = chance.choice(records)
        word, name = (Path(one).stem.encode() for one in (other, path))
        match chance.randrange(8):
            case 0:
                changed[path] = None
            case 1:
                changed[path] = blobs[path] + b"# seen\n"
            case 2:
                changed[path.replace(name.decode(), f"new-{chance.randrange(9)}")] = blobs[path].replace(
                    b"name: " + name, b"name: new-%d" % chance.randrange(9)
                )
            case 3:
                changed[path] = store().get(path)
            case 4:
                changed[path] = re.sub(rb"\d", lambda _: b"%d" % chance.randrange(10), blobs[path], count=3)
            case 5:
                changed[path] = re.sub(
                    rb"(unit|site|parent|customer|product): \S+", rb"\1: " + word, blobs[path], count=1
                )
            case 6:
                changed[path] = re.sub(rb"status: \S+", b"status: closed", blobs[path])
            case _:
                changed[path] = blobs[path].replace(b"spec:", b"spec:\n  notes: x", 1)
    return changed


FAVOURED = ("records/customers/", "records/sites/", "records/services/", "records/products/", "records/")


@pytest.mark.parametrize("seed", [0, 2])
def test_whatever_is_done_to_records_the_answer_is_that_of_a_check_of_everything(
    git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance, blobs = random.Random(seed), dict(small())
    full: list[int] = []
    monkeypatch.setattr(evaluating, "load", lambda files, feeds=(), **how: (full.append(1), load(files, **how))[1])
    folder = git_repo({path: data.decode() for path, data in blobs.items()})
    mine = Store.open(folder)
    memory, quick = memory_of(mine), 0
    assert memory is not None
    for step in range(16):
        before = dict(blobs)
        changed = some_change(chance, blobs) if step else {}
        for path, data in changed.items():
            blobs.pop(path, None)
            (folder / path).unlink(missing_ok=True)
            if data is not None:
                blobs[path] = data
                (folder / path).write_bytes(data)
        full.clear()
        said = check_working(mine, memory, at=AT)
        quick += not full
        assert said == everything(Files(None, None, dict(sorted(blobs.items()))))
        if any(one.severity == "error" for one in said.findings) and chance.random() < 0.7:
            for path in changed:
                (folder / path).unlink(missing_ok=True)
                if path in before:
                    (folder / path).write_bytes(before[path])
            blobs = before
        elif chance.random() < 0.3:
            commit_all(folder)
    assert quick and quick < 16


GROUNDS = (
    "records/people/",
    "records/role-assignments/",
    "records/organization-units/",
    "records/teams/",
    "records/calendars/",
)
LEVELS = ("records/parameter-sets/", "records/service-levels/", "records/products/", "rules/", "rules/", "templates/")


def some_rule(chance: random.Random, blobs: dict[str, bytes]) -> dict[str, bytes | None]:
    """Something of what decides edited or removed, rightly or wrongly."""
    found = [path for path in sorted(blobs) if path.startswith(chance.choice(GROUNDS + LEVELS))]
    path = chance.choice(found or sorted(blobs))
    match chance.randrange(6):
        case 0:
            return {path: None}
        case 1:
            return {path: re.sub(rb"(?<=[: ])\d", lambda _: b"%d" % chance.randrange(10), blobs[path], count=5)}
        case 2:
            return {path: blobs[path].replace(b"status: active", b"status: left").replace(b"role: ", b"role: x", 1)}
        case 3:
            return {path: blobs[path][: len(blobs[path]) * 2 // 3]}
        case _:
            return {path: blobs[path] + b"# seen\n"}


@pytest.mark.parametrize("seed", [1, 3])
def test_whatever_is_done_to_what_decides_and_on_whatever_day_the_answer_is_that_of_a_check_of_everything(
    git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    right = small() | {path: data for path, data in store().items() if path.startswith(CASED)}
    full: list[int] = []
    monkeypatch.setattr(evaluating, "load", lambda files, feeds=(), **how: (full.append(1), load(files, **how))[1])
    folder = git_repo({path: data.decode() for path, data in right.items()})
    mine, quick, at = Store.open(folder), 0, AT
    memory = memory_of(mine)
    check_working(mine, memory, at=at)
    for _ in range(12):
        blobs = dict(right)
        for _ in range(chance.choice([0, 1, 1, 2])):
            change = chance.choice([some_rule, some_rule, some_change])(chance, blobs)
            blobs = {path: data for path, data in {**blobs, **change}.items() if data is not None}
        at += timedelta(hours=chance.choice([0, 1, 30, 24 * 40]))
        for path in {*right, *blobs}:
            if blobs.get(path) != right.get(path):
                (folder / path).unlink(missing_ok=True)
                if path in blobs:
                    (folder / path).write_bytes(blobs[path])
        full.clear()
        said = check_working(mine, memory, at=at)
        quick += not full
        assert said == everything(Files(None, None, dict(sorted(blobs.items()))), at)
        for path in {*right, *blobs}:
            if blobs.get(path) != right.get(path):
                (folder / path).unlink(missing_ok=True)
                if path in right:
                    (folder / path).write_bytes(right[path])
    assert quick > 3


CASED = ("rules/escalation/fault-handling", "rules/fixtures/")


def test_a_record_that_nobody_names_goes_and_a_mistake_is_put_right_without_a_check_of_everything(
    git_repo: GitRepo, reads: list[int]
) -> None:
    twin = "records/customers/second-bank.yaml"
    folder = git_repo({path: data.decode() for path, data in after(ALL["a second customer"]).items()})
    mine = Store.open(folder)
    memory = memory_of(mine)
    first = check_working(mine, memory, at=AT)
    assert len(reads) == 1
    whole = (folder / twin).read_bytes()

    (folder / twin).unlink()
    assert check_working(mine, memory, at=AT) == replace(first, records=first.records - 1)
    (folder / twin).write_bytes(whole)
    assert check_working(mine, memory, at=AT) == first
    assert len(reads) == 1

    (folder / twin).write_bytes(whole.replace(b"unit: ", b"unit: no-"))
    assert [one.code for one in check_working(mine, memory, at=AT).findings] == ["unknown-reference"]
    assert len(check_working(mine, memory, at=AT).findings) == 1
    (folder / twin).write_bytes(whole)
    assert check_working(mine, memory, at=AT) == first and len(reads) == 1


def test_what_is_remembered_speaks_both_languages() -> None:
    known = Known.of_bytes(remembered()["verdict on a tree"])
    assert known is not None
    hint = say("common.did-you-mean", name="甲")
    said = say("common.error", message=say("change.email-of-several", email="a@b.example", people=["one", "two"]))
    told = finding("not-unique", said, Place("records/x.yaml", 2, 3), hint=hint)

    again = Known.of_bytes(replace(known, parts={**known.parts, RECORDS: Part((told,))}).to_bytes())

    assert again is not None and again.verdict.findings == (told,)
    (one,) = again.verdict.findings
    for language in ("en", "zh"):
        assert [spoken(text, language) for text in (one.message, one.hint)] == [
            spoken(text, language) for text in (said, hint)
        ]
