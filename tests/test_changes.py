"""Manifests, approvals and commit messages: one canonical text each, read back exactly or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.changes import (
    Approval,
    Message,
    Touched,
    Verdict,
    approval_text,
    co_authors,
    in_order,
    is_governed,
    manifest,
    parse_approval,
    parse_message,
    signed_text,
    with_trailers,
)

texts = st.text(st.characters(codec="utf-8"), max_size=60)
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,30}", fullmatch=True)
oids = st.from_regex(r"[0-9a-f]{40}", fullmatch=True)
zones = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
instants = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=zones)
digests = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
approvals = st.builds(
    Approval, change=names, repository=oids, ref=names.map(lambda name: f"refs/heads/{name}"), base=oids, tree=oids,
    manifest_digest=digests, words=digests, verdict=st.sampled_from(get_args(Verdict)),
    person=names, at=instants, not_after=st.none() | instants, reason=texts, signature=texts,
)  # fmt: skip
touched = st.builds(Touched, texts, st.none() | oids, st.none() | oids)

ONE = Approval(
    change="c-20261015-ab12cd", repository="1" * 40, ref="refs/heads/main", base="2" * 40, tree="3" * 40,
    manifest_digest="4" * 64, words="5" * 64, verdict="approve", person="wang-lei",
    at=datetime(2026, 10, 15, 8, 0, tzinfo=UTC),
    not_after=datetime(2026, 10, 22, 8, 0, tzinfo=UTC), reason="同意\n见附件",
)  # fmt: skip


def test_what_is_signed_is_plain_text_with_the_version_first() -> None:
    assert signed_text(ONE).decode().split("\n") == [
        "remit-approval-v1",
        "repository: " + "1" * 40,
        "ref: refs/heads/main",
        "change: c-20261015-ab12cd",
        "base: " + "2" * 40,
        "tree: " + "3" * 40,
        "manifest: " + "4" * 64,
        "words: " + "5" * 64,
        "verdict: approve",
        "person: wang-lei",
        "at: 2026-10-15T08:00:00Z",
        "not-after: 2026-10-22T08:00:00Z",
        'reason: "同意\\n见附件"',
        "",
    ]


@given(approvals)
def test_an_approval_reads_back_as_it_was_written(approval: Approval) -> None:
    assert parse_approval(approval_text(approval)) == approval


@given(approvals, st.data())
def test_an_approval_with_any_byte_changed_is_another_one_or_none(approval: Approval, data: st.DataObject) -> None:
    text = approval_text(approval)
    at = data.draw(st.integers(0, len(text) - 1))
    other = text[:at] + bytes([data.draw(st.integers(0, 255).filter(lambda byte: byte != text[at]))]) + text[at + 1 :]

    found = parse_approval(other)

    assert found is None or (found != approval and approval_text(found) == other)


@given(st.binary(max_size=200) | texts.map(str.encode))
def test_nothing_that_is_not_an_approval_is_read_or_stops_the_reading(data: bytes) -> None:
    assert parse_approval(data) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("remit-approval-v1", "remit-approval-v2"),
        ("person: wang-lei", "person: Wang-Lei"),
        ("person: wang-lei", "person: wang-lei "),
        ("person: wang-lei", "person: wang-lei\nperson: zhao-min"),
        ("verdict: approve", "verdict: maybe"),
        ("ref: refs/heads/main", "ref: main"),
        ("at: 2026-10-15T08:00:00Z", "at: 2026-10-15T16:00:00+08:00"),
        ("at: 2026-10-15T08:00:00Z", "at: -"),
        ("at: 2026-10-15T08:00:00Z", "at: 0001-01-01T00:00:00+05:00"),
        ("\\n见", "\n见"),
        ('signature: ""', "signature: null"),
        ('signature: ""', "signature: " + "[" * 100_000),
        ("\n", "\r\n"),
    ],
)
def test_an_approval_written_in_another_way_is_not_read(old: str, new: str) -> None:
    text = approval_text(ONE).decode()
    assert old in text

    assert parse_approval(text.replace(old, new).encode()) is None


@given(texts, names, st.lists(approvals, max_size=4))
def test_a_message_gives_back_its_words_its_change_and_its_approvals(
    text: str, change: str, given_by: list[Approval]
) -> None:
    message = parse_message(with_trailers(text, change, given_by))

    assert message == (text.strip(), change, in_order(given_by), None, "")


@given(approvals, names)
def test_words_that_look_like_an_approval_are_only_words(approval: Approval, change: str) -> None:
    forged = with_trailers("mine", "c-other", [approval])

    message = parse_message(with_trailers(forged, change))

    assert message.change == change and message.approvals == () and message.text == forged.strip()


@given(texts)
def test_any_other_message_carries_nothing(text: str) -> None:
    assert parse_message(text) == Message(text.strip())


def test_a_block_with_a_broken_or_doubled_line_carries_nothing() -> None:
    good = with_trailers("words", "c-1", [ONE])

    for bad in (
        good.replace("wang-lei", "Wang-Lei"),
        good + "Signed-off-by: x\n",
        good + "Remit-Change: c-2\n",
        good.replace('","', '", "'),
    ):
        assert parse_message(bad) == Message(bad.strip())


def test_approvals_of_a_message_are_told_apart_by_every_part() -> None:
    others = [replace(ONE, person="zhao-min"), replace(ONE, reason=""), replace(ONE, not_after=None)]

    assert len({signed_text(approval) for approval in [ONE, *others]}) == 4


@given(st.lists(touched, max_size=8), st.randoms())
def test_the_order_of_entries_does_not_matter_to_a_manifest(entries: list[Touched], random: object) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert manifest(shuffled) == manifest(entries)
    assert manifest(shuffled).digest == manifest(entries).digest


@given(st.lists(touched, max_size=4, unique=True), st.lists(touched, max_size=4, unique=True))
def test_manifests_that_differ_have_different_texts(one: list[Touched], other: list[Touched]) -> None:
    assert (manifest(one).text() == manifest(other).text()) == (manifest(one) == manifest(other))


@pytest.mark.parametrize(
    ("path", "governed"),
    [
        ("remit.yaml", True),
        ("rules/approval/a.yaml", True),
        ("schemas/kinds/Person.schema.json", True),
        ("records/people/a.yaml", True),
        ("records/role-assignments/a.yaml", True),
        ("records/people-of-note/a.yaml", False),
        ("records/customers/a.yaml", False),
        ("templates/rules/x", False),
    ],
)
def test_what_decides_who_may_approve_is_governed(path: str, governed: bool) -> None:
    assert is_governed(path) is governed


def test_co_authors_are_found_by_their_email() -> None:
    message = "x\n\nCo-Authored-By: 王磊 <wang-lei@example.org>\nco-authored-by: Z <z@example.org>\n"

    assert co_authors(message) == ("wang-lei@example.org", "z@example.org")
