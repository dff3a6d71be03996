"""Every command, found in the program itself: in a hostile repository, over hostile text, with hostile arguments.

A command that is added is tried too, with what its parameters are called; nothing has to be written here.

Source: the catalogue of security, section 3.4: A29, A36, A37, A39.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from approval_store import texts
from conftest import be, commit_all, git, write_files
from test_git import hostile
from test_hostile_text import HOSTILE, OBEYED

from remit.main import COMMANDS, cli, main

CHANGE = "c-20261015-ab12cd"
BANK = "records/customers/harbour-bank.yaml"
AT = "2026-10-15T16:00:00+08:00"

VALUES = {
    "change_id": CHANGE, "record_id": "Customer/harbour-bank", "record": "Customer/harbour-bank", "kind": "Customer",
    "assignments": "customerGrade=local_a", "paths": "labels.x", "person": "bob-sun", "folder": "../made",
    "keep": "../kept", "out": "../made.txt", "path": "key.pub", "draft": "draft.yaml", "map_path": "map.yaml",
    "facts": "feed.jsonl", "files": "feed.jsonl", "where": "subject.customerGrade == 'group'", "policy": "control",
    "what": "control", "state": "prepared", "within": "4h", "over": "1w", "period": "2026-09", "root": "HEAD",
    "since": "HEAD", "source": ".", "name": "new-name", "revisions": "HEAD",
}  # fmt: skip
METAVARS = {"INSTANT": AT, "REV": "HEAD", "N": "3"}
"""What a parameter gets that is given in earnest, by its name or by how help calls it; any other gets a word."""
ENDING = {"watch": ("--at", AT, "--until", AT)}
"""What makes a command end that would go on until it is told to."""


class Leaf(NamedTuple):
    """One command as it is typed, and its parameters that take a value."""

    name: str
    params: tuple[click.Parameter, ...]

    def line(self, *, instead: str = "", value: str = "") -> list[str]:
        """The words of a command line with every argument, and the one parameter ``instead`` with ``value``."""
        given = []
        for param in self.params:
            if param.name == instead:
                given += [param.opts[-1], value] if isinstance(param, click.Option) else [value]
            elif isinstance(param, click.Argument) or param.required:
                earnest = VALUES.get(param.name or "", METAVARS.get(param.metavar or "", "x"))
                given += [param.opts[-1], earnest] if isinstance(param, click.Option) else [earnest]
        return [*self.name.split(), *ENDING.get(self.name, ()), *given]

    @property
    def formats(self) -> tuple[str, ...]:
        """What ``--format`` takes."""
        kinds = [param.type for param in self.params if param.name == "fmt"]
        return tuple(str(one) for kind in kinds if isinstance(kind, click.Choice) for one in kind.choices)


def leaves() -> Iterator[Leaf]:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        group = command if isinstance(command, click.Group) else None
        rows = {name: command} if group is None else {f"{name} {s}": c for s, c in group.commands.items()}
        for words, leaf in rows.items():
            assert leaf is not None
            yield Leaf(words, tuple(p for p in leaf.params if not getattr(p, "is_flag", False)))


LEAVES = {leaf.name: leaf for leaf in leaves()}
SLOW = ("demo", "init")
"""They look at a store of their own, and take seconds."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, home: None) -> Path:
    """A clone whose history, branches, changes, files and feeds hold what a terminal would obey."""
    top = tmp_path_factory.mktemp("every")
    folder = top / "desk"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    be(folder, "ann-lee")
    write_files(folder, texts())
    commit_all(folder, f"first {HOSTILE}")
    git(top, "clone", "--quiet", "--bare", "desk", "origin.git")
    git(folder, "remote", "add", "origin", "../origin.git")
    bank = folder / BANK
    git(folder, "checkout", "--quiet", "-b", f"change/{CHANGE}")
    bank.write_text(bank.read_text(encoding="utf-8").replace("local_b", "local_a"), encoding="utf-8")
    git(folder, "config", "user.name", f"Ann {HOSTILE}")
    commit_all(folder, f"title {HOSTILE}\n\nwhy {HOSTILE}\n\nRemit-Change: {CHANGE}")
    git(folder, "push", "--quiet", "origin", f"change/{CHANGE}")
    git(folder, "checkout", "--quiet", "main")
    bank.write_text(bank.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    shown = HOSTILE.replace("/", "")
    write_files(folder, {f"records/customers/{shown}.yaml": f"kind: {HOSTILE}\n"})
    write_files(folder, {"feed.jsonl": json.dumps({"kind": "Ticket", "id": HOSTILE, "title": HOSTILE}) + "\n"})
    write_files(folder, {"map.yaml": f"source: {shown}\n", "key.pub": f"ssh-ed25519 {shown}\n"})
    return top


@pytest.fixture
def desk(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which one stands; an editor that changes nothing, and nothing on standard input."""
    shutil.copytree(store, tmp_path / "top")
    monkeypatch.chdir(tmp_path / "top" / "desk")
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    return tmp_path / "top" / "desk"


def around(desk: Path) -> list[str]:
    """What stands beside the store."""
    return sorted(path.name for path in (*desk.parent.iterdir(), *desk.parent.parent.iterdir()))


def test_the_trap_springs_when_plain_git_is_used(desk: Path, tmp_path: Path) -> None:
    hostile(desk, tmp_path / "mark")

    subprocess.run(["git", "status"], cwd=desk, capture_output=True, check=False)

    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", LEAVES)
def test_no_program_of_a_hostile_repository_runs(desk: Path, tmp_path: Path, name: str) -> None:
    hostile(desk, tmp_path / "mark")
    (tmp_path / "mark").unlink(missing_ok=True)  # what the arranging git itself ran
    leaf = LEAVES[name]

    codes = [main(leaf.line())]
    for param in leaf.params if name not in SLOW else ():
        if param.metavar in METAVARS or param.name in ("root", "since"):
            codes.append(main(leaf.line(instead=param.name or "", value=METAVARS.get(param.metavar or "", "HEAD"))))

    assert set(codes) <= {0, 1, 2}
    assert not (tmp_path / "mark").exists(), (tmp_path / "mark").read_text()


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("words", [("log",), ("propose", "-m", "x"), ("audit",), ("doctor",), ("apply", CHANGE)])
def test_a_repository_of_another_user_is_not_worked_in(
    desk: Path, tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    hostile(desk, tmp_path / "mark")
    (tmp_path / "mark").unlink(missing_ok=True)
    for path in (desk, *desk.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)

    assert main([*words]) == 2
    assert "dubious ownership" in capsys.readouterr().err
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", LEAVES)
def test_nothing_that_a_terminal_obeys_is_printed_in_any_format(
    desk: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    leaf = LEAVES[name]
    lines = [leaf.line(instead="fmt", value=fmt) for fmt in leaf.formats] or [leaf.line()]
    lines += [leaf.line(instead=p.name or "", value=HOSTILE) for p in leaf.params if name not in SLOW]

    for line in lines:
        code = main(line)

        said = capsys.readouterr()
        assert code in (0, 1, 2), (line, said.err)
        assert OBEYED.findall(said.out + said.err) == [], line


OPTIONS = ("--output=outside", "--upload-pack=touch outside", "-oProxyCommand=touch outside")


@pytest.mark.parametrize("name", [name for name in LEAVES if name not in SLOW])
def test_no_argument_becomes_an_option_of_git_or_a_way_out(
    desk: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf, log = LEAVES[name], tmp_path / "log"
    shim = tmp_path / "bin" / "git"
    write_files(
        tmp_path, {"bin/git": f'#!/bin/sh\nprintf "%s\\036" "$@" >> "{log}"\nexec {shutil.which("git")} "$@"\n'}
    )
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}{os.pathsep}{os.environ['PATH']}")
    log.touch()
    before = around(desk)
    paths = ("folder", "out", "keep", "draft", "path", "map_path", "facts", "files")  # files that the user names
    taking = [p for p in leaf.params if p.name != "fmt" and p.name not in paths]

    for option in OPTIONS:
        for param in taking:
            words = leaf.line(instead=param.name or "", value=option)
            if isinstance(param, click.Argument):
                words = [*name.split(), "--", *words[len(name.split()) :]]
            assert main(words) in (0, 1, 2), words

    said = log.read_bytes().decode().split("\036")
    free = [
        at
        for at, word in enumerate(said)
        if word in OPTIONS and not {"--", "--end-of-options"} & {*said[max(0, at - 8) : at]}
    ]
    assert [said[max(0, at - 8) : at + 1] for at in free] == []
    assert around(desk) == before or name in ("init", "origin init", "export codeowners")
    assert not list(desk.rglob("outside*"))
