"""What the doctor finds in a repository, what it puts right, and what it leaves alone; and who applies in turn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import AT, GitRepo, be, git, write_files
from test_changing import BANK, BASE, applied
from test_outputs import problems

from remit.changing.proposing import propose_files
from remit.changing.reviewing import approve
from remit.changing.targets import REVIEWS
from remit.errors import Refused
from remit.git import Repository
from remit.locking import alone
from remit.main import main
from remit.mending import LEFT_BEHIND, examine, mend
from remit.store import Store

MAIN = "refs/heads/main"
OLD = AT - 2 * LEFT_BEHIND


@pytest.fixture
def lone(git_repo: GitRepo) -> Store:
    return Store.open(git_repo(BASE))


def left(store: Store, path: str, *, age: timedelta = 2 * LEFT_BEHIND) -> Path:
    """A file that somebody left in the repository so long ago."""
    file = store.root / ".git" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    stamp = (AT - age).timestamp()
    os.utime(file, (stamp, stamp))
    return file


def found(store: Store) -> list[tuple[str, str]]:
    return [(one.what, one.place) for one in examine(store, now=AT)]


def test_nothing_is_wrong_with_a_sound_repository(lone: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert found(lone) == []
    assert main(["--store", str(lone.root), "doctor"]) == 0
    assert capsys.readouterr().out.endswith(": nothing wrong\n")


LEFT = {
    "HEAD.lock": "stale-lock",
    "index.lock": "stale-lock",
    "packed-refs.lock": "stale-lock",
    "refs/heads/main.lock": "stale-lock",
    "refs/remit/reviews/c-1/bob-sun.lock": "stale-lock",
    "objects/ab/tmp_obj_xyz": "left-behind",
    "objects/pack/tmp_pack_xyz": "left-behind",
}


@pytest.mark.parametrize("path", LEFT)
def test_what_a_dead_process_left_is_found_and_removed(lone: Store, path: str) -> None:
    file = left(lone, path)

    assert found(lone) == [(LEFT[path], path)]
    assert file.exists()
    assert [one.done for one in mend(lone, now=AT)] == ["removed"]
    assert not file.exists() and found(lone) == []


def test_what_is_young_or_in_use_is_left_alone(lone: Store) -> None:
    young = left(lone, "index.lock", age=LEFT_BEHIND / 2)
    used = left(lone, "HEAD.lock")

    with used.open("rb"):
        assert mend(lone, now=AT) == []

    assert young.exists() and used.exists()
    assert found(lone) == [("stale-lock", "HEAD.lock")]


def test_a_lock_that_another_process_has_open_is_left_alone(lone: Store) -> None:
    lock = left(lone, "HEAD.lock")
    words = f"import sys; f = open({str(lock)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        assert mend(lone, now=AT) == []
        process.stdin.close()
        process.wait()

    assert [one.done for one in mend(lone, now=AT)] == ["removed"]


def test_the_objects_of_a_push_that_never_ended_are_removed_with_their_folder(lone: Store) -> None:
    folder = lone.root / ".git/objects/tmp_objdir-incoming-abc"
    (folder / "ab").mkdir(parents=True)
    (folder / "ab" / "cd").write_bytes(b"x")
    os.utime(folder, (OLD.timestamp(), OLD.timestamp()))

    assert [one.done for one in mend(lone, now=AT)] == ["removed"]
    assert not folder.exists()


@pytest.mark.parametrize("broken", [b"", b"\0" * 41, b"1234\n", b"not a name\n"])
def test_a_ref_that_was_cut_short_goes_back_to_what_its_log_says(lone: Store, broken: bytes) -> None:
    tip = git(lone.root, "rev-parse", "main")
    ref = lone.root / ".git" / MAIN
    ref.write_bytes(broken)

    assert ("broken-ref", MAIN) in found(lone)
    assert [one.done for one in mend(lone, now=AT) if one.trouble.what == "broken-ref"] == [
        f"put back to {tip[:12]}, as its log says; what stood there is in remit/mended/{MAIN}"
    ]
    assert git(lone.root, "rev-parse", "main") == tip and found(lone) == []
    assert (lone.root / ".git/remit/mended" / MAIN).read_bytes() == broken


def test_a_ref_that_vanished_from_the_packed_ones_goes_back_to_what_its_log_says(lone: Store) -> None:
    """git knows no checksum of packed-refs: one turned bit of a name, and what somebody said is gone without a word."""
    change = propose_files(lone, {BANK: b"grade: group\n"}, "x", at=AT)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    ref = f"{REVIEWS}{change.id}/bob-sun"
    said = git(lone.root, "rev-parse", ref)
    git(lone.root, "pack-refs", "--all")
    packed = lone.root / ".git/packed-refs"
    packed.write_bytes(packed.read_bytes().replace(b"/bob-sun", b"/bob-sun-"))

    assert ("lost-ref", ref) in found(lone)
    assert f"put back to {said[:12]}, as its log says" in [one.done for one in mend(lone, now=AT)]
    assert git(lone.root, "rev-parse", ref) == said and found(lone) == []


def test_a_broken_ref_without_a_log_is_kept_aside(lone: Store) -> None:
    ref = lone.root / ".git/refs/heads/side"
    ref.write_bytes(b"")

    assert [one.done for one in mend(lone, now=AT) if one.done] == [
        "moved to remit/mended/refs/heads/side; its log names no commit to put it back to"
    ]
    assert not ref.exists() and found(lone) == []


def test_a_bare_repository_whose_branch_is_broken_is_examined_and_mended(lone: Store, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(lone.root), str(bare))
    tip = git(bare, "rev-parse", "main")
    log = bare / "logs" / MAIN
    log.parent.mkdir(parents=True)
    log.write_text(f"{'0' * 40} {tip} A <a@example.org> 1 +0000\tpush\n")
    (bare / MAIN).write_bytes(b"")
    (bare / "packed-refs").unlink()

    assert main(["--store", str(bare), "doctor"]) == 1
    main(["--store", str(bare), "doctor", "--repair"])
    assert git(bare, "rev-parse", "main") == tip


def _lose_blob(store: Store) -> str:
    oid = git(store.root, "rev-parse", f"main:{BANK}")
    (store.root / ".git/objects" / oid[:2] / oid[2:]).unlink()
    return "objects"


def _set(key: str, value: str) -> Callable[[Store], str]:
    def change(store: Store) -> str:
        git(store.root, "config", key, value)
        return f"config {key.lower()}"

    return change


def _write(path: str, text: str) -> Callable[[Store], str]:
    def change(store: Store) -> str:
        write_files(store.root / ".git", {path: text})
        return path

    return change


def _replace(store: Store) -> str:
    git(store.root, "replace", f"main:{BANK}", "main:README.md")
    return git(store.root, "for-each-ref", "--format=%(refname)", "refs/replace")


REPORTED: dict[str, tuple[str, Callable[[Store], str]]] = {
    "an object is missing": ("damaged", _lose_blob),
    "a file-system monitor": ("setting", _set("core.fsmonitor", "touch pwned")),
    "hooks from elsewhere": ("setting", _set("core.hooksPath", "/tmp/hooks")),
    "a signing program": ("setting", _set("gpg.ssh.program", "touch pwned")),
    "a filter": ("setting", _set("filter.x.clean", "touch pwned")),
    "a short command": ("setting", _set("alias.st", "!touch pwned")),
    "another ssh": ("setting", _set("core.sshCommand", "touch pwned")),
    "a helper for passwords": ("setting", _set("credential.helper", "!touch pwned")),
    "settings from elsewhere": ("setting", _set("include.path", "/tmp/more")),
    "another address": ("setting", _set("url.https://evil.invalid/.insteadOf", "https://")),
    "grafts": ("odd-source", _write("info/grafts", "")),
    "attributes": ("odd-source", _write("info/attributes", "*.yaml -diff\n")),
    "a replaced object": ("odd-source", _replace),
}


@pytest.mark.parametrize("name", REPORTED)
def test_what_needs_somebodys_choice_is_reported_and_left_alone(lone: Store, name: str) -> None:
    what, change = REPORTED[name]
    place = change(lone)

    assert (what, place) in found(lone)
    assert not any(one.done for one in mend(lone, now=AT))
    assert (what, place) in found(lone) and not (lone.root / "pwned").exists()


def test_histories_that_parted_are_shown_with_the_place_where_they_did(lone: Store) -> None:
    fork = git(lone.root, "rev-parse", "main")
    ours, theirs = (git(lone.root, "commit-tree", f"{fork}^{{tree}}", "-p", fork, "-m", words) for words in ("a", "b"))
    git(lone.root, "update-ref", MAIN, ours)
    git(lone.root, "update-ref", "refs/remotes/origin/main", theirs)
    git(lone.root, "update-ref", "refs/remit/verified/main", fork)

    (one,) = examine(lone, now=AT)

    assert (one.what, one.place, one.mendable) == ("diverged", MAIN, False)
    assert all(sha[:12] in one.message for sha in (fork, ours, theirs))


def test_the_command_writes_nothing_until_it_is_asked_to(lone: Store, capsys: pytest.CaptureFixture[str]) -> None:
    lock = left(lone, "index.lock")
    git(lone.root, "config", "core.fsmonitor", "touch \x1b[2J pwned")
    command = ["--store", str(lone.root), "doctor", "--at", AT.isoformat()]

    assert main(command) == 1
    text = capsys.readouterr().out
    assert lock.exists() and not (lone.root / ".git/remit").exists()
    assert "index.lock  stale-lock: " in text and "2 things wrong" in text and "\x1b" not in text
    assert main([*command, "--repair", "--format", "json"]) == 1
    body = json.loads(capsys.readouterr().out)
    assert problems("doctor", body) == []
    assert [(row["place"], row["done"]) for row in body["troubles"]] == [
        ("index.lock", "removed"),
        ("config core.fsmonitor", ""),
    ]


# -- one at a time -----------------------------------------------------------------------------------------------------


def test_those_who_apply_at_the_same_time_do_so_in_turn(lone: Store) -> None:
    changes = []
    for number in range(6):
        be(lone.root, "ann-lee")
        change = propose_files(lone, {f"records/customers/c{number}.yaml": b"grade: local\n"}, f"Add {number}", at=AT)
        be(lone.root, "bob-sun")
        approve(lone, change.id, at=AT)
        changes.append(change.id)

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda id: applied(Store.open(lone.root), id), changes))

    assert len({one.commit for one in done}) == 6
    assert len(git(lone.root, "rev-list", "--first-parent", "main").splitlines()) == 7


def test_a_lock_that_is_never_let_go_is_named_with_its_holder(lone: Store) -> None:
    with (
        alone(lone.in_git()),
        pytest.raises(Refused, match=f"process {os.getpid()}"),
        alone(lone.in_git(), seconds=0.1),
    ):
        pass

    with alone(lone.in_git(), seconds=0):
        pass


def test_a_process_that_is_killed_lets_go_of_the_lock(lone: Store) -> None:
    words = (
        "import sys; from pathlib import Path; from remit.git import Repository; from remit.locking import alone\n"
        f"with alone(Repository(Path({str(lone.root)!r}))): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(Refused, match=f"process {process.pid}"), alone(lone.in_git(), seconds=0):
            pass
        process.kill()

    with alone(lone.in_git(), seconds=5):
        pass


def test_the_worktrees_of_a_repository_share_one_lock(lone: Store, tmp_path: Path) -> None:
    git(lone.root, "worktree", "add", "--quiet", "--detach", str(tmp_path / "other"))

    with alone(lone.in_git()), pytest.raises(Refused), alone(Repository(tmp_path / "other"), seconds=0):
        pass
    shutil.rmtree(tmp_path / "other")
