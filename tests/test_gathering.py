"""What every processor read of a working tree is what one reads, and what is checked then is the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from conftest import GitRepo
from test_bulk import STORES, mistaken

from remit import bulk, checking, gathering
from remit.bulk import Spread
from remit.evaluating import Loaded, load
from remit.footing import blob_id
from remit.gathering import gathered
from remit.git import Marks
from remit.rechecking import check_working
from remit.records import PackedRecord, Record
from remit.remembering import memory_of
from remit.spreading import over_cores
from remit.store import Store, read_regular

AT = datetime(2026, 10, 15, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MANY", 1)
    monkeypatch.setattr("remit.spreading.FEW", 7)


def written(root: Path, files: Mapping[str, bytes]) -> Store:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return Store.open(root)


def everything_of(loaded: Loaded) -> list[object]:
    """What a store holds and what is wrong with it, as text; values are looked at after all else."""
    wrong = [loaded.trouble, list(checking.of_records(loaded))]
    entities = [(e.ref, e.place, repr(e.spec)) for kind in loaded.schemas.kinds for e in loaded.world.all(kind)]
    return [*wrong, entities, [(r.path, repr(r.body), r.document.start, r.place()) for r in loaded.snapshot.records]]


def by(processes: int) -> Spread:
    return partial(over_cores, processes=processes)


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("name", STORES)
def test_what_is_gathered_is_what_is_read(name: str, processes: int, tmp_path: Path) -> None:
    store = written(tmp_path, STORES[name]())

    files, plain = gathered(store, by(processes)), store.files()

    assert list(files.blobs.items()) == list(plain.blobs.items())
    assert (files.findings, files.marks) == (plain.findings, plain.marks)
    assert files.ids == {path: blob_id(plain.blobs[path]) for path in files.judged}
    assert files.judged.keys() == {path for path in plain.blobs if path.startswith("records/")}
    assert everything_of(load(files)) == everything_of(load(plain)) == everything_of(load(files, spread=by(processes)))


def test_a_check_says_what_a_check_of_what_one_process_read_says(git_repo: GitRepo) -> None:
    store = written(git_repo(), mistaken())

    verdict = check_working(store, memory_of(store), at=AT, spread=by(2))

    assert verdict.findings == checking.check(load(store.files()), at=AT)


def test_what_is_no_regular_file_or_goes_away_is_told_as_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = written(tmp_path, dict(STORES["a thousand"]()))
    folder = tmp_path / "records" / "clients"
    (folder / "link.yaml").symlink_to("client-000001.yaml")
    (folder / "folder.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    gone = f"{store.root}/records/clients/client-000002.yaml"

    def without(path: str) -> tuple[bytes, Marks]:
        if path == gone:
            raise FileNotFoundError(path)
        return read_regular(path)

    monkeypatch.setattr("remit.store.read_regular", without)
    monkeypatch.setattr(gathering, "read_regular", without)
    files, plain = gathered(store, by(2)), store.files()

    assert len(plain.findings) == 2 and len(plain.blobs) == 1001
    assert (files.blobs, files.findings, files.marks) == (plain.blobs, plain.findings, plain.marks)


def test_a_schema_that_cannot_be_read_leaves_everything_to_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = written(tmp_path, dict(STORES["a thousand"]()))

    def denied(path: str) -> tuple[bytes, Marks]:
        raise PermissionError(path)

    monkeypatch.setattr(gathering, "read_regular", denied)

    assert gathered(store, by(2)) == store.files()


def test_only_kinds_of_which_a_rule_or_another_record_asks_more_are_packed(tmp_path: Path) -> None:
    example, thousand = (written(tmp_path / name, STORES[name]()) for name in ("the example", "a thousand"))

    packed, others = (
        {one.record.kind for one in gathered(store, by(1)).judged.values() if one.record and _packed(one.record)}
        for store in (example, thousand)
    )

    assert packed >= {"Customer", "RoleAssignment", "Person"}
    assert others == {"Nothing"}


def _packed(record: Record) -> bytes:
    assert isinstance(record, PackedRecord)
    _, packed, _ = record.__dict__["_packed"]
    assert isinstance(packed, bytes)
    return packed
