"""What measures can say beyond rates, and what the ranking makes of them: against computations that share no code."""

from __future__ import annotations

import math
from typing import Any

import pytest
from assessments import MONTH, a_world, compiled, fact, figure, order, policy, policy_record, scored, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.references import Entity, World
from remit.scorecards import Scorecard

BASE = "over: ServiceOrder, by: fact.unit, at: fact.completedAt"
COUNTS = f"{{name: a, type: sum, {BASE}, value: fact.overtimeCount, score: {{kind: value}}}}"


def a_policy(*measures: str, head: str = "period: month", world: World | None = None) -> Any:
    return policy(*measures, head=head, world=world)


def counted(*numbers: int, where: str = "east") -> list[Entity]:
    return [order(f"{where}-{n}", MONTH, where, overtimeCount=number) for n, number in enumerate(numbers)]


def results(scorecard: Scorecard) -> dict[str, tuple[Any, Any, Any]]:
    return {line.subject.partition("/")[2]: (line.rank, line.band, line.share) for line in scorecard.subjects}


# --- measures


@pytest.mark.parametrize("percentile", [1, 25, 50, 75, 90, 100])
@pytest.mark.parametrize("numbers", [(5,), (3, 1, 2), (10, 9, 8, 7, 6, 5, 4, 3, 2, 1), (2, 2, 2, 9)])
def test_a_percentile_is_the_least_value_that_so_many_percent_do_not_exceed(
    percentile: int, numbers: tuple[int, ...]
) -> None:
    made = a_policy(f"{{name: p, type: percentile, percentile: {percentile}, {BASE}, value: fact.overtimeCount}}")

    found = figure(scored(made, a_world(*counted(*numbers))), "east", "p")

    enough = [v for v in numbers if sum(one <= v for one in numbers) * 100 >= percentile * len(numbers)]
    assert (found.value, found.of) == (min(enough), len(numbers))


def test_days_late_are_added_up_and_what_is_in_time_adds_nothing() -> None:
    made = a_policy(
        "{name: late, type: days_late, over: ServiceOrder, by: fact.unit,"
        " timely: {clock: {start: fact.requestedAt, stop: fact.completedAt, due: fact.deadline}}}"
    )
    base = {"requestedAt": "2026-10-01T09:00:00+08:00", "deadline": "2026-10-10T18:00:00+08:00", "unit": "east"}
    world = a_world(
        fact("ServiceOrder", "A", **base, completedAt="2026-10-10T18:00:00+08:00"),
        fact("ServiceOrder", "B", **base, completedAt="2026-10-12T06:00:00+08:00"),
        fact("ServiceOrder", "C", **base),
    )

    found = figure(scored(made, world), "east", "late")

    # B is a day and a half late; C is still open when October ends, 21 days and 6 hours after its deadline.
    assert [(f.why, f.value) for f in found.facts] == [("in-time", 0), ("late", 1.5), ("overdue", 21.25)]
    assert (found.value, found.n, found.of) == (22.75, 1, 3)


@pytest.mark.parametrize(("unit_name", "value"), [("minutes", 2160), ("hours", 36), ("days", 1.5)])
def test_a_value_may_be_the_time_between_two_instants(unit_name: str, value: float) -> None:
    span = "value: {from: fact.requestedAt, to: fact.completedAt}"
    made = a_policy(f"{{name: m, type: mean, {BASE}, {span}, unit: {unit_name}}}")
    world = a_world(order("A", MONTH, requestedAt="2026-10-03T21:00:00+08:00"), order("B", MONTH))

    found = figure(scored(made, world), "east", "m")

    assert (found.value, [f.why for f in found.facts]) == (value, ["counted", "no-value"])


def test_a_fact_about_a_period_counts_in_each_period_that_contains_it() -> None:
    made = a_policy(
        "{name: r, type: count, over: Report, by: fact.unit, during: fact.period}",
        head="period: [month, quarter, year]",
    )
    reports = [fact("Report", p, type="inspection", unit="east", period=p) for p in ("2026-10", "2026-Q4", "2026")]
    world = a_world(*reports)

    def listed(period: str) -> list[str]:
        line = scored(made, world, period).of("OrganizationUnit/east")
        return [f.ref.partition("/")[2] for f in line.measures["r"].facts] if line else []

    assert listed("2026-10") == ["2026-10"]
    assert listed("2026-11") == []
    assert listed("2026-Q4") == ["2026-10", "2026-Q4"]
    assert listed("2026") == ["2026", "2026-10", "2026-Q4"]


@pytest.mark.parametrize(("value", "score"), [(0, 40), (19, 40), (20, 60), (39, 60), (40, 100), (4000, 100)], ids=str)
def test_a_table_gives_the_score_from_a_value_upwards(value: int, score: int) -> None:
    table = "score: {kind: table, table: [{from: 40, score: 100}, {score: 40}, {from: 20, score: 60}]}"
    made = a_policy(f"{{name: t, type: sum, {BASE}, value: fact.overtimeCount, {table}}}")

    assert figure(scored(made, a_world(*counted(value))), "east", "t").score == score


def test_pass_or_fail_and_the_value_itself_are_scores_too() -> None:
    value = f"type: sum, {BASE}, value: fact.overtimeCount"
    made = a_policy(
        f"{{name: passed, {value}, target: 30, score: {{kind: pass_fail}}}}",
        f"{{name: failed, {value}, target: 31, score: {{kind: pass_fail}}}}",
        f"{{name: itself, {value}, score: {{kind: value}}}}",
        f"{{name: capped, type: count, {BASE}, score: {{kind: value}}}}",
    )
    scorecard = scored(made, a_world(*counted(30)))

    names = ("passed", "failed", "itself", "capped")
    assert [figure(scorecard, "east", name).score for name in names] == [100, 0, 30, 1]


def test_parts_weigh_their_means_and_the_first_stage_that_holds_gives_the_weight() -> None:
    value = f"type: sum, {BASE}, value: fact.overtimeCount, score: {{kind: value}}"
    head = (
        "period: month\nparts:\n"
        "  - {name: x, weight: [{weight: 10%, when: 'param.rate == 1'}, {weight: param.share}, {weight: 99}]}\n"
        "  - {name: z, weight: 20%}"
    )
    made = a_policy(
        f"{{name: a, {value}, part: x, weight: 3}}",
        f"{{name: b, type: count, {BASE}, score: {{kind: value}}, part: x, weight: 1}}",
        f"{{name: c, {value}, part: z}}",
        head=head,
    )
    line = scored(made, a_world(*counted(50))).of("OrganizationUnit/east")

    assert line is not None
    assert line.score == 40.2  # 0.8 · (3·50 + 1·1)/4 + 0.2 · 50, of weights that make up 1


def test_what_is_deducted_lowers_the_total_but_never_below_nothing() -> None:
    deducted = f"{{name: d, type: count, {BASE}, deduct: 2.5}}"
    scorecard = scored(a_policy(COUNTS, deducted), a_world(*counted(40, 0, 0), *counted(1, where="west")))

    assert {line.subject: line.score for line in scorecard.subjects} == {
        "OrganizationUnit/east": 32.5,
        "OrganizationUnit/west": 0,
    }


# --- exclusions


def exclusion(name: str, **spec: Any) -> Entity:
    whole = {"policy": "p", "facts": ["ServiceOrder/east-1"], "reason": "typhoon", "evidence": ["notice"]}
    return fact("AssessmentExclusion", name, **{**whole, "validTo": "2026-10-05", "status": "approved", **spec})


@pytest.mark.parametrize(
    ("spec", "excluded"),
    [
        ({}, True),
        ({"validFrom": "2026-10-05"}, True),
        ({"validFrom": "2026-10-06", "validTo": "2026-12-31"}, False),
        ({"validTo": "2026-10-04"}, False),
        ({"status": "draft"}, False),
        ({"status": "withdrawn"}, False),
        ({"policy": "another"}, False),
        ({"measures": ["a"]}, True),
        ({"facts": ["ServiceOrder/nothing"]}, False),
    ],
    ids=str,
)
def test_an_exclusion_leaves_a_fact_out_while_it_holds_and_names_its_record(
    spec: dict[str, Any], excluded: bool
) -> None:
    found = figure(scored(a_policy(COUNTS), a_world(*counted(1, 2, 4), exclusion("x", **spec))), "east", "a")

    assert found.value == (5 if excluded else 7)
    assert [(f.why, f.exclusion) for f in found.facts if f.exclusion] == (
        [("excluded", "AssessmentExclusion/x")] if excluded else []
    )


def test_an_exclusion_of_a_measure_that_is_not_there_is_a_finding() -> None:
    scorecard = scored(a_policy(COUNTS), a_world(*counted(1), exclusion("x", measures=["b"])))

    assert [(f.code, f.record, f.pointer) for f in scorecard.findings] == [
        ("unknown-reference", "AssessmentExclusion/x", "/spec/measures/0")
    ]


# --- ranks, bands, shares

FORCED = (
    "period: month\nrank: true\nbands:\n"
    "  - {name: top, size: 20%, multiplier: 1.5}\n"
    "  - {name: middle, size: 70%, multiplier: 1}\n"
    "  - {name: bottom, size: 10%, multiplier: 0.5}"
)
SIZES = {"top": 0.2, "middle": 0.7, "bottom": 0.1}
MULTIPLIERS = {"top": 1.5, "middle": 1.0, "bottom": 0.5}


@settings(max_examples=25)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.randoms())
def test_forced_bands_and_shares_agree_with_a_naive_computation_in_any_order(numbers: list[int], chance: Any) -> None:
    units = [f"u{n:02d}" for n in range(len(numbers))]
    entities = [unit(name) for name in units]
    entities += [e for name, number in zip(units, numbers, strict=True) for e in counted(number, where=name)]
    chance.shuffle(entities)
    scorecard = scored(FORCED_POLICY, a_world(*entities))

    in_order = sorted(units, key=lambda name: (-numbers[units.index(name)], name))
    sizes = {band: math.floor(len(units) * share + 1e-9) for band, share in SIZES.items()}
    while sum(sizes.values()) < len(units):
        rest = {band: round(len(units) * SIZES[band] - sizes[band], 6) for band in sizes}
        sizes[max(rest, key=lambda band: rest[band])] += 1  # The first of equals: the earlier band.
    bands = [band for band, size in sizes.items() for _ in range(size)]
    whole = sum(MULTIPLIERS[band] for band in bands)
    found = results(scorecard)
    assert {name: (rank, band) for name, (rank, band, _) in found.items()} == {
        name: (place, band) for place, (name, band) in enumerate(zip(in_order, bands, strict=True), start=1)
    }
    assert round(sum(share for _, _, share in found.values()), 9) == 1
    assert all(abs(share - MULTIPLIERS[band] / whole) < 1e-6 for _, band, share in found.values())


FORCED_POLICY = a_policy(COUNTS, head=FORCED)


def test_peers_are_ranked_among_themselves_and_one_without_a_group_is_told() -> None:
    head = "period: month\nrank: {within: subject.function}"
    world = a_world(
        *(unit(name, function="monitoring") for name in ("m1", "m2")),
        *(unit(name, function="customer_response") for name in ("c1", "c2")),
        *(e for n, name in enumerate(("m1", "m2", "c1", "c2", "east")) for e in counted(n, where=name)),
    )

    scorecard = scored(a_policy(COUNTS, head=head), world)

    assert {name: rank for name, (rank, _, _) in results(scorecard).items()} == {
        "m1": 2,
        "m2": 1,
        "c1": 2,
        "c2": 1,
        "east": None,
    }
    assert [(f.code, f.pointer) for f in scorecard.findings] == [("subject-without-group", "/spec/rank/within")]


def test_those_whom_only_the_name_tells_apart_are_told() -> None:
    scorecard = scored(FORCED_POLICY, a_world(*counted(3), *counted(3, where="west")))

    assert {name: rank for name, (rank, _, _) in results(scorecard).items()} == {"east": 1, "west": 2}
    assert [(f.code, f.severity) for f in scorecard.findings] == [("rank-by-name", "info")]
    assert "OrganizationUnit/east, OrganizationUnit/west" in scorecard.findings[0].message


@pytest.mark.parametrize(("places", "bands"), [("0", "rrr"), ("2", "ssr"), ("9", "sss"), ("counted", "srr")])
def test_the_best_are_selected_within_the_places(places: str, bands: str) -> None:
    if places == "counted":
        places = "{type: sum, over: KeyCustomerSelection, during: fact.period, value: fact.capacity.engineersAvailable}"
    head = f"period: month\nrank: true\nbands:\n  - {{name: s, places: {places}}}\n  - {{name: r}}"
    rounds = [
        fact("KeyCustomerSelection", "now", period="2026-10", capacity={"engineersAvailable": 1}),
        fact("KeyCustomerSelection", "then", period="2026-09", capacity={"engineersAvailable": 5}),
    ]
    numbers = {"east": 9, "idle": 5, "west": 7}
    world = a_world(*rounds, *(e for name, n in numbers.items() for e in counted(n, where=name)))

    scorecard = scored(a_policy(COUNTS, head=head), world)

    found = results(scorecard)
    assert "".join(found[name][1] for name in ("east", "west", "idle")) == bands
    if places.startswith("{"):
        assert [f.ref for f in scorecard.places["s"].facts] == ["KeyCustomerSelection/now"]


def test_bands_that_do_not_make_up_the_whole_are_a_finding_and_no_bands() -> None:
    scorecard = scored(a_policy(COUNTS, head=FORCED.replace("70%", "60%")), a_world(*counted(1)))

    assert [(f.code, f.severity, f.pointer) for f in scorecard.findings] == [("policy-invalid", "error", "/spec/bands")]
    assert results(scorecard) == {"east": (1, None, None)}


BANDS = "period: month\nrank: true\nbands:\n"
MISTAKES = {
    "bands without a rank": (FORCED.replace("rank: true\n", ""), COUNTS, "/spec/bands"),
    "a band of both kinds": (BANDS + "  - {name: s, size: 20%, places: 1}\n  - {name: r}", COUNTS, "/spec/bands/0"),
    "a first band with the rest": (BANDS + "  - {name: s}\n  - {name: r, places: 1}", COUNTS, "/spec/bands/0"),
    "sizes beside places": (BANDS + "  - {name: s, size: 20%}\n  - {name: r, places: 1}", COUNTS, "/spec/bands"),
    "one multiplier only": (BANDS + "  - {name: s, places: 1, multiplier: 2}\n  - {name: r}", COUNTS, "/spec/bands"),
    "two bands of one name": (BANDS + "  - {name: s, places: 1}\n  - {name: s}", COUNTS, "/spec/bands/1/name"),
    "a part that is not there": ("period: month", COUNTS[:-1] + ", part: x}", "/spec/measures/0/part"),
    "a score in no part": ("period: month\nparts: [{name: x, weight: 1}]", COUNTS, "/spec/measures/0"),
    "a percentile of nothing": ("period: month", COUNTS.replace("sum", "percentile"), "/spec/measures/0"),
    "a table without rows": ("period: month", COUNTS.replace("kind: value", "kind: table"), "/spec/measures/0/score"),
    "a score that is deducted": ("period: month", COUNTS[:-1] + ", deduct: 1}", "/spec/measures/0/deduct"),
    "an instant and a period": ("period: month", COUNTS[:-1] + ", during: fact.orderType}", "/spec/measures/0/during"),
    "days late of nothing": ("period: month", f"{{name: a, type: days_late, {BASE}}}", "/spec/measures/0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_contradiction_is_found_where_it_was_written(mistake: str) -> None:
    head, measure, pointer = MISTAKES[mistake]

    made, findings = compiled(policy_record(measure, head=head), a_world())

    assert made is None
    assert ("policy-invalid", pointer) in [(f.code, f.pointer) for f in findings], findings
