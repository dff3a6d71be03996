"""Stores that rot: any byte of any file of a repository turned over, or the file cut short.

What is asked of a rotten store is its whole answer: where the branch is, every file there, every posted word, whether
the history proves itself, and what doctor finds. It gives the answer that it gave before, or it says that something is
wrong.

Source: security, F11.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from approval_store import text_of
from conftest import git, write_files
from keys import become

from remit.auditing import audit
from remit.changing.proposals import changes
from remit.changing.targets import own_target
from remit.errors import UserError
from remit.git import Repository
from remit.judging import law_of
from remit.main import main
from remit.mending import examine
from remit.store import Store
from torture.processes import Child
from torture.scenes import SPEC, apply_scene

NO_ANSWER = 2
NOT_READ = ("index", "description", "info/exclude", "COMMIT_EDITMSG", "hooks/", "logs/", "remit/accepted/")
"""Files of a repository that no answer comes from."""


@dataclass
class Rot:
    """What came of turned bytes: how many there were, how many were noticed, how many made no difference."""

    faults: int = 0
    noticed: int = 0
    without_effect: int = 0
    breaches: list[str] = field(default_factory=list)


def answer(folder: Path, at: datetime) -> str:
    """Everything that a repository says of its store, as one digest.

    Raises:
        UserError: it says that it cannot.
    """
    store = Store.of_bare(Repository(folder))
    repository, aim = store.in_git(), own_target(store)
    files = store.files_of(aim.tip)
    said = [repr(sorted(files.blobs.items())), repr(repository.log(aim.tip))]
    said += [repr(proposal) for proposal in changes(store, at=at)]
    if faults := audit(store, partial(law_of, store), now=at).troubles or examine(store, now=at):
        raise UserError(faults[0].message)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def rotten(folder: Path, at: datetime, times: int, dice: Random) -> Rot:
    """Turn a byte of a repository, or cut a file, so many times; each time ask, and put it back."""
    found, path = Rot(), folder.with_name("answer")
    right = answer(folder, at)
    for _ in range(times):
        victim = dice.choice(victims(folder))
        kept, mode = victim.read_bytes(), victim.stat().st_mode
        spoilt, how = _spoilt(kept, dice)
        victim.chmod(0o644)
        victim.write_bytes(spoilt)
        verified = folder / "refs/remit/verified"
        shutil.rmtree(verified, ignore_errors=True)
        code, said = Child.start(partial(_ask, folder, at, path)).wait()
        found.faults += 1
        if code == NO_ANSWER:
            found.noticed += 1
        elif code == 0 and path.read_text() == right:
            found.without_effect += 1
        else:
            found.breaches.append(f"{victim.relative_to(folder)}, {how}: {said.strip()[-600:] or 'a wrong answer'}")
        victim.write_bytes(kept)
        victim.chmod(mode)
    return found


def _ask(folder: Path, at: datetime, path: Path) -> int:
    try:
        path.write_text(answer(folder, at))
    except UserError as error:
        print(error)
        return NO_ANSWER
    return 0


def _spoilt(data: bytes, dice: Random) -> tuple[bytes, str]:
    where = dice.randrange(len(data))
    if dice.random() < 0.2:
        return data[:where], f"cut at {where} of {len(data)}"
    bit = 1 << dice.randrange(8)
    return data[:where] + bytes([data[where] ^ bit]) + data[where + 1 :], f"byte {where} of {len(data)} turned by {bit}"


def victims(folder: Path) -> list[Path]:
    """The files of a repository from which answers come."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]
    return [path for path in files if not path.relative_to(folder).as_posix().startswith(NOT_READ)]


def rotting_store(folder: Path, at: datetime) -> Path:
    """A bare repository with an applied change, an open one with an approval, some objects packed and some not."""
    scene = apply_scene(folder / "scene", at)
    store = scene.folder / "store"
    git(store, "gc", "--quiet")
    write_files(store, text_of("Customer", "harbour-bank", {**SPEC, "customerGrade": "province"}, "海港银行"))
    later = ("--at", (at + timedelta(minutes=1)).isoformat())
    become(store, "ann-lee")
    id = _give(store, "propose", "-m", "评定为省级", *later).split()[0]
    become(store, "bob-sun")
    _give(store, "approve", id, *later)
    git(store, "config", "core.bare", "true")
    shutil.move(store / ".git", folder / "bare.git")
    return folder / "bare.git"


def _give(store: Path, *words: str) -> str:
    """Give a command; what it printed."""
    code, said = Child.start(lambda: os.chdir(store) or main([*words])).wait()
    assert code == 0, said
    return said
