"""remit assess: a scorecard."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.asking import engine_option
from remit.commands.loading import loaded, say_findings, strict_option
from remit.commands.options import (
    FactsArgument,
    at_option,
    facts_option,
    format_option,
    map_option,
    print_json,
    ref_option,
    store_of,
)

if TYPE_CHECKING:
    from remit.evaluating import Engine, Loaded
    from remit.policies.assessment import Assessment, Measure
    from remit.scorecards import Scorecard


@click.command()
@click.argument("policy", metavar="POLICY")
@click.option("--period", required=True, metavar="PERIOD", help="A period such as 2026-10, 2026-Q4 or 2026.")
@at_option
@click.option("--list", "measure", metavar="MEASURE", help="List the facts behind the figures of this measure.")
@click.option("--subject", metavar="NAME", help="Only this subject.")
@facts_option
@map_option
@engine_option
@ref_option
@click.option("--freeze", is_flag=True, help="Write the figures of a period that has ended as KpiSheet records.")
@format_option("text", "json", "csv", "xlsx")
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
    engine: Engine | None,
    ref: str | None,
    freeze: bool,
    fmt: str,
    strict: bool,
) -> int:
    """Score PERIOD with the assessment policy POLICY: figures, scores and ranks, as of the period's end or of --at.

    Where the period was frozen, figures that are otherwise now are shown with both values.

    Example: remit assess response-centre --period 2026-09 --list provisioning
    """
    from remit.assessing import find_assessment, score
    from remit.findings import has_errors
    from remit.reporters import scorecards, spreadsheet

    store = loaded(ctx, ref, facts, map_path, engine)
    scorecard = score(store, policy, period, at=at, facts=freeze or measure is not None)
    assessment = find_assessment(store, policy)
    one = None if measure is None else _measure_of(assessment, measure)
    scorecard = _chosen(scorecard, assessment, subject)
    if freeze:
        _freeze(ctx, store, assessment, scorecard, fmt, strict=strict)
        return 0
    language = store.snapshot.config.language

    def title_of(ref: str) -> str:
        kind, _, name = ref.partition("/")
        entity = store.world.get(kind, name)
        return entity.title(language) if entity else name

    match fmt:
        case "json":
            listed = {} if one is None else {"facts": scorecards.listed(scorecards.lines_of(scorecard, one), one.name)}
            print_json({**scorecard.to_json(store.snapshot.commit or None), **listed})
        case "csv" if one is not None:
            click.echo(scorecards.facts_csv(scorecards.lines_of(scorecard, one), one.name), nl=False)
        case "csv":
            click.echo(scorecards.scorecard_csv(scorecard, assessment, title_of), nl=False)
        case "xlsx":
            _echo_binary(spreadsheet.scorecard_xlsx(scorecard, assessment, title_of, language))
        case _:
            for line in scorecards.scorecard_text(scorecard, assessment, title_of, language):
                click.echo(line)
            lines = scorecards.lines_of(scorecard, one) if one else ()
            for line in scorecards.facts_text(lines, one, title_of, language) if one else ():
                click.echo(line)
    if fmt != "json":
        say_findings(scorecard.findings)
    left_out = strict and any(report.rejected for report in store.reports)
    return int(left_out or has_errors(f for f in scorecard.findings if f.record == assessment.record.id))


def _measure_of(assessment: Assessment, name: str) -> Measure:
    from remit.errors import NotFound
    from remit.findings import did_you_mean

    known = {**assessment.places, **{one.name: one for one in assessment.measures}}
    if name not in known:
        raise NotFound(f"{assessment.name} has no measure {name!r}.", did_you_mean(name, known))
    return known[name]


def _chosen(scorecard: Scorecard, assessment: Assessment, subject: str | None) -> Scorecard:
    """The scorecard with the lines that are asked for; all without ``--subject``."""
    from dataclasses import replace

    from remit.errors import NotFound
    from remit.findings import did_you_mean

    if subject is None:
        return scorecard
    kind = f"{assessment.subject}/"
    line = scorecard.of(subject if subject.startswith(kind) else kind + subject)
    if line is None:
        names = [one.subject.removeprefix(kind) for one in scorecard.subjects]
        raise NotFound(f"{subject!r} is not on the scorecard.", did_you_mean(subject, names))
    restated = tuple(one for one in scorecard.restated if one.subject == line.subject)
    return replace(scorecard, subjects=(line,), restated=restated)


def _freeze(
    ctx: click.Context, store: Loaded, assessment: Assessment, scorecard: Scorecard, fmt: str, *, strict: bool
) -> None:
    from remit.commands.drafts import carry_out
    from remit.errors import Refused
    from remit.freezing import freeze

    if strict and any(report.rejected for report in store.reports):
        raise Refused("Nothing is frozen while rows of a feed are left out (--strict).", "Run: remit facts")
    say_findings(scorecard.findings)
    carry_out(freeze(store, assessment, scorecard), store_of(ctx), dry_run=False, fmt=fmt)


def _echo_binary(data: bytes) -> None:
    from remit.errors import UserError

    if sys.stdout.isatty():
        raise UserError("A spreadsheet is no text for a terminal.", "Write it to a file: … --format xlsx > scores.xlsx")
    click.echo(data, nl=False)
