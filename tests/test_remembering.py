"""What is remembered is given back as it was kept, or not at all."""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import GitRepo

from remit.git import Repository
from remit.remembering import Memory, memory_of, program
from remit.store import Store

FLIPS = int(os.environ.get("REMIT_FLIPS", "50"))
"""The whole campaign: REMIT_FLIPS=1000."""


def one(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


def test_what_is_kept_is_recalled_and_the_last_counts(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "cache", b"s" * 32)

    assert memory.recall("a") is None
    memory.keep("a", b"one")
    memory.keep("b", b"")
    memory.keep("a", b"two")

    assert (memory.recall("a"), memory.recall("b"), memory.recall("c")) == (b"two", b"", None)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_an_entry_with_any_byte_altered_is_none(tmp_path: Path) -> None:
    memory, chance = Memory(tmp_path, b"s" * 32), random.Random(7)
    memory.keep("verdict", chance.randbytes(2_000_000))
    path = one(tmp_path)
    whole = path.read_bytes()

    for number in range(FLIPS):
        at = chance.randrange(len(whole)) if number % 2 else chance.randrange(64)
        with path.open("r+b") as file:
            file.seek(at)
            file.write(bytes([whole[at] ^ chance.randrange(1, 256)]))
            file.flush()
            assert memory.recall("verdict") is None, at
            file.seek(at)
            file.write(whole[at : at + 1])
    assert memory.recall("verdict") == whole[32:]


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 99])
def test_an_entry_that_is_cut_short_is_none(tmp_path: Path, length: int) -> None:
    memory = Memory(tmp_path, b"s" * 32)
    memory.keep("a", b"x" * 100)
    path = one(tmp_path)

    path.write_bytes(path.read_bytes()[:length])

    assert memory.recall("a") is None


def test_an_entry_under_another_name_or_of_somebody_else_is_none(tmp_path: Path) -> None:
    mine, other = Memory(tmp_path, b"s" * 32), Memory(tmp_path, b"t" * 32)
    mine.keep("a", b"mine")
    first = one(tmp_path)
    mine.keep("b", b"mine too")
    second = next(path for path in tmp_path.iterdir() if path != first)

    assert other.recall("a") is None
    second.write_bytes(first.read_bytes())
    assert mine.recall("b") is None and mine.recall("a") == b"mine"


def test_many_who_read_and_write_see_whole_entries_only(tmp_path: Path) -> None:
    memory = Memory(tmp_path, b"s" * 32)
    entries = [bytes([number]) * 50_000 for number in range(8)]

    def work(number: int) -> bool:
        memory.keep("a", entries[number % 8])
        return memory.recall("a") in entries

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(400)))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    memory = Memory(tmp_path / "cache", b"s" * 32)

    memory.keep("a", b"x")

    assert memory.recall("a") is None


def test_a_store_remembers_in_its_git_folder_with_a_secret_of_the_user(git_repo: GitRepo) -> None:
    folder = git_repo({"remit.yaml": "name: x\n"})
    memory = memory_of(Store.open(folder))
    assert memory is not None

    memory.keep("a", b"x")

    again = memory_of(Store.open(folder))
    secret = Path.home() / ".cache" / "remit" / "secret"
    assert again is not None and again.recall("a") == b"x"
    assert one(folder / ".git" / "remit" / "cache").is_file()
    assert secret.stat().st_mode & 0o777 == 0o600
    secret.write_bytes(b"another" * 9)
    other = memory_of(Store.open(folder))
    assert other is not None and other.recall("a") is None


def test_a_link_in_the_git_folder_is_not_followed_and_without_git_nothing_is_kept(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    folder = git_repo({"remit.yaml": "name: x\n"})
    (folder / ".git" / "remit").symlink_to(tmp_path)
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose" / "remit.yaml").write_text("name: x\n")

    assert memory_of(Store.open(folder)) is None
    assert memory_of(Store.open(tmp_path / "loose")) is None


def test_the_program_is_one_name_as_long_as_it_is_the_same() -> None:
    assert len(program()) == 64 and program() == program()


def test_the_program_is_another_one_when_something_else_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    names = set()
    for installed in ("pyyaml-6.0.2", "pyyaml-6.0.3", "pyyaml-6.0.3"):
        for folder in tmp_path.iterdir():
            folder.rmdir()
        (tmp_path / f"{installed}.dist-info").mkdir()
        program.cache_clear()
        names.add(program())
    program.cache_clear()

    assert len(names) == 2


def test_the_folder_of_git_is_found_without_git_as_git_finds_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for folder in (tmp_path, tmp_path / "inner"):
        (folder / "remit.yaml").write_text("name: x\n")
    assert Store.open(tmp_path).git_dir is None
    Repository.init(tmp_path)

    plain, inside = Store.open(tmp_path), Store.open(tmp_path / "inner")

    assert plain.git_dir == plain.in_git().git_dir == inside.git_dir == tmp_path / ".git"
    (tmp_path / ".git").rename(tmp_path / "elsewhere")
    (tmp_path / ".git").symlink_to(tmp_path / "elsewhere")
    linked = Store.open(tmp_path)
    assert linked.git_dir == linked.in_git().git_dir
    (tmp_path / "elsewhere" / "HEAD").unlink()
    assert Store.open(tmp_path).git_dir is None
