"""Proving one commit of the protected branch from nothing but itself, its parent and what its people signed.

``apply`` asks this before it moves the branch, the hook of an origin before it lets a push in, and ``audit`` years
later. What decides is read from the parent: rules, people, keys. An answer that cannot be found is a refusal.

Source: security rules R1-R12, R16, R17.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from remit.changes import (
    CHANGE_TRAILER,
    REVIEWED_TRAILER,
    Approval,
    Change,
    Message,
    Person,
    Touched,
    co_authors,
    is_governed,
    manifest,
    parse_message,
    review_title,
)
from remit.changing.proposals import local, why_other, writers
from remit.changing.requiring import Check, Judge, Requirement, required, unmet
from remit.changing.targets import inside, protected_branch, registry_at, root_where
from remit.errors import UserError
from remit.findings import Finding
from remit.git import ChangedPath, Commit, Repository
from remit.registry import Registry
from remit.secrets import secrets_in
from remit.sentences import Text, say
from remit.shapes import (
    DEEPEST,
    LARGEST_BLOB,
    MOST_PATHS,
    twins,
    why_no_plain_commit,
    why_no_plain_path,
    with_folders,
)
from remit.store import Store, is_store_path

CLOCKS_DIFFER = timedelta(minutes=10)
"""How far a commit's own date may be from the clock of whoever lets it in. Security rule R10."""


class Refusal(NamedTuple):
    """Why a commit may not be on the protected branch: the rule, in words, and what to do."""

    rule: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Law:
    """What decides: the approval policies, who may act in an emergency, what is wrong with a result (None: unasked)."""

    judge: Judge
    emergency: Judge
    check: Check | None = None


@dataclass(frozen=True)
class Proof:
    """What is known of one commit of the protected branch; without refusals it may be there.

    Attributes:
        commit: Its id.
        change: The change that it applies, or looks at afterwards.
        about: The change that it applies, as the commit has it; None when it was not read so far.
        said: Everything that people signed in it.
        requirements: What the rules of its parent ask, and how far that is given.
        emergency: It was applied by somebody who may, without the approvals that the rules ask.
        reviewed: The emergency change that it looks at afterwards (empty: none).
        refusals: Why it may not be there.
        findings: Errors that the result would have.
    """

    commit: str
    change: str = ""
    about: Change | None = None
    said: tuple[Approval, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    emergency: bool = False
    reviewed: str = ""
    refusals: tuple[Refusal, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def holds(self) -> bool:
        """True when nothing is refused."""
        return not self.refusals


def prove(store: Store, sha: str, law: Law, *, at: datetime | None = None, now: datetime | None = None) -> Proof:
    """Everything about one commit that must hold for it to be on the protected branch after its parent.

    Args:
        store: The store; only commits are read.
        sha: The commit.
        law: What decides.
        at: The instant at which keys and approvals must be good; the commit's own date when None, as in an audit.
        now: The clock of whoever lets it in; None when history is looked at.
    """
    try:
        return _Case(store, sha, law, at, now).proof()
    except UserError as error:
        return Proof(sha, refusals=(unjudged(error),))


def unjudged(error: UserError) -> Refusal:
    """Security rule R11: what cannot be judged is refused."""
    return Refusal("R11", say("proof.unjudged", why=error.message), error.hint)


class _Case:
    """One commit before the law; what several questions need is read once."""

    def __init__(self, store: Store, sha: str, law: Law, at: datetime | None, now: datetime | None) -> None:
        self.store, self.sha, self.law, self.now = store, sha, law, now
        self.repository: Repository = store.in_git()
        self.raw = self.repository.raw_commit(sha)
        self.commit: Commit = self.repository.commit(sha)
        self.at = at or self.commit.committed or self.commit.when
        self.message: Message = parse_message(self.commit.message)

    def proof(self) -> Proof:
        """The answer."""
        if why := why_no_plain_commit(self.raw):
            return Proof(self.sha, refusals=(Refusal("R16", why, say("proof.with-apply")),))
        self.parent = self.commit.parents[0]
        if why := why_too_large(self.store, self.parent, self.sha):
            return self._refused(Refusal("R17", why))
        self.changed: Sequence[ChangedPath] = self.repository.changed_paths(self.parent, self.sha)
        first = [*self._dates(), *why_no_plain_paths(self.store, self.sha, self.changed)]
        if first:
            return self._refused(*first)
        if self.message.reviewed:
            return self._review()
        if not self.message.change:
            return self._refused(Refusal("R2", say("proof.no-change"), say("proof.the-way-in")))
        if not self.changed:
            return self._refused(Refusal("R2", say("proof.changes-nothing")))
        if unsigned := [one.path for one in self.changed if one.old == one.new]:
            return self._refused(Refusal("R17", say("proof.only-the-mode", path=unsigned[0])))
        return self._applied()

    def _refused(self, *refusals: Refusal, proof: Proof | None = None) -> Proof:
        known = proof or Proof(self.sha, self.message.change or self.message.reviewed, said=self.message.approvals)
        return replace(known, refusals=(*known.refusals, *refusals))

    # -- shape -----------------------------------------------------------------------------------------------------

    def _dates(self) -> Iterator[Refusal]:
        written, before = self.commit.committed, self.repository.commit(self.parent).committed
        if written is None or before is None:
            return
        if written < before:
            message = say("proof.date-before", written=written.isoformat(), before=before.isoformat())
            back = self.repository.commit(self.parent).parents[:1]
            hint = say("proof.clock-was-ahead", parent=self.parent[:12], back=(back or (self.parent,))[0][:12])
            yield Refusal("R10", message, hint)
        if self.now is not None and abs(written - self.now) > CLOCKS_DIFFER:
            message = say("proof.date-not-now", written=written.isoformat(), now=self.now.isoformat())
            yield Refusal("R10", message, say("proof.set-the-clock"))

    # -- an applied change -----------------------------------------------------------------------------------------

    def _applied(self) -> Proof:
        registry = registry_at(self.store, self.parent)
        said = self.message.approvals
        change = self._change(said)
        proof = Proof(self.sha, change.id, change, said, emergency=any(one.verdict == "emergency" for one in said))
        if refusals := [*self._said(change, said, registry), *self._base(change)]:
            return self._refused(*refusals, proof=proof)
        if change.effective is not None and self.at < change.effective:
            message = say("proof.holds-from", start=change.effective.isoformat())
            return self._refused(Refusal("effective", message), proof=proof)
        judge, verdict = (self.law.emergency, "emergency") if proof.emergency else (self.law.judge, "approve")
        given = {one.person for one in said if one.verdict == verdict}
        asked = self._requirements(change, self.parent, self.sha, judge, given, registry, own=proof.emergency)
        proof = replace(proof, requirements=tuple(asked))
        if proof.emergency and not asked:
            return self._refused(Refusal("emergency", say("proof.no-emergency")), proof=proof)
        refusals = [Refusal("approval", why) for why in unmet(asked)]
        refusals += self._undermined(change, registry, emergency=proof.emergency)
        findings = self._findings()
        for one in findings[:1]:
            refusals.append(Refusal("R11", say("proof.finding", place=str(one.place), message=one.message), one.hint))
        return self._refused(*refusals, proof=replace(proof, findings=findings))

    def _undermined(self, change: Change, registry: Registry, *, emergency: bool) -> Iterator[Refusal]:
        """What no approval allows, because later commits could not be judged or believed after it."""
        proposed, author = change.proposed, registry.with_emails([self.commit.email])
        if registry.signs and proposed is not None and author != (proposed.person,):
            message = say("proof.other-author", email=self.commit.email, person=proposed.person)
            yield Refusal("R7", message)
        earlier = self.repository.log(self.parent, saying=[f"{CHANGE_TRAILER}: {change.id}"]) if emergency else ()
        if any(parse_message(commit.message).change == change.id for commit in earlier):
            yield Refusal("R4", say("proof.applied-once", change=change.id))
        if registry.signs and not registry_at(self.store, self.sha).signs:
            yield Refusal("R6", say("proof.last-key"))
        if (named := protected_branch(self.store, self.sha)) != protected_branch(self.store, self.parent):
            yield Refusal("R6", say("proof.other-branch", branch=named))

    def _change(self, said: Sequence[Approval]) -> Change:
        """The change as the commit has it; what people signed must be about exactly this."""
        base = said[0].base if said else self.parent
        tree = self.commit.tree if base == self.parent or not said else said[0].tree
        touched = manifest(Touched(c.path, c.old, c.new) for c in self.changed)
        title, _, body = self.message.text.partition("\n")
        proposed = next((one for one in said if one.verdict == "propose"), None)
        person = proposed.person if proposed else ""
        ref = f"refs/heads/{protected_branch(self.store, self.parent)}"
        return Change(
            self.message.change, title.strip(), body.strip("\n"), Person(self.commit.author, self.commit.email, person),
            base, tree, self.sha, touched, ref, self.commit.when,
            tuple(sorted({self.commit.email, *co_authors(self.commit.message)})), self.message.effective, proposed,
        )  # fmt: skip

    def _said(self, change: Change, said: Sequence[Approval], registry: Registry) -> Iterator[Refusal]:
        """Whether everything that the commit carries was said by its person, about exactly this."""
        root = root_where(self.repository, self.sha, asked=bool(said))
        if registry.signs and sum(one.verdict == "propose" for one in said) != 1:
            yield Refusal("R7", say("proof.no-proposers-signature"), say("proof.propose-again"))
        if len({(one.person, one.verdict) for one in said}) != len(said):
            yield Refusal("R8", say("proof.two-verdicts"))
        wrote = writers(change, registry)
        for one in said:
            if one.verdict not in ("propose", "approve", "emergency"):
                yield Refusal("R12", says(one))
            elif why := why_other(one, change, root):
                yield _no_word(one, why)
            elif one.verdict == "approve" and one.person in wrote:
                yield Refusal("R9", say("proof.approves-own", person=one.person))
            elif not registry.known(one.person):
                yield Refusal("R5", say("change.no-person-of-base", person=one.person))
            elif why := self._why_not_good(one, registry):
                yield _no_word(one, why)

    def _why_not_good(self, one: Approval, registry: Registry) -> str:
        """Why words are not their person's own at the moment that counts; empty when they are."""
        if one.not_after is not None and one.not_after < self.at:
            return say("proof.ran-out-at", end=one.not_after.isoformat())
        return registry.why_unsigned(one, self.at)

    def _base(self, change: Change) -> Iterator[Refusal]:
        """Whether what was approved on its base is still the same thing on the parent."""
        if change.base == self.parent:
            return
        repository = self.repository
        if not repository.exists(change.base) or not repository.is_ancestor(change.base, self.parent):
            yield Refusal("R7", say("proof.other-history"), say("change.propose-it-again"))
            return
        between = repository.log(self.parent, exclude=[change.base])
        if any(parse_message(commit.message).change == change.id for commit in between):
            yield Refusal("R4", say("proof.applied-once", change=change.id))
        moved = [inside(self.store, c.path) for c in repository.changed_paths(change.base, self.parent)]
        if governed := [path for path in moved if is_governed(path)]:
            message = say("proof.rules-moved", path=governed[0])
            yield Refusal("R7", message, f"remit propose --again {change.id}")

    def _requirements(
        self,
        change: Change,
        before: str,
        after: str,
        judge: Judge,
        given: set[str],
        registry: Registry,
        *,
        own: bool = False,
        acted: Iterable[str] = (),
    ) -> list[Requirement]:
        base = self.repository.commit(before)
        contributors, signers = (
            (() if own else change.contributors),
            (() if own else {*writers(change, registry), *acted}),
        )
        return required(
            judge, self.store.files_of(base.sha, base.sha, base.committed), self.store.files_of(after),
            local(self.store, change.manifest), change.author, contributors, signers=signers,
            given=given, exact=change.base == before,
        )  # fmt: skip

    def _findings(self) -> tuple[Finding, ...]:
        if self.law.check is None:
            return ()
        found = self.law.check(self.store.files_of(self.sha, self.sha, self.commit.committed))
        return tuple(one for one in found if one.severity == "error")

    # -- a review after the fact -----------------------------------------------------------------------------------

    def _review(self) -> Proof:
        """A commit that changes nothing and says that an emergency change was looked at as the rules ask."""
        reviewed = self.message.reviewed
        proof = Proof(self.sha, reviewed, said=self.message.approvals, reviewed=reviewed)
        if self.changed:
            return self._refused(Refusal("R7", say("proof.review-changes")), proof=proof)
        history = self.repository.log(self.parent)
        about = next((c for c in history if _is_emergency(parse_message(c.message), reviewed)), None)
        if about is None:
            return self._refused(Refusal("R7", say("proof.nothing-to-review", change=reviewed)), proof=proof)
        if any(parse_message(c.message).reviewed == self.message.reviewed for c in history):
            return self._refused(Refusal("R4", say("proof.reviewed-once", change=reviewed)), proof=proof)
        case = _Case(self.store, about.sha, self.law, None, None)
        case.parent = about.parents[0]
        case.changed = self.repository.changed_paths(case.parent, about.sha)
        acted = case.message.approvals
        change = case._change(acted)
        wrote = {one.person for one in acted}
        then, today = registry_at(self.store, case.parent), registry_at(self.store, self.parent)
        said = self.message.approvals
        odd = [Refusal("R12", says(one)) for one in said if one.verdict != "approve"]
        if self.message.text != review_title(change.title):
            odd.append(Refusal("R7", say("proof.other-words")))
        odd += [Refusal("R9", say("proof.acted", person=one.person)) for one in said if one.person in wrote]
        root = self.repository.root_commit(self.sha)
        for one in said:
            if why := why_other(one, change, root) or self._why_not_good(one, today):
                odd.append(_no_word(one, why))
        given = {one.person for one in said} - wrote
        asked = self._requirements(change, case.parent, about.sha, self.law.judge, given, then, acted=wrote)
        odd += [Refusal("approval", why) for why in unmet(asked)]
        return self._refused(*odd, proof=replace(proof, requirements=tuple(asked)))


def _is_emergency(said: Message, change: str) -> bool:
    return said.change == change and any(one.verdict == "emergency" for one in said.approvals)


def says(one: Approval) -> Text:
    """Who says what."""
    return say("proof.says", person=one.person, verdict=say(f"proof.verdict-{one.verdict}"))


def _no_word(one: Approval, why: str) -> Refusal:
    verdict = say(f"proof.verdict-{one.verdict}")
    return Refusal("R7", say("proof.counts-not", verdict=verdict, person=one.person, why=why))


def why_too_large(store: Store, before: str, after: str) -> str:
    """Why what differs between two commits or trees is not even to be listed; empty when it is."""
    deepest = DEEPEST + store.prefix.count("/")
    return store.in_git().why_too_large(before, after, most=MOST_PATHS, deepest=deepest)


def why_no_plain_paths(store: Store, sha: str, changed: Sequence[ChangedPath]) -> Iterator[Refusal]:
    """Which of the changed paths of a commit may not be there: others than the store's, no plain files, twins."""
    repository = store.in_git()
    for one in changed:
        path = inside(store, one.path)
        if one.new is None:
            continue
        if not is_store_path(path):
            yield Refusal("R17", say("proof.no-store-file", path=path.lstrip("/")), say("proof.only-these"))
        elif why := why_no_plain_path(path, one.new_mode):
            yield Refusal("R17", say("proof.not-there", path=path, why=why))
    sizes = repository.sizes(c.new for c in changed if c.new is not None and c.new_mode != "160000")
    for one in changed:
        if (size := sizes.get(one.new or "", 0)) > LARGEST_BLOB:
            yield Refusal("R17", say("proof.too-large", path=one.path, size=size, most=LARGEST_BLOB))
    yield from _secrets(repository, [one for one in changed if 0 < sizes.get(one.new or "", 0) <= LARGEST_BLOB])
    if added := [one.path for one in changed if one.old is None and one.new is not None]:
        mine = with_folders(added)
        for first, other in twins(with_folders(repository.list_tree(sha))):
            if first in mine or other in mine:
                yield Refusal("R17", say("proof.twins", first=first, other=other), say("proof.rename-one"))


def _secrets(repository: Repository, changed: Sequence[ChangedPath]) -> Iterator[Refusal]:
    """Private keys, tokens and passwords that a commit brings; what was there before is not its doing."""
    blobs = repository.read_blobs(oid for one in changed for oid in (one.old, one.new) if oid is not None)
    for one in changed:
        known = {found.what for found in secrets_in(blobs.get(one.old or "", b""))}
        for found in secrets_in(blobs[one.new or ""]):
            if found.what not in known:
                message = say("change.holds-secret", place=f"{one.path}:{found.line}", what=found.what)
                yield Refusal("R29", message, say("proof.take-it-out"))


def owed(repository: Repository, tip: str, since: Sequence[str] = ()) -> list[tuple[Commit, str]]:
    """The emergency changes on a history that nobody has looked at since, oldest first: commit and change."""
    waiting: dict[str, Commit] = {}
    for commit in reversed(repository.log(tip, exclude=since, saying=("verdict: emergency", REVIEWED_TRAILER))):
        message = parse_message(commit.message)
        waiting.pop(message.reviewed, None)
        if _is_emergency(message, message.change):
            waiting[message.change] = commit
    return [(commit, change) for change, commit in waiting.items()]
