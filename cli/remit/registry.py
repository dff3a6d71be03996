"""The people of one base, for judging changes: who has which e-mail, and whose signature is worth what.

Only the records that a question is about are parsed, so that a store of thousands of people answers at once. A record
that cannot be read is nobody. Once any person of a base has a key, what people say about changes must be signed.

Source: security rules R5, R8, R9, R10.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from remit.changes import Approval, is_name, signed_text
from remit.findings import Finding, finding
from remit.places import Pointer, pointer_text
from remit.records import Listed, Record, paths_below
from remit.sentences import say
from remit.signatures import NotAKey, PublicKey, parse_public_key, signer
from remit.times import parse_instant
from remit.yamltext import read

PEOPLE = "records/people/"


class Key(NamedTuple):
    """A key of a person: good from ``valid_from`` up to but not including ``valid_to``, and never once revoked."""

    public: PublicKey
    valid_from: datetime | None
    valid_to: datetime | None
    revoked: str

    def trouble(self, at: datetime | None) -> str:
        """What is the matter with the key at an instant (None: whenever); empty when it is good."""
        if self.revoked:
            return say("people.is-revoked", reason=self.revoked)
        if at is not None and self.valid_from is not None and at < self.valid_from:
            return say("people.not-valid-yet")
        if at is not None and self.valid_to is not None and at >= self.valid_to:
            return say("people.has-expired")
        return ""

    def why_not(self, at: datetime | None) -> str:
        """The same with the key's name before it."""
        trouble = self.trouble(at)
        return say("people.key-trouble", key=self.public.fingerprint, trouble=trouble) if trouble else ""


@dataclass(frozen=True)
class Registry:
    """The Person files of a base, by path."""

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, blobs: Mapping[str, bytes]) -> Registry:
        """The people among the files of a store; of one folder of people in many commits, the same."""
        folder = blobs.id_of(PEOPLE) if isinstance(blobs, Listed) else ""
        if (known := _KNOWN.pop(folder, None)) is None:
            known = cls({path: blobs[path] for path in paths_below(blobs, PEOPLE)})
        if folder:
            _KNOWN[folder] = known
            while len(_KNOWN) > _MOST_KNOWN:
                del _KNOWN[next(iter(_KNOWN))]
        return known

    @cached_property
    def everybody(self) -> tuple[str, ...]:
        """Every person of the base, sorted."""
        return tuple(sorted(name for name, _ in self._specs(self.files)))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everybody who has an e-mail, sorted."""
        return tuple(sorted(name for name, spec in self._specs(self.files) if _email(spec)))

    @cached_property
    def signs(self) -> bool:
        """Whether anybody has a key, so that words count only when they are signed."""
        with_keys = (path for path, data in sorted(self.files.items()) if b"keys" in data or b"\\" in data)
        return any(spec.get("keys") for path in with_keys for _, spec in self._specs([path]))

    def known(self, person: str) -> bool:
        """True for a person of this base, with an e-mail."""
        return any(_email(spec) for spec in self._of(person))

    def with_emails(self, emails: Iterable[str]) -> tuple[str, ...]:
        """The people who have one of these e-mails, sorted."""
        wanted = {email.casefold() for email in emails if email}
        needles = [email.encode() for email in wanted]
        # An e-mail that a file may write in several ways, with escapes, doubled quotes or large letters, is read.
        plain = all(email.isascii() and "'" not in email for email in wanted)
        near = [p for p, d in self.files.items() if not plain or b"\\" in d or any(n in d.lower() for n in needles)]
        return tuple(sorted(name for name, spec in self._specs(near) if _email(spec).casefold() in wanted))

    def keys_of(self, person: str) -> tuple[Key, ...]:
        """The keys of a person, in the order in which the record has them; one that is no key is left out."""
        return tuple(key for spec in self._of(person) for key in _keys(spec))

    def usable_keys(self, person: str, at: datetime) -> tuple[PublicKey, ...]:
        """With which keys a person may sign at an instant."""
        return tuple(key.public for key in self.keys_of(person) if not key.why_not(at))

    def why_unsigned(self, approval: Approval, at: datetime | None) -> str:
        """Why the signature of ``approval`` is not its person's own at ``at``; empty when it is.

        Where nobody has a key there is nothing to sign with, and nothing is asked.
        """
        if not self.signs:
            return ""
        if not approval.signature:
            return say("change.not-signed")
        public = signer(approval.signature, signed_text(approval))
        if public is None:
            return say("people.other-words")
        holders = self._holders(public)
        if holders != (approval.person,):
            whose = holders or say("people.nobody")
            return say("people.not-theirs", key=public.fingerprint, holders=whose, person=approval.person)
        own = [key for key in self.keys_of(approval.person) if key.public == public]
        said = (key.why_not(when) for key in own for when in (approval.at, at))
        return next((why for why in said if why), "")

    def _holders(self, public: PublicKey) -> tuple[str, ...]:
        text = public.line.split(" ")[1].encode()
        near = [path for path, data in self.files.items() if b"\\" in data or text in data]
        return tuple(sorted(n for n, spec in self._specs(near) if any(k.public == public for k in _keys(spec))))

    def _of(self, person: str) -> Iterator[Mapping[str, Any]]:
        path = f"{PEOPLE}{person}.yaml"
        return (spec for name, spec in self._specs([path] if path in self.files else []) if name == person)

    def _specs(self, paths: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for path in sorted(paths):
            document, _ = read(self.files[path], path)
            value = document.value if document is not None else None
            name, spec = _dig(value, "metadata", "name"), _dig(value, "spec")
            if isinstance(name, str) and is_name(name) and isinstance(spec, dict) and path == f"{PEOPLE}{name}.yaml":
                yield name, spec


_KNOWN: dict[str, Registry] = {}
"""The registries that were asked for last, by the id of their folder: a tree never holds other people."""

_MOST_KNOWN = 8


def _email(spec: Mapping[str, Any]) -> str:
    email = _dig(spec, "contact", "email")
    return email if isinstance(email, str) else ""


def _keys(spec: Mapping[str, Any]) -> list[Key]:
    written = spec.get("keys")
    found = (_key(one) for one in (written if isinstance(written, list) else []) if isinstance(one, dict))
    return [key for key in found if key is not None]


def _key(written: Mapping[str, Any]) -> Key | None:
    try:
        public = parse_public_key(str(written.get("key", "")))
        begins, ends = (_instant(written.get(name)) for name in ("validFrom", "validTo"))
    except (NotAKey, ValueError):
        return None
    revoked = written.get("revoked", "")
    return Key(public, begins, ends, revoked if isinstance(revoked, str) else "revoked")


def _instant(written: Any) -> datetime | None:
    return None if written is None else parse_instant(str(written))


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def check_keys(records: Iterable[Record]) -> Iterator[Finding]:
    """Findings for keys that are none, that are too weak, and that belong to two people.

    Source: security rule R8.
    """
    holders: dict[PublicKey, tuple[Record, int]] = {}
    for record in sorted((one for one in records if one.kind == "Person"), key=lambda one: one.path):
        written = record.spec.get("keys")
        for number, one in enumerate(written if isinstance(written, list) else []):
            pointer: Pointer = ("spec", "keys", number, "key")
            where = {"pointer": pointer_text(pointer), "record": record.id}
            try:
                public = parse_public_key(str(one.get("key", "")) if isinstance(one, dict) else "")
            except NotAKey as error:
                message = f"This key cannot be taken: {error}."
                yield finding(
                    "key-invalid", message, record.place(pointer), hint="Make one: ssh-keygen -t ed25519", **where
                )
                continue
            first = holders.setdefault(public, (record, number))
            if first != (record, number):
                message = f"{first[0].id} has the key {public.fingerprint} already; a key is one person's, and once."
                yield finding(
                    "key-shared", message, record.place(pointer), hint="Make another: ssh-keygen -t ed25519", **where
                )
