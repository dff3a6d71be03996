"""Small ways to break a condition, one at a time: an operator, a constant, a part that is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from remit.conditions.checks import Scope, item_shape, present_if, shape_at
from remit.conditions.condition import Condition
from remit.conditions.messages import MessageTypes
from remit.conditions.text import text_of
from remit.conditions.tree import Call, Const, Has, ListOf, Macro, Node, Path, walk
from remit.times import parse_duration

_FLIPS = {"_<_": "_<=_", "_<=_": "_<_", "_>_": "_>=_", "_>=_": "_>_", "_==_": "_!=_", "_!=_": "_==_"}
_JOINS = {"_&&_": "_||_", "_||_": "_&&_"}
_MACROS = {"exists": "all", "all": "exists"}


class _View(NamedTuple):
    """What a part of a condition sees: the variables, their types, every text that the condition speaks of.

    ``beside`` are the parts without which the whole cannot be true, whatever this part says.
    """

    scope: Scope
    types: MessageTypes
    texts: frozenset[str]
    beside: tuple[Node, ...] = ()


class Variant(NamedTuple):
    """One other condition: what sort of slip it is, where in the text, what was changed, and the tree."""

    family: str
    offset: int
    said: str
    root: Node


def variants(condition: Condition, types: MessageTypes) -> Iterator[Variant]:
    """Every condition that differs from this one in one small thing, outermost first."""
    texts = {node.value for node in walk(condition.root) if isinstance(node, Const) and isinstance(node.value, str)}
    yield from _variants(condition.root, _View(condition.scope, types, frozenset(texts)))


def _variants(node: Node, view: _View) -> Iterator[Variant]:
    yield from _own(node, view)
    for child, inner, rebuilt in _children(node, view):
        for one in _variants(child, inner):
            yield one._replace(root=rebuilt(one.root))


Rebuild = Callable[[Node], Node]


def _children(node: Node, view: _View) -> Iterator[tuple[Node, _View, Rebuild]]:
    """The parts of a node with the variables that they see, and how the node is made again around another part."""
    match node:
        case Call(function="_&&_", args=(left, right)):
            yield left, view._replace(beside=(*view.beside, right)), partial(_with_arg, node, 0)
            yield right, view._replace(beside=(*view.beside, left)), partial(_with_arg, node, 1)
        case Call(function=function, args=args):
            inner = view if function == "_||_" else view._replace(beside=())
            for index, arg in enumerate(args):
                yield arg, inner, partial(_with_arg, node, index)
        case Macro(over=over, bodies=bodies, variable=variable):
            yield over, view._replace(beside=()), partial(_with_over, node)
            shape = item_shape(over, view.scope, view.types)
            inner = view._replace(scope={**view.scope, variable: shape}, beside=())
            for index, body in enumerate(bodies):
                yield body, inner, partial(_with_body, node, index)


def _with_arg(node: Call, index: int, new: Node) -> Node:
    return replace(node, args=_put(node.args, index, new))


def _with_over(node: Macro, new: Node) -> Node:
    return replace(node, over=new)


def _with_body(node: Macro, index: int, new: Node) -> Node:
    return replace(node, bodies=_put(node.bodies, index, new))


def _put(parts: tuple[Node, ...], index: int, new: Node) -> tuple[Node, ...]:
    return (*parts[:index], new, *parts[index + 1 :])


def _own(node: Node, view: _View) -> Iterator[Variant]:
    match node:
        case Call(function=function, args=(left, right)) if function in _JOINS:
            yield _changed("operator", node, replace(node, function=_JOINS[function]))
            pairs = ((left, right), (right, left))
            yield from (_dropped(node, gone, kept) for gone, kept in pairs if not _implied(node, gone, kept, view))
        case Call(function=function, args=args) if function in _FLIPS:
            yield _changed("operator", node, replace(node, function=_FLIPS[function]))
            yield from _other_values(node, args, view)
        case Call(function="@in", args=(path, ListOf() as listed)):
            yield from _other_members(node, path, listed, view)
        case Call(function="!_", args=(inner,)):
            yield _changed("condition", node, inner)
        case Has():
            yield _changed("condition", node, _not(node))
        case Path() if (shape := shape_at(node, view.scope, view.types)) is not None and shape.type == "bool":
            yield _changed("condition", node, _not(node))
        case Macro(name=name) if name in _MACROS:
            yield _changed("operator", node, replace(node, name=_MACROS[name]))


def _implied(whole: Call, gone: Node, kept: Node, view: _View) -> bool:
    """True for a presence that what is beside it in a ``&&`` presupposes: dropping it changes nothing."""
    if whole.function != "_&&_" or not isinstance(gone, Has):
        return False
    return any(str(gone.path) in present_if(one, True) for one in (kept, *view.beside))


def _not(node: Node) -> Node:
    return Call(node.id, node.offset, "!_", (node,))


def _changed(family: str, old: Node, new: Node) -> Variant:
    return Variant(family, old.offset, f"{_brief(old)} → {_brief(new)}", new)


def _dropped(whole: Node, gone: Node, kept: Node) -> Variant:
    return Variant("condition", gone.offset, f"without {_brief(gone)}", kept)


def _brief(node: Node) -> str:
    text = text_of(node)
    return text if len(text) <= 120 else f"{text[:59]} … {text[-59:]}"


def _other_values(node: Call, args: Iterable[Node], view: _View) -> Iterator[Variant]:
    """A comparison with another constant: the next of its enum, or a number or span a little off."""
    left, right = args
    for index, (one, other) in enumerate(((left, right), (right, left))):
        for constant in _near_constants(one, other, view):
            family = "value" if isinstance(constant, Const) and isinstance(constant.value, str) else "threshold"
            yield _changed(family, node, replace(node, args=_put((left, right), index, constant)))


def _near_constants(node: Node, other: Node, view: _View) -> Iterator[Node]:
    match node:
        case Const(value=bool()):
            return
        case Const(value=int() as number):
            yield from (replace(node, value=number + step) for step in (-1, 1))
        case Const(value=float() as number):
            yield from (replace(node, value=number + step) for step in (-0.5, 0.5))
        case Const(value=str() as text):
            yield from (replace(node, value=value) for value in _enum(other, view, (text,))[:1])
        case Call(function="duration", args=(Const(value=str() as text) as span,)):
            for value in _spans(text):
                yield replace(node, args=(replace(span, value=value),))


def _spans(text: str) -> Iterator[str]:
    try:
        seconds = parse_duration(text).seconds
    except ValueError:
        return
    if seconds:
        yield from (f"{seconds + step}s" for step in (-1, 1))


def _other_members(node: Call, path: Node, listed: ListOf, view: _View) -> Iterator[Variant]:
    items = listed.items
    for index in range(len(items)):
        fewer = replace(listed, items=(*items[:index], *items[index + 1 :]))
        new = replace(node, args=(path, fewer)) if fewer.items else _not(node)
        yield _changed("value", node, new)
    known = tuple(item.value for item in items if isinstance(item, Const))
    for value in _enum(path, view, known)[:1]:
        more = replace(listed, items=(*items, Const(listed.id, listed.offset, value)))
        yield _changed("value", node, replace(node, args=(path, more)))


def _enum(node: Node, view: _View, taken: Iterable[str]) -> list[str]:
    """The other values that a field may have: those that the condition does not speak of first, after ``taken``."""
    shape = shape_at(node, view.scope, view.types) if isinstance(node, Path) else None
    values = list(shape.enum) if shape else []
    used = [value for value in taken if value in values]
    begin = values.index(used[-1]) + 1 if used else 0
    others = [value for value in values[begin:] + values[:begin] if value not in used]
    return sorted(others, key=lambda value: value in view.texts)
