"""Proposing a change again: what it does, laid onto the present tip of the protected branch, as a change of its own.

Source: design section 7; security rule R7.
"""

from __future__ import annotations

from datetime import datetime

from remit.changes import Change
from remit.changing.proposals import found, must_be
from remit.changing.proposing import merged_with, put_up
from remit.changing.reviewing import withdraw
from remit.changing.targets import Target, identity_of, inside, result_tree, target
from remit.errors import Refused
from remit.sentences import say
from remit.signing import Sign, unsigned
from remit.store import Store


def propose_again(store: Store, id: str, *, at: datetime, sign: Sign = unsigned) -> Change:
    """Your own change on the present tip, with the same words; the old one is withdrawn, and its approvals with it.

    What moved on the protected branch meanwhile is merged by fields.

    Args:
        store: The store; its working tree is not looked at.
        id: The change.
        at: When. A change that was to wait for a day that has come waits no more.
        sign: Signs where the base has keys.

    Raises:
        Clash: the protected branch meanwhile wants something else of the same fields; nothing was written.
        Refused: it is somebody else's or not open, it is on the tip already, or the tip holds all of it.
    """
    aim = target(store)
    proposal = found(store, aim, id, at)
    change, author = proposal.change, identity_of(aim.repository)
    must_be(proposal, "open", "rejected", "outdated")
    if author.email.casefold() != change.author.email.casefold():
        message = say("change.not-yours", change=change.id, author=f"{change.author.name} <{change.author.email}>")
        raise Refused(message, hint=say("change.proposer-again"))
    if change.base == aim.tip:
        message = say("change.on-tip-already", change=change.id, branch=aim.branch)
        raise Refused(message, hint=f"remit review {change.id}")
    files = _on_tip(store, aim, change)
    if not files:
        message = say("change.holds-all-already", branch=aim.branch, change=change.id)
        raise Refused(message, hint=f"remit withdraw {change.id}")
    effective = change.effective if change.effective and change.effective > at else None
    again = put_up(store, aim, files, change.message, author, at, effective, sign)
    withdraw(store, change.id, at=at, sign=sign)
    return again


def _on_tip(store: Store, aim: Target, change: Change) -> dict[str, bytes | None]:
    """What the change makes of the files of the tip, by path of the store; what is like that already is left out."""
    repository, entries = aim.repository, change.manifest.entries
    outside = [path for path in change.manifest.paths if inside(store, path).startswith("/")]
    if outside or result_tree(repository, repository.tree_of(change.base), change) != change.tree:
        raise Refused(say("change.not-plain-files", change=change.id), hint=say("change.propose-anew"))
    there = {path: entry.oid for path, entry in repository.list_tree(aim.tip, change.manifest.paths).items()}
    blobs = repository.read_blobs({entry.new for entry in entries if entry.new})
    files: dict[str, bytes | None] = {}
    moved: dict[str, tuple[str | None, str | None, bytes | None]] = {}
    for path, old, new in entries:
        data = blobs[new] if new else None
        if there.get(path) == old:
            files[inside(store, path)] = data
        elif there.get(path) != new:
            moved[inside(store, path)] = (old, there.get(path), data)
    return files | merged_with(aim, moved)
