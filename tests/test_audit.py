"""The audit of a history: what it proves, what it finds, what it keeps, and what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import timedelta
from functools import partial
from pathlib import Path

import approval_store
import pytest
from conftest import AT, git
from guarded import BANK, MAIN, NOW, PENS, Guarded, texts
from test_outputs import problems

from remit.auditing import VERIFIED, Audit, Shown, audit, traces
from remit.changes import Change
from remit.errors import GitError, Refused, UserError
from remit.judging import law_of
from remit.main import main
from remit.sentences import say, spoken
from remit.store import Store

AFTER = "2026-10-15T12:00:00Z"
KNOWN = f"{VERIFIED}main"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, home: None) -> tuple[Guarded, Change]:
    """An origin with one applied change."""
    guarded = Guarded.build(tmp_path_factory.mktemp("template"))
    change = guarded.approved()
    guarded.land((None, guarded.apply("hal-xu", change).commit, MAIN))
    guarded.land((None, change.head, f"refs/heads/change/{change.id}"))
    return guarded, change


@pytest.fixture
def guarded(template: tuple[Guarded, Change], tmp_path: Path) -> Guarded:
    return template[0].copy(tmp_path)


def audited(guarded: Guarded, **how: str) -> Audit:
    store = guarded.store
    return audit(store, partial(law_of, store, checked=False), now=NOW, **how)


def added(guarded: Guarded, message: str = "by hand\n", **how: str) -> str:
    """A commit on the member's branch that nobody approved."""
    repository = guarded.store.in_git()
    tip = guarded.ref(MAIN)
    tree = repository.commit_with(repository.tree_of(tip), guarded.bank(customerGrade=how.get("grade", "local_c")))
    identity = repository.identity()
    assert identity is not None
    sha = repository.commit_tree(tree, [tip], message, identity, identity, NOW)
    git(guarded.member, "update-ref", MAIN, sha)
    return sha


def test_a_history_that_holds_is_kept_as_verified_and_moves_on(guarded: Guarded) -> None:
    guarded.be("ann-lee")
    root, tip = guarded.root, guarded.ref(MAIN)

    first = audited(guarded)
    again = audited(guarded, within=tip)

    assert (first.start, first.tip, first.proved, first.troubles, first.verified) == (root, tip, 1, (), True)
    assert (again.proved, again.verified) == (0, True)
    assert guarded.ref(KNOWN) == tip


def test_what_does_not_hold_leaves_the_verified_tip_where_it_is(guarded: Guarded) -> None:
    guarded.be("ann-lee")
    tip = audited(guarded).tip
    bad = added(guarded)

    found = audited(guarded)

    assert [(one.commit, one.cause, one.rule) for one in found.troubles] == [(bad, "unapproved", "R2")]
    assert not found.verified and guarded.ref(KNOWN) == tip and found.proved == 2


def test_a_part_of_the_history_is_proved_and_not_kept(guarded: Guarded) -> None:
    guarded.be("ann-lee")
    middle, bad = guarded.ref(MAIN), added(guarded)

    assert audited(guarded, within=f"{guarded.root}..{middle}").proved == 1
    assert [one.commit for one in audited(guarded, within=middle).troubles] == [bad]
    assert git(guarded.member, "for-each-ref", KNOWN) == ""


def test_a_history_that_was_rewritten_is_found_against_what_was_verified(guarded: Guarded) -> None:
    guarded.be("ann-lee")
    before = audited(guarded).tip
    git(guarded.member, "update-ref", MAIN, guarded.root)

    found = audited(guarded)

    (trouble,) = found.troubles
    assert trouble.cause == "rewritten" and before[:12] in trouble.message and guarded.ref(KNOWN) == before


def test_a_history_of_another_root_is_found_against_the_pinned_one(guarded: Guarded) -> None:
    guarded.be("ann-lee")
    root, repository = guarded.root, guarded.store.in_git()
    git(guarded.member, "config", "remit.root", root)
    identity = repository.identity()
    assert identity is not None
    other = repository.commit_tree(repository.tree_of(root), [], "another root\n", identity, identity, AT)
    git(guarded.member, "update-ref", MAIN, other)

    assert {(one.cause, one.rule) for one in audited(guarded).troubles} >= {("rewritten", "R23")}


def test_a_later_commit_cannot_lead_the_audit_to_another_branch(guarded: Guarded) -> None:
    guarded.be("ann-lee")
    repository, tip = guarded.store.in_git(), guarded.ref(MAIN)
    settings = b"name: small\ntimezone: Asia/Shanghai\nlanguage: en\nprotected: other\n"
    tree = repository.commit_with(repository.tree_of(tip), {"remit.yaml": settings})
    identity = repository.identity()
    assert identity is not None
    bad = repository.commit_tree(tree, [tip], "lead away\n", identity, identity, NOW)
    git(guarded.member, "update-ref", "refs/heads/other", tip)
    git(guarded.member, "update-ref", MAIN, bad)

    found = audited(guarded)

    assert (found.branch, [one.commit for one in found.troubles]) == ("main", [bad])


def test_a_clone_audits_the_origin_as_last_seen_and_itself_until_it_has_seen_it(
    guarded: Guarded, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", str(guarded.origin), "clone")
    clone = tmp_path / "clone"
    git(clone, "config", "user.name", "Ann Lee")
    git(clone, "config", "user.email", "ann-lee@example.org")
    git(clone, "commit", "--quiet", "--allow-empty", "-m", "mine", at=NOW)
    store = Store.open(clone)

    seen = audit(store, partial(law_of, store, checked=False), now=NOW)
    git(clone, "remote", "set-head", "origin", "--delete")
    git(clone, "update-ref", "-d", "refs/remotes/origin/main")
    own = audit(store, partial(law_of, store, checked=False), now=NOW)

    assert (seen.tip, seen.troubles) == (guarded.tip, ())
    assert [(one.commit, one.rule) for one in own.troubles] == [(git(clone, "rev-parse", "main"), "R2")]


def test_a_date_that_is_still_to_come_is_found(guarded: Guarded) -> None:
    found = audit(guarded.store, partial(law_of, guarded.store, checked=False), now=AT - timedelta(days=30))

    assert {(one.cause, one.rule) for one in found.troubles} == {("date", "R10")}


def test_a_key_that_was_revoked_later_takes_nothing_back(guarded: Guarded) -> None:
    tip = guarded.ref(MAIN)
    path = "records/people/bob-sun.yaml"
    text = git(guarded.member, "show", f"{tip}:{path}").encode() + b"\n"
    assert text.count(PENS["bob-sun"].public.line.encode()) == 1
    line = PENS["bob-sun"].public.line.encode()
    revoked = text.replace(line, line + b"\n      revoked: lost")
    change = guarded.propose("ann-lee", {path: revoked}, title="Bob lost his key", at=NOW)
    said = [change.proposed, guarded.say(change, "dan-wu", at=NOW)]
    new = guarded.commit(change, [one for one in said if one], at=NOW, parent=tip)
    git(guarded.member, "update-ref", MAIN, new)

    found = audited(guarded)

    assert found.troubles == () and found.proved == 2
    assert [one.verdict for one in traces(guarded.store, PENS["bob-sun"].public.fingerprint)] == ["approve"]


@pytest.mark.parametrize("damage", ["lost", "changed", "empty"])
def test_a_damaged_object_is_named(guarded: Guarded, damage: str) -> None:
    git(guarded.member, "repack", "-adq")
    (guarded.member / "objects/info/alternates").unlink()
    for pack in (guarded.member / "objects/pack").glob("*.pack"):
        data = pack.read_bytes()
        pack.unlink()
        pack.with_suffix(".idx").unlink()
        for rest in pack.parent.glob(f"{pack.stem}.*"):
            rest.unlink()
        _unpack(guarded.member, data)
    oid = git(guarded.member, "rev-parse", f"main:{BANK}")
    file = guarded.member / "objects" / oid[:2] / oid[2:]
    file.chmod(0o644)
    if damage == "lost":
        file.unlink()
    elif damage == "empty":
        file.write_bytes(b"")
    else:
        other = git(guarded.member, "rev-parse", "main:remit.yaml")
        file.write_bytes((guarded.member / "objects" / other[:2] / other[2:]).read_bytes())

    found = audited(guarded)

    assert found.troubles[0].cause == "damaged" and any(oid in one.message for one in found.troubles)
    assert not found.verified


def _unpack(folder: Path, pack: bytes) -> None:
    subprocess.run(["git", "unpack-objects", "-q"], cwd=folder, input=pack, check=True)


def test_what_a_key_touched_is_listed_in_history_and_in_the_post(
    guarded: Guarded, template: tuple[Guarded, Change]
) -> None:
    fingerprint = PENS["ann-lee"].public.fingerprint
    tip = guarded.ref(MAIN)

    found = traces(guarded.store, fingerprint)

    assert [(one.commit, one.verdict, one.place) for one in found] == [
        (tip, "propose", "main"),
        (template[1].head, "propose", f"refs/heads/change/{template[1].id}"),
    ]
    assert [one.place for one in traces(guarded.store, fingerprint, tip)] == [found[1].place]
    assert traces(guarded.store, PENS["stranger"].public.fingerprint) == ()


@pytest.mark.parametrize("within", ["nowhere", "a..b", "main...main", "--output=x"])
def test_a_range_that_names_nothing_is_an_error(guarded: Guarded, within: str) -> None:
    with pytest.raises(UserError):
        audited(guarded, within=within)


def test_a_range_of_which_the_end_comes_first_is_no_proof(guarded: Guarded) -> None:
    with pytest.raises(UserError, match="does not come after"):
        audited(guarded, within="main..main~1")
    assert audited(guarded, within="main..main").proved == 0


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_says_what_it_found_by_cause_and_leaves_nothing_out_of_json(
    guarded: Guarded, capsys: pytest.CaptureFixture[str]
) -> None:
    guarded.be("ann-lee")
    one, other = added(guarded), added(guarded, "again \x1b[31m\n", grade="province")
    command = ["--store", str(guarded.member), "audit", "--at", AFTER]

    assert main(command) == 1
    text = capsys.readouterr().out
    assert main([*command, "--format", "json"]) == 1
    body = json.loads(capsys.readouterr().out)

    assert f"{say('audit.cause-unapproved')} (2)\n  {one[:12]}  it carries no change" in text and other[:12] in text
    assert text.rstrip().endswith("2 things found") and "3 commits of main proved" in text
    assert problems("audit", body) == [] and [row["commit"] for row in body["troubles"]] == [one, other]


EMERGENCY = "  emergency: {approvers: [{role: owner, of: record.unit}], reviewWithin: 3d}\n"
"""The owner of the bank's unit is Bob."""


def test_the_review_that_an_emergency_owes_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guarded = Guarded.build(tmp_path, {**texts(), "rules/approval/control.yaml": approval_store.RULES + EMERGENCY})
    change = guarded.propose("eve-li", at=NOW)
    assert change.proposed is not None
    why = "the line is down"
    acts = [guarded.say(change, name, "emergency", at=NOW, reason=why) for name in ("bob-sun", "fay-ma")]
    good, bad = (guarded.commit(change, [change.proposed, act], by="eve-li") for act in acts)
    command = ["--store", str(guarded.member), "audit", "--at", AFTER]

    assert guarded.push((guarded.tip, good, MAIN)) == [] and guarded.push((guarded.tip, bad, MAIN)) == ["approval"]
    git(guarded.member, "update-ref", MAIN, good)
    assert main(command) == 1
    text = capsys.readouterr().out
    assert main([*command, "--format", "json"]) == 1
    body = json.loads(capsys.readouterr().out)

    assert f"nobody has looked at since (1)\n  {good[:12]}  {change.id}  remit review {change.id}" in text
    assert problems("audit", body) == [] and body["owed"] == [{"commit": good, "change": change.id}]
    assert body["troubles"] == [] and body["verified"]


def test_many_troubles_are_cut_to_a_screen_and_counted(guarded: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    guarded.be("ann-lee")
    grades = ("province", "local_a", "local_c")
    for number in range(12):
        added(guarded, f"by hand {number}\n", grade=grades[number % 3])

    assert main(["--store", str(guarded.member), "audit", "--at", AFTER]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{say('audit.cause-unapproved')} (12)" and len(lines) == 14
    assert lines[-2] == "  and 2 commits more; --format json lists them" and lines[-1].endswith("12 things found")


def test_the_command_lists_a_suspect_key(guarded: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--store", str(guarded.member), "audit", "--suspect", PENS["bob-sun"].public.fingerprint]

    assert main(command) == 1
    text = capsys.readouterr().out
    assert main([*command, "--format", "json"]) == 1
    body = json.loads(capsys.readouterr().out)

    assert "was used 1 time" in text and "bob-sun" in text
    assert problems("audit", body) == [] and [row["verdict"] for row in body["used"]] == ["approve"]
    assert main([*command, "--since", "main"]) == 0


def test_a_slip_in_a_fingerprint_is_not_taken_for_a_key_that_was_never_used(
    guarded: Guarded, capsys: pytest.CaptureFixture[str]
) -> None:
    for slip in ("bob-sun", PENS["bob-sun"].public.fingerprint[:-1], PENS["bob-sun"].public.fingerprint[7:]):
        assert main(["--store", str(guarded.member), "audit", "--suspect", slip]) == 2
        assert "is not the fingerprint of a key" in capsys.readouterr().err


def test_a_history_that_holds_is_said_in_one_line(guarded: Guarded, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(guarded.member), "audit", "--at", AFTER, "--check"]) == 0
    root, tip = guarded.root, guarded.ref(MAIN)
    assert capsys.readouterr().out == f"1 commit of main proved, {root[:12]}..{tip[:12]}: nothing found\n"


# -- what the origin shows ---------------------------------------------------------------------------------------------


@pytest.fixture
def clone(guarded: Guarded, tmp_path: Path) -> Path:
    """A clone that has seen the whole origin."""
    git(tmp_path, "clone", "--quiet", str(guarded.origin), "clone")
    return tmp_path / "clone"


def asked(clone: Path) -> Audit:
    store = Store.open(clone)
    return audit(store, partial(law_of, store, checked=False), now=NOW, ask=True)


def rewind(origin: Path, to: str) -> None:
    """An administrator moves the branch, behind every hook."""
    git(origin, "-c", "core.hooksPath=/dev/null", "update-ref", MAIN, to)


def test_an_origin_that_shows_what_was_seen_is_said_to_show_it(guarded: Guarded, clone: Path) -> None:
    done = asked(clone)

    assert (done.shown, done.troubles, done.verified) == (Shown(guarded.tip), (), True)


def test_an_origin_that_took_commits_back_is_named_with_what_was_seen_and_proved(guarded: Guarded, clone: Path) -> None:
    seen = asked(clone).tip
    rewind(guarded.origin, guarded.root)

    for _ in range(2):
        (trouble,) = asked(clone).troubles
        message = spoken(trouble.message, "en")
        assert (trouble.cause, trouble.commit, trouble.rule) == ("rewritten", guarded.root, "R23")
        assert f"1 commit behind {seen[:12]}" in message and f"last proved: {seen[:12]}" in message and trouble.hint
    assert git(clone, "rev-parse", "refs/remotes/origin/main") == seen


def test_an_origin_that_wrote_another_history_is_named_with_the_fork(guarded: Guarded, clone: Path) -> None:
    seen, root = guarded.tip, guarded.root
    guarded.be("ann-lee")
    git(guarded.member, "update-ref", MAIN, root)
    other = added(guarded)
    guarded.land((None, other, MAIN))

    (trouble,) = asked(clone).troubles

    message = spoken(trouble.message, "en")
    assert trouble.commit == other and f"they part at {root[:12]}" in message and seen[:12] in message


def test_what_a_plain_fetch_replaced_is_found_without_asking(guarded: Guarded, clone: Path) -> None:
    seen = guarded.tip
    rewind(guarded.origin, guarded.root)
    git(clone, "fetch", "--quiet")
    store = Store.open(clone)

    (trouble,) = audit(store, partial(law_of, store, checked=False), now=NOW).troubles

    assert trouble.cause == "rewritten" and seen[:12] in spoken(trouble.message, "en")


def test_an_origin_that_has_more_is_no_trouble_and_one_that_is_away_is_said(guarded: Guarded, clone: Path) -> None:
    git(clone, "update-ref", "refs/remotes/origin/main", guarded.root)
    git(clone, "reflog", "expire", "--expire=all", "refs/remotes/origin/main")
    newer, tip = asked(clone), guarded.tip
    shutil.move(guarded.origin, guarded.origin.with_name("away"))
    away = asked(clone)

    assert (newer.shown, newer.troubles) == (Shown(tip, 1), ())
    assert away.shown is not None and away.shown.unasked and not away.shown.tip and away.troubles == ()


def test_an_origin_without_the_branch_is_named(guarded: Guarded, clone: Path) -> None:
    git(guarded.origin, "-c", "core.hooksPath=/dev/null", "update-ref", "-d", MAIN)

    (trouble,) = asked(clone).troubles

    assert trouble.cause == "rewritten" and "does not show main any more" in spoken(trouble.message, "en")


def test_what_a_clock_that_was_ahead_blocks_is_said_with_the_way_out(guarded: Guarded) -> None:
    ahead = NOW + timedelta(days=3 * 365)
    first = guarded.propose("ann-lee", guarded.bank(customerGrade="local_c"), at=ahead)
    guarded.approve("bob-sun", first, at=ahead)
    early = guarded.apply("hal-xu", first, at=ahead).commit
    second = guarded.propose(files=guarded.bank(customerGrade="group"), title="Later", at=NOW)
    guarded.approve("bob-sun", second, at=NOW)

    with pytest.raises(Refused) as refused:
        guarded.apply("hal-xu", second, at=NOW)

    said, way = spoken(refused.value.message, "en"), spoken(refused.value.hint, "en")
    assert ahead.date().isoformat() in said and "R10" in said
    assert early[:12] in way and f"git reset --keep {guarded.ref(f'{early}~1')[:12]}" in way


def test_a_lock_that_a_dead_git_left_is_said_to_be_mended(guarded: Guarded) -> None:
    (guarded.member / "refs" / "heads" / "main.lock").touch()
    repository = guarded.store.in_git()

    with pytest.raises(GitError) as error:
        repository.update_ref(MAIN, guarded.root, guarded.ref(MAIN))

    assert "remit doctor --repair" in error.value.hint
