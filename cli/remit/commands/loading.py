"""What the asking commands share: a store with its feeds, read as the options say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remit.commands.options import FactsArgument, store_of
from remit.commands.speaking import language_at, tell
from remit.reporters.findings import finding_lines, summary
from remit.sentences import say

if TYPE_CHECKING:
    from remit.evaluating import Engine, Loaded
    from remit.findings import Finding


def loaded(
    ctx: click.Context,
    ref: str | None,
    facts: Sequence[FactsArgument] = (),
    map_path: Path | None = None,
    engine: Engine | None = "python",
) -> Loaded:
    """The store as of ``ref`` with the feeds given, or those of ``remit.yaml``; ``engine`` None is by their size."""
    from remit.evaluating import engine_for, feeds_of, load
    from remit.remembering import memory_of

    store = store_of(ctx)
    files = store.files(ref)
    feeds = feeds_of(files, store.root, facts, map_path)
    return load(files, feeds, engine or engine_for(feeds), memory=memory_of(store))


def strict_option(command: Any) -> Any:
    """``--strict``: rows that were left out make the command fail."""
    return click.option("--strict", is_flag=True, help="Fail (exit 1) when a row of a feed was left out.")(command)


def say_findings(findings: Sequence[Finding], *, most: int = 10) -> None:
    """On stderr: what was found on the way, shortened, with the way to see all of it."""
    language = language_at(str(click.get_current_context().find_root().obj))
    grave = [f for f in findings if f.severity != "info"]
    for line in finding_lines(grave[:most], language):
        click.echo(line, err=True)
    if len(grave) > most:
        tell(say("common.more-findings", count=len(grave) - most), language)
    elif grave:
        click.echo(summary(grave, language), err=True)
