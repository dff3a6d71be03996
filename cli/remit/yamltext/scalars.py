"""What one plain (unquoted) scalar means, and which characters text may hold.

YAML 1.1 and 1.2 readers disagree on many plain scalars. A value on which they agree is taken, every other one is a
``Doubt``: the author quotes it, and then nobody has to know which reader reads it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

LARGEST_INTEGER = 2**53
"""Beyond it, readers that hold numbers as doubles round."""

Scalar = str | int | float | bool | None


class Doubt(NamedTuple):
    """Why a plain scalar is not taken: a finding code, what is so, and what to write instead."""

    code: str
    message: str
    hint: str


# Control characters but tab and newline, marks that reorder text on the screen (Unicode's Bidi_Control), byte-order
# marks, halves of surrogate pairs, and the two characters that YAML leaves out.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)

_WORDS: dict[str, bool | None] = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False, "null": None,
}  # fmt: skip
_OTHER_TRUTHS = frozenset(["yes", "no", "on", "off", "y", "n"])
_OTHER_NULLS = frozenset(["null", "~"])
_LONGEST_WORD = len("FALSE")
_CAN_START_A_NUMBER = frozenset("0123456789+-.")

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"(?:[-+]?(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
_EXPONENT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+")
_NOT_FINITE = re.compile(r"(?i:[-+]?\.(?:inf|nan))")
_OTHER_NUMBER = re.compile(
    r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"  # 012, 1_000, 1e3
    r"|[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?"  # -.5
    r"|[-+]?0[oObBxX][0-9a-fA-F_]+"
    r"|[-+]?[0-9][0-9_]*(?::[0-9]+)+(?:\.[0-9_]*)?"  # 12:30 is 750 to a 1.1 reader
)
_CALENDAR_LIKE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:(?:[Tt]|[ \t]+)[0-9]{1,2}(?::[0-9]{1,2}){1,2}(?:\.[0-9]*)?(?:[ \t]*(?:[Zz]|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?"
)
_CALENDAR = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?(?:Z|[-+](?:[01][0-9]|2[0-3]):[0-5][0-9]))?"
)
_ANY_NUMBER = re.compile(
    "|".join(one.pattern for one in (_FLOAT, _NOT_FINITE, _EXPONENT, _CALENDAR_LIKE, _OTHER_NUMBER))
)


def resolve(text: str) -> Scalar | Doubt:
    """What the plain scalar ``text`` means to every reader, or why readers would differ."""
    if len(text) > _LONGEST_WORD and text[0] not in _CAN_START_A_NUMBER:
        return text
    if text in _WORDS:
        return _WORDS[text]
    lower = text.lower()
    if lower in _OTHER_TRUTHS:
        return _doubt(text, "is a truth value to some YAML readers and text to others", "or write true or false")
    if lower in _OTHER_NULLS:
        return _doubt(text, "stands for nothing to some readers", "or leave the key out")
    if not text:
        return Doubt("yaml-ambiguous", "Nothing is written here.", 'Leave the key out, or write "", [] or {}.')
    if text in ("=", "<<"):
        return _doubt(text, "has a meaning of its own to some YAML readers")
    return _number(text) if text[0] in _CAN_START_A_NUMBER else text


def forbidden_character(text: str) -> str:
    """The first character of ``text`` that a record may not hold, as ``U+202E``; empty when there is none."""
    if text.isprintable():  # None of them is, and this is quick.
        return ""
    match = _FORBIDDEN.search(text)
    return f"U+{ord(match.group()):04X}" if match else ""


def shown(text: str) -> str:
    """``text`` in quotes, shortened for a message, without characters that could disturb a terminal."""
    short = text if len(text) <= 40 else text[:37] + "..."
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in short) + '"'


def _number(text: str) -> Scalar | Doubt:
    if _INTEGER.fullmatch(text):
        # Length first: Python refuses to convert thousands of digits.
        small = len(text) <= 20 and abs(int(text)) <= LARGEST_INTEGER
        return int(text) if small else _beyond(text)
    if not _ANY_NUMBER.fullmatch(text):
        return text
    if _NOT_FINITE.fullmatch(text):
        return _beyond(text)
    if _FLOAT.fullmatch(text) or _EXPONENT.fullmatch(text):
        return _float(text)
    if _CALENDAR_LIKE.fullmatch(text):
        return _calendar(text)
    if _OTHER_NUMBER.fullmatch(text):
        return _doubt(text, "is one number to some YAML readers, another number or text to others")
    return text


def _float(text: str) -> Scalar | Doubt:
    number = float(text)
    vanished = number == 0 and any(char in "123456789" for char in re.split("[eE]", text)[0])
    if number in (float("inf"), float("-inf")) or vanished:
        return _beyond(text)
    # 1e3 has no point and 1.5e3 no sign: text to a 1.1 reader, a number to a 1.2 reader.
    return number if _FLOAT.fullmatch(text) else _doubt(text, "is a number to some YAML readers and text to others")


def _calendar(text: str) -> str | Doubt:
    """Dates and instants are text, bare too, though a YAML 1.1 reader makes them objects.

    Records are full of them, and their text is the same in every reader that holds JSON types. That is only so for one
    spelling: a real date ``YYYY-MM-DD``, or such a date with ``T``, a time (seconds may be left out) and an offset.
    A date that no calendar has (2026-02-30) crashes some readers; a time without an offset is shifted by others.
    """
    match = _CALENDAR.fullmatch(text)
    if match is None:
        what = "is a time without an offset, or not spelled as RFC 3339"
        return _doubt(text, what, "or with an offset, such as 2026-03-02T09:00:00+08:00")
    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return _doubt(text, "is not a day of the calendar", "or correct the date")
    return text


def _doubt(text: str, what: str, other: str = "") -> Doubt:
    return Doubt("yaml-ambiguous", f"{shown(text)} {what}.", f"Write it in quotes{', ' + other if other else ''}.")


def _beyond(text: str) -> Doubt:
    message = f"{shown(text)} is beyond what every reader holds exactly."
    return Doubt("yaml-number-range", message, "Write it in quotes if it is a code, not a quantity.")
