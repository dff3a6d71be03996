"""Everything that Remit says to people, in English and Chinese: a sentence is named by its key and written down once.

A ``Text`` is its English sentence, so it is compared, sorted and stored as such, and goes out in JSON the same whatever
the reader speaks; ``spoken`` gives the sentence that the reader understands. A key is ``area.name``: the sentences of an
area are the table ``SENTENCES`` of the module of that name, which is read when one of them is first said.

In a sentence ``{name}`` stands for what was given. A list is joined as the language does, by commas, by semicolons as
``{name:;}``, by another word as ``{name:or}``, or in ``{name:lines}``; ``{count:thing|things}`` is counted, where Chinese, which has no plural, says ``{count}``; and a ``Text``
inside another is spoken in the same language.
"""

from __future__ import annotations

import importlib
import string
from collections.abc import Mapping
from functools import cache
from typing import Any

_BETWEEN = {
    ",": (", ", "、"),
    ";": ("; ", "；"),
    "lines": ("\n", "\n"),
    "or": (" or ", " 或 "),
    "and-a": (" and a ", " 和 "),
}


class Text(str):
    """A sentence for people; as a ``str`` it is the English one."""

    __slots__ = ("key", "parts")
    key: str
    parts: Mapping[str, Any]

    def __new__(cls, key: str, parts: Mapping[str, Any]) -> Text:
        """The sentence named ``key`` with what stands in it."""
        text = super().__new__(cls, _Speaker("en").vformat(both(key)[0], (), parts))
        text.key, text.parts = key, parts
        return text

    def __getnewargs__(self) -> tuple[str, Mapping[str, Any]]:  # type: ignore[override]
        """What makes an equal one, so that copies speak both languages too."""
        return self.key, self.parts


def say(key: str, /, **parts: Any) -> Text:
    """The sentence named ``key`` with ``parts`` in it.

    Raises:
        KeyError: there is no such sentence, or it asks for a part that is not given.
    """
    return Text(key, parts)


def spoken(text: str, language: str) -> str:
    """A sentence in ``language`` (zh, or else English); any other text as it is."""
    if language == "zh" and isinstance(text, Text):
        return _Speaker("zh").vformat(both(text.key)[1], (), text.parts)
    return str(text)


def both(key: str) -> tuple[str, str]:
    """The English and the Chinese sentence of a key."""
    area, _, name = key.partition(".")
    return table(area)[name]


@cache
def table(area: str) -> Mapping[str, tuple[str, str]]:
    """The sentences of an area by name."""
    found: Mapping[str, tuple[str, str]] = importlib.import_module(f"remit.sentences.{area}").SENTENCES
    return found


class _Speaker(string.Formatter):
    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> Any:
        if isinstance(value, (list, tuple)):
            between = _BETWEEN[format_spec or ","][self._language == "zh"]
            return between.join(spoken(one, self._language) for one in value)
        if "|" in format_spec:
            one, many = format_spec.split("|")
            return f"{value} {one if value == 1 else many}"
        return super().format_field(spoken(value, self._language) if isinstance(value, str) else value, format_spec)
