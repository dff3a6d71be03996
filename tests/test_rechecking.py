"""What is remembered never changes what is found: each answer is held to a check of everything."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from conftest import GitRepo, be, commit_all
from test_nearby import AT, BANK, CHANGES, Changed, after, copied, edited, store, unique

from remit import checking, rechecking
from remit.evaluating import load
from remit.rechecking import Verdict, recheck
from remit.remembering import Memory, memory_of
from remit.store import Files, Store
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
QUICK = {
    *["nothing wrong", "a customer is closed", "another engineer", "a second customer", "a comment"],
    *["two edited at once", "nothing", "a node without its site", "a service of its own"],
}
"""What is answered without a check of everything."""

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
    recheck(Files(None, None, store()), NOWHERE, memory, at=AT)
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

    def counted(files: Files, feeds: object = ()) -> object:
        seen.append(len(files.blobs))
        return load(files)

    monkeypatch.setattr(rechecking, "load", counted)
    return seen


@pytest.mark.parametrize("name", ALL)
def test_after_a_change_the_findings_are_those_of_a_check_of_everything(name: str, reads: list[int]) -> None:
    files = Files(None, None, dict(sorted(after(ALL[name]).items())))
    memory = Kept(dict(remembered()))

    said = recheck(files, NOWHERE, memory, at=AT)

    assert (not reads) == (name in QUICK)
    assert said == everything(files)
    assert recheck(files, NOWHERE, memory, at=AT) == said
    assert len(reads) == (name not in QUICK)


def test_a_chain_of_quick_answers_ends_where_a_check_of_everything_does(reads: list[int]) -> None:
    memory = Kept(dict(remembered()))
    blobs = store()
    for name in ("a second customer", "two edited at once", "a comment", "nothing wrong"):
        blobs = {**blobs, **{path: data for path, data in ALL[name].items() if data is not None}}
        recheck(Files(None, None, blobs), NOWHERE, memory, at=AT)
    assert not reads

    broken = {**blobs, **{p: d for p, d in ALL["a reference to nobody"].items() if d is not None}}

    assert recheck(Files(None, None, blobs), NOWHERE, memory, at=AT) == everything(Files(None, None, blobs))
    assert recheck(Files(None, None, broken), NOWHERE, memory, at=AT) == everything(Files(None, None, broken))
    assert len(reads) == 1


def test_a_verdict_holds_for_its_day_and_no_longer(reads: list[int]) -> None:
    files, memory = Files(None, None, store()), Kept(dict(remembered()))

    for hours in (0, 1, -9):
        recheck(files, NOWHERE, memory, at=AT + timedelta(hours=hours))
    assert not reads
    recheck(files, NOWHERE, memory, at=AT + timedelta(days=1))
    assert len(reads) == 1


def test_somebody_who_goes_on_leave_in_the_course_of_a_day_ends_the_verdict(reads: list[int]) -> None:
    person = next(path for path in store() if path.startswith("records/people/"))
    leave = [{"from": "2026-10-15T12:00:00+08:00", "to": "2026-10-15T15:00:00+08:00", "reason": "x"}]
    del leave[0]["reason"]
    files, memory = Files(None, None, after(edited(person, Edit(("spec", "leave"), leave)))), Kept({})

    for hour in range(8, 18):
        at = AT + timedelta(hours=hour - 10)
        assert recheck(files, NOWHERE, memory, at=at) == everything(files, at)
    assert len(reads) == 3


@pytest.mark.parametrize("entry", [b"", b"{}", b"\n", b"0" * 64 + b"\n{}"], ids=["empty", "none", "unnamed", "another"])
def test_what_another_program_kept_is_not_believed(entry: bytes, reads: list[int]) -> None:
    memory = Kept(dict.fromkeys(remembered(), entry))

    recheck(Files(None, None, store()), NOWHERE, memory, at=AT)

    assert len(reads) == 1 and memory.entries == remembered()


def test_a_commit_is_remembered_beside_the_working_tree(git_repo: GitRepo, reads: list[int]) -> None:
    folder = git_repo({path: data.decode() for path, data in store().items()})
    mine = Store.open(folder)
    memory = memory_of(mine)
    assert memory is not None

    said = [recheck(mine.files(ref), folder, memory_of(mine), at=AT) for ref in ("HEAD", None, "HEAD", None)]

    assert len(reads) == 2 and said == [said[0]] * 4
    be(folder, "ann-lee")
    (folder / BANK).write_bytes((folder / BANK).read_bytes() + b"# seen\n")
    commit_all(folder)
    assert recheck(mine.files("HEAD"), folder, memory, at=AT) == said[0] and len(reads) == 2
