"""What a change adds to what is wrong with a store, from what is remembered of the store where that is enough.

Source: design sections 7 and 11, point 8.
"""

from __future__ import annotations

from datetime import datetime

from remit import checking
from remit.evaluating import load
from remit.findings import Finding, added_to, in_order
from remit.judging import added_findings
from remit.nearby import decides, is_cases, near
from remit.rechecking import check_files
from remit.records import config_of
from remit.remembering import memory_of
from remit.store import Files, Store, changed_paths


def added_by(store: Store, before: Files, after: Files, *, at: datetime) -> tuple[Finding, ...]:
    """What ``judging.added_findings`` finds between two commits or trees of a store.

    Both sides are checked as ``rechecking`` does. Of the way from one to the other only what is near to it is read. A
    change of what decides is judged in full.
    """
    memory = memory_of(store)
    feeds = any(config_of(side.blobs).sources for side in (before, after))
    if memory is None or feeds or decides(changed_paths(before.blobs, after.blobs)):
        return added_findings(before, after, at=at)
    old, new = (check_files(side, store.root, memory, at=at, store=store).findings for side in (before, after))
    origin, result = (load(side) for side in near(before, after))
    way = checking.since(result.judged_as(origin), origin)
    # Who touches nothing that decides does not answer for cases that rely on records of the store.
    return tuple(one for one in added_to(old, in_order((*new, *way))) if not is_cases(one.place.path))
