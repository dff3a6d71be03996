"""What the commands that change records share: write or only show the draft, say what changed, name what is next."""

from __future__ import annotations

from typing import Any

import click

from remit.commands.options import print_json
from remit.commands.speaking import language_at, tell, with_store
from remit.recording import Draft, write_draft
from remit.reporters.terminal import safe
from remit.sentences import say, spoken
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
    asked = str(click.get_current_context().find_root().obj)
    language = language_at(asked)
    for note in draft.notes:
        tell(say("common.note", text=note), language)
    if not draft.files:
        tell(say("command.nothing-changes"), language)
    elif dry_run:
        tell(say("command.nothing-written"), language)
    else:
        tell(with_store(spoken(say("command.check-then-propose"), language), asked), language)


def _as_json(draft: Draft, dry_run: bool) -> dict[str, Any]:
    return {
        "record": draft.record,
        "written": not dry_run and bool(draft.files),
        "files": [{"path": path, "removed": data is None} for path, data in sorted(draft.files.items())],
        "changes": [change.to_json() for change in draft.changes],
        "notes": list(draft.notes),
        "next": list(NEXT) if draft.files and not dry_run else [],
    }
