"""remit edit: change a record in an editor, checked before it is written."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.drafts import carry_out
from remit.commands.here import HERE
from remit.commands.options import answered, dry_run_option, format_option, store_of
from remit.sentences import say

if TYPE_CHECKING:
    from remit.store import Store


@click.command("edit")
@click.argument("record_id", metavar="ID", type=HERE)
@click.option(
    "--draft",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Begin with this text, such as one that was refused.",
)
@dry_run_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, record_id: str, draft: Path | None, dry_run: bool, fmt: str) -> None:
    """Open a record in $VISUAL or $EDITOR and write it when it is right; otherwise say what is wrong and keep the text.

    What somebody else changed in the file meanwhile is kept too, unless both changed the same field.

    Example: remit edit Customer/harbour-bank
    """
    from remit.errors import Refused, UserError
    from remit.recording import rewrite_record, text_of

    store = store_of(ctx)
    record, before, language = answered(
        ctx, lambda known: (*text_of(known.snapshot, known.schemas, record_id), known.snapshot.config.language)
    )
    _must_open_an_editor(record.id, record.path)
    kept = _copy(f"{record.name}-", before if draft is None else draft.read_bytes())
    try:
        click.edit(filename=str(kept))
        data = _with_others(store, record.path, before, kept.read_bytes(), language)
        after = answered(ctx, lambda known: rewrite_record(known.snapshot, known.schemas, record.id, data))
        carry_out(after, store, dry_run=dry_run, fmt=fmt)
    except (UserError, click.ClickException) as error:
        about = {"file": str(kept), "record": record.id}
        if hint := getattr(error, "hint", ""):
            raise Refused(error.message, say("command.hint-and-text-kept", hint=hint, **about)) from error
        raise Refused(error.message, say("command.text-kept", **about)) from error
    kept.unlink()


def _must_open_an_editor(record: str, path: str) -> None:
    """Raises ``Refused`` where an editor would wait for a terminal that is not there."""
    from remit.errors import Refused

    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not named and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused(say("command.no-editor"), say("command.edit-otherwise", record=record, path=path))


def _copy(prefix: str, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=".yaml")
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    return Path(name)


def _with_others(store: Store, path: str, before: bytes, edited: bytes, language: str) -> bytes:
    """The edited text with what happened to the file while the editor was open.

    Raises:
        Refused: both changed the same field, or the file is gone.
    """
    from remit.errors import NotFound, Refused
    from remit.reporters.merging import conflict_text
    from remit.yamltext import Merged, merge_records

    try:
        now = store.read(path)
    except NotFound as error:
        raise Refused(say("command.removed-meanwhile", path=path)) from error
    if now == before:
        return edited
    merged = merge_records(before, edited, now, path)
    if isinstance(merged, Merged) and merged.data is not None:
        return merged.data
    conflicts = () if isinstance(merged, Merged) else merged.conflicts
    said = conflict_text(conflicts, language).rstrip()
    raise Refused(say("command.changed-meanwhile", path=path, conflicts=said))
