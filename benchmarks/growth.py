"""Measures how the cost of commands grows: with the store, and with the change. Processor seconds of whole processes.

Each command names one record, or follows an edit. Stores are the example with more and more customers; changes are
edits of more and more of these. The figures go to a CSV file and a picture beside the page, the exponents (of the last
two sizes) under a heading of the page. A cost that grows like the store has exponent 1, one that does not grow has 0.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from grown import PATTERN, copied, customer_path, store_of
from pages import write_section

from remit.yamltext import Edit, edit

HEADING = "# Growth"
CUSTOMER = "Customer/harbour-bank"
WHERE = 'has(subject.customer) && subject.customer.customerGrade == "group"'
THEN = "2026-10-15T10:00:00+08:00"
PLAIN = ("git ls-tree -r", "git commit through the index")
FRESH = 2.1
"""Seconds after which marks of files are believed."""

Costs = dict[int, dict[str, float]]
"""Seconds by size (of the store or of the change) and step."""
Did = dict[str, tuple[float, str]]
"""Seconds of each step, and what it printed."""


def main() -> int:
    """Print the tables; with --write, write the CSV file, the picture and the section of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--changes", type=int, nargs="+", default=[1, 10, 100, 1_000], help="so many edited records")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is done; the least counts")
    parser.add_argument("--stores", type=Path, metavar="FOLDER", help="where grown stores are, or are kept, for copies")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
        stores = options.stores or Path(folder, "stores")
        size: Costs = {}
        for customers in sorted(options.customers):
            with Copy(store_of(stores, customers), Path(folder, "copy")) as store:
                size[customers] = said(customers, by_size(store, options.rounds))
        customers = max(10_000 if 10_000 in size else min(size), *options.changes)
        with Copy(store_of(stores, customers), Path(folder, "copy")) as store:
            change = {edited: said(edited, by_change(store, edited, options.rounds)) for edited in options.changes}
    section = page(size, change, customers)
    print(section)
    if options.write:
        write_csv(options.write.with_name("growth.csv"), size, change)
        draw(options.write.with_name("growth.png"), size, change)
        write_section(options.write, section)
    return 0


def said(size: int, costs: dict[str, float]) -> dict[str, float]:
    """The same, printed on one line."""
    print(size, {step: round(seconds, 3) for step, seconds in costs.items()}, flush=True)
    return costs


class Copy(NamedTuple):
    """A copy of a store in which commands are run by somebody who has a home of his own there."""

    store: Path
    folder: Path

    def __enter__(self) -> Copy:
        copied(self.store, self.folder / "store")
        (self.folder / "home").mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["rm", "-rf", str(self.folder)], check=True)

    @property
    def root(self) -> Path:
        """The copy."""
        return self.folder / "store"

    def run(self, *command: str) -> str:
        """What a program prints."""
        rising = "sed -i 's/importanceScore: .*/importanceScore: 54/'"
        environment = {**os.environ, "HOME": str(self.folder / "home"), "EDITOR": rising, "VISUAL": rising}
        done = subprocess.run(command, cwd=self.root, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    def remit(self, *words: str) -> str:
        """What a command of Remit prints."""
        return self.run(sys.executable, "-c", "from remit.main import run; run()", *words)

    def touch(self, path: str) -> None:
        """Give a customer another score."""
        file = self.root / path
        score = file.stat().st_mtime_ns // 1000 % 90
        file.write_bytes(edit(file.read_bytes(), [Edit(("spec", "importanceScore"), score)]))

    def commit(self) -> str:
        """What git alone does for one changed file."""
        self.run("git", "add", "--", PATTERN)
        return self.run("git", "commit", "--quiet", "--allow-empty", "-m", "one")


def by_size(store: Copy, rounds: int) -> dict[str, float]:
    """Seconds of each step in one store."""
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    first = {"check, the first time": cost(lambda: store.remit("check", "--at", at))[0]}
    first["show, the first time"] = cost(lambda: store.remit("show", CUSTOMER))[0]
    least: dict[str, float] = {}
    for _ in range(rounds):
        done: Did = {}
        time.sleep(FRESH)
        done["show, after a commit"] = cost(lambda: store.remit("show", CUSTOMER))
        store.touch(PATTERN)
        for step, words in NAMING.items():
            done[step] = cost(lambda words=words: store.remit(*words))  # type: ignore[misc]
        done[PLAIN[0]] = cost(lambda: store.run("git", "ls-tree", "-r", "-z", "HEAD"))
        done |= changing(store, at)
        for step in ("log", "blame"):
            done[step] = cost(lambda step=step: store.remit(step, CUSTOMER))  # type: ignore[misc]
        store.touch(PATTERN)
        done[PLAIN[1]] = cost(store.commit)
        least = {step: min(seconds, least.get(step, seconds)) for step, (seconds, _) in done.items()}
    return {**first, **least}


NAMING: Mapping[str, tuple[str, ...]] = {
    "show": ("show", CUSTOMER),
    "show --ref": ("show", CUSTOMER, "--ref", "HEAD"),
    "set": ("set", CUSTOMER, "importanceScore=55", "--dry-run"),
    "unset": ("unset", CUSTOMER, "industry", "--dry-run"),
    "new": ("new", "Site", "gate", "--title", "Gate", "--set", "customer=harbour-bank", "--dry-run"),
    "edit": ("edit", CUSTOMER, "--dry-run"),
    "rename": ("rename", "Visit/harbour-bank-2026-q4", "harbour-bank-2026-q5", "--dry-run"),
    "remove": ("remove", "Visit/harbour-bank-2026-q4", "--dry-run"),
    "list --where": ("list", "sites", "--where", WHERE),
    "explain": ("explain", "fault-handling", "TroubleTicket/gz-20261015-001", "--at", THEN),
}
"""Commands that name one record, or one small kind."""


def by_change(store: Copy, edited: int, rounds: int) -> dict[str, float]:
    """Seconds of each step after so many records were edited."""
    least: dict[str, float] = {}
    for _ in range(rounds):
        at = datetime.now(UTC).replace(microsecond=0).isoformat()
        store.remit("check", "--at", at)
        for number in range(edited):
            store.touch(customer_path(number))
        done = changing(store, at)
        least = {step: min(seconds, least.get(step, seconds)) for step, (seconds, _) in done.items()}
    return least


def changing(store: Copy, at: str) -> Did:
    """A check of what was edited, and its way to the branch."""
    checked = cost(lambda: store.remit("check", "--at", at))
    proposed = cost(lambda: store.remit("propose", "-m", "one"))
    applied = cost(lambda: store.remit("apply", proposed[1].split()[0]))
    return {"check, after the edit": checked, "propose": proposed, "apply": applied}


def cost(step: Callable[[], str]) -> tuple[float, str]:
    """Processor seconds of the processes that a step starts, and what it gives."""
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = step()
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime, out


def exponent(costs: Costs, step: str) -> float:
    """How the cost grows between the two largest sizes, as a power of the size; 0 where there is one only."""
    if len(costs) < 2:
        return 0.0
    small, large = sorted(costs)[-2:]
    return math.log(costs[large][step] / costs[small][step]) / math.log(large / small)


def page(size: Costs, change: Costs, customers: int) -> str:
    """The section of the page."""
    return "\n".join(
        [
            HEADING,
            "",
            "What commands cost in stores of growing size, measured by `python benchmarks/growth.py`.",
            "The stores are the example with as many customers more as the columns say.",
            "Seconds are those of the processor, for whole processes, the least of some runs; nobody has to approve.",
            "The exponent is between the two largest sizes: 1 is a cost that grows like the store, 0 one that stays.",
            "The figures are in [growth.csv](growth.csv).",
            "",
            "![Seconds against customers and against edited records, both as powers of ten](growth.png)",
            "",
            *table(size),
            "",
            f"And what a change costs by the number of records that were edited, among {customers:,} customers.",
            "",
            *table(change),
            "",
        ]
    )


def table(costs: Costs) -> list[str]:
    """One line for each step."""
    sizes = sorted(costs)
    rows = [
        f"| {step} | {' | '.join(f'{costs[size][step]:.3f}' for size in sizes)} | {exponent(costs, step):.2f} |"
        for step in costs[sizes[0]]
    ]
    head = f"| what | {' | '.join(f'{size:,}' for size in sizes)} | exponent |"
    return [head, f"| --- | {'---: | ' * len(sizes)}---: |", *rows]


def write_csv(path: Path, size: Costs, change: Costs) -> None:
    """One line for each size and step."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["by", "size", "step", "seconds"])
        for name, costs in (("customers", size), ("edited", change)):
            writer.writerows(
                [name, n, step, f"{took:.3f}"] for n, steps in costs.items() for step, took in steps.items()
            )


def draw(path: Path, size: Costs, change: Costs) -> None:
    """The picture: both axes as powers of ten."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(2, figsize=(9, 11), height_ratios=[2, 1], layout="constrained")
    labels = ("customers beside those of the example", "edited records")
    for axes, costs, label in zip(panels, (size, change), labels, strict=True):
        colours = pyplot.get_cmap("tab20").colors
        for number, step in enumerate(costs[min(costs)]):
            style = "--" if step in PLAIN else "-"
            told = f"{step} ({exponent(costs, step):.2f})"
            seconds = [costs[one][step] for one in sorted(costs)]
            axes.plot(sorted(costs), seconds, style, marker="o", label=told, color=colours[number % len(colours)])
        axes.set(xscale="log", yscale="log", xlabel=label, ylabel="processor seconds")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), title="what (exponent)", fontsize="small")
    figure.savefig(path, dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    sys.exit(main())
