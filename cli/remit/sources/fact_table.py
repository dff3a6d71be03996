"""Spooled facts as columns: what the SQL of conditions reads, taken out of each fact's line by DuckDB.

A value behind a reference comes from the record that the fact names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from remit.conditions.condition import Bindings
from remit.conditions.lowering import follow
from remit.conditions.selection import SUBJECT, Column
from remit.conditions.tree import item_number
from remit.references import World
from remit.sources.duck import connected
from remit.sources.scan import Scan, working
from remit.sources.spool import SpooledWorld

if TYPE_CHECKING:
    from sqlglot import exp

_INSTANT = r"[1-9]\d{3}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"
_LONGEST_LINE = 16 << 20


class FactTable:
    """The table ``facts`` of one kind: ``i`` is the name, and ``g`` the same number where all ``keys`` are the same."""

    def __init__(
        self, world: SpooledWorld, kind: str, columns: Mapping[str, Column], keys: Sequence[exp.Expr] = ()
    ) -> None:
        self._world = world
        self._connection = connected()
        self._take(kind, columns, keys)

    def close(self) -> None:
        """Let go of the columns."""
        self._connection.close()

    def rows(self, query: exp.Select) -> list[Any]:
        """What a query answers."""
        return list(self._connection.execute(query.sql("duckdb")).fetchall())

    def _take(self, kind: str, columns: Mapping[str, Column], keys: Sequence[exp.Expr]) -> None:
        from sqlglot import exp

        for name, rows in lookups_of(self._world, columns).items():
            put_lookup(self._connection, name, rows)
        paths = sorted({column.inside for column in columns.values()})
        fields = exp.Anonymous(
            this="json_extract_string",
            expressions=[exp.column("s"), exp.array(*(exp.Literal.string(_json_path(path)) for path in paths))],
        )

        def text_at(path: tuple[str, ...]) -> exp.Expr:
            position = exp.Literal.number(paths.index(path) + 1)
            return exp.Anonymous(this="list_extract", expressions=[exp.column("v", table="texts"), position])

        texts = exp.select("i", exp.alias_(fields, "v")).from_("lines")
        query = facts_query(texts, text_at, columns, keys)
        self._lines(kind)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE facts AS {query.sql('duckdb')}")

    def _lines(self, kind: str) -> None:
        options = {"columns": {"i": "VARCHAR", "s": "JSON"}, "maximum_object_size": _LONGEST_LINE}
        lines = self._connection.read_json(str(self._world.spool.file(kind)), format="newline_delimited", **options)
        lines.create_view("all_lines", replace=True)
        self._connection.execute(
            "CREATE TEMP TABLE dropped AS SELECT unnest(?::VARCHAR[]) AS i", [self._world.spool.dropped(kind)]
        )
        self._connection.execute("CREATE TEMP VIEW lines AS FROM all_lines ANTI JOIN dropped USING (i)")


class ScanTable:
    """The same table ``facts`` over the plain rows of scans, which are read where they stand."""

    def __init__(
        self, world: SpooledWorld, scans: Sequence[Scan], columns: Mapping[str, Column], keys: Sequence[exp.Expr] = ()
    ) -> None:
        self._working = working()
        self._connection = self._working.__enter__()
        for name, rows in lookups_of(world, columns).items():
            put_lookup(self._connection, name, rows)
        query = scan_query([(scan, scan.source) for scan in scans], columns, keys)
        # A rank asks about all rows at once, so it is reckoned once.
        stored = "TABLE" if keys else "VIEW"
        self._connection.execute(f"CREATE TEMP {stored} facts AS {query.sql('duckdb')}")

    def close(self) -> None:
        """Let go of the feed."""
        self._working.__exit__()

    def rows(self, query: exp.Select) -> list[Any]:
        """What a query answers."""
        return list(self._connection.execute(query.sql("duckdb")).fetchall())


class Table(Protocol):
    """The table ``facts`` of one kind, wherever it is."""

    def rows(self, query: exp.Select) -> list[Any]:
        """What a query answers."""

    def close(self) -> None:
        """Let go of it."""


def opened_table(
    world: SpooledWorld,
    kind: str,
    columns: Mapping[str, Column],
    keys: Sequence[exp.Expr] = (),
    scans: Sequence[Scan] = (),
) -> Table:
    """The facts of one kind as a table: where they stand, in Spark where the world has a master, else spooled.

    With ``scans``, those of these feeds only.
    """
    if world.master:
        from remit.sources.spark import SparkTable

        return SparkTable(world, kind, columns, keys)
    scans = scans or world.scans(kind)
    return ScanTable(world, scans, columns, keys) if scans else FactTable(world, kind, columns, keys)


def facts_query(
    texts: exp.Select,
    text_at: Callable[[tuple[str, ...]], exp.Expr],
    columns: Mapping[str, Column],
    keys: Sequence[exp.Expr],
) -> exp.Select:
    """The columns of facts, out of ``texts`` with a name ``i``, of which ``text_at`` says what stands at a path."""
    from sqlglot import exp

    chosen: list[Any] = [exp.column("i", table="texts")]
    query = exp.select().with_("texts", as_=texts).from_("texts")
    for name, column in columns.items():
        text = exp.column("i", table="texts") if column.inside == ("id",) else text_at(column.inside)
        if column.kind:
            text = _looked_up(query, name, text)
        chosen.append(exp.alias_(_formed(text, column), name))
    return _ranked(query.select(*chosen), keys)


def _ranked(query: exp.Query, keys: Sequence[exp.Expr]) -> exp.Select:
    """The same with a number ``g`` that is one where all ``keys`` are the same; none without keys."""
    from sqlglot import exp

    rank = exp.Window(this=exp.Anonymous(this="dense_rank"), order=exp.Order(expressions=list(keys)))
    ranked = [exp.alias_(rank, "g")] if keys else []
    return exp.select("*", *ranked).from_(query.subquery("each_fact"))


def scan_query(
    sources: Sequence[tuple[Scan, str]], columns: Mapping[str, Column], keys: Sequence[exp.Expr] = ()
) -> exp.Select:
    """The columns of the plain rows of scans, each with the SQL of what holds them."""
    from sqlglot import exp

    each: list[exp.Query] = [_plain_query(scan, source, columns) for scan, source in sources]
    return _ranked(exp.union(*each, distinct=False) if len(each) > 1 else each[0], keys)


def _plain_query(scan: Scan, source: str, columns: Mapping[str, Column]) -> exp.Select:
    import sqlglot
    from sqlglot import exp

    chosen: list[Any] = [exp.alias_(exp.column("id", table="p"), "i")]
    query = sqlglot.select().from_(exp.alias_(sqlglot.parse_one(source, dialect="duckdb"), "p", table=True))
    for name, column in columns.items():
        held = sqlglot.parse_one(scan.column(column), dialect="duckdb")
        if column.kind:
            held = _formed(_looked_up(query, name, held), column)
        chosen.append(exp.alias_(held, name))
    return query.select(*chosen)


def _looked_up(query: exp.Select, name: str, held: exp.Expr) -> exp.Expr:
    """The value behind the reference that is held, out of the look-up table of a column, which the query joins."""
    from sqlglot import exp

    table = f"records_{name}"
    query.join(table, on=exp.EQ(this=exp.column("name", table=table), expression=held), join_type="left", copy=False)
    return exp.column("v", table=table)


def lookups_of(world: World, columns: Mapping[str, Column]) -> dict[str, list[tuple[str, str | None]]]:
    """By column that lies behind a reference: for the name of each record its value as JSON would write it."""
    found = {}
    for name, column in columns.items():
        rows: list[tuple[str, str | None]] = []
        for record in world.all(column.kind) if column.kind else ():
            value = follow((SUBJECT, *column.beyond), Bindings(world, {SUBJECT: record}))
            text = value if value is None or isinstance(value, str) else json.dumps(value)
            rows += [(record.name, text), (record.ref, text)]
        if column.kind:
            found[name] = rows
    return found


def put_lookup(connection: Any, name: str, rows: Sequence[tuple[str, str | None]]) -> None:
    """A look-up table of DuckDB."""
    connection.execute(
        f"CREATE TEMP TABLE records_{name} AS SELECT unnest(?::VARCHAR[]) AS name, unnest(?::VARCHAR[]) AS v",
        [[name for name, _ in rows], [text for _, text in rows]],
    )


def _json_path(names: Sequence[str]) -> str:
    return "$" + "".join(name if item_number(name) is not None else f'."{name}"' for name in names)


def _formed(text: exp.Expr, column: Column) -> exp.Expr:
    """A text as JSON writes it, in the form that a column has."""
    from sqlglot import exp

    def tried(type_: str) -> exp.Expr:
        return exp.TryCast(this=text, to=exp.DataType.build(type_, dialect="duckdb"))

    def there() -> exp.Expr:
        return exp.Not(this=exp.Is(this=text, expression=exp.null()))

    match column.form:
        case "int":
            return tried("BIGINT")
        case "number":
            return tried("DOUBLE")
        case "bool":
            return tried("BOOLEAN")
        case "instant":
            fits = exp.Anonymous(this="regexp_full_match", expressions=[text, exp.Literal.string(_INSTANT)])
            return exp.Case().when(fits, exp.Anonymous(this="epoch_us", expressions=[tried("TIMESTAMPTZ")]))
        case "present":
            return there()
        case "size":
            size = exp.Anonymous(this="json_array_length", expressions=[exp.cast(text, "JSON")])
            return exp.Case().when(there(), size).else_(exp.Literal.number(0))
    return text
