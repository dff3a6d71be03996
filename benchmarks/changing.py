"""Measures what proposing and applying one change costs in a store of many records, beside git's own plumbing.

As a person would do it without an origin: propose what differs in the working tree, then apply it, each with the store
opened anew; and the same where the store asks for approvals, which are given in between. Beside it stands the plumbing
that makes the same two commits of the same trees: hash-object, ls-tree and mktree along the path, commit-tree,
update-ref; it asks nobody, proves nothing and leaves the working tree and the index alone. `--write` puts the table
under its own heading of a page.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from grown import AUTHOR, PATTERN, git, grow
from pages import write_section

from remit.changes import Change
from remit.changing.applying import apply
from remit.changing.proposals import requirements
from remit.changing.proposing import propose
from remit.changing.reviewing import approve
from remit.footing import FRESH
from remit.git import running
from remit.judging import PolicyJudge, result_check
from remit.rechecking import check_working
from remit.remembering import memory_of
from remit.store import Store
from remit.yamltext import Edit, edit, read

HEADING = "# Changes"
REMIT = "from remit.main import run; run()"
STEPS = ("propose", "apply", "plumbing")
SORTS = ("nobody is asked", "approved by others", "whole processes")


class Cost(NamedTuple):
    """Median processor seconds of a step, and how many git processes it starts (0: not counted)."""

    seconds: float
    gits: int


class Figure(NamedTuple):
    """What the steps cost in one sort of store, by name."""

    records: int
    sort: str
    costs: dict[str, Cost]

    @property
    def ratio(self) -> float:
        """Both commands to the plumbing."""
        return (self.costs["propose"].seconds + self.costs["apply"].seconds) / self.costs["plumbing"].seconds


def main() -> int:
    """Print the table, and write it with --write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is done; the median counts")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    figures = []
    for records in options.records:
        with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
            figures += measure(Path(folder), records, options.rounds)
    page = table(figures)
    print(page)
    if options.write:
        write_section(options.write, page)
    return 0


def measure(folder: Path, records: int, rounds: int) -> list[Figure]:
    """The figures of a store of so many customers."""
    os.environ["HOME"] = str(folder)
    root = folder / "store"
    grow(root, records)
    asked = Meter()
    for number in range(rounds + 1):
        one_round(root, 10 + number, asked, reviewed=True)
    shutil.rmtree(root / "rules" / "approval")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "nobody has to approve")
    alone, whole = Meter(), Meter()
    for number in range(rounds + 1):
        one_round(root, 40 + number, alone)
        one_round(root, 70 + number, whole, processes=True)
    return [Figure(records, sort, meter.costs()) for sort, meter in zip(SORTS, (alone, asked, whole), strict=True)]


class Meter:
    """Processor seconds of steps and of the processes that they start, and the git processes among these."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.gits: dict[str, list[int]] = defaultdict(list)

    def step(self, name: str, work: Callable[[], Any]) -> Any:
        """What the work gives."""
        gc.collect()
        begun, started = _processor(), len(_STARTED)
        result = work()
        own = _processor()[0]
        gc.collect()  # a git that stays ends with its repository
        self.seconds[name].append(own - begun[0] + _processor()[1] - begun[1])
        self.gits[name].append(len(_STARTED) - started)
        return result

    def costs(self) -> dict[str, Cost]:
        """The medians; the first round imports what is needed and does not count."""
        return {name: Cost(statistics.median(self.seconds[name][1:]), self.gits[name][-1]) for name in STEPS}


def one_round(root: Path, score: int, meter: Meter, *, reviewed: bool = False, processes: bool = False) -> None:
    """Edit a record, check, propose, have it approved where that is asked, apply; and make the same by plumbing."""
    at = datetime.now(UTC).replace(microsecond=0)
    tip, path = git(root, "rev-parse", "main"), root / PATTERN
    path.write_bytes(edit(path.read_bytes(), [Edit(("spec", "importanceScore"), score)]))
    # Marks so fresh that another edit might leave the same are not believed; nobody proposes that fast.
    time.sleep(FRESH / 1e9 + 0.2)
    store = Store.open(root)
    check_working(store, memory_of(store), at=at)
    del store
    if processes:
        meter.step("propose", lambda: command(root, "propose", "-m", "One record"))
        id = git(
            root,
            "for-each-ref",
            "--sort=-creatordate",
            "--count=1",
            "--format=%(refname:lstrip=3)",
            "refs/heads/change/",
        )
        meter.step("apply", lambda: command(root, "apply", id))
    else:
        change = meter.step("propose", lambda: propose(Store.open(root), "One record", at=at))
        if reviewed:
            have_approved(root, change, at + timedelta(seconds=1))
        meter.step("apply", lambda: applied(root, change.id, at + timedelta(seconds=2)))
    tree = meter.step("plumbing", lambda: plumbing(root, tip, path.read_bytes()))
    assert tree == git(root, "rev-parse", "main^{tree}") != git(root, "rev-parse", f"{tip}^{{tree}}")
    assert git(root, "status", "--porcelain") == ""


def applied(root: Path, id: str, at: datetime) -> str:
    """The commit that carries a change."""
    store = Store.open(root)
    return apply(store, id, at=at, judge=PolicyJudge(at), check=result_check(store, at=at)).commit


def have_approved(root: Path, change: Change, at: datetime) -> None:
    """Approve a change as everybody whom the rules of the store want."""
    while missing := [one for one in requirements(Store.open(root), change, PolicyJudge(at), at=at) if one.missing]:
        person = next(one.person for one in missing[0].candidates if one.person not in missing[0].given_by)
        name = f"records/people/{person}.yaml"
        document, _ = read((root / name).read_bytes(), name)
        assert document is not None
        git(root, "config", "user.email", document.value["spec"]["contact"]["email"])
        approve(Store.open(root), change.id, at=at)
    git(root, "config", "user.email", AUTHOR["user.email"])


def command(root: Path, *words: str) -> None:
    """Run remit as a process of its own."""
    subprocess.run([sys.executable, "-c", REMIT, *words], cwd=root, check=True, capture_output=True)


def plumbing(root: Path, tip: str, data: bytes) -> str:
    """The tree of two commits on two branches, made by git alone."""
    blob = git(root, "hash-object", "-w", "--no-filters", "--stdin", stdin=data)
    *folders, name = PATTERN.split("/")
    entry = f"100644 blob {blob}\t{name}"
    while True:
        rows = git(root, "ls-tree", f"{tip}:{'/'.join(folders)}").split("\n")
        rows = [entry if row.endswith(f"\t{name}") else row for row in rows]
        tree = git(root, "mktree", stdin="\n".join(rows).encode() + b"\n")
        if not folders:
            break
        name = folders.pop()
        entry = f"040000 tree {tree}\t{name}"
    for branch in ("proposed", "applied"):
        commit = git(root, "commit-tree", tree, "-p", tip, stdin=b"One record\n")
        git(root, "update-ref", f"refs/bench/{branch}", commit)
    return tree


_STARTED: list[None] = []
"""One for each git that was started here."""


def _counting() -> None:
    start = running._started

    def started(*args: Any, **kwargs: Any) -> Any:
        _STARTED.append(None)
        return start(*args, **kwargs)

    running._started = started


def _processor() -> tuple[float, float]:
    """Processor seconds of this process and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own, others = (one.ru_utime + one.ru_stime for one in used)
    return own, others


def table(figures: list[Figure]) -> str:
    """The section of the page."""
    lines = [
        HEADING,
        "",
        "One record is changed, checked, proposed and applied, without an origin: `python benchmarks/changing.py`.",
        "Processor seconds of one process and of those that it starts, medians; imports apart, but in whole processes.",
        "The plumbing makes the same trees and as many commits and refs, by git alone.",
        "",
        "| records | | propose, s | git processes | apply, s | git processes | plumbing, s | ratio |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in figures:
        commands = [f"{cost.seconds:.3f} | {cost.gits or ''}" for cost in (one.costs["propose"], one.costs["apply"])]
        plain = one.costs["plumbing"].seconds
        lines.append(f"| {one.records:,} | {one.sort} | {' | '.join(commands)} | {plain:.3f} | {one.ratio:.1f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    _counting()
    sys.exit(main())
