"""Proposing on a forge: a merge request is asked for where that is heard, and its page is named where it is known."""

from __future__ import annotations

from pathlib import Path

import pytest
import test_change_commands as changing
from approval_store import texts
from conftest import GitRepo, git

from remit.changing.merge_requests import page_of

NEW = "https://gitlab.example.org/a/b/store/-/merge_requests/new"


@pytest.fixture
def origin(git_repo: GitRepo, git_clone: GitRepo) -> Path:
    """An origin whose hook writes down what it was told with a push."""
    origin = git_clone(git_repo(texts(), "seed"), "origin.git", bare=True)
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_[0-9] | sort > told\nexit 0\n", encoding="utf-8")
    hook.chmod(0o755)
    return origin


@pytest.mark.parametrize("listens", [True, False])
def test_a_merge_request_is_asked_for_where_push_options_are_heard(
    listens: bool, origin: Path, git_clone: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    git(origin, "config", "receive.advertisePushOptions", str(listens).lower())
    ann = changing.User(git_clone(origin, "ann", "ann-lee"), capsys)
    changing.raise_grade(ann)

    id = ann.propose("评定为A级\n\n按年度收入。")

    told = (origin / "told").read_text(encoding="utf-8").splitlines()
    options = ["merge_request.create", "merge_request.target=main", "merge_request.title=评定为A级"]
    assert told == ([f"GIT_PUSH_OPTION_{n}={one}" for n, one in enumerate(options)] if listens else [])
    assert git(origin, "rev-parse", f"change/{id}")


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("git@github.com:o/store.git", "https://github.com/o/store/compare/main...change/c-1?expand=1"),
        ("https://github.com/o/store", "https://github.com/o/store/compare/main...change/c-1?expand=1"),
        (
            "ssh://git@gitlab.example.org:2222/a/b/store.git",
            f"{NEW}?merge_request[source_branch]=change%2Fc-1&merge_request[target_branch]=main",
        ),
        ("/srv/git/origin.git", ""),
        ("file:///srv/git/origin.git", ""),
        ("https://evilgithub.com/o/store", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_page_of_a_merge_request_is_known_for_two_forges(address: str, page: str) -> None:
    assert page_of(address, "change/c-1", "main") == page
