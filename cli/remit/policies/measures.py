"""Assessment policies as values: who is scored, by which measures over which facts, and what a score is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from remit.conditions.checks import Scope
from remit.conditions.condition import Compiler, Condition
from remit.conditions.tree import Path
from remit.places import Pointer
from remit.policies.pools import Pool
from remit.policies.reading import Amount, ClockRule, Each, Related
from remit.records import Record
from remit.times import Cycle

MeasureType = Literal["ratio", "count", "sum", "mean", "percentile", "days_late"]
ScoreKind = Literal["rate_vs_target", "pass_fail", "value", "table"]
Unit = Literal["minutes", "hours", "days"]
Titles = Mapping[str, str]


@dataclass(frozen=True)
class LimitRule:
    """A span that limits a clock, where ``when`` holds."""

    amount: Amount
    when: Condition | None


@dataclass(frozen=True)
class Timely:
    """Good is what stops by its due time: the clock's own, or its first limit that holds."""

    clock: ClockRule
    limits: tuple[LimitRule, ...]


@dataclass(frozen=True)
class Quantity:
    """A number as written, or read from a parameter where ``path`` is there; ``percent``: 98 there means 0.98."""

    text: str
    number: Fraction | None
    path: Path | None = None
    percent: bool = False
    pointer: Pointer = ()


@dataclass(frozen=True)
class Span:
    """The time from the first instant of ``start`` that is there to the first of ``end``."""

    start: tuple[Condition, ...]
    end: tuple[Condition, ...]


@dataclass(frozen=True)
class Stage:
    """A weight that holds where ``when`` does."""

    weight: Quantity
    when: Condition | None = None


Weight = tuple[Stage, ...]
"""The first stage that holds gives the weight."""


@dataclass(frozen=True)
class Row:
    """One row of a score table: the score of values from ``start`` upwards; of all others where there is none."""

    start: Quantity | None
    score: Fraction


@dataclass(frozen=True)
class Scoring:
    """How a value becomes a score of 0 to 100."""

    kind: ScoreKind
    table: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Part:
    """A part of the total: the weighted mean of its measures."""

    name: str
    weight: Weight


@dataclass(frozen=True)
class Measure:
    """One figure of a scorecard. ``scope`` is what its expressions see, ``limit_scope`` what its limits see.

    One ``of`` other measures counts their facts as they were judged there, and has no kind (``over``) of its own.
    """

    name: str
    title: Titles
    type: MeasureType
    of: tuple[str, ...]
    over: str
    scope: Scope
    limit_scope: Scope
    each: Each | None
    related: Mapping[str, Related]
    at: tuple[Condition, ...]
    during: Path | None
    by: tuple[Path, ...]
    where: Condition | None
    value: Condition | Span | None
    good: Condition | None
    timely: Timely | None
    percentile: Fraction | None
    unit: Unit
    aim: Quantity | None
    weight: Weight
    part: str
    scoring: Scoring | None
    deduct: Quantity | None
    kpi: str
    clauses: tuple[str, ...]
    pointer: Pointer

    @property
    def is_dated(self) -> bool:
        """True when the measure itself says which instant or period counts, and not the due time of what is timely."""
        return bool(self.at) or self.during is not None

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """What durable-rules decides of each fact, by name: ``where``, ``good`` and ``limit-0`` onwards."""
        limits = self.timely.limits if self.timely else ()
        named = {"where": self.where, "good": self.good, **{f"limit-{n}": one.when for n, one in enumerate(limits)}}
        return {name: condition for name, condition in named.items() if condition is not None}


@dataclass(frozen=True)
class Band:
    """A band of the ranking: a share of the ranked, places, or what is left. ``multiplier`` weighs its bonus."""

    name: str
    title: Titles
    size: Quantity | None
    places: Quantity | Measure | None
    multiplier: Quantity | None


@dataclass(frozen=True)
class Assessment:
    """A compiled AssessmentPolicy. ``when`` says who is scored; without it, everyone for whom a fact counts."""

    record: Record
    subject: str
    scope: Scope
    when: Condition | None
    cycles: tuple[Cycle, ...]
    measures: tuple[Measure, ...]
    parts: tuple[Part, ...]
    is_ranked: bool
    within: Path | None
    bands: tuple[Band, ...]
    pool: Pool | None
    clauses: tuple[str, ...]
    compiler: Compiler

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.record.name

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of record and fact that it counts."""
        pools = (self.pool.over,) if self.pool else ()
        measures = (one.over for one in (*self.measures, *self.places.values()) if not one.of)
        return frozenset((*pools, *measures))

    def measures_with(self, name: str) -> frozenset[str]:
        """The measure of that name and those that are made of it."""
        return frozenset((name, *(one.name for one in self.measures if name in one.of)))

    @property
    def weights(self) -> tuple[tuple[str, Weight], ...]:
        """The weights of parts and of measures, by name."""
        parts = tuple((part.name, part.weight) for part in self.parts)
        return (*parts, *((measure.name, measure.weight) for measure in self.measures))

    @property
    def places(self) -> Mapping[str, Measure]:
        """What the places of a band are counted over, by the name of the band."""
        return {band.name: band.places for band in self.bands if isinstance(band.places, Measure)}
