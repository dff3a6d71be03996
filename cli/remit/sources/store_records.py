"""The store's own records as rows: the same fact may be kept as a file and reviewed, or come from a feed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from remit.facts import Row
from remit.places import Place


def from_records(records: Iterable[tuple[str, str, Mapping[str, Any], Place]]) -> Iterator[Row]:
    """A row for each ``(kind, name, spec, place)``; the name of a record is the id of the fact."""
    for kind, name, spec, place in records:
        yield Row(kind, name, spec, place)
