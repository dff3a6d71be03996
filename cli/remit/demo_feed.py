"""Two months of a service organisation's tickets, orders and visits, for the demonstration and the benchmarks.

Everything follows from one seed: the same seed gives the same bytes on every machine. The people, customers and
services are those of the example organisation. Most of what happens is in order; what is not, is put there on purpose
and named here, so that a reader of the demonstration can find it again. ``NOW`` is the moment of the demonstration:
tickets end there, while orders look ahead to the end of October.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

ZONE = timezone(timedelta(hours=8))
FIRST_DAY = datetime(2026, 8, 15, tzinfo=ZONE)
NOW = datetime(2026, 10, 15, 10, 0, tzinfo=ZONE)
SEED = 20260901
TICKETS_A_DAY = (4, 6)
ORDERS = 64

Row = dict[str, Any]


class Feeds(NamedTuple):
    """The feeds as files by name, and how ``remit.yaml`` lists them."""

    files: Mapping[str, bytes]
    sources: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class _Service:
    name: str
    customer: str
    product: str
    usual_hours: float
    """How long a repair takes on an ordinary day: well inside the limit of its grade."""


SERVICES = (
    _Service("hb-core-backup-sdh", "harbour-bank", "sdh", 1.3),
    _Service("hb-wharf-mpls", "harbour-bank", "mpls-vpn", 1.5),
    _Service("hb-800-hotline", "harbour-bank", "freephone-800", 2.0),
    _Service("customs-clearance-sdh", "nanhai-customs", "sdh", 1.2),
    _Service("customs-international-lease", "nanhai-customs", "digital-circuit-lease", 1.6),
    _Service("tobacco-mpls", "nanhai-tobacco", "mpls-vpn", 1.8),
    _Service("university-internet-lan", "nanhai-university", "lan-leased-line", 1.7),
    _Service("university-campus-sdh", "nanhai-university", "sdh", 1.5),
    _Service("hospital-consultation-sdh", "linhai-first-hospital", "sdh", 1.6),
    _Service("hospital-office", "linhai-first-hospital", "integrated-office", 1.8),
    _Service("port-dispatch-atm", "linhai-port-group", "atm", 1.7),
    _Service("port-berth-global-eye", "linhai-port-group", "global-eye-video", 1.9),
    _Service("blue-whale-800", "blue-whale-logistics", "freephone-800", 1.9),
    _Service("eastgate-ddn", "eastgate-steel", "ddn", 1.8),
    _Service("transport-frame-relay", "linhai-transport-bureau", "frame-relay", 1.8),
    _Service("seaview-ring-back-tone", "seaview-hotel-group", "enterprise-ring-back-tone", 1.9),
    _Service("sunrise-xdsl", "sunrise-trading", "xdsl", 1.9),
    _Service("old-street-lan", "old-street-internet-cafe", "lan-leased-line", 1.9),
)
_BY_NAME = {service.name: service for service in SERVICES}

ON_DUTY = ("cao-rui", "xu-ning")
FIELD = ("zhu-tao", "lu-yang", "feng-gang")
SYMPTOMS = ("interruption", "transient_break", "large_delay", "bit_errors", "other")
NOTES = (
    "已定位到接入段",
    "正在更换光模块",
    "线路代维到达现场",
    "端口已重启，观察中",
    "正在倒换备用路由",
    "与用户联系确认现象",
)
CAUSES = (
    ("optical_module", "光模块失效"),
    ("cable_cut", "施工挖断光缆"),
    ("power", "用户侧停电"),
    ("port", "端口吊死"),
)


def demo_feeds(seed: int = SEED) -> Feeds:
    """Every feed of the demonstration, with its mapping files."""
    tickets = [*_closed_tickets(Random(seed)), *_open_tickets()]
    lines = [json.dumps(row, ensure_ascii=False) for row in tickets]
    # Two rows that no one should have to guess about: a customer that is not in the store, and half a line.
    lines.insert(60, json.dumps({**_bad_ticket(), "customer": "harbor-bank"}, ensure_ascii=False))
    lines.insert(150, json.dumps(_bad_ticket(), ensure_ascii=False)[:90])
    orders = list(_orders(Random(seed + 1)))
    files = {
        "tickets.jsonl": "".join(line + "\n" for line in lines),
        "visits.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _visits_and_surveys()),
        "orders.csv": _csv(orders),
        "orders.map.yaml": ORDERS_MAP,
        "partner-ticket.json": json.dumps(_partner_ticket(), ensure_ascii=False, indent=2) + "\n",
        "partner.map.yaml": PARTNER_MAP,
    }
    sources: list[Mapping[str, str]] = [
        {"path": "feeds/tickets.jsonl"},
        {"path": "feeds/visits.jsonl"},
        {"path": "feeds/orders.csv", "map": "feeds/orders.map.yaml"},
        {"path": "feeds/partner-ticket.json", "map": "feeds/partner.map.yaml"},
    ]
    return Feeds({name: text.encode() for name, text in files.items()}, sources)


# --- tickets that are over -------------------------------------------------------------------------------------------


def _closed_tickets(random: Random) -> Iterator[Row]:
    """Each day's tickets up to the day before ``NOW``, with their suspensions and fault reports."""
    day = FIRST_DAY
    while day.date() < NOW.date():
        for number in range(random.randint(*TICKETS_A_DAY)):
            minute = random.randrange(7 * 60, 20 * 60)
            accepted = day + timedelta(minutes=minute)
            # The last evening is kept free: whatever was accepted then would still be in the reports.
            if accepted < NOW - timedelta(hours=30):
                yield from _closed_ticket(random, f"lh-{day:%Y%m%d}-{number + 101}", accepted)
        day += timedelta(days=1)


def _closed_ticket(random: Random, name: str, accepted: datetime) -> Iterator[Row]:
    service = random.choice(SERVICES)
    duty, engineer = random.choice(ON_DUTY), random.choice(FIELD)
    slow = random.random() < 0.06  # past the limit of most grades
    long = slow or random.random() < 0.2  # past 120 or 180 minutes
    signs_late = random.random() < 0.08
    dispatched = accepted + timedelta(minutes=random.randint(4, 9))
    signed = dispatched + timedelta(minutes=random.randint(11, 19) if signs_late else random.randint(1, 4))
    sent = signed + timedelta(minutes=random.randint(1, 3))
    taken = sent + timedelta(minutes=random.randint(3, 8))
    hours = service.usual_hours * random.uniform(0.5, 1.1)
    if long:
        hours = random.uniform(2.1, 3.9)
    if slow:
        hours = random.uniform(5.0, 26.0)
    repaired = max(accepted + timedelta(minutes=int(hours * 60)), taken + timedelta(minutes=10))
    suspension = None
    if random.random() < 0.08 and hours > 1.2:
        suspension = _suspension(random, name, duty, taken + timedelta(minutes=15))
        repaired += _instant(suspension["resumedAt"]) - _instant(suspension["startedAt"])
    confirmed = repaired + timedelta(minutes=random.randint(5, 14))
    returned = confirmed + timedelta(minutes=random.randint(5, 20))
    cause, words = random.choice(CAUSES)
    row: Row = {
        "kind": "TroubleTicket",
        "id": name,
        "channel": random.choice(("hotline_10000_9", "manager_on_behalf", "monitoring")),
        "customer": service.customer,
        "service": service.name,
        "ticketType": random.choice(("assist_check", "interruption")),
        "symptom": random.choice(SYMPTOMS),
        "occurredAt": _text(accepted - timedelta(minutes=random.randint(2, 25))),
        "acceptedAt": _text(accepted),
        "dispatchedAt": _text(dispatched),
        "arrivedAtBranch": _text(dispatched),
        "signedAt": _text(signed),
        "dispatchedToFieldAt": _text(sent),
        "fieldAcceptedAt": _text(taken),
        "contactFeedbackAt": _text(taken + timedelta(minutes=random.randint(1, 3))),
        "progress": _progress(random, duty, signed, returned),
        "assignees": [{"specialty": "transmission", "person": engineer, "at": _text(sent)}],
        "repairedAt": _text(repaired),
        "restorationConfirmedAt": _text(confirmed),
        "confirmation": {"byCustomerService": True, "byUser": True, "alarmsCleared": True, "mode": "user"},
        "causeCode": cause,
        "causeText": words,
        "controllableCause": cause != "power",
        "returnType": "repaired",
        "returnedAt": _text(returned),
        "unit": "linhai-crc",
        "status": "closed",
    }
    report = _report(random, row, overtime=slow)
    if suspension:
        row["suspensions"] = [suspension["id"]]
    if report:
        row["faultReport"] = report["id"]
    yield row
    if suspension:
        yield suspension
    if report:
        yield report


def _progress(random: Random, by: str, start: datetime, end: datetime) -> list[Row]:
    """A note at least every half hour until the end, as the rule asks."""
    notes: list[Row] = []
    at = start + timedelta(minutes=random.randint(12, 28))
    while at < end:
        notes.append({"at": _text(at), "by": by, "text": random.choice(NOTES)})
        at += timedelta(minutes=random.randint(18, 29))
    return notes


def _suspension(random: Random, ticket: str, by: str, start: datetime) -> Row:
    reviewed = {"at": _text(start - timedelta(minutes=3)), "result": "passed"}
    return {
        "kind": "Suspension",
        "id": f"{ticket}-s1",
        "ticket": ticket,
        "proposedBy": by,
        "reason": random.choice(("customer_unavailable", "customer_power_off", "access_refused")),
        "monitoringReview": {"by": "song-wei", **reviewed},
        "customerServiceReview": {"by": "jin-hui", **reviewed},
        "startedAt": _text(start),
        "resumedAt": _text(start + timedelta(minutes=random.randint(25, 150))),
        "unit": "linhai-crc",
        "status": "resumed",
    }


def _report(random: Random, ticket: Row, *, overtime: bool) -> Row | None:
    """The fault report: within a working day when the limit was passed, otherwise within two; now and then late."""
    repaired = _instant(ticket["repairedAt"])
    late = random.random() < 0.05
    submitted = repaired + timedelta(hours=random.randint(1, 5) if not late else random.randint(150, 220))
    if submitted > NOW:
        submitted = NOW - timedelta(minutes=40)
    return {
        "kind": "FaultReport",
        "id": f"{ticket['id']}-r",
        "ticket": ticket["id"],
        "customer": ticket["customer"],
        "overtime": overtime,
        "submittedAt": _text(submitted),
        "faultTime": ticket["occurredAt"],
        "segment": "接入段",
        "cause": ticket["causeText"],
        "process": "受理、定位、抢修、确认恢复",
        "prevention": "巡检时复核同类端口",
        "unit": "linhai-crc",
        "status": "approved",
    }


# --- what is burning at NOW ------------------------------------------------------------------------------------------


def _open_tickets() -> Iterator[Row]:
    """The tickets in hand at ``NOW``, each for one reason."""
    # Harbour Bank's core circuit, down for 3 h 40 min where its contract says two hours: everybody is told.
    yield _open(
        "lh-20261015-001",
        "hb-core-backup-sdh",
        220,
        symptom="interruption",
        notes=(25, 52, 80, 108, 136, 162, 190, 205),
    )
    # Customs, 130 minutes: the director is told.
    yield _open("lh-20261015-002", "customs-clearance-sdh", 130, symptom="bit_errors", notes=(22, 50, 78, 104))
    # The port: the chief engineer is on leave, and nobody has signed for 25 minutes.
    yield _open("lh-20261015-003", "port-dispatch-atm", 32, symptom="interruption", until="dispatched")
    # The university: signed and silent for 50 minutes.
    yield _open("lh-20261015-004", "university-internet-lan", 65, symptom="large_delay", notes=())
    # The hospital: suspended with both reviews, so its clock stands still.
    ticket = _open("lh-20261015-005", "hospital-consultation-sdh", 170, symptom="interruption", notes=(25, 50, 75, 95))
    suspended = NOW - timedelta(minutes=70)
    yield {**ticket, "suspensions": ["lh-20261015-005-s1"], "status": "suspended"}
    yield {
        "kind": "Suspension",
        "id": "lh-20261015-005-s1",
        "ticket": "lh-20261015-005",
        "proposedBy": "xu-ning",
        "reason": "customer_power_off",
        "monitoringReview": {"by": "song-wei", "at": _text(suspended - timedelta(minutes=3)), "result": "passed"},
        "customerServiceReview": {"by": "yao-li", "at": _text(suspended - timedelta(minutes=2)), "result": "passed"},
        "startedAt": _text(suspended),
        "unit": "linhai-crc",
        "status": "active",
    }
    # A small shop since last night: it has a day, and four fifths of that end within hours.
    yield _open("lh-20261014-201", "sunrise-xdsl", 16 * 60, symptom="interruption", notes=tuple(range(20, 16 * 60, 28)))
    # Just come in.
    yield _open("lh-20261015-006", "eastgate-ddn", 6, symptom="transient_break", until="accepted")


def _open(
    name: str, service: str, minutes: int, *, symptom: str, notes: Sequence[int] = (), until: str = "in_progress"
) -> Row:
    """A ticket accepted ``minutes`` before ``NOW``; ``notes`` are minutes after its acceptance."""
    accepted = NOW - timedelta(minutes=minutes)

    def after(count: int) -> str:
        return _text(accepted + timedelta(minutes=count))

    row: Row = {
        "kind": "TroubleTicket",
        "id": name,
        "channel": "hotline_10000_9",
        "customer": _BY_NAME[service].customer,
        "service": service,
        "ticketType": "interruption" if symptom == "interruption" else "assist_check",
        "symptom": symptom,
        "occurredAt": after(-10),
        "acceptedAt": after(0),
    }
    if until == "accepted":
        return {**row, "unit": "linhai-crc", "status": "accepted"}
    row |= {"dispatchedAt": after(6), "arrivedAtBranch": after(7)}
    if until == "dispatched":
        return {**row, "unit": "linhai-crc", "status": "dispatched"}
    row |= {
        "signedAt": after(10),
        "dispatchedToFieldAt": after(12),
        "fieldAcceptedAt": after(18),
        "contactFeedbackAt": after(20),
        "progress": [{"at": after(m), "by": "xu-ning", "text": NOTES[m % len(NOTES)]} for m in notes if m < minutes],
        "assignees": [{"specialty": "transmission", "person": "lu-yang", "at": after(12)}],
    }
    return {**row, "unit": "linhai-crc", "status": "in_progress"}


def _bad_ticket() -> Row:
    return {
        "kind": "TroubleTicket",
        "id": "lh-20260914-901",
        "customer": "harbour-bank",
        "ticketType": "interruption",
        "acceptedAt": "2026-09-14T09:30:00+08:00",
    }


def _partner_ticket() -> Row:
    """One ticket as the provincial company's system sends it: a TMF621 body."""
    return {
        "id": "GD-88213",
        "@type": "TroubleTicket",
        "description": "800 hotline answers slowly",
        "severity": "Minor",
        "ticketType": "Quality complaint",
        "creationDate": _text(NOW - timedelta(minutes=95)),
        "lastUpdate": _text(NOW - timedelta(minutes=20)),
        "status": "inProgress",
        "channel": {"id": "9", "name": "hotline", "@type": "ChannelRef"},
        "relatedEntity": [
            {"id": "LH-800-0002", "@referredType": "Product", "role": "affected", "@type": "RelatedEntity"}
        ],
        "relatedParty": [{"id": "C-4471", "name": "Blue Whale", "role": "customer", "@type": "RelatedParty"}],
        "note": [{"id": "1", "author": "xu-ning", "date": _text(NOW - timedelta(minutes=70)), "text": "handed on"}],
    }


PARTNER_MAP = """\
# How the provincial company's trouble tickets (TMF621) become ours.
format: tmf621
customers: {C-4471: blue-whale-logistics}
services: {LH-800-0002: blue-whale-800}
ticketTypes: {Quality complaint: assist_check}
channels: {hotline: hotline_10000_9}
"""


# --- orders ----------------------------------------------------------------------------------------------------------

_STEPS = ("订单评审", "详细勘查", "实施方案", "施工", "调测", "交付")
_STATES = {
    "订单评审": "评审中",
    "详细勘查": "勘查中",
    "实施方案": "方案中",
    "施工": "施工中",
    "调测": "调测中",
    "交付": "已竣工",
}
COLUMNS = ("工单号", "客户", "类型", "产品", "受理时间", "承诺时间", "当前环节", "状态", "竣工时间", "录入人")


def _orders(random: Random) -> Iterator[Sequence[str]]:
    """Orders as the order system exports them; four are late and three end within hours of ``NOW``."""
    for number in range(ORDERS):
        service = random.choice(SERVICES)
        requested = FIRST_DAY + timedelta(minutes=number * 1370 + random.randint(0, 240))
        due = requested.replace(hour=18, minute=0) + timedelta(days=random.randint(14, 24))
        done: datetime | None = due - timedelta(hours=random.randint(8, 90))
        if number in (9, 23):
            done = due + timedelta(hours=random.randint(6, 40))
        if number in (14, 20):
            due, done = NOW - timedelta(days=3, hours=number), None
        if number in (26, 29, 31):
            due, done = NOW + timedelta(hours=(number - 23) / 2), None
        if done is not None and done > NOW:
            done = None
        step = _STEPS[-1] if done else _step(requested)
        yield (
            f"GD2026{number + 1:04d}",
            service.customer if number != 40 else "lin-hai-hotel",  # a customer that nobody entered
            random.choice(("新装", "变更", "移机")),
            service.product,
            _wall(requested),
            _wall(due),
            step,
            _STATES[step],
            _wall(done) if done else "",
            "王珂",
        )


def _step(requested: datetime) -> str:
    age = (NOW - requested) / timedelta(days=1)
    return _STEPS[0 if age < 1 else 1 if age < 4 else 2 if age < 7 else 3 if age < 14 else 4]


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


ORDERS_MAP = """\
# How the order system's export becomes service orders. Its times are wall clock in the store's zone.
kind: ServiceOrder
id: 工单号
fields:
  customer: {column: 客户, as: name}
  orderType: {column: 类型, map: {新装: provide, 变更: modify, 移机: move, 拆机: cease}}
  product: {column: 产品, as: name}
  requestedAt: {column: 受理时间, as: instant, format: "%Y-%m-%d %H:%M"}
  deadline: {column: 承诺时间, as: instant, format: "%Y-%m-%d %H:%M"}
  currentStep:
    column: 当前环节
    map:
      订单评审: order_review
      详细勘查: detailed_survey
      实施方案: implementation_plan
      施工: construction
      调测: commissioning
      交付: delivery
  status:
    column: 状态
    map:
      评审中: reviewing
      勘查中: surveying
      方案中: planning
      施工中: constructing
      调测中: commissioning
      已竣工: completed
  completedAt: {column: 竣工时间, as: instant, format: "%Y-%m-%d %H:%M"}
  unit: {value: linhai-crc}
ignore: [录入人]
"""


# --- visits and surveys ----------------------------------------------------------------------------------------------

_VISITS = (
    ("harbour-bank", "wang-lei", datetime(2026, 10, 9, 14, 0, tzinfo=ZONE)),
    ("nanhai-customs", "zhao-min", datetime(2026, 9, 11, 9, 30, tzinfo=ZONE)),
    ("nanhai-tobacco", "wang-lei", datetime(2026, 10, 13, 9, 0, tzinfo=ZONE)),
    ("linhai-port-group", "dong-wen", datetime(2026, 9, 16, 10, 0, tzinfo=ZONE)),
    ("linhai-first-hospital", "zhu-tao", datetime(2026, 10, 12, 15, 0, tzinfo=ZONE)),
    ("blue-whale-logistics", "yuan-yuan", datetime(2026, 9, 22, 10, 30, tzinfo=ZONE)),
    ("eastgate-steel", "zhou-peng", datetime(2026, 9, 24, 16, 0, tzinfo=ZONE)),
    ("linhai-transport-bureau", "li-na", datetime(2026, 10, 14, 9, 30, tzinfo=ZONE)),
)
_SCORES = (("harbour-bank", 93), ("nanhai-customs", 90), ("linhai-port-group", 71), ("linhai-first-hospital", 88))


def _visits_and_surveys() -> Iterator[Row]:
    """Visits, and surveys of which one is low: the port is not content."""
    for customer, visitor, at in _VISITS:
        yield {
            "kind": "Visit",
            "id": f"v-{at:%Y%m%d}-{customer}",
            "customer": customer,
            "type": "visit",
            "mode": "on_site",
            "plannedAt": _text(at),
            "doneAt": _text(at + timedelta(minutes=80)),
            "visitors": [visitor],
            "recordText": "走访记录见附件",
            "status": "done",
        }
    for customer, score in _SCORES:
        yield {
            "kind": "SatisfactionSurvey",
            "id": f"s-202609-{customer}",
            "subject": customer,
            "customer": customer,
            "respondentType": "customer",
            "period": "2026-09",
            "score": score,
            "at": "2026-10-14T16:00:00+08:00",
            "status": "active",
        }


# --- instants as text ------------------------------------------------------------------------------------------------


def _text(at: datetime) -> str:
    return at.replace(second=0, microsecond=0).isoformat()


def _wall(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
