"""Cases written short, told at length: a matrix is one case for each combination, a timeline one for each instant.

Pure text work on the body of a case: what comes out has neither ``matrix`` nor ``timeline``, and runs like a case that
was written so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from remit.places import Pointer

Body = Mapping[str, Any]

_SLOT = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]*)\}")


class Told(NamedTuple):
    """One case to run, and where in the list of cases it was written."""

    pointer: Pointer
    body: Body


def tell(cases: list[Body]) -> Iterator[Told]:
    """Every case to run, in the order written: matrices spread first, then timelines cut into their instants."""
    for index, case in enumerate(cases):
        for one in spread(case):
            yield from _instants((index,), one)


def spread(case: Body) -> Iterator[Body]:
    """A case for each combination of its ``matrix``, the last name changing fastest; the case itself without one.

    ``${name}`` inside a text becomes the value's text, a text that is nothing else becomes the value itself. A name
    whose slot the case's own name does not show is added to it, so that every case has a name of its own.
    """
    matrix = case.get("matrix", {})
    rest = {key: value for key, value in case.items() if key != "matrix"}
    for values in product(*matrix.values()) if matrix else ((),):
        chosen = dict(zip(matrix, values, strict=True))
        told = _filled(rest, chosen)
        shown = set(_SLOT.findall(str(case["name"])))
        hidden = [f"{name} {value}" for name, value in chosen.items() if name not in shown]
        yield {**told, "name": f"{told['name']} ({', '.join(hidden)})"} if hidden else told


def open_slots(case: Body) -> list[str]:
    """The names of slots that a case with a matrix leaves open, sorted; each is a slip of the pen."""
    if "matrix" not in case:
        return []
    return sorted({name for text in _texts(case) for name in _SLOT.findall(text)} - set(case["matrix"]))


def _filled(value: Any, chosen: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(one, chosen) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, chosen) for one in value]
    if not isinstance(value, str):
        return value
    whole = _SLOT.fullmatch(value)
    if whole and whole.group(1) in chosen:
        return chosen[whole.group(1)]
    return _SLOT.sub(lambda slot: str(chosen.get(slot.group(1), slot.group(0))), value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def _instants(pointer: Pointer, case: Body) -> Iterator[Told]:
    """A case for each instant of a timeline: what was there before stays, and a row of the same id takes new fields."""
    if "timeline" not in case:
        yield Told(pointer, case)
        return
    rows = {"facts": list(case.get("facts", ())), "records": list(case.get("records", ()))}
    rest = {key: value for key, value in case.items() if key not in ("timeline", *rows)}
    for number, step in enumerate(case["timeline"]):
        for key in rows:
            rows[key] = _merged(rows[key], step.get(key, ()))
        name = f"{case['name']} ({step['at']})"
        asked = {key: step[key] for key in ("at", "expect", "silent") if key in step}
        yield Told((*pointer, "timeline", number), {**rest, **rows, **asked, "name": name})


def _merged(rows: list[Body], changes: Any) -> list[Body]:
    merged = {_key(row, number): row for number, row in enumerate(rows)}
    for number, change in enumerate(changes, start=len(rows)):
        key = _key(change, number)
        merged[key] = {**merged.get(key, {}), **change}
    return list(merged.values())


def _key(row: Body, number: int) -> tuple[str, Any]:
    return str(row.get("kind", "")), row.get("id") or row.get("name") or number
