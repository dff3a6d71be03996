"""Auditing: the history of the protected branch proves itself, from a pinned root, offline, years later.

Each commit is asked what ``apply`` and the origin asked, by the rules, people and keys of its own parent: the past is
judged by position, so that a key that was revoked later takes nothing back. The tip that was proved last is kept in
``refs/remit/verified/<branch>`` and moves forward only when everything holds; a history that no longer comes after it
was rewritten.

Source: design section 7; security rules R1, R10, R23; attacks A21, A42.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from remit.changes import Approval, parse_approval, parse_message, signed_text
from remit.changing.proving import CLOCKS_DIFFER, Law, owed, prove
from remit.changing.targets import (
    CHANGES,
    ORIGIN,
    REVIEW_FILE,
    REVIEWS,
    WITHDRAWN,
    Target,
    look,
    protected_branch,
    tracking,
)
from remit.errors import Refused, UserError
from remit.git import Repository
from remit.sentences import say
from remit.signatures import signer
from remit.store import Store

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")

VERIFIED = "refs/remit/verified/"
SHOWN = "refs/remit/shown/"
"""What was proved last, and what the origin showed when it was asked last."""

ORIGIN_SECONDS = 60.0
ROOT = "remit.root"
"""The setting that names the root of trust: the commit that everybody learnt by another way."""

CAUSES = ("damaged", "rewritten", "unapproved", "signature", "own-approval", "key", "date", "shape", "error")
"""Why a commit may not be there, the gravest first; ``sentences.audit`` has them in words."""

_CAUSE_OF = {
    "R2": "unapproved", "R4": "unapproved", "R12": "unapproved", "approval": "unapproved", "emergency": "unapproved",
    "effective": "unapproved", "R5": "signature", "R7": "signature", "R8": "own-approval", "R9": "own-approval",
    "R6": "key", "R10": "date", "R16": "shape", "R17": "shape",
}  # fmt: skip


class Trouble(NamedTuple):
    """One thing that an audit found: its cause (a key of ``CAUSES``), where, by which rule, and what to do."""

    cause: str
    commit: str
    change: str
    rule: str
    message: str
    hint: str = ""


class Owed(NamedTuple):
    """An emergency change that nobody has looked at since."""

    commit: str
    change: str


class Shown(NamedTuple):
    """What the origin shows of the protected branch now: its tip, how many commits come after what was audited, or
    why it could not be asked."""

    tip: str = ""
    newer: int = 0
    unasked: str = ""


class Trace(NamedTuple):
    """Where a key was used: the commit that carries its signature, and what its holder said there."""

    commit: str
    change: str
    person: str
    verdict: str
    at: datetime
    place: str


@dataclass(frozen=True)
class Audit:
    """What an audit knows.

    Attributes:
        branch: The protected branch.
        start: The commit after which it began: the root of trust unless a range was given.
        tip: The commit at which it ended.
        proved: How many commits it asked.
        troubles: What may not be there, by cause and then oldest first.
        owed: Emergency changes whose review is owed.
        verified: Whether the tip is now the newest one that is known to hold.
        shown: What the origin shows; None when there is none, or it was not to be asked.
    """

    branch: str
    start: str
    tip: str
    proved: int
    troubles: tuple[Trouble, ...] = ()
    owed: tuple[Owed, ...] = ()
    verified: bool = False
    shown: Shown | None = None


Laws = Callable[[str, datetime], Law]


def audit(
    store: Store, laws: Laws, *, now: datetime, within: str | None = None, root: str | None = None, ask: bool = False
) -> Audit:
    """Prove every commit of the protected branch after its root of trust, oldest first.

    What is proved is what is here. An origin is only asked what it shows: one that took commits back, rewrote them or
    serves an old copy is found, and nothing that was seen of it before is given up.

    Args:
        store: The store.
        laws: What decides about a commit at an instant.
        now: The clock of whoever audits: no commit is younger.
        within: A range ``FROM..TO``, or ``FROM``, instead of everything.
        root: The root of trust; the setting ``remit.root`` when None, and the first commit when that is not set.
        ask: Ask the origin, when there is one.

    Raises:
        UserError: the range or the root names no commit.
    """
    repository = store.in_git()
    damaged = tuple(Trouble("damaged", "", "", "R23", fault, "git fsck") for fault in repository.faults())
    try:
        aim, trust = _aim(store, root)
        start, tip = _range(repository, aim, trust, within)
        found = _proved(store, aim, laws, now, trust, start, tip)
        if ask and aim.remote and not within:
            shown, trouble = _shown(aim)
            found = replace(found, shown=shown, troubles=(*trouble, *found.troubles))
    except UserError:
        if not damaged:
            raise
        return Audit("", "", "", 0, damaged)
    troubles = sorted((*damaged, *found.troubles), key=lambda one: CAUSES.index(one.cause))
    known = repository.ref(VERIFIED + aim.branch)
    done = replace(found, troubles=tuple(troubles))
    if troubles or tip != aim.tip or start not in (trust, known):
        return done
    if known != tip:
        repository.update_ref(VERIFIED + aim.branch, tip, known or repository.zero)
    return replace(done, verified=True)


def _aim(store: Store, root: str | None = None) -> tuple[Target, str]:
    """The protected branch as last seen of the place of truth, and its root of trust."""
    repository = store.in_git()
    pinned = root or repository.config(ROOT)
    trust = repository.resolve(pinned) if pinned else repository.root_commit()
    # The root says which branch it is: a later commit that names another would lead the audit away.
    branch = protected_branch(store, trust)
    remote = ORIGIN if not store.is_bare and repository.ref(tracking(f"refs/heads/{branch}")) else None
    return look(repository, branch, remote, fetch=False), trust


def _range(repository: Repository, aim: Target, trust: str, within: str | None) -> tuple[str, str]:
    if within is None:
        return trust, aim.tip
    first, dots, last = within.partition("..")
    if last.startswith("."):
        raise Refused(say("audit.no-range", range=within), hint="FROM..TO")
    start = repository.resolve(first) if first else trust
    tip = repository.resolve(last) if dots and last else aim.tip
    if not repository.is_ancestor(start, tip):
        message = say("audit.empty-range", range=within, tip=tip[:12], start=start[:12])
        raise Refused(message, hint="FROM..TO")
    return start, tip


def _proved(store: Store, aim: Target, laws: Laws, now: datetime, trust: str, start: str, tip: str) -> Audit:
    repository = aim.repository
    troubles = list(_rewritten(aim, trust))
    commits = repository.log(tip, exclude=[start])[::-1]
    before = start
    for commit in commits:
        sha = commit.sha
        if commit.parents != (before,):
            message = say("audit.one-line", before=before[:12])
            troubles.append(Trouble("unapproved", sha, "", "R2", message))
        written = commit.committed or commit.when
        if written - now > CLOCKS_DIFFER:
            message = say("audit.date-to-come", date=written.isoformat())
            troubles.append(Trouble("date", sha, "", "R10", message))
        proof = prove(store, sha, laws(sha, written))
        for rule, why, hint in proof.refusals:
            troubles.append(Trouble(_CAUSE_OF.get(rule, "error"), sha, proof.change, rule, why, hint))
        before = sha
    waiting = tuple(Owed(commit.sha, change) for commit, change in owed(repository, tip, [start]))
    return Audit(aim.branch, start, tip, len(commits), tuple(troubles), waiting)


def _rewritten(aim: Target, trust: str) -> Iterator[Trouble]:
    repository = aim.repository
    hint = say("audit.ask-who-rewrote")
    if not repository.is_ancestor(trust, aim.tip):
        message = say("audit.other-root", branch=aim.branch, root=trust[:12])
        yield Trouble("rewritten", aim.tip, "", "R23", message, hint)
    known = repository.ref(VERIFIED + aim.branch)
    if known is not None and not repository.is_ancestor(known, aim.tip):
        message = say("audit.not-after-proved", branch=aim.branch, proved=known[:12])
        yield Trouble("rewritten", aim.tip, "", "R23", message, hint)
    where = aim.seen(aim.ref)
    if aim.remote and (lost := repository.beyond(aim.tip, repository.logged(where))):
        message = say("audit.not-after-seen", branch=aim.branch, remote=aim.remote, seen=lost[-1][:12])
        yield Trouble("rewritten", aim.tip, "", "R23", message, hint)


def _shown(aim: Target) -> tuple[Shown, tuple[Trouble, ...]]:
    """What the origin shows now, and what is wrong with that after what it showed before."""
    repository, remote, place = aim.repository, aim.remote or ORIGIN, SHOWN + aim.branch
    try:
        repository.fetch(remote, [f"+{aim.ref}:{place}"], seconds=ORIGIN_SECONDS)
    except UserError as error:
        if "find remote ref" not in error.message:
            return Shown(unasked=error.message), ()
    tip = repository.ref(place) or ""
    if tip and repository.is_ancestor(aim.tip, tip):
        return Shown(tip, len(repository.reachable(tip, exclude=[aim.tip]))), ()
    known = repository.ref(VERIFIED + aim.branch)
    about = {"remote": remote, "branch": aim.branch, "seen": aim.tip[:12], "proved": (known or "-")[:12]}
    fork = repository.merge_base(aim.tip, tip) if tip else None
    if not tip:
        message = say("audit.shows-none", **about)
    elif fork == tip:
        behind = len(repository.reachable(aim.tip, exclude=[tip]))
        message = say("audit.shows-old", shown=tip[:12], count=behind, **about)
    else:
        message = say("audit.shows-other", shown=tip[:12], fork=(fork or "-")[:12], **about)
    return Shown(tip), (Trouble("rewritten", tip, "", "R23", message, say("audit.what-to-do", remote=remote)),)


# -- what a key touched ------------------------------------------------------------------------------------------------


def traces(store: Store, fingerprint: str, since: str | None = None) -> tuple[Trace, ...]:
    """What was said with a key: on the protected branch after a commit, oldest first, and in what is posted now.

    Raises:
        UserError: that is no fingerprint, so that nothing can have been said with it.
    """
    if not FINGERPRINT.fullmatch(fingerprint):
        raise UserError(say("audit.no-fingerprint", text=fingerprint), say("audit.where-fingerprints"))
    aim, _ = _aim(store)
    commits = aim.repository.log(aim.tip, exclude=[since] if since else [])
    said = [(c.sha, aim.branch, one) for c in reversed(commits) for one in parse_message(c.message).approvals]
    said += _posted(aim)
    found = [(sha, place, one) for sha, place, one in said if _fingerprint(one) == fingerprint]
    return tuple(Trace(sha, one.change, one.person, one.verdict, one.at, place) for sha, place, one in found)


def _posted(aim: Target) -> Iterator[tuple[str, str, Approval]]:
    repository = aim.repository
    for id, sha in sorted(aim.posted(CHANGES).items()):
        yield from ((sha, CHANGES + id, one) for one in parse_message(repository.commit(sha).message).approvals)
    for prefix in (REVIEWS, WITHDRAWN):
        posted = aim.posted(prefix)
        texts = repository.find_blobs(f"{sha}:{REVIEW_FILE}" for sha in posted.values())
        for name, sha in sorted(posted.items()):
            if (one := parse_approval(texts.get(f"{sha}:{REVIEW_FILE}", b""))) is not None:
                yield sha, prefix + name, one


def _fingerprint(said: Approval) -> str:
    public = signer(said.signature, signed_text(said)) if said.signature else None
    return public.fingerprint if public is not None else ""
