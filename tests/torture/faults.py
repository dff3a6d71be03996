"""Faults that hit a command: killed at any instant, at every step, and refused by the system at every step.

A step is a change of the disk or the start of a program, as Python audits them, and inside the programs of git every
call to the system that changes the disk, as strace sees them.

Source: security, F1-F3, F7.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from remit.git import running
from torture.scenes import Aftermath, Scene, nothing

CALLS = ("rename", "link", "unlink", "fsync", "mkdir", "ftruncate", "write")
"""The calls by which git changes the disk."""

ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EROFS", "EMFILE", "EINTR")
PATIENCE = 8
"""So many faults are thrown, at the most, for each that is to land."""

CHANGING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link", "subprocess.Popen"}


@dataclass
class Count:
    """What came of the faults of one kind."""

    what: str
    faults: int = 0
    inside: int = 0
    done: int = 0
    denied: int = 0
    locked: int = 0
    repaired: int = 0
    breaches: list[str] = field(default_factory=list)

    def add(self, place: str, found: Aftermath, *, inside: bool) -> None:
        """Count one fault; ``denied`` are those after which the client was told "failed" of what is done."""
        self.faults += 1
        self.inside += inside
        self.done += found.done
        self.denied += found.done and found.told > 0
        self.locked += found.locked
        self.repaired += found.repaired
        self.breaches += [f"{self.what}, {place}: {breach}" for breach in found.breaches]


def until_hit(count: Count, times: int, hit: Callable[[float], tuple[str, Aftermath, bool]]) -> Count:
    """Throw faults until so many have landed; each within a share of the time that a command is known to take.

    A machine is quick or slow as it likes: a fault that came too late has the next come earlier, and is judged all the
    same. Where too few land at all, ``count`` says so.
    """
    share = 1.0
    for _ in range(PATIENCE * times):
        if count.inside == times:
            return count
        place, found, inside = hit(share)
        if inside:
            count.add(place, found, inside=True)
        else:
            count.breaches += [f"{count.what}, {place}: {breach}" for breach in found.breaches]
            share *= 0.8
    count.faults = times * PATIENCE
    return count


def killed_at_random(scene: Scene, times: int, dice: Random) -> Count:
    """Kill the command and all that it started, at any instant of it."""

    def kill(share: float) -> tuple[str, Aftermath, bool]:
        scene.reset()
        seconds = dice.uniform(0, share * scene.seconds)
        code, said = scene.begin(nothing).kill_after(seconds)
        return f"after {seconds:.3f} s", scene.judge(code, said), code == -signal.SIGKILL

    return until_hit(Count(f"{scene.name} killed at random"), times, kill)


# -- at every step of Python -------------------------------------------------------------------------------------------


def _steps(reached: Callable[[int, str], None]) -> None:
    """Call ``reached`` before every step of this process with its number and name."""
    number = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal number
        if event in CHANGING or (event == "open" and _writes(*args)):
            number += 1
            reached(number, event)

    sys.addaudithook(hook)


def _writes(path: object, mode: object, flags: int) -> bool:
    """Whether an open file has a name and may be written; nobody misses one without a name."""
    return isinstance(path, str | bytes) and bool(flags & os.O_CREAT) and not os.path.isdir(path)  # noqa: PTH112


def steps_of(scene: Scene) -> list[str]:
    """The steps that a command takes, in their order."""
    with tempfile.NamedTemporaryFile() as file:

        def note() -> None:
            def write(number: int, event: str) -> None:
                os.write(handle, f"{event}\n".encode())

            handle = os.open(file.name, os.O_WRONLY | os.O_APPEND)
            _steps(write)

        scene.reset()
        code, said = scene.begin(note).wait()
        assert code == 0, said
        return Path(file.name).read_text().splitlines()


def killed_at_each_step(scene: Scene, every: int = 1) -> Count:
    """Kill the command before each of its steps, with all that it started."""
    count = Count(f"{scene.name} killed before a step")
    for wanted, event in list(enumerate(steps_of(scene), 1))[::every]:

        def fault(wanted: int = wanted) -> None:
            _steps(lambda number, _: os.killpg(0, signal.SIGKILL) if number == wanted else None)

        scene.reset()
        code, said = scene.begin(fault).wait()
        count.add(f"step {wanted} ({event})", scene.judge(code, said), inside=code == -signal.SIGKILL)
    return count


def refused_at_each_step(scene: Scene, every: int = 1, errors: Iterable[str] = ERRORS) -> Count:
    """Let each step of the command fail with each of the errors."""
    count = Count(f"{scene.name} refused at a step")
    points = [(n, event, name) for n, event in enumerate(steps_of(scene), 1) for name in errors]
    for wanted, event, name in points[::every]:

        def fault(wanted: int = wanted, name: str = name) -> None:
            def reached(number: int, _: str) -> None:
                if number == wanted:
                    code = getattr(errno, name)
                    raise OSError(code, os.strerror(code))

            _steps(reached)

        scene.reset()
        code, said = scene.begin(fault).wait()
        count.add(f"{name} at step {wanted} ({event})", scene.judge(code, said), inside=True)
    return count


# -- at every call of git ----------------------------------------------------------------------------------------------


def has_strace() -> bool:
    """Whether strace is there and may be used."""
    return shutil.which("strace") is not None


def _under_strace(options: Callable[[int], list[str]], after: Callable[[int], None] | None = None) -> None:
    """Run git number N under strace with ``options(N)`` when there are any, and tell ``after`` how it ended."""
    program, finish, number = running._program, running._finish, 0

    def traced(own: Any) -> list[str]:
        nonlocal number
        number += 1
        command = program(own)
        if not (chosen := options(number)):
            return command
        # What cleans the environment goes first; git itself is the last word.
        return [*command[:-1], str(shutil.which("strace")), "-f", "-qq", *chosen, command[-1]]

    def finished(process: Any, seconds: float) -> Any:
        done = finish(process, seconds)
        if after is not None:
            after(done.status)
        return done

    running._program, running._finish = traced, finished  # type: ignore[assignment]


def calls_of(scene: Scene) -> list[tuple[int, str, int]]:
    """The calls by which the gits of a command change the disk: number of the git, call, how many-th of its process.

    Of a git that changes nothing, what it writes to its reader is left out.
    """
    found: list[tuple[int, str, int]] = []
    with tempfile.TemporaryDirectory() as folder:

        def note() -> None:
            _under_strace(lambda number: ["-o", f"{folder}/{number}", "-e", f"trace={','.join(CALLS)}"])

        scene.reset()
        code, said = scene.begin(note).wait()
        assert code == 0, said
        for path in sorted(Path(folder).iterdir(), key=lambda path: int(path.name)):
            counts = Counter(re.findall(r"^(\d+) +(\w+)\(", path.read_text(errors="replace"), re.MULTILINE))
            most = {call: max(n for (_, one), n in counts.items() if one == call) for _, call in counts}
            if set(most) - {"write"}:
                found += [(int(path.name), call, n) for call in CALLS for n in range(1, most.get(call, 0) + 1)]
    return found


def killed_at_each_call(scene: Scene, every: int = 1, *, alone: bool = False) -> Count:
    """Kill a git of the command at each of its calls; with it the command itself, unless it dies ``alone``."""
    count = Count(f"{scene.name} killed inside git" + (", which dies alone" if alone else ""))
    return _injected(scene, count, calls_of(scene)[::every], "signal=SIGKILL", together=not alone)


def refused_at_each_call(scene: Scene, every: int = 1, errors: Iterable[str] = ERRORS) -> Count:
    """Let each of these calls fail with each of the errors."""
    count = Count(f"{scene.name} refused inside git")
    points = [(point, name) for point in calls_of(scene) for name in errors]
    for point, name in points[::every]:
        _injected(scene, count, [point], f"error={name}", together=False)
    return count


def _injected(scene: Scene, count: Count, points: Iterable[tuple[int, str, int]], what: str, together: bool) -> Count:
    for wanted, call, nth in points:
        options = ["-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={nth}"]

        def all_die(status: int) -> None:
            if status in (-signal.SIGKILL, 128 + signal.SIGKILL):
                os.killpg(0, signal.SIGKILL)

        def fault(wanted: int = wanted, options: list[str] = options) -> None:
            _under_strace(lambda number: options if number == wanted else [], all_die if together else None)

        scene.reset()
        code, said = scene.begin(fault).wait()
        inside = code == -signal.SIGKILL if together else True
        count.add(f"{what} at {call} {nth} of git {wanted}", scene.judge(code, said), inside=inside)
    return count
