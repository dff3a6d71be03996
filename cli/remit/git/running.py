"""Starting git: the one place from which processes begin, and what holds for each of them.

Whatever the repository's own configuration says (a directory on disk is not to be trusted), no hook, file-system
monitor, pager or signing program of it runs. No ``GIT_*`` variable of the caller decides which repository is meant;
replace refs, grafts and promisor remotes are not honoured; no protocol is spoken but the one that the caller names.
git is started by its absolute path, without a shell, and neither runs for ever nor fills the memory.

Source: security, R18.
"""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from remit.errors import GitError
from remit.git.parsing import decode

LOCAL_SECONDS = 120.0
NETWORK_SECONDS = 300.0
OUTPUT_BYTES = 512 * 1024 * 1024
WORDS_BYTES = 1024 * 1024
CHUNK_BYTES = 1024 * 1024
_STOP_SECONDS = 5.0
_LOCKED = "\nAnother git process seems to be running"

# What a user sets to reach a remote or to choose his own configuration; every other GIT_* variable is dropped.
_KEPT_VARIABLES = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES"}
_KEPT_VARIABLES |= {"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS"}
_FIXED_VARIABLES = {
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",  # known to git 2.39.4 and later
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_ALLOW_PROTOCOL": "",  # stands above every protocol.*.allow, also those of the repository
}
_FIXED_OPTIONS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.quotePath": "false",
    "core.pager": "cat",
    "core.askPass": "",
    "core.alternateRefsCommand": "true",
    "core.fsync": "committed,index,reference",
    "core.logAllRefUpdates": "always",
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
    folder: Path, args: Sequence[str], *, stdin: bytes = b"", ok: tuple[int, ...] = (0,),
    seconds: float = LOCAL_SECONDS, variables: Mapping[str, str] | None = None, machine: bool = False,
) -> Done:  # fmt: skip
    """Run git in ``folder`` with the fixed options and ``args``, and wait for its end.

    Args:
        ok: The exit statuses that are answers.
        variables: Environment of this call, above the fixed one.
        machine: Whether the settings of the machine (``/etc/gitconfig``) count beside those of user and repository.

    Raises:
        GitError: any other status, in git's words; no git; more than ``seconds`` or ``OUTPUT_BYTES``.
    """
    with ExitStack() as open_ones:
        source: Any = subprocess.DEVNULL
        if stdin:
            source = open_ones.enter_context(tempfile.TemporaryFile())
            source.write(stdin)
            source.seek(0)
        process = _started(folder, args, source, variables, machine=machine)
    try:
        status, out, err = _finish(process, seconds)
    except BaseException:
        stop(process)
        raise
    if status not in ok:
        hint = "another git is at work here, or one has died: remit doctor --repair" if _LOCKED in err else ""
        raise GitError(words(err).partition(_LOCKED)[0] or f"git stopped with status {status}", hint)
    return Done(status, out, err)


def standing(folder: Path, args: Sequence[str], *, variables: Mapping[str, str]) -> Any:
    """A git that goes on until it is stopped, with pipes at all three of its streams; started as ``run`` starts one."""
    return _started(folder, args, subprocess.PIPE, variables, machine=False)


def _started(
    folder: Path, args: Sequence[str], source: Any, variables: Mapping[str, str] | None, *, machine: bool
) -> Any:
    import git.cmd  # slow to import: only when git is needed

    if any("\0" in arg for arg in args):
        raise GitError("a name given to git holds a NUL character")
    own = {"GIT_ASKPASS": os.environ.get("GIT_ASKPASS", ""), **_FIXED_VARIABLES, **(variables or {})}
    if not machine:
        own["GIT_CONFIG_NOSYSTEM"] = "1"
    fixed = [part for key, value in _FIXED_OPTIONS.items() for part in ("-c", f"{key}={value}")]
    # -C, because GitPython falls back on the working directory when it cannot enter the folder.
    command = [*_program(own), "-C", str(folder.absolute()), *fixed, *args]
    started = git.cmd.Git(str(folder)).execute(command, istream=source, as_process=True, env=own, shell=False)
    # GitPython would end the process with the object that it gives, in a fork too.
    process, started.proc = started.proc, None
    return process


def words(stderr: str) -> str:
    """git's own words, without the hints that speak of commands which Remit runs for the user."""
    lines = [line.rstrip() for line in stderr.replace("\r", "\n").split("\n")]
    return "git: " + "\n".join(line for line in lines if line and not line.startswith("hint:")) if any(lines) else ""


def _program(own: Mapping[str, str]) -> list[str]:
    """git by its absolute path, behind ``env -u`` for the caller's variables that GitPython would hand on."""
    # A relative folder on the PATH would be looked up in the repository.
    path = os.pathsep.join(
        folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder).is_absolute()
    )
    program, cleaner = _found("git", path), _found("env", path)
    if program is None:
        raise GitError("git is not installed, or not on the PATH", hint="install git 2.36 or newer")
    names = [n for n in os.environ if n.startswith("GIT_") and not n.startswith("GIT_PYTHON_")]
    stray = sorted(set(names) - _KEPT_VARIABLES - set(own))
    if not stray:
        return [program]
    if cleaner is None:
        raise GitError(f"{', '.join(stray)} must not reach git, and there is no program env to leave it out")
    return [cleaner, *(part for name in stray for part in ("-u", name)), program]


@cache
def _found(name: str, path: str) -> str | None:
    return shutil.which(name, path=path)


def _finish(process: Any, seconds: float) -> Done:
    """Read both streams of ``process`` until it ends; an error when it takes too long or says too much."""
    deadline = monotonic() + seconds
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as streams:
        streams.register(process.stdout, selectors.EVENT_READ, out)
        streams.register(process.stderr, selectors.EVENT_READ, err)
        while streams.get_map():
            left = deadline - monotonic()
            ready = streams.select(left) if left > 0 else []
            if not ready:
                raise late(seconds)
            for key, _ in ready:
                chunk = os.read(key.fd, CHUNK_BYTES)
                key.data.extend(chunk)
                if not chunk:
                    streams.unregister(key.fileobj)
            if len(out) > OUTPUT_BYTES:
                raise GitError(f"git wrote more than {OUTPUT_BYTES} bytes and was stopped")
            # Words come from the remote as well; what is too long is cut, for the work itself may be done.
            del err[WORDS_BYTES:]
    try:
        status = process.wait(max(deadline - monotonic(), 0))
    except subprocess.TimeoutExpired as error:
        raise late(seconds) from error
    return Done(status, bytes(out), decode(bytes(err)))


def late(seconds: float) -> GitError:
    """The error for a git that took too long."""
    return GitError(f"git did not finish within {seconds:g} seconds and was stopped")


def stop(process: Any) -> int:
    """Ask git to stop, so that it takes its lock files and helpers with it; then do not ask. Its status."""
    process.terminate()
    try:
        return int(process.wait(_STOP_SECONDS))
    except subprocess.TimeoutExpired:
        process.kill()
        return int(process.wait())
