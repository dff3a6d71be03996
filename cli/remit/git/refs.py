"""Refs: where they are, and how one moves from the value that the caller names and no other."""

from __future__ import annotations

from remit.errors import GitError
from remit.git.opened import Opened
from remit.git.parsing import check_oid, check_ref, decode
from remit.git.values import Head, RefMoved


class Refs(Opened):
    """The refs of a repository."""

    def head(self) -> Head:
        """The branch that HEAD names and its commit."""
        return Head(self.branch(), self.named("HEAD"))

    def branch(self) -> str | None:
        """The branch that HEAD names, or None when it is detached."""
        status, out, _ = self._git(["symbolic-ref", "--quiet", "HEAD"], ok=(0, 1))
        return decode(out).strip().removeprefix("refs/heads/") if status == 0 else None

    def ref(self, name: str) -> str | None:
        """What the full ref ``name`` holds, or None."""
        return self.refs(name).get(name)

    def refs(self, *prefixes: str) -> dict[str, str]:
        """Every ref equal to one of ``prefixes`` or below it, with the object that it names, at one moment."""
        for prefix in prefixes:
            check_ref(prefix.rstrip("/"))
        out = self._git(["for-each-ref", "--format=%(objectname) %(refname)", *prefixes]).stdout
        return {name: oid for oid, _, name in (line.partition(" ") for line in decode(out).split("\n") if line)}

    def update_ref(self, ref: str, new: str, old: str) -> None:
        """Move ``ref`` from ``old`` to ``new``; ``old`` of all zeros creates it.

        Raises:
            RefMoved: the ref is not at ``old``; nothing was changed.
        """
        check_ref(ref), check_oid(new), check_oid(old)
        self._move(["update-ref", "--no-deref", ref, new, old], ref, old, new)

    def delete_ref(self, ref: str, old: str) -> None:
        """Remove ``ref`` when it is at ``old``; ``RefMoved`` otherwise."""
        check_ref(ref), check_oid(old)
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
