"""remit demo: the main job on a temporary store, step by step, with the command lines that one would type."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import click

from remit.changing.proposals import find, requirements
from remit.decisions import rank
from remit.demo_feed import NOW, demo_feeds
from remit.errors import UserError
from remit.git import Identity, Repository
from remit.judging import PolicyJudge
from remit.pack import pack_files
from remit.registry import PEOPLE
from remit.starting import first_commit, refuse_unless_free, starting_files, write_store
from remit.store import Store, write_whole
from remit.times import format_instant, parse_instant
from remit.yamltext import Edit, edit, read

Language = Literal["en", "zh"]

AUTHOR = "dong-wen"
RECORD = "Customer/nanhai-university"
ASSIGNMENT = "roles.ceB=lu-yang"
AT = format_instant(NOW)
LAST_MONTH = "2026-09"
SCORECARD = "response-centre"
GAP = ("ab-roles", RECORD)
"""The warning that the change answers."""

CHANGE_ID = re.compile(r"c-[0-9]{8}-[0-9a-f]{6,24}")

WORDS: dict[str, dict[Language, str]] = {
    "start": {
        "en": "A temporary store: the example organisation with two months of tickets, orders and visits.",
        "zh": "临时数据仓：示例单位，加两个月的故障单、业务定单与走访。",
    },
    "now": {
        "en": "It is {} there.",
        "zh": "此刻是 {}。",
    },
    "check": {
        "en": "Is anything wrong with records, policies and their cases?",
        "zh": "记录、规则与用例有没有问题？",
    },
    "facts": {
        "en": "What came in, and what was refused and why?",
        "zh": "收到了什么，哪些被拒、为什么？",
    },
    "evaluate": {
        "en": "What is burning now, gravest first, and who is told?",
        "zh": "现在最急的是什么，要通知谁？",
    },
    "forecast": {
        "en": "What will come in the next four hours if nothing else happens?",
        "zh": "若无变化，四小时内会发生什么？",
    },
    "explain": {
        "en": "Why has the gravest one gone so far up?",
        "zh": "最严重的一条为什么会报到这一级？",
    },
    "assess": {
        "en": "How did everyone do last month?",
        "zh": "上个月各单位做得怎样？",
    },
    "change": {
        "en": "{author} proposes a second engineer for the university, signed with his own key. "
        "Nobody's word counts for his own change.",
        "zh": "{author} 提出为大学补一名B角工程师，并用自己的密钥签名。本人的意见对自己的变更无效。",
    },
    "gap": {
        "en": "A gap that one of the policies warns of: a key account without a second engineer.",
        "zh": "一条规则提示的缺口：大客户没有B角工程师。",
    },
    "early": {
        "en": "It cannot be applied before those who must have approved:",
        "zh": "须审批的人未批之前，不能生效：",
    },
    "approve": {
        "en": "{person} approves ({why}).",
        "zh": "{person} 审批（{why}）。",
    },
    "apply": {
        "en": "Now it can be applied: one commit, with the signed approvals inside.",
        "zh": "现在可以生效：一次提交，签名的审批就在其中。",
    },
    "log": {
        "en": "The history of the record proves itself.",
        "zh": "记录的历史自证。",
    },
    "closed": {
        "en": "And the gap is closed.",
        "zh": "缺口已补上。",
    },
    "end": {
        "en": "Done in {:.0f} s.",
        "zh": "用时 {:.0f} 秒。",
    },
    "kept": {
        "en": "The store is kept: cd {}",
        "zh": "数据仓保留在：cd {}",
    },
    "gone": {
        "en": "The temporary store is removed; keep it with: remit demo --keep DIR",
        "zh": "临时数据仓已删除；保留请用：remit demo --keep DIR",
    },
    "unlike": {
        "en": "{} of the steps did not end as they should.",
        "zh": "有 {} 步没有按预期结束。",
    },
}


class Ran(NamedTuple):
    """What a command line gave: its exit code and what it printed."""

    code: int
    out: str


@click.command("demo")
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Make the store there and leave it.")
@click.option("--language", type=click.Choice(["en", "zh"]), help="[default: zh where the terminal speaks Chinese]")
def command(keep: Path | None, language: Language | None) -> int:
    """Show the main job in under a minute: check, facts, evaluate, forecast, explain, assess, and a reviewed change.

    Everything happens in a temporary directory. Each step shows the command line that it stands for.

    Example: remit demo --keep my-demo
    """
    begun = time.monotonic()
    if keep is not None:
        refuse_unless_free(keep)
    chosen = language or _language_of_the_terminal()
    with _folder(keep) as folder:
        demo = Demo(folder, chosen)
        demo.run()
    demo.say("end", time.monotonic() - begun)
    demo.say(*(("kept", keep) if keep is not None else ("gone",)))
    if demo.unlike:
        demo.say("unlike", demo.unlike)
    return int(demo.unlike > 0)


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    temporary = Path(tempfile.mkdtemp(prefix="remit-demo-"))
    try:
        yield temporary / "store"
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _language_of_the_terminal() -> Language:
    spoken = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "zh" if spoken.lower().startswith("zh") else "en"


class Demo:
    """One demonstration in one folder; ``unlike`` counts steps that ended otherwise than they should."""

    def __init__(self, folder: Path, language: Language) -> None:
        self.folder = folder
        self.language: Language = language
        self.unlike = 0

    def run(self) -> None:
        """All steps, in the order in which a newcomer asks."""
        self.say("start")
        self.prepare()
        self.say("now", f"{NOW:%Y-%m-%d %H:%M}")
        self.step("check", ["check", "--at", AT])
        self.step("facts", ["facts"])
        self.step("evaluate", ["evaluate", "--at", AT], quiet=True)
        self.step("forecast", ["forecast", "--at", AT, "--within", "4h"], quiet=True)
        self.step("explain", ["explain", self.gravest(), "--at", AT])
        self.step("assess", ["assess", SCORECARD, "--period", LAST_MONTH])
        self.change()

    def gravest(self) -> str:
        """The id of the decision that evaluate shows first: the gravest, and of these the latest."""
        decisions = json.loads(self.quietly(["evaluate", "--at", AT, "--format", "json"]).out)["decisions"]
        return str(max(decisions, key=lambda one: (rank(one["severity"]), parse_instant(one["at"])))["id"])

    def change(self) -> None:
        """A change from the edit to the commit on the protected branch, by as many people as it needs."""
        self.step("gap", ["explain", *GAP, "--at", AT])
        self.say("change", author=self.title(AUTHOR))
        self.become(AUTHOR)
        self.step("", ["set", RECORD, ASSIGNMENT])
        line = ["propose", "-m", "Name a second engineer for the university"]
        made = self.quietly(line, with_talk=True)
        self.show(line, made)
        change = _id_of(made)
        self.step("", ["review", change])
        self.step("early", ["apply", change], codes=(2,))
        for person, why in self.approvers(change):
            self.say("approve", person=self.title(person), why=why)
            self.become(person)
            self.step("", ["approve", change])
        self.step("apply", ["apply", change])
        self.step("log", ["log", RECORD])
        self.step("closed", ["explain", *GAP, "--at", AT])

    # -- the store -------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """The whole example with its feeds, committed by nobody who takes part later."""
        files = starting_files(pack_files(), "example", language=self.language)
        feeds = demo_feeds()
        files["remit.yaml"] = edit(files["remit.yaml"], [Edit(("sources",), [dict(one) for one in feeds.sources])])
        keys = _own_keys(files) if shutil.which("ssh-keygen") else {}
        files |= {path: _with_key(files[path], public) for path, (public, _) in keys.items()}
        write_store(self.folder, files, lambda draft: None)
        for name, data in feeds.files.items():
            write_whole(self.folder / "feeds" / name, data)
        repository = Repository.init(self.folder, "main")
        write_whole(repository.git_dir / "info" / "exclude", b"/feeds/\n")
        keeper = Identity("Store Keeper", "keeper@southbay.example.invalid")
        first_commit(repository, files, keeper, datetime.now(UTC).replace(microsecond=0))
        self._settings = (repository.git_dir / "config").read_bytes()
        for path, (public, private) in keys.items():
            write_whole(self.key_of(Path(path).stem), private, mode=0o600)
            write_whole(self.key_of(Path(path).stem).with_suffix(".pub"), f"{public}\n".encode())

    def become(self, person: str) -> None:
        """From now on git in this store knows that person, as if it were his own clone."""
        name, email = self.person(person)
        key = self.key_of(person).with_suffix(".pub")
        settings = {"user.name": f"'{name}'", "user.email": email}
        own = f'[user]\n\tname = "{name}"\n\temail = "{email}"\n'
        if key.is_file():
            settings["remit.signingKey"] = f"$PWD/.git/keys/{key.name}"
            own += f'[remit]\n\tsigningKey = "{key}"\n'
        line = "; ".join(f"git config {setting} {value}" for setting, value in settings.items())
        click.echo(click.style(f"$ {line}", bold=True))
        write_whole(self.folder / ".git" / "config", self._settings + own.encode())

    def key_of(self, person: str) -> Path:
        """Where the private key of a person of the example lies."""
        return self.folder.absolute() / ".git" / "keys" / person

    def people(self) -> dict[str, Any]:
        """The bodies of the Person records, by name."""
        blobs = Store.open(self.folder).files().blobs
        paths = [path for path in blobs if path.startswith("records/people/")]
        documents = {Path(path).stem: read(blobs[path], path)[0] for path in paths}
        return {name: document.value for name, document in documents.items() if document is not None}

    def person(self, name: str) -> tuple[str, str]:
        """The English name and the e-mail of a person of the example."""
        body = self.people()[name]
        return body["metadata"]["title"]["en"], body["spec"]["contact"]["email"]

    def title(self, name: str) -> str:
        """What a person of the example is called, in the language of the demonstration."""
        return str(self.people()[name]["metadata"]["title"][self.language])

    def approvers(self, change: str) -> list[tuple[str, str]]:
        """The first of those who may give each approval that is missing, and what it is asked for; nobody twice."""
        store, at = Store.open(self.folder), datetime.now(UTC)
        found: dict[str, str] = {}
        for need in requirements(store, find(store, change).change, PolicyJudge(at)):
            able = [candidate.person for candidate in need.candidates if candidate.person != AUTHOR]
            if not need.satisfied and able:
                person = next((name for name in able if name not in found), able[0])
                found.setdefault(person, need.need.partition(";")[0])
        return list(found.items())

    # -- what one sees ---------------------------------------------------------------------------------------------

    def say(self, word: str, *values: object, **named: object) -> None:
        """One line of talk, apart from what commands print."""
        click.echo(click.style("\n" + WORDS[word][self.language].format(*values, **named), fg="cyan"))

    def step(self, word: str, line: Sequence[str], *, codes: tuple[int, ...] = (0,), quiet: bool = False) -> None:
        """Say why, show the command line, run it. ``quiet`` leaves out what was said on the way, seen before."""
        if word:
            self.say(word)
        ran = self.quietly(line, with_talk=not quiet)
        self.show(line, ran, codes=codes)

    def show(self, line: Sequence[str], ran: Ran, *, codes: tuple[int, ...] = (0,)) -> None:
        """Print a command line and what it gave."""
        click.echo(click.style("$ " + _as_typed(line), bold=True))
        click.echo(ran.out.rstrip("\n"))
        if ran.code not in codes:
            self.unlike += 1
            click.echo(f"(exit code {ran.code})")

    def quietly(self, line: Sequence[str], *, with_talk: bool = False) -> Ran:
        """Run a command line as the console script would, in this process, and keep what it prints."""
        from remit.main import main

        out = io.StringIO()
        talk = out if with_talk else io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(talk):
            code = main(["--store", str(self.folder), *line])
        return Ran(code, out.getvalue() or talk.getvalue())


def _own_keys(files: Mapping[str, bytes]) -> dict[str, tuple[str, bytes]]:
    """A new key for every person, by the path of the record: the public line and the private file."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    found = {}
    for path in files:
        if path.startswith(PEOPLE):
            key = Ed25519PrivateKey.generate()
            private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
            public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH)
            found[path] = (public.decode(), private)
    return found


def _with_key(person: bytes, public: str) -> bytes:
    return edit(person, [Edit(("spec", "keys"), [{"key": public}])])


def _id_of(proposed: Ran) -> str:
    found = CHANGE_ID.search(proposed.out)
    if found is None:
        raise UserError("The demonstration's change could not be proposed.", "See what was printed above.")
    return found[0]


def _as_typed(line: Sequence[str]) -> str:
    return " ".join(["remit", *(f"'{word}'" if " " in word else word for word in line)])
