"""Commits: reading them, how they descend from each other, and writing one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from remit.errors import Refused
from remit.git.opened import Opened
from remit.git.parsing import HEX, check_oid, check_ref, decode, lines, parse_commit, stamp
from remit.git.values import Commit, Identity


class Commits(Opened):
    """The commits of a repository."""

    def log(
        self, ref: str, paths: Sequence[str] = (), limit: int | None = None, *,
        exclude: Sequence[str] = (), saying: Sequence[str] = (),
    ) -> list[Commit]:  # fmt: skip
        """Commits reachable from ``ref`` and not from ``exclude`` that touch one of ``paths``, newest first.

        With ``saying``, only those whose message holds one of these texts.
        """
        shas = self.reachable(ref, paths, limit, exclude=exclude, saying=saying)
        raw = self._batch(shas)
        return [parse_commit(sha, raw[sha]) for sha in shas]

    def reachable(
        self, ref: str, paths: Sequence[str] = (), limit: int | None = None, *,
        exclude: Sequence[str] = (), saying: Sequence[str] = (),
    ) -> list[str]:  # fmt: skip
        """The ids of the commits that ``log`` gives, without reading one."""
        if len(exclude) == 1 and not paths and limit is None and not saying:
            sha, base = self.resolve(ref), self.resolve(exclude[0])
            if sha == base or self._parents(sha) == (base,):
                return [sha] if sha != base else []
        bounds = [f"^{self.resolve(base)}" for base in exclude]
        count = [f"--max-count={int(limit)}"] if limit is not None else []
        words = ["--fixed-strings", *(f"--grep={text}" for text in saying)] if saying else []
        command = ["--literal-pathspecs", "rev-list", "--topo-order", *count, *words, self.resolve(ref), *bounds]
        return decode(self._git([*command, "--", *paths]).stdout).split()

    def commit(self, ref: str) -> Commit:
        """The commit that ``ref`` names."""
        sha = self.resolve(ref)
        return parse_commit(sha, self._batch([sha])[sha])

    def raw_commit(self, sha: str) -> bytes:
        """A commit object byte for byte."""
        return self._batch([check_oid(sha)])[sha]

    def root_commit(self, ref: str = "HEAD") -> str:
        """The first commit behind ``ref``, by first parents: the identity of the repository.

        Raises:
            Refused: a shallow clone does not have it.
        """
        if self.is_shallow:
            message = "this clone is shallow: it does not know where its history begins"
            raise Refused(message, hint="git fetch --unshallow")
        sha = self.resolve(ref)
        before = self.commit(sha).parents[:1]
        if not (root := self._roots.get(before[0] if before else sha)):
            out = self._git(["rev-list", "--first-parent", "--max-parents=0", sha, "--"]).stdout
            root = decode(out).split()[-1]
        self._roots[sha] = root
        return root

    def is_ancestor(self, older: str, newer: str) -> bool:
        """True when ``older`` is ``newer`` or reachable from it."""
        old, new = self.resolve(older), self.resolve(newer)
        if old == new or old in self._parents(new):
            return True
        if new in self._parents(old):
            return False
        return self._git(["merge-base", "--is-ancestor", old, new], ok=(0, 1)).status == 0

    def logged(self, ref: str) -> list[str]:
        """The commits at which the full ref ``ref`` was, oldest first, as far as its own log and they are kept here."""
        place = decode(self._git(["rev-parse", "--git-path", f"logs/{check_ref(ref)}"]).stdout).removesuffix("\n")
        log = self.top / place
        rows = log.read_bytes().splitlines() if log.is_file() else []
        named = dict.fromkeys(decode(word) for row in rows for word in row.split(b" ")[:2])
        oids = [oid for oid in named if HEX.fullmatch(oid)]
        there = zip(oids, self._objects.kinds(oids), strict=True)
        return [oid for oid, found in there if found is not None and found.kind == "commit"]

    def beyond(self, tip: str, commits: Sequence[str]) -> list[str]:
        """Which of ``commits`` are not ``tip`` or behind it, in the order given."""
        if not commits:
            return []
        stdin = lines([*map(check_oid, commits), f"^{check_oid(tip)}"])
        found = set(decode(self._git(["rev-list", "--stdin"], stdin=stdin).stdout).split())
        return [sha for sha in commits if sha in found]

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor, or None when the histories are unrelated."""
        first, second = self.resolve(one), self.resolve(other)
        if first == second or first in self._parents(second):
            return first
        if second in self._parents(first):
            return second
        done = self._git(["merge-base", first, second], ok=(0, 1))
        return decode(done.stdout).split()[0] if done.status == 0 else None

    def _parents(self, sha: str) -> tuple[str, ...]:
        """The parents of a commit, where they are sure to be here; a shallow clone may lack them."""
        return () if self.is_shallow else self.commit(sha).parents

    def commit_tree(
        self, tree: str, parents: Sequence[str], message: str, author: Identity, committer: Identity, when: datetime,
        *, authored: datetime | None = None,
    ) -> str:  # fmt: skip
        """Write a commit (no ref moves) and give its id; ``when`` is committer time, and author time unless given."""
        variables = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": stamp(authored or when),
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": stamp(when),
        }
        parts = [part for parent in parents for part in ("-p", check_oid(parent))]
        command = ["commit-tree", check_oid(tree), *parts, "-F", "-"]
        return decode(self._git(command, stdin=message.encode(), variables=variables).stdout).strip()
