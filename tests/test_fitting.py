"""Tables fit the terminal, whatever they hold; and nothing that names something is cut."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.commands.speaking import columns_of
from remit.reporters.fitting import fitted, wrapped
from remit.reporters.terminal import table, width

HEAD = ("变更", "状态", "标题", "提出人", "时间", "尚缺")
IDS = ("c-20261122-81e842", "c-20261122-ccbc2e")
ROWS = [
    (IDS[0], "待审批", "修复时限由两小时改为四小时，夜间按工作时间计算", "zhou-peng", "2026-11-23T02:42:06+08:00", "1"),
    (IDS[1], "已生效，待补审", "Raise the grade after the yearly review", "liu-fang", "2026-11-23T02:52:32+08:00", ""),
]  # fmt: skip


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_a_table_of_changes_fits_and_keeps_its_ids(columns: int) -> None:
    text = fitted(ROWS, HEAD, columns)

    assert max(map(width, text.splitlines())) <= columns
    assert all(id in text and row[4] in text for id, row in zip(IDS, ROWS, strict=True))
    assert "".join(text.split()).count("四小时") == 1


@pytest.mark.parametrize("columns", [None, 200])
def test_where_there_is_room_or_no_terminal_nothing_is_folded(columns: int | None) -> None:
    assert fitted(ROWS, HEAD, columns) == table(ROWS, HEAD)


def test_a_narrow_table_folds_texts_between_words_and_characters() -> None:
    assert fitted([("a-1", "修复时限改为四小时 by one")], ("Id", "标题"), 16) == "\n".join(
        ["Id   标题", "a-1  修复时限改", "     为四小时 by", "     one"]
    )


def test_a_table_that_no_folding_fits_becomes_a_block_a_row() -> None:
    rows = [("c-20261122-81e842", "四小时内修复"), ("c-20261122-ccbc2e", "x")]

    assert fitted(rows, ("变更", "标题"), 24) == "\n".join(
        ["变更  c-20261122-81e842", "标题  四小时内修复", "", "变更  c-20261122-ccbc2e", "标题  x"]
    )


TEXTS = st.text(st.sampled_from("ab-1 时限四小时，。"), max_size=30)


@given(TEXTS, st.integers(4, 20))
def test_wrapping_loses_nothing_and_keeps_words_whole(text: str, columns: int) -> None:
    lines = list(wrapped(text, columns))

    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width(line) <= columns or " " not in line for line in lines)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=4), st.integers(40, 120))
def test_any_table_fits_or_has_a_word_that_does_not(rows: list[tuple[str, str, str]], columns: int) -> None:
    assert max(map(width, fitted(rows, ("a", "b", "c"), columns).splitlines() or [""])) <= columns


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_only_a_terminal_has_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")

    assert columns_of(Terminal()) == 72
    assert columns_of(io.StringIO()) is None
