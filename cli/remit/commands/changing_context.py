"""What the commands of a change share: the store, its language and zone as the protected branch says, and who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import click

from remit.commands.options import store_of

if TYPE_CHECKING:
    from remit.changes import Change
    from remit.changing.proposals import Proposal
    from remit.changing.requiring import Requirement
    from remit.judging import PolicyJudge
    from remit.records import Config
    from remit.signing import Sign
    from remit.store import Store


@dataclass(frozen=True)
class Desk:
    """Where changes are read and judged. ``at`` is the moment at which approvals and people must hold."""

    store: Store
    at: datetime

    @property
    def judge(self) -> PolicyJudge:
        """The approval policies of each change's base."""
        from remit.judging import PolicyJudge

        return PolicyJudge(self.at)

    @property
    def sign(self) -> Sign:
        """Signs with the user's own key."""
        from remit.signing import signing

        return signing(self.store.in_git())

    @cached_property
    def config(self) -> Config:
        """Settings of the protected branch as last seen; of an origin that was never asked, as it is now."""
        from remit.changing.targets import target
        from remit.errors import Refused
        from remit.records import build_snapshot
        from remit.store import CONFIG

        repository = self.store.in_git()
        try:
            tip = target(self.store, fetch=False).tip
        except Refused:
            tip = target(self.store).tip
        name = self.store.prefix + CONFIG
        entry = repository.list_tree(tip, [name]).get(name)
        data = repository.read_blobs([entry.oid])[entry.oid] if entry else b""
        return build_snapshot({CONFIG: data}).config

    def looked_at(self, change: Change) -> None:
        """Remember how far a change was when its user was shown it."""
        from remit.remembering import memory_of

        if memory := memory_of(self.store):
            memory.keep(f"looked at {change.id}", change.head.encode())

    def last_seen(self, id: str) -> str:
        """The newest commit of a change when its user was last shown it here; empty when that is not known."""
        from remit.remembering import memory_of

        memory = memory_of(self.store)
        return ((memory.recall(f"looked at {id}") if memory else None) or b"").decode()

    def requirements(self, proposal: Proposal) -> Sequence[Requirement]:
        """What the rules ask of a change; nothing for one that cannot be read."""
        from remit.changing.proposals import requirements
        from remit.times import in_zone

        if proposal.state == "unreadable":
            return ()
        return requirements(self.store, proposal.change, self.judge, at=in_zone(self.at, self.config.zone))

    def review_due(self, proposal: Proposal) -> datetime | None:
        """When the review of an emergency change has to be there; None when none is owed, or no rule says when."""
        from remit.owing import review_due

        if not proposal.owed or proposal.applied is None:
            return None
        commit = self.store.in_git().commit(proposal.applied)
        return review_due(self.store, commit.parents[0], commit.committed or commit.when)

    def person_at(self, base: str) -> str:
        """The Person of ``base`` who asks; empty when git does not know, or nobody there has that e-mail."""
        from remit.changing.targets import me
        from remit.errors import Refused
        from remit.registry import Registry

        identity = self.store.in_git().identity()
        if identity is None:
            return ""
        try:
            return me(Registry.of(self.store.files_of(base).blobs), identity).person
        except Refused:
            return ""


def desk(ctx: click.Context, at: datetime) -> Desk:
    """The desk of the store that ``--store`` names."""
    return Desk(store_of(ctx), at)
