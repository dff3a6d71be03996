"""What an audit says of a history."""

SENTENCES = {
    "cause-damaged": (
        "damaged: objects are missing, or are not what their names say",
        "损坏：对象缺失，或内容与名称不符",
    ),
    "cause-rewritten": (
        "rewritten: the history does not go back to what was there before",
        "被改写：历史不再源自此前的提交",
    ),
    "cause-unapproved": ("unapproved: nobody allowed it, or too few did", "未获批准：无人批准，或批准人数不足"),
    "cause-signature": (
        "not their words: what somebody signed is forged, outworn or about something else",
        "并非本人所言：签名系伪造、已失效或针对其他内容",
    ),
    "cause-own-approval": (
        "own approval: people who wrote it approve of it, or speak twice",
        "自我批准：修改者自己批准，或重复表态",
    ),
    "cause-key": ("keys: the last one would be gone", "密钥：最后一个密钥会被删去"),
    "cause-date": ("dates that cannot be", "日期：不可能的日期"),
    "cause-shape": ("shapes that two readers would read differently", "格式：不同程序会有不同读法"),
    "cause-error": (
        "unjudged: it cannot be read, or leaves the store with errors",
        "无法判定：无法读取，或使配置库出现错误",
    ),
    "no-range": ('"{range}" is no range', "“{range}”不是提交范围"),
    "empty-range": (
        '"{range}" holds nothing to prove: {tip} does not come after {start}',
        "“{range}”中没有可核验的内容：{tip} 不在 {start} 之后",
    ),
    "one-line": (
        "it does not come after {before} alone; the history is one line",
        "它不是只接在 {before} 之后；历史须为一条线",
    ),
    "date-to-come": ("its date {date} is still to come", "其日期 {date} 尚未到来"),
    "ask-who-rewrote": (
        "ask who rewrote it, and why, before you trust it",
        "请先问清是谁改写、为何改写，再决定是否信任",
    ),
    "other-root": ("{branch} does not go back to the root of trust {root}", "{branch} 不源自信任根 {root}"),
    "not-after-proved": (
        "{branch} does not come after {proved}, which was proved before",
        "{branch} 不在此前核验过的 {proved} 之后",
    ),
    "not-after-seen": (
        "{branch} of {remote} does not come after {seen}, which it showed before",
        "{remote} 的 {branch} 不在它此前展示过的 {seen} 之后",
    ),
    "shows-old": (
        "{remote} shows {branch} at {shown}, {count:commit|commits} behind {seen}, seen before; last proved: {proved}",
        "{remote} 现在展示的 {branch} 是 {shown}，比它此前展示过的 {seen} 少 {count} 个提交；最近核验到：{proved}",
    ),
    "shows-other": (
        "{remote} shows {branch} at {shown}, not after {seen}, seen before: they part at {fork}; last proved: {proved}",
        "{remote} 现在展示的 {branch} 是 {shown}，不在它此前展示过的 {seen} 之后：两者在 {fork} 分开；最近核验到：{proved}",
    ),
    "shows-none": (
        "{remote} does not show {branch} any more; it showed {seen} before; last proved: {proved}",
        "{remote} 不再展示 {branch}；它此前展示过 {seen}；最近核验到：{proved}",
    ),
    "what-to-do": (
        "ask who keeps {remote}, and compare with somebody else's clone: the longer history that proves itself holds",
        "信任 {remote} 之前，请先询问其管理者；您这里的历史保持不变：请与他人的克隆比对，以能自证的较长历史为准",
    ),
    "unasked": ("{remote} was not asked what it shows now: {why}", "未能询问 {remote} 现在展示的内容：{why}"),
    "newer": (
        "{remote} shows {count:commit|commits} more, up to {tip}: git fetch, and audit again",
        "{remote} 还有 {count} 个更新的提交，直到 {tip}：请先 git fetch，再次核验",
    ),
    "no-fingerprint": ("{text} is not the fingerprint of a key", "{text} 不是密钥指纹"),
    "where-fingerprints": (
        "remit keys lists those of the store; of a file: ssh-keygen -l -f FILE.pub",
        "remit keys 可列出配置库中的指纹；查看文件的指纹：ssh-keygen -l -f 文件.pub",
    ),
    # the report
    "cause-count": ("{cause} ({count})", "{cause}（{count}）"),
    "by-rule": ("{where}{message} (rule {rule})", "{where}{message}（规则 {rule}）"),
    "by-rule-and-more": (
        "{where}{message} (rule {rule}, and {count} more)",
        "{where}{message}（规则 {rule}，另有 {count} 处）",
    ),
    "more-places": ("and {count} places more; --format json lists them", "另有 {count} 处；--format json 可全部列出"),
    "more-commits": (
        "and {count} commits more; --format json lists them",
        "另有 {count} 个提交；--format json 可全部列出",
    ),
    "owed": (
        "owed: emergency changes that nobody has looked at since ({count})",
        "待补审：紧急执行后尚未补审的变更（{count}）",
    ),
    "proved-nothing-found": (
        "{count:commit|commits} of {branch} proved, {range}: nothing found",
        "已核验 {branch} 的 {count} 个提交，{range}：未发现问题",
    ),
    "proved-and-found": (
        "{count:commit|commits} of {branch} proved, {range}: {found:thing|things} found",
        "已核验 {branch} 的 {count} 个提交，{range}：发现 {found} 个问题",
    ),
    "trace-heads": ("commit|change|said|by|at|where", "提交|变更|意见|人员|时间|位置"),
    "used": ("{key} was used {count:time|times}", "{key} 使用过 {count} 次"),
}
