"""An assessment policy in plain words; the page around it is made in ``policy_words``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from remit.conditions.condition import Condition
from remit.policies.measures import Assessment, Measure, Span, Weight
from remit.policies.pools import Pool
from remit.records import title_in

if TYPE_CHECKING:
    from remit.reporters.policy_words import Page

_TYPES = {
    "ratio": ("the share of the good ones", "合格数占总数的比例"),
    "count": ("how many there are", "数量"),
    "sum": ("the sum", "合计"),
    "mean": ("the mean", "平均值"),
    "percentile": ("a percentile", "百分位数"),
    "days_late": ("the days that they are late", "逾期天数"),
}
_SCORES = {
    "rate_vs_target": ("the share of the target that is reached, at most 100", "目标完成比例，最高100分"),
    "pass_fail": ("100 when the target is reached, else 0", "达到目标得100分，否则0分"),
    "value": ("the value itself", "以数值本身计分"),
    "table": ("by a table", "按分档表计分"),
}
_PERIODS = {
    "month": ("month", "月度"),
    "quarter": ("quarter", "季度"),
    "half_year": ("half year", "半年度"),
    "year": ("year", "年度"),
}


def assessment_words(policy: Assessment, page: Page) -> Iterator[str]:
    """Who is scored, by which measures, and how they become a score."""
    words, pick = page.words, page.pick
    kind = words.kind(policy.subject)
    periods = words.joined([pick(*_PERIODS[one]) for one in policy.cycles], "and")
    ranked = pick(", and ranks them", "，并排名") if policy.is_ranked else ""
    yield page.row(
        ("Scores", "考核对象"), pick(f"every {kind}, by {periods}{ranked}.", f"{kind}，按{periods}考核{ranked}。")
    )
    if policy.within is not None:
        group = words.path(policy.within, policy.scope)
        yield page.row(("Ranked among those of the same", "排名范围"), pick(f"{group}.", f"{group}相同者之间。"))
    yield from page.when(policy.when, ("everyone for whom a fact counts.", "凡有统计数据者。"))
    if policy.parts:
        yield pick("The total is the weighted mean of these parts:", "总分为以下各部分的加权平均：")
        for part, written in zip(policy.parts, policy.record.spec["parts"], strict=True):
            weight, name = (
                _weight(part.weight, page, policy),
                title_in(written.get("title"), page.language) or part.name,
            )
            yield pick(f"  - {name}: weight {weight}.", f"  - {name}：权重{weight}。")
    yield pick("Measures:", "指标：")
    for number, measure in enumerate(policy.measures, 1):
        yield f"  {number}. {measure.title.get(page.language) or measure.name}{page.cited(measure.clauses)}"
        yield from (f"     {line}{pick('.', '。')}" for line in _measure(measure, page))
    yield from _bands(policy, page)
    if policy.pool is not None:
        yield from _pool(policy.pool, page)


def _measure(measure: Measure, page: Page) -> Iterator[str]:
    yield from _made_of(measure, page) if measure.of else _counts(measure, page)
    yield from _valued(measure, page)


def _made_of(measure: Measure, page: Page) -> Iterator[str]:
    numbers = [str(n) for n, one in enumerate(page.policy.record.spec["measures"], 1) if one["name"] in measure.of]
    what = page.pick(*_TYPES[measure.type])
    named = page.words.joined(numbers, "and")
    yield page.row(("Counts", "统计"), page.pick(f"what measures {named} count: {what}", f"指标{named}合计，取{what}"))


def _counts(measure: Measure, page: Page) -> Iterator[str]:
    words, pick, scope = page.words, page.pick, measure.scope
    over = words.kinds(measure.over)
    if measure.each:
        over = pick(
            f"{words.path(measure.each.path, scope)} of {over}", f"{over}的{words.path(measure.each.path, scope)}"
        )
    what = pick(*_TYPES[measure.type])
    if measure.percentile is not None:
        what = pick(f"the {_number(measure.percentile)} percentile", f"第{_number(measure.percentile)}百分位数")
    yield page.row(("Counts", "统计"), pick(f"{over}: {what}", f"{over}，取{what}"))
    if measure.where is not None:
        yield page.row(("Only where", "仅限"), page.clause(measure.where))
    if measure.at:
        yield page.row(("In the period of", "归入期间"), page.first_of([page.value(one) for one in measure.at]))
    if measure.during is not None:
        yield page.row(("In the period that is", "归入期间"), words.path(measure.during, scope))
    if measure.by:
        yield page.row(("For", "归属"), page.first_of([words.path(path, scope) for path in measure.by]))
    if measure.value is not None:
        yield page.row(("Value", "数值"), _value(measure.value, page))
    if measure.good is not None:
        yield page.row(("Good is", "合格标准"), page.clause(measure.good))
    if measure.timely is not None:
        yield page.row(("Good is", "合格标准"), pick("what stops by its due time", "在时限前完成"))
        yield page.row(("Clock", "计时"), pick("; ", "；").join(page.clock(measure.timely.clock, scope)))
        for limit in measure.timely.limits:
            where = pick(f" where {page.clause(limit.when)}", f"（{page.clause(limit.when)}时）") if limit.when else ""
            yield page.row(("Limit", "时限"), page.amount(limit.amount, measure.limit_scope) + where)


def _valued(measure: Measure, page: Page) -> Iterator[str]:
    """What the figure becomes: its target, its score, and how much that counts."""
    pick = page.pick
    if measure.aim is not None:
        yield page.row(("Target", "目标"), _quantity(measure.aim, page, measure))
    if measure.scoring is not None:
        yield page.row(("Score", "得分"), pick(*_SCORES[measure.scoring.kind]))
        for row in measure.scoring.table:
            start = _quantity(row.start, page, measure) if row.start else ""
            score = _number(row.score)
            yield pick(
                f"  from {start}: {score}" if start else f"  else: {score}",
                f"  {start}及以上：{score}分" if start else f"  其余：{score}分",
            )
    weight = _weight(measure.weight, page, measure)
    if measure.part:
        parts = {one["name"]: one for one in page.policy.record.spec.get("parts", ())}
        title = title_in(parts.get(measure.part, {}).get("title"), page.language)
        yield page.row(("Part", "所属部分"), title or measure.part)
    if weight and weight != "1":
        yield page.row(("Weight", "权重"), weight)
    if measure.deduct is not None:
        yield page.row(("Deducts from the total", "从总分中扣除"), _quantity(measure.deduct, page, measure))


def _weight(weight: Weight, page: Page, holder: Measure | Assessment) -> str:
    """The weight, or each with where it holds; the first that does counts."""
    said = []
    for stage in weight:
        where = f"{page.clause(stage.when)}" if stage.when else ""
        number = _quantity(stage.weight, page, holder)
        said.append(number + (page.pick(f" where {where}", f"（{where}时）") if where else ""))
    return page.pick(", else ", "，否则").join(said)


def _value(value: Condition | Span, page: Page) -> str:
    """A number, or the time from one instant to another."""
    if isinstance(value, Condition):
        return page.value(value)
    start = page.first_of([page.value(one) for one in value.start])
    end = page.first_of([page.value(one) for one in value.end])
    return page.pick(f"the time from {start} to {end}", f"从{start}到{end}的时长")


def _bands(policy: Assessment, page: Page) -> Iterator[str]:
    if not policy.bands:
        return
    yield page.pick("Bands of the ranking:", "排名分档：")
    for band in policy.bands:
        size = _quantity(band.size, page, policy) if band.size else ""
        if band.places is not None and not isinstance(band.places, Measure):
            size = page.pick(
                f"{_quantity(band.places, page, policy)} places", f"{_quantity(band.places, page, policy)}个名额"
            )
        elif isinstance(band.places, Measure):
            size = page.pick("places as counted", "名额按统计数")
        share = (
            page.pick(
                f", bonus times {_quantity(band.multiplier, page, policy)}",
                f"，奖金系数{_quantity(band.multiplier, page, policy)}",
            )
            if band.multiplier
            else ""
        )
        rest = page.pick("the rest", "其余")
        title = band.title.get(page.language) or band.name
        yield page.pick(f"  - {title}: {size or rest}{share}.", f"  - {title}：{size or rest}{share}。")


def _pool(pool: Pool, page: Page) -> Iterator[str]:
    words, pick, scope = page.words, page.pick, pool.scope
    title = pool.title.get(page.language, "")
    yield pick(f"{title}, shared out by the bands:", f"{title}，按档次分配：")
    yield page.row(("Comes from", "来源"), words.kinds(pool.over))
    yield page.row(("In the period that is", "所属期间"), words.path(pool.during, scope))
    if pool.within is not None:
        yield page.row(("Shared by the members of", "参与分配者"), words.path(pool.within, scope))
    amount = words.path(pool.value.path, scope)
    yield page.row(("Amount", "金额"), pick(f"{amount}, in {pool.currency}", f"{amount}（{pool.currency}）"))
    if pool.less is not None:
        each = words.path(pool.less.each.path, scope)
        yield page.row(("Less", "先扣除"), each)


def _quantity(quantity: Any, page: Page, holder: Any) -> str:
    """A number as written, or the parameter that holds it."""
    return page.words.set_by(quantity.path, holder.scope) if quantity.path else str(quantity.text)


def _number(number: Any) -> str:
    return str(number.numerator) if number.denominator == 1 else str(float(number))
