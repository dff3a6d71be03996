"""CSV that no spreadsheet takes for a program: texts that begin like a formula follow an apostrophe (R32)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def guarded(cell: Any) -> Any:
    """``cell`` as it is, or with ``'`` before it when it is a text that a spreadsheet would calculate."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    r"""A table as CSV (RFC 4180 quoting, lines end with ``\n``), the head first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([guarded(cell) for cell in head])
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()
