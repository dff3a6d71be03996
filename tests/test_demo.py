"""The demonstration, run as a newcomer runs it, to its end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import git

from remit.main import main


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_demonstration_ends_with_a_change_that_was_applied(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"

    code = main(["demo", "--keep", str(folder), "--language", language])
    said = capsys.readouterr().out

    assert code == 0, said
    typed = re.findall(r"^\$ remit (\w+)", said, re.MULTILINE)
    assert typed == [
        *["check", "facts", "evaluate", "forecast", "explain", "assess", "explain"],
        *["set", "propose", "review", "apply", "approve", "approve", "apply", "log", "explain"],
    ]
    assert "lh-20261015-001" in said and "harbor-bank" in said
    assert git(folder, "rev-list", "--count", "main") == "2"
    assert "Remit-Approval" in git(folder, "log", "-1", "--format=%B", "main")
    assert "ceB: lu-yang" in git(folder, "show", "main:records/customers/nanhai-university.yaml")
    assert git(folder, "status", "--porcelain") == ""


def test_a_directory_that_is_taken_is_refused_before_anything_happens(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")

    assert main(["demo", "--keep", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
