"""Trees and blobs: listing, reading and writing them past index and files."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from remit.errors import GitError
from remit.git.opened import Opened
from remit.git.parsing import check_oid, check_path, decode, encode, lines, parse_tree, records
from remit.git.values import FILE_MODE, TREE_MODE, ChangedPath, TreeEntry

_LARGEST_TREE = 16 * 1024 * 1024
_REMEMBERED_LISTINGS = 4  # of a commit and its parent, whole and people only


class Trees(Opened):
    """The trees and blobs of a repository."""

    def list_tree(self, commit: str, paths: Sequence[str] = ()) -> dict[str, TreeEntry]:
        """Every file of a commit or tree, by path; with ``paths`` only those files and what is below those folders."""
        tree = self.tree_of(commit)
        asked = (tree, *paths)
        listing = self._listings.pop(asked, None)
        if listing is None:
            command = ["--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", tree, "--", *paths]
            listing = {}
            for row in records(self._git(command).stdout):
                meta, _, path = row.partition(b"\t")
                mode, _, oid = meta.decode().split(" ")
                listing[decode(path)] = TreeEntry(mode, oid)
        self._listings[asked] = listing
        while len(self._listings) > _REMEMBERED_LISTINGS:
            del self._listings[next(iter(self._listings))]
        return dict(listing)

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

    def sizes(self, oids: Iterable[str]) -> dict[str, int]:
        """The size of each object in bytes, without reading it; a missing one is left out."""
        names = sorted({check_oid(oid) for oid in oids})
        known = {name: len(self._read[name]) for name in names if name in self._read}
        if len(known) == len(names):
            return known
        command = ["cat-file", "--batch-check=%(objectname) %(objectsize)"]
        wanted = [name for name in names if name not in known]
        rows = (row.split(" ") for row in decode(self._git(command, stdin=lines(wanted)).stdout).splitlines())
        return known | {row[0]: int(row[1]) for row in rows if row[1].isdigit()}

    def blob_id(self, data: bytes) -> str:
        """The id that git gives ``data``, computed without git and without filters."""
        return hashlib.new(self.object_format, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    def write_blob(self, data: bytes) -> str:
        """Store ``data`` and give its id."""
        return self.write_blobs([data])[0]

    def write_blobs(self, many: Sequence[bytes]) -> list[str]:
        """Store many blobs by one process; ids in the same order."""
        if not many:
            return []
        with tempfile.TemporaryDirectory(prefix="remit-blobs-") as folder:
            names = [Path(folder, str(number)) for number in range(len(many))]
            for name, data in zip(names, many, strict=True):
                name.write_bytes(data)
            command = ["hash-object", "-w", "--no-filters", "--stdin-paths"]
            out = self._git(command, stdin=lines(map(str, names))).stdout
        return decode(out).split()

    def commit_with(self, base_tree: str | None, changes: Mapping[str, bytes | None]) -> str:
        """The tree that is ``base_tree`` with ``changes`` made; None removes a path. Index and files stay untouched."""
        kept = {path: data for path, data in changes.items() if data is not None}
        oids = dict(zip(kept, self.write_blobs(list(kept.values())), strict=True))
        return self.tree_with(base_tree, {path: oids.get(path) for path in changes})

    def tree_with(self, base_tree: str | None, changes: Mapping[str, str | None]) -> str:
        """Like ``commit_with``, for blobs that are stored already; every file it writes has mode 100644."""
        for path in changes:
            check_path(path)
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

    def changed_paths(self, before: str, after: str) -> list[ChangedPath]:
        """What differs between two commits or trees, by path; a rename is a removal and an addition."""
        command = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-abbrev"]
        out = self._git([*command, self.tree_of(before), self.tree_of(after), "--"]).stdout
        fields = records(out)
        found = []
        for meta, path in zip(fields[::2], fields[1::2], strict=True):
            _, new_mode, old, new, status = meta.decode().removeprefix(":").split(" ")
            ids = [None if oid == self.zero else oid for oid in (old, new)]
            found.append(ChangedPath(status[0], decode(path), ids[0], ids[1], new_mode))
        return sorted(found, key=lambda change: change.path)

    def why_too_large(self, before: str, after: str, *, most: int, deepest: int) -> str:
        """Why the difference between two commits or trees is not to be listed; empty when it is.

        Trees that hold one another many times over are small to send and endless to list. Here each pair of them is
        looked at once, its size before its content, and nothing is listed.

        Args:
            most: How many files may differ.
            deepest: How many folders there may be above a file.
        """
        levels = [{(self.tree_of(before), self.tree_of(after))}]
        inner: dict[tuple[str, str], list[tuple[str, str]]] = {}
        files: dict[tuple[str, str], int] = {}
        while levels[-1]:
            if len(levels) > deepest + 1:
                return f"it holds folders more than {deepest} deep"
            trees = {oid for pair in levels[-1] for oid in pair if oid}
            if max(self.sizes(trees).values(), default=0) > _LARGEST_TREE or len(trees) > most:
                return f"it touches more than {most} paths"
            raw = self._batch(sorted(trees))
            read = {oid: parse_tree(data, len(self.zero) // 2) for oid, data in raw.items()} | {"": {}}
            for old, new in levels[-1]:
                inner[old, new], files[old, new] = _differing(read[old], read[new])
            levels.append({pair for above in levels[-1] for pair in inner[above]})
        for level in reversed(levels[:-1]):
            for pair in level:
                # A tree may stand on several levels; below it everything is counted when it is met from below.
                files[pair] += sum(files[below] for below in inner.pop(pair, ()))
        (top,) = levels[0]
        return f"it touches more than {most} paths" if files[top] > most else ""

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
        if not names:
            return {}
        command = ["cat-file", "--batch-check=%(objecttype)"]
        kinds = decode(self._git(command, stdin=lines(names)).stdout).split("\n")
        return dict(zip(names, kinds, strict=False))

    def _make_trees(self, trees: Sequence[Mapping[str, tuple[str, str]]]) -> list[str]:
        if not trees:
            return []
        kind = {TREE_MODE: "tree", "160000": "commit"}
        rows = [
            "".join(f"{mode} {kind.get(mode, 'blob')} {oid}\t{name}\0" for name, (mode, oid) in sorted(tree.items()))
            for tree in trees
        ]
        stdin = encode("".join(f"{row}\0" for row in rows))
        return decode(self._git(["mktree", "-z", "--batch"], stdin=stdin).stdout).split()


def _differing(
    before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]
) -> tuple[list[tuple[str, str]], int]:
    """The pairs of unlike folders of two trees (empty: absent), and how many other entries differ."""
    pairs, others = [], 0
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old != new:
            folders = ["" if entry is None or entry[0] != TREE_MODE else entry[1] for entry in (old, new)]
            others += sum(entry is not None and entry[0] != TREE_MODE for entry in (old, new)) > 0
            pairs += [(folders[0], folders[1])] if any(folders) else []
    return pairs, others


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
