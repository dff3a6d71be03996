"""Measures how many commits a second `remit audit` proves, beside git verifying one signature of each.

The history is the example store and as many applied changes as asked for, one after another: each signed by its
proposer and by its approver, nine of ten about a customer, the tenth about a person whose keys count. Beside it, in the
same run: `git fsck` of the same repository, which proves nothing but its objects, and `git log --show-signature` of the
same trees with the same messages, each commit signed once. Run it with `python benchmarks/audit.py`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from push import APPROVER, AUTHOR, GOVERNOR, git, prepare

from remit.changes import Approval, Touched, manifest, signed_text, with_trailers, words_digest
from remit.git import Identity, Repository
from remit.main import main as remit
from remit.signatures import NAMESPACE, parse_public_key
from remit.yamltext import Edit, edit

CUSTOMERS = ("harbour-bank", "nanhai-university")
PERSON = "records/people/zhou-peng.yaml"


def main() -> int:
    """Print commits a second, or with --json the same for a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=400, help="applied changes")
    parser.add_argument("--records", type=int, default=0, help="customers beside those of the example")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
        figures = measure(Path(folder), options.commits, options.records)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        print(f"{figures['commits']} applied changes of {figures['records']} records; commits a second of CPU time:")
        for name in ("remit audit", "remit audit without git fsck", "git fsck", "git log --show-signature"):
            print(f"  {name:<30}{figures['commits'] / figures[name]:>8.0f}   ({figures[name]:.2f} s)")
    return 0


def measure(folder: Path, commits: int, records: int) -> dict[str, float]:
    """Seconds of CPU time, of children too, that each takes for the whole history."""
    os.environ["HOME"] = str(folder)
    root = folder / "store"
    count = prepare(root, records)
    history(root, commits)
    git(root, "gc", "--quiet")
    resigned(root, folder / AUTHOR)
    fsck = spent(lambda: git(root, "fsck", "--full", "--no-dangling", "--no-progress", "--no-reflogs"))
    audit = spent(lambda: audited(root))
    shown = spent(lambda: verified(root, commits))
    return {
        "commits": commits, "records": count, "remit audit": audit, "remit audit without git fsck": audit - fsck,
        "git fsck": fsck, "git log --show-signature": shown,
    }  # fmt: skip


def spent(work: Callable[[], object]) -> float:
    """The CPU seconds of this process and its children."""
    before = _cpu()
    work()
    return _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def audited(root: Path) -> None:
    """The command itself; anything found would make the figure worthless."""
    if remit(["--store", str(root), "audit"]) != 0:
        raise SystemExit("the audit found something")


def verified(root: Path, commits: int) -> None:
    """git's own verification, of the history that was signed for it."""
    said = git(root, "log", "--show-signature", "--format=%G?", "signed")
    if said.count('Good "git" signature') != commits:
        raise SystemExit("git did not verify every commit")


def resigned(root: Path, key: Path) -> None:
    """The same trees and messages as commits that git signs itself, on the branch ``signed``."""
    signers = root.parent / "signers"
    signers.write_text(f"{AUTHOR} {key.with_suffix('.pub').read_text()}")
    git(root, "config", "gpg.format", "ssh")
    git(root, "config", "gpg.ssh.allowedSignersFile", str(signers))
    parent = git(root, "rev-list", "--max-parents=0", "main")
    message = root.parent / "message"
    for sha in git(root, "rev-list", "--reverse", f"{parent}..main").split():
        message.write_text(git(root, "log", "-1", "--format=%B", sha))
        parent = git(root, "commit-tree", f"{sha}^{{tree}}", "-p", parent, "-F", str(message), f"-S{key}")
    git(root, "update-ref", "refs/heads/signed", parent)


def history(root: Path, commits: int) -> None:
    """As many applied changes as asked for, written as ``apply`` writes them."""
    repository = Repository(root)
    tip = beginning = repository.resolve("HEAD")
    at = repository.commit(tip).when.replace(microsecond=0)
    people = {name: Signer(root.parent / name) for name in (AUTHOR, APPROVER, GOVERNOR)}
    for number in range(1, commits + 1):
        path = PERSON if number % 10 == 0 else f"records/customers/{CUSTOMERS[number % len(CUSTOMERS)]}.yaml"
        field = ("metadata", "title", "en") if path == PERSON else ("spec", "importanceScore")
        value = f"Zhou Peng {number}" if path == PERSON else number % 100
        tree = repository.tree_of(tip)
        old = repository.list_tree(tip, [path])[path].oid
        after = repository.commit_with(tree, {path: edit(repository.read_blobs([old])[old], [Edit(field, value)])})
        touched = manifest([Touched(path, old, repository.list_tree(after, [path])[path].oid)])
        id, title = f"c-20261001-{number:06d}", f"Change {number}"
        plain = Approval(
            change=id, repository=beginning, ref="refs/heads/main", base=tip, tree=after,
            manifest_digest=touched.digest, words=words_digest(title), verdict="propose", person=AUTHOR, at=at,
        )  # fmt: skip
        approver = GOVERNOR if path == PERSON else APPROVER
        said = [people[AUTHOR].say(plain), people[approver].say(replace(plain, verdict="approve", person=approver))]
        author = Identity(AUTHOR, f"{AUTHOR}@southbay.example.invalid")
        tip = repository.commit_tree(after, [tip], with_trailers(title, id, said), author, author, at)
    repository.update_ref("refs/heads/main", tip, beginning)


class Signer:
    """A person who signs, in this process."""

    def __init__(self, key: Path) -> None:
        self._private = load_ssh_private_key(key.read_bytes(), None)
        self._public = parse_public_key(key.with_suffix(".pub").read_text())

    def say(self, said: Approval) -> Approval:
        """``said`` with a signature over it."""
        parts = NAMESPACE.encode(), b"", b"sha512"
        text = hashlib.sha512(signed_text(said)).digest()
        made = _string(b"ssh-ed25519") + _string(self._private.sign(b"SSHSIG" + b"".join(map(_string, (*parts, text)))))
        whole = (b"SSHSIG", (1).to_bytes(4, "big"), *map(_string, (self._public.blob, *parts, made)))
        return replace(said, signature=base64.b64encode(b"".join(whole)).decode())


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


if __name__ == "__main__":
    sys.exit(main())
