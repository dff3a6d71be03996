"""Commands in the middle of something: a store, the command, and what must be there before and after it.

A scene always stands in the same folder, because an origin's settings hold absolute paths; it is put back from a copy.
What is there is told apart into atoms: every ref, entry of the index and file. Each of them is the old one or the new
one at every instant, and when the command is given again, all of them are the new ones.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from approval_store import path_of, text_of
from conftest import AT, commit_all, git, write_files
from keys import become, keyed_texts, made, public

from remit.main import main
from remit.origins import init
from remit.store import Store
from torture.checker import broken_objects
from torture.processes import Child

BANK = path_of("Customer", "harbour-bank")
SPEC = {"customerGrade": "local_b", "unit": "south", "roles": {"cce": "eve-li"}}

FRESH = "fresh"
"""The folder of a store that is about to begin."""

Fault = Callable[[], None]
"""Arranged inside the process that a fault shall hit, before it begins."""


def nothing() -> None:
    """No fault."""


@dataclass
class Scene:
    """A command that is about to be given.

    Attributes:
        name: What it is called.
        folder: Where it stands; repositories are below it.
        words: The command line.
        at: When it is given.
        truth: The atoms that say whether it is done, by their beginning.
        kept: A copy of the folder.
        before: The atoms without the command.
        after: The atoms after it.
        seconds: How long it takes.
    """

    name: str
    folder: Path
    words: tuple[str, ...]
    at: datetime
    truth: str
    kept: Path = field(init=False)
    before: Mapping[str, str] = field(init=False)
    after: Mapping[str, str] = field(init=False)
    seconds: float = field(init=False)

    def __post_init__(self) -> None:
        self.kept = self.folder.with_name(f"{self.folder.name}.kept")
        shutil.copytree(self.folder, self.kept, symlinks=True)
        self.before = atoms(self.folder)
        start = datetime.now(UTC)
        code, said = self.begin(nothing).wait()
        self.seconds = (datetime.now(UTC) - start).total_seconds()
        if code:
            raise AssertionError(f"{self.name} does not work without a fault: {said}")
        self.after = atoms(self.folder)

    def reset(self) -> None:
        """Put everything back to where it was before the command."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder, symlinks=True)

    @property
    def command(self) -> tuple[str, ...]:
        """The command line, with the instant at which it is given."""
        return (*self.words, *(("--at", self.at.isoformat()) if _takes_an_instant(self.words) else ()))

    def begin(self, fault: Fault) -> Child:
        """Give the command in a process of its own."""

        def work() -> int:
            os.chdir(self.folder / "store")
            fault()
            os.environ |= {"EDITOR": "sed -i s/local_b/local_a/", "GIT_CONFIG_GLOBAL": str(self.folder / "gitconfig")}
            return main([*self.words, *(("--at", self.at.isoformat()) if _takes_an_instant(self.words) else ())])

        return Child.start(work)

    def judge(self, code: int, said: str) -> Aftermath:
        """What a fault left, and whether it goes on: the command is given again, after a repair when it must be."""
        left, breaches = atoms(self.folder), []
        for atom in sorted({*left, *self.before, *self.after}):
            if left.get(atom) not in (self.before.get(atom), self.after.get(atom)):
                breaches.append(f"{atom} is neither the old one nor the new one")
        breaches += [fault for folder in repositories(self.folder) for fault in broken_objects(folder)]
        done = self._done(left)
        if code == 0 and not done:
            breaches.append(f"it said that it was done, and it is not: {said.strip()}")
        if code == 3:
            breaches.append(f"it failed as a bug: {said.strip()[-600:]}")
        locked = bool(locks(self.folder))
        again = self.begin(nothing).wait()
        repaired = atoms(self.folder) != self.after
        doctor = self._repair() if repaired else ""
        if repaired:
            again = self.begin(nothing).wait()
        found = atoms(self.folder)
        missing = sorted(atom for atom in {*self.after, *found} if found.get(atom) != self.after.get(atom))
        if missing:
            breaches.append(
                f"NL6: given again it does not finish ({', '.join(missing[:4])}): {again[1].strip()[-600:]}"
                f" doctor: {doctor.strip()[-600:]}"
            )
        return Aftermath(code, done, locked, repaired, tuple(breaches))

    def _done(self, left: Mapping[str, str]) -> bool:
        wanted = {atom: value for atom, value in self.after.items() if atom.startswith(self.truth)}
        return all(left.get(atom) == value for atom, value in wanted.items())

    def _repair(self) -> str:
        """``remit doctor --repair``, a day later: no lock is young any more. What it says."""
        for path in locks(self.folder):
            os.utime(path, (self.at.timestamp() - 86400,) * 2)
        said = [
            Child.start(lambda folder=folder: main(["--store", str(folder), "doctor", "--repair"])).wait()[1]
            for folder in repositories(self.folder)
        ]
        return " ".join(said)


@dataclass(frozen=True)
class Aftermath:
    """What came of a fault: the exit status, whether the command was done, locks left, whether a repair was needed."""

    told: int
    done: bool
    locked: bool
    repaired: bool
    breaches: tuple[str, ...]


def _takes_an_instant(words: tuple[str, ...]) -> bool:
    return words[0] not in ("init", "set", "new", "origin", "unset", "edit", "rename", "remove")


def repositories(folder: Path) -> list[Path]:
    """The repositories of a scene."""
    whole = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    return [path for path in whole if (path / ".git").exists() or (path / "HEAD").exists()]


def locks(folder: Path) -> list[Path]:
    """Every lock file of git below a folder."""
    return sorted(folder.rglob("*.lock"))


def atoms(folder: Path) -> dict[str, str]:
    """Every ref, entry of an index and file below a folder, each with what it holds."""
    found: dict[str, str] = {}
    for top in repositories(folder):
        # Who says the same again adds a commit to it, and a store begins when it begins; what was said is the tree.
        listed = git(top, "for-each-ref", "--format=%(refname) %(objectname) %(tree)").splitlines()
        for name, oid, tree in (line.split(" ") for line in listed):
            found[f"{top.name}:{name}"] = tree if "/reviews/" in name or top.name == FRESH else oid
        if (top / ".git").exists():
            found |= _staged(top)
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") or part.endswith(".git") for part in relative.parts):
            found[relative.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _staged(top: Path) -> dict[str, str]:
    try:
        lines = git(top, "ls-files", "--stage").splitlines()
    except AssertionError as error:
        return {f"{top.name}:index": str(error)}
    return {f"{top.name}:index {line.partition(chr(9))[2]}": line.partition("\t")[0] for line in lines}


# -- the scenes --------------------------------------------------------------------------------------------------------


def _store(folder: Path, at: datetime) -> Path:
    """A lone store in which everybody has a key."""
    store = folder / "store"
    store.mkdir(parents=True)
    git(store, "init", "--quiet", "--initial-branch=main")
    write_files(store, keyed_texts())
    become(store, "ann-lee")
    commit_all(store, "the root of trust", at=at)
    return store


def _give(store: Path, name: str, at: datetime, *words: str) -> str:
    """Give a command as somebody; the first word of the answer."""
    become(store, name)
    here = os.getcwd()  # noqa: PTH109

    def work() -> int:
        os.chdir(store)
        return main([*words, "--at", at.isoformat()])

    code, said = Child.start(work).wait()
    os.chdir(here)
    assert code == 0, said
    return said.split()[0]


def _edited(store: Path) -> None:
    write_files(store, text_of("Customer", "harbour-bank", {**SPEC, "customerGrade": "local_a"}, "海港银行"))


def _proposed(store: Path, at: datetime) -> str:
    _edited(store)
    id = _give(store, "ann-lee", at, "propose", "-m", "评定为A级")
    git(store, "checkout", "--quiet", "--", ".")
    return id


def propose_scene(folder: Path, at: datetime = AT) -> Scene:
    """A change that is about to be proposed."""
    store = _store(folder, at)
    _edited(store)
    return Scene("propose", folder, ("propose", "-m", "评定为A级"), at, "store:refs/heads")


def approve_scene(folder: Path, at: datetime = AT) -> Scene:
    """A change that is about to be approved."""
    store = _store(folder, at)
    id = _proposed(store, at)
    become(store, "bob-sun")
    return Scene("approve", folder, ("approve", id), at, "store:refs/remit/reviews")


def apply_scene(folder: Path, at: datetime = AT) -> Scene:
    """An approved change that is about to be applied."""
    store = _store(folder, at)
    id = _proposed(store, at)
    _give(store, "bob-sun", at, "approve", id)
    become(store, "cai-yu")
    return Scene("apply", folder, ("apply", id), at, "store:refs/heads/main")


def withdraw_scene(folder: Path, at: datetime = AT) -> Scene:
    """A change that is about to be withdrawn."""
    store = _store(folder, at)
    id = _proposed(store, at)
    return Scene("withdraw", folder, ("withdraw", id), at, "store:refs/remit/withdrawn")


def set_scene(folder: Path, at: datetime = AT) -> Scene:
    """A field that is about to be set."""
    _store(folder, at)
    return Scene("set", folder, ("set", "Customer/harbour-bank", "customerGrade=local_a"), at, f"store/{BANK}")


def new_scene(folder: Path, at: datetime = AT) -> Scene:
    """A record that is about to be made."""
    _store(folder, at)
    words = ("new", "Customer", "shop", "--set", "customerGrade=local_c", "--set", "unit=south")
    return Scene("new", folder, words, at, "store/records/customers/shop.yaml")


def unset_scene(folder: Path, at: datetime = AT) -> Scene:
    """Fields that are about to be taken away."""
    _store(folder, at)
    return Scene("unset", folder, ("unset", "Customer/harbour-bank", "roles"), at, f"store/{BANK}")


def edit_scene(folder: Path, at: datetime = AT) -> Scene:
    """A record that is about to be changed in an editor."""
    _store(folder, at)
    return Scene("edit", folder, ("edit", "Customer/harbour-bank"), at, f"store/{BANK}")


def rename_scene(folder: Path, at: datetime = AT) -> Scene:
    """A record that is about to get another name, in eleven files."""
    _store(folder, at)
    return Scene("rename", folder, ("rename", "OrganizationUnit/south", "lower-coast"), at, "store/records")


def remove_scene(folder: Path, at: datetime = AT) -> Scene:
    """A record that is about to go."""
    _store(folder, at)
    return Scene("remove", folder, ("remove", "Customer/harbour-bank"), at, f"store/{BANK}")


def init_scene(folder: Path, at: datetime = AT) -> Scene:
    """A store that is about to begin."""
    _store(folder, at)
    (folder / "gitconfig").write_text("[user]\n\tname = Ann Lee\n\temail = ann-lee@example.org\n")
    return Scene("init", folder, ("init", f"../{FRESH}", "--bare-bones"), at, FRESH)


def reject_scene(folder: Path, at: datetime = AT) -> Scene:
    """A change that is about to be rejected."""
    store = _store(folder, at)
    id = _proposed(store, at)
    become(store, "bob-sun")
    return Scene("reject", folder, ("reject", id, "-m", "级别应由省里定"), at, "store:refs/remit/reviews")


def audit_scene(folder: Path, at: datetime = AT) -> Scene:
    """A history that is about to be proved, and its tip kept as proved."""
    store = _store(folder, at)
    id = _proposed(store, at)
    _give(store, "bob-sun", at, "approve", id)
    _give(store, "cai-yu", at, "apply", id)
    return Scene("audit", folder, ("audit",), at, "store:refs/remit/verified")


def doctor_scene(folder: Path, at: datetime = AT) -> Scene:
    """A branch that vanished and is about to be put back."""
    store = _store(folder, at)
    id = _proposed(store, at)
    (store / f".git/refs/heads/change/{id}").unlink()
    return Scene("doctor", folder, ("doctor", "--repair"), at, "store:refs/heads/change")


def revoke_scene(folder: Path, at: datetime = AT) -> Scene:
    """A key that is about to be revoked."""
    _store(folder, at)
    words = ("keys", "revoke", "bob-sun", public("bob-sun").fingerprint, "-m", "the laptop was stolen")
    return Scene("keys revoke", folder, words, at, "store:refs/heads")


def keys_scene(folder: Path, at: datetime = AT) -> Scene:
    """A key that is about to be registered."""
    _store(folder, at)
    words = ("keys", "add", "bob-sun", "--key", f"{made('bob-new')}.pub")
    return Scene("keys add", folder, words, at, "store:refs/heads")


def origin_scene(folder: Path, at: datetime = AT) -> Scene:
    """An origin that is about to be made."""
    _store(folder, at)
    return Scene("origin init", folder, ("origin", "init", "../origin.git"), at, "origin.git:refs")


def origin_of(folder: Path, at: datetime) -> Path:
    """A guarded origin beside its store, which is a clone of it."""
    store = _store(folder, at)
    init(Store.open(store), folder / "origin.git")
    git(store, "remote", "add", "origin", str(folder / "origin.git"))
    git(store, "fetch", "--quiet", "origin")
    return store


def pushed_scene(folder: Path, at: datetime | None = None) -> Scene:
    """An approved change that is about to be applied to a guarded origin."""
    at = at or datetime.now(UTC).replace(microsecond=0)
    store = origin_of(folder, at)
    id = _proposed(store, at)
    _give(store, "bob-sun", at, "approve", id)
    become(store, "cai-yu")
    return Scene("apply to an origin", folder, ("apply", id), at, "origin.git:refs/heads/main")


LONE = (
    propose_scene,
    approve_scene,
    reject_scene,
    withdraw_scene,
    apply_scene,
    keys_scene,
    revoke_scene,
    new_scene,
    set_scene,
    unset_scene,
    edit_scene,
    rename_scene,
    remove_scene,
    init_scene,
    origin_scene,
    audit_scene,
    doctor_scene,
)
"""Everything that writes in one repository."""
