"""When the clocks that run are due, also where that lies beyond anything that is forecast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from remit.conditions.condition import Bindings
from remit.decisions import decision_id
from remit.engine import Made, Rulebook, bindings_of, heard
from remit.policies.clocking import Calendars, Lane, Window, crossings, lanes
from remit.policies.watch import Level, Watch
from remit.references import Entity, World
from remit.terms import governing_term
from remit.times import in_zone
from remit.wording import Wording

_EVER = datetime.max.replace(tzinfo=UTC)


class Due(NamedTuple):
    """The due time of one level of one running clock."""

    policy: str
    level: str
    severity: str
    subject: str
    due: datetime


def running_dues(rulebook: Rulebook, world: World, at: datetime, wording: Wording) -> dict[str, Due]:
    """Every due time on a clock that runs at ``at``, by the id that the decision of its level has or would have.

    A clock that cannot be counted has none; the timeline's findings say why.
    """
    run = _Run(world, at, heard(rulebook, world, at, wording))
    return dict(run.of(rulebook))


class _Run:
    def __init__(self, world: World, at: datetime, made: Made) -> None:
        self.world = world
        self.at = at
        self.made = made
        self.calendars = Calendars(world)

    def of(self, rulebook: Rulebook) -> Iterator[tuple[str, Due]]:
        for group in rulebook.groups:
            clocked = [watch for watch in group.watches if watch.clock is not None]
            uses_term = any(watch.uses_term for watch in group.watches)
            first = group.watches[0]
            for entity in self.world.all(first.subject) if clocked else ():
                for part, bindings in bindings_of(self.world, first, entity, self.at, self.made, uses_term=uses_term):
                    running = {watch.name: found for watch in clocked if (found := self._running(watch, bindings))}
                    # Asking which conditions hold costs far more than seeing that every clock has stopped.
                    for watch, levels in group.holding(bindings) if running else ():
                        for lane in running.get(watch.name, ()):
                            yield from self._dues(watch, levels, lane, bindings, entity, part)

    def _running(self, watch: Watch, bindings: Bindings) -> list[Lane]:
        try:
            found = lanes(watch, bindings, self.calendars, Window(self.at, self.at))
        except ValueError:
            return []
        return [lane for lane in found if lane.clock.is_running(self.at)]

    def _dues(
        self, watch: Watch, levels: tuple[Level, ...], lane: Lane, bindings: Bindings, entity: Entity, part: str
    ) -> Iterator[tuple[str, Due]]:
        start = lane.clock.start
        term = governing_term(self.world, entity, start) if watch.uses_term else {}
        for level in levels:
            try:
                first = next(crossings(level, lane, bindings, term, _EVER), None)
            except ValueError:
                continue
            if first is not None and first.due is not None:
                due = in_zone(first.due, self.world.zone)
                id = decision_id(watch.name, level.name, entity.ref, start, part)
                yield id, Due(watch.name, level.name, level.severity, entity.ref, due)
