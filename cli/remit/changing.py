"""The life of a change: propose, review, approve or reject, apply, withdraw; on a lone repository or with an origin.

Always true here: nobody's working tree, index or HEAD is touched by proposing and reviewing; the protected branch moves
by one commit at a time and only from where we saw it; what is applied is exactly what was approved, by people whom the
*base* allows, none of whom wrote any part of it; a change is applied once. When a remote ``origin`` exists it is the
truth, and local refs only remember it.

Source: design section 7; security rules R1-R12.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from remit.changes import (
    Approval,
    Candidate,
    Change,
    Manifest,
    Need,
    Person,
    Touched,
    Verdict,
    approval_text,
    co_authors,
    is_governed,
    is_name,
    manifest,
    parse_approval,
    parse_message,
    signed_text,
    with_trailers,
)
from remit.errors import GitError, NotFound, Refused, UserError
from remit.findings import Finding, did_you_mean, has_errors
from remit.git import Commit, Identity, RefMoved, Repository
from remit.store import CONFIG, Files, Store, is_store_path, write_whole
from remit.yamltext import forbidden_character, read

ORIGIN = "origin"
CHANGES = "refs/heads/change/"
REVIEWS = "refs/remit/reviews/"
WITHDRAWN = "refs/remit/withdrawn/"
PEOPLE = "records/people/"
REVIEW_FILE = "approval"
BUILT_IN_RULE = "built-in/governed-paths"

State = Literal["open", "approved", "rejected", "applied", "withdrawn", "outdated", "unreadable"]


class Judge(Protocol):
    """What the approval policies of ``base`` ask of a change."""

    def __call__(self, base: Files, head: Files, manifest: Manifest, author: Person) -> Sequence[Need]:
        """The needs; paths of ``manifest`` are relative to the store, those outside of it begin with ``/``."""


Check = Callable[[Files], Sequence[Finding]]
"""Finds what is wrong with a store as it would be."""

Foresee = Callable[[Files, Files], str]
"""A digest of what the way from one state of the store to another does to people, due times and scores."""

Sign = Callable[[bytes], str]
"""Signs the canonical text of an approval."""


def unforeseen(before: Files, after: Files) -> str:
    """No plan: every way counts as doing the same."""
    return ""


def unsigned(text: bytes) -> str:
    """No signature: the place where signing comes in."""
    return ""


class NotApplicable(Refused):
    """A change may not be applied now; ``findings`` says what the result would break, when that is why."""

    def __init__(self, message: str, hint: str = "", findings: Sequence[Finding] = ()) -> None:
        super().__init__(message, hint)
        self.findings = tuple(findings)


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
    """

    change: Change
    state: State
    reviews: tuple[Review, ...]
    applied: str | None = None
    moved: tuple[str, ...] = ()


@dataclass(frozen=True)
class Requirement:
    """What one rule of the base asks, who could give it, who has, and whether that is enough."""

    rule: str
    need: str
    candidates: tuple[Candidate, ...]
    given_by: tuple[str, ...]
    satisfied: bool
    why: str


@dataclass(frozen=True)
class Applied:
    """The commit that carries a change; ``already`` when it was there before; ``notes`` are for the user."""

    change: Change
    commit: str
    approvals: tuple[Approval, ...]
    already: bool = False
    notes: tuple[str, ...] = ()


class Entry(NamedTuple):
    """One step of a history: a commit, the change that it applied (empty: none) and the approvals that it carries."""

    commit: Commit
    change: str
    approvals: tuple[Approval, ...]


@dataclass(frozen=True)
class Target:
    """The protected branch as it is now, and where its truth lives (``remote`` None: here)."""

    repository: Repository
    ref: str
    tip: str
    remote: str | None

    @property
    def branch(self) -> str:
        """The short name of the branch."""
        return self.ref.removeprefix("refs/heads/")

    def seen(self, ref: str) -> str:
        """The local ref that shows ``ref`` of the place of truth."""
        return _tracking(ref) if self.remote else ref

    def posted(self, prefix: str) -> dict[str, str]:
        """Refs below ``prefix`` at the place of truth: what follows the prefix, and the object."""
        here = self.seen(prefix)
        return {name.removeprefix(here): oid for name, oid in self.repository.refs(here).items()}


def _tracking(ref: str) -> str:
    if ref.startswith("refs/heads/"):
        return f"refs/remotes/{ORIGIN}/{ref.removeprefix('refs/heads/')}"
    return f"refs/remit/{ORIGIN}/{ref.removeprefix('refs/remit/')}"


# -- who and where -----------------------------------------------------------------------------------------------------


def people_of(files: Files) -> dict[str, str]:
    """The e-mail of every Person record that has one, by name; a record that cannot be read is nobody."""
    return _emails({path: data for path, data in files.blobs.items() if path.startswith(PEOPLE)})


def me(people: Mapping[str, str], identity: Identity) -> Person:
    """Who git says that the user is, and the Person record with that e-mail, if there is one.

    Raises:
        Refused: several people have that e-mail.
    """
    names = _names_of(people, [identity.email])
    if len(names) > 1:
        raise Refused(f"{identity.email} belongs to several people: {', '.join(names)}", hint="give each an own e-mail")
    return Person(identity.name, identity.email, names[0] if names else "")


def target(store: Store, *, fetch: bool = True) -> Target:
    """The protected branch where changes go, read from the origin when there is one.

    Args:
        store: The store.
        fetch: Ask the origin first; otherwise use what was last seen.

    Raises:
        Refused: not under git, or no commit on the branch yet.
    """
    repository = store.in_git()
    remote = ORIGIN if repository.remote(ORIGIN) else None
    branch = _protected(store, repository, "HEAD")
    found = _look(repository, branch, remote, fetch=fetch)
    # The branch itself has the last word on which branch is protected, not the commit that happens to be checked out.
    own = _protected(store, repository, found.tip)
    return found if own == branch else _look(repository, own, remote, fetch=fetch)


def _look(repository: Repository, branch: str, remote: str | None, *, fetch: bool) -> Target:
    ref = f"refs/heads/{branch}"
    if remote and fetch:
        _fetch(repository, ref)
    tip = repository.ref(_tracking(ref) if remote else ref)
    if tip is None:
        where = f'"{remote}"' if remote else "this repository"
        hint = f"git push {remote} {branch}" if remote else f"commit the store once on {branch}"
        raise Refused(f'{where} has no commit on the protected branch "{branch}" yet', hint=hint)
    return Target(repository, ref, tip, remote)


def _fetch(repository: Repository, ref: str) -> None:
    shared = [f"+{prefix}*:{_tracking(prefix)}*" for prefix in (CHANGES, REVIEWS, WITHDRAWN)]
    branch, seen = ref.removeprefix("refs/heads/"), repository.ref(_tracking(ref))
    try:
        # Without a plus: a branch that was rewritten behind our back does not replace what we saw (rule R23).
        repository.fetch(ORIGIN, [f"{ref}:{_tracking(ref)}", *shared])
    except GitError as error:
        if "find remote ref" in error.message:
            hint = f"git push {ORIGIN} {branch}"
            raise Refused(f'"{ORIGIN}" has no commit on the protected branch "{branch}" yet', hint=hint) from error
        if "non-fast-forward" in error.message and seen:
            message = f'"{ORIGIN}" rewrote {branch}: it no longer goes back to {seen[:12]}, which was there before'
            raise Refused(message, hint="ask who did, and why, before you trust it") from error
        raise


def _protected(store: Store, repository: Repository, commit: str) -> str:
    """What ``remit.yaml`` of a commit calls the protected branch; of the working tree when there is no commit."""
    if repository.exists(commit):
        name = store.prefix + CONFIG
        listed = repository.list_tree(commit, [name])
        data = repository.read_blobs([listed[name].oid]) if name in listed else {}
        text = next(iter(data.values()), b"")
    else:
        text = b"" if store.is_bare else store.read(CONFIG)
    document, _ = read(text, CONFIG)
    value = document.value if document is not None else None
    branch = value.get("protected") if isinstance(value, dict) else None
    return branch if isinstance(branch, str) and branch else "main"


def _identity(repository: Repository) -> Identity:
    if (found := repository.identity()) is None:
        hint = 'git config user.name "Your Name" && git config user.email you@example.org'
        raise Refused("git does not know who you are", hint=hint)
    return found


def _emails(records: Mapping[str, bytes]) -> dict[str, str]:
    people = {}
    for path, data in sorted(records.items()):
        document, _ = read(data, path)
        email = _dig(document.value if document is not None else None, "spec", "contact", "email")
        name = _dig(document.value if document is not None else None, "metadata", "name")
        if isinstance(email, str) and isinstance(name, str) and is_name(name):
            people[name] = email
    return people


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _names_of(people: Mapping[str, str], emails: Iterable[str]) -> tuple[str, ...]:
    wanted = {email.casefold() for email in emails}
    return tuple(sorted(name for name, email in people.items() if email.casefold() in wanted))


def _people_at(store: Store, commit: str) -> dict[str, str]:
    repository = store.in_git()
    listing = repository.list_tree(commit, [store.prefix + PEOPLE])
    blobs = repository.read_blobs(entry.oid for entry in listing.values())
    return _emails({path: blobs[entry.oid] for path, entry in listing.items()})


# -- proposing ---------------------------------------------------------------------------------------------------------


def propose(store: Store, message: str, paths: Sequence[str] | None = None, *, at: datetime) -> Change:
    """Put what differs in the working tree onto a branch of its own, and on the origin when there is one.

    The difference is taken against the commit that the working tree comes from and laid onto the tip of the protected
    branch, so that a working tree that is behind takes nothing back.

    Args:
        store: A store with a working tree; it is only read.
        message: Title, and after an empty line anything else.
        paths: Files or folders of the store to take; all when None.
        at: When; it becomes part of the id.

    Raises:
        Refused: nothing differs, a path moved on both sides, nobody is known to git, there is no working tree.
    """
    if store.is_bare:
        raise Refused("this is a bare repository: it has no files to propose", hint="propose from a clone of it")
    repository, text = store.in_git(), _message(message)
    author = _identity(repository)
    if repository.head().commit is None:
        raise Refused("there is no commit yet to propose a change of", hint="commit the store once: git commit")
    aim = target(store)
    return _put_up(store, aim, _differences(store, _fork(aim, repository), aim, paths), text, author, at)


def propose_files(store: Store, files: Mapping[str, bytes | None], message: str, *, at: datetime) -> Change:
    """Put files (None: removed) onto a branch of their own, whatever the working tree holds.

    Raises:
        Refused: there is nothing to propose, or nobody is known to git.
    """
    repository, text = store.in_git(), _message(message)
    if not files:
        raise Refused("there is nothing to propose", hint="say which files")
    author = _identity(repository)
    if repository.head().commit is None:
        raise Refused("there is no commit yet to propose a change of", hint="commit the store once: git commit")
    return _put_up(store, target(store), files, text, author, at)


def _put_up(
    store: Store, aim: Target, new: Mapping[str, bytes | None], text: str, author: Identity, at: datetime
) -> Change:
    repository = aim.repository
    base = repository.tree_of(aim.tip)
    tree = repository.commit_with(base, {store.prefix + path: data for path, data in new.items()})
    # The branch begins with the id, and so does its own commit message.
    for digits in (6, 12, 24):
        change = _new_id(aim.tip, tree, author, text, at, digits)
        commit = repository.commit_tree(tree, [aim.tip], with_trailers(text, change), author, author, at)
        present = aim.posted(CHANGES).get(change)
        if present in (None, commit):
            break
    if present is None:
        _post(aim, {CHANGES + change: (None, commit)})
    return _change(store, aim, change, commit)


def _fork(aim: Target, repository: Repository) -> str:
    if fork := repository.merge_base("HEAD", aim.tip):
        return fork
    if repository.is_shallow:
        raise Refused("this clone is shallow and lacks the base of the change", hint="git fetch --unshallow")
    raise Refused(f"HEAD and {aim.branch} have no common history", hint=f"git checkout {aim.branch}")


def _differences(store: Store, fork: str, aim: Target, paths: Sequence[str] | None) -> dict[str, bytes | None]:
    files = store.files()
    wanted = None if paths is None else tuple(path.removeprefix("./").rstrip("/") for path in paths)
    if odd := [found for found in files.findings if _is_wanted(found.place.path, wanted)]:
        raise Refused(odd[0].message, hint=odd[0].hint or "only regular files can be proposed")
    repository = aim.repository
    before, now = _oids(store, fork), {path: repository.blob_id(data) for path, data in files.blobs.items()}
    tip = before if fork == aim.tip else _oids(store, aim.tip)
    known = sorted(before.keys() | now.keys())
    for path in wanted or ():
        if not any(_is_wanted(name, (path,)) for name in known):
            raise NotFound(f"there is nothing at {path}", hint=did_you_mean(path, known))
    changed = [path for path in known if before.get(path) != now.get(path) and _is_wanted(path, wanted)]
    new = [path for path in changed if tip.get(path) != now.get(path)]
    if clash := [path for path in new if tip.get(path) != before.get(path)]:
        message = f"{clash[0]} was changed on {aim.branch} too, since your working tree was last brought up to date"
        raise Refused(message, hint="bring it up to date first: git pull")
    if not new:
        raise Refused(f"nothing differs from {aim.branch}", hint="change a file of the store first: git status")
    return {path: files.blobs.get(path) for path in new}


def _oids(store: Store, commit: str) -> dict[str, str]:
    return {path: entry.oid for path, entry in store.listing(commit).items() if is_store_path(path)}


def _is_wanted(path: str, wanted: tuple[str, ...] | None) -> bool:
    return wanted is None or any(w in ("", ".") or _overlap(path, w) for w in wanted)


def _message(message: str) -> str:
    text = "\n".join(line.rstrip() for line in message.strip().split("\n"))
    if not text:
        raise Refused("a change needs a title", hint='remit propose -m "what changes, and why"')
    if odd := forbidden_character(text):
        raise Refused(f"the message holds the character {odd}", hint="write it as plain text")
    return text


def _new_id(base: str, tree: str, author: Identity, text: str, at: datetime, digits: int) -> str:
    day = at.astimezone(UTC)
    parts = json.dumps([base, tree, author.name, author.email, day.isoformat(), text]).encode()
    return f"c-{day:%Y%m%d}-{hashlib.sha256(parts).hexdigest()[:digits]}"


# -- reading changes ---------------------------------------------------------------------------------------------------


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
    withdrawn, open_ones = aim.posted(WITHDRAWN), aim.posted(CHANGES)
    heads = {id: head for id, head in (open_ones | withdrawn).items() if is_name(id)}
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
    return _with_approved(store, aim, _find(store, aim, id, at), judge, at)


def sides(store: Store, change: Change) -> tuple[Files, Files]:
    """The store at the change's base and as the change would make it."""
    base = store.in_git().commit(change.base)
    return store.files_of(base.sha, base.sha, base.committed), store.files_of(change.tree, change.head, change.created)


def requirements(store: Store, change: Change, judge: Judge, *, at: datetime | None = None) -> list[Requirement]:
    """What the rules of the base ask of a change and how far it is given, as last seen of the origin."""
    aim = target(store, fetch=False)
    return _requirements(store, aim, _find(store, aim, change.id, at), judge)


def _find(store: Store, aim: Target, id: str, at: datetime | None) -> Proposal:
    withdrawn, open_ones = aim.posted(WITHDRAWN), aim.posted(CHANGES)
    heads = open_ones | withdrawn
    names = [id] if id in heads else [name for name in sorted(heads) if id and name.startswith(id)]
    if len(names) > 1:
        raise NotFound(f'"{id}" fits several changes: {", ".join(names)}', hint="write more of the id")
    if not names or not is_name(names[0]):
        raise NotFound(f'there is no change "{id}"', hint=did_you_mean(id, heads) or "remit changes lists them")
    return _proposal(store, aim, names[0], heads[names[0]], at=at, withdrawn=names[0] in withdrawn)


def _any_proposal(store: Store, aim: Target, id: str, head: str, at: datetime | None, withdrawn: bool) -> Proposal:
    """Like ``_proposal``, and a branch that is no change of this store does not hide the others."""
    try:
        return _proposal(store, aim, id, head, at=at, withdrawn=withdrawn)
    except UserError as error:
        nobody, never = Person("", ""), datetime.fromtimestamp(0, UTC)
        change = Change(id, error.message, "", nobody, head, "", head, Manifest(()), aim.ref, never)
        return Proposal(change, "unreadable", (), moved=(error.message,))


def _proposal(store: Store, aim: Target, id: str, head: str, *, at: datetime | None, withdrawn: bool) -> Proposal:
    change = _change(store, aim, id, head)
    applied = _applied(aim, change)
    reviews = _reviews(store, aim, change, at)
    moved = () if applied else tuple(_moved(store, aim, change))
    if applied:
        state: State = "applied"
    elif withdrawn:
        state = "withdrawn"
    elif any(review.holds and review.approval.verdict == "reject" for review in reviews):
        state = "rejected"
    else:
        state = "outdated" if moved else "open"
    return Proposal(change, state, reviews, applied, moved)


def _with_approved(store: Store, aim: Target, proposal: Proposal, judge: Judge | None, at: datetime | None) -> Proposal:
    if judge is None or proposal.state != "open":
        return proposal
    enough = all(requirement.satisfied for requirement in _requirements(store, aim, proposal, judge))
    return replace(proposal, state="approved") if enough else proposal


def _change(store: Store, aim: Target, id: str, head: str) -> Change:
    repository = aim.repository
    newest = repository.commit(head)
    base = repository.merge_base(aim.tip, head)
    if base is None:
        hint = "git fetch --unshallow" if repository.is_shallow else f"propose it again on {aim.branch}"
        raise Refused(f"the change {id} has no common history with {aim.branch}", hint=hint)
    if base == head and newest.parents:  # somebody merged its branch as it is
        base = newest.parents[0]
    commits = repository.log(head, exclude=[base])
    emails = {email for c in commits for email in (c.email, c.committer_email, *co_authors(c.message))}
    title, _, body = parse_message(newest.message).text.partition("\n")
    touched = manifest(Touched(c.path, c.old, c.new) for c in repository.changed_paths(base, head))
    names = _names_of(_people_at(store, base), [newest.email])
    author = Person(newest.author, newest.email, names[0] if names else "")
    return Change(
        id, title.strip(), body.strip("\n"), author, base, newest.tree, head, touched, aim.ref, newest.when,
        tuple(sorted(emails)),
    )  # fmt: skip


def _applied(aim: Target, change: Change) -> str | None:
    """The commit of the protected branch that carries the change: its history says so, nothing else (rule R1)."""
    if aim.repository.is_ancestor(change.head, aim.tip):
        return change.head
    commits = aim.repository.log(aim.tip, exclude=[change.base])
    return next((c.sha for c in reversed(commits) if parse_message(c.message).change == change.id), None)


def _moved(store: Store, aim: Target, change: Change) -> list[str]:
    """Paths that moved since the base and that the change touches or is judged by."""
    if change.base == aim.tip:
        return []
    touched = set(change.manifest.paths)
    moved = [changed.path for changed in aim.repository.changed_paths(change.base, aim.tip)]
    return [path for path in moved if is_governed(_inside(store, path)) or any(_overlap(path, one) for one in touched)]


def _overlap(one: str, other: str) -> bool:
    """True for the same path, and for a file where the other has a folder."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _inside(store: Store, path: str) -> str:
    """A path of the repository as the store sees it; one outside of the store begins with a slash."""
    return path.removeprefix(store.prefix) if path.startswith(store.prefix) else f"/{path}"


def _reviews(store: Store, aim: Target, change: Change, at: datetime | None) -> tuple[Review, ...]:
    posted = aim.posted(f"{REVIEWS}{change.id}/")
    if not posted:
        return ()
    texts = aim.repository.find_blobs(f"{sha}:{REVIEW_FILE}" for sha in posted.values())
    people, root = _people_at(store, change.base), aim.repository.root_commit(aim.tip)
    found = []
    for person, sha in sorted(posted.items()):
        approval = parse_approval(texts.get(f"{sha}:{REVIEW_FILE}", b""))
        if approval is not None:
            found.append(Review(approval, _why_not(approval, change, person, root, people, at)))
    return tuple(found)


def _why_not(
    approval: Approval, change: Change, person: str, root: str, people: Mapping[str, str], at: datetime | None
) -> str:
    """Why a review does not count; empty when it does."""
    if (approval.person, approval.repository, approval.ref) != (person, root, change.ref):
        return "it was given elsewhere"
    exact = (change.id, change.base, change.tree, change.manifest.digest)
    if (approval.change, approval.base, approval.tree, approval.manifest_digest) != exact:
        return "the change was different when it was given"
    if person not in people:
        return f"{person} is not a person of the base"
    if person in _names_of(people, change.contributors):
        return f"{person} wrote a part of the change"
    if approval.not_after is not None and at is not None and approval.not_after < at:
        return "it ran out"
    return ""


def _requirements(store: Store, aim: Target, proposal: Proposal, judge: Judge) -> list[Requirement]:
    change = proposal.change
    fits = not proposal.moved and not proposal.applied
    base = aim.repository.commit(aim.tip if fits else change.base)
    before = store.files_of(base.sha, base.sha, base.committed)
    after = store.files_of(_result(aim.repository, base.tree, change.manifest))
    local = manifest(entry._replace(path=_inside(store, entry.path)) for entry in change.manifest.entries)
    approvers = {r.approval.person for r in proposal.reviews if r.holds and r.approval.verdict == "approve"}
    exact = base.sha == change.base
    return required(judge, before, after, local, change.author, change.contributors, given=approvers, exact=exact)


def required(
    judge: Judge,
    before: Files,
    after: Files,
    touched: Manifest,
    author: Person,
    contributors: Iterable[str],
    *,
    given: Set[str] = frozenset(),
    exact: bool = True,
) -> list[Requirement]:
    """What the rules of ``before`` ask of the way to ``after``; without ``given`` nobody has approved of it yet.

    Args:
        touched: What the way touches, by paths of the store.
        contributors: E-mails of those who wrote any part of it.
        given: Persons who approved.
        exact: Whether ``before`` is what those who approved saw.
    """
    needs = list(judge(before, after, touched, author))
    people = people_of(before)
    writers = _names_of(people, contributors)
    needs += _built_in(needs, touched, people)
    return [_requirement(need, given, writers, exact=exact) for need in needs]


def _built_in(needs: Sequence[Need], touched: Manifest, people: Mapping[str, str]) -> list[Need]:
    """Security rule R6: what decides who approves never moves on one person's word, whatever the policies leave out."""
    if not any(map(is_governed, touched.paths)) or any(need.count > 0 for need in needs) or len(people) < 2:
        return []
    everybody = tuple(Candidate(name, ("any person of the base",)) for name in sorted(people))
    return [Need(BUILT_IN_RULE, 1, everybody, text="one other person for rules, schemas, people and settings")]


def _requirement(need: Need, approvers: Set[str], writers: Sequence[str], *, exact: bool) -> Requirement:
    able = tuple(candidate for candidate in need.candidates if candidate.person not in writers)
    given = tuple(sorted(approvers & {candidate.person for candidate in able}))
    stale = need.exact_base and not exact and need.count > 0
    satisfied = len(given) >= need.count and not stale
    return Requirement(
        need.rule, need.text or _count_text(need.count), able, given, satisfied, _why(need, able, given, stale)
    )


def _why(need: Need, able: Sequence[Candidate], given: Sequence[str], stale: bool) -> str:
    if stale:
        return "the rule wants the exact base, and the protected branch has moved: propose the change again"
    if len({candidate.person for candidate in able}) < need.count:
        return f"only {len(able)} of those whom the rule names may approve; contributors never may"
    missing = need.count - len(given)
    return f"given by {', '.join(given) or 'nobody, and nobody is needed'}" if missing <= 0 else f"{missing} missing"


def _count_text(count: int) -> str:
    return f"{count} {'approval' if count == 1 else 'approvals'}"


def _result(repository: Repository, tree: str, touched: Manifest) -> str:
    return repository.tree_with(tree, {entry.path: entry.new for entry in touched.entries})


# -- reviewing ---------------------------------------------------------------------------------------------------------


def approve(
    store: Store, id: str, *, at: datetime, not_after: datetime | None = None, reason: str = "", sign: Sign = unsigned
) -> Approval:
    """Say yes to a change exactly as it is now.

    Raises:
        Refused: you are no Person of its base, you wrote a part of it, or it is not open any more.
    """
    if not_after is not None and not_after <= at:
        raise Refused("the approval would run out before it is given", hint="choose a later not-after")
    return _review(store, id, "approve", reason.strip(), at, not_after, sign)


def reject(store: Store, id: str, reason: str, *, at: datetime, sign: Sign = unsigned) -> Approval:
    """Say no to a change as it is now; one rejection outweighs every approval until the same person approves."""
    if not reason.strip():
        raise Refused("a rejection needs a reason", hint=f'remit reject {id} -m "what should be different"')
    return _review(store, id, "reject", reason.strip(), at, None, sign)


def withdraw(store: Store, id: str) -> Change:
    """Take your own change off the table; its commits are kept under ``refs/remit/withdrawn/``."""
    aim = target(store)
    proposal = _find(store, aim, id, None)
    change, identity = proposal.change, _identity(aim.repository)
    if proposal.state == "withdrawn":
        return change
    _must_be(proposal, "open", "rejected", "outdated")
    if identity.email.casefold() != change.author.email.casefold():
        message = f"{change.id} was proposed by {change.author.name} <{change.author.email}>, not by you"
        raise Refused(message, hint=f"reject it instead: remit reject {change.id} -m REASON")
    # Kept first, removed second: a stop in between leaves both, and withdrawn wins.
    _post(aim, {WITHDRAWN + change.id: (None, change.head), CHANGES + change.id: (change.head, None)})
    return change


def _review(
    store: Store, id: str, verdict: Verdict, reason: str, at: datetime, not_after: datetime | None, sign: Sign
) -> Approval:
    aim = target(store)
    proposal = _find(store, aim, id, at)
    change, repository, identity = proposal.change, aim.repository, _identity(aim.repository)
    _must_be(proposal, "open", "approved", "rejected")
    person = _reviewer(change, _people_at(store, change.base), identity)
    approval = Approval(
        change=change.id, repository=repository.root_commit(aim.tip), ref=change.ref, base=change.base,
        tree=change.tree, manifest_digest=change.manifest.digest, verdict=verdict, person=person,
        at=at.astimezone(UTC), not_after=not_after.astimezone(UTC) if not_after else None, reason=reason,
    )  # fmt: skip
    approval = replace(approval, signature=sign(signed_text(approval)))
    name = f"{REVIEWS}{change.id}/{person}"
    earlier = aim.posted(f"{REVIEWS}{change.id}/").get(person)
    tree = repository.commit_with(None, {REVIEW_FILE: approval_text(approval)})
    subject = with_trailers(f"{verdict} {change.id}: {change.title}", change.id)
    commit = repository.commit_tree(tree, [earlier] if earlier else [], subject, identity, identity, at)
    _post(aim, {name: (earlier, commit)})
    return approval


def _reviewer(change: Change, people: Mapping[str, str], identity: Identity) -> str:
    person = me(people, identity).person
    if identity.email.casefold() in {email.casefold() for email in change.contributors}:
        raise Refused(
            f"you wrote a part of {change.id}: somebody else has to judge it", hint="remit review shows who may"
        )
    if not person:
        message = f"no Person record of the base has your e-mail {identity.email}"
        raise Refused(message, hint="set contact.email of your record, or git config user.email")
    return person


def _must_be(proposal: Proposal, *states: State) -> None:
    if proposal.state in states:
        return
    change = proposal.change
    says = {
        "applied": f"it is applied already, as {(proposal.applied or '')[:12]}",
        "withdrawn": "it was withdrawn",
        "outdated": f"the protected branch has moved at {_some(proposal.moved)}",
        "rejected": f"it was rejected by {_some(_rejecters(proposal))}",
    }
    hint = "propose it again on the present state" if proposal.state == "outdated" else f"remit review {change.id}"
    raise Refused(f"{change.id} cannot be acted on: {says.get(proposal.state, proposal.state)}", hint=hint)


def _rejecters(proposal: Proposal) -> list[str]:
    return [r.approval.person for r in proposal.reviews if r.holds and r.approval.verdict == "reject"]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


# -- applying ----------------------------------------------------------------------------------------------------------


def apply(store: Store, id: str, *, at: datetime, judge: Judge, check: Check, foresee: Foresee = unforeseen) -> Applied:
    """Make the change one commit of the protected branch; doing it again finds it done.

    Args:
        store: The store; its files follow when the protected branch is checked out and they were not edited since.
        id: The change.
        at: When; the committer time, and the instant at which approvals must not have run out.
        judge: The approval policies of the base.
        check: Finds what is wrong with the result; any error refuses.
        foresee: Says what a change does; when it does something else on the present tip than on its base, that refuses.

    Raises:
        NotApplicable: approvals are missing, the result has errors, or it does something else by now.
        RefMoved: somebody else moved the branch meanwhile; nothing was changed.
        Refused: rejected, withdrawn or outdated.
    """
    aim = target(store)
    proposal = _find(store, aim, id, at)
    if proposal.applied:
        return _done(aim, proposal, proposal.applied)
    committer = _identity(aim.repository)
    _must_be(proposal, "open", "approved")
    tree = _verified(store, aim, proposal, judge, check, foresee)
    change, approvals = proposal.change, _counting(proposal)
    message = with_trailers(change.message, change.id, approvals)
    author = Identity(change.author.name or change.author.email or "unknown", change.author.email)
    commit = aim.repository.commit_tree(tree, [aim.tip], message, author, committer, at, authored=change.created)
    try:
        _post(aim, {aim.ref: (aim.tip, commit)})
    except UserError as error:
        # Neither an error nor a lost race says that the change is not in: the branch does (rule R4).
        if (landed := _look_again(store, aim, change)) is None:
            raise _not_landed(aim, change, error) from error
        return Applied(change, landed, approvals, already=landed != commit, notes=_follow(aim, landed))
    return Applied(change, commit, approvals, notes=_follow(aim, commit))


def _verified(store: Store, aim: Target, proposal: Proposal, judge: Judge, check: Check, foresee: Foresee) -> str:
    """The tree to commit, after everything that must hold was seen to hold on the present tip."""
    change, repository = proposal.change, aim.repository
    if _result(repository, repository.tree_of(change.base), change.manifest) != change.tree:
        message = f"{change.id} holds something other than plain files (a link, a submodule or an executable)"
        raise NotApplicable(message, hint="propose it again with remit propose")
    if missing := [r for r in _requirements(store, aim, proposal, judge) if not r.satisfied]:
        words = "; ".join(f"{r.rule}: {r.why} ({r.need})" for r in missing)
        raise NotApplicable(
            f"{change.id} is not approved: {words}", hint=f"remit review {change.id} shows who may approve"
        )
    tree = _result(repository, repository.tree_of(aim.tip), change.manifest)
    findings = check(store.files_of(tree))
    if has_errors(findings):
        first = next(found for found in findings if found.severity == "error")
        message = f"{change.id} would leave the store with errors, first {first.place}: {first.message}"
        raise NotApplicable(message, hint=f"remit review {change.id} lists them", findings=findings)
    if _does_otherwise(store, aim, change, tree, foresee):
        message = f"{change.id} does something else by now than when it was proposed: {aim.branch} has moved"
        hint = f"remit review {change.id} shows it; git pull, then withdraw it and propose it again"
        raise NotApplicable(message, hint=hint)
    return tree


def does_otherwise(store: Store, change: Change, foresee: Foresee) -> bool:
    """Whether a change does something else on the protected branch as last seen than on its own base."""
    aim = target(store, fetch=False)
    tree = _result(aim.repository, aim.repository.tree_of(aim.tip), change.manifest)
    return _does_otherwise(store, aim, change, tree, foresee)


def _does_otherwise(store: Store, aim: Target, change: Change, tree: str, foresee: Foresee) -> bool:
    if change.base == aim.tip:
        return False
    then = foresee(store.files_of(change.base), store.files_of(change.tree))
    return then != foresee(store.files_of(aim.tip), store.files_of(tree))


def _counting(proposal: Proposal) -> tuple[Approval, ...]:
    return tuple(r.approval for r in proposal.reviews if r.holds and r.approval.verdict == "approve")


def _done(aim: Target, proposal: Proposal, commit: str) -> Applied:
    carried = parse_message(aim.repository.commit(commit).message).approvals
    notes = _follow(aim, commit) if commit == aim.tip else ()
    return Applied(proposal.change, commit, carried, already=True, notes=notes)


def _look_again(store: Store, aim: Target, change: Change) -> str | None:
    try:
        return _applied(_look(aim.repository, aim.branch, aim.remote, fetch=True), change)
    except UserError:
        return None


def _not_landed(aim: Target, change: Change, error: UserError) -> UserError:
    if isinstance(error, RefMoved):
        message = f"{aim.branch} moved while {change.id} was being applied; nothing was changed. {error.message}"
        return RefMoved(
            message, hint=f"apply it again, it is then checked against the new state: remit apply {change.id}"
        )
    return error


def _post(aim: Target, moves: Mapping[str, tuple[str | None, str | None]]) -> None:
    """Move refs, each from the value that we saw (None: absent), at the place of truth; then remember it here."""
    repository = aim.repository
    if aim.remote is None:
        for ref, (old, new) in moves.items():
            _move(repository, ref, old, new)
        return
    repository.push(
        aim.remote, [f"{new or ''}:{ref}" for ref, (_, new) in moves.items()], {r: o for r, (o, _) in moves.items()}
    )
    for ref, (_, new) in moves.items():
        own = [_tracking(ref), *([ref] if ref.startswith(CHANGES) else [])]
        for name in own:
            if (present := repository.ref(name)) != new:
                _move(repository, name, present, new)


def _move(repository: Repository, ref: str, old: str | None, new: str | None) -> None:
    if new is not None:
        repository.update_ref(ref, new, old or repository.zero)
    elif old is not None:
        repository.delete_ref(ref, old)


# -- the working tree after an apply -----------------------------------------------------------------------------------


def _follow(aim: Target, commit: str) -> tuple[str, ...]:
    """Let the local branch, index and files follow an applied commit where nobody worked on them; say what was left."""
    try:
        return tuple(_follow_all(aim, commit))
    except (UserError, OSError) as error:
        # The change is in; that the files here could not follow must not look as if it were not.
        return (f"applied, but your working tree could not follow: {error}",)


def _follow_all(aim: Target, commit: str) -> list[str]:
    repository = aim.repository
    if not (parents := repository.commit(commit).parents):
        return []
    parent = parents[0]
    if aim.remote is not None and (local := repository.ref(aim.ref)) != commit:
        if local is None:
            return []
        if local != parent:
            return [f"your branch {aim.branch} is not where {aim.remote} was: git pull brings it up to date"]
        repository.update_ref(aim.ref, commit, parent)
    if repository.is_bare or repository.head().branch != aim.branch:
        return []
    changed = repository.changed_paths(parent, commit)
    index = repository.index([c.path for c in changed])
    # An index entry that somebody staged, and a file that somebody edited, are theirs.
    if following := {c.path: c.new for c in changed if index.get(c.path) == c.old}:
        repository.set_index(following)
    left = [c.path for c in changed if not _follow_file(repository, Touched(c.path, c.old, c.new))]
    staged = [c.path for c in changed if index.get(c.path) not in (c.old, c.new)]
    theirs = sorted({*left, *staged})
    return [f"left as it is in your working tree, because it was edited there: {path}" for path in theirs]


def _follow_file(repository: Repository, touched: Touched) -> bool:
    """Bring one file up to date; False when it holds somebody's own work."""
    path = repository.top / touched.path
    steps = [path, *path.parents][: touched.path.count("/") + 1]
    if any(step.is_symlink() for step in steps) or any(step.exists() and not step.is_dir() for step in steps[1:]):
        return False
    if path.exists() and not path.is_file():
        return False
    present = repository.blob_id(path.read_bytes()) if path.exists() else None
    if present == touched.new:
        return True
    if present != touched.old:
        return False
    if touched.new is None:
        path.unlink()
        _remove_empty(path.parent, repository.top)
    else:
        write_whole(path, repository.read_blobs([touched.new])[touched.new])
    return True


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


# -- history -----------------------------------------------------------------------------------------------------------


def log_of(store: Store, name: str, *, ref: str = "HEAD", limit: int | None = None) -> list[Entry]:
    """The history of a record (``Kind/name``), or of a file or folder of the store, newest first.

    Raises:
        NotFound: no such kind, or nothing of that name ever was.
    """
    repository = store.in_git()
    path = path_of(store, name, ref=ref)
    commits = repository.log(ref, [store.prefix + path] if store.prefix + path else [], limit)
    if not commits:
        raise NotFound(f"{name} has no history", hint=f"nothing was ever committed at {path}")
    return [Entry(commit, *parse_message(commit.message)[1:]) for commit in commits]


def path_of(store: Store, name: str, *, ref: str = "HEAD") -> str:
    """Where a record or policy is or would be; a path is given back as it is."""
    kind, slash, rest = name.partition("/")
    if not slash or not kind[:1].isupper() or "/" in rest:
        return name.removeprefix("./").rstrip("/")
    if kind.endswith("Policy"):
        return f"rules/{kind.removesuffix('Policy').lower()}/{rest}.yaml"
    listing = store.listing(store.in_git().resolve(ref))
    folder, ending = "schemas/kinds/", ".schema.json"
    kinds = {p.removeprefix(folder).removesuffix(ending): e.oid for p, e in listing.items() if p.startswith(folder)}
    if kind not in kinds:
        raise NotFound(f'there is no kind "{kind}"', hint=did_you_mean(kind, kinds))
    schema = json.loads(store.in_git().read_blobs([kinds[kind]])[kinds[kind]])
    return f"records/{schema.get('x-remit-plural', kind.lower())}/{rest}.yaml"
