"""Feeds of strangers: each is read or refused in bounded time and memory, in a process of its own.

This file, run as a program, is the parent of these processes; what they share is imported once.

Source: the catalogue of security, section 3.3: B2, B3.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from approval_store import texts
from conftest import write_files

SECONDS = 20
MEMORY = 400 * 2**20
TEN_MB = 10 * 2**20
GROWN: dict[str, bytes] = {
    "a scalar of ten megabytes.jsonl": b'{"id": "' + b"x" * TEN_MB + b'"}\n',
    "a number of ten megabytes.jsonl": b'{"id": ' + b"9" * TEN_MB + b"}\n",
    "lists that never close.jsonl": b"[" * TEN_MB,
    "a line of braces.jsonl": b'{"a":' * (TEN_MB // 5),
    "empty lines.jsonl": b"\n" * TEN_MB,
    "no row that is one.jsonl": b"x\n" * 20_000,
    "a scalar of ten megabytes.json": b'{"id": "' + b"x" * TEN_MB + b'"}',
    "lists that never close.json": b"[" * TEN_MB,
    "lists that close.json": b"[" * (TEN_MB // 2) + b"]" * (TEN_MB // 2),
    "one key again and again.json": b"{" + b'"a":1,' * 1_000_000 + b'"b":1}',
    "a ticket that is deep.json": b'[{"@type":"TroubleTicket","id":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "a ticket of ten megabytes.json": b'[{"@type":"TroubleTicket","id":"1","name":"' + b"x" * TEN_MB + b'"}]',
    "notes without end.json": b'[{"@type":"TroubleTicket","id":"1","note":[' + b'{"text":"a"},' * 400_000,
    "a cell of ten megabytes.csv": b"id,title\n1," + b"x" * TEN_MB + b"\n",
    "a quote that never closes.csv": b'id,title\n1,"' + b"x\n" * 20_000,
    "a header of a million columns.csv": b"id," + b"a," * 1_000_000 + b"b\n1\n",
    "rows of commas.csv": b"id,title\n" + b"," * TEN_MB,
    "NUL bytes.csv": b"id,title\n" + b"\0" * TEN_MB,
    "UTF-16.csv": ("id,title\n" + "1,x\n" * 100_000).encode("utf-16"),
    "a map that refers to itself.yaml": b"a: &a [*a, *a]\n",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of each feed: the status of its process, its seconds, and the codes of what was found."""
    if sys.platform != "linux":
        pytest.skip("the memory of a process can be limited on Linux only")
    folder = tmp_path_factory.mktemp("feeds")
    write_files(folder / "store", texts())
    for name, data in GROWN.items():
        (folder / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, __file__, str(folder)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    answers: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("name", GROWN)
def test_a_feed_is_read_or_refused_in_bounded_time_and_memory(outcomes: dict[str, dict[str, Any]], name: str) -> None:
    outcome = outcomes[name]

    assert outcome["status"] == 0 and outcome["code"] in (0, 1, 2), outcome
    assert outcome["seconds"] < SECONDS, outcome
    assert outcome["refused"] or name.startswith("empty lines"), outcome


def run_apart(folder: Path, name: str, limit: int) -> dict[str, Any]:
    """What ``remit facts`` makes of a feed in a process that may use ``limit`` bytes of memory."""
    from remit.main import main

    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CPU, (2 * SECONDS, 2 * SECONDS))
        said = folder / "said"
        feed = str(folder / name)
        words = ["--map", feed, str(folder / "UTF-16.csv")] if name.endswith(".yaml") else [f"TroubleTicket={feed}"]
        with said.open("w") as sys.stdout, Path(os.devnull).open("w") as sys.stderr:
            code = main(["--store", str(folder / "store"), "facts", *words, "--format", "json"])
        spent, body = time.process_time(), json.loads(said.read_text() or "{}") if code < 2 else {}
        counts = [(one["rows"], one["accepted"], one["rejected"]) for one in body.get("sources", ())]
        whole = all(rows == bad and not good for rows, good, bad in counts)
        refused = code == 2 or (whole and bool(body["findings"]))
        answer = {"code": code, "counts": counts, "refused": refused, "seconds": spent}
        os.write(into, json.dumps(answer).encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as stream:
        said_back = stream.read()
    return {"status": os.waitpid(child, 0)[1], **json.loads(said_back or '{"code": null}')}


def main_program(folder: Path) -> None:
    from remit.main import main

    with Path(os.devnull).open("w") as nothing:
        sys.stdout, kept = nothing, sys.stdout
        main(["--store", str(folder / "store"), "facts"])  # so that everything is imported
        sys.stdout = kept
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    json.dump({name: run_apart(folder, name, limit) for name in GROWN}, sys.stdout)


if __name__ == "__main__":
    main_program(Path(sys.argv[1]))
