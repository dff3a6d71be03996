"""Findings as lines: place first, then severity, code, what is wrong, and what to do next."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from remit.findings import Finding, count
from remit.reporters.terminal import plural, safe


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """One line a finding, and its hint on a line of its own below it."""
    for one in findings:
        where = f"{safe(str(one.place))}  " if one.place.path else ""
        yield f"{where}{one.severity}  {one.code}  {_one_line(one.message)}"
        if one.hint:
            yield f"    {_one_line(one.hint)}"


def _one_line(text: str) -> str:
    return safe(" ".join(text.split()))


def summary(findings: Sequence[Finding]) -> str:
    """``2 errors, 1 warning``; ``no findings`` for none."""
    said = [plural(number, severity) for severity, number in count(findings).items() if number and severity != "info"]
    infos = count(findings)["info"]
    return ", ".join(said + ([f"{infos} for information"] if infos else [])) or "no findings"


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
