"""One at a time: whoever changes a repository waits for whoever is changing it.

The system holds the lock for the process and lets go when that ends, however it ends, so no lock is ever left behind.
The file says who has it: process, boot and start. Compare-and-set stays the truth; this only spares the losers.

Source: security rule R21.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from remit.errors import Refused
from remit.git import Repository
from remit.store import Store

PATIENCE = 60.0
_PAUSE = 0.02

P = ParamSpec("P")
T = TypeVar("T")


def one_at_a_time(work: Callable[Concatenate[Store, P], T]) -> Callable[Concatenate[Store, P], T]:
    """``work`` on a store, done while nobody else does any such work on its repository."""

    @wraps(work)
    def waiting(store: Store, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with alone(store.in_git()):
            return work(store, *args, **kwargs)

    return waiting


@contextmanager
def alone(repository: Repository, *, seconds: float = PATIENCE) -> Iterator[None]:
    """Hold the repository's lock; it is one for all of its worktrees.

    Raises:
        Refused: somebody else held it for ``seconds``.
    """
    try:
        import fcntl
    except ImportError:  # a system without it; compare-and-set still decides
        yield
        return
    path = common_dir(repository) / "remit" / "queue"
    path.parent.mkdir(exist_ok=True)
    deadline = time.monotonic() + seconds
    with path.open("a+", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    file.seek(0)
                    message = f"somebody has been changing this repository for {seconds:g} s: {file.read().strip()}"
                    raise Refused(message, hint="try again when that process has ended") from None
                time.sleep(_PAUSE)
        file.truncate(0)
        file.write(f"{_me()}\n")
        file.flush()
        yield


def common_dir(repository: Repository) -> Path:
    """Where what all worktrees of a repository share is kept."""
    named = repository.git_dir / "commondir"
    if not named.is_file():
        return repository.git_dir
    return Path(os.path.normpath(repository.git_dir / named.read_text(encoding="utf-8").strip()))


def _me() -> str:
    boot, stat = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/stat")
    known = [f"process {os.getpid()}"]
    if boot.is_file() and stat.is_file():
        # The name of the program, in brackets, may hold spaces; the start is the twentieth field behind it.
        start = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
        known += [f"boot {boot.read_text(encoding='ascii').strip()}", f"start {start}"]
    return ", ".join(known)
