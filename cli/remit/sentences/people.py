"""What is said about people's keys and signatures."""

SENTENCES = {
    "nobody": ("nobody", "无人"),
    # a key at an instant
    "is-revoked": ("is revoked: {reason}", "已吊销：{reason}"),
    "not-valid-yet": ("is not valid yet", "尚未生效"),
    "has-expired": ("has expired", "已过期"),
    "key-trouble": ("the key {key} {trouble}", "密钥 {key} {trouble}"),
    "other-words": ("its signature is not over these words", "签名的内容不是这些文字"),
    "not-theirs": (
        "the key {key} belongs to {holders}, not to {person} alone",
        "密钥 {key} 属于 {holders}，并非 {person} 一人所有",
    ),
    # what is a key
    "one-line": (
        "a public key is one line: its type, a space and its base64 text",
        "公钥应为一行：类型、空格、base64 文本",
    ),
    "other-type": ("it says {said} and holds {held}", "写明为 {said}，实际为 {held}"),
    "holds-no-key": ("its base64 text holds no key", "其 base64 文本中没有密钥"),
    "no-key-of-type": ("it is no {type} key", "不是 {type} 密钥"),
    "type-not-taken": (
        "keys of type {type} are not taken; ssh-ed25519, ecdsa-sha2-nistp256/384/521, ssh-rsa, and the first two on a token are",
        "不接受 {type} 类型的密钥；可用 ssh-ed25519、ecdsa-sha2-nistp256/384/521、ssh-rsa，前两种也可在硬件令牌上",
    ),
    "small-point": (
        "anybody could sign for it: it is no key that ssh-keygen makes",
        "任何人都能冒用它签名：ssh-keygen 不会生成这样的密钥",
    ),
    "few-bits": ("it has {bits} bits; RSA keys need {least} or more", "只有 {bits} 位；RSA 密钥至少须 {least} 位"),
    # signing
    "no-key-file": ("no key file", "没有密钥文件"),
    "found-odd": ("{seen}; {why}", "{seen}；{why}"),
    "none-at-hand": (
        "none of your keys is at hand to sign with: the base knows {wanted}; found {found}",
        "手头没有可用于签名的密钥：基准版本登记的是 {wanted}；找到的是 {found}",
    ),
    "no-whole-path": ("{setting} is {path}, and not a whole path", "{setting} 为 {path}，不是完整路径"),
    "no-file-there": ("{setting} is {path}, where no file is", "{setting} 为 {path}，该处没有文件"),
    "no-public-half": ("{path} has no public half beside it", "{path} 旁没有对应的公钥文件"),
    "no-ssh-keygen": ("ssh-keygen is not installed: nothing can be signed", "未安装 ssh-keygen，无法签名"),
    "install-openssh": ("install OpenSSH's client programs", "请安装 OpenSSH 客户端"),
    "signing-late": (
        "ssh-keygen did not sign within {seconds} s with {path}",
        "ssh-keygen 用 {path} 签名超过 {seconds} 秒未完成",
    ),
    "token-in": ("is the token in?", "硬件令牌是否已插入？"),
    "not-signed": ("ssh-keygen could not sign with {path}: {said}", "ssh-keygen 无法用 {path} 签名：{said}"),
    "no-signature": ("no signature", "没有得到签名"),
    "passphrase": (
        "in a terminal it asks for the passphrase; elsewhere first: ssh-add {path}",
        "在终端中会询问口令；其他情况请先执行：ssh-add {path}",
    ),
    # keys of people
    "private": ("{path} is a private key: it stays with its owner", "{path} 是私钥，只能由本人保管"),
    "public-is": ("the public one is {path}", "公钥是 {path}"),
    "holds-none": ("{path} holds no key that can be taken: {why}", "{path} 中没有可用的密钥：{why}"),
    "make-one": ("make one: ssh-keygen -t ed25519", "可生成一个：ssh-keygen -t ed25519"),
    "make-another": ("make another: ssh-keygen -t ed25519", "请另生成一个：ssh-keygen -t ed25519"),
    "none-of-yours": ("there is no key of yours in ~/.ssh", "~/.ssh 中没有您的密钥"),
    "cannot-read": ("{path} cannot be read: {why}", "无法读取 {path}：{why}"),
    "name-a-file": ("name a .pub file with --key", "请用 --key 指明 .pub 文件"),
    "registered-already": ("{key} is registered already", "{key} 已登记"),
    "registered-of-another": (
        "{key} is registered as one of {person}, and a key is one person's",
        "{key} 已登记在 {person} 名下，而一个密钥只能属于一人",
    ),
    "has-no-key": ("{person} has no key {key}", "{person} 没有密钥 {key}"),
    "see-keys": ("see: remit keys", "请查看：remit keys"),
    "revoked-already": ("{key} is revoked already: {reason}", "{key} 已吊销：{reason}"),
    "no-person": ("there is no Person/{person} in the base", "基准版本中没有 Person/{person}"),
    "see-people": ("see: remit list Person", "请查看：remit list Person"),
    "ends-first": ("the key would end before it begins", "密钥的失效时间早于生效时间"),
    "later-end": ("choose a later --valid-to", "请选择更晚的 --valid-to"),
    # what keys says
    "heads": ("Person|Fingerprint|Type|State", "人员|指纹|类型|状态"),
    "valid": ("valid", "有效"),
    "counted": ("{count:key|keys}, {good} valid", "共 {count} 个密钥，{good} 个有效"),
    "first-key": (
        "Nothing is signed here yet. The first key: remit keys add PERSON --key FILE.pub",
        "这里尚无任何签名。登记第一个密钥：remit keys add 人员 --key 文件.pub",
    ),
    "proposed": (
        "Proposed. It counts once it is applied. Next: {step}",
        "已提出，生效后才算数。下一步：{step}",
    ),
}
