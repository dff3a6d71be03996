"""Objects asked of one git that stays, and trees of which only what differs is parsed, against git's own answers."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import be, commit_all, git, write_files
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.errors import GitError
from remit.git import Repository, running
from remit.git.entries import differing, parse

GitRepo = Callable[..., Path]

Names = st.text(alphabet="ab-.0", min_size=1, max_size=3)
Kinds = st.sampled_from(["100644", "100755", "120000", "40000"])
Entries = st.dictionaries(Names, st.tuples(Kinds, st.binary(min_size=20, max_size=20)))


def raw(entries: dict[str, tuple[str, bytes]]) -> bytes:
    """A tree as git writes it."""
    order = sorted(entries, key=lambda name: f"{name}/" if entries[name][0] == "40000" else name)
    return b"".join(f"{entries[name][0]} {name}".encode() + b"\0" + entries[name][1] for name in order)


@settings(max_examples=400, deadline=None)
@given(old=Entries, edits=Entries, gone=st.sets(Names))
def test_a_tree_much_like_another_is_parsed_to_what_it_is_alone(
    old: dict[str, tuple[str, bytes]], edits: dict[str, tuple[str, bytes]], gone: set[str]
) -> None:
    new = {name: entry for name, entry in (old | edits).items() if name not in gone}
    before, alone = parse(raw(old), 20), parse(raw(new), 20)

    after = parse(raw(new), 20, before)

    assert (list(after.starts), after.odd, after.inner) == (list(alone.starts), alone.odd, alone.inner)
    assert {name: entry.oid for name, entry in after} == {name: oid.hex() for name, (_, oid) in new.items()}
    assert after.odd == sum(mode == "120000" for mode, _ in new.values())
    assert after.inner == len(after.folders) == sum(mode == "40000" for mode, _ in new.values())
    assert all(after.get(name) == dict(alone).get(name) for name in (*old, *edits))
    ours, theirs = dict(before), dict(alone)
    names = {name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)}
    wanted = {name: (ours.get(name), theirs.get(name)) for name in names}
    assert {name: (one, other) for name, one, other in differing(before, after)} == wanted


@pytest.mark.parametrize(
    "data",
    [
        b"100644 b\0" + b"1" * 20 + b"100644 a\0" + b"2" * 20,
        b"100644 a\0" + b"1" * 20 + b"100644 a\0" + b"2" * 20,
        b"100644 a\0" + b"1" * 19,
        b"100644 a/b\0" + b"1" * 20,
        b"banana\0" + b"1" * 20,
        b"100644 a\0" + b"1" * 20 + b"\n",
    ],
)
def test_a_tree_that_is_not_in_order_or_not_written_as_one_is_refused(data: bytes) -> None:
    known = parse(b"100644 a\0" + b"1" * 20, 20)

    for like in (None, known):
        with pytest.raises(GitError, match="a tree is not"):
            parse(data, 20, like)


STEPS: list[dict[str, str | None]] = [
    {"a.txt": "1", "folder/b.txt": "2", "folder/inner/c.txt": "3", "海港/银行.yaml": "4", "folder.txt": "5"},
    {"folder/b.txt": "other"},
    {"a.txt": None, "a.txt/now/a/folder": "6"},
    {"folder/inner/c.txt": None, "folder-beside": "7"},
    {"a.txt/now/a/folder": None, "a.txt": "8", "folder/b.txt": None},
]


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_listings_and_differences_are_those_of_git(tmp_path: Path, home: None, kind: str) -> None:
    git(tmp_path, "init", "--quiet", f"--object-format={kind}", "--initial-branch=main")
    be(tmp_path, "ann-lee")
    commits = []
    for step in STEPS:
        for path in (path for path, text in step.items() if text is None):
            (tmp_path / path).unlink()
            for folder in list((tmp_path / path).parents)[: path.count("/")]:
                if not any(folder.iterdir()):
                    folder.rmdir()
        write_files(tmp_path, {path: text for path, text in step.items() if text is not None})
        commits.append(commit_all(tmp_path))
    (tmp_path / "link").symlink_to("folder.txt")
    (tmp_path / "folder.txt").chmod(0o755)
    git(tmp_path, "add", "--all")
    git(tmp_path, "update-index", "--add", "--cacheinfo", f"160000,{commits[0]},submodule")
    git(tmp_path, "commit", "--quiet", "-m", "odd")
    commits.append(git(tmp_path, "rev-parse", "HEAD"))
    repository = Repository(tmp_path)

    for commit in commits:
        rows = git(tmp_path, "-c", "core.quotePath=false", "ls-tree", "-r", "--full-tree", commit).splitlines()
        listed = {row.partition("\t")[2]: (row.split()[0], row.split()[2]) for row in rows}
        assert repository.list_tree(commit) == listed and list(repository.list_tree(commit)) == list(listed)
        assert {path: repository.entry(commit, path) for path in listed} == listed
        assert repository.entry(commit, "folder/no") is None and repository.entry(commit, "folder.txt/no") is None
        assert repository.has_odd(repository.tree_of(commit)) == (commit == commits[-1])
    for one in commits:
        for other in commits:
            said = git(tmp_path, "-c", "core.quotePath=false", "diff-tree", "-r", "--no-abbrev", one, other)
            rows = [row.removeprefix(":").replace("\t", " ").split(" ") for row in said.splitlines()]
            zero = repository.zero
            told = [
                (status, path, None if old == zero else old, None if new == zero else new, mode)
                for _, mode, old, new, status, path in rows
            ]
            assert repository.changed_paths(one, other) == sorted(told, key=lambda row: row[1])


def test_a_part_of_a_tree_is_listed_by_folders_and_files(git_repo: GitRepo) -> None:
    repository = Repository(git_repo({"a": "1", "b/c": "2", "b/d/e": "3", "bb": "4"}))

    assert list(repository.list_tree("HEAD", ["b/", "a", "none", "a/none"])) == ["a", "b/c", "b/d/e"]
    assert list(repository.list_tree("HEAD", ["b/d"])) == ["b/d/e"]


def standing(repository: Repository) -> int:
    """The process of the git that stays."""
    repository.sizes([repository.zero])
    return int(repository._objects._process.pid)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_git_answers_every_question_about_objects_and_ends_with_the_repository(git_repo: GitRepo) -> None:
    repository = Repository(git_repo({"a": "1"}))
    oid = repository.list_tree("HEAD")["a"].oid

    pid = standing(repository)
    assert repository.read_blobs([oid]) == {oid: b"1"} and standing(repository) == pid
    del repository
    gc.collect()

    assert not is_there(pid)


def test_a_git_that_died_is_replaced(git_repo: GitRepo) -> None:
    repository = Repository(git_repo({"a": "1"}))
    oid, pid = repository.list_tree("HEAD")["a"].oid, standing(repository)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)

    assert repository.read_blobs([oid]) == {oid: b"1"}
    assert standing(repository) != pid


def test_a_git_that_hangs_is_stopped_and_replaced(git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(git_repo({"a": "1"}))
    oid, pid = repository.list_tree("HEAD")["a"].oid, standing(repository)
    os.kill(pid, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(running, "LOCAL_SECONDS", 0.3)
        patch.setattr(running, "_STOP_SECONDS", 0.1)
        with pytest.raises(GitError, match=r"within 0\.3 seconds"):
            repository.read_blobs([oid])

    assert not is_there(pid)
    assert repository.read_blobs([oid]) == {oid: b"1"}


def test_a_git_that_says_too_much_is_stopped(git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(git_repo({"big": "x" * 5000, "small": "x"}))
    oids = {path: entry.oid for path, entry in repository.list_tree("HEAD").items()}
    monkeypatch.setattr(running, "OUTPUT_BYTES", 4000)

    assert repository.read_blobs([oids["small"]]) == {oids["small"]: b"x"}
    with pytest.raises(GitError, match="more than 4000 bytes"):
        repository.read_blobs([oids["big"]])


def test_many_questions_with_many_answers_go_both_ways_at_once(git_repo: GitRepo) -> None:
    repository = Repository(git_repo({"a": "x" * 2_000_000, "b": "y"}))
    oids = {path: entry.oid for path, entry in repository.list_tree("HEAD").items()}

    found = repository._objects.contents([*[oids["b"]] * 30_000, oids["a"], repository.zero])

    assert [one and len(one.data) for one in found] == [1] * 30_000 + [2_000_000, None]


def test_a_fork_starts_its_own_git_and_leaves_its_parents(git_repo: GitRepo) -> None:
    repository = Repository(git_repo({"a": "1"}))
    oid, pid = repository.list_tree("HEAD")["a"].oid, standing(repository)

    child = os.fork()
    if child == 0:
        same = standing(repository) == pid
        repository._objects.close()
        os._exit(int(same))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert repository.read_blobs([oid]) == {oid: b"1"} and standing(repository) == pid


def test_what_was_written_after_the_first_question_is_found(git_repo: GitRepo) -> None:
    repo = git_repo({"a": "1"})
    repository = Repository(repo)
    later = repository.blob_id(b"later")

    assert repository.find_blobs([later]) == {}
    repository.write_blob(b"later")
    git(repo, "repack", "-adq")
    assert repository.find_blobs([later]) == {later: b"later"}
