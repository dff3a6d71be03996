"""Feeds of several files: the answer is that of the same rows in memory, and a new file costs no more than itself."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
from test_rollups import LATER, Counter, work
from test_tallying import MEASURES, answer, files, parquet, tickets

from remit.assessing import score
from remit.evaluating import feeds_of, load
from remit.remembering import Memory
from remit.sources import SourceContext, files_at, standing
from remit.sources import scan as scan_module
from remit.sources.spool import SpooledWorld
from remit.store import Files

__all__ = ["work"]
STORE: dict[str, Any] = {name: MEASURES[name] for name in ("opened", "four-hours", "closed")}


def file(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """A Parquet file of some rows, as if it had stood there for long."""
    parquet(folder, rows)
    (folder / "months").mkdir(exist_ok=True)
    (folder / "t.parquet").rename(folder / "months" / f"{name}.parquet")
    os.utime(folder / "months" / f"{name}.parquet", (1_000_000_000, 1_000_000_000))


def rows_of(seed: int, prefix: str, odd: float = 0) -> list[dict[str, Any]]:
    return [{**row, "id": f"{prefix}-{row['id']}"} for row in tickets(Random(seed), 60, odd=odd)]


def feeds(store: Files, folder: Path, pattern: str = "months") -> list[SourceContext]:
    return feeds_of(store, folder, [("Ticket", str(folder / pattern))], None)


def told(store: Files, contexts: list[SourceContext], engine: str, memory: Memory | None = None) -> tuple[str, Any]:
    loaded = load(store, contexts, engine, memory=memory)
    return answer(score(loaded, "p", "2026-10", at=LATER, facts=False)), loaded.reports


def test_rows_that_share_an_id_across_files_are_named_as_in_memory(tmp_path: Path) -> None:
    store = files({}, STORE, "Asia/Shanghai", {})
    first, second, third = rows_of(1, "a", 0.05), rows_of(2, "a"), rows_of(3, "b")
    second[4]["id"] = first[9]["id"]
    second[5] = {**second[5], "id": first[10]["id"], "customer": "nobody"}
    first[11]["customer"] = "nobody"
    second[6]["id"] = third[7]["id"] = first[11]["id"]
    third[8]["id"] = third[9]["id"] = second[20]["id"]
    for name, rows in (("2026-08", first), ("2026-09", second), ("2026-10", third)):
        file(tmp_path, name, rows)
    contexts, memory = feeds(store, tmp_path), Memory(tmp_path / "cache", b"secret")

    python = told(store, contexts, "python")

    assert [Path(one.path).stem for one in contexts] == ["2026-08", "2026-09", "2026-10"]
    assert python[0].count("row-duplicate") >= 4
    for kept in (None, memory, memory):
        assert told(store, contexts, "tables", kept) == python
    world = load(store, contexts, "tables", memory=memory).world
    assert isinstance(world, SpooledWorld)
    assert len(world.scans("Ticket")) == 3
    assert list(world.all("Ticket")) == list(load(store, contexts).world.all("Ticket"))


def test_a_file_that_is_added_or_written_again_is_all_that_is_read(
    tmp_path: Path, work: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = files({}, STORE, "Asia/Shanghai", {})
    memory = Memory(tmp_path / "cache", b"secret")
    seen: list[str] = []
    prove, compare = scan_module._proved, standing._compared
    monkeypatch.setattr(scan_module, "_proved", lambda *given: seen.append("proved") or prove(*given))
    monkeypatch.setattr(standing, "_compared", lambda given: seen.append("compared") or compare(given))

    def asked() -> tuple[int, int, int]:
        before = work.made
        seen.clear()
        contexts = feeds(store, tmp_path, "months/2026-*.parquet")
        tables = told(store, contexts, "tables", memory)
        counts = seen.count("proved"), seen.count("compared"), work.made - before
        assert tables == told(store, contexts, "python")
        return counts

    file(tmp_path, "2026-08", rows_of(1, "a"))
    file(tmp_path, "2026-09", rows_of(2, "b"))
    assert asked() == (2, 0, 2 * len(STORE))
    assert asked() == (0, 0, 0)
    file(tmp_path, "2026-10", rows_of(3, "c"))
    assert asked() == (1, 0, len(STORE))
    file(tmp_path, "2026-09", rows_of(4, "c"))
    assert asked() == (1, 1, len(STORE))
    assert asked() == (0, 0, 0)
    assert work.scanned == 0


def test_one_file_that_has_to_be_read_makes_all_of_them_read(tmp_path: Path) -> None:
    store = files({}, STORE, "Asia/Shanghai", {})
    file(tmp_path, "2026-08", rows_of(1, "a"))
    (tmp_path / "months" / "2026-09.csv").write_text("id,customer,openedAt\na-x,bank,2026-10-01T08:00:00+08:00\n")
    contexts = feeds(store, tmp_path)

    assert told(store, contexts, "tables") == told(store, contexts, "python")
    world = load(store, contexts, "tables").world
    assert isinstance(world, SpooledWorld)
    assert not world.scans("Ticket")


def test_the_same_file_twice_is_every_row_twice(tmp_path: Path) -> None:
    store = files({}, STORE, "Asia/Shanghai", {})
    file(tmp_path, "2026-08", rows_of(1, "a"))
    contexts = feeds(store, tmp_path) * 2

    tables, python = told(store, contexts, "tables"), told(store, contexts, "python")

    assert tables == python
    assert tables[0].count("row-duplicate") == 2 * 60  # the scorecard tells its findings too


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("feeds", ["feeds/a.jsonl", "feeds/b.parquet"]),
        ("feeds/*.jsonl", ["feeds/a.jsonl"]),
        ("feeds/[ab].*", ["feeds/a.jsonl", "feeds/b.parquet"]),
        ("feeds/*.csv", ["feeds/*.csv"]),
        ("empty", ["empty"]),
        ("nothing", ["nothing"]),
        ("odd[1].jsonl", ["odd[1].jsonl"]),
        ("sqlite:///feeds/*.db?table=t", ["sqlite:///feeds/*.db?table=t"]),
    ],
)
def test_a_path_names_files(tmp_path: Path, path: str, found: list[str]) -> None:
    for name in ("feeds/b.parquet", "feeds/a.jsonl", "feeds/.c.jsonl", "feeds/notes.md", "odd[1].jsonl", "empty/x.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "feeds" / "d.jsonl").mkdir()

    assert files_at(path, tmp_path) == found
    if "*" in path and "://" not in path and found != [path]:
        assert files_at(str(tmp_path / path), Path()) == [str(tmp_path / one) for one in found]
