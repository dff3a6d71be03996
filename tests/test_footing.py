"""What is told of files without reading them is what reading them tells."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import GitRepo, commit_all, git

from remit.footing import NO_MARKS, Footing, Irregular, Now, blob_id, footing_of, look, witnessed
from remit.git import Marks
from remit.store import FOLDERS, Store

FILES = {"remit.yaml": "name: x\n", "records/customers/bank.yaml": "a: 1\n", "records/customers/shop.yaml": "a: 2\n"}
FILES |= {"rules/deep/er/one.yaml": "b: 1\n", "schemas/one.json": "{}\n", "notes.txt": "no file of the store\n"}
BANK = "records/customers/bank.yaml"
LATER = time.time_ns() + 10**15
"""All marks are believed: the tests see to it that a change leaves others."""

Change = Callable[[Path], object]


def read(store: Store, before: int = LATER) -> Footing:
    """The files of a store as reading gives them."""
    files = store.files()
    ids = {path: blob_id(data) for path, data in files.blobs.items()}
    folders = dict.fromkeys(FOLDERS, NO_MARKS) | {p[:-1]: m for p, m in files.marks.items() if p.endswith("/")}
    return witnessed(store, footing_of(ids, files.marks, folders), before)[0]


def pause() -> None:
    """Longer than the clock of a file system, and than the second by which git compares."""
    time.sleep(1.1)


def text(content: str, path: str = BANK) -> Change:
    return lambda folder: (folder / path).write_text(content)


def replaced(folder: Path) -> None:
    (folder / "draft").write_text("a: 7\n")
    (folder / "draft").replace(folder / BANK)


def under_the_same_time(folder: Path) -> None:
    was = (folder / BANK).stat()
    (folder / BANK).write_text("a: 9\n")
    os.utime(folder / BANK, ns=(was.st_atime_ns, was.st_mtime_ns))


def ignored(folder: Path) -> None:
    (folder / ".gitignore").write_text("*\n")
    (folder / "rules/new.yaml").write_text("x")


def new_folder(folder: Path) -> None:
    (folder / "records/sites/deep").mkdir(parents=True)
    (folder / "records/sites/deep/here.yaml").write_text("c: 1\n")


def folder_gone(folder: Path) -> None:
    (folder / "rules/deep/er/one.yaml").unlink()
    (folder / "rules/deep/er").rmdir()


def folder_for_file(folder: Path) -> None:
    (folder / BANK).unlink()
    (folder / BANK).mkdir()


def unseen_by_git(*flags: str) -> Change:
    def change(folder: Path) -> None:
        git(folder, "update-index", *flags, BANK)
        (folder / BANK).write_text("a: 8\n")

    return change


def other_line_ends(folder: Path) -> None:
    """What git calls clean, with other bytes."""
    git(folder, "config", "core.autocrlf", "true")
    (folder / BANK).unlink()
    git(folder, "checkout", "--", BANK)
    assert (folder / BANK).read_bytes() == b"a: 1\r\n" and git(folder, "status", "--porcelain") == ""


CHANGES: dict[str, Change] = {
    "nothing": lambda folder: None,
    "an edit": text("a: 10\n"),
    "an edit of the same size": text("a: 3\n"),
    "an edit under the same time": under_the_same_time,
    "another file in its place": replaced,
    "a new file": text("new: 1\n", "records/customers/new.yaml"),
    "a new file that git ignores": ignored,
    "a file of no interest": text("x", "notes.txt"),
    "a hidden file": text("x", "records/.hidden"),
    "a file gone": lambda folder: (folder / BANK).unlink(),
    "new folders": new_folder,
    "a folder gone": folder_gone,
    "a folder for a file": folder_for_file,
    "settings gone": lambda folder: (folder / "remit.yaml").unlink(),
    "an edit that is staged": lambda folder: (text("a: 4\n")(folder), git(folder, "add", "-A")),
    "an edit that is committed": lambda folder: (text("a: 4\n")(folder), commit_all(folder)),
    "a branch of one commit less": lambda folder: git(folder, "checkout", "-q", "HEAD~1"),
    "an edit that git shall not see": unseen_by_git("--assume-unchanged"),
    "an edit outside a sparse checkout": unseen_by_git("--skip-worktree"),
    "other line ends": other_line_ends,
    "an index of version 4": lambda folder: (git(folder, "update-index", "--index-version=4"), text("a: 5\n")(folder)),
    "a split index": lambda folder: (git(folder, "update-index", "--split-index"), text("a: 5\n")(folder)),
    "an index that is damaged": lambda folder: (text("a: 5\n")(folder), (folder / ".git/index").write_bytes(b"DIRC")),
    "no index": lambda folder: (text("a: 5\n")(folder), (folder / ".git/index").unlink()),
}  # fmt: skip


@pytest.fixture
def store(git_repo: GitRepo) -> Store:
    folder = git_repo({**FILES, BANK: "a: 0\n"})
    (folder / BANK).write_text("a: 1\n")
    commit_all(folder)
    return Store.open(folder)


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_touched_is_what_reading_finds(store: Store, name: str) -> None:
    before = read(store)
    pause()
    CHANGES[name](store.root)

    if "damaged" in name:
        sight = look(store, Footing(**{**vars(before), "index": NO_MARKS}), LATER)
    else:
        sight = look(store, before, LATER)

    now = {path: blob_id(data) for path, data in store.files().blobs.items()}
    assert sight.footing.ids() == now
    assert {p: n and n.oid for p, n in sight.touched.items()} == {
        path: now.get(path) for path in {*now, *before.ids()} if now.get(path) != before.ids().get(path)
    }
    again = look(store, sight.footing, LATER)
    assert not again.touched and again.footing == sight.footing


def test_an_index_that_was_not_touched_speaks_for_the_files(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(store)
    pause()
    (store.root / BANK).write_text("a: 6\n")
    asked: list[str] = []
    real = os.lstat
    monkeypatch.setattr(
        os, "lstat", lambda path: (asked.append(str(path).removeprefix(f"{store.root}/")), real(path))[1]
    )

    assert set(look(store, before, LATER).touched) == {BANK}

    assert before.loose == frozenset()
    assert {path for path in asked if path.endswith((".yaml", ".json"))} == {BANK, "remit.yaml"}


def test_marks_that_are_too_fresh_are_not_believed(store: Store) -> None:
    before = read(store, before=0)
    known = footing_of(before.ids(), dict.fromkeys(before.all(), NO_MARKS), dict.fromkeys(before.folders, NO_MARKS))

    sight = look(store, known, 0)

    assert not sight.touched and sight.footing.index == NO_MARKS
    assert all(sight.footing.marks_at(path) == NO_MARKS for path in known.all())


@pytest.mark.parametrize("path", [BANK, "records/customers", "schemas", "remit.yaml", "records/new.yaml"])
def test_a_link_is_left_to_whoever_reads_everything(store: Store, path: str) -> None:
    before = read(store)
    pause()
    target = store.root / path
    if target.exists():
        target.rename(store.root / "elsewhere")
    target.symlink_to("elsewhere")

    with pytest.raises(Irregular):
        look(store, before, LATER)


def test_a_store_in_a_folder_of_a_repository_is_looked_at_alone(git_repo: GitRepo) -> None:
    folder = git_repo({f"ops/{path}": content for path, content in FILES.items()} | {"records/other.yaml": "x: 1\n"})
    store = Store.open(folder / "ops")
    before = read(store)
    pause()
    (folder / "records/other.yaml").write_text("x: 2\n")
    (folder / "ops" / BANK).write_text("a: 6\n")

    sight = look(store, before, LATER)

    assert set(sight.touched) == {BANK} and before.index != NO_MARKS and before.loose == frozenset()


def test_a_footing_of_many_changes_is_that_of_its_files() -> None:
    chance = random.Random(5)
    ids: dict[str, str] = {}
    footing = footing_of(ids, {}, {})
    for number in range(300):
        name = f"records/{chance.choice('abcä')}{chance.choice(['', '/', '-', '0'])}{chance.randrange(20)}.yaml"
        data = f"{number}".encode()
        gone = name in ids and chance.random() < 0.4
        now = None if gone else Now(blob_id(data), Marks(number, number, 1, 1), data)
        footing = footing.with_files({name: now})
        ids = {path: oid for path, oid in {**ids, name: now.oid if now else ""}.items() if oid}

        assert footing.ids() == ids and len(footing) == len(ids)
        assert footing.oid(name) == (now.oid if now else None)
        assert footing.marks_at(name) == (now.marks if now else NO_MARKS)
        below = sorted((path for path in ids if path.startswith("records/a/")), key=os.fsencode)
        assert footing.below("records/a") == below
