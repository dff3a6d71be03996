"""remit set: set fields of a record in the working tree, checked before they are written."""

from __future__ import annotations

import click

from remit.commands.drafts import carry_out
from remit.commands.here import HERE
from remit.commands.options import answered, dry_run_option, format_option, store_of
from remit.recording import set_fields


@click.command("set")
@click.argument("record", metavar="ID", type=HERE)
@click.argument("assignments", metavar="PATH=VALUE...", nargs=-1, required=True)
@dry_run_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, record: str, assignments: tuple[str, ...], dry_run: bool, fmt: str) -> None:
    """Set fields of a record. Comments, order and everything else in the file stay as they are.

    A path names a field of spec with dots (roles.ceB), list items as [0] or, for one more, [+]; metadata.title and the
    like are in the envelope. A value is what the schema says: a text needs no quotes of its own, a list or mapping is
    written as JSON or YAML on one line.

    Example: remit set Customer/harbour-bank status=at_risk 'metadata.title.zh=海港银行股份'
    """
    draft = answered(ctx, lambda known: set_fields(known.snapshot, known.schemas, record, assignments))
    carry_out(draft, store_of(ctx), dry_run=dry_run, fmt=fmt)
