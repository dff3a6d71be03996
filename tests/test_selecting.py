"""``remit list --where`` chooses records with the language of the policies, typed all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from worlds import world_files

from remit.main import main


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for path, data in world_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("subject.grade == 'group'", ["Customer/bank"]),
        ("has(subject.score) && subject.score > 90.0", ["Customer/bank"]),
        ("!has(subject.score)", ["Customer/shop"]),
        ("subject.id.startsWith('s')", ["Customer/shop"]),
        ("true", ["Customer/bank", "Customer/shop"]),
        (
            "has(subject.unit.responsiblePerson) && subject.unit.responsiblePerson.id == 'bob'",
            ["Customer/bank", "Customer/shop"],
        ),
    ],
)
def test_a_condition_chooses_records(
    where: str, names: list[str], store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--store", str(store), "list", "Customer", "--where", where, "-o", "names"]) == 0
    assert capsys.readouterr().out.split() == names


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("subject.grad == 'group'", "--where:1:9"),
        ("subject.grade == 'grop'", "group"),
        ("subject.score > 90.0", "has("),
    ],
)
def test_a_misspelt_condition_is_refused_with_its_place(
    where: str, said: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--store", str(store), "list", "Customer", "--where", where]) == 2
    assert said in capsys.readouterr().err
