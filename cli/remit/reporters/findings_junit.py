"""Findings as a JUnit report, which most build servers read: an error is a test that failed.

A case for each finding, its file being the class; warnings and information are cases that passed and say something.
One more case stands for the check as a whole, so that a report is never empty.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from remit.findings import Finding, count
from remit.reporters.terminal import safe

_NOT_IN_XML = re.compile("[\ufffe\uffff]")
"""Beside the control characters, which ``safe`` shows: what XML 1.0 cannot hold."""

_SUITE = "remit check"


def render(findings: Sequence[Finding]) -> str:
    """One document with one suite."""
    failures = count(findings)["error"]
    totals = {"name": _SUITE, "tests": str(len(findings) + 1), "failures": str(failures), "errors": "0"}
    top = ElementTree.Element("testsuites", totals)
    suite = ElementTree.SubElement(top, "testsuite", {**totals, "skipped": "0"})
    ElementTree.SubElement(suite, "testcase", classname="remit", name=_SUITE)
    for one in findings:
        where = str(one.place) if one.place.path else "remit.yaml"
        name = f"{one.code} {where}"
        case = ElementTree.SubElement(suite, "testcase", classname=_text(one.place.path or "remit"), name=_text(name))
        words = _text(f"{where}: {one.message}\n{one.hint}".rstrip())
        if one.severity == "error":
            failure = ElementTree.SubElement(case, "failure", type=one.code, message=_text(one.message))
            failure.text = words
        else:
            ElementTree.SubElement(case, "system-out").text = f"{one.severity}: {words}"
    ElementTree.indent(top)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(top, encoding="unicode")}\n'


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", safe(text))
