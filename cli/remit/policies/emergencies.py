"""Who may apply a change in an emergency, before those who must approve it have.

Every policy that asks for an approval has to foresee it, and one person has to be whom each of them names, for every
record of the change that it speaks of. Whoever wrote the change may be that person.

Source: security rules R5, R6, R11.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from remit.changes import Candidate, Need
from remit.policies.approval import EMERGENCY, Approvals, Touch
from remit.policies.approvers import Ground
from remit.policies.asking import Ask, asks_of, entries_of, too_small
from remit.records import title_in

NOBODY = "nobody"
"""The role that a policy asks for which foresees no emergency."""


def emergency_asks(policies: Sequence[Approvals], touches: Iterable[Touch], ground: Ground) -> list[Ask]:
    """What each policy that asks for approvals says of an emergency, for each file: an ask for each entry."""
    found: list[Ask] = []
    alone = replace(ground, author="")
    ordered = sorted(touches, key=lambda one: one.path)
    small = too_small(policies, ordered, ground.whole)
    for touch in ordered:
        asking = {ask.rule.rpartition("/")[0] for ask in asks_of(policies, touch, ground, small)}
        for policy in policies:
            if policy.record.id not in asking:
                continue
            if policy.emergency is None:
                found.append(_refusing(policy, touch))
            else:
                found += entries_of(policy.emergency.rule, touch, alone)
    return found


def _refusing(policy: Approvals, touch: Touch) -> Ask:
    rule = f"{policy.record.id}/{EMERGENCY}"
    return Ask(rule, NOBODY, "", 1, (), (touch.name,), {}, (), exact_base=False, entry=0, distinct=False)


def emergency_needs(asks: Sequence[Ask], language: str) -> list[Need]:
    """The asks as needs of one person each: of every policy and file, anybody whom any entry names; equal ones once."""
    grouped: dict[tuple[str, tuple[str, ...]], list[Ask]] = {}
    for ask in asks:
        grouped.setdefault((ask.rule, ask.because), []).append(ask)
    needs = [_need(group, language) for group in grouped.values()]
    seen: dict[tuple[str, frozenset[str]], Need] = {}
    for need in needs:
        seen.setdefault((need.rule, frozenset(c.person for c in need.candidates)), need)
    return list(seen.values())


def _need(group: Sequence[Ask], language: str) -> Need:
    entries: dict[int, dict[str, Candidate]] = {}
    for ask in group:
        # A change that moves a record from one unit to another does not choose between those who may.
        people = {candidate.person: candidate for candidate in ask.candidates}
        known = entries.setdefault(ask.entry, people)
        entries[ask.entry] = {name: one for name, one in known.items() if name in people}
    able = {name: one for people in reversed(entries.values()) for name, one in people.items()}
    return Need(group[0].rule, 1, tuple(able[name] for name in sorted(able)), text=_text(group, language))


def _text(group: Sequence[Ask], language: str) -> str:
    chinese = language == "zh"
    if group[0].role == NOBODY:
        return "此策略未规定紧急情况" if chinese else "this policy foresees no emergency"
    roles = (" 或 " if chinese else " or ").join(
        (f"{ask.role}（{ask.of}）" if chinese else f"{ask.role} of {ask.of}") if ask.of else ask.role for ask in group
    )
    title = title_in(dict(group[0].title), language)
    clauses = f" [{', '.join(group[0].clauses)}]" if group[0].clauses else ""
    parts = [f"紧急情况下 1 人：{roles}" if chinese else f"in an emergency one of {roles}", title]
    return ("；" if chinese else "; ").join(part for part in parts if part) + clauses
