"""Freezing a period, restating it later, and scorecards as spreadsheets, from the command line."""

from __future__ import annotations

import builtins
import csv
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from assessments import ROOT

from remit.main import main
from remit.scorecards import RESULTS
from remit.yamltext import read

ASKED = ("assess", "response-centre", "--period", "2026-09", "--at", "2026-12-01T00:00:00Z")
LATE = {
    "kind": "TroubleTicket",
    "id": "=late",
    "customer": "nanhai-tobacco",
    "service": "tobacco-mpls",
    "unit": "linhai-crc",
    "ticketType": "interruption",
    "acceptedAt": "2026-09-10T09:00:00+08:00",
    "repairedAt": "2026-09-10T18:00:00+08:00",
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The example store with its assessment policies only."""
    folder = tmp_path / "store"
    for part in ("schemas", "records", "templates", "rules/assessment"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "remit.yaml", folder)
    return folder


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """One ticket that is late, as a feed that came after the month was frozen."""
    path = tmp_path / "tickets.jsonl"
    path.write_text(json.dumps(LATE) + "\n")
    return path


def remit(store: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["--store", str(store), *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def sheets(store: Path, policy: str = "response-centre") -> dict[str, Mapping[str, Any]]:
    found = {}
    for path in sorted((store / "records/kpi-sheets").glob(f"{policy}-*.yaml")):
        document, problems = read(path.read_bytes(), str(path))
        assert document is not None and not problems
        found[path.stem] = document.value
    return found


def test_a_frozen_month_is_a_record_for_each_line_with_its_figures(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, shown, _ = remit(store, capsys, *ASKED, "--format", "json")
    code, out, _ = remit(store, capsys, *ASKED, "--freeze")

    line = next(one for one in json.loads(shown)["subjects"] if one["subject"] == "OrganizationUnit/linhai-crc")
    written = sheets(store)
    sheet = written["response-centre-linhai-crc-2026-09"]["spec"]
    assert code == 0
    assert len(written) == len(json.loads(shown)["subjects"]) == len(out.splitlines())
    assert {key: sheet[key] for key in ("subject", "period", "policy", "status", "total", "rank")} == {
        "subject": "OrganizationUnit/linhai-crc",
        "period": "2026-09",
        "policy": "response-centre",
        "status": "confirmed",
        "total": line["score"],
        "rank": line["rank"],
    }
    for item in sheet["items"]:
        figure = line["measures"][item["measure"]]
        assert [item.get(key) for key in ("actual", "n", "of", "score")] == [
            figure[key] for key in ("value", "n", "of", "score")
        ]
        assert item["facts"].startswith("sha256:")
    kpis = [item.get("kpi") for item in sheet["items"]]
    assert kpis == ["asm-01", "asm-02", "asm-03", None, None, None, "asm-04"]
    assert remit(store, capsys, "check")[0] == 0


def test_a_frozen_month_stays_and_cannot_be_frozen_again(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remit(store, capsys, *ASKED, "--freeze")
    before = sheets(store)

    code, out, err = remit(store, capsys, *ASKED, "--freeze")
    _, shown, _ = remit(store, capsys, *ASKED, "--format", "json")

    assert (code, out) == (2, "")
    assert "2026-09 is frozen already" in err
    assert sheets(store) == before
    assert "restated" not in json.loads(shown)


def test_a_later_run_shows_what_was_frozen_and_what_is_now(
    store: Path, feed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    remit(store, capsys, *ASKED, "--freeze")

    _, shown, _ = remit(store, capsys, *ASKED, "--facts", str(feed), "--format", "json")
    _, text, _ = remit(store, capsys, *ASKED, "--facts", str(feed))

    rows = {one["figure"]: one for one in json.loads(shown)["restated"]}
    assert {one["subject"] for one in rows.values()} == {"OrganizationUnit/linhai-crc"}
    assert {one["sheet"] for one in rows.values()} == {"KpiSheet/response-centre-linhai-crc-2026-09"}
    assert set(rows) == {"score", *(f"fault-handling.{key}" for key in ("value", "of", "score", "facts"))}
    assert (rows["fault-handling.of"]["frozen"], rows["fault-handling.of"]["now"]) == (2, 3)
    assert "与封存结果不一致的数据" in text and "故障处理及时率" in text


def test_an_exclusion_restates_a_frozen_month(store: Path, feed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remit(store, capsys, *ASKED, "--facts", str(feed), "--freeze")
    exclusion = store / "records/assessment-exclusions/typhoon.yaml"
    exclusion.parent.mkdir(exist_ok=True)
    exclusion.write_text(
        "apiVersion: remit/v1\nkind: AssessmentExclusion\nmetadata: {name: typhoon}\nspec:\n"
        "  policy: response-centre\n  facts: [TroubleTicket/=late]\n  reason: 台风\n  evidence: [气象预警单]\n"
        "  approvedBy: wu-hao\n  validTo: 2026-09-30\n  status: approved\n",
        encoding="utf-8",
    )
    asked = (*ASKED, "--facts", str(feed))

    _, shown, _ = remit(store, capsys, *asked, "--list", "fault-handling", "--format", "json")
    _, text, _ = remit(store, capsys, *asked, "--list", "fault-handling")

    body = json.loads(shown)
    rows = {one["figure"]: (one["frozen"], one["now"]) for one in body["restated"]}
    assert rows["fault-handling.value"] == (0.6667, 1)
    assert [(f["fact"], f["exclusion"]) for f in body["facts"] if f["exclusion"]] == [
        ("TroubleTicket/=late", "AssessmentExclusion/typhoon")
    ]
    assert "已剔除" in text and "AssessmentExclusion/typhoon" in text


def test_a_month_that_has_not_ended_is_not_frozen(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = remit(
        store, capsys, "assess", "response-centre", "--period", "2026-10", "--at", "2026-10-20T00:00:00Z", "--freeze"
    )

    assert code == 2
    assert "2026-10 has not ended" in err and "2026-11-01T00:00:00+08:00" in err


RANKED = ("assess", "engineer-ranking", "--period", "2026-Q3", "--at", "2026-12-01T00:00:00Z")


def test_what_a_pool_brings_is_shown_frozen_and_restated(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, shown, _ = remit(store, capsys, *RANKED, "--format", "json")
    _, text, _ = remit(store, capsys, *RANKED)
    _, table, _ = remit(store, capsys, *RANKED, "--format", "csv")
    remit(store, capsys, *RANKED, "--freeze")
    pool = store / "records/bonus-pools/linhai-2026-q3.yaml"
    pool.write_text(pool.read_text(encoding="utf-8").replace("amount: 24000", "amount: 13000.01"), encoding="utf-8")
    _, later, _ = remit(store, capsys, *RANKED, "--format", "json")

    amounts = {line["subject"].partition("/")[2]: line["amount"] for line in json.loads(shown)["subjects"]}
    group = [amounts.pop(f"{name}-2026-q3") for name in ("wang-lei", "zhu-tao", "zhao-min", "sun-ping", "qian-cheng")]
    # 24000 less the award of 2000, by 1.5 and four times 1.
    assert group == [6000, 4000, 4000, 4000, 4000]
    assert set(amounts.values()) == {None}
    assert "专项奖励金（元）" in text and "6000.00" in text
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["amount"] for row in rows if row["subject"].endswith("/wang-lei-2026-q3")] == ["6000"]
    frozen = [s["spec"]["amount"] for s in sheets(store, "engineer-ranking").values() if "amount" in s["spec"]]
    assert sorted(frozen) == sorted(group)
    moved = {one["subject"]: (one["frozen"], one["now"]) for one in json.loads(later)["restated"]}
    assert moved["EngineerEvaluation/wang-lei-2026-q3"] == (6000, 3000.01)
    assert round(sum(now for _, now in moved.values()), 2) == 11000.01


# --- spreadsheets


def test_a_spreadsheet_holds_the_figures_and_every_fact_behind_them(
    store: Path, feed: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    arguments = ["--store", str(store), *ASKED, "--facts", str(feed)]

    main([*arguments, "--format", "json"])
    body = json.loads(capfdbinary.readouterr().out)
    assert main([*arguments, "--format", "xlsx"]) == 0
    data = capfdbinary.readouterr().out
    main([*arguments, "--format", "xlsx"])
    again = capfdbinary.readouterr().out

    book = openpyxl.load_workbook(io.BytesIO(data))
    head, *rows = [[cell.value for cell in row] for row in book["scorecard"].rows]
    lines = {line["subject"]: line for line in body["subjects"]}
    assert data == again
    assert head[-5:] == list(RESULTS)
    assert [row[0] for row in rows] == list(lines)
    for row in rows:
        figures = [value for measure in lines[row[0]]["measures"].values() for value in measure.values()]
        assert row[2:-5] == figures
        assert row[-5:] == [lines[row[0]][key] for key in RESULTS]
    _, *facts = [[cell.value for cell in row] for row in book["facts"].rows]
    assert len(facts) == sum(len(listed(arguments, name, capfdbinary)) for name in rows_of(body))
    assert "TroubleTicket/=late" in [fact[2] for fact in facts]


def rows_of(body: Mapping[str, Any]) -> list[str]:
    return list(body["subjects"][0]["measures"])


def listed(arguments: list[str], measure: str, capture: pytest.CaptureFixture[bytes]) -> list[Any]:
    main([*arguments, "--format", "json", "--list", measure])
    facts: list[Any] = json.loads(capture.readouterr().out)["facts"]
    return facts


def test_no_cell_is_a_formula_or_a_link() -> None:
    from remit.policies.measures import Assessment
    from remit.records import Record
    from remit.reporters.spreadsheet import scorecard_xlsx
    from remit.scorecards import Scorecard, SubjectScore
    from remit.times import parse_instant, parse_period

    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "http://example.org/", "{=A1}", "12", "＝1"]
    period = parse_period("2026-09", parse_instant("2026-09-01T00:00:00+08:00").tzinfo)  # type: ignore[arg-type]
    lines = tuple(SubjectScore(f"Person/{text}", {}, None, None, band=text) for text in evil)
    record = Record("AssessmentPolicy", "p", "p.yaml", {"metadata": {"name": "p"}, "spec": {}}, None)  # type: ignore[arg-type]
    nothing: dict[str, Any] = dict.fromkeys(Assessment.__dataclass_fields__, ())
    policy = Assessment(**{**nothing, "record": record, "measures": ()})
    data = scorecard_xlsx(
        Scorecard("p", period, period.end, lines, ()), policy, lambda ref: ref.partition("/")[2], "en"
    )

    sheet = openpyxl.load_workbook(io.BytesIO(data))["scorecard"]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)
    assert [row[1].value for row in sheet.iter_rows(min_row=2)] == evil


def test_without_the_part_that_writes_them_spreadsheets_are_refused_with_its_name(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "xlsxwriter":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)

    code, _, err = remit(store, capsys, *ASKED, "--format", "xlsx")

    assert code == 2
    assert "remit[documents]" in err
