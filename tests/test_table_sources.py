"""Feeds whose columns have types: Parquet and databases. The files are written by DuckDB and SQLite themselves."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import world_files

from remit.errors import UserError
from remit.evaluating import load_readings
from remit.facts import Row
from remit.places import Place
from remit.sources import Reading, SourceContext, read_mapping, read_source, source_for
from remit.store import Files

SHANGHAI = ZoneInfo("Asia/Shanghai")
Write = Callable[[Path, str], str]


def parquet(folder: Path, select: str) -> str:
    """A Parquet file of what the query gives, and its path as a feed."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.sql(select).write_parquet(str(folder / "t.parquet"))
    return "t.parquet"


def ducks(folder: Path, select: str) -> str:
    """A DuckDB file with the table ``tickets``, and its URL."""
    (folder / "t.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(folder / "t.duckdb")) as connection:
        connection.execute(f"CREATE TABLE tickets AS {select}")
    return "duckdb:///t.duckdb?table=tickets"


def sqlite(folder: Path, *statements: str) -> str:
    """A SQLite file, and the URL of its table ``tickets``."""
    (folder / "t.db").unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / "t.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return "sqlite:///t.db?table=tickets"


def read(folder: Path, path: str, *, kind: str | None = "Ticket", mapping: str = "", zone: Any = SHANGHAI) -> Reading:
    """The reading of one feed."""
    checked, findings = read_mapping(mapping.encode(), "map.yaml") if mapping else (None, ())
    assert findings == (), findings
    return read_source(SourceContext(path, kind, checked, zone, folder))


def bodies(reading: Reading) -> dict[str, Mapping[str, Any]]:
    return {row.id: row.body for row in reading.rows}


def found(reading: Reading) -> list[tuple[int, str, str]]:
    return [(one.place.line, one.code, one.message) for one in reading.findings]


# ---- Parquet and DuckDB

TYPED: list[tuple[str, Any]] = [
    ("'海港'", "海港"),
    ("true", True),
    ("42::tinyint", 42),
    ("1.5::double", 1.5),
    ("12.50::decimal(9, 2)", 12.5),
    ("12.00::decimal(9, 2)", 12),
    ("0.1::decimal(38, 20)", 0.1),
    ("date '2026-03-02'", "2026-03-02"),
    ("timestamptz '2026-03-02 09:00:00+08'", "2026-03-02T01:00:00+00:00"),
    ("timestamp '2026-03-02 09:00:00'", "2026-03-02T09:00:00+08:00"),
    ("timestamp_s '2026-03-02 09:00:00'", "2026-03-02T09:00:00+08:00"),
    ("timestamp '2026-03-02 09:00:00.25'", "2026-03-02T09:00:00.25+08:00"),
    ("[1, 2]", [1, 2]),
    ("[{'at': timestamptz '2026-03-02 09:00:00+08', 'by': NULL}]", [{"at": "2026-03-02T01:00:00+00:00"}]),
    ("{'amount': 12.50::decimal(9, 2), 'currency': 'CNY'}", {"amount": 12.5, "currency": "CNY"}),
    ("map {'a': 1}", {"a": 1}),
    ("""'{"by": ["ann", 1]}'::json""", {"by": ["ann", 1]}),
    ("uuid '4ac7a9e9-607c-4c8a-84f3-843f0191e3fd'", "4ac7a9e9-607c-4c8a-84f3-843f0191e3fd"),
    ("'b'::enum('a', 'b')", "b"),
]


@pytest.mark.parametrize("write", [parquet, ducks])
@pytest.mark.parametrize(("written", "value"), TYPED)
def test_a_typed_value_is_what_json_would_say(tmp_path: Path, write: Write, written: str, value: Any) -> None:
    reading = read(tmp_path, write(tmp_path, f"SELECT 't1' AS id, {written} AS x, NULL::varchar AS y"))

    assert reading.findings == ()
    assert reading.rows == (Row("Ticket", "t1", {"x": value}, Place(reading.path, 1)),)


INEXACT = [
    ("inf", "'inf'::float", "inf is not a number of JSON"),
    ("2^53 + 1", "9007199254740993::hugeint", "beyond 2^53"),
    ("more digits than a double holds", "0.12345678901234567891::decimal(38, 20)", "more digits than every reader"),
    ("bytes", "'x'::blob", "BLOB has no counterpart"),
    ("months", "interval 3 months", "INTERVAL has no counterpart"),
    ("nanoseconds", "timestamp_ns '2026-01-01 00:00:00.000000001'", "finer than a microsecond"),
    ("for ever", "timestamp 'infinity'", '"infinity" is not an instant'),
]


@pytest.mark.parametrize(("written", "says"), [one[1:] for one in INEXACT], ids=[one[0] for one in INEXACT])
def test_a_row_with_a_value_that_has_no_counterpart_is_named_and_costs_itself_only(
    tmp_path: Path, written: str, says: str
) -> None:
    path = ducks(tmp_path, f"SELECT 't' || i AS id, CASE WHEN i = 2 THEN {written} END AS x FROM range(1, 4) s(i)")

    reading = read(tmp_path, path)

    assert list(bodies(reading)) == ["t1", "t3"]
    assert [(line, code) for line, code, _ in found(reading)] == [(2, "bad-row")]
    assert says in found(reading)[0][2]


def test_a_wall_time_that_comes_twice_in_the_zone_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path, "SELECT 't1' AS id, timestamp '2026-10-25 02:30:00' AS openedAt")

    reading = read(tmp_path, path, zone=ZoneInfo("Europe/Rome"))

    assert reading.rows == ()
    assert "comes twice in Europe/Rome" in found(reading)[0][2]


def test_dotted_columns_are_parts_of_one_field(tmp_path: Path) -> None:
    path = parquet(tmp_path, """SELECT 't1' AS id, 5 AS "cost.amount", 'CNY' AS "cost.currency" """)

    assert bodies(read(tmp_path, path)) == {"t1": {"cost": {"amount": 5, "currency": "CNY"}}}


def test_rows_without_an_id_and_with_a_forbidden_character_are_named_by_their_number(tmp_path: Path) -> None:
    rows = "(VALUES ('t1', 'a'), (NULL, 'b'), ('t3', 'c' || chr(0)), ('t4', 'd')) s(id, text)"

    reading = read(tmp_path, parquet(tmp_path, f"SELECT * FROM {rows}"))

    assert list(bodies(reading)) == ["t1", "t4"]
    assert [(line, code) for line, code, _ in found(reading)] == [(2, "bad-row"), (3, "bad-row")]
    assert reading.report().rows == 4


def test_many_rows_keep_their_order_and_numbers(tmp_path: Path) -> None:
    path = parquet(tmp_path, "SELECT 't' || i AS id, i AS count FROM range(1, 5001) s(i)")

    reading = read(tmp_path, path)

    assert [(row.id, row.place.line) for row in reading.rows] == [(f"t{i}", i) for i in range(1, 5001)]


MAPPING = """
kind: Ticket
id: Number
fields:
  customer: {column: account.id, as: name}
  openedAt: {column: Opened, as: instant, zone: Europe/Rome}
  count: {column: Units, as: integer}
"""


def test_a_mapping_reads_foreign_columns_and_says_what_it_left_out(tmp_path: Path) -> None:
    select = "SELECT 'N1' AS Number, {'id': 'Harbour Bank'} AS account, timestamp '2026-03-02 09:00' AS Opened"

    reading = read(tmp_path, parquet(tmp_path, f"{select}, '3' AS Units, 1 AS Rest"), kind=None, mapping=MAPPING)

    opened = "2026-03-02T09:00:00+01:00"
    assert bodies(reading) == {"N1": {"customer": "harbour-bank", "openedAt": opened, "count": 3}}
    assert found(reading) == [(0, "field-left-out", "Left out: Rest.")]


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        (MAPPING.replace("Units", "Unit"), 'There is no column "Unit".'),
        (MAPPING.replace("id: Number", "id: 1"), "A column is named here, not counted: 1."),
        (MAPPING + "group: {by: Number, at: {column: Opened, as: instant}}\n", "read from CSV only"),
    ],
)
def test_a_mapping_that_does_not_fit_the_columns_stops_the_feed(tmp_path: Path, mapping: str, says: str) -> None:
    select = "SELECT 'N1' AS Number, {'id': 'bank'} AS account, timestamp '2026-03-02 09:00' AS Opened, 3 AS Units"

    reading = read(tmp_path, parquet(tmp_path, select), kind=None, mapping=mapping)

    assert reading.rows == ()
    assert found(reading)[0][1] == "unreadable-feed"
    assert says in found(reading)[0][2]


# ---- SQLite


def test_sqlite_columns_are_read_by_their_declared_types(tmp_path: Path) -> None:
    path = sqlite(
        tmp_path,
        "CREATE TABLE tickets (id TEXT, customer TEXT, count INTEGER, weight REAL, flag BOOLEAN, notes JSON,"
        " openedAt DATETIME, closedAt TIMESTAMP, bytes BLOB)",
        """INSERT INTO tickets VALUES ('t1', '海港', 3, 1.5, 1, '[{"at": "x"}]', '2026-03-02 09:00:00',"""
        " '2026-03-02T09:00:00Z', NULL)",
        "INSERT INTO tickets VALUES ('t2', NULL, 9007199254740993, NULL, 0, NULL, NULL, NULL, NULL)",
        "INSERT INTO tickets VALUES ('t3', CAST(x'ff' AS TEXT), 1, NULL, 0, NULL, NULL, NULL, NULL)",
        "INSERT INTO tickets VALUES ('t4', 'shop', 1, NULL, 0, NULL, NULL, NULL, x'00')",
        "INSERT INTO tickets VALUES ('t5', 'shop', 1, NULL, 0, NULL, NULL, NULL, NULL)",
    )

    reading = read(tmp_path, path)

    first = {"customer": "海港", "count": 3, "weight": 1.5, "flag": True, "notes": [{"at": "x"}]}
    times = {"openedAt": "2026-03-02T09:00:00+08:00", "closedAt": "2026-03-02T09:00:00+00:00"}
    assert bodies(reading) == {"t1": first | times, "t5": {"customer": "shop", "count": 1, "flag": False}}
    assert [(line, code) for line, code, _ in found(reading)] == [(2, "bad-row"), (3, "bad-row"), (4, "bad-row")]


def test_reading_a_database_writes_nothing(tmp_path: Path) -> None:
    path = sqlite(tmp_path, "CREATE TABLE tickets (id TEXT)", "INSERT INTO tickets VALUES ('t1')")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    read(tmp_path, path)

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_view_is_read_like_a_table(tmp_path: Path) -> None:
    sqlite(tmp_path, "CREATE TABLE base (number TEXT)", "INSERT INTO base VALUES ('t1')",
           "CREATE VIEW tickets AS SELECT number AS id FROM base")  # fmt: skip

    assert list(bodies(read(tmp_path, "sqlite:///t.db?table=tickets"))) == ["t1"]


def test_an_absolute_path_has_four_slashes(tmp_path: Path) -> None:
    sqlite(tmp_path, "CREATE TABLE tickets (id TEXT)", "INSERT INTO tickets VALUES ('t1')")

    assert list(bodies(read(Path("/"), f"sqlite:///{tmp_path}/t.db?table=tickets"))) == ["t1"]


# ---- what cannot be read

UNREADABLE = [
    ("gone.parquet", "there is no such file"),
    ("noise.parquet", "The feed cannot be read"),
    ("sqlite:///gone.db?table=tickets", "there is no such file"),
    ("sqlite:///noise.parquet?table=tickets", "The database cannot be read"),
    ("duckdb:///noise.parquet?table=tickets", "The database cannot be read"),
    ("sqlite:///t.db?table=ticket", 'There is no table "ticket"'),
    ("duckdb:///t.duckdb?table=ticket", "The feed cannot be read"),
    ("sqlite:///t.db", "must name one table"),
    ("sqlite:///t.db?table=tickets&mode=rw", "nothing else"),
    ("sqlite://t.db?table=tickets", "begins after three slashes"),
]


@pytest.mark.parametrize(("path", "says"), UNREADABLE)
def test_a_feed_that_cannot_be_read_is_one_finding(tmp_path: Path, path: str, says: str) -> None:
    (tmp_path / "noise.parquet").write_bytes(b"PAR1 but nothing like it" * 9)
    sqlite(tmp_path, "CREATE TABLE tickets (id TEXT)")
    ducks(tmp_path, "SELECT 't1' AS id")

    reading = read(tmp_path, path)

    assert reading.rows == ()
    assert [code for _, code, _ in found(reading)] == ["unreadable-feed"]
    assert says in found(reading)[0][2]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"PAR1", b"SQLite format 3\x00"]),
    st.sampled_from(["sqlite", "duckdb"]),
)
def test_no_bytes_crash_a_database(tmp_path: Path, data: bytes, magic: bytes, scheme: str) -> None:
    (tmp_path / "t.db").write_bytes(magic + data)

    reading = read(tmp_path, f"{scheme}:///t.db?table=tickets")

    assert (reading.rows, [code for _, code, _ in found(reading)]) == ((), ["unreadable-feed"])


def test_a_table_name_is_never_taken_for_sql(tmp_path: Path) -> None:
    name = 't"; DROP TABLE tickets; --'
    sqlite(tmp_path, "CREATE TABLE tickets (id TEXT)", f'CREATE TABLE "{name.replace(chr(34), chr(34) * 2)}" (id TEXT)')

    reading = read(tmp_path, "sqlite:///t.db?table=t%22%3B%20DROP%20TABLE%20tickets%3B%20--")

    assert (reading.rows, reading.findings) == ((), ())
    assert read(tmp_path, "sqlite:///t.db?table=tickets").findings == ()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://desk:s3cret@db/ops?table=tickets",
        "postgresql://desk@db/ops?table=tickets&password=s3cret",
        "postgresql://desk@db/ops?table=tickets&SSL%50assword=s3cret",
    ],
)
def test_a_url_with_a_password_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(UserError) as refused:
        source_for(url)

    assert "s3cret" not in refused.value.message + refused.value.hint


def test_without_duckdb_parquet_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path, "SELECT 't1' AS id")
    found = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "duckdb":
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError) as refused:
        read(tmp_path, path)

    assert "remit[tables]" in refused.value.hint


# ---- admission


@pytest.mark.parametrize("write", [parquet, ducks])
def test_rows_are_checked_like_all_others(tmp_path: Path, write: Write) -> None:
    rows = "('t1', 'bank', '3'), ('t1', 'bank', '3'), ('t3', 'nobody', '3'), ('t4', 'bank', 'three')"
    select = f"SELECT id, customer, count, timestamptz '2026-03-02 09:00+08' AS openedAt FROM (VALUES {rows})"
    reading = read(tmp_path, write(tmp_path, f"{select} s(id, customer, count)"))

    loaded = load_readings(Files(None, None, world_files()), [reading])

    assert [one.name for one in loaded.world.all("Ticket")] == ["t1"]
    assert [(f.place.line, f.code) for f in loaded.findings] == [
        (2, "row-duplicate"),
        (3, "row-reference"),
        (4, "row-schema"),
    ]
