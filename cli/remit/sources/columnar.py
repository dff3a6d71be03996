"""Tables whose columns have types of their own: a row as the JSON object that it would be in a feed of JSON Lines.

What has no exact counterpart there (an infinite number, an interval of months, bytes) makes the row a bad one. A wall
time is taken in the store's zone, unless a mapping reads its column. Rows are counted from 1, without a header.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from remit.findings import did_you_mean, finding
from remit.places import Place
from remit.sources import objects
from remit.sources.context import Item, SourceContext
from remit.sources.opening import unreadable
from remit.sources.rawtext import one_line_end
from remit.sources.recipes import Kitchen, Unmapped
from remit.sources.rowmaking import nested
from remit.sources.strictjson import BadJson, parse
from remit.times import format_instant

Fields = Mapping[str, Any]

BATCH = 1_000
"""Rows that are held at once."""

_SAFE_INTEGER = 2**53
_FINER = re.compile(r"\.[0-9]{6}[0-9]*[1-9]")


class NoCounterpart(ValueError):
    """A value has no exact counterpart in JSON; the text says which and why."""


Numbered = tuple[int, Fields | NoCounterpart]
"""The number of a row, from 1, with what it holds or why that cannot be said."""


def items(context: SourceContext, header: Sequence[str], rows: Iterable[Numbered]) -> Iterator[Item]:
    """A row or a finding for each of ``rows``, then what was left out; columns that do not fit refuse the feed."""
    if problem := _misfit(context, header):
        yield unreadable(context, problem, f"The mapping is {context.mapping.path}." if context.mapping else "")
        return
    reader = objects.Reader(context)
    for number, fields in rows:
        place = Place(context.path, number)
        if isinstance(fields, NoCounterpart):
            yield finding("bad-row", f"{fields}.", place)
        elif context.mapping:
            yield from reader.items(fields, place)
        else:
            body, clash = nested(fields)
            if clash:
                yield finding("bad-row", f'The row gives "{clash}" both as a whole and by its parts.', place)
            else:
                yield from reader.items(body, place)
    yield from reader.notes()


def _misfit(context: SourceContext, header: Sequence[str]) -> str:
    mapping = context.mapping
    if twice := next((name for name in header if header.count(name) > 1), ""):
        return f'The column "{twice}" stands twice.'
    if mapping is None:
        return ""
    if mapping.group is not None:
        return "The lines of an event log are read from CSV only."
    for column in (*mapping.columns, *mapping.ignore):
        if isinstance(column, int):
            return f"A column is named here, not counted: {column}."
        if column not in header and column.split(".", 1)[0] not in header:
            return f'There is no column "{column}". {did_you_mean(column, header)}'.rstrip()
    return ""


class Values:
    """Turns single values of one feed into what JSON can say."""

    def __init__(self, context: SourceContext) -> None:
        self._kitchen = Kitchen(context.zone)
        self._mapped = context.mapping is not None

    def moment(self, text: str) -> str:
        """An instant for a date and time with an offset; one without is in the store's zone, or the mapping's matter.

        Raises:
            NoCounterpart: it is none, is finer than a microsecond, or the zone skips or repeats its hour.
        """
        try:
            read = datetime.fromisoformat(text)
            if _FINER.search(text):
                raise NoCounterpart(f'"{text}" is finer than a microsecond')
            if read.tzinfo is None and self._mapped:
                return read.isoformat()
            return format_instant(read if read.tzinfo else self._kitchen.in_zone(read))
        except Unmapped as error:
            raise NoCounterpart(str(error)) from error
        except NoCounterpart:
            raise
        except ValueError as error:
            raise NoCounterpart(f'"{text}" is not an instant of the years 1 to 9999') from error


def number(value: int | float | Decimal) -> int | float:
    """The same number as readers of JSON agree on it.

    Raises:
        NoCounterpart: they do not.
    """
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() and value.is_finite()
        near: int | float = int(value) if whole else float(value)
        if not whole and Decimal(repr(near)) != value:
            raise NoCounterpart(f"the number {value} has more digits than every reader keeps; give it as text")
        value = near
    if isinstance(value, float) and not math.isfinite(value):
        raise NoCounterpart(f"{value} is not a number of JSON")
    if isinstance(value, int) and abs(value) > _SAFE_INTEGER:
        raise NoCounterpart(f"the integer {value} is beyond 2^53, where readers stop agreeing; give it as text")
    return value


def text(value: str) -> str:
    """A text with line ends as everywhere."""
    return str(one_line_end(value))


def json_value(written: str) -> Any:
    """What the text of a JSON column says.

    Raises:
        NoCounterpart: it is not JSON that a feed may hold.
    """
    try:
        return parse(written.encode("utf-8", "surrogatepass"))
    except BadJson as error:
        raise NoCounterpart(f"a JSON column cannot be read: {error}") from error
