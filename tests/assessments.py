"""A small world of units, customers and parameters, and assessment policies written in a line, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from remit.conditions.condition import Compiler
from remit.conditions.messages import MessageTypes
from remit.findings import Finding
from remit.places import Place
from remit.policies.assessment import Assessment, assess, compile_assessment
from remit.records import Config, Record
from remit.references import Entity, World
from remit.schemas import Schemas, load_schemas
from remit.scorecards import MeasureScore, Scorecard
from remit.times import parse_period
from remit.yamltext import read

ROOT = Path(__file__).parent.parent
AFTERWARDS = datetime(2027, 1, 1, tzinfo=UTC)

FAULTS = """\
name: faults
type: ratio
over: TroubleTicket
by: [fact.unit, fact.customer.unit]
timely:
  clock: {start: fact.acceptedAt, stop: fact.repairedAt, pauses: fact.suspensions, calendar: always}
  limit: term.repairLimit
target: 98
score: {kind: rate_vs_target}
"""
ORDERS = "{name: orders, type: count, over: ServiceOrder, by: fact.unit, at: fact.completedAt"


@cache
def schemas() -> Schemas:
    files = {p.relative_to(ROOT).as_posix(): p.read_bytes() for p in (ROOT / "schemas").rglob("*.json")}
    return load_schemas(files)[0]


def policy_record(*measures: str, head: str = "period: month", subject: str = "OrganizationUnit") -> Record:
    items = "".join("    - " + one.strip().replace("\n", "\n      ") + "\n" for one in measures)
    text = (
        "apiVersion: remit/v1\nkind: AssessmentPolicy\nmetadata: {name: p}\nspec:\n"
        f"  subject: {subject}\n  " + head.replace("\n", "\n  ") + f"\n  measures:\n{items}"
    )
    document, problems = read(text.encode(), "rules/assessment/p.yaml")
    assert document is not None and not problems, problems
    record = Record("AssessmentPolicy", "p", "rules/assessment/p.yaml", document.value, document)
    assert [f.message for f in schemas().check_record(record)] == []
    return record


def compiled(record: Record, world: World) -> tuple[Assessment | None, list[Finding]]:
    compiler = Compiler(MessageTypes(schemas(), world.parameters))
    return compile_assessment(record, compiler, ())


def policy(*measures: str, head: str = "period: month", world: World | None = None) -> Assessment:
    made, findings = compiled(policy_record(*measures, head=head), world or a_world())
    assert made is not None, findings
    return made


def fact(kind: str, name: str, **spec: Any) -> Entity:
    return Entity(kind, name, spec, Place("feed.jsonl", 1))


def unit(name: str, **spec: Any) -> Entity:
    return fact("OrganizationUnit", name, level="local", type="centre", **spec)


def a_world(*facts: Entity) -> World:
    return World(schemas(), [*facts, *surroundings()], Config(name="t", timezone="Asia/Shanghai"))


def surroundings() -> Iterable[Entity]:
    """Two units, two customers with a service each, their limits of 4 and 24 hours, and a few parameters."""
    yield unit("east")
    yield unit("west")
    yield unit("idle")
    yield fact("ProductOffering", "line", category="bandwidth")
    for grade, hours in (("group", 4), ("local_c", 24)):
        yield fact("Customer", f"{grade}-bank".replace("_", "-"), customerGrade=grade, unit="west")
        yield fact("ServiceInstance", grade, customer=f"{grade}-bank".replace("_", "-"), product="line")
        level = {"category": "bandwidth", "customerGrade": grade, "metric": "repair_hours", "value": hours, "unit": "h"}
        yield fact("ServiceLevelSpecification", f"limit-{grade}".replace("_", "-"), **level)
    parameters = {
        "rate": {"value": 98, "unit": "number"},
        "share": {"value": "80%", "unit": "share"},
        "nothing": {"value": 0, "unit": "number"},
        "words": {"value": "many", "unit": "text"},
    }
    yield fact("ParameterSet", "all", parameters=parameters)


def ticket(name: str, accepted: str, repaired: str = "", grade: str = "group", **spec: Any) -> Entity:
    done = {"repairedAt": repaired} if repaired else {}
    about = {"customer": f"{grade}-bank".replace("_", "-"), "service": grade, "ticketType": "interruption"}
    return fact("TroubleTicket", name, **{**about, "acceptedAt": accepted, **done, **spec})


def order(name: str, completed: str, unit: str = "east", **spec: Any) -> Entity:
    return fact("ServiceOrder", name, unit=unit, completedAt=completed, **spec)


def scored(made: Assessment, world: World, period: str = "2026-10", at: datetime = AFTERWARDS) -> Scorecard:
    return assess(made, world, parse_period(period, world.zone), at=at)


def figure(scorecard: Scorecard, subject: str, measure: str) -> MeasureScore:
    line = scorecard.of(f"OrganizationUnit/{subject}")
    assert line is not None
    return line.measures[measure]


MONTH = "2026-10-05T09:00:00+08:00"
