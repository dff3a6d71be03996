"""remit blame: for each field of a record, the change that last set it."""

from __future__ import annotations

import sys

import click

from remit.commands.here import HERE
from remit.commands.options import format_option, opened_for, print_json, ref_option


@click.command()
@click.argument("record_id", metavar="ID", type=HERE)
@ref_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, record_id: str, ref: str | None, fmt: str) -> None:
    """Show who last set each field of a record: commit, author, change and who approved it.

    ID is Kind/name, a path, or a name or title that only one record has. The record is read as the newest commit has
    it. A field keeps its commit when lines or list items around it move.

    Example: remit blame Customer/harbour-bank
    """
    from remit.blaming import blame_of
    from remit.commands.speaking import columns_of
    from remit.lookup import find_record
    from remit.reporters.blame import blame_json, blame_text

    store, snapshot, schemas, _ = opened_for(ctx, record_id, ref or "HEAD")
    record = find_record(snapshot, schemas, record_id)
    blame = blame_of(store, record.path, ref=ref or "HEAD")
    if fmt == "json":
        print_json(blame_json(blame, record.id))
        return
    columns = columns_of(sys.stdout)
    click.echo(blame_text(blame, snapshot.config.language, snapshot.config.zone, columns), nl=False)
