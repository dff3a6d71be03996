"""Asking for a scorecard: the policy and the period that a person names, over a store with its facts.

Where the period was frozen, what differs from the frozen sheets is told with it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from remit.errors import NotFound, UserError
from remit.evaluating import Loaded, refuse_broken
from remit.findings import did_you_mean, in_order
from remit.freezing import is_frozen, restated
from remit.policies.assessment import Assessment, assess
from remit.policies.counting import Columns
from remit.scorecards import Scorecard
from remit.sources.spool import SpooledWorld
from remit.times import Cycle, Period, parse_period, period_of

_FORMS: dict[Cycle, str] = {"month": "2026-10", "quarter": "2026-Q4", "half_year": "2026-H2", "year": "2026"}


def score(loaded: Loaded, policy: str, period: str, *, at: datetime, facts: bool = True) -> Scorecard:
    """The scorecard of a policy (its name or id) for a period such as ``2026-10``, with the findings of the feeds.

    Where facts are tables, measures are counted in columns; without ``facts``, figures may then come without the facts
    behind them.

    Raises:
        InvalidStore: records or policies have errors, so that the figures would be wrong in silence.
        NotFound: there is no such assessment policy.
        UserError: the period is none, or not of a length for which the policy scores.
    """
    refuse_broken(loaded)
    assessment = find_assessment(loaded, policy)
    asked = find_period(assessment, period, loaded)
    columns = None if facts or is_frozen(loaded.world, assessment, asked) else _columns(loaded)
    scorecard = assess(assessment, loaded.world, asked, at=at, columns=columns)
    findings = in_order((*loaded.findings, *scorecard.findings))
    return replace(scorecard, findings=findings, restated=restated(loaded.world, scorecard))


def _columns(loaded: Loaded) -> Columns | None:
    if not isinstance(loaded.world, SpooledWorld):
        return None
    from remit.sources.tallying import Tallying

    return Tallying(loaded.world, loaded.compiler)


def find_assessment(loaded: Loaded, text: str) -> Assessment:
    """The assessment policy whose name or id is ``text``; ``NotFound`` names the nearest."""
    known = {policy.name: policy for policy in loaded.policies.assessments}
    name = text.removeprefix("AssessmentPolicy/")
    if name not in known:
        hint = did_you_mean(name, known) or "See: remit list AssessmentPolicy"
        raise NotFound(f"There is no assessment policy {text!r}.", hint)
    return known[name]


def find_period(policy: Assessment, text: str, loaded: Loaded) -> Period:
    """The period that ``text`` names, of a length for which the policy scores; else ``UserError``."""
    zone = loaded.world.zone
    forms = " or ".join(_FORMS[cycle] for cycle in policy.cycles)
    try:
        period = parse_period(text, zone)
    except ValueError as error:
        raise UserError(f"{error}.", f"{policy.name} scores periods like {forms}.") from error
    if not any(period_of(period.start, cycle, zone) == period for cycle in policy.cycles):
        names = " or ".join(cycle.replace("_", "-") for cycle in policy.cycles)
        raise UserError(f"{policy.name} scores by {names}; {text} is none.", f"Write a period like {forms}.")
    return period
