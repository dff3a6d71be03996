"""Tables that fit a terminal: cells are folded where they may be, and what names something is never cut."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from remit.reporters.terminal import padded, safe, table, width

GAP = 2
LEAST = 8
"""Columns below which a folded text is no longer read; then each row stands on lines of its own."""

_PIECES = re.compile(r"[^\u2e80-\uffef\s]+|[\u2e80-\uffef]|\s+")


def fitted(rows: Sequence[Sequence[str]], head: Sequence[str], columns: int | None) -> str:
    """The same as ``table`` where that fits into ``columns`` (None: anything fits), and else folded.

    Texts are folded between words and between Chinese characters. Where even that is too wide, each row is written as
    lines of head and cell, with an empty line between rows; a word that is longer than the line stays whole.
    """
    plain = table(rows, head)
    if columns is None or all(width(line) <= columns for line in plain.splitlines()):
        return plain
    cells = [[safe(cell).replace("\n", " ") for cell in row] for row in (head, *rows)]
    least = [max(min(width(c), LEAST) for c in column) for column in zip(*cells, strict=True)]
    least = [max(n, *map(_longest, column)) for n, column in zip(least, zip(*cells, strict=True), strict=True)]
    if sum(least) + GAP * (len(least) - 1) > columns:
        return "\n\n".join("\n".join(_block(row, cells[0], columns)) for row in cells[1:])
    widths = _shrunk([max(map(width, column)) for column in zip(*cells, strict=True)], least, columns)
    return "\n".join(line for row in cells for line in _folded_row(row, widths))


def _shrunk(widths: Sequence[int], least: Sequence[int], columns: int) -> list[int]:
    """Widths that fit together, taken from the widest first."""
    found = list(widths)
    while sum(found) + GAP * (len(found) - 1) > columns:
        widest = max((i for i in range(len(found)) if found[i] > least[i]), key=lambda i: found[i])
        found[widest] -= 1
    return found


def _folded_row(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    parts = [list(wrapped(cell, n)) for cell, n in zip(row, widths, strict=True)]
    for number in range(max(map(len, parts))):
        line = [part[number] if number < len(part) else "" for part in parts]
        yield (" " * GAP).join(padded(text, n) for text, n in zip(line, widths, strict=True)).rstrip()


def _block(row: Sequence[str], head: Sequence[str], columns: int) -> Iterator[str]:
    indent = max(map(width, head)) + GAP
    for title, cell in zip(head, row, strict=True):
        for number, text in enumerate(wrapped(cell, columns - indent)):
            yield f"{padded('' if number else title, indent)}{text}".rstrip()


def wrapped(text: str, columns: int) -> Iterator[str]:
    """``text`` in lines of at most ``columns``; at least one, and a longer word is a line by itself."""
    line = ""
    for piece in _PIECES.findall(text):
        if line and width(line + piece.rstrip()) > columns:
            yield line.rstrip()
            line = ""
        line += "" if piece.isspace() and not line else piece
    yield line.rstrip()


def _longest(text: str) -> int:
    return max(map(width, (piece for piece in _PIECES.findall(text) if not piece.isspace())), default=0)
