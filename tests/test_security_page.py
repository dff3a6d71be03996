"""The page of what is tried says what the tests try: no row without a test that is there, no attack without a row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from attacks import ATTACKS

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def functions(name: str) -> set[str]:
    tree = ast.parse((TESTS / name).read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(NAMED.findall(PAGE))

    assert len(named) > 30
    assert [f"{name}::{test}" for name, test in sorted(named) if test not in functions(name)] == []


def test_every_row_of_what_is_tried_names_its_test() -> None:
    rows = [line for line in PAGE.split("\n") if line.startswith("| ") and not line.startswith("| ---")]
    heads = [line for line, next_one in zip(PAGE.split("\n"), PAGE.split("\n")[1:], strict=False) if "---" in next_one]
    known = {f"| {name} | {attack.rule} | {attack.apply} |" for name, attack in ATTACKS.items()}

    assert known <= {*rows}
    assert [row for row in rows if row not in known and row not in heads and not NAMED.search(row)] == []


def test_every_file_of_hostile_tests_is_on_the_page() -> None:
    files = {path.name for pattern in ("test_hostile_*.py", "test_attacks.py") for path in TESTS.glob(pattern)}

    assert files <= {name for name, _ in NAMED.findall(PAGE)}
