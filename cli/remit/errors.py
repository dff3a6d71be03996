"""Errors that end a command. Data that is wrong is never raised: it becomes a finding (see ``findings``).

``main`` is the only place that turns these into text and an exit code; any other exception is a bug (exit 3).
"""

from __future__ import annotations


class UserError(Exception):
    """The command cannot be carried out; ``message`` says what is so, ``hint`` what to do next. Exit code 2."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotAStore(UserError):
    """There is no ``remit.yaml`` here or above."""


class GitError(UserError):
    """git refused or failed; ``message`` carries git's own words."""


class NotFound(UserError):
    """A record, policy, change, decision or revision of that name does not exist."""


class Refused(UserError):
    """The request is understood and not allowed: an unapproved change, a record in use, a dirty path."""


class InvalidStore(UserError):
    """The store has error findings that make the answer meaningless; run ``remit check``."""
