"""Bad input that looks for its own way: one reader under atheris, which sees what parts of Remit an input reaches.

    python -m torture.atheris_run YAML 600 FOLDER

The questions are those of ``fuzz``; the bytes are libFuzzer's, and begin with well-formed ones. What it finds worth
keeping stays in FOLDER, with the input that broke something, if any did.

Source: security, B6.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import atheris

with atheris.instrument_imports(include=["remit"]):
    from torture import fuzz
from agreement import condition_text

SUFFIXES = (".csv", ".json", ".jsonl", ".ndjson")
ROWS = (
    'id,a,"b c"\n1,x,"y ""z"""\n2,静,\n'.encode(),
    b'[{"id": "1", "a": "x"}, {"id": "2", "@type": "TroubleTicket", "creationDate": "2026-01-01T00:00:00Z"}]',
    b'{"id": "1", "a": "x"}\n{"kind": "A", "id": "2", "a": ["\\u9759", 1.5e3, null]}\n',
    b'{"eventId": "1", "event": {"troubleTicket": {"id": "1"}}}\n[{"op": "add", "path": "/a"}]\n',
)


class Reader(NamedTuple):
    """A target of ``fuzz``: how bytes become its input, and well-formed bytes to begin with."""

    input_of: Callable[[bytes], Any]
    seeds: tuple[bytes, ...]


def text(data: bytes) -> str:
    """Any text; what is no UTF-8 is replaced."""
    return data.decode("utf-8", "replace")


def feed(data: bytes) -> tuple[bytes, str, bool, str | None]:
    """The first byte says what kind of feed the others are."""
    kind, rest = (data[0], data[1:]) if data else (0, b"")
    return rest, SUFFIXES[kind % 4], bool(kind & 4), "A" if kind & 8 else None


READERS = {
    "YAML": Reader(text, tuple(one.encode() for one in fuzz.RECORDS)),
    "records": Reader(text, tuple(one.encode() for one in fuzz.RECORDS)),
    "conditions": Reader(text, tuple(condition_text(Random(n)).encode() for n in range(200))),
    "feeds": Reader(feed, tuple(bytes([kind]) + one for kind in range(16) for one in ROWS)),
    "schemas": Reader(bytes, tuple(fuzz.SCHEMAS.values())),
    "JSON": Reader(bytes, (fuzz.JSON,)),
}
"""What reads the most of what strangers write."""


def run(name: str, seconds: int, folder: Path) -> None:
    """Look for so long; libFuzzer ends the process, with an exit code other than 0 when something broke."""
    reader, ask = READERS[name], fuzz.TARGETS[name].ask
    for number, seed in enumerate(reader.seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-timeout=120", "-print_final_stats=1"]
    words = [sys.argv[0], *options, f"-artifact_prefix={folder}/", str(folder)]
    atheris.Setup(words, lambda data: ask(reader.input_of(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
