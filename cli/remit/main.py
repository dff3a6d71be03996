"""The door: finds the command, runs it, and turns what went wrong into text and an exit code.

Exit codes (design section 9): 0 fine, 1 findings, 2 could not be carried out, 3 a bug, 130 interrupted.
A command is one file under ``commands/`` and one line in ``COMMANDS``; it is imported only when it is asked for.
"""

from __future__ import annotations

import errno
import gc
import importlib
import sys
from typing import Any

import click

from remit import __version__
from remit.errors import UserError
from remit.sentences import say, spoken

COMMANDS: dict[str, str] = {
    "init": "Make a new store from the built-in pack.",
    "demo": "Show the main job on a temporary store with sample feeds.",
    "check": "Find everything that is wrong with records, rules and cases.",
    "list": "List the records of a kind.",
    "show": "Show one record or policy.",
    "search": "Find text in records and policies.",
    "new": "Make a record.",
    "set": "Set fields of a record.",
    "unset": "Remove fields of a record.",
    "edit": "Change a record in an editor.",
    "rename": "Rename a record and every reference to it.",
    "remove": "Remove a record that nothing refers to.",
    "facts": "Show what was read from feeds, and what was refused and why.",
    "evaluate": "Say which decisions are in force at an instant.",
    "forecast": "Say which decisions will come if nothing else happens.",
    "replay": "Say which decisions came between two instants.",
    "watch": "Say what becomes true and what ceases to be, as it happens.",
    "explain": "Say why a decision was made, or why not.",
    "rules": "List the policies and how often each has fired.",
    "assess": "Score a period with an assessment policy.",
    "test": "Run the cases of the policies.",
    "plan": "Show what a change does before it is made.",
    "propose": "Propose what the working tree changes.",
    "changes": "List proposed changes.",
    "review": "Show what a change does and who must approve it.",
    "approve": "Approve a change.",
    "reject": "Reject a change.",
    "withdraw": "Withdraw a change of your own.",
    "apply": "Put an approved change on the protected branch.",
    "keys": "Show and change whose signature counts.",
    "audit": "Prove the history of the protected branch from its root of trust.",
    "origin": "Make an origin that guards itself, or check one.",
    "hook": "Judge a push on an origin; git calls it.",
    "doctor": "Find what is wrong with the repository itself, and put it right.",
    "log": "Show the history of a record.",
    "blame": "Show which change last set each field of a record.",
    "diff": "Show what differs, in records' words.",
    "export": "Write what other programs read of a store.",
}


_SEE_HELP = say("common.see-help", command="remit")


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the manual."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; its module is ``commands/<name>_.py`` where the name is a Python word."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"remit.commands.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click does, with the nearest right name when there is no such command."""
        from remit.findings import did_you_mean

        name = args[0] if args else ""
        if name not in COMMANDS and not name.startswith("-"):
            raise UserError(say("common.no-command", text=repr(name)), did_you_mean(name, COMMANDS) or _SEE_HELP)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does; what cannot be carried out is said in the language of the store that was asked."""
        try:
            return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except (UserError, click.ClickException) as error:
            return _refused(error, ctx.params["store_dir"])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--store", "store_dir", metavar="DIR", default=".", help="The store, or a directory inside it.")
@click.version_option(__version__, prog_name="remit")
@click.pass_context
def cli(ctx: click.Context, store_dir: str) -> None:
    """Promises, people and policies as reviewed files in git, and what they demand right now.

    Example: remit evaluate --at 2026-10-15T10:00:00+08:00
    """
    ctx.obj = store_dir


def run() -> None:
    """The console script. Never returns: ends the process with an exit code."""
    # What a run makes stays to its end for the most part: to look through it again and again for cycles finds nothing.
    gc.set_threshold(100_000, 50, 100)
    code = main(sys.argv[1:])
    if "_duckdb" not in sys.modules:  # which complains of what is left when it ends
        gc.freeze()  # what was made goes with the process, not piece by piece before
    sys.exit(code)


def main(arguments: list[str]) -> int:
    """Run one command line and give its exit code; whatever was wrong has been said on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        result = cli.main(args=arguments, prog_name="remit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        return _refused(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        if said := _of_the_system(error):
            return _refused(UserError(said, say("common.give-again")))
        import traceback

        traceback.print_exc()
        _say("bug: Remit failed in a way it should not.", "Please report the lines above with the command you ran.")
        return 3
    return result if isinstance(result, int) else 0


_OF_THE_SYSTEM = {errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE}
_OF_THE_SYSTEM |= {errno.ENOMEM, errno.ENOSPC, errno.EPERM, errno.EROFS}


def _of_the_system(error: Exception) -> str:
    """What the system does not grant, such as a full or read-only disk; empty for an error of the program."""
    if isinstance(error, MemoryError):
        return say("common.no-memory")
    if isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM:
        where = f": {error.filename}" if error.filename else ""
        return say("common.system-refuses", why=f"{error.strerror}{where}")
    return ""


def _refused(error: UserError | click.ClickException, store_dir: str = ".") -> int:
    """Say why the command could not be carried out and what to do next; the exit code for that."""
    from remit.commands.speaking import language_at, with_store

    if isinstance(error, UserError):
        message, hint = error.message, error.hint
    else:
        usage = error.ctx if isinstance(error, click.UsageError) else None
        message, hint = error.format_message(), say("common.see-help", command=usage.command_path) if usage else ""
    language = language_at(store_dir)
    _say(spoken(say("common.error", message=message), language), with_store(spoken(hint, language), store_dir))
    return 2


def _say(message: str, hint: str) -> None:
    from remit.reporters.terminal import safe

    click.echo(safe(message), err=True)
    if hint:
        click.echo(f"      {safe(hint)}", err=True)
