"""JSON as it may stand in a feed: no duplicate keys, no NaN, no number that another reader would round, no abyss.

The guard on depth runs before the parser, so that no input can exhaust the stack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from remit.places import Pointer
from remit.sources.rawtext import forbidden_in, one_line_end

DEPTH_LIMIT = 32
_SAFE_INTEGER = 2**53
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_BETWEEN = re.compile(r"[\s,:]*")
_SKIPPER = json.JSONDecoder()


class BadJson(ValueError):
    """The text is not JSON that a feed may hold; ``line`` and ``column`` are from 1, or 0 when not known."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def parse(data: bytes) -> Any:
    """The JSON value of ``data``, with CR LF inside texts read as LF.

    Raises:
        BadJson: Not UTF-8, not JSON, deeper than 32, a duplicate key, NaN or an infinity, an integer beyond 2^53 or
            a forbidden character. Nothing else is raised, whatever the bytes.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"byte {error.start + 1} is not UTF-8") from error
    _refuse_depth(text)
    value = _load(text)
    if "\\" in text:
        value = one_line_end(value)
    elif text.strip().isprintable():
        return value  # What is written without escapes holds no character that the text does not.
    if found := forbidden_in(value):
        raise BadJson(f"a text holds the character {found}, which no value may hold")
    return value


def starts(data: bytes, pointer: Pointer) -> Iterator[tuple[int, int]]:
    """Line and column (from 1) of each item of the list at ``pointer``, or of the one value there.

    ``data`` is what ``parse`` took, and it has something at the pointer.
    """
    text = data.decode("utf-8")
    offset = _after(text, 0)
    for part in pointer:
        offset = next(inner for key, inner in _inside(text, offset) if str(key) == str(part))
    line, line_start, counted = 1, 0, 0
    for start in [inner for _, inner in _inside(text, offset)] if text[offset] == "[" else [offset]:
        line += text.count("\n", counted, start)
        line_start = text.rfind("\n", line_start, start) + 1 or line_start
        counted = start
        yield line, start - line_start + 1


def _inside(text: str, offset: int) -> Iterator[tuple[str | int, int]]:
    """The key or position of each value in the object or list that begins at ``offset``, and where it begins."""
    is_object, offset, position = text[offset] == "{", _after(text, offset + 1), 0
    while text[offset] not in "]}":
        key: str | int = position
        if is_object:
            key, offset = _SKIPPER.raw_decode(text, offset)
            offset = _after(text, offset)
        yield key, offset
        _, offset = _SKIPPER.raw_decode(text, offset)
        offset, position = _after(text, offset), position + 1


def _after(text: str, offset: int) -> int:
    """Past what stands between values."""
    found = _BETWEEN.match(text, offset)
    return found.end() if found else offset


def _load(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise BadJson(f"not JSON: {error.msg}", error.lineno, error.colno) from error


def _refuse_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEPTH_LIMIT:
        return
    depth = 0
    for match in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if match.group() in "[{" else -1
        if depth > DEPTH_LIMIT:
            raise BadJson(f"nests deeper than {DEPTH_LIMIT} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise BadJson(f'the key "{key}" stands twice in one object')
        seen.add(key)
    return value


def _refuse_constant(word: str) -> Any:
    raise BadJson(f"{word} is not a JSON number")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise BadJson(f"the number {text[:40]} is beyond every reader's range")
    return value


def _integer(text: str) -> int:
    # Longer texts than this are out of range anyway, and int() is slow or refuses on very long ones.
    if len(text) > 17 or abs(int(text)) > _SAFE_INTEGER:
        raise BadJson(f"the integer {text[:40]} is beyond 2^53, where readers stop agreeing; write it as text")
    return int(text)
