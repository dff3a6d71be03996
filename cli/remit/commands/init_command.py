"""remit init: a new store from the built-in pack, under git."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from remit.commands.options import format_option, print_json
from remit.errors import Refused
from remit.git import Repository
from remit.pack import pack_files
from remit.reporters.terminal import plural, safe
from remit.starting import Size, starting_files
from remit.store import CONFIG

FIRST_COMMIT = "store: begin from the built-in pack\n"


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--example", "size", flag_value="example", help="The whole worked example, with its tickets and orders.")
@click.option("--bare-bones", "size", flag_value="bare-bones", help="Schemas, templates and the catalogue only.")
@click.option("--name", default="", metavar="NAME", help="The store's own name.")
@click.option("--language", type=click.Choice(["zh", "en"]), default=None, help="Of notices and messages.")
@format_option("text", "json")
def command(folder: Path, size: Size | None, name: str, language: str | None, fmt: str) -> None:
    """Make a new store in DIR, which must be new or empty.

    It begins with all schemas, policies and templates and with a worked organisation: people, teams, customers,
    contracts. git gets a first commit when it knows who you are.

    Example: remit init my-store --language en
    """
    refuse_unless_free(folder)
    chosen: Size = size or "organisation"
    files = starting_files(pack_files(), chosen, name=name, language=language or "")
    inside = Repository.find(_nearest_folder(folder))
    _write_at_once(folder, files)
    commit, advice = _under_git(folder, files, inside)
    if fmt == "json":
        print_json(
            {"store": str(folder), "files": len(files), "commit": commit, "advice": advice, "next": _next(folder)}
        )
        return
    kinds = sorted({path.split("/")[1] for path in files if path.startswith("records/")})
    records = sum(path.startswith("records/") for path in files)
    click.echo(f"{safe(str(folder))}: a store with {plural(records, 'record')} of {plural(len(kinds), 'kind')}.")
    if commit:
        click.echo(f"First commit: {commit[:12]} on main.")
    for line in advice:
        click.echo(line, err=True)
    click.echo("Next:")
    for line in _next(folder):
        click.echo(f"  {safe(line)}")


def refuse_unless_free(folder: Path) -> None:
    """``Refused`` unless ``folder`` is an empty directory or nothing at all."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise Refused(f"{folder} is not a directory.", "Name a new or an empty directory.")
    if folder.is_dir() and any(folder.iterdir()):
        raise Refused(f"{folder} is not empty; nothing was written.", "Name a new or an empty directory.")


def _nearest_folder(folder: Path) -> Path:
    here = Path(os.path.abspath(folder))  # noqa: PTH100 - a symbolic link above is the user's business
    return next(candidate for candidate in (here, *here.parents) if candidate.is_dir())


def _write_at_once(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write beside ``folder``, then rename: whoever looks sees no store or a whole one."""
    parent = Path(os.path.abspath(folder)).parent  # noqa: PTH100
    parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=parent))
    try:
        for path, data in files.items():
            target = draft / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        draft.chmod(0o755)
        if not folder.exists():
            draft.rename(folder)
            return
        # An existing directory stays itself (somebody may stand in it); remit.yaml comes last and makes it a store.
        for entry in sorted(draft.iterdir(), key=lambda entry: entry.name == CONFIG):
            entry.rename(folder / entry.name)
        draft.rmdir()
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _under_git(folder: Path, files: Mapping[str, bytes], inside: Repository | None) -> tuple[str | None, list[str]]:
    """The first commit, or None and what the user is to do himself."""
    if inside is not None:
        return None, [f"It is inside the repository {inside.top}: commit it there, or move it out and run git init."]
    repository = Repository.init(folder, "main")
    identity = repository.identity()
    if identity is None:
        return None, [
            "git does not know who you are, so nothing is committed yet:",
            "  git config --global user.name 'Your Name'; git config --global user.email you@example.com",
            f"  cd {folder} && git add --all && git commit -m 'store: begin from the built-in pack'",
        ]
    blobs = dict(zip(files, repository.write_blobs(list(files.values())), strict=True))
    tree = repository.tree_with(None, dict(blobs))
    commit = repository.commit_tree(
        tree, [], FIRST_COMMIT, identity, identity, datetime.now(UTC).replace(microsecond=0)
    )
    repository.update_ref("refs/heads/main", commit, repository.zero)
    repository.set_index(dict(blobs))
    return commit, []


def _next(folder: Path) -> list[str]:
    return [f"cd {folder}", "remit check", "remit list Customer"]
