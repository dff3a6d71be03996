"""The one shape that an applied commit, and each path that it touches, may have.

git takes much that two readers see differently: a second parent line behind the committer, a body in another encoding,
names that differ only in case, links that lead out. None of that is ever applied.

Source: security rules R16, R17.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from remit.sentences import say

LARGEST_BLOB = 1024 * 1024
MOST_PATHS = 100_000
DEEPEST = 8
LONGEST_NAME = 100
"""Bytes of a blob, paths of a change, folders of a path, bytes of a name."""

FILE_MODE = "100644"

_OID = rb"[0-9a-f]{40}(?:[0-9a-f]{24})?"
_WHO = rb"[^\x00-\x1f<>]* <[^\x00-\x20<>]*> [0-9]{1,11} [+-][0-9]{4}"
_HEADERS = re.compile(
    rb"tree " + _OID + rb"\n(?:parent " + _OID + rb"\n)author " + _WHO + rb"\ncommitter " + _WHO + rb"\n"
    rb"(?:gpgsig [^\n\x00]*\n(?: [^\n\x00]*\n)*)?\n"
)  # fmt: skip
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_ODD_MODES = {"120000": "is-link", "160000": "is-submodule"}
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def why_no_plain_commit(raw: bytes) -> str:
    """Why a commit object is not of the one shape; empty when it is.

    The shape: tree, one parent, author, committer, at most one signature, an empty line, UTF-8 text without NUL.
    """
    headers = _HEADERS.match(raw)
    if headers is None:
        return say("proof.odd-header")
    body = raw[headers.end() :]
    if b"\0" in body:
        return say("proof.nul")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return say("proof.not-utf-8")
    return ""


def why_no_plain_path(path: str, mode: str) -> str:
    """Why a changed path may not be there; empty when it may. ``path`` is relative to the store."""
    names = path.split("/")
    if mode != FILE_MODE:
        return say(f"proof.{_ODD_MODES.get(mode, 'is-executable')}")
    if len(names) > DEEPEST:
        return say("proof.too-deep", most=DEEPEST)
    return next((why for name in names if (why := _why_no_plain_name(name))), "")


def _why_no_plain_name(name: str) -> str:
    if not name or len(name.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        return say("proof.name-length", most=LONGEST_NAME)
    if name[0] in ".-" or name[-1] in ". " or name[0] == " ":
        return say("proof.name-ends")
    if any(sign in name for sign in '\\:*?"<>|'):
        return say("proof.name-character")
    if any(unicodedata.category(sign) in _HIDDEN for sign in name) or unicodedata.normalize("NFC", name) != name:
        return say("proof.name-hidden")
    return say("proof.name-reserved") if _RESERVED.fullmatch(name) else ""


def with_folders(paths: Iterable[str]) -> set[str]:
    """The paths and every folder above one of them."""
    found: set[str] = set()
    for path in paths:
        while path and path not in found:
            found.add(path)
            path = path.rpartition("/")[0]
    return found


def twins(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Paths that some readers would take for the same: equal but for case or the way characters are composed."""
    seen: dict[str, str] = {}
    found = []
    for path in sorted(paths):
        alike = path.lower() if path.isascii() else unicodedata.normalize("NFKC", path).casefold()
        first = seen.setdefault(alike, path)
        if first != path:
            found.append((first, path))
    return found
