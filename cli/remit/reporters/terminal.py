"""Text for a terminal: every string that came from outside passes ``safe``, and Chinese takes two columns."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

_OBEYED = re.compile("[\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""What a terminal would obey or hide, beyond what JSON escapes anyway (security rule R30)."""

_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0xE0100, 0xE01F0)}
"""What takes no ink and is not among the control and format characters."""

_LIKE_LATIN = frozenset("АВЕЅІЈКМНОРСТХУԌԚԜаеѕіјкмнорстхуһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧονκ")
"""Cyrillic and Greek letters that look like Latin ones."""

_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile("[A-Za-z]")


def safe(text: str) -> str:
    r"""``text`` with what a terminal obeys, hides or shows as something else as ``\\x1b``; newline and tab stay.

    That is control, bidirectional and invisible characters, and letters in a Latin word that only look Latin.

    Source: security rules R8, R30.
    """
    if text.isascii() and text.isprintable():
        return text
    if not _LIKE_LATIN.isdisjoint(text):
        text = _WORD.sub(lambda word: _unmixed(word[0]) if _LATIN.search(word[0]) else word[0], text)
    return "".join(_visible(character) for character in text)


def _unmixed(word: str) -> str:
    return "".join(_escaped(letter) if letter in _LIKE_LATIN else letter for letter in word)


def _visible(character: str) -> str:
    if character in "\n\t":
        return character
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") or ord(character) in _INVISIBLE
    return _escaped(character) if hidden else character


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def json_text(value: Any) -> str:
    """JSON for people and programs: keys in the order given, Chinese as it is, one final line end."""
    return _disobeyed(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def json_line(value: Any) -> str:
    """The same on one line, without its end."""
    return _disobeyed(json.dumps(value, ensure_ascii=False))


def _disobeyed(text: str) -> str:
    # Such characters stand in texts only, where JSON takes an escape for the same character.
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def width(text: str) -> int:
    """How many columns ``text`` takes: two for a wide character, none for a combining one."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, columns: int) -> str:
    """``text`` with spaces behind it up to ``columns``."""
    return text + " " * max(0, columns - width(text))


_BREAKS = " ，、；。：）"


def folded(line: str, columns: int) -> list[str]:
    """``line`` in pieces of at most ``columns``, cut behind a space or a Chinese sign where there is one; the later
    pieces are set in by four more."""
    indent = len(line) - len(line.lstrip(" ")) + 4
    pieces: list[str] = []
    rest = line
    while width(rest) > columns:
        most = next(n for n in range(len(rest), 0, -1) if width(rest[:n]) <= columns)
        least = indent if pieces else indent - 4
        cut = next((n for n in range(most, least + 1, -1) if rest[n - 1] in _BREAKS), most)
        pieces.append(rest[:cut].rstrip())
        rest = " " * indent + rest[cut:].lstrip()
    return [*pieces, rest]


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Rows under one another in aligned columns, two spaces apart; the last column is not padded."""
    lines = [[safe(cell).replace("\n", " ") for cell in row] for row in ([head] if head else [])] + [
        [safe(cell).replace("\n", " ") for cell in row] for row in rows
    ]
    if not lines:
        return ""
    widths = [max(width(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(padded(c, w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def plural(number: int, word: str, words: str = "") -> str:
    """``1 finding``, ``2 findings``."""
    return f"{number} {word if number == 1 else words or word + 's'}"
