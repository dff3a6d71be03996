"""Facts as tables in Spark: the very SQL that DuckDB is asked, for feeds that have outgrown one machine.

It comes with the extra ``spark``, needs Java, and is imported only when ``--engine`` asks for it. What the executors
read must lie where they all see it.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from remit.conditions.selection import Column
from remit.conditions.tree import item_number
from remit.errors import UserError
from remit.sources.fact_table import facts_query, lookups_of, scan_query
from remit.sources.scan import Scan
from remit.sources.spool import SpooledWorld

if TYPE_CHECKING:
    from sqlglot import exp

_NAMES = {"STARTS_WITH": "STARTSWITH", "ENDS_WITH": "ENDSWITH"}


@cache
def session(master: str) -> Any:
    """The session with a master, one for each process.

    Raises:
        UserError: PySpark or Java is not there.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        hint = "Install it with: pip install 'remit[spark]'"
        raise UserError("This needs PySpark, which is not installed.", hint) from error
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise UserError("Spark needs Java, which is not installed.", "Install Java 17, or leave --engine away.")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master(master).appName("remit")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


class SparkTable:
    """The table ``facts`` of ``FactTable``, as a view of Spark."""

    def __init__(
        self, world: SpooledWorld, kind: str, columns: Mapping[str, Column], keys: Sequence[exp.Expr] = ()
    ) -> None:
        self._spark = session(world.master)
        for name, rows in lookups_of(world, columns).items():
            self._spark.createDataFrame(rows, "name string, v string").createOrReplaceTempView(f"records_{name}")
        sources = [(one, f"(SELECT * FROM {self._plain_rows(one, n)})") for n, one in enumerate(world.scans(kind))]
        if sources:
            query = scan_query(sources, columns, keys)
        else:
            self._lines(world, kind)
            query = self._texts(columns, keys)
        # Kept, because Spark would write each column anew wherever a test reads it, and then plan for minutes.
        self._facts = self._spark.sql(written(query)).cache()
        self._facts.createOrReplaceTempView("facts")

    def rows(self, query: exp.Select) -> list[Any]:
        """What a query answers."""
        return [tuple(row) for row in self._spark.sql(written(query)).collect()]

    def close(self) -> None:
        """Let go of the views; the session serves the whole process."""
        self._spark.catalog.dropTempView("facts")
        self._facts.unpersist()

    def _texts(self, columns: Mapping[str, Column], keys: Sequence[exp.Expr]) -> exp.Select:
        from sqlglot import exp

        def text_at(path: tuple[str, ...]) -> exp.Expr:
            if any("'" in name for name in path):
                return exp.cast(exp.null(), "VARCHAR")  # Spark has no way to write such a name.
            written_path = "$" + "".join(name if item_number(name) is not None else f"['{name}']" for name in path)
            held = exp.column("s", table="texts")
            return exp.Anonymous(this="get_json_object", expressions=[held, exp.Literal.string(written_path)])

        return facts_query(exp.select("i", "s").from_("lines"), text_at, columns, keys)

    def _plain_rows(self, scan: Scan, number: int) -> str:
        """The name of a view of the plain rows of a scan."""
        rows = self._spark.read.parquet(str(scan.context.file.absolute()))
        numbered = rows.selectExpr("*", "_metadata.row_index AS file_row_number")
        odd = numbered.filter(~numbered.file_row_number.isin(list(scan.odd))) if scan.odd else numbered
        odd.createOrReplaceTempView(f"plain_rows_{number}")
        return f"plain_rows_{number}"

    def _lines(self, world: SpooledWorld, kind: str) -> None:
        path = str(world.spool.file(kind).absolute())
        lines = self._spark.read.text(path).selectExpr("from_json(value, 'i string, s string') AS line")
        dropped = self._spark.createDataFrame([(name,) for name in world.spool.dropped(kind)], "i string")
        lines.selectExpr("line.i", "line.s").join(dropped, "i", "left_anti").createOrReplaceTempView("lines")


def written(query: exp.Expr) -> str:
    """A query in the words of Spark."""
    from sqlglot import exp

    def worded(node: exp.Expr) -> exp.Expr:
        match node:
            case exp.Anonymous(this=str() as name) if name.upper() in _NAMES:
                return exp.Anonymous(this=_NAMES[name.upper()], expressions=node.expressions)
            case exp.Anonymous(this="epoch_us"):
                return exp.Anonymous(this="unix_micros", expressions=node.expressions)
            case exp.Anonymous(this="regexp_full_match"):
                text, pattern = node.expressions
                whole = exp.Literal.string(f"^({pattern.name})$")
                return exp.RegexpLike(this=text, expression=whole)
        return node

    return str(query.transform(worded).sql("spark"))
