"""Which commit last set each field of a record: blame by fields, not by lines.

A field is a value without parts. Items of a list are followed by what tells them apart, so that one inserted item sets
only itself, and a file that is only laid out anew sets nothing. A record that took another name begins there.

Source: design section 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from remit.changing.histories import Entry, log_of, path_of
from remit.errors import NotFound
from remit.places import Pointer
from remit.store import Store
from remit.yamltext import read
from remit.yamltext.reconciling import ABSENT, alike, natural_key

_Address = tuple[object, ...]
"""The way to a field that stays the same when items of a list move: an item stands for its key or itself."""


class Step(NamedTuple):
    """A version of a file: its value (``ABSENT``: none that reads) and those that its commit began from."""

    value: Any
    before: tuple[Any, ...]


class Origin(NamedTuple):
    """A field of the newest version: where it is, what it says, and the position of the step that set it."""

    pointer: Pointer
    value: Any
    step: int


@dataclass(frozen=True)
class Line:
    """One field of a record and the commit that last set it."""

    pointer: Pointer
    value: Any
    entry: Entry


@dataclass(frozen=True)
class Blame:
    """Every field of the file at ``path``, in its order; ``commit`` is the one at which it was read."""

    path: str
    commit: str
    lines: tuple[Line, ...]


def blame_of(store: Store, name: str, *, ref: str = "HEAD") -> Blame:
    """Who last set what in a record (``Kind/name``, or a path of the store) as ``ref`` has it.

    Raises:
        NotFound: nothing of that name is there, or it is no YAML mapping.
    """
    repository = store.in_git()
    path = path_of(store, name, ref=ref)
    entries = log_of(store, path, ref=ref)
    inside = store.prefix + path
    commits = [entry.commit for entry in entries]
    names = {sha: f"{sha}:{inside}" for commit in commits for sha in (commit.sha, *commit.parents)}
    blobs = repository.find_blobs(names.values())
    values: dict[bytes | None, Any] = {None: ABSENT}
    for data in blobs.values():
        if data not in values:
            document, _ = read(data, path)
            values[data] = document.value if document is not None else ABSENT
    at = {sha: values[blobs.get(spelled)] for sha, spelled in names.items()}
    if not isinstance(at[commits[0].sha], dict):
        raise NotFound(f"{path} is no record at {ref}.", f"See: remit log {path}")
    steps = [Step(at[commit.sha], tuple(at[parent] for parent in commit.parents)) for commit in commits]
    lines = (Line(one.pointer, one.value, entries[one.step]) for one in origins(steps))
    return Blame(path, repository.resolve(ref), tuple(lines))


def origins(steps: Sequence[Step]) -> Iterator[Origin]:
    """Every field of the first of ``steps`` (newest first, at least one), in its order.

    A step set a field when it has the value of now and nothing that it began from has it; of several, the newest did.
    """
    sides = [(_fields(step.value), [_fields(value) for value in step.before]) for step in steps]
    for address, (pointer, value) in sides[0][0].items():
        setters = (
            index
            for index, (own, before) in enumerate(sides)
            if _says(own, address, value) and not any(_says(old, address, value) for old in before)
        )
        yield Origin(pointer, value, next(setters, len(steps) - 1))


def _says(fields: Mapping[_Address, tuple[Pointer, Any]], address: _Address, value: Any) -> bool:
    return address in fields and alike(fields[address][1], value)


def _fields(value: Any) -> Mapping[_Address, tuple[Pointer, Any]]:
    return {address: (pointer, leaf) for address, pointer, leaf in _leaves(value, (), ())}


def _leaves(value: Any, address: _Address, pointer: Pointer) -> Iterator[tuple[_Address, Pointer, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*address, key), (*pointer, key))
    elif isinstance(value, list) and (key := natural_key(value)):
        for index, item in enumerate(value):
            yield from _leaves(item, (*address, (key, item[key])), (*pointer, index))
    elif isinstance(value, list) and value and _all_different(value):
        for index, item in enumerate(value):
            yield (*address, (type(item), item)), (*pointer, index), item
    elif value is not ABSENT:
        yield address, pointer, value


def _all_different(items: Sequence[Any]) -> bool:
    return all(isinstance(item, str | int | float) for item in items) and len({*map(repr, items)}) == len(items)
