"""remit facts: what was read from feeds, and what was refused and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from remit.commands.loading import loaded, strict_option
from remit.commands.options import FactsArgument, facts_option, format_option, map_option, print_json, ref_option


@click.command()
@click.argument("files", nargs=-1, metavar="[[KIND=]PATH]...")
@facts_option
@map_option
@ref_option
@click.option("--show", "show", is_flag=True, help="Print the accepted facts too, as JSON Lines.")
@strict_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    files: Sequence[str],
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    ref: str | None,
    show: bool,
    strict: bool,
    fmt: str,
) -> int:
    """Read feeds and say what became of every row: accepted, or refused, where and why.

    Example: remit facts TroubleTicket=feeds/tickets.jsonl feeds/orders.csv --map feeds/orders.map.yaml
    """
    from remit.commands.options import FactsType
    from remit.reporters.findings import finding_lines, summary
    from remit.reporters.terminal import table

    kinds = FactsType()
    arguments = [*facts, *(kinds.convert(file, None, ctx) for file in files)]
    read = loaded(ctx, ref, arguments, map_path)
    if fmt == "json":
        print_json({"sources": [r.to_json() for r in read.reports], "findings": [f.to_json() for f in read.findings]})
    elif show:
        _show(read)
    else:
        head = ("source", "format", "rows", "accepted", "rejected")
        rows = [(r.path, r.format, str(r.rows), str(r.accepted), str(r.rejected)) for r in read.reports]
        click.echo(table(rows, head) if rows else "No feeds: name files, or list sources in remit.yaml.")
        for report in read.reports:
            for name, number in sorted(report.extra.items()):
                click.echo(f"{report.path}: {name} {number}")
        language = read.snapshot.config.language
        for line in finding_lines(read.findings, language):
            click.echo(line)
        click.echo(summary(read.findings, language))
    rejected = any(r.rejected for r in read.reports) or any(f.code == "unreadable-feed" for f in read.findings)
    unreadable = any(f.code == "unreadable-feed" for f in read.findings)
    return 1 if unreadable or (strict and rejected) else 0


def _show(read: object) -> None:
    import json

    from remit.evaluating import Loaded

    assert isinstance(read, Loaded)
    for kind in sorted(read.schemas.kinds):
        for entity in read.world.all(kind):
            if entity.record is None:
                click.echo(json.dumps({"kind": kind, "id": entity.name, **entity.spec}, ensure_ascii=False))
