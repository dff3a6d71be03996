"""Keys of people: what each has, and adding or revoking one as a change that needs its approvals like any other.

Source: design section 7; security rules R6, R8, R10.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from remit.changes import Change
from remit.changing.proposing import propose_files
from remit.changing.targets import target
from remit.errors import NotFound, Refused, UserError
from remit.findings import did_you_mean
from remit.recording import Draft, set_fields
from remit.records import build_snapshot
from remit.registry import Key, Registry
from remit.schemas import load_schemas
from remit.sentences import say
from remit.signatures import NotAKey, PublicKey, parse_public_key
from remit.signing import Sign, unsigned
from remit.store import Store
from remit.times import format_instant


class Held(NamedTuple):
    """A key, whose it is, and why it is not good now (empty: it is)."""

    person: str
    key: Key
    why_not: str

    def to_json(self) -> dict[str, Any]:
        """Person, fingerprint, type, window, revocation and whether it is good."""
        begins, ends = self.key.valid_from, self.key.valid_to
        return {
            "person": self.person,
            "fingerprint": self.key.public.fingerprint,
            "type": self.key.public.type,
            "validFrom": format_instant(begins) if begins else None,
            "validTo": format_instant(ends) if ends else None,
            "revoked": self.key.revoked or None,
            "valid": not self.why_not,
        }


def keys_at(registry: Registry, at: datetime) -> list[Held]:
    """Every key of the base, by person, in the order of the records."""
    return [Held(name, key, key.trouble(at)) for name in registry.everybody for key in registry.keys_of(name)]


def read_key(text: str, where: str) -> PublicKey:
    """The public key in a ``.pub`` file.

    Raises:
        UserError: it is a private key, no key, or too weak.
    """
    if "PRIVATE KEY" in text:
        raise UserError(say("people.private", path=where), say("people.public-is", path=f"{where}.pub"))
    try:
        return parse_public_key(text)
    except NotAKey as error:
        raise UserError(say("people.holds-none", path=where, why=error.args[0]), say("people.make-one")) from error


def add_key(
    store: Store,
    person: str,
    public: PublicKey,
    *,
    at: datetime,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    message: str = "",
    sign: Sign = unsigned,
) -> Change:
    """Propose that a person may sign with a key.

    Raises:
        NotFound: there is no such person.
        Refused: somebody has the key already, or you cannot sign the change.
    """
    draft = key_draft(store.files_of(target(store).tip).blobs, person, public, valid_from=valid_from, valid_to=valid_to)
    text = message or f"{person} signs with {public.fingerprint}"
    return propose_files(store, draft.files, text, at=at, sign=sign)


def key_draft(
    blobs: Mapping[str, bytes],
    person: str,
    public: PublicKey,
    *,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
) -> Draft:
    """The record of a person with one key more, which nobody among ``blobs`` may have.

    Raises:
        NotFound: there is no such person.
        Refused: somebody has the key already.
    """
    registry, person = Registry.of(blobs), person.removeprefix("Person/")
    _must_know(registry, person)
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        raise UserError(say("people.ends-first"), say("people.later-end"))
    for holder in registry.everybody:
        if any(key.public == public for key in registry.keys_of(holder)):
            already = say("people.registered-already", key=public.fingerprint)
            others = say("people.registered-of-another", key=public.fingerprint, person=holder)
            raise Refused(already if holder == person else others, say("people.make-another"))
    window = {"validFrom": valid_from, "validTo": valid_to}
    written = {"key": public.line} | {name: format_instant(when) for name, when in window.items() if when}
    return _edited(blobs, person, "keys[+]", written)


def revoke_key(
    store: Store, person: str, fingerprint: str, reason: str, *, at: datetime, sign: Sign = unsigned
) -> Change:
    """Propose that a key is never taken again; what it signed before that is applied stays as it is.

    Raises:
        NotFound: the person has no such key.
        Refused: it is revoked already, or you cannot sign the change.
    """
    blobs = store.files_of(target(store).tip).blobs
    registry, person = Registry.of(blobs), person.removeprefix("Person/")
    _must_know(registry, person)
    keys = registry.keys_of(person)
    found = [number for number, key in enumerate(keys) if key.public.fingerprint == fingerprint]
    if not found:
        hint = did_you_mean(fingerprint, [key.public.fingerprint for key in keys])
        raise NotFound(say("people.has-no-key", person=person, key=fingerprint), hint or say("people.see-keys"))
    if keys[found[0]].revoked:
        raise Refused(say("people.revoked-already", key=fingerprint, reason=keys[found[0]].revoked))
    draft = _edited(blobs, person, f"keys[{found[0]}].revoked", reason)
    return propose_files(
        store, draft.files, f"The key {fingerprint} of {person} is revoked\n\n{reason}", at=at, sign=sign
    )


def _must_know(registry: Registry, person: str) -> None:
    if person not in registry.everybody:
        hint = did_you_mean(person, registry.everybody) or say("people.see-people")
        raise NotFound(say("people.no-person", person=person), hint)


def _edited(blobs: Mapping[str, bytes], person: str, path: str, value: Any) -> Draft:
    schemas, _ = load_schemas(blobs)
    assignment = f"{path}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
    return set_fields(build_snapshot(blobs), schemas, f"Person/{person}", [assignment])
