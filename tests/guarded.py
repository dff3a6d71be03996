"""A guarded origin for tests: the approval store with keys for everybody, and ways to forge what people say.

Everything happens in ``member``, a bare repository that shares the origin's objects, so that what it adds can be shown
to the origin as git shows a push: in a folder of its own that nobody else sees.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import approval_store
from conftest import AT, commit_all, git, write_files
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.changes import Approval, Change, Verdict, approval_text, signed_text, with_trailers
from remit.changing.applying import Applied, apply
from remit.changing.proposing import propose_files
from remit.changing.proving import Refusal
from remit.changing.reviewing import approve
from remit.git import Identity, Repository
from remit.guarding import Move, judge_push
from remit.judging import PolicyJudge, law_of
from remit.origins import init, install
from remit.signatures import NAMESPACE, PublicKey, parse_public_key
from remit.store import Store

NOW = AT + timedelta(hours=1)
BANK = "records/customers/harbour-bank.yaml"
MAIN = "refs/heads/main"
ZERO = "0" * 40


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@dataclass(frozen=True)
class Pen:
    """One Ed25519 key, and how SSH signs with it."""

    private: Ed25519PrivateKey

    @classmethod
    def of(cls, seed: str) -> Pen:
        return cls(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest()))

    @property
    def public(self) -> PublicKey:
        blob = _string(b"ssh-ed25519") + _string(self.private.public_key().public_bytes_raw())
        return parse_public_key(f"ssh-ed25519 {base64.b64encode(blob).decode()}")

    def sign(self, text: bytes, keys: Sequence[PublicKey] = (), *, namespace: str = NAMESPACE) -> str:
        """A signature over ``text``, whatever the keys that may be used."""
        parts = namespace.encode(), b"", b"sha512"
        signed = b"SSHSIG" + b"".join(map(_string, (*parts, hashlib.sha512(text).digest())))
        made = _string(b"ssh-ed25519") + _string(self.private.sign(signed))
        head = b"SSHSIG" + (1).to_bytes(4, "big") + _string(self.public.blob)
        return base64.b64encode(head + b"".join(map(_string, (*parts, made)))).decode()


PENS = {name: Pen.of(name) for name in (*approval_store.PEOPLE, "stranger", "bob-second", "old", "early", "lost")}


def texts() -> dict[str, str]:
    """The approval store; everybody has a key, and Cai-Yu has three more: expired, not valid yet, revoked."""
    files = approval_store.texts()
    for name in approval_store.PEOPLE:
        keys: list[dict[str, str]] = [{"key": PENS[name].public.line}]
        if name == "bob-sun":
            keys.append({"key": PENS["bob-second"].public.line})
        if name == "cai-yu":
            keys.append({"key": PENS["old"].public.line, "validTo": (AT - timedelta(days=1)).isoformat()})
            keys.append({"key": PENS["early"].public.line, "validFrom": (AT + timedelta(days=9)).isoformat()})
            keys.append({"key": PENS["lost"].public.line, "revoked": "the laptop was stolen"})
        spec = {"department": "south", "contact": {"email": f"{name}@example.org"}, "status": "active", "keys": keys}
        files |= approval_store.text_of("Person", name, spec)
    return files


def who(name: str) -> Identity:
    return Identity(name.replace("-", " ").title(), f"{name}@example.org")


@dataclass(frozen=True)
class Guarded:
    """An origin, and a member's repository that shares its objects."""

    origin: Path
    member: Path

    @classmethod
    def build(cls, folder: Path, files: Mapping[str, str] | None = None, *, at: datetime = AT) -> Guarded:
        work = folder / "work"
        work.mkdir(parents=True)
        git(work, "init", "--quiet", "--initial-branch=main")
        git(work, "config", "user.name", "Ann Lee")
        git(work, "config", "user.email", "ann-lee@example.org")
        write_files(work, files or texts())
        commit_all(work, "the root of trust", at=at)
        init(Store.open(work), folder / "origin.git")
        shutil.rmtree(work)
        return cls(folder / "origin.git", folder / "member.git")._with_member()

    def copy(self, folder: Path) -> Guarded:
        """The same somewhere else, with nothing in common."""
        shutil.copytree(self.origin, folder / "origin.git")
        install(Repository(folder / "origin.git"))
        return Guarded(folder / "origin.git", folder / "member.git")._with_member()

    def _with_member(self) -> Guarded:
        git(self.origin.parent, "clone", "--quiet", "--bare", "--shared", str(self.origin), str(self.member))
        git(self.member, "remote", "remove", "origin")
        return self

    # -- what a member does ----------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        return Store.of_bare(Repository(self.member))

    @property
    def tip(self) -> str:
        return git(self.origin, "rev-parse", MAIN)

    def be(self, name: str) -> Store:
        git(self.member, "config", "user.name", who(name).name)
        git(self.member, "config", "user.email", who(name).email)
        return self.store

    @property
    def root(self) -> str:
        return git(self.origin, "rev-list", "--max-parents=0", MAIN)

    def bank(self, **fields: Any) -> dict[str, bytes]:
        """The bank's record with other fields."""
        spec = {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "eve-li"}, **fields}
        return {p: t.encode() for p, t in approval_store.text_of("Customer", "harbour-bank", spec, "海港银行").items()}

    def propose(
        self, name: str = "ann-lee", files: Mapping[str, bytes | None] | None = None, *, at: datetime = AT,
        title: str = "Raise the grade",
    ) -> Change:  # fmt: skip
        wanted = self.bank(customerGrade="group") if files is None else files
        return propose_files(self.be(name), wanted, title, at=at, sign=PENS[name].sign)

    def approve(self, name: str, change: Change, *, at: datetime = AT + timedelta(minutes=5)) -> Approval:
        return approve(self.be(name), change.id, at=at, sign=PENS[name].sign)

    def apply(self, name: str, change: Change, *, at: datetime = NOW) -> Applied:
        store = self.be(name)
        return apply(store, change.id, at=at, judge=PolicyJudge(at), check=lambda files: ())

    def approved(self) -> Change:
        """A change of the bank's grade by Ann, approved by Bob."""
        change = self.propose()
        self.approve("bob-sun", change)
        return change

    def ref(self, name: str) -> str:
        """Where a ref of the member is."""
        return git(self.member, "rev-parse", "--verify", name)

    # -- what somebody forges --------------------------------------------------------------------------------------

    def say(
        self, about: Change, person: str, verdict: Verdict = "approve", /, *, pen: str = "", at: datetime = AT,
        namespace: str = NAMESPACE, **other: Any,
    ) -> Approval:  # fmt: skip
        """What a person says about a change, signed by anybody's pen, with anything in it."""
        said = Approval(
            change=about.id, repository=self.root, ref=about.ref, base=about.base, tree=about.tree,
            manifest_digest=about.manifest.digest, words=about.words, verdict=verdict, person=person, at=at,
        )  # fmt: skip
        said = replace(said, **other)
        if pen == "nobody":
            return said
        return replace(said, signature=PENS[pen or person].sign(signed_text(said), namespace=namespace))

    def commit(
        self, change: Change, said: Sequence[Approval], *, by: str = "ann-lee", tree: str = "",
        parent: str = "", at: datetime = NOW, message: str = "",
    ) -> str:  # fmt: skip
        """An applied commit made by hand."""
        text = message or with_trailers(change.message, change.id, said, effective=change.effective)
        repository, parents = self.store.in_git(), [parent or self.tip]
        return repository.commit_tree(
            tree or change.tree, parents, text, who(by), who("hal-xu"), at, authored=change.created
        )

    def raw(self, data: bytes) -> str:
        """A commit object of exactly these bytes, whatever git thinks of it."""
        command = ["git", "hash-object", "-t", "commit", "--literally", "-w", "--stdin"]
        done = subprocess.run(command, cwd=self.member, input=data, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def post(self, said: Approval, *, by: str, after: str | None = None, more: bytes = b"") -> str:
        """A posted commit that holds what somebody said; ``more`` puts a second file beside it."""
        files = {"approval": approval_text(said)} | ({"more": more} if more else {})
        repository = self.store.in_git()
        tree = repository.commit_with(None, files)
        return repository.commit_tree(tree, [after] if after else [], "said", who(by), who(by), said.at)

    # -- what the origin says --------------------------------------------------------------------------------------

    @property
    def seen(self) -> Store:
        """The origin as its hook sees it while the member's objects are in quarantine."""
        variables = {
            "GIT_OBJECT_DIRECTORY": str(self.member / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.origin / "objects"),
        }
        return Store.of_bare(Repository(self.origin, variables))

    def push(self, *moves: tuple[str | None, str | None, str], now: datetime = NOW) -> list[str]:
        """The rules by which the origin refuses a push of the member; empty when it takes it."""
        return [refusal.rule for refusal in self.refusals(*moves, now=now)]

    def refusals(self, *moves: tuple[str | None, str | None, str], now: datetime = NOW) -> list[Refusal]:
        """Why the origin refuses a push of the member."""
        store = self.seen
        verdicts = judge_push(store, [Move(*move) for move in moves], partial(law_of, store), now=now)
        return [refusal for verdict in verdicts for refusal in verdict.refusals]

    def land(self, *moves: tuple[str | None, str | None, str]) -> None:
        """Put refs and objects into the origin behind its hook."""
        for _, new, ref in moves:
            if new is not None:
                git(self.member, "update-ref", "refs/heads/carried", new)
                git(
                    self.origin, "-c", "core.hooksPath=/dev/null", "fetch", "--quiet", str(self.member), f"+{new}:{ref}"
                )
