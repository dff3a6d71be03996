"""Where something was written: a file, and where known the line and column (both from 1; 0 = not known)."""

from __future__ import annotations

from typing import NamedTuple

Pointer = tuple[str | int, ...]
"""The way from the root of a document to a value: mapping keys and list positions."""


class Place(NamedTuple):
    """``path`` is relative to the store, or as the user gave it for a feed; ``line`` of a CSV row counts the header."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.path, *(str(n) for n in (self.line, self.column) if n)])


def pointer_text(pointer: Pointer) -> str:
    """The JSON Pointer (RFC 6901) of ``pointer``; empty for the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in pointer)


def parse_pointer(text: str) -> Pointer:
    """The inverse of ``pointer_text``; digits become list positions."""
    if not text:
        return ()
    parts = [part.replace("~1", "/").replace("~0", "~") for part in text.removeprefix("/").split("/")]
    return tuple(int(part) if part.isdigit() else part for part in parts)
