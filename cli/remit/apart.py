"""In what files that are known by their ids differ from those of a tree, folder by folder, without listing either.

A folder of plain files is compared as a whole: its names with its names, its ids with its ids. Only where they are
apart is one looked at by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from remit.footing import Footing
from remit.git.values import TREE_MODE
from remit.store import CONFIG, FOLDERS, Files, Store, is_store_path
from remit.working import working_tree

Sides = tuple[str | None, str | None]
"""The id of a file in a tree and among the files; None where it is not there."""


def apart(store: Store, tree: str, files: Footing) -> dict[str, Sides]:
    """The paths of a store at which a tree (or commit) and the files are not the same, sorted."""
    found = dict(_apart_at(store, tree, files, CONFIG))
    for folder in FOLDERS:
        found |= _apart_below(store, tree, files, folder)
    return dict(sorted(found.items()))


def commit_and_working_tree(store: Store, ref: str) -> tuple[Files, Files]:
    """A commit, and the working tree: of either what is not the same, the schemas and the settings.

    Raises:
        NotFound: no such revision.
        NotAStore: that revision has no ``remit.yaml`` where the store is.
    """
    committed, there = store.files(ref), working_tree(store)
    commit, blobs, footing = committed.commit or ref, committed.blobs, there.footing
    paths = {
        CONFIG,
        *store.blobs_of(commit).below("schemas/"),
        *footing.below("schemas"),
        *apart(store, commit, footing),
    }
    before = {path: blobs[path] for path in sorted(paths) if path in blobs}
    after = {path: there.read(path) for path in sorted(paths) if footing.oid(path) is not None}
    return replace(committed, blobs=before), Files(None, None, after, there.findings)


def id_in(store: Store, tree: str, path: str) -> str | None:
    """The id of what stands in a tree at a path of the store and is no folder."""
    entry = store.in_git().entry(tree, store.prefix + path)
    return entry.oid if entry is not None and entry.mode != TREE_MODE else None


def _apart_at(store: Store, tree: str, files: Footing, path: str) -> Iterator[tuple[str, Sides]]:
    sides = id_in(store, tree, path), files.oid(path)
    if sides[0] != sides[1] and is_store_path(path):
        yield path, sides


def _apart_below(store: Store, tree: str, files: Footing, folder: str) -> Iterator[tuple[str, Sides]]:
    if (same := _apart_alike(store, tree, files, folder)) is not None:
        yield from same
        return
    there = store.in_git().within(tree, store.prefix + folder)
    names, inner = files.within(folder)
    inner = inner | {name for name, entry in there.items() if entry.mode == TREE_MODE}
    for name in {*names, *there} - inner:
        yield from _apart_at(store, tree, files, f"{folder}/{name}")
    for name in inner:
        yield from _apart_at(store, tree, files, f"{folder}/{name}")
        yield from _apart_below(store, tree, files, f"{folder}/{name}")


def _apart_alike(store: Store, tree: str, files: Footing, folder: str) -> list[tuple[str, Sides]] | None:
    """The differences in a folder that holds the same names on both sides, and only files; None for any other."""
    plain = store.in_git().plain_files(tree, store.prefix + folder)
    paths, here = files.columns(folder)
    if plain is None or not plain.names:
        return None
    start = os.fsencode(folder) + b"/"
    there = b"".join(plain.ids)
    if len(there) != len(here) or paths != start + (b"\n" + start).join(plain.names) + b"\n":
        return None
    width = len(plain.ids[0])
    found = []
    for place in _unlike(there, here, width):
        path = os.fsdecode(start + plain.names[place])
        found.append((path, (plain.ids[place].hex(), here[place * width : (place + 1) * width].hex())))
    return [(path, sides) for path, sides in found if is_store_path(path)]


def _unlike(one: bytes, other: bytes, width: int) -> Iterator[int]:
    """The places of two equally long rows of ids at which they are not the same."""
    waiting = [(0, len(one) // width)]
    while waiting:
        first, end = waiting.pop()
        if one[first * width : end * width] == other[first * width : end * width]:
            continue
        if end - first == 1:
            yield first
            continue
        middle = (first + end) // 2
        waiting += [(first, middle), (middle, end)]
