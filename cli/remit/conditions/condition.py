"""A condition: compiled once, evaluated by CEL itself, and able to say why.

Compiling never raises: what is wrong becomes findings at the line and column where the condition was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from remit.calendars import WorkCalendar
from remit.conditions.checks import Scope, complaints, needs_of, probes
from remit.conditions.extensions import environment, table_function
from remit.conditions.functions import REFUSED, TABLE
from remit.conditions.messages import MessageTypes, Needs
from remit.conditions.money import CEL_NAME, with_equality
from remit.conditions.text import conjuncts, text_of
from remit.conditions.tree import Decoded, Has, Node, Path, decode, walk
from remit.errors import UserError
from remit.findings import Finding, did_you_mean, finding
from remit.places import Place, pointer_text
from remit.records import Record
from remit.references import Entity, World
from remit.schemas import Shape
from remit.tables import Table

MAX_LENGTH = 4_000
MONEY_HINT = 'Money goes with money, such as money("500 CNY"); it is multiplied by a number. Of several: largest([…]).'


class Origin(NamedTuple):
    """Where a condition was written: the record, the pointer to its text, and the lines of the file."""

    record: Record
    pointer: tuple[str | int, ...]
    lines: tuple[str, ...] = ()

    def place(self, offset: int = 0, text: str = "") -> Place:
        """The place of one code point of the condition's text."""
        start = self.record.place(self.pointer)
        if not start.line or start.line > len(self.lines):
            return start
        written = self.lines[start.line - 1][start.column - 1 :]
        if written[:1] in "|>" and text:
            before = text[:offset]
            line = start.line + 1 + before.count("\n")
            body = self.lines[line - 1] if line <= len(self.lines) else ""
            indent = len(body) - len(body.lstrip(" "))
            return Place(start.path, line, indent + 1 + offset - (before.rfind("\n") + 1))
        return Place(start.path, start.line, start.column + offset + (written[:1] in ("'", '"')))


class EvaluationError(UserError):
    """CEL could not give a value: a missing field, a bad conversion. Never taken for true."""


@dataclass(frozen=True)
class Bindings:
    """What the variables of a condition stand for: an entity, a list of entities or mappings, or a mapping of values.

    ``scope`` gives the shapes of the variables that stand for mappings, so that references inside them can be followed.
    """

    world: World
    values: Mapping[str, Entity | list[Any] | Mapping[str, Any]]
    scope: Scope = field(default_factory=dict)


class Condition:
    """One compiled expression. ``kind`` is the kind of its value: bool, timestamp, string …"""

    def __init__(
        self,
        text: str,
        root: Node,
        kind: str,
        expression: Any,
        scope: Scope,
        compiler: Compiler,
        origin: Origin | None = None,
    ) -> None:
        self.text = text
        self.origin = origin
        self.root = root
        self.kind = kind
        self.scope = scope
        self._expression = expression
        self._compiler = compiler

    @property
    def types(self) -> MessageTypes:
        """The types that its names have."""
        return self._compiler.types

    @cached_property
    def needs(self) -> dict[str, Needs]:
        """The fields that each variable must bring."""
        return needs_of(self.root)

    def value(self, bindings: Bindings) -> Any:
        """The value by CEL's own evaluator: bool, int, float, str, aware datetime, timedelta or a list of those.

        Raises:
            EvaluationError: CEL gave an error value.
        """
        from cel_expr_python import cel

        try:
            activation = self._activation(bindings)
        except ValueError as error:
            raise EvaluationError(f"{self.text}: {error}") from error
        result = self._expression.eval(data=activation)
        if result.type() == cel.Type.ERROR:
            raise EvaluationError(f"{self.text}: {result.value()}")
        return _aware(result.plain_value())

    def holds(self, bindings: Bindings) -> bool:
        """True only when CEL says true; an error value is not true."""
        try:
            return self.value(bindings) is True
        except EvaluationError:
            return False

    def _activation(self, bindings: Bindings) -> dict[str, Any]:
        types, world = self._compiler.types, bindings.world
        activation: dict[str, Any] = {}
        for name in self.scope:
            needs, value = self.needs.get(name, {}), bindings.values.get(name)
            if isinstance(value, Entity):
                activation[name] = types.of_entity(value, needs, world)
            elif isinstance(value, list):
                item = self.scope[name].item or Shape("any")
                activation[name] = [
                    types.of_entity(one, needs, world)
                    if isinstance(one, Entity)
                    else types.of_mapping(item, one, needs, world)
                    for one in value
                ]
            else:
                activation[name] = types.of_mapping(self.scope[name], value or {}, needs, world)
        return activation

    @cached_property
    def parts(self) -> tuple[Condition, ...]:
        """The conjuncts, each a condition of its own; the condition itself when it is one."""
        nodes = conjuncts(self.root)
        if len(nodes) == 1:
            return (self,)
        return tuple(map(self.part, nodes))

    def part(self, node: Node) -> Condition:
        """One part of the condition as a condition of its own."""
        return self._compiler.part(node, self.scope)

    def paths(self) -> Iterator[Path]:
        """Every path that starts at one of the condition's own variables, in the order written, each once."""
        seen: set[tuple[str, ...]] = set()
        for node in walk(self.root):
            path = node.path if isinstance(node, Has) else node
            if isinstance(path, Path) and path.names[0] in self.scope and path.names not in seen:
                seen.add(path.names)
                yield path


def _aware(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    if isinstance(value, list):
        return [_aware(one) for one in value]
    return value


class Compiler:
    """Compiles conditions over the kinds, parameters, calendars and tables of one store.

    Environments are made once per scope.
    """

    def __init__(
        self,
        types: MessageTypes,
        calendars: Mapping[str, WorkCalendar] | None = None,
        tables: Mapping[str, Table] | None = None,
    ) -> None:
        self.types = types
        self.calendars = calendars or {}
        self.tables = tables or {}
        self._environments: dict[tuple[tuple[str, str], ...], Any] = {}
        self._parts: dict[tuple[str, int], Condition] = {}

    def compile(
        self,
        text: Any,
        scope: Scope,
        origin: Origin,
        *,
        wants: tuple[str, ...] = ("bool",),
        may_miss: bool = False,
    ) -> tuple[Condition | None, list[Finding]]:
        """The condition, or None and why not.

        ``wants`` are the kinds of value that its place can use, none for any; where ``may_miss``, a plain path needs no
        ``has()``, because its place has a meaning for a missing value.
        """
        if not isinstance(text, str) or not text.strip():
            return None, [_finding("condition-syntax", "Expected a CEL expression.", "", origin, 0)]
        if len(text) > MAX_LENGTH:
            message = f"A condition has at most {MAX_LENGTH} characters; this has {len(text)}."
            return None, [_finding("condition-unsupported", message, "", origin, 0)]
        try:
            expression = self._environment(scope).compile(text)
        except RuntimeError as error:
            return None, list(self._worded(str(error), text, scope, origin))
        decoded = decode(expression.serialize())
        kind = decoded.types.get(decoded.root.id, "dyn")
        findings = [
            _finding(code, message, hint, origin, offset, text)
            for code, offset, message, hint in complaints(
                decoded.root, scope, self.types, decoded.types, self.calendars
            )
            if not (may_miss and isinstance(decoded.root, Path) and code == "condition-unguarded")
        ]
        if not findings:
            findings += self._impossible(decoded, origin, text)
        if wants and kind not in wants:
            message = f"Expected a value of type {' or '.join(wants)}; this is a {kind}."
            findings.append(_finding("condition-not-bool", message, "", origin, 0, text))
        expression = self._evaluated(expression, decoded, scope)
        condition = Condition(text, decoded.root, kind, expression, scope, self, origin)
        return (None if findings else condition), findings

    def _impossible(self, decoded: Decoded, origin: Origin, text: str) -> Iterator[Finding]:
        """Literals that CEL itself cannot make a value of: a bad span, pattern or zone would silently never hold."""
        from cel_expr_python import cel

        for node, probe in probes(decoded.root, decoded.types):
            result = self._environment({}).compile(probe).eval(data={})
            if result.type() == cel.Type.ERROR:
                reason = str(result.value()).partition(": ")[2] or str(result.value())
                message = f"{text_of(node)} has no value: {reason}."
                yield _finding("condition-type", message, "", origin, node.offset, text)

    def part(self, node: Node, scope: Scope) -> Condition:
        """A part of a condition that has already passed, as a condition of its own."""
        text = text_of(node)
        key = (text, id(scope))
        if key not in self._parts:
            expression = self._environment(scope).compile(text)
            decoded = decode(expression.serialize())
            kind = decoded.types.get(decoded.root.id, "dyn")
            expression = self._evaluated(expression, decoded, scope)
            self._parts[key] = Condition(text, decoded.root, kind, expression, scope, self)
        return self._parts[key]

    def _evaluated(self, expression: Any, decoded: Decoded, scope: Scope) -> Any:
        """The expression that is evaluated: as it was checked, but where money is tested for equality."""
        if CEL_NAME not in decoded.types.values():
            return expression
        return self._environment(scope).compile(text_of(with_equality(decoded.root, decoded.types)))

    def _environment(self, scope: Scope) -> Any:
        key = tuple(sorted((name, _shape_key(shape)) for name, shape in scope.items()))
        if key not in self._environments:
            variables = {name: self.types.cel_type(shape) for name, shape in scope.items()}
            self._environments[key] = environment(self.types.pool, variables, self.calendars, self.tables)
        return self._environments[key]

    def _worded(self, errors: str, text: str, scope: Scope, origin: Origin) -> Iterator[Finding]:
        """CEL's own complaints as findings; those that only follow from another are left out."""
        found = [
            (int(line), int(column), message)
            for line, column, message in _CEL_ERROR.findall(errors)
            if "*error*" not in message
        ]
        if not found:
            yield _finding("condition-syntax", errors.split("\n", 1)[0], "", origin, 0, text)
        for line, column, message in found:
            offset = sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + max(column - 1, 0)
            code, said, hint, shift = self._classified(message, scope, text, offset)
            yield _finding(code, said, hint, origin, offset + shift, text)

    def _classified(self, message: str, scope: Scope, text: str, offset: int) -> tuple[str, str, str, int]:
        if match := re.match(r"undefined field '(.*?)' not found in struct '(?:remit\.)?(.*?)'", message):
            name, owner = match.groups()
            shape = Shape("reference", kinds=(owner,)) if owner in self.types.schemas.kinds else None
            known = self.types.fields_of(shape) if shape else self._fields_of_object(owner)
            said = f"{owner.replace('_', '.')} has no field {name!r}."
            return "condition-unknown-field", said, did_you_mean(name, known), 1
        if match := re.match(r"undeclared reference to '(.*?)'", message):
            # CEL takes a dotted name for one reference, and points at its last dot or at the bracket of a call.
            whole = match.group(1)
            shift = (
                text.rfind(whole, 0, offset + len(whole)) - offset if whole in text else -len(whole.rpartition(".")[0])
            )
            name = whole.partition(".")[0]
            if name + "." == TABLE:
                callable_tables = [table_function(one) for one in self.tables]
                said = f"There is no table {whole.removeprefix(TABLE)!r}."
                return "condition-unknown-name", said, did_you_mean(whole, callable_tables), shift
            if name in REFUSED and name not in scope:
                return "condition-unsupported", f"Conditions do not support {whole!r}.", REFUSED[name], shift
            said = f"There is no variable or function {name!r} here."
            return "condition-unknown-name", said, did_you_mean(name, scope), shift
        if "no matching overload" in message:
            said = message[0].upper() + message[1:].replace("'_", "'").replace("_'", "'") + "."
            if CEL_NAME in message:
                return "condition-type", said.replace(CEL_NAME, "money"), MONEY_HINT, 0
            if "double" in message and "int" in message:
                return "condition-type", said, "A number with fractions is compared with 1.0, not 1.", 0
            return "condition-type", said, "Both sides must be of one type.", 0
        if message.startswith("Syntax error"):
            return "condition-syntax", message + ".", "", 0
        return "condition-type", message + ".", "", 0

    def _fields_of_object(self, name: str) -> Mapping[str, Any]:
        return self.types.object_fields(name)


_CEL_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*?)(?: \[[A-Z_]+\])?$", re.MULTILINE)


def _finding(code: str, message: str, hint: str, origin: Origin, offset: int, text: str = "") -> Finding:
    return finding(
        code,
        message,
        origin.place(offset, text),
        hint=hint,
        pointer=pointer_text(origin.pointer),
        record=origin.record.id,
    )


def _shape_key(shape: Shape) -> str:
    return f"{shape.type}:{shape.name}:{','.join(shape.kinds)}:{_shape_key(shape.item) if shape.item else ''}"
