"""Parquet feeds that are facts where they stand: rows of which columns show that they fit are never made into facts.

SQL proves a row plainly good: every value has the type and the limits that the schema asks for, every reference leads
to a record, the id is like no other. Whatever it cannot prove makes the row an odd one, which is read and judged like a
row of any feed. So bad rows are found, worded and left out as ever.
"""

from __future__ import annotations

import glob
import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from remit.conditions.selection import Column
from remit.facts import FACT_ID_LIMIT
from remit.places import Place
from remit.references import DATED, Entity
from remit.remembering import Memory, program
from remit.schemas import Field, KindSchema
from remit.sources.columnar import NoCounterpart, Values, items
from remit.sources.context import Item, SourceContext
from remit.sources.duck import connected
from remit.sources.parquet import numbered_rows

MOST_ODD = 100_000
"""With more odd rows than these, a feed is read like any other."""
MOST_NAMES = 100_000
"""A column that names more different records than these is looked up row by row, like any other."""
MEMORY = "160MB"
"""What DuckDB may hold of a feed at once; the rest goes to a temporary folder."""

Marks = tuple[str | int, ...]

Find = Callable[[Sequence[str], str], bool]
"""True when one of these kinds has something of that name."""

Noted = Callable[[str, Sequence[str], str], bool]
"""The same of a name that stands in a column."""

_GRAIN = 2_000_000_000
"""Nanoseconds after which a file that changes again has another time."""
_NUMBER = "file_row_number"
_SAFE_INTEGER = 2**53
_ID = r"[!-~\x{4E00}-\x{9FFF}]([ -~\x{4E00}-\x{9FFF}]*[!-~\x{4E00}-\x{9FFF}])?"
_TEXT = r"[ -~\x{3001}-\x{303D}\x{4E00}-\x{9FFF}\x{FF01}-\x{FF5E}]*"
_WHOLE = ("tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger")
_BOUNDS = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
_LENGTHS = {"minLength": ">=", "maxLength": "<="}
_ANNOTATIONS = ("title", "description", "default", "examples", "type", "format", "enum", "const")


class Scan(NamedTuple):
    """The plain rows of one feed: all ``rows`` but those numbered in ``odd`` (from 0); ``types`` by column.

    ``ids`` are the first and the last id of all rows by code points, empty ones where no row has any. ``about`` names
    the file as it is and what was asked of it, ``marks`` are what the file system says of it, and ``memory`` keeps what
    is found out about it; None where the file is too young to be known again.
    """

    context: SourceContext
    kind: str
    types: Mapping[str, str]
    rows: int
    odd: tuple[int, ...]
    ids: tuple[str, str]
    about: str = ""
    marks: Marks = ()
    memory: Memory | None = None

    @property
    def plain(self) -> int:
        """How many rows are facts where they stand."""
        return self.rows - len(self.odd)

    @property
    def rows_of_file(self) -> str:
        """Every row, with its number as ``file_row_number``, as SQL to select from."""
        return _from(self.context)

    def odd_items(self) -> Iterator[Item]:
        """A row or a finding for each odd row."""
        with working() as connection:
            relation = connection.sql(f"SELECT * EXCLUDE (file_row_number) FROM {_from(self.context)} LIMIT 0")
            chosen = connection.sql(
                f"SELECT * EXCLUDE (file_row_number) FROM {_from(self.context)} "
                f"WHERE file_row_number IN ({_list(self.odd)}) ORDER BY file_row_number"
            )
            numbers = (number + 1 for number in self.odd)
            rows = numbered_rows(connection, chosen, Values(self.context), numbers)
            yield from items(self.context, relation.columns, rows)

    def facts(self, names: Sequence[str] | None = None) -> Iterator[Entity]:
        """The plain facts of these names, or all, by name."""
        if names is not None and not names:
            return
        with working() as connection:
            connection.execute("CREATE TEMP TABLE named AS SELECT unnest(?::VARCHAR[]) AS id", [list(names or ())])
            meant = f"{self.source}" if names is None else f"(FROM {self.source} SEMI JOIN named USING (id))"
            relation = connection.sql(f"FROM {meant} ORDER BY id")
            for _, fields in numbered_rows(connection, relation, Values(self.context), count()):
                assert not isinstance(fields, NoCounterpart)
                spec = {name: value for name, value in fields.items() if name not in ("id", _NUMBER)}
                yield Entity(self.kind, str(fields["id"]), spec, Place(self.context.path, int(fields[_NUMBER]) + 1))

    @property
    def source(self) -> str:
        """The plain rows, as SQL to select from."""
        odd = f" WHERE file_row_number NOT IN ({_list(self.odd)})" if self.odd else ""
        return f"(SELECT * FROM {_from(self.context)}{odd})"

    def column(self, column: Column) -> str:
        """The value of a column of ``selection`` in a plain row, as SQL; behind a reference, the name that it holds."""
        form = "text" if column.kind else column.form
        if column.inside == ("id",):
            return "true" if form == "present" else "id"
        name, *deeper = column.inside
        kind = self.types.get(name, "") if not deeper else ""
        written = _quoted(name)
        match form:
            case "present":
                return f"({written} IS NOT NULL)" if kind else "false"
            case "size":
                return "0"  # A list makes a row an odd one.
            case "instant" if kind == "timestamp with time zone":
                return f"epoch_us({written})"
            case "text" if kind == "varchar":
                return written
            case "bool" if kind == "boolean":
                return written
            case "int" if kind in _WHOLE:
                return f"{written}::BIGINT"
            case "number" if kind in (*_WHOLE, "double"):
                return f"{written}::DOUBLE"
        return {
            "int": "NULL::BIGINT",
            "instant": "NULL::BIGINT",
            "number": "NULL::DOUBLE",
            "bool": "NULL::BOOLEAN",
        }.get(form, "NULL::VARCHAR")


class working:
    """A DuckDB connection that holds little and puts the rest into a folder of its own, closed and gone afterwards."""

    def __enter__(self) -> Any:
        self._folder = TemporaryDirectory(prefix="remit-tables-")
        settings = {"memory_limit": MEMORY, "temp_directory": self._folder.name, "preserve_insertion_order": "false"}
        self._connection = connected(settings=settings)
        return self._connection

    def __exit__(self, *error: object) -> None:
        self._connection.close()
        self._folder.cleanup()


def scanned(
    context: SourceContext, schema: KindSchema, find: Find, taken: Collection[str], memory: Memory | None = None
) -> Scan | None:
    """The feed as facts where they stand; None where it has to be read row by row.

    ``taken`` are the ids that rows must not have. What was proved of a file that has not changed since is taken from
    ``memory``, as long as the names in it lead where they led.
    """
    if not _may_be(context, schema):
        return None
    marks = marks_of(context)
    about = _about(marks, schema, taken)
    known = memory.recall(about) if memory else None
    if known is not None:
        odd, types, rows, ids, names = json.loads(known)
        if all(find(schema.shape.fields[name].shape.kinds, one) is good for name, one, good in names):
            return Scan(context, schema.kind, types, rows, tuple(odd), tuple(ids), about, marks, memory)
    names = []

    def noted(name: str, kinds: Sequence[str], one: str) -> bool:
        names.append((name, one, find(kinds, one)))
        return bool(names[-1][2])

    scan = _proved(context, schema, noted, taken)
    # A file that changes while it is read, or within the grain of its clock, is not known.
    if memory and scan and marks_of(context) == marks and time.time_ns() - _changed(context) > _GRAIN:
        memory.keep(about, json.dumps([scan.odd, scan.types, scan.rows, scan.ids, names]).encode())
        return scan._replace(about=about, marks=marks, memory=memory)
    return scan


def _about(marks: Marks, schema: KindSchema, taken: Collection[str]) -> str:
    """Names everything on which it rests what is proved of a feed, but for the records to which its rows refer."""
    fields = {name: [one.schema, one.required] for name, one in schema.shape.fields.items()}
    whole = json.dumps([program(), marks, schema.kind, fields, sorted(taken)], sort_keys=True)
    return f"scan {hashlib.sha256(whole.encode()).hexdigest()}"


def marks_of(context: SourceContext) -> Marks:
    """Where the file of a feed is and what the file system says of it; another file, or a changed one, has others."""
    state = context.file.stat()
    file = (str(context.file.absolute()), state.st_dev, state.st_ino, state.st_size)
    return (*file, state.st_mtime_ns, state.st_ctime_ns)


def _changed(context: SourceContext) -> int:
    return context.file.stat().st_mtime_ns


def _proved(context: SourceContext, schema: KindSchema, find: Noted, taken: Collection[str]) -> Scan | None:
    import duckdb

    try:
        with working() as connection:
            relation = connection.sql(f"SELECT * EXCLUDE (file_row_number) FROM {_from(context)}")
            kinds = [str(kind).lower() for kind in relation.types]
            types = dict(zip(relation.columns, kinds, strict=True))
            fields = schema.shape.fields
            known = set(types) - {"id"} <= set(fields) and {n for n, one in fields.items() if one.required} <= set(
                types
            )
            if types.get("id") != "varchar" or not known or len(types) < len(kinds):
                return None
            tests = [_id_test(taken)]
            for name in (name for name in types if name != "id"):
                test = _reference(connection, context, name, fields[name], find) if types[name] == "varchar" else None
                tests.append(_nullable(name, fields[name], test or _test(name, types[name], fields[name])))
            return _judged(connection, context, schema.kind, types, tests)
    except duckdb.Error:
        return None  # Reading it row by row says what is wrong.


def _may_be(context: SourceContext, schema: KindSchema) -> bool:
    where = context.path.partition("://")[1]
    return (
        not where
        and context.path.lower().endswith(".parquet")
        and context.mapping is None
        and context.file.is_file()
        and context.kind == schema.kind
        and schema.home != "record"
        and schema.kind not in DATED
        and schema.judges_fields_alone
    )


def _judged(
    connection: Any, context: SourceContext, kind: str, types: Mapping[str, str], tests: Sequence[str]
) -> Scan | None:
    source, plain = _from(context), " AND ".join(f"({test})" for test in tests)
    odd = f"SELECT file_row_number FROM {source} WHERE NOT coalesce({plain}, false) LIMIT {MOST_ODD + 1}"
    numbers = {number for (number,) in connection.execute(odd).fetchall()}
    extent = f"SELECT count(*), coalesce(min(id), ''), coalesce(max(id), '') FROM {source}"
    rows, *ids = connection.execute(extent).fetchone()
    twice = f"SELECT hash(id) AS h FROM {source} GROUP BY h HAVING count(*) > 1 LIMIT {MOST_ODD + 1}"
    hashes = [value for (value,) in connection.execute(twice).fetchall()]
    if len(hashes) > MOST_ODD or len(numbers) > MOST_ODD:
        return None
    if hashes:
        alike = f"SELECT file_row_number FROM {source} WHERE hash(id) IN ({_list(hashes)}) LIMIT {MOST_ODD + 1}"
        numbers |= {number for (number,) in connection.execute(alike).fetchall()}
    return Scan(context, kind, types, rows, tuple(sorted(numbers)), tuple(ids)) if len(numbers) <= MOST_ODD else None


# --- what a value must be --------------------------------------------------------------------------------------------


def _id_test(taken: Collection[str]) -> str:
    test = f"regexp_full_match(id, {_text(_ID)}) AND length(id) <= {FACT_ID_LIMIT}"
    return test + (f" AND id NOT IN ({', '.join(map(_text, sorted(taken)))})" if taken else "")


def _nullable(name: str, field: Field, test: str) -> str:
    return test if field.required else f"{_quoted(name)} IS NULL OR ({test})"


def _test(name: str, kind: str, field: Field) -> str:
    """SQL that is true of values that fit a field; false where a column of this type has none that plainly do."""
    schema, column = field.schema, _quoted(name)
    unknown = [
        key for key in schema if key not in (*_ANNOTATIONS, *_BOUNDS, *_LENGTHS) and not key.startswith("x-remit-")
    ]
    wanted = schema.get("type")
    if kind.endswith("[]") and wanted == "array" and unknown in ([], ["items"]):
        return f"len({column}) = 0"
    limits = [f"{column} {sign} {schema[key]!r}" for key, sign in _BOUNDS.items() if key in schema]
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if unknown or field.shape.refers or field.shape.type == "reference":
        return "false"
    if kind == "varchar" and wanted == "string" and "format" not in schema:
        if choices is not None:
            texts = [_text(one) for one in choices if isinstance(one, str)]
            return f"{column} IN ({', '.join(texts)})" if texts else "false"
        lengths = [f"length({column}) {sign} {schema[key]!r}" for key, sign in _LENGTHS.items() if key in schema]
        return " AND ".join([f"regexp_full_match({column}, {_text(_TEXT)})", *lengths])
    if choices is not None:
        return "false"
    if kind == "timestamp with time zone" and wanted == "string" and schema.get("format") == "date-time":
        return f"{column} >= TIMESTAMPTZ '1900-01-01 00:00:00+00' AND {column} < TIMESTAMPTZ '9000-01-01 00:00:00+00'"
    if kind == "boolean" and wanted == "boolean":
        return "true"
    if kind in _WHOLE and wanted in ("integer", "number"):
        return " AND ".join([f"{column} BETWEEN -{_SAFE_INTEGER} AND {_SAFE_INTEGER}", *limits])
    if kind == "double" and wanted == "number":
        return " AND ".join([f"isfinite({column})", *limits])
    return "false"


def _reference(connection: Any, context: SourceContext, name: str, field: Field, find: Noted) -> str | None:
    """SQL that is true of names that lead to something; None for a field that is no reference."""
    if field.shape.type != "reference":
        return None
    column = _quoted(name)
    query = f"SELECT DISTINCT {column} FROM {_from(context)} WHERE {column} IS NOT NULL LIMIT {MOST_NAMES + 1}"
    names = [value for (value,) in connection.execute(query).fetchall()]
    low, high = field.schema.get("minLength", 0), field.schema.get("maxLength", FACT_ID_LIMIT)
    good = [one for one in names if low <= len(one) <= high and find(name, field.shape.kinds, one)]
    keys = set(field.schema) - {"type", "title", "description", "minLength", "maxLength"}
    if len(names) > MOST_NAMES or not all(key.startswith("x-remit-") for key in keys):
        return "false"
    return f"{column} IN ({', '.join(map(_text, good))})" if good else "false"


# --- SQL -------------------------------------------------------------------------------------------------------------


def _from(context: SourceContext) -> str:
    return f"read_parquet({_text(glob.escape(str(context.file)))}, file_row_number = true)"


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "NULL"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
