"""Worlds that read a record when it is asked for, and worlds that note what they are asked for.

Both are for stores in which every record stands where its kind and name say: a path tells the record and back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from remit.findings import has_errors
from remit.footing import Footing
from remit.records import Config, Record, build_snapshot
from remit.references import Entity, World, world_of_records
from remit.schemas import Schemas

Find = Callable[[str], bytes | None]
"""Bytes by path or by id; None when there are none."""


class Present(Mapping[str, bytes]):
    """The files of a store as they are, each read when it is asked for.

    Args:
        footing: The files as they were.
        touched: Those that are not what they were; None for those that are gone.
        now: Gives any file as it is.
    """

    def __init__(self, footing: Footing, touched: Mapping[str, bytes | None], now: Find) -> None:
        self._footing, self._touched, self._now = footing, touched, now

    def __getitem__(self, path: str) -> bytes:
        data = self._now(path) if path in self else None
        if data is None:
            raise KeyError(path)
        return data

    def __contains__(self, path: object) -> bool:
        if not isinstance(path, str):
            return False
        return self._touched[path] is not None if path in self._touched else self._footing.oid(path) is not None

    def __iter__(self) -> Iterator[str]:
        there = {path for path, data in self._touched.items() if data is not None}
        return iter(sorted({*self._footing.all(), *there} - (self._touched.keys() - there)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def below(self, folder: str) -> list[str]:
        """The paths below a folder, whose name ends with a slash; sorted."""
        there = {path for path, data in self._touched.items() if data is not None and path.startswith(folder)}
        return sorted({*self._footing.below(folder.rstrip("/")), *there} - (self._touched.keys() - there))


class Shelf:
    """The records of a store by kind and name, each read once.

    Args:
        schemas: The schemas of the store.
        files: Its files.
        doubted: Paths of files that may hold no record, or one that does not fit its schema; all others are right.
    """

    def __init__(self, schemas: Schemas, files: Present, doubted: Collection[str]) -> None:
        self.schemas, self._files, self._doubted = schemas, files, doubted
        self._read: dict[str, tuple[Entity | None, bool]] = {}

    def path(self, kind: str, name: str) -> str | None:
        """Where a record of that kind and name stands; None when there can be none."""
        schema = self.schemas.kinds.get(kind)
        return f"records/{schema.folder}/{name}.yaml" if schema and name and "/" not in name else None

    def one(self, kind: str, name: str, *, valid: bool) -> Entity | None:
        """The record of that kind and name; only if it fits its schema where ``valid``."""
        path = self.path(kind, name)
        if path is None or path not in self._files:
            return None
        if path not in self._read:
            (record,) = build_snapshot({path: self._files[path]}).records or (None,)
            self._read[path] = self._judged(path, record)
        entity, fits = self._read[path]
        return entity if entity is not None and entity.kind == kind and (fits or not valid) else None

    def names(self, kind: str, *, valid: bool) -> list[str]:
        """The names of all records of a kind."""
        schema = self.schemas.kinds.get(kind)
        paths = self._files.below(f"records/{schema.folder}/") if schema else []
        names = [path.rpartition("/")[2].removesuffix(".yaml") for path in paths if path.endswith(".yaml")]
        doubted = {path.rpartition("/")[2].removesuffix(".yaml") for path in paths if path in self._doubted}
        return [name for name in names if name not in doubted or self.one(kind, name, valid=valid) is not None]

    def _judged(self, path: str, record: Record | None) -> tuple[Entity | None, bool]:
        if record is None or record.path != self.path(record.kind, record.name):
            return None, False
        fits = path not in self._doubted or not has_errors(tuple(self.schemas.check_record(record)))
        (entity,) = world_of_records(self.schemas, [record])
        return entity, fits


class Fetched(World):
    """The records of a shelf: every one there is, or those that fit their schema.

    Args:
        shelf: The records.
        config: The settings of the store.
        valid: Whether only records that fit are in it.
        instead: What there is of some kinds instead of what stands on the shelf.
    """

    def __init__(
        self, shelf: Shelf, config: Config, *, valid: bool, instead: Mapping[str, Mapping[str, Entity]] | None = None
    ) -> None:
        super().__init__(shelf.schemas, (), config)
        self._shelf, self._valid = shelf, valid
        self._rows = _Rows(self._all, dict(instead or {}))
        self._kinds = self._rows

    def get(self, kind: str, name: Any) -> Entity | None:
        """As of any world."""
        if not isinstance(name, str):
            return None
        if kind in self._rows.read:
            return self._rows.read[kind].get(name)
        return self._shelf.one(kind, name, valid=self._valid)

    def names_of(self, kind: str) -> list[str]:
        """As of any world; nothing is read for it."""
        if kind in self._rows.read:
            return sorted(self._rows.read[kind])
        return sorted(self._shelf.names(kind, valid=self._valid))

    def _all(self, kind: str) -> dict[str, Entity]:
        found = ((name, self._shelf.one(kind, name, valid=self._valid)) for name in self.names_of(kind))
        return {name: entity for name, entity in found if entity is not None}


class Noting(World):
    """A world that notes what it is asked for: single names, also where nothing has them, values of single fields, and
    otherwise whole kinds."""

    def __init__(self, world: World) -> None:
        super().__init__(world.schemas, (), world.config)
        self._noted = world
        self.names: set[str] = set()
        self.kinds: set[str] = set()

        def rows(kind: str) -> dict[str, Entity]:
            self.kinds.add(kind)
            return {entity.name: entity for entity in world.all(kind)}

        self._kinds = _Rows(rows, {})

    def get(self, kind: str, name: Any) -> Entity | None:
        """As of any world."""
        if isinstance(name, str):
            self.names.add(f"{kind}/{name}")
        return self._noted.get(kind, name)

    def values(self, kind: str, field: str) -> set[str]:
        """As of any world."""
        self.names.add(f"{kind}.{field}")
        return self._noted.values(kind, field)

    def read(self) -> Iterator[Entity]:
        """What was read of the world it stands for."""
        for kind in self.kinds:
            yield from self._noted.all(kind)
        for kind, slash, name in (one.partition("/") for one in self.names):
            entity = self._noted.get(kind, name) if slash and kind not in self.kinds else None
            if entity is not None:
                yield entity


class _Rows(dict[str, dict[str, Entity]]):
    """The records of each kind by name, which are got when somebody asks for them."""

    def __init__(self, got: Callable[[str], dict[str, Entity]], read: dict[str, Mapping[str, Entity]]) -> None:
        super().__init__()
        self._got = got
        self.read: dict[str, dict[str, Entity]] = {kind: dict(rows) for kind, rows in read.items()}

    def get(self, kind: str, default: Any = None) -> Any:
        """The records of a kind by name; every kind is there, if only empty."""
        return self[kind]

    def __getitem__(self, kind: str) -> dict[str, Entity]:
        if kind not in self.read:
            self.read[kind] = self._got(kind)
        return self.read[kind]
