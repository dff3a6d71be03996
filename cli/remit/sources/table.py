"""CSV: a header and a record a row, read as a stream; cells are text and an empty cell is absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from remit.findings import did_you_mean, finding
from remit.places import Place
from remit.sources import events
from remit.sources.context import Item, Note, SourceContext
from remit.sources.csv_records import Record, records_of
from remit.sources.mapping import Column, FeedMapping
from remit.sources.opening import opened, unreadable
from remit.sources.recipes import Kitchen, Values
from remit.sources.rowmaking import left_out, mapped_row, nested, own_row


class Table:
    """The header names the fields, or the mapping does; a bad record costs itself only."""

    format = "csv"

    def read(self, context: SourceContext) -> Iterator[Item]:
        """A row or a finding for each record (for each group of them, in an event log), then what was left out."""
        with opened(context) as feed:
            if feed.problem:
                yield feed.problem
                return
            records = records_of(feed.file, *_dialect(context.mapping))
            header = next(records, None)
            if header is None:
                yield unreadable(context, "The feed is empty; a table begins with a header.")
                return
            if header.problem:
                yield unreadable(context, f"The header cannot be read: {header.problem}.", line=header.line)
                return
            if context.mapping and context.mapping.format == "columns":
                yield from _mapped(context, context.mapping, header.cells, records)
            else:
                yield from _own(context, header.cells, records)


def _own(context: SourceContext, header: Sequence[str], records: Iterator[Record]) -> Iterator[Item]:
    if context.mapping:
        yield unreadable(context, f"A mapping of {context.mapping.format} bodies does not fit a table.")
        return
    hint = "Name the columns by position in a mapping, or mend the header."
    for position, name in enumerate(header, 1):
        if not name:
            yield unreadable(context, f"Column {position} has no name.", hint, 1)
            return
        if header.index(name) < position - 1:
            yield unreadable(context, f'The column "{name}" stands twice: {_positions(header, name)}.', hint, 1)
            return
    for record in records:
        place = Place(context.path, record.line)
        if problem := _problem(record, header):
            yield finding("bad-row", problem, place)
            continue
        body, clash = nested({name: cell for name, cell in zip(header, record.cells, strict=True) if cell})
        if clash:
            yield finding("bad-row", f'The row gives "{clash}" both as a whole and by its parts.', place)
        else:
            yield own_row(body, context, place)


def _mapped(
    context: SourceContext, mapping: FeedMapping, header: Sequence[str], records: Iterator[Record]
) -> Iterator[Item]:
    positions: dict[Column, int] = {}
    for column in (*mapping.columns, *mapping.ignore):
        position = _position(column, header)
        if isinstance(position, str):
            yield unreadable(context, position, f"The mapping is {mapping.path}.", 1)
            return
        positions[column] = position
    kitchen = Kitchen(context.zone)
    if mapping.group:
        log = events.Log(context, mapping, kitchen, positions)
        for record in records:
            yield from log.take(record.line, record.cells, _problem(record, header))
        yield from log.items()
    else:
        for record in records:
            place = Place(context.path, record.line)
            if problem := _problem(record, header):
                yield finding("bad-row", problem, place)
            else:
                yield mapped_row(mapping, kitchen, columns_of(record.cells, positions), context, place)
    taken = set(positions.values())
    rest = [_label(header, index) for index in range(len(header)) if index not in taken]
    if note := left_out(rest, context):
        yield Note(note)


def columns_of(cells: Sequence[str], positions: Mapping[Column, int]) -> Values:
    """The cells of a record by the columns that a mapping names; an empty cell is None."""
    return lambda column: cells[positions[column]] or None


def _position(column: Column, header: Sequence[str]) -> int | str:
    """The index of a column from 0, or what is wrong with its name."""
    if isinstance(column, int):
        return column - 1 if column <= len(header) else f"There is no column {column}; the header has {len(header)}."
    if column not in header:
        return f'There is no column "{column}". {did_you_mean(column, header)}'.rstrip()
    if header.count(column) > 1:
        return f'The column "{column}" stands twice: {_positions(header, column)}; name it by its position.'
    return header.index(column)


def _positions(header: Sequence[str], name: str) -> str:
    return "columns " + " and ".join(str(index) for index, other in enumerate(header, 1) if other == name)


def _label(header: Sequence[str], index: int) -> str:
    name = header[index] or "unnamed"
    return f"{name} (column {index + 1})" if header.count(header[index]) > 1 or not header[index] else name


def _problem(record: Record, header: Sequence[str]) -> str:
    if record.problem or len(record.cells) == len(header):
        return record.problem
    return f"The row has {len(record.cells)} cells, and the header has {len(header)}."


def _dialect(mapping: FeedMapping | None) -> tuple[str, str]:
    return (mapping.delimiter, mapping.encoding) if mapping else (",", "utf-8")
