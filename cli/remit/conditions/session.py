"""A box around durable-rules that stays inside what the engine is known to do rightly.

Facts, never events; each case is asserted, decided and retracted; no timer threads; every pattern starts with a test on
our own ``kind``; rules only record that they fired. A definition outside the envelope is refused before the engine sees
it, because outside it the engine loops, crashes the process or fires wrongly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

KIND = "case"
"""The discriminator of every fact and pattern: without it the engine's own state document can match, for ever."""

MAX_RULES = 50
MAX_TESTS = 300
MAX_TRUE_SIBLINGS = 60
MAX_PROPERTIES = 200
_COMPARISONS = {"$lt", "$lte", "$gt", "$gte", "$neq"}
_LARGEST = 2**63 - 1
_OWN = frozenset({"id", "sid", "kind"})


class OutsideEnvelope(ValueError):
    """A definition or fact that durable-rules is not known to handle rightly."""


class RuleSession:
    """Decides which of some named tests hold for one case at a time.

    ``tests`` maps a rule name to a test over flat properties, or to None for one that always holds. Close it when done:
    the engine keeps a ruleset until told to delete it.
    """

    def __init__(self, tests: Mapping[str, dict[str, Any] | None]) -> None:
        lint(tests)
        from durable import engine

        fired: list[str] = []
        self._fired = fired
        self._engine = engine

        class Host(engine.Host):  # type: ignore[misc]
            def _run(self) -> None:
                """The stock method starts two timer threads."""

            def get_action(self, name: str) -> Any:
                def record(context: Any) -> None:
                    fired.append(name)

                return record

        rules: dict[str, Any] = {}
        for name, test in tests.items():
            pattern = {"kind": KIND} if test is None else {"$and": [{"kind": KIND}, test]}
            rules[name] = {"all": [{"m": pattern}], "run": name}
        self._host = Host({"cases": rules})

    def decide(self, properties: Mapping[str, Any]) -> frozenset[str]:
        """The names of the rules that hold for a case with these properties; nothing is left behind.

        Raises:
            OutsideEnvelope: a value that the engine cannot hold exactly.
        """
        fact = {"id": "case:1", "kind": KIND, **_checked(properties)}
        self._fired.clear()
        try:
            self._host.assert_fact("cases", fact)
        except self._engine.MessageNotHandledException:
            return frozenset()  # no rule looks at it: it was not stored
        try:
            # A $or fires once per true branch, so firings are a set.
            fired = frozenset(self._fired)
            trouble = self._host.get_state("cases").get("exception")
        finally:
            self._host.retract_fact("cases", {"id": "case:1", "kind": KIND})
        if trouble:
            raise OutsideEnvelope(str(trouble))
        return fired

    def close(self) -> None:
        """Give the ruleset back to the engine; the session cannot be used afterwards."""
        import durable_rules_engine as native

        # The engine keeps the state of a ruleset that has decided (some 15 KB a rule) for good: deleting a state, its
        # only way to give it back, can kill the process. So sessions are few and long-lived: one a policy or store.
        native.delete_ruleset(self._host.get_ruleset("cases")._handle)


def lint(tests: Mapping[str, dict[str, Any] | None]) -> None:
    """Refuse definitions outside the envelope.

    Raises:
        OutsideEnvelope: naming what is outside.
    """
    if not 1 <= len(tests) <= MAX_RULES:
        raise OutsideEnvelope(f"1 to {MAX_RULES} rules a session, not {len(tests)}")
    for name in tests:
        if "$" in name:
            raise OutsideEnvelope(f"the rule name {name!r} would be taken for a chart")
    leaves = sum(size(test) for test in tests.values())
    if leaves > MAX_TESTS:
        raise OutsideEnvelope(f"at most {MAX_TESTS} tests a session, not {leaves}")
    if sum(weight(test) for test in tests.values()) > MAX_TRUE_SIBLINGS:
        raise OutsideEnvelope("too many alternatives could be true at once")


def size(test: dict[str, Any] | None) -> int:
    """How many leaves a test has.

    Raises:
        OutsideEnvelope: the test has a form that the engine does not handle rightly.
    """
    return 0 if test is None else sum(1 for _ in _leaves(test))


def fits(tests: Mapping[str, dict[str, Any] | None], properties: int) -> bool:
    """True when one session can hold these tests over so many properties."""
    return (
        len(tests) <= MAX_RULES
        and sum(weight(test) for test in tests.values()) <= MAX_TRUE_SIBLINGS
        and sum(size(test) for test in tests.values()) <= MAX_TESTS
        and properties <= MAX_PROPERTIES
    )


def _leaves(test: Any) -> Iterator[Any]:
    if not isinstance(test, dict) or len(test) != 1:
        raise OutsideEnvelope(f"a test has one key: {test!r}")
    ((sign, body),) = test.items()
    if sign in ("$and", "$or"):
        if not body:
            raise OutsideEnvelope(f"an empty {sign} never ends")
        for part in body:
            yield from _leaves(part)
    elif sign in ("$ex", "$nex"):
        _own_name(next(iter(body)))
        yield test
    elif sign in _COMPARISONS:
        yield from _leaves_of_comparison(test, body)
    elif sign.startswith("$"):
        raise OutsideEnvelope(f"{sign} is not used")
    else:
        yield from _leaves_of_comparison(test, test)


def _leaves_of_comparison(test: Any, body: Any) -> Iterator[Any]:
    ((name, value),) = body.items()
    _own_name(name)
    if not isinstance(value, dict):
        _value(name, value)
    yield test


def weight(test: dict[str, Any] | None) -> int:
    """How many branches of a test may be true at once; equalities of one property exclude one another."""
    if test is None:
        return 1
    ((sign, body),) = test.items()
    if sign == "$and":
        return math.prod(weight(part) for part in body)
    if sign == "$or":
        names = {next(iter(part)) for part in body}
        exclusive = len(names) == 1 and not next(iter(names)).startswith("$")
        return 1 if exclusive else sum(weight(part) for part in body)
    return 1


def _checked(properties: Mapping[str, Any]) -> dict[str, Any]:
    if len(properties) > MAX_PROPERTIES:
        raise OutsideEnvelope(f"at most {MAX_PROPERTIES} properties a case, not {len(properties)}")
    for name in properties:
        _own_name(name)
    return {name: _value(name, value) for name, value in properties.items() if value is not None}


def _own_name(name: str) -> None:
    """Refuse a property name that the engine gives a meaning of its own."""
    if name in _OWN or "$" in name or "." in name:
        raise OutsideEnvelope(f"{name} is the engine's own")


def _value(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -_LARGEST < value < _LARGEST:
            raise OutsideEnvelope(f"{name}: a whole number beyond 64 bits")
        return value
    if isinstance(value, str):
        if len(value.encode("utf-8", "surrogatepass")) > 60_000 or any("\ud800" <= c <= "\udfff" for c in value):
            raise OutsideEnvelope(f"{name}: a text that the engine cannot compare")
        return value
    raise OutsideEnvelope(f"{name}: only text, whole numbers and true or false")
