"""remit explain: why a decision was made, or why a policy says nothing about a subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.loading import loaded
from remit.commands.options import (
    FactsArgument,
    at_option,
    facts_option,
    format_option,
    language_option,
    map_option,
    print_json,
    ref_option,
    store_of,
)

if TYPE_CHECKING:
    from remit.explaining import History
    from remit.git import Commit


@click.command()
@click.argument("what", metavar="DECISION | POLICY")
@click.argument("subject", required=False, metavar="[SUBJECT]")
@at_option
@facts_option
@map_option
@ref_option
@language_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    what: str,
    subject: str | None,
    at: datetime,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    ref: str | None,
    language: str | None,
    fmt: str,
) -> int:
    """Say why: the conditions with their values, the clock, the term, the people, the clause and the commit.

    Where a policy says nothing: which part failed, what would flip it, and when each level comes if nothing changes.

    Example: remit explain d-5300e9cde255 --at 2026-10-15T10:00:00+08:00

    Example: remit explain fault-handling TroubleTicket/gz-20261015-001 --at 2026-10-15T10:00:00+08:00
    """
    from remit.explaining import explain, find_decision, find_policy, find_subject
    from remit.reporters.explanation import explanation_lines
    from remit.reporters.explanation_json import explanation_json

    read = loaded(ctx, ref, facts, map_path)
    if subject is None:
        decision = find_decision(read, what, at)
        watch, moment = find_policy(read, decision.policy), max(decision.at or at, at)
        if not decision.in_force(moment):
            moment = decision.at or at
        entity = find_subject(read, watch, decision.subject)
    else:
        watch, moment = find_policy(read, what), at
        entity = find_subject(read, watch, subject)
    explanation = explain(read, watch, entity, moment, _history(ctx, ref))
    if subject is None:
        explanation = explanation.of_decision(what)
    if fmt == "json":
        print_json(explanation_json(explanation))
    else:
        for line in explanation_lines(explanation, language or read.snapshot.config.language):
            click.echo(line)
    return 0


def _history(ctx: click.Context, ref: str | None) -> History:
    """The last commit that touched a path of the store; nothing outside git, or before the first commit."""
    store = store_of(ctx)
    repository = store.repository
    known: dict[str, Commit | None] = {}

    def last(path: str) -> Commit | None:
        if repository is None or repository.head().commit is None or not path.startswith(("records/", "rules/")):
            return None
        if path not in known:
            commits = repository.log(ref or "HEAD", [store.prefix + path], 1)
            known[path] = commits[0] if commits else None
        return known[path]

    return last
