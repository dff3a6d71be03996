"""remit assess: a scorecard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.loading import loaded, say_findings, strict_option
from remit.commands.options import (
    FactsArgument,
    at_option,
    facts_option,
    format_option,
    map_option,
    print_json,
    ref_option,
)

if TYPE_CHECKING:
    from remit.policies.assessment import Assessment, Measure
    from remit.scorecards import Scorecard, SubjectScore


@click.command()
@click.argument("policy", metavar="POLICY")
@click.option("--period", required=True, metavar="PERIOD", help="A period such as 2026-10, 2026-Q4 or 2026.")
@at_option
@click.option("--list", "measure", metavar="MEASURE", help="List the facts behind the figures of this measure.")
@click.option("--subject", metavar="NAME", help="Only this subject.")
@facts_option
@map_option
@ref_option
@format_option("text", "json", "csv")
@strict_option
@click.pass_context
def command(
    ctx: click.Context,
    policy: str,
    period: str,
    at: datetime,
    measure: str | None,
    subject: str | None,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    ref: str | None,
    fmt: str,
    strict: bool,
) -> int:
    """Score PERIOD with the assessment policy POLICY: figures, scores and ranks, as of the period's end or of --at.

    Example: remit assess response-centre --period 2026-09 --list provisioning
    """
    from dataclasses import replace

    from remit.assessing import find_assessment, score
    from remit.findings import has_errors
    from remit.reporters import scorecards

    store = loaded(ctx, ref, facts, map_path)
    scorecard = score(store, policy, period, at=at)
    assessment = find_assessment(store, policy)
    one = None if measure is None else _measure_of(assessment, measure)
    scorecard = replace(scorecard, subjects=_chosen(scorecard, assessment, subject))
    language = store.snapshot.config.language

    def title_of(ref: str) -> str:
        kind, _, name = ref.partition("/")
        entity = store.world.get(kind, name)
        return entity.title(language) if entity else name

    match fmt:
        case "json":
            listed = {} if one is None else {"facts": scorecards.listed(scorecard.subjects, one.name)}
            print_json({**scorecard.to_json(store.snapshot.commit or None), **listed})
        case "csv" if one is not None:
            click.echo(scorecards.facts_csv(scorecard.subjects, one.name), nl=False)
        case "csv":
            click.echo(scorecards.scorecard_csv(scorecard, assessment, title_of), nl=False)
        case _:
            for line in scorecards.scorecard_text(scorecard, assessment, title_of, language):
                click.echo(line)
            for line in scorecards.facts_text(scorecard.subjects, one, title_of, language) if one else ():
                click.echo(line)
    if fmt != "json":
        say_findings(scorecard.findings)
    left_out = strict and any(report.rejected for report in store.reports)
    return int(left_out or has_errors(f for f in scorecard.findings if f.record == assessment.record.id))


def _measure_of(assessment: Assessment, name: str) -> Measure:
    from remit.errors import NotFound
    from remit.findings import did_you_mean

    known = {one.name: one for one in assessment.measures}
    if name not in known:
        raise NotFound(f"{assessment.name} has no measure {name!r}.", did_you_mean(name, known))
    return known[name]


def _chosen(scorecard: Scorecard, assessment: Assessment, subject: str | None) -> tuple[SubjectScore, ...]:
    """The lines that are asked for; all without ``--subject``."""
    from remit.errors import NotFound
    from remit.findings import did_you_mean

    if subject is None:
        return scorecard.subjects
    kind = f"{assessment.subject}/"
    line = scorecard.of(subject if subject.startswith(kind) else kind + subject)
    if line is None:
        names = [one.subject.removeprefix(kind) for one in scorecard.subjects]
        raise NotFound(f"{subject!r} is not on the scorecard.", did_you_mean(subject, names))
    return (line,)
