"""The demonstration's feeds: the same every time, large enough, and wrong only where they mean to be."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from remit.demo_feed import NOW, Feeds, demo_feeds
from remit.evaluating import Loaded, decide, feeds_of, in_force, load
from remit.pack import pack_files
from remit.store import Files
from remit.yamltext import Edit, edit


@pytest.fixture(scope="module")
def feeds() -> Feeds:
    return demo_feeds()


@pytest.fixture(scope="module")
def loaded(feeds: Feeds, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """The example with the demonstration's feeds."""
    root = tmp_path_factory.mktemp("demo")
    (root / "feeds").mkdir()
    for name, data in feeds.files.items():
        (root / "feeds" / name).write_bytes(data)
    blobs = dict(pack_files())
    blobs["remit.yaml"] = edit(blobs["remit.yaml"], [Edit(("sources",), [dict(one) for one in feeds.sources])])
    files = Files(None, None, blobs)
    return load(files, feeds_of(files, Path(root), [], None))


def test_one_seed_gives_the_same_bytes_and_another_other_ones(feeds: Feeds) -> None:
    assert demo_feeds() == feeds
    assert demo_feeds(7).files["tickets.jsonl"] != feeds.files["tickets.jsonl"]


def test_the_feeds_are_large_enough_and_end_now(feeds: Feeds) -> None:
    rows = [json.loads(line) for line in feeds.files["tickets.jsonl"].splitlines() if line.endswith(b"}")]
    tickets = [row for row in rows if row["kind"] == "TroubleTicket"]

    assert len(tickets) >= 200
    assert len({row["id"] for row in rows}) == len(rows)
    assert max(row["acceptedAt"] for row in tickets) < NOW.isoformat()
    assert min(row["acceptedAt"] for row in tickets) < "2026-09-02"
    assert feeds.files["orders.csv"].count(b"\n") - 1 >= 60


def test_three_rows_are_refused_and_named_with_their_lines(loaded: Loaded) -> None:
    errors = [(str(f.place), f.code) for f in loaded.findings if f.severity == "error"]

    assert errors == [
        ("feeds/orders.csv:42", "row-reference"),
        ("feeds/tickets.jsonl:61", "row-reference"),
        ("feeds/tickets.jsonl:151:91", "bad-row"),
    ]
    assert sum(report.rejected for report in loaded.reports) == 3


def test_what_is_burning_is_found_and_what_is_suspended_is_not(loaded: Loaded) -> None:
    decisions = list(in_force(decide(loaded, None, NOW, read_at=NOW), NOW))
    ladder = {(d.level, d.subject) for d in decisions if d.policy == "fault-handling"}

    assert ("vice-president", "TroubleTicket/lh-20261015-001") in ladder
    assert ("director", "TroubleTicket/lh-20261015-002") in ladder
    assert not [subject for _, subject in ladder if subject == "TroubleTicket/lh-20261015-005"]
    assert len(decisions) < 80, "a duty engineer cannot read a flood"


def test_the_next_hours_bring_something(loaded: Loaded) -> None:
    coming = decide(loaded, NOW, NOW + timedelta(hours=4)).decisions

    assert any(d.subject == "TroubleTicket/lh-20261015-002" and d.level == "vice-president" for d in coming)
