"""An audit in words and as JSON: what was found by cause, and how many commits were proved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from remit.reporters.terminal import safe, table
from remit.sentences import Text, say, spoken
from remit.times import format_instant

if TYPE_CHECKING:
    from remit.auditing import Audit, Trace, Trouble

_SHOWN = 10


def audit_lines(done: Audit, language: str) -> Iterator[str]:
    """Each cause with its commits below it, one line each; what is owed; and a last line that counts."""
    return (_flat(spoken(line, language)) for line in _lines(done, language))


def _lines(done: Audit, language: str) -> Iterator[str]:
    for cause, group in groupby(done.troubles, lambda one: one.cause):
        found = [list(rows) for _, rows in groupby(group, lambda one: (one.commit, one.rule) if one.commit else one)]
        yield say("audit.cause-count", cause=say(f"audit.cause-{cause}"), count=sum(map(len, found)))
        yield from (_trouble(first, len(others)) for first, *others in found[:_SHOWN])
        hints = {spoken(one.hint, language): None for rows in found[:_SHOWN] for one in rows if one.hint}
        yield from (f"      {hint}" for hint in hints)
        if left := found[_SHOWN:]:
            more = say("audit.more-commits" if left[0][0].commit else "audit.more-places", count=len(left))
            yield f"  {spoken(more, language)}"
    if done.owed:
        yield say("audit.owed", count=len(done.owed))
        yield from (f"  {one.commit[:12]}  {one.change}  remit review {one.change}" for one in done.owed)
    if done.shown and done.shown.unasked:
        yield say("audit.unasked", remote="origin", why=done.shown.unasked)
    if done.shown and done.shown.newer:
        yield say("audit.newer", remote="origin", count=done.shown.newer, tip=done.shown.tip[:12])
    about = {"count": done.proved, "branch": done.branch, "range": f"{done.start[:12]}..{done.tip[:12]}"}
    if done.troubles:
        yield say("audit.proved-and-found", found=len(done.troubles), **about)
    else:
        yield say("audit.proved-nothing-found", **about)


def _trouble(one: Trouble, others: int) -> Text:
    where = "".join(f"{part}  " for part in ("", one.commit[:12], one.change) if part)
    about = {"where": f"  {where}", "message": one.message, "rule": one.rule}
    return say("audit.by-rule-and-more", count=others, **about) if others else say("audit.by-rule", **about)


def audit_json(done: Audit) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "branch": done.branch,
        "start": done.start,
        "tip": done.tip,
        "proved": done.proved,
        "verified": done.verified,
        "troubles": [one._asdict() for one in done.troubles],
        "owed": [one._asdict() for one in done.owed],
        "shown": done.shown._asdict() if done.shown is not None else None,
    }


def trace_lines(found: Sequence[Trace], fingerprint: str, language: str) -> Iterator[str]:
    """Where a key was used, a line each."""
    rows = [
        (one.commit[:12], one.change, spoken(say(f"proof.verdict-{one.verdict}"), language), one.person,
         format_instant(one.at), one.place)
        for one in found
    ]  # fmt: skip
    if rows:
        yield table(rows, spoken(say("audit.trace-heads"), language).split("|"))
    yield safe(spoken(say("audit.used", key=fingerprint, count=len(found)), language))


def traces_json(found: Sequence[Trace], fingerprint: str) -> dict[str, Any]:
    """The same as JSON."""
    return {"key": fingerprint, "used": [{**one._asdict(), "at": format_instant(one.at)} for one in found]}


def _flat(text: str) -> str:
    return safe(re.sub(r"\s*[\r\n\t]\s*", " ", text))
