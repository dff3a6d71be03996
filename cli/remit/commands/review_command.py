"""remit review: what a change does, what it would break, who must approve it and who has."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.changing_context import desk
from remit.commands.options import FactsArgument, at_option, facts_option, format_option, map_option, print_json

if TYPE_CHECKING:
    from remit.changing.proposals import Proposal
    from remit.commands.changing_context import Desk
    from remit.comparing import Difference
    from remit.findings import Finding
    from remit.planning import Foresight


@click.command()
@click.argument("change_id", metavar="ID")
@click.option("--all", "everything", is_flag=True, help="Show long values and long lists whole.")
@facts_option
@map_option
@at_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    change_id: str,
    everything: bool,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    at: datetime,
    fmt: str,
) -> int:
    """Show a change: what differs in records' words, the findings that it would add, who must approve it, who has.

    With --facts, or when remit.yaml names sources, also what it does to people, due times, decisions and scores: on
    one screen, or with --all in full.

    ID is a change, or a beginning of its id that fits no other.

    Example: remit review c-20261015

    Exit code 1 when the change would add an error; a missing approval alone gives 0.
    """
    from remit.adding import added_by
    from remit.changing.proposals import find, sides
    from remit.comparing import differences
    from remit.evaluating import feeds_of
    from remit.findings import has_errors
    from remit.planning import foresight

    at_desk = desk(ctx, at)
    proposal = find(at_desk.store, change_id, at=at, judge=at_desk.judge)
    before, after = sides(at_desk.store, proposal.change)
    found = differences(before, after, at_desk.config.language)
    findings = added_by(at_desk.store, before, after, at=at)
    feeds = feeds_of(after, at_desk.store.root, facts, map_path)
    seen = foresight(at_desk.store, proposal, before, after, feeds, at)
    _show(at_desk, proposal, found, findings, seen, at, fmt, everything=everything)
    at_desk.looked_at(proposal.change)
    return int(has_errors(findings))


def _show(
    at_desk: Desk,
    proposal: Proposal,
    differences: Sequence[Difference],
    findings: Sequence[Finding],
    seen: Foresight,
    at: datetime,
    fmt: str,
    *,
    everything: bool,
) -> None:
    from remit.commands.speaking import columns_of, with_store
    from remit.reporters.glance import glance_text
    from remit.reporters.plan import foresight_text
    from remit.reporters.review import COLUMNS, following_commands, proposal_json, review_text

    language, zone = at_desk.config.language, at_desk.config.zone
    requirements, due = at_desk.requirements(proposal), at_desk.review_due(proposal)
    person = at_desk.person_at(proposal.change.base)
    following = following_commands(proposal, requirements, person, at_desk.store.prefix)
    if fmt == "json":
        print_json(
            {
                "change": proposal_json(proposal, requirements, due),
                "differences": [one.to_json() for one in differences],
                "findings": [one.to_json() for one in findings],
                "plan": seen.to_json(),
                "next": following,
            }
        )
        return
    in_full = foresight_text(seen, language, zone, everything=True) if everything else ""
    text = review_text(
        proposal,
        differences,
        findings,
        requirements,
        plan=in_full or glance_text(seen, language, zone),
        following=[with_store(step, click.get_current_context().obj) for step in following],
        language=language,
        zone=zone,
        at=at,
        due=due,
        everything=everything,
        columns=columns_of(sys.stdout) or COLUMNS,
    )
    click.echo(text, nl=False)
