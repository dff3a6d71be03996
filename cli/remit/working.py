"""The files of a working tree by their ids, read only where they are not what they were when they were last checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from remit.findings import Finding
from remit.footing import FRESH, Footing, Irregular, blob_id, footing_of, look
from remit.remembering import Memory, memory_of
from remit.store import Store
from remit.verdicts import WORKING, Known


class Working(NamedTuple):
    """The files that are there.

    Attributes:
        footing: The files by the ids that git has or would have for them.
        read: Gives one of them as it is now.
        findings: What is there and is not a readable regular file.
    """

    footing: Footing
    read: Callable[[str], bytes]
    findings: tuple[Finding, ...] = ()


def working_tree(store: Store) -> Working:
    """The working tree of a store that is in git."""
    algorithm = store.in_git().object_format
    memory = memory_of(store)
    seen = _remembered(store, memory) if memory else None
    if seen is not None:
        return Working(seen, store.read)
    files = store.files()
    ids = {path: blob_id(data, algorithm) for path, data in files.blobs.items()}
    return Working(footing_of(ids), files.blobs.__getitem__, files.findings)


def _remembered(store: Store, memory: Memory) -> Footing | None:
    known = Known.of_bytes(memory.recall(WORKING))
    try:
        return look(store, known.footing, memory.now() - FRESH).footing if known else None
    except Irregular:
        return None
