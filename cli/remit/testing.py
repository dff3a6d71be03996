"""Running the cases of all policies of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from remit.cases import CaseBook, CaseResult, CaseRun, case_books, run_watch_cases, uncovered_levels
from remit.evaluating import Loaded
from remit.findings import Finding, finding, in_order

RUNNERS: Mapping[str, tuple[str, str]] = {
    "AssessmentPolicy": ("remit.policies.assessment_cases", "run_cases"),
    "ApprovalPolicy": ("remit.policies.approval_cases", "run_cases"),
    "LifecyclePolicy": ("remit.policies.lifecycle_cases", "run_cases"),
}
"""Who runs the cases of the kinds that are not watches: ``run_cases(policy, cases, world)`` gives (index, failures)."""


def run_all(loaded: Loaded, *, only: Callable[[str], bool] = lambda path: True) -> CaseRun:
    """Run every case file whose path ``only`` accepts. A policy that does not compile runs no case and is named."""
    books, findings = case_books(loaded.snapshot, loaded.schemas)
    results: list[CaseResult] = []
    uncovered: list[str] = []
    for book in books:
        if not only(book.record.path):
            continue
        policy = loaded.policies.by_id.get(book.policy.id)
        if policy is None:
            message = f"{book.policy.id} does not compile, so its cases cannot run."
            findings.append(finding("case-invalid", message, book.record.place(), record=book.policy.id))
        elif book.policy.kind in RUNNERS:
            results += _other_cases(book, policy, loaded)
        else:
            mine = list(run_watch_cases(book, policy, loaded.snapshot, loaded.world, loaded.compiler))
            results += mine
            uncovered += uncovered_levels(policy, mine)
    return CaseRun(tuple(results), in_order([*findings, *_failed(results)]), tuple(uncovered))


def _other_cases(book: CaseBook, policy: Any, loaded: Loaded) -> Iterator[CaseResult]:
    module, name = RUNNERS[book.policy.kind]
    run = getattr(import_module(module), name)
    for index, failures in enumerate(run(policy, book, loaded.world)):
        yield CaseResult(book.policy.id, book.cases[index]["name"], book.place(index), tuple(failures))


def _failed(results: list[CaseResult]) -> Iterator[Finding]:
    for result in results:
        for failure in result.failures:
            message = f"Case “{result.name}”: {failure}"
            yield finding("case-failed", message, result.place, record=result.policy)
