"""Cases run on fixtures, so that a change of people or customers breaks no case, and a change of a policy does."""

from __future__ import annotations

import pytest

from remit.evaluating import Loaded, load
from remit.fixtures import check_fixtures
from remit.pack import pack_files
from remit.store import Files
from remit.testing import run_all

BANK = "records/customers/harbour-bank.yaml"
PACK = pack_files()


def loaded(changes: dict[str, tuple[str, str]]) -> Loaded:
    files = {path: data for path, data in PACK.items() if "/outputs/" not in path}
    for path, (old, new) in changes.items():
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode(), 1)
    return load(Files(None, None, files))


def failed(changes: dict[str, tuple[str, str]], where: str) -> int:
    run = run_all(loaded(changes), only=lambda path: where in path)
    assert run.results
    return sum(bool(result.failures) for result in run.results)


@pytest.mark.parametrize(
    "change",
    [
        {BANK: ("ceA: wang-lei", "ceA: ren-bin")},
        {BANK: ("customerGrade: group", "customerGrade: local_c")},
        {"records/service-levels/bandwidth-group-repair.yaml": ("value: 4", "value: 40")},
    ],
    ids=["another engineer", "another grade", "another limit"],
)
def test_a_change_of_records_breaks_no_case(change: dict[str, tuple[str, str]]) -> None:
    assert failed(change, "rules/escalation") == 0
    assert failed(change, "rules/warning/repair-limit") == 0


def test_a_change_of_a_policy_does_break_its_cases() -> None:
    change = {"rules/escalation/fault-handling.yaml": ("after: 120m", "after: 121m")}

    assert failed(change, "rules/escalation/fault-handling") > 0


def test_a_change_of_a_parameter_that_a_policy_reads_breaks_its_cases() -> None:
    change = {"records/parameter-sets/operator.yaml": ("value: 80%", "value: 70%")}

    assert failed(change, "rules/warning/repair-limit") > 0


def test_fixtures_that_do_not_fit_are_found() -> None:
    path = "rules/fixtures/customers.yaml"
    broken = loaded({path: ("customerGrade: group", "customerGrade: gruop")})

    found = list(check_fixtures(broken.snapshot, broken.world))

    assert all(f.code == "case-invalid" for f in found)
    assert [f.record for f in found if f.place.path == path and "gruop" in f.message] == ["Customer/harbour-bank"]
