"""What is wrong with a repository or an origin itself, and what was done about it."""

SENTENCES = {
    # making an origin
    "not-empty": ("{folder} is not empty", "{folder} 不是空目录"),
    "new-folder": ("choose a new folder, such as ../origin.git", "请选择新目录，例如 ../origin.git"),
    "only-a-part": (
        "the store is the folder {folder} of its repository; an origin guards a whole one",
        "配置库只是其仓库中的目录 {folder}；中心仓库须守护整个仓库",
    ),
    "of-its-own": ("give the store a repository of its own", "请让配置库独占一个仓库"),
    # an origin that drifted
    "not-set": ("not set", "未设置"),
    "other-setting": ("it is {found} instead of {wanted}", "现为 {found}，应为 {wanted}"),
    "is-set": ("it is set, to {values}", "被设为 {values}"),
    "no-hook": ("it is not there as a file", "文件不存在"),
    "other-hook": ("it is not the one that this Remit writes", "与本版 Remit 写入的内容不同"),
    "idle-hook": ("it is not executable, and git leaves it out", "不可执行，git 会忽略它"),
    "other-owner": ("it belongs to user {user}, the repository to {owner}", "属于用户 {user}，而仓库属于 {owner}"),
    "anybody-writes": ("everybody on this machine may write it", "本机任何人都可写入"),
    "empty-branch": ("the branch that it names has no commit", "它所指的分支没有提交"),
    "other-head": ("it names {branch}, and {protected} is protected", "它指向 {branch}，而保护分支是 {protected}"),
    "drifted": ("{count:thing|things} drifted", "有 {count} 处偏离"),
    "not-drifted": ("as remit origin init leaves it", "与 remit origin init 所建一致"),
    # what the doctor finds
    "stale-lock": (
        "git left this lock behind: it is old, and no process has it open",
        "git 遗留的锁：时间已久，且没有进程占用",
    ),
    "half-push": ("a push that never ended left its objects here", "未完成的推送遗留的对象"),
    "half-object": ("an object that was never finished", "未写完的对象"),
    "half-pack": ("a pack that was never finished", "未写完的包文件"),
    "broken-ref": ("the ref was cut short: it holds no object's name", "引用不完整：其中没有对象名"),
    "lost-ref": ("the ref vanished, and its log names {commit}", "引用消失，其日志记录的是 {commit}"),
    "restore": (
        "fetch from a repository that has it, or restore a backup; remit audit says what it touches",
        "请从完好的仓库获取，或恢复备份；remit audit 可查看受影响的内容",
    ),
    "runs": ("git does what this repository says here: {values}", "git 会照此设置执行：{values}"),
    "alternates": ("objects are read from another folder too", "对象还会从另一目录读取"),
    "grafts": ("histories are shown otherwise than they are", "历史的显示与实际不符"),
    "attributes": ("files are shown or stored otherwise than they are", "文件的显示或存储与实际不符"),
    "look-at": ("look at {path}", "请查看 {path}"),
    "replaced": ("git shows another object instead of this one", "git 会以另一对象代替它"),
    "here": ("here", "本地"),
    "at": ("at {remote}", "{remote} 上"),
    "as-proved": ("as proved", "已核验的"),
    "part-at": ("they part at {commit}", "二者在 {commit} 分开"),
    "nothing-in-common": ("they have nothing in common", "二者没有共同历史"),
    "diverged": ("{one} it is {tip}, {other} {other_tip}: {where}", "{one}为 {tip}，{other}为 {other_tip}：{where}"),
    "who-moved": (
        "find out who moved it; nothing is merged by itself",
        "请查明是谁移动的；不会自动合并",
    ),
    # what was done
    "moved-away": (
        "moved to {place}; its log names no commit to put it back to",
        "已移至 {place}；其日志中没有可恢复的提交",
    ),
    "put-back-kept": (
        "put back to {commit}, as its log says; what stood there is in {place}",
        "已按日志恢复为 {commit}；原内容保存在 {place}",
    ),
    "put-back": ("put back to {commit}, as its log says", "已按日志恢复为 {commit}"),
    "removed": ("removed", "已删除"),
    "mended": ("{count:thing|things} put right", "已修复 {count} 处"),
    "wrong": ("{count:thing|things} wrong", "有 {count} 处问题"),
    "nothing-wrong": ("nothing wrong", "没有问题"),
    "summary": ("{folder}: {counts}", "{folder}：{counts}"),
}
