"""Differences between two snapshots in records' words, and how they are told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from approval_store import SCHEMAS, path_of, text_of
from hypothesis import given
from hypothesis import strategies as st

from remit.comparing import Difference, compare
from remit.records import Snapshot, build_snapshot
from remit.reporters.review import difference_text
from remit.schemas import load_schemas

KINDS, _ = load_schemas(SCHEMAS)
BANK = {"customerGrade": "local_b", "roles": {"cm": "ann-lee"}}
PATH = path_of("Customer", "harbour-bank")


def snapshot(texts: Mapping[str, str]) -> Snapshot:
    return build_snapshot({path: text.encode() for path, text in texts.items()})


def differ(before: Mapping[str, str], after: Mapping[str, str], language: str = "en") -> tuple[Difference, ...]:
    return compare(snapshot(before), snapshot(after), KINDS, language)


def customer(spec: Mapping[str, object], name: str = "harbour-bank") -> dict[str, str]:
    return text_of("Customer", name, spec, "海港银行")


def test_a_changed_field_is_told_under_its_title_with_both_values() -> None:
    (one,) = differ(customer(BANK), customer({**BANK, "customerGrade": "local_a"}))

    assert (one.record, one.path, one.change, one.title) == ("Customer/harbour-bank", PATH, "changed", "Harbour-Bank")
    assert [(f.pointer, f.title, f.before, f.after) for f in one.fields] == [
        ("/spec/customerGrade", "Customer grade", "local_b", "local_a")
    ]


def test_titles_are_in_the_language_asked_for() -> None:
    (one,) = differ(customer(BANK), customer({**BANK, "roles": {"cm": "bob-sun"}}), "zh")

    assert one.title == "海港银行"
    assert one.fields[0].title.endswith("客户经理")


def test_what_comes_and_goes_shows_its_fields_on_one_side() -> None:
    (added,) = differ({}, customer(BANK))
    (removed,) = differ(customer(BANK), {})

    assert (added.change, removed.change) == ("added", "removed")
    assert all(f.before is None for f in added.fields) and all(f.after is None for f in removed.fields)
    assert "/spec/roles/cm" in [f.pointer for f in added.fields]
    assert "/kind" not in [f.pointer for f in added.fields]


def test_the_same_content_under_another_name_is_a_rename() -> None:
    (one,) = differ(customer(BANK), customer(BANK, "harbour-trust"))

    assert (one.change, one.record, one.was) == ("renamed", "Customer/harbour-trust", "Customer/harbour-bank")
    assert [f.pointer for f in one.fields] == ["/metadata/title/en"]


def test_one_removed_record_is_renamed_once() -> None:
    both = customer(BANK, "one") | customer(BANK, "two")

    assert sorted(one.change for one in differ(customer(BANK), both)) == ["added", "renamed"]


def test_an_inserted_item_is_one_difference() -> None:
    before = {**BANK, "branchSites": ["a", "c", "d"]}
    after = {**BANK, "branchSites": ["a", "b", "c", "d"]}

    (one,) = differ(customer(before), customer(after))

    assert [(f.pointer, f.before, f.after) for f in one.fields] == [("/spec/branchSites/1", None, "b")]


def test_a_changed_item_is_told_by_its_field() -> None:
    contacts = [{"contactPerson": "方主任", "contactMethod": "1"}, {"contactPerson": "林女士", "contactMethod": "2"}]
    other = [contacts[0], {**contacts[1], "contactMethod": "3"}]

    (one,) = differ(customer({**BANK, "contacts": contacts}), customer({**BANK, "contacts": other}))

    assert [(f.pointer, f.before, f.after) for f in one.fields] == [("/spec/contacts/1/contactMethod", "2", "3")]


def test_a_comment_is_a_change_without_fields() -> None:
    before = customer(BANK)

    (one,) = differ(before, {PATH: "# 备注\n" + before[PATH]})

    assert (one.change, one.fields) == ("changed", ())
    assert "comments or layout only" in difference_text([one], "en")


def test_files_that_are_no_records_are_told_by_their_path() -> None:
    found = differ(
        {"templates/a.j2": "x", "remit.yaml": "name: a\n"}, {"templates/a.j2": "y", "remit.yaml": "name: a\n"}
    )

    assert [(one.record, one.path, one.change) for one in found] == [("", "templates/a.j2", "changed")]


def test_true_and_one_differ() -> None:
    (one,) = differ(customer({**BANK, "importanceScore": 1}), customer({**BANK, "importanceScore": True}))

    assert [(f.before, f.after) for f in one.fields] == [(1, True)]


def test_text_is_shortened_unless_everything_is_asked_for() -> None:
    found = differ(customer(BANK), customer({**BANK, "notes": "长" * 200}))

    assert "…" in difference_text(found, "zh") and "长" * 200 not in difference_text(found, "zh")
    assert "长" * 200 in difference_text(found, "zh", everything=True)


@pytest.mark.parametrize(("language", "words"), [("en", "Nothing differs."), ("zh", "没有差异。")])
def test_no_difference_says_so(language: str, words: str) -> None:
    assert difference_text((), language) == words + "\n"


def test_text_shows_a_hostile_title_harmlessly() -> None:
    files = {
        PATH: customer(BANK)[PATH].replace("海港银行", "\\u202eevil").replace("zh: \\u202eevil", 'zh: "\\u001b[31m"')
    }

    assert "\x1b" not in difference_text(differ({}, files, "zh"), "zh")


scalars = st.one_of(st.booleans(), st.integers(-5, 5), st.text("ab中", max_size=3))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)),
)


@given(
    st.dictionaries(st.sampled_from("pqr"), values, max_size=3),
    st.dictionaries(st.sampled_from("pqr"), values, max_size=3),
)
def test_differences_are_there_exactly_when_the_fields_differ(
    before: dict[str, object], after: dict[str, object]
) -> None:
    old, new = text_of("Customer", "x", before), text_of("Customer", "x", after)

    found = differ(old, new)

    assert bool(found) == (old != new)
    assert all(bool(one.fields) for one in found)
