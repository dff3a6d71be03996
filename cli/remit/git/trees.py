"""Trees and blobs: reading and writing them past index and files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from remit.errors import GitError
from remit.git.entries import Tree, parse
from remit.git.listings import Listings
from remit.git.objects import Found
from remit.git.packs import pack
from remit.git.parsing import check_oid, check_path, parse_tree
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
        return self._id("blob", data)

    def write_blob(self, data: bytes) -> str:
        """Store ``data`` and give its id."""
        return self.write_blobs([data])[0]

    def write_blobs(self, many: Sequence[bytes]) -> list[str]:
        """Store many blobs by one process; ids in the same order."""
        self._store([("blob", data) for data in many])
        return [self.blob_id(data) for data in many]

    def commit_with(self, base_tree: str | None, changes: Mapping[str, bytes | None]) -> str:
        """The tree that is ``base_tree`` with ``changes`` made; None removes a path. Index and files stay untouched."""
        blobs = {path: self.blob_id(data) for path, data in changes.items() if data is not None}
        tree, made = self._laid(base_tree, {path: blobs.get(path) for path in changes})
        self._store([*(("blob", data) for data in changes.values() if data is not None), *made])
        return tree

    def tree_with(self, base_tree: str | None, changes: Mapping[str, str | None], *, held: str = "") -> str:
        """Like ``commit_with``, for blobs that are stored already; every file it writes has mode 100644.

        Args:
            base_tree: The id of a tree; None for an empty one.
            changes: The blob of each path; None removes it.
            held: A tree that some ref holds; when it is the result, nothing has to be written.

        Raises:
            GitError: one of the blobs is missing.
        """
        wanted = sorted({check_oid(oid) for oid in changes.values() if oid is not None})
        kinds = zip(wanted, self._objects.kinds(wanted), strict=True)
        if missing := [oid for oid, found in kinds if found is None or found.kind != "blob"]:
            raise GitError(f"the blob {missing[0]} is missing")
        tree, made = self._laid(base_tree, changes)
        if tree not in (held, *self._stored):
            self._store(made)
        return tree

    def _laid(self, base_tree: str | None, changes: Mapping[str, str | None]) -> tuple[str, list[tuple[str, bytes]]]:
        """The id of a tree with ``changes`` made, and the trees that it has and the base has not."""
        edits: dict[str, dict[str, TreeEntry | None]] = {folder: {} for path in changes for folder in _folders(path)}
        for path, oid in changes.items():
            folder, _, name = check_path(path).rpartition("/")
            edits[folder][name] = TreeEntry(FILE_MODE, oid) if oid is not None else None
        made = []
        for folder in sorted(edits.keys() - {""}, key=_depth, reverse=True):
            before = self._folder_of(base_tree, folder)
            raw = before.altered(edits[folder])
            parent, _, name = folder.rpartition("/")
            if raw:
                edits[parent][name] = TreeEntry(TREE_MODE, self._id("tree", raw))
                made.append(("tree", raw))
            elif len(before) and edits[parent].get(name) is None:
                edits[parent][name] = None
        top = self._folder_of(base_tree, "").altered(edits.get("", {}))
        return self._id("tree", top), [*made, ("tree", top)]

    def _folder_of(self, tree: str | None, folder: str) -> Tree:
        """A folder of a tree, empty when it is not there."""
        oid = tree
        if tree is not None and folder:
            found = self.entry(check_oid(tree), folder)
            oid = found.oid if found is not None and found.mode == TREE_MODE else None
        return self._tree(check_oid(oid)) if oid is not None else parse(b"", len(self.zero) // 2)

    def _store(self, objects: Sequence[tuple[str, bytes]]) -> None:
        """Write objects, those first that others name, by one process that syncs each before it has its name."""
        # Not by mktree: it does not read core.fsync, and what it writes is gone after a loss of power.
        if not objects:
            return
        self._git(["unpack-objects", "-q"], stdin=pack(objects, self.object_format))
        for kind, data in objects:
            oid = self._id(kind, data)
            self._stored.add(oid)
            self._remember(oid, Found(kind, len(data), data))

    def _id(self, kind: str, data: bytes) -> str:
        head = f"{kind} {len(data)}\0".encode()
        return hashlib.new(self.object_format, head + data, usedforsecurity=False).hexdigest()


def _folders(path: str) -> list[str]:
    """Every folder above ``path``, the top (an empty text) included."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts) + 1)]


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0
