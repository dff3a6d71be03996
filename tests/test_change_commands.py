"""The commands of a change, run as people run them: on a lone repository, and on clones of one bare origin."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from approval_store import RULES, path_of, text_of, texts
from conftest import GitRepo, be, commit_all, git, write_files

from remit.main import main

AT = ("--at", "2026-10-15T16:00:00+08:00")
BANK = path_of("Customer", "harbour-bank")
SPEC = {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "eve-li"}}


class Ran(NamedTuple):
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class User:
    """Somebody with a working copy; ``run`` takes the words of a command line."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def run(self, *words: str, as_: str = "") -> Ran:
        if as_:
            be(self.folder, as_)
        self._capsys.readouterr()
        with chdir(self.folder):
            code = main([*words])
        return Ran(code, *self._capsys.readouterr())

    def write(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        write_files(self.folder, text_of(kind, name, spec, "海港银行" if kind == "Customer" else ""))

    def propose(self, message: str = "Grade of Harbour Bank", as_: str = "ann-lee") -> str:
        ran = self.run("propose", "-m", message, *AT, "--format", "json", as_=as_)
        assert ran.code == 0, ran.err
        return str(ran.json["id"])

    def tip(self) -> str:
        return git(self.folder, "rev-parse", "main")


Users = Callable[..., User]


@pytest.fixture
def lone(git_repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> User:
    return User(git_repo(texts()), capsys)


@pytest.fixture
def clones(git_repo: GitRepo, git_clone: GitRepo, capsys: pytest.CaptureFixture[str]) -> Users:
    """``clones("ann-lee")``: another clone of one bare origin."""
    origin = git_clone(git_repo(texts(), "seed"), "origin.git", bare=True)

    def clone(user: str) -> User:
        return User(git_clone(origin, user, user), capsys)

    return clone


def raise_grade(user: User, grade: str = "local_a") -> None:
    user.write("Customer", "harbour-bank", {**SPEC, "customerGrade": grade})


# --- the whole story -------------------------------------------------------------------------------------------------


def test_a_change_is_proposed_reviewed_approved_and_applied(lone: User) -> None:
    raise_grade(lone)
    before = lone.tip()

    proposed = lone.run("propose", "-m", "评定为A级\n\n按年度收入。", *AT, as_="ann-lee")
    id = proposed.out.split()[0]
    assert (proposed.code, proposed.out) == (0, f"{id}  评定为A级\n  {BANK}\n")
    assert f"Next: remit review {id}" in proposed.err

    review = lone.run("review", id, *AT)
    assert review.code == 0
    assert "Customer grade  local_b → local_a" in review.out
    assert (
        "ApprovalPolicy/control/grade: 1 owner of OrganizationUnit/south; Grade; for Customer/harbour-bank"
        in " ".join(review.out.split())
    )
    assert "may: bob-sun" in review.out and "Findings that it adds: no findings" in review.out
    assert f"Next: remit approve {id}    (bob-sun)" in review.out and "按年度收入。" in review.out

    own = lone.run("approve", id, *AT)
    assert own.code == 2 and "you wrote a part of" in own.err

    early = lone.run("apply", id, *AT)
    assert early.code == 2 and "is not approved" in early.err and "1 missing" in early.err
    assert lone.tip() == before

    assert f"Next: remit approve {id}\n" in lone.run("review", id, *AT, as_="bob-sun").out
    approved = lone.run("approve", id, "-m", "同意", *AT, as_="bob-sun")
    assert approved.code == 0 and "[x] ApprovalPolicy/control/grade" in approved.out
    assert f"Next: remit apply {id}" in approved.err
    assert lone.run("changes", *AT).out.splitlines()[1].split()[:2] == [id, "approved"]

    applied = lone.run("apply", id, *AT, as_="ann-lee")
    assert applied.code == 0, applied.err
    assert git(lone.folder, "rev-parse", "main^") == before
    assert "local_a" in git(lone.folder, "show", f"main:{BANK}")
    assert git(lone.folder, "status", "--porcelain") == ""

    again = lone.run("apply", id, *AT)
    assert again.code == 0 and "was applied already" in again.out
    assert git(lone.folder, "rev-parse", "main^") == before

    log = lone.run("log", "Customer/harbour-bank")
    assert log.out.splitlines()[1].split()[4:6] == [id, "bob-sun"] and "评定为A级" in log.out
    assert lone.run("changes", *AT).out == ""
    assert lone.run("changes", "--all", *AT).out.splitlines()[1].split()[:2] == [id, "applied"]


def test_the_story_between_clones_of_an_origin(clones: Users) -> None:
    ann, bob = clones("ann-lee"), clones("bob-sun")
    raise_grade(ann)
    id = ann.propose()

    assert bob.run("changes", *AT, as_="bob-sun").out.splitlines()[1].startswith(id)
    assert bob.run("approve", id[:-3], *AT).code == 0
    applied = ann.run("apply", id, *AT)

    assert applied.code == 0, applied.err
    assert ann.tip() == git(bob.folder, "ls-remote", "origin", "main").split()[0]
    bob_again = bob.run("apply", id, *AT)
    assert bob_again.code == 0 and "already" in bob_again.out


def test_nobody_outside_the_rule_can_give_what_it_asks(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()

    cai = lone.run("approve", id, *AT, as_="cai-yu")

    assert cai.code == 0 and "No rule asks for your approval" in cai.err
    assert lone.run("apply", id, *AT).code == 2


def test_a_stranger_does_not_approve(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()

    ran = lone.run("approve", id, *AT, as_="stranger")

    assert ran.code == 2 and "no Person record of the base has your e-mail" in ran.err


def test_an_approval_runs_out(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()
    assert lone.run("approve", id, *AT, "--not-after", "2026-10-16T00:00:00+08:00", as_="bob-sun").code == 0

    late = lone.run("apply", id, "--at", "2026-10-17T00:00:00+08:00")

    assert late.code == 2 and "is not approved" in late.err
    assert "it ran out" in lone.run("review", id, "--at", "2026-10-17T00:00:00+08:00").out


def test_a_rejection_stops_a_change_until_it_is_taken_back(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()

    rejected = lone.run("reject", id, "-m", "收入不足", *AT, as_="bob-sun")

    assert rejected.code == 0
    assert lone.run("apply", id, *AT).code == 2
    review = lone.run("review", id, *AT).out
    assert "rejected by bob-sun" in review and "收入不足" in review
    assert lone.run("approve", id, *AT).code == 0
    assert lone.run("apply", id, *AT).code == 0


def test_only_the_author_withdraws(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()

    assert lone.run("withdraw", id, as_="bob-sun").code == 2
    assert lone.run("withdraw", id, as_="ann-lee").out == f"withdrawn {id}  Grade of Harbour Bank\n"
    assert lone.run("approve", id, *AT, as_="bob-sun").code == 2


# --- the base judges -------------------------------------------------------------------------------------------------


def test_a_change_that_weakens_the_policy_is_judged_by_the_old_one(lone: User) -> None:
    raise_grade(lone)
    everybody = RULES.replace("{role: owner, of: record.unit}", "{role: cce, of: record}")
    write_files(lone.folder, {"rules/approval/control.yaml": everybody})
    id = lone.propose("Weaker rules and what they allow")

    assert lone.run("approve", id, *AT, as_="eve-li").code == 0
    refused = lone.run("apply", id, *AT, as_="ann-lee")

    assert refused.code == 2
    assert "ApprovalPolicy/control/rules" in refused.err and "ApprovalPolicy/control/grade" in refused.err
    for person in ("bob-sun", "dan-wu"):
        assert lone.run("approve", id, *AT, as_=person).code == 0
    assert lone.run("apply", id, *AT, as_="ann-lee").code == 0


def test_nobody_appoints_himself_approver(lone: User) -> None:
    raise_grade(lone)
    lone.write("RoleAssignment", "own", {"person": "fay-ma", "role": "owner", "scope": {"domain": "south"}})
    id = lone.propose()

    assert "No rule asks" in lone.run("approve", id, *AT, as_="fay-ma").err
    rules = [one["rule"] for one in lone.run("review", id, *AT, "--format", "json").json["change"]["requirements"]]

    assert rules == ["ApprovalPolicy/control/appointment", "ApprovalPolicy/control/grade"]


def test_another_e_mail_in_the_change_makes_nobody_an_approver(lone: User) -> None:
    raise_grade(lone)
    lone.write("Person", "bob-sun", {"department": "south", "contact": {"email": "fay-ma@example.org"}})
    id = lone.propose()

    lone.run("approve", id, *AT, as_="fay-ma")
    given = lone.run("review", id, *AT, "--format", "json").json["change"]["requirements"]

    assert not any("bob-sun" in one["given_by"] for one in given)


def test_rules_that_moved_meanwhile_make_a_change_outdated(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()
    git(lone.folder, "checkout", "--quiet", "--", ".")
    write_files(lone.folder, {"rules/approval/control.yaml": RULES + "# 备注\n"})
    commit_all(lone.folder, "rules moved")

    ran = lone.run("approve", id, *AT, as_="bob-sun")

    assert ran.code == 2 and "rules/approval/control.yaml" in ran.err
    assert lone.run("review", id, *AT).code == 0


def test_an_unreadable_policy_of_the_base_refuses_everything(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    user = User(
        git_repo(texts() | {"rules/approval/control.yaml": RULES.replace("[Customer]", "[Custumer]", 1)}), capsys
    )
    raise_grade(user)
    id = user.propose()

    user.run("approve", id, *AT, as_="bob-sun")
    ran = user.run("apply", id, *AT)

    assert ran.code == 2 and "who must approve cannot be read from the base" in ran.err


# --- what a change would break ---------------------------------------------------------------------------------------


def test_a_change_that_breaks_a_reference_is_shown_and_not_applied(lone: User) -> None:
    lone.write("Customer", "harbour-bank", {**SPEC, "customerGrade": "local_a", "headquartersSite": "nowhere"})
    id = lone.propose()

    review = lone.run("review", id, *AT)
    assert review.code == 1
    assert "unknown-reference" in review.out and "Findings that it adds: 1 error" in review.out

    assert lone.run("approve", id, *AT, as_="bob-sun").code == 0
    applied = lone.run("apply", id, *AT)
    assert applied.code == 2
    assert "unknown-reference" in applied.err and "would leave the store with errors" in applied.err


# --- json ------------------------------------------------------------------------------------------------------------


def test_json_says_everything_that_text_says(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()

    review = lone.run("review", id, *AT, "--format", "json", as_="bob-sun").json

    assert set(review) == {"change", "differences", "findings", "plan", "next"}
    assert review["plan"] == {"stale": False, "why_not": "", "effect": None}
    assert review["change"]["id"] == id and review["change"]["state"] == "open"
    assert review["change"]["author"] == {"name": "Ann Lee", "email": "ann-lee@example.org", "person": "ann-lee"}
    (requirement,) = review["change"]["requirements"]
    assert [one["person"] for one in requirement["candidates"]] == ["bob-sun"] and not requirement["satisfied"]
    assert requirement["candidates"][0]["path"][-1] == "bob-sun"
    (difference,) = review["differences"]
    assert difference["fields"] == [
        {"pointer": "/spec/customerGrade", "title": "Customer grade", "before": "local_b", "after": "local_a"}
    ]
    assert review["next"][0] == f"remit approve {id}"

    approved = lone.run("approve", id, *AT, "--format", "json").json
    assert approved["person"] == "bob-sun" and approved["change"]["state"] == "approved"
    applied = lone.run("apply", id, *AT, "--format", "json").json
    assert applied["already"] is False and applied["approvals"][0]["person"] == "bob-sun"
    entries = lone.run("log", "Customer/harbour-bank", "--format", "json").json["entries"]
    assert [entry["change"] for entry in entries] == [id, None]
    assert entries[0]["commit"] == applied["commit"]
    listed = lone.run("changes", "--all", "--format", "json", *AT).json["changes"]
    assert [(one["id"], one["state"]) for one in listed] == [(id, "applied")]


# --- diff and log ----------------------------------------------------------------------------------------------------


def test_diff_compares_the_working_tree_with_head(lone: User) -> None:
    assert lone.run("diff").out == "Nothing differs.\n"
    raise_grade(lone)

    ran = lone.run("diff")

    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"~ Customer/harbour-bank Harbour-Bank  (changed)  {BANK}",
        "    Customer grade  local_b → local_a",
    ]


def test_diff_compares_any_two_commits(lone: User) -> None:
    first = lone.tip()
    raise_grade(lone)
    commit_all(lone.folder, "raised")
    raise_grade(lone, "province")
    commit_all(lone.folder, "raised again")

    assert "local_b → local_a" in lone.run("diff", f"{first}..HEAD~1").out
    assert "local_b → province" in lone.run("diff", f"{first}..").out
    assert "local_b → province" in lone.run("diff", first).out
    assert "local_a → province" in lone.run("diff", "--ref", "HEAD").out
    assert "added" in lone.run("diff", "--ref", first).out
    assert lone.run("diff", f"{first}..HEAD", "--ref", "HEAD").code == 2
    assert lone.run("diff", "nothing..HEAD").code == 2


def test_diff_of_a_change_is_by_its_branch(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()

    found = lone.run("diff", f"main..change/{id}", "--format", "json").json

    assert [one["record"] for one in found["differences"]] == ["Customer/harbour-bank"]


def test_log_knows_the_whole_store_and_what_is_gone(lone: User) -> None:
    (lone.folder / BANK).unlink()
    commit_all(lone.folder, "gone")

    assert len(lone.run("log").out.splitlines()) == 3
    assert len(lone.run("log", "Customer/harbour-bank").out.splitlines()) == 3
    assert len(lone.run("log", "-n", "1").out.splitlines()) == 2
    assert lone.run("log", "Customer/never-was").code == 2


def test_commands_say_what_is_missing(lone: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing differs" in lone.run("propose", "-m", "x", *AT).err
    assert "there is no change" in lone.run("review", "c-1", *AT).err
    loose = tmp_path / "loose"
    write_files(loose, texts())
    user = User(loose, capsys)
    for words in (("propose", "-m", "x"), ("changes",), ("review", "c-1"), ("apply", "c-1"), ("log",)):
        ran = user.run(*words)
        assert ran.code == 2 and "git" in ran.err


def test_reviewing_writes_nothing(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()
    before = {p: p.read_bytes() for p in sorted(lone.folder.rglob("*")) if p.is_file() and ".git" not in p.parts}
    refs = git(lone.folder, "for-each-ref")

    for words in (("review", id, *AT), ("changes", *AT), ("log",), ("diff",)):
        assert lone.run(*words).code == 0

    after = {p: p.read_bytes() for p in sorted(lone.folder.rglob("*")) if p.is_file() and ".git" not in p.parts}
    assert after == before and git(lone.folder, "for-each-ref") == refs


# --- what is next -----------------------------------------------------------------------------------------------------


def test_next_names_files_as_the_store_does_also_where_it_is_a_folder_of_its_repository(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    top = git_repo({f"店/{path}": text for path, text in texts().items()})
    user = User(top / "店", capsys)
    raise_grade(user)
    id = user.propose()
    user.run("approve", id, *AT, as_="bob-sun")

    applied = user.run("apply", id, *AT)

    step = applied.err.strip().removeprefix("Next: remit ")
    assert applied.code == 0 and step == f"log {BANK}"
    assert f"Next: remit {step}\n" in user.run("review", id, *AT).out
    assert user.run(*step.split()).code == 0


def test_only_its_author_is_told_to_withdraw_a_change(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose()
    lone.run("reject", id, "-m", "不行", *AT, as_="bob-sun")

    assert "Next" not in lone.run("review", id, *AT, as_="bob-sun").out
    assert f"Next: remit withdraw {id}" in lone.run("review", id, *AT, as_="ann-lee").out


def test_a_change_that_waits_for_its_day_says_so_in_the_zone_of_the_store(lone: User) -> None:
    raise_grade(lone)
    day, now = "2027-01-01T00:00:00+08:00", ("--at", "2026-10-15T02:00:00Z")
    id = lone.run("propose", "-m", "一月起", "--effective", day, *now).out.split()[0]

    approved = lone.run("approve", id, *now, as_="bob-sun")
    early = lone.run("apply", id, *now)

    assert f"[ ] built-in/effective: not before {day}" in approved.out
    assert f"Next: remit apply {id}    ({day})" in approved.err
    assert early.code == 2 and f"waits for its day: not before {day}" in early.err


def test_what_a_clash_tells_to_do_ends_in_a_change(clones: Users) -> None:
    ann, bob = clones("ann-lee"), clones("bob-sun")
    raise_grade(ann)
    id = ann.propose()
    bob.run("approve", id, *AT)
    ann.run("apply", id, *AT)
    raise_grade(bob, "province")

    clash = bob.run("propose", "-m", "x", *AT)
    assert clash.code == 1 and "git pull --autostash, edit the file" in clash.err
    git(bob.folder, "pull", "--quiet", "--autostash")
    marked = bob.run("propose", "-m", "x", *AT)
    assert marked.code == 2 and f"{BANK}:" in marked.err and "holds the marks of a merge" in marked.err
    raise_grade(bob, "province")
    assert bob.run("propose", "-m", "x", *AT).code == 0


def test_an_origin_that_is_not_there_says_what_to_look_at(clones: Users) -> None:
    ann = clones("ann-lee")
    git(ann.folder, "remote", "set-url", "origin", str(ann.folder / "gone.git"))

    ran = ann.run("changes", *AT)

    assert ran.code == 2 and "could not be reached" in ran.err and "git remote get-url origin" in ran.err


def test_who_pushes_while_somebody_else_does_is_told_to_try_again(clones: Users, tmp_path: Path) -> None:
    ann, bob = clones("ann-lee"), clones("bob-sun")
    raise_grade(ann)
    id = ann.propose()
    bob.run("approve", id, *AT)
    lock = tmp_path / "origin.git" / "refs/heads/main.lock"
    lock.touch()

    busy = ann.run("apply", id, *AT)
    lock.unlink()

    assert busy.code == 2 and "somebody else is writing" in busy.err and "remove the file" not in busy.err
    assert ann.run("apply", id, *AT).code == 0


def test_a_title_that_does_not_end_leaves_the_tables_readable(lone: User) -> None:
    raise_grade(lone)
    id = lone.propose("长" * 300)
    lone.run("approve", id, *AT, as_="bob-sun")
    cut = "长" * 59 + "…"

    assert cut in lone.run("changes", *AT).out.splitlines()[1].split()
    assert "长" * 300 in "".join(lone.run("review", id, *AT).out.split())
    lone.run("apply", id, *AT)
    assert lone.run("log", BANK).out.splitlines()[1].split()[-1] == cut


def test_who_proposes_errors_is_told_and_may(lone: User) -> None:
    lone.write("Customer", "harbour-bank", {**SPEC, "customerGrade": "gold"})

    ran = lone.run("propose", "-m", "Gold", *AT, as_="ann-lee")

    assert ran.code == 0 and "The change brings 1 error; it cannot be applied" in ran.err
    assert f"{BANK}:" in ran.err and "not-in-enum" in ran.err
    (id,) = (row["id"] for row in lone.run("changes", "--format", "json", *AT).json["changes"])
    assert id in ran.out


def test_who_proposes_nothing_wrong_is_told_nothing_of_it(lone: User) -> None:
    raise_grade(lone)

    ran = lone.run("propose", "-m", "A", *AT, "--format", "json", as_="ann-lee")

    assert ran.json["errors"] == [] and ran.err == ""
