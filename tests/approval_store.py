"""A store with approval rules for tests: the project's own schemas, eight people in one branch, and one customer.

Everybody's e-mail is ``name@example.org``, so that ``conftest.be`` makes the user one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from remit.changes import Candidate
from remit.conditions.condition import Compiler
from remit.conditions.messages import MessageTypes
from remit.policies.approval import Approvals, Touch, compile_approval
from remit.policies.approvers import Ground
from remit.policies.asking import Ask, required_approvals
from remit.records import Record, build_snapshot
from remit.references import Entity, World, world_of_records
from remit.schemas import load_schemas
from remit.yamltext import dump

ROOT = Path(__file__).parent.parent
AT = datetime(2026, 10, 15, 8, 0, tzinfo=UTC)
SCHEMAS = {p.relative_to(ROOT).as_posix(): p.read_bytes() for p in sorted((ROOT / "schemas").rglob("*.schema.json"))}

RULES = """\
apiVersion: remit/v1
kind: ApprovalPolicy
metadata: {name: control, title: {en: Control, zh: 审批}}
spec:
  rules:
    - name: grade
      title: {en: Grade, zh: 等级}
      change: {kinds: [Customer], fields: [/spec/customerGrade]}
      approvers:
        - {role: owner, of: record.unit}
    - name: key-account
      change: {kinds: [Customer], fields: [/spec/keyAccount, /spec/roles]}
      approvers:
        - {role: cce, of: record}
        - {role: service, of: record.unit}
    - name: rules
      title: {en: Rules, zh: 规则}
      change: {paths: ["rules/**", "schemas/**", remit.yaml]}
      approvers:
        - {role: policy, count: 1}
        - {role: owner}
      exactBase: true
    - name: appointment
      change: {kinds: [RoleAssignment, Person]}
      approvers: [{role: policy}]
  default:
    title: {en: Anything else, zh: 其他}
    approvers: [{role: responsible, of: [record.unit, record.customer.unit]}]
"""

PEOPLE = ("ann-lee", "bob-sun", "cai-yu", "dan-wu", "eve-li", "fay-ma", "gus-he", "hal-xu")

ROLES = {  # who holds which role for which unit
    "owner": ("bob-sun", "south"),
    "service": ("cai-yu", "south-desk"),
    "policy": ("dan-wu", "head"),
}


def texts() -> dict[str, str]:
    """The files of the store by path, schemas included."""
    files = {path: data.decode() for path, data in SCHEMAS.items()}
    files["remit.yaml"] = "name: small\ntimezone: Asia/Shanghai\nlanguage: en\nprotected: main\n"
    files["rules/approval/control.yaml"] = RULES
    units = {"head": ("", "hal-xu"), "south": ("head", "gus-he"), "south-desk": ("south", "fay-ma")}
    for name, (parent, responsible) in units.items():
        spec = {"type": "department", "level": "local", "responsiblePerson": responsible, "status": "active"}
        files |= text_of("OrganizationUnit", name, spec | ({"parent": parent} if parent else {}))
    for name in PEOPLE:
        spec = {"department": "south", "contact": {"email": f"{name}@example.org"}, "status": "active"}
        files |= text_of("Person", name, spec)
    for role, (person, unit) in ROLES.items():
        spec = {"person": person, "role": role, "scope": {"domain": unit}, "status": "active"}
        files |= text_of("RoleAssignment", f"{role}-{unit}", spec)
    files |= text_of(
        "Customer",
        "harbour-bank",
        {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "eve-li"}},
        "海港银行",
    )
    return files


def text_of(kind: str, name: str, spec: Mapping[str, Any], title: str = "") -> dict[str, str]:
    """The file of one record, at its place."""
    metadata = {"name": name, **({"title": {"en": name.title(), "zh": title}} if title else {})}
    body = {"apiVersion": "remit/v1", "kind": kind, "metadata": metadata, "spec": dict(spec)}
    return {path_of(kind, name): dump(body).decode()}


def path_of(kind: str, name: str) -> str:
    """Where the record of that kind and name stands."""
    kinds, _ = load_schemas(SCHEMAS)
    return f"records/{kinds.kinds[kind].folder}/{name}.yaml"


class Base:
    """The store compiled once, with changes asked about one at a time."""

    def __init__(self, files: Mapping[str, str] | None = None) -> None:
        self.blobs = {path: text.encode() for path, text in (files or texts()).items()}
        self.schemas, findings = load_schemas(self.blobs)
        assert findings == ()
        self.snapshot = build_snapshot(self.blobs)
        assert self.snapshot.findings == ()
        entities = world_of_records(self.schemas, self.snapshot.records)
        self.world = World(self.schemas, entities, self.snapshot.config)
        self.compiler = Compiler(MessageTypes(self.schemas, self.world.parameters))

    def policy(self, rules: str = RULES) -> Approvals:
        """A policy that compiles."""
        policy, findings = self.compile(rules)
        assert findings == [] and policy is not None
        return policy

    def compile(self, rules: str) -> tuple[Approvals | None, list[Any]]:
        """A policy or what is wrong with it."""
        record = self.record("rules/approval/control.yaml", rules)
        assert [f.message for f in self.schemas.check_record(record)] == []
        return compile_approval(record, self.compiler, tuple(rules.split("\n")))

    def record(self, path: str, text: str) -> Record:
        """The record in ``text``."""
        snapshot = build_snapshot({path: text.encode()})
        assert snapshot.findings == ()
        return (*snapshot.records, *snapshot.policies)[0]

    def touch(self, kind: str, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Touch:
        """One changed record, by the fields of spec on either side."""
        path = path_of(kind, name)
        sides = [None if s is None else self.record(path, text_of(kind, name, s)[path]) for s in (before, after)]
        return Touch(path, sides[0], sides[1])

    def asks(self, *touches: Touch, author: str = "ann-lee", rules: str = RULES, at: datetime = AT) -> list[Ask]:
        """What the policy asks of a change; what the change adds is found where it leads."""
        return required_approvals([self.policy(rules)], touches, self.ground(touches, author, at))

    def ground(self, touches: Sequence[Touch], author: str, at: datetime = AT) -> Ground:
        """The base, and the base with what the touches add."""
        known = [entity for kind in self.schemas.kinds for entity in self.world.all(kind)]
        added = [
            Entity(t.after.kind, t.after.name, t.after.spec, t.after.place(), t.after)
            for t in touches
            if t.after and t.after.kind in self.schemas.kinds
        ]
        return Ground(self.world, World(self.schemas, [*known, *added], self.world.config), at, author)


def asked(asks: Sequence[Ask]) -> list[tuple[str, str, list[str]]]:
    """Asks as (rule, role, people)."""
    return [(ask.rule.rpartition("/")[2], ask.role, sorted(ask.people)) for ask in asks]


def people_of(candidates: Sequence[Candidate]) -> list[str]:
    """The names, sorted."""
    return sorted(candidate.person for candidate in candidates)
