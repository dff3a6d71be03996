"""Follow-up records of decisions, proposed as one change: never a silent write, and never twice.

A record that stands on the protected branch already, or in a change that is still open, is not proposed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from remit.changes import Change
from remit.changing.proposals import changes
from remit.changing.proposing import propose_files
from remit.changing.targets import target
from remit.decisions import Decision, Wanted
from remit.errors import Refused
from remit.evaluating import Loaded
from remit.store import Store
from remit.yamltext import dump

OPEN = ("open", "approved", "outdated")


@dataclass(frozen=True)
class Proposed:
    """What came of the follow-ups: the change that was made, if any, and the paths that were there already."""

    change: Change | None
    paths: tuple[str, ...]
    already: tuple[str, ...]


def propose_follow_ups(store: Store, loaded: Loaded, decisions: Iterable[Decision], *, at: datetime) -> Proposed:
    """Propose every follow-up record that the decisions ask for and that nobody has proposed yet.

    Raises:
        Refused: a record that a policy asks for does not fit its schema.
    """
    files: dict[str, bytes] = {}
    reasons: list[str] = []
    for decision in decisions:
        if decision.wants is not None:
            path, data = _as_file(decision.wants, loaded)
            files[path] = data
            reasons.append(f"{path}: {decision.policy}/{decision.level} of {decision.subject} ({decision.id})")
    taken = _taken(store, at)
    new = {path: data for path, data in sorted(files.items()) if path not in taken}
    already = tuple(sorted(set(files) & taken))
    if not new:
        return Proposed(None, (), already)
    title = f"Follow-ups of {len(new)} decision{'s' if len(new) > 1 else ''}"
    body = "\n".join(reason for reason in sorted(set(reasons)) if reason.partition(":")[0] in new)
    return Proposed(propose_files(store, new, f"{title}\n\n{body}", at=at), tuple(new), already)


def _as_file(wanted: Wanted, loaded: Loaded) -> tuple[str, bytes]:
    schema = loaded.schemas.kinds[wanted.kind]
    metadata: dict[str, object] = {"name": wanted.name}
    if wanted.title:
        metadata["title"] = dict(wanted.title)
    body = {"apiVersion": "remit/v1", "kind": wanted.kind, "metadata": metadata, "spec": dict(wanted.spec)}
    problem = next(iter(schema.problems(body, of="record")), None)
    if problem is not None:
        raise Refused(f"{wanted.kind}/{wanted.name} cannot be proposed: {problem.message}", problem.hint)
    return f"records/{schema.folder}/{wanted.name}.yaml", dump(body)


def _taken(store: Store, at: datetime) -> set[str]:
    """Paths on the protected branch, and paths that open changes touch."""
    taken = set(store.listing(target(store).tip))
    for proposal in changes(store, at=at, fetch=False):
        if proposal.state in OPEN:
            taken |= {path.removeprefix(store.prefix) for path in proposal.change.manifest.paths}
    return taken
