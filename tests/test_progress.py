"""A bar is drawn where somebody waits for long, and nowhere else."""

from __future__ import annotations

import io

import pytest

from remit.reporters.progress import Progress


class Terminal(io.StringIO):
    """Somebody looks at what is written."""

    def isatty(self) -> bool:
        return True


def drawn(stream: io.StringIO, seconds: float) -> str:
    """What a work of so many seconds writes, of which a tenth is done in each tenth."""
    times = iter([0.0, *(seconds * number / 10 for number in range(10))])
    progress = Progress(stream, lambda: next(times))
    for number in range(10):
        progress(number / 10)
    progress.end()
    return stream.getvalue()


@pytest.mark.parametrize(("stream", "seconds"), [(io.StringIO, 100.0), (Terminal, 1.9)], ids=["a file", "a short work"])
def test_nothing_is_drawn_where_nobody_looks_or_waits(stream: type[io.StringIO], seconds: float) -> None:
    assert drawn(stream(), seconds) == ""


def test_a_long_work_is_drawn_and_wiped_away() -> None:
    said = drawn(Terminal(), 10.0)

    assert [part.split("] ")[-1] for part in said.split("\r\x1b[K")] == ["", *(f"{n}0 %" for n in range(2, 10)), ""]
    assert f"[{'#' * 20}{' ' * 20}] 50 %" in said
