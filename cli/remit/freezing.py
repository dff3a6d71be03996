"""Frozen scorecards: the figures of a period that has ended, kept as KpiSheet records, and what differs from them now.

A sheet is written once for each subject and never again. Facts that come late, exclusions and changed policies move the
figures of a past period; the scorecard then shows both, and the sheet stays what people were told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from remit.errors import Refused, UserError
from remit.evaluating import Loaded
from remit.policies.measures import Assessment
from remit.recording import Draft, add_records
from remit.references import Entity, World
from remit.scorecards import RESULTS, MeasureScore, Restated, Scorecard, SubjectScore
from remit.times import Period, format_instant

SHEET = "KpiSheet"
_LONGEST_NAME = 63
_OF_ITEM = {"actual": "value", "n": "n", "of": "of", "target": "target", "score": "score"}
_OF_SHEET = {"total": "score", "rank": "rank", "band": "band", "share": "share", "amount": "amount"}


def freeze(loaded: Loaded, policy: Assessment, scorecard: Scorecard) -> Draft:
    """A confirmed sheet for every line of a scorecard, to be written and proposed like any change.

    Raises:
        UserError: the period has not ended as of the scorecard, or nobody is scored in it.
        Refused: it is frozen already, or a figure rests on something that is wrong.
    """
    if not scorecard.is_final:
        raise UserError(
            f"{scorecard.period.name} has not ended, so its figures may still move.",
            f"Freeze it from {format_instant(scorecard.period.end)}.",
        )
    wrong = [f for f in scorecard.findings if f.severity == "error" and f.record == policy.record.id]
    if wrong:
        raise Refused(f"Nothing is frozen while {policy.name} is wrong: {wrong[0].message}", "Run: remit check")
    if not scorecard.subjects:
        raise UserError(f"Nobody is scored in {scorecard.period.name}, so there is nothing to freeze.")
    there = _sheets(loaded.world, policy.name, scorecard.period)
    taken = [there[line.subject] for line in scorecard.subjects if line.subject in there]
    if taken:
        raise Refused(
            f"{scorecard.period.name} is frozen already: {taken[0].ref} ({taken[0].place}).",
            f"What differs from it now: remit assess {policy.name} --period {scorecard.period.name}",
        )
    bodies = [_body(policy, scorecard, line, loaded) for line in scorecard.subjects]
    return add_records(loaded.snapshot, loaded.schemas, bodies)


def restated(world: World, scorecard: Scorecard) -> tuple[Restated, ...]:
    """What the sheets frozen for the scorecard's period say otherwise, by subject; nothing where none is frozen."""
    sheets = _sheets(world, scorecard.policy, scorecard.period)
    if not sheets:
        return ()
    lines = {line.subject: line for line in scorecard.subjects}
    return tuple(
        difference
        for subject in sorted({*sheets, *lines})
        for difference in _differences(subject, sheets.get(subject), lines.get(subject))
    )


def is_frozen(world: World, policy: Assessment, period: Period) -> bool:
    """True when sheets of this policy and period are kept, which hold a digest of the facts behind each figure."""
    return bool(_sheets(world, policy.name, period))


def _sheets(world: World, policy: str, period: Period) -> dict[str, Entity]:
    about = {"policy": policy, "period": period.name}
    return {
        str(sheet.spec["subject"]): sheet for sheet in world.all(SHEET) if about.items() <= dict(sheet.spec).items()
    }


def _differences(subject: str, sheet: Entity | None, line: SubjectScore | None) -> Iterator[Restated]:
    frozen = dict(_frozen_figures(sheet.spec)) if sheet else {}
    now = dict(_figures(line)) if line else {}
    for figure in dict.fromkeys([*now, *frozen]):
        if frozen.get(figure) != now.get(figure):
            yield Restated(subject, figure, frozen.get(figure), now.get(figure), sheet.ref if sheet else "")


def _figures(line: SubjectScore) -> Iterator[tuple[str, Any]]:
    yield from ((key, getattr(line, key)) for key in RESULTS)
    for name, measure in line.measures.items():
        yield from ((f"{name}.{key}", getattr(measure, key)) for key in _OF_ITEM.values())
        yield f"{name}.facts", digest(measure)


def _frozen_figures(spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((key, spec.get(written)) for written, key in _OF_SHEET.items())
    for item in spec.get("items", ()):
        name = item.get("measure", "")
        yield from ((f"{name}.{key}", item.get(written)) for written, key in _OF_ITEM.items())
        yield f"{name}.facts", item.get("facts")


def digest(measure: MeasureScore) -> str:
    """What tells whether the facts behind a figure are the same, as ``sha256:`` and 64 digits."""
    text = json.dumps([fact.to_json() for fact in measure.facts], ensure_ascii=False, sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


# --- the record


def _body(policy: Assessment, scorecard: Scorecard, line: SubjectScore, loaded: Loaded) -> dict[str, Any]:
    period = scorecard.period.name
    kind, _, name = line.subject.partition("/")
    entity = loaded.world.get(kind, name)
    titles = {
        language: f"{entity.title(language) if entity else name}, {policy.record.title(language)}, {period}"
        for language in ("en", "zh")
    }
    results = {written: getattr(line, key) for written, key in _OF_SHEET.items()}
    spec = {
        "subject": line.subject,
        "period": period,
        "items": [_item(policy, name, measure) for name, measure in line.measures.items()],
        **results,
        "policy": policy.name,
        "asOf": format_instant(scorecard.at),
        "commit": loaded.snapshot.commit or None,
        "status": "confirmed",
    }
    metadata = {"name": _name(policy.name, line.subject, period), "title": titles}
    return {"apiVersion": "remit/v1", "kind": SHEET, "metadata": metadata, "spec": _present(spec)}


def _item(policy: Assessment, name: str, measure: MeasureScore) -> dict[str, Any]:
    kpi = next((one.kpi for one in policy.measures if one.name == name), "")
    figures = {written: getattr(measure, key) for written, key in _OF_ITEM.items()}
    return _present({"kpi": kpi or None, "measure": name, **figures, "facts": digest(measure)})


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _name(policy: str, subject: str, period: str) -> str:
    """A name for the record; where it would be too long or hold what a name cannot, the end is a digest."""
    plain = f"{policy}-{subject.partition('/')[2]}-{period}".lower()
    safe = "".join(one if one.isascii() and one.isalnum() else "-" for one in plain)
    if safe == plain and len(safe) <= _LONGEST_NAME:
        return safe
    mark = hashlib.sha256(f"{policy} {subject} {period}".encode()).hexdigest()[:8]
    return f"{safe[: _LONGEST_NAME - len(mark) - 1]}-{mark}"
