"""Comparing two snapshots in records' words: which records came, went, changed or took another name, field by field.

A record that went and another of its kind that came with the same fields is one that took another name. Items of lists
are matched by content, so that one inserted member is one difference. A file that is no record is told by its path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

from remit.places import Pointer, pointer_text
from remit.records import Record, Snapshot, build_snapshot, config_of, paths_below
from remit.schemas import Schemas, Shape, load_schemas
from remit.store import Files, changed_paths

Kind = Literal["added", "removed", "changed", "renamed"]

_ABSENT: Any = object()


class FieldDifference(NamedTuple):
    """One value that differs: where, how people call the field, and the value on either side (None: not there)."""

    pointer: str
    title: str
    before: Any
    after: Any

    def to_json(self) -> dict[str, Any]:
        """A side that is not there is left out."""
        sides = {"before": self.before, "after": self.after}
        return {"pointer": self.pointer, "title": self.title, **{k: v for k, v in sides.items() if v is not None}}


@dataclass(frozen=True)
class Difference:
    """One record or other file that differs.

    Attributes:
        record: Its id, as after where there is one; empty for a file that is no record.
        title: The record's title.
        path: Its file, as after where there is one.
        change: What happened to it.
        fields: What differs, in the order of the file; empty when only comments or layout did, and for other files.
        was: Its id before, when it took another name.
    """

    record: str
    title: str
    path: str
    change: Kind
    fields: tuple[FieldDifference, ...] = ()
    was: str = ""

    def to_json(self) -> dict[str, Any]:
        """The shape of ``remit diff --format json``."""
        return {
            "record": self.record,
            "title": self.title,
            "path": self.path,
            "change": self.change,
            **({"was": self.was} if self.was else {}),
            "fields": [field.to_json() for field in self.fields],
        }


def differences(before: Files, after: Files, language: str = "") -> tuple[Difference, ...]:
    """What differs between two states of a store, by path, read from no more than the files that differ.

    Titles of fields are in ``language``, or else in that of ``after``.
    """
    sides = (before.blobs, after.blobs)
    schemas, _ = load_schemas({path: side[path] for side in sides for path in paths_below(side, "schemas/")})
    paths = changed_paths(*sides)
    old, new = (build_snapshot({path: side[path] for path in paths if path in side}) for side in sides)
    return compare(old, new, schemas, language or config_of(after.blobs).language)


def compare(before: Snapshot, after: Snapshot, schemas: Schemas, language: str = "") -> tuple[Difference, ...]:
    """What differs between two snapshots, by path; field titles are those of ``schemas``, in ``language``."""
    spoken = language or after.config.language
    paths = sorted(path for path in {*before.files, *after.files} if before.files.get(path) != after.files.get(path))
    old, new = _by_path(before), _by_path(after)
    found = [_difference(path, old.get(path), new.get(path), before, after, schemas, spoken) for path in paths]
    return tuple(_with_renames(found, old, new, schemas, spoken))


def _by_path(snapshot: Snapshot) -> dict[str, Record]:
    return {record.path: record for record in (*snapshot.records, *snapshot.policies)}


def _difference(
    path: str,
    old: Record | None,
    new: Record | None,
    before: Snapshot,
    after: Snapshot,
    schemas: Schemas,
    language: str,
) -> Difference:
    change: Kind = "added" if path not in before.files else "removed" if path not in after.files else "changed"
    record = new or old
    if record is None:
        return Difference("", "", path, change)
    fields = tuple(_fields(old.body if old else {}, new.body if new else {}, _naming(record, schemas, language)))
    return Difference(record.id, record.title(language), path, change, fields)


def _with_renames(
    found: Sequence[Difference],
    old: Mapping[str, Record],
    new: Mapping[str, Record],
    schemas: Schemas,
    language: str,
) -> Iterator[Difference]:
    """Pairs of one removed and one added record with equal content become one renamed; each is used once."""
    gone = [d for d in found if d.change == "removed" and d.path in old]
    taken: set[str] = set()
    renamed: dict[str, Difference] = {}
    for one in (d for d in found if d.change == "added" and d.path in new):
        match = next((g for g in gone if g.path not in taken and _alike(old[g.path], new[one.path])), None)
        if match is not None:
            taken.add(match.path)
            both = _fields(old[match.path].body, new[one.path].body, _naming(new[one.path], schemas, language))
            fields = tuple(field for field in both if field.pointer != "/metadata/name")
            renamed[one.path] = replace(one, change="renamed", was=match.record, fields=fields)
    for one in found:
        if one.path not in taken:
            yield renamed.get(one.path, one)


def _alike(old: Record, new: Record) -> bool:
    return old.kind == new.kind and old.spec == new.spec and old.name != new.name


# --- fields ----------------------------------------------------------------------------------------------------------


class _Naming(NamedTuple):
    """How people call what a pointer leads to."""

    shape: Shape
    language: str

    def title(self, pointer: Pointer) -> str:
        """The titles along the pointer below ``spec``; the names themselves where the schema has none."""
        if not pointer or pointer[0] != "spec":
            return ".".join(str(part) for part in pointer)
        shape: Shape | None = self.shape
        parts: list[str] = []
        for part in pointer[1:]:
            if isinstance(part, int):
                parts.append(f"[{part + 1}]")
                shape = shape.item if shape else None
                continue
            field = shape.fields.get(part) if shape else None
            key = "x-remit-zh" if self.language == "zh" else "title"
            parts.append(str((field.schema.get(key) if field else None) or part))
            shape = field.shape if field else None
        return " ".join(parts)


def _naming(record: Record, schemas: Schemas, language: str) -> _Naming:
    table = schemas.policies if record.path.startswith("rules/") else schemas.kinds
    schema = table.get(record.kind)
    return _Naming(schema.shape if schema else Shape("any"), language)


def _fields(before: Any, after: Any, naming: _Naming) -> Iterator[FieldDifference]:
    skipped = {("apiVersion",), ("kind",)} if not before or not after else set()
    for pointer, old, new in _values(before, after, ()):
        if pointer not in skipped:
            yield FieldDifference(
                pointer_text(pointer),
                naming.title(pointer),
                None if old is _ABSENT else old,
                None if new is _ABSENT else new,
            )


def _values(before: Any, after: Any, pointer: Pointer) -> Iterator[tuple[Pointer, Any, Any]]:
    """The innermost values that differ; of a mapping that is only on one side, each of its fields."""
    if before is after or (before is not _ABSENT and after is not _ABSENT and _text(before) == _text(after)):
        return
    sides = [side for side in (before, after) if side is not _ABSENT]
    if all(isinstance(side, dict) and side for side in sides) or pointer in ((), ("spec",), ("metadata",)):
        for key in dict.fromkeys([*_keys(before), *_keys(after)]):
            yield from _values(_get(before, key), _get(after, key), (*pointer, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _items(before, after, pointer)
    else:
        yield pointer, before, after


def _text(value: Any) -> str:
    """Equal texts are equal values; Python itself takes 1 and true for the same."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _keys(side: Any) -> list[str]:
    return list(side) if isinstance(side, dict) else []


def _get(side: Any, key: str) -> Any:
    return side.get(key, _ABSENT) if isinstance(side, dict) else _ABSENT


def _items(before: list[Any], after: list[Any], pointer: Pointer) -> Iterator[tuple[Pointer, Any, Any]]:
    texts = [[_text(item) for item in side] for side in (before, after)]
    for how, i, i_end, j, j_end in SequenceMatcher(None, texts[0], texts[1], autojunk=False).get_opcodes():
        if how == "equal":
            continue
        pairs = min(i_end - i, j_end - j)
        for step in range(pairs):
            yield from _values(before[i + step], after[j + step], (*pointer, j + step))
        for at in range(i + pairs, i_end):
            yield (*pointer, at), before[at], _ABSENT
        for at in range(j + pairs, j_end):
            yield (*pointer, at), _ABSENT, after[at]
