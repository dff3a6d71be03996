"""remit apply: put an approved change on the protected branch, as one commit that carries its approvals."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import click

from remit.commands.changing_context import desk
from remit.commands.options import at_option, format_option, print_json
from remit.sentences import say, spoken


@click.command("apply")
@click.argument("change_id", metavar="ID")
@click.option("--emergency", is_flag=True, help="Apply it now, as one whom the rules name for that; say why with -m.")
@click.option("-m", "--message", default="", metavar="TEXT", help="Why it cannot wait.")
@at_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, change_id: str, emergency: bool, message: str, at: datetime, fmt: str) -> None:
    """Apply a change that everybody approved whom the rules of its base ask. Doing it again finds it done.

    What is applied is exactly what was approved, it still does what it did when it was proposed, and the result must
    have no errors.

    In an emergency one person applies it whom the approval rules name for that. Those who must approve do so
    afterwards, and apply puts on record that they have.

    Example: remit apply c-20261015-ab12cd
    """
    from remit.changing.applying import NotApplicable, apply, apply_in_emergency
    from remit.changing.proposals import find
    from remit.commands.speaking import name_next, tell
    from remit.judging import result_check
    from remit.planning import digest
    from remit.reporters.findings import finding_lines
    from remit.reporters.review import applied_json, history_command
    from remit.reporters.terminal import safe
    from remit.times import in_zone

    if message and not emergency:
        raise click.UsageError(say("command.emergency-message"))
    at_desk = desk(ctx, at)
    language = at_desk.config.language
    store = at_desk.store
    id, check = find(store, change_id).change.id, result_check(store, at=at)
    at = in_zone(at, at_desk.config.zone)
    try:
        if emergency:
            applied = apply_in_emergency(
                store, id, message, at=at, judge=at_desk.judge, emergency=at_desk.judge.emergency, check=check,
                sign=at_desk.sign,
            )  # fmt: skip
        else:
            applied = apply(store, id, at=at, judge=at_desk.judge, check=check, foresee=partial(digest, at=at))
    except NotApplicable as refusal:
        for line in finding_lines([one for one in refusal.findings if one.severity == "error"], language):
            click.echo(line, err=True)
        raise
    following = history_command(applied.change, store.prefix)
    if fmt == "json":
        print_json({**applied_json(applied), "next": following})
        return
    done = "already" if applied.already else "in-emergency" if emergency else "now"
    about = {"change": applied.change.id, "commit": applied.commit[:12], "title": applied.change.title}
    click.echo(safe(spoken(say(f"command.applied-{done}", **about), language)))
    if applied.reviewed:
        click.echo(spoken(say("command.review-on-record", commit=applied.reviewed[:12]), language))
    for note in applied.notes:
        tell(say("common.note", text=note), language)
    name_next(ctx, following, language)
