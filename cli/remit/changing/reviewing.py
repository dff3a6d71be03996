"""What people say about a change: approve, reject, withdraw; signed with their own keys where the base has keys.

Source: design section 7; security rules R7-R9, R12.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from remit.changes import Approval, Change, Verdict, approval_text, signed_text, with_trailers
from remit.changing.proposals import Proposal, found, must_be, writers
from remit.changing.targets import (
    CHANGES,
    REVIEW_FILE,
    REVIEWS,
    WITHDRAWN,
    Target,
    identity_of,
    me,
    post,
    registry_at,
    target,
)
from remit.errors import Refused
from remit.git import Identity
from remit.registry import Registry
from remit.sentences import say
from remit.signing import Sign, unsigned
from remit.store import Store


def approve(
    store: Store,
    id: str,
    *,
    at: datetime,
    not_after: datetime | None = None,
    reason: str = "",
    seen: str = "",
    sign: Sign = unsigned,
) -> Approval:
    """Say yes to a change exactly as it is now, or to one that was applied in an emergency and waits for its review.

    ``seen`` is the newest commit of its branch when it was last looked at; empty when that is not known.

    Raises:
        Refused: you are no Person of its base, you wrote a part of it, it is not open any more, or it went on since
            it was looked at.
    """
    if not_after is not None and not_after <= at:
        raise Refused(say("change.runs-out-before"), hint=say("change.later-not-after"))
    return _review(store, id, "approve", reason.strip(), at, not_after, sign, seen)


def reject(store: Store, id: str, reason: str, *, at: datetime, sign: Sign = unsigned) -> Approval:
    """Say no to a change as it is now; one rejection outweighs every approval until the same person approves."""
    if not reason.strip():
        raise Refused(say("change.reject-needs-reason"), hint=say("change.reject-example", id=id))
    return _review(store, id, "reject", reason.strip(), at, None, sign)


def withdraw(store: Store, id: str, *, at: datetime, sign: Sign = unsigned) -> Change:
    """Take your own change off the table; its commits are kept under ``refs/remit/withdrawn/``.

    Raises:
        Refused: it is somebody else's, or not open any more.
    """
    aim = target(store)
    proposal = found(store, aim, id, None)
    change, identity = proposal.change, identity_of(aim.repository)
    left = aim.posted(CHANGES).get(change.id)
    if proposal.state == "withdrawn" and left is None:
        return change
    must_be(proposal, "open", "rejected", "outdated", "withdrawn")
    if identity.email.casefold() != change.author.email.casefold():
        message = say("change.not-yours", change=change.id, author=f"{change.author.name} <{change.author.email}>")
        raise Refused(message, hint=say("change.reject-instead", id=change.id))
    if proposal.state == "withdrawn":
        post(aim, {CHANGES + change.id: (left, None)})
        return change
    registry = registry_at(store, change.base)
    kept = change.head
    if registry.signs:
        said = statement(aim, change, "withdraw", me(registry, identity).person, registry, at=at, sign=sign)
        kept = _posted(aim, said, identity, change.head, at)
    # Kept first, removed second: a stop in between leaves both, and withdrawn wins.
    post(aim, {WITHDRAWN + change.id: (None, kept), CHANGES + change.id: (change.head, None)})
    return change


def _review(
    store: Store,
    id: str,
    verdict: Verdict,
    reason: str,
    at: datetime,
    not_after: datetime | None,
    sign: Sign,
    seen: str = "",
) -> Approval:
    aim = target(store)
    proposal = found(store, aim, id, at)
    change, identity = proposal.change, identity_of(aim.repository)
    if not proposal.owed:
        must_be(proposal, "open", "approved", "rejected")
    registry = registry_at(store, change.base)
    person = _reviewer(proposal, registry, identity)
    if seen not in ("", change.head):
        message = say("change.went-on", change=change.id, seen=seen[:12], now=change.head[:12])
        raise Refused(message, hint=f"remit review {change.id}")
    approval = statement(aim, change, verdict, person, registry, at=at, not_after=not_after, reason=reason, sign=sign)
    earlier = aim.posted(f"{REVIEWS}{change.id}/").get(person)
    post(aim, {f"{REVIEWS}{change.id}/{person}": (earlier, _posted(aim, approval, identity, earlier, at))})
    return approval


def statement(
    aim: Target,
    change: Change,
    verdict: Verdict,
    person: str,
    registry: Registry,
    *,
    at: datetime,
    sign: Sign,
    not_after: datetime | None = None,
    reason: str = "",
) -> Approval:
    """What a person says about exactly this change, signed where the base has keys.

    Raises:
        Refused: a signature is needed and the person has no valid key, or none at hand.
    """
    said = Approval(
        change=change.id, repository=aim.repository.root_commit(aim.tip), ref=change.ref, base=change.base,
        tree=change.tree, manifest_digest=change.manifest.digest, words=change.words, verdict=verdict, person=person,
        at=at.astimezone(UTC), not_after=not_after.astimezone(UTC) if not_after else None, reason=reason,
    )  # fmt: skip
    if not registry.signs:
        return said
    if not (keys := registry.usable_keys(person, at)):
        odd = next((why for key in registry.keys_of(person) if (why := key.why_not(at))), say("change.no-key"))
        message = say("change.cannot-sign", person=person or say("change.you"), why=odd)
        raise Refused(message, hint=say("change.add-key"))
    return replace(said, signature=sign(signed_text(said), keys))


def _posted(aim: Target, said: Approval, identity: Identity, earlier: str | None, at: datetime) -> str:
    """A commit that holds what was said, after what the same person said before."""
    tree = aim.repository.commit_with(None, {REVIEW_FILE: approval_text(said)})
    subject = with_trailers(f"{said.verdict} {said.change}", said.change)
    return aim.repository.commit_tree(tree, [earlier] if earlier else [], subject, identity, identity, at)


def _reviewer(proposal: Proposal, registry: Registry, identity: Identity) -> str:
    change, person = proposal.change, me(registry, identity).person
    own = identity.email.casefold() in {email.casefold() for email in change.contributors}
    if own or (person and person in writers(change, registry)):
        raise Refused(say("change.wrote-part", change=change.id), hint=say("change.review-shows-who"))
    if not person:
        raise Refused(say("change.email-of-nobody", email=identity.email), hint=say("change.email-set"))
    if proposal.emergency is not None and proposal.emergency.person == person:
        raise Refused(say("change.acted-yourself", change=change.id), hint=say("change.review-shows-who"))
    return person
