"""remit check: everything that is wrong with a store."""

from __future__ import annotations

import sys
from datetime import datetime
from functools import partial

import click

from remit.commands.loading import loaded
from remit.commands.options import at_option, format_option, print_json, ref_option, store_of
from remit.reporters.finding_formats import FORMATS
from remit.sentences import say, spoken

SAYS = ("verdict: emergency",)
"""What stands in the commit of a change that went in by an emergency."""


@click.command()
@click.option("--since", metavar="REF", help="Also judge the way from here on: transitions; levels without cases.")
@at_option
@ref_option
@format_option("text", "json", *FORMATS)
@click.pass_context
def command(ctx: click.Context, since: str | None, at: datetime, ref: str | None, fmt: str) -> int:
    """Find everything that is wrong: YAML, schemas, references, policies, who is reached, and cases; under git also
    emergency changes that nobody has looked at since.

    Example: remit check --since origin/main

    The formats of forges and build servers name files from the top of the repository.

    Exit code 1 when there is an error; warnings alone give 0.
    """
    from remit import rechecking
    from remit.commands.speaking import language_at
    from remit.findings import count, has_errors, in_order
    from remit.remembering import memory_of
    from remit.reporters.findings import finding_lines, from_top, summary
    from remit.reporters.progress import Progress
    from remit.spreading import over_cores

    store = store_of(ctx)
    commit = None
    progress = Progress(sys.stderr)
    spread = partial(over_cores, tell=progress, meanwhile=_get_ready)
    if ref is None and not store.is_bare:
        verdict = rechecking.check_working(store, memory_of(store), at=at, spread=spread)
    else:
        files = store.files(ref)
        commit = files.commit
        verdict = rechecking.check_files(files, store.root, memory_of(store), at=at, store=store, spread=spread)
    progress.end()
    findings = verdict.findings
    if since is not None:
        way = rechecking.since(store, memory_of(store), ref, store.files(since))
        if way is None:
            from remit import checking  # slow to import: only where everything is read

            way = checking.since(loaded(ctx, ref), loaded(ctx, since))
        findings = in_order((*findings, *way))
    repository = store.repository
    if (
        repository is not None
        and repository.exists("HEAD")
        and repository.reachable(ref or "HEAD", limit=1, saying=SAYS)
    ):
        from remit.owing import owed_findings  # slow to import: only where there was an emergency

        findings = in_order((*findings, *owed_findings(store, ref or "HEAD", at)))
    if fmt == "json":
        found = [f.to_json() for f in findings]
        print_json({"findings": found, "counts": count(findings), "commit": commit})
    elif fmt in FORMATS:
        click.echo(FORMATS[fmt](from_top(findings, store.prefix)), nl=False)
    else:
        language = language_at(ctx.obj)
        for line in finding_lines(findings, language):
            click.echo(line)
        counted = say("common.checked", records=verdict.records, policies=verdict.policies)
        click.echo(f"{spoken(counted, language)}{summary(findings, language)}")
    return int(has_errors(findings))


def _get_ready() -> None:
    """Load what judges a store; slow, and to be done while others already read."""
    import remit.surveying  # noqa: F401
