"""What holds for the project as a whole: quick help, every command documented, pages that are not stale."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import generate
import pytest

from remit.findings import CODES
from remit.main import COMMANDS

TOP = Path(__file__).parent.parent
PACKAGE = TOP / "cli" / "remit"
SLOW_TO_IMPORT = [
    "git",
    "jinja2",
    "jsonschema",
    "jsonschema_rs",
    "durable",
    "google.protobuf",
    "cel_expr_python",
    "yaml",
]
DISTRIBUTIONS = {
    "yaml": "pyyaml",
    "git": "gitpython",
    "jsonschema_rs": "jsonschema-rs",
    "durable": "durable-rules",
    "durable_rules_engine": "durable-rules",
    "cel_expr_python": "cel-expr-python",
    "google": "protobuf",
    "ruamel": "ruamel.yaml",
}
"""The packages whose import name is not their own."""
NEVER_IMPORTED = {"tzdata"}
"""Needed by the standard library where the system has no time zones."""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["evalute"]])
def test_help_imports_nothing_that_takes_time(arguments: list[str]) -> None:
    script = (
        "import sys; from remit.main import main; main(sys.argv[1:]);"
        f"print([name for name in {SLOW_TO_IMPORT!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_module_and_an_example_of_itself(name: str) -> None:
    command = importlib.import_module(f"remit.commands.{name}_command").command

    assert isinstance(command, click.Command)
    assert f"Example: remit {name}" in " ".join((command.help or "").split())


def test_every_command_module_is_in_the_table() -> None:
    modules = {path.stem.removesuffix("_command") for path in (PACKAGE / "commands").glob("*_command.py")}

    assert modules == set(COMMANDS)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return generate.pages()


def test_generated_pages_are_not_stale(pages: dict[str, str]) -> None:
    stale = [name for name, text in pages.items() if (generate.REFERENCE / name).read_text(encoding="utf-8") != text]

    assert stale == [], "run: make docs"


def test_every_command_code_and_kind_is_in_the_reference(pages: dict[str, str]) -> None:
    kinds = [path.name.removesuffix(".schema.json") for path in (TOP / "schemas" / "kinds").iterdir()]

    assert [name for name in COMMANDS if f"## remit {name}\n" not in pages["commands.md"]] == []
    assert [code for code in CODES if f"| `{code}` |" not in pages["findings.md"]] == []
    assert [kind for kind in kinds if f"## {kind}\n" not in pages["kinds.md"]] == []


def test_every_code_of_a_finding_is_used() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "findings.py")

    assert [code for code in CODES if f'"{code}"' not in text] == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in tracked("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(TOP)}: {target}")
    assert broken == []


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=!~ \[]", line)[0].lower() for line in project["dependencies"]}
    extras = {
        name: {re.split(r"[<>=!~ \[]", line)[0].lower() for line in lines}
        for name, lines in project["optional-dependencies"].items()
    }
    for_tests = extras.pop("dev")
    optional = set().union(*extras.values())
    here = {
        "torture",
        *(path.stem for folder in ("tests", "docs", "benchmarks") for path in (TOP / folder).glob("*.py")),
    }
    imported = {name for path in PACKAGE.rglob("*.py") for name in outside_imports(path)}
    in_tests = {name for path in (TOP / "tests").rglob("*.py") for name in outside_imports(path)}

    assert imported - declared - optional == set()
    assert declared - imported == NEVER_IMPORTED
    assert in_tests - declared - optional - for_tests - here == set()


def test_no_file_names_the_place_where_it_was_made() -> None:
    # Put together here, so that this file does not name them either.
    names = ["/" + "work/", "/" + "root/", "/" + "home/", ".lib" + "rary", "../sha" + "red", "/sha" + "red/"]
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        if "tests/data/" not in path.as_posix():
            found += [f"{path.relative_to(TOP)}: {name}" for name in names if name in text]
    assert found == []


def test_every_module_begins_with_why_it_exists() -> None:
    silent = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def tracked(pattern: str = "*") -> list[Path]:
    """The files that git tracks, or those of the working tree where there is no git."""
    done = subprocess.run(["git", "ls-files", "-z", "--", pattern], cwd=TOP, capture_output=True, check=False)
    names = [name for name in done.stdout.decode().split("\0") if name]
    return [TOP / name for name in names if (TOP / name).is_file()]


def outside_imports(path: Path) -> set[str]:
    """The packages that a module imports, other than the standard library and our own."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return {DISTRIBUTIONS.get(n, n) for n in names if n not in sys.stdlib_module_names and n != "remit"}
