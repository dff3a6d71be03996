"""Quick reading of plainly written files: one line a key, scalars that mean the same to every reader, nothing clever.

What is given is what ``reading.read`` would give; None says nothing but that the file is to be read there. Files are
plain as most people write them: keys of letters, digits, ``-`` and ``_``, values on the line of their key, lists by
``- ``, brackets and braces that close on their line, quotes without escapes, whole-line and trailing comments.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from remit.yamltext.scalars import Doubt, Scalar, resolve

LONGEST = 20_000
"""Characters; a character stands for two events at most, so no limit of ``reading`` is near."""
DEEPEST = 12

# Letters, digits, punctuation and CJK: nothing that is invisible, turns the text round or ends a line.
_STRANGE = re.compile(
    "[^\n\x20-\x7e\xa1-\xac\xae-\u0377\u2010-\u2027\u2030-\u205e\u2190-\u22ff\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff"
    "\uff01-\uffee]"
)
# Possessive quantifiers: time is linear in the length of a line, whatever it holds.
_NAME = r"[A-Za-z_][A-Za-z0-9_-]{0,99}"
_FIRST = r"(?:[A-Za-z0-9_/.+(\xa1-\uffff]|-(?=[0-9A-Za-z]))"
_REST = r" *+(?:(?<= )#.*)?"
_LINE = re.compile(rf"( *+)(- )?(?:({_NAME}):(?: ++([^#].*)|{_REST})|(?<=- )([^ #].*))")
_NOTHING = re.compile(r" *+(?:#.*)?")
_PLAIN = re.compile(rf"({_FIRST}(?:[^:# ]++|:(?=[^ ])| ++(?=[^ #]))*+){_REST}")
_QUOTED = re.compile(rf"(?:\"([^\"\\]*+)\"|'([^']*+)'){_REST}")
_END = re.compile(_REST)
# In brackets and braces; a colon only as in 09:30.
_TOKEN = re.compile(
    rf" *+(?:([\[\]{{}},])|({_NAME}): ++|\"([^\"\\]*+)\"|'([^']*+)'"
    rf"|({_FIRST}(?:[^:#?,\[\]{{}}\"']|(?<=[0-9]):(?=[0-9]))*+))"
)


_Open = tuple[int, dict[str, Any] | list[Any]]
"""A collection that is being filled, and the column (from 0) at which its keys or dashes stand."""


class NotPlain(Exception):
    """The file is for the reference reader."""


class Plain(NamedTuple):
    """The value of a plain file, and the line (from 1) on which its mapping begins, at the first column."""

    value: dict[str, Any]
    line: int


def read_plainly(text: str) -> Plain | None:
    """The mapping that a plain file holds; None for any other file."""
    if len(text) > LONGEST or _STRANGE.search(text):
        return None
    try:
        return _mapping(text)
    except NotPlain:
        return None


def _mapping(text: str) -> Plain:
    root: dict[str, Any] = {}
    first = 0
    stack: list[_Open] = [(0, root)]
    waiting: tuple[dict[str, Any], str, int] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            if _NOTHING.fullmatch(line):
                continue
            raise NotPlain
        spaces, dash, key, written, item = match.groups()
        indent = len(spaces)
        first = first or number
        if waiting is not None:
            _begin(stack, waiting, indent, [] if dash else {})
            waiting = None
        holding = _holding(stack, indent, is_item=bool(dash))
        if isinstance(holding, dict):
            fields = holding
        elif key is None:
            holding.append(_value(item))
            continue
        else:
            fields, indent = {}, indent + len("- ")
            holding.append(fields)
            stack.append((indent, fields))
        if key is None or key in fields or not isinstance(_scalar(key), str):
            raise NotPlain
        if written is None:
            waiting = fields, key, indent
        else:
            fields[key] = _value(written)
    if waiting is not None or not root:
        raise NotPlain
    return Plain(root, first)


def _begin(
    stack: list[_Open], waiting: tuple[dict[str, Any], str, int], indent: int, below: dict[str, Any] | list[Any]
) -> None:
    """Open the collection that the line after a key without a value begins; items may stand right below the key."""
    holder, key, at = waiting
    if indent < at or (indent == at and isinstance(below, dict)) or len(stack) >= DEEPEST:
        raise NotPlain
    holder[key] = below
    stack.append((indent, below))


def _holding(stack: list[_Open], indent: int, *, is_item: bool) -> dict[str, Any] | list[Any]:
    """The collection to which a line belongs; those that it ends are closed."""
    while stack[-1][0] > indent or (stack[-1][0] == indent and isinstance(stack[-1][1], list) and not is_item):
        stack.pop()
        if not stack:
            raise NotPlain
    at, holding = stack[-1]
    if at != indent or isinstance(holding, list) != is_item:
        raise NotPlain
    return holding


def _value(written: str) -> Any:
    """The value that stands on the line of its key or dash, up to the end of the line."""
    first = written[0]
    if first in "[{":
        value, end = (_list if first == "[" else _braces)(written, 1, 1)
        if not _END.fullmatch(written, end):
            raise NotPlain
        return value
    match = (_QUOTED if first in "\"'" else _PLAIN).fullmatch(written)
    if match is None:
        raise NotPlain
    if first not in "\"'":
        return _scalar(match[1])
    return match[1] if match[2] is None else match[2]


def _list(written: str, at: int, depth: int) -> tuple[list[Any], int]:
    """The list whose items begin at ``at``, and where it ends."""
    items: list[Any] = []
    match = _TOKEN.match(written, at)
    if match is not None and match[1] == "]":
        return items, match.end()
    while True:
        value, at = _item(written, match, depth)
        items.append(value)
        mark, at = _mark(written, at)
        if mark == "]":
            return items, at
        if mark != ",":
            raise NotPlain
        match = _TOKEN.match(written, at)


def _braces(written: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    """The mapping whose keys begin at ``at``, and where it ends."""
    fields: dict[str, Any] = {}
    match = _TOKEN.match(written, at)
    if match is not None and match[1] == "}":
        return fields, match.end()
    while True:
        key = match[2] if match is not None else None
        if match is None or key is None or key in fields or not isinstance(_scalar(key), str):
            raise NotPlain
        fields[key], at = _item(written, _TOKEN.match(written, match.end()), depth)
        mark, at = _mark(written, at)
        if mark == "}":
            return fields, at
        if mark != ",":
            raise NotPlain
        match = _TOKEN.match(written, at)


def _item(written: str, match: re.Match[str] | None, depth: int) -> tuple[Any, int]:
    if match is None or depth == DEEPEST:
        raise NotPlain
    mark, _, double, single, plain = match.groups()
    if plain is not None:
        return _scalar(plain.rstrip(" ")), match.end()
    if double is not None or single is not None:
        return double if single is None else single, match.end()
    if mark not in ("[", "{"):
        raise NotPlain
    return (_list if mark == "[" else _braces)(written, match.end(), depth + 1)


def _mark(written: str, at: int) -> tuple[str, int]:
    match = _TOKEN.match(written, at)
    if match is None or match[1] is None:
        raise NotPlain
    return match[1], match.end()


@lru_cache(maxsize=1 << 14)
def _scalar(text: str) -> Scalar:
    value = resolve(text)
    if isinstance(value, Doubt):
        raise NotPlain
    return value
