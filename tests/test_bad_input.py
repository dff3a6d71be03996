"""Whatever is wrong with what a user gives is named, with its place, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from remit.main import main
from remit.pack import pack_files

AT = "2026-10-15T10:00:00+08:00"
Break = Callable[[Path], None]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return {path: data for path, data in pack_files().items() if not path.endswith(".cases.yaml")}


@pytest.fixture
def store(tmp_path: Path, pristine: dict[str, bytes]) -> Path:
    for path, data in pristine.items():
        target = tmp_path / "store" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return tmp_path / "store"


def edited(path: str, old: str, new: str) -> Break:
    def change(store: Path) -> None:
        text = (store / path).read_text(encoding="utf-8")
        assert old in text, (path, old)
        (store / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def written(path: str, data: bytes) -> Break:
    def change(store: Path) -> None:
        (store / path).parent.mkdir(parents=True, exist_ok=True)
        (store / path).write_bytes(data)

    return change


def removed(path: str) -> Break:
    return lambda store: (store / path).unlink()


BANK = "records/customers/harbour-bank.yaml"
LADDER = "rules/escalation/fault-handling.yaml"
STANDING = """apiVersion: remit/v1
kind: WarningPolicy
metadata: {name: probe, title: {en: Probe, zh: 试}}
spec:
  subject: Customer
  when: CONDITION
  levels:
    - name: one
      notify: [{role: cm, of: subject}]
"""


def probe(condition: str) -> Break:
    return written("rules/warning/probe.yaml", STANDING.replace("CONDITION", condition).encode())


BROKEN: list[tuple[str, Break, str, str, str]] = [
    ("a broken record", edited(BANK, "customerGrade: group", "customerGrade: [group"), BANK, "yaml-syntax", ""),
    (
        "a repeated key",
        edited(BANK, "  keyAccount:", "  keyAccount: true\n  keyAccount:"),
        BANK,
        "yaml-duplicate-key",
        "",
    ),
    ("a yes that is not text", edited(BANK, "atRisk: false", "atRisk: no"), BANK, "yaml-ambiguous", ""),
    ("an unknown field", edited(BANK, "customerGrade:", "custmerGrade:"), BANK, "unknown-field", "customerGrade"),
    (
        "a value outside the enum",
        edited(BANK, "customerGrade: group", "customerGrade: gruop"),
        BANK,
        "not-in-enum",
        "group",
    ),
    ("a dangling reference", edited(BANK, "ceA: wang-lei", "ceA: wang-lai"), BANK, "unknown-reference", "wang-lei"),
    ("a reference with its kind", edited(BANK, "ceA: wang", "ceA: Person/wang"), BANK, "unknown-reference", "wang-lei"),
    (
        "a reference to another kind",
        edited(BANK, "ceA: wang-lei", "ceA: linhai-crc"),
        BANK,
        "wrong-kind-reference",
        "Person",
    ),
    (
        "a name unlike the file's",
        edited(BANK, "name: harbour-bank", "name: harbor-bank"),
        BANK,
        "misplaced-file",
        "harbour-bank",
    ),
    ("a person who has left", edited(BANK, "cm: chen-jing", "cm: qin-shan"), BANK, "reference-not-valid", "qin-shan"),
    (
        "a leave that ends before it begins",
        written(
            "records/people/pan-xin.yaml",
            b"""apiVersion: remit/v1
kind: Person
metadata: {name: pan-xin}
spec:
  department: linhai-om-department
  leave: [{from: 2026-10-20T00:00:00+08:00, to: 2026-10-19T00:00:00+08:00}]
""",
        ),
        "records/people/pan-xin.yaml",
        "invalid-period",
        "before it begins",
    ),
    (
        "two repair limits for one product, grade and time",
        edited("records/service-levels/centrex-group-repair.yaml", "customerGrade: group", "customerGrade: province"),
        "records/service-levels/centrex-province-repair.yaml",
        "validity-overlap",
        "centrex-group-repair",
    ),
    (
        "two A engineers of one customer at once",
        edited("records/role-assignments/customer-engineer-harbour-bank-b.yaml", "abRole: B", "abRole: A"),
        "records/role-assignments/customer-engineer-harbour-bank-b.yaml",
        "validity-overlap",
        "customer-engineer-harbour-bank-a",
    ),
    ("an unknown kind", edited(BANK, "kind: Customer", "kind: Custmer"), BANK, "unknown-kind", "Customer"),
    (
        "a role that nobody holds",
        edited(LADDER, "role: crc_director", "role: crc_directer"),
        LADDER,
        "level-reaches-nobody",
        "crc_director",
    ),
    (
        "a misspelt field in a clock",
        edited(LADDER, "start: subject.acceptedAt", "start: subject.acceptdAt"),
        LADDER,
        "condition-unknown-field",
        "acceptedAt",
    ),
    (
        "a parameter that is not there",
        edited(LADDER, "param.escalationRepeat", "param.escalationRepaet"),
        LADDER,
        "condition-unknown-field",
        "escalationRepeat",
    ),
    (
        "a misspelt field in a condition",
        probe("subject.customerGrad == 'group'"),
        "rules/warning/probe.yaml",
        "condition-unknown-field",
        "customerGrade",
    ),
    (
        "a misspelt value in a condition",
        probe("subject.customerGrade == 'grupo'"),
        "rules/warning/probe.yaml",
        "condition-not-in-enum",
        "group",
    ),
    (
        "an optional field without has",
        probe("subject.keyAccount"),
        "rules/warning/probe.yaml",
        "condition-unguarded",
        "has(subject.keyAccount)",
    ),
    (
        "a broken template",
        written("templates/notices/decision.en.j2", b"{{ polcy }}"),
        "templates/notices/decision.en.j2",
        "template-invalid",
        "",
    ),
    (
        "a broken schema",
        written("schemas/kinds/Visit.schema.json", b"{"),
        "schemas/kinds/Visit.schema.json",
        "invalid-schema",
        "",
    ),
    ("a wrong time zone", edited("remit.yaml", "Asia/Shanghai", "Asia/Shanghi"), "remit.yaml", "invalid-config", ""),
]


@pytest.mark.parametrize(("what", "breaks", "path", "code", "hint"), BROKEN, ids=[b[0] for b in BROKEN])
def test_check_names_what_is_broken_at_its_place(
    what: str, breaks: Break, path: str, code: str, hint: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks(store)
    before = {p: p.read_bytes() for p in sorted(store.rglob("*")) if p.is_file()}

    exit_code = main(["--store", str(store), "check", "--at", AT, "--format", "json"])

    found = json.loads(capsys.readouterr().out)["findings"]
    mine = [f for f in found if f["code"] == code and f["path"] == path]
    assert exit_code == 1
    assert mine, found
    assert mine[0]["line"] >= 1 and mine[0]["message"]
    assert any(hint in f["hint"] + f["message"] for f in mine)
    assert {p: p.read_bytes() for p in sorted(store.rglob("*")) if p.is_file()} == before


def test_all_findings_come_at_once_in_the_order_of_their_places(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(LADDER, "role: crc_director", "role: crc_directer")(store)
    probe("subject.customerGrad == 'group'")(store)
    edited(BANK, "ceA: wang-lei", "ceA: nobody")(store)

    main(["--store", str(store), "check", "--at", AT, "--format", "json"])

    found = json.loads(capsys.readouterr().out)
    places = [(f["path"], f["line"], f["column"]) for f in found["findings"]]
    assert places == sorted(places)
    assert len({f["path"] for f in found["findings"] if f["severity"] == "error"}) >= 3
    assert found["counts"]["error"] == sum(f["severity"] == "error" for f in found["findings"])


def test_a_record_that_does_not_fit_its_schema_is_the_only_one_to_be_found(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(BANK, "customerGrade: group", "customerGrade: gruop")(store)
    edited(BANK, "ceA: wang-lei", "ceA: wang-lai")(store)

    main(["--store", str(store), "check", "--at", AT, "--format", "json"])

    errors = [f for f in json.loads(capsys.readouterr().out)["findings"] if f["severity"] == "error"]
    assert [(f["path"], f["code"]) for f in errors] == [(BANK, "not-in-enum"), (BANK, "unknown-reference")]


def test_the_untouched_store_has_no_error(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(store), "check", "--at", AT]) == 0
    assert "error" not in capsys.readouterr().out


def test_evaluate_refuses_a_store_with_errors_rather_than_answer_in_part(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    probe("subject.customerGrad == 'group'")(store)

    exit_code = main(["--store", str(store), "evaluate", "--at", AT])

    said = capsys.readouterr().err
    assert exit_code == 2
    assert "rules/warning/probe.yaml:6" in said and f"remit --store {store} check" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evaluate", "--facts", "missing.jsonl"], "missing.jsonl"),
        (["evaluate", "--facts", "feed.xls"], "no source reads .xls"),
        (["evaluate", "--at", "yesterday"], "yesterday"),
        (["evaluate", "--at", "2026-10-15T10:00:00"], "offset"),
        (["evaluate", "--ref", "no-such-branch"], ""),
        (["explain", "d-000000000000"], "d-000000000000"),
        (["explain", "fault-handlin", "x"], "fault-handling"),
        (["evalute"], "evaluate"),
        (["test", "rules/nowhere"], "rules/nowhere"),
        (["forecast", "--within", "soon"], "soon"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_that_cannot_be_carried_out_says_why_and_exits_with_2(
    arguments: list[str], said: str, store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(store)

    exit_code = main(arguments)

    captured = capsys.readouterr()
    assert exit_code == 2
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_without_a_store_the_command_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["--store", str(tmp_path), "check"])

    assert exit_code == 2
    assert "remit init" in capsys.readouterr().err


def test_every_row_of_a_feed_is_accepted_or_named(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = {"customer": "harbour-bank", "ticketType": "interruption", "acceptedAt": "2026-10-15T09:00:00+08:00"}
    rows = [
        json.dumps({"id": "a", **common}),
        json.dumps({"id": "a", **common}),
        json.dumps({"id": "b", **common, "customer": "no-bank"}),
        json.dumps({"id": "c", **common, "ticketType": "broken"}),
        json.dumps({"id": "d", **common, "acceptedAt": "yesterday"}),
        json.dumps({"id": "e", **common, "ticketTyp": "interruption"}),
        "{not json",
        json.dumps({"id": "f", **common, "suspensions": ["gone"]}),
    ]
    (store.parent / "t.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    feed = f"TroubleTicket={store.parent / 't.jsonl'}"

    lenient = main(["--store", str(store), "facts", feed, "--format", "json"])
    out = json.loads(capsys.readouterr().out)
    strict = main(["--store", str(store), "facts", feed, "--strict"])

    assert (lenient, strict) == (0, 1)
    assert out["sources"][0] | {"path": ""} == {"path": "", "format": "jsonl", "rows": 8, "accepted": 1, "rejected": 7}
    assert sorted({f["line"] for f in out["findings"]}) == [2, 3, 4, 5, 6, 7, 8]
