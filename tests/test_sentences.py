"""Every sentence that Remit says is there in both languages, is used, and is given all that it asks for."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remit.sentences import both, say, spoken, table

PACKAGE = Path(__file__).parent.parent / "cli" / "remit"
AREAS = sorted(path.stem for path in (PACKAGE / "sentences").glob("[a-z]*.py"))
KEYS = [f"{area}.{name}" for area in AREAS for name in table(area)]
COMMAND = re.compile(r"(git|remit|ssh-keygen|ssh-add|chown|chmod) |FROM\.\.TO")


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def said() -> Iterator[tuple[str, str, set[str] | None]]:
    """Where something is said, the key (its beginning and a star when the rest is computed), and what is given."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say" and node.args:
                given = {one.arg for one in node.keywords if one.arg}
                spread = any(one.arg is None for one in node.keywords)
                place = f"{path.name}:{node.lineno}"
                match node.args[0]:
                    case ast.Constant(value=str(key)):
                        yield place, key, None if spread else given
                    case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
                        yield place, f"{start}*", None
                    case ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))):
                        yield place, one, given
                        yield place, other, given
                    case other:
                        raise AssertionError(f"{place}: {ast.unparse(other)} is no key that can be looked for")


SAID = list(said())


@pytest.mark.parametrize(("place", "key", "given"), SAID, ids=[f"{place}-{key}" for place, key, _ in SAID])
def test_what_is_said_is_a_sentence_and_is_given_what_it_asks_for(place: str, key: str, given: set[str] | None) -> None:
    if key.endswith("*"):
        assert any(one.startswith(key[:-1]) for one in KEYS)
    else:
        assert key in KEYS
        assert given is None or given == fields(both(key)[0])


@pytest.mark.parametrize("key", KEYS)
def test_a_sentence_is_used_and_says_the_same_in_both_languages(key: str) -> None:
    english, chinese = both(key)

    assert any(key == one or (one.endswith("*") and key.startswith(one[:-1])) for _, one, _ in SAID)
    assert fields(english) == fields(chinese)
    only_parts = not re.search("[a-z]", re.sub("{[^}]*}", "", english))
    alike = english == chinese and (COMMAND.match(english) or only_parts)
    assert alike or re.search("[\u3000-\u9fff\uff00-\uffef]", chinese)
    assert not re.search("[\u4e00-\u9fff]", english)


def test_a_text_is_its_english_sentence_and_speaks_chinese_with_all_that_is_in_it() -> None:
    missing = say("change.missing-need", rule="r", why=say("change.some-missing", count=1), need="x")
    text = say("change.not-approved", change="c-1", missing=[missing, missing])

    assert text == "c-1 is not approved: r: 1 missing (x); r: 1 missing (x)"
    assert json.dumps([text]) == json.dumps([str(text)])
    assert spoken(text, "en") == text and type(spoken(text, "en")) is str
    assert spoken(text, "zh") == "c-1 尚未获得批准：r：尚缺 1 人（x）；r：尚缺 1 人（x）"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_english_counts(count: int) -> None:
    assert say("change.approvals", count=count) == f"{count} approval{'' if count == 1 else 's'}"


@pytest.mark.parametrize(
    "copied",
    [
        copy.deepcopy,
        lambda text: pickle.loads(pickle.dumps(text)),
    ],
    ids=["copied", "pickled"],
)
def test_a_copy_of_a_text_speaks_chinese_too(copied: Callable[[str], str]) -> None:
    parts = [say("change.and-more", names=("a", say("change.has-come")), count=2), "b"]
    text = say("change.not-approved", change="c-1", missing=parts)

    assert copied(text) == text and spoken(copied(text), "zh") == "c-1 尚未获得批准：a、时间已到 等，另有 2 项；b"
    assert copied("as it is") == "as it is"
