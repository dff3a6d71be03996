"""remit origin: make and check the bare repository that guards the protected branch."""

from __future__ import annotations

from pathlib import Path

import click

from remit.commands.options import format_option, print_json, store_of
from remit.sentences import say


@click.group("origin")
def command() -> None:
    """The bare repository that everybody pushes to, and that lets nothing in which is not proved.

    Example: remit origin init ../origin.git
    """


@command.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--from", "source", metavar="STORE", default=None, help="The store to begin with.  [default: this one]")
@click.pass_context
def init(ctx: click.Context, folder: Path, source: str | None) -> None:
    """Make a bare repository with the store's protected branch, both hooks, and settings that hold them in place.

    Example: remit origin init ../origin.git
    """
    from remit.commands.speaking import language_at, tell
    from remit.origins import init as init_origin
    from remit.store import Store

    store = Store.open(Path(source)) if source is not None else store_of(ctx)
    repository, tip = init_origin(store, folder)
    click.echo(str(repository.git_dir))
    language = language_at(str(store.root))
    tell(say("command.begins-with", commit=tip), language)
    tell(f"      git config remit.root {tip}", language)
    tell(say("common.next", step=f"git remote add origin {repository.git_dir}"), language)


@command.command("check")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@format_option("text", "json")
def check(folder: Path, fmt: str) -> int:
    """Find what about an origin is not as remit origin init leaves it: settings, hooks, owners and modes.

    Exit code 1 when there is anything.

    Example: remit origin check ../origin.git
    """
    from remit.commands.speaking import language_at
    from remit.errors import Refused
    from remit.git import Repository
    from remit.origins import drift
    from remit.reporters.origin import drift_json, drift_lines

    repository = Repository(folder)
    if not repository.is_bare:
        raise Refused(say("command.not-bare", folder=str(folder)), hint=say("command.check-origin-itself"))
    found = drift(repository)
    if fmt == "json":
        print_json(drift_json(found, str(folder)))
    else:
        click.echo("\n".join(drift_lines(found, str(folder), language_at(str(folder)))))
    return int(bool(found))
