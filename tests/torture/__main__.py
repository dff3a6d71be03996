"""Run everything at one size, and write down what came of it.

    python -m torture --size full --write docs/reliability.md

Exit code 1 when anything was lost.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

from torture import disks, faults, load, pushes, rot
from torture.faults import Count
from torture.fuzz import TARGETS, search
from torture.processes import Child, load_everything
from torture.scenes import LONE, apply_scene, approve_scene, propose_scene, set_scene


class Size(NamedTuple):
    """How much of everything: processes and changes of each, faults of each kind, every how-many-th step."""

    lone: tuple[int, int]
    clones: tuple[int, int]
    kills: int
    every: int
    full_disks: int
    limits: int
    pushes: int
    rot: int
    fuzz: int


SIZES = {
    "small": Size((8, 2), (2, 1), 2, 48, 2, 5, 3, 40, 500),
    "medium": Size((8, 6), (8, 2), 5, 12, 3, 12, 15, 120, 3_000),
    "full": Size((8, 200), (8, 25), 63, 1, 3, 15, 200, 1_000, 100_000),
}


class Row(NamedTuple):
    """A line of the page: what was done, what came of it, and what was lost."""

    what: str
    came: str
    lost: list[str]


def rows(size: Size, folder: Path, seed: int) -> Iterator[Row]:
    """Everything, one after the other."""
    dice = Random(seed)
    yield _loaded("on one store, git packing beside", load.on_one_store(folder / "lone", *size.lone, packing=True))
    yield _loaded("through clones of a guarded origin", load.through_clones(folder / "clones", *size.clones))
    for make in LONE:
        scene = make(folder / make.__name__ / "scene")
        yield _hit(faults.killed_at_random(scene, size.kills, dice))
    apply, set_field = apply_scene(folder / "apply" / "scene"), set_scene(folder / "set" / "scene")
    for scene, every in ((set_field, 1), (apply, size.every)):
        yield _hit(faults.killed_at_each_step(scene, every))
        yield _hit(faults.refused_at_each_step(scene, every * 3))
    if faults.has_strace():
        yield _hit(faults.killed_at_each_call(apply, max(1, size.every // 6)))
        yield _hit(faults.killed_at_each_call(apply, max(1, size.every // 6), alone=True))
        yield _hit(faults.refused_at_each_call(apply, size.every))
    if disks.may_mount():
        for make in (propose_scene, approve_scene, apply_scene):
            yield _hit(disks.on_full_disk(make, folder / "full" / make.__name__, range(size.full_disks)))
        yield _hit(disks.on_read_only_disk(apply_scene, folder / "read-only"))
    yield _hit(disks.limited(apply, size.limits, dice))
    yield _hit(pushes.interrupted(folder / "pushes", size.pushes, dice))
    found = rot.rotten(rot.rotting_store(folder / "rot", load.AT), load.AT, size.rot, dice)
    came = f"{found.faults} bytes turned or files cut: {found.noticed} noticed, {found.without_effect} without effect"
    yield Row("a repository that rots", came, found.breaches)
    yield _fuzzed(size.fuzz)


def _loaded(where: str, done: load.Load) -> Row:
    came = (
        f"{done.acknowledged} changes of {done.processes} processes acknowledged in {done.seconds:.0f} s,"
        f" {done.again} times tried again, the longest apply {done.longest_wait:.1f} times the median;"
        f" read {done.reads} times meanwhile"
    )
    return Row(f"changes {where}", came, list(done.lost))


def _hit(count: Count) -> Row:
    came = (
        f"{count.faults} faults, {count.inside} inside the work; done all the same {count.done},"
        f' of which {count.denied} were told "failed"; locks left {count.locked}, put right by doctor {count.repaired}'
    )
    lost = list(count.breaches)
    if count.faults > 5 and count.inside < 0.6 * count.faults:
        lost.append(f"{count.what}: only {count.inside} of {count.faults} faults hit the work")
    return Row(count.what, came, lost)


def _fuzzed(examples: int) -> Row:
    lost = []
    for name in TARGETS:
        code, said = Child.start(lambda name=name: search(name, examples) or 0).wait()
        if code:
            lost.append(f"{name}: {said[-1500:]}")
    return Row("bad input", f"{len(TARGETS)} readers, {examples:,} inputs each", lost)


def page(found: list[Row], size: str, seed: int, seconds: float) -> str:
    """The page that tells what was run."""
    lines = [
        "# Reliability",
        "",
        "Nothing that was acknowledged is lost, whatever is done to a store; what is lost is told apart by rules.",
        "",
        "- NL1: each acknowledged apply is on the protected branch exactly once.",
        "- NL2: the protected branch is one line, and `remit audit` proves every step of it.",
        "- NL3: nothing is on it that nobody asked for, and nothing twice.",
        "- NL4: each acknowledged proposal and approval can still be read.",
        "- NL5: `git fsck` finds every object whole.",
        "- NL6: given again, the command that was hit finishes; at most after `remit doctor --repair`.",
        "",
        "After each fault every ref, index entry and file is the old one or the new one.",
        f"Commands are killed with all that they started, and refused by the system ({', '.join(faults.ERRORS)}).",
        "A step is a file that is written or a program that is started; inside git, a call seen by strace.",
        "",
        f"`make torture SIZE={size}` ran this and wrote this page; every run of the tests does a part of it.",
        "",
        "| what | what came of it | lost |",
        "| --- | --- | --- |",
        *(f"| {row.what} | {row.came} | {len(row.lost)} |" for row in found),
        "",
        "| | |",
        "| --- | --- |",
        f"| size | {size}: {', '.join(f'{key} {_words(value)}' for key, value in SIZES[size]._asdict().items())} |",
        f"| seed | {seed} |",
        f"| seconds | {seconds:,.0f} |",
        f"| when | {datetime.now(UTC).date().isoformat()} |",
        f"| on | {os.cpu_count()} cores, {platform.system()} {platform.release()}, {_filesystem()} |",
        f"| with | Python {platform.python_version()}, {_version('git')}, {_version('strace')} |",
        "",
        "Kinds that this machine cannot run (no strace, no mounts of one's own) are not in the table.",
        "Not run here: loss of power between two writes, and notices, which Remit does not send yet.",
    ]
    return "\n".join(lines) + "\n"


def _words(value: int | tuple[int, int]) -> str:
    return f"{value[0]} x {value[1]}" if isinstance(value, tuple) else f"{value:,}"


def _version(program: str) -> str:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return f"no {program}"
    return done.stdout.splitlines()[0].replace("git version", "git").replace("strace -- version", "strace")


def _filesystem() -> str:
    command = ["stat", "--file-system", "--format=%T", tempfile.gettempdir()]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def cut_off(folder: Path) -> None:
    """Hide the user's git from everything that runs here."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_CONFIG"))]:
        del os.environ[name]
    os.environ |= {"HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(folder / ".gitconfig")}
    os.environ["GIT_CEILING_DIRECTORIES"] = str(folder)


def _told(found: Iterator[Row], say: Callable[[str], None]) -> Iterator[Row]:
    since = time.monotonic()
    for row in found:
        say(f"{row.what}: {row.came} ({time.monotonic() - since:.0f} s)")
        for one in row.lost:
            say(f"  LOST {one}")
        since = time.monotonic()
        yield row


def run(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="torture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=sorted(SIZES), default="medium")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=lambda name: Path(name).resolve(), metavar="PAGE")
    options = parser.parse_args(arguments)
    load_everything()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="remit-torture-") as name:
        cut_off(Path(name))
        found = list(_told(rows(SIZES[options.size], Path(name), options.seed), lambda line: print(line, flush=True)))
    if options.write is not None:
        text = page(found, options.size, options.seed, time.monotonic() - start)
        options.write.write_text(text, encoding="utf-8")
    return int(any(row.lost for row in found))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
