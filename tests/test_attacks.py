"""Attacks on a guarded origin: each is refused by the rule it names, and found by an audit when forced in behind it.

Source: the catalogue of security, section 3.4: A1-A5, A7-A9, A12-A14, A17-A20, A24-A27.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import approval_store
import pytest
from conftest import AT, git
from guarded import BANK, MAIN, NOW, PENS, Guarded, texts, who
from test_git import bomb

from remit.auditing import audit
from remit.changes import Approval, Change, Manifest, Touched, manifest, with_trailers
from remit.changing.targets import CHANGES, REVIEWS, WITHDRAWN
from remit.errors import Refused
from remit.git import Repository
from remit.judging import law_of

CUSTOMERS = "records/customers"


class World(NamedTuple):
    """An origin, a change that may go in, and the commit that applies it."""

    guarded: Guarded
    change: Change
    commit: str

    @property
    def said(self) -> list[Approval]:
        """What the good commit carries."""
        return [self.change.proposed or self.approve(), self.approve()]

    def approve(self, **other: object) -> Approval:
        return self.guarded.say(self.change, "bob-sun", at=AT + timedelta(minutes=5), **other)  # type: ignore[arg-type]

    def with_approval(self, said: Approval) -> str:
        return self.guarded.commit(self.change, [*self.said[:1], said])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, home: None) -> World:
    guarded = Guarded.build(tmp_path_factory.mktemp("origin"))
    change = guarded.approved()
    good = guarded.commit(change, World(guarded, change, "").said)
    return World(guarded, change, good)


def spent() -> float:
    """Seconds of the processor that this process and its children have used."""
    return sum(os.times()[:4])


def found_by_audit(guarded: Guarded, tip: str) -> list[tuple[str, str]]:
    """Commit and rule of everything that an audit finds when the branch is put there behind the hook."""
    before = git(guarded.member, "rev-parse", MAIN)
    git(guarded.member, "update-ref", MAIN, tip)
    try:
        store = guarded.store
        done = audit(store, partial(law_of, store, checked=False), now=NOW)
        return [(one.commit, one.rule) for one in done.troubles]
    finally:
        git(guarded.member, "update-ref", MAIN, before)


def test_what_is_approved_goes_in_and_an_audit_finds_nothing(world: World) -> None:
    guarded = world.guarded

    assert guarded.push((guarded.tip, world.commit, MAIN)) == []
    assert found_by_audit(guarded, world.commit) == []


# -- what people say ---------------------------------------------------------------------------------------------------

DAY = timedelta(days=1)
BEFORE = AT - timedelta(days=2)
SPEAK: dict[str, tuple[str, Callable[[World], Approval]]] = {
    "A1 an unsigned approval": ("R7", lambda w: w.approve(pen="nobody")),
    "A1 a key that nobody knows": ("R7", lambda w: w.approve(pen="stranger")),
    "A1 another person's key": ("R7", lambda w: w.approve(pen="dan-wu")),
    "A1 a signature made for git": ("R7", lambda w: w.approve(namespace="git")),
    "A2 the proposer approves": ("R9", lambda w: w.guarded.say(w.change, "ann-lee")),
    "A4 another tree": ("R7", lambda w: w.approve(tree="1" * 40)),
    "A4 another base": ("R7", lambda w: w.approve(base="1" * 40)),
    "A4 another branch": ("R7", lambda w: w.approve(ref="refs/heads/other")),
    "A4 another repository": ("R7", lambda w: w.approve(repository="1" * 40)),
    "A4 another change": ("R7", lambda w: w.approve(change="c-20261015-000000")),
    "A4 another manifest": ("R7", lambda w: w.approve(manifest_digest="1" * 64)),
    "A4 other words": ("R7", lambda w: w.approve(words="1" * 64)),
    "A4 it ran out": ("R7", lambda w: w.approve(not_after=AT + timedelta(minutes=6))),
    "A5 a revoked key": ("R7", lambda w: w.guarded.say(w.change, "cai-yu", pen="lost")),
    "A5 an expired key": ("R7", lambda w: w.guarded.say(w.change, "cai-yu", pen="old")),
    "A5 an expired key, back-dated": ("R7", lambda w: w.guarded.say(w.change, "cai-yu", pen="old", at=BEFORE)),
    "A5 a key that is not valid yet": ("R7", lambda w: w.guarded.say(w.change, "cai-yu", pen="early")),
    "A5 the same, forward-dated": ("R7", lambda w: w.guarded.say(w.change, "cai-yu", pen="early", at=AT + 10 * DAY)),
    "A9 nobody of the base": ("R5", lambda w: w.guarded.say(w.change, "mallory", pen="stranger")),
    "A9 a wildcard": ("R2", lambda w: w.guarded.say(w.change, "*@example.org", pen="bob-sun")),
    "A9 two people in one": ("R2", lambda w: w.guarded.say(w.change, "bob-sun,cai-yu", pen="bob-sun")),
    "A9 a Cyrillic letter": ("R2", lambda w: w.guarded.say(w.change, "bоb-sun", pen="bob-sun")),
    "A9 a trailing dot": ("R2", lambda w: w.guarded.say(w.change, "bob-sun.", pen="bob-sun")),
    "A9 three hundred letters": ("R2", lambda w: w.guarded.say(w.change, "b" * 300, pen="bob-sun")),
    "A11 somebody whom the rule does not name": ("approval", lambda w: w.guarded.say(w.change, "fay-ma")),
    "R12 a rejection instead": ("R12", lambda w: w.approve(verdict="reject")),
}


@pytest.mark.parametrize("name", SPEAK)
def test_what_was_not_said_so_is_refused_and_found(world: World, name: str) -> None:
    rule, say = SPEAK[name]
    guarded = world.guarded
    bad = world.with_approval(say(world))

    assert guarded.push((guarded.tip, bad, MAIN)) == [rule]
    assert (bad, rule) in found_by_audit(guarded, bad)


@pytest.mark.parametrize("name", [name for name in SPEAK if not name.startswith(("A9", "R12", "A4 it"))])
def test_apply_takes_no_approval_that_was_not_said_so(world: World, tmp_path: Path, name: str) -> None:
    guarded = world.guarded
    said = SPEAK[name][1](world)
    posted = guarded.post(said, by=said.person)
    ref, good = f"{REVIEWS}{world.change.id}/{said.person}", f"{REVIEWS}{world.change.id}/bob-sun"
    before = git(guarded.member, "rev-parse", good)
    git(guarded.member, "update-ref", "-d", good)
    git(guarded.member, "update-ref", ref, posted)
    try:
        with pytest.raises(Refused, match="is not approved"):
            guarded.apply("hal-xu", world.change)
    finally:
        git(guarded.member, "update-ref", "-d", ref)
        git(guarded.member, "update-ref", good, before)
    assert git(guarded.member, "rev-parse", MAIN) == guarded.tip


COMMITS: dict[str, tuple[str, Callable[[World], str]]] = {
    "A1 no approval at all": ("approval", lambda w: w.guarded.commit(w.change, w.said[:1])),
    "A1 no proposal": ("R7", lambda w: w.guarded.commit(w.change, w.said[1:])),
    "A1 a proposal of another's": ("R7", lambda w: w.guarded.commit(w.change, [proposal_of_another(w), w.approve()])),
    "A2 the author approves": ("R9", lambda w: w.guarded.commit(w.change, w.said, by="bob-sun")),
    "A2 another author than who proposed": ("R7", lambda w: w.guarded.commit(w.change, w.said, by="dan-wu")),
    "A3 one person twice": ("R8", lambda w: w.guarded.commit(w.change, [*w.said, w.approve(reason="again")])),
    "A4 another tree than was approved": ("R7", lambda w: w.guarded.commit(w.change, w.said, tree=other_tree(w))),
    "A5 dated before its parent": ("R10", lambda w: w.guarded.commit(w.change, w.said, at=AT - DAY)),
    "A5 dated after the clock": ("R10", lambda w: w.guarded.commit(w.change, w.said, at=AT + 10 * DAY)),
    "A8 approvals that are not the last paragraph": (
        "R2", lambda w: w.guarded.commit(w.change, (), message=message(w) + "\nthanks\n")
    ),
    "A8 another title than was approved": (
        "R7", lambda w: w.guarded.commit(w.change, (), message=message(w).replace("Raise", "Lower"))
    ),
    "A8 no change at all": ("R2", lambda w: w.guarded.commit(w.change, (), message="quick fix\n")),
    "A8 words that change no file": ("R2", lambda w: alone(w, w.guarded.store.in_git().tree_of(w.guarded.tip))),
    "A8 two signatures in the header": ("R16", lambda w: raw(w, b"\n\n", b"\ngpgsig a\ngpgsig b\n\n")),
    "A8 another header": ("R16", lambda w: raw(w, b"\n\n", b"\nx-note hello\n\n")),
    "A8 an encoding": ("R16", lambda w: raw(w, b"\n\n", b"\nencoding UTF-16\n\n")),
    "A8 a parent behind the committer": ("R16", lambda w: raw(w, b"\n\n", parent(w) + b"\n\n")),
    "A8 the parent twice": ("R16", lambda w: raw(w, b"\nauthor", parent(w) + b"\nauthor")),
    "A8 a NUL in the message": ("R16", lambda w: raw(w, b"Raise", b"Rai\0se")),
    "A8 a message that is no UTF-8": ("R16", lambda w: raw(w, b"Raise", b"Rai\xffse")),
}  # fmt: skip


def alone(world: World, tree: str) -> str:
    """A commit of a tree that its proposer alone has signed."""
    own: dict[str, Any] = {"tree": tree, "manifest_digest": touched(world, tree).digest}
    change = replace(world.change, id="c-20261015-aaaaaa", tree=tree)
    return world.guarded.commit(change, [world.guarded.say(change, "ann-lee", "propose", **own)])


def touched(world: World, tree: str) -> Manifest:
    changed = world.guarded.store.in_git().changed_paths(world.guarded.tip, tree)
    return manifest(Touched(one.path, one.old, one.new) for one in changed)


def proposal_of_another(world: World) -> Approval:
    return world.guarded.say(world.change, "eve-li", "propose", pen="ann-lee")


def message(world: World) -> str:
    return with_trailers(world.change.message, world.change.id, world.said)


def other_tree(world: World) -> str:
    repository = world.guarded.store.in_git()
    return repository.commit_with(world.change.tree, world.guarded.bank(customerGrade="province"))


def parent(world: World) -> bytes:
    return f"\nparent {world.guarded.tip}".encode()


def raw(world: World, old: bytes, new: bytes) -> str:
    data = world.guarded.store.in_git().raw_commit(world.commit)
    assert old in data
    return world.guarded.raw(data.replace(old, new, 1))


@pytest.mark.parametrize("name", COMMITS)
def test_a_commit_made_by_hand_is_refused_and_found(world: World, name: str) -> None:
    rule, make = COMMITS[name]
    guarded = world.guarded
    bad = make(world)

    assert set(guarded.push((guarded.tip, bad, MAIN))) == {rule}
    assert (bad, rule) in found_by_audit(guarded, bad)


CO_AUTHOR = "Raise the grade\n\nCo-authored-by: Bob Sun <bob-sun@example.org>"
OWN: dict[str, tuple[Callable[[Guarded], Change], str, str]] = {
    "A2 a co-author approves": (lambda g: g.propose(title=CO_AUTHOR), "bob-sun", "bob-sun"),
    "A2 with a second key of one's own": (lambda g: g.propose("bob-sun"), "bob-sun", "bob-second"),
}


@pytest.mark.parametrize("name", OWN)
def test_who_wrote_a_part_does_not_approve_of_it(world: World, name: str) -> None:
    propose, person, pen = OWN[name]
    guarded = world.guarded
    change = propose(guarded)
    assert change.proposed is not None
    bad = guarded.commit(change, [change.proposed, guarded.say(change, person, pen=pen)], by=change.proposed.person)

    assert guarded.push((guarded.tip, bad, MAIN)) == ["R9"]
    assert (bad, "R9") in found_by_audit(guarded, bad)


def test_a_key_that_two_people_have_counts_for_neither(tmp_path: Path) -> None:
    shared = {f"records/people/{name}.yaml": key_of(name, "lost") for name in ("bob-sun", "fay-ma")}
    guarded = Guarded.build(tmp_path, {**texts(), **shared})
    change = guarded.propose()
    assert change.proposed is not None
    bad = guarded.commit(change, [change.proposed, guarded.say(change, "bob-sun", pen="lost")])

    assert guarded.push((guarded.tip, bad, MAIN)) == ["R7"]


# -- what a tree holds -------------------------------------------------------------------------------------------------

BLOB, TREE, LINK, MODULE, PROGRAM = "100644", "040000", "120000", "160000", "100755"
PLANTS: dict[str, tuple[str, bytes]] = {
    "a symbolic link": (LINK, b"link.yaml"),
    "a submodule": (MODULE, b"module"),
    "an executable": (PROGRAM, b"run.yaml"),
    "attributes": (BLOB, b".gitattributes"),
    "a mail map": (BLOB, b".mailmap"),
    "a twin by case": (BLOB, b"Harbour-Bank.yaml"),
    "a name that is not composed": (BLOB, "cafe\u0301.yaml".encode()),
    "a full-width twin": (BLOB, "\uff48arbour-bank.yaml".encode()),
    "a name that turns the writing round": (BLOB, "bank\u202elmay.yaml".encode()),
    "a name with a line end": (BLOB, b"bank\n.yaml"),
    "a name with an escape": (BLOB, b"bank\x1b[2J.yaml"),
    "a name that is no UTF-8": (BLOB, b"bank\xff.yaml"),
    "a reserved name": (BLOB, b"con.yaml"),
    "a trailing dot": (BLOB, b"bank."),
    "a colon": (BLOB, b"a:b.yaml"),
    "a backslash": (BLOB, b"..\\bank.yaml"),
    "a leading dash": (BLOB, b"-rf.yaml"),
}


def planted(world: World, mode: str, name: bytes, oid: str, folder: str = CUSTOMERS) -> str:
    """A commit whose tree has one entry more, in a folder of the store; git itself is not asked whether it may."""
    guarded = world.guarded
    inside = {name: (mode, oid)}
    path = folder
    while True:
        rows = {}
        for row in git_bytes(guarded, "ls-tree", "-z", f"main:{path}").split(b"\0")[:-1]:
            meta, _, entry = row.partition(b"\t")
            rows[entry] = tuple(meta.decode().split(" ")[::2])
        rows |= inside
        kinds = {TREE: "tree", "40000": "tree", MODULE: "commit"}
        lines = b"".join(f"{m} {kinds.get(m, 'blob')} {o}\t".encode() + n + b"\0" for n, (m, o) in rows.items())
        made = git_bytes(guarded, "mktree", "-z", "--missing", stdin=lines).decode().strip()
        if not path:
            return guarded.commit(world.change, world.said, tree=made)
        path, _, last = path.rpartition("/")
        inside = {last.encode(): (TREE, made)}


def git_bytes(guarded: Guarded, *args: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["git", *args], cwd=guarded.member, input=stdin, capture_output=True, check=True).stdout


@pytest.mark.parametrize("name", PLANTS)
def test_what_may_not_be_in_a_tree_is_refused_and_found(world: World, name: str) -> None:
    guarded, (mode, entry) = world.guarded, PLANTS[name]
    oid = guarded.tip if mode == MODULE else git(guarded.member, "rev-parse", f"main:{BANK}")
    bad = planted(world, mode, entry, oid)

    assert "R17" in guarded.push((guarded.tip, bad, MAIN))
    assert (bad, "R17") in found_by_audit(guarded, bad)


def test_a_mode_that_nobody_signs_does_not_change_either(world: World) -> None:
    guarded = world.guarded
    tree = git(guarded.member, "rev-parse", "main^{tree}")
    runs = planted(world, PROGRAM, BANK.rpartition("/")[2].encode(), git(guarded.member, "rev-parse", f"main:{BANK}"))
    bad = guarded.commit(world.change, world.said, parent=runs, tree=tree)

    assert (bad, "R17") in found_by_audit(guarded, bad)
    assert git(guarded.member, "diff-tree", "-r", runs, bad).split()[:2] == [f":{PROGRAM}", BLOB]


def test_a_folder_that_differs_only_by_case_is_refused(world: World) -> None:
    guarded = world.guarded
    folder = git(guarded.member, "rev-parse", f"main:{CUSTOMERS}")
    bad = planted(world, TREE, b"Customers", folder, "records")

    assert "R17" in guarded.push((guarded.tip, bad, MAIN))


def test_a_bomb_of_ten_thousand_million_files_is_refused_at_once_and_found(world: World) -> None:
    guarded = world.guarded
    tree = bomb(guarded.member, git(guarded.member, "rev-parse", f"main:{BANK}"), times=40, levels=6)
    bad = planted(world, TREE, b"bomb", tree)
    started = spent()

    assert guarded.push((guarded.tip, bad, MAIN)) == ["R17"]
    assert spent() - started < 5
    assert (bad, "R17") in found_by_audit(guarded, bad)


def test_folders_three_thousand_deep_are_refused(world: World) -> None:
    guarded = world.guarded
    deep = bomb(guarded.member, git(guarded.member, "rev-parse", f"main:{BANK}"), times=1, levels=60)

    assert guarded.push((guarded.tip, planted(world, TREE, b"deep", deep), MAIN)) == ["R17"]


def test_a_large_file_is_refused_without_being_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = world.guarded
    large = git_bytes(guarded, "hash-object", "-w", "--stdin", stdin=b"a" * (2 * 1024 * 1024)).decode().strip()
    bad = planted(world, BLOB, b"large.yaml", large)
    read: list[str] = []
    batch = Repository._batch

    def watched(self: Repository, names: Sequence[str]) -> dict[str, bytes]:
        read.extend(names)
        return batch(self, names)

    monkeypatch.setattr(Repository, "_batch", watched)

    assert guarded.push((guarded.tip, bad, MAIN)) == ["R17"]
    assert read and large not in read


# -- what decides ------------------------------------------------------------------------------------------------------

LOWER = approval_store.RULES.replace("        - {role: policy, count: 1}\n", "")
RENAMED = approval_store.RULES.replace("control", "other")
SETTINGS = "name: small\ntimezone: Asia/Shanghai\nlanguage: en\nprotected: other\n"
GRADE = "schemas/kinds/Customer.schema.json"
POLICY = "rules/approval/control.yaml"


def key_of(name: str, pen: str) -> str:
    spec = {"department": "south", "contact": {"email": f"{name}@example.org"}, "status": "active"}
    keys = [{"key": PENS[name].public.line}, {"key": PENS[pen].public.line}]
    return approval_store.text_of("Person", name, {**spec, "keys": keys})[f"records/people/{name}.yaml"]


GOVERNED: dict[str, dict[str, str | None]] = {
    "A12 the threshold is lowered": {POLICY: LOWER},
    "A12 the policy is removed": {POLICY: None},
    "A12 the policy is renamed": {POLICY: None, "rules/approval/other.yaml": RENAMED},
    "A12 a key is added": {"records/people/bob-sun.yaml": key_of("bob-sun", "stranger")},
    "A12 another branch is protected": {"remit.yaml": SETTINGS},
    "A14 a schema is loosened with its record": {GRADE: "{}", BANK: "apiVersion: remit/v1\n"},
}  # fmt: skip


@pytest.fixture(scope="module")
def weakened(world: World) -> dict[str, Change]:
    found = {}
    for name, files in GOVERNED.items():
        data = {path: text.encode() if text is not None else None for path, text in files.items()}
        found[name] = world.guarded.propose("ann-lee", data, title=name)
    return found


@pytest.mark.parametrize("name", GOVERNED)
def test_what_decides_does_not_move_on_one_persons_word(world: World, weakened: dict[str, Change], name: str) -> None:
    guarded, change = world.guarded, weakened[name]
    assert change.proposed is not None
    bad = guarded.commit(change, [change.proposed, guarded.say(change, "bob-sun")])
    tip = guarded.commit(world.change, world.said, parent=bad)

    assert "approval" in guarded.push((guarded.tip, bad, MAIN))
    # What follows would be judged by what was refused, so it is not looked at.
    assert guarded.push((guarded.tip, tip, MAIN)) == guarded.push((guarded.tip, bad, MAIN))
    assert (bad, "approval") in found_by_audit(guarded, bad)


def test_a_policy_that_cannot_be_read_goes_in_on_nobodys_word(world: World) -> None:
    guarded = world.guarded
    change = guarded.propose("ann-lee", {POLICY: b"spec: [\n"}, title="A13")
    assert change.proposed is not None
    said = [change.proposed, guarded.say(change, "bob-sun"), guarded.say(change, "dan-wu")]

    assert set(guarded.push((guarded.tip, guarded.commit(change, said), MAIN))) == {"R11"}


def test_nothing_goes_in_where_the_policy_cannot_be_read(world: World) -> None:
    guarded = world.guarded
    repository = guarded.store.in_git()
    tree = repository.commit_with(repository.tree_of(guarded.tip), {POLICY: b"spec: [\n"})
    broken = guarded.commit(world.change, (), tree=tree, message="broken\n")
    change = world.change
    bad = guarded.commit(change, world.said, parent=broken, tree=repository.tree_of(change.tree))

    found = found_by_audit(guarded, bad)

    assert {rule for sha, rule in found if sha == bad} & {"R7", "R11"}


# -- where a branch goes -----------------------------------------------------------------------------------------------


def test_the_protected_branch_is_neither_forced_nor_removed_nor_made_anew(world: World) -> None:
    guarded = world.guarded
    orphan = guarded.store.in_git().commit_tree(world.change.tree, [], "orphan", who("ann-lee"), who("ann-lee"), NOW)
    merge = guarded.store.in_git().commit_tree(
        world.change.tree, [guarded.tip, world.commit], message(world), who("ann-lee"), who("ann-lee"), NOW
    )

    assert guarded.push((guarded.tip, None, MAIN)) == ["R2"]
    assert guarded.push((guarded.tip, orphan, MAIN)) == ["R2"]
    assert guarded.push((None, world.commit, MAIN)) == ["R15"]
    assert guarded.push((orphan, world.commit, MAIN)) == ["R15"]
    assert guarded.push((guarded.tip, merge, MAIN)) == ["R16"]
    assert (merge, "R16") in found_by_audit(guarded, merge)


def test_a_bad_commit_between_good_ones_is_found(world: World) -> None:
    guarded = world.guarded
    bad = guarded.commit(world.change, (), parent=world.commit, tree=world.change.tree, message="between\n")
    later = guarded.commit(world.change, (), parent=bad, tree=world.change.tree, message="last\n")

    assert guarded.push((guarded.tip, later, MAIN)) == ["R2"]
    assert bad[:12] in guarded.refusals((guarded.tip, later, MAIN))[0].message
    assert (bad, "R2") in found_by_audit(guarded, later)


def test_a_change_is_not_applied_twice_also_after_a_revert(world: World) -> None:
    guarded = world.guarded
    base = git(guarded.member, "rev-parse", f"{guarded.tip}^{{tree}}")
    reverted = guarded.commit(world.change, (), parent=world.commit, tree=base, message="revert\n")
    again = guarded.commit(world.change, world.said, parent=reverted)

    assert (again, "R4") in found_by_audit(guarded, again)


def test_approvals_of_a_base_after_which_the_rules_moved_are_refused(world: World) -> None:
    guarded = world.guarded
    repository = guarded.store.in_git()
    moved = repository.commit_with(
        repository.tree_of(guarded.tip), {POLICY: approval_store.RULES.encode() + b"# more\n"}
    )
    between = guarded.commit(world.change, (), tree=moved, message="moved\n")
    tree = repository.tree_with(moved, {entry.path: entry.new for entry in world.change.manifest.entries})
    stale = guarded.commit(world.change, world.said, parent=between, tree=tree)

    assert (stale, "R7") in found_by_audit(guarded, stale)


def test_who_wrote_on_a_branch_does_not_approve_although_the_branch_goes_at_the_same_time(world: World) -> None:
    guarded, change = world.guarded, world.guarded.propose(title="Written by two")
    repository = guarded.store.in_git()
    bob = repository.commit_tree(change.tree, [guarded.tip], "by Bob\n", who("bob-sun"), who("bob-sun"), AT)
    words = repository.commit(change.head).message
    head = repository.commit_tree(change.tree, [bob], words, who("ann-lee"), who("ann-lee"), AT)
    assert change.proposed is not None
    applied = guarded.commit(change, [change.proposed, guarded.say(change, "bob-sun")])
    guarded.land((None, head, CHANGES + change.id))

    assert guarded.push((guarded.tip, applied, MAIN), (head, None, CHANGES + change.id)) == ["R9"]


# -- which refs there are ----------------------------------------------------------------------------------------------

NAMES = [
    "refs/tags/main", "refs/heads/main/x", f"refs/heads/{'a' * 40}", f"{CHANGES}{'a' * 40}", "refs/heads/feature",
    f"refs/replace/{'a' * 40}", "refs/notes/commits", "refs/heads/../../x", "HEAD", "@{0}", "refs/heads/ma in",
    "refs/heads/main\nrefs/heads/x", "-rf", "--upload-pack=x", "refs/remit/verified/main", "refs/heads/MAIN",
    f"{CHANGES}c-1/x", f"{REVIEWS}c-1", f"{REVIEWS}c-1/Bob", f"{WITHDRAWN}c-1/x", "refs/heads/main.lock", "",
    f"{CHANGES}C-20261015-000000", "refs/heads/main\x1b[2J",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_refs_of_other_names_are_refused(world: World, name: str) -> None:
    guarded = world.guarded

    assert guarded.push((None, world.commit, name)) == ["R14"]
    assert guarded.push((guarded.tip, None, name)) == ["R14"]


def test_ten_thousand_refs_at_once_are_refused_at_once(world: World) -> None:
    guarded = world.guarded
    started = spent()

    assert guarded.push(*((None, world.commit, f"{CHANGES}c-{n}") for n in range(10_000))) == ["R14"]
    assert spent() - started < 2
