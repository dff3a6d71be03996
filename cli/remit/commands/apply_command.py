"""remit apply: put an approved change on the protected branch, as one commit that carries its approvals."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import click

from remit.commands.changing_context import desk
from remit.commands.options import at_option, format_option, print_json


@click.command("apply")
@click.argument("change_id", metavar="ID")
@at_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, change_id: str, at: datetime, fmt: str) -> None:
    """Apply a change that everybody approved whom the rules of its base ask. Doing it again finds it done.

    What is applied is exactly what was approved, it still does what it did when it was proposed, and the result must
    have no errors.

    Example: remit apply c-20261015-ab12cd
    """
    from remit.changing.applying import NotApplicable, apply
    from remit.changing.proposals import find
    from remit.judging import result_check
    from remit.planning import digest
    from remit.reporters.findings import finding_lines
    from remit.reporters.review import applied_json
    from remit.reporters.terminal import safe

    at_desk = desk(ctx, at)
    store = at_desk.store
    try:
        applied = apply(
            store,
            find(store, change_id).change.id,
            at=at,
            judge=at_desk.judge,
            check=result_check(store, at=at),
            foresee=partial(digest, at=at),
        )
    except NotApplicable as refusal:
        for line in finding_lines([one for one in refusal.findings if one.severity == "error"]):
            click.echo(line, err=True)
        raise
    following = [f"remit log {path}" for path in applied.change.manifest.paths[:1]]
    if fmt == "json":
        print_json({**applied_json(applied), "next": following})
        return
    done = "was applied already" if applied.already else "applied"
    click.echo(f"{applied.change.id} {done} as {applied.commit[:12]}  {safe(applied.change.title)}")
    for note in applied.notes:
        click.echo(f"note: {safe(note)}", err=True)
    for step in following:
        click.echo(f"Next: {safe(step)}", err=True)
