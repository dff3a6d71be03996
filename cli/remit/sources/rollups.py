"""Sums by day of what measures make of the facts of one file, remembered until the file or the measure changes.

A scorecard of any past month then adds up days, and reads no facts. The sums hold what SQL decides of every fact of the
file, whenever it happened; the few facts of which SQL does not decide are kept by name, and asked every time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from remit.conditions.pushing import Pushing
from remit.policies.daily import columns_of, day_start, days_of, month_of, stretches
from remit.policies.pushed_measures import Outcome, Pushed
from remit.references import World
from remit.remembering import Memory
from remit.sources.fact_table import lookups_of, opened_table
from remit.sources.grouping import Group, Query
from remit.sources.scan import Scan, marks_of
from remit.sources.spool import SpooledWorld

MOST_SUMS = 200_000
"""With more sums than these for one file and measure, none are kept, and facts are counted every time."""
MOST_ASKED = 1_000
"""The same of facts that are to be asked."""

Day = tuple[int, Group]


class Rollup(NamedTuple):
    """The sums of one file: by day, those that belong to no day, and the names of the facts to ask.

    ``months`` has the name of every month with a sum, and its first and last day.
    """

    scan: Scan
    name: str
    months: dict[str, tuple[int, int]]
    undated: tuple[Group, ...]
    asked: tuple[str, ...]
    days: dict[str, list[Day]]

    @property
    def last(self) -> int:
        """The last day with a sum."""
        return max((last for _, last in self.months.values()), default=-1)

    def between(self, start: int, end: int) -> Iterator[Group]:
        """The sums of the days from ``start`` up to but not including ``end``."""
        for month, (first, last) in self.months.items():
            if first < end and last >= start:
                yield from (group for day, group in self.days[month] if start <= day < end)


def rollups(
    scans: Sequence[Scan], one: Pushed, world: SpooledWorld, pushing: Callable[[], Pushing], start: int, end: int
) -> list[Rollup]:
    """What is known of the days from ``start`` to ``end`` of each file, found out now where it is not; without those
    files that are none to remember, or come to too much. ``one`` is asked about all days at once.
    """
    question = _question(one, world)
    found = (_rollup(scan, question, one, world, pushing, start, end) for scan in scans)
    return [one for one in found if one is not None]


def _rollup(
    scan: Scan,
    question: str,
    one: Pushed,
    world: SpooledWorld,
    pushing: Callable[[], Pushing],
    start: int,
    end: int,
) -> Rollup | None:
    if scan.memory is None:
        return None
    whole = json.dumps([scan.about, scan.odd, question])
    name = f"sums {hashlib.sha256(whole.encode()).hexdigest()}"
    known = scan.memory.recall(name)
    if known == _TOO_MUCH:
        return None
    found = _recalled(scan, name, json.loads(known), world, start, end) if known else None
    return found or _made(scan, scan.memory, name, one, world, pushing())


_TOO_MUCH = b"too much"


def _question(one: Pushed, world: SpooledWorld) -> str:
    """Names everything on which the sums rest, but for the file and the days of the calendar."""
    columns = {repr(column): column for column in columns_of(one) if column.kind}
    lookups = [(key, rows) for key, rows in sorted(lookups_of(world, columns).items())]
    whole = json.dumps([repr(one), lookups, str(world.zone)])
    return hashlib.sha256(whole.encode()).hexdigest()


# --- remembering -----------------------------------------------------------------------------------------------------


def _recalled(scan: Scan, name: str, head: Any, world: World, start: int, end: int) -> Rollup | None:
    """What was kept, with the sums of the months asked about; None where a month is lost, or had other days."""
    assert scan.memory is not None
    months = {month: (first, last) for month, first, last in head["months"]}
    days = {}
    for month, (first, last) in months.items():
        if first < end and last >= start:
            kept = scan.memory.recall(f"{name} {month}")
            sums = json.loads(kept) if kept else None
            if sums is None or sums["days"] != _days(month, world):
                return None
            days[month] = [(day, _group(one)) for day, *one in sums["sums"]]
    return Rollup(scan, name, months, tuple(map(_group, head["undated"])), tuple(head["asked"]), days)


def _group(written: Sequence[Any]) -> Group:
    outcome, brought, keys, facts = written
    return Group(Outcome(outcome), brought, tuple(keys), facts)


def _days(month: str, world: World) -> list[int]:
    days = days_of(month)
    return [day_start(number, world.zone) for number in (*days, days.stop)]


def _keep(memory: Memory, made: Rollup, world: World) -> None:
    for month, days in made.days.items():
        sums = {"days": _days(month, world), "sums": [(day, *group) for day, group in days]}
        memory.keep(f"{made.name} {month}", json.dumps(sums).encode())
    months = [(month, first, last) for month, (first, last) in made.months.items()]
    memory.keep(made.name, json.dumps({"months": months, "undated": made.undated, "asked": made.asked}).encode())


# --- finding out -----------------------------------------------------------------------------------------------------


def _made(scan: Scan, memory: Memory, name: str, one: Pushed, world: SpooledWorld, pushing: Pushing) -> Rollup | None:
    query = Query(one, pushing, stretches(world.zone))
    table = opened_table(world, scan.kind, query.columns, scans=(scan,))
    found = query.daily(table.rows, MOST_SUMS)
    doubtful = sum(group.facts for _, group in found if group.outcome == Outcome.ASKED)
    many = len(found) > MOST_SUMS or doubtful > MOST_ASKED
    asked = tuple(sorted(query.asked(table.rows))) if doubtful and not many else ()
    table.close()
    unchanged = marks_of(scan.context) == scan.marks
    if many:
        if unchanged:
            memory.keep(name, _TOO_MUCH)
        return None
    sums = [(day, group) for day, group in found if group.outcome != Outcome.ASKED]
    days: dict[str, list[Day]] = {}
    for day, group in sums:
        if day is not None:
            days.setdefault(month_of(day), []).append((day, group))
    months = {month: (min(each, key=_day)[0], max(each, key=_day)[0]) for month, each in sorted(days.items())}
    undated = tuple(group for day, group in sums if day is None)
    made = Rollup(scan, name, months, undated, asked, days)
    if unchanged:
        _keep(memory, made, world)
    return made


def _day(one: Day) -> int:
    return one[0]
