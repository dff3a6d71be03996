"""Measures what a command costs beside its work: starting, importing, and what a whole process adds to its parts.

Processor seconds of whole processes on the example store, the least of the rounds. `--write PAGE` puts the table into
a page under its own heading.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pages import write_section

from remit.pack import pack_files
from remit.starting import write_store

HEADING = "# Starting"
AT = "2026-10-15T10:00:00+08:00"
REMIT = [sys.executable, "-c", "from remit.main import run; run()"]
PARTS = f"""
import json, time
from pathlib import Path
laps = {{}}
def lap(name):
    laps[name] = time.process_time()
lap("start")
from remit.checking import check
from remit.evaluating import load
from remit.store import Store
from remit.times import parse_instant
lap("importing what checks")
files = Store.open(Path()).files()
lap("reading the files")
loaded = load(files)
lap("reading records and judging them by their schemas")
check(loaded, at=parse_instant("{AT}"))
lap("checking everything, cases included")
names = list(laps)
print(json.dumps({{name: laps[name] - laps[before] for before, name in zip(names, names[1:])}}))
"""


def main() -> int:
    """Print the table, or write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
        root = Path(folder) / "store"
        write_store(root, dict(pack_files()), lambda draft: None)
        section = table(root, options.rounds)
    if options.write:
        write_section(options.write, section)
    else:
        print(section, end="")
    return 0


def table(root: Path, rounds: int) -> str:
    """The section with its table."""
    bare = spent([sys.executable, "-c", "pass"], root, rounds)
    helped = spent([*REMIT, "--help"], root, rounds)
    checked = spent([*REMIT, "check", "--at", AT], root, rounds)
    runs = [json.loads(subprocess.check_output([sys.executable, "-c", PARTS], cwd=root)) for _ in range(rounds)]
    parts = {name: min(run[name] for run in runs) for name in runs[0]}
    whole = bare + sum(parts.values())
    lines = [
        HEADING,
        "",
        "What a command costs beside its work, on the example store: `python benchmarks/startup.py`.",
        f"Processor seconds, the least of {rounds} runs.",
        "",
        "| what | seconds | ratio |",
        "| --- | ---: | --- |",
        f"| python, nothing done | {bare:.3f} | |",
        f"| remit --help | {helped:.3f} | {helped / bare:.1f} to python |",
        *(f"| {name} | {seconds:.3f} | |" for name, seconds in parts.items()),
        f"| remit check, the first time | {checked:.3f} | {checked / whole:.2f} to python and these parts |",
    ]
    return "\n".join(lines) + "\n"


def spent(command: list[str], root: Path, rounds: int) -> float:
    """Processor seconds of a process and of those that it starts."""
    seconds = []
    for _ in range(rounds):
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command} failed")
        seconds.append(used.ru_utime + used.ru_stime)
    return min(seconds)


if __name__ == "__main__":
    sys.exit(main())
