"""A condition's parts back as CEL text, for traces and for parts that are evaluated on their own."""

from __future__ import annotations

import json

from remit.conditions.tree import Call, Const, Has, ListOf, Macro, MapOf, Node, Path, Unsupported

OPERATORS: dict[str, tuple[str, int]] = {
    "_||_": ("||", 1),
    "_&&_": ("&&", 2),
    "_==_": ("==", 3),
    "_!=_": ("!=", 3),
    "_<_": ("<", 3),
    "_<=_": ("<=", 3),
    "_>_": (">", 3),
    "_>=_": (">=", 3),
    "@in": ("in", 3),
    "_+_": ("+", 4),
    "_-_": ("-", 4),
    "_*_": ("*", 5),
    "_/_": ("/", 5),
    "_%_": ("%", 5),
}
"""CEL's binary operators: how they are written, and how tightly they bind."""

TURNED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}
"""Comparisons with their sides changed about."""

GETTERS = (
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
)
METHODS = (
    "startsWith",
    "endsWith",
    "contains",
    "matches",
    "lowerAscii",
    "upperAscii",
    "trim",
    "split",
    "replace",
    "substring",
    "charAt",
    "indexOf",
    "lastIndexOf",
    "join",
    *GETTERS,
)
"""Functions that are written after a value and a dot."""

WRITTEN = {"math.@max": "math.greatest", "math.@min": "math.least", "_[_]": "x[…]"}
"""How functions are written that CEL calls by another name in its tree."""

_TIGHTEST = 9


def text_of(node: Node) -> str:
    """CEL text that parses to the same tree."""
    return _text(node, 0)


def _text(node: Node, outer: int) -> str:
    match node:
        case Const(value=value):
            return json.dumps(value, ensure_ascii=False)
        case Path():
            return str(node)
        case Has(path=path):
            return f"has({path})"
        case ListOf(items=items):
            return f"[{', '.join(map(text_of, items))}]"
        case MapOf(entries=entries):
            return "{" + ", ".join(f"{text_of(key)}: {text_of(value)}" for key, value in entries) + "}"
        case Macro(name=name, over=over, variable=variable, bodies=bodies):
            return f"{_text(over, _TIGHTEST)}.{name}({variable}, {', '.join(map(text_of, bodies))})"
        case Call(function=function, args=args):
            return _call(function, args, outer)
        case Unsupported(what=what):
            return f"<{what}>"
    raise TypeError(node)


def _call(function: str, args: tuple[Node, ...], outer: int) -> str:
    if function in OPERATORS:
        sign, binding = OPERATORS[function]
        text = f"{_text(args[0], binding)} {sign} {_text(args[1], binding + 1)}"
        return f"({text})" if binding < outer else text
    if function in ("!_", "-_"):
        return function[0] + _text(args[0], _TIGHTEST)
    if function == "_?_:_":
        text = f"{_text(args[0], 1)} ? {_text(args[1], 1)} : {text_of(args[2])}"
        return f"({text})" if outer else text
    if function == "_[_]":
        return f"{_text(args[0], _TIGHTEST)}[{text_of(args[1])}]"
    if function in METHODS:
        return f"{_text(args[0], _TIGHTEST)}.{function}({', '.join(map(text_of, args[1:]))})"
    return f"{WRITTEN.get(function, function)}({', '.join(map(text_of, args))})"


def conjuncts(node: Node) -> list[Node]:
    """The parts that must all hold for ``node`` to hold, in the order written."""
    if isinstance(node, Call) and node.function == "_&&_":
        return [part for arg in node.args for part in conjuncts(arg)]
    return [node]
