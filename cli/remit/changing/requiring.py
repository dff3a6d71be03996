"""What a change needs before it may be applied: who must approve, who has, and the floor below which no policy goes.

Source: security rules R5, R6, R8, R9; design section 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from remit.changes import Candidate, Change, Manifest, Need, Person, is_governed
from remit.findings import Finding
from remit.registry import PEOPLE, Registry
from remit.sentences import Text, say
from remit.store import Files
from remit.times import format_instant, in_zone

BUILT_IN_RULE = "built-in/governed-paths"
SIGNED_RULE = "built-in/signed-proposal"
EFFECTIVE_RULE = "built-in/effective"


class Judge(Protocol):
    """What the approval policies of ``base`` ask of a change."""

    def __call__(self, base: Files, head: Files, manifest: Manifest, author: Person) -> Sequence[Need]:
        """The needs; paths of ``manifest`` are relative to the store, those outside of it begin with ``/``."""


Check = Callable[[Files], Sequence[Finding]]
"""Finds what is wrong with a store as a commit would make it."""


@dataclass(frozen=True)
class Requirement:
    """What one rule of the base asks, who could give it, who has, and whether that is enough; ``missing`` of how many
    people it still waits, where there are as many and only they are missing."""

    rule: str
    need: str
    candidates: tuple[Candidate, ...]
    given_by: tuple[str, ...]
    satisfied: bool
    why: str
    missing: int = 0


def required(
    judge: Judge,
    before: Files,
    after: Files,
    touched: Manifest,
    author: Person,
    contributors: Iterable[str],
    *,
    signers: Iterable[str] = (),
    given: Set[str] = frozenset(),
    exact: bool = True,
) -> list[Requirement]:
    """What the rules of ``before`` ask of the way to ``after``; without ``given`` nobody has approved of it yet.

    Args:
        touched: What the way touches, by paths of the store.
        contributors: E-mails of those who wrote any part of it.
        signers: Persons who signed the proposal, or acted in an emergency; they count as contributors too.
        given: Persons who approved.
        exact: Whether ``before`` is what those who approved saw.
    """
    registry = Registry.of(before.blobs)
    writers = {*registry.with_emails(contributors), *signers, *(_subjects(touched) if registry.signs else ())}
    # Where somebody involved is the only one whom a rule names, it goes on to the level above.
    needs = list(judge(before, after, touched, author._replace(others=tuple(sorted(writers - {author.person})))))
    needs += _built_in(needs, touched, registry)
    return [_requirement(need, given, writers, exact=exact) for need in needs]


def _subjects(touched: Manifest) -> Iterator[str]:
    """Whose Person records a change touches: a lost or stolen key does not decide about itself."""
    for path in touched.paths:
        if path.startswith(PEOPLE):
            yield path.removeprefix(PEOPLE).removesuffix(".yaml")


def signed_proposal(change: Change, why: str) -> Requirement:
    """That the proposer signed exactly this; ``why`` says why that is not so."""
    by = (change.proposed.person,) if change.proposed is not None and not why else ()
    text = say("change.proposers-signature")
    return Requirement(SIGNED_RULE, text, (), by, not why, say("change.given-by", people=by) if by else why)


def effective(change: Change, at: datetime | None) -> list[Requirement]:
    """That the day has come from which on a change may be applied, when it names one."""
    if change.effective is None:
        return []
    come = at is not None and at >= change.effective
    when = format_instant(in_zone(change.effective, at.tzinfo) if at and at.tzinfo else change.effective)
    said = say("change.has-come") if come else say("change.still-to-come")
    return [Requirement(EFFECTIVE_RULE, say("change.not-before", when=when), (), (), come, said)]


def unmet(requirements: Iterable[Requirement]) -> list[Text]:
    """What is still asked, a sentence for each rule."""
    asked = (one for one in requirements if not one.satisfied)
    return [say("change.missing-need", rule=one.rule, why=one.why, need=one.need) for one in asked]


def _built_in(needs: Sequence[Need], touched: Manifest, registry: Registry) -> list[Need]:
    """Security rule R6: what decides who approves never moves on one person's word, whatever the policies leave out."""
    if not any(map(is_governed, touched.paths)) or any(need.count > 0 for need in needs) or len(registry.names) < 2:
        return []
    everybody = tuple(Candidate(name, (say("change.any-person"),)) for name in registry.names)
    return [Need(BUILT_IN_RULE, 1, everybody, text=say("change.one-other"))]


def _requirement(need: Need, approvers: Set[str], writers: Set[str], *, exact: bool) -> Requirement:
    able = tuple(candidate for candidate in need.candidates if candidate.person not in writers)
    given = tuple(sorted(approvers & {candidate.person for candidate in able}))
    stale = need.exact_base and not exact and need.count > 0
    satisfied = len(given) >= need.count and not stale
    waits = 0 if stale or len(able) < need.count else max(0, need.count - len(given))
    why = _why(need, able, given, stale)
    return Requirement(
        need.rule, need.text or say("change.approvals", count=need.count), able, given, satisfied, why, waits
    )


def _why(need: Need, able: Sequence[Candidate], given: Sequence[str], stale: bool) -> str:
    if stale:
        return say("change.wants-exact-base")
    if len({candidate.person for candidate in able}) < need.count:
        return say("change.too-few-able", count=len(able))
    if (missing := need.count - len(given)) > 0:
        return say("change.some-missing", count=missing)
    return say("change.given-by", people=given) if given else say("change.nobody-needed")
