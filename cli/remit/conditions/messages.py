"""Schemas as protobuf message types, so that CEL's own checker knows every field, and entities as messages of them.

A reference is a field of the referred kind's message type: that is what lets a condition follow it by the dot. Only the
fields that a condition needs are filled in, so a message costs as much as the condition reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from remit.conditions.money import COUNTED_IN, NAME, fill, is_money
from remit.decisions import SEVERITIES
from remit.references import Entity, World, instant
from remit.schemas import Field, Schemas, Shape
from remit.times import parse_duration, parse_share

PACKAGE = "remit"
_PROTO_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OPTIONAL, _REPEATED, _MESSAGE = 1, 3, 11
_SCALARS = {"text": 9, "int": 3, "number": 1, "bool": 8}
_WELL_KNOWN = {
    "instant": ".google.protobuf.Timestamp",
    "duration": ".google.protobuf.Duration",
    "any": ".google.protobuf.Value",
}

Needs = dict[str, "Needs"]
"""The fields that a condition reads below a value, as nested names."""

TERM = Shape(
    "object",
    "GoverningTerm",
    fields={
        "id": Field(Shape("text", "GoverningTerm_id"), True),
        "repairLimit": Field(Shape("duration", "GoverningTerm_repairLimit"), False),
        "responseWindow": Field(Shape("duration", "GoverningTerm_responseWindow"), False),
        "feedbackLimit": Field(Shape("duration", "GoverningTerm_feedbackLimit"), False),
        "completionLimit": Field(Shape("duration", "GoverningTerm_completionLimit"), False),
        "provisioningLimit": Field(Shape("duration", "GoverningTerm_provisioningLimit"), False),
        "availability": Field(Shape("number", "GoverningTerm_availability"), False),
    },
)
"""``term``: the limits of the service term that governs a subject (design section 4)."""

MADE_DECISION = Shape(
    "object",
    "MadeDecision",
    fields={
        "id": Field(Shape("text", "MadeDecision_id"), True),
        "policy": Field(Shape("text", "MadeDecision_policy"), True),
        "level": Field(Shape("text", "MadeDecision_level"), True),
        "severity": Field(Shape("text", "MadeDecision_severity", enum=SEVERITIES), True),
        "subject": Field(Shape("text", "MadeDecision_subject"), True),
        "at": Field(Shape("instant", "MadeDecision_at"), True),
        "due": Field(Shape("instant", "MadeDecision_due"), False),
    },
)
"""A decision of another policy, as conditions see it."""

CALENDAR = "calendar"
"""The unit of a duration that only a calendar can count (2wd, 1mo): a level can wait for it, CEL cannot add it."""

_PARAMETER_SHAPES = {
    "duration": "duration",
    "share": "number",
    "number": "number",
    "boolean": "bool",
    "text": "text",
}


def parameter_shape(parameters: Mapping[str, Mapping[str, Any]]) -> Shape:
    """``param``: one required field per parameter, typed by its unit; a share is its number (0.8 for 80%)."""
    fields: dict[str, Field] = {}
    for name, parameter in parameters.items():
        unit, value = parameter.get("unit"), parameter.get("value")
        if unit == "number" and isinstance(value, int) and not isinstance(value, bool):
            shape = Shape("int", f"Parameters_{name}")
        elif unit == "duration" and exact_seconds(value) is None:
            shape = Shape("duration", f"Parameters_{name}", unit=CALENDAR)
        elif unit == "list":
            shape = Shape("list", f"Parameters_{name}", item=Shape("text", f"Parameters_{name}_item"))
        else:
            shape = Shape(_PARAMETER_SHAPES.get(str(unit), "any"), f"Parameters_{name}", unit=str(unit))  # type: ignore[arg-type]
        fields[name] = Field(shape, True)
    return Shape("object", "Parameters", fields=fields)


MONEY = Shape(
    "object",
    NAME,
    fields={
        "amount": Field(Shape("number", f"{NAME}_amount"), True),
        "currency": Field(Shape("text", f"{NAME}_currency"), False),
        COUNTED_IN: Field(Shape("text", f"{NAME}_{COUNTED_IN}"), True),
    },
)
"""The message type of every amount with a currency."""


class MessageTypes:
    """The message types of all kinds of a store, of its parameters and of the governing term."""

    def __init__(self, schemas: Schemas, parameters: Mapping[str, Mapping[str, Any]]) -> None:
        self.schemas = schemas
        self.param = parameter_shape(parameters)
        self._objects: dict[str, Shape] = {}
        for kind in schemas.kinds:
            self._collect(self.kind_shape(kind))
        self._collect(self.param)
        self._collect(TERM)
        self._collect(MADE_DECISION)
        self._collect(MONEY)

    def kind_shape(self, kind: str) -> Shape:
        """The shape of a kind; a kind whose schema describes no field is an object without fields."""
        shape = self.schemas.kinds[kind].shape
        return shape if shape.type == "object" else Shape("object", kind)

    def fields_of(self, shape: Shape) -> Mapping[str, Field]:
        """The fields that may follow a value of this shape by the dot, ``id`` included for references."""
        if shape.type == "reference" and len(shape.kinds) == 1 and shape.kinds[0] in self.schemas.kinds:
            return {**self.kind_shape(shape.kinds[0]).fields, "id": Field(Shape("text", "id"), True)}
        if shape.type == "object" and shape.name in self.schemas.kinds:
            return {**shape.fields, "id": Field(Shape("text", "id"), True)}
        return shape.fields

    def object_fields(self, name: str) -> Mapping[str, Field]:
        """The fields of the message type ``name`` that is not a kind; empty for a name that is none."""
        fields = self._objects[name].fields if name in self._objects else {}
        return {field: one for field, one in fields.items() if field != COUNTED_IN}

    def _collect(self, shape: Shape) -> None:
        if shape.type == "object" and not is_money(shape):
            if shape.name in self._objects:
                return
            self._objects[shape.name] = shape
            for part in shape.fields.values():
                self._collect(part.shape)
        elif shape.type == "list" and shape.item:
            self._collect(shape.item)

    @cached_property
    def pool(self) -> Any:
        """A private descriptor pool that holds every message type."""
        from google.protobuf import (
            any_pb2,
            descriptor_pb2,
            descriptor_pool,
            duration_pb2,
            struct_pb2,
            timestamp_pb2,
            wrappers_pb2,
        )

        pool = descriptor_pool.DescriptorPool()
        known = (any_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
        for module in known:
            copy = descriptor_pb2.FileDescriptorProto()
            module.DESCRIPTOR.CopyToProto(copy)
            pool.Add(copy)
        file = descriptor_pb2.FileDescriptorProto(
            name="remit_records.proto",
            package=PACKAGE,
            syntax="proto3",
            dependency=[f"google/protobuf/{name}.proto" for name in ("duration", "struct", "timestamp")],
        )
        for name, shape in sorted(self._objects.items()):
            message = file.message_type.add(name=name)
            for number, (field_name, part) in enumerate(sorted(self.fields_of(shape).items()), start=1):
                if _PROTO_NAME.match(field_name):
                    self._describe(message, field_name, number, part.shape)
        pool.Add(file)
        return pool

    def _describe(self, message: Any, name: str, number: int, shape: Shape) -> None:
        repeated = shape.type == "list"
        inner = (shape.item or Shape("any")) if repeated else shape
        added = message.field.add(name=name, number=number, label=_REPEATED if repeated else _OPTIONAL)
        scalar = _SCALARS.get("text" if self._is_plain_reference(inner) else inner.type)
        if scalar is not None:
            added.type = scalar
            if not repeated:
                added.proto3_optional = True
                added.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{name}")
        else:
            added.type = _MESSAGE
            added.type_name = self._message_name(inner)

    def _is_plain_reference(self, shape: Shape) -> bool:
        """A reference to one of several kinds has no one message type; conditions see its name."""
        return shape.type == "reference" and (len(shape.kinds) != 1 or shape.kinds[0] not in self.schemas.kinds)

    def _message_name(self, shape: Shape) -> str:
        if shape.type == "reference":
            return f".{PACKAGE}.{shape.kinds[0]}"
        if shape.type == "object":
            return f".{PACKAGE}.{NAME if is_money(shape) else shape.name}"
        return _WELL_KNOWN["any"] if shape.type == "list" else _WELL_KNOWN[shape.type]

    def cel_type(self, shape: Shape) -> Any:
        """The CEL type of a variable of this shape: an object, or a list of references or objects."""
        from cel_expr_python import cel

        if shape.type == "list" and shape.item:
            return cel.Type.List(self.cel_type(shape.item))
        return cel.Type(self._message_name(shape).removeprefix("."))

    def message(self, name: str) -> Any:
        """A new, empty message of the type ``name``."""
        return self._classes(name)()

    def _classes(self, name: str) -> Any:
        from google.protobuf import message_factory

        found = self._cache.get(name)
        if found is None:
            descriptor = self.pool.FindMessageTypeByName(f"{PACKAGE}.{name}")
            found = self._cache[name] = message_factory.GetMessageClass(descriptor)
        return found

    @cached_property
    def _cache(self) -> dict[str, Any]:
        return {}

    # --- filling --------------------------------------------------------------------------------------------------

    def of_entity(self, entity: Entity, needs: Needs, world: World) -> Any:
        """The entity as a message, with the needed fields."""
        message = self.message(entity.kind)
        self._fill_entity(message, entity, needs, world)
        return message

    def of_mapping(self, shape: Shape, value: Mapping[str, Any], needs: Needs, world: World) -> Any:
        """A mapping of schema-valid values (parameters, a term) as a message of ``shape``."""
        message = self.message(NAME if is_money(shape) else shape.name)
        self._fill(message, shape, value, needs, world)
        return message

    def _fill_entity(self, message: Any, entity: Entity, needs: Needs, world: World) -> None:
        message.id = entity.name
        self._fill(message, self.kind_shape(entity.kind), entity.spec, needs, world)

    def _fill(self, message: Any, shape: Shape, value: Mapping[str, Any], needs: Needs, world: World) -> None:
        if is_money(shape):
            fill(message, shape, value)
            return
        for name, below in needs.items():
            part = shape.fields.get(name)
            if part is None or name not in value:
                continue
            if part.shape.type == "list" and part.shape.item:
                for one in value[name]:
                    self._add(getattr(message, name), part.shape.item, one, below, world)
            else:
                self._set(message, name, part.shape, value[name], below, world)

    def _set(self, message: Any, name: str, shape: Shape, value: Any, needs: Needs, world: World) -> None:
        if shape.type == "reference" and not self._is_plain_reference(shape):
            target = world.get(shape.kinds[0], value)
            inner = getattr(message, name)
            inner.id = value
            if target is not None:
                self._fill_entity(inner, target, needs, world)
        elif shape.type == "object":
            inner = getattr(message, name)
            inner.SetInParent()
            self._fill(inner, shape, value, needs, world)
        elif shape.type in ("instant", "duration", "any"):
            inner = getattr(message, name)
            inner.SetInParent()
            self._set_well_known(inner, shape, value)
        else:
            setattr(message, name, plain(shape, value))

    def _add(self, items: Any, shape: Shape, value: Any, needs: Needs, world: World) -> None:
        if shape.type == "reference" and not self._is_plain_reference(shape):
            inner = items.add()
            inner.id = value
            target = world.get(shape.kinds[0], value)
            if target is not None:
                self._fill_entity(inner, target, needs, world)
        elif shape.type == "object":
            self._fill(items.add(), shape, value, needs, world)
        elif shape.type in ("instant", "duration", "any", "list"):
            self._set_well_known(items.add(), shape, value)
        else:
            items.append(plain(shape, value))

    def _set_well_known(self, message: Any, shape: Shape, value: Any) -> None:
        if shape.type == "instant":
            moment = instant(value)
            if moment is not None:
                set_timestamp(message, moment)
        elif shape.type == "duration":
            seconds = exact_seconds(value)
            if seconds is None:
                raise ValueError(f"{value} is counted on a calendar and is no exact span")
            message.seconds = seconds
        else:
            from google.protobuf import json_format

            json_format.ParseDict(value, message)


def set_timestamp(message: Any, moment: datetime) -> None:
    """Put an aware instant into a protobuf Timestamp, to the microsecond."""
    message.FromDatetime(moment)


def exact_seconds(value: Any) -> int | None:
    """The seconds of a duration text; None for one whose length depends on a calendar."""
    try:
        return parse_duration(value).seconds if isinstance(value, str) else None
    except ValueError:
        return None


def plain(shape: Shape, value: Any) -> Any:
    """A scalar as CEL holds it: a number is a double, a share its number."""
    if shape.type == "number":
        return float(parse_share(value)) if isinstance(value, str) else float(value)
    return value
