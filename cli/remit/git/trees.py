"""Trees and blobs: reading and writing them past index and files."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from remit.errors import GitError
from remit.git.listings import Listings
from remit.git.parsing import check_oid, check_path, decode, encode, lines, parse_tree
from remit.git.values import FILE_MODE, TREE_MODE, TreeEntry


class Trees(Listings):
    """The trees and blobs of a repository."""

    def entries(self, tree: str, *, largest: int) -> dict[str, TreeEntry]:
        """What stands in one tree itself, by name, folders included.

        Raises:
            GitError: it is missing, or has more than ``largest`` bytes.
        """
        if self.sizes([tree]).get(tree, 0) > largest:
            raise GitError(f"the tree {tree} has more than {largest} bytes")
        rows = parse_tree(self._batch([tree])[tree], len(self.zero) // 2)
        return {name: TreeEntry(mode, oid) for name, (mode, oid) in rows.items()}

    def read_blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of many objects by one process; also names such as ``COMMIT:path``.

        Raises:
            GitError: one of them is missing.
        """
        return self._batch(sorted(set(oids)))

    def find_blobs(self, names: Iterable[str]) -> dict[str, bytes]:
        """Like ``read_blobs``, without those that are missing."""
        return self._batch_optional(sorted(set(names)))

    def blob_id(self, data: bytes) -> str:
        """The id that git gives ``data``, computed without git and without filters."""
        return hashlib.new(self.object_format, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    def write_blob(self, data: bytes) -> str:
        """Store ``data`` and give its id."""
        return self.write_blobs([data])[0]

    def write_blobs(self, many: Sequence[bytes]) -> list[str]:
        """Store many blobs by one process; ids in the same order."""
        return self._write("blob", many)

    def _write(self, kind: str, many: Sequence[bytes]) -> list[str]:
        if not many:
            return []
        with tempfile.TemporaryDirectory(prefix="remit-objects-") as folder:
            names = [Path(folder, str(number)) for number in range(len(many))]
            for name, data in zip(names, many, strict=True):
                name.write_bytes(data)
            command = ["hash-object", "-w", "-t", kind, "--no-filters", "--stdin-paths"]
            out = self._git(command, stdin=lines(map(str, names))).stdout
        return decode(out).split()

    def commit_with(self, base_tree: str | None, changes: Mapping[str, bytes | None]) -> str:
        """The tree that is ``base_tree`` with ``changes`` made; None removes a path. Index and files stay untouched."""
        kept = {path: data for path, data in changes.items() if data is not None}
        oids = dict(zip(kept, self.write_blobs(list(kept.values())), strict=True))
        return self.tree_with(base_tree, {path: oids.get(path) for path in changes})

    def tree_with(self, base_tree: str | None, changes: Mapping[str, str | None]) -> str:
        """Like ``commit_with``, for blobs that are stored already; every file it writes has mode 100644.

        Raises:
            GitError: one of the blobs is missing.
        """
        for path in changes:
            check_path(path)
        wanted = sorted({check_oid(oid) for oid in changes.values() if oid is not None})
        kinds = self._kinds(wanted)
        if missing := [oid for oid in wanted if kinds.get(oid) != "blob"]:
            raise GitError(f"the blob {missing[0]} is missing")
        folders = sorted({folder for path in changes for folder in _folders(path)})
        trees = self._read_folders(base_tree, folders)
        for path, oid in changes.items():
            folder, _, name = path.rpartition("/")
            _put(trees[folder], name, (FILE_MODE, oid) if oid is not None else None)
        for depth in range(max(map(_depth, folders), default=0), 0, -1):
            level = [folder for folder in folders if _depth(folder) == depth]
            for folder, oid in zip(level, self._make_trees([trees[folder] for folder in level]), strict=True):
                parent, _, name = folder.rpartition("/")
                before = trees[parent].get(name)
                if trees[folder]:
                    _put(trees[parent], name, (TREE_MODE, oid))
                elif before is not None and before[0] == TREE_MODE:
                    _put(trees[parent], name, None)
        return self._make_trees([trees.get("", {})])[0]

    def _read_folders(self, base_tree: str | None, folders: Sequence[str]) -> dict[str, dict[str, tuple[str, str]]]:
        """The entries of each folder of a tree, empty for one that is not there."""
        if base_tree is None:
            return {folder: {} for folder in folders}
        names = {folder: f"{check_oid(base_tree)}:{folder}" for folder in folders}
        raw = self._batch_optional(list(names.values()))
        kinds = self._kinds(list(names.values()))
        size = len(self.zero) // 2
        return {f: parse_tree(raw[n], size) if kinds.get(n) == "tree" else {} for f, n in names.items()}

    def _kinds(self, names: Sequence[str]) -> dict[str, str]:
        found = zip(names, self._objects.kinds(names), strict=True)
        return {name: one.kind for name, one in found if one is not None}

    def _make_trees(self, trees: Sequence[Mapping[str, tuple[str, str]]]) -> list[str]:
        # Not by mktree: it does not read core.fsync, and what it writes is gone after a loss of power.
        return self._write("tree", [_raw(tree) for tree in trees])


def _raw(tree: Mapping[str, tuple[str, str]]) -> bytes:
    """A tree as git stores it: a folder is sorted as if its name ended with a slash."""

    def place(name: str) -> bytes:
        return encode(name) + (b"/" if tree[name][0] == TREE_MODE else b"")

    rows = ((*tree[name], encode(name)) for name in sorted(tree, key=place))
    return b"".join(b"%b %b\0%b" % (mode.encode(), name, bytes.fromhex(oid)) for mode, oid, name in rows)


def _folders(path: str) -> list[str]:
    """Every folder above ``path``, the top (an empty text) included."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts) + 1)]


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def _put(tree: dict[str, Any], name: str, entry: tuple[str, str] | None) -> None:
    if entry is None:
        tree.pop(name, None)
    else:
        tree[name] = entry
