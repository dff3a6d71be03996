"""remit unset: take fields out of a record in the working tree."""

from __future__ import annotations

import click

from remit.commands.drafts import carry_out
from remit.commands.here import HERE
from remit.commands.options import answered, dry_run_option, format_option, store_of
from remit.recording import unset_fields


@click.command("unset")
@click.argument("record", metavar="ID", type=HERE)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@dry_run_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, record: str, paths: tuple[str, ...], dry_run: bool, fmt: str) -> None:
    """Remove fields, or items of lists, from a record. Refused when the schema requires them.

    All list positions count in the record as it is now.

    Example: remit unset Customer/harbour-bank industry
    """
    draft = answered(ctx, lambda known: unset_fields(known.snapshot, known.schemas, record, paths))
    carry_out(draft, store_of(ctx), dry_run=dry_run, fmt=fmt)
