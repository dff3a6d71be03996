"""Measures how the cost of commands grows with the store: processor seconds of whole processes, and their exponents.

Each command names one record, or follows an edit of one. Stores are the example with more and more customers. The
figures go to a CSV file and a picture beside the page, the exponents (of the last two sizes) under a heading of the
page. A cost that grows like the store has exponent 1, one that does not grow has 0.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from grown import PATTERN, git, grow
from pages import write_section

from remit.yamltext import Edit, edit

HEADING = "# Growth"
CUSTOMER = "Customer/harbour-bank"
PLAIN = ("git ls-tree -r", "git commit through the index")
Costs = dict[int, dict[str, float]]
"""Seconds by records and step."""


def main() -> int:
    """Print the table; with --write, write the CSV file, the picture and the section of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3, help="how often each is done; the least counts")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    costs: Costs = {}
    for records in options.records:
        with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
            costs[records] = measure(Path(folder), records, options.rounds)
        print(records, {step: round(seconds, 3) for step, seconds in costs[records].items()}, flush=True)
    section = table(costs)
    print(section)
    if options.write:
        write_csv(options.write.with_name("growth.csv"), costs)
        draw(options.write.with_name("growth.png"), costs)
        write_section(options.write, section)
    return 0


def measure(folder: Path, records: int, rounds: int) -> dict[str, float]:
    """Seconds of each step in a store with so many customers more, in which nobody has to approve."""
    root = folder / "store"
    grow(root, records)
    shutil.rmtree(root / "rules" / "approval")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "nobody has to approve")
    (folder / "home").mkdir()
    environment = {**os.environ, "HOME": str(folder / "home")}
    remit = [sys.executable, "-c", "from remit.main import run; run()"]
    said: dict[str, str] = {}

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    def command(*words: str) -> Callable[[], str]:
        return lambda: run(*remit, *words)

    def touch() -> None:
        score = (root / PATTERN).stat().st_mtime_ns // 1000 % 90
        (root / PATTERN).write_bytes(edit((root / PATTERN).read_bytes(), [Edit(("spec", "importanceScore"), score)]))

    def commit() -> str:
        run("git", "add", "--", PATTERN)
        return run("git", "commit", "--quiet", "--allow-empty", "-m", "one")

    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    first = cost(command("check", "--at", at))
    least: dict[str, float] = {}
    for _ in range(rounds):
        steps: dict[str, Callable[[], str]] = {
            PLAIN[0]: lambda: run("git", "ls-tree", "-r", "-z", "HEAD"),
            "check, one record edited": command("check", "--at", at),
            "propose": command("propose", "-m", "one"),
            "apply": lambda: run(*remit, "apply", said["propose"].split()[0]),
            "log": command("log", CUSTOMER),
            "blame": command("blame", CUSTOMER),
            "show": command("show", CUSTOMER),
            "set": command("set", CUSTOMER, "importanceScore=55", "--dry-run"),
            "new": command("new", "Site", "gate", "--title", "Gate", "--set", "customer=harbour-bank", "--dry-run"),
        }
        touch()
        for step, do in steps.items():
            seconds, said[step] = cost(do)
            least[step] = min(seconds, least.get(step, seconds))
        touch()
        seconds, _ = cost(commit)
        least[PLAIN[1]] = min(seconds, least.get(PLAIN[1], seconds))
    return {"check, the first time": first[0], **least}


def cost(step: Callable[[], str]) -> tuple[float, str]:
    """Processor seconds of the processes that a step starts, and what it gives."""
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = step()
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime, out


def exponent(costs: Costs, step: str) -> float:
    """How the cost grows between the two largest stores, as a power of their size."""
    small, large = sorted(costs)[-2:]
    return math.log(costs[large][step] / costs[small][step]) / math.log(large / small)


def table(costs: Costs) -> str:
    """The section of the page."""
    sizes = sorted(costs)
    lines = [
        HEADING,
        "",
        "What commands cost in stores of growing size, measured by `python benchmarks/growth.py`.",
        "The stores are the example with as many customers more as the columns say.",
        "Seconds are those of the processor, for whole processes, the least of some runs; nobody has to approve.",
        "The exponent is that between the two largest stores: 1 is a cost that grows like the store, 0 one that stays.",
        "The figures are in [growth.csv](growth.csv).",
        "",
        "![Seconds against customers, both as powers of ten](growth.png)",
        "",
        f"| what | {' | '.join(f'{size:,}' for size in sizes)} | exponent |",
        f"| --- | {'---: | ' * len(sizes)}---: |",
    ]
    for step in costs[sizes[0]]:
        cells = " | ".join(f"{costs[size][step]:.3f}" for size in sizes)
        lines.append(f"| {step} | {cells} | {exponent(costs, step):.2f} |")
    return "\n".join([*lines, ""])


def write_csv(path: Path, costs: Mapping[int, Mapping[str, float]]) -> None:
    """One line for each size and step."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["customers", "step", "seconds"])
        writer.writerows([size, step, f"{took:.3f}"] for size, steps in costs.items() for step, took in steps.items())


def draw(path: Path, costs: Costs) -> None:
    """The picture: both axes as powers of ten."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sizes = sorted(costs)
    figure, axes = pyplot.subplots(figsize=(8, 5.5), layout="constrained")
    for step in costs[sizes[0]]:
        style = "--" if step in PLAIN else "-"
        label = f"{step} ({exponent(costs, step):.2f})"
        axes.plot(sizes, [costs[size][step] for size in sizes], style, marker="o", label=label)
    axes.set(xscale="log", yscale="log", xlabel="customers beside those of the example", ylabel="processor seconds")
    axes.grid(visible=True, which="major", alpha=0.3)
    figure.legend(loc="outside right upper", title="what (exponent)", fontsize="small")
    figure.savefig(path, dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    sys.exit(main())
