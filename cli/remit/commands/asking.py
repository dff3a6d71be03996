"""What evaluate, forecast and replay share: their options and their output."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remit.commands.loading import loaded, say_findings, strict_option
from remit.commands.options import FactsArgument, facts_option, format_option, map_option, print_json, ref_option

if TYPE_CHECKING:
    from remit.decisions import Decision
    from remit.engine import Timeline
    from remit.evaluating import Engine, Loaded

MOST_SHOWN = 20


def asking_options(command: Any) -> Any:
    """``--facts --map --engine --ref --format --all --strict``."""
    for option in (
        strict_option,
        click.option("--all", "show_all", is_flag=True, help=f"Show every decision, not the first {MOST_SHOWN}."),
        format_option("text", "json"),
        ref_option,
        engine_option,
        map_option,
        facts_option,
    ):
        command = option(command)
    return command


def engine_option(command: Any) -> Any:
    """``--engine``: None when the size of the feeds decides."""
    return click.option(
        "--engine",
        type=EngineType(),
        metavar="[python|tables|spark|spark://HOST:PORT]",
        help="Hold facts in memory, as tables on disk, or ask Spark; answers are the same.  [default: by size]",
    )(command)


class EngineType(click.ParamType[str]):
    """One of the engines, or the URL of a Spark cluster."""

    name = "engine"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The same text; a usage error for anything else."""
        if value not in ("python", "tables", "spark") and not value.startswith("spark://"):
            self.fail(f"{value!r} is not one of python, tables, spark or spark://HOST:PORT.", param, ctx)
        return value


def fail_on_option(command: Any) -> Any:
    """``--fail-on SEVERITY``."""
    return click.option(
        "--fail-on",
        type=click.Choice(["info", "caution", "breach", "critical"]),
        help="Exit 1 when a decision is at least so grave.",
    )(command)


def asked(
    ctx: click.Context,
    ref: str | None,
    facts: Sequence[FactsArgument],
    map_path: Path | None,
    engine: Engine | None = "python",
) -> Loaded:
    """The store and feeds that the options name.

    Raises:
        UserError: a feed cannot be read at all, so that an answer would lack everything in it.
    """
    from remit.errors import UserError

    read = loaded(ctx, ref, facts, map_path, engine)
    unreadable = next((f for f in read.findings if f.code == "unreadable-feed"), None)
    if unreadable is not None:
        raise UserError(f"{unreadable.place}: {unreadable.message}", unreadable.hint or "See: remit facts")
    return read


def output(
    loaded: Loaded,
    found: Timeline,
    decisions: list[Decision],
    at: datetime,
    window: dict[str, str],
    fmt: str,
    *,
    show_all: bool,
    strict: bool,
    fail_on: str | None = None,
) -> int:
    """Print decisions as text or JSON, say what stood in the way, and give the exit code.

    ``window`` holds ``from`` and ``to`` for forecast and replay, and is empty for evaluate.
    """
    from remit.decisions import rank
    from remit.findings import in_order
    from remit.reporters.decisions import decision_lines
    from remit.times import format_instant

    findings = in_order((*loaded.findings, *found.findings))
    if fmt == "json":
        head = window or {"at": format_instant(at)}
        body = [d.to_json(d.at or at if window else at) for d in decisions]
        commit = loaded.snapshot.commit or None
        print_json({**head, "commit": commit, "decisions": body, "findings": [f.to_json() for f in findings]})
    else:
        language = loaded.snapshot.config.language
        most = None if show_all else MOST_SHOWN
        for line in decision_lines(decisions, at, language, most=most, by_time=bool(window)):
            click.echo(line)
        say_findings(findings)
    left_out = any(report.rejected for report in loaded.reports)
    grave = fail_on is not None and any(rank(d.severity) >= rank(fail_on) for d in decisions)
    return int(grave or (strict and left_out))
