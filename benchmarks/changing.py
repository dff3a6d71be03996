"""Measures what proposing and applying one change costs in a store of many records, beside git's own plumbing.

Inside one process, imports apart, as a person would do it without an origin: propose what differs in the working tree,
then apply it, each with the store opened anew. Beside it stands the plumbing that makes the same two commits of the
same trees: hash-object, ls-tree and mktree along the path, commit-tree, update-ref. `--write` puts the table under its
own heading of a page.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from grown import PATTERN, git, grow
from pages import write_section

from remit.changing.applying import apply
from remit.changing.proposing import propose
from remit.judging import PolicyJudge, result_check
from remit.rechecking import check_working
from remit.remembering import memory_of
from remit.store import Store
from remit.yamltext import Edit, edit

HEADING = "# Changes"


class Figure(NamedTuple):
    """Median seconds at one size."""

    records: int
    propose: float
    apply: float
    plumbing: float

    @property
    def ratio(self) -> float:
        """Both commands to the plumbing."""
        return (self.propose + self.apply) / self.plumbing


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
            figures.append(measure(Path(folder), records, options.rounds))
    page = table(figures)
    print(page)
    if options.write:
        write_section(options.write, page)
    return 0


def measure(folder: Path, records: int, rounds: int) -> Figure:
    """The figures of a store of so many customers, in which nobody has to approve."""
    os.environ["HOME"] = str(folder)
    root = folder / "store"
    grow(root, records)
    shutil.rmtree(root / "rules" / "approval")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "nobody has to approve")
    at = datetime.now(UTC).replace(microsecond=0)
    seconds: dict[str, list[float]] = {"propose": [], "apply": [], "plumbing": []}
    for number in range(rounds + 1):
        at += timedelta(seconds=1)
        tip = git(root, "rev-parse", "main")
        path = root / PATTERN
        path.write_bytes(edit(path.read_bytes(), [Edit(("spec", "importanceScore"), 10 + number)]))
        store = Store.open(root)
        check_working(store, memory_of(store), at=at)
        change = timed(seconds["propose"], lambda at=at: propose(Store.open(root), "One record", at=at))  # type: ignore[misc]
        applied = timed(seconds["apply"], lambda at=at, id=change.id: applied_now(root, id, at))  # type: ignore[misc]
        tree = timed(seconds["plumbing"], lambda tip=tip: plumbing(root, tip, (root / PATTERN).read_bytes()))  # type: ignore[misc]
        assert tree == git(root, "rev-parse", f"{applied}^{{tree}}"), "the plumbing makes another tree"
        assert git(root, "status", "--porcelain") == ""
    # The first round imports what is needed.
    return Figure(records, *(statistics.median(seconds[name][1:]) for name in Figure._fields[1:]))


def applied_now(root: Path, id: str, at: datetime) -> str:
    """The commit that carries a change."""
    store = Store.open(root)
    return apply(store, id, at=at, judge=PolicyJudge(at), check=result_check(store, at=at)).commit


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


def timed(seconds: list[float], step: Callable[[], Any]) -> Any:
    """What a step gives; the processor seconds of it and of the processes that it started are added."""
    begun = sum(os.times()[:4])
    result = step()
    seconds.append(sum(os.times()[:4]) - begun)
    return result


def table(figures: list[Figure]) -> str:
    """The section of the page."""
    lines = [
        HEADING,
        "",
        "One record is changed, checked, proposed and applied, without an origin: `python benchmarks/changing.py`.",
        "Processor seconds of one process and of those that it starts, imports apart, medians.",
        "The plumbing makes the same trees and as many commits and refs, by git alone.",
        "",
        "| records | propose, s | apply, s | plumbing, s | ratio |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in figures:
        lines.append(
            f"| {one.records:,} | {one.propose:.3f} | {one.apply:.3f} | {one.plumbing:.3f} | {one.ratio:.1f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
