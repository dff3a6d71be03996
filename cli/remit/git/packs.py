"""Objects as one pack, so that one git writes many of every kind at once.

Source: git's gitformat-pack(5).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from struct import Struct

_KINDS = {"commit": 1, "tree": 2, "blob": 3}
_HEADER = Struct(">4sII")
_VERSION = 2


def pack(objects: Sequence[tuple[str, bytes]], algorithm: str) -> bytes:
    """A pack of whole objects, each its kind and its content, for a repository whose ids are of ``algorithm``.

    Nothing is made smaller: whoever reads the pack writes the objects as it sees fit.
    """
    parts = [_HEADER.pack(b"PACK", _VERSION, len(objects))]
    for kind, data in objects:
        parts += [_head(_KINDS[kind], len(data)), zlib.compress(data, 0)]
    body = b"".join(parts)
    return body + hashlib.new(algorithm, body, usedforsecurity=False).digest()


def _head(kind: int, size: int) -> bytes:
    """Kind and size: four bits of the size, then seven in each byte, the lowest first."""
    found, rest = [kind << 4 | size & 0x0F], size >> 4
    while rest:
        found[-1] |= 0x80
        found.append(rest & 0x7F)
        rest >>= 7
    return bytes(found)
