"""Findings as SARIF 2.1.0, which code scanning of forges and editors read.

Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", sections 3.13 (sarifLog), 3.14 (run),
3.27 (result), 3.49 (reportingDescriptor). Lines and columns count from 1, columns in code points.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from remit import __version__
from remit.findings import CODES, Finding
from remit.reporters.findings import fingerprints
from remit.reporters.terminal import safe

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render(findings: Sequence[Finding]) -> str:
    """One log with one run; its rules are the codes that occur."""
    codes = sorted({one.code for one in findings})
    rules = {code: index for index, code in enumerate(codes)}
    results = zip(findings, fingerprints(findings), strict=True)
    run = {
        "tool": {"driver": {"name": "Remit", "version": __version__, "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, mark, rules[one.code]) for one, mark in results],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    about = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": about.meaning},
        "defaultConfiguration": {"level": _LEVELS[about.severity]},
    }


def _result(one: Finding, fingerprint: str, rule: int) -> dict[str, Any]:
    location = _location(one)
    return {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": _LEVELS[one.severity],
        "message": {"text": safe(f"{one.message} {one.hint}".strip())},
        **({"locations": [location]} if location else {}),
        "partialFingerprints": {"remitFinding/v1": fingerprint},
    }


def _location(one: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if one.place.path:
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(one.place.path), "uriBaseId": "%SRCROOT%"}}
        if one.place.line:
            column = {"startColumn": one.place.column} if one.place.column else {}
            location["physicalLocation"]["region"] = {"startLine": one.place.line, **column}
    if one.record:
        location["logicalLocations"] = [{"fullyQualifiedName": one.record, "kind": "resource"}]
    return location
