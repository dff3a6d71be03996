"""remit propose: put what the working tree changes onto a branch of its own, for review."""

from __future__ import annotations

from datetime import datetime

import click

from remit.commands.changing_context import desk
from remit.commands.options import INSTANT, at_option, format_option, print_json


@click.command()
@click.option("-m", "--message", default="", metavar="TEXT", help="Title; after an empty line, the reasons.")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--effective", type=INSTANT, metavar="INSTANT", help="From when on it may be applied; it waits until then."
)
@click.option(
    "--again", metavar="ID", help="Lay a change of your own onto the present tip, instead of the working tree."
)
@at_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    message: str,
    paths: tuple[str, ...],
    effective: datetime | None,
    again: str | None,
    at: datetime,
    fmt: str,
) -> int:
    """Propose what differs in the working tree from the protected branch: everything, or the files and folders named.

    Your working tree, index and branch stay as they are. Records that moved on the protected branch too are merged by
    fields.

    With --again, a change of yours is proposed once more with the same words, and the old one is withdrawn; it needs
    its approvals anew.

    Where the origin is a forge, a merge request is asked for, or the page named on which to open one.

    Example: remit propose -m "Harbour Bank becomes a group customer" records/customers

    Exit code 1 when the protected branch wants something else of the same fields; then nothing is proposed.
    """
    from remit.changing.merge_requests import page_of
    from remit.changing.proposals import find
    from remit.changing.proposing import Clash, propose
    from remit.changing.repeating import propose_again
    from remit.changing.targets import ORIGIN
    from remit.reporters.merging import conflict_json, conflict_text
    from remit.reporters.terminal import plural, safe

    if again and (message or paths or effective):
        raise click.UsageError("--again keeps the words, paths and day of the change; give nothing else with it.")
    if not again and not message:
        raise click.UsageError("Say what changes, and why: -m TEXT.")
    at_desk = desk(ctx, at)
    store, old = at_desk.store, ""
    try:
        if again:
            old = find(store, again).change.id
            change = propose_again(store, old, at=at, sign=at_desk.sign)
        else:
            change = propose(store, message, paths or None, at=at, effective=effective, sign=at_desk.sign)
    except Clash as clash:
        if fmt == "json":
            print_json({"conflicts": [conflict_json(one) for one in clash.conflicts]})
        else:
            click.echo(conflict_text(clash.conflicts, at_desk.config.language), nl=False)
            click.echo(f"error: {safe(clash.message)}\n      {clash.hint}", err=True)
        return 1
    following = [f"remit review {change.id}"]
    branch = change.ref.removeprefix("refs/heads/")
    page = page_of(store.in_git().remote(ORIGIN) or "", f"change/{change.id}", branch)
    if fmt == "json":
        touched = list(change.manifest.paths)
        told = {"id": change.id, "title": change.title, "base": change.base, "paths": touched}
        print_json({**told, "withdrawn": old or None, "page": page or None, "next": following})
        return 0
    click.echo(f"{change.id}  {safe(change.title)}")
    for path in change.manifest.paths:
        click.echo(f"  {safe(path)}")
    if old:
        click.echo(f"{old} is withdrawn; {change.id} needs its approvals anew.", err=True)
    if page:
        click.echo(f"Merge request: {page}", err=True)
    click.echo(f"{plural(len(change.manifest.paths), 'file')} proposed. Next: {following[0]}", err=True)
    return 0
