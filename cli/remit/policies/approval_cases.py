"""Cases of approval policies: a change, its author, and who must approve it.

A case gives ``change``: one file or several, each {kind, name, before?, after?} with the fields of spec on either side,
or {path} for a file that is no record. ``expect`` lists everything that is asked: {rule, role, of?, count?,
candidates?, not?, distinct?, exactBase?}, where ``candidates`` are exactly those who may approve and ``not`` may not.
With ``emergency: true`` it lists who may apply the change at once instead, by rule ``emergency``.
What an entry leaves out of the last two and of ``count`` is as it is without being written in a policy: one approver,
different people for different entries, any base. ``author`` is a Person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from remit.places import Place
from remit.policies.approval import EMERGENCY, Approvals, Rule, Touch
from remit.policies.approvers import Ground
from remit.policies.asking import Ask, merged, required_approvals, when_bindings
from remit.policies.case_rows import Book, misfits, record_of, row_misfits, world_with
from remit.policies.emergencies import emergency_asks
from remit.policies.sights import Goal, Sight, branch_goals, looked
from remit.records import Record
from remit.references import Entity, World, instant
from remit.schemas import Schemas

FALLBACK_AT = datetime(2026, 10, 15, tzinfo=UTC)
"""When a case happens that gives no ``at``."""

ASKS, SILENT = "asks", "stays silent"
_CHANGE_KEYS = {"kind", "name", "path", "before", "after"}
_ORDINARY: Mapping[str, Any] = {"count": 1, "distinct": True, "exactBase": False}
_EXPECT_KEYS = {"rule", "role", "of", "candidates", "not", *_ORDINARY}


@dataclass(frozen=True)
class Trial:
    """One case made ready to be asked: its change, where people are looked up, and what is wrong with it itself."""

    name: str
    place: Place
    expect: Sequence[Mapping[str, Any]]
    touches: Sequence[Touch]
    ground: Ground | None
    failures: tuple[str, ...]
    emergency: bool = False


def trials(policy: Approvals, book: Book, world: World) -> list[Trial]:
    """The cases, each made ready once however often it is asked."""
    found = []
    for index, case in enumerate(book.cases):
        touches, ground, failures = _prepared(case, book, world, book.place(index))
        urgent = case.get("emergency", False)
        found.append(Trial(case["name"], book.place(index), case["expect"], touches, ground, tuple(failures), urgent))
    return found


def judge(policy: Approvals, trial: Trial) -> list[str]:
    """What fails in a case, in words; an empty list when it holds."""
    if trial.failures or trial.ground is None:
        return list(trial.failures)
    return compare(trial.expect, _asked(policy, trial, trial.ground), policy)


def _asked(policy: Approvals, trial: Trial, ground: Ground) -> list[Ask]:
    """What the policy asks of the change; in an emergency, of whoever applies it."""
    if trial.emergency:
        return merged(emergency_asks([policy], trial.touches, ground))
    return required_approvals([policy], trial.touches, ground)


def run_cases(policy: Approvals, book: Book, world: World) -> Iterator[list[str]]:
    """What fails in each case, in the order of the cases."""
    yield from (judge(policy, trial) for trial in trials(policy, book, world))


def goals(policy: Approvals) -> list[Goal]:
    """That each rule asks in some case and stays silent in some other, and each part of its condition both ways."""
    record = policy.record
    found: list[Goal] = []
    for index, rule in enumerate(policy.rules):
        place = record.place(("spec", "rules", index))
        found += [Goal(Sight(f"rule {rule.name}", how), place) for how in (ASKS, SILENT)]
        if rule.when is not None:
            when = record.place(("spec", "rules", index, "change", "when"))
            found += branch_goals(f"rule {rule.name}", rule.when, when)
    if policy.default is not None:
        place = record.place(("spec", policy.default.name))
        found += [Goal(Sight(f"rule {policy.default.name}", how), place) for how in (ASKS, SILENT)]
    if policy.emergency is not None:
        found.append(Goal(Sight(f"rule {EMERGENCY}", ASKS), record.place(("spec", EMERGENCY))))
    return list(dict.fromkeys(found))


def sights(policy: Approvals, asked: Iterable[Trial]) -> Iterator[Sight]:
    """What the cases see of the policy's rules."""
    rules = [*policy.rules, *([policy.default] if policy.default else [])]
    for trial in asked:
        if trial.ground is not None and not trial.failures:
            asking = {ask.rule for ask in _asked(policy, trial, trial.ground)}
            if trial.emergency:
                yield from (Sight(f"rule {ask.rpartition('/')[2]}", ASKS) for ask in asking)
                continue
            yield from (Sight(f"rule {rule.name}", ASKS if rule.id in asking else SILENT) for rule in rules)
            for rule in policy.rules:
                for touch in trial.touches:
                    yield from _branches(rule, touch, trial.ground.whole)


def _branches(rule: Rule, touch: Touch, world: World) -> Iterator[Sight]:
    """What of a rule's condition is asked for one file: nothing where its kinds do not match."""
    if rule.when is not None and set(rule.kinds) & set(touch.kinds):
        yield from looked(rule.when, f"rule {rule.name}", when_bindings(rule, touch, world))


def _prepared(
    case: Mapping[str, Any], book: Book, world: World, place: Place
) -> tuple[list[Touch], Ground | None, list[str]]:
    """What a case changes, where people are looked up, and what is wrong with the case itself."""
    rows = [*case.get("records", ()), *book.record.spec.get("records", ())]
    failures = row_misfits(rows, world.schemas)
    written = case.get("change", ())
    changes = [written] if isinstance(written, Mapping) else list(written)
    if not changes:
        failures.append("The case has no change.")
    failures += [problem for one in changes for problem in _odd(one, world.schemas)]
    if failures:
        return [], None, failures
    touches = [_touch(one, world.schemas, place) for one in changes]
    base = _adding(world_with(world, rows, place), [touch.before for touch in touches], wins=True)
    whole = _adding(base, [touch.after for touch in touches], wins=False)
    ground = Ground(base, whole, instant(case.get("at")) or FALLBACK_AT, case.get("author", ""))
    return touches, ground, []


def _odd(change: Mapping[str, Any], schemas: Schemas) -> Iterator[str]:
    for key in sorted(set(change) - _CHANGE_KEYS):
        yield f"A change has no {key!r}."
    if "kind" not in change and "path" not in change:
        yield "A change has a kind and a name, or a path."
    if "kind" in change and not change.get("before") and not change.get("after"):
        yield "A change of a record has before, after or both."
    for side in ("before", "after"):
        if change.get(side) is not None and "kind" in change:
            yield from (f"{side}: {text}" for text in misfits(change["kind"], change[side], schemas))


def _touch(change: Mapping[str, Any], schemas: Schemas, place: Place) -> Touch:
    kind, name = change.get("kind", ""), change.get("name", "some")
    if not kind:
        return Touch(change["path"], None, None)
    table = schemas.policies if kind in schemas.policies else schemas.kinds
    folder = "rules" if kind in schemas.policies else "records"
    path = change.get("path") or f"{folder}/{table[kind].folder}/{name}.yaml"
    return Touch(path, *(_side(change, side, kind, name, place, path) for side in ("before", "after")))


def _side(change: Mapping[str, Any], side: str, kind: str, name: str, place: Place, path: str) -> Record | None:
    return None if change.get(side) is None else record_of(kind, name, change[side], place, path)


def _adding(world: World, records: Sequence[Record | None], *, wins: bool) -> World:
    known = [entity for kind in world.schemas.kinds for entity in world.all(kind)]
    added = [Entity(r.kind, r.name, r.spec, r.place(), r) for r in records if r and r.kind in world.schemas.kinds]
    return World(world.schemas, [*added, *known] if wins else [*known, *added], world.config)


def compare(expected: Sequence[Mapping[str, Any]], asks: Sequence[Ask], policy: Approvals) -> list[str]:
    """What differs between the asks that were expected and those that were made."""
    failures: list[str] = []
    left = list(asks)
    for one in expected:
        match = next((ask for ask in left if not _differences(one, ask)), None)
        near = match or next((ask for ask in left if _is_about(one, ask)), None)
        if near is None:
            failures.append(f"Expected {_words(one)}; it is not asked.")
            continue
        left.remove(near)
        failures += [f"{_name(near)} of {near.role}: {text}" for text in _differences(one, near)]
    names = [", ".join(sorted(ask.people)) or "nobody" for ask in left]
    failures += [
        f"Not expected: {_name(ask)} asks {ask.count} {ask.role} ({people})."
        for ask, people in zip(left, names, strict=True)
    ]
    return failures


def _name(ask: Ask) -> str:
    return ask.rule.rpartition("/")[2]


def _words(expected: Mapping[str, Any]) -> str:
    return f"{expected.get('role', 'somebody')} by rule {expected.get('rule', 'of any name')}"


def _is_about(expected: Mapping[str, Any], ask: Ask) -> bool:
    return expected.get("rule") == _name(ask) and expected.get("role", ask.role) in (ask.role, *ask.role.split("|"))


def _differences(expected: Mapping[str, Any], ask: Ask) -> list[str]:
    found = [f"{key!r} cannot be expected." for key in sorted(set(expected) - _EXPECT_KEYS)]
    if not _is_about(expected, ask):
        found.append(f"is not {_words(expected)}.")
    said = {**_ORDINARY, **expected}
    actuals = {"of": ask.of, "count": ask.count, "distinct": ask.distinct, "exactBase": ask.exact_base}
    for key, actual in actuals.items():
        if key in said and said[key] != actual:
            found.append(f"{key} is {actual!r}, expected {said[key]!r}.")
    people = sorted(ask.people)
    if "candidates" in expected and sorted(expected["candidates"]) != people:
        wanted = ", ".join(sorted(expected["candidates"])) or "nobody"
        found.append(f"may be {', '.join(people) or 'nobody'}, expected {wanted}.")
    for name in expected.get("not", ()):
        if name in ask.people:
            found.append(f"{name} may approve, and should not.")
    return found
