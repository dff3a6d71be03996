"""Real git in temporary folders, cut off from the machine: own HOME, fixed names and dates, no system configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is not a failure, and the same code passes or fails each time; `--hypothesis-profile search` looks on.
UNHURRIED = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("remit", deadline=None, derandomize=True, suppress_health_check=UNHURRIED)
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=UNHURRIED)
settings.load_profile("remit")

AT = datetime(2026, 10, 15, 8, 0, tzinfo=UTC)
"""The instant at which tests happen."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--refresh-goldens`` writes what golden files hold anew, to be read before it is committed."""
    parser.addoption("--refresh-goldens", action="store_true", help="write the golden files of tests/golden anew")


@pytest.fixture(autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's git: neither his name nor his settings."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_CONFIG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(home.parent))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same for what is made once for a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        yield


def git(folder: Path, *args: str, at: datetime = AT) -> str:
    """Run the git program as a user at a terminal would, at a fixed time; its output without the last line end."""
    stamp = f"@{int(at.timestamp())} +0000"
    env = {**os.environ, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp, "LC_ALL": "C"}
    done = subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, check=False)
    assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr.decode()}"
    return done.stdout.decode().removesuffix("\n")


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts below ``folder``, making folders as needed."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def be(folder: Path, name: str) -> None:
    """From now on the user of this clone is ``name`` (e-mail ``name@example.org``)."""
    git(folder, "config", "user.name", name.replace("-", " ").title())
    git(folder, "config", "user.email", f"{name}@example.org")


def commit_all(folder: Path, message: str = "more", *, at: datetime = AT) -> str:
    """Commit everything in the working tree; the new commit."""
    git(folder, "add", "--all", ".", at=at)
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message, at=at)
    return git(folder, "rev-parse", "HEAD")


GitRepo = Callable[..., Path]


@pytest.fixture
def git_repo(tmp_path: Path) -> GitRepo:
    """``git_repo(files, name="repo", user="ann-lee")``: a repository on ``main`` with one commit of ``files``."""

    def make(files: Mapping[str, str] | None = None, name: str = "repo", user: str = "ann-lee") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        git(folder, "init", "--quiet", "--initial-branch=main")
        be(folder, user)
        if files is not None:
            write_files(folder, files)
            commit_all(folder, "first")
        return folder

    return make


@pytest.fixture
def git_clone(tmp_path: Path) -> GitRepo:
    """``git_clone(source, name, user=…, bare=False, depth=None)``: a clone of ``source``."""

    def make(source: Path, name: str, user: str = "ann-lee", bare: bool = False, depth: int | None = None) -> Path:
        options = [*(["--bare"] if bare else []), *([f"--depth={depth}"] if depth else [])]
        git(tmp_path, "clone", "--quiet", *options, source.as_uri(), name)
        be(tmp_path / name, user)
        return tmp_path / name

    return make
