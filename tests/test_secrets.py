"""Secrets do not get into a store: what issuers give out is known by its shape, and what only looks like it passes."""

from __future__ import annotations

import random
import string
import uuid
from pathlib import Path

import pytest
from approval_store import path_of, texts
from conftest import GitRepo, git
from keys import made
from test_change_commands import AT as AT_WORDS
from test_change_commands import User

from remit.changing.proving import why_no_plain_paths
from remit.secrets import secrets_in
from remit.store import FOLDERS, Store

TOP = Path(__file__).parent.parent
LETTERS = string.ascii_letters + string.digits


def some(count: int, seed: int, letters: str = LETTERS) -> str:
    """A random text, the same each time."""
    return "".join(random.Random(seed).choices(letters, k=count))


def planted() -> dict[str, str]:
    """Forty texts with a secret, put together here so that no file of the project holds one."""
    upper = string.ascii_uppercase + "234567"
    begin, end = "-----BEGIN ", "-----"
    found = {
        f"{kind} private key": f"note: |\n  {begin}{kind} PRIVATE KEY{end}\n  abc\n"
        for kind in ("RSA", "EC", "DSA", "OPENSSH", "ENCRYPTED")
    }
    found["pkcs8"] = f"{begin}PRIVATE KEY{end}\n"
    found["pgp"] = f"{begin}PGP PRIVATE KEY BLOCK{end}\n"
    found["putty"] = "PuTTY-User-Key-File-3: ssh\n"
    tokens = {
        **{f"aws {p}": f"{p}{some(16, 1, upper)}" for p in ("AKIA", "ASIA")},
        **{f"github {p}": f"gh{p}_{some(36, 2)}" for p in "pousr"},
        **{f"gitlab {p}": f"gl{p}-{some(20, 4)}" for p in ("pat", "dt", "rt")},
        "github pat": f"github_pat_{some(70, 3)}",
        "slack": f"xoxb-{some(24, 5)}",
        "hook": f"https://hooks.slack.com/services/T{some(8, 6, upper)}/B{some(8, 7, upper)}/{some(24, 8)}",
        "google": f"AIza{some(35, 9)}",
        "oauth": f"ya29.{some(40, 10)}",
        "stripe": f"sk_live_{some(24, 11)}",
        "pypi": f"pypi-{some(60, 12)}",
        "npm": f"npm_{some(36, 13)}",
        "model": f"sk-proj-{some(40, 14)}",
        "mail": f"SG.{some(22, 15)}.{some(43, 16)}",
        "aliyun": f"LTAI{some(20, 17)}",
        "age": f"AGE-SECRET-KEY-1{some(58, 18, upper)}",
        "jwt": f"eyJ{some(20, 19)}.eyJ{some(40, 20)}.{some(43, 21)}",
        **{f"address {s}": f"{s}://user:{some(12, 22)}@db.example.org/x" for s in ("postgresql", "https", "amqp")},
    }
    found |= {name: f"remark: {token}\n" for name, token in tokens.items()}
    names = ("password", "apiKey", "client_secret", "access-token", "密码", "private_key")
    found |= {f"field {name}": f"  {name}: {some(20, 23)}\n" for name in names}
    return found


def harmless() -> list[str]:
    """Five hundred texts that look like secrets and are none."""
    pick = random.Random(7)
    found = [f"id: {uuid.UUID(int=pick.getrandbits(128))}\n" for _ in range(60)]
    found += [f"commit: {pick.getrandbits(160):040x}\n" for _ in range(60)]
    found += [f"checksum: sha256:{pick.getrandbits(256):064x}\n" for _ in range(60)]
    found += [f"key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{some(43, n)}\n" for n in range(60)]
    found += [f"circuit: SDH-{pick.randrange(10**8):08d}/{some(6, n, string.ascii_uppercase)}\n" for n in range(60)]
    found += [f"contract: LH2026{pick.randrange(10**6):06d}-GQ-{n}\n" for n in range(40)]
    found += [f"password: ${{{some(8, n, string.ascii_uppercase)}_PASSWORD}}\n" for n in range(20)]
    found += [f"tokenName: billing-token-{n}-of-branch\n" for n in range(20)]
    found += [f"secretary: chen-jing-{n}\npasswordPolicy: change every {n} days\n" for n in range(40)]
    found += [f"url: https://user@host{n}.example.org:8443/path?x={some(8, n)}\n" for n in range(20)]
    found += [f"token: env:REMIT_TOKEN_{n}\n" for n in range(20)]
    found += [f"口令: 见保险柜第{n}格\n" for n in range(20)]
    found += [f"tokenIssuedAt: 2026-10-{n % 28 + 1:02d}T08:00:00+08:00\n" for n in range(20)]
    return found


@pytest.mark.parametrize("name", planted())
def test_a_planted_secret_is_found_and_not_repeated(name: str) -> None:
    text = f"kind: X\n{planted()[name]}"

    (found,) = list(secrets_in(text.encode()))

    assert found.line in (2, 3) and not any(word in found.what for word in text.split() if len(word) > 12)


def test_there_are_forty_of_them() -> None:
    assert len(planted()) == 40


def test_at_most_one_in_a_hundred_look_alikes_is_taken_for_a_secret() -> None:
    texts = harmless()
    wrong = [text for text in texts if list(secrets_in(text.encode()))]

    assert len(texts) == 500 and len(wrong) <= 5, wrong


def test_the_files_of_the_example_hold_none() -> None:
    files = [path for folder in FOLDERS for path in sorted((TOP / folder).rglob("*")) if path.is_file()]
    found = {path.name: list(secrets_in(path.read_bytes())) for path in files}

    assert {name: secrets for name, secrets in found.items() if secrets} == {}


def test_a_change_with_a_secret_is_refused_where_it_begins_and_where_it_would_come_in(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    user = User(git_repo(texts()), capsys)
    path = path_of("Customer", "harbour-bank")
    text = (user.folder / path).read_text() + f"# {made('ann-lee').read_text().splitlines()[0]}\n"
    (user.folder / path).write_text(text)

    ran = user.run("propose", "-m", "x", *AT_WORDS, as_="ann-lee")

    assert ran.code == 2 and f"{path}:" in ran.err and "holds a private key" in ran.err and "take it out" in ran.err
    assert git(user.folder, "for-each-ref", "refs/heads/change") == ""
    git(user.folder, "commit", "--quiet", "-am", "by hand")
    store, head = Store(user.folder), git(user.folder, "rev-parse", "HEAD")
    (refusal,) = why_no_plain_paths(store, head, store.in_git().changed_paths("HEAD~1", "HEAD"))
    assert refusal.rule == "R29" and "holds a private key" in refusal.message
    git(user.folder, "commit", "--quiet", "--allow-empty", "-m", "nothing new")
    assert list(why_no_plain_paths(store, head, store.in_git().changed_paths("HEAD", "HEAD"))) == []
