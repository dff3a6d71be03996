"""Lines and characters of feeds: bounded reading, and the search for characters that no value may hold.

Nothing here keeps more than one line in memory, however long a line the feed holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from remit.yamltext import forbidden_character

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One physical line with its line end; ``data`` is None when it is longer than the limit."""

    number: int
    data: bytes | None


def lines(file: BinaryIO, limit: int) -> Iterator[Line]:
    """Every physical line from 1; a leading byte order mark is not part of the first one."""
    number = 0
    while data := file.readline(limit + 1):
        number += 1
        if number == 1:
            data = data.removeprefix(BOM)
        if len(data) > limit:
            while not data.endswith(b"\n") and data:
                data = file.readline(limit)
            yield Line(number, None)
        elif data:
            yield Line(number, data)


def foreign_encoding(start: bytes) -> str:
    """Why the first bytes of a feed cannot be UTF-8 text at all, or an empty text."""
    if start.startswith(b"\x1f\x8b"):
        return "the file is compressed with gzip"
    if start.startswith(b"PK\x03\x04"):
        return "the file is a ZIP archive, such as an Excel workbook"
    if start.startswith(_UTF16) or b"\x00" in start:
        return "the file looks like UTF-16 or UTF-32"
    return ""


def forbidden_in(value: Any) -> str:
    """The first character in any text or key of a JSON value that no record may hold either; empty when there is none.

    The depth of the value is already known to be small.
    """
    if isinstance(value, str):
        return forbidden_character(value)
    if isinstance(value, dict):
        return next(filter(None, (forbidden_character(key) or forbidden_in(item) for key, item in value.items())), "")
    if isinstance(value, list):
        return next(filter(None, map(forbidden_in, value)), "")
    return ""


def one_line_end(value: Any) -> Any:
    """The same value with line ends of CR LF written as LF: the one rewriting that a feed's text suffers."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n")
    if isinstance(value, dict):
        return {key: one_line_end(item) for key, item in value.items()}
    if isinstance(value, list):
        return [one_line_end(item) for item in value]
    return value
