"""Scoring: an assessment policy over a world of records and facts gives a scorecard.

A fact counts in the period in which its instant lies: the measure's ``at``, or the due time of what is to be timely; or
in each period that contains the one it is about (``during``). It counts for the subject to which the measure's ``by``
leads. It is judged as of the end of the period, or of the moment asked about where that is earlier; what happened later
is not seen, so that the scorecard of a past period stays as it was. Every fact of the period is good, bad, left out for
a reason that is told, or counted in a finding.

An approved ``AssessmentExclusion`` leaves a fact out whenever it was approved: it corrects the past on purpose, and the
frozen sheets of the period show what it changed.

Source: domain 5.6 and 5.11: timely items of all items due in the period, in percent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from remit.conditions.condition import Bindings, Condition
from remit.findings import in_order
from remit.policies import figures
from remit.policies.counting import Columns, Run
from remit.policies.figures import Terms, plain
from remit.policies.measure_reading import compile_assessment
from remit.policies.measures import Assessment, Measure, Quantity
from remit.policies.pools import Purses, purses
from remit.policies.ranking import (
    Standing,
    apportioned,
    banded,
    filled,
    forced_ranks,
    pool_amounts,
    pool_shares,
    shared_ranks,
    tied_by_name,
)
from remit.policies.tallies import Tally
from remit.references import World
from remit.scorecards import MeasureScore, Scorecard, SubjectScore
from remit.times import Period, in_zone

__all__ = ["Assessment", "Measure", "assess", "compile_assessment"]


def assess(
    policy: Assessment, world: World, period: Period, *, at: datetime, columns: Columns | None = None
) -> Scorecard:
    """The scores of ``period`` as of ``at``, or of its end where that is earlier.

    Subjects by id; with ``when`` those for whom it holds, else those for whom any fact of the period counts or is left
    out. Findings tell of facts that could not be given to a subject, a period or a limit: counted, and the first named.
    What ``columns`` count has the same figures, without the facts behind them.
    """
    run = Run(policy, world, period, in_zone(min(at, period.end), world.zone), columns)
    counted = run.counted()
    everyone = {ref for by_subject in counted.values() for ref in by_subject}
    refs = set(run.subjects) if run.subjects is not None else everyone
    terms = {measure.name: run.terms(measure) for measure in policy.measures}
    parts = {part.name: run.weight(part.weight) for part in policy.parts}
    lines: list[SubjectScore] = []
    for ref in sorted(refs):
        scores = {
            measure.name: figures.measured(measure, counted[measure.name].get(ref, Tally()), terms[measure.name])
            for measure in policy.measures
        }
        lines.append(SubjectScore(ref, scores, plain(figures.total(policy.measures, scores, terms, parts)), None))
    places = {
        name: figures.measured(one, run.count(one).get("", Tally()), _NO_TERMS) for name, one in policy.places.items()
    }
    placed = _Placing(run, places).placed(lines) if policy.is_ranked else lines
    return Scorecard(policy.name, period, run.at, tuple(placed), in_order(run.findings), places)


def asked(
    policy: Assessment, world: World, period: Period, *, at: datetime
) -> Iterator[tuple[str, Condition, Bindings]]:
    """Every condition that scoring asks, with whose it is and what it reads; of facts, those of the period."""
    run = Run(policy, world, period, in_zone(min(at, period.end), world.zone))
    if policy.when is not None:
        for entity in world.all(policy.subject):
            yield "", policy.when, run.bindings_of(entity)
    for name, weight in policy.weights:
        yield from ((name, stage.when, run.bare) for stage in weight if stage.when is not None)
    for measure in (*policy.measures, *policy.places.values()):
        yield from run.asked(measure)


_NO_TERMS = Terms(None, Fraction(1), None)


# --- places


class _Placing:
    """Ranks, bands and shares for the lines of a scorecard."""

    def __init__(self, run: Run, places: Mapping[str, MeasureScore]) -> None:
        self.run = run
        self.policy = run.policy
        self.places = places
        self.sizes = self._sizes()

    def placed(self, lines: Sequence[SubjectScore]) -> list[SubjectScore]:
        """The same lines with their places; nobody without a total has one."""
        ranks: dict[str, int] = {}
        bands: dict[str, str] = {}
        groups = self._groups(lines)
        for group in groups.values():
            found = self._ranks(group)
            ranks |= found
            if self.sizes is not None:
                bands |= banded(found, self._taken(len(group)), [band.name for band in self.policy.bands])
        in_order = sorted(bands, key=lambda ref: (ranks[ref], ref))
        sharing = {"": in_order}
        if self.policy.pool is not None and self.policy.pool.within is not None:
            members = {name: {one.ref for one in group} for name, group in groups.items()}
            sharing = {name: [ref for ref in in_order if ref in refs] for name, refs in members.items()}
        shares, amounts = self._shared({name: [(ref, bands[ref]) for ref in refs] for name, refs in sharing.items()})
        return [
            replace(
                line,
                rank=ranks.get(line.subject),
                band=bands.get(line.subject),
                share=plain(shares.get(line.subject)),
                amount=plain(amounts.get(line.subject)),
            )
            for line in lines
        ]

    def _groups(self, lines: Sequence[SubjectScore]) -> dict[str, list[Standing]]:
        """Those who are ranked together, by what ``within`` says of them."""
        groups: dict[str, list[Standing]] = {}
        for line in lines:
            if line.score is None:
                continue
            group = self.run.group_of(line.subject)
            if group is not None:
                scores = tuple(None if m.score is None else Fraction(str(m.score)) for m in line.measures.values())
                groups.setdefault(group, []).append(Standing(line.subject, Fraction(str(line.score)), scores))
        return groups

    def _ranks(self, group: Sequence[Standing]) -> dict[str, int]:
        if not self.policy.bands:
            return shared_ranks(group)
        for refs in tied_by_name(group):
            message = f"Nothing but the name ranks {', '.join(refs)}: their scores are the same."
            self.run.tell("rank-by-name", message, ("spec", "bands"))
        return forced_ranks(group)

    def _sizes(self) -> tuple[Fraction | int | None, ...] | None:
        """What each band takes: a share, places, or None for the rest; None when there are no bands that add up."""
        bands = self.policy.bands
        if not bands:
            return None
        if any(band.places is not None for band in bands):
            return tuple(self._places_of(band.name, band.places) for band in bands)
        shares = [self.run.number(band.size) if band.size else None for band in bands]
        known = sum((share for share in shares if share is not None), Fraction(0))
        if known > 1 or (shares[-1] is not None and known != 1) or None in shares[:-1]:
            message = f"The sizes of the bands make up {plain(round(known * 100, 2))}%, not 100%."
            self.run.tell("policy-invalid", message, ("spec", "bands"))
            return None
        return tuple(1 - known if share is None else share for share in shares)

    def _places_of(self, name: str, places: Quantity | Measure | None) -> int | None:
        if places is None:
            return None
        if isinstance(places, Measure):
            return int(self.places[name].value or 0)
        return int(self.run.number(places) or 0)

    def _taken(self, count: int) -> list[int]:
        sizes = self.sizes or ()
        if any(isinstance(size, Fraction) for size in sizes):
            return apportioned(count, [Fraction(size or 0) for size in sizes])
        return filled(count, [None if size is None else int(size) for size in sizes])

    def _shared(
        self, sharing: Mapping[str, Sequence[tuple[str, str]]]
    ) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
        """Shares and amounts of everyone, from those who share a pool by its group: each best first, with the band."""
        weights = {b.name: self.run.number(b.multiplier) or Fraction(0) for b in self.policy.bands if b.multiplier}
        if not weights:
            return {}, {}
        pool = self.policy.pool
        found = purses(pool, self.run.world, self.run.period) if pool else Purses({}, {}, ())
        shares: dict[str, Fraction] = {}
        amounts: dict[str, Fraction] = {}
        for group, members in sharing.items():
            own = {ref: weights[band] for ref, band in members}
            shares |= pool_shares(own)
            amounts |= pool_amounts(found.money[group], own) if group in found.money else {}
        for message in found.unshared([group for group, members in sharing.items() if members]):
            self.run.tell("pool-unshared", message, ("spec", "pool"))
        return shares, amounts
