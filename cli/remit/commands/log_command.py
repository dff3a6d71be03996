"""remit log: the history of a record, or of the whole store, with the changes and approvals behind it."""

from __future__ import annotations

import sys

import click

from remit.commands.here import HERE
from remit.commands.options import format_option, opened, opened_for, print_json, ref_option


@click.command()
@click.argument("record_id", metavar="[ID]", default="", type=HERE)
@click.option("-n", "--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N.")
@ref_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, record_id: str, limit: int | None, ref: str | None, fmt: str) -> None:
    """Show which commits touched a record: who wrote them, by which change, and who approved it.

    ID is Kind/name, a path, or a name or title that only one record has; without it, the whole store.

    Example: remit log Customer/harbour-bank
    """
    from remit.changing.histories import log_of
    from remit.commands.speaking import columns_of
    from remit.errors import NotFound
    from remit.lookup import find_record
    from remit.reporters.review import entry_json, log_text

    store, snapshot, schemas, _ = opened_for(ctx, record_id, ref) if record_id else opened(ctx, ref)
    name = record_id
    if record_id:
        try:
            name = find_record(snapshot, schemas, record_id).path
        except NotFound:
            name = record_id  # a record that is gone has a history all the same
    entries = log_of(store, name, ref=ref or "HEAD", limit=limit)
    if fmt == "json":
        print_json({"of": name, "entries": [entry_json(entry) for entry in entries]})
        return
    columns = columns_of(sys.stdout)
    click.echo(log_text(entries, snapshot.config.language, snapshot.config.zone, columns), nl=False)
