"""From foreign values to the fields of a kind: carries out one recipe of a mapping on the values of one row.

Nothing is guessed: a value that does not convert exactly, a wall-clock time that the zone skips or lives twice, two
foreign texts that would become the same name, are each refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from remit.sources.mapping import Column, Recipe
from remit.times import format_instant, parse_instant

Values = Callable[[Column], Any]
"""The value of a column in one row; None when the row has nothing there."""

_NOT_IN_NAME = re.compile(r"[^a-z0-9]+")
_INTEGER = re.compile(r"-?[0-9]{1,16}")
_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
NAME_LIMIT = 63
_PLAIN = Recipe()


class Unmapped(ValueError):
    """A foreign value has no counterpart; the text says which value and why."""


class Kitchen:
    """Carries out recipes for one feed.

    It remembers which foreign text became which name, so that two customers never become one by accident.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._origin: dict[tuple[str, str], str] = {}

    def value(self, recipe: Recipe, values: Values) -> Any:
        """What the recipe makes of a row, or None when the row has nothing for it.

        Raises:
            Unmapped: The row has something for it that cannot become what the recipe says.
        """
        if recipe.column is None and not recipe.template:
            return recipe.value
        raw = self._raw(recipe, values)
        if raw is None:
            return None
        if recipe.table is not None:
            return _looked_up(recipe, raw)
        return self._converted(recipe, raw)

    def _raw(self, recipe: Recipe, values: Values) -> Any:
        if recipe.column is not None:
            return values(recipe.column)
        parts = {str(column): values(column) for column in recipe.columns}
        if any(part is None for part in parts.values()):
            return None
        return recipe.filled({name: as_text(part) for name, part in parts.items()})

    def _converted(self, recipe: Recipe, raw: Any) -> Any:
        match recipe.to:
            case "text":
                return as_text(raw) if recipe.typed or isinstance(raw, str) else raw
            case "name":
                return self._name(recipe, as_text(raw))
            case "integer" | "number" | "boolean":
                return _scalar(recipe.to, raw)
            case "date":
                return _date(recipe, as_text(raw))
            case "instant":
                return format_instant(self.instant(recipe, raw))

    def _name(self, recipe: Recipe, text: str) -> str:
        name = as_name(text, recipe.prefix)
        first = self._origin.setdefault((str(recipe.column or recipe.template), name), text)
        if first != text:
            raise Unmapped(f'"{first}" and "{text}" would both become the name {name}; tell them apart with a map')
        return name

    def instant(self, recipe: Recipe, raw: Any) -> datetime:
        """The instant that ``raw`` says, in the recipe's zone where it is a wall-clock time."""
        if recipe.format.startswith("epoch-"):
            return _since_epoch(recipe.format, raw)
        text = as_text(raw)
        if recipe.format:
            try:
                read = datetime.strptime(text, recipe.format)
            except ValueError as error:
                raise Unmapped(f'"{text}" is not a time of the form {recipe.format}') from error
            return read if read.utcoffset() is not None else self.in_zone(read, recipe)
        try:
            return parse_instant(text)
        except ValueError as error:
            if recipe.zone is None:
                raise Unmapped(str(error)) from error
        try:
            return self.in_zone(datetime.fromisoformat(text), recipe)
        except ValueError as error:
            raise Unmapped(f'"{text}" is not a time such as 2026-03-02T09:00:00') from error

    def in_zone(self, wall: datetime, recipe: Recipe = _PLAIN) -> datetime:
        """The instant that a wall-clock time is in the recipe's zone, or else the store's.

        Raises:
            Unmapped: the zone skips it, or it comes twice and the recipe does not say which is meant.
        """
        zone = recipe.zone or self._zone
        first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return first
        if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall:
            raise Unmapped(f"{wall} does not exist in {zone}, whose clocks skip that hour")
        if recipe.twice is None:
            raise Unmapped(f"{wall} comes twice in {zone}; say which is meant with twice: first or last")
        return first if recipe.twice == "first" else second


def as_name(text: str, prefix: str = "") -> str:
    """``prefix`` and ``text`` as the name of a record: lower case, other characters as single dashes.

    Raises:
        Unmapped: Nothing is left, or the name would be longer than 63 characters.
    """
    name = prefix + _NOT_IN_NAME.sub("-", text.lower()).strip("-")
    if name == prefix:
        raise Unmapped(f'"{text}" holds no letter a-z or digit to make a name of; name it with a map')
    if len(name) > NAME_LIMIT:
        raise Unmapped(f'"{text}" makes a name of {len(name)} characters, and {NAME_LIMIT} is the most')
    return name


def as_text(raw: Any) -> str:
    """A foreign scalar as text: numbers as JSON writes them.

    Raises:
        Unmapped: ``raw`` is a list or an object.
    """
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int | float):
        return repr(raw)
    raise Unmapped("a list or object stands where one value is expected")


def _looked_up(recipe: Recipe, raw: Any) -> Any:
    table: Mapping[str, Any] = recipe.table or {}
    text = as_text(raw)
    if text in table:
        return table[text]
    if recipe.otherwise is not None:
        return recipe.otherwise
    raise Unmapped(f'"{text}" is not in the map of the field')


def _scalar(to: str, raw: Any) -> Any:
    text = as_text(raw).strip()
    if to == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if to == "number" and _NUMBER.fullmatch(text):
        return float(text) if any(mark in text for mark in ".eE") else int(text)
    if to == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    wanted = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}[to]
    raise Unmapped(f'"{text}" is not {wanted}')


def _date(recipe: Recipe, text: str) -> str:
    try:
        if recipe.format:
            return datetime.strptime(text, recipe.format).date().isoformat()
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise Unmapped(f'"{text}" is not a date of the form {recipe.format or "2026-03-02"}') from error


def _since_epoch(unit: str, raw: Any) -> datetime:
    number: int | float = _scalar("number", raw)
    scale = timedelta(seconds=1) if unit == "epoch-seconds" else timedelta(milliseconds=1)
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + scale * number
    except OverflowError as error:
        raise Unmapped(f"{number} {unit} lies outside the years 1 to 9999") from error
