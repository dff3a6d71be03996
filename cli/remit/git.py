"""git: the only module that starts git, and only its plumbing.

Always true here, whatever the repository's own configuration says (a directory on disk is not to be trusted):
no hook of this repository, file-system monitor, filter, external diff, pager, signing program, ssh command or
credential helper of the *repository* runs (those that the user set for himself do, and only for push and fetch);
no ``GIT_*`` variable of the caller decides which repository is meant; replace refs and grafts are not honoured;
user text never becomes an option; a ref moves only from the value that the caller names.

Objects are named by full hex ids. Paths are relative to the top of the repository, with ``/``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from remit.errors import GitError, NotFound, Refused

LOCAL_SECONDS = 120.0
NETWORK_SECONDS = 300.0
FILE_MODE = "100644"
_TREE_MODE = "40000"

# What a user sets to reach a remote or to choose his own configuration; every other GIT_* variable is dropped.
_KEPT_VARIABLES = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES"}
_KEPT_VARIABLES |= {"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS"}
_FIXED_VARIABLES = {
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
}
_FIXED_OPTIONS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.quotePath": "false",
    "core.pager": "cat",
    "core.askPass": "",
    "core.alternateRefsCommand": "true",
    "core.fsync": "committed,reference",
    "core.logAllRefUpdates": "true",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "i18n.commitEncoding": "UTF-8",
    "log.showSignature": "false",
    "protocol.allow": "never",
    "push.gpgSign": "false",
    "submodule.recurse": "false",
}
_PROTOCOLS = ("file", "https", "http", "ssh")
_HEX = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REMOTE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REF = re.compile(r"refs(/[^/\x00-\x20\x7f~^:?*\[\\]+)+")
_MOVED_WORDS = (
    "stale info", "fetch first", "non-fast-forward", "already exists", "incorrect old value", "cannot lock ref",
)  # fmt: skip
_REFUSED_WORDS = ("hook declined", "checked out", "prohibited", "deny", "hidden ref")


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


class Repository:
    """One git repository, addressed by its own directory whatever the working directory or environment says."""

    def __init__(self, path: Path) -> None:
        """Find the repository that holds ``path``.

        Raises:
            GitError: there is none, it belongs to somebody else, or its format is unknown; in git's words.
        """
        start = path if path.is_dir() else path.parent
        query = ["--is-bare-repository", "--is-shallow-repository", "--absolute-git-dir", "--show-object-format"]
        lines = _decode(_run(start, [*_options(), "rev-parse", *query, "--show-cdup"]).stdout).split("\n")
        self.is_bare = lines[0] == "true"
        self.is_shallow = lines[1] == "true"
        self.git_dir = Path(lines[2])
        self.object_format = lines[3]
        self.top = self.git_dir if self.is_bare else Path(os.path.normpath(start.resolve() / lines[4]))
        self.zero = "0" * (40 if self.object_format == "sha1" else 64)
        self._known: dict[str, str] = {}

    @classmethod
    def find(cls, start: Path) -> Repository | None:
        """The repository at ``start`` or above, or None; one that may not be used raises ``GitError``."""
        try:
            return cls(start)
        except GitError as error:
            if "not a git repository" in error.message:
                return None
            raise

    @classmethod
    def init(cls, path: Path, branch: str = "main", *, bare: bool = False) -> Repository:
        """A new repository at ``path`` (made when missing) without commits; its first branch is ``branch``."""
        path.mkdir(parents=True, exist_ok=True)
        kind = ["--bare"] if bare else []
        _run(path, [*_options(), "init", "--quiet", "--template=", f"--initial-branch={branch}", *kind, "--", "."])
        return cls(path)

    # -- refs and commits ------------------------------------------------------------------------------------------

    def head(self) -> Head:
        """The branch that HEAD names and its commit."""
        status, out, _ = self._git(["symbolic-ref", "--quiet", "HEAD"], ok=(0, 1))
        branch = _decode(out).strip().removeprefix("refs/heads/") if status == 0 else None
        return Head(branch, self._verify("HEAD^{commit}"))

    def resolve(self, ref: str) -> str:
        """The commit that ``ref`` names.

        Raises:
            NotFound: no such revision, or it is not a commit.
        """
        if sha := self._verify(f"{ref}^{{commit}}"):
            return sha
        if ref == "HEAD":
            raise NotFound("this repository has no commit yet", hint="commit the store once: git add -A && git commit")
        hint = "this clone is shallow: git fetch --unshallow" if self.is_shallow else "git branch -a lists the branches"
        raise NotFound(f'there is no commit named "{ref}"', hint=hint)

    def exists(self, name: str) -> bool:
        """True when the object ``name`` is here."""
        return self._verify(f"{name}^{{object}}") is not None

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        if tree := self._verify(f"{commit}^{{tree}}"):
            return tree
        raise NotFound(f'there is no commit named "{commit}"')

    def ref(self, name: str) -> str | None:
        """What the full ref ``name`` holds, or None."""
        return self.refs(name).get(name)

    def refs(self, prefix: str) -> dict[str, str]:
        """Every ref equal to ``prefix`` or below it, with the object that it names."""
        _check_ref(prefix.rstrip("/"))
        out = self._git(["for-each-ref", "--format=%(objectname) %(refname)", prefix]).stdout
        return {name: oid for oid, _, name in (line.partition(" ") for line in _decode(out).split("\n") if line)}

    def update_ref(self, ref: str, new: str, old: str) -> None:
        """Move ``ref`` from ``old`` to ``new``; ``old`` of all zeros creates it.

        Raises:
            RefMoved: the ref is not at ``old``; nothing was changed.
        """
        _check_ref(ref), _check_oid(new), _check_oid(old)
        self._move(["update-ref", "--no-deref", ref, new, old], ref, old, new)

    def delete_ref(self, ref: str, old: str) -> None:
        """Remove ``ref`` when it is at ``old``; ``RefMoved`` otherwise."""
        _check_ref(ref), _check_oid(old)
        self._move(["update-ref", "--no-deref", "-d", ref, old], ref, old, None)

    def _move(self, command: list[str], ref: str, old: str, new: str | None) -> None:
        try:
            self._git(command)
        except GitError as error:
            # An error does not say that nothing happened: look.
            found = self.ref(ref)
            if found == new:
                return
            if found != (None if old == self.zero else old):
                message = f"{ref} moved: it is at {found[:12] if found else 'no commit'}, not at {old[:12]}"
                raise RefMoved(message, hint="look again, then try again") from error
            raise

    def log(
        self, ref: str, paths: Sequence[str] = (), limit: int | None = None, *, exclude: Sequence[str] = ()
    ) -> list[Commit]:
        """Commits reachable from ``ref`` and not from ``exclude`` that touch one of ``paths``, newest first."""
        bounds = [f"^{self.resolve(base)}" for base in exclude]
        count = [f"--max-count={int(limit)}"] if limit is not None else []
        command = ["--literal-pathspecs", "rev-list", "--topo-order", *count, self.resolve(ref), *bounds, "--", *paths]
        shas = _decode(self._git(command).stdout).split()
        raw = self._batch(shas)
        return [_parse_commit(sha, raw[sha]) for sha in shas]

    def commit(self, ref: str) -> Commit:
        """The commit that ``ref`` names."""
        sha = self.resolve(ref)
        return _parse_commit(sha, self._batch([sha])[sha])

    def root_commit(self, ref: str = "HEAD") -> str:
        """The first commit behind ``ref``, by first parents: the identity of the repository.

        Raises:
            Refused: a shallow clone does not have it.
        """
        if self.is_shallow:
            message = "this clone is shallow: it does not know where its history begins"
            raise Refused(message, hint="git fetch --unshallow")
        out = self._git(["rev-list", "--first-parent", "--max-parents=0", self.resolve(ref), "--"]).stdout
        return _decode(out).split()[-1]

    def is_ancestor(self, older: str, newer: str) -> bool:
        """True when ``older`` is ``newer`` or reachable from it."""
        command = ["merge-base", "--is-ancestor", self.resolve(older), self.resolve(newer)]
        return self._git(command, ok=(0, 1)).status == 0

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor, or None when the histories are unrelated."""
        done = self._git(["merge-base", self.resolve(one), self.resolve(other)], ok=(0, 1))
        return _decode(done.stdout).split()[0] if done.status == 0 else None

    def commit_tree(
        self, tree: str, parents: Sequence[str], message: str, author: Identity, committer: Identity, when: datetime,
        *, authored: datetime | None = None,
    ) -> str:  # fmt: skip
        """Write a commit (no ref moves) and give its id; ``when`` is committer time, and author time unless given."""
        variables = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": _stamp(authored or when),
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": _stamp(when),
        }
        parts = [part for parent in parents for part in ("-p", _check_oid(parent))]
        command = ["commit-tree", _check_oid(tree), *parts, "-F", "-"]
        return _decode(self._git(command, stdin=message.encode(), variables=variables).stdout).strip()

    # -- trees and blobs -------------------------------------------------------------------------------------------

    def list_tree(self, commit: str, paths: Sequence[str] = ()) -> dict[str, TreeEntry]:
        """Every file of a commit or tree, by path; with ``paths`` only those files and what is below those folders."""
        command = ["--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", self.tree_of(commit), "--", *paths]
        listing = {}
        for row in _records(self._git(command).stdout):
            meta, _, path = row.partition(b"\t")
            mode, _, oid = meta.decode().split(" ")
            listing[_decode(path)] = TreeEntry(mode, oid)
        return listing

    def read_blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """The contents of many objects by one process; also names such as ``COMMIT:path``.

        Raises:
            GitError: one of them is missing.
        """
        return self._batch(sorted(set(oids)))

    def find_blobs(self, names: Iterable[str]) -> dict[str, bytes]:
        """Like ``read_blobs``, without those that are missing."""
        return self._batch_optional(sorted(set(names)))

    def blob_id(self, data: bytes) -> str:
        """The id that git gives ``data``, computed without git and without filters."""
        return hashlib.new(self.object_format, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()

    def write_blob(self, data: bytes) -> str:
        """Store ``data`` and give its id."""
        return self.write_blobs([data])[0]

    def write_blobs(self, many: Sequence[bytes]) -> list[str]:
        """Store many blobs by one process; ids in the same order."""
        if not many:
            return []
        with tempfile.TemporaryDirectory(prefix="remit-blobs-") as folder:
            names = [Path(folder, str(number)) for number in range(len(many))]
            for name, data in zip(names, many, strict=True):
                name.write_bytes(data)
            command = ["hash-object", "-w", "--no-filters", "--stdin-paths"]
            out = self._git(command, stdin=_lines(map(str, names))).stdout
        return _decode(out).split()

    def commit_with(self, base_tree: str | None, changes: Mapping[str, bytes | None]) -> str:
        """The tree that is ``base_tree`` with ``changes`` made; None removes a path. Index and files stay untouched."""
        kept = {path: data for path, data in changes.items() if data is not None}
        oids = dict(zip(kept, self.write_blobs(list(kept.values())), strict=True))
        return self.tree_with(base_tree, {path: oids.get(path) for path in changes})

    def tree_with(self, base_tree: str | None, changes: Mapping[str, str | None]) -> str:
        """Like ``commit_with``, for blobs that are stored already; every file it writes has mode 100644."""
        for path in changes:
            _check_path(path)
        folders = sorted({folder for path in changes for folder in _folders(path)})
        trees = self._read_folders(base_tree, folders)
        for path, oid in changes.items():
            folder, _, name = path.rpartition("/")
            _put(trees[folder], name, (FILE_MODE, oid) if oid is not None else None)
        for depth in range(max(map(_depth, folders), default=0), 0, -1):
            level = [folder for folder in folders if _depth(folder) == depth]
            for folder, oid in zip(level, self._make_trees([trees[folder] for folder in level]), strict=True):
                parent, _, name = folder.rpartition("/")
                before = trees[parent].get(name)
                if trees[folder]:
                    _put(trees[parent], name, (_TREE_MODE, oid))
                elif before is not None and before[0] == _TREE_MODE:
                    _put(trees[parent], name, None)
        return self._make_trees([trees.get("", {})])[0]

    def changed_paths(self, before: str, after: str) -> list[ChangedPath]:
        """What differs between two commits or trees, by path; a rename is a removal and an addition."""
        command = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-abbrev"]
        out = self._git([*command, self.tree_of(before), self.tree_of(after), "--"]).stdout
        fields = _records(out)
        found = []
        for meta, path in zip(fields[::2], fields[1::2], strict=True):
            _, new_mode, old, new, status = meta.decode().removeprefix(":").split(" ")
            ids = [None if oid == self.zero else oid for oid in (old, new)]
            found.append(ChangedPath(status[0], _decode(path), ids[0], ids[1], new_mode))
        return sorted(found, key=lambda change: change.path)

    # -- index and working tree ------------------------------------------------------------------------------------

    def status(self) -> list[tuple[str, str]]:
        """What differs between HEAD, index and files: (two-letter code, path), untracked files included."""
        command = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=all"]
        out = self._git(command, variables=self._without_filters()).stdout
        return sorted((_decode(row[:2]), _decode(row[3:])) for row in _records(out))

    def index(self, paths: Sequence[str]) -> dict[str, str]:
        """The blob that the index holds for each of ``paths`` that it has (merged entries only)."""
        out = self._git(["--literal-pathspecs", "ls-files", "-z", "--stage", "--full-name", "--", *paths]).stdout
        rows = [row.partition(b"\t") for row in _records(out)]
        return {_decode(path): meta.decode().split(" ")[1] for meta, _, path in rows if meta.endswith(b" 0")}

    def set_index(self, entries: Mapping[str, str | None]) -> None:
        """Put these blobs into the index, or take the path out of it; the files stay as they are."""
        modes = {path: FILE_MODE if oid else "0" for path, oid in entries.items()}
        rows = [f"{modes[path]} {oid or self.zero}\t{_check_path(path)}\0" for path, oid in sorted(entries.items())]
        command, stdin = ["update-index", "-z", "--index-info"], _encode("".join(rows))
        self._git(command, stdin=stdin, variables=self._without_filters())

    def _without_filters(self) -> dict[str, str]:
        # Reading files against the index, and writing it, runs the clean filters that the repository's own
        # configuration names; an empty one is no filter.
        # By variables and not by -c, which would split a name that holds "=".
        names = _decode(self._git(["config", "-z", "--name-only", "--list"]).stdout).split("\0")
        programs = {n for n in names if n.startswith("filter.") and n.endswith((".clean", ".smudge", ".process"))}
        settings = dict.fromkeys(sorted(programs), "")
        settings |= {name.rpartition(".")[0] + ".required": "false" for name in sorted(programs)}
        variables = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (name, value) in enumerate(settings.items()):
            variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return variables

    # -- settings and remotes --------------------------------------------------------------------------------------

    def config(self, key: str) -> str | None:
        """One value of git's configuration, the last when there are several; None when unset."""
        done = self._git(["config", "-z", "--get", key], ok=(0, 1))
        return _decode(done.stdout).removesuffix("\0") if done.status == 0 else None

    def identity(self) -> Identity | None:
        """``user.name`` and ``user.email`` as configured; never guessed from the machine, None when either is unset."""
        name, email = (self.config("user.name") or "").strip(), (self.config("user.email") or "").strip()
        return Identity(name, email) if name and email else None

    def remote(self, name: str = "origin") -> str | None:
        """The address of a remote, or None when there is no such remote."""
        if not _REMOTE.fullmatch(name) or not self.config(f"remote.{name}.url"):
            return None
        return _decode(self._git(["ls-remote", "--get-url", "--", name]).stdout).strip()

    def fetch(self, remote: str, refspecs: Sequence[str]) -> None:
        """Bring refs from ``remote``; a local ref under a pattern that is gone there goes here too. Tags stay out."""
        command = ["fetch", "--no-progress", "--no-tags", "--prune", "--no-recurse-submodules", "--no-write-fetch-head"]
        program = ["--no-auto-maintenance", "--refmap=", "--upload-pack=git-upload-pack"]
        self._network(remote, [*command, *program, "--", remote, *refspecs])

    def push(self, remote: str, refspecs: Sequence[str], leases: Mapping[str, str | None]) -> None:
        """Move refs of ``remote`` all together or not at all.

        Args:
            remote: Name of a configured remote.
            refspecs: ``ID:refs/…``, or ``:refs/…`` to remove.
            leases: For every ref moved, the value it must have there now; None when it must not exist.

        Raises:
            RefMoved: a lease does not hold; nothing was changed.
            Refused: the remote's hooks or settings refuse; the message carries its words.
            GitError: anything else, and then the outcome is unknown until the remote is read again.
        """
        expected = [f"--force-with-lease={_check_ref(ref)}:{old or ''}" for ref, old in sorted(leases.items())]
        command = ["push", "--quiet", "--porcelain", "--atomic", "--no-verify", "--no-signed", "--no-follow-tags"]
        program = ["--recurse-submodules=no", "--receive-pack=git-receive-pack"]
        self._network(remote, [*command, *program, *expected, "--", remote, *refspecs])

    def _network(self, remote: str, command: list[str]) -> None:
        url = self.remote(remote)
        if url is None:
            raise NotFound(f'this repository has no remote "{remote}"')
        settings, variables = self._own_settings()
        settings.append(f"protocol.{_protocol(url)}.allow=always")
        options = [part for setting in settings for part in ("-c", setting)]
        done = self._git([*options, *command], ok=(0, 1, 128), seconds=NETWORK_SECONDS, variables=variables)
        if done.status:
            raise _push_error(remote, done)

    def _own_settings(self) -> tuple[list[str], dict[str, str]]:
        """What the user (not the repository) set about credentials and ssh."""
        out = _decode(self._git(["config", "--show-scope", "-z", "--list"]).stdout).split("\0")
        settings, variables = ["credential.helper="], {}
        for scope, entry in zip(out[::2], out[1::2], strict=False):
            key, _, value = entry.partition("\n")
            if scope in ("system", "global") and key.startswith("credential."):
                settings.append(f"{key}={value}")
            if scope in ("system", "global") and key == "core.sshcommand":
                variables["GIT_SSH_COMMAND"] = value
        variables.setdefault("GIT_SSH_COMMAND", "ssh")
        if own := os.environ.get("GIT_SSH_COMMAND") or os.environ.get("GIT_SSH"):
            variables["GIT_SSH_COMMAND"] = own
        return settings, variables

    # -- inside ----------------------------------------------------------------------------------------------------

    @cached_property
    def _place(self) -> list[str]:
        tree = [] if self.is_bare else [f"--work-tree={self.top}"]
        return [f"--git-dir={self.git_dir}", *tree]

    def _git(
        self, args: Sequence[str], *, stdin: bytes | None = None, ok: tuple[int, ...] = (0,),
        seconds: float = LOCAL_SECONDS, variables: Mapping[str, str] | None = None,
    ) -> _Done:  # fmt: skip
        # cwd is the top, so that a remote with a relative address means what it means to git itself.
        whole = [*_options(), *self._place, *args]
        return _run(self.top, whole, stdin=stdin, ok=ok, seconds=seconds, variables=variables)

    def _verify(self, name: str) -> str | None:
        if not name or any(ord(letter) < 0x20 for letter in name):
            return None
        if name in self._known:
            return self._known[name]
        done = self._git(["rev-parse", "--verify", "--quiet", "--end-of-options", name], ok=(0, 1, 128))
        sha = _decode(done.stdout).strip()
        if done.status or not _HEX.fullmatch(sha):
            return None
        if _HEX.fullmatch(name.partition("^")[0]):  # an object never becomes another one; a name does
            self._known[name] = sha
        return sha

    def _batch(self, names: Sequence[str]) -> dict[str, bytes]:
        """Raw contents of objects; a missing one raises."""
        found = self._batch_optional(names)
        if missing := [name for name in names if name not in found]:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            message = f"git has no object {missing[0]}{more}"
            raise GitError(message, hint="the repository is damaged or partial: git fsck")
        return found

    def _batch_optional(self, names: Sequence[str]) -> dict[str, bytes]:
        if not names:
            return {}
        out = self._git(["cat-file", "--batch"], stdin=_lines(names)).stdout
        found, at = {}, 0
        for name in names:
            end = out.index(b"\n", at)
            header, at = out[at:end], end + 1
            if header.endswith((b" missing", b" ambiguous")):
                continue
            size = int(header.rpartition(b" ")[2])
            found[name] = out[at : at + size]
            at += size + 1
        return found

    def _read_folders(self, base_tree: str | None, folders: Sequence[str]) -> dict[str, dict[str, tuple[str, str]]]:
        """The entries of each folder of a tree, empty for one that is not there."""
        if base_tree is None:
            return {folder: {} for folder in folders}
        names = {folder: f"{_check_oid(base_tree)}:{folder}" for folder in folders}
        raw = self._batch_optional(list(names.values()))
        kinds = self._kinds(list(names.values()))
        size = len(self.zero) // 2
        return {f: _parse_tree(raw[n], size) if kinds.get(n) == "tree" else {} for f, n in names.items()}

    def _kinds(self, names: Sequence[str]) -> dict[str, str]:
        if not names:
            return {}
        command = ["cat-file", "--batch-check=%(objecttype)"]
        lines = _decode(self._git(command, stdin=_lines(names)).stdout).split("\n")
        return dict(zip(names, lines, strict=False))

    def _make_trees(self, trees: Sequence[Mapping[str, tuple[str, str]]]) -> list[str]:
        if not trees:
            return []
        kind = {_TREE_MODE: "tree", "160000": "commit"}
        rows = [
            "".join(f"{mode} {kind.get(mode, 'blob')} {oid}\t{name}\0" for name, (mode, oid) in sorted(tree.items()))
            for tree in trees
        ]
        stdin = _encode("".join(f"{row}\0" for row in rows))
        return _decode(self._git(["mktree", "-z", "--batch"], stdin=stdin).stdout).split()


# -- starting git ------------------------------------------------------------------------------------------------------


class _Done(NamedTuple):
    status: int
    stdout: bytes
    stderr: str


def _options() -> list[str]:
    return [part for key, value in _FIXED_OPTIONS.items() for part in ("-c", f"{key}={value}")]


def _run(
    folder: Path, args: Sequence[str], *, stdin: bytes | None = None, ok: tuple[int, ...] = (0,),
    seconds: float = LOCAL_SECONDS, variables: Mapping[str, str] | None = None,
) -> _Done:  # fmt: skip
    import git.cmd  # slow to import: only when git is needed
    import git.exc

    if any("\0" in arg for arg in args):
        raise GitError("a name given to git holds a NUL character")
    own = {"GIT_ASKPASS": os.environ.get("GIT_ASKPASS", ""), **_FIXED_VARIABLES, **(variables or {})}
    try:
        with tempfile.TemporaryFile() as source:
            source.write(stdin or b"")
            source.seek(0)
            status, out, err = git.cmd.Git(str(folder)).execute(
                [*_program(own), *args], istream=source, with_extended_output=True, with_exceptions=False,
                stdout_as_string=False, strip_newline_in_stdout=False, kill_after_timeout=seconds, env=own, shell=False,
            )  # fmt: skip
    except git.exc.GitCommandNotFound as error:
        raise GitError("git is not installed, or not on the PATH", hint="install git 2.36 or newer") from error
    if status not in ok:
        raise GitError(_words(err) or f"git stopped with status {status}")
    return _Done(status, out, err)


def _program(own: Mapping[str, str]) -> list[str]:
    """git by its absolute path, behind ``env -u`` for the caller's variables that GitPython would hand on."""
    program = shutil.which("git") or "git"
    names = [n for n in os.environ if n.startswith("GIT_") and not n.startswith("GIT_PYTHON_")]
    stray = sorted(set(names) - _KEPT_VARIABLES - set(own))
    cleaner = shutil.which("env")
    return [cleaner, *(part for name in stray for part in ("-u", name)), program] if stray and cleaner else [program]


def _words(stderr: str) -> str:
    """git's own words, without the hints that speak of commands which Remit runs for the user."""
    lines = [line.rstrip() for line in stderr.replace("\r", "\n").split("\n")]
    return "git: " + "\n".join(line for line in lines if line and not line.startswith("hint:")) if any(lines) else ""


def _push_error(remote: str, done: _Done) -> GitError | Refused:
    report = [line for line in _decode(done.stdout).split("\n") if line.startswith("!")]
    said = "\n".join([*(line.replace("\t", " ") for line in report), _words(done.stderr)]).strip()
    text = "\n".join(report)
    if any(word in text for word in _MOVED_WORDS):
        return RefMoved(f'"{remote}" moved since we looked: {said}', hint="look again, then try again")
    if any(word in text for word in _REFUSED_WORDS):
        return Refused(f'"{remote}" refused: {said}')
    return GitError(f'"{remote}" could not be reached or answered unclearly: {said}')


def _protocol(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if separator and scheme in _PROTOCOLS:
        return scheme
    if separator or re.match(r"[A-Za-z0-9+.-]+::", url):
        hint = f"one of {', '.join(_PROTOCOLS)}"
        raise GitError(f'the address "{url}" uses a protocol that Remit does not use', hint=hint)
    # As git does: a colon before the first slash is host:path for ssh, anything else a path.
    return "ssh" if re.match(r"[^/]+:", url) and not Path(url).exists() else "file"


# -- reading what git wrote --------------------------------------------------------------------------------------------


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _lines(names: Iterable[str]) -> bytes:
    return _encode("".join(f"{name}\n" for name in names))


def _records(data: bytes) -> list[bytes]:
    return [row for row in data.split(b"\0") if row]


def _parse_tree(raw: bytes, size: int) -> dict[str, tuple[str, str]]:
    entries, at = {}, 0
    while at < len(raw):
        end = raw.index(b"\0", at)
        mode, _, name = raw[at:end].partition(b" ")
        entries[_decode(name)] = (mode.decode(), raw[end + 1 : end + 1 + size].hex())
        at = end + 1 + size
    return entries


def _parse_commit(sha: str, raw: bytes) -> Commit:
    head, _, body = raw.partition(b"\n\n")
    headers: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        key, _, value = line.partition(" ")
        headers.setdefault(key, []).append(value)
    author, email, when = _person(headers["author"][0])
    committer, committer_email, committed = _person(headers["committer"][0])
    message = body.decode("utf-8", "replace")
    parents = tuple(headers.get("parent", []))
    return Commit(sha, headers["tree"][0], parents, author, email, when, message, committer, committer_email, committed)


def _person(text: str) -> tuple[str, str, datetime]:
    name, _, rest = text.partition("<")
    email, _, stamp = rest.rpartition(">")
    return name.strip(), email.strip(), _instant(stamp.split())


def _instant(parts: Sequence[str]) -> datetime:
    # Anybody can write any number here; a nonsensical one must not stop the reading.
    try:
        seconds, zone = int(parts[0]), parts[1]
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[0] == "-" else 1)
        return datetime.fromtimestamp(seconds, timezone(offset))
    except (IndexError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _stamp(when: datetime) -> str:
    if when.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return f"@{int(when.timestamp())} {when.strftime('%z')[:5]}"


# -- checking what goes to git -----------------------------------------------------------------------------------------


def _check_oid(oid: str) -> str:
    if not _HEX.fullmatch(oid):
        raise GitError(f'"{oid}" is not a full object id')
    return oid


def _check_ref(ref: str) -> str:
    odd = any(part.startswith(".") or part.endswith((".", ".lock")) for part in ref.split("/"))
    if not _REF.fullmatch(ref) or odd or ".." in ref or "@{" in ref:
        raise GitError(f'"{ref}" is not the name of a ref')
    return ref


def _check_path(path: str) -> str:
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts) or any(ord(c) < 0x20 for c in path):
        raise GitError(f'"{path}" is not a path that a tree may hold')
    return path


def _folders(path: str) -> list[str]:
    """Every folder above ``path``, the top (an empty text) included."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts) + 1)]


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def _put(tree: dict[str, Any], name: str, entry: tuple[str, str] | None) -> None:
    if entry is None:
        tree.pop(name, None)
    else:
        tree[name] = entry
