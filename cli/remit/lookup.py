"""What a person means by a few letters: a kind, a record or a policy, however it was written.

Every command that takes a KIND or an ID asks here, so all of them understand the same spellings and all of them name
the nearest right one when there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from remit.errors import NotFound
from remit.findings import did_you_mean, nearest
from remit.records import Record, Snapshot
from remit.schemas import KindSchema, Schemas


def find_kind(schemas: Schemas, text: str) -> KindSchema:
    """The kind of record or policy that ``text`` names: ``Customer``, ``customer``, ``customers`` or its Chinese title.

    A folder that several policy kinds share names none of them. Raises ``NotFound`` with the nearest name.
    """
    table = _all_kinds(schemas)
    if text in table:
        return table[text]
    wanted = _folded(text)
    for spelling in (_kind_word, _folder_word, _chinese_word):
        found = [schema for schema in table.values() if spelling(schema) == wanted]
        if len(found) == 1:
            return found[0]
    raise NotFound(f"There is no kind {text!r}.", _nearest_kind(text, table.values()))


def find_record(snapshot: Snapshot, schemas: Schemas, text: str) -> Record:
    """The one record or policy that ``text`` names.

    ``Kind/name`` (the kind as ``find_kind`` takes it), a path of the store, a name that only one record has, or a
    title in either language that only one record has. Raises ``NotFound`` with the nearest id, or with all
    that it fits.
    """
    if text in snapshot.by_id:
        return snapshot.by_id[text]
    everything = sorted(snapshot.by_id.values(), key=lambda record: record.id)
    for fits in (_fits_path, _fits_kind_and_name(schemas, text), _fits_name, _fits_title):
        found = [record for record in everything if fits(record, text)]
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFound(f"{text!r} names {len(found)} records.", "Say which: " + _first_ids(found))
    raise NotFound(f"There is no record or policy {text!r}.", _nearest_record(text, everything, schemas))


def titles(record: Record) -> list[str]:
    """The record's titles in every language it has."""
    title = record.metadata.get("title")
    if isinstance(title, dict):
        return [one for one in title.values() if isinstance(one, str)]
    return [title] if isinstance(title, str) else []


def _all_kinds(schemas: Schemas) -> dict[str, KindSchema]:
    return {**schemas.policies, **schemas.kinds}


def _folded(text: str) -> str:
    return "".join(c for c in text.casefold() if c not in "-_ ")


def _kind_word(schema: KindSchema) -> str:
    return _folded(schema.kind)


def _folder_word(schema: KindSchema) -> str:
    return _folded(schema.folder)


def _chinese_word(schema: KindSchema) -> str:
    return _folded(schema.title("zh"))


def _nearest_kind(text: str, kinds: Iterable[KindSchema]) -> str:
    spellings = {_folded(word): schema.kind for schema in kinds for word in (schema.kind, schema.folder)}
    near = nearest(_folded(text), spellings)
    if near:
        return f'Did you mean "{spellings[near]}"?'
    return f"Known: {', '.join(sorted(set(spellings.values())))}."


def _fits_path(record: Record, text: str) -> bool:
    return record.path == text.removeprefix("./")


def _fits_kind_and_name(schemas: Schemas, text: str) -> Callable[[Record, str], bool]:
    written, slash, name = text.partition("/")
    kind = _kind_or_empty(schemas, written) if slash else ""
    return lambda record, _: bool(kind) and record.name == name and record.kind == kind


def _kind_or_empty(schemas: Schemas, text: str) -> str:
    try:
        return find_kind(schemas, text).kind
    except NotFound:
        return ""


def _fits_name(record: Record, text: str) -> bool:
    return record.name == text


def _fits_title(record: Record, text: str) -> bool:
    return any(title.casefold() == text.casefold() for title in titles(record))


def _first_ids(found: list[Record], limit: int = 8) -> str:
    ids = [record.id for record in found[:limit]]
    return ", ".join(ids) + (f" and {len(found) - limit} more" if len(found) > limit else "") + "."


def _nearest_record(text: str, records: list[Record], schemas: Schemas) -> str:
    kind, slash, name = text.partition("/")
    if slash and (known := _kind_or_empty(schemas, kind)):
        near = nearest(name, (record.name for record in records if record.kind == known))
        return f'Did you mean "{known}/{near}"?' if near else f"See: remit list {known}"
    if near := nearest(text, (record.id for record in records)):
        return f'Did you mean "{near}"?'
    by_word = {word: record.id for record in reversed(records) for word in (record.name, *titles(record))}
    if near := nearest(text, by_word):
        return f'Did you mean "{by_word[near]}"?'
    return did_you_mean(text, by_word) if len(by_word) <= 12 else "Look for it with: remit search TEXT"
