"""SSH keys and the signatures that they make (the format of ``ssh-keygen -Y``), verified here without a process.

A signature is kept as the base64 text between the armour lines that ``ssh-keygen`` writes, on one line. What is not
written exactly as the format says is no signature, and weak keys are no keys: Ed25519, ECDSA on the NIST curves and RSA
from 3072 bits on are taken, also the first two on a hardware token.

Source: OpenSSH PROTOCOL.sshsig, PROTOCOL.u2f; RFC 4253, 5656, 8709; security rules R7, R8.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from remit.sentences import say

NAMESPACE = "remit-approval-v1"
"""What every signature of Remit is for; one made for git or for mail counts for nothing."""

_SMALL_POINTS = {
    bytes.fromhex(text)
    for text in (
        "00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}  # fmt: skip
"""Points of small order but for their sign: for such a key there is one signature that holds for any text, made by
anybody. Source: libsodium, ``ge25519_has_small_order``."""

LEAST_RSA_BITS = 3072

_MAGIC = b"SSHSIG"
_CURVES = {"nistp256": "SECP256R1", "nistp384": "SECP384R1", "nistp521": "SECP521R1"}
_CURVE_HASHES = {"nistp256": "SHA256", "nistp384": "SHA384", "nistp521": "SHA512"}
_ED25519, _RSA = "ssh-ed25519", "ssh-rsa"
_TOKEN_ED25519, _TOKEN_ECDSA = "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"
_RSA_HASHES = {"rsa-sha2-256": "SHA256", "rsa-sha2-512": "SHA512"}
_USER_PRESENT = 1


class NotAKey(ValueError):
    """Words that are no public key, or none that Remit takes; the message says why."""


@dataclass(frozen=True)
class PublicKey:
    """A public key: its type, such as ``ssh-ed25519``, and its bytes as SSH writes them."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """Such as ``SHA256:…``, as ``ssh-keygen -l`` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def line(self) -> str:
        """The key as it stands in a record: type and base64, without a comment."""
        return f"{self.type} {base64.b64encode(self.blob).decode()}"


def parse_public_key(text: str) -> PublicKey:
    """The key in one line of an ``id_….pub`` file; a comment behind it is dropped.

    Raises:
        NotAKey: the line is no key, has options or a certificate before it, or the key is too weak.
    """
    words = text.strip().split(" ", 2)
    if "\n" in text.strip() or len(words) < 2:
        raise NotAKey(say("people.one-line"))
    try:
        blob = _decoded(words[1])
        reader = _Reader(blob)
        kind = reader.text()
        if kind != words[0]:
            if _is_word(kind):
                raise NotAKey(say("people.other-type", said=words[0], held=kind))
            raise NotAKey(say("people.holds-no-key"))
        _verifier(kind, reader)
    except NotAKey:
        raise
    except ValueError as error:
        raise NotAKey(say("people.no-key-of-type", type=words[0])) from error
    return PublicKey(kind, blob)


def unarmoured(text: str) -> str:
    """The signature inside what ``ssh-keygen -Y sign`` writes, on one line."""
    return "".join(line for line in text.splitlines() if not line.startswith("-----"))


def armoured(signature: str) -> str:
    """A signature as ``ssh-keygen -Y verify`` reads it."""
    lines = [signature[i : i + 70] for i in range(0, len(signature), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])


def signer(signature: str, text: bytes, namespace: str = NAMESPACE) -> PublicKey | None:
    """The key that made ``signature`` over exactly ``text`` for ``namespace``; None when none did."""
    try:
        return _signer(signature, text, namespace)
    except ValueError:
        return None


def _signer(signature: str, text: bytes, namespace: str) -> PublicKey | None:
    reader = _Reader(_decoded(signature))
    if reader.take(len(_MAGIC)) != _MAGIC or reader.number() != 1:
        raise ValueError("another format")
    blob, purpose, reserved, hashed, made = (reader.string() for _ in range(5))
    reader.end()
    if purpose != namespace.encode() or reserved or hashed not in (b"sha256", b"sha512"):
        return None
    digest = hashlib.new(hashed.decode(), text).digest()
    signed = _MAGIC + b"".join(map(_string, (purpose, reserved, hashed, digest)))
    key = _Reader(blob)
    kind = key.text()
    return PublicKey(kind, blob) if _verifier(kind, key)(_Reader(made), signed) else None


_Verify = Callable[["_Reader", bytes], bool]


def _verifier(kind: str, key: _Reader) -> _Verify:
    """Reads the rest of a key and gives what checks a signature of it; raises ``NotAKey`` or ``ValueError``."""
    if kind == _ED25519:
        return _finished(key, _ed25519(key.string()))
    if kind == _RSA:
        return _finished(key, _rsa(key.integer(), key.integer()))
    if kind.startswith("ecdsa-sha2-") and (curve := kind.removeprefix("ecdsa-sha2-")) in _CURVES:
        if key.text() != curve:
            raise ValueError("another curve")
        return _finished(key, _ecdsa(kind, curve, key.string()))
    if kind == _TOKEN_ED25519:
        plain = _ed25519(key.string(), kind)
        return _finished(key, _on_token(plain, key.string()))
    if kind == _TOKEN_ECDSA:
        if key.text() != "nistp256":
            raise ValueError("another curve")
        plain = _ecdsa(kind, "nistp256", key.string())
        return _finished(key, _on_token(plain, key.string()))
    raise NotAKey(say("people.type-not-taken", type=kind if _is_word(kind) else "?"))


def _finished(key: _Reader, verify: _Verify) -> _Verify:
    key.end()
    return verify


def _ed25519(point: bytes, kind: str = _ED25519) -> _Verify:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if point[:31] + bytes(byte & 0x7F for byte in point[31:]) in _SMALL_POINTS:
        raise NotAKey(say("people.small-point"))
    public = Ed25519PublicKey.from_public_bytes(point)

    def verify(made: _Reader, signed: bytes) -> bool:
        same, value = made.text() == kind, made.string()
        made.end()
        return same and _holds(lambda: public.verify(value, signed))

    return verify


def _rsa(exponent: int, modulus: int) -> _Verify:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    if modulus.bit_length() < LEAST_RSA_BITS:
        raise NotAKey(say("people.few-bits", bits=modulus.bit_length(), least=LEAST_RSA_BITS))
    public = RSAPublicNumbers(exponent, modulus).public_key()

    def verify(made: _Reader, signed: bytes) -> bool:
        name, value = _RSA_HASHES.get(made.text()), made.string()
        made.end()
        return name is not None and _holds(lambda: public.verify(value, signed, PKCS1v15(), getattr(hashes, name)()))

    return verify


def _ecdsa(kind: str, curve: str, point: bytes) -> _Verify:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    shape: Any = getattr(ec, _CURVES[curve])()
    public = ec.EllipticCurvePublicKey.from_encoded_point(shape, point)
    hashed = getattr(hashes, _CURVE_HASHES[curve])()

    def verify(made: _Reader, signed: bytes) -> bool:
        same, value = made.text() == kind, _Reader(made.string())
        made.end()
        r, s = value.integer(), value.integer()
        value.end()
        return same and _holds(lambda: public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashed)))

    return verify


def _on_token(plain: _Verify, application: bytes) -> _Verify:
    """What a hardware token signs: the application, its flags and counter, and the digest of the message."""

    def verify(made: _Reader, signed: bytes) -> bool:
        inner = _Reader(_string(made.string()) + _string(made.string()))
        flags, counter = made.take(1), made.take(4)
        made.end()
        present = bool(flags[0] & _USER_PRESENT)
        both = hashlib.sha256(application).digest(), hashlib.sha256(signed).digest()
        return present and plain(inner, both[0] + flags + counter + both[1])

    return verify


def _holds(check: Callable[[], None]) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        check()
    except InvalidSignature:
        return False
    return True


class _Reader:
    """The fields of SSH's binary format, one after another; ``ValueError`` where one is missing or odd."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise ValueError("it ends too early")
        self._at += size
        return part

    def number(self) -> int:
        """A number of four bytes."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """Bytes behind their length."""
        return self.take(self.number())

    def text(self) -> str:
        """A string of ASCII."""
        return self.string().decode("ascii")

    def integer(self) -> int:
        """A positive integer, written in the fewest bytes."""
        data = self.string()
        if not data or data[0] & 0x80 or (data[0] == 0 and not (len(data) > 1 and data[1] & 0x80)):
            raise ValueError("a number is not written the one way")
        return int.from_bytes(data, "big")

    def end(self) -> None:
        """Nothing follows."""
        if self._at != len(self._data):
            raise ValueError("something follows")


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _decoded(text: str) -> bytes:
    """Base64 written in the one canonical way."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("no base64") from error
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 written in another way")
    return data


def _is_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and 0 < len(text) < 64
