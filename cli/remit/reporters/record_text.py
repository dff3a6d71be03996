"""Records for people: the columns of a list, and one record with its fields under their titles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

from remit.assignments import value_at, value_text
from remit.records import Record
from remit.references import World
from remit.reporters.terminal import padded, plural, safe, width
from remit.schemas import KindSchema, Shape

_SCALARS = ("text", "int", "number", "bool", "instant", "duration", "reference")
_MAIN_FIELDS = 3


class Column(NamedTuple):
    """A column of a list: the dotted path in ``spec`` (or name, title) and its heading in the store's language."""

    path: str
    heading: str


def columns_of(schema: KindSchema, language: str) -> list[Column]:
    """Name, title, status when the kind has one, and two or three main fields.

    The main fields are those that ``x-remit-columns`` of the schema names, else the first required scalars, else the
    first scalars there are; fields that every kind has are not among them.
    """
    name, title, status = ("名称", "标题", "状态") if language == "zh" else ("Name", "Title", "Status")
    columns = [Column("name", name), Column("title", title)]
    if "status" in schema.shape.fields:
        columns.append(Column("status", status))
    return columns + [Column(path, _heading(schema, path, language)) for path in _main_fields(schema)]


def cell_of(record: Record, column: Column, language: str) -> Any:
    """The value of one column; an empty text where the record has none, lists joined with commas."""
    if column.path == "name":
        return record.name
    if column.path == "title":
        return record.title(language)
    value = value_at(record.spec, tuple(column.path.split(".")))
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(value_text, value))
    return value_text(value) if isinstance(value, dict | bool) else value


def _main_fields(schema: KindSchema) -> list[str]:
    chosen = schema.schema.get("x-remit-columns")
    if isinstance(chosen, list):
        return [str(path) for path in chosen]
    own = schema.spec_schema.get("properties", {})
    fields = {k: f for k, f in schema.shape.fields.items() if k in own and k not in ("status", "title")}
    scalars = {k: f for k, f in fields.items() if f.shape.type in _SCALARS}
    return [k for k, f in scalars.items() if f.required][:_MAIN_FIELDS] or list(scalars)[: _MAIN_FIELDS - 1]


def _heading(schema: KindSchema, path: str, language: str) -> str:
    shape, titles = schema.shape, []
    for part in path.split("."):
        field = shape.fields.get(part)
        if field is None:
            return path
        titles.append(str(field.schema.get("x-remit-zh" if language == "zh" else "title") or part))
        shape = field.shape
    return " ".join(titles)


# --- one record ------------------------------------------------------------------------------------------------------


class _Line(NamedTuple):
    depth: int
    label: str
    value: str


def record_text(record: Record, schema: KindSchema | None, world: World, *, language: str, commit: str = "") -> str:
    """The head of a record and its fields in the order of the schema, each under its title; ends with a line end."""
    kind = schema.title(language) if schema else record.kind
    head = [f"{record.id}  {' / '.join(_titles(record, language))}".rstrip(), f"{kind}, {record.path}"]
    if commit:
        head[-1] += f" at {commit[:12]}"
    for key in ("labels", "clauses", "description"):
        if value := record.metadata.get(key):
            head.append(f"{key}: {_inline(value)}")
    shape = schema.shape if schema else Shape("any")
    lines = list(_field_lines(record.spec, shape, world, language, 0))
    return safe("\n".join(head)) + "\n\n" + _aligned(lines)


def used_by_text(users: Set[str], *, everything: bool) -> str:
    """Who refers to a record: how many of each kind, and their ids (all of them, or the first few of each kind)."""
    kinds: dict[str, set[str]] = {}
    for user in users:
        kind, slash, _ = user.partition("/")
        kinds.setdefault(kind if slash and not user.endswith(".yaml") else "file", set()).add(user)
    if not kinds:
        return "Used by nothing.\n"
    lines = [f"Used by {plural(len(users), 'other')}:"]
    hidden = 0
    for kind, ids in sorted(kinds.items()):
        shown = sorted(ids) if everything else sorted(ids)[:5]
        hidden += len(ids) - len(shown)
        more = f", … {len(ids) - len(shown)} more" if len(ids) > len(shown) else ""
        lines.append(f"  {kind} ({len(ids)}): {', '.join(shown)}{more}")
    if hidden:
        lines.append("  --all shows the rest.")
    return safe("\n".join(lines)) + "\n"


def _titles(record: Record, language: str) -> Iterator[str]:
    title = record.metadata.get("title")
    if isinstance(title, dict):
        for key in sorted(title, key=lambda k: (k != language, k)):
            yield str(title[key])
    elif isinstance(title, str):
        yield title


def _field_lines(value: Any, shape: Shape, world: World, language: str, depth: int) -> Iterator[_Line]:
    for name, one, part in _fields(value, shape, language):
        yield from _value_lines(name, one, part, world, language, depth)


def _fields(value: Mapping[str, Any], shape: Shape, language: str) -> Iterable[tuple[str, Any, Shape]]:
    for key, field in shape.fields.items():
        if key in value:
            title = str(field.schema.get("x-remit-zh" if language == "zh" else "title") or key)
            yield (title if title == key else f"{title} ({key})"), value[key], field.shape
    for key, one in value.items():
        if key not in shape.fields:
            yield key, one, Shape("any")


def _value_lines(label: str, value: Any, shape: Shape, world: World, language: str, depth: int) -> Iterator[_Line]:
    if isinstance(value, dict) and value:
        yield _Line(depth, label, "")
        yield from _field_lines(value, shape, world, language, depth + 1)
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        yield _Line(depth, label, "")
        for index, one in enumerate(value):
            yield from _value_lines(f"[{index}]", one, shape.item or Shape("any"), world, language, depth + 1)
    elif isinstance(value, list):
        item = shape.item or Shape("any")
        yield _Line(depth, label, ", ".join(_scalar(one, item, world, language) for one in value))
    else:
        yield _Line(depth, label, _scalar(value, shape, world, language))


def _scalar(value: Any, shape: Shape, world: World, language: str) -> str:
    text = value_text(value)
    if shape.type == "reference" and (target := world.find(shape.kinds, value)) is not None:
        title = target.title(language)
        return f"{text} {title}" if title != target.name else text
    return text


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={one}" for key, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _aligned(lines: Sequence[_Line]) -> str:
    column = max((2 * line.depth + width(safe(line.label)) for line in lines if line.value), default=0) + 2
    out = []
    for line in lines:
        label = "  " * line.depth + safe(line.label)
        first, *rest = safe(line.value).rstrip("\n").split("\n")
        out.append((padded(label, column) + first).rstrip())
        out += [(" " * column + more).rstrip() for more in rest]
    return "".join(f"{line}\n" for line in out)
