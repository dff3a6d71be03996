"""JSON Lines: one object a line, ``{"kind"?, "id", …the fields of spec}``, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator

from remit.findings import finding
from remit.places import Place
from remit.sources import objects
from remit.sources.context import ROW_LIMIT, Item, SourceContext
from remit.sources.opening import opened
from remit.sources.rawtext import lines
from remit.sources.strictjson import BadJson, parse


class JsonLines:
    """A line is a row and a blank line is none; a bad line costs itself only."""

    format = "jsonl"

    def read(self, context: SourceContext) -> Iterator[Item]:
        """A row or a finding for each line that is not blank, then what was left out."""
        with opened(context) as feed:
            if feed.problem:
                yield feed.problem
                return
            reader = objects.Reader(context)
            for number, data in lines(feed.file, ROW_LIMIT):
                if data is None:
                    message = f"The line is longer than {ROW_LIMIT >> 20} MiB, which is the most a row may take."
                    yield finding("bad-row", message, Place(context.path, number))
                elif data.strip():
                    yield from self._line(data, reader, Place(context.path, number))
            yield from reader.notes()

    def _line(self, data: bytes, reader: objects.Reader, place: Place) -> Iterator[Item]:
        try:
            value = parse(data)
        except BadJson as error:
            yield finding("bad-row", f"The line cannot be read: {error}.", place._replace(column=error.column))
            return
        yield from reader.items(value, place)
