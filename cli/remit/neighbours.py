"""What is wrong with touched records and with those that have to do with them, when all others are as they were.

The store must have been one in which every record stands where its kind and name say and no two are in each other's
way. What is wrong with single records (their own values, what they refer to) may have been wrong before.

Source: design section 11, point 8.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from remit.fetching import Fetched, Present, Shelf
from remit.findings import Finding, has_errors
from remit.notes import Note, has_rivals, note_of
from remit.records import Config, Record, build_snapshot
from remit.references import check_references, uses, world_of_records
from remit.registry import check_keys
from remit.schemas import Schemas
from remit.validity import check_overlaps, check_periods, check_unique

MOST_RIVALS = 5_000
"""Of so many records of a kind all are read to see which are in each other's way."""

AMONG = ("misplaced-file", "duplicate-record", "not-unique", "validity-overlap", "key-invalid", "key-shared")
"""What is wrong with several records, or keeps a path from telling what stands there."""

_REFERRING = ("unknown-reference", "wrong-kind-reference", "reference-not-valid")


@dataclass(frozen=True)
class Ground:
    """A store some of whose records were touched.

    Attributes:
        schemas: Its schemas.
        config: Its settings.
        files: Its files as they are.
        shelf: Its records as they are.
        whole: Gives all the files of the store as they are.
        fields: The fields of customers that decide whom a level reaches.
    """

    schemas: Schemas
    config: Config
    files: Present
    shelf: Shelf
    whole: Callable[[], Iterable[tuple[str, bytes]]]
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Touched:
    """One record file that is not what it was.

    Attributes:
        path: Where it is.
        kind: The kind that belongs there.
        old: The record as it was; None also when only its note is known.
        new: The record as it is.
        was: What others relied on in the record as it was; None when there was none.
        now: The same of the record as it is.
        fits: Whether the record fits its schema now.
        fitted: Whether it did.
    """

    path: str
    kind: str
    old: Record | None
    new: Record | None
    was: Note | None
    now: Note | None
    fits: bool
    fitted: bool

    @property
    def name(self) -> str:
        """The name that belongs there."""
        return self.path.rpartition("/")[2].removesuffix(".yaml")


Before = Callable[[str], Note | Record | bool]
"""Gives the record that stood at a path, or its note; False when there was none, True when nobody knows."""


def touched_records(
    ground: Ground, files: Mapping[str, bytes | None], before: Before, wrong: Collection[str]
) -> list[Touched] | None:
    """What was done to records; None where a path does not tell which record stands there, or nobody knows what did.

    Args:
        ground: The store.
        files: The touched files.
        before: What stood there.
        wrong: Paths of which something was found before.
    """
    kinds = {schema.folder: kind for kind, schema in ground.schemas.kinds.items()}
    found = []
    for path, data in files.items():
        kind = kinds.get(path.removeprefix("records/").rpartition("/")[0])
        old = before(path)
        if kind is None or not path.endswith(".yaml") or old is True:
            return None
        records = build_snapshot({path: data}).records if data is not None else ()
        new = records[0] if records else None
        record = old if isinstance(old, Record) else None
        if any(one is not None and ground.shelf.path(one.kind, one.name) != path for one in (record, new)):
            return None
        was = old if isinstance(old, Note) else note_of(record, ground.schemas, ground.fields) if record else None
        now = note_of(new, ground.schemas, ground.fields) if new else None
        fitted = was is not None and (path not in wrong or _fits(record, ground))
        found.append(Touched(path, kind, record, new, was, now, fits=_fits(new, ground), fitted=fitted))
    return found


def _fits(record: Record | None, ground: Ground) -> bool:
    return record is not None and not has_errors(tuple(ground.schemas.check_record(record)))


def record_findings(ground: Ground, touched: list[Touched], before: tuple[Finding, ...]) -> tuple[Finding, ...] | None:
    """The findings about records as they are now; None when records are in each other's way.

    ``before`` are those of the store as it was.
    """
    if _in_the_way(ground, touched):
        return None
    moved = [one for one in touched if (one.was and one.was.standing) != (one.now and one.now.standing)]
    again = {one.path for one in touched}
    if moved:
        again |= {one.place.path for one in before if one.code in _REFERRING}
    if words := {one.name for one in moved if one.was or _has_namesake(one, ground)}:
        again |= set(_naming(ground, words))
    there = sorted(path for path in again if path in ground.files)
    return (*(one for one in before if one.place.path not in again), *_of_each(ground, there))


def _of_each(ground: Ground, paths: Iterable[str]) -> Iterator[Finding]:
    """What is wrong with each of these records by itself, and with what it refers to."""
    standing, valid = (Fetched(ground.shelf, ground.config, valid=valid) for valid in (False, True))
    for path in paths:
        snapshot = build_snapshot({path: ground.files[path]})
        yield from snapshot.findings
        for record in snapshot.records:
            problems = tuple(ground.schemas.check_record(record))
            own = world_of_records(ground.schemas, [record])
            yield from problems
            yield from check_references(standing, own)
            yield from () if has_errors(problems) else check_periods(valid, own)


def _in_the_way(ground: Ground, touched: Iterable[Touched]) -> bool:
    """Whether a touched record has what only one may have, and another has it too."""
    rivals = {
        one.kind
        for one in touched
        if one.fits and one.now and (one.was is None or not one.fitted or one.was.own != one.now.own)
    }
    people = any(one.kind == "Person" and one.new is not None and "keys" in one.new.spec for one in touched)
    if people and _too_many("Person", ground):
        return True
    for kind in rivals:
        schema = ground.schemas.kinds[kind]
        if not has_rivals(schema):
            continue
        if _too_many(kind, ground):
            return True
        world, own = Fetched(ground.shelf, ground.config, valid=True), Schemas({kind: schema}, {})
        if any(check_unique(world, own)) or any(check_overlaps(world, own)):
            return True
    everybody = Fetched(ground.shelf, ground.config, valid=False).all("Person") if people else ()
    return any(check_keys(one.record for one in everybody if one.record))


def _too_many(kind: str, ground: Ground) -> bool:
    return len(ground.files.below(f"records/{ground.schemas.kinds[kind].folder}/")) > MOST_RIVALS


def _has_namesake(one: Touched, ground: Ground) -> bool:
    """Whether a record of another kind has the name, so that a reference may lead elsewhere now."""
    others = (ground.shelf.path(kind, one.name) for kind in ground.schemas.kinds if kind != one.kind)
    return any(path in ground.files for path in others)


def _naming(ground: Ground, words: Collection[str]) -> Iterator[str]:
    """The paths of the records that refer to something of one of these names."""
    sought = [word.encode() for word in words]
    # What is written with escapes may hold any word.
    held = {
        path: data
        for path, data in ground.whole()
        if path.startswith("records/") and (b"\\" in data or any(word in data for word in sought))
    }
    for entity in world_of_records(ground.schemas, build_snapshot(held).records):
        if any(use.name.rpartition("/")[2] in words for use in uses(entity, ground.schemas.kinds[entity.kind].shape)):
            yield entity.place.path
