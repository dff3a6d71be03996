"""Decisions: what a policy says about a subject, dated, with everything that explains it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from remit.times import format_instant

SEVERITIES = ("info", "caution", "breach", "critical")
"""How grave a decision is, mildest first."""


class Told(NamedTuple):
    """A person who is to be told, the role that makes it so, and the way from the one to the other."""

    role: str
    person: str
    path: tuple[str, ...]


class Reason(NamedTuple):
    """One part of a condition, whether it holds, and the values it read."""

    condition: str
    holds: bool
    values: Mapping[str, Any]


class Stretch(NamedTuple):
    """One segment of a clock."""

    start: datetime
    end: datetime
    counted: bool
    reason: str


@dataclass(frozen=True)
class ClockReading:
    """A clock as read at one instant: where it began, when it is due, what counted."""

    start: datetime
    due: datetime | None
    elapsed_seconds: int
    segments: tuple[Stretch, ...]


@dataclass(frozen=True)
class Wanted:
    """A follow-up record that a decision asks for, ready to be proposed."""

    kind: str
    name: str
    title: Mapping[str, str]
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """``at`` is the instant at which it became true; ``ends`` the one at which it ceased to (None: still true).

    ``at`` is None for a standing condition, which has no clock: readers date it at the moment they ask about.
    """

    id: str
    policy: str
    policy_kind: str
    level: str
    severity: str
    subject_kind: str
    subject_name: str
    at: datetime | None
    ends: datetime | None
    due: datetime | None
    notify: tuple[Told, ...]
    message: Mapping[str, str]
    clauses: tuple[str, ...]
    because: tuple[Reason, ...]
    clock: ClockReading | None
    term: str
    wants: Wanted | None = None

    @property
    def subject(self) -> str:
        """``Kind/name`` of the subject."""
        return f"{self.subject_kind}/{self.subject_name}"

    def in_force(self, at: datetime) -> bool:
        """True when it had become true at or before ``at`` and was still true then."""
        return (self.at is None or self.at <= at) and (self.ends is None or at < self.ends)

    def to_json(self, at: datetime) -> dict[str, Any]:
        """The shape of design section 9; ``at`` is the moment asked about."""
        return {
            "id": self.id,
            "policy": self.policy,
            "kind": self.policy_kind,
            "level": self.level,
            "severity": self.severity,
            "subject": {"kind": self.subject_kind, "name": self.subject_name},
            "at": format_instant(self.at or at),
            "due": _text(self.due),
            "notify": [{"role": t.role, "person": t.person, "path": list(t.path)} for t in self.notify],
            "message": dict(self.message),
            "clauses": list(self.clauses),
            "because": [{"condition": r.condition, "holds": r.holds, "values": dict(r.values)} for r in self.because],
            "clock": self._clock_json(),
            "term": self.term or None,
            "state": "open" if self.ends is None or at < self.ends else "closed",
        }

    def _clock_json(self) -> dict[str, Any] | None:
        if self.clock is None:
            return None
        return {
            "start": format_instant(self.clock.start),
            "due": _text(self.clock.due),
            "elapsed_seconds": self.clock.elapsed_seconds,
            "segments": [
                {"from": format_instant(s.start), "to": format_instant(s.end), "counted": s.counted, "reason": s.reason}
                for s in self.clock.segments
            ],
        }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment)


def decision_id(policy: str, level: str, subject: str, start: datetime | None, part: str = "", repeat: int = 0) -> str:
    """The same policy, level, subject and clock start give the same id; a part and a repeat have their own."""
    start_text = "" if start is None else str(int(start.timestamp()))
    text = "\n".join([policy, level, subject, start_text, part, str(repeat)])
    return "d-" + hashlib.sha256(text.encode()).hexdigest()[:12]


def rank(severity: str) -> int:
    """The place of a severity in ``SEVERITIES``."""
    return SEVERITIES.index(severity)
