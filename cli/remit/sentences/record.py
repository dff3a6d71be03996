"""Why a record is not made, changed, renamed or removed."""

SENTENCES = {
    "no-other": ("{path} holds {record} and no other record.", "{path} 只能存放 {record}，不能是其他记录。"),
    "feeds-only": ("{kind} comes from feeds only and has no records.", "{kind} 只来自数据源，没有记录。"),
    "give-facts": ("Give it with --facts PATH.", "请用 --facts 路径 提供。"),
    "in-use": (
        "{record} is in use in {count:file|files}, so it stays:\n{lines:lines}",
        "{record} 仍被 {count} 个文件引用，不能删除：\n{lines:lines}",
    ),
    "more-users": (
        "  and {count} more; all of them: remit show {record} --all",
        "  另有 {count} 处；全部列出：remit show {record} --all",
    ),
    "let-go-first": (
        "Let these name something else first, or rename it with: remit rename {record} NEW-NAME. To keep history, end it instead (status or validTo).",
        "请先让它们引用其他记录，或改名：remit rename {record} 新名称。如要保留历史，请改为终止它（status 或 validTo）。",
    ),
    "no-schema": ("No schema describes the kind {kind} of {path}.", "没有描述 {path} 的类型 {kind} 的模式。"),
    "no-name": ("{name} cannot be the name of a record.", "{name} 不能作为记录的名称。"),
    "what-names-are": (
        "A name has 1 to 63 lower-case letters, digits and dashes, and begins with a letter or digit.",
        "名称由 1 至 63 个小写字母、数字和短横组成，以字母或数字开头。",
    ),
    "reserved-name": (
        "{name} is reserved: Windows cannot have a file of that name.",
        "{name} 是保留名：Windows 不允许有此名称的文件。",
    ),
    "longer-name": ("Choose a longer name.", "请使用更长的名称。"),
    "exists": ("{record} exists already: {path}.", "{record} 已存在：{path}。"),
    "set-instead": ("Change it with: remit set {record} path=value", "修改请用：remit set {record} 字段=值"),
    "file-there": ("There is already a file {path}.", "文件 {path} 已存在。"),
    "run-check": ("Run: remit check", "请执行：remit check"),
    "rename-it": ("A name is not set but renamed.", "名称不能设置，只能改名。"),
    "behind-the-end": (
        "{place} lies behind the end of the list: it has {count:item|items}.",
        "{place} 超出列表末尾：列表只有 {count} 项。",
    ),
    "add-one": ("Add one with [+].", "请用 [+] 追加一项。"),
    "nothing-inside": (
        "{place} holds {value}, which has nothing inside.",
        "{place} 的值是 {value}，其中没有下级字段。",
    ),
    "needs-name": ("Every record has a name.", "每条记录都须有名称。"),
    "has-no": ("{record} has no {field}.", "{record} 没有 {field}。"),
    "not-right": (
        "Nothing was written, because {record} would not be right:\n{lines:lines}",
        "未写入任何内容，因为 {record} 会有错误：\n{lines:lines}",
    ),
    "finding": ("  {place}  {severity}  {code}  {message}", "  {place}  {severity}  {code}  {message}"),
    "finding-and-hint": (
        "  {place}  {severity}  {code}  {message} {hint}",
        "  {place}  {severity}  {code}  {message} {hint}",
    ),
}
