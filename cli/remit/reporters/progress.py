"""How far a long work is, on a terminal: a line that is drawn over and is gone at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

PATIENCE = 2.0
"""Seconds that anybody waits without being told anything."""
WIDTH = 40
_WIPE = "\r\x1b[K"


class Progress:
    """Draws a bar for a share from 0 to 1; nothing where nobody looks, and nothing for a work that is over soon."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._seen = stream.isatty()
        self._begun = clock()
        self._drawn = -1

    def __call__(self, share: float) -> None:
        """The work is so far."""
        percent = int(100 * share)
        if self._seen and percent != self._drawn and self._clock() - self._begun >= PATIENCE:
            self._drawn = percent
            bar = "#" * (percent * WIDTH // 100)
            self._stream.write(f"{_WIPE}[{bar:{WIDTH}}] {percent} %")
            self._stream.flush()

    def end(self) -> None:
        """The work is over; the line is free again."""
        if self._drawn >= 0:
            self._stream.write(_WIPE)
            self._stream.flush()
