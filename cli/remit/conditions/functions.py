"""The part of CEL that conditions may use, and words for each function of it."""

from __future__ import annotations

from remit.conditions.text import GETTERS, OPERATORS

FUNCTIONS: dict[str, str] = {
    **{name: f"the operator {sign}" for name, (sign, _) in OPERATORS.items()},
    "!_": "not",
    "-_": "minus",
    "_?_:_": "either of two values",
    "_[_]": 'an item of a list by its number from 0, or of a map by its key: `{"a": 1}["a"]`',
    "size": "how many characters, items or entries",
    "startsWith": 'whether a text begins so: `text.startsWith("a")`',
    "endsWith": 'whether a text ends so: `text.endsWith("a")`',
    "contains": 'whether a text has another in it: `text.contains("a")`',
    "matches": 'whether an RE2 pattern, written in place, is found in a text: `text.matches("^[A-Z]{2}-[0-9]+$")`',
    "lowerAscii": "the text with A to Z as a to z",
    "upperAscii": "the text with a to z as A to Z",
    "trim": "the text without white space at its ends",
    "split": 'the parts of a text: `text.split(",")`, at most n of them: `text.split(",", n)`',
    "join": 'texts made one: `list.join(", ")`',
    "replace": 'the text with one part for another: `text.replace("a", "b")`',
    "substring": "the characters from a number on, up to another: `text.substring(2)`, `text.substring(2, 4)`",
    "charAt": "the character at a number from 0: `text.charAt(0)`",
    "indexOf": "where a text first has another in it, -1 for nowhere",
    "lastIndexOf": "where a text last has another in it, -1 for nowhere",
    "int": "a whole number: of a text, of a number by leaving out its fraction, or seconds since 1970 of an instant",
    "double": "a number that may have fractions, of a whole number or a text",
    "string": "the text of a value",
    "math.@max": "the greatest of several numbers: `math.greatest(a, b)` or of a list",
    "math.@min": "the least of several numbers: `math.least(a, b)` or of a list",
    "duration": 'an exact span such as `duration("2h30m")`',
    "timestamp": "an instant written as RFC 3339 text",
    **dict.fromkeys(GETTERS, "a part of an instant in a zone or of a span"),
    "getFullYear": 'the year of an instant in a zone: `t.getFullYear("Asia/Shanghai")`',
    "getMonth": "its month, from 0",
    "getDate": "its day of the month, from 1",
    "getDayOfMonth": "its day of the month, from 0",
    "getDayOfWeek": "its day of the week, from 0 for Sunday",
    "getDayOfYear": "its day of the year, from 0",
    "getHours": 'the hour of an instant in a zone: `t.getHours("Asia/Shanghai")`; the whole hours of a span',
    "latest": "the last of several instants: `latest(list)`",
    "earliest": "the first of several instants: `earliest(list)`",
    "elapsed": 'the working time between two instants: `elapsed(a, b, "china-2026")`; negative if b is before a',
    "workdays": 'the working days between two instants, parts of days too: `workdays(a, b, "china-2026")`',
    "add": 'an instant moved by a span of a calendar: `add(t, "2wd", "china-2026")`',
    "money": 'an amount with its currency, such as `money("500000 CNY")`',
    "largest": "the greatest of several moneys: `largest([a, b])`",
    "smallest": "the least of several moneys: `smallest([a, b])`",
    "isWorking": 'whether an instant is working time: `isWorking(t, "china-2026")`',
}
"""Every operator and function of CEL that a condition may use; anything else is refused by name."""

TABLE = "table."
"""Begins the name of the function that looks up in a LookupTable record: ``table.repair_limit(…)``."""

REFUSED: dict[str, str] = {
    "base64": "",
    "cel": "Write the value where it is used.",
    "max": "Write: math.greatest(a, b)",
    "min": "Write: math.least(a, b)",
    "now": "Time belongs to clocks and levels: write a level with after, before or past.",
    "optional": "Use has().",
    "proto": "",
    "regex": "Use matches().",
    "sets": "Use in, exists() and all().",
    "transformList": "Use filter() and map().",
    "transformMap": "",
    "transformMapEntry": "",
}
"""Names that CEL gives a meaning to elsewhere and Remit does not, with what to write instead."""

MACROS = ("exists", "all", "exists_one", "filter", "map")
