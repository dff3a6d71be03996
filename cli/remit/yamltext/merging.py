"""Two changes of one file become one, by fields and not by lines.

What the merged file has to hold is found on values alone (``reconciling``). Its text is then made in several ways, from
the one that keeps most to the one that keeps least: the lines of both sides where these do not meet; then, each side
being brought to the merged value by ``edit`` first, what is left to merge is comments and layout; then the edited
text of either side. The first text counts that reads as exactly the merged value and has lost no comment. Where there
is none, and for files that are no YAML mapping, two different changes are a conflict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import yaml

from remit.errors import UserError
from remit.places import Place, Pointer
from remit.yamltext.editing import Edit, edit
from remit.yamltext.reading import LOADER, Document, read
from remit.yamltext.reconciling import ABSENT, Clash, Disagreement, Three, alike, merged_lines, natural_key, reconcile

Why = Clash | Literal["file", "comments"]
"""As of values; or the whole of a file that is no YAML mapping, or only the comments and layout of one."""


class Side(NamedTuple):
    """What one version says: the value (``ABSENT``: none) and where it stands, or would stand, in that version."""

    value: Any
    place: Place


@dataclass(frozen=True)
class Conflict:
    """One thing that two changes want differently.

    Attributes:
        record: ``Kind/name``; the path for a file that is no record.
        pointer: Where in the file, as ours has it; empty for the whole file.
        why: What kind of conflict; for ``comments`` the values are the comments that only that version has, and for
            ``file`` and a file that one side removed the values are its text.
        before: What was.
        ours: What the one change makes of it.
        theirs: What the other makes of it.
    """

    record: str
    path: str
    pointer: Pointer
    why: Why
    before: Side
    ours: Side
    theirs: Side


class Versions(NamedTuple):
    """One file before, here and there; None where it is not there."""

    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


class Merged(NamedTuple):
    """The file that has both changes; None when it is gone."""

    data: bytes | None


class Conflicts(NamedTuple):
    """Why there is no such file: at least one conflict, in the order of ours."""

    conflicts: tuple[Conflict, ...]


class MergedFiles(NamedTuple):
    """Every file of a merge that has no conflict, by path (None: gone), and every conflict of the others."""

    files: Mapping[str, bytes | None]
    conflicts: tuple[Conflict, ...]


def merge_files(files: Mapping[str, Versions]) -> MergedFiles:
    """Merge each file by itself; both results are sorted by path."""
    merged: dict[str, bytes | None] = {}
    conflicts: list[Conflict] = []
    for path, versions in sorted(files.items()):
        result = merge_records(*versions, path)
        if isinstance(result, Merged):
            merged[path] = result.data
        else:
            conflicts += result.conflicts
    return MergedFiles(merged, tuple(conflicts))


def merge_records(base: bytes | None, ours: bytes | None, theirs: bytes | None, path: str) -> Merged | Conflicts:
    """The file at ``path`` with what both changes did to ``base``, or everything that they want differently.

    Args:
        base: The file from which both began; None when it was not there.
        ours: The file as the one change leaves it; where both would do, its layout is kept.
        theirs: The file as the other leaves it.
        path: Where the file is, for places; only ``.yaml`` and ``.yml`` are merged by fields.
    """
    versions = Versions(base, ours, theirs)
    if ours == theirs or base == theirs:
        return Merged(ours)
    if base == ours:
        return Merged(theirs)
    documents = [_document(data, path) for data in versions]
    if any(data is not None and document is None for data, document in zip(versions, documents, strict=True)):
        return Conflicts((_of_file(versions, path, "file"),))
    record = _record_id(documents, path)
    if ours is None or theirs is None:
        return Conflicts((_of_file(versions, record, "removed", path),))
    values = Three(*(ABSENT if document is None else document.value for document in documents))
    value, disagreements = reconcile(values)
    if base is None and not alike(values.ours, values.theirs):
        return Conflicts(tuple(_added_twice(values, documents, record, path)))
    if disagreements:
        return Conflicts(tuple(_conflict(one, documents, record, path) for one in disagreements))
    data = _text_of(versions, value)
    return Conflicts((_of_comments(versions, record, path),)) if data is None else Merged(data)


def _document(data: bytes | None, path: str) -> Document | None:
    """The mapping in ``data``; None for anything else."""
    if data is None or not path.endswith((".yaml", ".yml")):
        return None
    document, _ = read(data, path)
    return document if document is not None and isinstance(document.value, dict) else None


# --- the text --------------------------------------------------------------------------------------------------------


def _text_of(versions: Versions, value: Any) -> bytes | None:
    """A text that holds exactly ``value`` and every comment that has to stay; None when no way gives one."""
    counts = [Counter(_comments(data)) for data in versions]
    wanted = Counter({text: _kept(*(count[text] for count in counts)) for text in {*counts[1], *counts[2]}})
    for candidate in _candidates(versions, value):
        document, _ = read(candidate, "")
        if document is not None and alike(document.value, value) and not wanted - Counter(_comments(candidate)):
            return candidate
    return None


def _kept(base: int, ours: int, theirs: int) -> int:
    """How often a comment has to stand: as the side says that changed it, and once only where both wrote the same."""
    return theirs if ours == base else ours if theirs in (base, ours) else max(ours, theirs)


def _candidates(versions: Versions, value: Any) -> Iterator[bytes]:
    yield from _by_lines(*versions)
    there = [_edited(data, value) for data in versions if data is not None]
    if None not in there and len(there) == len(versions):
        yield from _by_lines(*there)
    yield from (data for data in there[-2:] if data is not None)


def _by_lines(base: bytes | None, ours: bytes | None, theirs: bytes | None) -> Iterator[bytes]:
    lines = [(data or b"").decode().splitlines(keepends=True) for data in (base, ours, theirs)]
    for first, second in ((1, 2), (2, 1)):
        merged = merged_lines(lines[0], lines[first], lines[second], beside=True)
        if merged is not None:
            yield "".join(merged).encode()


def _edited(data: bytes, value: Any) -> bytes | None:
    """``data`` brought to ``value`` with its own order of keys; None where its layout does not admit it."""
    document, _ = read(data, "")
    try:
        return edit(data, [Edit((), _ordered_like(value, document.value if document else None))])
    except UserError:
        return None


def _ordered_like(value: Any, like: Any) -> Any:
    """``value`` with the keys of its mappings in the order that ``like`` has, new ones last."""
    if isinstance(value, dict) and isinstance(like, dict):
        keys = [*(key for key in like if key in value), *(key for key in value if key not in like)]
        return {key: _ordered_like(value[key], like.get(key)) for key in keys}
    if isinstance(value, list) and isinstance(like, list):
        field = natural_key(value, like)
        known = {item[field]: item for item in like} if field else {}
        return [_ordered_like(item, known.get(item[field])) if field else item for item in value]
    return value


def _comments(data: bytes | None) -> list[str]:
    """Every comment of a text that reads well, in order, without what stands around it."""
    text = (data or b"").decode()
    found: list[str] = []
    done = 0
    for token in yaml.scan(text, Loader=LOADER):
        if isinstance(token, yaml.ScalarToken):
            found += _in_gap(text[done : token.start_mark.index])
            done = token.end_mark.index
            if token.style in ("|", ">"):
                head = text[token.start_mark.index : done].partition("\n")[0]
                found += _in_gap(head)
    return [*found, *_in_gap(text[done:])]


def _in_gap(gap: str) -> list[str]:
    """The comments of a text without scalars: from each hash to the end of its line."""
    return [line.partition("#")[2].strip() for line in gap.splitlines() if "#" in line]


# --- conflicts -------------------------------------------------------------------------------------------------------


def _record_id(documents: list[Document | None], path: str) -> str:
    for document in (documents[1], documents[2]):
        if document is None:
            continue
        kind, metadata = document.value.get("kind"), document.value.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if isinstance(kind, str) and isinstance(name, str):
            return f"{kind}/{name}"
    return path


def _conflict(one: Disagreement, documents: list[Document | None], record: str, path: str) -> Conflict:
    values = (one.base, one.ours, one.theirs)
    sides = (
        Side(value, document.key_place(pointer) if document else Place(path))
        for value, document, pointer in zip(values, documents, one.at, strict=True)
    )
    return Conflict(record, path, one.at[1], one.why, *sides)


def _added_twice(values: Three, documents: list[Document | None], record: str, path: str) -> Iterator[Conflict]:
    """The innermost fields in which two new files of one name differ."""

    def differing(ours: Any, theirs: Any, at: Pointer) -> Iterator[Disagreement]:
        if isinstance(ours, dict) and isinstance(theirs, dict):
            for key in dict.fromkeys([*ours, *theirs]):
                yield from differing(ours.get(key, ABSENT), theirs.get(key, ABSENT), (*at, key))
        elif not alike(ours, theirs):
            yield Disagreement("added", (at, at, at), ABSENT, ours, theirs)

    for one in differing(values.ours, values.theirs, ()):
        yield _conflict(one, documents, record, path)


def _of_file(versions: Versions, record: str, why: Why, path: str = "") -> Conflict:
    place = Place(path or record)
    sides = (Side(ABSENT if data is None else data.decode(errors="replace"), place) for data in versions)
    return Conflict(record, path or record, (), why, *sides)


def _of_comments(versions: Versions, record: str, path: str) -> Conflict:
    """Each side with the comments that not all versions have."""
    counts = [Counter(_comments(data)) for data in versions]
    common = counts[0] & counts[1] & counts[2]
    sides = (Side([*(count - common).elements()], Place(path)) for count in counts)
    return Conflict(record, path, (), "comments", *sides)
