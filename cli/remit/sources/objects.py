"""JSON objects as rows, whichever way they came: our own shape, TM Forum trouble tickets, or foreign ones by a mapping.

Which of the three it is, is decided for each object and in the open: a mapping decides for the whole feed; without one
an object that says ``kind`` is ours, one that says it is a TMF621 ticket is one, and the others are ours when the kind
of the feed is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remit.findings import Finding, finding
from remit.places import Place
from remit.sources import tmf621
from remit.sources.context import Item, Note, SourceContext
from remit.sources.mapping import Column
from remit.sources.recipes import Kitchen, Values
from remit.sources.rowmaking import left_out, mapped_row, own_row


class Reader:
    """Turns the objects of one feed into items, and remembers what was left out of all of them."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._kitchen = Kitchen(context.zone)
        self._left_out: dict[str, None] = {}
        self._tickets = tmf621.Tickets(context)
        self._used = {_first_part(column) for column in self._mapped_columns()}

    def items(self, value: Any, place: Place) -> Iterator[Item]:
        """The row or finding of one value."""
        mapping = self._context.mapping
        if not isinstance(value, dict):
            yield _not_an_object(value, place)
        elif mapping and mapping.format == "columns":
            self._left_out.update(dict.fromkeys(name for name in value if name not in self._used))
            yield mapped_row(mapping, self._kitchen, columns_of(value), self._context, place)
        elif mapping or self._is_ticket(value):
            yield self._tickets.item(value, place)
        elif "kind" in value or self._context.kind:
            yield own_row(value, self._context, place)
        else:
            message = "The object is neither a fact (kind, id, fields) nor a TMF621 trouble ticket."
            hint = "Name the kind with --facts KIND=PATH and give each row an id, or give a mapping with --map."
            yield finding("row-not-a-fact", message, place, hint=hint)

    def notes(self) -> Iterator[Item]:
        """What is to be said about the feed as a whole, after its last object."""
        if note := left_out(self._left_out, self._context):
            yield Note(note)
        yield from self._tickets.notes()

    def _is_ticket(self, value: Mapping[str, Any]) -> bool:
        return "kind" not in value and self._context.kind in (None, tmf621.KIND) and tmf621.detect(value)

    def _mapped_columns(self) -> tuple[Column, ...]:
        mapping = self._context.mapping
        return (*mapping.columns, *mapping.ignore) if mapping else ()


def columns_of(value: Mapping[str, Any]) -> Values:
    """The columns of an object: a top-level key, or a way inside such as ``customer.id`` or ``parties.0.id``."""

    def column(name: Column) -> Any:
        if name in value:
            return _present(value[str(name)])
        here: Any = value
        for part in str(name).split("."):
            if isinstance(here, dict):
                here = here.get(part)
            elif isinstance(here, list) and part.isdecimal() and len(part) < 7 and int(part) < len(here):
                here = here[int(part)]
            else:
                return None
        return _present(here)

    return column


def _present(value: Any) -> Any:
    return None if value == "" else value


def _first_part(column: Column) -> str:
    return str(column).split(".", 1)[0]


def _not_an_object(value: Any, place: Place) -> Finding:
    what = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
    return finding("bad-row", f"Here stands {what}, and a row is an object.", place)
