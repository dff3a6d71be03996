"""What a change does, in a few lines: the part of a review that has to fit on one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from remit.assignments import value_text
from remit.times import in_zone

if TYPE_CHECKING:
    from remit.effects import Effect, MovedDue, MovedScore, What
    from remit.planning import Foresight

MOST = 3
MOST_PEOPLE = 6

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("What it does to people, due times and scores", "对人员、时限与得分的影响"),
    "nothing": ("nothing that the feeds show", "据现有数据无影响"),
    "stale": (
        "The protected branch has moved, and this change does something else there by now: it will not be applied.",
        "保护分支已变动，此变更的影响已不同：不能生效，须重新提出。",
    ),
    "people": ("Told another number of times", "通知次数有变的人员"),
    "due": ("Open matters with another due time", "时限有变的未结事项"),
    "decisions": ("Warnings and escalations", "预警与上报"),
    "scores": ("Other scores", "得分有变"),
    "added": ("{} more", "新增 {}"),
    "removed": ("{} fewer", "减少 {}"),
    "changed": ("{} otherwise", "变化 {}"),
    "more": ("… {} more; --all shows them", "… 另有 {} 项；--all 显示全部"),
    "colon": (": ", "："),
    "comma": (", ", "，"),
}


class _Voice(NamedTuple):
    language: str
    zone: tzinfo
    titles: Mapping[str, Mapping[str, str]]

    def word(self, key: str) -> str:
        return _WORDS[key][self.language == "zh"]

    def named(self, ref: str) -> str:
        name = ref.partition("/")[2]
        title = self.titles.get(ref, {}).get(self.language, "")
        return name if title in ("", name) else f"{title} ({name})"

    def instant(self, at: datetime | None) -> str:
        return in_zone(at, self.zone).strftime("%Y-%m-%d %H:%M") if at else "–"

    def head(self, key: str, said: object) -> str:
        return f"  {self.word(key)}{self.word('colon')}{said}"

    def some(self, lines: Sequence[str]) -> list[str]:
        left = len(lines) - MOST
        return [f"    {line}" for line in lines[:MOST]] + (
            [f"    {self.word('more').format(left)}"] if left > 0 else []
        )


def glance_text(seen: Foresight, language: str, zone: tzinfo) -> list[str]:
    """A line for each part that has something to say, and its first few items below; nothing without feeds."""
    effect = seen.effect
    voice = _Voice(language, zone, effect.titles if effect else {})
    lines = [voice.word("stale")] if seen.is_stale else []
    if seen.why_not or effect is not None:
        parts = [*_parts(effect, voice)] if effect is not None else []
        said = seen.why_not or ("" if parts else voice.word("nothing"))
        lines.append(f"{voice.word('title')}{voice.word('colon')}{said}".rstrip())
        lines += parts
    return lines


def _parts(effect: Effect, voice: _Voice) -> Iterator[str]:
    if effect.people:
        told = [f"{voice.named(f'Person/{p.person}')} {p.before} → {p.after}" for p in effect.people]
        left = len(told) - MOST_PEOPLE
        more = [voice.word("more").format(left)] if left > 0 else []
        yield voice.head("people", voice.word("comma").join([*told[:MOST_PEOPLE], *more]))
    if effect.due:
        yield voice.head("due", len(effect.due))
        yield from voice.some([_due(one, voice) for one in effect.due])
    if found := effect.decisions():
        yield voice.head("decisions", _counts((what for what, _ in found), voice))
        levels: dict[str, list[What]] = {}
        for what, sides in found:
            levels.setdefault(f"{sides[-1].policy}/{sides[-1].level}", []).append(what)
        yield from voice.some([f"{name}{voice.word('colon')}{_counts(one, voice)}" for name, one in levels.items()])
    if scores := [line for one in effect.scorecards for line in _scores(one, voice)]:
        yield voice.head("scores", len(effect.scorecards))
        yield from voice.some(scores)


def _counts(whats: Iterable[What], voice: _Voice) -> str:
    counts = Counter(whats)
    kinds: tuple[What, ...] = ("added", "removed", "changed")
    return voice.word("comma").join(voice.word(kind).format(counts[kind]) for kind in kinds if counts[kind])


def _due(one: MovedDue, voice: _Voice) -> str:
    return f"{voice.named(one.subject)}  {one.policy}  {voice.instant(one.before)} → {voice.instant(one.after)}"


def _scores(one: MovedScore, voice: _Voice) -> Iterator[str]:
    """A line for the score; where it is the same, for the first other result that is not."""
    before, after = (side.to_json() if side else {} for side in (one.before, one.after))
    for key in ("score", "rank", "band", "share", "amount"):
        if before.get(key) != after.get(key):
            yield (
                f"{voice.named(one.subject)}  {one.policy} {one.period}  {_value(before.get(key))} → "
                f"{_value(after.get(key))}"
            )
            return


def _value(value: Any) -> str:
    return "–" if value is None else value if isinstance(value, str) else value_text(value)
