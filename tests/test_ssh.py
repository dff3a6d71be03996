"""A guarded origin that is reached over SSH: what is approved goes in, everything else is refused at the other end."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import git, write_files
from guarded import BANK, MAIN
from keys import become, keyed_texts, made

from remit.main import main
from remit.origins import init
from remit.store import Store

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
"""The server of OpenSSH, where there is one."""

STAND_IN = """import os, subprocess, sys
words = [word for word in sys.argv[1:] if not word.startswith("-") and word != "SendEnv=GIT_PROTOCOL"]
clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
sys.exit(subprocess.run(["/bin/sh", "-c", words[-1]], cwd="/", env=clean).returncode)
"""
"""An ssh that goes nowhere: the other end is a shell with next to nothing in its environment."""


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[tuple[str, str]]:
    program = tmp_path / "ssh.py"
    program.write_text(STAND_IN)
    yield "ssh://host", shlex.join([sys.executable, "-I", str(program)])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A real server on a port of this machine, for one key."""
    if SSHD is None:
        pytest.skip("openssh-server is not installed")
    folder = tmp_path / "sshd"
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": made("host"),
        "AuthorizedKeysFile": f"{made('visitor')}.pub",
        "PidFile": folder / "pid",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "yes",
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        quiet = [
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            f"UserKnownHostsFile={folder / 'known'}",
            "-o",
            "LogLevel=ERROR",
        ]
        yield f"ssh://127.0.0.1:{port}", shlex.join(["ssh", "-F", "none", *quiet, "-i", str(made("visitor"))])
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("way", ["stand_in", "server"])
def test_an_origin_over_ssh_takes_what_is_approved_and_nothing_else(
    way: str, tmp_path: Path, home: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    host, ssh = request.getfixturevalue(way)
    store, clone = tmp_path / "store", tmp_path / "clone"
    store.mkdir()
    git(store, "init", "--quiet", "--initial-branch=main")
    become(store, "ann-lee")
    write_files(store, keyed_texts())
    git(store, "add", "--all"), git(store, "commit", "--quiet", "--message", "the root of trust")
    init(Store.open(store), tmp_path / "origin.git")
    monkeypatch.setenv("GIT_SSH_COMMAND", ssh)
    git(tmp_path, "clone", "--quiet", f"{host}{tmp_path}/origin.git", "clone")
    monkeypatch.chdir(clone)
    now = ("--at", datetime.now(UTC).replace(microsecond=0).isoformat())

    def give(name: str, *words: str) -> str:
        become(clone, name)
        assert main([*words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    give("ann-lee", "set", "Customer/harbour-bank", "customerGrade=local_a")
    change = give("ann-lee", "propose", "-m", "评定为A级", *now).split()[0]
    give("bob-sun", "approve", change, *now)
    give("cai-yu", "apply", change, *now)
    assert git(tmp_path / "origin.git", "rev-parse", MAIN) == git(clone, "rev-parse", "refs/remotes/origin/main")
    assert "customerGrade: local_a" in git(tmp_path / "origin.git", "show", f"{MAIN}:{BANK}")

    git(clone, "checkout", "--quiet", "--force", "-B", "mine", "origin/main")
    (clone / BANK).write_text((clone / BANK).read_text().replace("local_a", "group"))
    git(clone, "commit", "--quiet", "--all", "--message", "nobody asked")
    pushed = subprocess.run(
        ["git", "push", "--quiet", "origin", "HEAD:main"], cwd=clone, capture_output=True, text=True, check=False
    )
    assert pushed.returncode == 1
    assert "remote: remit: this push is refused, and nothing was changed" in pushed.stderr
    assert "refs/heads/main  rule R" in pushed.stderr
    assert "customerGrade: local_a" in git(tmp_path / "origin.git", "show", f"{MAIN}:{BANK}")
