"""Choosing records by a condition, with the same language that policies use: ``subject.customerGrade == "group"``."""

from __future__ import annotations

from collections.abc import Sequence

from remit.conditions.condition import Compiler, Origin
from remit.conditions.deciding import Decider
from remit.conditions.messages import MessageTypes
from remit.errors import UserError
from remit.links import names_used, texts, world_of
from remit.policies.clocking import Calendars
from remit.records import Asked, Record, Snapshot
from remit.schemas import KindSchema, Schemas
from remit.tables import KIND as TABLE
from remit.tables import read_tables
from remit.yamltext import Document

ASKED = "--where"


def select(
    snapshot: Snapshot, schemas: Schemas, schema: KindSchema, records: Sequence[Record], where: str
) -> list[Record]:
    """Those of ``records`` (all of one kind) for which ``where`` holds; the record is ``subject``.

    Raises:
        UserError: the condition does not compile over the fields of the kind, with the nearest right name.
    """
    snapshot = _enough(snapshot, schemas, schema)
    world = world_of(snapshot, schemas)
    tables, _ = read_tables(world, snapshot.files)
    compiler = Compiler(MessageTypes(schemas, world.parameters), Calendars(world).usable(), tables)
    scope = {"subject": compiler.types.kind_shape(schema.kind), "param": compiler.types.param}
    document = Document(ASKED, {})
    origin = Origin(Record("", "", ASKED, {}, document), (), (where,))
    condition, findings = compiler.compile(where, scope, origin)
    if condition is None:
        first = findings[0]
        raise UserError(
            f"{first.place}: {first.message}", first.hint or "Write for example: subject.status == 'active'"
        )
    things = [entity for record in records if (entity := world.get(record.kind, record.name)) is not None]
    with Decider({"chosen": condition}, compiler) as decider:
        chosen = {entity.name for entity, _ in decider.each(things, world, scope)}
    return [record for record in records if record.name in chosen]


def _enough(snapshot: Snapshot, schemas: Schemas, schema: KindSchema) -> Snapshot:
    """The snapshot with all that a condition on a kind may ask for.

    That is what the records refer to, step by step, and what every condition may use: parameters, calendars and tables,
    with the kinds and files that tables name.
    """
    snapshot = snapshot.knowing(Asked(kinds=[schema.kind, "ParameterSet", "Calendar", TABLE]))
    tables = [record for record in snapshot.records if record.kind == TABLE]
    named = [(record, text) for record in tables for _, text in texts(record.body)]
    beside = {f"{record.path.rpartition('/')[0]}/{text}" for record, text in named}
    snapshot = snapshot.knowing(Asked(kinds={text for _, text in named}, paths=beside))
    known: set[str] = set()
    while names := names_used(schemas, snapshot.records) - known:
        snapshot = snapshot.knowing(Asked(names=names))
        known |= names
    return snapshot
