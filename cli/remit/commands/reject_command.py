"""remit reject: say no to a change as it is now, and why."""

from __future__ import annotations

from datetime import datetime

import click

from remit.commands.changing_context import desk
from remit.commands.options import at_option, format_option, print_json
from remit.sentences import say, spoken


@click.command()
@click.argument("change_id", metavar="ID")
@click.option("-m", "--message", required=True, metavar="TEXT", help="What should be different.")
@at_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, change_id: str, message: str, at: datetime, fmt: str) -> None:
    """Reject a change. One rejection outweighs every approval until the same person approves.

    Example: remit reject c-20261015-ab12cd -m "The grade is the group's to decide"
    """
    from remit.changing.proposals import find
    from remit.changing.reviewing import reject
    from remit.commands.speaking import name_next
    from remit.reporters.terminal import safe

    at_desk = desk(ctx, at)
    found = find(at_desk.store, change_id)
    rejection = reject(at_desk.store, found.change.id, message, at=at, sign=at_desk.sign)
    following = [f"remit review {rejection.change}"]
    if fmt == "json":
        said = {"id": rejection.change, "person": rejection.person, "reason": rejection.reason}
        print_json({**said, "next": following})
        return
    language, title = at_desk.config.language, found.change.title
    done = say("command.rejected", person=rejection.person, change=rejection.change, title=title)
    click.echo(safe(spoken(done, language)))
    name_next(ctx, following, language)
