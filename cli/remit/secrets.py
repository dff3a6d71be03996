"""Things that must not be in a store: private keys, tokens and passwords, known by their shapes.

A store has no control of reading: whoever has a clone has all of it, and its history keeps what was once in. So a
change that brings such a thing is refused before it is anywhere. Shapes are those that issuers document; beside them,
a value that looks random where a field's name says that it is a secret.

Source: security rule R29; attack A38.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from remit.sentences import say

_SHAPES: dict[str, str] = {
    "private-key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d",
    "aws-key": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "github-token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b",
    "gitlab-token": r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt)-[A-Za-z0-9_-]{20,}",
    "slack-token": r"\bxox[abeoprs]-[A-Za-z0-9-]{20,}",
    "slack-address": r"hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,}",
    "google-key": r"\bAIza[A-Za-z0-9_-]{35}\b|\bya29\.[A-Za-z0-9_-]{30,}",
    "stripe-key": r"\b[rs]k_live_[A-Za-z0-9]{20,}\b",
    "index-token": r"\bpypi-[A-Za-z0-9_-]{40,}|\bnpm_[A-Za-z0-9]{36}\b",
    "api-key": r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_-]{32,}\b|\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{40,}",
    "aliyun-key": r"\bLTAI[A-Za-z0-9]{16,24}\b",
    "signed-token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}",
    "address-password": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"<>${}]{1,64}:[^\s/@'\"<>${}]{6,128}@[\w.-]+",
    "age-key": r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}\b",
}
_ANY = re.compile("|".join(f"(?P<s{number}>{shape})" for number, shape in enumerate(_SHAPES.values())))
_NAMES = tuple(_SHAPES)

_SECRET = "passw(?:or)?d|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|密码|口令"
_NAMED = re.compile(
    rf"(?im)^[ \t\"'{{,-]*(?P<name>[\w.-]*(?:{_SECRET})[\w.-]*)[\"']?[ \t]*[:=]"
    r"[ \t]*[\"']?(?P<value>[^\s\"'#,}]{8,256})"
)
_REFERENCE = re.compile(r"(?i)^(?:\$|\{|<|env[:.]|[A-Z][A-Z0-9_]+$|\*+$|x+$|\.\.\.)")
LEAST_ENTROPY = 3.0
"""Bits a character below which a value is words and not random."""


class Secret(NamedTuple):
    """What was found, on which line (from 1), without the secret itself."""

    what: str
    line: int


def secrets_in(data: bytes) -> Iterator[Secret]:
    """What must not be in a store, in the order of its lines; the text itself is never repeated."""
    text = data.decode("utf-8", "replace")
    found = set()
    for match in _ANY.finditer(text):
        number = int((match.lastgroup or "s0")[1:])
        found.add(Secret(say(f"proof.{_NAMES[number]}"), text.count("\n", 0, match.start()) + 1))
    for match in _NAMED.finditer(text):
        value = match["value"]
        if not _REFERENCE.match(value) and _is_random(value):
            line = text.count("\n", 0, match.start("name")) + 1
            if not any(one.line == line for one in found):
                found.add(Secret(say("proof.value-of", name=match["name"]), line))
    yield from sorted(found, key=lambda one: (one.line, one.what))


def _is_random(value: str) -> bool:
    """Mixed letters and digits without much repetition."""
    if not (any(c.isdigit() for c in value) and any(c.isalpha() for c in value)):
        return False
    if not value.isascii() or re.fullmatch(r"[\d.:TZ+-]+|[a-z0-9]+(?:-[a-z0-9]+)+", value):
        return False
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return entropy >= LEAST_ENTROPY
