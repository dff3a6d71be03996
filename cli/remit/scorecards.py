"""Scorecards: what an assessment policy says about its subjects over a period, down to the facts behind each figure.

Figures are plain numbers, rounded once: a share or an average to four places, a score to two. ``None`` means that there
is nothing to say, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from remit.findings import Finding
from remit.times import Period, format_instant

Counted = Literal["good", "bad", "left out"]

REASONS: dict[str, str] = {
    "counted": "It counts.",
    "good": "What the measure calls good holds.",
    "not-good": "What the measure calls good does not hold.",
    "in-time": "It was done by its due time.",
    "late": "It was done after its due time.",
    "overdue": "It is not done, and its due time has passed.",
    "not-yet-due": "It is not done, and its due time is still to come.",
    "not-yet": "It lies after the moment asked about.",
    "no-instant": "Its clock has no beginning.",
    "no-limit": "Nothing sets a limit for it.",
    "suspended": "Its clock is suspended, or never works long enough to reach its limit.",
    "no-value": "It has no number to add.",
    "excluded": "An approved exclusion leaves it out.",
}
"""Why a fact counts as it does, or is left out."""


RESULTS = ("score", "rank", "band", "share", "amount")
"""What a line of a scorecard says besides its figures."""


class CountedFact(NamedTuple):
    """One fact, or one item of a fact's list (``Kind/name#list/0``), and what a measure made of it.

    ``why`` is one of ``REASONS``; ``at`` is the instant that put it into the period. ``exclusion`` is the record that
    leaves it out (``AssessmentExclusion/name``).
    """

    ref: str
    counted: Counted
    why: str
    at: datetime | None = None
    due: datetime | None = None
    stopped: datetime | None = None
    value: float | None = None
    exclusion: str | None = None

    def to_json(self) -> dict[str, Any]:
        """All parts; an instant that is not there is null."""
        return {
            "fact": self.ref,
            "counted": self.counted,
            "why": self.why,
            "at": _text(self.at),
            "due": _text(self.due),
            "stopped": _text(self.stopped),
            "value": self.value,
            "exclusion": self.exclusion,
        }


@dataclass(frozen=True)
class MeasureScore:
    """One figure: ``n`` good ones of ``of`` that count; of days late ``n`` were in time, else both are how many count.

    ``target`` is in the unit of ``value``: 98 percent is 0.98. ``facts`` are in the order of their ids, those left out
    among them.
    """

    value: float | None
    of: int
    n: int
    target: float | None
    score: float | None
    facts: tuple[CountedFact, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The shape of design section 9, without the facts."""
        return {"value": self.value, "of": self.of, "n": self.n, "target": self.target, "score": self.score}


@dataclass(frozen=True)
class SubjectScore:
    """One line of a scorecard. ``subject`` is ``Kind/name``.

    ``share`` is that of a pool, all lines that share it making up 1; ``amount`` is what it comes to in money, all
    making up the pool.
    """

    subject: str
    measures: Mapping[str, MeasureScore]
    score: float | None
    rank: int | None
    band: str | None = None
    share: float | None = None
    amount: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The shape of design section 9; measures in the order of the policy."""
        return {
            "subject": self.subject,
            "measures": {name: measure.to_json() for name, measure in self.measures.items()},
            **{key: getattr(self, key) for key in RESULTS},
        }


class Restated(NamedTuple):
    """A figure that a frozen sheet gives otherwise than the scorecard does now; None where one of them has none.

    ``figure`` is one of ``RESULTS``, or ``measure.key`` with a key of the measure, ``facts`` for the digest of the
    facts behind it. ``sheet`` is the frozen record.
    """

    subject: str
    figure: str
    frozen: float | str | None
    now: float | str | None
    sheet: str

    def to_json(self) -> dict[str, Any]:
        """All parts."""
        return {
            "subject": self.subject,
            "figure": self.figure,
            "frozen": self.frozen,
            "now": self.now,
            "sheet": self.sheet,
        }


@dataclass(frozen=True)
class Scorecard:
    """The scores of a period as of ``at``, which is the period's end once that has passed. Subjects by id.

    ``places`` holds, by band, the facts over which its places were counted. ``restated`` names what differs from the
    sheets that were frozen for this period.
    """

    policy: str
    period: Period
    at: datetime
    subjects: tuple[SubjectScore, ...]
    findings: tuple[Finding, ...]
    places: Mapping[str, MeasureScore] = field(default_factory=dict)
    restated: tuple[Restated, ...] = ()

    @property
    def is_final(self) -> bool:
        """True when the period had ended, so that later facts cannot change what was due in it."""
        return self.at >= self.period.end

    def of(self, subject: str) -> SubjectScore | None:
        """The line of ``subject`` (``Kind/name``)."""
        return next((line for line in self.subjects if line.subject == subject), None)

    def to_json(self, commit: str | None) -> dict[str, Any]:
        """The shape of design section 9; ``commit`` is None for a working tree. ``restated`` where anything is."""
        body: dict[str, Any] = {
            "policy": self.policy,
            "period": self.period.name,
            "commit": commit,
            "subjects": [line.to_json() for line in self.subjects],
            "findings": [one.to_json() for one in self.findings],
        }
        if self.restated:
            body["restated"] = [one.to_json() for one in self.restated]
        return body


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment)
