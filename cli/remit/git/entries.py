"""Raw trees: where their entries are, which one has a name, and in what two of them differ, without reading the rest.

A folder of ten thousand files is a few hundred thousand bytes, and the next commit changes one line of it. So of a tree
that is much like a known one only the part is parsed in which they differ; what is found is the same.
Entries stand in git's order, a folder as if its name ended with a slash; a tree in any other order is refused.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, islice
from operator import lt
from typing import NamedTuple

from remit.errors import GitError
from remit.git.parsing import decode, encode
from remit.git.values import TREE_MODE, TreeEntry

_MODE, _NAME = rb"[0-7]{1,7}", rb"[^\0/]+"
_HEAD = re.compile(rb"(%b) (%b)\0" % (_MODE, _NAME))
_LINK, _REGULAR, _FOLDER, _KIND = 0o120000, 0o100000, 0o040000, 0o170000
_REGULAR_MODES = ("100644", "100755")
_PLAIN = b"100644 "
_UNREADABLE, _DAMAGED = "a tree is not written as trees are", "the repository is damaged: git fsck"
_FEW = 500
"""Entries of a tree that is parsed as a whole when one of them is looked for."""


class Columns(NamedTuple):
    """Entries side by side: their names and their ids, as git writes them in a tree."""

    names: list[bytes]
    ids: list[bytes]


@dataclass(frozen=True)
class Tree:
    """A raw tree whose ids have ``width`` bytes.

    Attributes:
        raw: The tree as git has it.
        starts: Where its entries begin, and at last where it ends.
        odd: How many entries are neither regular files nor folders.
        inner: How many are folders.
    """

    raw: bytes
    width: int
    starts: array[int]
    odd: int
    inner: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[tuple[str, TreeEntry]]:
        whole = _entries(self.width).findall(self.raw)
        return ((decode(name), TreeEntry(_shown(mode), oid.hex())) for mode, name, oid in whole)

    def at(self, number: int) -> tuple[str, TreeEntry]:
        """Name and entry of that number, from 0."""
        return _entry(self.raw, self.starts[number], self.width)

    def get(self, name: str) -> TreeEntry | None:
        """The entry of that name, or None."""
        if len(self) <= _FEW:
            return self._by_name.get(name)
        for key in (encode(name), encode(name) + b"/"):
            number = self._place(key)
            if self._stands(number, key):
                return self.at(number)[1]
        return None

    def columns(self) -> Columns:
        """Names and ids of all entries, in their order."""
        raw, width, ends = self.raw, self.width, self.starts[1:]
        names = [raw[raw.index(b" ", at) + 1 : end - width - 1] for at, end in zip(self.starts, ends, strict=False)]
        return Columns(names, [raw[end - width : end] for end in ends])

    def altered(self, changes: Mapping[str, TreeEntry | None]) -> bytes:
        """The raw tree with the entries of these names; None takes one out."""
        edits = []
        for name, entry in changes.items():
            for key in (encode(name), encode(name) + b"/"):
                number = self._place(key)
                end = self.starts[number + self._stands(number, key)]
                row = _row(name, entry) if entry is not None and key == _sorted_as(name, entry) else b""
                edits.append((self.starts[number], key, end, row))
        parts, at = [], 0
        for start, _, end, row in sorted(edits):
            parts += [self.raw[at:start], row]
            at = end
        return b"".join([*parts, self.raw[at:]])

    @cached_property
    def _by_name(self) -> dict[str, TreeEntry]:
        return dict(self)

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """The ids of the trees in it."""
        return tuple(entry.oid for _, entry in self if entry.mode == TREE_MODE) if self.inner else ()

    def _place(self, key: bytes) -> int:
        """The number of the first entry that is not before ``key``."""
        return bisect_left(range(len(self)), key, key=self._key)

    def _stands(self, number: int, key: bytes) -> bool:
        return number < len(self) and self._key(number) == key

    def _key(self, number: int) -> bytes:
        return _key(self.raw, self.starts[number])


def parse(raw: bytes, width: int, like: Tree | None = None) -> Tree:
    """The tree in ``raw``; quicker when it is much ``like`` another one.

    Raises:
        GitError: it is not written as trees are, or not in order.
    """
    if like is None or like.width != width:
        return _whole(raw, width)
    first, last, middle, rest = _spliced(like, raw)
    starts = like.starts[:first] + middle + rest
    _in_order(raw, starts, max(0, first - 1), min(first + len(middle) + 1, len(starts) - 1))
    gone, come = _kinds(like.raw, like.starts[first:last]), _kinds(raw, middle)
    return Tree(raw, width, starts, like.odd - gone[0] + come[0], like.inner - gone[1] + come[1])


def differing(old: Tree, new: Tree) -> list[tuple[str, TreeEntry | None, TreeEntry | None]]:
    """The names whose entries differ, with the entry of each side (None: absent); in the order of either."""
    first, last, middle, _ = _spliced(old, new.raw)
    before = dict(old.at(number) for number in range(first, last))
    after = dict(_entry(new.raw, start, new.width) for start in middle)
    names = dict.fromkeys((*before, *after))
    return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def _spliced(old: Tree, raw: bytes) -> tuple[int, int, array[int], array[int]]:
    """Which entries of ``old`` (from, up to) ``raw`` replaces, where those that replace them begin, and the rest.

    What stands before an entry decides where it begins. So the beginnings in the part that both have at their start are
    the same; and from the first beginning on that both have in the part that they share at their end, all of them are.
    """
    same = _common(old.raw, raw, from_end=False)
    first = bisect_left(old.starts, same + 1) - 1
    shift = len(raw) - len(old.raw)
    tail = max(len(old.raw) - _common(old.raw, raw, from_end=True), old.starts[first])

    def is_shared(at: int) -> bool:
        return at - shift >= tail and old.starts[bisect_left(old.starts, at - shift)] == at - shift

    middle, end = _starts(raw, old.starts[first], old.width, is_shared)
    last = bisect_left(old.starts, end - shift)
    rest = old.starts[last:] if not shift else array("Q", (start + shift for start in old.starts[last:]))
    return first, last, middle, rest


@cache
def _heads(width: int) -> re.Pattern[bytes]:
    """What finds mode and name of every entry, in one."""
    return re.compile(rb"(%b %b)\0.{%d}" % (_MODE, _NAME, width), re.DOTALL)


@cache
def _entries(width: int) -> re.Pattern[bytes]:
    """What finds mode, name and id of every entry."""
    return re.compile(rb"(%b) (%b)\0(.{%d})" % (_MODE, _NAME, width), re.DOTALL)


def _whole(raw: bytes, width: int) -> Tree:
    """A tree of which nothing is known; that of many plain files without looking at one of them by itself."""
    heads = _heads(width).findall(raw)
    starts = array("Q", accumulate((len(head) + 1 + width for head in heads), initial=0))
    if starts[-1] != len(raw):
        raise GitError(_UNREADABLE, hint=_DAMAGED)
    if all(head.startswith(_PLAIN) for head in heads):
        _increasing(heads)
        return Tree(raw, width, starts, 0, 0)
    _in_order(raw, starts, 0, len(heads))
    return Tree(raw, width, starts, *_kinds(raw, starts[:-1]))


def _starts(raw: bytes, at: int, width: int, is_end: Callable[[int], bool]) -> tuple[array[int], int]:
    """Where entries begin from ``at`` up to an end, and which end that is."""
    found = array("Q")
    while not is_end(at):
        head = _HEAD.match(raw, at)
        if head is None or head.end() + width > len(raw):
            raise GitError(_UNREADABLE, hint=_DAMAGED)
        found.append(at)
        at = head.end() + width
    return found, at


def _in_order(raw: bytes, starts: array[int], first: int, last: int) -> None:
    _increasing([_key(raw, start) for start in starts[first:last]])


def _increasing(keys: Sequence[bytes]) -> None:
    if not all(map(lt, keys, islice(keys, 1, None))):
        raise GitError("a tree is not in order, or names something twice", hint=_DAMAGED)


def _kinds(raw: bytes, starts: array[int]) -> tuple[int, int]:
    """How many entries are neither regular files nor folders, and how many are folders."""
    modes = Counter(_canonical(int(raw[start : raw.index(b" ", start)], 8)) for start in starts)
    return modes.total() - sum(modes[mode] for mode in (TREE_MODE, *_REGULAR_MODES)), modes[TREE_MODE]


def _key(raw: bytes, start: int) -> bytes:
    """What git sorts an entry by."""
    mode, _, name = raw[start : raw.index(b"\0", start)].partition(b" ")
    return name + b"/" if int(mode, 8) & _KIND == _FOLDER else name


def _entry(raw: bytes, start: int, width: int) -> tuple[str, TreeEntry]:
    end = raw.index(b"\0", start)
    mode, _, name = raw[start:end].partition(b" ")
    return decode(name), TreeEntry(_canonical(int(mode, 8)), raw[end + 1 : end + 1 + width].hex())


def _sorted_as(name: str, entry: TreeEntry) -> bytes:
    return encode(name) + b"/" if entry.mode == TREE_MODE else encode(name)


def _row(name: str, entry: TreeEntry) -> bytes:
    return b"%b %b\0%b" % (entry.mode.encode(), encode(name), bytes.fromhex(entry.oid))


@cache
def _shown(mode: bytes) -> str:
    return _canonical(int(mode, 8))


def _canonical(mode: int) -> str:
    """A mode as git shows it, whatever stands in the tree."""
    if mode & _KIND == _REGULAR:
        return "100755" if mode & 0o100 else "100644"
    return {_LINK: "120000", _FOLDER: TREE_MODE}.get(mode & _KIND, "160000")


def _common(one: bytes, other: bytes, *, from_end: bool) -> int:
    """How many bytes two texts have in common at their start, or at their end."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if from_end:
            same = one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]
        else:
            same = one[low:middle] == other[low:middle]
        low, high = (middle, high) if same else (low, middle - 1)
    return low
