"""The origin of a store: a bare repository with hooks and settings that nobody who pushes can turn off.

``init`` makes one, ``install`` writes the hooks, ``drift`` says what is not any more as they left it.

Source: security rules R13, R21; attacks A16, A21.
"""

from __future__ import annotations

import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from remit.changing.targets import protected_branch, target
from remit.errors import Refused
from remit.git import Repository
from remit.sentences import say
from remit.store import Store, write_whole

SETTINGS = {
    "core.fsync": "committed,reference,loose-object",
    "core.logallrefupdates": "always",
    "gc.auto": "0",
    "receive.autogc": "false",
    "receive.denydeletecurrent": "refuse",
    "receive.denynonfastforwards": "true",
    "receive.fsckobjects": "true",
    "receive.maxinputsize": str(64 * 1024 * 1024),
    "receive.shallowupdate": "false",
    "transfer.fsckobjects": "true",
    "transfer.hiderefs": "refs/remit/verified",
}
"""What an origin's own configuration holds. Deletions are not denied as a whole: a withdrawal removes the branch of a
change, and the hook refuses every other one."""

HARMLESS = ("core.bare", "core.filemode", "core.repositoryformatversion", "core.sharedrepository", "core.ignorecase")
HARMLESS_SECTIONS = ("remit.", "user.", "extensions.objectformat", "core.precomposeunicode")

ACCEPTED = timedelta(minutes=10)
"""So long what ``pre-receive`` let in is not looked at again when the branch moves."""

_ONLY_WHAT_WAS_LET_IN = f"""\
[ "$1" = prepared ] || exit 0
moves=$(cat)
noted() {{
  while read -r old new ref; do
    [ -n "$(find "remit/accepted/$old-$new" -mmin -{int(ACCEPTED.total_seconds()) // 60} 2>/dev/null)" ] || return 1
  done
}}
printf '%s\\n' "$moves" | noted && exit 0
exec <<END
$moves
END
"""

HOOKS = {"pre-receive": "", "reference-transaction": _ONLY_WHAT_WAS_LET_IN}
"""The hooks, and what each says to the shell before it calls Remit: where nothing but what was let in just now moves,
there is nothing to ask."""


class Drift(NamedTuple):
    """One thing about an origin that is not as it should be."""

    place: str
    message: str
    hint: str = ""


def init(store: Store, folder: Path) -> tuple[Repository, str]:
    """A new origin with the protected branch of ``store``; the repository, and the branch's tip.

    Raises:
        Refused: there is something at ``folder``, or the store is only a part of its repository.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Refused(say("repository.not-empty", folder=str(folder)), hint=say("repository.new-folder"))
    if store.prefix:
        raise Refused(say("repository.only-a-part", folder=store.prefix), hint=say("repository.of-its-own"))
    aim = target(store, fetch=False)
    # Made beside its place, so that whoever finds an origin there finds a whole one that guards itself.
    place = folder.resolve()
    making = place.with_name(f".{place.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    repository = Repository.init(making, aim.branch, bare=True)
    seen, mine = aim.seen(aim.ref), aim.ref
    repository.copy_from(store.in_git().git_dir, seen)
    if seen != mine:
        repository.update_ref(mine, aim.tip, repository.zero)
        repository.delete_ref(seen, aim.tip)
    for key, value in SETTINGS.items():
        repository.set_config(key, value)
    install(repository, place)
    if place.exists():
        place.rmdir()
    making.rename(place)
    return Repository(place), aim.tip


def install(repository: Repository, place: Path | None = None) -> tuple[Path, ...]:
    """Write the hooks and make git look for them nowhere else; the files. ``place`` is where the repository goes."""
    folder = _hooks(repository)
    for name, text in _hook_texts().items():
        write_whole(folder / name, text)
        (folder / name).chmod(0o755)
    repository.set_config("core.hookspath", str((place or repository.git_dir) / "hooks"))
    return tuple(folder / name for name in HOOKS)


def drift(repository: Repository) -> list[Drift]:
    """What about an origin is not as ``init`` leaves it: settings, hooks, owners and modes."""
    return [
        *_settings_drift(repository),
        *_hook_drift(repository),
        *_owner_drift(repository),
        *_branch_drift(repository),
    ]


def _settings_drift(repository: Repository) -> Iterator[Drift]:
    own, write = repository.own_config(), f"git -C {repository.git_dir} config"
    wanted = {**SETTINGS, "core.hookspath": str(_hooks(repository))}
    for key, value in sorted(wanted.items()):
        if own.get(key) != [value]:
            found = own[key] if key in own else say("repository.not-set")
            message = say("repository.other-setting", found=found, wanted=value)
            yield Drift(f"config {key}", message, f"{write} --replace-all {key} {value}")
    for key in sorted(own):
        if key not in wanted and key not in HARMLESS and not key.startswith(HARMLESS_SECTIONS):
            message = say("repository.is-set", values=own[key])
            yield Drift(f"config {key}", message, f"{write} --unset-all {key}")


def _hook_drift(repository: Repository) -> Iterator[Drift]:
    hint = f"remit hook install {repository.git_dir}"
    for name, text in _hook_texts().items():
        path = _hooks(repository) / name
        if path.is_symlink() or not path.is_file():
            yield Drift(f"hooks/{name}", say("repository.no-hook"), hint)
        elif path.read_bytes() != text:
            yield Drift(f"hooks/{name}", say("repository.other-hook"), hint)
        elif not path.stat().st_mode & stat.S_IXUSR:
            yield Drift(f"hooks/{name}", say("repository.idle-hook"), hint)


def _owner_drift(repository: Repository) -> Iterator[Drift]:
    top = repository.git_dir
    owner = top.stat().st_uid
    for name in (".", "config", "hooks", "objects", "refs", *(f"hooks/{hook}" for hook in HOOKS)):
        path = top / name
        if not path.exists():
            continue
        found = path.stat()
        if found.st_uid != owner:
            message = say("repository.other-owner", user=found.st_uid, owner=owner)
            yield Drift(name, message, f"chown {owner} {path}")
        if found.st_mode & stat.S_IWOTH:
            yield Drift(name, say("repository.anybody-writes"), f"chmod o-w {path}")


def _branch_drift(repository: Repository) -> Iterator[Drift]:
    head = repository.head()
    if head.commit is None:
        yield Drift("HEAD", say("repository.empty-branch"), "remit origin init")
    elif head.branch != (protected := protected_branch(Store.of_bare(repository), head.commit)):
        message = say("repository.other-head", branch=head.branch, protected=protected)
        yield Drift("HEAD", message, f"git symbolic-ref HEAD refs/heads/{protected}")


def _hooks(repository: Repository) -> Path:
    return repository.git_dir / "hooks"


def _hook_texts() -> dict[str, bytes]:
    # -I: nothing of the folder, the environment or the user's own packages is imported (A16).
    call = f"exec {shlex.quote(sys.executable)} -I -c 'from remit.main import run; run()' hook"
    head = "#!/bin/sh\n# Written by remit hook install; remit origin check compares it.\n"
    return {name: f'{head}{before}{call} {name} "$@"\n'.encode() for name, before in HOOKS.items()}


def only_packs(repository: Repository, ref: str, oid: str) -> bool:
    """Whether a ref that is about to be removed stays what it is, because git has just written it into packed-refs.

    Older gits call the hook for that removal too; a removal that is meant holds the lock of packed-refs meanwhile.
    """
    packed = repository.git_dir / "packed-refs"
    if packed.with_name("packed-refs.lock").exists() or not packed.exists():
        return False
    return f"{oid} {ref}" in packed.read_text(encoding="utf-8", errors="surrogateescape").splitlines()


# -- what pre-receive let in -------------------------------------------------------------------------------------------


def note_accepted(repository: Repository, old: str, new: str) -> None:
    """Remember that the branch may go from ``old`` to ``new``."""
    write_whole(_note(repository, old, new), b"")


def is_accepted(repository: Repository, old: str, new: str, *, now: datetime) -> bool:
    """Whether the branch was allowed to go from ``old`` to ``new`` just now."""
    try:
        noted = _note(repository, old, new).stat().st_mtime
    except FileNotFoundError:
        return False
    return abs(now.timestamp() - noted) < ACCEPTED.total_seconds()


def forget_accepted(repository: Repository, *, now: datetime) -> None:
    """Remove what was remembered for longer than it counts."""
    for note in (repository.git_dir / "remit" / "accepted").glob("*-*"):
        if now.timestamp() - note.stat().st_mtime >= ACCEPTED.total_seconds():
            note.unlink(missing_ok=True)


def _note(repository: Repository, old: str, new: str) -> Path:
    return repository.git_dir / "remit" / "accepted" / f"{old}-{new}"
