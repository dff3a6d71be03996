"""remit edit: change a record in an editor, checked before it is written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.drafts import carry_out
from remit.commands.options import dry_run_option, format_option, opened

if TYPE_CHECKING:
    from remit.store import Store


@click.command("edit")
@click.argument("record_id", metavar="ID")
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
    from remit.lookup import find_record
    from remit.recording import rewrite_record

    store, snapshot, schemas, _ = opened(ctx)
    record = find_record(snapshot, schemas, record_id)
    before = snapshot.files[record.path]
    kept = _copy(f"{record.name}-", before if draft is None else draft.read_bytes())
    try:
        click.edit(filename=str(kept))
        data = _with_others(store, record.path, before, kept.read_bytes())
        _, snapshot, schemas, _ = opened(ctx)
        carry_out(rewrite_record(snapshot, schemas, record.id, data), store, dry_run=dry_run, fmt=fmt)
    except (UserError, click.ClickException) as error:
        hint = f"Your text is in {kept}. Go on with: remit edit {record.id} --draft {kept}"
        raise Refused(error.message, f"{getattr(error, 'hint', '')}\n      {hint}".strip()) from error
    kept.unlink()


def _copy(prefix: str, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=".yaml")
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    return Path(name)


def _with_others(store: Store, path: str, before: bytes, edited: bytes) -> bytes:
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
        raise Refused(f"{path} was removed meanwhile.") from error
    if now == before:
        return edited
    merged = merge_records(before, edited, now, path)
    if isinstance(merged, Merged) and merged.data is not None:
        return merged.data
    conflicts = () if isinstance(merged, Merged) else merged.conflicts
    raise Refused(f"Somebody changed {path} meanwhile:\n{conflict_text(conflicts, 'en').rstrip()}")
