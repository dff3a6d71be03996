"""What the commands that change records share: write or only show the draft, say what changed, name what is next."""

from __future__ import annotations

from typing import Any

import click

from remit.commands.options import print_json
from remit.recording import Draft, write_draft
from remit.reporters.terminal import safe
from remit.store import Store

NEXT = ("remit check", 'remit propose -m "…"')


def carry_out(draft: Draft, store: Store, *, dry_run: bool, fmt: str) -> None:
    """Write ``draft`` unless ``dry_run``, and tell about it on stdout."""
    if not dry_run:
        write_draft(draft, store)
    if fmt == "json":
        print_json(_as_json(draft, dry_run))
        return
    for change in draft.changes:
        click.echo(safe(str(change)).replace("\n", "\\n"))
    for note in draft.notes:
        click.echo(f"note: {safe(note)}", err=True)
    if not draft.files:
        click.echo("Nothing changes: it is so already.", err=True)
    elif dry_run:
        click.echo("Nothing was written (--dry-run).", err=True)
    else:
        click.echo(f"Next: {NEXT[0]}, then {NEXT[1]}", err=True)


def _as_json(draft: Draft, dry_run: bool) -> dict[str, Any]:
    return {
        "record": draft.record,
        "written": not dry_run and bool(draft.files),
        "files": [{"path": path, "removed": data is None} for path, data in sorted(draft.files.items())],
        "changes": [change.to_json() for change in draft.changes],
        "notes": list(draft.notes),
        "next": list(NEXT) if draft.files and not dry_run else [],
    }
