"""Small ways to break a watching policy, one at a time: what a slip of the pen would make of it.

A mutant is the policy's spec with one value changed. It is made from the text as written, so that it is compiled and
decided exactly as the policy is; one that does not compile, or compiles to the same policy, is no mutant.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from remit.conditions.checks import Scope, item_shape, present_if, shape_at
from remit.conditions.condition import Compiler, Condition, Origin
from remit.conditions.messages import TERM, MessageTypes
from remit.conditions.text import text_of
from remit.conditions.tree import Call, Const, Has, ListOf, Macro, Node, Path, walk
from remit.decisions import SEVERITIES
from remit.places import Place, Pointer
from remit.policies.watch import Level, Watch, compile_watch
from remit.records import Record
from remit.references import World
from remit.times import Duration, parse_duration, parse_share

FAMILIES = ("threshold", "operator", "role", "calendar", "severity", "repeat", "clock", "condition", "value")
"""What kinds of slips there are."""

_REMOVED: Any = object()
_FLIPS = {"_<_": "_<=_", "_<=_": "_<_", "_>_": "_>=_", "_>=_": "_>_", "_==_": "_!=_", "_!=_": "_==_"}
_JOINS = {"_&&_": "_||_", "_||_": "_&&_"}
_MACROS = {"exists": "all", "all": "exists"}
_CYCLES = {"month": "quarter", "quarter": "month", "half_year": "year", "year": "half_year"}
_THEN = {"continue": "restart", "restart": "continue", "split": "continue"}
_PLAIN_DAYS = {"wd": "d", "wh": "h"}
_TRIGGERS = ("after", "of", "before", "past")


Holders = Mapping[str, frozenset[str]]
"""The people who hold a role, by what they hold it for."""


@dataclass(frozen=True)
class Ground:
    """What a store has to confuse one thing with another: parameters, limits of terms, roles by holders, calendars."""

    parameters: Mapping[str, Any]
    roles: Mapping[str, Holders]
    fields: Mapping[str, Holders]
    calendars: tuple[str, ...]
    working: str


class Mutant(NamedTuple):
    """One broken policy: ``name`` says what was changed, and is unique in the policy."""

    name: str
    family: str
    place: Place
    spec: Mapping[str, Any]


class _Change(NamedTuple):
    pointer: Pointer
    family: str
    value: Any
    said: str = ""
    offset: int = 0


def ground_of(world: World) -> Ground:
    """The ground of one store."""
    roles: dict[str, dict[str, frozenset[str]]] = {}
    for one in world.all("RoleAssignment"):
        _hold(roles, one.spec.get("role"), str(one.spec.get("scope", "")), one.spec.get("person"))
    of_customers: dict[str, dict[str, frozenset[str]]] = {}
    for customer in world.all("Customer"):
        for role, person in customer.spec.get("roles", {}).items():
            _hold(of_customers, role, customer.name, person)
    return Ground(
        {name: one.get("value") for name, one in world.parameters.items()},
        roles,
        of_customers,
        ("always", *(calendar.name for calendar in world.all("Calendar"))),
        world.config.calendar,
    )


def _hold(roles: dict[str, dict[str, frozenset[str]]], role: Any, scope: str, person: Any) -> None:
    held = roles.setdefault(str(role), {})
    held[scope] = held.get(scope, frozenset()) | {str(person)}


def mutants(watch: Watch, ground: Ground, types: MessageTypes, lines: tuple[str, ...]) -> Iterator[Mutant]:
    """Every way to break the policy, in the order of its text. Many do not compile: see ``compiled``."""
    taken: set[str] = set()
    for change in _changes(watch, ground, types):
        name = _name(watch.record.spec, change)
        if name in taken:
            continue
        taken.add(name)
        pointer: Pointer = ("spec", *change.pointer)
        text = _at(watch.record.spec, change.pointer)
        origin = Origin(watch.record, pointer, lines)
        place = origin.place(change.offset, text) if change.said and isinstance(text, str) else origin.place()
        yield Mutant(name, change.family, place, _with(watch.record.spec, change.pointer, change.value))


def compiled(mutant: Mutant, watch: Watch, compiler: Compiler) -> Watch | None:
    """The broken policy ready to decide; None when it does not compile or is the same policy in other words."""
    record: Record = replace(watch.record, body={**watch.record.body, "spec": dict(mutant.spec)})
    broken, findings = compile_watch(record, compiler, ())
    if broken is None or any(f.severity == "error" for f in findings):
        return None
    return None if essence(broken) == essence(watch) else replace(broken, sources=watch.sources)


def essence(value: Any) -> Any:
    """What a compiled policy says, without where it says it: equal for two policies that decide alike by their text."""
    if isinstance(value, Condition):
        return text_of(value.root)
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        kept = (f.name for f in fields(value) if f.name not in ("record", "pointer", "scope", "sources"))
        return tuple((name, essence(getattr(value, name))) for name in kept)
    if isinstance(value, Mapping):
        return tuple((key, essence(one)) for key, one in sorted(value.items()))
    return tuple(map(essence, value)) if isinstance(value, tuple) else value


# --- changes of a spec -----------------------------------------------------------------------------------------------


def _changes(watch: Watch, ground: Ground, types: MessageTypes) -> Iterator[_Change]:
    spec = watch.record.spec
    if watch.when is not None:
        yield from _of_condition(("when",), watch.when, types)
    if watch.clock is not None:
        yield from _of_clock(watch, spec["clock"], ground, types)
    for index, level in enumerate(watch.levels):
        yield from _of_level(("levels", index), level, spec["levels"][index], ground, types)


def _of_clock(watch: Watch, written: Mapping[str, Any], ground: Ground, types: MessageTypes) -> Iterator[_Change]:
    rule = watch.clock
    assert rule is not None
    for key, conditions in (("start", rule.start), ("stop", rule.stop), ("due", rule.due)):
        yield from _of_instants(("clock", key), written.get(key), conditions, types)
    for key, condition in (("restarts", rule.restarts), ("met", rule.met), ("pausesWhen", rule.pauses_when)):
        if condition is not None:
            yield _Change(("clock", key), "clock", _REMOVED)
            yield from _of_condition(("clock", key), condition, types)
    if "pauses" in written:
        rest = {key: value for key, value in written.items() if key not in ("pauses", "pausesWhen")}
        yield _Change(("clock",), "clock", rest, "without pauses")
    for key in ("reopened", "handedOver"):
        if key in written:
            yield _Change(("clock", key), "clock", _REMOVED)
            yield _Change(("clock", key, "then"), "clock", _THEN[written[key]["then"]])
    if "cycle" in written:
        yield _Change(("clock", "cycle"), "clock", _CYCLES[written["cycle"]])
    for key in ("calendar", "working"):
        yield from _of_calendar(("clock", key), written.get(key), ground)
    if "lasts" in written:
        yield from _of_amount(("clock", "lasts"), written["lasts"], ground)
    if rule.reached is not None:
        base: Pointer = ("clock", "reached")
        yield from _of_count((*base, "count"), written["reached"]["count"], ground)
        yield from _of_condition((*base, "of"), rule.reached.of, types)
        yield from _of_amount((*base, "within"), written["reached"]["within"], ground)


def _of_instants(
    pointer: Pointer, written: Any, conditions: Sequence[Condition], types: MessageTypes
) -> Iterator[_Change]:
    if not conditions:
        return
    if not isinstance(written, list):
        yield _Change(pointer, "clock", _REMOVED)
        yield from _of_condition(pointer, conditions[0], types)
        return
    for index, condition in enumerate(conditions):
        yield _Change((*pointer, index), "clock", _REMOVED)
        yield from _of_condition((*pointer, index), condition, types)
    if pointer[-1] != "stop":  # the earliest stop counts, wherever it stands; of starts and due times the first does
        yield _Change(pointer, "clock", list(reversed(written)), "in reverse")


def _of_calendar(pointer: Pointer, written: Any, ground: Ground) -> Iterator[_Change]:
    if written is None:
        return
    others = [name for name in ground.calendars if name != written]
    for other in others[:1] if written != "always" else [ground.working or (others or [""])[0]]:
        if other:
            yield _Change(pointer, "calendar", other)


def _of_level(
    pointer: Pointer, level: Level, written: Mapping[str, Any], ground: Ground, types: MessageTypes
) -> Iterator[_Change]:
    for key in _TRIGGERS:
        if key in written:
            yield from _of_amount((*pointer, key), written[key], ground)
    if "share" in written:
        yield from _of_share((*pointer, "share"), written["share"], ground)
    if "every" in written:
        yield _Change((*pointer, "every"), "repeat", _REMOVED)
        yield from _of_amount((*pointer, "every"), written["every"], ground)
    if level.when is not None:
        yield _Change((*pointer, "when"), "condition", _REMOVED)
        yield from _of_condition((*pointer, "when"), level.when, types)
    other = SEVERITIES[(SEVERITIES.index(level.severity) + 1) % len(SEVERITIES)]
    yield _Change((*pointer, "severity"), "severity", other, "" if "severity" in written else f"→ {other}")
    for number, target in enumerate(written.get("notify", ())):
        yield from _of_target((*pointer, "notify", number), target, ground)


def _of_target(pointer: Pointer, written: Mapping[str, Any], ground: Ground) -> Iterator[_Change]:
    yield _Change(pointer, "role", _REMOVED, "nobody for " + str(written.get("role") or written.get("person")))
    if "role" in written and (other := _other_role(written["role"], ground)):
        yield _Change((*pointer, "role"), "role", other)
    of = written.get("of")
    for index in range(len(of)) if isinstance(of, list) and len(of) > 1 else ():
        yield _Change((*pointer, "of", index), "role", _REMOVED)


def _other_role(role: str, ground: Ground) -> str:
    """The next role of the same sort, best one that other people hold where this one is held."""
    known = ground.fields if role in ground.fields else ground.roles
    names = sorted(known)
    mine = known.get(role, {})
    start = names.index(role) + 1 if role in known else 0
    following = [name for name in names[start:] + names[:start] if name != role]
    return min(following, key=lambda name: -_elsewhere(mine, known[name]), default="")


def _elsewhere(mine: Holders, others: Holders) -> int:
    """In how many scopes others hold the one role than the other."""
    return sum(scope in others and not people & others[scope] for scope, people in mine.items())


def _of_amount(pointer: Pointer, text: str, ground: Ground) -> Iterator[_Change]:
    variable, _, name = text.partition(".")
    if variable == "term":
        others = [key for key, part in TERM.fields.items() if part.shape.type == "duration" and key != name]
        yield from (_Change(pointer, "threshold", f"term.{other}") for other in others)
        return
    value = ground.parameters.get(name) if variable == "param" else text
    if not isinstance(value, str) or not value[:1].isdigit():
        return
    duration = parse_duration(value)
    yield from (_Change(pointer, "threshold", str(other)) for other in _near(duration))
    if duration.unit in _PLAIN_DAYS:
        yield _Change(pointer, "calendar", f"{duration.amount}{_PLAIN_DAYS[duration.unit]}")


def _of_count(pointer: Pointer, written: Any, ground: Ground) -> Iterator[_Change]:
    value = ground.parameters.get(written.partition(".")[2]) if isinstance(written, str) else written
    if isinstance(value, int):
        yield from (_Change(pointer, "threshold", value + step) for step in (-1, 1) if value + step > 0)


def _near(duration: Duration) -> Iterator[Duration]:
    """A little more and a little less: a second where there are seconds, else one of its unit."""
    seconds = duration.seconds
    amount, unit = (seconds, "s") if seconds is not None else (duration.amount, duration.unit)
    for other in (amount - 1, amount + 1):
        if other >= 0:
            yield Duration(other, unit)


def _of_share(pointer: Pointer, text: str, ground: Ground) -> Iterator[_Change]:
    value = ground.parameters.get(text.partition(".")[2]) if text.startswith("param.") else text
    if isinstance(value, str) and value.endswith("%"):
        percent = int(parse_share(value) * 100)
        yield from (_Change(pointer, "threshold", f"{other}%") for other in (percent - 1, percent + 1) if other > 0)


def _name(spec: Mapping[str, Any], change: _Change) -> str:
    steps: list[str] = []
    value: Any = spec
    for step in change.pointer:
        value = _part(value, step)
        named = value.get("name") if isinstance(value, Mapping) and isinstance(step, int) else None
        steps.append(str(named or step))
    if change.said:
        return f"{'.'.join(steps)}: {change.said}"
    if change.value is _REMOVED:
        return f"{'.'.join(steps)}: {_short(value)} removed"
    return f"{'.'.join(steps)}: {value} → {change.value}"


def _short(value: Any) -> str:
    return str(value) if isinstance(value, str) and len(value) < 60 and "\n" not in value else "all"


def _at(spec: Any, pointer: Pointer) -> Any:
    for step in pointer:
        spec = _part(spec, step)
    return spec


def _part(value: Any, step: str | int) -> Any:
    if isinstance(value, list) and isinstance(step, int):
        return value[step]
    return value.get(str(step)) if isinstance(value, Mapping) else None


def _with(spec: Mapping[str, Any], pointer: Pointer, value: Any) -> dict[str, Any]:
    """A copy of ``spec`` with another value at ``pointer``, or without it."""
    changed = copy.deepcopy(dict(spec))
    parent = _at(changed, pointer[:-1])
    if value is _REMOVED:
        del parent[pointer[-1]]
    else:
        parent[pointer[-1]] = copy.deepcopy(value)
    return changed


# --- changes of a condition ------------------------------------------------------------------------------------------


class _View(NamedTuple):
    """What a part of a condition sees: the variables, their types, and every text that the condition speaks of."""

    scope: Scope
    types: MessageTypes
    texts: frozenset[str]


class _Variant(NamedTuple):
    family: str
    offset: int
    said: str
    root: Node


def _of_condition(pointer: Pointer, condition: Condition, types: MessageTypes) -> Iterator[_Change]:
    texts = {node.value for node in walk(condition.root) if isinstance(node, Const) and isinstance(node.value, str)}
    for one in _variants(condition.root, _View(condition.scope, types, frozenset(texts))):
        yield _Change(pointer, one.family, text_of(one.root), one.said, one.offset)


def _variants(node: Node, view: _View) -> Iterator[_Variant]:
    """Every tree that differs from ``node`` in one small thing, outermost first."""
    yield from _own(node, view)
    for child, inner, rebuilt in _children(node, view):
        for one in _variants(child, inner):
            yield one._replace(root=rebuilt(one.root))


Rebuild = Callable[[Node], Node]


def _children(node: Node, view: _View) -> Iterator[tuple[Node, _View, Rebuild]]:
    """The parts of a node with the variables that they see, and how the node is made again around another part."""
    match node:
        case Call(args=args):
            for index, arg in enumerate(args):
                yield arg, view, partial(_with_arg, node, index)
        case Macro(over=over, bodies=bodies, variable=variable):
            yield over, view, partial(_with_over, node)
            shape = item_shape(over, view.scope, view.types)
            inner = view._replace(scope={**view.scope, variable: shape})
            for index, body in enumerate(bodies):
                yield body, inner, partial(_with_body, node, index)


def _with_arg(node: Call, index: int, new: Node) -> Node:
    return replace(node, args=_put(node.args, index, new))


def _with_over(node: Macro, new: Node) -> Node:
    return replace(node, over=new)


def _with_body(node: Macro, index: int, new: Node) -> Node:
    return replace(node, bodies=_put(node.bodies, index, new))


def _put(parts: tuple[Node, ...], index: int, new: Node) -> tuple[Node, ...]:
    return (*parts[:index], new, *parts[index + 1 :])


def _own(node: Node, view: _View) -> Iterator[_Variant]:
    match node:
        case Call(function=function, args=(left, right)) if function in _JOINS:
            yield _changed("operator", node, replace(node, function=_JOINS[function]))
            pairs = ((left, right), (right, left))
            yield from (_dropped(node, gone, kept) for gone, kept in pairs if not _implied(node, gone, kept))
        case Call(function=function, args=args) if function in _FLIPS:
            yield _changed("operator", node, replace(node, function=_FLIPS[function]))
            yield from _other_values(node, args, view)
        case Call(function="@in", args=(path, ListOf() as listed)):
            yield from _other_members(node, path, listed, view)
        case Call(function="!_", args=(inner,)):
            yield _changed("condition", node, inner)
        case Has():
            yield _changed("condition", node, _not(node))
        case Path() if (shape := shape_at(node, view.scope, view.types)) is not None and shape.type == "bool":
            yield _changed("condition", node, _not(node))
        case Macro(name=name) if name in _MACROS:
            yield _changed("operator", node, replace(node, name=_MACROS[name]))


def _implied(whole: Call, gone: Node, kept: Node) -> bool:
    """True for a presence that the other side of a ``&&`` presupposes: dropping it changes nothing."""
    return whole.function == "_&&_" and isinstance(gone, Has) and str(gone.path) in present_if(kept, True)


def _not(node: Node) -> Node:
    return Call(node.id, node.offset, "!_", (node,))


def _changed(family: str, old: Node, new: Node) -> _Variant:
    return _Variant(family, old.offset, f"{_brief(old)} → {_brief(new)}", new)


def _dropped(whole: Node, gone: Node, kept: Node) -> _Variant:
    return _Variant("condition", gone.offset, f"without {_brief(gone)}", kept)


def _brief(node: Node) -> str:
    text = text_of(node)
    return text if len(text) <= 120 else f"{text[:59]} … {text[-59:]}"


def _other_values(node: Call, args: Iterable[Node], view: _View) -> Iterator[_Variant]:
    """A comparison with another constant: the next of its enum, or a number or span a little off."""
    left, right = args
    for index, (one, other) in enumerate(((left, right), (right, left))):
        for constant in _near_constants(one, other, view):
            family = "value" if isinstance(constant, Const) and isinstance(constant.value, str) else "threshold"
            yield _changed(family, node, replace(node, args=_put((left, right), index, constant)))


def _near_constants(node: Node, other: Node, view: _View) -> Iterator[Node]:
    match node:
        case Const(value=bool()):
            return
        case Const(value=int() as number):
            yield from (replace(node, value=number + step) for step in (-1, 1))
        case Const(value=float() as number):
            yield from (replace(node, value=number + step) for step in (-0.5, 0.5))
        case Const(value=str() as text):
            yield from (replace(node, value=value) for value in _enum(other, view, (text,))[:1])
        case Call(function="duration", args=(Const(value=str() as text) as span,)):
            for value in _spans(text):
                yield replace(node, args=(replace(span, value=value),))


def _spans(text: str) -> Iterator[str]:
    try:
        seconds = parse_duration(text).seconds
    except ValueError:
        return
    if seconds:
        yield from (f"{seconds + step}s" for step in (-1, 1))


def _other_members(node: Call, path: Node, listed: ListOf, view: _View) -> Iterator[_Variant]:
    items = listed.items
    for index in range(len(items)):
        fewer = replace(listed, items=(*items[:index], *items[index + 1 :]))
        new = replace(node, args=(path, fewer)) if fewer.items else _not(node)
        yield _changed("value", node, new)
    known = tuple(item.value for item in items if isinstance(item, Const))
    for value in _enum(path, view, known)[:1]:
        more = replace(listed, items=(*items, Const(listed.id, listed.offset, value)))
        yield _changed("value", node, replace(node, args=(path, more)))


def _enum(node: Node, view: _View, taken: Iterable[str]) -> list[str]:
    """The other values that a field may have: those that the condition does not speak of first, after ``taken``."""
    shape = shape_at(node, view.scope, view.types) if isinstance(node, Path) else None
    values = list(shape.enum) if shape else []
    used = [value for value in taken if value in values]
    begin = values.index(used[-1]) + 1 if used else 0
    others = [value for value in values[begin:] + values[:begin] if value not in used]
    return sorted(others, key=lambda value: value in view.texts)
