"""Conflicts of a merge for people: the record, the field, and what was, is here and is there, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from remit.assignments import field_text, value_text
from remit.places import pointer_text
from remit.reporters.terminal import padded, safe, width
from remit.yamltext.merging import Conflict, Side
from remit.yamltext.reconciling import ABSENT

LONGEST_VALUE = 60

_WORDS: Mapping[str, tuple[str, str]] = {
    "changed": ("both changed it", "双方均已修改"),
    "removed": ("one removed what the other changed", "一方删除，另一方修改"),
    "added": ("both added it", "双方均已新增"),
    "list": ("both changed the list", "双方均修改了列表"),
    "file": ("both changed the file", "双方均修改了文件"),
    "comments": ("both changed comments or layout", "双方均修改了注释或排版"),
    "before": ("before", "原为"),
    "ours": ("here", "本方"),
    "theirs": ("there", "对方"),
    "none": ("(none)", "（无）"),
}


def conflict_text(conflicts: Iterable[Conflict], language: str) -> str:
    """A line for each conflict, and below it one for each version; long values are shortened."""
    return "".join(f"{line}\n" for one in conflicts for line in _lines(one, language == "zh"))


def conflict_json(conflict: Conflict) -> dict[str, Any]:
    """A version that has no value there has no ``value``."""
    return {
        "record": conflict.record,
        "path": conflict.path,
        "pointer": pointer_text(conflict.pointer),
        "why": conflict.why,
        **{name: _side_json(side) for name, side in _sides(conflict).items()},
    }


def _sides(conflict: Conflict) -> dict[str, Side]:
    return {"before": conflict.before, "ours": conflict.ours, "theirs": conflict.theirs}


def _side_json(side: Side) -> dict[str, Any]:
    value = {} if side.value is ABSENT else {"value": side.value}
    return {**value, "line": side.place.line, "column": side.place.column}


def _lines(one: Conflict, chinese: bool) -> Iterator[str]:
    field = f"  {field_text(one.pointer)}" if one.pointer else ""
    yield safe(f"{one.record}{field}  ({_WORDS[one.why][chinese]})")
    sides = {_WORDS[name][chinese]: side for name, side in _sides(one).items()}
    column = max(map(width, sides)) + 2
    for name, side in sides.items():
        text = _WORDS["none"][chinese] if side.value is ABSENT else _short(side.value)
        yield safe(f"    {padded(name, column)}{text}  {side.place}")


def _short(value: Any) -> str:
    text = value_text(value).replace("\n", "⏎")
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
