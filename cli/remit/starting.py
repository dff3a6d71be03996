"""How a new store begins: the choice of files from the pack, its own settings, the folder, the first commit."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from remit.errors import Refused, UserError
from remit.git import Identity, Repository
from remit.records import CONFIG_PATH, Record, Snapshot, build_snapshot
from remit.references import Entity, uses, world_of_records
from remit.schemas import Schemas, load_schemas
from remit.yamltext import DELETE, Edit, edit, forbidden_character

T = TypeVar("T")
Size = Literal["organisation", "example", "bare-bones"]

CATALOGUE = ("Calendar", "KpiDefinition", "ParameterSet", "ProductOffering", "ServiceLevelSpecification")
"""Kinds that hold for any operator: a bare-bones store begins with their records and with nobody's people."""

VISITS = "Visit"
"""What happens in time and an organisation begins with all the same: without it every customer would seem neglected."""

FORGE_FILES = {"templates/ci/github.yml": ".github/workflows/remit.yml", "templates/ci/gitlab.yml": ".gitlab-ci.yml"}
"""Where a forge looks for what it is to run, by the file of the pack that says it."""


def starting_files(pack: Mapping[str, bytes], size: Size, *, name: str = "", language: str = "") -> dict[str, bytes]:
    """The files of a new store by path.

    ``organisation`` leaves out what happens in time (tickets, orders), ``example`` leaves out nothing, and
    ``bare-bones`` keeps schemas, templates and the catalogue, but no policies: those name roles, and prove themselves
    on people, that a bare store does not have. Whatever is chosen is closed: no reference leads out of it.
    ``FORGE_FILES`` stand where forges look for them.

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
    return {FORGE_FILES.get(path, path): data for path, data in files.items()}


def _chosen(records: Iterable[Record], schemas: Schemas, size: Size) -> list[Record]:
    if size == "bare-bones":
        return [record for record in records if record.kind in CATALOGUE]
    return [
        r for r in records if r.kind == VISITS or (r.kind in schemas.kinds and schemas.kinds[r.kind].home == "record")
    ]


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


# --- on disk and in git ----------------------------------------------------------------------------------------------

FIRST_COMMIT = "store: begin from the built-in pack\n"


def refuse_unless_free(folder: Path) -> None:
    """``Refused`` unless ``folder`` is an empty directory or nothing at all."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise Refused(f"{folder} is not a directory.", "Name a new or an empty directory.")
    if folder.is_dir() and any(folder.iterdir()):
        raise Refused(f"{folder} is not empty; nothing was written.", "Name a new or an empty directory.")


def repository_around(folder: Path) -> Repository | None:
    """The repository that ``folder`` (which need not exist) would be inside of."""
    here = Path(os.path.abspath(folder))  # noqa: PTH100 - a symbolic link above is the user's business
    return Repository.find(next(candidate for candidate in (here, *here.parents) if candidate.is_dir()))


def write_store(folder: Path, files: Mapping[str, bytes], finish: Callable[[Path], T]) -> T:
    """Write beside ``folder``, ``finish`` it there, then rename: whoever looks sees no store or a whole one.

    Returns:
        What ``finish`` said of the draft.
    """
    parent = Path(os.path.abspath(folder)).parent  # noqa: PTH100
    parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=parent))
    try:
        for path, data in files.items():
            target = draft / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        said = finish(draft)
        draft.chmod(0o755)
        if not folder.exists():
            draft.rename(folder)
            return said
        # An existing directory stays itself (somebody may stand in it); remit.yaml comes last and makes it a store.
        for entry in sorted(draft.iterdir(), key=lambda entry: entry.name == CONFIG_PATH):
            entry.rename(folder / entry.name)
        draft.rmdir()
        return said
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def first_commit(repository: Repository, files: Mapping[str, bytes], identity: Identity, at: datetime) -> str:
    """Commit ``files`` as the first commit of ``main``; index and files agree with it afterwards."""
    blobs: dict[str, str | None] = dict(zip(files, repository.write_blobs(list(files.values())), strict=True))
    tree = repository.tree_with(None, blobs)
    commit = repository.commit_tree(tree, [], FIRST_COMMIT, identity, identity, at)
    repository.update_ref("refs/heads/main", commit, repository.zero)
    repository.set_index(blobs)
    return commit
