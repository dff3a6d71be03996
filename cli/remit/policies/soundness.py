"""What a policy says that cannot have been meant, found without any fact.

Conditions that never or always hold; ladders whose levels stand in the wrong order, meet at one instant or repeat what
an earlier one has said; calendars asked about years that they do not know; parameters that nobody reads. Everything
here is certain: what might be right for some fact is not a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from remit.calendars import YearAsked
from remit.conditions.checks import CALENDAR_FUNCTIONS
from remit.conditions.condition import Condition
from remit.conditions.possible import possible
from remit.conditions.tree import Call, Const, Path, walk
from remit.findings import Finding, finding
from remit.places import Pointer, pointer_text
from remit.policies import KINDS, Policies
from remit.policies.reading import Amount
from remit.policies.watch import Level, Watch
from remit.records import Record
from remit.references import World
from remit.terms import METRICS
from remit.times import Duration, parse_duration, parse_share


def unsound(policies: Policies, world: World) -> Iterator[Finding]:
    """What is wrong with the policies of a store whenever it is asked."""
    for policy in policies.by_id.values():
        yield from _conditions(policy)
    for watch in policies.watches:
        yield from _never_together(watch)
        yield from _ladder(watch, world)


def years_asked(policies: Policies, world: World) -> Iterator[YearAsked]:
    """What policies that count working time ask of calendars."""
    for watch in policies.watches:
        yield from _years(watch, world)


# --- conditions ------------------------------------------------------------------------------------------------------


def _conditions(policy: Any) -> Iterator[Finding]:
    for condition in _conditions_in(policy, set()):
        if condition.kind != "bool" or condition.origin is None or isinstance(condition.root, Const):
            continue
        if not _possible((condition, True)):
            message, hint = "No record or fact can meet this condition.", "Two of its parts exclude each other."
            yield _about_condition("condition-never-true", condition, message, hint)
        elif not _possible((condition, False)):
            message, hint = "Every record and fact meets this condition.", "Leave it out, or write what was meant."
            yield _about_condition("condition-never-false", condition, message, hint)


def _never_together(watch: Watch) -> Iterator[Finding]:
    """Levels whose own condition excludes the policy's."""
    whole = watch.when
    if whole is None or not _possible((whole, True)):
        return
    for level in watch.levels:
        if level.when and _possible((level.when, True)) and not _possible((whole, True), (level.when, True)):
            message = "No subject that the policy's condition selects can meet this one."
            yield _about_condition("condition-never-true", level.when, message, f"The policy has: {whole.text}")


def _conditions_in(value: Any, seen: set[int]) -> Iterator[Condition]:
    """Every condition inside a compiled policy, whatever its kind."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Condition):
        yield value
    elif is_dataclass(value) and not isinstance(value, type) and type(value).__module__.startswith("remit.policies"):
        for one in fields(value):
            yield from _conditions_in(getattr(value, one.name), seen)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _conditions_in(inner, seen)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _conditions_in(inner, seen)


def _possible(*wanted: tuple[Condition, bool]) -> bool:
    first = wanted[0][0]
    return possible([(condition.root, outcome) for condition, outcome in wanted], first.scope, first.types)


def _about_condition(code: str, condition: Condition, message: str, hint: str) -> Finding:
    origin = condition.origin
    assert origin is not None
    pointer = pointer_text(origin.pointer)
    return finding(code, message, origin.place(0, condition.text), hint=hint, pointer=pointer, record=origin.record.id)


# --- ladders ---------------------------------------------------------------------------------------------------------


class _Instant(NamedTuple):
    """When a level is crossed: so far from a base. Instants of one base can be compared whatever the subject."""

    base: str
    offset: Fraction


def _ladder(watch: Watch, world: World) -> Iterator[Finding]:
    """Each level against the levels before it; the first thing wrong with it is said."""
    instants = [_instant(level, world) for level in watch.levels]
    for number, (level, instant) in enumerate(zip(watch.levels, instants, strict=True)):
        for earlier, other in zip(watch.levels[:number], instants[:number], strict=True):
            said = _against(level, instant, earlier, other)
            if said is not None:
                code, message, hint = said
                yield _at(watch.record, code, message, level.pointer, hint)
                break


def _against(
    level: Level, instant: _Instant | None, earlier: Level, other: _Instant | None
) -> tuple[str, str, str] | None:
    if instant is None or other is None or instant.base != other.base:
        return None
    same = _text(level) == _text(earlier)
    if same and instant.offset < other.offset:
        message = f"Level {level.name} is crossed before level {earlier.name}, which stands above it."
        return "level-out-of-order", message, "Put the levels in the order in which they are crossed."
    if instant.offset != other.offset or level.every or earlier.every:
        return None
    people = [(target.role, target.of) for target in level.notify]
    told = [(target.role, target.of) for target in earlier.notify]
    if all(one in told for one in people) and level.severity == earlier.severity and _implies(level, earlier):
        message = f"Level {earlier.name} tells the same people at the same instant, whenever level {level.name} would."
        return "level-preempted", message, "Remove one of them, or change its instant, condition or people."
    if same:
        message = f"Levels {earlier.name} and {level.name} are crossed at one instant for the same subjects."
        return "level-same-instant", message, "Make them one level that tells everybody, or change one of them."
    return None


def _text(level: Level) -> str:
    return level.when.text if level.when else ""


def _implies(level: Level, earlier: Level) -> bool:
    """Whether the earlier level's condition holds wherever this level's does."""
    if earlier.when is None or _text(level) == _text(earlier):
        return True
    return level.when is not None and not _possible((level.when, True), (earlier.when, False))


def _instant(level: Level, world: World) -> _Instant | None:
    trigger = level.trigger
    if trigger.kind == "start":
        return _Instant("start s", Fraction(0))
    amount = trigger.amount
    if amount is None:
        return None
    if trigger.kind == "share" or (amount.path is not None and amount.path.names[0] != "param"):
        share = _share(level, world) if trigger.kind == "share" else Fraction(1)
        base = "due" if trigger.kind in ("before", "past") else "start"
        late = -1 if trigger.kind == "before" else 1
        return None if share is None else _Instant(f"{base} {amount.text}", share * late)
    duration = _duration(amount, world)
    if duration is None:
        return None
    exact = duration.seconds
    unit, size = ("s", Fraction(exact)) if exact is not None else (duration.unit, Fraction(duration.amount))
    if not size:
        unit = "s"
    match trigger.kind:
        case "after":
            return _Instant(f"start {unit}", size)
        case "before":
            return _Instant(f"due {unit}", -size)
    return _Instant(f"due {unit}", size)


def _share(level: Level, world: World) -> Fraction | None:
    path = level.trigger.share_path
    if path is None:
        return level.trigger.share
    value = _parameter(path, world)
    return parse_share(value) if isinstance(value, str) and value.endswith("%") else None


def _duration(amount: Amount, world: World) -> Duration | None:
    if amount.path is None:
        return amount.duration
    value = _parameter(amount.path, world)
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _parameter(path: Path, world: World) -> Any:
    return world.parameters.get(path.names[1], {}).get("value") if path.names[0] == "param" else None


# --- calendars -------------------------------------------------------------------------------------------------------


def _years(watch: Watch, world: World) -> Iterator[YearAsked]:
    asked = list(_working_spans(watch, world))
    clock = watch.clock
    names = (
        (clock.working, clock.calendar if clock.calendar != "always" else "", world.config.calendar) if clock else ()
    )
    name = next((one for one in names if one), "")
    for span, pointer in asked if name else ():
        yield _year(watch.record, pointer, name, span)
    for condition in _conditions_in(watch, set()):
        for node in walk(condition.root):
            if isinstance(node, Call) and node.function in CALENDAR_FUNCTIONS and condition.origin is not None:
                literal = node.args[-1]
                if isinstance(literal, Const):
                    pointer = condition.origin.pointer
                    yield _year(watch.record, pointer, str(literal.value), None)


def _year(record: Record, pointer: Pointer, calendar: str, span: Duration | None) -> YearAsked:
    return YearAsked(record.id, record.place(pointer), pointer_text(pointer), calendar, span)


def _working_spans(watch: Watch, world: World) -> Iterator[tuple[Duration, Pointer]]:
    for level in watch.levels:
        for amount in (level.trigger.amount, level.every):
            duration = _duration(amount, world) if amount else None
            if amount is not None and amount.path is not None and amount.path.names[0] == "term":
                duration = _longest_limit(amount.path.names[-1], world)
            if duration is not None and duration.is_working:
                yield duration, level.pointer


def _longest_limit(field: str, world: World) -> Duration | None:
    """The longest limit in working days that any service level sets for this field of ``term``."""
    days = [
        Fraction(str(level.spec["value"]))
        for level in world.all("ServiceLevelSpecification")
        if METRICS.get(str(level.spec.get("metric"))) == field and level.spec.get("unit") == "wd"
    ]
    return Duration(max(days), "wd") if days else None


# --- parameters and clauses ------------------------------------------------------------------------------------------

_READ = re.compile(r"\bparam\.([A-Za-z][A-Za-z0-9]*)")


def unread_parameters(policies: Iterable[Record], schemas: Iterable[Any], world: World) -> Iterator[Finding]:
    """Parameters that no expression of a policy or schema reads, and that are not reserved for one to come."""
    read = {name for policy in policies for text in _texts(policy.body) for name in _READ.findall(text)}
    read |= {name for schema in schemas for text in _texts(schema) for name in _READ.findall(text)}
    chosen = world.config.parameters
    for one in world.all("ParameterSet"):
        if chosen and one.name != chosen:
            continue
        for name, parameter in one.spec.get("parameters", {}).items():
            if name not in read and not parameter.get("reserved"):
                yield finding(
                    "unread-parameter",
                    f"No policy reads param.{name}.",
                    one.record.document.key_place(("spec", "parameters", name)) if one.record else one.place,
                    hint="Remove it, or mark it: reserved: true",
                    pointer=f"/spec/parameters/{name}",
                    record=one.ref,
                )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def without_clauses(policies: Iterable[Record]) -> Iterator[Finding]:
    """Policies that carry out no clause of any source, in a store whose other policies do."""
    own = [policy for policy in policies if policy.kind in KINDS]
    bare = [
        one for one in own if not one.metadata.get("clauses") and not any("clauses" in m for m in _mappings(one.spec))
    ]
    if len(bare) < len(own):
        for policy in bare:
            hint = "Add: clauses: [...] under metadata, with the clauses of your documents."
            yield _at(policy, "no-clauses", "The policy names no clause that it carries out.", ("metadata",), hint)


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _mappings(inner)


def _at(record: Record, code: str, message: str, pointer: Pointer, hint: str) -> Finding:
    return finding(code, message, record.place(pointer), hint=hint, pointer=pointer_text(pointer), record=record.id)
