"""Changes, what they touch, and what people said about them: values and their one canonical text each.

An approval is about one exact thing: it names the repository, the branch, the base, the tree and the digest of the
manifest, and counts for nothing when any of them is another. Everything here is written in exactly one way, so that
a text that was read gives back the same bytes; a text written in any other way is not read at all.

Source: design section 7; security rules R1, R2, R7, R8.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple, cast, get_args

Verdict = Literal["propose", "approve", "reject", "emergency", "withdraw"]

APPROVAL_FORMAT = "remit-approval-v1"
MANIFEST_FORMAT = "remit-manifest-v1"
CHANGE_TRAILER = "Remit-Change"
REVIEWED_TRAILER = "Remit-Reviewed"
EFFECTIVE_TRAILER = "Remit-Effective"
APPROVAL_TRAILER = "Remit-Approval"

GOVERNED_FILES = ("remit.yaml",)
GOVERNED_FOLDERS = ("rules", "schemas", "records/people", "records/role-assignments")
"""What decides who may approve: an approval of one base never outlives a move of these. Security rule R6."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_OID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REF = re.compile(r"refs/heads/[^\x00-\x20\x7f]+")
_CO_AUTHOR = re.compile(r"(?im)^co-authored-by:.*<([^<>\n]+)>\s*$")
_FIELDS = (
    "repository", "ref", "change", "base", "tree", "manifest", "words", "verdict", "person", "at", "not-after",
    "reason",
)  # fmt: skip


def is_name(text: str) -> bool:
    """True for what may name a change or a person: lower-case letters, digits and dashes, up to 63."""
    return _NAME.fullmatch(text) is not None


def is_governed(path: str) -> bool:
    """True for a path (relative to the store) whose content decides who may approve what."""
    return path in GOVERNED_FILES or any(path.startswith(f"{folder}/") for folder in GOVERNED_FOLDERS)


class Person(NamedTuple):
    """Who wrote something: a name and e-mail as git has them, and the Person record with that e-mail, if any.

    ``others`` are further persons who had a part in it.
    """

    name: str
    email: str
    person: str = ""
    others: tuple[str, ...] = ()


class Touched(NamedTuple):
    """One path of a change, relative to the top of the repository, with its blob before and after (None: absent)."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Manifest:
    """Everything that a change touches, sorted by path; build it with ``manifest``."""

    entries: tuple[Touched, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, sorted."""
        return tuple(entry.path for entry in self.entries)

    def text(self) -> bytes:
        """The canonical text: the format, then a line for each path."""
        rows = (f"{old or '-'} {new or '-'} {json.dumps(path)}\n" for path, old, new in self.entries)
        return f"{MANIFEST_FORMAT}\n{''.join(rows)}".encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text, in hex."""
        return hashlib.sha256(self.text()).hexdigest()


def manifest(entries: Iterable[Touched]) -> Manifest:
    """The manifest of ``entries`` in any order; one that changes nothing is left out."""
    changing = {entry for entry in entries if entry.old != entry.new}
    return Manifest(tuple(sorted(changing, key=lambda entry: (entry.path, entry.old or "", entry.new or ""))))


@dataclass(frozen=True)
class Change:
    """A proposal as it stands on its branch.

    Attributes:
        id: Such as ``c-20261015-ab12cd``; the branch is ``change/<id>``.
        title: First line of what the proposer wrote; ``body`` is the rest.
        author: Who wrote its newest commit.
        base: The commit of the protected branch on which it was made.
        tree: What it proposes, as a tree.
        head: Its newest commit.
        manifest: What differs between base and tree.
        ref: The protected branch that it is for, as a full ref.
        created: When its newest commit was written.
        contributors: E-mails of everybody who wrote any part of it; none of them may approve it.
        effective: From when on it may be applied; None: at once.
        proposed: What its proposer signed, when the newest commit carries it.
    """

    id: str
    title: str
    body: str
    author: Person
    base: str
    tree: str
    head: str
    manifest: Manifest
    ref: str
    created: datetime
    contributors: tuple[str, ...] = ()
    effective: datetime | None = None
    proposed: Approval | None = None

    @property
    def message(self) -> str:
        """Title and body as one text."""
        return f"{self.title}\n\n{self.body}" if self.body else self.title

    @property
    def words(self) -> str:
        """The digest of what its commit will say, and from when on."""
        return words_digest(self.message, self.effective)


@dataclass(frozen=True)
class Approval:
    """One person's verdict on one exact change; ``signature`` is empty until it is signed.

    ``at`` and ``not_after`` are instants; ``not_after`` itself is still in time.
    """

    change: str
    repository: str
    ref: str
    base: str
    tree: str
    manifest_digest: str
    words: str
    verdict: Verdict
    person: str
    at: datetime
    not_after: datetime | None = None
    reason: str = ""
    signature: str = ""


class Candidate(NamedTuple):
    """A person who may satisfy a need, and the steps by which the rule came to that person."""

    person: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Need:
    """What one approval rule asks of a change.

    Attributes:
        rule: The policy and rule that ask, such as ``ApprovalPolicy/people/four-eyes``.
        count: How many different people.
        candidates: Who may be one of them; contributors of the change never count, also when listed.
        exact_base: An approval counts only while the protected branch is where the change was made.
        text: What is asked, in words, when the rule has any.
    """

    rule: str
    count: int
    candidates: tuple[Candidate, ...]
    exact_base: bool = False
    text: str = ""


# -- approvals as text -------------------------------------------------------------------------------------------------


def signed_text(approval: Approval) -> bytes:
    """What a signature is over: the format version, then one ``key: value`` a line, always in the same order."""
    values = (
        approval.repository, approval.ref, approval.change, approval.base, approval.tree, approval.manifest_digest,
        approval.words, approval.verdict, approval.person, _instant_text(approval.at),
        _instant_text(approval.not_after), _quote(approval.reason),
    )  # fmt: skip
    rows = (f"{key}: {value}\n" for key, value in zip(_FIELDS, values, strict=True))
    return f"{APPROVAL_FORMAT}\n{''.join(rows)}".encode()


def approval_text(approval: Approval) -> bytes:
    """The canonical text of an approval: what is signed, then the signature in a line of its own."""
    return signed_text(approval) + f"signature: {_quote(approval.signature)}\n".encode()


def parse_approval(data: bytes) -> Approval | None:
    """The approval in ``data``, or None when the text is not exactly what ``approval_text`` writes."""
    try:
        found = _read_approval(data.decode("utf-8"))
        return found if _is_well_formed(found) and approval_text(found) == data else None
    # not UTF-8, not JSON, not an instant, too few lines; an instant beyond the calendar; brackets without end
    except (ValueError, OverflowError, RecursionError):
        return None


def _read_approval(text: str) -> Approval:
    first, *rows = text.split("\n")
    keys, values = zip(*(row.split(": ", 1) for row in rows[:-1]), strict=True)
    if first != APPROVAL_FORMAT or keys != (*_FIELDS, "signature"):
        raise ValueError("another format")
    repository, ref, change, base, tree, digest, words, verdict, person, at, not_after, reason, signature = values
    if verdict not in get_args(Verdict):
        raise ValueError("another verdict")
    written = _instant(at)
    if written is None:
        raise ValueError("no instant")
    return Approval(
        change=change, repository=repository, ref=ref, base=base, tree=tree, manifest_digest=digest, words=words,
        verdict=cast(Verdict, verdict), person=person, at=written, not_after=_instant(not_after),
        reason=_text(reason), signature=_text(signature),
    )  # fmt: skip


def _is_well_formed(approval: Approval) -> bool:
    oids = (approval.repository, approval.base, approval.tree)
    return (
        all(_OID.fullmatch(oid) for oid in oids)
        and is_name(approval.change)
        and is_name(approval.person)
        and _REF.fullmatch(approval.ref) is not None
        and all(_DIGEST.fullmatch(digest) for digest in (approval.manifest_digest, approval.words))
    )


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(quoted: str) -> str:
    value = json.loads(quoted)
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _instant_text(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at is not None else "-"


def _instant(text: str) -> datetime | None:
    return None if text == "-" else datetime.fromisoformat(text)


# -- the message of an applied commit ----------------------------------------------------------------------------------


class Message(NamedTuple):
    """A commit message taken apart.

    Attributes:
        text: The author's words.
        change: The change that the commit proposes or applies (empty: none).
        approvals: What people signed about it, the proposal first, then by person.
        effective: From when on it may be applied; None: at once.
        reviewed: The emergency change that the commit says was looked at afterwards (empty: none); then ``change`` is
            empty.
    """

    text: str
    change: str = ""
    approvals: tuple[Approval, ...] = ()
    effective: datetime | None = None
    reviewed: str = ""


def words_digest(text: str, effective: datetime | None = None) -> str:
    """SHA-256, in hex, of what a change says and from when on it may be applied."""
    return hashlib.sha256(f"{text.strip()}\n{_instant_text(effective)}\n".encode()).hexdigest()


def with_trailers(
    text: str,
    change: str = "",
    approvals: Sequence[Approval] = (),
    *,
    effective: datetime | None = None,
    reviewed: str = "",
) -> str:
    """A commit message: the author's words, then one block with the change and everything signed about it."""
    rows = [f"{REVIEWED_TRAILER}: {reviewed}" if reviewed else f"{CHANGE_TRAILER}: {change}"]
    rows += [f"{EFFECTIVE_TRAILER}: {_instant_text(effective)}"] if effective is not None else []
    rows += [f"{APPROVAL_TRAILER}: {_row(approval)}" for approval in in_order(approvals)]
    return f"{text.strip()}\n\n{chr(10).join(rows)}\n"


def review_title(title: str) -> str:
    """What a commit says that looks at an emergency change of that title afterwards."""
    return f"Reviewed after the emergency: {title}"


def in_order(approvals: Iterable[Approval]) -> tuple[Approval, ...]:
    """The proposal first, then by person and time."""
    return tuple(sorted(approvals, key=lambda a: (a.verdict != "propose", a.person, a.at)))


def parse_message(message: str) -> Message:
    """The parts of a commit message.

    Only a last paragraph that is exactly what ``with_trailers`` writes counts, so that words of the author that look
    like an approval are never taken for one: ``with_trailers`` always writes its own block after them.
    """
    text, _, block = message.removesuffix("\n").rpartition("\n\n")
    pairs = [row.partition(": ")[::2] for row in block.split("\n")]
    values = {key: [value for name, value in pairs if name == key] for key, _ in pairs}
    rows = [_parse_row(value) for value in values.get(APPROVAL_TRAILER, ())]
    approvals = tuple(row for row in rows if row is not None)
    change, reviewed = ("".join(values.get(key, ())) for key in (CHANGE_TRAILER, REVIEWED_TRAILER))
    try:
        effective = _instant("".join(values.get(EFFECTIVE_TRAILER, ("-",))))
        found = Message(text.strip(), change, approvals, effective, reviewed)
        whole = with_trailers(text, change, approvals, effective=effective, reviewed=reviewed)
    except (ValueError, OverflowError):
        return Message(message.strip())
    same = (
        whole.rpartition("\n\n")[2] == f"{block}\n" and is_name(change or reviewed) and bool(change) != bool(reviewed)
    )
    return found if same else Message(message.strip())


def co_authors(message: str) -> tuple[str, ...]:
    """E-mails that a commit message names as co-authors."""
    return tuple(sorted({email.strip() for email in _CO_AUTHOR.findall(message)}))


def _row(approval: Approval) -> str:
    """An approval as one line: the lines of its canonical text as a JSON list, readable in ``git log``."""
    lines = approval_text(approval).decode().removesuffix("\n").split("\n")
    return json.dumps(lines, ensure_ascii=False, separators=(",", ":"))


def _parse_row(text: str) -> Approval | None:
    try:
        lines = json.loads(text)
        whole = "".join(f"{line}\n" for line in lines if isinstance(line, str)).encode()
    except (ValueError, TypeError, RecursionError):
        return None
    found = parse_approval(whole)
    return found if found is not None and _row(found) == text else None
