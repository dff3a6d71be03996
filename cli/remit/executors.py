"""Executors: Spark's executors decide about the facts that its SQL selected, each with the rulebook of the store.

An executor reads the store from the bytes that it is sent and facts from copies of the spool, and asks the very
``timeline`` that is asked on one machine; Remit must be installed where executors run. What policies hear from one
another is decided in each of them anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from remit.engine import Narrow, Rulebook, Timeline, by_instant, timeline
from remit.evaluating import Loaded, load
from remit.policies.clocking import Window
from remit.sources.spark import session
from remit.sources.spool import Spool, SpooledWorld
from remit.store import Files

PARTS = 4
"""Into how many parts the facts are cut for each executor that Spark says it has."""

Group = tuple[tuple[str, ...], bool]
"""Watches that are asked together, by name; True when others hear what they decide."""


@dataclass(frozen=True)
class Job:
    """What every executor is sent: the store, where its facts are, the question, and what policies hear."""

    files: Files
    offsets: Mapping[str, Mapping[str, int]]
    window: Window
    read_at: datetime | None
    heard: Mapping[Group, tuple[str, ...]]


def spread(loaded: Loaded, rulebook: Rulebook, window: Window, read_at: datetime | None, narrow: Narrow) -> Timeline:
    """What ``timeline`` gives for the subjects that ``narrow`` selects, decided by executors."""
    world = loaded.world
    assert isinstance(world, SpooledWorld)
    context = session(world.master).sparkContext
    asked = [
        (tuple(watch.name for watch in group.watches), entity.name)
        for group in rulebook.groups
        for entity in narrow(group.watches, False)
    ]
    heard = {
        (tuple(watch.name for watch in group.watches), True): tuple(one.name for one in narrow(group.watches, True))
        for stratum in rulebook.sources
        for group in stratum
    }
    for kind in world.spool.kinds:
        context.addFile(str(world.spool.file(kind)))
    snapshot = loaded.snapshot
    files = Files(snapshot.commit or None, snapshot.date, dict(snapshot.files))
    offsets = {kind: dict(world.spool.names(kind)) for kind in world.spool.kinds}
    job = context.broadcast(Job(files, offsets, window, read_at, heard))
    parts = context.parallelize(asked, PARTS * context.defaultParallelism)
    found = parts.mapPartitions(lambda part: decided(job.value, part)).collect()
    findings = dict.fromkeys(finding for one in found for finding in one.findings)
    return Timeline(by_instant((d for one in found for d in one.decisions), window), list(findings))


def decided(job: Job, asked: Iterable[tuple[tuple[str, ...], str]]) -> Iterator[Timeline]:
    """What one executor decides about the facts of one part."""
    from pyspark import SparkFiles

    names: dict[Group, list[str]] = {}
    for watches, name in asked:
        names.setdefault((watches, False), []).append(name)
    if not names:
        return
    loaded = load(job.files)
    spool = Spool.copied({kind: Path(SparkFiles.get(f"{kind}.jsonl")) for kind in job.offsets}, job.offsets)
    records = [entity for kind in loaded.schemas.kinds for entity in loaded.world.all(kind)]
    world = SpooledWorld(loaded.schemas, records, loaded.snapshot.config, spool)

    def narrow(watches: Any, heard: bool) -> Iterator[Any]:
        key = (tuple(watch.name for watch in watches), heard)
        kind = watches[0].subject
        return (world.get(kind, name) for name in (job.heard if heard else names).get(key, ()))

    rulebook = Rulebook(loaded.policies.watches, loaded.compiler)
    try:
        yield timeline(rulebook, world, job.window, loaded.wording, read_at=job.read_at, narrow=narrow)
    finally:
        rulebook.close()
