"""Quick reading of plainly written files: one line a key, scalars that mean the same to every reader, nothing clever.

What is given is what ``reading.read`` would give; None says nothing but that the file is to be read there. Files are
plain as most people write them: keys of letters, digits, ``-`` and ``_``, values on the line of their key, lists by
``- ``, brackets and braces that close on their line, quotes without escapes, whole-line and trailing comments.

Records of one kind are alike line by line, so what a line says is kept for other files that have it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from remit.yamltext.scalars import Doubt, Scalar, resolve

LONGEST = 20_000
"""Characters; a character stands for two events at most, so no limit of ``reading`` is near."""
DEEPEST = 12
MOST_KEPT, LONGEST_KEPT = 1 << 14, 200
"""How many pieces of text are kept with what they say, and of how many characters."""

# Letters, digits, punctuation and CJK: nothing that is invisible, turns the text round or ends a line.
_STRANGE = re.compile(
    "[^\n\x20-\x7e\xa1-\xac\xae-\u0377\u2010-\u2027\u2030-\u205e\u2190-\u22ff\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff"
    "\uff01-\uffee]"
)
# Possessive quantifiers: time is linear in the length of a line, whatever it holds.
_NAME = r"[A-Za-z_][A-Za-z0-9_-]{0,99}"
_FIRST = r"(?:[A-Za-z0-9_/.+(]|[^\x00-\xa0]|-(?=[0-9A-Za-z]))"
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


# Most values that nobody wrote before: text of which no reader makes anything else, and small whole numbers.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_/.-]{5,}+")
_SMALL = re.compile(r"[1-9][0-9]{0,14}+")
_HEAD = re.compile(rf"( *+)(- )?({_NAME})")

# What stands between the commas of braces and brackets that hold nothing but scalars; no comma is in them.
_ITEM = re.compile(rf"\"([^\"\\,]*+)\"|'([^',]*+)'|({_FIRST}(?:[^:#?,\[\]{{}}\"']|(?<=[0-9]):(?=[0-9]))*+)")

_BELOW: Any = object()
"""The value of a key whose value begins on the next line."""

_Open = tuple[int, dict[str, Any] | list[Any]]
"""A collection that is being filled, and where its keys or dashes stand."""

_Line = tuple[int, str | None, Any, Callable[[], Any] | None]
"""Where a line stands, its key, and its value, or how to make the value anew each time.

Where it stands is twice its column, and one more when it has a dash.
"""

_NOWHERE = -1


class NotPlain(Exception):
    """The file is for the reference reader."""


class Plain(NamedTuple):
    """The value of a plain file, and the line (from 1) on which its mapping begins, at the first column."""

    value: dict[str, Any]
    line: int


def read_plainly(text: str) -> Plain | None:
    """The mapping that a plain file holds; None for any other file."""
    if len(text) > LONGEST:
        return None
    try:
        return _mapping(text)
    except NotPlain:
        return None


# --- layout ----------------------------------------------------------------------------------------------------------


def _mapping(text: str) -> Plain:
    root: dict[str, Any] = {}
    lines = list(map(_LINES.__getitem__, text.split("\n")))
    stack: list[_Open] = [(0, root)]
    at = 0
    holding: Any = root
    waiting: tuple[int, Any] | None = None
    for line in lines:
        if line is None:
            continue
        where, key, value, fresh = line
        if where != at:
            if waiting is None:
                holding = _holding(stack, where)
            else:
                below: dict[str, Any] | list[Any] = [] if where & 1 else {}
                if where <= waiting[0] or len(stack) >= DEEPEST:
                    raise NotPlain
                holding[waiting[1]] = below
                waiting = None
                stack.append((where, below))
                holding = below
            at = where
        if where & 1:
            if key is None:
                holding.append(value if fresh is None else fresh())
                continue
            fields: dict[str, Any] = {}
            holding.append(fields)
            at, holding = where - 1 + 2 * len("- "), fields
            stack.append((at, fields))
        if key in holding:
            raise NotPlain
        if fresh is None:
            holding[key] = value
        elif value is _BELOW:
            waiting, at = (at, key), _NOWHERE
        else:
            holding[key] = fresh()
    if waiting is not None or not root:
        raise NotPlain
    return Plain(root, next(number for number, line in enumerate(lines, 1) if line is not None))


def _holding(stack: list[_Open], where: int) -> dict[str, Any] | list[Any]:
    """The collection to which a line belongs; those that it ends are closed."""
    while stack[-1][0] > where:
        stack.pop()
    at, holding = stack[-1]
    if at != where:
        raise NotPlain
    return holding


# --- lines -----------------------------------------------------------------------------------------------------------


class _Memo(dict[str, Any]):
    """What ``make`` says of a piece of text, kept from the second time on: most names and numbers come but once."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self._make = make
        self._once: set[int] = set()

    def __missing__(self, written: str) -> Any:
        said = self._make(written)
        mark = hash(written)
        if mark not in self._once:
            if len(self._once) >= MOST_KEPT:
                self._once.clear()
            self._once.add(mark)
        elif len(written) <= LONGEST_KEPT:
            if len(self) >= MOST_KEPT:
                self.clear()
            self[written] = said
        return said


def _line(written: str) -> _Line | None:
    """What a line says; None for one that says nothing."""
    if not (written.isascii() and written.isprintable()) and _STRANGE.search(written):
        raise NotPlain
    head, _, said = written.partition(": ")
    if said and said[0] not in " #" and (known := _HEADS[head]) is not None:
        return *known, *_value(said)
    match = _LINE.fullmatch(written)
    if match is None:
        if _NOTHING.fullmatch(written):
            return None
        raise NotPlain
    spaces, dash, key, after, item = match.groups()
    if key is not None and not isinstance(_scalar(key), str):
        raise NotPlain
    said = after if key is not None else item
    return 2 * len(spaces) + (dash is not None), key, *((_BELOW, dict) if said is None else _value(said))


def _head(written: str) -> tuple[int, str] | None:
    """What stands before ``: `` when that is a key, and where it stands."""
    match = _HEAD.fullmatch(written)
    if match is None or not isinstance(_scalar(match[3]), str):
        return None
    return 2 * len(match[1]) + (match[2] is not None), match[3]


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _value(written: str) -> tuple[Any, Callable[[], Any] | None]:
    """The value that stands on the line of its key or dash, up to the end of the line, and how to make it anew."""
    first = written[0]
    if first in "[{":
        flat = _flat(written)
        if flat is not None:
            return flat, flat.copy
        nested = _nested(written)
        return nested, partial(_copied, nested)
    if _WORD.fullmatch(written):
        return written, None
    match = (_QUOTED if first in "\"'" else _PLAIN).fullmatch(written)
    if match is None:
        raise NotPlain
    if first not in "\"'":
        return _scalar(match[1]), None
    return match[1] if match[2] is None else match[2], None


# --- brackets and braces ---------------------------------------------------------------------------------------------


def _flat(written: str) -> dict[str, Any] | list[Any] | None:
    """What brackets or braces hold when that is scalars with ``, `` between; None to look more closely."""
    pieces = written[1:-1].split(", ")
    try:
        if written[-1] == "]":
            return list(map(_ITEMS.__getitem__, pieces))
        fields = dict(map(_PAIRS.__getitem__, pieces))
    except NotPlain:
        return None
    return fields if written[-1] == "}" and len(fields) == len(pieces) else None


def _flat_item(written: str) -> Scalar:
    if _WORD.fullmatch(written):
        return written
    if _SMALL.fullmatch(written):
        return int(written)
    match = _ITEM.fullmatch(written)
    if match is None:
        raise NotPlain
    double, single, plain = match.groups()
    if plain is None:
        return double if single is None else single
    return _scalar(plain.rstrip(" "))


def _flat_pair(written: str) -> tuple[str, Scalar]:
    key, colon, value = written.partition(": ")
    known = _HEADS[key] if colon else None
    if known is None or known[0] != 0:
        raise NotPlain
    return key, _flat_item(value)


def _nested(written: str) -> dict[str, Any] | list[Any]:
    """What brackets or braces hold."""
    value, end = (_list if written[0] == "[" else _braces)(written, 1, 1)
    if not _END.fullmatch(written, end):
        raise NotPlain
    return value


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


def _scalar(text: str) -> Scalar:
    value = resolve(text)
    if isinstance(value, Doubt):
        raise NotPlain
    return value


_LINES, _HEADS, _PAIRS, _ITEMS = _Memo(_line), _Memo(_head), _Memo(_flat_pair), _Memo(_flat_item)
