"""Malformed and hostile YAML: read faithfully or refused with a place, in bounded time and memory, without a crash.

Every input is read in a process of its own that may take 200 MB more than it starts with. This file, run as a program,
is the parent of these processes, so that a test run with much in memory does not pay for each fork.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

from remit.yamltext import read

DATA = Path(__file__).parent / "data"
SECONDS = 1.0
MEMORY = 200 * 2**20
FULL = 256 * 1024
SUITE: list[dict[str, Any]] = [
    json.loads(line)
    for line in gzip.decompress((DATA / "yaml-test-suite" / "cases.jsonl.gz").read_bytes()).splitlines()
]
# Invalid YAML 1.2 that libyaml takes. Each is text of which no reader makes another value: strict ones refuse it.
HARMLESS = {
    ("9C9N", 0): "a list in brackets goes on at the left margin",
    ("QB6E", 0): "a quoted text goes on at the left margin",
    ("9JBA", 0): "a comment stands right after a bracket",
    ("CVW2", 0): "a comment stands right after a comma",
    ("SU5Z", 0): "a comment stands right after a quotation mark",
    ("X4QW", 0): "a comment stands right after a block indicator",
    ("DK95", 1): "a tab indents the second line of a quoted text",
    ("Y79Y", 3): "a tab indents an item in brackets",
    ("G5U8", 0): "a dash alone is text in brackets",
    ("YJV2", 0): "a dash alone is text in brackets",
    ("S98Z", 0): "blank lines of a block are indented deeper than its text",
}
# More than 2 MB each when written out; cut to the size limit where they exceed it, so that the parser sees them.
GROWN: dict[str, bytes] = {
    "lists that never close": b"[" * FULL,
    "mappings that never close": b"{" * FULL,
    "mappings in lists that never close": b'{"":[' * 52_000,
    "lists that close": b"[" * (FULL // 2) + b"]" * (FULL // 2),
    "dashes": b"- " * (FULL // 2),
    "question marks": b"? " * (FULL // 2),
    "items": b"- a\n" * (FULL // 4),
    "doubtful items": b"- no\n" * 52_000,
    "many keys": b"".join(b"k%d: a\n" % at for at in range(24_000)),
    "the same key": b"a: 1\n" * 52_000,
    "the same key in braces": b"{" + b"a: b, " * 43_000 + b"}",
    "items in brackets": b"[" + b"a," * 120_000 + b"]",
    "a long number": b"a: " + b"9" * 200_000,
    "a long hexadecimal number": b"a: 0x" + b"f" * 200_000,
    "a long sexagesimal number": b"a: 1" + b":1" * 100_000,
    "a long fraction": b"a: " + b"1" * 100_000 + b"." + b"1" * 100_000,
    "a long exponent": b"a: 1.0e+" + b"9" * 200_000,
    "tag declarations": b"".join(b"%%TAG !%d! b\n" % at for at in range(15_000)) + b"--- a\n",
    "directives": b"%FOO a\n" * 37_000,
    "comments": b"#\n" * (FULL // 2),
    "spaces": b" " * FULL,
    "empty lines": b"\n" * FULL,
    "tabs": b"\t" * FULL,
    "a long quoted text": b'"' + b"a " * 130_000 + b'"',
    "a long plain text": b"a " * (FULL // 2),
    "a plain text of many lines": b"k: a\n" + b"  a\n" * 60_000,
    "escapes": b'"' + b"\\U0001F600" * 20_000 + b'"',
    "anchors": b"- &a b\n" * 37_000,
    "aliases": b"a: &a x\n" + b"b: *a\n" * 40_000,
    "tags": b"- !a b\n" * 37_000,
    "colons": b":" * FULL,
    "commas": b"[" + b"," * (FULL - 1),
    "a literal block": b"a: |\n" + b"  x\n" * 60_000,
    "a folded block": b"a: >\n" + b"  x\n" * 60_000,
    "a long key": b"a" * 200_000 + b": b",
    "ever deeper keys": b"".join(b" " * at + b"a:\n" for at in range(700)),
    "documents": b"--- a\n" * 43_000,
    "ten megabytes": b"- a\n" * 2_500_000,
    "a text of ten megabytes": b"a: " + b"x" * 10 * 2**20,
    "UTF-16": "a: 海\n".encode("utf-16"),
    "UTF-16 without a mark": "a: b\n".encode("utf-16-le"),
    "UTF-32": "a: b\n".encode("utf-32"),
}


def hostile_inputs() -> dict[str, bytes]:
    folder = DATA / "yaml-hostile"
    inputs = {f"grown/{name}": data for name, data in GROWN.items()}
    with tarfile.open(fileobj=io.BytesIO((folder / "pyyaml-cases.tar.gz").read_bytes())) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            assert content is not None
            inputs[f"pyyaml/{member.name}"] = content.read()
    inputs |= {f"bombs/{file.name}": file.read_bytes() for file in sorted((folder / "bombs").glob("*.yml"))}
    for recipe in json.loads((folder / "bombs" / "recipes.json").read_text("utf-8")):
        inputs[f"bombs/{recipe['name']}"] = "".join(text * times for text, times in recipe["parts"]).encode()
    return inputs | {f"suite/{case['id']}-{case['case']}": case["yaml"].encode() for case in SUITE}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, Any]]:
    """What became of every hostile input: its process' status, seconds, and what ``read`` said."""
    if sys.platform != "linux":
        pytest.skip("the memory of a process can be limited on Linux only")
    jobs = {name: base64.b64encode(data).decode() for name, data in hostile_inputs().items()}
    done = subprocess.run(
        [sys.executable, __file__], input=json.dumps(jobs), capture_output=True, text=True, check=True
    )
    answers: dict[str, dict[str, Any]] = json.loads(done.stdout)
    assert list(answers) == list(jobs)
    return answers


def test_no_input_ends_its_process_or_takes_long(outcomes: dict[str, dict[str, Any]]) -> None:
    bad = {name: o for name, o in outcomes.items() if o["status"] or o["seconds"] >= SECONDS or "codes" not in o}

    assert len(outcomes) > 800
    assert not bad


def test_every_input_is_read_or_refused_at_a_line_never_both(outcomes: dict[str, dict[str, Any]]) -> None:
    without_line = {"unreadable-file", "yaml-tag"}  # larger than the limit; too many tag declarations

    for name, outcome in outcomes.items():
        assert outcome["read"] != bool(outcome["codes"]), name
        assert all(line or code in without_line for code, line in outcome["codes"]), name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bombs/juice-shop-yamlBomb.yml", "yaml-alias"),
        ("bombs/saphyr-109-alias-bomb.yml", "yaml-alias"),
        ("bombs/libfyaml-347-merge-key-alias-path.yml", "yaml-alias"),
        ("bombs/open-flow-mapping-100k", "yaml-key-not-text"),
        ("bombs/open-flow-mapping-1M", "unreadable-file"),
        ("bombs/nested-flow-seq-50k", "yaml-too-deep"),
        ("bombs/nested-flow-map-seq-10k", "yaml-too-deep"),
        ("grown/lists that never close", "yaml-too-deep"),
        ("grown/dashes", "yaml-too-deep"),
        ("grown/items", "yaml-too-deep"),
        ("grown/ever deeper keys", "yaml-too-deep"),
        ("grown/a long number", "yaml-number-range"),
        ("grown/a long exponent", "yaml-number-range"),
        ("grown/a long sexagesimal number", "yaml-ambiguous"),
        ("grown/tag declarations", "yaml-tag"),
        ("grown/documents", "yaml-many-documents"),
        ("grown/ten megabytes", "unreadable-file"),
        ("grown/a text of ten megabytes", "unreadable-file"),
        ("grown/UTF-16", "unreadable-file"),
        ("grown/UTF-16 without a mark", "unreadable-file"),
        ("pyyaml/duplicate-key.former-loader-error.data", "yaml-duplicate-key"),
    ],
)
def test_a_bomb_is_refused_for_what_it_is(outcomes: dict[str, dict[str, Any]], name: str, code: str) -> None:
    assert outcomes[name]["codes"][0][0] == code


def test_no_input_that_pyyaml_refuses_is_read(outcomes: dict[str, dict[str, Any]]) -> None:
    refused = [name for name in outcomes if name.endswith((".loader-error", ".stream-error", ".single-loader-error"))]

    assert len(refused) == 88
    assert not [name for name in refused if outcomes[name]["read"]]


def test_no_python_tag_is_read(outcomes: dict[str, dict[str, Any]]) -> None:
    tagged = [name for name, data in hostile_inputs().items() if name.startswith("pyyaml/") and b"!!python/" in data]

    assert len(tagged) == 29
    assert not [name for name in tagged if outcomes[name]["read"]]


@pytest.mark.parametrize("case", SUITE, ids=lambda case: f"{case['id']}-{case['case']}")
def test_a_case_of_the_suite_is_read_as_its_json_or_refused(case: dict[str, Any]) -> None:
    document, _ = read(case["yaml"].encode(), "case.yaml")

    if document is None:
        return
    if case["fail"]:
        assert (case["id"], case["case"]) in HARMLESS
    elif "json" in case:
        assert json.dumps(document.value, sort_keys=True) == json.dumps(json.loads(case["json"]), sort_keys=True)


def test_most_of_the_suite_without_aliases_tags_and_empty_values_is_read() -> None:
    plain = [case for case in SUITE if not case["fail"] and not {"anchor", "alias", "tag"} & set(case["tags"])]
    read_ones = [case for case in plain if read(case["yaml"].encode(), "case.yaml")[0]]

    assert len(read_ones) > 0.6 * len(plain)


def test_a_second_reader_takes_every_value_the_same_way_or_refuses_it() -> None:
    class AsText(SafeConstructor):
        """Dates and instants are text to Remit, objects to ruamel.yaml."""

    AsText.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)
    compared = 0

    for name, data in hostile_inputs().items():
        document = read(data, name)[0] if len(data) < 10_000 else None
        if document is None:
            continue
        second = YAML(typ="safe", pure=True)
        second.Constructor = AsText
        try:
            value = second.load(data)
        except YAMLError:  # it refuses some tabs and blank lines that YAML allows
            continue
        compared += 1
        assert json.dumps(value) == json.dumps(document.value), name
    assert compared > 200


def read_apart(data: bytes, limit: int) -> dict[str, Any]:
    """What ``read`` says of ``data`` in a process that may use ``limit`` bytes of memory."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        document, findings = read(data, "hostile.yaml")
        codes = [(finding.code, finding.place.line) for finding in findings]
        os.write(into, json.dumps({"read": document is not None, "codes": codes}).encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as answer:
        said = answer.read()
    _, status, used = os.wait4(child, 0)
    return {"status": status, "seconds": used.ru_utime + used.ru_stime, **json.loads(said or "{}")}


def main() -> None:
    jobs = {name: base64.b64decode(data) for name, data in json.load(sys.stdin).items()}
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    json.dump({name: read_apart(data, limit) for name, data in jobs.items()}, sys.stdout)


if __name__ == "__main__":
    main()
