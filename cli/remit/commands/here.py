"""Paths on the command line: as git takes them, from where one stands.

A path that leads to something of the store from where one stands means that. Any other text stays as it is, and a
command takes it from the top of the store, so that what Remit prints can be given back to it from anywhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


class HereType(click.ParamType[str]):
    """A path from where one stands becomes the store's; what is no such path stays as it is."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as the store knows it, with ``/``; the top of the store is ``.``."""
        from remit.errors import UserError
        from remit.store import Store

        if ctx is None or not value:
            return str(value)
        try:
            store = Store.open(Path(ctx.find_root().params["store_dir"]))
        except UserError:
            return str(value)
        return value if store.is_bare else path_of_store(store.root, Path.cwd(), str(value))


HERE = HereType()


def path_of_store(root: Path, here: Path, text: str) -> str:
    """What ``text`` names for somebody who stands ``here``, by the paths of the store at ``root``."""
    path = Path(os.path.normpath(here / text))
    if not os.path.lexists(path):
        return text
    top = root.resolve()
    # The folder may be reached by a link; what is below the store is not followed.
    place = (path.parent.resolve() / path.name) if path != here else path.resolve()
    return place.relative_to(top).as_posix() if place.is_relative_to(top) else text
