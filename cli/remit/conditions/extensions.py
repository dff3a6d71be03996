"""What conditions can call beside CEL's own functions: the first and last of instants, working time, money, tables.

Each is a CEL extension function with types of its own, so that CEL's checker knows its arguments and its value. An
exception inside one becomes an error value of CEL, which is never taken for true.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from remit.calendars import WorkCalendar
from remit.clocks import Clock
from remit.conditions.functions import TABLE
from remit.conditions.money import CEL_NAME, CONFIG, implementations
from remit.tables import Table
from remit.times import parse_duration

_DAY = timedelta(days=1)


def environment(
    pool: Any, variables: Mapping[str, Any], calendars: Mapping[str, WorkCalendar], tables: Mapping[str, Table]
) -> Any:
    """A CEL environment with everything that conditions may use, over message types and typed variables."""
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_math, ext_strings
    from google.protobuf import message_factory

    money = message_factory.GetMessageClass(pool.FindMessageTypeByName(CEL_NAME))
    return cel.NewEnv(
        pool,
        config=_config(),
        variables=dict(variables),
        functions=_functions(calendars, tables),
        function_impls=implementations(money),
        extensions=[ext_strings.ExtStrings(), ext_math.ExtMath()],
    )


@cache
def _config() -> Any:
    from cel_expr_python import cel

    return cel.NewEnvConfigFromYaml(CONFIG)


def table_function(name: str) -> str:
    """The function that looks up in the table ``name``: identifiers of CEL have no dashes."""
    return TABLE + name.replace("-", "_")


def _functions(calendars: Mapping[str, WorkCalendar], tables: Mapping[str, Table]) -> list[Any]:
    from cel_expr_python import cel

    kind = cel.Type
    instants = kind.List(kind.TIMESTAMP)
    results = {
        "text": kind.STRING,
        "int": kind.INT,
        "number": kind.DOUBLE,
        "bool": kind.BOOL,
        "duration": kind.DURATION,
    }
    signatures: list[tuple[str, Any, list[Any], Any]] = [
        ("latest", kind.TIMESTAMP, [instants], max),
        ("earliest", kind.TIMESTAMP, [instants], min),
        ("elapsed", kind.DURATION, [kind.TIMESTAMP, kind.TIMESTAMP, kind.STRING], partial(_elapsed, calendars)),
        ("workdays", kind.DOUBLE, [kind.TIMESTAMP, kind.TIMESTAMP, kind.STRING], partial(_workdays, calendars)),
        ("add", kind.TIMESTAMP, [kind.TIMESTAMP, kind.STRING, kind.STRING], partial(_add, calendars)),
        ("isWorking", kind.BOOL, [kind.TIMESTAMP, kind.STRING], partial(_is_working, calendars)),
        *(
            (table_function(table.name), results[table.output.type], [kind.STRING] * len(table.inputs), table.find)
            for _, table in sorted(tables.items())
        ),
    ]
    return [
        cel.FunctionDecl(name, [cel.Overload(f"{name}_remit", return_type=gives, parameters=takes, impl=call)])
        for name, gives, takes, call in signatures
    ]


def _elapsed(calendars: Mapping[str, WorkCalendar], start: datetime, end: datetime, name: str) -> timedelta:
    if end < start:
        return -_elapsed(calendars, end, start, name)
    return Clock(start, None, calendars[name]).elapsed(end)


def _workdays(calendars: Mapping[str, WorkCalendar], start: datetime, end: datetime, name: str) -> float:
    if end < start:
        return -_workdays(calendars, end, start, name)
    return Clock(start, None, calendars[name]).elapsed(end, "days") / _DAY


def _add(calendars: Mapping[str, WorkCalendar], start: datetime, span: str, name: str) -> datetime:
    due = Clock(start, None, calendars[name]).due(parse_duration(span))
    if due is None:
        raise ValueError(f"{span} after {start} is never on Calendar/{name}")
    return due


def _is_working(calendars: Mapping[str, WorkCalendar], at: datetime, name: str) -> bool:
    return calendars[name].is_working(at)
