"""Makes stores of any size for the benchmarks: one kind, ``Client``, whose records are nested and name one another.

The same number gives the same bytes. Every hundredth record does not fit the schema, each in one of five ways; every
thousandth names a parent that does not exist, which a schema cannot see.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

FOLDER = "records/clients"
SCHEMA_PATH = "schemas/kinds/Client.schema.json"
CONFIG = b"name: benchmark\ntimezone: Asia/Shanghai\n"

_GRADES = ("gold", "silver", "bronze", "standard")
_DOMAINS = ("access", "transport", "core", "cloud", "security")
_NAME = {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 63}
_DATE = {"type": "string", "format": "date"}
_PARENT = {**_NAME, "x-remit-ref": "Client"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _list(items: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least}


_MONEY = _object(["amount", "currency"], amount={"type": "integer", "minimum": 0}, currency={"enum": ["CNY", "EUR"]})
_SPEC = _object(
    ["grade", "unit", "roles", "status"],
    grade={"enum": list(_GRADES)},
    basis=_object(["decidedBy"], revenue=_MONEY, importance={"type": "string"}, decidedBy=_NAME, decidedAt=_DATE),
    score={"type": "integer", "minimum": 0, "maximum": 100},
    share={"type": "number", "minimum": 0, "maximum": 1},
    keyAccount={"type": "boolean"},
    revenue=_list(_object(["period", "amount"], period={"type": "string"}, amount=_MONEY)),
    sites=_list(_NAME),
    contacts=_list(
        _object(["name", "method"], name={"type": "string", "minLength": 1}, method={"type": "string"}), least=1
    ),
    unit=_NAME,
    parent=_PARENT,
    partners=_list(_PARENT),
    roles=_object(
        ["manager", "engineers"],
        manager=_NAME,
        deputy=_NAME,
        engineers=_list(_object(["domain", "engineer"], domain={"enum": list(_DOMAINS)}, engineer=_NAME), least=1),
    ),
    status={"enum": ["active", "prospect", "closed"]},
    validFrom=_DATE,
)
_METADATA = _object(
    ["name"],
    name=_NAME,
    title=_object([], en={"type": "string"}, zh={"type": "string"}),
    labels={"type": "object", "additionalProperties": {"type": "string"}},
)
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": f"https://remit.invalid/{SCHEMA_PATH}",
    "title": "Client",
    "x-remit-plural": "clients",
    "type": "object",
    "properties": {
        "apiVersion": {"const": "remit/v1"},
        "kind": {"const": "Client"},
        "metadata": _METADATA,
        "spec": {"$ref": "#/$defs/spec"},
    },
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "$defs": {"spec": _SPEC},
}
"""Self-contained and free of what the drafts' readers do not share, so that every peer can take it as it is."""

_FAULTS = (
    ("grade: ", "grade: platinum-"),
    ("score: ", "score: 1000"),
    ("  unit: ", "  units: "),
    ("keyAccount: ", "keyAccount: not-"),
    ("    manager: ", "    manager: Mr_"),
)


def store(size: int) -> Iterator[tuple[str, bytes]]:
    """The files of a store with ``size`` clients, sorted by path."""
    yield "remit.yaml", CONFIG
    for number in range(size):
        yield f"{FOLDER}/{client_name(number)}.yaml", client(number, size)
    yield SCHEMA_PATH, json.dumps(SCHEMA, indent=2).encode()


def client_name(number: int) -> str:
    """The name of one client."""
    return f"client-{number:06}"


def is_wrong(number: int) -> bool:
    """Whether the record does not fit the schema."""
    return number % 100 == 57


def is_orphan(number: int) -> bool:
    """Whether the record names a parent that there is not."""
    return number % 1000 == 333


def client(number: int, size: int) -> bytes:
    """One record, of about 0.8 KB."""
    chance = random.Random(number)
    parent = "nobody" if is_orphan(number) else client_name(chance.randrange(size))
    partners = ", ".join(client_name(chance.randrange(size)) for _ in range(2))
    engineers = "\n".join(
        f"      - {{domain: {chance.choice(_DOMAINS)}, engineer: engineer-{chance.randrange(400):03}}}"
        for _ in range(2)
    )
    text = f"""\
apiVersion: remit/v1
kind: Client
metadata:
  name: {client_name(number)}
  title: {{en: "Client {number}", zh: 客户{number}}}
  labels: {{region: region-{chance.randrange(30):02}}}
spec:
  grade: {chance.choice(_GRADES)}
  basis:
    revenue: {{amount: {chance.randrange(10_000_000)}, currency: CNY}}
    importance: 集团签约客户，全国组网，本地服务
    decidedBy: office-{chance.randrange(20):02}
    decidedAt: "2025-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
  score: {chance.randrange(100)}
  share: 0.{chance.randint(1, 99):02}
  keyAccount: {chance.choice(("true", "false"))}
  revenue:
    - period: 2026-Q1
      amount: {{amount: {chance.randrange(1_000_000)}, currency: CNY}}
  sites: [site-{number:06}-a, site-{number:06}-b]
  contacts:
    - name: 联系人 {chance.randrange(1000)}
      method: 0900-{chance.randrange(1000):03}-{chance.randrange(10_000):04}
  unit: unit-{chance.randrange(50):02}
  parent: {parent}
  partners: [{partners}]
  roles:
    manager: manager-{chance.randrange(200):03}
    deputy: manager-{chance.randrange(200):03}
    engineers:
{engineers}
  status: active
  validFrom: "2025-0{chance.randint(1, 9)}-01"
"""
    if is_wrong(number):
        before, after = _FAULTS[number // 100 % len(_FAULTS)]
        text = text.replace(before, after, 1)
    return text.encode()
