"""remit changes: the proposed changes and where each stands."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from remit.commands.changing_context import desk
from remit.commands.options import at_option, format_option, print_json
from remit.sentences import say

_OVER = ("applied", "withdrawn")


@click.command()
@click.option("--all", "show_all", is_flag=True, help="Also those that are applied or withdrawn.")
@at_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, show_all: bool, at: datetime, fmt: str) -> None:
    """List proposed changes: state, who proposed them, and how many approvals are missing. Those that were applied in
    an emergency stay until somebody has looked at them.

    Example: remit changes --all
    """
    from remit.changing.proposals import changes
    from remit.commands.speaking import columns_of, tell
    from remit.reporters.review import changes_text, proposal_json

    at_desk = desk(ctx, at)
    found = changes(at_desk.store, at=at, judge=at_desk.judge)
    shown = [one for one in found if show_all or one.state not in _OVER or one.owed]
    rows = [(one, at_desk.requirements(one)) for one in shown]
    if fmt == "json":
        print_json({"changes": [proposal_json(one, asked, at_desk.review_due(one)) for one, asked in rows]})
        return
    click.echo(changes_text(rows, at_desk.config.language, at_desk.config.zone, at, columns_of(sys.stdout)), nl=False)
    hidden = len(found) - len(shown)
    counted = say("command.changes-and-hidden", count=len(shown), hidden=hidden)
    tell(counted if hidden else say("command.changes", count=len(shown)), at_desk.config.language)
