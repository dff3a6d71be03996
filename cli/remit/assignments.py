"""``path=value`` as people type it: where in a record it points and what value it means.

The schema of the kind decides both: a text stays the text that was typed, so ``80%`` or ``012`` needs no quotes, while
a number, a list or an object must be one. Nothing here changes a record; ``recording`` does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from remit.errors import UserError
from remit.findings import did_you_mean
from remit.places import Pointer
from remit.schemas import Field, KindSchema, Shape
from remit.yamltext import read

APPEND = -1
_NAME = r"[^.\[\]=\"]+"
_INDEX = r"\[(?:[0-9]{1,6}|\+|\"[^\"]+\")\]"
_PATH = re.compile(rf"{_NAME}(?:{_INDEX}|\.{_NAME})*")
_PART = re.compile(rf"({_NAME})|\[([0-9]+)\]|(\[\+\])|\[\"([^\"]+)\"\]")
_TEXT = Shape("text")
METADATA = Shape(
    "object",
    "metadata",
    fields={
        "name": Field(_TEXT, True),
        "title": Field(Shape("any"), False),
        "description": Field(_TEXT, False),
        "labels": Field(Shape("any"), False),
        "clauses": Field(Shape("list", item=_TEXT), False),
    },
)
"""The part of the envelope that people may set; its schema judges the values."""


class Target(NamedTuple):
    """A place in a record's body, and the shape of what may stand there."""

    pointer: Pointer
    shape: Shape


def split_assignment(text: str) -> tuple[str, str]:
    """``path`` and the typed value of ``path=value``; the value may be empty and may hold further equal signs."""
    match = _PATH.match(text)
    if match is None or text[match.end() : match.end() + 1] != "=":
        raise UserError(
            f"{text!r} is not path=value.", "Write for example customerGrade=group or contacts[0].phone=1234."
        )
    return match.group(), text[match.end() + 1 :]


def locate(path: str, schema: KindSchema, body: Mapping[str, Any]) -> Target:
    """Where ``path`` leads in a record of this kind whose present body is ``body``.

    A path starts in ``spec``, or in the envelope when it begins with ``metadata.``. ``[+]`` is the place behind the
    last item of a list. Raises ``UserError`` for a field that the kind does not have, with the nearest right name.
    """
    if not _PATH.fullmatch(path):
        raise UserError(
            f"{path!r} is not a path.", "Write names with dots between them, and list positions as [0] or [+]."
        )
    parts = _parts(path)
    top, shape = ("spec", schema.shape)
    if parts[0] == "metadata" and len(parts) > 1:
        top, shape, parts = "metadata", METADATA, parts[1:]
    elif parts[0] == "spec" and len(parts) > 1 and "spec" not in shape.fields:
        parts = parts[1:]
    pointer: Pointer = (top,)
    for part in parts:
        shape = _step(shape, part, pointer, schema.kind)
        pointer = (*pointer, _size(value_at(body, pointer)) if part == APPEND else part)
    return Target(pointer, shape)


def parse_value(typed: str, shape: Shape, path: str) -> Any:
    """The value that ``typed`` means where ``shape`` stands; ``UserError`` says what was expected instead."""
    match shape.type:
        case "text" | "reference" | "duration" | "instant":
            return typed
        case "int":
            if re.fullmatch(r"[-+]?[0-9]{1,16}", typed):
                return int(typed)
            raise _unfit(path, typed, "a whole number")
        case "number":
            return _number(typed, path)
        case "bool":
            if typed in ("true", "false"):
                return typed == "true"
            raise _unfit(path, typed, "true or false")
        case "list":
            value = _flow(typed, path)
            if isinstance(value, list):
                return value
            raise _unfit(path, typed, f"a list, such as {path}=[a, b]; {path}[+]=… adds one item")
        case "object":
            value = _flow(typed, path)
            if isinstance(value, dict):
                return value
            raise _unfit(path, typed, f"a mapping, such as {path}={{{next(iter(shape.fields), 'name')}: …}}")
        case _:
            return _free(typed, path)


def value_at(body: Any, pointer: Pointer) -> Any:
    """The value at ``pointer``; None where there is none (null is never a value)."""
    for part in pointer:
        if isinstance(body, dict) and isinstance(part, str):
            body = body.get(part)
        elif isinstance(body, list) and isinstance(part, int) and part < len(body):
            body = body[part]
        else:
            return None
    return body


def field_text(pointer: Pointer) -> str:
    """``spec.contacts[0].phone``: the inverse of ``locate``, for people."""
    text = ""
    for part in pointer:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PATH.fullmatch(part) and "." not in part and "[" not in part:
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def value_text(value: Any) -> str:
    """A value on one line: texts as they are, the rest as compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parts(path: str) -> list[str | int]:
    found: list[str | int] = []
    for match in _PART.finditer(path):
        name, position, append, quoted = match.groups()
        found.append(int(position) if position else APPEND if append else name or quoted)
    return found


def _step(shape: Shape, part: str | int, pointer: Pointer, kind: str) -> Shape:
    here = field_text(pointer)
    is_index = isinstance(part, int)
    if shape.type == "any":
        return Shape("any")
    if shape.type == "list":
        if is_index:
            return shape.item or Shape("any")
        raise UserError(f"{here} is a list, so {part!r} is not a field of it.", f"Write {here}[0].{part} or {here}[+].")
    if shape.type != "object":
        raise UserError(f"{here} holds one value and has nothing inside.", f"Set it with {here}=…")
    if is_index:
        raise UserError(f"{here} is a mapping, not a list.", did_you_mean("", shape.fields))
    field = shape.fields.get(str(part))
    if field is None:
        where = f"{kind} has no field {str(part)!r}" if pointer == ("spec",) else f"{here} has no field {str(part)!r}"
        raise UserError(f"{where}.", did_you_mean(str(part), shape.fields) or f"Known: {', '.join(shape.fields)}.")
    return field.shape


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _number(typed: str, path: str) -> int | float:
    if re.fullmatch(r"[-+]?[0-9]{1,16}", typed):
        return int(typed)
    if re.fullmatch(r"[-+]?[0-9]{1,16}(\.[0-9]{1,16})?([eE][-+]?[0-9]{1,3})?", typed) and math.isfinite(float(typed)):
        return float(typed)
    raise _unfit(path, typed, "a number")


def _flow(typed: str, path: str) -> Any:
    document, findings = read(typed.encode("utf-8", "surrogatepass"), path)
    if document is None or findings:
        why = findings[0] if findings else None
        message = f"{path}={typed} cannot be read" + (f": {why.message}" if why else ".")
        raise UserError(message, (why.hint if why else "") or "Write it as JSON, or as YAML on one line.")
    return document.value


def _free(typed: str, path: str) -> Any:
    """Where the schema allows several types: JSON and flow collections mean themselves, anything else is a text."""
    if typed[:1] in ("[", "{", '"'):
        return _flow(typed, path)
    if typed in ("true", "false"):
        return typed == "true"
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,16})?", typed):
        return _number(typed, path)
    return typed


def _unfit(path: str, typed: str, expected: str) -> UserError:
    return UserError(f"{path} is {expected}; {typed!r} is not.", f"Write {path}=VALUE with {expected}.")
