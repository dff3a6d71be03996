"""The parts of the torture: each stands alone, with a folder and dice of its own, and comes to one row of the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import NamedTuple

from torture import disks, faults, load, machine, power, pushes, rot
from torture.apart import STORIES
from torture.faults import Count
from torture.fuzz import TARGETS, search
from torture.processes import Child
from torture.scenes import (
    LONE,
    Scene,
    apply_scene,
    approve_scene,
    propose_scene,
    pushed_scene,
    rename_scene,
    set_scene,
    withdraw_scene,
)


class Size(NamedTuple):
    """How much of everything: processes and changes of each, faults of each kind, every how-many-th step, seconds."""

    lone: tuple[int, int]
    clones: tuple[int, int]
    kills: int
    every: int
    full_disks: int
    limits: int
    pushes: int
    rot: int
    fuzz: int
    atheris: int
    runs: int


SIZES = {
    "small": Size((8, 2), (2, 1), 2, 48, 2, 5, 3, 40, 500, 5, 10),
    "medium": Size((8, 6), (8, 2), 5, 12, 3, 12, 15, 120, 3_000, 60, 40),
    "full": Size((8, 200), (8, 25), 30, 3, 3, 15, 100, 1_000, 10_000, 600, 100),
}


class Row(NamedTuple):
    """What was done, what came of it, and what was lost."""

    what: str
    came: str
    lost: tuple[str, ...]


Part = Callable[[Size, Path, Random], Row]


def on_one_store(size: Size, folder: Path, dice: Random) -> Row:
    """Many clients of one store."""
    return _loaded("on one store, git packing beside", load.on_one_store(folder, *size.lone, packing=True))


def through_clones(size: Size, folder: Path, dice: Random) -> Row:
    """Many clients of one guarded origin."""
    return _loaded("through clones of a guarded origin", load.through_clones(folder, *size.clones))


def pushed(size: Size, folder: Path, dice: Random) -> Row:
    """Pushes that are interrupted."""
    return _hit(pushes.interrupted(folder, size.pushes, dice))


def rotten(size: Size, folder: Path, dice: Random) -> Row:
    """Bytes that turn."""
    found = rot.rotten(rot.rotting_store(folder, load.AT), load.AT, size.rot, dice)
    came = f"{found.faults} bytes turned or files cut: {found.noticed} noticed, {found.without_effect} without effect"
    return Row("a repository that rots", came, tuple(found.breaches))


def apart(size: Size, folder: Path, dice: Random) -> Row:
    """Clones and their origins."""
    lost = [f"{name}: {one}" for name, story in STORIES.items() for one in story(folder / name.replace(" ", "-"))]
    return Row("clones and their origins", ", ".join(STORIES), tuple(lost))


def modelled(size: Size, folder: Path, dice: Random) -> Row:
    """Any order of steps, beside a model."""
    code, said = Child.start(lambda: machine.agree(folder, size.runs, 25) or 0).wait()
    lost = (said[-3000:],) if code else ()
    return Row("any order of steps, beside a model", f"{size.runs:,} runs of up to 25 steps agree", lost)


def fuzzed(size: Size, folder: Path, dice: Random) -> Row:
    """Bad input."""
    lost = []
    for name in TARGETS:
        code, said = Child.start(lambda name=name: search(name, size.fuzz) or 0).wait()
        if code:
            lost.append(f"{name}: {said[-1500:]}")
    return Row("bad input", f"{len(TARGETS)} readers, {size.fuzz:,} inputs each", tuple(lost))


def _led(name: str) -> Part:
    """The part in which atheris leads one reader."""

    def part(size: Size, folder: Path, dice: Random) -> Row:
        folder.mkdir()
        words = [sys.executable, "-m", "torture.atheris_run", name, str(size.atheris), str(folder)]
        path = {"PYTHONPATH": str(Path(__file__).parent.parent)}
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", env=os.environ | path, check=False
        )
        told = dict(re.findall(r"^stat::(\w+): *(\d+)", done.stderr, re.MULTILINE))
        seen = re.findall(r" cov: (\d+) ", done.stderr)
        came = (
            f"{int(told.get('number_of_executed_units', 0)):,} inputs in {size.atheris} s,"
            f" {told.get('new_units_added', 0)} of them on ways of their own; {seen[-1] if seen else 0} places reached"
        )
        lost = () if done.returncode == 0 and told else (f"{name}: {done.stdout[-1500:]} {done.stderr[-1500:]}",)
        return Row(f"{name} led by atheris", came, lost)

    return part


def _on(make: Callable[[Path], Scene], fault: Callable[[Scene, Size, Random], Count]) -> Part:
    """The part that throws faults of one kind at one command."""
    return lambda size, folder, dice: _hit(fault(make(folder / "scene"), size, dice))


def _kill(scene: Scene, size: Size, dice: Random) -> Count:
    return faults.killed_at_random(scene, size.kills, dice)


def _unpowered(scene: Scene, size: Size, dice: Random) -> Count:
    return power.power_lost(scene, power.steps_of(scene), max(1, size.every // 6))


PARTS: dict[str, Part] = {
    "lone": on_one_store,
    "clones": through_clones,
    **{f"kill-{make.__name__.removesuffix('_scene')}": _on(make, _kill) for make in LONE},
    "step-kill-set": _on(set_scene, lambda scene, size, _: faults.killed_at_each_step(scene)),
    "step-refuse-set": _on(set_scene, lambda scene, size, _: faults.refused_at_each_step(scene, 3)),
    "step-kill-apply": _on(apply_scene, lambda scene, size, _: faults.killed_at_each_step(scene, size.every)),
    "step-refuse-apply": _on(apply_scene, lambda scene, size, _: faults.refused_at_each_step(scene, 3 * size.every)),
    "push": pushed,
    "apart": apart,
    "model": modelled,
    "limits": _on(apply_scene, lambda scene, size, dice: disks.limited(scene, size.limits, dice)),
    "rot": rotten,
    "fuzz": fuzzed,
}
"""What runs everywhere."""

IN_GIT: dict[str, Part] = {
    "git-kill": _on(apply_scene, lambda scene, size, _: faults.killed_at_each_call(scene, max(1, size.every // 6))),
    "git-kill-alone": _on(
        apply_scene, lambda scene, size, _: faults.killed_at_each_call(scene, max(1, size.every // 6), alone=True)
    ),
    "git-refuse": _on(apply_scene, lambda scene, size, _: faults.refused_at_each_call(scene, size.every)),
    **{
        f"power-{make.__name__.removesuffix('_scene')}": _on(make, _unpowered)
        for make in (propose_scene, approve_scene, withdraw_scene, apply_scene, set_scene, rename_scene)
    },
    # An origin takes no commit that is ten minutes old, so of these not every one is tried.
    "power-push": _on(pushed_scene, lambda scene, size, _: power.power_lost(scene, power.steps_of(scene), size.every)),
}
"""What needs strace."""


def _full(make: Callable[[Path], Scene]) -> Part:
    return lambda size, folder, dice: _hit(disks.on_full_disk(make, folder, range(size.full_disks)))


ON_DISKS: dict[str, Part] = {
    "full-propose": _full(propose_scene),
    "full-approve": _full(approve_scene),
    "full-apply": _full(apply_scene),
    "read-only": lambda size, folder, dice: _hit(disks.on_read_only_disk(apply_scene, folder)),
}
"""What needs mounts of one's own."""


LED: dict[str, Part] = {
    f"atheris-{name.lower()}": _led(name) for name in ("YAML", "records", "conditions", "feeds", "schemas", "JSON")
}
"""What needs atheris."""


def parts() -> dict[str, Part]:
    """What this machine can run."""
    return {
        **PARTS,
        **(IN_GIT if faults.has_strace() else {}),
        **(ON_DISKS if disks.may_mount() else {}),
        **(LED if find_spec("atheris") else {}),
    }


def _loaded(where: str, done: load.Load) -> Row:
    came = (
        f"{done.acknowledged:,} changes of {done.processes} processes acknowledged in {done.seconds:,.0f} s,"
        f" {done.again:,} times tried again, the longest apply {done.longest_wait:.1f} times the median;"
        f" read {done.reads:,} times meanwhile"
    )
    return Row(f"changes {where}", came, done.lost)


def _hit(count: Count) -> Row:
    came = (
        f"{count.faults} faults, {count.inside} inside the work; done all the same {count.done},"
        f' of which {count.denied} were told "failed"; locks left {count.locked}, put right by doctor {count.repaired}'
    )
    lost = list(count.breaches)
    if count.faults > 5 and count.inside < 0.6 * count.faults:
        lost.append(f"{count.what}: only {count.inside} of {count.faults} faults hit the work")
    return Row(count.what, came, tuple(lost))
