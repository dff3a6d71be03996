"""Each naughty string, as a name, a title and a field value: it survives edit, commit and read, or is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import be, commit_all, git
from stores import small_store

from remit.errors import UserError
from remit.places import parse_pointer
from remit.recording import new_record
from remit.records import Snapshot, build_snapshot
from remit.schemas import load_schemas
from remit.store import Store
from remit.yamltext import Edit, edit, forbidden_character

NAUGHTY: list[str] = json.loads((Path(__file__).parent / "data/naughty-strings/blns.json").read_text("utf-8"))
TEMPLATE = """apiVersion: remit/v1
kind: Customer
metadata:
  name: NAME
  title: x # 标题
spec: # the fields
  notes: x
"""


def snapshot_of(store: Store, ref: str | None = None) -> Snapshot:
    return build_snapshot(store.files(ref).blobs)


def test_as_title_and_value_it_is_read_back_from_a_commit_as_it_was_or_refused(tmp_path: Path) -> None:
    folder = small_store(tmp_path / "store")
    kept: dict[str, str] = {}
    refused = []
    for number, text in enumerate(NAUGHTY):
        path = f"records/naughty/n{number}.yaml"
        before = TEMPLATE.replace("NAME", f"n{number}").encode()
        edits = [Edit(parse_pointer("/metadata/title"), text), Edit(parse_pointer("/spec/notes"), text)]
        try:
            after = edit(before, edits)
        except UserError as error:
            refused.append(text)
            assert forbidden_character(text) in error.message
            continue
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(after)
        kept[path] = text
        assert b"# \xe6\xa0\x87\xe9\xa2\x98" in after and b"# the fields" in after
    git(folder, "init", "--quiet", "-b", "main")
    be(folder, "ann-lee")
    commit_all(folder, "naughty")

    read = {r.path: r for r in snapshot_of(Store.open(folder), "main").records}

    assert len(kept) + len(refused) == len(NAUGHTY)
    assert all(forbidden_character(text) for text in refused)
    assert {path: read[path].metadata["title"] for path in kept} == kept
    assert {path: read[path].spec["notes"] for path in kept} == kept


@pytest.mark.parametrize("quarter", range(4))
def test_as_the_name_of_a_record_it_is_refused_or_is_a_plain_name(quarter: int, tmp_path: Path) -> None:
    store = Store.open(small_store(tmp_path / "store"))
    snapshot = snapshot_of(store)
    schemas, _ = load_schemas(snapshot.files)

    for text in NAUGHTY[quarter::4]:
        try:
            draft = new_record(snapshot, schemas, "Person", text)
        except UserError as error:
            assert error.message
            continue
        (path,) = draft.files
        assert path == f"records/people/{text}.yaml"
        assert all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in text) and text
