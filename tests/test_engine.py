"""A policy over subjects gives dated decisions: at the right instant, for the right people, with the reasons."""

from __future__ import annotations

import json
from typing import Any

import pytest
from worlds import record_text, small_world

from remit.decisions import Decision
from remit.engine import Rulebook, timeline
from remit.evaluating import Loaded, decide
from remit.policies.clocking import Window
from remit.times import parse_instant

OPENED = "2026-10-15T09:00:00+08:00"


def policy(levels: list[dict[str, Any]], **spec: Any) -> dict[str, bytes]:
    body = {"subject": "Ticket", "levels": levels, **spec}
    return {"rules/warning/p.yaml": record_text("WarningPolicy", "p", body, ["WRN-01"])}


CLOCK = {"start": "subject.openedAt", "stop": "subject.closedAt"}
TOLD = [{"role": "ceA", "of": "subject.customer"}]


def decided(files: dict[str, bytes], tickets: dict[str, Any], at: str, start: str | None = None) -> list[Decision]:
    loaded = small_world(files, tickets)
    found = decide(loaded, parse_instant(start) if start else None, parse_instant(at))
    assert not found.findings, found.findings
    if start is None:
        return [d for d in found.decisions if d.in_force(parse_instant(at))]
    return found.decisions


def ticket(**spec: Any) -> dict[str, Any]:
    return {"t1": {"customer": "bank", "openedAt": OPENED, **spec}}


@pytest.mark.parametrize(
    ("at", "levels"),
    [
        ("2026-10-15T08:59:59+08:00", []),
        ("2026-10-15T09:59:59+08:00", []),
        ("2026-10-15T10:00:00+08:00", ["hour"]),
        ("2026-10-15T02:00:00Z", ["hour"]),
        ("2026-10-15T11:00:00+08:00", ["hour", "two"]),
    ],
)
def test_a_level_is_in_force_from_the_instant_its_time_is_reached(at: str, levels: list[str]) -> None:
    files = policy([{"name": "hour", "after": "1h"}, {"name": "two", "after": "2h"}], clock=CLOCK)

    assert [d.level for d in decided(files, ticket(), at)] == levels


def test_a_clock_that_stops_at_the_very_instant_makes_no_decision() -> None:
    files = policy([{"name": "hour", "after": "1h"}], clock=CLOCK)

    closed = ticket(closedAt="2026-10-15T10:00:00+08:00")
    late = ticket(closedAt="2026-10-15T10:00:01+08:00")

    assert decided(files, closed, "2026-10-15T12:00:00+08:00", OPENED) == []
    assert [d.level for d in decided(files, late, "2026-10-15T12:00:00+08:00", OPENED)] == ["hour"]
    assert decided(files, late, "2026-10-15T12:00:00+08:00") == []


def test_a_clock_without_its_start_never_begins() -> None:
    files = policy([{"name": "late", "after": "1h"}], clock={"start": "subject.closedAt"})

    assert decided(files, ticket(), "2027-10-15T12:00:00+08:00") == []


def test_replay_takes_the_end_and_leaves_out_the_start() -> None:
    files = policy([{"name": "hour", "after": "1h"}], clock=CLOCK)
    ten, eleven = "2026-10-15T10:00:00+08:00", "2026-10-15T11:00:00+08:00"

    assert [d.level for d in decided(files, ticket(), ten, OPENED)] == ["hour"]
    assert decided(files, ticket(), eleven, ten) == []


def test_a_repeat_replaces_the_time_before_and_has_its_own_id() -> None:
    files = policy([{"name": "again", "after": "1h", "every": "30m"}], clock=CLOCK)

    came = decided(files, ticket(), "2026-10-15T11:00:00+08:00", OPENED)
    stands = decided(files, ticket(), "2026-10-15T10:59:00+08:00")

    assert [d.at.isoformat()[11:16] for d in came if d.at] == ["10:00", "10:30", "11:00"]
    assert len({d.id for d in came}) == 3
    assert [d.at.isoformat()[11:16] for d in stands if d.at] == ["10:30"]


def test_notes_restart_a_clock_and_each_gap_is_judged_by_itself() -> None:
    files = policy(
        [{"name": "silent", "after": "30m"}],
        clock={**CLOCK, "restarts": "subject.notes.map(n, n.at)"},
    )
    notes = [{"at": f"2026-10-15T{time}:00+08:00"} for time in ("09:20", "10:00", "10:10")]

    came = decided(files, ticket(notes=notes), "2026-10-15T10:30:00+08:00", OPENED)

    assert [d.at.isoformat()[11:16] for d in came if d.at] == ["09:50"]


def test_levels_count_back_from_a_due_time_and_past_it() -> None:
    files = policy(
        [{"name": "soon", "before": "1h"}, {"name": "overdue", "past": "0s"}],
        clock={**CLOCK, "due": "subject.openedAt + duration('3h')"},
    )

    came = decided(files, ticket(), "2026-10-15T13:00:00+08:00", "2026-10-15T00:00:00+08:00")

    assert [(d.level, d.at.isoformat()[11:16] if d.at else "") for d in came] == [
        ("soon", "11:00"),
        ("overdue", "12:00"),
    ]


def test_a_standing_condition_is_dated_when_asked_and_is_no_crossing() -> None:
    files = policy([{"name": "open"}], when="!has(subject.closedAt)")
    at = parse_instant("2026-10-20T00:00:00+08:00")

    (one,) = decided(files, ticket(), "2026-10-20T00:00:00+08:00")

    assert one.at is None
    assert one.to_json(at)["at"] == "2026-10-20T00:00:00+08:00"


def test_the_reasons_name_every_part_of_the_condition_with_its_values() -> None:
    files = policy(
        [{"name": "open"}],
        when="subject.customer.grade == 'group' && has(subject.count) && subject.count > 3",
    )

    (one,) = decided(files, ticket(count=5), "2026-10-20T00:00:00+08:00")

    assert [(r.condition, r.holds, r.values) for r in one.because] == [
        ('subject.customer.grade == "group"', True, {"subject.customer.grade": "group"}),
        ("has(subject.count)", True, {"subject.count": 5}),
        ("subject.count > 3", True, {"subject.count": 5}),
    ]


LEAVE = {"from": "2026-10-15T00:00:00+08:00", "to": "2026-10-16T00:00:00+08:00"}


@pytest.mark.parametrize(
    ("at", "person", "steps"),
    [
        ("2026-10-14T10:00:00+08:00", "ann", 1),
        ("2026-10-15T10:00:00+08:00", "bob", 3),
        ("2026-10-16T10:00:00+08:00", "ann", 1),
    ],
)
def test_who_is_away_is_passed_over_and_the_way_is_shown(at: str, person: str, steps: int) -> None:
    away = {"contact": {"email": "ann@example.invalid"}, "leave": [LEAVE]}
    files = policy([{"name": "open", "notify": TOLD}]) | {
        "records/persons/ann.yaml": record_text("Person", "ann", away)
    }

    (one,) = decided(files, ticket(), at)

    assert [t.person for t in one.notify] == [person]
    assert len(one.notify[0].path) >= steps - 1
    assert person in one.notify[0].path[-1]


def test_a_decision_keeps_its_id_when_nothing_but_the_question_changes() -> None:
    files = policy([{"name": "hour", "after": "1h"}], clock=CLOCK)

    early = decided(files, ticket(), "2026-10-15T10:00:00+08:00")
    later = decided(files, ticket(), "2026-10-17T10:00:00+08:00")
    reopened = decided(files, ticket(openedAt="2026-10-15T09:00:01+08:00"), "2026-10-17T10:00:00+08:00")

    assert early[0].id == later[0].id != reopened[0].id


def test_the_same_question_gives_the_same_bytes_in_any_order_of_facts() -> None:
    files = policy([{"name": "hour", "after": "1h", "notify": TOLD}], clock=CLOCK, when="subject.customer.grade != 'x'")
    files["rules/warning/p.yaml"] = files["rules/warning/p.yaml"].replace(b"'x'", b"'local'")
    tickets = {f"t{i}": {"customer": "bank", "openedAt": OPENED} for i in range(20)}
    at = parse_instant("2026-10-15T12:00:00+08:00")

    def text(order: list[str]) -> str:
        found = decide(small_world(files, {name: tickets[name] for name in order}), None, at, read_at=at)
        return json.dumps([d.to_json(at) for d in found.decisions], ensure_ascii=False)

    assert text(sorted(tickets)) == text(sorted(tickets, reverse=True))


def test_many_policies_are_decided_in_as_many_sessions_as_the_engine_needs() -> None:
    files = {}
    for i in range(120):
        spec = {"subject": "Ticket", "when": f"has(subject.count) && subject.count > {i}", "levels": [{"name": "x"}]}
        files[f"rules/warning/p{i}.yaml"] = record_text("WarningPolicy", f"p{i}", spec)

    loaded: Loaded = small_world(files, ticket(count=60))
    rulebook = Rulebook(loaded.policies.watches, loaded.compiler)
    try:
        end = parse_instant("2026-10-15T12:00:00+08:00")
        found = timeline(rulebook, loaded.world, Window(None, end), loaded.wording)
    finally:
        rulebook.close()

    assert {d.policy for d in found.decisions} == {f"p{i}" for i in range(60)}


def test_a_misspelt_template_name_is_an_error_and_never_an_empty_word() -> None:
    files = policy([{"name": "open", "message": {"en": "{{ custmer }}", "zh": "x"}}])

    with pytest.raises(Exception, match="custmer"):
        decided(files, ticket(), "2026-10-15T12:00:00+08:00")


# --- chains ----------------------------------------------------------------------------------------------------------


def chained(**second: Any) -> dict[str, bytes]:
    first = {"subject": "Ticket", "clock": CLOCK, "levels": [{"name": "hour", "after": "1h"}]}
    spec = {
        "subject": "Customer",
        "with": {"late": {"decisions": "first/hour", "by": "customer"}},
        "clock": {"reached": {"count": 2, "of": "late.map(d, d.at)", "within": "30d"}, "lasts": "10d"},
        "levels": [{"name": "crisis", "notify": [{"role": "ceA", "of": "subject"}]}],
        **second,
    }
    return {
        "rules/warning/first.yaml": record_text("WarningPolicy", "first", first),
        "rules/warning/second.yaml": record_text("WarningPolicy", "second", spec),
    }


def opened_on(*days: str) -> dict[str, Any]:
    return {f"t{i}": {"customer": "bank", "openedAt": f"{day}T09:00:00+08:00"} for i, day in enumerate(days, start=1)}


def crises(tickets: dict[str, Any], at: str = "2026-12-31T00:00:00+08:00", **second: Any) -> list[Decision]:
    came = decided(chained(**second), tickets, at, "2026-01-01T00:00:00+08:00")
    return [d for d in came if d.policy == "second"]


def test_a_policy_reacts_to_the_decisions_of_another_at_the_instant_they_add_up() -> None:
    (one,) = crises(opened_on("2026-10-01", "2026-10-20"))

    assert one.at is not None and one.at.isoformat() == "2026-10-20T10:00:00+08:00"
    assert one.subject == "Customer/bank"
    assert [t.person for t in one.notify] == ["ann"]


def test_the_chain_is_shown_among_the_reasons() -> None:
    tickets = opened_on("2026-10-01", "2026-10-20")
    came = decided(chained(), tickets, "2026-12-31T00:00:00+08:00", "2026-10-01T00:00:00+08:00")
    crisis = next(d for d in came if d.policy == "second")
    first = {d.id for d in came if d.policy == "first"}

    (reason,) = [r for r in crisis.because if r.condition == "decisions of first/hour"]

    assert reason.holds and len(reason.values["late"]) == 2
    assert first == set(reason.values["late"])


@pytest.mark.parametrize(
    ("days", "starts"),
    [
        (["2026-10-01"], []),
        (["2026-10-01", "2026-11-15"], []),
        (["2026-10-01", "2026-10-31"], ["2026-10-31"]),
        (["2026-10-01", "2026-11-01"], []),
        (["2026-10-01", "2026-10-02", "2026-10-03"], ["2026-10-02"]),
        (["2026-03-01", "2026-03-02", "2026-10-01", "2026-10-02"], ["2026-03-02", "2026-10-02"]),
    ],
)
def test_a_count_is_reached_anew_only_after_it_was_not(days: list[str], starts: list[str]) -> None:
    assert [d.at.isoformat()[:10] for d in crises(opened_on(*days)) if d.at] == starts


def test_a_clock_with_a_span_of_its_own_stops_by_itself() -> None:
    tickets = opened_on("2026-10-01", "2026-10-20")

    during = decided(chained(), tickets, "2026-10-30T09:59:59+08:00")
    after = decided(chained(), tickets, "2026-10-30T10:00:00+08:00")

    assert "second" in {d.policy for d in during}
    assert "second" not in {d.policy for d in after}


def trouble(files: dict[str, bytes]) -> list[tuple[str, str]]:
    return [(f.code, f.record) for f in small_world(files).policies.findings]


def test_policies_that_react_to_each_other_in_a_circle_are_found() -> None:
    files = chained()
    loop = {
        "subject": "Ticket",
        "with": {"x": {"decisions": "second", "by": "id"}},
        "when": "x.exists(d, d.level == 'crisis')",
        "levels": [{"name": "hour"}],
    }
    files["rules/warning/first.yaml"] = record_text("WarningPolicy", "first", loop)

    assert trouble(files) == [("policy-cycle", "WarningPolicy/first"), ("policy-cycle", "WarningPolicy/second")]


@pytest.mark.parametrize("decisions", ["frist", "first/huor"])
def test_a_policy_that_reacts_to_nothing_there_is_found_with_the_nearest_name(decisions: str) -> None:
    files = chained(**{"with": {"late": {"decisions": decisions, "by": "customer"}}})

    (one,) = small_world(files).policies.findings

    assert one.code == "policy-invalid"
    assert "first" in one.hint or "hour" in one.hint


def test_records_can_be_joined_on_another_value_than_the_subjects_name() -> None:
    files = policy(
        [{"name": "again"}],
        **{"with": {"others": {"kind": "Ticket", "by": "text", "on": "subject.text"}}},
        when="others.exists(o, o.id != subject.id && o.openedAt < subject.openedAt)",
    )
    tickets = {
        "t1": {"customer": "bank", "openedAt": OPENED, "text": "loose port"},
        "t2": {"customer": "bank", "openedAt": "2026-10-16T09:00:00+08:00", "text": "loose port"},
        "t3": {"customer": "bank", "openedAt": "2026-10-17T09:00:00+08:00", "text": "other"},
    }

    assert [d.subject for d in decided(files, tickets, "2026-10-18T00:00:00+08:00")] == ["Ticket/t2"]


# --- reopened, handed over -------------------------------------------------------------------------------------------

REOPENED = {"reopened": {"in": "subject.closures", "from": "at", "to": "until"}}
HANDED = {"handedOver": {"in": "subject.holders", "at": "at", "to": "team"}}


def with_then(rule: dict[str, Any], then: str) -> dict[str, bytes]:
    ((key, body),) = rule.items()
    return policy([{"name": "two", "after": "2h"}], clock={**CLOCK, key: {**body, "then": then}})


CLOSURES = [{"at": "2026-10-15T10:00:00+08:00", "until": "2026-10-15T13:00:00+08:00"}]
HOLDERS = [
    {"at": "2026-10-15T09:00:00+08:00", "team": "data"},
    {"at": "2026-10-15T10:30:00+08:00", "team": "光缆"},
    {"at": "2026-10-15T11:30:00+08:00", "team": "data"},
]


def times(files: dict[str, bytes], **spec: Any) -> list[str]:
    came = decided(files, ticket(**spec), "2026-10-15T23:00:00+08:00", "2026-10-15T00:00:00+08:00")
    return [d.at.isoformat()[11:16] for d in came if d.at]


@pytest.mark.parametrize(("then", "expected"), [("continue", ["14:00"]), ("restart", ["15:00"])])
def test_a_policy_says_what_its_clock_does_when_work_is_reopened(then: str, expected: list[str]) -> None:
    assert times(with_then(REOPENED, then), closures=CLOSURES) == expected


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ("continue", ["11:00"]),
        ("restart", ["13:30"]),
        ("split", ["12:00"]),
    ],
)
def test_a_policy_says_what_its_clock_does_when_work_is_handed_over(then: str, expected: list[str]) -> None:
    assert times(with_then(HANDED, then), holders=HOLDERS) == expected


def test_holders_with_clocks_of_their_own_share_the_time_without_gap_or_overlap() -> None:
    files = with_then(HANDED, "split")
    files["rules/warning/p.yaml"] = files["rules/warning/p.yaml"].replace(b'"2h"', b'"30m"')
    at = parse_instant("2026-10-15T12:30:00+08:00")
    found = decide(small_world(files, ticket(holders=HOLDERS)), None, at, read_at=at)

    held = [d.clock.elapsed_seconds for d in found.decisions if d.clock]

    assert sorted(held) == [3600, 9000]
    assert sum(held) == 3.5 * 3600
    assert len({d.id for d in found.decisions}) == 2


def test_the_reasons_name_the_facts_that_a_condition_reads_as_a_list() -> None:
    spec = {
        "subject": "Customer",
        "with": {"tickets": {"kind": "Ticket", "by": "customer"}},
        "when": "size(tickets) == 1",
        "levels": [{"name": "one", "notify": [{"role": "ceA", "of": "subject"}]}],
    }
    files = {"rules/warning/p.yaml": record_text("WarningPolicy", "p", spec)}
    at = parse_instant("2026-10-15T12:30:00+08:00")

    (found,) = decide(small_world(files, ticket()), None, at).decisions

    assert json.loads(json.dumps(found.to_json(at)))["because"][0]["values"] == {"tickets": ["t1"]}
