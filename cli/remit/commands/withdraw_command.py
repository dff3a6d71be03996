"""remit withdraw: take a change of your own off the table."""

from __future__ import annotations

import click

from remit.commands.options import format_option, print_json, store_of


@click.command()
@click.argument("change_id", metavar="ID")
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, change_id: str, fmt: str) -> None:
    """Withdraw a change that you proposed. Its commits are kept; your files stay as they are.

    Example: remit withdraw c-20261015-ab12cd
    """
    from remit.changing import find, withdraw
    from remit.reporters.terminal import safe

    store = store_of(ctx)
    change = withdraw(store, find(store, change_id).change.id)
    if fmt == "json":
        print_json({"id": change.id, "title": change.title, "state": "withdrawn"})
        return
    click.echo(f"withdrawn {change.id}  {safe(change.title)}")
