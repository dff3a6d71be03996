"""Findings as lines: place first, then severity, code, what is wrong, and what to do next."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from remit.findings import CODES, Finding, count
from remit.reporters.terminal import safe
from remit.sentences import Text, say, spoken


def finding_lines(findings: Iterable[Finding], language: str = "en") -> Iterator[str]:
    """One line a finding, and its hint on a line of its own below it.

    In Chinese a message that is there in English only stands below what its code means.
    """
    for one in findings:
        where = f"{safe(str(one.place))}  " if one.place.path else ""
        severity = spoken(say(f"common.severity-{one.severity}"), language)
        lines = [one.message, one.hint]
        if language == "zh" and not isinstance(one.message, Text):
            lines.insert(0, CODES[one.code].in_words(language))
        first, *below = (_one_line(spoken(line, language)) for line in lines)
        yield f"{where}{severity}  {one.code}  {first}"
        yield from (f"    {line}" for line in below if line)


def _one_line(text: str) -> str:
    return safe(" ".join(text.split()))


def summary(findings: Sequence[Finding], language: str = "en") -> str:
    """``2 errors, 1 warning``; ``no findings`` for none."""
    counts = ((severity, number) for severity, number in count(findings).items() if number)
    said = [say(f"common.count-{severity}", count=number) for severity, number in counts]
    return spoken(say("common.findings", counts=said) if said else say("common.no-findings"), language)


def from_top(findings: Iterable[Finding], prefix: str) -> tuple[Finding, ...]:
    """The findings with paths from the top of the repository, in which the store is at ``prefix``."""
    return tuple(
        replace(one, place=one.place._replace(path=prefix + one.place.path)) if one.place.path else one
        for one in findings
    )


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """For each finding what stays when it only moves to another line, in hex; no two are the same."""
    seen: Counter[str] = Counter()
    prints = []
    for one in findings:
        matter = "\0".join((one.code, one.place.path, one.pointer, one.message))
        seen[matter] += 1
        prints.append(hashlib.sha256(f"{matter}\0{seen[matter]}".encode(errors="backslashreplace")).hexdigest())
    return prints
