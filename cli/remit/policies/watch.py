"""Watching policies: EscalationPolicy and WarningPolicy, compiled.

Both watch subjects of one kind and say who is told when. A watch has a condition that selects subjects, a clock, and
levels: instants on that clock. A watch without a clock is a standing condition. Compiling gives every finding at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from remit.conditions.checks import Scope, shape_at
from remit.conditions.condition import Compiler, Condition
from remit.conditions.messages import TERM
from remit.conditions.tree import Path
from remit.findings import Finding, did_you_mean
from remit.places import Pointer
from remit.policies.creating import FollowUp, read_follow_up
from remit.policies.reading import Amount, ClockRule, Each, PolicyReader, Related, Target
from remit.records import Record
from remit.times import parse_share


@dataclass(frozen=True)
class Trigger:
    """When a level is crossed. ``after`` and ``share`` count from the start, the others from the due time."""

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
    create: FollowUp | None = None


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
    sources: tuple[Watch, ...] = ()
    """The watches whose decisions it reads; ``chaining`` sets them."""

    @property
    def heard(self) -> frozenset[str]:
        """The names of the policies whose decisions it reads."""
        return frozenset(one.decisions.partition("/")[0] for one in self.related.values() if one.decisions)

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.record.name

    @cached_property
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


class _Reader(PolicyReader):
    """Reads one policy; collects findings instead of stopping at the first."""

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
        self.scope = {"subject": self.entity_shape(subject), "param": types.param, "term": TERM}
        related = self.related(spec.get("with", {}), ("with",))
        each = self.each(spec.get("each"), ("each",))
        when = self.condition(spec.get("when"), ("when",))
        clock = self.clock(spec["clock"], ("clock",)) if "clock" in spec else None
        levels = tuple(self._level(level, index, clock) for index, level in enumerate(spec["levels"]))
        self._twice([level.name for level in levels])
        if any(f.severity == "error" for f in self.findings):
            return None, self.findings
        clauses = tuple(self.record.metadata.get("clauses", ()))
        return Watch(self.record, subject, self.scope, each, related, when, clock, levels, clauses), self.findings

    # --- parts

    def _level(self, written: Mapping[str, Any], index: int, clock: ClockRule | None) -> Level:
        base: Pointer = ("levels", index)
        trigger = self._trigger(written, base, clock)
        default = "breach" if self.record.kind == "EscalationPolicy" else "caution"
        titles = written.get("title", {})
        return Level(
            name=written["name"],
            title=titles if isinstance(titles, dict) else {"en": titles, "zh": titles},
            trigger=trigger,
            every=self.amount(written["every"], (*base, "every")) if "every" in written else None,
            when=self.condition(written.get("when"), (*base, "when")),
            severity=written.get("severity", default),
            notify=tuple(
                self._target(one, (*base, "notify", number)) for number, one in enumerate(written.get("notify", ()))
            ),
            message=written.get("message", self.record.spec.get("message", {})),
            clauses=tuple(written.get("clauses", ())),
            pointer=("spec", *base),
            create=(
                read_follow_up(self, written["create"], (*base, "create"), self._target)
                if "create" in written
                else None
            ),
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
        return Trigger(key, self.amount(written[key], (*base, key)))  # type: ignore[arg-type]

    def _share(self, written: Mapping[str, Any], base: Pointer) -> Trigger:
        if "of" not in written:
            self.complain("policy-invalid", "share says of what: share: 80%, of: term.repairLimit.", (*base, "share"))
            return Trigger("share")
        amount = self.amount(written["of"], (*base, "of"))
        text = written["share"]
        if text.endswith("%"):
            return Trigger("share", amount, parse_share(text))
        path = self.path(text, (*base, "share"))
        if path is not None and path.names[0] != "param":
            self.complain("policy-invalid", "A share is written as 80% or read from a parameter.", (*base, "share"))
        return Trigger("share", amount, share_path=path)

    def _target(self, written: Mapping[str, Any], pointer: Pointer) -> Target:
        of = written.get("of", [])
        texts = [of] if isinstance(of, str) else list(of)
        if "person" in written:
            texts = [written["person"]]
        paths = []
        for text in texts:
            path = self.path(text, (*pointer, "person" if "person" in written else "of"))
            shape = shape_at(path, self.scope, self.compiler.types) if path else None
            if path is not None and len(path.names) > 1 and (shape is None or shape.type != "reference"):
                self.complain("condition-type", f"{path} does not refer to a record.", (*pointer, "of"))
            elif path is not None:
                paths.append(path)
        return Target(written.get("role", "person"), tuple(paths), ("spec", *pointer))

    def _twice(self, names: list[str]) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                self.complain("policy-invalid", f"Two levels are called {name!r}.", ("levels", index, "name"))
