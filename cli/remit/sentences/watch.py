"""What ``watch`` says between the rounds."""

SENTENCES = {
    "round": ("{at}  {new} new, {over} over", "{at}  新增 {new} 项，解除 {over} 项"),
    "over": ("over: {policy}/{level}  {subject}  {id}", "解除：{policy}/{level}  {subject}  {id}"),
    "last-good": ("Going on with what was last good.", "继续使用上一次可用的内容。"),
    "every-positive": ("--every is a span of at least 1s, such as 60s.", "--every 至少为 1s，例如 60s。"),
    "until-after": ("--until lies before --at.", "--until 早于 --at。"),
    "at-with-until": (
        "--at goes with --until: from the one to the other without waiting.",
        "--at 须与 --until 同用：由前者至后者，不等待。",
    ),
}
