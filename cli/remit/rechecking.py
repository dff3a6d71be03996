"""Checking a store that was checked before: what cannot have changed is not asked again.

A verdict is remembered with the files that it is about, with what each part of the check read to come to it, and with
the time for which it holds. The same files have the same verdict; after a change, and on another day, ``touching``
judges again what may be something else. Where that cannot tell, everything is checked: the findings are those of
``checking.check``, always. What was right is remembered beside what is wrong now, for mistakes are put right again.

Source: design section 11, point 8; docs/decisions/042-parts-of-a-verdict.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from remit.apart import apart
from remit.findings import Finding, has_errors
from remit.footing import FRESH, NO_MARKS, Footing, Irregular, Now, believed, blob_id, footing_of, look, witnessed
from remit.remembering import Memory, memory_of
from remit.store import FOLDERS, Files, Store, TreeBlobs, read_regular
from remit.verdicts import WORKING, Known, Touch, Verdict

if TYPE_CHECKING:
    from remit.bulk import Spread

THERE, TREE = WORKING.removeprefix("verdict on "), "a tree"
"""What verdicts are about."""

Look = Callable[[Known], tuple[Touch, Callable[[], Footing]]]
"""What was done since a verdict, and the footing that follows from it."""


def check_working(store: Store, memory: Memory | None, *, at: datetime, spread: Spread | None = None) -> Verdict:
    """The findings of ``checking.check`` on a working tree, from what is remembered where that is enough.

    Where ``remit.yaml`` names feeds, which may say something else each time, nothing is remembered. ``spread`` may have
    many records read elsewhere.
    """
    if memory is None:
        return check_files(store.files(), store.root, None, at=at, spread=spread)
    before = memory.now() - FRESH
    looked = partial(_looked_at_disk, store, before)
    try:
        if verdict := _remembered(memory, THERE, (WORKING, f"errors of {THERE}"), looked, at):
            return verdict
    except (Irregular, OSError):
        pass  # ``Store.files`` says what is in the way
    files = _gathered(store, spread) if spread is not None else store.files()
    if files.findings or _has_feeds(files):
        return _checked(files, store.root, at, spread)
    algorithm = store.in_git().object_format
    ids = {path: files.ids.get(path) or blob_id(data, algorithm) for path, data in files.blobs.items()}
    marks = {path: believed(seen, before) for path, seen in files.marks.items()}
    folders = dict.fromkeys(FOLDERS, NO_MARKS) | {p[:-1]: seen for p, seen in marks.items() if p.endswith("/")}
    footing, unheld = witnessed(store, footing_of(ids, marks, folders), before)
    return _surveyed(memory, THERE, files, footing, unheld, at, spread)


def check_files(
    files: Files,
    root: Path,
    memory: Memory | None,
    *,
    at: datetime,
    store: Store | None = None,
    spread: Spread | None = None,
) -> Verdict:
    """The same of files that are at hand; ``store`` is where those of a commit come from."""
    if memory is None or files.findings or _has_feeds(files):
        return _checked(files, root, at, spread)
    blobs = files.blobs
    if store is not None and isinstance(blobs, TreeBlobs):
        names = (f"verdict on {TREE}", f"errors of {TREE}", WORKING)
        if verdict := _remembered(memory, TREE, names, partial(_looked_at_tree, store, blobs), at):
            return verdict
        footing = footing_of(blobs.oids).in_tree(blobs.tree)
        return _surveyed(memory, TREE, files, footing, frozenset(), at, spread)
    ids = {path: blob_id(data) for path, data in blobs.items()}

    def looked(known: Known) -> tuple[Touch, Callable[[], Footing]]:
        paths = {path for path, _ in ids.items() ^ known.footing.ids().items()}
        found = {path: blobs.get(path) for path in paths}
        return Touch(found, blobs.get, blobs.items, lambda oid: None), lambda: footing_of(ids)

    if verdict := _remembered(memory, TREE, (f"verdict on {TREE}", f"errors of {TREE}"), looked, at):
        return verdict
    return _surveyed(memory, TREE, files, footing_of(ids), frozenset(ids), at, spread)


def since(store: Store, memory: Memory | None, ref: str | None, base: Files) -> tuple[Finding, ...] | None:
    """What is wrong with the way from a commit to the store as it was just checked; None when that must be read.

    ``ref`` is the commit that was checked; None for the working tree.
    """
    if memory is None or not isinstance(base.blobs, TreeBlobs):
        return None
    from remit import between  # slow to import: only where a way is judged

    tree = ref is not None or store.is_bare
    blobs = store.files(ref).blobs if tree else None
    looked = partial(_looked_at_tree, store, blobs) if isinstance(blobs, TreeBlobs) else None
    looked = looked or partial(_looked_at_disk, store, memory.now() - FRESH)
    of = TREE if tree else THERE
    for name in (f"verdict on {of}", f"errors of {of}"):
        known = Known.of_bytes(memory.recall(name))
        with suppress(Irregular, OSError):
            touch, _ = looked(known) if known is not None else (None, None)
            if known is not None and touch is not None and not touch.files:
                return between.since(known, touch.now, _differing(store, known.footing, base.blobs))
    return None


def _differing(store: Store, footing: Footing, base: TreeBlobs) -> dict[str, bytes | None]:
    """The files of a tree that are not what they are now, by path; None for those that are only there now."""
    paths = base.differing(store.blobs_of(footing.tree)) if footing.tree else sorted(apart(store, base.tree, footing))
    return _read(store, base, paths)


def _read(store: Store, blobs: TreeBlobs, paths: Iterable[str]) -> dict[str, bytes | None]:
    """These files of a tree; None for those that are not there."""
    ids = {path: blobs.oid(path) for path in paths}
    data = store.in_git().read_blobs([oid for oid in ids.values() if oid is not None])
    return {path: data[oid] if oid is not None else None for path, oid in ids.items()}


def is_right(store: Store, files: Files, at: datetime) -> bool:
    """Whether it is known, or follows at once from what is known, that a commit or tree of a store has no error."""
    memory, blobs = memory_of(store), files.blobs
    if memory is None or files.findings or not isinstance(blobs, TreeBlobs):
        return False
    for name in (WORKING, f"verdict on {TREE}"):
        known = Known.of_bytes(memory.recall(name))
        now = _still(known, _looked_at_tree(store, blobs, known)[0], at) if known is not None else None
        if now is not None and not has_errors(now.verdict.findings):
            return True
    return False


def _looked_at_tree(store: Store, blobs: TreeBlobs, known: Known) -> tuple[Touch, Callable[[], Footing]]:
    """What is in a tree and not what it was; of two trees only what differs is listed."""
    before = known.footing
    if before.tree and store.in_git().exists(before.tree):
        paths = {*blobs.differing(store.blobs_of(before.tree))}
    else:
        paths = {*apart(store, blobs.tree, before)}
    found = _read(store, blobs, paths)

    def footing() -> Footing:
        now = {
            path: Now(blobs.id_of(path), NO_MARKS, data) if data is not None else None for path, data in found.items()
        }
        return before.in_tree(blobs.tree).with_files(now)

    return Touch(found, blobs.get, blobs.items, _held(store)), footing


def _remembered(memory: Memory, of: str, names: Iterable[str], looked: Look, at: datetime) -> Verdict | None:
    for name in names:
        known = Known.of_bytes(memory.recall(name))
        if known is None:
            continue
        touch, footing = looked(known)
        if (now := _still(known, touch, at)) is not None:
            kept = replace(now, footing=footing())
            _keep(memory, of, kept, at, but=known if name.endswith(of) else None)
            return kept.verdict
    return None


def _keep(memory: Memory, of: str, kept: Known, at: datetime, *, but: Known | None = None) -> None:
    """Remember what holds for a while, unless it is what is remembered; what was right stays beside what is wrong."""
    if kept.holds(at) and kept != but:
        kind = "errors of" if has_errors(kept.verdict.findings) else "verdict on"
        memory.keep(f"{kind} {of}", kept.to_bytes())


def _still(known: Known, touch: Touch, at: datetime) -> Known | None:
    if not touch.files and known.holds(at):
        return known  # most often, and without all that follows
    from remit.touching import still

    return still(known, touch, at)


def _gathered(store: Store, spread: Spread) -> Files:
    from remit.gathering import gathered

    return gathered(store, spread)


def _surveyed(
    memory: Memory,
    of: str,
    files: Files,
    footing: Footing,
    unheld: frozenset[str],
    at: datetime,
    spread: Spread | None,
) -> Verdict:
    from remit.evaluating import load  # slow to import: only when everything is checked
    from remit.surveying import survey

    known = survey(load(files, spread=spread), footing, unheld, at)
    _keep(memory, of, known, at)
    return known.verdict


def _checked(files: Files, root: Path, at: datetime, spread: Spread | None) -> Verdict:
    from remit import checking
    from remit.evaluating import feeds_of, load

    loaded = load(files, feeds_of(files, root, (), None), spread=spread)
    findings = checking.check(loaded, at=at)
    return Verdict(findings, len(loaded.snapshot.records), len(loaded.snapshot.policies))


def _has_feeds(files: Files) -> bool:
    from remit.records import config_of

    return bool(config_of(files.blobs).sources)


def _looked_at_disk(store: Store, before: int, known: Known) -> tuple[Touch, Callable[[], Footing]]:
    """What is in the working tree and not what it was; marks of ``before`` and later are not believed."""
    sight = look(store, known.footing, before)
    files = {path: found.data if found else None for path, found in sight.touched.items()}

    def now(path: str) -> bytes | None:
        oid = known.footing.oid(path)
        return files[path] if path in files else _as_known(store, path, oid) if oid else None

    def whole() -> Iterator[tuple[str, bytes]]:
        yield from ((path, data) for path, data in files.items() if data is not None)
        yield from (
            (path, _as_known(store, path, oid)) for path, oid in known.footing.ids().items() if path not in files
        )

    return Touch(files, now, whole, _held(store)), lambda: sight.footing


def _as_known(store: Store, path: str, oid: str) -> bytes:
    """A file that is what it was."""
    data, _ = read_regular(f"{store.root}/{path}")
    if blob_id(data, store.in_git().object_format) != oid:
        raise Irregular(path)  # it changed after we looked
    return data


def _held(store: Store) -> Callable[[str], bytes | None]:
    return lambda oid: store.in_git().find_blobs([oid]).get(oid)
