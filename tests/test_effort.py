"""What one change costs does not grow with the store: git processes and objects are counted, not seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import AT, commit_all, git

from remit import judging
from remit.changes import Person, Touched, manifest
from remit.changing.applying import apply
from remit.changing.proposing import propose
from remit.errors import InvalidStore
from remit.footing import FRESH
from remit.git import objects, opened, running
from remit.judging import PolicyJudge, result_check
from remit.pack import pack_files
from remit.rechecking import check_working
from remit.remembering import memory_of
from remit.store import Store

BANK = "records/customers/harbour-bank.yaml"
MOST = {"propose": 11, "apply": 13}


class Effort(NamedTuple):
    """What a step asked for."""

    gits: tuple[str, ...]
    objects: int


class Counting:
    """Counts what is asked of git."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gits: list[str] = []
        self.objects = 0
        start, ask = running._started, objects.Objects._asked

        def started(folder: Path, args: Any, *rest: Any, **kwargs: Any) -> Any:
            self.gits.append(next(word for word in args if not word.startswith("-") and "=" not in word))
            return start(folder, args, *rest, **kwargs)

        def asked(one: objects.Objects, command: str, names: Any, **kwargs: Any) -> Any:
            self.objects += len(names)
            return ask(one, command, names, **kwargs)

        monkeypatch.setattr(running, "_started", started)
        monkeypatch.setattr(objects.Objects, "_asked", asked)
        assert opened.run is running.run

    def of(self, work: Callable[[], Any]) -> tuple[Any, Effort]:
        self.gits, self.objects = [], 0
        return work(), Effort(tuple(self.gits), self.objects)


def grown(folder: Path, customers: int) -> Path:
    """The example with so many customers more, committed, in which nobody has to approve."""
    files = pack_files()
    for number in range(customers):
        name = f"customer-{number:05}"
        files[f"records/customers/{name}.yaml"] = files[BANK].replace(b"name: harbour-bank", f"name: {name}".encode())
    for path, data in files.items():
        if not path.startswith("rules/approval/"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "chen-jing")
    git(folder, "config", "user.email", "chen-jing@southbay.example.invalid")
    commit_all(folder)
    return folder


def edited(root: Path) -> None:
    path = root / BANK
    path.write_bytes(path.read_bytes().replace(b"importanceScore: 92", b"importanceScore: 91"))


def added(root: Path) -> None:
    (root / "records/customers/one-more.yaml").write_bytes(
        (root / BANK).read_bytes().replace(b"name: harbour-bank", b"name: one-more")
    )


def efforts(root: Path, counting: Counting, at: datetime) -> dict[str, Effort]:
    """What proposing and applying what differs in the working tree asks for."""
    time.sleep(FRESH / 1e9 + 0.2)  # marks younger than that are not believed, and everything is looked at
    store = Store.open(root)
    assert not check_working(store, memory_of(store), at=at).findings
    change, proposing = counting.of(lambda: propose(Store.open(root), "One record", at=at))
    store = Store.open(root)
    done, applying = counting.of(
        lambda: apply(store, change.id, at=at, judge=PolicyJudge(at), check=result_check(store, at=at))
    )
    assert done.commit == git(root, "rev-parse", "main") and git(root, "status", "--porcelain") == ""
    return {"propose": proposing, "apply": applying}


def test_proposing_and_applying_ask_for_as_much_in_a_store_ten_times_as_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(monkeypatch)
    found = {}
    for customers in (0, 300, 3000):  # the first reads what a process reads once: people and schemas
        root = grown(tmp_path / str(customers), customers)
        for number, change in enumerate((edited, added)):
            change(root)
            found[customers, change] = efforts(root, counting, AT + timedelta(hours=number))

    for change in (edited, added):
        assert found[300, change] == found[3000, change]
        assert all(len(effort.gits) <= MOST[step] for step, effort in found[300, change].items())


REQUEST = "records/extension-requests/so-20260910-01-first.yaml"
WAYS = {
    "an edit": (BANK, b"importanceScore: 92", b"importanceScore: 91", ()),
    "a value out of range": (BANK, b"importanceScore: 92", b"importanceScore: 192", ("schema-violation",)),
    "a state back to the beginning": (REQUEST, b"status: ", b"status: drafting #", ("forbidden-transition",)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_result_is_found_to_be_as_wrong_from_what_is_known_as_from_everything(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, old, new, codes = WAYS[way]
    root = grown(tmp_path, 0)
    store = Store.open(root)
    assert old in (root / path).read_bytes()
    (root / path).write_bytes((root / path).read_bytes().replace(old, new))
    check_working(store, memory_of(store), at=AT)
    commit = commit_all(root)

    found = result_check(store, at=AT)(store.files_of(commit, commit))
    monkeypatch.setattr(judging, "is_right", lambda *asked: False)

    errors = [one for one in result_check(store, at=AT)(store.files_of(commit, commit)) if one.severity == "error"]
    assert [one for one in found if one.severity == "error"] == errors
    assert tuple(one.code for one in errors) == codes


def test_where_no_policy_asks_nobody_is_looked_up_and_what_cannot_be_read_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = grown(tmp_path, 0)
    store, head = Store.open(root), git(root, "rev-parse", "HEAD")
    files, author = store.files_of(head), Person("x", "x@example.org", "")
    monkeypatch.setattr(judging, "_ground", lambda *asked: pytest.fail("people were read"))

    assert PolicyJudge(AT)(files, files, manifest([Touched(BANK, "1" * 40, "2" * 40)]), author) == ()
    assert PolicyJudge(AT).emergency(files, files, manifest([Touched(BANK, "1" * 40, "2" * 40)]), author) == ()
    (root / "schemas/kinds/Customer.schema.json").write_text("{")
    broken = store.files_of(commit_all(root))
    with pytest.raises(InvalidStore, match="who must approve cannot be read"):
        PolicyJudge(AT)(broken, broken, manifest([Touched(BANK, "1" * 40, "2" * 40)]), author)
