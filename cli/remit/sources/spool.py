"""Facts on disk: what feeds hold when it is more than memory should, and the world that looks them up there.

Only the names of facts stay in memory. The files are temporary, outside the store, and gone when nobody needs them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from io import SEEK_END
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, overload

from remit.places import Place
from remit.records import Config
from remit.references import Entity, World, named_by
from remit.schemas import Schemas
from remit.sources.scan import Scan

ON_THIS_MACHINE = "local[2]"
"""The master of Spark without a URL: two executors on this machine."""


def master_of(engine: str) -> str:
    """The master that ``--engine`` names: ``spark`` for this machine, else its URL; empty for another engine."""
    if engine == "spark":
        return ON_THIS_MACHINE
    return engine if engine.startswith("spark://") else ""


class Spool:
    """Facts by kind, one line of JSON each: ``i`` is the name, ``s`` the fields, ``p`` the place."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="remit-facts-")
        self._files: dict[str, BinaryIO] = {}
        self._offsets: dict[str, dict[str, int]] = {}
        self._dropped: dict[str, list[str]] = {}

    @staticmethod
    def copied(files: Mapping[str, Path], offsets: Mapping[str, Mapping[str, int]]) -> Spool:
        """A spool whose facts stand in copies of another's files, by kind, at the places that it knew."""
        spool = Spool()
        spool._files = {kind: path.open("rb") for kind, path in files.items()}
        spool._offsets = {kind: dict(each) for kind, each in offsets.items()}
        return spool

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds of which there are facts."""
        return sorted(kind for kind, names in self._offsets.items() if names)

    def file(self, kind: str) -> Path:
        """The file of one kind, complete; facts that were dropped still stand in it."""
        self._files[kind].flush()
        return self._path(kind)

    def add(self, fact: Entity) -> None:
        """Keep a fact that is not there yet."""
        if fact.kind not in self._files:
            self._files[fact.kind] = self._path(fact.kind).open("w+b")
            self._offsets[fact.kind] = {}
        line = json.dumps({"i": fact.name, "s": fact.spec, "p": fact.place}).encode() + b"\n"
        self._offsets[fact.kind][fact.name] = self._files[fact.kind].seek(0, SEEK_END)
        self._files[fact.kind].write(line)

    def drop(self, kind: str, name: str) -> None:
        """Forget a fact."""
        del self._offsets[kind][name]
        self._dropped.setdefault(kind, []).append(name)

    def dropped(self, kind: str) -> Sequence[str]:
        """The names of facts that still stand in the file of one kind and are forgotten."""
        return self._dropped.get(kind, ())

    def names(self, kind: str) -> Mapping[str, int]:
        """The names of the facts of one kind."""
        return self._offsets.get(kind, {})

    def get(self, kind: str, name: str) -> Entity | None:
        """The fact of that kind and name, read anew."""
        offset = self.names(kind).get(name)
        if offset is None:
            return None
        file = self._files[kind]
        file.seek(offset)
        return _fact(kind, file.readline())

    def _path(self, kind: str) -> Path:
        return Path(self._folder.name) / f"{kind}.jsonl"


def _fact(kind: str, line: bytes) -> Entity:
    written: dict[str, Any] = json.loads(line)
    return Entity(kind, written["i"], written["s"], Place(*written["p"]))


class SpooledWorld(World):
    """A world whose facts are on disk; each is built when it is asked for. Records win, as in every world.

    Facts of ``scans`` stand in their feed until somebody asks for one of that kind by its name: then all go to the
    spool. ``master`` is the URL of the Spark that tables are asked of; none without it.
    """

    def __init__(
        self,
        schemas: Schemas,
        records: Iterable[Entity],
        config: Config,
        spool: Spool,
        scans: Iterable[Scan] = (),
        master: str = "",
    ) -> None:
        super().__init__(schemas, records, config)
        self.master = master
        self._spool = spool
        self._scans: dict[str, tuple[Scan, ...]] = {}
        for scan in scans:
            self._scans[scan.kind] = (*self._scans.get(scan.kind, ()), scan)
        self._named: dict[tuple[str, str], dict[str, list[str]]] = {}

    def get(self, kind: str, name: Any) -> Entity | None:
        """The record or fact of that kind and name."""
        found = super().get(kind, name)
        return found or (self._spooled(kind).get(kind, name) if isinstance(name, str) else None)

    @property
    def spool(self) -> Spool:
        """Every fact, spooled."""
        for kind in list(self._scans):
            self._spooled(kind)
        return self._spool

    @property
    def fact_kinds(self) -> frozenset[str]:
        """The kinds of which there are facts."""
        return frozenset((*self._spool.kinds, *self._scans))

    def scans(self, kind: str) -> Sequence[Scan]:
        """Where most facts of a kind still stand in their feeds: these feeds."""
        return self._scans.get(kind, ())

    def odd(self, kind: str) -> Iterator[Entity]:
        """Facts of a kind that stand in feeds, but for what the scans hold: the odd rows of the feeds, by name."""
        names = sorted(self._spool.names(kind))
        return (fact for name in names if (fact := self._spool.get(kind, name)) is not None)

    def named(self, kind: str, names: Collection[str]) -> Iterator[Entity]:
        """The facts of a kind with these names, its odd rows and its records, by name."""
        scans = self.scans(kind)
        if not scans:
            there = sorted(self._spool.names(kind).keys() & names)
            facts: Iterator[Entity] = (fact for name in there if (fact := self._spool.get(kind, name)) is not None)
        else:
            facts = merge(self.odd(kind), *(scan.facts(sorted(names)) for scan in scans), key=_name)
        return merge(facts, self.records(kind), key=_name)

    def _spooled(self, kind: str) -> Spool:
        """The spool with every fact of one kind in it."""
        for scan in self._scans.pop(kind, ()):
            for fact in scan.facts():
                self._spool.add(fact)
        return self._spool

    def all(self, kind: str) -> Sequence[Entity]:
        """Everything of one kind, by name; facts are built one after the other."""
        return _InOrder(self, kind) if self._spooled(kind).names(kind) else super().all(kind)

    def names_of(self, kind: str) -> list[str]:
        """The names of everything of one kind, in order."""
        return sorted({*super().names_of(kind), *self._spooled(kind).names(kind)})

    def records(self, kind: str) -> Sequence[Entity]:
        """What is of one kind and no fact, by name."""
        return super().all(kind)

    def joined(self, kind: str, field: str, name: str) -> list[Entity]:
        """Everything of ``kind`` whose ``field`` names ``name``, by name."""
        if not self._spooled(kind).names(kind):
            return super().joined(kind, field, name)
        index = self._named.get((kind, field))
        if index is None:
            index = {}
            for entity in self.all(kind):
                for one in named_by(entity, field):
                    index.setdefault(one, []).append(entity.name)
            self._named[kind, field] = index
        found = (self.get(kind, one) for one in index.get(name, ()))
        return [entity for entity in found if entity is not None]


def _name(entity: Entity) -> str:
    return entity.name


class _InOrder(Sequence[Entity]):
    def __init__(self, world: SpooledWorld, kind: str) -> None:
        self._world = world
        self._kind = kind
        self._names = world.names_of(kind)

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> Entity: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Entity]: ...

    def __getitem__(self, index: int | slice) -> Entity | Sequence[Entity]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        found = self._world.get(self._kind, self._names[index])
        assert found is not None
        return found

    def __iter__(self) -> Iterator[Entity]:
        return (self[number] for number in range(len(self)))
