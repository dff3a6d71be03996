"""Measures a first `remit check` beside other validators of YAML, on the same records with the same JSON Schema.

Every tool is a whole process; the median of the rounds counts (of fewer for a tool slower than twenty seconds, which
the table says). All must name the same invalid records, or the run fails. Peers are installed from PyPI and npm into
a folder of their own (`--peers`); one that cannot be had is said to be missing. `--write PAGE` puts the table into a
page under its own heading.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from clients import FOLDER, SCHEMA_PATH, client_name, is_wrong, store
from pages import write_section

HEADING = "# A first check"
SLOW = 20.0
TOO_MANY = 20_000
"""Records that tools which take their files as arguments are not given: a command line holds only so much."""

READ = """
import pathlib
for path in sorted(pathlib.Path("records/clients").iterdir()):
    path.read_bytes()
"""
PARSE = """
import pathlib, yaml
for path in sorted(pathlib.Path("records/clients").iterdir()):
    for event in yaml.parse(path.read_bytes(), Loader=yaml.CSafeLoader):
        pass
"""
BARE = """
import json, pathlib, jsonschema_rs, ryml
schema = json.loads(pathlib.Path("schemas/kinds/Client.schema.json").read_bytes())
judge = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
for path in sorted(pathlib.Path("records/clients").iterdir()):
    value = json.loads(ryml.emit_json(ryml.parse_in_arena(path.read_bytes())))
    if not judge.is_valid(value):
        print(path.name, "invalid")
"""
REMIT = "from remit.main import run; run()"
YAMALE = """
apiVersion: enum('remit/v1')
kind: enum('Client')
metadata: include('metadata')
spec: include('spec')
---
slug: regex('^[a-z0-9]+(-[a-z0-9]+)*$')
metadata:
  name: regex('^[a-z0-9]+(-[a-z0-9]+)*$')
  title: map(str(), key=str(), required=False)
  labels: map(str(), key=str(), required=False)
money:
  amount: int(min=0)
  currency: enum('CNY', 'EUR')
basis:
  revenue: include('money', required=False)
  importance: str(required=False)
  decidedBy: str()
  decidedAt: str(required=False)
period:
  period: str()
  amount: include('money')
contact:
  name: str(min=1)
  method: str()
engineer:
  domain: enum('access', 'transport', 'core', 'cloud', 'security')
  engineer: str()
roles:
  manager: regex('^[a-z0-9]+(-[a-z0-9]+)*$')
  deputy: regex('^[a-z0-9]+(-[a-z0-9]+)*$', required=False)
  engineers: list(include('engineer'), min=1)
spec:
  grade: enum('gold', 'silver', 'bronze', 'standard')
  basis: include('basis', required=False)
  score: int(min=0, max=100, required=False)
  share: num(min=0, max=1, required=False)
  keyAccount: bool(required=False)
  revenue: list(include('period'), required=False)
  sites: list(str(), required=False)
  contacts: list(include('contact'), min=1, required=False)
  unit: regex('^[a-z0-9]+(-[a-z0-9]+)*$')
  parent: regex('^[a-z0-9]+(-[a-z0-9]+)*$', required=False)
  partners: list(str(), required=False)
  roles: include('roles')
  status: enum('active', 'prospect', 'closed')
  validFrom: str(required=False)
"""


class Tool(NamedTuple):
    """One way: what is run, how its output names an invalid record (empty: it judges nothing), what else it checks."""

    name: str
    command: Sequence[str]
    names: str
    also: str = ""


class Figure(NamedTuple):
    """Medians: seconds by the clock and of all processors, the largest process in MB; how many rounds."""

    seconds: float
    cpu: float
    memory: float
    rounds: int


def main() -> int:
    """Print the tables, or write them into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000, 10_000], help="records")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="only ajv-cli and Remit")
    parser.add_argument("--peers", type=Path, default=Path.home() / ".cache" / "remit-bench", metavar="FOLDER")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    install(options.peers)
    tables = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
            tables.append(table(size, measured(Path(folder), size, options)))
    section = "\n\n".join([preface(), *tables]) + "\n"
    if options.write:
        write_section(options.write, section)
    else:
        print(section, end="")
    return 0


def install(folder: Path) -> None:
    """The peers, where they are not there yet; what cannot be had is missing later."""
    if not (folder / "python").exists():
        venv.create(folder / "python", with_pip=True)
        for name in ("check-jsonschema", "yamale", "rapidyaml", "jsonschema-rs", "qontract-validator"):
            subprocess.run([folder / "python" / "bin" / "pip", "install", "--quiet", name], check=False)
    if not (folder / "node").exists() and shutil.which("npm"):
        (folder / "node").mkdir(parents=True)
        packages = ("ajv-cli@5", "ajv-formats", "js-yaml")
        subprocess.run(["npm", "install", "--silent", "--prefix", folder / "node", *packages], check=False)


def tools(size: int, peers: Path) -> Iterator[Tool]:
    """All ways, from what no tool can avoid to what does most."""
    python, own = str(peers / "python" / "bin" / "python"), sys.executable
    records = [f"{FOLDER}/{client_name(number)}.yaml" for number in range(size)] if size <= TOO_MANY else []
    yield Tool("list and read the bytes", [own, "-c", READ], "")
    yield Tool("PyYAML, C parser, events only", [own, "-c", PARSE], "")
    yield Tool("rapidyaml to JSON, jsonschema-rs", [python, "-c", BARE], r"(client-\d{6})\.yaml invalid")
    ajv = [str(peers / "node/node_modules/.bin/ajv"), "validate", "--spec=draft2020", "--strict=false", "--all-errors"]
    ajv += ["-c", "ajv-formats", "-s", SCHEMA_PATH, "-d", f"{FOLDER}/*.yaml"]
    yield Tool("ajv-cli", ajv, r"(client-\d{6})\.yaml invalid")
    if records:
        peer = str(peers / "python" / "bin" / "check-jsonschema")
        yield Tool("check-jsonschema", [peer, "--schemafile", SCHEMA_PATH, *records], r"(client-\d{6})\.yaml::")
    yamale = [str(peers / "python" / "bin" / "yamale"), "-s", "../yamale.yaml", FOLDER]
    yield Tool("yamale", yamale, r"data '[^']*(client-\d{6})\.yaml'")
    wrong = r'"(?:not-in-enum|schema-violation|missing-field|unknown-field)".*?(client-\d{6})\.yaml'
    also = "references, names, periods, places"
    one = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    yield Tool("remit check, one processor", [*one, own, "-c", REMIT, "check", "--format", "json"], wrong, also)
    yield Tool("remit check", [own, "-c", REMIT, "check", "--format", "json"], wrong, also)


def measured(folder: Path, size: int, options: argparse.Namespace) -> dict[str, tuple[Tool, Figure | None]]:
    """What each tool took; None for one that is not there. Asserts that all name the same records."""
    root = folder / "store"
    for path, data in store(size):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    (folder / "yamale.yaml").write_text(YAMALE.lstrip(), encoding="utf-8")
    (folder / "home").mkdir()
    who = ["-c", "user.name=bench", "-c", "user.email=bench@example.net", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-q", "-m", "bench"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    expected = {client_name(number) for number in range(size) if is_wrong(number)}
    environment = {**os.environ, "HOME": str(folder / "home"), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    found: dict[str, tuple[Tool, Figure | None]] = {}
    for tool in tools(size, options.peers):
        if options.quick and tool.name not in ("ajv-cli", "remit check"):
            continue
        there = Path(tool.command[0]).exists() or bool(shutil.which(tool.command[0]))
        found[tool.name] = tool, _measured(tool, root, environment, expected, options.rounds) if there else None
    return found


def _measured(tool: Tool, root: Path, environment: Mapping[str, str], expected: set[str], rounds: int) -> Figure | None:
    runs: list[tuple[float, float, float]] = []
    compiled = False
    while len(runs) < rounds and (not runs or runs[0][0] < SLOW):
        shutil.rmtree(root / ".git" / "remit", ignore_errors=True)  # what remit remembers
        with tempfile.TemporaryFile() as output:
            begun = time.perf_counter()
            process = subprocess.Popen(tool.command, cwd=root, env=environment, stdout=output, stderr=output)
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            said = output.read().decode("utf-8", "replace")
        if "ModuleNotFoundError" in said:
            return None
        named = set(re.findall(tool.names, re.sub(r"\n +", " ", said))) if tool.names else expected
        if named != expected:
            raise SystemExit(f"{tool.name} differs on {sorted(named ^ expected)[:5]}: {said[-2000:]}")
        # The first run compiles what it imports, and is not counted where there is time for another.
        if compiled or seconds >= SLOW:
            runs.append((seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))
        compiled = True
    seconds, cpu, memory = (statistics.median(column) for column in zip(*runs, strict=True))
    return Figure(seconds, cpu, memory, len(runs))


def table(size: int, found: Mapping[str, tuple[Tool, Figure | None]]) -> str:
    """One table; the ratio is to the clock of ajv-cli."""
    _, ajv = found["ajv-cli"]
    lines = [
        f"## {size:,} records to a first check",
        "",
        "| what | seconds | to ajv-cli | processor seconds | MB | rounds | also checks |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for tool, figure in found.values():
        if figure is None:
            lines.append(f"| {tool.name} | not installed | | | | | |")
            continue
        ratio = f"{figure.seconds / ajv.seconds:.2f}" if ajv else ""
        numbers = f"{figure.seconds:.2f} | {ratio} | {figure.cpu:.2f} | {figure.memory:.0f} | {figure.rounds}"
        lines.append(f"| {tool.name} | {numbers} | {tool.also} |")
    return "\n".join(lines)


def preface() -> str:
    """The machine, the versions, and what is compared."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("PyYAML", "jsonschema-rs"))
    return f"""{HEADING}

A check of a store that was never checked, beside other validators: `python benchmarks/cold.py`, one run.
{len(os.sched_getaffinity(0))} processors ({platform.machine()}), Python {platform.python_version()}, {versions}.
Records are nested and of 0.85 KB; one in a hundred does not fit the schema, and all tools name the same ones.
All get the same JSON Schema, but for yamale, which has a language of its own.
Whole processes, medians, after a run that compiles what it imports; MB are of the largest process.
Only Remit checks that what a record refers to is there, that names fit, and that no period ends before it begins.
qontract-validator 0.1.0 is not measured: the PyYAML that it asks for cannot be built for this Python.
check-jsonschema takes its files as arguments and is not asked about more than {TOO_MANY:,}."""


if __name__ == "__main__":
    sys.exit(main())
