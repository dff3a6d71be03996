"""One git that stays and answers what is asked about objects, so that a history does not start thousands of them.

It is ``git cat-file --batch-command``, started as every other git is, when the first question comes. It only reads, and
only what never becomes another thing is asked of it: objects by their ids. It ends with whoever asks, is never left to
a process that forked off, and one that died or hung is replaced by the next question.

Source: security, R18.
"""

from __future__ import annotations

import os
import selectors
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from remit.errors import GitError
from remit.git import running
from remit.git.parsing import decode, encode


class Found(NamedTuple):
    """An object: its kind, its size in bytes, and its content when that was asked for."""

    kind: str
    size: int
    data: bytes


class Objects:
    """A git that answers about the objects of one repository."""

    def __init__(self, folder: Path, place: Sequence[str], variables: Mapping[str, str]) -> None:
        self._folder, self._place, self._variables = folder, place, variables
        self._process: Any = None
        self._owner = 0
        self._end: weakref.finalize[[Any, int], Objects] | None = None

    def contents(self, names: Sequence[str]) -> list[Found | None]:
        """Each object with its content, in the order asked; None where there is none. A name is ``ID`` or ``ID:path``.

        Raises:
            GitError: git stopped, in its words, took too long or said too much.
        """
        return self._asked("contents", names, contents=True)

    def kinds(self, names: Sequence[str]) -> list[Found | None]:
        """The same without the contents."""
        return self._asked("info", names, contents=False)

    def close(self) -> None:
        """End the git; another question starts another one."""
        if self._end is not None:
            self._end()
        self._process = self._end = None

    def _asked(self, command: str, names: Sequence[str], *, contents: bool) -> list[Found | None]:
        if not names:
            return []
        process = self._running()
        try:
            return _Conversation(process).answers(command, names, contents=contents)
        except BaseException:  # what is still on its way would answer the next question
            self.close()
            raise

    def _running(self) -> Any:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            self.close()
            command = [*self._place, "cat-file", "--batch-command", "--buffer"]
            self._process = running.standing(self._folder, command, variables=self._variables)
            self._owner = os.getpid()
            self._end = weakref.finalize(self, _ended, self._process, self._owner)
        return self._process


def _ended(process: Any, owner: int) -> None:
    """Stop a git and wait for it; one that a fork has in common with its parent is the parent's."""
    if os.getpid() == owner:
        running.stop(process)
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


class _Conversation:
    """One question of many lines and its answers; both ways at once, so that neither side waits for the other."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self._deadline = monotonic() + running.LOCAL_SECONDS
        self._out, self._err = bytearray(), bytearray()
        self._at = 0
        self._said = 0

    def answers(self, command: str, names: Sequence[str], *, contents: bool) -> list[Found | None]:
        """What git says to each name."""
        question = encode("".join(f"{command} {name}\n" for name in names) + "flush\n")
        streams = selectors.DefaultSelector()
        with streams:
            os.set_blocking(self._process.stdin.fileno(), False)
            streams.register(self._process.stdin, selectors.EVENT_WRITE, memoryview(question))
            streams.register(self._process.stdout, selectors.EVENT_READ, self._out)
            streams.register(self._process.stderr, selectors.EVENT_READ, self._err)
            return [self._answer(streams, contents) for _ in names]

    def _answer(self, streams: selectors.BaseSelector, contents: bool) -> Found | None:
        while (end := self._out.find(b"\n", self._at)) < 0:
            self._listen(streams)
        words = bytes(self._out[self._at : end]).rsplit(b" ", 2)
        self._at = end + 1
        if words[-1] in (b"missing", b"ambiguous", b"submodule"):
            return None
        kind, size = words[1].decode(), int(words[2])
        if not contents:
            return Found(kind, size, b"")
        while len(self._out) < self._at + size + 1:
            self._listen(streams)
        data = bytes(memoryview(self._out)[self._at : self._at + size])
        self._at += size + 1
        return Found(kind, size, data)

    def _listen(self, streams: selectors.BaseSelector) -> None:
        """Take in what git says until there is more on stdout; meanwhile go on asking."""
        before = self._said
        while self._said == before:
            left = self._deadline - monotonic()
            ready = streams.select(left) if left > 0 else []
            if not ready:
                raise running.late(running.LOCAL_SECONDS)
            for key, _ in ready:
                if key.fileobj is self._process.stdin:
                    self._ask(streams, key)
                else:
                    self._hear(streams, key)

    def _ask(self, streams: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        try:
            rest = key.data[os.write(key.fd, key.data) :]
        except BrokenPipeError:
            rest = b""  # it says on stderr why it does not listen any more
        streams.unregister(key.fileobj)
        if rest:
            streams.register(key.fileobj, selectors.EVENT_WRITE, rest)

    def _hear(self, streams: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        chunk = os.read(key.fd, running.CHUNK_BYTES)
        key.data.extend(chunk)
        del self._err[running.WORDS_BYTES :]
        if not chunk:
            streams.unregister(key.fileobj)
        if key.data is self._err:
            return
        self._said += len(chunk)
        if not chunk:
            status = running.stop(self._process)
            said = decode(bytes(self._err) + self._process.stderr.read())
            raise GitError(running.words(said) or f"git stopped with status {status}")
        if self._said > running.OUTPUT_BYTES:
            raise GitError(f"git wrote more than {running.OUTPUT_BYTES} bytes and was stopped")
        if self._at > running.CHUNK_BYTES:
            del self._out[: self._at]
            self._at = 0
