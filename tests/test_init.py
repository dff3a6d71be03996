"""A new store from the pack: what is written, what is refused, what git is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import git

from remit.errors import UserError
from remit.main import main
from remit.pack import pack_files
from remit.starting import FORGE_FILES, starting_files, write_store
from remit.store import Store

TOP = Path(__file__).parent.parent


def know_me() -> None:
    """git knows the user, as on a machine that is set up."""
    subprocess.run(["git", "config", "--global", "user.name", "Ann Lee"], check=True)
    subprocess.run(["git", "config", "--global", "user.email", "ann-lee@example.org"], check=True)


@pytest.mark.parametrize("option", [[], ["--example"], ["--bare-bones"]])
def test_a_new_store_is_committed_and_checks_clean(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    know_me()
    folder = tmp_path / "made" / "store"

    code = main(["init", str(folder), *option])
    said = capsys.readouterr()
    checked = main(["--store", str(folder), "check", "--format", "json"])
    counts = json.loads(capsys.readouterr().out)["counts"]

    assert code == 0 and "remit check" in said.out and said.err == ""
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "log", "--format=%an %s") == "Ann Lee store: begin from the built-in pack"
    assert git(folder, "rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert (checked, counts["error"]) == (0, 0)
    assert [entry.name for entry in folder.parent.iterdir()] == ["store"]


def test_bare_bones_hold_nobody_s_people_and_no_policies() -> None:
    files = starting_files(pack_files(), "bare-bones")

    tops = {"remit.yaml", "schemas", "templates", "records"}
    assert {path.split("/")[0] for path in files if path not in FORGE_FILES.values()} == tops
    assert not [path for path in files if path.startswith(("records/people/", "records/customers/"))]


def test_the_organisation_leaves_out_what_happens_in_time() -> None:
    files = starting_files(pack_files(), "organisation")

    assert [path for path in files if path.startswith("records/people/")]
    assert not [path for path in files if path.startswith("records/trouble-tickets/")]


def test_the_example_is_the_pack() -> None:
    pack = pack_files()

    started = starting_files(pack, "example")

    assert {FORGE_FILES.get(path, path): data for path, data in pack.items()} == started
    assert len(started) == len(pack) and not set(FORGE_FILES) & set(started)
    assert starting_files(pack, "example", name="harbour-ops")["remit.yaml"] != pack["remit.yaml"]


def test_name_and_language_are_written_and_comments_stay(tmp_path: Path) -> None:
    folder = tmp_path / "store"

    assert main(["init", str(folder), "--name", "harbour-ops", "--language", "en"]) == 0

    text = (folder / "remit.yaml").read_text(encoding="utf-8")
    assert "name: harbour-ops\n" in text and "language: en\n" in text and "title:" not in text
    assert "# The store's own name" in text


def test_without_an_identity_files_are_written_and_the_rest_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "store"

    code = main(["init", str(folder)])

    assert code == 0
    assert "git config --global user.name" in capsys.readouterr().err
    assert (folder / "remit.yaml").is_file() and (folder / ".git").is_dir()
    assert subprocess.run(["git", "rev-parse", "-q", "--verify", "HEAD"], cwd=folder, check=False).returncode != 0


def test_inside_a_repository_no_second_one_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(tmp_path, "init", "--quiet")

    code = main(["init", str(tmp_path / "store")])

    assert code == 0 and "inside the repository" in capsys.readouterr().err
    assert not [path for path in (tmp_path / "store").iterdir() if path.name.startswith(".")]


def test_an_empty_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    before = folder.stat().st_ino

    assert main(["init", str(folder)]) == 0
    assert folder.stat().st_ino == before and (folder / "remit.yaml").is_file()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_store_that_cannot_be_finished_is_not_there(tmp_path: Path) -> None:
    def finish(draft: Path) -> None:
        assert (draft / "remit.yaml").is_file()
        raise UserError("git is not there")

    with pytest.raises(UserError):
        write_store(tmp_path / "store", {"remit.yaml": b"name: small\n"}, finish)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", ["directory", "file", "link"])
def test_what_is_there_is_never_touched(taken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "store"
    if taken == "directory":
        folder.mkdir()
        (folder / "note.txt").write_text("mine")
    elif taken == "file":
        folder.write_text("mine")
    else:
        folder.symlink_to(tmp_path / "elsewhere")
    before = sorted(path.name for path in tmp_path.rglob("*"))

    assert main(["init", str(folder)]) == 2
    assert "Name a new or an empty directory." in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_name_that_cannot_stand_in_a_record_is_refused(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "store"), "--name", "a\x07b"]) == 2
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
def test_a_wheel_carries_the_pack(tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "-q", "build", "-b", str(tmp_path / "build")]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    if "No module named 'setuptools'" in done.stderr:
        pytest.skip("setuptools is not installed here; the package index brings it when a wheel is built")

    assert done.returncode == 0, done.stderr
    packed = Store(tmp_path / "build" / "lib" / "remit" / "pack_data").files().blobs
    assert packed == pack_files()
