"""Fixtures: the fixed organisation and terms that cases run on, so that a change of records breaks no case.

The files of ``rules/fixtures/`` hold records of some kinds. Cases see these instead of the store's own records of those
kinds; kinds without fixtures (parameters, calendars) are the store's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from remit.findings import Finding, finding
from remit.places import Place, pointer_text
from remit.records import Record, Snapshot
from remit.references import Entity, World, check_references
from remit.schemas import Schemas


def fixture_records(snapshot: Snapshot, schemas: Schemas) -> tuple[list[Entity], list[Finding]]:
    """The records of the fixture files, and what is wrong with these files."""
    entities: list[Entity] = []
    findings: list[Finding] = []
    for path, document in sorted(snapshot.fixtures.items()):
        body = document.value if isinstance(document.value, dict) else {}
        name = path.rpartition("/")[2].removesuffix(".yaml")
        book = Record(str(body.get("kind", "")), name, path, body, document)
        problems = list(schemas.check_record(book))
        findings += problems
        if problems:
            continue
        for index, row in enumerate(book.spec["records"]):
            entity = Entity(
                row["kind"],
                row["name"],
                {key: value for key, value in row.items() if key not in ("kind", "name")},
                book.place(("spec", "records", index)),
            )
            misfits = list(_misfits(entity, schemas))
            findings += misfits
            if not misfits:
                entities.append(entity)
    return entities, findings


def case_world(snapshot: Snapshot, world: World, fixtures: list[Entity]) -> World:
    """The world that cases run on: fixtures, and the store's own records of the kinds that have none."""
    fixed = {entity.kind for entity in fixtures}
    own = [e for kind in world.schemas.kinds if kind not in fixed for e in world.all(kind) if e.record]
    return World(world.schemas, [*fixtures, *own], snapshot.config)


def check_fixtures(snapshot: Snapshot, world: World) -> Iterator[Finding]:
    """Fixture files that are not in shape, rows that do not fit, and references among them that lead nowhere."""
    entities, findings = fixture_records(snapshot, world.schemas)
    yield from findings
    if entities:
        fixed = case_world(snapshot, world, entities)
        for one in check_references(fixed, entities):
            yield finding("case-invalid", f"{one.record}: {one.message}", one.place, hint=one.hint, record=one.record)


def _misfits(entity: Entity, schemas: Schemas) -> Iterator[Finding]:
    if entity.kind not in schemas.kinds:
        yield _invalid(entity, f"There is no kind {entity.kind}.")
        return
    for problem in schemas.kinds[entity.kind].problems(entity.spec, of="spec"):
        yield _invalid(entity, f"{pointer_text(problem.pointer)} {problem.message} {problem.hint}".strip())


def _invalid(entity: Entity, message: str) -> Finding:
    place: Place = entity.place
    return finding("case-invalid", f"{entity.ref}: {message}", place, record=entity.ref)
