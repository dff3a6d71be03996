"""Facts: operational things in time (a ticket, an order), whether they come from a record or from a feed.

A row is what a source hands over, still unchecked; a fact is a row that fits the schema of its kind. A report says how
many rows a source held and what became of them: ``rows`` is always ``accepted`` plus ``rejected``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remit.places import Place

FACT_ID_LIMIT = 128
"""The longest id of a fact, in characters."""


@dataclass(frozen=True)
class Row:
    """One row of a source before its kind's schema has judged it; ``body`` holds the fields of ``spec`` only."""

    kind: str | None
    id: str
    body: Mapping[str, Any]
    place: Place


@dataclass(frozen=True)
class SourceReport:
    """What became of the rows of one source; ``extra`` counts what is not a row, such as the lines of an event log."""

    path: str
    format: str
    accepted: int
    rejected: int
    extra: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows of the source: ``accepted`` plus ``rejected`` by construction, never counted apart."""
        return self.accepted + self.rejected

    def to_json(self) -> dict[str, Any]:
        """The shape that `remit facts` prints, with ``extra`` only when there is something in it."""
        counts = {"rows": self.rows, "accepted": self.accepted, "rejected": self.rejected}
        extra = {"extra": dict(sorted(self.extra.items()))} if self.extra else {}
        return {"path": self.path, "format": self.format, **counts, **extra}
