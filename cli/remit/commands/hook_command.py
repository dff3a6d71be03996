"""remit hook: what git calls on an origin when somebody pushes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.commands.options import at_option
from remit.sentences import say

if TYPE_CHECKING:
    from remit.changing.proving import Law
    from remit.guarding import Move, Verdict
    from remit.store import Store

QUARANTINE = ("GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
"""Where git keeps what is being pushed until it is let in."""


@click.group("hook")
def command() -> None:
    """What git calls on an origin when somebody pushes: it judges every ref, and explains what it refuses.

    Example: remit hook install ../origin.git
    """


@command.command("pre-receive")
@at_option
@click.pass_context
def pre_receive(ctx: click.Context, at: datetime) -> int:
    """Judge a push; git writes OLD NEW REF of each ref on stdin.

    Exit code 1 when anything is refused; then nothing moves.

    Example: remit hook pre-receive
    """
    from remit.changing.targets import own_target
    from remit.guarding import judge_push
    from remit.origins import forget_accepted, note_accepted

    def judge(store: Store, moves: Sequence[Move]) -> list[Verdict]:
        verdicts = judge_push(store, moves, partial(_law, store), now=at)
        if not any(verdict.refusals for verdict in verdicts):
            forget_accepted(store.in_git(), now=at)
            aim = own_target(store)
            for move in moves:
                if move.ref == aim.ref and move.new is not None:
                    note_accepted(store.in_git(), aim.tip, move.new)
        return verdicts

    return _judged(ctx, judge)


@command.command("reference-transaction")
@click.argument("state")
@at_option
@click.pass_context
def reference_transaction(ctx: click.Context, state: str, at: datetime) -> int:
    """Judge the protected branch once more when it is about to move by another way than a push that was let in.

    Example: remit hook reference-transaction prepared
    """
    from remit.changing.targets import own_target
    from remit.guarding import Verdict, judge_branch
    from remit.origins import is_accepted, only_packs

    def judge(store: Store, moves: Sequence[Move]) -> list[Verdict]:
        aim = own_target(store)
        said = []
        for move in (move for move in moves if move.ref == aim.ref):
            packing = move.new is None and only_packs(aim.repository, aim.ref, aim.tip)
            if not packing and not is_accepted(aim.repository, aim.tip, move.new or "", now=at):
                said.append(Verdict(move, judge_branch(store, move.new, partial(_law, store), now=at)))
        return said

    return _judged(ctx, judge) if state == "prepared" else 0


@command.command("install")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
def install(folder: Path) -> None:
    """Write both hooks into a bare repository and make git look for them nowhere else.

    Example: remit hook install ../origin.git
    """
    from remit.commands.speaking import language_at, tell
    from remit.errors import Refused
    from remit.git import Repository
    from remit.origins import install as install_hooks

    repository = Repository(folder)
    if not repository.is_bare:
        raise Refused(say("command.not-bare", folder=str(folder)), hint=say("command.make-origin"))
    for path in install_hooks(repository):
        click.echo(str(path))
    tell(say("common.next", step=f"remit origin check {folder}"), language_at(str(folder)))


def _law(store: Store, commit: str, at: datetime) -> Law:
    from remit.judging import law_of  # slow to import: changes and reviews are let in without it

    return law_of(store, commit, at)


def _judged(ctx: click.Context, judge: Callable[[Store, Sequence[Move]], list[Verdict]]) -> int:
    """Say what is refused; whatever goes wrong on the way refuses too (security rule R11)."""
    from remit.changing.proving import Refusal, unjudged
    from remit.commands.speaking import language_at
    from remit.errors import UserError
    from remit.git import Repository
    from remit.guarding import Move, Verdict, read_moves
    from remit.reporters.origin import refusal_lines
    from remit.store import Store

    everything = Move(None, None, "everything")
    try:
        moves = read_moves(sys.stdin.buffer.read())
        variables = {name: os.environ[name] for name in QUARANTINE if name in os.environ}
        # On one machine the hook runs with the environment of whoever pushes; his settings decide nothing here.
        variables["GIT_CONFIG_GLOBAL"] = os.devnull
        verdicts = judge(Store.of_bare(Repository(Path(ctx.obj), variables)), moves)
    except UserError as error:
        verdicts = [Verdict(everything, (unjudged(error),))]
    except Exception as error:
        words = say("proof.failed", why=f"{type(error).__name__}: {error}")
        verdicts = [Verdict(everything, (Refusal("R11", words),))]
    refused = any(verdict.refusals for verdict in verdicts)
    if refused:
        for line in refusal_lines(verdicts, language_at(ctx.obj)):
            click.echo(line, err=True)
    return int(refused)
