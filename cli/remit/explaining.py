"""Why a decision was made, or why not: every value with the place where it was written, down to commit and approver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from remit.changes import parse_message
from remit.conditions.condition import Bindings
from remit.conditions.lowering import entity_at, follow
from remit.decisions import Decision
from remit.engine import Rulebook, bindings_of, timeline
from remit.errors import NotFound
from remit.evaluating import Loaded, refuse_broken
from remit.findings import did_you_mean
from remit.git import Commit
from remit.places import Place
from remit.policies.clocking import Calendars, Window, crossings, lanes
from remit.policies.watch import Level, Watch
from remit.references import Entity
from remit.terms import governing_term
from remit.times import format_instant

HORIZON = timedelta(days=30)
"""How far ahead a decision is looked for, when it is not yet made."""

History = Callable[[str], Commit | None]
"""The last commit that touched a path of the store; None where there is no history."""


class Written(NamedTuple):
    """A value that a condition read, and where it was written; ``commit`` is the last that touched that file."""

    path: str
    value: Any
    place: Place
    commit: Commit | None


class Check(NamedTuple):
    """One part of a condition: its text, whether it holds, and what it read."""

    condition: str
    holds: bool
    values: tuple[Written, ...]


class Rung(NamedTuple):
    """One level for one clock: when it was or will be crossed, or in words why it is not."""

    level: str
    at: datetime | None
    why_not: str


@dataclass(frozen=True)
class Explanation:
    """Everything about one policy and one subject at one instant."""

    at: datetime
    policy: Watch
    policy_commit: Commit | None
    subject: Entity
    checks: tuple[Check, ...]
    rungs: tuple[Rung, ...]
    decisions: tuple[Decision, ...]
    terms: tuple[tuple[str, str, str, str, Place], ...]
    """Each limit of the governing term: field, value, source record, why it governs, place."""

    @property
    def approvers(self) -> tuple[str, ...]:
        """Who approved the commit that put the policy there."""
        return approvers_of(self.policy_commit)

    def to_json(self) -> dict[str, Any]:
        """Shapes as in design section 9 where they exist there."""
        record = self.policy.record
        return {
            "at": format_instant(self.at),
            "policy": {
                "id": record.id,
                "place": str(record.place()),
                "clauses": list(self.policy.clauses),
                **_commit_json(self.policy_commit),
            },
            "subject": {"kind": self.subject.kind, "name": self.subject.name, "place": str(self.subject.place)},
            "conditions": [
                {
                    "condition": check.condition,
                    "holds": check.holds,
                    "values": [
                        {"path": w.path, "value": w.value, "place": str(w.place), **_commit_json(w.commit)}
                        for w in check.values
                    ],
                }
                for check in self.checks
            ],
            "levels": [
                {"level": rung.level, "at": format_instant(rung.at) if rung.at else None, "why_not": rung.why_not}
                for rung in self.rungs
            ],
            "term": [
                {"limit": field, "value": value, "source": source, "why": why, "place": str(place)}
                for field, value, source, why, place in self.terms
            ],
            "decisions": [decision.to_json(self.at) for decision in self.decisions],
        }


def approvers_of(commit: Commit | None) -> tuple[str, ...]:
    """The people whose approvals a commit carries."""
    if commit is None:
        return ()
    return tuple(sorted({a.person for a in parse_message(commit.message).approvals if a.verdict == "approve"}))


def _commit_json(commit: Commit | None) -> dict[str, Any]:
    if commit is None:
        return {"commit": None}
    return {
        "commit": commit.sha,
        "author": commit.author,
        "when": format_instant(commit.when),
        "approved_by": list(approvers_of(commit)),
    }


def find_decision(loaded: Loaded, decision_id: str, at: datetime) -> Decision:
    """The decision of that id, made up to ``at`` or coming within ``HORIZON``.

    Raises:
        NotFound: no policy makes such a decision over these facts.
    """
    refuse_broken(loaded)
    rulebook = Rulebook(loaded.policies.watches, loaded.compiler)
    try:
        for window in (Window(None, at), Window(at, at + HORIZON)):
            found = timeline(rulebook, loaded.world, window, loaded.wording)
            for decision in found.decisions:
                if decision.id == decision_id:
                    return decision
    finally:
        rulebook.close()
    raise NotFound(
        f"No decision {decision_id} was made up to {format_instant(at)} over these facts.",
        "Give the same --facts and --at as to evaluate, which lists the ids.",
    )


def find_policy(loaded: Loaded, name: str) -> Watch:
    """The watching policy of that name or id.

    Raises:
        NotFound: with the nearest name.
    """
    watches = {watch.name: watch for watch in loaded.policies.watches}
    watch = watches.get(name.rpartition("/")[2])
    if watch is None:
        raise NotFound(f"There is no escalation or warning policy {name!r}.", did_you_mean(name, watches))
    return watch


def find_subject(loaded: Loaded, watch: Watch, name: str) -> Entity:
    """The subject of that name, or ``Kind/name``.

    Raises:
        NotFound: with the nearest name.
    """
    subject = loaded.world.get(watch.subject, name.removeprefix(f"{watch.subject}/"))
    if subject is None:
        names = [entity.name for entity in loaded.world.all(watch.subject)]
        raise NotFound(f"There is no {watch.subject} {name!r}.", did_you_mean(name, names))
    return subject


def explain(loaded: Loaded, watch: Watch, subject: Entity, at: datetime, history: History) -> Explanation:
    """What ``watch`` says about ``subject`` at ``at``, and why; also when it says nothing."""
    refuse_broken(loaded)
    rulebook = Rulebook([watch], loaded.compiler)
    try:
        window = Window(None, at)
        found = timeline(rulebook, loaded.world, window, loaded.wording, read_at=at, subjects=[subject.ref])
    finally:
        rulebook.close()
    checks: list[Check] = []
    rungs: list[Rung] = []
    for part, bindings in bindings_of(loaded.world, watch, subject, at):
        own = list(_checks(watch, bindings, history))
        checks += own
        if all(check.holds for check in own):
            rungs += _rungs(watch, bindings, loaded, subject, at, part)
    return Explanation(
        at=at,
        policy=watch,
        policy_commit=history(watch.record.path),
        subject=subject,
        checks=tuple(checks),
        rungs=tuple(rungs),
        decisions=tuple(d for d in found.decisions if d.in_force(at)),
        terms=tuple(_terms(loaded, watch, subject, at)),
    )


def _checks(watch: Watch, bindings: Bindings, history: History) -> Iterator[Check]:
    for part in watch.when.parts if watch.when else ():
        written = []
        for path in part.paths():
            value = follow(path.names, bindings)
            place = _place_of(path.names, bindings)
            written.append(Written(str(path), value, place, history(place.path) if place.path else None))
        yield Check(part.text, part.holds(bindings), tuple(written))


def _place_of(names: tuple[str, ...], bindings: Bindings) -> Place:
    """Where the value at a path was written: the record at the end of its references, and the field inside it."""
    if names[0] == "param":
        for parameter_set in bindings.world.all("ParameterSet"):
            if len(names) > 1 and names[1] in parameter_set.spec.get("parameters", {}):
                return parameter_set.place_of(("parameters", names[1], "value"))
        return Place("")
    for end in range(len(names) - 1, 0, -1):
        entity = entity_at(names[:end], bindings)
        if entity is not None:
            return entity.place_of(tuple(names[end:]))
    return Place("")


def _rungs(
    watch: Watch, bindings: Bindings, loaded: Loaded, subject: Entity, at: datetime, part: str
) -> Iterator[Rung]:
    label = f" [{part}]" if part else ""
    if watch.clock is None:
        for level in watch.levels:
            holds = level.when is None or level.when.holds(bindings)
            yield Rung(level.name + label, at if holds else None, "" if holds else f"{level.when.text} does not hold")  # type: ignore[union-attr]
        return
    window = Window(at, at + HORIZON)
    running = lanes(watch, bindings, Calendars(loaded.world), window)
    if not running:
        starts = ", ".join(c.text for c in (*watch.clock.start, *watch.clock.due))
        yield Rung(f"every level{label}", None, f"the clock has not begun: {starts} is missing")
    for lane in running:
        term = governing_term(loaded.world, subject, lane.clock.start) if watch.uses_term else {}
        for level in watch.levels:
            if level.when is not None and not level.when.holds(bindings):
                yield Rung(level.name + label, None, f"{level.when.text} does not hold")
                continue
            crossed = next(iter(crossings(level, lane, bindings, term, window.end)), None)
            yield Rung(level.name + label, crossed.at if crossed else None, "" if crossed else _why_not(level, lane))


def _why_not(level: Level, lane: Any) -> str:
    stop = lane.clock.stop
    if stop is not None:
        return f"the clock stopped at {format_instant(stop)}, before it was reached"
    return f"it is not reached within {HORIZON.days} days, or has no limit to be measured against"


def _terms(loaded: Loaded, watch: Watch, subject: Entity, at: datetime) -> Iterator[tuple[str, str, str, str, Place]]:
    if not watch.uses_term:
        return
    limits: Mapping[str, Any] = governing_term(loaded.world, subject, at)
    for field, limit in sorted(limits.items()):
        kind, _, name = limit.source.partition("/")
        source = loaded.world.get(kind, name)
        value = str(limit.duration) if limit.duration else str(limit.number)
        yield field, value, limit.source, limit.why, source.place if source else Place("")
