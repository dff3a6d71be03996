"""What Remit remembers between runs, in the git folder of a store: safe to delete, and never believed blindly.

Every entry carries an authentication code over its name and content, made with a secret of the user's. An entry that is
cut short, altered, put under another name or made by somebody else (a repository may come from anywhere) is no entry.
Entries are replaced whole, so processes may read and write at the same time. What cannot be kept is forgotten.

Source: design section 11, points 1 and 7; security rule R18.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from remit.store import Store, write_whole

_SECRET_BYTES = 32
_CODE = "sha256"
_CODE_BYTES = 32


class Memory:
    """Named entries of bytes in one folder."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._folder, self._secret = folder, secret

    def recall(self, name: str) -> bytes | None:
        """The entry as it was kept; None when there is none that can be believed."""
        try:
            data = self._path(name).read_bytes()
        except OSError:
            return None
        code, content = data[:_CODE_BYTES], data[_CODE_BYTES:]
        return content if hmac.compare_digest(code, self._code(name, content)) else None

    def now(self) -> int:
        """The time by the clock of the disk, or of the machine when that is behind: nanoseconds since 1970."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=".", dir=self._folder)
            try:
                return min(os.fstat(handle).st_mtime_ns, time.time_ns())
            finally:
                os.close(handle)
                Path(draft).unlink(missing_ok=True)
        return 0

    def keep(self, name: str, content: bytes) -> None:
        """Put an entry in place of what was there; where that cannot be, nothing happens."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=".", dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(self._code(name, content) + content)
                Path(draft).replace(self._path(name))
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise

    def _path(self, name: str) -> Path:
        return self._folder / hmac.digest(self._secret, name.encode(), _CODE).hex()[:40]

    def _code(self, name: str, content: bytes) -> bytes:
        return hmac.digest(self._secret, name.encode() + b"\0" + content, _CODE)


def memory_of(store: Store) -> Memory | None:
    """The memory of a store; None where nothing can be remembered: outside git, and for a user without a home."""
    if store.git_dir is None:
        return None
    folder = store.git_dir / "remit"
    secret = _secret()
    if secret is None or folder.is_symlink() or (folder / "cache").is_symlink():
        return None
    return Memory(folder / "cache", secret)


def _secret() -> bytes | None:
    """What only the user's own processes know; made when it is first needed."""
    with suppress(OSError, RuntimeError):
        path = Path.home() / ".cache" / "remit" / "secret"
        if not path.is_file() or path.stat().st_size != _SECRET_BYTES:
            write_whole(path, secrets.token_bytes(_SECRET_BYTES), mode=0o600)
        return path.read_bytes()
    return None


def packed(head: Mapping[str, Any], columns: Sequence[bytes]) -> bytes:
    """Values and columns as one entry, under the name of the program that says so."""
    lengths = {"columns": [len(column) for column in columns]}
    return b"\n".join((program().encode(), json.dumps({**head, **lengths}).encode(), b"".join(columns)))


def unpacked(data: bytes | None) -> tuple[dict[str, Any], list[bytes]] | None:
    """Values and columns of an entry; None for one of another program."""
    own = program().encode() + b"\n"
    if data is None or not data.startswith(own):
        return None
    end = data.index(b"\n", len(own))
    head, at, columns = json.loads(data[len(own) : end]), end + 1, []
    for length in head["columns"]:
        columns.append(data[at : at + length])
        at += length
    return head, columns


@cache
def program() -> str:
    """What decides what a run says beside the store: Remit's own files, Python, and what is installed beside it."""
    said = hashlib.sha256(sys.version.encode())
    root = os.path.dirname(__file__)  # noqa: PTH120 - asked at every start, and three hundred files
    inside = (f"{folder}/{name}" for folder, _, names in os.walk(root) for name in names if name.endswith(".py"))
    for path in sorted(inside):
        with open(path, "rb") as file:  # noqa: PTH123
            said.update(path.removeprefix(root).encode() + b"\0" + hashlib.sha256(file.read()).digest())
    # The names of these folders tell names and versions; reading what is in them takes longer than all the rest.
    installed = {name for folder in sys.path for name in _listed(folder) if name.endswith((".dist-info", ".egg-info"))}
    said.update("\n".join(sorted(installed)).encode())
    return said.hexdigest()


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []
