"""A table or view of PostgreSQL, read only, as one consistent state, a thousand rows at a time.

It comes with the extra ``postgres`` and is imported only when a feed asks for it. Rows are in the order of the primary
key, or of all columns where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from remit.errors import UserError
from remit.findings import did_you_mean
from remit.sources.columnar import BATCH, Fields, NoCounterpart, Values, items, json_value, number, text
from remit.sources.context import Item, SourceContext
from remit.sources.opening import unreadable

_SECONDS = 10
"""How long to wait for a server that does not answer."""

_NUMBERS = ("int2", "int4", "int8", "float4", "float8", "numeric", "bool")
_TEXTS = ("text", "varchar", "bpchar", "name", "uuid", "date", "time", "timetz")
_MOMENTS = ("timestamp", "timestamptz")
_JSON = ("json", "jsonb")
_NO_PART = ("bytea", "interval")

_COLUMNS = """
SELECT a.attname, coalesce(b.typname, t.typname), coalesce(b.typtype, t.typtype), coalesce(e.typname, '')
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
LEFT JOIN pg_type e ON e.oid = coalesce(nullif(b.typelem, 0), nullif(t.typelem, 0)) AND t.typcategory = 'A'
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KEYS = """
SELECT a.attname FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = to_regclass(%s) AND i.indisprimary ORDER BY k.place
"""
_TABLES = """
SELECT CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""


class Column(NamedTuple):
    """A column: its name, its type, what sort of type that is (``pg_type.typtype``), and of an array that of a part."""

    name: str
    type: str
    sort: str
    part: str

    @property
    def form(self) -> str:
        """How a value is read: as ``number``, ``text``, ``moment`` or ``json``; empty where it has no counterpart."""
        if self.part:
            return "json" if self.part not in _NO_PART else ""
        if self.type in _NUMBERS:
            return "number"
        if self.type in _TEXTS or self.sort == "e":
            return "text"
        if self.type in _MOMENTS:
            return "moment"
        return "json" if self.type in _JSON or self.sort == "c" else ""

    @property
    def sql(self) -> str:
        """What to select, so that no value is out of Python's range on the way."""
        name = quoted(self.name)
        match self.form:
            case "number":
                return name
            case "text" | "moment":
                return f"{name}::text"
            case "json":
                return f"{name}::text" if self.type in _JSON else f"to_json({name})::text"
        return f"CASE WHEN {name} IS NOT NULL THEN true END"


def quoted(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def postgres_items(context: SourceContext, url: str, table: str) -> Iterator[Item]:
    """A row or a finding for each row of a table, whose name may have a schema before a dot; ``url`` names no table.

    Raises:
        UserError: psycopg is not installed.
    """
    try:
        import psycopg
    except ImportError as error:
        hint = "Install it with: pip install 'remit[postgres]'"
        raise UserError("This needs psycopg, which is not installed.", hint) from error
    try:
        with closing(_connected(url)) as connection:
            yield from _table_items(context, connection, table)
    except (psycopg.Error, UnicodeDecodeError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        yield unreadable(context, f"The database cannot be read: {first}.")


def _connected(url: str) -> Any:
    import psycopg

    connection = psycopg.connect(url, connect_timeout=_SECONDS, client_encoding="utf8", application_name="remit")
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.execute("SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; SET extra_float_digits = 1")
    return connection


def _table_items(context: SourceContext, connection: Any, table: str) -> Iterator[Item]:
    schema, dot, name = table.rpartition(".")
    where = ".".join(map(quoted, ((schema,) if dot else ("public",)) + (name,)))
    columns = [Column(*row) for row in connection.execute(_COLUMNS, [where])]
    if not columns:
        tables = [known for (known,) in connection.execute(_TABLES)]
        yield unreadable(context, f'There is no table "{table}" in the database.', did_you_mean(table, tables))
        return
    keys = [quoted(name) for (name,) in connection.execute(_KEYS, [where])]
    order = keys or [f'{quoted(one.name)}::text COLLATE "C"' for one in columns]
    chosen = ", ".join(column.sql for column in columns)
    with connection.cursor("remit") as cursor:
        cursor.itersize = BATCH
        cursor.execute(f"SELECT {chosen} FROM {where} ORDER BY {', '.join(order)}")
        rows = enumerate(_rows(cursor, columns, Values(context)), 1)
        yield from items(context, [column.name for column in columns], rows)


def _rows(cursor: Any, columns: Sequence[Column], values: Values) -> Iterator[Fields | NoCounterpart]:
    forms = [(column, column.form) for column in columns]
    for cells in cursor:
        named = zip(forms, cells, strict=True)
        try:
            yield {one.name: _value(cell, one, form, values) for (one, form), cell in named if cell is not None}
        except NoCounterpart as problem:
            yield problem


def _value(cell: Any, column: Column, form: str, values: Values) -> Any:
    match form:
        case "number":
            return cell if isinstance(cell, bool) else number(cell)
        case "text":
            return text(cell)
        case "moment":
            return values.moment(cell)
        case "json":
            return json_value(cell)
    raise NoCounterpart(f"a value of type {column.part or column.type} has no counterpart; give it as text")
