"""Spooled facts as columns: what the SQL of conditions reads, taken out of each fact's line by DuckDB.

A value behind a reference comes from the record that the fact names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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

        paths = sorted({column.inside for column in columns.values()})
        lookups = {
            name: lookup(self._connection, self._world, name, column) for name, column in columns.items() if column.kind
        }
        fields = exp.Anonymous(
            this="json_extract_string",
            expressions=[exp.column("s"), exp.array(*(exp.Literal.string(_json_path(path)) for path in paths))],
        )
        texts = exp.select("i", exp.alias_(fields, "v")).from_("lines")
        chosen: list[Any] = [exp.column("i", table="texts")]
        query = exp.select().with_("texts", as_=texts).from_("texts")
        for name, column in columns.items():
            position = exp.Literal.number(paths.index(column.inside) + 1)
            text: exp.Expr = exp.Anonymous(this="list_extract", expressions=[exp.column("v", table="texts"), position])
            if column.inside == ("id",):
                text = exp.column("i", table="texts")
            if name in lookups:
                named = exp.EQ(this=exp.column("name", table=lookups[name]), expression=text)
                query = query.join(lookups[name], on=named, join_type="left", copy=False)
                text = exp.column("v", table=lookups[name])
            chosen.append(exp.alias_(_formed(text, column), name))
        facts = query.select(*chosen)
        rank = exp.Window(this=exp.Anonymous(this="dense_rank"), order=exp.Order(expressions=list(keys)))
        whole = exp.select("*", *([exp.alias_(rank, "g")] if keys else [])).from_(facts.subquery("each_fact"))
        self._lines(kind)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE facts AS {whole.sql('duckdb')}")

    def _lines(self, kind: str) -> None:
        options = {"columns": {"i": "VARCHAR", "s": "JSON"}, "maximum_object_size": _LONGEST_LINE}
        lines = self._connection.read_json(str(self._world.spool.file(kind)), format="newline_delimited", **options)
        lines.create_view("all_lines", replace=True)
        self._connection.execute(
            "CREATE TEMP TABLE dropped AS SELECT unnest(?::VARCHAR[]) AS i", [self._world.spool.dropped(kind)]
        )
        self._connection.execute("CREATE TEMP VIEW lines AS FROM all_lines ANTI JOIN dropped USING (i)")


class ScanTable:
    """The same table ``facts`` over the plain rows of a scan, which are read where they stand and not kept."""

    def __init__(self, world: World, scan: Scan, columns: Mapping[str, Column]) -> None:
        self._working = working()
        self._connection = self._working.__enter__()
        chosen, joins = ["p.id AS i"], ""
        for name, column in columns.items():
            held = scan.column(column)
            if column.kind:
                table = lookup(self._connection, world, name, column)
                joins += f" LEFT JOIN {table} ON {table}.name = {held}"
                held = _formed(exp_column("v", table), column).sql("duckdb")
            chosen.append(f"{held} AS {name}")
        self._connection.execute(f"CREATE TEMP VIEW facts AS SELECT {', '.join(chosen)} FROM {scan.source} AS p{joins}")

    def close(self) -> None:
        """Let go of the feed."""
        self._working.__exit__()

    def rows(self, query: exp.Select) -> list[Any]:
        """What a query answers."""
        return list(self._connection.execute(query.sql("duckdb")).fetchall())


def exp_column(name: str, table: str) -> exp.Expr:
    """A column of a table."""
    from sqlglot import exp

    return exp.column(name, table=table)


def lookup(connection: Any, world: World, name: str, column: Column) -> str:
    """A table that gives, for the name of each record of ``column.kind``, its value as JSON would write it."""
    names, texts = [], []
    for record in world.all(column.kind):
        value = follow((SUBJECT, *column.beyond), Bindings(world, {SUBJECT: record}))
        text = value if value is None or isinstance(value, str) else json.dumps(value)
        names += [record.name, record.ref]
        texts += [text, text]
    table = f"records_{name}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT unnest(?::VARCHAR[]) AS name, unnest(?::VARCHAR[]) AS v",
        [names, texts],
    )
    return table


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
