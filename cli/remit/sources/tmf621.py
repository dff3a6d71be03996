"""TM Forum TMF621 trouble tickets, version 4 and 5, as rows of TroubleTicket.

Taken are whole tickets: alone, in a list, wrapped under ``troubleTicket``, or carried by an event. Patches, requests
without an id, specifications and events that carry only what changed are no facts, and each is named in a finding.
States follow the correspondence of the kind's own description (domain K-44), read backwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remit.facts import Row
from remit.findings import Finding, finding
from remit.places import Place
from remit.sources.context import Item, Note, SourceContext
from remit.sources.recipes import Unmapped, as_name, as_text
from remit.sources.rowmaking import left_out, row
from remit.times import parse_instant

KIND = "TroubleTicket"
STATUSES: Mapping[str, str] = {
    "acknowledged": "accepted",
    "inprogress": "in_progress",
    "pending": "suspended",
    "held": "suspended",
    "resolved": "repaired",
    "closed": "closed",
}
"""TMF621 states, lower case without separators, and ours; ``rejected`` and ``cancelled`` have no counterpart."""

DEFAULT_TICKET_TYPE = "assist_check"
_COMPLAINT_WORDS = ("complain", "dispute", "投诉")
_TAKEN = frozenset(
    ("id", "creationDate", "resolutionDate", "status", "statusChange", "statusChangeHistory", "statusChangeDate")
) | frozenset(
    ("ticketType", "channel", "note", "relatedParty", "relatedEntity", "href", "@type", "@baseType", "@schemaLocation")
)


def detect(body: Mapping[str, Any]) -> bool:
    """True for anything that TMF621 sends, a whole ticket or not, so that all of it is judged by this module."""
    words = (body.get("@type"), body.get("eventType"), body.get("href"))
    if any(isinstance(word, str) and "troubleticket" in word.lower() for word in words):
        return True
    event = body.get("event", body)
    if isinstance(event, dict) and any(key in event for key in ("troubleTicket", "troubleTicketSpecification")):
        return True
    return "id" in body and "creationDate" in body and ("status" in body or "ticketType" in body)


def is_patch(body: list[Any]) -> bool:
    """True for a JSON Patch: a list of operations."""
    return bool(body) and all(isinstance(step, dict) and "op" in step and "path" in step for step in body)


def patch_finding(place: Place) -> Finding:
    """The finding that stands for a JSON Patch body."""
    return finding("row-not-a-fact", "The body is a JSON Patch: it changes a ticket and does not hold one.", place)


class Tickets:
    """Reads the bodies of one feed and remembers what was left out or assumed."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._tables = context.mapping.tables if context.mapping else {}
        self._prefix = context.mapping.prefix if context.mapping else ""
        self._names: dict[str, str] = {}
        self._left_out: dict[str, None] = {}
        self._assumed: dict[str, None] = {}

    def item(self, body: Mapping[str, Any], place: Place) -> Row | Finding:
        """The row of one body, or the one finding that says why there is none."""
        ticket = _ticket_in(body, place)
        if isinstance(ticket, Finding):
            return ticket
        if problem := _not_whole(ticket, place, carried=ticket is not body):
            return problem
        ticket = {name: value for name, value in ticket.items() if value is not None}
        try:
            return row(self._context.row_kind or KIND, _id(ticket["id"]), self._fields(ticket), place)
        except Unmapped as error:
            message = f"Ticket {_shown(ticket['id'])}: {error}."
            return finding("row-unmapped", message, place)
        except ValueError as error:
            return finding("bad-row", f"Ticket {_shown(ticket['id'])}: {error}.", place)

    def notes(self) -> Iterator[Item]:
        """What was left out of, and assumed for, all tickets of the feed."""
        if note := left_out(self._left_out, self._context):
            yield Note(note)
        for word in self._assumed:
            stated = f'The ticket type "{word}" has' if word else "Tickets without a type have"
            message = f"{stated} no counterpart, and {DEFAULT_TICKET_TYPE} was taken."
            hint = "Give ticketTypes in a mapping with format: tmf621."
            yield Note(finding("value-assumed", message, Place(self._context.path), hint=hint, pointer="/ticketType"))

    def _fields(self, ticket: Mapping[str, Any]) -> dict[str, Any]:
        self._left_out.update(dict.fromkeys(name for name in ticket if name not in _TAKEN))
        status = self._status(ticket.get("status"))
        fields = {
            "acceptedAt": _instant(ticket, "creationDate"),
            "status": status,
            "repairedAt": self._repaired_at(ticket, status),
            "customer": self._customer(_objects(ticket, "relatedParty")),
            "service": self._service(_objects(ticket, "relatedEntity")),
            "channel": self._channel(ticket.get("channel")),
            "progress": [*self._progress(_objects(ticket, "note"))] or None,
            "symptom": "other",
            **self._type(ticket.get("ticketType")),
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _status(self, word: Any) -> str | None:
        if word is None:
            return None
        text = as_text(word)
        status = self._table("statuses", text) or STATUSES.get(_plain(text))
        if status is None:
            raise Unmapped(f'the state "{text}" has no counterpart')
        return status

    def _repaired_at(self, ticket: Mapping[str, Any], status: str | None) -> str | None:
        """When a resolved or closed ticket was resolved: as it says, else when its history says it became so."""
        if status not in ("repaired", "closed"):
            if "resolutionDate" in ticket:
                self._left_out["resolutionDate of tickets that are not resolved"] = None
            return None
        if "resolutionDate" in ticket:
            return _instant(ticket, "resolutionDate")
        times = [*_times_resolved(_objects(ticket, "statusChangeHistory"), "statusChangeDate")]
        times += _times_resolved(_objects(ticket, "statusChange"), "changeDate")
        return max(times, key=parse_instant, default=None)

    def _customer(self, parties: list[Mapping[str, Any]]) -> str | None:
        ids = {str(_party_id(party)) for party in parties
               if str(party.get("role")).lower() == "customer" and _party_id(party) is not None}  # fmt: skip
        if len(parties) > len(ids):
            self._left_out["related parties other than the customer"] = None
        if len(ids) > 1:
            raise Unmapped(f"it names {len(ids)} customers ({', '.join(sorted(ids))}), and a ticket has one")
        return self._name("customers", ids.pop()) if ids else None

    def _service(self, entities: list[Mapping[str, Any]]) -> str | None:
        """The service that the mapping's table knows among the related entities; foreign ids are never guessed at."""
        known = [self._table("services", str(_entity_id(entity))) for entity in entities]
        names = [name for name in known if name]
        if len(names) < len(entities):
            self._left_out["relatedEntity"] = None
        return names[0] if names else None

    def _channel(self, channel: Any) -> str | None:
        if channel is None:
            return None
        words = [channel.get("name"), channel.get("id")] if isinstance(channel, dict) else [channel]
        found = next(filter(None, (self._table("channels", str(word)) for word in words if word is not None)), None)
        if found is None:
            self._left_out["channel"] = None
        return found

    def _progress(self, notes: list[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
        for note in notes:
            if note.get("date") is None or not (isinstance(note.get("text"), str) and note["text"]):
                self._left_out["notes without a date or text"] = None
                continue
            author = {"by": note["author"]} if isinstance(note.get("author"), str) and note["author"] else {}
            yield {"at": _instant(note, "date"), **author, "text": note["text"]}

    def _type(self, word: Any) -> dict[str, Any]:
        text = "" if word is None else as_text(word)
        ours = self._table("ticketTypes", text)
        if ours is None:
            self._assumed[text] = None
        complaint = {"complaint": any(part in text.lower() for part in _COMPLAINT_WORDS)} if text else {}
        return {"ticketType": ours or DEFAULT_TICKET_TYPE, **complaint}

    def _table(self, name: str, word: str) -> str | None:
        table = self._tables.get(name, {})
        return table.get(word) or {key.lower(): value for key, value in table.items()}.get(word.lower())

    def _name(self, table: str, foreign: str) -> str:
        if known := self._table(table, foreign):
            return known
        name = as_name(foreign, self._prefix)
        if self._names.setdefault(name, foreign) != foreign:
            raise Unmapped(f'"{self._names[name]}" and "{foreign}" would both become {name}; name them in {table}')
        return name


def _ticket_in(body: Mapping[str, Any], place: Place) -> Mapping[str, Any] | Finding:
    """The ticket that a body is, wraps or carries, or the finding that says that there is none."""
    kind = str(body.get("eventType") or body.get("@type") or "")
    event = body.get("event")
    if isinstance(event, dict):
        if "deleteevent" in kind.lower():
            return finding("row-not-a-fact", f"The event {kind} takes its ticket away.", place)
        inside = event.get("troubleTicket")
        if not isinstance(inside, dict):
            return finding("row-not-a-fact", f"The event {kind or '(unnamed)'} carries no ticket.", place)
        return inside
    if isinstance(body.get("troubleTicket"), dict):
        inside = body["troubleTicket"]
        return inside if isinstance(inside, dict) else {}
    if "specification" in kind.lower():
        message = f"A {kind} describes tickets and is none."
        return finding("row-not-a-fact", message, place)
    return body


def _not_whole(ticket: Mapping[str, Any], place: Place, *, carried: bool) -> Finding | None:
    if "specification" in str(ticket.get("@type", "")).lower():
        return finding("row-not-a-fact", f"A {ticket['@type']} describes tickets and is none.", place)
    if ticket.get("id") in (None, ""):
        message = "The body has no id: it asks for a ticket to be made or changed and is none yet."
        return finding("row-not-a-fact", message, place)
    if ticket.get("creationDate") is not None:
        return None
    if carried:
        message = f"The event carries only what changed of ticket {_shown(ticket['id'])}, without its creationDate."
        return finding("row-not-a-fact", message, place)
    message = f"Ticket {_shown(ticket['id'])} has no creationDate, so nobody can say when its time began."
    return finding("bad-row", message, place, hint="Ask the ticket system for whole tickets, not for selected fields.")


def _id(value: Any) -> Any:
    # TMF621 says that an id is text; systems that send a whole number mean the same.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _instant(holder: Mapping[str, Any], field: str) -> str:
    """The text of an instant as the ticket has it, once it is known to be one.

    Raises:
        ValueError: It is none, or has no offset; the text names the field.
    """
    value = holder[field]
    if not isinstance(value, str):
        raise ValueError(f"{field} is {_shown(value)}, which is not an instant")
    try:
        parse_instant(value)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error
    return value


def _times_resolved(steps: list[Mapping[str, Any]], field: str) -> Iterator[str]:
    """When the ticket became resolved, by its history; version 4 and 5 name the history and its time differently."""
    for step in steps:
        if _plain(str(step.get("status"))) == "resolved" and step.get(field) is not None:
            yield _instant(step, field)


def _objects(ticket: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    value = ticket.get(field)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _party_id(party: Mapping[str, Any]) -> Any:
    inner = party.get("partyOrPartyRole")
    return inner.get("id") if isinstance(inner, dict) else party.get("id")


def _entity_id(entity: Mapping[str, Any]) -> Any:
    inner = entity.get("entity")
    return inner.get("id") if isinstance(inner, dict) else entity.get("id")


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def _shown(value: Any) -> str:
    return str(value)[:60]
