"""What came of the parts, one line of JSON each, and the page that is made from the last line of every part."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from torture import faults
from torture.parts import SIZES


class Result(NamedTuple):
    """What came of one part, and where and when it ran.

    Attributes:
        part: Its name.
        size: The name of its size.
        seed: The seed of its dice.
        commit: The commit of Remit that it ran on, as git describes it.
        when: The date.
        seconds: How long it took, whatever else ran beside it.
        machine: What it ran on and with.
        what: What was done.
        came: What came of it.
        lost: What was lost.
    """

    part: str
    size: str
    seed: int
    commit: str
    when: str
    seconds: int
    machine: str
    what: str
    came: str
    lost: tuple[str, ...]


def results(path: Path) -> list[Result]:
    """The last result of every part, in the order in which the parts first came; none without a file."""
    found: dict[str, Result] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        one = Result(**json.loads(line))
        found[one.part] = one._replace(lost=tuple(one.lost))
    return list(found.values())


def add(path: Path, result: Result) -> None:
    """Write a result behind the others; several runs may do so at once."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result._asdict(), ensure_ascii=False) + "\n")


def tidy(path: Path, order: Iterable[str]) -> list[Result]:
    """Keep the last result of every part only, the parts in this order."""
    rank = {name: number for number, name in enumerate(order)}
    kept = sorted(results(path), key=lambda one: rank.get(one.part, len(rank)))
    path.unlink(missing_ok=True)
    for one in kept:
        add(path, one)
    return kept


def page(found: list[Result]) -> str:
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
        "A loss of power is replayed from what strace saw: names of files last in their order, bytes as far as synced.",
        "",
        "`make torture SIZE=full` runs every part, and `python -m torture --only PART` one of them;",
        "each leaves a line in `reliability.jsonl` beside this page, from which this page is made.",
        "Every run of the tests does a little of each.",
        "",
        "| part | what | what came of it | lost | size | s | on |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {one.part} | {one.what} | {one.came} | {len(one.lost)} | {one.size} | {one.seconds:,} "
            f"| {one.when}, {one.commit} |"
            for one in found
        ),
        "",
        *(f"- {one.part} lost: {' '.join(loss.split())}" for one in found for loss in one.lost),
        *([""] if any(one.lost for one in found) else []),
        "| | |",
        "| --- | --- |",
        *(f"| {name} is | {_words_of(name)} |" for name in SIZES if any(one.size == name for one in found)),
        f"| seeds | {', '.join(str(seed) for seed in sorted({one.seed for one in found}))} |",
        *(f"| machine | {machine} |" for machine in sorted({one.machine for one in found})),
        "",
        "The seconds are those of a machine that did other work beside.",
        "Kinds that this machine cannot run (no strace, no mounts of one's own) are not in the table.",
        "Not run here: notices, which Remit does not send yet.",
    ]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What runs here, and with what."""
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, {_filesystem()};"
        f" Python {platform.python_version()}, {_version('git')}, {_version('strace')}"
    )


def commit() -> str:
    """The commit of the Remit that is under test; changes of it that are in no commit are told."""
    top = Path(__file__).parents[2]
    there = ["git", "-C", str(top), "rev-parse", "--short=7", "HEAD"]
    found = subprocess.run(there, capture_output=True, text=True, check=False).stdout.strip()
    changed = subprocess.run(["git", "-C", str(top), "diff", "--quiet", "HEAD", "--", "cli", "schemas"], check=False)
    return (found or "no commit") + ("-dirty" if changed.returncode else "")


def _words_of(size: str) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {_words(value)}" for key, value in SIZES[size]._asdict().items())


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
