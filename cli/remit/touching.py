"""What still stands of a verdict when some files were edited, added or removed, and when another day has come.

Touched records are judged with what has to do with them. What rules say is judged anew where they were touched or read
a touched record; what service terms and calendars say, and who is there to be told, also when the day is another.

Source: design section 11, point 8.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from remit.daily import of_terms, span
from remit.fetching import Fetched, Noting, Present, Shelf
from remit.neighbours import AMONG, Ground, Touched, record_findings, touched_records
from remit.notes import Note
from remit.places import Place
from remit.records import CONFIG_PATH, FIXTURES, Record, build_snapshot
from remit.references import Entity, named_by
from remit.roles import held_anywhere
from remit.schemas import load_schemas
from remit.verdicts import CASES, POLICIES, REACH, RECORDS, TERMS, YEARS, Known, Part, Touch
from remit.verdicts import FIXTURES as FIXED
from remit.ways import Reach, likeness

A_FEW = 50
"""So many touched files are judged by themselves, and also a tenth of the store; more are a reason to check all."""

PEOPLED = ("Person", "RoleAssignment", "OrganizationUnit", "Team")
"""Kinds that decide who is reached, for any record."""


def still(known: Known, touch: Touch, at: datetime) -> Known | None:
    """The verdict on the files as they are, with the footing of before; None when everything must be checked."""
    if not touch.files and known.holds(at):
        return known
    records = {path: data for path, data in touch.files.items() if path.startswith("records/")}
    rules = sorted(path for path in touch.files if path.startswith(("rules/", "templates/")))
    if len(records) + len(rules) < len(touch.files) or not few(touch.files, known):
        return None
    told = known.parts[RECORDS].findings
    if any(one.code in AMONG for one in told):
        return None
    ground = ground_of(known, touch, records)
    wrong = {one.place.path for one in told}
    touched = touched_records(ground, records, lambda path: _before(known, touch, path), wrong) if ground else None
    findings = record_findings(ground, touched, told) if ground and touched is not None else None
    if ground is None or touched is None or findings is None:
        return None
    came = sum((one.new is not None) - (one.was is not None) for one in touched)
    kept = {path: note for path, note in known.notes.items() if path not in records}
    now = replace(
        known,
        parts={**known.parts, RECORDS: Part(findings)},
        counts=(known.counts[0] + came, known.counts[1]),
        notes=kept | {one.path: str(one.now) for one in touched if one.now is not None},
        alike=_alike(known, touched),
    )
    stale = _stale(known, touched, rules)
    ruled = _ruled(now, ground, stale, rules)
    return _today(ruled, known, ground, touched, stale, at) if ruled is not None else None


def few(touched: Collection[str], known: Known) -> bool:
    """Whether so few files are touched that they are judged by themselves."""
    return len(touched) <= max(A_FEW, len(known.footing) // 10)


def ground_of(known: Known, touch: Touch, records: Collection[str]) -> Ground | None:
    """The store as it is; None when a path does not tell the kind of its record."""
    files = Present(known.footing, touch.files, touch.now)
    schemas, _ = load_schemas({path: files[path] for path in files.below("schemas/")})
    if len({schema.folder for schema in schemas.kinds.values()}) < len(schemas.kinds):
        return None
    config = build_snapshot({CONFIG_PATH: files[CONFIG_PATH]} if CONFIG_PATH in files else {}).config
    doubted = {one.place.path for one in known.parts[RECORDS].findings} | {*records}
    return Ground(schemas, config, files, Shelf(schemas, files, doubted), touch.whole, known.asked.fields)


def _before(known: Known, touch: Touch, path: str) -> Note | Record | bool:
    """The record as it was, or its note; False when there was none, True when nobody knows any more what it said."""
    oid = known.footing.oid(path)
    if oid is None:
        return False
    if path in known.notes:
        return Note.of_text(known.notes[path])
    data = touch.held(oid)
    if data is None:
        return True
    records = build_snapshot({path: data}).records
    return records[0] if records else False


def _alike(known: Known, touched: Iterable[Touched]) -> Mapping[str, int] | None:
    if known.alike is None:
        return None
    alike = Counter(known.alike)
    for one in touched:
        if one.kind == "Customer":
            alike.update({one.now.like: 1} if one.now and one.fits else {})
            alike.subtract({one.was.like: 1} if one.was and one.fitted else {})
    return {like: number for like, number in alike.items() if number > 0}


# --- rules -----------------------------------------------------------------------------------------------------------


def _stale(known: Known, touched: Iterable[Touched], rules: Iterable[str]) -> set[str]:
    """The parts of a check that read what was touched."""
    stale = {
        name
        for name, part in known.parts.items()
        if name not in (RECORDS, REACH) and any(_is_read(one, part) for one in touched)
    }
    for path in rules:
        stale |= {POLICIES}
        if path.startswith(FIXTURES):
            stale |= {FIXED, CASES}
        elif not path.startswith("rules/") or not path.endswith(".yaml"):
            stale |= {CASES}
    return stale | {YEARS} if POLICIES in stale else stale


def _is_read(one: Touched, part: Part) -> bool:
    if one.kind in part.kinds or f"{one.kind}/{one.name}" in part.names:
        return True
    fields = {name.removeprefix(f"{one.kind}.") for name in part.names if name.startswith(f"{one.kind}.")}
    old = one.old.spec if one.old is not None and one.fitted else {}
    new = one.new.spec if one.new is not None and one.fits else {}
    known = one.old is not None or one.was is None
    return any(not known or old.get(field) != new.get(field) for field in fields)


def _ruled(now: Known, ground: Ground, stale: Collection[str], rules: Collection[str]) -> Known | None:
    """What rules say, as far as it may be something else by now."""
    if not {POLICIES, FIXED, CASES, YEARS} & {*stale}:
        return now
    from remit import checking  # slow to import: only when rules are asked
    from remit.evaluating import Loaded
    from remit.surveying import judge_rules

    paths = [path for folder in ("rules/", "templates/") for path in ground.files.below(folder)]
    read = build_snapshot({path: ground.files[path] for path in paths if path.startswith("rules/")})
    snapshot = replace(read, files=ground.files, config=ground.config)
    if {policy.kind for policy in snapshot.policies} & ground.schemas.kinds.keys():
        return None
    loaded = Loaded(snapshot, ground.schemas, Fetched(ground.shelf, ground.config, valid=True), (), ())
    own = [path for path in rules if path.startswith("rules/")]
    ruled = judge_rules(loaded, now, stale, *own)
    customer = ground.schemas.kinds.get("Customer")
    if not {*ruled.asked.fields} & {*(customer.shape.fields if customer else ())} <= {*now.asked.fields}:
        return None
    parts = {**now.parts, **ruled.parts}
    if own:
        others = (one for one in parts[RECORDS].findings if not one.place.path.startswith("rules/"))
        parts[RECORDS] = Part((*others, *checking.of_policy_files(loaded)))
    asked = replace(ruled.asked, fields=now.asked.fields)
    return replace(now, parts=parts, counts=(now.counts[0], len(snapshot.policies)), asked=asked)


# --- the day ---------------------------------------------------------------------------------------------------------


def _today(
    now: Known, before: Known, ground: Ground, touched: Collection[Touched], stale: Collection[str], at: datetime
) -> Known | None:
    """What depends on the day, as far as it may be something else by now; None when a level reaches nobody."""
    another, parts, asked = not before.holds(at), dict(now.parts), now.asked
    terms = Noting(Fetched(ground.shelf, ground.config, valid=True))
    anew = another or not {TERMS, YEARS}.isdisjoint(stale)
    if anew:
        found = tuple(of_terms(terms, asked.years, at))
        parts[TERMS] = Part(found, frozenset(terms.kinds), frozenset(terms.names))
    everybody = another or asked != before.asked or any(one.kind in PEOPLED for one in touched)
    customers = [one for one in touched if one.kind == "Customer"]
    reach = _reach(now, ground, None if everybody else customers, at) if everybody or customers else ()
    if reach is None:
        return None
    read = [*terms.read(), *(one for one in reach if one.kind != "Customer")]
    time = span(lambda when: of_terms(terms, asked.years, when) if anew else (), read, at, ground.config.zone)
    since, until = time if another else (max(before.since, time[0]), min(before.until, time[1]))
    return replace(now, parts=parts, since=since, until=max(since, until))


def _reach(now: Known, ground: Ground, only: Collection[Touched] | None, at: datetime) -> Iterable[Entity] | None:
    """What was read to see that everybody is reached, or ``only`` these customers; None when somebody is not."""
    if now.alike is None or now.parts[REACH].findings:
        return None
    stand_ins = _stand_ins(now.alike, ground)
    asked = Noting(Fetched(ground.shelf, ground.config, valid=True, instead={"Customer": stand_ins}))
    if not all(held_anywhere(asked, role) for role in now.asked.held):
        return None
    noting = asked
    if only is not None:
        names = {one.name for one in only if one.fits}
        mine = {name: one for name in names if (one := ground.shelf.one("Customer", name, valid=True)) is not None}
        noting = Noting(Fetched(ground.shelf, ground.config, valid=True, instead={"Customer": mine}))
    reach = Reach(noting, at)
    if any(reach.lost(ways) for ways in now.asked.ways):
        return None
    return [*asked.read(), *noting.read()]


def _stand_ins(alike: Mapping[str, int], ground: Ground) -> dict[str, Entity]:
    """A customer for each likeness; those to whom somebody is appointed stand by themselves."""
    found, others = {}, Counter(alike)
    for assignment in Fetched(ground.shelf, ground.config, valid=True).all("RoleAssignment"):
        for name in named_by(assignment, "scope.customer"):
            customer = ground.shelf.one("Customer", name, valid=True)
            if customer is not None and name not in found:
                found[name] = customer
                others.subtract([likeness(customer.spec, ground.fields)])
    likes = (like for like, number in sorted(others.items()) if number > 0)
    return found | {
        f"?{number}": Entity("Customer", f"?{number}", json.loads(like), Place("")) for number, like in enumerate(likes)
    }
