"""Signing with a person's own SSH key, by ``ssh-keygen``: with what lies in a file, in an agent or on a token.

The only module that starts ``ssh-keygen``; nothing secret is read here, and verifying needs no process at all.

Source: security rules R7, R18, R29.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from remit.errors import Refused
from remit.git import Repository
from remit.sentences import say
from remit.signatures import NAMESPACE, NotAKey, PublicKey, parse_public_key, signer, unarmoured

Sign = Callable[[bytes, Sequence[PublicKey]], str]
"""Signs a text with one of the keys that its person may use; the signature, or empty when nothing is signed."""

SETTING = "remit.signingKey"
USUAL = ("id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa")
PATIENCE = 120
"""Seconds for typing a passphrase or touching a token."""


def unsigned(text: bytes, keys: Sequence[PublicKey]) -> str:
    """No signature."""
    return ""


def own_keys(repository: Repository) -> list[tuple[PublicKey, Path]]:
    """The public keys that the user has at hand, with their files: the configured one first, then the usual ones."""
    found = []
    for path in _files(repository):
        public = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
        try:
            text = public.read_text(encoding="ascii")
            found.append((parse_public_key(text), public))
        except (OSError, UnicodeDecodeError, NotAKey):
            continue
    return found


def signing(repository: Repository) -> Sign:
    """Signs with the first key at hand that the person may use."""

    def sign(text: bytes, keys: Sequence[PublicKey]) -> str:
        at_hand = own_keys(repository)
        for public, path in at_hand:
            if public in keys:
                return _signed(text, public, path)
        seen = [str(path) for _, path in at_hand] or say("people.no-key-file")
        wanted = [key.fingerprint for key in keys]
        odd, hint = _misnamed(repository)
        found = say("people.found-odd", seen=seen, why=odd) if odd else seen
        message = say("people.none-at-hand", wanted=wanted, found=found)
        raise Refused(message, hint=hint or f"git config {SETTING} /path/to/key.pub")

    return sign


def _misnamed(repository: Repository) -> tuple[str, str]:
    """Why the file that the setting names gives no key, and what to do about it; empty where it gives one."""
    if not (named := repository.config(SETTING)):
        return "", ""
    path = Path(named).expanduser()
    if not path.is_absolute():
        return say("people.no-whole-path", setting=SETTING, path=named), ""
    if not path.is_file():
        return say("people.no-file-there", setting=SETTING, path=named), ""
    public = Path(f"{path}.pub")
    if path.suffix == ".pub" or public.is_file():
        return "", ""
    return say("people.no-public-half", path=str(path)), f"ssh-keygen -y -f {path} > {public}"


def _files(repository: Repository) -> Iterator[Path]:
    for setting in (SETTING, "user.signingKey"):
        path = Path(repository.config(setting) or "").expanduser()
        if path.is_absolute() and path.is_file():
            yield path
    folder = Path.home() / ".ssh"
    yield from (path for name in USUAL if (path := folder / f"{name}.pub").is_file())


def _signed(text: bytes, public: PublicKey, path: Path) -> str:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise Refused(say("people.no-ssh-keygen"), hint=say("people.install-openssh"))
    private = path.with_suffix("")
    # With the private file beside it ssh-keygen reads that; with the public one alone it asks the agent.
    file = private if private.is_file() else path
    command = [program, "-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(file)]
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, check=False, timeout=PATIENCE, env=_surroundings()
        )
    except subprocess.TimeoutExpired as error:
        message = say("people.signing-late", seconds=PATIENCE, path=str(path))
        raise Refused(message, hint=say("people.token-in")) from error
    signature = unarmoured(done.stdout.decode("ascii", "replace"))
    if done.returncode != 0 or signer(signature, text) != public:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        message = say("people.not-signed", path=str(path), said=said[0] if said else say("people.no-signature"))
        hint = say("people.passphrase", path=str(private)) if "passphrase" in "".join(said) else ""
        raise Refused(message, hint=hint)
    return signature


def _surroundings() -> dict[str, str]:
    """What ssh-keygen needs of the environment: a terminal, an agent, a home; nothing of git."""
    kept = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", "SSH_SK_PROVIDER", "DISPLAY", "TERM")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}
