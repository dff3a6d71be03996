"""How a condition came out: its tree with the outcome of every part, decided by CEL itself, and what would flip it.

A part without a value (a field is missing, a conversion fails) is neither true nor false; CEL calls it an error, and a
condition that ends in one does not hold.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from remit.conditions.checks import item_shape, shape_at
from remit.conditions.condition import Bindings, Compiler, Condition, EvaluationError
from remit.conditions.lowering import follow
from remit.conditions.text import TURNED, text_of
from remit.conditions.tree import Call, Const, Has, ListOf, Macro, Node, Path, walk
from remit.references import Entity
from remit.schemas import Shape

Sign = Literal["all", "any", "not", "choice", "each", "leaf"]


@dataclass(frozen=True)
class Traced:
    """One part of a condition as it came out.

    ``sign`` says how it stands to its ``parts``: all of them must hold, any, not the one, a choice (test, then, else),
    each item of a list; a leaf has none. ``outcome`` is None where it has no value. ``item`` says for which item of a
    list. ``bindings`` are those it was evaluated with.
    """

    sign: Sign
    text: str
    node: Node
    outcome: bool | None
    parts: tuple[Traced, ...]
    bindings: Bindings
    item: str = ""

    @property
    def paths(self) -> tuple[Path, ...]:
        """What a leaf reads, in the order written, each once; of a loop over a list the list."""
        if self.sign not in ("leaf", "each"):
            return ()
        node = self.node.over if self.sign == "each" and isinstance(self.node, Macro) else self.node
        return tuple(_paths(node, self.bindings.scope))

    def __iter__(self) -> Iterator[Traced]:
        """The part and everything under it, outermost first."""
        yield self
        for part in self.parts:
            yield from part


def trace(condition: Condition, bindings: Bindings, compiler: Compiler) -> Traced:
    """The tree of ``condition`` over ``bindings``."""
    scoped = Bindings(bindings.world, bindings.values, condition.scope)
    return _trace(condition.root, scoped, compiler)


def _trace(node: Node, bindings: Bindings, compiler: Compiler, item: str = "") -> Traced:
    sign, parts = _parts(node)
    traced = tuple(_trace(part, bindings, compiler) for part in parts)
    if isinstance(node, Macro) and node.name in ("exists", "all", "exists_one"):
        items = _items(node, bindings, compiler)
        if items is not None:
            body = node.bodies[0]
            sign, traced = "each", tuple(_trace(body, inner, compiler, label) for label, inner in items)
    outcome = (
        None if sign == "leaf" and _reads_nothing(node, bindings, compiler) else _outcome(node, bindings, compiler)
    )
    return Traced(sign, text_of(node), node, outcome, traced, bindings, item)


def _reads_nothing(node: Node, bindings: Bindings, compiler: Compiler) -> bool:
    """True where a plain test reads a field that is missing: CEL would read the default of its type instead."""
    operands = node.args if isinstance(node, Call) else (node,)
    paths = [one for one in operands if isinstance(one, Path) and len(one.names) > 1]
    shapes = [shape_at(path, bindings.scope, compiler.types) for path in paths]
    return any(
        shape is not None and shape.type != "list" and follow(path.names, bindings) is None
        for path, shape in zip(paths, shapes, strict=True)
    )


def _parts(node: Node) -> tuple[Sign, tuple[Node, ...]]:
    match node:
        case Call(function="!_", args=args):
            return "not", args
        case Call(function="_&&_" | "_||_" as function):
            return ("all" if function == "_&&_" else "any"), tuple(_chain(node, function))
        case Call(function="_?_:_", args=args):
            return "choice", args
    return "leaf", ()


def _chain(node: Node, function: str) -> Iterator[Node]:
    """The links of ``a && b && c``, however they are nested."""
    if isinstance(node, Call) and node.function == function:
        for arg in node.args:
            yield from _chain(arg, function)
    else:
        yield node


def _outcome(node: Node, bindings: Bindings, compiler: Compiler) -> bool | None:
    try:
        value = compiler.part(node, bindings.scope).value(bindings)
    except EvaluationError:
        return None
    return value if isinstance(value, bool) else None


def _items(node: Macro, bindings: Bindings, compiler: Compiler) -> list[tuple[str, Bindings]] | None:
    """What the variable of a loop stands for, item by item; None where the list is computed or holds plain values."""
    if not isinstance(node.over, Path):
        return None
    shape = item_shape(node.over, bindings.scope, compiler.types)
    if shape.type not in ("reference", "object"):
        return None
    scope = {**bindings.scope, node.variable: shape}
    found = []
    for index, one in enumerate(follow(node.over.names, bindings) or ()):
        value = bindings.world.find(shape.kinds, one) if isinstance(one, str) else one
        if isinstance(value, Entity | Mapping):
            label = value.ref if isinstance(value, Entity) else f"{node.over}[{index}]"
            found.append((label, Bindings(bindings.world, {**bindings.values, node.variable: value}, scope)))
    return found


def _paths(node: Node, scope: Mapping[str, Any]) -> Iterator[Path]:
    seen: set[tuple[str, ...]] = set()
    for one in walk(node):
        path = one.path if isinstance(one, Has) else one
        if isinstance(path, Path) and path.names[0] in scope and path.names not in seen:
            seen.add(path.names)
            yield path


# --- what would flip it ----------------------------------------------------------------------------------------------


class Wish(NamedTuple):
    """What a field would have to be: missing, present, one of ``values`` (is), none of them (is_not), or compared.

    ``sign`` of a comparison is CEL's, ``other`` what it is compared with. ``holds`` and ``fails`` speak of a whole leaf
    that is no plain test of one field.
    """

    kind: Literal["missing", "present", "is", "is_not", "compare", "holds", "fails"]
    values: tuple[Any, ...] = ()
    sign: str = ""
    other: Node | None = None


class Change(NamedTuple):
    """One field and what it would have to be: any one of ``ways``, each of which are wishes that all must come true."""

    node: Node
    ways: tuple[tuple[Wish, ...], ...]

    @property
    def path(self) -> str:
        """The field, or the text of the leaf."""
        return text_of(self.node)


MOST_ALTERNATIVES = 200
MOST_FLIPS = 6

_Literal = tuple[Node, bool]
_NEGATED = {"_<_": "_>=_", "_<=_": "_>_", "_>_": "_<=_", "_>=_": "_<_", "_==_": "_!=_", "_!=_": "_==_"}


def flips(condition: Condition, bindings: Bindings, compiler: Compiler) -> tuple[tuple[Change, ...], ...]:
    """The smallest sets of fields that would make a failing condition hold, fewest fields first; empty when it holds.

    A field that a set does not name stays as it is. Sets that change a parameter come last: that is a change of rules.
    """
    scoped = Bindings(bindings.world, bindings.values, condition.scope)
    if _outcome(condition.root, scoped, compiler) is True:
        return ()
    found: list[dict[str, Change]] = []
    for alternative in _alternatives(condition.root, True):
        changes = _changes(alternative, scoped, compiler)
        if changes and changes not in found:
            found.append(changes)
    smallest = [one for one in found if not any(other.keys() < one.keys() for other in found)]
    merged = _merged(smallest)
    merged = [one for one in merged if not any(_says_more(other, one) for other in merged)]
    merged.sort(key=lambda one: (any(path.startswith("param.") for path in one), len(one)))
    return tuple(tuple(one.values()) for one in merged[:MOST_FLIPS])


def _alternatives(node: Node, wanted: bool) -> list[tuple[_Literal, ...]]:
    """The ways in which ``node`` comes out as ``wanted``, each a conjunction of leaves."""
    match node:
        case Call(function="!_", args=(inner,)):
            return _alternatives(inner, not wanted)
        case Call(function="_&&_" | "_||_" as function, args=(left, right)):
            if (function == "_&&_") == wanted:
                return _both((left, wanted), (right, wanted))
            return [*_alternatives(left, wanted), *_alternatives(right, wanted)]
        case Call(function="_?_:_", args=(test, then, otherwise)):
            return [*_both((test, True), (then, wanted)), *_both((test, False), (otherwise, wanted))]
        case Const(value=bool() as value):
            return [()] if value == wanted else []
    return [((node, wanted),)]


def _both(*parts: _Literal) -> list[tuple[_Literal, ...]]:
    options = [_alternatives(node, wanted) for node, wanted in parts]
    if math.prod(map(len, options)) > MOST_ALTERNATIVES:
        return [parts]
    return [tuple(itertools.chain(*choice)) for choice in itertools.product(*options)]


def _changes(alternative: Iterable[_Literal], bindings: Bindings, compiler: Compiler) -> dict[str, Change]:
    """The fields that an alternative asks to be otherwise; empty when it contradicts itself."""
    wishes: dict[str, list[Wish]] = {}
    nodes: dict[str, Node] = {}
    changed: set[str] = set()
    for leaf, wanted in alternative:
        node, wish = _wish(leaf, wanted)
        key = text_of(node)
        nodes.setdefault(key, node)
        wishes.setdefault(key, []).append(wish)
        if _outcome(leaf, bindings, compiler) is not wanted:
            changed.add(key)
    combined = {key: _combined(all_of, _enum_of(nodes[key], bindings, compiler)) for key, all_of in wishes.items()}
    if any(one is None for one in combined.values()) or _absent_and_present(combined):
        return {}
    found = {
        key: Change(nodes[key], (all_of,))
        for key, all_of in combined.items()
        if key in changed and all_of and not _implied(key, all_of, changed)
    }
    return _turned(found)


def _turned(changes: dict[str, Change]) -> dict[str, Change]:
    """``y is there, and x is as y`` as ``y is as x``: where ``y`` is missing, it is the one to change."""
    for key, change in list(changes.items()):
        ((wish, *more), *_) = change.ways
        other = text_of(wish.other).removesuffix(".id") if wish.other is not None else ""
        if wish.kind == "compare" and not more and changes.get(other, change).ways == ((Wish("present"),),):
            node = changes[other].node
            changes = {k: c for k, c in changes.items() if k != key}
            changes[other] = Change(node, ((Wish("compare", (), TURNED[wish.sign], change.node),),))
    return changes


def _wish(leaf: Node, wanted: bool) -> tuple[Node, Wish]:
    """The field that a leaf tests and what it would have to be; a leaf that is no plain test is its own field."""
    match leaf:
        case Has(path=path):
            return path, Wish("present" if wanted else "missing")
        case Path():
            return leaf, Wish("is", (wanted,))
        case Call(function="@in", args=(Path() as path, ListOf(items=items))):
            values = tuple(one.value for one in items if isinstance(one, Const))
            if len(values) == len(items):
                return path, Wish("is" if wanted else "is_not", values)
        case Call(function=sign, args=(left, right)) if sign in _NEGATED:
            if not isinstance(left, Path) or (_is_param(left) and isinstance(right, Path)):
                left, right, sign = right, left, TURNED[sign]
            sign = sign if wanted else _NEGATED[sign]
            if isinstance(left, Path):
                if isinstance(right, Const) and sign in ("_==_", "_!=_"):
                    return left, Wish("is" if sign == "_==_" else "is_not", (right.value,))
                return left, Wish("compare", (), sign, right)
    return leaf, Wish("holds" if wanted else "fails")


def _is_param(path: Path) -> bool:
    return path.names[0] == "param"


def _combined(wishes: list[Wish], enum: tuple[Any, ...]) -> tuple[Wish, ...] | None:
    """Wishes for one field as few that say the same; None when they contradict each other."""
    if any(one.kind == "missing" for one in wishes):
        return (Wish("missing"),) if all(one.kind == "missing" for one in wishes) else None
    kept = tuple(dict.fromkeys(one for one in wishes if one.kind not in ("present", "is", "is_not")))
    allowed = [one.values for one in wishes if one.kind == "is"]
    refused = {value for one in wishes if one.kind == "is_not" for value in one.values}
    if allowed:
        values = tuple(v for v in allowed[0] if all(v in other for other in allowed[1:]) and v not in refused)
        return (Wish("is", values), *kept) if values else None
    if refused and enum and not set(enum) - refused:
        return None
    if refused:
        return (Wish("is_not", tuple(dict.fromkeys(v for w in wishes if w.kind == "is_not" for v in w.values))), *kept)
    return kept or (Wish("present"),)


def _enum_of(node: Node, bindings: Bindings, compiler: Compiler) -> tuple[Any, ...]:
    shape: Shape | None = shape_at(node, bindings.scope, compiler.types) if isinstance(node, Path) else None
    return shape.enum if shape else ()


def _absent_and_present(combined: Mapping[str, tuple[Wish, ...] | None]) -> bool:
    absent = [key for key, wishes in combined.items() if wishes == (Wish("missing"),)]
    return any(key.startswith(gone + ".") for gone in absent for key, w in combined.items() if w != (Wish("missing"),))


def _implied(key: str, wishes: tuple[Wish, ...], changed: set[str]) -> bool:
    """That a record is there is implied by what one of its fields would have to be."""
    return wishes == (Wish("present"),) and any(other.startswith(key + ".") for other in changed)


def _merged(sets: list[dict[str, Change]]) -> list[dict[str, Change]]:
    """Sets of one and the same field as one set with several ways."""
    merged: list[dict[str, Change]] = []
    for one in sets:
        same = next((m for m in merged if len(one) == 1 and m.keys() == one.keys()), None)
        if same is None:
            merged.append(dict(one))
            continue
        ((key, change),) = one.items()
        same[key] = Change(change.node, _united((*same[key].ways, *change.ways)))
    return merged


def _says_more(other: dict[str, Change], one: dict[str, Change]) -> bool:
    """True when ``one`` wants a record missing and ``other`` a field of it missing: the smaller change is enough."""
    if len(one) != 1 or len(other) != 1:
        return False
    ((gone, change),), ((key, finer),) = one.items(), other.items()
    missing = (Wish("missing"),)
    return change.ways == (missing,) and key.startswith(gone + ".") and missing in finer.ways


def _united(ways: tuple[tuple[Wish, ...], ...]) -> tuple[tuple[Wish, ...], ...]:
    """``is a`` or ``is b`` as ``is a or b``."""
    plain = [way[0].values for way in ways if len(way) == 1 and way[0].kind == "is"]
    others = tuple(dict.fromkeys(way for way in ways if not (len(way) == 1 and way[0].kind == "is")))
    if not plain:
        return others
    return ((Wish("is", tuple(dict.fromkeys(itertools.chain(*plain)))),), *others)
