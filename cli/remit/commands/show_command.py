"""remit show: one record or policy, and who refers to it."""

from __future__ import annotations

import click

from remit.commands.here import HERE
from remit.commands.options import Opened, answered, format_option, language_option, print_json, ref_option, say_unread
from remit.links import Link, links_to, names_used, table_of, users_of, world_of
from remit.lookup import find_record
from remit.places import pointer_text
from remit.recording import text_of
from remit.records import Asked
from remit.reporters.record_text import record_text, used_by_text
from remit.reporters.terminal import json_text, safe


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
    text, findings = answered(
        ctx,
        lambda known: (
            shown(known, record_id, output or fmt, language=language, everything=everything),
            known.findings,
        ),
        ref,
    )
    click.echo(text, nl=False)
    say_unread(findings)


def shown(known: Opened, record_id: str, fmt: str, *, language: str | None, everything: bool) -> str:
    """The record that a text names, as ``text``, ``yaml`` or ``json``; in the store's language when none is given.

    Raises:
        NotFound: there is no such record.
    """
    record, data = text_of(known.snapshot, known.schemas, record_id)
    if fmt == "yaml":
        return data.decode()
    commit = known.snapshot.commit
    if fmt == "json":
        links = links_to(known.snapshot, known.schemas, record)
        used_by = [_link_json(link) for link in links if link.user != record.id]
        return json_text(
            {"id": record.id, "path": record.path, "commit": commit or None, "body": record.body, "usedBy": used_by}
        )
    schema = table_of(known.schemas, record.path).get(record.kind)
    snapshot = known.snapshot.knowing(Asked(names=names_used(known.schemas, [record])))
    spoken = language or snapshot.config.language
    text = record_text(record, schema, world_of(snapshot, known.schemas), language=spoken, commit=commit)
    users = users_of(known.snapshot, known.schemas, record) - {record.id}
    return f"{text}\n{used_by_text(users, everything=everything)}"


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
