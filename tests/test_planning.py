"""A plan: what a change does to people, due times, decisions and scores, before it is made and until it is applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from approval_store import texts
from conftest import GitRepo, be, commit_all, git, write_files
from test_outputs import schema
from worlds import record_text, world_files

from remit import planning
from remit.comparing import compare
from remit.effects import Effect, effect_of
from remit.errors import InvalidStore, UserError
from remit.evaluating import load_readings
from remit.main import main
from remit.planning import Plan, outlook, plan, readings_of, span_of
from remit.records import build_snapshot
from remit.reporters.plan import plan_markdown, plan_text
from remit.schemas import load_schemas
from remit.sources import Reading, SourceContext
from remit.store import Files
from remit.times import parse_instant

GOLDEN = Path(__file__).parent / "data" / "plan"
ZONE = ZoneInfo("Asia/Shanghai")
AT = parse_instant("2026-10-15T10:00:00+08:00")
CLOCK = {"start": "subject.openedAt", "stop": "subject.closedAt"}
CEA = {"role": "ceA", "of": "subject.customer"}
DESK = {"role": "responsible", "of": "subject.customer.unit"}


def store(levels: list[dict[str, Any]], more: dict[str, bytes] | None = None, **spec: Any) -> Files:
    body = {"subject": "Ticket", "clock": CLOCK, "levels": levels, **spec}
    files = world_files({"rules/warning/p.yaml": record_text("WarningPolicy", "p", body), **(more or {})})
    return Files(None, None, files)


def level(after: str, *told: dict[str, str], name: str = "late", **more: Any) -> dict[str, Any]:
    return {"name": name, "after": after, "notify": list(told), **more}


def feed(tmp_path: Path, tickets: dict[str, dict[str, Any]]) -> list[Reading]:
    path = tmp_path / "tickets.jsonl"
    rows = [{"kind": "Ticket", "id": name, **spec} for name, spec in tickets.items()]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return readings_of([SourceContext(str(path), None, None, ZONE)])


def opened(at: str, customer: str = "bank", closed: str = "") -> dict[str, Any]:
    return {"customer": customer, "openedAt": at, **({"closedAt": closed} if closed else {})}


DAY_AGO = "2026-10-14T10:00:00+08:00"
TICKETS = {"t1": opened(DAY_AGO, closed="2026-10-14T13:00:00+08:00"), "t2": opened("2026-10-15T09:00:00+08:00")}


def effect(before: Files, after: Files, facts: list[Reading], **window: str) -> Effect:
    return planning.foreseen(before, after, facts, AT, **window)[0]


def test_a_shorter_limit_adds_decisions_and_makes_others_earlier(tmp_path: Path) -> None:
    facts = feed(tmp_path, TICKETS)

    found = effect(store([level("4h", CEA)]), store([level("2h", CEA)]), facts)

    assert [(d.subject, d.at) for d in found.added] == [("Ticket/t1", parse_instant("2026-10-14T12:00:00+08:00"))]
    assert found.removed == ()
    assert [(c.after.subject, c.fields) for c in found.changed] == [("Ticket/t2", ("at", "due"))]
    (ann,) = found.people
    assert (ann.person, ann.before, ann.after) == ("ann", 1, 2)
    assert (ann.more, ann.less) == ((found.added[0].id,), ())
    assert ann.differently == (found.changed[0].after.id,)


def test_the_due_time_of_an_open_ticket_is_told_also_beyond_the_window_and_that_of_a_closed_one_is_not(
    tmp_path: Path,
) -> None:
    facts = feed(tmp_path, TICKETS)
    before, after = store([level("900d", CEA)]), store([level("800d", CEA)])

    found = effect(before, after, facts)

    assert found.added == found.removed == found.changed == found.people == ()
    assert [(d.subject, d.before, d.after) for d in found.due] == [
        ("Ticket/t2", parse_instant("2029-04-02T09:00:00+08:00"), parse_instant("2028-12-23T09:00:00+08:00"))
    ]


def test_levels_that_move_together_are_one_line(tmp_path: Path) -> None:
    def ladder(hours: int) -> Files:
        half = {"name": "half", "share": "50%", "of": f"{hours}h", "notify": [CEA]}
        return store([level(f"{hours}h", CEA, severity="critical"), half])

    (moved,) = effect(ladder(4), ladder(6), feed(tmp_path, TICKETS)).due

    assert (moved.levels, moved.severity) == (("half", "late"), "critical")


def test_another_severity_message_or_person_is_a_change_and_another_layout_is_none(tmp_path: Path) -> None:
    facts = feed(tmp_path, {"t2": TICKETS["t2"]})
    base = store([level("30m", CEA)])

    def fields(*told: dict[str, str], **more: Any) -> list[tuple[str, ...]]:
        return [c.fields for c in effect(base, store([level("30m", *told, **more)]), facts).changed]

    assert fields(CEA, severity="critical") == [("severity",)]
    assert fields(CEA, message={"en": "Hurry", "zh": "请尽快处理"}) == [("message",)]
    assert fields(CEA, DESK) == [("notify",)]
    assert fields(CEA, clauses=["WRN-02"]) == []


def test_another_holder_of_a_role_is_told_more_and_the_one_before_less(tmp_path: Path) -> None:
    spec = {"grade": "group", "unit": "desk", "roles": {"ceA": "bob"}}
    after = store([level("1h", CEA)], {"records/customers/bank.yaml": record_text("Customer", "bank", spec)})

    found = effect(store([level("1h", CEA)]), after, feed(tmp_path, TICKETS))

    told = {one.person: (one.before, one.after, len(one.more), len(one.less)) for one in found.people}
    assert told == {"ann": (2, 0, 0, 2), "bob": (0, 2, 2, 0)}
    assert [one.fields for one in found.changed] == [("notify",), ("notify",)]


def test_a_level_that_goes_takes_its_decisions(tmp_path: Path) -> None:
    both = store([level("1h", CEA), level("2h", DESK, name="later")])

    found = effect(both, store([level("1h", CEA)]), feed(tmp_path, TICKETS))

    assert [(d.level, d.subject) for d in found.removed] == [("later", "Ticket/t1"), ("later", "Ticket/t2")]
    assert [(one.person, one.before, one.after) for one in found.people] == [("bob", 2, 0)]


@pytest.mark.parametrize(
    ("opened_at", "window"),
    [
        ("2026-10-10T09:00:00+08:00", {"over": "4d", "within": "30d"}),
        ("2026-10-15T09:00:00+08:00", {"over": "1d", "within": "30h"}),
    ],
)
def test_what_only_moves_across_the_edge_of_the_window_has_not_come_or_gone(
    tmp_path: Path, opened_at: str, window: dict[str, str]
) -> None:
    facts = feed(tmp_path, {"t": opened(opened_at)})

    for one, other in (("24h", "48h"), ("48h", "24h")):
        found = effect(store([level(one, CEA)]), store([level(other, CEA)]), facts, **window)
        assert (found.added, found.removed, len(found.changed)) == ((), (), 1)


def test_what_stands_is_compared_as_of_the_moment(tmp_path: Path) -> None:
    def standing(grade: str) -> Files:
        policy = {"subject": "Customer", "when": f'subject.grade == "{grade}"', "levels": [{"name": "is"}]}
        return store([level("1h")], {"rules/warning/q.yaml": record_text("WarningPolicy", "q", policy)})

    found = effect(standing("group"), standing("local"), feed(tmp_path, {}))

    assert [(d.subject, d.at) for d in found.removed] == [("Customer/bank", None)]
    assert [(d.subject, d.at) for d in found.added] == [("Customer/shop", None)]
    assert [d["at"] for d in found.to_json()["decisions"]["added"]] == ["2026-10-15T10:00:00+08:00"]


def test_the_gravest_comes_first_then_what_concerns_most_people_then_the_earliest(tmp_path: Path) -> None:
    facts = feed(tmp_path, {"t": opened(DAY_AGO)})
    levels = [
        level("1h", CEA, name="mild", severity="info"),
        level("5h", CEA, name="late-grave", severity="critical"),
        level("4h", CEA, name="early-grave", severity="critical"),
        level("6h", CEA, DESK, name="many-grave", severity="critical"),
    ]

    found = effect(store([level("900d")]), store([*levels, level("900d")]), facts)

    assert [d.level for d in found.added] == ["many-grave", "early-grave", "late-grave", "mild"]
    assert [sides[-1].level for _, sides in found.decisions()] == ["many-grave", "early-grave", "late-grave", "mild"]
    assert [one.person for one in found.people] == ["ann", "bob"]


def test_cases_say_nothing_so_a_change_of_them_is_not_asked_about(tmp_path: Path) -> None:
    facts = feed(tmp_path, TICKETS)
    before = store([level("1h", CEA)])
    after = store([level("1h", CEA)], {"rules/warning/p.cases.yaml": b"policy: p\ncases: []\n"})
    span = span_of(AT, ZONE)

    in_full = effect_of(*(outlook(load_readings(side, facts), span) for side in (before, after)), span)

    assert not planning.says_otherwise(before, after)
    assert effect(before, after, facts) == in_full
    assert planning.says_otherwise(before, store([level("2h", CEA)]))


def test_the_same_rows_in_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    sides = store([level("4h", CEA, DESK)]), store([level("2h", CEA)])

    def text(tickets: dict[str, Any]) -> str:
        return json.dumps(plan(*sides, feed(tmp_path, tickets), AT).to_json())

    assert text(TICKETS) == text(dict(reversed(TICKETS.items()))) == text(TICKETS)


def test_reading_only_what_differs_tells_the_same_differences_as_reading_everything() -> None:
    more = {"records/customers/new-bank.yaml": record_text("Customer", "new-bank", {"grade": "local"})}
    before, after = store([level("1h", CEA)]), store([level("2h", CEA)], more)
    after.blobs.pop("records/customers/shop.yaml")  # type: ignore[attr-defined]
    schemas, _ = load_schemas(after.blobs)

    whole = compare(build_snapshot(before.blobs), build_snapshot(after.blobs), schemas)

    assert planning.differences(before, after) == whole
    assert {one.change for one in whole} >= {"changed"}


def test_a_row_that_only_the_new_schemas_refuse_is_a_new_finding(tmp_path: Path) -> None:
    path = "schemas/kinds/Ticket.schema.json"
    ticket = json.loads(world_files()[path])
    ticket["$defs"]["spec"]["required"].append("text")
    after = store([level("1h", CEA)], {path: json.dumps(ticket).encode()})

    found = plan(store([level("1h", CEA)]), after, feed(tmp_path, TICKETS), AT)

    assert [f.record or f.code for f in found.findings if f.code == "row-schema"] != []
    assert len(found.effect.removed) == 2


def test_a_side_with_errors_has_no_plan_and_is_named(tmp_path: Path) -> None:
    good, bad = store([level("1h", CEA)]), store([level("1h", CEA, when="subject.nonsense")])

    for sides, said in (((good, bad), "after the change"), ((bad, good), "before the change")):
        with pytest.raises(InvalidStore, match=said):
            plan(*sides, feed(tmp_path, TICKETS), AT)
    assert planning.digest(good, bad, at=AT) == ""


@pytest.mark.parametrize("window", [{"over": "soon"}, {"within": "2wd"}, {"over": "9000y"}])
def test_a_window_that_is_none_is_refused(tmp_path: Path, window: dict[str, str]) -> None:
    with pytest.raises(UserError, match="window"):
        plan(store([level("1h")]), store([level("2h")]), [], AT, **window)


def test_a_feed_that_cannot_be_read_has_no_plan(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missing"):
        readings_of([SourceContext(str(tmp_path / "missing.jsonl"), None, None, ZONE)])


def test_scores_and_ranks_that_move_are_told_with_the_greatest_loss_first(tmp_path: Path) -> None:
    def scored(limit: str, target: int = 100) -> Files:
        clock = {"start": "fact.openedAt", "stop": "fact.closedAt", "calendar": "always"}
        measure = {"name": "in-time", "type": "ratio", "over": "Ticket", "by": "fact.customer", "target": target}
        measure |= {"timely": {"clock": clock, "limit": limit}, "score": {"kind": "rate_vs_target"}}
        spec = {"subject": "Customer", "period": "month", "rank": True, "measures": [measure]}
        return store([level("900d")], {"rules/assessment/a.yaml": record_text("AssessmentPolicy", "a", spec)})

    facts = feed(tmp_path, TICKETS | {"t3": opened(DAY_AGO, "shop", "2026-10-14T11:00:00+08:00")})

    found = effect(scored("4h"), scored("2h"), facts)

    (moved,) = found.scorecards
    assert moved.before is not None and moved.after is not None
    assert (moved.policy, moved.period, moved.subject) == ("a", "2026-10", "Customer/bank")
    assert (moved.before.score, moved.before.rank) == (100, 1)
    assert (moved.after.score, moved.after.rank) == (0, 2)
    assert found.to_json()["scorecards"][0]["title"] == {"en": "Bank", "zh": "「bank」"}
    back = effect(scored("2h"), scored("4h", target=99), facts).scorecards
    assert [one.subject for one in back] == ["Customer/shop", "Customer/bank"]
    assert effect(scored("4h"), scored("4h"), facts).scorecards == ()


# --- as people read it


def golden_plan(tmp_path: Path) -> Plan:
    """Tickets of a bank and a shop; the limit gets shorter, the desk is told too, and a person's title has marks."""
    messages = {"en": "{{ subject }} is late", "zh": "{{ customer }}的工单 {{ subject }} 已超时"}
    title = {"en": "Ann | A*", "zh": "安·静"}
    person = json.loads(record_text("Person", "ann", {"contact": {"email": "ann@example.invalid"}}))
    person["metadata"]["title"] = title
    people = {"records/persons/ann.yaml": json.dumps(person, ensure_ascii=False).encode()}
    before = store([level("4h", CEA, severity="breach", message=messages)], people)
    after = store([level("2h", CEA, DESK, severity="critical", message=messages)], people)
    tickets = TICKETS | {f"n{n:02}": opened(f"2026-10-{n:02}T08:00:00+08:00", "shop") for n in range(1, 14)}
    return plan(before, after, feed(tmp_path, tickets), AT)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_markdown_of_a_plan_is_the_one_that_was_read(tmp_path: Path, language: str) -> None:
    text = plan_markdown(golden_plan(tmp_path), language, ZONE)

    assert text == (GOLDEN / f"plan.{language}.md").read_text(encoding="utf-8")


def test_text_is_shortened_with_a_count_and_all_shows_the_rest(tmp_path: Path) -> None:
    found = golden_plan(tmp_path)

    short, whole = (plan_text(found, "en", ZONE, everything=everything) for everything in (False, True))

    assert "… 5 more: --all" in short and "more: --all" not in whole
    assert "n13 is late" in whole and "n13 is late" not in short
    assert "Ann | A* (ann)" in short


# --- the commands

POLICY = """\
apiVersion: remit/v1
kind: WarningPolicy
metadata: {name: grade, title: {en: Grade, zh: 等级}}
spec:
  subject: Customer
  when: subject.customerGrade == "local_a"
  levels:
    - {name: is-key, notify: [{role: responsible, of: subject.unit}]}
"""
BANK = "records/customers/harbour-bank.yaml"
SOUTH = "records/organization-units/south.yaml"


@pytest.fixture
def folder(git_repo: GitRepo) -> Path:
    return git_repo({**texts(), "rules/warning/grade.yaml": POLICY})


def remit(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["--store", str(folder), *arguments, "--at", "2026-10-15T16:00:00+08:00"]) == code
    captured = capsys.readouterr()
    return captured.out if code in (0, 1) else captured.err


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_plan_of_the_working_tree_names_people_and_approvers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder / BANK, "local_b", "local_a")

    out = json.loads(remit(folder, capsys, "plan", "--format", "json"))

    assert [*schema("plan").iter_errors(out)] == []
    assert (out["base"], out["head"]) == (git(folder, "rev-parse", "HEAD"), None)
    assert [one["record"] for one in out["records"]] == ["Customer/harbour-bank"]
    assert [(d["subject"]["name"], d["level"]) for d in out["decisions"]["added"]] == [("harbour-bank", "is-key")]
    assert [(p["person"], p["before"], p["after"]) for p in out["people"]] == [("gus-he", 0, 1)]
    assert [a["rule"] for a in out["approvals"]] == ["ApprovalPolicy/control/grade"]
    assert [c["person"] for c in out["approvals"][0]["candidates"]] == ["bob-sun"]
    assert git(folder, "status", "--porcelain") == f" M {BANK}"


def test_plan_of_commits_is_that_of_the_working_tree_and_nobody_approves_what_he_wrote(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder / BANK, "local_b", "local_a")
    working = json.loads(remit(folder, capsys, "plan", "--format", "json"))
    git(folder, "checkout", "--quiet", "-b", "topic")
    be(folder, "bob-sun")
    head = commit_all(folder)

    there, here = (json.loads(remit(folder, capsys, "plan", one, "--format", "json")) for one in ("main..topic", ""))

    assert there["head"] == head and here["head"] is None
    assert there["base"] == here["base"] == working["base"]
    assert there["decisions"] == working["decisions"]
    asked = [[c["person"] for c in one["approvals"][0]["candidates"]] for one in (working, there)]
    assert asked == [["bob-sun"], ["gus-he"]]


def test_plan_without_a_difference_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing differs." in remit(folder, capsys, "plan")
    assert "Nothing differs." in remit(folder, capsys, "plan", "HEAD..HEAD", "--format", "markdown")
    change(folder / BANK, "eve-li", "fay-ma")
    assert "Nobody is told anything else" in remit(folder, capsys, "plan")


def test_plan_fails_when_the_change_adds_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder / BANK, "eve-li", "nobody-here")

    out = remit(folder, capsys, "plan", code=1)

    assert "nobody-here" in out and "Findings that it adds (1)" in out


def proposed(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The grade of the bank proposed by ann-lee and approved by bob-sun; the working tree is clean again."""
    change(folder / BANK, "local_b", "local_a")
    remit(folder, capsys, "propose", "-m", "海港银行升级")
    git(folder, "checkout", "--quiet", "--", ".")
    (found,) = json.loads(remit(folder, capsys, "changes", "--format", "json"))["changes"]
    be(folder, "bob-sun")
    remit(folder, capsys, "approve", found["id"])
    return str(found["id"])


def test_apply_refuses_a_change_that_does_something_else_by_now(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id = proposed(folder, capsys)
    change(folder / SOUTH, "gus-he", "hal-xu")
    commit_all(folder, "another chief, and nobody touched the bank")

    said = remit(folder, capsys, "apply", id, code=2)

    assert "does something else by now" in said and f"remit --store {folder} review {id}" in said
    assert "does something else there by now" in remit(folder, capsys, "review", id)
    assert json.loads(remit(folder, capsys, "review", id, "--format", "json"))["plan"]["stale"] is True
    be(folder, "ann-lee")
    remit(folder, capsys, "withdraw", id)
    again = proposed(folder, capsys)
    assert "applied" in remit(folder, capsys, "apply", again)


def test_apply_takes_a_change_that_does_the_same_on_the_new_tip(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id = proposed(folder, capsys)
    write_files(folder, {path: text for path, text in texts().items() if path == SOUTH})
    change(folder / "records/organization-units/head.yaml", "hal-xu", "gus-he")
    commit_all(folder, "something that the change does not depend on")

    assert json.loads(remit(folder, capsys, "review", id, "--format", "json"))["plan"]["stale"] is False
    assert "applied" in remit(folder, capsys, "apply", id)


def test_review_shows_the_plan_when_there_are_facts_and_lives_without_a_feed_that_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id = proposed(folder, capsys)
    empty = folder.parent / "none.jsonl"
    empty.write_text("")

    plain = remit(folder, capsys, "review", id)
    told = remit(folder, capsys, "review", id, "--facts", str(empty))
    missing = remit(folder, capsys, "review", id, "--facts", str(folder / "missing.jsonl"))
    everything = remit(folder, capsys, "review", id, "--all", "--facts", str(empty))

    assert "What it does to people" not in plain and "Plan:" not in plain
    assert "Told another number of times: gus-he " in told
    assert "What it does to people" in missing and "missing.jsonl" in missing
    assert "Plan: People told (1)" in everything and "gus-he" in everything
