"""remit replay: every decision whose instant lies between two others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.asking import asked, asking_options, fail_on_option, output
from remit.commands.options import INSTANT, FactsArgument

if TYPE_CHECKING:
    from remit.evaluating import Engine


@click.command()
@click.option("--from", "start", type=INSTANT, required=True, metavar="INSTANT", help="After this instant.")
@click.option("--to", "end", type=INSTANT, default="now", metavar="INSTANT", help="Up to this one.  [default: now]")
@asking_options
@fail_on_option
@click.pass_context
def command(
    ctx: click.Context,
    start: datetime,
    end: datetime,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    engine: Engine | None,
    ref: str | None,
    fmt: str,
    show_all: bool,
    strict: bool,
    fail_on: str | None,
) -> int:
    """List every decision that became true after --from and up to --to, in the order of its instant.

    Example: remit replay --facts feeds/tickets.jsonl --from 2026-10-01T00:00:00+08:00 --to 2026-10-15T00:00:00+08:00
    """
    from remit.evaluating import decide
    from remit.times import format_instant

    if end < start:
        raise click.UsageError("--to lies before --from.")
    loaded = asked(ctx, ref, facts, map_path, engine)
    found = decide(loaded, start, end)
    decisions = [d for d in found.decisions if d.at is not None]
    window = {"from": format_instant(start), "to": format_instant(end)}
    return output(loaded, found, decisions, end, window, fmt, show_all=show_all, strict=strict, fail_on=fail_on)
