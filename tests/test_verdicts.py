"""The quick validator and the one that words messages agree."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from remit.pack import pack_files
from remit.records import build_snapshot
from remit.schemas import KindSchema, Library, _quick_validator, _worded_validator, load_schemas

DATA = Path(__file__).parent / "data" / "json-schema-test-suite"
SUITE = [json.loads(line) for line in gzip.decompress((DATA / "cases.jsonl.gz").read_bytes()).splitlines()]
GROUPS = [one for one in SUITE if "tests" in one]
ELSEWHERE = "schema that uses custom metaschema with with no validation vocabulary"
"""The group whose schema is of another draft; a store's schemas are all of 2020-12."""

BY_ONE_ALONE = {"format", "multipleOf"}
"""What only the quick validator judges: it reads all formats, and decimals exactly."""


@cache
def library() -> Library:
    """The documents that the suite refers to from outside."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return Library({one["remote"]: draft | one["schema"] for one in SUITE if "remote" in one})


@pytest.mark.parametrize(
    "group",
    [one for one in GROUPS if one["file"] != "format" and one["group"] != ELSEWHERE],
    ids=lambda group: f"{group['file']}: {group['group']}",
)
def test_both_validators_say_what_the_suite_says(group: Mapping[str, Any]) -> None:
    schema = group["schema"] if isinstance(group["schema"], dict) else {"allOf": [group["schema"]]}
    quick, worded = _quick_validator(schema, library().quick), _worded_validator(schema, library().worded)

    said = [(name, quick.is_valid(value), worded.is_valid(value)) for name, value, _ in group["tests"]]

    assert said == [(name, valid, valid) for name, _, valid in group["tests"]]


def test_only_the_quick_validator_reads_formats() -> None:
    groups = [one for one in GROUPS if one["file"] == "format"]
    refused = [
        name
        for group in groups
        for name, value, _ in group["tests"]
        if not _quick_validator(group["schema"], None).is_valid(value)
    ]

    assert len(refused) == len(groups) == 19
    assert all("is only an annotation by default" in name for name in refused)
    assert all(_worded_validator(g["schema"], library().worded).is_valid(v) for g in groups for _, v, _ in g["tests"])


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a value, as what holds it and its key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from nodes(value[key])


def mutated(body: Any, chance: random.Random) -> Any:
    """A record in which one to three values are gone, new, renamed or of another type."""
    body = copy.deepcopy(body)
    for _ in range(chance.randint(1, 3)):
        places = list(nodes(body))
        if not places:
            break
        holder, key = chance.choice(places)
        odd = chance.choice([None, "", "x", "ü-1", 0, -1, 1.5, 10**9, True, [], {}, ["a", "a"], {"a": 1}, "2026-02-30"])
        match chance.randrange(4):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[f"{key}x"] = holder.pop(key)
            case 2 if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            case _:
                holder[key] = odd
    return body


def agree(schema: KindSchema, body: Any) -> bool:
    """Whether a body is valid to both; a difference that is not known fails."""
    valid = schema._quick.is_valid(body)
    worded = schema._words.is_valid(body)
    if valid != worded:
        assert worded, body
        assert {error.kind.name for error in schema._quick.iter_errors(body)} <= BY_ONE_ALONE, body
    return valid


def test_both_validators_judge_the_example_and_records_made_from_it_alike() -> None:
    files = pack_files()
    schemas, _ = load_schemas(files)
    snapshot = build_snapshot(files)
    chance = random.Random(20261122)
    tables = [(schemas.kinds, r) for r in snapshot.records] + [(schemas.policies, r) for r in snapshot.policies]

    assert all(agree(table[record.kind], record.body) for table, record in tables)
    drawn = [chance.choice(tables) for _ in range(1500)]
    valid = sum(agree(table[record.kind], mutated(record.body, chance)) for table, record in drawn)

    assert 50 < valid < 1000
