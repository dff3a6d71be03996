"""Whether the objects of a repository are what their names say, and whether they are all there."""

from __future__ import annotations

from remit.git.opened import Opened
from remit.git.parsing import decode

CHECK_SECONDS = 3600.0
_NO_FAULT = ("dangling ", "unreachable ", "notice:", "warning in ", "root ", "tagged ", "hint:")


class Health(Opened):
    """The soundness of a repository."""

    def faults(self) -> tuple[str, ...]:
        """What ``git fsck`` finds missing, corrupt or malformed among all objects, in its words; sorted."""
        command = ["fsck", "--full", "--no-dangling", "--no-progress", "--no-reflogs"]
        done = self._git(command, ok=tuple(range(256)), seconds=CHECK_SECONDS)
        said = {line.strip() for line in f"{decode(done.stdout)}\n{done.stderr}".split("\n")}
        found = tuple(sorted(line for line in said if line and not line.startswith(_NO_FAULT)))
        return found or ((f"git fsck stopped with status {done.status}",) if done.status else ())
