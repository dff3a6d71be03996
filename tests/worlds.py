"""A small world in memory for tests of conditions and the engine: kinds, records and policies as text."""

from __future__ import annotations

import json
from typing import Any

from remit.conditions.condition import Compiler
from remit.evaluating import Loaded, load
from remit.places import Place
from remit.references import Entity, World, world_of_records
from remit.store import Files

BASE = "https://remit.invalid/schemas/"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

GRADES = ["group", "province", "local"]
INSTANT = {"type": "string", "format": "date-time", "x-remit-unit": "instant"}
FIELDS: dict[str, dict[str, Any]] = {
    "Customer": {
        "grade": {"type": "string", "enum": GRADES},
        "等级说明": {"type": "string"},
        "score": {"type": "number"},
        "key": {"type": "boolean"},
        "manager": {"type": "string", "x-remit-ref": "Person"},
        "unit": {"type": "string", "x-remit-ref": "OrganizationUnit"},
        "roles": {
            "type": "object",
            "properties": {"ceA": {"type": "string", "x-remit-ref": "Person"}},
            "unevaluatedProperties": False,
        },
    },
    "Person": {
        "contact": {"type": "object", "properties": {"email": {"type": "string"}}, "unevaluatedProperties": False},
        "leave": {
            "type": "array",
            "items": {"type": "object", "properties": {"from": INSTANT, "to": INSTANT}, "unevaluatedProperties": False},
        },
    },
    "ParameterSet": {"parameters": {"type": "object"}},
    "OrganizationUnit": {
        "responsiblePerson": {"type": "string", "x-remit-ref": "Person"},
        "parent": {"type": "string", "x-remit-ref": "OrganizationUnit"},
    },
    "Ticket": {
        "customer": {"type": "string", "x-remit-ref": "Customer"},
        "count": {"type": "integer"},
        "weight": {"type": "number"},
        "text": {"type": "string"},
        "other": {"type": "string"},
        "flag": {"type": "boolean"},
        "hours": {"type": "number", "x-remit-unit": "hours"},
        "share": {"type": "number", "x-remit-unit": "percent"},
        "cost": {
            "type": "object",
            "x-remit-unit": "money",
            "properties": {"amount": {"type": "number"}, "currency": {"type": "string"}},
            "required": ["amount", "currency"],
            "unevaluatedProperties": False,
        },
        "price": {
            "type": "object",
            "x-remit-unit": "money",
            "properties": {"amount": {"type": "number"}, "currency": {"type": "string", "default": "CNY"}},
            "required": ["amount"],
            "unevaluatedProperties": False,
        },
        "grant": {
            "type": "object",
            "x-remit-unit": "money",
            "properties": {"amount": {"type": "number"}, "currency": {"type": "string", "const": "USD"}},
            "required": ["amount", "currency"],
            "unevaluatedProperties": False,
        },
        "rate": {"type": "string", "pattern": "^[0-9]{1,4}([.][0-9]{1,4})?%$", "x-remit-unit": "share"},
        "openedAt": INSTANT,
        "closedAt": INSTANT,
        "closures": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"at": INSTANT, "until": INSTANT},
                "unevaluatedProperties": False,
            },
        },
        "holders": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"at": INSTANT, "team": {"type": "string"}},
                "unevaluatedProperties": False,
            },
        },
        "notes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"at": INSTANT, "by": {"type": "string"}},
                "required": ["at"],
                "unevaluatedProperties": False,
            },
        },
    },
}
REQUIRED = {"Customer": ["grade"], "Ticket": ["customer", "openedAt"]}


def kind_schema(kind: str) -> dict[str, Any]:
    """The schema file of one kind of the small world."""
    return {
        "$schema": DIALECT,
        "$id": f"{BASE}kinds/{kind}.schema.json",
        "title": kind,
        "x-remit-plural": kind.lower() + "s",
        "x-remit-home": "either" if kind == "Ticket" else "record",
        "type": "object",
        "properties": {
            "apiVersion": {"const": "remit/v1"},
            "kind": {"const": kind},
            "metadata": {"type": "object"},
            "spec": {"$ref": "#/$defs/spec"},
        },
        "required": ["spec"],
        "unevaluatedProperties": False,
        "$defs": {
            "spec": {
                "type": "object",
                "properties": FIELDS[kind],
                "required": REQUIRED.get(kind, []),
                "unevaluatedProperties": False,
            }
        },
    }


def record_text(kind: str, name: str, spec: dict[str, Any], clauses: list[str] | None = None) -> bytes:
    """A record file; JSON is YAML."""
    metadata = {"name": name, "title": {"en": name.title(), "zh": f"「{name}」"}, "clauses": clauses or []}
    body = {"apiVersion": "remit/v1", "kind": kind, "metadata": metadata, "spec": spec}
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def world_files(more: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """The files of the small store: kinds, three people, two customers, and whatever ``more`` adds or replaces."""
    from remit.pack import pack_files

    pack = pack_files()
    policies = {p: d for p, d in pack.items() if p.startswith("schemas/") and not p.startswith("schemas/kinds/")}
    people = {
        "ann": {"contact": {"email": "ann@example.invalid"}},
        "bob": {"contact": {"email": "bob@example.invalid"}},
        "静": {"contact": {"email": "jing@example.invalid"}},
    }
    files = {
        "remit.yaml": b"name: small\ntimezone: Asia/Shanghai\nlanguage: en\n",
        **policies,
        **{path: pack[path] for path in (f"schemas/kinds/{kind}.schema.json" for kind in ("Calendar", "LookupTable"))},
        **{f"schemas/kinds/{kind}.schema.json": json.dumps(kind_schema(kind)).encode() for kind in FIELDS},
        **{f"records/persons/{n}.yaml": record_text("Person", n, spec) for n, spec in people.items() if n.isascii()},
        "records/organizationunits/desk.yaml": record_text("OrganizationUnit", "desk", {"responsiblePerson": "bob"}),
        "records/customers/bank.yaml": record_text(
            "Customer", "bank", {"grade": "group", "key": True, "score": 91.5, "unit": "desk", "roles": {"ceA": "ann"}}
        ),
        "records/customers/shop.yaml": record_text("Customer", "shop", {"grade": "local", "unit": "desk"}),
    }
    return files | (more or {})


def small_world(more: dict[str, bytes] | None = None, tickets: dict[str, dict[str, Any]] | None = None) -> Loaded:
    """The small store loaded, with tickets as facts."""
    loaded = load(Files(None, None, world_files(more)))
    if not tickets:
        return loaded
    facts = [Entity("Ticket", name, spec, Place("feed", 1)) for name, spec in tickets.items()]
    records = world_of_records(loaded.schemas, loaded.snapshot.records)
    world = World(loaded.schemas, [*records, *facts], loaded.snapshot.config)
    return Loaded(loaded.snapshot, loaded.schemas, world, (), (), loaded.trouble)


def compiler_of(loaded: Loaded) -> Compiler:
    """A compiler for the small world."""
    return loaded.compiler
