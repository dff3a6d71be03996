"""Change values inside YAML text so that only the lines that change, change.

An edit is a splice of the text at the marks of libyaml's parser. Comments, order, quotes and layout of everything else
are not preserved but simply never touched; a round trip through objects would lose the comment lines after a removed
key and put a new key behind comments that belong to the next one. Whatever the splice did, the result is read again and
has to hold exactly the value asked for; otherwise nothing is changed and the author is told.
"""

from __future__ import annotations

import copy
import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import yaml

from remit.errors import UserError
from remit.places import Pointer, pointer_text
from remit.yamltext.dumping import emit, same
from remit.yamltext.reading import LOADER, read
from remit.yamltext.scalars import forbidden_character

Node = Any
"""A node of PyYAML: scalars have a style, collections a flow style, all have marks and a value."""


class Delete(enum.Enum):
    """The type of ``DELETE``."""

    DELETE = "delete"


DELETE: Final = Delete.DELETE
"""As the value of an ``Edit``: take the key or list item away."""


class Edit(NamedTuple):
    """What shall stand at ``pointer``.

    A key that is new comes last in its mapping, and missing mappings above it are made; a list position equal to the
    length appends. In a mapping, a number in the pointer means the key of these digits.
    """

    pointer: Pointer
    value: Any


def edit(data: bytes, edits: Sequence[Edit]) -> bytes:
    """``data`` after ``edits``, one after the other; positions mean the list as the edits before have left it.

    Setting a mapping or a list changes only the parts that differ. A value that was in quotes stays in such quotes.

    Raises:
        UserError: ``data`` does not read; a pointer leads through text, past the end of a list or to nothing that could
            be deleted; a value holds a character that no record may hold; or the layout admits no safe splice.
    """
    document, findings = read(data, "")
    if document is None:
        raise UserError(f"{findings[0].message} ({str(findings[0].place).lstrip(':')})", "Correct the file first.")
    text = data.decode()
    # Work on \n alone when every line ends with \r\n, and put them back at the end.
    windows = 0 < text.count("\n") == text.count("\r\n")
    text = text.replace("\r\n", "\n") if windows else text
    value = document.value
    for pointer, new in edits:
        for step in _steps((), value, _applied(value, pointer, new)):
            value = step.on_value(value)
            text = _settled(step.on_text(text), value)
    return (text.replace("\n", "\r\n") if windows else text).encode()


def _settled(text: str, value: Any) -> str:
    """``text``, known to read as ``value``; a block of text at its very end may need a line end more."""
    for candidate in (text, text + "\n"):
        document, _ = read(candidate.encode(), "")
        if document is not None and same(document.value, value):
            return candidate
    _, findings = read(text.encode(), "")
    reason = findings[0].message if findings else "its layout is unusual."
    raise UserError(f"The file cannot be changed here without disturbing the rest: {reason}", "Edit it by hand.")


# What is wanted: the edit on values


def _applied(value: Any, pointer: Pointer, new: Any) -> Any:
    """A copy of ``value`` with ``new`` at ``pointer``."""
    if not pointer:
        if new is DELETE or not isinstance(new, dict | list):
            raise UserError("A whole file can become a mapping or a list only.", "Remove the file to delete it.")
        return _checked(new, pointer)
    root = copy.deepcopy(value)
    parent = root
    for depth, part in enumerate(pointer[:-1]):
        key = _key(parent, part, pointer[:depth])
        if isinstance(parent, dict):
            parent = parent.setdefault(key, [] if pointer[depth + 1] == 0 else {})
        else:
            if key == len(parent):
                parent.append([] if pointer[depth + 1] == 0 else {})
            parent = parent[key]
    key = _key(parent, pointer[-1], pointer[:-1])
    if new is DELETE:
        if key not in (parent if isinstance(parent, dict) else range(len(parent))):
            raise UserError(f"There is nothing at {pointer_text(pointer)} to remove.")
        del parent[key]
    elif isinstance(parent, list) and key == len(parent):
        parent.append(_checked(new, pointer))
    else:
        parent[key] = _checked(new, pointer)
    return root


def _key(parent: Any, part: str | int, above: Pointer) -> Any:
    """``part`` as a key or position of ``parent``."""
    where, hint = pointer_text(above) or "The file", "Positions are numbers from 0."
    if isinstance(parent, dict):
        return _checked(str(part), above)
    if not isinstance(parent, list):
        raise UserError(f"{where} is a single value: nothing can stand at {part!r} in it.", "Look at the path again.")
    if not isinstance(part, int):
        raise UserError(f"{where} is a list: {part!r} is not a position in it.", hint)
    if not 0 <= part <= len(parent):
        raise UserError(f"{where} is a list of {len(parent)}: it has no position {part}.", hint)
    return part


def _checked(value: Any, pointer: Pointer) -> Any:
    """``value`` in plain dicts and lists, when all of its text may stand in a record."""
    if isinstance(value, str) and (name := forbidden_character(value)):
        raise UserError(f"The text for {pointer_text(pointer)} holds the character {name}.", "Take the character out.")
    if isinstance(value, Mapping):
        return {_checked(key, pointer): _checked(item, (*pointer, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_checked(item, (*pointer, index)) for index, item in enumerate(value)]
    return value


# How to get there: the smallest steps from one value to another


class _Step(NamedTuple):
    """One splice: ``do`` is set, delete or insert (a new last key, or a list item before the one at this position)."""

    do: str
    pointer: Pointer
    value: Any = None

    def on_value(self, value: Any) -> Any:
        """A copy of ``value`` after this step."""
        if not self.pointer:
            return self.value
        root = copy.deepcopy(value)
        parent, key = root, self.pointer[-1]
        for part in self.pointer[:-1]:
            parent = parent[part]
        if self.do == "delete":
            del parent[key]
        elif self.do == "insert" and isinstance(parent, list):
            parent.insert(int(key), self.value)
        else:
            parent[key] = self.value
        return root

    def on_text(self, text: str) -> str:
        """``text`` after this step, as well as a splice can do it; the caller reads it again."""
        source = _Source(text)
        if self.do == "set":
            return source.set(self.pointer, self.value)
        if self.do == "delete":
            return source.delete(self.pointer)
        return source.insert(self.pointer, self.value)


def _steps(pointer: Pointer, old: Any, new: Any) -> Iterator[_Step]:
    """Steps that lead from ``old`` to ``new``, each as deep as it can be; they are meant to be taken in this order."""
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and _keeps_order(old, new):
        for key in old:
            if key in new:
                yield from _steps((*pointer, key), old[key], new[key])
        yield from (_Step("delete", (*pointer, key)) for key in old if key not in new)
        yield from (_Step("insert", (*pointer, key), new[key]) for key in new if key not in old)
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        yield from _list_steps(pointer, old, new)
    else:
        yield _Step("set", pointer, new)


def _keeps_order(old: dict[str, Any], new: dict[str, Any]) -> bool:
    kept = [key for key in old if key in new]
    return bool(kept) and [*kept, *(key for key in new if key not in old)] == list(new)


def _list_steps(pointer: Pointer, old: list[Any], new: list[Any]) -> Iterator[_Step]:
    shorter = min(len(old), len(new))
    first = next((at for at in range(shorter) if not same(old[at], new[at])), shorter)
    tail = next((at for at in range(shorter - first) if not same(old[-1 - at], new[-1 - at])), shorter - first)
    paired = shorter - first - tail
    for at in range(first, first + paired):
        yield from _steps((*pointer, at), old[at], new[at])
    for at in range(len(old) - tail - 1, first + paired - 1, -1):
        yield _Step("delete", (*pointer, at))
    for at in range(first + paired, len(new) - tail):
        yield _Step("insert", (*pointer, at), new[at])


# Doing it: splices at the parser's marks


class _Entry(NamedTuple):
    """A key with its value, or a list item: from ``start`` (key or dash) over ``after`` (colon or dash) to ``end``."""

    start: int
    after: int
    node: Node
    end: int


class _Source:
    """Text that reads well, with its nodes; every method gives new text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root: Node = yaml.compose(text, Loader=LOADER)

    def set(self, pointer: Pointer, value: Any) -> str:
        """Put ``value`` in the place of the value at ``pointer``."""
        if not pointer:
            start, end = _start(self.root), self._end(self.root)
            return self.text[:start] + emit(value).rstrip("\n") + self.text[end:]
        parent = self._node(pointer[:-1])
        entry = self._entries(parent)[self._position(parent, pointer[-1])]
        if parent.flow_style:
            start = _start(entry.node)
            return self.text[:start] + _inline(value, entry.node) + self.text[entry.end :]
        return self._set_in_block(entry, value, isinstance(parent, yaml.SequenceNode))

    def delete(self, pointer: Pointer) -> str:
        """Take the key or item at ``pointer`` away; its parent keeps at least one."""
        parent = self._node(pointer[:-1])
        entries = self._entries(parent)
        at = self._position(parent, pointer[-1])
        if len(entries) == 1:
            return self.set(pointer[:-1], {} if isinstance(parent, yaml.MappingNode) else [])
        entry = entries[at]
        following = entries[at + 1].start if at + 1 < len(entries) else None
        if parent.flow_style:
            start, end = (entry.start, following) if following else (entries[at - 1].end, entry.end)
            return self.text[:start] + self.text[end:]
        line, eol = self._line_start(entry.start), self._line_end(entry.end)
        if not self.text[line : entry.start].strip():
            return self.text[:line] + self.text[eol + 1 :]
        # The first entry of a collection that begins behind a dash: the next one moves up, unless comments are between.
        if following and not self.text[entry.end : following].strip(" \n-"):
            return self.text[: entry.start] + self.text[following:]
        return self.text[: entry.start].rstrip(" ") + self.text[eol:]

    def insert(self, pointer: Pointer, value: Any) -> str:
        """Add a last key, or an item before the one at this position; the parent is not empty."""
        parent = self._node(pointer[:-1])
        entries = self._entries(parent)
        at = len(entries) if isinstance(parent, yaml.MappingNode) else int(pointer[-1])
        new: Any = {pointer[-1]: value} if isinstance(parent, yaml.MappingNode) else [value]
        if parent.flow_style:
            inside = emit(new, flow=True).rstrip("\n")[1:-1]
            if at == len(entries):
                return self.text[: entries[-1].end] + f", {inside}" + self.text[entries[-1].end :]
            return self.text[: entries[at].start] + f"{inside}, " + self.text[entries[at].start :]
        column = self._column(entries[0].start)
        lines = _indented(emit(new).rstrip("\n"), column)
        if at == 0:
            start = entries[0].start
            return self.text[:start] + lines + "\n" + " " * column + self.text[start:]
        # Behind the one before, so that comments above the next one stay with it.
        eol = self._line_end(entries[at - 1].end)
        return self.text[:eol] + "\n" + " " * column + lines + self.text[eol:]

    def _set_in_block(self, entry: _Entry, value: Any, in_list: bool) -> str:
        """The new value begins where the old one did, or on the line of its key; comments there stay."""
        start = _start(entry.node)
        gap = self.text[entry.after : start]
        lines = _block(value, entry.node, in_list).split("\n")
        head, body = lines[0], _indented("\n".join(["", *lines[1:]]), self._column(entry.start))
        rest = self.text[entry.end :]
        if "\n" in gap:
            above = gap[: gap.rindex("\n")].rstrip()
            # Behind a list dash a comment makes a mapping begin on its own line, as it did.
            if in_list and above.strip() and isinstance(value, dict | list) and value:
                indent = " " * (self._column(entry.start) + 2)
                return self.text[: entry.after] + above + "\n" + indent + head.lstrip() + body + rest
            return self.text[: entry.after] + head + above + body + rest
        old_eol = self._line_end(start)
        tail = self.text[entry.end : old_eol].rstrip() if entry.end <= old_eol else ""
        # Behind a dash, the first line of a block says how far in the others stand.
        spaced = gap + head.lstrip() if head.strip() and not (in_list and body) else head
        return self.text[: entry.after] + spaced + tail + body + rest[len(tail) :]

    def _entries(self, parent: Node) -> list[_Entry]:
        entries: list[_Entry] = []
        for item in parent.value:
            if isinstance(item, tuple):
                key, node = item
                colon = re.compile(r"[ \t]*:").match(self.text, key.end_mark.index)
                if colon is None:
                    raise UserError("A key is not followed by its colon on the same line.", "Edit the file by hand.")
                entries.append(_Entry(_start(key), colon.end(), node, self._end(node)))
            else:
                dash = _start(item) if parent.flow_style else self._dash(parent, item, bool(entries))
                entries.append(_Entry(dash, dash + 1, item, self._end(item)))
        return entries

    def _dash(self, parent: Node, item: Node, later: bool) -> int:
        """Where the dash of ``item`` is: the first stands where the list begins, the others below it."""
        if not later:
            return _start(parent)
        column = parent.start_mark.column
        line = self._line_start(_start(item))
        while self.text[line : line + column + 1] != " " * column + "-":
            if line == 0:
                raise UserError("The dash of a list item is not below the first one.", "Edit the file by hand.")
            line = self._line_start(line - 1)
        return int(line + column)

    def _end(self, node: Node) -> int:
        """Where the text of ``node`` ends; the parser's own marks run on over the comments after a block."""
        if isinstance(node, yaml.ScalarNode):
            start, end = _start(node), int(node.end_mark.index)
            if node.style not in ("|", ">"):
                return end
            head = self.text[start : self._line_end(start)].split("#")[0]
            if "+" in head:
                # All line ends belong to the text, but for the last, which ends the line.
                return max(self.text.rfind("\n", start, end), start + len(head.rstrip()))
            return start + len(self.text[start:end].rstrip())
        if node.flow_style:
            return int(node.end_mark.index)
        last = node.value[-1]
        return self._end(last[1] if isinstance(last, tuple) else last)

    def _node(self, pointer: Pointer) -> Node:
        node = self.root
        for part in pointer:
            item = node.value[self._position(node, part)]
            node = item[1] if isinstance(item, tuple) else item
        return node

    def _position(self, parent: Node, part: str | int) -> int:
        if isinstance(parent, yaml.SequenceNode):
            return int(part)
        return [key.value for key, _ in parent.value].index(part)

    def _line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        end = self.text.find("\n", index)
        return end if end >= 0 else len(self.text)

    def _column(self, index: int) -> int:
        return index - self._line_start(index)


def _start(node: Node) -> int:
    return int(node.start_mark.index)


def _indented(lines: str, column: int) -> str:
    """``lines`` with all but the first moved right; empty lines stay empty."""
    return re.sub(r"\n(?=[^\n])", "\n" + " " * column, lines)


def _inline(value: Any, old: Node) -> str:
    return emit([value], flow=True, quote=_kept_quote(value, old)).rstrip("\n")[1:-1]


def _block(value: Any, old: Node, in_list: bool) -> str:
    """What follows a colon or a dash in block style, from the space on, without the last line end."""
    flow = not isinstance(old, yaml.ScalarNode) and old.flow_style and old.value
    if isinstance(value, dict | list) and value and not flow:
        # An own list and mapping inside a key, so that the first line tells where the rest begins.
        return emit([value])[1:-1] if in_list else emit({"k": value})[2:-1]
    if isinstance(value, str) and not flow:
        return emit([value], quote=_kept_quote(value, old))[1:].removesuffix("\n")
    return " " + _inline(value, old)


def _kept_quote(value: Any, old: Node) -> str:
    """The quotation mark of the old value, when the new one can wear it."""
    quoted = isinstance(old, yaml.ScalarNode) and old.style in ('"', "'")
    return str(old.style) if quoted and isinstance(value, str) and "\n" not in value else ""
