"""Measures what an origin that guards itself costs: a push of one changed record into a store of many.

In one run, on the same machine: the push of an approved and signed change to an origin with its hooks, and the push of
the very same commit to a bare repository without any. Run it with `python benchmarks/push.py --records 10000`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.changing import applying
from remit.changing.proposing import propose_files
from remit.changing.reviewing import approve
from remit.changing.targets import Target
from remit.judging import PolicyJudge
from remit.origins import init
from remit.pack import pack_files
from remit.signing import signing
from remit.starting import write_store
from remit.store import Store
from remit.yamltext import Edit, edit

BANK = "records/customers/harbour-bank.yaml"
AUTHOR, APPROVER, GOVERNOR = "chen-jing", "liu-fang", "su-min"
"""Who writes, who approves of what customers are, and who approves of people."""


def main() -> int:
    """Print seconds and ratio, or with --json the same for a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000, help="customers beside those of the example")
    parser.add_argument("--rounds", type=int, default=5, help="how often it is pushed; the median counts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
        figures = measure(Path(folder), options.records, options.rounds)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        print(f"a push of one record into {figures['records']} records: {figures['guarded']:.2f} s with the hooks,")
        print(f"{figures['plain']:.2f} s without any; ratio {figures['guarded'] / figures['plain']:.1f}")
    return 0


def measure(folder: Path, records: int, rounds: int) -> dict[str, float]:
    """Median seconds of a push with hooks and without, and how many records the store has."""
    os.environ["HOME"] = str(folder)
    root = folder / "store"
    count = prepare(root, records)
    store = Store.open(root)
    init(store, folder / "origin.git")
    git(folder, "clone", "--quiet", "--bare", str(root), "plain.git")
    git(root, "remote", "add", "origin", str(folder / "origin.git"))
    commit = applied_here(root)
    guarded, plain = [], []
    for _ in range(rounds):
        for name, seconds in (("origin.git", guarded), ("plain.git", plain)):
            copy = folder / f"copy-{name}"
            shutil.copytree(folder / name, copy)
            if name == "origin.git":
                git(root, "push", "--quiet", str(copy), "refs/heads/change/*")
            begun = time.perf_counter()
            git(root, "push", "--quiet", str(copy), f"{commit}:refs/heads/main")
            seconds.append(time.perf_counter() - begun)
            assert git(copy, "rev-parse", "main") == commit
            shutil.rmtree(copy)
    return {"records": count, "guarded": statistics.median(guarded), "plain": statistics.median(plain)}


def prepare(root: Path, records: int) -> int:
    """The example with as many customers more, in which three people have keys; how many records there are."""
    files = dict(pack_files())
    for number in range(records):
        name = f"customer-{number:06d}"
        files[f"records/customers/{name}.yaml"] = files[BANK].replace(
            b"name: harbour-bank", f"name: {name}".encode(), 1
        )
    for person in (AUTHOR, APPROVER, GOVERNOR):
        private = Ed25519PrivateKey.generate()
        key = root.parent / person
        pem = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
        key.write_bytes(pem)
        key.chmod(0o600)
        public = private.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()
        key.with_suffix(".pub").write_text(f"{public}\n")
        path = f"records/people/{person}.yaml"
        files[path] = edit(files[path], [Edit(("spec", "keys"), [{"key": public}])])
    write_store(root, files, lambda draft: None)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "gc.auto", "0")
    be(root, AUTHOR)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "begin")
    return sum(1 for path in files if path.startswith("records/"))


def applied_here(root: Path) -> str:
    """An approved change as the commit that would go on the protected branch; nothing is pushed but the change."""
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    store = Store.open(root)
    new = edit((root / BANK).read_bytes(), [Edit(("spec", "importanceScore"), 7)])
    change = propose_files(store, {BANK: new}, "One record", at=now, sign=signing(store.in_git()))
    be(root, APPROVER)
    approve(store, change.id, at=now, sign=signing(store.in_git()))
    written: list[str] = []

    def kept(aim: Target, moves: dict[str, tuple[str | None, str | None]]) -> None:
        written.extend(new for _, new in moves.values() if new)
        git(root, "update-ref", "refs/keep", written[0])

    applying.post = kept  # type: ignore[assignment]
    applying.apply(store, change.id, at=now, judge=PolicyJudge(now), check=lambda files: ())
    return written[0]


def be(root: Path, person: str) -> None:
    """From now on the user is that person and signs with his own key."""
    settings = {"user.name": person, "user.email": f"{person}@southbay.example.invalid"}
    for key, value in {**settings, "remit.signingKey": str(root.parent / f"{person}.pub")}.items():
        git(root, "config", key, value)


def git(folder: Path, *words: str) -> str:
    """Run git; what it printed."""
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
