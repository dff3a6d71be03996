"""Several conditions over the same variables, decided at once by durable-rules, with CEL's own evaluator as witness."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from remit.conditions.condition import Bindings, Compiler, Condition
from remit.conditions.lowering import Lowering
from remit.conditions.session import OutsideEnvelope, RuleSession, fits, lint


class EnginesDisagree(AssertionError):
    """durable-rules and CEL gave different answers to one question: a bug in Remit, never a decision."""


class Decider:
    """Says which of some named conditions hold. Sessions are as many as the engine's limits ask for; close it.

    With ``witness``, CEL is asked every question too, and a different answer is an error.
    """

    def __init__(self, conditions: Mapping[str, Condition], compiler: Compiler, *, witness: bool = True) -> None:
        self._conditions = dict(conditions)
        self._witness = witness
        self._parts: list[tuple[Lowering, RuleSession]] = []
        pending: dict[str, Any] = {}
        lowering = Lowering(compiler)
        for name, condition in self._conditions.items():
            tests = _rules(name, lowering.tests(condition))
            if pending and not fits({**pending, **tests}, len(lowering.properties)):
                self._parts.append((lowering, RuleSession(pending)))
                pending, lowering = {}, Lowering(compiler)
                tests = _rules(name, lowering.tests(condition))
            pending |= tests
        if pending:
            self._parts.append((lowering, RuleSession(pending)))

    def holding(self, bindings: Bindings) -> frozenset[str]:
        """The names of the conditions that hold.

        Raises:
            EnginesDisagree: CEL says otherwise of any of them.
        """
        fired: set[str] = set()
        for lowering, session in self._parts:
            decided = session.decide({prop.name: prop.read(bindings) for prop in lowering.properties.values()})
            fired |= {rule.partition("#")[0] for rule in decided}
        for name, condition in self._conditions.items() if self._witness else ():
            if condition.holds(bindings) != (name in fired):
                raise EnginesDisagree(f"{condition.text} is decided {name in fired} by durable-rules only")
        return frozenset(fired)

    def close(self) -> None:
        """Give every session back."""
        for _, session in self._parts:
            session.close()

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


def _rules(name: str, tests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """A rule for each alternative of a condition: ``name#0``, ``name#1`` …"""
    return {f"{name}#{number}": test for number, test in enumerate(tests)}
