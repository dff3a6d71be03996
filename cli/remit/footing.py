"""Which files of a working tree are still what they were, told without reading them.

What a file held is known by its marks: times, size and inode, as the file system had them before it was read. Marks so
fresh that another change might leave the same ones are not believed: such a file is read again. Where the index of the
repository held the very marks that we know, git says at once which files have others by now; otherwise all are asked.

Source: design section 11, point 8; security rule R18.
"""

from __future__ import annotations

import hashlib
import os
import stat
from bisect import bisect_left
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import accumulate
from struct import Struct
from typing import NamedTuple

from remit.git import Marks, Repository, cut
from remit.store import CONFIG, FOLDERS, Store, is_store_path, marks_of, read_regular

FRESH = 2_000_000_000
"""Nanoseconds within which two changes may leave the same marks."""

NO_MARKS = Marks(0, 0, 0, 0)
_MANY = 100
_MARKS, _START = Struct("<4Q"), Struct("<I")


class Now(NamedTuple):
    """A file as it is: its id, the marks that it had before it was read, and its bytes."""

    oid: str
    marks: Marks
    data: bytes


@dataclass(frozen=True)
class Footing:
    """The files of a store as they were once.

    Attributes:
        paths: Every path, in the order of its bytes, each with a line end.
        starts: Where each path begins in them.
        oids: The id that git has or would have for each, in the same order.
        marks: The marks of each, four numbers; nothing at all for the files of a commit.
        folders: The marks of each folder, also of one that was not there.
        index: The marks of the index when it knew those of all these files but the ``loose``.
        loose: Paths of which the index does not know the marks.
        tree: The id of the tree that holds exactly these files; empty when it is not known.
    """

    paths: bytes
    starts: bytes
    oids: bytes
    marks: bytes = b""
    folders: Mapping[str, Marks] = field(default_factory=dict)
    index: Marks = NO_MARKS
    loose: frozenset[str] = frozenset()
    tree: str = ""

    def __len__(self) -> int:
        return len(self.starts) // _START.size

    def oid(self, path: str) -> str | None:
        """The id of a file; None when it is not there."""
        place, width = self._place(path), self._width
        return None if place is None else self.oids[place * width : (place + 1) * width].hex()

    def marks_at(self, path: str) -> Marks:
        """The marks of a file."""
        place = self._place(path)
        return NO_MARKS if place is None else Marks(*_MARKS.unpack_from(self.marks, place * _MARKS.size))

    def path(self, number: int) -> str:
        """The path of that number, from 0, in the order of their bytes."""
        return os.fsdecode(self._path(number))

    def below(self, folder: str) -> list[str]:
        """The paths in a folder and in the folders in it."""
        first, end = self._span(folder)
        return os.fsdecode(self.paths[self._start(first) : self._start(end)]).split("\n")[:-1]

    def columns(self, folder: str) -> tuple[bytes, bytes]:
        """The paths in a folder and in the folders in it, each with a line end, and their ids, as they are kept."""
        first, end, width = *self._span(folder), self._width
        return self.paths[self._start(first) : self._start(end)], self.oids[first * width : end * width]

    def within(self, folder: str) -> tuple[set[str], set[str]]:
        """The names of the files and of the folders in a folder itself."""
        files: set[str] = set()
        folders: set[str] = set()
        place, end = self._span(folder)
        begin = len(os.fsencode(folder)) + 1
        while place < end:
            path = self._path(place)
            name, inner, _ = path[begin:].partition(b"/")
            (folders if inner else files).add(os.fsdecode(name))
            place = self._first(path[:begin] + name + b"0") if inner else place + 1
        return files, folders

    def all(self) -> list[str]:
        """Every path, in the order of its bytes."""
        return os.fsdecode(self.paths).split("\n")[:-1]

    def ids(self) -> dict[str, str]:
        """The id of every path."""
        text, width = self.oids.hex(), 2 * self._width
        return {path: text[at * width : (at + 1) * width] for at, path in enumerate(self.all())}

    def with_files(self, files: Mapping[str, Now | None]) -> Footing:
        """The same with some files as they are now, or gone."""
        stay = {path: now for path, now in files.items() if now is not None and self._place(path) is not None}
        if len(stay) < len(files):
            marks = dict(zip(self.all(), _MARKS.iter_unpack(self.marks), strict=False))
            ids = self.ids() | {path: now.oid for path, now in files.items() if now is not None}
            kept = {path: oid for path, oid in ids.items() if files.get(path, oid) is not None}
            known = {path: Marks(*seen) for path, seen in marks.items()}
            whole = footing_of(kept, known if self.marks or not len(self) else None, self.folders)
            return replace(whole, index=self.index, loose=self.loose, tree=self.tree).with_marks(
                {path: now.marks for path, now in files.items() if now is not None}
            )
        oids, width = bytearray(self.oids), self._width
        for path, now in stay.items():
            place = self._place(path) or 0
            oids[place * width : (place + 1) * width] = bytes.fromhex(now.oid)
        return replace(self, oids=bytes(oids)).with_marks({path: now.marks for path, now in stay.items()})

    def in_tree(self, tree: str) -> Footing:
        """The same files in a tree, where they have no marks."""
        return Footing(self.paths, self.starts, self.oids, tree=tree)

    def with_marks(self, seen: Mapping[str, Marks]) -> Footing:
        """The same with other marks of some files that are there."""
        if not self.marks or not seen:
            return self
        marks = bytearray(self.marks)
        for path, fresh in seen.items():
            _MARKS.pack_into(marks, (self._place(path) or 0) * _MARKS.size, *fresh)
        return replace(self, marks=bytes(marks))

    @property
    def _width(self) -> int:
        return len(self.oids) // max(len(self), 1)

    def _place(self, path: str) -> int | None:
        name = os.fsencode(path)
        place = self._first(name)
        return place if place < len(self) and self._path(place) == name else None

    def _span(self, folder: str) -> tuple[int, int]:
        """The places of what is in a folder: the first, and the one behind the last."""
        name = os.fsencode(folder)
        return self._first(name + b"/"), self._first(name + b"0")  # what follows a slash

    def _first(self, name: bytes) -> int:
        """The place of the first path that is not before ``name``."""
        return bisect_left(range(len(self)), name, key=self._path)

    def _path(self, place: int) -> bytes:
        return self.paths[self._start(place) : self._start(place + 1) - 1]

    def _start(self, place: int) -> int:
        return int(_START.unpack_from(self.starts, place * _START.size)[0]) if place < len(self) else len(self.paths)


def footing_of(
    ids: Mapping[str, str], marks: Mapping[str, Marks] | None = None, folders: Mapping[str, Marks] | None = None
) -> Footing:
    """The files of these ids; with ``marks``, those of a working tree and of its folders."""
    paths = sorted(ids, key=os.fsencode)
    lines = [os.fsencode(path) + b"\n" for path in paths]
    return Footing(
        b"".join(lines),
        b"".join(map(_START.pack, accumulate(map(len, lines[:-1]), initial=0))) if lines else b"",
        bytes.fromhex("".join(ids[path] for path in paths)),
        b"" if marks is None else b"".join(_MARKS.pack(*marks.get(path, NO_MARKS)) for path in paths),
        folders or {},
    )


def blob_id(data: bytes, algorithm: str = "sha1") -> str:
    """The id that git gives to a file of these bytes."""
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


# --- looking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sight:
    """A working tree compared with what it was.

    Attributes:
        touched: Files that are not what they were; None for one that is gone.
        footing: The files as they are now.
    """

    touched: Mapping[str, Now | None]
    footing: Footing


class Irregular(Exception):
    """Something in the store is no regular file or cannot be read; ``Store.files`` says what."""


def look(store: Store, known: Footing, before: int) -> Sight:
    """What has changed in the working tree of a store that is in git.

    Args:
        store: The store.
        known: Its files as they were.
        before: Nanoseconds since 1970; marks of that time and later are not believed.

    Raises:
        Irregular: there is something else than regular files and folders.
    """
    repository = store.in_git()
    index = _index_marks(repository, before)
    with ThreadPoolExecutor(1) as beside:
        asked: Future[set[str]] | None = None
        if index == known.index != NO_MARKS:
            asked = beside.submit(repository.moved_on, [store.prefix + name for name in (CONFIG, *FOLDERS)])
        folders, suspects = _look_through(store, known, before)
        if asked is None:
            suspects |= set(known.all())
        else:
            inside = (path.removeprefix(store.prefix) for path in asked.result())
            suspects |= {*known.loose, *(path for path in inside if is_store_path(path))}
    touched, again = _read_anew(store, known, suspects | {CONFIG}, before)
    footing = replace(known.with_files(touched).with_marks(again), folders=folders, tree="")
    if asked is not None:
        there = {path for path, now in touched.items() if now is not None}
        return Sight(touched, replace(footing, loose=(known.loose | there) - (touched.keys() - there)))
    return Sight(touched, witnessed(store, footing, before)[0])


def witnessed(store: Store, footing: Footing, before: int) -> tuple[Footing, frozenset[str]]:
    """The same with the index as a witness of the marks that it holds too; and the files of which git has no blob."""
    repository = store.in_git()
    index = _index_marks(repository, before)
    held = repository.watched()
    paths = footing.all()
    if held is None or _index_marks(repository, before) != index:
        return replace(footing, index=NO_MARKS, loose=frozenset()), frozenset(paths)
    others, ids = (NO_MARKS, ""), footing.ids()
    entries = [held.get(store.prefix + path, others) for path in paths]
    unheld = frozenset(path for path, entry in zip(paths, entries, strict=True) if entry[1] != ids[path])
    marks = zip(paths, entries, _MARKS.iter_unpack(footing.marks), strict=True)
    loose = frozenset(path for path, entry, seen in marks if entry[0] != cut(*seen))
    return replace(footing, index=index, loose=loose), unheld


def believed(seen: Marks, before: int) -> Marks:
    """Marks that are old enough to tell every later change; otherwise none."""
    return seen if max(seen.ctime, seen.mtime) < before else NO_MARKS


def _index_marks(repository: Repository, before: int) -> Marks:
    try:
        return believed(marks_of(os.lstat(repository.git_dir / "index")), before)
    except OSError:
        return NO_MARKS


def _look_through(store: Store, known: Footing, before: int) -> tuple[dict[str, Marks], set[str]]:
    """The folders as they are, and the files that came into them or went."""
    folders: dict[str, Marks] = {}
    differing: set[str] = set()
    waiting = list(known.folders)
    while waiting:
        folder = waiting.pop()
        place = f"{store.root}/{folder}"
        try:
            found = os.lstat(place)
            if not stat.S_ISDIR(found.st_mode):
                raise Irregular(folder)
            seen = believed(marks_of(found), before)
            if seen == known.folders.get(folder) != NO_MARKS:
                folders[folder] = seen
                continue
            files, inner = _entries(place, folder)
        except FileNotFoundError:
            seen, files, inner = NO_MARKS, set(), set()
        except OSError as error:
            raise Irregular(folder) from error
        if files or inner or folder in FOLDERS:
            folders[folder] = seen
        differing |= files ^ {path for path in known.below(folder) if "/" not in path[len(folder) + 1 :]}
        waiting += inner - known.folders.keys()
    return folders, differing


def _entries(place: str, folder: str) -> tuple[set[str], set[str]]:
    """The files and the folders in a folder."""
    files, inner = set(), set()
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = f"{folder}/{entry.name}"
            if entry.is_file(follow_symlinks=False) and "\n" not in path:
                files.add(path)
            elif entry.is_dir(follow_symlinks=False):
                inner.add(path)
            else:
                raise Irregular(path)
    return files, inner


def _read_anew(
    store: Store, known: Footing, suspects: set[str], before: int
) -> tuple[dict[str, Now | None], dict[str, Marks]]:
    """Those that are not what they were, and the marks of those that are all the same."""
    touched: dict[str, Now | None] = {}
    again: dict[str, Marks] = {}
    many = len(suspects) > _MANY
    marks = dict(zip(known.all(), _MARKS.iter_unpack(known.marks), strict=True)) if many else {}
    for path in suspects:
        held = marks.get(path) if many else known.marks_at(path)
        try:
            found = os.lstat(f"{store.root}/{path}")
            if marks_of(found) == held:
                continue
            if stat.S_ISDIR(found.st_mode):
                raise FileNotFoundError
            if not stat.S_ISREG(found.st_mode):
                raise Irregular(path)
            data, seen = read_regular(f"{store.root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            if known.oid(path) is not None:
                touched[path] = None
            continue
        except OSError as error:
            raise Irregular(path) from error
        now = Now(blob_id(data, store.in_git().object_format), believed(seen, before), data)
        if now.oid != known.oid(path):
            touched[path] = now
        elif now.marks != held:
            again[path] = now.marks
    return touched, again
