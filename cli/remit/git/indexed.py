"""The index as a witness: which files on disk are still those whose marks it holds.

What git calls clean may differ from the blob, for line ends and filters are converted on the way. So nothing here says
that a file holds the blob of the index; it says that a file has the marks (times, size, inode) that stand in the index,
and whoever knows what the file held at these marks knows what it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from struct import error as CutShort
from typing import NamedTuple

from remit.git.parsing import decode, records
from remit.git.worktree import Worktree

_WHOLE_MARKS = {
    "core.trustctime": "true",
    "core.checkStat": "default",
    "core.ignoreStat": "false",
    "core.preloadIndex": "true",
    "core.symlinks": "true",
}
_HEADER, _MARKS, _EXTENSION = Struct(">4sII"), Struct(">10I"), Struct(">4sI")
_EXTENDED, _UNWATCHED, _STAGE, _LENGTH = 0x4000, 0x8000, 0x3000, 0x0FFF
_VERSIONS = (2, 3)


class Marks(NamedTuple):
    """What a file system says of a file without reading it; times in nanoseconds, size and inode as git cuts them."""

    mtime: int
    ctime: int
    size: int
    inode: int


def cut(mtime: int, ctime: int, size: int, inode: int) -> Marks:
    """Marks as an index holds them."""
    return Marks(mtime, ctime, size & 0xFFFFFFFF, inode & 0xFFFFFFFF)


class Indexed(Worktree):
    """The marks that the index holds, and which files have others by now."""

    def watched(self) -> dict[str, tuple[Marks, str]] | None:
        """Marks and blob of each file that the index watches, by path; None for one that is not plainly written."""
        try:
            return _read((self.git_dir / "index").read_bytes(), len(self.zero) // 2)
        except (OSError, ValueError, IndexError, CutShort):
            return None

    def moved_on(self, paths: Sequence[str]) -> set[str]:
        """What the index watches, at or below ``paths``, and has other marks by now or is gone."""
        settings = [part for key, value in _WHOLE_MARKS.items() for part in ("-c", f"{key}={value}")]
        command = [*settings, "--literal-pathspecs", "diff-files", "-z", "--name-only", "--ignore-submodules=all"]
        out = self._git([*command, "--", *paths], variables=self._without_filters()).stdout
        return {decode(row) for row in records(out)}


def _read(data: bytes, id_bytes: int) -> dict[str, tuple[Marks, str]] | None:
    """The watched files of an index of version 2 or 3 that is whole in itself."""
    signature, version, count = _HEADER.unpack_from(data)
    if signature != b"DIRC" or version not in _VERSIONS:
        return None
    found: dict[str, tuple[Marks, str]] = {}
    at = _HEADER.size
    for _ in range(count):
        ctime, ctime_ns, mtime, mtime_ns, _, inode, mode, _, _, size = _MARKS.unpack_from(data, at)
        named = at + _MARKS.size + id_bytes + 2
        flags = data[named - 2] << 8 | data[named - 1]
        if flags & _EXTENDED:
            named += 2
        end = named + (flags & _LENGTH)
        if flags & _LENGTH == _LENGTH:
            end = data.index(b"\0", named)
        # An extended entry is one that git was told not to look for, or to be added later.
        if not flags & (_EXTENDED | _UNWATCHED | _STAGE) and mode >> 12 == 8:
            marks = Marks(mtime * 1_000_000_000 + mtime_ns, ctime * 1_000_000_000 + ctime_ns, size, inode)
            found[decode(data[named:end])] = marks, data[at + _MARKS.size : at + _MARKS.size + id_bytes].hex()
        at += (end - at + 8) // 8 * 8
    while at < len(data) - id_bytes:
        name, size = _EXTENSION.unpack_from(data, at)
        if name[:1].islower():  # needed to understand the rest: a split or sparse index
            return None
        at += _EXTENSION.size + size
    return found
