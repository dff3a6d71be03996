"""Where changes go: the protected branch, the place of truth behind it, and the refs that carry what people post.

Source: security rules R1, R3, R14, R23.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remit.changes import Change, Person
from remit.errors import GitError, Refused
from remit.git import Identity, Repository
from remit.registry import Registry
from remit.sentences import say
from remit.store import CONFIG, Store
from remit.yamltext import read

ORIGIN = "origin"
CHANGES = "refs/heads/change/"
REVIEWS = "refs/remit/reviews/"
WITHDRAWN = "refs/remit/withdrawn/"
REVIEW_FILE = "approval"


@dataclass(frozen=True)
class Target:
    """The protected branch as it is now, and where its truth lives (``remote`` None: here)."""

    repository: Repository
    ref: str
    tip: str
    remote: str | None

    @property
    def branch(self) -> str:
        """The short name of the branch."""
        return self.ref.removeprefix("refs/heads/")

    def seen(self, ref: str) -> str:
        """The local ref that shows ``ref`` of the place of truth."""
        return tracking(ref) if self.remote else ref

    def posted(self, prefix: str) -> dict[str, str]:
        """Refs below ``prefix`` at the place of truth: what follows the prefix, and the object."""
        return self.posted_each(prefix)[0]

    def posted_each(self, *prefixes: str) -> tuple[dict[str, str], ...]:
        """The same of several prefixes, as they are at one moment."""
        places = [self.seen(prefix) for prefix in prefixes]
        refs = self.repository.refs(*places).items()
        return tuple({n.removeprefix(here): oid for n, oid in refs if n.startswith(here)} for here in places)


def tracking(ref: str) -> str:
    """The local ref that remembers a ref of the origin."""
    if ref.startswith("refs/heads/"):
        return f"refs/remotes/{ORIGIN}/{ref.removeprefix('refs/heads/')}"
    return f"refs/remit/{ORIGIN}/{ref.removeprefix('refs/remit/')}"


def target(store: Store, *, fetch: bool = True, head: str | None = None) -> Target:
    """The protected branch where changes go, read from the origin when there is one.

    Args:
        store: The store.
        fetch: Ask the origin first; otherwise use what was last seen.
        head: The commit of HEAD, when it is known already.

    Raises:
        Refused: not under git, or no commit on the branch yet.
    """
    repository = store.in_git()
    repository.read_settings_anew()
    remote = ORIGIN if repository.remote(ORIGIN) else None
    # What the origin shows first is asked before what happens to be checked out, such as somebody's change.
    shown = repository.named(f"refs/remotes/{ORIGIN}/HEAD") if remote else None
    branch = protected_branch(store, shown or head or "HEAD")
    found = look(repository, branch, remote, fetch=fetch)
    # The branch itself has the last word on which branch is protected, not the commit that happens to be checked out.
    own = protected_branch(store, found.tip)
    return found if own == branch else look(repository, own, remote, fetch=fetch)


def own_target(store: Store) -> Target:
    """The protected branch as this repository itself has it, also when it knows an origin: what its hooks guard.

    Raises:
        Refused: no commit on the branch yet.
    """
    repository = store.in_git()
    found = look(repository, protected_branch(store, "HEAD"), None, fetch=False)
    own = protected_branch(store, found.tip)
    return found if own == found.branch else look(repository, own, None, fetch=False)


def look(repository: Repository, branch: str, remote: str | None, *, fetch: bool) -> Target:
    """The protected branch of that name, at the place of truth.

    Raises:
        Refused: it has no commit yet, or the origin rewrote it.
    """
    ref = f"refs/heads/{branch}"
    if remote and fetch:
        _fetch(repository, ref)
    tip = repository.ref(tracking(ref) if remote else ref)
    if tip is None:
        if remote:
            message = say("change.no-commit-at", remote=remote, branch=branch)
            raise Refused(message, hint=f"git push {remote} {branch}")
        raise Refused(say("change.no-commit-here", branch=branch), hint=say("change.commit-on", branch=branch))
    return Target(repository, ref, tip, remote)


def _fetch(repository: Repository, ref: str) -> None:
    shared = [f"+{prefix}*:{tracking(prefix)}*" for prefix in (CHANGES, REVIEWS, WITHDRAWN)]
    branch, seen = ref.removeprefix("refs/heads/"), repository.ref(tracking(ref))
    try:
        # Without a plus: a branch that was rewritten behind our back does not replace what we saw (rule R23).
        repository.fetch(ORIGIN, [f"{ref}:{tracking(ref)}", *shared])
    except GitError as error:
        if "find remote ref" in error.message:
            message = say("change.no-commit-at", remote=ORIGIN, branch=branch)
            raise Refused(message, hint=f"git push {ORIGIN} {branch}") from error
        if "non-fast-forward" in error.message and seen:
            message = say("change.rewritten", remote=ORIGIN, branch=branch, seen=seen[:12])
            raise Refused(message, hint=say("change.ask-who-rewrote")) from error
        raise


def protected_branch(store: Store, commit: str) -> str:
    """What ``remit.yaml`` of a commit calls the protected branch; of the working tree when there is no commit.

    The branch of a change is never it, whatever the change says of itself.
    """
    repository = store.in_git()
    if sha := repository.named(commit):
        name = store.prefix + CONFIG
        text = next(iter(repository.find_blobs([f"{sha}:{name}"]).values()), b"")
    else:
        text = b"" if store.is_bare else store.read(CONFIG)
    document, _ = read(text, CONFIG)
    value = document.value if document is not None else None
    branch = value.get("protected") if isinstance(value, dict) else None
    if not isinstance(branch, str) or not branch or f"refs/heads/{branch}".startswith(CHANGES):
        return "main"
    return branch


# -- who ---------------------------------------------------------------------------------------------------------------


def identity_of(repository: Repository) -> Identity:
    """Who git says that the user is.

    Raises:
        Refused: it does not know.
    """
    if (found := repository.identity()) is None:
        raise Refused(say("change.git-knows-nobody"), hint=say("change.git-who"))
    return found


def me(registry: Registry, identity: Identity) -> Person:
    """Who git says that the user is, and the Person record with that e-mail, if there is one.

    Raises:
        Refused: several people have that e-mail.
    """
    names = registry.with_emails([identity.email])
    if len(names) > 1:
        message = say("change.email-of-several", email=identity.email, people=names)
        raise Refused(message, hint=say("change.email-own"))
    return Person(identity.name, identity.email, names[0] if names else "")


def registry_at(store: Store, commit: str) -> Registry:
    """The people of a commit or tree."""
    return Registry.of(store.blobs_of(commit))


# -- paths and trees ---------------------------------------------------------------------------------------------------


def overlap(one: str, other: str) -> bool:
    """True for the same path, and for a file where the other has a folder."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def inside(store: Store, path: str) -> str:
    """A path of the repository as the store sees it; one outside of the store begins with a slash."""
    return path.removeprefix(store.prefix) if path.startswith(store.prefix) else f"/{path}"


def result_tree(repository: Repository, tree: str, change: Change) -> str:
    """``tree`` with everything that a change touches as the change has it."""
    touched = {entry.path: entry.new for entry in change.manifest.entries}
    return repository.tree_with(tree, touched, held=change.tree)


def root_where(repository: Repository, commit: str, *, asked: bool) -> str:
    """Which repository this is, by its first commit; empty when nothing that was said has to be compared with it.

    Raises:
        Refused: a shallow clone does not know, and nothing is said about it there.
    """
    return repository.root_commit(commit) if asked or repository.is_shallow else ""


# -- posting -----------------------------------------------------------------------------------------------------------


def post(aim: Target, moves: Mapping[str, tuple[str | None, str | None]], options: Sequence[str] = ()) -> None:
    """Move refs, each from the value that we saw (None: absent), at the place of truth; then remember it here.

    ``options`` are push options for an origin that listens to them.
    """
    repository = aim.repository
    if aim.remote is None:
        for ref, (old, new) in moves.items():
            _move(repository, ref, old, new)
        return
    repository.push(
        aim.remote,
        [f"{new or ''}:{ref}" for ref, (_, new) in moves.items()],
        {ref: old for ref, (old, _) in moves.items()},
        options,
    )
    for ref, (_, new) in moves.items():
        own = [tracking(ref), *([ref] if ref.startswith(CHANGES) else [])]
        for name in own:
            if (present := repository.ref(name)) != new:
                _move(repository, name, present, new)


def _move(repository: Repository, ref: str, old: str | None, new: str | None) -> None:
    if new is not None:
        repository.update_ref(ref, new, old or repository.zero)
    elif old is not None:
        repository.delete_ref(ref, old)
