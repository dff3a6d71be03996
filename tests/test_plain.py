"""The quick reader gives what the reference reader gives, or leaves the file to it."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hostile_yaml import hostile_inputs
from test_yamltext import BAD, GOOD, MAPPINGS

from remit.pack import pack_files
from remit.yamltext import dump
from remit.yamltext.plain import LONGEST, read_plainly
from remit.yamltext.reading import read, read_strictly

# What YAML gives a meaning to, and what it does not.
PIECES = [
    *["\n", "\n  ", "\n    ", "\n- ", "\n  - ", "- ", "-", ":", ": ", " :", "::", "#", " #", "? ", "?", "!", "!!str "],
    *["&a ", "*a", "|", "|\n", ">", ">-\n", "'", "''", '"', '\\"', "\\", "%", "@", "`", "[", "]", "{", "}", ",", ", "],
    *["~", "=", "<<", "---", "...", "--- ", "\t", " ", "  ", "\r", "\r\n", "a: 1", "no", "yes", "null", "true", "012"],
    *["1e3", "1_000", "12:30", ".5", "-.5", "+1", "0x1f", "2026-02-30", "2026-01-02", "2026-03-02T09:00:00+08:00"],
    *["é", "海港", "\u3000", "\u00a0", "\u2028", "\u0085", "\ufeff", "\u200b", "😀", "key", "a-b", "a.b", "9" * 20],
]
LAYOUTS = """\
# A comment
apiVersion: remit/v1   # why
kind: Customer
metadata:
  name: a-b
  title: {en: "A, b", zh: '海港'}
  labels: {}
spec:
  list:
  - one
  - two: 2
    three: [1, 2.5, true, null, {a: b, c: [d]}]
  deeper:
    - x: west
      z:
        - 09:00-17:00
        - {from: 2025-01-20, at: 2026-03-02T09:00:00+08:00}
  text: it says "so"; https://example.net/a:b
"""


@cache
def sources() -> list[str]:
    """Records as people write them."""
    stored = (data for path, data in sorted(pack_files().items()) if path.endswith(".yaml"))
    return [LAYOUTS, *(text for data in stored if len(text := data.decode()) < 3000)]


def agree(text: str) -> bool:
    """Whether the file is plain; if so, both readers must say the same."""
    plain = read_plainly(text)
    if plain is None:
        return False
    document, findings = read_strictly(text, "x.yaml")
    assert document is not None, (text, findings)
    assert repr(document.value) == repr(plain.value), text
    assert document.start == (plain.line, 1), text
    return True


def mutated(chance: random.Random) -> str:
    text = chance.choice(sources())
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(PIECES) + text[at + chance.choice([0, 0, 1, 2, 5]) :]
    return text


def test_nearly_every_record_of_the_example_is_plain_and_all_read_the_same() -> None:
    texts = [data.decode() for path, data in pack_files().items() if path.startswith("records/")]

    assert sum(agree(text) for text in texts) > 0.95 * len(texts)
    assert agree(LAYOUTS)


@pytest.mark.parametrize("file", [*GOOD, *BAD], ids=lambda file: file.stem)
def test_a_file_of_either_sort_is_read_the_same_or_left(file: Path) -> None:
    agree(file.read_bytes().decode("utf-8", "replace"))


def test_hostile_files_and_the_suite_are_read_the_same_or_left() -> None:
    texts = [data.decode("utf-8", "replace") for data in hostile_inputs().values()]

    assert sum(agree(text) for text in texts) > 10


def test_a_record_with_a_piece_put_in_anywhere_is_read_the_same_or_left() -> None:
    chance = random.Random(20261122)

    plain = sum(agree(mutated(chance)) for _ in range(3000))

    assert 500 < plain < 2500


@given(MAPPINGS)
@settings(max_examples=200)
def test_what_dump_writes_is_read_the_same_or_left(value: dict[str, object]) -> None:
    agree(dump(value).decode())


@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.sampled_from(["a: ", "a: [", "a: {b: ", "a:\n  - "])
)
@settings(max_examples=300)
def test_pieces_of_yaml_are_read_the_same_or_left(pieces: str, before: str) -> None:
    agree(before + pieces)
    agree(before + pieces + {"[": "]", "{": "}"}.get(before[3:4], "") + "\n")


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "x" * LONGEST + "\n",
        "".join(" " * at + f"k{at}:\n" for at in range(20)) + " " * 20 + "k: 1\n",
        "a: " + "[" * 20 + "]" * 20 + "\n",
        "a:" + " " * 15_000 + "\n",
        "a: b" + " " * 15_000 + ": c\n",
        "a: " + "b :" * 5_000 + " \n",
        'a: ["' + "b" * 15_000 + "\n",
    ],
    ids=["long", "deep", "deep in brackets", "nothing", "spaces", "colons", "an open quote"],
)
def test_what_is_large_or_deep_is_left_at_once(text: str) -> None:
    assert read_plainly(text) is None


def test_where_a_value_stands_is_known_although_the_file_was_read_quickly() -> None:
    assert read_plainly(LAYOUTS) is not None
    document, _ = read(LAYOUTS.encode(), "x.yaml")
    strict, _ = read_strictly(LAYOUTS, "x.yaml")

    assert document is not None and strict is not None and json.dumps(document.value) == json.dumps(strict.value)
    assert document.place(("spec", "list", 1, "three", 4, "c")) == strict.place(("spec", "list", 1, "three", 4, "c"))
    assert document.place(("spec", "list", 1, "three", 4, "c")).line == 12
    assert document.key_place(("metadata", "title")) == strict.key_place(("metadata", "title"))
