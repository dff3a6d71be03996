"""The records of a CSV text, whatever has happened to it.

Quotes that do not close are the one fault that could swallow good rows. A record that does not end within its limits is
therefore judged by its first line alone, and reading goes on with the next line: every line is either part of a record
or named as a bad one.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from remit.sources.context import ROW_LIMIT
from remit.sources.rawtext import Line, lines, one_line_end
from remit.yamltext import forbidden_character

LINES_LIMIT = 1000
"""Lines that one record may span."""

UNCLOSED_LIMIT = 100
"""Unclosed quotes after which every line is a record of its own, so that a hostile feed stays linear to read."""


class Record(NamedTuple):
    """The cells of one record, or in their place what is wrong with it; ``line`` is its first, the header being 1."""

    line: int
    cells: Sequence[str]
    problem: str = ""


def records_of(file: BinaryIO, delimiter: str, encoding: str) -> Iterator[Record]:
    """Every record that is not a blank line, the header first; never raises, whatever the bytes."""
    # The limit is the csv module's own and the whole process's; ours, below, is what bounds a record.
    csv.field_size_limit(max(csv.field_size_limit(), ROW_LIMIT + 1))
    supply = _Supply(file, encoding)
    reader = csv.reader(supply, delimiter=delimiter, strict=True)
    while True:
        supply.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong) as error:
            yield Record(supply.give_back(), (), _reason(error))
            continue
        if not cells:
            continue
        yield Record(supply.first, *_checked(cells))


def _checked(cells: list[str]) -> tuple[Sequence[str], str]:
    cells = [one_line_end(cell) for cell in cells]
    found = forbidden_character("".join(cells))
    if found.startswith("U+DC"):
        # How undecodable bytes were let through, so that one of them costs its row only.
        return (), "The row is not UTF-8 text, or not in the encoding that the mapping names."
    if found:
        return (), f"A cell holds the character {found}, which no value may hold."
    return cells, ""


def _reason(error: Exception) -> str:
    text = str(error)
    if isinstance(error, _TooLong):
        return text
    if "unexpected end of data" in text:
        return "A quote opens here and never closes."
    return f"The row is not CSV: {text}."


class _TooLong(Exception):
    """A record is not complete within the limits."""


class _Supply:
    """The lines that the csv reader pulls; it knows which belong to the record at hand and can give them back."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._lines = lines(file, ROW_LIMIT)
        self._encoding = encoding
        self._again: deque[Line] = deque()
        self._taken: list[Line] = []
        self._size = 0
        self._unclosed = 0
        self.first = 0

    def begin(self) -> None:
        """A new record begins with the next line."""
        self._taken = []
        self._size = 0

    def give_back(self) -> int:
        """Keeps the first line of a failed record out, puts the others back, and says the number of the first."""
        self._again.extendleft(reversed(self._taken[1:]))
        self._unclosed += len(self._taken) > 1
        return self._taken[0].number

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._taken and (len(self._taken) >= self._lines_limit or self._size > ROW_LIMIT):
            raise _TooLong("A quote opens here and does not close within the length that a row may have.")
        line = self._again.popleft() if self._again else next(self._lines)
        if not self._taken:
            self.first = line.number
        self._taken.append(line)
        if line.data is None:
            raise _TooLong(f"The line is longer than {ROW_LIMIT >> 20} MiB, which is the most a row may take.")
        self._size += len(line.data)
        return line.data.decode(self._encoding, "surrogateescape")

    @property
    def _lines_limit(self) -> int:
        return LINES_LIMIT if self._unclosed < UNCLOSED_LIMIT else 1
