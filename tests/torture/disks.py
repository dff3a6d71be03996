"""Disks that fill up or turn read-only, and limits of the system, under a command.

A disk is a small file system in memory, in a mount table that only one process and its children see.

Source: security, F4, F5, F14.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

from torture.faults import Count
from torture.processes import Child
from torture.scenes import Scene, nothing

_NEW_MOUNTS, _READ_ONLY, _REMOUNT, _PRIVATE = 0x00020000, 1, 32, 0x4000 | 1 << 18
_MEGABYTES = 24
_BLOCK = 4096


def may_mount() -> bool:
    """Whether this system lets us have mounts of our own."""
    return Child.start(lambda: _own_mounts() or 0).wait()[0] == 0


def on_full_disk(make: Callable[[Path], Scene], folder: Path, blocks: Iterable[int]) -> Count:
    """Give the command with so many blocks of the disk left, and again when there is room."""

    def work(scene: Scene) -> Count:
        count = Count(f"{scene.name} on a full disk")
        for left in blocks:
            scene.reset()
            ballast = scene.folder.parent / "ballast"
            _fill(ballast, left)
            code, said = scene.begin(nothing).wait()
            ballast.unlink()
            count.add(f"{left} blocks left", scene.judge(code, said), inside=code != 0)
        return count

    return _on_a_disk(make, folder, work)


def on_read_only_disk(make: Callable[[Path], Scene], folder: Path) -> Count:
    """Give the command on a disk that cannot be written, and again when it can."""

    def work(scene: Scene) -> Count:
        count = Count(f"{scene.name} on a read-only disk")
        scene.reset()
        _mount(scene.folder.parent, _REMOUNT | _READ_ONLY)
        code, said = scene.begin(nothing).wait()
        _mount(scene.folder.parent, _REMOUNT)
        count.add("read-only", scene.judge(code, said), inside=code == 2 and "ead-only" in said)
        return count

    return _on_a_disk(make, folder, work)


def _on_a_disk(make: Callable[[Path], Scene], folder: Path, work: Callable[[Scene], Count]) -> Count:
    """Set the scene on a small disk of its own, and count there."""
    disk, result = folder / "disk", folder / "result.json"
    disk.mkdir(parents=True)

    def inside() -> int:
        _own_mounts()
        _mount(disk, 0)
        result.write_text(json.dumps(work(make(disk / "scene")).__dict__))
        return 0

    code, said = Child.start(inside).wait()
    if code:
        raise AssertionError(said)
    return Count(**json.loads(result.read_text()))


def _own_mounts() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) or libc.mount(b"none", b"/", None, _PRIVATE, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _mount(place: Path, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", str(place).encode(), b"tmpfs", flags, f"size={_MEGABYTES}m".encode()):
        raise OSError(ctypes.get_errno(), f"{place}: {os.strerror(ctypes.get_errno())}")


def _fill(ballast: Path, left: int) -> None:
    """Take all of the disk but ``left`` blocks."""
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, (shutil.disk_usage(ballast.parent).free // _BLOCK - left) * _BLOCK)


# -- limits ------------------------------------------------------------------------------------------------------------

LIMITS = {
    "open files": (resource.RLIMIT_NOFILE, (4, 6, 8, 10, 12)),
    "bytes of a file": (resource.RLIMIT_FSIZE, (0, 64, 128, 256, 512, 1024, 2048)),
    "bytes of memory": (resource.RLIMIT_AS, (0, 1 << 19, 1 << 20)),
}
"""What the system may grant, and how much; memory beyond what the process has when it begins."""


def limited(scene: Scene, times: int, dice: Random) -> Count:
    """Give the command with less of something than it needs, so many times."""
    count = Count(f"{scene.name} under limits")
    points = [(name, kind, value) for name, (kind, values) in LIMITS.items() for value in values]
    for name, kind, value in dice.sample(points, min(times, len(points))):

        def fault(kind: int = kind, value: int = value) -> None:
            most = value + (_memory() if kind == resource.RLIMIT_AS else 0)
            resource.setrlimit(kind, (most, most))

        scene.reset()
        code, said = scene.begin(fault).wait()
        count.add(f"{value} {name}", scene.judge(code, said), inside=code != 0)
    return count


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
