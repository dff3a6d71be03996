"""remit audit: prove the history of the protected branch from its root of trust."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import click

from remit.commands.options import at_option, format_option, print_json, store_of
from remit.sentences import say


@click.command("audit")
@click.argument("within", metavar="[RANGE]", required=False)
@click.option(
    "--root", metavar="COMMIT", help="The root of trust.  [default: git config remit.root, or the first commit]"
)
@click.option("--check", "checked", is_flag=True, help="Also check the whole store as every commit left it; slower.")
@click.option("--offline", is_flag=True, help="Do not ask the origin what it shows now.")
@click.option("--suspect", metavar="FINGERPRINT", help="Instead, list what was said with this key.")
@click.option("--since", metavar="COMMIT", help="With --suspect: only after this commit.")
@at_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    within: str | None,
    root: str | None,
    checked: bool,
    offline: bool,
    suspect: str | None,
    since: str | None,
    at: datetime,
    fmt: str,
) -> int:
    """Prove every commit of the protected branch: approved by whom its parent asks, signed, in order, undamaged.

    RANGE is FROM..TO; without it, everything after the root of trust. What is proved is what is here; an origin is
    only asked what it shows now, and one that took commits back or rewrote them is named. When everything holds, the
    tip is kept as refs/remit/verified/BRANCH, and a history that no longer comes after it is called rewritten.

    Exit code 1 when anything was found.

    Example: remit audit --root v1.0
    """
    from remit.auditing import audit, traces
    from remit.commands.speaking import language_at
    from remit.judging import law_of
    from remit.reporters.audit import audit_json, audit_lines, trace_lines, traces_json

    store = store_of(ctx)
    if suspect is not None:
        found = traces(store, suspect, since)
        if fmt == "json":
            print_json(traces_json(found, suspect))
        else:
            click.echo("\n".join(trace_lines(found, suspect, language_at(ctx.obj))))
        return int(bool(found))
    if since is not None:
        raise click.UsageError(say("command.since-with-suspect"), ctx)
    done = audit(store, partial(law_of, store, checked=checked), now=at, within=within, root=root, ask=not offline)
    if fmt == "json":
        print_json(audit_json(done))
    else:
        click.echo("\n".join(audit_lines(done, language_at(ctx.obj))))
    return int(bool(done.troubles or done.owed))
