"""Assessment policies: compiled, scored against an independent count, and asked for on the command line."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from assessments import (
    AFTERWARDS,
    FAULTS,
    MONTH,
    ORDERS,
    ROOT,
    a_world,
    compiled,
    fact,
    figure,
    order,
    policy,
    policy_record,
    scored,
    ticket,
    unit,
)

from remit.main import main
from remit.policies.assessment import Assessment
from remit.records import Record
from remit.references import Entity, World
from remit.scorecards import REASONS
from remit.times import format_instant, parse_instant
from remit.yamltext import read

# --- ASM-03 against an independent count --------------------------------------------------------------------------


ZONE_START = parse_instant("2026-10-01T00:00:00+08:00")


def generated_month(seed: int) -> list[Entity]:
    """Tickets around October, some never repaired, with up to three suspensions, a third of them not approved."""
    chance = random.Random(seed)
    entities = []
    for number in range(60):
        accepted = ZONE_START + timedelta(minutes=chance.randrange(-3000, 31 * 1440))
        suspensions = []
        for index in range(chance.randrange(4)):
            start = accepted + timedelta(minutes=chance.randrange(-60, 600))
            result = "refused" if chance.random() < 1 / 3 else "passed"
            review = {"at": format_instant(start), "result": result}
            spec: dict[str, Any] = {"ticket": f"T{number}", "startedAt": format_instant(start)}
            spec |= {"monitoringReview": review, "customerServiceReview": {**review, "result": "passed"}}
            if chance.random() < 0.9:
                spec["resumedAt"] = format_instant(start + timedelta(minutes=chance.randrange(1, 400)))
            suspensions.append(f"S{number}-{index}")
            entities.append(fact("Suspension", suspensions[-1], **spec))
        repaired = accepted + timedelta(minutes=chance.randrange(1, 2200))
        entities.append(
            ticket(
                f"T{number}",
                format_instant(accepted),
                format_instant(repaired) if chance.random() < 0.8 else "",
                chance.choice(["group", "local_c"]),
                suspensions=suspensions,
                **({"unit": "east"} if chance.random() < 0.5 else {}),
            )
        )
    return entities


def naive_count(entities: list[Entity], at: datetime) -> dict[str, tuple[int, int]]:
    """(good, counted) by unit, stepping through every minute: nothing of Remit's clocks is used."""
    minute = timedelta(minutes=1)
    end = parse_instant("2026-11-01T00:00:00+08:00")
    moment = min(at, end)
    by_name = {entity.name: entity.spec for entity in entities}
    counts: dict[str, tuple[int, int]] = {}
    for entity in entities:
        if entity.kind != "TroubleTicket":
            continue
        spec = entity.spec
        pauses = []
        for name in spec["suspensions"]:
            one = by_name[name]
            if one["monitoringReview"]["result"] == "passed":
                last = parse_instant(one["resumedAt"]) if "resumedAt" in one else AFTERWARDS
                pauses.append((parse_instant(one["startedAt"]), last))
        repaired = parse_instant(spec["repairedAt"]) if "repairedAt" in spec else None
        left = 240 if spec["service"] == "group" else 1440
        due = parse_instant(spec["acceptedAt"])
        while left and due < end:
            # A suspension that is still open when the fault is repaired ends with it.
            left -= not any(a <= due < (b if repaired is None else min(b, repaired)) for a, b in pauses)
            due += minute
        if left or not ZONE_START <= due < end:
            continue
        done = repaired is not None and repaired <= moment
        if not done and due > moment:
            continue
        name = spec.get("unit", "west")
        good, counted = counts.get(name, (0, 0))
        counts[name] = (good + (done and repaired is not None and repaired <= due), counted + 1)
    return counts


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("at", [AFTERWARDS, parse_instant("2026-10-20T13:00:00+08:00")], ids=["after", "within"])
def test_repair_timeliness_agrees_with_a_count_minute_by_minute(seed: int, at: datetime) -> None:
    entities = generated_month(seed)
    world = a_world(*entities)

    scorecard = scored(policy(FAULTS, world=world), world, at=at)

    counts = {
        line.subject.partition("/")[2]: (line.measures["faults"].n, line.measures["faults"].of)
        for line in scorecard.subjects
        if line.measures["faults"].of
    }
    assert counts == naive_count(entities, at)


def test_the_order_of_the_facts_does_not_matter() -> None:
    entities = generated_month(11)
    made = policy(FAULTS)

    there = scored(made, a_world(*entities)).to_json("c")
    back = scored(made, a_world(*reversed(entities))).to_json("c")

    assert there == back


def test_the_scorecard_of_a_past_period_stays_as_it_was() -> None:
    world = a_world(*generated_month(12))
    made = policy(FAULTS)

    first = scored(made, world, at=parse_instant("2026-11-01T00:00:00+08:00"))
    later = scored(made, world, at=AFTERWARDS)

    assert first == later
    assert first.is_final


def test_every_ticket_is_counted_or_left_out_in_exactly_one_month() -> None:
    entities = generated_month(13)
    world = a_world(*entities)
    made = policy(FAULTS, world=world)

    months = [scored(made, world, f"2026-{month:02d}") for month in (9, 10, 11)]

    listed = [f.ref for card in months for line in card.subjects for f in line.measures["faults"].facts]
    assert sorted(listed) == sorted(e.ref for e in entities if e.kind == "TroubleTicket")
    assert {f.why for card in months for line in card.subjects for f in line.measures["faults"].facts} <= set(REASONS)


# --- figures, scores, ranks ---------------------------------------------------------------------------------------


def test_a_count_a_sum_and_a_mean_say_their_number() -> None:
    rest = "over: ServiceOrder, by: fact.unit, at: fact.completedAt, value: fact.overtimeCount"
    made = policy(
        ORDERS + "}", f"{{name: overtime, type: sum, {rest}}}", f"{{name: mean-overtime, type: mean, {rest}}}"
    )
    world = a_world(
        *(order(f"O{n}", MONTH, overtimeCount=count) for n, count in enumerate((0, 1, 1))), order("P", MONTH)
    )

    scorecard = scored(made, world)

    assert (figure(scorecard, "east", "orders").value, figure(scorecard, "east", "orders").of) == (4, 4)
    assert (figure(scorecard, "east", "overtime").value, figure(scorecard, "east", "overtime").of) == (2, 3)
    assert (figure(scorecard, "east", "mean-overtime").value, figure(scorecard, "east", "mean-overtime").n) == (
        0.6667,
        3,
    )
    assert [f.why for f in figure(scorecard, "east", "overtime").facts] == ["counted"] * 3 + ["no-value"]


@pytest.mark.parametrize(
    ("target", "shown", "score"),
    [
        ("98", 0.98, 76.53),
        ("98%", 0.98, 76.53),
        ("param.rate", 0.98, 76.53),
        ("param.share", 0.8, 93.75),
        ("60", 0.6, 100),
    ],
)
def test_a_target_of_a_ratio_is_in_percent_and_no_score_is_above_100(target: str, shown: float, score: float) -> None:
    good = 'type: ratio, good: fact.orderType == "provide", score: {kind: rate_vs_target}'
    made = policy(f"{{name: r, over: ServiceOrder, by: fact.unit, at: fact.completedAt, {good}, target: {target}}}")
    world = a_world(*(order(f"O{n}", MONTH, orderType="provide" if n else "move") for n in range(4)))

    found = figure(scored(made, world), "east", "r")

    assert (found.value, found.n, found.of, found.target, found.score) == (0.75, 3, 4, shown, score)


def test_the_total_is_the_weighted_mean_of_the_scores_that_are_there() -> None:
    base = "over: ServiceOrder, by: fact.unit, at: fact.completedAt, type: count, score: {kind: rate_vs_target}"
    made = policy(
        f"{{name: a, {base}, target: 4, weight: 3}}",
        f"{{name: b, {base}, target: 1, weight: 1}}",
        FAULTS + "weight: 100",
    )

    line = scored(made, a_world(order("O1", MONTH))).of("OrganizationUnit/east")

    assert line is not None
    assert [line.measures[name].score for name in ("a", "b", "faults")] == [25, 100, None]
    assert line.score == 43.75  # (3·25 + 1·100) / 4


def test_equal_totals_share_the_best_rank_and_no_total_has_none() -> None:
    head = 'period: month\nrank: true\nwhen: subject.type == "centre"'
    made = policy(ORDERS + ", target: 2, score: {kind: rate_vs_target}}", FAULTS, head=head)
    facts = [order("O1", MONTH), order("O2", MONTH, "west"), *(order(f"P{n}", MONTH, "far") for n in range(3))]

    ranks = {line.subject: line.rank for line in scored(made, a_world(unit("far"), *facts)).subjects}
    none = scored(policy(FAULTS, head=head), a_world())

    assert ranks == {
        "OrganizationUnit/east": 2,
        "OrganizationUnit/far": 1,
        "OrganizationUnit/idle": 4,
        "OrganizationUnit/west": 2,
    }
    assert [(line.score, line.rank) for line in none.subjects] == [(None, None)] * 3


COMPLETED = "{name: done, type: ratio, over: ServiceOrder, by: fact.unit, at: fact.completedAt, good: 'true'}"
BOTH = "{name: both, type: ratio, of: [done, faults], target: 98, score: {kind: rate_vs_target}}"


def test_a_ratio_of_other_measures_counts_all_their_facts_together() -> None:
    made = policy(BOTH, COMPLETED, FAULTS)
    late = ticket("T1", MONTH, "2026-10-05T13:00:01+08:00", unit="east")
    left_out = ticket("T2", MONTH, "2026-10-05T10:00:00+08:00", unit="east", service="")
    world = a_world(order("O1", MONTH), order("O2", MONTH), order("O3", MONTH, "west"), late, left_out)

    east = figure(scored(made, world), "east", "both")
    west = figure(scored(made, world), "west", "both")

    assert [(f.ref, f.counted) for f in east.facts] == [
        ("ServiceOrder/O1", "good"),
        ("ServiceOrder/O2", "good"),
        ("TroubleTicket/T1", "bad"),
        ("TroubleTicket/T2", "left out"),
    ]
    assert (east.n, east.of, east.value, east.score) == (2, 3, 0.6667, 68.03)
    assert (west.n, west.of) == (1, 1)


MADE_OF = {
    "a measure that is not there": ("{name: x, type: ratio, of: [done, both]}", "/spec/measures/0/of/1"),
    "a measure that is made of others": (
        "{name: x, type: ratio, of: [done, other]}\n- {name: other, type: ratio, of: [done, faults]}",
        "/spec/measures/0/of/1",
    ),
    "a figure that is no ratio": (ORDERS + "}\n- {name: x, type: ratio, of: [done, orders]}", "/spec/measures/1/of/1"),
    "a sum": ("{name: x, type: sum, of: [done, faults]}", "/spec/measures/0/type"),
    "facts of its own": ("{name: x, type: ratio, of: [done, faults], by: fact.unit}", "/spec/measures/0/by"),
}


@pytest.mark.parametrize("mistake", MADE_OF)
def test_what_cannot_be_counted_together_is_found_where_it_was_written(mistake: str) -> None:
    measures, pointer = MADE_OF[mistake]

    made, findings = compiled(policy_record(*measures.split("\n- "), COMPLETED, FAULTS), a_world())

    assert made is None
    assert [(f.code, f.pointer) for f in findings] == [("policy-invalid", pointer)]


def test_without_when_only_those_for_whom_facts_count_are_scored() -> None:
    scorecard = scored(policy(ORDERS + "}"), a_world(order("O1", MONTH)))

    assert [line.subject for line in scorecard.subjects] == ["OrganizationUnit/east"]


def test_a_period_runs_from_midnight_to_midnight_of_the_stores_zone() -> None:
    times = ("2026-09-30T23:59:59+08:00", "2026-10-01T00:00:00+08:00", "2026-10-31T15:59:59Z", "2026-10-31T16:00:00Z")
    world = a_world(*(order(f"O{n}", at) for n, at in enumerate(times)))

    found = figure(scored(policy(ORDERS + "}"), world), "east", "orders")

    assert [f.ref for f in found.facts] == ["ServiceOrder/O1", "ServiceOrder/O2"]


def test_a_fact_after_the_moment_asked_about_is_left_out_until_then() -> None:
    world, made = a_world(order("O1", MONTH), order("O2", "2026-10-06T09:00:00+08:00")), policy(ORDERS + "}")

    then = figure(scored(made, world, at=parse_instant(MONTH)), "east", "orders")
    later = figure(scored(made, world), "east", "orders")

    assert (then.value, [f.why for f in then.facts]) == (1, ["counted", "not-yet"])
    assert later.value == 2


def test_where_decides_which_facts_count_and_a_missing_field_is_never_a_match() -> None:
    made = policy(ORDERS + ", where: 'has(fact.difficultIssue) && fact.difficultIssue'}")
    world = a_world(order("A", MONTH, difficultIssue=True), order("B", MONTH, difficultIssue=False), order("C", MONTH))

    assert [f.ref for f in figure(scored(made, world), "east", "orders").facts] == ["ServiceOrder/A"]


def test_items_of_a_list_count_each_by_itself() -> None:
    made = policy(
        "{name: s, type: count, over: ResourceCheck, each: {as: one, in: fact.segments},"
        ' by: one.department, at: one.answeredAt, where: has(one.result) && one.result == "available"}'
    )
    segments = [
        {"department": "east", "answeredAt": MONTH, "result": "available"},
        {"department": "west", "answeredAt": MONTH, "result": "available"},
        {"department": "east", "answeredAt": MONTH, "result": "partly"},
    ]

    scorecard = scored(made, a_world(fact("ResourceCheck", "R", segments=segments)))

    refs = {line.subject: [f.ref for f in line.measures["s"].facts] for line in scorecard.subjects}
    assert refs == {
        "OrganizationUnit/east": ["ResourceCheck/R#segments/0"],
        "OrganizationUnit/west": ["ResourceCheck/R#segments/1"],
    }


# --- nothing is dropped in silence --------------------------------------------------------------------------------


def test_facts_that_lead_to_nobody_are_counted_in_a_finding() -> None:
    facts = [fact("ServiceOrder", f"O{n}", completedAt=MONTH) for n in range(5)]
    later = fact("ServiceOrder", "P", completedAt="2026-12-05T09:00:00+08:00")

    scorecard = scored(policy(ORDERS + "}"), a_world(*facts, later))

    assert [(f.code, f.severity, f.pointer) for f in scorecard.findings] == [
        ("fact-without-subject", "warning", "/spec/measures/0/by")
    ]
    assert scorecard.findings[0].message == (
        "orders leaves out 5 of ServiceOrder that lead to no OrganizationUnit by fact.unit:"
        " ServiceOrder/O0, ServiceOrder/O1, ServiceOrder/O2 …."
    )


def test_facts_of_those_who_are_not_scored_are_counted_in_a_finding() -> None:
    head = 'period: month\nwhen: has(subject.function) && subject.function == "monitoring"'

    scorecard = scored(policy(ORDERS + "}", head=head), a_world(order("O1", MONTH)))

    assert scorecard.subjects == ()
    assert [f.code for f in scorecard.findings] == ["fact-without-subject"]
    assert "that is not scored: ServiceOrder/O1." in scorecard.findings[0].message


def test_facts_without_an_instant_are_counted_in_a_finding() -> None:
    scorecard = scored(policy(ORDERS + "}"), a_world(fact("ServiceOrder", "O1", unit="east")))

    assert [(f.code, f.severity) for f in scorecard.findings] == [("fact-without-instant", "info")]


def test_a_ticket_without_a_limit_is_left_out_and_told() -> None:
    lost = ticket("T1", MONTH, MONTH, unit="east", service="nowhere", customer="nobody")

    scorecard = scored(policy(FAULTS), a_world(lost))

    found = figure(scorecard, "east", "faults")
    assert (found.value, found.of, [f.why for f in found.facts]) == (None, 0, ["no-limit"])
    assert [f.code for f in scorecard.findings] == ["no-governing-term"]
    assert "that have no limit (term.repairLimit): TroubleTicket/T1." in scorecard.findings[0].message


def test_a_calendar_that_is_not_there_is_a_finding_and_no_crash() -> None:
    made = policy(FAULTS.replace("calendar: always", "calendar: lunar"))

    scorecard = scored(made, a_world(ticket("T1", MONTH, MONTH)))

    assert [(f.code, f.severity) for f in scorecard.findings] == [("policy-invalid", "error")]
    assert "there is no Calendar/lunar" in scorecard.findings[0].message


def test_a_target_parameter_of_zero_is_a_finding_and_gives_no_score() -> None:
    made = policy(ORDERS + ", target: param.nothing, score: {kind: rate_vs_target}}")

    scorecard = scored(made, a_world(order("O1", MONTH)))

    assert [f.code for f in scorecard.findings] == ["policy-invalid"]
    assert (figure(scorecard, "east", "orders").target, figure(scorecard, "east", "orders").score) == (None, None)


# --- compiling ----------------------------------------------------------------------------------------------------


COUNT = "{name: m, type: count, over: ServiceOrder, by: fact.unit, at: fact.completedAt"
MISTAKES: Mapping[str, tuple[str, str, str]] = {
    "an unknown kind": ("{name: m, type: count, over: Ticket, by: fact.unit, at: fact.at}", "unknown-kind", "over"),
    "an unknown field": (COUNT + ', where: fact.statu == "closed"}', "condition-unknown-field", "where"),
    "an unguarded optional field": (COUNT + ', where: fact.status == "closed"}', "condition-unguarded", "where"),
    "a value outside the enum": (COUNT + ', where: fact.orderType == "gift"}', "condition-not-in-enum", "where"),
    "the term in a condition": (COUNT + ', where: term.id == "x"}', "condition-unknown-name", "where"),
    "a by of another kind": (COUNT.replace("fact.unit", "fact.customer") + "}", "condition-type", "by"),
    "an at that is no instant": (COUNT.replace("fact.completedAt", "fact.orderType") + "}", "condition-not-bool", "at"),
    "a count without at": ("{name: m, type: count, over: ServiceOrder, by: fact.unit}", "policy-invalid", ""),
    "a ratio that says no good": (COUNT.replace("count", "ratio") + "}", "policy-invalid", ""),
    "a count with a value": (COUNT + ", value: fact.overtimeCount}", "policy-invalid", "value"),
    "a sum without a value": (COUNT.replace("count", "sum") + "}", "policy-invalid", ""),
    "a sum of texts": (COUNT.replace("count", "sum") + ", value: fact.orderType}", "condition-not-bool", "value"),
    "a score without a target": (COUNT + ", score: {kind: rate_vs_target}}", "policy-invalid", "score"),
    "a count with a target in percent": (COUNT + ", target: 98%}", "policy-invalid", "target"),
    "a target parameter that is text": (COUNT + ", target: param.words}", "condition-type", "target"),
    "a target parameter that is not there": (COUNT + ", target: param.goal}", "condition-unknown-field", "target"),
    "a limit and a due time": (FAULTS.replace("calendar: always", "due: fact.repairedAt"), "policy-invalid", "timely"),
    "a limit without a start": (FAULTS.replace("start: fact.acceptedAt, ", ""), "policy-invalid", "timely/clock"),
    "a limit that is no span": (FAULTS.replace("term.repairLimit", "fact.symptom"), "condition-type", "timely/limit"),
    "a limit of the term that is not there": (
        FAULTS.replace("repairLimit", "repair"),
        "condition-unknown-field",
        "timely/limit",
    ),
    "pauses that cannot pause": (FAULTS.replace("suspensions", "progress"), "policy-invalid", "timely/clock/pauses"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_where_it_was_written(mistake: str) -> None:
    measure, code, where = MISTAKES[mistake]

    made, findings = compiled(policy_record(measure), a_world())

    assert made is None
    pointer = "/spec/measures/0" + (f"/{where}" if where else "")
    assert (code, pointer) in [(f.code, f.pointer) for f in findings], findings


def test_two_measures_of_one_name_and_an_unknown_subject_are_found() -> None:
    twice, findings = compiled(policy_record(ORDERS + "}", ORDERS + "}"), a_world())
    nobody, others = compiled(policy_record(ORDERS + "}", subject="OrganisationUnit"), a_world())

    assert twice is None and nobody is None
    assert [f.message for f in findings] == ["Two measures are called 'orders'."]
    assert [(f.code, f.hint) for f in others] == [("unknown-kind", 'Did you mean "OrganizationUnit"?')]


# --- the store's own policy ---------------------------------------------------------------------------------------


RESPONSE_MEASURES = [
    "resource-check",
    "provisioning",
    "fault-handling",
    "fault-reports",
    "operation-analyses",
    "optimisation-plans",
    "three-reports",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example store with its assessment policies only, so that no other policy matters here."""
    folder = tmp_path_factory.mktemp("store")
    for part in ("schemas", "records", "templates", "rules/assessment"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "remit.yaml", folder)
    return folder


def remit(store: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["--store", str(store), *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_assess_prints_the_json_of_the_design_and_the_facts_behind_a_figure(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("assess", "response-centre", "--period", "2026-09", "--at", "2026-12-01T00:00:00Z", "--format", "json")

    code, out, _ = remit(store, capsys, *asked)
    _, listed, _ = remit(store, capsys, *asked, "--list", "provisioning", "--subject", "linhai-crc")

    body = json.loads(out)
    assert code == 0
    assert list(body) == ["policy", "period", "commit", "subjects", "findings"]
    for line in body["subjects"]:
        assert list(line) == ["subject", "measures", "score", "rank", "band", "share", "amount"]
        assert list(line["measures"]) == RESPONSE_MEASURES
        for measure in line["measures"].values():
            assert list(measure) == ["value", "of", "n", "target", "score"]
    facts = json.loads(listed)["facts"]
    (line,) = json.loads(listed)["subjects"]
    assert sum(f["counted"] == "good" for f in facts) == line["measures"]["provisioning"]["n"]
    assert sum(f["counted"] != "left out" for f in facts) == line["measures"]["provisioning"]["of"]


def test_assess_counts_the_rows_of_a_feed_and_names_those_it_left_out(
    store: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    row = {"kind": "TroubleTicket", "customer": "nanhai-tobacco", "service": "tobacco-mpls", "unit": "linhai-crc"}
    row |= {"ticketType": "interruption", "acceptedAt": "2025-03-03T09:00:00+08:00"}
    rows = [
        {**row, "id": "in-time", "repairedAt": "2025-03-03T15:00:00+08:00"},
        {**row, "id": "late", "repairedAt": "2025-03-03T15:00:01+08:00"},
        {**row, "id": "broken", "ticketType": "riddle"},
    ]
    feed = tmp_path / "tickets.jsonl"
    feed.write_text("".join(json.dumps(one) + "\n" for one in rows))
    asked = ("assess", "response-centre", "--period", "2025-03", "--facts", str(feed), "--at", "2026-12-01T00:00:00Z")

    code, out, _ = remit(store, capsys, *asked, "--format", "json")
    strict, _, err = remit(store, capsys, *asked, "--strict")

    body = json.loads(out)
    line = next(one for one in body["subjects"] if one["subject"] == "OrganizationUnit/linhai-crc")
    assert (code, strict) == (0, 1)
    assert line["measures"]["fault-handling"] == {"value": 0.5, "of": 2, "n": 1, "target": 0.98, "score": 51.02}
    assert [(f["code"], f["record"]) for f in body["findings"]] == [("row-schema", "TroubleTicket/broken")]
    assert "riddle" in err


def test_assess_in_text_and_csv_says_what_is_not_finished(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("assess", "response-centre", "--period", "2026-10", "--at", "2026-10-15T10:00:00+08:00")

    _, text, _ = remit(store, capsys, *asked, "--list", "fault-handling")
    _, table, _ = remit(store, capsys, *asked, "--format", "csv")
    _, facts, _ = remit(store, capsys, *asked, "--format", "csv", "--list", "fault-handling")

    assert "截至 2026-10-15T10:00:00+08:00" in text and "故障处理及时率" in text and "挂起中" in text
    assert table.splitlines()[0].startswith("subject,title,resource-check,resource-check_of,resource-check_n,")
    assert facts.splitlines()[0] == "subject,measure,fact,counted,why,at,due,stopped,value,exclusion"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("response-center", "--period", "2026-10"), "您是指“response-centre”吗？"),
        (("response-centre", "--period", "2026"), "Write a period like 2026-10 or 2026-Q4."),
        (("response-centre", "--period", "2026-13"), "response-centre scores periods like 2026-10 or 2026-Q4."),
        (("response-centre", "--period", "2026-10", "--list", "fault-handing"), "您是指“fault-handling”吗？"),
        (("response-centre", "--period", "2026-10", "--subject", "linhai-crd"), "您是指“linhai-crc”吗？"),
    ],
)
def test_what_cannot_be_assessed_is_refused_with_the_next_step(
    arguments: tuple[str, ...], says: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = remit(store, capsys, "assess", *arguments)

    assert (code, out) == (2, "")
    assert says in err


def test_a_case_that_expects_something_else_fails_and_names_the_facts(store: Path) -> None:
    from remit.cases import CaseBook
    from remit.policies.assessment_cases import run_cases

    text = (ROOT / "rules/assessment/response-centre.cases.yaml").read_text(encoding="utf-8")
    first = text[: text.index("    - name: a fault that is not repaired is late")]
    document, _ = read(first.encode(), "rules/assessment/response-centre.cases.yaml")
    assert document is not None
    case = document.value["spec"]["cases"][0]
    expected = case["expect"][0]
    expected["measures"]["fault-handling"]["n"] = 2
    expected["rank"] = 7
    expected["colour"] = "red"
    book = CaseBook(Record("PolicyCases", "p", document.path, document.value, document), policy_record(ORDERS + "}"))
    world, made = store_policy(store)

    (failures,) = run_cases(made, book, world)
    case["expect"] = []
    (others,) = run_cases(made, CaseBook(book.record, book.policy), world)

    why = "TroubleTicket/T1 in-time, TroubleTicket/T2 late"
    assert failures == [
        "'colour' cannot be expected of a scorecard.",
        "OrganizationUnit/linhai-crc: rank is 1, expected 7.",
        f"OrganizationUnit/linhai-crc: n of fault-handling is 1, expected 2 ({why}).",
    ]
    assert others == ["Not expected: facts count for OrganizationUnit/linhai-crc."]


def store_policy(folder: Path) -> tuple[World, Assessment]:
    from remit.evaluating import load
    from remit.store import Store

    loaded = load(Store.open(folder).files(None))
    made: Assessment = loaded.policies.by_id["AssessmentPolicy/response-centre"]
    return loaded.world, made


def test_the_stores_own_cases_hold(store: Path) -> None:
    from remit.evaluating import load
    from remit.store import Store
    from remit.testing import run_all

    run = run_all(load(Store.open(store).files(None)), only=lambda path: path.startswith("rules/assessment/"))

    assert [r.name for r in run.results if r.failures] == []
    assert len(run.results) >= 12
