"""remit keys: whose signature counts, and changes that add or revoke a key."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.options import INSTANT, at_option, format_option, print_json, ref_option, store_of
from remit.sentences import say, spoken

if TYPE_CHECKING:
    from remit.changes import Change


@click.group(invoke_without_command=True)
@at_option
@ref_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, at: datetime, ref: str | None, fmt: str) -> None:
    """Show and change with which SSH keys people sign what they propose and approve; alone, the same as list.

    Keys stand in Person records of the protected branch. Once anybody has one, unsigned words count for nothing.

    Example: remit keys list
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(listing, at=at, ref=ref, fmt=fmt)


@command.command("list")
@at_option
@ref_option
@format_option("text", "json")
@click.pass_context
def listing(ctx: click.Context, at: datetime, ref: str | None, fmt: str) -> None:
    """List every key: whose it is, its fingerprint, and whether it is valid.

    Example: remit keys list --ref main
    """
    from remit.commands.speaking import columns_of, language_at, tell
    from remit.keeping import keys_at
    from remit.registry import Registry
    from remit.reporters.fitting import fitted

    files = store_of(ctx).files(ref)
    held = keys_at(Registry.of(files.blobs), at)
    if fmt == "json":
        print_json({"commit": files.commit, "keys": [one.to_json() for one in held]})
        return
    language = language_at(ctx.obj)
    if held:
        states = [spoken(one.why_not or say("people.valid"), language) for one in held]
        rows = [
            (one.person, one.key.public.fingerprint, one.key.public.type, state)
            for one, state in zip(held, states, strict=True)
        ]
        click.echo(fitted(rows, spoken(say("people.heads"), language).split("|"), columns_of(sys.stdout)))
    tell(say("people.counted", count=len(held), good=sum(not one.why_not for one in held)), language)
    if not held:
        tell(say("people.first-key"), language)


@command.command("add")
@click.argument("person", metavar="PERSON")
@click.option("--key", "path", type=click.Path(path_type=Path), metavar="FILE", help="The .pub file; yours by default.")
@click.option("--valid-from", type=INSTANT, metavar="INSTANT", help="From when on; at once by default.")
@click.option(
    "--valid-to", type=INSTANT, metavar="INSTANT", help="The first instant at which it is not valid any more."
)
@click.option("--write", is_flag=True, help="Only into the working tree, to propose several at once.")
@click.option("-m", "--message", default="", metavar="TEXT", help="Why.")
@at_option
@format_option("text", "json")
@click.pass_context
def add(
    ctx: click.Context,
    person: str,
    path: Path | None,
    valid_from: datetime | None,
    valid_to: datetime | None,
    write: bool,
    message: str,
    at: datetime,
    fmt: str,
) -> None:
    """Propose a key for a person. It counts once the change is approved and applied.

    Begin with one change that holds the keys of everybody who proposes and approves (--write, then remit propose):
    after the first key only those who have one can propose.

    Example: remit keys add wang-lei --key ~/.ssh/id_ed25519.pub
    """
    from remit.commands.drafts import carry_out
    from remit.errors import UserError
    from remit.keeping import add_key, key_draft, read_key
    from remit.signing import own_keys, signing

    store = store_of(ctx)
    if path is None:
        if not (own := own_keys(store.in_git())):
            raise UserError(say("people.none-of-yours"), say("people.make-one"))
        path = own[0][1]
    try:
        public = read_key(path.read_text(encoding="utf-8", errors="replace"), str(path))
    except OSError as error:
        message = say("people.cannot-read", path=str(path), why=error.strerror)
        raise UserError(message, say("people.name-a-file")) from error
    if write:
        draft = key_draft(store.files().blobs, person, public, valid_from=valid_from, valid_to=valid_to)
        carry_out(draft, store, dry_run=False, fmt=fmt)
        return
    sign = signing(store.in_git())
    change = add_key(store, person, public, at=at, valid_from=valid_from, valid_to=valid_to, message=message, sign=sign)
    _say(ctx, change, fmt)


@command.command("revoke")
@click.argument("person", metavar="PERSON")
@click.argument("fingerprint", metavar="FINGERPRINT")
@click.option("-m", "--message", required=True, metavar="TEXT", help="Why it must never be taken again.")
@at_option
@format_option("text", "json")
@click.pass_context
def revoke(ctx: click.Context, person: str, fingerprint: str, message: str, at: datetime, fmt: str) -> None:
    """Propose that a key is never taken again. What it signed before stays; what it touched: remit audit --suspect.

    Example: remit keys revoke wang-lei SHA256:… -m "The laptop was lost"
    """
    from remit.keeping import revoke_key
    from remit.signing import signing

    store = store_of(ctx)
    _say(ctx, revoke_key(store, person, fingerprint, message, at=at, sign=signing(store.in_git())), fmt)


def _say(ctx: click.Context, change: Change, fmt: str) -> None:
    from remit.commands.speaking import language_at, tell, with_store
    from remit.reporters.terminal import safe

    following = [f"remit review {change.id}"]
    if fmt == "json":
        touched = list(change.manifest.paths)
        print_json({"id": change.id, "title": change.title, "base": change.base, "paths": touched, "next": following})
        return
    click.echo(f"{change.id}  {safe(change.title)}")
    tell(say("people.proposed", step=with_store(following[0], ctx.obj)), language_at(ctx.obj))
