"""What every source is given and what it gives back.

A source yields items: a ``Row``; a ``Finding``, which stands for one rejected row (``unreadable-feed`` stands for the
file); a ``Note``, a finding about fields that costs no row; a ``Count`` of something that is not a row. So whoever
counts the items knows what became of every row without asking the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from remit.facts import Row
from remit.findings import Finding
from remit.sources.mapping import FeedMapping

ROW_LIMIT = 1 << 20
"""Bytes of one row: a line of JSON, or a CSV record with its line breaks."""

DOCUMENT_LIMIT = 10 << 20
"""Bytes of a feed that is one JSON document and so is read whole; JSON Lines and CSV stream and have no such limit."""


class Note(NamedTuple):
    """A finding that does not reject a row."""

    finding: Finding


class Count(NamedTuple):
    """So many of something that is not a row; it goes into the report's ``extra``."""

    name: str
    number: int


Item = Row | Finding | Note | Count


@dataclass(frozen=True)
class SourceContext:
    """Which feed to read and how.

    ``path`` is what findings say and is opened below ``root``; ``kind`` is what ``KIND=PATH`` said; ``zone`` is the
    store's, for wall-clock times to which the mapping gives no zone.
    """

    path: str
    kind: str | None = None
    mapping: FeedMapping | None = None
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))
    root: Path = field(default_factory=Path)

    @property
    def file(self) -> Path:
        """The file to open."""
        return self.root / self.path

    @property
    def row_kind(self) -> str | None:
        """The kind of rows that do not name one themselves: the command line first, then the mapping."""
        return self.kind or (self.mapping.kind if self.mapping else None)


class Source(Protocol):
    """One feed format. Reading never raises: what is wrong is yielded."""

    @property
    def format(self) -> str:
        """The word for the format in reports."""

    def read(self, context: SourceContext) -> Iterator[Item]:
        """The items of the feed in its own order; notes and counts about the whole feed come last."""
