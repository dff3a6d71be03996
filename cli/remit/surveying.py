"""A check that notes what its verdict rests on: of everything, or of the parts that have to be judged anew.

Source: design section 11, point 8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from remit import checking
from remit.daily import of_terms, span
from remit.evaluating import Loaded
from remit.fetching import Noting
from remit.findings import Finding, in_order
from remit.fixtures import check_fixtures
from remit.footing import Footing
from remit.notes import note_of
from remit.policies.soundness import years_asked
from remit.policies.watch import Watch
from remit.reaching import roles_of, unreached, ways_of
from remit.records import CASES_SUFFIX
from remit.testing import run_all
from remit.verdicts import CASES, FIXTURES, POLICIES, REACH, RECORDS, TERMS, YEARS, Asked, Known, Part
from remit.ways import alike_in, deciding_fields

NOTED = 1_000
"""Of so many records that git does not hold, what others rely on is remembered."""

MOST_ALIKE = 20_000
"""So many ways in which customers differ are remembered."""


def survey(loaded: Loaded, footing: Footing, unheld: frozenset[str], at: datetime) -> Known:
    """Everything checked, and what there is to remember of it; ``unheld`` are files that git may not hold."""
    records = Part(in_order(checking.of_records(loaded)))
    ruled = judge_rules(loaded)
    terms, reach = Noting(loaded.world), Noting(loaded.world)
    alike = alike_in(loaded.world, ruled.asked.fields)
    parts = {
        RECORDS: records,
        **ruled.parts,
        TERMS: _part(of_terms(terms, ruled.asked.years, at), terms),
        REACH: _part(unreached(_with(loaded, reach, ruled.loaded), at, alike), reach),
    }
    customers = {like: len(names) for like, names in alike.items()}
    wrong = {one.place.path for one in records.findings}
    noted = [record for record in loaded.snapshot.records if record.path in unheld] if len(unheld) <= NOTED else []
    time = span(
        lambda when: of_terms(loaded.world, ruled.asked.years, when),
        (one for noting in (terms, reach) for one in noting.read() if noting is terms or one.kind != "Customer"),
        at,
        loaded.world.zone,
    )
    return Known(
        parts,
        (len(loaded.snapshot.records), len(loaded.snapshot.policies)),
        footing,
        {one.path: str(note_of(one, loaded.schemas, ruled.asked.fields)) for one in noted if one.path not in wrong},
        ruled.asked,
        customers if len(customers) <= MOST_ALIKE else None,
        *time,
    )


class Ruled(NamedTuple):
    """What the rules of a store say, whatever the day.

    Attributes:
        parts: What was judged.
        asked: What there is to ask every day.
        loaded: The store with its policies compiled.
    """

    parts: Mapping[str, Part]
    asked: Asked
    loaded: Loaded


def judge_rules(loaded: Loaded, before: Known | None = None, stale: Collection[str] = (), *paths: str) -> Ruled:
    """What is wrong with policies, fixtures and cases.

    Args:
        loaded: The store.
        before: What was known of it.
        stale: The parts that must be judged anew where something is known.
        paths: The files of policies and cases that are not what they were; of cases that are not stale, only these and
            those of policies that hear them are run.
    """
    noting = Noting(loaded.world)
    compiled = replace(loaded, world=noting)
    parts = {POLICIES: _part(checking.of_policies(compiled), noting)}
    asking = Noting(loaded.world)
    years = tuple(years_asked(compiled.policies, asking))
    parts[YEARS] = _part((), asking)
    if before is None or FIXTURES in stale:
        fixed = Noting(loaded.world)
        parts[FIXTURES] = _part(check_fixtures(loaded.snapshot, fixed), fixed)
    trying = Noting(loaded.world)
    tried = _with(loaded, trying, compiled)
    if before is None or CASES in stale:
        found = run_all(tried, covering=False).findings
        parts[CASES] = _read_by(_part(found, trying), parts[POLICIES])
    elif paths:
        parts[CASES] = _read_by(
            _read_by(_some_cases(tried, before.parts[CASES], paths), _part((), trying)), parts[POLICIES]
        )
    ways = ways_of(compiled)
    fields = deciding_fields(ways, loaded.schemas.kinds.get("Customer"))
    return Ruled(parts, Asked(ways, roles_of(compiled), years, fields), compiled)


def _some_cases(loaded: Loaded, before: Part, paths: Collection[str]) -> Part:
    """The cases of these files, of what hears these policies, and of those of which something was found."""
    policies = loaded.policies
    touched = {path.removesuffix(CASES_SUFFIX) + ".yaml" if path.endswith(CASES_SUFFIX) else path for path in paths}
    touched |= {
        policy.path
        for policy in loaded.snapshot.policies
        if (one := policies.by_id.get(policy.id)) is None or (isinstance(one, Watch) and _hears(one, touched))
    }
    again = {path.removesuffix(".yaml") + CASES_SUFFIX for path in touched}
    again |= {one.place.path for one in before.findings}
    run = run_all(loaded, only=again.__contains__, covering=False)
    kept = (one for one in before.findings if one.place.path not in again)
    return replace(before, findings=in_order([*kept, *(one for one in run.findings if one.place.path in again)]))


def _hears(watch: Watch, touched: Collection[str]) -> bool:
    return any(source.record.path in touched or _hears(source, touched) for source in watch.sources)


def _with(loaded: Loaded, noting: Noting, compiled: Loaded) -> Loaded:
    """The same asked through a world that notes, with policies that are compiled."""
    mine = replace(loaded, world=noting)
    mine.__dict__.update(policies=compiled.policies, compiler=compiled.compiler, wording=loaded.wording)
    return mine


def _part(findings: Iterable[Finding], noting: Noting) -> Part:
    told = tuple(findings)  # whoever finds them reads meanwhile
    return Part(told, frozenset(noting.kinds), frozenset(noting.names))


def _read_by(part: Part, other: Part) -> Part:
    """The same, which also rests on what the other read."""
    return replace(part, kinds=part.kinds | other.kinds, names=part.names | other.names)
