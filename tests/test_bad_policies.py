"""Each deliberately wrong policy, table and parameter in tests/bad is refused with the right code at the right place.

A file says on its first line what it is refused with: code, line:column and a word of the hint or message.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from remit.checking import check
from remit.evaluating import load
from remit.findings import CODES, Finding
from remit.pack import pack_files
from remit.store import Files
from remit.times import parse_instant

BAD = Path(__file__).parent / "bad"
FOLDERS = {
    "EscalationPolicy": "rules/escalation",
    "WarningPolicy": "rules/warning",
    "LookupTable": "records/lookup-tables",
    "ParameterSet": "records/parameter-sets",
}
GOOD_POLICY = "rules/warning/repair-limit.yaml"
AT = "2026-10-15T10:00:00+08:00"


@pytest.fixture(scope="module")
def store() -> dict[str, bytes]:
    """The schemas and records of the pack, and one good policy."""
    return {path: data for path, data in pack_files().items() if not path.startswith("rules/") or path == GOOD_POLICY}


def refused(store: dict[str, bytes], text: str, name: str) -> list[Finding]:
    kind = re.search(r"^kind: (\w+)$", text, re.MULTILINE)
    at = re.search(r"^# at: (\S+)$", text, re.MULTILINE)
    assert kind is not None
    path = f"{FOLDERS[kind[1]]}/{name}.yaml"
    files = {**store, path: text.encode()}
    if kind[1] == "ParameterSet":
        files["remit.yaml"] = files["remit.yaml"].replace(b"parameters: operator", f"parameters: {name}".encode())
        files = {p: data for p, data in files.items() if p != GOOD_POLICY}
    moment: datetime = parse_instant(at[1] if at else AT)
    return [f for f in check(load(Files(None, None, files)), at=moment, cases=False) if f.place.path == path]


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_wrong_policy_is_refused_with_its_code_and_place(path: Path, store: dict[str, bytes]) -> None:
    text = path.read_text(encoding="utf-8")
    expected = re.match(r"# expect: (\S+) (\d+):(\d+) (.+)\n", text)
    assert expected is not None
    code, line, column, words = expected.groups()

    findings = refused(store, text, path.stem)

    others = [f for f in findings if f.code not in (code, "no-cases")]
    (one, *more) = [f for f in findings if f.code == code]
    assert (one.place.line, one.place.column) == (int(line), int(column)), one
    assert words in f"{one.message} {one.hint}"
    assert others == more == []
    assert one.code in CODES
