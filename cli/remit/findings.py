"""Findings: everything that can be wrong with records, feeds, rules and cases, each under a stable code.

``CODES`` is the one list of codes; the reference page is generated from it and a test holds the two together.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from remit.places import Place
from remit.sentences import say

Severity = Literal["error", "warning", "info"]
_ORDER: dict[str, int] = {"error": 0, "warning": 1, "info": 2}


class Code(NamedTuple):
    """What a code says about the data, and how bad that is."""

    severity: Severity
    meaning: str
    chinese: str

    def in_words(self, language: str) -> str:
        """The meaning in ``language`` (zh, or else English)."""
        return self.chinese if language == "zh" else self.meaning


CODES: dict[str, Code] = {
    # files and YAML
    "unreadable-file": Code("error", "The file cannot be read: not UTF-8, a control character, or larger than the limit.", "文件无法读取：不是 UTF-8、含控制字符，或超过大小上限。"),
    "not-a-regular-file": Code("error", "A symbolic link, submodule or device where a file of the store belongs.", "应为配置库文件之处却是符号链接、子模块或设备。"),
    "yaml-syntax": Code("error", "The text is not YAML.", "文本不是 YAML。"),
    "yaml-too-deep": Code("error", "The document nests deeper, or holds more values, than a record may.", "文档嵌套过深，或值的数量超过记录的上限。"),
    "yaml-alias": Code("error", "An anchor, alias or merge key: a record says what it means in place.", "使用了锚、别名或合并键：记录须就地写明内容。"),
    "yaml-tag": Code("error", "A YAML tag: records hold JSON types only.", "使用了 YAML 标签：记录只含 JSON 类型。"),
    "yaml-many-documents": Code("error", "More than one document, or none, in the file.", "文件中有多个文档，或一个也没有。"),
    "yaml-duplicate-key": Code("error", "A mapping has the same key twice.", "映射中同一个键出现两次。"),
    "yaml-key-not-text": Code("error", "A mapping key that is not text.", "映射的键不是文本。"),
    "yaml-ambiguous": Code("error", "A value that two readers would take differently, such as no, 012, 12:30 or a bare date.", "不同程序会有不同读法的值，如 no、012、12:30 或不带引号的日期。"),
    "yaml-number-range": Code("error", "A number beyond what every reader holds exactly.", "数值超出各种程序都能精确表示的范围。"),
    # records
    "misplaced-file": Code("error", "The file is not where its kind and name say it should be.", "文件不在其类型和名称所对应的位置。"),
    "unknown-kind": Code("error", "No schema describes this kind.", "没有描述此类型的模式。"),
    "duplicate-record": Code("error", "Two files hold the same kind and name.", "两个文件的类型和名称相同。"),
    "schema-violation": Code("error", "A value does not fit the schema of its kind.", "值不符合其类型的模式。"),
    "unknown-field": Code("error", "The schema of the kind has no such field.", "该类型的模式中没有此字段。"),
    "missing-field": Code("error", "A field that the schema requires is missing.", "缺少模式要求的字段。"),
    "not-in-enum": Code("error", "A value is not one of those that the schema lists.", "值不在模式列出的取值之中。"),
    "invalid-schema": Code("error", "A schema file is not a valid, safe JSON Schema.", "模式文件不是有效且安全的 JSON Schema。"),
    "key-invalid": Code("error", "A signing key of a person is no public key, or too weak.", "人员的签名密钥不是公钥，或强度不足。"),
    "key-shared": Code("error", "A signing key stands in two places; it must belong to one person, once.", "同一签名密钥出现在两处；密钥只能属于一人，且只登记一次。"),
    "not-unique": Code("error", "Two records share a value that must be unique.", "两条记录有相同的值，而该值必须唯一。"),
    "invalid-config": Code("error", "remit.yaml is missing something or says something it cannot.", "remit.yaml 缺少内容，或内容无效。"),
    # references and time
    "unknown-reference": Code("error", "A reference names a record that does not exist.", "引用的记录不存在。"),
    "wrong-kind-reference": Code("error", "A reference names a record of another kind than the field allows.", "引用的记录不是该字段允许的类型。"),
    "reference-not-valid": Code("error", "A reference names a record that is not valid on the date on which it is used.", "引用的记录在使用日期无效。"),
    "validity-overlap": Code("error", "Two records that must not hold at the same time overlap.", "两条不得同时有效的记录在时间上重叠。"),
    "invalid-period": Code("error", "Something ends before it begins.", "结束早于开始。"),
    # policies
    "condition-syntax": Code("error", "A condition is not a CEL expression.", "条件不是 CEL 表达式。"),
    "condition-type": Code("error", "A condition compares or combines values of unlike types.", "条件比较或组合了不同类型的值。"),
    "condition-unknown-field": Code("error", "A condition uses a field that the schema does not have.", "条件使用了模式中没有的字段。"),
    "condition-unknown-name": Code("error", "A condition uses a variable, function or parameter that does not exist.", "条件使用了不存在的变量、函数或参数。"),
    "condition-not-in-enum": Code("error", "A condition compares a field with a value that its enum does not have.", "条件把字段与其取值之外的值相比较。"),
    "condition-unguarded": Code("error", "A condition uses an optional field without has().", "条件使用可选字段而未加 has()。"),
    "condition-unsupported": Code("error", "A condition uses a part of CEL that Remit does not support.", "条件使用了 Remit 不支持的 CEL 部分。"),
    "condition-not-bool": Code("error", "An expression gives a value of another type than its place needs.", "表达式的结果类型与所在位置的要求不符。"),
    "level-reaches-nobody": Code("error", "A level notifies a role that nobody reachable holds.", "某级通知的角色没有任何可联系的人。"),
    "nobody-may-approve": Code("error", "An approval rule asks for a role that nobody holds or a team that is not there.", "审批规则要求的角色无人担任，或团队不存在。"),
    "template-invalid": Code("error", "A message template does not parse, or uses a name that it is not given.", "消息模板无法解析，或使用了未提供的名称。"),
    "policy-cycle": Code("error", "Policies that react to each other's decisions in a circle.", "策略之间相互依赖对方的结论，形成循环。"),
    "policy-invalid": Code("error", "A policy contradicts itself.", "策略自相矛盾。"),
    "condition-never-true": Code("error", "A condition that no record or fact can meet.", "没有记录或事实能满足的条件。"),
    "condition-never-false": Code("error", "A condition that every record and fact meets.", "所有记录和事实都满足的条件。"),
    "level-out-of-order": Code("error", "A later level of a ladder is crossed before an earlier one.", "上报级别中较后的一级先于较前的一级到达。"),
    "level-same-instant": Code("error", "Two levels for the same subjects are crossed at one instant.", "对同一对象的两个级别在同一时刻到达。"),
    "level-preempted": Code("error", "A level says nothing that an earlier one has not said to the same people at that instant.", "某级没有告诉同一批人任何前一级未说过的内容。"),
    "calendar-without-year": Code("error", "A calendar is asked about a year whose days it does not know.", "需要用到日历中没有的年份。"),
    "calendar-ends": Code("warning", "Working time that is counted now ends in a year whose days the calendar does not know.", "正在计算的工作时间延续到日历中没有的年份。"),
    "unread-parameter": Code("warning", "No policy reads a parameter, and it is not marked as reserved.", "没有策略读取该参数，且未标明为保留。"),
    "no-clauses": Code("info", "A policy names no clause that it carries out.", "策略未注明所执行的条款。"),
    "table-hole": Code("error", "A look-up table has no row for a combination of its inputs.", "查找表中没有对应某种输入组合的行。"),
    "table-overlap": Code("error", "A look-up table has two rows for a combination of its inputs.", "查找表中有两行对应同一输入组合。"),
    "table-unreachable": Code("error", "A row of a look-up table is never reached.", "查找表中有永远用不到的行。"),
    "no-governing-term": Code("warning", "No service term governs a subject that a policy measures against one.", "策略按时限考核的对象没有适用的服务条款。"),
    "fact-without-subject": Code("warning", "A fact counts for nobody who is scored, so an assessment leaves it out.", "事实不属于任何被考核者，因此不计入考核。"),
    "fact-without-instant": Code("info", "A fact has no instant that puts it into a period, so an assessment leaves it out.", "事实没有可归入考核期的时间，因此不计入考核。"),
    "subject-without-group": Code("warning", "Someone who is scored belongs to no group, so nobody is ranked with them.", "被考核者不属于任何组，因此无从排名。"),
    "pool-unshared": Code("warning", "A bonus pool cannot be shared out, or nobody who is ranked belongs to its group.", "奖金池无法分配，或其组内没有参与排名的人。"),
    "rank-by-name": Code("info", "A forced ranking tells two apart by their names only.", "强制排名仅凭名称区分两者。"),
    "no-cases": Code("warning", "A policy has no cases beside it.", "策略没有相应的用例。"),
    "case-failed": Code("error", "A case expects other decisions than the policy gives.", "用例期望的结论与策略给出的不同。"),
    "uncovered-level": Code("error", "No case of a changed policy sees this level fire, or sees it stay silent.", "已修改策略的某一级没有触发或不触发的用例。"),
    "case-invalid": Code("error", "A case file does not have the shape of cases.", "用例文件的格式不正确。"),
    "forbidden-transition": Code("error", "A record moved to a state that its lifecycle does not allow from the old one.", "记录的状态变化不为其生命周期所允许。"),
    "review-owed": Code("warning", "A change went in by an emergency and was not looked at since; an error once that is overdue.", "变更已紧急执行而尚未补审；逾期后为错误。"),
    "state-requirement": Code("error", "A record is in a state without what the state requires.", "记录处于某状态，却缺少该状态所要求的内容。"),
    # facts
    "unreadable-feed": Code("error", "A feed cannot be read at all.", "数据源完全无法读取。"),
    "bad-row": Code("error", "A row of a feed is not well formed.", "数据源中的一行格式不正确。"),
    "row-schema": Code("error", "A row of a feed does not fit the schema of its kind.", "数据源中的一行不符合其类型的模式。"),
    "row-reference": Code("error", "A row of a feed refers to a record that does not exist.", "数据源中的一行引用了不存在的记录。"),
    "row-duplicate": Code("error", "A row repeats the id of an earlier row of its kind.", "一行的编号与同类型中较早的一行重复。"),
    "row-unmapped": Code("error", "A row holds something that the mapping does not cover.", "一行中含有映射未涵盖的内容。"),
    "row-not-a-fact": Code("warning", "A well-formed body that is not a fact of any kind, named so that nothing vanishes.", "格式正确但不属于任何类型的内容，列出以免遗漏。"),
    "field-left-out": Code("info", "A field of a foreign row has no place in the schema and was left out.", "外部数据的某字段在模式中没有对应位置，已略去。"),
    "invalid-mapping": Code("error", "A mapping file does not have the shape of mappings.", "映射文件的格式不正确。"),
    "events-repeated": Code("info", "Lines of an event log that repeat another line exactly were taken once.", "事件日志中完全相同的行只取一次。"),
    "events-differ": Code("info", "A column differs among the events of one fact, and the mapping says which is taken.", "同一事实的各事件在某列上不同，按映射的规定取值。"),
    "value-assumed": Code("info", "A foreign row does not say what the schema requires, and the mapping's default was taken.", "外部数据缺少模式要求的内容，已采用映射的默认值。"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, where, what was expected and what to do next.

    ``pointer`` is the JSON Pointer inside the file, ``record`` the id (``Kind/name``); either may be empty.
    """

    code: str
    severity: Severity
    message: str
    place: Place
    hint: str = ""
    pointer: str = ""
    record: str = ""

    def to_json(self) -> dict[str, Any]:
        """The shape of design section 9: place spread over path, line and column."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "path": self.place.path,
            "line": self.place.line,
            "column": self.place.column,
            "pointer": self.pointer,
            "record": self.record,
        }


def finding(code: str, message: str, place: Place, *, hint: str = "", pointer: str = "", record: str = "") -> Finding:
    """A finding of a known ``code``, with the severity that ``CODES`` gives it."""
    return Finding(code, CODES[code].severity, message, place, hint, pointer, record)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The same findings by place, then severity, code and message; each once."""
    return tuple(sorted(set(findings), key=_sort_key))


def _sort_key(one: Finding) -> tuple[Place, int, str, str, str, str]:
    return (one.place, _ORDER[one.severity], one.code, one.message, one.hint, one.pointer)


def count(findings: Sequence[Finding]) -> dict[str, int]:
    """How many of each severity; every severity is a key."""
    return {severity: sum(f.severity == severity for f in findings) for severity in _ORDER}


def has_errors(findings: Iterable[Finding]) -> bool:
    """True when any finding is an error."""
    return any(f.severity == "error" for f in findings)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like ``name``, or an empty text when none is near."""
    return _nearest(name, tuple(sorted(known)))


# A name that is gone is missed by everything that refers to it.
@lru_cache(maxsize=64)
def _nearest(name: str, known: tuple[str, ...]) -> str:
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return matches[0] if matches else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``Did you mean "x"?`` when a known name is near, otherwise the known names, or nothing when there are many."""
    names = sorted(known)
    if near := nearest(name, names):
        return say("common.did-you-mean", name=near)
    return say("common.known", names=names) if 0 < len(names) <= 12 else ""


def added_to(known: Iterable[Finding], found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of ``found`` that are not among ``known``; one that only moved to another line is not new."""
    matters = {_matter(one) for one in known}
    return tuple(one for one in found if _matter(one) not in matters)


def _matter(one: Finding) -> tuple[str, str, str, str]:
    return (one.code, one.place.path, one.pointer, one.message)
