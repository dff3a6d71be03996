"""Databases by URL: one table or view, read only.

``sqlite:///feeds/desk.db?table=tickets`` is read by Python's own SQLite, ``duckdb:///feeds/desk.duckdb?table=tickets``
by DuckDB, and ``postgresql://host/database?table=public.tickets`` by psycopg. Three slashes begin a path below the
store, four an absolute one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from remit.findings import did_you_mean
from remit.sources.columnar import Fields, NoCounterpart, Values, items, json_value, number, text
from remit.sources.context import Item, SourceContext
from remit.sources.duck import connected
from remit.sources.opening import unreadable
from remit.sources.parquet import relation_items
from remit.sources.postgres import postgres_items, quoted

HINT = "Write it as sqlite:///feeds/desk.db?table=tickets"


class Address(NamedTuple):
    """What a URL says: which database, and which table (with a schema before a dot, where there is one)."""

    scheme: str
    file: Path
    host: str
    table: str


class Database:
    """The columns of the table name the fields, or the mapping does; a bad row costs itself only."""

    format = "sql"

    def read(self, context: SourceContext) -> Iterator[Item]:
        """A row or a finding for each row of the table, then what was left out."""
        address = _address(context)
        if isinstance(address, str):
            yield unreadable(context, address, HINT)
        elif address.scheme != "postgresql" and not address.file.is_file():
            yield unreadable(context, "The database cannot be opened: there is no such file.")
        elif address.scheme == "sqlite":
            yield from _sqlite(context, address)
        elif address.scheme == "postgresql":
            yield from postgres_items(context, address.host, address.table)
        else:
            yield from _ducks(context, address)


def _address(context: SourceContext) -> Address | str:
    """The parts of the URL, or what is wrong with it."""
    try:
        url = urlsplit(context.path)
        asked = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
    except ValueError:
        return "This is not the URL of a database."
    if set(asked) != {"table"}:
        return "The URL must name one table, and nothing else after the question mark."
    if url.scheme != "postgresql" and url.netloc:
        return f"A path begins after three slashes, and {url.netloc} stands before the third."
    host = url._replace(query="").geturl()
    return Address(url.scheme, context.root / unquote(url.path[1:]), host, asked["table"])


def _ducks(context: SourceContext, address: Address) -> Iterator[Item]:
    import duckdb

    try:
        connection = connected(address.file, read_only=True)
    except duckdb.Error as error:
        yield unreadable(context, f"The database cannot be read: {str(error).splitlines()[0]}.")
        return
    with connection:
        yield from relation_items(context, connection, lambda: connection.table(_dotted(address.table)))


def _dotted(table: str) -> str:
    return ".".join(map(quoted, table.split(".")))


# --- SQLite ----------------------------------------------------------------------------------------------------------


def _sqlite(context: SourceContext, address: Address) -> Iterator[Item]:
    import sqlite3

    try:
        with closing(sqlite3.connect(f"{address.file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.text_factory = bytes
            found = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
            tables = [name.decode() for (name,) in found]
            if address.table not in tables:
                hint = did_you_mean(address.table, tables)
                yield unreadable(context, f'There is no table "{address.table}" in the database.', hint)
                return
            declared = connection.execute("SELECT name, upper(type) FROM pragma_table_info(?)", (address.table,))
            types = {name.decode(): kind.decode() for name, kind in declared}
            rows = connection.execute(f"SELECT * FROM {quoted(address.table)}")
            yield from items(context, list(types), enumerate(_sqlite_rows(rows, types, Values(context)), 1))
    except sqlite3.Error as error:
        yield unreadable(context, f"The database cannot be read: {error}.")


def _sqlite_rows(rows: Any, types: dict[str, str], values: Values) -> Iterator[Fields | NoCounterpart]:
    for cells in rows:
        named = zip(types.items(), cells, strict=True)
        try:
            yield {name: _cell(cell, declared, values) for (name, declared), cell in named if cell is not None}
        except NoCounterpart as problem:
            yield problem


def _cell(cell: Any, declared: str, values: Values) -> Any:
    """A cell by the type that its column declares; SQLite itself keeps times, truth and JSON as text or numbers."""
    if isinstance(cell, int | float):
        return bool(cell) if "BOOL" in declared and cell in (0, 1) else number(cell)
    if "BLOB" in declared:
        raise NoCounterpart("a value of type BLOB has no counterpart; give it as text")
    try:
        written = text(cell.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NoCounterpart("a cell is not UTF-8 text") from error
    if "JSON" in declared:
        return json_value(written)
    return values.moment(written) if "TIMESTAMP" in declared or "DATETIME" in declared else written
