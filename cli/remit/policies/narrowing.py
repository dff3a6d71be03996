"""Which facts a watch can say anything about at all: its conditions, and the clock that it keeps, as tests.

A fact is left out only where it is proved that nothing comes of asking: no decision in the window and no finding. A
clock that cannot be measured is a finding too, so a watch whose calendars or spans are not known to be sound is asked
about every fact that its condition selects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from remit.conditions.selection import (
    Compared,
    FirstOf,
    Least,
    Literally,
    Not,
    Selection,
    Test,
    Value,
    all_of,
    any_of,
)
from remit.conditions.tree import Path
from remit.policies.clocking import Calendars, Window
from remit.policies.reading import Amount, ClockRule
from remit.policies.watch import Watch
from remit.references import Entity, World, instant, last_instant
from remit.terms import governing_term
from remit.times import parse_duration, parse_share

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Asked(NamedTuple):
    """The instants asked about; with ``standing`` only what is in force at their end."""

    window: Window
    standing: bool

    @property
    def over_by(self) -> datetime | None:
        """A clock that has stopped by then says nothing more; None when every instant counts."""
        return self.window.end if self.standing else self.window.start


@dataclass(frozen=True)
class Narrowed:
    """``possible`` selects the facts to ask about. Of these, ``over`` are done with, provided a term governs each.

    ``starts`` is the instant, in microseconds, from which a term must govern; with ``restarts``, at any time after too.
    Without ``starts`` no term is needed.
    """

    possible: Test
    over: Test | None = None
    starts: Value | None = None
    restarts: bool = False


def narrowed(watch: Watch, selection: Selection, asked: Asked, *, sound: bool) -> Narrowed:
    """What a watch can say anything about; ``sound`` says that every calendar of the store can be reckoned with."""
    conditions = [level.when for level in watch.levels]
    some_level = any_of(*(selection.test(one.root, one.scope) if one else all_of() for one in conditions))
    possible = [selection.test(watch.when.root, watch.when.scope)] if watch.when else []
    if watch.each is not None and (items := selection.presence(watch.each.path, watch.scope)) is not None:
        possible.append(items)
    if watch.clock is None:
        return Narrowed(all_of(*possible, some_level))
    if not sound or not _measurable(watch, selection):
        return Narrowed(all_of(*possible))
    rule = watch.clock
    there = _starts_there(rule, watch, selection)
    if there is not None:
        possible.append(there)
    start = _start(rule, watch, selection)
    over: list[Test] = [Not(some_level)]
    if (stop := _stop(rule, watch, selection)) is not None and asked.over_by is not None:
        over.append(_at_most(stop, asked.over_by))
    if start is not None and not any(level.trigger.kind == "past" for level in watch.levels):
        over.append(Not(_at_most(start, asked.window.end)))
    if not watch.uses_term:
        return Narrowed(all_of(*possible), any_of(*over))
    if start is None:
        return Narrowed(all_of(*possible))
    restarts = rule.restarts is not None or rule.handed_over is not None or rule.reopened is not None
    return Narrowed(all_of(*possible), any_of(*over), start, restarts)


def sound_calendars(world: World) -> bool:
    """True when every calendar of the store can be built and knows working days, and the store names one of them."""
    usable = Calendars(world).usable()
    named = [calendar for name, calendar in usable.items() if name != "always"]
    return (
        len(named) == len(world.all("Calendar"))
        and world.config.calendar in usable
        and all(calendar.week or calendar.makeup for calendar in named)
    )


def _measurable(watch: Watch, selection: Selection) -> bool:
    """True when no span of the watch can turn out to be none: each is written, a sound parameter, or a term's."""
    assert watch.clock is not None
    reached = watch.clock.reached
    amounts = [watch.clock.lasts, reached.within if reached else None]
    amounts += [amount for level in watch.levels for amount in (level.trigger.amount, level.every)]
    shares = [level.trigger.share_path for level in watch.levels]
    return all(_sound(amount, selection) for amount in amounts) and all(
        _sound_share(path, selection) for path in shares
    )


def _sound(amount: Amount | None, selection: Selection) -> bool:
    if amount is None or amount.path is None or amount.path.names[0] == "term":
        return True
    raw = selection.parameter(amount.path)
    return isinstance(raw, str) and _reads(raw, parse_duration)


def _sound_share(path: Path | None, selection: Selection) -> bool:
    return path is None or (isinstance(raw := selection.parameter(path), str) and _reads(raw, parse_share))


def _reads(text: str, read: Callable[[str], object]) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


# --- clocks ----------------------------------------------------------------------------------------------------------


def _starts_there(rule: ClockRule, watch: Watch, selection: Selection) -> Test | None:
    """A test that is true where the clock has a start at all; None where that cannot be said."""
    if rule.cycle is not None or rule.reached is not None:
        return None
    paths = [one.root for one in (*rule.start, *rule.due)]
    if not all(isinstance(path, Path) for path in paths):
        return None
    there = [selection.presence(path, watch.scope) for path in paths if isinstance(path, Path)]
    known = [one for one in there if one is not None]
    return any_of(*known) if len(known) == len(paths) else None


def _start(rule: ClockRule, watch: Watch, selection: Selection) -> Value | None:
    """When the clock starts, in microseconds; None where a column alone does not say it."""
    if rule.cycle is not None or rule.reached is not None:
        return None
    choices = []
    for condition in (*rule.start, *rule.due):
        if not isinstance(condition.root, Path):
            return None
        there = selection.presence(condition.root, watch.scope)
        at = selection.column(condition.root, watch.scope, "instant")
        if there is None or at is None:
            return None
        choices.append((there, at))
    return FirstOf(tuple(choices)) if choices else None


def _stop(rule: ClockRule, watch: Watch, selection: Selection) -> Value | None:
    """An instant, in microseconds, by which every lane of the clock has stopped; None where none is known."""
    if rule.cycle is not None or rule.reached is not None:
        return None
    paths = [condition.root for condition in rule.stop if isinstance(condition.root, Path)]
    columns = [one for path in paths if (one := selection.column(path, watch.scope, "instant")) is not None]
    return Least(tuple(columns)) if columns else None


def _at_most(held: Value, bound: datetime) -> Test:
    return Compared("$lte", held, Literally((bound - _EPOCH) // timedelta(microseconds=1)))


# --- terms -----------------------------------------------------------------------------------------------------------

TERM_KEYS = ("customer", "product", "agreement", "circuitGrade", "ticket", "order", "service")
"""The fields of a subject on which alone it depends which term governs it at an instant; see ``terms``."""


def governed(world: World, subject: Entity, first: datetime, last: datetime | None) -> bool:
    """True when some term governs ``subject`` at every instant from ``first`` to ``last`` (None: for ever)."""
    changes = [at for at in boundaries(world) if first < at and (last is None or at <= last)]
    return all(governing_term(world, subject, at) for at in (first, *changes))


def boundaries(world: World) -> list[datetime]:
    """The instants at which a term may come into force or end, in order."""
    found: set[datetime] = set()
    for kind in ("ServiceTerm", "DifferentiatedServicePackage", "ServiceLevelSpecification"):
        for record in world.all(kind):
            ends = last_instant(record.spec.get("validTo"), world.zone)
            found |= {at for at in (instant(record.spec.get("validFrom"), world.zone), ends) if at is not None}
    return sorted(found)
