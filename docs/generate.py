"""Writes the reference pages from the program: `python docs/generate.py`; with --check it only says what is stale.

What a reader looks up must not be a copy that ages: command help, finding codes, kinds, policy keys and the condition
language come from where the program itself has them.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from blocks import PAGES, TOP, followed, new_reader

from remit.conditions.checks import LONGEST_PATTERN
from remit.conditions.functions import FUNCTIONS, MACROS, REFUSED
from remit.conditions.text import WRITTEN
from remit.conditions.tree import LAST_ITEM
from remit.findings import CODES
from remit.main import COMMANDS, cli
from remit.pack import pack_files
from remit.policies import KINDS

REFERENCE = TOP / "docs" / "reference"
NOTE = "<!-- Written by docs/generate.py; run `make docs` to write it anew. -->\n"
BASE = "https://remit.invalid/"
Schema = Mapping[str, Any]


def pages() -> dict[str, str]:
    """The text of every generated page by file name."""
    schemas = {
        path: _absolute(json.loads(data), f"{BASE}{path}")
        for path, data in pack_files().items()
        if path.startswith("schemas/") and ".json" in path
    }
    return {
        "commands.md": commands_page(),
        "findings.md": findings_page(),
        "kinds.md": kinds_page(schemas),
        "policies.md": policies_page(schemas),
        "conditions.md": conditions_page(),
    }


# --- commands --------------------------------------------------------------------------------------------------------


def commands_page() -> str:
    """Help of the program and of every command, in the order of the manual."""
    parts = [
        "# Commands",
        "Results go to stdout, talk goes to stderr.",
        "Exit codes: 0 fine, 1 findings, 2 could not be carried out, 3 a bug, 130 interrupted.",
        "",
        "```text",
        _help("remit", cli),
        "```",
        "",
    ]
    for name, line in COMMANDS.items():
        command = importlib.import_module(f"remit.commands.{name}_command").command
        parts += [f"## remit {name}", "", line, "", "```text", _help(f"remit {name}", command), "```", ""]
        for part in sorted(command.commands) if isinstance(command, click.Group) else ():
            shown = _help(f"remit {name} {part}", command.commands[part])
            parts += [f"### remit {name} {part}", "", "```text", shown, "```", ""]
    return _page(parts)


def _help(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name, terminal_width=100, max_content_width=100, color=False)
    context.help_option_names = ["-h", "--help"]
    return command.get_help(context).rstrip()


# --- findings --------------------------------------------------------------------------------------------------------


def findings_page() -> str:
    """Every code of a finding with its severity and meaning, by code."""
    parts = [
        "# Findings",
        "A finding names a place, a code, what was found, what was expected and what to do next.",
        "Codes are stable: scripts may rely on them.",
        "",
        "| code | severity | meaning |",
        "| --- | --- | --- |",
        *(f"| `{name}` | {code.severity} | {_cell(code.meaning)} |" for name, code in sorted(CODES.items())),
        "",
    ]
    return _page(parts)


# --- kinds and policies ----------------------------------------------------------------------------------------------

_HOMES = {
    "record": "a record of the store",
    "feed": "a row of a feed",
    "either": "a record of the store or a row of a feed",
}


def kinds_page(schemas: Mapping[str, Schema]) -> str:
    """Every kind of record and fact with its fields."""
    kinds = {path: s for path, s in sorted(schemas.items()) if path.startswith("schemas/kinds/")}
    parts = [
        "# Kinds",
        "A kind is a schema in `schemas/kinds/`; adding one needs nothing else.",
        "A record is a file with `apiVersion`, `kind`, `metadata` and `spec`; the fields below are those of `spec`.",
        "A row of a feed has the same fields beside its `id`.",
        "*Needed* fields must be there; *P* marks what Remit proposes where the operator's documents are silent.",
        "",
        "| kind | folder | where it lives |",
        "| --- | --- | --- |",
    ]
    for path, schema in kinds.items():
        name, home = _name(path), _HOMES.get(str(schema.get("x-remit-home")), "")
        parts.append(
            f"| [{name}](#{name.lower()}) {schema.get('x-remit-zh', '')} | `records/{schema['x-remit-plural']}/` | {home} |"
        )
    for path, schema in kinds.items():
        parts += ["", f"## {_name(path)}", "", f"{schema.get('title')}, {schema.get('x-remit-zh')}."]
        parts += [str(schema["description"])] if schema.get("description") else []
        parts += [f"TM Forum: {schema['x-remit-tmf']}."] if schema.get("x-remit-tmf") else []
        parts += ["", "| field | title | type | | clauses |", "| --- | --- | --- | --- | --- |"]
        parts += [_field_row(field) for field in _fields(schemas, path)]
    return _page([*parts, ""])


def policies_page(schemas: Mapping[str, Schema]) -> str:
    """Every kind of policy with its keys."""
    parts = [
        "# Policies",
        "A policy is a file in `rules/<folder>/`; its cases stand beside it in `<name>.cases.yaml`.",
        "Its `metadata` has a `title` in both languages and the `clauses` that it carries out.",
        "The keys below are those of `spec`.",
    ]
    for kind in (*KINDS, "PolicyCases"):
        path = f"schemas/policies/{kind}.schema.json"
        schema = schemas[path]
        parts += [
            "",
            f"## {kind}",
            "",
            f"{schema.get('x-remit-zh', '')}：`rules/{schema.get('x-remit-plural', '*')}/`.",
        ]
        parts += [str(schema["description"])] if schema.get("description") else []
        parts += ["", "| key | title | type | | meaning |", "| --- | --- | --- | --- | --- |"]
        parts += [_key_row(field) for field in _fields(schemas, path)]
    return _page([*parts, ""])


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".schema.json")


class Field:
    """One field: its dotted path, its schema with references followed, and whether it is needed."""

    def __init__(self, path: str, schema: Schema, needed: bool) -> None:
        self.path = path
        self.schema = schema
        self.needed = needed


def _absolute(schema: Any, home: str) -> Any:
    """The schema with every reference written whole, so that it means the same wherever it is laid."""
    if isinstance(schema, list):
        return [_absolute(one, home) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: home + value if key == "$ref" and str(value).startswith("#") else _absolute(value, home)
        for key, value in schema.items()
    }


def _fields(schemas: Mapping[str, Schema], path: str) -> Iterator[Field]:
    """The fields of a kind's spec and of the objects and lists inside it, in the order of the schema."""
    yield from _below(schemas, schemas[path].get("$defs", {}).get("spec", {}), "", ())


def _below(schemas: Mapping[str, Schema], schema: Schema, above: str, seen: tuple[str, ...]) -> Iterator[Field]:
    whole, seen = _followed(schemas, schema, seen)
    needed = set(whole.get("required", ()))
    for name, part in whole.get("properties", {}).items():
        inner, inner_seen = _followed(schemas, part, seen)
        yield Field(f"{above}{name}", inner, name in needed)
        if inner.get("properties"):
            yield from _below(schemas, inner, f"{above}{name}.", inner_seen)
        elif inner.get("type") == "array":
            item, item_seen = _followed(schemas, inner.get("items", {}), inner_seen)
            if item.get("properties"):
                yield from _below(schemas, item, f"{above}{name}[].", item_seen)


def _followed(schemas: Mapping[str, Schema], schema: Schema, seen: tuple[str, ...]) -> tuple[Schema, tuple[str, ...]]:
    """The schema with what its ``$ref`` says laid under it, and the references on the way here.

    What the schema says itself comes first; a reference that leads back to where we are is not followed again.
    """
    merged = dict(schema)
    while isinstance(ref := merged.pop("$ref", None), str) and ref not in seen:
        seen = (*seen, ref)
        path, _, pointer = ref.removeprefix(BASE).partition("#")
        target: Any = schemas[path]
        for part in pointer.strip("/").split("/"):
            target = target[part] if part else target
        properties = {**target.get("properties", {}), **merged.get("properties", {})}
        needed = [*target.get("required", ()), *merged.get("required", ())]
        merged = {**target, **merged, **({"properties": properties, "required": needed} if properties else {})}
    return merged, seen


def _field_row(field: Field) -> str:
    flags = ["needed"] if field.needed else []
    flags += ["P"] if field.schema.get("x-remit-proposed") else []
    flags += ["unique"] if field.schema.get("x-remit-unique") else []
    clauses = ", ".join(field.schema.get("x-remit-clause", ()))
    return f"| `{field.path}` | {_titles(field.schema)} | {_type(field.schema)} | {', '.join(flags)} | {clauses} |"


def _key_row(field: Field) -> str:
    needed = "needed" if field.needed else ""
    meaning = _cell(str(field.schema.get("description", "")))
    return f"| `{field.path}` | {_titles(field.schema)} | {_type(field.schema)} | {needed} | {meaning} |"


def _titles(schema: Schema) -> str:
    return _cell(" ".join(str(schema[key]) for key in ("title", "x-remit-zh") if key in schema))


def _type(schema: Schema) -> str:
    """The type of a field in words a reader of YAML knows."""
    refs = schema.get("x-remit-ref")
    if refs:
        names = [refs] if isinstance(refs, str) else refs
        return "name of a " + " or ".join(f"[{name}](kinds.md#{name.lower()})" for name in names)
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        default = f", by default `{schema['default']}`" if "default" in schema else ""
        return _cell(" ".join(f"`{value}`" for value in schema["enum"]) + default)
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return "list" if items.get("properties") or "$ref" in items else f"list: {_type(items)}"
    unit = schema.get("x-remit-unit")
    kind = schema.get("type", "")
    kind = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if not kind and ("oneOf" in schema or "anyOf" in schema):
        kinds = [_type(one) for one in schema.get("oneOf", schema.get("anyOf"))]
        kind = " or ".join(dict.fromkeys(one for one in kinds if one))
    words = {"string": "text", "object": "object", "integer": "whole number", "boolean": "true or false"}
    text = words.get(kind, kind)
    default = f", by default `{json.dumps(schema['default'])}`" if "default" in schema else ""
    return (f"{unit}" if unit else text) + default


# --- conditions ------------------------------------------------------------------------------------------------------


def conditions_page() -> str:
    """The part of CEL that conditions may use."""
    named = {WRITTEN.get(name, name): words for name, words in FUNCTIONS.items()}
    functions = {name: words for name, words in named.items() if name.replace(".", "").isidentifier()}
    operators = {name: words for name, words in named.items() if name not in functions}
    signs = sorted({words.removeprefix("the operator ") for words in operators.values() if words.startswith("the op")})
    codes = {name: code for name, code in CODES.items() if name.startswith("condition-")}
    parts = [
        "# Conditions",
        "Conditions are CEL, the Common Expression Language, in the part listed here.",
        "They are typed by your schemas before anything runs: a misspelt field is a finding, never a rule that is silently false.",
        "There is no `now`: time belongs to clocks and levels, so that a condition holds or not whenever you ask.",
        "",
        "## Names",
        "",
        "| name | is |",
        "| --- | --- |",
        "| `subject` | the record or fact that the policy is about; references are followed by the dot: `subject.customer.customerGrade` |",
        "| `term` | the service term that governs the subject, such as `term.repairLimit` |",
        "| `param` | the parameters of the store, such as `param.timelinessTarget` |",
        "| `before`, `after` | in approval and lifecycle policies: the record before and after the change |",
        "| names of `each` and `with` | an item of a list, and lists of records that refer to the subject |",
        "",
        "## Operators",
        "",
        f"{' '.join(f'`{sign}`' for sign in signs)} `!` `-` `? :` and `.` for fields, `[…]` for lists.",
        "",
        "An optional field is used under `has(…)`: `has(subject.severity) && subject.severity == \"critical\"`.",
        "",
        "## Functions",
        "",
        "| function | gives |",
        "| --- | --- |",
        "| `has(path)` | whether a field is there |",
        *(f"| `{name}` | {_cell(words)} |" for name, words in sorted(functions.items())),
        "| `table.name(…)` | what the LookupTable record of that name (dashes written as `_`) has for the values of its inputs |",
        "",
        f"A calendar, a span, a time zone and a pattern (at most {LONGEST_PATTERN} characters) are written in place, so that they are checked before anything runs.",
        "An instant has no hour without a zone, so `getHours` and its kin need one, except of a span.",
        "",
        "## Lists and maps",
        "",
        "`[1, 2]` is a list, `{\"a\": 1, \"b\": 2}` a map; the items of one are of one type, and the keys of a map are texts.",
        "`list[0]` is the first item of a list of the schemas, and what follows it is a field of it; numbers are written in place, up to " + str(LAST_ITEM) + ".",
        "Whether an item is there is asked as for an optional field, by the size of its list: `size(subject.progress) > 0 && subject.progress[0].at > subject.acceptedAt`; `has(subject.progress)` says as much as `size(subject.progress) > 0`.",
        "`x[…]` also takes an item of any other list or map; one that is not there makes the condition not hold.",
        "",
        "Macros over lists: " + " ".join(f"`list.{name}(x, …)`" for name in MACROS) + ".",
        "",
        "## Look-up tables",
        "",
        "A rule that is a look-up is a [LookupTable](kinds.md#lookuptable) record: `remit check` proves that each combination of its inputs has exactly one result.",
        "",
        "```yaml",
        "apiVersion: remit/v1",
        "kind: LookupTable",
        "metadata: {name: answer-limit, title: {en: Answer limits, zh: 答复时限}}",
        "spec:",
        "  inputs:",
        "    - {name: grade, field: Customer.customerGrade}   # every value that the schema lists",
        "    - {name: kind, values: [query, order]}           # or these; or kind: ProductOffering, every record of it",
        "  output: {name: limit, unit: duration}",
        "  rows:                                              # or csv: answer-limit.csv, a file beside this one",
        "    - {grade: [group, province], limit: 4h}",
        "    - {grade: [local_a, local_b, local_c], kind: query, limit: 8h}",
        "    - {grade: [local_a, local_b, local_c], kind: order, limit: 24h}",
        "```",
        "",
        "`subject.answeredAt - subject.askedAt > table.answer_limit(subject.customer.customerGrade, subject.kind)` then reads it.",
        "",
        "## Units",
        "",
        "Fields whose `x-remit-unit` differs (hours and percent, say) are not compared, added or subtracted; a plain number fits every unit.",
        "A share (`80%`) is its number, 0.8.",
        "",
        "## Money",
        "",
        "A field whose `x-remit-unit` is `money` holds an amount and a currency; `money(\"500000 CNY\")` is written in place.",
        "Money is compared with money, added to it and subtracted from it, multiplied by a number, and picked by `largest` and `smallest`: `subject.serviceFee * 2 + money(\"100 CNY\") <= largest([subject.serviceFee, money(\"5000 CNY\")])`.",
        "Amounts are reckoned as the decimals that they are written as: 0.1 and 0.2 are 0.3.",
        "",
        "Nothing is converted: only moneys of one currency are reckoned together.",
        "Where literals and schemas already tell two currencies apart, that is a finding; where the currencies of a record do, neither a comparison nor its opposite holds.",
        "A money that names no currency is in the `default` of its schema; `subject.serviceFee.amount` and `subject.serviceFee.currency` are what is written.",
        "",
        "## What CEL has and Remit has not",
        "",
        "Anything that is not on this page is refused by name, at its place: " + ", ".join(f"`{name}`" for name in ("bytes", "dyn", "format", "null", "type", "uint", *sorted(REFUSED))) + " and message literals, for example.",
        "",
        "## What can be wrong",
        "",
        "| code | meaning |",
        "| --- | --- |",
        *(f"| `{name}` | {_cell(code.meaning)} |" for name, code in sorted(codes.items())),
        "",
    ]  # fmt: skip
    return _page(parts)


# --- text ------------------------------------------------------------------------------------------------------------


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _page(parts: list[str]) -> str:
    head, *rest = parts
    return "\n".join([head, "", NOTE, *rest]).rstrip("\n") + "\n"


def shown_outputs() -> Iterator[tuple[Path, str]]:
    """The pages that show what commands print, with what they print now."""
    for name in PAGES:
        with tempfile.TemporaryDirectory(prefix="remit-pages-") as home:
            text, _ = followed((TOP / name).read_text(encoding="utf-8"), new_reader(Path(home)))
        if "Traceback (most recent call last)" in text:
            print(f"{name} is left as it is: one of its commands ends in a bug")
        else:
            yield TOP / name, text


def main(arguments: list[str]) -> int:
    """Write the pages anew; with --check only name the generated ones that differ."""
    check = "--check" in arguments
    wanted = [(REFERENCE / name, text) for name, text in pages().items()]
    wanted += [] if check else shown_outputs()
    stale = [(path, text) for path, text in wanted if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        print(f"{path.relative_to(TOP)} {'is stale; run: make docs' if check else 'is written anew'}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
