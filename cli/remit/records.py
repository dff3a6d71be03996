"""Records and policies as read, and the snapshot that holds the whole store as of one moment.

A snapshot is built from the bytes of the store's files alone, so it is the same for a commit, for the working tree and
for a change that is only proposed. A file that cannot be read becomes findings; it never hides the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Any, NamedTuple, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from remit.findings import Finding, finding
from remit.places import Place, Pointer
from remit.yamltext import Document, PackedDocument, read

CONFIG_PATH = "remit.yaml"
CASES_SUFFIX = ".cases.yaml"
FIXTURES = "rules/fixtures/"


class Gist(NamedTuple):
    """What is to be known of a record among others, so that nobody has to look into it.

    Attributes:
        names: What it refers to, each once: the kinds that may be meant, and the name.
        has_periods: Whether anything in it could be the end of a period.
    """

    names: tuple[tuple[tuple[str, ...], str], ...]
    has_periods: bool


@dataclass(frozen=True)
class Record:
    """One YAML file of one kind. ``body`` is the whole envelope; ``document`` knows where each value was written.

    ``gist`` is there when somebody has looked into it before.
    """

    kind: str
    name: str
    path: str
    body: Mapping[str, Any]
    document: Document
    gist: Gist | None = field(default=None, compare=False, repr=False)

    @property
    def id(self) -> str:
        """``Kind/name``."""
        return f"{self.kind}/{self.name}"

    @property
    def spec(self) -> Mapping[str, Any]:
        """The fields of the kind; empty when the file has none."""
        spec = self.body.get("spec")
        return spec if isinstance(spec, dict) else {}

    def peek(self) -> Mapping[str, Any]:
        """The same, and nothing is kept that had to be unpacked for it: for looking once at many."""
        return self.spec

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Name, title, labels, clauses; empty when the file has none."""
        metadata = self.body.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    def place(self, pointer: Pointer = ()) -> Place:
        """Where the value at ``pointer`` was written, or its nearest written parent."""
        return self.document.place(pointer)

    def title(self, language: str) -> str:
        """The title in ``language`` (zh or en), else in the other one, else the name."""
        return title_in(self.metadata.get("title"), language) or self.name


Packed = tuple[tuple[int, int], bytes, bytes]
"""Where a document begins, its value as ``marshal`` packs it or nothing, and its file."""


class PackedRecord(Record):
    """A record that was read elsewhere: its body is unpacked when it is asked for."""

    @classmethod
    def of(cls, kind: str, name: str, path: str, gist: Gist, packed: Packed) -> PackedRecord:
        """What ``as_record`` gave for the document."""
        made = object.__new__(cls)
        made.__dict__.update(kind=kind, name=name, path=path, gist=gist, _packed=packed)
        return made

    @cached_property
    def document(self) -> Document:
        """Where each value was written."""
        return PackedDocument.of(self.path, *self.__dict__["_packed"])

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The whole envelope."""
        body: Mapping[str, Any] = self.document.value
        return body

    def peek(self) -> Mapping[str, Any]:
        """As of every record."""
        if "document" in self.__dict__:
            return self.spec
        value = PackedDocument.of(self.path, *self.__dict__["_packed"]).value
        spec = value.get("spec") if isinstance(value, dict) else None
        return spec if isinstance(spec, dict) else {}


def title_in(title: Any, language: str) -> str:
    """A title given as one text or as {en, zh}, in ``language`` or else the other; empty when there is none."""
    if isinstance(title, str):
        return title
    if isinstance(title, dict):
        return str(title.get(language) or title.get("en") or title.get("zh") or "")
    return ""


@dataclass(frozen=True)
class Config:
    """What ``remit.yaml`` says."""

    name: str = ""
    timezone: str = "UTC"
    language: str = "en"
    protected: str = "main"
    parameters: str = ""
    calendar: str = ""
    sources: tuple[Mapping[str, Any], ...] = ()
    channels: Mapping[str, Any] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """The store's time zone."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True)
class Snapshot:
    """The whole store as of one moment.

    ``files`` are the bytes of every file of the store by path; ``commit`` is empty for anything but a commit;
    ``date`` is the commit's time. ``findings`` tell of files that could not be read as records at all.
    """

    files: Mapping[str, bytes]
    commit: str
    date: datetime | None
    config: Config
    records: tuple[Record, ...]
    policies: tuple[Record, ...]
    cases: Mapping[str, Document]
    findings: tuple[Finding, ...]
    fixtures: Mapping[str, Document] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> Mapping[str, Record]:
        """Records and policies by id; of two with one id, the first by path."""
        return {r.id: r for r in reversed((*self.records, *self.policies))}

    def knowing(self, asked: Asked) -> Snapshot:
        """The same, with all that is asked for in it. This one has the whole store; others may have a part of it."""
        return self


@dataclass(frozen=True)
class Asked:
    """Files that an answer rests on: whoever reads less than the whole store reads at least these.

    Attributes:
        called: Whatever a person may mean by this text: an id, a path, a name or a title.
        names: Records and policies of these names.
        users: Those that refer to one of these names, and case files that do.
        kinds: Records and policies of these kinds.
        paths: These files, where they are.
        quoting: Policies and case files in which these texts occur.
        everything: The whole store, such as for the nearest name to one that is not there.
    """

    called: str = ""
    names: Collection[str] = ()
    users: Collection[str] = ()
    kinds: Collection[str] = ()
    paths: Collection[str] = ()
    quoting: Collection[str] = ()
    everything: bool = False


@runtime_checkable
class Listed(Protocol):
    """Files of which one folder can be listed without the others, and which know what stands at a path by its id."""

    def id_of(self, path: str) -> str:
        """The id of a file or a whole folder; empty where there is none."""

    def below(self, folder: str) -> list[str]:
        """The paths below a folder, sorted."""


def paths_below(files: Mapping[str, bytes], folder: str) -> list[str]:
    """The paths of the files below a folder, whose name ends with a slash; sorted."""
    if isinstance(files, Listed):
        return files.below(folder)
    return sorted(path for path in files if path.startswith(folder))


def config_of(files: Mapping[str, bytes]) -> Config:
    """What ``remit.yaml`` among these files says; what holds without it when it is not there."""
    return build_snapshot({CONFIG_PATH: files[CONFIG_PATH]} if CONFIG_PATH in files else {}).config


Read = tuple[Document | None, tuple[Finding, ...]]
"""What ``yamltext.read`` gives."""


Taken = tuple[Record | None, tuple[Finding, ...]]
"""The record in a file, or every reason found why there is none; never both."""


@lru_cache(maxsize=1 << 14)
def _read(data: bytes, path: str) -> Read:
    """The same bytes at the same path, read once: a plan and a review look at several sides of one store."""
    return read(data, path)


def is_record_path(path: str) -> bool:
    """Whether a file of the store is to hold a record."""
    return path.startswith("records/") and path.endswith((".yaml", ".yml"))


def build_snapshot(
    files: Mapping[str, bytes],
    commit: str = "",
    date: datetime | None = None,
    taken: Mapping[str, Taken] | None = None,
) -> Snapshot:
    """Read every record, policy and case file among ``files``. Raises nothing: what is wrong is in ``findings``.

    Records that have been ``taken`` before are not read again.
    """
    findings: list[Finding] = []
    records: list[Record] = []
    policies: list[Record] = []
    cases: dict[str, Document] = {}
    fixtures: dict[str, Document] = {}
    config = _read_config(files, findings)
    known = taken or {}
    for path in sorted(files):
        top = path.split("/", 1)[0]
        if top not in ("records", "rules") or not path.endswith((".yaml", ".yml")):
            continue
        if path in known:
            record, reasons = known[path]
            findings.extend(reasons)
            if record is not None:
                records.append(record)
            continue
        document, problems = _read(files[path], path)
        findings.extend(problems)
        if document is None:
            continue
        if top == "rules" and path.endswith(CASES_SUFFIX):
            cases[path] = document
            continue
        if path.startswith(FIXTURES):
            fixtures[path] = document
            continue
        record, problem = as_record(document)
        if problem is not None:
            findings.append(problem)
        elif record is not None:
            (records if top == "records" else policies).append(record)
    return Snapshot(files, commit, date, config, tuple(records), tuple(policies), cases, tuple(findings), fixtures)


def as_record(document: Document) -> tuple[Record | None, Finding | None]:
    """The record in a file, or why it is none; never both."""
    body = document.value
    if not isinstance(body, dict):
        return None, finding(
            "schema-violation", "A record is a mapping with apiVersion, kind, metadata and spec.", document.place(())
        )
    kind, metadata = body.get("kind"), body.get("metadata")
    if not isinstance(kind, str):
        return None, finding(
            "missing-field",
            "The file does not say its kind.",
            document.place(()),
            hint="Add: kind: Customer (or another kind)",
        )
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str):
        name = PurePosixPath(document.path).stem
    return Record(kind, name, document.path, body, document), None


def _read_config(files: Mapping[str, bytes], findings: list[Finding]) -> Config:
    if CONFIG_PATH not in files:
        return Config()
    document, problems = read(files[CONFIG_PATH], CONFIG_PATH)
    findings.extend(problems)
    if document is None:
        return Config()
    value = document.value
    if not isinstance(value, dict):
        findings.append(finding("invalid-config", "remit.yaml is a mapping of settings.", document.place(())))
        return Config()
    settings: dict[str, Any] = {}
    for key, expected in _SETTINGS.items():
        if key not in value:
            continue
        if isinstance(value[key], expected):
            settings[key] = tuple(value[key]) if expected is list else value[key]
        else:
            findings.append(_bad_setting(document, key, f"{key} is {_SAID[expected]}"))
    for key in value:
        if key not in _SETTINGS and key != "title":
            findings.append(_bad_setting(document, key, f"remit.yaml has no setting {key!r}"))
    zone = settings.get("timezone", "UTC")
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        findings.append(_bad_setting(document, "timezone", f"{zone!r} is not an IANA time zone such as Asia/Shanghai"))
        settings.pop("timezone", None)
    if settings.get("language", "en") not in ("zh", "en"):
        findings.append(_bad_setting(document, "language", "language is zh or en"))
        settings.pop("language", None)
    return Config(**settings)


_SETTINGS: dict[str, type] = {
    "name": str,
    "timezone": str,
    "language": str,
    "protected": str,
    "parameters": str,
    "calendar": str,
    "sources": list,
    "channels": dict,
}
_SAID: dict[type, str] = {str: "a text", list: "a list", dict: "a mapping"}


def _bad_setting(document: Document, key: str, message: str) -> Finding:
    return finding("invalid-config", message + ".", document.key_place((key,)), pointer=f"/{key}")
