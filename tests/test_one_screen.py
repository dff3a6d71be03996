"""A reviewer with nothing but a terminal understands a change of a repair limit on one screen, in both languages.

People read the golden files; ``--refresh-goldens`` writes them anew.
"""

from __future__ import annotations

import json
import re
from contextlib import chdir
from pathlib import Path

import pytest
from conftest import GitRepo, git, write_files

from remit.main import main
from remit.pack import pack_files
from remit.reporters.terminal import folded, width

GOLDEN = Path(__file__).parent / "golden" / "review"
TERM = "records/service-terms/hb-2026-repair.yaml"
AT = ("--at", "2026-10-15T10:00:00+08:00")
LINES, COLUMNS = 40, 100
BROKEN = {
    "kind": "TroubleTicket", "customer": "harbour-bank", "service": "hb-core-backup-sdh", "unit": "linhai-crc",
    "ticketType": "interruption", "symptom": "interruption",
}  # fmt: skip
TICKETS = [
    {**BROKEN, "id": "lh-20261015-001", "acceptedAt": "2026-10-15T06:20:00+08:00", "status": "in_progress"},
    {**BROKEN, "id": "lh-20261014-007", "acceptedAt": "2026-10-14T09:00:00+08:00", "status": "repaired",
     "repairedAt": "2026-10-14T12:10:00+08:00"},
]  # fmt: skip


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def reviewed(language: str, git_repo: GitRepo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a reviewer sees who is told that the bank's circuits may take four hours to repair, and not two."""
    files = {path: data.decode() for path, data in pack_files().items()}
    files["remit.yaml"] = files["remit.yaml"].replace("language: zh", f"language: {language}")
    folder = git_repo(files, user="zhou-peng")
    git(folder, "config", "user.email", "zhou-peng@southbay.example.invalid")
    feed = tmp_path / "tickets.jsonl"
    feed.write_text("".join(f"{json.dumps(one)}\n" for one in TICKETS), encoding="utf-8")
    longer = files[TERM].replace("indicatorValue: 2", "indicatorValue: 4").replace("2小时内", "4小时内")
    write_files(folder, {TERM: longer})
    capsys.readouterr()
    with chdir(folder):
        assert main(["propose", "-m", "港行电路修复时限改为4小时", *AT, "--format", "json"]) == 0
        id = json.loads(capsys.readouterr().out)["id"]
        assert main(["review", id, "--facts", str(feed), *AT]) == 0
    return capsys.readouterr().out


def test_a_change_of_a_repair_limit_fits_on_one_screen(
    reviewed: str, language: str, request: pytest.FixtureRequest
) -> None:
    lines = reviewed.splitlines()
    assert len(lines) <= LINES and max(map(width, lines)) <= COLUMNS
    text = re.sub(r"\b[0-9a-f]{12}\b", "<base>", re.sub(r"c-\d{8}-[0-9a-f]{6}", "<change>", reviewed))
    path = GOLDEN / f"repair-limit.{language}.txt"
    if request.config.getoption("--refresh-goldens"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8"), "read the difference, then: pytest --refresh-goldens"


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("short", ["short"]),
        ("  one two three four", ["  one two", "      three", "      four"]),
        ("提出变更，等待审批", ["提出变更，", "    等待审批"]),
        ("abcdefghijklmno", ["abcdefghijkl", "    mno"]),
    ],
)
def test_long_lines_are_cut_at_words_and_signs(line: str, pieces: list[str]) -> None:
    found = folded(line, 12)

    assert found == pieces and all(width(piece) <= 12 for piece in found)
    assert "".join(line.split()) == "".join("".join(found).split())
