"""A small store for tests: three kinds of record, one kind of policy, Chinese titles, comments, references.

Its schemas are its own, so that a test says what it relies on and the example store may change freely.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BASE = "https://remit.invalid/"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def small_store(folder: Path) -> Path:
    """Write the store into ``folder`` (made when missing) and give the folder back; it is not under git."""
    for path, data in small_files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


def small_files() -> dict[str, bytes]:
    """The files of the store by path."""
    return {path: text.encode() for path, text in {**TEXTS, **_schemas()}.items()}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` by path: what a test compares to say that nothing was written."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


TEXTS = {
    "remit.yaml": "name: small\ntimezone: Asia/Shanghai\nlanguage: zh\n",
    "records/people/chen-jing.yaml": """\
apiVersion: remit/v1
kind: Person
metadata: {name: chen-jing, title: {en: Chen Jing, zh: 陈静}}
spec:
  status: active
  contact: {email: chen-jing@example.com}
""",
    "records/people/wang-lei.yaml": """\
apiVersion: remit/v1
kind: Person
metadata: {name: wang-lei, title: {en: Wang Lei, zh: 王磊}}
spec: {status: active}
""",
    "records/teams/harbour.yaml": """\
apiVersion: remit/v1
kind: Team
metadata: {name: harbour, title: {en: Harbour team, zh: 海港团队}}
spec:
  lead: chen-jing
  members:
    - chen-jing   # 组长
    - wang-lei
""",
    "records/customers/harbour-bank.yaml": """\
# 海港银行：集团级客户。
apiVersion: remit/v1
kind: Customer
metadata:
  name: harbour-bank            # equals the file name
  title: {en: Harbour Bank, zh: 海港银行}
  labels: {industry: finance}
spec:
  customerGrade: local_b   # 2026 年评定
  status: active
  roles: {cm: chen-jing, ceA: wang-lei}

  # 联系人
  contacts:
    - {contactPerson: 林女士, phone: '0579-1234'}
    - {contactPerson: 周先生, phone: "0579-5678"}
  owner: Team/harbour
""",
    "records/customers/old-street.yaml": """\
apiVersion: remit/v1
kind: Customer
metadata: {name: old-street, title: 老街网吧}
spec:
  customerGrade: local_c
  notes: |
    =SUM(A1) is how their file begins
    第二行 Second Line
""",
    "rules/escalation/faults.yaml": """\
apiVersion: remit/v1
kind: EscalationPolicy
metadata: {name: faults, title: {en: Fault ladder, zh: 故障上报}}
spec:
  # who answers for the rule
  owner: chen-jing
  when: subject.roles.cm == "chen-jing"
""",
    "rules/escalation/faults.cases.yaml": """\
policy: faults
cases:
  - name: the manager is told   # 客户经理
    facts:
      - {kind: Customer, id: some-bank, customerGrade: group, roles: {cm: chen-jing}}
    expect: {told: [chen-jing]}
""",
}


def _schemas() -> dict[str, str]:
    text: dict[str, Any] = {"type": "string", "minLength": 1}
    person = {"type": "string", "x-remit-ref": "Person"}
    contact = _object({"contactPerson": text, "phone": text}, required=["contactPerson"])
    specs: dict[str, tuple[str, str, Mapping[str, Any]]] = {
        "kinds/Person": (
            "people",
            "人员",
            _object(
                {
                    "status": {"type": "string", "enum": ["active", "left"], "default": "active"},
                    "contact": _object({"email": text}),
                    "since": {"type": "string", "format": "date-time", "x-remit-unit": "instant"},
                },
                required=["status"],
            ),
        ),
        "kinds/Team": (
            "teams",
            "团队",
            _object({"lead": person, "members": {"type": "array", "items": person}}, required=["lead"]),
        ),
        "kinds/Customer": (
            "customers",
            "政企客户",
            _object(
                {
                    "customerGrade": {
                        "title": "Customer grade",
                        "x-remit-zh": "客户等级",
                        "type": "string",
                        "enum": ["group", "province", "local_a", "local_b", "local_c"],
                    },
                    "status": {"type": "string", "enum": ["active", "at_risk"]},
                    "roles": _object({"cm": person, "ceA": person, "ceB": person}),
                    "contacts": {"type": "array", "items": contact},
                    "owner": {"type": "string", "x-remit-ref": ["Person", "Team"]},
                    "lines": {"type": "integer", "minimum": 0},
                    "share": {"type": "number"},
                    "keyAccount": {"type": "boolean"},
                    "postcode": text,
                    "tags": {"type": "array", "items": text},
                    "notes": {"type": "string"},
                },
                required=["customerGrade"],
            ),
        ),
        "policies/EscalationPolicy": (
            "escalation",
            "升级策略",
            _object({"owner": person, "when": text}, required=["when"]),
        ),
    }
    schemas = {"schemas/common.schema.json": _common()}
    for place, (plural, chinese, spec) in specs.items():
        kind = place.rpartition("/")[2]
        schemas[f"schemas/{place}.schema.json"] = {
            "$schema": DIALECT,
            "$id": f"{BASE}schemas/{place}.schema.json",
            "title": kind,
            "x-remit-zh": chinese,
            "x-remit-plural": plural,
            "x-remit-home": "record",
            "type": "object",
            "$ref": f"{BASE}schemas/common.schema.json#/$defs/envelope",
            "properties": {"kind": {"const": kind}, "spec": {"$ref": "#/$defs/spec"}},
            "required": ["spec"],
            "unevaluatedProperties": False,
            "$defs": {"spec": spec},
        }
    return {path: json.dumps(schema, ensure_ascii=False, indent=2) + "\n" for path, schema in schemas.items()}


def _object(properties: Mapping[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": required or [],
        "unevaluatedProperties": False,
    }


def _common() -> dict[str, Any]:
    title = {"anyOf": [{"type": "string"}, _object({"en": {"type": "string"}, "zh": {"type": "string"}})]}
    labels = {"type": "object", "additionalProperties": {"type": "string"}}
    metadata = _object(
        {"name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"}, "title": title, "labels": labels}, ["name"]
    )
    envelope = {
        "type": "object",
        "properties": {"apiVersion": {"const": "remit/v1"}, "kind": {"type": "string"}, "metadata": metadata},
        "required": ["apiVersion", "kind", "metadata"],
    }
    return {"$schema": DIALECT, "$id": f"{BASE}schemas/common.schema.json", "$defs": {"envelope": envelope}}
