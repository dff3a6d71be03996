"""Tallies: what the facts of a measure come to for one subject, with the facts behind it where anybody has them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from remit.scorecards import CountedFact


@dataclass
class Tally:
    """``good`` and ``bad`` facts count; ``values`` holds how often each number was brought by those that count.

    ``facts`` are in the order of their ids, those left out among them; what was counted in columns is not among them.
    """

    good: int = 0
    bad: int = 0
    values: Counter[Fraction] = field(default_factory=Counter)
    facts: list[CountedFact] = field(default_factory=list)

    @property
    def of(self) -> int:
        """How many count."""
        return self.good + self.bad

    @property
    def total(self) -> Fraction:
        """The sum of the values."""
        return sum((value * number for value, number in self.values.items()), Fraction(0))

    def percentile(self, percent: Fraction) -> Fraction:
        """The value that so many percent of the values reach at most; there must be one."""
        place, passed = math.ceil(percent * self.values.total() / 100), 0
        for value in sorted(self.values):
            passed += self.values[value]
            if passed >= place:
                return value
        raise ValueError("no value has a percentile")

    def take(self, fact: CountedFact) -> None:
        """Count one more fact."""
        self.facts.append(fact)
        if fact.counted != "left out":
            value = None if fact.value is None else Fraction(str(fact.value))
            self.add(value, int(fact.counted == "good"), int(fact.counted == "bad"))

    def add(self, value: Fraction | None, good: int, bad: int) -> None:
        """Count so many more that bring the same value, or none."""
        self.good += good
        self.bad += bad
        if value is not None and good + bad:
            self.values[value] += good + bad


def together(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    whole = Tally()
    for one in tallies:
        whole.good += one.good
        whole.bad += one.bad
        whole.values += one.values
        whole.facts += one.facts
    whole.facts.sort(key=lambda fact: fact.ref)
    return whole
