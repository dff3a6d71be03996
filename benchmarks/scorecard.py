"""Measures a monthly scorecard over many tickets: `remit assess --engine tables` beside SQL and data frames by hand.

Tickets stand in one Parquet file, in no order of time; the measure is the share of tickets closed by their due time, by
team, in one month. Each line is a whole process, imports included, beside what asking costs a process that has asked
before; all give the same figures, which the run compares. Peers that are not installed are said to be missing.
`--keep` keeps the tickets of each size in a folder and uses those that are there; `--write` puts the table under its
own heading of a page.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
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
OTHER = ("2026-06", "2026-06-01 00:00:00+08", "2026-07-01 00:00:00+08")
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
helper = spark.sparkContext._gateway.proc.pid
""",
}
"""What each peer runs by hand, in a process of its own: ``rows`` are team, good ones, all; ``helper`` is a process."""

_ASKING = """
import json, sys, time
from pathlib import Path
scope = {"PATH": PATH, "START": START, "END": END}
for _ in range(TIMES):
    begun = time.perf_counter()
    exec(CODE, scope)
    seconds = time.perf_counter() - begun
figures = sorted([team, int(good), int(of)] for team, good, of in scope["rows"])
helper = Path(f"/proc/{scope.get('helper', 0)}/status")
lines = helper.read_text().splitlines() if helper.exists() else []
peak = sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
print(json.dumps({"figures": figures, "seconds": seconds, "peak": peak}))
"""
_REMIT = """
import contextlib, io, json, sys, time
from remit.main import main
for _ in range(TIMES):
    begun, out = time.perf_counter(), io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(ASKED) == 0
    seconds = time.perf_counter() - begun
print(json.dumps({"figures": json.loads(out.getvalue())["subjects"], "seconds": seconds, "peak": 0}))
"""
"""What runs in a process: the question, so many times; then what came of it, and the seconds of the last time."""


class Line(NamedTuple):
    """One line of the table: seconds of a whole process, of asking in one that has asked before, and the peak in MB.

    ``seconds`` is None for a peer that is missing, ``inside`` where nobody asks again.
    """

    what: str
    seconds: float | None
    inside: float | None
    peak: float
    figures: list[list[Any]]


def main() -> int:
    """Print the table, and write it with --write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--rounds", type=int, default=3, help="How often each is run; the quickest counts.")
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    parser.add_argument("--bad", type=int, default=0, help="So many bad rows in the feed; then without peers.")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="Keep tickets here, and use those that are here.")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    sections = []
    for tickets in options.tickets:
        with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
            root = Path(folder)
            store(root)
            feed = kept(options.keep or root, tickets, options.bad)
            (root / "tickets.parquet").symlink_to(feed)
            lines = measure(root, options.rounds, [] if options.bad else options.peers)
            sections.append(section(tickets, feed.stat().st_size, options.bad, lines))
        print(sections[-1])
    if options.write:
        write_section(options.write, f"{preface()}\n" + "\n".join(sections))
    return 0


def kept(folder: Path, tickets: int, bad: int) -> Path:
    """The file of so many tickets in a folder, made where it is not there; it is no younger than a minute."""
    path = folder.absolute() / f"tickets-{tickets}-{bad}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        write_tickets(draft, tickets, bad)
        os.utime(draft, (time.time() - 60,) * 2)
        draft.replace(path)
    return path


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


def write_tickets(path: Path, number: int, bad: int) -> None:
    """So many tickets of a year, the same for the same number, the last ``bad`` of them of no team."""
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


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(root: Path, rounds: int, peers: list[str]) -> list[Line]:
    """Each peer and Remit, the first time and again, as processes of their own; equal figures or an error."""
    with tempfile.TemporaryDirectory(prefix="remit-bench-code-") as compiled:
        # As a program that is installed: its modules are compiled once.
        variables = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        variables.pop("PYTHONDONTWRITEBYTECODE", None)
        lines = []
        for peer in peers:
            try:
                label = f"{peer} {version(peer)}, by hand"
            except PackageNotFoundError:
                lines.append(Line(f"{peer}: not installed", None, None, 0, []))
                continue
            lines.append(best(label, by_hand(root, peer, MONTH), rounds, variables))
        remit, other = (by_remit(root, one) for one in (MONTH, OTHER))
        run(remit.format(1), variables)
        first = []
        for _ in range(rounds):
            shutil.rmtree(root / ".git" / "remit", ignore_errors=True)
            first.append(line("remit, the first time", remit, variables))
        lines += [min(first, key=lambda one: one.seconds or 0), best("remit, again", remit, rounds, variables)]
        same(lines)
        lines.append(best(f"remit, {OTHER[0]} for the first time", other, rounds, variables))
        same([lines[-1], *([line("", by_hand(root, peers[0], OTHER), variables)] if peers else [])])
    return lines


def same(lines: list[Line]) -> None:
    """All figures are equal, or an error."""
    there = [one for one in lines if one.seconds is not None]
    if any(one.figures != there[0].figures for one in there):
        raise SystemExit(f"the figures differ: {[(one.what, one.figures[:2]) for one in there]}")


def by_hand(root: Path, peer: str, month: tuple[str, str, str]) -> str:
    """What a process runs in which a peer asks ``{}`` times."""
    given = f"PATH, START, END = {str(root / 'tickets.parquet')!r}, {month[1]!r}, {month[2]!r}\n"
    return escaped(f"{given}CODE = {PEERS[peer]!r}\n") + "TIMES = {}\n" + escaped(_ASKING)


def by_remit(root: Path, month: tuple[str, str, str]) -> str:
    """The same for Remit."""
    asked = ["--store", str(root), "assess", "timeliness", "--period", month[0], "--format", "json"]
    asked += ["--engine", "tables", "--facts", f"Ticket={root / 'tickets.parquet'}"]
    return escaped(f"ASKED = {asked!r}\n") + "TIMES = {}\n" + escaped(_REMIT)


def escaped(code: str) -> str:
    """Code that ``str.format`` leaves as it is."""
    return code.replace("{", "{{").replace("}", "}}")


def best(what: str, code: str, rounds: int, variables: dict[str, str]) -> Line:
    """The quickest of some processes that ask once, beside one that asks again."""
    quickest = min((line(what, code, variables) for _ in range(rounds)), key=lambda one: one.seconds or 0)
    _, _, again = run(code.format(1 + rounds), variables)
    return quickest._replace(inside=again["seconds"])


def line(what: str, code: str, variables: dict[str, str]) -> Line:
    """One process that asks once."""
    seconds, peak, told = run(code.format(1), variables)
    return Line(what, seconds, None, peak + told["peak"], figures(told["figures"]))


def run(code: str, variables: dict[str, str]) -> tuple[float, float, Any]:
    """Wall seconds, peak MB and what was told by one process."""
    with tempfile.TemporaryFile() as out, tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(code)
        script.flush()
        begun = time.perf_counter()
        command = [sys.executable, script.name]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=variables)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{code[-400:]} failed: {os.waitstatus_to_exitcode(status)}")
        out.seek(0)
        return seconds, usage.ru_maxrss / 1024, json.loads(out.read())


def figures(told: list[Any]) -> list[list[Any]]:
    """Team, good ones, all: also of the lines of a scorecard."""
    if not told or isinstance(told[0], list):
        return told
    each = [(line["subject"].removeprefix("Team/"), line["measures"]["in-time"]) for line in told]
    return [[team, figure["n"], figure["of"]] for team, figure in each]


# --- words -----------------------------------------------------------------------------------------------------------


def preface() -> str:
    """What the tables show and where they come from."""
    return f"""{HEADING}

One month's share of tickets in time, by team, out of a year in one Parquet file: `python benchmarks/scorecard.py`.
{platform.machine()}, Python {platform.python_version()}; whole processes, imports included, and beside it what the same
question costs inside a process that has asked before.
The peak of Spark includes its Java.
All give the same figures, which the run compares.
Remit also proves, once for each file, that every row fits its schema, refers to what there is and has an id of its own.
It remembers the sums of each day of a file, so that the first scorecard of another month reads none of its rows.
"""


def section(tickets: int, size: int, bad: int, lines: list[Line]) -> str:
    """The table of one size."""
    hand = next((line for line in lines if line.what.startswith("duckdb")), None)
    title = f"## {tickets:,} tickets, {size / 1e6:.0f} MB" + (f", {bad:,} of them bad" if bad else "")
    heads = ["what", "seconds", "to DuckDB", "inside", "to DuckDB", "peak MB"]
    rows = [title, "", f"| {' | '.join(heads)} |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for line in lines:
        cells = [spent(line.seconds), ratio(line.seconds, hand and hand.seconds)]
        cells += [spent(line.inside), ratio(line.inside, hand and hand.inside)]
        rows.append(f"| {line.what} | {' | '.join(cells)} | {f'{line.peak:.0f}' if line.peak else ''} |")
    return "\n".join([*rows, ""])


def spent(seconds: float | None) -> str:
    """Seconds as a cell; empty for none."""
    return f"{seconds:.2f}" if seconds is not None else ""


def ratio(seconds: float | None, hand: float | None) -> str:
    """So many times another as a cell; empty where one is missing."""
    return f"{seconds / hand:.2f}" if seconds and hand else ""


if __name__ == "__main__":
    sys.exit(main())
