"""Changes for people: what differs in records' words, where a change stands, and the history of a record.

The words follow the store's language; ids, commands and what findings say stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from remit.assignments import value_text
from remit.findings import Finding
from remit.reporters.findings import finding_lines, summary
from remit.reporters.fitting import fitted
from remit.reporters.terminal import folded, padded, safe, width
from remit.sentences import say, spoken
from remit.times import format_instant, in_zone

if TYPE_CHECKING:
    from remit.changes import Approval, Change
    from remit.changing.applying import Applied
    from remit.changing.histories import Entry
    from remit.changing.proposals import Proposal, Review
    from remit.changing.requiring import Requirement
    from remit.comparing import Difference, FieldDifference

COLUMNS = 100
LONGEST_VALUE = 60
MOST_FIELDS = 12
MOST_PEOPLE = 5
MOST_STEPS = 4
_EFFECTIVE = "built-in/effective"
_SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": "»"}


def word(key: str, language: str, **parts: Any) -> str:
    """A word of the reports in ``language`` (zh, or else English)."""
    return spoken(say(f"review.{key}", **parts), language)


# --- differences -----------------------------------------------------------------------------------------------------


def difference_text(differences: Sequence[Difference], language: str, *, everything: bool = False) -> str:
    """One line a record and one a field below it; long values and long lists are shortened unless ``everything``."""
    if not differences:
        return word("nothing", language) + "\n"
    lines = [line for one in differences for line in _difference_lines(one, language, everything)]
    return "".join(f"{safe(line)}\n" for line in lines)


def _difference_lines(one: Difference, language: str, everything: bool) -> Iterator[str]:
    what = word(one.change, language)
    name = one.record or one.path
    title = f" {one.title}" if one.title and one.title != one.record.partition("/")[2] else ""
    was = f" {one.was}" if one.was else ""
    place = f"  {one.path}" if one.record else ""
    yield f"{_SIGNS[one.change]} {name}{title}  ({what}{was}){place}"
    if not one.fields and one.change == "changed" and one.record:
        yield f"    {word('layout', language)}"
    shown = one.fields if everything else one.fields[:MOST_FIELDS]
    column = max((width(safe(field.title)) for field in shown), default=0) + 2
    for field in shown:
        yield f"    {padded(safe(field.title), column)}{_sides(field, everything)}"
    if len(one.fields) > len(shown):
        yield "    " + word("more", language, count=len(one.fields) - len(shown))


def _sides(field: FieldDifference, everything: bool) -> str:
    before = "" if field.before is None else _short(field.before, everything)
    after = "" if field.after is None else _short(field.after, everything)
    if field.before is None:
        return f"+ {after}"
    return f"- {before}" if field.after is None else f"{before} → {after}"


def _short(value: Any, everything: bool) -> str:
    text = value_text(value).replace("\n", "⏎")
    return text if everything else _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


# --- one change ------------------------------------------------------------------------------------------------------


def review_text(
    proposal: Proposal,
    differences: Sequence[Difference],
    findings: Sequence[Finding],
    requirements: Sequence[Requirement],
    *,
    plan: Sequence[str] = (),
    following: Sequence[str],
    language: str,
    zone: tzinfo,
    at: datetime,
    due: datetime | None = None,
    everything: bool = False,
    columns: int = COLUMNS,
) -> str:
    """Everything that a reviewer needs to know at ``at`` about a change, and the next command.

    Unless ``everything`` is shown, lines are folded into ``columns``.
    ``due`` is when the review of an emergency change has to be there.
    """
    change = proposal.change
    state = word(proposal.state, language) + (f" {proposal.applied[:12]}" if proposal.applied else "")
    by = f"{change.author.name} <{change.author.email}>" + (f" {change.author.person}" if change.author.person else "")
    lines = [
        f"{change.id}  {change.title}",
        "  " + word("proposed", language, author=by, at=_at(change.created, zone)),
        "  " + word("base", language, commit=change.base[:12], branch=change.ref.removeprefix("refs/heads/")),
        f"  {word('state', language)}: {state}",
        *(f"  {row}" for row in _effective_lines(proposal, at, language, zone)),
        *(f"  {row}" for row in _emergency_lines(proposal, due, language, zone)),
    ]
    lines += [f"  {row}".rstrip() for row in (["", *change.body.split("\n")] if change.body else [])]
    lines += ["", word("differences", language) + ":"]
    lines += [f"  {row}" for row in difference_text(differences, language, everything=everything).splitlines()]
    lines += ["", *plan] if plan else []
    lines += [
        "",
        f"{word('findings', language)}: {summary(findings, language) if findings else word('none', language)}",
    ]
    lines += [f"  {row}" for row in finding_lines(findings, language)]
    lines += ["", word("approvals", language) + ":"]
    lines += [row for one in requirements for row in _requirement_lines(one, language, everything)]
    lines += [f"  {word('nobody-needed', language)}"] if not requirements else []
    if proposal.reviews:
        lines += ["", word("reviews", language) + ":"]
        lines += [f"  {_review_line(one, language, zone)}" for one in proposal.reviews]
    if proposal.moved:
        lines += ["", word("moved", language) + ":", *(f"  {spoken(path, language)}" for path in proposal.moved)]
    lines += ["", *(f"{word('next', language)}: {one}" for one in following)]
    told = safe("\n".join(lines).rstrip()).split("\n")
    return "".join(f"{row}\n" for line in told for row in ([line] if everything else folded(line, columns)))


def _effective_lines(proposal: Proposal, at: datetime, language: str, zone: tzinfo) -> Iterator[str]:
    if (start := proposal.change.effective) is not None:
        waits = f" ({word('waits', language)})" if not proposal.applied and at < start else ""
        yield word("effective", language, at=_at(start, zone)) + waits


def _emergency_lines(proposal: Proposal, due: datetime | None, language: str, zone: tzinfo) -> Iterator[str]:
    if (said := proposal.emergency) is None:
        return
    yield word("acted", language, person=said.person, at=_at(said.at, zone), reason=said.reason)
    if not proposal.owed:
        yield word("looked-at", language)
    else:
        yield word("owed-until", language, at=_at(due, zone)) if due else word("owed", language)


def _requirement_lines(one: Requirement, language: str, everything: bool) -> Iterator[str]:
    mark = "x" if one.satisfied else " "
    yield f"  [{mark}] {one.rule}: {spoken(one.need, language)}"
    if one.given_by:
        yield f"      {word('given', language)}: {', '.join(one.given_by)}"
    if not one.satisfied and one.rule.startswith("built-in/") and not one.candidates:
        yield f"      {spoken(one.why, language)}"
    elif not one.satisfied:
        shown = one.candidates if everything else one.candidates[:MOST_PEOPLE]
        rest = len(one.candidates) - len(shown)
        names = ", ".join(c.person for c in shown) or word("nobody", language)
        more = f", … {word('more', language, count=rest)}" if rest else ""
        waits = f" ({word('missing', language, count=one.missing)})" if one.missing else ""
        yield f"      {word('may', language)}: {names}{more}{waits}"
        if not one.missing:
            yield f"      {spoken(one.why, language)}"
        for candidate in shown:
            way = " → ".join(spoken(step, language) for step in _way(candidate.path, everything))
            yield f"      {word('why', language)}: {way}"


def _day(one: Requirement) -> str:
    """The instant for which a change waits."""
    return one.need.rpartition(" ")[2]


def _way(path: Sequence[str], everything: bool) -> Sequence[str]:
    """The steps to a person; of many, where the way begins and ends."""
    return path if everything or len(path) <= MOST_STEPS else [path[0], "…", *path[-2:]]


def _review_line(one: Review, language: str, zone: tzinfo) -> str:
    verdict = word(one.approval.verdict, language)
    reason = f": {one.approval.reason}" if one.approval.reason else ""
    counts = f"  ({word('counts-not', language)}: {spoken(one.why, language)})" if one.why else ""
    return f"{verdict} {one.approval.person} {_at(one.approval.at, zone)}{reason}{counts}"


def _at(moment: datetime, zone: tzinfo) -> str:
    return format_instant(in_zone(moment, zone))


def following_commands(
    proposal: Proposal, requirements: Sequence[Requirement], person: str, prefix: str = ""
) -> list[str]:
    """What may be done next, the most useful first.

    ``person`` is the reader, empty when nobody knows; ``prefix`` is the folder of the store in its repository.
    """
    id, mine = proposal.change.id, person == proposal.change.author.person
    match proposal.state:
        case "approved":
            return [f"remit apply {id}"]
        case "applied" if not proposal.owed:
            return history_command(proposal.change, prefix)
        case "outdated":
            return [f"remit propose --again {id}"]
        case "rejected":
            return [f"remit withdraw {id}", 'remit propose -m "…"'] if mine else []
        case "open" | "applied":
            missing = [one for one in requirements if not one.satisfied]
            if not missing:
                return [f"remit apply {id}"]
            asked = sorted(
                {c.person for one in missing for c in one.candidates} - {p for one in missing for p in one.given_by}
            )
            if person in asked:
                return [f"remit approve {id}", f'remit reject {id} -m "…"']
            if asked:
                return [f"remit approve {id}    ({', '.join(asked)})"]
            if all(one.rule == _EFFECTIVE for one in missing):
                return [f"remit apply {id}    ({_day(missing[0])})"]
            return [f"remit withdraw {id}"] if mine else []
    return []


def history_command(change: Change, prefix: str) -> list[str]:
    """The command that shows what became of the first file of the store that a change touches; none without one."""
    inside = [path.removeprefix(prefix) for path in change.manifest.paths if path.startswith(prefix)]
    return [f"remit log {path}" for path in inside[:1]]


# --- json ------------------------------------------------------------------------------------------------------------


def proposal_json(
    proposal: Proposal, requirements: Sequence[Requirement], due: datetime | None = None
) -> dict[str, Any]:
    """A change with its reviews and requirements, as ``remit changes`` and ``remit review`` print it.

    ``due`` is when the review of an emergency change has to be there.
    """
    change, said = proposal.change, proposal.emergency
    emergency = {**_said_json(said), "owed": proposal.owed, "due": _instant(due)} if said else None
    return {
        "id": change.id,
        "state": proposal.state,
        "title": change.title,
        "body": change.body,
        "author": {"name": change.author.name, "email": change.author.email, "person": change.author.person or None},
        "created": format_instant(change.created),
        "effective": _instant(change.effective),
        "ref": change.ref,
        "base": change.base,
        "head": change.head,
        "tree": change.tree,
        "manifest": change.manifest.digest,
        "paths": list(change.manifest.paths),
        "applied": proposal.applied,
        "emergency": emergency,
        "moved": list(proposal.moved),
        "requirements": [requirement_json(one) for one in requirements],
        "reviews": [_review_json(one) for one in proposal.reviews],
    }


def requirement_json(one: Requirement) -> dict[str, Any]:
    """What a rule asks, who may give it and who has."""
    return {
        "rule": one.rule,
        "need": one.need,
        "candidates": [{"person": c.person, "path": list(c.path)} for c in one.candidates],
        "given_by": list(one.given_by),
        "satisfied": one.satisfied,
        "why": one.why,
    }


def _review_json(one: Review) -> dict[str, Any]:
    approval = one.approval
    return {
        "person": approval.person,
        "verdict": approval.verdict,
        "at": format_instant(approval.at),
        "not_after": _instant(approval.not_after),
        "reason": approval.reason,
        "counts": one.holds,
        "why": one.why,
    }


def _said_json(said: Approval) -> dict[str, Any]:
    return {"person": said.person, "at": format_instant(said.at), "reason": said.reason}


def _instant(at: datetime | None) -> str | None:
    return format_instant(at) if at is not None else None


def applied_json(applied: Applied) -> dict[str, Any]:
    """What ``remit apply`` did; ``emergency`` is what was said where the change did not wait for its approvals."""
    said = next((one for one in applied.approvals if one.verdict == "emergency"), None)
    return {
        "id": applied.change.id,
        "commit": applied.commit,
        "already": applied.already,
        "approvals": _approvals_json(applied.approvals),
        "emergency": _said_json(said) if said else None,
        "reviewed": applied.reviewed or None,
        "notes": list(applied.notes),
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """One step of a history."""
    commit = entry.commit
    return {
        "commit": commit.sha,
        "at": format_instant(commit.committed or commit.when),
        "author": {"name": commit.author, "email": commit.email},
        "title": commit.message.partition("\n")[0],
        "change": entry.change or None,
        "approvals": _approvals_json(entry.approvals),
        "emergency": _said_json(entry.emergency) if entry.emergency else None,
    }


def _approvals_json(said: Iterable[Approval]) -> list[dict[str, Any]]:
    return [{"person": one.person, "at": format_instant(one.at)} for one in said if one.verdict == "approve"]


# --- tables ----------------------------------------------------------------------------------------------------------


def changes_text(
    rows: Iterable[tuple[Proposal, Sequence[Requirement]]],
    language: str,
    zone: tzinfo,
    at: datetime,
    columns: int | None = None,
) -> str:
    """A table of changes at ``at``, folded into ``columns`` (None: not folded); empty for none."""
    cells = [_change_row(proposal, requirements, language, zone, at) for proposal, requirements in rows]
    return fitted(cells, word("head-changes", language).split("|"), columns) + "\n" if cells else ""


def _change_row(
    proposal: Proposal, requirements: Sequence[Requirement], language: str, zone: tzinfo, at: datetime
) -> tuple[str, ...]:
    change = proposal.change
    missing = sum(not one.satisfied and one.rule != _EFFECTIVE for one in requirements)
    by = change.author.person or change.author.name
    state = word("state-owed" if proposal.owed else proposal.state, language)
    if proposal.state in ("open", "approved") and change.effective is not None and at < change.effective:
        state = word("state-waits", language, state=state, day=in_zone(change.effective, zone).strftime("%Y-%m-%d"))
    return (
        change.id,
        state,
        _cut(spoken(change.title, language)),
        by,
        _at(change.created, zone),
        str(missing) if proposal.state == "open" or proposal.owed else "",
    )


def log_text(entries: Iterable[Entry], language: str, zone: tzinfo, columns: int | None = None) -> str:
    """A table of commits, newest first, folded into ``columns`` (None: not folded); empty for none."""
    cells = [_entry_row(entry, language, zone) for entry in entries]
    return fitted(cells, word("head-log", language).split("|"), columns) + "\n" if cells else ""


def _entry_row(entry: Entry, language: str, zone: tzinfo) -> tuple[str, ...]:
    commit = entry.commit
    urgent = [f"{entry.emergency.person} ({word('emergency', language)})"] if entry.emergency else []
    people = ", ".join([*urgent, *sorted({approval.person for approval in entry.approvals})])
    at = _at(commit.committed or commit.when, zone)
    title = _cut(commit.message.partition("\n")[0])
    return commit.sha[:12], at, commit.author, entry.change or "-", people or "-", title
