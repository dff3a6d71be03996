"""remit list: the records or policies of a kind."""

from __future__ import annotations

from typing import NamedTuple

import click

from remit.commands.options import Opened, answered, format_option, print_json, ref_option, say_unread
from remit.findings import Finding
from remit.lookup import find_kind
from remit.records import Asked, Record, Snapshot
from remit.reporters.csv_text import csv_text
from remit.reporters.record_text import cell_of, columns_of
from remit.reporters.terminal import plural, safe, table
from remit.schemas import KindSchema


@click.command("list")
@click.argument("kind", metavar="KIND")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "yaml", "json", "csv", "names"]),
    help="A table, the files, their contents as JSON, CSV, or ids only.  [default: table]",
)
@click.option("--where", metavar="CEL", help="Only those for which this holds; the record is `subject`.")
@format_option("text", "json")
@ref_option
@click.pass_context
def command(ctx: click.Context, kind: str, output: str | None, where: str | None, fmt: str, ref: str | None) -> None:
    """List the records or policies of KIND: Customer, customer and customers all mean the same.

    Example: remit list customers --where 'subject.customerGrade in ["group", "province"]' -o csv
    """
    records, schema, snapshot, findings = answered(ctx, lambda known: _listed(known, kind, where), ref)
    match output or {"text": "table"}.get(fmt, fmt):
        case "json":
            print_json([record.body for record in records])
        case "yaml":
            click.echo(_yaml(records, snapshot), nl=False)
        case "names":
            click.echo("".join(f"{safe(record.id)}\n" for record in records), nl=False)
        case "csv":
            language = snapshot.config.language
            columns = columns_of(schema, language)
            rows = [[cell_of(record, column, language) for column in columns] for record in records]
            click.echo(csv_text([column.path for column in columns], rows), nl=False)
        case _:
            _print_table(records, schema, snapshot.config.language)
    say_unread(findings)


class _Listed(NamedTuple):
    records: list[Record]
    schema: KindSchema
    snapshot: Snapshot
    findings: tuple[Finding, ...]


def _listed(known: Opened, kind: str, where: str | None) -> _Listed:
    schema = find_kind(known.schemas, kind)
    snapshot = known.snapshot.knowing(Asked(kinds=[schema.kind]))
    everything = (*snapshot.records, *snapshot.policies)
    records = sorted((r for r in everything if r.kind == schema.kind), key=lambda r: (r.name, r.path))
    if where is not None:
        if schema.kind not in known.schemas.kinds:
            raise click.UsageError("--where chooses records, not policies.")
        from remit.selecting import select

        records = select(snapshot, known.schemas, schema, records, where)
    return _Listed(records, schema, snapshot, known.findings)


def _print_table(records: list[Record], schema: KindSchema, language: str) -> None:
    columns = columns_of(schema, language)
    if records:
        rows = [[str(cell_of(record, column, language)) for column in columns] for record in records]
        click.echo(table(rows, [column.heading for column in columns]))
    click.echo(plural(len(records), "record"), err=True)


def _yaml(records: list[Record], snapshot: Snapshot) -> str:
    """The files as they are, one YAML document each."""
    texts = [snapshot.files[record.path].decode() for record in records]
    return "---\n".join(text if text.endswith("\n") else text + "\n" for text in texts)
