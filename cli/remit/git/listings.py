"""What trees hold: one path, everything below a folder, and in what two of them differ.

Trees are read by the git that stands by, and parsed here: what two of them have in common is looked at once. Modes are
as git shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from remit.errors import GitError
from remit.git.entries import Columns, Tree, differing, parse
from remit.git.opened import Opened
from remit.git.parsing import check_oid
from remit.git.values import TREE_MODE, ChangedPath, TreeEntry
from remit.sentences import say

MOST_LISTED = 2_000_000
KEPT_ENTRIES = 1_000_000
_LARGEST_TREE = 16 * 1024 * 1024
"""Paths of one listing, entries that are kept for the next question, bytes of a tree whose differences are counted."""

_Pair = tuple[str, str]
"""The ids of a folder on two sides, empty where it is absent."""


class Listings(Opened):
    """The trees of a repository."""

    def list_tree(self, commit: str, paths: Sequence[str] = ()) -> dict[str, TreeEntry]:
        """Every file of a commit or tree, by path; with ``paths`` only those files and what is below those folders.

        Raises:
            GitError: there are more than ``MOST_LISTED``, or a tree cannot be read.
        """
        tree = self.tree_of(commit)
        if not paths:
            return dict(self._below(tree, ""))
        found: dict[str, TreeEntry] = {}
        for path in sorted(path.rstrip("/") for path in paths):
            entry = self.entry(tree, path)
            if entry is not None:
                found |= self._below(entry.oid, f"{path}/") if entry.mode == TREE_MODE else {path: entry}
        return found

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """What stands at a path of a commit or tree, a folder too; None when nothing does."""
        *folders, name = path.split("/")
        tree = self._tree(self.tree_of(commit))
        for folder in folders:
            inner = tree.get(folder)
            if inner is None or inner.mode != TREE_MODE:
                return None
            tree = self._tree(inner.oid)
        return tree.get(name)

    def files_in(self, commit: str, folder: str) -> dict[str, TreeEntry]:
        """What stands in one folder of a commit or tree itself and is no folder, by name; empty where there is none."""
        return {name: entry for name, entry in self._folder(commit, folder) or () if entry.mode != TREE_MODE}

    def within(self, commit: str, folder: str) -> dict[str, TreeEntry]:
        """What stands in one folder of a commit or tree itself, by name, folders too; empty where there is none."""
        tree = self._folder(commit, folder)
        if tree is None:
            return {}
        self._batch(tree.folders)  # whoever asks goes on to them: all at one time
        return dict(tree)

    def plain_files(self, commit: str, folder: str) -> Columns | None:
        """Names and ids of a folder that holds nothing but regular files, in git's order; None for any other."""
        tree = self._folder(commit, folder)
        return tree.columns() if tree is not None and not tree.odd and not tree.inner else None

    def _folder(self, commit: str, folder: str) -> Tree | None:
        found = self.entry(commit, folder)
        return self._tree(found.oid) if found is not None and found.mode == TREE_MODE else None

    def count_in(self, commit: str, folder: str) -> int:
        """How many entries one folder of a commit or tree itself has, folders included."""
        found = self.entry(commit, folder) if folder else TreeEntry(TREE_MODE, self.tree_of(commit))
        return len(self._tree(found.oid)) if found is not None and found.mode == TREE_MODE else 0

    def has_odd(self, tree: str) -> bool:
        """Whether anything but regular files is in a tree or below it."""
        if tree not in self._odd:
            parsed = self._tree(tree)
            self._batch([folder for folder in parsed.folders if folder not in self._odd])  # all at one time
            self._odd[tree] = parsed.odd > 0 or any(self.has_odd(folder) for folder in parsed.folders)
        return self._odd[tree]

    def sizes(self, oids: Iterable[str]) -> dict[str, int]:
        """The size of each object in bytes, without reading it; a missing one is left out."""
        names = sorted({check_oid(oid) for oid in oids})
        known = {name: len(self._read[name]) for name in names if name in self._read}
        wanted = [name for name in names if name not in known]
        found = zip(wanted, self._objects.kinds(wanted), strict=True)
        return known | {name: one.size for name, one in found if one is not None}

    def changed_paths(self, before: str, after: str) -> list[ChangedPath]:
        """What differs between two commits or trees, by path; a rename is a removal and an addition."""
        found: list[ChangedPath] = []
        pairs = [("", self.tree_of(before), self.tree_of(after))]
        while pairs:
            folder, old, new = pairs.pop()
            for name, one, other in self._differing(old, new):
                path = f"{folder}{name}"
                if _folder(one) != _folder(other):
                    pairs.append((f"{path}/", _folder(one), _folder(other)))
                if (was := _file(one)) or _file(other):
                    found.append(_changed(path, was, _file(other)))
            if len(found) > MOST_LISTED:
                raise GitError(f"more than {MOST_LISTED} paths differ")
        return sorted(found, key=lambda change: change.path)

    def why_too_large(self, before: str, after: str, *, most: int, deepest: int) -> str:
        """Why the difference between two commits or trees is not to be listed; empty when it is.

        Trees that hold one another many times over are small to send and endless to list. Here each pair of them is
        looked at once, its size before its content, and nothing is listed.

        Args:
            most: How many files may differ.
            deepest: How many folders there may be above a file.
        """
        levels: list[set[_Pair]] = [{(self.tree_of(before), self.tree_of(after))}]
        inner: dict[_Pair, list[_Pair]] = {}
        files: dict[_Pair, int] = {}
        while levels[-1]:
            if len(levels) > deepest + 1:
                return say("proof.folders-deep", most=deepest)
            trees = {oid for pair in levels[-1] for oid in pair if oid}
            if max(self.sizes(trees).values(), default=0) > _LARGEST_TREE or len(trees) > most:
                return say("proof.many-paths", most=most)
            self._batch([oid for oid in sorted(trees) if oid not in self._trees])
            for pair in levels[-1]:
                sides = [(one, other) for _, one, other in self._differing(*pair)]
                folders = [(_folder(one), _folder(other)) for one, other in sides]
                inner[pair] = [(old, new) for old, new in folders if old != new]
                files[pair] = sum(any(map(_file, side)) for side in sides)
            levels.append({pair for above in levels[-1] for pair in inner[above]})
        for level in reversed(levels[:-1]):
            for pair in level:
                # A tree may stand on several levels; below it everything is counted when it is met from below.
                files[pair] += sum(files[below] for below in inner.pop(pair, ()))
        (top,) = levels[0]
        return say("proof.many-paths", most=most) if files[top] > most else ""

    def _differing(self, old: str, new: str) -> Iterator[tuple[str, TreeEntry | None, TreeEntry | None]]:
        if old and new:
            before = self._tree(old)
            yield from differing(before, self._tree(new, before))
        elif old:
            yield from ((name, entry, None) for name, entry in self._tree(old))
        elif new:
            yield from ((name, None, entry) for name, entry in self._tree(new))

    def _below(self, tree: str, prefix: str) -> Iterator[tuple[str, TreeEntry]]:
        """Every file below a tree in git's order, its path behind ``prefix``."""
        count, open_ones = 0, [(prefix, iter(self._tree(tree)))]
        while open_ones:
            folder, entries = open_ones[-1]
            for name, entry in entries:
                if entry.mode == TREE_MODE:
                    open_ones.append((f"{folder}{name}/", iter(self._tree(entry.oid))))
                    break
                if (count := count + 1) > MOST_LISTED:
                    raise GitError(f"the tree {tree} holds more than {MOST_LISTED} files")
                yield f"{folder}{name}", entry
            else:
                open_ones.pop()

    def _tree(self, oid: str, like: Tree | None = None) -> Tree:
        if (known := self._trees.pop(oid, None)) is None:
            known = parse(self._batch([oid])[oid], len(self.zero) // 2, like)
            self._kept_entries += len(known) + 1
        self._trees[oid] = known
        while self._kept_entries > KEPT_ENTRIES and len(self._trees) > 1:
            self._kept_entries -= len(self._trees.pop(next(iter(self._trees)))) + 1
        return known


def _folder(entry: TreeEntry | None) -> str:
    """The id of a folder, empty for anything else."""
    return entry.oid if entry is not None and entry.mode == TREE_MODE else ""


def _file(entry: TreeEntry | None) -> TreeEntry | None:
    """The entry when it is anything but a folder."""
    return None if _folder(entry) else entry


def _changed(path: str, old: TreeEntry | None, new: TreeEntry | None) -> ChangedPath:
    """One path of which at least one side is a file, as ``git diff-tree`` tells it."""
    ids = [entry.oid if entry is not None else None for entry in (old, new)]
    if old is None or new is None:
        return ChangedPath("A" if old is None else "D", path, ids[0], ids[1], new.mode if new else "000000")
    kinds = [entry.mode[:3] for entry in (old, new)]
    return ChangedPath("M" if kinds[0] == kinds[1] else "T", path, ids[0], ids[1], new.mode)
