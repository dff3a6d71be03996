"""remit export: what other programs read of a store."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from remit.commands.options import at_option, language_option, ref_option, store_of


@click.group()
def command() -> None:
    """Write what other programs read of a store.

    Example: remit export codeowners
    """


@command.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there.")
@at_option
@ref_option
@language_option
@click.pass_context
def codeowners(ctx: click.Context, out: Path | None, at: datetime, ref: str | None, language: str | None) -> None:
    """The approval policies as a CODEOWNERS file, which GitHub and GitLab ask for reviews by.

    Each path has everybody who could approve some change of it at --at, by e-mail. What a forge cannot know is said in
    comments: fields, conditions, how many must approve. Paths begin at the top of the repository.

    Example: remit export codeowners --out .github/CODEOWNERS
    """
    from remit.codeowners import codeowners_text, owned
    from remit.errors import InvalidStore
    from remit.evaluating import load
    from remit.policies.approvers import Ground
    from remit.reporters.terminal import safe
    from remit.store import write_whole

    store = store_of(ctx)
    read = load(store.files(ref))
    policies = read.policies.approvals
    written = sum(record.kind == "ApprovalPolicy" for record in read.snapshot.policies)
    if len(policies) < written:
        raise InvalidStore(f"Only {len(policies)} of {written} approval policies can be read.", "See: remit check")
    lines = owned(policies, read.snapshot, Ground(read.world, read.world, at))
    spoken = language or read.snapshot.config.language
    text = codeowners_text(lines, policies, read.world, prefix=store.prefix, language=spoken)
    if out is None:
        click.echo(text, nl=False)
        return
    write_whole(out, text.encode())
    click.echo(f"{safe(str(out))} is written.", err=True)
