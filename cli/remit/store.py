"""The store on disk and in git: which files belong to it, read as one consistent set, written one file at a time.

Always true here: only ``remit.yaml`` and what is below ``schemas/ rules/ records/ templates/`` is read or written;
links are reported and never followed; reading a commit needs no working tree and changes none.
Paths are relative to the store, with ``/``, also when the store is a folder inside a larger repository.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from remit.errors import NotAStore, NotFound, Refused
from remit.findings import Finding, finding, in_order
from remit.git import Marks, Repository, TreeEntry
from remit.git.values import TREE_MODE
from remit.places import Place

if TYPE_CHECKING:
    from remit.bulk import Judged

CONFIG = "remit.yaml"
FOLDERS = ("records", "rules", "schemas", "templates")
KEPT_TREES = 4
_REGULAR_MODES = ("100644", "100755")
_LINK_HINT = "put a regular file there"


@dataclass(frozen=True)
class Files:
    """All files of the store as of one moment.

    Attributes:
        commit: The commit they come from; None for the working tree and for a tree that no commit has yet.
        date: When that commit was made; None when ``commit`` is.
        blobs: Contents by path, sorted by path.
        findings: What is there and is not a readable regular file.
        marks: Of a working tree, what the file system said of each file before it was read, and of each folder, whose
            path ends with a slash.
        ids: The ids that git has or would have for some of them, by path.
        judged: Records that were judged as they were read, by the schemas that are here.
    """

    commit: str | None
    date: datetime | None
    blobs: Mapping[str, bytes]
    findings: tuple[Finding, ...] = field(default=())
    marks: Mapping[str, Marks] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    judged: Mapping[str, Judged] = field(default_factory=dict)


class Listing(NamedTuple):
    """What is there in a working tree: regular files, sorted; what is none; and the marks of each folder."""

    paths: Sequence[str]
    odd: Sequence[Finding]
    marks: Mapping[str, Marks]


def is_store_path(path: str) -> bool:
    """True for ``remit.yaml`` and for paths below the store's folders without a component that begins with a dot."""
    top, _, rest = path.partition("/")
    plain = rest != "" and not (path.endswith("/") or "//" in path or "/." in path)
    return path == CONFIG or (plain and top in FOLDERS)


class TreeBlobs(Mapping[str, bytes]):
    """The files of the store in a tree by path, sorted; nothing is listed or read before somebody asks for it.

    They are read a folder at a time. Of a folder with many files, the first few that are asked for, or one in
    sixty-four, are read one by one, and then the folder: a question about ten records of ten thousand is not to read
    them all. What two trees have in common is read once.
    """

    MANY = 256
    FEW = 8
    SHARE = 64

    def __init__(self, repository: Repository, tree: str, prefix: str, known: dict[str, bytes]) -> None:
        self._repository, self._tree, self._prefix, self._known = repository, repository.tree_of(tree), prefix, known
        self._ids: dict[str, str | None] = {}
        self._asked: Counter[str] = Counter()

    @property
    def tree(self) -> str:
        """The id of the tree."""
        return self._tree

    @cached_property
    def oids(self) -> Mapping[str, str]:
        """The id of each file by path, sorted."""
        wanted = [self._prefix + name for name in (CONFIG, *FOLDERS)]
        found = self._repository.list_tree(self._tree, wanted).items()
        regular = ((path.removeprefix(self._prefix), entry) for path, entry in found if entry.mode in _REGULAR_MODES)
        return {path: entry.oid for path, entry in sorted(regular) if is_store_path(path)}

    def id_of(self, path: str) -> str:
        """The id of a file or a whole folder of the store; empty where there is none."""
        entry = self._repository.entry(self._tree, self._prefix + path.rstrip("/"))
        return entry.oid if entry is not None and entry.mode in (*_REGULAR_MODES, TREE_MODE) else ""

    def below(self, folder: str) -> list[str]:
        """The paths of all files below a folder, sorted."""
        found = self._repository.list_tree(self._tree, [f"{self._prefix}{folder.rstrip('/')}"]).items()
        paths = (path.removeprefix(self._prefix) for path, entry in found if entry.mode in _REGULAR_MODES)
        return sorted(path for path in paths if is_store_path(path) and path.startswith(folder))

    def differing(self, other: TreeBlobs) -> list[str]:
        """The paths at which two trees of one store have not the same file, sorted."""
        changed = (one.path for one in self._repository.changed_paths(self._tree, other._tree))
        paths = (path.removeprefix(self._prefix) for path in changed if path.startswith(self._prefix))
        return sorted(path for path in paths if is_store_path(path) and self.oid(path) != other.oid(path))

    def __getitem__(self, path: str) -> bytes:
        if (oid := self.oid(path)) is None:
            raise KeyError(path)
        if oid not in self._known:
            wanted = [one for one in self._beside(path, oid) if one not in self._known]
            self._known.update(self._repository.read_blobs(wanted))
        return self._known[oid]

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self.oid(path) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.oids)

    def __len__(self) -> int:
        return len(self.oids)

    def oid(self, path: str) -> str | None:
        """The id of a file; None when it is not there."""
        if "oids" in self.__dict__:
            return self.oids.get(path)
        if path not in self._ids:
            entry = self._repository.entry(self._tree, self._prefix + path) if is_store_path(path) else None
            self._ids[path] = entry.oid if entry is not None and entry.mode in _REGULAR_MODES else None
        return self._ids[path]

    def _beside(self, path: str, oid: str) -> list[str]:
        """What is read together with a file."""
        folder = (self._prefix + path).rpartition("/")[0]
        self._asked[folder] += 1
        count = self._repository.count_in(self._tree, folder)
        many = count > self.MANY and self._asked[folder] <= max(self.FEW, count // self.SHARE)
        if many or "/" not in path:
            return [oid]
        inside = self._repository.files_in(self._tree, folder).values()
        return [entry.oid for entry in inside if entry.mode in _REGULAR_MODES]


def changed_paths(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    """Paths whose content differs, sorted; of two trees only their ids are compared."""
    if isinstance(before, TreeBlobs) and isinstance(after, TreeBlobs):
        return before.differing(after)
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


class Store:
    """One store: a folder with ``remit.yaml``, or a bare repository whose commits have one at the top."""

    def __init__(self, root: Path, *, is_bare: bool = False) -> None:
        self.root = root
        self.is_bare = is_bare
        self._known: dict[str, bytes] = {}
        self._trees: dict[str, TreeBlobs] = {}

    @classmethod
    def open(cls, start: Path) -> Store:
        """The store at ``start`` or above.

        Raises:
            NotAStore: there is none.
        """
        folder = Path(os.path.abspath(start))  # noqa: PTH100 - resolve() would leave the path that the user gave
        for candidate in (folder, *folder.parents):
            if (candidate / CONFIG).is_file():
                return cls(candidate)
        repository = Repository.find(folder) if folder.is_dir() else None
        if repository is not None and repository.is_bare:
            if repository.head().commit is None:
                raise NotAStore(
                    f"the bare repository {repository.git_dir} has no commit yet", hint="push the store to it"
                )
            return cls(repository.git_dir, is_bare=True)
        raise NotAStore(f"there is no {CONFIG} in {folder} or above", hint="make a store: remit init DIR")

    @classmethod
    def of_bare(cls, repository: Repository) -> Store:
        """The store that the commits of a bare repository hold, read by exactly this one."""
        store = cls(repository.git_dir, is_bare=True)
        store.repository = repository
        return store

    @cached_property
    def repository(self) -> Repository | None:
        """The repository that holds the store, or None when it is not under git."""
        return Repository.find(self.root)

    @cached_property
    def git_dir(self) -> Path | None:
        """The folder of the repository that holds the store, or None when it is not under git.

        Where it stands in the store's own folder, is no link and is the user's, git is not asked.
        """
        own = self.root / ".git"
        try:
            mine = not own.is_symlink() and own.stat().st_uid == self.root.stat().st_uid == os.geteuid()
        except (OSError, AttributeError):
            mine = False
        if mine and (own / "HEAD").is_file() and all((own / part).is_dir() for part in ("objects", "refs")):
            return own.absolute()
        return None if self.repository is None else self.repository.git_dir

    @cached_property
    def prefix(self) -> str:
        """Where the store is in its repository: empty at the top, otherwise ending with a slash."""
        if self.repository is None or self.repository.is_bare:
            return ""
        inside = self.root.resolve().relative_to(self.repository.top.resolve()).as_posix()
        return "" if inside == "." else f"{inside}/"

    def in_git(self) -> Repository:
        """The repository; ``Refused`` when there is none."""
        if self.repository is None:
            raise Refused(f"{self.root} is not in a git repository", hint="git init && git add -A && git commit")
        return self.repository

    # -- reading ---------------------------------------------------------------------------------------------------

    def files(self, ref: str | None = None) -> Files:
        """The store as ``ref`` has it, or as it is in the working tree (in a bare repository: as HEAD has it).

        Raises:
            NotFound: no such revision.
            NotAStore: that revision has no ``remit.yaml`` where the store is.
        """
        if ref is None and not self.is_bare:
            return self.read_listed(self.listed(), {})
        commit = self.in_git().commit(ref or "HEAD")
        return self.files_of(commit.sha, commit.sha, commit.committed)

    def files_of(self, tree: str, commit: str | None = None, date: datetime | None = None) -> Files:
        """The store as a tree (or commit) has it; contents are read when they are asked for."""
        blobs = self.blobs_of(tree)
        config = self.in_git().entry(tree, self.prefix + CONFIG)
        if config is None or config.mode == TREE_MODE:
            where = f'in "{self.prefix.rstrip("/")}" of' if self.prefix else "at the top of"
            raise NotAStore(f"there is no {CONFIG} {where} {tree[:12]}", hint="choose a later revision")
        return Files(commit, date, blobs, in_order(self._irregular(tree)))

    def blobs_of(self, tree: str) -> TreeBlobs:
        """The store's files in a tree or commit, also when it has no ``remit.yaml``."""
        if (found := self._trees.pop(tree, None)) is None:
            found = TreeBlobs(self.in_git(), tree, self.prefix, self._known)
        self._trees[tree] = found
        while len(self._trees) > KEPT_TREES:
            del self._trees[next(iter(self._trees))]
        return found

    def _irregular(self, tree: str) -> list[Finding]:
        repository = self.in_git()
        tops = [repository.entry(tree, self.prefix + name) for name in (CONFIG, *FOLDERS)]
        folders = [entry.oid for entry in tops if entry is not None and entry.mode == TREE_MODE]
        files = all(entry is None or entry.mode in (TREE_MODE, *_REGULAR_MODES) for entry in tops)
        if files and not any(map(repository.has_odd, folders)):
            return []
        listing = self.listing(tree).items()
        odd = ((path, entry) for path, entry in listing if entry.mode not in _REGULAR_MODES)
        return [_irregular(path, _kind_of(entry.mode)) for path, entry in odd]

    def listing(self, tree: str) -> Mapping[str, TreeEntry]:
        """Mode and id of every store path of a tree or commit, links included."""
        wanted = [self.prefix + name for name in (CONFIG, *FOLDERS)]
        entries = self.in_git().list_tree(tree, wanted)
        inside = {path.removeprefix(self.prefix): entry for path, entry in entries.items()}
        # A folder that is a link or submodule itself is one entry without anything below: it must not vanish.
        return {path: entry for path, entry in inside.items() if is_store_path(path) or path in FOLDERS}

    def read(self, path: str) -> bytes:
        """One file of the working tree."""
        target = self._target(path)
        try:
            return target.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(f"there is no file {path}") from error

    def listed(self) -> Listing:
        """What there is in the working tree; nothing is read."""
        marks: dict[str, Marks] = {}
        found = sorted(self._walk(marks))
        odd = [_irregular(path, kind) for path, kind in found if kind != "file"]
        return Listing([path for path, kind in found if kind == "file"], odd, marks)

    def read_listed(self, listing: Listing, known: Mapping[str, tuple[bytes, Marks]]) -> Files:
        """Those files, but for those that are known; of the known, as they were read."""
        blobs: dict[str, bytes] = {}
        odd = list(listing.odd)
        marks = dict(listing.marks)
        for path in listing.paths:
            try:
                blobs[path], marks[path] = known.get(path) or read_regular(f"{self.root}/{path}")
            except FileNotFoundError:
                continue  # removed while we were reading
            except OSError as error:
                odd.append(finding("unreadable-file", f"{path} cannot be read: {error.strerror}", Place(path)))
        return Files(None, None, blobs, in_order(odd), marks)

    def _walk(self, marks: dict[str, Marks]) -> Iterator[tuple[str, str]]:
        """Every store path of the working tree and what is there: ``file`` or the name of something else."""
        for name in (CONFIG, *FOLDERS):
            kind = _kind_on_disk(self.root / name)
            if kind == "folder":
                yield from _below(f"{self.root}/{name}", name, marks)
            elif kind and (name == CONFIG or kind != "file"):
                yield name, kind

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, path: str, data: bytes) -> None:
        """Put ``data`` at ``path``: afterwards the file is the old one or the new one, whatever happens meanwhile.

        Raises:
            Refused: the path is not the store's, or a link is in the way.
        """
        write_whole(self._target(path), data)

    def remove(self, path: str) -> None:
        """Take a file away; ``NotFound`` when it is not there."""
        target = self._target(path)
        try:
            target.unlink()
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {path}") from error
        _sync_folder(target.parent)

    def _target(self, path: str) -> Path:
        if self.is_bare:
            raise Refused("this is a bare repository: it has no files to change", hint="work in a clone of it")
        if not is_store_path(path) or "\\" in path or any(ord(letter) < 0x20 for letter in path):
            raise Refused(f'"{path}" is not a path of the store', hint=f"{CONFIG} or below {', '.join(FOLDERS)}")
        target = self.root / path
        for step in [target, *target.parents][: path.count("/") + 1]:
            if step.is_symlink():
                raise Refused(f"{step.relative_to(self.root).as_posix()} is a symbolic link", hint=_LINK_HINT)
        return target


def write_whole(target: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Put ``data`` at ``target`` (folders made as needed) so that nobody sees a part of it; ``mode`` if new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _kind_on_disk(path: Path) -> str:
    """``file``, ``folder``, the name of something else, or nothing when nothing is there."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "a symbolic link" if stat.S_ISLNK(mode) else "a device or pipe"


def _below(top: str, path: str, marks: dict[str, Marks]) -> Iterator[tuple[str, str]]:
    """What is in a folder and the folders in it, by store path; names that begin with a dot are nobody's."""
    folders = [(top, path)]
    while folders:
        folder, path = folders.pop()
        marks[f"{path}/"] = marks_of(os.lstat(folder))
        for entry in os.scandir(folder):
            inner = f"{path}/{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                yield inner, "a symbolic link"
            elif entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, inner))
            else:
                yield inner, "file" if entry.is_file(follow_symlinks=False) else "a device or pipe"


def _kind_of(mode: str) -> str:
    return {"120000": "a symbolic link", "160000": "a submodule"}.get(mode, f"of mode {mode}")


def _irregular(path: str, kind: str) -> Finding:
    return finding("not-a-regular-file", f"{path} is {kind}", Place(path), hint=_LINK_HINT)


def marks_of(found: os.stat_result) -> Marks:
    """What tells, without reading, that a file or folder may have changed."""
    return Marks(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def read_regular(path: str) -> tuple[bytes, Marks]:
    """A file and its marks from before it was read; a link is an ``OSError``."""
    handle = os.open(path, _READING)
    try:
        seen = os.fstat(handle)
        data = os.read(handle, seen.st_size + 1)
        while len(data) > seen.st_size and (more := os.read(handle, _MUCH)):  # it grows while we read
            data += more
        return data, marks_of(seen)
    finally:
        os.close(handle)


_READING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Without following a link that took the file's place since it was looked at."""

_MUCH = 1 << 16


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` last; not every system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
