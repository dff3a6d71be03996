"""What there is to see of a policy, and what a case has seen of it.

Every part of a condition must be seen true and seen false, where it decides: behind a ``&&`` only what is asked when
the left side holds counts, so that a guard hides what it guards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from remit.conditions.condition import Bindings, Condition
from remit.conditions.text import text_of
from remit.conditions.tree import Call, Node
from remit.places import Place

TRUE, FALSE = "true", "false"


class Sight(NamedTuple):
    """One thing to be seen of a policy: a part of it (``level overdue``, ``rule schemas``) and how."""

    part: str
    how: str


class Goal(NamedTuple):
    """A sight that some case must have, and where the part was written."""

    sight: Sight
    place: Place


def branch_goals(owner: str, condition: Condition, place: Place) -> Iterator[Goal]:
    """That every part of a condition is seen true, and seen false. ``owner`` says whose condition it is."""
    for leaf in _leaves(condition.root):
        for how in (TRUE, FALSE):
            yield Goal(_branch(owner, leaf, how), place)


def looked(condition: Condition, owner: str, bindings: Bindings) -> frozenset[Sight]:
    """What is seen of a condition when it is asked: the parts that decide, from left to right."""
    seen: set[Sight] = set()
    holds(condition, owner, bindings, seen)
    return frozenset(seen)


def holds(condition: Condition, owner: str, bindings: Bindings, seen: set[Sight]) -> bool:
    """Whether a condition holds; what had to be asked to know it is added to ``seen``."""

    def look(node: Node) -> bool:
        match node:
            case Call(function="!_", args=(inner,)):
                return not look(inner)
            case Call(function="_&&_", args=(left, right)):
                return look(left) and look(right)
            case Call(function="_||_", args=(left, right)):
                return look(left) or look(right)
            case Call(function="_?_:_", args=(test, then, otherwise)):
                return look(then) if look(test) else look(otherwise)
        found = condition.part(node).holds(bindings)
        seen.add(_branch(owner, node, TRUE if found else FALSE))
        return found

    return look(condition.root)


def _branch(owner: str, leaf: Node, how: str) -> Sight:
    return Sight(f"{owner} when {text_of(leaf)}".strip(), how)


def _leaves(node: Node) -> Iterator[Node]:
    if isinstance(node, Call) and node.function in ("_&&_", "_||_", "!_", "_?_:_"):
        for arg in node.args:
            yield from _leaves(arg)
    else:
        yield node
