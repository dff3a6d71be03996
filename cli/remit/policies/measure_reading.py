"""Assessment policies, compiled: every measure, part and band read, and everything that is wrong with them.

In a measure's expressions the thing that is counted is ``fact``; ``param`` holds the store's parameters. ``term``, what
governs the fact, may set a limit and is no part of conditions. Weights, targets and sizes are numbers, or parameters
that hold one. Compiling gives every finding at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from remit.conditions.checks import shape_at
from remit.conditions.condition import Compiler, Condition, Origin
from remit.conditions.messages import TERM
from remit.conditions.tree import Path
from remit.findings import Finding, did_you_mean, has_errors
from remit.places import Pointer
from remit.policies.measures import (
    Assessment,
    Band,
    LimitRule,
    Measure,
    Part,
    Quantity,
    Row,
    Scoring,
    Span,
    Stage,
    Timely,
    Titles,
    Weight,
)
from remit.policies.pools import read_pool
from remit.policies.reading import Amount, PolicyReader
from remit.records import Record
from remit.schemas import Shape
from remit.times import parse_share

_OF_COMBINED = frozenset(("name", "title", "type", "of", "target", "weight", "part", "score", "kpi", "clauses"))
_VALUED = ("sum", "mean", "percentile")
_JUDGED = ("ratio", "days_late")


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
        rank = spec.get("rank", False)
        within = self.path(rank["within"], ("rank", "within")) if isinstance(rank, dict) else None
        parts = [self._part(one, ("parts", number)) for number, one in enumerate(spec.get("parts", ()))]
        measures = [self._measure(one, ("measures", number)) for number, one in enumerate(spec["measures"])]
        bands = [self._band(one, ("bands", number)) for number, one in enumerate(spec.get("bands", ()))]
        pool = read_pool(self, spec["pool"], _titles(spec["pool"]), ("pool",)) if "pool" in spec else None
        self._twice("measures")
        self._twice("parts")
        self._twice("bands")
        self._parts_used(spec)
        self._made_of(spec)
        self._bands_agree(spec)
        self._pool_agrees(spec)
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
            parts=tuple(parts),
            is_ranked=bool(rank),
            within=within,
            bands=tuple(bands),
            pool=pool,
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
        if "of" in written:
            return self._combined(written, base)
        if not self._is_kind(written["over"], (*base, "over")):
            return None
        self.scope = {"fact": self.entity_shape(written["over"]), "param": self.compiler.types.param}
        related = self.related(written.get("with", {}), (*base, "with"))
        each = self.each(written.get("each"), (*base, "each"))
        self._contradictions(written, base)
        scope = self.scope
        is_ratio = written["type"] == "ratio"
        measure = Measure(
            name=written["name"],
            title=_titles(written),
            type=written["type"],
            of=(),
            over=written["over"],
            scope=scope,
            limit_scope={**scope, "term": TERM},
            each=each,
            related=related,
            at=self.instants(written.get("at"), (*base, "at")),
            during=self._period(written.get("during"), (*base, "during")),
            by=tuple(self._leading(written["by"], (*base, "by"))) if "by" in written else (),
            where=self.condition(written.get("where"), (*base, "where")),
            value=self._value(written.get("value"), (*base, "value")),
            good=self.condition(written.get("good"), (*base, "good")),
            timely=self._timely(written["timely"], (*base, "timely")) if "timely" in written else None,
            percentile=Fraction(str(written["percentile"])) if "percentile" in written else None,
            unit=written.get("unit", "days"),
            aim=self._aim(written["target"], is_ratio, (*base, "target")) if "target" in written else None,
            weight=self._weight(written, base),
            part=written.get("part", ""),
            scoring=self._scoring(written["score"], is_ratio, (*base, "score")) if "score" in written else None,
            deduct=self.quantity(written["deduct"], (*base, "deduct")) if "deduct" in written else None,
            kpi=written.get("kpi", ""),
            clauses=tuple(written.get("clauses", ())),
            pointer=("spec", *base),
        )
        self.scope = scope
        return measure

    def _combined(self, written: Mapping[str, Any], base: Pointer) -> Measure:
        """A measure of other measures; what it lacks of its own, they have."""
        for key in sorted(set(written) - _OF_COMBINED):
            message = f"A measure of other measures has no {key} of its own."
            self.complain("policy-invalid", message, (*base, key))
        if written["type"] != "ratio":
            message = "Only a ratio is made of other measures: the good ones of all of them."
            self.complain("policy-invalid", message, (*base, "type"))
        return Measure(
            name=written["name"],
            title=_titles(written),
            type=written["type"],
            of=tuple(written["of"]),
            over="",
            scope={},
            limit_scope={},
            each=None,
            related={},
            at=(),
            during=None,
            by=(),
            where=None,
            value=None,
            good=None,
            timely=None,
            percentile=None,
            unit="days",
            aim=self._aim(written["target"], True, (*base, "target")) if "target" in written else None,
            weight=self._weight(written, base),
            part=written.get("part", ""),
            scoring=self._scoring(written["score"], True, (*base, "score")) if "score" in written else None,
            deduct=None,
            kpi=written.get("kpi", ""),
            clauses=tuple(written.get("clauses", ())),
            pointer=("spec", *base),
        )

    def _made_of(self, spec: Mapping[str, Any]) -> None:
        """Each measure of others names ratios that count facts of their own."""
        ratios = [one["name"] for one in spec["measures"] if one["type"] == "ratio" and "of" not in one]
        for number, one in enumerate(spec["measures"]):
            for index, name in enumerate(one.get("of", ())):
                if name not in ratios:
                    message = f"{name!r} is no ratio with facts of its own."
                    where: Pointer = ("measures", number, "of", index)
                    self.complain("policy-invalid", message, where, did_you_mean(name, ratios))

    def _contradictions(self, written: Mapping[str, Any], base: Pointer) -> None:
        def need(claim: bool, message: str, *pointer: str) -> None:
            if not claim:
                self.complain("policy-invalid", message, (*base, *pointer))

        kind = written["type"]
        judged = [key for key in ("good", "timely") if key in written]
        if kind == "ratio":
            need(len(judged) == 1, "A ratio says what is good: good, or timely.")
        elif kind == "days_late":
            need(judged == ["timely"], "Days late need what is timely, and nothing else: timely.")
        else:
            need(not judged, f"Only {' and '.join(_JUDGED)} have {' and '.join(judged)}.", *judged[:1])
        if kind in _VALUED:
            need("value" in written, f"A {kind} says of what: value.")
        else:
            need("value" not in written, "Only a sum, a mean or a percentile has a value.", "value")
        need(("percentile" in written) == (kind == "percentile"), "A percentile, and no other, says which: percentile.")
        dates = [key for key in ("at", "during") if key in written]
        need(bool(dates) or "timely" in written, "at says which instant puts a fact into a period, or during.")
        need(len(dates) < 2, "A fact counts by its instant or by its period: at, or during.", "during")
        self._score_contradictions(written, need)

    def _score_contradictions(self, written: Mapping[str, Any], need: Any) -> None:
        score = written.get("score", {})
        by_target = score.get("kind") in ("rate_vs_target", "pass_fail")
        need(not by_target or "target" in written, "A score by the target needs a target.", "score")
        need(("table" in score) == (score.get("kind") == "table"), "The table of a score by table: table.", "score")
        starts = [str(row.get("from", "")) for row in score.get("table", ())]
        need(len(starts) == len(set(starts)), "Two rows of the table begin at one value.", "score", "table")
        need("deduct" not in written or not score, "What is deducted has no score besides.", "deduct")

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

    def _value(self, written: Any, pointer: Pointer) -> Condition | Span | None:
        if not isinstance(written, dict):
            return self._number(written, pointer)
        start, end = (self.instants(written[key], (*pointer, key)) for key in ("from", "to"))
        return Span(start, end)

    def _number(self, text: str | None, pointer: Pointer) -> Condition | None:
        if text is None:
            return None
        origin = Origin(self.record, ("spec", *pointer), self.lines)
        wants = ("int", "double", "duration")
        number, findings = self.compiler.compile(text, self.scope, origin, wants=wants, may_miss=True)
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

    def _period(self, text: str | None, pointer: Pointer) -> Path | None:
        path = self.path(text, pointer) if text is not None else None
        shape = shape_at(path, self.scope, self.compiler.types) if path else None
        if path is not None and (shape is None or shape.type != "text"):
            self.complain("condition-type", f"{path} is not a period.", pointer, "A period is text: 2026-10.")
        return path

    def _scoring(self, written: Mapping[str, Any], percent: bool, base: Pointer) -> Scoring:
        rows = []
        for number, row in enumerate(written.get("table", ())):
            where: Pointer = (*base, "table", number, "from")
            start = self.quantity(row["from"], where, percent=percent) if "from" in row else None
            rows.append(Row(start, Fraction(str(row["score"]))))
        return Scoring(written["kind"], tuple(rows))

    def _aim(self, written: Any, is_ratio: bool, pointer: Pointer) -> Quantity:
        if isinstance(written, str) and written.endswith("%") and not is_ratio:
            self.complain("policy-invalid", "Only a ratio has a target in percent.", pointer)
        return self.quantity(written, pointer, percent=is_ratio)

    # --- parts and bands

    def _part(self, written: Mapping[str, Any], base: Pointer) -> Part:
        return Part(written["name"], self._weight(written, base))

    def _weight(self, written: Mapping[str, Any], base: Pointer) -> Weight:
        weight = written.get("weight", 1)
        where: Pointer = (*base, "weight")
        if not isinstance(weight, list):
            return (Stage(self.quantity(weight, where)),)
        scope, self.scope = self.scope, {"param": self.compiler.types.param}
        stages = tuple(
            Stage(
                self.quantity(one["weight"], (*where, number, "weight")),
                self.condition(one.get("when"), (*where, number, "when")),
            )
            for number, one in enumerate(weight)
        )
        self.scope = scope
        return stages

    def _band(self, written: Mapping[str, Any], base: Pointer) -> Band:
        self.scope = {"param": self.compiler.types.param}
        places = written.get("places")
        if isinstance(places, dict):
            named = {**places, "name": written["name"], "title": written.get("title", written["name"])}
            taken: Quantity | Measure | None = self._measure(named, (*base, "places"))
        else:
            taken = self.quantity(places, (*base, "places")) if places is not None else None
        size, multiplier = (
            self.quantity(written[key], (*base, key)) if key in written else None for key in ("size", "multiplier")
        )
        return Band(written["name"], _titles(written), size, taken, multiplier)

    def _parts_used(self, spec: Mapping[str, Any]) -> None:
        names = [one["name"] for one in spec.get("parts", ())]
        for number, one in enumerate(spec["measures"]):
            if "part" in one and one["part"] not in names:
                message = f"There is no part {one['part']!r}."
                self.complain("policy-invalid", message, ("measures", number, "part"), did_you_mean(one["part"], names))
            elif names and "score" in one and "part" not in one:
                message = f"{one['name']} is in no part, so its score would not count."
                self.complain("policy-invalid", message, ("measures", number), f"Write: part: {names[0]}")

    def _bands_agree(self, spec: Mapping[str, Any]) -> None:
        bands: Sequence[Mapping[str, Any]] = spec.get("bands", ())
        if not bands:
            return
        if not spec.get("rank"):
            self.complain("policy-invalid", "Bands are bands of a ranking: rank.", ("bands",))
        for number, one in enumerate(bands):
            ways = [key for key in ("size", "places") if key in one]
            if len(ways) == 2 or (not ways and number < len(bands) - 1):
                message = "A band has a size or places; only the last may take the rest."
                self.complain("policy-invalid", message, ("bands", number))
        if any("size" in one for one in bands) and any("places" in one for one in bands):
            self.complain("policy-invalid", "Bands are by size or by places, not by both.", ("bands",))
        if len({"multiplier" in one for one in bands}) > 1:
            self.complain("policy-invalid", "Every band has a multiplier, or none has.", ("bands",))

    def _pool_agrees(self, spec: Mapping[str, Any]) -> None:
        pool = spec.get("pool", {})
        if pool and not any("multiplier" in one for one in spec.get("bands", ())):
            self.complain("policy-invalid", "A pool is shared out by the multipliers of bands: bands.", ("pool",))
        if "within" in pool and not isinstance(spec.get("rank"), dict):
            message = "Pools of groups need a ranking within groups: rank: {within: …}."
            self.complain("policy-invalid", message, ("pool", "within"))

    # --- numbers

    def quantity(self, written: Any, pointer: Pointer, *, percent: bool = False) -> Quantity:
        """A number, a share such as 40%, or a parameter that holds one; ``percent``: a plain 98 means 0.98."""
        where: Pointer = ("spec", *pointer)
        if not isinstance(written, str):
            return Quantity(str(written), Fraction(str(written)) / (100 if percent else 1), pointer=where)
        if written.endswith("%"):
            return Quantity(written, parse_share(written), pointer=where)
        path = self.path(written, pointer)
        shape = shape_at(path, self.scope, self.compiler.types) if path else None
        if path is not None and not _is_number(shape):
            self.complain("condition-type", f"{path} is not a number.", pointer)
        return Quantity(written, None, path, percent and not (shape and shape.unit == "share"), where)

    def _twice(self, key: str) -> None:
        names = [one["name"] for one in self.record.spec.get(key, ())]
        for index, name in enumerate(names):
            if name in names[:index]:
                self.complain("policy-invalid", f"Two {key} are called {name!r}.", (key, index, "name"))


def _titles(written: Mapping[str, Any]) -> Titles:
    title = written["title"] if "title" in written else written["name"]
    return title if isinstance(title, dict) else {"en": title, "zh": title}


def _is_number(shape: Shape | None) -> bool:
    return shape is not None and shape.type in ("int", "number")
