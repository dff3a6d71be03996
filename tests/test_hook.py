"""What an origin lets in: the post box by rule, and real pushes through real hooks."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import approval_store
import pytest
from conftest import AT, git, write_files
from guarded import BANK, MAIN, NOW, PENS, ZERO, Guarded, who
from test_outputs import problems

from remit import guarding
from remit.changes import Change
from remit.changing.applying import NotApplicable, apply
from remit.changing.proposing import propose_files
from remit.changing.reviewing import approve, reject, withdraw
from remit.changing.targets import CHANGES, REVIEWS, WITHDRAWN
from remit.errors import Refused
from remit.git import Repository
from remit.guarding import LARGEST_COMMIT, Move, read_moves
from remit.judging import PolicyJudge
from remit.main import main
from remit.origins import SETTINGS, drift, init
from remit.store import Store

SOON = AT + timedelta(minutes=5)
LATER = AT + timedelta(minutes=10)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, home: None) -> Guarded:
    return Guarded.build(tmp_path_factory.mktemp("template"))


@pytest.fixture
def guarded(template: Guarded, tmp_path: Path) -> Guarded:
    return template.copy(tmp_path)


@pytest.fixture
def posted(guarded: Guarded) -> tuple[Guarded, Change, str]:
    """An origin that has a change by Ann, the change, and Bob's approval as his own repository has it."""
    change = guarded.approved()
    guarded.land((None, change.head, CHANGES + change.id))
    return guarded, change, guarded.ref(f"{REVIEWS}{change.id}/bob-sun")


def test_the_lines_of_a_hook_keep_every_name_as_it_is() -> None:
    text = f"{ZERO} {'a' * 40} refs/heads/ma in\n{'a' * 40} {ZERO} refs/heads/\xff\n".encode("latin-1")

    assert read_moves(text) == [
        Move(None, "a" * 40, "refs/heads/ma in"),
        Move("a" * 40, None, "refs/heads/\udcff"),
    ]


# -- changes -----------------------------------------------------------------------------------------------------------


def test_a_change_is_taken_and_goes_on_but_is_not_replaced(guarded: Guarded) -> None:
    change, other = guarded.propose(), guarded.propose("eve-li", title="Another")
    ref = CHANGES + change.id

    assert guarded.push((None, change.head, ref)) == []
    guarded.land((None, change.head, ref))
    assert guarded.push((change.head, other.head, ref)) == ["R2"]
    assert guarded.push((None, other.head, ref)) == ["R15"]
    assert guarded.push((change.head, None, ref)) == ["R12"]


def test_a_change_stands_on_a_branch_of_its_own_id(guarded: Guarded) -> None:
    change = guarded.propose()

    assert guarded.push((None, change.head, f"{CHANGES}c-20261015-000000")) == ["R4"]


def test_a_change_is_signed_by_its_proposer_over_exactly_what_it_holds(guarded: Guarded) -> None:
    change = guarded.propose()
    repository = guarded.store.in_git()
    words = repository.commit(change.head).message
    other = repository.commit_with(change.tree, guarded.bank(customerGrade="province"))
    unsigned = repository.commit_tree(other, [guarded.tip], words, who("ann-lee"), who("ann-lee"), AT)

    assert guarded.push((None, unsigned, CHANGES + change.id)) == ["R7"]


def test_a_change_holds_plain_files_of_the_store(guarded: Guarded) -> None:
    change = guarded.propose(files={**guarded.bank(customerGrade="group"), "records/customers/.hidden.yaml": b"x: 1\n"})

    assert guarded.push((None, change.head, CHANGES + change.id)) == ["R17"]


def test_a_change_of_another_history_is_refused(guarded: Guarded) -> None:
    change = guarded.propose()
    repository = guarded.store.in_git()
    orphan = repository.commit_tree(change.tree, [], repository.commit(change.head).message, *[who("ann-lee")] * 2, AT)

    assert guarded.push((None, orphan, CHANGES + change.id)) == ["R2"]


def test_what_is_no_commit_or_too_large_or_too_many_is_refused(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = guarded.propose()
    blob = guarded.ref(f"main:{BANK}")
    git(guarded.member, "-c", "user.name=x", "-c", "user.email=x@x", "tag", "-a", "-m", "x", "tagged", change.head)
    long = guarded.commit(change, (), message="long\n\n" + "a" * LARGEST_COMMIT)
    second = guarded.commit(change, (), parent=change.head, message="second\n")

    assert guarded.push((guarded.tip, blob, MAIN)) == ["R11"]
    assert guarded.push((guarded.tip, guarded.ref("refs/tags/tagged"), MAIN)) == ["R16"]
    assert guarded.push((guarded.tip, long, MAIN)) == ["R16"]
    assert guarded.push((guarded.tip, guarded.commit(change, (), parent=long, message="x\n"), MAIN)) == ["R11"]
    monkeypatch.setattr(guarding, "MOST_COMMITS", 1)
    assert guarded.push((None, second, CHANGES + change.id)) == ["R11"]


def test_where_nobody_has_a_key_the_same_way_is_open_without_signatures(tmp_path: Path) -> None:
    guarded = Guarded.build(tmp_path, approval_store.texts())
    change = guarded.approved()
    review = f"{REVIEWS}{change.id}/bob-sun"
    applied, other = guarded.apply("hal-xu", change).commit, guarded.propose("eve-li", title="Another")
    branch = (None, change.head, CHANGES + change.id)

    assert guarded.push(branch, (None, guarded.ref(review), review)) == []
    assert guarded.push((guarded.tip, applied, MAIN)) == []
    assert guarded.push((guarded.tip, guarded.commit(change, ()), MAIN)) == ["approval"]
    guarded.land(branch)
    assert guarded.push((None, other.head, WITHDRAWN + change.id)) == ["R12"]
    assert guarded.push((None, change.head, WITHDRAWN + change.id), (change.head, None, CHANGES + change.id)) == []


# -- what people say ---------------------------------------------------------------------------------------------------


def test_an_approval_is_taken_with_its_change_or_after_it(guarded: Guarded) -> None:
    change = guarded.approved()
    said = guarded.ref(f"{REVIEWS}{change.id}/bob-sun")
    review = (None, said, f"{REVIEWS}{change.id}/bob-sun")

    assert guarded.push(review) == ["R1"]
    assert guarded.push((None, change.head, CHANGES + change.id), review) == []


def test_an_approval_stands_under_the_name_of_its_person(posted: tuple[Guarded, Change, str]) -> None:
    guarded, change, said = posted

    assert guarded.push((None, said, f"{REVIEWS}{change.id}/dan-wu")) == ["R14"]
    assert guarded.push((None, said, f"{REVIEWS}c-1/bob-sun")) == ["R14"]


@pytest.mark.parametrize(
    ("pen", "at", "more", "rule"),
    [
        ("nobody", SOON, b"", "R7"),
        ("stranger", SOON, b"", "R7"),
        ("dan-wu", SOON, b"", "R7"),
        ("bob-sun", NOW + timedelta(hours=1), b"", "R7"),
        ("bob-sun", SOON, b"more", "R17"),
    ],
)
def test_an_approval_is_its_persons_own_and_nothing_else(
    posted: tuple[Guarded, Change, str], pen: str, at: datetime, more: bytes, rule: str
) -> None:
    guarded, change, _ = posted
    said = guarded.post(guarded.say(change, "bob-sun", pen=pen, at=at), by="bob-sun", more=more)

    assert guarded.push((None, said, f"{REVIEWS}{change.id}/bob-sun")) == [rule]


def test_what_was_said_is_followed_only_by_what_the_same_person_says_later(posted: tuple[Guarded, Change, str]) -> None:
    guarded, change, first = posted
    ref = f"{REVIEWS}{change.id}/bob-sun"
    rejection = guarded.post(guarded.say(change, "bob-sun", "reject", at=LATER), by="bob-sun", after=first)
    guarded.land((None, rejection, ref))
    old_again = guarded.post(guarded.say(change, "bob-sun", at=SOON), by="fay-ma", after=rejection)
    yes_again = guarded.post(guarded.say(change, "bob-sun", at=LATER + timedelta(minutes=1)), by="x", after=rejection)

    assert guarded.push((rejection, old_again, ref)) == ["R12"]
    assert guarded.push((rejection, first, ref)) == ["R12"]
    assert guarded.push((None, first, ref)) == ["R15"]
    assert guarded.push((rejection, None, ref)) == ["R12"]
    assert guarded.push((rejection, yes_again, ref)) == []


def test_a_rejection_or_withdrawal_that_is_posted_beats_every_approval(posted: tuple[Guarded, Change, str]) -> None:
    guarded, change, _ = posted
    good = guarded.apply("hal-xu", change).commit
    no = guarded.post(guarded.say(change, "eve-li", "reject", at=LATER, reason="too early"), by="eve-li")
    away = guarded.post(guarded.say(change, "ann-lee", "withdraw", at=LATER), by="ann-lee", after=change.head)

    assert guarded.push((guarded.tip, good, MAIN)) == []
    assert guarded.push((guarded.tip, good, MAIN), (None, no, f"{REVIEWS}{change.id}/eve-li")) == ["R12"]
    assert guarded.push((guarded.tip, good, MAIN), (None, away, WITHDRAWN + change.id)) == ["R12"]
    guarded.land((None, no, f"{REVIEWS}{change.id}/eve-li"))
    (refusal,) = guarded.refusals((guarded.tip, good, MAIN))
    assert refusal.rule == "R12" and "too early" in refusal.hint


def test_who_wrote_on_the_branch_of_a_change_does_not_approve_of_it(guarded: Guarded) -> None:
    change = guarded.propose()
    repository = guarded.store.in_git()
    bob = repository.commit_tree(change.tree, [guarded.tip], "by Bob\n", who("bob-sun"), who("bob-sun"), AT)
    words = repository.commit(change.head).message
    head = repository.commit_tree(change.tree, [bob], words, who("ann-lee"), who("ann-lee"), AT)
    assert change.proposed is not None
    applied = guarded.commit(change, [change.proposed, guarded.say(change, "bob-sun")])

    assert guarded.push((None, head, CHANGES + change.id)) == []
    guarded.land((None, head, CHANGES + change.id))
    assert guarded.push((guarded.tip, applied, MAIN)) == ["R9"]


# -- withdrawing -------------------------------------------------------------------------------------------------------


def test_only_its_proposer_withdraws_a_change_and_once_for_all(posted: tuple[Guarded, Change, str]) -> None:
    guarded, change, _ = posted
    ref, branch = WITHDRAWN + change.id, CHANGES + change.id
    mine = guarded.post(guarded.say(change, "ann-lee", "withdraw", at=LATER), by="ann-lee", after=change.head)
    theirs = guarded.post(guarded.say(change, "bob-sun", "withdraw", at=LATER), by="bob-sun", after=change.head)
    forged = guarded.post(guarded.say(change, "ann-lee", "withdraw", pen="bob-sun"), by="ann-lee", after=change.head)
    approval = guarded.post(guarded.say(change, "ann-lee", at=LATER), by="ann-lee", after=change.head)

    assert guarded.push((None, theirs, ref)) == ["R12"]
    assert guarded.push((None, forged, ref)) == ["R12"]
    assert guarded.push((None, approval, ref)) == ["R12"]
    assert guarded.push((None, change.head, ref)) == ["R12"]
    assert guarded.push((None, mine, ref), (change.head, None, branch)) == []
    guarded.land((None, mine, ref))
    git(guarded.origin, "-c", "core.hooksPath=/dev/null", "update-ref", "-d", branch)
    assert guarded.push((mine, None, ref)) == ["R12"]
    assert guarded.push((None, change.head, branch)) == ["R12"]


def test_a_change_that_is_applied_may_be_removed_and_not_withdrawn(posted: tuple[Guarded, Change, str]) -> None:
    guarded, change, _ = posted
    good = guarded.apply("hal-xu", change).commit
    away = guarded.post(guarded.say(change, "ann-lee", "withdraw", at=LATER), by="ann-lee", after=change.head)

    assert guarded.push((guarded.tip, good, MAIN), (change.head, None, CHANGES + change.id)) == []
    guarded.land((None, good, MAIN))
    assert guarded.push((change.head, None, CHANGES + change.id)) == []
    assert guarded.push((None, away, WITHDRAWN + change.id)) == ["R4"]


# -- real pushes -------------------------------------------------------------------------------------------------------


class Clones:
    """An origin made today, and clones of its members."""

    def __init__(self, folder: Path) -> None:
        self.guarded = Guarded.build(folder, at=datetime(2020, 1, 1, tzinfo=UTC))
        self.origin, self.folder = self.guarded.origin, folder

    def clone(self, name: str) -> Store:
        folder = self.folder / name
        if not folder.exists():
            git(self.folder, "clone", "--quiet", str(self.origin), name)
            git(folder, "config", "user.name", who(name).name)
            git(folder, "config", "user.email", who(name).email)
        return Store.open(folder)

    def push(self, store: Store, *args: str, **env: str) -> tuple[int, str]:
        command = ["git", "push", *args]
        done = subprocess.run(command, cwd=store.root, env={**os.environ, **env}, capture_output=True, check=False)
        return done.returncode, done.stderr.decode()

    @property
    def tip(self) -> str:
        return git(self.origin, "rev-parse", MAIN)


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory, home: None) -> Clones:
    return Clones(tmp_path_factory.mktemp("clones"))


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_a_change_goes_its_whole_way_through_a_guarded_origin(clones: Clones) -> None:
    ann, bob, hal = (clones.clone(name) for name in ("ann-lee", "bob-sun", "hal-xu"))
    judge, files = PolicyJudge(now()), clones.guarded.bank(customerGrade="group")

    change = propose_files(ann, files, "提高等级", at=now(), sign=PENS["ann-lee"].sign)
    with pytest.raises(NotApplicable):
        apply(hal, change.id, at=now(), judge=judge, check=lambda files: ())
    approve(bob, change.id, at=now(), sign=PENS["bob-sun"].sign)
    applied = apply(hal, change.id, at=now(), judge=judge, check=lambda files: ())
    gone = propose_files(
        ann, clones.guarded.bank(customerGrade="province"), "Gone", at=now(), sign=PENS["ann-lee"].sign
    )
    withdraw(ann, gone.id, at=now(), sign=PENS["ann-lee"].sign)
    refused = propose_files(
        ann, clones.guarded.bank(customerGrade="local_c"), "No", at=now(), sign=PENS["ann-lee"].sign
    )
    reject(bob, refused.id, "no", at=now(), sign=PENS["bob-sun"].sign)

    assert clones.tip == applied.commit
    assert git(clones.origin, "for-each-ref", "--format=%(refname)", WITHDRAWN) == WITHDRAWN + gone.id
    assert main(["--store", str(clones.origin), "audit"]) == 0
    git(clones.origin, "pack-refs", "--all")
    assert clones.tip == applied.commit


def direct(clones: Clones) -> tuple[Store, str, str]:
    """A clone with a commit on main that nobody approved, that commit, and where the origin is."""
    eve = clones.clone("eve-li")
    git(eve.root, "fetch", "--quiet")
    git(eve.root, "reset", "--quiet", "--hard", "origin/main")
    write_files(eve.root, {BANK: (eve.root / BANK).read_text(encoding="utf-8") + "# \x1b[2J more\n"})
    git(eve.root, "commit", "--quiet", "-am", "direct \x1b[31m", at=now())
    return eve, git(eve.root, "rev-parse", "HEAD"), clones.tip


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": "/dev/null"},
        {"GIT_CONFIG_PARAMETERS": "'core.hooksPath=/dev/null'"},
        {"GIT_CONFIG_GLOBAL": "{evil}/gitconfig"},
        {"PYTHONPATH": "{evil}", "PYTHONSTARTUP": "{evil}/remit/__init__.py"},
    ],
    ids=["plain", "settings counted", "settings given on", "settings of the pusher", "another program in the way"],
)
def test_a_push_of_what_nobody_approved_is_refused_and_leaves_nothing(
    clones: Clones, tmp_path: Path, env: dict[str, str]
) -> None:
    write_files(tmp_path, {"remit/__init__.py": "raise SystemExit(0)\n", "click.py": "raise SystemExit(0)\n"})
    write_files(tmp_path, {"gitconfig": "[core]\n\thooksPath = /dev/null\n"})
    eve, sha, tip = direct(clones)

    status, said = clones.push(
        eve, "origin", "main", **{key: value.format(evil=tmp_path) for key, value in env.items()}
    )

    assert status != 0 and clones.tip == tip
    assert "rule R2: " in said and sha[:12] in said and "remit propose" in said and "\x1b" not in said
    assert len([line for line in said.splitlines() if line.startswith("remote:")]) < 12
    assert not Repository(clones.origin).exists(sha)


def test_a_forged_name_reaches_the_pusher_without_its_escapes(clones: Clones) -> None:
    eve, _, _ = direct(clones)

    status, said = clones.push(eve, "origin", "HEAD:refs/heads/\u202eevil\u202c")
    words = "".join(line for line in said.splitlines() if line.startswith("remote:"))

    assert status != 0 and "rule R14" in words and "\u202e" not in words and "\\u202e" in words


def test_other_ways_to_move_the_branch_are_refused_by_the_second_hook(clones: Clones) -> None:
    eve, sha, tip = direct(clones)
    git(clones.origin, "fetch", "--quiet", str(eve.root), "HEAD:refs/remit/trial")

    for command in (
        ["update-ref", MAIN, sha],
        ["update-ref", "-d", MAIN],
        ["fetch", str(eve.root), f"HEAD:{MAIN}"],
        ["branch", "--force", "main", sha],
    ):
        done = subprocess.run(["git", *command], cwd=clones.origin, capture_output=True, check=False)
        assert done.returncode != 0, command
        assert clones.tip == tip
    git(clones.origin, "update-ref", "-d", "refs/remit/trial")


def test_what_gets_in_behind_the_hooks_is_found_by_the_audit(
    clones: Clones, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    eve, sha, _ = direct(clones)
    copy = tmp_path / "origin.git"
    git(tmp_path, "clone", "--quiet", "--mirror", str(clones.origin), str(copy))
    git(copy, "remote", "remove", "origin")
    assert main(["hook", "install", str(copy)]) == 0

    clones.push(eve, "--receive-pack", "git -c core.hooksPath=/dev/null receive-pack", str(copy), "main")

    assert git(copy, "rev-parse", MAIN) == sha
    capsys.readouterr()
    assert main(["--store", str(copy), "audit"]) == 1
    assert f"{sha[:12]}  it carries no change" in capsys.readouterr().out


# -- the origin itself -------------------------------------------------------------------------------------------------


def test_a_new_origin_has_drifted_nowhere(guarded: Guarded) -> None:
    assert drift(Repository(guarded.origin)) == []


DRIFTS = {
    "config receive.fsckobjects": lambda origin: git(origin, "config", "receive.fsckObjects", "false"),
    "config core.hookspath": lambda origin: git(origin, "config", "--unset", "core.hooksPath"),
    "config receive.procreceiverefs": lambda origin: git(origin, "config", "receive.procReceiveRefs", "refs/heads"),
    "config include.path": lambda origin: git(origin, "config", "include.path", "/tmp/more"),
    "config gc.auto": lambda origin: git(origin, "config", "--add", "gc.auto", "1"),
    "hooks/pre-receive": lambda origin: (origin / "hooks/pre-receive").chmod(0o644),
    "hooks/reference-transaction": lambda origin: (origin / "hooks/reference-transaction").unlink(),
    "objects": lambda origin: (origin / "objects").chmod(0o777),
    "HEAD": lambda origin: git(origin, "symbolic-ref", "HEAD", "refs/heads/other"),
}


@pytest.mark.parametrize("place", DRIFTS)
def test_what_drifted_is_named(guarded: Guarded, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    DRIFTS[place](guarded.origin)

    assert main(["origin", "check", str(guarded.origin)]) == 1
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{place}: ")]


def test_what_drifted_is_the_same_as_json(guarded: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    git(guarded.origin, "config", "gc.auto", "1")

    assert main(["origin", "check", str(guarded.origin), "--format", "json"]) == 1
    body = json.loads(capsys.readouterr().out)

    assert problems("origin", body) == [] and [one["place"] for one in body["drift"]] == ["config gc.auto"]


def test_a_changed_hook_is_named_and_installed_again(guarded: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    hook = guarded.origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 0\n")

    assert main(["origin", "check", str(guarded.origin)]) == 1
    assert main(["hook", "install", str(guarded.origin)]) == 0
    assert main(["origin", "check", str(guarded.origin)]) == 0
    assert os.access(hook, os.X_OK) and "1 thing drifted" in capsys.readouterr().out


def test_what_is_said_about_a_setting_that_drifted_puts_it_right_from_anywhere(
    guarded: Guarded, tmp_path: Path
) -> None:
    for words in (["receive.denyDeletes", "false"], ["--add", next(iter(SETTINGS)), "more"]):
        git(guarded.origin, "config", *words)
    found = drift(Repository(guarded.origin))

    for one in found:
        git(tmp_path, *one.hint.split()[1:])

    assert len(found) == 2 and drift(Repository(guarded.origin)) == []


def test_an_origin_is_made_of_a_whole_repository_in_an_empty_folder(guarded: Guarded, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is not empty"):
        init(guarded.store, guarded.origin)
    assert main(["--store", str(guarded.origin), "origin", "init", str(tmp_path / "new.git")]) == 0
    made = Repository(tmp_path / "new.git")
    assert made.ref(MAIN) == guarded.tip and git(made.git_dir, "for-each-ref", "--format=%(refname)") == MAIN
    assert {key: made.own_config()[key] for key in SETTINGS} == {key: [value] for key, value in SETTINGS.items()}


def test_an_origin_made_of_a_clone_begins_with_what_its_own_origin_had(guarded: Guarded, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(guarded.origin), "clone")
    write_files(tmp_path / "clone", {"remit.yaml": "name: mine\n"})
    git(tmp_path / "clone", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "-am", "mine")

    assert main(["origin", "init", str(tmp_path / "new.git"), "--from", str(tmp_path / "clone")]) == 0

    assert git(tmp_path / "new.git", "for-each-ref", "--format=%(objectname) %(refname)") == f"{guarded.tip} {MAIN}"
    assert main(["origin", "check", str(tmp_path / "new.git")]) == 0


def test_a_store_that_is_a_part_of_its_repository_gets_no_origin(guarded: Guarded, tmp_path: Path) -> None:
    write_files(tmp_path / "whole", {"part/remit.yaml": "name: part\n"})
    git(tmp_path / "whole", "init", "--quiet", "--initial-branch=main")

    with pytest.raises(Refused, match="is the folder part/ of its repository"):
        init(Store.open(tmp_path / "whole/part"), tmp_path / "new.git")


def test_a_hook_that_fails_refuses(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"nonsense\n")))

    assert main(["--store", str(guarded.origin), "hook", "pre-receive"]) == 1
    assert "rule R11: it cannot be judged" in capsys.readouterr().err


def test_only_the_protected_branch_makes_the_hook_load_what_judges_it(posted: tuple[Guarded, Change, str]) -> None:
    guarded, change, said = posted
    applied = guarded.apply("hal-xu", change).commit
    script = "import sys; from remit.main import main; print(main(sys.argv[1:]), 'remit.judging' in sys.modules)"
    command = [sys.executable, "-c", script, "--store", ".", "hook", "pre-receive", "--at", NOW.isoformat()]
    variables = {
        "GIT_OBJECT_DIRECTORY": str(guarded.member / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(guarded.origin / "objects"),
    }
    answers = []
    for ref, new in ((f"{REVIEWS}{change.id}/bob-sun", said), (MAIN, applied)):
        old = git(guarded.origin, "for-each-ref", "--format=%(objectname)", ref) or ZERO
        done = subprocess.run(
            command, cwd=guarded.origin, input=f"{old} {new} {ref}\n", env={**os.environ, **variables},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        answers.append(done.stdout.strip())

    assert answers == ["0 False", "0 True"]
