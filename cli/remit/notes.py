"""What others rely on in a record.

Source: design section 11, point 8.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from remit.records import Record
from remit.references import ENDED
from remit.schemas import KindSchema, Schemas
from remit.ways import likeness


class Note(NamedTuple):
    """What of a record matters to other records.

    Attributes:
        standing: What those rely on who name it, as a digest: that it is there, and when it holds.
        own: What no other record may have, or not at the same time, as a digest.
        like: Of a customer, what decides whom it reaches.
    """

    standing: str
    own: str
    like: str

    def __str__(self) -> str:
        return " ".join(self)

    @classmethod
    def of_text(cls, text: str) -> Note:
        """What was written as text."""
        standing, own, like = text.split(" ", 2)
        return cls(standing, own, like)


def note_of(record: Record, schemas: Schemas, fields: Iterable[str]) -> Note:
    """What others rely on in a record of a known kind; ``fields`` decide whom a customer reaches."""
    spec, schema = record.spec, schemas.kinds[record.kind]
    status = spec.get("status")
    holds = [status if isinstance(status, str) and status in ENDED else None]
    holds += [spec.get(name) for name in ("validFrom", "validTo")]
    own = {name: spec[name] for name in own_fields(schema) if name in spec}
    like = likeness(spec, fields) if record.kind == "Customer" else ""
    return Note(_digest([record.id, *holds]), _digest([own, holds if has_rivals(schema) else None]), like)


def own_fields(schema: KindSchema) -> list[str]:
    """The fields whose values other records of a kind are compared with."""
    rule = schema.schema.get("x-remit-no-overlap")
    fields = [name for name, part in schema.shape.fields.items() if part.schema.get("x-remit-unique")]
    fields += [*rule["of"], *rule.get("if", ())] if isinstance(rule, Mapping) else []
    return [*fields, "keys"] if schema.kind == "Person" else fields


def has_rivals(schema: KindSchema) -> bool:
    """Whether records of a kind can stand in each other's way."""
    own = any(part.schema.get("x-remit-unique") for part in schema.shape.fields.values())
    return own or "x-remit-no-overlap" in schema.schema


def _digest(said: Any) -> str:
    text = json.dumps(said, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
