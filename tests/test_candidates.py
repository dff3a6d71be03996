"""Facts in memory of which nothing can be said are not asked about; what is answered is as if all were asked."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from test_tables_engine import AT, TICKETS, demo, ticket_rows, varied, world
from worlds import record_text, small_world

from remit.candidates import Passing
from remit.demo_feed import NOW
from remit.engine import Rulebook, Timeline, timeline
from remit.evaluating import Loaded, decide, in_force, load
from remit.policies.clocking import Window
from remit.policies.narrowing import Asked
from remit.sources import SourceContext
from remit.store import Store

__all__ = ["demo"]

WINDOWS = [(None, timedelta(0)), (timedelta(days=-9), timedelta(0)), (timedelta(0), timedelta(days=2))]


def plainly(loaded: Loaded, window: Window) -> Timeline:
    """What the policies say when every subject is asked about."""
    rulebook = Rulebook(loaded.policies.watches, loaded.compiler)
    try:
        return timeline(rulebook, loaded.world, window, loaded.wording, read_at=window.end)
    finally:
        rulebook.close()


@pytest.mark.parametrize("seed", range(2))
def test_a_generated_feed_is_answered_as_if_every_fact_were_asked_about(demo: Path, tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    at = NOW - timedelta(days=dice.randrange(60))
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in varied(ticket_rows(demo), dice, 30)))
    loaded = load(Store.open(demo).files(), [SourceContext(str(tmp_path / "t.jsonl"), "TroubleTicket")])

    for begin, end in WINDOWS:
        window = Window(None if begin is None else at + begin, at + end)
        every = plainly(loaded, window)
        found = decide(loaded, *window, read_at=window.end)
        standing = decide(loaded, None, window.end, read_at=window.end, standing=True)

        assert (found.decisions, found.findings) == (every.decisions, every.findings)
        if begin is None:
            assert list(in_force(standing, at)) == list(in_force(every, at))
            assert standing.findings == every.findings
            assert every.findings and every.decisions


@pytest.mark.parametrize(
    ("spec", "start", "standing", "names"),
    [
        ({}, None, True, ["of-shop", "open"]),
        ({}, None, False, ["closed", "long-closed", "of-shop", "open"]),
        ({}, AT - timedelta(hours=2), False, ["closed", "of-shop", "open"]),
        ({"when": "subject.customer.grade == 'local'"}, None, False, ["of-shop"]),
        ({"clock": {"start": "subject.closedAt"}}, None, False, ["closed", "long-closed"]),
    ],
)
def test_only_what_a_policy_can_speak_of_is_asked_about(
    tmp_path: Path, spec: dict[str, object], start: object, standing: bool, names: list[str]
) -> None:
    loaded = world(tmp_path, TICKETS, spec, engine="python")

    passing = Passing(loaded.world, loaded.compiler)

    assert [one.name for one in passing.of(loaded.policies.watches, Asked(Window(start, AT), standing))] == names


def test_what_no_term_governs_is_asked_about_though_its_clock_is_over() -> None:
    clock = {"start": "subject.openedAt", "stop": "subject.closedAt"}
    body = {"subject": "Ticket", "clock": clock, "levels": [{"name": "l", "after": "term.repairLimit"}]}
    closed = {"customer": "bank", "openedAt": "2026-10-15T08:00:00+08:00", "closedAt": "2026-10-15T09:00:00+08:00"}
    loaded = small_world({"rules/warning/p.yaml": record_text("WarningPolicy", "p", body)}, {"t": closed})

    found = decide(loaded, None, AT, read_at=AT, standing=True)

    assert [one.code for one in found.findings] == ["no-governing-term"]
