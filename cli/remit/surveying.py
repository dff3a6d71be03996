"""A check of everything that notes what its verdict rests on.

Source: design section 11, point 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from remit import checking
from remit.evaluating import Loaded
from remit.findings import in_order
from remit.footing import Footing
from remit.reaching import unreached, ways_of
from remit.references import Entity, World, instant, last_instant
from remit.touching import note_of
from remit.verdicts import Known, Verdict

NOTED = 1_000
"""Of so many records that git does not hold, what others rely on is remembered."""


def survey(loaded: Loaded, footing: Footing, unheld: frozenset[str], at: datetime) -> Known:
    """Everything checked, and what there is to remember of it; ``unheld`` are files that git may not hold."""
    ruled, timed = Noting(loaded.world), Noting(loaded.world)
    by_rules = replace(loaded, world=ruled)
    by_time = replace(loaded, world=timed).judged_as(by_rules)
    findings = [*checking.of_records(loaded), *checking.of_rules(by_rules), *checking.of_terms(by_time, at)]
    kinds, names = frozenset(ruled.kinds | timed.kinds), frozenset(ruled.names | timed.names)
    findings += unreached(by_time, at)
    verdict = Verdict(in_order(findings), len(loaded.snapshot.records), len(loaded.snapshot.policies))
    noted = [record for record in loaded.snapshot.records if record.path in unheld] if len(unheld) <= NOTED else []
    notes = {record.path: note_of(record, loaded.schemas) for record in noted}
    return Known(verdict, footing, notes, kinds, names, ways_of(by_time), *_time(by_time, timed, at))


class Noting(World):
    """A world that notes what it is asked for: single names, also where nothing has them, and otherwise whole kinds."""

    def __init__(self, world: World) -> None:
        super().__init__(world.schemas, (), world.config)
        self._single = world._kinds
        self.names: set[str] = set()
        self.kinds: set[str] = set()
        self._kinds = _Noted(world._kinds, self.kinds)

    def get(self, kind: str, name: Any) -> Entity | None:
        """As of any world."""
        self.names.add(f"{kind}/{name}")
        return self._single.get(kind, {}).get(name) if isinstance(name, str) else None


class _Noted(dict[str, dict[str, Entity]]):
    """The records by kind and name; the kinds that are asked for are noted."""

    def __init__(self, kinds: Mapping[str, dict[str, Entity]], noted: set[str]) -> None:
        super().__init__(kinds)
        self._noted = noted

    def get(self, kind: str, default: Any = None) -> Any:
        self._noted.add(kind)
        return super().get(kind, default)

    def __getitem__(self, kind: str) -> dict[str, Entity]:
        self._noted.add(kind)
        return super().__getitem__(kind)


def _time(loaded: Loaded, noted: Noting, at: datetime) -> tuple[datetime, datetime]:
    """From when until when everything says what it says at ``at``: within its day, between the instants it read.

    Nothing (an empty span) when calendars say something else in the course of it.
    """
    zone = noted.zone
    since = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    until = since + timedelta(days=1)
    read = {*noted.kinds, *(name.partition("/")[0] for name in noted.names)}
    for text in {text for kind in read for entity in loaded.world.all(kind) for text in _dates(entity.spec)}:
        for one in (instant(text, zone), last_instant(text, zone)):
            if one is not None:
                since, until = (max(since, one), until) if one <= at else (since, min(until, one))
    said = [tuple(checking.of_terms(loaded, one)) for one in (since, at, until - timedelta.resolution)]
    return (since, until) if said[0] == said[1] == said[2] else (at, at)


def _dates(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value[:4].isdecimal():
            yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _dates(inner)
