"""A change that waits for its day: who lists changes sees it, and before that day no way leads onto the branch."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from conftest import AT, GitRepo, git
from guarded import MAIN, NOW, PENS, Guarded
from test_change_commands import User, raise_grade, texts

from remit.auditing import audit
from remit.changing.proposing import propose_files
from remit.judging import law_of
from remit.sentences import spoken

DAY = AT + timedelta(days=30)


def test_before_its_day_neither_the_origin_nor_an_audit_takes_a_change(tmp_path: Path) -> None:
    guarded = Guarded.build(tmp_path)
    store = guarded.be("ann-lee")
    files = guarded.bank(customerGrade="group")
    change = propose_files(store, files, "Raise the grade", at=AT, effective=DAY, sign=PENS["ann-lee"].sign)
    assert change.proposed is not None
    said = [change.proposed, guarded.approve("bob-sun", change)]
    early, then = guarded.commit(change, said, at=NOW), guarded.commit(change, said, at=DAY)
    old = guarded.tip

    (refusal,) = guarded.refusals((old, early, MAIN))
    assert refusal.rule == "effective" and spoken(refusal.message, "zh").endswith("起方可生效")
    assert guarded.push((old, then, MAIN), now=DAY) == []

    git(guarded.member, "update-ref", MAIN, early)
    found = audit(guarded.store, partial(law_of, guarded.store, checked=False), now=DAY)
    assert [(one.cause, one.rule, one.commit) for one in found.troubles] == [("unapproved", "effective", early)]


def test_the_list_of_changes_shows_which_wait_for_their_day(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    user = User(git_repo(texts()), capsys)
    raise_grade(user)
    day, now, then = "2027-01-01T00:00:00+08:00", ("--at", "2026-10-15T02:00:00Z"), ("--at", "2027-01-01T00:00:00Z")
    user.run("propose", "-m", "Grade", "--effective", day, *now, as_="ann-lee")

    assert "open, waits for 2027-01-01  Grade" in user.run("changes", *now).out
    assert "waits" not in user.run("changes", *then).out
