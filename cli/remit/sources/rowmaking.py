"""Making rows: from the fields that a feed holds to a ``Row``, or to the finding that says why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from remit.facts import FACT_ID_LIMIT, Row
from remit.findings import Finding, finding
from remit.places import Place
from remit.sources.context import SourceContext
from remit.sources.mapping import FeedMapping, Recipe
from remit.sources.rawtext import forbidden_in
from remit.sources.recipes import Kitchen, Unmapped, Values, as_text


def own_row(fields: Mapping[str, Any], context: SourceContext, place: Place) -> Row | Finding:
    """The row of fields that already carry our names: ``id``, perhaps ``kind``, and the fields of ``spec``."""
    kind = fields.get("kind", context.row_kind)
    if kind is None:
        return finding("bad-row", "The row names no kind.", place, hint="Give KIND=PATH, or a kind in each row.")
    if not isinstance(kind, str) or not kind:
        return finding("bad-row", f"The kind is {kind!r}, which is not the name of a kind.", place)
    if context.kind and kind != context.kind:
        message = f'The row says kind "{kind}", and the feed is read as {context.kind}.'
        return finding("bad-row", message, place, hint=f"Read the feed without {context.kind}=, or mend the row.")
    body = {name: value for name, value in fields.items() if name not in ("id", "kind")}
    return row(kind, fields.get("id"), body, place)


def row(kind: str | None, row_id: Any, body: Mapping[str, Any], place: Place) -> Row | Finding:
    """A row with an id that a fact may have: text of 1 to 128 characters without control characters."""
    if row_id is None:
        return finding("bad-row", "The row has no id.", place, hint="Every fact has an id, unique in its kind.")
    if not isinstance(row_id, str):
        hint = f'Write it as text: "{row_id}".' if isinstance(row_id, int) else ""
        return finding("bad-row", f"The id is {str(row_id)[:60]}, which is not text.", place, hint=hint)
    if not row_id.strip() or len(row_id) > FACT_ID_LIMIT or "\n" in row_id or "\t" in row_id:
        message = f"The id must be one line of 1 to {FACT_ID_LIMIT} characters, and has {len(row_id)}."
        return finding("bad-row", message, place)
    if found := forbidden_in([row_id, body]):
        return finding("bad-row", f"A value holds the character {found}, which no value may hold.", place)
    return Row(kind, row_id, body, place)


def mapped_row(
    mapping: FeedMapping, kitchen: Kitchen, values: Values, context: SourceContext, place: Place
) -> Row | Finding:
    """The row that a mapping makes of one foreign row; the first field that has no counterpart rejects it."""
    return cooked_row(mapping, kitchen, ((name, recipe, values) for name, recipe in mapping.fields.items()), values,
                      context, place)  # fmt: skip


def cooked_row(
    mapping: FeedMapping,
    kitchen: Kitchen,
    fields: Iterable[tuple[str, Recipe, Values]],
    id_values: Values,
    context: SourceContext,
    place: Place,
) -> Row | Finding:
    """The same where each field reads values of its own, as the events of a log do."""
    flat: dict[str, Any] = {}
    name = "id"
    try:
        made = kitchen.value(mapping.id, id_values)
        row_id = made if made is None else as_text(made)
        for name, recipe, values in fields:
            value = kitchen.value(recipe, values)
            if value is not None:
                flat[name] = value
    except Unmapped as error:
        message = f"The field {name}: {error}."
        return finding("row-unmapped", message, place, hint=f"The mapping is {mapping.path}.", pointer=f"/{name}")
    body, clash = nested(flat)
    if clash:
        return finding("bad-row", f'The row gives "{clash}" both as a whole and by its parts.', place)
    return own_row({"id": row_id, **body}, context, place) if row_id is not None else row(None, None, body, place)


def nested(flat: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """``{"a.b": 1}`` as ``{"a": {"b": 1}}``, and the name that is given twice over, if any."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        here = tree
        for part in path:
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                return tree, part
        if last in here:
            return tree, name
        here[last] = value
    return tree, ""


def left_out(names: Iterable[str], context: SourceContext, why: str = "") -> Finding | None:
    """One finding that names everything for which there was no place, in the order given; None for nothing."""
    each = list(dict.fromkeys(names))
    if not each:
        return None
    shown = ", ".join(each[:20]) + (f" and {len(each) - 20} more" if len(each) > 20 else "")
    hint = f"Map it in {context.mapping.path}, or list it there under ignore." if context.mapping else ""
    return finding("field-left-out", f"Left out: {shown}{why}.", Place(context.path), hint=hint)
