"""Origins that went back or apart, clocks that are wrong, and two clones of one person.

What is asked: whoever saw more refuses and says so, nothing is merged or overwritten, and what was acknowledged is
still there.

Source: security, F8, F9, F10; R23.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from approval_store import text_of
from conftest import git, write_files
from keys import become

from remit.main import main
from torture.checker import broken_objects, nothing_lost
from torture.history import Operation
from torture.load import store_of
from torture.processes import Child
from torture.scenes import SPEC, origin_of

GRADES = ("group", "province", "local_a", "local_c")


class Told(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    said: str


def give(place: Path, person: str, *words: str) -> Told:
    """Give a command as somebody."""
    become(place, person)
    return Told(*Child.start(partial(_main, place, words)).wait())


def _main(place: Path, words: tuple[str, ...]) -> int:
    os.chdir(place)
    return main([*words])


def applied(place: Path, grade: str) -> str:
    """Let a change of the grade go all its way; its id."""
    write_files(place, text_of("Customer", "harbour-bank", {**SPEC, "customerGrade": grade}, "海港银行"))
    told = give(place, "ann-lee", "propose", "-m", f"评定为{grade}")
    id = told.said.split()[0]
    git(place, "checkout", "--quiet", "--", ".")
    for person, words in (("bob-sun", ("approve", id)), ("cai-yu", ("apply", id))):
        told = give(place, person, *words)
        assert told.code == 0, told.said
    return id


def _tip(origin: Path) -> str:
    return git(origin, "rev-parse", "main")


def went_back(folder: Path) -> Iterator[str]:
    """An origin is put back to an older state: who saw more refuses and loses nothing, and can give it all back."""
    place = origin_of(folder, _now())
    origin = folder / "origin.git"
    ids = [applied(place, grade) for grade in GRADES[:2]]
    tip, refs = _tip(origin), git(place, "for-each-ref", "refs/remotes")
    git(origin, "-c", "core.hooksPath=/dev/null", "update-ref", "refs/heads/main", "main~1")
    write_files(place, text_of("Customer", "harbour-bank", {**SPEC, "customerGrade": "local_c"}, "海港银行"))
    commands = (("ann-lee", "propose", "-m", "评定"), ("bob-sun", "approve", ids[0]), ("cai-yu", "apply", ids[1]))
    for person, *words in commands:
        told = give(place, person, *words)
        if told.code != 2 or tip[:12] not in told.said:
            yield f"{words[0]} of one who saw more does not refuse: {told.code} {told.said.strip()[-300:]}"
    if _tip(origin) == tip or git(place, "for-each-ref", "refs/remotes") != refs:
        yield "a command moved what it was to leave"
    git(place, "push", "--quiet", "origin", "refs/remotes/origin/main:refs/heads/main")
    told = [Operation("apply", id, "cai-yu", "done", sha) for id, sha in zip(ids, _shas(origin), strict=True)]
    yield from nothing_lost(store_of(origin), told, now=_now())


def _shas(origin: Path) -> list[str]:
    return git(origin, "rev-list", "--reverse", "main").split()[1:]


def went_apart(folder: Path) -> Iterator[str]:
    """Two copies of an origin go different ways: who saw one refuses the other, and doctor says where they part."""
    place = origin_of(folder, _now())
    here, there = folder / "origin.git", folder / "other.git"
    shutil.copytree(here, there)
    git(there, "config", "core.hookspath", str(there / "hooks"))
    fork = _tip(here)
    other = folder / "other"
    git(folder, "clone", "--quiet", str(there), "other")
    applied(place, "group"), applied(other, "province")
    tips = _tip(here), _tip(there)
    git(place, "remote", "set-url", "origin", str(there))
    write_files(place, text_of("Customer", "harbour-bank", {**SPEC, "customerGrade": "local_c"}, "海港银行"))
    told = give(place, "ann-lee", "propose", "-m", "评定")
    if told.code != 2 or tips[0][:12] not in told.said:
        yield f"who saw one origin does not refuse the other: {told.code} {told.said.strip()[-300:]}"
    git(place, "fetch", "--quiet", "origin", "+refs/heads/main:refs/remotes/origin/main")
    told = give(place, "ann-lee", "doctor")
    if told.code != 1 or fork[:12] not in told.said:
        yield f"doctor does not say where they part: {told.code} {told.said.strip()[-300:]}"
    if (_tip(here), _tip(there)) != tips:
        yield "something was merged or overwritten"
    for origin in (here, there):
        yield from broken_objects(origin)


def wrong_clock(folder: Path) -> Iterator[str]:
    """An apply at any instant that is not about now is refused by a guarded origin, and leaves everything as it was."""
    place = origin_of(folder, _now())
    origin = folder / "origin.git"
    write_files(place, text_of("Customer", "harbour-bank", {**SPEC, "customerGrade": "group"}, "海港银行"))
    id = give(place, "ann-lee", "propose", "-m", "评定").said.split()[0]
    git(place, "checkout", "--quiet", "--", ".")
    give(place, "bob-sun", "approve", id)
    before = git(origin, "for-each-ref")
    for off in (timedelta(days=-730), timedelta(minutes=-11), timedelta(minutes=11), timedelta(days=730)):
        told = give(place, "cai-yu", "apply", id, "--at", (_now() + off).isoformat())
        if told.code != 2:
            yield f"a clock that is {off} off is not refused: {told.code} {told.said.strip()[-300:]}"
        if git(origin, "for-each-ref") != before:
            yield f"a clock that is {off} off leaves another origin"
    if (told := give(place, "cai-yu", "apply", id)).code:
        yield f"after that it does not go on: {told.said.strip()[-300:]}"
    yield from nothing_lost(store_of(origin), [Operation("apply", id, "cai-yu", "done", _tip(origin))], now=_now())


def two_clones(folder: Path) -> Iterator[str]:
    """One person says two things at once from two clones: what was acknowledged last counts, and both are kept."""
    place = origin_of(folder, _now())
    origin = folder / "origin.git"
    write_files(place, text_of("Customer", "harbour-bank", {**SPEC, "customerGrade": "group"}, "海港银行"))
    id = give(place, "ann-lee", "propose", "-m", "评定").said.split()[0]
    git(place, "checkout", "--quiet", "--", ".")
    clones = [folder / "desk", folder / "laptop"]
    for clone in clones:
        git(folder, "clone", "--quiet", str(origin), clone.name)
        become(clone, "bob-sun")
    words = (("approve", id), ("reject", id, "-m", "级别应由省里定"))
    said = [Child.start(partial(_main, clone, one)) for clone, one in zip(clones, words, strict=True)]
    told = [Told(*child.wait()) for child in said]
    done = sum(one.code == 0 for one in told)
    ref = f"refs/remit/reviews/{id}/bob-sun"
    kept = len(git(origin, "rev-list", ref).split()) if git(origin, "for-each-ref", ref) else 0
    if not done or kept != done:
        yield f"{done} words were acknowledged and {kept} are kept: {[one.said.strip()[-200:] for one in told]}"
    if any(one.code not in (0, 2) for one in told):
        yield f"it failed as a bug: {[one.said.strip()[-300:] for one in told]}"
    time.sleep(1)  # who says something else says it in a later second: at one instant a rejection outweighs
    if (again := give(clones[0], "bob-sun", "approve", id)).code:
        yield f"after that the person cannot go on: {again.said.strip()[-300:]}"
    if (again := give(place, "cai-yu", "apply", id)).code:
        yield f"after that it cannot be applied: {again.said.strip()[-300:]}"
    yield from nothing_lost(store_of(origin), [Operation("apply", id, "cai-yu", "done", _tip(origin))], now=_now())


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


STORIES = {
    "an origin that went back": went_back,
    "two origins that went apart": went_apart,
    "a clock that is wrong": wrong_clock,
    "two clones of one person": two_clones,
}
"""What happens between clones and their origins."""
