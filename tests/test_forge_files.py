"""What ``init`` leaves for forges: each command line is run here, as a forge would, on a clone without branches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import commit_all, git
from test_init import know_me

from remit.main import main
from remit.starting import FORGE_FILES

GITHUB, GITLAB = FORGE_FILES.values()


def steps(store: Path) -> dict[str, list[str]]:
    """The command lines of each step, without those that install."""
    github, gitlab = (yaml.safe_load((store / path).read_text(encoding="utf-8")) for path in (GITHUB, GITLAB))
    found = {step["name"]: [step["run"]] for step in github["jobs"]["store"]["steps"] if "run" in step}
    del found["Install"]
    return found | {name: job["script"] for name, job in gitlab.items() if isinstance(job, dict) and "script" in job}


def run(lines: list[str], folder: Path, base: str, summary: Path) -> subprocess.CompletedProcess[str]:
    """Run the lines of a step in one shell, which stops at the first that fails."""
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "BASE": base,
        "REMIT_ROOT": base,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    command = ["bash", "-euo", "pipefail", "-c", "\n".join(lines)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def merge_request(tmp_path: Path, *, broken: bool) -> tuple[Path, str]:
    """A clone as a forge makes it (a detached commit, remote branches only) of a store with a change, and its base."""
    know_me()
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    assert main(["init", str(origin), "--bare-bones", "--language", "en"]) == 0
    base = git(origin, "rev-parse", "HEAD")
    git(origin, "checkout", "--quiet", "-b", "topic")
    path = origin / "records/calendars/china-2026.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("kind: Calendar", "kind: Calender") if broken else f"# 全天\n{text}", encoding="utf-8")
    head = commit_all(origin, "calendar")
    git(tmp_path, "clone", "--quiet", "--no-checkout", origin.as_uri(), str(clone))
    git(clone, "checkout", "--quiet", "--detach", head)
    for branch in git(clone, "branch", "--format=%(refname:short)").splitlines():
        if not branch.startswith("("):
            git(clone, "branch", "--quiet", "-D", branch)
    return clone, base


@pytest.mark.slow
def test_every_step_runs_on_a_good_change_and_the_plan_is_shown(tmp_path: Path) -> None:
    clone, base = merge_request(tmp_path, broken=False)
    summary = tmp_path / "summary.md"

    for name, lines in steps(clone).items():
        done = run(lines, clone, base, summary)
        assert done.returncode == 0, (name, done.stdout, done.stderr)

    for plan in (summary, clone / "plan.md"):
        assert plan.read_text(encoding="utf-8").startswith(f"## Plan: {base[:12]}")
    assert json.loads((clone / "gl-code-quality-report.json").read_text(encoding="utf-8")) is not None


@pytest.mark.slow
def test_a_broken_change_fails_the_check_and_is_shown_where_it_is(tmp_path: Path) -> None:
    clone, base = merge_request(tmp_path, broken=True)
    found = steps(clone)

    github = run(found["Check"], clone, base, tmp_path / "summary.md")
    gitlab = run(found["check"], clone, base, tmp_path / "summary.md")

    assert (github.returncode, gitlab.returncode) == (1, 1)
    assert "::error file=records/calendars/china-2026.yaml,line=" in github.stdout
    assert "records/calendars/china-2026.yaml:" in gitlab.stdout
    issues = json.loads((clone / "gl-code-quality-report.json").read_text(encoding="utf-8"))
    assert "records/calendars/china-2026.yaml" in {issue["location"]["path"] for issue in issues}
