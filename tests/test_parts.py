"""What is found by the index of names is what the whole store says: each answer is held to that of all its files."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from conftest import be, commit_all, git
from stores import small_files

from remit import parts
from remit.commands import options
from remit.commands.show_command import shown
from remit.footing import footing_of
from remit.main import main
from remit.names import Names, names_of, word_of, words_of
from remit.pack import pack_files
from remit.parts import MOST_SINCE, Part, part_of
from remit.records import Asked, Snapshot, build_snapshot
from remit.schemas import load_schemas
from remit.store import Store

FLIPS = int(os.environ.get("REMIT_FLIPS", "50"))
"""The whole campaign: REMIT_FLIPS=1000."""

BANK = "records/customers/harbour-bank.yaml"
CUSTOMER = "schemas/kinds/Customer.schema.json"


def referring(field: str) -> str:
    """The schema of customers, in which a field of texts refers to people."""
    schema = json.loads(small_files()[CUSTOMER])
    schema["$defs"]["spec"]["properties"][field] = {"type": "string", "x-remit-ref": "Person"}
    return json.dumps(schema)


def a_person(name: str, more: str = "", *, title: str = "") -> str:
    """A person of the small store."""
    titled = f", title: {title}" if title else ""
    return f"apiVersion: remit/v1\nkind: Person\nmetadata: {{name: {name}{titled}}}\nspec: {{status: active{more}}}\n"


def a_customer(name: str, spec: str) -> str:
    """A customer of the small store."""
    return f"apiVersion: remit/v1\nkind: Customer\nmetadata: {{name: {name}}}\nspec:\n  customerGrade: group\n{spec}"


ODD: Mapping[str, str] = {
    "records/people/海港.yaml": a_person("海港", title="{en: Harbour, zh: 海港人}"),
    "records/customers/chinese.yaml": a_customer("chinese", "  roles: {cm: 海港}\n"),
    "records/customers/escaped.yaml": a_customer("escaped", '  owner: "Person/chen\\x2djing"\n'),
    "records/customers/alias.yaml": a_customer(
        "alias", "  owner: Team/harbour\n  roles: {cm: chen-jing, ceA: wang-lei}\n"
    ),
    "records/customers/quoted.yaml": a_customer("quoted", "  owner: 'harbour'\n  roles:\n    cm: >-\n      wang-lei\n"),
    "records/customers/broken.yaml": "kind: [\n",
    "records/customers/post.yaml": a_customer("post", "  postcode: chen-jing\n"),
    "records/customers/nobody.yaml": a_customer("nobody", "  owner: Person/nobody-at-all\n"),
    "records/customers/wrong.yaml": a_customer("wrong", "  lines: many\n  owner: Team/chen-jing\n"),
    "records/people/twice.yaml": a_person("wang-lei", title="The second"),
    "records/teams/person-too.yaml": "kind: Team\nmetadata: {name: wang-lei, title: A team}\nspec: {lead: wang-lei}\n",
    "records/customers/elsewhere.yaml": a_person("not-here", title="Misplaced"),
    "records/people/nameless.yaml": "kind: Person\nmetadata: {title: chen-jing}\nspec: {}\n",
    "records/people/slash.yaml": a_person("a/b/chen-jing"),
    "records/people/strange.yaml": "kind: Alien\nmetadata: {name: strange}\nspec: {}\n",
    "rules/escalation/odd.yaml": "kind: EscalationPolicy\nmetadata: {name: odd}\n"
    "spec: {owner: chen-jing, when: '\"wang-lei\"'}\n",
    "rules/escalation/odd.cases.yaml": "cases:\n- records:\n  - {kind: Customer, name: x, owner: harbour}\n",
    "records/notes.txt": "chen-jing\n",
}
"""What people write besides what they should."""

SHOWN = [
    *["Person/chen-jing", "chen-jing", "wang-lei", "Person/wang-lei", "Team/wang-lei", "海港", "海港人", "person/海港"],
    *["Harbour team", "harbour", "HARBOUR TEAM", "records/customers/elsewhere.yaml", "not-here", "Misplaced"],
    *["./records/people/twice.yaml", "nameless", "a/b/chen-jing", "Person/a/b/chen-jing", "strange", "Alien/strange"],
    *["odd", "EscalationPolicy/odd", "escaped", "alias", "quoted", "broken", "nobody", "wrong", "Person/none", "x"],
    *["records/customers/broken.yaml", "records/notes.txt", "remit.yaml", "", "/", "Person/", "客户/alias", "二"],
]

RECORDED = [
    ["set", "Customer/harbour-bank", "lines=7"],
    ["set", "Customer/harbour-bank", "lines=many"],
    ["set", "Customer/harbour-bank", "roles.ceB=chen-jing", "owner=Team/wang-lei"],
    ["set", "Customer/harbour-bank", "roles.ceB=nobody"],
    ["set", "Customer/harbour-bank", "owner=Person/harbour"],
    ["set", "Customer/harbour-bank", "nothing=1"],
    ["set", "Customer/wrong", "postcode=510000"],
    ["set", "Customer/wrong", "owner=Person/chen-jing", "lines=1"],
    ["set", "nobody", "owner=Person/chen-jing"],
    ["set", "EscalationPolicy/odd", "owner=wang-lei"],
    ["set", "Person/none", "status=active"],
    ["set", "strange", "status=active"],
    ["unset", "Customer/harbour-bank", "roles.cm"],
    ["unset", "Customer/harbour-bank", "customerGrade"],
    ["unset", "alias", "owner", "roles.cm"],
    ["new", "Person", "li-na", "--title", "Li Na"],
    ["new", "Person", "wang-lei"],
    ["new", "Person", "nameless"],
    ["new", "Person", "not-here"],
    ["new", "Customer", "elsewhere"],
    ["new", "Customer", "new-one", "--set", "customerGrade=group", "--set", "owner=harbour"],
    ["new", "Customer", "new-one", "--set", "customerGrade=group", "--set", "owner=nobody"],
    ["new", "EscalationPolicy", "late", "--set", "when=now"],
    ["new", "Nothing", "x"],
    ["rename", "Person/chen-jing", "chen-jing-2"],
    ["rename", "Person/chen-jing", "harbour"],
    ["rename", "Team/harbour", "chen-jing"],
    ["rename", "海港", "harbour"],
    ["rename", "not-here", "is-here"],
    ["rename", "records/people/twice.yaml", "twice"],
    ["rename", "Person/chen-jing", "wang-lei"],
    ["rename", "EscalationPolicy/odd", "even"],
    ["rename", "Customer/alias", "alias"],
    ["remove", "Person/chen-jing"],
    ["remove", "alias"],
    ["remove", "EscalationPolicy/odd"],
    ["remove", "strange"],
    ["remove", "Person/none"],
]

CHANGES: Mapping[str, Mapping[str, str | None]] = {
    "nothing": {},
    "another user": {"records/customers/more.yaml": a_customer("more", "  roles: {cm: chen-jing}\n")},
    "a user less": {"records/customers/alias.yaml": None},
    "a user who refers to somebody else": {
        "records/customers/alias.yaml": a_customer("alias", "  owner: Team/harbour\n")
    },
    "another title": {"records/people/chen-jing.yaml": a_person("chen-jing", title="海港")},
    "another name": {"records/people/chen-jing.yaml": a_person("jing-chen")},
    "a second of the name": {"records/people/aaa.yaml": a_person("chen-jing", title="First")},
    "a mistake": {"records/people/wang-lei.yaml": "kind: ]\n"},
    "a mistake less": {"records/customers/broken.yaml": None},
    "a case file": {"rules/escalation/odd.cases.yaml": "cases: [{records: [{kind: Customer, owner: chen-jing}]}]\n"},
    "a setting": {"remit.yaml": "name: small\nlanguage: en\nnothing: 1\n"},
    "a field that becomes a reference": {CUSTOMER: referring("postcode")},
    "a file that becomes a folder": {"records/notes.txt": None, "records/notes.txt/a.yaml": a_person("deep")},
    "more than are kept apart": {
        f"records/people/p-{number}.yaml": a_person(f"p-{number}", title="Of many") for number in range(MOST_SINCE + 20)
    },
}


@pytest.fixture
def odd_store(tmp_path: Path) -> Path:
    """The small store with odd records, in git."""
    return made(tmp_path / "store", {**small_files(), **{path: text.encode() for path, text in ODD.items()}})


def made(root: Path, files: Mapping[str, bytes]) -> Path:
    """These files in a repository."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    git(root, "init", "--quiet", "--initial-branch=main")
    be(root, "ann-lee")
    commit_all(root)
    return root


def written(root: Path, changed: Mapping[str, str | None]) -> None:
    """Carry out changes of files."""
    for path, text in changed.items():
        if text is None:
            (root / path).unlink()
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Twice:
    """Commands that are run by the index and by reading everything."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def same(self, *words: str) -> tuple[int, str, str]:
        """What a command gives, in either way."""
        quick = self._run(words)
        with self.patch.context() as patch:
            patch.setattr(parts, "memory_of", lambda store: None)
            plain = self._run(words)
        assert quick == plain, words
        return quick

    def _run(self, words: tuple[str, ...]) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = main(["--store", str(self.root), *words])
        return code, *self.capsys.readouterr()


@pytest.fixture
def twice(odd_store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Twice:
    return Twice(odd_store, capsys, monkeypatch)


@pytest.mark.parametrize("ref", [[], ["--ref", "HEAD"]])
def test_a_record_is_shown_as_the_whole_store_shows_it(twice: Twice, ref: list[str]) -> None:
    found = [
        twice.same("show", "--format", fmt, *ref, "--", text)[0] for text in SHOWN for fmt in ("text", "json", "yaml")
    ]

    assert found.count(0) > len(found) / 2 > found.count(2) > 9


LISTED = [
    *(["list", kind, *more] for kind in ("people", "客户", "Team", "escalation") for more in ([], ["-o", "yaml"])),
    ["list", "customers", "--where", 'has(subject.lines) && subject.owner.name == "x"'],
    ["list", "customers", "--where", 'subject.customerGrade == "group"', "-o", "csv"],
    ["list", "customers", "--where", 'has(subject.roles) && subject.roles.cm.status == "active"'],
    ["list", "teams", "--where", 'subject.lead.status == "active"', "--format", "json"],
    ["list", "escalation", "--where", "true"],
    ["list", "nothing"],
]


@pytest.mark.parametrize("ref", [[], ["--ref", "HEAD"]])
@pytest.mark.parametrize("words", LISTED, ids=" ".join)
def test_a_kind_is_listed_as_the_whole_store_lists_it(twice: Twice, words: list[str], ref: list[str]) -> None:
    twice.same(*words, *ref)
    written(twice.root, CHANGES["another user"])
    twice.same(*words, *ref)


@pytest.mark.parametrize("where", ["true", 'subject.customerGrade == "group"', "has(subject.unit)"])
def test_records_of_the_example_are_chosen_as_of_the_whole_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    twice = Twice(made(tmp_path / "store", pack_files()), capsys, monkeypatch)

    codes = [twice.same("list", kind, "--where", where)[0] for kind in ("Customer", "Site", "Contract", "Visit")]

    assert 0 in codes


@pytest.mark.parametrize("words", RECORDED, ids=" ".join)
def test_a_draft_is_that_of_the_whole_store(twice: Twice, words: list[str]) -> None:
    twice.same("show", "harbour")
    twice.same(*words, "--dry-run")
    twice.same(*words, "--dry-run", "--format", "json")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", CHANGES)
def test_after_a_change_the_answers_are_those_of_the_whole_store(twice: Twice, name: str, when: str) -> None:
    twice.same("show", "harbour")
    twice.same("show", "harbour", "--ref", "HEAD")
    written(twice.root, CHANGES[name])
    if when == "after":
        commit_all(twice.root)

    for ref in ([], ["--ref", "HEAD"], ["--ref", "HEAD~0"]):
        for text in ("Person/chen-jing", "wang-lei", "Harbour team", "harbour-bank", "Of many", "deep", "more", "海港"):
            twice.same("show", text, *ref)
    for words in (["remove", "alias"], ["rename", "Person/chen-jing", "li-na"], ["set", "harbour-bank", "owner=more"]):
        twice.same(*words, "--dry-run")


def test_what_is_named_is_found_without_reading_everything(twice: Twice, monkeypatch: pytest.MonkeyPatch) -> None:
    for ref in ([], ["--ref", "HEAD"]):
        twice.same("show", "harbour", *ref)
    written(twice.root, CHANGES["another user"])

    def refuse(*_: object) -> None:
        raise AssertionError("everything is read")

    def few(self: Part, asked: Asked) -> Snapshot:
        assert not asked.everything
        return knowing(self, asked)

    knowing = Part.knowing
    monkeypatch.setattr(Part, "knowing", few)

    monkeypatch.setattr(options, "opened", refuse)
    monkeypatch.setattr(parts, "names_of", refuse)
    for words in (
        *(["show", text, *ref] for text in SHOWN[:20] for ref in ([], ["--ref", "HEAD"]) if text != "wang-lei"),
        ["set", "harbour-bank", "lines=3"],
        ["unset", "harbour-bank", "roles.cm"],
        ["new", "Person", "li-na"],
        ["rename", "Team/harbour", "port"],
        ["remove", "Customer/more"],
    ):
        assert main(["--store", str(twice.root), *words]) == 0, words
    for words in (
        ["remove", "chen-jing"],
        ["set", "harbour-bank", "lines=many"],
        ["new", "Person", "chen-jing"],
        ["rename", "Customer/alias", "nobody"],
    ):
        assert main(["--store", str(twice.root), *words]) == 2, words


def test_stores_beside_each_other_in_one_repository_are_kept_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = small_files()
    one = {f"one/{path}": data for path, data in files.items()}
    other = {f"other/{path}": data for path, data in files.items() if path != BANK}
    root = made(tmp_path / "both", {**one, **other})

    for folder in ("one", "other", "one"):
        twice = Twice(root / folder, capsys, monkeypatch)
        assert [twice.same("show", "harbour-bank", *ref)[0] for ref in ([], ["--ref", "HEAD"])] == (
            [0, 0] if folder == "one" else [2, 2]
        )


def test_a_tree_that_is_gone_is_no_trouble(twice: Twice) -> None:
    git(twice.root, "checkout", "--quiet", "-b", "other")
    written(twice.root, CHANGES["another user"])
    commit_all(twice.root)
    twice.same("show", "chen-jing", "--ref", "other")
    git(twice.root, "checkout", "--quiet", "main")
    git(twice.root, "branch", "--quiet", "-D", "other")
    git(twice.root, "reflog", "expire", "--expire=now", "--all")
    git(twice.root, "gc", "--quiet", "--prune=now")

    twice.same("show", "chen-jing", "--ref", "main")


def test_an_entry_that_is_altered_cut_or_foreign_is_made_anew(twice: Twice) -> None:
    twice.same("show", "chen-jing")
    twice.same("show", "chen-jing", "--ref", "HEAD")
    chance, entries = random.Random(5), sorted((twice.root / ".git" / "remit" / "cache").iterdir())
    assert len(entries) == 3

    for number in range(max(FLIPS // 5, 9)):
        entry = entries[number % 3]
        whole = bytearray(entry.read_bytes())
        whole[chance.randrange(len(whole))] ^= chance.randrange(1, 256)
        entry.write_bytes([bytes(whole), bytes(whole[:-1]), b""][number // 3 % 3])
        for ref in ([], ["--ref", "HEAD"]):
            twice.same("show", "chen-jing", *ref)


def test_an_index_of_another_program_is_made_anew(twice: Twice, monkeypatch: pytest.MonkeyPatch) -> None:
    twice.same("show", "chen-jing")
    with monkeypatch.context() as patch:
        patch.setattr("remit.remembering.program", lambda: "another")
        twice.same("show", "chen-jing")
    twice.same("show", "chen-jing")


def test_a_link_in_the_store_is_told_as_ever(twice: Twice) -> None:
    assert twice.same("show", "chen-jing")[2].startswith("1 file could not be read")
    (twice.root / "records" / "people" / "link.yaml").symlink_to("chen-jing.yaml")

    assert twice.same("show", "chen-jing")[2].startswith("2 files could not be read")


# --- every record ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ref", "step"), [(None, 1), ("HEAD", 7)])
def test_every_record_of_the_example_is_shown_as_the_whole_store_shows_it(
    tmp_path: Path, ref: str | None, step: int
) -> None:
    held_to_the_whole(made(tmp_path / "store", pack_files()), ref, step)


def test_a_record_in_a_thousand_is_shown_as_the_whole_store_shows_it(tmp_path: Path) -> None:
    chance = random.Random(3)
    names = [*(f"p-{number}" for number in range(300)), *(f"人-{number}" for number in range(60)), "a.b", "x y", "'"]
    files = small_files() | {
        f"records/people/{number}.yaml": a_person(f'"{name}"', title=f'"{name.upper()}"').encode()
        for number, name in enumerate(names)
    }
    for number in range(700):
        mark = chance.choice(["", "Person/", "Team/"])
        owner, manager = (chance.choice(names) for _ in "ab")
        spec = f'  owner: "{mark}{owner}"\n  roles: {{cm: "{manager}"}}\n'
        files[f"records/customers/c-{number}.yaml"] = a_customer(f"c-{number}", spec).encode()

    held_to_the_whole(made(tmp_path / "store", files), None, 9)


def held_to_the_whole(root: Path, ref: str | None, step: int) -> None:
    """Every ``step``-th record and policy is the same in either way."""
    store = Store.open(root)
    files = store.files(ref)
    whole = build_snapshot(files.blobs, files.commit or "", files.date)
    schemas, findings = load_schemas(files.blobs)
    part = part_of(Store.open(root), ref)
    assert part is not None
    plain, quick = options.Opened(store, whole, schemas, findings), options.Opened(store, *part)

    for identity in sorted(whole.by_id)[::step]:
        for fmt in ("text", "json"):
            told = [shown(known, identity, fmt, language="en", everything=True) for known in (plain, quick)]
            assert told[0] == told[1], identity


# --- the index -------------------------------------------------------------------------------------------------------


def test_an_index_that_follows_is_the_one_that_is_made_anew() -> None:
    chance, numbers = random.Random(2), count()
    files = small_files()
    schemas, _ = load_schemas(files)

    def index(known: Names, ids: Mapping[str, str], touched: set[str]) -> Names:
        words = words_of(build_snapshot({path: files[path] for path in touched & files.keys()}), schemas)
        return known.with_files(ids, {path: words.get(path, set()) for path in touched})

    known, ids = nothing(), {}
    for _ in range(40):
        before = dict(ids)
        for _ in range(chance.randrange(4)):
            path = f"records/people/{chance.randrange(12)}.yaml"
            files[path] = a_person(f"p-{next(numbers) % 5}").encode()
        for path in [path for path in files if path.startswith("records/people/")][: chance.randrange(2)]:
            del files[path]
        ids = {path: word_of("name", data.decode()).hex() for path, data in files.items()}
        known = index(known, ids, {path for path, _ in before.items() ^ ids.items()})
        anew = index(nothing(), ids, set(ids))
        assert (known.items, known.footing.paths, known.stamp) == (anew.items, anew.footing.paths, anew.stamp)
        for name in ("p-1", "chen-jing", "p-9"):
            assert set(known.having("name", name)) == set(naming(name, files))


def naming(name: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """The records of a name."""
    return (record.path for record in build_snapshot(files).records if record.name == name)


@cache
def nothing() -> Names:
    """The index of no files."""

    return names_of(footing_of({}))
