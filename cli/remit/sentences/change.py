"""What is said about proposing, reviewing and applying a change."""

SENTENCES = {
    # who and where
    "git-knows-nobody": ("git does not know who you are", "git 不知道您是谁"),
    "git-who": (
        'git config user.name "Your Name" && git config user.email you@example.org',
        'git config user.name "您的姓名" && git config user.email you@example.org',
    ),
    "email-of-several": ("{email} belongs to several people: {people}", "{email} 属于多人：{people}"),
    "email-own": ("give each an own e-mail", "请给每个人各自的电子邮箱"),
    "email-of-nobody": (
        "no Person record of the base has your e-mail {email}",
        "基准版本中没有任何 Person 记录的邮箱是 {email}",
    ),
    "email-set": (
        "set contact.email of your record, or git config user.email",
        "请在您的人员记录中设置 contact.email，或用 git config user.email 改为记录中的邮箱",
    ),
    "no-commit-at": (
        '"{remote}" has no commit on the protected branch "{branch}" yet',
        "“{remote}”的保护分支“{branch}”上还没有任何提交",
    ),
    "no-commit-here": (
        'this repository has no commit on the protected branch "{branch}" yet',
        "本仓库的保护分支“{branch}”上还没有任何提交",
    ),
    "commit-on": ("commit the store once on {branch}", "请先在 {branch} 上提交一次"),
    "rewritten": (
        '"{remote}" rewrote {branch}: it no longer goes back to {seen}, which was there before',
        "“{remote}”改写了 {branch}：它已不再源自此前的 {seen}",
    ),
    "ask-who-rewrote": ("ask who did, and why, before you trust it", "请先问清是谁改写、为何改写，再决定是否信任"),
    # proposing
    "bare-nothing-to-propose": (
        "this is a bare repository: it has no files to propose",
        "这是裸仓库，没有可提出变更的文件",
    ),
    "propose-from-clone": ("propose from a clone of it", "请在它的克隆中提出变更"),
    "nothing-committed": ("there is no commit yet to propose a change of", "仓库中还没有提交，无法提出变更"),
    "commit-once": ("commit the store once: git commit", "请先提交一次：git commit"),
    "nothing-to-propose": ("there is nothing to propose", "没有可提出的内容"),
    "say-which-files": ("say which files", "请指明文件"),
    "holds-secret": ("{place} holds {what}", "{place} 中有{what}"),
    "marks-of-merge": ("{place} holds the marks of a merge", "{place} 中留有合并冲突标记"),
    "keep-one-side": ("keep one of both sides, and no mark", "请保留其中一方，并删除标记"),
    "effective-too-early": (
        "the change would take effect before it is proposed",
        "变更的生效时间早于提出时间",
    ),
    "effective-later": ("choose a later --effective", "请选择更晚的 --effective"),
    "signed-here": (
        "changes are signed here, and {who} has no valid key in the base",
        "这里的变更须签名，而 {who} 在基准版本中没有有效的密钥",
    ),
    "key-by-another": (
        "somebody who has a key proposes yours: remit keys add PERSON --key FILE.pub",
        "请由已有密钥的人代为登记您的密钥：remit keys add PERSON --key FILE.pub",
    ),
    "shallow": ("this clone is shallow and lacks the base of the change", "这是浅克隆，缺少变更的基准提交"),
    "no-common-history": ("HEAD and {branch} have no common history", "HEAD 与 {branch} 没有共同的历史"),
    "regular-files-only": ("only regular files can be proposed", "只能提出普通文件"),
    "nothing-at": ("there is nothing at {path}", "{path} 处没有文件"),
    "nothing-differs": ("nothing differs from {branch}", "与 {branch} 没有差异"),
    "change-a-file": (
        "change a file of the store first: git status",
        "请先修改配置库中的文件；git status 可查看改动",
    ),
    "clash": (
        "{record} was changed on {branch} too, at the same place",
        "{record} 的同一处在 {branch} 上也已被修改",
    ),
    "clash-decide": (
        "say which shall hold: git pull --autostash, edit the file, and propose it",
        "请决定以哪个为准：git pull --autostash，改好文件后重新提出",
    ),
    "no-title": ("a change needs a title", "变更须有标题"),
    "propose-example": ('remit propose -m "what changes, and why"', 'remit propose -m "改了什么，为何修改"'),
    "odd-character": ("the message holds the character {character}", "说明中含有字符 {character}"),
    "plain-text": ("write it as plain text", "请只用普通文字"),
    # proposing again
    "went-on": (
        "{change} went on after you looked at it: it was {seen}, and is {now}",
        "{change} 在您查看之后又有改动：当时为 {seen}，现在为 {now}",
    ),
    "not-yours": (
        "{change} was proposed by {author}, not by you",
        "{change} 由 {author} 提出，不是您提出的",
    ),
    "proposer-again": (
        "its proposer proposes it again, or you propose your own",
        "请由原提出人重新提出，或由您另提变更",
    ),
    "on-tip-already": ("{change} is on the tip of {branch} already", "{change} 已基于 {branch} 的最新提交"),
    "holds-all-already": ("{branch} holds all of {change} already", "{branch} 已包含 {change} 的全部内容"),
    "not-plain-files": (
        "{change} holds something other than plain files of the store",
        "{change} 中含有配置库普通文件以外的内容",
    ),
    "propose-anew": ("propose what is wanted of it anew: remit propose", "请把需要的部分重新提出：remit propose"),
    # finding
    "fits-several": ('"{id}" fits several changes: {names}', "“{id}”对应多个变更：{names}"),
    "write-more": ("write more of the id", "请多写几位编号"),
    "no-change": ('there is no change "{id}"', "没有变更“{id}”"),
    "changes-lists": ("remit changes lists them", "remit changes 可列出全部变更"),
    "change-no-history": (
        "the change {id} has no common history with {branch}",
        "变更 {id} 与 {branch} 没有共同的历史",
    ),
    "propose-again-on": ("propose it again on {branch}", "请在 {branch} 上重新提出"),
    # where it stands
    "cannot-act": ("{change} cannot be acted on: {state}", "无法处理 {change}：{state}"),
    "is-applied": ("it is applied already, as {commit}", "它已生效，提交为 {commit}"),
    "is-withdrawn": ("it was withdrawn", "它已撤回"),
    "is-outdated": ("the protected branch has moved at {paths}", "保护分支上以下内容已变动：{paths}"),
    "is-rejected": ("it was rejected by {people}", "它已被 {people} 驳回"),
    "is-open": ("it is open", "它尚待审批"),
    "is-approved": ("it is approved", "它已获批准"),
    "is-unreadable": ("it cannot be read", "无法读取"),
    "and-more": ("{names} and {count} more", "{names} 等，另有 {count} 项"),
    # reviewing
    "runs-out-before": ("the approval would run out before it is given", "批准的失效时间早于批准时间"),
    "later-not-after": ("choose a later not-after", "请选择更晚的 --not-after"),
    "reject-needs-reason": ("a rejection needs a reason", "驳回须说明理由"),
    "reject-example": (
        'remit reject {id} -m "what should be different"',
        'remit reject {id} -m "应如何修改"',
    ),
    "reject-instead": (
        "reject it instead: remit reject {id} -m REASON",
        "可改为驳回：remit reject {id} -m 理由",
    ),
    "cannot-sign": (
        "{person} cannot sign: no key in the base is valid now ({why})",
        "{person} 无法签名：基准版本中没有当前有效的密钥（{why}）",
    ),
    "you": ("you", "您"),
    "no-key": ("there is none", "没有密钥"),
    "add-key": (
        "a change adds one: remit keys add PERSON --key FILE.pub",
        "请以变更登记密钥：remit keys add PERSON --key FILE.pub",
    ),
    "wrote-part": (
        "you wrote a part of {change}: somebody else has to judge it",
        "{change} 中有您的修改，须由他人审批",
    ),
    "review-shows-who": ("remit review shows who may", "remit review 可查看谁能审批"),
    "acted-yourself": (
        "you applied {change} in an emergency: somebody else has to look at it",
        "{change} 由您紧急执行，须由他人补审",
    ),
    # why words do not count
    "given-elsewhere": ("it was given elsewhere", "不是针对本仓库或本分支给出的"),
    "no-person-of-base": ("{person} is not a person of the base", "{person} 不是基准版本中的人员"),
    "person-wrote-part": ("{person} wrote a part of the change", "变更中有 {person} 的修改"),
    "ran-out": ("it ran out", "已过有效期"),
    "acted-in-emergency": ("{person} applied it in an emergency", "此变更由 {person} 紧急执行"),
    "not-signed": ("it is not signed", "没有签名"),
    "was-different": ("the change was different when it was given", "给出意见时变更的内容不同"),
    # what is needed
    "proposers-signature": ("the proposer's own signature", "提出人本人的签名"),
    "given-by": ("given by {people}", "已由 {people} 给出"),
    "nobody-needed": ("given by nobody, and nobody is needed", "无须任何人审批"),
    "not-before": ("not before {when}", "不早于 {when}"),
    "has-come": ("it has come", "时间已到"),
    "still-to-come": ("still to come", "时间未到"),
    "any-person": ("any person of the base", "基准版本中的任何人"),
    "one-other": (
        "one other person for rules, schemas, people and settings",
        "规则、模式、人员与设置须另一人同意",
    ),
    "never-in-emergency": (
        "what decides who approves never changes in an emergency",
        "决定由谁审批的内容不得紧急修改",
    ),
    "wants-exact-base": (
        "the rule wants the exact base, and the protected branch has moved: propose the change again",
        "规则要求基准完全一致，而保护分支已变动：请重新提出变更",
    ),
    "too-few-able": (
        "only {count} of those whom the rule names may approve; contributors never may",
        "规则所指的人中只有 {count} 人可以审批；参与修改的人不得审批",
    ),
    "some-missing": ("{count} missing", "尚缺 {count} 人"),
    "approvals": ("{count:approval|approvals}", "{count} 人批准"),
    # applying
    "would-break": (
        "{change} would leave the store with errors, first {place}: {message}",
        "{change} 生效后配置库会有错误，首先是 {place}：{message}",
    ),
    "review-lists": ("remit review {id} lists them", "remit review {id} 可列出全部错误"),
    "may-not-apply": ("{change} may not be applied: {why} (rule {rule})", "{change} 不能生效：{why}（规则 {rule}）"),
    "waits-for-day": ("{change} waits for its day: {need}", "{change} 尚未到生效时间：{need}"),
    "apply-then": ("apply it then", "请到时再执行 remit apply"),
    "not-approved": ("{change} is not approved: {missing:;}", "{change} 尚未获得批准：{missing:;}"),
    "missing-need": ("{rule}: {why} ({need})", "{rule}：{why}（{need}）"),
    "review-shows-approvers": ("remit review {id} shows who may approve", "remit review {id} 可查看谁能审批"),
    "does-otherwise": (
        "{change} does something else by now than when it was proposed: {branch} has moved",
        "{branch} 已变动，{change} 现在的效果与提出时不同",
    ),
    "review-then-again": (
        "remit review {id} shows it; then remit propose --again {id}",
        "remit review {id} 可查看差别；之后 remit propose --again {id}",
    ),
    "no-plain-files": (
        "{change} holds something other than plain files (a link, a submodule or an executable)",
        "{change} 中含有普通文件以外的内容（链接、子模块或可执行文件）",
    ),
    "propose-again": ("propose it again with remit propose", "请用 remit propose 重新提出"),
    "moved-meanwhile": (
        "{branch} moved while {change} was being applied; nothing was changed. {said}",
        "{change} 生效过程中 {branch} 发生变动；未作任何修改。{said}",
    ),
    "apply-again": (
        "apply it again, it is then checked against the new state: remit apply {id}",
        "请再次执行 remit apply {id}，届时将按新状态检查",
    ),
    "still-owed": (
        "it went in by an emergency and its review is still owed: {missing:;}",
        "此变更为紧急执行，仍须补审：{missing:;}",
    ),
    # emergencies
    "emergency-needs-reason": ("an emergency needs a reason", "紧急执行须说明原因"),
    "emergency-example": (
        'remit apply {id} --emergency -m "why it cannot wait"',
        'remit apply {id} --emergency -m "为何不能等待"',
    ),
    "not-its-proposers": ("{change} is not its proposer's: {why}", "{change} 的提出人签名无效：{why}"),
    "propose-it-again": ("propose it again", "请重新提出"),
    "review-owed": (
        "its review is owed: remit approve {id}, by whom remit review names, then remit apply {id}",
        "须补审：由 remit review 列出的人执行 remit approve {id}，之后执行 remit apply {id}",
    ),
    # the working tree afterwards
    "could-not-follow": (
        "applied, but your working tree could not follow: {why}",
        "已生效，但您的工作区未能同步：{why}",
    ),
    "branch-elsewhere": (
        "your branch {branch} is not where {remote} was: git pull brings it up to date",
        "您的分支 {branch} 与 {remote} 不在同一位置：git pull 可更新到最新",
    ),
    "left-as-is": (
        "left as it is in your working tree, because it was edited there: {path}",
        "工作区中的 {path} 有未提出的修改，保持原样",
    ),
    # histories
    "no-history": ("{name} has no history", "{name} 没有历史"),
    "never-committed": ("nothing was ever committed at {path}", "{path} 从未提交过任何内容"),
    "no-kind": ('there is no kind "{kind}"', "没有类型“{kind}”"),
}
