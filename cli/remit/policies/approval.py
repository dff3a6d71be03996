"""Approval policies: who must approve which change, compiled.

A rule speaks of files by kind, path, field and condition; all that it gives must hold. ``asking`` asks policies about
one change, ``approvers`` finds the people.

Source: design section 6; domain sections 5.12 and 5.13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from remit.conditions.condition import Compiler, Condition
from remit.findings import Finding, did_you_mean, finding, has_errors
from remit.places import Pointer, parse_pointer, pointer_text
from remit.policies.reading import PolicyReader
from remit.policies.record_paths import Names, goes_through_list, item_of, reached_kinds
from remit.records import Record
from remit.references import World
from remit.roles import RESPONSIBLE
from remit.schemas import Schemas
from remit.times import Duration, parse_duration

DEFAULT, EMERGENCY = "default", "emergency"


class Touch(NamedTuple):
    """One file of a change: its path in the store, and the record in it before and after (None: there is none)."""

    path: str
    before: Record | None
    after: Record | None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the record before and after."""
        return tuple(dict.fromkeys(r.kind for r in (self.before, self.after) if r is not None))

    @property
    def name(self) -> str:
        """The record's id, else the path."""
        record = self.after or self.before
        return record.id if record is not None else self.path


@dataclass(frozen=True)
class Approver:
    """One entry of a rule: ``count`` holders of any of ``roles`` of what ``of`` leads to, team members, or people."""

    roles: tuple[str, ...]
    of: tuple[Names, ...]
    team: str
    person: Names
    count: int

    @property
    def label(self) -> str:
        """How messages and cases call the entry: the roles, the team or the path."""
        return "|".join(self.roles) or (f"Team/{self.team}" if self.team else ".".join(self.person))


@dataclass(frozen=True)
class Rule:
    """One rule, compiled; an empty part asks nothing."""

    id: str
    title: Mapping[str, str]
    kinds: tuple[str, ...]
    paths: tuple[re.Pattern[str], ...]
    fields: tuple[Pointer, ...]
    when: Condition | None
    at_least: int
    approvers: tuple[Approver, ...]
    distinct: bool
    exact_base: bool
    clauses: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rpartition("/")[2]


@dataclass(frozen=True)
class Emergency:
    """Who may apply a change at once: any one of the approvers of ``rule``; the review is owed ``within`` that time."""

    rule: Rule
    within: Duration


@dataclass(frozen=True)
class Approvals:
    """A compiled ApprovalPolicy."""

    record: Record
    rules: tuple[Rule, ...]
    default: Rule | None
    emergency: Emergency | None
    clauses: tuple[str, ...]

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.record.name


# --- compiling -------------------------------------------------------------------------------------------------------


def compile_approval(
    record: Record, compiler: Compiler, lines: tuple[str, ...]
) -> tuple[Approvals | None, list[Finding]]:
    """The policy, or None and everything that is wrong with it. The record has passed its schema."""
    return _Reader(record, compiler, lines).read()


class _Reader(PolicyReader):
    def read(self) -> tuple[Approvals | None, list[Finding]]:
        """The policy, or None, and what is wrong with it."""
        spec = self.record.spec
        rules = tuple(self._rule(written, ("rules", index)) for index, written in enumerate(spec["rules"]))
        names = [written["name"] for written in spec["rules"]]
        for index, name in enumerate(names):
            if name in names[:index] or name in (DEFAULT, EMERGENCY):
                self.complain("policy-invalid", f"Two rules are called {name!r}.", ("rules", index, "name"))
        default, urgent = self._part(DEFAULT), self._part(EMERGENCY)
        if has_errors(self.findings):
            return None, self.findings
        if urgent and any(approver.count > 1 for approver in urgent.approvers):
            self.complain("policy-invalid", "In an emergency one person acts.", (EMERGENCY, "approvers"))
            return None, self.findings
        emergency = Emergency(urgent, parse_duration(spec[EMERGENCY]["reviewWithin"])) if urgent else None
        clauses = tuple(self.record.metadata.get("clauses", ()))
        return Approvals(self.record, rules, default, emergency, clauses), self.findings

    def _part(self, name: str) -> Rule | None:
        spec = self.record.spec
        return self._rule({"name": name, "change": {}, **spec[name]}, (name,)) if name in spec else None

    def _rule(self, written: Mapping[str, Any], base: Pointer) -> Rule:
        change = written["change"]
        kinds = tuple(change.get("kinds", ()))
        self._known_kinds(kinds, (*base, "change", "kinds"))
        title = written.get("title", {})
        approvers = enumerate(written["approvers"])
        return Rule(
            id=f"{self.record.id}/{written['name']}",
            title=title if isinstance(title, dict) else {"en": title, "zh": title},
            kinds=kinds,
            paths=tuple(glob(path) for path in change.get("paths", ())),
            fields=tuple(parse_pointer(field) for field in change.get("fields", ())),
            when=self._when(change.get("when"), kinds, (*base, "change", "when")),
            at_least=change.get("atLeast", 1),
            approvers=tuple(self._approver(one, kinds, (*base, "approvers", index)) for index, one in approvers),
            distinct=written.get("distinct", True),
            exact_base=written.get("exactBase", False),
            clauses=tuple(written.get("clauses", ())),
        )

    @property
    def _schemas(self) -> Schemas:
        return self.compiler.types.schemas

    def _known_kinds(self, kinds: Sequence[str], pointer: Pointer) -> None:
        known = {**self._schemas.kinds, **self._schemas.policies}
        for index, kind in enumerate(kinds):
            if kind not in known:
                self.complain(
                    "unknown-kind", f"There is no kind {kind!r}.", (*pointer, index), did_you_mean(kind, known)
                )

    def _when(self, text: str | None, kinds: Sequence[str], pointer: Pointer) -> Condition | None:
        if text is None:
            return None
        if len(kinds) != 1 or kinds[0] not in self._schemas.kinds:
            message = "A condition needs exactly one kind of record, whose fields it can read."
            self.complain("policy-invalid", message, pointer, "Write: kinds: [Customer]")
            return None
        shape = self.entity_shape(kinds[0])
        self.scope = {"before": shape, "after": shape, "param": self.compiler.types.param}
        return self.condition(text, pointer)

    def _approver(self, written: Mapping[str, Any], kinds: Sequence[str], pointer: Pointer) -> Approver:
        roles, of = written.get("role", ()), written.get("of", ())
        if of and not roles:
            self.complain("policy-invalid", "of says whose role it is; this entry has no role.", (*pointer, "of"))
        paths = tuple(tuple(text.split(".")) for text in ([of] if isinstance(of, str) else of))
        people = tuple(written["person"].split(".")) if "person" in written else ()
        if paths:
            self._leading(paths, kinds, (), (*pointer, "of"))
        if people:
            self._leading((people,), kinds, ("Person",), (*pointer, "person"))
        if written.get("count", 1) > 1 and people and not self._is_list(people, kinds):
            self.complain("policy-invalid", "One person cannot be several.", (*pointer, "count"))
        return Approver(
            roles=(roles,) if isinstance(roles, str) else tuple(roles),
            of=paths,
            team=written.get("team", ""),
            person=people,
            count=written.get("count", 1),
        )

    def _leading(self, paths: Sequence[Names], kinds: Sequence[str], wanted: Sequence[str], pointer: Pointer) -> None:
        """Every path leads to a record for some kind of the rule, and every kind of the rule has such a path."""
        ours = [kind for kind in kinds or self._schemas.kinds if kind in self._schemas.kinds]
        if ruled := [kind for kind in kinds if kind in self._schemas.policies]:
            message = f"A {ruled[0]} has no fields that lead to a record."
            self.complain("policy-invalid", message, pointer, "Leave the path out, or make a rule of its own.")
        if not ours:
            return  # kinds that do not exist are told of already
        led = {path: {kind: reached_kinds(path, kind, self._schemas) for kind in ours} for path in paths}
        for path, by_kind in led.items():
            if not any(by_kind.values()):
                first = ours[0] if len(ours) == 1 else ""
                hint = did_you_mean(path[1], self._schemas.kinds[first].shape.fields) if first and path[1:] else ""
                self.complain("condition-unknown-field", f"{'.'.join(path)} leads to no record.", pointer, hint)
            elif wanted and not any(set(found) <= set(wanted) for found in by_kind.values() if found):
                self.complain("condition-type", f"{'.'.join(path)} does not lead to a {wanted[0]}.", pointer)
        if not all(any(by_kind.values()) for by_kind in led.values()):
            return
        for kind in kinds:
            if kind in self._schemas.kinds and not any(by_kind[kind] for by_kind in led.values()):
                message = f"For a {kind} none of the paths leads to a record."
                self.complain("condition-unknown-field", message, pointer)

    def _is_list(self, path: Names, kinds: Sequence[str]) -> bool:
        return any(
            goes_through_list(path, self._schemas.kinds[kind].shape) for kind in kinds if kind in self._schemas.kinds
        )


def glob(pattern: str) -> re.Pattern[str]:
    """A pattern over store paths: ``*`` within one name, ``**`` across folders; everything else is itself."""
    parts = re.split(r"(\*\*/|\*\*|\*)", pattern)
    signs = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts), re.DOTALL)


def check_roles(policy: Approvals, world: World) -> Iterator[Finding]:
    """Findings for roles that nobody holds anywhere and teams that do not exist: nobody could ever approve."""
    roles = world.values("RoleAssignment", "role") | {RESPONSIBLE} | _role_fields(world.schemas)
    rules: list[tuple[Pointer, Rule]] = [(("spec", "rules", i), rule) for i, rule in enumerate(policy.rules)]
    rules += [(("spec", DEFAULT), policy.default)] if policy.default else []
    rules += [(("spec", EMERGENCY), policy.emergency.rule)] if policy.emergency else []
    for base, rule in rules:
        for index, approver in enumerate(rule.approvers):
            where: Pointer = (*base, "approvers", index)
            if approver.team and world.get("Team", approver.team) is None:
                hint = did_you_mean(approver.team, [team.name for team in world.all("Team")])
                yield _nobody(
                    policy, "nobody-may-approve", f"There is no Team {approver.team!r}.", (*where, "team"), hint
                )
            if approver.roles and not roles & {*approver.roles}:
                hint = did_you_mean(approver.roles[0], roles)
                message = f"Nobody holds the role {approver.label!r}, so nobody could approve."
                yield _nobody(policy, "nobody-may-approve", message, (*where, "role"), hint)


def _nobody(policy: Approvals, code: str, message: str, pointer: Pointer, hint: str) -> Finding:
    record = policy.record
    return finding(code, message, record.place(pointer), hint=hint, pointer=pointer_text(pointer), record=record.id)


def _role_fields(schemas: Schemas) -> set[str]:
    found: set[str] = set()
    for schema in schemas.kinds.values():
        roles = schema.shape.fields.get("roles")
        found |= set(roles.shape.fields) if roles else set()
        found |= {name for name, part in schema.shape.fields.items() if "Person" in item_of(part.shape).kinds}
    return found
