"""Templates come with proposals, and who reviews one renders them: none runs on, fills the memory or looks around."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from remit.errors import UserError
from remit.wording import LONGEST_MESSAGE, Wording, template_problems

CONTEXT: dict[str, Any] = {
    "policy": "Fault", "level": "L1", "subject": "T-1", "subject_kind": "Ticket", "customer": "海港银行",
    "fields": {"grade": "group", "notes": [{"by": "ann"}, {"by": "bob"}], "text": "x" * 60_000},
    "at": datetime(2026, 10, 15, 8, tzinfo=UTC), "due": None, "elapsed": "", "people": ["Ann", "Bob"],
}  # fmt: skip

HOSTILE = [
    # runs on or fills the memory
    "{{ 'a' * 10**9 }}", "{{ range(10**9) | list }}", "{{ 9**9**9 }}", "{{ 10**5000 }}", "{{ 'a'.ljust(10**9) }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "{% for a in fields.text %}{% for b in fields.text %}{% endfor %}{% endfor %}",
    "{% for a in people %}{% if a %}{% for b in people %}{% endfor %}{% endif %}{% endfor %}",
    "{% for a in people recursive %}{{ loop(people) }}{% endfor %}", "{% for a in 'aaaa' %}x{% endfor %}",
    "{{ '%1000000000d' | format(1) }}", "{{ 'a' | center(1000000000) }}", "{{ 'a' | indent(1000000000) }}",
    "{{ policy | replace('', fields.text) }}", "{{ lipsum(n=100000) }}", "{% set x = ['a'] %}{{ x * 10**9 }}",
    "{{ fields.text | join(fields.text) }}", "{{ fields.text | join('" + "x" * 3000 + "') }}",
    "{{ fields.text | join('x' ~ fields.text) }}", "{{ fields.text | join(d=fields.text) }}",
    "{{ fields.text | join('xxxxxxxx') | join('xxxxxxxx') | join('xxxxxxxx') | join('xxxxxxxx') }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "(" * 1900 + "1" + ")" * 1900 + " }}", "{{ " + "not " * 900 + "1 }}",
    "{{ " + "[" * 1900 + "]" * 1900 + " }}",
    "{% if 1 %}" * 190 + "{% endif %}" * 190, "{{ policy | batch(1000000000) | list }}", "x" * 1_000_000,
    # looks around
    "{{ ''.__class__.__mro__ }}", "{{ policy.__class__ }}", "{{ policy['__class__'] }}",
    "{{ policy | attr('__class__') }}",
    "{{ cycler.__init__.__globals__ }}", "{{ self.__init__ }}", "{{ '{0.__class__}'.format(policy) }}",
    "{{ policy.format }}", "{{ fields.items }}", "{{ people.append }}", "{{ at.strftime }}", "{{ at.tzinfo }}",
    "{% include '/etc/passwd' %}", "{% import '/etc/passwd' as x %}", "{% extends '/etc/passwd' %}", "{{ debug }}",
    "{% call policy() %}{% endcall %}", "{{ people.append(1) }}", "{% do people.append(1) %}", "{{ namespace(a=1) }}",
    "{% block x %}{% endblock %}", "{% filter upper %}a{% endfilter %}", "{% with a = 1 %}{% endwith %}",
    # fails
    "{{ 1 / 0 }}", "{{ policy + 1 }}", "{{ policy < 1 }}", "{{ at | join }}", "{{ policy | instant }}",
    "{{ policy | sum }}",
    "{{ people | first | instant }}", "{{ policy | nosuch }}", "{{ fields.nosuch }}", "{{ nosuch }}",
    "{{ nosuch.x.y }}",
    "{{ people[9] }}", "{{ fields.notes[0].to }}", "{{ '' | first }}", "{{", "{% if %}", "{{ 'a' | upper(1, 2, 3) }}",
]  # fmt: skip

GOOD = [
    ("{{ policy }}: {{ subject }}{% if people %} - {{ people | join('、') }}{% endif %}", "Fault: T-1 - Ann、Bob"),
    ("{{ fields.grade | upper }} {{ at | instant }}[{{ due | instant }}]", "GROUP 2026-10-15 08:00[]"),
    ("{% for note in fields.notes %}{{ note.by }}. {% endfor %}", "ann. bob."),
    ("{{ 'late' if policy == 'Fault' and not elapsed else 'in time' }} {{ people[0] ~ '!' }}", "late Ann!"),
    ("{{ fields.nosuch | default('-') }} {{ people | length }}", "- 2"),
    ("{{ fields.text }}", "x" * LONGEST_MESSAGE),
]


@pytest.mark.parametrize("template", HOSTILE, ids=lambda template: template[:50])
def test_a_hostile_template_is_refused_at_once(template: str) -> None:
    start = time.process_time()

    with pytest.raises(UserError):
        Wording({}).message({"en": template}, "en", CONTEXT)

    assert time.process_time() - start < 2


@pytest.mark.parametrize("template", HOSTILE, ids=lambda template: template[:50])
def test_check_says_what_is_wrong_with_a_template_and_never_fails(template: str) -> None:
    assert all(isinstance(problem, str) for problem in template_problems(template))


@pytest.mark.parametrize(("template", "text"), GOOD)
def test_what_messages_need_is_taken(template: str, text: str) -> None:
    assert list(template_problems(template)) == []
    assert Wording({}).message({"en": template}, "en", CONTEXT) == text
