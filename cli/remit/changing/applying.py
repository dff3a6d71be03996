"""Applying: an approved change becomes one commit of the protected branch that carries what people signed.

The commit is written first, proved by the question that the hook of an origin and an audit ask of it too, and only then
does the branch move to it, from where we saw it.

Source: design section 7; security rules R1-R12.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from remit.changes import Approval, Change, parse_message, review_title, with_trailers
from remit.changing.proposals import Proposal, applied_as, found, must_be, requirements_of
from remit.changing.proving import Law, Proof, prove
from remit.changing.requiring import EFFECTIVE_RULE, Check, Judge, Requirement, unmet
from remit.changing.reviewing import statement
from remit.changing.targets import Target, identity_of, look, me, post, registry_at, result_tree, target
from remit.changing.worktree import follow
from remit.errors import Refused, UserError
from remit.findings import Finding
from remit.git import Identity, RefMoved
from remit.locking import one_at_a_time
from remit.sentences import say
from remit.signing import Sign, unsigned
from remit.store import Files, Store

Foresee = Callable[[Files, Files], str]
"""A digest of what the way from one state of the store to another does to people, due times and scores."""


def unforeseen(before: Files, after: Files) -> str:
    """No plan: every way counts as doing the same."""
    return ""


class NotApplicable(Refused):
    """A change may not be applied now; ``findings`` says what the result would break, when that is why."""

    def __init__(self, message: str, hint: str = "", findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message, hint)
        self.findings = findings


@dataclass(frozen=True)
class Applied:
    """The commit that carries a change; ``already`` when it was there before; ``notes`` are for the user.

    ``reviewed`` is the commit that says that an emergency change was looked at, when this made one.
    """

    change: Change
    commit: str
    approvals: tuple[Approval, ...]
    already: bool = False
    notes: tuple[str, ...] = ()
    reviewed: str = ""


@one_at_a_time
def apply(store: Store, id: str, *, at: datetime, judge: Judge, check: Check, foresee: Foresee = unforeseen) -> Applied:
    """Make the change one commit of the protected branch; doing it again finds it done.

    One that went in by an emergency and has its approvals by now gets a commit that says so.

    Args:
        store: The store; its files follow when the protected branch is checked out and they were not edited since.
        id: The change.
        at: When; the committer time, and the instant at which keys and approvals must be good.
        judge: The approval policies of the base.
        check: Finds what is wrong with the result; any error refuses.
        foresee: Says what a change does; when it does something else on the present tip than on its base, that refuses.

    Raises:
        NotApplicable: approvals are missing, the result has errors, or it does something else by now.
        RefMoved: somebody else moved the branch meanwhile; nothing was changed.
        Refused: rejected, withdrawn or outdated.
    """
    aim = target(store)
    proposal = found(store, aim, id, at)
    law = Law(judge, judge, check)
    if proposal.owed:
        return _reviewed(store, aim, proposal, law, at)
    if proposal.applied:
        return _done(aim, proposal, proposal.applied)
    committer = identity_of(aim.repository)
    must_be(proposal, "open", "approved")
    tree = _fitting(aim, proposal)
    if missing := [r for r in requirements_of(store, aim, proposal, judge, at) if not r.satisfied]:
        raise _not_approved(proposal.change, missing)
    if _does_otherwise(store, aim, proposal.change, tree, foresee):
        raise _outlived(aim, proposal.change)
    return _commit(store, aim, proposal, tree, proposal.approvals, committer, law, at)


@one_at_a_time
def apply_in_emergency(
    store: Store,
    id: str,
    reason: str,
    *,
    at: datetime,
    judge: Judge,
    emergency: Judge,
    check: Check,
    sign: Sign = unsigned,
) -> Applied:
    """Apply a change at once, on the word of one person whom the rules of the base name for it; its review is owed.

    Args:
        store: The store.
        id: The change; the author may be who applies it.
        reason: Why it cannot wait.
        at: When.
        judge: The approval policies of the base; they say what review is owed afterwards.
        emergency: Who of the base may do this.
        check: Finds what is wrong with the result; any error refuses, also now.
        sign: Signs where the base has keys.

    Raises:
        NotApplicable: you may not, nobody may, or the result has errors.
        Refused: it is not open, or there is no reason.
    """
    if not reason.strip():
        raise Refused(say("change.emergency-needs-reason"), hint=say("change.emergency-example", id=id))
    aim = target(store)
    proposal = found(store, aim, id, at)
    if proposal.applied:
        return _done(aim, proposal, proposal.applied)
    committer = identity_of(aim.repository)
    must_be(proposal, "open", "approved", "rejected")
    change, tree = proposal.change, _fitting(aim, proposal)
    if proposal.unsigned:
        message = say("change.not-its-proposers", change=change.id, why=proposal.unsigned)
        raise NotApplicable(message, hint=say("change.propose-it-again"))
    registry = registry_at(store, change.base)
    person = me(registry, committer).person
    if not person:
        raise NotApplicable(say("change.email-of-nobody", email=committer.email), hint=say("change.email-set"))
    said = statement(aim, change, "emergency", person, registry, at=at, reason=reason.strip(), sign=sign)
    done = _commit(store, aim, proposal, tree, (said,), committer, Law(judge, emergency, check), at)
    return replace(done, notes=(*done.notes, say("change.review-owed", id=change.id)))


def does_otherwise(store: Store, change: Change, foresee: Foresee) -> bool:
    """Whether a change does something else on the protected branch as last seen than on its own base."""
    aim = target(store, fetch=False)
    tree = result_tree(aim.repository, aim.repository.tree_of(aim.tip), change)
    return _does_otherwise(store, aim, change, tree, foresee)


def _fitting(aim: Target, proposal: Proposal) -> str:
    """The tree to commit: the present tip with all that the change touches, and nothing but plain files."""
    change, repository = proposal.change, aim.repository
    if result_tree(repository, repository.tree_of(change.base), change) != change.tree:
        raise NotApplicable(say("change.no-plain-files", change=change.id), hint=say("change.propose-again"))
    return change.tree if change.base == aim.tip else result_tree(repository, repository.tree_of(aim.tip), change)


def _commit(
    store: Store,
    aim: Target,
    proposal: Proposal,
    tree: str,
    approvals: tuple[Approval, ...],
    committer: Identity,
    law: Law,
    at: datetime,
) -> Applied:
    change = proposal.change
    author = Identity(change.author.name or change.author.email or "unknown", change.author.email)
    said = (*([change.proposed] if change.proposed else []), *approvals)
    message = with_trailers(change.message, change.id, said, effective=change.effective)
    commit = aim.repository.commit_tree(tree, [aim.tip], message, author, committer, at, authored=change.created)
    _refuse_unproved(prove(store, commit, law, at=at), change)
    try:
        post(aim, {aim.ref: (aim.tip, commit)})
    except UserError as error:
        # Neither an error nor a lost race says that the change is not in: the branch does (rule R4).
        if (landed := _look_again(aim, change)) is None:
            raise _not_landed(aim, change, error) from error
        return Applied(change, landed, approvals, already=landed != commit, notes=follow(aim, landed))
    return Applied(change, commit, approvals, notes=follow(aim, commit))


def _refuse_unproved(proof: Proof, change: Change) -> None:
    if proof.holds:
        return
    if proof.findings:
        first = proof.findings[0]
        message = say("change.would-break", change=change.id, place=str(first.place), message=first.message)
        raise NotApplicable(message, hint=say("change.review-lists", id=change.id), findings=proof.findings)
    if missing := [one for one in proof.requirements if not one.satisfied]:
        raise _not_approved(change, missing)
    first_refusal = proof.refusals[0]
    message = say("change.may-not-apply", change=change.id, why=first_refusal.message, rule=first_refusal.rule)
    raise NotApplicable(message, hint=first_refusal.hint or f"remit review {change.id}")


def _not_approved(change: Change, missing: list[Requirement]) -> NotApplicable:
    if all(r.rule == EFFECTIVE_RULE for r in missing):
        message = say("change.waits-for-day", change=change.id, need=missing[0].need)
        return NotApplicable(message, hint=say("change.apply-then"))
    message = say("change.not-approved", change=change.id, missing=unmet(missing))
    return NotApplicable(message, hint=say("change.review-shows-approvers", id=change.id))


def _outlived(aim: Target, change: Change) -> NotApplicable:
    message = say("change.does-otherwise", change=change.id, branch=aim.branch)
    return NotApplicable(message, hint=say("change.review-then-again", id=change.id))


def _does_otherwise(store: Store, aim: Target, change: Change, tree: str, foresee: Foresee) -> bool:
    if change.base == aim.tip:
        return False
    then = foresee(store.files_of(change.base), store.files_of(change.tree))
    return then != foresee(store.files_of(aim.tip), store.files_of(tree))


def _done(aim: Target, proposal: Proposal, commit: str) -> Applied:
    carried = parse_message(aim.repository.commit(commit).message).approvals
    approvals = tuple(one for one in carried if one.verdict != "propose")
    notes = follow(aim, commit) if commit == aim.tip else ()
    return Applied(proposal.change, commit, approvals, already=True, notes=notes)


def _reviewed(store: Store, aim: Target, proposal: Proposal, law: Law, at: datetime) -> Applied:
    """Put on record that an emergency change was looked at, once the approvals that its rules ask are there."""
    done = _done(aim, proposal, proposal.applied or "")
    change, repository, committer = proposal.change, aim.repository, identity_of(aim.repository)
    missing = [one for one in requirements_of(store, aim, proposal, law.judge, at) if not one.satisfied]
    if missing:
        note = say("change.still-owed", missing=unmet(missing))
        return Applied(change, done.commit, done.approvals, True, (*done.notes, note))
    title = review_title(change.title)
    message = with_trailers(title, approvals=proposal.approvals, reviewed=change.id)
    commit = repository.commit_tree(repository.tree_of(aim.tip), [aim.tip], message, committer, committer, at)
    _refuse_unproved(prove(store, commit, law, at=at), change)
    post(aim, {aim.ref: (aim.tip, commit)})
    return Applied(change, done.commit, proposal.approvals, True, follow(aim, commit), reviewed=commit)


def _look_again(aim: Target, change: Change) -> str | None:
    try:
        return applied_as(look(aim.repository, aim.branch, aim.remote, fetch=True), change)
    except UserError:
        return None


def _not_landed(aim: Target, change: Change, error: UserError) -> UserError:
    if isinstance(error, RefMoved):
        message = say("change.moved-meanwhile", branch=aim.branch, change=change.id, said=error.message)
        return RefMoved(message, hint=say("change.apply-again", id=change.id))
    return error
