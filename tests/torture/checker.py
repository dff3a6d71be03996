"""Whether anything was lost: one question after every run, whatever was done to the store.

* NL1 each acknowledged apply is on the protected branch exactly once.
* NL2 the protected branch is one line, and every step of it proves itself.
* NL3 nothing is on it that no client asked for, and nothing twice.
* NL4 each acknowledged proposal and approval can still be read.
* NL5 git finds every object whole.
* NL6 the next ordinary command works; whoever runs a fault asks it, with the command that was hit.

There are no notices yet of which some could be lost (NL7).

Source: security, section 3.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from remit.auditing import audit
from remit.changes import parse_approval, parse_message
from remit.changing.targets import CHANGES, REVIEW_FILE, REVIEWS, own_target
from remit.errors import UserError
from remit.judging import law_of
from remit.store import Store
from torture.history import Operation


def nothing_lost(store: Store, operations: Sequence[Operation], *, now: datetime) -> list[str]:
    """What was lost, each loss with the rule that it breaks; empty when nothing was.

    Args:
        store: The place of truth.
        operations: What all its clients asked for and were told, the setting up included.
        now: No commit is younger.
    """
    if damage := list(broken_objects(store.in_git().git_dir)):
        return damage
    return [
        *_applied(store, operations),
        *_proved(store, now),
        *_readable(store, operations),
    ]


def broken_objects(folder: Path) -> Iterator[str]:
    """What git itself finds missing or corrupt in a repository."""
    command = ["git", "-C", str(folder), "fsck", "--full", "--strict", "--no-dangling", "--no-progress"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"NL5: git fsck says: {(done.stderr or done.stdout).strip()}"


def _applied(store: Store, operations: Sequence[Operation]) -> Iterator[str]:
    repository, aim = store.in_git(), own_target(store)
    carried = {c.sha: parse_message(c.message).change for c in repository.log(aim.tip)}
    there = Counter(change for change in carried.values() if change)
    asked = {one.change for one in operations if one.verb == "apply"}
    told = {one.change: one.sha for one in operations if one.verb == "apply" and one.told == "done"}
    for change, sha in sorted(told.items()):
        if carried.get(sha) != change:
            yield f"NL1: {change} was acknowledged as {sha[:12]}, which does not carry it on {aim.branch}"
    for change, times in sorted(there.items()):
        if times > 1:
            yield f"NL3: {change} is on {aim.branch} {times} times"
        if change not in asked:
            yield f"NL3: {change} is on {aim.branch}, and nobody asked for it"


def _proved(store: Store, now: datetime) -> Iterator[str]:
    """An audit of the whole history; it finds two parents and commits without approval too."""
    try:
        found = audit(store, partial(law_of, store), now=now)
    except UserError as error:
        yield f"NL2: it cannot be audited: {error}"
        return
    for one in found.troubles:
        yield f"NL2: {one.commit[:12]} {one.change}: {one.message} ({one.rule})"


def _readable(store: Store, operations: Sequence[Operation]) -> Iterator[str]:
    repository = store.in_git()
    heads, reviews = repository.refs(CHANGES), repository.refs(REVIEWS)
    texts = repository.find_blobs(f"{sha}:{REVIEW_FILE}" for sha in reviews.values())
    for one in operations:
        if one.told != "done":
            continue
        if one.verb == "propose" and heads.get(CHANGES + one.change) != one.sha:
            yield f"NL4: the proposal {one.change} of {one.person} is not where it was acknowledged"
        if one.verb == "approve":
            sha = reviews.get(f"{REVIEWS}{one.change}/{one.person}", "")
            said = parse_approval(texts.get(f"{sha}:{REVIEW_FILE}", b""))
            if said is None or (said.change, said.person, said.verdict) != (one.change, one.person, "approve"):
                yield f"NL4: the approval of {one.change} by {one.person} cannot be read"
