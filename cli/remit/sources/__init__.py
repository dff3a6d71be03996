"""Sources: feeds of facts, one file a format and one line in ``SOURCES``.

``read_source`` is what the rest of the program calls. Whatever the feed holds, it never raises, and every row is either
handed over or named in a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from types import MappingProxyType

from remit.errors import UserError
from remit.facts import Row, SourceReport
from remit.findings import Finding
from remit.sources.context import Count, Item, Note, Source, SourceContext
from remit.sources.document import JsonDocument
from remit.sources.jsonl import JsonLines
from remit.sources.mapping import FeedMapping
from remit.sources.mapping_file import read as read_mapping
from remit.sources.table import Table

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        ".jsonl": JsonLines(),
        ".ndjson": JsonLines(),
        ".csv": Table(),
        ".json": JsonDocument(),
    }
)
"""Which source reads which suffix."""

__all__ = [
    "SOURCES",
    "Count",
    "FeedMapping",
    "Item",
    "Note",
    "Reading",
    "Source",
    "SourceContext",
    "read_mapping",
    "read_source",
    "source_for",
]


@dataclass(frozen=True)
class Reading:
    """One feed, read to its end. ``rejected`` counts the rows for which ``findings`` holds a finding and no more."""

    path: str
    format: str
    rows: tuple[Row, ...]
    rejected: int
    findings: tuple[Finding, ...]
    extra: Mapping[str, int] = field(default_factory=dict)

    def report(self, *, also_rejected: int = 0) -> SourceReport:
        """The report, where ``also_rejected`` of the rows handed over were refused later, by their schema say."""
        accepted = len(self.rows) - also_rejected
        return SourceReport(self.path, self.format, accepted, self.rejected + also_rejected, self.extra)


def source_for(path: str) -> Source:
    """The source that reads files of this suffix.

    Raises:
        UserError: No source does.
    """
    suffix = PurePath(path).suffix.lower()
    if suffix not in SOURCES:
        raise UserError(
            f"{path}: no source reads {suffix or 'a file without a suffix'}.", f"Known: {', '.join(SOURCES)}."
        )
    return SOURCES[suffix]


def read_source(context: SourceContext) -> Reading:
    """Everything that the feed holds.

    Raises:
        UserError: No source reads the suffix of the feed; nothing about its content is ever raised.
    """
    source = source_for(context.path)
    rows: list[Row] = []
    findings: list[Finding] = []
    extra: dict[str, int] = {}
    rejected = 0
    for item in source.read(context):
        match item:
            case Row():
                rows.append(item)
            case Finding():
                rejected += item.code != "unreadable-feed"
                findings.append(item)
            case Note():
                findings.append(item.finding)
            case Count():
                extra[item.name] = extra.get(item.name, 0) + item.number
    return Reading(context.path, source.format, tuple(rows), rejected, tuple(findings), extra)
