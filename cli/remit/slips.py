"""What can be written wrong in a policy, kind by kind: one table of the parts of a spec and of the slips of each.

A slip takes one part as written and gives the values that a slip of the pen would leave there. Nothing here asks
whether the result is a policy; where it could only say the same in other words, nothing is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from remit.conditions.checks import Scope, shape_at
from remit.conditions.condition import Condition
from remit.conditions.messages import TERM, MessageTypes
from remit.conditions.text import text_of
from remit.conditions.tree import Path
from remit.decisions import SEVERITIES
from remit.places import Pointer
from remit.references import World
from remit.schemas import Shape
from remit.times import Duration, parse_duration, parse_share
from remit.variants import variants

REMOVED: Any = object()
"""The value of a part that is left out."""

_CYCLES = {"month": "quarter", "quarter": "month", "half_year": "year", "year": "half_year"}
_THEN = {"continue": "restart", "restart": "continue", "split": "continue"}
_PLAIN_DAYS = {"wd": "d", "wh": "h"}
_TYPES = {"mean": "sum", "sum": "mean", "percentile": "mean"}
_SCORES = {"rate_vs_target": "pass_fail", "pass_fail": "rate_vs_target"}
_UNITS = {"minutes": "hours", "hours": "days", "days": "hours"}

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


class Slip(NamedTuple):
    """One part of a spec with another value; ``said`` names it where old and new value would not."""

    pointer: Pointer
    family: str
    value: Any
    said: str = ""
    offset: int = 0


@dataclass(frozen=True)
class Written:
    """A policy as slips see it: its spec, what its conditions mean, and what there is to confuse.

    Attributes:
        spec: As written.
        scope: What its paths may begin with.
        conditions: The compiled conditions by their pointers inside the spec.
        levels: The names of the levels of every policy whose decisions it reads, by policy.
        types: The types of names.
        ground: What the store has.
    """

    spec: Mapping[str, Any]
    scope: Scope
    conditions: Mapping[Pointer, Condition]
    levels: Mapping[str, tuple[str, ...]]
    types: MessageTypes
    ground: Ground


Make = Callable[[Pointer, Any, Written], Iterator[Slip]]
Table = tuple[tuple[str, Make], ...]


def slips(kind: str, written: Written) -> Iterator[Slip]:
    """Every slip in a policy of that kind, by the rows of its table, each in the order of the text."""
    for pattern, make in TABLES[kind]:
        for pointer, value in _parts(written.spec, tuple(filter(None, pattern.split("/")))):
            yield from make(pointer, value, written)


def _parts(value: Any, steps: tuple[str, ...], done: Pointer = ()) -> Iterator[tuple[Pointer, Any]]:
    """The parts that a pattern means: ``*`` stands for every item of a list or mapping."""
    if not steps:
        yield done, value
        return
    step, *rest = steps
    if isinstance(value, Mapping):
        for name in value if step == "*" else [step] if step in value else []:
            yield from _parts(value[name], tuple(rest), (*done, name))
    elif isinstance(value, list) and step == "*":
        for index, one in enumerate(value):
            yield from _parts(one, tuple(rest), (*done, index))


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


# --- slips of anything -----------------------------------------------------------------------------------------------


def _gone(family: str) -> Make:
    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        yield Slip(pointer, family, REMOVED)

    return make


def _item_gone(family: str) -> Make:
    """One item of several left out; the only one is left out with what holds it."""

    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        for index in range(len(value)) if isinstance(value, list) and len(value) > 1 else ():
            yield Slip((*pointer, index), family, REMOVED)

    return make


def _other(family: str, values: Mapping[Any, Any]) -> Make:
    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        if not isinstance(value, list | dict) and value in values:
            yield Slip(pointer, family, values[value])

    return make


def _flag(family: str, name: str, default: bool) -> Make:
    """A switch turned over, written or not."""

    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        new = not value.get(name, default)
        yield Slip((*pointer, name), family, new, f"→ {str(new).lower()}")

    return make


def _both(*makes: Make) -> Make:
    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        for one in makes:
            yield from one(pointer, value, of)

    return make


def _condition(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    condition = of.conditions.get(pointer)
    for one in variants(condition, of.types) if condition is not None else ():
        yield Slip(pointer, one.family, text_of(one.root), one.said, one.offset)


def _instants(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """Expressions of which the first that is there counts: each left out, each broken, all in the other order."""
    if not isinstance(value, list):
        yield Slip(pointer, "clock", REMOVED)
        yield from _condition(pointer, value, of)
        return
    for index, one in enumerate(value):
        yield Slip((*pointer, index), "clock", REMOVED)
        yield from _condition((*pointer, index), one, of)
    if pointer[-1] != "stop":  # the earliest stop counts, wherever it stands
        yield from _reversed("clock")(pointer, value, of)


def _reversed(family: str) -> Make:
    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        if isinstance(value, list) and len(value) > 1:
            yield Slip(pointer, family, list(reversed(value)), "in reverse")

    return make


def _sibling(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """The next field beside the one that a path leads to, of the same type."""
    *names, last = value.split(".") if isinstance(value, str) else [""]
    condition = of.conditions.get(pointer)
    scope = of.scope if condition is None else condition.scope
    above = shape_at(Path(0, 0, tuple(names)), scope, of.types) if names and names[0] in scope else None
    fields = of.types.fields_of(above) if above is not None else {}
    alike = [name for name, part in fields.items() if last in fields and _alike(part.shape, fields[last].shape)]
    if len(alike) > 1:
        other = alike[(alike.index(last) + 1) % len(alike)]
        yield Slip(pointer, "value", ".".join((*names, other)))


def _alike(shape: Shape, other: Shape) -> bool:
    return (shape.type, shape.kinds) == (other.type, other.kinds)


def _numbers(value: Any, of: Written) -> Iterator[Any]:
    """A little less and a little more than a number, a share or a parameter that holds one."""
    if isinstance(value, str) and value.startswith("param."):
        value = of.ground.parameters.get(value.partition(".")[2])
    if isinstance(value, str) and value.endswith("%"):
        percent = int(parse_share(value) * 100)
        yield from (f"{other}%" for other in (percent - 1, percent + 1) if other >= 0)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        step = 1 if value == int(value) else 0.5
        yield from (other for other in (value - step, value + step) if other >= 0)


def _number(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    yield from (Slip(pointer, "threshold", other) for other in _numbers(value, of))


def _count(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    yield from (Slip(pointer, "threshold", other) for other in _numbers(value, of) if other)


def _share(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    yield from (Slip(pointer, "threshold", other) for other in _numbers(value, of) if other not in ("0%", 0))


def _amount(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """A span a little shorter and longer, and its working time as plain time; of a term, the other limits."""
    if not isinstance(value, str):
        return
    variable, _, name = value.partition(".")
    if variable == "term":
        others = [key for key, part in TERM.fields.items() if part.shape.type == "duration" and key != name]
        yield from (Slip(pointer, "threshold", f"term.{other}") for other in others)
        return
    known = of.ground.parameters.get(name) if variable == "param" else value
    if not isinstance(known, str) or not known[:1].isdigit():
        return
    duration = parse_duration(known)
    yield from (Slip(pointer, "threshold", str(other)) for other in _near(duration))
    if duration.unit in _PLAIN_DAYS:
        yield Slip(pointer, "calendar", f"{duration.amount}{_PLAIN_DAYS[duration.unit]}")


def _near(duration: Duration) -> Iterator[Duration]:
    """A little more and a little less: a second where there are seconds, else one of its unit."""
    seconds = duration.seconds
    amount, unit = (seconds, "s") if seconds is not None else (duration.amount, duration.unit)
    for other in (amount - 1, amount + 1):
        if other >= 0:
            yield Duration(other, unit)


def _calendar(pointer: Pointer, value: str, of: Written) -> Iterator[Slip]:
    ground = of.ground
    others = [name for name in ground.calendars if name != value]
    for other in others[:1] if value != "always" else [ground.working or (others or [""])[0]]:
        if other:
            yield Slip(pointer, "calendar", other)


def _role(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """Another role; of several that may act, one left out."""
    if isinstance(value, str):
        other = _other_role(value, of.ground)
        yield from [Slip(pointer, "role", other)] if other else []
    else:
        yield from _item_gone("role")(pointer, value, of)


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


def _related(pointer: Pointer, value: Mapping[str, str], of: Written) -> Iterator[Slip]:
    """Related records by another field that fits, or not by the value that they share; decisions of another level."""
    if "on" in value:
        yield Slip((*pointer, "on"), "value", REMOVED)
    if "decisions" in value:
        policy, _, level = value["decisions"].partition("/")
        names = of.levels.get(policy, ())
        others = [name for name in names if name != level]
        yield from (Slip((*pointer, "decisions"), "value", f"{policy}/{other}") for other in others)
        if level and others:
            yield Slip((*pointer, "decisions"), "value", policy)
        return
    kind = of.types.schemas.kinds.get(value["kind"])
    fields = kind.shape.fields if kind else {}
    for name, part in fields.items():
        same = value["by"] in fields and _alike(part.shape, fields[value["by"]].shape)
        if same and name != value["by"] and part.shape.type == "reference":
            yield Slip((*pointer, "by"), "value", name)


def _under(base: str, table: Table) -> Table:
    return tuple((f"{base}/{pattern}", make) for pattern, make in table)


# --- clocks and levels -----------------------------------------------------------------------------------------------


def _without_pauses(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    if "pauses" in value:
        rest = {key: one for key, one in value.items() if key not in ("pauses", "pausesWhen")}
        yield Slip(pointer, "clock", rest, "without pauses")


CLOCK: Table = (
    ("", _without_pauses),
    *((key, _instants) for key in ("start", "stop", "due")),
    *((key, _both(_gone("clock"), _condition)) for key in ("restarts", "met", "pausesWhen")),
    *((key, _gone("clock")) for key in ("reopened", "handedOver")),
    *((f"{key}/then", _other("clock", _THEN)) for key in ("reopened", "handedOver")),
    ("cycle", _other("clock", _CYCLES)),
    ("calendar", _calendar),
    ("working", _calendar),
    ("lasts", _amount),
    ("reached/count", _count),
    ("reached/of", _condition),
    ("reached/within", _amount),
)


def _severity(default: str) -> Make:
    def make(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
        now = value.get("severity", default)
        other = SEVERITIES[(SEVERITIES.index(now) + 1) % len(SEVERITIES)]
        yield Slip((*pointer, "severity"), "severity", other, "" if "severity" in value else f"→ {other}")

    return make


def _target(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    yield Slip(pointer, "role", REMOVED, "nobody for " + str(value.get("role") or value.get("person")))


def _made_kind(pointer: Pointer, value: str, of: Written) -> Iterator[Slip]:
    """Another kind of record that could be made of the same fields."""
    given = set(_at(of.spec, (*pointer[:-1], "set")))
    for name, schema in of.types.schemas.kinds.items():
        fields = schema.shape.fields
        if name != value and given <= set(fields) and not {f for f, part in fields.items() if part.required} - given:
            yield Slip(pointer, "follow-up", name)


def _made_value(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """Another value that the field may have."""
    *above, _, field, _ = pointer
    shape = of.types.schemas.kinds[_at(of.spec, (*above, "kind"))].shape.fields[str(field)].shape
    if shape.enum:
        names = [*shape.enum, *shape.enum]
        yield Slip(pointer, "value", names[names.index(value) + 1])
    elif isinstance(value, bool):
        yield Slip(pointer, "value", not value)
    else:
        yield from (Slip(pointer, "value", other) for other in _numbers(value, of))


FOLLOW_UP: Table = (
    ("", _gone("follow-up")),
    ("kind", _made_kind),
    ("set/*", _gone("follow-up")),
    ("set/*/value", _made_value),
    ("set/*/from", _sibling),
    ("set/*/keep", _both(_gone("follow-up"), _item_gone("follow-up"))),
    ("set/*/role", _role),
    ("set/*/of", _item_gone("role")),
)

WATCH: Table = (
    ("when", _condition),
    ("with/*", _related),
    *_under("clock", CLOCK),
    *((f"levels/*/{key}", _amount) for key in ("after", "of", "before", "past")),
    ("levels/*/share", _share),
    ("levels/*/every", _both(_gone("repeat"), _amount)),
    ("levels/*/when", _both(_gone("condition"), _condition)),
    ("levels/*/notify/*", _target),
    ("levels/*/notify/*/role", _role),
    ("levels/*/notify/*/of", _item_gone("role")),
    *_under("levels/*/create", FOLLOW_UP),
)


# --- approvals -------------------------------------------------------------------------------------------------------


def _narrower(pointer: Pointer, value: str, of: Written) -> Iterator[Slip]:
    """A pattern over whole folders that stops at the first."""
    if "**" in value:
        yield Slip(pointer, "value", value.replace("**", "*"))


def _kinds(pointer: Pointer, value: list[str], of: Written) -> Iterator[Slip]:
    """One kind of several left out; all of them, where a record of another kind could have what else the rule names."""
    yield from _item_gone("value")(pointer, value, of)
    change = _at(of.spec, pointer[:-1])
    named = {field.split("/")[2] for field in change.get("fields", ()) if field.startswith("/spec/")}
    others = (schema.shape.fields for kind, schema in of.types.schemas.kinds.items() if kind not in value)
    if not named or any(named & set(fields) for fields in others):
        yield Slip(pointer, "value", REMOVED)


def _at_least(pointer: Pointer, value: int, of: Written) -> Iterator[Slip]:
    """A rule about changes of many files that begins one file later or earlier."""
    for other in (value + 1, value - 1):
        if other > 1:
            yield Slip(pointer, "threshold", other, f"{value} → {other}")
    yield Slip(pointer, "threshold", REMOVED)


def _approver_count(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    count = value.get("count", 1)
    yield Slip((*pointer, "count"), "threshold", count + 1, f"{count} → {count + 1}")
    if count > 1:
        yield Slip((*pointer, "count"), "threshold", count - 1, f"{count} → {count - 1}")


def _together(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    """Whether one person may stand for several entries, where there are several."""
    if len(value["approvers"]) > 1:
        yield from _flag("role", "distinct", default=True)(pointer, value, of)


_ROLES: Table = (
    ("approvers/*", _gone("role")),
    ("approvers/*/role", _role),
    ("approvers/*/of", _both(_gone("role"), _item_gone("role"))),
)
_APPROVERS: Table = (
    ("", _together),
    ("approvers/*", _approver_count),
    *_ROLES,
)

APPROVAL: Table = (
    ("rules/*", _both(_gone("condition"), _flag("value", "exactBase", default=False))),
    *((f"rules/*/change/{key}", _both(_gone("value"), _item_gone("value"))) for key in ("fields", "paths")),
    ("rules/*/change/kinds", _kinds),
    ("rules/*/change/paths/*", _narrower),
    ("rules/*/change/atLeast", _at_least),
    ("rules/*/change/when", _both(_gone("condition"), _condition)),
    *_under("rules/*", _APPROVERS),
    ("default", _gone("condition")),
    *_under("default", _APPROVERS),
    *_under("emergency", _ROLES),
)


# --- lifecycles ------------------------------------------------------------------------------------------------------


def _states(of: Written) -> tuple[str, ...]:
    field = of.types.schemas.kinds[of.spec["subject"]].shape.fields[of.spec.get("field", "status")]
    return tuple(field.shape.enum)


def _begun(pointer: Pointer, value: list[str], of: Written) -> Iterator[Slip]:
    """A beginning that is not one."""
    for state in _states(of):
        if state not in value:
            yield Slip(pointer, "value", [*value, state], f"and {state}")


def _listed(spec: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (source, target)
        for one in spec.get("transitions", ())
        for source in _several(one["from"])
        for target in _several(one["to"])
    }


def _several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _moved(pointer: Pointer, value: list[Any], of: Written) -> Iterator[Slip]:
    """A transition too many: it says something only where others are forbidden."""
    known, states = _listed(of.spec), _states(of)
    for source in states if of.spec.get("others") == "forbidden" else ():
        for target in states:
            if source != target and (source, target) not in known:
                yield Slip(pointer, "value", [*value, {"from": source, "to": target}], f"and {source} → {target}")


def _unmoved(pointer: Pointer, value: Mapping[str, Any], of: Written) -> Iterator[Slip]:
    """A transition left out, or one of its ends: where others are free, it says something only with a requirement."""
    if of.spec.get("others") != "forbidden" and "requires" not in value:
        return
    yield Slip(pointer, "value", REMOVED)
    for end in ("from", "to"):
        yield from _item_gone("value")((*pointer, end), value[end], of)


LIFECYCLE: Table = (
    ("initial", _both(_gone("value"), _item_gone("value"), _begun)),
    ("others", _other("value", {"forbidden": "free"})),
    ("with/*", _related),
    ("states/*", _gone("condition")),
    ("states/*/requires", _condition),
    ("transitions", _moved),
    ("transitions/*", _unmoved),
    ("transitions/*/requires", _both(_gone("condition"), _condition)),
    ("changes/*", _gone("condition")),
    ("changes/*/requires", _condition),
)


# --- assessments -----------------------------------------------------------------------------------------------------


def _period(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    if isinstance(value, str):
        yield Slip(pointer, "value", _CYCLES[value])
    else:
        yield from _item_gone("value")(pointer, value, of)


def _ranked(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    yield Slip(pointer, "value", False, "→ false")
    if isinstance(value, Mapping):
        yield Slip(pointer, "value", True, "among all")


def _aggregated(pointer: Pointer, value: str, of: Written) -> Iterator[Slip]:
    """Another way to make one figure of several facts; a fact that is scored itself is the only one of its figure."""
    measure = _at(of.spec, pointer[:-1])
    if measure.get("by") == "fact" and "each" not in measure:
        return
    if value == "percentile":
        rest = {**measure, "type": "mean"}
        yield Slip(pointer[:-1], "value", {k: v for k, v in rest.items() if k != "percentile"}, "percentile → mean")
    else:
        yield from _other("value", _TYPES)(pointer, value, of)


def _unscored(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    yield Slip(pointer, "value", REMOVED, "no score")


MEASURE: Table = (
    ("type", _aggregated),
    ("with/*", _related),
    ("at", _instants),
    ("by", _both(_item_gone("role"), _reversed("role"))),
    ("where", _both(_gone("condition"), _condition)),
    ("value", _sibling),
    ("value/from", _instants),
    ("value/to", _instants),
    ("good", _condition),
    *_under("timely/clock", CLOCK),
    ("timely/limit", _both(_amount, _item_gone("threshold"), _reversed("threshold"))),
    ("timely/limit/*/amount", _amount),
    ("timely/limit/*/when", _both(_gone("condition"), _condition)),
    ("percentile", _number),
    ("unit", _other("value", _UNITS)),
)

_STAGES: Table = (
    ("weight", _both(_number, _item_gone("threshold"), _reversed("threshold"))),
    ("weight/*/weight", _number),
    ("weight/*/when", _both(_gone("condition"), _condition)),
)

ASSESSMENT: Table = (
    ("when", _both(_gone("condition"), _condition)),
    ("period", _period),
    ("rank", _ranked),
    *_under("parts/*", _STAGES),
    ("bands/*/size", _number),
    ("bands/*/multiplier", _number),
    ("bands/*/places", _number),
    *_under("bands/*/places", MEASURE),
    *((f"pool/{key}", _gone("value")) for key in ("within", "less")),
    ("measures/*", _gone("value")),
    *_under("measures/*", MEASURE),
    *_under("measures/*", _STAGES),
    ("measures/*/target", _number),
    ("measures/*/deduct", _both(_gone("threshold"), _number)),
    ("measures/*/score", _unscored),
    ("measures/*/score/kind", _other("value", _SCORES)),
    ("measures/*/score/table", _item_gone("threshold")),
    ("measures/*/score/table/*/from", _number),
    ("measures/*/score/table/*/score", _number),
)

TABLES: Mapping[str, Table] = {
    "EscalationPolicy": (*WATCH, ("levels/*", _severity("breach"))),
    "WarningPolicy": (*WATCH, ("levels/*", _severity("caution"))),
    "ApprovalPolicy": APPROVAL,
    "LifecyclePolicy": LIFECYCLE,
    "AssessmentPolicy": ASSESSMENT,
}
"""What is broken in each kind of policy: the parts of a spec, and how each is broken."""


def _at(spec: Any, pointer: Iterable[str | int]) -> Any:
    for step in pointer:
        spec = spec[step]
    return spec
