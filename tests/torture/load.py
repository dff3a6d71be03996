"""Many clients at once: on one lone store, or through clones that push to one guarded origin.

Everybody proposes a change of a record of his own, a second person approves it, a third applies it; who comes too late
tries again. Beside them git packs what it finds, and a reader looks on.

Source: security, L1, L2, L4, L5.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import TypeVar

from approval_store import text_of
from conftest import AT, commit_all, git, write_files
from guarded import PENS
from guarded import texts as keyed_texts

from remit.changes import Change
from remit.changing.applying import apply
from remit.changing.proposing import propose_files
from remit.changing.reviewing import approve
from remit.errors import UserError
from remit.git import Repository
from remit.judging import PolicyJudge, result_check
from remit.origins import init
from remit.planning import digest
from remit.store import Store
from torture.checker import nothing_lost
from torture.history import Operation, Recorder, read_histories
from torture.processes import Child

T = TypeVar("T")
GRADES = ("group", "province", "local_a", "local_b", "local_c")
PATIENCE = 300
"""So often somebody who comes too late tries again."""


@dataclass(frozen=True)
class Load:
    """What many clients did.

    Attributes:
        processes: How many worked at once.
        operations: What they were told.
        seconds: From the first to the last.
        lost: What the checker found.
        reads: How often the reader looked.
    """

    processes: int
    operations: tuple[Operation, ...]
    seconds: float
    lost: tuple[str, ...]
    reads: int

    @property
    def acknowledged(self) -> int:
        """Changes that were acknowledged as applied."""
        return sum(one.verb == "apply" and one.told == "done" for one in self.operations)

    @property
    def again(self) -> int:
        """How often somebody had to try again."""
        return sum(one.tries - 1 for one in self.operations)

    @property
    def longest_wait(self) -> float:
        """The longest apply, as a multiple of the median."""
        waits = [one.seconds for one in self.operations if one.verb == "apply"]
        return max(waits) / median(waits) if waits else 0.0


def bank(number: int, grade: str) -> dict[str, str]:
    """The file of one worker's customer."""
    return text_of("Customer", f"bank-{number}", {"customerGrade": grade, "unit": "south"}, f"银行{number}")


def new_store(folder: Path, processes: int) -> Path:
    """A store with keys for everybody and a customer for each worker; git does not know who its user is."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    write_files(folder, keyed_texts())
    for number in range(processes):
        write_files(folder, bank(number, "local_c"))
    git(folder, "config", "user.name", "Ann Lee"), git(folder, "config", "user.email", "ann-lee@example.org")
    commit_all(folder, "the root of trust", at=AT)
    git(folder, "config", "--remove-section", "user")
    return folder


def on_one_store(folder: Path, processes: int, each: int, *, packing: bool = False) -> Load:
    """Load on a lone store, all in the same working copy."""
    store = new_store(folder / "store", processes)
    return _load(folder, store, [store] * processes, each, packing=packing)


def through_clones(folder: Path, processes: int, each: int, *, packing: bool = False) -> Load:
    """Load on a guarded origin, everybody from a clone of his own."""
    store = new_store(folder / "store", processes)
    origin = folder / "origin.git"
    init(Store.open(store), origin)
    clones = [folder / f"clone-{number}" for number in range(processes)]
    for clone in clones:
        git(folder, "clone", "--quiet", str(origin), clone.name)
    return _load(folder, origin, clones, each, packing=packing)


def _load(folder: Path, truth: Path, places: Sequence[Path], each: int, *, packing: bool) -> Load:
    histories = folder / "histories"
    histories.mkdir()
    for name in ("ann-lee", "bob-sun", "hal-xu"):
        who = f"[user]\n\tname = {name.replace('-', ' ').title()}\n\temail = {name}@example.org\n"
        (folder / f"{name}.gitconfig").write_text(who)
    stop = folder / "stop"
    beside = [Child.start(partial(_read_on, truth, folder / "seen", stop))]
    if packing:
        beside.append(Child.start(partial(_pack_on, truth, stop)))
    start = time.monotonic()
    children = [
        Child.start(partial(_work, folder, place, Recorder(histories / str(number)), number, each))
        for number, place in enumerate(places)
    ]
    ended = [child.wait() for child in children]
    seconds = time.monotonic() - start
    stop.touch()
    ended += [child.wait() for child in beside]
    operations = read_histories(histories.iterdir())
    history = set(git(truth, "rev-list", "main").split())
    seen = (folder / "seen").read_text().split()
    lost = [
        *(f"a client ended with {code}: {said[-800:]}" for code, said in ended if code),
        *(f"NL2: a reader saw {sha}, which never was on main" for sha in seen if sha not in history),
        *nothing_lost(store_of(truth), operations, now=datetime.now(UTC)),
    ]
    return Load(len(places), tuple(operations), seconds, tuple(lost), len(seen))


def store_of(folder: Path) -> Store:
    repository = Repository(folder)
    return Store.of_bare(repository) if repository.is_bare else Store.open(folder)


def _work(folder: Path, place: Path, recorder: Recorder, number: int, each: int) -> int:
    """One client: its changes one after the other. The exit status says how many did not go in."""
    dice, failed = Random(number), 0

    def be(name: str) -> Store:
        os.environ["GIT_CONFIG_GLOBAL"] = str(folder / f"{name}.gitconfig")
        return Store.open(place)

    for turn in range(each):
        grade = GRADES[turn % len(GRADES)]
        files = {path: text.encode() for path, text in bank(number, grade).items()}
        with recorder.operation("propose", "", "ann-lee") as one:
            store = be("ann-lee")
            change = _again(one, dice, lambda: _propose(store, files, f"等级 {number}-{turn}"))  # noqa: B023
            one.change, one.sha = change.id, change.head
        if one.told != "done":
            failed += 1
            continue
        with recorder.operation("approve", change.id, "bob-sun") as one:
            store = be("bob-sun")
            _again(one, dice, lambda: approve(store, change.id, at=_now(), sign=PENS["bob-sun"].sign))  # noqa: B023
        with recorder.operation("apply", change.id, "hal-xu") as one:
            store = be("hal-xu")
            one.sha = _again(one, dice, lambda: _apply(store, change.id))  # noqa: B023
        failed += one.told != "done"
    return failed


def _propose(store: Store, files: dict[str, bytes], title: str) -> Change:
    return propose_files(store, files, title, at=_now(), sign=PENS["ann-lee"].sign)


def _apply(store: Store, id: str) -> str:
    at = _now()
    check, foresee = result_check(store, at=at), partial(digest, at=at)
    return apply(store, id, at=at, judge=PolicyJudge(at), check=check, foresee=foresee).commit


def _again(one: Operation, dice: Random, ask: Callable[[], T]) -> T:
    """Ask until it works; a store that moved or is locked at this moment is no reason to give up."""
    while True:
        try:
            return ask()
        except UserError:
            if one.tries == PATIENCE:
                raise
            one.tries += 1
            time.sleep(dice.uniform(0, min(1.0, 0.02 * one.tries)))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _read_on(truth: Path, seen: Path, stop: Path) -> int:
    """Note where the branch is, and read all of the store there, again and again."""
    with seen.open("w") as file:
        while True:
            store = store_of(truth)
            tip = store.in_git().resolve("refs/heads/main")
            files = store.files_of(tip)
            if any(not data for data in files.blobs.values()):
                return 1
            file.write(f"{tip}\n")
            file.flush()
            if stop.exists():
                return 0
            time.sleep(0.2)


def _pack_on(truth: Path, stop: Path) -> int:
    """Pack refs and objects again and again, as git does by itself: what is young is kept."""
    while not stop.exists():
        for command in (["pack-refs", "--all"], ["gc", "--quiet"]):
            subprocess.run(["git", "-C", str(truth), *command], capture_output=True, check=False)
        time.sleep(0.1)
    return 0
