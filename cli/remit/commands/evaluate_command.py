"""remit evaluate: the decisions in force at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from remit.commands.asking import asked, asking_options, fail_on_option, output
from remit.commands.options import FactsArgument, at_option


@click.command()
@at_option
@asking_options
@fail_on_option
@click.pass_context
def command(
    ctx: click.Context,
    at: datetime,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    ref: str | None,
    fmt: str,
    show_all: bool,
    strict: bool,
    fail_on: str | None,
) -> int:
    """Say which decisions are in force: who must be told what, since when, and why.

    Example: remit evaluate --facts feeds/tickets.jsonl --at 2026-10-15T10:00:00+08:00
    """
    from remit.evaluating import decide, in_force

    loaded = asked(ctx, ref, facts, map_path)
    found = decide(loaded, None, at, read_at=at)
    decisions = list(in_force(found, at))
    return output(loaded, found, decisions, at, {}, fmt, show_all=show_all, strict=strict, fail_on=fail_on)
