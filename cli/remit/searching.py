"""Finding text in records and policies: in names, titles and values, never in keys or comments."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remit.assignments import value_text
from remit.places import Place, Pointer
from remit.records import Record, Snapshot


@dataclass(frozen=True)
class Hit:
    """One line of a file that holds the text; ``pointer`` leads to the value in which it was found."""

    record: Record
    place: Place
    pointer: Pointer
    line: str


def search(snapshot: Snapshot, text: str) -> list[Hit]:
    """Every line on which a value of a record or policy holds ``text``, by place; one hit a line.

    Case and width do not matter: ``BANK`` finds ``bank``, and full-width letters find the plain ones.
    """
    wanted = _folded(text)
    hits: dict[tuple[str, int], Hit] = {}
    for record in (*snapshot.records, *snapshot.policies):
        lines = _lines(snapshot, record)
        for pointer, value in _values(record.body, ()):
            if wanted in _folded(value):
                hit = _hit(record, pointer, value, lines=lines, wanted=wanted)
                hits.setdefault((record.path, hit.place.line), hit)
    return sorted(hits.values(), key=lambda hit: hit.place)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _lines(snapshot: Snapshot, record: Record) -> list[str]:
    return snapshot.files[record.path].decode("utf-8", "replace").splitlines()


def _values(value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _values(one, (*pointer, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _values(one, (*pointer, index))
    else:
        yield pointer, value_text(value)


def _hit(record: Record, pointer: Pointer, value: str, *, lines: list[str], wanted: str) -> Hit:
    """The line of the value that holds the text; its first one where it is folded or escaped in the file."""
    start = record.place(pointer)
    # The header of a block of text takes one line more than the text has.
    for number in range(max(start.line, 1), min(len(lines), start.line + value.count("\n") + 1) + 1):
        is_start = number == start.line
        if wanted in _folded(lines[number - 1]) and (is_start or "\n" in value):
            return Hit(
                record, Place(record.path, number, start.column if is_start else 1), pointer, lines[number - 1].strip()
            )
    line = lines[start.line - 1].strip() if 0 < start.line <= len(lines) else ""
    return Hit(record, start, pointer, line)
