"""Records read and judged by several processes come out as from one, whatever becomes of the others."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from clients import store

from remit import bulk
from remit.checking import of_records
from remit.evaluating import load
from remit.pack import pack_files
from remit.spreading import over_cores
from remit.store import Files

HELPDESK = Path(__file__).parents[1] / "docs" / "examples" / "helpdesk"
BAD = {
    "records/clients/client-000010.yaml": b"a: [",
    "records/clients/client-000020.yaml": b"- 1\n",
    "records/clients/client-000030.yaml": b"kind: Nothing\nmetadata: {name: x}\n",
    "records/clients/client-000040.yaml": b"kind: Client\nmetadata: &a {name: x}\nspec: *a\n",
    "records/clients/client-000050.yaml": b"\xff",
    "records/clients/client-000060.yaml": b'kind: Client\nspec:\n  share: 0.1\n  basis: {a: 1e-7}\n  unit: "\\u00e9"\n',
}


def helpdesk() -> Mapping[str, bytes]:
    paths = (path for path in sorted(HELPDESK.rglob("*")) if path.is_file())
    return {path.relative_to(HELPDESK).as_posix(): path.read_bytes() for path in paths}


def mistaken() -> Mapping[str, bytes]:
    """The example with references and periods that are wrong, in every kind that has any."""
    files = dict(pack_files())
    for path in [path for path in files if path.startswith("records/")][::3]:
        wrong = files[path].replace(b"validFrom: 202", b"validFrom: 209").replace(b"unit: ", b"unit: no-")
        files[path] = wrong.replace(b"person: ", b"person: Person/").replace(b"status: active", b"status: ended")
    return files


STORES = {
    "the example": pack_files,
    "the example with mistakes": mistaken,
    "the help desk": helpdesk,
    "a thousand": lambda: dict(store(1000)) | BAD,
}


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MANY", 1)
    monkeypatch.setattr("remit.spreading.FEW", 7)


def said(files: Mapping[str, bytes], spread: bulk.Spread | None) -> list[object]:
    """Everything that loading says, as text, with places that only the reference reader knows."""
    loaded = load(Files(None, None, files), spread=spread)
    records = loaded.snapshot.records
    values = [(r.path, repr(r.body), r.document.start, r.place(("spec",))) for r in records]
    entities = [entity.ref for kind in loaded.schemas.kinds for entity in loaded.world.all(kind)]
    return [values, entities, loaded.trouble, list(of_records(loaded))]


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("name", STORES)
def test_several_processes_say_what_one_says(name: str, processes: int) -> None:
    files = STORES[name]()

    assert said(files, partial(over_cores, processes=processes)) == said(files, None)


def test_files_that_are_not_plain_or_not_right_are_among_them() -> None:
    trouble = load(Files(None, None, STORES["a thousand"]())).trouble

    assert {one.place.path for one in trouble} >= BAD.keys()
    assert {one.code for one in trouble} > {"yaml-syntax", "yaml-alias", "yaml-ambiguous", "unknown-kind"}


def test_few_records_are_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MANY", 1001)

    def never(work: bulk.Work, items: Sequence[str]) -> list[tuple[Sequence[str], bytes]]:
        raise AssertionError("there are few")

    assert len(load(Files(None, None, dict(store(1000))), spread=never).snapshot.records) == 1000


ITEMS = [str(number) for number in range(100)]


def doubled(part: Sequence[str]) -> bytes:
    return ",".join(one * 2 for one in part).encode()


def test_parts_come_in_the_order_of_the_items_and_progress_is_told() -> None:
    shares: list[float] = []

    parts = list(over_cores(doubled, ITEMS, processes=2, tell=shares.append))

    assert [one for part, _ in parts for one in part] == ITEMS
    assert b",".join(packed for _, packed in parts) == doubled(ITEMS)
    assert shares == sorted(shares) and all(0 <= share < 1 for share in shares)


def test_no_process_is_left_and_no_file_open() -> None:
    opened = Path("/proc/self/fd")
    before = set(opened.iterdir()) if opened.is_dir() else set()

    list(over_cores(doubled, ITEMS, processes=3))

    assert not before or len(set(opened.iterdir())) == len(before)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_a_killed_helper_took_is_done_here() -> None:
    here = os.getpid()

    def deadly(part: Sequence[str]) -> bytes:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return doubled(part)

    assert b",".join(packed for _, packed in over_cores(deadly, ITEMS, processes=3)) == doubled(ITEMS)


def test_where_no_process_can_be_started_one_does_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refused)

    assert b",".join(packed for _, packed in over_cores(doubled, ITEMS, processes=3)) == doubled(ITEMS)


def test_an_error_of_the_work_comes_out_and_helpers_end() -> None:
    def wrong(part: Sequence[str]) -> bytes:
        raise ValueError(part[0])

    with pytest.raises(ValueError):
        list(over_cores(wrong, ITEMS, processes=2))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_document_from_elsewhere_knows_its_places() -> None:
    files = {"records/clients/a.yaml": b"# a\nkind: Client\nmetadata:\n  name: a\nspec: {}\n"}
    schemas = load(Files(None, None, dict(store(1)))).schemas

    (one,) = bulk.judged(files, lambda path: (files[path], ()), schemas, partial(over_cores, processes=1)).values()

    assert one.record is not None and one.record.document.start == (2, 1)
    assert one.record.place(("metadata", "name")).line == 4


def test_the_mistakes_are_of_every_sort() -> None:
    loaded = load(Files(None, None, mistaken()))

    assert {one.code for one in of_records(loaded)} >= {"unknown-reference", "reference-not-valid", "invalid-period"}


def test_while_helpers_work_this_process_makes_ready_once() -> None:
    calls: list[int] = []

    parts = over_cores(doubled, ITEMS, processes=2, meanwhile=lambda: calls.append(os.getpid()))

    assert b",".join(packed for _, packed in parts) == doubled(ITEMS)
    assert calls == [os.getpid()]
