"""Thursday 15 October 2026 in the Linhai branch: four faults and a late report, told as it happened.

The feed is written anew for each moment with no more than was known then, and read over the repository's own store. So
the day is told twice: live, moment by moment, and in the evening from the whole feed. Both must tell the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from remit.decisions import Decision
from remit.evaluating import Loaded, decide, in_force, load
from remit.sources import SourceContext
from remit.store import Store
from remit.times import parse_instant

STORE = Path(__file__).parents[1]

FLOW = frozenset(
    {
        "fault-handling",
        "ticket-dispatch",
        "ticket-signing",
        "ticket-acceptance",
        "ticket-contact-feedback",
        "ticket-progress",
        "ticket-response-window",
        "ticket-completion",
        "repair-limit",
        "restoration-confirmation",
        "fault-report",
        "suspension-review",
    }
)
"""The timers of the common fault flow (domain 4.10 and 5.4): the only rules of the store that the story is about."""


def clock(time: str) -> str:
    """``10:36`` of the day, or ``13T14:00`` of another day of the month, as an instant."""
    day, _, minute = time.rpartition("T")
    return f"2026-10-{day or '15'}T{minute}:00+08:00"


def at(time: str) -> datetime:
    return parse_instant(clock(time))


def notes(**texts: str) -> list[dict[str, str]]:
    return [{"at": clock(f"{key[1:3]}:{key[3:]}"), "by": "xu-ning", "text": text} for key, text in texts.items()]


def reviewed(by: str, time: str) -> dict[str, str]:
    return {"by": by, "at": clock(time), "result": "passed"}


def row(kind: str, name: str, times: dict[str, str], **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "id": name, **fields, **{field: clock(time) for field, time in times.items()}}


THE_DAY: list[dict[str, Any]] = [
    # A road digger cuts the wharf branch's cable. The contract gives two hours; one of the day's hours does not count,
    # because the bank does not let the crew into its street cabinet.
    row(
        "TroubleTicket",
        "cable",
        {
            "acceptedAt": "08:00",
            "dispatchedAt": "08:07",
            "arrivedAtBranch": "08:07",
            "signedAt": "08:11",
            "dispatchedToFieldAt": "08:14",
            "fieldAcceptedAt": "08:25",
            "contactFeedbackAt": "08:27",
            "repairedAt": "12:10",
            "restorationConfirmedAt": "12:30",
            "returnedAt": "12:40",
        },
        customer="harbour-bank",
        service="hb-wharf-mpls",
        ticketType="interruption",
        localFault=True,
        unit="linhai-crc",
        suspensions=["cable-1"],
        progress=notes(
            _0835="外线赶往滨海大道",
            _0900="交接箱测试，断点在施工段",
            _1035="开始接续",
            _1100="接续过半",
            _1135="测试光功率",
            _1200="业务倒回",
            _1212="恢复，等待确认",
        ),
    ),
    row(
        "Suspension",
        "cable-1",
        {"startedAt": "09:20", "resumedAt": "10:20"},
        ticket="cable",
        reason="access_refused",
        unit="linhai-crc",
        localUserConsent={"given": True, "by": "罗经理", "at": clock("09:10")},
        monitoringReview=reviewed("song-wei", "09:14"),
        customerServiceReview=reviewed("jin-hui", "09:18"),
    ),
    # The port's cameras go dark: everything is a little late, the answer to the customer most of all.
    row(
        "TroubleTicket",
        "cameras",
        {
            "acceptedAt": "09:30",
            "dispatchedAt": "09:50",
            "arrivedAtBranch": "09:50",
            "signedAt": "09:57",
            "dispatchedToFieldAt": "10:00",
            "fieldAcceptedAt": "10:15",
            "contactFeedbackAt": "10:20",
            "repairedAt": "11:00",
            "restorationConfirmedAt": "11:10",
            "returnedAt": "11:20",
        },
        customer="linhai-port-group",
        service="port-berth-global-eye",
        ticketType="interruption",
        suspensions=[],
        progress=notes(_1025="视频交换机掉电", _1050="更换电源模块"),
    ),
    # A small customer's line: signed late, accepted late, and suspended with half of the reviews.
    row(
        "TroubleTicket",
        "line",
        {
            "acceptedAt": "13:00",
            "dispatchedAt": "13:05",
            "signedAt": "13:20",
            "dispatchedToFieldAt": "13:22",
            "contactFeedbackAt": "13:30",
            "fieldAcceptedAt": "13:40",
            "repairedAt": "14:20",
            "restorationConfirmedAt": "14:30",
            "returnedAt": "14:35",
        },
        customer="sunrise-trading",
        service="sunrise-xdsl",
        ticketType="interruption",
        suspensions=["line-1"],
        progress=notes(_1345="用户不在家", _1405="用户回家，进场测试"),
    ),
    row(
        "Suspension",
        "line-1",
        {"startedAt": "13:46", "resumedAt": "14:05"},
        ticket="line",
        reason="customer_unavailable",
        monitoringReview=reviewed("song-wei", "13:45"),
    ),
    # Tuesday's fault was handled well; its report is late.
    row(
        "TroubleTicket",
        "tuesday",
        {
            "acceptedAt": "13T13:00",
            "dispatchedAt": "13T13:05",
            "signedAt": "13T13:08",
            "dispatchedToFieldAt": "13T13:10",
            "fieldAcceptedAt": "13T13:15",
            "contactFeedbackAt": "13T13:20",
            "repairedAt": "13T14:00",
            "restorationConfirmedAt": "13T14:05",
            "returnedAt": "13T14:06",
        },
        customer="eastgate-steel",
        service="eastgate-ddn",
        ticketType="interruption",
        progress=[{"at": clock("13T13:37"), "by": "xu-ning", "text": "更换接口板"}],
    ),
    row("FaultReport", "tuesday-report", {"submittedAt": "15:30"}, ticket="tuesday", customer="eastgate-steel"),
]

DESKS = ["jin-hui", "wei-dong", "xia-yu", "yao-li"]
REVIEWERS = ["jin-hui", "song-wei", "xu-ning", "yao-li"]
FIELD = ["feng-gang", "zhu-tao"]

Line = tuple[str, str, str, list[str]]
"""When, which record, what is said of it, and who is told."""

MOMENTS: list[tuple[str, list[Line], list[Line]]] = [
    # At 09:40 the cable ticket is suspended; its clocks rest, so 40 minutes without a note are not told of.
    ("09:40", [], []),
    # At 10:16 the cameras have been dispatched and signed, both late, and the customer still waits for a call.
    (
        "10:16",
        [
            ("09:45", "cameras", "ticket-dispatch/overdue", ["wei-dong", "xia-yu"]),
            ("09:55", "cameras", "ticket-signing/due", ["xu-ning"]),
            ("10:00", "cameras", "ticket-response-window/response", ["wei-dong", "xia-yu"]),
            ("10:15", "cameras", "ticket-contact-feedback/overdue", ["xu-ning"]),
        ],
        [
            ("10:00", "cameras", "ticket-response-window/response", ["wei-dong", "xia-yu"]),
            ("10:15", "cameras", "ticket-contact-feedback/overdue", ["xu-ning"]),
        ],
    ),
    # At 11:00 the cable has used its two hours (80 minutes before the suspension, 40 after it). The clock of notes ran
    # out at 10:30: 20 minutes before the suspension, 10 after.
    (
        "11:00",
        [
            ("10:30", "cable", "ticket-progress/overdue", ["xu-ning"]),
            ("10:36", "cable", "repair-limit/near", FIELD),
            ("11:00", "cable", "fault-handling/director", ["liu-fang"]),
            ("11:00", "cable", "repair-limit/passed", ["liu-fang", "tian-ye"]),
        ],
        [
            ("10:36", "cable", "repair-limit/near", FIELD),
            ("11:00", "cable", "fault-handling/director", ["liu-fang"]),
            ("11:00", "cable", "repair-limit/passed", ["liu-fang", "tian-ye"]),
        ],
    ),
    # At 12:27 the cable is repaired (the vice-president heard of it ten minutes before) and waits for confirmation.
    (
        "12:27",
        [
            ("11:30", "cable", "ticket-progress/overdue", ["xu-ning"]),
            ("12:00", "cable", "fault-handling/vice-president", ["lin-jianguo"]),
            ("12:25", "cable", "restoration-confirmation/overdue", DESKS),
        ],
        [("12:25", "cable", "restoration-confirmation/overdue", DESKS)],
    ),
    # At 14:01 the line is suspended wrongly, and the report on Tuesday's fault was due a minute ago.
    (
        "14:01",
        [
            ("13:10", "line", "ticket-signing/due", ["xu-ning"]),
            ("13:15", "line", "ticket-signing/overdue", ["liu-fang"]),
            ("13:35", "line", "ticket-acceptance/overdue", FIELD),
            ("13:46", "line-1", "suspension-review/unreviewed", REVIEWERS),
            ("14:00", "tuesday-report", "fault-report/overdue", ["tian-ye"]),
        ],
        [
            ("13:46", "line-1", "suspension-review/unreviewed", REVIEWERS),
            ("14:00", "tuesday-report", "fault-report/overdue", ["tian-ye"]),
        ],
    ),
]

MORNING = parse_instant("2026-10-15T06:00:00+08:00")
EVENING = "20:00"


# --- what is known when ----------------------------------------------------------------------------------------------


def known(rows: list[dict[str, Any]], moment: datetime) -> Iterator[dict[str, Any]]:
    """The rows as somebody would have read them at ``moment``: nothing of what was still to come."""
    rows = [one for one in rows if begun(one, moment)]
    there = {one["id"] for one in rows}
    for one in rows:
        past = {key: value for key, value in one.items() if not (key.endswith("At") and parse_instant(value) > moment)}
        if "progress" in past:
            past["progress"] = [note for note in past["progress"] if parse_instant(note["at"]) <= moment]
        if "suspensions" in past:
            past["suspensions"] = [name for name in past["suspensions"] if name in there]
        if one["kind"] == "Suspension":
            past["status"] = "resumed" if "resumedAt" in past else "active"
        yield past


def begun(one: dict[str, Any], moment: datetime) -> bool:
    start = one.get("acceptedAt") or one.get("startedAt")
    return start is None or parse_instant(start) <= moment


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Loaded]:
    """The repository's own store, of its rules only those of the flow, with each moment's feed, every row let in."""
    everything = Store.open(STORE).files()
    kept = {p: data for p, data in everything.blobs.items() if not p.startswith("rules/") or Path(p).stem in FLOW}
    files = replace(everything, blobs=kept)
    read = {}
    for time in (*(moment for moment, _, _ in MOMENTS), EVENING):
        feed = tmp_path_factory.mktemp("feeds") / "day.jsonl"
        feed.write_text(
            "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in known(THE_DAY, at(time))), encoding="utf-8"
        )
        read[time] = load(files, [SourceContext(str(feed))])
        assert [f.message for f in read[time].findings] == []
    return read


def ours(decisions: list[Decision]) -> list[Decision]:
    names = {one["id"] for one in THE_DAY}
    return [d for d in decisions if d.subject_name in names]


def lines(decisions: list[Decision]) -> list[Line]:
    return sorted((f"{d.at:%H:%M}", d.subject_name, f"{d.policy}/{d.level}", told(d)) for d in decisions if d.at)


def told(decision: Decision) -> list[str]:
    return sorted(t.person for t in decision.notify)


# --- the story -------------------------------------------------------------------------------------------------------


def test_a_day_of_faults_tells_the_right_people_at_each_moment(day: dict[str, Loaded]) -> None:
    before = MORNING

    for time, new, standing in MOMENTS:
        since = decide(day[time], before, at(time))
        whole = decide(day[time], None, at(time))

        assert lines(ours(since.decisions)) == new, f"told between {before:%H:%M} and {time}"
        assert lines(ours(list(in_force(whole, at(time))))) == standing, f"in force at {time}"
        before = at(time)


def test_the_evening_tells_of_the_day_what_the_day_told_itself(day: dict[str, Loaded]) -> None:
    live: dict[str, Line] = {}
    before = MORNING
    for time, loaded in day.items():
        found = decide(loaded, before, at(time))
        live |= {d.id: line for d in ours(found.decisions) for line in lines([d])}
        before = at(time)

    evening = decide(day[EVENING], MORNING, at(EVENING))

    assert {d.id: line for d in ours(evening.decisions) for line in lines([d])} == live
    assert ours(list(in_force(evening, at(EVENING)))) == []


def test_nobody_on_leave_is_told_and_everything_told_reaches_somebody(day: dict[str, Loaded]) -> None:
    evening = ours(decide(day[EVENING], MORNING, at(EVENING)).decisions)

    assert len(evening) == sum(len(new) for _, new, _ in MOMENTS)
    assert all(d.notify for d in evening)
    assert not {"cao-rui", "pan-xin"} & {person for d in evening for person in told(d)}
    assert all(d.message["zh"] and d.message["en"] for d in evening)


def test_the_suspension_shows_in_the_clock_that_it_held(day: dict[str, Loaded]) -> None:
    found = decide(day["11:00"], None, at("11:00"), read_at=at("11:00"))
    passed = next(d for d in ours(found.decisions) if d.policy == "repair-limit" and d.level == "passed")

    assert passed.clock is not None
    assert passed.term == "ServiceTerm/hb-2026-repair"
    assert passed.clock.elapsed_seconds == 2 * 60 * 60
    assert [(f"{s.start:%H:%M}", f"{s.end:%H:%M}", s.counted) for s in passed.clock.segments] == [
        ("08:00", "09:20", True),
        ("09:20", "10:20", False),
        ("10:20", "11:00", True),
    ]
    assert "cable-1" in passed.clock.segments[1].reason
