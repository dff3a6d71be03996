"""Settings and remotes: the only calls that see the machine's settings, and the only ones that leave the machine.

A helper for credentials and a command for ssh are the user's or the machine's, never those of the repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from remit.errors import GitError, NotFound, Refused
from remit.git.opened import Opened
from remit.git.parsing import check_ref, decode
from remit.git.running import NETWORK_SECONDS, Done, words
from remit.git.values import Identity, RefMoved

_PROTOCOLS = ("file", "https", "http", "ssh")
_REMOTE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MOVED_WORDS = (
    "stale info", "fetch first", "non-fast-forward", "already exists", "incorrect old value", "cannot lock ref",
)  # fmt: skip
_DEAF = "does not support push options"
_REFUSED_WORDS = ("hook declined", "checked out", "prohibited", "deny", "hidden ref")


class Remotes(Opened):
    """The settings and remotes of a repository."""

    def config(self, key: str) -> str | None:
        """One value of git's configuration, the last when there are several; None when unset.

        All keys are read together, and again after ``read_settings_anew``.
        """
        if self._settings is None:
            out = decode(self._git(["config", "-z", "--list"], machine=True).stdout)
            entries = (entry.partition("\n") for entry in out.split("\0")[:-1])
            self._settings = {name: value for name, _, value in entries}
        section, dot, rest = key.partition(".")
        inner, _, last = rest.rpartition(".")
        name = f"{section.lower()}{dot}{inner}{'.' if inner else ''}{last.lower()}"
        return self._settings.get(name)

    def read_settings_anew(self) -> None:
        """Take nothing for granted that was read of the configuration so far: something new begins."""
        self._settings = None

    def own_config(self) -> dict[str, list[str]]:
        """What the repository's own file sets: the values of each key, in their order; nothing that it includes."""
        out = decode(self._git(["config", "--local", "--no-includes", "-z", "--list"]).stdout)
        found: dict[str, list[str]] = {}
        for entry in out.split("\0")[:-1]:
            key, _, value = entry.partition("\n")
            found.setdefault(key, []).append(value)
        return found

    def set_config(self, key: str, value: str) -> None:
        """Set one value in the repository's own file, instead of all that the key had there."""
        self._git(["config", "--local", "--replace-all", key, value])
        self._settings = None

    def identity(self) -> Identity | None:
        """``user.name`` and ``user.email`` as configured; never guessed from the machine, None when either is unset."""
        name, email = (self.config("user.name") or "").strip(), (self.config("user.email") or "").strip()
        return Identity(name, email) if name and email else None

    def remote(self, name: str = "origin") -> str | None:
        """The address of a remote, or None when there is no such remote."""
        return self._address(name, [])

    def _address(self, name: str, kind: list[str]) -> str | None:
        if not _REMOTE.fullmatch(name) or not self.config(f"remote.{name}.url"):
            return None
        return decode(self._git(["remote", "get-url", *kind, "--", name], machine=True).stdout).strip()

    def fetch(self, remote: str, refspecs: Sequence[str], *, seconds: float | None = None) -> None:
        """Bring refs from ``remote``; a local ref under a pattern that is gone there goes here too. Tags stay out."""
        command = ["fetch", "--no-progress", "--no-tags", "--prune", "--no-recurse-submodules", "--no-write-fetch-head"]
        program = ["--no-auto-maintenance", "--refmap=", "--upload-pack=git-upload-pack"]
        self._network(remote, self.remote(remote), [*command, *program, "--", remote, *refspecs], seconds)

    def copy_from(self, folder: Path, ref: str) -> None:
        """Bring a branch of a repository on this machine, under the same name, with all that it needs."""
        command = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--upload-pack=git-upload-pack"]
        refspec = f"{check_ref(ref)}:{ref}"
        self._git(
            [*command, "--", str(folder), refspec], seconds=NETWORK_SECONDS, variables={"GIT_ALLOW_PROTOCOL": "file"}
        )

    def push(
        self, remote: str, refspecs: Sequence[str], leases: Mapping[str, str | None], options: Sequence[str] = ()
    ) -> None:
        """Move refs of ``remote`` all together or not at all.

        Args:
            remote: Name of a configured remote.
            refspecs: ``ID:refs/…``, or ``:refs/…`` to remove.
            leases: For every ref moved, the value it must have there now; None when it must not exist.
            options: Said along with it to a remote that listens to push options; others do not hear them.

        Raises:
            RefMoved: a lease does not hold; nothing was changed.
            Refused: the remote's hooks or settings refuse; the message carries its words.
            GitError: anything else, and then the outcome is unknown until the remote is read again.
        """
        expected = [f"--force-with-lease={check_ref(ref)}:{old or ''}" for ref, old in sorted(leases.items())]
        command = ["push", "--quiet", "--porcelain", "--atomic", "--no-verify", "--no-signed", "--no-follow-tags"]
        program = ["--recurse-submodules=no", "--receive-pack=git-receive-pack"]
        url = self._address(remote, ["--push"])
        said = [f"--push-option={option}" for option in options]
        try:
            self._network(remote, url, [*command, *program, *said, *expected, "--", remote, *refspecs])
        except GitError as error:
            if not said or _DEAF not in error.message:
                raise
            self._network(remote, url, [*command, *program, *expected, "--", remote, *refspecs])

    def _network(self, remote: str, url: str | None, command: list[str], seconds: float | None = None) -> None:
        if url is None:
            raise NotFound(f'this repository has no remote "{remote}"')
        settings, variables = self._own_settings()
        variables["GIT_ALLOW_PROTOCOL"] = _protocol(url)
        whole = [*(part for setting in settings for part in ("-c", setting)), *command]
        patience = seconds or NETWORK_SECONDS
        done = self._git(whole, ok=(0, 1, 128), seconds=patience, variables=variables, machine=True)
        if done.status:
            raise _push_error(remote, done)

    def _own_settings(self) -> tuple[list[str], dict[str, str]]:
        """What the user (not the repository) set about credentials and ssh."""
        out = decode(self._git(["config", "--show-scope", "-z", "--list"], machine=True).stdout).split("\0")
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


def _push_error(remote: str, done: Done) -> GitError | Refused:
    report = [line for line in decode(done.stdout).split("\n") if line.startswith("!")]
    said = "\n".join([*(line.replace("\t", " ") for line in report), words(done.stderr)]).strip()
    text = "\n".join(report)
    if any(word in text for word in _MOVED_WORDS):
        return RefMoved(f'"{remote}" moved since we looked: {said}', hint="look again, then try again")
    if any(word in text for word in _REFUSED_WORDS):
        return Refused(f'"{remote}" refused: {said}')
    if "atomic transaction failed" in text and ".lock" in said:
        hint = "try again in a moment; when it stays so, on the machine of the origin: remit doctor"
        return Refused(f'somebody else is writing to "{remote}" at this moment; nothing was changed', hint=hint)
    hint = f"is the network there, and the address right? git remote get-url {remote}"
    return GitError(f'"{remote}" could not be reached or answered unclearly: {said}', hint)


def _protocol(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if separator and scheme in _PROTOCOLS:
        return scheme
    if separator or re.match(r"[A-Za-z0-9+.-]+::", url):
        hint = f"one of {', '.join(_PROTOCOLS)}"
        raise GitError(f'the address "{url}" uses a protocol that Remit does not use', hint=hint)
    # As git does: a colon before the first slash is host:path for ssh, anything else a path.
    return "ssh" if re.match(r"[^/]+:", url) and not Path(url).exists() else "file"
