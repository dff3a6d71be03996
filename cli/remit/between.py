"""What is wrong with the way from one state of a store to the next, read from what differs between them.

Source: design section 11, point 8.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from remit import checking
from remit.evaluating import Loaded
from remit.fetching import Fetched, Find
from remit.findings import Finding
from remit.neighbours import AMONG, Ground
from remit.records import build_snapshot
from remit.references import Entity
from remit.touching import few, ground_of
from remit.verdicts import RECORDS, Known, Touch


def since(known: Known, now: Find, before: Mapping[str, bytes | None]) -> tuple[Finding, ...] | None:
    """The findings of ``checking.since``; None when everything must be read to tell.

    Args:
        known: What is known of the store as it is.
        now: Gives any file as it is.
        before: The files that were something else, as they were; None for those that were not there.
    """
    told = known.parts[RECORDS].findings
    others = any(not path.startswith(("records/", "rules/", "templates/")) for path in before)
    if others or not few(before, known) or any(one.code in AMONG for one in told):
        return None

    def then(path: str) -> bytes | None:
        return before[path] if path in before else now(path)

    head = ground_of(known, Touch({}, now, tuple, now), before)
    base = ground_of(known, Touch(before, then, tuple, then), before)
    after, origin = (_records(ground, before) if ground else None for ground in (head, base))
    if head is None or base is None or after is None or origin is None:
        return None
    same = not any(path.startswith("rules/") for path in before)
    loaded, before_it = (_loaded(side, only_lifecycles=same) for side in (head, base))
    return checking.since_touched(loaded, before_it, after, origin)


def _records(ground: Ground, touched: Collection[str]) -> list[Entity] | None:
    """The touched records that fit their schema; None where a path does not tell which record stands there."""
    paths = sorted(path for path in touched if path in ground.files and path.startswith("records/"))
    found = []
    for record in build_snapshot({path: ground.files[path] for path in paths}).records:
        if ground.shelf.path(record.kind, record.name) != record.path:
            return None
        entity = ground.shelf.one(record.kind, record.name, valid=True)
        found += [entity] if entity is not None else []
    return found


def _loaded(ground: Ground, *, only_lifecycles: bool) -> Loaded:
    """The rules of a store, and its records when they are asked for."""
    read = build_snapshot({path: ground.files[path] for path in ground.files.below("rules/")})
    policies = tuple(one for one in read.policies if not only_lifecycles or one.kind == "LifecyclePolicy")
    snapshot = replace(read, files=ground.files, config=ground.config, policies=policies)
    return Loaded(snapshot, ground.schemas, Fetched(ground.shelf, ground.config, valid=True), (), ())
