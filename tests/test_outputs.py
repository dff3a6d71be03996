"""What commands print as JSON has the shapes that schemas/outputs/ describes, and is the same every time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
import test_change_commands as changing

from remit.evaluating import decide, in_force, load
from remit.explaining import explain, find_policy, find_subject
from remit.main import main
from remit.reporters.explanation import explanation_lines
from remit.reporters.explanation_json import explanation_json
from remit.scorecards import REASONS, CountedFact
from remit.store import Store
from remit.times import parse_instant

ROOT = Path(__file__).parents[1]
AT = "2026-10-15T10:00:00+08:00"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = main(["--store", str(ROOT), *arguments])
    captured = capsys.readouterr()
    assert code in (0, 1), captured.err
    return captured.out


def schema(name: str) -> Any:
    parts = json.loads((ROOT / "schemas/outputs/parts.schema.json").read_text(encoding="utf-8"))
    body = json.loads((ROOT / f"schemas/outputs/{name}.schema.json").read_text(encoding="utf-8"))
    registry: Any = referencing.Registry().with_contents([(parts["$id"], parts)])
    return jsonschema.Draft202012Validator(body, registry=registry)


def problems(name: str, body: Any) -> list[str]:
    """What in ``body`` is otherwise than the schema ``name`` says."""
    return [f"{list(e.absolute_path)}: {e.message}" for e in schema(name).iter_errors(body)]


COMMANDS = [
    ("check", ["check", "--at", AT]),
    ("evaluate", ["evaluate", "--at", AT]),
    ("replay", ["replay", "--from", "2026-10-01T00:00:00+08:00", "--to", AT]),
    ("replay", ["forecast", "--at", AT, "--within", "2d"]),
    ("facts", ["facts", *sorted(str(p) for p in (ROOT / "tests/data/tmf621/v5").glob("*.json"))]),
    ("assess", ["assess", "response-centre", "--period", "2026-09"]),
    ("assess", ["assess", "response-centre", "--period", "2026-09", "--list", "provisioning"]),
    ("explain", ["explain", "fault-handling", "gz-20261015-001", "--at", AT]),
    ("explain", ["explain", "crisis-intervention", "Customer/seaview-hotel-group", "--at", AT]),
    ("explain", ["explain", "low-satisfaction", "harbour-bank-engineers-2026-q3", "--at", AT]),
    ("rules", ["rules"]),
    ("rules", ["rules", "--hits", "--to", AT]),
    ("list", ["list", "customers"]),
    ("list", ["list", "WarningPolicy"]),
    ("show", ["show", "Customer/harbour-bank"]),
    ("show", ["show", "fault-handling", "--words"]),
    ("search", ["search", "海港"]),
    ("test", ["test", "rules/escalation"]),
    ("test", ["test", "--mutate", "rules/warning/ticket-signing.yaml"]),
    ("test", ["test", "--suggest", "ticket-signing", "--at", AT]),
]


@pytest.mark.parametrize(("name", "arguments"), COMMANDS, ids=[" ".join(a[:2]) for _, a in COMMANDS])
def test_output_has_its_documented_shape_and_the_same_bytes_twice(
    name: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    first = run(capsys, *arguments, "--format", "json")
    second = run(capsys, *arguments, "--format", "json")

    assert problems(name, json.loads(first)) == []
    assert first == second


def test_the_example_has_something_to_say_at_its_own_today(capsys: pytest.CaptureFixture[str]) -> None:
    out = json.loads(run(capsys, "evaluate", "--at", AT, "--format", "json"))

    assert {d["policy"] for d in out["decisions"]} >= {"fault-handling", "chief-pairing", "ab-roles"}
    assert all(d["notify"] for d in out["decisions"])
    assert all(d["clauses"] for d in out["decisions"])


def test_explain_finds_a_decision_by_its_id_and_says_who_put_the_rule_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = json.loads(run(capsys, "evaluate", "--at", AT, "--format", "json"))
    decision = next(d for d in out["decisions"] if d["policy"] == "ab-roles")

    explained = json.loads(run(capsys, "explain", decision["id"], "--at", AT, "--format", "json"))

    assert [d["id"] for d in explained["decisions"]] == [decision["id"]]
    assert explained["policy"]["id"] == "WarningPolicy/ab-roles"
    assert all(c["holds"] for c in explained["conditions"])
    written = {v["path"]: v["place"] for c in explained["conditions"] for v in c["values"]}
    assert written["subject.keyAccount"].startswith("records/customers/nanhai-university.yaml:")


def test_every_policy_of_the_example_explains_itself() -> None:
    loaded = load(Store.open(ROOT).files())
    at = parse_instant(AT)
    found = decide(loaded, None, at, read_at=at)
    subjects = {d.policy: d for d in in_force(found, at)}
    assert len(subjects) > 15

    for decision in subjects.values():
        watch = find_policy(loaded, decision.policy)
        explanation = explain(loaded, watch, find_subject(loaded, watch, decision.subject), at, lambda path: None)
        assert decision.id in {d.id for d in explanation.decisions}
        assert any(rung.at for rung in explanation.rungs)
        text = "\n".join(explanation_lines(explanation, "zh"))
        assert decision.message["zh"] in text
        assert problems("explain", explanation_json(explanation)) == []


lone = changing.lone


def test_every_step_of_a_change_has_its_documented_shape(lone: changing.User, tmp_path: Path) -> None:
    changing.raise_grade(lone)
    tickets = tmp_path / "tickets.jsonl"
    tickets.write_text("", encoding="utf-8")

    def check(id: str) -> None:
        commands = [
            ["review", id, *changing.AT],
            ["review", id, "--facts", f"Customer={tickets}", *changing.AT],
            ["changes", "--all", *changing.AT],
            ["log", "Customer/harbour-bank"],
            ["diff"],
            ["diff", f"main..change/{id}"],
        ]
        for command in commands:
            ran = lone.run(*command, "--format", "json")
            assert ran.code == 0, ran.err
            assert problems(command[0], ran.json) == [], command

    id = lone.propose()
    lone.run("reject", id, "-m", "收入不足", *changing.AT, as_="bob-sun")
    check(id)
    lone.run("approve", id, *changing.AT, "--not-after", "2026-12-31T00:00:00+08:00")
    check(id)
    assert lone.run("apply", id, *changing.AT).code == 0
    check(id)


def test_the_reasons_of_a_listed_fact_are_those_of_the_program() -> None:
    facts = schema("assess").schema["properties"]["facts"]["items"]

    assert facts["properties"]["why"]["enum"] == list(REASONS)
    assert facts["required"] == ["subject", "measure", *CountedFact("", "good", "").to_json()]


def test_no_object_that_a_schema_of_outputs_names_parts_of_takes_others() -> None:
    def opened(body: Any) -> Iterator[Any]:
        if isinstance(body, dict):
            if "properties" in body and body.get("unevaluatedProperties") is not False:
                yield sorted(body["properties"])
            yield from (found for value in body.values() for found in opened(value))
        elif isinstance(body, list):
            yield from (found for value in body for found in opened(value))

    for path in sorted((ROOT / "schemas/outputs").glob("*.json")):
        assert list(opened(json.loads(path.read_text(encoding="utf-8")))) == [], path.name


@pytest.mark.parametrize("path", sorted(p.name for p in (ROOT / "schemas/outputs").glob("*.json")))
def test_the_schemas_of_outputs_are_schemas(path: str) -> None:
    body = json.loads((ROOT / "schemas/outputs" / path).read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator.check_schema(body)
    assert body["$id"].endswith(f"/schemas/outputs/{path}")
