"""Who last set each field of a record, for people and as JSON."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from remit.assignments import field_text, value_text
from remit.places import pointer_text
from remit.reporters.fitting import fitted
from remit.times import format_instant, in_zone

if TYPE_CHECKING:
    from remit.blaming import Blame, Line

LONGEST_VALUE = 40
_HEAD = (
    ("Field", "Value", "Commit", "At", "By", "Change", "Approved by"),
    ("字段", "值", "提交", "时间", "作者", "变更", "批准人"),
)


def blame_text(blame: Blame, language: str, zone: tzinfo, columns: int | None = None) -> str:
    """A table, folded into ``columns`` (None: not folded), with a row for each field, in the order of the file.

    Fields of ``spec`` are named without that word.
    """
    rows = [_row(line, zone) for line in blame.lines if line.pointer not in (("apiVersion",), ("kind",))]
    return fitted(rows, _HEAD[language == "zh"], columns) + "\n"


def _row(line: Line, zone: tzinfo) -> tuple[str, ...]:
    commit = line.entry.commit
    pointer = line.pointer[1:] if line.pointer[:1] == ("spec",) else line.pointer
    text = value_text(line.value).strip().replace("\n", "⏎")
    short = text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
    at = in_zone(commit.committed or commit.when, zone).strftime("%Y-%m-%d")
    people = ", ".join(_approvers(line)) or "-"
    return field_text(pointer), short, commit.sha[:12], at, commit.author, line.entry.change or "-", people


def _approvers(line: Line) -> list[str]:
    return sorted({approval.person for approval in line.entry.approvals})


def blame_json(blame: Blame, record: str) -> dict[str, Any]:
    """The shape of ``remit blame --format json``; ``record`` is the id."""
    fields = [_field_json(line) for line in blame.lines]
    return {"record": record, "path": blame.path, "commit": blame.commit, "fields": fields}


def _field_json(line: Line) -> dict[str, Any]:
    commit = line.entry.commit
    return {
        "pointer": pointer_text(line.pointer),
        "value": line.value,
        "commit": commit.sha,
        "at": format_instant(commit.committed or commit.when),
        "author": {"name": commit.author, "email": commit.email},
        "title": commit.message.partition("\n")[0],
        "change": line.entry.change or None,
        "approved_by": _approvers(line),
    }
