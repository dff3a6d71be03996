"""Pushes that git's own transport carries: certificates, broken packs, floods of refs, and ways past the hook.

Source: the catalogue of security, section 3.4: A15, A20-A23, A28.
"""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import approval_store
import pytest
from attacks import ATTACKS, LOWER, POLICY, Case, Stage, texts
from conftest import git
from guarded import BANK, MAIN, ZERO, Guarded
from keys import made
from test_gates import OFF, audit, push

from remit.changing.targets import CHANGES
from remit.git import Repository


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, home: None) -> Stage:
    return Stage(Guarded.build(tmp_path_factory.mktemp("pushes"), texts(), at=datetime(2020, 1, 1, tzinfo=UTC)))


@pytest.fixture
def stage(template: Stage, tmp_path: Path) -> Stage:
    return template.copy(tmp_path)


def good(stage: Stage) -> Case:
    return ATTACKS["self-approval"].mount(stage, True)


def bad(stage: Stage) -> Case:
    return ATTACKS["self-approval"].mount(stage, False)


# -- certificates (A22, A23) -----------------------------------------------------------------------------------------


def test_a_push_certificate_gives_no_right_and_its_absence_takes_none(stage: Stage) -> None:
    """Who pushes adds no authority, so nothing is read from a certificate; a replayed one would be worth as little."""
    member = stage.guarded.member
    git(stage.guarded.origin, "config", "receive.certNonceSeed", "seed")
    git(member, "config", "gpg.format", "ssh")
    git(member, "config", "user.signingKey", f"{made('stranger')}.pub")
    refused, fine = bad(stage), good(stage)

    status, said = push(stage, "--signed=true", f"{refused.commit}:{MAIN}")
    assert status == 1 and "rule R9: " in said, said
    status, said = push(stage, "--signed=true", f"{fine.commit}:{MAIN}")
    assert status == 0 and stage.guarded.tip == fine.commit, said


# -- packs (A28) -----------------------------------------------------------------------------------------------------


def sent(origin: Path, new: str, pack: bytes, ref: str = "", old: str = ZERO) -> str:
    """What ``git receive-pack`` answers when these bytes are pushed by a client of its own."""
    line = f"{old} {new} {ref or f'{CHANGES}c-1'}\0report-status\n".encode()
    request = b"%04x" % (len(line) + 4) + line + b"0000" + pack
    done = subprocess.run(["git", "receive-pack", str(origin)], input=request, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def packed(stage: Stage, *names: str) -> bytes:
    """A pack of exactly these objects."""
    command = ["git", "pack-objects", "--stdout", "--quiet"]
    names_text = "".join(f"{name}\n" for name in names)
    done = subprocess.run(command, cwd=stage.guarded.member, input=names_text.encode(), capture_output=True, check=True)
    return done.stdout


def new_objects(stage: Stage, commit: str) -> list[str]:
    lines = git(stage.guarded.member, "rev-list", "--objects", commit, f"^{stage.tip}").split("\n")
    return [line.split(" ")[0] for line in lines]


def summed(body: bytes) -> bytes:
    return body + hashlib.sha1(body).digest()


def number(value: int) -> bytes:
    """A size as deltas write it."""
    more, low = divmod(value, 128)
    return bytes([low | 128]) + number(more) if more else bytes([low])


def delta(oid: str, base: bytes, target: bytes) -> bytes:
    """An entry of a pack: ``target`` as what differs from the object ``oid``, whose content is ``base``."""
    pieces = [target[at : at + 127] for at in range(0, len(target), 127)]
    words = number(len(base)) + number(len(target)) + b"".join(bytes([len(one)]) + one for one in pieces)
    size, more = len(words), len(words) >> 4
    head = bytes([7 << 4 | (size & 15) | (128 if more else 0)]) + (number(more) if more else b"")
    return head + bytes.fromhex(oid) + zlib.compress(words)


def cycle() -> bytes:
    """Two objects, each only as what differs from the other one."""
    one, two = b"one of two\n" * 9, b"two of two\n" * 9
    ids = [hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() for data in (one, two)]
    entries = delta(ids[1], two, one) + delta(ids[0], one, two)
    return summed(b"PACK" + struct.pack(">II", 2, 2) + entries)


def flipped(pack: bytes) -> bytes:
    middle = len(pack) // 2
    return pack[:middle] + bytes([pack[middle] ^ 1]) + pack[middle + 1 :]


PACKS: dict[str, Callable[[Stage, Case], bytes]] = {
    "cut off": lambda s, c: packed(s, *new_objects(s, c.head))[:-30],
    "a bit is another": lambda s, c: flipped(packed(s, *new_objects(s, c.head))),
    "a bit is another and the sum fits": lambda s, c: summed(flipped(packed(s, *new_objects(s, c.head)))[:-20]),
    "the tree is missing": lambda s, c: packed(s, c.head),
    "a file is missing": lambda s, c: packed(s, *new_objects(s, c.head)[:-1]),
    "deltas in a circle": lambda s, c: cycle(),
    "more objects than there are": lambda s, c: summed(b"PACK" + struct.pack(">II", 2, 2**31)),
    "no pack": lambda s, c: b"PACK",
    "nothing": lambda s, c: b"",
}  # fmt: skip


@pytest.mark.parametrize("name", PACKS)
def test_a_broken_pack_is_refused_and_leaves_the_origin_whole(stage: Stage, name: str) -> None:
    origin, case = stage.guarded.origin, good(stage)
    ref = CHANGES + case.change.id
    pack = PACKS[name](stage, case)

    said = sent(origin, case.head, pack, ref)

    assert "unpack ok" not in said or f"ng {ref}" in said, said
    assert Repository(origin).ref(ref) is None and stage.guarded.tip == stage.tip
    git(origin, "fsck", "--full", "--strict", "--no-dangling")
    assert not list((origin / "objects").glob("tmp_objdir*"))
    assert f"ok {ref}" in sent(origin, case.head, packed(stage, *new_objects(stage, case.head)), ref)


# -- floods (A20) ----------------------------------------------------------------------------------------------------


def test_ten_thousand_refs_in_one_push_are_refused_together_and_soon(stage: Stage) -> None:
    member = stage.guarded.member
    lines = "".join(f"create refs/flood/c-{at} {stage.tip}\n" for at in range(10_000))
    subprocess.run(["git", "update-ref", "--stdin"], cwd=member, input=lines.encode(), check=True)
    git(member, "pack-refs", "--all")
    before = git(stage.guarded.origin, "for-each-ref")
    started = os.times()

    status, said = push(stage, "--quiet", f"refs/flood/*:{CHANGES}*")

    spent = os.times()
    assert status == 1 and "10000 refs are more than one push may move" in said, said[-2000:]
    assert sum(spent[2:4]) - sum(started[2:4]) < 30
    assert git(stage.guarded.origin, "for-each-ref") == before


def test_of_a_push_that_is_not_atomic_nothing_goes_in_either_when_one_ref_is_refused(stage: Stage) -> None:
    refused, fine = bad(stage), good(stage)

    status, said = push(stage, f"{refused.commit}:{MAIN}", f"{fine.head}:{CHANGES}{fine.change.id}")

    assert status == 1 and "rule R9: " in said
    assert Repository(stage.guarded.origin).refs("refs/heads/") == {MAIN: stage.tip}


# -- past the hook (A21) ---------------------------------------------------------------------------------------------


def by_another_program(stage: Stage, sha: str) -> None:
    push(stage, "--receive-pack", "git -c core.hooksPath=/dev/null receive-pack", f"{sha}:{MAIN}")


def by_hooks_that_may_not_run(stage: Stage, sha: str) -> None:
    for hook in (stage.guarded.origin / "hooks").iterdir():
        hook.chmod(0o644)
    push(stage, f"{sha}:{MAIN}")


def by_a_fetch(stage: Stage, sha: str) -> None:
    git(stage.guarded.member, "update-ref", "refs/heads/here", sha)
    git(stage.guarded.origin, *OFF, "fetch", "--quiet", str(stage.guarded.member), f"refs/heads/here:{MAIN}")


def by_writing_the_file(stage: Stage, sha: str) -> None:
    git(stage.guarded.origin, *OFF, "fetch", "--quiet", str(stage.guarded.member), sha)
    packed_refs = stage.guarded.origin / "packed-refs"
    packed_refs.unlink(missing_ok=True)
    (stage.guarded.origin / MAIN).parent.mkdir(parents=True, exist_ok=True)
    (stage.guarded.origin / MAIN).write_text(f"{sha}\n")


def by_settings_of_the_origin(stage: Stage, sha: str) -> None:
    git(stage.guarded.origin, "config", "core.hooksPath", "/dev/null")
    push(stage, f"{sha}:{MAIN}")


WAYS: Sequence[Callable[[Stage, str], None]] = (
    by_another_program, by_hooks_that_may_not_run, by_a_fetch, by_writing_the_file, by_settings_of_the_origin,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_came_in_past_the_hook_is_found_by_one_command(
    stage: Stage, way: Callable[[Stage, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    case = bad(stage)

    way(stage, case.commit)

    assert stage.guarded.tip == case.commit
    assert audit(stage, capsys) == (1, [(case.commit, "R9"), (case.commit, "approval")][:1])


# -- older rules (A15) -----------------------------------------------------------------------------------------------


def test_an_older_policy_comes_back_only_as_a_weakening_that_the_present_one_allows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Policies carry no versions: what judges is the policy of the base, and an older text is a change like any."""
    weak = {**texts(), POLICY: LOWER}
    stage = Stage(Guarded.build(tmp_path, weak, at=datetime(2020, 1, 1, tzinfo=UTC)))
    stage.advance({POLICY: approval_store.RULES.encode()}, "bob-sun", "dan-wu")
    back = stage.wants({POLICY: LOWER.encode()}, title="As it was")

    alone = stage.case(back, stage.say(back, "bob-sun"))
    both = stage.case(back, stage.say(back, "bob-sun"), stage.say(back, "dan-wu"))

    status, said = push(stage, f"{alone.commit}:{MAIN}")
    assert status == 1 and "rule approval: " in said and "1 policy" in said
    assert git(stage.guarded.member, "rev-parse", f"{both.commit}:{POLICY}") == git(
        stage.guarded.member, "rev-parse", f"{stage.guarded.root}:{POLICY}"
    )
    assert push(stage, f"{both.commit}:{MAIN}")[0] == 0 and audit(stage, capsys) == (0, [])
    assert BANK in git(stage.guarded.origin, "ls-tree", "-r", "--name-only", "main")
