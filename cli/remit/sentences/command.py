"""What the commands of changes and keys say when they are done, and how they are to be given."""

SENTENCES = {
    # how a command is to be given
    "since-with-suspect": (
        "--since goes with --suspect; a range is written FROM..TO",
        "--since 须与 --suspect 同用；提交范围写作 FROM..TO",
    ),
    "emergency-message": (
        "-m says why an emergency cannot wait; it goes with --emergency.",
        "-m 用于说明紧急执行的原因，须与 --emergency 同用。",
    ),
    "again-alone": (
        "--again keeps the words, paths and day of the change; give nothing else with it.",
        "--again 沿用原变更的说明、路径和生效日，不得另加内容。",
    ),
    "say-what-changes": ("Say what changes, and why: -m TEXT.", "请说明改了什么、为何修改：-m 文字。"),
    # what was done
    "approved": ("{person} approved {change}  {title}", "{person} 已批准 {change}  {title}"),
    "not-asked": (
        "No rule asks for your approval; it is kept with the change all the same.",
        "没有规则要求您审批；您的批准仍随变更保存。",
    ),
    "rejected": ("{person} rejected {change}  {title}", "{person} 已驳回 {change}  {title}"),
    "withdrawn": ("withdrawn {change}  {title}", "已撤回 {change}  {title}"),
    "withdrawn-for": (
        "{old} is withdrawn; {change} needs its approvals anew.",
        "{old} 已撤回；{change} 须重新审批。",
    ),
    "merge-request": ("Merge request: {page}", "合并请求：{page}"),
    "files-proposed": (
        "{count:file|files} proposed. Next: {step}",
        "已提出 {count} 个文件的变更。下一步：{step}",
    ),
    "breaks": (
        "The change brings {count:error|errors}; it cannot be applied before that is put right:",
        "此变更会新增 {count} 个错误，改正之前无法生效：",
    ),
    "applied-now": ("{change} applied as {commit}  {title}", "{change} 已生效，提交为 {commit}  {title}"),
    "applied-already": (
        "{change} was applied already as {commit}  {title}",
        "{change} 此前已生效，提交为 {commit}  {title}",
    ),
    "applied-in-emergency": (
        "{change} applied in an emergency as {commit}  {title}",
        "{change} 已紧急执行，提交为 {commit}  {title}",
    ),
    "review-on-record": (
        "Its review after the emergency is on record as {commit}",
        "紧急执行后的补审已记录，提交为 {commit}",
    ),
    "changes": ("{count:change|changes}", "共 {count} 个变更"),
    "changes-and-hidden": (
        "{count:change|changes}, {hidden} applied or withdrawn (--all shows them)",
        "共 {count} 个变更，另有 {hidden} 个已生效或已撤回（--all 可列出）",
    ),
    # editing
    "no-editor": (
        "there is no terminal to open an editor in, and $VISUAL and $EDITOR name none that needs none",
        "没有终端可供打开编辑器，$VISUAL 和 $EDITOR 也未指明编辑器",
    ),
    "edit-otherwise": (
        "remit set {record} FIELD=VALUE; or edit {path}, then remit check",
        "请用 remit set {record} 字段=值；或直接修改 {path}，再执行 remit check",
    ),
    "removed-meanwhile": ("{path} was removed meanwhile.", "{path} 在此期间已被删除。"),
    "changed-meanwhile": (
        "Somebody changed {path} meanwhile:\n{conflicts}",
        "在此期间 {path} 已被他人修改：\n{conflicts}",
    ),
    "text-kept": (
        "Your text is in {file}. Go on with: remit edit {record} --draft {file}",
        "您的文本保存在 {file}。继续编辑：remit edit {record} --draft {file}",
    ),
    "hint-and-text-kept": (
        "{hint}\n      Your text is in {file}. Go on with: remit edit {record} --draft {file}",
        "{hint}\n      您的文本保存在 {file}。继续编辑：remit edit {record} --draft {file}",
    ),
    # drafts
    "nothing-changes": ("Nothing changes: it is so already.", "没有变化：原本就是如此。"),
    "nothing-written": ("Nothing was written (--dry-run).", "未写入任何内容（--dry-run）。"),
    "check-then-propose": (
        'Next: remit check, then remit propose -m "…"',
        "下一步：remit check，之后 remit propose -m “…”",
    ),
    # origins
    "not-bare": ("{folder} is not a bare repository", "{folder} 不是裸仓库"),
    "make-origin": (
        "make an origin: remit origin init ../origin.git",
        "可新建中心仓库：remit origin init ../origin.git",
    ),
    "check-origin-itself": (
        "check the origin itself, on its own machine",
        "请在中心仓库所在的机器上检查它本身",
    ),
    "begins-with": (
        "It begins with {commit}. In each clone, so that audit begins there too:",
        "它始于 {commit}。为使核验也由此开始，请在每个克隆中执行：",
    ),
}
