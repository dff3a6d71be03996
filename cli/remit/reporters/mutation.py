"""What became of the mutants of policies, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from remit.reporters.terminal import plural, safe

if TYPE_CHECKING:
    from remit.mutating import Mutation


def mutation_lines(mutations: Sequence[Mutation]) -> Iterator[str]:
    """A line for each policy with its count, then a line for each mutant that no case kills, with its place."""
    width = max((len(one.policy) for one in mutations), default=0)
    for one in mutations:
        known = f"  ({len(one.equivalent)} equivalent)" if one.equivalent else ""
        yield f"{safe(one.policy):<{width}}  {one.killed:>3} of {one.total:<3} killed{known}"
    for one in mutations:
        for survivor in one.survivors:
            mutant = survivor.mutant
            yield f"{mutant.place}  survived  {mutant.family:<9}  {safe(one.policy)}  {safe(mutant.name)}"


def mutation_summary(mutations: Sequence[Mutation]) -> str:
    """How many were killed of how many."""
    total = sum(one.total for one in mutations)
    killed = sum(one.killed for one in mutations)
    policies = plural(len(mutations), "policy", "policies")
    return f"{killed} of {plural(total, 'mutant')} killed, of {policies}; {total - killed} survived"
