"""Watching policies: EscalationPolicy and WarningPolicy, compiled.

Both watch subjects of one kind and say who is told when. A watch has a condition that selects subjects, a clock, and
levels: instants on that clock. A watch without a clock is a standing condition. Compiling gives every finding at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from remit.conditions.checks import Scope, shape_at
from remit.conditions.condition import Compiler, Condition, Origin
from remit.conditions.messages import TERM
from remit.conditions.tree import Path
from remit.findings import Finding, did_you_mean, finding
from remit.places import Pointer, pointer_text
from remit.records import Record
from remit.schemas import Shape
from remit.times import Duration, parse_duration, parse_share

Cycle = Literal["month", "quarter", "half_year", "year"]


@dataclass(frozen=True)
class Amount:
    """A span of time: written as it is, or read from ``param``, ``term`` or the subject at a path."""

    text: str
    duration: Duration | None
    path: Path | None


@dataclass(frozen=True)
class Target:
    """Whom a level tells: the holders of ``role`` of whatever the first of ``of`` that is there leads to."""

    role: str
    of: tuple[Path, ...]
    pointer: Pointer


@dataclass(frozen=True)
class Trigger:
    """When a level is crossed: ``after`` and ``share`` count from the start, ``before`` and ``past`` from the due time."""

    kind: Literal["start", "after", "share", "before", "past"]
    amount: Amount | None = None
    share: Fraction = Fraction(1)
    share_path: Path | None = None


@dataclass(frozen=True)
class Level:
    """One rung: what it is called, when it is crossed, for which subjects, how grave it is, and who is told."""

    name: str
    title: Mapping[str, str]
    trigger: Trigger
    every: Amount | None
    when: Condition | None
    severity: str
    notify: tuple[Target, ...]
    message: Mapping[str, str]
    clauses: tuple[str, ...]
    pointer: Pointer


@dataclass(frozen=True)
class ClockRule:
    """How the clock of a subject is made; see docs/reference/policies for each key."""

    start: tuple[Condition, ...] = ()
    stop: tuple[Condition, ...] = ()
    restarts: Condition | None = None
    due: tuple[Condition, ...] = ()
    cycle: Cycle | None = None
    met: Condition | None = None
    pauses: Path | None = None
    pause_kind: str = ""
    pause_approved: Condition | None = None
    pauses_when: Condition | None = None
    calendar: str = "always"
    working: str = ""


@dataclass(frozen=True)
class Each:
    """A watch of the items of a list inside the subject: one clock for each."""

    variable: str
    path: Path


@dataclass(frozen=True)
class Related:
    """Records of another kind that refer to the subject, as a list in conditions."""

    kind: str
    field: str


@dataclass(frozen=True)
class Watch:
    """A compiled EscalationPolicy or WarningPolicy."""

    record: Record
    subject: str
    scope: Scope
    each: Each | None
    related: Mapping[str, Related]
    when: Condition | None
    clock: ClockRule | None
    levels: tuple[Level, ...]
    clauses: tuple[str, ...]

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.record.name

    @property
    def uses_term(self) -> bool:
        """True when a level or condition reads ``term``."""
        amounts = [a for level in self.levels for a in (level.trigger.amount, level.every) if a and a.path]
        conditions = [self.when, *(level.when for level in self.levels)]
        return any(a.path and a.path.names[0] == "term" for a in amounts) or any(
            "term" in c.needs for c in conditions if c
        )


def compile_watch(record: Record, compiler: Compiler, lines: tuple[str, ...]) -> tuple[Watch | None, list[Finding]]:
    """The policy, or None and everything that is wrong with it. The record has passed its schema."""
    return _Reader(record, compiler, lines).read()


class _Reader:
    """Reads one policy; collects findings instead of stopping at the first."""

    def __init__(self, record: Record, compiler: Compiler, lines: tuple[str, ...]) -> None:
        self.record = record
        self.compiler = compiler
        self.lines = lines
        self.findings: list[Finding] = []
        self.scope: dict[str, Shape] = {}

    def read(self) -> tuple[Watch | None, list[Finding]]:
        spec, types = self.record.spec, self.compiler.types
        subject = spec["subject"]
        if subject not in types.schemas.kinds:
            self.complain(
                "unknown-kind",
                f"There is no kind {subject!r}.",
                ("subject",),
                did_you_mean(subject, types.schemas.kinds),
            )
            return None, self.findings
        self.scope = {"subject": self._entity_shape(subject), "param": types.param, "term": TERM}
        related = self._related(spec.get("with", {}))
        each = self._each(spec.get("each"))
        when = self._condition(spec.get("when"), ("when",))
        clock = self._clock(spec["clock"]) if "clock" in spec else None
        levels = tuple(self._level(level, index, clock) for index, level in enumerate(spec["levels"]))
        self._twice([level.name for level in levels])
        if any(f.severity == "error" for f in self.findings):
            return None, self.findings
        clauses = tuple(self.record.metadata.get("clauses", ()))
        return Watch(self.record, subject, self.scope, each, related, when, clock, levels, clauses), self.findings

    # --- parts

    def _entity_shape(self, kind: str) -> Shape:
        return self.compiler.types.kind_shape(kind)

    def _related(self, written: Mapping[str, Mapping[str, str]]) -> dict[str, Related]:
        kinds = self.compiler.types.schemas.kinds
        related: dict[str, Related] = {}
        for name, one in written.items():
            kind, field = one["kind"], one["by"]
            if kind not in kinds:
                self.complain(
                    "unknown-kind", f"There is no kind {kind!r}.", ("with", name, "kind"), did_you_mean(kind, kinds)
                )
                continue
            first = field.split(".", 1)[0]
            if first not in kinds[kind].shape.fields:
                hint = did_you_mean(first, kinds[kind].shape.fields)
                self.complain("condition-unknown-field", f"{kind} has no field {first!r}.", ("with", name, "by"), hint)
                continue
            related[name] = Related(kind, field)
            self.scope[name] = Shape("list", item=Shape("reference", kinds=(kind,)))
        return related

    def _each(self, written: Mapping[str, str] | None) -> Each | None:
        if written is None:
            return None
        path = self._path(written["in"], ("each", "in"))
        shape = shape_at(path, self.scope, self.compiler.types) if path else None
        if path is None or shape is None or shape.type != "list" or not shape.item or shape.item.type != "object":
            if path is not None:
                self.complain("policy-invalid", f"{path} is not a list of objects.", ("each", "in"))
            return None
        self.scope[written["as"]] = shape.item
        return Each(written["as"], path)

    def _clock(self, written: Mapping[str, Any]) -> ClockRule:
        base = ("clock",)
        pauses = self._path(written["pauses"], (*base, "pauses")) if "pauses" in written else None
        kind, approved = self._pause(pauses) if pauses else ("", None)
        rule = ClockRule(
            start=self._instants(written.get("start"), (*base, "start")),
            stop=self._instants(written.get("stop"), (*base, "stop")),
            restarts=self._condition(written.get("restarts"), (*base, "restarts"), ("list<timestamp>", "list<dyn>")),
            due=self._instants(written.get("due"), (*base, "due")),
            cycle=written.get("cycle"),
            met=self._condition(written.get("met"), (*base, "met"), ("list<timestamp>", "list<dyn>")),
            pauses=pauses,
            pause_kind=kind,
            pause_approved=approved,
            pauses_when=self._condition(written.get("pausesWhen"), (*base, "pausesWhen")),
            calendar=written.get("calendar", "always"),
            working=written.get("working", ""),
        )
        if not rule.start and not rule.cycle and not rule.due:
            self.complain("policy-invalid", "A clock has a start, a due time or a cycle.", base)
        return rule

    def _pause(self, path: Path) -> tuple[str, Condition | None]:
        shape = shape_at(path, self.scope, self.compiler.types)
        item = shape.item if shape and shape.type == "list" else None
        kinds = self.compiler.types.schemas.kinds
        if item is None or item.type != "reference" or kinds[item.kinds[0]].pause is None:
            self.complain("policy-invalid", f"{path} is not a list of records that pause a clock.", ("clock", "pauses"))
            return "", None
        kind = item.kinds[0]
        pause = kinds[kind].pause or {}
        scope = {"item": self._entity_shape(kind), "param": self.compiler.types.param}
        origin = Origin(self.record, ("spec", "clock", "pauses"))
        approved, findings = self.compiler.compile(pause.get("approved", "true"), scope, origin)
        self.findings += findings
        return kind, approved

    def _level(self, written: Mapping[str, Any], index: int, clock: ClockRule | None) -> Level:
        base: Pointer = ("levels", index)
        trigger = self._trigger(written, base, clock)
        default = "breach" if self.record.kind == "EscalationPolicy" else "caution"
        titles = written.get("title", {})
        return Level(
            name=written["name"],
            title=titles if isinstance(titles, dict) else {"en": titles, "zh": titles},
            trigger=trigger,
            every=self._amount(written["every"], (*base, "every")) if "every" in written else None,
            when=self._condition(written.get("when"), (*base, "when")),
            severity=written.get("severity", default),
            notify=tuple(
                self._target(one, (*base, "notify", number)) for number, one in enumerate(written.get("notify", ()))
            ),
            message=written.get("message", self.record.spec.get("message", {})),
            clauses=tuple(written.get("clauses", ())),
            pointer=("spec", *base),
        )

    def _trigger(self, written: Mapping[str, Any], base: Pointer, clock: ClockRule | None) -> Trigger:
        given = [key for key in ("after", "share", "before", "past") if key in written]
        if clock is None and given:
            self.complain("policy-invalid", f"{given[0]} needs a clock.", (*base, given[0]))
        if len(given) > 1:
            self.complain("policy-invalid", f"A level has one of {' and '.join(given)}.", base)
        if not given:
            return Trigger("start")
        key = given[0]
        if key == "share":
            return self._share(written, base)
        if key in ("before", "past") and clock is not None and not clock.due and not clock.cycle:
            self.complain(
                "policy-invalid", f"{key} counts from the clock's due time, and the clock has none.", (*base, key)
            )
        return Trigger(key, self._amount(written[key], (*base, key)))  # type: ignore[arg-type]

    def _share(self, written: Mapping[str, Any], base: Pointer) -> Trigger:
        if "of" not in written:
            self.complain("policy-invalid", "share says of what: share: 80%, of: term.repairLimit.", (*base, "share"))
            return Trigger("share")
        amount = self._amount(written["of"], (*base, "of"))
        text = written["share"]
        if text.endswith("%"):
            return Trigger("share", amount, parse_share(text))
        path = self._path(text, (*base, "share"))
        if path is not None and path.names[0] != "param":
            self.complain("policy-invalid", "A share is written as 80% or read from a parameter.", (*base, "share"))
        return Trigger("share", amount, share_path=path)

    def _amount(self, text: str, pointer: Pointer) -> Amount:
        if text[:1].isdigit():
            try:
                return Amount(text, parse_duration(text), None)
            except ValueError as error:
                self.complain("policy-invalid", str(error), pointer)
                return Amount(text, None, None)
        path = self._path(text, pointer)
        shape = shape_at(path, self.scope, self.compiler.types) if path else None
        if path is not None and (shape is None or shape.type != "duration"):
            self.complain(
                "condition-type", f"{path} is not a duration.", pointer, "A duration is written 120m, 4h, 2wd …"
            )
        return Amount(text, None, path)

    def _target(self, written: Mapping[str, Any], pointer: Pointer) -> Target:
        of = written.get("of", [])
        texts = [of] if isinstance(of, str) else list(of)
        if "person" in written:
            texts = [written["person"]]
        paths = []
        for text in texts:
            path = self._path(text, (*pointer, "person" if "person" in written else "of"))
            shape = shape_at(path, self.scope, self.compiler.types) if path else None
            if path is not None and len(path.names) > 1 and (shape is None or shape.type != "reference"):
                self.complain("condition-type", f"{path} does not refer to a record.", (*pointer, "of"))
            elif path is not None:
                paths.append(path)
        return Target(written.get("role", "person"), tuple(paths), ("spec", *pointer))

    # --- expressions

    def _condition(self, text: Any, pointer: Pointer, wants: tuple[str, ...] = ("bool",)) -> Condition | None:
        if text is None:
            return None
        origin = Origin(self.record, ("spec", *pointer), self.lines)
        condition, findings = self.compiler.compile(text, self.scope, origin, wants=wants)
        self.findings += findings
        return condition

    def _instants(self, written: Any, pointer: Pointer) -> tuple[Condition, ...]:
        """One expression or several; a plain path may be missing: then a clock does not begin, or runs on."""
        found = []
        for index, text in enumerate(written if isinstance(written, list) else [] if written is None else [written]):
            where: Pointer = (*pointer, index) if isinstance(written, list) else pointer
            origin = Origin(self.record, ("spec", *where), self.lines)
            condition, findings = self.compiler.compile(text, self.scope, origin, wants=("timestamp",), may_miss=True)
            self.findings += findings
            if condition is not None:
                found.append(condition)
        return tuple(found)

    def _path(self, text: str, pointer: Pointer) -> Path | None:
        """A plain path such as ``subject.customer``; its fields are checked, and may be missing."""
        origin = Origin(self.record, ("spec", *pointer), self.lines)
        condition, findings = self.compiler.compile(text, self.scope, origin, wants=(), may_miss=True)
        self.findings += findings
        if condition is None:
            return None
        if not isinstance(condition.root, Path):
            self.complain("policy-invalid", "Expected a path such as subject.customer.", pointer)
            return None
        return condition.root

    def _twice(self, names: list[str]) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                self.complain("policy-invalid", f"Two levels are called {name!r}.", ("levels", index, "name"))

    def complain(self, code: str, message: str, pointer: Pointer, hint: str = "") -> None:
        """Note a finding at ``pointer`` inside the spec."""
        where: Pointer = ("spec", *pointer)
        self.findings.append(
            finding(
                code, message, self.record.place(where), hint=hint, pointer=pointer_text(where), record=self.record.id
            )
        )
