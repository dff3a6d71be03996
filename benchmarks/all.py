"""Runs every benchmark in turn, each in a process of its own: what `make bench` does.

What is installed is compiled beforehand, as an installation would have it. `--size small` asks the small sizes only and
takes minutes; `full` asks all sizes of README.md and takes hours. A benchmark that fails is named at the end, and the
others are run all the same.
"""

from __future__ import annotations

import argparse
import compileall
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import remit

HERE = Path(__file__).parent


class Run(NamedTuple):
    """One script and what it is asked at each size; ``writes`` says that it has tables for the page."""

    script: str
    small: str
    full: str
    writes: bool = True


RUNS = (
    Run("run.py", "--rounds 3", "", writes=False),
    Run("startup.py", "--rounds 3", ""),
    Run("checking.py", "1000", "1000 10000 100000 --rounds 5"),
    Run("cold.py", "1000 --rounds 3", "1000 10000 100000"),
    Run("deciding.py", "--facts 10000 --rounds 3", "--facts 10000 100000 1000000"),
    Run("facts.py", "--tickets 10000", ""),
    Run("scorecard.py", "--tickets 100000", "--tickets 1000000 10000000 --rounds 5"),
    Run("changing.py", "--records 1000 --rounds 3", ""),
    Run("growth.py", "--customers 100 1000 --changes 1 10 100", ""),
    Run("push.py", "--records 1000 --rounds 3", "", writes=False),
    Run("audit.py", "--commits 50", "", writes=False),
)


def main() -> int:
    """Run them all; 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=["small", "full"], default="full")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="with the full size only")
    options = parser.parse_args()
    compileall.compile_dir(Path(remit.__file__).parent, quiet=1)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    failed = []
    for run in RUNS:
        command = [sys.executable, str(HERE / run.script), *getattr(run, options.size).split()]
        if options.write and run.writes and options.size == "full":
            command += ["--write", str(options.write)]
        print(f"== {run.script}", flush=True)
        if subprocess.run(command, check=False, env=environment).returncode:
            failed.append(run.script)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
