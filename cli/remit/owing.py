"""Reviews that are owed: changes that went in by an emergency and that nobody has looked at since as the rules ask.

Source: security rules R1, R5; design section 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from remit.changes import Approval, parse_message
from remit.changing.proving import owed
from remit.changing.targets import inside
from remit.findings import Finding, finding
from remit.judging import review_spans
from remit.places import Place
from remit.records import CONFIG_PATH, config_of
from remit.store import Store
from remit.times import Duration, format_instant, in_zone, shifted


@dataclass(frozen=True)
class OwedReview:
    """One emergency change that waits for its review.

    Attributes:
        change: Its id.
        commit: The commit of the protected branch that applied it.
        said: What the person said who applied it.
        path: The first path that it touched, of the store.
        due: When the review has to be there, in the store's zone, by the rules of the commit's parent; None: they do
            not say.
    """

    change: str
    commit: str
    said: Approval
    path: str
    due: datetime | None


def owed_reviews(store: Store, ref: str) -> list[OwedReview]:
    """The reviews that are owed at a commit, oldest first; one git log, and more only for what it finds."""
    repository = store.in_git()
    found = []
    for commit, change in owed(repository, ref):
        said = next(one for one in parse_message(commit.message).approvals if one.verdict == "emergency")
        parent = commit.parents[0]
        paths = sorted(inside(store, changed.path) for changed in repository.changed_paths(parent, commit.sha))
        due = review_due(store, parent, commit.committed or commit.when)
        found.append(OwedReview(change, commit.sha, said, paths[0] if paths else CONFIG_PATH, due))
    return found


def review_due(store: Store, base: str, applied: datetime) -> datetime | None:
    """When the review of what was applied on ``base`` in an emergency has to be there; None: no rule says."""
    files = store.files_of(base)
    zone = config_of(files.blobs).zone
    return min((_later(applied, span, zone) for span in review_spans(files)), default=None)


def _later(at: datetime, span: Duration, zone: tzinfo) -> datetime:
    return shifted(at, span, zone) if span.counted is None else in_zone(at + span.counted, zone)


def owed_findings(store: Store, ref: str, at: datetime) -> Iterator[Finding]:
    """A warning for each review that is owed at a commit; an error once its time has passed."""
    for one in owed_reviews(store, ref):
        until = f"; its review was due by {format_instant(one.due)}" if one.due else "; its review is owed"
        message = f"{one.change} was applied in an emergency by {one.said.person} ({one.said.reason}){until}."
        steps = f"remit approve {one.change}, then remit apply {one.change}"
        hint = f"remit review {one.change} shows who may: {steps}"
        known = finding("review-owed", message, Place(one.path), hint=hint)
        late = one.due is not None and at > one.due
        yield replace(known, severity="error") if late else known
