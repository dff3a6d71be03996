"""Sources: feeds of facts, one file a format and one line in ``SOURCES``.

``read_source`` is what the rest of the program calls. Whatever the feed holds, it never raises, and every row is either
handed over or named in a finding.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from types import MappingProxyType
from urllib.parse import parse_qsl

from remit.errors import UserError
from remit.facts import Row, SourceReport
from remit.findings import Finding
from remit.sources.context import Count, Item, Note, Source, SourceContext
from remit.sources.database import Database
from remit.sources.document import JsonDocument
from remit.sources.jsonl import JsonLines
from remit.sources.mapping import FeedMapping
from remit.sources.mapping_file import read as read_mapping
from remit.sources.parquet import Parquet
from remit.sources.table import Table

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        ".jsonl": JsonLines(),
        ".ndjson": JsonLines(),
        ".csv": Table(),
        ".json": JsonDocument(),
        ".parquet": Parquet(),
        "sqlite:": Database(),
        "duckdb:": Database(),
        "postgresql:": Database(),
    }
)
"""Which source reads which suffix, or which scheme of a URL."""

TYPED_BY_SHAPE = frozenset({Table.format, Parquet.format, Database.format})
"""Formats in whose columns a text may stand for what the shape of the kind says: a number, or a list as JSON."""

__all__ = [
    "SOURCES",
    "TYPED_BY_SHAPE",
    "Count",
    "FeedMapping",
    "Item",
    "Note",
    "Reading",
    "Source",
    "SourceContext",
    "files_at",
    "read_each",
    "read_items",
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
    """The source that reads files of this suffix, or the database that a URL names.

    Raises:
        UserError: No source does, or the URL holds a password, which every finding would show.
    """
    scheme, url, rest = path.partition("://")
    asked = (name.lower() for name, _ in parse_qsl(rest.partition("?")[2], keep_blank_values=True))
    if url and (":" in rest.partition("/")[0].rpartition("@")[0] or any("password" in name for name in asked)):
        hint = "Let PGPASSWORD or a password file say it."
        raise UserError(f"The URL of a {scheme} feed holds a password.", hint)
    suffix = f"{scheme}:" if url else PurePath(path).suffix.lower()
    if suffix not in SOURCES:
        raise UserError(
            f"{path}: no source reads {suffix or 'a file without a suffix'}.", f"Known: {', '.join(SOURCES)}."
        )
    return SOURCES[suffix]


def files_at(path: str, root: Path) -> list[str]:
    """The feeds that a path below ``root`` names: the files of a folder, or those that a pattern such as
    ``feeds/2026-*.parquet`` matches, by name; else the path itself, which may be a URL or lead nowhere.

    Of a folder, what no source reads and what begins with a dot is left out.
    """
    where = root / path
    if "://" in path or where.is_file():
        return [path]
    if where.is_dir():
        known = (one for one in where.iterdir() if one.suffix.lower() in SOURCES and not one.name.startswith("."))
        return sorted(str(PurePath(path) / one.name) for one in known if one.is_file()) or [path]
    # Path.glob knows no absolute pattern.
    found = glob.glob(path, root_dir=root) if glob.has_magic(path) else []  # noqa: PTH207
    return sorted(one for one in found if (root / one).is_file()) or [path]


def read_source(context: SourceContext) -> Reading:
    """Everything that the feed holds.

    Raises:
        UserError: As ``read_each``.
    """
    rows: list[Row] = []
    return replace(read_each(context, rows.append), rows=tuple(rows))


def read_each(context: SourceContext, take: Callable[[Row], None]) -> Reading:
    """The feed read to its end, with every row given to ``take`` and none kept.

    Raises:
        UserError: No source reads the suffix of the feed, or what it needs is not installed; nothing about its content
            is ever raised.
    """
    source = source_for(context.path)
    return read_items(context.path, source.format, source.read(context), take)


def read_items(path: str, word: str, items: Iterable[Item], take: Callable[[Row], None]) -> Reading:
    """The items of a feed of the format ``word``, with every row given to ``take`` and none kept."""
    findings: list[Finding] = []
    extra: dict[str, int] = {}
    rejected = 0
    for item in items:
        match item:
            case Row():
                take(item)
            case Finding():
                rejected += item.code != "unreadable-feed"
                findings.append(item)
            case Note():
                findings.append(item.finding)
            case Count():
                extra[item.name] = extra.get(item.name, 0) + item.number
    return Reading(path, word, (), rejected, tuple(findings), extra)
