"""remit rename: give a record another name and rewrite every reference to it."""

from __future__ import annotations

import click

from remit.commands.drafts import carry_out
from remit.commands.here import HERE
from remit.commands.options import answered, dry_run_option, format_option, store_of
from remit.recording import rename_record


@click.command("rename")
@click.argument("record", metavar="ID", type=HERE)
@click.argument("name", metavar="NEW-NAME")
@dry_run_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, record: str, name: str, dry_run: bool, fmt: str) -> None:
    """Rename a record: its file, its metadata.name and every reference in records, policies and cases.

    Texts inside conditions are not rewritten; those that hold the old name are told.

    Example: remit rename Customer/harbour-bank harbour-bank-group --dry-run
    """
    draft = answered(ctx, lambda known: rename_record(known.snapshot, known.schemas, record, name))
    carry_out(draft, store_of(ctx), dry_run=dry_run, fmt=fmt)
