"""The bytes between git and us: names and objects as git writes them, and what may be said to git."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone

from remit.errors import GitError
from remit.git.values import Commit

HEX = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REF = re.compile(r"refs(/[^/\x00-\x20\x7f~^:?*\[\\]+)+")


def decode(data: bytes) -> str:
    """Text as git wrote it; bytes that are no UTF-8 survive the way back."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The inverse of ``decode``."""
    return text.encode("utf-8", "surrogateescape")


def lines(names: Iterable[str]) -> bytes:
    """One name a line, as git reads them."""
    return encode("".join(f"{name}\n" for name in names))


def records(data: bytes) -> list[bytes]:
    """The records of an answer to ``-z``."""
    return [row for row in data.split(b"\0") if row]


def parse_tree(raw: bytes, size: int) -> dict[str, tuple[str, str]]:
    """Mode and id by name, of a raw tree whose ids are ``size`` bytes long."""
    entries, at = {}, 0
    while at < len(raw):
        end = raw.index(b"\0", at)
        mode, _, name = raw[at:end].partition(b" ")
        entries[decode(name)] = (mode.decode(), raw[end + 1 : end + 1 + size].hex())
        at = end + 1 + size
    return entries


def parse_commit(sha: str, raw: bytes) -> Commit:
    """The raw commit ``raw``; what cannot be read as text or time is replaced, never an error."""
    head, _, body = raw.partition(b"\n\n")
    headers: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        key, _, value = line.partition(" ")
        headers.setdefault(key, []).append(value)
    author, email, when = _person(headers["author"][0])
    committer, committer_email, committed = _person(headers["committer"][0])
    message = body.decode("utf-8", "replace")
    parents = tuple(headers.get("parent", []))
    return Commit(sha, headers["tree"][0], parents, author, email, when, message, committer, committer_email, committed)


def _person(text: str) -> tuple[str, str, datetime]:
    name, _, rest = text.partition("<")
    email, _, stamp = rest.rpartition(">")
    return name.strip(), email.strip(), _instant(stamp.split())


def _instant(parts: Sequence[str]) -> datetime:
    # Anybody can write any number here; a nonsensical one must not stop the reading.
    try:
        seconds, zone = int(parts[0]), parts[1]
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[0] == "-" else 1)
        return datetime.fromtimestamp(seconds, timezone(offset))
    except (IndexError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def stamp(when: datetime) -> str:
    """``when`` as git takes it: seconds since 1970, and the offset. A naive one is a ``ValueError``."""
    if when.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return f"@{int(when.timestamp())} {when.strftime('%z')[:5]}"


# -- what may be said to git


def check_oid(oid: str) -> str:
    """``oid`` when it is a full object id; ``GitError`` otherwise."""
    if not HEX.fullmatch(oid):
        raise GitError(f'"{oid}" is not a full object id')
    return oid


def check_ref(ref: str) -> str:
    """``ref`` when it is the full name of a ref; ``GitError`` otherwise."""
    odd = any(part.startswith(".") or part.endswith((".", ".lock")) for part in ref.split("/"))
    if not _REF.fullmatch(ref) or odd or ".." in ref or "@{" in ref:
        raise GitError(f'"{ref}" is not the name of a ref')
    return ref


def check_path(path: str) -> str:
    """``path`` when a tree may hold it; ``GitError`` otherwise."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) or any(ord(c) < 0x20 for c in path):
        raise GitError(f'"{path}" is not a path that a tree may hold')
    return path
