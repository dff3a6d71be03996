"""The first screens show what happens: every block of both readmes is run as a reader would run it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blocks import followed, new_reader

TOP = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_a_readme_shows_what_happens(name: str, tmp_path: Path) -> None:
    text = (TOP / name).read_text(encoding="utf-8")

    _, differences = followed(text, new_reader(tmp_path))

    assert not differences, "run: make docs\n" + "\n\n".join(map(str, differences))


def test_both_readmes_say_the_same_in_the_same_order() -> None:
    english, chinese = ((TOP / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))

    def shape(text: str) -> list[str]:
        return re.findall(r"(?m)^(#+ |```[a-z]*|- )", text)

    assert shape(english) == shape(chinese)


@pytest.mark.parametrize(
    "word", ["make demo", "make test", "docs/tutorial.md", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md"]
)
@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_a_readme_names_the_two_commands_and_where_to_go(name: str, word: str) -> None:
    assert word in (TOP / name).read_text(encoding="utf-8")
