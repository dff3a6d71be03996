"""Customers that are alike are asked about once, and whom a level reaches is what asking about each would say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from remit.conditions.checks import shape_at
from remit.evaluating import Loaded, load
from remit.pack import pack_files
from remit.places import Place
from remit.policies.reading import Target
from remit.policies.watch import Watch
from remit.reaching import unreached
from remit.records import Config
from remit.references import Entity, World
from remit.roles import resolve, what_decides
from remit.store import Files

AT = datetime(2026, 10, 15, 2, 0, tzinfo=UTC)
PEOPLE = ["ann", "bob", "cai"]
UNITS = ["east", "west"]
ROLES = ["ceA", "ceB", "ccm", "cm", "responsible", "abRole", "ces"]

who = st.sampled_from([*PEOPLE, "nobody"])
unit = st.sampled_from([*UNITS, "nowhere"])
person = st.fixed_dictionaries(
    {}, optional={"contact": st.just({"email": "x@example.net"}), "status": st.sampled_from(["active", "left"])}
)
customer = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["active", "closed"]),
        "unit": unit,
        "department": unit,
        "lead": who,
        "ccm": who,
        "roles": st.dictionaries(st.sampled_from(ROLES), who | st.just([{"engineer": "ann"}]), max_size=3),
    },
)
organization = st.fixed_dictionaries({}, optional={"parent": unit, "responsiblePerson": who, "cm": who})
assignment = st.fixed_dictionaries(
    {
        "person": who,
        "role": st.sampled_from(ROLES),
        "scope": st.one_of(st.builds(lambda name: {"customer": name}, st.sampled_from(["c0", "c1"])))
        | st.builds(lambda name: {"domain": name}, unit),
    }
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    specs: dict[tuple[str, str], Any] = {("Person", name): draw(person) for name in PEOPLE}
    specs |= {("OrganizationUnit", name): draw(organization) for name in UNITS}
    specs |= {("Customer", f"c{number}"): draw(customer) for number in range(6)}
    specs |= {("RoleAssignment", f"a{number}"): draw(assignment) for number in range(draw(st.integers(0, 3)))}
    entities = [Entity(kind, name, spec, Place("here")) for (kind, name), spec in specs.items()]
    return World(store().schemas, entities, Config())


@cache
def store() -> Loaded:
    return load(Files(None, None, pack_files()))


def people(world: World, role: str, of: Entity) -> set[str]:
    return {told.person for told in resolve(world, role, of, AT).told}


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_the_same_people_answer_where_what_decides_is_equal(world: World) -> None:
    for role in ROLES:
        for one, other in combinations(world.all("Customer"), 2):
            if what_decides(world, role, one) == what_decides(world, role, other):
                assert people(world, role, one) == people(world, role, other)


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_levels_that_reach_nobody_are_those_that_asking_about_each_customer_finds(world: World) -> None:
    loaded = replace(store(), world=world).judged_as(store())

    found = {one.message.partition(":")[0] for one in unreached(loaded, AT) if one.message.startswith("Level")}

    assert found == set(one_by_one(loaded))


def test_customers_that_differ_only_in_their_names_are_alike() -> None:
    spec = {"unit": "east", "roles": {"ceA": "ann"}}
    one, other = (Entity("Customer", name, spec, Place("here")) for name in ("c0", "c1"))
    world = World(store().schemas, [one, other], Config())

    assert what_decides(world, "ceA", one) == what_decides(world, "ceA", other)


def one_by_one(loaded: Loaded) -> Iterator[str]:
    broken = {one.record + one.pointer for one in unreached(loaded, AT) if one.message.startswith("Nobody")}
    for watch in loaded.policies.watches:
        for level in watch.levels:
            unknown = any(watch.record.id + "/" + "/".join(map(str, t.pointer)) in broken for t in level.notify)
            if not level.notify or unknown or any(not target.of for target in level.notify):
                continue
            for one in loaded.world.all("Customer"):
                if one.spec.get("status") != "closed" and all(misses(loaded, watch, t, one) for t in level.notify):
                    yield f"Level {level.name} reaches nobody for {one.ref}"


def misses(loaded: Loaded, watch: Watch, target: Target, of: Entity) -> bool:
    shapes = [shape_at(path, watch.scope, loaded.compiler.types) for path in target.of]
    kinds = {kind for shape in shapes for kind in (shape.kinds if shape and shape.kinds else (watch.subject,))}
    own = loaded.world.get("OrganizationUnit", of.spec.get("unit"))
    asked = [e for kind, e in (("Customer", of), ("OrganizationUnit", own)) if kind in kinds and e is not None]
    return bool(asked) and not any(people(loaded.world, target.role, e) for e in asked)
