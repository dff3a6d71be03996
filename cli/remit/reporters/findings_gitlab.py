"""Findings as a code quality report of GitLab, which shows what a merge request adds.

Source: "Code Quality", code quality report format: a list of issues, each with description, check_name, fingerprint,
severity and location.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from remit.findings import Finding
from remit.reporters.findings import fingerprints
from remit.reporters.terminal import json_text, safe

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}
_NOWHERE = "remit.yaml"
"""The place of a finding about the store as a whole: GitLab leaves out an issue without a path."""


def render(findings: Sequence[Finding]) -> str:
    """A JSON list; empty for none."""
    return json_text([_issue(one, mark) for one, mark in zip(findings, fingerprints(findings), strict=True)])


def _issue(one: Finding, fingerprint: str) -> dict[str, Any]:
    return {
        "description": safe(f"{one.message} {one.hint}".strip()),
        "check_name": one.code,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[one.severity],
        "location": {"path": one.place.path or _NOWHERE, "lines": {"begin": max(1, one.place.line)}},
    }
