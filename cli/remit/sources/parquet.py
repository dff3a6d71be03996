"""Parquet, read by DuckDB as a stream; and the rows of whatever else DuckDB has read."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from remit.sources.columnar import BATCH, Fields, NoCounterpart, Numbered, Values, items, json_value, number, text
from remit.sources.context import Item, SourceContext
from remit.sources.duck import connected
from remit.sources.opening import unreadable


class Parquet:
    """The columns name the fields, or the mapping does; a bad row costs itself only."""

    format = "parquet"

    def read(self, context: SourceContext) -> Iterator[Item]:
        """A row or a finding for each row of the file, then what was left out."""
        if not context.file.is_file():
            yield unreadable(context, "The feed cannot be opened: there is no such file.")
            return
        with connected() as connection:
            path = glob.escape(str(context.file))
            yield from relation_items(context, connection, lambda: connection.read_parquet(path))


def relation_items(context: SourceContext, connection: Any, read: Callable[[], Any]) -> Iterator[Item]:
    """The items of the relation that ``read`` gives; DuckDB's complaints refuse what is left of the feed."""
    import duckdb

    try:
        relation = read()
        yield from items(context, relation.columns, numbered_rows(connection, relation, Values(context), count(1)))
    except duckdb.Error as error:
        yield unreadable(context, f"The feed cannot be read: {str(error).splitlines()[0]}.")


def numbered_rows(connection: Any, relation: Any, values: Values, numbers: Iterable[int]) -> Iterator[Numbered]:
    """What the rows of a relation hold, each with its number out of ``numbers``."""
    return zip(numbers, _rows(connection, relation, values), strict=False)


def _rows(connection: Any, relation: Any, values: Values) -> Iterator[Fields | NoCounterpart]:
    from duckdb import ColumnExpression

    names, types = relation.columns, relation.types
    columns = [ColumnExpression(name).cast(_plain(kind)).alias(name) for name, kind in zip(names, types, strict=True)]
    plain = connection.execute(relation.select(*columns).sql_query())
    while batch := plain.fetchmany(BATCH):
        for cells in batch:
            try:
                yield {
                    name: _value(cell, kind, values)
                    for name, cell, kind in zip(names, cells, types, strict=True)
                    if cell is not None
                }
            except NoCounterpart as problem:
                yield problem


_TEMPORAL = ("date", "time", "time with time zone", "uuid", "enum")


def _is_moment(kind: Any) -> bool:
    return str(kind.id).startswith("timestamp")


def _plain(kind: Any) -> Any:
    """The type to read a column as: times as text, so that none is out of Python's range on the way."""
    import duckdb

    if _is_moment(kind) or kind.id in _TEMPORAL:
        return duckdb.sqltype("VARCHAR")
    parts = dict(kind.children) if kind.id in ("list", "array", "struct", "map") else {}
    if kind.id in ("list", "array"):
        return duckdb.list_type(_plain(parts["child"]))
    if kind.id == "struct":
        return duckdb.struct_type({name: _plain(part) for name, part in parts.items()})
    if kind.id == "map":
        return duckdb.map_type(duckdb.sqltype("VARCHAR"), _plain(parts["value"]))
    return kind


def _value(cell: Any, kind: Any, values: Values) -> Any:
    if cell is None or isinstance(cell, bool):
        return cell
    if kind.id in ("list", "array"):
        part = dict(kind.children)["child"]
        return [_value(one, part, values) for one in cell]
    if kind.id in ("struct", "map"):
        parts = dict(kind.children)
        each = {name: parts["value"] if kind.id == "map" else parts[name] for name in cell}
        return {text(name): _value(one, each[name], values) for name, one in cell.items() if one is not None}
    if _is_moment(kind):
        return values.moment(cell)
    if isinstance(cell, str):
        return json_value(cell) if str(kind) == "JSON" else text(cell)
    if isinstance(cell, int | float) or kind.id == "decimal":
        return number(cell)
    raise NoCounterpart(f"a value of type {kind} has no counterpart; give it as text")
