"""What the cases of a policy have seen of it, and what none of them has.

Every level must be seen to fire and to stay silent; one that waits for a time also at the very instant at which it is
crossed and one second before. Every part of a condition must be seen true and seen false, where it decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from remit.conditions.condition import Bindings
from remit.decisions import Decision
from remit.engine import Rulebook, bindings_of, heard, timeline
from remit.policies.clocking import Window
from remit.policies.sights import Goal, Sight, branch_goals, holds
from remit.policies.watch import Level, Watch
from remit.references import World
from remit.wording import Wording

FIRES, SILENT, DUE, BEFORE = "fires", "stays silent", "exactly due", "one second before"
_SECOND = timedelta(seconds=1)


class Coverage(NamedTuple):
    """How much of one policy its cases see."""

    policy: str
    goals: tuple[Goal, ...]
    gaps: tuple[Goal, ...]

    @property
    def met(self) -> int:
        """How many goals are met."""
        return len(self.goals) - len(self.gaps)

    @property
    def percent(self) -> int:
        """The share of goals that are met, rounded down; 100 only when all are."""
        return 100 * self.met // len(self.goals) if self.goals else 100

    def to_json(self) -> dict[str, Any]:
        """Counts, and each gap with its place."""
        gaps = [
            {"part": g.sight.part, "how": g.sight.how, "path": g.place.path, "line": g.place.line} for g in self.gaps
        ]
        return {
            "policy": self.policy,
            "goals": len(self.goals),
            "met": self.met,
            "percent": self.percent,
            "gaps": gaps,
        }


def coverage_of(policy: str, goals: Iterable[Goal], seen: Iterable[Sight]) -> Coverage:
    """The goals with those that none of ``seen`` meets."""
    wanted, met = tuple(goals), frozenset(seen)
    return Coverage(policy, wanted, tuple(goal for goal in wanted if goal.sight not in met))


# --- what there is to see --------------------------------------------------------------------------------------------


def goals_of(watch: Watch) -> list[Goal]:
    """Everything that the cases of an escalation or warning policy have to see, in the order written; each once."""
    record = watch.record
    goals: list[Goal] = []
    if watch.when is not None:
        goals += branch_goals("", watch.when, record.place(("spec", "when")))
    for level in watch.levels:
        place = record.place(level.pointer)
        goals += [Goal(Sight(_level(level), how), place) for how in _ways(level)]
        if level.when is not None:
            goals += branch_goals(_level(level), level.when, record.place((*level.pointer, "when")))
    return list(dict.fromkeys(goals))


def level_gaps(watch: Watch, seen: Iterable[Sight]) -> Iterator[tuple[Level, str]]:
    """The levels that no case sees fire, or that no case sees stay silent, each with the way that is missing."""
    met = frozenset(seen)
    for level in watch.levels:
        yield from ((level, how) for how in (FIRES, SILENT) if Sight(_level(level), how) not in met)


def _level(level: Level) -> str:
    return f"level {level.name}"


def _ways(level: Level) -> tuple[str, ...]:
    return (FIRES, SILENT) if level.trigger.kind == "start" else (FIRES, SILENT, DUE, BEFORE)


# --- what a case sees ------------------------------------------------------------------------------------------------


def sights(
    watch: Watch,
    world: World,
    subjects: Sequence[str],
    window: Window,
    decisions: Sequence[Decision],
    *,
    rulebook: Rulebook,
    wording: Wording,
) -> frozenset[Sight]:
    """What a case over ``window`` sees of a watch, given the decisions that were made in it."""
    seen = set(_levels_seen(watch, window.end, decisions))
    second = Window(window.end, window.end + _SECOND)
    soon = timeline(rulebook, world, second, wording, subjects=subjects).decisions
    seen |= {Sight(f"level {d.level}", BEFORE) for d in soon if d.at == second.end}
    made = heard(rulebook, world, window.end, wording)
    for entity in world.all(watch.subject):
        if entity.ref in subjects:
            for _, bindings in bindings_of(world, watch, entity, window.end, made):
                seen |= _branches_seen(watch, bindings)
    return frozenset(seen)


def _levels_seen(watch: Watch, end: datetime, decisions: Sequence[Decision]) -> Iterator[Sight]:
    fired = {decision.level for decision in decisions}
    for level in watch.levels:
        yield Sight(_level(level), FIRES if level.name in fired else SILENT)
    yield from (Sight(f"level {d.level}", DUE) for d in decisions if d.at == end)


def _branches_seen(watch: Watch, bindings: Bindings) -> set[Sight]:
    seen: set[Sight] = set()
    if watch.when is not None and not holds(watch.when, "", bindings, seen):
        return seen
    for level in watch.levels:
        if level.when is not None:
            holds(level.when, _level(level), bindings, seen)
    return seen
