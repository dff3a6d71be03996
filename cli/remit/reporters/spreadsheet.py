"""Scorecards as a spreadsheet (xlsx): a sheet of results, the facts behind each measure, and what was restated.

Text is always written as text: a cell that begins like a formula is not one, and no address becomes a link.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from remit.errors import UserError
from remit.policies.assessment import Assessment
from remit.reporters.scorecards import Titles, listed
from remit.scorecards import RESULTS, Scorecard

_MADE = datetime(2000, 1, 1)
"""A fixed date of making, so that the same scorecard gives the same bytes."""

_WIDEST = 60


def scorecard_xlsx(scorecard: Scorecard, policy: Assessment, title_of: Titles, language: str) -> bytes:
    """The workbook's bytes.

    Raises:
        UserError: the part that writes spreadsheets is not installed.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise UserError("Spreadsheets need a part that is not installed.", "pip install 'remit[documents]'") from error
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"title": f"{policy.record.title(language)} {scorecard.period.name}", "created": _MADE})
    bold = book.add_format({"bold": True})
    _fill(
        book.add_worksheet("scorecard"), bold, _score_head(policy, language), _score_rows(scorecard, policy, title_of)
    )
    facts = [row for measure in policy.measures for row in listed(scorecard.subjects, measure.name)]
    head = list(facts[0]) if facts else ["subject", "measure", "fact"]
    _fill(book.add_worksheet("facts"), bold, head, (list(row.values()) for row in facts))
    if scorecard.restated:
        restated = [one.to_json() for one in scorecard.restated]
        _fill(book.add_worksheet("restated"), bold, list(restated[0]), (list(row.values()) for row in restated))
    book.close()
    return out.getvalue()


def _score_head(policy: Assessment, language: str) -> list[str]:
    head = ["subject", "title"]
    for measure in policy.measures:
        title = measure.title.get(language, measure.name)
        head += [title, *(f"{title} {key}" for key in ("of", "n", "target", "score"))]
    return [*head, *RESULTS]


def _score_rows(scorecard: Scorecard, policy: Assessment, title_of: Titles) -> Iterable[list[Any]]:
    for line in scorecard.subjects:
        figures = [v for measure in policy.measures for v in line.measures[measure.name].to_json().values()]
        yield [line.subject, title_of(line.subject), *figures, *(getattr(line, key) for key in RESULTS)]


def _fill(sheet: Any, bold: Any, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table: numbers as numbers, everything else as text, nothing where there is nothing."""
    sheet.freeze_panes(1, 0)
    widths = [len(one) for one in head]
    for column, one in enumerate(head):
        sheet.write_string(0, column, one, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, int | float) and not isinstance(value, bool):
                sheet.write_number(number, column, value)
            else:
                sheet.write_string(number, column, str(value))
            widths[column] = max(widths[column], len(str(value)))
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(width, _WIDEST) + 2)
