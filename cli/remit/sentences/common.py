"""What many commands say: names that are not known, and words for nothing and for more."""

SENTENCES = {
    "did-you-mean": ('Did you mean "{name}"?', "您是指“{name}”吗？"),
    "error": ("error: {message}", "错误：{message}"),
    "next": ("Next: {step}", "下一步：{step}"),
    "see-help": ("See: {command} --help", "请查看：{command} --help"),
    "no-command": ("There is no command {text}.", "没有命令 {text}。"),
    "give-again": ("When that is put right, give the command again.", "排除后请重新执行该命令。"),
    "no-memory": ("the system grants no more memory", "系统内存不足"),
    "system-refuses": ("the system refuses it: {why}", "系统拒绝：{why}"),
    "known": ("Known: {names}.", "可用的有：{names}。"),
    "no-kind": ("There is no kind {text}.", "没有类型 {text}。"),
    "no-record": ("There is no record or policy {text}.", "没有记录或策略 {text}。"),
    "several-records": ("{text} names {count} records.", "{text} 对应 {count} 条记录。"),
    "say-which": ("Say which: {names}.", "请指明其一：{names}。"),
    "see-list": ("See: remit list {kind}", "请查看：remit list {kind}"),
    "look-for-it": ("Look for it with: remit search TEXT", "可用 remit search 文字 查找"),
}
