"""The clocks that a watch runs for one subject, and the instants at which its levels are crossed.

Nothing steps through time: a crossing is computed from the clock's segments. A lane is one clock with its end; a clock
that begins again with every progress note has a lane for each, a cycle has a lane for each of its periods.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from remit.calendars import WorkCalendar, always, calendar_of
from remit.clocks import Clock, Pause
from remit.conditions.condition import Bindings, Condition, EvaluationError
from remit.conditions.lowering import follow
from remit.conditions.tree import Path
from remit.policies.reading import Amount, ClockRule, Reached, Stretches
from remit.policies.watch import Level, Watch
from remit.references import Entity, World, instant
from remit.terms import GoverningTerm
from remit.times import Duration, parse_duration, parse_share, period_of, periods_between

MOST_REPEATS = 1_000
"""A level that repeats stops here: nobody is told the same thing more often."""


class Window(NamedTuple):
    """The instants asked about: after ``start`` (None: ever), up to and including ``end``."""

    start: datetime | None
    end: datetime

    def holds(self, at: datetime) -> bool:
        """True when ``at`` lies in (start, end]."""
        return (self.start is None or self.start < at) and at <= self.end


@dataclass(frozen=True)
class Lane:
    """One clock of a subject; ``due`` is the time that ``before`` and ``past`` count from.

    ``holder`` is who held the work, where each holder has a clock of its own.
    """

    clock: Clock
    due: datetime | None
    working: WorkCalendar | None
    holder: str = ""


class Crossing(NamedTuple):
    """A level reached: when, the due time it stands for, which repeat (0 the first), and when it no longer stands."""

    at: datetime
    due: datetime | None
    repeat: int
    ends: datetime | None


@lru_cache(maxsize=64)
def _calendar(name: str, written: str) -> WorkCalendar:
    """One calendar for one text, however many worlds hold it: a calendar works out its years only once."""
    return calendar_of(name, json.loads(written))


class Calendars:
    """The calendars of a world, built once each."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._built: dict[str, WorkCalendar] = {}

    def named(self, name: str) -> WorkCalendar:
        """The calendar record of that name; ``always`` is every hour in the store's zone.

        Raises:
            ValueError: there is no such record, or it cannot be a calendar.
        """
        if name not in self._built:
            if name == "always":
                self._built[name] = always(self._world.zone)
            else:
                record = self._world.get("Calendar", name)
                if record is None:
                    raise ValueError(f"there is no Calendar/{name}")
                self._built[name] = _calendar(name, json.dumps(record.spec, sort_keys=True))
        return self._built[name]

    def usable(self) -> dict[str, WorkCalendar]:
        """Every calendar that can be one, by name; ``check`` names the others."""
        names = ["always", *(record.name for record in self._world.all("Calendar"))]
        usable = {}
        for name in names:
            with suppress(ValueError, KeyError):
                usable[name] = self.named(name)
        return usable

    def working(self, rule: ClockRule, subject: Entity) -> WorkCalendar | None:
        """The calendar of working days: the policy's, the subject's own, its customer's, the store's."""
        customer = self._world.get("Customer", subject.spec.get("customer"))
        candidates = (
            rule.working,
            rule.calendar if rule.calendar != "always" else "",
            subject.spec.get("calendar"),
            customer.spec.get("calendar") if customer else None,
            self._world.config.calendar,
        )
        name = next((c for c in candidates if c), None)
        return self.named(name) if name else None


def lanes(watch: Watch, bindings: Bindings, calendars: Calendars, window: Window) -> list[Lane]:
    """The clocks that run for a subject; none when their start is not there."""
    subject = bindings.values["subject"]
    assert watch.clock is not None and isinstance(subject, Entity)
    return lanes_of(watch.clock, subject, bindings, calendars, window)


def lanes_of(rule: ClockRule, subject: Entity, bindings: Bindings, calendars: Calendars, window: Window) -> list[Lane]:
    """The clocks that ``rule`` runs for ``subject``, whatever the expressions of ``rule`` call it."""
    calendar = calendars.named(rule.calendar)
    working = calendars.working(rule, subject)
    pauses = (*_pauses(rule, bindings), *_thought_done(rule, subject, bindings))
    due = _first(rule.due, bindings)
    start = _first(rule.start, bindings)
    if rule.cycle:
        return [
            Lane(Clock(begin, stop, calendar, pauses), end, working)
            for begin, end, stop in _cycles(rule, bindings, start, window)
        ]
    if rule.reached is not None:
        laps = [(begin, _stop_after(rule, bindings, begin)) for begin in _episodes(rule.reached, bindings)]
    elif start is None and due is None:
        return []
    else:
        laps = list(_laps(rule, bindings, start or due, _earliest(rule.stop, bindings)))
    found = [Lane(Clock(begin, end, calendar, pauses), due, working) for begin, end in laps]
    return [part for lane in found for part in _by_holder(rule, _lasting(rule, lane, bindings), bindings)]


def _lasting(rule: ClockRule, lane: Lane, bindings: Bindings) -> Lane:
    """The lane as it is when its clock stops by itself after ``lasts``."""
    span = amount_of(rule.lasts, bindings, {})
    if span is None:
        return lane
    clock = lane.clock
    end = clock.due(span, working=lane.working)
    stop = min((m for m in (clock.stop, end) if m is not None), default=None)
    return Lane(Clock(clock.start, stop, clock.calendar, clock.pauses), lane.due, lane.working)


def _episodes(reached: Reached, bindings: Bindings) -> Iterator[datetime]:
    """Each instant at which the count is reached anew: not while the one before still completes it."""
    raw = follow(reached.count.names, bindings) if isinstance(reached.count, Path) else reached.count
    within = amount_of(reached.within, bindings, {})
    instants = sorted(_instants(reached.of, bindings))
    if within is None or not isinstance(raw, int) or raw < 1:
        return
    zone = bindings.world.zone
    full_before = False
    for index, last in enumerate(instants):
        first = index - raw + 1
        full = first >= 0 and last <= Clock(instants[first], None, always(zone)).crossing(within)  # type: ignore[operator]
        if full and not full_before:
            yield last
        full_before = full


def _stop_after(rule: ClockRule, bindings: Bindings, begin: datetime) -> datetime | None:
    """The earliest stop after ``begin``: an episode is not ended by what ended one before it."""
    moments = (moment(condition, bindings) for condition in rule.stop)
    return min((m for m in moments if m is not None and m > begin), default=None)


def _laps(
    rule: ClockRule, bindings: Bindings, start: datetime | None, stop: datetime | None
) -> Iterator[tuple[datetime, datetime | None]]:
    assert start is not None
    begin = start
    for end, restart in sorted(_breaks(rule, bindings)):
        if restart > begin and (stop is None or restart < stop):
            yield begin, max(begin, end)
            begin = restart
    yield begin, stop


def _breaks(rule: ClockRule, bindings: Bindings) -> set[tuple[datetime, datetime]]:
    """Where one clock ends and the next begins: at a note, at a hand-over, over the time that work was thought done."""
    breaks = {(m, m) for m in _instants(rule.restarts, bindings)}
    if rule.handed_over is not None and rule.handed_over.then == "restart":
        breaks |= {(at, at) for at, _ in _holdings(rule.handed_over, bindings)}
    if rule.reopened is not None and rule.reopened.then == "restart":
        breaks |= set(_closures(rule.reopened, bindings))
    return breaks


def _closures(reopened: Stretches, bindings: Bindings) -> Iterator[tuple[datetime, datetime]]:
    for item in follow(reopened.path.names, bindings) or ():
        begin, end = instant(item.get(reopened.at)), instant(item.get(reopened.to))
        if begin is not None and end is not None and begin < end:
            yield begin, end


def _thought_done(rule: ClockRule, subject: Entity, bindings: Bindings) -> Iterator[Pause]:
    """The time that work was thought done, where the clock continues afterwards."""
    if rule.reopened is not None and rule.reopened.then == "continue":
        for begin, end in _closures(rule.reopened, bindings):
            yield Pause(begin, end, "thought done", subject.ref)


def _holdings(handed_over: Stretches, bindings: Bindings) -> list[tuple[datetime, str]]:
    """From when who held the work, by instant; a later entry of one instant wins."""
    found: dict[datetime, str] = {}
    for item in follow(handed_over.path.names, bindings) or ():
        at, holder = instant(item.get(handed_over.at)), item.get(handed_over.to)
        if at is not None and isinstance(holder, str):
            found[at] = holder
    return sorted(found.items())


def _by_holder(rule: ClockRule, lane: Lane, bindings: Bindings) -> list[Lane]:
    """A lane for each holder, in which only the time counts that it held the work; else the lane itself."""
    if rule.handed_over is None or rule.handed_over.then != "split":
        return [lane]
    return list(holder_lanes(rule.handed_over, lane, bindings))


def holder_lanes(handed_over: Stretches, lane: Lane, bindings: Bindings) -> Iterator[Lane]:
    """The lane as each holder's own clock sees it: what others held is a pause. Time before the first is nobody's."""
    holdings = _holdings(handed_over, bindings)
    for holder in sorted({name for _, name in holdings}):
        others = tuple(
            Pause(at, following[0] if following else None, f"with {name}", "another holder")
            for (at, name), following in zip(holdings, [*holdings[1:], None], strict=True)
            if name != holder
        )
        begin = max(next(at for at, name in holdings if name == holder), lane.clock.start)
        clock = Clock(begin, lane.clock.stop, lane.clock.calendar, (*lane.clock.pauses, *others))
        yield Lane(clock, lane.due, lane.working, holder)


def _cycles(
    rule: ClockRule, bindings: Bindings, start: datetime | None, window: Window
) -> Iterator[tuple[datetime, datetime, datetime | None]]:
    """The periods that the window asks about and the one before each end of it: begin, end, and when it was met."""
    assert rule.cycle is not None
    zone = bindings.world.zone
    first = period_of(window.start or window.end, rule.cycle, zone)
    before = period_of(first.start - (first.end - first.start) / 2, rule.cycle, zone)
    met = sorted(_instants(rule.met, bindings))
    for period in periods_between(before.start, window.end, rule.cycle, zone):
        if start is None or start < period.end:
            yield period.start, period.end, next((m for m in met if m >= period.start), None)


def _pauses(rule: ClockRule, bindings: Bindings) -> tuple[Pause, ...]:
    if rule.pauses is None or (rule.pauses_when is not None and not rule.pauses_when.holds(bindings)):
        return ()
    world = bindings.world
    fields = world.schemas.kinds[rule.pause_kind].pause or {}
    pauses = []
    for name in follow(rule.pauses.names, bindings) or ():
        record = world.get(rule.pause_kind, name)
        begin = instant(record.spec.get(fields["start"])) if record else None
        if record is None or begin is None or not _approved(rule, record, bindings):
            continue
        reason = str(record.spec.get(fields.get("reason", ""), "") or record.kind.lower())
        pauses.append(Pause(begin, instant(record.spec.get(fields["end"])), reason, record.ref))
    return tuple(p for p in pauses if p.end is None or p.end > p.start)


def _approved(rule: ClockRule, record: Entity, bindings: Bindings) -> bool:
    if rule.pause_approved is None:
        return False
    values = {"item": record, "param": bindings.values["param"]}
    return rule.pause_approved.holds(Bindings(bindings.world, values, bindings.scope))


def _first(conditions: tuple[Condition, ...], bindings: Bindings) -> datetime | None:
    return next((m for c in conditions if (m := moment(c, bindings)) is not None), None)


def _earliest(conditions: tuple[Condition, ...], bindings: Bindings) -> datetime | None:
    return min((m for c in conditions if (m := moment(c, bindings)) is not None), default=None)


def moment(condition: Condition, bindings: Bindings) -> datetime | None:
    """The instant that an expression gives; None where it gives none. A plain path is read without CEL."""
    if isinstance(condition.root, Path):
        return instant(follow(condition.root.names, bindings))
    try:
        value = condition.value(bindings)
    except EvaluationError:
        return None
    return value if isinstance(value, datetime) else None


def _instants(condition: Condition | None, bindings: Bindings) -> list[datetime]:
    if condition is None:
        return []
    try:
        values = condition.value(bindings)
    except EvaluationError:
        return []
    return [value for value in values if isinstance(value, datetime)]


def crossings(level: Level, lane: Lane, bindings: Bindings, term: GoverningTerm, until: datetime) -> Iterator[Crossing]:
    """The instants at which ``level`` is crossed on ``lane``, up to ``until``: one, or one for each repeat.

    A level is crossed at the first instant at which the counted time reaches it; a clock that stops at that instant has
    stopped before it.

    Raises:
        ValueError: working days are asked of a clock that has no calendar with working days.
    """
    at, due = _crossing(level, lane, bindings, term)
    every = amount_of(level.every, bindings, term) if level.every else None
    first, repeat, stop = at, 0, lane.clock.stop
    while at is not None and at <= until:
        following = None
        if every is not None and repeat < MOST_REPEATS and first is not None:
            again = Clock(first, stop, lane.clock.calendar, lane.clock.pauses)
            following = again.crossing(Duration(every.amount * (repeat + 1), every.unit), working=lane.working)
        yield Crossing(at, due, repeat, following or stop)
        at, repeat = following, repeat + 1


def _crossing(
    level: Level, lane: Lane, bindings: Bindings, term: GoverningTerm
) -> tuple[datetime | None, datetime | None]:
    clock, trigger = lane.clock, level.trigger
    if trigger.kind == "start":
        return (clock.start if clock.is_running(clock.start) else None), lane.due
    amount = amount_of(trigger.amount, bindings, term)
    if amount is None:
        return None, None
    if trigger.kind == "share":
        limit = amount.scaled(share_of(level, bindings))
        return clock.crossing(limit, working=lane.working), clock.due(amount, working=lane.working)
    if trigger.kind == "after":
        at = clock.crossing(amount, working=lane.working)
        return at, clock.due(amount, working=lane.working)
    if lane.due is None:
        return None, None
    if trigger.kind == "before":
        at = max(clock.before(lane.due, amount, working=lane.working), clock.start)
        return (at if clock.is_running(at) else None), lane.due
    stopped = clock.stop is not None and clock.stop <= lane.due
    overdue = None if stopped else Clock(lane.due, clock.stop, clock.calendar, clock.pauses)
    return (overdue.crossing(amount, working=lane.working) if overdue else None), lane.due


def share_of(level: Level, bindings: Bindings) -> Fraction:
    """The share that a level waits for, as written or as its parameter says."""
    if level.trigger.share_path is None:
        return level.trigger.share
    raw = follow(level.trigger.share_path.names, bindings)
    return parse_share(raw) if isinstance(raw, str) else Fraction(str(raw))


def amount_of(amount: Amount | None, bindings: Bindings, term: GoverningTerm) -> Duration | None:
    """The span that a level waits for; None where its parameter, term or field says none."""
    if amount is None or amount.path is None:
        return amount.duration if amount else None
    if amount.path.names[0] == "term":
        limit = term.get(amount.path.names[1])
        return limit.duration if limit else None
    raw = follow(amount.path.names, bindings)
    return parse_duration(raw) if isinstance(raw, str) else None
