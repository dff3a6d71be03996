"""Mappings: how the columns of a foreign feed become the fields of a kind.

A mapping is data, checked wholly before a row is read (``mapping_file``), so that a slip in it is one finding in the
mapping file and not a thousand in the feed. The keys are described in docs/reference/mappings.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

As = Literal["text", "name", "integer", "number", "boolean", "instant", "date"]
Take = Literal["first", "last"]
Column = str | int
"""A column by its name, or by its position from 1 where a name stands twice; for JSON a way such as ``customer.id``."""

EPOCH_FORMATS = ("epoch-seconds", "epoch-milliseconds")
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Recipe:
    """How one value comes about: from a column, from a template over columns, or as a constant ``value``.

    ``table`` is the key ``map``; ``take`` and ``event`` say which event of a group is meant.
    """

    column: Column | None = None
    template: str = ""
    value: Any = None
    to: As = "text"
    typed: bool = False
    format: str = ""
    zone: ZoneInfo | None = None
    twice: Take | None = None
    prefix: str = ""
    table: Mapping[str, Any] | None = None
    otherwise: Any = None
    event: str = ""
    take: Take = "first"

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the recipe reads; none for a constant."""
        if self.column is not None:
            return (self.column,)
        return tuple(PLACEHOLDER.findall(self.template))

    def filled(self, values: Mapping[str, str]) -> str:
        """The template with ``values`` in place of its column names."""
        return PLACEHOLDER.sub(lambda match: values[match[1]], self.template)


@dataclass(frozen=True)
class Group:
    """How the lines of an event log become one fact: which column tells the facts apart, names the event, dates it."""

    by: Column
    at: Recipe
    event: Column | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that grouping itself reads."""
        return (self.by, *self.at.columns, *(() if self.event is None else (self.event,)))


@dataclass(frozen=True)
class FeedMapping:
    """A checked mapping.

    ``format`` is ``columns`` or ``tmf621``; for the latter ``tables`` holds the translations of foreign words and
    ``fields`` is empty.
    """

    path: str
    kind: str | None
    format: Literal["columns", "tmf621"] = "columns"
    id: Recipe = field(default_factory=Recipe)
    fields: Mapping[str, Recipe] = field(default_factory=dict)
    ignore: tuple[Column, ...] = ()
    group: Group | None = None
    rows: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    prefix: str = ""
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column that the mapping reads, in its own order; a column may stand more than once."""
        recipes = [self.id, *self.fields.values()]
        named = [column for recipe in recipes for column in recipe.columns]
        return (*named, *(self.group.columns if self.group else ()))
