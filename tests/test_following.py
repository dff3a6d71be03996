"""Follow-up records are proposed as a change, once, and never written silently."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import be, commit_all, git
from worlds import record_text, small_world, world_files

from remit.main import main

FOLLOW = {
    "subject": "Customer",
    "when": "has(subject.key) && subject.key",
    "levels": [
        {
            "name": "visit",
            "create": {
                "kind": "Ticket",
                "title": {"en": "Look in", "zh": "上门看看"},
                "set": {
                    "customer": {"from": "subject.id"},
                    "openedAt": {"from": "decision.at"},
                    "text": {"value": "上门"},
                    "other": {"role": "ceA", "of": "subject"},
                    "flag": {"from": "subject.key"},
                },
            },
        }
    ],
}
AT = "2026-10-15T10:00:00+08:00"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    files = world_files({"rules/warning/follow.yaml": record_text("WarningPolicy", "follow", FOLLOW)})
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    git(tmp_path, "init", "--quiet", "-b", "main")
    be(tmp_path, "ann")
    commit_all(tmp_path, "first")
    return tmp_path


def evaluate(store: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["--store", str(store), "evaluate", "--at", AT, "--propose"]) == 0
    return capsys.readouterr().err


def test_a_follow_up_becomes_a_change_that_waits_for_review(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = git(store, "rev-parse", "main"), git(store, "status", "--porcelain")

    said = evaluate(store, capsys)

    assert "new  records/tickets/ticket-" in said and "remit review c-" in said
    assert (git(store, "rev-parse", "main"), git(store, "status", "--porcelain")) == before
    (branch,) = git(store, "for-each-ref", "--format=%(refname)", "refs/heads/change/").split()
    path = git(store, "diff", "--name-only", "main", branch)
    text = git(store, "show", f"{branch}:{path}")
    assert "customer: bank" in text and "other: ann" in text and "上门" in text and "flag: true" in text


def test_asking_twice_proposes_once(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(store, capsys)

    said = evaluate(store, capsys)

    assert "1 follow-up proposed or applied before" in said and "no new follow-up" in said
    assert len(git(store, "for-each-ref", "refs/heads/change/").splitlines()) == 1


def test_a_follow_up_that_was_applied_is_not_proposed_again(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(store, capsys)
    (branch,) = git(store, "for-each-ref", "--format=%(refname)", "refs/heads/change/").split()
    git(store, "merge", "--quiet", "--ff-only", branch)
    git(store, "update-ref", "-d", branch)

    assert "no new follow-up" in evaluate(store, capsys)


@pytest.mark.parametrize(
    ("create", "code"),
    [
        ({"kind": "Tickt", "set": {"x": {"value": 1}}}, "unknown-kind"),
        ({"kind": "Ticket", "set": {"customer": {"from": "subject.id"}}}, "missing-field"),
        (
            {
                "kind": "Ticket",
                "set": {
                    "customer": {"from": "subject.id"},
                    "openedAt": {"from": "decision.at"},
                    "txt": {"value": "x"},
                },
            },
            "condition-unknown-field",
        ),
        (
            {"kind": "Ticket", "set": {"customer": {"from": "subject.nme"}, "openedAt": {"from": "decision.at"}}},
            "condition-unknown-field",
        ),
    ],
)
def test_a_follow_up_that_cannot_be_is_found_when_policies_are_checked(create: dict[str, object], code: str) -> None:
    spec = {"subject": "Customer", "levels": [{"name": "x", "create": create}]}

    found = small_world({"rules/warning/f.yaml": record_text("WarningPolicy", "f", spec)}).policies.findings

    assert code in {f.code for f in found}
