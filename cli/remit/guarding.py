"""Guarding an origin: what a push would move is judged before anything moves.

Always true here: refs are known by their full names and every other name is refused; the protected branch goes on by
commits that each prove themselves against their own parent; what people posted is replaced only by the same person and
never taken back; what cannot be judged is refused; and the work is bounded whatever was sent.

Source: security rules R1, R2, R4, R7, R9-R12, R14-R17; attacks A7, A17-A20, A25-A27.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from remit.changes import Approval, Change, parse_approval, parse_message
from remit.changing.proposals import applied_as, change_at, reviews_of, why_not_proposed, why_other, writers
from remit.changing.proving import (
    CLOCKS_DIFFER,
    Law,
    Proof,
    Refusal,
    prove,
    says,
    unjudged,
    why_no_plain_paths,
    why_too_large,
)
from remit.changing.targets import CHANGES, REVIEW_FILE, REVIEWS, WITHDRAWN, Target, own_target, registry_at
from remit.errors import UserError
from remit.git import Repository
from remit.registry import Registry
from remit.sentences import Text, say
from remit.shapes import FILE_MODE, why_no_plain_commit
from remit.store import Store

MOST_REFS = 100
MOST_COMMITS = 1000
LARGEST_COMMIT = 1024 * 1024
"""Refs and commits of one push, bytes of one commit or approval."""

_NAME = "[a-z0-9][a-z0-9-]{0,62}"
_CHANGE = re.compile(f"{CHANGES}(?P<id>{_NAME})")
_REVIEW = re.compile(f"{REVIEWS}(?P<id>{_NAME})/(?P<person>{_NAME})")
_WITHDRAWN = re.compile(f"{WITHDRAWN}(?P<id>{_NAME})")
_LIKE_AN_OBJECT = re.compile("[0-9a-f]{40}")

Laws = Callable[[str, datetime], Law]
"""What decides whether a commit may follow its parent at an instant."""


class Move(NamedTuple):
    """One ref that a push would move: the object before and after as claimed (None: absent)."""

    old: str | None
    new: str | None
    ref: str


class Verdict(NamedTuple):
    """What is said to one move; without refusals it may be made."""

    move: Move
    refusals: tuple[Refusal, ...]


def read_moves(text: bytes) -> list[Move]:
    """The moves that git names to a hook, one ``OLD NEW REF`` a line; of each name every byte is kept.

    Raises:
        ValueError: a line is not of that form.
    """
    moves = []
    for line in text.decode("utf-8", "surrogateescape").split("\n")[:-1]:
        old, new, ref = line.split(" ", 2)
        moves.append(Move(old if old.strip("0") else None, new if new.strip("0") else None, ref))
    return moves


def judge_push(store: Store, moves: Sequence[Move], laws: Laws, *, now: datetime) -> list[Verdict]:
    """What is said to each move of a push, in the order given.

    Args:
        store: The origin, with the pushed objects in sight.
        moves: Everything that the push would move.
        laws: What decides about a commit.
        now: The origin's clock.
    """
    if len(moves) > MOST_REFS:
        many = Refusal("R14", say("proof.many-refs", count=len(moves)), say("proof.push-fewer", most=MOST_REFS))
        return [Verdict(moves[0], (many,))]
    guard = _Guard(store, {move.ref: move.new for move in moves}, laws, now)
    return [Verdict(move, guard.refusals(move)) for move in moves]


def judge_branch(store: Store, new: str | None, laws: Laws, *, now: datetime) -> tuple[Refusal, ...]:
    """Why the protected branch may not go from where it is to ``new``, whoever moves it and by whatever way."""
    guard = _Guard(store, {}, laws, now)
    return guard.refusals(Move(guard.aim.tip, new, guard.aim.ref))


class _Guard:
    """One push before the rules; what several moves need is read once."""

    def __init__(self, store: Store, pushed: Mapping[str, str | None], laws: Laws, now: datetime) -> None:
        self.store, self.pushed, self.laws, self.now = store, pushed, laws, now
        self.repository: Repository = store.in_git()
        self.aim: Target = own_target(store)

    @cached_property
    def root(self) -> str:
        """The first commit: which repository this is."""
        return self.repository.root_commit(self.aim.tip)

    def refusals(self, move: Move) -> tuple[Refusal, ...]:
        """Why a move is not made."""
        try:
            return tuple(self._refusals(move))
        except UserError as error:
            return (unjudged(error),)

    def _refusals(self, move: Move) -> Iterator[Refusal]:
        judge = self._judge_of(move)
        if judge is None:
            taken = [self.aim.ref, f"{CHANGES}ID", f"{REVIEWS}ID/PERSON", f"{WITHDRAWN}ID"]
            yield Refusal("R14", say("proof.no-such-ref"), say("proof.refs-taken", refs=taken))
            return
        if (real := self.repository.ref(move.ref)) != move.old:
            claimed, there = (oid[:12] if oid else say("proof.nothing") for oid in (move.old, real))
            yield Refusal("R15", say("proof.was-not", claimed=claimed, there=there), say("proof.fetch-and-push"))
            return
        if move.new is not None and (why := self._why_no_commit(move.new)):
            yield Refusal("R16", why)
            return
        yield from judge

    def _judge_of(self, move: Move) -> Iterator[Refusal] | None:
        """What judges a move of that ref; None for a name that is not taken."""
        if move.ref == self.aim.ref:
            return self._branch(move)
        if found := _CHANGE.fullmatch(move.ref):
            return None if _LIKE_AN_OBJECT.fullmatch(found["id"]) else self._change(move, found["id"])
        if found := _REVIEW.fullmatch(move.ref):
            return self._review(move, found["id"], found["person"])
        if found := _WITHDRAWN.fullmatch(move.ref):
            return self._withdrawal(move, found["id"])
        return None

    def _why_no_commit(self, sha: str) -> str:
        if self.repository.resolve(sha) != sha:
            return say("proof.no-commit")
        size = self.repository.sizes([sha]).get(sha, 0)
        return say("proof.large-commit", size=size, most=LARGEST_COMMIT) if size > LARGEST_COMMIT else ""

    def _seen(self, ref: str) -> str | None:
        """Where a ref would be after this push."""
        return self.pushed[ref] if ref in self.pushed else self.repository.ref(ref)

    # -- the protected branch --------------------------------------------------------------------------------------

    def _branch(self, move: Move) -> Iterator[Refusal]:
        if move.new is None:
            yield Refusal("R2", say("proof.never-removed"))
            return
        before = self.aim.tip
        if not self.repository.is_ancestor(before, move.new):
            yield Refusal("R2", say("proof.never-forced"), say("proof.fetch"))
            return
        for sha in self._new_commits(move.new):
            if why := why_no_plain_commit(self.repository.raw_commit(sha)):
                yield Refusal("R16", _of(sha, why), say("proof.with-apply"))
                return
            if self.repository.commit(sha).parents != (before,):
                yield Refusal("R2", say("proof.one-line", commit=sha[:12], before=before[:12]))
                return
            proof = prove(self.store, sha, self.laws(sha, self.now), at=self.now, now=self.now)
            refused = [*proof.refusals, *(self._said_here(proof) if proof.holds else ())]
            if refused:
                # Those that follow were made on what is refused.
                yield from (one._replace(message=_of(sha, one.message)) for one in refused)
                return
            before = sha

    def _new_commits(self, new: str) -> list[str]:
        """What a push adds behind ``new``, oldest first; each of a size that can be read."""
        shas = self.repository.reachable(new, limit=MOST_COMMITS + 1, exclude=[self.aim.tip])
        if len(shas) > MOST_COMMITS:
            raise UserError(say("proof.many-commits", most=MOST_COMMITS))
        for sha in shas:
            if why := self._why_no_commit(sha):
                raise UserError(_of(sha, why))
        return shas[::-1]

    def _said_here(self, proof: Proof) -> Iterator[Refusal]:
        """What was posted here about the change of a commit, or comes with it, and stands against it."""
        change = proof.about
        if change is None:
            return
        if self._seen(WITHDRAWN + change.id) is not None:
            yield Refusal("R12", say("proof.was-withdrawn", change=change.id))
        if proof.emergency:
            return
        registry = registry_at(self.store, change.base)
        posted = self._reviews(change.id)
        for review in reviews_of(self.repository, posted, change, registry, self.root, self.now):
            if review.holds and review.approval.verdict == "reject":
                person, reason = review.approval.person, review.approval.reason
                hint = say("proof.says-why", person=person, reason=reason)
                yield Refusal("R12", say("proof.rejected-it", person=person), hint)
        # Also the branch that this very push removes: who wrote on it is not forgotten with it.
        branch = CHANGES + change.id
        heads = {head for head in (self._seen(branch), self.repository.ref(branch)) if head is not None}
        wrote = {w for head in heads for w in writers(change_at(self.store, self.aim, change.id, head), registry)}
        for person in sorted(wrote & {one.person for one in proof.said if one.verdict == "approve"}):
            yield Refusal("R9", say("proof.approves-own-branch", person=person, change=change.id))

    def _reviews(self, id: str) -> dict[str, str]:
        prefix = f"{REVIEWS}{id}/"
        here = {**self.repository.refs(prefix), **{r: s for r, s in self.pushed.items() if r.startswith(prefix)}}
        return {ref.removeprefix(prefix): sha for ref, sha in here.items() if sha is not None}

    # -- changes ---------------------------------------------------------------------------------------------------

    def _change(self, move: Move, id: str) -> Iterator[Refusal]:
        if move.new is None:
            if self._seen(WITHDRAWN + id) is None and not self._is_applied(id, move.old or ""):
                yield Refusal("R12", say("proof.open-stays"), f"remit withdraw {id}")
            return
        if self._seen(WITHDRAWN + id) is not None:
            yield Refusal("R12", say("proof.was-withdrawn", change=id), say("proof.propose-anew"))
            return
        if move.old is not None and not self.repository.is_ancestor(move.old, move.new):
            yield Refusal("R2", say("proof.goes-on"), say("proof.propose-another"))
            return
        if (base := self.repository.merge_base(self.aim.tip, move.new)) is None:
            yield Refusal("R2", say("proof.no-common-history", branch=self.aim.branch), say("proof.propose"))
            return
        before = base
        for sha in self._new_commits(move.new):
            if why := why_no_plain_commit(self.repository.raw_commit(sha)):
                yield Refusal("R16", _of(sha, why), say("proof.propose"))
                return
            if why := why_too_large(self.store, before, sha):
                yield Refusal("R17", _of(sha, why))
                return
            before = sha
        if parse_message(self.repository.commit(move.new).message).change != id:
            yield Refusal("R4", say("proof.not-itself", change=id), say("proof.propose"))
            return
        yield from why_no_plain_paths(self.store, move.new, self.repository.changed_paths(base, move.new))
        change = change_at(self.store, self.aim, id, move.new)
        if found := applied_as(self.aim, change):
            yield Refusal("R4", say("proof.applied-as", commit=found[:12]))
        elif why := why_not_proposed(change, self.root, registry_at(self.store, base), self.now):
            yield Refusal("R7", say("proof.proposer-unsigned", why=why), say("proof.propose"))

    def _is_applied(self, id: str, head: str) -> bool:
        tip = self._seen(self.aim.ref) or self.aim.tip
        aim = Target(self.repository, self.aim.ref, tip, None)
        return applied_as(aim, change_at(self.store, aim, id, head)) is not None

    # -- what people say -------------------------------------------------------------------------------------------

    def _review(self, move: Move, id: str, person: str) -> Iterator[Refusal]:
        if move.new is None:
            yield Refusal("R12", say("proof.not-taken-back"), say("proof.say-anew", change=id))
            return
        said = self._statement(move.new, (move.old,) if move.old else ())
        if isinstance(said, Refusal):
            yield said
        elif (said.change, said.person) != (id, person) or said.verdict not in ("approve", "reject"):
            verdict = say(f"proof.verdict-{said.verdict}")
            message = say("proof.kept-elsewhere", verdict=verdict, person=said.person, change=said.change)
            yield Refusal("R14", message)
        elif move.old and (earlier := self._statement(move.old, None)) and not _is_later(said, earlier):
            yield Refusal("R12", say("proof.said-later", person=person), say("proof.approve-or-reject", change=id))
        elif self._seen(CHANGES + id) is None:
            yield Refusal("R1", say("proof.no-change-here", change=id), say("proof.push-first"))
        elif why := self._why_not_said(said):
            yield Refusal(
                "R7", say("proof.holds-not", verdict=say(f"proof.verdict-{said.verdict}"), person=person, why=why)
            )

    def _withdrawal(self, move: Move, id: str) -> Iterator[Refusal]:
        head = self.repository.ref(CHANGES + id)
        if move.old is not None or move.new is None:
            yield Refusal("R12", say("proof.withdrawal-stays"))
            return
        if head is None:
            yield Refusal("R1", say("proof.no-change-here", change=id))
            return
        change = change_at(self.store, self.aim, id, head)
        registry = registry_at(self.store, change.base)
        if found := applied_as(self.aim, change):
            yield Refusal("R4", say("proof.applied-as", commit=found[:12]))
        elif not registry.signs:
            if move.new != head:
                yield Refusal("R12", say("proof.keeps-other", change=id), f"remit withdraw {id}")
        elif isinstance(said := self._statement(move.new, (head,)), Refusal):
            yield said
        elif why := self._why_not_withdrawn(said, change, registry):
            yield Refusal("R12", say("proof.not-by-proposer", why=why), f"remit withdraw {id}")

    def _why_not_withdrawn(self, said: Approval, change: Change, registry: Registry) -> str:
        if said.verdict != "withdraw":
            return says(said)
        if said.person not in writers(change, registry):
            return say("proof.wrote-nothing", person=said.person)
        return why_other(said, change, self.root) or registry.why_unsigned(said, self.now)

    def _statement(self, sha: str, parents: tuple[str, ...] | None) -> Approval | Refusal:
        """What a posted commit says; its parents must be these, when they are given."""
        commit = self.repository.commit(sha)
        if parents is not None and commit.parents != parents:
            return Refusal("R12", say("proof.not-following"), say("proof.fetch-and-say"))
        kept = self.repository.entries(commit.tree, largest=LARGEST_COMMIT)
        if [(name, entry.mode) for name, entry in kept.items()] != [(REVIEW_FILE, FILE_MODE)]:
            return Refusal("R17", say("proof.not-one-file", name=REVIEW_FILE))
        oid = kept[REVIEW_FILE].oid
        if self.repository.sizes([oid]).get(oid, 0) > LARGEST_COMMIT:
            return Refusal("R17", say("proof.file-too-large", name=REVIEW_FILE))
        said = parse_approval(self.repository.read_blobs([oid])[oid])
        return said or Refusal("R7", say("proof.no-approval", name=REVIEW_FILE))

    def _why_not_said(self, said: Approval) -> str:
        if (said.repository, said.ref) != (self.root, self.aim.ref):
            return say("proof.elsewhere")
        if said.at - self.now > CLOCKS_DIFFER:
            return say("proof.given-later", given=said.at.isoformat(), now=self.now.isoformat())
        if not self.repository.exists(said.base) or not self.repository.is_ancestor(said.base, self.aim.tip):
            return say("proof.base-elsewhere")
        registry = registry_at(self.store, said.base)
        if not registry.known(said.person):
            return say("change.no-person-of-base", person=said.person)
        return registry.why_unsigned(said, self.now)


def _of(sha: str, why: str) -> Text:
    """What is said about one of several commits."""
    return say("proof.of-commit", commit=sha[:12], why=why)


def _is_later(said: Approval, earlier: Approval | Refusal) -> bool:
    return isinstance(earlier, Refusal) or said.at > earlier.at
