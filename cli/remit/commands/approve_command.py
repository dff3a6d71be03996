"""remit approve: say yes to a change exactly as it is now."""

from __future__ import annotations

from datetime import datetime

import click

from remit.commands.changing_context import desk
from remit.commands.options import INSTANT, at_option, format_option, print_json
from remit.sentences import say, spoken


@click.command()
@click.argument("change_id", metavar="ID")
@click.option("-m", "--message", default="", metavar="TEXT", help="What to say with it.")
@click.option("--not-after", type=INSTANT, metavar="INSTANT", help="The approval counts until then only.")
@at_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context, change_id: str, message: str, not_after: datetime | None, at: datetime, fmt: str
) -> None:
    """Approve a change as the Person whose e-mail git knows you by. Nobody approves what he wrote a part of.

    When the change went on after you looked at it with remit review, nothing is approved: look again.

    Example: remit approve c-20261015-ab12cd
    """
    from remit.changing.proposals import find
    from remit.changing.reviewing import approve
    from remit.commands.speaking import name_next, tell
    from remit.reporters.review import following_commands, proposal_json
    from remit.reporters.terminal import safe

    at_desk = desk(ctx, at)
    id = find(at_desk.store, change_id).change.id
    seen, sign = at_desk.last_seen(id), at_desk.sign
    approval = approve(at_desk.store, id, at=at, not_after=not_after, reason=message, seen=seen, sign=sign)
    proposal = find(at_desk.store, approval.change, at=at, judge=at_desk.judge, fetch=False)
    requirements = at_desk.requirements(proposal)
    following = following_commands(proposal, requirements, approval.person, at_desk.store.prefix)
    if fmt == "json":
        told = proposal_json(proposal, requirements, at_desk.review_due(proposal))
        print_json({"person": approval.person, "change": told, "next": following})
        return
    language, title = at_desk.config.language, proposal.change.title
    done = say("command.approved", person=approval.person, change=approval.change, title=title)
    click.echo(safe(spoken(done, language)))
    mine = [one for one in requirements if approval.person in one.given_by]
    if not mine:
        tell(say("command.not-asked"), language)
    for one in requirements:
        click.echo(f"  [{'x' if one.satisfied else ' '}] {safe(one.rule)}: {safe(spoken(one.need, language))}")
    name_next(ctx, following, language)
