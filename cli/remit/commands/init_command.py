"""remit init: a new store from the built-in pack, under git."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from remit.commands.options import format_option, print_json
from remit.git import Repository
from remit.pack import pack_files
from remit.reporters.terminal import plural, safe
from remit.starting import (
    FORGE_FILES,
    Size,
    first_commit,
    refuse_unless_free,
    repository_around,
    starting_files,
    write_store,
)


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
    contracts. git gets a first commit when it knows who you are. GitHub and GitLab find what they are to run: check,
    test and plan of each change.

    Example: remit init my-store --language en
    """
    refuse_unless_free(folder)
    chosen: Size = size or "organisation"
    files = starting_files(pack_files(), chosen, name=name, language=language or "")
    inside = repository_around(folder)
    if inside is not None:
        files = {path: data for path, data in files.items() if path not in FORGE_FILES.values()}
    first_kind = "ProductOffering" if chosen == "bare-bones" else "Customer"
    commit, advice = write_store(folder, files, lambda draft: _under_git(draft, folder, files, inside))
    if fmt == "json":
        print_json(
            {
                "store": str(folder),
                "files": len(files),
                "commit": commit,
                "advice": advice,
                "next": _next(folder, first_kind),
            }
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
    for line in _next(folder, first_kind):
        click.echo(f"  {safe(line)}")


def _under_git(
    draft: Path, folder: Path, files: Mapping[str, bytes], inside: Repository | None
) -> tuple[str | None, list[str]]:
    """The first commit, or None and what the user is to do himself."""
    if inside is not None:
        return None, [f"It is inside the repository {inside.top}: commit it there, or move it out and run git init."]
    repository = Repository.init(draft, "main")
    identity = repository.identity()
    if identity is None:
        return None, [
            "git does not know who you are, so nothing is committed yet:",
            "  git config --global user.name 'Your Name'; git config --global user.email you@example.com",
            f"  cd {folder} && git add --all && git commit -m 'store: begin from the built-in pack'",
        ]
    return first_commit(repository, files, identity, datetime.now(UTC).replace(microsecond=0)), []


def _next(folder: Path, first_kind: str) -> list[str]:
    return [f"cd {folder}", "remit check", f"remit list {first_kind}"]
