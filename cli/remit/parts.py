"""A part of a store instead of the whole: the files that an answer rests on, found by the index of names.

The index is remembered, together with the files that are not what they were when it was made; these are always in the
part, and when there are many of them, the index follows. An index that is gone, or made by another program or for
other schemas, is made anew, by reading everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from remit.errors import GitError, NotFound
from remit.findings import Finding, in_order
from remit.footing import FRESH, NO_MARKS, Footing, Irregular, believed, blob_id, footing_of, look, witnessed
from remit.git import Marks
from remit.names import Names, columns, names_of, words_of
from remit.records import CONFIG_PATH, Asked, Record, Snapshot, build_snapshot
from remit.remembering import Memory, memory_of, packed, unpacked
from remit.schemas import Schemas, load_schemas
from remit.store import FOLDERS, Files, Store, TreeBlobs, read_regular

AT_ONCE = 1_000
"""So many files are held in memory while the index is made."""
MOST_SINCE = 100
"""So many files may have changed since the index was made before it follows."""

_PLAIN = re.compile(r"[\w-]+")
_INDEX, _WORKING, _TREE = "names in", "names in the working tree of", "names in a tree of"

Read = Callable[[Iterable[str]], Mapping[str, bytes]]
"""Gives those files that are there, by path."""


@dataclass(frozen=True)
class Shelf:
    """Where the files of a store are found.

    Attributes:
        names: The index.
        since: The paths of files that are not what the index knows.
        read: Reads files as they are.
        opened: What was read, each file by itself.
    """

    names: Names
    since: frozenset[str]
    read: Read
    opened: dict[str, Snapshot] = field(default_factory=dict)

    def paths(self, asked: Asked) -> Iterator[str]:
        """The paths of at least what is asked for."""
        yield from asked.paths
        if asked.everything:
            yield from (*self.names.footing.all(), *self.since)
        if called := asked.called:
            yield called.removeprefix("./")
            yield from self.names.having("title", called.casefold())
        for name in {*asked.names, *_names_in(called)}:
            yield from self.names.having("name", name)
        for name in asked.users:
            yield from self.names.having("user", name)
        for kind in asked.kinds:
            yield from self.names.having("kind", kind)
        if asked.quoting:
            yield from self._quoting([text.encode() for text in asked.quoting if _PLAIN.fullmatch(text)])

    def _quoting(self, words: list[bytes]) -> Iterator[str]:
        """The rules in which any of these may occur; with escapes, any text may."""
        for path, data in self.read(self.names.footing.below("rules")).items():
            if not words or b"\\" in data or any(word in data for word in words):
                yield path

    def open(self, paths: Iterable[str]) -> list[Snapshot]:
        """Each of these files that is there, by itself; the same again when it is asked for again."""
        wanted = sorted(set(paths))
        fresh = self.read([path for path in wanted if path not in self.opened])
        self.opened.update({path: build_snapshot({path: data}) for path, data in fresh.items()})
        return [self.opened[path] for path in wanted if path in self.opened]


@dataclass(frozen=True, kw_only=True)
class Part(Snapshot):
    """Some files of a store: those that were asked for, those that changed lately and those that cannot be read."""

    shelf: Shelf

    def knowing(self, asked: Asked) -> Snapshot:
        """The same, with all that is asked for in it."""
        more = self.shelf.open(set(self.shelf.paths(asked)) - self.files.keys())
        return replace(
            self,
            files={**self.files, **{path: data for one in more for path, data in one.files.items()}},
            records=_by_path([*self.records, *(record for one in more for record in one.records)]),
            policies=_by_path([*self.policies, *(policy for one in more for policy in one.policies)]),
            cases={**self.cases, **{path: document for one in more for path, document in one.cases.items()}},
            findings=(*self.findings, *(one for some in more for one in some.findings)),
            fixtures={**self.fixtures, **{path: one for some in more for path, one in some.fixtures.items()}},
        )


class Partly(NamedTuple):
    """A part of a store, its schemas, and what could not be read of all of it."""

    snapshot: Snapshot
    schemas: Schemas
    findings: tuple[Finding, ...]


def part_of(store: Store, ref: str | None = None) -> Partly | None:
    """A part of the store as of ``ref`` or of the working tree; None where nothing can be remembered.

    Raises:
        Irregular: something is in the way; ``Store.files`` says what.
    """
    if (memory := memory_of(store)) is None:
        return None
    if ref is None and not store.is_bare:
        shelf, files = _Notes(store, memory).working(), Files(None, None, {})
    else:
        files = store.files(ref)
        shelf = _Notes(store, memory).tree(store.blobs_of(files.commit or ""))
    config = build_snapshot(shelf.read([CONFIG_PATH]))
    few = {**config.files, **shelf.read(shelf.names.footing.below("schemas"))}
    schemas, findings = load_schemas(few)
    begun = Part(few, files.commit or "", files.date, config.config, (), (), {}, config.findings, shelf=shelf)
    part = begun.knowing(Asked(paths=[*shelf.since, *shelf.names.having("unread", "")]))
    return Partly(part, schemas, in_order((*files.findings, *part.findings, *findings)))


# --- finding the index, or making it ---------------------------------------------------------------------------------


class _Now(NamedTuple):
    """Files as they are: the id of one (None where there is none), the ids of all, and how they are read."""

    oid: Callable[[str], str | None]
    ids: Callable[[], Mapping[str, str]]
    read: Read


@dataclass(frozen=True)
class _Notes:
    """What is remembered of one store."""

    store: Store
    memory: Memory

    def working(self) -> Shelf:
        """The working tree."""
        before = self.memory.now() - FRESH
        names = self._names()
        known = self._seen(_WORKING, names)
        if known is None:
            footing, touched = _footing(self.store, before), None
        else:
            sight = look(self.store, known.footing, before)
            footing, touched = sight.footing, known.since | sight.touched.keys()
        now = _Now(footing.oid, footing.ids, _on_disk(self.store, footing))
        names, since = self._caught_up(names, touched, now)
        return self._shelf(_WORKING, known, _Seen(names.stamp, footing, since), names, now)

    def tree(self, blobs: TreeBlobs) -> Shelf:
        """A tree."""
        names = self._names()
        known = self._seen(_TREE, names)
        touched = None
        if known is not None:
            with suppress(GitError, NotFound):  # the tree may be gone
                touched = known.since.union(blobs.differing(self.store.blobs_of(known.tree)))
        now = _Now(blobs.oid, lambda: blobs.oids, _in_git(self.store, blobs))
        names, since = self._caught_up(names, touched, now)
        return self._shelf(_TREE, known, _Seen(names.stamp, footing_of({}), since, blobs.tree), names, now)

    def _caught_up(self, names: Names | None, touched: Set[str] | None, now: _Now) -> tuple[Names, frozenset[str]]:
        """An index, and the files that are not what it knows.

        Args:
            names: The index that was kept.
            touched: All files that may not be what it knows; None where any may.
            now: The files.
        """
        known = names if names is not None else names_of(footing_of({}))
        if touched is None:
            touched = {path for path, _ in now.ids().items() ^ known.footing.ids().items()}
        since = frozenset(path for path in touched if now.oid(path) != known.footing.oid(path))
        anew = names is None or any(map(_is_schema, since))
        if not anew and len(since) <= MOST_SINCE:
            return known, since
        after = _following(names_of(footing_of({})), now.ids().keys(), now) if anew else _following(known, since, now)
        self.memory.keep(f"{_INDEX} /{self.store.prefix}", after.to_bytes())
        return after, frozenset()

    def _shelf(self, of: str, known: _Seen | None, seen: _Seen, names: Names, now: _Now) -> Shelf:
        if seen != known:
            self.memory.keep(f"{of} /{self.store.prefix}", seen.to_bytes())
        return Shelf(names, seen.since, now.read)

    def _names(self) -> Names | None:
        return Names.of_bytes(self.memory.recall(f"{_INDEX} /{self.store.prefix}"))

    def _seen(self, of: str, names: Names | None) -> _Seen | None:
        """What was seen with this index; None when it was another."""
        known = _Seen.of_bytes(self.memory.recall(f"{of} /{self.store.prefix}"))
        return known if known is not None and names is not None and known.stamp == names.stamp else None


def _footing(store: Store, before: int) -> Footing:
    """The files of a working tree, all of them read."""
    files = store.files()
    if files.findings:
        raise Irregular(files.findings[0].place.path)
    ids = {path: blob_id(data, store.in_git().object_format) for path, data in files.blobs.items()}
    marks = {path: believed(seen, before) for path, seen in files.marks.items()}
    folders = dict.fromkeys(FOLDERS, NO_MARKS) | {path[:-1]: seen for path, seen in marks.items() if path[-1] == "/"}
    return witnessed(store, footing_of(ids, marks, folders), before)[0]


def _following(names: Names, since: Set[str], now: _Now) -> Names:
    """The index of the files as they are; ``since`` are those that it does not know."""
    ids = now.ids()
    schemas, _ = load_schemas(now.read(filter(_is_schema, ids)))
    words: dict[str, Set[bytes]] = dict.fromkeys(since, frozenset())
    paths = sorted(since)
    for at in range(0, len(paths), AT_ONCE):
        words |= words_of(build_snapshot(now.read(paths[at : at + AT_ONCE])), schemas)
    return names.with_files(ids, words)


def _is_schema(path: str) -> bool:
    return path.startswith("schemas/")


def _on_disk(store: Store, footing: Footing) -> Read:
    algorithm = store.in_git().object_format

    def read(path: str, oid: str) -> bytes:
        data, _ = read_regular(f"{store.root}/{path}")
        if blob_id(data, algorithm) != oid:
            raise Irregular(path)  # it changed after we looked
        return data

    return lambda paths: {path: read(path, oid) for path in paths if (oid := footing.oid(path)) is not None}


def _in_git(store: Store, blobs: TreeBlobs) -> Read:
    def read(paths: Iterable[str]) -> dict[str, bytes]:
        ids = {path: oid for path in paths if (oid := blobs.oid(path))}
        found = store.in_git().read_blobs(ids.values())
        return {path: found[oid] for path, oid in ids.items()}

    return read


@dataclass(frozen=True)
class _Seen:
    """How the files of the working tree or of a tree stand to an index.

    Attributes:
        stamp: The index.
        footing: The files of the working tree.
        since: The paths of files that are not what the index knows.
        tree: The tree; empty for the working tree.
    """

    stamp: str
    footing: Footing
    since: frozenset[str]
    tree: str = ""

    def to_bytes(self) -> bytes:
        """The whole, as one entry."""
        footing = self.footing
        head = {
            "stamp": self.stamp,
            "since": sorted(self.since),
            "tree": self.tree,
            "folders": dict(footing.folders),
            "index": footing.index,
            "loose": sorted(footing.loose),
        }
        return packed(head, columns(footing))

    @classmethod
    def of_bytes(cls, data: bytes | None) -> _Seen | None:
        """What was kept; None when it was kept by another program."""
        if (found := unpacked(data)) is None:
            return None
        head, (paths, starts, oids, marks) = found
        folders = {path: Marks(*marks) for path, marks in head["folders"].items()}
        footing = Footing(paths, starts, oids, marks, folders, Marks(*head["index"]), frozenset(head["loose"]))
        return cls(head["stamp"], footing, frozenset(head["since"]), head["tree"])


def _names_in(text: str) -> Iterator[str]:
    """The names that a person may mean: the whole text, and what is behind a slash of it."""
    parts = text.split("/")
    return ("/".join(parts[at:]) for at in range(len(parts)))


def _by_path(records: list[Record]) -> tuple[Record, ...]:
    return tuple(sorted(records, key=lambda record: record.path))
