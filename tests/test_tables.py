"""A rule that is a look-up is a table, and every combination of its inputs has exactly one result."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from worlds import record_text, small_world

from remit.findings import Finding
from remit.pack import pack_files
from remit.store import Files
from remit.tables import Table, read_tables
from remit.times import parse_instant

PATH = "records/lookup-tables/limit.yaml"
AT: datetime = parse_instant("2026-10-15T10:00:00+08:00")
GRADE = {"name": "grade", "field": "Customer.grade"}
KIND = {"name": "kind", "values": ["fault", "order"]}


def table(spec: dict[str, Any], more: dict[str, bytes] | None = None) -> tuple[Table | None, list[Finding]]:
    whole = {"output": {"name": "limit", "unit": "duration"}, "inputs": [GRADE], **spec}
    loaded = small_world({PATH: record_text("LookupTable", "limit", whole), **(more or {})})
    assert not loaded.trouble, loaded.trouble
    tables, findings = read_tables(loaded.world, loaded.snapshot.files)
    return tables.get("limit"), findings


def said(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(f.code, f.message) for f in findings]


def test_a_table_with_one_row_for_every_combination_is_sound() -> None:
    rows = [
        {"grade": "group", "kind": "fault", "limit": "4h"},
        {"grade": ["province", "local"], "kind": "fault", "limit": "8h"},
        {"kind": "order", "limit": "90m"},
    ]
    made, findings = table({"inputs": [GRADE, KIND], "rows": rows})

    assert made is not None and findings == []
    assert str(made.find("local", "fault")) == "8:00:00"
    assert str(made.find("group", "order")) == "1:30:00"


def test_holes_are_named_and_shortened_with_a_count() -> None:
    _, findings = table(
        {"inputs": [GRADE, KIND, {"name": "n", "values": list("123")}], "rows": [{"grade": "group", "limit": "4h"}]}
    )

    ((code, message),) = said(findings)
    assert code == "table-hole"
    assert "grade=province kind=fault n=1; grade=province kind=fault n=2" in message
    assert message.endswith("and 7 more.")


def test_of_overlapping_rows_the_later_is_named_with_what_both_fit() -> None:
    rows = [{"grade": ["group", "province"], "limit": "4h"}, {"grade": ["province", "local"], "limit": "8h"}]

    assert said(table({"rows": rows})[1])[0][0] == "table-overlap"
    assert "grade=province" in said(table({"rows": rows})[1])[0][1]
    made, findings = table({"rows": rows, "match": "first"})
    assert made is not None and findings == []
    assert str(made.find("province")) == "4:00:00"


@pytest.mark.parametrize("match", ["first", "unique"])
def test_a_row_that_others_cover_is_never_reached(match: str) -> None:
    rows = [{"grade": ["group", "province"], "limit": "4h"}, {"grade": "local", "limit": "8h"}, {"limit": "9h"}]

    assert [code for code, _ in said(table({"rows": rows, "match": match})[1])] == ["table-unreachable"]


def test_rows_may_stand_in_a_csv_file_beside_the_record() -> None:
    text = "grade,limit\ngroup,4h\nprovince|local,8h\n"
    made, findings = table({"csv": "limits.csv"}, {"records/lookup-tables/limits.csv": text.encode()})

    assert made is not None and findings == []
    assert str(made.find("local")) == "8:00:00"


def test_a_hole_in_a_csv_file_is_found_at_the_file() -> None:
    text = "grade,limit\r\ngroup,4h\r\ngruop,8h\r\n"
    _, findings = table({"csv": "limits.csv"}, {"records/lookup-tables/limits.csv": text.encode()})

    (one,) = findings
    assert (one.code, one.place.path, one.place.line) == ("not-in-enum", "records/lookup-tables/limits.csv", 3)
    assert one.hint == 'Did you mean "group"?'


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"rows": [{"grad": "group", "limit": "4h"}]}, "unknown-field", "grade"),
    ({"rows": [{"limit": "2wd"}]}, "schema-violation", "calendar"),
    ({"rows": [{"limit": "soon"}]}, "schema-violation", "not a duration"),
    ({"rows": [{"grade": "group"}]}, "schema-violation", "limit"),
    ({"inputs": [{"name": "grade", "field": "Customer.grad"}], "rows": [{"limit": "4h"}]}, "unknown-field", "grade"),
    ({"inputs": [{"name": "grade", "field": "Custmer.grade"}], "rows": [{"limit": "4h"}]}, "unknown-kind", "Customer"),
    (
        {"inputs": [{"name": "grade", "field": "Customer.score"}], "rows": [{"limit": "4h"}]},
        "schema-violation",
        "listed",
    ),
    ({"csv": "missing.csv"}, "unknown-reference", "missing.csv"),
    (
        {"inputs": [{"name": f"i{n}", "values": list("abcdefghij")} for n in range(5)], "rows": [{"limit": "4h"}]},
        "schema-violation",
        "50000 combinations",
    ),
]


@pytest.mark.parametrize(("spec", "code", "words"), WRONG, ids=[w[2] for w in WRONG])
def test_a_table_that_cannot_be_read_is_refused(spec: dict[str, Any], code: str, words: str) -> None:
    made, findings = table(spec)

    assert made is None
    assert findings[0].code == code
    assert words in findings[0].message + findings[0].hint


def test_inputs_may_be_the_records_of_a_kind() -> None:
    made, findings = table(
        {
            "inputs": [{"name": "who", "kind": "Customer"}],
            "rows": [{"who": "bank", "limit": "4h"}, {"who": "shop", "limit": "1h"}],
        }
    )

    assert made is not None and findings == []
    assert made.inputs[0].values == ("bank", "shop")


def test_a_product_without_a_limit_for_some_grade_is_named() -> None:
    from remit.evaluating import load
    from remit.terms import ungoverned

    files = {path: data for path, data in pack_files().items() if not path.startswith("rules/")}
    assert list(ungoverned(load(Files(None, None, files)).world, AT)) == []
    del files["records/service-levels/centrex-local-b-repair.yaml"]
    (one,) = ungoverned(load(Files(None, None, files)).world, AT)

    assert (one.code, one.record) == ("no-governing-term", "ProductOffering/centrex")
    assert "customerGrade=local_b" in one.message and "local_a" not in one.message


def test_the_store_looks_up_visit_cycles_and_a_grade_without_a_row_is_named() -> None:
    from remit.evaluating import load

    path = "records/lookup-tables/visit-cycle-by-grade.yaml"
    files = pack_files()
    read = load(Files(None, None, files))
    tables, findings = read_tables(read.world, read.snapshot.files)
    assert findings == []
    assert [tables["visit-cycle-by-grade"].find(grade) for grade in ("group", "local_b", "local_c")] == [
        "3mo",
        "6mo",
        "1y",
    ]

    kept = [line for line in files[path].splitlines(keepends=True) if b"local_c" not in line]
    read = load(Files(None, None, {**files, path: b"".join(kept)}))
    ((code, message),) = said(read_tables(read.world, read.snapshot.files)[1])

    assert code == "table-hole"
    assert "grade=local_c" in message
