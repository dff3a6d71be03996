"""TM Forum trouble tickets, both versions: every body becomes rows or is named in a finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from remit.places import Place
from remit.schemas import load_schemas
from remit.sources import Reading, SourceContext, read_mapping, read_source

DATA = Path(__file__).parent / "data" / "tmf621"
ROOT = Path(__file__).parents[1]
V5 = sorted((DATA / "v5").glob("*.json"))

OUTCOMES: dict[str, list[str]] = {
    "TroubleTicketInformationRequiredEvent_request": ["row-not-a-fact"],
    "TroubleTicketSpecificationAttributeValueChangeEvent_request": ["row-not-a-fact"],
    "TroubleTicketSpecificationCreateEvent_request": ["row-not-a-fact"],
    "TroubleTicketSpecificationDeleteEvent_request": ["row-not-a-fact"],
    "TroubleTicketSpecificationStatusChangeEvent_request": ["row-not-a-fact"],
    "TroubleTicketSpecification_create_example_request": ["row-not-a-fact"],
    "TroubleTicketSpecification_create_example_response": ["row-not-a-fact"],
    "TroubleTicketSpecification_list_example_response": ["row-not-a-fact"] * 2,
    "TroubleTicketSpecification_with_filter_and_fields_list_example_response": ["row-not-a-fact"] * 3,
    "TroubleTicketStatusChangeEvent_request": ["row-not-a-fact"],
    "TroubleTicket_list_with_filter_and_fields_example_response": ["bad-row"] * 3,
    "TroubleTicket_listener_troubleTicketCreateEvent_POST_204_1_request": ["WLIAH"],
    "TroubleTicket_partialupdate_example_application_json_patch_request": ["row-not-a-fact"],
    "TroubleTicket_partialupdate_example_application_json_patch_response": ["3180"],
    "TroubleTicket_partialupdate_example_application_json_request": ["row-not-a-fact"],
    "TroubleTicket_partialupdate_example_application_json_response": ["3180"],
    "TroubleTicket_partialupdate_example_application_merge_json_request": ["row-not-a-fact"],
    "TroubleTicket_partialupdate_example_application_merge_json_response": ["3180"],
    "TroubleTicket_retrieve_example_response": ["3180"],
}
"""What becomes of each of TM Forum's own examples: the ids of its rows, then the codes that reject the others."""

MAP = """
format: tmf621
prefix: crm-
customers: {Harbour Bank: harbour-bank}
services: {SVC-88: harbour-line-1}
ticketTypes: {outage: interruption}
channels: {Call centre: hotline_10000_9}
"""


def read(path: Path, mapping: str = "") -> Reading:
    checked, findings = read_mapping(mapping.encode(), "map.yaml") if mapping else (None, ())
    assert findings == ()
    return read_source(SourceContext(path.name, mapping=checked, zone=ZoneInfo("Asia/Shanghai"), root=path.parent))


def read_body(tmp_path: Path, body: Any, mapping: str = "") -> Reading:
    path = tmp_path / "body.json"
    path.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    return read(path, mapping)


def rejections(reading: Reading) -> list[str]:
    return [found.code for found in reading.findings if found.severity != "info"]


@pytest.mark.parametrize("path", V5, ids=lambda path: path.stem)
def test_every_published_example_becomes_rows_or_is_named_in_a_finding(path: Path) -> None:
    reading = read(path)

    assert [row.id for row in reading.rows] + rejections(reading) == OUTCOMES[path.stem]
    assert reading.report().rows == len(OUTCOMES[path.stem])


def test_all_nineteen_published_examples_are_here() -> None:
    assert [path.stem for path in V5] == sorted(OUTCOMES)


def test_a_version_5_ticket_gives_its_times_state_customer_and_notes() -> None:
    row = read(DATA / "v5" / "TroubleTicket_partialupdate_example_application_json_response.json").rows[0]

    assert row.kind == "TroubleTicket"
    assert row.body == {
        "acceptedAt": "2022-05-31T07:34:45.968Z",
        "repairedAt": "2022-06-01T07:34:45.968Z",
        "status": "repaired",
        "customer": "9176",
        "ticketType": "assist_check",
        "complaint": True,
        "symptom": "other",
        "progress": [
            {
                "at": "2022-05-31T07:34:45.968Z",
                "by": "Jack Smith",
                "text": "This is quite important, please approach me as soon as possible",
            }
        ],
    }


@pytest.mark.parametrize("name", ["single", "wrapped"])
def test_a_version_4_ticket_is_read_with_the_words_of_the_mapping(name: str) -> None:
    reading = read(DATA / "v4" / f"{name}.json", MAP)

    assert [row.id for row in reading.rows] == ["TT-1001"]
    assert reading.rows[0].body == {
        "acceptedAt": "2026-10-12T08:15:00+08:00",
        "status": "in_progress",
        "customer": "harbour-bank",
        "service": "harbour-line-1",
        "channel": "hotline_10000_9",
        "ticketType": "interruption",
        "complaint": False,
        "symptom": "other",
        "progress": [{"at": "2026-10-12T08:40:00+08:00", "by": "王磊", "text": "已派单"}],
    }


def test_the_rows_of_tickets_fit_the_schema_of_the_kind() -> None:
    files = {str(path.relative_to(ROOT)): path.read_bytes() for path in (ROOT / "schemas").rglob("*.schema.json")}
    schemas, findings = load_schemas(files)
    assert findings == ()
    for path in sorted((DATA / "v4").glob("*.json")):
        for row in read(path, MAP).rows:
            assert not [*schemas.check_fact("TroubleTicket", row.body, Place(path.name), row.id)]


def test_a_list_gives_a_row_a_ticket_and_names_the_one_without_a_counterpart() -> None:
    reading = read(DATA / "v4" / "list.json", MAP)

    assert [(row.id, row.body["status"], row.body.get("repairedAt")) for row in reading.rows] == [
        ("TT-1001", "in_progress", None),
        ("TT-1002", "closed", "2026-10-12T10:00:00+08:00"),
        ("TT-1003", "repaired", "2026-10-12T11:30:00+08:00"),
    ]
    (unmapped,) = [found for found in reading.findings if found.code == "row-unmapped"]
    assert "TT-1004" in unmapped.message
    assert '"cancelled"' in unmapped.message
    assert unmapped.pointer == "/3"


def test_an_event_that_carries_a_whole_ticket_gives_its_row_and_a_deletion_does_not() -> None:
    resolved = read(DATA / "v4" / "event.json", MAP)
    deleted = read(DATA / "v4" / "delete-event.json", MAP)

    assert resolved.rows[0].body["repairedAt"] == "2026-10-12T10:00:00+08:00"
    assert (len(deleted.rows), rejections(deleted)) == (0, ["row-not-a-fact"])


TICKET = {"@type": "TroubleTicket", "id": "1", "creationDate": "2026-10-12T08:15:00Z"}


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("acknowledged", "accepted"), ("Acknowledged", "accepted"), ("inProgress", "in_progress"),
        ("InProgress", "in_progress"), ("In Progress", "in_progress"), ("in_progress", "in_progress"),
        ("pending", "suspended"), ("held", "suspended"), ("RESOLVED", "repaired"), ("closed", "closed"),
    ],
)  # fmt: skip
def test_a_state_has_its_counterpart_however_it_is_written(tmp_path: Path, written: str, status: str) -> None:
    (row,) = read_body(tmp_path, {**TICKET, "status": written}).rows

    assert row.body["status"] == status


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"status": "rejected"}, "row-unmapped", "rejected"),
        ({"status": "Cancelled"}, "row-unmapped", "Cancelled"),
        ({"status": "dancing"}, "row-unmapped", "dancing"),
        ({"status": ["resolved"]}, "row-unmapped", "list or object"),
        ({"creationDate": "2026-10-12T08:15:00"}, "bad-row", "offset"),
        ({"creationDate": "yesterday"}, "bad-row", "yesterday"),
        ({"creationDate": 1760000000}, "bad-row", "1760000000"),
        ({"creationDate": None}, "bad-row", "creationDate"),
        ({"status": "resolved", "resolutionDate": "2026-02-30T00:00:00Z"}, "bad-row", "resolutionDate"),
        ({"note": [{"date": "soon", "text": "x"}]}, "bad-row", "date"),
        ({"id": ""}, "row-not-a-fact", "no id"),
        ({"id": "x" * 129}, "bad-row", "128"),
        ({"id": ["1"]}, "bad-row", "not text"),
        ({"relatedParty": [{"role": "customer", "id": "银行"}]}, "row-unmapped", "银行"),
        ({"relatedParty": [{"role": "customer", "id": "a"}, {"role": "customer", "id": "b"}]}, "row-unmapped", "a, b"),
        ({"@type": "TroubleTicketSpecification"}, "row-not-a-fact", "describes tickets"),
    ],
)
def test_a_ticket_that_cannot_be_read_exactly_is_one_finding(
    tmp_path: Path, change: dict[str, Any], code: str, says: str
) -> None:
    reading = read_body(tmp_path, {**TICKET, **change})

    assert (len(reading.rows), rejections(reading)) == (0, [code])
    assert says in next(found.message for found in reading.findings if found.code == code)


def test_a_whole_number_as_an_id_means_its_text(tmp_path: Path) -> None:
    assert read_body(tmp_path, {**TICKET, "id": 3180}).rows[0].id == "3180"


def test_two_foreign_customers_never_become_one(tmp_path: Path) -> None:
    tickets = [
        {**TICKET, "id": str(number), "relatedParty": [{"role": "customer", "id": name}]}
        for number, name in enumerate(["A B", "a-b", "A B"])
    ]

    reading = read_body(tmp_path, tickets)

    assert [row.id for row in reading.rows] == ["0", "2"]
    assert rejections(reading) == ["row-unmapped"]


def test_what_is_left_out_and_what_is_assumed_is_said_once_a_feed(tmp_path: Path) -> None:
    tickets = [{**TICKET, "id": str(number), "priority": "High", "ticketType": "Noise"} for number in range(3)]

    notes = [(found.code, found.message) for found in read_body(tmp_path, tickets).findings]

    assert notes == [
        ("field-left-out", "Left out: priority."),
        ("value-assumed", 'The ticket type "Noise" has no counterpart, and assist_check was taken.'),
    ]


def test_a_resolution_date_of_an_open_ticket_is_not_a_repair(tmp_path: Path) -> None:
    reading = read_body(tmp_path, {**TICKET, "status": "pending", "resolutionDate": "2026-10-13T00:00:00Z"})

    assert "repairedAt" not in reading.rows[0].body
    assert "resolutionDate of tickets that are not resolved" in reading.findings[0].message


@pytest.mark.parametrize("field", ["relatedParty", "relatedEntity", "note", "channel", "statusChange", "ticketType"])
@pytest.mark.parametrize("value", [None, [], {}, "x", 1, [None], [[]], [{}], {"id": {}}, True])
def test_no_shape_of_a_field_crashes_the_reader(tmp_path: Path, field: str, value: Any) -> None:
    reading = read_body(tmp_path, {**TICKET, "status": "resolved", field: value})

    assert reading.report().rows == 1
    assert len(reading.rows) + len(rejections(reading)) == 1
