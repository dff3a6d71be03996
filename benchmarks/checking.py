"""Measures `remit check` on stores of growing size: the first time, again, and after small changes.

Each figure is a whole process, the median of some rounds, beside what cannot be avoided, measured in the same run: git
listing the files, and PyYAML's C loader parsing them. `--write PAGE` writes the tables down with machine and versions.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from pages import write_section

from remit.pack import pack_files
from remit.starting import write_store
from remit.yamltext import Edit, edit

PATTERN = "records/customers/harbour-bank.yaml"
PERSON = "records/people/wang-lei.yaml"
POLICY = "rules/escalation/fault-handling.yaml"
PARAMETERS = "records/parameter-sets/operator.yaml"
OTHER = "records/customers/customer-000007.yaml"
AT = datetime.fromisoformat("2026-10-15T10:00:00+08:00")
PARSE = """
import pathlib, yaml
for path in pathlib.Path("records").rglob("*.yaml"):
    yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
"""
WHO = ("-c", "user.name=bench", "-c", "user.email=bench@example.net", "-c", "commit.gpgsign=false")
FIRST = "git ls-tree -r HEAD"
MISTAKE = b"  bad: [\n"
Row = tuple[str, float]


def main() -> int:
    """Print the tables, or write them into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000, 10_000], help="customers to add to the example")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is done; the median counts")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    tables = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
            files = prepare(Path(folder) / "store", size)
            tables.append(table(files, measure(Path(folder), options.rounds)))
    page = "\n\n".join([heading(), *tables]) + "\n"
    if options.write:
        write_section(options.write, page)
    else:
        print(page, end="")
    return 0


def prepare(root: Path, size: int) -> int:
    """The example store with ``size`` more customers, committed; how many files it has."""
    files = dict(pack_files())
    for number in range(size):
        name = f"customer-{number:06}"
        files[f"records/customers/{name}.yaml"] = edit(files[PATTERN], [Edit(("metadata", "name"), name)])
    write_store(root, files, lambda draft: None)
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], [*WHO, "commit", "-q", "-m", "bench"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    return len(files)


def measure(folder: Path, rounds: int) -> list[Row]:
    """Seconds of each way, the median of the rounds."""
    root, customer = folder / "store", folder / "store" / PATTERN
    # A home of its own: what is remembered is bound to the user.
    environment = {**os.environ, "HOME": str(folder / "home")}
    (folder / "home").mkdir()

    day = AT

    def run(*command: str, code: int = 0) -> None:
        done = subprocess.run(command, cwd=root, env=environment, check=False, stdout=subprocess.DEVNULL)
        if done.returncode != code:
            raise RuntimeError(f"{command} gave {done.returncode}")

    def remit(*arguments: str, code: int = 0) -> None:
        run(sys.executable, "-c", "from remit.main import run; run()", *arguments, code=code)

    def check(*more: str, code: int = 0) -> None:
        remit("check", "--at", day.isoformat(), *more, code=code)

    def forget() -> None:
        shutil.rmtree(root / ".git" / "remit", ignore_errors=True)

    def touch() -> None:
        score = 50 + (customer.stat().st_mtime_ns // 1000) % 40
        customer.write_bytes(edit(customer.read_bytes(), [Edit(("spec", "importanceScore"), score)]))

    def next_day() -> None:
        nonlocal day
        day += timedelta(days=1)

    def remark(path: str) -> Callable[[], None]:
        def write() -> None:
            (root / path).write_bytes((root / path).read_bytes() + b"# seen\n")

        return write

    def right() -> None:
        customer.write_bytes(customer.read_bytes().removesuffix(MISTAKE))
        check()

    def mistake() -> None:
        right()
        customer.write_bytes(customer.read_bytes() + MISTAKE)

    def mistake_found() -> None:
        mistake()
        check(code=1)
        customer.write_bytes(customer.read_bytes().removesuffix(MISTAKE))

    def remove() -> None:
        name = Edit(("metadata", "name"), Path(OTHER).stem)
        (root / OTHER).write_bytes(edit((root / PATTERN).read_bytes(), [name]))
        check()
        (root / OTHER).unlink()

    def commit() -> None:
        touch()
        run("git", *WHO, "commit", "-q", "-a", "-m", "edited")

    steps: list[tuple[str, Callable[[], None], Callable[[], None]]] = [
        (FIRST, lambda: None, lambda: run("git", "ls-tree", "-r", "-z", "HEAD")),
        ("PyYAML, C loader, parse only", lambda: None, lambda: run(sys.executable, "-c", PARSE)),
        ("remit --version", lambda: None, lambda: remit("--version")),
        ("remit check, the first time", forget, check),
        ("remit check, nothing changed", lambda: None, check),
        ("remit check, one record edited", touch, check),
        ("remit check, the first of another day", next_day, check),
        ("remit check, a person edited", remark(PERSON), check),
        ("remit check, a policy edited", remark(POLICY), check),
        ("remit check, a parameter edited", remark(PARAMETERS), check),
        ("remit check, a mistake", mistake, lambda: check(code=1)),
        ("remit check, the mistake put right", mistake_found, check),
        ("remit check, a record removed", remove, check),
        ("remit check --since HEAD, one record edited", touch, lambda: check("--since", "HEAD")),
        ("remit check --ref HEAD, one record committed", commit, lambda: check("--ref", "HEAD")),
    ]
    return [(name, timed(before, step, rounds)) for name, before, step in steps]


def timed(before: Callable[[], None], step: Callable[[], None], rounds: int) -> float:
    """The median seconds of ``step``, each after ``before``."""
    seconds = []
    for _ in range(rounds):
        before()
        begun = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def table(files: int, rows: list[Row]) -> str:
    """One table; ratios are to listing and to parsing."""
    listing, parsing = rows[0][1], rows[1][1]
    lines = [f"## {files:,} files", "", "| what | seconds | to listing | to parsing |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {name} | {took:.3f} | {took / listing:.1f} | {took / parsing:.2f} |" for name, took in rows]
    return "\n".join(lines)


def heading() -> str:
    """The machine, the versions, and how to do it again."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    versions = ", ".join(f"{name} {version(name)}" for name in ("PyYAML", "jsonschema-rs"))
    return f"""# Performance

How long `remit check` takes: whole processes, medians, measured by `make bench` beside what cannot be avoided.
{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, git {git}, {versions}.
Seconds differ from machine to machine and from hour to hour; look at the ratios.

The first check reads and judges everything.
Its verdict is kept in the git folder, with what each part of it rests on.
After a change, and on another day, only that is judged again which read what changed.
Records are edited in their own fields; people, policies and parameters by a remark, which changes their files.
The last column but one compares with git listing the files, the last with parsing them."""


if __name__ == "__main__":
    sys.exit(main())
