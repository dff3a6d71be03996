"""SSH keys for tests, made by ssh-keygen once, and a home for whoever signs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from approval_store import PEOPLE, text_of, texts
from conftest import be, git

from remit.signatures import NAMESPACE, PublicKey, parse_public_key, unarmoured


@cache
def made(name: str, *kind: str) -> Path:
    """The private file of a key; the public one stands beside it. Made once a process."""
    folder = Path(mkdtemp(prefix="remit-keys-"))
    words = ["ssh-keygen", "-q", "-t", *(kind or ("ed25519",)), "-N", "", "-C", name, "-f", str(folder / name)]
    subprocess.run(words, check=True, capture_output=True)
    return folder / name


def public(name: str, *kind: str) -> PublicKey:
    """The public key of that name."""
    return parse_public_key(made(name, *kind).with_suffix(".pub").read_text())


def signature(text: bytes, name: str, *kind: str, namespace: str = NAMESPACE) -> str:
    """What ``ssh-keygen -Y sign`` makes of a text."""
    words = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(made(name, *kind))]
    return unarmoured(subprocess.run(words, input=text, check=True, capture_output=True).stdout.decode())


def keyed_texts(*people: str) -> dict[str, str]:
    """The store of ``approval_store`` in which these people (all by default) have a key of their own name."""
    files = texts()
    for name in people or PEOPLE:
        files |= person(name, [{"key": public(name).line}])
    return files


def person(name: str, keys: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The file of a person with these keys."""
    spec = {"department": "south", "contact": {"email": f"{name}@example.org"}, "keys": list(keys), "status": "active"}
    return text_of("Person", name, spec)


def become(folder: Path, name: str, key: str = "") -> None:
    """From now on the user of this clone is ``name`` and signs with the key of that name, or with ``key``."""
    be(folder, name)
    git(folder, "config", "remit.signingKey", f"{made(key or name)}.pub")
