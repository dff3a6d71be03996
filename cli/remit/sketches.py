"""Facts made up so that a condition holds: the fewest fields that a schema asks for, and what the condition speaks of;
and days worth setting them on.

A sketch is a proposal and not a solver: it follows the condition's tree and chooses the first way that could make it
true. Whoever uses one asks afterwards whether the condition holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from remit.calendars import WorkCalendar
from remit.conditions.money import Money, literal
from remit.conditions.text import TURNED
from remit.conditions.tree import Call, Const, Has, ListOf, Macro, Node, Path, item_number
from remit.references import World
from remit.schemas import Field, Shape
from remit.times import format_instant, parse_share

_NOT = {"_<_": "_>=_", "_<=_": "_>_", "_>_": "_<=_", "_>=_": "_<_", "_==_": "_!=_", "_!=_": "_==_"}
_STEP = {"_<_": -1, "_>_": 1, "_<=_": 0, "_>=_": 0, "_==_": 0}

_TEXT, _DATE = "2026", "2026-01-01"
"""A text that is a name, a number and a period alike, and a date."""


@dataclass
class Sketch:
    """Rows that are being made up, by kind and name; ``moment`` is the instant that a new instant gets."""

    world: World
    moment: datetime
    takes_last: bool = False
    """Of the sides of an ``||`` the last is made to hold, not the first."""
    rows: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    items: dict[str, tuple[dict[str, Any], Shape]] = field(default_factory=dict)

    def add(self, kind: str, name: str) -> dict[str, Any]:
        """The row of that kind and name, made of its required fields when it is new."""
        if (kind, name) not in self.rows:
            known = self.world.get(kind, name)
            shape = self.world.schemas.kinds[kind].shape
            self.rows[kind, name] = dict(known.spec) if known else self._object(shape)
        return self.rows[kind, name]

    def written(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The rows as a case writes them: records of fixed home, then facts."""
        records, facts = [], []
        for (kind, name), spec in self.rows.items():
            if self.world.schemas.kinds[kind].home == "record":
                records.append({"kind": kind, "name": name, **spec})
            else:
                facts.append({"kind": kind, "id": name, **spec})
        return records, facts

    def instant(self) -> str:
        """The moment as text."""
        return format_instant(self.moment)

    # --- values

    def sample(self, shape: Shape) -> Any:
        """A value of that shape: the first of an enum, the first record that there is, the moment, as little else."""
        match shape.type:
            case "text":
                return shape.enum[0] if shape.enum else (_DATE if shape.unit == "date" else _TEXT)
            case "reference":
                return self._reference(shape)
            case "int" | "number":
                return "50%" if shape.unit == "share" else 1
            case "bool":
                return True
            case "instant":
                return self.instant()
            case "duration":
                return "1h"
            case "list":
                return [self.sample(shape.item)] if shape.item else []
            case "object":
                return self._object(shape)
        return _TEXT

    def _object(self, shape: Shape) -> dict[str, Any]:
        return {name: self._required(part) for name, part in shape.fields.items() if part.required}

    def _required(self, part: Field) -> Any:
        if part.shape.type == "list" and not part.schema.get("minItems", 0):
            return []
        return self.sample(part.shape)

    def _reference(self, shape: Shape) -> str:
        kinds = [kind for kind in shape.kinds if kind in self.world.schemas.kinds]
        for kind in kinds:
            if self.world.schemas.kinds[kind].home == "record" and (known := self.world.all(kind)):
                return known[0].name
        name = f"{kinds[0].lower()}-1"
        self.add(kinds[0], name)
        return name

    # --- paths

    def put(self, path: Path, value: Any) -> None:
        """Set the field that a path leads to; ``None`` takes it away. Records on the way join the sketch."""
        found = self._owner(path, make=value is not None)
        if found is None:
            return
        owner, _ = found
        if value is None:
            owner.pop(path.names[-1], None)
        else:
            owner[path.names[-1]] = value

    def shape_of(self, path: Path) -> Shape | None:
        """The shape of what a path leads to; None where it leads out of the sketch."""
        found = self._owner(path, make=True)
        part = found[1].fields.get(path.names[-1]) if found else None
        return part.shape if part else None

    def _owner(self, path: Path, *, make: bool) -> tuple[dict[str, Any], Shape] | None:
        """The object that holds the last field of a path."""
        if path.names[0] not in self.items or len(path.names) < 2:
            return None
        if item_number(path.names[-1]) is not None:
            return None
        value: Any
        value, shape = self.items[path.names[0]]
        for name in path.names[1:-1]:
            number = item_number(name)
            if number is not None and shape.item is not None:
                if len(value) <= number and not make:
                    return None
                value += [self.sample(shape.item) for _ in range(number + 1 - len(value))]
                value, shape = self._followed(value[number], shape.item)
                continue
            part = shape.fields.get(name)
            if part is None or (name not in value and not make):
                return None
            value[name] = value.get(name) or self.sample(part.shape)
            value, shape = self._followed(value[name], part.shape)
        return value, shape

    def _followed(self, value: Any, shape: Shape) -> tuple[Any, Shape]:
        """What a value stands for: the record that a reference names, which joins the sketch."""
        if shape.type != "reference":
            return value, shape
        kind = shape.kinds[0]
        return self.add(kind, value), self.world.schemas.kinds[kind].shape

    def value(self, path: Path) -> Any:
        """What a path leads to; 1 where there is nothing yet, so that it can be compared with."""
        found = self._owner(path, make=False)
        value = found[0].get(path.names[-1], 1) if found else 1
        part = found[1].fields.get(path.names[-1]) if found else None
        return float(parse_share(value)) if part and part.shape.unit == "share" and isinstance(value, str) else value

    # --- conditions

    def satisfy(self, node: Node, wanted: bool = True) -> None:
        """Set what makes ``node`` come out as ``wanted``, as far as a look at it tells."""
        match node:
            case Call(function="!_", args=(inner,)):
                self.satisfy(inner, not wanted)
            case Call(function="_&&_" | "_||_" as function, args=(left, right)):
                if (function == "_&&_") == wanted:
                    self.satisfy(left, wanted)
                    self.satisfy(right, wanted)
                else:
                    self.satisfy(right if self.takes_last else left, wanted)
            case Has(path=path):
                shape = self.shape_of(path) if wanted else None
                self.put(path, self.sample(shape) if shape else None)
            case Path():
                self.put(node, wanted)
            case Call(function="@in", args=(Path() as path, ListOf(items=items))):
                self._choose(path, [item.value for item in items if isinstance(item, Const)], wanted)
            case Call(function=function, args=(Path() as path, Const(value=value))) if function in _NOT:
                self._compare(path, function if wanted else _NOT[function], value)
            case Call(function=function, args=(Const(value=value), Path() as path)) if function in _NOT:
                self._compare(path, TURNED[function if wanted else _NOT[function]], value)
            case Call(function=sign, args=(left, Call(function="double" | "int", args=(right,)))) if sign in _NOT:
                self.satisfy(replace(node, args=(left, right)), wanted)
            case Call(function=sign, args=(Call(function="double" | "int", args=(left,)), right)) if sign in _NOT:
                self.satisfy(replace(node, args=(left, right)), wanted)
            case Call(function=function, args=(Path(names=("param", *_)) as other, Path() as path)) if function in _NOT:
                self.satisfy(replace(node, function=TURNED[function], args=(path, other)), wanted)
            case Call(function=function, args=(Path() as path, Path() as other)) if function in _NOT:
                self._compare(path, function if wanted else _NOT[function], self.value(other))
            case Call(function=function, args=(Path() as path, Call(function="money") as other)) if function in _NOT:
                self._pay(path, function if wanted else _NOT[function], literal(other))
            case Call(function="_>_" | "_>=_" as function, args=(Call(function="size", args=(Path() as path,)), bound)):
                if isinstance(bound, Const):
                    self._sized(path, bound.value + _STEP[function], wanted)
            case Macro(name="exists" | "all" as name, over=Path() as over, variable=variable, bodies=(body,)):
                self._items(over, variable, body, name == "exists", wanted)

    def _choose(self, path: Path, values: list[Any], wanted: bool) -> None:
        shape = self.shape_of(path)
        others = [value for value in (shape.enum if shape else ()) if value not in values]
        chosen = values if wanted else others
        if chosen:
            self.put(path, chosen[0])

    def _compare(self, path: Path, function: str, value: Any) -> None:
        if isinstance(value, str | bool):
            self._choose(path, [value], function == "_==_")
        elif isinstance(value, int | float):
            self.put(path, value + _STEP.get(function, 1))

    def _pay(self, path: Path, function: str, money: Money | None) -> None:
        if money is not None:
            self.put(path, {"amount": float(money.amount) + _STEP.get(function, 1), "currency": money.currency})

    def _sized(self, path: Path, size: int, wanted: bool) -> None:
        """A list of so many items at least; of fewer where that is not wanted."""
        shape, known = self.shape_of(path), self.value(path)
        if shape is None or shape.item is None:
            return
        listed = known if isinstance(known, list) else []
        more = [self.sample(shape.item) for _ in range(size - len(listed))]
        self.put(path, listed + more if wanted else listed[: size - 1])

    def _items(self, over: Path, variable: str, body: Node, exists: bool, wanted: bool) -> None:
        """``exists`` wants one item for which the body holds; ``all`` and their negations are content with none."""
        shape = self.shape_of(over)
        if shape is None or shape.item is None or shape.item.type != "object" or not (exists and wanted):
            return
        item = self._object(shape.item)
        self.put(over, [item])
        self.items[variable] = (item, shape.item)
        self.satisfy(body)
        del self.items[variable]


class Days:
    """Days of one year worth a look, by a calendar of working days; without one, Monday to Friday are working days.

    The year is that of ``at``, or the last that the calendar has.
    """

    def __init__(self, calendar: WorkCalendar | None, zone: tzinfo, at: datetime) -> None:
        self._calendar = calendar
        self._zone = zone
        years = sorted(calendar.years) if calendar else []
        self._year = at.year if not years or at.year in years else years[-1]

    def ordinary(self, at: time) -> datetime:
        """That time on the first Tuesday of the year with three working days after it."""
        tuesdays = (day for n in range(1, 360) if (day := date(self._year, 1, 1) + timedelta(days=n)).weekday() == 1)
        found = (day for day in tuesdays if all(self._is_working(day + timedelta(days=n)) for n in range(4)))
        return self._moment(next(found, date(self._year, 3, 3)), at)

    def before_holiday(self, at: time) -> datetime | None:
        """That time on the last working day before a holiday far enough into the year."""
        return self._eve(sorted(self._calendar.holidays) if self._calendar else [], at)

    def before_make_up(self, at: time) -> datetime | None:
        """That time on the last working day before a make-up working day far enough into the year."""
        return self._eve(sorted(self._calendar.makeup) if self._calendar else [], at)

    def _eve(self, days: list[date], at: time) -> datetime | None:
        first = next((day for day in days if day >= date(self._year, 2, 1)), None)
        if first is None:
            return None
        eve = first - timedelta(days=1)
        while not self._is_working(eve):
            eve -= timedelta(days=1)
        return self._moment(eve, at)

    def _is_working(self, day: date) -> bool:
        return self._calendar.is_working_day(day) if self._calendar else day.weekday() < 5

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self._zone)


def known_of(world: World, shape: Shape) -> Iterator[str]:
    """The names of the records that a reference may name, by name."""
    for kind in shape.kinds:
        yield from (one.name for one in world.all(kind))
