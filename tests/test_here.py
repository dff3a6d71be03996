"""Paths on the command line are taken from where one stands, as git does, and else from the top of the store."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import pytest
from conftest import GitRepo, be, write_files

from remit.commands.here import path_of_store
from remit.commands.speaking import language_at, with_store
from remit.main import main

CUSTOMER = "records/customers/harbour-bank.yaml"


@pytest.fixture
def folder(git_repo: GitRepo) -> Path:
    files = {"remit.yaml": "name: small\nlanguage: en\n", CUSTOMER: "kind: Customer\n", "rules/x.yaml": "kind: X\n"}
    return git_repo(files)


@pytest.mark.parametrize(
    ("here", "text", "path"),
    [
        (".", CUSTOMER, CUSTOMER),
        (".", ".", "."),
        ("records", "customers", "records/customers"),
        ("records", ".", "records"),
        ("records/customers", "harbour-bank.yaml", CUSTOMER),
        ("records/customers", "./harbour-bank.yaml", CUSTOMER),
        ("records/customers", "../../rules/x.yaml", "rules/x.yaml"),
        ("records/customers", CUSTOMER, CUSTOMER),
        ("..", CUSTOMER, CUSTOMER),
        ("records", "Customer/harbour-bank", "Customer/harbour-bank"),
        ("records", "gone.yaml", "gone.yaml"),
        ("records", "../..", "../.."),
    ],
)
def test_a_path_is_taken_from_where_one_stands(folder: Path, here: str, text: str, path: str) -> None:
    assert path_of_store(folder, (folder / here).resolve(), text) == path


def test_a_store_that_is_reached_by_a_link_is_the_same_store(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)

    assert path_of_store(tmp_path / "link", folder / "records", "customers") == "records/customers"
    assert path_of_store(folder, tmp_path / "link" / "records", "customers") == "records/customers"


def test_what_is_proposed_from_a_folder_is_what_is_in_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    be(folder, "ann-lee")
    write_files(folder, {CUSTOMER: "kind: Customer\nmore: 1\n", "rules/x.yaml": "kind: X\nmore: 1\n"})

    with chdir(folder / "records"):
        assert main(["propose", "-m", "More", "customers"]) == 0

    assert capsys.readouterr().out.splitlines()[1:] == [f"  {CUSTOMER}"]


@pytest.mark.parametrize(
    ("store", "hint", "shown"),
    [
        (".", "remit review c-1", "remit review c-1"),
        ("../s", "remit review c-1", "remit --store ../s review c-1"),
        ("a b", "see: remit keys", "see: remit --store 'a b' keys"),
        ("s", "git fetch", "git fetch"),
        ("s", "remit review c-1; then remit apply c-1", "remit --store s review c-1; then remit --store s apply c-1"),
        ("s", "make a store: remit init DIR", "make a store: remit init DIR"),
        ("s", "git config remit.root abc", "git config remit.root abc"),
    ],
)  # fmt: skip
def test_the_next_step_names_the_store_that_was_named(store: str, hint: str, shown: str) -> None:
    assert with_store(hint, store) == shown


@pytest.mark.parametrize(
    ("settings", "terminal", "language"),
    [
        ("name: s\nlanguage: zh\n", "en_GB.UTF-8", "zh"),
        ("name: s\nlanguage: en\n", "zh_CN.UTF-8", "en"),
        ("name: s\n", "zh_CN.UTF-8", "en"),
        ("name: [\nlanguage: 'zh'\n", "C", "zh"),
        ("", "zh_CN.UTF-8", "zh"),
        ("", "C.UTF-8", "en"),
    ],
)
def test_the_language_is_the_stores_and_without_a_store_the_terminals(
    settings: str, terminal: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", terminal)
    (tmp_path / "below").mkdir()
    if settings:
        (tmp_path / "remit.yaml").write_text(settings, encoding="utf-8")

    assert language_at(str(tmp_path / "below")) == language


def test_an_error_is_said_in_the_language_of_the_store(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "remit.yaml").write_text("name: small\nlanguage: zh\n", encoding="utf-8")

    assert main(["--store", str(folder), "review", "c-1"]) == 2
    assert capsys.readouterr().err == f"错误：没有变更“c-1”\n      remit --store {folder} changes 可列出全部变更\n"
