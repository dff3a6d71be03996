"""Assessment policies, compiled: who is scored, and by which measures over which facts.

In a measure's expressions the thing that is counted is ``fact``; ``param`` holds the store's parameters. ``term``, what
governs the fact, may set a limit and is no part of conditions. Compiling gives every finding at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from remit.conditions.checks import Scope, shape_at
from remit.conditions.condition import Compiler, Condition, Origin
from remit.conditions.messages import TERM
from remit.conditions.tree import Path
from remit.findings import Finding, did_you_mean, has_errors
from remit.places import Pointer
from remit.policies.reading import Amount, ClockRule, Each, PolicyReader, Related
from remit.records import Record
from remit.schemas import Shape
from remit.times import Cycle, parse_share

MeasureType = Literal["ratio", "count", "sum", "mean"]


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
class Aim:
    """What a measure aims at, in the unit of its value; read from a parameter where ``path`` is there."""

    number: Fraction | None
    path: Path | None
    percent: bool


@dataclass(frozen=True)
class Measure:
    """One figure of a scorecard. ``scope`` is what its expressions see, ``limit_scope`` what its limits see."""

    name: str
    title: Mapping[str, str]
    type: MeasureType
    over: str
    scope: Scope
    limit_scope: Scope
    each: Each | None
    related: Mapping[str, Related]
    at: tuple[Condition, ...]
    by: tuple[Path, ...]
    where: Condition | None
    value: Condition | None
    good: Condition | None
    timely: Timely | None
    aim: Aim | None
    weight: Fraction
    is_scored: bool
    clauses: tuple[str, ...]
    pointer: Pointer

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """What durable-rules decides of each fact, by name: ``where``, ``good`` and ``limit-0`` onwards."""
        limits = self.timely.limits if self.timely else ()
        named = {"where": self.where, "good": self.good, **{f"limit-{n}": one.when for n, one in enumerate(limits)}}
        return {name: condition for name, condition in named.items() if condition is not None}


@dataclass(frozen=True)
class Assessment:
    """A compiled AssessmentPolicy. ``when`` says who is scored; without it, everyone for whom a fact counts."""

    record: Record
    subject: str
    scope: Scope
    when: Condition | None
    cycles: tuple[Cycle, ...]
    measures: tuple[Measure, ...]
    is_ranked: bool
    clauses: tuple[str, ...]
    compiler: Compiler

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.record.name

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of record and fact that it counts."""
        return frozenset(measure.over for measure in self.measures)


def compile_assessment(
    record: Record, compiler: Compiler, lines: tuple[str, ...]
) -> tuple[Assessment | None, list[Finding]]:
    """The policy, or None and everything that is wrong with it. The record has passed its schema."""
    return _Reader(record, compiler, lines).read()


class _Reader(PolicyReader):
    def read(self) -> tuple[Assessment | None, list[Finding]]:
        spec, types = self.record.spec, self.compiler.types
        subject = spec["subject"]
        if not self._is_kind(subject, ("subject",)):
            return None, self.findings
        self.scope = scope = {"subject": self.entity_shape(subject), "param": types.param}
        when = self.condition(spec.get("when"), ("when",))
        measures = [self._measure(one, ("measures", number)) for number, one in enumerate(spec["measures"])]
        self._twice([one["name"] for one in spec["measures"]])
        if has_errors(self.findings):
            return None, self.findings
        period = spec["period"]
        policy = Assessment(
            record=self.record,
            subject=subject,
            scope=scope,
            when=when,
            cycles=tuple(period if isinstance(period, list) else [period]),
            measures=tuple(measure for measure in measures if measure is not None),
            is_ranked=bool(spec.get("rank", False)),
            clauses=tuple(self.record.metadata.get("clauses", ())),
            compiler=self.compiler,
        )
        return policy, self.findings

    def _is_kind(self, kind: str, pointer: Pointer) -> bool:
        kinds = self.compiler.types.schemas.kinds
        if kind not in kinds:
            self.complain("unknown-kind", f"There is no kind {kind!r}.", pointer, did_you_mean(kind, kinds))
        return kind in kinds

    def _measure(self, written: Mapping[str, Any], base: Pointer) -> Measure | None:
        if not self._is_kind(written["over"], (*base, "over")):
            return None
        self.scope = {"fact": self.entity_shape(written["over"]), "param": self.compiler.types.param}
        related = self.related(written.get("with", {}), (*base, "with"))
        each = self.each(written.get("each"), (*base, "each"))
        self._contradictions(written, base)
        scope = self.scope
        title = written.get("title", written["name"])
        measure = Measure(
            name=written["name"],
            title=title if isinstance(title, dict) else {"en": title, "zh": title},
            type=written["type"],
            over=written["over"],
            scope=scope,
            limit_scope={**scope, "term": TERM},
            each=each,
            related=related,
            at=self.instants(written.get("at"), (*base, "at")),
            by=tuple(self._leading(written["by"], (*base, "by"))),
            where=self.condition(written.get("where"), (*base, "where")),
            value=self._number(written.get("value"), (*base, "value")),
            good=self.condition(written.get("good"), (*base, "good")),
            timely=self._timely(written["timely"], (*base, "timely")) if "timely" in written else None,
            aim=self._aim(written["target"], written["type"], (*base, "target")) if "target" in written else None,
            weight=Fraction(str(written.get("weight", 1))),
            is_scored="score" in written,
            clauses=tuple(written.get("clauses", ())),
            pointer=("spec", *base),
        )
        self.scope = scope
        return measure

    def _contradictions(self, written: Mapping[str, Any], base: Pointer) -> None:
        def need(claim: bool, message: str, *pointer: str) -> None:
            if not claim:
                self.complain("policy-invalid", message, (*base, *pointer))

        judged = [key for key in ("good", "timely") if key in written]
        if written["type"] == "ratio":
            need(len(judged) == 1, "A ratio says what is good: good, or timely.")
        else:
            need(not judged, f"Only a ratio has {' and '.join(judged)}.", *judged[:1])
        if written["type"] in ("sum", "mean"):
            need("value" in written, f"A {written['type']} says of what: value.")
        else:
            need("value" not in written, "Only a sum or a mean has a value.", "value")
        need("at" in written or "timely" in written, "at says which instant puts a fact into a period.")
        need("score" not in written or "target" in written, "A score needs a target.", "score")

    def _leading(self, written: Any, pointer: Pointer) -> Iterator[Path]:
        """The paths of ``by``; each leads to a record of the kind that is scored."""
        wanted = self.record.spec["subject"]
        for number, text in enumerate([written] if isinstance(written, str) else written):
            where: Pointer = pointer if isinstance(written, str) else (*pointer, number)
            path = self.path(text, where)
            shape = shape_at(path, self.scope, self.compiler.types) if path else None
            if path is None or shape is None:
                continue
            if wanted in shape.kinds or (len(path.names) == 1 and shape.name == wanted):
                yield path
            else:
                self.complain("condition-type", f"{path} does not lead to a {wanted}.", where)

    def _number(self, text: str | None, pointer: Pointer) -> Condition | None:
        if text is None:
            return None
        origin = Origin(self.record, ("spec", *pointer), self.lines)
        number, findings = self.compiler.compile(text, self.scope, origin, wants=("int", "double"), may_miss=True)
        self.findings += findings
        return number

    def _timely(self, written: Mapping[str, Any], base: Pointer) -> Timely:
        clock = self.clock(written["clock"], (*base, "clock"))
        if ("limit" in written) == bool(written["clock"].get("due")):
            self.complain("policy-invalid", "What is timely has either a limit or a clock with a due time.", base)
        if "limit" in written and not written["clock"].get("start"):
            self.complain("policy-invalid", "A limit counts from the start of the clock.", (*base, "clock"))
        limit = written.get("limit", [])
        if isinstance(limit, str):
            return Timely(clock, (LimitRule(self._limit(limit, (*base, "limit")), None),))
        return Timely(
            clock,
            tuple(
                LimitRule(
                    self._limit(one["amount"], (*base, "limit", number, "amount")),
                    self.condition(one.get("when"), (*base, "limit", number, "when")),
                )
                for number, one in enumerate(limit)
            ),
        )

    def _limit(self, text: str, pointer: Pointer) -> Amount:
        scope = self.scope
        self.scope = {**scope, "term": TERM}
        amount = self.amount(text, pointer)
        self.scope = scope
        return amount

    def _aim(self, written: Any, measure_type: str, pointer: Pointer) -> Aim:
        is_ratio = measure_type == "ratio"
        if not isinstance(written, str):
            number = Fraction(str(written))
            return Aim(number / 100 if is_ratio else number, None, is_ratio)
        if written.endswith("%"):
            if not is_ratio:
                self.complain("policy-invalid", "Only a ratio has a target in percent.", pointer)
            return Aim(parse_share(written), None, is_ratio)
        path = self.path(written, pointer)
        shape = shape_at(path, self.scope, self.compiler.types) if path else None
        if path is not None and not _is_number(shape):
            self.complain("condition-type", f"{path} is not a number.", pointer)
        return Aim(None, path, is_ratio and not (shape and shape.unit == "share"))

    def _twice(self, names: list[str]) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                self.complain("policy-invalid", f"Two measures are called {name!r}.", ("measures", index, "name"))


def _is_number(shape: Shape | None) -> bool:
    return shape is not None and shape.type in ("int", "number")
