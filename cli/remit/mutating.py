"""Running the cases of a policy on broken copies of it: a mutant that no case notices is what the cases leave open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from remit.cases import CaseBook, Trial, case_books, judge, trials
from remit.conditions.condition import Compiler
from remit.engine import Rulebook
from remit.evaluating import Loaded
from remit.findings import Finding, finding, in_order
from remit.mutants import Mutant, compiled, mutants
from remit.policies.watch import Watch
from remit.slips import Ground, ground_of
from remit.testing import JUDGES
from remit.wording import Wording


class Survivor(NamedTuple):
    """A mutant that no case kills; ``why`` says why none can, where the case file says so."""

    mutant: Mutant
    why: str = ""


@dataclass(frozen=True)
class Mutation:
    """What became of the mutants of one policy."""

    policy: str
    total: int
    survivors: tuple[Survivor, ...]
    equivalent: tuple[Survivor, ...]

    @property
    def killed(self) -> int:
        """How many mutants some case kills."""
        return self.total - len(self.survivors)

    def to_json(self) -> dict[str, Any]:
        """Counts, and each survivor with its place; ``equivalent`` ones are not counted."""
        return {
            "policy": self.policy,
            "mutants": self.total,
            "killed": self.killed,
            "survivors": [_to_json(one) for one in self.survivors],
            "equivalent": [_to_json(one) for one in self.equivalent],
        }


def _to_json(one: Survivor) -> dict[str, Any]:
    mutant = one.mutant
    place = {"path": mutant.place.path, "line": mutant.place.line, "column": mutant.place.column}
    return {"mutant": mutant.name, "family": mutant.family, **place, **({"why": one.why} if one.why else {})}


@dataclass(frozen=True)
class MutationRun:
    """The mutations of every policy asked for, by case file, and what kept others from being asked."""

    mutations: tuple[Mutation, ...]
    findings: tuple[Finding, ...]


def mutate_all(loaded: Loaded, *, only: Callable[[str], bool] = lambda path: True) -> MutationRun:
    """Break every policy whose case file ``only`` accepts, and run its cases on each mutant.

    A policy whose cases fail as it is cannot be asked; it is named in the findings.
    """
    books, findings = case_books(loaded.snapshot, loaded.schemas)
    ground = ground_of(loaded.case_world)
    mutations = []
    for book in books:
        if not only(book.record.path):
            continue
        policy = loaded.policies.by_id.get(book.policy.id)
        if policy is None:
            message = f"{book.policy.id} does not compile, so its cases cannot run."
            findings.append(finding("case-invalid", message, book.record.place(), record=book.policy.id))
            continue
        mutation, problems = mutate(book, policy, loaded, ground)
        findings += problems
        mutations += [mutation] if mutation else []
    return MutationRun(tuple(mutations), in_order(findings))


def mutate(book: CaseBook, policy: Any, loaded: Loaded, ground: Ground) -> tuple[Mutation | None, list[Finding]]:
    """The mutation of one compiled policy; None and a finding when its cases fail without any mutant."""
    asked, first_failing = _bench(book, policy, loaded)
    failing = first_failing(policy, asked, loaded.compiler)
    if failing is not None:
        message = f"Case “{failing.name}” fails on {book.policy.id} itself, so its mutants cannot be judged."
        return None, [finding("case-failed", message, failing.place, record=book.policy.id)]
    lines = tuple(loaded.snapshot.files[policy.record.path].decode("utf-8").split("\n"))
    reasons: Mapping[str, str] = {one["mutant"]: one["why"] for one in book.record.spec.get("equivalent", ())}
    total = 0
    alive: dict[str, Survivor] = {}
    for mutant in mutants(policy, ground, loaded.compiler, lines):
        broken = compiled(mutant, policy, loaded.compiler)
        if broken is None:
            continue
        total += 1
        killer = first_failing(broken.policy, asked, broken.compiler)
        if killer is None:
            alive[mutant.name] = Survivor(mutant, reasons.get(mutant.name, ""))
        else:  # what killed one mutant is the likeliest to kill the next
            asked.sort(key=lambda one: one is not killer)
    survivors = tuple(one for one in alive.values() if not one.why)
    equivalent = tuple(one for one in alive.values() if one.why)
    findings = list(_stale(book, set(reasons) - set(alive)))
    return Mutation(book.policy.id, total - len(equivalent), survivors, equivalent), findings


def _bench(book: CaseBook, policy: Any, loaded: Loaded) -> tuple[list[Any], Callable[[Any, list[Any], Compiler], Any]]:
    """The cases of a policy made ready once, and how to find the first that fails on it or on a mutant of it."""
    if isinstance(policy, Watch):
        return trials(book, policy, loaded.case_world), partial(_failing_of_watch, loaded.wording)
    judges = import_module(JUDGES[book.policy.kind])
    return judges.trials(policy, book, loaded.case_world), partial(_failing, judges.judge)


def _failing(judged: Callable[[Any, Any], list[str]], policy: Any, asked: list[Any], compiler: Compiler) -> Any:
    return next((trial for trial in asked if judged(policy, trial)), None)


def _failing_of_watch(wording: Wording, watch: Watch, asked: list[Trial], compiler: Compiler) -> Trial | None:
    rulebook = Rulebook([watch], compiler)
    try:
        return next((trial for trial in asked if judge(trial, rulebook, wording)[0]), None)
    finally:
        rulebook.close()


def _stale(book: CaseBook, names: set[str]) -> Iterator[Finding]:
    for name in sorted(names):
        index = next(i for i, one in enumerate(book.record.spec["equivalent"]) if one["mutant"] == name)
        message = f"No mutant that survives is called {name!r}."
        place = book.record.place(("spec", "equivalent", index))
        yield finding("case-invalid", message, place, hint="Remove it from equivalent.", record=book.policy.id)
