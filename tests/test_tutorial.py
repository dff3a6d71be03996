"""The pages work: a newcomer who types every command of them sees what they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from blocks import Reader, followed, new_reader

TOP = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("page", ["tutorial.md", "trust.md"])
def test_a_page_shows_what_happens(page: str, tmp_path: Path) -> None:
    text = (TOP / "docs" / page).read_text(encoding="utf-8")

    _, differences = followed(text, new_reader(tmp_path))

    assert not differences, "run: make docs\n" + "\n\n".join(map(str, differences))


def test_a_block_that_shows_something_else_is_found(tmp_path: Path) -> None:
    page = "```console\n$ echo one\nsomething else\n$ seq 3\n1\n…\n$ seq 3\n2\n…\n```\n"

    mended, differences = followed(page, new_reader(tmp_path))

    assert [(d.line, d.command) for d in differences] == [(2, "echo one"), (7, "seq 3")]
    assert mended == "```console\n$ echo one\none\n$ seq 3\n1\n…\n$ seq 3\n1\n…\n```\n"
    assert followed(mended, Reader(tmp_path, tmp_path / "desk")) == (mended, [])


def test_ids_and_days_of_today_are_not_differences(tmp_path: Path) -> None:
    page = (
        "```console\n$ echo c-20270101-abc123 0123456789ab 2027-01-01\nc-20200229-fff000 fedcba987654 2020-02-29\n```\n"
    )

    assert followed(page, new_reader(tmp_path)) == (page, [])
