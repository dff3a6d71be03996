"""Findings: everything that can be wrong with records, feeds, rules and cases, each under a stable code.

``CODES`` is the one list of codes; the reference page is generated from it and a test holds the two together.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from remit.places import Place
from remit.sentences import say

Severity = Literal["error", "warning", "info"]
_ORDER: dict[str, int] = {"error": 0, "warning": 1, "info": 2}


class Code(NamedTuple):
    """What a code says about the data, and how bad that is."""

    severity: Severity
    meaning: str


CODES: dict[str, Code] = {
    # files and YAML
    "unreadable-file": Code("error", "The file cannot be read: not UTF-8, a control character, or larger than the limit."),
    "not-a-regular-file": Code("error", "A symbolic link, submodule or device where a file of the store belongs."),
    "yaml-syntax": Code("error", "The text is not YAML."),
    "yaml-too-deep": Code("error", "The document nests deeper, or holds more values, than a record may."),
    "yaml-alias": Code("error", "An anchor, alias or merge key: a record says what it means in place."),
    "yaml-tag": Code("error", "A YAML tag: records hold JSON types only."),
    "yaml-many-documents": Code("error", "More than one document, or none, in the file."),
    "yaml-duplicate-key": Code("error", "A mapping has the same key twice."),
    "yaml-key-not-text": Code("error", "A mapping key that is not text."),
    "yaml-ambiguous": Code("error", "A value that two readers would take differently, such as no, 012, 12:30 or a bare date."),
    "yaml-number-range": Code("error", "A number beyond what every reader holds exactly."),
    # records
    "misplaced-file": Code("error", "The file is not where its kind and name say it should be."),
    "unknown-kind": Code("error", "No schema describes this kind."),
    "duplicate-record": Code("error", "Two files hold the same kind and name."),
    "schema-violation": Code("error", "A value does not fit the schema of its kind."),
    "unknown-field": Code("error", "The schema of the kind has no such field."),
    "missing-field": Code("error", "A field that the schema requires is missing."),
    "not-in-enum": Code("error", "A value is not one of those that the schema lists."),
    "invalid-schema": Code("error", "A schema file is not a valid, safe JSON Schema."),
    "key-invalid": Code("error", "A signing key of a person is no public key, or too weak."),
    "key-shared": Code("error", "A signing key stands in two places; it must belong to one person, once."),
    "not-unique": Code("error", "Two records share a value that must be unique."),
    "invalid-config": Code("error", "remit.yaml is missing something or says something it cannot."),
    # references and time
    "unknown-reference": Code("error", "A reference names a record that does not exist."),
    "wrong-kind-reference": Code("error", "A reference names a record of another kind than the field allows."),
    "reference-not-valid": Code("error", "A reference names a record that is not valid on the date on which it is used."),
    "validity-overlap": Code("error", "Two records that must not hold at the same time overlap."),
    "invalid-period": Code("error", "Something ends before it begins."),
    # policies
    "condition-syntax": Code("error", "A condition is not a CEL expression."),
    "condition-type": Code("error", "A condition compares or combines values of unlike types."),
    "condition-unknown-field": Code("error", "A condition uses a field that the schema does not have."),
    "condition-unknown-name": Code("error", "A condition uses a variable, function or parameter that does not exist."),
    "condition-not-in-enum": Code("error", "A condition compares a field with a value that its enum does not have."),
    "condition-unguarded": Code("error", "A condition uses an optional field without has()."),
    "condition-unsupported": Code("error", "A condition uses a part of CEL that Remit does not support."),
    "condition-not-bool": Code("error", "An expression gives a value of another type than its place needs."),
    "level-reaches-nobody": Code("error", "A level notifies a role that nobody reachable holds."),
    "nobody-may-approve": Code("error", "An approval rule asks for a role that nobody holds or a team that is not there."),
    "template-invalid": Code("error", "A message template does not parse, or uses a name that it is not given."),
    "policy-cycle": Code("error", "Policies that react to each other's decisions in a circle."),
    "policy-invalid": Code("error", "A policy contradicts itself."),
    "condition-never-true": Code("error", "A condition that no record or fact can meet."),
    "condition-never-false": Code("error", "A condition that every record and fact meets."),
    "level-out-of-order": Code("error", "A later level of a ladder is crossed before an earlier one."),
    "level-same-instant": Code("error", "Two levels for the same subjects are crossed at one instant."),
    "level-preempted": Code("error", "A level says nothing that an earlier one has not said to the same people at that instant."),
    "calendar-without-year": Code("error", "A calendar is asked about a year whose days it does not know."),
    "calendar-ends": Code("warning", "Working time that is counted now ends in a year whose days the calendar does not know."),
    "unread-parameter": Code("warning", "No policy reads a parameter, and it is not marked as reserved."),
    "no-clauses": Code("info", "A policy names no clause that it carries out."),
    "table-hole": Code("error", "A look-up table has no row for a combination of its inputs."),
    "table-overlap": Code("error", "A look-up table has two rows for a combination of its inputs."),
    "table-unreachable": Code("error", "A row of a look-up table is never reached."),
    "no-governing-term": Code("warning", "No service term governs a subject that a policy measures against one."),
    "fact-without-subject": Code("warning", "A fact counts for nobody who is scored, so an assessment leaves it out."),
    "fact-without-instant": Code("info", "A fact has no instant that puts it into a period, so an assessment leaves it out."),
    "subject-without-group": Code("warning", "Someone who is scored belongs to no group, so nobody is ranked with them."),
    "pool-unshared": Code("warning", "A bonus pool cannot be shared out, or nobody who is ranked belongs to its group."),
    "rank-by-name": Code("info", "A forced ranking tells two apart by their names only."),
    "no-cases": Code("warning", "A policy has no cases beside it."),
    "case-failed": Code("error", "A case expects other decisions than the policy gives."),
    "uncovered-level": Code("error", "No case of a changed policy sees this level fire, or sees it stay silent."),
    "case-invalid": Code("error", "A case file does not have the shape of cases."),
    "forbidden-transition": Code("error", "A record moved to a state that its lifecycle does not allow from the old one."),
    "review-owed": Code("warning", "A change went in by an emergency and was not looked at since; an error once that is overdue."),
    "state-requirement": Code("error", "A record is in a state without what the state requires."),
    # facts
    "unreadable-feed": Code("error", "A feed cannot be read at all."),
    "bad-row": Code("error", "A row of a feed is not well formed."),
    "row-schema": Code("error", "A row of a feed does not fit the schema of its kind."),
    "row-reference": Code("error", "A row of a feed refers to a record that does not exist."),
    "row-duplicate": Code("error", "A row repeats the id of an earlier row of its kind."),
    "row-unmapped": Code("error", "A row holds something that the mapping does not cover."),
    "row-not-a-fact": Code("warning", "A well-formed body that is not a fact of any kind, named so that nothing vanishes."),
    "field-left-out": Code("info", "A field of a foreign row has no place in the schema and was left out."),
    "invalid-mapping": Code("error", "A mapping file does not have the shape of mappings."),
    "events-repeated": Code("info", "Lines of an event log that repeat another line exactly were taken once."),
    "events-differ": Code("info", "A column differs among the events of one fact, and the mapping says which is taken."),
    "value-assumed": Code("info", "A foreign row does not say what the schema requires, and the mapping's default was taken."),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, where, what was expected and what to do next.

    ``pointer`` is the JSON Pointer inside the file, ``record`` the id (``Kind/name``); either may be empty.
    """

    code: str
    severity: Severity
    message: str
    place: Place
    hint: str = ""
    pointer: str = ""
    record: str = ""

    def to_json(self) -> dict[str, Any]:
        """The shape of design section 9: place spread over path, line and column."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "path": self.place.path,
            "line": self.place.line,
            "column": self.place.column,
            "pointer": self.pointer,
            "record": self.record,
        }


def finding(code: str, message: str, place: Place, *, hint: str = "", pointer: str = "", record: str = "") -> Finding:
    """A finding of a known ``code``, with the severity that ``CODES`` gives it."""
    return Finding(code, CODES[code].severity, message, place, hint, pointer, record)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The same findings by place, then severity, code and message; each once."""
    return tuple(sorted(set(findings), key=_sort_key))


def _sort_key(one: Finding) -> tuple[Place, int, str, str, str, str]:
    return (one.place, _ORDER[one.severity], one.code, one.message, one.hint, one.pointer)


def count(findings: Sequence[Finding]) -> dict[str, int]:
    """How many of each severity; every severity is a key."""
    return {severity: sum(f.severity == severity for f in findings) for severity in _ORDER}


def has_errors(findings: Iterable[Finding]) -> bool:
    """True when any finding is an error."""
    return any(f.severity == "error" for f in findings)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like ``name``, or an empty text when none is near."""
    return _nearest(name, tuple(sorted(known)))


# A name that is gone is missed by everything that refers to it.
@lru_cache(maxsize=64)
def _nearest(name: str, known: tuple[str, ...]) -> str:
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return matches[0] if matches else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``Did you mean "x"?`` when a known name is near, otherwise the known names, or nothing when there are many."""
    names = sorted(known)
    if near := nearest(name, names):
        return say("common.did-you-mean", name=near)
    return say("common.known", names=names) if 0 < len(names) <= 12 else ""


def added_to(known: Iterable[Finding], found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of ``found`` that are not among ``known``; one that only moved to another line is not new."""
    matters = {_matter(one) for one in known}
    return tuple(one for one in found if _matter(one) not in matters)


def _matter(one: Finding) -> tuple[str, str, str, str]:
    return (one.code, one.place.path, one.pointer, one.message)
