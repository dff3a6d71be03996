"""Who last set each field: by fields and list items, through changes, merges and moves, in real git."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import test_change_commands as changing
from conftest import AT, GitRepo, be, commit_all, git, write_files
from test_outputs import problems

from remit import records
from remit.blaming import Step, origins
from remit.main import main
from remit.pack import pack_files
from remit.yamltext.reconciling import ABSENT

CUSTOMER = "records/customers/harbour-bank.yaml"
lone = changing.lone


def history(*values: Any) -> list[Step]:
    """A straight history of ``values`` from the oldest to the newest, as ``origins`` takes it."""
    before = (ABSENT, *values)
    return [Step(value, (old,)) for value, old in zip(values, before, strict=False)][::-1]


def setters(*values: Any) -> dict[str, int]:
    """Field by field, which of ``values`` (from 0) set it."""
    return {".".join(map(str, one.pointer)): len(values) - 1 - one.step for one in origins(history(*values))}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([{"a": 1, "b": 1}, {"a": 2, "b": 1}], {"a": 1, "b": 0}),
        ([{"a": 1}, {"a": 2}, {"a": 1}], {"a": 2}),
        ([{"a": 1}, {"a": 1.0}], {"a": 1}),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], {"b": 0, "a": 0}),
        ([{"l": ["x", "y"]}, {"l": ["n", "x", "y"]}], {"l.0": 1, "l.1": 0, "l.2": 0}),
        ([{"l": [{"name": "a", "v": 1}]}, {"l": [{"name": "b", "v": 1}, {"name": "a", "v": 1}]}],
         {"l.0.name": 1, "l.0.v": 1, "l.1.name": 0, "l.1.v": 0}),
        ([{"l": [1, 1]}, {"l": [1, 1, 2]}, {"l": [1, 1, 2], "z": {}}], {"l": 1, "z": 2}),
        ([{"a": 1}, ABSENT, {"a": 1}], {"a": 2}),
    ],
)  # fmt: skip
def test_a_field_belongs_to_the_step_that_gave_it_its_value(values: list[Any], expected: dict[str, int]) -> None:
    assert setters(*values) == expected


def test_what_a_merge_took_from_a_side_belongs_to_that_side() -> None:
    first, mine, yours = {"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}
    merge = Step({"a": 2, "b": 2}, (mine, yours))

    found = list(origins([merge, Step(yours, (first,)), Step(mine, (first,)), Step(first, ())]))

    assert [(one.pointer, one.step) for one in found] == [(("a",), 2), (("b",), 1)]


def blamed(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    code = main(["--store", str(folder), "blame", *words, "--format", "json"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    body = json.loads(captured.out)
    assert problems("blame", body) == []
    return body


def test_a_change_is_named_with_its_approvers_at_the_fields_that_it_set(lone: changing.User) -> None:
    changing.raise_grade(lone)
    id = lone.propose()
    assert lone.run("approve", id, *changing.AT, as_="bob-sun").code == 0
    assert lone.run("apply", id, *changing.AT).code == 0

    body = lone.run("blame", "Customer/harbour-bank", "--format", "json").json
    fields = {field["pointer"]: field for field in body["fields"]}

    grade, unit = fields["/spec/customerGrade"], fields["/spec/unit"]
    assert (grade["change"], grade["approved_by"], grade["commit"]) == (id, ["bob-sun"], lone.tip())
    assert (unit["change"], unit["approved_by"]) == (None, [])
    assert problems("blame", body) == []


def test_a_new_layout_sets_nothing_and_text_is_aligned_in_chinese(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    record = "apiVersion: remit/v1\nkind: Customer\nmetadata: {name: harbour-bank, title: 海港银行}\nspec: {grade: a}\n"
    schema = '{"type": "object", "x-remit-plural": "customers"}'
    files = {"remit.yaml": "name: s\ntimezone: Asia/Shanghai\nlanguage: zh\n", CUSTOMER: record}
    folder = git_repo({**files, "schemas/kinds/Customer.schema.json": schema})
    first = git(folder, "rev-parse", "HEAD")
    be(folder, "bob-sun")
    write_files(folder, {CUSTOMER: "# 注释\n" + record.replace("spec: {grade: a}", "spec:\n  grade: a\n  note: 二")})
    second = commit_all(folder, "note", at=AT + timedelta(days=1))

    body = blamed(folder, capsys, "harbour-bank")
    main(["--store", str(folder), "blame", "harbour-bank"])
    lines = capsys.readouterr().out.splitlines()

    assert {f["pointer"]: f["commit"] for f in body["fields"]} == {
        "/apiVersion": first,
        "/kind": first,
        "/metadata/name": first,
        "/metadata/title": first,
        "/spec/grade": first,
        "/spec/note": second,
    }
    assert lines == [
        "字段            值            提交          时间        作者     变更  批准人",
        f"metadata.name   harbour-bank  {first[:12]}  2026-10-15  Ann Lee  -     -",
        f"metadata.title  海港银行      {first[:12]}  2026-10-15  Ann Lee  -     -",
        f"grade           a             {first[:12]}  2026-10-15  Ann Lee  -     -",
        f"note            二            {second[:12]}  2026-10-16  Bob Sun  -     -",
    ]
    assert blamed(folder, capsys, "harbour-bank", "--ref", first)["commit"] == first


def test_a_record_that_was_never_committed_has_nobody_to_blame(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = git_repo({"remit.yaml": "name: s\n"})

    assert main(["--store", str(folder), "blame", "Customer/harbour-bank"]) == 2
    assert "There is no record or policy" in capsys.readouterr().err


def test_one_record_is_blamed_and_logged_without_reading_the_others(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {
        f"records/customers/other-{n:03}.yaml": f"kind: Customer\nmetadata:\n  name: other-{n:03}\n" for n in range(300)
    }
    mine = {CUSTOMER: "kind: Customer\nmetadata:\n  name: harbour-bank\nspec:\n  note: x\n"}
    schemas = {path: data.decode() for path, data in pack_files().items() if path.startswith("schemas/")}
    folder = git_repo({"remit.yaml": "name: s\n", **schemas, **mine, **others})
    read: list[str] = []
    known = records._read
    monkeypatch.setattr(records, "_read", lambda data, path: (read.append(path), known(data, path))[1])
    said = []
    for name in ("Customer/harbour-bank", "harbour-bank"):
        for words in (["blame", name], ["log", name]):
            assert main(["--store", str(folder), *words]) == 0
        said.append(capsys.readouterr().out)

    assert said[0] == said[1] and "note" in said[0]
    assert [path for path in read if path.startswith("records/")][:3] == [CUSTOMER, CUSTOMER, CUSTOMER]
