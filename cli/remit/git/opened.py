"""A repository that was found: how it is asked, and what names in it mean."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

from remit.errors import GitError, NotFound
from remit.git.entries import Tree
from remit.git.objects import Found, Objects
from remit.git.parsing import HEX, decode, lines
from remit.git.running import LOCAL_SECONDS, Done, run

REMEMBERED_BYTES = 64 * 1024 * 1024
"""So much of what was read last is kept."""


class Opened:
    """One git repository, addressed by its own directory whatever the working directory or environment says."""

    def __init__(self, path: Path, variables: Mapping[str, str] | None = None) -> None:
        """Find the repository that holds ``path``.

        Args:
            path: A folder or file in it.
            variables: Environment of every call, such as where git keeps what is being pushed while a hook looks at it.

        Raises:
            GitError: there is none, it belongs to somebody else, or its format is unknown; in git's words.
        """
        start = path if path.is_dir() else path.parent
        if "\n" in str(start.resolve()):
            raise GitError(f"the path {str(start)!r} holds a line end; git's answers could not be told apart")
        self._variables = dict(variables or {})
        query = ["--is-bare-repository", "--is-shallow-repository", "--absolute-git-dir", "--show-object-format"]
        answers = decode(run(start, ["rev-parse", *query, "--show-cdup"]).stdout).split("\n")
        self.is_bare = answers[0] == "true"
        self.is_shallow = answers[1] == "true"
        self.git_dir = Path(answers[2])
        self.object_format = answers[3]
        self.top = self.git_dir if self.is_bare else Path(os.path.normpath(start.resolve() / answers[4]))
        self.zero = "0" * (40 if self.object_format == "sha1" else 64)
        self._known: dict[str, str] = {}
        self._roots: dict[str, str] = {}
        self._read: dict[str, bytes] = {}
        self._read_bytes = 0
        self._trees: dict[str, Tree] = {}
        self._kept_entries = 0
        self._odd: dict[str, bool] = {}
        self._stored: set[str] = set()
        self._settings: dict[str, str] | None = None
        self._objects = Objects(self.top, self._place, self._variables)

    @classmethod
    def find(cls, start: Path) -> Self | None:
        """The repository at ``start`` or above, or None; one that may not be used raises ``GitError``."""
        try:
            return cls(start)
        except GitError as error:
            if "not a git repository" in error.message:
                return None
            raise

    @classmethod
    def init(cls, path: Path, branch: str = "main", *, bare: bool = False) -> Self:
        """A new repository at ``path`` (made when missing) without commits; its first branch is ``branch``."""
        path.mkdir(parents=True, exist_ok=True)
        kind = ["--bare"] if bare else []
        run(path, ["init", "--quiet", "--template=", f"--initial-branch={branch}", *kind, "--", "."])
        return cls(path)

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

    def named(self, name: str) -> str | None:
        """The commit to which a name leads at this moment, or None."""
        return self._verify(f"{name}^{{commit}}")

    def exists(self, name: str) -> bool:
        """True when the object ``name`` is here."""
        return self._verify(f"{name}^{{object}}") is not None

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        if tree := self._verify(f"{commit}^{{tree}}"):
            return tree
        raise NotFound(f'there is no commit named "{commit}"')

    @cached_property
    def _place(self) -> list[str]:
        tree = [] if self.is_bare else [f"--work-tree={self.top}"]
        return [f"--git-dir={self.git_dir}", *tree]

    def _git(
        self, args: Sequence[str], *, stdin: bytes = b"", ok: tuple[int, ...] = (0,),
        seconds: float = LOCAL_SECONDS, variables: Mapping[str, str] | None = None, machine: bool = False,
    ) -> Done:  # fmt: skip
        # cwd is the top, so that a remote with a relative address means what it means to git itself.
        whole = [*self._place, *args]
        own = {**self._variables, **(variables or {})}
        return run(self.top, whole, stdin=stdin, ok=ok, seconds=seconds, variables=own, machine=machine)

    def _verify(self, name: str) -> str | None:
        if name in self._known:
            return self._known[name]
        if not name or any(ord(letter) < 0x20 for letter in name):
            return None
        oid, _, kind = name.partition("^")
        if HEX.fullmatch(oid) and kind in ("{commit}", "{tree}", "{object}"):
            (found,) = self._objects.kinds([oid])
            if found is None:
                return None
            if found.kind == "commit":
                self._batch([oid])
                return self._known[name]
            if kind in ("{object}", f"{{{found.kind}}}"):
                return self._known.setdefault(name, oid)
        done = self._git(["rev-parse", "--verify", "--quiet", "--end-of-options", name], ok=(0, 1, 128))
        sha = decode(done.stdout).strip()
        if done.status or not HEX.fullmatch(sha):
            return None
        if HEX.fullmatch(name.partition("^")[0]):  # an object never becomes another one; a name does
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
        names = [name for name in names if "\n" not in name]  # such a name would be two questions
        found = {name: self._read[name] for name in names if name in self._read}
        wanted = [name for name in names if name not in found]
        if not wanted:
            return found
        lasting = [name for name in wanted if HEX.fullmatch(name.partition(":")[0])]
        for name, data in zip(lasting, self._objects.contents(lasting), strict=True):
            if data is not None:
                found[name] = data.data
                self._remember(name, data)
        return found | self._batch_of_now([name for name in wanted if name not in set(lasting)])

    def _batch_of_now(self, names: Sequence[str]) -> dict[str, bytes]:
        """What names of refs lead to at this moment, asked of a git that has seen nothing before."""
        if not names:
            return {}
        found: dict[str, bytes] = {}
        out, at = self._git(["cat-file", "--batch"], stdin=lines(names)).stdout, 0
        for name in names:
            end = out.index(b"\n", at)
            header, at = out[at:end], end + 1
            if header.endswith((b" missing", b" ambiguous", b" submodule")):
                continue
            length = int(header.rsplit(b" ", 1)[1])
            found[name] = out[at : at + length]
            at += length + 1
        return found

    def _remember(self, name: str, found: Found) -> None:
        """Keep what never becomes another thing, so that the commits of a history share their reading."""
        oid, inside, _ = name.partition(":")
        if len(found.data) <= REMEMBERED_BYTES and name not in self._read:
            self._read[name] = found.data
            self._read_bytes += len(found.data)
            while self._read_bytes > REMEMBERED_BYTES:
                self._read_bytes -= len(self._read.pop(next(iter(self._read))))
        if found.kind == "commit" and not inside:
            tree = decode(found.data.partition(b"\n")[0]).removeprefix("tree ")
            self._known |= {f"{oid}^{{commit}}": oid, f"{oid}^{{tree}}": tree, f"{oid}^{{object}}": oid}
