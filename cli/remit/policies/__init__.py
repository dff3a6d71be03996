"""Policy kinds: one file each, and one line in ``KINDS``. ``compile_policies`` compiles all policies of a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from remit.findings import Finding, has_errors, in_order
from remit.records import Record, Snapshot
from remit.schemas import Schemas

if TYPE_CHECKING:
    from remit.conditions.condition import Compiler
    from remit.policies.approval import Approvals
    from remit.policies.assessment import Assessment
    from remit.policies.lifecycle import Lifecycle
    from remit.policies.watch import Watch

Compile = Callable[[Record, "Compiler", tuple[str, ...]], tuple[Any, list[Finding]]]

KINDS: Mapping[str, tuple[str, str]] = {
    "EscalationPolicy": ("remit.policies.watch", "compile_watch"),
    "WarningPolicy": ("remit.policies.watch", "compile_watch"),
    "AssessmentPolicy": ("remit.policies.assessment", "compile_assessment"),
    "ApprovalPolicy": ("remit.policies.approval", "compile_approval"),
    "LifecyclePolicy": ("remit.policies.lifecycle", "compile_lifecycle"),
}
"""Which module compiles which kind of policy."""


WATCHING = ("EscalationPolicy", "WarningPolicy")
"""The kinds of policy that watch subjects and make dated decisions."""


@dataclass(frozen=True)
class Policies:
    """The compiled policies of a snapshot by record id, and what kept the others from compiling."""

    by_id: Mapping[str, Any]
    findings: tuple[Finding, ...]

    def of_kind(self, *kinds: str) -> tuple[Any, ...]:
        """The compiled policies of these kinds, by id."""
        return tuple(self.by_id[key] for key in sorted(self.by_id) if key.split("/", 1)[0] in kinds)

    @property
    def watches(self) -> tuple[Watch, ...]:
        """Escalation and warning policies."""
        return self.of_kind(*WATCHING)

    @property
    def assessments(self) -> tuple[Assessment, ...]:
        """Assessment policies."""
        return self.of_kind("AssessmentPolicy")

    @property
    def approvals(self) -> tuple[Approvals, ...]:
        """Approval policies."""
        return self.of_kind("ApprovalPolicy")

    @property
    def lifecycles(self) -> tuple[Lifecycle, ...]:
        """Lifecycle policies."""
        return self.of_kind("LifecyclePolicy")


def compile_policy(record: Record, compiler: Compiler, lines: tuple[str, ...]) -> tuple[Any, list[Finding]]:
    """One policy by its kind, or None and everything that is wrong with it. The record has passed its schema.

    A watch is not linked yet to the watches whose decisions it reads.
    """
    module, name = KINDS[record.kind]
    compile_one: Compile = getattr(import_module(module), name)
    return compile_one(record, compiler, lines)


def compile_policies(snapshot: Snapshot, schemas: Schemas, compiler: Compiler) -> Policies:
    """Every policy that its schema and its compiler accept; the others are in the findings."""
    compiled: dict[str, Any] = {}
    findings: list[Finding] = []
    for record in snapshot.policies:
        problems = list(schemas.check_record(record))
        if not has_errors(problems) and record.kind in KINDS:
            lines = tuple(snapshot.files[record.path].decode("utf-8").split("\n"))
            policy, more = compile_policy(record, compiler, lines)
            problems += more
            if policy is not None:
                compiled[record.id] = policy
        findings += problems
    watches = {policy.name: policy for key, policy in compiled.items() if key.split("/", 1)[0] in WATCHING}
    if watches:
        from remit.policies.chaining import link

        linked, unlinked = link(watches)
        findings += unlinked
        compiled = {key: policy for key, policy in compiled.items() if key.split("/", 1)[0] not in WATCHING}
        compiled |= {watch.record.id: watch for watch in linked.values()}
    return Policies(compiled, in_order(findings))
