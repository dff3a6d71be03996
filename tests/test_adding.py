"""What a change adds is the same whether both sides are checked whole or from what is remembered of the store."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from functools import cache

import pytest
from conftest import GitRepo, commit_all
from test_nearby import AT, WANG, Changed, after, store
from test_rechecking import ALL, HOSPITAL

from remit.adding import added_by
from remit.apart import commit_and_working_tree
from remit.comparing import differences
from remit.evaluating import load
from remit.findings import Finding, has_errors
from remit.judging import added_findings
from remit.rechecking import check_working
from remit.remembering import memory_of
from remit.store import Files, Store
from remit.yamltext import Edit, edit

JUDGING = ["yaml", "jsonschema_rs", "jsonschema", "cel_expr_python", "durable_rules_engine", "jinja2"]
POLICY = "rules/warning/visit-cycle.yaml"


SOME: dict[str, Changed] = {
    name: ALL[name]
    for name in (
        "nothing wrong",
        "a reference to nobody",
        "a field that is none",
        "a record that others name is gone",
        "a person who has left",
        "a number that is another's",
        "a file that is no YAML",
        "a state that may not follow",
        "a customer whom nobody serves",
        "a second customer with a mistake",
    )
} | {"a policy about nothing": {POLICY: edit(store()[POLICY], [Edit(("spec", "when"), "subject.nothing == 1")])}}


@cache
def whole(name: str) -> tuple[Finding, ...]:
    return added_findings(Files(None, None, store()), Files(None, None, after(SOME[name])), at=AT)


@pytest.fixture
def repo(git_repo: GitRepo) -> Store:
    folder = git_repo({path: data.decode() for path, data in store().items()})
    commit_all(folder)
    return Store.open(folder)


@pytest.mark.slow
def test_what_a_change_adds_is_what_checking_both_sides_whole_tells_apart(repo: Store) -> None:
    base, wrong = repo.files("HEAD"), 0
    tree = repo.in_git().tree_of("HEAD")
    for name, changed in SOME.items():
        result = repo.files_of(repo.in_git().commit_with(tree, changed))
        # The second time both sides are remembered.
        told = [added_by(repo, base, result, at=AT) for _ in range(2)]

        assert told == [whole(name)] * 2, name
        wrong += has_errors(told[0])
    assert wrong > len(SOME) / 2


def test_a_review_reads_few_of_the_records_once_the_store_is_known(
    repo: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = repo.files("HEAD")
    changed = ALL["nothing wrong"]
    result = repo.files_of(repo.in_git().commit_with(repo.in_git().tree_of("HEAD"), changed))
    assert added_by(repo, base, result, at=AT) == ()
    again = Store.open(repo.root)
    sizes = []
    monkeypatch.setattr("remit.adding.load", lambda files: sizes.append(len(files.blobs)) or load(files))

    added_by(again, again.files("HEAD"), again.files_of(result.blobs.tree), at=AT)  # type: ignore[attr-defined]

    assert len(sizes) == 2
    assert max(sizes) < len(store()) / 2


@pytest.mark.parametrize("checked", [False, True], ids=["never checked", "checked before"])
def test_what_the_working_tree_changes_is_told_as_if_both_were_read_whole(repo: Store, checked: bool) -> None:
    if checked:
        check_working(repo, memory_of(repo), at=AT)
    root = repo.root
    (root / "records/customers/notes.txt").write_text("x")
    (root / HOSPITAL).rename(root / "records/customers/first-hospital.yaml")
    for path, data in after(ALL["a reference to nobody"] | ALL["a record that others name is gone"]).items():
        if data != store()[path]:
            (root / path).write_bytes(data)
    (root / WANG).unlink()

    found = differences(*commit_and_working_tree(Store.open(root), "HEAD"))

    assert found == differences(repo.files("HEAD"), Store.open(root).files())
    assert {one.change for one in found} == {"added", "changed", "removed"}


@pytest.mark.parametrize(("command", "needed"), [("check", []), ("diff", ["yaml", "jsonschema_rs"])])
def test_where_nothing_changed_nothing_is_imported_that_judges(repo: Store, command: str, needed: list[str]) -> None:
    check_working(repo, memory_of(repo), at=datetime.now(UTC))
    script = (
        "import sys; from remit.main import main; main(sys.argv[1:]);"
        f"print([name for name in {JUDGING!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script, command], cwd=repo.root, capture_output=True, text=True)

    assert done.stdout.splitlines()[-1] == str(needed), done.stderr
