"""Reading, writing and editing YAML: places, refusals, round trips, and lines that stay as they were."""

from __future__ import annotations

import difflib
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from remit.errors import UserError
from remit.findings import Finding
from remit.places import Place
from remit.yamltext import DELETE, Edit, dump, edit, forbidden_character, read, reading, scalars
from remit.yamltext.dumping import same

DATA = Path(__file__).parent / "data"
GOOD = sorted((DATA / "yaml" / "good").glob("*.yaml"))
BAD = sorted((DATA / "yaml" / "bad").glob("*.yaml"))
NAUGHTY: list[str] = json.loads((DATA / "naughty-strings" / "blns.json").read_text("utf-8"))


def value_of(data: bytes) -> Any:
    document, findings = read(data, "test.yaml")
    assert document is not None, findings
    return document.value


# Reading


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_a_good_file_is_read_as_the_json_beside_it(file: Path) -> None:
    expected = json.loads(file.with_suffix(".json").read_text("utf-8"))

    assert same(value_of(file.read_bytes()), expected)


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_file_is_a_finding_of_its_code_at_the_expected_place_with_a_hint(file: Path) -> None:
    data = file.read_bytes()
    line, column = map(int, re.findall(rb"expect ([0-9]+):([0-9]+)", data)[0])

    document, findings = read(data, "bad.yaml")

    assert document is None
    assert (findings[0].code, findings[0].place) == (file.name.split(".")[0], Place("bad.yaml", line, column))
    assert findings[0].hint
    assert all(not forbidden_character(finding.message) for finding in findings)


def test_every_code_of_reading_has_a_bad_file() -> None:
    from remit.findings import CODES

    codes = {code for code in CODES if code.startswith("yaml-")} | {"unreadable-file"}

    assert codes == {file.name.split(".")[0] for file in BAD}


@pytest.mark.parametrize("file", [*GOOD, *BAD], ids=lambda file: file.stem)
def test_the_pure_python_parser_agrees_with_libyaml(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_libyaml, findings = read(file.read_bytes(), "x.yaml")
    monkeypatch.setattr(reading, "LOADER", yaml.SafeLoader)

    pure, pure_findings = read(file.read_bytes(), "x.yaml")

    assert pure == with_libyaml
    assert [f.code for f in pure_findings] == [f.code for f in findings]


def test_all_mistakes_of_a_file_are_found_in_order() -> None:
    _, findings = read(b"a: no\nb: 012\na: 1\nc: &x 1\n", "x.yaml")

    assert [(f.code, f.place.line, f.pointer) for f in findings] == [
        ("yaml-ambiguous", 1, ""),
        ("yaml-ambiguous", 2, ""),
        ("yaml-duplicate-key", 3, ""),
        ("yaml-alias", 4, ""),
    ]


def test_reading_stops_after_enough_findings() -> None:
    _, findings = read(b"- no\n" * 1000, "x.yaml")

    assert len(findings) == reading.ENOUGH_FINDINGS


def test_every_value_and_key_knows_its_place() -> None:
    document, _ = read("a: 1\n海港: {b: [x,  z]}\nlist:\n  - c: 2\n".encode(), "x.yaml")

    assert document is not None
    assert document.place(()) == Place("x.yaml", 1, 1)
    assert document.place(("海港", "b", 1)) == Place("x.yaml", 2, 14)
    assert document.key_place(("海港", "b")) == Place("x.yaml", 2, 6)
    assert document.place(("list", 0)) == Place("x.yaml", 4, 5)
    assert document.place(("list", 0, "c")) == Place("x.yaml", 4, 8)
    assert document.key_place(("list", 0)) == Place("x.yaml", 4, 5)
    assert document.place(("list", 0, "missing", "deep")) == Place("x.yaml", 4, 5)
    assert document.key_place(("missing",)) == Place("x.yaml", 1, 1)


@pytest.mark.parametrize(
    ("data", "good"),
    [
        (b"a: " + b"x" * (reading.LARGEST_FILE - 4) + b"\n", True),
        (b"a: " + b"x" * (reading.LARGEST_FILE - 3) + b"\n", False),
        (b"[" * 32 + b"]" * 32, True),
        (b"[" * 33 + b"]" * 33, False),
        (b"- a\n" * 49_994, True),
        (b"- a\n" * 49_995, False),
    ],
    ids=["largest", "too large", "deepest", "too deep", "most", "too many"],
)
def test_the_limits_themselves_are_still_read(data: bytes, good: bool) -> None:
    assert (read(data, "x.yaml")[0] is not None) == good


# Writing

ALLOWED = st.characters(exclude_categories=["Cs"]).filter(lambda char: not forbidden_character(char))
TRICKY = [
    *["no", "012", "12:30", "~", "", "=", "<<", "1e3", "2026-02-30", "2026-01-02", "null", "- a", "a: b", "a #b"],
    *["---", "...", "? a", "!x", "&a", "*a", "%a", "@a", "`a", "-", ":", "?", "[", "{a}", ",", "#", "a: ", "'", '"'],
    *[
        "a\nb",
        "a\nb\n",
        " a\nb",
        "a\n\n",
        "\n",
        "a \nb",
        "\ta",
        "海港",
        "\\",
        "a\u2028b",
        "\xa0",
        "1_000",
        "0x1f",
        ".5",
    ],
]
TEXT = st.text(ALLOWED, max_size=30) | st.sampled_from(TRICKY)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(TEXT, VALUES, max_size=5)


@given(MAPPINGS)
@example({"a" * 200: {"b" * 2000: ["c" * 3000]}})
def test_what_dump_writes_read_gives_back(value: dict[str, Any]) -> None:
    assert same(value_of(dump(value)), value)


def test_dump_writes_block_style_with_quotes_only_where_needed() -> None:
    value = {
        "name": "harbour-bank",
        "title": {"en": "Harbour Bank", "zh": "海港银行"},
        "code": "012",
        "open": "09:00",
        "since": "2026-03-02T09:00:00+08:00",
        "note": 'say "yes"',
        "text": "one\n  two\n",
        "when": 'subject.grade in ["group"] && size(a) > 1',
        "levels": [{"after": "120m", "notify": ["a"]}, {"after": "180m", "notify": []}],
        "labels": {},
        "long": "word " * 60 + "end",
        "share": 0.8,
        "ok": True,
    }

    assert dump(value).decode() == (
        "name: harbour-bank\ntitle:\n  en: Harbour Bank\n  zh: 海港银行\n"
        'code: "012"\nopen: "09:00"\nsince: 2026-03-02T09:00:00+08:00\nnote: say "yes"\n'
        "text: |\n  one\n    two\n"
        'when: subject.grade in ["group"] && size(a) > 1\n'
        "levels:\n  - after: 120m\n    notify:\n      - a\n  - after: 180m\n    notify: []\n"
        f"labels: {{}}\nlong: {'word ' * 60}end\nshare: 0.8\nok: true\n"
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53 + 1, "a\x1bb", "\u202e", "\ud800"])
def test_what_no_record_may_hold_is_written_so_that_read_refuses_it(value: Any) -> None:
    document, findings = read(dump({"a": value}), "x.yaml")

    assert document is None
    assert findings[0].code in ("yaml-number-range", "unreadable-file")


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_naughty_string_is_kept_exactly_or_refused_by_name(text: str) -> None:
    document, findings = read(dump({"a": [text]}), "x.yaml")

    if forbidden := forbidden_character(text):
        assert [(f.code, forbidden in f.message) for f in findings] == [("unreadable-file", True)]
        with pytest.raises(UserError, match=re.escape(forbidden)):
            edit(b"a: 1\n", [Edit(("a",), text)])
    else:
        assert document is not None
        assert document.value == {"a": [text]}
        for source in (b"a: 1 # why\n", b"{a: [1]}\n", b"a:\n- 1\n", b"b: 1"):
            assert value_of(edit(source, [Edit(("a",), text)]))["a"] == text


# Editing

RECORD = """\
# A customer of note.
apiVersion: remit/v1
metadata:
  name:   harbour-bank      # equals the file name
  title: {en: "Harbour Bank", zh: 海港银行}

# What we promised.
spec:
  grade: group   # or province
  # About the code.
  code: "012"
  'quoted': 'yes'
  levels:
    - {name: director, after: 120m}   # first
    # The second level.
    - name: vice-president
      after: 180m

    - name: president
  text: |
    hello
    world

  tags: []
last: [1,
  2, # two
  3]
"""
EDITS: list[tuple[str, list[Edit], list[str]]] = [
    ("a value, its comment stays", [Edit(("spec", "grade"), "local_a")],
     ["-  grade: group   # or province", "+  grade: local_a   # or province"]),
    ("alignment stays", [Edit(("metadata", "name"), "x")],
     ["-  name:   harbour-bank      # equals the file name", "+  name:   x      # equals the file name"]),
    ("quotes stay", [Edit(("spec", "code"), "code"), Edit(("spec", "quoted"), "it's")],
     ['-  code: "012"', "-  'quoted': 'yes'", '+  code: "code"', "+  'quoted': 'it''s'"]),
    ("text that looks like a number gets quotes", [Edit(("spec", "grade"), "012")],
     ["-  grade: group   # or province", '+  grade: "012"   # or province']),
    ("a value in braces", [Edit(("metadata", "title", "zh"), "银行, 海港")],
     ['-  title: {en: "Harbour Bank", zh: 海港银行}', '+  title: {en: "Harbour Bank", zh: "银行, 海港"}']),
    ("a new key in braces", [Edit(("metadata", "title", "de"), "Hafenbank")],
     ['-  title: {en: "Harbour Bank", zh: 海港银行}', '+  title: {en: "Harbour Bank", zh: 海港银行, de: Hafenbank}']),
    ("a key in braces goes", [Edit(("metadata", "title", "en"), DELETE)],
     ['-  title: {en: "Harbour Bank", zh: 海港银行}', "+  title: {zh: 海港银行}"]),
    ("a new key comes last in its mapping, before the next comment", [Edit(("metadata", "since"), "2026-01-02")],
     ["+  since: 2026-01-02"]),
    ("missing mappings are made", [Edit(("metadata", "labels", "industry", "main"), "finance")],
     ["+  labels:", "+    industry:", "+      main: finance"]),
    ("a removed key leaves the comment of the next one", [Edit(("spec", "grade"), DELETE)],
     ["-  grade: group   # or province"]),
    ("a mapping in the place of a text", [Edit(("spec", "grade"), {"is": "group", "of": ["x"]})],
     ["-  grade: group   # or province", "+  grade:   # or province", "+    is: group", "+    of:", "+      - x"]),
    ("a text in the place of a mapping", [Edit(("metadata",), "none")],
     ["-metadata:", "-  name:   harbour-bank      # equals the file name",
      '-  title: {en: "Harbour Bank", zh: 海港银行}', "+metadata: none"]),
    ("a mapping set again changes only what differs",
     [Edit(("metadata",), {"name": "harbour-bank", "title": {"en": "Bank", "zh": "海港银行"}})],
     ['-  title: {en: "Harbour Bank", zh: 海港银行}', '+  title: {en: "Bank", zh: 海港银行}']),
    ("a list item is appended", [Edit(("spec", "levels", 3), {"name": "chair", "after": "12:30"})],
     ["+    - name: chair", '+      after: "12:30"']),
    ("a list item goes", [Edit(("spec", "levels", 1), DELETE)],
     ["-    - name: vice-president", "-      after: 180m"]),
    ("the first key of an item goes", [Edit(("spec", "levels", 1, "name"), DELETE)],
     ["-    - name: vice-president", "-      after: 180m", "+    - after: 180m"]),
    ("an item comes between others, comments stay with their items",
     [Edit(("spec", "levels"), [{"name": "director", "after": "120m"}, {"name": "new"},
                                {"name": "vice-president", "after": "180m"}, {"name": "president"}])],
     ["+    - name: new"]),
    ("a block of text becomes another", [Edit(("spec", "text"), "one\ntwo\n")],
     ["-    hello", "-    world", "+    one", "+    two"]),
    ("a block of text becomes a line", [Edit(("spec", "text"), "one")],
     ["-  text: |", "-    hello", "-    world", "+  text: one"]),
    ("an empty list gets an item", [Edit(("spec", "tags", 0), "yes")],
     ["-  tags: []", "+  tags:", '+    - "yes"']),
    ("the last key of a mapping goes", [Edit(("metadata", "title"), DELETE), Edit(("metadata", "name"), DELETE)],
     ["-metadata:", "-  name:   harbour-bank      # equals the file name",
      '-  title: {en: "Harbour Bank", zh: 海港银行}', "+metadata: {}      # equals the file name"]),
    ("a list over several lines", [Edit(("last", 2), "x"), Edit(("last", 3), 4)], ["-  3]", "+  x, 4]"]),
    ("a new top key comes after everything", [Edit(("status",), "active")], ["+status: active"]),
    ("nothing to change", [Edit(("spec", "grade"), "group")], []),
]  # fmt: skip


@pytest.mark.parametrize(("edits", "changed"), [case[1:] for case in EDITS], ids=[case[0] for case in EDITS])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_only_the_lines_that_change_change(edits: list[Edit], changed: list[str], line_end: str) -> None:
    source = RECORD.replace("\n", line_end)

    result = edit(source.encode(), edits).decode()

    assert result.count("\r") == (result.count("\n") if line_end == "\r\n" else 0)
    lines = difflib.unified_diff(source.splitlines(), result.splitlines(), n=0, lineterm="")
    assert [line for line in lines if not line.startswith(("---", "+++", "@@"))] == changed


@pytest.mark.parametrize(
    ("pointer", "value", "message"),
    [
        (("spec", "grade", "deep"), 1, "/spec/grade is a single value"),
        (("spec", "levels", "name"), 1, "/spec/levels is a list"),
        (("spec", "levels", 4), 1, "is a list of 3"),
        (("spec", "none"), DELETE, "nothing at /spec/none"),
        (("spec", "levels", 3), DELETE, "nothing at /spec/levels/3"),
        (("spec", "grade"), "a\u202eb", r"U\+202E"),
        (("spec", "grade"), {"a": ["\x1b"]}, r"U\+001B"),
        (("spec", "a\x00"), 1, r"U\+0000"),
        (("spec", "grade"), 2**60, "beyond what every reader holds"),
        (("spec", "grade"), {1: "a"}, "not text"),
        ((), "text", "mapping or a list"),
        ((), DELETE, "mapping or a list"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_with_its_reason(pointer: Any, value: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        edit(RECORD.encode(), [Edit(pointer, value)])


def test_a_file_that_does_not_read_is_not_edited() -> None:
    with pytest.raises(UserError, match="truth value") as caught:
        edit(b"a: no\n", [Edit(("a",), 1)])

    assert "1:4" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "source",
    [
        "a: 1",
        "{}\n",
        "a:\n- 1\n-  2 # c\n-\n  b: c\n",
        "a: |+\n  x\n\n\n# end\n",
        "- - 1\n  - 2\n- a: 1\n  # c\n  b: 2\n",
        "? a\n: b\n",
        "a:\n  b\nc: >\n  d\n",
        "---\na: {}\n...\n",
        "a: [b: c, d]\n",
        "a: # note\n  # more\n  b: 1\n",
        "a: [1, 2,]\nb: {\n  c: 1,\n  # d\n  d: 2\n}\n",
        "'a': 1\n\"b\" : 2\n",
        "a:\n    - 1\nb:\n  c:\n      d: 1\n",
    ],
)
@given(data=st.data())
def test_an_unusual_layout_is_edited_faithfully_or_refused(source: str, data: st.DataObject) -> None:
    value = value_of(source.encode())
    pointer = data.draw(st.sampled_from(_pointers(value)))
    new = data.draw(VALUES)
    assume(pointer or isinstance(new, dict | list))

    try:
        result = edit(source.encode(), [Edit(pointer, new)])
    except UserError as error:
        assert "disturbing" in error.message or "colon" in error.message
    else:
        assert same(value_of(result), _with(value, pointer, new))


@given(st.data())
def test_a_generated_record_keeps_all_other_lines(data: st.DataObject) -> None:
    value = data.draw(MAPPINGS.filter(bool))
    source = _commented(dump(value).decode(), data)
    assert same(value_of(source.encode()), value)
    key = data.draw(st.sampled_from(sorted(value)))
    new = data.draw(VALUES | st.just(DELETE))

    result = edit(source.encode(), [Edit((key,), new)]).decode()

    expected = {k: v for k, v in value.items() if k != key} if new is DELETE else {**value, key: new}
    assert same(value_of(result.encode()), expected)
    before, own, after = _around(source, key, value)
    kept = result.split("\n")
    if len(value) > 1 and same(list(value), list(expected)):
        assert kept[: len(before)] == before
        assert kept[len(kept) - len(after) :] == after
    comments = [line for line in before + after if line.startswith("# c")]
    assert [line for line in kept if line.startswith("# c")] == comments or len(value) == 1
    assert own


def _commented(text: str, data: st.DataObject) -> str:
    """``text`` with comment lines, each of its own, before some top keys."""
    document, _ = read(text.encode(), "x.yaml")
    assert document is not None
    lines = text.split("\n")
    tops = [document.key_places[pointer][0] - 1 for pointer in document.key_places if len(pointer) == 1]
    for line in sorted(set(tops), reverse=True):
        if not lines[line].startswith("?") and data.draw(st.booleans()):
            lines.insert(line, f"# c{line}")
    return "\n".join(lines)


def _around(source: str, key: str, value: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """The lines before the entry of ``key``, its own, and those from the comment of the next entry on."""
    document, _ = read(source.encode(), "x.yaml")
    assert document is not None
    lines = source.split("\n")
    starts = [document.key_places[(name,)][0] - 1 for name in value]
    at = list(value).index(key)
    end = starts[at + 1] if at + 1 < len(starts) else len(lines) - 1
    while at + 1 < len(starts) and lines[end - 1].startswith("# c"):
        end -= 1
    return lines[: starts[at]], lines[starts[at] : end], lines[end:]


def _pointers(value: Any, pointer: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    own = (
        [(*pointer, "new")] if isinstance(value, dict) else [(*pointer, len(value))] if isinstance(value, list) else []
    )
    return [pointer, *own, *(found for key, item in inner for found in _pointers(item, (*pointer, key)))]


def _with(value: Any, pointer: tuple[Any, ...], new: Any) -> Any:
    if not pointer:
        return new
    key, rest = pointer[0], pointer[1:]
    if isinstance(value, list):
        return [*value[:key], _with(value[key] if key < len(value) else None, rest, new), *value[key + 1 :]]
    return {**value, key: _with(value.get(key), rest, new)}


def test_findings_name_the_file_and_pointer() -> None:
    _, findings = read(b"spec:\n  levels:\n    - after: 12:30\n", "records/x.yaml")

    assert [f.place for f in findings] == [Place("records/x.yaml", 3, 14)]
    assert isinstance(findings[0], Finding)
    assert findings[0].pointer == "/spec/levels/0"


def test_no_character_that_is_forbidden_is_taken_for_a_printable_one() -> None:
    forbidden = [chr(code) for code in range(sys.maxunicode + 1) if scalars._FORBIDDEN.search(chr(code))]

    assert len(forbidden) > 2_000
    assert [one for one in forbidden if forbidden_character(f"a{one}") != f"U+{ord(one):04X}"] == []
