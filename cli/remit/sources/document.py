"""One JSON document as a feed: facts of our own, TM Forum bodies, or foreign objects by a mapping.

Accepted are one object, a list of objects, ``{"facts": [...]}``, and a list that the mapping's ``rows`` points to.
The place of a row is where it begins in the document; its number is in the pointer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from remit.findings import Finding
from remit.places import Place, Pointer, parse_pointer, pointer_text
from remit.sources import objects, tmf621
from remit.sources.context import DOCUMENT_LIMIT, Item, SourceContext
from remit.sources.opening import opened, unreadable
from remit.sources.rawtext import BOM
from remit.sources.strictjson import BadJson, parse, starts


class JsonDocument:
    """Read whole, and so limited in size; a document that cannot be parsed has no rows at all."""

    format = "json"

    def read(self, context: SourceContext) -> Iterator[Item]:
        """A row or a finding for each object, then what was left out."""
        with opened(context) as feed:
            data = feed.file.read(DOCUMENT_LIMIT + 1)
        if feed.problem:
            yield feed.problem
            return
        if len(data) > DOCUMENT_LIMIT:
            message = f"The document is larger than {DOCUMENT_LIMIT >> 20} MiB."
            yield unreadable(context, message, "Write it as JSON Lines (.jsonl), which streams.")
            return
        data = data.removeprefix(BOM)
        try:
            value = parse(data)
        except BadJson as error:
            yield replace(unreadable(context, f"The document cannot be read: {error}."),
                          place=Place(context.path, error.line, error.column))  # fmt: skip
            return
        yield from _items(value, data, context)


def _items(value: Any, data: bytes, context: SourceContext) -> Iterator[Item]:
    if isinstance(value, list) and tmf621.is_patch(value):
        yield tmf621.patch_finding(Place(context.path))
        return
    pointer = _rows_pointer(value, context)
    rows = _at(value, pointer)
    if rows is None:
        yield unreadable(context, f"There is nothing at {pointer_text(pointer)}, where the mapping says rows are.")
        return
    reader = objects.Reader(context)
    many = isinstance(rows, list)
    for index, (item, start) in enumerate(zip(rows if many else [rows], starts(data, pointer), strict=True)):
        where = (*pointer, index) if many else pointer
        for made in reader.items(item, Place(context.path, *start)):
            yield replace(made, pointer=pointer_text(where) + made.pointer) if isinstance(made, Finding) else made
    yield from reader.notes()


def _rows_pointer(value: Any, context: SourceContext) -> Pointer:
    if context.mapping and context.mapping.rows:
        return parse_pointer(context.mapping.rows)
    if isinstance(value, dict) and isinstance(value.get("facts"), list) and "id" not in value:
        return ("facts",)
    if isinstance(value, dict) and isinstance(value.get("troubleTicket"), list):
        return ("troubleTicket",)
    return ()


def _at(value: Any, pointer: Pointer) -> Any:
    for part in pointer:
        if isinstance(value, dict):
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value
