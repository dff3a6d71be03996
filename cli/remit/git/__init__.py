"""git: the only floor that starts git, and only its plumbing.

Always true here, whatever the repository's own configuration says (a directory on disk is not to be trusted):
no hook of this repository, file-system monitor, filter, external diff, pager, signing program, ssh command or
credential helper of the *repository* runs (those that the user set for himself do, and only for push and fetch);
no ``GIT_*`` variable of the caller decides which repository is meant; replace refs and grafts are not honoured;
user text never becomes an option; a ref moves only from the value that the caller names.

What a repository can do stands in rooms by idea: ``refs``, ``commits``, ``listings``, ``trees``, ``worktree``,
``remotes`` and ``health``, all on ``opened``; ``running`` starts the processes, ``objects`` keeps one that answers,
``parsing`` and ``entries`` read what they wrote.

Objects are named by full hex ids. Paths are relative to the top of the repository, with ``/``.
"""

from __future__ import annotations

from remit.git.commits import Commits
from remit.git.health import Health
from remit.git.indexed import Indexed, Marks, cut
from remit.git.refs import Refs
from remit.git.remotes import Remotes
from remit.git.trees import Trees
from remit.git.values import ChangedPath, Commit, Head, Identity, RefMoved, TreeEntry

__all__ = ["ChangedPath", "Commit", "Head", "Identity", "Marks", "RefMoved", "Repository", "TreeEntry", "cut"]


class Repository(Refs, Commits, Trees, Indexed, Remotes, Health):
    """One git repository, addressed by its own directory whatever the working directory or environment says."""
