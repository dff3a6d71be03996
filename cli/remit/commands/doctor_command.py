"""remit doctor: what is wrong with the repository itself, and putting right what needs nobody's choice."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from remit.commands.options import at_option, format_option, print_json, store_of


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Put right what can be, and say what was done.")
@at_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, repair: bool, at: datetime, fmt: str) -> int:
    """Find what is wrong with the repository itself: locks and refs left by processes that died, damage, odd settings.

    Without --repair nothing is written. With it, what a dead process left is removed, and a ref that was cut short goes
    back to what its own log says; objects, settings and histories are left to people.

    Exit code 1 when anything is wrong that was not put right.

    Example: remit doctor --repair
    """
    from remit.commands.speaking import language_at
    from remit.git import Repository
    from remit.mending import Mended, examine, mend
    from remit.reporters.doctor import doctor_json, doctor_lines
    from remit.store import Store

    # A bare repository whose branch is broken holds no store that could be opened, and is what this is for.
    repository = Repository.find(Path(ctx.obj)) if Path(ctx.obj).is_dir() else None
    store = Store.of_bare(repository) if repository is not None and repository.is_bare else store_of(ctx)
    found = mend(store, now=at) if repair else [Mended(one) for one in examine(store, now=at)]
    folder = str(store.in_git().git_dir)
    if fmt == "json":
        print_json(doctor_json(found, folder))
    else:
        click.echo("\n".join(doctor_lines(found, folder, language_at(ctx.obj))))
    return int(any(not one.done for one in found))
