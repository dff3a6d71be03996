"""What findings say that people meet most: fields, values, references and periods."""

SENTENCES = {
    # schemas
    "no-schema": ("No schema describes the kind {kind}.", "没有描述类型 {kind} 的模式。"),
    "no-field": ("There is no field {name} here.", "此处没有字段 {name}。"),
    "field-missing": ("The field {name} is required and missing.", "缺少必填字段 {name}。"),
    "add-field": ("Add: {name}: …", "请添加：{name}: …"),
    "not-allowed": ("{value} is not allowed here.", "此处不能取值 {value}。"),
    "other-type": ("{value} is not {types:or}.", "{value} 不是{types:or}。"),
    "mapping": ("a mapping", "映射"),
    "list": ("a list", "列表"),
    "text": ("a text", "文本"),
    "integer": ("a whole number", "整数"),
    "number": ("a number", "数值"),
    "boolean": ("true or false", "true 或 false"),
    "null": ("null", "空值"),
    "in-row": ("{where}: {message}", "{where}：{message}"),
    # references
    "wrong-kind": (
        '{field} is "{name}", which is a {found:and-a}, not a {allowed:or}.',
        "{field} 为“{name}”，它是 {found:and-a}，而不是 {allowed:or}。",
    ),
    "name-one": ("Name a {allowed:or}.", "请引用 {allowed:or}。"),
    "nothing-there": ('{field} is "{name}", but there is no {files:or}.', "{field} 为“{name}”，但没有 {files:or}。"),
    "one-kind": ('{field} is "{name}", and it names a {kind} anyway.', "{field} 为“{name}”，而它本来就只引用 {kind}。"),
    "bare-name": ("Write the name alone: {name}", "只写名称：{name}"),
    "make-it": ("Make it with: remit new {kind} {name}", "新建请用：remit new {kind} {name}"),
    "not-valid": ('{field} is "{name}", but {why}.', "{field} 为“{name}”，但 {why}。"),
    "ended-on": ("{record} ended on {at}", "{record} 已于 {at} 终止"),
    "is-in-state": ("{record} is {state}", "{record} 的状态为 {state}"),
    "begins-on": ("{record} begins only on {at}", "{record} 自 {at} 才开始"),
    "name-who-holds": (
        "Name somebody who holds now, or end this record with validTo.",
        "请引用现时有效的记录，或以 validTo 终止本记录。",
    ),
    # periods
    "ends-first": ("It ends on {end}, before it begins on {begin}.", "它于 {end} 结束，早于开始时间 {begin}。"),
    "swap": ("Swap the two, or correct one of them.", "请对调二者，或更正其中之一。"),
    "overlaps": (
        "{record} has the same {fields} and holds {until}.",
        "{record} 的 {fields} 与此相同，有效期{until}。",
    ),
    "until": ("until {at}", "至 {at}"),
    "without-end": ("without end", "没有终止日期"),
    "end-older": (
        "End the older one with validTo, or correct one of them.",
        "请以 validTo 终止较早的一条，或更正其中之一。",
    ),
}
