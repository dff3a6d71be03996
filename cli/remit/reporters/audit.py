"""An audit in words and as JSON: what was found by cause, and how many commits were proved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from remit.reporters.terminal import plural, safe, table
from remit.times import format_instant

if TYPE_CHECKING:
    from remit.auditing import Audit, Trace


_SHOWN = 10


def audit_lines(done: Audit, causes: Mapping[str, str]) -> Iterator[str]:
    """Each cause with its commits below it, one line each; what is owed; and a last line that counts."""
    for cause, group in groupby(done.troubles, lambda one: one.cause):
        found = [list(rows) for _, rows in groupby(group, lambda one: (one.commit, one.rule) if one.commit else one)]
        yield f"{causes[cause]} ({sum(map(len, found))})"
        for first, *others in found[:_SHOWN]:
            where = "".join(f"{part}  " for part in (first.commit[:12], first.change) if part)
            more = f", and {len(others)} more" if others else ""
            yield f"  {where}{_flat(first.message)} (rule {first.rule}{more})"
        hints = {one.hint: None for rows in found[:_SHOWN] for one in rows if one.hint}
        yield from (f"      {_flat(hint)}" for hint in hints)
        if left := found[_SHOWN:]:
            where = "places" if not left[0][0].commit else "commits"
            yield f"  and {len(left)} {where} more; --format json lists them"
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
