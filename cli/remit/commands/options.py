"""What the commands share: the options that are called the same everywhere, the store they open, JSON on stdout.

Only here is the clock of the machine read: as the default of ``--at``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from remit.errors import GitError
from remit.findings import Finding, has_errors, in_order
from remit.reporters.terminal import plural, safe
from remit.store import CONFIG, Store
from remit.times import parse_instant

if TYPE_CHECKING:
    from remit.records import Snapshot
    from remit.schemas import Schemas

Command = Callable[..., Any]
Option = Callable[[Command], Command]
Answer = TypeVar("Answer")


class InstantType(click.ParamType[datetime]):
    """An instant with an offset, or ``now``."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The aware datetime; a usage error says what was expected."""
        if isinstance(value, datetime):
            return value
        if value == "now":
            return datetime.now(UTC).replace(microsecond=0)
        try:
            return parse_instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


INSTANT = InstantType()


class FactsArgument(NamedTuple):
    """One ``--facts``: where rows are, and of which kind they are when they do not say it themselves (else None)."""

    kind: str | None
    path: str


class FactsType(click.ParamType[FactsArgument]):
    """``PATH`` or ``KIND=PATH``; a kind is a word that begins with a capital letter."""

    name = "facts"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> FactsArgument:
        """The two parts; a path with an equal sign in it stays whole unless a kind stands before the sign."""
        if isinstance(value, FactsArgument):
            return value
        kind, sign, path = str(value).partition("=")
        if not (sign and kind.isidentifier() and kind[:1].isupper()):
            return FactsArgument(None, value)
        if not path:
            self.fail(f"{value!r} names no file.", param, ctx)
        return FactsArgument(kind, path)


def format_option(*formats: str) -> Option:
    """``--format``, given to the command as ``fmt``; the first of ``formats`` is the default."""
    return click.option(
        "--format", "fmt", type=click.Choice(formats), default=formats[0], show_default=True, help="How to print it."
    )


def ref_option(command: Command) -> Command:
    """``--ref``: read a commit instead of the working tree; None when not given."""
    return click.option("--ref", metavar="REV", help="Read this commit, branch or tag, not the working tree.")(command)


def language_option(command: Command) -> Command:
    """``--language``: the language of what is shown; None for the store's own."""
    return click.option(
        "--language", type=click.Choice(["zh", "en"]), help="Show it in this language, not the store's own."
    )(command)


def at_option(command: Command) -> Command:
    """``--at``: an aware datetime, now when not given."""
    return click.option(
        "--at",
        type=INSTANT,
        default="now",
        metavar="INSTANT",
        help="The moment asked about, such as 2026-10-15T10:00:00+08:00.  [default: now]",
    )(command)


def facts_option(command: Command) -> Command:
    """``--facts``, as a tuple of ``FactsArgument``; empty when not given."""
    return click.option(
        "--facts",
        type=FactsType(),
        multiple=True,
        metavar="[KIND=]PATH",
        help="Read facts from this file, folder or pattern; again for more. Without it, the sources of remit.yaml.",
    )(command)


def map_option(command: Command) -> Command:
    """``--map``, given to the command as ``map_path``: the mapping for foreign columns, or None."""
    return click.option(
        "--map",
        "map_path",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="MAP.yaml",
        help="How foreign columns become fields.",
    )(command)


def dry_run_option(command: Command) -> Command:
    """``--dry-run``: show what would change and change nothing."""
    return click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")(command)


def store_of(ctx: click.Context) -> Store:
    """The store that ``--store`` names, or the one around the current directory."""
    return Store.open(Path(ctx.obj))


class Opened(NamedTuple):
    """A store as read: its snapshot, its schemas, and what could not be read at all."""

    store: Store
    snapshot: Snapshot
    schemas: Schemas
    findings: tuple[Finding, ...]


def opened(ctx: click.Context, ref: str | None = None) -> Opened:
    """The store as of ``ref``, or of the working tree; nothing is printed."""
    from remit.records import build_snapshot
    from remit.schemas import load_schemas

    store = store_of(ctx)
    files = store.files(ref)
    snapshot = build_snapshot(files.blobs, files.commit or "", files.date)
    schemas, findings = load_schemas(files.blobs)
    return Opened(store, snapshot, schemas, in_order((*files.findings, *snapshot.findings, *findings)))


def answered(ctx: click.Context, ask: Callable[[Opened], Answer], ref: str | None = None) -> Answer:
    """What ``ask``, which changes nothing, says of the store as of ``ref`` or of the working tree.

    It is asked of a part of the store, which reads what is needed; of the whole where there can be none, or something
    is in the way of which reading everything tells.
    """
    from remit.footing import Irregular
    from remit.parts import part_of

    store = store_of(ctx)
    with suppress(GitError, Irregular, OSError):
        if (part := part_of(store, ref)) is not None:
            return ask(Opened(store, *part))
    return ask(opened(ctx, ref))


def opened_for(ctx: click.Context, record_id: str, ref: str | None = None) -> Opened:
    """The store as of ``ref`` or HEAD, with no other record than the one that ``record_id`` names by kind and name.

    That is the file at the place where such a record belongs. When there is none, or it is another one, or the record
    is named in some other way, everything is read, as by ``opened``.
    """
    from remit.records import build_snapshot
    from remit.schemas import load_schemas

    store = store_of(ctx)
    written, slash, name = record_id.partition("/")
    if slash and store.repository is not None and store.repository.exists(ref or "HEAD"):
        files = store.files(ref or "HEAD")
        schemas, findings = load_schemas(files.blobs)
        schema = schemas.kinds.get(written)
        path = f"records/{schema.folder}/{name}.yaml" if schema else ""
        if path in files.blobs:
            config = files.blobs[CONFIG] if ref or store.is_bare else store.read(CONFIG)
            few = {CONFIG: config, path: files.blobs[path]}
            snapshot = build_snapshot(few, files.commit or "", files.date)
            if record_id in snapshot.by_id:
                return Opened(store, snapshot, schemas, in_order((*snapshot.findings, *findings)))
    return opened(ctx, ref)


def say_unread(findings: tuple[Finding, ...]) -> None:
    """On stderr: files that were left out because they cannot be read, so that nothing vanishes in silence."""
    if has_errors(findings):
        files = len({f.place.path for f in findings if f.severity == "error"})
        first = findings[0]
        words = safe(f"{first.place}: {first.message}")
        click.echo(f"{plural(files, 'file')} could not be read ({words})", err=True)
        click.echo("See: remit check", err=True)


def print_json(value: Any) -> None:
    """``value`` as JSON on stdout."""
    from remit.reporters.terminal import json_text

    click.echo(json_text(value), nl=False)
