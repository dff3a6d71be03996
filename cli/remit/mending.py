"""What is wrong with a repository itself, and what of that can be put right without anybody's choice.

``examine`` only looks. ``mend`` acts on what it found: it removes what a process that is gone left behind, and puts a
ref that was cut short or vanished back to what its own log says, keeping the broken file. Objects, settings and
histories are reported and left alone.

Source: security rules R21, R23; attacks A29; faults F1, F11.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from remit.auditing import VERIFIED
from remit.changing.targets import ORIGIN, protected_branch, tracking
from remit.errors import UserError
from remit.git import Repository
from remit.locking import alone, common_dir
from remit.origins import HOOKS, drift
from remit.sentences import say
from remit.store import Store

LEFT_BEHIND = timedelta(minutes=10)
"""What is younger may belong to somebody who is still at work."""

_TOP_LOCKS = ("HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock", "index.lock")
_REF_TEXT = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}|ref: refs/[^\n]+)\n?")
_RUNS = re.compile(
    r"core\.(fsmonitor|hookspath|sshcommand|pager|editor|askpass|gitproxy|worktree|alternaterefscommand|attributesfile)"
    r"|filter\..*|diff\.external|diff\..*\.(command|textconv)|merge\..*\.driver|gpg\.(.*\.)?program|credential\..*"
    r"|alias\..*|include\.path|includeif\..*|uploadpack\.packobjectshook|receive\.procreceiverefs|sequence\.editor"
    r"|remote\..*\.(uploadpack|receivepack|vcs|proxy)|url\..*\.(pushinsteadof|insteadof)|protocol\..*|pager\..*"
    r"|interactive\.difffilter|gpg\.ssh\.defaultkeycommand|submodule\..*\.update"
)
"""Settings by which a repository runs programs, or leads its user elsewhere. Remit heeds none of them; git does."""


class Trouble(NamedTuple):
    """One thing that is wrong: what kind, where, in words, what to do, and whether ``mend`` can put it right."""

    what: str
    place: str
    message: str
    hint: str = ""
    mendable: bool = False


class Mended(NamedTuple):
    """What was done about a trouble; empty when nothing was."""

    trouble: Trouble
    done: str = ""


def examine(store: Store, *, now: datetime) -> list[Trouble]:
    """Everything that is wrong with the repository of a store; nothing is written, and nothing fetched."""
    repository = store.in_git()
    folder = common_dir(repository)
    left = [*_locks(folder, now), *_left_behind(folder, now), *_broken_refs(folder), *_lost_refs(folder, repository)]
    return [*left, *_faults(repository), *_settings(repository), *_odd_sources(folder, repository), *_branches(store)]


def mend(store: Store, *, now: datetime) -> list[Mended]:
    """Examine anew while nobody else changes the repository, and put right what can be."""
    repository = store.in_git()
    with alone(repository):
        return [Mended(one, _mend(repository, one) if one.mendable else "") for one in examine(store, now=now)]


def _mend(repository: Repository, trouble: Trouble) -> str:
    folder = common_dir(repository)
    path = folder / trouble.place
    if trouble.what == "broken-ref":
        kept = folder / "remit" / "mended" / trouble.place
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, kept)
        last = _last_logged(folder, trouble.place)
        if last is None or not repository.exists(last):
            return say("repository.moved-away", place=str(kept.relative_to(folder)))
        repository.update_ref(trouble.place, last, repository.zero)
        return say("repository.put-back-kept", commit=last[:12], place=str(kept.relative_to(folder)))
    if trouble.what == "lost-ref":
        last = _last_logged(folder, trouble.place) or ""
        repository.update_ref(trouble.place, last, repository.zero)
        return say("repository.put-back", commit=last[:12])
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return say("repository.removed")


# -- what somebody left ------------------------------------------------------------------------------------------------


def _locks(folder: Path, now: datetime) -> Iterator[Trouble]:
    tops = [folder, *(path for path in (folder / "worktrees").glob("*") if path.is_dir())]
    found = [top / name for top in tops for name in _TOP_LOCKS if (top / name).is_file()]
    found += sorted((folder / "refs").rglob("*.lock"))
    for path in found:
        if _is_old(path, now):
            yield _left(folder, path, "stale-lock", say("repository.stale-lock"))


def _left_behind(folder: Path, now: datetime) -> Iterator[Trouble]:
    objects = folder / "objects"
    for pattern, message in (
        ("*incoming-*", say("repository.half-push")),
        ("??/tmp_obj_*", say("repository.half-object")),
        ("pack/tmp_*", say("repository.half-pack")),
    ):
        yield from (
            _left(folder, path, "left-behind", message) for path in sorted(objects.glob(pattern)) if _is_old(path, now)
        )


def _left(folder: Path, path: Path, what: str, message: str) -> Trouble:
    return Trouble(what, path.relative_to(folder).as_posix(), message, "remit doctor --repair", True)


def _is_old(path: Path, now: datetime) -> bool:
    try:
        age = now.timestamp() - path.lstat().st_mtime
    except FileNotFoundError:
        return False
    return age >= LEFT_BEHIND.total_seconds() and not _is_open(path)


def _is_open(path: Path) -> bool:
    """Whether a process of this machine has the file, or one below it, open; where that cannot be seen, yes."""
    processes = Path("/proc")
    if not (processes / "self" / "fd").is_dir():
        return True
    wanted = str(path.resolve())
    for link in processes.glob("[0-9]*/fd/*"):
        try:
            target = str(link.readlink())
        except OSError:  # it ended, or belongs to somebody whom we may not look at
            continue
        if target == wanted or target.startswith(f"{wanted}/"):
            return True
    return False


def _broken_refs(folder: Path) -> Iterator[Trouble]:
    for path in sorted((folder / "refs").rglob("*")):
        if path.is_file() and path.suffix != ".lock" and not _REF_TEXT.fullmatch(path.read_bytes()[:4096]):
            message = say("repository.broken-ref")
            yield Trouble("broken-ref", path.relative_to(folder).as_posix(), message, "remit doctor --repair", True)


def _lost_refs(folder: Path, repository: Repository) -> Iterator[Trouble]:
    """Refs that are gone and whose logs are still there: whoever removes a ref by git removes its log with it."""
    logs = folder / "logs"
    there = {*repository.refs("refs/heads"), *repository.refs("refs/remit")}
    for path in sorted(path for top in ("heads", "remit") for path in (logs / "refs" / top).rglob("*")):
        ref = path.relative_to(logs).as_posix()
        if path.is_file() and ref not in there and not (folder / ref).exists():
            last = _last_logged(folder, ref)
            if last is not None and repository.exists(last):
                message = say("repository.lost-ref", commit=last[:12])
                yield Trouble("lost-ref", ref, message, "remit doctor --repair", True)


def _last_logged(folder: Path, ref: str) -> str | None:
    log = folder / "logs" / ref
    rows = log.read_bytes().splitlines() if log.is_file() else []
    named = [row.split(b" ")[1].decode("ascii", "replace") for row in rows if row.count(b" ") >= 2]
    return next((oid for oid in reversed(named) if re.fullmatch("[0-9a-f]{40,64}", oid) and oid.strip("0")), None)


# -- what only people can put right ------------------------------------------------------------------------------------


def _faults(repository: Repository) -> Iterator[Trouble]:
    hint = say("repository.restore")
    yield from (Trouble("damaged", "objects", fault, hint) for fault in repository.faults())


def _settings(repository: Repository) -> Iterator[Trouble]:
    if repository.is_bare and any((repository.git_dir / "hooks" / name).exists() for name in HOOKS):
        yield from (Trouble("drift", one.place, one.message, one.hint) for one in drift(repository))
        return
    for key, values in sorted(repository.own_config().items()):
        if _RUNS.fullmatch(key):
            message = say("repository.runs", values=values)
            yield Trouble("setting", f"config {key}", message, f"git config --unset-all {key}")


def _odd_sources(folder: Path, repository: Repository) -> Iterator[Trouble]:
    for name, message in (
        ("objects/info/alternates", say("repository.alternates")),
        ("info/grafts", say("repository.grafts")),
        ("info/attributes", say("repository.attributes")),
    ):
        if (folder / name).exists():
            yield Trouble("odd-source", name, message, say("repository.look-at", path=str(folder / name)))
    for ref in sorted(repository.refs("refs/replace")):
        yield Trouble("odd-source", ref, say("repository.replaced"), f"git update-ref -d {ref}")


def _branches(store: Store) -> Iterator[Trouble]:
    """Where the protected branch here, at the origin as last seen, and as proved before do not go the same way."""
    repository = store.in_git()
    try:
        ref = f"refs/heads/{protected_branch(store, 'HEAD')}"
        names = {
            say("repository.here"): ref,
            say("repository.at", remote=ORIGIN): tracking(ref),
            say("repository.as-proved"): VERIFIED + ref.removeprefix("refs/heads/"),
        }
        tips = {name: oid for name, where in names.items() if (oid := repository.ref(where)) is not None}
        places = list(tips)
        for number, one in enumerate(places):
            for other in places[number + 1 :]:
                yield from _diverged(repository, names[one], (one, tips[one]), (other, tips[other]))
    except UserError as error:
        yield Trouble("unreadable", "HEAD", error.message, error.hint)


def _diverged(repository: Repository, place: str, one: tuple[str, str], other: tuple[str, str]) -> Iterator[Trouble]:
    if repository.is_ancestor(one[1], other[1]) or repository.is_ancestor(other[1], one[1]):
        return
    fork = repository.merge_base(one[1], other[1])
    where = say("repository.part-at", commit=fork[:12]) if fork else say("repository.nothing-in-common")
    message = say(
        "repository.diverged", one=one[0], tip=one[1][:12], other=other[0], other_tip=other[1][:12], where=where
    )
    yield Trouble("diverged", place, message, say("repository.who-moved"))
