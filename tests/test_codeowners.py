"""The approval policies as CODEOWNERS: who owns what, what a forge cannot know, and what it must never open."""

from __future__ import annotations

from pathlib import Path

import pytest
from approval_store import path_of, text_of, texts
from conftest import GitRepo, write_files

from remit.main import main

BANK, PORT = path_of("Customer", "harbour-bank"), path_of("Customer", "port")


def exported(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    arguments = ["--store", str(folder), "export", "codeowners", "--at", "2026-10-15T16:00:00+08:00", *options]
    assert main(arguments) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def owners(text: str, path: str) -> set[str]:
    """Whom a forge asks about a file: the people of the last line that matches it."""
    last: list[str] = []
    for line in text.splitlines():
        pattern, *people = line.split() or [""]
        if pattern.startswith("/") and (
            pattern == f"/{path}" or (pattern[-1] == "/" and f"/{path}".startswith(pattern))
        ):
            last = people
    return {person.partition("@")[0] for person in last}


@pytest.fixture
def folder(git_repo: GitRepo) -> Path:
    bank = text_of(
        "Customer", "harbour-bank", {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "eve-li"}}
    )
    port = text_of("Customer", "port", {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "ann-lee"}})
    return git_repo({**texts(), **bank, **port})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("rules/approval/control.yaml", {"dan-wu", "bob-sun"}),
        ("remit.yaml", {"dan-wu", "bob-sun"}),
        ("schemas/kinds/Person.schema.json", {"dan-wu", "bob-sun"}),
        ("records/people/ann-lee.yaml", {"dan-wu"}),
        ("records/people/not-yet-there.yaml", {"dan-wu"}),
        # grade: owner; key account: its cce and the desk; anything else: who is responsible for its unit
        (BANK, {"bob-sun", "cai-yu", "eve-li", "gus-he"}),
        (PORT, {"bob-sun", "cai-yu", "ann-lee", "gus-he"}),
        ("README.md", set()),
    ],
)
def test_everybody_who_could_approve_a_change_of_a_file_owns_it(
    path: str, expected: set[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert owners(exported(folder, capsys), path) == expected


def test_a_kind_without_records_is_owned_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert owners(exported(folder, capsys), "records/agreements/first.yaml") == {"hal-xu"}


def test_what_a_forge_cannot_know_is_said_in_both_languages(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    english, chinese = (exported(folder, capsys, "--language", language) for language in ("en", "zh"))

    assert "#   control/grade (Customer): fields /spec/customerGrade\n" in english
    assert "#   control/key-account: 1 cce + 1 service\n" in english
    assert "#   control/grade (Customer): 字段 /spec/customerGrade\n" in chinese
    lines = [[line for line in text.splitlines() if not line.startswith("#")] for text in (english, chinese)]
    assert lines[0] == lines[1]


def test_a_rule_about_many_files_counts_for_each_and_frees_none(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = "    - name: many\n      change: {kinds: [Site], atLeast: 3}\n      approvers: [{role: policy}]\n  default:"
    files = texts()
    path = next(path for path in files if path.endswith("control.yaml"))
    few = git_repo({**files, **text_of("Site", "n", {})}, "few")
    many = git_repo({**files, path: files[path].replace("  default:", rule), **text_of("Site", "n", {})}, "many")

    english, chinese = (exported(many, capsys, "--language", language) for language in ("en", "zh"))

    note = next(iter(text_of("Site", "n", {})))
    assert owners(exported(few, capsys), note) < owners(english, note)
    assert "#   control/many (Site): 3 files or more in one change\n" in english
    assert "#   control/many (Site): 同一变更涉及 3 个或更多文件\n" in chinese


def test_nobody_with_an_e_mail_means_a_comment_and_never_a_free_path(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(folder, text_of("Person", "dan-wu", {"department": "south", "contact": {"phone": "0900-1"}}))

    text = exported(folder, capsys)

    assert "# /records/people/: nobody whom a forge can ask\n" in text
    assert "#   dan-wu\n" in text
    assert owners(text, "remit.yaml") == {"bob-sun"}
    assert all(len(line.split()) > 1 for line in text.splitlines() if line.startswith("/"))


def test_the_file_is_the_same_each_time_and_begins_at_the_top_of_the_repository(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = git_repo({f"ops/{path}": text for path, text in texts().items()})
    out = folder / ".github" / "CODEOWNERS"

    text = exported(folder / "ops", capsys)
    assert exported(folder / "ops", capsys, "--out", str(out)) == ""

    assert out.read_text(encoding="utf-8") == text
    assert owners(text, "ops/remit.yaml") == {"dan-wu", "bob-sun"}


def test_a_policy_that_cannot_be_read_stops_the_export(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = (folder / "rules/approval/control.yaml").read_text(encoding="utf-8")
    write_files(folder, {"rules/approval/control.yaml": rules.replace("kinds: [Customer]", "kinds: [Custommer]")})

    assert main(["--store", str(folder), "export", "codeowners"]) == 2
    assert "Only 0 of 1 approval policies can be read." in capsys.readouterr().err
