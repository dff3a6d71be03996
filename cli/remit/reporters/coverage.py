"""How much of each policy its cases see, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from remit.coverage import Coverage
from remit.reporters.terminal import plural, safe


def coverage_lines(coverage: Sequence[Coverage]) -> Iterator[str]:
    """A line for each policy with its share, then a line for each gap with its place."""
    width = max((len(one.policy) for one in coverage), default=0)
    for one in coverage:
        yield f"{safe(one.policy):<{width}}  {one.met:>3} of {len(one.goals):<3}  {one.percent:>3}%"
    for one in coverage:
        for goal in one.gaps:
            part, how = goal.sight
            yield f"{goal.place}  uncovered  {safe(one.policy)}: {safe(part)}: no case sees it {how}"


def coverage_summary(coverage: Sequence[Coverage]) -> str:
    """How many gaps there are."""
    return f"{plural(sum(len(one.gaps) for one in coverage), 'gap')} in coverage"
