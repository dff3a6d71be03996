"""Findings in the formats that forges and other tools read: a new one is a module and a line here.

Paths are relative to the top of the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from remit.findings import Finding
from remit.reporters import findings_github, findings_gitlab, findings_junit, findings_sarif

FORMATS: Mapping[str, Callable[[Sequence[Finding]], str]] = {
    "sarif": findings_sarif.render,
    "junit": findings_junit.render,
    "github": findings_github.render,
    "gitlab": findings_gitlab.render,
}
"""Each gives the whole text for findings in order, its last line end included."""
