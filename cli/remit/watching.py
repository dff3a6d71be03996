"""Watching: what became true and what ceased to be, from one instant to the next, with the policies compiled once.

Nothing steps through time here either: of each subject the engine knows the next instant at which something about it
becomes true or ceases to be. So a round decides about those subjects only that changed or whose instant has come, and
what is in force after it is what ``evaluate`` says is in force.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from remit.decisions import Decision
from remit.engine import Rulebook
from remit.errors import UserError
from remit.evaluating import Loaded, ask, feeds_of, in_force, load, refuse_broken
from remit.findings import Finding
from remit.policies.clocking import Window
from remit.policies.narrowing import boundaries
from remit.policies.watch import Watch
from remit.references import World, uses
from remit.sources import SourceContext
from remit.store import Files, Store

AHEAD = timedelta(hours=1)
"""How far ahead the next instant of a subject is looked for; after that everybody is asked about again."""


@dataclass(frozen=True)
class Round:
    """What is otherwise at an instant than it was in the round before; findings are said once."""

    at: datetime
    new: tuple[Decision, ...]
    over: tuple[Decision, ...]
    findings: tuple[Finding, ...]


class _Rulebooks(NamedTuple):
    """Watches that are asked when something changed or is due, and those that are asked every time."""

    steady: Rulebook
    restless: Rulebook

    @staticmethod
    def of(loaded: Loaded) -> _Rulebooks:
        watches, compiler = loaded.policies.watches, loaded.compiler
        restless = [one for one in watches if _is_restless(one)]
        return _Rulebooks(
            Rulebook([one for one in watches if one not in restless], compiler), Rulebook(restless, compiler)
        )

    def close(self) -> None:
        self.steady.close()
        self.restless.close()


class Watching:
    """Rounds over one reading of a store and its feeds; ``taking`` goes on with another. Close it when done."""

    def __init__(self, loaded: Loaded, rulebooks: _Rulebooks | None = None) -> None:
        self.loaded = loaded
        self.rulebooks = rulebooks or _Rulebooks.of(loaded)
        self._last: datetime | None = None
        self._until: datetime | None = None
        self._in_force: dict[str, list[Decision]] = {}
        self._due: dict[str, datetime] = {}
        self._changed: set[str] = set()
        self._told: dict[str, Decision] = {}
        self._said: set[Finding] = set()

    def taking(self, loaded: Loaded) -> Watching:
        """The same going on with another reading; policies are compiled again only where they were read again."""
        same = loaded.policies is self.loaded.policies
        other = Watching(loaded, self.rulebooks if same else None)
        other._told, other._said = dict(self._told), set(self._said)
        affected = _affected(self.loaded.world, loaded.world, loaded.policies.watches) if same else None
        if affected is not None:
            other._last, other._until = self._last, self._until
            other._in_force, other._due = dict(self._in_force), dict(self._due)
            other._changed = self._changed | affected
        return other

    def round(self, at: datetime) -> Round:
        """What is in force at ``at`` and was not in the round before, and the other way round.

        Raises:
            UserError: a message cannot be worded; the next round asks about everybody.
        """
        stale = self._stale(at)
        self._last = None
        findings = [*self.loaded.findings]
        if stale is None or stale:
            findings += self._decide(at, stale)
        found = ask(self.rulebooks.restless, self.loaded, Window(None, at), read_at=at, standing=True)
        findings += found.findings
        holding = [one for decisions in self._in_force.values() for one in decisions]
        now = {one.id: one for one in (*holding, *in_force(found, at))}
        new = tuple(one for name, one in now.items() if name not in self._told)
        over = tuple(one for name, one in self._told.items() if name not in now)
        said = tuple(one for one in dict.fromkeys(findings) if one not in self._said)
        self._told, self._last, self._changed = now, at, set()
        self._said.update(said)
        return Round(at, new, over, said)

    def close(self) -> None:
        """Give every rule session back."""
        self.rulebooks.close()

    def _stale(self, at: datetime) -> set[str] | None:
        """The subjects to ask about at ``at``; None for all of them."""
        last = self._last
        if last is None or self._until is None or not last <= at <= self._until:
            return None
        terms = boundaries(self.loaded.world)
        if bisect_right(terms, last) != bisect_right(terms, at):
            return None  # a condition reads the term of the moment asked about
        return self._changed | {subject for subject, due in self._due.items() if due <= at}

    def _decide(self, at: datetime, stale: set[str] | None) -> list[Finding]:
        """Ask the steady watches what is in force and when something follows; gives what was wrong on the way."""
        if stale is None or self._until is None:
            self._until = at + AHEAD
            self._in_force, self._due = {}, {}
        for subject in stale or ():
            self._in_force.pop(subject, None)
            self._due.pop(subject, None)
        found = ask(self.rulebooks.steady, self.loaded, Window(None, at), read_at=at, standing=True, subjects=stale)
        coming = ask(self.rulebooks.steady, self.loaded, Window(at, self._until), subjects=stale)
        for one in in_force(found, at):
            self._in_force.setdefault(one.subject, []).append(one)
            if one.ends is not None:
                self._comes(one.subject, one.ends)
        for one in coming.decisions:
            if one.at is not None:
                self._comes(one.subject, one.at)
        return found.findings

    def _comes(self, subject: str, at: datetime) -> None:
        self._due[subject] = min(at, self._due.get(subject, at))


def _is_restless(watch: Watch) -> bool:
    """True of a watch whose decisions may end without an instant of their own: it hears others, or goes by periods."""
    return bool(watch.sources) or (watch.clock is not None and watch.clock.cycle is not None)


# --- what a change of facts touches ----------------------------------------------------------------------------------


def _affected(before: World, after: World, watches: Iterable[Watch]) -> set[str] | None:
    """The subjects of which something else may be said once facts are others; None when it may be all of them."""
    watches = list(watches)
    changed = _changed(before, after)
    kinds = {ref.partition("/")[0] for ref in changed}
    known = {watch.subject for watch in watches} | {watch.clock.pause_kind for watch in watches if watch.clock}
    if kinds - known or (kinds and any(watch.related for watch in watches if not watch.sources)):
        return None
    return _referring(before, _referring(after, changed))


def _changed(before: World, after: World) -> set[str]:
    found = set()
    for kind in after.schemas.kinds:
        for name in {*before.names_of(kind), *after.names_of(kind)}:
            old, new = before.get(kind, name), after.get(kind, name)
            if old is None or new is None or old.spec != new.spec:
                found.add(f"{kind}/{name}")
    return found


def _referring(world: World, refs: set[str]) -> set[str]:
    """``refs`` and everything that refers to them, to what refers to them, and so on."""
    if not refs:
        return refs
    users: dict[str, list[str]] = {}
    for kind, schema in world.schemas.kinds.items():
        for entity in world.all(kind) if schema.shape.refers else ():
            for use in uses(entity, schema.shape):
                for one in use.kinds:
                    users.setdefault(f"{one}/{use.name.removeprefix(one + '/')}", []).append(entity.ref)
    found, waiting = set(refs), list(refs)
    while waiting:
        more = [ref for ref in users.get(waiting.pop(), ()) if ref not in found]
        found.update(more)
        waiting += more
    return found


# --- what there is to read -------------------------------------------------------------------------------------------


class _Sight(NamedTuple):
    files: Files
    feeds: list[SourceContext]
    marks: list[tuple[int, int, int] | None]


class Reader:
    """Reads a store and its feeds again when they changed, files of feeds by size and time, the store by content."""

    def __init__(
        self, store: Store, ref: str | None, feeds: Collection[tuple[str | None, str]], mapping: Path | None
    ) -> None:
        self._store = store
        self._ref = ref
        self._given = feeds
        self._mapping = mapping
        self._seen: _Sight | None = None
        self._good: tuple[Files, Loaded] | None = None

    def read(self) -> Loaded | None:
        """What there is now; None when it is as it was.

        Raises:
            UserError: the store or a feed cannot be asked about; said once, until something changes again.
        """
        files = self._store.files(self._ref)
        feeds = feeds_of(files, self._store.root, self._given, self._mapping)
        marks = [_mark(feed) for feed in feeds]
        before, self._seen = self._seen, _Sight(files, feeds, marks)
        same = before and _same(before.files, files) and (before.feeds, before.marks) == (feeds, marks)
        if same and None not in marks:
            return None
        loaded = self._loaded(files, feeds)
        self._good = (files, loaded)
        return loaded

    def _loaded(self, files: Files, feeds: Sequence[SourceContext]) -> Loaded:
        known = self._good is not None and _same(self._good[0], files)
        loaded = self._good[1].with_feeds(feeds) if self._good is not None and known else load(files, feeds)
        refuse_broken(loaded)
        for one in loaded.findings:
            if one.code == "unreadable-feed":
                raise UserError(f"{one.place}: {one.message}", one.hint)
        return loaded


def _same(one: Files, other: Files) -> bool:
    if one.commit is not None or other.commit is not None:
        return one.commit == other.commit
    return one.blobs == other.blobs


def _mark(feed: SourceContext) -> tuple[int, int, int] | None:
    """Whether a feed is as it was; None where only reading it tells, as of a database."""
    try:
        seen = feed.file.stat()
    except OSError:
        return None if "://" in feed.path else (0, 0, 0)
    return seen.st_size, seen.st_mtime_ns, seen.st_ino


def rounds(reader: Reader, instants: Iterable[datetime]) -> Iterator[Round | UserError]:
    """A round at each of ``instants``; an error where something is broken, and then a round over what was last good.

    Raises:
        UserError: it is broken from the beginning, or a message cannot be worded though nothing has changed.
    """
    watching: Watching | None = None
    try:
        for at in instants:
            try:
                loaded = reader.read()
                if watching is None:
                    assert loaded is not None
                    watching = Watching(loaded)
                elif loaded is not None:
                    watching, made = _gone_on(watching, loaded, at)
                    yield made
                    continue
            except UserError as error:
                if watching is None:
                    raise
                yield error
            yield watching.round(at)
    finally:
        if watching is not None:
            watching.close()


def _gone_on(watching: Watching, loaded: Loaded, at: datetime) -> tuple[Watching, Round]:
    """The same with another reading, and its first round; where that fails, ``watching`` stays as it was."""
    taken = watching.taking(loaded)
    before, after = watching.rulebooks, taken.rulebooks
    try:
        made = taken.round(at)
    except UserError:
        if after is not before:
            after.close()
        raise
    if after is not before:
        before.close()
    return taken, made
