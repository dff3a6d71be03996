"""Measures a monthly scorecard over many tickets: `remit assess --engine tables` beside SQL and data frames by hand.

Tickets stand in one Parquet file, in no order of time; the measure is the share of tickets closed by their due time, by
team, in one month. Each line is a whole process, imports included, and gives the same figures, which the run compares.
Peers that are not installed are said to be missing. `--write` puts the table under its own heading of a page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from pages import write_section

from remit.pack import pack_files

HEADING = "# Scorecards"
TEAMS = 12
MONTH = ("2026-05", "2026-05-01 00:00:00+08", "2026-06-01 00:00:00+08")
BASE = "https://remit.invalid/schemas/"
ROW_GROUP = 122_880

PEERS = {
    "duckdb": """
import duckdb
rows = duckdb.sql(f'''SELECT team, count(*) FILTER (closedAt <= dueAt), count(*) FROM read_parquet('{PATH}')
    WHERE dueAt >= TIMESTAMPTZ '{START}' AND dueAt < TIMESTAMPTZ '{END}' GROUP BY team''').fetchall()
""",
    "polars": """
import polars as pl
from datetime import datetime
start, end = (datetime.fromisoformat(one) for one in (START, END))
due = pl.col("dueAt")
found = (pl.scan_parquet(PATH).filter((due >= start) & (due < end)).group_by("team")
    .agg((pl.col("closedAt") <= due).sum().alias("good"), pl.len().alias("of")).collect())
rows = found.rows()
""",
    "pandas": """
import pandas as pd
frame = pd.read_parquet(PATH, columns=["team", "dueAt", "closedAt"])
frame = frame[(frame.dueAt >= pd.Timestamp(START)) & (frame.dueAt < pd.Timestamp(END))]
good = (frame.closedAt <= frame.dueAt).groupby(frame.team).agg(["sum", "size"])
rows = list(good.itertuples())
""",
    "pyspark": """
import logging
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
spark.read.parquet(PATH).createOrReplaceTempView("tickets")
rows = [tuple(row) for row in spark.sql(f'''SELECT team, count_if(closedAt <= dueAt), count(*) FROM tickets
    WHERE dueAt >= timestamp '{START}' AND dueAt < timestamp '{END}' GROUP BY team''').collect()]
spark.stop()
""",
}
"""What each peer runs by hand, in a process of its own; ``rows`` are team, good ones, all."""

_TAIL = """
import json
print(json.dumps(sorted([team, int(good), int(of)] for team, good, of in rows)))
"""


class Line(NamedTuple):
    """One line of the table; ``seconds`` is None for a peer that is missing."""

    what: str
    seconds: float | None
    peak: float
    figures: list[list[Any]]


def main() -> int:
    """Print the table, and write it with --write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--rounds", type=int, default=3, help="How often each is run; the quickest counts.")
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    parser.add_argument("--bad", type=int, default=0, help="So many bad rows in the feed; then without peers.")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    sections = []
    for tickets in options.tickets:
        with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
            root = Path(folder)
            store(root)
            size = write_tickets(root / "tickets.parquet", tickets, options.bad)
            lines = measure(root, options.rounds, [] if options.bad else options.peers)
        sections.append(section(tickets, size, options.bad, lines))
        print(sections[-1])
    if options.write:
        write_section(options.write, f"{preface()}\n" + "\n".join(sections))
    return 0


# --- what is asked ---------------------------------------------------------------------------------------------------


def store(root: Path) -> None:
    """A store under git with one kind of ticket, its teams and one assessment policy."""
    pack = pack_files()
    files = {path: data for path, data in pack.items() if path.startswith("schemas/policies/") or path in _SHARED}
    files |= {f"schemas/kinds/{kind}.schema.json": _schema(kind) for kind in _FIELDS}
    measure = {
        "name": "in-time",
        "type": "ratio",
        "over": "Ticket",
        "by": "fact.team",
        "timely": {"clock": {"stop": "fact.closedAt", "due": "fact.dueAt"}},
    }
    policy = {"subject": "Team", "period": "month", "measures": [measure]}
    files["rules/assessment/timeliness.yaml"] = _record("AssessmentPolicy", "timeliness", policy)
    files |= {f"records/teams/team-{n:02}.yaml": _record("Team", f"team-{n:02}", {}) for n in range(TEAMS)}
    files["remit.yaml"] = b"name: bench\ntimezone: Asia/Shanghai\nlanguage: en\n"
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    subprocess.run(["git", "init", "-q", str(root)], check=True)


_SHARED = ("schemas/common.schema.json", "schemas/watch.schema.json")
_TIME = {"type": "string", "format": "date-time", "x-remit-unit": "instant"}
_FIELDS: dict[str, dict[str, Any]] = {
    "Team": {"town": {"type": "string"}},
    "Ticket": {
        "team": {"type": "string", "x-remit-ref": "Team"},
        "priority": {"type": "string", "enum": ["high", "normal", "low"]},
        "openedAt": _TIME,
        "dueAt": _TIME,
        "closedAt": _TIME,
        "minutes": {"type": "integer", "minimum": 0},
    },
}
_REQUIRED = {"Team": [], "Ticket": ["team", "openedAt", "dueAt"]}


def _schema(kind: str) -> bytes:
    spec = {"type": "object", "properties": _FIELDS[kind], "required": _REQUIRED[kind], "unevaluatedProperties": False}
    envelope = {"apiVersion": {"const": "remit/v1"}, "kind": {"const": kind}, "metadata": {"type": "object"}}
    body = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{BASE}kinds/{kind}.schema.json",
        "title": kind,
        "x-remit-plural": f"{kind.lower()}s",
        "x-remit-home": "record" if kind == "Team" else "feed",
        "type": "object",
        "properties": {**envelope, "spec": {"$ref": "#/$defs/spec"}},
        "required": ["spec"],
        "$defs": {"spec": spec},
    }
    return json.dumps(body).encode()


def _record(kind: str, name: str, spec: dict[str, Any]) -> bytes:
    title = {"en": name, "zh": name}
    body = {"apiVersion": "remit/v1", "kind": kind, "metadata": {"name": name, "title": title}, "spec": spec}
    return json.dumps(body).encode()


def write_tickets(path: Path, number: int, bad: int) -> int:
    """So many tickets of a year, the same for the same number, the last ``bad`` of them of no team; the bytes."""
    import duckdb

    team = f"'team-' || lpad((hash(n, 1) % {TEAMS})::VARCHAR, 2, '0')"
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"""COPY (
                SELECT 'T-' || lpad(n::VARCHAR, 9, '0') AS id,
                       CASE WHEN n >= {number - bad} THEN 'nobody' ELSE {team} END AS team,
                       ['high', 'normal', 'low'][1 + (hash(n, 2) % 3)::INTEGER] AS priority,
                       opened AS "openedAt",
                       opened + INTERVAL 1 HOUR * (4 + (hash(n, 4) % 44)::INTEGER) AS "dueAt",
                       CASE WHEN hash(n, 5) % 50 > 0
                            THEN opened + INTERVAL 1 MINUTE * (hash(n, 6) % 2400)::INTEGER END AS "closedAt",
                       (hash(n, 7) % 500)::INTEGER AS minutes
                FROM (SELECT n, TIMESTAMPTZ '2026-01-01 00:00:00+08'
                             + INTERVAL 1 SECOND * (hash(n, 3) % 31536000)::INTEGER AS opened
                      FROM range({number}) AS r(n))
            ) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE {ROW_GROUP})"""
        )
    return path.stat().st_size


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(root: Path, rounds: int, peers: list[str]) -> list[Line]:
    """Each peer and Remit, the first time and again, as processes of their own; equal figures or an error."""
    lines = []
    for peer in peers:
        code = PEERS[peer].replace("{PATH}", str(root / "tickets.parquet"))
        head = f"PATH, START, END = {str(root / 'tickets.parquet')!r}, {MONTH[1]!r}, {MONTH[2]!r}\n"
        try:
            label = f"{peer} {version(peer)}, by hand"
        except PackageNotFoundError:
            lines.append(Line(f"{peer}: not installed", None, 0, []))
            continue
        lines.append(best(label, [sys.executable, "-c", head + code + _TAIL], json.loads, rounds))
    remit = [str(Path(sys.executable).with_name("remit")), "--store", str(root), "assess", "timeliness"]
    asked = [*remit, "--period", MONTH[0], "--format", "json", "--engine", "tables"]
    asked += ["--facts", f"Ticket={root / 'tickets.parquet'}"]
    lines.append(best("remit, the first time", asked, figures, 1))
    lines.append(best("remit, again", asked, figures, rounds))
    there = [line for line in lines if line.seconds is not None]
    if any(line.figures != there[0].figures for line in there):
        raise SystemExit(f"the figures differ: {[(line.what, line.figures[:2]) for line in there]}")
    return lines


def best(what: str, command: list[str], read: Any, rounds: int) -> Line:
    """The quickest of some runs: seconds of the whole process and its peak in MB, children not counted."""
    found = [run(command) for _ in range(rounds)]
    seconds, peak, out = min(found)
    return Line(what, seconds, peak, read(out))


def run(command: list[str]) -> tuple[float, float, str]:
    """Wall seconds, peak MB and output of one process."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{command[:4]} failed: {os.waitstatus_to_exitcode(status)}")
        out.seek(0)
        return seconds, usage.ru_maxrss / 1024, out.read().decode()


def figures(out: str) -> list[list[Any]]:
    """Team, good ones, all: of a scorecard as JSON."""
    lines = json.loads(out)["subjects"]
    each = [(line["subject"].removeprefix("Team/"), line["measures"]["in-time"]) for line in lines]
    return [[team, figure["n"], figure["of"]] for team, figure in each]


# --- words -----------------------------------------------------------------------------------------------------------


def preface() -> str:
    """What the tables show and where they come from."""
    return f"""{HEADING}

One month's share of tickets in time, by team, out of a year in one Parquet file: `python benchmarks/scorecard.py`.
{platform.machine()}, Python {platform.python_version()}; whole processes, imports included.
All give the same figures, which the run compares.
Remit also proves that every row fits its schema, refers to what there is and has an id of its own.
"""


def section(tickets: int, size: int, bad: int, lines: list[Line]) -> str:
    """The table of one size."""
    hand = next((line.seconds for line in lines if line.what.startswith("duckdb")), None)
    title = f"## {tickets:,} tickets, {size / 1e6:.0f} MB" + (f", {bad:,} of them bad" if bad else "")
    rows = [title, "", "| what | seconds | to DuckDB by hand | peak MB |", "| --- | ---: | ---: | ---: |"]
    for line in lines:
        ratio = f"{line.seconds / hand:.2f}" if line.seconds and hand else ""
        seconds = f"{line.seconds:.2f}" if line.seconds is not None else ""
        rows.append(f"| {line.what} | {seconds} | {ratio} | {f'{line.peak:.0f}' if line.peak else ''} |")
    return "\n".join([*rows, ""])


if __name__ == "__main__":
    sys.exit(main())
