"""Findings as lines: place first, then severity, code, what is wrong, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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
