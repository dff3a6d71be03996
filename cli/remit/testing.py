"""Running the cases of all policies of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

from remit.cases import CaseBook, CaseResult, CaseRun, case_books, run_watch_cases
from remit.coverage import Coverage, coverage_of, goals_of, level_gaps
from remit.evaluating import Loaded
from remit.findings import Finding, finding, in_order
from remit.places import pointer_text
from remit.records import CASES_SUFFIX, Record

JUDGES: Mapping[str, str] = {
    "AssessmentPolicy": "remit.policies.assessment_cases",
    "ApprovalPolicy": "remit.policies.approval_cases",
    "LifecyclePolicy": "remit.policies.lifecycle_cases",
}
"""Who runs the cases of the kinds that are not watches: ``trials(policy, book, world)`` makes the cases ready, and
``judge(policy, trial)`` says in words what fails in one."""

WATCHERS: Mapping[str, str] = {**JUDGES, "AssessmentPolicy": "remit.policies.assessment_sights"}
"""Who says what there is to see of such a policy, ``goals(policy)``, and what cases see, ``sights(policy, trials)``."""


def run_all(loaded: Loaded, *, only: Callable[[str], bool] = lambda path: True, covering: bool = True) -> CaseRun:
    """Run every case file whose path ``only`` accepts. A policy that does not compile runs no case and is named.

    Without ``covering`` nothing is noted of what the cases see: whether they hold is known at less cost.
    """
    books, findings = case_books(loaded.snapshot, loaded.schemas)
    results: list[CaseResult] = []
    coverage: list[Coverage] = []
    for book in books:
        if not only(book.record.path):
            continue
        policy = loaded.policies.by_id.get(book.policy.id)
        if policy is None:
            message = f"{book.policy.id} does not compile, so its cases cannot run."
            findings.append(finding("case-invalid", message, book.record.place(), record=book.policy.id))
        elif book.policy.kind in JUDGES:
            asked, mine = _other_cases(book, policy, loaded)
            results += mine
            coverage += [_other_coverage(policy, asked)] if covering else []
        else:
            world, compiler = loaded.case_world, loaded.compiler
            mine = list(run_watch_cases(book, policy, world, compiler, loaded.wording, covering=covering))
            results += mine
            if covering:
                coverage.append(coverage_of(policy.record.id, goals_of(policy), _seen(mine)))
    return CaseRun(tuple(results), in_order([*findings, *_failed(results)]), tuple(coverage))


def uncovered(loaded: Loaded, changed: Callable[[str], bool]) -> tuple[Finding, ...]:
    """A finding for each level of a changed policy that no case sees fire, or that no case sees stay silent.

    Args:
        changed: whether the policy of that id is one to judge.
    """
    run = run_all(loaded, only=lambda path: any(changed(p.id) for p in loaded.snapshot.policies if _beside(p, path)))
    seen: dict[str, set[Any]] = {}
    for result in run.results:
        seen.setdefault(result.policy, set()).update(result.seen)
    found = []
    for watch in loaded.policies.watches:
        policy = watch.record
        for level, how in level_gaps(watch, seen.get(policy.id, ())) if changed(policy.id) else ():
            message = f"No case of {policy.id} sees its level {level.name}: {how}."
            hint = f"Have cases written: remit test --suggest {policy.id}"
            place = policy.place(level.pointer)
            pointer = pointer_text(level.pointer)
            found.append(finding("uncovered-level", message, place, hint=hint, pointer=pointer, record=policy.id))
    return in_order(found)


def _beside(policy: Record, path: str) -> bool:
    return path == policy.path.removesuffix(".yaml") + CASES_SUFFIX


def _seen(results: Iterable[CaseResult]) -> Iterator[Any]:
    return (sight for result in results for sight in result.seen)


def _other_cases(book: CaseBook, policy: Any, loaded: Loaded) -> tuple[list[Any], list[CaseResult]]:
    judges = import_module(JUDGES[book.policy.kind])
    asked = judges.trials(policy, book, loaded.case_world)
    return asked, [CaseResult(book.policy.id, one.name, one.place, tuple(judges.judge(policy, one))) for one in asked]


def _other_coverage(policy: Any, asked: list[Any]) -> Coverage:
    watchers = import_module(WATCHERS[policy.record.kind])
    return coverage_of(policy.record.id, watchers.goals(policy), watchers.sights(policy, asked))


def _failed(results: list[CaseResult]) -> Iterator[Finding]:
    for result in results:
        for failure in result.failures:
            message = f"Case “{result.name}”: {failure}"
            yield finding("case-failed", message, result.place, record=result.policy)
