"""Starting git: the one place from which processes begin, and what holds for each of them.

Whatever the repository's own configuration says (a directory on disk is not to be trusted), no hook, file-system
monitor, pager or signing program of it runs. No ``GIT_*`` variable of the caller decides which repository is meant;
replace refs and grafts are not honoured; no protocol is spoken but the one that the caller names.

Source: security, R18.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from remit.errors import GitError

LOCAL_SECONDS = 120.0
NETWORK_SECONDS = 300.0

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


class Done(NamedTuple):
    """How a git ended: its exit status, its output, and its words to the user."""

    status: int
    stdout: bytes
    stderr: str


def run(
    folder: Path, args: Sequence[str], *, stdin: bytes | None = None, ok: tuple[int, ...] = (0,),
    seconds: float = LOCAL_SECONDS, variables: Mapping[str, str] | None = None,
) -> Done:  # fmt: skip
    """Run git in ``folder`` with the fixed options and ``args``, and wait for its end.

    Args:
        ok: The exit statuses that are answers.
        variables: Environment of this call, above the fixed one.

    Raises:
        GitError: any other status, in git's words; no git; more than ``seconds``.
    """
    import git.cmd  # slow to import: only when git is needed
    import git.exc

    if any("\0" in arg for arg in args):
        raise GitError("a name given to git holds a NUL character")
    own = {"GIT_ASKPASS": os.environ.get("GIT_ASKPASS", ""), **_FIXED_VARIABLES, **(variables or {})}
    fixed = [part for key, value in _FIXED_OPTIONS.items() for part in ("-c", f"{key}={value}")]
    try:
        with tempfile.TemporaryFile() as source:
            source.write(stdin or b"")
            source.seek(0)
            status, out, err = git.cmd.Git(str(folder)).execute(
                [*_program(own), *fixed, *args], istream=source, with_extended_output=True, with_exceptions=False,
                stdout_as_string=False, strip_newline_in_stdout=False, kill_after_timeout=seconds, env=own, shell=False,
            )  # fmt: skip
    except git.exc.GitCommandNotFound as error:
        raise GitError("git is not installed, or not on the PATH", hint="install git 2.36 or newer") from error
    if status not in ok:
        raise GitError(words(err) or f"git stopped with status {status}")
    return Done(status, out, err)


def _program(own: Mapping[str, str]) -> list[str]:
    """git by its absolute path, behind ``env -u`` for the caller's variables that GitPython would hand on."""
    program = shutil.which("git") or "git"
    names = [n for n in os.environ if n.startswith("GIT_") and not n.startswith("GIT_PYTHON_")]
    stray = sorted(set(names) - _KEPT_VARIABLES - set(own))
    cleaner = shutil.which("env")
    return [cleaner, *(part for name in stray for part in ("-u", name)), program] if stray and cleaner else [program]


def words(stderr: str) -> str:
    """git's own words, without the hints that speak of commands which Remit runs for the user."""
    lines = [line.rstrip() for line in stderr.replace("\r", "\n").split("\n")]
    return "git: " + "\n".join(line for line in lines if line and not line.startswith("hint:")) if any(lines) else ""
