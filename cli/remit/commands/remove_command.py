"""remit remove: take a record away that nothing refers to."""

from __future__ import annotations

import click

from remit.commands.drafts import carry_out
from remit.commands.here import HERE
from remit.commands.options import answered, dry_run_option, format_option, store_of
from remit.recording import remove_record


@click.command("remove")
@click.argument("record", metavar="ID", type=HERE)
@dry_run_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, record: str, dry_run: bool, fmt: str) -> None:
    """Remove a record. Refused, with the list of users, while anything refers to it.

    Example: remit remove Visit/harbour-bank-2026-q4 --dry-run
    """
    draft = answered(ctx, lambda known: remove_record(known.snapshot, known.schemas, record))
    carry_out(draft, store_of(ctx), dry_run=dry_run, fmt=fmt)
