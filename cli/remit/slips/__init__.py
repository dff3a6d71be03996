"""What can be written wrong in a policy, kind by kind: one table of the parts of a spec and of the slips of each.

A slip takes one part as written and gives the values that a slip of the pen would leave there. Nothing here asks
whether the result is a policy; where it could only say the same in other words, nothing is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remit.places import Pointer
from remit.slips.approvals import APPROVAL
from remit.slips.assessments import ASSESSMENT
from remit.slips.levels import WATCH, severity
from remit.slips.lifecycles import LIFECYCLE
from remit.slips.written import REMOVED, Ground, Slip, Table, Written, ground_of

__all__ = ["REMOVED", "TABLES", "Ground", "Slip", "Written", "ground_of", "slips"]


def slips(kind: str, written: Written) -> Iterator[Slip]:
    """Every slip in a policy of that kind, by the rows of its table, each in the order of the text."""
    for pattern, make in TABLES[kind]:
        for pointer, value in _parts(written.spec, tuple(filter(None, pattern.split("/")))):
            yield from make(pointer, value, written)


def _parts(value: Any, steps: tuple[str, ...], done: Pointer = ()) -> Iterator[tuple[Pointer, Any]]:
    """The parts that a pattern means: ``*`` stands for every item of a list or mapping."""
    if not steps:
        yield done, value
        return
    step, *rest = steps
    if isinstance(value, Mapping):
        for name in value if step == "*" else [step] if step in value else []:
            yield from _parts(value[name], tuple(rest), (*done, name))
    elif isinstance(value, list) and step == "*":
        for index, one in enumerate(value):
            yield from _parts(one, tuple(rest), (*done, index))


TABLES: Mapping[str, Table] = {
    "EscalationPolicy": (*WATCH, ("levels/*", severity("breach"))),
    "WarningPolicy": (*WATCH, ("levels/*", severity("caution"))),
    "ApprovalPolicy": APPROVAL,
    "LifecyclePolicy": LIFECYCLE,
    "AssessmentPolicy": ASSESSMENT,
}
"""What is broken in each kind of policy: the parts of a spec, and how each is broken."""
