"""Reading many records and judging each by its schema: the part of loading that asks nothing of other records.

So it may be done anywhere and in any order; a ``Spread`` says where. What comes out is what ``records.build_snapshot``
and ``Schemas.check_record`` say, packed into bytes on the way. Values are packed by ``marshal``, which holds JSON types
exactly and is the quickest there is; findings are few.
"""

from __future__ import annotations

import marshal
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from remit.findings import Finding
from remit.records import Read, as_record, is_record_path
from remit.schemas import Schemas
from remit.yamltext import Document, read

MANY = 2_000
"""From so many records on it pays to spread them."""

Work = Callable[[Sequence[str]], bytes]
Spread = Callable[[Work, Sequence[str]], Iterable[tuple[Sequence[str], bytes]]]
"""Gives the items in parts, each with what the work says of it, in any order; every item is in one part."""


class Judged(NamedTuple):
    """One file: what was read, and what its schema says of it."""

    read: Read
    findings: tuple[Finding, ...]


def judged(blobs: Mapping[str, bytes], schemas: Schemas, spread: Spread) -> Mapping[str, Judged]:
    """The record files among ``blobs`` by path; empty when they are too few to be worth it."""
    paths = [path for path in sorted(blobs) if is_record_path(path)]
    if len(paths) < MANY:
        return {}
    files = {path: blobs[path] for path in paths}
    parts = spread(lambda part: _pack([(path, files[path]) for path in part], schemas), paths)
    return {path: one for part, packed in parts for path, one in _unpack(part, packed, files)}


def _pack(files: Iterable[tuple[str, bytes]], schemas: Schemas) -> bytes:
    values = []
    told: dict[int, Judged] = {}
    for number, (path, data) in enumerate(files):
        document, problems = read(data, path)
        record, _ = as_record(document) if document is not None else (None, None)
        findings = tuple(schemas.check_record(record)) if record is not None else ()
        values.append((document.value, document.start) if document is not None else None)
        if problems or findings:
            told[number] = Judged((None, problems), findings)
    return pickle.dumps((marshal.dumps(values), told))


def _unpack(part: Sequence[str], packed: bytes, files: Mapping[str, bytes]) -> Iterator[tuple[str, Judged]]:
    values, told = pickle.loads(packed)
    for number, (path, value) in enumerate(zip(part, marshal.loads(values), strict=True)):
        document = Document(path, value[0], value[1], files[path].decode()) if value is not None else None
        (_, problems), findings = told.get(number, _NOTHING)
        yield path, Judged((document, problems), findings)


_NOTHING = Judged((None, ()), ())
