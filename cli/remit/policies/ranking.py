"""Ranks, bands and shares of those who are scored: who comes first, how many fit into each band, who gets how much.

Plain arithmetic over totals, exact and in any order of the input. A rank by itself lets equals share a place; a forced
rank does not, because each place has one person (D1-55).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

SHARE_UNITS = 1_000_000
"""A share of a pool has six places; so many smallest parts make the whole."""

MONEY_UNITS = 100
"""Money has two places; so many smallest parts make one."""


class Standing(NamedTuple):
    """What the rank of one subject rests on: its total, then its scores in the order of the policy, then its name."""

    ref: str
    total: Fraction
    scores: tuple[Fraction | None, ...] = ()


def shared_ranks(standings: Sequence[Standing]) -> dict[str, int]:
    """Equal totals share the best place, and the places they take up stay empty: 1, 1, 3."""
    ordered = sorted((one.total for one in standings), reverse=True)
    first: dict[Fraction, int] = {}
    for place, total in enumerate(ordered, start=1):
        first.setdefault(total, place)
    return {one.ref: first[one.total] for one in standings}


def forced_ranks(standings: Sequence[Standing]) -> dict[str, int]:
    """A place for each: by total, then by the first score on which two differ (none is worst), then by name."""
    ordered = sorted(standings, key=lambda one: (*_merit(one), one.ref))
    return {one.ref: place for place, one in enumerate(ordered, start=1)}


def tied_by_name(standings: Sequence[Standing]) -> list[tuple[str, ...]]:
    """Those whom nothing but the name tells apart, in groups of two and more."""
    groups: dict[tuple[Fraction, ...], list[str]] = {}
    for one in standings:
        groups.setdefault(_merit(one), []).append(one.ref)
    return sorted(tuple(sorted(refs)) for refs in groups.values() if len(refs) > 1)


def _merit(one: Standing) -> tuple[Fraction, ...]:
    return (-one.total, *(Fraction(1) if score is None else -score for score in one.scores))


def apportioned(count: int, shares: Sequence[Fraction]) -> list[int]:
    """``count`` places by ``shares`` that make up 1: each its whole part, what is left to the largest remainders.

    Of equal remainders the earlier share takes the place.
    """
    exact = [count * share for share in shares]
    sizes = [int(one) for one in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (sizes[index] - exact[index], index))
    for index in by_remainder[: count - sum(sizes)]:
        sizes[index] += 1
    return sizes


def filled(count: int, places: Sequence[int | None]) -> list[int]:
    """How many of ``count`` go into each band, the first filled first; None takes all that are left."""
    sizes = []
    for one in places:
        size = count if one is None else min(count, one)
        sizes.append(size)
        count -= size
    return sizes


def banded(ranks: Mapping[str, int], sizes: Sequence[int], names: Sequence[str]) -> dict[str, str]:
    """The band of each who is ranked: the best ``sizes[0]`` in ``names[0]`` and so on; none beyond the last band."""
    in_order = sorted(ranks, key=lambda ref: (ranks[ref], ref))
    bands = [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]
    return dict(zip(in_order, bands, strict=False))


def pool_shares(multipliers: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """What each gets of one pool, in proportion to its multiplier, in whole millionths that make up 1 exactly."""
    return _shared_out(SHARE_UNITS, SHARE_UNITS, multipliers)


def pool_amounts(pool: Fraction, multipliers: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """What each gets of ``pool``, in proportion to its multiplier, in whole hundredths that make up the pool exactly.

    Of a pool that has less than a hundredth over, that stays in it.
    """
    return _shared_out(int(pool * MONEY_UNITS), MONEY_UNITS, multipliers)


def _shared_out(count: int, units: int, multipliers: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """``count`` parts of which ``units`` make 1; those that rounding leaves over go to the largest remainders.

    Of equal remainders the earlier entry takes the part. Nobody gets anything where all multipliers are 0.
    """
    whole = sum(multipliers.values(), Fraction(0))
    if not whole:
        return {}
    parts = apportioned(count, [one / whole for one in multipliers.values()])
    return {ref: Fraction(part, units) for ref, part in zip(multipliers, parts, strict=True)}
