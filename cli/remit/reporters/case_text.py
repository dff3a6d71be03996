"""Cases as the text of a case file, one row a line where it fits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from remit.yamltext.dumping import emit

NOTE = "    # suggested: confirm"
"""Stands above a case that a program wrote: what it expects is what is decided, not what should be."""

_LONGEST_ROW = 200
_QUOTED_INSTANT = re.compile(r'"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+(?:\.[0-9]+)?(?:Z|[+-][0-9:]{5}))"')


def case_text(case: Mapping[str, Any]) -> str:
    """One case as an item of ``cases``, with the note above it and a line end."""
    lines = [NOTE]
    for number, (key, value) in enumerate(case.items()):
        lead = "    - " if number == 0 else "      "
        if isinstance(value, list) and value:
            lines += [f"{lead}{key}:", *(line for row in value for line in _row(row))]
        else:
            lines.append(lead + _plain(emit({key: value})).rstrip())
    return "\n".join(lines) + "\n"


def cases_text(cases: Sequence[Mapping[str, Any]]) -> str:
    """Several, with an empty line between them."""
    return "\n".join(map(case_text, cases))


def new_file(name: str) -> str:
    """The head of a case file that has no cases yet."""
    return f"apiVersion: remit/v1\nkind: PolicyCases\nmetadata:\n  name: {name}\nspec:\n  cases:\n"


def _row(row: Any) -> list[str]:
    flow = _plain(emit(row, flow=True)).strip()
    if len(flow) <= _LONGEST_ROW:
        return [f"        - {flow}"]
    first, *rest = _plain(emit(row)).rstrip().split("\n")
    return [f"        - {first}", *(f"          {line}" for line in rest)]


def _plain(text: str) -> str:
    """Instants without quotes, as people write them."""
    return _QUOTED_INSTANT.sub(r"\1", text)
