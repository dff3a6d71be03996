"""Changes as they stand: what each proposes, who said what about it, and where it is on its way.

Source: design section 7; security rules R1, R7-R9, R12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from remit.changes import (
    REVIEWED_TRAILER,
    Approval,
    Change,
    Manifest,
    Person,
    Touched,
    co_authors,
    is_governed,
    is_name,
    manifest,
    parse_approval,
    parse_message,
)
from remit.changing.requiring import Judge, Requirement, effective, required, signed_proposal
from remit.changing.targets import (
    CHANGES,
    REVIEW_FILE,
    REVIEWS,
    WITHDRAWN,
    Target,
    inside,
    overlap,
    registry_at,
    result_tree,
    root_where,
    target,
)
from remit.errors import NotFound, Refused, UserError
from remit.findings import did_you_mean
from remit.git import Repository
from remit.registry import Registry
from remit.sentences import Text, say
from remit.store import Files, Store

State = Literal["open", "approved", "rejected", "applied", "withdrawn", "outdated", "unreadable"]


class Review(NamedTuple):
    """A verdict that somebody posted; ``why`` says why it does not count, and is empty when it does."""

    approval: Approval
    why: str

    @property
    def holds(self) -> bool:
        """True when it is about exactly this change by somebody who may speak on it."""
        return not self.why


@dataclass(frozen=True)
class Proposal:
    """A change with its reviews (by person) and where it stands.

    Attributes:
        applied: The commit of the protected branch that carries it, when it is applied.
        moved: What moved on the protected branch since its base so that it no longer fits; empty when it fits. Of an
            unreadable one: why it is.
        unsigned: Why its proposer's signature does not hold; empty when it does, or none is needed.
        emergency: What the person said who applied it in an emergency; None when it was not.
        owed: It was applied in an emergency, and nobody has looked at it since as the rules ask.
    """

    change: Change
    state: State
    reviews: tuple[Review, ...]
    applied: str | None = None
    moved: tuple[str, ...] = ()
    unsigned: str = ""
    emergency: Approval | None = None
    owed: bool = False

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """The reviews that count and say yes."""
        return tuple(r.approval for r in self.reviews if r.holds and r.approval.verdict == "approve")

    @property
    def rejected_by(self) -> tuple[str, ...]:
        """Who says no."""
        return tuple(r.approval.person for r in self.reviews if r.holds and r.approval.verdict == "reject")


def changes(
    store: Store, *, at: datetime | None = None, judge: Judge | None = None, fetch: bool = True
) -> list[Proposal]:
    """Every change with its reviews and state, by id.

    Args:
        store: The store.
        at: Reviews that have run out by then do not count; None: none runs out.
        judge: Without it no change is called ``approved``.
        fetch: Ask the origin first.
    """
    aim = target(store, fetch=fetch)
    withdrawn, open_ones = aim.posted_each(WITHDRAWN, CHANGES)
    heads = {id: head for id, head in (open_ones | _proposed(aim, withdrawn)).items() if is_name(id)}
    found = [_any_proposal(store, aim, id, head, at, id in withdrawn) for id, head in sorted(heads.items())]
    return [_with_approved(store, aim, proposal, judge, at) for proposal in found]


def find(
    store: Store, id: str, *, at: datetime | None = None, judge: Judge | None = None, fetch: bool = True
) -> Proposal:
    """One change, by its id or a beginning of it that fits no other.

    Raises:
        NotFound: there is no such change, or several.
    """
    aim = target(store, fetch=fetch)
    return _with_approved(store, aim, found(store, aim, id, at), judge, at)


def sides(store: Store, change: Change) -> tuple[Files, Files]:
    """The store at the change's base and as the change would make it."""
    base = store.in_git().commit(change.base)
    return store.files_of(base.sha, base.sha, base.committed), store.files_of(change.tree, change.head, change.created)


def requirements(store: Store, change: Change, judge: Judge, *, at: datetime | None = None) -> list[Requirement]:
    """What the rules of the base ask of a change and how far it is given, as last seen of the origin."""
    aim = target(store, fetch=False)
    return requirements_of(store, aim, found(store, aim, change.id, at), judge, at)


def found(store: Store, aim: Target, id: str, at: datetime | None) -> Proposal:
    """One change by its id or a beginning of it, as the target has it."""
    said = [f"{REVIEWS}{id}/"] if is_name(id) else []
    withdrawn, open_ones, *reviews = aim.posted_each(WITHDRAWN, CHANGES, *said)
    heads = open_ones | _proposed(aim, withdrawn)
    names = [id] if id in heads else [name for name in sorted(heads) if id and name.startswith(id)]
    if len(names) > 1:
        raise NotFound(say("change.fits-several", id=id, names=names), hint=say("change.write-more"))
    if not names or not is_name(names[0]):
        raise NotFound(say("change.no-change", id=id), hint=did_you_mean(id, heads) or say("change.changes-lists"))
    name = names[0]
    posted = reviews[0] if name == id and reviews else aim.posted(f"{REVIEWS}{name}/")
    return _proposal(store, aim, name, heads[name], posted, at=at, withdrawn=name in withdrawn)


def _proposed(aim: Target, withdrawn: Mapping[str, str]) -> dict[str, str]:
    """The newest commit of each withdrawn change; where it was withdrawn by a signature, that stands before it."""
    texts = aim.repository.find_blobs(f"{sha}:{REVIEW_FILE}" for sha in withdrawn.values())
    signed = {id: sha for id, sha in withdrawn.items() if f"{sha}:{REVIEW_FILE}" in texts}
    return {id: aim.repository.commit(sha).parents[0] if id in signed else sha for id, sha in withdrawn.items()}


def _any_proposal(store: Store, aim: Target, id: str, head: str, at: datetime | None, withdrawn: bool) -> Proposal:
    """Like ``_proposal``, and a branch that is no change of this store does not hide the others."""
    try:
        return _proposal(store, aim, id, head, aim.posted(f"{REVIEWS}{id}/"), at=at, withdrawn=withdrawn)
    except UserError as error:
        nobody, never = Person("", ""), datetime.fromtimestamp(0, UTC)
        change = Change(id, error.message, "", nobody, head, "", head, Manifest(()), aim.ref, never)
        return Proposal(change, "unreadable", (), moved=(error.message,))


def _proposal(
    store: Store,
    aim: Target,
    id: str,
    head: str,
    posted: Mapping[str, str],
    *,
    at: datetime | None,
    withdrawn: bool,
) -> Proposal:
    change = change_at(store, aim, id, head)
    applied = applied_as(aim, change)
    registry = registry_at(store, change.base)
    root = root_where(aim.repository, aim.tip, asked=registry.signs or bool(posted))
    emergency = _emergency(aim, applied) if applied else None
    owed = emergency is not None and applied is not None and not _looked_at(aim, change.id, applied)
    # Whether a signature was good when a change was applied is for audit to say; the clock has gone on since.
    unsigned = why_not_proposed(change, root, registry, None if applied else at)
    reviews = reviews_of(aim.repository, posted, change, registry, root, at if owed or not applied else None)
    reviews = tuple(_of_another(review, emergency) for review in reviews)
    moved = () if applied else tuple(_moved(store, aim, change))
    if applied:
        state: State = "applied"
    elif withdrawn:
        state = "withdrawn"
    elif any(review.holds and review.approval.verdict == "reject" for review in reviews):
        state = "rejected"
    else:
        state = "outdated" if moved else "open"
    return Proposal(change, state, reviews, applied, moved, unsigned, emergency, owed)


def _with_approved(store: Store, aim: Target, proposal: Proposal, judge: Judge | None, at: datetime | None) -> Proposal:
    if judge is None or proposal.state != "open":
        return proposal
    enough = all(requirement.satisfied for requirement in requirements_of(store, aim, proposal, judge, at))
    return replace(proposal, state="approved") if enough else proposal


def change_at(store: Store, aim: Target, id: str, head: str) -> Change:
    """What the newest commit of a change's branch proposes.

    Raises:
        Refused: it has no common history with the protected branch.
    """
    repository = aim.repository
    newest = repository.commit(head)
    base = repository.merge_base(aim.tip, head)
    if base is None:
        hint = "git fetch --unshallow" if repository.is_shallow else say("change.propose-again-on", branch=aim.branch)
        raise Refused(say("change.change-no-history", id=id, branch=aim.branch), hint=hint)
    if base == head and newest.parents:  # somebody merged its branch as it is
        base = newest.parents[0]
    commits = repository.log(head, exclude=[base])
    emails = {email for c in commits for email in (c.email, c.committer_email, *co_authors(c.message))}
    said = parse_message(newest.message)
    title, _, body = said.text.partition("\n")
    touched = manifest(Touched(c.path, c.old, c.new) for c in repository.changed_paths(base, head))
    names = registry_at(store, base).with_emails([newest.email])
    author = Person(newest.author, newest.email, names[0] if names else "")
    proposed = next((one for one in said.approvals if one.verdict == "propose"), None)
    return Change(
        id, title.strip(), body.strip("\n"), author, base, newest.tree, head, touched, aim.ref, newest.when,
        tuple(sorted(emails)), said.effective, proposed,
    )  # fmt: skip


def applied_as(aim: Target, change: Change) -> str | None:
    """The commit of the protected branch that carries the change: its history says so, nothing else (rule R1)."""
    if aim.repository.is_ancestor(change.head, aim.tip):
        return change.head
    commits = aim.repository.log(aim.tip, exclude=[change.base])
    return next((c.sha for c in reversed(commits) if parse_message(c.message).change == change.id), None)


def _emergency(aim: Target, applied: str) -> Approval | None:
    said = parse_message(aim.repository.commit(applied).message).approvals
    return next((one for one in said if one.verdict == "emergency"), None)


def _looked_at(aim: Target, id: str, applied: str) -> bool:
    """Whether a commit of the protected branch says that an emergency change was looked at afterwards."""
    later = aim.repository.log(aim.tip, exclude=[applied], saying=[f"{REVIEWED_TRAILER}: {id}"])
    return any(parse_message(commit.message).reviewed == id for commit in later)


def _moved(store: Store, aim: Target, change: Change) -> list[str]:
    """Paths that moved since the base and that the change touches or is judged by."""
    if change.base == aim.tip:
        return []
    touched = set(change.manifest.paths)
    moved = [changed.path for changed in aim.repository.changed_paths(change.base, aim.tip)]
    return [path for path in moved if is_governed(inside(store, path)) or any(overlap(path, one) for one in touched)]


# -- what people said --------------------------------------------------------------------------------------------------


def reviews_of(
    repository: Repository,
    posted: Mapping[str, str],
    change: Change,
    registry: Registry,
    root: str,
    at: datetime | None,
) -> tuple[Review, ...]:
    """What people said about a change, by person; ``posted`` names the commit in which each said it last."""
    texts = repository.find_blobs(f"{sha}:{REVIEW_FILE}" for sha in posted.values())
    found = []
    for person, sha in sorted(posted.items()):
        approval = parse_approval(texts.get(f"{sha}:{REVIEW_FILE}", b""))
        if approval is not None and approval.verdict in ("approve", "reject"):
            found.append(Review(approval, _why_not(approval, change, person, root, registry, at)))
    return tuple(found)


def _of_another(review: Review, emergency: Approval | None) -> Review:
    """The review; it does not count when its person applied the change without waiting for reviews."""
    person = review.approval.person
    acted = emergency is not None and emergency.person == person
    return review._replace(why=say("change.acted-in-emergency", person=person)) if acted else review


def _why_not(
    approval: Approval, change: Change, person: str, root: str, registry: Registry, at: datetime | None
) -> str:
    """Why a review does not count; empty when it does."""
    if approval.person != person:
        return say("change.given-elsewhere")
    if why := why_other(approval, change, root):
        return why
    if not registry.known(person):
        return say("change.no-person-of-base", person=person)
    if person in writers(change, registry):
        return say("change.person-wrote-part", person=person)
    if approval.not_after is not None and at is not None and approval.not_after < at:
        return say("change.ran-out")
    return registry.why_unsigned(approval, at)


def why_not_proposed(change: Change, root: str, registry: Registry, at: datetime | None) -> str:
    """Why the proposer's signature does not hold; empty when it does, or where nobody has a key."""
    if not registry.signs:
        return ""
    if change.proposed is None:
        return say("change.not-signed")
    return why_other(change.proposed, change, root) or registry.why_unsigned(change.proposed, at)


def why_other(approval: Approval, change: Change, root: str) -> str:
    """Why words are not about exactly this change; empty when they are."""
    if (approval.repository, approval.ref) != (root, change.ref):
        return say("change.given-elsewhere")
    exact = (change.id, change.base, change.tree, change.manifest.digest, change.words)
    if (approval.change, approval.base, approval.tree, approval.manifest_digest, approval.words) != exact:
        return say("change.was-different")
    return ""


def writers(change: Change, registry: Registry) -> set[str]:
    """Everybody of the base who wrote a part of a change, or signed it as its proposer."""
    signed = [change.proposed.person] if change.proposed is not None else []
    return {*registry.with_emails(change.contributors), *signed}


def requirements_of(
    store: Store, aim: Target, proposal: Proposal, judge: Judge, at: datetime | None = None
) -> list[Requirement]:
    """What must be there before a change may be applied, and how far it is."""
    change = proposal.change
    fits = not proposal.moved and not proposal.applied
    base = aim.repository.commit(aim.tip if fits else change.base)
    before = store.files_of(base.sha, base.sha, base.committed)
    after = store.files_of(result_tree(aim.repository, base.tree, change))
    asked = required(
        judge, before, after, local(store, change.manifest), change.author, change.contributors,
        signers=[*([change.proposed.person] if change.proposed else []), *_acted(aim, proposal)],
        given={approval.person for approval in proposal.approvals}, exact=base.sha == change.base,
    )  # fmt: skip
    signs = Registry.of(before.blobs).signs
    return [*([signed_proposal(change, proposal.unsigned)] if signs else []), *effective(change, at), *asked]


def _acted(aim: Target, proposal: Proposal) -> list[str]:
    """Who applied a change in an emergency; nobody for any other."""
    said = parse_message(aim.repository.commit(proposal.applied).message).approvals if proposal.applied else ()
    return [one.person for one in said if one.verdict == "emergency"]


def local(store: Store, touched: Manifest) -> Manifest:
    """A manifest by the paths of the store."""
    return manifest(entry._replace(path=inside(store, entry.path)) for entry in touched.entries)


# -- what stands in the way --------------------------------------------------------------------------------------------


def must_be(proposal: Proposal, *states: State) -> None:
    """Raises ``Refused``, saying where the change is, unless it is in one of ``states``."""
    if proposal.state in states:
        return
    change = proposal.change
    parts = {
        "commit": (proposal.applied or "")[:12],
        "paths": _some(proposal.moved),
        "people": _some(proposal.rejected_by),
    }
    state = say(f"change.is-{proposal.state}", **parts)
    hint = f"remit propose --again {change.id}" if proposal.state == "outdated" else f"remit review {change.id}"
    raise Refused(say("change.cannot-act", change=change.id, state=state), hint=hint)


def _some(names: Sequence[str]) -> Sequence[str] | Text:
    return say("change.and-more", names=names[:3], count=len(names) - 3) if len(names) > 3 else names
