"""Small ways to break a policy, one at a time: what a slip of the pen would make of it.

A mutant is the policy's spec with one value changed. It is made from the text as written, so that it is compiled and
decided exactly as the policy is; one that does not fit the schema, does not compile, or compiles to the same policy, is
no mutant.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

from remit.conditions.condition import Compiler, Condition, Origin
from remit.conditions.extensions import table_function
from remit.conditions.text import text_of
from remit.conditions.tree import Call, Path, walk
from remit.places import Place, Pointer
from remit.policies import compile_policy
from remit.policies.watch import Watch
from remit.records import Record
from remit.slips import REMOVED, Ground, Slip, Written, slips
from remit.table_slips import broken_tables
from remit.tables import Table


class Mutant(NamedTuple):
    """One broken policy: ``name`` says what was changed, and is unique in the policy.

    Where a look-up table that the policy calls was broken, ``tables`` has it, and ``spec`` is as written.
    """

    name: str
    family: str
    place: Place
    spec: Mapping[str, Any]
    tables: Mapping[str, Table] = {}


class Broken(NamedTuple):
    """A mutant ready to decide, with the compiler that its conditions need."""

    policy: Any
    compiler: Compiler


def mutants(policy: Any, ground: Ground, compiler: Compiler, lines: tuple[str, ...]) -> Iterator[Mutant]:
    """Every way to break a compiled policy, in the order of the table of its kind.

    Many do not compile: see ``compiled``.
    """
    record: Record = policy.record
    taken: set[str] = set()
    for slip in slips(record.kind, _written(policy, ground, compiler)):
        name = _name(record.spec, slip)
        if name in taken:
            continue
        taken.add(name)
        origin = Origin(record, ("spec", *slip.pointer), lines)
        text = _at(record.spec, slip.pointer)
        place = origin.place(slip.offset, text) if slip.said and isinstance(text, str) else origin.place()
        yield Mutant(name, slip.family, place, _with(record.spec, slip.pointer, slip.value))
    for table in _called(policy, compiler):
        for one in broken_tables(table):
            yield Mutant(one.said, "value", one.place, record.spec, {table.name: one.table})


def _called(policy: Any, compiler: Compiler) -> Iterator[Table]:
    """The look-up tables that the conditions of a policy call, by name."""
    called = {node.function for one in _conditions(policy) for node in walk(one.root) if isinstance(node, Call)}
    yield from (table for name, table in sorted(compiler.tables.items()) if table_function(name) in called)


def _written(policy: Any, ground: Ground, compiler: Compiler) -> Written:
    sources = policy.sources if isinstance(policy, Watch) else ()
    return Written(
        policy.record.spec,
        policy.scope if isinstance(policy, Watch) else {},
        {one.origin.pointer[1:]: one for one in _conditions(policy) if one.origin is not None},
        {source.name: tuple(level.name for level in source.levels) for source in sources},
        compiler.types,
        ground,
    )


def compiled(mutant: Mutant, policy: Any, compiler: Compiler) -> Broken | None:
    """The broken policy ready to decide; None when it does not compile or is the same policy in other words."""
    if mutant.tables:
        compiler = Compiler(compiler.types, compiler.calendars, {**compiler.tables, **mutant.tables})
    record: Record = replace(policy.record, body={**policy.record.body, "spec": dict(mutant.spec)})
    if any(compiler.types.schemas.check_record(record)):
        return None
    broken, findings = compile_policy(record, compiler, ())
    if broken is None or any(f.severity == "error" for f in findings):
        return None
    if not mutant.tables and essence(broken) == essence(policy):
        return None
    return Broken(replace(broken, sources=policy.sources) if isinstance(policy, Watch) else broken, compiler)


_ASIDE = ("record", "pointer", "scope", "limit_scope", "sources", "compiler")
"""Parts of a compiled policy that say where it was written and what surrounds it, and nothing of what it decides."""


def essence(value: Any) -> Any:
    """What a compiled policy says, without where it says it: equal for two policies that decide alike by their text."""
    if isinstance(value, Condition):
        return text_of(value.root)
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return tuple((f.name, essence(getattr(value, f.name))) for f in fields(value) if f.name not in _ASIDE)
    if isinstance(value, Mapping):
        return tuple((key, essence(one)) for key, one in sorted(value.items()))
    return tuple(map(essence, value)) if isinstance(value, tuple) else value


def _conditions(value: Any) -> Iterator[Condition]:
    """Every condition of a compiled policy."""
    if isinstance(value, Condition):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            yield from _conditions(getattr(value, f.name)) if f.name not in _ASIDE else ()
    elif isinstance(value, Mapping | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _conditions(one)


def _name(spec: Mapping[str, Any], slip: Slip) -> str:
    steps: list[str] = []
    value: Any = spec
    for step in slip.pointer:
        value = _part(value, step)
        named = value.get("name") if isinstance(value, Mapping) and isinstance(step, int) else None
        steps.append(str(named or step))
    if slip.said:
        return f"{'.'.join(steps)}: {slip.said}"
    if slip.value is REMOVED:
        return f"{'.'.join(steps)}: {_short(value)} removed"
    return f"{'.'.join(steps)}: {value} → {slip.value}"


def _short(value: Any) -> str:
    return str(value) if isinstance(value, str) and len(value) < 60 and "\n" not in value else "all"


def _at(spec: Any, pointer: Pointer) -> Any:
    for step in pointer:
        spec = _part(spec, step)
    return spec


def _part(value: Any, step: str | int) -> Any:
    if isinstance(value, list) and isinstance(step, int):
        return value[step]
    return value.get(str(step)) if isinstance(value, Mapping) else None


def _with(spec: Mapping[str, Any], pointer: Pointer, value: Any) -> dict[str, Any]:
    """A copy of ``spec`` with another value at ``pointer``, or without it."""
    changed = copy.deepcopy(dict(spec))
    parent = _at(changed, pointer[:-1])
    if value is REMOVED:
        del parent[pointer[-1]]
    else:
        parent[pointer[-1]] = copy.deepcopy(value)
    return changed
