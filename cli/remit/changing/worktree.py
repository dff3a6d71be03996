"""The working tree, index and local branch after an apply: they follow where nobody worked on them."""

from __future__ import annotations

from pathlib import Path

from remit.changes import Touched
from remit.changing.targets import Target
from remit.errors import UserError
from remit.git import Repository
from remit.sentences import say
from remit.store import write_whole


def follow(aim: Target, commit: str) -> tuple[str, ...]:
    """Let the local branch, index and files follow an applied commit where nobody worked on them; say what was left."""
    try:
        return tuple(_follow_all(aim, commit))
    except (UserError, OSError) as error:
        # The change is in; that the files here could not follow must not look as if it were not.
        return (say("change.could-not-follow", why=error.args[0] if isinstance(error, UserError) else str(error)),)


def _follow_all(aim: Target, commit: str) -> list[str]:
    repository = aim.repository
    if not (parents := repository.commit(commit).parents):
        return []
    parent = parents[0]
    if aim.remote is not None and (local := repository.ref(aim.ref)) != commit:
        if local is None:
            return []
        if local != parent:
            return [say("change.branch-elsewhere", branch=aim.branch, remote=aim.remote)]
        repository.update_ref(aim.ref, commit, parent)
    if repository.is_bare or repository.branch() != aim.branch:
        return []
    changed = repository.changed_paths(parent, commit)
    index = repository.index([c.path for c in changed])
    # An index entry that somebody staged, and a file that somebody edited, are theirs.
    if following := {c.path: c.new for c in changed if index.get(c.path) == c.old}:
        repository.set_index(following)
    left = [c.path for c in changed if not _follow_file(repository, Touched(c.path, c.old, c.new))]
    staged = [c.path for c in changed if index.get(c.path) not in (c.old, c.new)]
    theirs = sorted({*left, *staged})
    return [say("change.left-as-is", path=path) for path in theirs]


def _follow_file(repository: Repository, touched: Touched) -> bool:
    """Bring one file up to date; False when it holds somebody's own work."""
    path = repository.top / touched.path
    steps = [path, *path.parents][: touched.path.count("/") + 1]
    if any(step.is_symlink() for step in steps) or any(step.exists() and not step.is_dir() for step in steps[1:]):
        return False
    if path.exists() and not path.is_file():
        return False
    present = repository.blob_id(path.read_bytes()) if path.exists() else None
    if present == touched.new:
        return True
    if present != touched.old:
        return False
    if touched.new is None:
        path.unlink()
        _remove_empty(path.parent, repository.top)
    else:
        write_whole(path, repository.read_blobs([touched.new])[touched.new])
    return True


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


# -- history -----------------------------------------------------------------------------------------------------------
