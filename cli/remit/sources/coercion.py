"""Typing the cells of a table by the shape of the kind, for feeds that hold text only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from remit.schemas import Shape
from remit.sources.strictjson import BadJson, parse

_INTEGER = re.compile(r"-?[0-9]{1,16}")
_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
_BOOLEANS = {"true": True, "false": False}


def coerce(body: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """The same fields, with text turned into what ``shape`` says: a number, true or false, a list, an object.

    Only an exact spelling is turned; any other text stays, so that the schema names it instead of a guess hiding it.
    A list or object is written as JSON in its cell. Fields that ``shape`` types as text, or does not know, stay.
    """
    return {
        name: _typed(value, shape.fields[name].shape) if name in shape.fields else value for name, value in body.items()
    }


def _typed(value: Any, shape: Shape) -> Any:
    if isinstance(value, dict):
        return coerce(value, shape)
    if not isinstance(value, str):
        return value
    match shape.type:
        case "int" if _INTEGER.fullmatch(value):
            return int(value)
        case "number" if _NUMBER.fullmatch(value):
            return float(value) if any(mark in value for mark in ".eE") else int(value)
        case "bool":
            return _BOOLEANS.get(value.lower(), value)
        case "list" | "object" if value[:1] in ("[", "{"):
            return _json_or_text(value)
    return value


def _json_or_text(text: str) -> Any:
    try:
        return parse(text.encode("utf-8", "surrogatepass"))
    except BadJson:
        return text
