"""Measures how many facts a second policies are decided about, beside general policy engines that decide the same.

Facts are of four kinds, and each policy is of one: two to four comparisons of fields, nested ones too: equality, sets
and thresholds. In one run 5 of 100 pairs of fact and policy match, in another 2 of 100 facts match any policy. Each
engine is asked in a process of its own, with its policies compiled and the facts in memory as it wants them; what
counts is the processor's time from the first fact to the last decision, the median of some rounds. Engines that are
slow are asked about the first facts only. All must decide alike, or the run fails. The peers are an extra:
pip install -e ".[bench]".
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from pages import write_section

HEADING = "# Deciding"
KINDS = ("Alpha", "Beta", "Gamma", "Delta")
GRADES = ("group", "province", "local_a", "local_b", "local_c")
LEVELS = tuple(f"level-{number}" for number in range(8))
MOST = 10_000
"""Amounts and minutes are below this."""
ROUNDS = 5

Fact = dict[str, Any]
Pairs = set[tuple[int, str]]
Round = Callable[[], Pairs]


class Policy(NamedTuple):
    """One policy; ``level``, ``flag`` and ``minutes`` are asked where they are not None."""

    name: str
    kind: str
    grades: tuple[str, ...]
    over: int
    level: str | None
    flag: bool | None


def made_facts(number: int) -> list[Fact]:
    """So many facts, the same for the same number."""
    dice = Random(number)
    return [
        {
            "id": f"f{serial}",
            "kind": dice.choice(KINDS),
            "grade": dice.choice(GRADES),
            "flag": dice.random() < 0.5,
            "load": {"minutes": dice.randrange(MOST), "level": dice.choice(LEVELS)},
        }
        for serial in range(number)
    ]


def made_policies(number: int, few: bool) -> list[Policy]:
    """So many policies; their thresholds are such that the wanted share matches."""
    dice, each = Random(number), number // len(KINDS)
    share = 0.02 / each if few else 0.05 * len(KINDS)
    made = []
    for serial in range(number):
        grades = tuple(sorted(dice.sample(GRADES, 1 if few else dice.randint(2, 4))))
        level = dice.choice(LEVELS) if few else None
        flag = dice.random() < 0.5 if few or (dice.random() < 0.5 and len(grades) > 2) else None
        rest = len(grades) / len(GRADES) / (len(LEVELS) if level else 1) / (1 if flag is None else 2)
        over = round(MOST * (1 - min(1.0, share / rest))) - 1
        made.append(Policy(f"p{serial}", KINDS[serial % len(KINDS)], grades, over, level, flag))
    return made


def written(policy: Policy, *, prefix: str = "", any_kind: bool = False) -> str:
    """The condition as CEL, and as other languages that look the same."""
    parts = [f'{prefix}kind == "{policy.kind}"'] if any_kind else []
    parts.append(f"{prefix}grade in {json.dumps(policy.grades)}")
    if policy.level is not None:
        parts.append(f'{prefix}load.level == "{policy.level}"')
    if policy.flag is not None:
        parts.append(f"{prefix}flag == {'true' if policy.flag else 'false'}")
    return " && ".join([*parts, f"{prefix}load.minutes > {policy.over}"])


# --- Remit -----------------------------------------------------------------------------------------------------------


def _compiled(policies: Iterable[Policy]) -> tuple[Any, dict[str, dict[str, Any]]]:
    """A store with the four kinds, and the conditions of each kind."""
    from remit.conditions.condition import Origin
    from remit.evaluating import load
    from remit.records import Record
    from remit.store import Files
    from remit.yamltext import Document

    text = {"type": "string"}
    load_of = {"minutes": {"type": "integer"}, "level": text}
    fields = {
        "grade": {**text, "enum": list(GRADES)},
        "flag": {"type": "boolean"},
        "load": {"type": "object", "properties": load_of, "required": list(load_of), "unevaluatedProperties": False},
    }
    blobs = {"remit.yaml": b"name: bench\ntimezone: UTC\nlanguage: en\n"}
    for kind in KINDS:
        spec = {"type": "object", "properties": fields, "required": list(fields), "unevaluatedProperties": False}
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"https://remit.invalid/schemas/kinds/{kind}.schema.json",
            "title": kind,
            "x-remit-plural": kind.lower() + "s",
            "x-remit-home": "either",
            "type": "object",
            "properties": {"kind": {"const": kind}, "spec": {"$ref": "#/$defs/spec"}},
            "required": ["spec"],
            "$defs": {"spec": spec},
        }
        blobs[f"schemas/kinds/{kind}.schema.json"] = json.dumps(schema).encode()
    loaded = load(Files(None, None, blobs))
    conditions: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for policy in policies:
        scope = {"subject": loaded.compiler.types.kind_shape(policy.kind), "param": loaded.compiler.types.param}
        origin = Origin(Record("", "", "bench", {}, Document("bench", {})), (), ())
        condition, findings = loaded.compiler.compile(written(policy, prefix="subject."), scope, origin)
        if condition is None:
            raise SystemExit(str(findings[0]))
        conditions[policy.kind][policy.name] = condition
    return loaded, conditions


def _entity(fact: Mapping[str, Any]) -> Any:
    from remit.places import Place
    from remit.references import Entity

    spec = {name: fact[name] for name in ("grade", "flag", "load")}
    return Entity(fact["kind"], fact["id"], spec, Place("feed", 1))


def remit(facts: list[Fact], policies: list[Policy]) -> Round:
    """Remit, facts in memory."""
    from remit.conditions.deciding import Decider

    loaded, conditions = _compiled(policies)
    deciders = {kind: Decider(some, loaded.compiler, witness=False) for kind, some in conditions.items() if some}
    scopes = {kind: next(iter(some.values())).scope for kind, some in conditions.items() if some}
    things: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for fact in facts:
        things[fact["kind"]].append(_entity(fact))

    def decide() -> Pairs:
        return {
            (int(thing.name[1:]), name)
            for kind, decider in deciders.items()
            for thing, held in decider.each(things[kind], loaded.world, scopes[kind])
            for name in held
        }

    return decide


def remit_on_parquet(facts: list[Fact], policies: list[Policy]) -> Round:
    """Remit's SQL in DuckDB over Parquet; durable-rules decides on what that selects."""
    import duckdb
    from sqlglot import exp

    from remit.conditions.deciding import Decider
    from remit.conditions.pushing import Pushing

    loaded, conditions = _compiled(policies)
    deciders = {kind: Decider(some, loaded.compiler, witness=False) for kind, some in conditions.items() if some}
    folder = Path(tempfile.mkdtemp(prefix="remit-bench-"))
    (folder / "facts.jsonl").write_text("".join(json.dumps(fact) + "\n" for fact in facts))
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute(f"COPY (FROM '{folder}/facts.jsonl') TO '{folder}/facts.parquet' (FORMAT parquet)")

    def decide() -> Pairs:
        found: Pairs = set()
        for kind, decider in deciders.items():
            pushing = Pushing(loaded.compiler.types, {})
            tests = [pushing.test(one.root, one.scope) for one in conditions[kind].values()]
            columns = [
                exp.alias_(exp.column(exp.to_identifier(one.inside[0], quoted=True)), name)
                if len(one.inside) == 1
                else exp.alias_(exp.Dot.build([exp.column(part) for part in one.inside]), name)
                for name, one in pushing.columns.items()
            ]
            facts_of = exp.select("*", *columns).from_(f"'{folder}/facts.parquet'").where(f"kind = '{kind}'")
            query = (
                exp.select("id", "kind", "grade", "flag", "load").from_(facts_of.subquery("f")).where(exp.or_(*tests))
            )
            rows = connection.execute(query.sql("duckdb")).fetchall()
            things = [_entity(dict(zip(("id", "kind", "grade", "flag", "load"), row, strict=True))) for row in rows]
            scope = next(iter(conditions[kind].values())).scope
            found |= {
                (int(thing.name[1:]), name)
                for thing, held in decider.each(things, loaded.world, scope)
                for name in held
            }
        return found

    return decide


# --- others ----------------------------------------------------------------------------------------------------------


def durable_rules(facts: list[Fact], policies: list[Policy]) -> Round:
    """durable-rules as its manual has it, through its Python layer: a fact is asserted and retracted."""
    from durable import engine

    fired: list[str] = []

    class Host(engine.Host):  # type: ignore[misc]
        def _run(self) -> None:
            """The stock method starts two timer threads."""

        def get_action(self, name: str) -> Any:
            """What is done when a rule fires: its policy is noted."""

            def record(context: Any) -> None:
                fired.append(name.partition("#")[0])

            return record

    rules: dict[str, Any] = {}
    for policy in policies:
        tests: list[Any] = [{"kind": policy.kind}, {"$gt": {"load.minutes": policy.over}}]
        tests += [{"load.level": policy.level}] if policy.level is not None else []
        tests += [{"flag": policy.flag}] if policy.flag is not None else []
        for number, grade in enumerate(policy.grades):
            name = f"{policy.name}#{number}"
            rules[name] = {"all": [{"m": {"$and": [*tests, {"grade": grade}]}}], "run": name}
    host = Host({"facts": rules})

    def decide() -> Pairs:
        found: Pairs = set()
        for number, fact in enumerate(facts):
            fired.clear()
            try:
                host.assert_fact("facts", dict(fact))
            except engine.MessageNotHandledException:
                continue
            host.retract_fact("facts", {"id": fact["id"], "kind": fact["kind"]})
            found.update((number, name) for name in fired)
        return found

    return decide


def zen(facts: list[Fact], policies: list[Policy]) -> Round:
    """zen-engine: every policy a compiled expression."""
    import zen as zen_engine

    expressions = [
        (one.name, zen_engine.compile_expression(written(one, any_kind=True).replace("&&", "and"))) for one in policies
    ]
    return lambda: {
        (number, name) for number, fact in enumerate(facts) for name, one in expressions if one.evaluate(fact)
    }


def rule_engine(facts: list[Fact], policies: list[Policy]) -> Round:
    """rule-engine, pure Python."""
    import rule_engine as peer

    rules = [(one.name, peer.Rule(written(one, any_kind=True).replace("&&", "and"))) for one in policies]
    return lambda: {(number, name) for number, fact in enumerate(facts) for name, one in rules if one.matches(fact)}


def cel_in_rust(facts: list[Fact], policies: list[Policy]) -> Round:
    """CEL in Rust: all policies in one expression, a list of what holds."""
    import cel

    program = cel.compile("[" + ", ".join(written(one, prefix="f.", any_kind=True) for one in policies) + "]")
    names = [one.name for one in policies]

    def decide() -> Pairs:
        found: Pairs = set()
        for number, fact in enumerate(facts):
            said = program.execute({"f": fact})
            found.update((number, name) for name, holds in zip(names, said, strict=True) if holds)
        return found

    return decide


def cel_python(facts: list[Fact], policies: list[Policy]) -> Round:
    """cel-python, pure Python."""
    import celpy

    environment = celpy.Environment()
    programs = [
        (one.name, environment.program(environment.compile(written(one, prefix="f.", any_kind=True))))
        for one in policies
    ]
    contexts = [{"f": celpy.json_to_cel(fact)} for fact in facts]
    return lambda: {
        (number, name) for number, one in enumerate(contexts) for name, program in programs if program.evaluate(one)
    }


def rego(facts: list[Fact], policies: list[Policy]) -> Round:
    """Rego, by regopy: all policies one set in one module."""
    import regopy

    lines = ["package bench", "import rego.v1"]
    for one in policies:
        members = "{" + ", ".join(json.dumps(grade) for grade in one.grades) + "}"
        tests = [f'input.kind == "{one.kind}"', f"input.grade in {members}", f"input.load.minutes > {one.over}"]
        tests += [f'input.load.level == "{one.level}"'] if one.level is not None else []
        tests += [f"input.flag == {json.dumps(one.flag)}"] if one.flag is not None else []
        lines.append(f'held contains "{one.name}" if {{ {"; ".join(tests)} }}')
    interpreter = regopy.Interpreter()
    interpreter.add_module("bench", "\n".join(lines))

    def decide() -> Pairs:
        found: Pairs = set()
        for number, fact in enumerate(facts):
            interpreter.set_input(fact)
            said = json.loads(str(interpreter.query("data.bench.held")))
            found.update((number, name) for name in said["expressions"][0])
        return found

    return decide


class Engine(NamedTuple):
    """One line of the table: what it is, which package it needs, and the most pairs that it is asked about."""

    what: str
    build: Callable[[list[Fact], list[Policy]], Round]
    package: str
    pairs: int


ENGINES = {
    "remit": Engine("Remit: facts in memory", remit, "durable_rules", 10**9),
    "remit-parquet": Engine("Remit's SQL over Parquet, then durable-rules", remit_on_parquet, "duckdb", 10**9),
    "durable-rules": Engine("durable-rules through its Python layer", durable_rules, "durable_rules", 400_000),
    "zen": Engine("zen-engine", zen, "zen-engine", 400_000),
    "cel-rust": Engine("CEL in Rust", cel_in_rust, "common-expression-language", 400_000),
    "rego": Engine("Rego, by regopy", rego, "regopy", 4_000),
    "rule-engine": Engine("rule-engine", rule_engine, "rule-engine", 20_000),
    "cel-python": Engine("cel-python", cel_python, "cel-python", 1_000),
}


# --- the run ---------------------------------------------------------------------------------------------------------


def measured(name: str, number: int, policies: int, few: bool, rounds: int) -> dict[str, Any]:
    """What one engine does with the first facts: seconds of each round, its decisions, its peak of memory."""
    engine = ENGINES[name]
    facts, rules = made_facts(number), made_policies(policies, few)
    facts = facts[: max(20, min(number, engine.pairs // policies))]
    decide = engine.build(facts, rules)
    seconds, pairs = [], set()
    for _ in range(rounds):
        begun = time.process_time()
        pairs = decide()
        seconds.append(time.process_time() - begun)
    return {"facts": len(facts), "seconds": statistics.median(seconds), "peak": _peak(), "pairs": sorted(pairs)}


def _peak() -> int:
    """The most memory that this process has held, in MB; ``getrusage`` would tell that of whoever started it."""
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert held is not None
    return int(held[1]) // 1024


def asked(name: str, number: int, policies: int, few: bool, rounds: int) -> dict[str, Any] | None:
    """The same in a process of its own; None where the engine is not installed."""
    try:
        version(ENGINES[name].package)
    except PackageNotFoundError:
        return None
    question = [sys.executable, __file__, "--only", name, str(number), str(policies), str(int(few)), str(rounds)]
    done = subprocess.run(question, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2_000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def section(number: int, policies: int, few: bool, rounds: int, names: Iterable[str]) -> str:
    """The table of one size; stops where engines decide differently."""
    answers = {name: asked(name, number, policies, few, rounds) for name in names}
    ours = answers["remit"]
    assert ours is not None
    share = "2 of 100 facts match" if few else "5 of 100 pairs match"
    lines = [
        f"## {number:,} facts, {policies} policies, {share}",
        "",
        "| engine | facts asked | seconds | facts a second | to Remit | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, answer in answers.items():
        if answer is None:
            lines.append(f"| {ENGINES[name].what} | not installed | | | | |")
            continue
        if answer["pairs"] != [pair for pair in ours["pairs"] if pair[0] < answer["facts"]]:
            raise SystemExit(f"{name} decides differently")
        rate, own = answer["facts"] / answer["seconds"], ours["facts"] / ours["seconds"]
        cells = (
            ENGINES[name].what, f"{answer['facts']:,}", f"{answer['seconds']:.3f}", f"{rate:,.0f}",
            f"{rate / own:.3f}", str(answer["peak"]),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    found = len(ours["pairs"])
    return "\n".join([*lines, "", f"{found:,} pairs match, {found / number / policies:.2%} of all.", ""])


def preface() -> str:
    """What the tables show and where they come from."""
    names = ["durable_rules", *sorted({one.package for one in ENGINES.values()} - {"durable_rules"})]
    return f"""{HEADING}

How many facts a second policies are decided about: `python benchmarks/deciding.py`, each engine in its own process.
{platform.machine()}, Python {platform.python_version()}, {", ".join(_versioned(names))}.
Seconds are those of the processor, medians of some rounds; facts and compiled policies are in memory before.
Every engine decides alike, or the run fails; slow ones are asked about the first facts only.
"""


def _versioned(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} (not installed)"


def main() -> int:
    """Print the tables, and write them with --write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--policies", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--write", type=Path)
    parser.add_argument("--only", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        name, *numbers = options.only
        number, policies, few, rounds = map(int, numbers)
        print(json.dumps(measured(name, number, policies, bool(few), rounds)))
        return 0
    names = ["remit", *(name for name in options.engines if name != "remit")]
    sections = []
    for number in options.facts:
        for policies in options.policies:
            for few in (False, True):
                sections.append(section(number, policies, few, options.rounds, names))
                print(sections[-1], flush=True)
    if options.write:
        write_section(options.write, f"{preface()}\n" + "\n".join(sections))
    return 0


if __name__ == "__main__":
    sys.exit(main())
