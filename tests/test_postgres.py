"""Tables of PostgreSQL: what a feed of JSON Lines would be. A server of its own runs for these tests where one can."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from test_table_sources import bodies, found, read, sqlite
from test_tallying import MEASURES, NOW, feed, files, tickets

from remit.assessing import score
from remit.evaluating import load
from remit.main import main
from remit.sources import SourceContext

PROGRAMS = [Path(found).parent for found in [shutil.which("initdb")] if found]
PROGRAMS += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
BIN = next((one for one in PROGRAMS if (one / "initdb").is_file() and (one / "pg_ctl").is_file()), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("psycopg") is None, reason="needs the extra postgres: pip install 'remit[postgres]'"),
    pytest.mark.skipif(BIN is None, reason="PostgreSQL has no initdb and pg_ctl here"),
]
PASSWORD = "s3cret-of-the-desk"
COLUMNS = {
    "id": "text PRIMARY KEY",
    "customer": "text",
    "openedAt": "timestamptz",
    "closedAt": "timestamptz",
    "text": "text",
    "flag": "boolean",
    "count": "bigint",
    "weight": "double precision",
    "hours": "double precision",
    "rate": "text",
    "notes": "jsonb",
}


class Server:
    """A server on a socket in a folder, as the user ``postgres``; another user has to say a password."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, program: str, *arguments: str) -> None:
        assert BIN is not None
        own: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        subprocess.run([str(BIN / program), *arguments], check=True, capture_output=True, cwd=self.folder, **own)

    def url(self, table: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@{quote(str(self.folder), safe='')}/postgres?table={quote(table)}"

    def execute(self, *statements: str, rows: Any = ()) -> None:
        import psycopg

        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres") as connection:
            for statement in statements:
                connection.execute(statement)
            for statement, values in rows:
                connection.execute(statement, values)


@pytest.fixture
def server(running: Server) -> Server:
    running.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", "GRANT USAGE ON SCHEMA public TO PUBLIC")
    return running


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="remit-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    made = Server(folder)
    made.run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8")
    hosts = "local all postgres trust\nlocal all all scram-sha-256\n"
    (folder / "data" / "pg_hba.conf").write_text(hosts)
    settings = f"-k {folder} -c listen_addresses='' -c fsync=off"
    made.run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", settings, "start")
    try:
        yield made
    finally:
        made.run("pg_ctl", "-D", "data", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_the_same_tickets_are_the_same_facts_and_findings(server: Server, tmp_path: Path) -> None:
    rows = sorted(tickets(Random(11), 150, odd=0), key=lambda row: row["id"])
    rows[7]["customer"] = rows[9]["customer"] = "nobody"
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    insert = f"INSERT INTO tickets ({names}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"
    cells = [[json.dumps(row[name]) if name == "notes" else row.get(name) for name in COLUMNS] for row in rows]
    server.execute(f"CREATE TABLE tickets ({columns})", rows=[(insert, one) for one in reversed(cells)])
    types = ["TIMESTAMP" if kind == "timestamptz" else kind for kind in COLUMNS.values()]
    lite = [
        f"CREATE TABLE tickets ({', '.join(f'{name!r} {kind}' for name, kind in zip(COLUMNS, types, strict=True))})"
    ]
    lite += [f"INSERT INTO tickets VALUES ({', '.join(map(literal, one))})" for one in cells]
    contexts = [
        SourceContext(path, "Ticket", root=tmp_path)
        for path in (feed(tmp_path, rows).path, server.url("tickets"), sqlite(tmp_path, *lite))
    ]
    measures = {name: MEASURES[name] for name in ("closed", "four-hours", "cycle", "rates")}
    store = files({}, measures, "Asia/Shanghai", {})

    loaded = [(one.path, load(store, [one], engine)) for one in contexts for engine in ("python", "tables")]
    cards = [(path, score(one, "p", "2026-10", at=NOW, facts=False).to_json(None)) for path, one in loaded]
    told = {
        json.dumps([one["subjects"], sorted(map(str, one["findings"]))]).replace(path, "the feed")
        for path, one in cards
    }

    assert len(told) == 1
    assert [len(one.world.all("Ticket")) for _, one in loaded] == [148] * 6
    assert "row-reference" in told.pop()


def literal(cell: Any) -> str:
    return "NULL" if cell is None else f"'{cell}'" if isinstance(cell, str) else str(cell)


VALUES: list[tuple[str, str, Any]] = [
    ("text", "'海港'", "海港"),
    ("char(4)", "'ab'", "ab"),
    ("uuid", "'6f0c1e6e-0000-4000-8000-000000000001'", "6f0c1e6e-0000-4000-8000-000000000001"),
    ("boolean", "true", True),
    ("smallint", "42", 42),
    ("real", "0.1", 0.1),
    ("double precision", "1e-7", 1e-7),
    ("numeric(9, 2)", "12.50", 12.5),
    ("numeric(9, 2)", "12.00", 12),
    ("date", "'2026-03-02'", "2026-03-02"),
    ("timestamp", "'2026-03-02 08:00:00'", "2026-03-02T08:00:00+08:00"),
    ("timestamptz", "'2026-03-02 08:00:00.25+02'", "2026-03-02T06:00:00.25+00:00"),
    ("jsonb", '\'{"by": "ann"}\'', {"by": "ann"}),
    ("json", "'[1, 2.5]'", [1, 2.5]),
    ("text[]", "ARRAY['a', 'b']", ["a", "b"]),
    ("integer[]", "ARRAY[1, 2]", [1, 2]),
    ("mood", "'calm'", "calm"),
    ("pair", "ROW('ann', 3)", {"who": "ann", "times": 3}),
    ("short", "'ab'", "ab"),
]
REFUSED: list[tuple[str, str, str]] = [
    ("bigint", "9007199254740993", "beyond 2^53"),
    ("numeric", "'NaN'", "NaN"),
    ("double precision", "'Infinity'", "inf"),
    ("timestamptz", "'infinity'", "infinity"),
    ("timestamptz", "'2026-03-02 08:00:00+00 BC'", "BC"),
    ("bytea", "'\\x00'", "bytea"),
    ("interval", "'1 month'", "interval"),
    ("interval[]", "ARRAY['1 month'::interval]", "interval"),
    ("json", '\'{"a": 1, "a": 2}\'', "JSON"),
]
TYPES = (
    "CREATE TYPE mood AS ENUM ('calm')",
    "CREATE TYPE pair AS (who text, times integer)",
    "CREATE DOMAIN short AS varchar(4)",
)


def test_every_value_is_what_json_lines_would_say_or_refuses_its_row_only(server: Server, tmp_path: Path) -> None:
    server.execute(*TYPES)
    kinds = [(kind, written) for kind, written, _ in (*VALUES, *REFUSED)]
    columns = ", ".join(f"v{number} {kind}" for number, (kind, _) in enumerate(kinds))
    server.execute(f"CREATE TABLE every (id text PRIMARY KEY, {columns})")
    for number, (_, written) in enumerate(kinds):
        server.execute(f"INSERT INTO every (id, v{number}) VALUES ('t{number:02}', {written})")

    reading = read(tmp_path, server.url("every"))

    values = {name: body[f"v{int(name[1:])}"] for name, body in bodies(reading).items()}
    assert values == {f"t{number:02}": value for number, (_, _, value) in enumerate(VALUES)}
    told = [(line, code) for line, code, _ in found(reading)]
    assert told == [(number, "bad-row") for number in range(len(VALUES) + 1, len(kinds) + 1)]
    for (_, _, word), (_, _, message) in zip(REFUSED, found(reading), strict=True):
        assert word in message


def test_without_a_key_rows_are_in_the_order_of_their_columns(server: Server, tmp_path: Path) -> None:
    server.execute("CREATE TABLE heap (id text, text json)")
    server.execute(*(f"INSERT INTO heap VALUES ('{name}', '\"x\"')" for name in ("b", "C", "a")))
    server.execute('CREATE VIEW "odd ""name" AS SELECT * FROM heap')

    for table in ("heap", "public.heap", 'odd "name'):
        assert [row.id for row in read(tmp_path, server.url(table)).rows] == ["C", "a", "b"]


def test_a_table_that_is_not_there_is_told_with_the_nearest(server: Server, tmp_path: Path) -> None:
    server.execute("CREATE TABLE heap (id text)")

    (problem,) = read(tmp_path, server.url("heaps")).findings

    assert (problem.code, "heap" in problem.hint) == ("unreadable-feed", True)
    assert "no table" in problem.message


def test_reading_writes_nothing_and_a_name_is_never_taken_for_sql(server: Server, tmp_path: Path) -> None:
    server.execute("CREATE TABLE heap (id text)", "INSERT INTO heap VALUES ('a')")
    server.execute(
        "CREATE FUNCTION gone() RETURNS text LANGUAGE plpgsql AS $$ BEGIN DELETE FROM heap; RETURN 'b'; END $$",
        "CREATE VIEW trap AS SELECT gone() AS id",
    )

    for table in ('heap"; DROP TABLE heap; --', "trap"):
        assert [code for _, code, _ in found(read(tmp_path, server.url(table)))] == ["unreadable-feed"]
    assert [row.id for row in read(tmp_path, server.url("heap")).rows] == ["a"]


def test_a_password_is_taken_from_the_environment_and_shown_nowhere(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    server.execute("CREATE TABLE heap (id text)", "INSERT INTO heap VALUES ('a')")
    server.execute(f"CREATE ROLE desk LOGIN PASSWORD '{PASSWORD}'")
    server.execute("GRANT SELECT ON heap TO desk")
    url = server.url("heap", "desk")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert [row.id for row in read(tmp_path, url).rows] == ["a"]

    monkeypatch.setenv("PGPASSWORD", f"{PASSWORD}-of-old")
    (problem,) = read(tmp_path, url).findings
    assert "password authentication failed" in problem.message
    store = tmp_path / "store"
    assert main(["init", str(store)]) == 0
    for command in (["facts"], ["evaluate"], ["explain", "nothing"], ["facts", "--format", "json"]):
        main(["--store", str(store), *command, "--facts", f"TroubleTicket={url}"])
    out, err = capfd.readouterr()

    assert PASSWORD not in f"{problem}{out}{err}"
    assert "authentication" in out + err


def test_a_large_table_streams(server: Server, tmp_path: Path) -> None:
    import resource

    server.execute(
        "CREATE TABLE large AS SELECT n::text AS id, repeat('x', 1000) AS text FROM generate_series(1, 200000) AS n",
    )
    from remit.sources import read_each

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen: list[str] = []
    read_each(SourceContext(server.url("large"), "Ticket", root=tmp_path), lambda row: seen.append(row.id))

    assert len(seen) == 200_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_a_server_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    url = f"postgresql://desk@{quote(str(tmp_path), safe='')}/postgres?table=heap"

    (problem,) = read(tmp_path, url).findings

    assert problem.code == "unreadable-feed"
