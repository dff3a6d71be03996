"""What CEL's checker cannot see, checked on its tree: enums, optional fields without ``has()``, parts not supported.

A misspelt value or a forgotten ``has()`` would make a rule silently false; each is a finding instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from remit.conditions.messages import CALENDAR, MessageTypes, Needs
from remit.conditions.text import METHODS, OPERATORS
from remit.conditions.tree import Call, Const, Has, ListOf, Macro, Node, Path, Unsupported, children
from remit.findings import did_you_mean
from remit.schemas import Field, Shape

FUNCTIONS: dict[str, str] = {
    **{name: f"the operator {sign}" for name, (sign, _) in OPERATORS.items()},
    "!_": "not",
    "-_": "minus",
    "_?_:_": "either of two values",
    "size": "how many characters or items",
    **dict.fromkeys(METHODS, "a test on text"),
    "duration": 'an exact span such as duration("2h30m")',
    "timestamp": "an instant written as RFC 3339 text",
    "double": "a whole number, to compare with one that may have fractions",
    "latest": "the last of several instants",
    "earliest": "the first of several instants",
}
"""Every operator and function of CEL that a condition may use; anything else is refused by name."""

MACROS = ("exists", "all", "exists_one", "filter", "map")
COMPARISONS = ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_")

Complaint = tuple[str, int, str, str]
"""Finding code, offset in the text, message, hint."""

Scope = Mapping[str, Shape]


def complaints(root: Node, scope: Scope, types: MessageTypes) -> Iterator[Complaint]:
    """Everything wrong with a typed tree, outermost first."""
    yield from _Checker(types).check(root, scope, frozenset())


def shape_at(path: Path, scope: Scope, types: MessageTypes) -> Shape | None:
    """The shape that a path leads to; None when a name in it does not exist."""
    fields = fields_along(path, scope, types)
    if fields is None:
        return None
    return fields[-1].shape if fields else scope[path.names[0]]


def fields_along(path: Path, scope: Scope, types: MessageTypes) -> list[Field] | None:
    """The fields that a path passes through, without its variable; None when a name in it does not exist."""
    shape = scope.get(path.names[0])
    found: list[Field] = []
    for name in path.names[1:]:
        field = types.fields_of(shape).get(name) if shape else None
        if field is None:
            return None
        found.append(field)
        shape = field.shape
    return found if shape else None


def item_shape(over: Node, scope: Scope, types: MessageTypes) -> Shape:
    """The shape of the items of a list that a macro ranges over; ``any`` when it is computed."""
    match over:
        case Path():
            shape = shape_at(over, scope, types)
            if shape and shape.type == "list" and shape.item:
                return shape.item
        case Macro(name="filter", over=inner):
            return item_shape(inner, scope, types)
        case Macro(name="map", over=inner, variable=variable, bodies=bodies):
            body = bodies[-1]
            if isinstance(body, Path):
                return shape_at(body, {**scope, variable: item_shape(inner, scope, types)}, types) or Shape("any")
    return Shape("any")


def present_if(node: Node, outcome: bool) -> frozenset[str]:
    """The paths that are known to be present when ``node`` came out as ``outcome``."""
    match node:
        case Has(path=path) if outcome:
            return frozenset(".".join(path.names[:end]) for end in range(2, len(path.names) + 1))
        case Call(function="!_", args=(inner,)):
            return present_if(inner, not outcome)
        case Call(function="_&&_" | "_||_" as function, args=(left, right)):
            first, second = present_if(left, outcome), present_if(right, outcome)
            return first | second if (function == "_&&_") == outcome else first & second
    return frozenset()


class _Checker:
    def __init__(self, types: MessageTypes) -> None:
        self._types = types

    def check(self, node: Node, scope: Scope, present: frozenset[str]) -> Iterator[Complaint]:
        match node:
            case Unsupported(what=what):
                yield "condition-unsupported", node.offset, f"Conditions do not support {what}.", ""
            case Path():
                yield from self._path(node, node, scope, present)
            case Has(path=path):
                yield from self._path(node, Path(path.id, path.offset, path.names[:-1]), scope, None)
            case Call(function="_&&_" | "_||_" as function, args=(left, right)):
                outcome = function == "_&&_"
                yield from self.check(left, scope, present | present_if(right, outcome))
                yield from self.check(right, scope, present | present_if(left, outcome))
            case Call(function="_?_:_", args=(test, then, otherwise)):
                yield from self.check(test, scope, present)
                yield from self.check(then, scope, present | present_if(test, True))
                yield from self.check(otherwise, scope, present | present_if(test, False))
            case Call():
                yield from self._call(node, scope, present)
            case Macro():
                yield from self._macro(node, scope, present)
            case _:
                for child in children(node):
                    yield from self.check(child, scope, present)

    def _call(self, node: Call, scope: Scope, present: frozenset[str]) -> Iterator[Complaint]:
        if node.function not in FUNCTIONS:
            name = node.function.strip("_@")
            hint = did_you_mean(name, [f for f in FUNCTIONS if f.isidentifier()])
            yield "condition-unsupported", node.offset, f"Conditions do not support the function {name!r}.", hint
        if node.function in ("_==_", "_!=_", "@in") and len(node.args) == 2:
            yield from self._enums(node.args[0], node.args[1], scope)
            yield from self._enums(node.args[1], node.args[0], scope)
        for arg in node.args:
            shape = shape_at(arg, scope, self._types) if isinstance(arg, Path) else None
            if shape is not None and shape.unit == CALENDAR:
                message = f"{arg} is counted on a calendar, so it has no exact length to calculate with."
                yield "condition-type", arg.offset, message, "Use it as a level's after, before or past."
            yield from self.check(arg, scope, present)

    def _enums(self, side: Node, other: Node, scope: Scope) -> Iterator[Complaint]:
        shape = shape_at(side, scope, self._types) if isinstance(side, Path) else None
        if shape is not None and shape.type == "list":
            shape = shape.item
        if shape is None or not shape.enum:
            return
        literals = other.items if isinstance(other, ListOf) else (other,)
        for literal in literals:
            if isinstance(literal, Const) and isinstance(literal.value, str) and literal.value not in shape.enum:
                hint = did_you_mean(literal.value, shape.enum)
                yield "condition-not-in-enum", literal.offset, f'{side} is never "{literal.value}".', hint

    def _macro(self, node: Macro, scope: Scope, present: frozenset[str]) -> Iterator[Complaint]:
        if node.name not in MACROS:
            yield "condition-unsupported", node.offset, f"Conditions do not support the macro {node.name!r}.", ""
        yield from self.check(node.over, scope, present)
        inner = {**scope, node.variable: item_shape(node.over, scope, self._types)}
        shadowed = frozenset(p for p in present if p.split(".", 1)[0] != node.variable)
        known = shadowed | _filtered(node.over, node.variable)
        if len(node.bodies) == 2:
            yield from self.check(node.bodies[0], inner, known)
            known |= present_if(node.bodies[0], True)
        yield from self.check(node.bodies[-1], inner, known)

    def _path(self, at: Node, path: Path, scope: Scope, present: frozenset[str] | None) -> Iterator[Complaint]:
        """A path whose every optional field is known to be present; ``present`` None asks nothing (inside has())."""
        fields = fields_along(path, scope, self._types)
        if fields is None or present is None:
            return
        for length, field in enumerate(fields, start=2):
            so_far = ".".join(path.names[:length])
            if not field.required and field.shape.type != "list" and so_far not in present:
                message = f"{so_far} is optional: where it is missing, the condition would be silently false."
                yield "condition-unguarded", at.offset, message, f"Write: has({so_far}) && …"
                return


def _filtered(over: Node, variable: str) -> frozenset[str]:
    """What a ``filter`` below a macro has already made sure of, in the name of the macro's variable."""
    if isinstance(over, Macro) and over.name == "filter":
        held = present_if(over.bodies[0], True) | _filtered(over.over, over.variable)
        mine = over.variable + "."
        return frozenset(f"{variable}.{p.removeprefix(mine)}" for p in held if p.startswith(mine))
    return frozenset()


def needs_of(root: Node) -> dict[str, Needs]:
    """For each variable of a condition, the fields that it reads, as nested names."""
    roots: dict[str, Needs] = {}
    _collect(root, roots, {})
    return roots


def _collect(node: Node, roots: dict[str, Needs], bound: Mapping[str, Needs]) -> Needs:
    """Note what ``node`` reads; gives the place in the tree that a list-valued node's items stand for."""
    match node:
        case Path(names=names):
            here = bound[names[0]] if names[0] in bound else roots.setdefault(names[0], {})
            for name in names[1:]:
                here = here.setdefault(name, {})
            return here
        case Has(path=path):
            return _collect(path, roots, bound)
        case Macro(over=over, variable=variable, bodies=bodies, name=name):
            items = _collect(over, roots, bound)
            inner = {**bound, variable: items}
            results = [_collect(body, roots, inner) for body in bodies]
            return results[-1] if name == "map" else items
    for child in children(node):
        _collect(child, roots, bound)
    return {}
