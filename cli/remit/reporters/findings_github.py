"""Findings as workflow commands of GitHub Actions, which shows each beside its line in a pull request.

Source: "Workflow commands for GitHub Actions", setting an error, warning or notice message. A runner undoes the
escapes below; any other line end or colon would begin something that the message does not mean.
"""

from __future__ import annotations

from collections.abc import Sequence

from remit.findings import Finding
from remit.reporters.terminal import safe

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(findings: Sequence[Finding]) -> str:
    """A line for each finding; empty for none."""
    return "".join(f"{_command(one)}\n" for one in findings)


def _command(one: Finding) -> str:
    place = {"file": one.place.path, "line": one.place.line, "col": one.place.column, "title": one.code}
    words = f"{one.message}\n{one.hint}".rstrip()
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items() if value)
    return f"::{_COMMANDS[one.severity]} {properties}::{_data(words)}"


def _data(text: str) -> str:
    return safe(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
