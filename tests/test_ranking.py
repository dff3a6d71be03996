"""Ranks, bands and shares against independent computations, in any order of the input."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.policies.ranking import (
    SHARE_UNITS,
    Standing,
    apportioned,
    banded,
    filled,
    forced_ranks,
    pool_shares,
    shared_ranks,
    tied_by_name,
)

totals = st.integers(0, 6).map(lambda n: Fraction(n, 2))
standings = st.lists(st.tuples(totals, st.lists(st.none() | totals, min_size=2, max_size=2)), max_size=12).map(
    lambda some: [Standing(f"Person/{n:02d}", total, tuple(scores)) for n, (total, scores) in enumerate(some)]
)
whole = st.lists(st.integers(1, 9), min_size=1, max_size=5).map(lambda parts: [Fraction(p, sum(parts)) for p in parts])


@given(standings, st.randoms())
def test_a_shared_rank_is_one_more_than_those_who_are_better(some: list[Standing], chance: object) -> None:
    expected = {one.ref: 1 + sum(other.total > one.total for other in some) for one in some}
    chance.shuffle(some)  # type: ignore[attr-defined]

    assert shared_ranks(some) == expected


@given(standings, st.randoms())
def test_a_forced_rank_counts_those_who_beat_one_and_nobody_shares_it(some: list[Standing], chance: object) -> None:
    def beats(one: Standing, other: Standing) -> bool:
        if one.total != other.total:
            return one.total > other.total
        for mine, theirs in zip(one.scores, other.scores, strict=True):
            mine, theirs = (Fraction(-1) if score is None else score for score in (mine, theirs))
            if mine != theirs:
                return mine > theirs
        return one.ref < other.ref

    expected = {one.ref: 1 + sum(beats(other, one) for other in some if other is not one) for one in some}
    chance.shuffle(some)  # type: ignore[attr-defined]

    assert forced_ranks(some) == expected
    assert sorted(expected.values()) == list(range(1, len(some) + 1))


@given(standings)
def test_only_those_who_are_the_same_in_everything_are_told_to_be_ranked_by_name(some: list[Standing]) -> None:
    same = {frozenset(o.ref for o in some if (o.total, o.scores) == (one.total, one.scores)) for one in some}

    assert {frozenset(refs) for refs in tied_by_name(some)} == {group for group in same if len(group) > 1}


@given(st.integers(0, 200), whole)
def test_bands_take_everyone_and_each_is_less_than_one_place_from_its_share(count: int, shares: list[Fraction]) -> None:
    sizes = apportioned(count, shares)

    assert sum(sizes) == count
    assert all(abs(size - count * share) < 1 for size, share in zip(sizes, shares, strict=True))


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, [0, 0, 0]), (1, [0, 1, 0]), (3, [1, 2, 0]), (5, [1, 4, 0]), (7, [1, 5, 1]), (10, [2, 7, 1]), (15, [3, 11, 1])],
)
def test_twenty_seventy_ten_of_small_groups(count: int, sizes: list[int]) -> None:
    # By hand: of 7 they are 1.4, 4.9 and 0.7, so the two places left go to the second and the third; of 5 they are 1,
    # 3.5 and 0.5, and of 15 they are 3, 10.5 and 1.5, where equal remainders go to the earlier band.
    assert apportioned(count, [Fraction(2, 10), Fraction(7, 10), Fraction(1, 10)]) == sizes


@given(st.integers(0, 20), st.lists(st.integers(0, 8), min_size=1, max_size=4))
def test_places_are_filled_from_the_best_band_down(count: int, places: list[int]) -> None:
    sizes = filled(count, [*places, None])
    people = iter(range(count))
    expected = [sum(1 for _ in zip(range(most), people, strict=False)) for most in places]

    assert sizes[-1] == count - sum(sizes[:-1])
    assert sizes[:-1] == [min(most, max(0, count - sum(places[:n]))) for n, most in enumerate(places)]
    assert sum(expected) <= count


@given(standings, whole)
def test_nobody_in_a_lower_band_is_ranked_better(some: list[Standing], shares: list[Fraction]) -> None:
    ranks = forced_ranks(some)
    names = [f"b{n}" for n in range(len(shares))]

    bands = banded(ranks, apportioned(len(some), shares), names)

    by_rank = [bands[ref] for ref in sorted(ranks, key=lambda ref: ranks[ref])]
    assert by_rank == sorted(by_rank)
    assert set(bands) == set(ranks)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 30), max_size=15))
def test_shares_make_up_one_and_follow_the_multipliers(weights: dict[str, int]) -> None:
    shares = pool_shares({ref: Fraction(weight, 2) for ref, weight in weights.items()})
    total = sum(weights.values())

    if not total:
        assert shares == {}
        return
    assert sum(shares.values()) == 1
    for ref, weight in weights.items():
        assert abs(shares[ref] - Fraction(weight, total)) < Fraction(1, SHARE_UNITS)
        assert all(shares[ref] >= shares[other] for other, less in weights.items() if less < weight)
