"""Measures how many facts a second are read and decided: in memory, as tables, and where they stand in a Parquet file.

Tickets are those of the demonstration, moved over half a year, as a warehouse would export them: plain columns, without
references to other feeds; one in a hundred is open, as of today. All watching policies of the example store are asked
what is in force. Beside it stand durable-rules and CEL, asked the same conditions of tickets read already, and nothing
else. `--write` puts the table under its own heading of a page.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from pages import write_section

from remit.conditions.deciding import Decider
from remit.demo_feed import NOW
from remit.engine import bindings_of
from remit.evaluating import Engine, Loaded, decide, in_force, load
from remit.pack import pack_files
from remit.sources import SourceContext, read_source
from remit.starting import write_store
from remit.store import Store
from remit.times import format_instant, parse_instant

HEADING = "# Facts"
ELSEWHERE = ("faultReport",)
"""What refers to facts of other feeds."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
DAYS = 180
"""How far back tickets are moved; the terms of the example store hold all that time."""
OPEN = 0.01
"""How many tickets are still open."""
SEEN = 1_000
"""So many tickets show which columns there are."""
PLAIN = 2_000
"""Tickets of which the plain loops are asked; they need so long for each that more would tell nothing new."""


class Figure(NamedTuple):
    """One line of the table; ``reading`` is 0 where facts were read already."""

    what: str
    facts: int
    reading: float
    deciding: float
    did: str

    @property
    def rate(self) -> float:
        """Facts a second, from the file to the decisions."""
        return self.facts / (self.reading + self.deciding)


def main() -> int:
    """Print the table, and write it with --write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, nargs="+", default=[10_000, 200_000])
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    sections = []
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
        root = Path(folder)
        write_store(root / "store", dict(pack_files()), lambda draft: None)
        for number in options.tickets:
            lines, columns = (
                SourceContext(f"{number}.{end}", "TroubleTicket", root=root) for end in ("jsonl", "parquet")
            )
            write_tickets(lines.file, number)
            write_columns(lines.file, columns.file)
            sections.append(section(number, lines.file.stat().st_size, measure(root / "store", lines, columns)))
            print(sections[-1])
    if options.write:
        write_section(options.write, f"{preface()}\n" + "\n".join(sections))
    return 0


def write_tickets(path: Path, number: int) -> None:
    """So many tickets, the same for the same number."""
    from remit.demo_feed import demo_feeds

    dice = Random(number)
    feed = path.with_name("demo.jsonl")
    feed.write_bytes(demo_feeds().files["tickets.jsonl"])
    rows = [row for row in read_source(SourceContext(str(feed))).rows if row.kind == "TroubleTicket"]
    done = [row for row in rows if "returnedAt" in row.body]
    still = [row for row in rows if "returnedAt" not in row.body]
    with path.open("w", encoding="utf-8") as file:
        for serial in range(number):
            row = dice.choice(still if dice.random() < OPEN else done)
            body = {
                name: value
                for name, value in row.body.items()
                if name not in ELSEWHERE and not isinstance(value, dict | list)
            }
            by = timedelta(minutes=-dice.randrange(DAYS * 1440) if "returnedAt" in body else 0)
            file.write(json.dumps({"id": f"{row.id}-{serial}", **moved(body, by)}, ensure_ascii=False) + "\n")


def write_columns(lines: Path, columns: Path) -> None:
    """The same tickets in columns, each of the type that its values have."""
    import duckdb

    kinds = {bool: "BOOLEAN", int: "DOUBLE", float: "DOUBLE", str: "VARCHAR"}
    types = {}
    with lines.open(encoding="utf-8") as file:
        for _, row in zip(range(SEEN), map(json.loads, file), strict=False):
            for name, value in row.items():
                types[name] = "TIMESTAMPTZ" if _INSTANT.match(str(value)) else kinds[type(value)]
    with duckdb.connect() as connection:
        read = connection.read_json(str(lines), format="newline_delimited", columns=types)
        read.write_parquet(str(columns))


def moved(value: Any, by: timedelta) -> Any:
    """The same with every instant later by so much."""
    if isinstance(value, dict):
        return {name: moved(one, by) for name, one in value.items()}
    if isinstance(value, list):
        return [moved(one, by) for one in value]
    if isinstance(value, str) and len(value) == 25 and value[10] == "T":
        return format_instant(parse_instant(value) + by)
    return value


def measure(root: Path, lines: SourceContext, columns: SourceContext) -> list[Figure]:
    """Each way that facts may go, and both plain loops; all ways must give the same decisions."""
    store = Store.open(root)
    answers, figures = [], []
    ways: tuple[tuple[Engine, SourceContext, str], ...] = (
        ("tables", columns, "Parquet"),
        ("tables", lines, "JSON Lines"),
        ("python", lines, "JSON Lines"),
    )
    for engine, feed, form in ways:
        begun = time.perf_counter()
        read = load(store.files(), [feed], engine)
        _ = read.policies
        between = time.perf_counter()
        found = decide(read, None, NOW, read_at=NOW, standing=True)
        decisions = [one.to_json(NOW) for one in in_force(found, NOW)]
        ended = time.perf_counter()
        answers.append([decisions, [one.to_json() for one in found.findings]])
        facts = sum(report.accepted for report in read.reports)
        did = f"{len(decisions)} in force"
        figures.append(Figure(f"remit, {form}, --engine {engine}", facts, between - begun, ended - between, did))
    if any(one != answers[0] for one in answers):
        raise SystemExit("the engines differ")
    return [*figures, *plain(read)]


def plain(read: Loaded) -> list[Figure]:
    """The conditions of all policies about tickets, by durable-rules and by CEL, one ticket after the other."""
    watches = [watch for watch in read.policies.watches if watch.subject == "TroubleTicket" and not watch.related]
    written = [one for watch in watches for one in (watch.when, *(level.when for level in watch.levels))]
    conditions = {f"c{number}": one for number, one in enumerate(written) if one is not None}
    tickets = read.world.all("TroubleTicket")[:PLAIN]
    bound = [b for one in tickets for _, b in bindings_of(read.world, watches[0], one, NOW, uses_term=True)]
    with Decider(conditions, read.compiler, witness=False) as decider:
        held, seconds = timed(lambda: sum(len(decider.holding(one)) for one in bound))
    also, more = timed(lambda: sum(one.holds(b) for b in bound for one in conditions.values()))
    if held != also:
        raise SystemExit("durable-rules and CEL differ")
    did = f"{len(conditions)} conditions, {held} hold"
    return [
        Figure("durable-rules alone", len(bound), 0.0, seconds, did),
        Figure("CEL alone", len(bound), 0.0, more, did),
    ]


def timed(step: Callable[[], int]) -> tuple[int, float]:
    """What a step gives, and its seconds."""
    begun = time.perf_counter()
    result = step()
    return result, time.perf_counter() - begun


def preface() -> str:
    """What the tables show and where they come from."""
    names = ("duckdb", "sqlglot", "durable_rules", "cel-expr-python")
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)])
    return f"""{HEADING}

How many tickets a second `remit evaluate` reads and decides: `python benchmarks/facts.py`, one run in one process.
{platform.machine()}, {versions}.
All ways give the same decisions and findings, which the run compares.
The two last lines ask nothing but the conditions of the policies, of {PLAIN:,} tickets that are read already:
no clocks, no people, no words.
"""


def section(number: int, size: int, figures: list[Figure]) -> str:
    """The table of one size."""
    slowest = next(one for one in figures if one.what.endswith("python")).rate
    lines = [
        f"## {number:,} tickets, {size / 1e6:.0f} MB",
        "",
        "| what | reading, s | deciding, s | tickets a second | to python | what it did |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for one in figures:
        reading = f"{one.reading:.1f}" if one.reading else ""
        cells = (one.what, reading, f"{one.deciding:.1f}", f"{one.rate:,.0f}", f"{one.rate / slowest:.1f}", one.did)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
