"""Text of strangers in every place that shows it, names of strangers in every place that takes one, and patterns."""

from __future__ import annotations

import json
import re
import socket
import threading
import time

import pytest
from approval_store import SCHEMAS, texts
from conftest import GitRepo, commit_all, git, write_files
from test_change_commands import User

from remit.reporters.terminal import safe
from remit.schemas import load_schemas

WHEN = ("--at", "2026-10-15T16:00:00+08:00")
HOSTILE = "x\x1b[31m\x1b]0;y\x07\x9b2J\x7f\u202e\u2066\u200bz"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")
CHANGE = "c-20261015-ab12cd"


@pytest.fixture
def user(git_repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> User:
    """A store whose history, branches, changes and files hold what a terminal would obey."""
    user = User(git_repo(texts()), capsys)
    folder = user.folder
    git(folder, "config", "user.name", f"Ann {HOSTILE}")
    bank = folder / "records/customers/harbour-bank.yaml"
    bank.write_text(bank.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    commit_all(folder, f"direct {HOSTILE}\n\nbody {HOSTILE}")
    bank.write_text(bank.read_text(encoding="utf-8").replace("local_b", "local_a"), encoding="utf-8")
    git(folder, "checkout", "--quiet", "-b", f"change/{CHANGE}")
    commit_all(folder, f"title {HOSTILE}\n\nwhy {HOSTILE}\n\nChange: {CHANGE}")
    git(folder, "checkout", "--quiet", "main")
    write_files(folder, {f"records/customers/{HOSTILE.replace('/', '')}.yaml": f"kind: {HOSTILE}\n"})
    write_files(folder, {"feed.jsonl": json.dumps({"kind": "Ticket", "id": HOSTILE, "title": HOSTILE}) + "\n"})
    return user


SHOWN = [
    ("log",), ("log", "records/customers/harbour-bank.yaml"), ("changes",), ("review", CHANGE), ("audit",), ("check",),
    ("blame", "Customer/harbour-bank"), ("diff",), ("list", "Customer"), ("search", "x"), ("doctor",),
    ("apply", CHANGE), ("approve", CHANGE), ("propose", "-m", HOSTILE), ("show", f"Customer/{HOSTILE}"),
    ("review", HOSTILE), ("set", "Customer/harbour-bank", f"title={HOSTILE}"), ("new", HOSTILE, HOSTILE),
    ("facts", "--facts", "feed.jsonl"), ("log", "--format", "json"), ("changes", "--format", "json"),
    ("review", CHANGE, "--format", "json"), ("check", "--format", "json"), ("log", HOSTILE),
    ("check", "--ref", HOSTILE), (HOSTILE,),
]  # fmt: skip


@pytest.mark.parametrize("words", SHOWN, ids=lambda words: " ".join(words).split("x\x1b")[0])
def test_nothing_that_a_terminal_obeys_is_printed(user: User, monkeypatch: pytest.MonkeyPatch, words) -> None:
    monkeypatch.chdir(user.folder)

    ran = user.run(*words)

    assert ran.code in (0, 1, 2), ran.err
    assert OBEYED.findall(ran.out + ran.err) == []


ALIKE = [
    ("Harbour Bank", "Harbour B\u0430nk"), ("paid", "p\u0430id"), ("Oscar", "\u041escar"), ("Kim", "\u039aim"),
    ("海港Bank银行", "海港B\u0430nk银行"), ("paid", "pa\u00adid"), ("paid", "paid\u200b"), ("paid", "\u2066paid\u2069"),
    ("paid", "paid\u3164"), ("paid", "paid\U000e0041"), ("paid", "paid\U000e0100"), ("paid", "pa\u034fid"),
]  # fmt: skip
AS_IT_IS = ["海港银行", "Вова", "Ελλάδα", "Ünal, José", "10 м", "故障 ＋ 2", "café", "a\tb\n"]


@pytest.mark.parametrize(("text", "other"), ALIKE)
def test_two_texts_that_look_alike_are_told_apart_when_they_are_shown(text: str, other: str) -> None:
    assert safe(text) == text
    assert safe(other).isprintable() and "\\" in safe(other) and safe(other) != text


@pytest.mark.parametrize("text", AS_IT_IS)
def test_other_alphabets_are_shown_as_they_are(text: str) -> None:
    assert safe(text) == text


NAMES = [
    "../../outside", "/tmp/outside", "..", ".", "a/../../b", "a\\..\\b", "-", "--output=outside",
    "--upload-pack=touch outside",
    "-m", "a\nb", "a\x00b", "CON", "a.lock", "@{0}", "HEAD", "~", "$(touch outside)", ";touch outside",
    "file:///etc/passwd", "海",
]  # fmt: skip
TAKING = [
    ("show", "Customer/{}"), ("show", "{}"), ("new", "Customer", "{}"), ("set", "Customer/{}", "customerGrade=group"),
    ("rename", "Customer/harbour-bank", "{}"), ("remove", "Customer/{}"), ("review", "{}"), ("approve", "{}"),
    ("apply", "{}"), ("withdraw", "{}"), ("log", "{}"), ("blame", "Customer/{}"), ("diff", "{}"),
    ("check", "--ref", "{}"),
    ("keys", "add", "{}"), ("audit", "{}"), ("audit", "--root", "{}"), ("propose", "-m", "x", "{}"),
]  # fmt: skip


@pytest.mark.parametrize("words", TAKING, ids=" ".join)
def test_a_name_is_never_a_way_out_an_option_or_a_command(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words
) -> None:
    user = User(git_repo(texts()), capsys)
    monkeypatch.chdir(user.folder)
    around = sorted(user.folder.parent.iterdir())

    for name in NAMES:
        ran = user.run(*(word.format(name) for word in words))

        assert ran.code in (0, 1, 2), (name, ran.err)
        assert sorted(user.folder.parent.iterdir()) == around, name
        assert not list(user.folder.rglob("outside*")), name


# -- schemas -----------------------------------------------------------------------------------------------------------

BLOCKS = [
    "(a+)+",
    "(a*)*",
    "(a|a)*",
    "(a|aa)+",
    "(a+)*b?",
    "([a-z]+)*",
    "(a?){30}a{30}",
    "(.*a){12}",
    "(\\w+\\s?)*",
    "(a|b|ab)*",
]
ENDS = ["$", "!$", "c$", "[^a]$", "\\d$"]
COMMON = {path: data for path, data in SCHEMAS.items() if "/kinds/" not in path and "/policies/" not in path}
STRINGS = ["a" * 28, "a" * 5_000, "a" * 1_000_000, "a" * 27 + "!"]


def with_pattern(pattern: str) -> bytes:
    """The schema of Customer in which the postcode has this pattern."""
    schema = json.loads(SCHEMAS["schemas/kinds/Customer.schema.json"])
    schema["$defs"]["spec"]["properties"]["postcode"] = {"type": "string", "pattern": pattern}
    return json.dumps(schema).encode()


@pytest.mark.parametrize("block", BLOCKS)
def test_a_catastrophic_pattern_is_refused_or_answers_at_once(block: str) -> None:
    for end in ENDS:
        schemas, _ = load_schemas({**COMMON, "schemas/kinds/Customer.schema.json": with_pattern(f"^{block}{end}")})
        if "Customer" not in schemas.kinds:
            continue
        for text in STRINGS:
            start = time.process_time()
            list(schemas.kinds["Customer"].problems({"postcode": text}, of="spec"))
            assert time.process_time() - start < 1, (block, end, len(text))


def with_keys(pattern: str) -> bytes:
    """The schema of Customer in which a field has keys of this pattern."""
    schema = json.loads(SCHEMAS["schemas/kinds/Customer.schema.json"])
    notes = {"type": "object", "patternProperties": {pattern: {"type": "string"}}, "unevaluatedProperties": False}
    schema["$defs"]["spec"]["properties"]["postcode"] = notes
    return json.dumps(schema).encode()


@pytest.mark.parametrize("block", BLOCKS)
def test_a_catastrophic_pattern_of_keys_is_refused_or_answers_at_once(block: str) -> None:
    for end in ENDS:
        schemas, _ = load_schemas({**COMMON, "schemas/kinds/Customer.schema.json": with_keys(f"^{block}{end}")})
        if "Customer" not in schemas.kinds:
            continue
        for key in STRINGS:
            start = time.process_time()
            found = list(schemas.kinds["Customer"].problems({"postcode": {key: 1}}, of="spec"))
            assert found and time.process_time() - start < 1, (block, end, len(key))


@pytest.mark.parametrize("pattern", ["(?=a)b", "(a)\\1", "a(", "(?<!a)b"])
def test_a_pattern_of_keys_that_no_linear_engine_takes_is_found(pattern: str) -> None:
    schemas, findings = load_schemas({**COMMON, "schemas/kinds/Customer.schema.json": with_keys(pattern)})

    assert "Customer" not in schemas.kinds and [one.code for one in findings] == ["invalid-schema"]


@pytest.mark.parametrize("place", ["http://127.0.0.1:{}/x", "file:///etc/hostname", "https://127.0.0.1:{}/x"])
def test_a_reference_leads_nowhere_outside_of_the_store(place: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        called = threading.Event()
        threading.Thread(target=lambda: (server.accept(), called.set()), daemon=True).start()
        schema = json.loads(SCHEMAS["schemas/kinds/Customer.schema.json"])
        schema["$defs"]["spec"]["properties"]["postcode"] = {"$ref": place.format(server.getsockname()[1])}

        schemas, findings = load_schemas({**COMMON, "schemas/kinds/Customer.schema.json": json.dumps(schema).encode()})

        assert "Customer" not in schemas.kinds
        assert {one.code for one in findings} == {"invalid-schema"} and not called.wait(0.2)
