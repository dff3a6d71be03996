"""The schemas of a store: what a record, a fact or a policy of each kind may hold.

One JSON Schema (2020-12) per kind serves records, facts, type-checking of conditions and documents. References between
schemas resolve inside the store only; nothing is ever fetched (security rule R26). jsonschema-rs gives the verdict on
the many good values, jsonschema words the messages of the few bad ones; where only the former objects (it is right
about ``multipleOf`` on decimals and about formats), its message is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import Any, Literal

from remit.findings import Finding, did_you_mean, finding
from remit.places import Place, Pointer, pointer_text
from remit.records import Listed, Record, paths_below
from remit.sentences import say

BASE = "https://remit.invalid/"
RECORD_NAME_LIMIT = 63

Resources = Mapping[str, Mapping[str, Any]]
"""Schema documents by their ``$id``."""

ShapeType = Literal["text", "int", "number", "bool", "instant", "duration", "object", "list", "reference", "any"]


@dataclass(frozen=True)
class Shape:
    """What a value may be, as conditions see it.

    ``fields`` of an object; ``item`` of a list; ``kinds`` a reference may name; ``enum`` of a text; ``unit`` is
    ``x-remit-unit``. ``name`` is unique among objects and names the message type that carries it into CEL.
    """

    type: ShapeType
    name: str = ""
    fields: Mapping[str, Field] = field(default_factory=dict)
    item: Shape | None = None
    kinds: tuple[str, ...] = ()
    enum: tuple[str, ...] = ()
    unit: str = ""

    @cached_property
    def referring(self) -> tuple[tuple[str, Shape], ...]:
        """The fields in which a reference may stand, at any depth."""
        return tuple((name, part.shape) for name, part in self.fields.items() if part.shape.refers)

    @cached_property
    def refers(self) -> bool:
        """Whether a reference may stand in the value."""
        return self.type == "reference" or bool(self.referring) or (self.item is not None and self.item.refers)


_FIELDS_ALONE = frozenset(
    ("type", "title", "description", "$ref", "properties", "required", "unevaluatedProperties", "additionalProperties")
)


@dataclass(frozen=True)
class Field:
    """One field of an object; ``required`` says that a valid object always has it."""

    shape: Shape
    required: bool
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


class Library:
    """Every schema document of a store by its ``$id``, with the registries that the two validators resolve from."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources

    @cached_property
    def quick(self) -> Any:
        """For jsonschema-rs. Made once: a validator takes it over, but each would copy the documents anew."""
        import jsonschema_rs

        documents = [(uri, dict(body)) for uri, body in self.resources.items()]
        return jsonschema_rs.Registry(documents, retriever=_refuse_to_fetch)

    @cached_property
    def has_patterned_keys(self) -> bool:
        """Whether any schema says by a pattern which keys there may be."""
        return any(map(_names_keys_by_pattern, self.resources.values()))

    @cached_property
    def worded(self) -> Any:
        """For jsonschema."""
        import referencing

        registry: Any = referencing.Registry()
        return registry.with_contents(self.resources.items())


class KindSchema:
    """The schema of one kind of record or policy, and the checks made with it."""

    def __init__(self, kind: str, path: str, schema: Mapping[str, Any], library: Library) -> None:
        self.kind = kind
        self.path = path
        self.schema = schema
        self._library = library
        self._resources = library.resources

    @property
    def folder(self) -> str:
        """The folder under ``records/`` (or ``rules/``) in which files of this kind stand."""
        return str(self.schema.get("x-remit-plural", self.kind.lower()))

    @property
    def home(self) -> str:
        """``record``, ``feed`` or ``either``: where things of this kind may come from."""
        return str(self.schema.get("x-remit-home", "record"))

    def title(self, language: str) -> str:
        """The title of the kind in ``language``."""
        return str(self.schema.get("x-remit-zh" if language == "zh" else "title") or self.kind)

    @cached_property
    def spec_schema(self) -> Mapping[str, Any]:
        """The sub-schema of ``spec``."""
        spec = self.schema.get("$defs", {}).get("spec")
        return spec if isinstance(spec, dict) else {}

    @cached_property
    def shape(self) -> Shape:
        """The fields of the kind, for conditions."""
        return _shape(self.spec_schema, self.kind, self.schema, self._resources)

    @property
    def judges_fields_alone(self) -> bool:
        """True when the schema says of ``spec`` no more than what each field is, and which must be there."""
        here, there = self.spec_schema, self.schema
        while _FIELDS_ALONE.issuperset(key for key in here if not key.startswith("x-remit-")):
            if "$ref" not in here:
                return True
            here, there = _resolve(here, there, self._resources)
        return False

    @property
    def pause(self) -> Mapping[str, str] | None:
        """``x-remit-pause``: which fields make a record of this kind a pause of a clock; None for other kinds."""
        return self.schema.get("x-remit-pause")

    def problems(self, value: Any, *, of: Literal["record", "spec"]) -> Iterator[Problem]:
        """What is wrong with a whole record body, or with the fields of a fact."""
        quick = self._quick if of == "record" else self._quick_spec
        if quick.is_valid(value):
            return
        # jsonschema looks for keys that match by Python's own expressions, which may take for ever (R26).
        worded = [] if self._library.has_patterned_keys else list(self._worded(value, of))
        if worded:
            yield from worded
            return
        for error in quick.iter_errors(value):
            yield Problem("schema-violation", tuple(error.instance_path), error.message, "", False)

    @cached_property
    def _quick(self) -> Any:
        return _quick_validator(self.schema, self._library.quick)

    @cached_property
    def _quick_spec(self) -> Any:
        return _quick_validator(self._spec_alone, self._library.quick)

    @cached_property
    def _spec_alone(self) -> Mapping[str, Any]:
        return {"$schema": self.schema["$schema"], "$ref": f"{self.schema['$id']}#/$defs/spec"}

    @cached_property
    def _words(self) -> Any:
        return _worded_validator(self.schema, self._library.worded)

    @cached_property
    def _words_spec(self) -> Any:
        return _worded_validator(self._spec_alone, self._library.worded)

    def _worded(self, value: Any, of: str) -> Iterator[Problem]:
        validator = self._words if of == "record" else self._words_spec
        for error in sorted(validator.iter_errors(value), key=lambda e: [str(p) for p in e.absolute_path]):
            for leaf in _leaves(error):
                yield from _as_problems(leaf, self._known_names(leaf.schema))

    def _known_names(self, schema: Any) -> set[str]:
        return (
            {name for name, _ in _properties(schema, self.schema, self._resources)}
            if isinstance(schema, dict)
            else set()
        )


@dataclass(frozen=True)
class Problem:
    """A value that does not fit: finding code, where in the value, what is wrong; ``at_key`` points at the key."""

    code: str
    pointer: Pointer
    message: str
    hint: str
    at_key: bool


class Schemas:
    """All kinds of record (``kinds``) and of policy (``policies``) that a store describes, by name."""

    def __init__(self, kinds: Mapping[str, KindSchema], policies: Mapping[str, KindSchema]) -> None:
        self.kinds = kinds
        self.policies = policies

    def check_record(self, record: Record) -> Iterator[Finding]:
        """Findings of one record or policy file against the schema of its kind."""
        table = self.policies if record.path.startswith("rules/") else self.kinds
        schema = table.get(record.kind)
        if schema is None:
            yield finding(
                "unknown-kind",
                say("finding.no-schema", kind=repr(record.kind)),
                record.place(("kind",)),
                hint=did_you_mean(record.kind, table),
                pointer="/kind",
                record=record.id,
            )
            return
        for problem in schema.problems(record.body, of="record"):
            place = record.document.key_place(problem.pointer) if problem.at_key else record.place(problem.pointer)
            yield finding(
                problem.code,
                problem.message,
                place,
                hint=problem.hint,
                pointer=pointer_text(problem.pointer),
                record=record.id,
            )

    def check_fact(self, kind: str, spec: Mapping[str, Any], place: Place, name: str) -> Iterator[Finding]:
        """Findings of one row of a feed; the row is left out when there are any."""
        for problem in self.kinds[kind].problems(spec, of="spec"):
            pointer = pointer_text(problem.pointer)
            yield finding(
                "row-schema",
                say("finding.in-row", where=pointer, message=problem.message) if pointer else problem.message,
                place,
                hint=problem.hint,
                pointer=pointer,
                record=f"{kind}/{name}",
            )


def load_schemas(files: Mapping[str, bytes]) -> tuple[Schemas, tuple[Finding, ...]]:
    """The schemas among ``files`` (``schemas/**.json``) and what is wrong with them; a bad schema is left out."""
    folder = files.id_of("schemas/") if isinstance(files, Listed) else ""
    if (known := _LOADED.pop(folder, None)) is None:
        wanted = (path for path in paths_below(files, "schemas/") if path.endswith(".schema.json"))
        known = _load(tuple((path, files[path]) for path in wanted))
    if folder:
        _LOADED[folder] = known
        while len(_LOADED) > _MOST_LOADED:
            del _LOADED[next(iter(_LOADED))]
    return known


_LOADED: dict[str, tuple[Schemas, tuple[Finding, ...]]] = {}
"""The schemas that were asked for last, by the id of their folder."""

_MOST_LOADED = 4


@lru_cache(maxsize=4)
def _load(files: tuple[tuple[str, bytes], ...]) -> tuple[Schemas, tuple[Finding, ...]]:
    """The same schema files, loaded once: every side of a change has nearly always the same."""
    findings: list[Finding] = []
    resources: dict[str, Mapping[str, Any]] = {}
    paths: dict[str, str] = {}
    for path, data in files:
        schema, problem = _read_schema(path, data)
        if problem is not None:
            findings.append(problem)
        elif schema is not None:
            resources[schema["$id"]] = schema
            paths[schema["$id"]] = path
    library = Library(resources)
    kinds: dict[str, KindSchema] = {}
    policies: dict[str, KindSchema] = {}
    for uri, resource in resources.items():
        path = paths[uri]
        folder, _, name = path.removeprefix("schemas/").rpartition("/")
        table = {"kinds": kinds, "policies": policies}.get(folder)
        if table is None:
            continue
        kind = name.removesuffix(".schema.json")
        candidate = KindSchema(kind, path, resource, library)
        try:
            _ = candidate._quick, candidate._quick_spec, candidate.shape
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            findings.append(finding("invalid-schema", f"The schema cannot be used: {_first_line(error)}", Place(path)))
        else:
            table[kind] = candidate
    return Schemas(kinds, policies), tuple(findings)


def _read_schema(path: str, data: bytes) -> tuple[dict[str, Any] | None, Finding | None]:
    try:
        schema = json.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        line, column = getattr(error, "lineno", 0), getattr(error, "colno", 0)
        return None, finding("invalid-schema", f"Not JSON: {error}", Place(path, line, column))
    if not isinstance(schema, dict) or schema.get("$id") != BASE + path:
        return None, finding(
            "invalid-schema",
            "A schema is an object whose $id names its place.",
            Place(path),
            hint=f'Set "$id": "{BASE}{path}"',
        )
    if schema.get("$schema") != "https://json-schema.org/draft/2020-12/schema":
        return None, finding("invalid-schema", "Schemas are written in JSON Schema 2020-12.", Place(path))
    return schema, None


def _quick_validator(schema: Mapping[str, Any], registry: Any) -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(
        dict(schema),
        registry=registry,
        validate_formats=True,
        pattern_options=jsonschema_rs.RegexOptions(),
    )


def _worded_validator(schema: Mapping[str, Any], registry: Any) -> Any:
    return _judge()(schema, registry=registry)


@cache
def _judge() -> Any:
    import jsonschema

    judges = {"pattern": _pattern_problem}
    return jsonschema.validators.extend(jsonschema.Draft202012Validator, judges)  # type: ignore[no-untyped-call]


def _pattern_problem(validator: Any, pattern: str, value: Any, schema: Any) -> Iterator[Any]:
    """A text that does not fit, found in time linear in it: Python's own expressions may take for ever (R26)."""
    import jsonschema

    if isinstance(value, str) and not _fitting(pattern).is_valid(value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


@lru_cache(maxsize=256)
def _fitting(pattern: str) -> Any:
    return _quick_validator({"pattern": pattern}, None)


def _names_keys_by_pattern(schema: Any) -> bool:
    inner = schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ()
    return (isinstance(schema, Mapping) and "patternProperties" in schema) or any(map(_names_keys_by_pattern, inner))


def _refuse_to_fetch(uri: str) -> Any:
    raise ValueError(f"$ref {uri} is not one of the store's schemas")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]


# --- wording ---------------------------------------------------------------------------------------------------------


def _leaves(error: Any) -> Iterable[Any]:
    """The errors that a person can act on: inside anyOf and oneOf, those of the branch that fits best."""
    if error.validator in ("anyOf", "oneOf") and error.context:
        branches: dict[Any, list[Any]] = {}
        for child in error.context:
            branches.setdefault(child.schema_path[0], []).append(child)
        typed = [b for b in branches.values() if all(c.validator != "type" or len(c.relative_path) for c in b)]
        if len(typed) == 1:
            return [leaf for child in typed[0] for leaf in _leaves(child)]
    return [error]


def _as_problems(error: Any, known: set[str]) -> Iterator[Problem]:
    pointer: Pointer = tuple(error.absolute_path)
    if error.validator in ("unevaluatedProperties", "additionalProperties"):
        # An invalid property counts as unevaluated too; it has its own message, so only unknown names are told here.
        for name in sorted(set(map(str, error.instance)) - known):
            message = say("finding.no-field", name=repr(name))
            yield Problem("unknown-field", (*pointer, name), message, did_you_mean(name, known), True)
    elif error.validator == "required":
        name = next((n for n in error.validator_value if n not in error.instance and f"'{n}'" in error.message), "?")
        message = say("finding.field-missing", name=repr(name))
        yield Problem("missing-field", pointer, message, say("finding.add-field", name=name), False)
    elif error.validator in ("enum", "const"):
        options = [error.validator_value] if error.validator == "const" else list(error.validator_value)
        hint = did_you_mean(str(error.instance), [str(option) for option in options])
        yield Problem("not-in-enum", pointer, say("finding.not-allowed", value=repr(error.instance)), hint, False)
    elif error.validator == "type":
        types = _named_types(error.validator_value)
        message = say("finding.other-type", value=_shortened(error.instance), types=types)
        yield Problem("schema-violation", pointer, message, "", False)
    else:
        yield Problem(
            "schema-violation", pointer, _shortened_text(error.message), str(error.schema.get("description", "")), False
        )


_TYPES = {
    "object": "mapping", "array": "list", "string": "text", "integer": "integer", "number": "number",
    "boolean": "boolean", "null": "null",
}  # fmt: skip


def _named_types(types: Any) -> list[str]:
    names = map(str, types if isinstance(types, list) else [types])
    return [say(f"finding.{_TYPES[name]}") if name in _TYPES else name for name in names]


def _shortened(value: Any) -> str:
    return _shortened_text(json.dumps(value, ensure_ascii=False))


def _shortened_text(text: str) -> str:
    return text if len(text) <= 160 else text[:150] + " …"


# --- shapes ----------------------------------------------------------------------------------------------------------


def _resolve(
    schema: Mapping[str, Any], root: Mapping[str, Any], resources: Resources
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The schema that a ``$ref`` leads to, and the document it stands in; KeyError when it leads nowhere."""
    uri, _, fragment = str(schema["$ref"]).partition("#")
    target_root = resources[uri] if uri else root
    target: Any = target_root
    for part in fragment.split("/")[1:]:
        target = target[part.replace("~1", "/").replace("~0", "~")]
    return target, target_root


def _properties(
    schema: Mapping[str, Any], root: Mapping[str, Any], resources: Resources
) -> Iterator[tuple[str, tuple[Mapping[str, Any], Mapping[str, Any]]]]:
    """Every property that ``schema`` describes, through ``$ref`` and ``allOf``, with the document it stands in."""
    if "$ref" in schema:
        yield from _properties(*_resolve(schema, root, resources), resources)
    for part in schema.get("allOf", ()):
        yield from _properties(part, root, resources)
    for name, sub in schema.get("properties", {}).items():
        yield name, (sub, root)


def _required(schema: Mapping[str, Any], root: Mapping[str, Any], resources: Resources) -> set[str]:
    names = set(schema.get("required", ()))
    if "$ref" in schema:
        names |= _required(*_resolve(schema, root, resources), resources)
    for part in schema.get("allOf", ()):
        names |= _required(part, root, resources)
    return names


def _shape(schema: Mapping[str, Any], name: str, root: Mapping[str, Any], resources: Resources) -> Shape:
    merged: dict[str, Any] = dict(schema)
    here, there = schema, root
    while "$ref" in here:
        here, there = _resolve(here, there, resources)
        merged = {**here, **{k: v for k, v in merged.items() if k != "$ref"}}
    unit = str(merged.get("x-remit-unit", ""))
    if references := merged.get("x-remit-ref"):
        kinds = (references,) if isinstance(references, str) else tuple(references)
        return Shape("reference", name, kinds=kinds)
    properties = dict(_properties(schema, root, resources))
    if properties:
        required = _required(schema, root, resources)
        fields = {
            key: Field(_shape(sub, f"{name}_{key}", sub_root, resources), key in required, sub)
            for key, (sub, sub_root) in properties.items()
        }
        return Shape("object", name, fields=fields, unit=unit)
    match merged.get("type"):
        case "array":
            items = merged.get("items")
            item = (
                _shape(items, f"{name}_item", there, resources)
                if isinstance(items, dict)
                else Shape("any", f"{name}_item")
            )
            return Shape("list", name, item=item)
        case "integer":
            return Shape("int", name, unit=unit)
        case "number":
            return Shape("number", name, unit=unit)
        case "boolean":
            return Shape("bool", name, unit=unit)
        case "string":
            if unit == "instant" or merged.get("format") == "date-time":
                return Shape("instant", name, unit="instant")
            if unit == "duration":
                return Shape("duration", name, unit=unit)
            if unit == "share":
                return Shape("number", name, unit=unit)
            enum = tuple(merged["enum"]) if "enum" in merged else (merged["const"],) if "const" in merged else ()
            return Shape("text", name, enum=enum, unit=unit)
    return Shape("any", name, unit=unit)
