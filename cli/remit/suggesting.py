"""Cases that a policy's author should look at: its boundaries, worked out by the engine for somebody to confirm.

For each level that waits for a time: exactly due and one second before. For the policy: a start on the eve of a
holiday, before a make-up working day and before midnight, a pause, work taken up again, and a stop at the very limit.
For a policy that reacts to the decisions of others: as few of those as make it decide, one fewer, one that just fails
to be made, and the last of them exactly within the span of time that counts and one second after it.
What a case expects is what the policy decides today; whether that is right only its author can say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import product
from typing import Any, NamedTuple

from remit.calendars import always
from remit.clocks import Clock
from remit.conditions.condition import Bindings, Condition
from remit.conditions.text import conjuncts
from remit.conditions.tree import Has, Path
from remit.decisions import Decision
from remit.engine import Rulebook, timeline
from remit.evaluating import Loaded
from remit.policies.clocking import Calendars, Window, amount_of
from remit.policies.reading import ClockRule
from remit.policies.watch import Level, Watch
from remit.references import Entity, World, check_references
from remit.sketches import Days, Sketch, known_of
from remit.times import format_instant, in_zone

_SECOND = timedelta(seconds=1)
_HORIZONS = (timedelta(days=1), timedelta(days=30), timedelta(days=800))
"""How far ahead a level is looked for; a level that repeats is found before it has repeated often."""
_DUE_AFTER = timedelta(days=20)
_MORNING, _AFTERNOON, _NIGHT = time(10), time(16), time(23, 50)
_PAUSE = timedelta(hours=1)
_MOST_HEARD = 5


class _Heard(NamedTuple):
    """A fact about which another policy decides from ``at`` on; not ``holds``: about which it just fails to decide."""

    at: datetime
    holds: bool = True


@dataclass(frozen=True)
class _Scene:
    """Facts of one case: their rows, the subject among them, when its clock starts, and what other policies hear."""

    rows: Mapping[tuple[str, str], Mapping[str, Any]]
    subject: str
    begin: datetime
    heard: tuple[_Heard, ...] = ()


Change = Callable[[Sketch, dict[str, Any]], None]
Hearing = Callable[[tuple[_Heard, ...]], tuple[_Heard, ...]]


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
        calendars = Calendars(self._world)
        name = (watch.clock and watch.clock.working) or self._world.config.calendar
        self._days_of = Days(calendars.named(name) if name else None, self._world.zone, at)

    def cases(self) -> Iterator[dict[str, Any]]:
        for level in self._watch.levels:
            if level.trigger.kind == "start":
                yield from self._standing(level)
            else:
                yield from self._boundary(level)
            if self._watch.sources:
                yield from self._chained(level)
        timed = next((level for level in self._watch.levels if level.trigger.kind != "start"), None)
        if timed is not None:
            yield from self._days(timed)
            yield from self._turns(timed)

    # --- what the cases are about

    def _standing(self, level: Level) -> Iterator[dict[str, Any]]:
        begin = self._days_of.ordinary(_MORNING)
        scene = self._scene(level, begin)
        due = self._first(scene, level) if scene else None
        if scene and due:
            stands = any(d.level == level.name for d in self._decided(scene, Window(None, begin), begin))
            yield self._at(f"{level.name} holds", scene, begin if stands else due)

    def _boundary(self, level: Level) -> Iterator[dict[str, Any]]:
        scene = self._scene(level, self._days_of.ordinary(_MORNING))
        due = self._first(scene, level) if scene else None
        if scene and due:
            yield self._at(f"{level.name} is exactly due", scene, due)
            yield self._at(f"one second before {level.name} is due", scene, due - _SECOND)

    def _chained(self, level: Level) -> Iterator[dict[str, Any]]:
        begin = self._days_of.ordinary(_MORNING)
        plain = self._scene(level, begin)
        due = self._first(plain, level) if plain else None
        if plain is None or due is None:
            return
        sources = " and ".join(sorted(one.decisions for one in self._watch.related.values() if one.decisions))
        end = due + _SECOND
        for name, hearing in (
            (f"{sources} once too few for {level.name}", lambda heard: heard[:-1]),
            (f"{sources} just not made, so no {level.name}", lambda heard: (*heard[:-1], _Heard(begin, False))),
        ):
            scene = self._scene(level, begin, hearing=hearing)
            if scene and not self._decides(scene, level, end):
                yield self._over(name, scene, begin - _SECOND, end)
        yield from self._within(level, begin, sources)

    def _within(self, level: Level, begin: datetime, sources: str) -> Iterator[dict[str, Any]]:
        """The last of several decisions at the end of the span in which they count together, and just after it."""
        last = self._end_of_span(begin)
        if last is None:
            return
        inside = self._scene(level, begin, hearing=lambda heard: (*heard[:-1], _Heard(last)))
        outside = self._scene(level, begin, hearing=lambda heard: (*heard[:-1], _Heard(last + _SECOND)))
        due = self._first(inside, level) if inside else None
        if inside is None or outside is None or due is None or self._decides(outside, level, due + _SECOND):
            return
        yield self._over(f"{level.name} when the last {sources} is just in time", inside, begin - _SECOND, due)
        name = f"no {level.name} when the last {sources} is one second late"
        yield self._over(name, outside, begin - _SECOND, due + _SECOND)

    def _end_of_span(self, begin: datetime) -> datetime | None:
        reached = self._watch.clock.reached if self._watch.clock else None
        if reached is None:
            return None
        bindings = Bindings(self._world, {"param": self._parameters()}, self._watch.scope)
        span = amount_of(reached.within, bindings, {})
        return Clock(begin, None, always(self._world.zone)).crossing(span) if span else None

    def _decides(self, scene: _Scene, level: Level, until: datetime) -> bool:
        return any(d.level == level.name for d in self._decided(scene, Window(None, until), None))

    def _days(self, level: Level) -> Iterator[dict[str, Any]]:
        for name, begin in (
            ("from the eve of a holiday on", self._days_of.before_holiday(_AFTERNOON)),
            ("across a make-up working day", self._days_of.before_make_up(_AFTERNOON)),
            ("across midnight", self._days_of.ordinary(_NIGHT)),
        ):
            scene = self._scene(level, begin) if begin else None
            due = self._first(scene, level) if scene else None
            if scene and due and begin:
                yield self._over(f"{level.name} {name}", scene, begin - _SECOND, due)

    def _turns(self, level: Level) -> Iterator[dict[str, Any]]:
        begin = self._days_of.ordinary(_MORNING)
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

    def _scene(
        self, level: Level, begin: datetime, change: Change | None = None, hearing: Hearing | None = None
    ) -> _Scene | None:
        """Facts whose clock starts at ``begin`` and for which the level decides something; None where none are found.

        Where a term governs, every record that the subject may be about is tried until one brings the level about;
        where other policies are heard, ever more of their decisions. What is found is then made anew as ``change`` and
        ``hearing`` want it.
        """
        most = _MOST_HEARD if self._watch.sources else 0
        for count in range(min(most, 1), most + 1):
            heard = (_Heard(begin),) * count
            for preset, takes_last in product(self._presets(), (False, True)):
                plain = self._sketched(level, begin, preset, takes_last, None, heard)
                if plain is not None and self._first(plain, level):
                    if change is None and hearing is None:
                        return plain
                    wanted = hearing(heard) if hearing else heard
                    return self._sketched(level, begin, preset, takes_last, change, wanted)
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
        self,
        level: Level,
        begin: datetime,
        preset: Mapping[str, Any],
        takes_last: bool,
        change: Change | None,
        heard: tuple[_Heard, ...],
    ) -> _Scene | None:
        watch = self._watch
        sketch = Sketch(self._world, begin, takes_last)
        sketch.items["param"] = (self._parameters(), self._loaded.compiler.types.param)
        name = f"{watch.subject.lower()}-1"
        subject = sketch.add(watch.subject, name)
        subject.update(preset)
        if not self._told(sketch, watch, name, heard) or not self._judged(sketch, watch, subject, level, _Heard(begin)):
            return None
        if change is not None:
            change(sketch, subject)
        problems = [p for (kind, _), row in sketch.rows.items() for p in self._problems(kind, row)]
        scene = _Scene(sketch.rows, f"{watch.subject}/{name}", begin, heard)
        return None if problems or list(self._broken(scene)) else scene

    def _judged(self, sketch: Sketch, watch: Watch, subject: dict[str, Any], level: Level, wanted: _Heard) -> bool:
        """Make ``subject`` one that a watch judges so; False where it watches the items of a list that is none."""
        sketch.moment = wanted.at
        shape = self._loaded.schemas.kinds[watch.subject].shape
        sketch.items["subject"] = (subject, shape)
        if watch.each is not None:
            listed = sketch.shape_of(watch.each.path)
            if listed is None or listed.item is None:
                return False
            item = sketch.sample(listed.item)
            sketch.put(watch.each.path, [item])
            sketch.items[watch.each.variable] = (item, listed.item)
        conditions = [condition for condition in (watch.when, level.when) if condition is not None]
        for condition in conditions:
            sketch.satisfy(condition.root)
        if not wanted.holds:
            tests = [part for one in conditions for part in conjuncts(one.root) if not isinstance(part, Has)]
            for part in tests[:1]:
                sketch.satisfy(part, False)
        self._clock(sketch, watch.clock, wanted.at)
        return True

    def _told(self, sketch: Sketch, watch: Watch, name: str, heard: tuple[_Heard, ...]) -> bool:
        """Make facts about which the policies that ``watch`` hears decide, all of them belonging to ``name``."""
        sources = {source.name: source for source in watch.sources}
        for related in (one for one in watch.related.values() if one.decisions):
            policy, _, wanted = related.decisions.partition("/")
            source = sources[policy]
            level = next(one for one in source.levels if wanted in ("", one.name))
            for one in heard:
                sketch.moment = one.at
                number = 1 + sum(kind == source.subject for kind, _ in sketch.rows)
                own = name if related.field == "id" else f"{source.subject.lower()}-{number}"
                subject = sketch.add(source.subject, own)
                beneath = tuple(_Heard(one.at) for _ in heard)
                if not (self._told(sketch, source, own, beneath) and self._judged(sketch, source, subject, level, one)):
                    return False
                if related.field != "id":
                    sketch.items["subject"] = (subject, self._loaded.schemas.kinds[source.subject].shape)
                    sketch.put(Path(0, 0, ("subject", *related.field.split("."))), name)
        return True

    def _parameters(self) -> dict[str, Any]:
        return {name: one.get("value") for name, one in self._world.parameters.items()}

    def _clock(self, sketch: Sketch, rule: ClockRule | None, begin: datetime) -> None:
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
