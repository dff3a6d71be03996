"""The built-in pack: the schemas, rules, templates and example records that a new store is made from.

In an installed package they are its data; in a checkout they are the store at the top of the repository, so that there
is one copy of everything and the example is always the one that the tests check.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from remit.errors import UserError
from remit.store import CONFIG, Store

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "pack_data", _PACKAGE.parents[1])
"""Where the pack is: in an installed package, in a checkout (``cli/remit`` two folders below the top)."""


def pack_files() -> Mapping[str, bytes]:
    """Every file of the pack by its path in a store, sorted by path.

    Raises:
        UserError: this installation has no pack.
    """
    for place in _PLACES:
        if (place / CONFIG).is_file():
            return Store(place).files().blobs
    raise UserError(
        "This installation of Remit has no built-in pack.", "Install it anew: pip install --force-reinstall"
    )
