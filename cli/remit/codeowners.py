"""The approval policies as a CODEOWNERS file, so that a forge asks the right people before it merges.

A forge knows files and people, no fields, conditions, counts or levels. So every rule that could match a change of a
file counts for the file, and whoever could approve by any of them owns it; what this cannot say is said in comments.
Owners are those whom the rules lead to at one instant: the file is written anew when people or rules change.

Source: design section 7; the CODEOWNERS syntax that GitHub and GitLab share (the last matching line decides).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from posixpath import dirname

from remit.places import pointer_text
from remit.policies.approval import Approvals, Rule, Touch
from remit.policies.approvers import Ground
from remit.policies.asking import asks_of, matches
from remit.records import Record, Snapshot
from remit.references import World
from remit.schemas import Schemas
from remit.yamltext import Document


@dataclass(frozen=True)
class Owned:
    """Who owns a path (a folder ends with a slash), as names of Person records, sorted."""

    path: str
    people: tuple[str, ...]


def owned(policies: Sequence[Approvals], snapshot: Snapshot, ground: Ground) -> tuple[Owned, ...]:
    """A line for each folder, with the people of most of its files, and one for each file that has others; by path.

    A kind without records has the people of a record of which nothing is known.
    """
    records = {record.path: record for record in (*snapshot.records, *snapshot.policies)}
    folders: dict[str, dict[str, tuple[str, ...]]] = {}
    for path in sorted(snapshot.files):
        people = _people(policies, Touch(path, records.get(path), records.get(path)), ground)
        folders.setdefault(dirname(path), {})[path] = people
    for folder, kind in _kinds_without_records(ground.whole.schemas, folders):
        unknown = Record(kind, "", folder, {"kind": kind, "spec": {}}, Document(folder, {}, (0, 0)))
        folders[folder] = {folder: _people(policies, Touch(f"{folder}/.yaml", unknown, unknown), ground)}
    lines: list[Owned] = []
    for folder, files in folders.items():
        usual = min(Counter(files.values()).items(), key=lambda item: (-item[1], item[0]))[0] if folder else None
        lines += [Owned(f"{folder}/", usual)] if usual is not None else []
        lines += [Owned(path, people) for path, people in files.items() if people != usual]
    return tuple(sorted(lines, key=lambda line: line.path))


def _kinds_without_records(schemas: Schemas, folders: Collection[str]) -> Iterator[tuple[str, str]]:
    for kind, schema in sorted(schemas.kinds.items()):
        if schema.home != "feed" and f"records/{schema.folder}" not in folders:
            yield f"records/{schema.folder}", kind


def _people(policies: Sequence[Approvals], touch: Touch, ground: Ground) -> tuple[str, ...]:
    """Everybody who could be asked to approve some change of a file, sorted."""
    asked: list[Approvals] = []
    certain = False
    for policy in policies:
        rules = tuple(rule for rule in map(_of_files, policy.rules) if matches(rule, touch, ground.whole))
        certain |= any(rule in rules for rule in policy.rules)
        asked += [replace(policy, rules=(rule,)) for rule in rules]
    if not certain:
        asked += [replace(policy, rules=()) for policy in policies]
    return tuple(sorted({name for one in asked for ask in asks_of([one], touch, ground) for name in ask.people}))


def _of_files(rule: Rule) -> Rule:
    """The rule without what a forge cannot see: which fields differ, what they hold, and how many files fit."""
    return replace(rule, fields=(), when=None, at_least=1)


# --- as text ---------------------------------------------------------------------------------------------------------

_WORDS: Mapping[str, tuple[str, str]] = {
    "written": (
        "Written from the approval policies of the store. Write it anew when people or rules change:",
        "由本库的审批策略生成；人员或规则变动后请重新生成：",
    ),
    "one": (
        "A forge is content with one owner of a file. Remit wants every approver that every matching rule asks for.",
        "代码平台只要求文件的任一负责人同意；Remit 要求每条适用规则所列的全部审批人。",
    ),
    "levels": (
        "A forge knows no level above: when an owner is the author, Remit asks further up.",
        "代码平台没有上一级的概念：负责人即作者时，Remit 会请上一级审批。",
    ),
    "partly": (
        "These rules are about some changes of a file only; here they count for every change of it:",
        "以下规则只针对文件的部分改动；此处对该文件的任何改动都适用：",
    ),
    "fields": ("fields", "字段"),
    "when": ("when", "条件"),
    "many": ("{} files or more in one change", "同一变更涉及 {} 个或更多文件"),
    "several": ("These rules want more than one person:", "以下规则需要多人审批："),
    "unreachable": (
        "These people have no e-mail, so a forge cannot ask them:",
        "以下人员没有电子邮件，代码平台无法通知：",
    ),
    "nobody": ("nobody whom a forge can ask", "无人可通知"),
}


def codeowners_text(
    lines: Sequence[Owned], policies: Sequence[Approvals], world: World, *, prefix: str = "", language: str = "en"
) -> str:
    """The file; ``prefix`` is where the store is in its repository, empty or ending with a slash.

    A path whose owners all lack an e-mail has no line of its own but a comment: a line without owners would free it.
    """

    def word(key: str) -> str:
        return _WORDS[key][language == "zh"]

    emails = {person.name: _email(person.spec.get("contact")) for person in world.all("Person")}
    named = sorted({name for line in lines for name in line.people})
    head = [word("written"), "  remit export codeowners", "", word("one"), word("levels")]
    notes = {
        "partly": list(_partly(policies, word("fields"), word("when"), word("many"))),
        "several": list(_several(policies)),
        "unreachable": [name for name in named if not emails[name]],
    }
    for key, rows in notes.items():
        head += ["", word(key), *(f"  {row}" for row in rows)] if rows else []
    body = []
    for line in lines:
        owners = sorted({emails[name] for name in line.people if emails[name]})
        pattern = _pattern(prefix + line.path)
        body.append(f"{pattern} {' '.join(owners)}" if owners else f"# {pattern}: {word('nobody')}")
    return "\n".join([*(f"# {row}".rstrip() for row in head), "", *body, ""])


def _email(contact: object) -> str:
    email = contact.get("email") if isinstance(contact, dict) else None
    return email if isinstance(email, str) and not any(char.isspace() for char in email) else ""


def _partly(policies: Iterable[Approvals], fields: str, when: str, many: str) -> Iterator[str]:
    for policy in policies:
        for rule in policy.rules:
            parts = [f"{fields} {' '.join(pointer_text(field) for field in rule.fields)}"] if rule.fields else []
            parts += [f"{when} {' '.join(rule.when.text.split())}"] if rule.when is not None else []
            parts += [many.format(rule.at_least)] if rule.at_least > 1 else []
            kinds = f" ({', '.join(rule.kinds)})" if rule.kinds else ""
            if parts:
                yield f"{policy.name}/{rule.name}{kinds}: {'; '.join(parts)}"


def _several(policies: Iterable[Approvals]) -> Iterator[str]:
    for policy in policies:
        for rule in (*policy.rules, *([policy.default] if policy.default else [])):
            wanted = [f"{one.count} {one.label}" for one in rule.approvers]
            if sum(one.count for one in rule.approvers) > 1:
                yield f"{policy.name}/{rule.name}: {' + '.join(wanted)}"


def _pattern(path: str) -> str:
    # A line end in a name would begin a line of its own; "?" is any one character.
    shown = "".join(sign if sign.isprintable() else "?" for sign in path)
    return "/" + shown.replace("\\", "\\\\").replace(" ", "\\ ").replace("#", "\\#")
