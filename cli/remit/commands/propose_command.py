"""remit propose: put what the working tree changes onto a branch of its own, for review."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from remit.commands.changing_context import desk
from remit.commands.here import HERE
from remit.commands.options import INSTANT, at_option, format_option, print_json
from remit.commands.speaking import tell, with_store
from remit.sentences import say, spoken

if TYPE_CHECKING:
    from remit.changes import Change
    from remit.changing.proposing import Clash
    from remit.commands.changing_context import Desk

MOST_SHOWN = 10


@click.command()
@click.option("-m", "--message", default="", metavar="TEXT", help="Title; after an empty line, the reasons.")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=HERE)
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
    A PATH is taken from where you stand, and where nothing is there, from the top of the store.

    Your working tree, index and branch stay as they are. Records that moved on the protected branch too are merged by
    fields.

    With --again, a change of yours is proposed once more with the same words, and the old one is withdrawn; it needs
    its approvals anew.

    Where the origin is a forge, a merge request is asked for, or the page named on which to open one.

    Example: remit propose -m "Harbour Bank becomes a group customer" records/customers

    Errors that the change would bring are named, and it is proposed all the same: it cannot be applied with them.

    Exit code 1 when the protected branch wants something else of the same fields; then nothing is proposed.
    """
    from remit.changing.proposals import find
    from remit.changing.proposing import Clash, propose
    from remit.changing.repeating import propose_again

    if again and (message or paths or effective):
        raise click.UsageError(say("command.again-alone"))
    if not again and not message:
        raise click.UsageError(say("command.say-what-changes"))
    at_desk = desk(ctx, at)
    store, old = at_desk.store, ""
    try:
        if again:
            old = find(store, again).change.id
            change = propose_again(store, old, at=at, sign=at_desk.sign)
        else:
            change = propose(store, message, paths or None, at=at, effective=effective, sign=at_desk.sign)
    except Clash as clash:
        _show_clash(clash, at_desk.config.language, fmt)
        return 1
    _show(at_desk, change, old, at, fmt)
    return 0


def _show_clash(clash: Clash, language: str, fmt: str) -> None:
    """Where the change and the protected branch want different things."""
    from remit.reporters.merging import conflict_json, conflict_text

    if fmt == "json":
        print_json({"conflicts": [conflict_json(one) for one in clash.conflicts]})
        return
    click.echo(conflict_text(clash.conflicts, language), nl=False)
    tell(say("common.error", message=clash.message), language)
    tell(f"      {spoken(clash.hint, language)}", language)


def _show(at_desk: Desk, change: Change, old: str, at: datetime, fmt: str) -> None:
    """The change as it was put up, what it would break, and what comes next; ``old`` is the one that it replaces."""
    from remit.changing.merge_requests import page_of
    from remit.changing.targets import ORIGIN
    from remit.judging import broken_by
    from remit.reporters.findings import finding_lines
    from remit.reporters.terminal import safe

    store, language = at_desk.store, at_desk.config.language
    broken = broken_by(store, change, at)
    following = f"remit review {change.id}"
    branch = change.ref.removeprefix("refs/heads/")
    page = page_of(store.in_git().remote(ORIGIN) or "", f"change/{change.id}", branch)
    touched = change.manifest.paths
    if fmt == "json":
        told = {"id": change.id, "title": change.title, "base": change.base, "paths": list(touched)}
        errors = [one.to_json() for one in broken]
        print_json({**told, "withdrawn": old or None, "page": page or None, "errors": errors, "next": [following]})
        return
    click.echo(f"{change.id}  {safe(change.title)}")
    for path in touched:
        click.echo(f"  {safe(path)}")
    if old:
        tell(say("command.withdrawn-for", old=old, change=change.id), language)
    if page:
        tell(say("command.merge-request", page=page), language)
    if broken:
        tell(say("command.breaks", count=len(broken)), language)
        for line in finding_lines(broken[:MOST_SHOWN], language):
            click.echo(line, err=True)
    step = with_store(following, click.get_current_context().obj)
    tell(say("command.files-proposed", count=len(touched), step=step), language)
