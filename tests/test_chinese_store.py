"""Whoever works in a Chinese store is spoken to in Chinese: what is done, what is refused and why, what comes next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import GitRepo, git
from guarded import MAIN, Guarded
from test_change_commands import AT, BANK, User, raise_grade, texts

from remit.guarding import Move, Verdict
from remit.main import main
from remit.reporters.origin import refusal_lines

ENGLISH = re.compile(r"\b(the|is|was|has|have|not|and|of|to|you|it|no|by|for|there)\b")
"""Words that no id, path or command holds, and hardly an English sentence does without."""


@pytest.fixture
def user(git_repo: GitRepo, capsys: pytest.CaptureFixture[str]) -> User:
    files = texts()
    files["remit.yaml"] = files["remit.yaml"].replace("language: en", "language: zh")
    return User(git_repo(files), capsys)


def test_a_change_goes_its_whole_way_in_chinese(user: User) -> None:
    raise_grade(user)
    proposed = user.run("propose", "-m", "评定为A级", *AT, as_="ann-lee")
    id = proposed.out.split()[0]
    assert proposed.err == f"已提出 1 个文件的变更。下一步：remit review {id}\n"

    own = user.run("approve", id, *AT)
    assert own.err == f"错误：{id} 中有您的修改，须由他人审批\n      remit review 可查看谁能审批\n"
    early = user.run("apply", id, *AT)
    assert early.code == 2 and early.err.startswith(f"错误：{id} 尚未获得批准：")

    approved = user.run("approve", id, *AT, as_="bob-sun")
    assert approved.out.startswith(f"bob-sun 已批准 {id}  评定为A级\n")
    assert approved.err == f"下一步：remit apply {id}\n"
    applied = user.run("apply", id, *AT)
    assert re.fullmatch(f"{id} 已生效，提交为 [0-9a-f]{{12}}  评定为A级\n", applied.out)
    assert applied.err == f"下一步：remit log {BANK}\n"
    assert "此前已生效" in user.run("apply", id, *AT).out
    again = user.run("reject", id, "-m", "不行", *AT)
    assert again.err.startswith(f"错误：无法处理 {id}：它已生效")


def test_what_is_refused_is_refused_in_chinese(user: User) -> None:
    said = [
        user.run("propose", "-m", "无", *AT, as_="ann-lee"),
        user.run("propose", *AT),
        user.run("propose", "-m", "无", "records/nothing", *AT),
        user.run("review", "c-1", *AT),
        user.run("show", "Customer/harbor-bank"),
        user.run("set", "harbour-bank", "customerGrade=gold"),
        user.run("remove", "Person/bob-sun"),
        user.run("rename", "Person/bob-sun", "../x"),
        user.run("keys", "revoke", "nobody", "SHA256:x", "-m", "遗失"),
        user.run("keys", "add", "bob-sun", "--key", "/nowhere.pub"),
        user.run("audit", "HEAD...HEAD"),
        user.run("audit", "--suspect", "x"),
        user.run("log", "records/nothing.yaml"),
        user.run("apply", "c-1", "-m", "急", *AT),
        user.run("hook", "install", "."),
    ]

    for ran in said:
        first = ran.err.splitlines()[0]
        assert ran.code == 2 and first.startswith("错误：") and not ENGLISH.search(first), ran.err


def test_findings_are_told_by_what_their_codes_mean(user: User) -> None:
    (user.folder / BANK).write_text("kind: [Customer\n", encoding="utf-8")

    ran = user.run("check", *AT)

    assert ran.code == 1 and f"{BANK}:" in ran.out and "  错误  yaml-syntax  文本不是 YAML。\n    " in ran.out
    assert re.search("已检查 [0-9]+ 条记录和 [0-9]+ 条策略：[0-9]+ 个错误", ran.out)


def test_the_hook_refuses_in_chinese(tmp_path: Path) -> None:
    guarded = Guarded.build(tmp_path)
    guarded.be("ann-lee")
    move = Move(guarded.tip, None, MAIN)
    verdict = Verdict(move, tuple(guarded.refusals((guarded.tip, None, MAIN))))

    assert list(refusal_lines([verdict], "zh")) == [
        "remit：推送被拒绝，未作任何修改",
        f"  {MAIN}  规则 R2：保护分支不得删除",
    ]


def test_an_audit_and_the_doctor_speak_chinese(user: User, capsys: pytest.CaptureFixture[str]) -> None:
    root = git(user.folder, "rev-parse", "HEAD")
    git(user.folder, "commit", "--quiet", "--allow-empty", "-m", "by hand")

    found = user.run("audit", "--root", root)
    sound = user.run("doctor")

    assert found.code == 1 and found.out.splitlines()[0] == "未获批准：无人批准，或批准人数不足（1）"
    assert re.search("提交中没有变更编号和批准（规则 R2）", found.out)
    assert found.out.splitlines()[-1].startswith("已核验 main 的 1 个提交，") and "发现 1 个问题" in found.out
    assert sound.out.endswith("：没有问题\n")
    assert main(["--store", str(user.folder), "nothing"]) == 2
    assert capsys.readouterr().err == "错误：没有命令 'nothing'。\n      请查看：remit --help\n"
