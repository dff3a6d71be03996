"""The store: what belongs to it, from the working tree and from commits, and how it is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import AT, GitRepo, commit_all, git, write_files

from remit.errors import NotAStore, NotFound, Refused
from remit.store import Store, is_store_path

FILES = {
    "remit.yaml": "name: test\n",
    "records/people/wang-lei.yaml": "kind: Person\n",
    "records/customers/海港.yaml": "名称: 海港银行\n",
    "rules/escalation/fault.yaml": "kind: EscalationPolicy\n",
    "schemas/kinds/Person.schema.json": "{}\n",
    "templates/notices/due.j2": "due\n",
}
OTHERS = {
    "README.md": "not the store's\n",
    "cli/x.py": "",
    "records/.hidden": "x",
    "records/.d/x.yaml": "x",
    "rules.txt": "",
}


def texts(store: Store, ref: str | None = None) -> dict[str, str]:
    return {path: data.decode() for path, data in store.files(ref).blobs.items()}


def state(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_store_needs_no_git(tmp_path: Path) -> None:
    write_files(tmp_path, FILES | OTHERS)

    store = Store.open(tmp_path / "records" / "people")

    assert texts(store) == FILES
    assert list(store.files().blobs) == sorted(FILES)
    assert store.files().commit is None and store.repository is None
    with pytest.raises(Refused, match="not in a git repository"):
        store.files("HEAD")


def test_no_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotAStore) as caught:
        Store.open(tmp_path)

    assert "remit init" in caught.value.hint


def test_a_commit_is_read_without_checkout_and_without_a_trace(git_repo: GitRepo) -> None:
    repo = git_repo(FILES | OTHERS)
    first = git(repo, "rev-parse", "HEAD")
    write_files(repo, {"records/people/wang-lei.yaml": "kind: Other\n"})
    store = Store.open(repo)
    before = state(repo)

    files = store.files(first)

    assert texts(store, first) == FILES
    assert files.commit == first and files.date == AT
    assert texts(store)["records/people/wang-lei.yaml"] == "kind: Other\n"
    assert state(repo) == before


@pytest.mark.parametrize("ref", ["HEAD", "main", "v1", "HEAD~0"])
def test_any_name_of_a_commit_will_do(git_repo: GitRepo, ref: str) -> None:
    repo = git_repo(FILES)
    git(repo, "tag", "v1")

    assert texts(Store.open(repo), ref) == FILES


def test_a_store_may_live_in_a_folder_of_a_repository(git_repo: GitRepo) -> None:
    repo = git_repo(
        {f"sub/店/{path}": text for path, text in FILES.items()} | {"remit.txt": "", "records/x.yaml": "no"}
    )

    store = Store.open(repo / "sub" / "店" / "records")

    assert store.prefix == "sub/店/"
    assert texts(store, "HEAD") == texts(store) == FILES


def test_a_bare_repository_is_read_at_its_head_or_at_a_ref(git_repo: GitRepo, git_clone: GitRepo) -> None:
    repo = git_repo(FILES)
    write_files(repo, {"records/people/zhao-min.yaml": "kind: Person\n"})
    commit_all(repo)

    store = Store.open(git_clone(repo, "bare.git", bare=True))

    assert store.is_bare
    assert set(texts(store)) - set(FILES) == {"records/people/zhao-min.yaml"}
    assert texts(store, "HEAD~1") == FILES
    with pytest.raises(Refused, match="bare"):
        store.write("records/x/y.yaml", b"")


def test_unborn_shallow_and_detached_are_told_apart(git_repo: GitRepo, git_clone: GitRepo, tmp_path: Path) -> None:
    unborn = git_repo(name="unborn")
    write_files(unborn, FILES)
    assert texts(Store.open(unborn)) == FILES
    with pytest.raises(NotFound, match="no commit yet"):
        Store.open(unborn).files("HEAD")

    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    with pytest.raises(NotAStore, match="no commit yet"):
        Store.open(tmp_path / "empty.git")

    repo = git_repo(FILES)
    commit_all(repo)
    shallow = Store.open(git_clone(repo, "shallow", depth=1))
    assert texts(shallow, "HEAD") == FILES
    with pytest.raises(NotFound) as caught:
        shallow.files("HEAD~1")
    assert "unshallow" in caught.value.hint

    git(repo, "checkout", "--quiet", "--detach")
    assert texts(Store.open(repo), "HEAD") == FILES


def test_a_revision_before_the_store_was_one_is_refused(git_repo: GitRepo) -> None:
    repo = git_repo({"README.md": "x"})
    write_files(repo, FILES)
    commit_all(repo)

    with pytest.raises(NotAStore, match=r"no remit\.yaml"):
        Store.open(repo).files("HEAD~1")


def test_links_are_reported_and_never_followed(git_repo: GitRepo, tmp_path: Path) -> None:
    write_files(tmp_path, {"secret/x.yaml": "secret"})
    repo = git_repo(FILES)
    (repo / "records" / "people" / "link.yaml").symlink_to(tmp_path / "secret" / "x.yaml")
    (repo / "records" / "folder").symlink_to(tmp_path / "secret")
    commit_all(repo)
    os.mkfifo(repo / "records" / "pipe.yaml")
    store = Store.open(repo)

    working, committed = store.files(), store.files("HEAD")

    assert texts(store) == texts(store, "HEAD") == FILES
    links = ["records/folder", "records/people/link.yaml"]
    assert [f.place.path for f in committed.findings] == links
    assert [f.place.path for f in working.findings] == [*links, "records/pipe.yaml"]
    assert {f.code for f in working.findings} == {"not-a-regular-file"}


def test_a_folder_of_the_store_that_is_a_link_does_not_vanish(git_repo: GitRepo) -> None:
    repo = git_repo(FILES)
    (repo / "records").rename(repo / "elsewhere")
    (repo / "records").symlink_to("elsewhere")
    commit_all(repo)

    for ref in (None, "HEAD"):
        assert [f.place.path for f in Store.open(repo).files(ref).findings] == ["records"]


def test_writing_replaces_the_whole_file_and_leaves_no_rest(git_repo: GitRepo) -> None:
    repo = git_repo(FILES)
    store = Store.open(repo)

    store.write("records/people/wang-lei.yaml", "姓名: 王磊\n".encode())
    store.write("records/new-kind/one.yaml", b"1\n")
    store.remove("templates/notices/due.j2")

    assert texts(store)["records/people/wang-lei.yaml"] == "姓名: 王磊\n"
    assert git(repo, "status", "--porcelain=v1", "--untracked-files=all").splitlines() == [
        " M records/people/wang-lei.yaml",
        " D templates/notices/due.j2",
        "?? records/new-kind/one.yaml",
    ]


def test_a_write_that_fails_leaves_the_old_file(git_repo: GitRepo, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(git_repo(FILES))
    before = state(store.root)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write("records/people/wang-lei.yaml", b"new")

    assert state(store.root) == before


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/etc/passwd",
        "README.md",
        "records",
        "records/../x",
        "records/.git/x",
        "records//x",
        ".git/config",
        "cli/x.py",
        "",
    ],
)
def test_only_paths_of_the_store_are_written(git_repo: GitRepo, path: str) -> None:
    store = Store.open(git_repo(FILES))
    before = state(store.root)

    for act in (lambda: store.write(path, b"x"), lambda: store.remove(path)):
        with pytest.raises(Refused, match="not a path of the store"):
            act()

    assert not is_store_path(path) and state(store.root) == before


def test_writing_through_a_link_is_refused(git_repo: GitRepo, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    store = Store.open(git_repo(FILES))
    (store.root / "records" / "customers2").symlink_to(tmp_path / "outside")
    (store.root / "records" / "file.yaml").symlink_to(tmp_path / "outside" / "f")

    for path in ("records/customers2/x.yaml", "records/file.yaml"):
        with pytest.raises(Refused, match="symbolic link"):
            store.write(path, b"x")

    assert list((tmp_path / "outside").iterdir()) == []


def test_removing_what_is_not_there_says_so(git_repo: GitRepo) -> None:
    with pytest.raises(NotFound, match="nobody"):
        Store.open(git_repo(FILES)).remove("records/people/nobody.yaml")
