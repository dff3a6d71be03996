"""Opening a feed: either a file to read from or the finding that says why there is none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from remit.findings import Finding, finding
from remit.places import Place
from remit.sources.context import SourceContext
from remit.sources.rawtext import foreign_encoding


class Feed(NamedTuple):
    """An open feed, or the reason why it is not one; then ``file`` is empty."""

    file: BinaryIO
    problem: Finding | None = None


@contextmanager
def opened(context: SourceContext) -> Iterator[Feed]:
    """The feed of ``context``, closed afterwards; a feed that is plainly not UTF-8 text is refused at once."""
    try:
        file = context.file.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield Feed(io.BytesIO(), unreadable(context, f"The feed cannot be opened: {reason}."))
        return
    with file:
        try:
            reason = foreign_encoding(file.peek(4)[:4])
        except OSError as error:
            reason = str(error.strerror)
        message = f"The feed cannot be read: {reason}."
        yield Feed(file, unreadable(context, message, "Save it as UTF-8 text.") if reason else None)


def unreadable(context: SourceContext, message: str, hint: str = "", line: int = 0) -> Finding:
    """The finding that stands for a whole feed."""
    return finding("unreadable-feed", message, Place(context.path, line), hint=hint)
