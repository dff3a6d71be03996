"""Loss of power: what a disk may hold afterwards, at every instant of a command.

A command runs once under strace, and everything that it and its programs do to files is written down with its bytes.
From that, the disk is put together as a loss of power would leave it. The model is that of a file system with a
journal: names (files made, renamed, removed) last in the order in which they were changed; the bytes of a file last
only as of its last fsync. So for each change of a name there is one state: all names up to it, and of every file what
was synced by then, which may be nothing.

Source: security, F6, R13.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from torture.faults import Count
from torture.scenes import Scene

CALLS = (
    "openat,creat,write,pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir"
    ",ftruncate,fsync,fdatasync,chdir,fchdir,clone,clone3,fork,vfork"
)
NAMING = {"create", "rename", "link", "unlink", "mkdir", "rmdir"}
"""What changes names."""


class Step(NamedTuple):
    """Something that happened to a file: ``what``, to which path, and the bytes or the other path."""

    what: str
    path: str
    other: str = ""
    data: bytes = b""
    at: int = 0


@dataclass
class Node:
    """A file: what it holds, and what of it would last."""

    data: bytes
    durable: bytes
    mode: int = 0o644


@dataclass
class Disk:
    """The files and folders below a folder, by path."""

    files: dict[str, Node] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, top: Path) -> Disk:
        """What is there now; all of it lasts."""
        disk = cls()
        for path in top.rglob("*"):
            if path.is_dir():
                disk.folders.add(str(path))
            else:
                data = path.read_bytes()
                disk.files[str(path)] = Node(data, data, path.stat().st_mode & 0o777)
        return disk

    def do(self, step: Step) -> None:
        """Let it happen."""
        files, path = self.files, step.path
        if step.what == "create":
            files.setdefault(path, Node(b"", b"", step.at))
        elif step.what == "mkdir":
            self.folders.add(path)
        elif step.what == "rmdir":
            self.folders.discard(path)
        elif path not in files:
            self._move_folder(step)
        elif step.what == "cut":
            files[path].data = files[path].data[: step.at]
        elif step.what == "write":
            node = files[path]
            where = len(node.data) if step.at < 0 else step.at
            node.data = node.data[:where].ljust(where, b"\0") + step.data + node.data[where + len(step.data) :]
        elif step.what == "sync":
            files[path].durable = files[path].data
        elif step.what == "rename":
            files[step.other] = files.pop(path)
        elif step.what == "link":
            files[step.other] = files[path]
        elif step.what == "unlink":
            del files[path]

    def _move_folder(self, step: Step) -> None:
        if step.what == "rename" and step.path in self.folders:
            below = f"{step.path}/"
            for path in [path for path in self.files if path.startswith(below)]:
                self.files[f"{step.other}/{path.removeprefix(below)}"] = self.files.pop(path)
            moved = {path for path in self.folders if path == step.path or path.startswith(below)}
            self.folders = self.folders - moved | {step.other + path.removeprefix(step.path) for path in moved}

    def lay(self, top: Path) -> None:
        """Put on the real disk what lasts of this one."""
        shutil.rmtree(top)
        top.mkdir()
        for folder in sorted(self.folders):
            Path(folder).mkdir(parents=True, exist_ok=True)
        for path, node in self.files.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(node.durable)
            Path(path).chmod(node.mode)


def power_lost(scene: Scene, steps: Sequence[Step], every: int = 1) -> Count:
    """Give the command again on every state in which a loss of power could leave the disk, or each ``every``-th.

    Args:
        scene: The command.
        steps: What it does to files.
        every: How many of the states.
    """
    count = Count(f"power lost during {scene.name}")
    ends = [number for number, step in enumerate(steps, 1) if step.what in NAMING]
    chosen = [(end, False) for end in ends[::every]] + [(len(steps), True)]
    for end, told in chosen:
        scene.reset()
        disk = Disk.of(scene.folder)
        for step in steps[:end]:
            disk.do(step)
        disk.lay(scene.folder)
        last = steps[end - 1]
        where = f"{last.what} {Path(last.path).name}" if not told else "its end"
        count.add(f"after step {end} ({where})", scene.judge(0 if told else -signal.SIGKILL, "power lost"), inside=True)
    return count


# -- what happened -----------------------------------------------------------------------------------------------------

_LINE = re.compile(
    r"(?P<start>\d+\.\d+) (?P<call>\w+)\((?P<words>.*)\) += (?P<result>-?\d+)(?P<rest>.*)<(?P<took>[\d.]+)>$"
)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_PLACE = re.compile(r"^(?:AT_FDCWD|\d+)<(?P<path>[^>]*)>")


def steps_of(scene: Scene) -> list[Step]:
    """Everything that a command does to the files of its scene, in its order."""
    with TemporaryDirectory() as folder:
        code = "import sys; from remit.main import main; sys.exit(main(sys.argv[1:]))"
        words = ["strace", "-ff", "-y", "-ttt", "-T", "-qq", "-xx", "-s", "100000000", "-e", f"trace={CALLS}"]
        words += ["-e", "signal=none", "-o", f"{folder}/of", sys.executable, "-c", code, *scene.command]

        def traced() -> None:
            os.execvp(words[0], words)

        scene.reset()
        status, said = scene.begin(traced).wait()
        assert status == 0, said
        logs = {int(path.suffix[1:]): path.read_text() for path in Path(folder).iterdir()}
    calls = sorted(_calls(logs), key=lambda one: one[0])
    return [step for step in _steps(calls, str(scene.folder / "store")) if step.path.startswith(f"{scene.folder}/")]


class Call(NamedTuple):
    """A call that succeeded: when it ended, in which process, its name, its words and its result."""

    end: float
    pid: int
    name: str
    words: str
    result: int


def _calls(logs: dict[int, str]) -> Iterator[Call]:
    for pid, log in logs.items():
        for line in log.splitlines():
            found = _LINE.match(line)
            if found and int(found["result"]) >= 0:
                end = float(found["start"]) + float(found["took"])
                yield Call(end, pid, found["call"], found["words"], int(found["result"]))


def _steps(calls: list[Call], here: str) -> Iterator[Step]:
    parents = {one.result: one.pid for one in calls if one.name in ("clone", "clone3", "fork", "vfork")}
    places: dict[int, str] = {}

    def place_of(pid: int) -> str:
        return places[pid] if pid in places else place_of(parents[pid]) if pid in parents else here

    for one in calls:
        texts = [_bytes(text).decode("utf-8", "surrogateescape") for text in _TEXT.findall(one.words)]
        opened = _PLACE.match(one.words)
        fd = _plain(opened["path"]) if opened else ""
        paths = [os.path.normpath(os.path.join(place_of(one.pid), text)) for text in texts]  # noqa: PTH118
        if opened and one.name.endswith("at") and texts:
            paths[0] = os.path.normpath(os.path.join(fd, texts[0]))  # noqa: PTH118
        match one.name:
            case "chdir":
                places[one.pid] = paths[0]
            case "fchdir":
                places[one.pid] = fd
            case "openat" | "creat":
                yield from _opened(paths[0], one)
            case "write":
                yield Step("write", fd, data=_bytes(_TEXT.findall(one.words)[0])[: one.result], at=-1)
            case "pwrite64":
                where = int(one.words.rpartition(", ")[2])
                yield Step("write", fd, data=_bytes(_TEXT.findall(one.words)[0])[: one.result], at=where)
            case "ftruncate":
                yield Step("cut", fd, at=int(one.words.rpartition(", ")[2]))
            case "fsync" | "fdatasync":
                yield Step("sync", fd)
            case "mkdir" | "mkdirat":
                yield Step("mkdir", paths[0])
            case "rmdir":
                yield Step("rmdir", paths[0])
            case "unlink" | "unlinkat":
                yield Step("rmdir" if "AT_REMOVEDIR" in one.words else "unlink", paths[0])
            case "rename" | "renameat" | "renameat2" | "link" | "linkat":
                yield Step("link" if "link" in one.name else "rename", paths[0], paths[1])


def _opened(path: str, one: Call) -> Iterator[Step]:
    if "O_TMPFILE" in one.words or "O_DIRECTORY" in one.words:
        return
    if "O_CREAT" in one.words or one.name == "creat":
        yield Step("create", path, at=int(one.words.rpartition(", ")[2], 8) & 0o777)
    if "O_TRUNC" in one.words or one.name == "creat":
        yield Step("cut", path)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _plain(path: str) -> str:
    return _bytes(path).decode("utf-8", "surrogateescape") if path.startswith("\\x") else path
