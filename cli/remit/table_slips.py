"""What can be written wrong in a look-up table: another result in a row, or a row that is not there.

A table that gives the same results for every combination of its inputs is no other table.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from remit.places import Place
from remit.tables import Row, Table


class BrokenTable(NamedTuple):
    """One other table: what was changed, where, and the table."""

    said: str
    place: Place
    table: Table


def broken_tables(table: Table) -> Iterator[BrokenTable]:
    """Every table that differs from this one in one row, in the order of the rows."""
    known = _results(table)
    for number, row in enumerate(table.rows):
        for other in (_other_result(table, row), None):
            rows = (replace(row, value=other),) if other is not None else ()
            broken = replace(table, rows=(*table.rows[:number], *rows, *table.rows[number + 1 :]), _found={})
            if _results(broken) != known:
                change = f"{row.value} → {other}" if other is not None else "removed"
                yield BrokenTable(f"table {table.name} row {number + 1}: {change}", row.place, broken)


def _results(table: Table) -> list[Any]:
    return [_result(table, values) for values in itertools.product(*(one.values for one in table.inputs))]


def _result(table: Table, values: tuple[str, ...]) -> Any:
    try:
        return table.find(*values)
    except LookupError:
        return None


def _other_result(table: Table, row: Row) -> Any:
    """The result of the next row that has another, else one a little off."""
    values = [one.value for one in table.rows]
    begin = values.index(row.value) + 1
    other = next((value for value in values[begin:] + values[:begin] if value != row.value), None)
    if other is not None:
        return other
    match row.value:
        case bool() as truth:
            return not truth
        case timedelta() as span:
            return span + timedelta(seconds=1)
        case int() | float() as number:
            return number + 1
    return f"other than {row.value}"
