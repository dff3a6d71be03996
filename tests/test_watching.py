"""A watch says what a question at each instant would say, decides only about what changed or came due, and goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from worlds import record_text, world_files

from remit.demo_feed import NOW, demo_feeds
from remit.errors import UserError
from remit.evaluating import Loaded, decide, feeds_of, in_force, load
from remit.main import main
from remit.pack import pack_files
from remit.store import Store
from remit.times import format_instant, parse_instant
from remit.watching import Reader, Round, Watching, rounds

EIGHT = parse_instant("2026-10-15T08:00:00+08:00")
HOUR = timedelta(hours=1)
CLOCK = {"start": "subject.openedAt", "stop": "subject.closedAt"}
LEVELS = [{"name": "late", "after": "2h", "notify": [{"role": "ceA", "of": "subject.customer"}]}]
CONFIG = b"name: small\ntimezone: Asia/Shanghai\nlanguage: en\nsources: [{kind: Ticket, path: feed.jsonl}]\n"


def put(root: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def policy(**spec: Any) -> dict[str, bytes]:
    body = {"subject": "Ticket", "clock": CLOCK, "levels": LEVELS, **spec}
    return {"rules/escalation/late.yaml": record_text("EscalationPolicy", "late", body)}


def feed(root: Path, tickets: dict[str, dict[str, Any]]) -> None:
    always = {"customer": "bank", "openedAt": "2026-10-15T08:00:00+08:00"}
    text = "".join(json.dumps({"id": name, **always, **body}) + "\n" for name, body in tickets.items())
    (root / "feed.jsonl").write_text(text)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A store with one escalation policy and a feed of one ticket, opened at eight."""
    put(tmp_path, world_files({**policy(), "remit.yaml": CONFIG}))
    feed(tmp_path, {"t1": {}})
    return tmp_path


def read(root: Path) -> Loaded:
    store = Store.open(root)
    files = store.files()
    return load(files, feeds_of(files, root, (), None))


def answer(loaded: Loaded, at: datetime) -> dict[str, Any]:
    found = decide(loaded, None, at, read_at=at, standing=True)
    return {one.id: one.to_json(at) for one in in_force(found, at)}


def steps(start: datetime, end: datetime, every: timedelta) -> Iterator[datetime]:
    while start <= end:
        yield start
        start += every


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("watch") / "store"
    feeds = {f"feeds/{name}": data for name, data in demo_feeds().files.items()}
    files = dict(pack_files())
    sources = [{**one, "path": f"feeds/{one['path']}"} for one in demo_feeds().sources if "map" not in one]
    config = files["remit.yaml"].replace(b"sources: []", f"sources: {json.dumps(sources)}".encode())
    put(root, {**files, **feeds, "remit.yaml": config})
    return root


@pytest.mark.slow
def test_a_day_of_the_example_is_watched_as_it_is_evaluated(demo: Path) -> None:
    loaded = read(demo)
    watching, known = Watching(loaded), {}

    for at in steps(NOW - 12 * HOUR, NOW + 12 * HOUR, timedelta(minutes=40)):
        made, expected = watching.round(at), answer(loaded, at)
        known |= {one.id: one for one in made.new}
        known = {name: one for name, one in known.items() if name not in {over.id for over in made.over}}

        assert known.keys() == expected.keys() != set()
        assert {one.id: one.to_json(at) for one in made.new} == {one.id: expected[one.id] for one in made.new}
    watching.close()


def test_within_the_hour_only_what_is_due_is_asked_about(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(small, {f"t{number}": {"openedAt": f"2026-10-15T07:{number:02}:30+08:00"} for number in range(10, 60)})
    watching, asked = Watching(read(small)), []
    monkeypatch.setattr("remit.engine.bindings_of", _noting(asked))

    came = [watching.round(at) for at in steps(EIGHT + HOUR, EIGHT + 2 * HOUR, timedelta(minutes=1))]
    watching.close()

    assert [len(one.new) for one in came[10:15]] == [0, 1, 1, 1, 1]
    assert sum(len(one.new) for one in came) == 50
    assert len(asked) == 2 * 50 + 2 * 50  # each in the first round and when it was due, what holds and what follows


def _noting(asked: list[str]) -> Any:
    from remit.engine import bindings_of

    def noted(world: Any, watch: Any, entity: Any, *rest: Any, **more: Any) -> Any:
        asked.append(entity.ref)
        return bindings_of(world, watch, entity, *rest, **more)

    return noted


def told(found: Iterable[Round | UserError]) -> list[Any]:
    """Of each round who is new and who is over; of an error its message."""
    return [
        one.message
        if isinstance(one, UserError)
        else ([d.subject_name for d in one.new], [d.subject_name for d in one.over])
        for one in found
    ]


def story(root: Path, *acts: Any) -> list[Any]:
    """What a watch says from ten on, hour by hour, with something done between the rounds."""

    def instants() -> Iterator[datetime]:
        yield EIGHT + 2 * HOUR
        for number, act in enumerate(acts, 3):
            act()
            yield EIGHT + number * HOUR

    return told(rounds(Reader(Store.open(root), None, (), None), instants()))


def test_a_ticket_that_comes_changes_or_goes_is_seen(small: Path) -> None:
    said = story(
        small,
        lambda: feed(small, {"t1": {}, "t2": {}}),
        lambda: feed(small, {"t1": {"closedAt": "2026-10-15T11:30:00+08:00"}, "t2": {}}),
        lambda: None,
        lambda: feed(small, {"t1": {}}),
    )

    assert said == [(["t1"], []), (["t2"], []), ([], ["t1"]), ([], []), (["t1"], ["t2"])]


def test_a_policy_that_changes_is_compiled_again(small: Path) -> None:
    said = story(
        small,
        lambda: put(small, policy(when="subject.customer.grade == 'local'")),
        lambda: put(small, policy()),
    )

    assert said == [(["t1"], []), ([], ["t1"]), (["t1"], [])]


def test_what_is_broken_is_said_once_and_what_was_good_goes_on(small: Path) -> None:
    later = {"t2": {"openedAt": "2026-10-15T10:30:00+08:00"}}
    feed(small, {"t1": {}, **later})
    said = story(
        small,
        lambda: put(small, policy(when="subject.nothing == 1")),
        lambda: None,
        lambda: put(small, policy()),
        lambda: (small / "feed.jsonl").unlink(),
        lambda: feed(small, later),
    )

    assert said[0] == (["t1"], [])
    assert "nothing" in said[1]
    assert said[2:5] == [([], []), ([], []), (["t2"], [])]
    assert "feed.jsonl" in said[5]
    assert said[6:] == [([], []), ([], ["t1"])]


def test_a_store_that_is_broken_from_the_beginning_is_refused(small: Path) -> None:
    put(small, policy(when="subject.nothing == 1"))

    with pytest.raises(UserError, match="nothing"):
        story(small)


def test_a_finding_is_said_once(small: Path) -> None:
    feed(small, {"t1": {}, "t2": {"customer": "nobody"}})

    found = list(rounds(Reader(Store.open(small), None, (), None), steps(EIGHT, EIGHT + 4 * HOUR, HOUR)))

    assert [[one.code for one in made.findings] for made in found if isinstance(made, Round)] == [["row-reference"]] + [
        []
    ] * 4


def run(root: Path, *arguments: str) -> int:
    return main(["--store", str(root), "watch", *arguments])


def test_rounds_are_lines_of_json_for_programs(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed(small, {"t1": {"closedAt": "2026-10-15T10:45:00+08:00"}})
    until = ("--at", format_instant(EIGHT), "--until", format_instant(EIGHT + 4 * HOUR), "--every", "30m")

    assert run(small, *until, "--format", "jsonl") == 0

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["event"], one["at"][11:16]) for one in lines] == [("new", "10:00"), ("over", "11:00")]
    assert lines[0]["decision"] == answer(read(small), EIGHT + 2 * HOUR)[lines[0]["decision"]["id"]]
    assert lines[1]["id"] == lines[0]["decision"]["id"]


def test_rounds_are_paragraphs_for_people(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed(small, {"t1": {"closedAt": "2026-10-15T10:45:00+08:00"}})

    assert run(small, "--at", format_instant(EIGHT), "--until", format_instant(EIGHT + 4 * HOUR), "--every", "1h") == 0

    out = capsys.readouterr().out.splitlines()
    assert [out[0], out[3]] == ["2026-10-15T10:00:00+08:00  1 new, 0 over", "2026-10-15T11:00:00+08:00  0 new, 1 over"]
    assert "late/late  Ticket/t1" in out[2] and out[4].startswith("over: late/late  Ticket/t1  d-")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--every", "0s"), "at least 1s"),
        (("--every", "2wd"), "at least 1s"),
        (("--every", "often"), "often"),
        (("--at", "2026-10-15T08:00:00Z"), "--until"),
        (("--at", "2026-10-15T08:00:00Z", "--until", "2026-10-14T08:00:00Z"), "before"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    small: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(small, *arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(small: Path, ending: signal.Signals) -> None:
    command = [sys.executable, "-c", "from remit.main import run; run()", "--store", str(small), "watch"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_attentive
    ) as child:
        try:
            assert child.stdout is not None and child.stderr is not None
            assert "1 new" in child.stdout.readline()  # it was opened long ago
            time.sleep(0.2)
            child.send_signal(ending)
            assert child.wait(timeout=60) == 0
            assert child.stderr.read() == ""
        finally:
            child.kill()


def _attentive() -> None:
    """Hear Ctrl-C also where the tests run in the background, with that signal turned off."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
