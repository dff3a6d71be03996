"""remit show: one record or policy, and who refers to it."""

from __future__ import annotations

import click

from remit.commands.here import HERE
from remit.commands.options import format_option, language_option, opened, print_json, ref_option, say_unread
from remit.links import Link, links_to, table_of, world_of
from remit.lookup import find_record
from remit.places import pointer_text
from remit.reporters.record_text import record_text, used_by_text
from remit.reporters.terminal import safe


@click.command("show")
@click.argument("record_id", metavar="ID", type=HERE)
@click.option("--all", "everything", is_flag=True, help="Show every record that refers to this one.")
@click.option("-o", "--output", type=click.Choice(["text", "yaml", "json"]), help="yaml shows the file as it is.")
@click.option("--words", is_flag=True, help="Say a policy in plain words, fit to send to a manager.")
@language_option
@format_option("text", "json", "yaml")
@ref_option
@click.pass_context
def command(
    ctx: click.Context,
    record_id: str,
    everything: bool,
    output: str | None,
    words: bool,
    language: str | None,
    fmt: str,
    ref: str | None,
) -> None:
    """Show a record or policy: its fields under their titles, what it refers to, and what refers to it.

    ID is Kind/name, a path, or a name or title that only one record has.

    Example: remit show Customer/harbour-bank

    Example: remit show fault-handling --words --language en
    """
    if words:
        _say(ctx, record_id, ref, language, output or fmt)
        return
    _, snapshot, schemas, findings = opened(ctx, ref)
    record = find_record(snapshot, schemas, record_id)
    links = [link for link in links_to(snapshot, schemas, record) if link.user != record.id]
    match output or fmt:
        case "yaml":
            click.echo(snapshot.files[record.path].decode(), nl=False)
        case "json":
            print_json(
                {
                    "id": record.id,
                    "path": record.path,
                    "commit": snapshot.commit or None,
                    "body": record.body,
                    "usedBy": [_link_json(link) for link in links],
                }
            )
        case _:
            schema = table_of(schemas, record.path).get(record.kind)
            world = world_of(snapshot, schemas)
            shown = language or snapshot.config.language
            click.echo(record_text(record, schema, world, language=shown, commit=snapshot.commit))
            click.echo(used_by_text(links, everything=everything), nl=False)
    say_unread(findings)


def _say(ctx: click.Context, policy_id: str, ref: str | None, language: str | None, fmt: str) -> None:
    """A policy in plain words; JSON has both languages."""
    from remit.commands.loading import loaded
    from remit.errors import NotFound
    from remit.reporters.policy_words import policy_words
    from remit.wording import LANGUAGES

    read = loaded(ctx, ref)
    record = find_record(read.snapshot, read.schemas, policy_id)
    policy = read.policies.by_id.get(record.id)
    if policy is None:
        raise NotFound(f"{record.id} is no policy that compiles.", "--words is for policies. See: remit check")

    def lines(wanted: str) -> list[str]:
        return policy_words(policy, read.compiler.types, read.world, wanted)

    if fmt == "json":
        print_json({"id": record.id, "path": record.path, "words": {name: lines(name) for name in LANGUAGES}})
        return
    for line in lines(language or read.snapshot.config.language):
        click.echo(safe(line))


def _link_json(link: Link) -> dict[str, object]:
    return {"id": link.user, "path": link.path, "line": link.place.line, "pointer": pointer_text(link.pointer)}
