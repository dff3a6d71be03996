"""remit plan: what a change does to people, due times and scores, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from remit.commands.options import (
    FactsArgument,
    at_option,
    facts_option,
    format_option,
    map_option,
    print_json,
    store_of,
)


@click.command()
@click.argument("revisions", metavar="[BASE[..HEAD]]", default="")
@at_option
@click.option("--over", default="90d", show_default=True, metavar="SPAN", help="How far to look back.")
@click.option("--within", default="30d", show_default=True, metavar="SPAN", help="How far to look ahead.")
@facts_option
@map_option
@click.option("--all", "everything", is_flag=True, help="Show every line, not the first few of each part.")
@format_option("text", "json", "markdown")
@click.pass_context
def command(
    ctx: click.Context,
    revisions: str,
    at: datetime,
    over: str,
    within: str,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    everything: bool,
    fmt: str,
) -> int:
    """Say what a change does: who would be told more, less or differently, which running clocks are due at another
    time, which decisions, scores and ranks come, go or change, who must approve it, and what it would break.

    BASE is the protected branch when not given (HEAD when that is checked out), HEAD the working tree. Both are asked
    about the same facts, over a window around --at. The gravest comes first.

    Example: remit plan main..change/c-20261015-ab12cd --facts feeds/tickets.jsonl

    Exit code 1 when the change would add an error.
    """
    from remit.evaluating import feeds_of
    from remit.findings import has_errors
    from remit.planning import approvals_needed, plan, readings_of
    from remit.records import build_snapshot
    from remit.reporters.plan import plan_markdown, plan_text
    from remit.store import CONFIG

    store = store_of(ctx)
    base, _, head = revisions.partition("..")
    before, after = store.files(base or _base(ctx)), store.files(head or None)
    readings = readings_of(feeds_of(after, store.root, facts, map_path))
    found = plan(
        before,
        after,
        readings,
        at,
        over=over,
        within=within,
        approvals=approvals_needed(store, before, after, at),
    )
    if fmt == "json":
        print_json(found.to_json())
    else:
        config = build_snapshot({CONFIG: after.blobs[CONFIG]}).config
        show = plan_markdown if fmt == "markdown" else plan_text
        click.echo(show(found, config.language, config.zone, everything=everything), nl=False)
    return int(has_errors(found.findings))


def _base(ctx: click.Context) -> str:
    """The commit that a change would go on: HEAD on the protected branch itself, its tip anywhere else."""
    from remit.changing.targets import target

    store = store_of(ctx)
    aim = target(store, fetch=False)
    return "HEAD" if aim.repository.head().branch == aim.branch else aim.tip
