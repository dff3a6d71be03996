"""remit new: make a record in the working tree, checked before it is written."""

from __future__ import annotations

import click

from remit.commands.drafts import carry_out
from remit.commands.options import answered, dry_run_option, format_option, store_of
from remit.recording import new_record


@click.command("new")
@click.argument("kind", metavar="KIND")
@click.argument("name", metavar="NAME")
@click.option("--set", "assignments", metavar="PATH=VALUE", multiple=True, help="Set a field; again for each.")
@click.option("--title", metavar="TEXT", default="", help="The title; with --title-zh, the English one.")
@click.option("--title-zh", metavar="TEXT", default="", help="The Chinese title.")
@dry_run_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    kind: str,
    name: str,
    assignments: tuple[str, ...],
    title: str,
    title_zh: str,
    dry_run: bool,
    fmt: str,
) -> None:
    """Make a record of KIND called NAME (lower-case letters, digits and dashes).

    Example: remit new Site east-gate --title 'East gate' --title-zh 东门 --set customer=harbour-bank
    """
    titles = {language: text for language, text in (("en", title), ("zh", title_zh)) if text}
    called = titles if title_zh else title
    draft = answered(
        ctx, lambda known: new_record(known.snapshot, known.schemas, kind, name, assignments=assignments, title=called)
    )
    carry_out(draft, store_of(ctx), dry_run=dry_run, fmt=fmt)
