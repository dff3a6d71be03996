"""Proposing: what differs becomes a change on a branch of its own, signed by its proposer where the base has keys.

Source: design section 7; security rules R7, R9.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from remit.apart import apart, id_in
from remit.changes import Approval, Change, Touched, manifest, signed_text, with_trailers, words_digest
from remit.changing.merge_requests import merge_request
from remit.changing.proposals import change_at
from remit.changing.targets import CHANGES, Target, identity_of, me, overlap, post, registry_at, target
from remit.errors import NotFound, Refused
from remit.findings import did_you_mean
from remit.footing import Footing
from remit.git import Identity, Repository
from remit.secrets import secrets_in
from remit.sentences import say
from remit.signing import Sign, unsigned
from remit.store import FOLDERS, Store, is_store_path
from remit.working import working_tree
from remit.yamltext import Conflict, Versions, forbidden_character, merge_files

_UNMERGED = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)


class Clash(Refused):
    """A change and the protected branch want something different of one place; ``conflicts`` says where."""

    def __init__(self, message: str, hint: str, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__(message, hint)
        self.conflicts = conflicts


def propose(
    store: Store,
    message: str,
    paths: Sequence[str] | None = None,
    *,
    at: datetime,
    effective: datetime | None = None,
    sign: Sign = unsigned,
) -> Change:
    """Put what differs in the working tree onto a branch of its own, and on the origin when there is one.

    The difference is taken against the commit that the working tree comes from and laid onto the tip of the protected
    branch, so that a working tree that is behind takes nothing back. A record that moved there too is merged by fields.

    Args:
        store: A store with a working tree; it is only read.
        message: Title, and after an empty line anything else.
        paths: Files or folders of the store to take; all when None.
        at: When; it becomes part of the id.
        effective: From when on it may be applied; None: at once.
        sign: Signs where the base has keys.

    Raises:
        Clash: the protected branch meanwhile wants something else of the same fields.
        Refused: nothing differs, nobody is known to git, there is no working tree, or the base wants a signature and
            you have no key of it.
    """
    if store.is_bare:
        raise Refused(say("change.bare-nothing-to-propose"), hint=say("change.propose-from-clone"))
    repository, text = store.in_git(), _message(message)
    head = _head(repository)
    aim = target(store, head=head)
    author = identity_of(repository)
    new = _differences(store, _fork(aim, head), aim, paths)
    return put_up(store, aim, new, text, author, at, effective, sign)


def propose_files(
    store: Store,
    files: Mapping[str, bytes | None],
    message: str,
    *,
    at: datetime,
    effective: datetime | None = None,
    sign: Sign = unsigned,
) -> Change:
    """Put files (None: removed) onto a branch of their own, whatever the working tree holds.

    Raises:
        Refused: there is nothing to propose, nobody is known to git, or you cannot sign where the base wants it.
    """
    repository, text = store.in_git(), _message(message)
    if not files:
        raise Refused(say("change.nothing-to-propose"), hint=say("change.say-which-files"))
    aim = target(store, head=_head(repository))
    author = identity_of(repository)
    return put_up(store, aim, files, text, author, at, effective, sign)


def _head(repository: Repository) -> str:
    if (head := repository.named("HEAD")) is None:
        raise Refused(say("change.nothing-committed"), hint=say("change.commit-once"))
    return head


def put_up(
    store: Store,
    aim: Target,
    new: Mapping[str, bytes | None],
    text: str,
    author: Identity,
    at: datetime,
    effective: datetime | None,
    sign: Sign,
) -> Change:
    """Files of the store (None: removed) as a change on the tip of the protected branch, with ``text`` as its words."""
    repository = aim.repository
    for path, data in sorted(new.items()):
        for found in secrets_in(data or b""):
            raise Refused(
                say("change.holds-secret", place=f"{path}:{found.line}", what=found.what), hint=say("proof.take-it-out")
            )
        if mark := _UNMERGED.search(data or b""):
            line = (data or b"").count(b"\n", 0, mark.start()) + 1
            message = say("change.marks-of-merge", place=f"{path}:{line}")
            raise Refused(message, hint=say("change.keep-one-side"))
    if effective is not None and effective <= at:
        raise Refused(say("change.effective-too-early"), hint=say("change.effective-later"))
    base = repository.tree_of(aim.tip)
    tree = repository.commit_with(base, {store.prefix + path: data for path, data in new.items()})
    # The branch begins with the id, and so does its own commit message.
    for digits in (6, 12, 24):
        change = _new_id(aim.tip, tree, author, text, at, effective, digits)
        present = aim.repository.ref(aim.seen(CHANGES + change))
        if present is None or repository.commit(present).tree == tree:
            break
    if present is None:
        signed = _signed(store, aim, change, tree, text, author, at, effective, sign)
        words = with_trailers(text, change, signed, effective=effective)
        present = repository.commit_tree(tree, [aim.tip], words, author, author, at)
        post(aim, {CHANGES + change: (None, present)}, merge_request(aim.branch, text))
    return change_at(store, aim, change, present)


def _signed(
    store: Store,
    aim: Target,
    change: str,
    tree: str,
    text: str,
    author: Identity,
    at: datetime,
    effective: datetime | None,
    sign: Sign,
) -> list[Approval]:
    """The proposer's own words about the change; none where nobody has a key."""
    registry, repository = registry_at(store, aim.tip), aim.repository
    if not registry.signs:
        return []
    person = me(registry, author).person
    keys = registry.usable_keys(person, at) if person else ()
    if not keys:
        who = person or f"{author.name} <{author.email}>"
        raise Refused(say("change.signed-here", who=who), hint=say("change.key-by-another"))
    touched = manifest(Touched(c.path, c.old, c.new) for c in repository.changed_paths(aim.tip, tree))
    said = Approval(
        change=change, repository=repository.root_commit(aim.tip), ref=aim.ref, base=aim.tip, tree=tree,
        manifest_digest=touched.digest, words=words_digest(text, effective), verdict="propose", person=person,
        at=at.astimezone(UTC),
    )  # fmt: skip
    return [replace(said, signature=sign(signed_text(said), keys))]


def _fork(aim: Target, head: str) -> str:
    repository = aim.repository
    if fork := repository.merge_base(head, aim.tip):
        return fork
    if repository.is_shallow:
        raise Refused(say("change.shallow"), hint="git fetch --unshallow")
    raise Refused(say("change.no-common-history", branch=aim.branch), hint=f"git checkout {aim.branch}")


def _differences(store: Store, fork: str, aim: Target, paths: Sequence[str] | None) -> dict[str, bytes | None]:
    files = working_tree(store)
    wanted = None if paths is None else tuple(path.removeprefix("./").rstrip("/") for path in paths)
    if odd := [found for found in files.findings if _is_wanted(found.place.path, wanted)]:
        raise Refused(odd[0].message, hint=odd[0].hint or say("change.regular-files-only"))
    for path in wanted or ():
        _must_be_somewhere(store, fork, files.footing, path)
    changed = {path: ids for path, ids in apart(store, fork, files.footing).items() if _is_wanted(path, wanted)}
    tip = {path: before if fork == aim.tip else id_in(store, aim.tip, path) for path, (before, _) in changed.items()}
    here = {path: files.read(path) if now else None for path, (_, now) in changed.items() if now != tip[path]}
    moved = {path: (changed[path][0], tip[path], data) for path, data in here.items() if tip[path] != changed[path][0]}
    found = {path: data for path, data in here.items() if path not in moved} | merged_with(aim, moved)
    if not found:
        raise Refused(say("change.nothing-differs", branch=aim.branch), hint=say("change.change-a-file"))
    return found


def merged_with(
    aim: Target, moved: Mapping[str, tuple[str | None, str | None, bytes | None]]
) -> dict[str, bytes | None]:
    """Files that moved on the protected branch too, merged by fields; those that it has like that already are left out.

    Args:
        aim: The protected branch.
        moved: By path of the store: the blob before, the blob there, and the file here (None: there is none).

    Raises:
        Clash: both want something different of one place.
    """
    blobs = aim.repository.read_blobs({oid for before, there, _ in moved.values() for oid in (before, there) if oid})
    sides = {
        path: Versions(blobs[before] if before else None, here, blobs[there] if there else None)
        for path, (before, there, here) in moved.items()
    }
    merged = merge_files(sides)
    if merged.conflicts:
        message = say("change.clash", record=merged.conflicts[0].record, branch=aim.branch)
        raise Clash(message, say("change.clash-decide"), merged.conflicts)
    return {path: data for path, data in merged.files.items() if data != sides[path].theirs}


def _must_be_somewhere(store: Store, fork: str, files: Footing, path: str) -> None:
    """Raises ``NotFound`` for a path that leads to nothing, neither in a commit nor among the files."""
    if files.oid(path) is not None or files.below(path) or (is_store_path(path) and id_in(store, fork, path)):
        return
    known = sorted({*store.listing(fork), *files.all()} - {*FOLDERS})
    if not any(_is_wanted(name, (path,)) for name in known):
        raise NotFound(say("change.nothing-at", path=path), hint=did_you_mean(path, known))


def _is_wanted(path: str, wanted: tuple[str, ...] | None) -> bool:
    return wanted is None or any(w in ("", ".") or overlap(path, w) for w in wanted)


def _message(message: str) -> str:
    text = "\n".join(line.rstrip() for line in message.strip().split("\n"))
    if not text:
        raise Refused(say("change.no-title"), hint=say("change.propose-example"))
    if odd := forbidden_character(text):
        raise Refused(say("change.odd-character", character=odd), hint=say("change.plain-text"))
    return text


def _new_id(
    base: str, tree: str, author: Identity, text: str, at: datetime, effective: datetime | None, digits: int
) -> str:
    day = at.astimezone(UTC)
    when = [effective.astimezone(UTC).isoformat()] if effective else []
    parts = json.dumps([base, tree, author.name, author.email, day.isoformat(), text, *when]).encode()
    return f"c-{day:%Y%m%d}-{hashlib.sha256(parts).hexdigest()[:digits]}"
