"""The service term that governs a subject: the contract's own, then the customer's package, then the standard one.

A term governs one measure at a time (repair, response …). The version valid when the clock started is pinned: a term
changed later does not move a clock that runs (design section 4, domain 5.3).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from remit.findings import Finding, finding
from remit.references import Entity, World, instant, last_instant
from remit.times import Duration

METRICS: dict[str, str] = {
    "repair_hours": "repairLimit",
    "response_window": "responseWindow",
    "feedback_wd": "feedbackLimit",
    "complete_wd": "completionLimit",
    "provisioning_days": "provisioningLimit",
    "availability": "availability",
}
"""Which field of ``term`` carries which metric of a service level."""

_UNITS: dict[str, Any] = {"min": "m", "h": "h", "wd": "wd", "d": "d", "mo": "mo"}
_STEPS = ("ticket", "order", "service")
"""References that lead from a subject to what it is about: a report to its ticket, a ticket to its service."""


@dataclass(frozen=True)
class Limit:
    """One limit and the record that sets it; ``why`` says in words why that record governs."""

    source: str
    duration: Duration | None
    number: float | None
    why: str


GoverningTerm = Mapping[str, Limit]
"""The limits that govern a subject, by field of ``term``."""


def governing_term(world: World, subject: Entity, at: datetime) -> GoverningTerm:
    """The limits in force for ``subject`` at ``at``, each from its highest source; empty when nothing governs."""
    about = _about(world, subject)
    limits: dict[str, Limit] = {}
    for source in (_contract_terms, _package_terms, _standard_terms):
        for field, limit in source(world, about, at):
            limits.setdefault(field, limit)
    return limits


@dataclass(frozen=True)
class _About:
    chain: tuple[Entity, ...]
    customer: Entity | None
    product: Entity | None
    agreement: str
    service: str
    circuit_grade: str


def _about(world: World, subject: Entity) -> _About:
    chain = [subject]
    for entity in chain:  # grows while it is walked, by at most the few steps below
        for step in _STEPS:
            field = world.schemas.kinds[entity.kind].shape.fields.get(step)
            target = world.find(field.shape.kinds, entity.spec.get(step)) if field else None
            if target is not None and target not in chain:
                chain.append(target)

    def first(name: str) -> Any:
        return next((e.spec[name] for e in chain if name in e.spec), None)

    service = next((e.name for e in chain if e.kind == "ServiceInstance"), "")
    return _About(
        tuple(chain),
        world.get("Customer", first("customer")),
        world.get("ProductOffering", first("product")),
        first("agreement") or "",
        service,
        first("circuitGrade") or "",
    )


def _contract_terms(world: World, about: _About, at: datetime) -> Iterator[tuple[str, Limit]]:
    for term in world.joined("ServiceTerm", "agreement", about.agreement) if about.agreement else ():
        if term.spec.get("standard") is False and _valid(term, at, world):
            yield from _limit(term, "indicatorValue", f"the non-standard term of Agreement/{about.agreement}")


def _package_terms(world: World, about: _About, at: datetime) -> Iterator[tuple[str, Limit]]:
    if about.customer is None:
        return
    for package in world.joined("DifferentiatedServicePackage", "customer", about.customer.name):
        scope = package.spec.get("scope", [])
        running = package.spec.get("status") in ("agreed", "accepted_in_system", "in_service")
        if not running or not _valid(package, at, world) or (scope and about.service not in scope):
            continue
        for name in package.spec.get("commitments", ()):
            term = world.get("ServiceTerm", name)
            if term is not None and _valid(term, at, world):
                yield from _limit(term, "indicatorValue", f"promised by {package.ref}")


def _standard_terms(world: World, about: _About, at: datetime) -> Iterator[tuple[str, Limit]]:
    found: list[tuple[tuple[int, ...], str, Entity]] = []
    for level in _levels_about(world, about.product):
        fit = _fit(level.spec, about)
        if fit is not None and _in_force(level, at, world):
            found.append((fit, level.name, level))
    for fit, _, level in sorted(found, key=lambda one: (one[0], one[1])):
        what = "product" if fit[0] == 0 else "product category"
        yield from _limit(level, "value", f"the standard for this {what} and customer")


def _levels_about(world: World, product: Entity | None) -> Iterator[Entity]:
    """The service levels that name a product or its category; no other can govern it."""
    if product is not None:
        yield from world.joined("ServiceLevelSpecification", "product", product.name)
        yield from world.joined("ServiceLevelSpecification", "category", product.spec.get("category", ""))


def _in_force(level: Entity, at: datetime, world: World) -> bool:
    return level.spec.get("status", "effective") == "effective" and _valid(level, at, world)


def _fit(spec: Mapping[str, Any], about: _About) -> tuple[int, ...] | None:
    """How closely a standard row fits, smaller is closer; None when it does not. What a row leaves out fits all."""
    product = about.product.name if about.product else None
    category = about.product.spec.get("category") if about.product else None
    if product is not None and spec.get("product") == product:
        closeness = 0
    elif "product" not in spec and "category" in spec and spec["category"] == category:
        closeness = 1
    else:
        return None
    customer = about.customer.spec if about.customer else {}
    fit = [closeness]
    for field, actual in (
        ("customerGrade", customer.get("customerGrade")),
        ("customerClass", customer.get("customerClass")),
        ("circuitGrade", about.circuit_grade or spec.get("circuitGrade")),
    ):
        if field in spec and spec[field] != actual:
            return None
        fit.append(0 if field in spec else 1)
    return tuple(fit)


def _limit(entity: Entity, value_field: str, why: str) -> Iterator[tuple[str, Limit]]:
    field = METRICS.get(str(entity.spec.get("metric")))
    value, unit = entity.spec.get(value_field), entity.spec.get("unit")
    if field is None or value is None:
        return
    if unit in _UNITS:
        duration = Duration(Fraction(str(value)), _UNITS[unit])
        yield field, Limit(entity.ref, duration, None, why)
    elif field == "availability":
        yield field, Limit(entity.ref, None, float(value), why)


def _valid(entity: Entity, at: datetime, world: World) -> bool:
    starts = instant(entity.spec.get("validFrom"), world.zone)
    ends = last_instant(entity.spec.get("validTo"), world.zone)
    return (starts is None or starts <= at) and (ends is None or at < ends)


# --- the standard terms as a table -----------------------------------------------------------------------------------

FAULT_LIMITS = ("repairLimit", "responseWindow", "feedbackLimit", "completionLimit")
"""A fault of a product under central control is measured against one of these (domain 5.3)."""
ASKED = ("customerGrade", "customerClass")
"""What a service level may ask of the customer."""
NAMED = 5


def ungoverned(world: World, at: datetime) -> Iterator[Finding]:
    """Products under central control for whose faults some customer has no standard limit in force at ``at``."""
    levels = [
        level.spec
        for level in world.all("ServiceLevelSpecification")
        if METRICS.get(str(level.spec.get("metric"))) in FAULT_LIMITS and _in_force(level, at, world)
    ]
    customer = world.schemas.kinds.get("Customer")
    enums = {n: f.shape.enum for n, f in customer.shape.fields.items() if f.shape.enum} if customer else {}
    for product in world.all("ProductOffering") if levels else ():
        if product.spec.get("centrallyControlledAfterSale") is not True or product.spec.get("status") == "retired":
            continue
        holes = _holes(product, levels, enums)
        if holes:
            more = f" and {len(holes) - NAMED} more" if len(holes) > NAMED else ""
            yield finding(
                "no-governing-term",
                f"No service level limits a fault of {product.ref} for {'; '.join(holes[:NAMED])}{more}.",
                product.place_of(("centrallyControlledAfterSale",)),
                hint="Add a service level for the product or its category.",
                pointer="/spec/centrallyControlledAfterSale",
                record=product.ref,
            )


def _holes(product: Entity, levels: Sequence[Mapping[str, Any]], enums: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The customers, by what the product's levels ask of one, whom none of these levels fits."""
    about = _About((), None, product, "", "", "")
    own = [
        spec
        for spec in levels
        if _fit({key: value for key, value in spec.items() if key not in ASKED}, about) is not None
    ]
    asked = [name for name in ASKED if name in enums and any(name in spec for spec in own)]
    if not asked:
        return [] if own else ["any customer"]
    return [
        " ".join(f"{name}={value}" for name, value in zip(asked, combination, strict=True))
        for combination in itertools.product(*(enums[name] for name in asked))
        if not any(
            all(spec.get(name, value) == value for name, value in zip(asked, combination, strict=True)) for spec in own
        )
    ]
