"""Rounds of a watch: for people as paragraphs, for programs as a JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from remit.reporters.decisions import paragraph
from remit.reporters.terminal import json_line, safe
from remit.sentences import say, spoken
from remit.times import format_instant

if TYPE_CHECKING:
    from remit.watching import Round


def round_lines(one: Round, language: str) -> Iterator[str]:
    """What came and what is over, gone through in the order of the round; nothing for a round without news."""
    if not (one.new or one.over):
        return
    counts = {"new": len(one.new), "over": len(one.over)}
    yield spoken(say("watch.round", at=format_instant(one.at), **counts), language)
    for decision in one.new:
        yield from paragraph(decision, one.at, language)
    for decision in one.over:
        names = {"policy": decision.policy, "level": decision.level, "subject": decision.subject, "id": decision.id}
        yield safe(spoken(say("watch.over", **names), language))


def round_objects(one: Round) -> Iterator[str]:
    """An object for each decision that is new or over and for each finding; ``event`` says which it is."""
    at = format_instant(one.at)
    events: list[dict[str, Any]] = [{"event": "new", "decision": decision.to_json(one.at)} for decision in one.new]
    for decision in one.over:
        names = {"policy": decision.policy, "level": decision.level, "subject": decision.subject}
        events.append({"event": "over", "id": decision.id, **names})
    events += [{"event": "finding", "finding": found.to_json()} for found in one.findings]
    return (json_line({"at": at, **event}) for event in events)
