"""The service term that governs a subject: the contract's own, then the customer's package, then the standard one.

A term governs one measure at a time (repair, response …). The version valid when the clock started is pinned: a term
changed later does not move a clock that runs (design section 4, domain 5.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

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
    for level in world.all("ServiceLevelSpecification"):
        if level.spec.get("status", "effective") == "effective" and _valid(level, at, world):
            fit = _fit(level.spec, about)
            if fit is not None:
                found.append((fit, level.name, level))
    for fit, _, level in sorted(found, key=lambda one: (one[0], one[1])):
        what = "product" if fit[0] == 0 else "product category"
        yield from _limit(level, "value", f"the standard for this {what} and customer")


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
