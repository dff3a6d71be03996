"""Three versions of one value become one: what either side changed is taken, what both changed differently is told.

A value is JSON types or ``ABSENT``. Mappings merge by key. Lists merge by item where it is certain which item is which:
texts and numbers that are all different, and mappings that a field of theirs tells apart (``natural_key``). The order
of keys never counts, the order of lists does. Which of the two sides comes first makes no difference to the value.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, Literal, NamedTuple

from remit.places import Pointer

Clash = Literal["changed", "removed", "added", "list"]
"""Both changed it differently; one removed what the other changed; both added it differently; a list that both
changed where items cannot be told apart, or that both put into another order."""


class Absent(enum.Enum):
    """The type of ``ABSENT``."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""In the place of a value: there is none."""


class Disagreement(NamedTuple):
    """One place at which two sides cannot both be right. ``at`` is where it stands in base, ours and theirs."""

    why: Clash
    at: tuple[Pointer, Pointer, Pointer]
    base: Any
    ours: Any
    theirs: Any


class Three(NamedTuple):
    """A value before, here and there."""

    base: Any
    ours: Any
    theirs: Any

    def under(self, key: str) -> Three:
        """What stands under ``key`` in each; absent too where there is no mapping."""
        return Three(*(side.get(key, ABSENT) if isinstance(side, dict) else ABSENT for side in self))


Where = tuple[Pointer, Pointer, Pointer]
ROOT: Where = ((), (), ())


def reconcile(values: Three, at: Where = ROOT) -> tuple[Any, tuple[Disagreement, ...]]:
    """The merged value, in ours' order of keys, and every disagreement in it; with any, the value says nothing."""
    base, ours, theirs = values
    if alike(ours, theirs) or alike(base, theirs):
        return ours, ()
    if alike(base, ours):
        return theirs, ()
    if isinstance(ours, dict) and isinstance(theirs, dict) and (base is ABSENT or isinstance(base, dict)):
        return _mappings(values, at)
    if all(isinstance(side, list) for side in values):
        return _lists(values, at)
    why: Clash = "removed" if ABSENT in (ours, theirs) else "added" if base is ABSENT else "changed"
    return ours, (Disagreement(why, at, base, ours, theirs),)


def alike(one: Any, other: Any) -> bool:
    """Equal as JSON whatever the order of keys; 1, 1.0 and true differ, and so do null and what is not there."""
    return _text(one) == _text(other)


def _text(value: Any) -> str:
    return "" if value is ABSENT else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _mappings(values: Three, at: Where) -> tuple[Any, tuple[Disagreement, ...]]:
    merged: dict[str, Any] = {}
    found: list[Disagreement] = []
    for key in dict.fromkeys([*values.ours, *values.theirs]):
        value, clashes = reconcile(values.under(key), _below(at, (key, key, key)))
        found += clashes
        if value is not ABSENT:
            merged[key] = value
    return merged, tuple(found)


def _below(at: Where, parts: tuple[str | int, str | int, str | int]) -> Where:
    base, ours, theirs = ((*above, part) for above, part in zip(at, parts, strict=True))
    return base, ours, theirs


# --- lists -----------------------------------------------------------------------------------------------------------


def _lists(values: Three, at: Where) -> tuple[Any, tuple[Disagreement, ...]]:
    whole = (Disagreement("list", at, *values),)
    keys = _keys(values)
    if keys is None:
        texts = [[_text(item) for item in side] for side in values]
        merged = merged_lines(texts[0], texts[1], texts[2])
        return (values.ours, whole) if merged is None else ([json.loads(text) for text in merged], ())
    sides = Three(*(dict(zip(names, side, strict=True)) for names, side in zip(keys, values, strict=True)))
    order = _order(*keys)
    if order is None:
        return values.ours, whole
    items: list[Any] = []
    found: list[Disagreement] = []
    for key in order:
        positions = [names.index(key) if key in names else len(names) for names in keys]
        value, clashes = reconcile(sides.under(key), _below(at, (positions[0], positions[1], positions[2])))
        found += clashes
        if value is not ABSENT:
            items.append(value)
    field = natural_key(*values)
    if not found and field and not _tells_apart(_by_field(field), [items]):
        return values.ours, whole  # a new item has the name that another was given
    return items, tuple(found)


def _keys(values: Three) -> Three | None:
    """For each of the lists what makes its items the same items in the others; None where that is not certain."""
    items = [item for side in values for item in side]
    if all(isinstance(item, str | int | float) for item in items):
        return Three(*([_text(item) for item in side] for side in values)) if _tells_apart(_text, values) else None
    field = natural_key(*values)
    return Three(*(_named(side, values.base, field) for side in values)) if field else None


def _named(side: Sequence[Any], base: Sequence[Any], field: str) -> list[str]:
    """The keys of a list; an item whose ``field`` alone was changed, where it stood, keeps that of base."""
    identity = _by_field(field)
    old, new = ([identity(item) for item in some] for some in (base, side))
    if len(old) != len(new):
        return new
    return [
        was if was not in new and name not in old and alike({**before, field: ""}, {**after, field: ""}) else name
        for was, name, before, after in zip(old, new, base, side, strict=True)
    ]


def natural_key(*lists: Sequence[Any]) -> str:
    """The field that tells the mappings in each of ``lists`` apart: ``name``, ``id`` or the first that does.

    Empty when there is none, or when an item is no mapping.
    """
    items = [item for some in lists for item in some]
    if not items or not all(isinstance(item, dict) for item in items):
        return ""
    for field in dict.fromkeys(["name", "id", *items[0]]):
        named = all(isinstance(item.get(field), str | int) for item in items)
        if named and _tells_apart(_by_field(field), lists):
            return str(field)
    return ""


def _by_field(field: str) -> Callable[[Any], str]:
    return lambda item: _text(item[field])


def _tells_apart(identity: Callable[[Any], str], lists: Sequence[Sequence[Any]]) -> bool:
    return all(len({identity(item) for item in some}) == len(some) for some in lists)


def _order(base: list[str], ours: list[str], theirs: list[str]) -> list[str] | None:
    """Every key of the three in one order, those that one side took away last; None when there is no one order."""
    known = set(base)
    shared = known & {*ours} & {*theirs}
    news = [{*side} - known for side in (ours, theirs)]
    if known - {*ours, *theirs} and news[0] - news[1] and news[1] - news[0]:
        return None  # both put something else in the place of the same item
    before, *orders = ([key for key in side if key in shared] for side in (base, ours, theirs))
    moved = [order for order in orders if order != before]
    if len(moved) == 2 and moved[0] != moved[1]:
        return None
    groups = [_new_after(side, shared, known) for side in (ours, theirs)]
    order: list[str] = []
    for anchor in ("", *(moved[0] if moved else before)):
        order += [anchor] if anchor else []
        first, second = sorted(group.get(anchor, []) for group in groups)
        order += [key for key in dict.fromkeys([*first, *second]) if key not in order]
    return [*order, *(key for key in base if key not in shared)]


def _new_after(side: Sequence[str], shared: set[str], known: set[str]) -> Mapping[str, list[str]]:
    """The keys that base does not have, under the shared one before them (empty text: before all)."""
    groups: dict[str, list[str]] = {}
    anchor = ""
    for key in side:
        if key in shared:
            anchor = key
        elif key not in known:
            groups.setdefault(anchor, []).append(key)
    return groups


# --- sequences -------------------------------------------------------------------------------------------------------


class _Hunk(NamedTuple):
    """``lines`` in the place of those of the base from ``start`` to before ``end``."""

    start: int
    end: int
    lines: tuple[str, ...]


def merged_lines(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], *, beside: bool = False
) -> list[str] | None:
    """What both sides changed in a sequence, at different places; None when they changed the same place differently.

    With ``beside``, what both inserted at one place stands one behind the other, ours first.
    """
    mine, other = (list(_hunks(base, side)) for side in (ours, theirs))
    hunks = sorted({*mine, *other}, key=lambda hunk: (hunk.start, hunk.end, hunk not in mine))
    merged: list[str] = []
    done = 0
    last: _Hunk | None = None
    for hunk in hunks:
        both_insert = last is not None and last.start == last.end == hunk.start == hunk.end
        if hunk.start < done or (both_insert and not beside):
            return None
        merged += [*base[done : hunk.start], *hunk.lines]
        done, last = hunk.end, hunk
    return [*merged, *base[done:]]


def _hunks(base: Sequence[str], side: Sequence[str]) -> Iterator[_Hunk]:
    for how, start, end, first, behind in SequenceMatcher(None, base, side, autojunk=False).get_opcodes():
        if how != "equal":
            yield _Hunk(start, end, tuple(side[first:behind]))
