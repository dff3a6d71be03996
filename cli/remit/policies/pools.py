"""Pools of money that the bands of a ranking share out.

A pool counts in the period that it is about and in no longer one, so that nothing is shared out twice. What is given
out of it otherwise is taken off first. Amounts are exact; money has hundredths.

Source: domain K-76, ASM-18 and ASM-20: the special bonus goes by forced rank (D1-55), awards for innovation besides
(D1-54). That both come out of one pool is our reading.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from remit.conditions.checks import Scope, shape_at
from remit.conditions.condition import Bindings
from remit.conditions.lowering import follow
from remit.conditions.tree import Path
from remit.findings import did_you_mean
from remit.places import Pointer
from remit.policies.reading import Each, PolicyReader
from remit.references import Entity, World
from remit.times import Period, parse_period


class Money(NamedTuple):
    """Where money is written, and the currency that its schema assumes where none is."""

    path: Path
    assumed: str


class Less(NamedTuple):
    """What is given out of a pool beforehand: the money of the items of a list."""

    each: Each
    value: Money


@dataclass(frozen=True)
class Pool:
    """Whose money is shared out: records of ``over``, each for the group that ``within`` leads to, or for everyone.

    All of it is in one ``currency``.
    """

    title: Mapping[str, str]
    over: str
    scope: Scope
    during: Path
    within: Path | None
    value: Money
    currency: str
    less: Less | None


class Purses(NamedTuple):
    """What there is to share out by group (``""`` for everyone), of which records, and why others are not shared."""

    money: Mapping[str, Fraction]
    sources: Mapping[str, tuple[str, ...]]
    troubles: tuple[str, ...]

    def unshared(self, groups: Collection[str]) -> list[str]:
        """What is wrong with pools, those of groups without members included."""
        lonely = [ref for group in self.money if group not in groups for ref in self.sources[group]]
        return sorted((*self.troubles, *(f"Nobody who is ranked shares {ref}." for ref in lonely)))


def read_pool(reader: PolicyReader, written: Mapping[str, Any], title: Mapping[str, str], base: Pointer) -> Pool | None:
    """The pool of an assessment policy; None where it does not compile, which the reader has noted."""
    types = reader.compiler.types
    kinds = types.schemas.kinds
    over = written["over"]
    if over not in kinds:
        reader.complain("unknown-kind", f"There is no kind {over!r}.", (*base, "over"), did_you_mean(over, kinds))
        return None
    reader.scope = {"fact": reader.entity_shape(over), "param": types.param}
    during = reader.path(written["during"], (*base, "during"))
    within = reader.path(written["within"], (*base, "within")) if "within" in written else None
    value = _money(reader, written["value"], (*base, "value"))
    less = _less(reader, written["less"], (*base, "less")) if "less" in written else None
    if during is None or value is None:
        return None
    return Pool(title, over, reader.scope, during, within, value, written["currency"], less)


def _less(reader: PolicyReader, written: Mapping[str, Any], base: Pointer) -> Less | None:
    each = reader.each(written["each"], (*base, "each"))
    value = _money(reader, written["value"], (*base, "value")) if each else None
    return Less(each, value) if each and value else None


def _money(reader: PolicyReader, text: str, pointer: Pointer) -> Money | None:
    path = reader.path(text, pointer)
    if path is None:
        return None
    shape = shape_at(path, reader.scope, reader.compiler.types)
    if shape is None or shape.unit != "money" or "currency" not in shape.fields:
        reader.complain("condition-type", f"{path} is no amount of money with a currency.", pointer)
        return None
    return Money(path, shape.fields["currency"].schema.get("default", ""))


def purses(pool: Pool, world: World, period: Period) -> Purses:
    """The money of the pools of exactly ``period``; pools of one group are added up."""
    money: dict[str, Fraction] = {}
    sources: dict[str, tuple[str, ...]] = {}
    troubles = []
    for entity in world.all(pool.over):
        bindings = Bindings(world, {"fact": entity}, pool.scope)
        if not _is_of(pool, bindings, period):
            continue
        try:
            group, left = _group(pool, bindings), _left(pool, entity, bindings)
        except ValueError as error:
            troubles.append(f"{entity.ref} {error}.")
            continue
        money[group] = money.get(group, Fraction(0)) + left
        sources[group] = (*sources.get(group, ()), entity.ref)
    return Purses(money, sources, tuple(troubles))


def _is_of(pool: Pool, bindings: Bindings, period: Period) -> bool:
    try:
        return parse_period(str(follow(pool.during.names, bindings)), bindings.world.zone) == period
    except ValueError:
        return False


def _group(pool: Pool, bindings: Bindings) -> str:
    if pool.within is None:
        return ""
    group = follow(pool.within.names, bindings)
    if group is None:
        raise ValueError(f"is shared by nobody: it leads to no group by {pool.within}")
    return str(group)


def _left(pool: Pool, entity: Entity, bindings: Bindings) -> Fraction:
    """What a pool holds once the rest is given out of it."""
    whole = _amount(pool, pool.value, bindings)
    given = Fraction(0)
    if pool.less is not None:
        each, value = pool.less
        for item in follow(each.path.names, bindings) or ():
            one = Bindings(bindings.world, {"fact": entity, each.variable: item}, pool.scope)
            given += _amount(pool, value, one)
    if given > whole:
        raise ValueError("holds less than is given out of it beforehand")
    return whole - given


def _amount(pool: Pool, money: Money, bindings: Bindings) -> Fraction:
    written = follow(money.path.names, bindings)
    if written is None:
        raise ValueError(f"has no {money.path}")
    currency = written.get("currency", money.assumed)
    if currency != pool.currency:
        raise ValueError(f"has {currency or 'no currency'} and not {pool.currency}, by {money.path}")
    return Fraction(str(written["amount"]))
