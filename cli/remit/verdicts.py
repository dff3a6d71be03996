"""A verdict on a store and what it rests on, as it is remembered.

Source: design section 11, point 8.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from remit.findings import Finding, finding
from remit.footing import Footing
from remit.git import Marks
from remit.places import Place
from remit.remembering import program
from remit.sentences import Text
from remit.times import format_instant, parse_instant

Kinds = frozenset[str]
Ways = tuple[tuple[str, Kinds], ...]
"""Whom a level tells: roles, each with the kinds of record at which it may be held. One that leads on is enough."""


WORKING = "verdict on the working tree"
"""The name under which the last one without errors is remembered."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a store, and how many records and policies it has."""

    findings: tuple[Finding, ...]
    records: int
    policies: int


@dataclass(frozen=True)
class Known:
    """A verdict and what it rests on.

    Attributes:
        footing: The files.
        notes: What others rely on in records that git may not hold, by path.
        kinds: Kinds of which the rules read every record.
        names: Single records that the rules read or looked for, as ``Kind/name``.
        ways: What must lead to somebody for every customer.
        since: The verdict holds from here on, and before ``until``.
    """

    verdict: Verdict
    footing: Footing
    notes: Mapping[str, str]
    kinds: frozenset[str]
    names: frozenset[str]
    ways: frozenset[Ways]
    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Whether it says anything about an instant."""
        return self.since <= at < self.until

    def to_bytes(self) -> bytes:
        """The whole, under the name of the program that says so."""
        findings = [
            [*one.place, one.code, *map(_written, (one.message, one.hint)), one.pointer, one.record]
            for one in self.verdict.findings
        ]
        footing = self.footing
        columns = (footing.paths, footing.starts, footing.oids, footing.marks)
        head = {
            "findings": findings,
            "counts": [self.verdict.records, self.verdict.policies],
            "notes": dict(self.notes),
            "kinds": sorted(self.kinds),
            "names": sorted(self.names),
            "ways": sorted([[role, sorted(kinds)] for role, kinds in ways] for ways in self.ways),
            "time": [format_instant(self.since), format_instant(self.until)],
            "columns": [len(column) for column in columns],
            "folders": dict(footing.folders),
            "index": footing.index,
            "loose": sorted(footing.loose),
        }
        return b"\n".join((program().encode(), json.dumps(head).encode(), b"".join(columns)))

    @classmethod
    def of_bytes(cls, data: bytes | None) -> Known | None:
        """What was kept; None when it was kept by another program."""
        own = program().encode() + b"\n"
        if data is None or not data.startswith(own):
            return None
        end = data.index(b"\n", len(own))
        head, at, columns = json.loads(data[len(own) : end]), end + 1, []
        for length in head["columns"]:
            columns.append(data[at : at + length])
            at += length
        findings = (
            finding(code, _read(message), Place(*place), hint=_read(hint), pointer=pointer, record=record)
            for *place, code, message, hint, pointer, record in head["findings"]
        )
        folders = {path: Marks(*marks) for path, marks in head["folders"].items()}
        paths, starts, oids, marks = columns
        footing = Footing(paths, starts, oids, marks, folders, Marks(*head["index"]), frozenset(head["loose"]))
        ways = frozenset(tuple((role, frozenset(kinds)) for role, kinds in ways) for ways in head["ways"])
        return cls(
            Verdict(tuple(findings), *head["counts"]),
            footing,
            head["notes"],
            frozenset(head["kinds"]),
            frozenset(head["names"]),
            ways,
            *map(parse_instant, head["time"]),
        )


def _written(value: Any) -> Any:
    """A text as JSON; one that speaks two languages keeps both."""
    if isinstance(value, Text):
        return {"key": value.key, "parts": {name: _written(part) for name, part in value.parts.items()}}
    if isinstance(value, list | tuple):
        return [_written(part) for part in value]
    return value if isinstance(value, str | int | float | None) else str(value)


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return Text(value["key"], {name: _read(part) for name, part in value["parts"].items()})
    return [_read(part) for part in value] if isinstance(value, list) else value
