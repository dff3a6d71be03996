"""Work on many items by several processes of one machine.

Each process takes the next few items when it has done its last few, so that a busy processor holds nobody up. A helper
is a copy of this process (a fork): it sees what is in memory, changes nothing of it, and gives back bytes in a file
without a name. What a helper does not give back, this process does itself; so wherever there can be no helpers there is
one process, and the answer is the same.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

FEW = 250
"""Items that are taken at once."""

Tell = Callable[[float], None]
"""Is told which share of the items has been taken, again and again."""


def cores() -> int:
    """How many processors this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


def over_cores(
    work: Callable[[Sequence[str]], bytes],
    items: Sequence[str],
    *,
    processes: int = 0,
    tell: Tell | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[tuple[Sequence[str], bytes]]:
    """The items in parts, each with what ``work`` says of it, in the order of the items.

    Args:
        work: Pure; what it raises comes out of here.
        processes: How many there are with this one; 0 for one a processor.
        tell: Called from this process only.
        meanwhile: Called once, when the helpers are at work.
    """
    parts = [items[at : at + FEW] for at in range(0, len(items), FEW)]
    queue = _queue(len(parts))
    done: dict[int, bytes] = {}
    helpers: list[_Helper] = []
    try:
        while len(helpers) < min(processes or cores(), len(parts)) - 1 and (helper := _start(work, parts, queue)):
            helpers.append(helper)
        if meanwhile is not None:
            meanwhile()
        while (number := _take(queue)) is not None:
            if tell is not None:
                tell(number / len(parts))
            done[number] = work(parts[number])
        for helper in helpers:
            done |= helper.result()
    finally:
        os.close(queue)
        for helper in helpers:
            helper.end()
    for number, part in enumerate(parts):
        yield part, done.pop(number) if number in done else work(part)


def _queue(length: int) -> int:
    """A pipe that holds the numbers of the parts; each is read once, by whoever reads first."""
    reading, writing = os.pipe()
    numbers = b"".join(number.to_bytes(4, "big") for number in range(min(length, _FIT)))
    os.write(writing, numbers)
    os.close(writing)
    return reading


_FIT = 4096 // 4
"""What every system's pipes hold without a reader; the parts beyond are this process's."""


def _take(queue: int) -> int | None:
    number = os.read(queue, 4)
    return int.from_bytes(number, "big") if number else None


class _Helper(NamedTuple):
    pid: int
    reading: int
    written: int

    def result(self) -> dict[int, bytes]:
        """What the helper did; nothing when it did not come to its end."""
        with os.fdopen(self.reading, "rb", closefd=False) as stream:
            given = stream.read()
        with suppress(pickle.UnpicklingError, EOFError):
            lengths: dict[int, int] = pickle.loads(given)
            with os.fdopen(self.written, "rb", closefd=False) as stream:
                stream.seek(0)
                return {number: stream.read(length) for number, length in lengths.items()}
        return {}

    def end(self) -> None:
        """Afterwards it is gone, whatever it was doing."""
        os.close(self.reading)
        os.close(self.written)
        with suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(OSError):
            os.waitpid(self.pid, 0)


def _start(work: Callable[[Sequence[str]], bytes], parts: Sequence[Sequence[str]], queue: int) -> _Helper | None:
    """A helper at work; None where there can be none."""
    if not hasattr(os, "fork") or threading.active_count() > 1:
        return None
    try:
        with tempfile.TemporaryFile() as file:
            written = os.dup(file.fileno())
    except OSError:
        return None
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        for one in (reading, writing, written):
            os.close(one)
        return None
    if pid:
        os.close(writing)
        return _Helper(pid, reading, written)
    # Nothing that the parent has open or registered is to happen a second time: hence _exit, whatever comes.
    try:
        gc.disable()  # it ends soon, and to look through a copy of memory is to make it one's own
        os.close(reading)
        _help(work, parts, queue, written, writing)
        os._exit(0)
    except BaseException:
        os._exit(1)


def _help(
    work: Callable[[Sequence[str]], bytes], parts: Sequence[Sequence[str]], queue: int, written: int, writing: int
) -> None:
    """Do parts while there are any, write what comes out one after the other, and at last say how long each is."""
    lengths = {}
    with os.fdopen(written, "wb") as stream:
        while (number := _take(queue)) is not None:
            lengths[number] = stream.write(work(parts[number]))
    with os.fdopen(writing, "wb") as stream:
        pickle.dump(lengths, stream)
