"""remit diff: what differs between two states of the store, in records' words."""

from __future__ import annotations

import click

from remit.commands.options import format_option, print_json, ref_option, store_of


@click.command()
@click.argument("revisions", metavar="[BASE[..HEAD]]", default="")
@click.option("--all", "everything", is_flag=True, help="Show long values and long lists whole.")
@ref_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, revisions: str, everything: bool, ref: str | None, fmt: str) -> None:
    """Show what differs: records that came, went, changed or took another name, field by field.

    BASE is HEAD when not given, and what is compared with it is the working tree, or the commit that --ref or HEAD
    names. --ref alone shows what that commit itself changed.

    Example: remit diff main..change/c-20261015-ab12cd
    """
    from remit.apart import commit_and_working_tree
    from remit.comparing import differences
    from remit.errors import UserError
    from remit.records import config_of
    from remit.reporters.review import difference_text
    from remit.store import Files

    base, dots, head = revisions.partition("..")
    if dots and ref:
        raise UserError("HEAD is given twice: after the dots and by --ref.", "Give one of them.")
    store = store_of(ctx)
    target = (head or "HEAD") if dots else ref
    if target is None and not store.is_bare:
        before, after = commit_and_working_tree(store, base or "HEAD")
    elif ref and not base:
        parents = store.in_git().commit(ref).parents
        before, after = store.files(parents[0]) if parents else Files(None, None, {}), store.files(ref)
    else:
        before, after = store.files(base or "HEAD"), store.files(target)
    found = differences(before, after)
    if fmt == "json":
        told = [one.to_json() for one in found]
        print_json({"base": before.commit, "head": after.commit, "differences": told})
        return
    language = config_of(after.blobs).language
    click.echo(difference_text(found, language, everything=everything), nl=False)
