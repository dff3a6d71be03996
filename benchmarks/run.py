"""Measures the two things that everybody waits for: checking the example store and evaluating two months of feeds.

Machines differ, so each figure is also a ratio to what cannot be avoided, measured in the same run: reading every file
of the store and parsing it with PyYAML's C loader. Run it with `make bench`; README.md says how to read it.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from remit.checking import check
from remit.demo_feed import NOW, demo_feeds
from remit.evaluating import decide, feeds_of, in_force, load
from remit.pack import pack_files
from remit.starting import write_store
from remit.store import Store
from remit.yamltext import Edit, edit

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def main() -> int:
    """Print a table, or with --json the same figures for a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is done; the median counts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
        root = Path(folder) / "store"
        prepare(root)
        figures = measure(root, options.rounds)
    if options.json:
        print(json.dumps({"python": platform.python_version(), "machine": platform.machine(), **figures}, indent=2))
        return 0
    base = figures["reading and parsing"]["seconds"]
    print(f"{'what':28}  {'seconds':>8}  {'ratio':>6}  what it did")
    for name, figure in figures.items():
        print(f"{name:28}  {figure['seconds']:8.3f}  {figure['seconds'] / base:6.1f}  {figure['did']}")
    return 0


def prepare(root: Path) -> None:
    """The example store with the feeds of the demonstration, outside git."""
    feeds = demo_feeds()
    files = dict(pack_files())
    files["remit.yaml"] = edit(files["remit.yaml"], [Edit(("sources",), [dict(one) for one in feeds.sources])])
    write_store(root, {**files, **{f"feeds/{name}": data for name, data in feeds.files.items()}}, lambda draft: None)


def measure(root: Path, rounds: int) -> dict[str, dict[str, Any]]:
    """Seconds (median of ``rounds``) and what was done, by name; the first is what the others are compared with."""
    store = Store.open(root)

    def parsed() -> str:
        files = [path for path in root.rglob("*.yaml") if path.is_file()]
        for path in files:
            yaml.load(path.read_bytes(), Loader=LOADER)
        return f"{len(files)} YAML files, no checks"

    def loaded() -> str:
        read = load(store.files())
        return f"{len(read.snapshot.records)} records against their schemas"

    def checked() -> str:
        read = load(store.files())
        return f"{len(check(read, at=NOW))} findings, {len(read.snapshot.policies)} policies, all their cases"

    def evaluated() -> str:
        files = store.files()
        read = load(files, feeds_of(files, root, [], None))
        decisions = list(in_force(decide(read, None, NOW, read_at=NOW), NOW))
        return f"{sum(report.accepted for report in read.reports)} facts, {len(decisions)} decisions in force"

    steps: dict[str, Callable[[], str]] = {
        "reading and parsing": parsed,
        "load the store": loaded,
        "check": checked,
        "evaluate the feeds": evaluated,
    }
    return {name: timed(step, rounds) for name, step in steps.items()}


def timed(step: Callable[[], str], rounds: int) -> dict[str, Any]:
    """The median time of ``rounds`` runs after one that does not count."""
    did = step()
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begun)
    return {"seconds": round(statistics.median(seconds), 4), "did": did}


if __name__ == "__main__":
    sys.exit(main())
