"""The history of a record or path, with the changes and approvals that the protected branch carries."""

from __future__ import annotations

import json
from typing import NamedTuple

from remit.changes import Approval, parse_message
from remit.errors import NotFound
from remit.findings import did_you_mean
from remit.git import Commit
from remit.sentences import say
from remit.store import Store


class Entry(NamedTuple):
    """One step of a history: a commit, the change that it applied (empty: none) and the approvals that it carries.

    ``emergency`` is what the person said who applied it without waiting for them.
    """

    commit: Commit
    change: str
    approvals: tuple[Approval, ...]
    emergency: Approval | None = None


def log_of(store: Store, name: str, *, ref: str = "HEAD", limit: int | None = None) -> list[Entry]:
    """The history of a record (``Kind/name``), or of a file or folder of the store, newest first.

    Raises:
        NotFound: no such kind, or nothing of that name ever was.
    """
    repository = store.in_git()
    path = path_of(store, name, ref=ref)
    commits = repository.log(ref, [store.prefix + path] if store.prefix + path else [], limit)
    if not commits:
        raise NotFound(say("change.no-history", name=name), hint=say("change.never-committed", path=path))
    return [_entry(commit) for commit in commits]


def _entry(commit: Commit) -> Entry:
    said = parse_message(commit.message)
    approvals = tuple(one for one in said.approvals if one.verdict == "approve")
    emergency = next((one for one in said.approvals if one.verdict == "emergency"), None)
    return Entry(commit, said.change or said.reviewed, approvals, emergency)


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
        raise NotFound(say("change.no-kind", kind=kind), hint=did_you_mean(kind, kinds))
    schema = json.loads(store.in_git().read_blobs([kinds[kind]])[kinds[kind]])
    return f"records/{schema.get('x-remit-plural', kind.lower())}/{rest}.yaml"
