"""Write a value as new YAML text, the one way that Remit writes: block style, two spaces, quotes only where needed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import yaml

from remit.yamltext.reading import read
from remit.yamltext.scalars import Doubt, resolve

_NEVER = 1 << 30
SHORT_KEY = 100
"""Even when all of its characters need escapes, libyaml looks ahead far enough for the colon."""
_TAG = "tag:yaml.org,2002:"
_TAGS: dict[type, str] = {str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}
# Characters that a YAML 1.1 reader takes for line ends, or that a person cannot see: written as escapes.
_UNSEEN = "\x85\u2028\u2029\ufeff\xa0"


def dump(value: Mapping[str, Any]) -> bytes:
    """A whole new file that ``read`` takes back as exactly ``value``, in the key order given.

    Text that a record may not hold (``scalars.forbidden_character``) and numbers that no reader holds exactly are
    written all the same, so that ``read`` refuses them with a finding and a place.
    """
    text = emit(value)
    document, _ = read(text.encode(), "")
    faithful = document is not None and same(document.value, value)
    return (text if faithful else emit(value, quote='"')).encode()


def emit(value: Any, *, flow: bool = False, quote: str = "") -> str:
    """``value`` as YAML text that ends with a newline.

    Args:
        value: JSON types.
        flow: On one line, in brackets.
        quote: The quotation mark that all texts wear, where they can; without it, only those that need one.
    """

    stream = io.StringIO()
    dumper = _Dumper(stream, allow_unicode=True, width=_NEVER, sort_keys=False, default_flow_style=flow)
    dumper.quote_all = quote
    dumper.open()
    dumper.represent(value)
    dumper.close()
    return stream.getvalue()


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: the order of keys counts, and 1, 1.0 and true differ."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and bool(left == right)


class _Dumper(yaml.SafeDumper):
    """PyYAML's own, but ``scalars.resolve`` says what needs quotes."""

    quote_all = ""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        """Lists stand two spaces inside their key."""
        return super().increase_indent(flow, False)

    def represent_text(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar(f"{_TAG}str", data, style=self.quote_all or _style(data))

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag that a plain ``value`` would be read with; a text of another tag gets quotes."""
        if kind is not yaml.ScalarNode or not implicit[0]:
            return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        meaning = resolve(value)
        if isinstance(meaning, Doubt):
            return f"{_TAG}int" if value.lstrip("-").isdigit() else f"{_TAG}float"
        return _TAG + _TAGS[type(meaning)]

    def check_simple_key(self) -> bool:
        """A short key stands before its colon, also when it is empty or has several lines; PyYAML writes ``? key``."""
        simple = super().check_simple_key()
        event: Any = self.event
        return bool(simple) or (isinstance(event, yaml.ScalarEvent) and len(event.value) <= SHORT_KEY)

    def choose_scalar_style(self) -> Any:
        """Where PyYAML would put single quotes, double ones, unless the text itself holds what they would escape."""
        style = super().choose_scalar_style()
        event: Any = self.event
        return '"' if style == "'" and self.quote_all != "'" and not set('"\\') & set(event.value) else style


def _style(text: str) -> str | None:
    if any(char in text for char in _UNSEEN):
        return '"'
    if "\n" in text:
        # A literal block is faithful, and easy to read, when it needs no indicators but "-".
        return "|" if not text.startswith((" ", "\n")) and not text.endswith("\n\n") else '"'
    return None


_Dumper.add_representer(str, _Dumper.represent_text)
