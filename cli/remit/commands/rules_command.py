"""remit rules: the policies of a store, and how often each has fired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from remit.commands.asking import asked, engine_option
from remit.commands.loading import say_findings
from remit.commands.options import (
    INSTANT,
    FactsArgument,
    facts_option,
    format_option,
    map_option,
    print_json,
    ref_option,
)

if TYPE_CHECKING:
    from remit.decisions import Decision
    from remit.evaluating import Engine, Loaded

WINDOW = timedelta(days=366)
"""How far back hits are counted when no ``--from`` is given."""

_HEADS = {
    "en": {"id": "Policy", "title": "Title", "subject": "Watches", "levels": "Levels", "clauses": "Clauses"},
    "zh": {"id": "策略", "title": "名称", "subject": "对象", "levels": "级别", "clauses": "条款"},
}
_CASES = {"en": "Cases", "zh": "用例"}
_HITS = {"en": ("Policy/level", "Hits", "Last"), "zh": ("策略/级别", "次数", "最近一次")}
_NEVER = {"en": "never", "zh": "从未"}


class Hit(NamedTuple):
    """How often a level has fired, and when last (None: never)."""

    times: int
    last: datetime | None


Hits = dict[tuple[str, str], Hit]
"""By policy and level."""


@click.command()
@click.option("--hits", is_flag=True, help="Count what each level has decided over the feed; 0 shows a dead rule.")
@click.option(
    "--from", "start", type=INSTANT, metavar="INSTANT", help="Count after this instant.  [default: a year ago]"
)
@click.option("--to", "end", type=INSTANT, default="now", metavar="INSTANT", help="Count up to this.  [default: now]")
@facts_option
@map_option
@engine_option
@ref_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    hits: bool,
    start: datetime | None,
    end: datetime,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    engine: Engine | None,
    ref: str | None,
    fmt: str,
) -> int:
    """List the policies: what they watch, their levels, clauses and cases; with --hits how often each has fired.

    A condition that stands has no instant: it counts once for each subject for which it stands at --to.

    Example: remit rules

    Example: remit rules --hits --facts feeds/tickets.jsonl --to 2026-10-15T10:00:00+08:00
    """
    from remit.findings import in_order
    from remit.times import format_instant

    start = start or end - WINDOW
    if end < start:
        raise click.UsageError("--to lies before --from.")
    read = asked(ctx, ref, facts, map_path, engine)
    counted, findings = _hits(read, start, end) if hits else ({}, ())
    rows = list(_rows(read, counted if hits else None))
    if fmt == "json":
        window = {"from": format_instant(start), "to": format_instant(end)} if hits else {}
        found = [f.to_json() for f in in_order((*read.findings, *findings))]
        print_json({**window, "commit": read.snapshot.commit or None, "policies": rows, "findings": found})
        return 0
    for line in _hit_lines(rows, read) if hits else _list_lines(rows, read):
        click.echo(line)
    say_findings(in_order((*read.findings, *findings)))
    return 0


def _hits(read: Loaded, start: datetime, end: datetime) -> tuple[Hits, Sequence[Any]]:
    from remit.evaluating import decide

    found = decide(read, start, end)
    return count_hits(found.decisions, end), found.findings


def count_hits(decisions: Sequence[Decision], end: datetime) -> Hits:
    """How often each level fired; one that stands fires at ``end``."""
    hits: Hits = {}
    for decision in decisions:
        key = (decision.policy, decision.level)
        at, before = decision.at or end, hits.get(key, Hit(0, None))
        hits[key] = Hit(before.times + 1, max(before.last or at, at))
    return hits


def _rows(read: Loaded, hits: Hits | None) -> Iterator[dict[str, Any]]:
    """Each policy as JSON shows it. Only escalation and warning policies fire; the others have ``hits`` null."""
    from remit.cases import case_books
    from remit.times import format_instant

    books, _ = case_books(read.snapshot, read.schemas)
    cases = {book.policy.id: len(book.cases) for book in books}
    watches = {watch.record.id for watch in read.policies.watches}
    for record in sorted(read.snapshot.policies, key=lambda one: one.id):
        levels: list[dict[str, Any]] = [{"level": name} for name in _levels(record.spec)]
        row: dict[str, Any] = {
            "id": record.id,
            "kind": record.kind,
            "title": {language: record.title(language) for language in ("en", "zh")},
            "path": record.path,
            "subject": record.spec.get("subject"),
            "clauses": list(record.metadata.get("clauses", ())),
            "cases": cases.get(record.id, 0),
            "levels": levels,
        }
        if hits is not None:
            fires = record.id in watches
            for level in levels if fires else ():
                hit = hits.get((record.name, level["level"]), Hit(0, None))
                level |= {"hits": hit.times, "last": format_instant(hit.last) if hit.last else None}
            row["hits"] = sum(level["hits"] for level in levels) if fires else None
        yield row


def _levels(spec: Mapping[str, Any]) -> list[str]:
    """What a policy consists of: levels, measures, rules, or the states that it binds."""
    named = [one["name"] for key in ("levels", "measures", "rules") for one in spec.get(key, ())]
    return named or list(spec.get("states", {}))


def _list_lines(rows: Sequence[dict[str, Any]], read: Loaded) -> Iterator[str]:
    from remit.reporters.terminal import plural, table

    language = read.snapshot.config.language
    kinds = read.schemas.kinds
    cells = [
        (
            row["id"],
            row["title"][language],
            kinds[row["subject"]].title(language) if row["subject"] in kinds else "",
            str(len(row["levels"])),
            str(row["cases"]),
            ", ".join(row["clauses"]),
        )
        for row in rows
    ]
    head = _HEADS[language]
    yield table(cells, [head["id"], head["title"], head["subject"], head["levels"], _CASES[language], head["clauses"]])
    count = f"共{len(rows)}条策略" if language == "zh" else plural(len(rows), "policy", "policies")
    yield f"\n{count}"


def _hit_lines(rows: Sequence[dict[str, Any]], read: Loaded) -> Iterator[str]:
    from remit.reporters.terminal import table
    from remit.times import in_zone, parse_instant

    language, zone = read.snapshot.config.language, read.snapshot.config.zone

    def when(text: str | None) -> str:
        return in_zone(parse_instant(text), zone).strftime("%Y-%m-%d %H:%M") if text else _NEVER[language]

    fired = [row for row in rows if row["hits"] is not None]
    cells = [
        (f"{row['id'].partition('/')[2]}/{level['level']}", str(level["hits"]), when(level["last"]))
        for row in fired
        for level in row["levels"]
    ]
    yield table(cells, _HITS[language])
    dead = sum(level["hits"] == 0 for row in fired for level in row["levels"])
    counted = len(cells)
    yield (
        f"\n{len(fired)}条策略，{counted}个级别，其中{dead}个从未触发"
        if language == "zh"
        else f"\n{len(fired)} policies, {counted} levels, {dead} of them never fired"
    )
