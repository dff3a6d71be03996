"""What people do with changes, in any order, beside a model of a few lines: both take it, or both refuse.

Everything happens in one repository, by the functions behind the commands. The model knows that the rules want Bob for
a grade and Dan for a person, and nothing of git.

Source: security, B5.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from approval_store import text_of
from conftest import AT
from guarded import PENS, Guarded
from guarded import texts as keyed_texts
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from remit.changes import Change
from remit.changing.reviewing import approve, reject, withdraw
from remit.errors import UserError

GRADES = ("group", "province", "local_a", "local_b", "local_c")
BANKS = ("bank-0", "bank-1")
PROPOSERS = ("ann-lee", "eve-li")
REVIEWERS = ("ann-lee", "bob-sun", "dan-wu", "hal-xu")


@dataclass
class Wanted:
    """A change as the model has it: by whom, of what, who has to say yes, what people said last, what became of it."""

    change: Change
    author: str
    subject: str
    value: str
    needs: str
    on: int
    said: dict[str, str] = field(default_factory=dict)
    state: str = "open"


class Changes(RuleBasedStateMachine):
    """Proposals, words about them, and what comes of them."""

    template: Path

    @classmethod
    def prepare(cls, folder: Path) -> None:
        """The store in which every run begins."""
        files = keyed_texts()
        for bank in BANKS:
            files |= text_of("Customer", bank, {"customerGrade": "local_c", "unit": "south"}, "银行")
        Guarded.build(folder, files)
        cls.template = folder

    @initialize()
    def begin(self) -> None:
        """A fresh copy of the store."""
        self.folder = Path(tempfile.mkdtemp(prefix="remit-machine-"))
        self.guarded = Guarded(self.template / "origin.git", self.template / "member.git").copy(self.folder)
        self.at, self.turns = AT, 0
        self.all: list[Wanted] = []
        self.values = dict.fromkeys(BANKS, "local_c") | {"bob-sun": "bob-sun"}
        self.moved = dict.fromkeys(self.values, 0)

    def teardown(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _later(self) -> Any:
        self.turns += 1
        self.at += timedelta(minutes=1)
        return self.at

    def _agrees(self, may: bool, act: Any) -> Any:
        """Do it; the system takes it exactly when the model does."""
        try:
            done = act()
        except UserError as error:
            assert not may, f"refused, and the model takes it: {error.message}"
            return None
        assert may, "taken, and the model refuses it"
        return done

    def _propose(self, author: str, subject: str, value: str, files: dict[str, str], needs: str) -> None:
        data = {path: text.encode() for path, text in files.items()}
        if value == self.values[subject]:
            return
        at, title = self._later(), f"change {self.turns + 1}: {value}"
        change = self._agrees(True, lambda: self.guarded.propose(author, data, at=at, title=title))
        if change is not None:
            self.all.append(Wanted(change, author, subject, value, needs, self.moved[subject]))

    @rule(author=st.sampled_from(PROPOSERS), bank=st.sampled_from(BANKS), grade=st.sampled_from(GRADES))
    def propose(self, author: str, bank: str, grade: str) -> None:
        """Somebody wants another grade; the command is not given for the same one."""
        files = text_of("Customer", bank, {"customerGrade": grade, "unit": "south"}, "银行")
        self._propose(author, bank, grade, files, "bob-sun")

    @rule(author=st.sampled_from(PROPOSERS), pen=st.sampled_from(["bob-sun", "bob-second"]))
    def rotate(self, author: str, pen: str) -> None:
        """Somebody wants Bob to have this key and no other."""
        keys = [{"key": PENS[pen].public.line}]
        spec = {"department": "south", "contact": {"email": "bob-sun@example.org"}, "status": "active", "keys": keys}
        self._propose(author, "bob-sun", f"key {pen}", text_of("Person", "bob-sun", spec), "dan-wu")

    @precondition(lambda self: self.all)
    @rule(data=st.data(), person=st.sampled_from(REVIEWERS), yes=st.booleans())
    def say(self, data: Any, person: str, yes: bool) -> None:
        """Somebody says yes or no, with the key that the base of the change knows; not of his own, not too late."""
        wanted = data.draw(st.sampled_from(self.all))
        may = wanted.state == "open" and self._fits(wanted) and person != wanted.author
        sign, at = self._pen(person, wanted), self._later()
        store = self.guarded.be(person)
        if yes:
            done = self._agrees(may, lambda: approve(store, wanted.change.id, at=at, sign=sign))
        else:
            done = self._agrees(may, lambda: reject(store, wanted.change.id, "not now", at=at, sign=sign))
        if done is not None:
            wanted.said[person] = done.verdict

    def _pen(self, person: str, wanted: Wanted) -> Any:
        known = self.guarded.store.files_of(wanted.change.base).blobs[f"records/people/{person}.yaml"].decode()
        names = [name for name in (person, "bob-second") if PENS[name].public.line in known]
        return PENS[names[0]].sign

    def _fits(self, wanted: Wanted) -> bool:
        return self.moved[wanted.subject] == wanted.on

    @precondition(lambda self: self.all)
    @rule(data=st.data(), person=st.sampled_from(PROPOSERS))
    def withdraw(self, data: Any, person: str) -> None:
        """Somebody takes a change back: his own, while nobody approved or applied it; again is no harm."""
        wanted = data.draw(st.sampled_from(self.all))
        free = wanted.state == "open" and not (self._approved(wanted) and self._fits(wanted))
        may = wanted.state == "withdrawn" or (free and person == wanted.author)
        at, store = self._later(), self.guarded.be(person)
        if self._agrees(may, lambda: withdraw(store, wanted.change.id, at=at, sign=PENS[person].sign)):
            wanted.state = "withdrawn"

    def _approved(self, wanted: Wanted) -> bool:
        return wanted.said.get(wanted.needs) == "approve" and "reject" not in wanted.said.values()

    @precondition(lambda self: self.all)
    @rule(data=st.data())
    def apply(self, data: Any) -> None:
        """An approved change goes in while its base stands; again finds it done."""
        wanted = data.draw(st.sampled_from(self.all))
        ready = wanted.state == "open" and self._fits(wanted) and self._approved(wanted)
        at, before = self._later(), self.guarded.store.in_git().ref("refs/heads/main")
        done = self._agrees(
            ready or wanted.state == "applied", lambda: self.guarded.apply("hal-xu", wanted.change, at=at)
        )
        if done is not None and wanted.state == "open":
            assert self.guarded.store.in_git().commit(done.commit).parents == (before,)
            wanted.state = "applied"
            self.values[wanted.subject] = wanted.value
            self.moved[wanted.subject] += 1

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        """The protected branch has the grades that the model has, and one commit for every change that went in."""
        if not hasattr(self, "guarded"):
            return
        repository = self.guarded.store.in_git()
        went_in = sum(wanted.state == "applied" for wanted in self.all)
        assert len(repository.log("refs/heads/main")) == went_in + 1
        files = self.guarded.store.files_of("refs/heads/main").blobs
        for bank in BANKS:
            assert f"customerGrade: {self.values[bank]}\n".encode() in files[f"records/customers/{bank}.yaml"]


def agree(folder: Path, runs: int, steps: int) -> None:
    """So many runs of so many steps; the same each time. What differs is an AssertionError with the steps to it."""
    Changes.prepare(folder)
    calm = settings(
        max_examples=runs, stateful_step_count=steps, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Changes, settings=calm)
