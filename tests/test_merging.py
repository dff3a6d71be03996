"""Two changes of one record become one, field by field, or are told as conflicts in the record's words."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.reporters.merging import conflict_json, conflict_text
from remit.yamltext import Conflict, Conflicts, Merged, Versions, dump, merge_files, merge_records, read
from remit.yamltext.reconciling import ABSENT, Three, alike, reconcile

PATH = "records/customers/harbour-bank.yaml"
BANK = """\
# 海港银行：集团级客户。
apiVersion: remit/v1
kind: Customer
metadata:
  name: harbour-bank            # equals the file name
  title: {en: Harbour Bank, zh: 海港银行}
spec:
  customerGrade: local_b   # 2026 年评定
  status: active
  roles: {cm: chen-jing, ceA: wang-lei}

  # 联系人
  contacts:
    - {contactPerson: 林女士, phone: '0579-1234'}
    - {contactPerson: 周先生, phone: "0579-5678"}
  members:
    - chen-jing   # 组长
    - wang-lei
"""


def merged(ours: str, theirs: str, base: str = BANK) -> str:
    result = merge_records(base.encode(), ours.encode(), theirs.encode(), PATH)
    assert isinstance(result, Merged) and result.data is not None, result
    return result.data.decode()


def conflicts(base: str | None, ours: str | None, theirs: str | None, path: str = PATH) -> list[Conflict]:
    data = [None if text is None else text.encode() for text in (base, ours, theirs)]
    result = merge_records(*data, path)
    assert isinstance(result, Conflicts), result
    return list(result.conflicts)


def changed(*steps: tuple[str, str], base: str = BANK) -> str:
    for old, new in steps:
        assert old in base
        base = base.replace(old, new)
    return base


BOTH: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "fields that stand far apart": (("local_b", "local_a"), ("- wang-lei", "- zhao-min")),
    "fields on lines that touch": (("local_b", "local_a"), ("status: active", "status: at_risk")),
    "a value and the comment beside it": (("local_b", "local_a"), ("2026 年评定", "2027 年评定")),
    "two fields on one line": (("cm: chen-jing", "cm: li-na"), ("ceA: wang-lei", "ceA: zhao-min")),
    "a field on a line and a comment elsewhere": (("cm: chen-jing", "cm: li-na"), ("  # 联系人", "  # 两位联系人")),
    "two items of a list": (("0579-1234", "0579-0001"), ("0579-5678", "0579-0002")),
    "a title in each language": (("en: Harbour Bank", "en: Harbor Bank"), ("zh: 海港银行}", "zh: 海港商业银行}")),
    "an item that comes and one that goes": (
        ("    - wang-lei\n", "    - wang-lei\n    - 赵敏\n"),
        ("    - chen-jing   # 组长\n", ""),
    ),
    "a new field here and there": (
        ("  status: active\n", "  status: active\n  lines: 4\n"),
        ("- wang-lei\n", "- wang-lei\n  share: 0.5\n"),
    ),
}


@pytest.mark.parametrize("name", BOTH)
def test_both_changes_of_different_fields_stand_as_they_were_written(name: str) -> None:
    mine, yours = BOTH[name]
    ours, theirs = changed(mine), changed(yours)

    result = merged(ours, theirs)

    assert result == changed(mine, yours)
    assert merged(theirs, ours) == result


def test_fields_that_two_changes_append_at_one_place_both_stay_with_their_comments() -> None:
    ours, theirs = BANK + "  lines: 4   # 条\n", BANK + "  # 份额\n  share: '0.5'\n"

    result = merged(ours, theirs)

    assert result == BANK + "  lines: 4   # 条\n  # 份额\n  share: '0.5'\n"
    assert alike(_value(result), _value(merged(theirs, ours)))


@pytest.mark.parametrize(
    ("mine", "yours", "expected"),
    [
        (["a", "b", "x"], ["a", "b", "y"], ["a", "b", "x", "y"]),
        (["b", "a"], ["a", "b", "c"], ["b", "c", "a"]),
        (["a"], ["a", "b", "c"], ["a", "c"]),
        (["a", "b", "c"], ["c", "a", "b"], ["c", "a", "b"]),
        (["b"], ["a"], []),
    ],
)
def test_scalars_of_a_list_are_merged_one_by_one(mine: list[str], yours: list[str], expected: list[str]) -> None:
    base = {"members": ["a", "b"]}

    value, found = reconcile(Three(base, {"members": mine}, {"members": yours}))

    assert not found
    assert value == {"members": expected}


def test_items_with_a_name_are_merged_by_their_name_wherever_they_stand() -> None:
    base = {"levels": [{"name": "one", "after": "1h"}, {"name": "two", "after": "2h"}]}
    ours = {"levels": [{"name": "zero", "after": "0m"}, {"name": "one", "after": "1h"}, {"name": "two", "after": "3h"}]}
    theirs = {"levels": [{"name": "one", "after": "90m"}, {"name": "two", "after": "2h", "every": "1d"}]}

    value, found = reconcile(Three(base, ours, theirs))

    assert [(c.at, c.ours, c.theirs) for c in found] == []
    assert value == {
        "levels": [
            {"name": "zero", "after": "0m"},
            {"name": "one", "after": "90m"},
            {"name": "two", "after": "3h", "every": "1d"},
        ]
    }


def test_an_item_that_only_took_another_name_is_still_the_same_item() -> None:
    base = {"levels": [{"name": "one", "after": "1h"}, {"name": "two", "after": "2h"}]}
    ours = {"levels": [{"name": "first", "after": "1h"}, {"name": "two", "after": "2h"}]}
    theirs = {"levels": [{"name": "one", "after": "90m"}, {"name": "two", "after": "2h"}]}

    value, found = reconcile(Three(base, ours, theirs))

    assert not found
    assert value == {"levels": [{"name": "first", "after": "90m"}, {"name": "two", "after": "2h"}]}


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "why"),
    [
        ({"a": 1}, {"a": 2}, {"a": 3}, "changed"),
        ({"a": 1}, {"a": True}, {"a": 1.0}, "changed"),
        ({"a": {"b": 1}}, {}, {"a": {"b": 2}}, "removed"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, {}, "removed"),
        ({}, {"a": 1}, {"a": 2}, "added"),
        ({}, {"a": [1]}, {"a": [2]}, "added"),
        ({"a": ["x", "y"]}, {"a": ["x", "p"]}, {"a": ["x", "q"]}, "list"),
        ({"a": ["x", "y", "z"]}, {"a": ["z", "y", "x"]}, {"a": ["y", "x", "z"]}, "list"),
        ({"a": [[1], [2]]}, {"a": [[1], [2], [3]]}, {"a": [[1], [2], [4]]}, "list"),
        ({"a": [{"id": 1, "v": 1}]}, {"a": [{"id": 1, "v": 2}]}, {"a": []}, "removed"),
        ({"a": [{"id": 1, "v": 1}]}, {"a": [{"id": 2, "v": 1}]}, {"a": []}, "removed"),
        ({"a": [{"id": 1, "v": 1}]}, {"a": [{"id": 2, "v": 1}]}, {"a": [{"id": 3, "v": 1}]}, "changed"),
        ({"a": [{"id": 1, "v": 1}]}, {"a": [{"id": 2, "v": 1}]}, {"a": [{"id": 1, "v": 1}, {"id": 2, "v": 5}]}, "list"),
    ],
)
def test_what_both_want_differently_is_a_disagreement(base: Any, ours: Any, theirs: Any, why: str) -> None:
    found = reconcile(Three(base, ours, theirs))[1]

    assert [one.why for one in found] == [why]


def test_a_conflict_says_record_field_values_and_the_place_in_each_version() -> None:
    ours = changed(("local_b", "local_a"))
    theirs = changed(("# 海港银行：集团级客户。\n", ""), ("local_b", "province"))

    (one,) = conflicts(BANK, ours, theirs)

    assert (one.record, one.pointer, one.why) == ("Customer/harbour-bank", ("spec", "customerGrade"), "changed")
    assert [side.value for side in (one.before, one.ours, one.theirs)] == ["local_b", "local_a", "province"]
    assert [str(side.place) for side in (one.before, one.ours, one.theirs)] == [
        f"{PATH}:8:3",
        f"{PATH}:8:3",
        f"{PATH}:7:3",
    ]


def test_conflicts_are_said_in_both_languages_with_aligned_columns() -> None:
    found = conflicts(
        BANK, changed(("local_b", "local_a")), changed(("  customerGrade: local_b   # 2026 年评定\n", ""))
    )

    assert (
        conflict_text(found, "en")
        == f"""\
Customer/harbour-bank  spec.customerGrade  (one removed what the other changed)
    before  local_b  {PATH}:8:3
    here    local_a  {PATH}:8:3
    there   (none)  {PATH}:8:3
"""
    )
    assert conflict_text(found, "zh").splitlines()[:2] == [
        "Customer/harbour-bank  spec.customerGrade  (一方删除，另一方修改)",
        f"    原为  local_b  {PATH}:8:3",
    ]
    assert conflict_json(found[0]) == {
        "record": "Customer/harbour-bank",
        "path": PATH,
        "pointer": "/spec/customerGrade",
        "why": "removed",
        "before": {"value": "local_b", "line": 8, "column": 3},
        "ours": {"value": "local_a", "line": 8, "column": 3},
        "theirs": {"line": 8, "column": 3},
    }


def test_every_conflict_is_told_and_the_merge_of_the_rest_is_not_half_written() -> None:
    ours = changed(("local_b", "local_a"), ("0579-1234", "0579-1"), ("status: active", "status: at_risk"))
    theirs = changed(("local_b", "province"), ("0579-1234", "0579-2"))

    found = conflicts(BANK, ours, theirs)

    assert [one.pointer for one in found] == [("spec", "customerGrade"), ("spec", "contacts", 0, "phone")]


@pytest.mark.parametrize("gone", ["ours", "theirs"])
def test_a_record_removed_here_and_changed_there_is_a_conflict(gone: str) -> None:
    other = changed(("local_b", "local_a"))
    sides = (None, other) if gone == "ours" else (other, None)

    (one,) = conflicts(BANK, *sides)

    assert (one.record, one.why) == ("Customer/harbour-bank", "removed")
    assert ABSENT in (one.ours.value, one.theirs.value)


def test_a_record_removed_on_both_sides_is_gone() -> None:
    assert merge_records(BANK.encode(), None, None, PATH) == Merged(None)


def test_two_new_records_of_one_name_differ_field_by_field() -> None:
    found = conflicts(None, BANK, changed(("local_b", "local_a"), ("  status: active\n", "")))

    assert [(one.pointer[-1], one.why) for one in found] == [("customerGrade", "added"), ("status", "added")]


def test_two_new_records_of_one_content_are_one() -> None:
    assert merge_records(None, BANK.encode(), BANK.encode(), PATH) == Merged(BANK.encode())


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    ours = changed(("local_b", "local_a"), ("- wang-lei", "- zhao-min"))
    theirs = changed(("local_b", "local_a"), ("status: active", "status: at_risk"))

    assert merged(ours, theirs) == changed(
        ("local_b", "local_a"), ("- wang-lei", "- zhao-min"), ("status: active", "status: at_risk")
    )


def test_one_comment_that_both_rewrote_is_a_conflict_of_comments() -> None:
    ours, theirs = changed(("2026 年评定", "甲")), changed(("2026 年评定", "乙"))

    (one,) = conflicts(BANK, ours, theirs)

    assert one.why == "comments"
    assert (one.before.value, one.ours.value, one.theirs.value) == (["2026 年评定"], ["甲"], ["乙"])


def test_a_comment_about_a_field_that_the_other_side_removed_is_not_lost_in_silence() -> None:
    ours, theirs = changed(("  status: active\n", "")), changed(("status: active", "status: active  # 待核实"))

    assert [one.why for one in conflicts(BANK, ours, theirs)] == ["comments"]


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("templates/notices/first.txt", ("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n")),
        ("schemas/kinds/Person.schema.json", ('{"a": 1}', '{"a": 2}', '{"a": 1, "b": 2}')),
        ("records/people/a.yaml", ("a: 1\n", "a: no\n", "a: 1\nb: 2\n")),
    ],
)
def test_a_file_that_is_no_record_is_equal_or_a_conflict(path: str, texts: tuple[str, str, str]) -> None:
    (one,) = conflicts(*texts, path)

    assert (one.record, one.why, one.ours.value) == (path, "file", texts[1])
    assert merge_records(texts[0].encode(), texts[0].encode(), texts[2].encode(), path) == Merged(texts[2].encode())


def test_line_ends_of_windows_stay() -> None:
    windows = BANK.replace("\n", "\r\n")

    result = merged(
        windows.replace("cm: chen-jing", "cm: li-na"), windows.replace("ceA: wang-lei", "ceA: zhao-min"), windows
    )

    assert result == changed(("cm: chen-jing", "cm: li-na"), ("ceA: wang-lei", "ceA: zhao-min")).replace("\n", "\r\n")


def test_a_tree_is_merged_file_by_file() -> None:
    base, ours, theirs = BANK.encode(), changed(("local_b", "local_a")).encode(), changed(("local_b", "group")).encode()

    result = merge_files(
        {
            "records/customers/b.yaml": Versions(base, ours, theirs),
            "records/customers/a.yaml": Versions(base, ours, base),
            "records/customers/c.yaml": Versions(base, base, None),
        }
    )

    assert result.files == {"records/customers/a.yaml": ours, "records/customers/c.yaml": None}
    assert [(one.path, one.pointer) for one in result.conflicts] == [
        ("records/customers/b.yaml", ("spec", "customerGrade"))
    ]


# --- generated -------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["甲", "b", "c d", "no", "x-y"])
SCALARS = st.one_of(st.integers(-9, 9), st.booleans(), NAMES, st.sampled_from(["", "一: 二", "# 三", "a\nb\n"]))
ITEMS = st.fixed_dictionaries({"name": NAMES, "v": SCALARS})
LISTS = st.one_of(
    st.lists(NAMES, unique=True, max_size=4),
    st.lists(ITEMS, unique_by=lambda item: item["name"], max_size=3),
    st.lists(SCALARS, max_size=3),
)
VALUES = st.recursive(st.one_of(SCALARS, LISTS), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)
RECORDS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=5)


def _value(text: str | bytes) -> Any:
    document, findings = read(text.encode() if isinstance(text, str) else text, "")
    assert document is not None, findings
    return document.value


@given(RECORDS, RECORDS)
def test_a_change_against_nothing_is_that_change(base: dict[str, Any], change: dict[str, Any]) -> None:
    before, after = dump(base), dump(change)

    assert merge_records(before, after, before, PATH) == Merged(after)
    assert merge_records(before, before, after, PATH) == Merged(after)
    assert merge_records(before, after, after, PATH) == Merged(after)


@given(RECORDS, RECORDS, RECORDS)
def test_the_merged_text_reads_as_the_merged_value_whoever_comes_first(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    value, found = reconcile(Three(base, ours, theirs))

    other, lost = reconcile(Three(base, theirs, ours))
    result = merge_records(dump(base), dump(ours), dump(theirs), PATH)

    assert len(found) == len(lost)
    if not found:
        assert alike(value, other)
        assert isinstance(result, Merged) and result.data is not None
        assert alike(_value(result.data), value)
    else:
        assert isinstance(result, Conflicts)
        assert len(result.conflicts) == len(found)


@given(RECORDS, st.data())
def test_changes_of_different_fields_are_both_there_with_the_comments_of_both(
    base: dict[str, Any], data: st.DataObject
) -> None:
    keys = list(base)
    split = data.draw(st.integers(0, len(keys)))
    mine = {key: data.draw(VALUES) for key in keys[:split]} | {"mine": 1}
    yours = {key: data.draw(VALUES) for key in keys[split:]} | {"yours": 2}
    ours = b"# ours \xe6\x88\x91\n" + dump({**base, **mine})
    theirs = dump({**base, **yours}) + b"# theirs \xe4\xbd\xa0\n"

    result = merge_records(dump(base), ours, theirs, PATH)

    assert isinstance(result, Merged) and result.data is not None, result
    assert alike(_value(result.data), {**base, **mine, **yours})
    text = result.data.decode()
    assert "# ours 我" in text and "# theirs 你" in text


@given(RECORDS, RECORDS, RECORDS)
def test_no_version_is_changed_by_reconciling(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    before = copy.deepcopy((base, ours, theirs))

    reconcile(Three(base, ours, theirs))

    assert (base, ours, theirs) == before
