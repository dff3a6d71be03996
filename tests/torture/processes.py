"""Clients as processes of their own that can be killed with all that they started."""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import remit

CRASHED = 70


def load_everything() -> None:
    """Import the whole program, so that a child that is forked starts at once and a fault hits its work."""
    for found in pkgutil.walk_packages(remit.__path__, "remit."):
        with contextlib.suppress(ImportError):  # what is for an optional package
            importlib.import_module(found.name)
    import git.cmd  # noqa: F401


@dataclass
class Child:
    """A forked process in a session of its own."""

    pid: int
    said: IO[bytes]

    @classmethod
    def start(cls, work: Callable[[], int]) -> Child:
        """Run ``work`` in a child; its result is the exit status, what it prints goes to a file."""
        said = TemporaryFile()  # noqa: SIM115 - closed by wait
        sys.stdout.flush(), sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            status = CRASHED
            try:
                os.setsid()
                os.dup2(said.fileno(), 1), os.dup2(said.fileno(), 2)
                # Whoever runs the tests may have put something else there.
                for name, fd in (("stdout", 1), ("stderr", 2)):
                    setattr(sys, name, open(fd, "w", encoding="utf-8", errors="backslashreplace", closefd=False))  # noqa: SIM115
                status = work()
                sys.stdout.flush(), sys.stderr.flush()
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(status)
        return cls(pid, said)

    def wait(self) -> tuple[int, str]:
        """Exit status (negative: the signal that ended it) and everything that it printed."""
        _, status = os.waitpid(self.pid, 0)
        self.said.seek(0)
        text = self.said.read().decode("utf-8", "replace")
        self.said.close()
        return os.waitstatus_to_exitcode(status), text

    def kill_after(self, seconds: float) -> tuple[int, str]:
        """Like ``wait``, and after so many seconds the child and all that it started are killed with signal 9."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return self.wait()
            time.sleep(0.001)
        # The group lives at least as long as its unreaped leader; before setsid there is only the leader.
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(self.pid, signal.SIGKILL)
        return self.wait()


def descendants(pid: int) -> dict[int, list[str]]:
    """Every living process below ``pid``, with its command line."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents.setdefault(int(parent), []).append(int(folder.name))
    found, waiting = {}, [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            with contextlib.suppress(OSError):
                found[child] = Path(f"/proc/{child}/cmdline").read_text(errors="replace").split("\0")
            waiting.append(child)
    return found
