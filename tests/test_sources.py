"""Feeds: every row is handed over or named in a finding, whatever the bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.errors import UserError
from remit.facts import Row
from remit.places import Place
from remit.schemas import Field, Shape
from remit.sources import SOURCES, Reading, SourceContext, read_mapping, read_source
from remit.sources.coercion import coerce
from remit.sources.csv_records import LINES_LIMIT, UNCLOSED_LIMIT
from remit.sources.strictjson import starts

SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(folder: Path, name: str, data: str | bytes, *, kind: str | None = "Ticket", mapping: str = "") -> Reading:
    """The reading of one feed that holds ``data``."""
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    checked, findings = read_mapping(mapping.encode(), "map.yaml") if mapping else (None, ())
    assert findings == (), findings
    return read_source(SourceContext(name, kind, checked, SHANGHAI, folder))


def bodies(reading: Reading) -> dict[str, Mapping[str, Any]]:
    return {row.id: row.body for row in reading.rows}


def found(reading: Reading) -> list[tuple[int, str]]:
    return [(finding.place.line, finding.code) for finding in reading.findings]


# ---- JSON Lines


def test_a_line_is_a_row_with_its_place(tmp_path: Path) -> None:
    text = '{"id": "1", "customer": "海港银行"}\n\n{"kind": "Order", "id": "2", "hours": 1.5}\n'

    reading = read(tmp_path, "a.jsonl", text, kind=None, mapping="")
    named = read(tmp_path, "a.jsonl", text.replace('"Order"', '"Ticket"'))

    assert [row.id for row in reading.rows] == ["2"]
    assert named.rows == (
        Row("Ticket", "1", {"customer": "海港银行"}, Place("a.jsonl", 1)),
        Row("Ticket", "2", {"hours": 1.5}, Place("a.jsonl", 3)),
    )
    assert named.report().to_json() == {"path": "a.jsonl", "format": "jsonl", "rows": 2, "accepted": 2, "rejected": 0}


BAD_LINES: list[tuple[str, bytes, str]] = [
    ("not JSON", b'{"id": "x"', "not JSON"),
    ("a list", b'["x"]', "a list"),
    ("a text", b'"x"', "a text"),
    ("null", b"null", "null"),
    ("a number", b"12", "a number"),
    ("two values", b'{"id": "x"} {"id": "y"}', "not JSON"),
    ("a duplicate key", b'{"id": "x", "id": "y"}', '"id" stands twice'),
    ("a duplicate key inside", b'{"id": "x", "a": {"b": 1, "b": 1}}', '"b" stands twice'),
    ("NaN", b'{"id": "x", "n": NaN}', "NaN"),
    ("an infinity", b'{"id": "x", "n": -Infinity}', "Infinity"),
    ("a huge exponent", b'{"id": "x", "n": 1e400}', "1e400"),
    ("a huge integer", b'{"id": "x", "n": 9007199254740993}', "2^53"),
    ("thousands of digits", b'{"id": "x", "n": ' + b"9" * 10_000 + b"}", "2^53"),
    ("a deep list", b'{"id": "x", "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeper"),
    ("deep and unclosed", b'{"a":' * 50_000, "deeper"),
    ("not UTF-8", b'{"id": "x", "t": "\xc3\x28"}', "UTF-8"),
    ("a raw control character", b'{"id": "x", "t": "\x01"}', "not JSON"),
    ("an escaped NUL", b'{"id": "x", "t": "\\u0000"}', "U+0000"),
    ("a lone surrogate", b'{"id": "x", "t": "\\ud800"}', "U+D800"),
    ("a bidirectional control", '{"id": "x", "t": "\u202e"}'.encode(), "U+202E"),
    ("a control in a key", b'{"id": "x", "\\u001b[31m": 1}', "U+001B"),
    ("a lone carriage return", b'{"id": "x", "t": "a\\rb"}', "U+000D"),
    ("no id", b'{"t": 1}', "no id"),
    ("a numeric id", b'{"id": 7}', '"7"'),
    ("an empty id", b'{"id": ""}', "1 to 128"),
    ("a blank id", b'{"id": " "}', "1 to 128"),
    ("a long id", b'{"id": "' + b"x" * 129 + b'"}', "129"),
    ("an id of two lines", b'{"id": "a\\nb"}', "one line"),
    ("an id with a tab", b'{"id": "a\\tb"}', "one line"),
    ("another kind", b'{"kind": "Order", "id": "x"}', '"Order"'),
    ("a kind that is no text", b'{"kind": 3, "id": "x"}', "3"),
    ("a long line", b'{"id": "x", "t": "' + b"x" * (1 << 20) + b'"}', "1 MiB"),
]


@pytest.mark.parametrize(
    ("line", "says"), [(line, says) for _, line, says in BAD_LINES], ids=[n for n, _, _ in BAD_LINES]
)
def test_a_bad_line_is_named_and_costs_itself_only(tmp_path: Path, line: bytes, says: str) -> None:
    reading = read(tmp_path, "a.jsonl", b'{"id": "before"}\n' + line + b'\n{"id": "after"}')

    assert list(bodies(reading)) == ["before", "after"]
    assert found(reading) == [(2, "bad-row")]
    assert says in reading.findings[0].message + reading.findings[0].hint
    assert reading.report().rows == 3


def test_depth_within_the_limit_and_brackets_in_texts_are_fine(tmp_path: Path) -> None:
    deep: Any = "x"
    for _ in range(31):
        deep = [deep]
    line = json.dumps({"id": "1", "deep": deep, "text": '[{"' * 500})

    assert bodies(read(tmp_path, "a.jsonl", line))["1"]["deep"] == deep


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_data(tmp_path: Path) -> None:
    reading = read(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"id": "1", "t": "a\\r\\nb"}\r\n{"id": "2"}\r\n')

    assert bodies(reading) == {"1": {"t": "a\nb"}, "2": {}}


def test_a_row_without_a_kind_is_refused_when_the_feed_names_none(tmp_path: Path) -> None:
    reading = read(tmp_path, "a.jsonl", '{"kind": "", "id": "1"}\n', kind=None)

    assert found(reading) == [(1, "bad-row")]


# ---- feeds that cannot be read at all


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.jsonl", '{"id": "1"}'.encode("utf-16"), "UTF-16"),
        ("a.jsonl", '{"id": "1"}'.encode("utf-16-be"), "UTF-16"),
        ("a.csv", "id\n1\n".encode("utf-16-le"), "UTF-16"),
        ("a.csv", b"\x1f\x8b\x08\x00", "gzip"),
        ("a.csv", b"PK\x03\x04", "Excel"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n\n", "empty"),
        ("a.csv", b"id,a,a\n1,2,3\n", '"a" stands twice: columns 2 and 3'),
        ("a.csv", b"id,,a\n1,2,3\n", "Column 2 has no name"),
        ("a.csv", b"id,\xff\n", "UTF-8"),
        ("a.csv", b'id,"a\n', "quote"),
        ("a.json", b"", "not JSON"),
        ("a.json", b'{"facts": [', "not JSON"),
        ("a.json", b"[" * 100_000, "deeper"),
        ("a.json", b" " * (10 << 20) + b"{}", "10 MiB"),
    ],
)
def test_an_unreadable_feed_is_one_finding(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    reading = read(tmp_path, name, data)

    assert [code for _, code in found(reading)] == ["unreadable-feed"]
    assert says in reading.findings[0].message
    assert reading.report().rows == 0


@pytest.mark.parametrize("name", ["missing.csv", "missing.jsonl", "missing.json", "a\0b.json"])
def test_a_feed_that_is_not_there_is_one_finding(tmp_path: Path, name: str) -> None:
    reading = read_source(SourceContext(name, root=tmp_path))

    assert [code for _, code in found(reading)] == ["unreadable-feed"]


def test_a_folder_is_not_a_feed(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").mkdir()

    assert [code for _, code in found(read_source(SourceContext("feed.csv", root=tmp_path)))] == ["unreadable-feed"]


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.gz"])
def test_a_suffix_that_no_source_reads_ends_the_command(name: str) -> None:
    with pytest.raises(UserError) as refused:
        read_source(SourceContext(name))

    assert all(suffix in refused.value.hint for suffix in SOURCES)


# ---- CSV


def test_the_header_names_the_fields_and_empty_cells_are_absent(tmp_path: Path) -> None:
    text = 'id,customer,confirmation.mode,confirmation.by,note\nT-1,harbour,user,wang,"a ""b"",\n第二行"\nT-2,,,,\n'

    reading = read(tmp_path, "a.csv", text)

    assert bodies(reading) == {
        "T-1": {"customer": "harbour", "confirmation": {"mode": "user", "by": "wang"}, "note": 'a "b",\n第二行'},
        "T-2": {},
    }
    assert [row.place.line for row in reading.rows] == [2, 4]


BAD_RECORDS: list[tuple[str, bytes, str]] = [
    ("too few cells", b"x", "1 cells"),
    ("too many cells", b"x,y,z", "3 cells"),
    ("no id", b",y", "no id"),
    ("a NUL", b"x,\x00", "U+0000"),
    ("an escape", b"x,\x1b[31m", "U+001B"),
    ("not UTF-8", b"x,\xff", "UTF-8"),
    ("a surrogate in UTF-8", b"x,\xed\xa0\x80", "UTF-8"),
    ("a bidirectional control", "x,\u2066".encode(), "U+2066"),
    ("text after a quote", b'x,"y"z', "CSV"),
    ("a quote that never closes", b'x,"y', "never closes"),
    ("a long line", b"x," + b"y" * (1 << 20), "1 MiB"),
    ("a carriage return inside", b"x,y\rz", "CSV"),
]


@pytest.mark.parametrize(
    ("line", "says"), [(b, s) for _, b, s in BAD_RECORDS], ids=[name for name, _, _ in BAD_RECORDS]
)
def test_a_bad_record_is_named_and_costs_itself_only(tmp_path: Path, line: bytes, says: str) -> None:
    reading = read(tmp_path, "a.csv", b"id,a\nbefore,1\n" + line + b"\nafter,2\n")

    assert list(bodies(reading)) == ["before", "after"]
    assert found(reading) == [(3, "bad-row")]
    assert says in reading.findings[0].message
    assert reading.report().rows == 3


def test_a_large_cell_within_the_limit_is_read(tmp_path: Path) -> None:
    reading = read(tmp_path, "a.csv", "id,a\n1," + "y" * 200_000 + "\n")

    assert len(bodies(reading)["1"]["a"]) == 200_000


def test_an_unclosed_quote_swallows_no_row_of_a_long_feed(tmp_path: Path) -> None:
    rows = [f"{number},x" for number in range(LINES_LIMIT * 2)]
    rows[10] = '10,"x'

    reading = read(tmp_path, "a.csv", "id,a\n" + "\n".join(rows))

    assert found(reading) == [(12, "bad-row")]
    assert len(reading.rows) == len(rows) - 1


def test_a_feed_of_unclosed_quotes_is_read_in_time_and_every_line_is_named(tmp_path: Path) -> None:
    number = UNCLOSED_LIMIT * 20

    # Read on its own such a line opens a quote; inside the quote of another it closes that one and opens a new one.
    reading = read(tmp_path, "a.csv", "id,a\n" + 'x","y\n' * number)

    assert reading.report().rejected == number


def test_a_name_given_as_a_whole_and_by_its_parts_is_a_bad_row(tmp_path: Path) -> None:
    reading = read(tmp_path, "a.csv", "id,a,a.b\n1,x,\n2,x,y\n3,,y\n")

    assert bodies(reading) == {"1": {"a": "x"}, "3": {"a": {"b": "y"}}}
    assert found(reading) == [(3, "bad-row")]


def test_cells_become_what_the_shape_says_and_nothing_is_guessed() -> None:
    fields = {
        name: Field(Shape(kind), required=False)
        for name, kind in {
            "n": "int", "x": "number", "b": "bool", "t": "text", "l": "list", "at": "instant",
        }.items()
    }  # fmt: skip
    fields["o"] = Field(Shape("object", fields={"n": Field(Shape("int"), required=False)}), required=False)
    shape = Shape("object", fields=fields)

    assert coerce(
        {"n": "12", "x": "1.50", "b": "TRUE", "t": "012", "l": '["a"]', "at": "2026", "o": {"n": "-3"}, "unknown": "1"},
        shape,
    ) == {"n": 12, "x": 1.5, "b": True, "t": "012", "l": ["a"], "at": "2026", "o": {"n": -3}, "unknown": "1"}
    doubtful = {"n": "1.0", "x": "1,5", "b": "yes", "l": "a|b", "o": "{"}
    assert coerce(doubtful, shape) == doubtful


# ---- one JSON document


@pytest.mark.parametrize(
    "document",
    [
        [{"kind": "Ticket", "id": "1", "a": 1}],
        {"facts": [{"kind": "Ticket", "id": "1", "a": 1}]},
        {"kind": "Ticket", "id": "1", "a": 1},
        [{"id": "1", "a": 1}],
    ],
)
def test_a_document_of_our_own_shape_is_read(tmp_path: Path, document: Any) -> None:
    reading = read(tmp_path, "a.json", json.dumps(document))

    assert bodies(reading) == {"1": {"a": 1}}
    assert reading.findings == ()


def test_the_bad_items_of_a_document_are_named_by_their_pointer(tmp_path: Path) -> None:
    document = {"facts": [{"kind": "Ticket", "id": "1"}, 7, {"kind": "Ticket"}, None]}

    reading = read(tmp_path, "a.json", json.dumps(document))

    assert [(finding.code, finding.pointer) for finding in reading.findings] == [
        ("bad-row", "/facts/1"),
        ("bad-row", "/facts/2"),
        ("bad-row", "/facts/3"),
    ]
    assert reading.report().rows == 4


NESTED = """{"note": {"a": [1, {"b": "]}"}], "data": []},
  "数据": [["x"],
    {"rows": [
      {"kind": "Ticket"},   7,
\t{"id": "},{"}]}]}
"""


@pytest.mark.parametrize(
    ("text", "pointer", "where"),
    [
        (NESTED, ("数据", 1, "rows"), [(4, 7), (4, 29), (5, 2)]),
        (NESTED, ("note",), [(1, 10)]),
        (NESTED, ("note", "data"), []),
        ('[1, 2,\n\n 3]', (), [(1, 2), (1, 5), (3, 2)]),
        (' {"0": [4]}', (0,), [(1, 9)]),
        ("\n 5", (), [(2, 2)]),
        ("{}", (), [(1, 1)]),
    ],
)  # fmt: skip
def test_the_items_of_a_document_have_their_lines(
    text: str, pointer: tuple[str | int, ...], where: list[tuple[int, int]]
) -> None:
    assert [*starts(text.encode(), pointer)] == where


@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_document_shows_each_item_where_it_is_said_to_be(value: Any) -> None:
    items = value if isinstance(value, list) else [value]
    text = json.dumps(value, indent=1, ensure_ascii=False)
    lines = text.split("\n")
    found = [
        json.JSONDecoder().raw_decode("\n".join(lines[line - 1 :])[column - 1 :])[0]
        for line, column in starts(text.encode(), ())
    ]
    assert found == items


def test_a_document_that_is_no_fact_is_named(tmp_path: Path) -> None:
    reading = read(tmp_path, "a.json", '{"hello": "world"}', kind=None)

    assert [finding.code for finding in reading.findings] == ["row-not-a-fact"]


# ---- mappings


MAPPING = """
kind: Ticket
id: {template: "{Site}-{No}"}
fields:
  customer: {column: Account, as: name, prefix: c-}
  acceptedAt: {column: Opened, as: instant, format: "%d/%m/%Y %H:%M", zone: Europe/Rome}
  ticketType: {column: Category, map: {Outage: interruption, Question: assist_check}}
  confirmation.mode: {value: user}
  count: {column: 6, as: integer}
ignore: [Remark]
"""
HEADER = "Site,No,Account,Opened,Category,Count,Remark,Extra,Extra\n"


def test_a_mapping_makes_rows_of_a_foreign_table_and_says_what_it_left_out(tmp_path: Path) -> None:
    row = "RM,7,Harbour Bank,25/03/2026 10:00,Outage,3,,x,y\n"

    reading = read(tmp_path, "a.csv", HEADER + row, kind=None, mapping=MAPPING)

    assert reading.rows[0].kind == "Ticket"
    assert bodies(reading) == {
        "RM-7": {
            "customer": "c-harbour-bank",
            "acceptedAt": "2026-03-25T10:00:00+01:00",
            "ticketType": "interruption",
            "confirmation": {"mode": "user"},
            "count": 3,
        }
    }
    (note,) = reading.findings
    assert (note.code, note.message) == ("field-left-out", "Left out: Extra (column 8), Extra (column 9).")


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ("RM,1,银行,25/03/2026 10:00,Outage,3,,,", "customer", "银行"),
        ("RM,1," + "x" * 70 + ",25/03/2026 10:00,Outage,3,,,", "customer", "72 characters"),
        ("RM,1,b,2026-03-25,Outage,3,,,", "acceptedAt", "%d/%m/%Y"),
        ("RM,1,b,30/02/2026 10:00,Outage,3,,,", "acceptedAt", "30/02/2026"),
        ("RM,1,b,29/03/2026 02:30,Outage,3,,,", "acceptedAt", "skip that hour"),
        ("RM,1,b,25/10/2026 02:30,Outage,3,,,", "acceptedAt", "comes twice"),
        ("RM,1,b,25/03/2026 10:00,Party,3,,,", "ticketType", "Party"),
        ("RM,1,b,25/03/2026 10:00,Outage,3.0,,,", "count", "3.0"),
    ],
)
def test_a_value_without_an_exact_counterpart_rejects_its_row(tmp_path: Path, row: str, field: str, says: str) -> None:
    good = "RM,2,b,25/03/2026 10:00,Outage,3,,,\n"

    reading = read(tmp_path, "a.csv", HEADER + row + "\n" + good, mapping=MAPPING)

    assert list(bodies(reading)) == ["RM-2"]
    refused = reading.findings[0]
    assert (refused.code, refused.place.line, refused.pointer) == ("row-unmapped", 2, f"/{field}")
    assert says in refused.message


def test_two_foreign_texts_never_become_one_name(tmp_path: Path) -> None:
    rows = "".join(f"RM,{n},{name},25/03/2026 10:00,,,,,\n" for n, name in enumerate(["A B", "a-b", "A B"]))

    reading = read(tmp_path, "a.csv", HEADER + rows, mapping=MAPPING)

    assert list(bodies(reading)) == ["RM-0", "RM-2"]
    assert '"A B" and "a-b"' in reading.findings[0].message


@pytest.mark.parametrize(
    ("recipe", "raw", "value"),
    [
        ("{column: a}", "x", "x"),
        ("a", "x", "x"),
        ("2", "x", "x"),
        ("{column: a, as: instant}", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00+00:00"),
        ("{column: a, as: instant, zone: Asia/Shanghai}", "2026-03-02 09:00", "2026-03-02T09:00:00+08:00"),
        ('{column: a, as: instant, format: "%Y%m%d %H%M"}', "20260302 0900", "2026-03-02T09:00:00+08:00"),
        ('{column: a, as: instant, format: "%Y%m%d%H%M%z"}', "202603020900+0200", "2026-03-02T09:00:00+02:00"),
        ("{column: a, as: instant, format: epoch-seconds}", "1772413200", "2026-03-02T01:00:00+00:00"),
        ("{column: a, as: instant, format: epoch-milliseconds}", "1772413200500", "2026-03-02T01:00:00.5+00:00"),
        (
            "{column: a, as: instant, zone: Europe/Rome, twice: last}",
            "2026-10-25T02:30:00",
            "2026-10-25T02:30:00+01:00",
        ),
        (
            "{column: a, as: instant, zone: Europe/Rome, twice: first}",
            "2026-10-25T02:30:00",
            "2026-10-25T02:30:00+02:00",
        ),
        ("{column: a, as: date}", "2026-03-02", "2026-03-02"),
        ('{column: a, as: date, format: "%d.%m.%Y"}', "02.03.2026", "2026-03-02"),
        ("{column: a, as: number}", "1.5", 1.5),
        ("{column: a, as: boolean}", "True", True),
        ("{column: a, map: {x: 1}}", "x", 1),
        ("{column: a, map: {x: 1}, otherwise: 0}", "y", 0),
        ('{template: "<{a}>"}', "x", "<x>"),
        ("{value: [1, 2]}", "", [1, 2]),
    ],
)
def test_a_recipe_makes_the_value_that_it_says(tmp_path: Path, recipe: str, raw: str, value: Any) -> None:
    mapping = f"id: id\nfields:\n  f: {recipe}\nignore: [a]\n"

    reading = read(tmp_path, "a.csv", f"id,a\n1,{raw}\n", mapping=mapping)

    assert bodies(reading) == {"1": {"f": value}}
    assert reading.findings == ()


def test_a_mapping_reads_json_objects_by_key_and_by_way(tmp_path: Path) -> None:
    mapping = """
rows: /data/tickets
id: {column: number, as: text}
fields:
  customer: account.name
  reporter: {column: parties.1.id}
  hours: hours
ignore: [self]
"""
    ticket = {
        "number": 7,
        "account": {"name": "b"},
        "parties": [{"id": "x"}, {"id": "y"}],
        "hours": 1.5,
        "x": 1,
        "self": 1,
    }

    document = read(tmp_path, "a.json", json.dumps({"data": {"tickets": [ticket, {"number": None}]}}), mapping=mapping)
    lines = read(tmp_path, "a.jsonl", json.dumps(ticket), mapping=mapping)

    assert bodies(document) == bodies(lines) == {"7": {"customer": "b", "reporter": "y", "hours": 1.5}}
    assert [(finding.code, finding.pointer) for finding in document.findings] == [
        ("bad-row", "/data/tickets/1"),
        ("field-left-out", ""),
    ]
    assert document.findings[1].message == "Left out: x."


def test_a_table_may_be_in_the_encoding_and_with_the_delimiter_that_the_mapping_names(tmp_path: Path) -> None:
    mapping = 'encoding: gb18030\ndelimiter: ";"\nid: 单号\nfields: {text: 内容}\n'

    reading = read(tmp_path, "a.csv", "单号;内容\n1;光缆中断\n".encode("gb18030"), mapping=mapping)

    assert bodies(reading) == {"1": {"text": "光缆中断"}}


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("id: Nr\nfields: {}\n", 'There is no column "Nr"'),
        ("id: Count\nfields: {a: Extra}\n", "columns 8 and 9"),
        ("id: 10\nfields: {}\n", "no column 10"),
        ("id: Count\nfields: {}\nignore: [Nothing]\n", 'There is no column "Nothing"'),
        ("format: tmf621\n", "does not fit a table"),
    ],
)
def test_a_mapping_that_does_not_fit_the_header_stops_the_feed(tmp_path: Path, mapping: str, says: str) -> None:
    reading = read(tmp_path, "a.csv", HEADER, mapping=mapping)

    assert found(reading) == [(1, "unreadable-feed")] or found(reading) == [(0, "unreadable-feed")]
    assert says in reading.findings[0].message


BAD_MAPPINGS: list[tuple[str, int, str]] = [
    ("- a\n", 1, "mapping of names"),
    ("fields: {}\n", 1, '"id"'),
    ("id: a\n", 1, '"fields"'),
    ("id: a\nfields: {}\nfeilds: {}\n", 3, '"feilds"'),
    ("id: a\nfields: []\n", 2, "mapping of names"),
    ("id: a\nfields:\n  x: {colunm: a}\n", 3, '"colunm"'),
    ("id: a\nfields:\n  x: {column: a, value: 1}\n", 3, "exactly one"),
    ("id: a\nfields:\n  x: {}\n", 3, "exactly one"),
    ("id: a\nfields:\n  x: {value: 1, as: text}\n", 3, "constant"),
    ("id: a\nfields:\n  x: {column: 0}\n", 3, "position from 1"),
    ("id: a\nfields:\n  x: {column: true}\n", 3, "position from 1"),
    ("id: a\nfields:\n  x: {column: a, as: moment}\n", 3, "moment"),
    ("id: a\nfields:\n  x: {column: a, format: '%Y'}\n", 3, "as: instant"),
    ("id: a\nfields:\n  x: {column: a, as: instant, format: '%H:%M'}\n", 3, "year"),
    ("id: a\nfields:\n  x: {column: a, as: instant, format: '%Q'}\n", 3, "%Q"),
    ("id: a\nfields:\n  x: {column: a, as: instant, zone: Mars/North}\n", 3, "Mars/North"),
    ("id: a\nfields:\n  x: {column: a, as: instant, zone: ../../etc/passwd}\n", 3, "not a time zone"),
    ("id: a\nfields:\n  x: {column: a, prefix: c-}\n", 3, "as: name"),
    ("id: a\nfields:\n  x: {column: a, as: name, prefix: C_}\n", 3, "lower-case"),
    ("id: a\nfields:\n  x: {column: a, otherwise: 1}\n", 3, "needs a map"),
    ("id: a\nfields:\n  x: {column: a, take: last}\n", 3, "event log"),
    ("id: a\nfields:\n  x: {template: plain}\n", 3, "braces"),
    ("id: a\nfields:\n  x: {template: '{a'}\n", 3, "braces"),
    ("id: a\nfields:\n  x-y: a\n", 3, "name of a field"),
    ("id: a\nfields:\n  x: a\n  x.y: a\n", 3, "by its parts"),
    ("id: a\nfields: {}\ngroup: {by: a}\n", 3, '"at"'),
    ("id: a\nfields: {}\ngroup: {by: a, at: b}\n", 3, "instant"),
    ("id: a\nfields: {}\ndelimiter: ab\n", 3, "one character"),
    ("id: a\nfields: {}\nencoding: utf-16\n", 3, "utf-16"),
    ("id: a\nfields: {}\nignore: a\n", 3, "list of columns"),
    ("format: tmf622\n", 1, "tmf622"),
    ("format: tmf621\nfields: {}\n", 2, '"fields"'),
    ("format: tmf621\ncustomers: {a: 1}\n", 2, "as text"),
]


@pytest.mark.parametrize(("text", "line", "says"), BAD_MAPPINGS)
def test_a_slip_in_a_mapping_is_a_finding_with_its_line(text: str, line: int, says: str) -> None:
    mapping, findings = read_mapping(text.encode(), "map.yaml")

    assert mapping is None
    assert (findings[0].code, findings[0].place.path, findings[0].place.line) == ("invalid-mapping", "map.yaml", line)
    assert any(says in finding.message + finding.hint for finding in findings)


def test_a_mapping_that_is_no_yaml_is_a_finding_too() -> None:
    mapping, findings = read_mapping(b"id: [", "map.yaml")

    assert mapping is None
    assert findings[0].code == "yaml-syntax"


# ---- always true


def test_a_report_counts_rows_that_were_refused_later(tmp_path: Path) -> None:
    report = read(tmp_path, "a.jsonl", '{"id": "1"}\n{"id": "2"}\n7\n').report(also_rejected=1)

    assert (report.rows, report.accepted, report.rejected) == (3, 1, 2)


PIECES = st.sampled_from(
    [
        b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"\x00", b"\xff", b"{", b"}", b"[", b"]", b":", b"id", b'"id":"1"',
        b'{"id":"1"}', b'{"kind":"A","id":"2"}', b"\\u0000", b"\\ud800", b"1e999", b"NaN", b"\xef\xbb\xbf", b"a", b" ",
        b'{"op":"add","path":"/"}', b'{"@type":"TroubleTicket","id":"1","creationDate":"2026-01-01T00:00:00Z"}',
        "中".encode(), b"\xe2\x80\xae", b'"event":{}', b"null",
    ]
)  # fmt: skip
SUFFIXES = sorted(name for name in SOURCES if name.startswith("."))
ANY_BYTES = st.binary(max_size=200) | st.lists(PIECES, max_size=40).map(b"".join)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=ANY_BYTES, suffix=st.sampled_from(SUFFIXES), mapped=st.booleans(), kind=st.sampled_from([None, "A"]))
def test_no_bytes_crash_a_source_and_every_row_is_accounted_for(
    tmp_path: Path, data: bytes, suffix: str, mapped: bool, kind: str | None
) -> None:
    mapping = "id: {column: 1}\nfields: {a: {column: 1, as: name}}\n" if mapped else ""

    reading = read(tmp_path, f"feed{suffix}", data, kind=kind, mapping=mapping)

    refused = [finding for finding in reading.findings if finding.severity != "info"]
    whole = sum(finding.code == "unreadable-feed" for finding in refused)
    assert len(refused) - whole == reading.rejected
    assert reading.report().rows == len(reading.rows) + reading.rejected
    if suffix in (".jsonl", ".ndjson") and not whole:
        content = data.removeprefix(b"\xef\xbb\xbf")
        assert reading.report().rows == sum(bool(line.strip()) for line in content.split(b"\n"))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20), min_size=1, max_size=8))
def test_what_a_csv_writer_writes_is_read_back(tmp_path: Path, texts: list[str]) -> None:
    import csv

    with (tmp_path / "w.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "text"], *([str(number), text] for number, text in enumerate(texts))])

    reading = read_source(SourceContext("w.csv", "A", root=tmp_path))

    assert {row.id: row.body.get("text", "") for row in reading.rows} == {str(n): t for n, t in enumerate(texts)}
