"""In which language a command speaks to people, and the next steps that it names to them.

The language is that of the store that is asked; where there is no store, that of the terminal.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remit.sentences import say, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

_CHINESE = re.compile(rb"""^language:\s*["']?zh\b""", re.MULTILINE)
_ABOUT_A_STORE = re.compile(r"(?<![\w/.-])remit (?!--store |--help|init |demo |hook |origin )(?=[a-z])")


def language_at(store_dir: str) -> str:
    """The language (zh or en) of the store at ``store_dir`` or above; of the terminal where there is none."""
    settings = _settings(Path(os.path.abspath(store_dir)))  # noqa: PTH100 - a link is not followed to another store
    if settings is not None:
        return "zh" if _CHINESE.search(settings) else "en"
    terminal = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if terminal.startswith("zh") else "en"


def _settings(folder: Path) -> bytes | None:
    """``remit.yaml`` in a folder or above, or of a bare repository's HEAD; None where there is none.

    Nothing is asked of it but one line, so that an error in the file is still said in the file's language.
    """
    for candidate in (folder, *folder.parents):
        with suppress(OSError):
            return (candidate / "remit.yaml").read_bytes()
    if not (folder / "HEAD").is_file():
        return None
    from remit.errors import UserError
    from remit.store import CONFIG, Store

    with suppress(UserError, KeyError):
        return Store.open(folder).files("HEAD").blobs[CONFIG]
    return None


def with_store(text: str, store_dir: str) -> str:
    """``text`` with every Remit command in it naming the store too, when that is not where the reader stands."""
    if store_dir == ".":
        return text
    return _ABOUT_A_STORE.sub(lambda _: f"remit --store {shlex.quote(store_dir)} ", text)


def columns_of(stream: TextIO) -> int | None:
    """How wide a terminal is; None for a file or pipe, where nothing is folded."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def tell(text: str, language: str) -> None:
    """On stderr: a sentence for whoever gave the command."""
    from remit.reporters.terminal import safe

    click.echo(safe(spoken(text, language)), err=True)


def name_next(ctx: click.Context, steps: Iterable[str], language: str) -> None:
    """On stderr: the commands that may follow, a line each, with the store that this one was given."""
    for step in steps:
        tell(say("common.next", step=with_store(spoken(step, language), ctx.obj)), language)
