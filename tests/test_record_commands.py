"""The commands that read and change records, run as a user runs them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from conftest import be, commit_all, git
from stores import contents, small_store

from remit.commands.options import INSTANT, FactsArgument, FactsType
from remit.main import main
from remit.yamltext import read

BANK = "records/customers/harbour-bank.yaml"


class Ran(NamedTuple):
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Remit = Callable[..., Ran]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return small_store(tmp_path / "store")


@pytest.fixture
def remit(store: Path, capsys: pytest.CaptureFixture[str]) -> Remit:
    """``remit("list", "customers")`` runs that command on the small store."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(["--store", str(store), *arguments])
        return Ran(code, *capsys.readouterr())

    return run


def forgotten(folder: Path) -> dict[str, bytes]:
    """Every file but what Remit remembers."""
    return {path: data for path, data in contents(folder).items() if not path.startswith(".git/remit/cache/")}


# --- list ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Customer", "customer", "customers", "CUSTOMERS", "政企客户"])
def test_list_takes_every_spelling_of_a_kind(remit: Remit, kind: str) -> None:
    ran = remit("list", kind)

    assert ran.code == 0
    assert ran.out.splitlines() == [
        "名称          标题      状态    客户等级",
        "harbour-bank  海港银行  active  local_b",
        "old-street    老街网吧          local_c",
    ]
    assert ran.err == "2 records\n"


def test_list_of_an_unknown_kind_names_the_nearest(remit: Remit) -> None:
    ran = remit("list", "custmers")

    assert ran.code == 2 and ran.out == ""
    assert ran.err == "错误：没有类型 'custmers'。\n      您是指“Customer”吗？\n"


def test_list_gives_names_json_csv_and_yaml(remit: Remit, store: Path) -> None:
    names = remit("list", "Customer", "-o", "names")
    bodies = remit("list", "Customer", "--format", "json")
    table = remit("list", "Customer", "-o", "csv")
    yaml = remit("list", "Customer", "-o", "yaml")

    assert names.out == "Customer/harbour-bank\nCustomer/old-street\n"
    assert [body["metadata"]["name"] for body in bodies.json] == ["harbour-bank", "old-street"]
    assert bodies.out.endswith("]\n") and "海港银行" in bodies.out
    assert next(csv.reader(io.StringIO(table.out))) == ["name", "title", "status", "customerGrade"]
    first, second = yaml.out.split("---\n")
    assert first == (store / BANK).read_text(encoding="utf-8")
    assert second.startswith("apiVersion")


def test_policies_are_listed_too(remit: Remit) -> None:
    assert remit("list", "escalation-policy", "-o", "names").out == "EscalationPolicy/faults\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝"])
def test_a_csv_cell_that_looks_like_a_formula_is_guarded(remit: Remit, start: str) -> None:
    remit("set", "old-street", f"metadata.title={start}1+1")

    rows = list(csv.DictReader(io.StringIO(remit("list", "customers", "-o", "csv").out)))

    assert rows[1]["title"] == f"'{start}1+1"


def test_list_says_that_a_file_could_not_be_read(remit: Remit, store: Path) -> None:
    (store / "records/customers/bad.yaml").write_text("a: [", encoding="utf-8")

    ran = remit("list", "customers", "-o", "names")

    assert ran.code == 0 and len(ran.out.splitlines()) == 2
    assert "1 file could not be read (records/customers/bad.yaml" in ran.err and "remit check" in ran.err


# --- show ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["Customer/harbour-bank", "customers/harbour-bank", "harbour-bank", BANK, "海港银行", "harbour bank"]
)
def test_show_takes_an_id_a_path_a_name_or_a_title(remit: Remit, written: str) -> None:
    assert remit("show", written).out.startswith("Customer/harbour-bank  海港银行 / Harbour Bank\n")


def test_show_gives_fields_with_titles_and_what_they_refer_to(remit: Remit) -> None:
    ran = remit("show", "harbour-bank")

    assert ran.out == (
        "Customer/harbour-bank  海港银行 / Harbour Bank\n"
        "政企客户, records/customers/harbour-bank.yaml\n"
        "labels: industry=finance\n"
        "\n"
        "客户等级 (customerGrade)  local_b\n"
        "status                    active\n"
        "roles\n"
        "  cm                      chen-jing 陈静\n"
        "  ceA                     wang-lei 王磊\n"
        "contacts\n"
        "  [0]\n"
        "    contactPerson         林女士\n"
        "    phone                 0579-1234\n"
        "  [1]\n"
        "    contactPerson         周先生\n"
        "    phone                 0579-5678\n"
        "owner                     Team/harbour 海港团队\n"
        "\n"
        "Used by nothing.\n"
    )


def test_show_counts_who_uses_a_record(remit: Remit) -> None:
    assert remit("show", "chen-jing").out.partition("Used by ")[2] == (
        "4 others:\n"
        "  Customer (1): Customer/harbour-bank\n"
        "  EscalationPolicy (1): EscalationPolicy/faults\n"
        "  Team (1): Team/harbour\n"
        "  file (1): rules/escalation/faults.cases.yaml\n"
    )


def test_show_shortens_a_long_list_and_names_the_flag(remit: Remit) -> None:
    for number in range(7):
        remit("new", "Team", f"team-{number}", "--set", "lead=wang-lei")

    assert "… 3 more" in remit("show", "wang-lei").out and "--all shows the rest." in remit("show", "wang-lei").out
    assert "Team/team-6" in remit("show", "wang-lei", "--all").out


def test_show_gives_json_and_the_file(remit: Remit, store: Path) -> None:
    shown = remit("show", "wang-lei", "--format", "json").json

    assert (shown["id"], shown["path"], shown["commit"]) == ("Person/wang-lei", "records/people/wang-lei.yaml", None)
    assert shown["usedBy"][0] == {"id": "Customer/harbour-bank", "path": BANK, "line": 11, "pointer": "/spec/roles/ceA"}
    assert remit("show", BANK, "-o", "yaml").out == (store / BANK).read_text(encoding="utf-8")


def test_show_of_what_two_records_are_called_asks_which(remit: Remit) -> None:
    remit("new", "Team", "wang-lei", "--set", "lead=wang-lei")

    ran = remit("show", "wang-lei")

    assert ran.code == 2
    assert "对应 2 条记录" in ran.err and "Person/wang-lei、Team/wang-lei" in ran.err


def test_show_of_an_unknown_id_names_the_nearest(remit: Remit) -> None:
    ran = remit("show", "Customer/harbor-bank")

    assert ran.code == 2 and "您是指“Customer/harbour-bank”吗？" in ran.err


def test_control_characters_never_reach_the_terminal(remit: Remit) -> None:
    ran = remit("show", "no\x1b[31msuch")

    assert ran.code == 2 and "\x1b" not in ran.err


def test_a_commit_is_read_without_touching_the_working_tree(remit: Remit, store: Path) -> None:
    git(store, "init", "--quiet", "--initial-branch=main")
    be(store, "ann-lee")
    commit = commit_all(store)
    remit("set", "harbour-bank", "customerGrade=group")
    before = forgotten(store)

    assert remit("show", "harbour-bank", "--format", "json").json["body"]["spec"]["customerGrade"] == "group"
    old = remit("show", "harbour-bank", "--ref", "HEAD", "--format", "json").json
    assert (old["commit"], old["body"]["spec"]["customerGrade"]) == (commit, "local_b")
    assert "local_b" in remit("list", "customers", "--ref", "main").out
    assert remit("search", "local_b", "--ref", commit).out.startswith(f"{BANK}:9:")
    assert forgotten(store) == before


# --- search ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("海港银行", [f"{BANK}:6:33"]),
        ("HARBOUR BANK", [f"{BANK}:6:15"]),
        ("ｓｅｃｏｎｄ　ｌｉｎｅ", ["records/customers/old-street.yaml:8:1"]),
        ("how their", ["records/customers/old-street.yaml:7:1"]),
        ("finance", [f"{BANK}:7:22"]),
        ("故障", ["rules/escalation/faults.yaml:3:56"]),
        ("组长", []),
        ("customerGrade", []),
    ],
)
def test_search_finds_values_and_titles_but_no_keys_or_comments(remit: Remit, text: str, places: list[str]) -> None:
    ran = remit("search", text, "--format", "json")

    assert ran.code == 0
    assert [f"{hit['path']}:{hit['line']}:{hit['column']}" for hit in ran.json] == places


def test_search_prints_place_id_title_and_line(remit: Remit) -> None:
    ran = remit("search", "周先生")

    assert ran.out == (
        f'{BANK}:16:23  Customer/harbour-bank  海港银行\n    - {{contactPerson: 周先生, phone: "0579-5678"}}\n'
    )
    assert ran.err == "1 line in 1 file\n"


# --- changing --------------------------------------------------------------------------------------------------------


def test_set_says_what_changed_and_what_comes_next(remit: Remit, store: Path) -> None:
    ran = remit("set", "Customer/harbour-bank", "customerGrade=local_a", "tags=[甲, 乙]")

    assert ran.code == 0
    assert ran.out == (f'{BANK}: spec.customerGrade: local_b -> local_a\n{BANK}: spec.tags: (none) -> ["甲", "乙"]\n')
    assert ran.err == f"下一步：remit --store {store} check，之后 remit --store {store} propose -m “…”\n"
    assert "customerGrade: local_a   # 2026 年评定\n" in (store / BANK).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "harbour-bank", "customerGrade=group"),
        ("unset", "harbour-bank", "status"),
        ("new", "Person", "zhao-min", "--title-zh", "赵敏"),
        ("rename", "Person/wang-lei", "wang-lei-2"),
        ("remove", "Customer/old-street"),
    ],
)
def test_a_dry_run_tells_the_same_and_writes_nothing(remit: Remit, store: Path, arguments: tuple[str, ...]) -> None:
    before = contents(store)
    dry = remit(*arguments, "--dry-run")
    assert contents(store) == before
    done = remit(*arguments)

    assert dry.code == done.code == 0
    assert dry.out == done.out != ""
    assert dry.err == "未写入任何内容（--dry-run）。\n"
    assert contents(store) != before


def test_new_writes_a_file_that_reads(remit: Remit, store: Path) -> None:
    ran = remit("new", "customer", "bright-foods", "--title-zh", "光明食品", "--set", "customerGrade=group")

    assert ran.out.splitlines()[0] == "records/customers/bright-foods.yaml: new file"
    document, findings = read((store / "records/customers/bright-foods.yaml").read_bytes(), "x")
    assert document is not None and not findings
    assert document.value["metadata"] == {"name": "bright-foods", "title": {"zh": "光明食品"}}


def test_rename_says_every_file_it_touched(remit: Remit, store: Path) -> None:
    ran = remit("rename", "Person/wang-lei", "wang-lei-2")

    assert ran.out.splitlines() == [
        "records/people/wang-lei-2.yaml: was records/people/wang-lei.yaml",
        "records/people/wang-lei-2.yaml: metadata.name: wang-lei -> wang-lei-2",
        f"{BANK}: spec.roles.ceA: wang-lei -> wang-lei-2",
        "records/teams/harbour.yaml: spec.members[1]: wang-lei -> wang-lei-2",
    ]
    assert not (store / "records/people/wang-lei.yaml").exists()
    assert remit("show", "wang-lei-2").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "harbour-bank", "customerGrade=groop"),
        ("set", "harbour-bank", "nofield=1"),
        ("set", "harbour-bank", "customerGrade"),
        ("set", "nobody-such", "customerGrade=group"),
        ("unset", "harbour-bank", "customerGrade"),
        ("new", "Customer", "../x", "--set", "customerGrade=group"),
        ("new", "Customer", "nul", "--set", "customerGrade=group"),
        ("rename", "Person/chen-jing", "../../x"),
        ("remove", "Person/chen-jing"),
        ("set", "harbour-bank"),
    ],
)
def test_a_refusal_exits_with_two_and_writes_nothing(remit: Remit, store: Path, arguments: tuple[str, ...]) -> None:
    before = contents(store.parent)

    ran = remit(*arguments)

    assert ran.code == 2 and ran.out == "" and ran.err.startswith("错误：")
    assert contents(store.parent) == before


def test_json_carries_what_text_shows(remit: Remit) -> None:
    shown = remit("set", "harbour-bank", "customerGrade=group", "--format", "json").json

    assert shown == {
        "record": "Customer/harbour-bank",
        "written": True,
        "files": [{"path": BANK, "removed": False}],
        "changes": [{"path": BANK, "field": "spec.customerGrade", "old": "local_b", "new": "group"}],
        "notes": [],
        "next": ["remit check", 'remit propose -m "…"'],
    }


def test_reading_writes_nothing(remit: Remit, store: Path) -> None:
    before = contents(store)

    for arguments in (("list", "customers"), ("show", "harbour-bank"), ("search", "海港")):
        assert remit(*arguments).code == 0

    assert contents(store) == before


# --- options ---------------------------------------------------------------------------------------------------------


def test_an_instant_is_now_or_has_an_offset() -> None:
    at = INSTANT.convert("2026-10-15T10:00:00+08:00", None, None)

    assert at == datetime(2026, 10, 15, 2, tzinfo=UTC)
    assert INSTANT.convert("now", None, None).tzinfo is not None
    with pytest.raises(click.BadParameter):
        INSTANT.convert("2026-10-15T10:00:00", None, None)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tickets.jsonl", FactsArgument(None, "tickets.jsonl")),
        ("TroubleTicket=a=b.csv", FactsArgument("TroubleTicket", "a=b.csv")),
        ("dir=x/tickets.csv", FactsArgument(None, "dir=x/tickets.csv")),
        ("sqlite:///x.db?table=t", FactsArgument(None, "sqlite:///x.db?table=t")),
    ],
)
def test_facts_name_a_path_and_perhaps_a_kind(written: str, meant: FactsArgument) -> None:
    assert FactsType().convert(written, None, None) == meant
