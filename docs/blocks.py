"""Runs the blocks of a page as its reader would, so that what a page shows is what happens.

- ```` ```console ```` holds commands after ``$ ``, each followed by what it prints. A line ``…`` stands for the rest.
- ```` ```yaml records/people/li-na.yaml ```` is written to that file of the store in which the reader stands.
- ```` ```yaml excerpt rules/escalation/fault-handling.yaml ```` is a part of a file of this repository.

Commit ids, change ids and the day differ each time, and the example grows; they are compared as what they are, not
letter by letter.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "README.zh.md", "docs/tutorial.md", "docs/trust.md")
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_CHANGE = re.compile(r"\bc-[0-9]{8}-[0-9a-f]{6,24}\b")
_VOLATILE = (
    (re.compile(r"\bc-[0-9]{8}-[0-9a-f]{6,24}\b"), "CHANGE"),
    (re.compile(r"SHA256:[A-Za-z0-9+/]{43}|\bAAAA[A-Za-z0-9+/=]+…?"), "KEY"),
    (re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{7,40}\b"), "COMMIT"),
    (re.compile(r"\b[0-9]+ (?=(?:records?|policy|policies|kinds?)\b)"), "MANY "),  # the example grows
    (re.compile(r"\b20(?!26-(?:09|10))[0-9]{2}-[0-9]{2}-[0-9]{2}(?:[ T][0-9:]{5,8}(?:Z|[+-][0-9:]{5})?)?"), "TODAY"),
)
REST = "…"


@dataclass
class Reader:
    """Somebody who follows a page: where he stands, and which change the page's change id is for him."""

    home: Path
    folder: Path
    changes: dict[str, str] = field(default_factory=dict)

    def run(self, line: str) -> str:
        """What a command line prints, on either stream, without trailing line ends."""
        for written, real in self.changes.items():
            line = line.replace(written, real)
        if line.startswith("cd "):
            self.folder = (self.folder / line[3:].strip()).resolve()
            return ""
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.stdout.decode().rstrip("\n").replace(str(self.home.resolve()), "~")

    def _environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        own = {
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig"),
            "PATH": f"{TOP / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "100",
            "PYTHONUTF8": "1",
            "NO_COLOR": "1",
        }
        return {**kept, **own}


@dataclass(frozen=True)
class Difference:
    """A block that shows something else than what happens."""

    line: int
    command: str
    shown: str
    happened: str

    def __str__(self) -> str:
        return f"line {self.line}: $ {self.command}\n--- shown\n{self.shown}\n--- happened\n{self.happened}"


def new_reader(home: Path) -> Reader:
    """A reader with an empty home, whom git knows."""
    (home / ".gitconfig").write_text("[user]\n\tname = Zhou Peng\n\temail = zhou-peng@southbay.example.invalid\n")
    folder = home / "desk"
    folder.mkdir()
    return Reader(home, folder)


def followed(text: str, reader: Reader) -> tuple[str, list[Difference]]:
    """The page with its outputs as they really are, and where it differs from that."""
    differences: list[Difference] = []

    def replaced(match: re.Match[str]) -> str:
        kind, _, rest = match["info"].strip().partition(" ")
        line = text.count("\n", 0, match.start()) + 2
        if kind == "console":
            body = "".join(_console(match["body"], line, reader, differences))
            return f"```{match['info']}\n{body}```"
        if rest.startswith("excerpt "):
            differences.extend(_excerpt(match["body"], rest.removeprefix("excerpt ").strip(), line))
        elif rest and "/" in rest:
            target = reader.folder / rest.strip()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(match["body"], encoding="utf-8")
        return match[0]

    return _FENCE.sub(replaced, text), differences


def _console(body: str, line: int, reader: Reader, differences: list[Difference]) -> Iterator[str]:
    for offset, command, shown in _commands(body):
        happened = reader.run(command)
        for written, real in zip(_CHANGE.findall(shown), _CHANGE.findall(happened), strict=False):
            reader.changes.setdefault(written, real)
        output = happened
        for written, real in reader.changes.items():
            output = output.replace(real, written)
        if shown.rstrip("\n").endswith(REST):
            count = shown.rstrip("\n").count("\n")
            output = "\n".join([*output.split("\n")[:count], REST])
        if _same(shown.rstrip("\n")) != _same(output):
            differences.append(Difference(line + offset, command, shown.rstrip("\n"), output))
        else:
            output = shown.rstrip("\n")  # ids and days of today are no reason to touch a page
        yield f"$ {command}\n" + (f"{output}\n" if output else "")


def _commands(body: str) -> Iterator[tuple[int, str, str]]:
    command, start, shown = "", 0, ""
    for number, line in enumerate(body.splitlines()):
        if line.startswith("$ "):
            if command:
                yield start, command, shown
            command, start, shown = line[2:], number, ""
        else:
            shown += line + "\n"
    if command:
        yield start, command, shown


def _same(text: str) -> str:
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return text


def _excerpt(body: str, path: str, line: int) -> Iterator[Difference]:
    part, whole = yaml.safe_load(body), yaml.safe_load((TOP / path).read_text(encoding="utf-8"))
    if not _is_part(part, whole):
        yield Difference(line, f"cat {path}", body, "The file says something else.")


def _is_part(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _is_part(part[key], whole[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(_is_part(one, other) for other in whole) for one in part)
    return bool(part == whole)
