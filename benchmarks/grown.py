"""Stores of any size for the measurements: the example, with as many customers more as asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from remit.pack import pack_files

PATTERN = "records/customers/harbour-bank.yaml"
"""The customer of which the others are copies, under names of their own."""

AUTHOR = {"user.name": "chen-jing", "user.email": "chen-jing@southbay.example.invalid"}
SETTINGS = {**AUTHOR, "commit.gpgsign": "false", "gc.auto": "0"}


def grown_files(customers: int) -> dict[str, bytes]:
    """The files of the example with so many customers more."""
    files = dict(pack_files())
    before, _, after = files[PATTERN].partition(b"name: harbour-bank")
    for number in range(customers):
        name = f"customer-{number:06d}"
        files[f"records/customers/{name}.yaml"] = before + f"name: {name}".encode() + after
    return files


def grow(root: Path, customers: int) -> int:
    """Write that store to a new folder, committed and packed; how many files it has."""
    files = grown_files(customers)
    for folder in {os.path.dirname(path) for path in files}:  # noqa: PTH120 - many
        (root / folder).mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        (root / path).write_bytes(data)
    git(root, "init", "--quiet", "--initial-branch=main")
    for key, value in SETTINGS.items():
        git(root, "config", key, value)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "begin")
    git(root, "repack", "--quiet", "-a", "-d")
    return len(files)


def git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    """Run git; what it printed."""
    done = subprocess.run(["git", *words], cwd=folder, input=stdin, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(words)}: {done.stderr.decode()}")
    return done.stdout.decode().strip()
