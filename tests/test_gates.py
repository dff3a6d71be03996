"""Every attack on approval is refused three times: by ``apply``, by the hook of an origin, and by ``audit``."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attacks import ATTACKS, TWINS, Case, Stage, texts
from conftest import git
from guarded import MAIN, Guarded

from remit.git import Repository
from remit.main import main

OFF = ("-c", "core.hooksPath=/dev/null")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, home: None) -> Stage:
    return Stage(Guarded.build(tmp_path_factory.mktemp("gates"), texts(), at=datetime(2020, 1, 1, tzinfo=UTC)))


@pytest.fixture
def stage(template: Stage, tmp_path: Path) -> Stage:
    return template.copy(tmp_path)


def push(stage: Stage, *words: str) -> tuple[int, str]:
    """What plain git says when the member pushes."""
    command = ["git", "push", str(stage.guarded.origin), *words]
    done = subprocess.run(command, cwd=stage.guarded.member, capture_output=True, check=False)
    return done.returncode, done.stderr.decode()


def audit(stage: Stage, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[tuple[str, str]]]:
    """The exit code of an audit of the origin, and the commits and rules that it names."""
    capsys.readouterr()
    code = main(["--store", str(stage.guarded.origin), "audit", "--check", "--format", "json"])
    return code, [(one["commit"], one["rule"]) for one in json.loads(capsys.readouterr().out)["troubles"]]


def apply(stage: Stage, case: Case, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code of the command and what it says."""
    stage.guarded.be("hal-xu")
    capsys.readouterr()
    code = main(["--store", str(stage.guarded.member), "apply", case.change.id])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("name", ATTACKS)
def test_apply_refuses_it_in_a_lone_store_and_in_a_clone(
    stage: Stage, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    attack, guarded = ATTACKS[name], stage.guarded
    case = attack.mount(stage, False)
    before = stage.tip

    stage.post(case, origin=False)
    lone = apply(stage, case, capsys)
    stage.post(case, origin=True)
    git(guarded.member, "remote", "add", "origin", str(guarded.origin))
    cloned = apply(stage, case, capsys)

    for code, said in (lone, cloned):
        assert code == 2 and attack.apply in said, said
    assert (guarded.tip, stage.tip) == (before, before)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_hook_refuses_it_and_an_audit_finds_it_behind_the_hook(
    stage: Stage, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    attack, guarded = ATTACKS[name], stage.guarded
    case = attack.mount(stage, False)
    before = guarded.tip

    status, said = push(stage, f"{case.commit}:{MAIN}")
    assert status == 1 and f"rule {attack.rule}: " in said, said
    assert guarded.tip == before
    assert not Repository(guarded.origin).exists(case.commit)

    guarded.land((None, case.commit, MAIN))
    code, found = audit(stage, capsys)
    assert code == 1 and (case.commit, attack.rule) in found


@pytest.mark.parametrize("name", TWINS)
def test_without_the_attack_the_same_goes_through_all_three(
    stage: Stage, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    case = ATTACKS[name].mount(stage, True)
    stage.post(case, origin=False)
    before = stage.tip

    status, said = push(stage, f"{case.commit}:{MAIN}")
    assert status == 0, said
    assert stage.guarded.tip == case.commit and audit(stage, capsys) == (0, [])
    code, said = apply(stage, case, capsys)
    assert code == 0, said
    assert git(stage.guarded.member, "rev-parse", f"{MAIN}~1", f"{MAIN}^{{tree}}").split() == [
        before,
        git(stage.guarded.origin, "rev-parse", f"{MAIN}^{{tree}}"),
    ]


# -- attacks that a gate meets in another way --------------------------------------------------------------------------


def applied(stage: Stage) -> Case:
    """A good change that is in, at the origin and here."""
    case = ATTACKS["self-approval"].mount(stage, True)
    stage.guarded.land((None, case.commit, MAIN))
    git(stage.guarded.member, "update-ref", MAIN, case.commit)
    return case


def test_force_push_the_hook_refuses_apply_does_not_follow_and_audit_finds_it(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    guarded, root = stage.guarded, stage.tip
    tip = applied(stage).commit
    git(guarded.member, "remote", "add", "origin", str(guarded.origin))
    change = stage.propose(grade="province")
    case = stage.case(change, stage.say(change, "bob-sun"))
    stage.post(case, origin=True)
    git(guarded.member, "fetch", "--quiet", "origin", f"{MAIN}:refs/remotes/origin/main")
    assert audit(stage, capsys) == (0, [])

    for words in (["--force", f"{root}:{MAIN}"], ["--force", f":{MAIN}"], [f"+{root}:{MAIN}"]):
        status, said = push(stage, *words)
        assert status == 1 and ("rule R2: " in said or "non-fast-forward" in said), said
    assert guarded.tip == tip

    git(guarded.origin, *OFF, "update-ref", MAIN, root)
    code, said = apply(stage, case, capsys)
    assert code == 2 and "rewrote main" in said and tip[:12] in said
    assert audit(stage, capsys) == (1, [(root, "R23")])
    git(guarded.origin, *OFF, "update-ref", MAIN, tip)
    assert apply(stage, case, capsys)[0] == 0
    assert git(guarded.origin, "rev-parse", f"{MAIN}~1") == tip


@pytest.mark.parametrize("ref", ["refs/tags/main", "refs/heads/heads/main", "refs/heads/refs/heads/main", "refs/main"])
def test_what_is_only_called_like_the_branch_is_refused_and_never_read_in_its_place(
    stage: Stage, ref: str, capsys: pytest.CaptureFixture[str]
) -> None:
    guarded = stage.guarded
    bad, good = (ATTACKS["self-approval"].mount(stage, honest) for honest in (False, True))
    git(guarded.member, "update-ref", ref, bad.commit)

    status, said = push(stage, f"{ref}:{ref}")
    assert status == 1 and "rule R14: " in said, said
    stage.post(good, origin=False)
    assert apply(stage, good, capsys)[0] == 0
    assert git(guarded.member, "rev-parse", f"{MAIN}~1") == guarded.tip

    guarded.land((None, good.commit, ref), (None, bad.commit, MAIN))
    assert (bad.commit, "R9") in audit(stage, capsys)[1]
    guarded.land((None, good.commit, MAIN), (None, bad.commit, ref))
    assert audit(stage, capsys) == (0, [])
