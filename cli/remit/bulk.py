"""Reading many records and judging each by its schema: the part of loading that asks nothing of other records.

So it may be done anywhere and in any order; a ``Spread`` says where. What comes out is what ``records.build_snapshot``
and ``Schemas.check_record`` say, with what others want to know of each record, packed into bytes on the way. Values are
packed by ``marshal``, which holds JSON types exactly and is the quickest there is; they stay packed until somebody asks
for them. Findings are few.
"""

from __future__ import annotations

import gc
import marshal
import pickle
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from sys import intern
from typing import Any, NamedTuple

from remit.findings import Finding
from remit.records import Gist, PackedRecord, Record, as_record, is_record_path
from remit.references import DATED, names_in
from remit.schemas import KindSchema, Schemas
from remit.validity import has_periods, may_have_periods
from remit.yamltext import read

MANY = 2_000
"""From so many records on it pays to spread them."""

Work = Callable[[Sequence[str]], bytes]
Spread = Callable[[Work, Sequence[str]], Iterable[tuple[Sequence[str], bytes]]]
"""Gives the items in parts, each with what the work says of it, in any order; every item is in one part."""

Seen = tuple[Any, ...]
Fetch = Callable[[str], tuple[bytes, Seen]]
"""Gives the file at a path and what else was seen of it, in JSON types or bytes; an ``OSError`` when it cannot."""


class Judged(NamedTuple):
    """One file: the record in it, or why there is none; what its schema says; the file, and what else was seen."""

    record: Record | None
    problems: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    data: bytes
    seen: Seen


def judged(
    paths: Iterable[str], fetch: Fetch, schemas: Schemas, spread: Spread, unasked: Collection[str] = ()
) -> dict[str, Judged]:
    """The record files among ``paths``; empty when they are too few to be worth it.

    One that cannot be fetched is left out. Values of the ``unasked`` kinds are not packed: they are read again should
    anybody ask for one.
    """
    wanted = sorted(filter(is_record_path, paths))
    if len(wanted) < MANY:
        return {}
    parts = spread(lambda part: _pack(part, fetch, schemas, unasked), wanted)
    was_enabled = gc.isenabled()
    gc.disable()  # what is made here stays
    try:
        return {path: one for part, packed in parts for path, one in _unpack(part, packed)}
    finally:
        if was_enabled:
            gc.enable()


def _pack(part: Sequence[str], fetch: Fetch, schemas: Schemas, unasked: Collection[str]) -> bytes:
    rows: list[tuple[Any, ...] | None] = []
    told: dict[int, tuple[tuple[Finding, ...], tuple[Finding, ...]]] = {}
    for number, path in enumerate(part):
        try:
            data, seen = fetch(path)
        except OSError:
            rows.append(None)
            continue
        document, problems = read(data, path)
        record, problem = as_record(document) if document is not None else (None, None)
        findings: tuple[Finding, ...] = ()
        said: tuple[Any, ...] | None = None
        if document is not None and record is not None:
            findings = tuple(schemas.check_record(record))
            gist = tuple(_gist(record, data, schemas))
            packed = b"" if record.kind in unasked else marshal.dumps(document.value)
            said = record.kind, record.name, document.start, packed, gist
        rows.append((data, seen, said))
        problems = (*problems, problem) if problem is not None else problems
        if problems or findings:
            told[number] = problems, findings
    return pickle.dumps((marshal.dumps(rows), told))


def unasked_kinds(schemas: Schemas, rules: Iterable[bytes]) -> frozenset[str]:
    """Kinds into whose records a check will hardly look once they are judged: no rule names them, nothing about them
    is unique, and what they refer to holds at any time. A guess, on which no answer rests."""
    asked = b"\n".join(rules)
    return frozenset(
        kind for kind, schema in schemas.kinds.items() if not _compares(schema) and kind.encode() not in asked
    )


def _compares(schema: KindSchema) -> bool:
    fields = schema.shape.fields.values()
    return (
        schema.kind in DATED
        or "x-remit-no-overlap" in schema.schema
        or any(part.schema.get("x-remit-unique") for part in fields)
    )


def _gist(record: Record, data: bytes, schemas: Schemas) -> Gist:
    schema = schemas.kinds.get(record.kind)
    names = names_in(record.spec, schema.shape) if schema is not None else ()
    return Gist(names, may_have_periods(data) and has_periods(record.spec))


def _unpack(part: Sequence[str], packed: bytes) -> Iterator[tuple[str, Judged]]:
    rows, told = pickle.loads(packed)
    for number, (path, row) in enumerate(zip(part, marshal.loads(rows), strict=True)):
        if row is None:
            continue
        data, seen, said = row
        problems, findings = told.get(number, _NOTHING)
        record = None
        if said is not None:
            kind, name, start, value, gist = said
            record = PackedRecord.of(intern(kind), name, path, Gist(*gist), (start, value, data))
        yield path, Judged(record, problems, findings, data, seen)


_NOTHING: tuple[tuple[Finding, ...], tuple[Finding, ...]] = (), ()
