"""Findings as forges, editors and build servers read them, each held to the shape that its format documents."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from conftest import GitRepo
from hypothesis import given
from hypothesis import strategies as st
from stores import small_files

from remit.findings import CODES, Finding, finding
from remit.main import main
from remit.places import Place
from remit.reporters.finding_formats import FORMATS

TEAM = "records/teams/海港 #1.yaml"
FOUND = [
    finding("no-clauses", "A policy names no clause.", Place("rules/warning/a.yaml", 1, 1), record="WarningPolicy/a"),
    finding("no-cases", "100% of it: no cases,\nnone.", Place("rules/warning/a.yaml"), hint="Write some."),
    finding(
        "unknown-reference", 'lead is "李四".', Place(TEAM, 6, 9), hint='Did you mean "lisi"?', pointer="/spec/lead"
    ),
    finding("unknown-reference", 'lead is "李四".', Place(TEAM, 9, 9), pointer="/spec/lead"),
    finding("invalid-config", "No name.\x1b[31m", Place("")),
]
FINDINGS = st.builds(
    finding,
    st.sampled_from(sorted(CODES)),
    st.text(),
    st.builds(Place, st.text(), st.integers(0, 99), st.integers(0, 99)),
    hint=st.text(),
    pointer=st.text(),
    record=st.text(),
)

# The parts of the SARIF 2.1.0 schema that concern what is written here, closed where the schema is.
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "tool": {"properties": {"driver": {"$ref": "#/$defs/driver"}}, "required": ["driver"]},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                },
            },
        },
    },
    "$defs": {
        "message": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "driver": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string"},
                "version": {"type": "string"},
                "rules": {
                    "type": "array",
                    "uniqueItems": True,
                    "items": {
                        "type": "object",
                        "required": ["id"],
                        "additionalProperties": False,
                        "properties": {
                            "id": {"type": "string"},
                            "shortDescription": {"$ref": "#/$defs/message"},
                            "defaultConfiguration": {"properties": {"level": {"$ref": "#/$defs/level"}}},
                        },
                    },
                },
            },
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": -1},
                "level": {"$ref": "#/$defs/level"},
                "message": {"$ref": "#/$defs/message"},
                "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "additionalProperties": False,
                                "anyOf": [{"required": ["address"]}, {"required": ["artifactLocation"]}],
                                "properties": {
                                    "artifactLocation": {
                                        "additionalProperties": False,
                                        "properties": {
                                            "uri": {"type": "string", "pattern": "^[A-Za-z0-9/%._~-]*$"},
                                            "uriBaseId": {"type": "string"},
                                        },
                                    },
                                    "region": {
                                        "additionalProperties": False,
                                        "properties": {
                                            "startLine": {"type": "integer", "minimum": 1},
                                            "startColumn": {"type": "integer", "minimum": 1},
                                        },
                                    },
                                },
                            },
                            "logicalLocations": {"type": "array", "uniqueItems": True},
                        },
                    },
                },
            },
        },
    },
}
GITLAB: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string"},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1, "not": {"pattern": "^\\./"}},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
SHAPES = {"sarif": SARIF, "gitlab": GITLAB}
COMMAND = re.compile(r"::(error|warning|notice) ([a-z]+=[^:,\r\n]*(?:,[a-z]+=[^:,\r\n]*)*)::([^\r\n]*)\n")


@given(st.lists(FINDINGS, max_size=4))
def test_whatever_was_found_every_format_is_well_formed(found: list[Finding]) -> None:
    for name, shape in SHAPES.items():
        assert not list(jsonschema.Draft202012Validator(shape).iter_errors(json.loads(FORMATS[name](found))))
    suites = ElementTree.fromstring(FORMATS["junit"](found))
    assert len(suites.findall("testsuite/testcase")) == len(found) + 1
    commands = FORMATS["github"](found)
    assert "".join(match.group() for match in COMMAND.finditer(commands)) == commands
    assert len(COMMAND.findall(commands)) == len(found)


def test_github_is_told_file_line_and_column_with_its_own_escapes() -> None:
    lines = FORMATS["github"](FOUND).splitlines()

    assert lines[1:3] == [
        "::warning file=rules/warning/a.yaml,title=no-cases::100%25 of it: no cases,%0Anone.%0AWrite some.",
        f'::error file={TEAM},line=6,col=9,title=unknown-reference::lead is "李四".%0ADid you mean "lisi"?',
    ]
    assert lines[0].startswith("::notice ")
    assert lines[4] == "::error title=invalid-config::No name.\\x1b[31m"


def test_a_path_or_code_cannot_end_a_property_early() -> None:
    (line,) = FORMATS["github"]([finding("no-cases", "a", Place("x,y:z%.yaml\r\n::error::", 1))]).splitlines()

    assert line == "::warning file=x%2Cy%3Az%25.yaml%0D%0A%3A%3Aerror%3A%3A,line=1,title=no-cases::a"


def test_gitlab_tells_two_like_findings_apart_and_knows_them_again_on_other_lines() -> None:
    below = [replace(one, place=one.place._replace(line=one.place.line + 7)) for one in FOUND]
    issues, moved = (json.loads(FORMATS["gitlab"](found)) for found in (FOUND, below))

    assert [issue["severity"] for issue in issues] == ["info", "minor", "major", "major", "major"]
    assert issues[2]["location"] == {"path": TEAM, "lines": {"begin": 6}}
    assert issues[4]["location"] == {"path": "remit.yaml", "lines": {"begin": 1}}
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    assert [issue["fingerprint"] for issue in moved] == [issue["fingerprint"] for issue in issues]


def test_junit_counts_errors_as_failures_and_says_the_rest() -> None:
    (suite,) = ElementTree.fromstring(FORMATS["junit"](FOUND))

    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "6",
        "failures": "3",
        "errors": "0",
    }
    failures = suite.findall("testcase/failure")
    assert [failure.get("type") for failure in failures] == ["unknown-reference", "unknown-reference", "invalid-config"]
    assert failures[0].text == f'{TEAM}:6:9: lead is "李四".\nDid you mean "lisi"?'
    assert suite.findtext("testcase/system-out") == "info: rules/warning/a.yaml:1:1: A policy names no clause."


def test_sarif_has_a_rule_for_each_code_and_a_place_for_each_result() -> None:
    (run,) = json.loads(FORMATS["sarif"](FOUND))["runs"]
    rules, results = run["tool"]["driver"]["rules"], run["results"]

    assert [rule["id"] for rule in rules] == ["invalid-config", "no-cases", "no-clauses", "unknown-reference"]
    assert [rules[result["ruleIndex"]]["id"] for result in results] == [one.code for one in FOUND]
    assert [result["level"] for result in results] == ["note", "warning", "error", "error", "error"]
    assert results[2]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "records/teams/%E6%B5%B7%E6%B8%AF%20%231.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 6, "startColumn": 9},
    }
    assert "locations" not in results[4]


@pytest.mark.parametrize("name", FORMATS)
def test_check_names_files_from_the_top_of_the_repository(
    name: str, git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"ops/store/{path}": data.decode() for path, data in small_files().items() if path[:6] != "rules/"}
    files["ops/store/records/teams/harbour.yaml"] = files["ops/store/records/teams/harbour.yaml"].replace(
        "lead: chen-jing", "lead: nobody-here"
    )
    folder = git_repo(files)

    code = main(["--store", str(folder / "ops/store"), "check", "--format", name])

    assert code == 1
    assert "ops/store/records/teams/harbour.yaml" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "nothing"), [("github", ""), ("gitlab", "[]\n")])
def test_where_nothing_is_wrong_there_is_nothing_to_show(name: str, nothing: str) -> None:
    assert FORMATS[name]([]) == nothing
