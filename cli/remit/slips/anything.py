"""Slips that any policy may have: a part left out, another value, a condition or a number a little off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remit.conditions.checks import shape_at
from remit.conditions.messages import TERM
from remit.conditions.text import text_of
from remit.conditions.tree import Path
from remit.places import Pointer
from remit.schemas import Shape
from remit.slips.written import REMOVED, Ground, Holders, Make, Slip, Table, Written
from remit.times import Duration, parse_duration, parse_share
from remit.variants import variants

CYCLES = {"month": "quarter", "quarter": "month", "half_year": "year", "year": "half_year"}
_PLAIN_DAYS = {"wd": "d", "wh": "h"}


def gone(family: str) -> Make:
    """The part left out."""

    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        yield Slip(pointer, family, REMOVED)

    return make


def item_gone(family: str) -> Make:
    """One item of several left out; the only one is left out with what holds it."""

    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        for index in range(len(value)) if isinstance(value, list) and len(value) > 1 else ():
            yield Slip((*pointer, index), family, REMOVED)

    return make


def another(family: str, values: Mapping[Any, Any]) -> Make:
    """A value that stands in a table of what is taken for what."""

    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        if not isinstance(value, list | dict) and value in values:
            yield Slip(pointer, family, values[value])

    return make


def turned(family: str, name: str, default: bool) -> Make:
    """A switch turned over, written or not."""

    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        new = not value.get(name, default)
        yield Slip((*pointer, name), family, new, f"→ {str(new).lower()}")

    return make


def both(*makes: Make) -> Make:
    """The slips of several kinds, one kind after the other."""

    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        for one in makes:
            yield from one(pointer, value, of)

    return make


def conditions(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """Every way in which a condition may be slightly another (``variants``)."""
    condition = of.conditions.get(pointer)
    for one in variants(condition, of.types) if condition is not None else ():
        yield Slip(pointer, one.family, text_of(one.root), one.said, one.offset)


def instants(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """Expressions of which the first that is there counts: each left out, each broken, all in the other order."""
    if not isinstance(value, list):
        yield Slip(pointer, "clock", REMOVED)
        yield from conditions(pointer, value, of)
        return
    for index, one in enumerate(value):
        yield Slip((*pointer, index), "clock", REMOVED)
        yield from conditions((*pointer, index), one, of)
    if pointer[-1] != "stop":  # the earliest stop counts, wherever it stands
        yield from backwards("clock")(pointer, value, of)


def backwards(family: str) -> Make:
    """A list in the other order."""

    def make(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
        if isinstance(value, list) and len(value) > 1:
            yield Slip(pointer, family, list(reversed(value)), "in reverse")

    return make


def siblings(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
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


def numbers(value: Any, of: Written) -> Iterator[Any]:
    """A little less and a little more than a number, a share or a parameter that holds one."""
    if isinstance(value, str) and value.startswith("param."):
        value = of.ground.parameters.get(value.partition(".")[2])
    if isinstance(value, str) and value.endswith("%"):
        percent = int(parse_share(value) * 100)
        yield from (f"{other}%" for other in (percent - 1, percent + 1) if other >= 0)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        step = 1 if value == int(value) else 0.5
        yield from (other for other in (value - step, value + step) if other >= 0)


def number(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """A threshold a little less and a little more."""
    yield from (Slip(pointer, "threshold", other) for other in numbers(value, of))


def count(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """The same of what is at least one."""
    yield from (Slip(pointer, "threshold", other) for other in numbers(value, of) if other)


def share(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """The same of a share above nothing."""
    yield from (Slip(pointer, "threshold", other) for other in numbers(value, of) if other not in ("0%", 0))


def amounts(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
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


def calendars(pointer: Pointer, value: str, of: Written) -> Iterator[Slip]:
    """Another calendar; working time where time is plain."""
    ground = of.ground
    others = [name for name in ground.calendars if name != value]
    for other in others[:1] if value != "always" else [ground.working or (others or [""])[0]]:
        if other:
            yield Slip(pointer, "calendar", other)


def roles(pointer: Pointer, value: Any, of: Written) -> Iterator[Slip]:
    """Another role; of several that may act, one left out."""
    if isinstance(value, str):
        other = _other_role(value, of.ground)
        yield from [Slip(pointer, "role", other)] if other else []
    else:
        yield from item_gone("role")(pointer, value, of)


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


def relations(pointer: Pointer, value: Mapping[str, str], of: Written) -> Iterator[Slip]:
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


def under(base: str, table: Table) -> Table:
    """A table of the parts below a part."""
    return tuple((f"{base}/{pattern}", make) for pattern, make in table)
