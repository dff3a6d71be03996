"""Stores of any size for the measurements: the example, with as many customers more as asked for."""

from __future__ import annotations

import os
import shutil
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
        path = customer_path(number)
        files[path] = before + f"name: {Path(path).stem}".encode() + after
    return files


def customer_path(number: int) -> str:
    """The file of a customer by its number, from 0."""
    return f"records/customers/customer-{number:06d}.yaml"


def store_of(folder: Path, customers: int) -> Path:
    """That store below a folder, in which nobody has to approve; made when it is not there."""
    root, draft = folder / str(customers), folder / f"{customers}.draft"
    if not root.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
        grow(draft, customers)
        shutil.rmtree(draft / "rules" / "approval")
        git(draft, "add", "--all")
        git(draft, "commit", "--quiet", "-m", "nobody has to approve")
        draft.rename(root)
    return root


def copied(store: Path, to: Path) -> None:
    """A copy of a store, of which the index of git knows the files."""
    to.parent.mkdir(parents=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(store), str(to)], check=True)
    git(to, "update-index", "-q", "--refresh")


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
