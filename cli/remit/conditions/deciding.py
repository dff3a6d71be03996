"""Several conditions over the same variables, decided at once by durable-rules, with CEL's own evaluator as witness."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from remit.conditions.checks import Scope
from remit.conditions.condition import Bindings, Compiler, Condition
from remit.conditions.lowering import Lowering, Property, Test
from remit.conditions.selection import SUBJECT, Selection
from remit.conditions.session import OutsideEnvelope, RuleSession, fits, lint, names_in
from remit.conditions.sieve import chooser
from remit.references import Entity, World


class EnginesDisagree(AssertionError):
    """durable-rules and CEL gave different answers to one question: a bug in Remit, never a decision."""


@dataclass(frozen=True)
class _Part:
    """One session and, for each condition in it, the properties that its rules read."""

    session: RuleSession
    reads: Mapping[str, tuple[Property, ...]]

    @staticmethod
    def of(rules: Mapping[str, Mapping[str, Test]], lowering: Lowering) -> _Part:
        named = {one.name: one for one in lowering.properties.values()}
        reads = {
            name: tuple(named[one] for one in sorted({one for test in tests.values() for one in names_in(test)}))
            for name, tests in rules.items()
        }
        return _Part(RuleSession(_together(rules)), reads)

    def fired(self, names: Collection[str], bindings: Bindings) -> frozenset[str]:
        """Those of ``names`` that hold; rules of other conditions may fire for want of their properties."""
        asked = [name for name in names if name in self.reads]
        if not asked:
            return frozenset()
        properties = {one.name: one for name in asked for one in self.reads[name]}
        decided = self.session.decide({name: one.read(bindings) for name, one in properties.items()})
        return frozenset(rule.partition("#")[0] for rule in decided).intersection(asked)


class Decider:
    """Says which of some named conditions hold. Sessions are as many as the engine's limits ask for; close it.

    With ``witness``, CEL is asked every question too, and a different answer is an error.
    """

    def __init__(self, conditions: Mapping[str, Condition], compiler: Compiler, *, witness: bool = True) -> None:
        self._conditions = dict(conditions)
        self._witness = witness
        self._compiler = compiler
        self._chosen: tuple[World, Callable[[Entity], list[str]]] | None = None
        self._parts: list[_Part] = []
        pending: dict[str, dict[str, Test]] = {}
        lowering = Lowering(compiler)
        for name, condition in self._conditions.items():
            tests = _rules(name, lowering.tests(condition))
            if pending and not fits(_together({**pending, name: tests}), len(lowering.properties)):
                self._parts.append(_Part.of(pending, lowering))
                pending, lowering = {}, Lowering(compiler)
                tests = _rules(name, lowering.tests(condition))
            pending[name] = tests
        if pending:
            self._parts.append(_Part.of(pending, lowering))

    def holding(self, bindings: Bindings) -> frozenset[str]:
        """The names of the conditions that hold.

        Raises:
            EnginesDisagree: CEL says otherwise of any of them.
        """
        return self._among(self._conditions, bindings)

    def each(self, things: Iterable[Entity], world: World, scope: Scope) -> Iterator[tuple[Entity, frozenset[str]]]:
        """The things, as ``subject``, of which some condition holds, each with the names of those that do.

        Of a thing, the engine is asked only about conditions that a generated function does not rule out.

        Raises:
            EnginesDisagree: as ``holding``.
        """
        possible, param = self._chooser(world), world.parameter_values
        for thing in things:
            names = self._conditions if self._witness else possible(thing)
            if names:
                held = self._among(names, Bindings(world, {SUBJECT: thing, "param": param}, scope))
                if held:
                    yield thing, held

    def _chooser(self, world: World) -> Callable[[Entity], list[str]]:
        if self._chosen is None or self._chosen[0] is not world:
            selection = Selection(self._compiler.types, world.parameter_values)
            tests = {name: selection.test(one.root, one.scope) for name, one in self._conditions.items()}
            self._chosen = (world, chooser(tests, world))
        return self._chosen[1]

    def _among(self, names: Collection[str], bindings: Bindings) -> frozenset[str]:
        fired = frozenset().union(*(part.fired(names, bindings) for part in self._parts))
        for name in names if self._witness else ():
            condition = self._conditions[name]
            if condition.holds(bindings) != (name in fired):
                raise EnginesDisagree(f"{condition.text} is decided {name in fired} by durable-rules only")
        return fired

    def close(self) -> None:
        """Give every session back."""
        for part in self._parts:
            part.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def is_decidable(condition: Condition, compiler: Compiler) -> bool:
    """True when one rule session can hold the condition, however alone it stands there."""
    lowering = Lowering(compiler)
    try:
        rules = _rules("r", lowering.tests(condition))
        lint(rules)
        return fits(rules, len(lowering.properties))
    except OutsideEnvelope:
        return False


def _together(rules: Mapping[str, Mapping[str, Test]]) -> dict[str, Test]:
    return {rule: test for tests in rules.values() for rule, test in tests.items()}


def _rules(name: str, tests: list[Test]) -> dict[str, Test]:
    """A rule for each alternative of a condition: ``name#0``, ``name#1`` …"""
    return {f"{name}#{number}": test for number, test in enumerate(tests)}
