"""Policies that react to the decisions of other policies: who hears whom, in an order that ends.

A watch that reads decisions comes after the watches that make them. A circle has no such order and is found when
policies are compiled; so every chain is as long as there are policies, at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from remit.findings import Finding, did_you_mean, finding
from remit.places import pointer_text
from remit.policies.watch import Watch


def link(watches: Mapping[str, Watch]) -> tuple[dict[str, Watch], list[Finding]]:
    """Watches by name, each with the watches whose decisions it reads; those that cannot be linked are left out."""
    findings: list[Finding] = []
    named: dict[str, set[str]] = {}
    for name, watch in watches.items():
        problems = list(_unknown(watch, watches))
        findings += problems
        if not problems:
            named[name] = set(watch.heard)
    order = _order(named, watches, findings)
    linked: dict[str, Watch] = {}
    for name in order:
        if all(source in linked for source in watches[name].heard):
            linked[name] = replace(watches[name], sources=tuple(linked[s] for s in sorted(watches[name].heard)))
    return linked, findings


def _order(named: dict[str, set[str]], watches: Mapping[str, Watch], findings: list[Finding]) -> list[str]:
    """The names so that each comes after those it hears; circles are taken out and told."""
    while True:
        try:
            return list(
                TopologicalSorter({name: sorted(heard) for name, heard in sorted(named.items())}).static_order()
            )
        except CycleError as error:
            circle = [str(name) for name in error.args[1]]
            chain = " → ".join(reversed(circle))
            for name in sorted(set(circle)):
                place = watches[name].record.place(("spec", "with"))
                message = f"The policies react to each other in a circle: {chain}."
                hint = "Let one of them watch facts instead of decisions."
                record = watches[name].record.id
                findings.append(finding("policy-cycle", message, place, hint=hint, pointer="/spec/with", record=record))
                named.pop(name, None)


def _unknown(watch: Watch, watches: Mapping[str, Watch]) -> list[Finding]:
    findings = []
    for name, related in watch.related.items():
        if not related.decisions:
            continue
        policy, _, level = related.decisions.partition("/")
        known = watches.get(policy)
        levels = [rung.name for rung in known.levels] if known else []
        if known is None:
            message, hint = f"There is no escalation or warning policy {policy!r}.", did_you_mean(policy, watches)
        elif level and level not in levels:
            message, hint = f"{policy} has no level {level!r}.", did_you_mean(level, levels)
        else:
            continue
        pointer = ("spec", "with", name, "decisions")
        place = watch.record.place(pointer)
        findings.append(
            finding("policy-invalid", message, place, hint=hint, pointer=pointer_text(pointer), record=watch.record.id)
        )
    return findings
