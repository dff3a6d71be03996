"""Read one YAML file as JSON types, strictly, with the place of every value.

Most files are read by ``plain``; this is the reference that it is held to, and the way for every other file.
One pass over libyaml's events builds the value, so nothing is built that the limits forbid: the stream of events is
iterative, while composing nodes recurses and dies on deep nesting. What is true after: every value is what it would be
in JSON, every key is text and unique, every text can be shown to a person.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from remit.findings import Finding, finding, in_order
from remit.places import Place, Pointer, pointer_text
from remit.yamltext.plain import LONGEST, read_plainly
from remit.yamltext.scalars import Doubt, forbidden_character, resolve, shown

LARGEST_FILE = 256 * 1024
DEEPEST = 32
MOST_EVENTS = 50_000
ENOUGH_FINDINGS = 100
"""Reading a file stops after so many: the rest would say the same."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's scanner and parser where PyYAML was built with it."""

# Raw text may end lines with \r\n. The two Unicode line ends break lines for YAML 1.1 readers only.
_RAW = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
# libyaml compares each %TAG line with all before it; no file needs one.
_MOST_TAG_LINES = 32

_SMALLER = "Split it into several records, or give the data as a feed."
_HINTS = {
    "mapping values are not allowed": 'Put text that holds ": " in quotes, and look at the indentation.',
    "cannot start any token": "Indent with spaces; put text that begins with @, `, % or a tab in quotes.",
    "could not find expected ':'": "A key is followed by a colon and a space.",
    "expected <block end>": "Look at the indentation: it does not fit the lines above.",
    "did not find expected key": "Look at the indentation: it does not fit the lines above.",
    "did not find expected ','": "A bracket or brace is not closed, or a comma is missing.",
    "while scanning a quoted scalar": "A quotation mark is not closed.",
    "invalid Unicode character escape": "Write the character itself.",
}


Places = Mapping[Pointer, tuple[int, int]]
"""Lines and columns, from 1."""


@dataclass(frozen=True)
class Document:
    """A file that read well: its value in JSON types. Where everything stands is found when it is asked for."""

    path: str
    value: Any
    start: tuple[int, int] = (1, 1)
    text: str = field(default="", compare=False, repr=False)

    @cached_property
    def _marks(self) -> tuple[Places, Places]:
        reader = _Reader(self.path, self.text)
        reader.read()
        return reader.places, reader.key_places

    @property
    def key_places(self) -> Places:
        """Where each key stands."""
        return self._marks[1]

    def place(self, pointer: Pointer) -> Place:
        """Where the value at ``pointer`` begins; for a pointer that leads nowhere, its nearest parent that exists."""
        if not pointer:
            return Place(self.path, *self.start)
        places = self._marks[0]
        while pointer not in places and pointer:
            pointer = pointer[:-1]
        return Place(self.path, *places.get(pointer, self.start))

    def key_place(self, pointer: Pointer) -> Place:
        """Where the key of ``pointer`` stands; ``place`` for list items and what does not exist."""
        return Place(self.path, *self.key_places[pointer]) if pointer in self.key_places else self.place(pointer)


class PackedDocument(Document):
    """A document that was read elsewhere: its value is unpacked, or read again, when it is asked for."""

    @classmethod
    def of(cls, path: str, start: tuple[int, int], packed: bytes, data: bytes) -> PackedDocument:
        """What ``read`` gave for ``data``, with the value as ``marshal`` packs it, or nothing in its place."""
        made = object.__new__(cls)
        made.__dict__.update(path=path, start=start, _packed=packed, _data=data)
        return made

    @cached_property
    def value(self) -> Any:
        """The value in JSON types."""
        if packed := self.__dict__["_packed"]:
            return marshal.loads(packed)
        document, _ = read(self.__dict__["_data"], self.path)
        return document.value if document is not None else None

    @cached_property
    def text(self) -> str:
        """The file."""
        return str(self.__dict__["_data"], "utf-8")


def read(data: bytes, path: str) -> tuple[Document | None, tuple[Finding, ...]]:
    """The document in ``data``, or every reason found why it is not taken; never both, and nothing is raised.

    Boundaries: 256 KiB, 32 levels and 50,000 events are still read. Plain scalars mean what ``scalars.resolve`` says.

    Source: security rules R24 and R25.
    """
    if plain := _plainly(data, path):
        return plain, ()
    text, problem = _decoded(data, path)
    return (None, (problem,)) if problem else read_strictly(text, path)


def _plainly(data: bytes, path: str) -> Document | None:
    """What a plain file says; None for every other. No character of such a file is one that is refused."""
    try:
        text = data.decode("utf-8") if len(data) <= 4 * LONGEST else ""
    except UnicodeDecodeError:
        return None
    plain = read_plainly(text)
    return Document(path, plain.value, (plain.line, 1), text) if plain else None


def read_strictly(text: str, path: str) -> tuple[Document | None, tuple[Finding, ...]]:
    """What ``read`` gives for a text, however it is laid out."""
    reader = _Reader(path, text)
    reader.read()
    if reader.findings:
        return None, in_order(reader.findings)
    return Document(path, reader.value, reader.places[()], text), ()


def _decoded(data: bytes, path: str) -> tuple[str, Finding | None]:
    if len(data) > LARGEST_FILE:
        message = f"The file has {len(data):,} bytes; the limit is {LARGEST_FILE:,}."
        return "", finding("unreadable-file", message, Place(path), hint=_SMALLER)
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        message = "The file begins with a byte-order mark."
        return "", finding("unreadable-file", message, Place(path, 1, 1), hint="Save it as UTF-8 without a mark.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place(path, data[: error.start].decode("utf-8"))
        message = f"The file is not UTF-8: byte {data[error.start]:#04x} here ({error.reason})."
        return "", finding("unreadable-file", message, place, hint="Save it as UTF-8.")
    if match := _RAW.search(text):
        message = f"The file holds the character U+{ord(match.group()):04X}, which a reader cannot see."
        return "", finding("unreadable-file", message, _place(path, text[: match.start()]), hint="Take it out.")
    if text.startswith("%TAG") + text.count("\n%TAG") > _MOST_TAG_LINES:
        return "", finding("yaml-tag", "The file declares YAML tags.", Place(path), hint="Take the %TAG lines out.")
    return text, None


def _place(path: str, before: str) -> Place:
    return Place(path, before.count("\n") + 1, len(before) - before.rfind("\n"))


@dataclass
class _Frame:
    """A collection being filled; ``key`` is the mapping key that waits for its value."""

    value: dict[str, Any] | list[Any]
    pointer: Pointer
    key: str | None = None


class _Reader:
    """Takes events one by one; after a finding it goes on only to find more, its value then means nothing."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.value: Any = None
        self.places: dict[Pointer, tuple[int, int]] = {}
        self.key_places: dict[Pointer, tuple[int, int]] = {}
        self.findings: list[Finding] = []
        self._frames: list[_Frame] = []
        self._events = 0
        self._documents = 0

    def read(self) -> None:
        """Take everything."""
        try:
            for event in yaml.parse(self.text, Loader=LOADER):
                if not self.take(event):
                    break
            else:
                self.end()
        except yaml.MarkedYAMLError as error:
            self.refuse_syntax(error)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            self.refuse("yaml-syntax", f"The text is not YAML: {error}", (0, 0))

    def take(self, event: Any) -> bool:
        """Whether reading goes on after ``event``."""
        self._events += 1
        if self._events > MOST_EVENTS:
            return self.refuse(
                "yaml-too-deep", f"The file holds more than {MOST_EVENTS:,} values and keys.", _at(event), _SMALLER
            )
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._refuse_properties(event)
            self._refuse_layout(event)
            self._scalar(event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._refuse_properties(event)
            return self._open(event, {} if kind is yaml.MappingStartEvent else [])
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._frames.pop()
        elif kind is yaml.AliasEvent:
            return self.refuse(
                "yaml-alias", f"*{event.anchor} is an alias.", _at(event), "Write the value here in full."
            )
        elif kind is yaml.DocumentStartEvent:
            return self._document(event)
        return len(self.findings) < ENOUGH_FINDINGS

    def end(self) -> None:
        """The stream is over."""
        if not self._documents:
            self.refuse("yaml-many-documents", "The file holds no document.", (1, 1), "Write a record, or remove it.")

    def refuse(self, code: str, message: str, at: tuple[int, int], hint: str = "") -> bool:
        """Note a finding where reading now is; False, so that ``return self.refuse(…)`` also stops."""
        pointer = self._frames[-1].pointer if self._frames else ()
        place = Place(self.path, *at)
        self.findings.append(finding(code, message, place, hint=hint, pointer=pointer_text(pointer)))
        return False

    def refuse_syntax(self, error: yaml.MarkedYAMLError) -> None:
        """Note what libyaml could not read, in its words."""
        mark = error.problem_mark or error.context_mark
        words = ", ".join(part for part in (error.problem, error.context) if part)
        code = "unreadable-file" if "Unicode character escape" in words else "yaml-syntax"
        hint = next((hint for part, hint in _HINTS.items() if part in words), "")
        self.refuse(code, f"The text is not YAML: {words}.", (mark.line + 1, mark.column + 1) if mark else (0, 0), hint)

    def _document(self, event: Any) -> bool:
        self._documents += 1
        if self._documents > 1:
            return self.refuse(
                "yaml-many-documents", "A second document begins here.", _at(event), "One record a file."
            )
        if event.tags:
            return self.refuse("yaml-tag", "The file declares YAML tags.", _at(event), "Take the %TAG lines out.")
        return True

    def _refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            self.refuse("yaml-alias", f"&{event.anchor} is an anchor.", _at(event), "Take it out.")
        if event.tag is not None:
            self.refuse(
                "yaml-tag", f"{shown(event.tag)} is a tag.", _at(event), "Take it out; use quotes to make text."
            )

    def _refuse_layout(self, event: Any) -> None:
        """Two layouts that libyaml reads otherwise than YAML 1.2 says."""
        before = self.text[event.start_mark.index - 1 : event.start_mark.index]
        if before == "?":
            self.refuse("yaml-ambiguous", "A question mark stands right before text.", _at(event), "Use quotes.")
        if event.style in ("|", ">") and event.end_mark.index >= len(self.text) and not self.text.endswith("\n"):
            message = "A block of text ends with the file, without a line end."
            self.refuse("yaml-ambiguous", message, _at(event), "End the file with a line end.")

    def _open(self, event: Any, value: dict[str, Any] | list[Any]) -> bool:
        if len(self._frames) == DEEPEST:
            return self.refuse(
                "yaml-too-deep", f"The values nest more than {DEEPEST} levels deep.", _at(event), _SMALLER
            )
        if self._key_is_next():
            return self.refuse("yaml-key-not-text", "A key is a list or a mapping.", _at(event), "Make it text.")
        self._frames.append(_Frame(value, self._place_value(value, event)))
        return True

    def _scalar(self, event: Any) -> None:
        plain = event.implicit[0] and event.style in (None, "")
        value = resolve(event.value) if plain else event.value
        if self._key_is_next():
            self._take_key(event, value)
        elif isinstance(value, Doubt):
            self._place_value(None, event)
            self.refuse(value.code, value.message, _at(event), value.hint)
        else:
            self._place_value(value, event)
            self._refuse_characters(event)

    def _take_key(self, event: Any, value: Any) -> None:
        frame = self._frames[-1]
        frame.key = event.value
        pointer = (*frame.pointer, event.value)
        if event.value == "<<" and isinstance(value, Doubt):
            self.refuse("yaml-alias", "<< is a merge key.", _at(event), "Write the values here in full.")
        elif isinstance(value, Doubt):
            self.refuse(value.code, f"A key: {value.message}", _at(event), "Write the key in quotes.")
        elif not isinstance(value, str):
            self.refuse("yaml-key-not-text", f"The key {event.value} is not text.", _at(event), "Write it in quotes.")
        elif pointer in self.key_places:
            line = self.key_places[pointer][0]
            message = f"The key {shown(value)} is already on line {line}."
            self.refuse("yaml-duplicate-key", message, _at(event), "Keep one of the two.")
        self._refuse_characters(event)
        self.key_places.setdefault(pointer, _at(event))

    def _refuse_characters(self, event: Any) -> None:
        """Escapes in double quotes can spell what raw text may not hold."""
        if event.style == '"' and (name := forbidden_character(event.value)):
            message = f"The text holds the character {name}, which a reader cannot see."
            self.refuse("unreadable-file", message, _at(event), "Take it out.")

    def _key_is_next(self) -> bool:
        return bool(self._frames) and isinstance(self._frames[-1].value, dict) and self._frames[-1].key is None

    def _place_value(self, value: Any, event: Any) -> Pointer:
        """Put ``value`` into the collection being filled, and give its pointer."""
        pointer: Pointer = ()
        if not self._frames:
            self.value = value
        else:
            frame = self._frames[-1]
            if isinstance(frame.value, list):
                pointer = (*frame.pointer, len(frame.value))
                frame.value.append(value)
            elif frame.key is not None:
                pointer = (*frame.pointer, frame.key)
                frame.value[frame.key] = value
                frame.key = None
        self.places[pointer] = _at(event)
        return pointer


def _at(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
