"""The words of a decision, from the store's templates, in Chinese and English.

Templates choose words, Python decides: a template sees plain values only, in Jinja's sandbox, and a name it does not
have is an error. It calls nothing, counts nothing and repeats nothing but over what it is given, so that one that comes
with somebody's proposal neither runs on nor fills the memory.

Source: security rules R27, R31; bad input B9; attack A32.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from remit.errors import UserError
from remit.findings import did_you_mean

LANGUAGES = ("en", "zh")
TEMPLATE = "templates/notices/decision.{language}.j2"
_UNITS = {"en": ("d", "h", "min"), "zh": ("天", "小时", "分钟")}
LONGEST_MESSAGE = 2_000
LONGEST_TEMPLATE = 4_000
FILTERS = ("default", "first", "instant", "join", "last", "length", "lower", "trim", "upper")
_TAKEN = {
    "Template", "Output", "TemplateData", "Const", "Name", "Getattr", "Getitem", "If", "CondExpr", "Not", "And", "Or",
    "Compare", "Operand", "Concat", "Filter", "For", "Test", "List", "Tuple",
}  # fmt: skip
_PATHS = ("Name", "Getattr", "Getitem")
_LONGEST_SEPARATOR = 20


NAMES = ("policy", "level", "subject", "subject_kind", "customer", "fields", "at", "due", "elapsed", "people")
"""What every template is given; a policy's own message also has its ``param``, ``term`` and item variables."""


def template_problems(source: str, more: Iterable[str] = ()) -> Iterator[str]:
    """What is wrong with a template, in words: it does not parse, does too much, or uses a name it is not given."""
    from jinja2 import meta

    environment = sandbox()
    try:
        _compiled(environment, source)
        used = meta.find_undeclared_variables(environment.parse(source))
    except UserError as error:
        yield error.message
        return
    known = {*NAMES, *more}
    for name in sorted(used - known):
        yield f"The template uses {name!r}, which it is not given. {did_you_mean(name, known)}".strip()


def sandbox() -> Any:
    """The environment of every template: sandboxed, and an undefined name is an error; only mappings have fields."""
    from jinja2 import StrictUndefined, Undefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        def getattr(self, obj: Any, attribute: str) -> Any:
            return self.getitem(obj, attribute)

        def getitem(self, obj: Any, argument: Any) -> Any:
            if isinstance(obj, Undefined):
                return obj
            if isinstance(obj, Mapping | list | str):
                try:
                    return obj[argument]
                except (LookupError, TypeError):
                    pass
            return self.undefined(obj=obj, name=argument)

    environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)
    environment.filters = {name: environment.filters.get(name, instant_text) for name in FILTERS}
    environment.globals = {}
    return environment


def _compiled(environment: Any, source: str) -> Any:
    """The template, ready to render; ``UserError`` when it does not parse or does too much."""
    from jinja2 import TemplateError, TemplateSyntaxError

    if len(source) > LONGEST_TEMPLATE:
        raise UserError(f"The template has {len(source)} characters; at most {LONGEST_TEMPLATE} are taken.")
    try:
        if why := next(_excess(environment.parse(source)), ""):
            raise UserError(f"The template does too much: {why}.")
        return environment.from_string(source)
    except TemplateSyntaxError as error:
        raise UserError(f"The template does not parse: {error.message} (line {error.lineno}).") from error
    except (TemplateError, RecursionError, SyntaxError, MemoryError) as error:
        raise UserError(f"The template does not parse: {error or 'it is nested too deeply'}.") from error


def _excess(node: Any, within: tuple[str, ...] = ()) -> Iterator[str]:
    """What a template has of more than words, names, choices and one loop over what it is given."""
    kind = type(node).__name__
    if kind not in _TAKEN:
        yield f"{kind.lower()} is not taken in line {node.lineno}; it has names, fields, if, for and filters"
        return
    if kind == "For" and ("For" in within or node.recursive or type(node.iter).__name__ not in _PATHS):
        yield f"the for of line {node.lineno} is not one simple loop over a name"
    if kind == "Filter" and node.name == "join":
        separators = [getattr(one, "value", None) for one in (*node.args, *node.kwargs)]
        short = all(isinstance(one, str) and len(one) <= _LONGEST_SEPARATOR for one in separators)
        if type(node.node).__name__ not in _PATHS or not short:
            yield f"the join of line {node.lineno} does not put a few letters between the items of a name"
    for child in node.iter_child_nodes():
        yield from _excess(child, (*within, kind))


class Wording:
    """Renders messages with the templates of one snapshot (paths under ``templates/`` to their bytes)."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._compiled: dict[str, Any] = {}

    @cached_property
    def _environment(self) -> Any:
        return sandbox()

    def message(self, written: Mapping[str, str], language: str, context: Mapping[str, Any]) -> str:
        """The message in ``language``: the policy's own words, else the store's template.

        Raises:
            UserError: the template is broken or uses a name that it is not given.
        """
        from jinja2 import TemplateError

        source = written.get(language) or self._template(language)
        if source not in self._compiled:
            self._compiled[source] = _compiled(self._environment, source)
        try:
            text = _beginning(self._compiled[source].generate(context))
        except (TemplateError, TypeError, ValueError, AttributeError) as error:
            raise UserError(f"A message template fails: {error}", f"The template is: {source.strip()[:200]}") from error
        return " ".join(text.split())[:LONGEST_MESSAGE]

    def _template(self, language: str) -> str:
        data = self._files.get(TEMPLATE.format(language=language))
        return data.decode("utf-8", "replace") if data is not None else _PLAIN[language]


def _beginning(parts: Iterable[str]) -> str:
    """So much of a text as a message can need."""
    taken, length = [], 0
    for part in parts:
        taken.append(part[: 4 * LONGEST_MESSAGE])
        if (length := length + len(part)) > 4 * LONGEST_MESSAGE:
            break
    return "".join(taken)


_PLAIN = {
    "en": "{{ policy }} - {{ level }}: {{ subject }}",
    "zh": "{{ policy }}·{{ level }}：{{ subject }}",
}


def instant_text(moment: datetime | None) -> str:
    """An instant to the minute as people read it; empty for none."""
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M")


def span_text(span: timedelta, language: str) -> str:
    """A span of time in words, its two largest units: ``2 h 5 min``, ``2小时5分钟``."""
    minutes = int(span.total_seconds()) // 60
    parts = [(minutes // 1440, 0), (minutes // 60 % 24, 1), (minutes % 60, 2)]
    said = [(number, unit) for number, unit in parts if number] or [(0, 2)]
    words = _UNITS[language]
    if language == "zh":
        return "".join(f"{number}{words[unit]}" for number, unit in said[:2])
    return " ".join(f"{number} {words[unit]}" for number, unit in said[:2])
