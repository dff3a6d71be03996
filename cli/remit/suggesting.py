"""Cases that a policy's author should look at: its boundaries, worked out by the engine for somebody to confirm.

For each level that waits for a time: exactly due and one second before. For the policy: a start on the eve of a
holiday, before a make-up working day and before midnight, a pause, work taken up again, and a stop at the very limit.
What a case expects is what the policy decides today; whether that is right only its author can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any

from remit.calendars import WorkCalendar
from remit.conditions.condition import Condition
from remit.conditions.tree import Path
from remit.decisions import Decision
from remit.engine import Rulebook, timeline
from remit.evaluating import Loaded
from remit.policies.clocking import Calendars, Window
from remit.policies.watch import Level, Watch
from remit.references import Entity, World, check_references
from remit.sketches import Sketch, known_of
from remit.times import format_instant, in_zone

_SECOND = timedelta(seconds=1)
_HORIZONS = (timedelta(days=1), timedelta(days=30), timedelta(days=800))
"""How far ahead a level is looked for; a level that repeats is found before it has repeated often."""
_DUE_AFTER = timedelta(days=20)
_MORNING, _AFTERNOON, _NIGHT = time(10), time(16), time(23, 50)
_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class _Scene:
    """Facts of one case: their rows, the subject among them, and when its clock starts."""

    rows: Mapping[tuple[str, str], Mapping[str, Any]]
    subject: str
    begin: datetime


Change = Callable[[Sketch, dict[str, Any]], None]


def suggest(loaded: Loaded, watch: Watch, at: datetime) -> list[dict[str, Any]]:
    """Cases for a watching policy, by what they are about; empty where no facts were found that make it decide.

    Args:
        at: Working days are looked for in the year of this moment, or in the last year that the calendar has.
    """
    return list(_Author(loaded, watch, at).cases())


class _Author:
    def __init__(self, loaded: Loaded, watch: Watch, at: datetime) -> None:
        self._loaded = loaded
        self._watch = watch
        records = (k for k, schema in loaded.schemas.kinds.items() if schema.home == "record")
        kept = [entity for kind in sorted(records) for entity in loaded.case_world.all(kind)]
        self._world = World(loaded.schemas, kept, loaded.snapshot.config)
        self._calendar = self._working()
        self._year = _year(self._calendar, at)

    def cases(self) -> Iterator[dict[str, Any]]:
        for level in self._watch.levels:
            if level.trigger.kind == "start":
                yield from self._standing(level)
            else:
                yield from self._boundary(level)
        timed = next((level for level in self._watch.levels if level.trigger.kind != "start"), None)
        if timed is not None:
            yield from self._days(timed)
            yield from self._turns(timed)

    # --- what the cases are about

    def _standing(self, level: Level) -> Iterator[dict[str, Any]]:
        scene = self._scene(level, self._morning())
        if scene and self._first(scene, level):
            yield self._at(f"{level.name} holds", scene, self._morning())

    def _boundary(self, level: Level) -> Iterator[dict[str, Any]]:
        scene = self._scene(level, self._morning())
        due = self._first(scene, level) if scene else None
        if scene and due:
            yield self._at(f"{level.name} is exactly due", scene, due)
            yield self._at(f"one second before {level.name} is due", scene, due - _SECOND)

    def _days(self, level: Level) -> Iterator[dict[str, Any]]:
        for name, begin in (
            ("from the eve of a holiday on", self._eve(self._holidays(), _AFTERNOON)),
            ("across a make-up working day", self._eve(self._make_up(), _AFTERNOON)),
            ("across midnight", self._moment(self._ordinary(), _NIGHT)),
        ):
            scene = self._scene(level, begin) if begin else None
            due = self._first(scene, level) if scene else None
            if scene and due and begin:
                yield self._over(f"{level.name} {name}", scene, begin - _SECOND, due)

    def _turns(self, level: Level) -> Iterator[dict[str, Any]]:
        begin = self._morning()
        plain = self._scene(level, begin)
        due = self._first(plain, level) if plain else None
        if plain is None or due is None or self._watch.clock is None:
            return
        rule = self._watch.clock
        if rule.pauses is not None and (scene := self._scene(level, begin, self._paused(begin))):
            yield self._over(f"{level.name} across a pause", scene, begin - _SECOND, due + 2 * _PAUSE)
        stop = next((c.root for c in rule.stop if isinstance(c.root, Path)), None)
        if stop is not None and (scene := self._scene(level, begin, _putting(stop, due))):
            yield self._over(f"{level.name} is not reached by a clock that stops at that instant", scene, begin, due)
        if rule.reopened is not None and (scene := self._scene(level, begin, self._reopened(begin, due))):
            yield self._over(
                f"{level.name} after the work was taken up again", scene, begin - _SECOND, due + (due - begin)
            )

    def _paused(self, begin: datetime) -> Change:
        rule = self._watch.clock
        assert rule is not None and rule.pauses is not None
        path, kind, approved = rule.pauses, rule.pause_kind, rule.pause_approved
        fields = self._loaded.schemas.kinds[kind].pause or {}

        def change(sketch: Sketch, subject: dict[str, Any]) -> None:
            name = f"{kind.lower()}-1"
            row = sketch.add(kind, name)
            row[fields["start"]] = format_instant(begin + _PAUSE / 2)
            row[fields["end"]] = format_instant(begin + _PAUSE * 3 / 2)
            shape = self._loaded.schemas.kinds[kind].shape
            for field, part in shape.fields.items():
                if self._watch.subject in part.shape.kinds:
                    row[field] = f"{self._watch.subject.lower()}-1"
            sketch.items["item"] = (row, shape)
            if approved is not None:
                sketch.satisfy(approved.root)
            sketch.put(path, [name])

        return change

    def _reopened(self, begin: datetime, due: datetime) -> Change:
        rule = self._watch.clock
        assert rule is not None and rule.reopened is not None
        reopened = rule.reopened
        middle = begin + (due - begin) / 2

        def change(sketch: Sketch, subject: dict[str, Any]) -> None:
            shape = sketch.shape_of(reopened.path)
            item = sketch.sample(shape.item) if shape and shape.item else {}
            item |= {reopened.at: format_instant(middle), reopened.to: format_instant(middle + _PAUSE)}
            sketch.put(reopened.path, [item])

        return change

    # --- facts

    def _scene(self, level: Level, begin: datetime, change: Change | None = None) -> _Scene | None:
        """Facts whose clock starts at ``begin`` and for which the level decides something; None where none are found.

        Where a term governs, every record that the subject may be about is tried until one brings the level about.
        """
        for preset, takes_last in product(self._presets(), (False, True)):
            plain = self._sketched(level, begin, preset, takes_last, None)
            if plain is not None and self._first(plain, level):
                return plain if change is None else self._sketched(level, begin, preset, takes_last, change)
        return None

    def _presets(self) -> Iterator[Mapping[str, Any]]:
        """Nothing, and where a term governs each service with its customer."""
        yield {}
        fields = self._loaded.schemas.kinds[self._watch.subject].shape.fields
        if not self._watch.uses_term or "service" not in fields:
            return
        for name in known_of(self._world, fields["service"].shape):
            service = self._world.find(fields["service"].shape.kinds, name)
            customer = service.spec.get("customer") if service else None
            yield {"service": name, **({"customer": customer} if customer and "customer" in fields else {})}

    def _sketched(
        self, level: Level, begin: datetime, preset: Mapping[str, Any], takes_last: bool, change: Change | None
    ) -> _Scene | None:
        watch = self._watch
        sketch = Sketch(self._world, begin, takes_last)
        name = f"{watch.subject.lower()}-1"
        shape = self._loaded.schemas.kinds[watch.subject].shape
        subject = sketch.add(watch.subject, name)
        subject.update(preset)
        sketch.items["subject"] = (subject, shape)
        if watch.each is not None:
            listed = sketch.shape_of(watch.each.path)
            if listed is None or listed.item is None:
                return None
            item = sketch.sample(listed.item)
            sketch.put(watch.each.path, [item])
            sketch.items[watch.each.variable] = (item, listed.item)
        for condition in (watch.when, level.when):
            if condition is not None:
                sketch.satisfy(condition.root)
        self._clock(sketch, begin)
        if change is not None:
            change(sketch, subject)
        problems = [p for (kind, _), row in sketch.rows.items() for p in self._problems(kind, row)]
        scene = _Scene(sketch.rows, f"{watch.subject}/{name}", begin)
        return None if problems or list(self._broken(scene)) else scene

    def _clock(self, sketch: Sketch, begin: datetime) -> None:
        rule = self._watch.clock
        if rule is None:
            return
        for path in _paths(rule.stop):
            sketch.put(path, None)
        for path in _paths(rule.start)[:1]:
            sketch.put(path, format_instant(begin))
        for path in _paths(rule.due)[:1]:
            sketch.put(path, format_instant(begin + _DUE_AFTER))

    def _problems(self, kind: str, row: Mapping[str, Any]) -> Iterator[Any]:
        return self._loaded.schemas.kinds[kind].problems(row, of="spec")

    def _broken(self, scene: _Scene) -> Iterator[Any]:
        return iter(tuple(check_references(self._around(scene), self._entities(scene), "row-reference")))

    def _entities(self, scene: _Scene) -> list[Entity]:
        place = self._watch.record.place()
        return [Entity(kind, name, spec, place) for (kind, name), spec in scene.rows.items()]

    def _around(self, scene: _Scene) -> World:
        kinds = self._loaded.schemas.kinds
        kept = [e for kind in kinds for e in self._world.all(kind) if (kind, e.name) not in scene.rows]
        return World(self._loaded.schemas, [*self._entities(scene), *kept], self._loaded.snapshot.config)

    # --- decisions

    def _decided(self, scene: _Scene, window: Window, read_at: datetime | None) -> list[Decision]:
        rulebook = Rulebook([self._watch], self._loaded.compiler)
        try:
            world, wording = self._around(scene), self._loaded.wording
            found = timeline(rulebook, world, window, wording, read_at=read_at, subjects=[scene.subject])
        finally:
            rulebook.close()
        return [d for d in found.decisions if read_at is None or d.in_force(read_at)]

    def _first(self, scene: _Scene, level: Level) -> datetime | None:
        """When the level is first decided; the moment asked about for one that stands."""
        for horizon in _HORIZONS:
            end = scene.begin + horizon
            decided = [d for d in self._decided(scene, Window(None, end), None) if d.level == level.name]
            if decided:
                return decided[0].at or end
        return None

    def _at(self, name: str, scene: _Scene, at: datetime) -> dict[str, Any]:
        expect = _expected(self._decided(scene, Window(None, at), at))
        return {"name": name, **self._rows(scene), "at": self._text(at), "expect": expect}

    def _over(self, name: str, scene: _Scene, start: datetime, end: datetime) -> dict[str, Any]:
        expect = _expected(self._decided(scene, Window(start, end), None))
        body = {"from": self._text(start), "to": self._text(end), "expect": expect}
        return {"name": name, **self._rows(scene), **body}

    def _rows(self, scene: _Scene) -> dict[str, Any]:
        sketch = Sketch(self._world, scene.begin, rows={key: dict(row) for key, row in scene.rows.items()})
        records, facts = sketch.written()
        return {key: rows for key, rows in (("records", records), ("facts", facts)) if rows}

    def _text(self, moment: datetime) -> str:
        return format_instant(in_zone(moment, self._world.zone))

    # --- days

    def _working(self) -> WorkCalendar | None:
        calendars = Calendars(self._world)
        name = (self._watch.clock and self._watch.clock.working) or self._world.config.calendar
        return calendars.named(name) if name else None

    def _holidays(self) -> list[date]:
        return sorted(self._calendar.holidays) if self._calendar else []

    def _make_up(self) -> list[date]:
        return sorted(self._calendar.makeup) if self._calendar else []

    def _ordinary(self) -> date:
        """The first Tuesday of the year with three working days after it."""
        days = (date(self._year, 1, 1) + timedelta(days=n) for n in range(1, 360))
        return next(
            (d for d in days if d.weekday() == 1 and all(self._is_working(d + timedelta(days=n)) for n in range(4))),
            date(self._year, 3, 3),
        )

    def _is_working(self, day: date) -> bool:
        return self._calendar.is_working_day(day) if self._calendar else day.weekday() < 5

    def _eve(self, days: list[date], at: time) -> datetime | None:
        """The last working day before the first of ``days`` that is far enough into the year."""
        first = next((day for day in days if day >= date(self._year, 2, 1)), None)
        if first is None:
            return None
        eve = first - timedelta(days=1)
        while not self._is_working(eve):
            eve -= timedelta(days=1)
        return self._moment(eve, at)

    def _morning(self) -> datetime:
        return self._moment(self._ordinary(), _MORNING)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self._world.zone)


def _year(calendar: WorkCalendar | None, at: datetime) -> int:
    years = sorted(calendar.years) if calendar else []
    return at.year if not years or at.year in years else years[-1]


def _paths(conditions: tuple[Condition, ...]) -> list[Path]:
    return [c.root for c in conditions if isinstance(c.root, Path)]


def _putting(path: Path, moment: datetime) -> Change:
    return lambda sketch, subject: sketch.put(path, format_instant(moment))


def _expected(decisions: list[Decision]) -> list[dict[str, Any]]:
    return [
        {
            "level": d.level,
            **({"at": format_instant(d.at)} if d.at else {}),
            "severity": d.severity,
            "told": sorted(t.person for t in d.notify),
        }
        for d in decisions
    ]
