"""Load, faults and rot at a size for every run; ``make torture`` does more of each."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from conftest import AT, git
from torture import disks, faults, load, machine, power, pushes, rot
from torture.apart import STORIES
from torture.checker import nothing_lost
from torture.faults import Count
from torture.fuzz import TARGETS, search
from torture.history import Operation
from torture.page import Result, add, page, results, tidy
from torture.parts import SIZES, parts
from torture.processes import load_everything
from torture.scenes import LONE, Scene, apply_scene, set_scene

from remit.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    load_everything()


def lost(count: Count) -> list[str]:
    """What was lost; a fault that hit nothing is no test."""
    assert count.inside >= 0.6 * count.faults, count
    return count.breaches


# -- the checker -------------------------------------------------------------------------------------------------------


class Held(NamedTuple):
    """A store with two applied changes, and what their clients were told."""

    store: Store
    operations: tuple[Operation, ...]

    def lost(self) -> list[str]:
        return nothing_lost(Store.open(self.store.root), self.operations, now=datetime.now(UTC))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Held:
    folder = tmp_path_factory.mktemp("held")
    done = load.on_one_store(folder, 1, 2)
    assert done.lost == () and done.acknowledged == 2
    return Held(Store.open(folder / "store"), done.operations)


@pytest.fixture
def held(whole: Held, tmp_path: Path) -> Held:
    shutil.copytree(whole.store.root, tmp_path / "store")
    return whole._replace(store=Store.open(tmp_path / "store"))


def main_goes_back(held: Held) -> Held:
    git(held.store.root, "update-ref", "refs/heads/main", "main~1")
    return held


def a_change_goes_in_twice(held: Held) -> Held:
    message = git(held.store.root, "log", "-1", "--format=%B", "main")
    again = ["commit-tree", "main^{tree}", "-p", "main", "-m", message]
    who = ["-c", "user.name=Hal", "-c", "user.email=hal-xu@example.org"]
    git(held.store.root, "update-ref", "refs/heads/main", git(held.store.root, *who, *again, at=datetime.now(UTC)))
    return held


def a_commit_goes_in_without_a_change(held: Held) -> Held:
    who = ["-c", "user.name=Hal", "-c", "user.email=hal-xu@example.org"]
    stray = git(held.store.root, *who, "commit-tree", "main^{tree}", "-p", "main", "-m", "x", at=datetime.now(UTC))
    git(held.store.root, "update-ref", "refs/heads/main", stray)
    return held


def nobody_asked(held: Held) -> Held:
    return held._replace(operations=tuple(one for one in held.operations if one.verb != "apply"))


def another_commit_was_acknowledged(held: Held) -> Held:
    wrong = [replace(one, sha="0" * 40) if one.verb == "apply" else one for one in held.operations]
    return held._replace(operations=tuple(wrong))


def an_approval_is_gone(held: Held) -> Held:
    ref = git(held.store.root, "for-each-ref", "--format=%(refname)", "--count=1", "refs/remit/reviews")
    git(held.store.root, "update-ref", "-d", ref)
    return held


def a_proposal_is_elsewhere(held: Held) -> Held:
    ref = git(held.store.root, "for-each-ref", "--format=%(refname)", "--count=1", "refs/heads/change")
    git(held.store.root, "update-ref", ref, "main")
    return held


def an_object_is_cut_short(held: Held) -> Held:
    oid = git(held.store.root, "rev-parse", "main^{tree}")
    path = held.store.root / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:20])
    return held


LOSSES = {
    main_goes_back: "NL1",
    another_commit_was_acknowledged: "NL1",
    a_commit_goes_in_without_a_change: "NL2",
    a_change_goes_in_twice: "NL3",
    nobody_asked: "NL3",
    an_approval_is_gone: "NL4",
    a_proposal_is_elsewhere: "NL4",
    an_object_is_cut_short: "NL5",
}


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_the_checker_names_what_was_lost(held: Held, lose) -> None:
    assert {one[:3] for one in lose(held).lost()} >= {LOSSES[lose]}


# -- what is written down ----------------------------------------------------------------------------------------------


def result(part: str, came: str, *lost: str) -> Result:
    return Result(part, "small", 1, "abc1234", "2026-10-15", 7, "2 cores", f"{part} killed", came, lost)


def test_the_last_result_of_every_part_counts_and_a_loss_is_on_the_page(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    for one in (result("set", "3 faults"), result("lone", "5 changes"), result("set", "4 faults", "NL1: c-1\nis gone")):
        add(path, one)

    assert results(path) == [result("set", "4 faults", "NL1: c-1\nis gone"), result("lone", "5 changes")]
    assert tidy(path, ["lone", "set"]) == [result("lone", "5 changes"), result("set", "4 faults", "NL1: c-1\nis gone")]
    assert len(path.read_text().splitlines()) == 2
    text = page(results(path))
    assert "| set | set killed | 4 faults | 1 | small | 7 | 2026-10-15, abc1234 |" in text
    assert "- set lost: NL1: c-1 is gone" in text


def test_a_part_comes_to_one_row(tmp_path: Path) -> None:
    row = parts()["step-kill-set"](SIZES["small"], tmp_path, Random(1))

    assert (row.what, row.lost) == ("set killed before a step", ())
    steps = re.match(r"(\d+) faults, \1 inside the work; done all the same 0", row.came)
    # The record's file takes four steps; what is remembered of the store takes some more.
    assert steps and int(steps[1]) >= 4, row.came


# -- load --------------------------------------------------------------------------------------------------------------


def test_clients_of_one_store_lose_nothing_while_git_packs(tmp_path: Path) -> None:
    done = load.on_one_store(tmp_path, 8, 2, packing=True)

    assert (done.acknowledged, done.lost) == (16, ())
    assert done.reads


def test_clients_of_a_guarded_origin_lose_nothing(tmp_path: Path) -> None:
    done = load.through_clones(tmp_path, 4, 1)

    assert (done.acknowledged, done.lost) == (4, ())


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", LONE, ids=lambda make: make.__name__)
def test_a_command_killed_at_any_instant_leaves_old_or_new_and_goes_on(make, tmp_path: Path) -> None:
    assert lost(faults.killed_at_random(make(tmp_path / "scene"), 2, Random(8))) == []


@pytest.mark.parametrize(("make", "every"), [(set_scene, 1), (apply_scene, 22)])
def test_a_command_killed_at_a_step_leaves_old_or_new_and_goes_on(make, every: int, tmp_path: Path) -> None:
    assert lost(faults.killed_at_each_step(make(tmp_path / "scene"), every)) == []


@pytest.mark.parametrize(("make", "every"), [(set_scene, 4), (apply_scene, 130)])
def test_what_the_system_refuses_at_a_step_is_no_bug_and_goes_on(make, every: int, tmp_path: Path) -> None:
    assert lost(faults.refused_at_each_step(make(tmp_path / "scene"), every)) == []


@pytest.mark.skipif(not faults.has_strace(), reason="strace is not installed")
@pytest.mark.parametrize("alone", [False, True], ids=["with the command", "alone"])
def test_a_git_killed_inside_an_apply_leaves_old_or_new_and_goes_on(alone: bool, tmp_path: Path) -> None:
    assert lost(faults.killed_at_each_call(apply_scene(tmp_path / "scene"), 7, alone=alone)) == []


@pytest.mark.skipif(not faults.has_strace(), reason="strace is not installed")
def test_what_the_system_refuses_git_is_never_told_as_done(tmp_path: Path) -> None:
    assert lost(faults.refused_at_each_call(apply_scene(tmp_path / "scene"), 35)) == []


@pytest.mark.skipif(not faults.has_strace(), reason="strace is not installed")
def test_what_a_loss_of_power_leaves_is_old_or_new_and_goes_on_and_only_because_it_was_synced(tmp_path: Path) -> None:
    scene = apply_scene(tmp_path / "scene")
    steps = power.steps_of(scene)

    assert lost(power.power_lost(scene, steps, 6)) == []
    assert power.power_lost(scene, [step for step in steps if step.what != "sync"], len(steps)).breaches


def test_a_full_disk_refuses_and_when_it_has_grown_all_goes_on(tmp_path: Path) -> None:
    if not disks.may_mount():
        pytest.skip("this system lets us mount nothing")

    assert lost(disks.on_full_disk(apply_scene, tmp_path, [0, 1])) == []


def test_a_read_only_disk_is_named_and_left_as_it_was(tmp_path: Path) -> None:
    if not disks.may_mount():
        pytest.skip("this system lets us mount nothing")

    assert lost(disks.on_read_only_disk(apply_scene, tmp_path)) == []


def test_limits_of_the_system_refuse_and_nothing_is_lost(tmp_path: Path) -> None:
    assert lost(disks.limited(apply_scene(tmp_path / "scene"), 5, Random(1))) == []


def test_a_push_that_is_cut_leaves_old_or_new_and_goes_on(tmp_path: Path) -> None:
    assert lost(pushes.interrupted(tmp_path, 3, Random(2))) == []


def test_a_turned_byte_is_noticed_or_without_effect(tmp_path: Path) -> None:
    found = rot.rotten(rot.rotting_store(tmp_path, AT), AT, 40, Random(3))

    assert found.breaches == [] and found.noticed >= 20


def test_a_clock_set_back_refuses_and_changes_nothing(tmp_path: Path) -> None:
    scene: Scene = apply_scene(tmp_path / "scene")
    scene.reset()
    late, scene.at = scene.at, scene.at - timedelta(days=730)

    code, said = scene.begin(lambda: None).wait()

    scene.at = late
    assert code == 2 and "before its parent's" in said
    assert scene.judge(code, said).breaches == ()


@pytest.mark.parametrize("name", STORIES)
def test_clones_and_their_origins_lose_nothing(name: str, tmp_path: Path) -> None:
    assert list(STORIES[name](tmp_path / "story")) == []


def test_steps_in_any_order_are_taken_and_refused_as_a_model_does(tmp_path: Path) -> None:
    # Raises an AssertionError with the steps that lead to a difference.
    machine.agree(tmp_path / "template", 3, 12)


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TARGETS)
def test_bad_input_is_read_or_refused_and_nothing_else(name: str) -> None:
    search(name, 100)
