"""What approval policies ask of one change: which rules match it, whom they want, and how approvals are counted.

Every approver entry of a rule that matches is required. What no rule of any policy speaks of falls to the defaults, so
nothing is ungoverned. Where a record points to another one before and after the change, both sides are asked.

Source: design section 7; security rules R5, R9, R11; domain sections 5.12 and 5.13.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

from remit.changes import Candidate, Need
from remit.conditions.condition import Bindings, Condition, EvaluationError
from remit.places import Pointer
from remit.policies.approval import Approvals, Approver, Rule, Touch
from remit.policies.approvers import Ground, holders, members, person
from remit.policies.record_paths import Names, reached
from remit.records import Record, title_in
from remit.references import Entity, World

MOST_COMBINATIONS = 64
"""So many ways of choosing one wanted approval per entry are looked at for two entries that one person could fill."""

_MISSING: Any = object()


@dataclass(frozen=True)
class Ask:
    """What one entry of a rule asks of a change.

    Attributes:
        rule: ``ApprovalPolicy/name/rule``; ``default`` for what no rule speaks of.
        role: The roles, ``Team/name`` or the path that the entry gives.
        of: The record whose role it is; empty when it is anybody's.
        count: How many different people.
        candidates: Who may be one of them, by name, each with the way there; never the author.
        because: The records and files of the change that make it so, sorted.
        title: The rule's title by language; may be empty.
        clauses: What the rule carries out.
        exact_base: Approvals count only on the very base.
        entry: The position of the entry in its rule; two asks of one entry may go to one person.
        distinct: Different entries of the rule want different people.
    """

    rule: str
    role: str
    of: str
    count: int
    candidates: tuple[Candidate, ...]
    because: tuple[str, ...]
    title: Mapping[str, str]
    clauses: tuple[str, ...]
    exact_base: bool
    entry: int
    distinct: bool

    @property
    def people(self) -> frozenset[str]:
        """The names of the candidates."""
        return frozenset(candidate.person for candidate in self.candidates)


def required_approvals(policies: Sequence[Approvals], touches: Iterable[Touch], ground: Ground) -> list[Ask]:
    """What the policies ask of a change, by policy and rule; equal asks of several records are one.

    Args:
        policies: Those of the base.
        touches: Every file that the change adds, alters or removes.
        ground: Where people are looked up.
    """
    ordered = sorted(touches, key=lambda one: one.path)
    small = too_small(policies, ordered, ground.whole)
    return merged(ask for touch in ordered for ask in asks_of(policies, touch, ground, small))


def too_small(policies: Sequence[Approvals], touches: Sequence[Touch], world: World) -> frozenset[str]:
    """The ids of the rules that speak only of more files than of this change fit them."""
    counted = [rule for policy in policies for rule in policy.rules if rule.at_least > 1]
    return frozenset(
        rule.id for rule in counted if sum(matches(rule, touch, world) for touch in touches) < rule.at_least
    )


def merged(asks: Iterable[Ask]) -> list[Ask]:
    """The asks by rule, entry and people; those of one entry for the same people are one."""
    known: dict[tuple[str, int, object], Ask] = {}
    for ask in asks:
        key = (ask.rule, ask.entry, ask.people or ask.of)
        known[key] = _merged(known[key], ask) if key in known else ask
    return sorted(known.values(), key=lambda ask: (ask.rule, ask.entry, ask.of, sorted(ask.people)))


def _merged(one: Ask, other: Ask) -> Ask:
    of = ", ".join(sorted({*filter(None, one.of.split(", ")), other.of} - {""}))
    return replace(one, of=of, because=tuple(sorted({*one.because, *other.because})))


def asks_of(policies: Sequence[Approvals], touch: Touch, ground: Ground, small: Set[str] = frozenset()) -> list[Ask]:
    """What the policies ask for one file: of every rule that matches, else of the defaults; rules of ``small`` do not
    speak of this change."""
    ours = [rule for policy in policies for rule in policy.rules if rule.id not in small]
    rules = [rule for rule in ours if matches(rule, touch, ground.whole)]
    if not rules:
        rules = [policy.default for policy in policies if policy.default is not None]
    return [ask for rule in rules for ask in _asks(rule, touch, ground)]


def matches(rule: Rule, touch: Touch, world: World) -> bool:
    """True when all that the rule says of a change holds for this file, but for how many there have to be."""
    if rule.kinds and not set(rule.kinds) & set(touch.kinds):
        return False
    if rule.paths and not any(pattern.fullmatch(touch.path) for pattern in rule.paths):
        return False
    if rule.fields and not any(_differs(touch, pointer) for pointer in rule.fields):
        return False
    return rule.when is None or _holds(rule.when, when_bindings(rule, touch, world))


def _differs(touch: Touch, pointer: Pointer) -> bool:
    return bool(_at(touch.before, pointer) != _at(touch.after, pointer))


def _at(record: Record | None, pointer: Pointer) -> Any:
    value: Any = record.body if record is not None else _MISSING
    for step in pointer:
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif isinstance(value, Mapping) and str(step) in value:
            value = value[str(step)]
        else:
            return _MISSING
    return value


def when_bindings(rule: Rule, touch: Touch, world: World) -> Bindings:
    """What a rule's condition reads of one file."""
    values: dict[str, Any] = {"param": {name: one.get("value") for name, one in world.parameters.items()}}
    for name, record in (("before", touch.before), ("after", touch.after)):
        # A record of another kind is not there for this condition: the file became something else.
        if record is not None and record.kind == rule.kinds[0]:
            values[name] = _entity(record)
    return Bindings(world, values, rule.when.scope if rule.when is not None else {})


def _holds(when: Condition, bindings: Bindings) -> bool:
    """Whether a rule's condition holds; one that gives no answer counts as true, because an error refuses (R11)."""
    try:
        return when.value(bindings) is not False
    except (EvaluationError, TypeError, ValueError, AttributeError, KeyError):
        return True


def _entity(record: Record) -> Entity:
    return Entity(record.kind, record.name, record.spec, record.place(), record)


def _asks(rule: Rule, touch: Touch, ground: Ground) -> list[Ask]:
    asks = list(entries_of(rule, touch, ground))
    if rule.distinct and any(len(need.candidates) < need.count for need in needs_of(asks, "en")):
        # The nearest holders are too few to be different people: those above them are asked too.
        asks = list(entries_of(rule, touch, ground, sum(approver.count for approver in rule.approvers)))
    return asks


def entries_of(rule: Rule, touch: Touch, ground: Ground, at_least: int = 0) -> Iterator[Ask]:
    """What each entry of a rule asks for one file; holders are looked for until ``at_least`` are there."""
    for entry, approver in enumerate(rule.approvers):
        for of, candidates in _candidates(approver, touch, ground, max(approver.count, at_least)):
            yield Ask(
                rule=rule.id,
                role=approver.label,
                of=of,
                count=approver.count,
                candidates=candidates,
                because=(touch.name,),
                title=rule.title,
                clauses=rule.clauses,
                exact_base=rule.exact_base,
                entry=entry,
                distinct=rule.distinct,
            )


def _candidates(
    approver: Approver, touch: Touch, ground: Ground, enough: int
) -> Iterator[tuple[str, tuple[Candidate, ...]]]:
    if approver.team:
        yield f"Team/{approver.team}", members(ground, approver.team, enough)
        return
    if approver.person:
        sides = (touch._replace(after=None), touch._replace(before=None))
        named = [people for side in sides if (people := _sides((approver.person,), side, ground.whole))]
        for people in named or [[]]:
            found = {c.person: c for one in people for c in person(ground, one.name)}
            yield "", tuple(found[name] for name in sorted(found))
        return
    targets = _sides(approver.of, touch, ground.whole)
    for of in targets:
        yield of.ref, holders(ground, approver.roles, of, enough)
    if not targets:
        yield "", holders(ground, approver.roles, None, enough)


def _sides(paths: Sequence[Names], touch: Touch, world: World) -> list[Entity]:
    """What the first path that leads anywhere leads to, from the record before and from the record after."""
    found: dict[str, Entity] = {}
    for record in (touch.before, touch.after):
        if record is not None and record.kind in world.schemas.kinds:
            start = _entity(record)
            first = next((led for path in paths if (led := reached(path, start, world))), [])
            found.update({one.ref: one for one in first if one.ref not in found})
    return [found[ref] for ref in sorted(found)]


# --- as needs of a change --------------------------------------------------------------------------------------------


def needs_of(asks: Sequence[Ask], language: str) -> list[Need]:
    """The asks as needs that approvals are counted against, and what keeps one person from standing for two of them.

    Different people can be found for several asks exactly when every group of them has as many approvers among its
    candidates as it asks for together (Hall's theorem); so each group whose candidates overlap is a need of its own.
    """
    needs = [Need(ask.rule, ask.count, ask.candidates, ask.exact_base, ask_text(ask, language)) for ask in asks]
    by_rule: dict[str, dict[int, list[Ask]]] = {}
    for ask in asks:
        if ask.distinct:
            by_rule.setdefault(ask.rule, {}).setdefault(ask.entry, []).append(ask)
    for entries in by_rule.values():
        needs += _together(list(entries.values()), language)
    return needs


def _together(entries: Sequence[Sequence[Ask]], language: str) -> Iterator[Need]:
    seen: set[tuple[frozenset[str], int]] = set()
    for size in range(2, len(entries) + 1):
        for chosen in combinations(entries, size):
            for number, group in enumerate(product(*chosen)):
                people = frozenset().union(*(ask.people for ask in group))
                count = sum(ask.count for ask in group)
                same = set.intersection(*({*ask.because} for ask in group))
                if number < MOST_COMBINATIONS and same and (people, count) not in seen and _overlap(group):
                    seen.add((people, count))
                    yield _group_need(group, count, language)


def _overlap(group: Sequence[Ask]) -> bool:
    """True when every one of the group shares a candidate with another one."""
    return all(any(one.people & other.people for other in group if other is not one) for one in group)


def _group_need(group: Sequence[Ask], count: int, language: str) -> Need:
    candidates = {c.person: c for ask in reversed(group) for c in ask.candidates}
    roles = " + ".join(ask.role for ask in group)
    text = f"共 {count} 位不同的人：{roles}" if language == "zh" else f"{count} different people for {roles}"
    return Need(group[0].rule, count, tuple(candidates[name] for name in sorted(candidates)), group[0].exact_base, text)


def ask_text(ask: Ask, language: str) -> str:
    """What is asked, in a line: role, whose, how many, the rule's title, the clauses, and for which records."""
    title = title_in(dict(ask.title), language)
    some = ask.because[:3] if len(ask.because) > 3 else ask.because
    more = len(ask.because) - len(some)
    if language == "zh":
        of, tail = f"（{ask.of}）" if ask.of else "", f" 等 {len(ask.because)} 项" if more else ""
        head = f"{ask.role}{of} {ask.count} 人"
        words = [head, title, f"变更 {'、'.join(some)}{tail}"]
        joined = "；".join(word for word in words if word)
    else:
        of, tail = f" of {ask.of}" if ask.of else "", f" and {more} more" if more else ""
        words = [f"{ask.count} {ask.role}{of}", title, f"for {', '.join(some)}{tail}"]
        joined = "; ".join(word for word in words if word)
    return f"{joined} [{', '.join(ask.clauses)}]" if ask.clauses else joined
