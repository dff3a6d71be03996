"""Facts as tables in Spark: whatever is asked, the answer is byte for byte that of facts in memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest
from test_tallying import MEASURES, NOW, answer, feed, files, parquet, tickets
from worlds import record_text

from remit.assessing import score
from remit.evaluating import decide, in_force, load
from remit.findings import in_order
from remit.main import main
from remit.sources import SourceContext

needs_spark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("pyspark") is None, reason="needs the extra spark: pip install 'remit[spark]'"),
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
]
LATE = {
    "subject": "Ticket",
    "when": "subject.customer.grade == 'group' || (has(subject.text) && subject.text.startsWith('lat'))",
    "clock": {"start": "subject.openedAt", "stop": "subject.closedAt"},
    "levels": [
        {"name": "late", "after": "2h", "notify": [{"role": "ceA", "of": "subject.customer"}]},
        {"name": "later", "after": "30h", "when": "has(subject.count) && subject.count >= 2"},
    ],
}


class TestInSpark:
    pytestmark = needs_spark

    @pytest.mark.parametrize("form", [feed, parquet])
    def test_scorecards_are_the_same(self, tmp_path: Path, form: Callable[..., SourceContext]) -> None:
        measures = {name: MEASURES[name] for name in ("closed", "four-hours", "cycle", "counts")}
        store = files({}, measures, "Asia/Shanghai", {})
        context = form(tmp_path, tickets(Random(5), 120))

        python, spark = (
            answer(score(load(store, [context], engine), "p", "2026-10", at=NOW, facts=False))
            for engine in ("python", "spark")
        )

        assert spark == python

    def test_decisions_are_the_same(self, tmp_path: Path) -> None:
        policy = {"rules/escalation/late.yaml": record_text("EscalationPolicy", "late", LATE)}
        store = files({}, {"n": MEASURES["opened"]}, "Asia/Shanghai", policy)
        context = feed(tmp_path, tickets(Random(6), 120))
        answers = []
        for engine in ("python", "spark"):
            loaded = load(store, [context], engine)
            found = decide(loaded, None, NOW, read_at=NOW, standing=True)
            answers.append(
                [json.dumps([one.to_json(NOW) for one in in_force(found, NOW)]), list(in_order(found.findings))]
            )

        assert answers[1] == answers[0]
        assert len(answers[0][0]) > 5_000


def test_another_engine_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--engine", "flink"]) == 2
    assert "spark://HOST:PORT" in capsys.readouterr().err
