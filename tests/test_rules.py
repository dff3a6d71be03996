"""remit rules: what policies there are, and which of them never fire."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from remit.main import main

ROOT = Path(__file__).parents[1]
TO = "2026-10-15T12:00:00+08:00"


def rules(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["--store", str(ROOT), "rules", *arguments, "--format", "json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_every_policy_is_listed_with_what_it_watches_its_levels_clauses_and_cases(
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = {row["id"]: row for row in rules(capsys)["policies"]}

    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "rules").rglob("*.yaml")]
    assert len(listed) == sum(re.search(r"(?m)^kind: [A-Za-z]+Policy$", text) is not None for text in texts)
    fault = listed["EscalationPolicy/fault-handling"]
    assert fault["subject"] == "TroubleTicket"
    assert [level["level"] for level in fault["levels"]] == ["director", "vice-president"]
    assert fault["clauses"][0] == "ESC-01"
    assert fault["cases"] >= 7
    assert "hits" not in fault


def test_hits_count_each_level_and_name_its_last_firing_and_dead_rules_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = tmp_path / "feed.jsonl"
    ticket = {"kind": "TroubleTicket", "customer": "harbour-bank", "ticketType": "interruption"}
    rows = [
        {**ticket, "id": "T-1", "acceptedAt": "2026-10-15T08:00:00+08:00"},
        {**ticket, "id": "T-2", "acceptedAt": "2026-10-15T09:30:00+08:00"},
    ]
    feed.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    window = ["--from", "2026-10-15T10:00:00+08:00", "--to", TO]
    without = _hits(rules(capsys, "--hits", *window), "fault-handling")
    found = rules(capsys, "--hits", "--facts", str(feed), *window)
    with_feed = _hits(found, "fault-handling")

    # 10:00 itself is outside (from, to]; T-1 reaches 180 minutes at 11:00, T-2 120 minutes at 11:30.
    assert with_feed["director"][0] == without["director"][0] + 1
    assert with_feed["director"][1] == "2026-10-15T11:30:00+08:00"
    assert with_feed["vice-president"][0] == without["vice-president"][0] + 1
    assert _hits(found, "suspension-review")["long"] == (0, None)
    assert found["from"] == "2026-10-15T10:00:00+08:00"


def _hits(body: Any, policy: str) -> dict[str, tuple[int, str | None]]:
    row = next(row for row in body["policies"] if row["id"].endswith(f"/{policy}"))
    return {level["level"]: (level["hits"], level["last"]) for level in row["levels"]}


def test_policies_that_do_not_watch_are_not_said_to_be_dead(capsys: pytest.CaptureFixture[str]) -> None:
    found = rules(capsys, "--hits", "--to", TO)

    assert {row["hits"] for row in found["policies"] if row["kind"] == "LifecyclePolicy"} == {None}


def test_the_table_is_in_the_language_of_the_store(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(ROOT), "rules", "--hits", "--to", TO]) == 0
    page = capsys.readouterr().out

    assert "从未" in page
    assert "个级别" in page


def test_a_window_that_ends_before_it_begins_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(ROOT), "rules", "--hits", "--from", TO, "--to", "2026-10-01T00:00:00+08:00"]) == 2
    assert "--to lies before --from" in capsys.readouterr().err
