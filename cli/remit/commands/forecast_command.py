"""remit forecast: the decisions that will come if nothing else happens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.asking import asked, asking_options, fail_on_option, output
from remit.commands.options import FactsArgument, at_option

if TYPE_CHECKING:
    from remit.evaluating import Engine


@click.command()
@at_option
@click.option("--within", metavar="DURATION", default="4h", show_default=True, help="How far, such as 4h or 2d.")
@asking_options
@fail_on_option
@click.pass_context
def command(
    ctx: click.Context,
    at: datetime,
    within: str,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    engine: Engine | None,
    ref: str | None,
    fmt: str,
    show_all: bool,
    strict: bool,
    fail_on: str | None,
) -> int:
    """Say which decisions will become true after --at and within --within, if nothing else happens.

    Example: remit forecast --facts feeds/tickets.jsonl --at 2026-10-15T10:00:00+08:00 --within 4h
    """
    from remit.evaluating import decide
    from remit.times import format_instant

    loaded = asked(ctx, ref, facts, map_path, engine)
    end = _end(at, within, loaded.snapshot.config.timezone)
    found = decide(loaded, at, end)
    decisions = [d for d in found.decisions if d.at is not None]
    window = {"from": format_instant(at), "to": format_instant(end)}
    return output(loaded, found, decisions, at, window, fmt, show_all=show_all, strict=strict, fail_on=fail_on)


def _end(at: datetime, within: str, timezone: str) -> datetime:
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from remit.times import parse_duration, shifted

    try:
        duration = parse_duration(within)
        if duration.seconds is not None:
            return at + timedelta(seconds=duration.seconds)
        if duration.is_working:
            raise ValueError(f"{within!r} counts working time; expected a span such as 4h, 2d or 1mo")
        return shifted(at, duration, ZoneInfo(timezone))
    except ValueError as error:
        raise click.UsageError(f"--within: {error}") from error
