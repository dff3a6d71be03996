"""Edits of records are drafted on a snapshot: what they change, what they leave alone, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import contents, small_files, small_store

from remit.errors import NotFound, Refused, UserError
from remit.recording import (
    Draft,
    new_record,
    remove_record,
    rename_record,
    set_fields,
    unset_fields,
    write_draft,
)
from remit.records import Snapshot, build_snapshot
from remit.schemas import Schemas, load_schemas
from remit.store import Store
from remit.yamltext import read

FILES = small_files()
SCHEMAS, _FINDINGS = load_schemas(FILES)
SNAPSHOT = build_snapshot(FILES)
BANK = "records/customers/harbour-bank.yaml"

Edits = Callable[[Snapshot, Schemas], Draft]


def snapshot_with(**texts: str) -> Snapshot:
    """The small store with some files changed; ``__`` in a name stands for a slash."""
    return build_snapshot({**FILES, **{path: text.encode() for path, text in texts.items()}})


def lines_changed(path: str, draft: Draft) -> list[tuple[str, str]]:
    """The lines that differ, where a draft keeps the number of lines."""
    data = draft.files[path]
    assert data is not None
    old, new = FILES[path].decode().splitlines(), data.decode().splitlines()
    return [pair for pair in zip(old, new, strict=True) if pair[0] != pair[1]]


def spec_of(draft: Draft, path: str) -> dict[str, object]:
    data = draft.files[path]
    assert data is not None
    document, findings = read(data, path)
    assert document is not None and not findings
    spec: dict[str, object] = document.value["spec"]
    return spec


def test_the_small_store_itself_is_right() -> None:
    assert not _FINDINGS and not SNAPSHOT.findings
    assert [f for r in (*SNAPSHOT.records, *SNAPSHOT.policies) for f in SCHEMAS.check_record(r)] == []


def test_setting_a_field_changes_its_line_alone_and_keeps_the_comment() -> None:
    draft = set_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", ["customerGrade=local_a"])

    assert lines_changed(BANK, draft) == [
        ("  customerGrade: local_b   # 2026 年评定", "  customerGrade: local_a   # 2026 年评定")
    ]
    assert [str(change) for change in draft.changes] == [f"{BANK}: spec.customerGrade: local_b -> local_a"]


def test_chinese_in_the_envelope_can_be_set() -> None:
    draft = set_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", ["metadata.title.zh=海港银行股份", "notes=“新”"])

    text = (draft.files[BANK] or b"").decode()
    assert "title: {en: Harbour Bank, zh: 海港银行股份}" in text
    assert "# 海港银行：集团级客户。" in text and "  # 联系人" in text
    assert spec_of(draft, BANK)["notes"] == "“新”"


@pytest.mark.parametrize(
    ("assignment", "field", "value"),
    [
        ("postcode=012", "postcode", "012"),
        ("postcode=no", "postcode", "no"),
        ("postcode=a=b", "postcode", "a=b"),
        ("lines=12", "lines", 12),
        ("share=0.25", "share", 0.25),
        ("share=1e3", "share", 1000.0),
        ("keyAccount=true", "keyAccount", True),
        ("tags=[a, 乙]", "tags", ["a", "乙"]),
        ('tags=["012"]', "tags", ["012"]),
        ("tags[+]=first", "tags", ["first"]),
        ("spec.lines=3", "lines", 3),
        ("roles.ceB=chen-jing", "roles", {"cm": "chen-jing", "ceA": "wang-lei", "ceB": "chen-jing"}),
        ('roles={"cm": "wang-lei"}', "roles", {"cm": "wang-lei"}),
    ],
)
def test_a_value_is_read_as_the_schema_says(assignment: str, field: str, value: object) -> None:
    draft = set_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", [assignment])

    assert spec_of(draft, BANK)[field] == value


def test_list_items_are_changed_in_place_and_added_at_the_end() -> None:
    edits = ["contacts[1].phone=0579-0000", "contacts[+]={contactPerson: 吴}", "contacts[+].contactPerson=郑"]
    draft = set_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", edits)

    assert spec_of(draft, BANK)["contacts"] == [
        {"contactPerson": "林女士", "phone": "0579-1234"},
        {"contactPerson": "周先生", "phone": "0579-0000"},
        {"contactPerson": "吴"},
        {"contactPerson": "郑"},
    ]


def test_setting_what_is_so_already_changes_nothing() -> None:
    draft = set_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", ["customerGrade=local_b"])

    assert draft.files == {} and draft.changes == ()


@pytest.mark.parametrize(
    ("assignment", "message", "hint"),
    [
        ("customerGrad=group", "Customer has no field 'customerGrad'.", 'Did you mean "customerGrade"?'),
        ("roles.ceC=wang-lei", "spec.roles has no field 'ceC'.", "Did you mean"),
        ("lines=many", "lines is a whole number; 'many' is not.", "lines=VALUE"),
        ("keyAccount=yes", "keyAccount is true or false", ""),
        ("share=nan", "share is a number", ""),
        ("tags=a", "tags is a list", "tags=[a, b]"),
        ("tags=[012]", "cannot be read", ""),
        ("contacts.phone=1", "spec.contacts is a list", "spec.contacts[0].phone"),
        ("contacts[9].contactPerson=x", "behind the end of the list", "[+]"),
        ("customerGrade.x=1", "holds one value", ""),
        ("metadata.naem=x", "metadata has no field 'naem'", 'Did you mean "name"?'),
        ("no equal sign", "is not path=value", ""),
        ("a..b=1", "is not path=value", ""),
        ("postcode=a\x1bb", "U+001B", ""),
    ],
)
def test_an_assignment_that_cannot_be_is_told_with_what_was_expected(assignment: str, message: str, hint: str) -> None:
    with pytest.raises(UserError) as raised:
        set_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", [assignment])

    assert message in raised.value.message or message in raised.value.hint
    assert hint in raised.value.hint or hint in raised.value.message


@pytest.mark.parametrize(
    ("assignment", "code", "said"),
    [
        ("customerGrade=groop", "not-in-enum", 'Did you mean "group"?'),
        ("roles.ceA=wang-lie", "unknown-reference", 'Did you mean "wang-lei"?'),
        ("roles.ceA=Person/wang-lei", "unknown-reference", "Write the name alone: wang-lei"),
        ("roles.ceA=harbour", "wrong-kind-reference", "Name a Person."),
        ("lines=-1", "schema-violation", "minimum"),
        ("contacts[+]={phone: '1'}", "missing-field", "contactPerson"),
        ("metadata.labels={a: 1}", "schema-violation", "not a text"),
    ],
)
def test_a_record_that_would_be_worse_is_refused_with_its_findings(assignment: str, code: str, said: str) -> None:
    with pytest.raises(Refused) as raised:
        set_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", [assignment])

    assert f"{BANK}:" in raised.value.message
    assert code in raised.value.message and said in raised.value.message


def test_what_was_wrong_before_does_not_stand_in_the_way() -> None:
    text = FILES[BANK].decode().replace("status: active", "status: dormant")
    snapshot = snapshot_with(**{BANK: text})

    draft = set_fields(snapshot, SCHEMAS, "Customer/harbour-bank", ["customerGrade=group"])

    assert spec_of(draft, BANK)["customerGrade"] == "group"
    with pytest.raises(Refused, match="at_risc"):
        set_fields(snapshot, SCHEMAS, "Customer/harbour-bank", ["status=at_risc"])


def test_a_policy_is_set_and_checked_like_a_record() -> None:
    path = "rules/escalation/faults.yaml"
    draft = set_fields(SNAPSHOT, SCHEMAS, "faults", ["owner=wang-lei"])

    assert lines_changed(path, draft) == [("  owner: chen-jing", "  owner: wang-lei")]
    with pytest.raises(Refused, match="unknown-reference"):
        set_fields(SNAPSHOT, SCHEMAS, "faults", ["owner=nobody"])


@given(st.text(min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_is_kept_exactly_or_refused(text: str) -> None:
    try:
        draft = set_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", [f"postcode={text}"])
    except UserError:
        return

    assert spec_of(draft, BANK)["postcode"] == text


# --- unset -----------------------------------------------------------------------------------------------------------


def test_unset_takes_fields_and_items_out_as_they_stand_now() -> None:
    draft = unset_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", ["contacts[0]", "contacts[1].phone", "roles.cm"])

    assert spec_of(draft, BANK)["contacts"] == [{"contactPerson": "周先生"}]
    assert spec_of(draft, BANK)["roles"] == {"ceA": "wang-lei"}
    assert "# 联系人" in (draft.files[BANK] or b"").decode()


def test_a_mapping_that_would_be_empty_goes_too() -> None:
    draft = unset_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", ["roles.cm", "roles.ceA"])

    assert "roles" not in spec_of(draft, BANK)


def test_unset_names_the_field_that_is_not_there() -> None:
    with pytest.raises(NotFound, match=r"Customer/harbour-bank has no spec\.roles\.ceB"):
        unset_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", ["roles.ceB"])


def test_unset_of_a_required_field_is_refused() -> None:
    with pytest.raises(Refused, match="missing-field"):
        unset_fields(SNAPSHOT, SCHEMAS, "Customer/harbour-bank", ["customerGrade"])


# --- new -------------------------------------------------------------------------------------------------------------


def test_a_new_record_has_its_fields_in_the_order_of_the_schema() -> None:
    draft = new_record(
        SNAPSHOT,
        SCHEMAS,
        "customer",
        "bright-foods",
        assignments=["lines=2", "customerGrade=group", "roles.cm=wang-lei"],
        title={"en": "Bright Foods", "zh": "光明食品"},
    )

    assert (draft.files["records/customers/bright-foods.yaml"] or b"").decode() == (
        "apiVersion: remit/v1\n"
        "kind: Customer\n"
        "metadata:\n"
        "  name: bright-foods\n"
        "  title:\n"
        "    en: Bright Foods\n"
        "    zh: 光明食品\n"
        "spec:\n"
        "  customerGrade: group\n"
        "  roles:\n"
        "    cm: wang-lei\n"
        "  lines: 2\n"
    )


def test_a_required_field_takes_its_default() -> None:
    draft = new_record(SNAPSHOT, SCHEMAS, "Person", "zhao-min", title="赵敏")

    assert spec_of(draft, "records/people/zhao-min.yaml") == {"status": "active"}


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("Customer", "../x", "cannot be the name"),
        ("Customer", "a/b", "cannot be the name"),
        ("Customer", ".git", "cannot be the name"),
        ("Customer", "Bank", "cannot be the name"),
        ("Customer", "海港", "cannot be the name"),
        ("Customer", "-x", "cannot be the name"),
        ("Customer", "", "cannot be the name"),
        ("Customer", "x\n", "cannot be the name"),
        ("Customer", "a" * 64, "cannot be the name"),
        ("Customer", "con", "reserved"),
        ("Customer", "lpt1", "reserved"),
        ("Customer", "harbour-bank", "exists already"),
        ("Custmer", "x", "There is no kind 'Custmer'"),
        ("Customer", "x", "missing-field"),
    ],
)
def test_a_new_record_is_refused_where_it_cannot_be(kind: str, name: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        new_record(SNAPSHOT, SCHEMAS, kind, name)

    assert message in raised.value.message


# --- rename ----------------------------------------------------------------------------------------------------------


def test_rename_rewrites_every_reference_and_nothing_else() -> None:
    draft = rename_record(SNAPSHOT, SCHEMAS, "Person/chen-jing", "chen-jing-2")

    assert draft.record == "Person/chen-jing-2"
    assert draft.files["records/people/chen-jing.yaml"] is None
    assert b"{name: chen-jing-2, title:" in (draft.files["records/people/chen-jing-2.yaml"] or b"")
    assert lines_changed("records/teams/harbour.yaml", draft) == [
        ("  lead: chen-jing", "  lead: chen-jing-2"),
        ("    - chen-jing   # 组长", "    - chen-jing-2   # 组长"),
    ]
    assert lines_changed(BANK, draft) == [
        ("  roles: {cm: chen-jing, ceA: wang-lei}", "  roles: {cm: chen-jing-2, ceA: wang-lei}")
    ]
    assert lines_changed("rules/escalation/faults.yaml", draft) == [("  owner: chen-jing", "  owner: chen-jing-2")]
    assert "roles: {cm: chen-jing-2}" in (draft.files["rules/escalation/faults.cases.yaml"] or b"").decode()


def test_rename_tells_of_the_places_that_only_look_like_the_name() -> None:
    draft = rename_record(SNAPSHOT, SCHEMAS, "Person/chen-jing", "chen-jing-2")

    assert [note.partition(" holds ")[0] for note in draft.notes] == [
        "rules/escalation/faults.cases.yaml:6:21: cases[0].expect.told[0]",
        "rules/escalation/faults.yaml:7:9: spec.when",
    ]


def test_a_reference_keeps_its_form_with_the_kind() -> None:
    draft = rename_record(SNAPSHOT, SCHEMAS, "Team/harbour", "quay")

    assert lines_changed(BANK, draft) == [("  owner: Team/harbour", "  owner: Team/quay")]


def test_a_reference_that_the_new_name_would_capture_is_written_with_its_kind() -> None:
    snapshot = snapshot_with(**{BANK: FILES[BANK].decode().replace("owner: Team/harbour", "owner: harbour")})

    draft = rename_record(snapshot, SCHEMAS, "Person/wang-lei", "harbour")

    assert spec_of(draft, BANK)["owner"] == "Team/harbour"
    assert spec_of(draft, BANK)["roles"] == {"cm": "chen-jing", "ceA": "harbour"}


def test_a_case_file_that_brings_its_own_record_keeps_its_name() -> None:
    path = "rules/escalation/faults.cases.yaml"
    own = "records:\n  - {kind: Person, metadata: {name: chen-jing}, spec: {status: active}}\n"
    snapshot = snapshot_with(**{path: FILES[path].decode() + own})

    assert path not in rename_record(snapshot, SCHEMAS, "Person/chen-jing", "chen-jing-2").files


def test_rows_under_the_name_of_their_kind_are_followed() -> None:
    path = "rules/escalation/faults.cases.yaml"
    text = "facts:\n  Customer:\n    - {id: a, roles: {cm: wang-lei}}\n  Team: {lead: wang-lei}\n"
    snapshot = snapshot_with(**{path: text})

    draft = rename_record(snapshot, SCHEMAS, "Person/wang-lei", "wang")

    assert (draft.files[path] or b"").decode() == text.replace("wang-lei", "wang")


def test_remit_yaml_follows_a_parameter_set() -> None:
    schema = (
        FILES["schemas/kinds/Team.schema.json"].replace(b"Team", b"ParameterSet").replace(b"teams", b"parameter-sets")
    )
    body = FILES["records/teams/harbour.yaml"].replace(b"Team", b"ParameterSet")
    files = {
        **FILES,
        "schemas/kinds/ParameterSet.schema.json": schema,
        "records/parameter-sets/harbour.yaml": body,
        "remit.yaml": FILES["remit.yaml"] + b"parameters: harbour # which set\n",
    }
    schemas, findings = load_schemas(files)
    assert not findings

    draft = rename_record(build_snapshot(files), schemas, "ParameterSet/harbour", "operator")

    assert (draft.files["remit.yaml"] or b"").endswith(b"parameters: operator # which set\n")
    with pytest.raises(Refused, match=r"remit\.yaml"):
        remove_record(build_snapshot(files), schemas, "ParameterSet/harbour")


def test_a_policy_takes_its_cases_along() -> None:
    draft = rename_record(SNAPSHOT, SCHEMAS, "faults", "fault-ladder")

    assert {path: data is None for path, data in draft.files.items()} == {
        "rules/escalation/faults.yaml": True,
        "rules/escalation/faults.cases.yaml": True,
        "rules/escalation/fault-ladder.yaml": False,
        "rules/escalation/fault-ladder.cases.yaml": False,
    }


@pytest.mark.parametrize("name", ["../x", "con", "wang-lei", "Wang"])
def test_rename_refuses_a_name_that_cannot_be(name: str) -> None:
    with pytest.raises(Refused):
        rename_record(SNAPSHOT, SCHEMAS, "Person/chen-jing", name)


def test_renaming_there_and_back_gives_every_byte_back() -> None:
    there = rename_record(SNAPSHOT, SCHEMAS, "Person/chen-jing", "somebody-else")
    between = applied(dict(FILES), there)
    back = rename_record(build_snapshot(between), SCHEMAS, "Person/somebody-else", "chen-jing")

    assert applied(between, back) == FILES


@pytest.mark.parametrize(
    ("record", "name"),
    [("Person/chen-jing", "chen-jing-2"), ("Person/wang-lei", "harbour"), ("faults", "fault-ladder")],
)
def test_a_rename_of_which_some_files_were_written_goes_on(record: str, name: str) -> None:
    class Stopped(Exception):
        pass

    class Stopping:
        """Writes so many files and no more."""

        def __init__(self, left: int) -> None:
            self.files, self.left = dict(FILES), left

        def write(self, path: str, data: bytes) -> None:
            self._step()
            self.files[path] = data

        def remove(self, path: str) -> None:
            self._step()
            del self.files[path]

        def _step(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise Stopped

    draft = rename_record(SNAPSHOT, SCHEMAS, record, name)
    whole = applied(dict(FILES), draft)
    for steps in range(len(draft.files)):
        writer = Stopping(steps)
        with pytest.raises(Stopped):
            write_draft(draft, writer)
        rest = rename_record(build_snapshot(writer.files), SCHEMAS, record, name)
        assert applied(writer.files, rest) == whole, steps


def applied(files: dict[str, bytes], draft: Draft) -> dict[str, bytes]:
    kept = {path: data for path, data in files.items() if path not in draft.files}
    return kept | {path: data for path, data in draft.files.items() if data is not None}


# --- remove ----------------------------------------------------------------------------------------------------------


def test_remove_is_refused_with_every_user_and_place() -> None:
    with pytest.raises(Refused) as raised:
        remove_record(SNAPSHOT, SCHEMAS, "Person/chen-jing")

    lines = [line.split() for line in raised.value.message.splitlines()[1:]]
    assert lines == [
        [f"{BANK}:11:15", "Customer/harbour-bank", "spec.roles.cm"],
        ["records/teams/harbour.yaml:5:9", "Team/harbour", "spec.lead"],
        ["records/teams/harbour.yaml:7:7", "Team/harbour", "spec.members[0]"],
        ["rules/escalation/faults.cases.yaml:5:75", "rules/escalation/faults.cases.yaml", "cases[0].facts[0].roles.cm"],
        ["rules/escalation/faults.yaml:6:10", "EscalationPolicy/faults", "spec.owner"],
    ]


def test_a_record_that_nothing_refers_to_is_removed() -> None:
    assert remove_record(SNAPSHOT, SCHEMAS, "Customer/old-street").files == {"records/customers/old-street.yaml": None}


def test_a_policy_goes_with_its_cases() -> None:
    assert remove_record(SNAPSHOT, SCHEMAS, "EscalationPolicy/faults").files == {
        "rules/escalation/faults.yaml": None,
        "rules/escalation/faults.cases.yaml": None,
    }


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Customer/harbor-bank", 'Did you mean "Customer/harbour-bank"?'),
        ("harbor-bank", "harbour-bank"),
        ("customers/nothing-like-it", "remit list Customer"),
    ],
)
def test_an_unknown_id_names_the_nearest(written: str, hint: str) -> None:
    with pytest.raises(NotFound) as raised:
        remove_record(SNAPSHOT, SCHEMAS, written)

    assert hint in raised.value.hint


# --- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan",
    [
        lambda n, s: set_fields(n, s, "Customer/harbour-bank", ["customerGrade=group", "roles.ceA=nobody"]),
        lambda n, s: unset_fields(n, s, "Customer/harbour-bank", ["status", "customerGrade"]),
        lambda n, s: new_record(n, s, "Customer", "x", assignments=["customerGrade=group", "owner=nobody"]),
        lambda n, s: rename_record(n, s, "Person/chen-jing", "wang-lei"),
        lambda n, s: remove_record(n, s, "Person/chen-jing"),
    ],
)
def test_a_refused_edit_writes_nothing(tmp_path: Path, plan: Edits) -> None:
    store = Store.open(small_store(tmp_path))
    before = contents(tmp_path)

    with pytest.raises(Refused):
        write_draft(plan(build_snapshot(store.files().blobs), SCHEMAS), store)

    assert contents(tmp_path) == before


def test_what_is_written_is_the_draft(tmp_path: Path) -> None:
    store = Store.open(small_store(tmp_path))
    before = contents(tmp_path)
    draft = rename_record(SNAPSHOT, SCHEMAS, "Person/chen-jing", "chen-jing-2")

    write_draft(draft, store)

    assert contents(tmp_path) == applied(before, draft)
