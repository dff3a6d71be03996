"""Cases of lifecycle policies: two versions of one record, and what is wrong with the way between them.

``before`` and ``after`` hold the fields of spec; without ``before`` the record is new. ``name`` of the record is
``subject`` without one. ``expect`` lists every finding as {code, says?}: ``says`` is a part of its message or hint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from remit.findings import Finding
from remit.places import Place
from remit.policies.case_rows import Book, misfits, record_of, row_misfits, world_with
from remit.policies.lifecycle import Lifecycle, check_lifecycle
from remit.references import Entity, World

SUBJECT = "subject"
"""How the record of a case is called, so that rows of the case can refer to it."""

_EXPECT_KEYS = {"code", "says"}


def run_cases(policy: Lifecycle, book: Book, world: World) -> Iterator[list[str]]:
    """What fails in each case, in words and in the order of the cases; an empty list for one that holds."""
    for index, case in enumerate(book.cases):
        yield _run(policy, case, book, world, book.place(index))


def _run(policy: Lifecycle, case: Mapping[str, Any], book: Book, world: World, place: Place) -> list[str]:
    rows = [*_rows(case), *_rows(book.record.spec)]
    failures = row_misfits(rows, world.schemas)
    if not case.get("after"):
        failures.append("The case has no after.")
    for side in ("before", "after"):
        failures += [
            f"{side}: {text}" for text in misfits(policy.subject, case.get(side) or {}, world.schemas) if case.get(side)
        ]
    if failures:
        return failures
    before = _entity(policy, case["before"], place) if case.get("before") else None
    after = _entity(policy, case["after"], place)
    around = world_with(world, rows, place)
    known = [e for kind in world.schemas.kinds for e in around.all(kind)]
    return compare(
        case["expect"], check_lifecycle(policy, before, after, World(world.schemas, [after, *known], world.config))
    )


def _rows(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*part.get("facts", ()), *part.get("records", ())]


def _entity(policy: Lifecycle, spec: Mapping[str, Any], place: Place) -> Entity:
    record = record_of(policy.subject, SUBJECT, spec, place)
    return Entity(policy.subject, SUBJECT, spec, place, record)


def compare(expected: Sequence[Mapping[str, Any]], found: Sequence[Finding]) -> list[str]:
    """What differs between the findings that were expected and those that were made."""
    failures: list[str] = []
    left = list(found)
    for one in expected:
        failures += [f"{key!r} cannot be expected." for key in sorted(set(one) - _EXPECT_KEYS)]
        match = next((f for f in left if _fits(one, f)), None)
        if match is None:
            failures.append(f"Expected {one.get('code')}{_said(one)}; it was not found.")
        else:
            left.remove(match)
    return [*failures, *(f"Not expected: {f.code}: {f.message} {f.hint}" for f in left)]


def _said(expected: Mapping[str, Any]) -> str:
    return f" that says {expected['says']!r}" if "says" in expected else ""


def _fits(expected: Mapping[str, Any], found: Finding) -> bool:
    return expected.get("code") == found.code and expected.get("says", "") in f"{found.message} {found.hint}"
