"""Each hazard of durable-rules is met in a process of its own, with a time limit: Remit ends, alive and right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hazards import HAZARDS

CHILD = Path(__file__).with_name("hazards.py")


@pytest.mark.parametrize("name", HAZARDS)
def test_remit_does_not_reach(name: str) -> None:
    done = subprocess.run([sys.executable, str(CHILD), name], capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr[-2_000:]
