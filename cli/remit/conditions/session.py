"""A box around durable-rules that stays inside what the engine is known to do rightly.

Facts, never events; each case is asserted, decided and retracted; no timer threads; every pattern starts with a test on
our own ``kind``; a rule does nothing but fire. A definition outside the envelope is refused before the engine sees
it, because outside it the engine loops, crashes the process or fires wrongly.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from json.encoder import encode_basestring
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
_NOT_HANDLED = 1
_STATE = "0"
"""The engine's name for the state of facts that name none."""
_CASE = f'{{"id":"case:1","kind":"{KIND}"}}'
_BEGINNING = _CASE[:-1]
_NAME = re.compile('{"([^"]+)"')
_PLAIN = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_RULE = re.compile("[A-Za-z0-9_#-]+")


class OutsideEnvelope(ValueError):
    """A definition or fact that durable-rules is not known to handle rightly."""


class RuleSession:
    """Decides which of some named tests hold for one case at a time.

    ``tests`` maps a rule name to a test over flat properties, or to None for one that always holds. Close it when done:
    the engine keeps a ruleset until told to delete it.

    The engine's own module is called without its Python layer, which takes four fifths of the time and adds threads,
    callbacks and leases that nobody needs here.
    """

    def __init__(self, tests: Mapping[str, dict[str, Any] | None]) -> None:
        lint(tests)
        import durable_rules_engine as native

        rules: dict[str, Any] = {}
        for name, test in tests.items():
            pattern = {"kind": KIND} if test is None else {"$and": [{"kind": KIND}, test]}
            rules[name] = {"all": [{"m": pattern}]}
        self._native = native
        self._ruleset = native.create_ruleset("cases", json.dumps(rules, ensure_ascii=False))
        self._decided = False

    def decide(self, properties: Mapping[str, Any]) -> frozenset[str]:
        """The names of the rules that hold for a case with these properties; nothing is left behind.

        Raises:
            OutsideEnvelope: a value that the engine cannot hold exactly.
        """
        fact = _fact(properties)
        native, ruleset = self._native, self._ruleset
        said, state = native.assert_fact(ruleset, fact)
        if said == _NOT_HANDLED:
            return frozenset()  # no rule looks at it: it was not stored, and no state was made
        self._decided = True
        # A $or fires once per true branch, so firings are a set. Each comes as {"name":{…}}.
        fired = set()
        started = native.start_action_for_state(ruleset, state)
        firing = started[1] if started else None
        while firing:
            fired.add(_NAME.match(firing)[1])  # type: ignore[index]
            firing = native.complete_and_start_action(ruleset, state)
        native.retract_fact(ruleset, _CASE)
        return frozenset(fired)

    def close(self) -> None:
        """Give the ruleset back to the engine; the session cannot be used afterwards."""
        # Deleting a state leaves it in the ruleset's index, where the next case of its name would find it freed: so the
        # ruleset goes right after it. Deleting the ruleset alone keeps some 15 KB a rule for good.
        if self._decided:
            self._native.delete_state(self._ruleset, _STATE)
        self._native.delete_ruleset(self._ruleset)


def lint(tests: Mapping[str, dict[str, Any] | None]) -> None:
    """Refuse definitions outside the envelope.

    Raises:
        OutsideEnvelope: naming what is outside.
    """
    if not 1 <= len(tests) <= MAX_RULES:
        raise OutsideEnvelope(f"1 to {MAX_RULES} rules a session, not {len(tests)}")
    for name in tests:
        if not _RULE.fullmatch(name):
            raise OutsideEnvelope(f"the rule name {name!r} would be taken for a chart, or written otherwise")
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


def names_in(test: dict[str, Any]) -> Iterator[str]:
    """The properties that a test reads, in order, as often as it does."""
    for leaf in _leaves(test):
        ((sign, body),) = leaf.items()
        ((name, value),) = (body if sign.startswith("$") else leaf).items()
        yield name
        if isinstance(value, dict):
            yield value["$m"]


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


def _fact(properties: Mapping[str, Any]) -> str:
    """The case as the JSON text that the engine reads; a property without a value is left out."""
    if len(properties) > MAX_PROPERTIES:
        raise OutsideEnvelope(f"at most {MAX_PROPERTIES} properties a case, not {len(properties)}")
    parts = [_BEGINNING]
    for name, value in properties.items():
        _own_name(name)
        if value is not None:
            parts.append(f',"{name}":{_value(name, value)}')
    parts.append("}")
    return "".join(parts)


@lru_cache(maxsize=1 << 10)
def _own_name(name: str) -> None:
    """Refuse a property name that the engine gives a meaning of its own, or that JSON would write otherwise."""
    if name in _OWN or not _PLAIN.fullmatch(name):
        raise OutsideEnvelope(f"{name} is the engine's own")


def _value(name: str, value: Any) -> str:
    """The JSON text of a value that the engine holds exactly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not -_LARGEST < value < _LARGEST:
            raise OutsideEnvelope(f"{name}: a whole number beyond 64 bits")
        return str(value)
    if isinstance(value, str):
        try:
            length = len(value) if value.isascii() else len(value.encode())
        except UnicodeEncodeError as error:
            raise OutsideEnvelope(f"{name}: a text that the engine cannot compare") from error
        if length > 60_000:
            raise OutsideEnvelope(f"{name}: a text that the engine cannot compare")
        return encode_basestring(value)
    raise OutsideEnvelope(f"{name}: only text, whole numbers and true or false")
