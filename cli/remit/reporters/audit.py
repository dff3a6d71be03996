"""An audit in words and as JSON: what was found by cause, and how many commits were proved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from remit.reporters.terminal import plural, safe, table
from remit.times import format_instant

if TYPE_CHECKING:
    from remit.auditing import Audit, Trace


def audit_lines(done: Audit, causes: Mapping[str, str]) -> Iterator[str]:
    """Each cause with its commits below it, what is owed, and a last line that counts."""
    for cause, group in groupby(done.troubles, lambda one: one.cause):
        found = list(group)
        yield f"{causes[cause]} ({len(found)})"
        for one in found:
            where = "  ".join(part for part in (one.commit[:12], one.change) if part)
            yield f"  {where}{'  ' if where else ''}{_flat(one.message)} (rule {one.rule})"
        hints = {one.hint: None for one in found if one.hint}
        yield from (f"      {_flat(hint)}" for hint in hints)
    if done.owed:
        yield f"owed: emergency changes that nobody has looked at since ({len(done.owed)})"
        yield from (f"  {one.commit[:12]}  {one.change}  remit review {one.change}" for one in done.owed)
    said = plural(len(done.troubles), "thing") if done.troubles else "nothing"
    way = f"{done.start[:12]}..{done.tip[:12]}"
    yield f"{plural(done.proved, 'commit')} of {safe(done.branch)} proved, {way}: {said} found"


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
    }


def trace_lines(found: Sequence[Trace], fingerprint: str) -> Iterator[str]:
    """Where a key was used, a line each."""
    rows = [(one.commit[:12], one.change, one.verdict, one.person, format_instant(one.at), one.place) for one in found]
    if rows:
        yield table(rows, ("commit", "change", "said", "by", "at", "where"))
    yield f"{safe(fingerprint)} was used {plural(len(found), 'time')}"


def traces_json(found: Sequence[Trace], fingerprint: str) -> dict[str, Any]:
    """The same as JSON."""
    return {"key": fingerprint, "used": [{**one._asdict(), "at": format_instant(one.at)} for one in found]}


def _flat(text: str) -> str:
    return safe(" ".join(text.split()))
