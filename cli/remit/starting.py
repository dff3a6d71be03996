"""What a new store begins with: the choice of files from the pack, and the settings that are its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from remit.errors import UserError
from remit.records import CONFIG_PATH, Record, Snapshot, build_snapshot
from remit.references import Entity, uses, world_of_records
from remit.schemas import Schemas, load_schemas
from remit.yamltext import DELETE, Edit, edit, forbidden_character

Size = Literal["organisation", "example", "bare-bones"]

CATALOGUE = ("Calendar", "KpiDefinition", "ParameterSet", "ProductOffering", "ServiceLevelSpecification")
"""Kinds that hold for any operator: a bare-bones store begins with their records and with nobody's people."""


def starting_files(pack: Mapping[str, bytes], size: Size, *, name: str = "", language: str = "") -> dict[str, bytes]:
    """The files of a new store by path.

    ``organisation`` leaves out what happens in time (tickets, orders, visits), ``example`` leaves out nothing, and
    ``bare-bones`` keeps schemas, templates and the catalogue, but no policies: those name roles, and prove themselves
    on people, that a bare store does not have. Whatever is chosen is closed: no reference leads out of it.

    Raises:
        UserError: the name cannot stand in ``remit.yaml``.
    """
    files = dict(pack)
    if size != "example":
        snapshot = build_snapshot(pack)
        schemas, _ = load_schemas(pack)
        kept = _closed(_chosen(snapshot.records, schemas, size), snapshot, schemas)
        files = {path: data for path, data in files.items() if not path.startswith("records/") or path in kept}
    if size == "bare-bones":
        files = {path: data for path, data in files.items() if not path.startswith("rules/")}
    files[CONFIG_PATH] = edit(files[CONFIG_PATH], _settings(name, language))
    return files


def _chosen(records: Iterable[Record], schemas: Schemas, size: Size) -> list[Record]:
    if size == "bare-bones":
        return [record for record in records if record.kind in CATALOGUE]
    return [r for r in records if r.kind in schemas.kinds and schemas.kinds[r.kind].home == "record"]


def _closed(chosen: list[Record], snapshot: Snapshot, schemas: Schemas) -> set[str]:
    """The paths of the chosen records and of everything that they refer to, directly or through others."""
    entities = {entity.ref: entity for entity in world_of_records(schemas, snapshot.records)}
    kept: set[str] = set()
    waiting = [record.id for record in chosen]
    while waiting:
        ref = waiting.pop()
        entity = entities.get(ref)
        if entity is None or ref in kept:
            continue
        kept.add(ref)
        waiting += _named(entity, schemas)
    return {entity.record.path for ref, entity in entities.items() if ref in kept and entity.record}


def _named(entity: Entity, schemas: Schemas) -> list[str]:
    found = uses(entity, schemas.kinds[entity.kind].shape)
    return [use.name if "/" in use.name else f"{kind}/{use.name}" for use in found for kind in use.kinds]


def _settings(name: str, language: str) -> list[Edit]:
    wanted: dict[str, Any] = {}
    if name:
        if forbidden_character(name) or not name.strip() or len(name) > 63:
            raise UserError(
                f"{name!r} cannot be the name of a store.", "A short text of one line, such as harbour-ops."
            )
        wanted |= {"name": name, "title": DELETE}
    if language:
        wanted["language"] = language
    return [Edit((key,), value) for key, value in wanted.items()]
