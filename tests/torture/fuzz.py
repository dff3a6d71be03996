"""Bad input: whatever comes in from outside is read or refused, and nothing else ever happens.

Each target is a place where bytes of strangers are read, the generator of its bytes, and what must hold of every
answer. The generators put together pieces of what is well-formed, so that they come further than noise does.

Source: security, B4, B6.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import test_sources
from agreement import compiled, condition_text
from approval_store import SCHEMAS, texts
from guarded import PENS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.changes import Approval, approval_text, parse_approval, parse_message, with_trailers
from remit.errors import GitError, UserError
from remit.git.parsing import check_ref, parse_commit
from remit.guarding import read_moves
from remit.records import build_snapshot
from remit.reporters.terminal import safe
from remit.schemas import load_schemas
from remit.shapes import why_no_plain_commit
from remit.signatures import NotAKey, parse_public_key, signer
from remit.sources.strictjson import BadJson, parse
from remit.times import parse_duration, parse_instant, parse_period
from remit.wording import NAMES, Wording, template_problems
from remit.yamltext import dump, read

AT = datetime(2026, 10, 15, 8, tzinfo=UTC)
OID = "0123456789abcdef" * 2 + "01234567"


class Target(NamedTuple):
    """A place where bytes of strangers are read: what is generated, and the question asked of each."""

    inputs: Any
    ask: Callable[[Any], None]


def soup(*pieces: str, most: int = 30) -> Any:
    """Texts put together of pieces, now and then with anything between them."""
    return st.lists(st.sampled_from(pieces) | st.text(max_size=3), max_size=most).map("".join)


def bent(*originals: bytes) -> Any:
    """Something well-formed with some bytes replaced, removed or put in."""

    def bend(data: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
        for at, length, new in cuts:
            at %= len(data) + 1
            data = data[:at] + new + data[at + length :]
        return data

    cut = st.tuples(st.integers(0, 2000), st.integers(0, 3), st.binary(max_size=2))
    return st.builds(bend, st.sampled_from(originals), st.lists(cut, max_size=3))


def like(*originals: str) -> Any:
    """Texts like these."""
    return bent(*(text.encode() for text in originals)).map(lambda data: data.decode("utf-8", "replace"))


def conditions() -> Any:
    """Conditions that compile, and ones like them."""
    whole = st.randoms(use_true_random=False).map(condition_text)
    return whole | whole.flatmap(like)


# -- what is asked -----------------------------------------------------------------------------------------------------


def ask_yaml(text: str) -> None:
    """A file is a document or findings; a document is plain JSON and comes back from what we write of it."""
    document, findings = read(text.encode("utf-8", "surrogatepass"), "records/x.yaml")
    assert (document is None) == any(one.severity == "error" for one in findings)
    if document is not None and isinstance(document.value, dict):
        json.dumps(document.value, allow_nan=False)
        again, trouble = read(dump(document.value), "records/x.yaml")
        assert again is not None and again.value == document.value, trouble


def ask_record(text: str) -> None:
    """Any record is judged by its schema in words."""
    snapshot = build_snapshot({"records/customers/x.yaml": text.encode("utf-8", "surrogatepass")})
    for record in snapshot.records:
        for one in SCHEMA_SET.check_record(record):
            assert one.message and one.place.path


def ask_condition(text: str) -> None:
    """A condition compiles or has findings."""
    condition, findings = compiled(text)
    assert (condition is None) == bool([one for one in findings if one.severity == "error"])


def ask_schema(data: bytes) -> None:
    """A schema is taken or named."""
    path = "schemas/kinds/Customer.schema.json"
    schemas, findings = load_schemas({**COMMON, path: data})
    assert ("Customer" in schemas.kinds) != bool(findings)


def ask_approval(data: bytes) -> None:
    """What is read as an approval is written as exactly these bytes."""
    found = parse_approval(data)
    assert found is None or approval_text(found) == data


def ask_message(text: str) -> None:
    """Words of an author are never taken for what people signed: our own block after them wins."""
    parse_message(text)
    message = with_trailers(text, "c-20261015-ab12cd", [APPROVAL])
    assert parse_message(message)[1:3] == ("c-20261015-ab12cd", (APPROVAL,))


def ask_commit(raw: bytes) -> None:
    """A commit of the plain shape has one parent, a tree, and a message that both readers see alike."""
    if why_no_plain_commit(raw):
        return
    commit = parse_commit(OID, raw)
    assert len(commit.parents) == 1 and len(commit.tree) in (40, 64)
    assert commit.message.encode() == raw.partition(b"\n\n")[2] or b"gpgsig" in raw


def ask_moves(data: bytes) -> None:
    """The lines of a hook keep every byte of a name, or are refused."""
    try:
        moves = read_moves(data)
    except ValueError:
        return
    kept = b"".join(move.ref.encode("utf-8", "surrogateescape") + b"\n" for move in moves)
    assert kept == b"".join(line.split(b" ", 2)[2] + b"\n" for line in data.split(b"\n")[:-1])


def ask_ref(name: str) -> None:
    """A name that we would give to git stays below refs and is no option, path or revision."""
    try:
        check_ref(name)
    except GitError:
        return
    assert name.startswith("refs/") and not any(part in ("", ".", "..") for part in name.split("/"))
    assert not set(name) & set(" ~^:?*[\\\x7f\n\t\0")


def ask_key(text: str) -> None:
    """A public key is one that is written back the same way, or none."""
    try:
        key = parse_public_key(text)
    except NotAKey:
        return
    assert parse_public_key(key.line) == key


def ask_signature(text: str) -> None:
    """What is no signature of ours names nobody."""
    assert signer(text, b"words") is None


def ask_screen(text: str) -> None:
    """Nothing that a terminal would obey or hide comes through."""
    for character in safe(text):
        assert character in "\n\t" or character.isprintable() or ord(character) > 0x9F
        assert not 0x202A <= ord(character) <= 0x202E and not 0x2066 <= ord(character) <= 0x2069


def ask_json(data: bytes) -> None:
    """JSON is plain and finite, or refused."""
    try:
        value = parse(data)
    except BadJson:
        return
    json.dumps(value, allow_nan=False)


def ask_time(text: str) -> None:
    """An instant, a span and a period are read, or refused as values."""
    for reader in (parse_instant, parse_duration, lambda one: parse_period(one, UTC)):
        try:
            reader(text)
        except ValueError:
            continue


def ask_template(source: str) -> None:
    """A template is words, or refused in words."""
    list(template_problems(source))
    try:
        text = Wording({}).message({"en": source}, "en", dict.fromkeys(NAMES, "x") | {"fields": {"a": [1]}, "at": AT})
    except UserError:
        return
    assert isinstance(text, str)


_ask_any_feed = test_sources.test_no_bytes_crash_a_source_and_every_row_is_accounted_for.hypothesis.inner_test  # type: ignore[attr-defined]


def ask_feed(given_: tuple[bytes, str, bool, str | None]) -> None:
    """Every row of a feed is accepted or named."""
    data, suffix, mapped, kind = given_
    with tempfile.TemporaryDirectory() as folder:
        _ask_any_feed(Path(folder), data, suffix, mapped, kind)


# -- what is generated -------------------------------------------------------------------------------------------------

APPROVAL = Approval(
    "c-20261015-ab12cd", OID, "refs/heads/main", OID, OID, "0" * 64, "1" * 64, "approve", "bob-sun", AT, None,
    "同意 \"so\"", "sig",
)  # fmt: skip
WHO = b"Ann Lee <ann-lee@example.org> 1760515200 +0800"
COMMIT = b"tree %b\nparent %b\nauthor %b\ncommitter %b\n\ntitle\n\nbody\n" % (OID.encode(), OID.encode(), WHO, WHO)
SIGNED = COMMIT.replace(b"\n\ntitle", b"\ngpgsig -----BEGIN\n abc\n -----END\n\ntitle")
SCHEMA_SET = load_schemas(SCHEMAS)[0]
COMMON = {path: data for path, data in SCHEMAS.items() if "/kinds/" not in path and "/policies/" not in path}
CUSTOMER = SCHEMAS["schemas/kinds/Customer.schema.json"]
KEYS = [f"{PENS[name].public.line} {name}@desk" for name in ("ann-lee", "bob-sun")]
YAML = (
    "\n", "  ", "- ", ": ", "a: ", "b: ", "? ", "|\n", ">-\n", "'", '"', "#", "[", "]", "{", "}", ",", "&a ", "*a",
    "!!str ", "<<: ", "---\n", "...\n", "%YAML 1.2\n", "\t", "\r\n", "0o7", "1e400", ".nan", "2026-13-45", "yes",
    "null", "~", "\x00", "\ufeff", "\u202e", "\ud800", "\x85", "\u2028", "海港", "1_000", "0x1F",
    "12345678901234567890", "- - - ",
)  # fmt: skip
RECORD = (
    "apiVersion: remit/v1\n", "kind: Customer\n", "metadata: {name: x}\n", "spec:\n", "  customerGrade: group\n",
    "  customerGrade: 7\n", "  unit: south\n", "  roles: {cce: eve}\n", "  roles: []\n", "  extra: 1\n",
    "metadata: x\n", "kind: [a]\n", "spec: null\n", "  lines: 1e308\n", "  status: 故障\n", "  validFrom: 2026-02-30\n",
)  # fmt: skip
CONDITION = (
    "subject", ".", "count", "openedAt", "cost", "notes", "customer.grade", "now", "param.wait", "(", ")", "[", "]",
    "{", "}", " && ", " || ", "!", " == ", " < ", " in ", " ? ", " : ", " + ", " - ", " * ", " / ", " % ", "has(",
    "size(", ".exists(n, ", ".all(n, ", ".map(n, ", "duration(", "timestamp(", '"', "'", "'a'", "1", "1.5", "1u",
    "true", "null", "0x7fffffffffffffff", "9223372036854775808",
    "b'a'", "r'\\'", "//", "/*", "\n", "\x00", "静", "matches('(a+)+$')",
)  # fmt: skip
TEMPLATE = (
    "{{ ", " }}", "{% ", " %}", "{#", "#}", "if ", "else", "endif", "for ", " in ", "endfor", "people", "fields", ".a",
    "[0]", " | ", "join", "default", "instant", "(", ")", "'x'", "~", "not ", "and ", "==", "set ", "macro ", "call ",
    "policy", "__class__", "1", "*", "10**9", "loop", "raw", "endraw", "-", "\n",
)  # fmt: skip

RECORDS = [text for path, text in sorted(texts().items()) if path.endswith(".yaml")]
TIMES = (
    "2026-10-15T08:00:00.5+08:00",
    "2026-02-28T23:59:59Z",
    "2wd",
    "1d 2h",
    "90min",
    "2026-Q3",
    "2026-W53",
    "2026-10",
)
TEMPLATES = (
    "{{ policy }}: {% if people %}{{ people | join(', ') }}{% else %}-{% endif %}",
    "{% for a in fields.a %}{{ a }} {% endfor %}{{ at | instant }}{{ fields['a'][0] ~ policy | upper }}",
)
JSON = b'{"a": [1, 2.5e3, null, true, "\\ud83d\\ude00"], "b": {}}'
SCREEN = ("\x1b[2J", "\x9b", "\x07", "\r", "\u202e", "\u2066", "\u200b", "ab", "海")
REFS = ("refs/heads/main", "refs/heads/change/c-20261015-ab12cd", "refs/remit/reviews/c-1/bob-sun")

TARGETS = {
    "YAML": Target(soup(*YAML) | like(*RECORDS), ask_yaml),
    "records": Target(soup(*RECORD, *YAML[:20], most=12) | like(*RECORDS), ask_record),
    "conditions": Target(soup(*CONDITION, most=14) | conditions(), ask_condition),
    "feeds": Target(
        st.tuples(
            test_sources.ANY_BYTES,
            st.sampled_from([".csv", ".json", ".jsonl", ".ndjson"]),
            st.booleans(),
            st.sampled_from([None, "A"]),
        ),
        ask_feed,
    ),
    "JSON": Target(bent(JSON) | test_sources.ANY_BYTES, ask_json),
    "schemas": Target(bent(CUSTOMER), ask_schema),
    "approvals": Target(bent(approval_text(APPROVAL)), ask_approval),
    "messages": Target(
        soup("Change: c-20261015-ab12cd", "\n", "\n\n", ": ", with_trailers("x", "c-1", [APPROVAL]), "Approval: []"),
        ask_message,
    ),
    "commits": Target(bent(COMMIT, SIGNED), ask_commit),
    "pushes": Target(
        bent(f"{OID} {OID} refs/heads/main\n{'0' * 40} {OID} refs/heads/../x y\n".encode()), ask_moves
    ),
    "names of refs": Target(
        like(*REFS) | soup("refs/", "main", "..", ".", "/", "@{", "-", ".lock", "~", "\n", "\x00", "海", " ", most=8),
        ask_ref,
    ),
    "public keys": Target(like(*KEYS), ask_key),
    "signatures": Target(soup("U1NIU0lH", "AAAA", "BBBB", "=", "\n", "-----BEGIN"), ask_signature),
    "screens": Target(st.text() | soup(*SCREEN), ask_screen),
    "times": Target(
        like(*TIMES) | soup("2026", "-", "13", "T", ":", "08", "Z", "+08:00", ".5", "1d", "2wd", "Q3", "W53", most=8),
        ask_time,
    ),
    "templates": Target(soup(*TEMPLATE) | like(*TEMPLATES), ask_template),
}  # fmt: skip
"""Everywhere that bytes of strangers are read."""


def search(name: str, examples: int) -> None:
    """Ask one target so many times; the same questions each time."""
    target = TARGETS[name]
    calm = settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    calm(given(target.inputs)(target.ask))()
