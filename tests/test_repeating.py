"""Proposing on a tip that has moved: records are merged by fields, and a change of one's own is proposed once more."""

from __future__ import annotations

import pytest
import test_change_commands as changing
from approval_store import texts
from conftest import GitRepo, be, commit_all, git, write_files

from remit.evaluating import load
from remit.pack import pack_files
from remit.store import Files
from remit.terms import governing_term
from remit.times import parse_instant

AT, LATER = changing.AT, ("--at", "2026-10-16T09:00:00+08:00")
BANK = changing.BANK
TEXT = """\
# 海港银行：重点客户。
apiVersion: remit/v1
kind: Customer
metadata:
  name: harbour-bank
  title: {en: Harbour Bank, zh: 海港银行}
spec:
  customerGrade: local_b   # 2026 年评定
  unit: south
  roles: {cce: eve-li}
  # 备注由客户经理填写
  notes: 无
"""


@pytest.fixture
def lone(git_repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> changing.User:
    return changing.User(git_repo({**texts(), BANK: TEXT}), capsys)


@pytest.fixture
def clones(git_repo: GitRepo, git_clone: GitRepo, capsys: pytest.CaptureFixture[str]) -> changing.Users:
    origin = git_clone(git_repo({**texts(), BANK: TEXT}, "seed"), "origin.git", bare=True)
    return lambda user: changing.User(git_clone(origin, user, user), capsys)


def proposed(user: changing.User, old: str, new: str, *at: str) -> str:
    """The id of a change that puts ``new`` in the place of ``old``; the working tree is left as it was."""
    write_files(user.folder, {BANK: TEXT.replace(old, new)})
    ran = user.run("propose", "-m", "提高等级\n\n合同已续签。", *(at or AT), "--format", "json", as_="ann-lee")
    assert ran.code == 0, ran.err
    git(user.folder, "checkout", "--quiet", "--", ".")
    return str(ran.json["id"])


def moved(user: changing.User, old: str, new: str) -> None:
    """Somebody else's change of the record, on the protected branch."""
    be(user.folder, "cai-yu")
    write_files(user.folder, {BANK: TEXT.replace(old, new)})
    commit_all(user.folder, "moved")


RAISED = ("customerGrade: local_b", "customerGrade: local_a")
NOTED = ("notes: 无", "notes: 每季度走访   # 客户要求")


def test_a_change_goes_onto_the_present_tip_with_both_sides_comments(lone: changing.User) -> None:
    old = proposed(lone, *RAISED)
    moved(lone, *NOTED)
    assert lone.run("approve", old, *AT, as_="bob-sun").code == 2
    assert f"Next: remit propose --again {old}" in lone.run("review", old, *AT).out

    ran = lone.run("propose", "--again", old, *LATER, as_="ann-lee")

    new = ran.out.split()[0]
    assert ran.code == 0 and new != old and f"{old} is withdrawn; {new} needs its approvals anew." in ran.err
    assert git(lone.folder, "show", f"change/{new}:{BANK}") + "\n" == TEXT.replace(*RAISED).replace(*NOTED)
    review = lone.run("review", new, *LATER, "--format", "json").json["change"]
    assert (review["title"], review["body"], review["base"]) == ("提高等级", "合同已续签。", lone.tip())
    assert (review["state"], review["reviews"]) == ("open", [])
    assert lone.run("changes", *LATER, "--format", "json").json["changes"][0]["id"] == new
    assert lone.run("review", old, *LATER, "--format", "json").json["change"]["state"] == "withdrawn"


def test_what_both_want_differently_is_said_in_the_records_words_and_nothing_is_written(lone: changing.User) -> None:
    old = proposed(lone, *RAISED)
    moved(lone, "customerGrade: local_b", "customerGrade: group")
    refs = git(lone.folder, "for-each-ref")

    ran = lone.run("propose", "--again", old, *LATER, as_="ann-lee")

    assert ran.code == 1 and git(lone.folder, "for-each-ref") == refs
    assert ran.out.splitlines()[0] == "Customer/harbour-bank  spec.customerGrade  (both changed it)"
    assert [line.split()[:2] for line in ran.out.splitlines()[1:]] == [
        ["before", "local_b"], ["here", "local_a"], ["there", "group"],
    ]  # fmt: skip
    (conflict,) = lone.run("propose", "--again", old, *LATER, "--format", "json").json["conflicts"]
    assert (conflict["pointer"], conflict["theirs"]["value"]) == ("/spec/customerGrade", "group")


def test_conflicts_are_told_in_the_stores_language(lone: changing.User) -> None:
    config = (lone.folder / "remit.yaml").read_text().replace("language: en", "language: zh")
    write_files(lone.folder, {"remit.yaml": config})
    commit_all(lone.folder, "zh")
    old = proposed(lone, *RAISED)
    moved(lone, "customerGrade: local_b", "customerGrade: group")

    out = lone.run("propose", "--again", old, *LATER, as_="ann-lee").out

    assert "双方均已修改" in out and "本方" in out and "对方" in out


def test_rules_that_moved_are_no_conflict(lone: changing.User) -> None:
    old = proposed(lone, *RAISED)
    rules = (lone.folder / "rules/approval/control.yaml").read_text()
    write_files(lone.folder, {"rules/approval/control.yaml": rules + "# 备注\n"})
    commit_all(lone.folder, "rules moved")

    ran = lone.run("propose", "--again", old, *LATER, "--format", "json", as_="ann-lee")

    assert (ran.code, ran.json["paths"], ran.json["withdrawn"]) == (0, [BANK], old)


def test_only_its_proposer_proposes_a_change_again(lone: changing.User) -> None:
    old = proposed(lone, *RAISED)
    assert "is on the tip of main already" in lone.run("propose", "--again", old, *LATER, as_="ann-lee").err
    moved(lone, *NOTED)

    refused = lone.run("propose", "--again", old, *LATER, as_="bob-sun")

    assert refused.code == 2 and "was proposed by Ann Lee" in refused.err


def test_a_change_that_came_in_another_way_is_not_proposed_again(lone: changing.User) -> None:
    old = proposed(lone, *RAISED)
    moved(lone, *RAISED)

    refused = lone.run("propose", "--again", old, *LATER, as_="ann-lee")

    assert refused.code == 2 and "main holds all of" in refused.err and f"remit withdraw {old}" in refused.err


def test_the_day_from_which_on_it_may_be_applied_is_kept_while_it_is_to_come(lone: changing.User) -> None:
    write_files(lone.folder, {BANK: TEXT.replace(*RAISED)})
    words = ("propose", "-m", "Later", "--effective", "2026-11-01T00:00:00+08:00", *AT, "--format", "json")
    old = lone.run(*words, as_="ann-lee").json["id"]
    git(lone.folder, "checkout", "--quiet", "--", ".")
    moved(lone, *NOTED)

    again = lone.run("propose", "--again", old, *LATER, "--format", "json", as_="ann-lee").json["id"]

    assert lone.run("review", again, *LATER, "--format", "json").json["change"]["effective"].startswith("2026-10-31T16")
    moved(lone, "notes: 无", "notes: 有")
    late = ("--at", "2026-11-02T00:00:00+08:00")
    third = lone.run("propose", "--again", again, *late, "--format", "json", as_="ann-lee").json["id"]
    assert lone.run("review", third, *late, "--format", "json").json["change"]["effective"] is None


@pytest.mark.parametrize("words", [("--again", "c-1", "-m", "x"), ("--again", "c-1", BANK), ()])
def test_again_and_a_new_message_exclude_each_other(lone: changing.User, words: tuple[str, ...]) -> None:
    assert lone.run("propose", *words, *AT, as_="ann-lee").code == 2


def test_a_working_tree_that_is_behind_is_merged_by_fields(clones: changing.Users) -> None:
    ann, bob = clones("ann-lee"), clones("bob-sun")
    id = proposed(ann, *NOTED)
    assert bob.run("approve", id, *AT, as_="gus-he").code == 0
    assert bob.run("apply", id, *AT).code == 0
    write_files(ann.folder, {BANK: TEXT.replace(*RAISED)})

    ran = ann.run("propose", "-m", "提高等级", *LATER, "--format", "json")

    assert ran.code == 0, ran.err
    merged = git(ann.folder, "show", f"origin/change/{ran.json['id']}:{BANK}") + "\n"
    assert merged == TEXT.replace(*RAISED).replace(*NOTED)
    assert (ann.folder / BANK).read_text(encoding="utf-8") == TEXT.replace(*RAISED)


# --- changes that wait for a day -------------------------------------------------------------------------------------


def test_a_change_waits_for_its_day(lone: changing.User) -> None:
    write_files(lone.folder, {BANK: TEXT.replace(*RAISED)})
    words = ("propose", "-m", "Later", "--effective", "2026-11-01T00:00:00+08:00", *AT, "--format", "json")
    id = lone.run(*words, as_="ann-lee").json["id"]
    assert lone.run("approve", id, *AT, as_="bob-sun").code == 0

    review = lone.run("review", id, *AT).out
    assert "may be applied from 2026-11-01T00:00:00+08:00 on (it waits)" in review
    early = lone.run("apply", id, *AT)
    assert early.code == 2 and "not before 2026-11-01T00:00:00+08:00" in early.err
    (change,) = lone.run("changes", *AT, "--format", "json").json["changes"]
    assert (change["state"], change["effective"]) == ("open", "2026-10-31T16:00:00+00:00")
    on_time = ("--at", "2026-11-01T00:00:00+08:00")
    assert "(it waits)" not in lone.run("review", id, *on_time).out
    assert lone.run("apply", id, *on_time).code == 0


TERM = "records/service-terms/hb-2026-repair.yaml"


@pytest.mark.parametrize(
    ("at", "governs"),
    [("2026-11-30T23:59:59+08:00", False), ("2026-12-01T00:00:00+08:00", True), ("2027-01-31T23:59:59+08:00", True)],
)
def test_a_record_that_holds_from_a_later_day_on_decides_nothing_before(at: str, governs: bool) -> None:
    blobs = dict(pack_files())
    blobs[TERM] = blobs[TERM].replace(b"validFrom: 2026-02-01", b"validFrom: 2026-12-01")
    read = load(Files(None, None, blobs))
    service = read.world.get("ServiceInstance", "hb-core-backup-sdh")
    assert service is not None and read.trouble == ()

    sources = {limit.source for limit in governing_term(read.world, service, parse_instant(at)).values()}

    assert ("ServiceTerm/hb-2026-repair" in sources) is governs
