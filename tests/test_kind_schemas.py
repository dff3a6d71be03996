"""The kind schemas of this store: valid, closed, bilingual, safe, and refusing what they should refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SCHEMAS = Path(__file__).parents[1] / "schemas"
COMMON = "https://remit.invalid/schemas/common.schema.json"
KINDS: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((SCHEMAS / "kinds").glob("*.schema.json"))
}
SHARED: dict[str, Any] = json.loads((SCHEMAS / "common.schema.json").read_text(encoding="utf-8"))
FILES: dict[str, dict[str, Any]] = {**KINDS, "common": SHARED}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in FILES.values()
)
UNITS = {"duration", "share", "money", "instant", "date", "hours", "minutes", "percent", "score"}
BY_ITS_OWN_NAME = {"envelope", "commonSpec"}  # open on purpose: the kinds that use them are closed


def schemas_within(schema: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every sub-schema with its pointer; the names of properties and ``$defs`` are not schemas themselves."""
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for word in ("properties", "$defs"):
        for name, part in schema.get(word, {}).items():
            yield from schemas_within(part, f"{pointer}/{word}/{name}")
    for word in ("items", "additionalProperties", "propertyNames"):
        yield from schemas_within(schema.get(word), f"{pointer}/{word}")
    for word in ("anyOf", "oneOf", "allOf"):
        for index, part in enumerate(schema.get(word, [])):
            yield from schemas_within(part, f"{pointer}/{word}/{index}")


def errors_of(kind: str, spec: dict[str, Any], /, **more: Any) -> list[str]:
    record = {"apiVersion": "remit/v1", "kind": kind, "metadata": {"name": "one"}, "spec": spec, **more}
    checker = Draft202012Validator(KINDS[kind], registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in checker.iter_errors(record)]


each_file = pytest.mark.parametrize("name", sorted(FILES))
each_kind = pytest.mark.parametrize("kind", sorted(KINDS))


@each_file
def test_a_schema_is_valid_json_schema_2020_12(name: str) -> None:
    assert FILES[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(FILES[name])


@each_file
def test_every_reference_inside_a_schema_leads_somewhere(name: str) -> None:
    resolver = REGISTRY.resolver(FILES[name]["$id"])
    for _, part in schemas_within(FILES[name]):
        if "$ref" in part:
            resolver.lookup(part["$ref"])


@each_file
def test_every_property_has_a_title_in_both_languages(name: str) -> None:
    for pointer, part in schemas_within(FILES[name]):
        for field, body in part.get("properties", {}).items():
            assert body.get("title"), f"{pointer}/{field}"
            assert body.get("x-remit-zh"), f"{pointer}/{field}"


@each_file
def test_every_object_is_closed(name: str) -> None:
    for pointer, part in schemas_within(FILES[name]):
        is_map = isinstance(part.get("additionalProperties"), dict)
        if part.get("type") == "object" and pointer.rpartition("/")[2] not in BY_ITS_OWN_NAME and not is_map:
            is_any_spec = pointer == "/$defs/envelope/properties/spec"
            assert is_any_spec or part.get("unevaluatedProperties") is False, pointer


@each_file
def test_every_record_reference_names_a_kind_that_exists(name: str) -> None:
    for pointer, part in schemas_within(FILES[name]):
        kinds = part.get("x-remit-ref", [])
        assert {kinds} <= set(KINDS) if isinstance(kinds, str) else set(kinds) <= set(KINDS), pointer
        if kinds:
            assert part["type"] == "string", pointer


@each_file
def test_every_pattern_runs_in_linear_time_in_every_engine(name: str) -> None:
    for pointer, part in schemas_within(FILES[name]):
        pattern = part.get("pattern", "^$")
        assert pattern.startswith("^") and pattern.endswith("$"), pointer
        assert not re.search(r"\(\?|\\[dDwWsSbB1-9]|[+*}]\)[+*{]", pattern), pointer


@each_file
def test_units_clauses_and_defaults_are_well_formed(name: str) -> None:
    for pointer, part in schemas_within(FILES[name]):
        assert part.get("x-remit-unit", "date") in UNITS, pointer
        assert all(re.fullmatch(r"D[0-9][a-z]?-[0-9]{2}", c) for c in part.get("x-remit-clause", [])), pointer
        assert not (part.get("x-remit-proposed") and part.get("x-remit-clause")), pointer
        if "default" in part and "$ref" not in part:
            Draft202012Validator(part).validate(part["default"])
        if part.get("format") in {"date-time", "date"}:
            assert part["x-remit-unit"] == {"date-time": "instant", "date": "date"}[part["format"]], pointer


@each_kind
def test_a_kind_says_where_it_lives(kind: str) -> None:
    schema = KINDS[kind]
    assert schema["$id"] == f"https://remit.invalid/schemas/kinds/{kind}.schema.json"
    assert schema["$ref"] == f"{COMMON}#/$defs/envelope"
    assert schema["properties"]["kind"]["const"] == kind
    assert schema["x-remit-home"] in {"record", "feed", "either"}
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", schema["x-remit-plural"])
    assert schema["title"] and schema["x-remit-zh"] and schema["description"].endswith(".")


@each_kind
def test_a_kind_has_a_status_and_the_common_fields(kind: str) -> None:
    spec = KINDS[kind]["$defs"]["spec"]
    assert spec["$ref"] == f"{COMMON}#/$defs/commonSpec"
    assert spec["properties"]["status"]["default"] in spec["properties"]["status"]["enum"]
    assert set(spec.get("required", [])) <= set(spec["properties"])


def test_no_two_kinds_share_a_folder() -> None:
    plurals = [schema["x-remit-plural"] for schema in KINDS.values()]
    assert len(plurals) == len(set(plurals))


TICKET = {"customer": "harbour-bank", "ticketType": "interruption", "acceptedAt": "2026-10-15T08:00:00+08:00"}
ORDER = {
    "customer": "harbour-bank",
    "orderType": "provide",
    "requestedAt": "2026-10-01T09:00:00+08:00",
    "deadline": "2026-10-20T18:00:00+08:00",
}
TERM = {"agreement": "harbour-bank-2026", "termType": "maintenance", "standard": False}

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("TroubleTicket", TICKET),
    (
        "TroubleTicket",
        TICKET | {"progress": [{"at": "2026-10-15T08:30:00+08:00", "by": "wang-lei", "text": "已到达"}]},
    ),
    ("TroubleTicket", TICKET | {"calendar": "china-2026", "notes": "雨天", "unit": "linhai-crc"}),
    ("ServiceOrder", ORDER),
    ("ServiceOrder", ORDER | {"stepDeadlines": [{"step": "delivery", "deadline": "2026-10-20T18:00:00+08:00"}]}),
    ("ServiceTerm", TERM | {"metric": "repair_hours", "indicatorValue": 2, "unit": "h", "validTo": "2027-12-31"}),
    ("Customer", {"customerGrade": "group", "revenue": [{"period": "2026-Q3", "amount": {"amount": 12.5}}]}),
    ("JobDescription", {"postWage": "to_be_decided"}),
    ("JobDescription", {"postWage": {"amount": 8000, "currency": "CNY"}}),
    ("ParameterSet", {"parameters": {"repairLimitWarningShare": {"id": "PRM-17", "value": "80%", "unit": "share"}}}),
    ("ParameterSet", {"parameters": {"visitCycle": {"value": {"group": "3mo"}, "unit": "duration"}}}),
    ("Calendar", {"timezone": "Asia/Shanghai", "workingHours": [{"from": "09:00", "to": "24:00"}]}),
    ("Escalation", {"ruleId": "ESC-01", "subject": "TroubleTicket/GZ 1", "level": 1, "at": "2026-10-15T10:00:00Z"}),
]

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("TroubleTicket", {"customer": "harbour-bank", "ticketType": "interruption"}, "'acceptedAt' is a required"),
    ("TroubleTicket", TICKET | {"ticketType": "outage"}, "'outage' is not one of"),
    ("TroubleTicket", TICKET | {"customerRef": "harbour-bank"}, "'customerRef' was unexpected"),
    ("TroubleTicket", TICKET | {"repairedAt": None}, "None is not of type 'string'"),
    ("TroubleTicket", TICKET | {"confirmation": {"mode": "user", "extra": 1}}, "'extra' was unexpected"),
    ("TroubleTicket", TICKET | {"progress": [{"text": "x"}]}, "'at' is a required"),
    ("ServiceOrder", {k: v for k, v in ORDER.items() if k != "deadline"}, "'deadline' is a required"),
    ("ServiceOrder", ORDER | {"currentStep": "survey"}, "'survey' is not one of"),
    ("ServiceTerm", TERM | {"standard": "no"}, "'no' is not of type 'boolean'"),
    ("ServiceTerm", TERM | {"unit": "hours"}, "'hours' is not one of"),
    ("ServiceTerm", TERM | {"validFrom": "2026-02-30"}, "is not a 'date'"),
    ("Customer", {"customerGrade": "gold"}, "'gold' is not one of"),
    ("Customer", {"customerGrade": "group", "revenue": [{"period": "2026-Q5", "amount": {"amount": 1}}]}, "2026-Q5"),
    ("JobDescription", {"postWage": "high"}, "is not valid under any of"),
    ("ParameterSet", {"parameters": {"Wrong-Name": {"value": 1, "unit": "number"}}}, "Wrong-Name"),
    ("Calendar", {"timezone": "Asia/Shanghai", "workingHours": [{"from": "9:00", "to": "12:00"}]}, "9:00"),
    ("SatisfactionSurvey", {"subject": "a", "respondentType": "customer", "period": "2026", "score": 101}, "101"),
    ("Escalation", {"ruleId": "ESC-01", "subject": "no-kind", "level": 1, "at": "2026-10-15T10:00:00Z"}, "no-kind"),
]


@pytest.mark.parametrize(("kind", "spec"), GOOD, ids=[f"{n}-{row[0]}" for n, row in enumerate(GOOD)])
def test_a_good_record_is_accepted(kind: str, spec: dict[str, Any]) -> None:
    assert errors_of(kind, spec) == []


@pytest.mark.parametrize(("kind", "spec", "says"), BAD, ids=[f"{n}-{row[0]}" for n, row in enumerate(BAD)])
def test_a_bad_record_is_refused_for_the_right_reason(kind: str, spec: dict[str, Any], says: str) -> None:
    messages = errors_of(kind, spec)
    assert len(messages) == 1, messages
    assert says in messages[0]


def test_an_envelope_with_something_extra_is_refused() -> None:
    assert errors_of("TroubleTicket", TICKET, status="open") != []
    assert errors_of("TroubleTicket", TICKET, kind="Visit") != []
    assert errors_of("TroubleTicket", TICKET, metadata={"name": "Upper"}) != []
