"""Pushes that are interrupted: the client, the origin's side or all of it dies at any instant.

Source: security, F7.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from torture.faults import Count, until_hit
from torture.processes import descendants
from torture.scenes import Aftermath, Scene, nothing, pushed_scene

SIDES: dict[str, Callable[[list[str]], bool]] = {
    "client": lambda words: "push" in words,
    "origin": lambda words: words[0].endswith("receive-pack") or "receive-pack" in words[1:2] or "pre-receive" in words,
}
"""Which programs are on which side, by their command lines."""

FRESH = 240.0
"""Seconds after which a scene is set anew: an origin takes no commit whose date is far from its clock."""


def interrupted(folder: Path, times: int, dice: Random) -> Count:
    """Interrupt the push of an apply so many times."""
    scenes: list[tuple[Scene, float]] = []

    def cut(share: float) -> tuple[str, Aftermath, bool]:
        if not scenes or time.monotonic() - scenes[-1][1] > FRESH:
            scenes.append((pushed_scene(folder / str(len(scenes)) / "scene"), time.monotonic()))
        scene = scenes[-1][0]
        side, delay = dice.choice([*SIDES, "all"]), dice.uniform(0, 0.6 * share * scene.seconds)
        scene.reset()
        code, said, inside = _cut(scene, side, delay)
        return f"{side} after {delay:.3f} s", scene.judge(code, said), inside

    return until_hit(Count("apply to an origin, the push interrupted"), times, cut)


def _cut(scene: Scene, side: str, delay: float) -> tuple[int, str, bool]:
    """Kill the programs of one side so many seconds after the push began; whether there were any."""
    child = scene.begin(nothing)
    while not _ended(child.pid) and not any(map(SIDES["client"], descendants(child.pid).values())):
        time.sleep(0.002)
    if side == "all":
        code, said = child.kill_after(delay)
        return code, said, code == -signal.SIGKILL
    time.sleep(delay)
    hit = [pid for pid, words in descendants(child.pid).items() if SIDES[side](words)]
    for pid in hit:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return *child.wait(), bool(hit)


def _ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
