"""What a change does: two worlds over the same facts, and what differs between what they say.

Both sides are asked the same questions: which decisions are in force or came up to a moment, which will come, when
running clocks are due, how everyone scores.

Source: design sections 2 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from remit.changes import Manifest, Person, Touched, co_authors, manifest
from remit.changing.applying import does_otherwise
from remit.changing.proposals import Proposal
from remit.changing.requiring import Requirement, required
from remit.changing.targets import me
from remit.comparing import Difference, differences
from remit.dues import running_dues
from remit.effects import Effect, Outlook, ScoreKey, Span, effect_of
from remit.engine import Rulebook, timeline
from remit.errors import InvalidStore, Refused, UserError
from remit.evaluating import Loaded, load_readings, refuse_broken
from remit.findings import Finding, in_order
from remit.git import Identity
from remit.judging import PolicyJudge, added_findings
from remit.policies.assessment import assess
from remit.policies.clocking import Window
from remit.records import CASES_SUFFIX, config_of
from remit.registry import Registry
from remit.reporters.review import requirement_json
from remit.scorecards import SubjectScore
from remit.sources import Reading, SourceContext, read_source
from remit.store import Files, Store, changed_paths
from remit.times import parse_duration, periods_between, shifted

OVER = "90d"
WITHIN = "30d"
"""How far a plan looks back and ahead when nobody says otherwise."""


def span_of(at: datetime, zone: tzinfo, over: str = OVER, within: str = WITHIN) -> Span:
    """The window that looks back over ``over`` and ahead within ``within``, both spans of calendar time.

    Raises:
        UserError: one of them is no such span.
    """
    return Span(_away(at, over, zone, back=True), at, _away(at, within, zone))


def _away(at: datetime, text: str, zone: tzinfo, *, back: bool = False) -> datetime:
    try:
        duration = parse_duration(text)
        if duration.seconds is not None:
            return at + timedelta(seconds=-duration.seconds if back else duration.seconds)
        if duration.is_working:
            raise ValueError(f"{text!r} counts working time; expected a span such as 4h, 90d or 3mo")
        return shifted(at, duration, zone, back=back)
    except (ValueError, OverflowError) as error:
        raise UserError(f"The window of the plan: {error}.", "Write --over 90d --within 30d.") from error


def outlook(loaded: Loaded, span: Span) -> Outlook:
    """Everything that the policies of a store say about its world.

    Raises:
        InvalidStore: records or policies have errors.
    """
    refuse_broken(loaded)
    rulebook = Rulebook(loaded.policies.watches, loaded.compiler)
    try:
        world, wording = loaded.world, loaded.wording
        past = timeline(rulebook, world, Window(span.start - (span.at - span.start), span.at), wording)
        ahead = timeline(rulebook, world, Window(span.at, span.end + (span.end - span.at)), wording)
        dues = running_dues(rulebook, world, span.at, wording)
    finally:
        rulebook.close()
    coming = [one for one in ahead.decisions if one.at is not None]
    scores, findings = _scores(loaded, span)
    return Outlook(
        world=world,
        decisions={one.id: one for one in (*past.decisions, *coming)},
        dues=dues,
        scores=scores,
        findings=in_order({*loaded.findings, *past.findings, *ahead.findings, *findings}),
    )


def _scores(loaded: Loaded, span: Span) -> tuple[dict[ScoreKey, SubjectScore], list[Finding]]:
    scores: dict[ScoreKey, SubjectScore] = {}
    findings: list[Finding] = []
    for policy in loaded.policies.assessments:
        for cycle in policy.cycles:
            for period in periods_between(span.start, span.at, cycle, loaded.world.zone):
                scorecard = assess(policy, loaded.world, period, at=span.at)
                scores |= {(policy.name, period.name, line.subject): line for line in scorecard.subjects}
                findings += scorecard.findings
    return scores, findings


# --- the plan --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """Everything that a change does. ``base`` and ``head`` are commits; None for files that no commit has yet."""

    base: str | None
    head: str | None
    span: Span
    records: tuple[Difference, ...]
    effect: Effect
    approvals: tuple[Requirement, ...]
    findings: tuple[Finding, ...]

    @property
    def is_empty(self) -> bool:
        """True when not even a file differs."""
        return not self.records

    def to_json(self) -> dict[str, Any]:
        """The shape of ``schemas/outputs/plan.schema.json``."""
        effect = self.effect.to_json()
        return {
            "base": self.base,
            "head": self.head,
            "records": [one.to_json() for one in self.records],
            "decisions": effect["decisions"],
            "people": effect["people"],
            "due": effect["due"],
            "scorecards": effect["scorecards"],
            "approvals": [requirement_json(one) for one in self.approvals],
            "findings": [one.to_json() for one in self.findings],
        }


def readings_of(feeds: Iterable[SourceContext]) -> list[Reading]:
    """Every feed, read once.

    Raises:
        UserError: one cannot be read at all, so that a plan would lack everything in it.
    """
    readings = [read_source(feed) for feed in feeds]
    for found in (found for reading in readings for found in reading.findings if found.code == "unreadable-feed"):
        raise UserError(f"{found.place}: {found.message}", found.hint or "See: remit facts")
    return readings


def plan(
    before: Files,
    after: Files,
    readings: Sequence[Reading],
    at: datetime,
    *,
    over: str = OVER,
    within: str = WITHIN,
    approvals: Sequence[Requirement] = (),
) -> Plan:
    """What the way from one state of the store to another does, over the same feeds.

    Raises:
        InvalidStore: records or policies of either side have errors.
        UserError: ``over`` or ``within`` is no span.
    """
    effect, span = foreseen(before, after, readings, at, over=over, within=within)
    records = differences(before, after)
    findings = in_order((*added_findings(before, after, at=at), *effect.findings)) if records else ()
    return Plan(before.commit, after.commit, span, records, effect, tuple(approvals), findings)


def foreseen(
    before: Files,
    after: Files,
    readings: Sequence[Reading],
    at: datetime,
    *,
    over: str = OVER,
    within: str = WITHIN,
) -> tuple[Effect, Span]:
    """What the way does to decisions, people, due times and scores, and the span in which it does so."""
    span = span_of(at, config_of(after.blobs).zone, over, within)
    if not says_otherwise(before, after):
        return Effect(at), span
    old = _outlook(load_readings(before, readings), before, span, "before")
    new = _outlook(load_readings(after, readings), after, span, "after")
    return effect_of(old, new, span), span


def _outlook(loaded: Loaded, files: Files, span: Span, side: str) -> Outlook:
    try:
        return outlook(loaded, span)
    except InvalidStore as error:
        where = f"remit check --ref {files.commit[:12]}" if files.commit else "remit check"
        raise InvalidStore(f"{side} the change: {error.message}", f"A plan needs both sides. See: {where}") from error


def says_otherwise(before: Files, after: Files) -> bool:
    """Whether the two can differ in what they say: nothing that speaks reads the cases of a policy."""
    return any(not path.endswith(CASES_SUFFIX) for path in changed_paths(before.blobs, after.blobs))


def digest(before: Files, after: Files, *, at: datetime) -> str:
    """The digest of what the way does over the store's own records; empty where a side has errors and says nothing."""
    try:
        effect, _ = foreseen(before, after, (), at)
    except InvalidStore:
        return ""
    return effect.digest()


# --- for a reviewer --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Foresight:
    """What a reviewer sees of a plan: the effect, or in words why there is none to see; both absent without feeds.

    ``is_stale`` when the change does something else on the protected branch by now than on its own base.
    """

    effect: Effect | None
    why_not: str = ""
    is_stale: bool = False

    def to_json(self) -> dict[str, Any]:
        """All parts; the effect is null where there is none to see."""
        effect = self.effect.to_json() if self.effect else None
        return {"stale": self.is_stale, "why_not": self.why_not, "effect": effect}


def foresight(
    store: Store, proposal: Proposal, before: Files, after: Files, feeds: Sequence[SourceContext], at: datetime
) -> Foresight:
    """What a proposed change does over the feeds, and whether the branch has moved so that it does something else."""
    alive = proposal.state in ("open", "approved")
    stale = alive and does_otherwise(store, proposal.change, partial(digest, at=at))
    if not feeds:
        return Foresight(None, is_stale=stale)
    try:
        return Foresight(foreseen(before, after, readings_of(feeds), at)[0], is_stale=stale)
    except UserError as error:
        # A reviewer on another machine may not have the feed; everything else about the change can still be judged.
        return Foresight(None, error.message, stale)


# --- who is asked ----------------------------------------------------------------------------------------------------


def approvals_needed(store: Store, before: Files, after: Files, at: datetime) -> list[Requirement]:
    """What the rules of ``before`` ask of the way to ``after``; nobody has given anything yet.

    Whoever wrote a commit on the way may not approve it, nor may the user, when ``after`` is the working tree.
    """
    repository = store.in_git()
    own = repository.identity()
    author = own.email if own else ""
    if before.commit and after.commit:
        author = repository.commit(after.commit).email
        commits = repository.log(after.commit, exclude=[before.commit])
        writers = {email for one in commits for email in (one.email, one.committer_email, *co_authors(one.message))}
    else:
        writers = {author}
    way = touched(before, after, repository.blob_id)
    return required(PolicyJudge(at), before, after, way, _person(before, author), writers)


def _person(files: Files, email: str) -> Person:
    try:
        return me(Registry.of(files.blobs), Identity("", email))
    except Refused:
        return Person("", email)


def touched(before: Files, after: Files, blob_id: Callable[[bytes], str]) -> Manifest:
    """Every path of the store that differs, with its blob before and after."""
    paths = changed_paths(before.blobs, after.blobs)
    sides = [{path: blob_id(side.blobs[path]) for path in paths if path in side.blobs} for side in (before, after)]
    return manifest(Touched(path, sides[0].get(path), sides[1].get(path)) for path in paths)
