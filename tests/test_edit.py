"""A record in an editor: what is right is written, what is wrong is kept and said, nobody's change is lost."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from stores import contents, small_store

from remit.main import main

CUSTOMER = "records/customers/harbour-bank.yaml"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    drafts = tmp_path / "drafts"
    drafts.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(drafts))
    return small_store(tmp_path / "store")


def editor(monkeypatch: pytest.MonkeyPatch, folder: Path, *lines: str) -> None:
    """The editor of the user is a Python program in which ``path`` is what it opens."""
    program = folder / "editor.py"
    head = ["import pathlib, sys", "path = pathlib.Path(sys.argv[1])"]
    program.write_text("\n".join([*head, *lines]), encoding="utf-8")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {program}")


def replacing(*steps: tuple[str, str], of: str = "path") -> str:
    """A line of the program that replaces texts in the file that the variable ``of`` names."""
    replaced = "".join(f".replace({old!r}, {new!r})" for old, new in steps)
    return f"{of}.write_text({of}.read_text(encoding='utf-8'){replaced}, encoding='utf-8')"


def edit(store: Path, *options: str) -> int:
    return main(["--store", str(store), "edit", "Customer/harbour-bank", *options])


def drafts(store: Path) -> list[Path]:
    return list((store.parent / "drafts").iterdir())


def test_what_is_right_is_written_as_it_was_typed(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (store / CUSTOMER).read_text(encoding="utf-8")
    graded = ("local_b   # 2026 年评定", "local_a   # 复评")
    editor(monkeypatch, tmp_path, replacing(graded))

    code = edit(store)

    assert code == 0
    assert (store / CUSTOMER).read_text(encoding="utf-8") == before.replace(
        "local_b   # 2026 年评定", "local_a   # 复评"
    )
    assert capsys.readouterr().out == f"{CUSTOMER}: spec.customerGrade: local_b -> local_a\n"
    assert drafts(store) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("local_b", "gold", "not-in-enum"),
        ("ceA: wang-lei", "ceA: nobody-here", "unknown-reference"),
        ("spec:\n", "spec: [\n", "yaml-syntax"),
        ("name: harbour-bank ", "name: port ", "harbour-bank"),
    ],
)
def test_what_is_wrong_is_said_kept_and_can_be_gone_on_with(
    old: str, new: str, said: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    before = contents(store)
    editor(monkeypatch, tmp_path, replacing((old, new)))

    code = edit(store)

    error = capsys.readouterr().err
    (draft,) = drafts(store)
    assert code == 2 and said in error
    assert f"remit --store {store} edit Customer/harbour-bank --draft {draft}" in re.sub(r"\s+", " ", error)
    assert contents(store) == before and new in draft.read_text(encoding="utf-8")

    editor(monkeypatch, tmp_path, replacing((new, old), ("status: active", "status: at_risk")))
    assert edit(store, "--draft", str(draft)) == 0
    assert "status: at_risk" in (store / CUSTOMER).read_text(encoding="utf-8")


def test_without_an_editor_and_a_terminal_the_other_ways_are_named(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)

    assert edit(store) == 2
    assert (
        "set Customer/harbour-bank 字段=值；或直接修改 records/customers/harbour-bank.yaml" in capsys.readouterr().err
    )


def test_an_editor_that_fails_or_changes_nothing_changes_nothing(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(store)

    editor(monkeypatch, tmp_path, "pass")
    unchanged = edit(store), capsys.readouterr().err
    editor(monkeypatch, tmp_path, "sys.exit(1)")
    failed = edit(store), capsys.readouterr().err

    assert unchanged[0] == 0 and "没有变化" in unchanged[1]
    assert failed[0] == 2 and "您的文本保存在" in failed[1]
    assert contents(store) == before


@pytest.mark.parametrize(("theirs", "code"), [("status: at_risk", 0), ("customerGrade: province", 2)])
def test_what_somebody_else_wrote_meanwhile_is_not_lost(
    theirs: str, code: int, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    was = {"status: at_risk": "status: active", "customerGrade: province": "customerGrade: local_b"}[theirs]
    meanwhile = f"other = pathlib.Path({str(store / CUSTOMER)!r}); {replacing((was, theirs), of='other')}"
    editor(monkeypatch, tmp_path, meanwhile, replacing(("local_b", "local_a")))

    assert edit(store) == code

    text = (store / CUSTOMER).read_text(encoding="utf-8")
    assert theirs in text
    assert ("local_a" in text) == (code == 0)
    if code:
        assert "Customer/harbour-bank  spec.customerGrade  (双方均已修改)" in capsys.readouterr().err
