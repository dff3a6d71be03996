"""What policies of several kinds read alike: spans of time, clocks, items of a list, related records, expressions.

A reader compiles one policy and collects findings instead of stopping at the first, each at the place in the policy's
file where the matter was written. Pointers are inside ``spec``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from remit.conditions.checks import shape_at
from remit.conditions.condition import Compiler, Condition, Origin
from remit.conditions.deciding import is_decidable
from remit.conditions.messages import MADE_DECISION
from remit.conditions.tree import Path
from remit.findings import Finding, did_you_mean, finding
from remit.places import Pointer, pointer_text
from remit.records import Record
from remit.schemas import Shape
from remit.times import Cycle, Duration, parse_duration


@dataclass(frozen=True)
class Amount:
    """A span of time: written as it is, or read from ``param``, ``term`` or what is judged, at a path."""

    text: str
    duration: Duration | None
    path: Path | None


@dataclass(frozen=True)
class Reached:
    """A clock that begins whenever ``count`` of some instants lie within a span of time."""

    count: int | Path
    of: Condition
    within: Amount


@dataclass(frozen=True)
class Stretches:
    """A list of objects in the subject, each with an instant (``at``) and something more (``to``), and what follows.

    For work that was reopened, ``at`` is when it was thought done and ``to`` when it was taken up again; for work that
    was handed over, ``at`` is when and ``to`` names who holds it from then.
    """

    path: Path
    at: str
    to: str
    then: Literal["continue", "restart", "split"]


@dataclass(frozen=True)
class ClockRule:
    """How the clock of a subject is made; see docs/reference/policies for each key."""

    reopened: Stretches | None = None
    handed_over: Stretches | None = None
    lasts: Amount | None = None
    reached: Reached | None = None
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
class Target:
    """Whom a level tells: the holders of ``role`` of whatever the first of ``of`` that is there leads to."""

    role: str
    of: tuple[Path, ...]
    pointer: Pointer


@dataclass(frozen=True)
class Each:
    """The items of a list inside a record, each judged by itself."""

    variable: str
    path: Path


@dataclass(frozen=True)
class Related:
    """Records of another kind that refer to what is judged, as a list in conditions.

    ``field`` of theirs names the subject, or else has the value that ``on`` leads to. With ``decisions`` (a policy, or
    policy/level) they are decisions of that policy, whose subjects' ``field`` names the subject.
    """

    kind: str
    field: str
    decisions: str = ""
    on: Path | None = None


class PolicyReader:
    """The shared part of every policy reader. ``scope`` holds the variables that expressions may use, so far."""

    def __init__(self, record: Record, compiler: Compiler, lines: tuple[str, ...]) -> None:
        self.record = record
        self.compiler = compiler
        self.lines = lines
        self.findings: list[Finding] = []
        self.scope: dict[str, Shape] = {}

    # --- parts

    def entity_shape(self, kind: str) -> Shape:
        """The shape of records of ``kind``, as expressions see them."""
        return self.compiler.types.kind_shape(kind)

    def related(self, written: Mapping[str, Mapping[str, str]], base: Pointer) -> dict[str, Related]:
        """Records or decisions that belong to what is judged, each a list in the scope from here on."""
        related: dict[str, Related] = {}
        for name, one in written.items():
            found = self._decisions(one) if "decisions" in one else self._records(one, (*base, name))
            if found is not None:
                related[name] = found
                item = MADE_DECISION if found.decisions else Shape("reference", kinds=(found.kind,))
                self.scope[name] = Shape("list", item=item)
        return related

    def _decisions(self, one: Mapping[str, str]) -> Related:
        # Which policies and levels there are is known only when all are compiled: ``chaining`` checks it.
        return Related("", one["by"], decisions=one["decisions"])

    def _records(self, one: Mapping[str, str], base: Pointer) -> Related | None:
        kinds = self.compiler.types.schemas.kinds
        kind, field = one["kind"], one["by"]
        if kind not in kinds:
            self.complain("unknown-kind", f"There is no kind {kind!r}.", (*base, "kind"), did_you_mean(kind, kinds))
            return None
        first = field.split(".", 1)[0]
        if first not in kinds[kind].shape.fields:
            hint = did_you_mean(first, kinds[kind].shape.fields)
            self.complain("condition-unknown-field", f"{kind} has no field {first!r}.", (*base, "by"), hint)
            return None
        return Related(kind, field, on=self.path(one["on"], (*base, "on")) if "on" in one else None)

    def each(self, written: Mapping[str, str] | None, base: Pointer) -> Each | None:
        """The items of a list, one of them a variable in the scope from here on."""
        if written is None:
            return None
        path = self.path(written["in"], (*base, "in"))
        shape = shape_at(path, self.scope, self.compiler.types) if path else None
        if path is None or shape is None or shape.type != "list" or not shape.item or shape.item.type != "object":
            if path is not None:
                self.complain("policy-invalid", f"{path} is not a list of objects.", (*base, "in"))
            return None
        self.scope[written["as"]] = shape.item
        return Each(written["as"], path)

    def clock(self, written: Mapping[str, Any], base: Pointer) -> ClockRule:
        """The rule of a clock; one that has nothing to begin with is a finding."""
        pauses = self.path(written["pauses"], (*base, "pauses")) if "pauses" in written else None
        kind, approved = self._pause(pauses, (*base, "pauses")) if pauses else ("", None)
        rule = ClockRule(
            start=self.instants(written.get("start"), (*base, "start")),
            stop=self.instants(written.get("stop"), (*base, "stop")),
            restarts=self.condition(written.get("restarts"), (*base, "restarts"), ("list<timestamp>", "list<dyn>")),
            due=self.instants(written.get("due"), (*base, "due")),
            cycle=written.get("cycle"),
            met=self.condition(written.get("met"), (*base, "met"), ("list<timestamp>", "list<dyn>")),
            pauses=pauses,
            pause_kind=kind,
            pause_approved=approved,
            pauses_when=self.condition(written.get("pausesWhen"), (*base, "pausesWhen")),
            calendar=written.get("calendar", "always"),
            working=written.get("working", ""),
            reopened=self._stretches(written, "reopened", "from", ("instant",), base),
            handed_over=self._stretches(written, "handedOver", "at", ("text", "reference"), base),
            lasts=self.amount(written["lasts"], (*base, "lasts")) if "lasts" in written else None,
            reached=self._reached(written["reached"], (*base, "reached")) if "reached" in written else None,
        )
        if not rule.start and not rule.cycle and not rule.due and "reached" not in written:
            self.complain("policy-invalid", "A clock has a start, a due time or a cycle.", base)
        return rule

    def _reached(self, written: Mapping[str, Any], base: Pointer) -> Reached | None:
        count = written["count"]
        if isinstance(count, str):
            path = self.path(count, (*base, "count"))
            shape = shape_at(path, self.scope, self.compiler.types) if path else None
            if path is None or shape is None or shape.type != "int":
                self.complain("condition-type", f"{count} is not a whole number.", (*base, "count"))
                return None
            count = path
        instants = self.condition(written["of"], (*base, "of"), ("list<timestamp>", "list<dyn>"))
        within = self.amount(written["within"], (*base, "within"))
        return Reached(count, instants, within) if instants is not None else None

    def _stretches(
        self, written: Mapping[str, Any], key: str, at: str, to_types: tuple[str, ...], base: Pointer
    ) -> Stretches | None:
        if key not in written:
            return None
        one, where = written[key], (*base, key)
        path = self.path(one["in"], (*where, "in"))
        shape = shape_at(path, self.scope, self.compiler.types) if path else None
        fields = shape.item.fields if shape and shape.type == "list" and shape.item else {}
        if path is not None and not fields:
            self.complain("policy-invalid", f"{path} is not a list of objects.", (*where, "in"))
        for name, types in ((at, ("instant",)), ("to", to_types)) if fields else ():
            if one[name] not in fields:
                hint = did_you_mean(one[name], fields)
                self.complain("condition-unknown-field", f"{path} has no field {one[name]!r}.", (*where, name), hint)
            elif fields[one[name]].shape.type not in types:
                self.complain("condition-type", f"{one[name]!r} is not of the right type here.", (*where, name))
        return Stretches(path, one[at], one["to"], one["then"]) if path is not None else None

    def _pause(self, path: Path, pointer: Pointer) -> tuple[str, Condition | None]:
        shape = shape_at(path, self.scope, self.compiler.types)
        item = shape.item if shape and shape.type == "list" else None
        kinds = self.compiler.types.schemas.kinds
        if item is None or item.type != "reference" or kinds[item.kinds[0]].pause is None:
            self.complain("policy-invalid", f"{path} is not a list of records that pause a clock.", pointer)
            return "", None
        kind = item.kinds[0]
        pause = kinds[kind].pause or {}
        scope = {"item": self.entity_shape(kind), "param": self.compiler.types.param}
        origin = Origin(self.record, ("spec", *pointer))
        approved, findings = self.compiler.compile(pause.get("approved", "true"), scope, origin)
        self.findings += findings
        return kind, approved

    def amount(self, text: str, pointer: Pointer) -> Amount:
        """A span as written, or a path that leads to one."""
        if text[:1].isdigit():
            try:
                return Amount(text, parse_duration(text), None)
            except ValueError as error:
                self.complain("policy-invalid", str(error), pointer)
                return Amount(text, None, None)
        path = self.path(text, pointer)
        shape = shape_at(path, self.scope, self.compiler.types) if path else None
        if path is not None and (shape is None or shape.type != "duration"):
            self.complain(
                "condition-type", f"{path} is not a duration.", pointer, "A duration is written 120m, 4h, 2wd …"
            )
        return Amount(text, None, path)

    # --- expressions

    def condition(self, text: Any, pointer: Pointer, wants: tuple[str, ...] = ("bool",)) -> Condition | None:
        """The compiled expression; None where none is written or it does not compile."""
        if text is None:
            return None
        origin = Origin(self.record, ("spec", *pointer), self.lines)
        condition, findings = self.compiler.compile(text, self.scope, origin, wants=wants)
        self.findings += findings
        if condition is not None and condition.kind == "bool" and not is_decidable(condition, self.compiler):
            hint = "Split it into two policies or levels, or move a long list into a parameter."
            self.complain("condition-unsupported", "The condition is too large for the rule engine.", pointer, hint)
            return None
        return condition

    def instants(self, written: Any, pointer: Pointer) -> tuple[Condition, ...]:
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

    def path(self, text: str, pointer: Pointer) -> Path | None:
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

    def complain(self, code: str, message: str, pointer: Pointer, hint: str = "") -> None:
        """Note a finding at ``pointer`` inside the spec."""
        where: Pointer = ("spec", *pointer)
        self.findings.append(
            finding(
                code, message, self.record.place(where), hint=hint, pointer=pointer_text(where), record=self.record.id
            )
        )
