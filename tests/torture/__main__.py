"""Run parts of the torture at one size, and write down what came of them.

    python -m torture --size full                        # whatever has no result of this size, seed and commit yet
    python -m torture --size full --only lone push       # two parts
    python -m torture --only                             # nothing; the page anew, from what is written down

Parts may run at different times and side by side: each adds its line to the results when it ends.
Exit code 1 when anything was lost.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from torture.page import Result, add, commit, machine, page, results, tidy
from torture.parts import SIZES, Part, parts
from torture.processes import load_everything


def cut_off(folder: Path) -> None:
    """Hide the user's git from everything that runs here."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_CONFIG"))]:
        del os.environ[name]
    os.environ |= {"HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(folder / ".gitconfig")}
    os.environ["GIT_CEILING_DIRECTORIES"] = str(folder)


def run_part(name: str, part: Part, size: str, seed: int, at: str) -> Result:
    """Run one part on this commit."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="remit-torture-") as folder:
        cut_off(Path(folder))
        row = part(SIZES[size], Path(folder) / name, Random(f"{seed} {name}"))
    seconds, today = round(time.monotonic() - start), datetime.now(UTC).date().isoformat()
    return Result(name, size, seed, at, today, seconds, machine(), row.what, row.came, row.lost)


def run(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="torture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=sorted(SIZES), default="medium")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", metavar="PART", choices=[*parts(), []], help=f"of {', '.join(parts())}")
    parser.add_argument("--results", type=Path, default=Path("docs/reliability.jsonl"), metavar="FILE")
    parser.add_argument("--page", type=Path, metavar="FILE", help="make the page from all results")
    options = parser.parse_args(arguments)
    path, at, lost = options.results.resolve(), commit(), False
    there = {(one.part, one.size, one.seed, one.commit) for one in results(path)}
    load_everything()
    for name, part in parts().items():
        if options.only is not None and name not in options.only:
            continue
        if options.only is None and (name, options.size, options.seed, at) in there and not at.endswith("-dirty"):
            continue
        one = run_part(name, part, options.size, options.seed, at)
        add(path, one)
        lost = lost or bool(one.lost)
        print(f"{name}: {one.what}: {one.came} ({one.seconds} s)", *one.lost, sep="\n  LOST ", flush=True)
    if options.page is not None:
        options.page.write_text(page(tidy(path, parts())), encoding="utf-8")
    return int(lost)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
