"""Keys and signatures: what ssh-keygen makes is taken as ssh-keygen takes it, and nothing else is."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keys import made, public, signature

from remit.signatures import NAMESPACE, NotAKey, armoured, parse_public_key, signer

KINDS = (("ed25519",), ("ecdsa", "-b", "256"), ("ecdsa", "-b", "384"), ("ecdsa", "-b", "521"), ("rsa", "-b", "3072"))
TEXT = "批准 change c-1\n".encode()


def name_of(kind: tuple[str, ...]) -> str:
    return "".join(kind)


def ssh_keygen_takes(text: bytes, made_by: str, key_line: str, folder: Path, namespace: str = NAMESPACE) -> bool:
    (folder / "signers").write_text(f'wang-lei namespaces="{namespace}" {key_line}\n')
    (folder / "sig").write_text(armoured(made_by))
    words = ["ssh-keygen", "-Y", "verify", "-f", folder / "signers", "-I", "wang-lei", "-n", namespace]
    done = subprocess.run([*words, "-s", folder / "sig"], input=text, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_signature_names_the_key_that_made_it(kind: tuple[str, ...], tmp_path: Path) -> None:
    one = signature(TEXT, name_of(kind), *kind)

    assert signer(one, TEXT) == public(name_of(kind), *kind)
    assert ssh_keygen_takes(TEXT, one, public(name_of(kind), *kind).line, tmp_path)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_signature_over_other_words_or_for_another_purpose_counts_for_nothing(kind: tuple[str, ...]) -> None:
    one = signature(TEXT, name_of(kind), *kind)

    assert signer(one, TEXT + b" ") is None
    assert signer(signature(TEXT, name_of(kind), *kind, namespace="git"), TEXT) is None


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_fingerprint_is_what_ssh_keygen_prints(kind: tuple[str, ...]) -> None:
    out = subprocess.run(["ssh-keygen", "-l", "-f", made(name_of(kind), *kind)], capture_output=True, check=True).stdout

    assert public(name_of(kind), *kind).fingerprint in out.decode()


@settings(max_examples=300)
@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(KINDS[:2]))
def test_a_signature_with_any_byte_changed_is_none_or_the_same_key_never_another(
    at: int, value: int, kind: tuple[str, ...]
) -> None:
    whole = bytearray(base64.b64decode(signature_once(kind)))
    place = at % len(whole)
    if whole[place] == value:
        value ^= 1
    whole[place] = value

    assert signer(base64.b64encode(bytes(whole)).decode(), TEXT) is None


_SIGNED: dict[tuple[str, ...], str] = {}


def signature_once(kind: tuple[str, ...]) -> str:
    return _SIGNED.setdefault(kind, signature(TEXT, name_of(kind), *kind))


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: base64.b64encode(data).decode()))
def test_nothing_else_is_a_signature_or_a_key_and_nothing_stops_the_reading(text: str) -> None:
    assert signer(text, TEXT) is None
    with pytest.raises(NotAKey):
        parse_public_key(f"ssh-ed25519 {text}")


def test_the_words_around_a_key_are_dropped_and_options_are_refused() -> None:
    line = public("ed25519", "ed25519").line

    assert parse_public_key(f"{line} wang-lei@example.org 王磊\n").line == line
    for odd in (
        f'from="*" {line}',
        f"cert-authority {line}",
        f"*@x {line}",
        line.replace(" ", "  "),
        f"{line}\n{line}",
    ):
        with pytest.raises(NotAKey):
            parse_public_key(odd)


@pytest.mark.parametrize(
    ("kind", "why"),
    [(("rsa", "-b", "1024"), "1024 bits"), (("rsa", "-b", "2048"), "2048 bits")],
    ids=["rsa1024", "rsa2048"],
)
def test_weak_keys_are_refused_by_name(kind: tuple[str, ...], why: str) -> None:
    with pytest.raises(NotAKey, match=why):
        public("weak" + kind[-1], *kind)


@pytest.mark.parametrize("type", ["ssh-dss", "ssh-ed25519-cert-v01@openssh.com", "x509v3-sign-rsa"])
def test_other_types_of_keys_are_refused_by_name(type: str) -> None:
    blob = base64.b64encode(len(type).to_bytes(4, "big") + type.encode() + b"\0\0\0\1x").decode()

    with pytest.raises(NotAKey, match=type.replace("@", ".")):
        parse_public_key(f"{type} {blob}")


def test_base64_written_in_another_way_is_no_signature() -> None:
    one = signature_once(KINDS[0])

    for odd in (one + "=", one + "\n", " " + one, one[:-1], armoured(one)):
        assert signer(odd, TEXT) is None
