"""What there is to see of a policy, and what a case has seen of it."""

from __future__ import annotations

from typing import NamedTuple

from remit.places import Place


class Sight(NamedTuple):
    """One thing to be seen of a policy: a part of it (``level overdue``, ``rule schemas``) and how."""

    part: str
    how: str


class Goal(NamedTuple):
    """A sight that some case must have, and where the part was written."""

    sight: Sight
    place: Place
