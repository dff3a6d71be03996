"""A member with a key of his own and no rights, with commands and plain git: what he tries, and how it ends.

Each of these once went through.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import approval_store
import pytest
from conftest import GitRepo, commit_all, git, write_files
from guarded import BANK, MAIN, NOW, Guarded, texts
from test_change_commands import AT, User, raise_grade

from remit.auditing import VERIFIED, audit
from remit.changes import review_title, with_trailers
from remit.changing.targets import target
from remit.git import Identity, Repository
from remit.judging import law_of
from remit.registry import Registry
from remit.signatures import NAMESPACE, NotAKey, parse_public_key, signer
from remit.store import Store

EMERGENCY = "  emergency: {approvers: [{role: owner, of: record.unit}], reviewWithin: 3d}\n"
"""Bob may act at once where the bank is concerned."""


def rules_that_an_audit_names(guarded: Guarded, tip: str) -> list[tuple[str, str]]:
    git(guarded.member, "update-ref", MAIN, tip)
    git(guarded.member, "update-ref", "-d", f"{VERIFIED}main")  # each tip is looked at as if it were the first
    store = guarded.store
    done = audit(store, partial(law_of, store, checked=False), now=NOW + timedelta(minutes=5))
    return [(one.commit, one.rule) for one in done.troubles]


def test_the_review_of_one_emergency_is_not_paid_by_another_change_of_its_id(tmp_path: Path) -> None:
    guarded = Guarded.build(tmp_path, {**texts(), "rules/approval/control.yaml": approval_store.RULES + EMERGENCY})
    first = guarded.propose("eve-li", at=NOW)
    assert first.proposed is not None
    act = guarded.say(first, "bob-sun", "emergency", at=NOW, reason="the line is down")
    urgent = guarded.commit(first, [first.proposed, act], by="eve-li")
    git(guarded.member, "update-ref", MAIN, urgent)
    # Another change of the same id, harmless, and approved by whom its rules ask.
    other = guarded.propose("eve-li", guarded.bank(customerGrade="group", notes="x"), title="A note", at=NOW)
    twin = replace(other, id=first.id, base=urgent)
    said = [guarded.say(twin, "eve-li", "propose", at=NOW), guarded.say(twin, "gus-he", at=NOW)]
    second = guarded.commit(twin, said, by="eve-li", parent=urgent)
    text = with_trailers(review_title(twin.title), approvals=[said[1]], reviewed=first.id)
    gus = Identity("Gus He", "gus-he@example.org")
    paid = guarded.store.in_git().commit_tree(twin.tree, [second], text, gus, gus, NOW)
    once_more = guarded.say(twin, "bob-sun", "emergency", at=NOW, reason="again")
    hidden = guarded.commit(twin, [said[0], once_more], by="eve-li", parent=urgent)

    assert rules_that_an_audit_names(guarded, urgent) == []
    assert rules_that_an_audit_names(guarded, second) == []
    assert {rule for sha, rule in rules_that_an_audit_names(guarded, paid) if sha == paid} == {"R7"}
    assert rules_that_an_audit_names(guarded, hidden) == [(hidden, "R4")]


def test_who_brings_in_the_review_of_an_emergency_puts_no_words_of_his_own_beside_it(tmp_path: Path) -> None:
    guarded = Guarded.build(tmp_path, {**texts(), "rules/approval/control.yaml": approval_store.RULES + EMERGENCY})
    change = guarded.propose("eve-li", at=NOW)
    assert change.proposed is not None
    act = guarded.say(change, "bob-sun", "emergency", at=NOW, reason="the line is down")
    urgent = guarded.commit(change, [change.proposed, act], by="eve-li")
    git(guarded.member, "update-ref", MAIN, urgent)
    eve, repository = Identity("Eve Li", "eve-li@example.org"), guarded.store.in_git()
    said, title = [guarded.say(change, "gus-he", at=NOW)], review_title(change.title)
    texts_of_it = [
        with_trailers(text, approvals=said, reviewed=change.id) for text in (title, f"{title}\n\nand the board agreed")
    ]
    reviews = [repository.commit_tree(change.tree, [urgent], text, eve, eve, NOW) for text in texts_of_it]

    assert rules_that_an_audit_names(guarded, reviews[0]) == []
    assert rules_that_an_audit_names(guarded, reviews[1]) == [(reviews[1], "R7")]


@pytest.mark.parametrize("shown", [True, False])
def test_whoever_looks_into_a_change_still_asks_the_protected_branch(
    git_repo: GitRepo, git_clone: GitRepo, capsys: pytest.CaptureFixture[str], shown: bool
) -> None:
    """The change calls its own branch the protected one, and brings the rules that suit it."""
    origin = git_clone(git_repo(approval_store.texts(), "seed"), "origin.git", bare=True)
    user = User(git_clone(origin, "bob", "bob-sun"), capsys)
    good = "c-20261015-aaaaaa"
    raise_grade(user)
    id = user.propose()
    git(user.folder, "checkout", "--quiet", "--force", "-b", f"change/{good}", "origin/main")
    rules = approval_store.RULES.replace("{role: owner, of: record.unit}", "{role: service}")
    settings = f"name: small\ntimezone: Asia/Shanghai\nlanguage: en\nprotected: change/{good}\n"
    write_files(user.folder, {"rules/approval/control.yaml": rules, "remit.yaml": settings})
    commit_all(user.folder, f"mine\n\nRemit-Change: {good}")
    git(user.folder, "push", "--quiet", "origin", f"change/{good}")
    if not shown:
        git(user.folder, "remote", "set-head", "origin", "--delete")

    ran = user.run("review", id, *AT, "--format", "json")

    assert target(Store.open(user.folder)).branch == "main"
    assert [one["candidates"][0]["person"] for one in ran.json["change"]["requirements"]] == ["bob-sun"]


def test_what_went_on_after_it_was_looked_at_is_not_approved_unseen(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    user = User(git_repo(approval_store.texts()), capsys)
    raise_grade(user)
    id = user.propose()
    assert user.run("review", id, *AT, as_="bob-sun").code == 0
    raise_grade(user, "group")
    repository = Repository(user.folder)
    head = git(user.folder, "rev-parse", f"change/{id}")
    data = (user.folder / BANK).read_bytes()
    tree = repository.commit_with(repository.tree_of(head), {BANK: data})
    ann = Identity("Ann Lee", "ann-lee@example.org")
    later = repository.commit_tree(
        tree, [head], repository.commit(head).message, ann, ann, repository.commit(head).when
    )
    git(user.folder, "update-ref", f"refs/heads/change/{id}", later)

    ran = user.run("approve", id, *AT, as_="bob-sun")

    assert ran.code == 2 and f"it was {head[:12]}, and is {later[:12]}" in ran.err and f"remit review {id}" in ran.err
    assert user.run("review", id, *AT).code == 0
    assert user.run("approve", id, *AT).code == 0


SMALL = ("00" * 32, "01" + "00" * 31, "01" + "00" * 30 + "80", "ec" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "ff")


@pytest.mark.parametrize("point", SMALL)
def test_a_key_for_which_anybody_can_sign_is_no_key(point: str) -> None:
    """The signature is the same for every text, and OpenSSL finds it good for some or all of them."""
    kind, purpose, hashed = b"ssh-ed25519", NAMESPACE.encode(), b"sha512"
    blob = framed(kind) + framed(bytes.fromhex(point))
    made = framed(kind) + framed(bytes.fromhex("01" + "00" * 31) + bytes(32))
    parts = b"".join(map(framed, (blob, purpose, b"", hashed, made)))
    forged = base64.b64encode(b"SSHSIG" + (1).to_bytes(4, "big") + parts).decode()

    with pytest.raises(NotAKey):
        parse_public_key(f"ssh-ed25519 {base64.b64encode(blob).decode()}")
    assert [signer(forged, b"text %d" % number) for number in range(64)] == [None] * 64


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    ("email", "written"),
    [
        ("o'neil@example.org", "'o''neil@example.org'"),
        ("Ünal@example.org", "Ünal@example.org"),
        ("ÜNAL@example.org", "ünal@example.org"),
        ("Bob-Sun@Example.org", "bob-sun@example.org"),
        ("bob-sun@example.org", '"bob-sun\\x40example.org"'),
    ],
)
def test_however_an_e_mail_is_written_who_has_it_is_known_as_a_contributor(email: str, written: str) -> None:
    body = f"apiVersion: remit/v1\nkind: Person\nmetadata: {{name: bob-sun}}\nspec:\n  contact:\n    email: {written}\n"

    assert Registry({"records/people/bob-sun.yaml": body.encode()}).with_emails([email]) == ("bob-sun",)
