"""remit watch: what becomes true and what ceases to be, as it happens."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remit.commands.loading import say_findings
from remit.commands.options import INSTANT, FactsArgument, facts_option, format_option, map_option, ref_option, store_of
from remit.commands.speaking import language_at, tell
from remit.sentences import say
from remit.times import parse_duration

if TYPE_CHECKING:
    from remit.errors import UserError
    from remit.watching import Round


class SpanType(click.ParamType[timedelta]):
    """A span of time that no calendar counts, of at least a second."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span; a usage error says what was expected."""
        if isinstance(value, timedelta):
            return value
        try:
            seconds = parse_duration(value).seconds
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not seconds:
            self.fail(say("watch.every-positive"), param, ctx)
        return timedelta(seconds=seconds)


@click.command()
@click.option("--every", type=SpanType(), default="60s", show_default=True, metavar="SPAN", help="From round to round.")
@click.option("--at", "start", type=INSTANT, metavar="INSTANT", help="With --until: begin here, and wait for nothing.")
@click.option("--until", "end", type=INSTANT, metavar="INSTANT", help="End with the last round at or before this.")
@facts_option
@map_option
@ref_option
@format_option("text", "jsonl")
@click.pass_context
def command(
    ctx: click.Context,
    every: timedelta,
    start: datetime | None,
    end: datetime | None,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    ref: str | None,
    fmt: str,
) -> int:
    """Say what becomes true and what ceases to be, round after round, until it is told to end (Ctrl-C, SIGTERM).

    Feeds and the store are read again when they change; when one is broken, that is said, and what was last good goes
    on. With --at and --until nothing is waited for: the rounds between them come one after the other.

    Example: remit watch --facts feeds/tickets.jsonl --every 60s --format jsonl
    """
    from remit.watching import Reader, rounds

    if start is not None and end is None:
        raise click.UsageError(say("watch.at-with-until"))
    if start is not None and end is not None and end < start:
        raise click.UsageError(say("watch.until-after"))
    language = language_at(str(ctx.find_root().obj))
    instants = _waiting(every, end) if start is None or end is None else _stepping(start, every, end)
    reader = Reader(store_of(ctx), ref, facts, map_path)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for one in rounds(reader, instants):
            _show(one, fmt, language)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _stepping(start: datetime, every: timedelta, end: datetime) -> Iterator[datetime]:
    while start <= end:
        yield start
        start += every


def _waiting(every: timedelta, end: datetime | None) -> Iterator[datetime]:
    """The time now, again and again; a round that takes longer than ``every`` is followed by the next at once."""
    while True:
        now = datetime.now(UTC).replace(microsecond=0)
        if end is not None and now > end:
            return
        begun = time.monotonic()
        yield now
        time.sleep(max(0.0, every.total_seconds() - (time.monotonic() - begun)))


def _show(one: Round | UserError, fmt: str, language: str) -> None:
    from remit.errors import UserError
    from remit.reporters.rounds import round_lines, round_objects

    if isinstance(one, UserError):
        tell(say("common.error", message=one.message), language)
        if one.hint:
            tell(one.hint, language)
        tell(say("watch.last-good"), language)
        return
    lines = list(round_lines(one, language) if fmt == "text" else round_objects(one))
    if lines:
        click.echo("\n".join(lines))
    if fmt == "text" and one.findings:
        say_findings(one.findings)
