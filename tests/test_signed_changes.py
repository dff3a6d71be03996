"""Changes in a store whose people have keys: only what its person signed counts, on the way in and years later."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from approval_store import PEOPLE, RULES, path_of, text_of, texts
from conftest import AT, GitRepo, be, git, write_files
from keys import become, keyed_texts, made, person, public, signature
from test_change_commands import AT as AT_WORDS
from test_change_commands import BANK, User, raise_grade

from remit.changes import approval_text, parse_message, signed_text, with_trailers
from remit.changing.proposals import find
from remit.changing.proving import Law, prove
from remit.changing.reviewing import approve
from remit.changing.targets import REVIEW_FILE, REVIEWS
from remit.errors import Refused
from remit.git import Identity
from remit.judging import PolicyJudge
from remit.registry import Registry
from remit.signing import signing
from remit.store import Store

LATER = AT + timedelta(hours=1)
LAW = Law(PolicyJudge(AT), PolicyJudge(AT))


@pytest.fixture
def lone(git_repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> User:
    """A lone repository in which everybody has a key; ann-lee is its user."""
    user = User(git_repo(keyed_texts()), capsys)
    become(user.folder, "ann-lee")
    return user


def as_(user: User, name: str, *words: str) -> str:
    """Run a command as somebody with his own key; what it printed on stdout."""
    become(user.folder, name)
    ran = user.run(*words, *AT_WORDS)
    assert ran.code == 0, ran.err
    return ran.out


def registry_of(files: dict[str, str]) -> Registry:
    return Registry.of({path: text.encode() for path, text in files.items()})


def proposed(user: User) -> str:
    raise_grade(user)
    return as_(user, "ann-lee", "propose", "-m", "评定为A级").split()[0]


def test_a_signed_change_carries_its_own_proof_into_the_history(lone: User) -> None:
    id = proposed(lone)
    as_(lone, "bob-sun", "approve", id, "-m", "同意")
    as_(lone, "cai-yu", "apply", id)

    message = git(lone.folder, "log", "-1", "--format=%B", "main")
    said = parse_message(message).approvals
    assert [(one.verdict, one.person) for one in said] == [("propose", "ann-lee"), ("approve", "bob-sun")]
    proof = prove(Store(lone.folder), git(lone.folder, "rev-parse", "main"), LAW)
    assert proof.holds and proof.change == id and [one.given_by for one in proof.requirements] == [("bob-sun",)]


def test_the_proof_holds_without_remit(lone: User, tmp_path: Path) -> None:
    """What a reader with nothing but OpenSSH needs: the signed text, the signature, the key of the base."""
    from remit.signatures import NAMESPACE, armoured

    id = proposed(lone)
    as_(lone, "bob-sun", "approve", id)
    as_(lone, "cai-yu", "apply", id)
    one = parse_message(git(lone.folder, "log", "-1", "--format=%B", "main")).approvals[1]
    (tmp_path / "signers").write_text(f"bob-sun {public('bob-sun').line}\n")
    (tmp_path / "sig").write_text(armoured(one.signature))

    words = ["ssh-keygen", "-Y", "verify", "-f", tmp_path / "signers", "-I", "bob-sun", "-n", NAMESPACE, "-s"]
    done = subprocess.run([*words, tmp_path / "sig"], input=signed_text(one), capture_output=True, check=False)

    assert done.returncode == 0, done.stderr


def test_a_review_shows_who_signed_the_proposal(lone: User) -> None:
    id = proposed(lone)

    out = as_(lone, "bob-sun", "review", id)

    assert "[x] built-in/signed-proposal: the proposer's own signature\n      given: ann-lee" in out


@pytest.mark.parametrize("verb", ["approve", "propose"])
def test_without_a_key_at_hand_nothing_is_said(lone: User, verb: str) -> None:
    id = proposed(lone) if verb == "approve" else ""
    be(lone.folder, "bob-sun")
    git(lone.folder, "config", "--unset", "remit.signingKey")
    if verb == "propose":
        raise_grade(lone, "province")

    ran = lone.run(*(["approve", id] if id else ["propose", "-m", "x"]), *AT_WORDS)

    assert ran.code == 2 and "none of your keys is at hand" in ran.err and "git config remit.signingKey" in ran.err


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("{lonely}", "ssh-keygen -y -f {lonely} > {lonely}.pub"),
        ("{lonely}.pub", "where no file is"),
        ("keys/mine.pub", "and not a whole path"),
    ],
)
def test_a_setting_that_names_no_key_is_said_to_be_it(lone: User, tmp_path: Path, setting: str, says: str) -> None:
    lonely = tmp_path / "lonely"
    shutil.copy(made("ann-lee"), lonely)
    git(lone.folder, "config", "remit.signingKey", setting.format(lonely=lonely))
    raise_grade(lone)

    ran = lone.run("propose", "-m", "x", *AT_WORDS)

    assert ran.code == 2 and says.format(lonely=lonely) in ran.err


def test_a_key_with_a_passphrase_and_no_terminal_is_said_to_need_an_agent(lone: User, tmp_path: Path) -> None:
    guarded = tmp_path / "guarded"
    shutil.copy(made("ann-lee"), guarded)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", guarded], check=True, capture_output=True)
    shutil.copy(f"{made('ann-lee')}.pub", f"{guarded}.pub")
    git(lone.folder, "config", "remit.signingKey", f"{guarded}.pub")
    raise_grade(lone)

    ran = subprocess.run(
        [sys.executable, "-c", "from remit.main import run; run()", "--store", str(lone.folder), "propose", "-m", "x"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, start_new_session=True, check=False,
    )  # fmt: skip

    assert ran.returncode == 2 and "could not sign" in ran.stderr and f"ssh-add {guarded}" in ran.stderr


def test_somebody_without_a_key_cannot_propose_and_is_told_how_to_get_one(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    user = User(git_repo(keyed_texts("bob-sun")), capsys)
    raise_grade(user)
    become(user.folder, "ann-lee")

    ran = user.run("propose", "-m", "x", *AT_WORDS)

    assert ran.code == 2 and "ann-lee has no valid key in the base" in ran.err and "remit keys add" in ran.err


def test_another_persons_key_does_not_sign(lone: User) -> None:
    id = proposed(lone)
    become(lone.folder, "bob-sun", key="cai-yu")

    ran = lone.run("approve", id, *AT_WORDS)

    assert ran.code == 2 and "none of your keys is at hand" in ran.err


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (lambda one: replace(one, signature=""), "it is not signed"),
        (lambda one: replace(one, reason="另有理由"), "not over these words"),
        (lambda one: replace(one, signature=signature(signed_text(one), "cai-yu")), "belongs to cai-yu"),
        (lambda one: replace(one, signature=signature(signed_text(one), "stranger")), "belongs to nobody"),
        (
            lambda one: replace(one, signature=signature(signed_text(one), "bob-sun", namespace="git")),
            "not over these words",
        ),
    ],
    ids=["unsigned", "altered", "another person's key", "a stranger's key", "a commit's signature"],
)
def test_a_forged_approval_counts_for_nothing(lone: User, forged, why: str) -> None:
    id = proposed(lone)
    become(lone.folder, "bob-sun")
    store = Store(lone.folder)
    good = approve(store, id, at=AT, sign=signing(store.in_git()))
    repository, who = store.in_git(), Identity("M", "m@example.org")
    tree = repository.commit_with(None, {REVIEW_FILE: approval_text(forged(good))})
    posted = repository.commit_tree(tree, [], with_trailers("approve", id), who, who, AT)
    git(lone.folder, "update-ref", f"{REVIEWS}{id}/bob-sun", posted)

    review = find(store, id, at=AT).reviews[0]

    assert not review.holds and why in review.why
    become(lone.folder, "cai-yu")
    assert "is not approved" in lone.run("apply", id, *AT_WORDS).err


def test_a_proposer_who_names_somebody_else_as_author_is_still_its_contributor(lone: User) -> None:
    """Self-approval by way of git's unproved author: bob-sun signs the proposal and writes ann-lee's name on it."""
    raise_grade(lone)
    become(lone.folder, "bob-sun")
    id = lone.run("propose", "-m", "x", *AT_WORDS).out.split()[0]
    head = git(lone.folder, "rev-parse", f"change/{id}")
    body = git(lone.folder, "log", "-1", "--format=%B", head)
    parts = ["commit-tree", f"{head}^{{tree}}", "-p", f"{head}^", "-m", body]
    be(lone.folder, "ann-lee")
    git(lone.folder, "update-ref", f"refs/heads/change/{id}", git(lone.folder, *parts))
    become(lone.folder, "bob-sun")

    ran = lone.run("approve", id, *AT_WORDS)

    assert ran.code == 2 and "you wrote a part of" in ran.err


WINDOWS = {
    "expired": ({"validTo": "2026-10-15T07:00:00Z"}, "has expired"),
    "not yet": ({"validFrom": "2026-10-15T09:00:00Z"}, "is not valid yet"),
    "revoked": ({"revoked": "笔记本遗失"}, "is revoked: 笔记本遗失"),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_a_key_outside_its_window_or_revoked_does_not_sign(lone: User, name: str) -> None:
    window, why = WINDOWS[name]
    registry = registry_of(keyed_texts() | person("bob-sun", [{"key": public("bob-sun").line, **window}]))

    (key,) = registry.keys_of("bob-sun")

    assert why in key.why_not(AT) and registry.usable_keys("bob-sun", AT) == ()


def test_a_key_that_two_people_have_speaks_for_neither(lone: User) -> None:
    registry = registry_of(keyed_texts() | person("cai-yu", [{"key": public("bob-sun").line}]))
    id = proposed(lone)
    store = Store(lone.folder)
    become(lone.folder, "bob-sun")
    good = approve(store, id, at=AT, sign=signing(store.in_git()))

    assert "belongs to bob-sun, cai-yu, not to bob-sun alone" in registry.why_unsigned(good, AT)


def test_the_last_key_is_not_taken_away(git_repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody alone in his store, of whom no rule asks anything, still cannot go back to words without signatures."""
    files = keyed_texts("ann-lee")
    for name in set(PEOPLE) - {"ann-lee"}:
        files |= text_of("Person", name, {"department": "south", "status": "active"})
    files["rules/approval/control.yaml"] = RULES[: RULES.index("    - name: appointment")]
    user = User(git_repo(files), capsys)
    write_files(user.folder, {path_of("Person", "ann-lee"): texts()[path_of("Person", "ann-lee")]})
    become(user.folder, "ann-lee")
    id = user.run("propose", "-m", "x", *AT_WORDS).out.split()[0]

    ran = user.run("apply", id, *AT_WORDS)

    assert ran.code == 2 and "takes the last key away" in ran.err


# --- keys ------------------------------------------------------------------------------------------------------------


def test_the_first_key_comes_in_by_a_change_and_from_then_on_all_is_signed(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    user = User(git_repo(texts()), capsys)
    assert "Nothing is signed here yet" in user.run("keys", as_="ann-lee").err
    added = user.run("keys", "add", "dan-wu", "--key", f"{made('dan-wu')}.pub", *AT_WORDS)
    assert added.code == 0, added.err
    id = added.out.split()[0]
    assert user.run("approve", id, *AT_WORDS, as_="dan-wu").code == 0
    assert user.run("apply", id, *AT_WORDS).code == 0

    listed = user.run("keys", "list", "--ref", "main", *AT_WORDS)
    assert public("dan-wu").fingerprint in listed.out and "1 key, 1 valid" in listed.err
    raise_grade(user)
    ran = user.run("propose", "-m", "x", *AT_WORDS, as_="ann-lee")
    assert ran.code == 2 and "changes are signed here" in ran.err


def test_a_key_is_rotated_and_the_old_one_revoked(lone: User) -> None:
    fingerprint = public("bob-sun").fingerprint
    for words in (
        ("keys", "add", "bob-sun", "--key", f"{made('bob-new')}.pub"),
        ("keys", "revoke", "bob-sun", fingerprint, "-m", "旧钥匙"),
    ):
        id = as_(lone, "ann-lee", *words).split()[0]
        as_(lone, "dan-wu", "approve", id)
        as_(lone, "ann-lee", "apply", id)
        git(lone.folder, "checkout", "--quiet", "-f", "main")
    listed = lone.run("keys", "list", "--format", "json", *AT_WORDS).json["keys"]
    mine = [(key["fingerprint"], key["valid"], key["revoked"]) for key in listed if key["person"] == "bob-sun"]
    assert mine == [(fingerprint, False, "旧钥匙"), (public("bob-new").fingerprint, True, None)]

    id = proposed(lone)
    become(lone.folder, "bob-sun")
    assert "none of your keys is at hand" in lone.run("approve", id, *AT_WORDS).err
    become(lone.folder, "bob-sun", key="bob-new")
    assert lone.run("approve", id, *AT_WORDS).code == 0


def test_several_first_keys_come_in_by_one_change(git_repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> None:
    user = User(git_repo(texts()), capsys)
    for name in ("ann-lee", "dan-wu"):
        written = user.run("keys", "add", name, "--key", f"{made(name)}.pub", "--write", *AT_WORDS, as_="ann-lee")
        assert written.code == 0 and "spec.keys" in written.out
    id = user.run("propose", "-m", "The first keys", *AT_WORDS).out.split()[0]
    assert user.run("approve", id, *AT_WORDS, as_="dan-wu").code == 0
    assert user.run("apply", id, *AT_WORDS).code == 0

    as_(user, "ann-lee", "keys", "add", "bob-sun", "--key", f"{made('bob-sun')}.pub")


def test_whose_key_it_is_does_not_decide_about_it(lone: User) -> None:
    """dan-wu alone approves changes of people; of a change of his own record the level above does."""
    words = ("keys", "revoke", "dan-wu", public("dan-wu").fingerprint, "-m", "遗失")
    id = as_(lone, "ann-lee", *words).split()[0]

    assert "(hal-xu)" in lone.run("review", id, *AT_WORDS).out
    as_(lone, "dan-wu", "approve", id)
    assert "is not approved" in lone.run("apply", id, *AT_WORDS).err
    as_(lone, "hal-xu", "approve", id)
    as_(lone, "ann-lee", "apply", id)


ENDS_FIRST = ("--valid-from", "2027-01-01T00:00:00Z", "--valid-to", "2027-01-01T00:00:00Z")


def test_keys_alone_lists_in_every_way_in_which_list_does(lone: User) -> None:
    alone, listed = (lone.run("keys", *words, "--format", "json", *AT_WORDS) for words in ((), ("list",)))

    assert alone.code == 0 and alone.json == listed.json and alone.json["keys"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("keys", "add", "nobody", "--key", "KEY"), "there is no Person/nobody"),
        (("keys", "add", "bob-sun", "--key", "OWN"), "is registered already"),
        (("keys", "add", "cai-yu", "--key", "OWN"), "a key is one person's"),
        (("keys", "add", "cai-yu", "--key", "PRIVATE"), "is a private key: it stays with its owner"),
        (("keys", "add", "cai-yu", "--key", "WEAK"), "1024 bits"),
        (("keys", "add", "cai-yu", "--key", "/nowhere.pub"), "cannot be read"),
        (("keys", "revoke", "bob-sun", "SHA256:x", "-m", "x"), "bob-sun has no key SHA256:x"),
        (("keys", "revoke", "Person/bob-sun", "SHA256:x", "-m", "x"), "bob-sun has no key SHA256:x"),
        (("keys", "add", "cai-yu", "--key", "KEY", *ENDS_FIRST), "would end before it begins"),
        (("keys", "add", "Person/cai-yu", "--key", "KEY", "--write", *ENDS_FIRST), "would end before it begins"),
    ],
)
def test_a_key_that_cannot_be_taken_is_refused_with_what_to_do(lone: User, words: tuple[str, ...], says: str) -> None:
    files = {
        "KEY": f"{made('new')}.pub",
        "OWN": f"{made('bob-sun')}.pub",
        "PRIVATE": str(made("new")),
        "WEAK": f"{made('weak1024', 'rsa', '-b', '1024')}.pub",
    }

    ran = lone.run(*(files.get(word, word) for word in words), *AT_WORDS)

    assert ran.code == 2 and says in ran.err


def test_check_names_keys_that_are_none_or_shared(lone: User) -> None:
    key = [{"key": public("ann-lee").line}]
    write_files(lone.folder, person("bob-sun", key) | person("cai-yu", [{"key": "ssh-ed25519 AAAA"}]))

    found = lone.run("check", "--format", "json", *AT_WORDS).json["findings"]

    assert [(one["code"], one["record"]) for one in found if one["code"].startswith("key-")] == [
        ("key-shared", "Person/bob-sun"),
        ("key-invalid", "Person/cai-yu"),
    ]


def test_every_person_of_the_store_has_an_own_key() -> None:
    registry = registry_of(keyed_texts())

    assert {name: len(registry.keys_of(name)) for name in registry.everybody} == dict.fromkeys(sorted(PEOPLE), 1)
    assert registry.signs and BANK not in registry.files


def test_signing_needs_a_reason_to_fail_that_names_the_program(monkeypatch: pytest.MonkeyPatch, lone: User) -> None:
    id = proposed(lone)
    become(lone.folder, "bob-sun")
    store = Store(lone.folder)
    sign = signing(store.in_git())
    which = shutil.which
    monkeypatch.setattr("shutil.which", lambda name, **more: None if name == "ssh-keygen" else which(name, **more))

    with pytest.raises(Refused, match="ssh-keygen is not installed"):
        approve(store, id, at=AT, sign=sign)
