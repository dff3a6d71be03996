"""The words of a decision, from the store's templates, in Chinese and English.

Templates choose words, Python decides: a template sees plain values only, in Jinja's sandbox, and a name it does not
have is an error.
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


NAMES = ("policy", "level", "subject", "subject_kind", "customer", "fields", "at", "due", "elapsed", "people")
"""What every template is given; a policy's own message also has its ``param``, ``term`` and item variables."""


def template_problems(source: str, more: Iterable[str] = ()) -> Iterator[str]:
    """What is wrong with a template, in words: it does not parse, or uses a name that it is not given."""
    from jinja2 import TemplateSyntaxError, meta

    environment = sandbox()
    try:
        used = meta.find_undeclared_variables(environment.parse(source))
    except TemplateSyntaxError as error:
        yield f"The template does not parse: {error.message} (line {error.lineno})."
        return
    known = {*NAMES, *more}
    for name in sorted(used - known):
        yield f"The template uses {name!r}, which it is not given. {did_you_mean(name, known)}".strip()


def sandbox() -> Any:
    """The environment of every template: sandboxed, and an undefined name is an error."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)
    environment.filters["instant"] = instant_text
    return environment


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
        try:
            if source not in self._compiled:
                self._compiled[source] = self._environment.from_string(source)
            text = self._compiled[source].render(context)
        except TemplateError as error:
            raise UserError(f"A message template fails: {error}", f"The template is: {source.strip()[:200]}") from error
        return " ".join(str(text).split())[:LONGEST_MESSAGE]

    def _template(self, language: str) -> str:
        data = self._files.get(TEMPLATE.format(language=language))
        return data.decode("utf-8", "replace") if data is not None else _PLAIN[language]


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
