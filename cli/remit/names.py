"""Which files of a store have to do with a name: an index that is looked up without reading the store.

Of each file it knows words: the name, the titles and the kind of its record, the names that it refers to, and that it
cannot be read. A word leads to at least the files that have it, so that what is found is to be read and asked again.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from remit.footing import Footing, footing_of
from remit.links import bare, references
from remit.lookup import titles
from remit.records import Snapshot
from remit.remembering import packed, unpacked
from remit.schemas import Schemas

Sort = Literal["name", "title", "kind", "user", "unread"]
"""What a file has to do with a text: its record is called so, is titled so, is of that kind, refers to that name; and
whether the file cannot be read at all, where the text is empty."""

_WORD, _ITEM = 8, 12


@dataclass(frozen=True)
class Names:
    """The words of all files.

    Attributes:
        footing: The files, and what they held.
        items: Digest of a word and number of a file among them, in order, one after the other.
        stamp: What tells this index from every other.
    """

    footing: Footing
    items: bytes
    stamp: str

    def having(self, sort: Sort, text: str) -> Iterator[str]:
        """The paths of the files with a word, and hardly ever of another."""
        word, count = word_of(sort, text), len(self.items) // _ITEM
        place = bisect_left(range(count), word, key=lambda at: self.items[at * _ITEM : at * _ITEM + _WORD])
        while self.items[place * _ITEM : place * _ITEM + _WORD] == word:
            yield self.footing.path(int.from_bytes(self.items[place * _ITEM + _WORD : (place + 1) * _ITEM]))
            place += 1

    def with_files(self, ids: Mapping[str, str], words: Mapping[str, Set[bytes]]) -> Names:
        """The index of the files of these ids; ``words`` are those of files that are new or not what they were."""
        footing = footing_of(ids)
        place = {path: number.to_bytes(_ITEM - _WORD) for number, path in enumerate(footing.all())}
        moved = [b"" if path in words else place.get(path, b"") for path in self.footing.all()]
        items = [
            self.items[at : at + _WORD] + to
            for at in range(0, len(self.items), _ITEM)
            if (to := moved[int.from_bytes(self.items[at + _WORD : at + _ITEM])])
        ]
        items += [word + place[path] for path, some in words.items() if path in place for word in some]
        return names_of(footing, b"".join(sorted(items)))

    def to_bytes(self) -> bytes:
        """The whole, under the name of the program that made it."""
        return packed({"stamp": self.stamp}, [*columns(self.footing), self.items])

    @classmethod
    def of_bytes(cls, data: bytes | None) -> Names | None:
        """What was kept; None when it was kept by another program."""
        if (found := unpacked(data)) is None:
            return None
        head, (paths, starts, oids, marks, items) = found
        return cls(Footing(paths, starts, oids, marks), items, head["stamp"])


def names_of(footing: Footing, items: bytes = b"") -> Names:
    """The index of these files that has these items."""
    said = hashlib.sha256()
    for column in (footing.paths, footing.oids, items):
        said.update(len(column).to_bytes(8) + column)
    return Names(footing, items, said.hexdigest())


@lru_cache(maxsize=1 << 14)
def word_of(sort: Sort, text: str) -> bytes:
    """The digest of a word."""
    return hashlib.blake2b(f"{sort}\0{text}".encode("utf-8", "surrogatepass"), digest_size=_WORD).digest()


def words_of(snapshot: Snapshot, schemas: Schemas) -> dict[str, set[bytes]]:
    """The words of each file of a snapshot that has any."""
    found: dict[str, set[bytes]] = {}

    def add(path: str, sort: Sort, text: str) -> None:
        found.setdefault(path, set()).add(word_of(sort, text))

    for record in (*snapshot.records, *snapshot.policies):
        add(record.path, "name", record.name)
        add(record.path, "kind", record.kind)
        for title in titles(record):
            add(record.path, "title", title.casefold())
    for one in references(snapshot, schemas):
        add(one.document.path, "user", bare(one.use.name))
    for problem in snapshot.findings:
        add(problem.place.path, "unread", "")
    return found


def columns(footing: Footing) -> tuple[bytes, ...]:
    """The columns of which ``Footing`` is made again."""
    return footing.paths, footing.starts, footing.oids, footing.marks
