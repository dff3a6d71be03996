"""remit propose: put what the working tree changes onto a branch of its own, for review."""

from __future__ import annotations

from datetime import datetime

import click

from remit.commands.options import INSTANT, at_option, format_option, print_json, store_of


@click.command()
@click.option("-m", "--message", required=True, metavar="TEXT", help="Title; after an empty line, the reasons.")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--effective", type=INSTANT, metavar="INSTANT", help="From when on it may be applied; it waits until then."
)
@at_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context, message: str, paths: tuple[str, ...], effective: datetime | None, at: datetime, fmt: str
) -> None:
    """Propose what differs in the working tree from the protected branch: everything, or the files and folders named.

    Your working tree, index and branch stay as they are.

    Example: remit propose -m "Harbour Bank becomes a group customer" records/customers
    """
    from remit.changing.proposing import propose
    from remit.reporters.terminal import plural, safe
    from remit.signing import signing

    store = store_of(ctx)
    sign = signing(store.in_git())
    change = propose(store, message, paths or None, at=at, effective=effective, sign=sign)
    following = [f"remit review {change.id}"]
    if fmt == "json":
        touched = list(change.manifest.paths)
        print_json({"id": change.id, "title": change.title, "base": change.base, "paths": touched, "next": following})
        return
    click.echo(f"{change.id}  {safe(change.title)}")
    for path in change.manifest.paths:
        click.echo(f"  {safe(path)}")
    click.echo(f"{plural(len(change.manifest.paths), 'file')} proposed. Next: {following[0]}", err=True)
