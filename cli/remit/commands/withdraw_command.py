"""remit withdraw: take a change of your own off the table."""

from __future__ import annotations

from datetime import datetime

import click

from remit.commands.options import at_option, format_option, print_json, store_of
from remit.sentences import say, spoken


@click.command()
@click.argument("change_id", metavar="ID")
@at_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, change_id: str, at: datetime, fmt: str) -> None:
    """Withdraw a change that you proposed. Its commits are kept; your files stay as they are.

    Example: remit withdraw c-20261015-ab12cd
    """
    from remit.changing.proposals import find
    from remit.changing.reviewing import withdraw
    from remit.commands.speaking import language_at
    from remit.reporters.terminal import safe
    from remit.signing import signing

    store = store_of(ctx)
    change = withdraw(store, find(store, change_id).change.id, at=at, sign=signing(store.in_git()))
    if fmt == "json":
        print_json({"id": change.id, "title": change.title, "state": "withdrawn"})
        return
    done = say("command.withdrawn", change=change.id, title=change.title)
    click.echo(safe(spoken(done, language_at(ctx.obj))))
