"""Cases: what a policy must decide, for whom, and for whom not, written beside it as data.

A case runs against the store's own records of fixed home (people, customers, terms …); operational records are left
out, so that only what the case itself brings is decided. A decision that the case does not list fails it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from remit.conditions.condition import Compiler
from remit.coverage import Coverage, sights
from remit.decisions import Decision
from remit.engine import Rulebook, timeline
from remit.findings import Finding, did_you_mean, finding
from remit.places import Place
from remit.policies.case_rows import case_world_of
from remit.policies.clocking import Window
from remit.policies.sights import Sight
from remit.policies.watch import Watch
from remit.records import CASES_SUFFIX, Record, Snapshot
from remit.references import World, instant
from remit.schemas import Schemas
from remit.stories import Told, open_slots, tell
from remit.times import format_instant
from remit.wording import Wording

SHAPE_KIND = "PolicyCases"
_COMPARED = ("level", "subject", "at", "due", "severity", "term", "state")


@dataclass(frozen=True)
class CaseResult:
    """One case run: ``failures`` in words, empty when it holds; ``seen`` is what of the policy it saw."""

    policy: str
    name: str
    place: Place
    failures: tuple[str, ...]
    seen: frozenset[Sight] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """The result with its place; ``failures`` is empty where the case holds."""
        place = {"path": self.place.path, "line": self.place.line}
        return {"policy": self.policy, "case": self.name, **place, "failures": list(self.failures)}


@dataclass(frozen=True)
class CaseRun:
    """Cases of a snapshot: the results, what kept cases from running, and how much of each policy they see."""

    results: tuple[CaseResult, ...]
    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...] = ()
    """By policy; empty unless asked for."""


@dataclass(frozen=True)
class CaseBook:
    """One case file with the policy it is about, as read."""

    record: Record
    policy: Record

    @cached_property
    def told(self) -> tuple[Told, ...]:
        """The cases to run: matrices spread, timelines cut into their instants."""
        return tuple(tell(list(self.record.spec.get("cases", ()))))

    @property
    def cases(self) -> list[Mapping[str, Any]]:
        """The cases to run, in the order written."""
        return [told.body for told in self.told]

    def place(self, index: int) -> Place:
        """Where a case was written."""
        return self.record.place(("spec", "cases", *self.told[index].pointer))


@dataclass(frozen=True)
class Trial:
    """One case made ready to be asked: its world, its own subjects, the instants, and what is wrong with it itself."""

    name: str
    place: Place
    case: Mapping[str, Any]
    world: World
    subjects: tuple[str, ...]
    window: Window | None
    failures: tuple[str, ...]

    @property
    def at(self) -> datetime | None:
        """The moment asked about; None for a case over a stretch of time."""
        return self.window.end if self.window is not None and "at" in self.case else None


def case_books(snapshot: Snapshot, schemas: Schemas) -> tuple[list[CaseBook], list[Finding]]:
    """The case files that fit their schema and stand beside a policy, and findings about the others."""
    books, findings = [], []
    by_path = {policy.path: policy for policy in snapshot.policies}
    for path, document in sorted(snapshot.cases.items()):
        body = document.value if isinstance(document.value, dict) else {}
        record = Record(
            str(body.get("kind", "")), path.rpartition("/")[2].removesuffix(CASES_SUFFIX), path, body, document
        )
        problems = list(schemas.check_record(record)) or list(_open_slots(record))
        policy = by_path.get(path.removesuffix(CASES_SUFFIX) + ".yaml")
        if policy is None:
            message = f"There is no policy {path.removesuffix(CASES_SUFFIX)}.yaml for these cases."
            problems.append(finding("case-invalid", message, Place(path, 1)))
        findings += problems
        if not problems and policy is not None:
            books.append(CaseBook(record, policy))
    return books, findings


def _open_slots(record: Record) -> Iterator[Finding]:
    for index, case in enumerate(record.spec.get("cases", ())):
        for name in open_slots(case):
            message = f"${{{name}}} is no name of this case's matrix."
            hint = did_you_mean(name, case["matrix"])
            yield finding("case-invalid", message, record.place(("spec", "cases", index)), hint=hint, record=record.id)


def policies_without_cases(snapshot: Snapshot) -> Iterator[Finding]:
    """A finding for each policy that has no cases beside it."""
    for policy in snapshot.policies:
        path = policy.path.removesuffix(".yaml") + CASES_SUFFIX
        if path not in snapshot.cases:
            yield finding(
                "no-cases", f"{policy.id} has no cases.", policy.place(), hint=f"Add {path}", record=policy.id
            )


def trials(book: CaseBook, watch: Watch, world: World) -> list[Trial]:
    """The cases of a watching policy, each made ready once however often it is asked."""
    return [_trial(book, index, case, watch, world) for index, case in enumerate(book.cases)]


def _trial(book: CaseBook, index: int, case: Mapping[str, Any], watch: Watch, world: World) -> Trial:
    case_world, subjects, failures = case_world_of(book, case, world)
    at, start, end = (instant(case.get(key)) for key in ("at", "from", "to"))
    window = None
    if at is not None:
        window = Window(None, at)
    elif start is not None and end is not None:
        window = Window(start, end)
    else:
        failures.append("The case has neither at, nor from and to.")
    mine = tuple(ref for ref in subjects if ref.startswith(f"{watch.subject}/"))
    return Trial(case["name"], book.place(index), case, case_world, mine, window, tuple(failures))


def run_watch_cases(
    book: CaseBook, watch: Watch, world: World, compiler: Compiler, wording: Wording, *, covering: bool = True
) -> Iterator[CaseResult]:
    """Run the cases of an escalation or warning policy; ``covering`` also notes what each sees of it, at some cost."""
    rulebook = Rulebook([watch], compiler)
    try:
        for trial in trials(book, watch, world):
            failures, decisions = judge(trial, rulebook, wording)
            seen: frozenset[Sight] = frozenset()
            if covering:
                seen = _seen(watch, trial, decisions, rulebook, wording)
            yield CaseResult(book.policy.id, trial.name, trial.place, tuple(failures), seen)
    finally:
        rulebook.close()


def _seen(
    watch: Watch, trial: Trial, decisions: list[Decision], rulebook: Rulebook, wording: Wording
) -> frozenset[Sight]:
    if trial.failures or trial.window is None:
        return frozenset()
    return sights(
        watch,
        trial.world,
        trial.subjects,
        trial.window,
        decisions,
        rulebook=rulebook,
        wording=wording,
    )


def judge(trial: Trial, rulebook: Rulebook, wording: Wording) -> tuple[list[str], list[Decision]]:
    """What fails in a case, in words, and the decisions that were made in it."""
    if trial.failures or trial.window is None:
        return list(trial.failures), []
    case, at, window = trial.case, trial.at, trial.window
    found = timeline(rulebook, trial.world, window, wording, read_at=at, subjects=trial.subjects)
    decisions = [d for d in found.decisions if at is None or d.in_force(at)]
    failures = compare(case.get("expect", ()), decisions, window.end)
    failures += [f.message for f in found.findings if f.severity == "error"]
    for person in case.get("silent", ()):
        told_by = [d for d in decisions if any(t.person == person for t in d.notify)]
        failures += [f"{person} is told by level {d.level} of {d.subject}." for d in told_by]
    return failures, decisions


def compare(expected: Iterable[Mapping[str, Any]], decisions: list[Decision], moment: datetime) -> list[str]:
    """What differs between the decisions that were expected and those that were made; each expectation is used once."""
    failures = []
    left = list(decisions)
    for one in expected:
        match = next((d for d in left if not _differences(one, d, moment)), None)
        if match is not None:
            left.remove(match)
            continue
        near = next((d for d in left if d.level == one.get("level")), None)
        if near is None:
            failures.append(f"Expected level {one.get('level')}{_about(one)}; it was not decided.")
        else:
            left.remove(near)
            failures += [f"Level {near.level} of {near.subject}: {text}" for text in _differences(one, near, moment)]
    for decision in left:
        people = ", ".join(t.person for t in decision.notify) or "nobody"
        at = format_instant(decision.at) if decision.at else "standing"
        failures.append(f"Not expected: level {decision.level} of {decision.subject} at {at}, telling {people}.")
    return failures


def _about(expected: Mapping[str, Any]) -> str:
    return f" of {expected['subject']}" if "subject" in expected else ""


def _differences(expected: Mapping[str, Any], decision: Decision, moment: datetime) -> list[str]:
    actual = decision.to_json(moment)
    actual["subject"] = decision.subject
    found = []
    for key in _COMPARED:
        if key not in expected or expected[key] == actual[key]:
            continue
        same_instant = key in ("at", "due") and instant(expected[key]) == instant(actual[key])
        if not same_instant:
            found.append(f"{key} is {actual[key]}, expected {expected[key]}.")
    if "told" in expected:
        told = sorted(t.person for t in decision.notify)
        if told != sorted(expected["told"]):
            found.append(
                f"tells {', '.join(told) or 'nobody'}, expected {', '.join(sorted(expected['told'])) or 'nobody'}."
            )
    if "wants" in expected and expected["wants"] != _wanted(decision):
        found.append(f"wants {_wanted(decision)}, expected {expected['wants']}.")
    for language, words in expected.get("says", {}).items():
        if words not in decision.message[language]:
            found.append(f"says {decision.message[language]!r}, expected {words!r} in it.")
    unknown = sorted(set(expected) - {*_COMPARED, "told", "wants", "says"})
    found += [f"{key!r} cannot be expected of a decision." for key in unknown]
    return found


def _wanted(decision: Decision) -> dict[str, Any] | None:
    """The kind and the fields of the record that a decision asks for."""
    return {"kind": decision.wants.kind, **decision.wants.spec} if decision.wants else None
