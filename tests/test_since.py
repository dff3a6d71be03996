"""The way from a commit, read from what differs, is told as when both sides are read whole."""

from __future__ import annotations

from functools import cache

import pytest
from conftest import GitRepo, commit_all
from test_nearby import AT, BANK, CHANGES, Changed, copied, edited, store

from remit import checking, rechecking
from remit.evaluating import load
from remit.findings import has_errors
from remit.remembering import memory_of
from remit.store import Store
from remit.yamltext import Edit


@cache
def escalation() -> str:
    return next(path for path in store() if path.startswith("rules/escalation/") and not path.endswith(".cases.yaml"))


@cache
def order() -> str:
    orders = (path for path in store() if path.startswith("records/service-orders/"))
    return next(path for path in orders if b"status: commissioning" in store()[path])


@cache
def extension() -> str:
    """A request that is under way, by a lifecycle that lets nothing happen but what it names."""
    requests = (path for path in store() if path.startswith("records/extension-requests/"))
    return next(path for path in requests if b"status: drafting" not in store()[path])


@cache
def lifecycle() -> str:
    return next(path for path in store() if path.startswith("rules/lifecycle/") and not path.endswith(".cases.yaml"))


def ways() -> dict[str, Changed]:
    cases = escalation().replace(".yaml", ".cases.yaml")
    return {
        "nothing": {},
        "a customer is closed": edited(BANK, Edit(("spec", "status"), "closed")),
        "a new customer": copied(BANK, "records/customers/second-bank.yaml"),
        "a state that may not follow": edited(extension(), Edit(("spec", "status"), "drafting")),
        "a new order in a late state": copied(order(), "records/service-orders/a-new-one.yaml"),
        "a request whose lifecycle is gone": {
            **edited(extension(), Edit(("spec", "status"), "drafting")),
            "rules/lifecycle/extension-request.yaml": None,
            "rules/lifecycle/extension-request.cases.yaml": None,
        },
        "a policy without its cases": {
            **edited(escalation(), Edit(("metadata", "title"), "Another")),
            cases: None,
        },
        "a lifecycle is gone": {lifecycle(): None, lifecycle().replace(".yaml", ".cases.yaml"): None},
        "a setting": {"remit.yaml": store()["remit.yaml"] + b"title: another\n"},
        **{name: CHANGES[name] for name in ("a record that others name is gone", "a record in a wrong place")},
    }


FORBIDDEN = {
    "a state that may not follow",
    "a new order in a late state",
    "a request whose lifecycle is gone",
    "a policy without its cases",
}


@pytest.mark.parametrize("name", ways())
def test_the_way_from_a_commit_is_that_between_both_sides_read_whole(name: str, git_repo: GitRepo) -> None:
    root = git_repo({path: data.decode() for path, data in store().items()})
    mine = Store.open(root)
    assert not has_errors(rechecking.check_working(mine, memory_of(mine), at=AT).findings)
    for path, data in ways()[name].items():
        (root / path).unlink(missing_ok=True)
        if data is not None:
            (root / path).write_bytes(data)
    whole = checking.since(load(mine.files()), load(mine.files("HEAD")))
    assert bool(whole) == (name in FORBIDDEN)

    for ref in (None, "HEAD"):
        mine = Store.open(root)
        if ref is None:
            rechecking.check_working(mine, memory_of(mine), at=AT)
        else:
            commit_all(root)
            rechecking.check_files(mine.files(ref), root, memory_of(mine), at=AT, store=mine)
        quick = rechecking.since(mine, memory_of(mine), ref, mine.files("HEAD" if ref is None else "HEAD~1"))

        assert quick == (None if name in ("a setting", "a record in a wrong place") else whole)
