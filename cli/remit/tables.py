"""Look-up tables: LookupTable records, and the proof that each combination of their inputs has exactly one result.

A row is a mapping of input names and the output name; an input that it leaves out, or gives as ``*``, fits every value.
Rows stand in the record, or in a CSV file beside it, whose cells give several values with ``|`` between them.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Literal

from remit.findings import Finding, did_you_mean, finding
from remit.places import Place, Pointer
from remit.references import ENDED, Entity, World
from remit.schemas import Shape
from remit.times import parse_duration, parse_share

KIND = "LookupTable"
ANY = "*"
MOST_COMBINATIONS = 50_000
"""A table is proven by listing every combination of its inputs."""
NAMED = 5
"""So many combinations are named in a finding; of the others it says how many."""

Output = Literal["text", "int", "number", "bool", "duration"]
_TYPES: Mapping[str, Output] = {
    "duration": "duration",
    "share": "number",
    "number": "number",
    "integer": "int",
    "boolean": "bool",
    "text": "text",
}


@dataclass(frozen=True)
class Input:
    """One thing that a table is asked by, and every value it can have."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What a table gives: the name of its column, the type that conditions see, and its unit as written."""

    name: str
    type: Output
    unit: str


@dataclass(frozen=True)
class Row:
    """One row: for each input the values that it fits, in the inputs' order, and its result."""

    fits: tuple[tuple[str, ...], ...]
    value: Any
    place: Place


@dataclass(frozen=True)
class Table:
    """A table whose rows are all well formed. ``first``: of several rows that fit, the first one counts."""

    name: str
    record: Entity
    inputs: tuple[Input, ...]
    output: Result
    rows: tuple[Row, ...]
    first: bool
    _found: dict[tuple[str, ...], Any] = field(default_factory=dict, compare=False, repr=False)

    def find(self, *values: str) -> Any:
        """The result for one value of each input, in their order: a text, number, bool or timedelta.

        Raises:
            LookupError: no row fits.
        """
        if values not in self._found:
            row = next((r for r in self.rows if all(v in fit for v, fit in zip(values, r.fits, strict=True))), None)
            if row is None:
                raise LookupError(f"{self.record.ref} has no row for {', '.join(values)}")
            self._found[values] = row.value
        return self._found[values]


def read_tables(world: World, files: Mapping[str, bytes]) -> tuple[dict[str, Table], list[Finding]]:
    """The tables of a store by name, and what is wrong with them; one with broken rows is not among them."""
    tables: dict[str, Table] = {}
    findings: list[Finding] = []
    for record in world.all(KIND) if KIND in world.schemas.kinds else ():
        reader = _Reader(record, world, files)
        table = reader.read()
        findings += reader.findings
        if table is not None:
            findings += check_table(table)
            tables[table.name] = table
    return tables, findings


# --- the proof -------------------------------------------------------------------------------------------------------


def check_table(table: Table) -> Iterator[Finding]:
    """Holes, overlaps and rows that can never be reached, each with the combinations that it concerns."""
    reached: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(table.rows):
        taken: dict[int, list[tuple[str, ...]]] = {}
        fresh = False
        for combination in itertools.product(*row.fits):
            earlier = reached.setdefault(combination, number)
            if earlier == number:
                fresh = True
            else:
                taken.setdefault(earlier, []).append(combination)
        if not fresh and taken:
            rows = ", ".join(f"line {table.rows[other].place.line}" for other in sorted(taken))
            message = f"This row is never reached: {rows} fits all that it fits."
            yield _about(table, "table-unreachable", message, row.place, "Remove it, or put it first.")
        elif not table.first:
            for other, combinations in sorted(taken.items()):
                message = f"This row and line {table.rows[other].place.line} both fit {_listed(table, combinations)}."
                yield _about(table, "table-overlap", message, row.place, "Narrow one of them, or write: match: first")
    holes = [c for c in itertools.product(*(i.values for i in table.inputs)) if c not in reached]
    if holes:
        place = table.rows[0].place if table.rows else table.record.place_of(())
        message = f"No row fits {_listed(table, holes)}."
        yield _about(table, "table-hole", message, place, "Add a row, or one with * for every other value.")


def _listed(table: Table, combinations: Sequence[tuple[str, ...]]) -> str:
    named = "; ".join(
        " ".join(f"{one.name}={value}" for one, value in zip(table.inputs, combination, strict=True))
        for combination in combinations[:NAMED]
    )
    more = len(combinations) - NAMED
    return named + (f" and {more} more" if more > 0 else "")


def _about(table: Table, code: str, message: str, place: Place, hint: str) -> Finding:
    return finding(code, message, place, hint=hint, pointer="/spec/rows", record=table.record.ref)


# --- reading ---------------------------------------------------------------------------------------------------------


class _Reader:
    """Reads one record; collects findings instead of stopping at the first."""

    def __init__(self, record: Entity, world: World, files: Mapping[str, bytes]) -> None:
        self._record = record
        self._world = world
        self._files = files
        self.findings: list[Finding] = []

    def read(self) -> Table | None:
        spec = self._record.spec
        inputs = tuple(self._input(one, ("inputs", n)) for n, one in enumerate(spec["inputs"]))
        unit = spec["output"]["unit"]
        output = Result(spec["output"]["name"], _TYPES[unit], unit)
        if self.findings:
            return None
        if math.prod(len(one.values) for one in inputs) > MOST_COMBINATIONS:
            message = f"The inputs have more than {MOST_COMBINATIONS} combinations."
            self._complain("schema-violation", message, self._place("inputs"), "Split the table.")
            return None
        rows = [row for cells, place in self._cells() if (row := self._row(cells, place, inputs, output))]
        if self.findings:
            return None
        return Table(self._record.name, self._record, inputs, output, tuple(rows), spec.get("match") == "first")

    def _input(self, written: Mapping[str, Any], pointer: Pointer) -> Input:
        name, values = written["name"], tuple(written.get("values", ()))
        if "kind" in written:
            kinds = self._world.schemas.kinds
            if written["kind"] not in kinds:
                hint = did_you_mean(written["kind"], kinds)
                self._complain("unknown-kind", f"There is no kind {written['kind']!r}.", self._place(*pointer), hint)
            values = tuple(e.name for e in self._world.all(written["kind"]) if e.spec.get("status") not in ENDED)
        elif "field" in written:
            values = self._enum(written["field"], (*pointer, "field"))
        return Input(name, values)

    def _enum(self, path: str, pointer: Pointer) -> tuple[str, ...]:
        kind, *names = path.split(".")
        schema = self._world.schemas.kinds.get(kind)
        if schema is None:
            hint = did_you_mean(kind, self._world.schemas.kinds)
            self._complain("unknown-kind", f"There is no kind {kind!r}.", self._place(*pointer), hint)
            return ()
        shape: Shape = schema.shape
        for name in names:
            if name not in shape.fields:
                hint = did_you_mean(name, shape.fields)
                self._complain("unknown-field", f"{kind} has no field {name!r}.", self._place(*pointer), hint)
                return ()
            shape = shape.fields[name].shape
        if not shape.enum:
            hint = "Name a field with listed values, or write: values: [...]"
            self._complain("schema-violation", f"{path} has no listed values.", self._place(*pointer), hint)
        return shape.enum

    def _cells(self) -> Iterator[tuple[Mapping[str, Any], Place]]:
        spec = self._record.spec
        for number, row in enumerate(spec.get("rows", ())):
            yield row, self._place("rows", number)
        if "csv" not in spec:
            return
        path = str(PurePosixPath(self._record.place.path).with_name(spec["csv"]))
        if path not in self._files:
            self._complain("unknown-reference", f"There is no {path}.", self._place("csv"), "")
            return
        try:
            text = self._files[path].decode("utf-8-sig")
            reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="", restval="")
            for cells in reader:
                split = {k: v.split("|") if isinstance(v, str) and "|" in v else v for k, v in cells.items()}
                yield split, Place(path, reader.line_num, 1)
        except (UnicodeDecodeError, csv.Error) as error:
            self._complain("unreadable-file", f"The table cannot be read: {error}.", Place(path, 1), "")

    def _row(self, cells: Mapping[str, Any], place: Place, inputs: tuple[Input, ...], output: Result) -> Row | None:
        known = [one.name for one in inputs] + [output.name]
        before = len(self.findings)
        for name in cells:
            if name not in known:
                self._complain("unknown-field", f"The table has no column {name!r}.", place, did_you_mean(name, known))
        fits = tuple(self._fit(cells.get(one.name, ANY), one, place) for one in inputs)
        value = self._value(cells.get(output.name, ""), output, place)
        return Row(fits, value, place) if len(self.findings) == before else None

    def _fit(self, cell: Any, asked: Input, place: Place) -> tuple[str, ...]:
        values = [str(one).strip() for one in cell] if isinstance(cell, list) else [str(cell).strip()]
        if values == [ANY] or values == [""]:
            return asked.values
        for value in values:
            if value not in asked.values:
                hint = did_you_mean(value, asked.values)
                self._complain("not-in-enum", f'{asked.name} is never "{value}".', place, hint)
        return tuple(dict.fromkeys(values))

    def _value(self, cell: Any, output: Result, place: Place) -> Any:
        try:
            return _typed(cell, output)
        except ValueError as error:
            self._complain("schema-violation", f"{output.name}: {error}.", place, "")
            return None

    def _place(self, *pointer: str | int) -> Place:
        return self._record.place_of(pointer)

    def _complain(self, code: str, message: str, place: Place, hint: str) -> None:
        where = "/spec/inputs" if code == "unknown-kind" else "/spec/rows"
        self.findings.append(finding(code, message, place, hint=hint, pointer=where, record=self._record.ref))


def _typed(cell: Any, output: Result) -> Any:
    """A cell as the value that conditions see; cells of a CSV file are texts."""
    match output.unit:
        case "duration":
            seconds = parse_duration(str(cell)).seconds
            if seconds is None:
                raise ValueError(f'"{cell}" is counted on a calendar; expected s, m or h')
            return timedelta(seconds=seconds)
        case "share":
            return float(parse_share(str(cell)))
        case "integer":
            return int(str(cell))
        case "number":
            return float(str(cell))
        case "boolean":
            if str(cell).lower() not in ("true", "false"):
                raise ValueError(f'"{cell}" is neither true nor false')
            return str(cell).lower() == "true"
    if not isinstance(cell, str) or not cell:
        raise ValueError("expected a text")
    return cell
