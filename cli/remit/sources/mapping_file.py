"""Reading a mapping file: all of it is checked before a row is read, and every slip is a finding with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

from remit import yamltext
from remit.findings import Finding, did_you_mean, finding
from remit.places import Pointer, pointer_text
from remit.sources.mapping import EPOCH_FORMATS, PLACEHOLDER, As, Column, FeedMapping, Group, Recipe, Take

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*")
_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


def read(data: bytes, path: str) -> tuple[FeedMapping | None, tuple[Finding, ...]]:
    """The mapping that a YAML file writes, or None with the findings that say why not; never raises."""
    document, findings = yamltext.read(data, path)
    if document is None or findings:
        return None, tuple(findings)
    reader = _Reader(document)
    mapping = reader.mapping()
    return (None if reader.findings else mapping), tuple(reader.findings)


_TOP = ("kind", "format", "id", "fields", "ignore", "group", "rows", "delimiter", "encoding")
_TMF621_TABLES = ("customers", "services", "ticketTypes", "channels", "statuses")
_TMF621_TOP = ("kind", "format", "prefix", *_TMF621_TABLES)
_SOURCES = ("column", "template", "value")
_RECIPE = (*_SOURCES, "as", "format", "zone", "twice", "prefix", "map", "otherwise", "event", "take")
_ENCODINGS = ("utf-8", "gb18030")


class _Reader:
    """Reads one document and collects what is wrong; a method returns something usable even after a finding."""

    def __init__(self, document: yamltext.Document) -> None:
        self.document = document
        self.findings: list[Finding] = []

    def wrong(self, message: str, pointer: Pointer, *, hint: str = "", key: bool = False) -> None:
        place = self.document.key_place(pointer) if key else self.document.place(pointer)
        self.findings.append(finding("invalid-mapping", message, place, hint=hint, pointer=pointer_text(pointer)))

    def mapping(self) -> FeedMapping:
        top = self.keys(self.document.value, (), None)
        path = self.document.path
        kind = self.text(top.get("kind"), ("kind",), "the name of a kind") if "kind" in top else None
        if self.choice(top.get("format", "columns"), ("format",), ("columns", "tmf621")) == "tmf621":
            self.keys(top, (), _TMF621_TOP)
            tables = {name: self.table(top[name], (name,)) for name in _TMF621_TABLES if name in top}
            return FeedMapping(path, kind, "tmf621", prefix=self.prefix(top, ()), tables=tables)
        self.keys(top, (), _TOP)
        for name in ("id", "fields"):
            if name not in top:
                self.wrong(f'The mapping says no "{name}".', (), hint="A mapping needs id and fields.")
        group = self.group(top["group"]) if "group" in top else None
        return FeedMapping(
            path,
            kind,
            id=self.recipe(top.get("id", {"value": ""}), ("id",), grouped=False),
            fields=self.fields(top.get("fields", {}), grouped=group is not None),
            ignore=self.columns(top.get("ignore", [])),
            group=group,
            rows=self.text(top["rows"], ("rows",), "a JSON Pointer") if "rows" in top else "",
            delimiter=self.delimiter(top.get("delimiter", ",")),
            encoding=self.choice(top.get("encoding", "utf-8"), ("encoding",), _ENCODINGS),
        )

    def fields(self, value: Any, *, grouped: bool) -> dict[str, Recipe]:
        recipes = {}
        for name, body in self.keys(value, ("fields",), None).items():
            if not _FIELD.fullmatch(name) or name in ("id", "kind"):
                self.wrong(f'"{name}" is not the name of a field.', ("fields", name), key=True)
            if any(other.startswith(f"{name}.") for other in value):
                self.wrong(f'"{name}" is mapped both as a whole and by its parts.', ("fields", name), key=True)
            recipes[name] = self.recipe(body, ("fields", name), grouped=grouped)
        return recipes

    def group(self, value: Any) -> Group:
        body = self.keys(value, ("group",), ("by", "event", "at"))
        for name in ("by", "at"):
            if name not in body:
                self.wrong(f'The group says no "{name}".', ("group",), hint="by tells facts apart, at dates lines.")
        at = self.recipe(body.get("at", {"column": 1, "as": "instant"}), ("group", "at"), grouped=False)
        if at.to != "instant":
            self.wrong("The time of an event must be read as an instant.", ("group", "at"), hint="Add: as: instant")
        event = self.column(body["event"], ("group", "event")) if "event" in body else None
        return Group(self.column(body.get("by", 1), ("group", "by")), at, event)

    def recipe(self, value: Any, pointer: Pointer, *, grouped: bool) -> Recipe:
        if isinstance(value, str | int) and not isinstance(value, bool):
            return Recipe(column=self.column(value, pointer))
        body = self.keys(value, pointer, _RECIPE)
        if sum(name in body for name in _SOURCES) != 1:
            self.wrong("A value comes from exactly one of column, template or value.", pointer)
            return Recipe()
        for name in ("event", "take"):
            if name in body and not grouped:
                self.wrong(f'"{name}" needs an event log.', (*pointer, name), hint="Add a group.", key=True)
        if "value" in body and (extra := sorted(set(body) - {"value"})):
            self.wrong(f"A constant takes nothing else, and here is {', '.join(extra)}.", pointer)
        if "otherwise" in body and "map" not in body:
            self.wrong('"otherwise" needs a map.', (*pointer, "otherwise"), key=True)
        to: As = self.choice(body.get("as", "text"), (*pointer, "as"), get_args(As))
        for name, kinds in (("format", ("instant", "date")), ("zone", ("instant",)), ("twice", ("instant",))):
            if name in body and to not in kinds:
                self.wrong(f'"{name}" needs as: {kinds[0]}.', (*pointer, name), key=True)
        if "prefix" in body and to != "name":
            self.wrong('"prefix" needs as: name.', (*pointer, "prefix"), key=True)
        return Recipe(
            column=self.column(body["column"], (*pointer, "column")) if "column" in body else None,
            template=self.template(body["template"], (*pointer, "template")) if "template" in body else "",
            value=body.get("value"),
            to=to,
            typed="as" in body,
            format=self.format(body["format"], (*pointer, "format")) if "format" in body else "",
            zone=self.zone(body["zone"], (*pointer, "zone")) if "zone" in body else None,
            twice=self.choice(body["twice"], (*pointer, "twice"), get_args(Take)) if "twice" in body else None,
            prefix=self.prefix(body, pointer),
            table=self.keys(body["map"], (*pointer, "map"), None) if "map" in body else None,
            otherwise=body.get("otherwise"),
            event=self.text(body["event"], (*pointer, "event"), "the name of an event") if "event" in body else "",
            take=self.choice(body.get("take", "first"), (*pointer, "take"), get_args(Take)),
        )

    def keys(self, value: Any, pointer: Pointer, known: Sequence[str] | None) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.wrong("Here must be a mapping of names to values.", pointer)
            return {}
        for name in value:
            if known is not None and name not in known:
                hint = did_you_mean(name, known)
                self.wrong(f'There is no key "{name}" here.', (*pointer, name), hint=hint, key=True)
        return value

    def text(self, value: Any, pointer: Pointer, what: str) -> str:
        if isinstance(value, str) and value:
            return value
        self.wrong(f"Here must be {what}, as text.", pointer)
        return "?"

    def choice(self, value: Any, pointer: Pointer, options: tuple[Any, ...]) -> Any:
        if value in options:
            return value
        self.wrong(f"{value!r} is not one of {', '.join(options)}.", pointer, hint=did_you_mean(str(value), options))
        return options[0]

    def column(self, value: Any, pointer: Pointer) -> Column:
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        self.wrong("A column is given by its name, or by its position from 1.", pointer)
        return "?"

    def columns(self, value: Any) -> tuple[Column, ...]:
        if isinstance(value, list):
            return tuple(self.column(item, ("ignore", index)) for index, item in enumerate(value))
        self.wrong("Here must be a list of columns.", ("ignore",))
        return ()

    def table(self, value: Any, pointer: Pointer) -> dict[str, str]:
        body = self.keys(value, pointer, None)
        return {name: self.text(item, (*pointer, name), "a word of the kind") for name, item in body.items()}

    def template(self, value: Any, pointer: Pointer) -> str:
        text = self.text(value, pointer, "a text with {Column} in it")
        if not PLACEHOLDER.search(text) or set(PLACEHOLDER.sub("", text)) & {"{", "}"}:
            self.wrong("A template names at least one column in braces.", pointer, hint='Such as "case-{Case ID}".')
        return text

    def format(self, value: Any, pointer: Pointer) -> str:
        text = self.text(value, pointer, "a form of date and time")
        if text in EPOCH_FORMATS:
            return text
        sample = datetime(2001, 2, 3, 4, 5, 6)
        try:
            year = datetime.strptime(sample.strftime(text.replace("%z", "+0000")), text).year
        except ValueError as error:
            self.wrong(f"{text!r} cannot be read back: {error}.", pointer, hint="Such as %Y/%m/%d %H:%M:%S.%f")
            return text
        if year != sample.year:
            self.wrong(f"{text!r} does not say the year.", pointer, hint="Such as %Y/%m/%d %H:%M:%S.%f")
        return text

    def zone(self, value: Any, pointer: Pointer) -> ZoneInfo | None:
        text = self.text(value, pointer, "a time zone such as Asia/Shanghai")
        try:
            return ZoneInfo(text)
        except (KeyError, ValueError, OSError):
            self.wrong(f"{text!r} is not a time zone.", pointer, hint="Such as Asia/Shanghai or Europe/Rome.")
            return None

    def prefix(self, body: Mapping[str, Any], pointer: Pointer) -> str:
        value = body.get("prefix", "")
        if value == "" or (isinstance(value, str) and _PREFIX.fullmatch(value)):
            return str(value)
        self.wrong("A prefix is made of lower-case letters, digits and dashes, 31 at most.", (*pointer, "prefix"))
        return ""

    def delimiter(self, value: Any) -> str:
        if isinstance(value, str) and len(value) == 1 and value not in '"\r\n':
            return value
        self.wrong("A delimiter is one character.", ("delimiter",), hint='Such as ";" or "\\t".')
        return ","
