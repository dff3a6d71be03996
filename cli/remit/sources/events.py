"""Event logs: many lines, each an event with its time, that together are one fact.

The events of a fact are put in order of time, and within an instant in order of the feed. A line that repeats another
exactly is taken once. A bad line rejects the whole fact that it belongs to, because any of its fields may depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from remit.findings import Finding, finding
from remit.places import Place
from remit.sources.context import Count, Item, Note, SourceContext
from remit.sources.mapping import Column, FeedMapping, Group, Recipe
from remit.sources.recipes import Kitchen, Unmapped, Values
from remit.sources.rowmaking import cooked_row


class Event(NamedTuple):
    """One line of the log; ``cells`` are as the feed has them."""

    at: datetime
    line: int
    cells: Sequence[str]


class Log:
    """Gathers the lines of one log and then makes a row of each group, in the order in which groups first appear."""

    def __init__(
        self, context: SourceContext, mapping: FeedMapping, kitchen: Kitchen, positions: Mapping[Column, int]
    ) -> None:
        if mapping.group is None:
            raise ValueError("the mapping has no group")
        self._context = context
        self._mapping = mapping
        self._group: Group = mapping.group
        self._kitchen = kitchen
        self._positions = positions
        self._events: dict[str, list[Event]] = {}
        self._bad: dict[str, Finding] = {}
        self._seen: dict[str, set[tuple[str, ...]]] = {}
        self._lines = 0
        self._repeated = 0

    def take(self, line: int, cells: Sequence[str], problem: str) -> Iterator[Item]:
        """Takes one line in; a finding at once only for a line that belongs to no group that can be known."""
        self._lines += 1
        place = Place(self._context.path, line)
        by = self._positions[self._group.by]
        key = cells[by] if len(cells) > by else ""
        if not key:
            yield finding("bad-row", problem or f"The event has no {self._group.by}, so it belongs to no fact.", place)
            return
        events = self._events.setdefault(key, [])
        if problem:
            self._reject(key, finding("bad-row", f"{problem} Its whole group {key} is left out.", place))
            return
        seen = self._seen.setdefault(key, set())
        if (whole := tuple(cells)) in seen:
            self._repeated += 1
            return
        seen.add(whole)
        try:
            at = self._kitchen.value(self._group.at, self._values(cells))
        except Unmapped as error:
            self._reject(key, finding("row-unmapped", f"{error}. The whole group {key} is left out.", place))
            return
        if at is None:
            self._reject(key, finding("bad-row", f"The event has no time. The whole group {key} is left out.", place))
            return
        events.append(Event(datetime.fromisoformat(at), line, cells))

    def items(self) -> Iterator[Item]:
        """A row or a finding for each group, then the counts and what is to be known about the log."""
        for key, events in self._events.items():
            yield self._bad[key] if key in self._bad else self._row(sorted(events, key=lambda event: event.at))
        yield Count("events", self._lines)
        yield Count("repeated", self._repeated)
        yield from map(Note, self._remarks())

    def _reject(self, key: str, reason: Finding) -> None:
        self._bad.setdefault(key, reason)

    def _row(self, events: list[Event]) -> Item:
        fields = (
            (name, recipe, self._chosen(recipe, events)) for name, recipe in self._mapping.fields.items()
        )  # fmt: skip
        place = Place(self._context.path, min(event.line for event in events))
        return cooked_row(self._mapping, self._kitchen, fields, self._values(events[0].cells), self._context, place)

    def _chosen(self, recipe: Recipe, events: Sequence[Event]) -> Values:
        """The first or last event, of those of the recipe's name, that has something in the column asked for."""
        order = events if recipe.take == "first" else events[::-1]
        wanted = [event for event in order if not recipe.event or self._name(event) == recipe.event]

        def column(asked: Column) -> Any:
            position = self._positions[asked]
            return next((event.cells[position] for event in wanted if event.cells[position]), None)

        return column

    def _name(self, event: Event) -> str:
        return "" if self._group.event is None else event.cells[self._positions[self._group.event]]

    def _values(self, cells: Sequence[str]) -> Values:
        return lambda column: cells[self._positions[column]] or None

    def _remarks(self) -> Iterator[Finding]:
        place = Place(self._context.path)
        by_nature = {self._positions[column] for column in self._group.columns}
        if self._repeated:
            lines = "1 line repeats" if self._repeated == 1 else f"{self._repeated} lines repeat"
            yield finding("events-repeated", f"{lines} another line exactly; such lines count once.", place)
        for name, recipe in self._mapping.fields.items():
            if recipe.event or not recipe.columns:
                continue
            indexes = [self._positions[column] for column in recipe.columns]
            if set(indexes) & by_nature:
                continue
            if number := sum(_differs(events, indexes) for events in self._events.values()):
                what = " and ".join(map(str, recipe.columns))
                within = "1 group" if number == 1 else f"{number} groups"
                message = f"{what} differs within {within}; {name} takes the {recipe.take}."
                yield finding("events-differ", message, place, pointer=f"/{name}")


def _differs(events: Sequence[Event], indexes: Sequence[int]) -> bool:
    return len({tuple(event.cells[index] for index in indexes) for event in events}) > 1
