"""Text for a terminal: every string that came from outside passes ``safe``, and Chinese takes two columns."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

_OBEYED = re.compile("[\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""What a terminal would obey or hide, beyond what JSON escapes anyway (security rule R30)."""
_BIDI_AND_INVISIBLE = {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF}


def safe(text: str) -> str:
    r"""``text`` with control, bidirectional and invisible characters shown as ``\\x1b``; newline and tab stay (R30)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in "\n\t":
        return character
    code = ord(character)
    if unicodedata.category(character) in ("Cc", "Cs") or code in _BIDI_AND_INVISIBLE:
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return character


def json_text(value: Any) -> str:
    """JSON for people and programs: keys in the order given, Chinese as it is, one final line end."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    # Such characters stand in texts only, where JSON takes an escape for the same character.
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


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
