"""The index and the working tree, without what a repository would have run over its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from remit.git.opened import Opened
from remit.git.parsing import check_path, decode, encode, records
from remit.git.values import FILE_MODE


class Worktree(Opened):
    """The index and the files of a repository."""

    def status(self) -> list[tuple[str, str]]:
        """What differs between HEAD, index and files: (two-letter code, path), untracked files included."""
        command = ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=all"]
        out = self._git(command, variables=self._without_filters()).stdout
        return sorted((decode(row[:2]), decode(row[3:])) for row in records(out))

    def index(self, paths: Sequence[str]) -> dict[str, str]:
        """The blob that the index holds for each of ``paths`` that it has (merged entries only)."""
        out = self._git(["--literal-pathspecs", "ls-files", "-z", "--stage", "--full-name", "--", *paths]).stdout
        rows = [row.partition(b"\t") for row in records(out)]
        return {decode(path): meta.decode().split(" ")[1] for meta, _, path in rows if meta.endswith(b" 0")}

    def set_index(self, entries: Mapping[str, str | None]) -> None:
        """Put these blobs into the index, or take the path out of it; the files stay as they are."""
        modes = {path: FILE_MODE if oid else "0" for path, oid in entries.items()}
        rows = [f"{modes[path]} {oid or self.zero}\t{check_path(path)}\0" for path, oid in sorted(entries.items())]
        command, stdin = ["update-index", "-z", "--index-info"], encode("".join(rows))
        self._git(command, stdin=stdin, variables=self._without_filters())

    def _without_filters(self) -> dict[str, str]:
        # Reading files against the index, and writing it, runs the clean filters that the repository's own
        # configuration names; an empty one is no filter.
        # By variables and not by -c, which would split a name that holds "=".
        names = decode(self._git(["config", "-z", "--name-only", "--list"]).stdout).split("\0")
        programs = {n for n in names if n.startswith("filter.") and n.endswith((".clean", ".smudge", ".process"))}
        settings = dict.fromkeys(sorted(programs), "")
        settings |= {name.rpartition(".")[0] + ".required": "false" for name in sorted(programs)}
        variables = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (name, value) in enumerate(settings.items()):
            variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return variables
