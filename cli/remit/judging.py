"""Judging a change: what the approval policies of its base ask, and what it would break.

Rules, people, roles, units and schemas are the base's; of the change only the files that it touches are read. A change
to the approval policies is judged by those of the base and by its own as well, so that neither a new rule nor the
loss of an old one is one side's word. A policy that cannot be read refuses.

Source: security rules R5, R6, R11; design section 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from remit import checking
from remit.changes import Change, Manifest, Need, Person, is_governed
from remit.changing.proving import Law
from remit.changing.requiring import Check
from remit.errors import InvalidStore
from remit.evaluating import Loaded, load
from remit.findings import Finding, added_to, has_errors, in_order
from remit.nearby import DECIDING, decides, ground_folders, is_cases, is_record_path, near, referred
from remit.policies.approval import Approvals, Touch
from remit.policies.approvers import Ground
from remit.policies.asking import needs_of, required_approvals
from remit.policies.emergencies import emergency_asks, emergency_needs
from remit.rechecking import is_right
from remit.records import CONFIG_PATH, Listed, Record, Snapshot, build_snapshot, paths_below
from remit.references import World, world_of_records
from remit.schemas import Schemas, load_schemas
from remit.sentences import say
from remit.store import Files, Store, changed_paths
from remit.times import Duration

APPROVAL_RULES, LIFECYCLE_RULES = "rules/approval/", "rules/lifecycle/"


@dataclass(frozen=True)
class PolicyJudge:
    """The judge that ``changing`` asks; ``at`` is when people must still be there."""

    at: datetime

    def __call__(self, base: Files, head: Files, manifest: Manifest, author: Person) -> Sequence[Need]:
        """The needs of the base's approval policies, and of the change's own where it changes them.

        Raises:
            InvalidStore: an approval policy of the base cannot be read.
        """
        if _asks_nobody(base, manifest):
            return ()
        case = _Case.of(base, head, manifest, author, self.at)
        needs = needs_of(required_approvals(case.policies, case.touches, case.ground), case.language)
        if any(path.startswith(APPROVAL_RULES) for path in manifest.paths):
            after = _loaded(head.blobs, head.blobs, manifest.paths)
            own = needs_of(required_approvals(after.policies.approvals, case.touches, case.ground), case.language)
            needs += [need for need in own if not any(_same(need, one) for one in needs)]
        return needs

    def emergency(self, base: Files, head: Files, manifest: Manifest, author: Person) -> Sequence[Need]:
        """Who of the base may apply a change before it is approved; nothing when no approval is asked of it.

        Raises:
            InvalidStore: an approval policy of the base cannot be read.
        """
        if _asks_nobody(base, manifest):
            return ()
        case = _Case.of(base, head, manifest, author, self.at)
        if asks := emergency_asks(case.policies, case.touches, case.ground):
            floor = [NO_EMERGENCY] if any(_decides_who(path) for path in manifest.paths) else []
            return [*floor, *emergency_needs(asks, case.language)]
        return ()


def review_spans(files: Files) -> list[Duration]:
    """The time that each approval policy gives for the review of an emergency."""
    policies = _loaded(files.blobs, files.blobs, ()).policies.approvals
    return [policy.emergency.within for policy in policies if policy.emergency is not None]


NO_EMERGENCY = Need("built-in/governed-paths", 1, (), text=say("change.never-in-emergency"))


def _decides_who(path: str) -> bool:
    """True for what decides who may approve; rules that watch, score and lead are not among it."""
    return is_governed(path) and (path.startswith(APPROVAL_RULES) or not path.startswith("rules/"))


class _Case(NamedTuple):
    """One change before the policies of its base."""

    policies: Sequence[Approvals]
    touches: Sequence[Touch]
    ground: Ground
    language: str

    @classmethod
    def of(cls, base: Files, head: Files, manifest: Manifest, author: Person, at: datetime) -> _Case:
        """What of both sides a judge needs; ``InvalidStore`` where the base's policies cannot be read."""
        touched = [*manifest.paths]
        before = _loaded(base.blobs, head.blobs, touched)
        _refuse_unreadable(before)
        changed = build_snapshot({path: head.blobs[path] for path in touched if is_record_path(path, head.blobs)})
        touches = _touches(touched, before.snapshot, changed)
        ground = Ground(before.world, _with_added(before, changed), at, author.person, author.others)
        return cls(before.policies.approvals, touches, ground, before.snapshot.config.language)


def _asks_nobody(base: Files, manifest: Manifest) -> bool:
    """Whether the base has no approval policy, nor the change anything that decides: then nobody is looked up.

    Raises:
        InvalidStore: a schema of the base cannot be read.
    """
    policies = (path for path in paths_below(base.blobs, APPROVAL_RULES) if not is_cases(path))
    if decides(manifest.paths) or any(policies):
        return False
    _refuse_errors(load_schemas(base.blobs)[1])
    return True


def _same(one: Need, other: Need) -> bool:
    people = [{candidate.person for candidate in need.candidates} for need in (one, other)]
    return (one.rule, one.count, people[0]) == (other.rule, other.count, people[1])


def _refuse_unreadable(before: Loaded) -> None:
    _refuse_errors([*before.trouble, *before.policies.findings])


def _refuse_errors(odd: Iterable[Finding]) -> None:
    errors = [f for f in odd if f.severity == "error" and f.place.path.startswith((APPROVAL_RULES, "schemas/"))]
    if errors:
        first = errors[0]
        message = f"who must approve cannot be read from the base: {first.place}: {first.message}"
        raise InvalidStore(message, "Nothing is approved until it can; see: remit check --ref on the protected branch")


def _touches(touched: Sequence[str], before: Snapshot, after: Snapshot) -> list[Touch]:
    old, new = _by_path(before), _by_path(after)
    return [Touch(path, old.get(path), new.get(path)) for path in touched]


def _by_path(snapshot: Snapshot) -> dict[str, Record]:
    return {record.path: record for record in (*snapshot.records, *snapshot.policies)}


def _with_added(before: Loaded, changed: Snapshot) -> World:
    """The base's world with the records that the change adds; what both have is the base's."""
    world = before.world
    known = [entity for kind in before.schemas.kinds for entity in world.all(kind)]
    return World(before.schemas, [*known, *world_of_records(before.schemas, changed.records)], world.config)


# --- what is read ----------------------------------------------------------------------------------------------------


def _loaded(blobs: Mapping[str, bytes], others: Mapping[str, bytes], touched: Sequence[str]) -> Loaded:
    """The part of a store that decides who approves a change of ``touched`` (also as ``others`` have it)."""
    schemas, _ = load_schemas(blobs)
    mine = [path for path in touched if is_record_path(path, blobs)]
    starts = [side[path] for side in (blobs, others) for path in touched if is_record_path(path, side)]
    wanted = {*mine, *referred(starts, blobs, schemas)}
    ground = _ground(blobs, schemas, sorted(path for path in wanted if path.startswith(DECIDING)))
    more = {path: blobs[path] for path in sorted(wanted - ground.snapshot.files.keys())}
    return with_more(ground, more) if more else ground


def with_more(ground: Loaded, more: Mapping[str, bytes]) -> Loaded:
    """What ``load`` gives for the files of ``ground``, which has no feeds, and ``more`` records that decide nothing."""
    files = dict(sorted((*ground.snapshot.files.items(), *more.items())))
    added = build_snapshot(more)
    problems = {record.path: tuple(ground.schemas.check_record(record)) for record in added.records}
    valid = [record for record in added.records if not has_errors(problems[record.path])]
    known = [entity for kind in ground.schemas.kinds for entity in ground.world.all(kind)]
    entities = [*known, *world_of_records(ground.schemas, valid)]
    snapshot = replace(
        ground.snapshot,
        files=files,
        records=tuple(sorted((*ground.snapshot.records, *added.records), key=lambda one: one.path)),
        findings=(*ground.snapshot.findings, *added.findings),
    )
    world = World(ground.schemas, sorted(entities, key=lambda one: one.place.path), snapshot.config)
    trouble = in_order((*ground.trouble, *added.findings, *(one for many in problems.values() for one in many)))
    return Loaded(snapshot, ground.schemas, world, (), (), trouble).judged_as(ground)


_GROUNDS: dict[tuple[str, ...], Loaded] = {}
"""What was read last of what decides who approves, by the ids of its folders: a history changes it seldom."""

_MOST_GROUNDS = 8


def _ground(blobs: Mapping[str, bytes], schemas: Schemas, deciding: Sequence[str]) -> Loaded:
    """What is read of a store whatever a change touches: approval policies, schemas, people, roles, units; and what
    policies decide by, where the change has to do with it."""
    folders = (APPROVAL_RULES, "schemas/", *ground_folders(schemas))
    key = (*deciding, *map(blobs.id_of, (CONFIG_PATH, *folders, *deciding))) if isinstance(blobs, Listed) else ()
    if (known := _GROUNDS.pop(key, None)) is None:
        paths = {path for folder in folders for path in paths_below(blobs, folder) if not is_cases(path)}
        paths |= {*deciding, *([CONFIG_PATH] if CONFIG_PATH in blobs else [])}
        read = load(Files(None, None, {path: blobs[path] for path in sorted(paths)}))
        known = read.judged_as(_judging(tuple((p, blobs[p]) for p in sorted(paths) if p.startswith(DECIDING)), read))
    if key:
        _GROUNDS[key] = known
        while len(_GROUNDS) > _MOST_GROUNDS:
            del _GROUNDS[next(iter(_GROUNDS))]
    return known


_COMPILED: dict[tuple[tuple[str, bytes], ...], Loaded] = {}
_MOST_COMPILED = 8


def _judging(deciding: tuple[tuple[str, bytes], ...], read: Loaded) -> Loaded:
    """A store with the same rules whose policies may be compiled already, when people have changed and rules not."""
    if deciding not in _COMPILED:
        while len(_COMPILED) >= _MOST_COMPILED:
            _COMPILED.pop(next(iter(_COMPILED)))
        _COMPILED[deciding] = read
    return _COMPILED[deciding]


# --- what a change would break ---------------------------------------------------------------------------------------


def check_way(before: Files, after: Files, *, at: datetime) -> tuple[Finding, ...]:
    """Everything wrong with a store as it would be, and with the way to it.

    Cases say what policies decide, so they are run where the way touches what decides: rules, schemas, parameters. A
    case that relies on a record of the store does not stand in the way of a change of that record.
    """
    return _check_way(load(before), load(after), at, cases=_decides_otherwise(before, after))


def check_near(before: Files, after: Files, *, at: datetime) -> tuple[Finding, ...]:
    """What a change makes wrong in a store that was right, read from no more than what the change is near to.

    It finds what ``check_way`` finds, but for levels of policies that would reach nobody any more. A change of what
    decides is checked in full.
    """
    if _decides_otherwise(before, after):
        return check_way(before, after, at=at)
    origin, result = (load(side) for side in near(before, after))
    result = result.judged_as(origin)
    return added_to(checking.check(origin, at=at, cases=False), _check_way(origin, result, at, cases=False))


def _check_way(before: Loaded, after: Loaded, at: datetime, *, cases: bool) -> tuple[Finding, ...]:
    return in_order((*checking.check(after, at=at, cases=cases), *checking.since(after, before)))


def _decides_otherwise(before: Files, after: Files) -> bool:
    return decides(changed_paths(before.blobs, after.blobs))


def law_of(store: Store, commit: str, at: datetime, *, checked: bool = True) -> Law:
    """What decides whether a commit may follow its parent; unless ``checked``, not whether its result is sound."""

    def check(files: Files) -> tuple[Finding, ...]:
        (parent,) = store.in_git().commit(commit).parents
        return check_near(store.files_of(parent), files, at=at)

    judge = PolicyJudge(at)
    return Law(judge, judge.emergency, check if checked else None)


def result_check(store: Store, *, at: datetime) -> Check:
    """The check that ``changing.apply`` makes of its result, a commit, against the commit before it.

    Where it is known that the result has no error, only the way to it is judged, by what is near to the change.
    """

    def check(files: Files) -> tuple[Finding, ...]:
        before = store.files(store.in_git().commit(files.commit or "").parents[0])
        touched = changed_paths(before.blobs, files.blobs)
        if decides(touched) or not is_right(store, files, at):
            return check_way(before, files, at=at)
        if not _is_led(before, files, touched):
            return ()
        origin, result = (load(side) for side in near(before, files))
        return checking.since(result.judged_as(origin), origin)

    return check


def _is_led(before: Files, after: Files, touched: Sequence[str]) -> bool:
    """Whether a lifecycle may have something to say of a record that a change touches, since it speaks of its kind."""
    sides = [build_snapshot({p: s.blobs[p] for p in touched if is_record_path(p, s.blobs)}) for s in (before, after)]
    kinds = {record.kind for side in sides for record in side.records}
    rules = [path for path in paths_below(before.blobs, LIFECYCLE_RULES) if is_record_path(path, before.blobs)]
    read = build_snapshot({path: before.blobs[path] for path in rules})
    return bool(read.findings) or any(policy.spec.get("subject") in kinds for policy in read.policies)


def broken_by(store: Store, change: Change, at: datetime) -> tuple[Finding, ...]:
    """The errors that the store would have after a change and has not on its base."""
    base = store.in_git().commit(change.base)
    before, after = store.files_of(base.sha, base.sha, base.committed), store.files_of(change.tree, change.head)
    found = added_findings if _decides_otherwise(before, after) else check_near
    return tuple(one for one in found(before, after, at=at) if one.severity == "error")


def added_findings(before: Files, after: Files, *, at: datetime) -> tuple[Finding, ...]:
    """The findings that a change would add; one that only moved to another line is not new."""
    cases = _decides_otherwise(before, after)
    origin, result = load(before), load(after)
    return added_to(checking.check(origin, at=at, cases=cases), _check_way(origin, result, at, cases=cases))
