"""remit search: find text in records and policies."""

from __future__ import annotations

import click

from remit.commands.options import format_option, opened, print_json, ref_option, say_unread
from remit.places import pointer_text
from remit.reporters.terminal import plural, safe
from remit.searching import Hit, search


@click.command("search")
@click.argument("text", metavar="TEXT")
@format_option("text", "json")
@ref_option
@click.pass_context
def command(ctx: click.Context, text: str, fmt: str, ref: str | None) -> None:
    """Find TEXT in the names, titles and values of records and policies; upper and lower case are the same.

    Example: remit search 海港
    """
    if not text.strip():
        raise click.UsageError("Say what to look for.", ctx)
    _, snapshot, _, findings = opened(ctx, ref)
    hits = search(snapshot, text)
    language = snapshot.config.language
    if fmt == "json":
        print_json([_as_json(hit, language) for hit in hits])
    else:
        for hit in hits:
            click.echo(safe(f"{hit.place}  {hit.record.id}  {hit.record.title(language)}"))
            click.echo(f"    {safe(hit.line)}")
        records = len({hit.record.path for hit in hits})
        click.echo(f"{plural(len(hits), 'line')} in {plural(records, 'file')}", err=True)
    say_unread(findings)


def _as_json(hit: Hit, language: str) -> dict[str, object]:
    return {
        "id": hit.record.id,
        "title": hit.record.title(language),
        "path": hit.place.path,
        "line": hit.place.line,
        "column": hit.place.column,
        "pointer": pointer_text(hit.pointer),
        "text": hit.line,
    }
