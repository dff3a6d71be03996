"""Attacks on approval, as data: how each is mounted, and by what rule it ends. ``test_gates`` takes them to the gates.

Every mount makes the same thing with and without the attack, so that nothing is refused for another reason. All is made
with the clock of the machine, because real hooks look at it.

Source: the catalogue of security, section 3.4: A1-A5, A9, A12, A17.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import approval_store
import guarded
from conftest import git
from guarded import MAIN, PENS, Guarded, Pen, who

from remit.changes import Approval, Change, with_trailers
from remit.changing.proposals import change_at
from remit.changing.targets import CHANGES, REVIEWS, own_target

DAY = timedelta(days=1)
POLICY = "rules/approval/control.yaml"
MILL = "records/customers/river-mill.yaml"
LOWER = approval_store.RULES.replace("        - {role: policy, count: 1}\n", "")
BOBS = ("bob-sun", "bob-second", "bob-old", "bob-lost", "bob-early")
PENS.update({name: Pen.of(name) for name in BOBS if name not in PENS})


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def texts() -> dict[str, str]:
    """The guarded store with a second customer, a unit that nobody needs, and keys of Bob's that are not good now."""
    windows: dict[str, dict[str, str]] = {
        "bob-old": {"validTo": (now() - DAY).isoformat()},
        "bob-early": {"validFrom": (now() + 9 * DAY).isoformat()},
        "bob-lost": {"revoked": "the laptop was stolen"},
    }
    keys = [{"key": PENS[name].public.line, **windows.get(name, {})} for name in BOBS]
    bob = {"department": "south", "contact": {"email": "bob-sun@example.org"}, "status": "active", "keys": keys}
    unit = {"type": "department", "level": "local", "parent": "head", "responsiblePerson": "fay-ma", "status": "active"}
    mill = {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "eve-li"}}
    return {
        **guarded.texts(),
        **approval_store.text_of("Person", "bob-sun", bob),
        **approval_store.text_of("OrganizationUnit", "annex", unit),
        **approval_store.text_of("Customer", "river-mill", mill),
    }


class Case(NamedTuple):
    """One change as it comes to the gates: its branch, what people posted about it, and the commit that applies it."""

    change: Change
    head: str
    said: tuple[Approval, ...]
    commit: str


@dataclass(frozen=True)
class Stage:
    """A guarded origin and a member's repository, in which cases are made."""

    guarded: Guarded

    def copy(self, folder: Path) -> Stage:
        return Stage(self.guarded.copy(folder))

    # -- making ----------------------------------------------------------------------------------------------------

    def propose(self, by: str = "ann-lee", grade: str = "group", title: str = "Raise the grade") -> Change:
        return self.wants(self.guarded.bank(customerGrade=grade), by=by, title=title)

    def wants(self, files: Mapping[str, bytes | None], *, by: str = "ann-lee", title: str = "Wanted") -> Change:
        return self.guarded.propose(by, files, at=now(), title=title)

    def say(self, change: Change, person: str, **how: Any) -> Approval:
        return self.guarded.say(change, person, **{"at": now(), **how})

    def case(self, change: Change, *said: Approval, **how: Any) -> Case:
        """The change as it is, with what people say."""
        assert change.proposed is not None
        how = {"by": change.proposed.person, "parent": self.tip, "tree": self.on_tip(change), **how}
        return Case(change, change.head, said, self.guarded.commit(change, [change.proposed, *said], at=now(), **how))

    @property
    def tip(self) -> str:
        return self.guarded.ref(MAIN)

    def on_tip(self, change: Change) -> str:
        """The tip of the branch with all that the change touches."""
        repository = self.guarded.store.in_git()
        return repository.tree_with(
            repository.tree_of(self.tip), {entry.path: entry.new for entry in change.manifest.entries}
        )

    def goes_on(self, change: Change, files: Mapping[str, bytes | None], *, after: str) -> Change:
        """The same change by its proposer with other files, on another commit, signed anew."""
        repository, store = self.guarded.store.in_git(), self.guarded.store
        assert change.proposed is not None
        by = change.proposed.person
        tree = repository.commit_with(repository.tree_of(after), files)
        bare = repository.commit_tree(tree, [after], change.title, who(by), who(by), now())
        draft = change_at(store, own_target(store), change.id, bare)
        signed = self.guarded.say(draft, by, "propose", at=now())
        words = with_trailers(change.title, change.id, [signed])
        head = repository.commit_tree(tree, [after], words, who(by), who(by), now())
        git(self.guarded.member, "update-ref", CHANGES + change.id, head)
        return change_at(store, own_target(store), change.id, head)

    def advance(self, files: Mapping[str, bytes | None], *by: str) -> None:
        """Another change comes in meanwhile, as the rules ask; both repositories have it."""
        change = self.wants(files, by="cai-yu", title="Meanwhile")
        commit = self.case(change, *(self.say(change, name) for name in by)).commit
        self.guarded.land((None, commit, MAIN))
        git(self.guarded.member, "update-ref", MAIN, commit)

    def mill(self, **fields: Any) -> dict[str, bytes | None]:
        spec = {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "eve-li"}, **fields}
        return {p: t.encode() for p, t in approval_store.text_of("Customer", "river-mill", spec).items()}

    # -- bringing it to the gates ----------------------------------------------------------------------------------

    def post(self, case: Case, *, origin: bool) -> None:
        """Put the branch and what people said where ``apply`` reads them, whatever a hook would say to that."""
        id = case.change.id
        refs = {CHANGES + id: case.head}
        refs |= {f"{REVIEWS}{id}/{one.person}": self.guarded.post(one, by="hal-xu") for one in case.said}
        for ref, sha in refs.items():
            git(self.guarded.member, "update-ref", ref, sha)
            if origin:
                self.guarded.land((None, sha, ref))


Mount = Callable[[Stage, bool], Case]
"""Makes the case, with the attack or (True) without it."""


class Attack(NamedTuple):
    """The rule by which hook and audit refuse, what ``apply`` says, and how the attack is mounted."""

    rule: str
    apply: str
    mount: Mount


def approved_by(person: str = "bob-sun", /, **how: Any) -> Mount:
    """An approval of Ann's change that is not Bob's own, or not any more; without the attack it is."""

    def mount(stage: Stage, honest: bool) -> Case:
        change = stage.propose()
        made = {key: value() if callable(value) else value for key, value in how.items()}
        return stage.case(change, stage.say(change, "bob-sun") if honest else stage.say(change, person, **made))

    mount.__name__ = "approved_by"
    return mount


def second_identity(stage: Stage, honest: bool) -> Case:
    """Bob proposes; he approves with his second key, or the level above him does."""
    change = stage.propose("bob-sun")
    return stage.case(change, stage.say(change, "gus-he") if honest else stage.say(change, "bob-sun", pen="bob-second"))


def another_change(stage: Stage, honest: bool) -> Case:
    first, second = stage.propose(), stage.propose(grade="province", title="Another")
    return stage.case(second, stage.say(second if honest else first, "bob-sun"))


def another_tree(stage: Stage, honest: bool) -> Case:
    """The branch goes on after Bob has approved of it."""
    change = stage.propose()
    before = stage.say(change, "bob-sun")
    after = stage.goes_on(change, stage.guarded.bank(customerGrade="province"), after=stage.tip)
    return stage.case(after, stage.say(after, "bob-sun") if honest else before)


def moved_base(stage: Stage, honest: bool) -> Case:
    """The same files on a commit that came in after Bob has approved of them."""
    change = stage.propose()
    before = stage.say(change, "bob-sun")
    stage.advance(stage.mill(customerGrade="local_a"), "bob-sun")
    after = stage.goes_on(change, stage.guarded.bank(customerGrade="group"), after=stage.tip)
    return stage.case(after, stage.say(after, "bob-sun") if honest else before)


def weakened_policy(stage: Stage, honest: bool) -> Case:
    """The rule that wants two people goes, on the word of the one whom the new rule wants."""
    change = stage.wants({POLICY: LOWER.encode(), **stage.guarded.bank(customerGrade="group")}, title="Simplify")
    return stage.case(change, *(stage.say(change, name) for name in ("bob-sun", *(["dan-wu"] if honest else []))))


def stolen_trailer(stage: Stage, honest: bool) -> Case:
    """What people signed for one tree, on another one."""
    change = stage.propose()
    good = stage.case(change, stage.say(change, "bob-sun"))
    if honest:
        return good
    repository = stage.guarded.store.in_git()
    tree = repository.commit_with(repository.tree_of(stage.tip), stage.guarded.bank(customerGrade="province"))
    words = repository.commit(change.head).message
    head = repository.commit_tree(tree, [stage.tip], words, who("ann-lee"), who("ann-lee"), now())
    return good._replace(head=head, commit=stage.case(change, *good.said, tree=tree).commit)


def skew(meanwhile: Callable[[Stage], None], wanted: Callable[[Stage], Change], *by: str) -> Mount:
    """Something comes in between that the change does not fit any more; without the attack, something else does."""

    def mount(stage: Stage, honest: bool) -> Case:
        change = wanted(stage)
        said = [stage.say(change, name) for name in by]
        if honest:
            stage.advance(stage.mill(customerGrade="local_a"), "bob-sun")
        else:
            meanwhile(stage)
        return stage.case(change, *said)

    return mount


def same_record(stage: Stage) -> None:
    stage.advance(stage.guarded.bank(customerGrade="province"), "bob-sun")


def the_rules(stage: Stage) -> None:
    stage.advance({POLICY: approval_store.RULES.encode() + b"# more\n"}, "bob-sun", "dan-wu")


def what_it_refers_to(stage: Stage) -> None:
    stage.advance({"records/organization-units/annex.yaml": None}, "hal-xu")


def to_the_annex(stage: Stage) -> Change:
    return stage.wants(stage.guarded.bank(unit="annex"), title="The annex serves it")


def other_bank(stage: Stage) -> Change:
    return stage.propose()


LATER = "has moved"
NOT = "is not approved"
ATTACKS: dict[str, Attack] = {
    "self-approval": Attack("R9", NOT, approved_by("ann-lee")),
    "approving with a second identity": Attack("R9", NOT, second_identity),
    "replay on another change": Attack("R7", NOT, another_change),
    "replay on another tree": Attack("R7", NOT, another_tree),
    "replay in another repository": Attack("R7", NOT, approved_by(repository="1" * 40)),
    "moving the base under the reviewer": Attack("R7", NOT, moved_base),
    "weakening the approval policy in the same change": Attack("approval", NOT, weakened_policy),
    "homoglyph person": Attack("R2", NOT, approved_by("b\u043eb-sun", pen="bob-sun")),
    "expired key": Attack("R7", NOT, approved_by(pen="bob-old")),
    "expired key, back-dated": Attack("R7", NOT, approved_by(pen="bob-old", at=lambda: now() - 2 * DAY)),
    "key that is not valid yet": Attack("R7", NOT, approved_by(pen="bob-early", at=lambda: now() + 10 * DAY)),
    "revoked key": Attack("R7", NOT, approved_by(pen="bob-lost")),
    "a key that nobody knows": Attack("R7", NOT, approved_by(pen="stranger")),
    "another person's key": Attack("R7", NOT, approved_by(pen="dan-wu")),
    "a signature made for git": Attack("R7", NOT, approved_by(namespace="git")),
    "no signature": Attack("R7", NOT, approved_by(pen="nobody")),
    "an approval that ran out": Attack("R7", NOT, approved_by(not_after=lambda: now() - DAY)),
    "somebody whom no rule names": Attack("approval", NOT, approved_by("fay-ma")),
    "stolen trailer": Attack("R7", NOT, stolen_trailer),
    "merge skew: the same record": Attack("R7", LATER, skew(same_record, other_bank, "bob-sun")),
    "merge skew: the rules": Attack("R7", LATER, skew(the_rules, other_bank, "bob-sun")),
    "merge skew: what it refers to": Attack(
        "R11", "with errors", skew(what_it_refers_to, to_the_annex, "gus-he", "fay-ma")
    ),
}  # fmt: skip

TWINS = [name for name in ATTACKS if ATTACKS[name].mount.__name__ != "approved_by" or name == "self-approval"]
"""Without the attack, whatever is wrong with the approval of a change makes the same good case."""
