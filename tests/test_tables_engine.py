"""Facts as tables: whatever is asked of whichever feed, the answer is byte for byte that of facts in memory."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from test_helpdesk import EXAMPLE, HEADER, event
from worlds import record_text, world_files

from remit.candidates import Candidates
from remit.demo_feed import NOW, demo_feeds
from remit.evaluating import MANY_BYTES, Engine, Loaded, engine_for, load
from remit.main import main
from remit.pack import pack_files
from remit.policies.clocking import Window
from remit.policies.narrowing import Asked
from remit.sources import SourceContext, read_source
from remit.sources.spool import SpooledWorld
from remit.starting import write_store
from remit.store import Files, Store
from remit.times import format_instant, parse_instant

INSTANTS = ("At", "at")
OPTIONAL = ["service", "repairedAt", "returnedAt", "signedAt", "dispatchedAt", "contactFeedbackAt", "status"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example store with its feeds beside it, outside git."""
    root = tmp_path_factory.mktemp("demo") / "store"
    write_store(
        root,
        {**pack_files(), **{f"feeds/{name}": data for name, data in demo_feeds().files.items()}},
        lambda draft: None,
    )
    return root


Answer = tuple[int, str, str]
"""Exit code, stdout and stderr."""
Both = Callable[..., tuple[Answer, Answer]]


@pytest.fixture
def both(capsys: pytest.CaptureFixture[str]) -> Both:
    """What a command says in a store with facts in memory, and with facts as tables."""

    def ask(root: Path, *arguments: str) -> tuple[Answer, Answer]:
        def answer(engine: str) -> Answer:
            code = main(["--store", str(root), *arguments, "--engine", engine])
            return code, *capsys.readouterr()

        return answer("python"), answer("tables")

    return ask


def questions(at: datetime) -> list[tuple[str, ...]]:
    """Each command that takes an engine, asked about ``at`` or the time around it."""
    now, before = format_instant(at), format_instant(at - timedelta(days=9))
    return [
        ("evaluate", "--at", now, "--format", "json"),
        ("forecast", "--at", now, "--within", "2d", "--format", "json"),
        ("replay", "--from", before, "--to", now, "--format", "json"),
        ("rules", "--hits", "--from", before, "--to", now, "--format", "json"),
    ]


def facts_of(root: Path) -> list[str]:
    return [part for one in demo_feeds().sources if "map" not in one for part in ("--facts", str(root / one["path"]))]


@pytest.mark.parametrize("question", questions(NOW), ids=lambda one: one[0])
def test_the_example_feeds_are_answered_alike(demo: Path, both: Both, question: tuple[str, ...]) -> None:
    python, tables = both(demo, *question, *facts_of(demo))

    assert tables == python
    assert python[0] == 0
    assert len(python[1]) > 2_000


def test_the_help_desk_is_answered_alike(tmp_path: Path, both: Both) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "desk")
    dice, lines = Random(3), []
    for number in range(300):
        opened = datetime(2013, 1, 1) + timedelta(minutes=dice.randrange(500_000))
        level, closed = f"Value {dice.randint(1, 4)}", opened + timedelta(days=dice.randint(1, 60))
        lines.append(event(f"Case {number}", "Assign seriousness", f"{opened:%Y/%m/%d %H:%M:%S}", level=level))
        if dice.random() < 0.8:
            lines.append(event(f"Case {number}", "Resolve ticket", f"{closed:%Y/%m/%d %H:%M:%S}", level=level))
    (tmp_path / "log.csv").write_text(HEADER + "".join(lines))
    facts = ("--facts", str(tmp_path / "log.csv"), "--map", str(EXAMPLE / "mapping.yaml"))

    for question in questions(parse_instant("2013-07-01T00:00:00+02:00")):
        python, tables = both(tmp_path / "desk", *question, *facts)

        assert tables == python
        assert python[0] == 0
        assert question[0] in ("rules", "forecast") or '"policy": "service-level"' in python[1]


# ---- generated feeds


def varied(rows: Sequence[dict[str, Any]], dice: Random, number: int) -> list[dict[str, Any]]:
    """Rows made from given ones: moved in time, with fields missing, ids twice, references and values wrong."""
    made = []
    for serial in range(number):
        row = json.loads(json.dumps(dice.choice(rows)))
        row["id"] = f"{row['id']}-{serial if dice.random() > 0.03 else dice.randrange(serial + 1)}"
        moved(row, timedelta(minutes=dice.randrange(-400 * 1440, 40 * 1440)))
        for name in [name for name in ("faultReport", "suspensions") if dice.random() < 0.97]:
            row.pop(name, None)
        for _ in range(dice.randrange(4)):
            row.pop(dice.choice(["id", *OPTIONAL]) if dice.random() < 0.1 else dice.choice(OPTIONAL), None)
        if dice.random() < 0.02:
            row["customer"] = dice.choice(["harbour-bnk", "nobody"])
        if dice.random() < 0.02:
            row["acceptedAt"] = "yesterday"
        made.append(row)
    return made


def moved(value: Any, by: timedelta) -> None:
    """Every instant inside ``value`` later by so much."""
    for key, part in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        if isinstance(part, dict | list):
            moved(part, by)
        elif isinstance(part, str) and isinstance(key, str) and key.endswith(INSTANTS):
            value[key] = format_instant(parse_instant(part) + by)


def ticket_rows(root: Path) -> list[dict[str, Any]]:
    reading = read_source(SourceContext("feeds/tickets.jsonl", root=root))
    return [{"id": row.id, **row.body} for row in reading.rows if row.kind == "TroubleTicket"]


@pytest.mark.parametrize("seed", [0, 2])
def test_a_generated_feed_is_answered_alike_and_every_bad_row_is_named(
    demo: Path, tmp_path: Path, both: Both, seed: int
) -> None:
    rows = varied(ticket_rows(demo), Random(seed), 250)
    feed = tmp_path / "tickets.jsonl"
    feed.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *rows[:9], {"id": ""}]) + "{broken\n")

    codes = set()
    for question in questions(NOW - timedelta(days=Random(seed).randrange(60))):
        python, tables = both(demo, *question, "--facts", f"TroubleTicket={feed}")

        assert tables == python
        codes |= {one["code"] for one in json.loads(python[1])["findings"]}
    assert {"row-schema", "row-duplicate", "row-reference", "bad-row", "no-governing-term"} <= codes


def test_rows_that_refer_to_left_out_rows_are_left_out_alike(demo: Path, tmp_path: Path) -> None:
    there = {"ticketType": "interruption", "acceptedAt": "2026-10-15T06:55:00+08:00"}
    rows = [
        {"kind": "Suspension", "id": "s-1", "ticket": "t-9", "reason": "customer_premises_closed"},
        {"kind": "TroubleTicket", "id": "t-1", "customer": "harbour-bank", "suspensions": ["s-1"], **there},
        {"kind": "TroubleTicket", "id": "t-2", "customer": "harbour-bank", "suspensions": ["s-2"], **there},
        {"kind": "TroubleTicket", "id": "t-3", "customer": "harbour-bank", **there},
    ]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files, feeds = Store.open(demo).files(), [SourceContext(str(tmp_path / "f.jsonl"))]

    python, tables = load(files, feeds), load(files, feeds, "tables")

    assert tables.findings == python.findings
    assert tables.reports == python.reports
    assert tables.world.names_of("TroubleTicket") == python.world.names_of("TroubleTicket")
    assert [name for name in tables.world.names_of("TroubleTicket") if name.startswith("t-")] == ["t-3"]


# ---- what is left out, and what must not be

HOURS = [{"from": "09:00", "to": "18:00"}]
WEEK = {"timezone": "Asia/Shanghai", "workingDays": ["mon"], "workingHours": HOURS, "years": [2026]}
LEVELS = [{"name": "late", "after": "2h", "notify": [{"role": "ceA", "of": "subject.customer"}]}]
CLOCK = {"start": "subject.openedAt", "stop": "subject.closedAt"}
AT = parse_instant("2026-10-15T12:00:00+08:00")


def world(
    tmp_path: Path,
    tickets: dict[str, dict[str, Any]],
    spec: dict[str, Any],
    calendar: str = "week",
    engine: Engine = "tables",
) -> Loaded:
    """The small store with one escalation policy, and tickets as tables or in memory."""
    config = f"name: small\ntimezone: Asia/Shanghai\nlanguage: en\ncalendar: {calendar}\n"
    policy = {"subject": "Ticket", "clock": CLOCK, "levels": LEVELS, **spec}
    more = {
        "remit.yaml": config.removesuffix("calendar: \n").encode(),
        "records/calendars/week.yaml": record_text("Calendar", "week", WEEK),
        "rules/escalation/late.yaml": record_text("EscalationPolicy", "late", policy),
    }
    always = {"customer": "bank", "openedAt": "2026-10-15T08:00:00+08:00"}
    rows = [{"id": name, **always, **body} for name, body in tickets.items()]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    loaded = load(Files(None, None, world_files(more)), [SourceContext("t.jsonl", "Ticket", root=tmp_path)], engine)
    assert (loaded.findings, loaded.trouble, loaded.policies.findings) == ((), (), ())
    return loaded


def asked_about(loaded: Loaded, start: datetime | None = None, *, standing: bool = False) -> list[str]:
    assert isinstance(loaded.world, SpooledWorld)
    candidates = Candidates(loaded.world, loaded.compiler)
    return [one.name for one in candidates.of(loaded.policies.watches, Asked(Window(start, AT), standing))]


TICKETS = {
    "open": {},
    "closed": {"closedAt": "2026-10-15T11:00:00+08:00"},
    "long-closed": {"openedAt": "2026-01-05T08:00:00+08:00", "closedAt": "2026-01-05T12:00:00+08:00"},
    "to-come": {"openedAt": "2026-10-16T08:00:00+08:00"},
    "of-shop": {"customer": "shop"},
}


@pytest.mark.parametrize(
    ("spec", "start", "standing", "names"),
    [
        ({}, None, True, ["of-shop", "open"]),
        ({}, None, False, ["closed", "long-closed", "of-shop", "open"]),
        ({}, AT - timedelta(hours=2), False, ["closed", "of-shop", "open"]),
        ({"when": "subject.customer.grade == 'local'"}, None, False, ["of-shop"]),
        ({"clock": {"start": "subject.closedAt"}}, None, False, ["closed", "long-closed"]),
        ({"levels": [LEVELS[0] | {"when": "has(subject.customer.key) && subject.customer.key"}]}, None, True, ["open"]),
    ],
)
def test_only_what_a_policy_can_speak_of_is_asked_about(
    tmp_path: Path, spec: dict[str, Any], start: datetime | None, standing: bool, names: list[str]
) -> None:
    assert asked_about(world(tmp_path, TICKETS, spec), start, standing=standing) == names


def test_without_calendars_that_can_be_reckoned_with_the_clock_leaves_nobody_out(tmp_path: Path) -> None:
    assert len(asked_about(world(tmp_path, TICKETS, {}, calendar=""), standing=True)) == len(TICKETS)


def test_tables_are_chosen_for_many_bytes_only(tmp_path: Path) -> None:
    small, large = (SourceContext(f"{name}.jsonl", root=tmp_path) for name in ("small", "large"))
    small.file.write_bytes(b"")
    with large.file.open("wb") as file:
        file.truncate(MANY_BYTES)

    assert (engine_for([small]), engine_for([small, large])) == ("python", "tables")


def test_only_the_names_of_facts_stay_in_memory(tmp_path: Path) -> None:
    row = {"customer": "bank", "openedAt": "2026-10-15T08:00:00+08:00", "text": "静" * 4_000}
    with (tmp_path / "t.jsonl").open("w") as file:
        file.writelines(json.dumps({"id": f"t{number}", **row}) + "\n" for number in range(2_000))
    files, feeds = Files(None, None, world_files()), [SourceContext("t.jsonl", "Ticket", root=tmp_path)]
    load(files)

    tracemalloc.start()
    loaded = load(files, feeds, "tables")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(loaded.world.names_of("Ticket")) == 2_000
    assert peak < 4 << 20 < 2_000 * len(row["text"])
