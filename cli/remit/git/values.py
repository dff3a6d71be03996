"""What git knows, as values."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from remit.errors import Refused

FILE_MODE = "100644"
TREE_MODE = "40000"


class RefMoved(Refused):
    """A ref is not where it was when we looked; nothing was changed."""


class Head(NamedTuple):
    """Where HEAD is: ``branch`` is None when detached, ``commit`` is None while there is no commit yet."""

    branch: str | None
    commit: str | None


class Identity(NamedTuple):
    """A name and e-mail as git knows them: claimed, never proved."""

    name: str
    email: str


class Commit(NamedTuple):
    """One commit as written; times keep the zone of their writer."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: str
    email: str
    when: datetime
    message: str
    committer: str = ""
    committer_email: str = ""
    committed: datetime | None = None


class ChangedPath(NamedTuple):
    """One path that differs between two trees; an id is None where the path is absent."""

    status: str
    path: str
    old: str | None
    new: str | None
    new_mode: str = FILE_MODE


class TreeEntry(NamedTuple):
    """Mode and id of one path of a listing."""

    mode: str
    oid: str
