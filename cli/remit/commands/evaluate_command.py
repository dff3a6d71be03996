"""remit evaluate: the decisions in force at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.asking import asked, asking_options, fail_on_option, output
from remit.commands.options import FactsArgument, at_option, store_of

if TYPE_CHECKING:
    from remit.decisions import Decision
    from remit.evaluating import Engine, Loaded


@click.command()
@at_option
@asking_options
@fail_on_option
@click.option("--propose", "proposing", is_flag=True, help="Propose the follow-up records that decisions ask for.")
@click.pass_context
def command(
    ctx: click.Context,
    at: datetime,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    engine: Engine | None,
    ref: str | None,
    fmt: str,
    show_all: bool,
    strict: bool,
    fail_on: str | None,
    proposing: bool,
) -> int:
    """Say which decisions are in force: who must be told what, since when, and why.

    Example: remit evaluate --facts feeds/tickets.jsonl --at 2026-10-15T10:00:00+08:00
    """
    from remit.evaluating import decide, in_force

    loaded = asked(ctx, ref, facts, map_path, engine)
    found = decide(loaded, None, at, read_at=at, standing=True)
    decisions = list(in_force(found, at))
    code = output(loaded, found, decisions, at, {}, fmt, show_all=show_all, strict=strict, fail_on=fail_on)
    if proposing:
        _propose(ctx, loaded, decisions)
    return code


def _propose(ctx: click.Context, loaded: Loaded, decisions: Sequence[Decision]) -> None:
    """Put the follow-ups into one change and say on stderr which, or why there is none."""
    from datetime import UTC

    from remit.following import propose_follow_ups
    from remit.reporters.terminal import plural

    made = propose_follow_ups(store_of(ctx), loaded, decisions, at=datetime.now(UTC).replace(microsecond=0))
    if made.already:
        click.echo(f"{plural(len(made.already), 'follow-up')} proposed or applied before", err=True)
    if made.change is None:
        click.echo("no new follow-up to propose", err=True)
        return
    for path in made.paths:
        click.echo(f"new  {path}", err=True)
    click.echo(f"proposed as {made.change.id}; next: remit review {made.change.id}", err=True)
