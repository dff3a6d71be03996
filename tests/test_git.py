"""The git floor against real git: what it reads, what it writes, and what it never runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from conftest import AT, GitRepo, commit_all, git, write_files

from remit.errors import GitError, NotFound, Refused
from remit.git import Commit, Identity, RefMoved, Repository, opened, remotes, running

ANN = Identity("Ann Lee", "ann-lee@example.org")
ZH = "records/客户/海港银行.yaml"


def test_find_gives_none_outside_of_a_repository(tmp_path: Path) -> None:
    assert Repository.find(tmp_path) is None


def test_find_looks_upwards(git_repo: GitRepo) -> None:
    repo = git_repo({"a/b/c.txt": "x"})

    found = Repository.find(repo / "a" / "b")

    assert found is not None and found.top == repo.resolve() and not found.is_bare and not found.is_shallow


def test_head_tells_unborn_branch_and_detached_apart(git_repo: GitRepo) -> None:
    repo = git_repo()
    assert Repository(repo).head() == ("main", None)

    sha = commit_all(repo)
    assert Repository(repo).head() == ("main", sha)

    git(repo, "checkout", "--quiet", "--detach")
    assert Repository(repo).head() == (None, sha)


@pytest.mark.parametrize("name", ["nowhere", "--output=pwned", "-h", "", "HEAD:a.txt", "main\nmain", "@{99}", "a..b"])
def test_resolve_refuses_what_is_not_a_commit(git_repo: GitRepo, name: str) -> None:
    repo = git_repo({"a.txt": "x"})

    with pytest.raises(NotFound):
        Repository(repo).resolve(name)

    assert sorted(path.name for path in repo.iterdir()) == [".git", "a.txt"]


def test_resolve_in_an_unborn_repository_says_that_there_is_no_commit(git_repo: GitRepo) -> None:
    with pytest.raises(NotFound, match="no commit yet"):
        Repository(git_repo()).resolve("HEAD")


def bomb(repo: Path, entry: str, *, times: int, levels: int) -> str:
    """A tree of ``times`` entries that are each a tree of as many, ``levels`` deep, down to one blob."""
    inside, kind = entry, "100644 blob"
    for _ in range(levels):
        rows = "".join(f"{kind} {inside}\t{number:03}\n" for number in range(times))
        done = subprocess.run(["git", "mktree"], cwd=repo, input=rows.encode(), capture_output=True, check=True)
        inside, kind = done.stdout.decode().strip(), "040000 tree"
    return inside


@pytest.mark.parametrize(
    ("times", "levels", "says"),
    [(10, 2, ""), (10, 4, "more than 101 paths"), (10, 9, "more than 101 paths"), (1, 11, "folders more than 9 deep")],
)
def test_what_would_be_endless_to_list_is_counted_tree_by_tree(
    git_repo: GitRepo, times: int, levels: int, says: str
) -> None:
    repo = git_repo({"a.txt": "x"})
    tree = bomb(repo, git(repo, "rev-parse", "HEAD:a.txt"), times=times, levels=levels)

    why = Repository(repo).why_too_large("HEAD", tree, most=101, deepest=9)

    assert why.endswith(says) and bool(why) == bool(says)


def test_what_never_changes_is_read_once_and_what_may_move_each_time(
    git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = git_repo({"a.txt": "one"})
    repository, oid = Repository(repo), git(repo, "rev-parse", "HEAD:a.txt")
    assert repository.read_blobs([oid, "main:a.txt"]) == {oid: b"one", "main:a.txt": b"one"}
    first = repository.commit("main")
    write_files(repo, {"a.txt": "two"})
    later = commit_all(repo)
    asked: list[bytes] = []
    run = opened.run
    monkeypatch.setattr(opened, "run", lambda *args, **kwargs: asked.append(kwargs["stdin"]) or run(*args, **kwargs))

    assert repository.read_blobs([oid]) == {oid: b"one"} and repository.sizes([oid]) == {oid: 3}
    assert repository.commit(first.sha) == first and repository.tree_of(first.sha) == first.tree
    assert asked == []
    assert repository.read_blobs(["main:a.txt"]) == {"main:a.txt": b"two"}
    assert repository.commit("main").sha == later and repository.root_commit(later) == first.sha


def test_only_so_much_of_what_was_read_is_kept(git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "REMEMBERED_BYTES", 10)
    repo = git_repo({"a.txt": "12345678", "b.txt": "87654321"})
    repository, oids = Repository(repo), git(repo, "rev-parse", "HEAD:a.txt", "HEAD:b.txt").split()

    assert len(repository.read_blobs(oids)) == 2
    assert len(repository._read) == 1
    assert len(repository.read_blobs(oids)) == 2


def test_a_bomb_of_ten_thousand_million_files_is_counted_in_no_time(git_repo: GitRepo) -> None:
    repo = git_repo({"a.txt": "x"})
    tree = bomb(repo, git(repo, "rev-parse", "HEAD:a.txt"), times=10, levels=10)
    started = time.monotonic()

    assert Repository(repo).why_too_large("HEAD", tree, most=100_000, deepest=12) == "it touches more than 100000 paths"
    assert time.monotonic() - started < 5


def test_listing_and_contents_keep_chinese_paths_and_every_byte(git_repo: GitRepo) -> None:
    repo = git_repo({ZH: "名称: 海港银行\n", "empty.txt": "", "z.txt": "no line end"})
    repository = Repository(repo)

    listing = repository.list_tree("HEAD")
    blobs = repository.read_blobs(entry.oid for entry in listing.values())

    assert list(listing) == ["empty.txt", ZH, "z.txt"]
    assert blobs[listing[ZH].oid] == "名称: 海港银行\n".encode()
    assert blobs[listing["empty.txt"].oid] == b"" and blobs[listing["z.txt"].oid] == b"no line end"
    assert list(repository.list_tree("HEAD", ["records"])) == [ZH]


def test_reading_a_missing_object_is_an_error_that_names_it(git_repo: GitRepo) -> None:
    with pytest.raises(GitError, match="b" * 40):
        Repository(git_repo({"a": "x"})).read_blobs(["b" * 40])


def test_blob_ids_are_those_of_git(git_repo: GitRepo) -> None:
    repository = Repository(git_repo())
    many = [b"", b"one\n", bytes(range(256)), "中文".encode()]

    assert repository.write_blobs(many) == [repository.blob_id(data) for data in many]


def test_commit_with_builds_the_tree_that_git_add_would(git_repo: GitRepo) -> None:
    repo = git_repo({"a/one.txt": "1", "a/b/two.txt": "2", "c/three.txt": "3", "top.txt": "t"})
    repository = Repository(repo)
    base = repository.tree_of("HEAD")
    before = git(repo, "status", "--porcelain")

    built = repository.commit_with(
        base, {"a/one.txt": b"1+", "a/b/two.txt": None, "c/three.txt": None, ZH: b"new", "a/d/e/f.txt": b"deep"}
    )

    assert git(repo, "status", "--porcelain") == before == ""
    for gone in ("a/b/two.txt", "c/three.txt"):
        (repo / gone).unlink()
    write_files(repo, {"a/one.txt": "1+", ZH: "new", "a/d/e/f.txt": "deep"})
    git(repo, "add", "--all", ".")
    assert built == git(repo, "write-tree")


def test_commit_with_starts_from_nothing_and_may_end_with_nothing(git_repo: GitRepo) -> None:
    repository = Repository(git_repo())

    tree = repository.commit_with(None, {"x/y": b"1"})

    assert list(repository.list_tree(tree)) == ["x/y"]
    assert repository.list_tree(repository.commit_with(tree, {"x/y": None})) == {}


def test_commit_with_replaces_a_file_by_a_folder_and_back(git_repo: GitRepo) -> None:
    repository = Repository(git_repo())
    tree = repository.commit_with(None, {"a": b"file"})

    folder = repository.commit_with(tree, {"a": None, "a/b": b"inside"})
    back = repository.commit_with(folder, {"a/b": None, "a": b"file"})

    assert list(repository.list_tree(folder)) == ["a/b"]
    assert back == tree


def test_a_tree_is_the_one_that_git_writes(git_repo: GitRepo) -> None:
    files = {"b": "1", "a.b": "2", "a0/x": "3", "a/x": "4", "静/文.yaml": "5", "z/y/x": "6", "a-/b": "7"}
    repo = git_repo(files)
    repository = Repository(repo)

    assert repository.commit_with(None, {path: text.encode() for path, text in files.items()}) == git(
        repo, "rev-parse", "HEAD^{tree}"
    )


def test_a_tree_is_not_written_around_a_blob_that_is_not_there(git_repo: GitRepo) -> None:
    repository = Repository(git_repo({"a/b": "1"}))
    tree = repository.tree_of(repository.resolve("HEAD"))

    with pytest.raises(GitError, match="is missing"):
        repository.tree_with(tree, {"a/c": "12" * 20})
    with pytest.raises(GitError, match="is missing"):
        repository.tree_with(tree, {"a/c": tree})


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".git/config", "a/.GIT/x", "a/./b", "a\nb", ""])
def test_a_tree_never_holds_a_path_that_leaves_it(git_repo: GitRepo, path: str) -> None:
    with pytest.raises(GitError, match="not a path"):
        Repository(git_repo()).commit_with(None, {path: b"x"})


def test_commits_keep_people_times_zones_and_chinese_messages(git_repo: GitRepo) -> None:
    repo = git_repo({"a": "1"})
    repository = Repository(repo)
    first = repository.resolve("HEAD")
    zone = timezone(timedelta(hours=8))
    author, committer = Identity("王磊", "wang-lei@example.org"), ANN
    when, authored = datetime(2026, 10, 15, 9, 30, tzinfo=zone), datetime(2026, 10, 14, 9, 30, tzinfo=zone)

    tree = repository.commit_with(repository.tree_of(first), {"a": b"2"})
    sha = repository.commit_tree(tree, [first], "修改等级\n\n原因", author, committer, when, authored=authored)

    assert repository.commit(sha) == Commit(
        sha, tree, (first,), "王磊", "wang-lei@example.org", authored, "修改等级\n\n原因", *committer, when
    )
    assert repository.commit(sha).when.utcoffset() == timedelta(hours=8)
    assert repository.head().commit == first


def test_update_ref_moves_only_from_the_value_named(git_repo: GitRepo) -> None:
    repo = git_repo({"a": "1"})
    repository = Repository(repo)
    first, second = repository.resolve("HEAD"), commit_all(repo)

    repository.update_ref("refs/heads/x", first, repository.zero)
    with pytest.raises(RefMoved):
        repository.update_ref("refs/heads/x", second, repository.zero)
    with pytest.raises(RefMoved, match=first[:12]):
        repository.update_ref("refs/heads/x", second, second[::-1])
    assert repository.refs("refs/heads/") == {"refs/heads/main": second, "refs/heads/x": first}

    repository.update_ref("refs/heads/x", second, first)
    with pytest.raises(RefMoved):
        repository.delete_ref("refs/heads/x", first)
    repository.delete_ref("refs/heads/x", second)
    assert repository.ref("refs/heads/x") is None


@pytest.mark.parametrize(
    "ref", ["refs/heads/../../x", "HEAD", "heads/x", "refs/heads/-x y", "refs/heads/a.lock", "refs//x", ""]
)
def test_only_full_and_plain_ref_names_are_written(git_repo: GitRepo, ref: str) -> None:
    repository = Repository(git_repo({"a": "1"}))

    with pytest.raises(GitError, match="not the name of a ref"):
        repository.update_ref(ref, repository.resolve("HEAD"), repository.zero)


def test_changed_paths_are_sorted_and_know_additions_and_removals(git_repo: GitRepo) -> None:
    repo = git_repo({"b": "same", "a": "1", "gone": "g"})
    (repo / "gone").unlink()
    write_files(repo, {"a": "2", ZH: "new"})
    commit_all(repo)
    repository = Repository(repo)

    changed = repository.changed_paths("HEAD~1", "HEAD")

    assert [(c.status, c.path) for c in changed] == [("M", "a"), ("D", "gone"), ("A", ZH)]
    assert changed[0].old == repository.blob_id(b"1") and changed[0].new == repository.blob_id(b"2")
    assert changed[1].new is None and changed[2].old is None


def test_log_follows_paths_limits_and_exclusions(git_repo: GitRepo) -> None:
    repo = git_repo({"a": "1", "[b]": "1"})
    write_files(repo, {"[b]": "2"})
    second = commit_all(repo, "second")
    write_files(repo, {"a": "3"})
    third = commit_all(repo, "third")
    repository = Repository(repo)

    assert [c.sha for c in repository.log("main", ["[b]"])] == [second, repository.root_commit()]
    assert [c.sha for c in repository.log("main", limit=1)] == [third]
    assert [c.message for c in repository.log("main", exclude=[second])] == ["third\n"]
    assert repository.is_ancestor(second, third) and not repository.is_ancestor(third, second)
    assert repository.merge_base(second, third) == second


def test_identity_is_never_guessed(git_repo: GitRepo) -> None:
    repo = git_repo({"a": "1"})
    assert Repository(repo).identity() == ANN

    git(repo, "config", "--unset", "user.email")
    assert Repository(repo).identity() is None


def test_environment_of_the_caller_does_not_choose_the_repository(
    git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = git_repo({"mine": "1"}, "mine"), git_repo({"other": "1"}, "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git" / "objects"))

    assert list(Repository(mine).list_tree("HEAD")) == ["mine"]


def test_replace_refs_do_not_change_what_is_read(git_repo: GitRepo) -> None:
    repo = git_repo({"a": "true"})
    lie = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=repo, input=b"lie", capture_output=True, check=True
    )
    repository = Repository(repo)
    git(repo, "replace", "-f", repository.blob_id(b"true"), lie.stdout.decode().strip())

    assert repository.read_blobs(["HEAD:a"]) == {"HEAD:a": b"true"}


def test_shallow_clone_and_bare_repository_are_known_as_such(git_repo: GitRepo, git_clone: GitRepo) -> None:
    repo = git_repo({"a": "1"})
    commit_all(repo)

    shallow, bare = Repository(git_clone(repo, "shallow", depth=1)), Repository(git_clone(repo, "bare", bare=True))

    assert shallow.is_shallow and bare.is_bare
    with pytest.raises(Refused, match="shallow"):
        shallow.root_commit()
    assert list(bare.list_tree("HEAD")) == ["a"]


def test_fetch_and_push_move_only_what_holds(git_repo: GitRepo, git_clone: GitRepo) -> None:
    origin = git_clone(git_repo({"a": "1"}), "origin.git", bare=True)
    one, two = Repository(git_clone(origin, "one")), Repository(git_clone(origin, "two"))
    first = one.resolve("HEAD")
    new = one.commit_tree(one.commit_with(one.tree_of(first), {"a": b"2"}), [first], "two", ANN, ANN, AT)
    other = two.commit_tree(two.commit_with(two.tree_of(first), {"a": b"3"}), [first], "three", ANN, ANN, AT)

    one.push(
        "origin", [f"{new}:refs/heads/main", f"{new}:refs/heads/x"], {"refs/heads/main": first, "refs/heads/x": None}
    )
    with pytest.raises(RefMoved):
        two.push(
            "origin",
            [f"{other}:refs/heads/main", f"{other}:refs/heads/y"],
            {"refs/heads/main": first, "refs/heads/y": None},
        )

    assert Repository(origin).refs("refs/heads") == {"refs/heads/main": new, "refs/heads/x": new}
    two.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"])
    assert two.ref("refs/remotes/origin/main") == new
    two.push("origin", [":refs/heads/x"], {"refs/heads/x": new})
    one.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"])
    assert one.ref("refs/remotes/origin/x") is None


def test_push_that_a_hook_of_the_origin_declines_is_refused_in_its_words(git_repo: GitRepo, git_clone: GitRepo) -> None:
    origin = git_clone(git_repo({"a": "1"}), "origin.git", bare=True)
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not before noon >&2\nexit 1\n")
    hook.chmod(0o755)
    repository = Repository(git_clone(origin, "one"))

    with pytest.raises(Refused, match="not before noon"):
        repository.push("origin", [f"{repository.resolve('HEAD')}:refs/heads/x"], {"refs/heads/x": None})


@pytest.mark.parametrize("url", ["ext::sh -c 'touch MARK'", "foo://host/x"])
def test_remote_with_a_command_as_address_is_refused(git_repo: GitRepo, url: str) -> None:
    repo = git_repo({"a": "1"})
    git(repo, "remote", "add", "origin", url.replace("MARK", str(repo / "mark")))

    with pytest.raises(GitError, match="protocol"):
        Repository(repo).fetch("origin", ["refs/heads/main:refs/remotes/origin/main"])

    assert not (repo / "mark").exists()


@pytest.mark.parametrize("key", ["url", "pushurl"])
def test_the_repository_itself_allows_no_protocol(git_repo: GitRepo, git_clone: GitRepo, key: str) -> None:
    repo = git_clone(git_clone(git_repo({"a": "1"}), "origin.git", bare=True), "victim")
    repository, mark = Repository(repo), repo / "mark"
    git(repo, "config", f"remote.origin.{key}", f"ext::sh -c touch% {mark}")
    git(repo, "config", "protocol.ext.allow", "always")

    with pytest.raises(GitError, match="protocol"):
        repository.push("origin", [f"{repository.resolve('HEAD')}:refs/heads/x"], {"refs/heads/x": None})

    assert not mark.exists()


def test_a_push_goes_to_the_address_for_pushes(git_repo: GitRepo, git_clone: GitRepo) -> None:
    origin, other = (git_clone(git_repo({"a": name}, name), f"{name}.git", bare=True) for name in ("one", "two"))
    repo = git_clone(origin, "clone")
    repository, first = Repository(repo), git(repo, "rev-parse", "HEAD")
    git(repo, "config", "remote.origin.pushurl", str(other))

    repository.push("origin", [f"{first}:refs/heads/x"], {"refs/heads/x": None})

    assert Repository(other).ref("refs/heads/x") == first and Repository(origin).ref("refs/heads/x") is None


def test_what_is_not_here_is_not_fetched_while_something_is_sent(
    git_repo: GitRepo, git_clone: GitRepo, tmp_path: Path
) -> None:
    origin = git_clone(git_repo({"a": "1"}), "origin.git", bare=True)
    repo, mark = git_clone(origin, "victim"), tmp_path / "mark"
    repository = Repository(repo)
    sha = repository.commit_tree(repository.commit_with(None, {"b": b"gone"}), [], "x", ANN, ANN, AT)
    gone = repository.blob_id(b"gone")
    (repo / ".git" / "objects" / gone[:2] / gone[2:]).unlink()
    for name, value in {"url": origin, "promisor": "true", "uploadpack": f"touch '{mark}'; git-upload-pack"}.items():
        git(repo, "config", f"remote.evil.{name}", str(value))
    git(repo, "config", "extensions.partialClone", "evil")
    git(repo, "config", "core.repositoryFormatVersion", "1")

    with pytest.raises(GitError):
        repository.push("origin", [f"{sha}:refs/heads/x"], {"refs/heads/x": None})

    assert not mark.exists()


def test_git_is_not_looked_for_in_the_folder_that_it_is_asked_about(
    git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = git_repo({"git": "#!/bin/sh\ntouch mark\n"})
    (repo / "git").chmod(0o755)
    monkeypatch.chdir(repo)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", os.environ["PATH"]]))

    assert Repository(repo).head().branch == "main"
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(GitError, match="not installed"):
        Repository(repo)

    assert not (repo / "mark").exists()


def test_a_variable_that_cannot_be_left_out_stops_git(
    git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, only = git_repo({"a": "1"}), tmp_path / "only-git"
    only.mkdir()
    (only / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(only))
    assert Repository(repo).head().branch == "main"

    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    with pytest.raises(GitError, match="GIT_DIR must not reach git"):
        Repository(repo)


def test_settings_of_the_machine_say_who_writes_and_not_what_is_read(
    git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, machine = git_repo({"a": "1"}), tmp_path / "gitconfig"
    (tmp_path / "hidden").write_text("*\n")
    machine.write_text(
        f"[core]\nexcludesFile = {tmp_path / 'hidden'}\n[user]\nname = Bo Chen\nemail = bo@example.org\n"
    )
    monkeypatch.delenv("GIT_CONFIG_NOSYSTEM")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(machine))
    for key in ("user.name", "user.email"):
        git(repo, "config", "--unset", key)
    write_files(repo, {"new": "x"})

    assert git(repo, "status", "--porcelain") == ""
    assert Repository(repo).status() == [("??", "new")]
    assert Repository(repo).identity() == Identity("Bo Chen", "bo@example.org")


def test_git_does_not_run_for_ever(git_repo: GitRepo) -> None:
    repo = git_repo({"a": "1"})
    os.mkfifo(repo / "pipe")
    began = time.monotonic()

    with pytest.raises(GitError, match=r"within 0\.3 seconds"):
        running.run(repo, ["hash-object", "--no-filters", "--", "pipe"], seconds=0.3)

    assert time.monotonic() - began < running.LOCAL_SECONDS / 10


def test_git_does_not_fill_the_memory(git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(git_repo({"big": "x" * 5000, "small": "x"}))
    monkeypatch.setattr(running, "OUTPUT_BYTES", 4000)

    assert repository.read_blobs(["HEAD:small"]) == {"HEAD:small": b"x"}
    with pytest.raises(GitError, match="more than 4000 bytes"):
        repository.read_blobs(["HEAD:big"])


def test_what_a_remote_says_at_length_is_cut_and_does_not_stop_the_push(
    git_repo: GitRepo, git_clone: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = git_clone(git_repo({"a": "1"}), "origin.git", bare=True)
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nyes 'no, and no again' | head -c 3000000 >&2\n[ -e decline ] && exit 1\nexit 0\n")
    hook.chmod(0o755)
    repository = Repository(git_clone(origin, "one"))
    first = repository.resolve("HEAD")

    repository.push("origin", [f"{first}:refs/heads/x"], {"refs/heads/x": None})
    assert Repository(origin).ref("refs/heads/x") == first

    (origin / "decline").touch()
    with pytest.raises(Refused, match="no, and no again") as refused:
        repository.push("origin", [f"{first}:refs/heads/y"], {"refs/heads/y": None})
    assert len(refused.value.message) < 2_000_000


def test_a_remote_that_does_not_stop_talking_is_left(
    git_repo: GitRepo, git_clone: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = git_clone(git_repo({"a": "1"}), "origin.git", bare=True)
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nyes >&2 & sleep 5; kill $!\n")
    hook.chmod(0o755)
    repository = Repository(git_clone(origin, "one"))
    monkeypatch.setattr(remotes, "NETWORK_SECONDS", 1.0)

    with pytest.raises(GitError, match="within 1 seconds"):
        repository.push("origin", [f"{repository.resolve('HEAD')}:refs/heads/x"], {"refs/heads/x": None})


def test_a_folder_that_is_not_there_is_not_taken_for_another(
    git_repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(git_repo({"a": "1"}))

    with pytest.raises(GitError, match="No such file"):
        Repository(tmp_path / "no" / "such" / "folder")


def test_a_name_with_a_line_end_asks_for_one_object(git_repo: GitRepo) -> None:
    repository = Repository(git_repo({"a": "1", "b": "2"}))

    assert repository.find_blobs(["HEAD:a\nHEAD:b", "HEAD:b"]) == {"HEAD:b": b"2"}
    with pytest.raises(GitError, match="no object"):
        repository.read_blobs(["HEAD:a\nHEAD:b"])


def test_a_repository_below_a_folder_with_a_line_end_is_refused(git_repo: GitRepo) -> None:
    with pytest.raises(GitError, match="line end"):
        Repository(git_repo({"a": "1"}, "two\nlines"))


def test_a_key_of_the_configuration_is_never_an_option(git_repo: GitRepo) -> None:
    repo = git_repo({"a": "1"})

    assert Repository(repo).config("--list") is None


def hostile(repo: Path, mark: Path) -> None:
    """Let every setting of the repository's own configuration that names a program write ``mark``."""
    program = repo / ".git" / "evil.sh"
    program.write_text(f"#!/bin/sh\nps -o args= -p $PPID >> '{mark}'\ncat\n")
    program.chmod(0o755)
    hooks = repo / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-commit", "reference-transaction", "pre-push", "post-index-change", "post-checkout"):
        (hooks / name).write_text(program.read_text())
        (hooks / name).chmod(0o755)
    keys = (
        "core.fsmonitor core.sshCommand core.pager core.editor core.askPass core.alternateRefsCommand diff.external "
        "diff.x.textconv filter.x.clean filter.x.smudge filter.a=b.clean gpg.program gpg.ssh.program "
        "credential.helper uploadpack.packObjectsHook remote.origin.uploadpack remote.origin.receivepack "
        "alias.status alias.rev-parse"
    )
    for key in keys.split():
        git(repo, "config", key, str(program))
    git(repo, "config", "core.hooksPath", str(hooks))
    git(repo, "config", "filter.x.required", "true")
    git(repo, "config", "commit.gpgSign", "true")
    git(repo, "config", "push.gpgSign", "if-asked")
    (repo / ".gitattributes").write_text("* filter=x diff=x\nb filter=a=b\n")


def test_hostile_configuration_runs_nothing(git_repo: GitRepo, git_clone: GitRepo, tmp_path: Path) -> None:
    origin = git_clone(git_repo({"a": "1", "b": "1"}), "origin.git", bare=True)
    repo, mark = git_clone(origin, "victim"), tmp_path / "mark"
    hostile(repo, mark)
    write_files(repo, {"a": "2", "b": "2"})

    mark.unlink(missing_ok=True)  # what the arranging git itself ran
    repository = Repository(repo)
    first = repository.resolve("HEAD")
    assert ("A", "a") not in repository.status() and (" M", "a") in repository.status()
    tree = repository.commit_with(repository.tree_of("HEAD"), {"a": b"2"})
    sha = repository.commit_tree(tree, [first], "x", ANN, ANN, AT)
    repository.update_ref("refs/heads/x", sha, repository.zero)
    repository.changed_paths("HEAD", sha)
    repository.log("HEAD")
    repository.set_index({"a": repository.blob_id(b"2")})
    repository.index(["a", "b"])
    repository.push("origin", [f"{sha}:refs/heads/x"], {"refs/heads/x": None})
    repository.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"])

    assert not mark.exists(), mark.read_text()


def test_index_is_changed_without_touching_files(git_repo: GitRepo) -> None:
    repo = git_repo({"a": "1", "b": "1"})
    repository = Repository(repo)
    (new,) = repository.write_blobs([b"2"])

    repository.set_index({"a": new, "b": None})

    assert repository.index(["a", "b"]) == {"a": new}
    assert (repo / "a").read_text() == "1" and (repo / "b").exists()


def test_a_new_repository_starts_on_the_branch_asked_for(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "新店", "trunk")

    assert repository.head() == ("trunk", None)
    assert repository.identity() is None
