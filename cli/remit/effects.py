"""What differs between what two worlds say: decisions, the people who are told them, due times, scores.

What hurts most comes first: the gravest, then what concerns most people, then the earliest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from remit.decisions import Decision, rank
from remit.dues import Due
from remit.findings import Finding, added_to
from remit.references import World
from remit.scorecards import SubjectScore
from remit.times import format_instant
from remit.wording import LANGUAGES

What = Literal["added", "removed", "changed"]

COMPARED = ("at", "due", "severity", "notify", "message")
"""What makes a decision another one for those who are told; the way to a person is not among it."""


class Span(NamedTuple):
    """The moment asked about, and the window around it: after ``start``, up to and including ``end``."""

    start: datetime
    at: datetime
    end: datetime

    def holds(self, decision: Decision) -> bool:
        """Whether a decision lies in the window; one that stands always does."""
        return decision.at is None or self.start < decision.at <= self.end


# --- what one side says ----------------------------------------------------------------------------------------------

ScoreKey = tuple[str, str, str]
"""Policy, period and subject of a line of a scorecard."""


@dataclass(frozen=True)
class Outlook:
    """What a world says in a span and, so that nothing seems to come or go at its edges, as far again beyond them."""

    world: World
    decisions: Mapping[str, Decision]
    dues: Mapping[str, Due]
    scores: Mapping[ScoreKey, SubjectScore]
    findings: tuple[Finding, ...]


# --- what differs ----------------------------------------------------------------------------------------------------


class ChangedDecision(NamedTuple):
    """The same decision on both sides, and which of ``COMPARED`` differ."""

    before: Decision
    after: Decision
    fields: tuple[str, ...]


class MovedDue(NamedTuple):
    """A running clock whose due time is another one, or is there on one side only (None on the other)."""

    policy: str
    levels: tuple[str, ...]
    severity: str
    subject: str
    before: datetime | None
    after: datetime | None


class MovedScore(NamedTuple):
    """A line of a scorecard that is another one, or is there on one side only (None on the other)."""

    policy: str
    period: str
    subject: str
    before: SubjectScore | None
    after: SubjectScore | None


class PersonTold(NamedTuple):
    """How often a person is told in the window on either side, and by which decisions more, less or differently."""

    person: str
    before: int
    after: int
    more: tuple[str, ...]
    less: tuple[str, ...]
    differently: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """What differs between two outlooks, each part with what hurts most first; ``at`` dates what stands."""

    at: datetime
    added: tuple[Decision, ...] = ()
    removed: tuple[Decision, ...] = ()
    changed: tuple[ChangedDecision, ...] = ()
    people: tuple[PersonTold, ...] = ()
    due: tuple[MovedDue, ...] = ()
    scorecards: tuple[MovedScore, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What stood in the way of decisions and scores after, and did not before."""
    titles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The titles, by language, of every person and subject that is named by ``Kind/name``."""

    def decisions(self) -> list[tuple[What, tuple[Decision, ...]]]:
        """Every decision that came, went or changed, what hurts most first; a changed one has both sides."""
        found: list[tuple[What, tuple[Decision, ...]]] = [
            *(("added", (one,)) for one in self.added),
            *(("removed", (one,)) for one in self.removed),
            *(("changed", (one.before, one.after)) for one in self.changed),
        ]
        return sorted(found, key=lambda each: _hurt(self.at, *each[1]))

    def to_json(self) -> dict[str, Any]:
        """The parts as ``remit plan`` prints them."""
        return {
            "decisions": {
                "added": [one.to_json(self.at) for one in self.added],
                "removed": [one.to_json(self.at) for one in self.removed],
                "changed": [
                    {
                        "id": one.after.id,
                        "fields": list(one.fields),
                        "before": one.before.to_json(self.at),
                        "after": one.after.to_json(self.at),
                    }
                    for one in self.changed
                ],
            },
            "people": [{**one._asdict(), "title": self.titles[f"Person/{one.person}"]} for one in self.people],
            "due": [
                {
                    **one._asdict(),
                    "title": self.titles[one.subject],
                    "before": format_instant(one.before) if one.before else None,
                    "after": format_instant(one.after) if one.after else None,
                }
                for one in self.due
            ],
            "scorecards": [
                {
                    **one._asdict(),
                    "title": self.titles[one.subject],
                    "before": one.before.to_json() if one.before else None,
                    "after": one.after.to_json() if one.after else None,
                }
                for one in self.scorecards
            ],
        }

    def digest(self) -> str:
        """SHA-256 of what it does, in hex: the same for the same decisions, people, due times and scores."""
        text = json.dumps(self.to_json(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def effect_of(before: Outlook, after: Outlook, span: Span) -> Effect:
    """What differs between what two worlds say in a span."""
    old, new = before.decisions, after.decisions
    added = [one for id, one in new.items() if id not in old and span.holds(one)]
    removed = [one for id, one in old.items() if id not in new and span.holds(one)]
    both = [(old[id], new[id]) for id in old if id in new and (span.holds(old[id]) or span.holds(new[id]))]
    changed = [ChangedDecision(one, two, fields) for one, two in both if (fields := _fields(one, two))]
    people = _people(before, after, span, added, removed, changed)
    due = _moved_dues(before.dues, after.dues)
    scores = list(_moved_scores(before.scores, after.scores))
    named = {f"Person/{one.person}" for one in people} | {d.subject for d in due} | {s.subject for s in scores}
    return Effect(
        at=span.at,
        added=tuple(sorted(added, key=lambda one: _hurt(span.at, one))),
        removed=tuple(sorted(removed, key=lambda one: _hurt(span.at, one))),
        changed=tuple(sorted(changed, key=lambda one: _hurt(span.at, one.before, one.after))),
        people=people,
        due=due,
        scorecards=tuple(sorted(scores, key=_loss)),
        findings=added_to(before.findings, after.findings),
        titles={ref: _title(ref, after.world, before.world) for ref in sorted(named)},
    )


def _fields(one: Decision, two: Decision) -> tuple[str, ...]:
    return tuple(name for name in COMPARED if _compared(one, name) != _compared(two, name))


def _compared(decision: Decision, name: str) -> Any:
    return {(t.role, t.person) for t in decision.notify} if name == "notify" else getattr(decision, name)


def _hurt(at: datetime, *sides: Decision) -> tuple[Any, ...]:
    """What sorts decisions: the gravest, those that concern most people, the earliest."""
    one = sides[-1]
    people = {told.person for side in sides for told in side.notify}
    first = min(side.due or side.at or at for side in sides)
    return (-max(rank(s.severity) for s in sides), -len(people), first, one.policy, one.level, one.subject, one.id)


# --- people


def _people(
    before: Outlook,
    after: Outlook,
    span: Span,
    added: Iterable[Decision],
    removed: Iterable[Decision],
    changed: Iterable[ChangedDecision],
) -> tuple[PersonTold, ...]:
    counts = [_told_counts(side.decisions.values(), span) for side in (before, after)]
    touched: dict[str, dict[str, list[tuple[Decision, ...]]]] = {}

    def touch(people: Iterable[str], how: str, *sides: Decision) -> None:
        for person in people:
            touched.setdefault(person, {}).setdefault(how, []).append(sides)

    for one in added:
        touch(_told(one), "more", one)
    for one in removed:
        touch(_told(one), "less", one)
    for pair in changed:
        old, new = (_told(one) if span.holds(one) else set() for one in pair[:2])
        touch(new - old, "more", pair.after)
        touch(old - new, "less", pair.before)
        touch(new & old, "differently", pair.before, pair.after)

    def hurt(person: str) -> tuple[Any, ...]:
        ranks = [_hurt(span.at, *sides) for kind in touched[person].values() for sides in kind]
        gravest = min(severity for severity, *_ in ranks)
        return (gravest, -len(ranks), min(rank[2] for rank in ranks if rank[0] == gravest), person)

    def ids(person: str, how: str) -> tuple[str, ...]:
        found = sorted(touched[person].get(how, []), key=lambda sides: _hurt(span.at, *sides))
        return tuple(sides[-1].id for sides in found)

    return tuple(
        PersonTold(
            person,
            counts[0].get(person, 0),
            counts[1].get(person, 0),
            ids(person, "more"),
            ids(person, "less"),
            ids(person, "differently"),
        )
        for person in sorted(touched, key=hurt)
    )


def _told(decision: Decision) -> set[str]:
    return {told.person for told in decision.notify}


def _told_counts(decisions: Iterable[Decision], span: Span) -> dict[str, int]:
    counts: dict[str, int] = {}
    for decision in decisions:
        for person in _told(decision) if span.holds(decision) else ():
            counts[person] = counts.get(person, 0) + 1
    return counts


# --- due times and scores


def _moved_dues(before: Mapping[str, Due], after: Mapping[str, Due]) -> tuple[MovedDue, ...]:
    """One line for all levels of a policy that a subject's clock moves in the same way."""
    moved: dict[tuple[Any, ...], list[Due]] = {}
    for id in sorted({*before, *after}):
        old, new = before.get(id), after.get(id)
        one = new or old
        if one is not None and (old.due if old else None) != (new.due if new else None):
            key = (one.policy, one.subject, old.due if old else None, new.due if new else None)
            moved.setdefault(key, []).append(one)
    found = [
        MovedDue(
            policy=policy,
            levels=tuple(sorted({one.level for one in dues})),
            severity=max((one.severity for one in dues), key=rank),
            subject=subject,
            before=old,
            after=new,
        )
        for (policy, subject, old, new), dues in moved.items()
    ]
    return tuple(sorted(found, key=lambda m: (-rank(m.severity), *_instants(m), m.policy, m.subject, m.levels)))


def _instants(moved: MovedDue) -> tuple[Any, ...]:
    sides = [side for side in (moved.after, moved.before) if side is not None]
    return (sides[0], sides[-1])


def _moved_scores(
    before: Mapping[ScoreKey, SubjectScore], after: Mapping[ScoreKey, SubjectScore]
) -> Iterator[MovedScore]:
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if (old.to_json() if old else None) != (new.to_json() if new else None):
            yield MovedScore(*key, old, new)


def _loss(moved: MovedScore) -> tuple[Any, ...]:
    scores = [side.score if side else None for side in (moved.before, moved.after)]
    gain = scores[1] - scores[0] if scores[0] is not None and scores[1] is not None else 0
    return (gain, moved.policy, moved.period, moved.subject)


def _title(ref: str, *worlds: World) -> Mapping[str, str]:
    kind, _, name = ref.partition("/")
    entity = next((found for world in worlds if (found := world.get(kind, name))), None)
    return {language: entity.title(language) if entity else name for language in LANGUAGES}
