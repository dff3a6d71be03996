"""The life of a change on a lone repository, on clones of one origin, and against everything that may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from conftest import AT, GitRepo, be, commit_all, git, write_files
from test_git import hostile

from remit.changes import Candidate, Manifest, Message, Need, Person, approval_text, is_governed, parse_message
from remit.changing.applying import Applied, NotApplicable, apply
from remit.changing.histories import log_of
from remit.changing.proposals import changes, find, requirements, sides
from remit.changing.proposing import Clash, propose
from remit.changing.requiring import BUILT_IN_RULE
from remit.changing.reviewing import approve, reject, withdraw
from remit.changing.targets import CHANGES, REVIEWS, me
from remit.errors import NotFound, Refused, UserError
from remit.findings import Finding, finding
from remit.git import Identity, RefMoved, Repository
from remit.places import Place
from remit.registry import Registry
from remit.store import Files, Store

BANK = "records/customers/harbour-bank.yaml"
ZH = "records/customers/海港.yaml"
LATER = AT + timedelta(hours=1)


def person(name: str) -> str:
    return f"kind: Person\nmetadata: {{name: {name}}}\nspec: {{contact: {{email: {name}@example.org}}}}\n"


BASE = {
    "remit.yaml": "name: test\nprotected: main\n",
    "README.md": "read me\n",
    BANK: "grade: local\n",
    "records/customers/old.yaml": "grade: old\n",
    "schemas/kinds/Customer.schema.json": '{"x-remit-plural": "customers"}\n',
    "rules/escalation/fault.yaml": "after: 120m\n",
    **{f"records/people/{name}.yaml": person(name) for name in ("ann-lee", "bob-sun", "cai-yu")},
}


def one_other(base: Files, head: Files, manifest: Manifest, author: Person) -> Sequence[Need]:
    """Everything needs one person of the base."""
    return [Need("ApprovalPolicy/all/one", 1, tuple(Candidate(name) for name in Registry.of(base.blobs).names))]


def nobody(base: Files, head: Files, manifest: Manifest, author: Person) -> Sequence[Need]:
    return []


def fine(files: Files) -> Sequence[Finding]:
    return []


def broken(files: Files) -> Sequence[Finding]:
    return [finding("missing-field", "grade is missing", Place(BANK, 1))]


def applied(store: Store, id: str, *, at: datetime = LATER) -> Applied:
    return apply(store, id, at=at, judge=one_other, check=fine)


def everything(folder: Path) -> dict[str, bytes]:
    """Every byte of a working tree and of what git knows about it, object files and logs aside."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = {str(path.relative_to(folder)): path for path in files}
    return {n: p.read_bytes() for n, p in names.items() if not n.startswith((".git/objects", ".git/logs", "objects"))}


@pytest.fixture
def lone(git_repo: GitRepo) -> Store:
    return Store.open(git_repo(BASE))


@pytest.fixture
def origin(git_repo: GitRepo, git_clone: GitRepo) -> Path:
    return git_clone(git_repo(BASE, "seed"), "origin.git", bare=True)


@pytest.fixture
def ann(origin: Path, git_clone: GitRepo) -> Store:
    return Store.open(git_clone(origin, "ann", user="ann-lee"))


@pytest.fixture
def bob(origin: Path, git_clone: GitRepo) -> Store:
    return Store.open(git_clone(origin, "bob", user="bob-sun"))


def edited(store: Store, path: str = BANK, text: str = "grade: group\n") -> Store:
    write_files(store.root, {path: text})
    return store


# -- the whole way -----------------------------------------------------------------------------------------------------


def test_a_change_on_a_lone_repository_from_proposal_to_history(lone: Store) -> None:
    tip = git(lone.root, "rev-parse", "main")
    edited(lone, ZH, "等级: 集团\n")
    edited(lone)
    (lone.root / "records/customers/old.yaml").unlink()

    change = propose(lone, "提高海港银行的等级\n\n合同已续签", at=AT)
    be(lone.root, "bob-sun")
    assert [(p.change, p.state) for p in changes(lone, judge=one_other)] == [(change, "open")]
    approval = approve(lone, change.id, at=AT, reason="同意")
    assert [p.state for p in changes(lone, judge=one_other)] == ["approved"]
    be(lone.root, "cai-yu")
    done = applied(lone, change.id)

    assert change.id.startswith("c-20261015-") and change.manifest.paths == (BANK, "records/customers/old.yaml", ZH)
    assert change.title == "提高海港银行的等级" and change.body == "合同已续签" and change.base == tip
    commit = Repository(lone.root).commit("main")
    assert commit.sha == done.commit and commit.parents == (tip,) and commit.tree == change.tree
    assert (commit.author, commit.committer, commit.committed) == ("Ann Lee", "Cai Yu", LATER)
    assert parse_message(commit.message) == Message("提高海港银行的等级\n\n合同已续签", change.id, (approval,))
    assert [p.state for p in changes(lone)] == ["applied"]
    assert git(lone.root, "status", "--porcelain") == "" and done.notes == ()
    assert [(e.change, e.approvals) for e in log_of(lone, "Customer/海港")] == [(change.id, (approval,))]
    assert git(lone.root, "fsck", "--strict") == ""


def test_a_change_from_one_clone_to_another_through_the_origin(ann: Store, bob: Store, origin: Path) -> None:
    change = propose(edited(ann), "raise the grade", at=AT)
    approve(bob, change.id[:12], at=AT)
    done = applied(bob, change.id)

    bare = Repository(origin)
    assert bare.ref("refs/heads/main") == done.commit and bare.commit("main").tree == change.tree
    assert git(bob.root, "rev-parse", "main", "origin/main").split() == [done.commit] * 2
    assert (bob.root / BANK).read_text() == "grade: group\n" and git(bob.root, "status", "--porcelain") == ""
    assert find(ann, change.id).state == "applied"
    assert next(e.change for e in log_of(ann, BANK, ref="origin/main")) == change.id
    assert Store.open(origin).files().blobs[BANK] == b"grade: group\n"


def test_proposing_and_reviewing_touch_no_file_no_index_and_no_head(lone: Store) -> None:
    edited(lone)
    write_files(lone.root, {"README.md": "mine\n"})
    git(lone.root, "add", "README.md")
    before = {name: data for name, data in everything(lone.root).items() if "refs" not in name}

    change = propose(lone, "raise the grade", at=AT)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    changes(lone, judge=one_other)
    sides(lone, change)

    be(lone.root, "ann-lee")
    after = {name: data for name, data in everything(lone.root).items() if "refs" not in name}
    assert after | {".git/config": b""} == before | {".git/config": b""}


def test_only_the_paths_asked_for_are_proposed(lone: Store) -> None:
    edited(lone), edited(lone, "rules/escalation/fault.yaml", "after: 60m\n")

    assert propose(lone, "one", [BANK], at=AT).manifest.paths == (BANK,)
    assert propose(lone, "folder", ["rules/"], at=AT).manifest.paths == ("rules/escalation/fault.yaml",)
    with pytest.raises(NotFound, match="nothing at"):
        propose(lone, "none", ["records/customers/harbour-bonk.yaml"], at=AT)
    with pytest.raises(Refused, match="nothing differs"):
        propose(lone, "same", ["schemas"], at=AT)


def test_proposing_the_same_twice_is_one_change(lone: Store) -> None:
    edited(lone)

    assert propose(lone, "x", at=AT) == propose(lone, "x", at=AT)
    assert propose(lone, "x", at=LATER).id != propose(lone, "x", at=AT).id
    assert len(changes(lone)) == 2


def test_a_store_in_a_folder_proposes_and_applies_below_it(git_repo: GitRepo) -> None:
    repo = git_repo({f"ops/{path}": text for path, text in BASE.items()} | {BANK: "not the store's\n"})
    store = edited(Store.open(repo / "ops"))
    write_files(repo, {BANK: "not proposed\n"})

    change = propose(store, "x", at=AT)
    be(repo, "bob-sun")
    approve(store, change.id, at=AT)
    applied(store, change.id)

    assert change.manifest.paths == (f"ops/{BANK}",)
    assert git(repo, "show", f"main:ops/{BANK}") == "grade: group"
    assert git(repo, "status", "--porcelain") == f" M {BANK}"


def test_a_working_tree_that_is_behind_takes_nothing_back(ann: Store, bob: Store) -> None:
    first = propose(edited(ann), "one", at=AT)
    approve(bob, first.id, at=AT)
    applied(bob, first.id)
    git(ann.root, "checkout", "--quiet", BANK)

    second = propose(edited(ann, ZH, "new\n"), "two", at=LATER)

    assert second.manifest.paths == (ZH,)
    assert sides(ann, second)[1].blobs[BANK] == b"grade: group\n"
    with pytest.raises(Clash, match="changed on main too") as clash:
        propose(edited(ann, BANK, "grade: province\n"), "three", at=LATER)
    assert [(c.pointer, c.ours.value, c.theirs.value) for c in clash.value.conflicts] == [
        (("grade",), "province", "group")
    ]


# -- who may -----------------------------------------------------------------------------------------------------------


def test_the_author_cannot_approve_and_nobody_unknown_can(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)

    with pytest.raises(Refused, match="you wrote a part"):
        approve(lone, change.id, at=AT)
    be(lone.root, "dan-xu")
    with pytest.raises(Refused, match="no Person record"):
        approve(lone, change.id, at=AT)
    with pytest.raises(NotApplicable, match="not approved"):
        applied(lone, change.id)
    assert Repository(lone.root).refs(REVIEWS) == {}


def test_a_person_added_by_the_change_itself_cannot_approve_it(lone: Store) -> None:
    change = propose(edited(lone, "records/people/dan-xu.yaml", person("dan-xu")), "x", at=AT)
    be(lone.root, "dan-xu")

    with pytest.raises(Refused, match="no Person record of the base"):
        approve(lone, change.id, at=AT)


def test_an_author_posted_as_approver_counts_for_nothing(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    be(lone.root, "bob-sun")
    approval = approve(lone, change.id, at=AT)
    repository = Repository(lone.root)
    forged = approval_text(approval).replace(b"bob-sun", b"ann-lee")
    who = Identity("Ann Lee", "ann-lee@example.org")
    sha = repository.commit_tree(repository.commit_with(None, {"approval": forged}), [], "x", who, who, AT)
    repository.update_ref(f"{REVIEWS}{change.id}/ann-lee", sha, repository.zero)
    repository.update_ref(f"{REVIEWS}{change.id}/cai-yu", sha, repository.zero)
    repository.update_ref(f"{REVIEWS}{change.id}/dan-xu", repository.resolve("main"), repository.zero)

    whys = [review.why for review in find(lone, change.id).reviews if not review.holds]

    assert whys == ["ann-lee wrote a part of the change", "it was given elsewhere"]
    (need,) = requirements(lone, change, one_other)
    assert need.given_by == ("bob-sun",) and [c.person for c in need.candidates] == ["bob-sun", "cai-yu"]


def test_a_co_author_cannot_approve(lone: Store) -> None:
    change = propose(edited(lone), "x\n\nCo-authored-by: Bob <BOB-SUN@example.org>", at=AT)
    be(lone.root, "bob-sun")

    with pytest.raises(Refused, match="you wrote a part"):
        approve(lone, change.id, at=AT)


def test_two_needs_two_people(lone: Store) -> None:
    def two(base: Files, head: Files, manifest: Manifest, author: Person) -> Sequence[Need]:
        return [Need("p/two", 2, one_other(base, head, manifest, author)[0].candidates)]

    change = propose(edited(lone), "x", at=AT)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT), approve(lone, change.id, at=LATER)
    (need,) = requirements(lone, change, two)
    assert not need.satisfied and need.given_by == ("bob-sun",) and need.why == "1 missing"

    be(lone.root, "cai-yu")
    approve(lone, change.id, at=AT)
    assert requirements(lone, change, two)[0].satisfied


def test_governed_paths_need_somebody_else_even_without_a_policy(lone: Store) -> None:
    change = propose(edited(lone, "rules/escalation/fault.yaml", "after: 60m\n"), "x", at=AT)

    with pytest.raises(NotApplicable, match=BUILT_IN_RULE):
        apply(lone, change.id, at=AT, judge=nobody, check=fine)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    apply(lone, change.id, at=AT, judge=nobody, check=fine)

    harmless = propose(edited(lone), "y", at=LATER)
    assert requirements(lone, harmless, nobody) == []
    assert apply(lone, harmless.id, at=LATER, judge=nobody, check=fine).approvals == ()


def test_a_rejection_outweighs_approvals_until_it_is_taken_back(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    be(lone.root, "cai-yu")
    with pytest.raises(Refused, match="reason"):
        reject(lone, change.id, "  ", at=AT)
    reject(lone, change.id, "等级不对", at=AT)

    assert find(lone, change.id, judge=one_other).state == "rejected"
    with pytest.raises(Refused, match="rejected by cai-yu"):
        applied(lone, change.id)
    approve(lone, change.id, at=LATER)
    assert applied(lone, change.id).commit
    assert git(lone.root, "rev-list", "--count", f"{REVIEWS}{change.id}/cai-yu") == "2"


def test_only_the_proposer_withdraws_and_nothing_is_lost(ann: Store, bob: Store, origin: Path) -> None:
    change = propose(edited(ann), "x", at=AT)

    with pytest.raises(Refused, match="proposed by Ann Lee"):
        withdraw(bob, change.id, at=AT)
    withdraw(ann, change.id, at=AT), withdraw(ann, change.id, at=AT)

    assert [(p.change.id, p.state) for p in changes(bob)] == [(change.id, "withdrawn")]
    assert Repository(origin).refs(CHANGES) == {} and Repository(origin).commit(change.head).tree == change.tree
    for act in (lambda: approve(bob, change.id, at=AT), lambda: applied(bob, change.id)):
        with pytest.raises(Refused, match="withdrawn"):
            act()


def test_a_withdrawal_that_stopped_before_the_branch_was_removed_goes_on(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    withdraw(lone, change.id, at=AT)
    git(lone.root, "update-ref", f"{CHANGES}{change.id}", change.head)

    withdraw(lone, change.id, at=AT)

    assert lone.in_git().refs(CHANGES) == {}
    assert [(p.change.id, p.state) for p in changes(lone)] == [(change.id, "withdrawn")]


def test_two_people_with_one_email_are_nobody() -> None:
    both = {f"records/people/{name}.yaml": person(name).encode() for name in ("ann-lee", "bob-sun")}
    shared = {path: data.replace(b"bob-sun@", b"ANN-lee@") for path, data in both.items()}

    with pytest.raises(Refused, match="ann-lee, bob-sun"):
        me(Registry(shared), Identity("X", "ann-lee@EXAMPLE.org"))
    assert me(Registry(both), Identity("Y", "y@example.org")) == Person("Y", "y@example.org", "")


# -- exactly what was approved -----------------------------------------------------------------------------------------


def amended(store: Store, change_id: str, files: dict[str, bytes | None], name: str = "ann-lee") -> None:
    """Put another commit onto the branch of a change, as plain git can."""
    repository = Repository(store.root)
    head = repository.resolve(f"change/{change_id}")
    who = Identity(name, f"{name}@example.org")
    tree = repository.commit_with(repository.tree_of(head), files)
    repository.update_ref(CHANGES + change_id, repository.commit_tree(tree, [head], "more", who, who, AT), head)


def test_an_approval_does_not_survive_a_changed_tree(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    amended(lone, change.id, {BANK: b"grade: province\n"})

    (review,) = find(lone, change.id).reviews
    assert review.why == "the change was different when it was given"
    with pytest.raises(NotApplicable, match="not approved"):
        applied(lone, change.id)


def test_whoever_adds_a_commit_to_a_change_is_a_contributor(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    amended(lone, change.id, {ZH: b"x\n"}, "bob-sun")
    be(lone.root, "bob-sun")

    with pytest.raises(Refused, match="you wrote a part"):
        approve(lone, change.id, at=AT)
    be(lone.root, "ann-lee")
    with pytest.raises(Refused, match="you wrote a part"):
        approve(lone, change.id, at=AT)


def test_an_approval_runs_out(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    be(lone.root, "bob-sun")
    with pytest.raises(Refused, match="run out before"):
        approve(lone, change.id, at=AT, not_after=AT)
    approve(lone, change.id, at=AT, not_after=LATER)

    with pytest.raises(NotApplicable, match="not approved"):
        applied(lone, change.id, at=LATER + timedelta(seconds=1))
    assert applied(lone, change.id, at=LATER).commit


@pytest.mark.parametrize(
    ("moved", "state"),
    [
        ({ZH: "x\n"}, "open"),
        ({"README.md": "x\n"}, "open"),
        ({BANK: "grade: province\n"}, "outdated"),
        ({"records/people/bob-sun.yaml": person("bob-sun") + "# left\n"}, "outdated"),
        ({"rules/approval/new.yaml": "x\n"}, "outdated"),
        ({"remit.yaml": "name: test\nprotected: main\nlanguage: zh\n"}, "outdated"),
        ({f"{BANK}/x.yaml": "x\n"}, "outdated"),
    ],
)
def test_an_approval_stays_good_only_while_what_it_is_about_holds(
    lone: Store, moved: dict[str, str], state: str
) -> None:
    change = propose(edited(lone), "x", at=AT)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    git(lone.root, "checkout", "--quiet", BANK)
    if f"{BANK}/x.yaml" in moved:
        (lone.root / BANK).unlink()
    write_files(lone.root, moved)
    tip = commit_all(lone.root)

    assert find(lone, change.id).state == state
    if state == "outdated":
        for act in (lambda: applied(lone, change.id), lambda: approve(lone, change.id, at=LATER)):
            with pytest.raises(Refused, match="has moved at"):
                act()
        assert git(lone.root, "rev-parse", "main") == tip
    else:
        done = applied(lone, change.id)
        assert git(lone.root, "rev-parse", f"{done.commit}^") == tip
        assert git(lone.root, "diff", "--name-only", tip, done.commit) == BANK
        assert git(lone.root, "status", "--porcelain") == ""


def test_a_rule_may_want_the_exact_base(lone: Store) -> None:
    def exact(base: Files, head: Files, manifest: Manifest, author: Person) -> Sequence[Need]:
        return [Need("p/exact", 1, one_other(base, head, manifest, author)[0].candidates, exact_base=True)]

    change = propose(edited(lone), "x", at=AT)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    assert requirements(lone, change, exact)[0].satisfied
    git(lone.root, "checkout", "--quiet", BANK)
    write_files(lone.root, {ZH: "x\n"})
    commit_all(lone.root)

    with pytest.raises(NotApplicable, match="exact base"):
        apply(lone, change.id, at=AT, judge=exact, check=fine)


def test_a_result_with_errors_is_refused_with_its_findings(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    tip = git(lone.root, "rev-parse", "main")

    with pytest.raises(NotApplicable, match="grade is missing") as caught:
        apply(lone, change.id, at=AT, judge=one_other, check=broken)

    assert [f.code for f in caught.value.findings] == ["missing-field"]
    assert git(lone.root, "rev-parse", "main") == tip


def test_a_change_that_holds_a_link_is_refused(lone: Store) -> None:
    git(lone.root, "checkout", "--quiet", "-b", "change/sly")
    (lone.root / "records" / "x.yaml").symlink_to("/etc/passwd")
    commit_all(lone.root)
    git(lone.root, "checkout", "--quiet", "main")
    be(lone.root, "bob-sun")
    approve(lone, "sly", at=AT)

    with pytest.raises(NotApplicable, match="other than plain files"):
        applied(lone, "sly")


def test_the_judge_sees_the_base_and_paths_of_the_store(git_repo: GitRepo) -> None:
    repo = git_repo({f"ops/{path}": text for path, text in BASE.items()})
    store = edited(Store.open(repo / "ops"), "rules/escalation/fault.yaml", "after: 1m\n")
    change = propose(store, "x", at=AT)
    seen: list[object] = []

    def judge(base: Files, head: Files, manifest: Manifest, author: Person) -> Sequence[Need]:
        seen.extend(
            [base.blobs["rules/escalation/fault.yaml"], head.blobs["rules/escalation/fault.yaml"], manifest.paths]
        )
        seen.append(author)
        return []

    requirements(store, change, judge)

    assert seen[:3] == [b"after: 120m\n", b"after: 1m\n", ("rules/escalation/fault.yaml",)]
    assert seen[3] == Person("Ann Lee", "ann-lee@example.org", "ann-lee") and is_governed("rules/escalation/fault.yaml")


# -- races, repeats and things left in the way -------------------------------------------------------------------------


def test_apply_twice_applies_once(ann: Store, bob: Store, origin: Path) -> None:
    change = propose(edited(ann), "x", at=AT)
    approve(bob, change.id, at=AT)

    first, second, third = applied(bob, change.id), applied(bob, change.id), applied(ann, change.id, at=AT)

    assert not first.already and second.already and third.already
    assert first.commit == second.commit == third.commit and first.approvals == second.approvals
    assert git(origin, "rev-list", "--count", "main") == "2"


def test_of_two_clones_that_race_one_is_told_that_the_branch_moved(
    ann: Store, bob: Store, origin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = propose(edited(ann), "one", at=AT), propose(edited(bob, ZH, "x\n"), "two", at=AT)
    approve(bob, one.id, at=AT), approve(ann, two.id, at=AT)

    def check(files: Files) -> Sequence[Finding]:
        if git(origin, "rev-list", "--count", "main") == "1":
            applied(bob, one.id)  # while ann is still looking at her result
        return []

    with pytest.raises(RefMoved, match="main moved while") as caught:
        apply(ann, two.id, at=LATER, judge=one_other, check=check)

    assert "remit apply" in caught.value.hint
    assert find(ann, one.id).state == "applied" and find(ann, two.id).state == "open"
    applied(ann, two.id)
    assert git(origin, "rev-list", "--count", "main") == "3"
    assert Store.open(origin).files().blobs[BANK] == b"grade: group\n"


def test_two_who_apply_the_same_change_at_once_apply_it_once(ann: Store, bob: Store, origin: Path) -> None:
    change = propose(edited(ann), "one", at=AT)
    approve(bob, change.id, at=AT)

    def check(files: Files) -> Sequence[Finding]:
        applied(bob, change.id)
        return []

    done = apply(ann, change.id, at=AT, judge=one_other, check=check)

    assert done.already and git(origin, "rev-list", "--count", "main") == "2"


def test_an_error_after_the_push_landed_is_recognised(ann: Store, bob: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    change = propose(edited(ann), "one", at=AT)
    approve(bob, change.id, at=AT)
    push = Repository.push

    def lost(*args: object) -> None:
        push(*args)  # type: ignore[arg-type]
        raise UserError("the connection was cut")

    monkeypatch.setattr(Repository, "push", lost)
    done = applied(bob, change.id)

    assert not done.already and find(ann, change.id).state == "applied"


def test_an_apply_that_was_killed_after_the_branch_moved_is_finished_by_the_next(
    lone: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = propose(edited(lone), "x", at=AT)
    git(lone.root, "checkout", "--quiet", ".")
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("remit.changing.applying.follow", killed)
        with pytest.raises(KeyboardInterrupt):
            applied(lone, change.id)
    done = applied(lone, change.id)

    assert done.already and git(lone.root, "status", "--porcelain") == ""
    assert git(lone.root, "rev-list", "--count", "main") == "2"


def test_files_that_cannot_follow_do_not_hide_that_the_change_is_in(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    (lone.root / ".git" / "index.lock").touch()

    done = applied(lone, change.id)

    assert git(lone.root, "rev-parse", "main") == done.commit and "could not follow" in done.notes[0]


def test_a_proposal_that_the_origin_declines_leaves_nothing_here(ann: Store, origin: Path) -> None:
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho closed today >&2\nexit 1\n")
    hook.chmod(0o755)

    with pytest.raises(Refused, match="closed today"):
        propose(edited(ann), "x", at=AT)

    assert Repository(ann.root).refs(CHANGES) == {} and changes(ann) == []


def test_files_that_somebody_edited_are_left_and_named(lone: Store) -> None:
    edited(lone), edited(lone, ZH, "x\n")
    change = propose(lone, "x", at=AT)
    write_files(lone.root, {BANK: "grade: mine\n"})
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)

    done = applied(lone, change.id)

    assert (lone.root / BANK).read_text() == "grade: mine\n"
    assert git(lone.root, "status", "--porcelain") == f" M {BANK}"
    assert len(done.notes) == 1 and BANK in done.notes[0]


def test_files_follow_when_nobody_edited_them(lone: Store) -> None:
    edited(lone), edited(lone, "records/deep/er/x.yaml", "x\n")
    (lone.root / "records/customers/old.yaml").unlink()
    change = propose(lone, "x", at=AT)
    git(lone.root, "checkout", "--quiet", ".")
    (lone.root / "records/deep/er/x.yaml").unlink()
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)

    done = applied(lone, change.id)

    assert done.notes == () and git(lone.root, "status", "--porcelain") == ""
    assert (lone.root / BANK).read_text() == "grade: group\n" and (lone.root / "records/deep/er/x.yaml").exists()
    assert not (lone.root / "records/customers/old.yaml").exists()


def test_an_apply_from_another_branch_or_a_detached_head_moves_only_the_protected_branch(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    git(lone.root, "checkout", "--quiet", ".")
    git(lone.root, "checkout", "--quiet", "--detach")
    be(lone.root, "bob-sun")
    approve(lone, change.id, at=AT)
    head = git(lone.root, "rev-parse", "HEAD")

    done = applied(lone, change.id)

    assert git(lone.root, "rev-parse", "HEAD") == head and git(lone.root, "rev-parse", "main") == done.commit
    assert git(lone.root, "status", "--porcelain") == ""
    assert propose(edited(lone, ZH, "x\n"), "from a detached head", at=AT).manifest.paths == (ZH,)


def test_a_clone_whose_branch_is_elsewhere_is_told_to_pull(ann: Store, bob: Store) -> None:
    commit_all(bob.root, "own work")
    change = propose(edited(ann), "x", at=AT)
    approve(bob, change.id, at=AT)
    before = git(bob.root, "rev-parse", "main")

    done = applied(bob, change.id)

    assert "git pull" in done.notes[0] and git(bob.root, "rev-parse", "main") == before


def test_a_branch_that_is_no_change_does_not_hide_the_others(lone: Store) -> None:
    change = propose(edited(lone), "x", at=AT)
    repository = Repository(lone.root)
    who = Identity("x", "x@example.org")
    orphan = repository.commit_tree(repository.commit_with(None, {"a": b"x"}), [], "orphan", who, who, AT)
    repository.update_ref(f"{CHANGES}orphan", orphan, repository.zero)
    repository.update_ref(f"{CHANGES}Not-An-Id", orphan, repository.zero)

    assert {p.change.id: p.state for p in changes(lone)} == {change.id: "open", "orphan": "unreadable"}


def test_an_origin_that_rewrote_its_history_is_not_believed(ann: Store, origin: Path) -> None:
    edited(ann)
    commit_all(ann.root)
    git(ann.root, "push", "--quiet")
    git(origin, "update-ref", "refs/heads/main", "main~1")

    with pytest.raises(Refused, match="rewrote main"):
        changes(ann)


# -- places where it cannot be done ------------------------------------------------------------------------------------


Somewhere = Callable[[Store, GitRepo, GitRepo], Store]


def unborn(store: Store, make: GitRepo, clone: GitRepo) -> Store:
    folder = make(name="unborn")
    write_files(folder, BASE)
    return Store.open(folder)


def without_identity(store: Store, make: GitRepo, clone: GitRepo) -> Store:
    git(store.root, "config", "--unset", "user.email")
    return edited(store)


def bare(store: Store, make: GitRepo, clone: GitRepo) -> Store:
    return Store.open(clone(store.root, "bare.git", bare=True))


def without_git(store: Store, make: GitRepo, clone: GitRepo) -> Store:
    write_files(store.root.parent / "plain", BASE)
    return Store.open(store.root.parent / "plain")


def unchanged(store: Store, make: GitRepo, clone: GitRepo) -> Store:
    return store


def linked(store: Store, make: GitRepo, clone: GitRepo) -> Store:
    (store.root / BANK).unlink()
    (store.root / BANK).symlink_to("/etc/passwd")
    return store


def other_branch_protected(store: Store, make: GitRepo, clone: GitRepo) -> Store:
    write_files(store.root, {"remit.yaml": "name: x\nprotected: trunk\n"})
    commit_all(store.root)
    return edited(store)


def shallow_without_base(store: Store, make: GitRepo, clone: GitRepo) -> Store:
    commit_all(store.root)
    git(store.root, "branch", "side", "HEAD~1")
    git(store.root, "checkout", "--quiet", "side")
    commit_all(store.root, "aside")
    git(store.root, "checkout", "--quiet", "main")
    folder = clone(store.root, "shallow", depth=1)
    git(folder, "fetch", "--quiet", "--depth=1", "origin", "side")
    git(folder, "checkout", "--quiet", "FETCH_HEAD")
    return edited(Store.open(folder))


@pytest.mark.parametrize(
    ("place", "message", "hint"),
    [
        (unborn, "no commit yet", "git commit"),
        (without_identity, "git does not know who you are", "git config user.name"),
        (bare, "bare repository", "clone"),
        (without_git, "not in a git repository", "git init"),
        (unchanged, "nothing differs", "git status"),
        (linked, "symbolic link", "regular file"),
        (other_branch_protected, 'no commit on the protected branch "trunk"', "trunk"),
        (shallow_without_base, "shallow", "git fetch --unshallow"),
    ],
)
def test_propose_says_why_it_cannot_and_changes_nothing(
    lone: Store, git_repo: GitRepo, git_clone: GitRepo, place: Somewhere, message: str, hint: str
) -> None:
    store = place(lone, git_repo, git_clone)
    before = everything(store.root)

    with pytest.raises(Refused, match=message) as caught:
        propose(store, "x", at=AT)

    assert hint in caught.value.hint
    after = everything(store.root)
    fetched = {name for name in after if name.startswith(".git/refs/remotes")}
    assert {n: d for n, d in after.items() if n not in fetched} == {n: d for n, d in before.items() if n not in fetched}


@pytest.mark.parametrize("message", ["", " \n ", "bell \a", "right to left \u202e"])
def test_a_title_is_plain_words(lone: Store, message: str) -> None:
    with pytest.raises(Refused, match=r"title|character"):
        propose(edited(lone), message, at=AT)


def test_a_shallow_clone_cannot_approve_but_can_propose(ann: Store, origin: Path, git_clone: GitRepo) -> None:
    commit_all(ann.root)
    git(ann.root, "push", "--quiet")
    change = propose(edited(ann), "x", at=AT)
    shallow = Store.open(git_clone(origin, "shallow", user="bob-sun", depth=1))

    assert propose(edited(shallow, ZH, "x\n"), "y", at=AT).manifest.paths == (ZH,)
    with pytest.raises(Refused) as caught:
        approve(shallow, change.id, at=AT)

    assert "unshallow" in caught.value.hint


@pytest.mark.parametrize("id", ["c-nothing", "", "--help", "../x"])
def test_an_unknown_change_is_not_found(lone: Store, id: str) -> None:
    propose(edited(lone), "x", at=AT)

    with pytest.raises(NotFound):
        find(lone, id)


def test_history_of_what_never_was_is_not_found(lone: Store) -> None:
    assert [e.commit.message for e in log_of(lone, "EscalationPolicy/fault")] == ["first\n"]
    for name in ("Customer/nobody", "Kunde/x", "records/none.yaml"):
        with pytest.raises(NotFound):
            log_of(lone, name)


def test_hostile_configuration_runs_nothing_on_the_whole_way(ann: Store, bob: Store, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    hostile(ann.root, mark), hostile(bob.root, mark)
    edited(ann)
    mark.unlink(missing_ok=True)  # what the arranging git itself ran

    change = propose(ann, "x", at=AT)
    approve(bob, change.id, at=AT)
    changes(bob, judge=one_other)
    applied(bob, change.id)
    log_of(bob, BANK)

    assert not mark.exists(), mark.read_text()
    assert (bob.root / BANK).read_text() == "grade: group\n"
