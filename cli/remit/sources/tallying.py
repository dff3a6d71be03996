"""Tallying: measures counted by DuckDB over the columns of a spool; the rest of the facts is left to be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from typing import Any

from remit.conditions.condition import Compiler
from remit.conditions.pushing import Pushing
from remit.errors import UserError
from remit.places import Place
from remit.policies.counting import SPANS, InColumns, ToSubject, Uncounted, units
from remit.policies.daily import at_last, day_of, day_start, instant_of, is_additive, is_kept
from remit.policies.measures import Measure, Span
from remit.policies.pushed_measures import Certain, Outcome, Pushed, Scoring, nested, pushed
from remit.policies.tallies import Tally
from remit.references import Entity
from remit.sources.duck import EXTRA
from remit.sources.fact_table import opened_table
from remit.sources.grouping import COUNTED, Group, Keys, Query
from remit.sources.rollups import Rollup, rollups
from remit.sources.scan import Scan
from remit.sources.spool import SpooledWorld

Found = tuple[list[Group], frozenset[str]]
"""The groups of the facts of which columns say what a measure makes, and the names of those to ask."""


class Tallying:
    """Counts measures in columns, for ``counting.Columns``.

    Raises:
        UserError: DuckDB or sqlglot is not installed.
    """

    def __init__(self, world: SpooledWorld, compiler: Compiler) -> None:
        if find_spec("sqlglot") is None:
            raise UserError("This needs sqlglot, which is not installed.", EXTRA)
        self._world = world
        self._compiler = compiler
        self._parameters = {name: one.get("value") for name, one in world.parameters.items()}

    def __call__(self, measure: Measure, scoring: Scoring, subject_of: ToSubject) -> InColumns | None:
        """What columns make of a measure; None where they cannot say anything."""
        if measure.over not in self._world.fact_kinds:
            return None
        one = self._pushed(measure, scoring)
        if one is None:
            return None
        scans = self._world.scans(measure.over)
        groups, asked = self._summed(measure, scoring, one, scans) if scans else self._counted(measure, one)
        tallies, uncounted = counted(measure, one, groups, subject_of, partial(self._first, measure, one))
        return InColumns(tallies, uncounted, self._world.named(measure.over, asked))

    def _pushed(self, measure: Measure, scoring: Scoring) -> Pushed | None:
        return pushed(measure, Certain(self._compiler.types, self._parameters, self._world.fact_kinds), scoring)

    def _pushing(self) -> Pushing:
        return Pushing(self._compiler.types, self._parameters)

    def _counted(self, measure: Measure, one: Pushed, scans: Sequence[Scan] = ()) -> Found:
        """What a scan finds of the facts of some feeds, or of all."""
        query = Query(one, self._pushing())
        table = opened_table(self._world, measure.over, query.columns, scans=scans)
        groups = list(query.groups(table.rows))
        names = query.asked(table.rows) if any(group.outcome == Outcome.ASKED for group in groups) else []
        table.close()
        return groups, frozenset(names)

    def _summed(self, measure: Measure, scoring: Scoring, one: Pushed, scans: Sequence[Scan]) -> Found:
        """The same, from the sums of days where they are known: only days that are not over are looked through."""
        zone, period = self._world.zone, scoring.period
        start = day_of(period.start, zone)
        over = day_of(min(scoring.at, period.end), zone)
        known = self._rollups(measure, scoring, scans, start, over)
        groups = [group for rolled in known for group in (*rolled.undated, *rolled.between(start, over))]
        asked = {name for rolled in known for name in rolled.asked}
        summed = {rolled.scan.about for rolled in known}
        rest = [scan for scan in scans if scan.about not in summed]
        late = [rolled.scan for rolled in known if rolled.last >= over] if scoring.at < period.end else []
        if rest:
            more, names = self._counted(measure, one, rest)
            groups, asked = groups + more, asked | names
        if late:
            since = period._replace(start=max(period.start, instant_of(day_start(over, zone))))
            now = self._pushed(measure, scoring._replace(period=since))
            assert now is not None
            more, names = self._counted(measure, now, late)
            groups, asked = groups + [one for one in more if one.outcome != Outcome.NO_INSTANT], asked | names
        return groups, frozenset(asked)

    def _rollups(
        self, measure: Measure, scoring: Scoring, scans: Sequence[Scan], start: int, over: int
    ) -> Sequence[Rollup]:
        if self._world.master or not is_additive(measure) or not is_kept(scoring.period):
            return ()
        every = self._pushed(measure, at_last(scoring))
        if every is None:
            return ()
        return rollups(scans, every, self._world, self._pushing, start, over)

    def _first(self, measure: Measure, one: Pushed, outcomes: Sequence[Outcome], keys: Sequence[Keys]) -> Sequence[str]:
        """The first names of the facts that have one of these outcomes and some of these keys."""
        query = Query(one, self._pushing())
        table = opened_table(self._world, measure.over, query.columns)
        names = query.first(table.rows, outcomes, keys)
        table.close()
        return names


def counted(
    measure: Measure,
    one: Pushed,
    groups: Sequence[Group],
    subject_of: ToSubject,
    first: Callable[[Sequence[Outcome], Sequence[Keys]], Sequence[str]],
) -> tuple[dict[str, Tally], Mapping[str, Uncounted]]:
    """The tallies of groups by subject, and what counts for nobody; ``first`` names facts of some outcomes and keys."""
    tallies: dict[str, Tally] = {}
    nobody: dict[tuple[str, Sequence[Outcome]], dict[Keys, int]] = {}
    for group in groups:
        if group.outcome == Outcome.NO_INSTANT:
            by_keys = nobody.setdefault(("no-instant", (Outcome.NO_INSTANT,)), {})
            by_keys[group.keys] = by_keys.get(group.keys, 0) + group.facts
        if group.outcome not in COUNTED:
            continue
        values = {column.inside: key for column, key in zip(one.keys, group.keys, strict=True) if key is not None}
        subject, why = subject_of(Entity(measure.over, "", nested(values), Place("")))
        if subject is None:
            by_keys = nobody.setdefault((why, COUNTED), {})
            by_keys[group.keys] = by_keys.get(group.keys, 0) + group.facts
            continue
        good, bad = (group.facts if group.outcome == one else 0 for one in (Outcome.GOOD, Outcome.BAD))
        tallies.setdefault(subject, Tally()).add(_value(measure, group.brought), good, bad)
    uncounted = {
        why: Uncounted(sum(keys.values()), tuple(f"{measure.over}/{name}" for name in first(outcomes, list(keys))))
        for (why, outcomes), keys in nobody.items()
    }
    return tallies, uncounted


def _value(measure: Measure, brought: Any) -> Fraction | None:
    """The exact number that a fact brings, as its own judgement rounds it."""
    if brought is None:
        return None
    if isinstance(measure.value, Span):
        value = units(timedelta(microseconds=brought), SPANS[measure.unit])
    elif measure.type == "days_late":
        value = units(timedelta(microseconds=max(brought, 0)), SPANS["days"])
    else:
        value = brought
    return Fraction(str(value))
