"""Feeds of one kind that are facts where they stand: each is proved by itself, and then that no two share an id.

Files whose ids lie apart share none. Where they do not, the rows whose ids are alike become odd ones, which are read
and judged in the order of the feeds, so that the first is a fact and the others are named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence

from remit.remembering import Memory
from remit.sources.scan import MOST_ODD, Scan, marks_of, working

Alike = Sequence[tuple[int, int]]
"""Rows whose ids stand in another file too: the number of a scan, and that of a row in it."""


def standing(scans: Sequence[Callable[[], Scan | None]], memory: Memory | None) -> list[Scan] | None:
    """The feeds with the rows that share an id made odd; None where one has to be read row by row, so that all have."""
    found: list[Scan] = []
    for scan in scans:
        one = scan()
        if one is None:
            return None
        found.append(one)
    odd = [set(one.odd) for one in found]
    for number, one in enumerate(found):
        others = [(n, other) for n, other in enumerate(found[:number]) if _meet(one, other)]
        for which, row in _alike(number, one, others, memory) if others else ():
            odd[which].add(row)
            if len(odd[which]) > MOST_ODD:
                return None
    return [one._replace(odd=tuple(sorted(rows))) for one, rows in zip(found, odd, strict=True)]


def _meet(one: Scan, other: Scan) -> bool:
    """True where the ids of two files do not lie apart."""
    return one.ids[0] <= other.ids[1] and other.ids[0] <= one.ids[1]


def _alike(number: int, one: Scan, others: Sequence[tuple[int, Scan]], memory: Memory | None) -> Alike:
    """The rows of a file and of others before it whose ids are alike, from what is remembered where that is enough."""
    files = [one, *(other for _, other in others)]
    numbers = [number, *(n for n, _ in others)]
    abouts = json.dumps([scan.about for scan in files])
    name = f"alike {hashlib.sha256(abouts.encode()).hexdigest()}"
    lasting = memory is not None and all(scan.memory for scan in files)
    known = memory.recall(name) if memory and lasting else None
    if known is None:
        found = _compared(files)
        if memory and lasting and len(found) <= MOST_ODD and all(marks_of(f.context) == f.marks for f in files):
            memory.keep(name, json.dumps(found).encode())
    else:
        found = json.loads(known)
    return [(numbers[place], row) for place, row in found]


def _compared(files: Sequence[Scan]) -> Alike:
    """The same by the place of each file among these."""
    own, *others = (
        f"SELECT {place} AS n, file_row_number AS r, hash(id) AS h FROM {one.rows_of_file}"
        for place, one in enumerate(files)
    )
    with working() as connection:
        found = connection.execute(
            f"WITH own AS ({own}), others AS ({' UNION ALL '.join(others)}) "
            "(SELECT n, r FROM own SEMI JOIN others USING (h) UNION ALL "
            f"SELECT n, r FROM others SEMI JOIN own USING (h)) ORDER BY n, r LIMIT {2 * MOST_ODD + 1}"
        )
        return [(place, row) for place, row in found.fetchall()]
