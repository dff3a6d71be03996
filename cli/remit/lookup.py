"""What a person means by a few letters: a kind, a record or a policy, however it was written.

Every command that takes a KIND or an ID asks here, so all of them understand the same spellings and all of them name
the nearest right one when there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from remit.errors import NotFound
from remit.findings import did_you_mean, nearest
from remit.records import Asked, Record, Snapshot
from remit.schemas import KindSchema, Schemas
from remit.sentences import say


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
    raise NotFound(say("common.no-kind", text=repr(text)), _nearest_kind(text, table.values()))


def find_record(snapshot: Snapshot, schemas: Schemas, text: str) -> Record:
    """The one record or policy that ``text`` names.

    ``Kind/name`` (the kind as ``find_kind`` takes it), a path of the store, a name that only one record has, or a
    title in either language that only one record has. Raises ``NotFound`` with the nearest id, or with all
    that it fits.
    """
    snapshot = snapshot.knowing(Asked(called=text))
    if text in snapshot.by_id:
        return snapshot.by_id[text]
    everything = _by_id(snapshot)
    for fits in (_fits_path, _fits_kind_and_name(schemas, text), _fits_name, _fits_title):
        found = [record for record in everything if fits(record, text)]
        if len(found) == 1:
            return found[0]
        if found:
            message = say("common.several-records", text=repr(text), count=len(found))
            raise NotFound(message, say("common.say-which", names=_first_ids(found)))
    everything = _by_id(snapshot.knowing(Asked(everything=True)))
    raise NotFound(say("common.no-record", text=repr(text)), _nearest_record(text, everything, schemas))


def _by_id(snapshot: Snapshot) -> list[Record]:
    return sorted(snapshot.by_id.values(), key=lambda record: record.id)


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
        return say("common.did-you-mean", name=spellings[near])
    return say("common.known", names=sorted(set(spellings.values())))


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


def _first_ids(found: list[Record], limit: int = 8) -> Sequence[str]:
    ids = [record.id for record in found[:limit]]
    return say("change.and-more", names=ids, count=len(found) - limit) if len(found) > limit else ids


def _nearest_record(text: str, records: list[Record], schemas: Schemas) -> str:
    kind, slash, name = text.partition("/")
    if slash and (known := _kind_or_empty(schemas, kind)):
        near = nearest(name, (record.name for record in records if record.kind == known))
        return say("common.did-you-mean", name=f"{known}/{near}") if near else say("common.see-list", kind=known)
    if near := nearest(text, (record.id for record in records)):
        return say("common.did-you-mean", name=near)
    by_word = {word: record.id for record in reversed(records) for word in (record.name, *titles(record))}
    if near := nearest(text, by_word):
        return say("common.did-you-mean", name=by_word[near])
    return did_you_mean(text, by_word) if len(by_word) <= 12 else say("common.look-for-it")
