"""DuckDB, the embedded analytic engine: connections that install nothing and fetch nothing.

It comes with the extra ``tables`` and is imported only when a feed or an option asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remit.errors import UserError

EXTRA = "Install it with: pip install 'remit[tables]'"
_SETTINGS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def connected(file: Path | None = None, *, read_only: bool = False, settings: Mapping[str, str] | None = None) -> Any:
    """A connection to a database file, or to a database in memory; instants are shown in UTC.

    Raises:
        UserError: DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise UserError("This needs DuckDB, which is not installed.", EXTRA) from error
    config: dict[str, Any] = {**_SETTINGS, **(settings or {})}
    connection = duckdb.connect(str(file) if file else ":memory:", read_only=read_only, config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection
