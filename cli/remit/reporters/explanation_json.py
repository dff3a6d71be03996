"""An explanation as JSON: everything that its page shows, in both languages where it is words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from remit.conditions.text import text_of
from remit.reporters.condition_words import Words
from remit.reporters.explanation import approvers_of, flip_text, reason_text
from remit.reporters.policy_words import nouns_of
from remit.times import format_instant
from remit.wording import LANGUAGES

if TYPE_CHECKING:
    from remit.conditions.tracing import Change
    from remit.decisions import ClockReading, Told
    from remit.explaining import Check, Examined, Explanation, Rung, Written
    from remit.git import Commit


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """The object that ``remit explain --format json`` prints."""
    return _Json(explanation).body()


class _Json:
    def __init__(self, explanation: Explanation) -> None:
        self.of = explanation
        self.words = {language: self._words(language) for language in LANGUAGES}

    def _words(self, language: str) -> Words:
        of = self.of
        return Words(of.types, of.world, language, nouns_of(of.policy, of.types, of.world, language))

    def body(self) -> dict[str, Any]:
        of, record = self.of, self.of.policy.record
        return {
            "at": format_instant(of.at),
            "policy": {
                "id": record.id,
                "place": str(record.place()),
                "clauses": list(of.policy.clauses),
                **_commit(of.policy_commit),
            },
            "subject": {
                "kind": of.subject.kind,
                "name": of.subject.name,
                "place": str(of.subject.place),
                **_commit(of.subject_commit),
            },
            "holds": not of.conditions or any(one.holds for one in of.conditions),
            "conditions": [
                {
                    "condition": check.condition,
                    "holds": check.holds,
                    "values": [self._value(one) for one in check.reads],
                }
                for check in of.checks
            ],
            "trees": [self._examined(one) for one in of.conditions],
            "levels": [self._rung(rung) for rung in of.rungs],
            "chain": [dict(one) for one in of.chain],
            "clock": _clock(of.clock),
            "term": [
                {
                    "limit": one.field,
                    "value": one.value,
                    "source": one.source,
                    "why": one.why,
                    "place": str(one.place),
                    **_commit(one.commit),
                }
                for one in of.terms
            ],
            "decisions": [decision.to_json(of.at) for decision in of.decisions],
        }

    def _value(self, one: Written) -> dict[str, Any]:
        return {"path": str(one.path), "value": one.value, "place": str(one.place), **_commit(one.commit)}

    def _examined(self, one: Examined) -> dict[str, Any]:
        return {
            "part": one.part,
            "holds": one.holds,
            "tree": self._check(one.tree),
            "flips": [
                {
                    "changes": [_change(change) for change in flip],
                    "words": {name: flip_text(flip, one.condition, words) for name, words in self.words.items()},
                }
                for flip in one.flips
            ],
        }

    def _check(self, check: Check) -> dict[str, Any]:
        traced = check.traced
        said = {name: words.condition(traced.node, traced.bindings.scope) for name, words in self.words.items()}
        return {
            "sign": traced.sign,
            "condition": traced.text,
            "outcome": traced.outcome,
            **({"item": traced.item} if traced.item else {}),
            "words": said,
            "values": [self._value(one) for one in check.values],
            "parts": [self._check(part) for part in check.parts],
        }

    def _rung(self, rung: Rung) -> dict[str, Any]:
        reason = rung.reason
        why = {name: reason_text(reason, words) if reason else "" for name, words in self.words.items()}
        return {
            "level": rung.level.name if rung.level else "every level",
            "part": rung.part,
            "state": rung.state,
            "at": _instant(rung.at),
            "ends": _instant(rung.ends),
            "next": _instant(rung.next),
            "why_not": why["en"],
            "reason": reason.code if reason else None,
            "words": why,
            "when": self._examined(rung.examined) if rung.examined else None,
            "tells": [_told(told) for told in rung.told],
            "tried": list(rung.tried),
        }


def _change(change: Change) -> dict[str, Any]:
    """``any`` of these ways, each a list of wishes that must all come true."""
    return {
        "path": change.path,
        "any": [
            [
                {
                    "kind": wish.kind,
                    **({"values": list(wish.values)} if wish.values else {}),
                    **({"sign": wish.sign.strip("_"), "other": text_of(wish.other)} if wish.other else {}),
                }
                for wish in way
            ]
            for way in change.ways
        ],
    }


def _clock(clock: ClockReading | None) -> dict[str, Any] | None:
    if clock is None:
        return None
    return {
        "start": format_instant(clock.start),
        "due": _instant(clock.due),
        "elapsed_seconds": clock.elapsed_seconds,
        "segments": [
            {"from": format_instant(s.start), "to": format_instant(s.end), "counted": s.counted, "reason": s.reason}
            for s in clock.segments
        ],
    }


def _told(told: Told) -> dict[str, Any]:
    return {"role": told.role, "person": told.person, "path": list(told.path)}


def _commit(commit: Commit | None) -> Mapping[str, Any]:
    if commit is None:
        return {"commit": None}
    return {
        "commit": commit.sha,
        "author": commit.author,
        "when": format_instant(commit.when),
        "approved_by": list(approvers_of(commit)),
    }


def _instant(moment: datetime | None) -> str | None:
    return format_instant(moment) if moment else None
