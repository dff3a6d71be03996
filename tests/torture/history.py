"""What clients were told: every operation is written down before it starts and after it ended.

An operation without an end is one whose outcome its client does not know.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from remit.errors import UserError

Told = Literal["done", "failed", "unknown"]


@dataclass
class Operation:
    """One thing that a client asked for.

    Attributes:
        verb: ``propose``, ``approve`` or ``apply``.
        change: Its id; of a proposal empty until it is known.
        person: Who asked.
        told: How it ended, as far as the client knows.
        sha: What it was told: the commit of a change, of a posted approval, or of the protected branch.
        tries: How often it was tried.
        seconds: How long it took, tries included.
        why: The words of the last failure.
    """

    verb: str
    change: str
    person: str
    told: Told = "unknown"
    sha: str = ""
    tries: int = 1
    seconds: float = 0.0
    why: str = ""


class Recorder:
    """Writes operations to a file of its own, so that a killed client leaves what it had asked for."""

    def __init__(self, path: Path) -> None:
        self._path, self._count = path, 0

    @contextmanager
    def operation(self, verb: str, change: str, person: str) -> Iterator[Operation]:
        """Write down that it was asked, and at the end how it ended; what it may raise is told and swallowed."""
        self._count += 1
        one, key, start = Operation(verb, change, person), f"{os.getpid()}.{self._count}", time.monotonic()
        self._write(key, one)
        try:
            yield one
            one.told = "done"
        except UserError as error:
            one.told, one.why = "failed", error.message
        one.seconds = time.monotonic() - start
        self._write(key, one)

    def _write(self, key: str, one: Operation) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, one.__dict__], ensure_ascii=False) + "\n")


def read_histories(paths: Iterable[Path]) -> list[Operation]:
    """The operations of several clients; of each its last line counts."""
    found: dict[str, Operation] = {}
    for path in sorted(paths):
        for line in path.read_text(encoding="utf-8").splitlines():
            key, fields = json.loads(line)
            found[f"{path.name}:{key}"] = Operation(**fields)
    return list(found.values())
