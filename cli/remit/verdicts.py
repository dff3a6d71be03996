"""A verdict on a store and what it rests on, as it is remembered.

Source: design section 11, point 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from remit.calendars import YearAsked
from remit.findings import Finding, finding, in_order
from remit.footing import Footing
from remit.git import Marks
from remit.places import Place
from remit.remembering import packed, unpacked
from remit.sentences import Text
from remit.times import Duration, format_instant, parse_instant

if TYPE_CHECKING:
    from remit.ways import Ways

WORKING = "verdict on the working tree"
"""The name under which the last one without errors is remembered."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a store, and how many records and policies it has."""

    findings: tuple[Finding, ...]
    records: int
    policies: int


@dataclass(frozen=True)
class Part:
    """What one part of a check found, and what it read.

    Attributes:
        findings: What it found.
        kinds: Kinds of which it read every record.
        names: Single records that it read or looked for, as ``Kind/name``; and fields of which it read the values that
            the records of a kind have, as ``Kind.field``.
    """

    findings: tuple[Finding, ...] = ()
    kinds: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


RECORDS, POLICIES, FIXTURES, CASES, YEARS, TERMS, REACH = (
    *("records", "policies", "fixtures", "cases", "years", "terms", "reach"),
)
"""The parts of a check. What the first one reads is not noted: every record."""


@dataclass(frozen=True)
class Asked:
    """What policies ask of records and calendars, every day anew.

    Attributes:
        ways: What must lead to somebody for every customer.
        held: Roles that somebody must hold.
        years: What calendars are to know.
        fields: Fields of customers that decide whom a way reaches.
    """

    ways: frozenset[Ways] = frozenset()
    held: frozenset[str] = frozenset()
    years: tuple[YearAsked, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Touch:
    """What was done to a store since a verdict.

    Attributes:
        files: The files that are not what they were; None for those that are gone.
        now: Gives any file as it is, by its path.
        whole: Gives all the files of the store as they are.
        held: Gives what git holds, by its id.
    """

    files: Mapping[str, bytes | None]
    now: Callable[[str], bytes | None]
    whole: Callable[[], Iterable[tuple[str, bytes]]]
    held: Callable[[str], bytes | None]


@dataclass(frozen=True)
class Known:
    """A verdict and what it rests on.

    Attributes:
        parts: What each part of the check found and read.
        counts: How many records and policies there are.
        footing: The files.
        notes: What others rely on in records that git may not hold, by path.
        asked: What policies ask every day anew.
        alike: How many customers there are of each likeness; None when that is not known.
        since: The verdict holds from here on, and before ``until``.
    """

    parts: Mapping[str, Part]
    counts: tuple[int, int]
    footing: Footing
    notes: Mapping[str, str]
    asked: Asked
    alike: Mapping[str, int] | None
    since: datetime
    until: datetime

    @property
    def verdict(self) -> Verdict:
        """The verdict."""
        return Verdict(in_order(one for part in self.parts.values() for one in part.findings), *self.counts)

    def holds(self, at: datetime) -> bool:
        """Whether it says anything about an instant."""
        return self.since <= at < self.until

    def to_bytes(self) -> bytes:
        """The whole, under the name of the program that says so."""
        footing, asked = self.footing, self.asked
        columns = (footing.paths, footing.starts, footing.oids, footing.marks)
        head = {
            "parts": {
                name: [[*map(_finding_written, part.findings)], sorted(part.kinds), sorted(part.names)]
                for name, part in self.parts.items()
            },
            "counts": self.counts,
            "notes": dict(self.notes),
            "ways": sorted([[role, sorted(kinds)] for role, kinds in ways] for ways in asked.ways),
            "held": sorted(asked.held),
            "years": [[*year.place, *year[:1], *year[2:4], *_span_written(year.span)] for year in asked.years],
            "fields": asked.fields,
            "alike": self.alike and dict(self.alike),
            "time": [format_instant(self.since), format_instant(self.until)],
            "folders": dict(footing.folders),
            "index": footing.index,
            "loose": sorted(footing.loose),
            "tree": footing.tree,
        }
        return packed(head, columns)

    @classmethod
    def of_bytes(cls, data: bytes | None) -> Known | None:
        """What was kept; None when it was kept by another program."""
        entry = unpacked(data)
        if entry is None:
            return None
        head, columns = entry
        parts = {
            name: Part(tuple(map(_finding_read, findings)), frozenset(kinds), frozenset(names))
            for name, (findings, kinds, names) in head["parts"].items()
        }
        folders = {path: Marks(*marks) for path, marks in head["folders"].items()}
        paths, starts, oids, marks = columns
        index, loose = Marks(*head["index"]), frozenset(head["loose"])
        footing = Footing(paths, starts, oids, marks, folders, index, loose, head["tree"])
        ways = frozenset(tuple((role, frozenset(kinds)) for role, kinds in ways) for ways in head["ways"])
        years = tuple(
            YearAsked(policy, Place(*place), pointer, calendar, Duration(Fraction(amount), unit) if unit else None)
            for *place, policy, pointer, calendar, amount, unit in head["years"]
        )
        asked = Asked(ways, frozenset(head["held"]), years, tuple(head["fields"]))
        records, policies = head["counts"]
        since, until = map(parse_instant, head["time"])
        return cls(parts, (records, policies), footing, head["notes"], asked, head["alike"], since, until)


def _finding_written(one: Finding) -> list[Any]:
    return [*one.place, one.code, *map(_written, (one.message, one.hint)), one.pointer, one.record]


def _finding_read(written: list[Any]) -> Finding:
    *place, code, message, hint, pointer, record = written
    return finding(code, _read(message), Place(*place), hint=_read(hint), pointer=pointer, record=record)


def _span_written(span: Duration | None) -> tuple[str, str]:
    return (str(span.amount), span.unit) if span is not None else ("", "")


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
