"""Cases of lifecycle policies: two versions of one record, and what is wrong with the way between them.

``before`` and ``after`` hold the fields of spec; without ``before`` the record is new. ``name`` of the record is
``subject`` without one. ``expect`` lists every finding as {code, says?}: ``says`` is a part of its message or hint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from remit.findings import Finding
from remit.places import Place, Pointer
from remit.policies.case_rows import Book, misfits, record_of, row_misfits, world_with
from remit.policies.lifecycle import Lifecycle, Requirement, Transition, check_lifecycle
from remit.policies.sights import Goal, Sight, branch_goals, looked
from remit.references import Entity, World

SUBJECT = "subject"
"""How the record of a case is called, so that rows of the case can refer to it."""

ALLOWED, REFUSED = "allowed", "refused"
_OTHERS = "every other transition"
_EXPECT_KEYS = {"code", "says"}


@dataclass(frozen=True)
class Trial:
    """One case made ready to be asked: both versions, the world around them, and what is wrong with it itself."""

    name: str
    place: Place
    expect: Sequence[Mapping[str, Any]]
    before: Entity | None
    after: Entity | None
    world: World
    failures: tuple[str, ...]


def trials(policy: Lifecycle, book: Book, world: World) -> list[Trial]:
    """The cases, each made ready once however often it is asked."""
    found = []
    for index, case in enumerate(book.cases):
        before, after, around, failures = _prepared(policy, case, book, world, book.place(index))
        trial = Trial(case["name"], book.place(index), case["expect"], before, after, around, tuple(failures))
        found.append(trial)
    return found


def judge(policy: Lifecycle, trial: Trial) -> list[str]:
    """What fails in a case, in words; an empty list when it holds."""
    if trial.failures or trial.after is None:
        return list(trial.failures)
    return compare(trial.expect, check_lifecycle(policy, trial.before, trial.after, trial.world))


def run_cases(policy: Lifecycle, book: Book, world: World) -> Iterator[list[str]]:
    """What fails in each case, in the order of the cases."""
    yield from (judge(policy, trial) for trial in trials(policy, book, world))


def goals(policy: Lifecycle) -> list[Goal]:
    """That each state, transition and guarded field is seen allowed, and refused where it requires something.

    Each part of what is required is to be seen both ways.
    """
    found: list[Goal] = []
    for part, requirement, pointer in _parts(policy):
        hows = (ALLOWED, REFUSED) if requirement.condition is not None else (ALLOWED,)
        found += [Goal(Sight(part, how), policy.record.place(("spec", *pointer))) for how in hows]
        if requirement.condition is not None:
            place = policy.record.place(("spec", *pointer, "requires"))
            found += branch_goals(part, requirement.condition, place)
    if policy.is_closed:
        found.append(Goal(Sight(_OTHERS, REFUSED), policy.record.place(("spec", "others"))))
    return list(dict.fromkeys(found))


def _parts(policy: Lifecycle) -> Iterator[tuple[str, Requirement, Pointer]]:
    for state, requirement in policy.states.items():
        yield f"state {state}", requirement, ("states", state)
    for index, transition in enumerate(policy.transitions):
        yield _way(transition), transition.requirement, ("transitions", index)
    for index, (field, requirement) in enumerate(policy.changes):
        yield f"change of {field}", requirement, ("changes", index)


def _way(transition: Transition) -> str:
    return f"transition {'|'.join(transition.sources)} → {'|'.join(transition.targets)}"


def sights(policy: Lifecycle, asked: Iterable[Trial]) -> Iterator[Sight]:
    """What the cases see of the policy's states, transitions and guarded fields."""
    for trial in asked:
        if trial.after is not None and not trial.failures:
            yield from _seen(policy, trial.before, trial.after, trial.world)


def _seen(policy: Lifecycle, before: Entity | None, after: Entity, world: World) -> Iterator[Sight]:
    new = policy.state_of(after)
    if new in policy.states:
        yield from _asked(policy, f"state {new}", policy.states[new], {"subject": after}, after, world)
    if before is None:
        return
    both, old = {"before": before, "after": after}, policy.state_of(before)
    listed = [one for one in policy.transitions if old in one.sources and new in one.targets and old != new]
    for one in listed:
        yield from _asked(policy, _way(one), one.requirement, both, after, world)
    if old != new and not listed:
        yield Sight(_OTHERS, REFUSED)
    for field, requirement in policy.changes:
        if before.spec.get(field) != after.spec.get(field):
            yield from _asked(policy, f"change of {field}", requirement, both, after, world)


def _asked(
    policy: Lifecycle, part: str, required: Requirement, values: Mapping[str, Entity], entity: Entity, world: World
) -> Iterator[Sight]:
    yield Sight(part, REFUSED if policy.missing(required, values, entity, world) else ALLOWED)
    if required.condition is not None:
        yield from looked(required.condition, part, policy.bindings(required.condition, values, entity, world))


def _prepared(
    policy: Lifecycle, case: Mapping[str, Any], book: Book, world: World, place: Place
) -> tuple[Entity | None, Entity | None, World, list[str]]:
    """Both versions of a case's record, the world around them, and what is wrong with the case itself."""
    rows = [*_rows(case), *_rows(book.record.spec)]
    failures = row_misfits(rows, world.schemas)
    if not case.get("after"):
        failures.append("The case has no after.")
    for side in ("before", "after"):
        failures += [
            f"{side}: {text}" for text in misfits(policy.subject, case.get(side) or {}, world.schemas) if case.get(side)
        ]
    if failures:
        return None, None, world, failures
    before = _entity(policy, case["before"], place) if case.get("before") else None
    after = _entity(policy, case["after"], place)
    around = world_with(world, rows, place)
    known = [e for kind in world.schemas.kinds for e in around.all(kind)]
    return before, after, World(world.schemas, [after, *known], world.config), []


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
