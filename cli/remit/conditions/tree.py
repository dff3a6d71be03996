"""The tree of a condition: CEL's checked expression, decoded into a few frozen shapes.

cel-expr-python hands its checked tree out as the serialized ``cel.expr.CheckedExpr``. The message types are described
here field by field (the numbers are those of the published ``cel/expr/syntax.proto`` and ``checked.proto``), because
no small package ships them. Macros (``exists``, ``map`` …) arrive expanded into loops of a fixed form; the tree shows
them as they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

LAST_ITEM = 99
"""The highest number of an item that a path can name; guards are known up to it."""


def path_text(names: Sequence[str]) -> str:
    """The names of a path as they are written: ``subject.notes[0].at``."""
    return "".join(name if name.startswith("[") else f".{name}" for name in names).removeprefix(".")


def item_number(name: str) -> int | None:
    """The number in ``[0]``; None for the name of a field."""
    return int(name[1:-1]) if name.startswith("[") else None


def pointer_of(names: Sequence[str]) -> tuple[str | int, ...]:
    """The names of a path as a pointer into a document: items by their numbers."""
    return tuple(name if (number := item_number(name)) is None else number for name in names)


@dataclass(frozen=True)
class Node:
    """One part of a condition; ``offset`` is its code point in the text (0-based)."""

    id: int
    offset: int


@dataclass(frozen=True)
class Const(Node):
    """A literal: bool, int, float or str."""

    value: Any


@dataclass(frozen=True)
class Path(Node):
    """A variable and what is followed from it: ``subject.customer.customerGrade``; ``[0]`` names an item of a list."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return path_text(self.names)


@dataclass(frozen=True)
class Has(Node):
    """``has(path)``."""

    path: Path


@dataclass(frozen=True)
class Call(Node):
    """An operator (``_==_``) or function (``size``); the target of a method call is its first argument."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class ListOf(Node):
    """A list literal."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class MapOf(Node):
    """A map literal: keys and their values."""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True)
class Macro(Node):
    """``over.exists(variable, body)`` and its kin."""

    name: str
    over: Node
    variable: str
    bodies: tuple[Node, ...]


FIELD_OF_COMPUTED = "a field of a computed value"


@dataclass(frozen=True)
class Unsupported(Node):
    """A part of CEL that Remit refuses by name."""

    what: str
    parts: tuple[Node, ...] = field(default=())


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node, in the order written."""
    match node:
        case Call(args=args):
            return args
        case ListOf(items=items):
            return items
        case MapOf(entries=entries):
            return tuple(part for entry in entries for part in entry)
        case Has(path=path):
            return (path,)
        case Macro(over=over, bodies=bodies):
            return (over, *bodies)
        case Unsupported(parts=parts):
            return parts
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything under it, outermost first."""
    yield node
    for child in children(node):
        yield from walk(child)


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with ``change`` made to every part, innermost first."""
    match node:
        case Call(args=args):
            node = replace(node, args=tuple(rebuilt(arg, change) for arg in args))
        case ListOf(items=items):
            node = replace(node, items=tuple(rebuilt(item, change) for item in items))
        case MapOf(entries=entries):
            node = replace(node, entries=tuple((rebuilt(k, change), rebuilt(v, change)) for k, v in entries))
        case Macro(over=over, bodies=bodies):
            node = replace(node, over=rebuilt(over, change), bodies=tuple(rebuilt(body, change) for body in bodies))
    return change(node)


@dataclass(frozen=True)
class Decoded:
    """A checked expression: its tree, and the kind of value of each node by id (``string``, ``timestamp`` …)."""

    root: Node
    types: Mapping[int, str]


def decode(serialized: bytes) -> Decoded:
    """The tree in the bytes of ``Expression.serialize()``."""
    wrapper = _messages()["Any"]()
    wrapper.ParseFromString(serialized)
    checked = _messages()["CheckedExpr"]()
    checked.ParseFromString(wrapper.value)
    return Decoded(
        _Reader(checked.source_info).node(checked.expr),
        {key: _type_name(value) for key, value in checked.type_map.items()},
    )


class _Reader:
    def __init__(self, source: Any) -> None:
        self._positions = dict(source.positions)

    def node(self, expr: Any) -> Node:
        at = (expr.id, self._positions.get(expr.id, 0))
        match expr.WhichOneof("kind"):
            case "const_expr":
                which = expr.const_expr.WhichOneof("constant")
                if which in ("bool_value", "int64_value", "double_value", "string_value"):
                    return Const(*at, getattr(expr.const_expr, which))
                return Unsupported(*at, f"the literal of type {str(which).removesuffix('_value')}")
            case "ident_expr":
                return Path(*at, (expr.ident_expr.name,))
            case "select_expr":
                return self._select(expr, at)
            case "call_expr":
                call = expr.call_expr
                target = [self.node(call.target)] if call.HasField("target") else []
                return _item(Call(*at, call.function, tuple(target + [self.node(arg) for arg in call.args])))
            case "list_expr":
                return ListOf(*at, tuple(self.node(item) for item in expr.list_expr.elements))
            case "struct_expr":
                return self._map(expr.struct_expr, at)
            case "comprehension_expr":
                return self._comprehension(expr, at)
        return Unsupported(*at, "an empty expression")

    def _map(self, struct: Any, at: tuple[int, int]) -> Node:
        entries = struct.entries
        if struct.message_name or any(one.optional_entry or not one.HasField("map_key") for one in entries):
            return Unsupported(*at, "a message literal")
        return MapOf(*at, tuple((self.node(entry.map_key), self.node(entry.value)) for entry in entries))

    def _select(self, expr: Any, at: tuple[int, int]) -> Node:
        operand = self.node(expr.select_expr.operand)
        if isinstance(operand, Path):
            path = Path(*at, (*operand.names, expr.select_expr.field))
            return Has(*at, path) if expr.select_expr.test_only else path
        return Unsupported(*at, FIELD_OF_COMPUTED, (operand,))

    def _comprehension(self, expr: Any, at: tuple[int, int]) -> Node:
        """The macro that a comprehension was written as, told by its loop step (the expansions are fixed in CEL)."""
        loop = expr.comprehension_expr
        over, variable = self.node(loop.iter_range), loop.iter_var
        step = loop.loop_step.call_expr
        match step.function:
            case "_||_":
                return Macro(*at, "exists", over, variable, (self.node(step.args[1]),))
            case "_&&_":
                return Macro(*at, "all", over, variable, (self.node(step.args[1]),))
            case "_+_":
                return Macro(*at, "map", over, variable, (self._only_element(step.args[1]),))
            case "_?_:_":
                condition, added = self.node(step.args[0]), step.args[1].call_expr
                if added.args[1].WhichOneof("kind") == "const_expr":
                    return Macro(*at, "exists_one", over, variable, (condition,))
                element = self._only_element(added.args[1])
                if isinstance(element, Path) and element.names == (variable,):
                    return Macro(*at, "filter", over, variable, (condition,))
                return Macro(*at, "map", over, variable, (condition, element))
        return Unsupported(*at, "a comprehension")

    def _only_element(self, expr: Any) -> Node:
        return self.node(expr.list_expr.elements[0])


def _item(call: Call) -> Node:
    """``list[0]`` as a step of a path; anything else as it is."""
    match call:
        case Call(function="_[_]", args=(Path(names=names), Const(value=int() as number))) if 0 <= number <= LAST_ITEM:
            return Path(call.id, call.offset, (*names, f"[{number:d}]"))
    return call


_WELL_KNOWN = {1: "any", 2: "timestamp", 3: "duration"}
_PRIMITIVE = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}


def _type_name(value: Any) -> str:
    match value.WhichOneof("type_kind"):
        case "primitive":
            return _PRIMITIVE.get(value.primitive, "any")
        case "well_known":
            return _WELL_KNOWN.get(value.well_known, "any")
        case "message_type":
            return str(value.message_type)
        case "list_type":
            return f"list<{_type_name(value.list_type.elem_type)}>"
        case other:
            return str(other or "dyn")


# name: [(field, number, type, repeated, oneof)]; types are protobuf's own or the name of a message below
_LAYOUT: dict[str, list[tuple[str, int, str, bool, str]]] = {
    "Any": [("type_url", 1, "string", False, ""), ("value", 2, "bytes", False, "")],
    "CheckedExpr": [
        ("type_map", 3, "map:Type", True, ""),
        ("source_info", 5, "SourceInfo", False, ""),
        ("expr", 4, "Expr", False, ""),
    ],
    "SourceInfo": [("positions", 4, "map:int32", True, "")],
    "Expr": [
        ("id", 2, "int64", False, ""),
        ("const_expr", 3, "Constant", False, "kind"),
        ("ident_expr", 4, "Ident", False, "kind"),
        ("select_expr", 5, "Select", False, "kind"),
        ("call_expr", 6, "Call", False, "kind"),
        ("list_expr", 7, "CreateList", False, "kind"),
        ("struct_expr", 8, "CreateStruct", False, "kind"),
        ("comprehension_expr", 9, "Comprehension", False, "kind"),
    ],
    "Ident": [("name", 1, "string", False, "")],
    "Select": [
        ("operand", 1, "Expr", False, ""),
        ("field", 2, "string", False, ""),
        ("test_only", 3, "bool", False, ""),
    ],
    "Call": [("target", 1, "Expr", False, ""), ("function", 2, "string", False, ""), ("args", 3, "Expr", True, "")],
    "CreateList": [("elements", 1, "Expr", True, "")],
    "CreateStruct": [("message_name", 1, "string", False, ""), ("entries", 2, "StructEntry", True, "")],
    "StructEntry": [
        ("map_key", 3, "Expr", False, ""),
        ("value", 4, "Expr", False, ""),
        ("optional_entry", 5, "bool", False, ""),
    ],
    "Comprehension": [
        ("iter_var", 1, "string", False, ""),
        ("iter_range", 2, "Expr", False, ""),
        ("loop_step", 6, "Expr", False, ""),
    ],
    "Constant": [
        ("null_value", 1, "int32", False, "constant"),
        ("bool_value", 2, "bool", False, "constant"),
        ("int64_value", 3, "int64", False, "constant"),
        ("uint64_value", 4, "uint64", False, "constant"),
        ("double_value", 5, "double", False, "constant"),
        ("string_value", 6, "string", False, "constant"),
        ("bytes_value", 7, "bytes", False, "constant"),
    ],
    "Type": [
        ("dyn", 1, "Empty", False, "type_kind"),
        ("null", 2, "int32", False, "type_kind"),
        ("primitive", 3, "int32", False, "type_kind"),
        ("wrapper", 4, "int32", False, "type_kind"),
        ("well_known", 5, "int32", False, "type_kind"),
        ("list_type", 6, "ListType", False, "type_kind"),
        ("map_type", 7, "Empty", False, "type_kind"),
        ("message_type", 9, "string", False, "type_kind"),
        ("type_param", 10, "string", False, "type_kind"),
        ("error", 12, "Empty", False, "type_kind"),
    ],
    "ListType": [("elem_type", 1, "Type", False, "")],
    "Empty": [],
}


@cache
def _messages() -> dict[str, Any]:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    described = descriptor_pb2.FieldDescriptorProto
    scalars = {
        name: getattr(described, f"TYPE_{name.upper()}")
        for name in ("string", "bytes", "bool", "int32", "int64", "uint64", "double")
    }
    file = descriptor_pb2.FileDescriptorProto(name="remit_cel_tree.proto", package="tree", syntax="proto3")
    for name, fields in _LAYOUT.items():
        message = file.message_type.add(name=name)
        for oneof in dict.fromkeys(f[4] for f in fields if f[4]):
            message.oneof_decl.add(name=oneof)
        for field_name, number, kind, repeated, oneof in fields:
            if kind.startswith("map:"):
                entry_name = "".join(part.title() for part in field_name.split("_")) + "Entry"
                entry = message.nested_type.add(name=entry_name)
                entry.options.map_entry = True
                entry.field.add(name="key", number=1, type=described.TYPE_INT64, label=described.LABEL_OPTIONAL)
                _typed(entry.field.add(name="value", number=2, label=described.LABEL_OPTIONAL), kind[4:], scalars)
                kind = f"{name}.{entry_name}"
            label = described.LABEL_REPEATED if repeated else described.LABEL_OPTIONAL
            added = message.field.add(name=field_name, number=number, label=label)
            _typed(added, kind, scalars)
            if oneof:
                added.oneof_index = [o.name for o in message.oneof_decl].index(oneof)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tree.{name}")) for name in _LAYOUT}


def _typed(described_field: Any, kind: str, scalars: Mapping[str, int]) -> None:
    if kind in scalars:
        described_field.type = scalars[kind]
    else:
        described_field.type = 11  # TYPE_MESSAGE
        described_field.type_name = f".tree.{kind}"
